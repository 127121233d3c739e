"""The triangular factor of features and targets, streamed, and the ridge solution it holds.

Second moments square the rows and with them the condition number: half of the digits of a nearly
dependent feature are gone before anything is solved. The factor R of a QR decomposition is as small
as the moments, is fed in the same blocks, merges as well, and squares nothing.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.linalg import lapack, solve_triangular, svd

from ._moments import (
    is_rounding,
    refuse_overflow,
    warn_singular,
)
from ._row_sums import RidgeDiagnosis, RowSums

_PANEL = 24  # columns LAPACK takes at once: of 16, 32 and 64 none is 1.3x faster, 64 is 1.8x slower
_EPS = np.finfo(float).eps


class TriangularFactor(RowSums):
    """R of the QR decomposition of the rows ``sqrt(w) [1, x - x_0, y - y_0]``, always in float64.

    .. math:: R = \\begin{pmatrix} r & r (\\bar x - x_0)' & r (\\bar y - y_0)' \\\\
              & R_{xx} & R_{xy} \\\\ & & R_{yy} \\end{pmatrix}, \\qquad r^2 = \\sum w

    Below the first row stands the factor of the centred rows: the column of ones comes first.
    (x_0, y_0) is the first row of all: without it a constant column would leave its rounding, and
    a large offset its share of the digits.

    Attributes
    ----------
    weight : float
        Sum of weights.
    origin : ndarray of shape (n_columns + n_outputs,)
        (x_0, y_0); zeros before the first row.
    factor : ndarray of shape (1 + n_columns + n_outputs, 1 + n_columns + n_outputs)
        R, with a diagonal of either sign.

    Notes
    -----
    A block costs twice the operations of the symmetric product that moments take (measured: 2.6
    times the time at 300 columns, 3.0 at 1000).

    References
    ----------
    J. Demmel, L. Grigori, M. Hoemmen, J. Langou, Communication-optimal parallel and sequential QR
    and LU factorizations, SIAM J. Sci. Comput. 34 (2012), section 4 (sequential TSQR).
    """

    def __init__(self, n_columns: int, n_outputs: int) -> None:
        super().__init__(n_columns, n_outputs)
        self.weight = 0.0
        self.width = n_columns
        self.origin = np.zeros(n_columns + n_outputs)
        size = 1 + n_columns + n_outputs
        self.factor = np.zeros((size, size), order="F")

    @property
    def n_columns(self) -> int:
        return self.width

    @np.errstate(over="ignore", invalid="ignore")  # `_system` refuses what overflowed
    def fold(self, rows: np.ndarray, weights: np.ndarray) -> None:
        if self.weight == 0:
            self.origin = rows[0].copy()
        rows = rows[:-1]
        rows -= self.origin
        block = np.empty((rows.shape[0], self.factor.shape[0]), order="F")
        block[:, 0] = root = np.sqrt(weights)
        np.multiply(rows, root[:, np.newaxis], out=block[:, 1:])
        self.factor = append_rows(self.factor, block)
        self.weight += float(weights.sum())

    def merge(self, other: Self) -> Self:
        """Factor of both sets of rows together; neither is changed."""
        left, right = self.settled(), other.settled()
        if left.weight == 0:
            return right
        # Another origin moves the first row alone: the rest is centred.
        right.factor[0, 1:] += right.factor[0, 0] * (right.origin - left.origin)
        left.factor = append_rows(left.factor, right.factor, triangular=True)
        left.weight += right.weight
        return left

    # ---- ridge ----------------------------------------------------------------------------------

    def ridge(self, alpha: float, fit_intercept: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Minimise ``sum w |y - c - x B|^2 + alpha |B|^2``, as `solve_ridge` does from moments.

        Returns
        -------
        coef : ndarray of shape (n_columns, n_outputs)
        intercept : ndarray of shape (n_outputs,)

        Raises
        ------
        ValueError
            Where rows are too large.

        Warns
        -----
        LinAlgWarning
            Where the columns are dependent to working precision: minimum norm (columns scaled to
            unit length) over the numerically non-zero singular values.
        """
        settled = self.settled()
        triangle, rhs, scale = settled._system(alpha, fit_intercept)
        if _condition(triangle) < 1.0 / _EPS:
            solution = solve_triangular(triangle, rhs)
        else:
            solution = _minimum_norm(triangle, rhs)
        coef = solution * scale[:, np.newaxis]
        if not fit_intercept:
            return coef, np.zeros(coef.shape[1])
        means = settled._means()
        return coef, means[self.width :] - means[: self.width] @ coef

    def diagnose(self, alpha: float, fit_intercept: bool = True) -> RidgeDiagnosis:
        """Condition number and effective degrees of freedom of the same problem."""
        triangle, _, scale = self.settled()._system(alpha, fit_intercept)
        condition = _condition(triangle)
        if condition < 1.0 / _EPS:
            root = lapack.dtrtri(triangle, lower=0)[0]
            n_kept = self.width
        else:
            _, values, right = svd(triangle)
            kept = values > values[0] * self.width * _EPS
            root, n_kept = right[kept].T / values[kept], int(kept.sum())
        lost = alpha * np.sum((scale[:, np.newaxis] * root) ** 2)
        return RidgeDiagnosis(condition, float(n_kept - lost))

    @np.errstate(over="ignore", invalid="ignore")  # `refuse_overflow` tells
    def _system(
        self, alpha: float, fit_intercept: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Triangle with columns of unit length, right-hand side, scale of the columns.

        The rows of the penalty, ``[sqrt(alpha) I, 0]``, are appended to the factor.
        """
        n, rest = self.width, self.factor[1:, 1:].copy(order="F")
        if fit_intercept:
            constant = is_rounding(
                np.linalg.norm(rest[:, :n], axis=0), self._means()[:n], self.weight
            )
            rest[:, :n][:, constant] = 0.0
        else:
            rest = append_rows(rest, self.factor[0, 0] * self._means()[np.newaxis])
        if alpha > 0:
            penalty = np.zeros((n, rest.shape[1]), order="F")
            np.fill_diagonal(penalty, np.sqrt(alpha))
            rest = append_rows(rest, penalty, triangular=True)
        triangle, rhs = np.triu(rest[:n, :n]), rest[:n, n:]
        length = np.linalg.norm(triangle, axis=0)
        refuse_overflow(length, rhs)
        scale = 1.0 / np.where(length > 0, length, 1.0)
        return np.asfortranarray(triangle * scale), rhs, scale

    def _means(self) -> np.ndarray:
        """Of x, then of y."""
        return self.origin + self.factor[0, 1:] / self.factor[0, 0]


def append_rows(triangle: np.ndarray, rows: np.ndarray, triangular: bool = False) -> np.ndarray:
    """Upper factor of ``[triangle; rows]``, LAPACK's tpqrt; the arguments are left alone.

    Parameters
    ----------
    triangle : ndarray of shape (n, n)
    rows : ndarray of shape (m, n)
    triangular : bool, default=False
        Whether `rows` are zero below the diagonal, which saves two thirds.
    """
    n_trapezoidal = min(rows.shape) if triangular else 0
    panel = min(_PANEL, triangle.shape[0])
    return lapack.dtpqrt(n_trapezoidal, panel, triangle, rows)[0]


def _condition(triangle: np.ndarray) -> float:
    """Estimate of the condition number in the 1-norm; infinity if there is a zero pivot."""
    upper = np.triu(triangle)  # is its own LU factor, L = I; SciPy 1.13 has no dtrcon
    return 1.0 / max(lapack.dgecon(upper, np.abs(upper).sum(axis=0).max(), norm="1")[0], 1e-300)


def _minimum_norm(triangle: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    left, values, right = svd(triangle)
    kept = values > values[0] * values.size * _EPS
    warn_singular(kept, values)
    solution = right[kept].T @ ((left[:, kept].T @ rhs) / values[kept, np.newaxis])
    solution[~triangle.any(axis=0)] = (
        0.0  # not its rounding, which the mean may be large enough for
    )
    return solution
