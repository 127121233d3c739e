"""What goes on inside a fitted network: states of every row, recurrent matrices, their Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._base import RecurrentNetwork
from ._forecaster import RNNForecaster
from ._network import Network
from ._running import drive, flatten, n_state, unflatten
from ._windows import Sequences, Window

GATES = {
    "elman": ("h",),
    "lstm": ("i", "f", "g", "o"),
    "peephole_lstm": ("i", "f", "g", "o"),
    "gru": ("z", "r", "h"),
}
_CANDIDATE = {"elman": "h", "lstm": "g", "peephole_lstm": "g", "gru": "h"}


def network_of(estimator: Any) -> RecurrentNetwork | None:
    """A gradient-trained network itself, that of a fitted forecaster, or None for other things."""
    if isinstance(estimator, RNNForecaster):
        check_is_fitted(estimator)
        return estimator.estimator_
    return estimator if isinstance(estimator, RecurrentNetwork) else None


def hidden_states(estimator: RecurrentNetwork, rows: np.ndarray) -> np.ndarray:
    """States of the last layer at every row of one series, from the zero state.

    Parameters
    ----------
    estimator : fitted network
        Of one that reads a whole case the row t is the last state if the case ended there.
    rows : ndarray of shape (n_timesteps, n_features)

    Returns
    -------
    ndarray of shape (n_timesteps, n_columns)
    """
    network = _built(estimator, "whose states can be followed row by row")
    if rows.shape[1] != network.n_inputs:
        raise ValueError(
            f"{type(estimator).__name__} was fitted with {network.n_inputs} features a time step, "
            f"the rows here have {rows.shape[1]}."
        )
    rows = rows.astype(network.dtype, copy=False)
    whole = Sequences(rows, np.array([0]), np.array([len(rows)]), row_wise=True)
    return drive(network, whole, 1, columns=True)[0]


def recurrent_matrix(
    estimator: RecurrentNetwork, layer: int = 0, gate: str | None = None, backward: bool = False
) -> np.ndarray:
    """W of one gate of one layer in one direction, (n_units, n_units).

    Parameters
    ----------
    estimator : fitted network
        Of a `Seq2Seq`, its decoder.
    layer : int, default=0
        Negative: from the last one.
    gate : str, default=None
        One of `GATES`; None takes the candidate: "g" of an LSTM, "h" of the others.
    backward : bool, default=False

    Raises
    ------
    ValueError
        For a layer, a gate or a direction that is not there, or a Jordan cell.
    """
    check_is_fitted(estimator)
    cell, n_layers = estimator.cell, len(estimator.weights_)
    if cell == "jordan":
        raise ValueError(
            "what recurs in a Jordan cell is the output, so that it has no square recurrent "
            "matrix; leaky=True shows its one-step map."
        )
    if not -n_layers <= layer < n_layers:
        raise ValueError(f"layer={layer} is not there: the network has {n_layers} layer(s).")
    gate = _CANDIDATE[cell] if gate is None else gate
    if gate not in GATES[cell]:
        raise ValueError(f"gate={gate!r} must be one of {GATES[cell]} for cell={cell!r}.")
    weights = estimator.weights_[layer]
    if isinstance(weights, tuple):
        weights = weights[backward]
    elif backward:
        raise ValueError(
            "backward=True needs layers of two directions; these have one (bidirectional=False, or "
            "a decoder, which runs ahead only)."
        )
    blocks = np.split(weights["recurrent"], len(GATES[cell]))
    return blocks[GATES[cell].index(gate)]


def one_step_jacobian(estimator: RecurrentNetwork) -> np.ndarray:
    """d state(t) / d state(t-1) at the zero state and zero input, (n_state, n_state).

    All layers together; the state is ordered as that of `predict`.

    Raises
    ------
    ValueError
        With two directions, of which one runs against time.
    """
    network = _built(estimator, "with a map from step to step")
    if network.bidirectional:
        raise ValueError(
            "a network with bidirectional=True has no map from one step to the next; see its "
            "matrices with leaky=False."
        )
    n = n_state(network)
    # One copy of the network a row of the Jacobian, all in one batch.
    inputs = np.zeros((1, network.n_inputs, n), dtype=network.dtype)
    nowhere = np.empty(0, dtype=np.int64)
    window = Window(inputs, np.ones(n, dtype=np.int64), nowhere, nowhere, nowhere)
    network.forward(window, None)
    each = unflatten(network, np.eye(n, dtype=network.dtype))
    no_error = np.zeros((0, network.n_outputs), dtype=network.dtype)
    back, _ = network.backward(window, no_error, beyond=each)
    return flatten(back)


def _built(estimator: RecurrentNetwork, what: str) -> Network:
    check_is_fitted(estimator)
    # Of a table of cases `n_features_in_` counts time steps.
    own = vars(estimator)
    n_inputs = own.get("_n_channels", own["n_features_in_"])
    network = estimator._current_network(n_inputs, estimator.output_weights_.dtype)
    if not isinstance(network, Network):
        raise TypeError(f"a network {what} is needed; {type(estimator).__name__} is a pair of two.")
    return network
