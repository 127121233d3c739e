"""A network at work without gradients: series from a given state, and its state as flat rows.

A flat state holds, for every cell in order, h and then c where there is one.
"""

from __future__ import annotations

import numpy as np

from ._cells import State
from ._closed_loop import RowRunner
from ._network import Network
from ._windows import Sequences


def n_state(network: Network) -> int:
    """Numbers of a flat state."""
    return sum(cell.n_states * cell.n_recurrent for cell in network.cells)


def flatten(states: list[State]) -> np.ndarray:
    """States of a batch, cell by cell, as rows (batch, n_state)."""
    return np.concatenate([part for state in states for part in state]).T.copy()


def unflatten(network: Network, rows: np.ndarray) -> list[State]:
    """Rows (batch, n_state) as states of a batch, cell by cell."""
    parts = iter(
        np.split(
            np.ascontiguousarray(rows.T),
            np.cumsum([c.n_recurrent for c in network.cells for _ in range(c.n_states)])[:-1],
        )
    )
    return [tuple(next(parts) for _ in range(cell.n_states)) for cell in network.cells]


def drive(
    network: Network,
    sequences: Sequences,
    batch_size: int,
    states: np.ndarray | None = None,
    *,
    columns: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of all rows (or what the head sees there), and the states after each series.

    Parameters
    ----------
    network : Network
    sequences : Sequences
        Row-wise, in one strand a series.
    batch_size : int
    states : ndarray of shape (n_series, n_state), or None for zeros
    columns : bool, default=False

    Returns
    -------
    ndarray of shape (n_rows, n_outputs) or (n_rows, n_columns)
    ndarray of shape (n_series, n_state)
    """
    everywhere = np.ones(sequences.rows.shape[0], dtype=bool)
    width = network.n_columns if columns else network.n_outputs
    answer = np.empty((everywhere.size, width), dtype=network.dtype)
    after = np.empty((sequences.n_series, n_state(network)), dtype=network.dtype)

    def begin(series: np.ndarray) -> list[State] | None:
        return None if states is None else unflatten(network, states[series])

    for series, window, state in network.walk(sequences, everywhere, batch_size, begin):
        answer[window.places] = network.columns(window) if columns else network.read(window)
        after[series] = flatten(state)  # who goes on overwrites it in the next window
    return answer, after


def close_loop(network: Network, outputs: np.ndarray, state: np.ndarray, exog: np.ndarray) -> int:
    """Fill ``outputs[1:]``, each from the one before and a row of `exog`, from `state`.

    Returns
    -------
    First step that is not finite, or -1.
    """
    n_steps = outputs.shape[0] - 1
    if n_steps == 0:
        return -1
    states = unflatten(network, state[np.newaxis].astype(network.dtype, copy=False))
    runner = RowRunner(network)
    if exog.shape[1] == 0:
        outputs[1:], _, bad = runner.run(states, outputs[:1], n_steps)
        return bad + 1 if bad >= 0 else -1
    for t in range(n_steps):
        row = np.concatenate([outputs[t : t + 1], exog[t : t + 1]], axis=1)
        outputs[t + 1 : t + 2], states, bad = runner.run(states, row, 1)
        if bad >= 0:
            return t + 1
    return -1
