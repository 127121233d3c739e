"""Trained cells: gradients and slopes that can be written down without a derivative by hand."""

import naive_cells
import numpy as np
import pytest

from reservoir import ESNClassifier
from reservoir.baselines import RNNClassifier, RNNRegressor, RNNSequenceClassifier
from reservoir.datasets import REBER_SYMBOLS, embedded_reber

CELLS = ["elman", "jordan", "lstm", "peephole_lstm", "gru"]


def started(make, cell, X, y, **params):
    """A network of drawn weights that has not learned anything."""
    return make(cell, (4,), max_iter=0, random_state=0, **params).fit(X, y)


# ---- softmax and negative log-likelihood ---------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_the_scores_is_probability_minus_one_hot(cell, n_classes):
    rng = np.random.RandomState(0)
    X, labels = rng.randn(40, 3), rng.randint(n_classes, size=40)
    net = started(RNNClassifier, cell, X, labels)
    if cell == "jordan":  # it hears its output: without a way back there is no other slope
        net.weights_[0]["recurrent"][:] = 0
    delta = (net.predict_proba(X) - np.eye(n_classes)[labels]) / len(X)
    _, gradients = net.loss_and_gradients(X, labels)
    close = {"rtol": 1e-11, "atol": 1e-15}
    np.testing.assert_allclose(gradients["output_bias"], delta.sum(axis=0), **close)
    np.testing.assert_allclose(gradients["output_weights"], delta.T @ net.transform(X), **close)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "jordan"])
def test_gradient_of_the_scores_of_whole_series_is_probability_minus_one_hot(cell):
    rng = np.random.RandomState(0)
    X = [rng.randn(n, 2) for n in (3, 1, 6, 4)]
    labels = np.array([2, 0, 1, 0])
    net = started(RNNSequenceClassifier, cell, X, labels)
    delta = (net.predict_proba(X) - np.eye(3)[labels]) / 4
    _, gradients = net.loss_and_gradients(X, labels)
    np.testing.assert_allclose(gradients["output_bias"], delta.sum(axis=0), rtol=1e-11)


# ---- slopes through time -------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [1, 2, 25])
def test_elman_slopes_are_products_of_weights_and_tanh_slopes(n_steps):
    """dh(t)/dh(t-1) = diag(1 - h(t)^2) W, one factor a step from the input to the output."""
    rng = np.random.RandomState(1)
    X, y = rng.randn(n_steps + 1, 3), rng.randn(n_steps + 1, 2)
    net = started(RNNRegressor, "elman", X, y)
    states, _ = naive_cells.elman(net.weights_[0], X)
    for output in (0, 1):
        slope, expected = net.output_weights_[output], np.empty_like(X)
        for t in range(n_steps, -1, -1):
            slope = slope * (1 - states[t] ** 2)
            expected[t] = slope @ net.weights_[0]["input"]
            slope = slope @ net.weights_[0]["recurrent"]
        found = net.input_saliency(X, output=output)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-16)


# ---- what no model without memory can know -------------------------------------------------------


def test_without_memory_the_last_but_one_symbol_is_a_guess():
    """It repeats the second one, and all that a model without memory hears is the E before it."""
    data, new = embedded_reber(300, random_state=0), embedded_reber(800, random_state=1)
    X, X_new = ([rows[:-1] for rows in part.X] for part in (data, new))
    y = [np.array(list(string[1:])) for string in data.strings]
    truth = np.array([string[-2] for string in new.strings])
    assert {REBER_SYMBOLS[rows[-2].argmax()] for rows in X_new} == {"E"}
    known = max(np.mean(truth == "T"), np.mean(truth == "P"))  # the best constant answer
    assert known < 0.55
    shared = {"alpha": 1e-3, "random_state": 0}
    blind = ESNClassifier(50, spectral_radius=0, **shared).fit(X, y)
    hears = ESNClassifier(150, spectral_radius=0.99, input_scaling=0.5, **shared).fit(X, y)
    right = [
        np.mean(np.array([answer[-2] for answer in model.predict(X_new)]) == truth)
        for model in (blind, hears)
    ]
    assert right[0] <= known
    assert right[1] > known + 0.1
