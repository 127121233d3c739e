"""What every diagnostic begins with: a fitted memory, valid rows, and features block by block."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._memory import Memory
from filters.timeseries._numbers import as_numbers, naming, refuse_dates
from filters.timeseries._sequences import Stacked, as_series
from filters.timeseries._validation import FLOATS, check_finite

BLOCK = 1024  # rows driven at once: bounds the memory of every diagnostic
_MOST = 1e300  # twice of it can still be drawn from


def check_count(name: str, value: Any, lowest: int = 1) -> int:
    """`value` as an int, if it is one and at least `lowest`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
    if not whole or value < lowest:
        raise ValueError(f"{name} must be an integer of at least {lowest}, got {value!r}.")
    return int(value)


def check_amount(name: str, value: Any, *, zero: bool = False, lowest: float = 0.0) -> float:
    """`value` as a float, if it is positive (or zero, where allowed), not tiny and not huge."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    try:
        number = float(value) if is_number else np.nan
    except OverflowError:
        number = np.inf
    if not lowest <= number < _MOST or (number == 0 and not zero):
        least = ">= " if zero or lowest else "> "
        raise ValueError(
            f"{name} must be a finite number {least}{lowest:g} and < {_MOST:g}, got {value!r}."
        )
    return number


def check_streams(X: Any, name: str = "X") -> tuple[np.ndarray, Stacked]:
    """Stacked finite rows of one or several series, float64 or float32, and their offsets."""
    with naming(name):
        stacked = as_series(X)
    refuse_dates(stacked.rows, name)
    rows = as_numbers(stacked.rows, name)
    if np.iscomplexobj(rows):
        raise ValueError(f"{name} is complex; the states of a reservoir are real.")
    rows = np.ascontiguousarray(rows if rows.dtype in FLOATS else rows.astype(np.float64))
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(
            f"{name} must hold series of shape (n_timesteps, n_features) with at least one row and "
            f"column; got shape {rows.shape}. Reshape a single column with {name}[:, np.newaxis]."
        )
    check_finite(rows, stacked, name)
    return rows, stacked


def check_one_series(X: Any, name: str = "X") -> np.ndarray:
    """Finite rows ``(n_timesteps, n_features)`` of one series."""
    rows, stacked = check_streams(X, name)
    if stacked.n_series != 1:
        raise ValueError(
            f"{name} holds {stacked.n_series} series; one (n_timesteps, n_features) goes."
        )
    return rows


def is_fitted(reservoir: Any) -> bool:
    """Whether `reservoir` is fitted.

    Raises
    ------
    TypeError
        If it is not a transformer at all.
    """
    if not (hasattr(reservoir, "fit") and hasattr(reservoir, "transform")):
        hint = " Pass its reservoir_." if hasattr(reservoir, "reservoir_") else ""
        raise TypeError(
            "reservoir must be a memory, something with fit and transform; got "
            f"{type(reservoir).__name__}.{hint}"
        )
    try:
        check_is_fitted(reservoir)
    except NotFittedError:
        return False
    return True


def fitted(reservoir: Any, rows: np.ndarray) -> Any:
    """A fitted reservoir itself (nothing here changes it), or a clone fitted to the rows."""
    if not is_fitted(reservoir):
        return clone(reservoir).fit(rows)
    n_features = getattr(reservoir, "n_features_in_", rows.shape[1])
    if n_features != rows.shape[1]:
        raise ValueError(
            f"{type(reservoir).__name__} was fitted with {n_features} features, the rows here have "
            f"{rows.shape[1]}. Pass sklearn.base.clone(reservoir) to measure it with other inputs."
        )
    return reservoir


def fitted_memory(reservoir: Any, rows: np.ndarray) -> Memory:
    """As `fitted`, for diagnostics that set the state before the first row."""
    is_fitted(reservoir)
    if not isinstance(reservoir, Memory):
        raise TypeError(
            f"reservoir: this diagnostic starts a memory from states of its own, which "
            f"{type(reservoir).__name__} does not offer; a Reservoir or another memory does."
        )
    return fitted(reservoir, rows)


def features_by_block(memory: Any, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield ``(rows of the block, features (n, n_columns))`` of one series from a zero state.

    A transformer that is not one of ours takes all rows at once.
    """
    if not isinstance(memory, Memory):
        yield slice(0, rows.shape[0]), np.asarray(memory.transform(rows))
        return
    state = np.zeros(memory._n_state, dtype=memory._dtype_for(rows.dtype))
    for start in range(0, rows.shape[0], BLOCK):
        part = slice(start, min(start + BLOCK, rows.shape[0]))
        features, state = memory._advance(rows[part], state)
        yield part, features
