"""The recurrent models of the default comparison, their grids and their budgets."""

from __future__ import annotations

from functools import partial
from typing import Any

from .. import ESNRegressor, ESNSequenceClassifier
from ..baselines import RNNRegressor, RNNSequenceClassifier
from ._specs import Model, Params, Task, grid, register_model

# ---- reservoir --------------------------------------------------------------------------------

_ESN_GRIDS: dict[str, Params] = {
    "narma10": {
        "n_units": [400],
        "spectral_radius": [0.8, 0.95],
        "input_scaling": [0.05, 0.1, 0.3],
        "bias_scaling": [0.2],
        "alpha": [1e-8],
    },
    "mackey_glass": {
        "n_units": [400],
        "spectral_radius": [0.8, 1.1],
        "leak_rate": [0.3, 0.6],
        "input_scaling": [0.3],
        "bias_scaling": [0.2],
        "alpha": [1e-9, 1e-7],
    },
    "lorenz": {
        "n_units": [400],
        "spectral_radius": [0.4, 0.8],
        "input_scaling": [0.1, 0.3],
        "bias_scaling": [0.5],
        "alpha": [1e-8, 1e-6],
    },
    "sunspots": {
        "n_units": [200],
        "spectral_radius": [0.6, 0.9],
        "leak_rate": [0.5, 0.8],
        "input_scaling": [0.2, 0.4],
        "bias_scaling": [0.3],
        "alpha": [1e-2, 1e-1],
    },
    "ecg_hum": {
        "n_units": [100],
        "spectral_radius": [0.5, 0.9],
        "input_scaling": [0.1, 0.5],
        "alpha": [1e-2, 1.0],
    },
    "mso5": {
        "n_units": [100],
        "spectral_radius": [0.8, 0.95],
        "input_scaling": [0.01, 0.1],
        "alpha": [1e-10, 1e-7],
    },
    "voice_rotor": {
        "n_units": [300],
        "spectral_radius": [0.9, 0.98],
        "input_scaling": [0.05, 0.2],
        "alpha": [1e-2, 1.0],
    },
    "echo": {
        "n_units": [300],
        "spectral_radius": [0.9, 0.98],
        "input_scaling": [0.05, 0.2],
        "alpha": [1e-2, 1.0],
    },
    "narma30": {
        "n_units": [400],
        "topology": ["random", "ring"],
        "spectral_radius": [0.9, 0.98],
        "input_scaling": [0.02, 0.1],
        "bias_scaling": [0.3],
        "alpha": [1e-10, 1e-7],
    },
    "recall": {
        "n_units": [400],
        "topology": ["random", "ring"],
        "spectral_radius": [0.9, 0.98],
        "input_scaling": [0.1, 0.5],
        "bias_scaling": [0.5],
        "alpha": [1e-8, 1e-4],
    },
}
_ESN_GRIDS["mackey_glass_30"] = _ESN_GRIDS["mackey_glass"]
_ESN_DEFAULT: Params = {
    "n_units": [200],
    "spectral_radius": [0.5, 0.9],
    "input_scaling": [0.1, 0.5],
    "alpha": [1e-6, 1e-2],
}


def esn_grid(task: Task, quick: bool) -> list[Params]:
    """What is tried for an echo state network."""
    if task.kind == "classification":
        return grid(n_units=[200], leak_rate=[0.2, 0.4], input_scaling=[0.5, 1.0])
    return grid(**_ESN_GRIDS.get(task.name, _ESN_DEFAULT))[:: 2 if quick else 1]


def _build_esn(task: Task, params: Params, seed: int) -> Any:
    if task.kind == "classification":
        return ESNSequenceClassifier(**params, random_state=seed)
    return ESNRegressor(**params, washout=task.washout, random_state=seed)


register_model(
    Model(
        name="esn",
        title="ESN",
        family="reservoir",
        about="Echo state network: a fixed random recurrent network of tanh units under a ridge "
        "readout in closed form. Parameters counted are the readout's; the random weights are not "
        "learned.",
        build=_build_esn,
        grid=esn_grid,
        cost=1.5,
    )
)

# ---- gradient-trained -------------------------------------------------------------------------

# name of the task: hidden units, rows of a window, strands, epochs, epochs if quick; a sequence
# to classify is short and back-propagated whole
_BUDGETS = {
    "narma10": (32, 50, 10, 300, 60),
    "mackey_glass": (32, 50, 15, 600, 40),
    "lorenz": (48, 50, 20, 200, 25),
    "sunspots": (16, 50, 1, 150, 60),
    "ecg_hum": (16, 60, 15, 200, 40),
    "japanese_vowels": (32, 0, 0, 60, 20),
}
_BUDGET = (32, 50, 10, 100, 30)


def rnn_grid(task: Task, quick: bool) -> list[Params]:
    """What is tried for a gradient-trained network."""
    units, window, strands, epochs, few = _BUDGETS.get(task.name, _BUDGET)
    windows = {"bptt_steps": [window], "n_strands": [strands]}
    budgets = grid(
        hidden_sizes=[units],
        **(windows if task.kind != "classification" else {}),
        max_iter=[few if quick else epochs],
        learning_rate=[3e-3, 1e-2],
    )
    against_overfitting: list[Params] = [{}, {"l2": 3e-3}, {"early_stopping": True}]
    remedies = against_overfitting[:1] if quick else against_overfitting
    return [{**budget, **remedy} for budget in budgets for remedy in remedies]


def _build_rnn(cell: str, task: Task, params: Params, seed: int) -> Any:
    network = RNNSequenceClassifier if task.kind == "classification" else RNNRegressor
    return network(cell, **params, tol=None, random_state=seed)


register_model(
    Model(
        name="elman",
        title="Elman",
        family="gradient-trained",
        about="Recurrent network of tanh units trained by back-propagation through time with Adam. "
        "Its budget (hidden units, epochs, grid) is small, so that the whole run takes minutes; it "
        "stands with the chosen parameters.",
        build=partial(_build_rnn, "elman"),
        grid=rnn_grid,
        cost=4.0,
    )
)
register_model(
    Model(
        name="lstm",
        title="LSTM",
        family="gradient-trained",
        about="Long short-term memory network trained as the Elman network, with the same budget.",
        build=partial(_build_rnn, "lstm"),
        grid=rnn_grid,
        cost=10.0,
    )
)
register_model(
    Model(
        name="gru",
        title="GRU",
        family="gradient-trained",
        about="Gated recurrent unit network trained as the Elman network, with the same budget.",
        build=partial(_build_rnn, "gru"),
        grid=rnn_grid,
        cost=9.0,
        suites=("forecasting", "denoising", "classification", "long-memory"),
    )
)
