"""The search: scores are those of models fitted one by one, choices those of medians."""

import pickle
import tracemalloc
import warnings

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, ParameterGrid

from reservoir import ESNClassifier, ESNRegressor, ESNRegressorCV, ESNSearchCV, Reservoir
from reservoir._moments import Moments, solve_ridge
from reservoir._search_path import ridge_path
from reservoir.datasets import narma
from reservoir.kernels.activations import ACTIVATIONS
from reservoir.kernels.drive_configurations import drive_configurations

NET = ESNRegressor(20, leak_rate=0.7, bias_scaling=0.4, washout=7)
SPACE = {
    "spectral_radius": uniform(0.1, 0.8),
    "leak_rate": uniform(0.3, 0.7),
    "input_scaling": uniform(0.2, 1.0),
    "bias_scaling": [0.0, 0.5],
}
ALPHAS = np.logspace(-6, 1, 5)


def search(estimator=NET, space=SPACE, **options):
    usual = {"n_iter": 5, "n_seeds": 3, "alphas": ALPHAS, "random_state": 3}
    return ESNSearchCV(estimator, space, **(usual | options))


def alone(estimator, params, seed, **options):
    """The unfitted model of one configuration, seed and penalty."""
    return clone(estimator).set_params(**(params | options), random_state=int(seed))


def searched(params):
    return {name: value for name, value in params.items() if name != "alpha"}


def noisy(n=260, dtype=np.float64):
    X, y = naive.data(n)
    return X.astype(dtype), (y + 0.1 * np.random.default_rng(5).standard_normal(n)).astype(dtype)


# ---- scores are those of the models alone --------------------------------------------------------


@pytest.mark.parametrize(("include_input", "fit_intercept"), [(True, True), (False, False)])
def test_scores_are_those_of_models_fitted_alone(include_input, fit_intercept):
    X, y = noisy()
    net = clone(NET).set_params(include_input=include_input, fit_intercept=fit_intercept)
    found = search(net).fit(X, y)
    first = 260 - 65
    for i, params in enumerate(found.cv_results_["params"]):
        for j, seed in enumerate(found.seeds_):
            for k, alpha in enumerate(ALPHAS):
                model = alone(net, params, seed, alpha=alpha).fit(X[:first], y[:first])
                error = np.mean((model.predict(X)[first:] - y[first:]) ** 2)
                np.testing.assert_allclose(found.scores_[i, j, k], -error, rtol=1e-7)


@pytest.mark.parametrize("cv", [3, KFold(4), KFold(3, shuffle=True, random_state=0)])
def test_scores_on_folds_are_those_of_the_search_for_alpha(cv):
    X, y = noisy()
    y = np.stack([y, np.roll(y, 2)], axis=1)
    y[40:50] = np.nan
    weight = np.random.default_rng(0).uniform(0.0, 2.0, len(X))
    weight[::9] = 0.0
    found = search(cv=cv, n_seeds=2).fit(X, y, weight)
    names = set(ESNRegressorCV().get_params())
    for i, params in enumerate(found.cv_results_["params"]):
        for j, seed in enumerate(found.seeds_):
            options = {k: v for k, v in NET.get_params().items() if k in names} | searched(params)
            options["random_state"] = int(seed)
            model = ESNRegressorCV(**options | {"alphas": ALPHAS, "cv": cv}).fit(X, y, weight)
            np.testing.assert_allclose(found.scores_[i, j], model.scores_, rtol=1e-7)


def test_series_start_fresh_and_whole_ones_are_held_out():
    parts = [noisy(n) for n in (60, 200, 90, 150, 140)]
    X, y = [part[0] for part in parts], [part[1] for part in parts]
    found = search(n_iter=3).fit(X, y)
    params, seed = found.cv_results_["params"][1], found.seeds_[2]
    model = alone(NET, params, seed).fit(X[:4], y[:4])
    error = np.mean((model.predict(X[4:])[0] - y[4])[7:] ** 2)  # washout is not scored either
    np.testing.assert_allclose(found.cv_results_["seed2_test_score"][1], -error, rtol=1e-7)


def test_parameters_that_no_batch_shares_get_groups_of_their_own():
    X, y = noisy()
    space = {
        "n_units": [12, 20],
        "topology": ["ring", "random_dense"],
        "activation": ["tanh", "sigmoid"],
        "washout": [0, 30],
        "leak_rate": [0.5, 1.0],
    }
    extra = [
        {"input_scaling": [np.array([0.5, 2.0])], "leak_rate": [np.linspace(0.2, 1, 20), 0.4]},
        {"spectral_radius": [None, 0.5], "topology": ["delay_line_feedback"], "alpha": [1e-3]},
        {"bias": [np.linspace(-1, 1, 20)], "bias_scaling": [0.5, 9.0], "dtype": ["float64"]},
        {"spectral_norm": [0.5, 0.9], "leak_rate": [0.1], "residual_scaling": [None, 0.7]},
    ]
    X = np.concatenate([X, np.roll(X, 5, axis=0)], axis=1)[:, :2]
    grid = [{k: [v] for k, v in params.items()} for params in list(ParameterGrid(space))[::5]]
    found = search(space=grid + extra, n_iter=None, n_seeds=2, refit=False).fit(X, y)
    assert found.scores_.shape == (len(grid) + 2 + 2 + 2 + 4, 2, 1)
    for i, params in enumerate(found.cv_results_["params"]):
        model = alone(NET, params, found.seeds_[1]).fit(X[:195], y[:195])
        error = np.mean((model.predict(X)[195:] - y[195:]) ** 2)
        np.testing.assert_allclose(found.scores_[i, 1, 0], -error, rtol=1e-7, err_msg=str(params))


@pytest.mark.parametrize("scoring", ["r2", "neg_root_mean_squared_error"])
def test_other_scores_are_scikit_learns(scoring):
    X, y = noisy()
    y = np.stack([y, 3 * np.roll(y, 2)], axis=1)
    found = search(scoring=scoring, n_iter=2).fit(X, y)
    params = found.cv_results_["params"][1]
    answer = alone(NET, params, found.seeds_[0]).fit(X[:195], y[:195]).predict(X)[195:]
    wrong = ((answer - y[195:]) ** 2).mean(axis=0)
    expected = {
        "r2": np.mean(1 - wrong / y[195:].var(axis=0)),
        "neg_root_mean_squared_error": -np.mean(np.sqrt(wrong)),
    }[scoring]
    np.testing.assert_allclose(found.cv_results_["seed0_test_score"][1], expected, rtol=1e-7)


def test_float32_states_are_judged_in_float64():
    X, y = noisy(dtype=np.float32)
    found = search().fit(X, y)
    params, seed = found.cv_results_["params"][2], found.seeds_[0]
    model = alone(NET, params, seed).fit(X[:195], y[:195])
    assert model.coef_.dtype == np.float64
    assert model.predict(X).dtype == np.float32
    error = np.mean((model.predict(X)[195:].astype(float) - y[195:]) ** 2)
    np.testing.assert_allclose(found.cv_results_["seed0_test_score"][2], -error, rtol=1e-4)


# ---- what is chosen -----------------------------------------------------------------------------


def test_choice_is_that_of_the_best_median_over_seeds():
    X, y = noisy()
    found = search(n_iter=12, n_seeds=5).fit(X, y)
    table = pd.DataFrame(found.cv_results_)
    medians = np.median(found.scores_, axis=1)
    index, at = np.unravel_index(medians.argmax(), medians.shape)
    assert found.best_index_ == index
    assert table["rank_test_score"][index] == 1
    assert found.best_params_["alpha"] == ALPHAS[at]
    assert found.best_score_ == medians[index, at]
    np.testing.assert_array_equal(table["median_test_score"], medians.max(axis=1))
    columns = table[[f"seed{i}_test_score" for i in range(5)]].to_numpy()
    np.testing.assert_allclose(table["mean_test_score"], columns.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(table["std_test_score"], columns.std(axis=1), rtol=1e-12)
    assert list(table["rank_test_score"].sort_values()) == list(range(1, 13))
    assert found.best_seed_ == found.seeds_[columns[index].argmax()]
    assert [p["alpha"] for p in table["params"]] == list(ALPHAS[medians.argmax(axis=1)])


def test_best_estimator_is_fitted_on_all_rows_and_answers():
    X, y = noisy()
    X, y = X[:-1], X[1:]
    found = search().fit(X, y)
    model = alone(NET, found.best_params_, found.best_seed_).fit(X, y)
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    np.testing.assert_array_equal(found.forecast(9), model.forecast(9))
    assert found.score(X, y) == model.score(X, y)
    row = found.stream().predict_one(X[0])
    np.testing.assert_array_equal(row, model.stream().predict_one(X[0]))


def test_penalties_at_which_the_refit_is_singular_are_passed_over():
    X, y = noisy()
    X = np.concatenate([X, X], axis=1)  # two equal columns: singular without a penalty
    options = {"alphas": [1e-30, 1e-3], "space": {"leak_rate": [0.7]}, "n_iter": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = search(**options).fit(X, y)
    assert found.best_params_["alpha"] == 1e-3


def test_first_choice_stays_where_every_penalty_is_singular(monkeypatch):
    X, y = noisy()
    monkeypatch.setattr("reservoir._search.is_solvable", lambda *moments: False)
    found = search().fit(X, y)
    medians = np.median(found.scores_, axis=1)
    assert found.best_score_ == medians.max()
    params = found.best_params_ | {"random_state": found.best_seed_}
    assert {name: getattr(found.best_estimator_, name) for name in params} == params
    assert found.best_estimator_.coef_.shape == (22,)


def test_penalties_below_rounding_are_told():
    X, y = noisy()
    X = np.concatenate([X, X], axis=1)
    with pytest.raises(ValueError, match="raise alphas"):
        search(alphas=[1e-30, 1e-29]).fit(X, y)


def test_alpha_is_searched_or_kept():
    X, y = noisy()
    space = {"alpha": [1e-4, 1e-1], "leak_rate": [0.5, 0.9]}
    found = search(space=space, n_iter=None).fit(X, y)
    assert found.scores_.shape == (4, 3, 1)
    assert [p["alpha"] for p in found.cv_results_["params"]] == [1e-4, 1e-4, 1e-1, 1e-1]
    both = search(space={"leak_rate": [0.5, 0.9]}, n_iter=None, alphas=[1e-4, 1e-1]).fit(X, y)
    np.testing.assert_allclose(
        both.scores_.transpose(2, 0, 1).reshape(4, 3), found.scores_[:, :, 0], rtol=1e-7
    )
    kept = search(clone(NET).set_params(alpha=0.3), {"leak_rate": [0.5]}, n_iter=1, alphas=None)
    assert kept.fit(X, y).best_params_["alpha"] == 0.3


def test_more_seeds_leave_the_first_and_threads_change_nothing():
    X, y = noisy()
    few, many = search(n_seeds=2).fit(X, y), search(n_seeds=4, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(few.seeds_, many.seeds_[:2])
    np.testing.assert_array_equal(few.scores_, many.scores_[:, :2])
    again = pickle.loads(pickle.dumps(few))
    np.testing.assert_array_equal(again.predict(X), few.predict(X))


def test_survivors_of_the_first_seed_go_on():
    X, y = noisy()
    every, some = search(n_iter=9).fit(X, y), search(n_iter=9, survivors=0.3).fit(X, y)
    first = every.scores_[:, 0].max(axis=1)
    kept = np.sort(np.argsort(-first)[:3])
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(some.scores_).all(axis=(1, 2))), kept)
    np.testing.assert_allclose(some.scores_[kept], every.scores_[kept], rtol=1e-9)
    np.testing.assert_array_equal(some.scores_[:, 0], every.scores_[:, 0])
    medians = np.median(every.scores_[kept], axis=1).max(axis=1)
    assert some.best_index_ == kept[medians.argmax()]
    rank = some.cv_results_["rank_test_score"]
    assert sorted(rank[kept]) == [1, 2, 3]
    out = np.setdiff1d(np.arange(9), kept)
    np.testing.assert_array_equal(rank[out] - 3, 1 + np.argsort(np.argsort(-first[out])))
    np.testing.assert_array_equal(some.cv_results_["seed0_test_score"][out], first[out])


def test_lanes_are_cut_without_a_trace(monkeypatch):
    X, y = noisy()
    together = search(n_iter=7).fit(X, y)
    monkeypatch.setattr("reservoir._search_run._MOST_LANES", 3)
    monkeypatch.setattr("reservoir._search_run._ROWS", 31)
    np.testing.assert_allclose(search(n_iter=7).fit(X, y).scores_, together.scores_, rtol=1e-9)


def test_narma_is_learned_and_defaults_are_found():
    X, y = narma(1200, random_state=0)
    found = ESNSearchCV(ESNRegressor(60, washout=50), n_iter=25, n_seeds=3, random_state=0)
    found.fit(X[:800], y[:800])
    default = ESNRegressor(60, washout=50, random_state=0).fit(X[:800], y[:800])
    score, usual = (r2_score(y[800:], model.predict(X)[800:]) for model in (found, default))
    assert score > max(0.85, usual)


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "space", "told"),
    [
        (ESNRegressor([5, 5]), SPACE, "n_units"),
        (ESNRegressor(noise=0.1), SPACE, "noise"),
        (ESNRegressor(feedback_scaling=0.5), SPACE, "feedback_scaling"),
        (ESNRegressor(residual="ring"), SPACE, "residual"),
        (ESNRegressor(solver="qr"), SPACE, "solver"),
        (ESNRegressor(readout=ESNRegressor()), SPACE, "readout"),
        (ESNClassifier(), SPACE, "ESNClassifier"),
        (ESNRegressorCV(), SPACE, "ESNRegressorCV"),
        (NET, {"random_state": [1, 2]}, "random_state"),
        (NET, {"leak_rate": [1.5]}, "leak_rate"),
        (NET, {"leaking": [0.5]}, "leaking"),
    ],
)
def test_what_cannot_run_side_by_side_is_refused(estimator, space, told):
    with pytest.raises(ValueError, match=told):
        search(estimator, space, n_iter=1).fit(*noisy(60))


def test_folds_without_rows_and_bad_penalties_are_refused():
    X, y = noisy(60)
    with pytest.raises(ValueError, match="fold 0 of cv has no row to learn from"):
        search(clone(NET).set_params(washout=50)).fit(X, y)
    with pytest.raises(ValueError, match="alphas must be positive"):
        search(alphas=[1.0, 0.0]).fit(X, y)
    with pytest.raises(AttributeError, match="refit=False"):
        search(refit=False).fit(X, y).predict(X)


def test_configurations_that_diverge_come_last():
    X, y = noisy(400)
    net = ESNRegressor(20, activation="relu", bias_scaling=1.0)
    space = {"spectral_radius": [0.5, 60.0]}
    found = search(net, space, n_iter=None, n_seeds=2).fit(X, y)
    assert np.isfinite(found.scores_[0]).all()
    assert np.isnan(found.scores_[1]).all()
    assert list(found.cv_results_["rank_test_score"]) == [1, 2]
    assert found.best_params_["spectral_radius"] == 0.5
    with pytest.raises(ValueError, match="no configuration has a finite score"):
        search(net, {"spectral_radius": [60.0]}, n_iter=1).fit(X, y)


# ---- the parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", ["random", "random_dense", "ring"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_kernel_equals_the_formula(topology, activation):
    rng = np.random.default_rng(1)
    U, n, n_lanes = rng.uniform(-1, 1, (30, 2)), 19, 3
    options = {"topology": topology, "activation": activation, "random_state": 4}
    base = Reservoir(n, spectral_radius=1.0, bias_scaling=1.0, **options).fit(U)
    radius, scaling, bias = rng.uniform(0.1, 0.9, (3, n_lanes))
    leak = rng.uniform(0.2, 1.0, (n, n_lanes))
    W = sparse.csr_array(base.recurrent_weights_)
    recurrent = W.data, W.indices.astype(np.uint64), W.indptr.astype(np.uint64)
    x, states = np.zeros(n * n_lanes), np.empty((n_lanes, 30, n))
    for part in (slice(0, 11), slice(11, 30)):
        drive_configurations(
            recurrent, U[part] @ base.input_weights_.T, base.bias_, radius, scaling, bias,
            1 - leak.ravel(), leak.ravel(), ACTIVATIONS[activation], np.empty_like(x), x,
            states[:, part],
        )  # fmt: skip
    for b in range(n_lanes):
        expected = naive.drive(
            radius[b] * W.toarray(), scaling[b] * base.input_weights_, bias[b] * base.bias_,
            leak[:, b], activation, U,
        )  # fmt: skip
        np.testing.assert_allclose(states[b], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("n_columns", "n_outputs"), [(1, 1), (2, 1), (30, 3)])
def test_path_gives_the_ridge_solution_of_every_penalty(n_columns, n_outputs, fit_intercept):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, n_columns)) * np.logspace(0, -3, n_columns) + 2.0
    moments = Moments(n_columns, n_outputs)
    moments.update(x, rng.standard_normal((80, n_outputs)))
    alphas = np.logspace(-6, 3, 10)
    coef, intercept = ridge_path(moments.settled(), alphas, fit_intercept)
    for k, alpha in enumerate(alphas):
        expected = solve_ridge(moments, alpha, fit_intercept)
        np.testing.assert_allclose(coef[:, :, k], expected[0], rtol=1e-6, atol=1e-10)
        np.testing.assert_allclose(intercept[:, k], expected[1], rtol=1e-6, atol=1e-10)


def test_memory_does_not_grow_with_the_series():
    def peak(n):
        X, y = noisy(n)
        model = search(n_iter=8, n_seeds=1, cv=2, refit=False)
        model.fit(X[:200], y[:200])
        tracemalloc.start()
        model.fit(X, y)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    # Beside the masks and weights of rows, some 60 bytes each; states of 8 lanes would be 1280.
    assert peak(12_000) - peak(2_000) < 10_000 * 200
