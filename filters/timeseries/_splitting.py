"""Splits and scorers for models with memory: a test part starts warm, a washout is not scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from ._errors import DivergenceError
from ._metrics import nrmse
from ._numbers import real_columns
from ._sequences import as_series, holds_series
from ._sklearn_private import check_values, checked, positive_int
from ._validation import check_finite


class WarmTimeSeriesSplit(BaseEstimator):
    """Time-ordered folds whose test parts begin with rows that belong to the past.

    A model with memory needs the rows before the test part to reach its state; scikit-learn's
    `TimeSeriesSplit` starts it cold. Here test indices are contiguous and begin with `context`
    rows of the past, which ``make_washout_scorer(metric, washout=context)`` leaves out.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.
    context : int, default=0
        Rows before the scored part that each test part begins with; 0 gives the folds of
        `TimeSeriesSplit`.
    gap : int, default=0
        Rows left out between the end of the training part and the first scored row.
    test_size : int, default=None
        Scored rows of each test part; None takes ``n_rows // (n_splits + 1)``.

    Raises
    ------
    ValueError
        Where the series is too short for these folds.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.timeseries import WarmTimeSeriesSplit
    >>> for train, test in WarmTimeSeriesSplit(2, context=1).split(np.zeros((6, 1))):
    ...     print(train, test)
    [0 1] [1 2 3]
    [0 1 2 3] [3 4 5]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_splits": [positive_int()],
        "context": [positive_int(0)],
        "gap": [positive_int(0)],
        "test_size": [positive_int(), None],
    }

    def __init__(
        self, n_splits: int = 5, *, context: int = 0, gap: int = 0, test_size: int | None = None
    ) -> None:
        self.n_splits = n_splits
        self.context = context
        self.gap = gap
        self.test_size = test_size

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row indices of each fold, earliest first.

        Parameters
        ----------
        X : one series; as in `as_series`
            Only its length counts.
        y : ignored
        groups : array-like of shape (n_timesteps,), default=None
            One id a row; they must name one series.

        Yields
        ------
        train, test : ndarray of int
            `test` begins with its `context` rows.

        Raises
        ------
        ValueError
            For several series, or too few rows for the folds asked for.
        """
        series = as_series(X, groups=groups)
        if series.n_series > 1:
            raise ValueError(
                f"WarmTimeSeriesSplit cuts one series in time; X holds {series.n_series}. Split "
                "whole series with scikit-learn's GroupKFold instead."
            )
        n_rows = int(series.starts[-1])
        check_values(type(self).__name__, vars(self), self._parameter_constraints)
        test_size = n_rows // (self.n_splits + 1) if self.test_size is None else self.test_size
        first = n_rows - self.n_splits * test_size
        if test_size < 1 or first - self.gap < 1 or first < self.context:
            raise ValueError(
                f"{n_rows} rows are too few for n_splits={self.n_splits}, test_size={test_size}, "
                f"gap={self.gap}, context={self.context}: the first scored row would be {first}."
            )
        rows = np.arange(n_rows)
        for start in range(first, n_rows, test_size):
            yield rows[: start - self.gap], rows[start - self.context : start + test_size]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        int
        """
        return self.n_splits


@checked(metric=[callable], washout=[positive_int(0)], greater_is_better=["boolean", None])
def make_washout_scorer(
    metric: Callable[..., float],
    washout: int,
    *,
    greater_is_better: bool | None = None,
    **kwargs: Any,
) -> Callable[..., float]:
    """Make a scorer that leaves the first rows of every series out of the score.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **kwargs) -> float``.
    washout : int
        Rows left out at the start of each series (series are known for lists, panels and
        MultiIndex frames; plain rows are one series).
    greater_is_better : bool, default=None
        None decides by scikit-learn's naming rule (``*_score`` up, ``*_error``, ``*_loss`` down)
        and knows the measures of this package.
    **kwargs
        Passed to `metric`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``: the metric, negated where smaller is better.

    Raises
    ------
    ValueError
        If the direction cannot be told, or (in use) if nothing is left after the washout.

    Examples
    --------
    >>> from filters.timeseries import make_washout_scorer, nrmse
    >>> scorer = make_washout_scorer(nrmse, washout=100)
    """
    return _WashoutScorer(metric, washout, _direction(metric, greater_is_better), kwargs)


class _WashoutScorer:
    """Picklable scorer; see `make_washout_scorer`."""

    def __init__(self, metric: Callable, washout: int, sign: int, kwargs: dict[str, Any]) -> None:
        self._metric, self._washout, self._sign, self._kwargs = metric, washout, sign, kwargs

    def __repr__(self) -> str:
        return f"make_washout_scorer({_name(self._metric)}, washout={self._washout})"

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        series = as_series(X)
        pred = np.asarray(series.align(estimator.predict(X), "y_pred"))
        true = np.asarray(series.align(y))
        keep = np.ones(true.shape[0], dtype=bool)
        for a, b in series.spans():
            keep[a : min(a + self._washout, b)] = False
        if not keep.any():
            raise ValueError(
                f"nothing is left to score: washout={self._washout}, the longest series has "
                f"{int(series.lengths.max())} rows."
            )
        return self._sign * float(self._metric(true[keep], pred[keep], **self._kwargs))


@checked(metric=[callable], greater_is_better=["boolean", None])
def make_forecast_scorer(
    metric: Callable[..., float] = nrmse,
    *,
    horizon: int,
    context: int,
    n_origins: int = 10,
    greater_is_better: bool | None = None,
) -> Callable[..., float]:
    """Make a scorer of free-running forecasts from rolling origins.

    From each of `n_origins` evenly spaced origins the model sees `context` rows and forecasts
    `horizon` steps; the metric compares all forecasts with the truth at once. Forecasts are
    clipped to the mean of `X` plus or minus 10 standard deviations, so that a diverged one scores
    badly but finitely.

    Parameters
    ----------
    metric : callable, default=nrmse
    horizon, context : int
        Steps forecast from and rows seen before each origin.
    n_origins : int, default=10
    greater_is_better : bool, default=None
        As in `make_washout_scorer`.

    Returns
    -------
    callable
        ``scorer(estimator, X, y=None)`` for anything with ``forecast(n_steps, context=)``.

    Raises
    ------
    ValueError
        In use, if `X` has NaN or infinity, or fewer than ``context + horizon`` rows.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.timeseries import make_forecast_scorer, mse
    >>> class Persistence:
    ...     def forecast(self, n_steps, context):
    ...         return np.repeat(context[-1:], n_steps, axis=0)
    >>> rising = np.arange(9.0)[:, np.newaxis]
    >>> make_forecast_scorer(mse, horizon=1, context=1)(Persistence(), rising)
    -1.0
    """
    return _ForecastScorer(
        metric, horizon, context, n_origins, _direction(metric, greater_is_better)
    )


class _ForecastScorer:
    """Picklable scorer; see `make_forecast_scorer`."""

    def __init__(
        self, metric: Callable, horizon: int, context: int, n_origins: int, sign: int
    ) -> None:
        check_windows(horizon, context, n_origins)
        self._metric, self._sign = metric, sign
        self._horizon, self._context, self._n_origins = horizon, context, n_origins

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        def forecast(origin: int, seen: Any) -> Any:
            return estimator.forecast(self._horizon, context=seen)

        runs = free_runs(
            forecast, X, horizon=self._horizon, context=self._context, n_origins=self._n_origins
        )
        _, true, pred = zip(*runs, strict=True)
        return self._sign * float(self._metric(np.concatenate(true), np.concatenate(pred)))


def free_runs(
    forecast: Callable[[int, Any], Any], X: Any, *, horizon: int, context: int, n_origins: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield ``(origin, truth, forecast)`` for evenly spaced origins, earliest first.

    Parameters
    ----------
    forecast : callable
        ``forecast(origin, seen) -> (horizon, n_features)`` from the `context` rows of `X` before
        row `origin`.
    X : array-like of shape (n_timesteps, n_features)
    horizon, context, n_origins : int
        As in `make_forecast_scorer`.

    Yields
    ------
    origin : int
        First row that is forecast.
    truth, forecast : ndarray of shape (horizon, n_features)
        The forecast clipped to the mean of `X` plus or minus 10 standard deviations.

    Raises
    ------
    ValueError
        For several series, NaN or infinity, or fewer than ``context + horizon`` rows.
    """
    check_windows(horizon, context, n_origins)
    if holds_series(X):
        raise ValueError("free runs are measured within one series; X holds several.")
    rows = real_columns(X, "X")
    check_finite(rows, name="X")
    last = rows.shape[0] - horizon
    if last < context:
        raise ValueError(
            f"a series of {rows.shape[0]} rows is too short for context={context} and "
            f"horizon={horizon}."
        )
    with np.errstate(over="ignore"):
        mean, spread = rows.mean(axis=0), 10 * rows.std(axis=0)
    if not np.isfinite(spread).all():
        raise ValueError("X is too large: the squares of its values overflow. Scale it down.")
    for origin in np.unique(np.linspace(context, last, n_origins).astype(int)).tolist():
        past = slice(origin - context, origin)
        try:
            free = forecast(origin, X.iloc[past] if hasattr(X, "iloc") else X[past])
            free = np.asarray(free, dtype=float)
        except DivergenceError:
            free = np.full((horizon, rows.shape[1]), np.inf)
        free = np.where(np.isnan(free), np.inf, free).reshape(horizon, -1)
        yield origin, rows[origin : origin + horizon], np.clip(free, mean - spread, mean + spread)


def check_windows(horizon: Any, context: Any, n_origins: Any) -> None:
    for name, value in (("horizon", horizon), ("context", context), ("n_origins", n_origins)):
        if isinstance(value, bool) or not isinstance(value, Integral) or not 0 < int(value) < 2**40:
            raise ValueError(f"{name} must be at least 1, an integer (below 2**40); got {value!r}.")


_SMALLER_IS_BETTER = ("mse", "nmse", "nrmse", "misalignment_db")
_GREATER_IS_BETTER = ("erle_db", "snr_db", "valid_prediction_time")


def _name(metric: Callable) -> str:
    return getattr(metric, "__name__", repr(metric))


def _direction(metric: Callable, greater_is_better: bool | None) -> int:
    if greater_is_better is not None:
        return 1 if greater_is_better else -1
    name = _name(metric)
    if name in _GREATER_IS_BETTER or name.endswith("_score"):
        return 1
    if name in _SMALLER_IS_BETTER or name.endswith(("_error", "_loss", "_deviance")):
        return -1
    raise ValueError(
        f"cannot tell from its name whether a greater {name!r} is better; pass "
        "greater_is_better=True or False."
    )
