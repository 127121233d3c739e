"""A stack of cells under one dense output, its parameters in one flat vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ._cells import CELLS, State
from ._initialization import child, glorot_uniform
from ._windows import Sequences, Window

_FORWARD_COLUMNS = 1024  # time steps x batch of a window without gradients: a few megabytes


class Network:
    """Forward and backward of the whole model.

    Lives for one call only: the weights that stay are the public ones of the estimator.

    Parameters
    ----------
    cell : str
    hidden_sizes : sequence of int
    n_inputs, n_outputs : int
    dtype : dtype
    relu : bool, default=False

    Attributes
    ----------
    parameters, gradient : ndarray of shape (n_parameters,)
    penalised : ndarray of shape (n_parameters,)
        1 for weights, 0 for biases.
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
    ) -> None:
        widths = [n_inputs, *hidden_sizes]
        self.layers = [CELLS[cell](n_units, n_below, relu) for n_below, n_units in pairwise(widths)]
        self.n_outputs = n_outputs
        self.dtype = np.dtype(dtype)
        self._shapes = [layer.shape for layer in self.layers] + [(n_outputs, widths[-1] + 1)]
        n_parameters = sum(a * b for a, b in self._shapes)
        self.parameters = np.zeros(n_parameters, dtype=dtype)
        self.gradient = np.zeros_like(self.parameters)
        self.penalised = np.ones_like(self.parameters)
        for block in self.blocks(self.penalised):
            block[:, -1] = 0.0

    def blocks(self, flat: np.ndarray) -> list[np.ndarray]:
        """Views of a flat vector: [recurrent | input | bias] a layer, then [output | bias]."""
        ends = np.cumsum([a * b for a, b in self._shapes])
        parts = np.split(flat, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def draw(self, rng: np.random.RandomState, recurrent_init: str) -> None:
        """Set the first weights; one child seed a matrix."""
        *cells, output = self.blocks(self.parameters)
        for layer, block in zip(self.layers, cells, strict=True):
            block[:] = layer.draw(rng, recurrent_init)
        output[:, :-1] = glorot_uniform(child(rng), self.n_outputs, output.shape[1] - 1)
        output[:, -1] = 0.0

    def public(self, flat: np.ndarray, *, copy: bool = True) -> dict[str, Any]:
        """Parts of a flat vector under the names users know, as copies or as views."""
        *cells, output = self.blocks(flat)
        weights = []
        for layer, block in zip(self.layers, cells, strict=True):
            n_units = layer.n_units
            parts = {
                "input": block[:, n_units:-1],
                "recurrent": block[:, :n_units],
                "bias": block[:, -1],
            }
            weights.append({k: v.copy() if copy else v for k, v in parts.items()})
        parts = {"output_weights": output[:, :-1], "output_bias": output[:, -1]}
        return {"weights": weights} | {k: v.copy() if copy else v for k, v in parts.items()}

    def load(self, given: Mapping[str, Any], name: str = "initial_weights") -> None:
        """Take parameters in the form `public` gives them; `name` is what messages call them.

        Raises
        ------
        ValueError
            Where an entry is missing, of another shape, or not finite.
        """
        own = self.public(self.parameters, copy=False)
        _require_keys(name, given, own)
        if len(given["weights"]) != len(self.layers):
            raise ValueError(
                f"{name}['weights'] must list {len(self.layers)} layer(s), as hidden_sizes says; "
                f"got {len(given['weights'])}."
            )
        for i, (target, source) in enumerate(zip(own["weights"], given["weights"], strict=True)):
            _require_keys(f"{name}['weights'][{i}]", source, target)
            for key in target:
                _assign(target[key], source[key], f"{name}['weights'][{i}]['{key}']")
        for key in ("output_weights", "output_bias"):
            _assign(own[key], given[key], f"{name}['{key}']")

    def forward(self, window: Window, state: list[State] | None) -> list[State]:
        """Run all layers over a window and return the state after it, layer by layer."""
        n_batch = window.lengths.size
        signal, after = window.inputs, []
        for i, (layer, block) in enumerate(
            zip(self.layers, self.blocks(self.parameters)[:-1], strict=True)
        ):
            # Series that ended are behind the longer ones: what goes on is the first columns.
            before = None if state is None else tuple(part[:, :n_batch] for part in state[i])
            after.append(layer.forward(block, signal, window.lengths, before))
            signal = layer.columns[1:, : layer.n_units]
        return after

    def read(self, window: Window) -> np.ndarray:
        """Outputs at the places the window reads, (n_read, n_outputs); `forward` came before."""
        output = self.blocks(self.parameters)[-1]
        return self._states(window) @ output[:, :-1].T + output[:, -1]

    def backward(self, window: Window, error: np.ndarray) -> None:
        """Add to `gradient` what `error`, dL/doutputs at the places read, makes of it."""
        *cells, output = self.blocks(self.parameters)
        *cell_gradients, output_gradient = self.blocks(self.gradient)
        output_gradient[:, :-1] += error.T @ self._states(window)
        output_gradient[:, -1] += error.sum(axis=0)
        n_timesteps, _, n_batch = window.inputs.shape
        upstream = np.zeros((n_timesteps, self.layers[-1].n_units, n_batch), dtype=self.dtype)
        upstream[window.steps, :, window.series] = error @ output[:, :-1]
        for i in range(len(self.layers) - 1, -1, -1):
            back = self.layers[i].backward(cells[i], upstream, cell_gradients[i], i > 0)
            if back is not None:
                upstream = back

    def outputs(self, sequences: Sequences, read: np.ndarray, batch_size: int) -> np.ndarray:
        """Outputs at all places to read, (read.size, n_outputs); memory bounded by a window."""
        answer = np.empty((read.size, self.n_outputs), dtype=self.dtype)
        for strands in sequences.batches(np.arange(sequences.n_series), batch_size):
            n_timesteps = max(_FORWARD_COLUMNS // strands.size, 16)
            state = None
            for window in sequences.windows(strands, n_timesteps, read):
                state = self.forward(window, state)
                answer[window.places] = self.read(window)
        return answer

    def _states(self, window: Window) -> np.ndarray:
        """What the output sees at the places read, (n_read, n_units of the last layer)."""
        top = self.layers[-1]
        return top.columns[window.steps + 1, : top.n_units, window.series]


def _require_keys(name: str, given: Any, own: Mapping[str, Any]) -> None:
    if not isinstance(given, Mapping) or set(given) != set(own):
        found = sorted(given) if isinstance(given, Mapping) else type(given).__name__
        raise ValueError(f"{name} must be a dict with the keys {sorted(own)}; got {found}.")


def _assign(target: np.ndarray, source: Any, name: str) -> None:
    values = np.asarray(source)
    if values.shape != target.shape:
        raise ValueError(f"{name} must have shape {target.shape}; got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    target[...] = values
