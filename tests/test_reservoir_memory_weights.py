"""Which rows of a memory model count in the fit: washout, labels and weights."""

import numpy as np
import pytest
from memory_models import (
    CLASSIFIERS,
    EVERY_REGRESSOR,
    REGRESSORS,
    RIDGE,
    assert_same_fit,
    features_of,
    labels_of,
)
from naive_reservoir import data
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, r2_score

from reservoir import MemoryRegressor


@pytest.mark.filterwarnings("ignore:.* series have no more:UserWarning")
@pytest.mark.parametrize("name", ["taps", "reservoir", "network"])
def test_washout_counts_in_every_series(name):
    X, y = data()
    parts = [slice(0, 70), slice(70, 78), slice(78, 240)]
    model = clone(REGRESSORS[name]).set_params(washout=9)
    model.fit([X[part] for part in parts], [y[part] for part in parts])
    rows = [features_of(model, X[part])[9:] for part in parts]  # nothing is left of the second
    targets = [y[part][9:] for part in parts]
    expected = Ridge(alpha=model.alpha, solver="svd")
    expected.fit(np.concatenate(rows), np.concatenate(targets))
    np.testing.assert_allclose(model.coef_, expected.coef_, **RIDGE)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, **RIDGE)


def test_a_washout_that_leaves_nothing_is_refused():
    X, y = data(30)
    with pytest.raises(ValueError, match=r"washout=30 leaves no row.*30 rows"):
        MemoryRegressor(washout=30).fit(X, y)
    assert MemoryRegressor(washout=29).fit(X, y).coef_.shape == (20,)
    y[25:] = np.nan
    with pytest.raises(ValueError, match="unlabelled rows do not count"):
        MemoryRegressor(washout=25).fit(X, y)


@EVERY_REGRESSOR
@pytest.mark.parametrize("washout", [0, 25])
def test_unlabelled_rows_have_weight_zero(name, washout):
    X, y = data(n_outputs=2)
    gone = np.r_[3:6, 20:40, 100]  # inside the washout, across its end, and alone
    weight = np.ones(240)
    weight[gone] = 0.0
    missing = y.copy()
    missing[gone[::2], 0], missing[gone[1::2]] = np.nan, np.nan  # one output is enough
    model = clone(REGRESSORS[name]).set_params(washout=washout)
    fitted = clone(model).fit(X, missing)
    if name == "feedback":  # an unlabelled row feeds a zero back
        y = np.where(np.isnan(missing), 0.0, y)
    assert_same_fit(clone(model).fit(X, y, weight), fitted)
    garbage = np.where(np.isnan(missing), 1e9, y)
    if name != "feedback":
        assert_same_fit(clone(model).fit(X, garbage, weight), fitted)
    plain = clone(model).fit(X, y)
    assert np.abs(plain.coef_ - fitted.coef_).max() > 1e-6


@pytest.mark.parametrize("name", ["taps", "network", "feedback", "online"])
@pytest.mark.parametrize("missing", [None, np.nan])
def test_unlabelled_rows_of_a_classifier_have_weight_zero(name, missing):
    X, y = data()
    known = np.random.RandomState(0).uniform(size=240) < 0.7
    y = labels_of(y).astype(object)
    partly = np.where(known, y, missing)
    model = clone(CLASSIFIERS[name])
    fitted = clone(model).fit(X, partly)
    assert fitted.classes_.tolist() == ["high", "low", "mid"]
    assert fitted.score(X, partly) == accuracy_score(
        y[known].astype(str), fitted.predict(X)[known].astype(str)
    )
    if name == "feedback":
        return
    assert_same_fit(clone(model).fit(X, y, known.astype(float)), fitted)


def test_feedback_of_an_unlabelled_row_is_zero_not_the_first_class():
    X, y = data()
    y = labels_of(y).astype(object)
    y[::7] = None
    model = clone(CLASSIFIERS["feedback"]).fit(X, y)
    one_hot = np.array([[label == c for c in model.classes_] for label in y], dtype=float)
    fed = np.vstack([np.zeros((1, 3)), one_hot[:-1]])
    states = model.reservoir_.transform(np.hstack([X, fed]))
    known = y != None  # noqa: E711
    expected = Ridge(alpha=1e-6, solver="svd")
    expected.fit(np.hstack([states, X])[known], one_hot[known])
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7, atol=1e-8)


def test_feedback_of_a_row_of_weight_zero_is_its_label():
    X, y = data()
    y, weight = labels_of(y), (np.arange(240) % 5 > 0).astype(float)
    model = clone(CLASSIFIERS["feedback"]).fit(X, y, weight)
    one_hot = (y[:, None] == model.classes_).astype(float)
    states = model.reservoir_.transform(np.hstack([X, np.vstack([np.zeros((1, 3)), one_hot[:-1]])]))
    expected = Ridge(alpha=1e-6, solver="svd")
    expected.fit(np.hstack([states, X]), one_hot, weight)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["taps", "network"])
def test_weights_are_those_of_scikit_learns_ridge(name):
    X, y = data(n_outputs=2)
    weight = np.random.RandomState(0).uniform(0, 2, 240)
    kept = weight.copy()
    clone(REGRESSORS[name]).set_params(washout=10).fit(X, y, weight)
    np.testing.assert_array_equal(weight, kept)
    model = clone(REGRESSORS[name]).fit(X, y, weight)
    expected = Ridge(alpha=model.alpha, solver="svd").fit(features_of(model, X), y, weight)
    np.testing.assert_allclose(model.coef_, expected.coef_, **RIDGE)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, **RIDGE)
    panel = model.fit(X.reshape(6, 40, 2), y.reshape(6, 40, 2), weight.reshape(6, 40))
    listed = clone(model).fit(
        list(X.reshape(6, 40, 2)), list(y.reshape(6, 40, 2)), list(weight.reshape(6, 40))
    )
    assert_same_fit(panel, listed)


def test_score_leaves_unlabelled_rows_out_and_weighs_the_rest():
    X, y = data()
    model = clone(REGRESSORS["network"]).fit(X, y)
    missing, known = y.copy(), np.arange(240) % 3 > 0
    missing[~known] = np.nan
    weight, pred = np.linspace(0, 1, 240), model.predict(X)
    assert model.score(X, missing) == r2_score(y[known], pred[known])
    assert model.score(X, missing, weight) == r2_score(
        y[known], pred[known], sample_weight=weight[known]
    )
    with pytest.raises(ValueError, match="y contains NaN in every row"):
        clone(model).fit(X, np.full(240, np.nan))
