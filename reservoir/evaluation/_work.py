"""The rows still to be run: in which order, by whom, and what is said about them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import joblib

from ._protocol import Choice, Outcome, choose, describe_params, explain, run
from ._results import ResultStore
from ._specs import Model, Task
from ._workers import start_workers

_CHOOSING = 3.0  # what choosing costs, in rows


@dataclass
class Pair:
    """A model on a task, with what is left to do."""

    task: Task
    model: Model
    seeds: list[int]
    choice: Choice | None = None

    @property
    def weight(self) -> float:
        """Work left, in arbitrary units."""
        return self.model.cost * (len(self.seeds) + _CHOOSING * (self.choice is None))

    def row(self, seed: int, status: str, note: str) -> dict[str, Any]:
        """A row without figures."""
        params, seconds = self.choice or Choice({}, float("nan"))
        figures = ("value", "fit_seconds", "predict_seconds", "n_parameters")
        return {
            **dict.fromkeys(figures, float("nan")),
            "task": self.task.name,
            "model": self.model.name,
            "seed": seed,
            "search_seconds": seconds,
            "params": describe_params(params),
            "status": status,
            "note": note,
        }


def pending(
    store: ResultStore, tasks: list[Task], models: list[Model], seeds: list[int]
) -> list[Pair]:
    """Pairs with seeds to run, the dearest first; rows of unsuited pairs are written at once."""
    pairs, unsuited = [], []
    for task in tasks:
        for model in models:
            left = [s for s in seeds if not store.finished(task.name, model.name, s)]
            pair = Pair(task, model, left, store.choice(task.name, model.name))
            if task.kind in model.unsuited:
                reason = model.unsuited[task.kind]
                unsuited += [pair.row(seed, "unsuited", reason) for seed in left]
            elif left:
                pairs.append(pair)
    if unsuited:
        store.add(unsuited)
    return sorted(pairs, key=lambda pair: -pair.weight)


def work(
    store: ResultStore, pairs: list[Pair], quick: bool, n_jobs: int | None, progress: Progress
) -> None:
    """Run all that is left of `pairs`; every row is on disk as soon as it is finished.

    Parameters
    ----------
    store : ResultStore
    pairs : list of Pair
    quick : bool
    n_jobs : int or None
    progress : Progress
    """
    n_rows = sum(len(pair.seeds) for pair in pairs)
    if n_rows == 0:
        return
    n_jobs = min(n_jobs or joblib.cpu_count(), n_rows)
    jobs = Jobs(pairs)
    running: dict[Future, tuple[Pair, int | None]] = {}
    workers = start_workers(n_jobs)
    try:
        while running or jobs:
            while jobs and len(running) < n_jobs:
                pair, seed = jobs.take()
                running[_submit(workers, pair, seed, quick)] = (pair, seed)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pair, seed = running.pop(future)
                try:
                    answer = future.result()
                except BrokenExecutor as error:  # a process died and took its neighbours along
                    answer = explain(error)
                _settle(store, jobs, progress, pair, seed, answer)
    finally:
        workers.stop()


class Jobs:
    """What is left: rows whose parameters are known come first, then choices."""

    def __init__(self, pairs: list[Pair]) -> None:
        self._rows = [(pair, seed) for pair in pairs if pair.choice for seed in pair.seeds]
        self._choices = [pair for pair in pairs if not pair.choice]

    def __bool__(self) -> bool:
        return bool(self._rows or self._choices)

    def take(self) -> tuple[Pair, int | None]:
        """The next pair and seed; None as a seed asks for its parameters."""
        return self._rows.pop(0) if self._rows else (self._choices.pop(0), None)

    def know(self, pair: Pair) -> None:
        """Rows of `pair` can be run now."""
        self._rows += [(pair, seed) for seed in pair.seeds]


def _submit(workers: Any, pair: Pair, seed: int | None, quick: bool) -> Future:
    if seed is None:
        return workers.submit(_guarded, choose, pair.task, pair.model, quick)
    assert pair.choice is not None
    return workers.submit(_guarded, run, pair.task, pair.model, pair.choice.params, seed, quick)


def _guarded(function: Any, *args: Any) -> Any:
    """What `function` returns, or one line that says how it failed."""
    try:
        return function(*args)
    except Exception as error:
        return explain(error)


def _settle(
    store: ResultStore,
    jobs: Jobs,
    progress: Progress,
    pair: Pair,
    seed: int | None,
    answer: Choice | Outcome | str,
) -> None:
    if isinstance(answer, Choice):
        pair.choice = answer
        jobs.know(pair)
        progress.chosen(pair)
    elif isinstance(answer, Outcome):
        assert seed is not None
        figures = answer._asdict()
        arrays = figures.pop("arrays")
        row = {**pair.row(seed, "ok", answer.note), **figures}
        store.add([row], arrays)
        progress.row(pair, row)
    else:
        seeds = pair.seeds if seed is None else [seed]
        rows = [pair.row(s, "failed", answer) for s in seeds]
        store.add(rows)
        for row in rows:
            progress.row(pair, row)


@dataclass
class Progress:
    """A line a finished row on standard error."""

    pairs: list[Pair]
    n_rows: int
    verbose: int
    n_done: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_done = self.n_rows - sum(len(pair.seeds) for pair in self.pairs)
        self._left = sum(pair.weight for pair in self.pairs)
        self._all, self._start = self._left, perf_counter()
        if self.n_done:
            self.say(f"{self.n_done} of {self.n_rows} rows need no run")

    def say(self, text: str) -> None:
        """Write a line."""
        if self.verbose:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def chosen(self, pair: Pair) -> None:
        """Take note that the parameters of a pair are known."""
        self._left -= _CHOOSING * pair.model.cost

    def row(self, pair: Pair, row: Mapping[str, Any]) -> None:
        """Say what came out and how long the rest will take."""
        self._left -= pair.model.cost
        self.n_done += 1
        metric = pair.task.metric
        said = f"{metric.name} {metric.format(row['value'])} {metric.unit}".rstrip()
        if row["status"] == "failed":
            said = f"failed: {row['note']}"
        elapsed = perf_counter() - self._start
        left = elapsed * max(self._left, 0.0) / max(self._all - self._left, 1e-9)
        width = len(str(self.n_rows))
        self.say(
            f"[{self.n_done:{width}d}/{self.n_rows}] {pair.task.name} {pair.model.name} seed "
            f"{row['seed']}: {said}, fit {row['fit_seconds']:.2g} s; about {left:.0f} s left"
        )
