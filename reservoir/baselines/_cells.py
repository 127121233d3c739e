"""What a recurrent cell is: shapes, first weights, forward, backward. Everything else follows.

Arrays are feature-major, (time, feature, batch). The weights of a cell are one matrix
``[recurrent | input | bias]`` that multiplies the columns ``[recurrent(t); x(t); 1]``, and the
diagonal peepholes where there are any. Directions, stacks and masks know nothing of the kind of
cell: they hand in inputs, lengths and states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from ..kernels import cell_backward as backwards
from ..kernels import cell_forward as forwards
from ._initialization import child, chrono, glorot_uniform

State = tuple[np.ndarray, ...]

_SMALL_PRODUCT = 1_000_000  # multiplications up to which OpenBLAS packs nothing
_WIDEST_BATCH = 64  # packing pays with more series, or with fewer rows at a time than these
_FEWEST_ROWS = 24
_CHUNK = 640  # time steps x batch of one product for weight gradients


class Cell:
    """One layer of recurrent units in one direction, with the workspace of its last window.

    A subclass says how many gate blocks and state arrays it has and calls its kernels.

    Parameters
    ----------
    n_units, n_inputs : int
    relu : bool
        Whether max(a, 0) takes the place of tanh (Elman and Jordan only).
    n_recurrent : int, optional
        Entries of what recurs; `n_units` unless it is the output of the network (Jordan).
    """

    code: ClassVar[int]
    n_gates: ClassVar[int] = 1
    n_states: ClassVar[int] = 1  # arrays (n_recurrent, batch) carried from step to step, h first
    n_peepholes: ClassVar[int] = 0
    forget_gate: ClassVar[int | None] = None  # what it multiplies is the cell before
    input_gate: ClassVar[int | None] = None  # what it multiplies is new

    def __init__(
        self, n_units: int, n_inputs: int, relu: bool = False, n_recurrent: int | None = None
    ) -> None:
        self.n_units = n_units
        self.n_inputs = n_inputs
        self.relu = relu
        self.n_recurrent = n_units if n_recurrent is None else n_recurrent
        self.columns = np.empty((0, 0, 0))

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix [recurrent | input | bias]."""
        return self.n_gates * self.n_units, self.n_recurrent + self.n_inputs + 1

    @property
    def n_parameters(self) -> int:
        """Entries of the matrix and of the peepholes."""
        return self.shape[0] * self.shape[1] + self.n_peepholes * self.n_units

    def matrix(self, flat: np.ndarray) -> np.ndarray:
        """The matrix within the parameters of the cell, a view."""
        return flat[: self.shape[0] * self.shape[1]].reshape(self.shape)

    def peephole(self, flat: np.ndarray) -> np.ndarray:
        """The peepholes within the parameters, (n_peepholes, n_units), a view."""
        return flat[self.shape[0] * self.shape[1] :].reshape(self.n_peepholes, self.n_units)

    def parts(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Views of the parameters under the names users know."""
        matrix, n = self.matrix(flat), self.n_recurrent
        parts = {"input": matrix[:, n:-1], "recurrent": matrix[:, :n], "bias": matrix[:, -1]}
        if self.n_peepholes:
            parts["peephole"] = self.peephole(flat).reshape(-1)
        return parts

    def draw(
        self,
        rng: np.random.RandomState,
        recurrent: Callable[[np.random.RandomState, int], np.ndarray],
        flat: np.ndarray,
        forget_bias: float | str = 1.0,
        longest: int = 1,
    ) -> None:
        """Set the first weights, gate block by gate block.

        Parameters
        ----------
        rng : RandomState
        recurrent : callable
            Draws a square matrix.
        flat : ndarray of shape (n_parameters,)
        forget_bias : float or "chrono"
        longest : int
            Time steps of the longest window, for "chrono".
        """
        n_units, n_recurrent = self.n_units, self.n_recurrent
        flat[:] = 0.0
        for_recurrent, for_inputs = child(rng), child(rng)
        blocks = self.matrix(flat).reshape(self.n_gates, n_units, -1)
        for block in blocks:
            square = recurrent(for_recurrent, max(n_units, n_recurrent))
            block[:, :n_recurrent] = square[:n_units, :n_recurrent]
            block[:, n_recurrent:-1] = glorot_uniform(for_inputs, n_units, self.n_inputs)
        if self.forget_gate is not None and not isinstance(forget_bias, str):
            blocks[self.forget_gate, :, -1] = forget_bias
        if self.n_peepholes:
            limit = 1.0 / np.sqrt(n_units)
            flat[self.shape[0] * self.shape[1] :] = child(rng).uniform(
                -limit, limit, self.n_peepholes * n_units
            )
        if forget_bias == "chrono":
            kept = chrono(child(rng), n_units, longest)
            if self.forget_gate is not None:
                blocks[self.forget_gate, :, -1] = kept
            if self.input_gate is not None:
                blocks[self.input_gate, :, -1] = -kept

    def forward(
        self,
        flat: np.ndarray,
        inputs: Sequence[np.ndarray],
        lengths: np.ndarray,
        state: State | None,
    ) -> State:
        """Run a window and return the state of each series after its last step.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
        inputs : arrays (n_timesteps, ., batch), n_inputs features together
        lengths : ndarray of int64, shape (batch,)
            Time steps of each series inside the window.
        state : n_states arrays (n_recurrent, batch), or None for zeros
        """
        n_timesteps, _, n_batch = inputs[0].shape
        needed = (n_timesteps + 1, self.shape[1], n_batch)
        if self.columns.shape != needed or self.columns.dtype != flat.dtype:
            self._allocate(n_timesteps, n_batch, flat.dtype)
        begin = self.n_recurrent
        for part in inputs:
            self.columns[:-1, begin : begin + part.shape[1]] = part
            begin += part.shape[1]
        if state is None:
            state = (np.zeros((), dtype=flat.dtype),) * self.n_states
        self.columns[0, : self.n_recurrent] = state[0]
        self.lengths = lengths
        self._forward(flat, state)
        return tuple(_at_ends(history, lengths) for history in self._histories())

    def backward(
        self,
        flat: np.ndarray,
        upstream: np.ndarray,
        gradient: np.ndarray,
        *,
        beyond: State | None = None,
        to_inputs: bool = False,
    ) -> tuple[State, np.ndarray | None]:
        """Send dL/dh(t) back through the window of the last `forward`, which can be done once.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
        upstream : ndarray of shape (n_timesteps, n_units, batch)
            Zero behind the end of a series; may be overwritten.
        gradient : ndarray of shape (n_parameters,)
            dL/dparameters is added here.
        beyond : n_states arrays (n_recurrent, batch), or None for zeros
            dL/dstate after the last step of each series, from what comes behind the window.
        to_inputs : bool
            Whether dL/dinputs is wanted.

        Returns
        -------
        dL/dstate before the window, and dL/dinputs (n_timesteps, n_inputs, batch) or None
        """
        pre, before = self._backward(flat, upstream, beyond)
        self._add_gradients(pre, gradient)
        if not to_inputs:
            return before, None
        inputs_t = np.ascontiguousarray(self.matrix(flat)[:, self.n_recurrent : -1].T)
        return before, np.matmul(inputs_t, pre)

    @property
    def hidden(self) -> np.ndarray:
        """h(t) of the last window, (n_timesteps, n_units, batch); zero behind ends."""
        return self.columns[1:, : self.n_units]

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        self.columns = np.empty((n_timesteps + 1, self.shape[1], n_batch), dtype=dtype)
        self.columns[:, -1] = 1.0

    def _forward(self, flat: np.ndarray, state: State) -> None:
        raise NotImplementedError

    def _histories(self) -> tuple[np.ndarray, ...]:
        """Arrays (n_timesteps + 1, n_recurrent, batch) whose entry t is the state before step t."""
        return (self.columns[:, : self.n_recurrent],)

    def _backward(
        self, flat: np.ndarray, upstream: np.ndarray, beyond: State | None
    ) -> tuple[np.ndarray, State]:
        """dL/d(W h + U x + b), (n_timesteps, n_gates * n_units, batch), and dL/dstate before."""
        raise NotImplementedError

    def _add_gradients(self, pre: np.ndarray, gradient: np.ndarray) -> None:
        _add_products(pre, self.columns[:-1], self.matrix(gradient))

    def _recurrent_t(self, flat: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.matrix(flat)[:, : self.n_recurrent].T)

    def _add_beyond(self, upstream: np.ndarray, beyond: State | None) -> None:
        """A gradient for h behind the window is one for the last h of each series."""
        if beyond is not None:
            series = np.arange(self.lengths.size)
            upstream[self.lengths - 1, :, series] += beyond[0].T


class ElmanCell(Cell):
    """h(t) = f(W h(t-1) + U x(t) + b), f = tanh or ReLU (Elman 1990)."""

    code = forwards.ELMAN

    def _forward(self, flat: np.ndarray, state: State) -> None:
        scratch = np.empty((self.n_units, self.columns.shape[2]), dtype=flat.dtype)
        matrix, block = self.matrix(flat), _block(self.matrix(flat), scratch.shape[1])
        forwards.elman_forward(matrix, block, self.relu, self.lengths, scratch, self.columns)

    def _backward(
        self, flat: np.ndarray, upstream: np.ndarray, beyond: State | None
    ) -> tuple[np.ndarray, State]:
        self._add_beyond(upstream, beyond)
        dh = np.zeros(upstream.shape[1:], dtype=upstream.dtype)
        recurrent_t = self._recurrent_t(flat)
        block = _block(recurrent_t, dh.shape[1])
        backwards.elman_backward(recurrent_t, block, self.relu, self.columns, dh, upstream)
        return upstream, (dh,)


class LSTMCell(Cell):
    """i, f, o = sigmoid(.), g = tanh(.), c = f c + i g, h = o tanh c.

    Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000,
    whose bias starts at 1 unless said otherwise (Jozefowicz, Zaremba and Sutskever 2015).
    """

    code = forwards.LSTM
    n_gates = 4
    n_states = 2
    forget_gate = 1
    input_gate = 0

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        super()._allocate(n_timesteps, n_batch, dtype)
        n_units = self.n_units
        self.gates = np.empty((n_timesteps, 4 * n_units, n_batch), dtype=dtype)
        self.cells = np.empty((n_timesteps + 1, n_units, n_batch), dtype=dtype)
        self.squashed = np.empty((n_timesteps, n_units, n_batch), dtype=dtype)

    def _histories(self) -> tuple[np.ndarray, ...]:
        return self.columns[:, : self.n_units], self.cells

    def _forward(self, flat: np.ndarray, state: State) -> None:
        self.cells[0] = state[1]
        forwards.lstm_forward(
            self.matrix(flat),
            _block(self.matrix(flat), self.columns.shape[2]),
            self.peephole(flat),
            self.lengths,
            self.columns,
            self.gates,
            self.cells,
            self.squashed,
        )

    def _backward(
        self, flat: np.ndarray, upstream: np.ndarray, beyond: State | None
    ) -> tuple[np.ndarray, State]:
        self._add_beyond(upstream, beyond)
        dh = np.zeros(upstream.shape[1:], dtype=upstream.dtype)
        last = np.zeros_like(dh) if beyond is None else np.ascontiguousarray(beyond[1], dh.dtype)
        dc = last.copy()
        recurrent_t = self._recurrent_t(flat)
        backwards.lstm_backward(
            recurrent_t,
            _block(recurrent_t, dh.shape[1]),
            self.peephole(flat),
            self.lengths,
            last,
            self.gates,
            self.cells,
            self.squashed,
            upstream,
            dh,
            dc,
        )
        return self.gates, (dh, dc)


class PeepholeLSTMCell(LSTMCell):
    """LSTM whose gates see the cell: p_i c(t-1) in i, p_f c(t-1) in f, p_o c(t) in o.

    Gers, Schraudolph and Schmidhuber 2002; the p are diagonal.
    """

    code = forwards.PEEPHOLE_LSTM
    n_peepholes = 3

    def _add_gradients(self, pre: np.ndarray, gradient: np.ndarray) -> None:
        super()._add_gradients(pre, gradient)
        i, f, _, o = np.split(self.gates, 4, axis=1)
        seen = (i, self.cells[:-1]), (f, self.cells[:-1]), (o, self.cells[1:])
        for target, (gate, cell) in zip(self.peephole(gradient), seen, strict=True):
            target += np.einsum("tkb,tkb->k", gate, cell)


class GRUCell(Cell):
    """z, r = sigmoid(.), h~ = tanh(W [r h, x]), h = (1 - z) h + z h~ (Cho et al. 2014).

    The reset gate acts on h before the matrix product.
    """

    code = forwards.GRU
    n_gates = 3
    input_gate = 0  # and, as 1 - z, the forget gate

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        super()._allocate(n_timesteps, n_batch, dtype)
        self.reset_columns = np.empty((n_timesteps, self.shape[1], n_batch), dtype=dtype)
        self.gates = np.empty((n_timesteps, 3 * self.n_units, n_batch), dtype=dtype)

    def _forward(self, flat: np.ndarray, state: State) -> None:
        self.reset_columns[:, self.n_units :] = self.columns[:-1, self.n_units :]
        matrix = self.matrix(flat)
        block = _block(matrix[: self.n_units], self.columns.shape[2])
        forwards.gru_forward(
            matrix, block, self.lengths, self.columns, self.reset_columns, self.gates
        )

    def _backward(
        self, flat: np.ndarray, upstream: np.ndarray, beyond: State | None
    ) -> tuple[np.ndarray, State]:
        self._add_beyond(upstream, beyond)
        scratch, dh = np.zeros((2, *upstream.shape[1:]), dtype=upstream.dtype)
        recurrent_t = self.matrix(flat)[:, : self.n_units].T
        gates_t = np.ascontiguousarray(recurrent_t[:, : 2 * self.n_units])
        backwards.gru_backward(
            gates_t,
            np.ascontiguousarray(recurrent_t[:, 2 * self.n_units :]),
            _block(gates_t, dh.shape[1]),
            self.columns,
            self.gates,
            upstream,
            scratch,
            dh,
        )
        return self.gates, (dh,)

    def _add_gradients(self, pre: np.ndarray, gradient: np.ndarray) -> None:
        target, n_both = self.matrix(gradient), 2 * self.n_units
        _add_products(pre[:, :n_both], self.columns[:-1], target[:n_both])
        _add_products(pre[:, n_both:], self.reset_columns, target[n_both:])


def _block(matrix: np.ndarray, n_batch: int) -> int:
    """Rows to multiply at a time: each product a small one, or all rows where packing pays."""
    n_rows, n_columns = matrix.shape
    most = _SMALL_PRODUCT // (n_columns * n_batch)
    if n_batch > _WIDEST_BATCH or most < _FEWEST_ROWS:
        return n_rows
    n_blocks = -(-n_rows // most)
    return -(-n_rows // n_blocks)


def _add_products(pre: np.ndarray, columns: np.ndarray, gradient: np.ndarray) -> None:
    """gradient += sum_t pre(t) columns(t)'."""
    n_timesteps, n_rows, n_batch = pre.shape
    n_chunk = min(max(_CHUNK // n_batch, 1), n_timesteps)
    left = np.empty(n_rows * n_chunk * n_batch, dtype=pre.dtype)
    right = np.empty(columns.shape[1] * n_chunk * n_batch, dtype=pre.dtype)
    product = np.empty(gradient.shape, dtype=pre.dtype)
    backwards.add_weight_gradients(pre, columns, left, right, product, gradient)


def _at_ends(history: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """State of each series after its last step, (n_recurrent, batch)."""
    return np.ascontiguousarray(history[lengths, :, np.arange(lengths.size)].T)
