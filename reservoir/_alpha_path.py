"""Errors of ridge regression for a whole path of penalties from one decomposition.

Three ways to judge a penalty, all fed blocks of rows: leave-one-out from moments, leave-one-out
where rows are fewer than columns, and held-out folds. `gather` sees all rows first; where `prepare`
says so, `judge` sees them once more. None holds more than the size of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg import eigh, lapack
from scipy.linalg.blas import dsyrk, dtrmm

from ._moments import Moments, cholesky, equilibrate, normal_equations, refuse_overflow


class Judge(Protocol):
    """What a search for a penalty asks of its way to judge."""

    def gather(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None: ...

    def prepare(self, moments: Moments) -> bool:
        """Use the moments of all rows; return whether `judge` must see the rows."""
        ...

    def judge(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None: ...

    def errors(self) -> np.ndarray:
        """Mean squared error of every penalty."""
        ...


class Resolvent(NamedTuple):
    """``(gram + alphas[a] I)^-1 = basis @ diag(factors[:, a]) @ basis.T`` for every a.

    Attributes
    ----------
    basis : ndarray of shape (n, n)
    factors : ndarray of shape (n, n_alphas)
    """

    basis: np.ndarray
    factors: np.ndarray

    def solve(self, cross: np.ndarray) -> np.ndarray:
        """Solutions for one right-hand side ``cross (n,)``: shape (n, n_alphas)."""
        return self.basis @ (self.factors * (self.basis.T @ cross)[:, np.newaxis])


def inverse_root(gram: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, float]:
    """L upper triangular and alpha_0 with ``(gram + alpha_0 I)^-1 = L L'``.

    alpha_0 is the geometric middle of `alphas`, or the first a hundred times larger at which the
    matrix is not singular to working precision. `gram` (upper triangle) is left alone.
    """
    middle = float(np.sqrt(alphas.min()) * np.sqrt(alphas.max()) if alphas.size > 1 else alphas[0])
    while True:
        scaled = gram.copy(order="F")
        scale = equilibrate(scaled, middle)
        factor = cholesky(scaled)
        if factor is not None:
            break
        middle *= 100.0  # singular to working precision: smaller penalties are seen from here
    root, _ = lapack.dtrtri(factor, lower=0, overwrite_c=1)
    root *= scale[:, np.newaxis]
    return root, middle


def resolvent(gram: np.ndarray, alphas: np.ndarray) -> Resolvent:
    """Decompose a positive semi-definite matrix for a whole path of penalties.

    .. math:: (G + \\alpha I)^{-1} = L\\,(I + (\\alpha - \\alpha_0)\\, L^T L)^{-1} L^T, \\quad
              (G + \\alpha_0 I)^{-1} = L L^T

    Parameters
    ----------
    gram : ndarray of shape (n, n)
        Upper triangle, Fortran order; left alone.
    alphas : ndarray of shape (n_alphas,)
        Greater than zero.

    Returns
    -------
    Resolvent

    Notes
    -----
    L comes from a Cholesky factor with columns scaled to unit diagonal, at alpha_0 in the
    (geometric) middle of the path; `eigh` sees only L' L, whose spread is that of the penalties and
    not that of the columns. Its rounding costs a relative eps max(alpha / alpha_0,
    alpha_0 / alpha): 1e-9 over 14 decades. `eigh` of `gram` itself loses all directions below
    eps times its largest eigenvalue: beside one column of size 1e6, every other one.
    """
    root, middle = inverse_root(gram, alphas)
    values, vectors = eigh(dsyrk(1.0, root, trans=1), lower=False, driver="evd")
    basis = dtrmm(1.0, root, vectors)
    factors = 1.0 + (alphas - middle) * np.maximum(values, 0.0)[:, np.newaxis]
    return Resolvent(basis, 1.0 / np.maximum(factors, np.minimum(1.0, alphas / middle)))


class LeaveOneOut:
    """Leave-one-out errors from moments and a second look at every row.

    .. math:: e_t^{(-t)} = \\frac{e_t}{1 - w_t h_t}, \\quad
              h_t = \\frac{1}{\\sum w} + (x_t - \\bar x)' (C + \\alpha I)^{-1} (x_t - \\bar x)

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
    fit_intercept : bool

    Notes
    -----
    1 / sum w is the leverage of the intercept, which no penalty shrinks. Where w h is one to 1e-16
    (a lone row 1e8 times the others) the quotient is one of rounding errors. Cost: a product of the
    rows with an n_columns x n_columns matrix.

    References
    ----------
    D. M. Allen, The relationship between variable selection and data augmentation and a method for
    prediction, Technometrics 16 (1974), 125-127 (PRESS).
    """

    def __init__(self, alphas: np.ndarray, fit_intercept: bool) -> None:
        self._alphas, self._fit_intercept = alphas, fit_intercept
        self._sums = np.zeros(alphas.size)

    def gather(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        """The moments are enough."""

    def prepare(self, moments: Moments) -> bool:
        settled = moments.settled()
        self._weight, self._n_outputs = settled.weight, settled.mean_y.size
        gram, cross = normal_equations(settled, self._fit_intercept)
        self._path = resolvent(gram, self._alphas)
        self._path.basis[np.diag(gram) == 0] = 0.0  # the rounding of a constant has no leverage
        # Of every output: its fit in coordinates of the basis, a column for every penalty.
        self._fits = [
            self._path.factors * (self._path.basis.T @ column)[:, np.newaxis] for column in cross.T
        ]
        centre = 1.0 if self._fit_intercept else 0.0
        self._mean_x, self._mean_y = centre * settled.mean_x, centre * settled.mean_y
        self._intercept_leverage = centre / settled.weight
        return True

    @np.errstate(over="ignore", invalid="ignore")  # an error too large is refused with its score
    def judge(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        x, y, weights = _weighted(x, y, weights)
        z = (x - self._mean_x) @ self._path.basis
        fits = [z @ fit for fit in self._fits]
        np.multiply(z, z, out=z)
        leverages = self._intercept_leverage + z @ self._path.factors
        kept = np.maximum(1.0 - weights[:, np.newaxis] * leverages, np.finfo(float).eps)
        for fit, target in zip(fits, (y - self._mean_y).T, strict=True):
            self._sums += weights @ ((target[:, np.newaxis] - fit) / kept) ** 2

    def errors(self) -> np.ndarray:
        return self._sums / (self._weight * self._n_outputs)


class LeaveOneOutOfFew:
    """Leave-one-out errors where rows are not more than columns, from the kernel of the rows.

    .. math:: \\sqrt{w_t}\\, e_t^{(-t)} = \\frac{(M \\tilde y)_t}{M_{tt}}, \\quad
              M = Q\\,(Q' K Q + \\alpha I)^{-1} Q'

    with K the kernel of the rows scaled by the roots of their weights and Q an orthonormal basis
    of what is orthogonal to those roots: the direction of the intercept is never shrunk.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
    fit_intercept : bool

    Notes
    -----
    Here nearly every leverage is one for a small penalty, and the 1 - w h of `LeaveOneOut` would be
    a difference of rounding errors. This form has no difference.

    References
    ----------
    R. M. Rifkin, R. A. Lippert, Notes on regularized least squares, MIT-CSAIL-TR-2007-025.
    """

    def __init__(self, alphas: np.ndarray, fit_intercept: bool) -> None:
        self._alphas, self._fit_intercept = alphas, fit_intercept
        self._blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def gather(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        self._blocks.append(_weighted(x, y, weights))

    def prepare(self, moments: Moments) -> bool:
        return False

    def judge(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        """All rows are known."""

    @np.errstate(over="ignore", invalid="ignore")  # `refuse_overflow` tells
    def errors(self) -> np.ndarray:
        x, y, weights = (np.concatenate(parts) for parts in zip(*self._blocks, strict=True))
        root = np.sqrt(weights)[:, np.newaxis]
        if self._fit_intercept:
            x = x - weights @ x / weights.sum()
            y = y - weights @ y / weights.sum()
        x, y = root * x, root * y
        # A reflection that turns the roots of the weights into the first axis: Q is the rest.
        mirror = root[:, 0] / np.linalg.norm(root)
        mirror[0] += 1.0
        mirror /= np.linalg.norm(mirror)
        reduced = x
        if self._fit_intercept:
            reduced = (x - 2.0 * np.outer(mirror, mirror @ x))[1:]
        gram = np.asfortranarray(reduced @ reduced.T)
        refuse_overflow(gram, np.einsum("to,to->o", y, y))
        basis, factors = resolvent(gram, self._alphas)
        if self._fit_intercept:
            basis = np.vstack([np.zeros(basis.shape[1]), basis])
            basis -= 2.0 * np.outer(mirror, mirror @ basis)
        diagonal = basis**2 @ factors
        squares = np.zeros(self._alphas.size)
        for target in y.T:
            residual = basis @ (factors * (basis.T @ target)[:, np.newaxis])
            squares += ((residual / diagonal) ** 2).sum(axis=0)
        return squares / (weights.sum() * y.shape[1])


class HeldOut:
    """Mean over folds of the error on the rows each holds out.

    Parameters
    ----------
    folds : sequence of (train, test)
        Two masks over all rows, ``(n_rows,)`` each.
    n_columns, n_outputs : int
    alphas : ndarray of shape (n_alphas,)
    fit_intercept : bool
    """

    def __init__(
        self,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
        n_columns: int,
        n_outputs: int,
        alphas: np.ndarray,
        fit_intercept: bool,
    ) -> None:
        self._folds, self._alphas, self._fit_intercept = folds, alphas, fit_intercept
        self._moments = [Moments(n_columns, n_outputs) for _ in folds]
        self._sums = np.zeros((len(folds), alphas.size))
        self._weights = np.zeros(len(folds))
        self._row = 0

    def gather(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        part = self._next(x.shape[0])
        for moments, (train, _) in zip(self._moments, self._folds, strict=True):
            rows = train[part]
            moments.update(x[rows], y[rows], None if weights is None else weights[rows])

    def prepare(self, moments: Moments) -> bool:
        self._row = 0
        self._solutions = [self._solve(part, i) for i, part in enumerate(self._moments)]
        self._moments = []
        return True

    def _solve(self, moments: Moments, fold: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of every output: coefficients (n_columns, n_alphas) and intercepts (n_alphas,)."""
        settled = moments.settled()
        if settled.weight == 0:
            raise ValueError(
                f"fold {fold} of cv has no row to learn from: unlabelled rows, rows of weight zero "
                "and those of the washout do not count."
            )
        gram, cross = normal_equations(settled, self._fit_intercept)
        path = resolvent(gram, self._alphas)
        solutions = []
        for column, mean_y in zip(cross.T, settled.mean_y, strict=True):
            coef = path.solve(column)
            intercept = mean_y - settled.mean_x @ coef if self._fit_intercept else 0.0 * coef[0]
            solutions.append((coef, intercept))
        return solutions

    @np.errstate(over="ignore", invalid="ignore")
    def judge(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        part = self._next(x.shape[0])
        for i, (_, test) in enumerate(self._folds):
            rows = test[part]
            if not rows.any():
                continue
            held_x, held_y, w = _weighted(
                x[rows], y[rows], None if weights is None else weights[rows]
            )
            self._weights[i] += w.sum() * y.shape[1]
            for target, (coef, intercept) in zip(held_y.T, self._solutions[i], strict=True):
                self._sums[i] += w @ (target[:, np.newaxis] - held_x @ coef - intercept) ** 2

    def errors(self) -> np.ndarray:
        empty = np.flatnonzero(self._weights == 0)
        if empty.size:
            raise ValueError(
                f"fold {empty[0]} of cv holds out no row that counts: unlabelled rows, rows of "
                "weight zero and those of the washout do not."
            )
        return (self._sums / self._weights[:, np.newaxis]).mean(axis=0)

    def _next(self, n: int) -> slice:
        self._row += n
        return slice(self._row - n, self._row)


def _weighted(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of weight above zero, in float64, and their weights."""
    if weights is None:
        weights = np.ones(x.shape[0])
    elif not (weights > 0).all():
        keep = weights > 0
        x, y, weights = x[keep], y[keep], weights[keep]
    return x.astype(np.float64, copy=False), y.astype(np.float64, copy=False), weights
