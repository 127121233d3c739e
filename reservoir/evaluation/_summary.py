"""From rows to what is said about them: medians, spreads, ranks, and a sentence for each task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._specs import Metric, Model, Task


@dataclass(frozen=True)
class Cell:
    """A model on a task: medians over the seeds that gave a value, with their range.

    Attributes
    ----------
    task : Task
    model : Model
    n_seeds : int
        Seeds with a value; 0 where there is none, the reason then being in `note`.
    value, low, high : float
    fit_seconds, predict_seconds, search_seconds, n_parameters : float
    params, note : str
    status : {"ok", "unsuited", "failed"}
    best : bool
        Whether no other model of the task has a better median.
    """

    task: Task
    model: Model
    n_seeds: int
    value: float
    low: float
    high: float
    fit_seconds: float
    predict_seconds: float
    search_seconds: float
    n_parameters: float
    params: str
    note: str
    status: str
    best: bool = False

    @property
    def text(self) -> str:
        """The median, or a dash."""
        return self.task.metric.format(self.value)

    @property
    def spread(self) -> str:
        """Least to greatest over the seeds; empty where there is nothing to spread."""
        metric = self.task.metric
        low, high = metric.format(self.low), metric.format(self.high)
        return "" if self.n_seeds < 2 else f"all {low}" if low == high else f"{low} to {high}"


def summarise(frame: pd.DataFrame, task: Task, model: Model) -> Cell | None:
    """The cell of a pair, None where it has no row."""
    rows = frame[(frame["task"] == task.name) & (frame["model"] == model.name)]
    if rows.empty:
        return None
    ok = rows[rows["status"] == "ok"]
    status = "ok" if len(ok) else str(rows["status"].iloc[0])
    used = ok if len(ok) else rows
    notes = list(dict.fromkeys(note for note in rows["note"] if note))
    if 0 < len(ok) < len(rows):
        notes.insert(0, f"{len(rows) - len(ok)} of {len(rows)} seeds failed")
    value = used["value"]

    def median(column: str) -> float:
        known = used[column].dropna()  # pandas 2.2 warns of a median of nothing
        return float(known.median()) if len(known) else float("nan")

    return Cell(
        task=task,
        model=model,
        n_seeds=len(ok),
        value=median("value"),
        low=float(value.min()),
        high=float(value.max()),
        fit_seconds=median("fit_seconds"),
        predict_seconds=median("predict_seconds"),
        search_seconds=median("search_seconds"),
        n_parameters=median("n_parameters"),
        params=str(used["params"].iloc[0]),
        note="; ".join(notes),
        status=status,
    )


def better(metric: Metric, a: float, b: float) -> bool:
    """Whether `a` is better than `b`."""
    return a > b if metric.greater_is_better else a < b


def ranks(cells: list[Cell]) -> dict[str, float]:
    """Rank of each model's median in one task, 1 for the best, ties shared."""
    known = [cell for cell in cells if cell.n_seeds and np.isfinite(cell.value)]
    values = pd.Series([cell.value for cell in known], index=[cell.model.name for cell in known])
    if values.empty:
        return {}
    return values.rank(ascending=not known[0].task.metric.greater_is_better).to_dict()


def conclude(cells: list[Cell]) -> str:
    """What the rows of one task say, in a sentence or three."""
    known = {cell.model.name: cell for cell in cells if cell.n_seeds and np.isfinite(cell.value)}
    if not known:
        return "No model gave a value."
    metric = next(iter(known.values())).task.metric
    order = sorted(known.values(), key=lambda cell: cell.value, reverse=metric.greater_is_better)
    sentences = [_winner(order, metric)]
    linear, esn = known.get("linear"), known.get("esn")
    if linear and esn:
        sentences.append(_against(linear, esn, "The linear model"))
    trained = [cell for cell in order if cell.model.family == "gradient-trained"]
    if trained and esn:
        cell = trained[0]
        ratio = cell.fit_seconds / max(esn.fit_seconds, 1e-9)
        who = f"{cell.model.title}, the best of the gradient-trained networks at this budget,"
        said = _against(cell, esn, who).removesuffix(".")
        sentences.append(f"{said}, and took {ratio:.2g} times its seconds to fit.")
    return " ".join(sentences)


def _winner(order: list[Cell], metric: Metric) -> str:
    best = order[0]
    said = f"Best here: {best.model.title}, {metric.name} {best.text} {metric.unit}".rstrip()
    if len(order) == 1:
        return said + "."
    second = order[1]
    open_ = ", with ranges over the seeds that overlap" if _overlap(best, second) else ""
    return f"{said}; next {second.model.title}, {second.text}{open_}."


def _against(cell: Cell, other: Cell, who: str) -> str:
    """How `cell` compares with `other`, in a sentence that does not say more than the spread."""
    figures = f"({cell.text} against {other.text})"
    if _overlap(cell, other):
        return f"{who} is not told apart from the {other.model.title} by these seeds {figures}."
    word = "better" if better(cell.task.metric, cell.value, other.value) else "worse"
    return f"{who} is {word} than the {other.model.title} here {figures}."


def _overlap(a: Cell, b: Cell) -> bool:
    return a.low <= b.high and b.low <= a.high
