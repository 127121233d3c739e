"""Random recurrent matrices: sparse, dense, in cyclic diagonals and in blocks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from filters.timeseries._sklearn_private import StrOptions, checked, positive_int, unit_interval

CONNECTIONS = 10  # a unit, where density is "auto"
# Above this density a dense product is the faster one (measured at 300 to 1000 units).
_DENSE_FROM = 0.25
_KEYS_UP_TO = 1024  # units up to which a random key for every possible entry is cheap
_ROWS = 1024  # drawn at once


@checked(
    made=True,
    n_units=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
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
    n_in = in_degree(n_units, density)
    draw = _by_keys if n_units <= _KEYS_UP_TO or 4 * n_in > n_units else _by_floyd
    indices = np.empty((n_units, n_in), dtype=np.int32)
    for start in range(0, n_units, _ROWS):
        chosen = draw(rng, min(_ROWS, n_units - start), n_units, n_in)
        indices[start : start + _ROWS] = np.sort(chosen, axis=1)
    data = rng.uniform(-1.0, 1.0, n_units * n_in)
    indptr = np.arange(0, n_units * n_in + 1, n_in, dtype=np.int32)
    return sparse.csr_array((data, indices.ravel(), indptr), shape=(n_units, n_units))


@checked(
    made=True,
    n_units=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
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

    Examples
    --------
    >>> from reservoir.topologies import random_dense
    >>> w = random_dense(50, random_state=0)
    >>> w.shape, bool(abs(w).max() <= 1)
    ((50, 50), True)
    """
    if density == 1.0:
        return check_random_state(random_state).uniform(-1.0, 1.0, (n_units, n_units))
    return random_sparse(n_units, density=density, random_state=random_state).toarray()


@checked(
    made=True,
    n_units=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
def random(
    n_units: int, *, density: float | Literal["auto"] = "auto", random_state: Any = None
) -> np.ndarray | sparse.csr_array:
    """Draw a `random_dense` or a `random_sparse` matrix, whichever is driven faster.

    Parameters
    ----------
    n_units, density, random_state
        As in `random_sparse`.

    Returns
    -------
    ndarray or scipy.sparse.csr_array of shape (n_units, n_units)

    Raises
    ------
    ValueError
        For a density outside (0, 1].

    Examples
    --------
    >>> from reservoir.topologies import random
    >>> type(random(20, random_state=0)).__name__, type(random(200, random_state=0)).__name__
    ('ndarray', 'csr_array')
    """
    if in_degree(n_units, density) > _DENSE_FROM * n_units:
        return random_dense(n_units, density=density, random_state=random_state)
    return random_sparse(n_units, density=density, random_state=random_state)


@checked(
    made=True,
    n_units=[positive_int()],
    n_diagonals=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
def cyclic_diagonals(
    n_units: int,
    *,
    n_diagonals: int = 10,
    density: float | Literal["auto"] = "auto",
    random_state: Any = None,
) -> sparse.csr_array:
    """Draw a matrix of full diagonals that go round: unit i hears units i + o, the same o for all.

    .. math:: W_{i,\\,(i + o_k) \\bmod n} \\sim U[-1, 1], \\quad k = 1, \\ldots, K

    Parameters
    ----------
    n_units : int
    n_diagonals : int, default=10
        K, the connections into and out of every unit (all, if fewer units).
    density : float in (0, 1] or "auto", default="auto"
        Fraction of non-zeros; a number sets K in place of `n_diagonals`.
    random_state : int, RandomState or None, default=None
        Draws the distinct offsets o and the weights.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Not rescaled.

    Raises
    ------
    ValueError
        For a density outside (0, 1] or fewer than one diagonal.

    Notes
    -----
    Beside `random_sparse` with as many connections, medians of ten seeds (``examples/benchmarks/
    results/topologies.md``): NARMA-10 and chaotic forecasts as good, linear memory 7 % shorter. Its
    product can do without the indices of columns, since neighbours hear neighbours.

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011), has one offset and
    one weight; here there are K offsets and a weight of its own for each connection.

    Examples
    --------
    >>> from reservoir.topologies import cyclic_diagonals
    >>> W = cyclic_diagonals(100, n_diagonals=3, random_state=0)
    >>> ((W[[40]].indices - 40) % 100 == (W[[41]].indices - 41) % 100).tolist()
    [True, True, True]
    """
    rng = check_random_state(random_state)
    k = min(n_diagonals, n_units) if density == "auto" else in_degree(n_units, density)
    offsets = rng.permutation(n_units)[:k]
    columns = np.sort((np.arange(n_units)[:, np.newaxis] + offsets) % n_units, axis=1)
    data = rng.uniform(-1.0, 1.0, columns.size)
    indptr = np.arange(n_units + 1, dtype=np.int32) * k
    entries = (data, columns.ravel().astype(np.int32), indptr)
    return sparse.csr_array(entries, shape=(n_units, n_units))


@checked(
    made=True, n_units=[positive_int()], block_size=[positive_int()], random_state=["random_state"]
)
def block_diagonal(
    n_units: int, *, block_size: int = 10, random_state: Any = None
) -> sparse.csr_array:
    """Draw independent small reservoirs side by side: dense blocks along the diagonal.

    Parameters
    ----------
    n_units : int
    block_size : int, default=10
        Units of a block; the last block has what is left.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Weights uniform on [-1, 1]. Its spectral radius is the largest one of its blocks, so after
        rescaling the other blocks forget faster.

    Raises
    ------
    ValueError
        For a block size below 1.

    References
    ----------
    Y. Xue, L. Yang, S. Haykin, Decoupled echo state networks with lateral inhibition, Neural
    Networks 20 (2007), 365-376 (here without the inhibition).

    Examples
    --------
    >>> from reservoir.topologies import block_diagonal
    >>> (block_diagonal(7, block_size=3, random_state=0) != 0).sum(axis=1).tolist()
    [3, 3, 3, 3, 3, 3, 1]
    """
    rng = check_random_state(random_state)
    first = np.arange(n_units) // block_size * block_size
    widths = np.minimum(block_size, n_units - first)
    indptr = np.concatenate([[0], np.cumsum(widths)])
    within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], widths)
    columns = (np.repeat(first, widths) + within).astype(np.int32)
    data = rng.uniform(-1.0, 1.0, columns.size)
    return sparse.csr_array((data, columns, indptr.astype(np.int32)), shape=(n_units, n_units))


def in_degree(n_units: int, density: float | str, *, self_loops: bool = True) -> int:
    """Incoming connections of every unit at a density; at least one."""
    most = n_units if self_loops else n_units - 1
    if density == "auto":
        return min(CONNECTIONS, most)
    if not 0 < float(density) <= 1:
        raise ValueError(f'density must be in (0, 1] or "auto", got {density}.')
    n_in = max(1, round(float(density) * n_units))
    if n_in > most:
        raise ValueError(
            f"density={density} asks for {n_in} connections a unit, but without self-loops "
            f"{n_units} units have at most {most}."
        )
    return n_in


def _by_keys(rng: np.random.RandomState, n_rows: int, n: int, k: int) -> np.ndarray:
    """In every row k distinct numbers below n: those of the k smallest of n random keys."""
    keys = rng.random_sample((n_rows, n))
    return np.argpartition(keys, k - 1, axis=1)[:, :k]


def _by_floyd(rng: np.random.RandomState, n_rows: int, n: int, k: int) -> np.ndarray:
    """The same without a key for every number: 10 of 10 000 in a hundredth of the time.

    The last k numbers take turns: number m, or one drawn from 0 .. m if that is not chosen yet.
    Every set of k is as likely as any other.

    References
    ----------
    J. Bentley, B. Floyd, Programming pearls: a sample of brilliance, Communications of the ACM 30
    (1987), 754-757, algorithm F2.
    """
    chosen = np.empty((n_rows, k), dtype=np.int64)
    taken, rows = np.zeros((n_rows, n), dtype=bool), np.arange(n_rows)
    for i, m in enumerate(range(n - k, n)):
        drawn = rng.randint(m + 1, size=n_rows)
        chosen[:, i] = np.where(taken[rows, drawn], m, drawn)
        taken[rows, chosen[:, i]] = True
    return chosen
