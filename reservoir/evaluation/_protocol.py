"""One protocol for all: choose on the training part, warm up, fit, predict, score."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ._kinds import KINDS, Arrays
from ._specs import Model, Problem, Task

SELECTION_SEED = 0
_WARM_UP_ROWS = 40
_MAX_NOTE = 300


class Choice(NamedTuple):
    """Hyper-parameters and the seconds it took to find them."""

    params: dict[str, Any]
    seconds: float


class Outcome(NamedTuple):
    """What running a model on a task with a seed gives; `note` says what was unusual."""

    value: float
    fit_seconds: float
    predict_seconds: float
    n_parameters: int
    note: str
    arrays: Arrays


def choose(task: Task, model: Model, quick: bool) -> Choice:
    """Find the best entry of the model's grid on the training part of the selection seed.

    Parameters
    ----------
    task : Task
    model : Model
    quick : bool

    Returns
    -------
    Choice
        The first of the best, by the mean of the task's metric over its folds.

    Raises
    ------
    Exception
        What the last entry raised, if all did.
    """
    grid = model.grid(task, quick)
    if len(grid) == 1:
        return Choice(grid[0], 0.0)
    start = perf_counter()
    kind = KINDS[task.kind]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a poor candidate may complain; it is not taken
        folds = kind.folds(_problem(task.make, SELECTION_SEED, quick), task)
        scores: list[float] = []
        error: Exception | None = None
        for params in grid:
            try:
                scores.append(float(np.mean([_value(task, model, params, fold) for fold in folds])))
            except (ValueError, ArithmeticError) as raised:
                scores.append(np.nan)
                error = raised
    losses = np.array(scores) * (-1 if task.metric.greater_is_better else 1)
    if error is not None and np.isnan(losses).all():
        raise error
    best = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
    return Choice(grid[best], perf_counter() - start)


def run(task: Task, model: Model, params: Mapping[str, Any], seed: int, quick: bool) -> Outcome:
    """Train `model` with `params` on the training part of one seed and score the test part.

    A copy is first fitted to a few rows, so that compilation is in no figure.

    Parameters
    ----------
    task : Task
    model : Model
    params : dict
    seed : int
    quick : bool

    Returns
    -------
    Outcome
    """
    kind = KINDS[task.kind]
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = _problem(task.make, seed, quick)
        scaled, back = kind.scaled(problem)
        _warm_up(kind, task, model, params, scaled)
        caught.clear()
        seconds = []
        for _ in range(getattr(kind, "repeats", 1)):
            estimator = model.build(task, dict(params), seed)
            seconds.append(_timed(partial(kind.fit, estimator, scaled))[1])
        fit_seconds = min(seconds)
        answer, predict_seconds = _timed(lambda: kind.predict(estimator, scaled))
        prediction = back(answer)
        if task.kind == "speed":
            value = len(scaled.X_train) / fit_seconds
        else:
            value = float(task.score(problem, prediction))
        arrays = kind.details(task, problem, prediction)
    note = "; ".join(dict.fromkeys(_first_line(str(w.message)) for w in caught))[:_MAX_NOTE]
    return Outcome(value, fit_seconds, predict_seconds, count_parameters(estimator), note, arrays)


def explain(error: BaseException) -> str:
    """One line for a table that says what went wrong."""
    return f"{type(error).__name__}: {_first_line(str(error))}"[:_MAX_NOTE]


def count_parameters(estimator: Any) -> int:
    """Numbers learned from data: weights and intercepts, not what was drawn at random.

    Parameters
    ----------
    estimator : object
        Fitted; a pipeline counts its last step.

    Returns
    -------
    int
    """
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if hasattr(last, "output_weights_"):
        parts = [part for layer in last.weights_ for part in layer.values()]
        return sum(np.size(part) for part in (*parts, last.output_weights_, last.output_bias_))
    if hasattr(last, "n_parameters_"):
        return int(last.n_parameters_)
    intercept = getattr(last, "intercept_", ())
    used = getattr(last, "fit_intercept", True)
    return int(np.size(getattr(last, "coef_", ())) + (np.size(intercept) if used else 0))


def describe_params(params: Mapping[str, Any]) -> str:
    """Parameters as JSON, for the table."""
    return json.dumps(dict(params), default=_plain)


def _value(task: Task, model: Model, params: Mapping[str, Any], fold: Problem) -> float:
    kind = KINDS[task.kind]
    scaled, back = kind.scaled(fold)
    estimator = model.build(task, dict(params), SELECTION_SEED)
    kind.fit(estimator, scaled)
    return float(task.score(fold, back(kind.predict(estimator, scaled))))


def _warm_up(
    kind: Any, task: Task, model: Model, params: Mapping[str, Any], problem: Problem
) -> None:
    tiny = kind.tiny(problem, task.washout + _WARM_UP_ROWS)
    estimator = model.build(task, dict(params), SELECTION_SEED)
    if "max_iter" in getattr(estimator, "get_params", dict)():
        estimator.set_params(max_iter=1)
    try:
        kind.fit(estimator, tiny)
        kind.predict(estimator, tiny)
    except (ValueError, ArithmeticError):
        return  # too few rows for this model: the real fit will say what is wrong, if anything


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = perf_counter()
    answer = call()
    return answer, perf_counter() - start


@lru_cache(maxsize=8)
def _problem(make: Callable[[int, bool], Problem], seed: int, quick: bool) -> Problem:
    return make(seed, quick)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else repr(value)
