"""Which kernel drives a reservoir: the form of its matrix, and series side by side or alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from .kernels.drive_many import drive_many

if TYPE_CHECKING:
    from ._reservoir import Reservoir

# Measured at 300 to 1000 units: a term takes 0.08 to 0.1 ns dense and in a diagonal, 0.33 sparse.
_DENSE_FROM = 0.25  # density
_DIAGONAL_UP_TO = 2.0  # entries, zeros included, for each that is not zero
# Series driven side by side; fewer are faster one by one.
_FEWEST_LANES, _MOST_LANES = 12, 64
_ROWS_AT_ONCE = 8192  # whose states are held, where only what is made of them is asked for


def kernel_form(matrix: np.ndarray | sparse.csr_array) -> tuple[np.ndarray, ...]:
    """W in the form that ``reservoir.kernels.drive`` drives fastest; see the head of that file."""
    n = matrix.shape[0]
    if isinstance(matrix, np.ndarray) and np.count_nonzero(matrix) > _DENSE_FROM * n**2:
        return (np.ascontiguousarray(matrix.T),)
    entries = sparse.csr_array(matrix, copy=True)
    entries.sum_duplicates()
    entries.eliminate_zeros()
    if entries.nnz > _DENSE_FROM * n**2:
        return (np.ascontiguousarray(entries.toarray().T),)
    rows = np.repeat(np.arange(n), np.diff(entries.indptr))
    shifts = (entries.indices - rows) % n
    offsets = np.flatnonzero(np.bincount(shifts, minlength=n))
    if offsets.size * n <= _DIAGONAL_UP_TO * entries.nnz:
        values = np.zeros((offsets.size, n), dtype=matrix.dtype)
        values[np.searchsorted(offsets, shifts), rows] = entries.data
        return values, offsets.astype(np.uint64)
    return _by_eight_rows(entries, rows)


def _by_eight_rows(entries: sparse.csr_array, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """The sparse form: rows sorted by length, eight of them entry by entry."""
    n = entries.shape[0]
    lengths = np.diff(entries.indptr)
    order = np.argsort(-lengths, kind="stable")
    rank = np.empty(n, dtype=np.intp)
    rank[order] = np.arange(n)
    starts = np.append(0, np.cumsum(8 * lengths[order[::8]].astype(np.int64)))
    place = np.arange(entries.nnz) - np.repeat(entries.indptr[:-1], lengths)
    place = starts[rank[rows] // 8] + 8 * place + rank[rows] % 8
    values = np.zeros(starts[-1], dtype=entries.dtype)
    columns = np.zeros(starts[-1], dtype=np.uint16 if n <= 2**16 else np.uint32)
    values[place], columns[place] = entries.data, entries.indices
    filled = np.append(order, np.full(-n % 8, n))
    words = columns.view(np.uint64) if columns.dtype == np.uint16 else columns
    return values, columns, starts.astype(np.uint64), filled.astype(np.uint32), words


def parts_of(spans: list[tuple[int, int]]) -> Iterator[slice]:
    """Cut a list of series into parts whose states are held at once; no series is cut."""
    first = 0
    for i in range(len(spans)):
        if i + 1 == len(spans) or spans[i + 1][1] - spans[first][0] > _ROWS_AT_ONCE:
            yield slice(first, i + 1)
            first = i + 1


def drive_side_by_side(
    reservoir: Reservoir,
    rows: np.ndarray,
    spans: list[tuple[int, int]],
    states: np.ndarray,
    features: np.ndarray,
) -> np.ndarray:
    """Drive the beginnings of many series at once; return how far each was driven.

    Series are taken by length, 64 at a time, until half of those are through. What is left (all of
    it, where there are few series) is for one by one; no bit depends on who drives what.
    """
    begun = np.zeros(len(spans), dtype=np.intp)
    if len(reservoir._parts[0]) == 2:  # cyclic diagonals are fastest alone
        return begun
    starts, stops = np.array(spans, dtype=np.intp).T
    order = np.argsort(starts - stops, kind="stable")
    for at in range(0, order.size, _MOST_LANES):
        lanes = order[at : at + _MOST_LANES]
        if lanes.size < _FEWEST_LANES:
            break
        lengths = (stops - starts)[lanes]
        begun[lanes] = np.minimum(lengths, lengths[lanes.size // 2])
        drive_lanes(reservoir, rows, starts[lanes], begun[lanes], states[lanes], features)
    return begun


def drive_lanes(
    reservoir: Reservoir,
    rows: np.ndarray,
    starts: np.ndarray,
    steps: np.ndarray,
    states: np.ndarray,
    features: np.ndarray,
) -> None:
    """Drive ``steps[k]`` rows from row ``starts[k]`` on, from ``states[k]``, for all k at once."""
    dtype, n = features.dtype, reservoir.n_units
    n_lanes = -(-starts.size // 16) * 16  # whole vectors
    unused = np.zeros(n_lanes - starts.size, dtype=np.intp)
    x = np.zeros((n, n_lanes), dtype=dtype)
    x[:, : starts.size] = states.T
    recurrent, residual, columns, bias, kept, leak, code = reservoir._parts
    drive_many(
        (
            recurrent,
            residual,
            columns,
            bias,
            np.repeat(kept, n_lanes),
            np.repeat(leak, n_lanes),
            code,
        ),
        rows,
        np.append(starts, unused),
        np.append(steps, unused),
        np.empty(rows.shape[1] * n_lanes, dtype=dtype),
        np.empty(n * n_lanes, dtype=dtype),
        np.empty(n * n_lanes if residual else 0, dtype=dtype),
        x.ravel(),
        features,
    )
    if reservoir.include_input:
        for a, b in zip(starts, starts + steps, strict=True):
            features[a:b, n:] = rows[a:b]
