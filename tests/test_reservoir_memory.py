"""Any memory times any readout: the laws of rows, series, weights and chunks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_reservoir import data, panel_frames
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
from sklearn.metrics import accuracy_score, r2_score
from sklearn.neighbors import KNeighborsRegressor

from filters import RLSFilter, TapDelay
from filters.timeseries import SequenceError, delay_embed
from reservoir import ESNClassifier, ESNRegressor, MemoryClassifier, MemoryRegressor, Reservoir

RIDGE = {"rtol": 1e-8, "atol": 1e-10}
NET = {"leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
REGRESSORS = {
    "taps": MemoryRegressor(TapDelay(4), alpha=1e-2),
    "reservoir": MemoryRegressor(Reservoir(12, **NET), include_input=True),
    "network": ESNRegressor(12, **NET),
    "noisy": ESNRegressor(12, noise=0.05, **NET),
    "feedback": ESNRegressor(12, feedback_scaling=0.3, **NET),
    "online": ESNRegressor(6, readout=RLSFilter(fit_intercept=True, delta=0.1), **NET),
}
CLASSIFIERS = {
    "taps": MemoryClassifier(TapDelay(3)),
    "network": ESNClassifier(12, **NET),
    "feedback": ESNClassifier(12, feedback_scaling=0.3, **NET),
    "online": ESNClassifier(6, readout=RLSFilter(fit_intercept=True, delta=0.1), **NET),
    "logistic": ESNClassifier(6, readout=LogisticRegression(), **NET),
}
EVERY_REGRESSOR = pytest.mark.parametrize("name", REGRESSORS)
EVERY_CLASSIFIER = pytest.mark.parametrize("name", CLASSIFIERS)


def labels_of(y, names=("high", "low", "mid")):
    """Three string labels whose alphabetical order is not that of their thresholds."""
    return np.array([names[1], names[2], names[0]])[np.digitize(y, [-0.3, 0.3])]


def assert_same_fit(one, two):
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.intercept_, two.intercept_)


# ---- containers -----------------------------------------------------------------------------


@EVERY_REGRESSOR
@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_every_container_gives_the_same_numbers_in_kind(name, n_outputs):
    X, y = data(60, n_outputs)
    groups, model = np.repeat([7, 3, 5, 1], 15), clone(REGRESSORS[name])
    expected = model.fit(X, y, groups=groups).predict(X, groups=groups)
    assert expected.shape == y.shape
    fitted, score = clone(model).fit(X, y, groups=groups), model.score(X, y, groups=groups)

    panel, targets = X.reshape(4, 15, 2), y.reshape(4, 15, *y.shape[1:])
    assert_same_fit(model.fit(panel, targets), fitted)
    np.testing.assert_array_equal(model.predict(panel), expected.reshape(targets.shape))
    assert model.score(panel, targets) == score

    assert_same_fit(model.fit(list(panel), list(targets)), fitted)
    listed = model.predict(list(panel))
    assert isinstance(listed, list)
    np.testing.assert_array_equal(np.concatenate(listed), expected)
    assert model.score(list(panel), list(targets)) == score

    index = pd.MultiIndex.from_product([[7, 3, 5, 1], range(15)], names=["id", "t"])
    frame = pd.DataFrame(X, index=index, columns=["u", "v"])
    assert_same_fit(model.fit(frame, y), fitted)
    np.testing.assert_array_equal(model.predict(frame), expected)
    assert isinstance(model.predict(frame), np.ndarray)
    target = pd.Series if n_outputs is None else pd.DataFrame
    target = target(y, index=index)
    assert_same_fit(model.fit(frame, target), fitted)
    answer = model.predict(frame)
    assert type(answer) is type(target)
    pd.testing.assert_index_equal(answer.index, index)
    np.testing.assert_array_equal(answer, expected)
    assert model.score(frame, target) == score


@EVERY_CLASSIFIER
def test_every_container_gives_the_same_labels_in_kind(name):
    X, y = data(60)
    y = labels_of(y)
    groups, model = np.repeat([7, 3, 5, 1], 15), clone(CLASSIFIERS[name])
    model.fit(X, y, groups=groups)
    expected = model.predict(X, groups=groups)
    proba = model.predict_proba(X, groups=groups)
    panel = X.reshape(4, 15, 2)
    model.fit(panel, y.reshape(4, 15))
    np.testing.assert_array_equal(model.predict(panel), expected.reshape(4, 15))
    np.testing.assert_array_equal(model.predict_proba(panel), proba.reshape(4, 15, 3))
    model.fit(list(panel), list(y.reshape(4, 15)))
    np.testing.assert_array_equal(np.concatenate(model.predict(list(panel))), expected)
    np.testing.assert_array_equal(np.concatenate(model.predict_proba(list(panel))), proba)
    index = pd.MultiIndex.from_product([[7, 3, 5, 1], range(15)])
    frame, target = pd.DataFrame(X, index=index), pd.Series(y, index=index, name="label")
    model.fit(frame, target)
    pd.testing.assert_series_equal(model.predict(frame), pd.Series(expected, index, name="label"))
    table = model.predict_proba(frame)
    assert list(table.columns) == ["high", "low", "mid"]
    np.testing.assert_array_equal(table, proba)


def test_targets_in_another_container_are_refused():
    X, y = data(30)
    model = MemoryRegressor()
    with pytest.raises(SequenceError, match=r"y must have shape \(3, 10\)"):
        model.fit(X.reshape(3, 10, 2), y)
    with pytest.raises(SequenceError, match="list of 2 series"):
        model.fit([X[:9], X[9:]], y)
    with pytest.raises(SequenceError, match=r"series 1 has 21 time steps but y\[1\] has 20"):
        model.fit([X[:9], X[9:]], [y[:9], y[9:-1]])
    with pytest.raises(SequenceError, match="contiguous"):
        model.fit(X, y, groups=np.arange(30) % 2)
    frame, target = panel_frames(2, 15)
    with pytest.raises(SequenceError, match="reindex"):
        model.fit(frame, target[::-1])


@EVERY_REGRESSOR
def test_series_do_not_leak_into_each_other_nor_calls_into_calls(name):
    X, y = data()
    model = clone(REGRESSORS[name]).fit(X, y)
    parts = [X[:1], X[1:90], X[90:100], X[100:]]
    together = model.predict(parts)
    for part, answer in zip(parts, together, strict=True):
        np.testing.assert_array_equal(model.predict(part), answer)
    np.testing.assert_array_equal(model.predict(parts[::-1])[1], together[2])
    order = [2, 0, 3, 1]
    fitted = model.fit([parts[i] for i in range(4)], [y[:1], y[1:90], y[90:100], y[100:]])
    targets = [y[:1], y[1:90], y[90:100], y[100:]]
    shuffled = clone(model).fit([parts[i] for i in order], [targets[i] for i in order])
    if name not in ("noisy", "online"):  # the order of their rows matters
        np.testing.assert_allclose(shuffled.coef_, fitted.coef_, rtol=1e-6, atol=1e-8)


@EVERY_REGRESSOR
def test_fit_and_predict_leave_their_arguments_and_the_model_alone(name):
    X, y = data()
    model = clone(REGRESSORS[name]).fit(X, y)
    before = pickle.dumps(vars(model))
    model.predict(X)
    model.predict([X[:50], X[50:]])
    model.score(X, y)
    model.stream().predict_one(X[0])
    assert pickle.dumps(vars(model)) == before
    np.testing.assert_array_equal(X, data()[0])
    np.testing.assert_array_equal(y, data()[1])
    refitted = clone(model).fit(X[:100], y[:100]).fit(X, y)  # fit forgets
    assert_same_fit(refitted, model)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(REGRESSORS)), st.integers(1, 239))
def test_predictions_are_causal_and_can_be_handed_over(name, cut):
    X, y = data()
    model = FITTED.setdefault(name, clone(REGRESSORS[name]).fit(X, y))
    whole, last = model.predict(X, return_state=True)
    head, state = model.predict(X[:cut], return_state=True)
    np.testing.assert_array_equal(head, whole[:cut])
    tail, end = model.predict(X[cut:], initial_state=state, return_state=True)
    np.testing.assert_array_equal(tail, whole[cut:])
    np.testing.assert_array_equal(end, last)


FITTED = {}


def test_long_series_are_driven_in_blocks_that_leave_no_seam(monkeypatch):
    X, y = data(700)
    for model in (REGRESSORS["network"], REGRESSORS["taps"], REGRESSORS["feedback"]):
        whole = clone(model).fit(X, y)
        answer = whole.predict(X)
        monkeypatch.setattr("reservoir._running.MemoryRunner._block", 33)
        assert_same_fit(clone(model).fit(X, y), whole)
        np.testing.assert_array_equal(whole.predict(X), answer)
        monkeypatch.undo()


def test_threads_over_series_change_nothing():
    X, y = data()
    model = clone(REGRESSORS["network"]).fit(X, y)
    parts = [X[:70], X[70:100], X[100:]]
    one, states = model.predict(parts, return_state=True)
    two, same = model.set_params(n_jobs=2).predict(parts, return_state=True)
    np.testing.assert_array_equal(np.concatenate(one), np.concatenate(two))
    np.testing.assert_array_equal(states, same)


@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((3, 12)), [np.nan] * 12])
def test_initial_states_that_cannot_be_are_refused(bad):
    X, y = data(40)
    model = ESNRegressor(12, **NET).fit(X, y)
    with pytest.raises(ValueError, match="initial_state"):
        model.predict([X, X], initial_state=bad)


# ---- chunks ---------------------------------------------------------------------------------


@EVERY_REGRESSOR
@pytest.mark.parametrize("cuts", [(1,), (5, 12, 100), (100, 101, 102, 200)])
def test_chunks_equal_one_fit_bit_for_bit(name, cuts):
    X, y = data(n_outputs=2)
    whole = clone(REGRESSORS[name]).set_params(washout=20).fit(X, y)
    parts = clone(whole)
    for part in np.split(np.arange(240), cuts):  # some chunks lie inside the washout
        parts.partial_fit(X[part], y[part])
    assert_same_fit(parts, whole)
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - {"logistic"}))
def test_chunks_of_labels_equal_one_fit_bit_for_bit(name):
    X, y = data()
    y = labels_of(y)
    whole = clone(CLASSIFIERS[name]).set_params(washout=20).fit(X, y)
    parts = clone(whole)
    for part in np.split(np.arange(240), (1, 15, 21, 200)):
        parts.partial_fit(X[part], y[part], classes=["mid", "low", "high"])
    assert_same_fit(parts, whole)
    np.testing.assert_array_equal(parts.classes_, whole.classes_)


@pytest.mark.filterwarnings("ignore:.* series have no more:UserWarning")
@EVERY_REGRESSOR
def test_chunks_across_series_equal_one_fit_bit_for_bit(name):
    """Stated series start and end in their call; each has its own washout."""
    X, y = data()
    parts = [slice(0, 70), slice(70, 90), slice(90, 100), slice(100, 240)]
    X, y = [X[part] for part in parts], [y[part] for part in parts]
    whole = clone(REGRESSORS[name]).set_params(washout=15).fit(X, y)
    chunks = clone(whole)
    chunks.partial_fit(X[:1], y[:1]).partial_fit(X[1:3], y[1:3])
    chunks.partial_fit(X[3], y[3], groups=np.zeros(140))
    assert_same_fit(chunks, whole)


def test_rows_after_stated_series_begin_a_new_one():
    X, y = data()
    series, targets = [X[:50], X[50:100]], [y[:50], y[50:100]]
    model = clone(REGRESSORS["network"]).set_params(washout=10)
    expected = clone(model).fit([*series, X[100:]], [*targets, y[100:]])
    for first in (clone(model).fit, clone(model).partial_fit):
        continued = first(series, targets).partial_fit(X[100:180], y[100:180])
        assert_same_fit(continued.partial_fit(X[180:], y[180:]), expected)


def test_partial_fit_goes_on_from_fit():
    X, y = data()
    for model in (REGRESSORS["network"], REGRESSORS["online"], REGRESSORS["feedback"]):
        whole = clone(model).fit(X, y)
        assert_same_fit(clone(model).fit(X[:100], y[:100]).partial_fit(X[100:], y[100:]), whole)


def test_partial_fit_keeps_to_its_outputs_and_features():
    X, y = data(n_outputs=2)
    model = ESNRegressor(5, **NET).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"y has 1 outputs.*began with 2"):
        model.partial_fit(X, y[:, 0])
    with pytest.raises(ValueError, match="1 features"):
        model.partial_fit(X[:, :1], y)


def test_a_chunk_without_labels_only_drives_the_memory():
    X, y = data()
    y[100:150] = np.nan
    whole, parts = clone(REGRESSORS["network"]).fit(X, y), clone(REGRESSORS["network"])
    for part in np.split(np.arange(240), (100, 150)):
        parts.partial_fit(X[part], y[part])
    assert_same_fit(parts, whole)


def test_a_chunk_of_weight_zero_only_drives_the_memory():
    X, y = data()
    weight = np.where((np.arange(240) >= 100) & (np.arange(240) < 150), 0.0, 1.0)
    whole, parts = clone(REGRESSORS["network"]).fit(X, y, weight), clone(REGRESSORS["network"])
    for part in np.split(np.arange(240), (100, 150)):
        parts.partial_fit(X[part], y[part], weight[part])
    assert_same_fit(parts, whole)


# ---- washout, weights, unlabelled rows ----------------------------------------------------------


def features_of(model, X):
    """What the readout of a fitted model without feedback sees."""
    columns = model.memory_.transform(X)
    return np.hstack([columns, X]) if model.include_input else columns


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


# ---- parameters ------------------------------------------------------------------------------


@EVERY_REGRESSOR
def test_copies_of_any_kind_carry_on_bit_for_bit(name):
    X, y = data()
    model = clone(REGRESSORS[name]).fit(X[:100], y[:100])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert_same_fit(copy.partial_fit(X[100:], y[100:]), model.partial_fit(X[100:], y[100:]))
    same = type(model)().set_params(**model.get_params()).fit(X, y)
    assert_same_fit(same, clone(model).fit(X, y))
    assert repr(model)


def test_nested_parameters_are_set_through_the_model():
    model = MemoryRegressor(Reservoir(12)).set_params(memory__n_units=7, readout=Ridge())
    assert model.memory.n_units == 7
    assert model.set_params(readout__alpha=3.0).fit(*data()).readout_.alpha == 3.0
    assert model.memory_.recurrent_weights_.shape == (7, 7)
    assert not hasattr(model.memory, "recurrent_weights_")  # cloned


def test_a_memory_must_be_one():
    with pytest.raises(ValueError, match="'memory' parameter"):
        MemoryRegressor(Ridge()).fit(*data())


@pytest.mark.parametrize("name", ["taps", "reservoir", "network", "feedback", "online"])
def test_many_short_series_are_answered_as_one_by_one(name, monkeypatch):
    """However many series the memory drives at once."""
    X, y = data(400)
    model = clone(REGRESSORS[name]).fit(X[:300], y[:300])
    cuts = np.cumsum(np.random.RandomState(0).randint(1, 14, 40))
    series = [part for part in np.split(X, cuts) if len(part)]
    states = np.random.RandomState(1).uniform(-1, 1, (len(series), model._n_state))
    alone = [
        model.predict(part, initial_state=state, return_state=True)
        for part, state in zip(series, states, strict=True)
    ]
    for at_once in (8192, 50, 1):
        monkeypatch.setattr("reservoir._driving._ROWS_AT_ONCE", at_once)
        outputs, last = model.predict(series, initial_state=states, return_state=True)
        np.testing.assert_array_equal(last, [state for _, state in alone])
        for output, (expected, _) in zip(outputs, alone, strict=True):
            np.testing.assert_array_equal(output, expected)
