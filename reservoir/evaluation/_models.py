"""The plain models of the default comparison and their grids: trivial, linear, adaptive."""

from __future__ import annotations

from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import NLMSFilter, RLSFilter, TapDelay

from .. import MemoryRegressor
from ._simple import Persistence, SummaryFeatures
from ._specs import Model, Params, Task, grid, register_model

# ---- trivial ----------------------------------------------------------------------------------


def _build_persistence(task: Task, params: Params, seed: int) -> Any:
    if task.kind == "classification":
        return DummyClassifier(strategy="most_frequent")
    return Persistence(repeat=task.kind == "forecasting" or task.autoregressive)


register_model(
    Model(
        name="persistence",
        title="persistence",
        family="trivial",
        about="The last value again; where the target is not among the inputs its training mean "
        "(for the ECG: the uncleaned signal), for labels the most frequent one.",
        build=_build_persistence,
        grid=lambda task, quick: [{}],
        cost=0.05,
    )
)

# ---- linear -----------------------------------------------------------------------------------

_LINEAR_TAPS = {
    "narma10": [20, 30, 40, 50],
    "mackey_glass": [20, 40, 80],
    "lorenz": [2, 5, 10, 20],
    "sunspots": [3, 6, 9, 12, 20],
    "ecg_hum": [8, 16, 32],
    "mso5": [10, 20, 40],
    "voice_rotor": [64, 128, 256],
    "echo": [64, 128],
    "narma30": [30, 60],
}


def _linear_grid(task: Task, quick: bool) -> list[Params]:
    if task.kind == "classification":
        return grid(alpha=[0.1, 1.0, 10.0, 100.0])
    alphas = [1e-8, 1e-4] if task.kind == "forecasting" else [1e-4, 1.0, 10.0]
    return grid(n_taps=_LINEAR_TAPS.get(task.name, [10, 30]), alpha=alphas)


def _build_linear(task: Task, params: Params, seed: int) -> Any:
    if task.kind == "classification":
        return make_pipeline(SummaryFeatures(), StandardScaler(), RidgeClassifier(params["alpha"]))
    memory = TapDelay(params["n_taps"])
    return MemoryRegressor(memory, alpha=params["alpha"], washout=task.washout)


register_model(
    Model(
        name="linear",
        title="linear",
        family="linear",
        about="Ridge on a delay line, in closed form; for labels ridge on four summary numbers a "
        "channel (mean, standard deviation, least, greatest).",
        build=_build_linear,
        grid=_linear_grid,
        cost=0.2,
    )
)

# ---- adaptive filters -------------------------------------------------------------------------

NO_LABELS = {
    "classification": "an adaptive filter gives a number a time step, not a label a sequence"
}
FILTER_TAPS = {
    "narma10": [10, 30],
    "mackey_glass": [20, 40],
    "lorenz": [3, 10],
    "sunspots": [3, 9],
    "ecg_hum": [4, 8, 16],
    "mso5": [10, 20],
    "voice_rotor": [64, 256],
    "echo": [64, 128],
    "narma30": [30, 60],
}


def _build_nlms(task: Task, params: Params, seed: int) -> Any:
    return NLMSFilter(**params)


def _build_rls(task: Task, params: Params, seed: int) -> Any:
    return RLSFilter(**params)


register_model(
    Model(
        name="nlms",
        title="NLMS",
        family="adaptive filter",
        about="Delay line, weights by normalised least mean squares: one pass, sample by sample. "
        "Frozen in the test part, except where the task says online.",
        build=_build_nlms,
        grid=lambda task, quick: grid(
            n_taps=FILTER_TAPS.get(task.name, [10]), step_size=[0.005, 0.02, 0.1, 0.5]
        ),
        unsuited=NO_LABELS,
        cost=0.3,
    )
)
register_model(
    Model(
        name="rls",
        title="RLS",
        family="adaptive filter",
        about="Delay line, weights by recursive least squares: one pass, sample by sample. Frozen "
        "in the test part, except where the task says online.",
        build=_build_rls,
        grid=lambda task, quick: grid(
            n_taps=FILTER_TAPS.get(task.name, [10]), forgetting_factor=[0.99, 0.995, 0.999, 1.0]
        ),
        unsuited=NO_LABELS,
        cost=0.3,
    )
)
