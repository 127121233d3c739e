"""A network row by row for one series: free runs, and short steps that carry a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels import cell_forward as forwards
from ._cells import State

if TYPE_CHECKING:
    from ._network import Network

FEEDS = {
    "output": forwards.FEED_OUTPUT,
    "softmax": forwards.FEED_SOFTMAX,
    "label": forwards.FEED_LABEL,
}


class RowRunner:
    """The weights of a network laid out for `run_rows`; makes as many runs as one likes.

    A row of an LSTM of 100 units takes a few microseconds. Weights are copied, once.

    Parameters
    ----------
    network : Network
        With one direction.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        cells, dense = network.blocks(network.parameters)
        pieces, layers, tops, begin = [], [], [], 0
        for cell, flat in zip(network.cells, cells, strict=True):
            matrix = cell.matrix(flat)
            pieces += [matrix.T.reshape(-1), cell.peephole(flat).reshape(-1)]
            layers.append(
                [
                    begin,
                    begin + matrix.size,
                    cell.n_peepholes,
                    matrix.shape[0],
                    cell.n_units,
                    cell.n_recurrent,
                    cell.n_inputs,
                ]
            )
            begin += flat.size
        for block in dense:
            pieces.append(block.T.reshape(-1))
            tops.append([begin, block.shape[1] - 1, block.shape[0]])
            begin += block.size
        self._weights = np.concatenate(pieces)
        self._layers = np.array(layers, dtype=np.int64)
        self._dense = np.array(tops, dtype=np.int64)
        self._width = int(self._layers[:, 4:6].max())
        widest = max(
            int(self._layers[:, 3].max()),
            int(self._layers[:, 6].max()),
            int(self._dense[:, 1:].max()),
            self._width + network.n_inputs,
        )
        self._work = np.empty((6, widest), dtype=network.dtype)

    def run(
        self, state: list[State] | None, inputs: np.ndarray, n_steps: int, feed: str = "output"
    ) -> tuple[np.ndarray, list[State], int]:
        """Run over `inputs`, then on the network's own outputs.

        Parameters
        ----------
        state : list of State of one series, arrays (., 1), or None for zeros
        inputs : ndarray of shape (n_given, n_inputs), n_given >= 1
        n_steps : int
            Where more than n_given, outputs take the place of inputs: n_outputs == n_inputs.
        feed : {"output", "softmax", "label"}, default="output"
            What takes the place of an input: the output, its softmax, or the one-hot row of its
            largest entry.

        Returns
        -------
        outputs : ndarray of shape (n_steps, n_outputs)
        state : list of State
            After the last step.
        bad : int
            First step with an output that is not finite, from which on rows are NaN; or -1.
        """
        network = self._network
        if n_steps > inputs.shape[0] and network.n_inputs != network.n_outputs:
            raise ValueError(
                f"a closed loop needs as many outputs as inputs; got {network.n_outputs} outputs "
                f"and {network.n_inputs} inputs."
            )
        carried = np.zeros((len(network.cells), 2, self._width), dtype=network.dtype)
        for k, parts in enumerate(state or ()):
            for j, part in enumerate(parts):
                carried[k, j, : part.shape[0]] = part[:, 0]
        outputs = np.full((n_steps, network.n_outputs), np.nan, dtype=network.dtype)
        first = network.cells[0]
        bad = forwards.run_rows(
            first.code,
            first.relu,
            network.skip_connections,
            np.array([FEEDS[feed], FEEDS["softmax" if network.softmax else "output"]]),
            self._layers,
            self._dense,
            self._weights,
            np.ascontiguousarray(inputs, dtype=network.dtype),
            carried,
            self._work,
            outputs,
        )
        after = [
            tuple(carried[k, j, : cell.n_recurrent, np.newaxis] for j in range(cell.n_states))
            for k, cell in enumerate(network.cells)
        ]
        return outputs, after, bad
