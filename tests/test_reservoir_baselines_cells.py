"""Every cell in every arrangement: naive twins, central differences, exact identities."""

import naive_cells
import numpy as np
import pytest

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier
from reservoir.baselines._network import CELLS, Network
from reservoir.baselines._windows import Sequences

LENGTHS = (3, 1, 4)
GROUPS = np.repeat([0, 1, 2], LENGTHS)
STACKABLE = ["elman", "lstm", "peephole_lstm", "gru"]
ARRANGEMENTS = {
    "plain": {"hidden_sizes": (3,)},
    "stack": {"hidden_sizes": (2, 3, 2)},
    "head": {"hidden_sizes": (3,), "head_sizes": (4, 3)},
    "skip": {"hidden_sizes": (2, 3, 2), "skip_connections": True},
    "bidirectional": {"hidden_sizes": (2, 3), "bidirectional": True},
    "all": {
        "hidden_sizes": (2, 1, 2),
        "head_sizes": (3,),
        "skip_connections": True,
        "bidirectional": True,
    },
}
CASES = [(cell, name) for cell in STACKABLE for name in ARRANGEMENTS]
CASES += [("jordan", "plain"), ("jordan", "head")]


def data(n_outputs=2):
    rng = np.random.RandomState(0)
    return rng.randn(sum(LENGTHS), 2), rng.randn(sum(LENGTHS), n_outputs)


def split(rows):
    return np.split(rows, np.cumsum(LENGTHS)[:-1])


def arrays(parts):
    """All arrays of a public dict of parameters, by name."""
    found = {}
    for key in set(parts) - {"weights"}:
        listed = parts[key] if isinstance(parts[key], list) else [parts[key]]
        found |= {f"{key}[{i}]": part for i, part in enumerate(listed)}
    for i, layer in enumerate(parts["weights"]):
        for d, direction in enumerate(layer if isinstance(layer, tuple) else (layer,)):
            found |= {f"weights[{i}][{d}][{key}]": part for key, part in direction.items()}
    return found


def fitted(net):
    return {key[:-1]: value for key, value in vars(net).items() if key[:-1] in PARTS}


PARTS = ("weights", "head_weights", "head_biases", "output_weights", "output_bias")


def regressor(cell, name, X, y, **params):
    net = RNNRegressor(cell, max_iter=0, random_state=0, **ARRANGEMENTS[name], **params)
    return shaken(net.fit(X, y, groups=GROUPS))


def classifier(cell, name, X, y, **params):
    net = RNNSequenceClassifier(cell, max_iter=0, random_state=0, **ARRANGEMENTS[name], **params)
    return shaken(net.fit(X, y))


def shaken(net):
    """Biases in use, so that every path of the gradient is."""
    rng = np.random.RandomState(7)
    for key, array in arrays(fitted(net)).items():
        if "bias" in key:
            array += rng.uniform(0.2, 1.0, array.shape)
    return net


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


def network(cell, name, n_inputs=2, n_outputs=2, dtype=np.float64, **params):
    kinds = ARRANGEMENTS[name]
    net = Network(cell, n_inputs=n_inputs, n_outputs=n_outputs, dtype=dtype, **kinds, **params)
    net.draw(np.random.RandomState(1), "orthogonal")
    net.parameters += np.random.RandomState(2).uniform(-0.3, 0.3, net.parameters.size)
    return net


def batch(forced=None):
    rows = data()[0]
    stops = np.cumsum(LENGTHS)
    sequences = Sequences(rows, stops - LENGTHS, stops, row_wise=True, forced=forced)
    (window,) = sequences.windows(np.arange(3), None, np.ones(len(rows), dtype=bool))
    return window


@pytest.mark.parametrize(("cell", "name"), CASES)
def test_gradients_of_states_and_inputs_are_central_differences(cell, name):
    """Of outputs and of the state behind the window, by the state before it and by the inputs."""
    net, window, rng = network(cell, name), batch(), np.random.RandomState(5)
    sizes = [(c.n_recurrent, len(LENGTHS)) for c in net.cells for _ in range(c.n_states)]
    drawn = iter([rng.uniform(-1, 1, size) for size in sizes])
    state = [tuple(next(drawn) for _ in range(c.n_states)) for c in net.cells]
    beyond = [tuple(rng.randn(*part.shape) for part in parts) for parts in state]
    error = rng.randn(window.steps.size, net.n_outputs)

    def value():
        after = net.forward(window, state)
        ends = sum(
            np.sum(a * b)
            for parts, others in zip(after, beyond, strict=True)
            for a, b in zip(parts, others, strict=True)
        )
        return ends + np.sum(error * net.read(window))

    net.forward(window, state)
    before, by_inputs = net.backward(window, error, beyond=beyond, to_inputs=True)
    gradient = net.gradient.copy()
    checks = [("parameters", net.parameters, gradient), ("inputs", window.inputs, by_inputs)]
    for i, parts in enumerate(state):
        checks += [(f"state {i}", part, before[i][j]) for j, part in enumerate(parts)]
    for key, array, got in checks:
        expected = naive_cells.central_difference(value, array)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8 * scale, err_msg=key)


@pytest.mark.parametrize("softmax", [False, True])
def test_a_forced_jordan_cell_sees_what_it_is_given_and_sends_nothing_back_there(softmax):
    forced = np.random.RandomState(4).uniform(0, 1, (sum(LENGTHS), 2))
    forced[[0, 5]] = np.nan  # its own output at these
    net, window = network("jordan", "head", softmax=softmax), batch(forced)
    error = np.random.RandomState(5).randn(window.steps.size, 2)

    def value():
        net.forward(window, None)
        return np.sum(error * net.read(window))

    value()
    net.backward(window, error)
    gradient = net.gradient.copy()
    expected = naive_cells.central_difference(value, net.parameters)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-8 * np.abs(expected).max())

    class Fitted:
        cell, activation, bidirectional, skip_connections = "jordan", "tanh", False, False

    twin = Fitted()
    for key, part in net.public(net.parameters).items():
        setattr(twin, f"{key}_", part)
    if softmax:
        twin.classes_ = np.arange(2)
    net.forward(window, None)
    got = np.empty((sum(LENGTHS), 2))
    got[window.places] = net.read(window)
    expected = [
        naive_cells.outputs(twin, part, forced=given)[0]
        for part, given in zip(split(data()[0]), split(forced), strict=True)
    ]
    np.testing.assert_allclose(got, np.concatenate(expected), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_windows_carry_the_state_on(cell):
    net, rows = network(cell, "plain"), data()[0]
    stops = np.cumsum(LENGTHS)
    sequences = Sequences(rows, stops - LENGTHS, stops, row_wise=True)
    everywhere = np.ones(len(rows), dtype=bool)
    whole = net.outputs(sequences, everywhere, 3)
    pieces, state = np.empty_like(whole), None
    for window in sequences.windows(np.arange(3), 2, everywhere):
        state = net.forward(window, state)
        pieces[window.places] = net.read(window)
    np.testing.assert_allclose(pieces, whole, rtol=1e-13, atol=1e-14)


ONE_WAY = [(cell, name) for cell, name in CASES if name not in ("bidirectional", "all")]


@pytest.mark.parametrize(("cell", "name"), ONE_WAY)
def test_a_closed_loop_is_the_window_forward_fed_with_its_outputs(cell, name):
    net = network(cell, name)
    given = np.random.RandomState(3).randn(3, 2)
    outputs, state, bad = net.closed_loop(None, given, 9)
    assert bad == -1
    inputs = np.vstack([given, outputs[2:-1]])
    sequences = Sequences(inputs, np.array([0]), np.array([9]), row_wise=True)
    (window,) = sequences.windows(np.array([0]), None, np.ones(9, dtype=bool))
    expected = net.forward(window, None)
    np.testing.assert_allclose(outputs, net.read(window), rtol=1e-12, atol=1e-14)
    for parts, others in zip(state, expected, strict=True):
        for part, other in zip(parts, others, strict=True):
            np.testing.assert_allclose(part, other, rtol=1e-12, atol=1e-14)
    begin, carried, _ = net.closed_loop(None, given, 4)
    rest, _, _ = net.closed_loop(carried, begin[-1], 5)
    np.testing.assert_array_equal(np.vstack([begin, rest]), outputs)


def test_a_closed_loop_may_feed_softmax_or_label():
    net = network("gru", "plain", softmax=True)
    for feed in ("softmax", "label"):
        outputs, _, _ = net.closed_loop(None, np.zeros(2), 6, feed=feed)
        fed = np.array([naive_cells.softmax(row) for row in outputs[:-1]])
        fed = np.eye(2)[outputs[:-1].argmax(axis=1)] if feed == "label" else fed
        given, _, _ = net.closed_loop(None, np.vstack([np.zeros(2), fed]), 6)
        np.testing.assert_allclose(given, outputs, rtol=1e-13, atol=1e-14)


def test_a_closed_loop_says_where_it_left_the_finite():
    net = network("elman", "plain", relu=True)
    net.parameters[:] = 5.0
    with np.errstate(all="ignore"):  # speaks only without the jit
        outputs, _, bad = net.closed_loop(None, np.ones(2), 2000)
    assert 0 < bad < 2000
    assert np.isfinite(outputs[:bad]).all()
    assert not np.isfinite(outputs[bad]).all()


@pytest.mark.parametrize("name", ["bidirectional", "plain"])
def test_a_closed_loop_that_cannot_be_is_refused(name):
    net = network("lstm", name, n_inputs=3)
    with pytest.raises(ValueError, match=r"two directions|as many outputs as inputs; got 2"):
        net.closed_loop(None, np.zeros(3), 4)


@pytest.mark.parametrize("row_wise", [True, False])
@pytest.mark.parametrize(("cell", "name"), CASES)
def test_the_input_gradient_is_the_central_difference(cell, name, row_wise):
    net, rows, step = network(cell, name), np.random.RandomState(3).randn(4, 2), 3 - row_wise
    sequences = Sequences(rows, np.array([0]), np.array([4]), row_wise=row_wise)

    def value():
        return net.outputs(sequences, np.ones(4 if row_wise else 1, dtype=bool), 1)[
            -1 - row_wise, 1
        ]

    got = net.input_gradient(rows, 1, step, row_wise=row_wise)
    expected = naive_cells.central_difference(value, rows)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("cell", "name"), CASES)
def test_columns_are_what_the_head_sees(cell, name, last):
    X, y = data()
    if last:
        net = classifier(cell, name, split(X), [1, 0, 2])
    else:
        net = regressor(cell, name, X, y)
    n_read = 3 if last else len(X)
    net_now = net._current_network(2, X.dtype)
    stops = np.cumsum(LENGTHS)
    sequences = Sequences(X, stops - LENGTHS, stops, row_wise=not last)
    got = net_now.outputs(sequences, np.ones(n_read, dtype=bool), 2, columns=True)
    expected = [naive_cells.columns(net, part, last=last)[0] for part in split(X)]
    np.testing.assert_allclose(got, np.concatenate(expected), rtol=1e-12, atol=1e-13)


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
