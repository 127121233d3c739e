"""Measures of adaptation: how much was gained, and how soon."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from ._metrics import snr_of
from ._numbers import as_numbers
from ._sklearn_private import between, checked, non_negative, positive_int, unit_interval


def snr_gain_db(clean: Any, before: Any, after: Any) -> float:
    """Improvement of the signal-to-noise ratio by a filter, in dB.

    .. math:: G = SNR(s, a) - SNR(s, b) = 10 \\log_{10}
              \\frac{\\sum_t (s_t - b_t)^2}{\\sum_t (s_t - a_t)^2}

    with s the clean signal, b what went into the filter and a what came out; SNR as in `snr_db`.

    Parameters
    ----------
    clean, before, after : array-like of the same shape, real or complex
        Cut off the first samples, in which the filter has not settled, from all three.

    Returns
    -------
    float
        Negative if the filter made it worse; infinite if `after` is the clean signal, minus
        infinity if only `before` is.

    Raises
    ------
    ValueError
        As `snr_db`, and if both are the clean signal: there is no noise to compare.

    Notes
    -----
    A gain or a delay of the filter counts as noise: undo it first where it does not matter.

    Examples
    --------
    >>> from filters.timeseries import snr_gain_db
    >>> round(snr_gain_db([1.0, -1.0], [1.5, -1.5], [1.05, -1.05]), 6)
    20.0
    """
    gained, had = snr_of(clean, after, "clean", "after"), snr_of(clean, before, "clean", "before")
    if gained == had == np.inf:
        raise ValueError("before and after both are the clean signal: there is no noise to reduce.")
    return gained - had


@checked(
    window=[positive_int()],
    tolerance_db=[between(0, 3000, closed="right")],  # 10 ** (dB / 10) is still a double
    tail=[unit_interval("neither")],
    steady_state=[non_negative(), None],
)
def convergence_time(
    error: Any,
    *,
    window: int = 100,
    tolerance_db: float = 3.0,
    tail: float = 0.2,
    steady_state: float | None = None,
) -> float:
    """First sample from which the smoothed power of the error stays near its steady state.

    .. math:: T = \\min \\{ t : |10 \\log_{10} (P_s / P_\\infty)| \\le \\delta
              \\text{ for all } s \\ge t \\}

    with P the centred moving average of |e|^2 (mean over outputs).

    Parameters
    ----------
    error : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
        Error signal, real or complex. A NaN or an infinity is as good as infinite power: wherever
        the average contains it, it is not within the tolerance.
    window : int, default=100
        Samples in the moving average, fewer at both ends. One run of white noise needs about 100
        for a tolerance of 3 dB; the mean of an ensemble needs fewer, down to 1.
    tolerance_db : float, default=3.0
        Delta > 0, in dB, to both sides.
    tail : float, default=0.2
        Share of the samples, in (0, 1), at the end of which the mean power is the steady state.
    steady_state : float, default=None
        P infinity, in units of error squared, where it is known (see
        `filters.theory.predicted_mse`); None measures it over `tail`.

    Returns
    -------
    float
        In samples from the first one. Infinite where the power is not within the tolerance at the
        end, or gets there only within the tail that the steady state was measured on.

    Raises
    ------
    ValueError
        For an empty error or parameters out of range.

    Notes
    -----
    Cost: log2(window) additions a sample. The answer is blurred by about half a window. Power that
    changes by less than the tolerance over the whole tail passes for settled.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.timeseries import convergence_time
    >>> power = 1.0 + 1e3 * np.exp(-np.arange(2000) / 50)  # within 3 dB after 50 ln(1e3 / .995)
    >>> convergence_time(np.sqrt(power), window=1)
    346.0
    """
    power, scale = error_power(error)
    n = power.size
    last_start = n - 1
    if steady_state is None:
        n_tail = max(1, round(tail * n))
        level = float(np.mean(power[n - n_tail :]))
        last_start = n - n_tail
    else:
        level = steady_state / scale / scale
    ratio = 10.0 ** (tolerance_db / 10.0)
    smooth = moving_mean(power, window)
    with np.errstate(over="ignore"):
        outside = ~((smooth >= level / ratio) & (smooth <= level * ratio)) | np.isinf(smooth)
    if not outside.any():
        return 0.0
    start = n - int(np.argmax(outside[::-1]))
    return float(start) if start <= last_start else float("inf")


def error_power(error: Any) -> tuple[np.ndarray, float]:
    """|e|^2 (mean over outputs) and a scale: power in units of its square, so none overflows.

    What is not finite has infinite power.
    """
    array = as_numbers(error, "error")
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(
            "error must have shape (n_timesteps,) or (n_timesteps, n_outputs) and at least one "
            f"sample; got shape {array.shape}."
        )
    magnitude = np.abs(array.reshape(array.shape[0], -1)).astype(np.float64)
    magnitude[~np.isfinite(magnitude)] = np.inf
    largest = float(np.max(magnitude, initial=0.0, where=np.isfinite(magnitude)))
    scale = largest if largest > 0 else 1.0
    return np.mean((magnitude / scale) ** 2, axis=1), scale


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Centred moving average of values that are not negative, over fewer at both ends.

    Sums of 1, 2, 4, ... neighbours build the sum over the window. Nothing is ever subtracted, so a
    burst leaves no rounding error behind as it does in a running sum.
    """
    n = values.size
    whole = isinstance(window, Real) and not isinstance(window, bool) and window % 1 == 0
    if not whole or window < 1:
        raise ValueError(f"window must be a whole number of at least 1, got {window!r}.")
    window = min(int(window), 2 * n - 1)  # as long as that sees everything from everywhere
    before = window // 2
    padded = np.concatenate([np.zeros(before), values, np.zeros(window - before)])
    total, done, sums, length = np.zeros(n), 0, padded, 1
    while True:
        if window & length:
            total += sums[done : done + n]
            done += length
        if 2 * length > window:
            break
        sums = sums[:-length] + sums[length:]
        length *= 2
    first = np.maximum(np.arange(n) - before, 0)
    last = np.minimum(np.arange(n) - before + window, n)
    return total / (last - first)
