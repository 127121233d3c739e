"""`compare`: every model on every task with every seed, resumed where it stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from numbers import Real
from time import perf_counter
from typing import Any

import pandas as pd

from filters.timeseries._extras import require_report_extra
from filters.timeseries._sklearn_private import check_values, whole

from . import _registered  # noqa: F401  (tasks and models)
from ._against import read_rows
from ._machine import package_version
from ._results import Catalogue, ResultStore
from ._specs import MODELS, TASKS, UsageError, select
from ._suites import (
    PEERS_EXTRA,
    absent_peers,
    find_suite,
    has_model,
    has_task,
    require_peers,
)
from ._work import Progress, pending, work

_PATH = [str, os.PathLike]
_KINDS: dict[str, list[Any]] = {
    "out": _PATH,
    "suite": [str],
    "peers": ["boolean"],
    "against": [*_PATH, None],
    "budget": [Real, None],
    "quick": ["boolean"],
    "n_jobs": [whole(), None],
    "verbose": ["verbose"],
    "command": [str, None],
}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the message says what is kept."""


def compare(
    tasks: str | Iterable[str] | None = None,
    models: str | Iterable[str] | None = None,
    *,
    seeds: Iterable[int] | None = None,
    out: str | os.PathLike[str] = "report",
    suite: str = "quick",
    peers: bool = False,
    against: str | os.PathLike[str] | None = None,
    budget: float | None = None,
    quick: bool = False,
    n_jobs: int | None = None,
    verbose: int = 1,
    command: str | None = None,
) -> pd.DataFrame:
    """Run models on tasks under one protocol and write the tables and the report.

    Parameters
    ----------
    tasks, models : str, list of str or None, default=None
        Names; None takes those of the suite.
    seeds : iterable of int, default=None
        Each draws synthetic data and random weights anew. None: 0, 1 and 2; published figures
        have as many as their protocol asks for.
    out : path, default="report"
        Folder of ``results.csv``, ``report.md``, ``report.html`` and ``predictions/``. Rows that
        are finished there are not run again.
    suite : str, default="quick"
        "quick", "forecasting", "denoising", "classification", "long-memory", "published" (figures
        that others have published, by their protocols) or "speed".
    peers : bool, default=False
        Also run reservoirpy, padasip and torch, as far as they are installed; the report names
        those that are not. Rows are then run one after the other unless `n_jobs` is given.
    against : path, default=None
        Folder or ``results.csv`` of an earlier run, to be compared with.
    budget : float, default=None
        Seconds of CPU time, so that a busy machine trains as much, that each gradient-trained
        network of the long published protocols may have; None leaves these protocols out.
    quick : bool, default=False
        Smaller test parts and budgets, for a first look.
    n_jobs : int, default=None
        Processes side by side; None takes the cores there are. Changes no result but seconds.
    verbose : int, default=1
        1 writes a line a finished row on standard error, 0 nothing.
    command : str, default=None
        What the report says it was made with; None describes this call.

    Returns
    -------
    DataFrame
        One row for each task, model and seed asked for, with the columns of ``results.csv``:
        task, model, family, seed, metric, value, greater_is_better, fit_seconds,
        predict_seconds, search_seconds, n_parameters, params (JSON), status ("ok", "unsuited",
        "failed"), note, version, quick, config.

    Raises
    ------
    UsageError
        A ValueError, for unknown names, bad seeds or a folder that cannot be used.
    OutputError
        An OSError, if the disk fills up on the way.
    ImportError
        Without matplotlib or jinja2, before any work.
    Interrupted
        A KeyboardInterrupt; finished rows are on disk.

    Notes
    -----
    Hyper-parameters are chosen once for each task and model, on the training part of seed 0. A
    model that fails gives a row with value NaN and the error in its note, and is tried again by
    the next run. The report covers all rows of the folder.

    Examples
    --------
    >>> from reservoir.evaluation import compare
    >>> rows = compare("sunspots", ["linear", "rls"], out=getfixture("tmp_path"), verbose=0)
    >>> bool((rows["value"] < 0.4).all())
    True
    """
    _check_kinds(
        {"out": out, "suite": suite, "peers": peers, "against": against, "budget": budget}
        | {"quick": quick, "n_jobs": n_jobs, "verbose": verbose, "command": command}
    )
    chosen = find_suite(suite)
    if n_jobs is not None and n_jobs < 1:
        raise UsageError(f"the number of jobs must be at least 1, got {n_jobs}")
    if suite == "published":
        if models is not None or peers or quick:
            raise UsageError(
                "the published suite has protocols of its own: models, peers and quick do not "
                "apply; choose goals by tasks, and fewer seeds for a first look"
            )
        said = command or _describe_call(tasks, None, seeds, out, quick, suite, peers)
        return _run_published(tasks, seeds, out, against, budget, n_jobs, verbose, said)
    if budget is not None:
        raise UsageError("a budget is for the published suite")
    wanted_tasks = select("task", tasks, TASKS, lambda task: has_task(chosen, task))
    wanted_models = select("model", models, MODELS, lambda model: has_model(chosen, model, peers))
    require_peers(wanted_models)
    wanted_seeds = _check_seeds((0, 1, 2) if seeds is None else seeds)
    require_report_extra("the report", "matplotlib", "jinja2")
    before = None if against is None else read_rows(against)
    absent = absent_peers(chosen) if peers else []
    one_by_one = chosen.interleaved or peers
    start = perf_counter()
    store = ResultStore(out, Catalogue(package_version(), quick))
    with store.locked():
        pairs = pending(store, wanted_tasks, wanted_models, wanted_seeds, quick)
        n_rows = len(wanted_tasks) * len(wanted_models) * len(wanted_seeds)
        progress = Progress(pairs, n_rows, verbose)
        if absent:
            progress.say(f"not installed and so left out: {', '.join(absent)} ({PEERS_EXTRA})")
        try:
            work(store, pairs, 1 if one_by_one and n_jobs is None else n_jobs, progress, one_by_one)
            from ._report import Run, write_report  # matplotlib and jinja2 only now

            progress.say("writing the report")
            said = command or _describe_call(tasks, models, wanted_seeds, out, quick, suite, peers)
            path = write_report(store, Run(said, absent, before, os.fspath(against or "")))
        except KeyboardInterrupt:
            raise Interrupted(_say_interrupted(store, progress)) from None
    progress.say(f"{path} is ready after {perf_counter() - start:.0f} s")
    frame = store.frame()
    asked = (
        frame["task"].isin([task.name for task in wanted_tasks])
        & frame["model"].isin([model.name for model in wanted_models])
        & frame["seed"].isin(wanted_seeds)
    )
    return frame[asked].reset_index(drop=True)


def _run_published(
    tasks: Any,
    seeds: Any,
    out: str | os.PathLike[str],
    against: str | os.PathLike[str] | None,
    budget: float | None,
    n_jobs: int | None,
    verbose: int,
    command: str,
) -> pd.DataFrame:
    """Run published figures; as `compare`, of which this is the suite "published"."""
    from .published import GOALS
    from .published._run import PublishedCatalogue, pending

    goals = select("task", tasks, GOALS)
    wanted_seeds = None if seeds is None else _check_seeds(seeds)
    if budget is not None and not 0 < budget < float("inf"):
        raise UsageError(f"the budget must be a number of seconds above 0, got {budget}")
    require_report_extra("the report", "matplotlib", "jinja2")
    before = None if against is None else read_rows(against)
    start = perf_counter()
    store = ResultStore(out, PublishedCatalogue(package_version(), False))
    with store.locked():
        pairs = pending(store, goals, wanted_seeds, budget)
        n_rows = sum(pair.n_left for pair in pairs)
        progress = Progress(pairs, n_rows, verbose)
        try:
            work(store, pairs, n_jobs, progress)
            from ._report import Run  # matplotlib and jinja2 only now
            from .published._page import write_published

            progress.say("writing the report")
            path = write_published(store, Run(command, [], before, os.fspath(against or "")))
        except KeyboardInterrupt:
            raise Interrupted(_say_interrupted(store, progress)) from None
    progress.say(f"{path} is ready after {perf_counter() - start:.0f} s")
    frame = store.frame()
    return frame[frame["task"].isin([goal.name for goal in goals])].reset_index(drop=True)


def _say_interrupted(store: ResultStore, progress: Progress) -> str:
    return (
        f"interrupted: {progress.n_done} of {progress.n_rows} rows are finished and kept in "
        f"{store.folder / 'results.csv'}; the same command goes on from there"
    )


def contents(suite: str = "quick", peers: bool = False) -> tuple[list[str], list[str]]:
    """Names of the tasks and of the models that `compare` takes when none are named.

    Parameters
    ----------
    suite : str, default="quick"
    peers : bool, default=False

    Returns
    -------
    tasks, models : list of str

    Raises
    ------
    UsageError
        If there is no such suite.
    """
    _check_kinds({"suite": suite, "peers": peers})
    chosen = find_suite(suite)
    if suite == "published":
        from .published import GOALS

        return list(GOALS), []
    tasks = [name for name, task in TASKS.items() if has_task(chosen, task)]
    return tasks, [name for name, model in MODELS.items() if has_model(chosen, model, peers)]


def _check_kinds(values: dict[str, Any]) -> None:
    """Raise a UsageError for the first argument that is not of its kind."""
    try:
        check_values("compare", values, _KINDS)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _check_seeds(seeds: Iterable[int]) -> list[int]:
    try:
        values = sorted({int(seed) for seed in _each(seeds)})
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"seeds must be whole numbers, got {seeds!r}") from None
    if not values or values[0] < 0 or values[-1] >= 2**32:
        raise UsageError(f"seeds must be whole numbers from 0 to 2**32 - 1, got {seeds!r}")
    return values


def _each(seeds: Any) -> Iterator[Any]:
    for seed in [seeds] if isinstance(seeds, int) else seeds:
        if isinstance(seed, bool) or seed != int(seed):
            raise ValueError(seed)
        yield seed


def _describe_call(
    tasks: Any, models: Any, seeds: Any, out: Any, quick: bool, suite: str, peers: bool
) -> str:
    named = {"tasks": tasks, "models": models, "suite": suite if suite != "quick" else None}
    parts = [f"{name}={value!r}" for name, value in named.items() if value]
    parts += [f"seeds={seeds!r}", f"out={os.fspath(out)!r}"]
    parts += ["quick=True"] * bool(quick) + ["peers=True"] * bool(peers)
    return f"reservoir.evaluation.compare({', '.join(parts)})"
