"""The suites: which tasks and models a run takes when none are named."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from ._specs import MODELS, Model, Task, UsageError

PEERS_EXTRA = 'pip install "reservoir-filters[peers]"'


@dataclass(frozen=True)
class Suite:
    """A set of tasks with a name.

    Attributes
    ----------
    name : str
    about : str
        What it asks, in a line.
    interleaved : bool
        Whether rows are run one after the other, seed by seed, so that seconds can be compared.
    """

    name: str
    about: str
    interleaved: bool = False


SUITES = {
    suite.name: suite
    for suite in (
        Suite("quick", "six tasks of every kind, under three minutes; what a plain run takes"),
        Suite("forecasting", "free runs and one-step forecasts of chaotic and real series"),
        Suite("denoising", "hum, rotor noise, echo and a channel taken out of signals"),
        Suite("classification", "labels for whole sequences, real and synthetic"),
        Suite("long-memory", "targets that hang on inputs of long ago"),
        Suite("published", "figures that others have published, with their protocols"),
        Suite("speed", "time steps a second, libraries interleaved", interleaved=True),
    )
}


def find_suite(name: str) -> Suite:
    """The suite of that name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if name not in SUITES:
        raise UsageError(f"unknown suite {name!r}; there are: {', '.join(SUITES)}")
    return SUITES[name]


def has_task(suite: Suite, task: Task) -> bool:
    """Whether a run of `suite` takes `task` unasked."""
    return suite.name in task.suites


def has_model(suite: Suite, model: Model, peers: bool) -> bool:
    """Whether a run of `suite` takes `model` unasked."""
    if model.peer and not (peers and is_installed(model.peer)):
        return False
    return suite.name != "speed" if model.suites is None else suite.name in model.suites


def is_installed(package: str) -> bool:
    """Whether the package can be imported."""
    return importlib.util.find_spec(package) is not None


def absent_peers(suite: Suite) -> list[str]:
    """Packages of peers the suite could be run with, were they installed."""
    packages = [model.peer for model in MODELS.values() if model.peer]
    wanted = [
        model.peer
        for model in MODELS.values()
        if model.peer and (model.suites is None or suite.name in model.suites)
    ]
    return [name for name in dict.fromkeys(packages) if name in wanted and not is_installed(name)]


def require_peers(models: list[Model]) -> None:
    """Refuse models that are asked for by name but whose package is not there.

    Raises
    ------
    UsageError
    """
    missing = sorted({m.peer for m in models if m.peer and not is_installed(m.peer)})
    if missing:
        raise UsageError(f"{', '.join(missing)} is not installed: {PEERS_EXTRA}")
