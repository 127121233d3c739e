"""The rows still to be run: in which order, by whom, and what is said about them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import joblib

from ._kinds import Arrays
from ._protocol import Choice, Outcome, choose, describe_params, explain, run
from ._results import ResultStore
from ._specs import Model, Task
from ._workers import noticed_interrupt, start_workers

_CHOOSING = 3.0  # what choosing costs, in rows


@dataclass
class Pair:
    """A model on a task, with what is left to do."""

    task: Task
    model: Model
    seeds: list[int]
    choice: Choice | None = None
    quick: bool = False

    @property
    def cost(self) -> float:
        """Of one row, in arbitrary units."""
        return self.model.cost

    @property
    def n_left(self) -> int:
        """Rows that are still to be run."""
        return len(self.seeds)

    @property
    def weight(self) -> float:
        """Work left, in arbitrary units."""
        return self.cost * (len(self.seeds) + _CHOOSING * (self.choice is None))

    def job(self, seed: int | None) -> tuple[Any, ...]:
        """A function and its arguments; None as a seed asks for the parameters."""
        if seed is None:
            return choose, self.task, self.model, self.quick
        assert self.choice is not None
        return run, self.task, self.model, self.choice.params, seed, self.quick

    def finished(self, seed: int, outcome: Outcome) -> tuple[list[dict[str, Any]], Arrays]:
        """The rows of an outcome, and the arrays to keep with the first of them."""
        figures = outcome._asdict()
        arrays = figures.pop("arrays")
        return [{**self.row(seed, "ok", outcome.note), **figures}], arrays

    def failed(self, seeds: list[int], note: str) -> list[dict[str, Any]]:
        """Rows that say why there is no value."""
        return [self.row(seed, "failed", note) for seed in seeds]

    def say(self, row: Mapping[str, Any]) -> str:
        """What came out, for a line of progress."""
        metric = self.task.metric
        return f"{metric.name} {metric.format(row['value'])} {metric.unit}".rstrip()

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
    store: ResultStore, tasks: list[Task], models: list[Model], seeds: list[int], quick: bool
) -> list[Pair]:
    """Pairs with seeds to run, the dearest first; rows of unsuited pairs are written at once."""
    pairs, unsuited = [], []
    for task in tasks:
        for model in models:
            left = [s for s in seeds if not store.finished(task.name, model.name, s)]
            pair = Pair(task, model, left, store.choice(task.name, model.name), quick)
            reason = model.unsuited.get(task.name) or model.unsuited.get(task.kind)
            if reason:
                unsuited += [pair.row(seed, "unsuited", reason) for seed in left]
            elif left:
                pairs.append(pair)
    if unsuited:
        store.add(unsuited)
    return sorted(pairs, key=lambda pair: -pair.weight)


def work(
    store: ResultStore,
    pairs: Sequence[Any],
    n_jobs: int | None,
    progress: Progress,
    interleaved: bool = False,
) -> None:
    """Run all that is left of `pairs`; every row is on disk as soon as it is finished.

    Parameters
    ----------
    store : ResultStore
    pairs : list of Pair
    n_jobs : int or None
    progress : Progress
    interleaved : bool, default=False
        All choices first, then seed by seed, so that the models of a task run side by side in time.
    """
    n_rows = sum(pair.n_left for pair in pairs)
    if n_rows == 0:
        return
    n_jobs = min(n_jobs or joblib.cpu_count(), n_rows)
    jobs = Jobs(pairs, interleaved)
    running: dict[Future, tuple[Any, int | None]] = {}
    workers = start_workers(n_jobs)
    try:
        while running or jobs:
            while jobs and len(running) < n_jobs:
                pair, seed = jobs.take()
                running[workers.submit(_guarded, *pair.job(seed))] = (pair, seed)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pair, seed = running.pop(future)
                try:
                    answer = future.result()
                except BrokenExecutor as error:  # a process died and took its neighbours along
                    answer = explain(error)
                with noticed_interrupt(at_once=False):  # a row is written and counted, or neither
                    _settle(store, jobs, progress, pair, seed, answer)
    finally:
        workers.stop()


class Jobs:
    """What is left: rows whose parameters are known come first, then choices.

    Parameters
    ----------
    pairs : list of Pair
    interleaved : bool
        The other way round, and rows by seed before pair.
    """

    def __init__(self, pairs: Sequence[Any], interleaved: bool = False) -> None:
        self._rows = [(pair, seed) for pair in pairs if pair.choice for seed in pair.seeds]
        self._choices = [pair for pair in pairs if not pair.choice]
        self._interleaved = interleaved

    def __bool__(self) -> bool:
        return bool(self._rows or self._choices)

    def take(self) -> tuple[Any, int | None]:
        """The next pair and seed; None as a seed asks for its parameters."""
        if self._choices and (self._interleaved or not self._rows):
            return self._choices.pop(0), None
        if self._interleaved:
            self._rows.sort(key=lambda row: row[1])  # stable: pairs stay in their order
        return self._rows.pop(0)

    def know(self, pair: Any) -> None:
        """Rows of `pair` can be run now."""
        self._rows += [(pair, seed) for seed in pair.seeds]


def _guarded(function: Any, *args: Any) -> Any:
    """What `function` returns, or one line that says how it failed."""
    try:
        return function(*args)
    except Exception as error:
        return explain(error)


def _settle(
    store: ResultStore, jobs: Jobs, progress: Progress, pair: Any, seed: int | None, answer: Any
) -> None:
    if isinstance(answer, Choice):
        pair.choice = answer
        jobs.know(pair)
        progress.chosen(pair)
        return
    if isinstance(answer, str):
        rows = pair.failed(pair.seeds if seed is None else [seed], answer)
        store.add(rows)
    else:
        rows, arrays = pair.finished(seed, answer)
        store.add(rows, arrays)
    progress.rows(pair, rows)


@dataclass
class Progress:
    """A line a finished row on standard error."""

    pairs: Sequence[Any]
    n_rows: int
    verbose: int
    n_done: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_done = self.n_rows - sum(pair.n_left for pair in self.pairs)
        self._left = sum(pair.weight for pair in self.pairs)
        self._all, self._start = self._left, perf_counter()
        if self.n_done:
            self.say(f"{self.n_done} of {self.n_rows} rows need no run")

    def say(self, text: str) -> None:
        """Write a line."""
        if self.verbose:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def chosen(self, pair: Any) -> None:
        """Take note that the parameters of a pair are known."""
        self._left -= _CHOOSING * pair.cost

    def rows(self, pair: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Say what came out and how long the rest will take."""
        self._left -= pair.cost * len({row["seed"] for row in rows})
        for row in rows:
            self.n_done += 1
            failed = row["status"] == "failed"
            said = f"failed: {row['note']}" if failed else pair.say(row)
            elapsed = perf_counter() - self._start
            left = elapsed * max(self._left, 0.0) / max(self._all - self._left, 1e-9)
            width = len(str(self.n_rows))
            self.say(
                f"[{self.n_done:{width}d}/{self.n_rows}] {row['task']} {row['model']} seed "
                f"{row['seed']}: {said}, fit {row['fit_seconds']:.2g} s; about {left:.0f} s left"
            )
