"""Training a gradient network until its time is up."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

from .._protocol import count_parameters

Draw = Callable[[int], tuple[Any, Any]]


def train_for(
    model: Any,
    draw: Draw,
    seconds: float,
    is_done: Callable[[Any], bool] = lambda model: False,
) -> dict[str, float]:
    """Fit again and again, each call going on where the last one stopped.

    Parameters
    ----------
    model : estimator
        Takes ``warm_start``; `max_iter` epochs are trained between two looks at the clock.
    draw : callable
        ``draw(k) -> (X, y)``, the data of call number k; -1: a little, to compile.
    seconds : float
        CPU time of this process: no call is begun after that. Compilation is not counted, nor
        what other programs take of the machine.
    is_done : callable, optional
        Whether to stop earlier, asked after each call.

    Returns
    -------
    dict
        "fit_seconds" of CPU time, "n_parameters" and "calls".
    """
    model.fit(*draw(-1))  # compiles
    model.set_params(warm_start=False)
    start, calls = process_time(), 0
    while calls == 0 or (process_time() - start < seconds and not is_done(model)):
        model.fit(*draw(calls))
        model.set_params(warm_start=True)
        calls += 1
    found = {"fit_seconds": process_time() - start, "calls": float(calls)}
    return found | {"n_parameters": float(count_parameters(model))}
