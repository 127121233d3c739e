"""The state of a filter: a dict of plain arrays, and what is read from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .timeseries._validation import check_finite

State = dict[str, np.ndarray]


def copy_state(state: State) -> State:
    """Copies of all arrays."""
    return {name: np.array(value) for name, value in state.items()}


def impulse_responses(state: State, n_taps: int) -> np.ndarray:
    """`coef_`: ``(n_channels, n_taps)``, newest first; for several outputs an axis before."""
    n_outputs, n_channels = state["weights"].shape[0], state["history"].shape[1]
    coef = state["weights"].reshape(n_outputs, n_taps, n_channels)
    coef = coef[:, ::-1].transpose(0, 2, 1).copy()
    return coef[0] if n_outputs == 1 else coef


def stack_weights(weights: Any, n_outputs: int, n_channels: int, n_taps: int) -> np.ndarray:
    """`initial_weights` as kernels hold weights: ``(n_outputs, n_taps * n_channels)``."""
    given = np.asarray(weights)
    wanted = (n_outputs, n_channels, n_taps)
    if given.shape not in {wanted, wanted[1:], wanted[2:] if n_channels == 1 else wanted}:
        raise ValueError(
            f"initial_weights must have shape {wanted[1:]} (n_channels, n_taps), newest sample "
            f"first, or {wanted} for several outputs; got {given.shape}."
        )
    check_finite(np.abs(given).ravel(), name="initial_weights")
    full = np.broadcast_to(given, wanted)
    return full.transpose(0, 2, 1)[:, ::-1].reshape(n_outputs, -1)
