"""What a comparison is made of: `Task`, `Model`, `Problem`, `Metric`, and the two registries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

Params = dict[str, Any]


class UsageError(ValueError):
    """What was asked for cannot be done: an unknown name, a folder that cannot be used."""


@dataclass(frozen=True)
class Metric:
    """A measure and how it is written.

    Attributes
    ----------
    name : str
    formula : str
        In words and signs a reader can recompute it from.
    unit : str
        Empty where dimensionless.
    greater_is_better : bool
    spec : str
        Format specification of a value.
    """

    name: str
    formula: str
    unit: str = ""
    greater_is_better: bool = False
    spec: str = ".3g"

    def format(self, value: float) -> str:
        """Write a value without its unit."""
        return "-" if value is None or not np.isfinite(value) else format(value, self.spec)

    @property
    def label(self) -> str:
        """Name and unit, as on an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Problem:
    """The data of a task for one seed, in original units.

    Attributes
    ----------
    X_train, y_train, X_test, y_test
        By kind of task:

        * "regression" and "cancellation": rows ``(n_timesteps, n_features)`` and targets
          ``(n_timesteps,)``; `X_test` begins with `context` rows of the past, `y_test` does not;
        * "forecasting": `X_train` is the series ``(n_timesteps, n_features)``, `y_train` None;
          `X_test` ``(n_origins, n_context, n_features)`` and `y_test`
          ``(n_origins, n_steps, n_features)`` what came before and after each origin;
        * "classification": lists of ``(T_i, n_features)`` and labels ``(n_cases,)``.
    context : int
        Rows of `X_test` that belong to the past and are not scored.
    extra : dict
        What scoring or plotting needs besides: for "cancellation" the clean signal of both parts,
        "clean_train" and "clean", and the sampling rate "fs"; for "forecasting" "sigma",
        the standard deviation of every feature.
    """

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    context: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


KINDS = ("regression", "forecasting", "cancellation", "classification", "speed")


@dataclass(frozen=True)
class Task:
    """A question put to every model.

    Attributes
    ----------
    name, title : str
    kind : {"regression", "forecasting", "cancellation", "classification", "speed"}
        What a model is asked for, and so how it is trained and tested. The value of a "speed" task
        is the number of training rows a second of the fit; nothing is predicted or scored.
    question, data, protocol : str
        Sentences of the report.
    metric : Metric
    make : callable
        ``make(seed, quick) -> Problem``.
    score : callable
        ``score(problem, prediction) -> float`` in the units of `metric`.
    washout : int
        First training rows that are not fitted, where a model knows a washout.
    folds, validation_rows : int
        Hyper-parameters are chosen on that many time-ordered folds at the end of the training
        part, of that many rows each ("classification": on that many stratified folds of the cases).
    autoregressive : bool
        Whether the target is the next value of the input.
    origin, step : float
        Time of the first scored row and from row to row, in the unit of the plots' time axis.
    labels : tuple of str
        Labels of the plots' time and value axes.
    suites : tuple of str
        Names of the suites it belongs to; the default is run by a plain ``reservoir compare``.
    """

    name: str
    title: str
    kind: str
    question: str
    data: str
    protocol: str
    metric: Metric
    make: Callable[[int, bool], Problem]
    score: Callable[[Problem, Any], float]
    washout: int = 0
    folds: int = 1
    validation_rows: int | None = None
    autoregressive: bool = False
    origin: float = 0.0
    step: float = 1.0
    labels: tuple[str, str] = ("time step", "value")
    suites: tuple[str, ...] = ("quick",)


def no_choice(task: Task, quick: bool) -> list[Params]:
    """Grid of a model without anything to choose."""
    return [{}]


@dataclass(frozen=True)
class Model:
    """Something that answers tasks.

    Attributes
    ----------
    name, title, family : str
    about : str
        A sentence of the report: what it is, its budget.
    build : callable
        ``build(task, params, seed) -> estimator`` with `fit` and `predict`; for "forecasting" the
        estimator learns the next row and may have ``forecast(n_steps, context=list)``; for
        "cancellation" it may have ``adapt(x, d)`` and is then run online.
    grid : callable
        ``grid(task, quick) -> list of params``, what is tried on the training part; by default
        there is nothing to choose.
    unsuited : dict
        Reason for each kind of task, or task by name, that makes no sense for the model.
    cost : float
        Relative, for the order of work and the time left.
    peer : str
        For a model of another library: the name its package is imported by. It is run on request
        only, and only where that package is installed.
    suites : tuple of str or None
        Names of the suites it takes part in; None: all but "speed".
    """

    name: str
    title: str
    family: str
    about: str
    build: Callable[[Task, Params, int], Any]
    grid: Callable[[Task, bool], list[Params]] = no_choice
    unsuited: Mapping[str, str] = field(default_factory=dict)
    cost: float = 1.0
    peer: str = ""
    suites: tuple[str, ...] | None = None


def grid(**choices: list[Any]) -> list[Params]:
    """Every combination of the choices, in order."""
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


TASKS: dict[str, Task] = {}
MODELS: dict[str, Model] = {}


def register_task(task: Task) -> Task:
    """Make `task` known to `compare` under its name and return it.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Task

    Raises
    ------
    UsageError
        For anything else, or a kind that there is not.

    Notes
    -----
    On the command line ``--register FILE.py`` runs a file of yours that registers tasks and models.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.timeseries import nrmse
    >>> from reservoir.evaluation import TASKS, Metric, Problem, Task, register_task
    >>> def make(seed, quick):
    ...     X = np.random.default_rng(seed).standard_normal((900, 1))
    ...     y = np.r_[np.zeros(3), X[:-3, 0]]
    ...     return Problem(X[:600], y[:600], X, y[600:], context=600)
    >>> task = register_task(Task(
    ...     "late", "Three steps late", "regression", "Does it remember?", "Synthetic: noise.",
    ...     "600 rows to train, 300 to test.", Metric("NRMSE", "sqrt(mean e² / var y)"),
    ...     make, lambda problem, answer: nrmse(problem.y_test, answer)))
    >>> TASKS.pop("late") is task
    True
    """
    if not isinstance(task, Task) or task.kind not in KINDS:
        kind = repr(task.kind) if isinstance(task, Task) else f"a {type(task).__name__}"
        raise UsageError(f"a task is a Task of one of the kinds {', '.join(KINDS)}; got {kind}")
    TASKS[task.name] = task
    return task


def register_model(model: Model) -> Model:
    """Make `model` known to `compare` under its name and return it.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso
    >>> from reservoir.evaluation import MODELS, Model, register_model
    >>> build = lambda task, params, seed: Lasso(**params)
    >>> grid = lambda task, quick: [{"alpha": 0.01}, {"alpha": 0.1}]  # tried on the training part
    >>> model = Model("lasso", "lasso", "linear", "No memory at all.", build, grid)
    >>> register_model(model) is MODELS.pop("lasso")
    True
    """
    if not isinstance(model, Model):
        raise UsageError(f"a model is a Model, got a {type(model).__name__}")
    MODELS[model.name] = model
    return model


def select(
    what: str,
    wanted: Any,
    registry: Mapping[str, Any],
    default: Callable[[Any], bool] = lambda entry: True,
) -> list[Any]:
    """Entries of a registry by name, in the registry's order; None means all that are `default`.

    Raises
    ------
    UsageError
        For names that are not there, and for none at all.
    """
    if wanted is None:
        return [entry for entry in registry.values() if default(entry)]
    try:
        names = [wanted] if isinstance(wanted, str) else list(_strings(what, iter(wanted)))
    except TypeError:
        raise UsageError(f"{what}s are given by their names, got {wanted!r}") from None
    unknown = [name for name in names if name not in registry]
    if unknown or not names:
        said = f"unknown {what} {', '.join(map(repr, unknown))}" if unknown else f"no {what} given"
        raise UsageError(f"{said}; there are: {', '.join(registry)}")
    return [entry for name, entry in registry.items() if name in names]


def _strings(what: str, wanted: Iterable[Any]) -> Iterable[str]:
    for name in wanted:
        if not isinstance(name, str):
            raise UsageError(f"a {what} is given by its name, a string; got {name!r}")
        yield name
