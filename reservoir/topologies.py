"""Recurrent matrices and the exact scaling of their spectral radius."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigs
from sklearn.utils import check_random_state

__all__ = [
    "delay_line",
    "orthogonal",
    "random_dense",
    "random_sparse",
    "ring",
    "scale_spectral_radius",
    "spectral_radius",
]

_CONNECTIONS = 10  # a unit, where density is "auto"
_DENSE_UP_TO = 1500  # units up to which LAPACK's full spectrum is as quick as anything safe
# Of ARPACK, 5 s at 1600 units: random matrices take under 100, a ring with a chord never ends.
_MAX_RESTARTS = 1000
# Above this density a dense product is the faster one (measured at 300 to 1000 units).
_DENSE_FROM = 0.25


def random_sparse(
    n_units: int, *, density: float | Literal["auto"] = "auto", random_state: Any = None
) -> sparse.csr_array:
    """Draw a sparse matrix with the same number of connections into every unit.

    Parameters
    ----------
    n_units : int
    density : float in (0, 1] or "auto", default="auto"
        Fraction of non-zeros; "auto" gives every unit 10 incoming connections (all, if fewer
        units). At least one a unit, so the matrix always has a cycle.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Weights uniform on [-1, 1], not rescaled.

    Raises
    ------
    ValueError
        For a density outside (0, 1].

    Examples
    --------
    >>> from reservoir.topologies import random_sparse
    >>> random_sparse(50, density=0.1, random_state=0).nnz
    250
    """
    rng = check_random_state(random_state)
    n_in = _in_degree(n_units, density)
    # argpartition of random keys: distinct columns in every row, in one vectorised draw a block.
    indices = np.empty((n_units, n_in), dtype=np.int32)
    for start in range(0, n_units, 1024):
        keys = rng.random_sample((min(1024, n_units - start), n_units))
        chosen = np.argpartition(keys, n_in - 1, axis=1)[:, :n_in]
        indices[start : start + 1024] = np.sort(chosen, axis=1)
    data = rng.uniform(-1.0, 1.0, n_units * n_in)
    indptr = np.arange(0, n_units * n_in + 1, n_in, dtype=np.int32)
    return sparse.csr_array((data, indices.ravel(), indptr), shape=(n_units, n_units))


def random_dense(
    n_units: int, *, density: float | Literal["auto"] = 1.0, random_state: Any = None
) -> np.ndarray:
    """Draw a dense matrix with weights uniform on [-1, 1].

    Parameters
    ----------
    n_units : int
    density : float in (0, 1] or "auto", default=1.0
        Fraction of non-zeros, as in `random_sparse`.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    ndarray of shape (n_units, n_units)

    Raises
    ------
    ValueError
        For a density outside (0, 1].
    """
    if density == 1.0:
        return check_random_state(random_state).uniform(-1.0, 1.0, (n_units, n_units))
    return random_sparse(n_units, density=density, random_state=random_state).toarray()


def random(
    n_units: int, *, density: float | Literal["auto"] = "auto", random_state: Any = None
) -> np.ndarray | sparse.csr_array:
    """`random_dense` or `random_sparse`, whichever is driven faster at this density."""
    if _in_degree(n_units, density) > _DENSE_FROM * n_units:
        return random_dense(n_units, density=density, random_state=random_state)
    return random_sparse(n_units, density=density, random_state=random_state)


def ring(n_units: int, *, weight: float = 1.0, random_state: Any = None) -> sparse.csr_array:
    """Simple cycle: unit i hears unit i - 1, unit 0 the last one, all with one weight.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
    random_state : ignored
        Present as in every topology; nothing here is random.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011) (SCR).
    """
    columns = np.arange(-1, n_units - 1) % n_units
    shape = (n_units, n_units)
    return sparse.csr_array((np.full(n_units, weight), (np.arange(n_units), columns)), shape=shape)


def delay_line(n_units: int, *, weight: float = 1.0, random_state: Any = None) -> sparse.csr_array:
    """Delay line: unit i hears unit i - 1. Nilpotent: its spectral radius is 0 and stays so.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011) (DLR).
    """
    return sparse.csr_array(sparse.diags_array([np.full(n_units - 1, weight)], offsets=[-1]))


def orthogonal(n_units: int, *, random_state: Any = None) -> np.ndarray:
    """Draw a random orthogonal matrix (Haar measure).

    Parameters
    ----------
    n_units : int
    random_state : int, RandomState or None, default=None

    Returns
    -------
    ndarray of shape (n_units, n_units)

    References
    ----------
    F. Mezzadri, How to generate random matrices from the classical compact groups, Notices of the
    AMS 54 (2007), 592-604.
    """
    rng = check_random_state(random_state)
    q, r = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    return q * np.sign(np.diag(r))


# Topologies by name, as `Reservoir(topology=...)` takes them; those that honour `density`.
NAMED = {
    "delay_line": delay_line,
    "orthogonal": orthogonal,
    "random": random,
    "random_dense": random_dense,
    "random_sparse": random_sparse,
    "ring": ring,
}
WITH_DENSITY = ("random", "random_dense", "random_sparse")


def spectral_radius(matrix: np.ndarray | sparse.sparray | sparse.spmatrix) -> float:
    """Largest absolute eigenvalue of a square matrix, to rounding.

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
    one cycle has the geometric mean of its absolute weights; parts up to 1500 units go to LAPACK;
    larger ones to ARPACK with 6 wanted values, 80 basis vectors, a fixed start vector and a check
    of the residuals, with LAPACK behind it (asking ARPACK for one value is wrong by up to 1 % on
    ordinary matrices, and it does not converge on permutations).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.topologies import spectral_radius
    >>> spectral_radius(np.array([[0.0, 2.0], [8.0, 0.0]]))
    4.0
    """
    if len(matrix.shape) != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"a square, non-empty matrix is needed; got shape {matrix.shape}.")
    rows = sparse.csr_array(matrix).astype(np.float64)
    rows.sum_duplicates()  # connected_components does not end on entries stored twice
    rows.eliminate_zeros()
    if not np.isfinite(rows.data).all():
        raise ValueError("the recurrent matrix contains NaN or infinity.")
    n_parts, part_of = connected_components(rows, directed=True, connection="strong")
    if n_parts == 1:
        return _radius_of_part(rows)
    sizes = np.bincount(part_of)
    radius = float(np.abs(rows.diagonal()[sizes[part_of] == 1]).max(initial=0.0))
    for part in np.flatnonzero(sizes > 1):
        members = np.flatnonzero(part_of == part)
        radius = max(radius, _radius_of_part(rows[members][:, members]))
    return radius


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
    """
    if radius == 0:
        return matrix * 0.0
    own = spectral_radius(matrix)
    if own == 0:
        raise ValueError(
            f"spectral_radius={radius} cannot be set: the recurrent matrix is nilpotent (its graph "
            "has no cycle), so its spectral radius is 0 at any scale. Use spectral_radius=None to "
            "take the matrix as it is."
        )
    return matrix * (radius / own)


def _in_degree(n_units: int, density: float | str) -> int:
    if density == "auto":
        return min(_CONNECTIONS, n_units)
    if not 0 < float(density) <= 1:
        raise ValueError(f'density must be in (0, 1] or "auto", got {density}.')
    return max(1, round(float(density) * n_units))


def _radius_of_part(rows: sparse.csr_array) -> float:
    n = rows.shape[0]
    if n == 1:
        return abs(float(rows.toarray()[0, 0]))
    if rows.nnz == n:  # strongly connected with n edges: one cycle through all
        return float(np.exp(np.mean(np.log(np.abs(rows.data)))))
    if n <= _DENSE_UP_TO:
        return _dense_radius(rows)
    start = np.random.RandomState(0).standard_normal(n)
    try:
        values, vectors = eigs(rows, k=6, ncv=80, which="LM", v0=start, maxiter=_MAX_RESTARTS)
    except ArpackError:
        return _dense_radius(rows)
    largest = int(np.argmax(np.abs(values)))
    vector = vectors[:, largest]
    residual = np.linalg.norm(rows @ vector - values[largest] * vector)
    if residual > 1e-9 * abs(values[largest]) * np.linalg.norm(vector):
        return _dense_radius(rows)
    return float(np.abs(values[largest]))


def _dense_radius(rows: sparse.csr_array) -> float:
    # SciPy's eigvals is wrong by its own scaling where entries are below 1e-138 or above 1e138.
    return float(np.abs(np.linalg.eigvals(rows.toarray())).max())
