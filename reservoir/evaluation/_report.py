"""The report: the rows of a folder as one self-contained HTML page and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ._plots import (
    Palette,
    cost_figure,
    growth_figure,
    rank_figure,
    recall_figure,
    spectrum_figure,
    speed_figure,
    trace_figure,
)
from ._protocol import SELECTION_SEED
from ._rendering import Run, circumstances, environment
from ._results import ResultStore
from ._specs import MODELS, TASKS, Model, Task
from ._statistics import MIN_MODELS, MIN_SEEDS, MIN_TASKS, RankTest, rank_test
from ._summary import Cell, conclude, family_ranking, marked, ranks, summarise

PROTOCOL = (
    "Every model of a task gets the same rows: inputs and targets standardised with the mean and "
    "standard deviation of the training part; scores are in the original units.",
    f"Hyper-parameters are chosen from a small grid once for each task and model, on the training "
    f"part of seed {SELECTION_SEED} only: on time-ordered folds that start warm (on stratified "
    "folds for labels), by the metric of the task. “search” is the time that took.",
    "The grids and budgets were written by hand with some test figures of the default seeds in "
    "sight (widened for the ESN on sunspots, the filters on the ECG and the trained networks). "
    "Other seeds, as --seeds 10,11,12, are fresh draws for the synthetic parts.",
    "A seed draws synthetic data and random weights anew. The middle figure is the median over "
    "the seeds, beside it the least and the greatest, or, with six seeds or more, the 95 % "
    "bootstrap interval of the median. That spread says nothing about what another stretch of a "
    "recorded series would give.",
    f"Tests: with {MIN_SEEDS} seeds or more, p is Wilcoxon's signed-rank test against the best "
    "model of the task over the same seeds, adjusted after Holm; with fewer there is no test. "
    f"With {MIN_TASKS} tasks or more, Friedman's test and Nemenyi's critical difference over the "
    "models that answered all of them.",
    "Seconds are wall clock on one core, with one BLAS thread, of the fit with the chosen "
    "parameters and of the whole test part; compilation is not in them.",
    "Where a model has no closed loop of its own (filters), a free run predicts from its last 50 "
    "rows at every step.",
    "Parameters counts the numbers learned from data, not those drawn at random.",
)


@dataclass
class Section:
    """What the report says about one task."""

    task: Task
    cells: list[Cell]
    row: list[Cell | None]
    conclusion: str
    figures: list[tuple[str, str]]

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        return "higher is better" if self.task.metric.greater_is_better else "lower is better"

    @property
    def noted(self) -> bool:
        """Whether there is a note to show."""
        return any(cell.note for cell in self.cells)

    @property
    def tested(self) -> bool:
        """Whether there are seeds enough for a test."""
        return any(cell.p_value is not None for cell in self.cells)

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign."""
        return "↑" if self.task.metric.greater_is_better else "↓"


def write_report(store: ResultStore, run: Run) -> Path:
    """Write ``report.html``, ``report.md`` and ``summary.csv`` about all rows of a folder.

    With an earlier run also ``against.csv``.

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
    tasks = [task for name, task in TASKS.items() if (frame["task"] == name).any()]
    models = [model for name, model in MODELS.items() if (frame["model"] == name).any()]
    palette = Palette(list(MODELS))
    titles = {model.name: model.title for model in models}
    sections = [_section(store, frame, task, models, palette) for task in tasks]
    seeds = sorted(frame["seed"].unique().tolist())
    quick = bool(frame["quick"].any())
    test = rank_test([ranks(section.cells) for section in sections])
    peers = {model.peer for model in models if model.peer}
    context = {
        "lead": _lead(tasks, models, seeds, quick),
        "sections": sections,
        "models": models,
        "families": family_ranking([section.cells for section in sections]),
        "overview": _overview(sections, models, palette),
        "rank_test": test,
        "rank_said": _say_ranks(test, titles),
        "rank_figure": "" if test is None else rank_figure(test, titles, palette),
        "absent": _say_absent(run.absent),
        "unsuited": _unsuited(sections),
        "protocol": PROTOCOL,
        "seeds": ", ".join(map(str, seeds)),
        **circumstances(store, run, frame, sorted(peers)),
    }
    store.write_text("summary.csv", _summary_table(sections).to_csv(index=False))
    env = environment()
    store.write_text("report.md", env.get_template("report.md.jinja").render(context))
    return store.write_text("report.html", env.get_template("report.html.jinja").render(context))


def _summary_table(sections: list[Section]) -> pd.DataFrame:
    rows = []
    for section in sections:
        places = ranks(section.cells)
        for cell in section.cells:
            low, high = cell.interval or (np.nan, np.nan)
            rows.append(
                {
                    "task": section.task.name,
                    "model": cell.model.name,
                    "family": cell.model.family,
                    "metric": section.task.metric.name,
                    "n_seeds": cell.n_seeds,
                    "median": cell.value,
                    "least": cell.low,
                    "greatest": cell.high,
                    "interval_low": low,
                    "interval_high": high,
                    "rank": places.get(cell.model.name, np.nan),
                    "p_against_best": cell.p_value,
                    "fit_seconds": cell.fit_seconds,
                    "predict_seconds": cell.predict_seconds,
                    "search_seconds": cell.search_seconds,
                    "n_parameters": cell.n_parameters,
                    "status": cell.status,
                }
            )
    return pd.DataFrame(rows)


def _say_ranks(test: RankTest | None, titles: dict[str, str]) -> str:
    if test is None:
        return (
            f"No test over tasks: it takes {MIN_TASKS} tasks and {MIN_MODELS} models that answered "
            "all of them."
        )
    said = (
        f"Friedman's test over {test.n_tasks} tasks and the {len(test.ranks)} models that answered "
        f"all of them: chi-squared {test.statistic:.2f}, p = {test.p_value:.3g}. "
    )
    if not test.told_apart:
        return said + "The models are not told apart by so few tasks."
    first, *_, last = sorted(test.ranks, key=test.ranks.__getitem__)
    return said + (
        f"Mean ranks less than {test.difference:.2f} apart (Nemenyi, 5 %) are not told apart; "
        f"{titles[first]} stands first, {titles[last]} last."
    )


def _say_absent(absent: list[str]) -> str:
    if not absent:
        return ""
    return f"Peers that are not installed and so not in this report: {', '.join(absent)}."


def _section(
    store: ResultStore, frame: Any, task: Task, models: list[Model], palette: Palette
) -> Section:
    row = [summarise(frame, task, model) for model in models]
    cells = [cell for cell in row if cell is not None]
    cells = marked(cells)
    known = {cell.model.name: cell for cell in cells}
    row = [None if cell is None else known[cell.model.name] for cell in row]
    return Section(task, cells, row, conclude(cells), _figures(store, frame, task, cells, palette))


def _figures(
    store: ResultStore, frame: Any, task: Task, cells: list[Cell], palette: Palette
) -> list[tuple[str, str]]:
    known = [cell for cell in cells if cell.n_seeds and np.isfinite(cell.value)]
    if not known:
        return []
    titles = {cell.model.name: cell.model.title for cell in known}
    seed = int(frame[frame["task"] == task.name]["seed"].min())
    found = {name: store.arrays(task.name, name, seed) for name in titles}
    arrays = {name: kept for name, kept in found.items() if kept is not None}
    figures = []
    if arrays and task.kind == "classification":
        caption = f"Percent of the test cases of each {task.labels[0]} labelled right; seed {seed}."
        figures.append((caption, recall_figure(task, arrays, titles, palette)))
    elif arrays:
        figures.append((_trace_caption(task, seed), trace_figure(task, cells, arrays, palette)))
    if arrays and task.kind == "cancellation":
        caption = f"Spectra of the whole test part, in the same colours; seed {seed}."
        figures.append((caption, spectrum_figure(task, cells, arrays, palette)))
    if arrays and task.kind == "forecasting":
        caption = f"How the error of free runs grows, median over origins; seed {seed}."
        figures.append((caption, growth_figure(task, arrays, titles, palette)))
    if task.kind == "speed":
        figures.append((_SPEED_CAPTION, speed_figure(known, palette)))
    else:
        figures.append((_COST_CAPTION, _cost(task, known, titles, palette)))
    return figures


_SPEED_CAPTION = "Rows a second, medians; lines from least to greatest over seeds."
_COST_CAPTION = "Accuracy against seconds to fit: medians, bars from least to greatest over seeds."


def _trace_caption(task: Task, seed: int) -> str:
    said = {
        "cancellation": "Two seconds: pale before cancelling, grey clean, in colour after",
        "forecasting": "A free run from the first origin: grey the truth, in colour the forecast",
    }
    default = "The first scored rows: grey the truth, in colour the prediction"
    return f"{said.get(task.kind, default)}; seed {seed}."


def _cost(task: Task, cells: list[Cell], titles: dict[str, str], palette: Palette) -> str:
    metric = task.metric
    points = {
        cell.model.name: (max(cell.fit_seconds, 1e-5), cell.value, cell.low, cell.high)
        for cell in cells
    }
    lows, highs = [p[2] for p in points.values()], [p[3] for p in points.values()]
    log = not metric.greater_is_better and min(lows) > 0 and max(highs) > 20 * min(lows)
    direction = "higher" if metric.greater_is_better else "lower"
    return cost_figure(points, titles, palette, f"{metric.label}, {direction} is better", log=log)


def _overview(sections: list[Section], models: list[Model], palette: Palette) -> str:
    """Mean rank against geometric mean of the seconds to fit; empty for a single model."""
    places = [ranks(section.cells) for section in sections]
    points = {}
    for model in models:
        mine = [place[model.name] for place in places if model.name in place]
        seconds = [
            max(cell.fit_seconds, 1e-5)
            for section in sections
            for cell in section.cells
            if cell.model.name == model.name and cell.n_seeds
        ]
        if mine:
            rank = float(np.mean(mine))
            points[model.name] = (float(np.exp(np.mean(np.log(seconds)))), rank, rank, rank)
    if len(points) < 2:
        return ""
    titles = {model.name: model.title for model in models}
    return cost_figure(
        points,
        titles,
        palette,
        "mean rank, 1 is best",
        seconds="seconds to fit (geometric mean over tasks)",
        invert=True,
    )


def _lead(tasks: list[Task], models: list[Model], seeds: list[int], quick: bool) -> str:
    counts = ((models, "model"), (tasks, "task"), (seeds, "seed"))
    parts = [f"{len(found)} {noun}{'s' * (len(found) != 1)}" for found, noun in counts]
    said = (
        f"{parts[0]} on {parts[1]} with {parts[2]}, one protocol: the same splits and inputs, "
        "hyper-parameters chosen on the training part only."
    )
    hurry = " This was a --quick run: smaller test parts and budgets, figures are rough."
    return said + hurry * quick


def _unsuited(sections: list[Section]) -> str:
    reasons = {
        cell.note for section in sections for cell in section.cells if cell.status == "unsuited"
    }
    return f"“Makes no sense”: {'; '.join(sorted(reasons))}." if reasons else ""
