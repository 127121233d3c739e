"""Hostile values: what may arrive instead of rows of numbers, or instead of one argument.

Rows are functions of a fresh 2-D float64 array, so that every call gets a value of its own.
"""

import tempfile
from collections import deque
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator


def steady(base):
    """`base` in the memory of a file."""
    file = tempfile.NamedTemporaryFile(suffix=".npy")  # noqa: SIM115  gone with the array
    base.tofile(file.name)
    mapped = np.memmap(file.name, dtype=base.dtype, mode="r", shape=base.shape)
    mapped._file = file
    return mapped


def with_value(base, value, row=3):
    base = base.copy()
    row = min(row, len(base) - 1)
    base[(row, 0) if base.ndim > 1 else row] = value
    return base


def read_only(base):
    base.setflags(write=False)
    return base


def panel_index(n, levels=2, order=None):
    series = np.arange(n) >= n // 2 if order is None else order
    time = np.concatenate([np.arange(n // 2), np.arange(n - n // 2)])
    arrays = [series.astype(int), time] + [np.zeros(n, int)] * (levels - 2)
    return pd.MultiIndex.from_arrays(arrays[:levels])


def frame(base, index=None, **kwargs):
    names = [f"c{i}" for i in range(base.shape[1])]
    return pd.DataFrame(base, index=index, columns=names, **kwargs)


def missing(base, dtype="Float64"):
    table = frame(base).astype(dtype)
    table.iloc[min(2, len(table) - 1), 0] = pd.NA
    return table


# Same number of rows as the base: kind -> function of a fresh 2-D float64 array.
SAME_ROWS = {
    "plain": lambda b: b,
    "one NaN": lambda b: with_value(b, np.nan),
    "all NaN": lambda b: np.full_like(b, np.nan),
    "infinity": lambda b: with_value(b, np.inf),
    "minus infinity": lambda b: with_value(b, -np.inf),
    "denormals": lambda b: np.sign(b) * 5e-324,
    "1e-200": lambda b: b * 1e-200,
    "1e100": lambda b: b * 1e100,
    "1e200": lambda b: b * 1e200,
    "1e308": lambda b: np.sign(b) * 1e308,
    "one of 1e308": lambda b: with_value(b, 1e308),
    "float32 maximum": lambda b: (np.sign(b) * 3.4e38).astype(np.float32),
    "float32 denormals": lambda b: (np.sign(b) * 1e-45).astype(np.float32),
    "1e300 where float32 was": lambda b: b * 1e300,
    "zeros": np.zeros_like,
    "minus zeros": lambda b: -np.zeros_like(b),
    "negative": lambda b: -1.0 - np.abs(b),
    "one is negative": lambda b: with_value(np.abs(b), -1.0),
    "ones and zeros by turns": lambda b: np.repeat(np.arange(len(b)) % 2.0, b.shape[1]).reshape(
        b.shape
    ),
    "all zero but one": lambda b: with_value(np.zeros_like(b), 1.0),
    "columns that repeat": lambda b: np.repeat(b[:, :1], b.shape[1], axis=1),
    "from 1e-160 to 1e160": lambda b: b * 10.0 ** np.linspace(-160, 160, len(b))[:, np.newaxis],
    "constant": lambda b: np.full_like(b, 3.0),
    "constant 1e9": lambda b: np.full_like(b, 1e9),
    "one feature too many": lambda b: np.concatenate([b, b[:, :1]], axis=1),
    "one feature too few": lambda b: b[:, :-1],
    "no feature": lambda b: b[:, :0],
    "one dimension": lambda b: b[:, 0],
    "a bare third axis": lambda b: b[:, :, np.newaxis],
    "a panel": lambda b: b.reshape(2, -1, b.shape[1]),
    "channels before time": lambda b: np.swapaxes(b.reshape(2, -1, b.shape[1]), 1, 2),
    "four dimensions": lambda b: b[:, :, np.newaxis, np.newaxis],
    "transposed": lambda b: b.T,
    "float32": lambda b: b.astype(np.float32),
    "float16": lambda b: (b * 1e3).astype(np.float16),
    "long double": lambda b: b.astype(np.longdouble),
    "big-endian": lambda b: b.astype(">f8"),
    "objects that are numbers": lambda b: b.astype(object),
    "objects that are decimals": lambda b: np.vectorize(Decimal, otypes=[object])(b),
    "objects that are fractions": lambda b: np.vectorize(Fraction, otypes=[object])(b),
    "objects that are pandas.NA": lambda b: with_value(b.astype(object), pd.NA),
    "an object that is a word": lambda b: with_value(b.astype(object), "word"),
    "an object that is None": lambda b: with_value(b.astype(object), None),
    "an object that is a list": lambda b: with_value(b.astype(object), [1.0, 2.0]),
    "an object that is complex": lambda b: with_value(b.astype(object), 1j),
    "an object that is a date": lambda b: with_value(b.astype(object), datetime(2020, 1, 1)),
    "objects of 10 ** 400": lambda b: with_value(b.astype(object), 10**400),
    "strings of numbers": lambda b: b.astype(str),
    "strings": lambda b: np.full(b.shape, "word"),
    "bytes": lambda b: np.full(b.shape, b"word"),
    "complex": lambda b: b + 1j,
    "complex with NaN": lambda b: with_value(b + 0j, complex(0, np.nan)),
    "complex without imaginary part": lambda b: b + 0j,
    "bool": lambda b: b > 0,
    "int8 that would overflow": lambda b: np.where(b > 0, 127, -128).astype(np.int8),
    "uint8": lambda b: np.where(b > 0, 255, 0).astype(np.uint8),
    "int16 that would overflow": lambda b: np.where(b > 0, 32767, -32768).astype(np.int16),
    "int64 maximum": lambda b: np.where(b > 0, 2**63 - 1, -(2**63)),
    "uint64 maximum": lambda b: np.where(b > 0, np.uint64(2**64 - 1), np.uint64(0)),
    "dates": lambda b: np.full(b.shape, np.datetime64("2020-01-01")),
    "durations": lambda b: np.full(b.shape, np.timedelta64(3, "s")),
    "NaT": lambda b: np.full(b.shape, np.datetime64("NaT")),
    "records": lambda b: np.zeros(b.shape, dtype=[("a", float), ("b", int)]),
    "masked": lambda b: np.ma.masked_array(b, b > 1),
    "masked, nothing masked": lambda b: np.ma.masked_array(b),
    "masked, everything masked": lambda b: np.ma.masked_array(b, np.ones(b.shape, bool)),
    "masked NaN": lambda b: np.ma.masked_invalid(with_value(b, np.nan)),
    "read-only": read_only,
    "Fortran order": np.asfortranarray,
    "every second": lambda b: np.repeat(np.repeat(b, 2, axis=0), 2, axis=1)[::2, ::2],
    "backwards": lambda b: b[::-1, ::-1],
    "repeated by stride 0": lambda b: np.broadcast_to(b[:1], b.shape),
    "unaligned": lambda b: (
        np.frombuffer(b"x" + b.tobytes(), np.uint8)[1:].view(b.dtype).reshape(b.shape)
    ),
    "memory-mapped": steady,
    "sparse": lambda b: sparse.csr_array(b),
    "sparse matrix": lambda b: sparse.csc_matrix(b),
    "np.matrix": lambda b: np.asmatrix(b),
    "lists": lambda b: b.tolist(),
    "tuples": lambda b: tuple(map(tuple, b.tolist())),
    "list of 1-D arrays": list,
    "frame": frame,
    "frame of float32": lambda b: frame(b.astype(np.float32)),
    "frame with NaN": lambda b: frame(with_value(b, np.nan)),
    "frame of nullable Float64": lambda b: frame(b).astype("Float64"),
    "frame with pandas.NA": missing,
    "frame of nullable Int64": lambda b: frame(np.sign(b)).astype("Int64"),
    "frame of Int64 with NA": lambda b: missing(np.sign(b), "Int64"),
    "frame of nullable booleans": lambda b: frame(b > 0).astype("boolean"),
    "frame of strings": lambda b: frame(b).astype(str),
    "frame of categories": lambda b: frame(np.sign(b)).astype("category"),
    "frame of dates": lambda b: frame(b).apply(pd.to_datetime),
    "frame with dates as index": lambda b: frame(b, pd.date_range("2020-01-01", periods=len(b))),
    "frame with repeated index": lambda b: frame(b, np.zeros(len(b), int)),
    "frame with repeated columns": lambda b: pd.DataFrame(b, columns=["c"] * b.shape[1]),
    "frame with mixed column names": lambda b: pd.DataFrame(
        b, columns=["c", *range(b.shape[1])][: b.shape[1]]
    ),
    "frame with other columns": lambda b: frame(b).add_prefix("other"),
    "frame with two-level columns": lambda b: pd.DataFrame(
        b, columns=pd.MultiIndex.from_product([["a"], range(b.shape[1])])
    ),
    "series": lambda b: pd.Series(b[:, 0]),
    "series of categories": lambda b: pd.Series(np.sign(b[:, 0])).astype("category"),
    "series of strings": lambda b: pd.Series(np.where(b[:, 0] > 0, "a", "b")),
    "series with pandas.NA": lambda b: pd.Series([pd.NA, *b[1:, 0]], dtype="Float64"),
    "series with other index": lambda b: pd.Series(b[:, 0], index=np.arange(len(b))[::-1]),
    "series of periods": lambda b: pd.Series(pd.period_range("2020", periods=len(b), freq="D")),
    "index": lambda b: pd.Index(b[:, 0]),
    "pandas array": lambda b: pd.array(b[:, 0], dtype="Float64"),
    "frame of one category": lambda b: frame(np.zeros_like(b)).astype("category"),
    "frame of words": lambda b: frame(np.full(b.shape, "word")),
    "frame of complex": lambda b: frame(b + 1j),
    "sparse frame": lambda b: frame(b).astype(pd.SparseDtype(float, 0.0)),
    "MultiIndex": lambda b: frame(b, panel_index(len(b))),
    "MultiIndex series": lambda b: frame(b, panel_index(len(b))).iloc[:, 0],
    "MultiIndex of three levels": lambda b: frame(b, panel_index(len(b), 3)),
    "MultiIndex of one level": lambda b: frame(b, panel_index(len(b), 1)),
    "MultiIndex, series interrupted": lambda b: frame(
        b, panel_index(len(b), order=np.arange(len(b)) % 2)
    ),
    "MultiIndex, time unsorted": lambda b: frame(b, panel_index(len(b))[::-1]),
    "MultiIndex, rows repeated": lambda b: frame(b, panel_index(len(b)).repeat(2)[: len(b)]),
    "MultiIndex, every row a series": lambda b: frame(
        b, pd.MultiIndex.from_arrays([np.arange(len(b)), np.zeros(len(b), int)])
    ),
    "MultiIndex, series without a name": lambda b: frame(
        b, pd.MultiIndex.from_arrays([np.where(b[:, 0] > 1, np.nan, 1.0), np.arange(len(b))])
    ),
    "MultiIndex with NaN": lambda b: frame(with_value(b, np.nan), panel_index(len(b))),
}
# Another number of rows, or no rows at all.
OTHER_ROWS = {
    "one row": lambda b: b[:1],
    "two rows": lambda b: b[:2],
    "one row too many": lambda b: np.concatenate([b, b[:1]]),
    "no row": lambda b: b[:0],
    "no row, no column": lambda b: b[:0, :0],
    "half of the rows": lambda b: b[: len(b) // 2],
    "rows by the thousand": lambda b: np.tile(b, (100, 1)),
    "an empty list": lambda b: [],
    "a list of an empty list": lambda b: [[]],
    "a list of lists of nothing": lambda b: [[], []],
    "a list of nothing but empty series": lambda b: [b[:0], b[:0]],
    "an empty string": lambda b: "",
    "an empty frame": lambda b: pd.DataFrame(),
    "a frame without rows": lambda b: frame(b[:0]),
    "a MultiIndex without rows": lambda b: frame(b, panel_index(len(b))).iloc[:0],
    "an empty panel": lambda b: np.empty((0, 5, b.shape[1])),
    "a panel without time": lambda b: np.empty((2, 0, b.shape[1])),
    "list of series": lambda b: [b[:3], b[3:]],
    "list of series of one row": lambda b: [row[np.newaxis] for row in b],
    "list of frames": lambda b: [frame(b[:3]), frame(b[3:])],
    "list of frames with other columns": lambda b: [frame(b[:3]), frame(b[3:]).add_prefix("o")],
    "list with an empty series": lambda b: [b, b[:0]],
    "list of series of unequal width": lambda b: [b, b[:, :1]],
    "list of series of unequal depth": lambda b: [b, b[:, 0]],
    "list of 1-D series": lambda b: [b[:, 0], b[:3, 0]],
    "list of a series and None": lambda b: [b, None],
    "list of a series and a word": lambda b: [b, "word"],
    "list of words": lambda b: ["some", "words"],
    "list of series with NaN": lambda b: [b, with_value(b, np.nan)],
    "list of series of objects": lambda b: [b, with_value(b.astype(object), "word")],
    "list of sparse series": lambda b: [sparse.csr_array(b), sparse.csr_array(b)],
    "object array of series": lambda b: np.array([b[:3], b[3:], None], dtype=object)[:2],
    "ragged list": lambda b: [[1.0, 2.0], [3.0]],
    "list of unequal nesting": lambda b: [[1.0], [[2.0]]],
    "a number": lambda b: 3.0,
    "a NumPy number": lambda b: np.float64(3.0),
    "an array without axes": lambda b: np.array(3.0),
    "None": lambda b: None,
    "a word": lambda b: "word",
    "bytes alone": lambda b: b"word",
    "a dict": lambda b: {"a": [1.0, 2.0]},
    "a set": lambda b: {1.0, 2.0},
    "a range": lambda b: range(len(b)),
    "a deque": lambda b: deque(b),
    "a mapping of columns": lambda b: dict(enumerate(b.T)),
    "a memory view": lambda b: memoryview(np.ascontiguousarray(b)),
    "an array without axes that is an object": lambda b: np.array(Anything(), dtype=object),
    "a masked number": lambda b: np.ma.masked,
    "NaN alone": lambda b: float("nan"),
    "an iterator": lambda b: iter(b.tolist()),
    "a generator": lambda b: (row for row in b),
    "an object": lambda b: Anything(),
    "a function": lambda b: len,
    "a class": lambda b: dict,
}
ROWS = SAME_ROWS | OTHER_ROWS
if pd.api.types.pandas_dtype is not None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        pass
    else:
        ROWS["Arrow-backed"] = lambda b: frame(b).astype("float64[pyarrow]")
        ROWS["Arrow-backed with NA"] = lambda b: missing(b, "float64[pyarrow]")


class Anything:
    """Something no function of ours knows."""

    def __repr__(self):
        return "Anything()"


# In place of a single number, a word or an object.
ODD = {
    "None": None,
    "True": True,
    "0": 0,
    "1": 1,
    "-1": -1,
    "2": 2,
    "7.0": 7.0,
    "0.5": 0.5,
    "1.5": 1.5,
    "-0.5": -0.5,
    "NaN": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "1e-320": 1e-320,
    "1e308": 1e308,
    "40": 40,
    "3.0": 3.0,
    "1e-8": 1e-8,
    "10 ** 400": 10**400,
    "10 ** 20": 10**20,
    "-(10 ** 20)": -(10**20),
    "1j": 1j,
    "numpy.float32": np.float32(0.5),
    "numpy.float16": np.float16(0.5),
    "numpy.longdouble": np.longdouble(0.5),
    "numpy.int8": np.int8(3),
    "numpy.uint64": np.uint64(2**64 - 1),
    "a decimal": Decimal("0.5"),
    "a fraction": Fraction(1, 2),
    "a word for a number": "3",
    "a random state": np.random.RandomState(0),
    "a generator of numbers": np.random.default_rng(0),
    "numpy.bool": np.bool_(True),
    "array of no axes": np.array(2.0),
    "array of one": np.array([2.0]),
    "array with NaN": np.array([1.0, np.nan]),
    "array of words": np.array(["a", "b"]),
    "a matrix": np.eye(3),
    "an array of three axes": np.ones((2, 2, 2)),
    "a word": "word",
    "an empty word": "",
    "bytes": b"word",
    "a date": datetime(2020, 1, 1),
    "empty list": [],
    "list of numbers": [1.0, 2.0],
    "list of words": ["a", "b"],
    "list of None": [None],
    "ragged": [[1.0], [2.0, 3.0]],
    "tuple": (1, 2),
    "empty tuple": (),
    "dict": {"a": 1},
    "empty dict": {},
    "dict of arrays": {"weights": np.ones((1, 2)), "history": np.ones((1, 1))},
    "set": {1},
    "NA": pd.NA,
    "NaT": pd.NaT,
    "Anything()": Anything(),
    "a function": len,
    "a class": dict,
    "a sparse matrix": sparse.eye_array(3).tocsr(),
    "an estimator": BaseEstimator(),
}


def copied(value):
    return value.copy() if isinstance(value, np.ndarray | list | dict) else value


def like(function, good):
    """A hostile value of about the shape of `good`."""
    if good.ndim == 1:
        value = function(np.column_stack([good, good]))
        is_table = isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1]
        return value[:, 0] if is_table else value
    if good.ndim == 3:
        value = function(good.reshape(-1, good.shape[-1]).copy())
        same = type(value) is np.ndarray and value.shape == (good.size // 2, 2)
        return value.reshape(good.shape) if same else value
    return function(good.copy())
