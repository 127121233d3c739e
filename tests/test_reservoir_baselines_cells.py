"""Every cell in every arrangement: naive twins, central differences, exact identities."""

import naive_cells
import numpy as np
import pytest
from rnn_arrangements import (
    CASES,
    GROUPS,
    LENGTHS,
    STACKABLE,
    arrays,
    classifier,
    data,
    fitted,
    regressor,
    split,
)

from reservoir.baselines import RNNRegressor


def assert_gradients(net, gradients, value, rtol=1e-8):
    """The slope along a random direction in every array; entry by entry is further down."""
    own, given, rng = arrays(fitted(net)), arrays(gradients), np.random.RandomState(11)
    assert own.keys() == given.keys()
    for key, array in own.items():
        assert array.shape == given[key].shape
        direction, kept, at = rng.uniform(0.5, 1, array.shape), array.copy(), {}
        direction *= rng.choice([-1, 1], array.shape)
        for shift in (-2, -1, 1, 2):
            array[...] = kept + shift * 1e-4 * direction
            at[shift] = value()
        array[...] = kept
        expected = (8.0 * (at[1] - at[-1]) - (at[2] - at[-2])) / 12e-4
        scale = np.abs(given[key] * direction).sum()
        assert scale > 1e-6, key
        np.testing.assert_allclose(
            np.sum(given[key] * direction), expected, rtol=0, atol=rtol * scale, err_msg=key
        )


@pytest.mark.parametrize(("cell", "name"), CASES)
def test_rows_are_those_of_the_naive_twin_and_gradients_central_differences(cell, name):
    X, y = data()
    y[[1, 6]] = np.nan
    net = regressor(cell, name, X, y, l2=0.01)
    expected = np.concatenate([naive_cells.outputs(net, part)[0] for part in split(X)])
    np.testing.assert_allclose(net.predict(X, groups=GROUPS), expected, rtol=1e-12, atol=1e-13)
    _, gradients = net.loss_and_gradients(X, y, groups=GROUPS)
    assert_gradients(net, gradients, lambda: net.loss_and_gradients(X, y, groups=GROUPS)[0])


@pytest.mark.parametrize(("cell", "name"), CASES)
def test_cases_are_those_of_the_naive_twin_and_gradients_central_differences(cell, name):
    X, labels = split(data()[0]), [1, 0, 2]
    net = classifier(cell, name, X, labels)
    expected = [naive_cells.softmax(naive_cells.outputs(net, part, last=True)[0][-1]) for part in X]
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-12)
    _, gradients = net.loss_and_gradients(X, labels)
    assert_gradients(net, gradients, lambda: net.loss_and_gradients(X, labels)[0])


@pytest.mark.parametrize("cell", [*STACKABLE, "jordan"])
def test_float32_gradients_are_those_of_float64(cell):
    X, y = data()
    net = regressor(cell, "plain" if cell == "jordan" else "all", X, y)
    _, exact = net.loss_and_gradients(X, y, groups=GROUPS)
    _, narrow = net.loss_and_gradients(X.astype(np.float32), y, groups=GROUPS)
    scale = max(np.abs(array).max() for array in arrays(exact).values())
    for key, expected in arrays(exact).items():
        got = arrays(narrow)[key]
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * scale, err_msg=key)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("cell", ["elman", "jordan"])
def test_relu_units_have_their_own_slope(cell, activation):
    X, y = data()
    net = regressor(cell, "plain", X, y, activation=activation)
    _, gradients = net.loss_and_gradients(X, y, groups=GROUPS)
    assert_gradients(net, gradients, lambda: net.loss_and_gradients(X, y, groups=GROUPS)[0])


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(
    ("cell", "name"), [*((cell, "skip") for cell in STACKABLE), ("jordan", "head")]
)
def test_cuts_hold_the_states_there(cell, name, k):
    X, y = data()
    net = regressor(cell, name, X, y, bptt_steps=k)
    frozen = []
    for part in split(X):
        states = None
        for begin in range(0, len(part), k):
            frozen.append((part[begin : begin + k], states))
            states = naive_cells.outputs(net, part[begin : begin + k], states)[1]

    def value():
        found = [naive_cells.outputs(net, part, states)[0] for part, states in frozen]
        return np.square(np.concatenate(found) - y).mean()

    loss, gradients = net.loss_and_gradients(X, y, groups=GROUPS)
    np.testing.assert_allclose(loss, value(), rtol=1e-12)
    assert_gradients(net, gradients, value)


@pytest.mark.parametrize(("cell", "name"), [(cell, "skip") for cell in STACKABLE])
def test_a_window_of_the_whole_length_is_full_backpropagation(cell, name):
    X, y = data()
    full, cut = (
        regressor(cell, name, X, y, bptt_steps=k).loss_and_gradients(X, y, groups=GROUPS)
        for k in (None, max(LENGTHS))
    )
    assert full[0] == cut[0]
    for key, array in arrays(full[1]).items():
        np.testing.assert_array_equal(array, arrays(cut[1])[key], err_msg=key)


@pytest.mark.parametrize(
    ("cell", "gates", "extra"),
    [("elman", 1, 0), ("lstm", 4, 0), ("peephole_lstm", 4, 3), ("gru", 3, 0)],
)
def test_parameter_counts_are_those_of_the_textbook(cell, gates, extra):
    X, y = np.zeros((6, 3)), np.zeros((6, 2))
    net = RNNRegressor(cell, (5, 4), max_iter=0).fit(X, y)
    for layer, below, width in zip(net.weights_, (3, 5), (5, 4), strict=True):
        count = gates * (width * (below + width) + width) + extra * width
        assert sum(array.size for array in layer.values()) == count


def test_shapes_are_those_of_the_arrangement():
    X, y = np.zeros((6, 3)), np.zeros((6, 2))
    params = {"bidirectional": True, "skip_connections": True, "head_sizes": (7, 6), "max_iter": 0}
    net = RNNRegressor("gru", (5, 4), **params).fit(X, y)
    for (ahead, back), below, width in zip(net.weights_, (3, 13), (5, 4), strict=True):
        for weights in (ahead, back):
            assert weights["input"].shape == (3 * width, below)
            assert weights["recurrent"].shape == (3 * width, width)
    assert [a.shape for a in net.head_weights_] == [(7, 18), (6, 7)]
    assert [a.shape for a in net.head_biases_] == [(7,), (6,)]
    assert net.output_weights_.shape == (2, 6)
    net.set_params(head_sizes=()).fit(X, y)
    assert not hasattr(net, "head_weights_")
    assert not hasattr(net, "head_biases_")
    jordan = RNNRegressor("jordan", (5,), max_iter=0).fit(X, y)
    assert jordan.weights_[0]["recurrent"].shape == (5, 2)


@pytest.mark.parametrize("cell", ["lstm", "peephole_lstm"])
def test_the_forget_gate_starts_open(cell):
    net = RNNRegressor(cell, (4,), bidirectional=True, max_iter=0).fit(
        np.zeros((5, 1)), np.zeros(5)
    )
    for weights in net.weights_[0]:
        np.testing.assert_array_equal(weights["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 4))


def test_a_peephole_lstm_without_peepholes_is_an_lstm():
    X, y = data()
    plain = regressor("lstm", "plain", X, y)
    weights = plain.weights_[0]
    start = {"weights": [{**weights, "peephole": np.zeros(9)}]}
    start |= {"output_weights": plain.output_weights_, "output_bias": plain.output_bias_}
    net = RNNRegressor("peephole_lstm", (3,), initial_weights=start, max_iter=0)
    np.testing.assert_array_equal(net.fit(X, y).predict(X), plain.predict(X))


@pytest.mark.parametrize("cell", STACKABLE)
def test_a_bidirectional_network_does_not_know_which_way_time_runs(cell):
    X, y = data()
    net = regressor(cell, "bidirectional", X, y)
    turned = [net.predict(part) for part in split(X)]
    net.weights_ = [(back, ahead) for ahead, back in net.weights_]
    second = net.weights_[1]
    for weights in second:  # columns of the layer below have changed places too
        weights["input"] = np.roll(weights["input"], 2, axis=1)
    net.output_weights_ = np.roll(net.output_weights_, 3, axis=1)
    for part, expected in zip(split(X), turned, strict=True):
        np.testing.assert_allclose(net.predict(part[::-1])[::-1], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cell": "jordan", "hidden_sizes": (3, 3)}, "one layer and one direction"),
        ({"cell": "jordan", "hidden_sizes": (3,), "bidirectional": True}, "one layer and one"),
        ({"bidirectional": True, "bptt_steps": 5}, "bptt_steps=5 cuts"),
        ({"head_sizes": (0,)}, "head_sizes must hold positive ints"),
        ({"cell": "gru", "activation": "relu"}, "activation='relu' is for"),
    ],
)
def test_what_makes_no_sense_is_refused(params, message):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**params).fit(X, y)
