"""Measures of error and improvement; every docstring prints its formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._numbers import as_numbers, naming
from ._sklearn_private import checked, positive
from ._validation import check_finite


def mse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "mean") -> Any:
    """Mean squared error.

    .. math:: MSE_j = \\frac{\\sum_t w_t (y_{tj} - \\hat y_{tj})^2}{\\sum_t w_t}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs), or list of such
    sample_weight : array-like of shape (n_timesteps,), default=None
    multioutput : {"mean", "raw"}, default="mean"
        Mean over outputs, or one value an output.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        For NaN or infinity, empty input or shapes that differ.

    Examples
    --------
    >>> from filters.timeseries import mse
    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    true, pred, weight = _paired(y_true, y_pred, sample_weight)
    return _collect(_squares(true - pred, weight), multioutput)


def nmse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "mean") -> Any:
    """Mean squared error divided by the variance of the truth.

    .. math:: NMSE_j = MSE_j / \\mathrm{var}(y_j), \\quad
              \\mathrm{var}(y) = \\tfrac{1}{n} \\sum_t (y_t - \\bar y)^2

    Zero is perfect, one is as good as the mean. Several outputs are averaged.

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As `mse`; the variance is weighted too.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        As `mse`, and for a constant truth, whose variance is zero.

    Examples
    --------
    >>> from filters.timeseries import nmse
    >>> nmse([0.0, 2.0], [1.0, 1.0])
    1.0
    """
    true, pred, weight = _paired(y_true, y_pred, sample_weight)
    constant = _constant(true if weight is None else true[weight > 0])
    if constant.any():
        raise ValueError(
            f"y_true is constant in output {int(np.argmax(constant))}: an error relative to its "
            "variance is not defined. Use mse."
        )
    # In units of the largest entry of each output, so that no square overflows or vanishes.
    scale = np.maximum(np.abs(true).max(axis=0), np.abs(pred).max(axis=0))
    true, pred = true / scale, pred / scale
    centred = true - np.average(true, axis=0, weights=weight)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = _squares(true - pred, weight) / _squares(centred, weight)
    if not np.isfinite(ratio).all():
        raise ValueError("y_pred is too far from y_true for their ratio to be a number. Use mse.")
    return _collect(ratio, multioutput)


def nrmse(y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: str = "mean") -> Any:
    """Root mean squared error divided by the standard deviation of the truth.

    .. math:: NRMSE = \\sqrt{NMSE} = \\sqrt{\\frac{1}{m} \\sum_j MSE_j / \\mathrm{var}(y_j)}

    Other texts divide by the range, the mean or the norm: this one divides by the standard
    deviation, so one is as good as the mean.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As `nmse`.
    multioutput : {"mean", "raw"}, default="mean"
        "mean" takes the root of the mean NMSE, "raw" gives one NRMSE an output.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        As `nmse`.

    Examples
    --------
    >>> from filters.timeseries import nrmse
    >>> nrmse([0.0, 2.0], [1.0, 1.0])
    1.0
    """
    value = nmse(y_true, y_pred, sample_weight=sample_weight, multioutput=multioutput)
    return float(np.sqrt(value)) if np.ndim(value) == 0 else np.sqrt(value)


def snr_db(signal: Any, estimate: Any) -> float:
    """Signal-to-noise ratio of an estimate whose noise is its difference from the signal, in dB.

    .. math:: SNR = 10 \\log_{10} \\frac{\\sum_t s_t^2}{\\sum_t (s_t - \\hat s_t)^2}

    Parameters
    ----------
    signal, estimate : array-like of the same shape, real or complex
        The clean signal (its mean counts as signal; remove it first if it should not).

    Returns
    -------
    float
        Infinite for a perfect estimate.

    Raises
    ------
    ValueError
        As `mse`, and for a signal that is zero throughout.

    Examples
    --------
    >>> from filters.timeseries import snr_db
    >>> snr_db([1.0, -1.0, 1.0], [1.1, -0.9, 0.9]).__round__(6)
    20.0
    """
    return snr_of(signal, estimate, "signal", "estimate")


def snr_of(signal: Any, estimate: Any, *names: str) -> float:
    """`snr_db` of arguments that are called by `names` in errors."""
    true, pred, _ = _paired(signal, estimate, None, names)
    return _ratio_db(true, true - pred, names[0])


def erle_db(desired: Any, error: Any) -> float:
    """Echo return loss enhancement: how far the error lies below the desired signal, in dB.

    .. math:: ERLE = 10 \\log_{10} \\frac{\\sum_t d_t^2}{\\sum_t e_t^2}

    Parameters
    ----------
    desired, error : array-like of the same shape, real or complex
        The signal with the echo and what is left of it.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `mse`, and for a desired signal that is zero throughout.

    Examples
    --------
    >>> from filters.timeseries import erle_db
    >>> erle_db([1.0, -2.0, 1.0], [0.01, -0.02, 0.01])
    40.0
    """
    true, rest, _ = _paired(desired, error, None, ("desired", "error"))
    return _ratio_db(true, rest, "desired")


def misalignment_db(true_weights: Any, weights: Any) -> float:
    """Distance of adapted weights from the true ones relative to their norm, in dB.

    .. math:: 20 \\log_{10} \\frac{\\lVert w^* - w \\rVert}{\\lVert w^* \\rVert}

    Parameters
    ----------
    true_weights, weights : array-like of the same shape, real or complex

    Returns
    -------
    float
        Negative once the filter is closer than zero weights; minus infinity when equal.

    Raises
    ------
    ValueError
        For shapes that differ, NaN, or true weights that are all zero.

    Examples
    --------
    >>> from filters.timeseries import misalignment_db
    >>> misalignment_db([3.0, 4.0], [3.0, 4.5])
    -20.0
    """
    true, found = as_numbers(true_weights, "true_weights"), as_numbers(weights, "weights")
    if true.shape != found.shape or not true.size:
        raise ValueError(f"true_weights and weights have shapes {true.shape} and {found.shape}.")
    check_finite(np.abs(true - found).ravel(), name="weights")
    return -_ratio_db(true, true - found, "true_weights")


@checked(threshold=[positive()], dt=[positive()], lyapunov_time=[positive()])
def valid_prediction_time(
    y_true: Any,
    y_pred: Any,
    *,
    threshold: float = 0.4,
    scale: Any = None,
    dt: float = 1.0,
    lyapunov_time: float = 1.0,
) -> float:
    """How long a forecast stays within a threshold of the truth.

    .. math:: VPT = \\frac{dt}{T_\\lambda} \\min \\{ t : \\epsilon_t > \\theta \\}, \\quad
              \\epsilon_t = \\sqrt{\\tfrac{1}{m} \\sum_j (y_{tj} - \\hat y_{tj})^2 / \\sigma_j^2}

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
        Truth and forecast from the same first step; a forecast that became NaN or infinite
        counts as beyond the threshold from there on.
    threshold : float, default=0.4
        Published values run from .2 to .5: always state it beside the result.
    scale : float or array-like of shape (n_outputs,), default=None
        Sigma; None takes the standard deviation of `y_true` over time. Give that of a long run
        where the forecast window is short.
    dt : float, default=1.0
        Time between rows.
    lyapunov_time : float, default=1.0
        One over the largest Lyapunov exponent, in the unit of `dt`; with both at their default
        the answer is in steps.

    Returns
    -------
    float
        Zero if the first step is beyond the threshold, ``n_timesteps * dt / lyapunov_time`` if
        none is.

    Raises
    ------
    ValueError
        For shapes that differ, NaN in the truth, or a zero scale.

    References
    ----------
    P. R. Vlachas et al., Neural Networks 126 (2020), 191-217, section 2.5.

    Examples
    --------
    >>> from filters.timeseries import valid_prediction_time
    >>> valid_prediction_time([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.1, 9.0], dt=0.5)
    1.5
    """
    true, pred = _columns(y_true, "y_true"), _columns(y_pred, "y_pred")
    if true.shape != pred.shape or not true.size:
        raise ValueError(f"y_true has shape {true.shape}, y_pred {pred.shape}.")
    check_finite(np.abs(true), name="y_true")
    if scale is None and _constant(true).any():
        raise ValueError("y_true is constant in some output, so its scale is zero; give scale=.")
    if scale is None:
        largest = np.abs(true).max(axis=0)
        sigma = (true / largest).std(axis=0) * largest
    else:
        sigma = as_numbers(scale, "scale")
        if sigma.shape not in {(), (1,), true.shape[1:]}:
            raise ValueError(
                f"scale must be a number or one an output, shape {true.shape[1:]}; got shape "
                f"{sigma.shape}."
            )
    if np.iscomplexobj(sigma) or not ((sigma > 0) & np.isfinite(sigma)).all():
        raise ValueError(f"scale must be positive, got {scale}.")
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.sqrt(np.mean(np.abs((true - pred) / sigma) ** 2, axis=1))
        beyond = ~(error <= threshold)
    steps = int(np.argmax(beyond)) if beyond.any() else beyond.size
    time = steps * dt / lyapunov_time
    if not np.isfinite(time):
        raise ValueError(f"{steps} steps of dt={dt} overflow with lyapunov_time={lyapunov_time}.")
    return time


def _paired(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    names: Sequence[str] = ("y_true", "y_pred"),
) -> tuple[np.ndarray, np.ndarray, Any]:
    true, pred = (_columns(v, name) for v, name in zip((y_true, y_pred), names, strict=True))
    if true.shape != pred.shape:
        raise ValueError(
            f"{names[0]} and {names[1]} are compared entry by entry, but have shapes {true.shape} "
            f"and {pred.shape} (a column an output)."
        )
    if true.size == 0:
        raise ValueError(f"{names[0]} and {names[1]} are empty: there is nothing to compare.")
    for values, name in zip((true, pred), names, strict=True):
        check_finite(np.abs(values), name=name)
    return true, pred, _weights(sample_weight, true.shape[0])


def _weights(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weight = as_numbers(sample_weight, "sample_weight")
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight must have shape ({n_rows},), got {weight.shape}.")
    if np.iscomplexobj(weight):
        raise ValueError("sample_weight is complex; weights are real.")
    weight = weight.astype(float)
    check_finite(weight, name="sample_weight")
    if (weight < 0).any() or not (weight > 0).any():
        raise ValueError("sample_weight must not be negative, nor zero throughout.")
    return weight / weight.max()  # a common factor means nothing, and sums may overflow


def _columns(values: Any, name: str) -> np.ndarray:
    """Rows of all series below each other, one column an output."""
    if isinstance(values, list | tuple) and len(values) and isinstance(values[0], np.ndarray):
        with naming(name):
            values = np.concatenate(values)
    array = as_numbers(values, name)
    array = array.astype(complex if array.dtype.kind == "c" else float, copy=False)
    if array.ndim > 2:  # a panel
        return array.reshape(array.size // max(array.shape[-1], 1), array.shape[-1])
    return array.reshape(-1, 1) if array.ndim < 2 else array


def _squares(error: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Weighted mean square of every column."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.average(np.abs(error) ** 2, axis=0, weights=weight)
    if not np.isfinite(squares).all():
        raise ValueError(
            "y_true - y_pred is too large to be squared in double precision: scale both down, or "
            "use nmse."
        )
    return squares


def _constant(rows: np.ndarray) -> np.ndarray:
    """Which columns never change; the rounded variance of a constant need not be zero."""
    return (rows == rows[:1]).all(axis=0)


def _collect(values: np.ndarray, multioutput: str) -> Any:
    if not isinstance(multioutput, str) or multioutput not in ("mean", "raw"):
        raise ValueError(f'multioutput must be "mean" or "raw", got {multioutput!r}.')
    if multioutput == "raw":
        return values
    return float(np.mean(values))


def _ratio_db(signal: np.ndarray, rest: np.ndarray, name: str) -> float:
    if not signal.any():
        raise ValueError(f"{name} is zero throughout: a ratio to its power is not defined.")
    return _level_db(signal) - _level_db(rest)


def _level_db(values: np.ndarray) -> float:
    """Energy in dB; taken relative to the largest magnitude, so that no square overflows."""
    largest = float(np.max(np.abs(values)))
    if largest == 0:
        return -float("inf")
    energy = np.sum(np.abs(values / largest) ** 2)
    return float(20.0 * np.log10(largest) + 10.0 * np.log10(energy))
