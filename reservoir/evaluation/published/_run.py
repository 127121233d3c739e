"""Running published figures: the work of each measurement, and which rows it gives."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .._protocol import Choice, describe_params
from .._results import PUBLISHED, Catalogue, ResultStore, fingerprint
from .._specs import UsageError
from ._goal import GOALS, Goal, Measurement

_MAX_NOTE = 300


class Measured(NamedTuple):
    """What one run of a measurement gave."""

    values: dict[str, float]
    seconds: float
    note: str


class PublishedCatalogue(Catalogue):
    """Rows about published figures."""

    other_family = ""

    def facts(self, task: str, model: str) -> dict[str, Any] | None:
        """The columns that follow from goal and figure."""
        goal = GOALS.get(task)
        found = [] if goal is None else [f for f in goal.figures if f.name == model]
        if goal is None or not found:
            return None
        figure = found[0]
        content = [self.version, goal.protocol, goal.data, figure.metric.formula]
        return {
            "family": PUBLISHED,
            "metric": figure.metric.name,
            "greater_is_better": figure.metric.greater_is_better,
            "version": self.version,
            "quick": self.quick,
            "config": fingerprint(content),
        }

    def names(self) -> tuple[list[str], list[str]]:
        """Goals and figures in the order of the report."""
        return list(GOALS), [figure.name for goal in GOALS.values() for figure in goal.figures]


@dataclass
class Work:
    """A measurement with what is left to do."""

    goal: Goal
    measurement: Measurement
    seeds: list[int]
    budget: float | None = None
    choice: Choice | None = None

    @property
    def cost(self) -> float:
        """Of one seed, in seconds, roughly."""
        return self.budget or self.measurement.cost

    @property
    def n_left(self) -> int:
        """Rows that are still to be run."""
        return len(self.seeds) * len(self.measurement.figures)

    @property
    def weight(self) -> float:
        """Work left."""
        return self.cost * (len(self.seeds) + 3.0 * (self.choice is None))

    def job(self, seed: int | None) -> tuple[Any, ...]:
        """A function and its arguments; None as a seed asks for the parameters."""
        names = (self.goal.name, self.measurement.name)
        if seed is None:
            return choose_named, *names, self.budget
        assert self.choice is not None
        return measure_named, *names, seed, self.choice.params

    def finished(self, seed: int, measured: Measured) -> tuple[list[dict[str, Any]], None]:
        """A row for every figure."""
        values = dict(measured.values)
        n_parameters = values.pop("n_parameters", np.nan)
        seconds = values.pop("fit_seconds", measured.seconds)
        figures = {
            "fit_seconds": seconds,
            "n_parameters": n_parameters,
            "status": "ok",
            "note": measured.note,
        }
        # A figure that this seed does not give has a row, too: it need not be run again.
        rows = []
        for figure in self.measurement.figures:
            known = figure.name in values
            row = self._row(figure.name, seed) | figures
            row |= {"value": values[figure.name]} if known else {"status": "unsuited", "note": ""}
            rows.append(row)
        return rows, None

    def failed(self, seeds: list[int], note: str) -> list[dict[str, Any]]:
        """Rows that say why there is no value."""
        return [
            {**self._row(figure.name, seed), "status": "failed", "note": note}
            for seed in seeds
            for figure in self.measurement.figures
        ]

    def say(self, row: Mapping[str, Any]) -> str:
        """What came out, for a line of progress."""
        figure = next(f for f in self.measurement.figures if f.name == row["model"])
        return f"{figure.metric.name} {figure.metric.format(row['value'])}"

    def _row(self, figure: str, seed: int) -> dict[str, Any]:
        params, seconds = self.choice or Choice({}, float("nan"))
        nothing = ("value", "fit_seconds", "predict_seconds", "n_parameters")
        return {
            **dict.fromkeys(nothing, float("nan")),
            "task": self.goal.name,
            "model": figure,
            "seed": seed,
            "search_seconds": seconds,
            "params": describe_params(params),
        }


def pending(
    store: ResultStore, goals: list[Goal], seeds: list[int] | None, budget: float | None
) -> list[Work]:
    """Measurements with seeds to run, the dearest first.

    Raises
    ------
    UsageError
        If the folder holds rows of another budget.
    """
    left = []
    for goal in goals:
        for one in goal.measurements:
            if one.budgeted and budget is None:
                continue
            wanted = range(one.n_seeds) if seeds is None else seeds
            todo = [
                seed
                for seed in wanted
                if not all(store.finished(goal.name, f.name, seed) for f in one.figures)
            ]
            choice = next(
                (c for f in one.figures if (c := store.choice(goal.name, f.name)) is not None), None
            )
            known = choice.params.get("budget") if choice and one.budgeted else budget
            if known != budget:
                raise UsageError(
                    f"{str(store.folder)!r} holds rows of {goal.name} with a budget of {known:g} "
                    f"s, not {budget:g} s; choose another folder"
                )
            if todo:
                spent = budget if one.budgeted else None
                left.append(Work(goal, one, todo, spent, choice))
    return sorted(left, key=lambda work: -work.weight)


def choose_named(goal: str, measurement: str, budget: float | None) -> Choice:
    """Parameters of a measurement, by validation where the protocol has one."""
    one = _find(goal, measurement)
    start = perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = dict(one.choose()) if one.choose is not None else {}
    if budget is not None:
        params["budget"] = budget
    return Choice(params, perf_counter() - start if one.choose is not None else 0.0)


def measure_named(goal: str, measurement: str, seed: int, params: dict[str, Any]) -> Measured:
    """Run one seed of a measurement."""
    one = _find(goal, measurement)
    # Parameters may have been read from the file: what they are must not depend on that.
    params = json.loads(describe_params(params))
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = perf_counter()
        values = dict(one.run(seed, params))
        seconds = perf_counter() - start
    said = dict.fromkeys(str(w.message).strip().partition("\n")[0] for w in caught)
    return Measured(values, seconds, "; ".join(said)[:_MAX_NOTE])


def _find(goal: str, measurement: str) -> Measurement:
    return next(m for m in GOALS[goal].measurements if m.name == measurement)
