"""What is a row: every container of time series becomes one stacked array plus offsets.

Time is axis 0, always. ``as_series`` is the only place of the project where a list of series, a
3-D panel, a 2-level MultiIndex or ``groups=`` is understood, and ``Stacked.restore`` the only
place where an answer goes back into the caller's container.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ._errors import SequenceError
from ._numbers import naming

_SWAP_HINT = (
    "Time must come before features; arrays of aeon and sktime (channels before time) need "
    "np.swapaxes(X, 1, 2) first"
)


@dataclass(frozen=True)
class Stacked:
    """Series stacked along time.

    Attributes
    ----------
    rows : array or DataFrame of shape (n_rows, n_features)
        All rows of all series, in order, not yet validated.
    starts : ndarray of int64, shape (n_series + 1,)
        Series ``i`` is ``rows[starts[i]:starts[i + 1]]``.
    container : {"rows", "list", "panel", "frame"}
        What the caller gave: 2-D rows, a list, a 3-D array or a 2-level MultiIndex.
    bounded : bool
        Whether the caller stated where series begin (always but for plain 2-D rows).
    """

    rows: Any
    starts: np.ndarray
    container: str
    bounded: bool

    @property
    def n_series(self) -> int:
        return self.starts.size - 1

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.starts)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield ``(start, stop)`` of every series."""
        return zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True)

    def align(self, values: Any, name: str = "y") -> Any:
        """Stack row-wise `values` (targets or weights) that come in X's container.

        Returns an array (or pandas object) with one entry a row; raises `SequenceError` where
        the container or a length differs from X's.
        """
        if values is None:
            return None
        if self.container == "list":
            return self._align_list(values, name)
        if self.container == "panel":
            return self._align_panel(values, name)
        if _is_list_of_series(values):
            kind = "a frame" if self.container == "frame" else "an array of rows"
            raise SequenceError(
                f"{name} is a list of series, but X is {kind}; give one entry a row, or X as a "
                "list of as many series."
            )
        indexed = self.container == "frame" and isinstance(values, pd.Series | pd.DataFrame)
        if indexed and not values.index.equals(self.rows.index):
            raise SequenceError(
                f"{name} has another index than X; give it the same 2-level MultiIndex in the "
                f"same order, for example {name}.reindex(X.index)."
            )
        return values

    def _align_list(self, values: Any, name: str) -> np.ndarray:
        parts = [np.asarray(part) for part in values] if hasattr(values, "__len__") else []
        if len(parts) != self.n_series:
            raise SequenceError(
                f"X is a list of {self.n_series} series, so {name} must be a list of as many "
                f"arrays, one entry a time step; got {len(parts)}."
            )
        for i, (part, length) in enumerate(zip(parts, self.lengths, strict=True)):
            if part.ndim == 0 or part.shape[0] != length:
                got = "a scalar" if part.ndim == 0 else f"{part.shape[0]} entries"
                raise SequenceError(
                    f"series {i} has {length} time steps but {name}[{i}] has {got}."
                )
        if len({part.shape[1:] for part in parts}) > 1:
            raise SequenceError(f"the arrays of {name} differ in their number of outputs.")
        return np.concatenate(parts)

    def _align_panel(self, values: Any, name: str) -> np.ndarray:
        values = np.asarray(values)
        n_series, n_timesteps = self.n_series, int(self.lengths[0])
        if values.ndim < 2 or values.shape[:2] != (n_series, n_timesteps):
            hint = ""
            if values.ndim >= 2 and values.shape[:2] == (n_series, self.rows.shape[1]):
                hint = f" {_SWAP_HINT}."
            raise SequenceError(
                f"X holds {n_series} series of {n_timesteps} time steps, so {name} must have shape "
                f"({n_series}, {n_timesteps}) or ({n_series}, {n_timesteps}, n_outputs); got "
                f"{values.shape}.{hint}"
            )
        return values.reshape(n_series * n_timesteps, *values.shape[2:])

    def restore(self, values: np.ndarray, columns: Sequence[str] | None = None) -> Any:
        """Put row-wise `values` back into the caller's container.

        Plain rows and ``groups=`` give an array, a list gives a list of arrays, a panel a 3-D
        array (2-D for 1-D values), a MultiIndex frame a Series or DataFrame on the same index.
        """
        if self.container == "list":
            return [values[a:b] for a, b in self.spans()]
        if self.container == "panel":
            return values.reshape(self.n_series, int(self.lengths[0]), *values.shape[1:])
        if self.container == "frame":
            if values.ndim == 1:
                return pd.Series(values, index=self.rows.index)
            return pd.DataFrame(values, index=self.rows.index, columns=columns)
        return values


def as_series(X: Any, *, groups: Any = None) -> Stacked:
    """Stack whatever holds one or several time series.

    Parameters
    ----------
    X : array, DataFrame, list of 2-D arrays, or 3-D array
        One series ``(n_timesteps, n_features)``; a list of such series of any length; a panel
        ``(n_series, n_timesteps, n_features)``; or a DataFrame with a 2-level MultiIndex
        (series, time) whose series are contiguous.
    groups : array-like of shape (n_timesteps,), default=None
        With 2-D `X`: the id of the series each row belongs to. Rows of a series are contiguous.

    Returns
    -------
    Stacked
        Stacked rows, offsets and the way back.

    Raises
    ------
    SequenceError
        For an empty series, differing feature counts, groups or index entries that come back
        after another series began, more than two index levels, axes that are visibly swapped,
        and `groups` beside a container that already states its series.

    Examples
    --------
    >>> import numpy as np
    >>> from filters.timeseries import as_series
    >>> as_series([np.zeros((3, 2)), np.ones((4, 2))]).starts
    array([0, 3, 7])
    """
    if isinstance(X, pd.DataFrame | pd.Series) and isinstance(X.index, pd.MultiIndex):
        _refuse_groups(groups, "a MultiIndex")
        return _from_multiindex(X)
    if _is_list_of_series(X):
        _refuse_groups(groups, "a list of series")
        return _from_list(X)
    X = _with_shape(X)
    with naming("X"):
        ndim = np.ndim(X) if not (sparse.issparse(X) or isinstance(X, pd.DataFrame)) else 2
    if ndim == 3:
        _refuse_groups(groups, "a 3-D array")
        return _from_panel(np.asarray(X))
    if ndim > 3:
        raise SequenceError(
            f"X has {ndim} dimensions; a panel has 3: (n_series, n_timesteps, n_features)."
        )
    n_rows = (X.shape[0] if hasattr(X, "shape") else len(X)) if ndim else 0
    if groups is None:
        return Stacked(X, np.array([0, n_rows], dtype=np.int64), "rows", False)
    return Stacked(X, _starts_of(_group_codes(groups, n_rows), "groups"), "rows", True)


def holds_series(X: Any) -> bool:
    """Whether `X` itself states where series begin: a MultiIndex, a list of series, a 3-D array."""
    if isinstance(X, pd.DataFrame | pd.Series):
        return isinstance(X.index, pd.MultiIndex)
    with naming("X"):
        return _is_list_of_series(X) or (not sparse.issparse(X) and np.ndim(_with_shape(X)) == 3)


def _with_shape(X: Any) -> Any:
    """`X`, as an array if it merely can become one."""
    return X if hasattr(X, "shape") or isinstance(X, list | tuple) else np.asarray(X)


def _refuse_groups(groups: Any, container: str) -> None:
    if groups is not None:
        raise SequenceError(
            f"groups= goes with 2-D rows only; X is {container}, which already says where each "
            "series begins. Leave groups out."
        )


def _is_list_of_series(X: Any) -> bool:
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and np.ndim(X[0]) >= 1
    if not isinstance(X, list | tuple) or len(X) == 0:
        return False
    first = X[0]
    if isinstance(first, np.ndarray | pd.DataFrame) or sparse.issparse(first):
        # A list of equally long 1-D arrays is a 2-D array written row by row.
        ragged = len({np.shape(part)[:1] for part in X}) > 1
        return first.ndim >= 2 or (first.ndim == 1 and ragged)
    return isinstance(first, list | tuple) and len(first) > 0 and np.ndim(first[0]) > 0


def _from_list(X: Sequence[Any]) -> Stacked:
    with naming("X"):
        parts = [part if isinstance(part, pd.DataFrame) else np.asarray(part) for part in X]
    for i, part in enumerate(parts):
        if part.ndim != 2:
            raise SequenceError(
                f"each series of the list must be 2-D (n_timesteps, n_features), but series {i} "
                f"has shape {part.shape}. Use x.reshape(-1, 1) for a single feature."
            )
        if part.shape[0] == 0:
            raise SequenceError(f"series {i} of the list is empty: it has no time steps.")
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        hint = f" {_SWAP_HINT}." if len({part.shape[0] for part in parts}) == 1 else ""
        raise SequenceError(
            f"the series of the list differ in their number of features: {sorted(widths)}.{hint}"
        )
    starts = np.concatenate([[0], np.cumsum([part.shape[0] for part in parts])]).astype(np.int64)
    frames = [part for part in parts if isinstance(part, pd.DataFrame)]
    if len(frames) == len(parts):
        names = frames[0].columns
        for i, frame in enumerate(frames):
            if not frame.columns.equals(names):
                raise SequenceError(
                    f"series {i} of X has columns {list(frame.columns)}, series 0 has "
                    f"{list(names)}."
                )
        return Stacked(pd.concat(frames, ignore_index=True), starts, "list", True)
    return Stacked(np.concatenate([np.asarray(part) for part in parts]), starts, "list", True)


def _from_panel(X: np.ndarray) -> Stacked:
    n_series, n_timesteps, n_features = X.shape
    if 0 in X.shape:
        raise SequenceError(
            f"X has shape {X.shape}: no series, time steps or features in "
            "(n_series, n_timesteps, n_features)."
        )
    starts = np.arange(n_series + 1, dtype=np.int64) * n_timesteps
    return Stacked(X.reshape(-1, n_features), starts, "panel", True)


def _from_multiindex(X: pd.DataFrame | pd.Series) -> Stacked:
    frame = X.to_frame() if isinstance(X, pd.Series) else X
    if frame.index.nlevels != 2:
        raise SequenceError(
            f"the index of X has {frame.index.nlevels} levels ({list(frame.index.names)}); a panel "
            "has exactly two: (series, time). Merge the outer levels into one id first."
        )
    codes = pd.factorize(frame.index.get_level_values(0), use_na_sentinel=True)[0]
    if (codes < 0).any():
        raise SequenceError("the first index level of X (series) has missing values.")
    return Stacked(frame, _starts_of(codes, "the first index level"), "frame", True)


def _group_codes(groups: Any, n_rows: int) -> np.ndarray:
    with naming("groups"):
        values = groups if isinstance(groups, pd.Series | pd.Index) else np.asarray(groups)
    if values.ndim != 1 or values.shape[0] != n_rows:
        raise SequenceError(
            f"groups must have one id a row: shape ({n_rows},) expected, got {values.shape}."
        )
    if isinstance(values, np.ndarray):  # pandas takes no other byte order
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
    with naming("groups"):
        codes = pd.factorize(values, use_na_sentinel=True)[0]
    if (codes < 0).any():
        raise SequenceError(f"groups is missing (NaN or None) at row {int(np.argmin(codes))}.")
    return codes


def _starts_of(codes: np.ndarray, where: str) -> np.ndarray:
    """Offsets of runs of equal codes; codes number the ids in order of first appearance."""
    n_rows = codes.shape[0]
    if n_rows == 0:
        return np.array([0, 0], dtype=np.int64)
    changes = np.flatnonzero(np.diff(codes)) + 1
    heads = codes[np.concatenate([[0], changes])]
    back = np.flatnonzero(heads != np.arange(heads.size))
    if back.size:
        row = int(np.concatenate([[0], changes])[back[0]])
        raise SequenceError(
            f"{where}: the series that goes on at row {row} began earlier and was interrupted by "
            "another one. Rows of a series must be contiguous; sort them by series and time first."
        )
    return np.concatenate([[0], changes, [n_rows]]).astype(np.int64)


def as_cases(X: Any) -> Stacked:
    """Stack a collection in which one case is one whole sequence.

    Parameters
    ----------
    X : 2-D array, 3-D array or list of 2-D arrays
        ``(n_cases, n_timesteps)`` for one feature, ``(n_cases, n_timesteps, n_features)``, or a
        list of ``(T_i, n_features)`` (a MultiIndex frame (case, time) is taken too).

    Returns
    -------
    Stacked
        With one series per case.

    Raises
    ------
    SequenceError
        As `as_series`.
    """
    if holds_series(X):
        return as_series(X)
    rows = np.asarray(X)
    if rows.ndim != 2:
        raise SequenceError(
            f"expected one sequence a case: (n_cases, n_timesteps), (n_cases, n_timesteps, "
            f"n_features) or a list of (T_i, n_features); got an array of shape {rows.shape}."
        )
    return _from_panel(rows[:, :, np.newaxis])
