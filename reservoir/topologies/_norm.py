"""The spectral norm of a recurrent matrix, and scaling by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackError, eigsh

from filters.timeseries._sklearn_private import checked, non_negative

from .._blas import with_one_blas_thread
from ._radius import check_square, remember, scaled

_DENSE_UP_TO = 1500
_MAX_RESTARTS = 1000


@checked(made=True)
def spectral_norm(matrix: np.ndarray | sparse.sparray | sparse.spmatrix) -> float:
    """Largest singular value of a square matrix, to rounding.

    Parameters
    ----------
    matrix : ndarray or scipy.sparse matrix of shape (n_units, n_units)

    Returns
    -------
    float
        At least the spectral radius, and equal to it for normal matrices (orthogonal, symmetric,
        cycles).

    Raises
    ------
    ValueError
        For a matrix that is not square, is empty or holds NaN or infinity.

    Notes
    -----
    LAPACK up to 1500 units; above, Lanczos on W'W with 6 wanted values, a fixed start vector and a
    check of the residual, with LAPACK behind it. The answers for the last matrices are remembered,
    as those of `spectral_radius` are.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.topologies import spectral_norm
    >>> spectral_norm(np.array([[0.0, 2.0], [8.0, 0.0]]))
    8.0
    """
    rows = check_square(matrix)
    largest = float(np.abs(rows.data).max(initial=0.0))
    if largest == 0.0:
        return 0.0
    # Squares of entries below 1e-154 or above 1e154 leave the numbers.
    return largest * remember("norm", rows / largest, _solve)


@checked(norm=[non_negative()])
def scale_spectral_norm(matrix: Any, norm: float) -> Any:
    """Scale `matrix` so that its spectral norm is `norm`.

    Below 1, a reservoir of tanh, relu or identity units contracts whatever its input: a sufficient
    condition of the echo state property, stricter than ``spectral_radius < 1``. It also scales
    what has no radius to set, such as a delay line.

    Parameters
    ----------
    matrix : ndarray or scipy.sparse matrix of shape (n_units, n_units)
    norm : float
        At least 0.

    Returns
    -------
    ndarray or scipy.sparse matrix
        A new matrix. ``Reservoir(spectral_norm=...)`` does the same.

    Raises
    ------
    ValueError
        If the matrix is zero and `norm` is not.

    References
    ----------
    H. Jaeger, The echo state approach, GMD Report 148 (2001), proposition 3a.

    Examples
    --------
    >>> from reservoir.topologies import delay_line, scale_spectral_norm, spectral_norm
    >>> round(spectral_norm(scale_spectral_norm(delay_line(50), 0.9)), 12)
    0.9
    """
    own = spectral_norm(matrix)
    if norm == 0:
        return scaled(matrix, 0.0)
    if own == 0:
        raise ValueError(f"spectral norm {norm} cannot be set: every weight of the matrix is 0.")
    return scaled(matrix, norm / own)


def _solve(rows: sparse.csr_array) -> float:
    if rows.shape[0] <= _DENSE_UP_TO:
        return _dense_norm(rows)
    start = np.random.RandomState(0).standard_normal(rows.shape[0])
    squared = rows.T @ rows
    try:
        values, vectors = eigsh(squared, k=6, ncv=80, which="LA", v0=start, maxiter=_MAX_RESTARTS)
    except ArpackError:
        return _dense_norm(rows)
    residual = np.linalg.norm(squared @ vectors[:, -1] - values[-1] * vectors[:, -1])
    if residual > 1e-9 * values[-1]:
        return _dense_norm(rows)
    return float(np.sqrt(values[-1]))


@with_one_blas_thread
def _dense_norm(rows: sparse.csr_array) -> float:
    return float(np.linalg.norm(rows.toarray(), 2))
