"""Power of the input, and the regularisation that is relative to it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .kernels.lms import running_mean

# "auto" regularisation: -30 dB of the mean energy in the delay line ...
AUTO_REGULARIZATION = 1e-3
# ... whose mean is taken over this many samples or delay-line lengths, whichever is longer.
_AUTO_MEMORY = (1000, 10)


def row_power(rows: np.ndarray) -> np.ndarray:
    """Squared magnitude of every row in float64, summed channel by channel in a fixed order."""
    power = np.zeros(rows.shape[0])
    for column in rows.T:
        with np.errstate(over="ignore"):  # infinite power: no step is small enough, none is taken
            power += column.real.astype(np.float64) ** 2
            if np.iscomplexobj(column):
                power += column.imag.astype(np.float64) ** 2
    return power


def memory_of_mean(n_taps: int) -> int:
    """Samples over which the mean power is taken."""
    return max(_AUTO_MEMORY[0], _AUTO_MEMORY[1] * n_taps)


def mean_power(rows: np.ndarray, n_taps: int, power: np.ndarray) -> np.ndarray:
    """Mean power of the input up to every row; `power` is its state ``(2,)``, updated in place."""
    mean = np.empty(rows.shape[0])
    running_mean(row_power(rows), memory_of_mean(n_taps), power, mean)
    return mean


def regularization_of_rows(
    regularization: float | Literal["auto"], rows: np.ndarray, n_taps: int, power: np.ndarray
) -> np.ndarray:
    """Epsilon of every row, in the real dtype of `rows`; "auto" is defined in `NLMSFilter`.

    `power` is the state ``(2,)`` of the mean, updated in place.
    """
    real = rows.real.dtype
    if regularization != "auto":
        return np.full(rows.shape[0], regularization, dtype=real)
    with np.errstate(over="ignore"):
        return (AUTO_REGULARIZATION * n_taps * mean_power(rows, n_taps, power)).astype(real)
