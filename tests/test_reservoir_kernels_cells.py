"""The cell kernels against their naive twins and against central differences."""

import naive_cells
import numpy as np
import pytest

from reservoir.baselines._cells import LSTMCell, _block
from reservoir.kernels.cell_backward import (
    add_weight_gradients,
    elman_backward,
    gru_backward,
    lstm_backward,
)
from reservoir.kernels.cell_forward import elman_forward, gru_forward, lstm_forward

N_UNITS, N_INPUTS, BLOCK = 3, 2, 2  # a block that does not divide the units
LENGTHS = np.array([4, 2, 3])


class Elman:
    n_gates = 1

    def __init__(self, relu):
        self.relu = relu

    def forward(self, W, columns, initial):
        columns[0, :N_UNITS] = initial[0]
        scratch = np.empty((N_UNITS, columns.shape[2]), columns.dtype)
        elman_forward(W, BLOCK, self.relu, LENGTHS, scratch, columns)
        self.columns = columns
        return columns[1:, :N_UNITS]

    def backward(self, W, upstream):
        dh = np.zeros(upstream.shape[1:], upstream.dtype)
        grads = upstream.copy()
        recurrent_t = np.ascontiguousarray(W[:, :N_UNITS].T)
        elman_backward(recurrent_t, BLOCK, self.relu, self.columns, dh, grads)
        return grads, (dh,)

    def naive(self, parts, X, state):
        f = naive_cells.relu if self.relu else np.tanh
        return naive_cells.elman(parts, X, state, f)[0]


class LSTM:
    n_gates = 4

    def __init__(self, n_peepholes):
        self.p = np.random.RandomState(8).normal(size=(n_peepholes, N_UNITS))

    def forward(self, W, columns, initial):
        n_timesteps, n_batch = columns.shape[0] - 1, columns.shape[2]
        self.gates = np.empty((n_timesteps, 4 * N_UNITS, n_batch), columns.dtype)
        self.cells = np.empty((n_timesteps + 1, N_UNITS, n_batch), columns.dtype)
        self.squashed = np.empty((n_timesteps, N_UNITS, n_batch), columns.dtype)
        columns[0, :N_UNITS], self.cells[0] = initial
        p = self.p.astype(W.dtype)
        lstm_forward(W, BLOCK, p, LENGTHS, columns, self.gates, self.cells, self.squashed)
        return columns[1:, :N_UNITS]

    def backward(self, W, upstream):
        dh, dc, beyond = np.zeros((3, *upstream.shape[1:]), upstream.dtype)
        grads = self.gates.copy()
        recurrent_t = np.ascontiguousarray(W[:, :N_UNITS].T)
        history = (self.cells, self.squashed, upstream)
        lstm_backward(recurrent_t, BLOCK, self.p, LENGTHS, beyond, grads, *history, dh, dc)
        return grads, (dh, dc)

    def naive(self, parts, X, state):
        if not self.p.size:
            return naive_cells.lstm(parts, X, state)[0]
        return naive_cells.peephole_lstm({**parts, "peephole": self.p.ravel()}, X, state)[0]


class GRU:
    n_gates = 3

    def forward(self, W, columns, initial):
        n_timesteps, n_batch = columns.shape[0] - 1, columns.shape[2]
        self.reset = columns[:-1].copy()
        self.gates = np.empty((n_timesteps, 3 * N_UNITS, n_batch), columns.dtype)
        columns[0, :N_UNITS] = initial[0]
        gru_forward(W, BLOCK, LENGTHS, columns, self.reset, self.gates)
        self.columns = columns
        return columns[1:, :N_UNITS]

    def backward(self, W, upstream):
        scratch, dh = np.zeros((2, *upstream.shape[1:]), upstream.dtype)
        grads = self.gates.copy()
        zr, candidate = (
            np.ascontiguousarray(part.T) for part in np.split(W[:, :N_UNITS], [2 * N_UNITS])
        )
        gru_backward(zr, candidate, BLOCK, self.columns, grads, upstream, scratch, dh)
        return grads, (dh,)

    def naive(self, parts, X, state):
        return naive_cells.gru(parts, X, state)[0]


CELLS = {"tanh": Elman(False), "relu": Elman(True), "lstm": LSTM(0), "peephole": LSTM(3)}
CELLS["gru"] = GRU()


def draw(cell, dtype=np.float64):
    rng = np.random.RandomState(3)
    n_columns = N_UNITS + N_INPUTS + 1
    W = rng.normal(size=(cell.n_gates * N_UNITS, n_columns)).astype(dtype)
    columns = np.ones((LENGTHS.max() + 1, n_columns, LENGTHS.size), dtype)
    columns[:-1, N_UNITS:-1] = rng.normal(size=(LENGTHS.max(), N_INPUTS, LENGTHS.size))
    initial = list(rng.normal(size=(2 if cell.n_gates == 4 else 1, N_UNITS, 3)).astype(dtype))
    return W, columns, initial, rng


def parts_of(W):
    return {"recurrent": W[:, :N_UNITS], "input": W[:, N_UNITS:-1], "bias": W[:, -1]}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_forward_is_the_published_recursion(name, dtype, rtol):
    cell = CELLS[name]
    W, columns, initial, _ = draw(cell, dtype)
    X = columns[:-1, N_UNITS:-1].copy()
    H = cell.forward(W, columns, initial)
    assert H.dtype == dtype
    for b, length in enumerate(LENGTHS):
        state = tuple(part[:, b] for part in initial)
        expected = cell.naive(parts_of(W), X[:length, :, b], state)
        np.testing.assert_allclose(H[:length, :, b], expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", CELLS)
def test_state_is_zero_behind_the_end_of_a_series(name):
    cell = CELLS[name]
    W, columns, initial, _ = draw(cell)
    H = cell.forward(W, columns, initial)
    for b, length in enumerate(LENGTHS):
        assert (H[:length, :, b] != 0).any(axis=1).all()
        assert (H[length:, :, b] == 0).all()


@pytest.mark.parametrize("name", CELLS)
def test_backward_is_the_central_difference(name):
    """Of sum_t u(t) . h(t), with respect to weights and to the state before the window."""
    cell = CELLS[name]
    W, columns, initial, rng = draw(cell)
    upstream = rng.normal(size=(LENGTHS.max(), N_UNITS, LENGTHS.size))
    for b, length in enumerate(LENGTHS):
        upstream[length:, :, b] = 0.0

    def value():
        return np.sum(upstream * cell.forward(W, columns.copy(), initial))

    by_weight = naive_cells.central_difference(value, W)
    by_state = [naive_cells.central_difference(value, part) for part in initial]
    value()
    grads, from_states = cell.backward(W, upstream)
    seen = cell_columns(cell, W, columns, initial)
    gradient = np.einsum("tgb,tcb->gc", grads, seen)
    if cell.n_gates == 3:  # h~ sees [r h, x]
        candidate = slice(2 * N_UNITS, None)
        gradient[candidate] = np.einsum("tgb,tcb->gc", grads[:, candidate], cell.reset)
    np.testing.assert_allclose(gradient, by_weight, rtol=1e-8, atol=1e-8)
    for got, expected in zip(from_states, by_state, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-8)


def cell_columns(cell, W, columns, initial):
    filled = columns.copy()
    cell.forward(W, filled, initial)
    return filled[:-1]


@pytest.mark.parametrize("name", CELLS)
def test_a_nan_is_not_swallowed(name):
    cell = CELLS[name]
    W, columns, initial, _ = draw(cell)
    columns[0, N_UNITS, 0] = np.nan
    H = cell.forward(W, columns, initial)
    assert np.isnan(H[: LENGTHS[0], :, 0]).all()
    assert np.isfinite(H[:, :, 1:]).all()


@pytest.mark.parametrize("n_chunk", [1, 2, 5, 8])
def test_weight_gradients_sum_over_time_and_batch_whatever_the_chunk(n_chunk):
    rng = np.random.RandomState(0)
    pre, columns = rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 6, 3))
    start = rng.normal(size=(4, 6))
    gradient, product = start.copy(), np.empty((4, 6))
    left, right = np.empty(4 * n_chunk * 3), np.empty(6 * n_chunk * 3)
    add_weight_gradients(pre, columns, left, right, product, gradient)
    expected = start + np.einsum("tgb,tcb->gc", pre, columns)
    np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("n_units", "n_batch"), [(100, 32), (300, 32), (100, 128)])
def test_blocks_of_rows_change_rounding_only(n_units, n_batch):
    rng = np.random.RandomState(0)
    cell = LSTMCell(n_units, 2)
    flat = rng.uniform(-0.1, 0.1, cell.n_parameters)
    columns = rng.normal(size=(4, n_units + 3, n_batch))
    arrays = [np.empty((3, 4 * n_units, n_batch)), np.zeros((4, n_units, n_batch))]
    results = []
    for block in (4 * n_units, _block(cell.matrix(flat), n_batch), 37):
        mine = columns.copy()
        lengths, squashed = np.full(n_batch, 3), np.empty((3, n_units, n_batch))
        rest = (cell.peephole(flat), lengths, mine, *arrays, squashed)
        lstm_forward(cell.matrix(flat), block, *rest)
        results.append(mine)
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=1e-12, atol=1e-13)
