"""The network under the estimators: states, inputs, windows, free runs and what the head sees."""

import naive_cells
import numpy as np
import pytest
from rnn_arrangements import CASES, LENGTHS, batch, classifier, data, network, regressor, split

from reservoir.baselines._network import CELLS
from reservoir.baselines._windows import Sequences


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
