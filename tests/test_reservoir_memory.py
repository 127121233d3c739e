"""Any memory times any readout: the laws of rows, series and chunks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import (
    CLASSIFIERS,
    EVERY_CLASSIFIER,
    EVERY_REGRESSOR,
    NET,
    REGRESSORS,
    assert_same_fit,
    labels_of,
)
from naive_reservoir import data, panel_frames
from sklearn.base import clone
from sklearn.linear_model import Ridge

from filters.timeseries import SequenceError
from reservoir import ESNRegressor, MemoryRegressor, Reservoir

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
