"""Recurrent layers, one or two directions each, under dense layers; parameters in one flat vector.

How they are joined:

* a layer after the first sees the layer below, forward before backward, and with skip connections
  the inputs behind it;
* the output, through the dense ReLU layers of the head where there are any, sees the last layer,
  with skip connections all layers, first layer first;
* the backward direction of a layer is the same cell on each series reversed within its own length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ._cells import Cell, ElmanCell, GRUCell, LSTMCell, PeepholeLSTMCell, State
from ._closed_loop import RowRunner
from ._head import Head
from ._initialization import child, glorot_uniform, recurrent_drawer
from ._jordan import JordanCell
from ._names import load, names
from ._windows import Sequences, Window

CELLS: dict[str, type[Cell]] = {
    "elman": ElmanCell,
    "jordan": JordanCell,
    "lstm": LSTMCell,
    "peephole_lstm": PeepholeLSTMCell,
    "gru": GRUCell,
}
_FORWARD_COLUMNS = 1024  # time steps x batch of a window without gradients: a few megabytes


class Network:
    """Forward and backward of the whole model.

    Lives for one call only: the weights that stay are the public ones of the estimator.

    Parameters
    ----------
    cell : str
        Key of `CELLS`.
    hidden_sizes : sequence of int
    n_inputs, n_outputs : int
    dtype : dtype
    relu : bool, default=False
        Activation of Elman and Jordan cells.
    head_sizes : sequence of int, default=()
        Units of the dense ReLU layers between the last recurrent layer and the output.
    bidirectional, skip_connections : bool, default=False
    softmax : bool, default=False
        Whether a Jordan cell is fed the softmax of the output.

    Attributes
    ----------
    parameters, gradient : ndarray of shape (n_parameters,)
    penalised : ndarray of shape (n_parameters,)
        1 for weights, 0 for biases.
    layers : list over layers of list over directions of Cell
    n_columns : int
        What the head sees.
    """

    def __init__(
        self,
        cell: str,
        hidden_sizes: Sequence[int],
        n_inputs: int,
        n_outputs: int,
        dtype: np.dtype,
        *,
        relu: bool = False,
        head_sizes: Sequence[int] = (),
        bidirectional: bool = False,
        skip_connections: bool = False,
        softmax: bool = False,
    ) -> None:
        self.skip_connections = skip_connections
        self.n_inputs, self.n_outputs, self.softmax = n_inputs, n_outputs, softmax
        self.dtype = np.dtype(dtype)
        self.layers: list[list[Cell]] = []
        n_recurrent = n_outputs if cell == "jordan" else None
        below = n_inputs
        for n_units in hidden_sizes:
            directions = range(1 + bidirectional)
            self.layers.append([CELLS[cell](n_units, below, relu, n_recurrent) for _ in directions])
            below = n_units * (1 + bidirectional) + n_inputs * skip_connections
        self._seen_from = 0 if skip_connections else len(self.layers) - 1
        self.n_columns = sum(c.n_units for layer in self.layers[self._seen_from :] for c in layer)
        self.head = Head(self.n_columns, head_sizes, n_outputs)
        self.jordan = self.layers[0][0] if cell == "jordan" else None
        if isinstance(self.jordan, JordanCell):
            self.jordan.head, self.jordan.softmax = self.head, softmax
        self._ends = np.cumsum(
            [c.n_parameters for c in self.cells] + [a * b for a, b in self.head.shapes]
        )
        self.parameters = np.zeros(self._ends[-1], dtype=dtype)
        self.gradient = np.zeros_like(self.parameters)
        self.penalised = np.ones_like(self.parameters)
        cells, dense = self.blocks(self.penalised)
        for c, flat in zip(self.cells, cells, strict=True):
            c.matrix(flat)[:, -1] = 0.0
        for block in dense:
            block[:, -1] = 0.0

    @property
    def cells(self) -> list[Cell]:
        """All cells, layer by layer, forward before backward: the order of states."""
        return [cell for layer in self.layers for cell in layer]

    @property
    def bidirectional(self) -> bool:
        """Whether layers have a backward direction: then a window is a whole series."""
        return len(self.layers[0]) == 2

    def blocks(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Views of a flat vector: parameters of each cell, [weights | bias] of each dense layer."""
        parts = np.split(flat, self._ends[:-1])
        n_cells = len(self.cells)
        dense = zip(parts[n_cells:], self.head.shapes, strict=True)
        return parts[:n_cells], [part.reshape(shape) for part, shape in dense]

    def draw(
        self,
        rng: np.random.RandomState,
        recurrent_init: str | Callable[..., Any],
        spectral_radius: float | None = None,
        forget_bias: float | str = 1.0,
        longest: int = 1,
    ) -> None:
        """Set the first weights; one child seed a matrix. See `Cell.draw`."""
        recurrent = recurrent_drawer(recurrent_init, spectral_radius)
        cells, dense = self.blocks(self.parameters)
        for cell, flat in zip(self.cells, cells, strict=True):
            cell.draw(rng, recurrent, flat, forget_bias, longest)
        for block in dense:
            block[:, :-1] = glorot_uniform(child(rng), block.shape[0], block.shape[1] - 1)
            block[:, -1] = 0.0

    def public(self, flat: np.ndarray, *, copy: bool = True) -> dict[str, Any]:
        """Parts of a flat vector under the names users know, as copies or as views."""
        cells, dense = self.blocks(flat)
        parts = iter([c.parts(part) for c, part in zip(self.cells, cells, strict=True)])
        pairs = [tuple(next(parts) for _ in layer) for layer in self.layers]
        return names(pairs, dense, copy=copy)

    def load(self, given: Mapping[str, Any], name: str = "initial_weights") -> None:
        """Take parameters in the form `public` gives them; `name` is what messages call them.

        Raises
        ------
        ValueError
            Where an entry is missing, of another shape, or not finite.
        """
        load(self.public(self.parameters, copy=False), given, name)

    def forward(self, window: Window, state: list[State] | None) -> list[State]:
        """Run all layers over a window; return the state of each series after its last step.

        Parameters
        ----------
        window : Window
        state : list over `cells`, or None for zeros
            Of the batch, or of a longer one of which the first series go on.
        """
        n_batch = window.lengths.size
        parameters, dense = self.blocks(self.parameters)
        if isinstance(self.jordan, JordanCell):
            self.jordan.dense, self.jordan.forced = dense, window.forced
        inputs, after, k = [window.inputs], [], 0
        self._hidden: list[list[np.ndarray]] = []
        for layer in self.layers:
            hidden = []
            for backwards, cell in enumerate(layer):
                # Series that ended are behind the longer ones: what goes on is the first columns.
                before = None if state is None else tuple(part[:, :n_batch] for part in state[k])
                seen = [_turn(x, window.lengths) for x in inputs] if backwards else inputs
                after.append(cell.forward(parameters[k], seen, window.lengths, before))
                h = cell.hidden
                hidden.append(_turn(h, window.lengths) if backwards else h)
                k += 1
            self._hidden.append(hidden)
            inputs = [*hidden, window.inputs] if self.skip_connections else hidden
        return after

    def columns(self, window: Window) -> np.ndarray:
        """What the head sees at the places read, (n_read, n_columns); `forward` came before."""
        hidden = self._hidden[self._seen_from :]
        if len(hidden) == 1 and len(hidden[0]) == 1:
            return hidden[0][0][window.steps, :, window.series]
        return np.concatenate(
            [h[steps, :, window.series] for h, steps in _places(hidden, window)], axis=1
        )

    def read(self, window: Window) -> np.ndarray:
        """Outputs at the places the window reads, (n_read, n_outputs); `forward` came before."""
        return self.head.forward(self.blocks(self.parameters)[1], self.columns(window))[-1]

    def backward(
        self,
        window: Window,
        error: np.ndarray,
        *,
        beyond: list[State] | None = None,
        to_inputs: bool = False,
    ) -> tuple[list[State], np.ndarray | None]:
        """Add to `gradient` what the loss makes of it; comes once after a `forward`.

        Parameters
        ----------
        window : Window
        error : ndarray of shape (n_read, n_outputs)
            dL/doutputs at the places read.
        beyond : list over `cells`, or None for zeros
            dL/d of the state that `forward` returned: what a decoder sends back to its encoder.
        to_inputs : bool, default=False

        Returns
        -------
        list over `cells` of dL/dstate before the window, and dL/dinputs of the window, shape
        (n_timesteps, n_inputs, batch), or None
        """
        parameters = self.blocks(self.parameters)[0]
        gradients = self.blocks(self.gradient)[0]
        upstream = self._into_head(window, error, beyond)
        skip = self.skip_connections
        total = np.zeros(window.inputs.shape, dtype=self.dtype) if to_inputs else None
        states: list[State] = []
        k = len(parameters)
        for i in range(len(self.layers) - 1, -1, -1):
            wanted = i > 0 or to_inputs
            for backwards in range(len(self.layers[i]) - 1, -1, -1):
                k -= 1
                up = upstream[i][backwards]
                before, back = self.layers[i][backwards].backward(
                    parameters[k],
                    _turn(up, window.lengths) if backwards else up,
                    gradients[k],
                    beyond=None if beyond is None else beyond[k],
                    to_inputs=wanted,
                )
                states.insert(0, before)
                if back is None:
                    continue
                back = _turn(back, window.lengths) if backwards else back
                begin = 0
                for below in upstream[i - 1] if i > 0 else ():
                    below += back[:, begin : begin + below.shape[1]]
                    begin += below.shape[1]
                if total is not None and (i == 0 or skip):
                    total += back[:, begin:]
        return states, total

    def outputs(
        self, sequences: Sequences, read: np.ndarray, batch_size: int, *, columns: bool = False
    ) -> np.ndarray:
        """Outputs, or what the head sees, at all places to read, (read.size, .).

        See `walk` for the memory it takes.
        """
        width = self.n_columns if columns else self.n_outputs
        answer = np.empty((read.size, width), dtype=self.dtype)
        for _, window, _ in self.walk(sequences, read, batch_size):
            answer[window.places] = self.columns(window) if columns else self.read(window)
        return answer

    def walk(
        self,
        sequences: Sequences,
        read: np.ndarray,
        batch_size: int,
        begin: Callable[[np.ndarray], list[State] | None] = lambda strands: None,
    ) -> Iterator[tuple[np.ndarray, Window, list[State]]]:
        """Run forward over all series, to be read off window by window.

        Memory is bounded by a window, or by a batch of whole series if there are two directions.

        Parameters
        ----------
        sequences : Sequences
        read : ndarray of bool, one entry a row or a series
        batch_size : int
        begin : callable, optional
            ``begin(strands)`` is their state before the first row; None is zero.

        Yields
        ------
        strands of a window, the window, their state after it
        """
        for batch in sequences.batches(np.arange(sequences.n_series), batch_size):
            strands = sequences.longest_first(batch)
            n_timesteps = max(_FORWARD_COLUMNS // strands.size, 16)
            state = begin(strands)
            for window in sequences.windows(
                strands, None if self.bidirectional else n_timesteps, read
            ):
                state = self.forward(window, state)
                yield strands[: window.lengths.size], window, state

    def input_gradient(
        self, rows: np.ndarray, output: int, step: int, *, row_wise: bool = True
    ) -> np.ndarray:
        """d output[`output`] at time step `step` / d rows, before any softmax, (n_timesteps, .).

        Parameters
        ----------
        rows : ndarray of shape (n_timesteps, n_inputs)
            One series.
        output, step : int
            Not negative.
        row_wise : bool, default=True
            See `Window`; if False, `step` is the last one.
        """
        lengths = np.array([rows.shape[0]])
        zero = np.zeros(1, dtype=np.int64)
        inputs = np.ascontiguousarray(rows[:, :, np.newaxis])
        window = Window(inputs, lengths, zero + step, zero, zero, row_wise)
        self.forward(window, None)
        error = np.zeros((1, self.n_outputs), dtype=self.dtype)
        error[0, output] = 1.0
        _, back = self.backward(window, error, to_inputs=True)
        assert back is not None
        return back[:, :, 0]

    def closed_loop(
        self, state: list[State] | None, first: np.ndarray, n_steps: int, *, feed: str = "output"
    ) -> tuple[np.ndarray, list[State], int]:
        """Run `first`, then `n_steps` - 1 steps on the network's own outputs, for one series.

        Parameters
        ----------
        state : list over `cells` of arrays (., 1), or None for zeros
        first : ndarray of shape (n_inputs,) or (n_given, n_inputs)
            Input of the first step, or of the first n_given.
        n_steps : int
        feed : {"output", "softmax", "label"}, default="output"
            What takes the place of the input; "label" is the one-hot row of the largest output.

        Returns
        -------
        outputs (n_steps, n_outputs), the state after them, and the first step whose output is not
        finite (rows from there on are NaN) or -1

        Raises
        ------
        ValueError
            Where outputs are not as many as inputs, or there are two directions.
        """
        if self.bidirectional:
            raise ValueError("a network with two directions cannot run row by row.")
        return RowRunner(self).run(state, np.atleast_2d(first), n_steps, feed)

    def _into_head(
        self, window: Window, error: np.ndarray, beyond: list[State] | None
    ) -> list[list[np.ndarray]]:
        """Gradients of the head, and dL/dh(t) as it comes from there, layer by direction."""
        parameters, dense = self.blocks(self.parameters)
        dense_gradients = self.blocks(self.gradient)[1]
        upstream = [[np.zeros(h.shape, dtype=self.dtype) for h in pair] for pair in self._hidden]
        if isinstance(self.jordan, JordanCell):
            hidden = self._hidden[0][0].transpose(0, 2, 1)
            errors = np.zeros((*hidden.shape[:2], self.n_outputs), dtype=self.dtype)
            errors[window.steps, window.series] = error
            self.jordan.output_errors(parameters[0], errors, None if beyond is None else beyond[0])
            columns, error = hidden.reshape(-1, self.n_columns), errors.reshape(-1, self.n_outputs)
            self.head.backward(dense, self.head.forward(dense, columns), error, dense_gradients)
            return upstream
        seen = self.head.forward(dense, self.columns(window))
        back = self.head.backward(dense, seen, error, dense_gradients)
        begin = 0
        for up, steps in _places(upstream[self._seen_from :], window):
            up[steps, :, window.series] = back[:, begin : begin + up.shape[1]]
            begin += up.shape[1]
        return upstream


def _places(
    layers: list[list[np.ndarray]], window: Window
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each array of `layers` with the time steps at which the window reads it."""
    own_last = window.steps if window.row_wise else np.zeros_like(window.steps)
    for layer in layers:
        for backwards, part in enumerate(layer):
            yield part, own_last if backwards else window.steps


def _turn(stack: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Each series of (time, feature, batch) reversed within its own length; its own inverse."""
    if (lengths == stack.shape[0]).all():
        return stack[::-1].copy()
    time = np.arange(stack.shape[0])[:, np.newaxis]
    source = np.where(time < lengths, lengths - 1 - time, time)
    return np.take_along_axis(stack, source[:, np.newaxis], axis=0)
