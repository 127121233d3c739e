"""One tiny task and models that behave in every way, for tests of comparisons."""

import os
import signal
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from reservoir.evaluation import MODELS, TASKS, Metric, Model, Problem, Task, compare

CALLS: list[str] = []
TESTS = int(os.environ.setdefault("EVALUATION_TESTS", str(os.getpid())))


class Recorder(Ridge):
    """Ridge that notes when it is fitted to the whole training part."""

    def fit(self, X, y):
        if X.shape[0] == 60:
            CALLS.append("fit")
        return super().fit(X, y)


class Broken(BaseEstimator):
    def fit(self, X, y):
        raise RuntimeError("the cat is on the keyboard\nsecond line")


class Dies(Ridge):
    """As a kernel out of memory: the process is gone."""

    def fit(self, X, y):
        if os.getpid() != TESTS:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


class CtrlC(Ridge):
    def fit(self, X, y):
        raise KeyboardInterrupt


class SwallowsCtrlC(Ridge):
    """As gradient training: Ctrl-C ends the fit, which then makes do."""

    def fit(self, X, y):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(10**6):
                pass
        except KeyboardInterrupt:
            pass
        return super().fit(X, y)


def make(seed, quick):
    rng = np.random.RandomState(seed)
    X = rng.randn(100, 2)
    y = X @ [1.0, -2.0] + 0.1 * rng.randn(100)
    return Problem(X[:60], y[:60], X, y[60:], context=60)


def rmse(problem, prediction):
    return float(np.sqrt(np.mean((problem.y_test - prediction) ** 2)))


def model(name, estimator, grid=({},), **kwargs):
    return Model(
        name,
        name,
        "family of " + name,
        "about",
        lambda task, params, seed: estimator(**params),
        lambda task, quick: list(grid),
        **kwargs,
    )


@contextmanager
def tiny_registry():
    """One task and models that behave in every way; what was registered comes back afterwards."""
    before = [(registry, dict(registry)) for registry in (TASKS, MODELS)]
    TASKS.clear()
    MODELS.clear()
    CALLS.clear()
    metric = Metric("RMSE", "sqrt(mean(e^2))")
    about = ("Tiny", "regression", "Why?", "none", "short")
    TASKS["tiny"] = Task("tiny", *about, metric, make, rmse, validation_rows=15)
    for entry in (
        model("ridge", Recorder, [{"alpha": 1e-3}, {"alpha": 1e3}]),
        model("broken", Broken),
        model("ctrl_c", CtrlC),
        model("swallows", SwallowsCtrlC),
        model("senseless", Ridge, unsuited={"regression": "it cannot count"}),
    ):
        MODELS[entry.name] = entry
    yield TASKS["tiny"]
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


def run(out, models, **kwargs):
    return compare(None, models, out=out, verbose=0, n_jobs=1, **kwargs)
