"""The Jordan cell, whose recurrence is the output of the network; so it holds the way there."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from ..kernels import cell_forward as forwards
from ._cells import Cell, State
from ._head import Head


class JordanCell(Cell):
    """h(t) = f(W y(t-1) + U x(t) + b), y the network's output, zeros first (Jordan 1986).

    Where the window brings forced values they take the place of y; a forced value carries no
    gradient.

    Parameters
    ----------
    n_units, n_inputs : int
    relu : bool
    n_recurrent : int
        Outputs of the network.

    Attributes
    ----------
    head : Head
        From h to the output.
    softmax : bool
        Whether y is the softmax of the output.
    dense : list of ndarray
        Weights of `head`; set before every window.
    forced : ndarray of shape (n_timesteps, n_recurrent, batch), or None
        What takes the place of y(t), NaN where nothing does; set before every window.
    """

    code = forwards.JORDAN
    head: Head
    softmax = False
    dense: list[np.ndarray]
    forced: np.ndarray | None = None

    @property
    def hidden(self) -> np.ndarray:
        """h(t) of the last window, (n_timesteps, n_units, batch); zero behind ends."""
        return self._hidden

    def _allocate(self, n_timesteps: int, n_batch: int, dtype: np.dtype) -> None:
        super()._allocate(n_timesteps, n_batch, dtype)
        self._hidden = np.empty((n_timesteps, self.n_units, n_batch), dtype=dtype)

    def _forward(self, flat: np.ndarray, state: State) -> None:
        matrix = self.matrix(flat)
        for t in range(self._hidden.shape[0]):
            h = self._hidden[t]
            np.dot(matrix, self.columns[t], out=h)
            forwards.elman_gates(self.relu, h.reshape(-1), h.reshape(-1))
            ended = t >= self.lengths
            h[:, ended] = 0.0
            fed = self._fed(h.T)
            if self.forced is not None:
                given = self.forced[t].T
                fed = np.where(np.isnan(given), fed, given)
            fed[ended] = 0.0
            self.columns[t + 1, : self.n_recurrent] = fed.T

    def _fed(self, hidden: np.ndarray) -> np.ndarray:
        outputs = self.head.forward(self.dense, hidden)[-1]
        return softmax(outputs, axis=1) if self.softmax else outputs

    def output_errors(self, flat: np.ndarray, errors: np.ndarray, beyond: State | None) -> None:
        """Make dL/doutput(t) of the loss at t into that of all later steps, in place.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
        errors : ndarray of shape (n_timesteps, batch, n_recurrent)
        beyond : one array (n_recurrent, batch), or None
            dL/dy of the last step of each series.
        """
        n_timesteps, n_batch, _ = errors.shape
        recurrent_t = self._recurrent_t(flat)
        self._pre = np.empty_like(self._hidden)
        dy = np.zeros((self.n_recurrent, n_batch), dtype=flat.dtype)
        for t in range(n_timesteps - 1, -1, -1):
            if beyond is not None:
                last = self.lengths == t + 1
                dy[:, last] = beyond[0][:, last]
            h = self._hidden[t]
            columns = self.head.forward(self.dense, h.T)
            if self.softmax:
                p = softmax(columns[-1], axis=1)
                back = p * (dy.T - np.sum(p * dy.T, axis=1, keepdims=True))
            else:
                back = dy.T
            if self.forced is not None:
                back = np.where(np.isnan(self.forced[t].T), back, 0.0)
            back[t >= self.lengths] = 0.0
            errors[t] += back
            dh = self.head.backward(self.dense, columns, errors[t]).T
            slope = h > 0 if self.relu else 1.0 - h * h
            self._pre[t] = dh * slope
            dy = recurrent_t @ self._pre[t]
        self._before = (dy,)

    def _backward(
        self, flat: np.ndarray, upstream: np.ndarray, beyond: State | None
    ) -> tuple[np.ndarray, State]:
        return self._pre, self._before
