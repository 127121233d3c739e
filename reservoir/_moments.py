"""Second moments of features and targets, streamed, and the ridge solution they hold.

Fitting a linear readout needs no matrix of all states: blocks of rows are folded into the weighted
means and the centred second moments, whose size does not depend on the length of the series.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning, eigh, lapack
from scipy.linalg.blas import dsyrk

from filters.timeseries._errors import caller_level

_BLOCK = 256  # rows: 2 MB of float64 at 1000 features, and dsyrk within 1.2x of one call for all
# A column whose standard deviation is below this share of its mean is a constant and its rounding.
_ROUNDING = 32 * np.finfo(float).eps


class Moments:
    """Weighted, centred second moments of rows (x, y), always in float64.

    Rows are buffered to blocks of 256 counted from the first row, so any chunking of the same rows
    gives the same bits; rows of weight zero are dropped before they count. Blocks are merged by
    the pairwise update of Chan, Golub and LeVeque, which does not cancel.

    Parameters
    ----------
    n_columns, n_outputs : int
        Widths of x and y.

    Attributes
    ----------
    weight : float
        Sum of weights.
    mean_x : ndarray of shape (n_columns,)
    mean_y : ndarray of shape (n_outputs,)
    cxx : ndarray of shape (n_columns, n_columns)
        Sum of w (x - mean_x)(x - mean_x)', upper triangle (Fortran order).
    cxy : ndarray of shape (n_columns, n_outputs)
    syy : ndarray of shape (n_outputs,)
        Sum of w (y - mean_y)^2.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance, The
    American Statistician 37 (1983), eq. 2.1.
    """

    def __init__(self, n_columns: int, n_outputs: int) -> None:
        self.weight = 0.0
        self.mean_x = np.zeros(n_columns)
        self.mean_y = np.zeros(n_outputs)
        self.cxx = np.zeros((n_columns, n_columns), order="F")
        self.cxy = np.zeros((n_columns, n_outputs))
        self.syy = np.zeros(n_outputs)
        self._rows = np.empty((_BLOCK, n_columns + n_outputs + 1))
        self._n_buffered = 0

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Fold in rows ``x (n, n_columns)``, ``y (n, n_outputs)`` with weights ``(n,)`` or one."""
        if weights is not None:
            keep = weights > 0
            if not keep.all():
                x, y, weights = x[keep], y[keep], weights[keep]
        n_columns, start = self.mean_x.size, 0
        while start < x.shape[0]:
            n = min(_BLOCK - self._n_buffered, x.shape[0] - start)
            part = self._rows[self._n_buffered : self._n_buffered + n]
            part[:, :n_columns] = x[start : start + n]
            part[:, n_columns:-1] = y[start : start + n]
            part[:, -1] = 1.0 if weights is None else weights[start : start + n]
            self._n_buffered += n
            start += n
            if self._n_buffered == _BLOCK:
                self._flush()

    @np.errstate(over="ignore", invalid="ignore")  # `solve_ridge` refuses what overflowed
    def _flush(self) -> None:
        rows = self._rows[: self._n_buffered]
        self._n_buffered = 0
        if rows.shape[0] == 0:
            return
        n_columns, w = self.mean_x.size, rows[:, -1]
        weight = float(w.sum())
        mean = (w @ rows[:, :-1]) / weight
        centred = (rows[:, :-1] - mean) * np.sqrt(w)[:, np.newaxis]
        x, y = np.asfortranarray(centred[:, :n_columns]), centred[:, n_columns:]
        self.cxx = dsyrk(1.0, x, beta=1.0, c=self.cxx, trans=1, overwrite_c=1)
        self.cxy += x.T @ y
        self.syy += np.einsum("ij,ij->j", y, y)
        self._shift(weight, mean[:n_columns], mean[n_columns:])

    def _shift(self, weight: float, mean_x: np.ndarray, mean_y: np.ndarray) -> None:
        """Account for the distance between our means and those of a part of `weight`."""
        total = self.weight + weight
        share = weight / total
        dx, dy = mean_x - self.mean_x, mean_y - self.mean_y
        between = self.weight * share
        if between > 0:
            row = np.asfortranarray(dx[np.newaxis])
            self.cxx = dsyrk(between, row, beta=1.0, c=self.cxx, trans=1, overwrite_c=1)
            self.cxy += between * np.outer(dx, dy)
            self.syy += between * dy**2
        self.mean_x = self.mean_x + share * dx
        self.mean_y = self.mean_y + share * dy
        self.weight = total

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays, copied; `load` takes them back."""
        return {name.lstrip("_"): np.array(value, order="K") for name, value in vars(self).items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from `arrays` of an earlier `arrays()`."""
        for name, value in vars(self).items():
            given = np.array(arrays[name.lstrip("_")], order="K")
            setattr(self, name, given if isinstance(value, np.ndarray) else type(value)(given))

    def settled(self) -> Moments:
        """A copy in which the buffered rows are folded in; this one goes on as it is."""
        other = Moments.__new__(Moments)
        for name, value in vars(self).items():
            copied = value.copy(order="K") if isinstance(value, np.ndarray) else value
            setattr(other, name, copied)
        other._flush()
        return other

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets of rows together; neither is changed."""
        left, right = self.settled(), other.settled()
        left.cxx += right.cxx
        left.cxy += right.cxy
        left.syy += right.syy
        if right.weight > 0:
            left._shift(right.weight, right.mean_x, right.mean_y)
        return left


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
    gram, cross = settled.cxx, settled.cxy
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
        rounding = _ROUNDING * np.sqrt(settled.weight) * np.abs(settled.mean_x)
        constant = np.sqrt(np.diag(gram)) <= rounding
        gram[constant] = gram[:, constant] = cross[constant] = 0.0
    refuse_overflow(np.diag(gram), cross)
    return gram, cross


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


def cholesky(upper: np.ndarray) -> np.ndarray | None:
    """Upper factor of an equilibrated matrix, or None if it is singular to working precision."""
    absolute = np.abs(np.triu(upper))
    norm = (absolute.sum(0) + absolute.sum(1) - np.diag(absolute)).max(initial=0.0)
    factor, info = lapack.dpotrf(upper, lower=0, clean=1)
    if info != 0 or lapack.dpocon(factor, norm, uplo="U")[0] < np.finfo(float).eps:
        return None
    return factor


def is_solvable(moments: Moments, alpha: float, fit_intercept: bool = True) -> bool:
    """Whether `solve_ridge` has a regular system at this penalty."""
    gram, _ = normal_equations(moments.settled(), fit_intercept)
    equilibrate(gram, alpha)
    return cholesky(gram) is not None


def _minimum_norm(upper: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    values, vectors = eigh(upper, lower=False)
    largest = float(values[-1])
    kept = values > largest * values.size * np.finfo(float).eps
    smallest = float(values[kept][0]) if kept.any() else 0.0
    if not kept.all():
        warnings.warn(
            f"the readout's normal equations are singular to working precision: "
            f"{int((~kept).sum())} of {values.size} directions of the features are (nearly) "
            f"constant or repeated (condition of the rest {largest / max(smallest, 1e-300):.1e}). "
            "Their weights were set to the minimum-norm solution; raise alpha, or use fewer units "
            "or more rows.",
            LinAlgWarning,
            stacklevel=caller_level(),
        )
    if not kept.any():
        return np.zeros_like(rhs)
    basis = vectors[:, kept]
    return basis @ ((basis.T @ rhs) / values[kept][:, np.newaxis])
