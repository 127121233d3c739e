"""The speed suite: the same work by this package, by plain NumPy loops and by other libraries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from filters import NLMSFilter, RLSFilter
from filters.timeseries import delay_embed

from .. import ESNRegressor, Reservoir
from ..baselines import RNNRegressor
from ._specs import Metric, Model, Problem, Task, register_model, register_task
from .peers._padasip import PadasipFilter
from .peers._reservoirpy import ReservoirpyESN
from .peers._torch import TorchRegressor

_RATE = Metric(
    "rate",
    "training rows / seconds of the fit, the best of three repeats on one core",
    unit="rows/s",
    greater_is_better=True,
    spec=",.0f",
)
_UNITS = 500
_RADIUS, _CONNECTIONS = 0.9, 10


class Drive(BaseEstimator):
    """Reservoir states of all rows, nothing else: the matrices are drawn before.

    Parameters
    ----------
    run : callable
        ``run(X)``.
    """

    def __init__(self, run: Callable[[np.ndarray], Any]) -> None:
        self.run = run

    def fit(self, X: Any, y: Any) -> Self:
        """Drive the reservoir by `X`."""
        self.states_ = self.run(X)
        return self


class Loop(BaseEstimator):
    """A plain NumPy loop.

    Parameters
    ----------
    run : callable
        ``run(X, y)``.
    """

    def __init__(self, run: Callable[[np.ndarray, np.ndarray], Any]) -> None:
        self.run = run

    def fit(self, X: Any, y: Any) -> Self:
        """Do it."""
        self.coef_ = self.run(X, y)
        return self


def _reservoir() -> Reservoir:
    return Reservoir(_UNITS, spectral_radius=_RADIUS, random_state=0).fit(np.zeros((2, 1)))


def nlms_loop(X: np.ndarray, y: np.ndarray, *, n_taps: int) -> np.ndarray:
    """Weights of NLMS with step size 0.5 after all rows, as a textbook writes it."""
    w = np.zeros(n_taps)
    for x, d in zip(delay_embed(X, n_taps), y, strict=True):
        w += 0.5 * (d - w @ x) * x / (1e-3 + x @ x)
    return w


def rls_loop(X: np.ndarray, y: np.ndarray, *, n_taps: int) -> np.ndarray:
    """Weights of RLS with forgetting factor 0.999 after all rows, as a textbook writes it."""
    w, P = np.zeros(n_taps), np.eye(n_taps) / 1e-2
    for x, d in zip(delay_embed(X, n_taps), y, strict=True):
        g = P @ x / (0.999 + x @ P @ x)
        w += g * (d - w @ x)
        P = (P - np.outer(g, x @ P)) / 0.999
    return w


def drive_loop(X: np.ndarray, fitted: Reservoir) -> np.ndarray:
    """States of our reservoir by a sparse product and a tanh a row."""
    W, drive = fitted.recurrent_weights_, X @ fitted.input_weights_.T
    states, x = np.empty((len(X), _UNITS)), np.zeros(_UNITS)
    for t, now in enumerate(drive):
        x = np.tanh(W @ x + now)
        states[t] = x
    return states


def esn_loop(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Readout weights: states by the loop, then the normal equations."""
    columns = np.hstack([drive_loop(X, _reservoir()), X])
    columns = columns - columns.mean(axis=0)
    gram = columns.T @ columns + 1e-6 * np.eye(columns.shape[1])
    return np.linalg.solve(gram, columns.T @ (y - y.mean()))


def _make(n_rows: int, seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    n = n_rows // 4 if quick else n_rows
    X = rng.standard_normal((n, 1))
    y = np.convolve(X[:, 0], [0.5, 0.3, -0.2])[:n] + 0.01 * rng.standard_normal(n)
    return Problem(X, y, X[:1], y[:1])


def _unscored(problem: Problem, prediction: Any) -> float:
    return float("nan")


def _our_drive() -> Drive:
    return Drive(_reservoir().transform)


def _loop_drive() -> Drive:
    return Drive(partial(drive_loop, fitted=_reservoir()))


def _peer_drive() -> Drive:
    node = ReservoirpyESN(_UNITS, spectral_radius=_RADIUS)._make(1)
    return Drive(node.run)


# task: title, rows, question, {model: builder}
_EPOCH: dict[str, Any] = {"max_iter": 1, "bptt_steps": 50, "n_strands": 20}
_NLMS = "How many samples a second does a filter of {} taps learn from?"
_WORK: dict[str, tuple[str, int, str, dict[str, Callable[[], Any]]]] = {
    **{
        f"nlms_{n}": (
            f"NLMS, {n} taps",
            20_000,
            _NLMS.format(n),
            {
                "ours": partial(NLMSFilter, n, step_size=0.5),
                "numpy": partial(Loop, partial(nlms_loop, n_taps=n)),
                "padasip": partial(PadasipFilter, "nlms", n, 0.5),
            },
        )
        for n in (32, 512)
    },
    "rls_32": (
        "RLS, 32 taps",
        10_000,
        _NLMS.format(32),
        {
            "ours": partial(RLSFilter, 32, forgetting_factor=0.999),
            "numpy": partial(Loop, partial(rls_loop, n_taps=32)),
            "padasip": partial(PadasipFilter, "rls", 32, 0.999),
        },
    ),
    "drive_500": (
        "Reservoir states, 500 units",
        10_000,
        "How many rows a second drive a sparse reservoir of 500 units, ten connections each?",
        {"ours": _our_drive, "numpy": _loop_drive, "reservoirpy": _peer_drive},
    ),
    "esn_500": (
        "Echo state network, 500 units",
        10_000,
        "How many rows a second does a whole fit take, states and ridge readout?",
        {
            "ours": partial(ESNRegressor, _UNITS, spectral_radius=_RADIUS, random_state=0),
            "numpy": partial(Loop, esn_loop),
            "reservoirpy": partial(ReservoirpyESN, _UNITS, spectral_radius=_RADIUS),
        },
    ),
    **{
        f"{cell}_epoch": (
            f"{title}, one epoch",
            10_000,
            f"How many rows a second does a {title} of 64 units learn from, 20 strands side by "
            "side, back-propagated through windows of 50?",
            {
                "ours": partial(RNNRegressor, cell, 64, tol=None, **_EPOCH),
                "torch": partial(TorchRegressor, cell, 64, **_EPOCH),
            },
        )
        for cell, title in (("elman", "Elman network"), ("lstm", "LSTM"))
    },
}
_ABOUT = {
    "ours": ("reservoir-filters", "ours", "This package.", ""),
    "numpy": ("NumPy loop", "plain", "One row after the other, as a textbook writes it.", ""),
    "padasip": ("padasip", "peer", "Adaptive filters in Python.", "padasip"),
    "reservoirpy": ("reservoirpy", "peer", "Reservoirs on NumPy and SciPy.", "reservoirpy"),
    "torch": ("torch", "peer", "Recurrent networks, one core, float32.", "torch"),
}


def _build(name: str, task: Task, params: Any, seed: int) -> Any:
    return _WORK[task.name][3][name]()


for _task, (_title, _rows, _question, _) in _WORK.items():
    register_task(
        Task(
            name=_task,
            title=_title,
            kind="speed",
            question=_question,
            data=f"Synthetic: {_rows} rows (quick: a quarter) of white noise through three taps.",
            protocol="Every library does the same work on one core and one BLAS thread, one after "
            "the other, seed by seed; compilation and imports are not in it.",
            metric=_RATE,
            make=partial(_make, _rows),
            score=_unscored,
            suites=("speed",),
        )
    )
for _name, (_title, _family, _about, _peer) in _ABOUT.items():
    register_model(
        Model(
            name=_name,
            title=_title,
            family=_family,
            about=_about,
            build=partial(_build, _name),
            unsuited={
                task: "not in this library"
                for task, (_, _, _, builders) in _WORK.items()
                if _name not in builders
            },
            peer=_peer,
            suites=("speed",),
        )
    )
