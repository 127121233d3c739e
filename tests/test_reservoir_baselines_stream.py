"""Networks row by row: sessions against predict and partial_fit."""

import copy

import numpy as np
import pytest

from filters.timeseries import DivergenceError
from reservoir.baselines import RNNClassifier, RNNRegressor


def series(n=40, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(n, 2), rng.randn(n, 2)


def fitted(cell="lstm", labels=False, n=30, **params):
    X, y = series()
    sizes = (4,) if cell == "jordan" else (4, 3)
    y = np.where(y[:, 0] > 0, "up", "down") if labels else y
    model = RNNClassifier if labels else RNNRegressor
    net = model(cell, sizes, max_iter=2, learning_rate=0.02, random_state=0, **params)
    return net.fit(X[:n], y[:n]), X, y


@pytest.mark.parametrize("cell", ["elman", "jordan", "lstm", "peephole_lstm", "gru"])
def test_a_session_goes_on_where_training_ended(cell):
    net, X, _ = fitted(cell)
    session = net.stream()
    rows = np.array([session.predict_one(x) for x in X[30:35]])
    rest = session.predict_many(X[35:])
    answer = np.concatenate([rows, rest])
    np.testing.assert_allclose(answer, net.predict(X)[30:], rtol=1e-10, atol=1e-13)
    session.reset()
    np.testing.assert_array_equal(session.predict_one(X[30]), rows[0])
    state = net.predict(X[:7], return_state=True)[1]
    answer = net.stream(initial_state=state).predict_many(X[7:])
    np.testing.assert_allclose(answer, net.predict(X)[7:], rtol=1e-10, atol=1e-13)


def test_labels_are_streamed_too():
    net, X, y = fitted("gru", labels=True)
    np.testing.assert_array_equal(net.stream().predict_many(X[30:]), net.predict(X)[30:])
    assert net.stream().learn_one(X[30], y[30]) == net.predict(X)[30]


@pytest.mark.parametrize("labels", [False, True])
def test_learning_one_row_is_a_partial_fit_of_it(labels):
    net, X, y = fitted(labels=labels, n_strands=2)
    zero = np.zeros_like(net.predict(X[:1], return_state=True)[1])
    session = net.stream(initial_state=zero)
    first = session.learn_one(X[3], y[3])
    expected = net.predict(X[3:4])[0]
    assert first == expected if labels else np.allclose(first, expected, rtol=1e-12, atol=0)
    other = copy.deepcopy(net).partial_fit(X[np.newaxis, 3:4], y[np.newaxis, 3:4])
    state = other.predict(X[3:4], return_state=True)[1]
    answer = other.stream(initial_state=session.state["memory"]).predict_one(X[4])
    np.testing.assert_array_equal(session.predict_one(X[4]), answer)
    assert np.abs(state - session.state["memory"]).max() > 1e-9


def test_errors_of_a_learning_session_fall_and_the_network_stays():
    X, _ = series(600)
    y = 0.5 * X[:, 0] - 0.3 * X[:, 1]  # the gradient sees one row
    net = RNNRegressor("elman", (8,), learning_rate=0.01, max_iter=1, random_state=0)
    net.fit(X[:5], y[:5])
    before = net.predict(X)
    errors = (net.stream(initial_state=np.zeros(8)).learn_many(X, y) - y) ** 2
    assert errors[-150:].mean() < 0.2 * errors[:150].mean()
    np.testing.assert_array_equal(net.predict(X), before)


def test_a_state_carries_on_bit_for_bit():
    net, X, y = fitted("gru")
    session = net.stream()
    session.learn_many(X[30:35], y[30:35])
    kept = session.state
    assert all(isinstance(part, np.ndarray) for part in kept.values())
    other = net.stream(initial_state=kept)
    one, two = (s.learn_many(X[35:], y[35:]) for s in (session, other))
    np.testing.assert_array_equal(one, two)
    session.reset()
    np.testing.assert_array_equal(session.predict_one(X[30]), net.stream().predict_one(X[30]))


def test_an_unlabelled_row_only_drives():
    net, X, _ = fitted()
    session = net.stream()
    session.learn_one(X[30], [np.nan, 1.0])
    np.testing.assert_allclose(session.predict_one(X[31]), net.predict(X)[31], rtol=1e-10)


def test_rows_that_do_not_fit_are_refused_and_change_nothing():
    net, X, y = fitted()
    session, other = net.stream(), net.stream()
    with pytest.raises(ValueError, match="2 features"):
        session.predict_one(X[0, :1])
    with pytest.raises(ValueError, match="NaN"):
        session.learn_one([np.nan, 1.0], y[0])
    with pytest.raises(ValueError, match="initial_state must have shape"):
        net.stream(initial_state=np.zeros(3))
    np.testing.assert_array_equal(session.predict_one(X[30]), other.predict_one(X[30]))
    wild = RNNRegressor("elman", (1,), activation="relu", max_iter=0, random_state=0)
    wild.fit(np.ones((3, 1)), np.ones(3))
    wild.output_weights_[:] = wild.weights_[0]["input"][:] = 1e200
    session = wild.stream(initial_state=np.zeros(1))
    with pytest.raises(DivergenceError, match="answers row 0 with NaN or infinity"):
        session.predict_one([1.0])
