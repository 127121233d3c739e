"""SeriesForecaster: a series predicts its own next values, whatever model learns the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from filters.timeseries import make_forecast_scorer, nrmse
from filters.timeseries._numbers import real_columns
from filters.timeseries._sequences import Stacked
from filters.timeseries._sklearn_private import (
    HasMethods,
    StrOptions,
    positive_int,
    validate_parameters,
)
from filters.timeseries._validation import check_finite, check_series

from ._backtest import by_position, context_for, run_from_origins
from ._free_run import check_steps
from ._index import continue_index, plain_index, restored_index


class SeriesForecaster(BaseEstimator):
    """Base of the forecasters: from the caller's series to a regressor's and back.

    A subclass makes the regressor (`_new_estimator`), a `FreeRunner`, and has the constructor
    parameters `transformer`, `difference` and `horizon`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "transformer": [HasMethods(["fit", "transform"]), StrOptions({"passthrough"}), None],
        "difference": ["boolean"],
        "horizon": [positive_int()],
    }
    transformer: Any
    difference: bool
    horizon: int

    def _new_estimator(self) -> Any:
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, *, exog: Any = None, groups: Any = None) -> Self:
        """Learn to predict every row from the rows before it.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), Series, list, panel or MultiIndex frame
            The series itself.
        y : ignored
        exog : array-like of shape (n_timesteps, n_exog), default=None
            Columns known in advance, row for row beside one series `X`.
        groups : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a series of fewer than two rows, NaN or infinity, and `exog` that has not a row for
            every row of one series `X`.
        """
        validate_parameters(self)
        data = check_series(self, _as_frame(X), reset=True, groups=groups)
        stacked = data.stacked
        if int(stacked.lengths.min()) < 2:
            raise ValueError(
                "a series needs at least two rows to learn the second from the first; got "
                f"n_samples={int(stacked.lengths.min())} in one of them."
            )
        extra = self._check_exog(exog, stacked, stacked.starts[-1], reset=True)
        self._remember_form(X)
        steps = self._differences(data.rows, stacked)
        self.transformer_ = self._new_transformer()
        if self.transformer_ is not None:
            self.transformer_.fit(steps)
        scaled = self._scale(steps)
        inputs, targets = [], []
        for a, b in stacked.spans():
            inputs.append(np.concatenate([scaled[a : b - 1], extra[a + 1 : b]], axis=1))
            targets.append(scaled[a + 1 : b])
        self.estimator_ = self._new_estimator()
        self.estimator_.fit(inputs, targets)
        # Copies: a view would keep the whole series alive.
        self._last_row, self._last_level = scaled[-1:].copy(), data.rows[-1].copy()
        return self

    def forecast(self, n_steps: int, *, context: Any = None, exog: Any = None) -> Any:
        """Predict the next `n_steps` rows, each prediction being the next input.

        Parameters
        ----------
        n_steps : int
        context : array-like of shape (n_timesteps, n_features), Series, list or panel, default=None
            Rows to go on from (several series run one by one); None goes on from the last row of
            the last training series.
        exog : array-like, default=None
            Known future columns: ``(n_steps, n_exog)``, or with one `context`
            ``(len(context) + n_steps, n_exog)``.

        Returns
        -------
        array of shape (n_steps, n_features), or pandas on the continued index, or a list
            Element 0 is the first row after the context.

        Raises
        ------
        ValueError
            Where `exog` is missing, has another number of rows or columns than are needed, or comes
            with several series.
        """
        check_is_fitted(self, "estimator_")
        n_steps = check_steps(n_steps)
        if context is None:
            extra = self._check_exog(exog, None, n_steps)
            state = self.estimator_._end_answer()[1]
            row = np.concatenate([self._last_row, extra[:1]], axis=1)
            free = self._run(row, state[np.newaxis], n_steps, extra[1:])
            return self._label(self._levels(free, self._last_level), self._form[1])
        frame = _as_frame(context)
        data = check_series(self, frame, reset=False)
        stacked = data.stacked
        if exog is not None and stacked.n_series > 1:
            raise ValueError("exog goes with one context series at a time.")
        extra = self._check_exog(exog, stacked, int(stacked.starts[-1]) + n_steps)
        steps = self._scale(self._differences(data.rows, stacked))
        runs = []
        for a, b in stacked.spans():
            rows = np.concatenate([steps[a:b], extra[1 : b - a + 1]], axis=1)
            free = self._run(rows, None, n_steps, extra[b - a + 1 :])
            runs.append(self._levels(free, data.rows[b - 1]))
        if not stacked.bounded:
            return self._label(runs[0], _index_of(context))
        return np.stack(runs) if stacked.container == "panel" else runs

    def predict(self, X: Any, *, exog: Any = None, groups: Any = None) -> Any:
        """Predict one step ahead all along a series.

        Parameters
        ----------
        X, groups
            As in `fit`.
        exog : array-like of shape (n_timesteps + 1, n_exog), default=None

        Returns
        -------
        container of X
            Row t is the prediction of ``X[t + 1]`` made at t; a pandas index moves on by
            one step (a MultiIndex stays as it is).
        """
        check_is_fitted(self, "estimator_")
        data = check_series(self, _as_frame(X), reset=False, groups=groups)
        stacked = data.stacked
        extra = self._check_exog(exog, stacked, int(stacked.starts[-1]) + 1)
        scaled = self._scale(self._differences(data.rows, stacked))
        parts = []
        for a, b in stacked.spans():
            rows = np.concatenate([scaled[a:b], extra[1 : b - a + 1]], axis=1)
            ahead = self._unscale(np.asarray(self.estimator_.predict(rows)).reshape(b - a, -1))
            parts.append(data.rows[a:b] + ahead if self.difference else ahead)
        values = np.concatenate(parts).astype(data.rows.dtype, copy=False)
        index = _index_of(X)
        if stacked.bounded or index is None:
            return stacked.restore(values, columns=self._form[2])
        return self._label(values, index, moved=True)

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the NRMSE of free runs of `horizon` steps from 10 rolling origins in `X`.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features)
        y : ignored

        Returns
        -------
        float
            0 is perfect, -1 as good as the mean; see `filters.timeseries.make_forecast_scorer`.

        Raises
        ------
        ValueError
            For several series or one that is too short.
        """
        rows = by_position(X)
        context = context_for(len(rows), self.horizon)
        return make_forecast_scorer(nrmse, horizon=self.horizon, context=context)(self, rows)

    def backtest(
        self,
        X: Any,
        *,
        horizon: int,
        n_origins: int = 10,
        context: int | None = None,
        metric: Callable[..., float] = nrmse,
        exog: Any = None,
        refit: bool = False,
    ) -> pd.DataFrame:
        """Forecast freely from rolling origins in `X` and measure every run.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), Series or DataFrame
        horizon : int
            Steps of each free run.
        n_origins : int, default=10
            Evenly spaced; fewer where the rows do not allow as many.
        context : int, default=None
            Rows that the network is driven through before each origin, from a zero state; None
            takes half of what `horizon` leaves, 500 at most.
        metric : callable, default=nrmse
            ``metric(y_true, y_pred) -> float`` of one run. `nrmse` divides by the standard
            deviation of the true rows of that run, so it needs more than one step.
        exog : array-like of shape (n_timesteps, n_exog), default=None
            Known columns, row for row beside `X`.
        refit : bool, default=False
            Whether to fit a clone on all rows of `X` before each origin; False takes the model as
            it was fitted.

        Returns
        -------
        DataFrame, one row an origin
            Its index is the label (of an array: the number) of the first row that is forecast.
            Columns: the metric under its name ("metric" where it has none), then ``step_1``, ...,
            ``step_<horizon>``: root mean square over the columns of the error of that step.

        Raises
        ------
        ValueError
            For several series, one that is too short, or a metric that is not defined for a run.

        Notes
        -----
        Forecasts are clipped as by `filters.timeseries.make_forecast_scorer`, so that a diverged
        one counts badly but finitely.

        Examples
        --------
        >>> from functools import partial
        >>> from filters.timeseries import valid_prediction_time
        >>> from reservoir import ESNForecaster
        >>> from reservoir.datasets import lorenz
        >>> X = lorenz(3000, random_state=0)
        >>> vpt = partial(valid_prediction_time, scale=X.std(axis=0))
        >>> runs = ESNForecaster().fit(X[:2000]).backtest(X[2000:], horizon=100, metric=vpt)
        >>> bool(runs["metric"].median() > 10)
        True
        """
        return run_from_origins(
            self,
            X,
            horizon=horizon,
            n_origins=n_origins,
            context=context,
            metric=metric,
            exog=exog,
            refit=refit,
        )

    # ---- between the caller's series and the estimator's --------------------------------------

    def _run(
        self, rows: np.ndarray, states: np.ndarray | None, n_steps: int, exog: np.ndarray
    ) -> np.ndarray:
        outputs, states, _ = self.estimator_._answer(rows, None, states)
        free = self.estimator_._free_run(
            outputs[-1], states[0], n_steps, exog[: n_steps - 1].astype(outputs.dtype)
        )
        return self._unscale(free.reshape(n_steps, -1))

    def _new_transformer(self) -> Any:
        if isinstance(self.transformer, str):
            return None
        return StandardScaler() if self.transformer is None else clone(self.transformer)

    def _scale(self, rows: np.ndarray) -> np.ndarray:
        if self.transformer_ is None:
            return rows
        with np.errstate(over="ignore", invalid="ignore"):  # of a sum that only looks for NaN
            return np.asarray(self.transformer_.transform(rows)).astype(rows.dtype, copy=False)

    def _unscale(self, rows: np.ndarray) -> np.ndarray:
        if self.transformer_ is None:
            return rows
        return np.asarray(self.transformer_.inverse_transform(rows))

    def _differences(self, rows: np.ndarray, stacked: Stacked) -> np.ndarray:
        """x(t) - x(t-1) within each series (0 in its first row), or the rows as they are."""
        if not self.difference:
            return rows
        steps = np.diff(rows, axis=0, prepend=rows[:1])
        steps[stacked.starts[:-1]] = 0.0
        return steps

    def _levels(self, free: np.ndarray, last: np.ndarray) -> np.ndarray:
        levels = last + np.cumsum(free, axis=0) if self.difference else free
        return levels.astype(last.dtype, copy=False)

    def _check_exog(
        self, exog: Any, stacked: Stacked | None, n_rows: int, reset: bool = False
    ) -> np.ndarray:
        if reset:
            self._n_exog = 0
        if exog is None:
            if self._n_exog:
                raise ValueError(
                    f"the forecaster was fitted with {self._n_exog} exogenous column(s): pass exog."
                )
            return np.empty((n_rows, 0), dtype=np.float32)  # float32 series stay float32
        if stacked is not None and stacked.n_series > 1:
            raise ValueError("exog goes with one series; put more series' columns into X instead.")
        rows = real_columns(exog, "exog")
        check_finite(rows, name="exog")
        if rows.shape[0] != n_rows or (not reset and rows.shape[1] != self._n_exog):
            width = "n_exog" if reset else self._n_exog
            raise ValueError(f"exog must have shape ({n_rows}, {width}) here, got {rows.shape}.")
        if reset:
            self._n_exog = rows.shape[1]
        return rows

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_form" in state:
            kind, index, names = state["_form"]
            state["_form"] = kind, plain_index(index), names
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_form" in state:
            kind, index, names = state["_form"]
            state = state | {"_form": (kind, restored_index(index), names)}
        super().__setstate__(state)

    def _remember_form(self, X: Any) -> None:
        index = _index_of(X)
        kind = "series" if isinstance(X, pd.Series) else "frame" if index is not None else "array"
        names = [X.name] if kind == "series" else list(getattr(X, "columns", [])) or None
        self._form: tuple[str, Any, Any] = (
            kind,
            None if isinstance(index, pd.MultiIndex) else index,
            names,
        )

    def _label(self, values: np.ndarray, index: Any, moved: bool = False) -> Any:
        kind, _, names = self._form
        if kind == "array" or index is None:
            return values
        if moved:
            labels = index[1:].append(continue_index(index, 1))
        else:
            labels = continue_index(index, values.shape[0])
        if kind == "series":
            return pd.Series(values[:, 0], index=labels, name=names[0])
        return pd.DataFrame(values, index=labels, columns=names)


def _index_of(X: Any) -> pd.Index | None:
    return X.index if isinstance(X, pd.DataFrame | pd.Series) else None


def _as_frame(X: Any) -> Any:
    return X.to_frame() if isinstance(X, pd.Series) else X
