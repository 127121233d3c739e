"""Streams: a priori first, the model untouched, the state a plain dict."""

import pickle

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_reservoir import data
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor

from filters import RLSFilter, TapDelay
from reservoir import ESNClassifier, ESNRegressor, MemoryClassifier, MemoryRegressor

NET = {"leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
MODELS = {
    "ridge": ESNRegressor(8, alpha=1e-3, **NET),
    "qr": ESNRegressor(8, alpha=1e-3, solver="qr", **NET),
    "noisy": ESNRegressor(8, alpha=1e-3, noise=0.1, **NET),
    "taps": MemoryRegressor(TapDelay(4), alpha=1e-3),
    "online": ESNRegressor(8, readout=RLSFilter(fit_intercept=True, delta=0.1), **NET),
    "feedback": ESNRegressor(8, alpha=1e-3, feedback_scaling=0.3, **NET),
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


def fitted(name, n_outputs=None, until=100):
    X, y = data(160, n_outputs)
    return X, y, clone(MODELS[name]).fit(X[:until], y[:until])


@EVERY_MODEL
@pytest.mark.parametrize("n_outputs", [None, 2])
def test_predict_one_goes_on_where_training_ended(name, n_outputs):
    X, y, model = fitted(name, n_outputs)
    stream = model.stream()
    answers = [stream.predict_one(row) for row in X[100:]]
    assert np.shape(answers[0]) == (() if n_outputs is None else (2,))
    _, state = model.predict(X[:100], return_state=True)
    if name == "noisy":
        state = model._end[1]  # the state after training carries the noise of training
    if name == "feedback":  # all true outputs are known
        _, state = model.predict(X[:100], y_context=y[:99], return_state=True)
        state[8:] = y[99]
    expected = model.predict(X[100:], initial_state=state)
    np.testing.assert_allclose(answers, expected, rtol=1e-12, atol=1e-13)
    in_a_block = model.stream().predict_many(X[100:])
    np.testing.assert_allclose(in_a_block, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"noisy"}))  # a stream draws no noise
@pytest.mark.parametrize("n_outputs", [None, 2])
def test_learning_by_rows_is_learning_at_once(name, n_outputs):
    X, y, model = fitted(name, n_outputs)
    stream = model.stream()
    for row, target in zip(X[100:], y[100:], strict=True):
        stream.learn_one(row, target)
    whole = clone(model).fit(X, y)
    np.testing.assert_array_equal(stream._model.coef_, whole.coef_)
    later = stream.predict_many(X[:20])
    np.testing.assert_array_equal(later, whole.stream().predict_many(X[:20]))


@pytest.mark.parametrize("name", ["ridge", "online", "taps"])
def test_answers_are_computed_before_the_target_is_seen(name):
    X, y, model = fitted(name)
    one, other = model.stream(), model.stream()
    for row, target in zip(X[100:120], y[100:120], strict=True):
        assert one.learn_one(row, target) == other.predict_one(row)
        np.testing.assert_array_equal(one.state["memory"], other.state["memory"])
        other = model.stream(one.state)
    surprised = model.stream()
    first = surprised.learn_one(X[100], 1e3)
    assert first == model.stream().predict_one(X[100])
    assert abs(surprised.predict_one(X[101]) - model.stream(one.state).predict_one(X[101])) > 1e-2


def test_a_priori_errors_are_those_of_growing_fits():
    """Prequential by hand: the readout of all rows before, on the state with this row."""
    X, y, model = fitted("ridge", until=60)
    stream = model.stream()
    answers = stream.learn_many(X[60:80], y[60:80])
    Z = np.hstack([naive.states(model.reservoir_, X), X])
    for t, answer in zip(range(60, 80), answers, strict=True):
        coef, intercept = naive.ridge(Z[:t], y[:t], 1e-3)
        np.testing.assert_allclose(answer, Z[t] @ coef[:, 0] + intercept[0], rtol=1e-7, atol=1e-8)


@EVERY_MODEL
def test_the_model_and_other_sessions_are_left_alone(name):
    X, y, model = fitted(name)
    before = pickle.dumps(vars(model))
    one, two = model.stream(), model.stream()
    expected = model.stream().predict_many(X[100:])
    one.learn_many(X[100:130], y[100:130])
    one.predict_many(X[130:])
    np.testing.assert_array_equal(two.predict_many(X[100:]), expected)
    assert pickle.dumps(vars(model)) == before


@EVERY_MODEL
@pytest.mark.parametrize("learned", [0, 25])
def test_a_state_is_plain_arrays_and_carries_on_bit_for_bit(name, learned):
    X, y, model = fitted(name)
    stream = model.stream()
    stream.learn_many(X[100 : 100 + learned], y[100 : 100 + learned])
    stream.predict_many(X[130:135])
    state = stream.state
    assert all(isinstance(value, np.ndarray) for value in state.values())
    assert all(value.dtype != object for value in state.values())
    frozen = {key: value.copy() for key, value in state.items()}
    copy = model.stream(state)
    followed = stream.learn_many(X[135:150], y[135:150])
    np.testing.assert_array_equal(copy.learn_many(X[135:150], y[135:150]), followed)
    np.testing.assert_array_equal(copy.predict_many(X[150:]), stream.predict_many(X[150:]))
    for key, value in state.items():  # what was handed out is a copy
        np.testing.assert_array_equal(value, frozen[key])


@EVERY_MODEL
def test_reset_goes_back_to_where_the_session_began(name):
    X, y, model = fitted(name)
    for start in (None, model.predict(X[:7], return_state=True)[1]):
        stream = model.stream(start)
        first = stream.predict_many(X[100:110])
        stream.learn_many(X[110:130], y[110:130])
        stream.reset()
        np.testing.assert_array_equal(stream.predict_many(X[100:110]), first)


def test_a_session_may_start_from_any_state():
    X, _, model = fitted("ridge")
    whole, state = model.predict(X[:40], return_state=True)
    cold = model.stream(np.zeros(8))
    np.testing.assert_array_equal(cold.predict_many(X[:40]), whole)
    np.testing.assert_array_equal(cold.state["memory"], state)
    for bad in (np.zeros(7), np.zeros((2, 8)), np.full(8, np.nan)):
        with pytest.raises(ValueError, match="initial_state"):
            model.stream(bad)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_learning_and_predicting_may_alternate(learns):
    X, y, model = fitted("online")
    stream, gaps = model.stream(), []
    _, state = model.predict(X[:100], return_state=True)
    states = naive.states(model.reservoir_, X[100 : 100 + len(learns)], state)
    by_hand = model._readout.filter.stream()
    for t, (row, learn) in enumerate(zip(X[100:], learns, strict=False)):
        columns = np.concatenate([states[t], row])
        if learn:
            target = y[100 + t]
            gaps.append(stream.learn_one(row, target) - by_hand.learn_one(columns, target))
        else:
            gaps.append(stream.predict_one(row) - by_hand.predict_one(columns))
    np.testing.assert_allclose(gaps, 0, rtol=0, atol=1e-10)


def test_washout_does_not_start_again_in_a_stream():
    X, y = data(160)
    model = clone(MODELS["ridge"]).set_params(washout=20)
    by_fit = clone(model).fit([X[:50], X[50:100]], [y[:50], y[50:100]])
    by_parts = clone(model).partial_fit([X[:50], X[50:100]], [y[:50], y[50:100]])
    expected = clone(model).fit([X[:50], X[50:]], [y[:50], y[50:]]).coef_
    for start in (by_fit, by_parts):
        stream = start.stream()
        stream.learn_many(X[100:], y[100:])
        np.testing.assert_array_equal(stream._model.coef_, expected)


def test_rows_inside_the_washout_are_answered_and_not_learned():
    X, y = data(160)
    model = clone(MODELS["ridge"]).set_params(washout=105).partial_fit(X[:100], y[:100])
    stream = model.stream()
    answers = stream.learn_many(X[100:106], y[100:106])
    np.testing.assert_array_equal(answers, 0)  # nothing is known yet
    assert stream.predict_one(X[106]) != 0


@EVERY_MODEL
def test_an_unlabelled_row_is_answered_and_only_drives_the_memory(name):
    X, _, model = fitted(name)
    one, other = model.stream(), model.stream()
    assert one.learn_one(X[100], np.nan) == other.predict_one(X[100])
    if name == "feedback":  # it feeds a zero back, not its own output
        state = one.state["memory"]
        assert state[-1] == 0
        np.testing.assert_array_equal(state[:-1], other.state["memory"][:-1])
    else:
        np.testing.assert_array_equal(one.predict_many(X[101:]), other.predict_many(X[101:]))


def test_labels_are_streamed_too():
    X, y = data(160)
    y = np.where(y > 0.5, "high", np.where(y < -0.5, "low", "mid"))
    for model in (
        ESNClassifier(8, **NET),
        MemoryClassifier(TapDelay(3)),
        ESNClassifier(8, readout=RLSFilter(fit_intercept=True), **NET),
    ):
        model.fit(X[:100], y[:100])
        stream = model.stream()
        _, state = model.predict(X[:100], return_state=True)
        expected = model.predict(X[100:], initial_state=state)
        assert [stream.predict_one(row) for row in X[100:]] == expected.tolist()
        stream.reset()
        assert stream.learn_one(X[100], y[100]) == expected[0]
        stream.learn_many(X[101:], y[101:])
        np.testing.assert_array_equal(stream._model.coef_, clone(model).fit(X, y).coef_)
        with pytest.raises(ValueError, match="label 'new'"):
            stream.learn_one(X[0], "new")


def test_a_model_of_named_columns_streams_bare_rows_without_warning():
    X, y = data(160)
    model = clone(MODELS["ridge"]).fit(pd.DataFrame(X, columns=["u", "v"]), y)
    stream = model.stream()
    stream.predict_one(X[0])
    stream.learn_one(X[1], y[1])
    assert list(model.feature_names_in_) == ["u", "v"]


@pytest.mark.parametrize("readout", [Ridge(), LogisticRegression()])
def test_a_readout_that_learns_only_at_once_streams_predictions_only(readout):
    X, y = data(160)
    model = ESNRegressor if isinstance(readout, Ridge) else ESNClassifier
    model = model(8, readout=readout, **NET)
    y = y if isinstance(readout, Ridge) else y > 0
    stream = model.fit(X[:100], y[:100]).stream()
    _, state = model.predict(X[:100], return_state=True)
    expected = model.predict(X[100:], initial_state=state)
    np.testing.assert_allclose(stream.predict_many(X[100:]), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="has no partial_fit"):
        stream.learn_one(X[0], y[0])


def test_an_incremental_readout_learns_in_a_stream_and_leaves_the_model_alone():
    X, y = data(160)
    model = ESNRegressor(8, readout=SGDRegressor(random_state=0), **NET).fit(X[:100], y[:100])
    seen = model.readout_.t_
    stream = model.stream()
    stream.learn_many(X[100:], y[100:])
    assert stream._model.readout_.t_ == seen + 60
    assert model.readout_.t_ == seen
    stream.reset()
    np.testing.assert_array_equal(
        stream.predict_many(X[100:]), model.stream().predict_many(X[100:])
    )


def test_rows_that_do_not_fit_are_refused_and_change_nothing():
    X, y, model = fitted("ridge")
    stream = model.stream()
    before = stream.state
    for row, target in ((X[0, :1], 1.0), ([np.nan, 1.0], 1.0), (X[0], np.inf), (X[0], "a")):
        with pytest.raises(ValueError, match=r"1 features|NaN|infinity|convert"):
            stream.learn_one(row, target)
    with pytest.raises(ValueError, match=r"one entry a row each; got shapes"):
        stream.learn_many(X[:3], y[:2])
    stream.reset()
    for key, value in stream.state.items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize(
    "readout",
    [SGDRegressor(random_state=0), SGDRegressor(average=True, random_state=0)],
    ids=["plain", "averaged"],
)
def test_the_state_holds_the_weights_of_a_readout_that_learns_in_parts(readout):
    X, y = data(160)
    model = ESNRegressor(8, readout=readout, **NET).fit(X[:60], y[:60])
    stream = model.stream()
    stream.learn_many(X[60:100], y[60:100])
    state = stream.state
    assert all(isinstance(value, np.ndarray) for value in state.values())
    other = model.stream(state)  # the model's own weights are of 40 rows before
    expected = stream.learn_many(X[100:], y[100:])
    np.testing.assert_array_equal(other.learn_many(X[100:], y[100:]), expected)
    assert (model.stream().predict_many(X[60:]) != stream.predict_many(X[60:])).any()
    np.testing.assert_array_equal(other.state["readout_coef_"], stream.state["readout_coef_"])


@pytest.mark.parametrize("readout", [SGDClassifier(random_state=0), GaussianNB()], ids=str)
def test_the_state_holds_the_weights_of_a_classifier_that_learns_in_parts(readout):
    X, y = data(160)
    model = ESNClassifier(8, readout=readout, **NET).fit(X[:60], y[:60] > 0)
    stream = model.stream()
    stream.learn_many(X[60:100], -y[60:100] > 0)
    other = model.stream({k: v.copy() for k, v in stream.state.items()})
    expected = stream.predict_many(X[100:])
    np.testing.assert_array_equal(other.predict_many(X[100:]), expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_readout_whose_weights_are_no_arrays_refuses_to_give_its_state():
    X, y = data(100)
    model = ESNRegressor(
        8, readout=MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0), **NET
    ).fit(X, y)
    stream = model.stream()
    with pytest.raises(ValueError, match=r"coefs_ of the readout MLPRegressor is a list.*pickle"):
        stream.state  # noqa: B018
    copied = pickle.loads(pickle.dumps(stream))
    np.testing.assert_array_equal(copied.predict_many(X[:5]), stream.predict_many(X[:5]))


def test_a_readout_that_cannot_learn_in_parts_has_no_part_of_the_state():
    X, y = data(100)
    stream = ESNRegressor(8, readout=Ridge(), **NET).fit(X, y).stream()
    assert set(stream.state) == {"memory", "n_seen"}
