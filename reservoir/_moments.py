"""Second moments of features and targets, streamed, and the ridge solution they hold.

Fitting a linear readout needs no matrix of all states: blocks of rows are folded into the weighted
means and the centred second moments, whose size does not depend on the length of the series.
"""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from scipy.linalg import LinAlgWarning, eigh, lapack
from scipy.linalg.blas import dsyrk

from filters.timeseries._errors import caller_level

from ._row_sums import RidgeDiagnosis, RowSums

# A column whose standard deviation is below this share of its mean is a constant and its rounding.
_ROUNDING = 32 * np.finfo(float).eps


class Moments(RowSums):
    """Weighted, centred second moments of rows (x, y), always in float64.

    Blocks are merged by the pairwise update of Chan, Golub and LeVeque, which does not cancel.

    Attributes
    ----------
    weight : float
        Sum of weights.
    mean : ndarray of shape (n_columns + n_outputs,)
        Of z = (x, y); `mean_x` and `mean_y` are its parts.
    products : ndarray of shape (n_columns + n_outputs, n_columns + n_outputs)
        Sum of w (z - mean)(z - mean)', upper triangle (Fortran order). Its parts are `cxx` (upper
        triangle), `cxy` and, of its diagonal, `syy`.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance, The
    American Statistician 37 (1983), eq. 2.1.
    """

    def __init__(self, n_columns: int, n_outputs: int) -> None:
        super().__init__(n_columns, n_outputs)
        size = n_columns + n_outputs
        self.weight = 0.0
        self.width = n_columns
        self.mean = np.zeros(size)
        self.products = np.zeros((size, size), order="F")

    @property
    def n_columns(self) -> int:
        return self.width

    @property
    def mean_x(self) -> np.ndarray:
        return self.mean[: self.width]

    @property
    def mean_y(self) -> np.ndarray:
        return self.mean[self.width :]

    @property
    def cxx(self) -> np.ndarray:
        """Sum of w (x - mean_x)(x - mean_x)', upper triangle."""
        return self.products[: self.width, : self.width]

    @property
    def cxy(self) -> np.ndarray:
        """Sum of w (x - mean_x)(y - mean_y)'."""
        return self.products[: self.width, self.width :]

    @property
    def syy(self) -> np.ndarray:
        """Sum of w (y - mean_y)^2."""
        return np.diag(self.products)[self.width :]

    @np.errstate(over="ignore", invalid="ignore")  # `solve_ridge` refuses what overflowed
    def fold(self, rows: np.ndarray, weights: np.ndarray) -> None:
        # The distance between the block's means and ours is one more row of the block's product.
        # With 256 rows of 300 columns and a target all this takes 1.2x of the time of dsyrk alone.
        centred, apart = rows[:-1], rows[-1:]
        weight = float(weights.sum())
        mean = (weights @ centred) / weight
        centred -= mean
        if (weights != 1).any():
            centred *= np.sqrt(weights)[:, np.newaxis]
        apart[:] = self._join(weight, mean)
        self._add(rows)

    def _join(self, weight: float, mean: np.ndarray) -> np.ndarray:
        """Move to the mean of all; the row that accounts for the distance between both means."""
        total, apart = self.weight + weight, mean - self.mean
        share = weight / total
        between = self.weight * share
        self.mean = self.mean + share * apart
        self.weight = total
        return np.sqrt(between) * apart

    def _add(self, rows: np.ndarray) -> None:
        self.products = dsyrk(1.0, rows.T, beta=1.0, c=self.products, overwrite_c=1)

    @np.errstate(over="ignore", invalid="ignore")
    def merge(self, other: Self) -> Self:
        """Moments of both sets of rows together; neither is changed."""
        left, right = self.settled(), other.settled()
        left.products += right.products
        if right.weight > 0:
            left._add(left._join(right.weight, right.mean)[np.newaxis])
        return left

    def scaled(self, scale: np.ndarray) -> Self:
        """Moments of ``(x / scale, y)``."""
        settled = self.settled()
        factor = np.concatenate([scale, np.ones(self.mean.size - self.width)])
        settled.mean = settled.mean / factor
        settled.products /= np.outer(factor, factor)
        return settled

    def ridge(self, alpha: float, fit_intercept: bool = True) -> tuple[np.ndarray, np.ndarray]:
        return solve_ridge(self, alpha, fit_intercept)

    def diagnose(self, alpha: float, fit_intercept: bool = True) -> RidgeDiagnosis:
        gram, _ = normal_equations(self.settled(), fit_intercept)
        scale = equilibrate(gram, alpha)
        factor, condition = cholesky_and_condition(gram)
        if factor is not None:
            root, n_kept = lapack.dtrtri(factor, lower=0)[0], scale.size
        else:
            values, vectors = eigh(gram, lower=False)
            kept = values > max(values[-1], 0.0) * values.size * np.finfo(float).eps
            root, n_kept = vectors[:, kept] / np.sqrt(values[kept]), int(kept.sum())
        lost = alpha * np.sum((scale[:, np.newaxis] * root) ** 2)
        return RidgeDiagnosis(float(np.sqrt(condition)), float(n_kept - lost))


def solve_ridge(
    moments: Moments, alpha: float, fit_intercept: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise ``sum w |y - c - x B|^2 + alpha |B|^2``; the intercept c is never penalised.

    Parameters
    ----------
    moments : Moments
    alpha : float
    fit_intercept : bool, default=True

    Returns
    -------
    coef : ndarray of shape (n_columns, n_outputs)
    intercept : ndarray of shape (n_outputs,)

    Raises
    ------
    ValueError
        Where sums of squares overflowed.

    Warns
    -----
    LinAlgWarning
        Where the penalised moments are singular to working precision; the solution of minimum norm
        (columns scaled to unit diagonal) over the numerically non-zero eigenvalues is given then.

    Notes
    -----
    Columns are scaled to unit diagonal, then Cholesky. Squaring the condition by
    going through moments costs digits an SVD of all rows would keep; the scaling wins most of
    them back where columns differ in size.
    """
    settled = moments.settled()
    gram, cross = normal_equations(settled, fit_intercept)
    scale = equilibrate(gram, alpha)
    rhs = cross * scale[:, np.newaxis]
    factor = cholesky(gram)
    if factor is None:
        solution = _minimum_norm(gram, rhs)
    else:
        solution, _ = lapack.dpotrs(factor, rhs, lower=0)
    coef = solution * scale[:, np.newaxis]
    if not fit_intercept:
        return coef, np.zeros(cross.shape[1])
    return coef, settled.mean_y - settled.mean_x @ coef


def normal_equations(settled: Moments, fit_intercept: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Gram matrix (upper triangle, Fortran order) and cross products of the ridge problem.

    About the means with an intercept, where columns that are constant but for rounding become
    zero; about the origin without. `settled` is a copy of its own, as `Moments.settled` gives it:
    its arrays are handed out.

    Raises
    ------
    ValueError
        Where sums of squares overflowed.
    """
    gram, cross = np.asfortranarray(settled.cxx), settled.cxy
    if not fit_intercept:
        gram = dsyrk(
            settled.weight,
            np.asfortranarray(settled.mean_x[np.newaxis]),
            beta=1.0,
            c=gram,
            trans=1,
        )
        cross = cross + settled.weight * np.outer(settled.mean_x, settled.mean_y)
    else:
        constant = is_rounding(np.sqrt(np.diag(gram)), settled.mean_x, settled.weight)
        gram[constant] = gram[:, constant] = cross[constant] = 0.0
    refuse_overflow(np.diag(gram), cross)
    return gram, cross


def is_rounding(length: np.ndarray, mean: np.ndarray, weight: float) -> np.ndarray:
    """Which centred columns, of these lengths and means, are constants and their rounding."""
    return length <= _ROUNDING * np.sqrt(weight) * np.abs(mean)


def refuse_overflow(*sums: np.ndarray) -> None:
    """Raise a ValueError unless all sums of products are finite."""
    if not all(np.isfinite(part).all() for part in sums):
        raise ValueError(
            "features or targets are too large for the ridge readout: sums of their squares "
            "overflow. Scale them."
        )


def equilibrate(gram: np.ndarray, alpha: float) -> np.ndarray:
    """Add `alpha` to the diagonal and scale it to one, in place; return the factor per column."""
    diagonal = np.diag(gram) + alpha
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    np.fill_diagonal(gram, np.where(diagonal > 0, diagonal, 0.0))
    gram *= scale[:, np.newaxis]
    gram *= scale
    return scale


def cholesky_and_condition(upper: np.ndarray) -> tuple[np.ndarray | None, float]:
    """Upper factor of an equilibrated matrix and its condition number in the 1-norm.

    None and infinity if it is singular to working precision.
    """
    absolute = np.abs(np.triu(upper))
    norm = (absolute.sum(0) + absolute.sum(1) - np.diag(absolute)).max(initial=0.0)
    factor, info = lapack.dpotrf(upper, lower=0, clean=1)
    reciprocal = 0.0 if info != 0 else lapack.dpocon(factor, norm, uplo="U")[0]
    if reciprocal < np.finfo(float).eps:
        return None, np.inf
    return factor, 1.0 / reciprocal


def cholesky(upper: np.ndarray) -> np.ndarray | None:
    """Upper factor of an equilibrated matrix, or None if it is singular to working precision."""
    return cholesky_and_condition(upper)[0]


def is_solvable(moments: Moments, alpha: float, fit_intercept: bool = True) -> bool:
    """Whether `solve_ridge` has a regular system at this penalty."""
    gram, _ = normal_equations(moments.settled(), fit_intercept)
    equilibrate(gram, alpha)
    return cholesky(gram) is not None


def _minimum_norm(upper: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    values, vectors = eigh(upper, lower=False)
    kept = values > float(values[-1]) * values.size * np.finfo(float).eps
    warn_singular(kept, values, "; solver='qr' keeps twice the digits")
    if not kept.any():
        return np.zeros_like(rhs)
    basis = vectors[:, kept]
    return basis @ ((basis.T @ rhs) / values[kept][:, np.newaxis])


def warn_singular(kept: np.ndarray, values: np.ndarray, remedy: str = "") -> None:
    """Say which share of the eigenvalues or singular values was left out, unless none was."""
    if kept.all():
        return
    spread = values[kept].max() / values[kept].min() if kept.any() else np.inf
    warnings.warn(
        f"the readout's equations are singular to working precision: {int((~kept).sum())} of "
        f"{values.size} directions of the features are (nearly) constant or repeated (condition of "
        f"the rest {spread:.1e}). Their weights were set to the minimum-norm solution; raise "
        f"alpha, or use fewer units or more rows{remedy}.",
        LinAlgWarning,
        stacklevel=caller_level(),
    )
