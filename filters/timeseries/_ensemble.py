"""Learning curves over an ensemble of independent runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from ._adaptation import error_power
from ._errors import DivergenceError
from ._sklearn_private import HasMethods, StrOptions, checked, positive_int
from ._validation import check_finite

# Values of all runs held at a time (32 MB); a longer ensemble is done window by window.
_MAX_VALUES = 2**22
# Samples whose weights are held at a time.
_BLOCK = 1024


class EnsembleCurve(NamedTuple):
    """What `ensemble_learning_curve` gives; powers, to be turned into dB by 10 log10.

    Attributes
    ----------
    average : ndarray of shape (n_timesteps,)
        Mean or median over the runs.
    lower_quartile, upper_quartile : ndarray of shape (n_timesteps,)
        Between them lies the middle half of the runs.
    seeds : ndarray of shape (n_runs,)
        What `make_signals` was called with, to repeat a run.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import NLMSFilter
    >>> from filters.timeseries import ensemble_learning_curve
    >>> def signals(seed):
    ...     x = np.random.default_rng(seed).standard_normal(100)
    ...     return x, 2 * x
    >>> curve = ensemble_learning_curve(NLMSFilter(1), signals, n_runs=8)
    >>> bool(curve.average[0] > curve.average[-1]), curve.seeds.shape
    (True, (8,))
    """

    average: np.ndarray
    lower_quartile: np.ndarray
    upper_quartile: np.ndarray
    seeds: np.ndarray


@checked(
    filter=[HasMethods(["adapt"])],
    make_signals=[callable],
    n_runs=[positive_int()],
    average=[StrOptions({"mean", "median"})],
    measure=[StrOptions({"error", "misalignment"})],
    random_state=["random_state"],
)
def ensemble_learning_curve(
    filter: Any,
    make_signals: Callable[[int], tuple[Any, ...]],
    *,
    n_runs: int = 100,
    average: Literal["mean", "median"] = "mean",
    measure: Literal["error", "misalignment"] = "error",
    random_state: Any = None,
) -> EnsembleCurve:
    """Adapt a filter to many realisations of its signals and average what it does over time.

    .. math:: J(t) = \\frac{1}{n} \\sum_{i=1}^{n} |e_i(t)|^2 \\quad \\text{or} \\quad
              D(t) = \\frac{1}{n} \\sum_{i=1}^{n}
              \\frac{\\lVert w^* - w_i(t) \\rVert^2}{\\lVert w^* \\rVert^2}

    Parameters
    ----------
    filter : estimator with `adapt`
        Every run starts from a fresh clone of it.
    make_signals : callable
        ``make_signals(seed) -> (x, d)`` or ``(x, d, true_weights)``: the signals of one run, all of
        one length, drawn from nothing but the int `seed`.
    n_runs : int, default=100
    average : {"mean", "median"}, default="mean"
        Over the runs, sample by sample, of powers, not of decibels. Theory speaks of the mean; the
        median does not follow single runs that burst.
    measure : {"error", "misalignment"}, default="error"
        Power of the a-priori error (mean over outputs), or the distance of the weights *after* each
        sample from `true_weights` (in the shape of `coef_`).
    random_state : int, RandomState or None, default=None
        Of the seeds.

    Returns
    -------
    EnsembleCurve

    Raises
    ------
    DivergenceError
        If a run diverges, naming the run and its seed (under ``on_divergence="raise"``).
    ValueError
        For signals or parameters that do not fit.

    Notes
    -----
    Memory does not grow with n_runs: what is held of all runs is limited to 4 million values. Where
    n_runs times n_timesteps is more, time is cut into windows and the runs are repeated for each.
    "misalignment" looks at the weights after every sample, which costs many times the filtering.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., section 5.6 (ensemble-average learning curves).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import LMSFilter
    >>> from filters.timeseries import ensemble_learning_curve
    >>> def make_signals(seed):
    ...     x, noise = np.random.default_rng(seed).standard_normal((2, 500))
    ...     return x, 2.0 * x + noise
    >>> curve = ensemble_learning_curve(LMSFilter(step_size=0.05), make_signals, random_state=0)
    >>> bool(curve.average[0] > 3), bool(curve.average[-100:].mean() < 1.3)
    (True, True)
    """
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_runs)
    n_timesteps = len(_signals(make_signals, int(seeds[0]), measure)[1])
    middle, lower, upper = np.empty((3, n_timesteps))
    window = max(1, _MAX_VALUES // int(n_runs))
    for start in range(0, n_timesteps, window):
        part = slice(start, min(n_timesteps, start + window))
        values = np.empty((n_runs, part.stop - start))
        for i, seed in enumerate(seeds.tolist()):
            try:
                x, d, true_weights = _signals(make_signals, seed, measure, n_timesteps)
                values[i] = _run(clone(filter), x, d, true_weights, part)
            except DivergenceError as error:
                message = f"run {i} of {n_runs}, make_signals({seed}): {error}"
                raise DivergenceError(message, error.step) from error
            except ValueError as error:
                error.add_note(f"This was run {i} of {n_runs}, make_signals({seed}).")
                raise
        quartiles = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        middle[part] = values.mean(axis=0) if average == "mean" else quartiles[1]
        lower[part], upper[part] = quartiles[0], quartiles[2]
    return EnsembleCurve(middle, lower, upper, seeds)


def _signals(
    make_signals: Callable[[int], tuple[Any, ...]],
    seed: int,
    measure: str,
    n_timesteps: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """One run's x, d and, where the measure needs them, true weights."""
    try:
        made = make_signals(seed)
    except TypeError as error:
        raise TypeError(f"make_signals({seed}) failed: {error}") from error
    if not isinstance(made, tuple | list) or len(made) not in (2, 3):
        raise ValueError("make_signals must return (x, d) or (x, d, true_weights).")
    x, d = np.asarray(made[0]), np.asarray(made[1])
    if x.ndim == 0 or d.ndim == 0 or x.shape[0] != d.shape[0]:
        raise ValueError(f"make_signals gave x of shape {x.shape} and d of shape {d.shape}.")
    if n_timesteps is not None and x.shape[0] != n_timesteps:
        raise ValueError(f"x has {x.shape[0]} samples; the first run had {n_timesteps}.")
    if measure == "error":
        return x, d, None
    if len(made) == 2:
        raise ValueError('measure="misalignment" needs make_signals to return (x, d, weights).')
    true = np.asarray(made[2])
    check_finite(np.abs(true).ravel(), name="true_weights")
    if not true.any():
        raise ValueError("true_weights are zero throughout: nothing is relative to their norm.")
    return x, d, true


def _run(
    filter: Any, x: np.ndarray, d: np.ndarray, true: np.ndarray | None, part: slice
) -> np.ndarray:
    """The measure of one run over `part` of its samples."""
    if part.start:
        filter.adapt(x[: part.start], d[: part.start])
    if true is None:
        power, scale = error_power(filter.adapt(x[part], d[part]).error)
        with np.errstate(over="ignore"):
            return power * scale * scale
    filter.set_params(store_weights=1)
    distances = []
    for a in range(part.start, part.stop, _BLOCK):
        b = min(a + _BLOCK, part.stop)
        distances.append(_misalignment(filter.adapt(x[a:b], d[a:b]).weights, true))
    return np.concatenate(distances)


def _misalignment(weights: np.ndarray, true: np.ndarray) -> np.ndarray:
    if np.squeeze(true).shape != np.squeeze(weights[0]).shape:
        raise ValueError(
            f"true_weights have shape {true.shape}, the filter's coef_ has {weights.shape[1:]}."
        )
    scale = np.abs(true).max()
    rest = np.abs(weights - true.reshape(weights.shape[1:])) / scale
    return np.sum(rest**2, axis=tuple(range(1, rest.ndim))) / np.sum(np.abs(true / scale) ** 2)
