"""Rolling origins: every run is a forecast from its context, and nothing is seen too early."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from filters import TapDelay
from filters.timeseries import make_forecast_scorer, mse, nrmse, valid_prediction_time
from reservoir import ESNForecaster, ESNRegressor, MemoryRegressor
from reservoir.datasets import lorenz

NET = ESNRegressor(30, leak_rate=0.5, bias_scaling=0.5, alpha=1e-4, random_state=0)
DAYS = pd.date_range("2020-02-01", periods=160, freq="D", name="day")
UNEVEN = pd.Index(np.cumsum(np.random.RandomState(0).randint(1, 9, 160)))


def waves(n=160, n_features=2):
    t = np.arange(n)[:, None]
    clean = 5 + np.sin(t * np.array([0.2, 0.31, 0.07])[:n_features]) + 0.3 * np.cos(0.11 * t)
    return clean + 0.02 * np.random.RandomState(1).randn(n, n_features)


def origins_of(n_rows, horizon, context, n_origins):
    return np.unique(np.linspace(context, n_rows - horizon, n_origins).astype(int))


@pytest.mark.parametrize("index", [None, DAYS, UNEVEN], ids=["array", "days", "uneven"])
def test_every_run_is_a_forecast_from_its_context(index):
    values = waves()
    X = values if index is None else pd.DataFrame(values, index=index, columns=["u", "v"])
    model = ESNForecaster(NET).fit(X[:100])
    runs = model.backtest(X, horizon=6, n_origins=4, context=30)
    plain, starts = ESNForecaster(NET).fit(values[:100]), origins_of(160, 6, 30, 4)
    assert runs.index.name == "origin"
    assert list(runs.index) == list(starts if index is None else index[starts])
    assert list(runs.columns) == ["nrmse", *(f"step_{k}" for k in range(1, 7))]
    for start, (_, row) in zip(starts, runs.iterrows(), strict=True):
        true, free = (
            values[start : start + 6],
            plain.forecast(6, context=values[start - 30 : start]),
        )
        np.testing.assert_allclose(row["nrmse"], nrmse(true, free), rtol=1e-9)
        expected = np.sqrt(((true - free) ** 2).mean(axis=1))
        np.testing.assert_allclose(row.iloc[1:].to_numpy(float), expected, rtol=1e-9)


def test_a_series_keeps_its_index_and_steps_are_absolute_errors():
    X = pd.Series(waves(n_features=1)[:, 0], index=DAYS, name="load")
    model = ESNForecaster(NET).fit(X.iloc[:100])
    runs = model.backtest(X, horizon=1, n_origins=5, context=40, metric=mse)
    assert isinstance(runs.index, pd.DatetimeIndex)
    for label, row in runs.iterrows():
        seen = X[X.index < label].iloc[-40:]
        error = X[label] - model.forecast(1, context=seen).iloc[0]
        np.testing.assert_allclose(row["step_1"], abs(error), rtol=1e-9)
        np.testing.assert_allclose(row["mse"], error**2, rtol=1e-9)


def test_the_mean_over_origins_is_the_score():
    X = waves()
    model = ESNForecaster(NET).fit(X[:100])
    runs = model.backtest(X, horizon=8, n_origins=6, context=25, metric=mse)
    score = make_forecast_scorer(mse, horizon=8, context=25, n_origins=6)(model, X)
    np.testing.assert_allclose(runs["mse"].mean(), -score, rtol=1e-12)
    steps = runs.filter(like="step_").to_numpy()
    np.testing.assert_allclose((steps**2).mean(axis=1), runs["mse"], rtol=1e-12)


@pytest.mark.parametrize("difference", [False, True])
def test_with_refit_every_model_knows_the_rows_before_its_origin(difference):
    X, exog = waves(n_features=1), waves()[:, 1:]
    forecaster = ESNForecaster(NET, difference=difference)  # it need not be fitted itself
    runs = forecaster.backtest(X, horizon=5, n_origins=3, context=60, exog=exog, refit=True)
    assert not hasattr(forecaster, "estimator_")
    for start, row in runs.iterrows():
        model = clone(forecaster).fit(X[:start], exog=exog[:start])
        known = exog[start - 60 : start + 5]
        free = model.forecast(5, context=X[start - 60 : start], exog=known)
        np.testing.assert_allclose(row["nrmse"], nrmse(X[start : start + 5], free), rtol=1e-9)


def test_the_model_itself_stays_as_it_was():
    X = waves()
    model = ESNForecaster(NET).fit(X[:100])
    before = model.forecast(10)
    first = model.backtest(X, horizon=5)
    model.backtest(X, horizon=5, refit=True)
    np.testing.assert_array_equal(model.forecast(10), before)
    pd.testing.assert_frame_equal(model.backtest(X, horizon=5), first)


@pytest.mark.parametrize("refit", [False, True])
def test_what_comes_after_a_run_does_not_change_it(refit):
    X = waves()
    model = ESNForecaster(NET).fit(X[:100])
    options = {"horizon": 10, "n_origins": 4, "context": 60, "refit": refit}
    runs = model.backtest(X, **options)
    later = X.copy()
    later[110:] += 0.5  # origins 60, 90, 120, 150: two runs end before row 110
    changed = model.backtest(later, **options)
    assert list(runs.index) == [60, 90, 120, 150]
    pd.testing.assert_frame_equal(changed.iloc[:2], runs.iloc[:2])
    assert np.abs(changed.to_numpy()[2:] - runs.to_numpy()[2:]).min() > 1e-6


def test_valid_prediction_times_of_a_chaotic_series():
    X = lorenz(1500, random_state=0)
    vpt = partial(valid_prediction_time, scale=X.std(axis=0))
    net = ESNRegressor(200, input_scaling=0.3, bias_scaling=0.5, alpha=1e-6, random_state=0)
    model = ESNForecaster(net).fit(X[:1000])
    runs = model.backtest(X[1000:], horizon=80, n_origins=5, context=100, metric=vpt)
    for start, row in runs.iterrows():
        past, true = X[900 + start : 1000 + start], X[1000 + start : 1080 + start]
        free = model.forecast(80, context=past)
        assert row["metric"] == vpt(true, free)
    assert runs["metric"].median() > 20


def test_without_a_context_half_the_rows_are_shown():
    X = waves()
    model = ESNForecaster(NET).fit(X[:100])
    told = model.backtest(X, horizon=10, context=75)
    pd.testing.assert_frame_equal(model.backtest(X, horizon=10), told)


@pytest.mark.parametrize("horizon", [20, 800])  # 3^20 is far away, 3^800 no number
def test_a_diverged_run_counts_badly_but_finitely(horizon):
    tripling = MemoryRegressor(TapDelay(1), alpha=0.0, fit_intercept=False)
    model = ESNForecaster(tripling, transformer="passthrough").fit(3.0 ** np.arange(8)[:, None])
    X = np.sin(np.arange(1000.0))[:, None]
    runs = model.backtest(X, horizon=horizon, n_origins=3, context=5)
    assert np.isfinite(runs.to_numpy()).all()
    assert runs["nrmse"].min() > 5
    assert runs.iloc[:, 1:].max().max() < 10 * X.std() + 1.1  # 10 standard deviations and X itself


@pytest.mark.parametrize("several", [[waves(50), waves(50)], waves().reshape(4, 40, 2)])
def test_several_series_are_refused(several):
    model = ESNForecaster(NET).fit(waves())
    with pytest.raises(ValueError, match="one series"):
        model.backtest(several, horizon=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon must be at least 1"),
        ({"horizon": 2.0}, "horizon must be at least 1, an integer"),
        ({"horizon": 3, "context": 0}, "context must be at least 1"),
        ({"horizon": 3, "n_origins": True}, "n_origins must be at least 1"),
        ({"horizon": 100, "context": 100}, "too short for context=100 and horizon=100"),
        ({"horizon": 3, "exog": np.zeros((3, 1))}, "exog has 3 rows, X 160"),
        ({"horizon": 1}, "nrmse of the run from row 79: y_true is constant"),
    ],
)
def test_what_cannot_be_run_says_why(options, message):
    model = ESNForecaster(NET).fit(waves())
    with pytest.raises(ValueError, match=message):
        model.backtest(waves(), **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_rows_are_refused_wherever_they_are(bad):
    X = waves()
    model = ESNForecaster(NET).fit(X)
    X[158, 1] = bad
    with pytest.raises(ValueError, match=r"row 158, column 1"):
        model.backtest(X, horizon=3, metric=lambda true, pred: 0.0)
    with pytest.raises(Exception, match="not fitted"):
        ESNForecaster(NET).backtest(waves(), horizon=3)
