"""Outputs and gradients of the networks: naive twins, central differences, exact identities."""

import naive_cells
import numpy as np
import pytest

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier

LENGTHS = (5, 3, 7)
GROUPS = np.repeat([0, 1, 2], LENGTHS)
CELLS = [("elman", "tanh"), ("elman", "relu"), ("lstm", "tanh")]


def data(n_outputs=2, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(sum(LENGTHS), 2), rng.randn(sum(LENGTHS), n_outputs), rng


def split(rows):
    return np.split(rows, np.cumsum(LENGTHS)[:-1])


def initialised(model, cell, activation, sizes, X, y, **params):
    net = model(cell, sizes, activation=activation, max_iter=0, random_state=0, **params)
    net.fit(X, y) if model is RNNSequenceClassifier else net.fit(X, y, groups=GROUPS)
    rng = np.random.RandomState(7)
    for layer in net.weights_:  # biases in use, and ReLU units that are not all off at the end
        layer["bias"] += rng.uniform(0.5, 1.5, layer["bias"].shape)
    net.output_bias_ += rng.randn(*net.output_bias_.shape)
    return net


def assert_gradients(net, gradients, value, rtol=1e-8):
    """Each array within `rtol` of its central difference, relative to its largest entry."""
    pairs = [
        (f"layer {i} {key}", layer[key], gradients["weights"][i][key])
        for i, layer in enumerate(net.weights_)
        for key in ("input", "recurrent", "bias")
    ]
    pairs += [
        (key, getattr(net, f"{key}_"), gradients[key]) for key in gradients if key != "weights"
    ]
    assert len(pairs) == 3 * len(net.weights_) + 2
    for name, array, gradient in pairs:
        expected = naive_cells.central_difference(value, array)
        scale = np.abs(expected).max()
        assert scale > 0, name
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=rtol * scale, err_msg=name)


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("sizes", [(3,), (3, 4)])
def test_regressor_outputs_are_those_of_the_naive_twin(cell, activation, sizes):
    X, y, _ = data()
    net = initialised(RNNRegressor, cell, activation, sizes, X, y)
    expected = np.concatenate([naive_cells.outputs(net, part)[0] for part in split(X)])
    np.testing.assert_allclose(net.predict(X, groups=GROUPS), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("sizes", [(3,), (3, 4)])
def test_classifier_probabilities_are_those_of_the_naive_twin(cell, activation, sizes):
    X, _, _ = data()
    net = initialised(RNNSequenceClassifier, cell, activation, sizes, split(X), ["a", "b", "c"])
    last = np.array([naive_cells.outputs(net, part)[0][-1] for part in split(X)])
    expected = np.exp(last) / np.exp(last).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net.predict_proba(split(X)), expected, rtol=1e-12)
    np.testing.assert_array_equal(net.predict(split(X)), net.classes_[expected.argmax(axis=1)])


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("sizes", [(3,), (3, 4)])
@pytest.mark.parametrize("penalties", [{}, {"l1": 0.01, "l2": 0.02}])
def test_regressor_gradients_are_central_differences(cell, activation, sizes, penalties):
    X, y, rng = data()
    y[[2, 6]] = np.nan  # unlabelled rows inside series of unequal lengths
    weight = rng.uniform(0.5, 2.0, len(y))
    net = initialised(RNNRegressor, cell, activation, sizes, X, y, **penalties)

    def value():
        return net.loss_and_gradients(X, y, sample_weight=weight, groups=GROUPS)[0]

    loss, gradients = net.loss_and_gradients(X, y, sample_weight=weight, groups=GROUPS)
    known = ~np.isnan(y).any(axis=1)
    error = np.square(net.predict(X, groups=GROUPS) - y)[known].mean(axis=1)
    weights = [v for layer in net.weights_ for k, v in layer.items() if k != "bias"]
    weights.append(net.output_weights_)
    expected = np.average(error, weights=weight[known])
    expected += penalties.get("l1", 0) * sum(np.abs(w).sum() for w in weights)
    expected += penalties.get("l2", 0) / 2 * sum(np.square(w).sum() for w in weights)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    assert_gradients(net, gradients, value)


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("sizes", [(3,), (3, 4)])
@pytest.mark.parametrize("penalties", [{}, {"l1": 0.01, "l2": 0.02}])
def test_classifier_gradients_are_central_differences(cell, activation, sizes, penalties):
    X, _, _ = data()
    X, y, weight = split(X), [1, 0, 2], [1.0, 2.0, 0.5]
    net = initialised(RNNSequenceClassifier, cell, activation, sizes, X, y, **penalties)

    def value():
        return net.loss_and_gradients(X, y, sample_weight=weight)[0]

    loss, gradients = net.loss_and_gradients(X, y, sample_weight=weight)
    if not penalties:
        chosen = -np.log(net.predict_proba(X)[np.arange(3), y])
        np.testing.assert_allclose(loss, np.average(chosen, weights=weight), rtol=1e-12)
    assert_gradients(net, gradients, value)


def frozen_states(net, parts, k):
    """States of every series at the cuts, as the current weights give them."""
    kept = []
    for part in parts:
        states, before = None, []
        for begin in range(0, len(part), k):
            before.append(states)
            states = naive_cells.outputs(net, part[begin : begin + k], states)[1]
        kept.append(before)
    return kept


@pytest.mark.parametrize("cell", ["elman", "lstm"])
@pytest.mark.parametrize("sizes", [(3,), (3, 4)])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_truncated_gradients_hold_the_states_at_the_cuts(cell, sizes, k):
    X, y, _ = data()
    net = initialised(RNNRegressor, cell, "tanh", sizes, X, y, bptt_steps=k)
    parts = split(X)
    before = frozen_states(net, parts, k)

    def value():
        outputs = [
            naive_cells.outputs(net, part[begin : begin + k], states)[0]
            for part, kept in zip(parts, before, strict=True)
            for begin, states in zip(range(0, len(part), k), kept, strict=True)
        ]
        return np.square(np.concatenate(outputs) - y).mean()

    loss, gradients = net.loss_and_gradients(X, y, groups=GROUPS)
    np.testing.assert_allclose(loss, value(), rtol=1e-12)
    if k == 1 and cell == "elman":
        whole = RNNRegressor(cell, sizes, max_iter=0, random_state=0).fit(X, y, groups=GROUPS)
        whole.weights_, whole.output_weights_ = net.weights_, net.output_weights_
        whole.output_bias_ = net.output_bias_
        full = whole.loss_and_gradients(X, y, groups=GROUPS)[1]
        gap = full["weights"][0]["recurrent"] - gradients["weights"][0]["recurrent"]
        assert np.abs(gap).max() > 1e-3  # the cut is there
    assert_gradients(net, gradients, value)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_truncated_classifier_gradients_hold_the_states_at_the_cuts(cell):
    X, _, _ = data()
    X, y, k = split(X), np.array([1, 0, 2]), 3
    net = initialised(RNNSequenceClassifier, cell, "tanh", (3, 4), X, y, bptt_steps=k)
    before = frozen_states(net, X, k)

    def value():
        last = []
        for part, kept in zip(X, before, strict=True):
            begin = (len(part) - 1) // k * k
            last.append(naive_cells.outputs(net, part[begin:], kept[begin // k])[0][-1])
        last = np.array(last)
        return np.mean(np.log(np.exp(last).sum(axis=1)) - last[np.arange(3), y])

    loss, gradients = net.loss_and_gradients(X, y)
    np.testing.assert_allclose(loss, value(), rtol=1e-12)
    assert_gradients(net, gradients, value)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_window_of_the_whole_length_is_full_backpropagation(cell):
    X, y, _ = data()
    nets = [
        initialised(RNNRegressor, cell, "tanh", (3, 4), X, y, bptt_steps=k)
        for k in (None, max(LENGTHS), 100)
    ]
    (loss, full), *others = (net.loss_and_gradients(X, y, groups=GROUPS) for net in nets)
    for other_loss, gradients in others:
        assert other_loss == loss
        np.testing.assert_array_equal(gradients["output_weights"], full["output_weights"])
        for a, b in zip(gradients["weights"], full["weights"], strict=True):
            for key in a:
                np.testing.assert_array_equal(a[key], b[key])


def test_gradients_are_in_the_dtype_of_the_data():
    X, y, _ = data()
    net = initialised(RNNRegressor, "lstm", "tanh", (3, 4), X, y)
    loss, exact = net.loss_and_gradients(X, y, groups=GROUPS)
    narrow_loss, narrow = net.loss_and_gradients(X.astype(np.float32), y, groups=GROUPS)
    np.testing.assert_allclose(narrow_loss, loss, rtol=1e-6)
    for key in ("input", "recurrent", "bias"):
        assert narrow["weights"][1][key].dtype == np.float32
        got, expected = narrow["weights"][1][key], exact["weights"][1][key]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("cell", "n_gates"), [("elman", 1), ("lstm", 4)])
def test_parameter_counts_are_those_of_the_textbook(cell, n_gates):
    n_inputs, sizes, n_outputs = 3, (5, 4), 2
    X, y = np.zeros((6, n_inputs)), np.zeros((6, n_outputs))
    net = RNNRegressor(cell, sizes, max_iter=0).fit(X, y)
    for layer, below, width in zip(net.weights_, (n_inputs, 5), sizes, strict=True):
        count = sum(array.size for array in layer.values())
        assert count == n_gates * (width * (below + width) + width)
        assert layer["input"].shape == (n_gates * width, below)
        assert layer["recurrent"].shape == (n_gates * width, width)
    assert net.output_weights_.shape == (n_outputs, 4)
    assert net.output_bias_.shape == (n_outputs,)
