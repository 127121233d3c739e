"""What a recurrent cell is: shapes, first weights, forward, backward. Everything else follows.

Arrays are feature-major, (time, feature, batch). The weights of a layer are one matrix
``[recurrent | input | bias]`` that multiplies the columns ``[h(t-1); x(t); 1]``.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..kernels.cell_elman import elman_backward, elman_forward
from ..kernels.cell_lstm import lstm_backward, lstm_forward
from ._initialization import RECURRENT_INITS, child, glorot_uniform

State = tuple[np.ndarray, ...]


class Cell:
    """One layer of recurrent units, with the workspace of the window it saw last.

    A subclass says how many gate blocks and state arrays it has and calls its kernels.

    Parameters
    ----------
    n_units, n_inputs : int
    relu : bool
        Whether max(a, 0) takes the place of tanh (Elman only).
    """

    n_gates: ClassVar[int] = 1
    n_states: ClassVar[int] = 1  # arrays (n_units, batch) carried from step to step, h first
    forget_gate: ClassVar[int | None] = None  # whose bias starts at 1

    def __init__(self, n_units: int, n_inputs: int, relu: bool = False) -> None:
        self.n_units = n_units
        self.n_inputs = n_inputs
        self.relu = relu
        self.columns = np.empty((0, 0, 0))

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.n_gates * self.n_units, self.n_units + self.n_inputs + 1

    def draw(self, rng: np.random.RandomState, recurrent_init: str) -> np.ndarray:
        """First weights, gate block by gate block."""
        n_units = self.n_units
        weights = np.zeros((self.n_gates, n_units, self.shape[1]))
        for_recurrent, for_inputs = child(rng), child(rng)
        for block in weights:
            block[:, :n_units] = RECURRENT_INITS[recurrent_init](for_recurrent, n_units)
            block[:, n_units:-1] = glorot_uniform(for_inputs, n_units, self.n_inputs)
        if self.forget_gate is not None:
            weights[self.forget_gate, :, -1] = 1.0
        return weights.reshape(self.shape)

    def forward(
        self, weights: np.ndarray, inputs: np.ndarray, lengths: np.ndarray, state: State | None
    ) -> State:
        """Run a window and return the state after it.

        Parameters
        ----------
        weights : ndarray of shape `shape`
        inputs : ndarray of shape (n_timesteps, n_inputs, batch)
        lengths : ndarray of int64, shape (batch,)
            Time steps of each series inside the window.
        state : n_states arrays (n_units, batch), or None for zeros
        """
        n_timesteps, _, n_batch = inputs.shape
        needed = (n_timesteps + 1, self.shape[1], n_batch)
        if self.columns.shape != needed or self.columns.dtype != weights.dtype:
            self._allocate(n_timesteps, n_batch, weights.dtype)
        self.columns[:-1, self.n_units : -1] = inputs
        if state is None:
            state = (np.zeros((), dtype=weights.dtype),) * self.n_states
        return self._forward(weights, lengths, state)

    def backward(
        self, weights: np.ndarray, upstream: np.ndarray, gradient: np.ndarray, to_inputs: bool
    ) -> np.ndarray | None:
        """Send dL/dh(t) back through the window of the last `forward`.

        Parameters
        ----------
        upstream : ndarray of shape (n_timesteps, n_units, batch)
            May be overwritten.
        gradient : ndarray of shape `shape`
            dL/dweights is added here.
        to_inputs : bool
            Whether to return dL/dinputs, of the shape of the inputs.
        """
        recurrent_t = np.ascontiguousarray(weights[:, : self.n_units].T)
        pre = _side_by_side(self._backward(recurrent_t, upstream))
        gradient += pre @ _side_by_side(self.columns[:-1]).T
        if not to_inputs:
            return None
        n_timesteps, _, n_batch = upstream.shape
        flat = weights[:, self.n_units : -1].T @ pre
        back = flat.reshape(self.n_inputs, n_timesteps, n_batch).transpose(1, 0, 2)
        return np.ascontiguousarray(back)

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        self.columns = np.empty((n_timesteps + 1, self.shape[1], n_batch), dtype=dtype)
        self.columns[:, -1] = 1.0

    def _forward(self, weights: np.ndarray, lengths: np.ndarray, state: State) -> State:
        raise NotImplementedError

    def _backward(self, recurrent_t: np.ndarray, upstream: np.ndarray) -> np.ndarray:
        """Gradient with respect to W h + U x + b, (n_timesteps, n_gates * n_units, batch)."""
        raise NotImplementedError


class ElmanCell(Cell):
    """h(t) = f(W h(t-1) + U x(t) + b), f = tanh or ReLU (Elman 1990)."""

    def _forward(self, weights: np.ndarray, lengths: np.ndarray, state: State) -> State:
        n_units = self.n_units
        self.columns[0, :n_units] = state[0]
        scratch = np.empty((n_units, self.columns.shape[2]), dtype=weights.dtype)
        elman_forward(weights, self.relu, lengths, scratch, self.columns)
        return (self.columns[-1, :n_units].copy(),)

    def _backward(self, recurrent_t: np.ndarray, upstream: np.ndarray) -> np.ndarray:
        dh = np.zeros(upstream.shape[1:], dtype=upstream.dtype)
        elman_backward(recurrent_t, self.relu, self.columns, dh, upstream)
        return upstream


class LSTMCell(Cell):
    """i, f, o = sigmoid(.), g = tanh(.), c = f c + i g, h = o tanh c.

    Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000,
    whose bias starts at 1 (Jozefowicz, Zaremba and Sutskever 2015).
    """

    n_gates = 4
    n_states = 2
    forget_gate = 1

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        super()._allocate(n_timesteps, n_batch, dtype)
        n_units = self.n_units
        self.gates = np.empty((n_timesteps, 4 * n_units, n_batch), dtype=dtype)
        self.cells = np.empty((n_timesteps + 1, n_units, n_batch), dtype=dtype)
        self.squashed = np.empty((n_timesteps, n_units, n_batch), dtype=dtype)

    def _forward(self, weights: np.ndarray, lengths: np.ndarray, state: State) -> State:
        n_units = self.n_units
        self.columns[0, :n_units] = state[0]
        self.cells[0] = state[1]
        lstm_forward(weights, lengths, self.columns, self.gates, self.cells, self.squashed)
        return self.columns[-1, :n_units].copy(), self.cells[-1].copy()

    def _backward(self, recurrent_t: np.ndarray, upstream: np.ndarray) -> np.ndarray:
        dh = np.zeros(upstream.shape[1:], dtype=upstream.dtype)
        dc = np.zeros_like(dh)
        lstm_backward(recurrent_t, self.gates, self.cells, self.squashed, upstream, dh, dc)
        return self.gates


CELLS: dict[str, type[Cell]] = {"elman": ElmanCell, "lstm": LSTMCell}


def _side_by_side(stack: np.ndarray) -> np.ndarray:
    """(time, feature, batch) -> (feature, time * batch), so that one product sums a window."""
    return stack.transpose(1, 0, 2).reshape(stack.shape[1], -1)
