"""What is kept of rows in place of the rows: the protocol that moments and factors share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Self

import numpy as np

_BLOCK = 256  # rows: 2 MB of float64 at 1000 features, and dsyrk within 1.2x of one call for all


class RidgeDiagnosis(NamedTuple):
    """How well rows determine the weights of a ridge regression.

    Attributes
    ----------
    condition_number : float
        Of the rows, centred, with ``sqrt(alpha) I`` below them and columns scaled to unit length:
        an estimate in the 1-norm, infinity where the system that was solved is singular to working
        precision. A solution from moments loses twice its decimal exponent in digits.
    degrees_of_freedom : float
        ``trace(C (C + alpha I)^-1)`` with C the centred second moments; the intercept is not in it.
    """

    condition_number: float
    degrees_of_freedom: float


class RowSums(ABC):
    """What is kept of rows (x, y) in place of the rows, fed in blocks.

    Rows are buffered to blocks of 256 counted from the first row, so any chunking of the same rows
    gives the same bits; rows of weight zero are dropped before they count.

    Parameters
    ----------
    n_columns, n_outputs : int
        Widths of x and y.
    """

    def __init__(self, n_columns: int, n_outputs: int) -> None:
        self._rows = np.empty((0, n_columns + n_outputs))  # made by the first `update`
        self._weights = np.empty(_BLOCK)
        self._n_buffered = 0

    @abstractmethod
    def fold(self, rows: np.ndarray, weights: np.ndarray) -> None:
        """Take a block in, past the buffer.

        Parameters
        ----------
        rows : ndarray of shape (n + 1, n_columns + n_outputs)
            Overwritten. The last row is room to work in.
        weights : ndarray of shape (n,)
            Above zero.
        """

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Those of both sets of rows together; neither is changed."""

    @abstractmethod
    def ridge(self, alpha: float, fit_intercept: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """``coef (n_columns, n_outputs)`` and ``intercept (n_outputs,)``; see `solve_ridge`."""

    @abstractmethod
    def diagnose(self, alpha: float, fit_intercept: bool = True) -> RidgeDiagnosis:
        """How well the rows determine what `ridge` gives."""

    @property
    @abstractmethod
    def n_columns(self) -> int: ...

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Fold in rows ``x (n, n_columns)``, ``y (n, n_outputs)`` with weights ``(n,)`` or one."""
        if weights is not None:
            keep = weights > 0
            if not keep.all():
                x, y, weights = x[keep], y[keep], weights[keep]
        if x.shape[0] and not self._rows.size:
            self._rows = np.empty((_BLOCK + 1, self._rows.shape[1]))
        n_columns, start = self.n_columns, 0
        while start < x.shape[0]:
            n = min(_BLOCK - self._n_buffered, x.shape[0] - start)
            taken = slice(self._n_buffered, self._n_buffered + n)
            self._rows[taken, :n_columns] = x[start : start + n]
            self._rows[taken, n_columns:] = y[start : start + n]
            self._weights[taken] = 1.0 if weights is None else weights[start : start + n]
            self._n_buffered += n
            start += n
            if self._n_buffered == _BLOCK:
                self._flush()

    def _flush(self) -> None:
        n, self._n_buffered = self._n_buffered, 0
        if n:
            self.fold(self._rows[: n + 1], self._weights[:n])

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays, copied; `load` takes them back."""
        taken = {name.lstrip("_"): np.array(value, order="K") for name, value in vars(self).items()}
        for name in ("rows", "weights"):  # what stands behind the buffered rows is any memory
            taken[name][self._n_buffered :] = 0.0
        return taken

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from `arrays` of an earlier `arrays()`."""
        for name, value in vars(self).items():
            given = np.array(arrays[name.lstrip("_")], order="K")
            setattr(self, name, given if isinstance(value, np.ndarray) else type(value)(given))

    def settled(self) -> Self:
        """A copy in which the buffered rows are folded in; this one goes on as it is."""
        other = type(self).__new__(type(self))
        for name, value in vars(self).items():
            copied = value.copy(order="K") if isinstance(value, np.ndarray) else value
            setattr(other, name, copied)
        other._flush()
        return other
