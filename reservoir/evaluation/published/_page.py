"""The report of published figures: ours beside theirs, gates, costs, every seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas

from .._against import changes
from .._machine import machine, versions
from .._plots import draw, ink
from .._report import Run, count_changes, environment, say_changes
from .._results import ResultStore
from .._statistics import MIN_SEEDS, median_interval
from ._goal import GOALS, Figure, Goal, Values

PROTOCOL = (
    "Every figure follows the protocol of its source; where that leaves something open, the "
    "protocol says what was taken. Medians over seeds; with six seeds or more the 95 % bootstrap "
    "interval of the median, with fewer the least and the greatest.",
    "A gate is what ours was to reach, written down before it was measured. A gate that is missed "
    "stands here with the value of every seed.",
    "Seconds are the median wall clock of one run of the measurement on one core, training, "
    "forecasts and scoring together; figures of one measurement share it. With a budget (P6 and "
    "the networks of P9) they are the fit's alone, in CPU time with one thread, as the budget is: "
    "what other programs take is not in it. “search” is the choice by validation, once.",
)


@dataclass(frozen=True)
class Line:
    """What the report says about one figure."""

    figure: Figure
    values: Values
    seeds: list[int]
    met: bool | None
    interval: tuple[float, float] | None
    seconds: float
    search: float
    n_parameters: float
    params: str
    note: str

    @property
    def median(self) -> str:
        """As text."""
        middle = np.median(self.values) if self.values.size else np.nan
        return self.figure.metric.format(float(middle))

    @property
    def mean(self) -> str:
        """As text."""
        return self.figure.metric.format(float(self.values.mean()) if self.values.size else np.nan)

    @property
    def spread(self) -> str:
        """95 % interval or range; empty for a single seed."""
        if self.values.size < 2:
            return ""
        low, high = self.interval or (float(self.values.min()), float(self.values.max()))
        said = [self.figure.metric.format(low), self.figure.metric.format(high)]
        if said[0] == said[1]:
            return f"all {said[0]}" if self.interval is None else f"95 %: {said[0]}"
        return f"{'95 %: ' if self.interval else ''}{said[0]} to {said[1]}"

    @property
    def each(self) -> str:
        """Every seed, in their order."""
        return " ".join(self.figure.metric.format(float(value)) for value in self.values)

    @property
    def verdict(self) -> str:
        """MET, NOT MET, or nothing where nothing is at stake or nothing was run."""
        return {None: "", True: "MET", False: "NOT MET"}[self.met]


@dataclass(frozen=True)
class Page:
    """A goal and its lines."""

    goal: Goal
    lines: list[Line]
    skipped: list[str]
    remarks: list[str]
    picture: str

    @property
    def gated(self) -> list[Line]:
        """Lines with a verdict."""
        return [line for line in self.lines if line.met is not None]

    @property
    def conclusion(self) -> str:
        """A sentence."""
        missed = [line.figure.title for line in self.gated if not line.met]
        said = f"{len(self.gated) - len(missed)} of {len(self.gated)} gates met"
        return f"{said}; not met: {'; '.join(missed)}." if missed else f"{said}."


def write_published(store: ResultStore, run: Run) -> Path:
    """Write ``report.html``, ``report.md``, ``gates.csv`` about all rows of a folder.

    Parameters
    ----------
    store : ResultStore
    run : Run

    Returns
    -------
    Path
        Of ``report.html``.
    """
    frame = store.frame()
    pages = [_page(goal, frame) for goal in GOALS.values() if (frame["task"] == goal.name).any()]
    left_out = [goal.title for goal in GOALS.values() if not (frame["task"] == goal.name).any()]
    changed = None if run.before is None else changes(run.before, frame)
    if changed is not None:
        store.write_text("against.csv", changed.to_csv(index=False))
    context = {
        "pages": pages,
        "left_out": left_out,
        "n_met": sum(bool(line.met) for page in pages for line in page.gated),
        "n_gates": sum(len(page.gated) for page in pages),
        "n_seeds": MIN_SEEDS,
        "changes": [] if changed is None else say_changes(changed),
        "changed": None if changed is None else count_changes(changed),
        "against": run.against,
        "protocol": PROTOCOL,
        "command": run.command,
        "seeds": _say_seeds(frame),
        "machine": machine(),
        "versions": versions(),
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    store.write_text("gates.csv", _gates(pages).to_csv(index=False))
    env = environment()
    store.write_text("report.md", env.get_template("published.md.jinja").render(context))
    return store.write_text("report.html", env.get_template("published.html.jinja").render(context))


def _page(goal: Goal, frame: pd.DataFrame) -> Page:
    rows = frame[frame["task"] == goal.name]
    known = rows[(rows["status"] == "ok") & rows["value"].notna()].sort_values("seed")
    values = {
        figure.name: known[known["model"] == figure.name]["value"].to_numpy()
        for figure in goal.figures
    }
    lines, skipped = [], []
    for figure in goal.figures:
        mine = rows[rows["model"] == figure.name]
        if mine.empty:
            skipped.append(figure.title)
            continue
        lines.append(_line(figure, mine, values))
    remarks = goal.remarks(values) if goal.remarks is not None else []
    return Page(goal, lines, skipped, remarks, _picture(goal, values))


def _line(figure: Figure, rows: pd.DataFrame, values: Mapping[str, Values]) -> Line:
    own = values[figure.name]
    ok = rows[(rows["status"] == "ok") & rows["value"].notna()].sort_values("seed")
    used = ok if len(ok) else rows
    met = None if figure.met is None or not own.size else _judge(figure, values)
    notes = dict.fromkeys(note for note in rows["note"] if isinstance(note, str) and note)
    n_failed = int((rows["status"] == "failed").sum())
    if n_failed:
        met = None if figure.met is None else False  # a run that failed is not a run that passed
    return Line(
        figure=figure,
        values=own,
        seeds=ok["seed"].tolist(),
        met=met,
        interval=median_interval(own),
        seconds=_median(used["fit_seconds"]),
        search=_median(used["search_seconds"]),
        n_parameters=_median(used["n_parameters"]),
        params=str(used["params"].iloc[0]),
        note="; ".join([f"{n_failed} of {len(rows)} runs failed"] * bool(n_failed) + list(notes)),
    )


def _judge(figure: Figure, values: Mapping[str, Values]) -> bool | None:
    """The gate; None where a figure that it looks at was not run."""
    assert figure.met is not None
    try:
        return bool(figure.met(values[figure.name], _Run(values)))
    except LookupError:
        return None


class _Run(dict[str, Values]):
    """Figures that were run; asking for another is a LookupError, not an empty mean."""

    def __getitem__(self, name: str) -> Values:
        found = super().__getitem__(name)
        if not found.size:
            raise LookupError(name)
        return found


def _median(column: pd.Series) -> float:
    known = column.dropna()
    return float(known.median()) if len(known) else float("nan")


def _picture(goal: Goal, values: Mapping[str, Values]) -> str:
    """Every seed over the printed number; empty where nothing can be divided so."""
    shown = [
        (figure, values[figure.name] / figure.reference)
        for figure in goal.figures
        if figure.reference
        and values[figure.name].size
        and (values[figure.name] / figure.reference > 0).all()
    ]
    if not shown:
        return ""

    def paint(canvas: Canvas) -> None:
        axes = canvas.subplots()
        axes.axvline(1.0, color=ink(), linewidth=1.0, linestyle=":")
        for i, (_, ratios) in enumerate(reversed(shown)):
            level = np.full(ratios.size, i)
            axes.plot(ratios, level, "o", color="#3d8fd1", alpha=0.4, markersize=5)
            axes.plot(np.median(ratios), i, "|", color=ink(), markersize=14, markeredgewidth=2)
        axes.set_yticks(range(len(shown)), [_short(figure.title) for figure, _ in reversed(shown)])
        axes.set(xscale="log", xlabel="ours / published", ylim=(-0.6, len(shown) - 0.4))
        axes.margins(x=0.08)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 0.9), max(high, 1.11))

    label = f"{goal.title}: every seed over the published figure, log scale; bars mark medians"
    return draw(0.8 + 0.26 * len(shown), paint, label)


def _short(title: str) -> str:
    return title if len(title) <= 34 else title[:33] + "…"


def _gates(pages: list[Page]) -> pd.DataFrame:
    rows = [
        {
            "goal": page.goal.name,
            "figure": line.figure.name,
            "metric": line.figure.metric.name,
            "n_seeds": line.values.size,
            "median": np.median(line.values) if line.values.size else np.nan,
            "mean": line.values.mean() if line.values.size else np.nan,
            "least": line.values.min() if line.values.size else np.nan,
            "greatest": line.values.max() if line.values.size else np.nan,
            "published": line.figure.published,
            "source": line.figure.source,
            "gate": line.figure.gate,
            "verdict": line.verdict,
            "seconds": line.seconds,
        }
        for page in pages
        for line in page.lines
    ]
    return pd.DataFrame(rows)


def _say_seeds(frame: pd.DataFrame) -> str:
    numbers = sorted(frame["seed"].unique().tolist())
    if len(numbers) > 6 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}; each figure as many as its protocol asks for"
    return ", ".join(map(str, numbers))
