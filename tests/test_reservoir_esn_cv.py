"""ESNRegressorCV: every score is that of explicit refits; the weights are ESNRegressor's."""

import tracemalloc

import naive_reservoir as naive
import numpy as np
import pytest
from naive_reservoir import data, panel_frames
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut

from filters import RLSFilter
from filters.timeseries import WarmTimeSeriesSplit
from reservoir import ESNForecaster, ESNRegressor, ESNRegressorCV
from reservoir._alpha_path import LeaveOneOut as ByMoments
from reservoir._alpha_path import LeaveOneOutOfFew, resolvent
from reservoir._moments import Moments
from reservoir.datasets import mackey_glass

NET = {"n_units": 12, "leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
ALPHAS = np.logspace(-8, 2, 3)


def states(model, X):
    features = model.reservoir_.transform(X)
    return np.hstack([features, X]) if model.include_input else features


def refit_error(Z, y, train, test, alpha, weights=None, fit_intercept=True):
    """Weighted mean squared error on `test` of scikit-learn's ridge fitted on `train`."""
    weights = np.ones(len(Z)) if weights is None else weights
    ridge = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd")
    ridge.fit(Z[train], y[train], weights[train])
    squares = (ridge.predict(Z[test]).reshape(y[test].shape) - y[test]) ** 2
    return np.average(squares.reshape(len(test), -1).mean(axis=1), weights=weights[test])


def leave_one_out(Z, y, rows, alpha, weights=None, fit_intercept=True):
    errors = [
        refit_error(Z, y, rows[rows != t], np.array([t]), alpha, weights, fit_intercept)
        for t in rows
    ]
    return np.average(errors, weights=None if weights is None else weights[rows])


# ---- leave-one-out --------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
@pytest.mark.parametrize("n", [30, 9])
@pytest.mark.parametrize("n_outputs", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_leave_one_out_scores_are_those_of_explicit_refits(fit_intercept, weighted, n_outputs, n):
    X, y = data(n, n_outputs)
    y = y + 3.0
    weights = np.random.RandomState(1).uniform(0.1, 3, n) if weighted else None
    model = ESNRegressorCV(**NET, alphas=ALPHAS, fit_intercept=fit_intercept).fit(X, y, weights)
    Z, rows = states(model, X), np.arange(n)
    expected = [leave_one_out(Z, y, rows, a, weights, fit_intercept) for a in ALPHAS]
    np.testing.assert_allclose(-model.scores_, expected, rtol=1e-8, atol=0)
    assert model.alpha_ == ALPHAS[np.argmin(expected)]
    assert model.best_score_ == model.scores_.max()


@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_scores_are_those_of_scikit_learn(weighted):
    X, y = data(400, 2)
    weights = np.random.RandomState(1).uniform(0.1, 3, 400) if weighted else None
    model = ESNRegressorCV(40, leak_rate=0.6, random_state=0).fit(X, y, weights)
    alphas = np.logspace(-12, 2, 29)
    ridge = RidgeCV(alphas=alphas, store_cv_results=True).fit(states(model, X), y, weights)
    # scikit-learn's squared errors carry the weights already.
    total = 400 if weights is None else weights.sum()
    np.testing.assert_allclose(
        -model.scores_, ridge.cv_results_.mean(axis=1).sum(axis=0) / total, rtol=1e-8, atol=0
    )
    np.testing.assert_allclose(model.alpha_, ridge.alpha_, rtol=1e-12)


def test_unlabelled_washed_out_and_weightless_rows_drive_but_do_not_count():
    X, y = data(60, 2)
    y[30:35, 1] = np.nan
    weights = np.ones(60)
    weights[50:58] = 0.0
    model = ESNRegressorCV(**NET, alphas=ALPHAS, washout=7).fit(X, y, weights)
    rows = np.setdiff1d(np.arange(7, 60), [*range(30, 35), *range(50, 58)])
    Z = states(model, X)
    expected = [leave_one_out(Z, y, rows, a) for a in ALPHAS]
    np.testing.assert_allclose(-model.scores_, expected, rtol=1e-8, atol=0)


def test_the_score_of_every_alpha_survives_columns_of_very_different_size():
    X, y = data(60)
    X = np.hstack([X, 1e8 * np.random.RandomState(1).randn(60, 1)])
    model = ESNRegressorCV(**NET, alphas=[1e-9, 1e-3, 10.0], input_scaling=[1.0, 1.0, 1e-8])
    model.fit(X, y)
    Z = states(model, X)
    for alpha, score in zip(model.alphas, model.scores_, strict=True):
        errors = []
        for t in range(60):
            rest = np.delete(np.arange(60), t)
            coef, intercept = naive.ridge(Z[rest], y[rest], alpha)
            errors.append((Z[t] @ coef + intercept - y[t]) ** 2)
        np.testing.assert_allclose(-score, np.mean(errors), rtol=1e-7, atol=0)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_both_forms_of_leave_one_out_agree(fit_intercept):
    rng = np.random.RandomState(0)
    x, y, weights = rng.randn(40, 9) + 1.0, rng.randn(40, 2) + 5.0, rng.uniform(0.1, 2, 40)
    moments = Moments(9, 2)
    moments.update(x, y, weights)
    errors = []
    alphas = np.logspace(-6, 2, 5)  # the kernel of more rows than columns is singular
    for judge in (ByMoments(alphas, fit_intercept), LeaveOneOutOfFew(alphas, fit_intercept)):
        judge.gather(x, y, weights)
        judge.prepare(moments)
        for part in (slice(17), slice(17, None)):
            judge.judge(x[part], y[part], weights[part])
        errors.append(judge.errors())
    np.testing.assert_allclose(*errors, rtol=1e-8, atol=0)


def test_the_path_is_the_inverse_for_every_alpha():
    rows = np.random.RandomState(0).randn(30, 8) * np.logspace(-7, 7, 8)
    gram = np.asfortranarray(rows.T @ rows)
    gram[:, 3] = gram[3] = 0.0
    alphas = np.array([1e-12, 1.0, 1e2, 1e-3])
    before = gram.copy()
    basis, factors = resolvent(gram, alphas)
    np.testing.assert_array_equal(gram, before)
    size = np.sqrt(np.diag(gram)[:, np.newaxis] + alphas)
    for a, alpha in enumerate(alphas):
        product = (basis * factors[:, a]) @ basis.T @ (gram + alpha * np.eye(8))
        scaled = product * size[:, a][:, np.newaxis] / size[:, a]
        np.testing.assert_allclose(scaled, np.eye(8), rtol=0, atol=1e-7)


# ---- folds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [0, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_fold_scores_are_those_of_explicit_refits_on_warm_states(weighted, context):
    X, y = data(120, 2)
    y[70] = np.nan
    weights = np.random.RandomState(1).uniform(0.1, 3, 120) if weighted else None
    cv = WarmTimeSeriesSplit(3, context=context, gap=4)
    model = ESNRegressorCV(**NET, alphas=ALPHAS, cv=cv, washout=5).fit(X, y, weights)
    Z, used = states(model, X), np.setdiff1d(np.arange(5, 120), 70)
    for alpha, score in zip(ALPHAS, model.scores_, strict=True):
        errors = [
            refit_error(
                Z,
                y,
                np.intersect1d(train, used),
                np.intersect1d(test[context:], used),
                alpha,
                weights,
            )
            for train, test in cv.split(X)
        ]
        np.testing.assert_allclose(-score, np.mean(errors), rtol=1e-8, atol=0)


def test_folds_of_single_rows_are_leave_one_out():
    X, y = data(50)
    one = ESNRegressorCV(**NET, alphas=ALPHAS, cv=LeaveOneOut()).fit(X, y)
    other = ESNRegressorCV(**NET, alphas=ALPHAS).fit(X, y)
    np.testing.assert_allclose(one.scores_, other.scores_, rtol=1e-8, atol=0)


def test_a_number_of_folds_cuts_one_series_in_time_and_holds_out_whole_ones():
    X, y = data(120)
    shared = {**NET, "alphas": ALPHAS}
    by_time = ESNRegressorCV(**shared, cv=4).fit(X, y).scores_
    pairs = list(WarmTimeSeriesSplit(4).split(X))
    np.testing.assert_array_equal(ESNRegressorCV(**shared, cv=pairs).fit(X, y).scores_, by_time)
    groups = np.repeat(np.arange(4), 30)
    whole = ESNRegressorCV(**shared, cv=2).fit(X, y, groups=groups).scores_
    split = list(GroupKFold(2).split(X, y, groups))
    given = ESNRegressorCV(**shared, cv=split).fit(X, y, groups=groups).scores_
    np.testing.assert_array_equal(whole, given)
    assert not np.allclose(whole, by_time)


def test_a_splitter_that_looks_at_positions_only_serves_several_series():
    X, y = data(120)
    groups = np.repeat(np.arange(4), 30)
    model = ESNRegressorCV(**NET, alphas=ALPHAS, cv=KFold(3)).fit(X, y, groups=groups)
    assert np.isfinite(model.scores_).all()


# ---- the model ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cv": 3},
        {"feedback_scaling": 0.3},
        {"noise": 0.01},
        {"noise": 0.01, "cv": 3},
        {"washout": 20, "include_input": False, "fit_intercept": False},
        {"dtype": "float32"},
        {"n_units": 200},
    ],
    ids=str,
)
def test_the_weights_are_those_of_the_model_with_this_alpha(options):
    X, y = data(150, 2)
    y[40] = np.nan
    parameters = {**NET, **options}
    model = ESNRegressorCV(**parameters, alphas=ALPHAS).fit(X, y)
    parameters.pop("cv", None)
    plain = ESNRegressor(**parameters, alpha=model.alpha_).fit(X, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    np.testing.assert_array_equal(model.intercept_, plain.intercept_)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))
    np.testing.assert_array_equal(
        model.stream().predict_one(X[0]), plain.stream().predict_one(X[0])
    )


def test_noise_is_the_same_in_every_pass():
    X, y = data(40)
    model = ESNRegressorCV(**NET, alphas=ALPHAS, noise=0.1).fit(X, y)
    noise = 0.1 * model.reservoir_._noise_rng().standard_normal((40, 12))
    Z = np.hstack([naive.states(model.reservoir_, X, noise=noise), X])
    expected = [leave_one_out(Z, y, np.arange(40), a) for a in ALPHAS]
    np.testing.assert_allclose(-model.scores_, expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize("cv", [None, 2])
def test_all_containers_of_series_give_the_same_scores(cv):
    frame, target = panel_frames(4, 30)
    X, y = frame.to_numpy().reshape(4, 30, 2), target.to_numpy().reshape(4, 30)
    model = ESNRegressorCV(**NET, alphas=ALPHAS, washout=3, cv=cv)
    expected = clone(model).fit(X, y).scores_
    groups = np.repeat(np.arange(4), 30)
    for given in (
        clone(model).fit(list(X), list(y)),
        clone(model).fit(frame, target),
        clone(model).fit(X.reshape(-1, 2), y.ravel(), groups=groups),
    ):
        np.testing.assert_array_equal(given.scores_, expected)


def test_memory_does_not_grow_with_the_rows():
    peaks = []
    for n in (4_000, 40_000):
        X, y = data(n)
        tracemalloc.start()
        ESNRegressorCV(**NET, alphas=ALPHAS, washout=1).fit(X, y)
        peaks.append(tracemalloc.get_traced_memory()[1] / 8)
        tracemalloc.stop()
    # Copies of X, y and the weights at most; the states would be 14 numbers a row.
    assert peaks[1] - peaks[0] < 36_000 * 8


def test_it_is_searched_forecast_and_cloned_like_the_others():
    X, y = data(120)
    model = ESNRegressorCV(**NET)
    search = GridSearchCV(model, {"leak_rate": [0.5, 1.0]}, cv=WarmTimeSeriesSplit(2)).fit(X, y)
    assert search.best_estimator_.scores_.shape == (29,)
    series = mackey_glass(400, random_state=0)
    forecaster = ESNForecaster(ESNRegressorCV(50, cv=3, washout=30, random_state=0)).fit(series)
    assert np.isfinite(forecaster.forecast(20)).all()
    assert forecaster.estimator_.scores_.shape == (29,)


def test_it_has_no_partial_fit():
    model = ESNRegressorCV(**NET)
    assert not hasattr(model, "partial_fit")
    X, y = data(50)
    with pytest.raises(AttributeError, match=r"ESNRegressor\(alpha=model.alpha_\)"):
        model.fit(X, y).stream().learn_one(X[0], y[0])


# ---- what is odd ----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, 60])
@pytest.mark.parametrize("scale", [0.0, 1e-150, 1e8])
def test_silence_tiny_and_huge_series_get_finite_scores(scale, n):
    X, y = data(n)
    with np.errstate(all="raise", under="ignore"):
        model = ESNRegressorCV(**NET, alphas=ALPHAS).fit(scale * X, scale * y)
    assert np.isfinite(model.scores_).all()
    assert (model.scores_ <= 0).all()
    assert np.isfinite(model.predict(scale * X)).all()


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
@pytest.mark.parametrize("n", [10, 60])
def test_a_constant_target_is_predicted_whatever_the_alpha(n):
    X, _ = data(n)
    model = ESNRegressorCV(**NET, alphas=ALPHAS).fit(X, np.full(n, 7.0))
    np.testing.assert_allclose(model.scores_, 0, rtol=0, atol=1e-20)
    np.testing.assert_allclose(model.predict(X), 7.0, rtol=1e-12)


def test_a_burst_is_left_out_like_any_row():
    X, y = data(30)
    X[20] = 1e4
    model = ESNRegressorCV(**NET, alphas=ALPHAS).fit(X, y)
    Z, rows = states(model, X), np.arange(30)
    expected = [leave_one_out(Z, y, rows, a) for a in ALPHAS]
    np.testing.assert_allclose(-model.scores_, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("n", [10, 60])
def test_sums_that_overflow_are_refused(n):
    X, y = data(n)
    with pytest.raises(ValueError, match="overflow"):
        ESNRegressorCV(**NET).fit(X, 1e200 * y)


def test_a_penalty_too_small_for_the_moments_warns_as_the_ridge_does():
    X, y = data(60)
    X = np.hstack([X] * 8)  # repeated columns
    with pytest.warns(LinAlgWarning, match="raise alpha"):
        ESNRegressorCV(**NET, alphas=[1e-30]).fit(X, y)


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
def test_a_penalty_too_small_for_the_moments_is_passed_over_where_another_serves():
    X, _ = data(20)
    parameters = {**NET, "n_units": 40}
    model = ESNRegressorCV(**parameters, alphas=[1e-6, 1e-30]).fit(X, X[:, 0])
    assert np.argmax(model.scores_) == 1
    assert model.alpha_ == 1e-6
    assert model.best_score_ == model.scores_[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"readout": RLSFilter()}, "readout must be None"),
        ({"readout": Ridge()}, "readout must be None"),
        ({"alphas": [1.0, 0.0]}, "positive and finite; got 0"),
        ({"alphas": [1.0, np.inf]}, "positive and finite; got inf"),
        ({"alphas": []}, "list of penalties"),
        ({"alphas": [[1.0, 2.0]]}, "list of penalties"),
        ({"alphas": -1.0}, "alphas"),
        ({"cv": 1}, "cv"),
        ({"cv": []}, "no folds"),
        ({"cv": 9, "washout": 15}, "fold 0 of cv has no row to learn from"),
        ({"cv": [(np.arange(60), [3])], "washout": 15}, "fold 0 of cv holds out no row"),
        ({"washout": 59}, "n_samples=1"),
        ({"washout": 59, "cv": 3}, "n_samples=1"),
        ({"washout": 60}, "leaves no row"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(options, message):
    X, y = data(60)
    model = ESNRegressorCV(**NET, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "scores_")


def test_one_alpha_may_be_a_number():
    X, y = data(60)
    model = ESNRegressorCV(**NET, alphas=0.1).fit(X, y)
    assert model.alpha_ == 0.1
    assert model.scores_.shape == (1,)
