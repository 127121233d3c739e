"""ESNForecaster: pandas in and out, exogenous columns, trends, transformers, scores."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from filters import TapDelay
from filters.timeseries import WarmTimeSeriesSplit, nrmse
from reservoir import ESNForecaster, ESNRegressor, MemoryRegressor
from reservoir._index import continue_index
from reservoir.datasets import load_sunspots

NET = ESNRegressor(40, leak_rate=0.5, bias_scaling=0.5, alpha=1e-6, random_state=0)


def waves(n=240, n_features=1):
    t = np.arange(n)[:, None]
    return 5 + np.sin(t * np.array([0.2, 0.31, 0.07])[:n_features]) + 0.3 * np.cos(0.11 * t)


def forecaster(**parameters):
    return ESNForecaster(NET, **parameters)


INDEXES = {
    "yearly": pd.date_range("1700", periods=240, freq="YS"),
    "daily": pd.date_range("2020-02-01", periods=240, freq="D", name="day"),
    "month ends": pd.date_range("2001-01-31", periods=240, freq="ME"),
    "business days": pd.date_range("2024-01-01", periods=240, freq="B"),
    "with time zone": pd.date_range("2024-03-20", periods=240, freq="D", tz="Europe/Berlin"),
    "ten minutes": pd.date_range("2024-01-01", periods=240, freq="10min"),
    "durations": pd.timedelta_range("0s", periods=240, freq="250ms"),
    "periods": pd.period_range("1999Q1", periods=240, freq="Q"),
    "numbers": pd.RangeIndex(240),
    "every third": pd.RangeIndex(10, 730, 3, name="k"),
    "backwards": pd.RangeIndex(480, 0, -2),
    "seconds": pd.Index(np.arange(240) * 0.01),
}
# Longer by a few labels than the data: what the continued index must be.
LONGER = {
    "yearly": pd.date_range("1700", periods=246, freq="YS"),
    "daily": pd.date_range("2020-02-01", periods=246, freq="D", name="day"),
    "month ends": pd.date_range("2001-01-31", periods=246, freq="ME"),
    "business days": pd.date_range("2024-01-01", periods=246, freq="B"),
    "with time zone": pd.date_range("2024-03-20", periods=246, freq="D", tz="Europe/Berlin"),
    "ten minutes": pd.date_range("2024-01-01", periods=246, freq="10min"),
    "durations": pd.timedelta_range("0s", periods=246, freq="250ms"),
    "periods": pd.period_range("1999Q1", periods=246, freq="Q"),
    "numbers": pd.RangeIndex(246),
    "every third": pd.RangeIndex(10, 748, 3, name="k"),
    "backwards": pd.RangeIndex(480, -12, -2),
    "seconds": pd.Index(np.arange(246) * 0.01),
}


# ---- index ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", INDEXES)
@pytest.mark.parametrize("stored_frequency", [True, False])
def test_the_index_is_continued(kind, stored_frequency):
    index = INDEXES[kind]
    if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) and not stored_frequency:
        index = type(index)(index, freq=None)  # to be inferred
    expected = LONGER[kind][240:]
    X = waves()[:, 0]
    series = pd.Series(X, index=index, name="level")
    model = forecaster().fit(series)
    answer = model.forecast(6)
    assert isinstance(answer, pd.Series)
    assert answer.name == "level"
    assert answer.index.name == index.name
    rounded = {"exact": "equiv", "check_exact": kind != "seconds"}
    pd.testing.assert_index_equal(answer.index, expected, **rounded)
    ahead = model.predict(series)
    assert ahead.shape == (240,)
    np.testing.assert_array_equal(ahead.index[:-1], index[1:])
    assert ahead.index[-1] == answer.index[0]


def test_frames_keep_their_columns_and_arrays_stay_arrays():
    X = waves(n_features=3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"], index=INDEXES["daily"])
    model = forecaster().fit(frame)
    answer, ahead = model.forecast(6), model.predict(frame)
    assert list(answer.columns) == list(ahead.columns) == ["a", "b", "c"]
    plain = forecaster().fit(X)
    np.testing.assert_array_equal(plain.forecast(6), answer.to_numpy())
    np.testing.assert_array_equal(plain.predict(X), ahead.to_numpy())
    assert isinstance(plain.forecast(6), np.ndarray)
    single = forecaster().fit(frame[["a"]]).forecast(2)
    assert isinstance(single, pd.DataFrame)


def test_a_context_continues_its_own_index():
    series = pd.Series(waves()[:, 0], index=INDEXES["daily"])
    model = forecaster().fit(series.iloc[:200])
    answer = model.forecast(5, context=series.iloc[150:180])
    pd.testing.assert_index_equal(answer.index, series.index[180:185], exact="equiv")
    frame = model.forecast(5, context=series.iloc[150:180].to_numpy()[:, None])
    assert isinstance(frame, np.ndarray)


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
@pytest.mark.parametrize(
    "index",
    [
        pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-05", "2020-01-06"]),
        pd.DatetimeIndex(["2020-01-01", "2020-01-02"]),  # two dates have many frequencies
        pd.Index([0.0, 1.0, 2.0, 4.0]),
        pd.Index([3, 3, 3, 3]),
        pd.Index([0.0, 1e-9, 5e-9, 6e-9]),
        pd.Index(list("abcd")),
        pd.Index([5]),
    ],
)
def test_an_index_without_a_step_is_refused(index):
    with pytest.raises(ValueError, match=r"no regular step.*asfreq"):
        continue_index(index, 2)
    if len(index) > 2:
        series = pd.Series(np.arange(float(len(index))), index=index)
        model = forecaster().fit(series)
        with pytest.raises(ValueError, match="no regular step"):
            model.forecast(2)
        with pytest.raises(ValueError, match="no regular step"):
            model.predict(series)


def test_large_labels_may_be_rounded():
    seconds = pd.Index(1.7e9 + 0.1 * np.arange(50))
    answer = continue_index(seconds, 1000)
    np.testing.assert_allclose(answer, 1.7e9 + 0.1 * np.arange(50, 1050), rtol=0, atol=1e-5)
    nanoseconds = continue_index(pd.Index(10**18 + 1001 * np.arange(50)), 2)
    assert nanoseconds.tolist() == [10**18 + 1001 * 50, 10**18 + 1001 * 51]


# ---- numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("difference", [False, True])
def test_predict_is_the_estimator_one_row_ahead(n_features, difference):
    X = waves(n_features=n_features)
    model = forecaster(difference=difference).fit(X)
    steps = np.diff(X, axis=0, prepend=X[:1]) if difference else X
    scaler = StandardScaler().fit(steps)
    Z = scaler.transform(steps)
    net = clone(NET).fit(Z[:-1], Z[1:])
    ahead = scaler.inverse_transform(net.predict(Z))
    expected = X + ahead if difference else ahead
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)
    assert nrmse(X[51:], model.predict(X)[50:-1]) < 0.02  # row t is about x(t + 1)
    free = scaler.inverse_transform(net.forecast(9, context=Z))
    expected = X[-1] + np.cumsum(free, axis=0) if difference else free
    np.testing.assert_allclose(model.forecast(9, context=X), expected, rtol=1e-9)
    np.testing.assert_allclose(model.forecast(9)[0], model.predict(X)[-1], rtol=1e-9)


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("transformer", [None, "passthrough", MinMaxScaler()])
@pytest.mark.parametrize("estimator", [NET, MemoryRegressor(TapDelay(9), alpha=1e-8)])
def test_with_the_training_series_as_context_nothing_changes(estimator, transformer, difference):
    X = waves(n_features=2)
    model = ESNForecaster(estimator, transformer=transformer, difference=difference).fit(X)
    expected = model.forecast(12)
    np.testing.assert_allclose(model.forecast(12, context=X), expected, rtol=1e-6)
    np.testing.assert_array_equal(model.forecast(12), expected)
    np.testing.assert_array_equal(model.forecast(5), expected[:5])


@pytest.mark.filterwarnings("ignore:.*saturated:UserWarning")  # the series is not scaled
def test_scaling_is_undone():
    X = waves()
    plain = forecaster().fit(X)
    moved = forecaster().fit(1000 * X - 7)
    np.testing.assert_allclose(moved.forecast(20), 1000 * plain.forecast(20) - 7, rtol=1e-6)
    assert plain.transformer_.mean_ == pytest.approx(X.mean())
    bare = forecaster(transformer="passthrough").fit(X)
    assert bare.transformer_ is None
    by_hand = clone(NET).fit(X[:-1], X[1:])
    np.testing.assert_allclose(bare.forecast(5), by_hand.forecast(5, context=X), rtol=1e-9)
    given = StandardScaler(with_mean=False)
    forecaster(transformer=given).fit(X)
    assert not hasattr(given, "scale_")


def test_a_trend_goes_on_with_differences():
    t = np.arange(300.0)
    X = (0.5 * t + np.sin(0.2 * t))[:, None]
    model = forecaster(difference=True).fit(X[:200])
    error = np.abs(model.forecast(100)[:, 0] - X[200:, 0])
    assert error.max() < 3  # the level rises by 50 meanwhile
    without = forecaster().fit(X[:200]).forecast(100)[:, 0]
    assert np.abs(without - X[200:, 0]).max() > 10
    line = forecaster(difference=True).fit(t[:200, None]).forecast(50)[:, 0]
    np.testing.assert_allclose(line, t[200:250], rtol=1e-3)


def test_what_depends_on_known_columns_only_is_forecast():
    rng = np.random.RandomState(0)
    exog = rng.uniform(-1, 1, (400, 2))
    X = (3 + exog[:, :1] - 2 * exog[:, 1:]).round(12)
    net = ESNRegressor(30, bias_scaling=0.3, alpha=1e-9, random_state=0)
    model = ESNForecaster(net).fit(X[:300], exog=exog[:300])
    free = model.forecast(100, exog=exog[300:])
    np.testing.assert_allclose(free, X[300:], rtol=0, atol=1e-3)
    warm = model.forecast(50, context=X[:300], exog=exog[:350])
    np.testing.assert_allclose(warm, free[:50], rtol=1e-6)
    ahead = model.predict(X[:300], exog=exog[:301])
    np.testing.assert_allclose(ahead, X[1:301], rtol=0, atol=1e-2)
    flat = ESNForecaster(net).fit(X[:300], exog=pd.Series(exog[:300, 0]))
    assert flat.forecast(3, exog=exog[300:303, 0]).shape == (3, 1)


def test_known_columns_that_do_not_fit_are_refused():
    X, exog = waves(), np.zeros((240, 2))
    model = forecaster().fit(X, exog=exog)
    with pytest.raises(ValueError, match=r"fitted with 2 exogenous column\(s\): pass exog"):
        model.forecast(3)
    with pytest.raises(ValueError, match="pass exog"):
        model.predict(X)
    with pytest.raises(ValueError, match=r"shape \(3, 2\) here, got \(2, 2\)"):
        model.forecast(3, exog=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"shape \(3, 2\) here, got \(3, 1\)"):
        model.forecast(3, exog=np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"shape \(243, 2\) here, got \(3, 2\)"):
        model.forecast(3, context=X, exog=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="exog contains NaN"):
        model.forecast(3, exog=np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match=r"\(240, n_exog\)"):
        forecaster().fit(X, exog=exog[:-1])
    with pytest.raises(ValueError, match="one series"):
        forecaster().fit([X, X], exog=exog)
    with pytest.raises(ValueError, match="one context"):
        model.forecast(3, context=[X, X], exog=exog)
    with pytest.raises(ValueError, match="exog"):
        forecaster().fit(X).forecast(3, exog=np.zeros((3, 1)))
    again = model.fit(X)  # forgets the columns
    assert again.forecast(3).shape == (3, 1)


def test_sunspots_are_forecast_better_than_by_their_mean():
    series = load_sunspots(as_frame=True)
    train, test = series[:-22], series[-22:]
    answer = ESNForecaster().fit(train).forecast(11)
    pd.testing.assert_index_equal(answer.index, test.index[:11])
    assert nrmse(test[:11], answer) < 0.9


# ---- several series -------------------------------------------------------------------------


@pytest.mark.parametrize("difference", [False, True])
def test_several_series_are_learned_together_and_forecast_in_kind(difference):
    X = waves(200, 2)
    parts = [X[:90], X[90:150], X[150:]]
    model = forecaster(difference=difference).fit(parts)
    groups = np.repeat([0, 1, 2], [90, 60, 50])
    same = forecaster(difference=difference).fit(X, groups=groups)
    np.testing.assert_array_equal(same.estimator_.coef_, model.estimator_.coef_)
    np.testing.assert_allclose(model.forecast(4), model.forecast(4, context=parts[2]), rtol=1e-6)
    assert isinstance(model.forecast(4), np.ndarray)
    runs = model.forecast(4, context=parts)
    assert isinstance(runs, list)
    for run, part in zip(runs, parts, strict=True):
        np.testing.assert_array_equal(run, model.forecast(4, context=part))
    panel = model.forecast(4, context=X.reshape(4, 50, 2))
    np.testing.assert_array_equal(panel[3], model.forecast(4, context=X[150:]))
    ahead = model.predict(parts)
    assert [part.shape for part in ahead] == [(90, 2), (60, 2), (50, 2)]
    np.testing.assert_array_equal(ahead[1], model.predict(parts[1]))
    np.testing.assert_array_equal(model.predict(X, groups=groups), np.concatenate(ahead))


def test_a_panel_frame_is_learned_and_answered():
    X = waves(200, 2)
    index = pd.MultiIndex.from_product([list("ab"), range(100)], names=["id", "t"])
    frame = pd.DataFrame(X, index=index, columns=["u", "v"])
    model = forecaster().fit(frame)
    ahead = model.predict(frame)
    assert list(ahead.columns) == ["u", "v"]
    listed = forecaster().fit([X[:100], X[100:]])
    expected = np.concatenate(listed.predict([X[:100], X[100:]]))
    np.testing.assert_array_equal(ahead.to_numpy(), expected)
    runs = model.forecast(3, context=frame)
    np.testing.assert_array_equal(runs[1], listed.forecast(3, context=X[100:]))


# ---- scikit-learn's side ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["array", "daily", "seconds", "every third", "irregular"])
def test_score_is_minus_the_nrmse_of_free_runs(kind):
    values = waves()
    X = values
    if kind == "irregular":  # a score needs no labels for its forecasts
        X = pd.DataFrame(values, index=np.cumsum(np.random.RandomState(0).randint(1, 9, 240)))
    elif kind != "array":
        X = pd.DataFrame(values, index=INDEXES[kind])
    model = forecaster(horizon=7).fit(X[:200] if kind == "array" else X.iloc[:200])
    context = (240 - 7) // 2
    origins = np.unique(np.linspace(context, 233, 10).astype(int))
    plain = forecaster(horizon=7).fit(values[:200])
    runs = [plain.forecast(7, context=values[o - context : o]) for o in origins]
    truth = [values[o : o + 7] for o in origins]
    expected = -nrmse(np.concatenate(truth), np.concatenate(runs))
    assert model.score(X) == pytest.approx(expected, rel=1e-9)
    assert -0.2 < model.score(X) < 0


def test_a_score_is_of_one_series_that_is_long_enough():
    X = waves(100)
    model = forecaster(horizon=5).fit([X[:50], X[50:]])
    index = pd.MultiIndex.from_product([[0, 1], range(50)])
    for several in ([X[:50], X[50:]], X.reshape(2, 50, 1), pd.DataFrame(X, index=index)):
        with pytest.raises(ValueError, match="one series"):
            model.score(several)
    with pytest.raises(ValueError, match="too short"):
        model.score(X[:5])


def test_parameters_are_searched_in_time_order():
    X = pd.DataFrame(waves(), index=INDEXES["daily"])
    grid = {"estimator__spectral_radius": [0.2, 0.9], "difference": [False, True]}
    search = GridSearchCV(forecaster(horizon=5), grid, cv=WarmTimeSeriesSplit(2, context=60)).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.forecast(3).index[0] == LONGER["daily"][240]


def test_copies_of_any_kind_forecast_the_same():
    X = pd.Series(waves()[:, 0], index=INDEXES["daily"])
    model = forecaster(difference=True).fit(X)
    before = model.forecast(5)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X)):
        pd.testing.assert_series_equal(copy.forecast(5), before)
    model.predict(X)
    model.score(X)
    model.forecast(3, context=X[:50])
    pd.testing.assert_series_equal(model.forecast(5), before)
    pd.testing.assert_series_equal(X, pd.Series(waves()[:, 0], index=INDEXES["daily"]))
    assert NET.n_units == 40
    assert not hasattr(NET, "coef_")


def test_transformers_may_be_pipelines():
    X = waves()
    model = forecaster(transformer=make_pipeline(MinMaxScaler(), StandardScaler())).fit(X)
    np.testing.assert_allclose(model.forecast(10), forecaster().fit(X).forecast(10), rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_of_the_series_is_kept(dtype):
    X = waves().astype(dtype)
    model = forecaster().fit(X)
    assert model.forecast(3).dtype == model.predict(X).dtype == dtype


# ---- what cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [0, -2, 1.5, "7", None, True])
def test_a_number_of_steps_must_be_one(n_steps):
    with pytest.raises(ValueError, match="n_steps must be a positive integer"):
        forecaster().fit(waves()).forecast(n_steps)


def test_series_too_short_or_of_another_width_are_refused():
    X = waves(n_features=2)
    with pytest.raises(ValueError, match=r"at least two rows.*n_samples=1"):
        forecaster().fit(X[:1])
    with pytest.raises(ValueError, match="at least two rows"):
        forecaster().fit([X, X[:1]])
    model = forecaster().fit(X)
    with pytest.raises(ValueError, match="features"):
        model.forecast(3, context=X[:, :1])
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :1])
    with pytest.raises(ValueError, match="NaN"):
        model.forecast(3, context=np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="washout=239"):
        ESNForecaster(clone(NET).set_params(washout=239)).fit(X)
    assert forecaster().fit(X[:2]).forecast(2).shape == (2, 2)


def test_an_estimator_that_cannot_run_freely_is_refused():
    with pytest.raises(ValueError, match=r"'estimator' parameter.*'forecast'"):
        ESNForecaster(StandardScaler()).fit(waves())
