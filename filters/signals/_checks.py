"""Arguments of the generators: a bad one is named, with its bounds."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np


def check_count(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an int, or raise a ValueError that names the argument."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}.")
    return int(value)


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float = -np.inf,
    above: float = -np.inf,
    below: float = np.inf,
) -> float:
    """Return `value` as a float in [minimum, below) and > above, or raise a ValueError."""
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        try:
            number = float(value)
        except OverflowError:
            number = np.inf
        if above < number < below and number >= minimum:
            return number
    bounds = [
        f" {sign} {bound:g}"
        for sign, bound in ((">=", minimum), (">", above), ("<", below))
        if np.isfinite(bound)
    ]
    raise ValueError(f"{name} must be a finite number{' and'.join(bounds)}, got {value!r}.")
