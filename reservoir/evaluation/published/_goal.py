"""What a published figure is: how it is measured, what was printed, what ours must reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._specs import Metric, Params

Values = np.ndarray  # of one figure, one a seed
Judge = Callable[[Values, Mapping[str, Values]], bool]


@dataclass(frozen=True)
class Figure:
    """A number of ours beside a printed one.

    Attributes
    ----------
    name : str
        In the column "model" of ``results.csv``.
    title : str
    metric : Metric
    published, source : str
        What was printed, and where; empty where nothing was.
    reference : float or None
        The printed number for the picture.
    gate : str
        What ours must reach; empty where nothing is at stake.
    met : callable or None
        ``met(values, all)``: the values of this figure over the seeds, and those of every figure
        of the goal by name.
    """

    name: str
    title: str
    metric: Metric
    published: str = ""
    source: str = ""
    reference: float | None = None
    gate: str = ""
    met: Judge | None = None


@dataclass(frozen=True)
class Measurement:
    """One run a seed, which gives one or several figures.

    Attributes
    ----------
    name : str
    run : callable
        ``run(seed, params) -> {name of a figure: value}``; `params` hold what `choose` returned
        and, for a budgeted measurement, "budget" in seconds. The key "n_parameters" is taken as
        the number of parameters learned, "fit_seconds" instead of the clock of the whole run.
    figures : tuple of Figure
    n_seeds : int
        How many the protocol asks for.
    choose : callable or None
        ``choose() -> params``, by validation on data that are not tested.
    cost : float
        Seconds a seed, roughly.
    budgeted : bool
        Whether it is run only when a budget is given.
    """

    name: str
    run: Callable[[int, Params], Mapping[str, float]]
    figures: tuple[Figure, ...]
    n_seeds: int = 10
    choose: Callable[[], Params] | None = None
    cost: float = 1.0
    budgeted: bool = False


@dataclass(frozen=True)
class Goal:
    """Published figures that belong together.

    Attributes
    ----------
    name, title, question, data, protocol : str
        Sentences of the report.
    measurements : tuple of Measurement
    remarks : callable or None
        ``remarks(values by figure) -> list of str``, what the report adds: intervals of rates, say.
    """

    name: str
    title: str
    question: str
    data: str
    protocol: str
    measurements: tuple[Measurement, ...]
    remarks: Callable[[Mapping[str, Values]], list[str]] | None = None

    @property
    def figures(self) -> list[Figure]:
        """All figures in order."""
        return [figure for one in self.measurements for figure in one.figures]

    def measurement(self, figure: str) -> Measurement:
        """The measurement that gives the figure of that name."""
        return next(m for m in self.measurements if any(f.name == figure for f in m.figures))


GOALS: dict[str, Goal] = {}


def register_goal(goal: Goal) -> Goal:
    """Make a goal known under its name."""
    GOALS[goal.name] = goal
    return goal


def within(low: float, high: float) -> Judge:
    """The median lies between two bounds, both allowed."""
    return lambda values, _: bool(low <= np.median(values) <= high)


def at_most(limit: float) -> Judge:
    """The median is at most a bound."""
    return lambda values, _: bool(np.median(values) <= limit)


def as_metric(name: str, formula: str, **more: Any) -> Metric:
    """A metric written with three digits."""
    return Metric(name, formula, **{"spec": "#.3g", **more})
