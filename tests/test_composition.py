"""Models over panels with a MultiIndex inside scikit-learn's tools: the answer made by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import LMSFilter, NLMSFilter, RLSFilter, TapDelay
from filters.timeseries import WarmTimeSeriesSplit
from reservoir import NVAR, ESNClassifier, ESNRegressor, ESNRegressorCV, MemoryRegressor
from reservoir.baselines import RNNRegressor

N_SERIES, N_TIMESTEPS = 4, 60
REGRESSORS = {
    "ESNRegressor": ESNRegressor(8, input_scaling=0.5, random_state=0),
    "ESNRegressorCV": ESNRegressorCV(8, alphas=(1e-3, 1.0), random_state=0),
    "TapDelay": MemoryRegressor(TapDelay(3)),
    "NVAR": MemoryRegressor(NVAR(2), alpha=1.0),
    "RNNRegressor": RNNRegressor("elman", (4,), max_iter=3, random_state=0),
    "LMSFilter": LMSFilter(3, step_size=0.01),
    "NLMSFilter": NLMSFilter(3),
    "RLSFilter": RLSFilter(3),
}
# Their alpha or gain is named so; what a search may turn.
GRIDS = {
    "ESNRegressor": {"alpha": [1e-6, 10.0]},
    "ESNRegressorCV": {"spectral_radius": [0.1, 0.9]},
    "TapDelay": {"alpha": [1e-6, 10.0]},
    "NVAR": {"memory__delay": [1, 2]},
    "RNNRegressor": {"learning_rate": [1e-4, 1e-2]},
    "LMSFilter": {"step_size": [1e-4, 1e-2]},
    "NLMSFilter": {"step_size": [0.01, 0.5]},
    "RLSFilter": {"forgetting_factor": [0.9, 1.0]},
}


def panel(seed=0):
    """Rows of several series in two units, a target that remembers one step, ids of the series."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([list("abcd"), range(N_TIMESTEPS)], names=["who", "when"])
    X = pd.DataFrame(rng.standard_normal((len(index), 2)), index, columns=["u", "v"])
    before = X.groupby(level=0).shift(fill_value=0.0)
    y = X["u"] - 0.5 * before["v"] + 0.1 * rng.standard_normal(len(index))
    return (
        X * [1.0, 100.0] + [5.0, 0.0],
        y.rename("target"),
        np.repeat(range(N_SERIES), N_TIMESTEPS),
    )


def standardised(X, by):
    return (X - by.mean()) / by.std(ddof=0)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_scaler_before_a_model_keeps_the_series(name):
    X, y, _ = panel()
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), clone(REGRESSORS[name]))
    found = pipe.fit(X, y).predict(X)
    scaled = standardised(X, X)
    by_hand = clone(REGRESSORS[name]).fit(scaled, y).predict(scaled)
    assert found.index.equals(X.index)
    np.testing.assert_allclose(found, by_hand, rtol=1e-9, atol=1e-11)
    alone = clone(REGRESSORS[name]).fit(scaled, y).predict(scaled.loc["a"])
    np.testing.assert_allclose(np.ravel(alone), found[:N_TIMESTEPS], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", REGRESSORS)
def test_cross_validation_over_whole_series_is_the_loop_by_hand(name):
    X, y, groups = panel()
    X = standardised(X, X)
    folds = GroupKFold(N_SERIES)
    found = cross_val_score(REGRESSORS[name], X, y, groups=groups, cv=folds)
    by_hand = []
    for train, test in folds.split(X, y, groups):
        model = clone(REGRESSORS[name]).fit(X.iloc[train], y.iloc[train])
        error = y.iloc[test] - model.predict(X.iloc[test])
        by_hand.append(1 - np.sum(error**2) / np.sum((y.iloc[test] - y.iloc[test].mean()) ** 2))
    np.testing.assert_allclose(found, by_hand, rtol=1e-9)


@pytest.mark.parametrize("name", REGRESSORS)
def test_grid_search_over_whole_series_is_the_loop_by_hand(name):
    X, y, groups = panel()
    X = standardised(X, X)
    search = GridSearchCV(REGRESSORS[name], GRIDS[name], cv=GroupKFold(2)).fit(X, y, groups=groups)
    ((parameter, values),) = GRIDS[name].items()
    means = []
    for value in values:
        model = clone(REGRESSORS[name]).set_params(**{parameter: value})
        means.append(cross_val_score(model, X, y, groups=groups, cv=GroupKFold(2)).mean())
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], means, rtol=1e-9)
    best = values[int(np.argmax(means))]
    assert search.best_params_ == {parameter: best}
    by_hand = clone(REGRESSORS[name]).set_params(**{parameter: best}).fit(X, y)
    np.testing.assert_allclose(search.predict(X), by_hand.predict(X), rtol=1e-12)


@pytest.mark.parametrize("name", REGRESSORS)
def test_warm_folds_of_one_series_are_the_loop_by_hand(name):
    X, y, _ = panel()
    X, y = standardised(X, X).loc["a"].to_numpy(), y.loc["a"].to_numpy()
    folds = WarmTimeSeriesSplit(2, context=4)
    search = GridSearchCV(REGRESSORS[name], GRIDS[name], cv=folds, refit=False).fit(X, y)
    ((parameter, values),) = GRIDS[name].items()
    for k, value in enumerate(values):
        for i, (train, test) in enumerate(folds.split(X)):
            model = clone(REGRESSORS[name]).set_params(**{parameter: value})
            score = model.fit(X[train], y[train]).score(X[test], y[test])
            found = search.cv_results_[f"split{i}_test_score"][k]
            np.testing.assert_allclose(found, score, rtol=1e-9)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_transformed_target_comes_back_in_its_own_units(name):
    X, y, _ = panel()
    X = standardised(X, X)
    model = TransformedTargetRegressor(clone(REGRESSORS[name]), transformer=StandardScaler())
    found = model.fit(X, 1000 + 50 * y).predict(X)
    scaled = (y - y.mean()) / y.std(ddof=0)
    by_hand = clone(REGRESSORS[name]).fit(X, scaled).predict(X)
    mean, spread = (1000 + 50 * y).mean(), (50 * y).std(ddof=0)
    np.testing.assert_allclose(found, mean + spread * np.asarray(by_hand), rtol=1e-9)


@pytest.mark.parametrize("name", REGRESSORS)
def test_stacking_is_cross_prediction_and_a_line(name):
    X, y, groups = panel()
    X = standardised(X, X)
    cv = list(GroupKFold(2).split(X, y, groups))
    stack = StackingRegressor(
        [("memory", clone(REGRESSORS[name])), ("ridge", Ridge())], LinearRegression(), cv=cv
    ).fit(X, y)
    seen = [cross_val_predict(clone(m), X, y, cv=cv) for m in (REGRESSORS[name], Ridge())]
    line = LinearRegression().fit(np.column_stack(seen), y)
    full = [np.asarray(clone(m).fit(X, y).predict(X)) for m in (REGRESSORS[name], Ridge())]
    by_hand = line.predict(np.column_stack(full))
    np.testing.assert_allclose(stack.predict(X), by_hand, rtol=1e-7, atol=1e-9)


def test_a_classifier_in_a_pipeline_under_search_is_the_loop_by_hand():
    X, y, groups = panel()
    labels = pd.Series(np.where(y > 0, "up", "down"), y.index)
    network = ESNClassifier(8, input_scaling=0.5, random_state=0)
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), network)
    grid = {"esnclassifier__alpha": [1e-6, 1e3]}
    search = GridSearchCV(pipe, grid, cv=GroupKFold(2)).fit(X, labels, groups=groups)
    for k, alpha in enumerate(grid["esnclassifier__alpha"]):
        for i, (train, test) in enumerate(GroupKFold(2).split(X, labels, groups)):
            seen = X.iloc[train]
            model = clone(network).set_params(alpha=alpha)
            model.fit(standardised(seen, seen), labels.iloc[train])
            right = model.predict(standardised(X.iloc[test], seen)) == labels.iloc[test]
            np.testing.assert_allclose(
                search.cv_results_[f"split{i}_test_score"][k], right.mean(), rtol=1e-12
            )


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_clone_in_a_pipeline_learns_the_same(name):
    X, y, _ = panel()
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), REGRESSORS[name])
    pipe.fit(X, y)
    again = clone(pipe).fit(X, y)
    assert not hasattr(REGRESSORS[name], "n_features_in_") or pipe[-1] is REGRESSORS[name]
    np.testing.assert_array_equal(again.predict(X), pipe.predict(X))
