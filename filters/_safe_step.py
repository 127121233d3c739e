"""The step size of LMS that was measured to be safe; no theory knows one."""

from __future__ import annotations

import numpy as np

# The colour is judged over a delay line of at least so many taps ...
_TAPS = 16
# ... this share of one over the trace is allowed for every direction the input excites in it ...
_SHARE = 1 / 48
# ... but no less and no more than these, nor this share of the exact bound of white noise.
_LEAST, _MOST, _OF_WHITE = 0.1, 2 / 3, 0.4


def safe_step_size(rows: np.ndarray, n_taps: int) -> float:
    """``max_step_size(mode="safe")`` of finite rows (n, n_channels): s / tr R.

    .. math:: s = \\frac{1}{48} \\frac{(\\mathrm{tr} R)^2}{\\mathrm{tr} R^2}, \\quad
              0.1 \\le s \\le \\min\\Big(\\frac{2}{3}, 0.4\\, \\frac{2 M}{M + 2}\\Big)

    of M weights. Neither trace needs R: tr R is the power of the line, tr R^2 the sum of the
    squared correlations over all pairs of taps and channels.
    """
    scale = np.abs(rows).max().astype(np.float64)
    if scale == 0:
        return float("inf")
    n, n_channels = rows.shape
    power = float(np.sum(np.abs(rows / scale) ** 2)) / n
    k = min(max(n_taps, _TAPS), n)
    weight = (k - np.arange(k)) * np.where(np.arange(k) > 0, 2, 1)
    spectra = np.fft.fft(rows / scale, 2 * n, axis=0)
    frobenius = 0.0
    for c in range(n_channels):
        # tr R^2 from the correlations r(l) = E[x_a(n) conj x_c(n - l)]; |r| is even over all pairs.
        lags = np.fft.ifft(spectra * spectra[:, c : c + 1].conj(), axis=0)[:k]
        frobenius += float(weight @ np.sum(np.abs(lags / n) ** 2, axis=1))
    n_weights = n_taps * n_channels
    share = max(_LEAST, _SHARE * (k * power) ** 2 / frobenius)
    share = min(share, _MOST, _OF_WHITE * 2 * n_weights / (n_weights + 2))
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        return float(np.divide(share / (n_taps * power), scale**2))
