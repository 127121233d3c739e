"""What goes in and comes out: containers, purity, unequal lengths, weights, scores."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from filters.timeseries import SequenceError
from reservoir.baselines import RNNRegressor, RNNSequenceClassifier

PARAMS = {"learning_rate": 0.02, "max_iter": 5, "random_state": 0}


def panel(n_series=4, n_timesteps=9, n_features=2, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(n_series, n_timesteps, n_features), rng.randn(n_series, n_timesteps)


def test_every_container_of_series_gives_the_same_answer():
    X, y = panel()
    rows, targets = X.reshape(-1, 2), y.ravel()
    groups = np.repeat(np.arange(4), 9)
    index = pd.MultiIndex.from_arrays([groups, np.tile(np.arange(9), 4)], names=["id", "t"])
    frame, column = pd.DataFrame(rows, index=index), pd.Series(targets, index=index, name="y")
    net = RNNRegressor("lstm", (4,), **PARAMS)
    expected = net.fit(rows, targets, groups=groups).predict(rows, groups=groups)
    np.testing.assert_array_equal(net.fit(X, y).predict(X), expected.reshape(4, 9))
    listed = net.fit(list(X), list(y)).predict(list(X))
    assert isinstance(listed, list)
    np.testing.assert_array_equal(np.concatenate(listed), expected)
    answer = net.fit(frame, column).predict(frame)
    pd.testing.assert_series_equal(answer, pd.Series(expected, index=index, name="y"))
    assert net.score(frame, column) == pytest.approx(net.score(rows, targets, groups=groups))


def test_unequal_series_come_back_as_they_are():
    X, y = panel()
    lengths = (9, 4, 1, 6)
    X, y = ([part[:n] for part, n in zip(whole, lengths, strict=True)] for whole in (X, y))
    net = RNNRegressor("lstm", (4, 3), **PARAMS).fit(X, y)
    together = net.predict(X)
    for part, answer in zip(X, together, strict=True):
        np.testing.assert_allclose(answer, net.predict(part), rtol=1e-12, atol=1e-14)
    swapped = net.predict(X[::-1])[::-1]
    for a, b in zip(together, swapped, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_long_series_are_answered_in_windows(monkeypatch):
    X, y = panel(3, 90)
    net = RNNRegressor("lstm", (4,), **PARAMS).fit(X, y)
    whole = net.predict(X)
    monkeypatch.setattr("reservoir.baselines._network._FORWARD_COLUMNS", 60)
    np.testing.assert_allclose(net.predict(X), whole, rtol=1e-12, atol=1e-14)


def test_a_case_is_a_row_a_panel_or_a_list():
    X, _ = panel(6, 5, 1)
    y = np.array(list("aabbab"))
    net = RNNSequenceClassifier("lstm", (4,), **PARAMS)
    expected = net.fit(X[:, :, 0], y).predict_proba(X[:, :, 0])
    np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), expected)
    np.testing.assert_array_equal(net.fit(list(X), y).predict_proba(list(X)), expected)
    assert set(net.predict(X)) <= {"a", "b"}


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_longer_neighbour_does_not_change_a_case(cell):
    rng = np.random.RandomState(0)
    X = [rng.randn(n, 2) for n in (12, 3, 7, 3)]
    net = RNNSequenceClassifier(cell, (4,), **PARAMS).fit(X, [0, 1, 0, 1])
    alone = np.concatenate([net.predict_proba([x]) for x in X])
    np.testing.assert_allclose(net.predict_proba(X), alone, rtol=1e-12)


def test_what_stands_behind_a_short_series_cannot_overflow():
    """Its ReLU state would grow to infinity beside a longer series; zero times that is NaN."""
    X, groups = np.repeat([0.0, 1.0], [40, 2])[:, np.newaxis], np.repeat([0, 1], [40, 2])
    layer = {"input": np.ones((1, 1)), "recurrent": np.full((1, 1), 1e12), "bias": np.zeros(1)}
    initial = {"weights": [layer], "output_weights": np.ones((1, 1)), "output_bias": np.zeros(1)}
    net = RNNRegressor("elman", (1,), activation="relu", max_iter=0, initial_weights=initial)
    loss, gradients = net.fit(X, X[:, 0]).loss_and_gradients(X, X[:, 0], groups=groups)
    assert np.isfinite(loss)
    assert all(np.isfinite(array).all() for array in gradients["weights"][0].values())


def test_weights_count_like_repetitions_of_cases():
    rng = np.random.RandomState(0)
    X, y = rng.randn(8, 5), np.array([0, 1, 2, 0, 1, 2, 0, 1])
    times = np.array([3, 0, 1, 2, 1, 1, 0, 2])
    net = RNNSequenceClassifier("lstm", (4,), batch_size=100, **PARAMS)
    weighted = net.fit(X, y, sample_weight=times).predict_proba(X)
    repeated = net.fit(X.repeat(times, axis=0), y.repeat(times)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-10)
    assert np.abs(net.fit(X, y).predict_proba(X) - weighted).max() > 1e-3


def test_weights_count_like_repetitions_of_series():
    X, y = panel(4)
    times = np.array([2, 0, 1, 3])
    net = RNNRegressor("lstm", (4,), **PARAMS)
    weighted = net.fit(X, y, sample_weight=np.repeat(times[:, None], 9, axis=1)).predict(X)
    repeated = net.fit(X.repeat(times, axis=0), y.repeat(times, axis=0)).predict(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


def test_score_leaves_unlabelled_rows_out():
    X, y = panel(1, 50)
    X, y = X[0], np.stack([y[0], 2 * y[0] + 1], axis=1)
    y[5, 1] = np.nan
    known = np.arange(50) != 5
    net = RNNRegressor("lstm", (4,), **PARAMS).fit(X, y)
    assert net.predict(X).shape == (50, 2)
    assert net.score(X, y) == pytest.approx(r2_score(y[known], net.predict(X)[known]))
    weight = np.linspace(0, 1, 50)
    expected = r2_score(y[known], net.predict(X)[known], sample_weight=weight[known])
    assert net.score(X, y, weight) == pytest.approx(expected)


def test_shapes_that_do_not_fit_are_refused():
    X, y = panel()
    net = RNNRegressor("elman", (3,), **PARAMS).fit(X, y)
    with pytest.raises(ValueError, match=r"2 outputs.*fitted with 1"):
        net.partial_fit(X, np.stack([y, y], axis=2))
    with pytest.raises(ValueError, match="features"):
        net.predict(X[:, :, :1])
    with pytest.raises(SequenceError, match="groups"):
        net.predict(X, groups=np.zeros(36))
    classifier = RNNSequenceClassifier("elman", (3,), **PARAMS).fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="inconsistent"):
        classifier.fit(X, [0, 1, 0])
    with pytest.raises(SequenceError, match="features a time step"):
        classifier.predict(X[:, :, :1])
    with pytest.raises(ValueError, match="contains infinity"):
        classifier.fit(X, [0.0, 1.0, np.inf, 1.0])
