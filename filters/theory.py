"""What theory says about step sizes before the first sample is filtered."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .timeseries._validation import check_finite
from .timeseries._windows import delay_embed

_MAX_ROWS = 20_000


def max_step_size(X: Any, n_taps: int, mode: Literal["mean", "mean_square"] = "mean") -> float:
    """Largest LMS step size for which the weights converge on a given input.

    .. math:: \\mu_{mean} = \\frac{2}{\\mathrm{tr} R}, \\qquad
              \\mu_{mean\\,square} = \\frac{2}{\\mathrm{tr} R + \\kappa \\lambda_{max}}

    with R the correlation matrix of the delay line (all channels) and kappa the kurtosis of the
    input samples. Both are bounds of stability under the independence assumption, not good
    working points: a tenth of them is.

    Parameters
    ----------
    X : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        Input of the filter, real or complex.
    n_taps : int
    mode : {"mean", "mean_square"}, default="mean"

    Returns
    -------
    float
        Infinite for an input that is zero throughout.

    Raises
    ------
    ValueError
        For NaN, an unknown mode, or fewer rows than taps.

    Notes
    -----
    R is the time average over the first 20 000 windows that lie wholly inside `X`.

    References
    ----------
    B. Widrow, S. D. Stearns, Adaptive Signal Processing (1985), eq. 6.10 (mean); the mean-square
    bound with the fourth moment follows S. Haykin, Adaptive Filter Theory, section 5.4.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.theory import max_step_size
    >>> round(max_step_size(np.tile([1.0, -1.0], 100), 4), 3)
    0.5
    """
    rows = np.asarray(X)
    if rows.dtype.kind not in "fc":  # the squares of recorded int16 would wrap around
        rows = rows.astype(np.float64)
    rows = rows.reshape(rows.shape[0], -1) if rows.ndim else rows.reshape(1, 1)
    if mode not in ("mean", "mean_square"):
        raise ValueError(f'mode must be "mean" or "mean_square", got {mode!r}.')
    if rows.shape[0] < n_taps:
        raise ValueError(f"X has {rows.shape[0]} rows, fewer than n_taps={n_taps}.")
    check_finite(np.abs(rows))
    windows = delay_embed(rows[: _MAX_ROWS + n_taps - 1], n_taps)[n_taps - 1 :]
    trace = float(np.mean(np.sum(np.abs(windows) ** 2, axis=1)))
    if trace == 0:
        return float("inf")
    if mode == "mean":
        return 2.0 / trace
    correlation = windows.conj().T @ windows / windows.shape[0]
    largest = float(np.linalg.eigvalsh(correlation)[-1])
    power = np.abs(rows) ** 2
    kurtosis = float(np.mean(power**2) / np.mean(power) ** 2)
    return 2.0 / (trace + kurtosis * largest)
