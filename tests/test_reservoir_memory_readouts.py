"""What a memory model reads its features with: ridge, filters, any regressor or classifier."""

import numpy as np
import pytest
from memory_models import CLASSIFIERS, EVERY_CLASSIFIER, NET, RIDGE, features_of, labels_of
from naive_reservoir import data
from sklearn.base import clone
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsRegressor

from filters import RLSFilter, TapDelay
from filters.timeseries import delay_embed
from reservoir import ESNClassifier, ESNRegressor, MemoryRegressor

# ---- readouts -------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("include_input", [True, False])
@pytest.mark.parametrize("n_outputs", [None, 1, 3])
def test_ridge_readout_is_scikit_learns_on_the_columns(n_outputs, include_input, fit_intercept):
    """Columns: the memory's features first, then the inputs."""
    X, y = data(n_outputs=n_outputs)
    model = ESNRegressor(
        12, include_input=include_input, fit_intercept=fit_intercept, alpha=1e-3, **NET
    ).fit(X, y)
    Z = features_of(model, X)
    expected = Ridge(alpha=1e-3, fit_intercept=fit_intercept, solver="svd").fit(Z, y)
    outputs, n_columns = () if n_outputs is None else (n_outputs,), Z.shape[1]
    assert model.coef_.shape == (*outputs, n_columns)
    assert np.shape(model.intercept_) == outputs
    coef = expected.coef_.reshape(model.coef_.shape)
    np.testing.assert_allclose(model.coef_, coef, **RIDGE)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, **RIDGE)
    np.testing.assert_allclose(model.predict(X), expected.predict(Z).reshape(y.shape), **RIDGE)


def test_tap_delay_and_ridge_are_a_finite_impulse_response():
    X, y = data()
    model = MemoryRegressor(TapDelay(5), alpha=0.1).fit(X, y)
    expected = Ridge(alpha=0.1, solver="svd").fit(delay_embed(X, 5), y)
    np.testing.assert_allclose(model.coef_, expected.coef_, **RIDGE)
    default = MemoryRegressor().fit(X, y)
    assert default.memory_.n_taps == TapDelay().n_taps
    assert default.memory is None


def test_recursive_least_squares_that_never_forgets_is_ridge():
    """RLS with lambda 1 and P(0) = I / delta minimises sum |e|^2 + delta |w|^2."""
    X, y = data(400, n_outputs=2)
    shared = {"include_input": True, **NET}
    online = ESNRegressor(12, readout=RLSFilter(forgetting_factor=1.0, delta=0.3), **shared)
    ridge = ESNRegressor(12, alpha=0.3, fit_intercept=False, **shared)
    np.testing.assert_allclose(online.fit(X, y).coef_, ridge.fit(X, y).coef_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(online.predict(X), ridge.predict(X), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    "readout", [Lasso(1e-2), KNeighborsRegressor(3), LinearRegression()], ids=str
)
def test_any_regressor_is_fitted_on_the_columns(readout):
    X, y = data()
    model = ESNRegressor(12, readout=readout, washout=10, **NET).fit(X, y)
    Z = features_of(model, X)
    expected = clone(readout).fit(Z[10:], y[10:])
    np.testing.assert_allclose(model.predict(X), expected.predict(Z), rtol=1e-9, atol=1e-10)
    assert type(model.readout_) is type(readout)
    assert not hasattr(readout, "n_features_in_")  # cloned
    y2 = np.stack([y, -y], axis=1)
    both = model.fit(X, y2).predict(X)
    expected.fit(Z[10:], y2[10:])
    np.testing.assert_allclose(both, expected.predict(Z), rtol=1e-9, atol=1e-10)


def test_weights_reach_the_readouts_that_take_them():
    X, y = data()
    weight = np.random.RandomState(0).uniform(0, 2, 240)
    model = ESNRegressor(12, readout=Ridge(0.1), **NET).fit(X, y, weight)
    expected = Ridge(0.1).fit(features_of(model, X), y, weight)
    np.testing.assert_allclose(model.readout_.coef_, expected.coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="KNeighborsRegressor takes no sample_weight"):
        ESNRegressor(12, readout=KNeighborsRegressor(), **NET).fit(X, y, weight)
    with pytest.raises(ValueError, match="weights of 0 and 1 only"):
        ESNRegressor(12, readout=RLSFilter(), **NET).fit(X, y, weight)


def test_a_filter_that_would_delay_the_features_is_refused():
    with pytest.raises(ValueError, match="n_taps must be 1, got 3"):
        ESNRegressor(5, readout=RLSFilter(3)).fit(*data())


def test_an_incremental_readout_learns_in_parts():
    X, y = data()
    sgd = SGDRegressor(shuffle=False, random_state=0)
    model = ESNRegressor(12, readout=sgd, **NET)
    expected = clone(sgd)
    for part in (slice(0, 100), slice(100, 240)):
        model.partial_fit(X[part], y[part])
    Z = features_of(model, X)
    for part in (slice(0, 100), slice(100, 240)):
        expected.partial_fit(Z[part], y[part])
    np.testing.assert_allclose(model.readout_.coef_, expected.coef_, rtol=1e-9)
    model.fit(X, y)
    t = model.readout_.t_
    model.partial_fit(X[:20], y[:20])
    assert model.readout_.t_ == t + 20  # it went on; it did not start again


def test_an_incremental_classifier_learns_in_parts():
    X, y = data()
    y = labels_of(y)
    model = ESNClassifier(12, readout=SGDClassifier(random_state=0), **NET)
    for part in (slice(0, 5), slice(5, 240)):
        model.partial_fit(X[part], y[part], classes=["high", "low", "mid"])
    Z, codes = features_of(model, X), np.searchsorted(model.classes_, y)
    expected = SGDClassifier(random_state=0)
    for part in (slice(0, 5), slice(5, 240)):
        expected.partial_fit(Z[part], codes[part], classes=range(3))
    np.testing.assert_allclose(model.readout_.coef_, expected.coef_, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected.predict(Z)])


@pytest.mark.parametrize("fitted_before", [False, True])
def test_a_readout_that_learns_only_at_once_refuses_parts(fitted_before):
    X, y = data()
    for model, target in (
        (ESNRegressor(12, readout=Ridge(), **NET), y),
        (ESNClassifier(12, readout=LogisticRegression(), **NET), labels_of(y)),
    ):
        classes = {} if target is y else {"classes": ["high", "low", "mid"]}
        if fitted_before:
            model.fit(X, target)
            before = model.predict(X)
        with pytest.raises(ValueError, match="has no partial_fit"):
            model.partial_fit(X, target, **classes)
        if fitted_before:
            np.testing.assert_array_equal(model.predict(X), before)


# ---- classifiers ------------------------------------------------------------------------------


@EVERY_CLASSIFIER
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["str", "int", "bool"])
def test_probabilities_belong_to_the_labels(name, n_classes, kind):
    X, y = data()
    codes = np.digitize(y, [-0.3, 0.3] if n_classes == 3 else [0.0])
    if kind == "bool" and n_classes == 3:
        codes, n_classes = np.minimum(codes, 1), 2
    names = {"str": ["b", "c", "a"], "int": [5, -1, 3], "bool": [True, False]}[kind]
    y = np.array(names)[codes]
    model = clone(CLASSIFIERS[name]).fit(X, y)
    proba, answer = model.predict_proba(X), model.predict(X)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert answer.dtype == y.dtype
    assert proba.shape == (240, n_classes)
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], answer)
    assert model.score(X, y) > 0.6
    scores = model.decision_function(X)
    assert scores.shape == ((240,) if n_classes == 2 else (240, n_classes))
    by_score = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(model.classes_[by_score], answer)


def test_ridge_classifier_is_ridge_on_one_hot_labels():
    X, y = data()
    y = labels_of(y)
    model = clone(CLASSIFIERS["network"]).fit(X, y)
    Z = features_of(model, X)
    expected = Ridge(alpha=1e-6, solver="svd").fit(Z, y[:, None] == model.classes_)
    np.testing.assert_allclose(model.coef_, expected.coef_, **RIDGE)
    np.testing.assert_allclose(model.decision_function(X), expected.predict(Z), **RIDGE)
    margins = RidgeClassifier(alpha=1e-6).fit(Z, y)
    np.testing.assert_array_equal(model.predict(X), margins.predict(Z))


def test_probabilities_are_the_nearest_point_of_the_simplex():
    """max(s - shift, 0) with one shift a row: the conditions of the nearest point."""
    X, y = data()
    model = clone(CLASSIFIERS["network"]).fit(X, labels_of(y))
    scores, proba = model.decision_function(3 * X), model.predict_proba(3 * X)
    kept = proba > 0
    assert not kept.all()
    assert kept.all(axis=1).any()
    for s, p, k in zip(scores, proba, kept, strict=True):
        shift = (s - p)[k]
        np.testing.assert_allclose(shift, shift[0], rtol=0, atol=1e-12)
        assert (s[~k] <= shift[0] + 1e-12).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_readout_is_scikit_learns(weighted):
    X, y = data()
    y = labels_of(y)
    weight = np.random.RandomState(0).randint(1, 4, 240) * 0.5 if weighted else None
    model = clone(CLASSIFIERS["logistic"]).fit(X, y, weight)
    Z = features_of(model, X)
    expected = LogisticRegression().fit(Z, y, weight)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(Z), rtol=1e-9)
    np.testing.assert_array_equal(model.predict(X), expected.predict(Z))


@pytest.mark.parametrize("readout", [LogisticRegression(), RidgeClassifier(), None])
def test_a_class_that_only_the_washout_saw_keeps_its_place(readout):
    X, y = data()
    y = labels_of(y)
    y[20:][y[20:] == "low"] = "mid"  # "low" stands between the others in classes_
    assert "low" in y[:20]
    model = ESNClassifier(12, readout=readout, washout=20, **NET).fit(X, y)
    assert model.classes_.tolist() == ["high", "low", "mid"]
    answer = model.predict(X)
    assert set(answer) == {"high", "mid"}
    assert accuracy_score(y[20:], answer[20:]) > 0.8
    if not isinstance(readout, RidgeClassifier):
        proba = model.predict_proba(X)
        assert proba.shape == (240, 3)
        np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], answer)


def test_a_regressor_reads_one_hot_labels():
    X, y = data()
    y = labels_of(y)
    by_regressor = ESNClassifier(12, readout=Ridge(1e-6, solver="svd"), **NET).fit(X, y)
    by_moments = ESNClassifier(12, **NET).fit(X, y)
    expected = by_moments.predict_proba(X)
    np.testing.assert_allclose(by_regressor.predict_proba(X), expected, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(by_regressor.predict(X), by_moments.predict(X))


def test_labels_out_of_place_are_refused():
    X, y = data()
    y, model = labels_of(y), ESNClassifier(5, **NET)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"label 'mid'.*\['high', 'low'\]"):
        model.partial_fit(X, y, classes=["high", "low"])
    model = ESNClassifier(5, **NET).partial_fit(X[:9], y[:9], classes=["high", "low", "mid"])
    with pytest.raises(ValueError, match="label 'new'"):
        model.partial_fit(X[:1], ["new"])
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, y, classes=["high", "low", "mid", "new"])
    with pytest.raises(ValueError, match="at least two classes"):
        model.fit(X, ["one"] * 240)
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(X, np.random.RandomState(0).randn(240))
    with pytest.raises(AttributeError, match="RidgeClassifier has no predict_proba"):
        ESNClassifier(5, readout=RidgeClassifier(), **NET).fit(X, y).predict_proba(X)
