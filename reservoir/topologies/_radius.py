"""The exact spectral radius of a recurrent matrix, and scaling by it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigs

from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import checked, non_negative

_DENSE_UP_TO = 500  # units up to which LAPACK's full spectrum is as quick as anything safe
# Of ARPACK: values wanted and basis vectors, where a product with W is cheap (under 50 entries a
# row) and where it is not. Wanted is one, but where many moduli lie close together the largest is
# the last to show up: one value of 20 vectors (SciPy's default) was wrong on 19 of 40 random
# matrices of 1000 units, by up to 1.2 %; 4 of 60 on one of 3000.
_BASES = (6, 80), (12, 200)
_TOLERANCE = 1e-11
# A search over spectral_radius, input_scaling, ... at one seed draws the same matrix again and
# again: 0.4 s of the 0.6 s that a fit of 1000 units to 2000 rows takes; the digest costs 1 ms.
_N_REMEMBERED = 256
_remembered: dict[bytes, float] = {}
_lock = Lock()


@checked(made=True)
def spectral_radius(matrix: np.ndarray | sparse.sparray | sparse.spmatrix) -> float:
    """Largest absolute eigenvalue of a square matrix, to rounding (above 500 units, to 1e-10).

    Parameters
    ----------
    matrix : ndarray or scipy.sparse matrix of shape (n_units, n_units)

    Returns
    -------
    float
        Exactly 0.0 for a nilpotent structure (no cycle in the graph of non-zeros).

    Raises
    ------
    ValueError
        For a matrix that is not square, is empty or holds NaN or infinity.

    Notes
    -----
    The spectrum is the union of those of the strongly connected parts of the graph. A part that is
    one cycle has the geometric mean of its absolute weights; parts up to 500 units go to LAPACK;
    larger ones to ARPACK with 6 to 12 wanted values, 80 to 200 vectors, a fixed start vector and a
    check of the residual, with LAPACK behind it (asking ARPACK for one value is wrong by up to 1 %
    on half of all ordinary matrices, and it does not converge on permutations). The answers for the
    last 256 matrices are remembered, by a digest of their entries.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.topologies import spectral_radius
    >>> spectral_radius(np.array([[0.0, 2.0], [8.0, 0.0]]))
    4.0
    """
    rows = check_square(matrix)
    n_parts, part_of = connected_components(rows, directed=True, connection="strong")
    if n_parts == 1:
        return _radius_of_part(rows)
    sizes = np.bincount(part_of)
    radius = float(np.abs(rows.diagonal()[sizes[part_of] == 1]).max(initial=0.0))
    for part in np.flatnonzero(sizes > 1):
        members = np.flatnonzero(part_of == part)
        radius = max(radius, _radius_of_part(rows[members][:, members]))
    return radius


@checked(radius=[non_negative()])
def scale_spectral_radius(matrix: Any, radius: float) -> Any:
    """Scale `matrix` so that its spectral radius is `radius`.

    Parameters
    ----------
    matrix : ndarray or scipy.sparse matrix of shape (n_units, n_units)
    radius : float
        At least 0.

    Returns
    -------
    ndarray or scipy.sparse matrix
        A new matrix.

    Raises
    ------
    ValueError
        If the matrix is nilpotent (no scaling changes its radius 0) and `radius` is not 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.topologies import scale_spectral_radius
    >>> scale_spectral_radius(np.array([[2.0, 0.0], [1.0, 4.0]]), 0.5)
    array([[0.25 , 0.   ],
           [0.125, 0.5  ]])
    """
    if radius == 0:
        return matrix * 0.0
    own = spectral_radius(matrix)
    if own == 0:
        raise ValueError(
            f"spectral_radius={radius} cannot be set: the recurrent matrix is nilpotent (its graph "
            "has no cycle), so its spectral radius is 0 at any scale. Use spectral_radius=None to "
            "take the matrix as it is, or set its spectral_norm."
        )
    return scaled(matrix, radius / own)


def scaled(matrix: Any, factor: float) -> Any:
    """`matrix` times a factor, sparse where it was; an error where that overflows."""
    if not sparse.issparse(matrix):
        matrix = as_numbers(matrix, "matrix")
    with np.errstate(over="ignore", invalid="ignore"):
        product = matrix * factor
    if not np.isfinite(product.data if sparse.issparse(product) else product).all():
        raise ValueError(
            f"matrix would have to be multiplied by {factor:g}, beyond the range of its numbers."
        )
    return product


def check_square(matrix: Any) -> sparse.csr_array:
    """`matrix` as compressed rows of finite float64 non-zeros, each stored once; else an error."""
    if not sparse.issparse(matrix):
        matrix = as_numbers(matrix, "matrix")
    if np.iscomplexobj(matrix):
        raise ValueError("matrix is complex; the weights of a reservoir are real.")
    if len(matrix.shape) != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"matrix: a square, non-empty matrix is needed; got shape {matrix.shape}.")
    if not sparse.issparse(matrix):  # SciPy knows neither float16 nor the other byte order
        matrix = matrix.astype(np.float64)
    rows = sparse.csr_array(matrix).astype(np.float64)
    rows.sum_duplicates()  # connected_components does not end on entries stored twice
    rows.eliminate_zeros()
    if not np.isfinite(rows.data).all():
        raise ValueError("the recurrent matrix contains NaN or infinity.")
    return rows


def _radius_of_part(rows: sparse.csr_array) -> float:
    n = rows.shape[0]
    if n == 1:
        return abs(float(rows.toarray()[0, 0]))
    if rows.nnz == n:  # strongly connected with n edges: one cycle through all
        return float(np.exp(np.mean(np.log(np.abs(rows.data)))))
    return remember("radius", rows, _solve)


def remember(
    what: str, rows: sparse.csr_array, solve: Callable[[sparse.csr_array], float]
) -> float:
    """``solve(rows)``, or what it was for the same matrix among the last ones asked for."""
    key = what.encode() + _digest(rows)
    with _lock:
        answer = _remembered.get(key)
    if answer is None:
        answer = solve(rows)
        with _lock:
            if len(_remembered) >= _N_REMEMBERED:
                del _remembered[next(iter(_remembered))]
            _remembered[key] = answer
    return answer


def _digest(rows: sparse.csr_array) -> bytes:
    digest = blake2b(digest_size=32)
    for part in (rows.indptr, rows.indices, rows.data):
        digest.update(part.tobytes())
    return digest.digest()


def _solve(rows: sparse.csr_array) -> float:
    n = rows.shape[0]
    if n <= _DENSE_UP_TO:
        return _dense_radius(rows)
    n_values, n_vectors = _BASES[rows.nnz >= 50 * n]
    try:
        values, vectors = eigs(
            rows.toarray() if rows.nnz > n**2 // 4 else rows,
            k=n_values,
            ncv=min(n_vectors, n),
            which="LM",
            v0=np.random.RandomState(0).standard_normal(n),
            # Random matrices take 2 to 10, a ring with a chord never ends: as many as take about
            # the time of LAPACK, which then does the work.
            maxiter=min(max(6, n**2 // 50_000), 1000),
            tol=_TOLERANCE,
        )
    except ArpackError:
        return _dense_radius(rows)
    largest = int(np.argmax(np.abs(values)))
    vector = vectors[:, largest]
    residual = np.linalg.norm(rows @ vector - values[largest] * vector)
    if residual > 10 * _TOLERANCE * abs(values[largest]) * np.linalg.norm(vector):
        return _dense_radius(rows)
    return float(np.abs(values[largest]))


def _dense_radius(rows: sparse.csr_array) -> float:
    # SciPy's eigvals is wrong by its own scaling where entries are below 1e-138 or above 1e138.
    return float(np.abs(np.linalg.eigvals(rows.toarray())).max())
