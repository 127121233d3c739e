"""The state of a filter: a dict of plain arrays, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .timeseries._numbers import as_numbers
from .timeseries._validation import check_finite

State = dict[str, np.ndarray]


def copy_state(state: State) -> State:
    """Copies of all arrays."""
    return {name: np.array(value) for name, value in state.items()}


def check_state(state: Any) -> State:
    """Copies of the arrays of a state that a caller gave: finite numbers, by name."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"initial_state must be the `state` of an earlier session, a dict of arrays; got "
            f"{type(state).__name__}."
        )
    copies = {}
    for name, value in state.items():
        entry = f"initial_state[{name!r}]"
        copies[name] = np.array(as_numbers(value, entry))
        check_finite(np.abs(copies[name]).reshape(-1, 1), name=entry)
    return copies


def impulse_responses(state: State, n_taps: int) -> np.ndarray:
    """`coef_`: ``(n_channels, n_taps)``, newest first; for several outputs an axis before."""
    n_outputs, n_channels = state["weights"].shape[0], state["history"].shape[1]
    coef = state["weights"].reshape(n_outputs, n_taps, n_channels)
    coef = coef[:, ::-1].transpose(0, 2, 1).copy()
    return coef[0] if n_outputs == 1 else coef


def stack_weights(weights: Any, n_outputs: int, n_channels: int, n_taps: int) -> np.ndarray:
    """`initial_weights` as kernels hold weights: ``(n_outputs, n_taps * n_channels)``."""
    given = as_numbers(weights, "initial_weights")
    wanted = (n_outputs, n_channels, n_taps)
    if given.shape not in {wanted, wanted[1:], wanted[2:] if n_channels == 1 else wanted}:
        raise ValueError(
            f"initial_weights must have shape {wanted[1:]} (n_channels, n_taps), newest sample "
            f"first, or {wanted} for several outputs; got {given.shape}."
        )
    check_finite(np.abs(given).ravel(), name="initial_weights")
    full = np.broadcast_to(given, wanted)
    return full.transpose(0, 2, 1)[:, ::-1].reshape(n_outputs, -1)


def adapt_each_output(
    state: State,
    targets: np.ndarray,
    output: np.ndarray,
    adapt: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], int],
) -> int:
    """Run a kernel of one output for every output.

    Parameters
    ----------
    state : dict
        Its "weights" and "intercept" are updated in place.
    targets, output : ndarray of shape (n_timesteps, n_outputs)
        Desired signals; a-priori outputs, written.
    adapt : callable
        ``adapt(d, w, bias, y) -> first bad sample or -1``: the kernel with all else bound.

    Returns
    -------
    int
        First bad sample of any output, or -1.
    """
    if targets.shape[1] == 1 and output.flags.c_contiguous:
        d = np.ascontiguousarray(targets).ravel()
        return adapt(d, state["weights"][0], state["intercept"], output.reshape(-1))
    bad = []
    for o in range(targets.shape[1]):
        y = np.empty(targets.shape[0], dtype=targets.dtype)
        d = np.ascontiguousarray(targets[:, o])
        bad.append(adapt(d, state["weights"][o], state["intercept"][o : o + 1], y))
        output[:, o] = y
    return min((k for k in bad if k >= 0), default=-1)
