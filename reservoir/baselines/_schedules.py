"""Learning rates over the epochs of a training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from filters.timeseries._numbers import naming

Schedule = str | Callable[[int], float]


def _step(progress: float, decay: float) -> float:
    # Halfway and at three quarters, as He et al. (2016) divided by ten.
    return decay ** (int(progress >= 0.5) + int(progress >= 0.75))


def _exponential(progress: float, decay: float) -> float:
    return decay**progress


def _cosine(progress: float, decay: float) -> float:
    return decay + (1.0 - decay) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _constant(progress: float, decay: float) -> float:
    return 1.0


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": _constant,
    "step": _step,
    "exponential": _exponential,
    "cosine": _cosine,
}


def factor(schedule: Schedule, decay: float, epoch: int, max_iter: int) -> float:
    """What the learning rate is multiplied by in `epoch`, counted from 0.

    Parameters
    ----------
    schedule : str or callable
        A name among `SCHEDULES`, or a function of the epoch.
    decay : float
        Of the named ones: the factor that "exponential" and "cosine" end at after `max_iter`
        epochs, and that "step" applies halfway and again at three quarters.
    epoch, max_iter : int

    Raises
    ------
    ValueError
        If a function answers with anything but a finite number >= 0.
    """
    if not callable(schedule):
        return SCHEDULES[schedule](min(epoch / max(max_iter, 1), 1.0), decay)
    with naming("learning_rate_schedule"):
        value = schedule(epoch)
    return _number(value, "learning_rate_schedule", epoch, math.inf)


def share(teacher_forcing: Any, epoch: int) -> float:
    """Share of the steps fed with the target in `epoch`: a number, or a function of the epoch.

    Raises
    ------
    ValueError
        If a function answers with anything but a number in [0, 1].
    """
    if not callable(teacher_forcing):
        return float(teacher_forcing)
    with naming("teacher_forcing"):
        value = teacher_forcing(epoch)
    return _number(value, "teacher_forcing", epoch, 1.0)


def _number(value: Any, name: str, epoch: int, highest: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (0.0 <= number <= highest and math.isfinite(number)):
        bounds = "in [0, 1]" if highest == 1.0 else ">= 0 and finite"
        raise ValueError(f"{name}({epoch}) answered {value!r}; it must be a number {bounds}.")
    return number
