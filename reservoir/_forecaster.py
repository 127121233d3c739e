"""ESNForecaster: a series predicts its own next values."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.base import clone

from filters.timeseries._sklearn_private import HasMethods

from ._esn import ESNRegressor
from ._free_run import FreeRunner
from ._series_forecaster import SeriesForecaster


def default_network() -> ESNRegressor:
    """What `ESNForecaster` takes where it is given no estimator."""
    return ESNRegressor(
        200, leak_rate=0.5, input_scaling=0.3, bias_scaling=0.5, alpha=1e-2, random_state=0
    )


class ESNForecaster(SeriesForecaster):
    """Forecast a series (one or several columns) by running an echo state network freely.

    Parameters
    ----------
    estimator : MemoryRegressor or RNNRegressor, default=None
        Learns x(t+1) from the rows up to t; cloned. None takes ``ESNRegressor(200, leak_rate=0.5,
        input_scaling=0.3, bias_scaling=0.5, alpha=1e-2, random_state=0)``, a compromise between
        sunspots, Mackey-Glass and Lorenz found on validation parts.
    transformer : transformer or "passthrough", default=None
        Scales the series before the network sees it (needs ``inverse_transform``); None takes
        ``StandardScaler()``.
    difference : bool, default=False
        Model the differences x(t) - x(t-1) and sum the forecasts up again: for series with a trend.
    horizon : int, default=1
        Steps of the free runs that `score` measures.

    Attributes
    ----------
    estimator_ : estimator
    transformer_ : transformer or None
    n_features_in_ : int
        Columns of the series.

    Raises
    ------
    ValueError
        For series of fewer than two rows, NaN or infinity, or an index that cannot be continued.
    DivergenceError
        From `forecast`, if the loop leaves the finite numbers.

    Notes
    -----
    pandas in gives pandas out, on the index continued. Exogenous columns are known in advance: the
    prediction of x(t+1) sees exog(t+1).

    Examples
    --------
    >>> from reservoir import ESNForecaster
    >>> from reservoir.datasets import load_sunspots
    >>> ESNForecaster().fit(load_sunspots(as_frame=True)).forecast(3).index.year.tolist()
    [2009, 2010, 2011]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict", "forecast"]), None],
        **SeriesForecaster._parameter_constraints,
    }

    def __init__(
        self,
        estimator: FreeRunner | None = None,
        *,
        transformer: Any = None,
        difference: bool = False,
        horizon: int = 1,
    ) -> None:
        self.estimator = estimator
        self.transformer = transformer
        self.difference = difference
        self.horizon = horizon

    def _new_estimator(self) -> Any:
        return default_network() if self.estimator is None else clone(self.estimator)
