"""`compare`: every model on every task with every seed, resumed where it stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

import pandas as pd

from filters.timeseries._extras import require_report_extra

from . import _models, _networks, _tasks  # noqa: F401  (they register themselves)
from ._machine import package_version
from ._results import ResultStore
from ._specs import MODELS, TASKS, UsageError, select
from ._work import Progress, pending, work


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the message says what is kept."""


def compare(
    tasks: str | Iterable[str] | None = None,
    models: str | Iterable[str] | None = None,
    *,
    seeds: Iterable[int] = (0, 1, 2),
    out: str | os.PathLike[str] = "report",
    quick: bool = False,
    n_jobs: int | None = None,
    verbose: int = 1,
    command: str | None = None,
) -> pd.DataFrame:
    """Run models on tasks under one protocol and write the tables and the report.

    Parameters
    ----------
    tasks, models : str, list of str or None, default=None
        Names; None takes all that are registered.
    seeds : iterable of int, default=(0, 1, 2)
        Each draws synthetic data and random weights anew.
    out : path, default="report"
        Folder of ``results.csv``, ``report.md``, ``report.html`` and ``predictions/``. Rows that
        are finished there are not run again.
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
    wanted_tasks, wanted_models = select("task", tasks, TASKS), select("model", models, MODELS)
    wanted_seeds = _check_seeds(seeds)
    if n_jobs is not None and n_jobs < 1:
        raise UsageError(f"the number of jobs must be at least 1, got {n_jobs}")
    require_report_extra("the report", "matplotlib", "jinja2")
    start = perf_counter()
    store = ResultStore(out, package_version(), quick)
    pairs = pending(store, wanted_tasks, wanted_models, wanted_seeds)
    n_rows = len(wanted_tasks) * len(wanted_models) * len(wanted_seeds)
    progress = Progress(pairs, n_rows, verbose)
    try:
        work(store, pairs, quick, n_jobs, progress)
        from ._report import write_report  # matplotlib and jinja2 only now

        progress.say("writing the report")
        path = write_report(store, command or _describe_call(tasks, models, seeds, out, quick))
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {progress.n_done} of {n_rows} rows are finished and kept in "
            f"{store.folder / 'results.csv'}; the same command goes on from there"
        ) from None
    progress.say(f"{path} is ready after {perf_counter() - start:.0f} s")
    frame = store.frame()
    asked = (
        frame["task"].isin([task.name for task in wanted_tasks])
        & frame["model"].isin([model.name for model in wanted_models])
        & frame["seed"].isin(wanted_seeds)
    )
    return frame[asked].reset_index(drop=True)


def _check_seeds(seeds: Iterable[int]) -> list[int]:
    try:
        values = sorted({int(seed) for seed in _each(seeds)})
    except (TypeError, ValueError):
        raise UsageError(f"seeds must be whole numbers, got {seeds!r}") from None
    if not values or values[0] < 0 or values[-1] >= 2**32:
        raise UsageError(f"seeds must be whole numbers from 0 to 2**32 - 1, got {seeds!r}")
    return values


def _each(seeds: Any) -> Iterator[Any]:
    for seed in [seeds] if isinstance(seeds, int) else seeds:
        if isinstance(seed, bool) or seed != int(seed):
            raise ValueError(seed)
        yield seed


def _describe_call(tasks: Any, models: Any, seeds: Any, out: Any, quick: bool) -> str:
    parts = [f"{name}={value!r}" for name, value in (("tasks", tasks), ("models", models)) if value]
    parts += [f"seeds={seeds!r}", f"out={os.fspath(out)!r}"] + ["quick=True"] * quick
    return f"reservoir.evaluation.compare({', '.join(parts)})"
