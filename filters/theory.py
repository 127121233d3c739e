"""What theory says before the first sample is filtered: steps, errors, bounds and delays."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import signal
from scipy.linalg import toeplitz

from ._safe_step import safe_step_size
from ._steady_state import lms_excess, nlms_excess, rls_excess
from .timeseries._numbers import as_numbers
from .timeseries._sklearn_private import (
    StrOptions,
    between,
    checked,
    non_negative,
    positive_int,
    unit_interval,
)
from .timeseries._validation import check_finite, check_one_signal
from .timeseries._windows import delay_embed

_MAX_ROWS = 20_000


@checked(n_taps=[positive_int()], mode=[StrOptions({"mean", "mean_square", "safe"})])
def max_step_size(
    X: Any, n_taps: int, mode: Literal["mean", "mean_square", "safe"] = "mean"
) -> float:
    """Largest LMS step size for which the weights converge on a given input.

    .. math:: \\mu_{mean} = \\frac{2}{\\mathrm{tr} R}, \\qquad
              \\mu_{mean\\,square} = \\frac{2}{\\mathrm{tr} R + \\kappa \\lambda_{max}}, \\qquad
              \\mu_{safe} = \\frac{s}{\\mathrm{tr} R}

    with R the correlation matrix of the delay line (all channels) and kappa the kurtosis of the
    input samples. The first two are bounds of stability under the independence assumption, not
    good working points: a tenth of them is. "safe" is measured, not derived: s = n_e / 48, but at
    least .1 and at most 2/3 and .8 M / (M + 2), M weights, where n_e = (tr R)^2 / tr R^2, taken
    over 16 taps or n_taps if more, is the number of directions the input excites: all of them for
    white noise, about one for a slow signal.

    Parameters
    ----------
    X : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        Input of the filter, real or complex.
    n_taps : int
    mode : {"mean", "mean_square", "safe"}, default="mean"

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
    R is the time average over the first 20 000 windows that lie wholly inside `X`; for "safe" it
    is taken from the correlations of the channels.

    A delay line repeats itself, so rows are not independent and LMS bursts well below the first
    two bounds: on AR(.9) noise with 10 taps ``step * tr R = .4`` ends at 1e10 times the error of
    theory. At "safe" the worst of 12 runs of 20 000 samples stayed within 1.7 times of it, for
    AR(0) to AR(.99) noise and 1 to 128 taps.

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
    rows = as_numbers(X, "X")
    if rows.dtype.kind not in "fc":  # the squares of recorded int16 would wrap around
        rows = rows.astype(np.float64)
    if rows.size == 0:
        raise ValueError(f"X is empty: its shape is {rows.shape}.")
    rows = rows.reshape(rows.shape[0], -1) if rows.ndim else rows.reshape(1, 1)
    if rows.shape[0] < n_taps:
        raise ValueError(f"X has {rows.shape[0]} rows, fewer than n_taps={n_taps}.")
    check_finite(np.abs(rows))
    if mode == "safe":
        return safe_step_size(rows[: _MAX_ROWS + n_taps - 1], n_taps)
    # In units of the largest sample, so that no power overflows; the step goes back at the end.
    scale = np.abs(rows).max().astype(np.float64)
    if scale == 0:
        return float("inf")
    rows = rows / scale
    n_taps = int(n_taps)
    windows = delay_embed(rows[: _MAX_ROWS + n_taps - 1], n_taps)[n_taps - 1 :]
    trace = float(np.mean(np.sum(np.abs(windows) ** 2, axis=1)))
    if trace == 0:
        return float("inf")
    if mode == "mean":
        return _in_units(2.0 / trace, scale)
    correlation = windows.conj().T @ windows / windows.shape[0]
    largest = float(np.linalg.eigvalsh(correlation)[-1])
    power = np.abs(rows) ** 2
    kurtosis = float(np.mean(power**2) / np.mean(power) ** 2)
    return _in_units(2.0 / (trace + kurtosis * largest), scale)


def _in_units(step: float, scale: float) -> float:
    """A step for a signal divided by `scale` as one for the signal; not through scale squared."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float64(step) / scale / scale)


@checked(
    min_mse=[non_negative()],
    algorithm=[StrOptions({"lms", "nlms", "rls"})],
    step_size=[between(0, 1e100, closed="right"), None],
    forgetting_factor=[unit_interval(), None],
    n_samples=[positive_int(), None],
    theory=[StrOptions({"small_step", "gaussian"})],
)
def predicted_mse(
    min_mse: float,
    correlation: Any,
    *,
    algorithm: Literal["lms", "nlms", "rls"] = "lms",
    step_size: float | None = None,
    forgetting_factor: float | None = None,
    n_samples: int | None = None,
    theory: Literal["small_step", "gaussian"] = "small_step",
) -> float:
    """Mean squared a-priori error at which LMS, NLMS or RLS settles on stationary signals.

    With J the answer, J_min the error of the Wiener filter, M weights and R = E[x x'],
    ``theory="small_step"`` takes

    .. math:: \\frac{J_{LMS}}{J_{min}} = \\frac{2}{2 - \\mu\\, \\mathrm{tr} R}, \\quad
              \\frac{J_{NLMS}}{J_{min}} = \\frac{2}{2 - \\mu}, \\quad
              \\frac{J_{RLS}}{J_{min}} = 1 + \\frac{M}{n_e}

    and ``theory="gaussian"``, exact for independent rows x of a Gaussian distribution, with
    lambda_i the eigenvalues of R,

    .. math:: \\frac{J_{LMS}}{J_{min}} = \\frac{1}{1 - \\eta}, \\quad
              \\eta = \\sum_i \\frac{\\mu \\lambda_i}{2 - 2 \\mu \\lambda_i}, \\quad
              \\frac{J_{RLS}}{J_{min}} = 1 + \\frac{M}{n - M - 1}
              \\; (l = 1)

    where n_e = (1 + l)(1 - l^n) / ((1 - l)(1 + l^n)), with l the forgetting factor, is the number
    of equally weighted samples worth n exponentially weighted ones (n_e = n for l = 1).

    Parameters
    ----------
    min_mse : float
        J_min >= 0: the variance of what no filter of this length can predict.
    correlation : array-like of shape (M, M) or (M,)
        Correlation matrix R of the filter's input rows, or the autocorrelation r(0) .. r(M-1) of
        a stationary signal in a delay line. A complex one stands for circular signals.
    algorithm : {"lms", "nlms", "rls"}, default="lms"
    step_size : float, default=None
        Gain mu of LMS or NLMS (NLMS without regularisation).
    forgetting_factor : float, default=None
        Of RLS, in (0, 1].
    n_samples : int, default=None
        Samples RLS has seen; None: infinitely many.
    theory : {"small_step", "gaussian"}, default="small_step"

    Returns
    -------
    float
        Infinite where the theory finds no steady state.

    Raises
    ------
    ValueError
        For a parameter that is missing, superfluous or out of range, or a matrix that is not a
        correlation matrix.

    Notes
    -----
    For white R and M weights "gaussian" says: excess M mu / (2 - (M + 2) mu) for LMS at unit
    variance, mu / (2 - mu) M / (M - 2) for NLMS, in units of J_min (complex: M + 1 and M - 1 in
    place of M + 2 and M - 2). For NLMS on coloured R it solves the mean-square recursion, whose
    moments are one-dimensional integrals; for RLS that forgets it goes to second order in 1 / n_e,
    about M / n_e (1 + (M + 1) / (3 n_e)). Rows of a delay line are not independent, and a
    residual that depends on x (an equaliser's) is not noise: there LMS at mu tr R near 1 settles
    at up to twice the prediction.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., chapter 10 (RLS).
    A. H. Sayed, Fundamentals of Adaptive Filtering (2003), chapter 6 (LMS, NLMS).
    L. L. Horowitz, K. D. Senne, Performance advantage of complex LMS for controlling narrow-band
    adaptive arrays, IEEE Trans. ASSP 29 (1981), 722-736 (the Gaussian LMS formula).

    Examples
    --------
    >>> import numpy as np
    >>> from filters.theory import predicted_mse
    >>> round(predicted_mse(1.0, np.eye(8), step_size=0.05), 4)
    1.25
    >>> round(predicted_mse(1.0, np.eye(8), step_size=0.05, theory="gaussian"), 4)
    1.2667
    """
    _check_prediction(algorithm, step_size, forgetting_factor, n_samples)
    values, is_complex = _eigenvalues(correlation)
    gaussian = theory == "gaussian"
    if algorithm == "rls":
        excess = rls_excess(values.size, forgetting_factor, n_samples, gaussian, is_complex)
    elif algorithm == "lms":
        excess = lms_excess(values, step_size, gaussian, is_complex)
    else:
        excess = nlms_excess(values, step_size, gaussian, is_complex)
    return float(min_mse * (1.0 + excess)) if min_mse > 0 or np.isfinite(excess) else np.inf


@checked(fs=[between(0, 1e100, closed="right")], nperseg=[positive_int(2)])
def coherence_bound(
    x: Any, d: Any, fs: float = 1.0, *, nperseg: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """Most that any linear filter of a reference can take out of a signal, per frequency.

    .. math:: A(f) = -10 \\log_{10} (1 - C_{xd}(f)) \\;\\mathrm{dB}

    with C the magnitude-squared coherence: what is left of d has at least 1 - C of its power.

    Parameters
    ----------
    x, d : array-like of shape (n_timesteps,)
        Reference and signal, real or complex.
    fs : float, default=1.0
        Sampling rate in Hz.
    nperseg : int, default=256
        Samples per segment of Welch's average (half overlapping, Hann window).

    Returns
    -------
    frequencies : ndarray of shape (n_frequencies,)
        In Hz.
    bound_db : ndarray of shape (n_frequencies,)
        Zero where the two have nothing in common or no power, infinite where they are one.

    Raises
    ------
    ValueError
        For NaN, signals of different lengths, or too short for two segments.

    Notes
    -----
    The estimate is too high by about 4.3 / k dB, k the number of segments, where the signals have
    nothing in common, and leaks between bins: choose `nperseg` longer than the filter's response.

    References
    ----------
    B. Widrow, S. D. Stearns, Adaptive Signal Processing (1985), chapter 12.
    G. C. Carter, Coherence and time delay estimation, Proc. IEEE 75 (1987), 236-255.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.theory import coherence_bound
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 100_000))
    >>> frequencies, bound = coherence_bound(x, x + 0.1 * noise, 1000.0)
    >>> float(np.median(bound).round(1))  # 10 log10(1 + 100)
    20.0
    """
    x, d = check_one_signal(x, "x"), check_one_signal(d, "d")
    if x.size != d.size:
        raise ValueError(f"x has {x.size} samples, d has {d.size}.")
    if nperseg < 2 or x.size < nperseg + (nperseg + 1) // 2:
        raise ValueError(
            f"{x.size} samples are fewer than two half-overlapping segments of nperseg={nperseg} "
            "(of at least 2), and the coherence of one segment is 1 whatever the signals. Lower "
            "nperseg or give longer signals."
        )
    both = np.result_type(x, d)
    # In units of the largest sample: the coherence knows no scale, but powers may overflow.
    x, d = ((v / (np.abs(v).max() or 1.0)).astype(both, copy=False) for v in (x, d))
    # Said outright: a complex signal has two sides (SciPy's coherence finds out and warns).
    options = {"fs": fs, "nperseg": nperseg, "return_onesided": not np.iscomplexobj(x)}
    with np.errstate(invalid="ignore", divide="ignore"):
        frequencies, cross = signal.csd(x, d, **options)
        power_x, power_d = signal.welch(x, **options)[1], signal.welch(d, **options)[1]
        coherence = np.abs(cross) ** 2 / power_x / power_d
        # 0 / 0 where one has no power: nothing can be predicted there.
        rest = 1.0 - np.clip(np.nan_to_num(coherence, nan=0.0), 0.0, 1.0)
        bound = -10.0 * np.log10(rest)
    return frequencies, bound + 0.0  # -0.0 reads badly


@checked(max_delay=[positive_int(0), None])
def estimate_delay(x: Any, d: Any, *, max_delay: int | None = None) -> int:
    """Delay of one signal against another, in samples, at the peak of their cross-correlation.

    .. math:: k = \\arg\\max_k \\Big| \\sum_n d(n)\\, \\bar x(n - k) \\Big|

    Parameters
    ----------
    x, d : array-like of shape (n_timesteps,)
        Real or complex; the lengths may differ. Their means are taken out first.
    max_delay : int, default=None
        Largest delay considered, either way; None: all.

    Returns
    -------
    int
        k with d(n) about x(n - k), up to gain and sign: positive where d comes *after* x (d lags),
        negative where it comes before.

    Raises
    ------
    ValueError
        For NaN, a negative `max_delay` or a constant signal, which has no delay.

    Notes
    -----
    Cost: O(n log n), by FFT. A reference that lags the primary (k of (reference, primary)
    negative) cannot cancel white noise with a causal filter: delay the primary by -k.

    References
    ----------
    C. H. Knapp, G. C. Carter, The generalized correlation method for estimation of time delay,
    IEEE Trans. ASSP 24 (1976), 320-327.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.theory import estimate_delay
    >>> x = np.random.default_rng(0).standard_normal(500)
    >>> estimate_delay(x, np.roll(x, 3)), estimate_delay(x, np.roll(x, -5))
    (3, -5)
    """
    x, d = check_one_signal(x, "x"), check_one_signal(d, "d")
    if max_delay is not None and max_delay < 0:
        raise ValueError(f"max_delay must not be negative, got {max_delay}.")
    for name, values in (("x", x), ("d", d)):
        if (values == values[0]).all():
            raise ValueError(f"{name} is constant: it has no delay.")
    # Means and scales out: the sum of squares of a signal near the largest float overflows.
    x, d = (v / np.abs(v).max() for v in (x, d))
    x, d = x - x.mean(), d - d.mean()
    strength = np.abs(signal.correlate(d, x, method="fft"))
    lags = signal.correlation_lags(d.size, x.size)
    if max_delay is not None:
        near = np.abs(lags) <= max_delay
        strength, lags = strength[near], lags[near]
    return int(lags[np.argmax(strength)])


def _check_prediction(
    algorithm: str,
    step_size: float | None,
    forgetting_factor: float | None,
    n_samples: int | None,
) -> None:
    if algorithm == "rls":
        if step_size is not None:
            raise ValueError("RLS has no step_size; give forgetting_factor.")
        if forgetting_factor is None:
            raise ValueError("RLS needs its forgetting_factor, in (0, 1].")
        return
    if forgetting_factor is not None or n_samples is not None:
        raise ValueError(f"forgetting_factor and n_samples are of RLS, not of {algorithm!r}.")
    if step_size is None:
        raise ValueError(f"{algorithm!r} needs its step_size, a positive number.")


def _eigenvalues(correlation: Any) -> tuple[np.ndarray, bool]:
    """Eigenvalues of R, rounding below zero cut off, and whether R is complex."""
    R = as_numbers(correlation, "correlation")
    R = R.astype(np.complex128 if R.dtype.kind == "c" else np.float64)
    if R.ndim == 1 and R.size:
        R = toeplitz(R)
    if R.ndim != 2 or R.shape[0] != R.shape[1] or R.size == 0:
        raise ValueError(f"correlation must be (M, M) or (M,), got shape {np.shape(correlation)}.")
    check_finite(np.abs(R), name="correlation")
    slack = np.sqrt(np.finfo(R.dtype).eps) * np.abs(R).max()
    with np.errstate(over="ignore"):
        trace = np.abs(np.diag(R)).sum()
    if not np.isfinite(trace):
        raise ValueError("correlation is too large: its trace overflows. Scale the signal down.")
    values = np.linalg.eigvalsh(R)
    if np.abs(R - R.conj().T).max() > slack or values[0] < -slack:
        raise ValueError(
            "correlation is no correlation matrix: it must be Hermitian without negative "
            f"eigenvalues (smallest {values[0]:.3g})."
        )
    return np.maximum(values.astype(np.float64), 0.0), np.iscomplexobj(R)
