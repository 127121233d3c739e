"""Warm splits equal scikit-learn's where cold, and score a model with memory where it is warm."""

import functools
import pickle

import naive
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline

from filters import RLSFilter, TapDelay
from filters.timeseries import (
    DivergenceError,
    WarmTimeSeriesSplit,
    erle_db,
    make_forecast_scorer,
    make_washout_scorer,
    misalignment_db,
    mse,
    nmse,
    nrmse,
    snr_db,
    valid_prediction_time,
)

# ---- folds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [23, 60, 61])
@pytest.mark.parametrize("n_splits", [2, 5])
@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("test_size", [None, 3])
@pytest.mark.parametrize("context", [0, 4])
def test_folds_are_those_of_scikit_learn_plus_context(n_rows, n_splits, gap, test_size, context):
    X = np.zeros((n_rows, 1))
    cold = TimeSeriesSplit(n_splits, gap=gap, test_size=test_size).split(X)
    warm = WarmTimeSeriesSplit(n_splits, context=context, gap=gap, test_size=test_size)
    folds = list(warm.split(X))
    assert len(folds) == warm.get_n_splits(X) == n_splits
    for (train, test), (cold_train, cold_test) in zip(folds, cold, strict=True):
        np.testing.assert_array_equal(train, cold_train)
        np.testing.assert_array_equal(test[context:], cold_test)
        np.testing.assert_array_equal(np.diff(test), 1)
        assert test[0] == cold_test[0] - context >= 0


def test_one_fold_is_a_last_part():
    ((train, test),) = WarmTimeSeriesSplit(1, context=2, test_size=3).split(np.zeros((10, 1)))
    np.testing.assert_array_equal(train, np.arange(7))
    np.testing.assert_array_equal(test, np.arange(5, 10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_splits": 5, "test_size": 2}, "10 rows are too few for n_splits=5, test_size=2"),
        ({"n_splits": 10}, r"too few .* test_size=0"),
        ({"n_splits": 2, "context": 5}, r"context=5: the first scored row would be 4"),
        ({"n_splits": 2, "gap": 4}, "gap=4"),
        ({"n_splits": 0}, r"'n_splits' .* \[1, inf\). Got 0"),
        ({"context": -1}, r"'context' .* \[0, inf\). Got -1"),
        ({"gap": -1}, r"'gap' .* \[0, inf\). Got -1"),
    ],
)
def test_too_short_series_and_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        list(WarmTimeSeriesSplit(**options).split(np.zeros((10, 1))))


@pytest.mark.parametrize(
    ("X", "groups"),
    [
        ([np.zeros((9, 1)), np.zeros((9, 1))], None),
        (np.zeros((2, 9, 1)), None),
        (np.zeros((18, 1)), np.repeat([0, 1], 9)),
    ],
)
def test_several_series_are_refused(X, groups):
    with pytest.raises(ValueError, match=r"cuts one series in time; X holds 2.* GroupKFold"):
        list(WarmTimeSeriesSplit(2).split(X, groups=groups))


def test_the_splitter_shows_its_parameters_and_can_be_cloned():
    split = WarmTimeSeriesSplit(3, context=7)
    assert repr(split) == "WarmTimeSeriesSplit(context=7, n_splits=3)"
    assert clone(split).get_params() == split.get_params()


# ---- scores --------------------------------------------------------------------------------------


def task_with_memory(n=400, n_taps=8):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 1))
    return x, naive.delay_rows(x, n_taps) @ rng.standard_normal(n_taps)


def fir(n_taps=8):
    return make_pipeline(TapDelay(n_taps), LinearRegression())


def test_warm_folds_score_what_the_model_can_do_and_cold_ones_do_not():
    x, y = task_with_memory()
    cold = cross_val_score(fir(), x, y, cv=TimeSeriesSplit(5), scoring=make_washout_scorer(mse, 0))
    warm = cross_val_score(
        fir(), x, y, cv=WarmTimeSeriesSplit(5, context=7), scoring=make_washout_scorer(mse, 7)
    )
    np.testing.assert_allclose(warm, 0.0, rtol=0, atol=1e-24)
    assert (cold < -0.01).all()
    short = cross_val_score(
        fir(), x, y, cv=WarmTimeSeriesSplit(5, context=6), scoring=make_washout_scorer(mse, 6)
    )
    assert (short < -1e-6).all()  # one row of context too few


def test_grid_search_finds_the_memory_with_warm_folds():
    x, y = task_with_memory(n=120)
    y = y + 0.5 * np.random.default_rng(1).standard_normal(120)
    search = GridSearchCV(
        fir(),
        {"tapdelay__n_taps": [2, 8, 16]},
        cv=WarmTimeSeriesSplit(4, context=15),
        scoring=make_washout_scorer(nrmse, washout=15),
    ).fit(x, y)
    assert search.best_params_ == {"tapdelay__n_taps": 8}


def test_filters_are_scored_warm_as_frames_too():
    x, y = task_with_memory()
    frame, target = pd.DataFrame(x, columns=["x"]), pd.Series(y)
    score = cross_val_score(
        RLSFilter(8, forgetting_factor=1.0, delta=1e-6),
        frame,
        target,
        cv=WarmTimeSeriesSplit(3, context=7),
        scoring=make_washout_scorer(nrmse, washout=7),
    )
    np.testing.assert_allclose(score, 0.0, rtol=0, atol=1e-5)


class Constant(RegressorMixin, BaseEstimator):
    """Predicts zero in the container of X."""

    def predict(self, X):
        if isinstance(X, list):
            return [np.zeros(len(x)) for x in X]
        return np.zeros(np.shape(X)[:-1])


@pytest.mark.parametrize("washout", [0, 2])
def test_washout_is_left_out_of_every_series(washout):
    y = [np.array([9.0, 9.0, 1.0, 2.0]), np.array([9.0, 9.0, 3.0])]
    X = [part[:, np.newaxis] for part in y]
    left = np.concatenate([part[washout:] for part in y])
    scorer = make_washout_scorer(mse, washout=washout)
    assert scorer(Constant(), X, y) == -np.mean(left**2)
    assert make_washout_scorer(mse, 3)(Constant(), X, y) == -4.0  # the short one drops out
    panel = np.stack([y[0], y[0]])
    assert scorer(Constant(), panel[:, :, np.newaxis], panel) == -np.mean(y[0][washout:] ** 2)
    rows = y[0][washout:]
    assert scorer(Constant(), X[0], y[0]) == -np.mean(rows**2)


def test_a_washout_that_leaves_nothing_is_an_error():
    X, y = [np.ones((3, 1)), np.ones((4, 1))], [np.ones(3), np.ones(4)]
    with pytest.raises(ValueError, match=r"washout=4, the longest series has 4 rows"):
        make_washout_scorer(mse, 4)(Constant(), X, y)
    with pytest.raises(ValueError, match=r"'washout' .* \[0, inf\). Got -1"):
        make_washout_scorer(mse, -1)


def test_metric_options_are_passed_on():
    x, y = np.ones((4, 1)), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 9.0]])

    class Zeros(Constant):
        def predict(self, X):
            return np.zeros((len(X), 2))

    scorer = make_washout_scorer(mean_absolute_error, 1, multioutput=[1.0, 0.0])
    assert scorer(Zeros(), x, y) == -5.0


@pytest.mark.parametrize(
    ("metric", "sign"),
    [
        (mse, -1),
        (nmse, -1),
        (nrmse, -1),
        (misalignment_db, -1),
        (mean_absolute_error, -1),
        (r2_score, 1),
        (snr_db, 1),
        (erle_db, 1),
        (valid_prediction_time, 1),
    ],
)
def test_direction_follows_the_name(metric, sign):
    def constant(*args):
        return 3.0

    constant.__name__ = metric.__name__
    X, y = np.ones((4, 1)), np.ones(4)
    assert make_washout_scorer(constant, 1)(Constant(), X, y) == 3.0 * sign
    other = make_washout_scorer(constant, 1, greater_is_better=sign < 0)
    assert other(Constant(), X, y) == -3.0 * sign


@pytest.mark.parametrize("make", [make_washout_scorer, make_forecast_scorer])
def test_an_unknown_direction_is_asked_for(make):
    def wobble(true, pred):
        return 1.0

    options = {"washout": 1} if make is make_washout_scorer else {"horizon": 1, "context": 1}
    for metric in (wobble, functools.partial(mse, multioutput="mean")):
        with pytest.raises(ValueError, match="pass greater_is_better=True or False"):
            make(metric, **options)
        make(metric, greater_is_better=True, **options)


def test_scorers_can_be_pickled_and_shown():
    x, y = np.arange(8.0).reshape(-1, 1), np.arange(8.0)
    scorer = make_washout_scorer(mse, 3)
    assert repr(scorer) == "make_washout_scorer(mse, washout=3)"
    assert "partial" in repr(
        make_washout_scorer(functools.partial(mse), 3, greater_is_better=False)
    )
    again = pickle.loads(pickle.dumps(scorer))
    assert again(Constant(), x, y) == scorer(Constant(), x, y) == -np.mean(y[3:] ** 2)
    forecast = make_forecast_scorer(horizon=2, context=3)
    model = Repeat()
    assert pickle.loads(pickle.dumps(forecast))(model, x) == forecast(model, x)


# ---- forecasts -----------------------------------------------------------------------------------


class Repeat:
    """Forecasts the last row of the context, and writes down what it was asked."""

    def __init__(self):
        self.asked = []

    def forecast(self, n_steps, context):
        self.asked.append((n_steps, np.asarray(context).ravel().tolist()))
        return np.repeat(np.asarray(context)[-1:], n_steps, axis=0)


def test_forecasts_start_from_evenly_spaced_origins_after_their_context():
    X, model = np.arange(20.0)[:, np.newaxis], Repeat()
    score = make_forecast_scorer(mse, horizon=4, context=3, n_origins=3)(model, X)
    starts = [3, 9, 16]
    assert model.asked == [(4, [a - 3.0, a - 2.0, a - 1.0]) for a in starts]
    assert score == -np.mean(np.array([1.0, 2.0, 3.0, 4.0]) ** 2)


def test_forecast_scores_are_normalised_over_all_origins_at_once():
    X = np.random.default_rng(0).standard_normal((50, 2))
    score = make_forecast_scorer(horizon=5, context=4, n_origins=4)(Repeat(), X)
    origins = np.linspace(4, 45, 4).astype(int)
    true = np.concatenate([X[a : a + 5] for a in origins])
    pred = np.concatenate([np.repeat(X[a - 1 : a], 5, axis=0) for a in origins])
    np.testing.assert_allclose(score, -nrmse(true, pred), rtol=1e-13)


@pytest.mark.parametrize("bad", [np.inf, -1e300, np.nan, "error"])
def test_a_diverged_forecast_scores_badly_but_finitely(bad):
    class Diverged:
        def forecast(self, n_steps, context):
            if bad == "error":
                raise DivergenceError("gone", 3)
            return np.full((n_steps, 1), bad)

    X = np.random.default_rng(0).standard_normal((100, 1))
    score = make_forecast_scorer(horizon=5, context=4)(Diverged(), X)
    assert -12 < score < -8


def test_other_errors_of_a_forecast_are_not_hidden():
    class Broken:
        def forecast(self, n_steps, context):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        make_forecast_scorer(horizon=2, context=2)(Broken(), np.zeros((9, 1)))


@pytest.mark.parametrize("name", ["horizon", "context", "n_origins"])
def test_forecast_scorer_refuses_empty_options(name):
    with pytest.raises(ValueError, match="must be at least 1"):
        make_forecast_scorer(**({"horizon": 2, "context": 2, "n_origins": 2} | {name: 0}))


def test_forecast_scorer_refuses_a_short_series():
    with pytest.raises(ValueError, match="8 rows is too short for context=5 and horizon=4"):
        make_forecast_scorer(horizon=4, context=5)(Repeat(), np.zeros((8, 1)))
    model = Repeat()
    X = np.random.default_rng(0).standard_normal((9, 1))
    make_forecast_scorer(horizon=4, context=5)(model, X)
    assert len(model.asked) == 1  # one origin fits, and is asked once
