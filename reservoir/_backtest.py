"""Free runs of a forecaster from rolling origins, each measured by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._numbers import as_numbers, real_columns
from filters.timeseries._sequences import holds_series
from filters.timeseries._splitting import check_windows, free_runs

_MAX_CONTEXT = 500  # rows shown to the model before each origin unless told, at most


def by_position(X: Any) -> Any:
    """One series numbered from 0: free runs are compared by position, whatever the index."""
    if holds_series(X):
        raise ValueError("free runs are measured within one series; X holds several.")
    is_pandas = isinstance(X, pd.DataFrame | pd.Series)
    if is_pandas:
        return X.reset_index(drop=True)
    rows = as_numbers(X, "X")
    if rows.ndim == 0:
        raise ValueError(f"X must be a series (n_timesteps, n_features); got the scalar {rows}.")
    return rows


def context_for(n_rows: int, horizon: int) -> int:
    """Rows seen before each origin unless told: half of what the horizon leaves."""
    return max(1, min((n_rows - horizon) // 2, _MAX_CONTEXT))


def run_from_origins(
    forecaster: Any,
    X: Any,
    *,
    horizon: int,
    n_origins: int,
    context: int | None,
    metric: Callable[..., float],
    exog: Any,
    refit: bool,
) -> pd.DataFrame:
    """See `ESNForecaster.backtest`."""
    rows = by_position(X)
    check_windows(horizon, 1 if context is None else context, n_origins)
    extra = None if exog is None else real_columns(exog, "exog")
    if extra is not None and len(extra) != len(rows):
        raise ValueError(f"exog has {len(extra)} rows, X {len(rows)}: give one beside each.")
    if not refit:
        check_is_fitted(forecaster)

    def forecast(origin: int, seen: Any) -> Any:
        model = forecaster
        if refit:
            before = None if extra is None else extra[:origin]
            model = clone(forecaster).fit(rows[:origin], exog=before)
        beside = None if extra is None else extra[origin - len(seen) : origin + horizon]
        return model.forecast(horizon, context=seen, exog=beside)

    name = getattr(metric, "__name__", "metric")
    origins, measured = [], []
    n_seen = context_for(len(rows), horizon) if context is None else context
    runs = free_runs(forecast, rows, horizon=horizon, context=n_seen, n_origins=n_origins)
    for origin, true, pred in runs:
        if not callable(metric):
            raise TypeError(f"metric must be callable, metric(y_true, y_pred); got {metric!r}.")
        try:
            value = float(metric(true, pred))
        except (ValueError, TypeError) as error:
            raise ValueError(f"metric {name} of the run from row {origin}: {error}") from error
        origins.append(origin)
        measured.append([value, *np.sqrt(np.mean((pred - true) ** 2, axis=1))])
    labels = X.index[origins] if hasattr(X, "iloc") else pd.Index(origins)
    columns = [name, *(f"step_{k + 1}" for k in range(horizon))]
    return pd.DataFrame(measured, index=labels.rename("origin"), columns=columns)
