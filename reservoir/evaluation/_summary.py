"""From rows to what is said about them: medians, spreads, ranks, and a sentence for each task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ._specs import Metric, Model, Task
from ._statistics import holm, median_interval, paired_p


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
    values : dict
        Value by seed.
    interval : tuple of float or None
        95 % of the median by bootstrap; None for fewer than six seeds.
    best : bool
        Whether no other model of the task has a better median.
    p_value : float or None
        Signed-rank test against the best model of the task, adjusted for the number of models;
        None for fewer than six seeds in common.
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
    values: Mapping[int, float] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    best: bool = False
    p_value: float | None = None

    @property
    def text(self) -> str:
        """The median, or a dash."""
        return self.task.metric.format(self.value)

    @property
    def spread(self) -> str:
        """95 % interval of the median, or least to greatest; empty for a single seed."""
        metric = self.task.metric
        low, high = metric.format(self.low), metric.format(self.high)
        if self.n_seeds < 2:
            return ""
        if low == high:
            return f"all {low}"
        if self.interval is None:
            return f"{low} to {high}"
        return "95 %: {} to {}".format(*map(metric.format, self.interval))

    @property
    def p_text(self) -> str:
        """The p-value, or a dash."""
        if self.p_value is None:
            return "-"
        return "< 0.001" if self.p_value < 1e-3 else f"{self.p_value:.3f}"


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
        values={int(seed): float(v) for seed, v in zip(ok["seed"], ok["value"], strict=True)},
        interval=median_interval(ok["value"].to_numpy()),
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


def marked(cells: list[Cell]) -> list[Cell]:
    """The cells with the best of them marked and the others tested against it."""
    known = [cell for cell in cells if cell.n_seeds and np.isfinite(cell.value)]
    if not known:
        return cells
    metric = known[0].task.metric
    top = [c for c in known if not any(better(metric, d.value, c.value) for d in known)]
    tested = {c.model.name: paired_p(top[0].values, c.values) for c in known if c not in top}
    adjusted = holm({name: p for name, p in tested.items() if p is not None})
    return [
        replace(cell, best=cell in top, p_value=adjusted.get(cell.model.name)) for cell in cells
    ]


@dataclass(frozen=True)
class Family:
    """A family of models over all tasks, each task answered by the best of them.

    Attributes
    ----------
    name : str
    rank : float
        Mean rank among the families that answered, 1 for the best.
    n_tasks, n_first : int
        Tasks answered, and those in which it was first.
    seconds : float
        To fit, geometric mean over the tasks of that best model's median.
    models : str
        Titles of the models that were the best of the family, most often first.
    """

    name: str
    rank: float
    n_tasks: int
    n_first: int
    seconds: float
    models: str


def family_ranking(tasks: list[list[Cell]]) -> list[Family]:
    """Families in the order of their mean rank."""
    found: dict[str, list[tuple[float, Cell]]] = {}
    for cells in tasks:
        champions: dict[str, Cell] = {}
        for cell in cells:
            rival = champions.get(cell.model.family)
            if not cell.n_seeds or not np.isfinite(cell.value):
                continue
            if rival is None or better(cell.task.metric, cell.value, rival.value):
                champions[cell.model.family] = cell
        places = ranks(list(champions.values()))
        for name, cell in champions.items():
            found.setdefault(name, []).append((places[cell.model.name], cell))
    families = []
    for name, answers in found.items():
        seconds = [max(cell.fit_seconds, 1e-5) for _, cell in answers]
        titles = pd.Series([cell.model.title for _, cell in answers]).value_counts(sort=True)
        families.append(
            Family(
                name=name,
                rank=float(np.mean([place for place, _ in answers])),
                n_tasks=len(answers),
                n_first=sum(place == 1 for place, _ in answers),
                seconds=float(np.exp(np.mean(np.log(seconds)))),
                models=", ".join(titles.index),
            )
        )
    return sorted(families, key=lambda family: family.rank)


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
    if second.p_value is not None:
        open_ += f" (signed-rank test over {len(set(best.values) & set(second.values))} seeds, "
        open_ += f"adjusted: p {second.p_text if '<' in second.p_text else '= ' + second.p_text})"
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
