"""From anything to an array of numbers, or words that say what was not one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def as_numbers(values: Any, name: str) -> np.ndarray:
    """`values` as a real or complex array: as they are where they are numbers, else in float64.

    Raises
    ------
    TypeError
        For what is not made of numbers: dates, records, sparse matrices, dicts, other objects.
    ValueError
        For rows of unequal length and words.
    """
    if type(values) is float or (type(values) is np.ndarray and values.dtype.kind in "biufc"):
        return np.asarray(values)  # sessions come here for every sample
    if sparse.issparse(values):
        raise TypeError(f"{name} is a sparse matrix; give {name}.toarray().")
    with naming(name):
        array = np.asarray(values)
        refuse_dates(array, name)
        if array.dtype.kind not in "biufc":
            # Complex numbers among objects stay complex, or float() would call them no numbers.
            kind = complex if array.dtype == object and _holds_complex(array) else float
            array = array.astype(kind)
    return array


def real_columns(values: Any, name: str) -> np.ndarray:
    """Real `values` in float64 with one row a time step: 1-D becomes one column."""
    array = as_numbers(values, name)
    if np.iscomplexobj(array):
        raise ValueError(f"{name} is complex; only real numbers go here.")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name} must have shape (n_timesteps,) or (n_timesteps, n_columns), not empty; got "
            f"shape {array.shape}."
        )
    return array.astype(np.float64).reshape(array.shape[0], -1)


def refuse_records(values: Any, name: str) -> None:
    """Raise a ValueError for arrays of records: pandas 2.2 cannot tell what is missing in them."""
    names = getattr(getattr(values, "dtype", None), "names", None)
    if names is not None:
        raise ValueError(f"{name} holds records with the fields {names}; give one of the fields.")


def refuse_dates(values: Any, name: str) -> None:
    """Raise a TypeError for dates and durations, which NumPy would turn into numbers."""
    kinds = values.dtypes if isinstance(values, pd.DataFrame) else [getattr(values, "dtype", None)]
    if any(getattr(kind, "kind", "") in ("m", "M") for kind in kinds):
        raise TypeError(
            f"{name} holds dates or durations, which are not numbers. Dates belong in the index; "
            "a duration can be divided by a unit, such as numpy.timedelta64(1, 's')."
        )


@contextmanager
def naming(*names: str) -> Iterator[None]:
    """Let an error of NumPy, pandas or scikit-learn inside the block name what it is about.

    An error that names one of `names` itself passes as it is.
    """
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        text = str(error)
        # "inhomogeneous shape after 1 dimensions" names no argument called `after`.
        numpy_speaks = text.startswith("setting an array element")
        if not numpy_speaks and any(re.search(rf"\b{re.escape(name)}\b", text) for name in names):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{' or '.join(names)} cannot be used: {text}") from error


def _holds_complex(array: np.ndarray) -> bool:
    return any(isinstance(entry, complex | np.complexfloating) for entry in array.ravel())
