"""Configurations of a search: where they are drawn from, and which of them run side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ._esn import ESNRegressor

_OF_NO_GROUP = (
    *("alpha", "leak_rate", "residual_scaling", "n_strands", "random_state", "n_jobs", "verbose"),
)
SCALARS = ("spectral_radius", "input_scaling", "bias_scaling")  # that a lane has of its own


def usual_space() -> dict[str, Any]:
    """Where a search begins that is told nothing."""
    from scipy.stats import loguniform, uniform

    return {
        "spectral_radius": uniform(0.1, 1.3),
        "leak_rate": loguniform(0.05, 1.0),
        "input_scaling": loguniform(0.05, 5.0),
        "bias_scaling": uniform(0.0, 1.0),
    }


def is_lane(value: Any) -> bool:
    """Whether a parameter is one number, which a lane can have of its own."""
    return value is not None and np.ndim(value) == 0


def alike(models: Sequence[ESNRegressor], kept: list[int]) -> Iterable[list[int]]:
    """Numbers of the `kept` whose drawn matrices and rows are the same, group by group."""
    found: dict[Any, list[int]] = {}
    for i in kept:
        values: Mapping[str, Any] = models[i].get_params(deep=False)
        key = tuple(
            (name, _identity(value))
            for name, value in values.items()
            if name not in _OF_NO_GROUP and not (name in SCALARS and is_lane(value))
        )
        found.setdefault(key, []).append(i)
    return found.values()


def _identity(value: Any) -> Any:
    """A key that only equal values have: the bytes of an array, the object itself else."""
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value)
        return array.shape, array.dtype.str, array.tobytes() if array.dtype != object else id(value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value
