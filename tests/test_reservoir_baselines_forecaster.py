"""Trained networks that run freely, and as a memory under another readout."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from filters.timeseries import DivergenceError
from reservoir import ESNForecaster, MemoryClassifier, MemoryRegressor
from reservoir.baselines import RNNClassifier, RNNForecaster, RNNRegressor
from reservoir.datasets import mso

CELLS = ["elman", "jordan", "lstm", "peephole_lstm", "gru"]


def waves(n=80, n_features=2):
    t = np.arange(n)[:, np.newaxis]
    return np.sin(t * np.array([0.2, 0.31, 0.07])[:n_features])


def fitted(cell="gru", n_features=2, **params):
    X = waves(n_features=n_features)
    net = RNNRegressor(cell, (5,), learning_rate=0.02, max_iter=8, random_state=0, **params)
    return net.fit(X[:-1], X[1:]), X


def by_hand(net, context, n_steps):
    """Open-loop steps, each fed with the answer to the one before."""
    answer, state = net.predict(context, return_state=True)
    outputs = [answer[-1]]
    for _ in range(n_steps - 1):
        answer, state = net.predict(
            outputs[-1].reshape(1, -1), initial_state=state, return_state=True
        )
        outputs.append(answer[0])
    return np.array(outputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("params", [{}, {"head_sizes": (3,)}])
def test_a_free_run_is_open_loop_steps_on_its_own_answers(cell, params):
    net, X = fitted(cell, **params)
    free = net.forecast(12, context=X[:30])
    np.testing.assert_allclose(free, by_hand(net, X[:30], 12), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(net.forecast(5, context=X[:30]), free[:5])
    listed = net.forecast(12, context=[X[:30], X[20:27]])
    assert isinstance(listed, list)
    np.testing.assert_allclose(listed[0], free, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(listed[1], by_hand(net, X[20:27], 12), rtol=1e-9, atol=1e-12)


def test_layers_and_one_column_run_freely():
    X = waves(n_features=1)[:, 0]
    net = RNNRegressor("lstm", (4, 3), skip_connections=True, max_iter=3, random_state=0)
    net.fit(X[:-1, np.newaxis], X[1:])
    free = net.forecast(6)
    assert free.shape == (6,)
    np.testing.assert_allclose(free, by_hand(net, X[:-1, np.newaxis], 6), rtol=1e-9)


@pytest.mark.parametrize("cell", ["lstm", "jordan"])
def test_without_context_it_goes_on_from_the_last_training_row(cell):
    net, X = fitted(cell)
    np.testing.assert_allclose(net.forecast(4), net.forecast(4, context=X[:-1]), rtol=1e-10)
    net.fit([X[:20], X[:-1]], [X[1:21], X[1:]])
    np.testing.assert_allclose(net.forecast(4), net.forecast(4, context=X[:-1]), rtol=1e-10)
    net = RNNRegressor(cell, (5,), learning_rate=1e-12, random_state=0)
    for begin, end in ((0, 30), (30, 31), (31, 79)):
        net.partial_fit(X[begin:end], X[begin + 1 : end + 1])
    np.testing.assert_allclose(net.forecast(4), net.forecast(4, context=X[:-1]), rtol=1e-7)


def test_a_free_run_that_cannot_be_is_refused():
    net, X = fitted()
    with pytest.raises(ValueError, match="n_outputs == n_features"):
        net.fit(X[:-1], X[1:, 0]).forecast(3)
    with pytest.raises(ValueError, match="n_steps"):
        net.fit(X[:-1], X[1:]).forecast(0)
    layer = {"input": np.full((1, 1), 9.0), "recurrent": np.zeros((1, 1)), "bias": np.zeros(1)}
    initial = {"weights": [layer], "output_weights": np.ones((1, 1)), "output_bias": np.zeros(1)}
    wild = RNNRegressor("elman", (1,), activation="relu", max_iter=0, initial_weights=initial)
    wild.fit(np.ones((3, 1)), np.ones(3))
    np.testing.assert_allclose(wild.forecast(5), 9.0 ** np.arange(1, 6), rtol=1e-12)
    with pytest.raises(DivergenceError, match="forecast diverged at step 323 of 900"):
        wild.forecast(900)  # 9^324 > 1.8e308 > 9^323


# ---- the forecaster ----------------------------------------------------------------------------

PARAMS = {"learning_rate": 0.02, "max_iter": 6, "bptt_steps": 20, "random_state": 0}


@pytest.mark.parametrize("difference", [False, True])
def test_the_forecaster_is_that_of_the_reservoir_with_another_network(difference):
    X = pd.DataFrame(waves() + 5, index=pd.date_range("2020", periods=80), columns=["a", "b"])
    one = RNNForecaster("gru", (5,), difference=difference, **PARAMS).fit(X)
    two = ESNForecaster(RNNRegressor("gru", (5,), **PARAMS), difference=difference).fit(X)
    free = one.forecast(7)
    pd.testing.assert_frame_equal(free, two.forecast(7))
    assert free.index[0] == X.index[-1] + pd.Timedelta(days=1)
    assert free.columns.tolist() == ["a", "b"]
    pd.testing.assert_frame_equal(one.predict(X), two.predict(X))
    pd.testing.assert_frame_equal(one.forecast(3, context=X), free[:3], rtol=1e-9)
    assert one.score(X) == two.score(X)


def test_known_columns_drive_the_free_run():
    X, known = waves(60, 1), waves(70, 3)[:, 1:]
    net = RNNForecaster("lstm", (5,), transformer="passthrough", **PARAMS)
    net.fit(X, exog=known[:60])
    free = net.forecast(10, exog=known[60:])
    inner = net.estimator_
    answer, state = inner.predict(np.hstack([X[:-1], known[1:60]]), return_state=True)
    row, expected = X[-1], []
    for t in range(60, 70):
        inputs = np.concatenate([row, known[t]])[np.newaxis]
        answer, state = inner.predict(inputs, initial_state=state, return_state=True)
        row = answer[0]
        expected.append(row)
    np.testing.assert_allclose(free, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(net.forecast(10, context=X, exog=known), free, rtol=1e-9)


def test_two_sines_are_continued():
    X = mso(700)
    net = RNNForecaster("lstm", (24,), learning_rate=0.01, bptt_steps=20, n_strands=4, tol=None)
    net.set_params(max_iter=150, learning_rate_schedule="cosine", horizon=20, random_state=0)
    net.fit(X[:500])
    assert net.score(X[500:]) > -0.3
    assert net.backtest(X[500:], horizon=20, n_origins=4).shape == (4, 21)


def test_every_parameter_reaches_the_network():
    changed = {
        "cell": "jordan",
        "hidden_sizes": (3,),
        "head_sizes": (2,),
        "skip_connections": True,
        "activation": "relu",
        "recurrent_init": "identity",
        "spectral_radius": 0.5,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "learning_rate_schedule": "step",
        "learning_rate_decay": 0.3,
        "momentum": 0.5,
        "nesterov": True,
        "batch_size": 7,
        "bptt_steps": 9,
        "n_strands": 2,
        "teacher_forcing": 0.5,
        "clip_norm": 2.0,
        "l1": 1e-5,
        "l2": 1e-4,
        "max_iter": 2,
        "tol": None,
        "early_stopping": True,
        "validation_fraction": 0.2,
        "n_iter_no_change": 3,
        "random_state": 5,
    }
    outer = RNNForecaster(**changed, transformer="passthrough")
    inner = outer.fit(waves()).estimator_
    own = inner.get_params()
    assert {name: own[name] for name in changed} == changed
    outside = {"transformer", "difference", "horizon"}
    assert set(outer.get_params()) - outside == set(own) - {"bidirectional", "warm_start"}
    assert (
        set(changed) | {"initial_weights", "verbose", "bptt_stride", "forget_bias"}
        == set(outer.get_params()) - outside
    )
    lstm = RNNForecaster("lstm", (3,), forget_bias=2.5, max_iter=0).fit(waves()).estimator_
    np.testing.assert_array_equal(lstm.weights_[0]["bias"][3:6], 2.5)


# ---- as a memory -------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda net: net, FrozenEstimator])
def test_a_fitted_network_is_a_memory(wrap):
    """Ridge on what its output sees, of every series from the zero state."""
    net, X = fitted("lstm")
    y = np.roll(X[:, 0], 3) ** 2
    kept = net.transform(X)
    model = MemoryRegressor(wrap(net), alpha=0.1).fit([X[:50], X[50:]], [y[:50], y[50:]])
    columns = np.concatenate(net.transform([X[:50], X[50:]]))
    ridge = Ridge(alpha=0.1).fit(columns, y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-8)
    np.testing.assert_allclose(model.predict(X[:50]), ridge.predict(columns[:50]), rtol=1e-8)
    np.testing.assert_array_equal(net.transform(X), kept)
    first, state = model.predict(X[:20], return_state=True)
    second = model.predict(X[20:50], initial_state=state)
    whole = np.concatenate([first, second])
    np.testing.assert_allclose(whole, model.predict(X[:50]), rtol=1e-9)
    session = model.fit(X, y).stream(initial_state=state)
    np.testing.assert_allclose(session.predict_one(X[20]), model.predict(X[:21])[-1], rtol=1e-9)


def test_a_network_of_labels_is_a_memory_too():
    X = waves()
    y = np.where(X[:, 0] > 0, "up", "down")
    net = RNNClassifier("gru", (4,), max_iter=2, random_state=0).fit(X, y)
    assert MemoryClassifier(net).fit(X, y).score(X, y) > 0.9


def test_only_a_network_that_is_fitted_and_causal_is_a_memory():
    net, X = fitted()
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        MemoryRegressor(clone(net)).fit(X, X[:, 0])
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        clone(MemoryRegressor(net)).fit(X, X[:, 0])
    frozen = clone(MemoryRegressor(FrozenEstimator(net))).fit(X, X[:, 0])
    np.testing.assert_array_equal(frozen.memory_.output_bias_, net.output_bias_)
    with pytest.raises(ValueError, match="bidirectional"):
        MemoryRegressor(fitted(bidirectional=True)[0]).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="features"):
        MemoryRegressor(net).fit(X[:, :1], X[:, 0])
