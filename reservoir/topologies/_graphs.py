"""Random recurrent matrices on graphs of network science: small worlds and scale-free nets."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from filters.timeseries._sklearn_private import StrOptions, checked, positive_int, unit_interval

from ._random import in_degree

_ATTACHMENTS = 5  # of a new unit, where density is "auto": 10 connections a unit on average


@checked(
    made=True,
    n_units=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    rewiring=[unit_interval("both")],
    random_state=["random_state"],
)
def small_world(
    n_units: int,
    *,
    density: float | Literal["auto"] = "auto",
    rewiring: float = 0.1,
    random_state: Any = None,
) -> sparse.csr_array:
    """Draw a ring lattice with some connections moved anywhere (Watts-Strogatz, directed).

    Every unit hears its nearest neighbours on a ring; each of these connections is replaced, with
    probability `rewiring`, by one from a unit drawn among all that it does not hear yet.

    Parameters
    ----------
    n_units : int
    density : float in (0, 1) or "auto", default="auto"
        Fraction of non-zeros; "auto" gives every unit 10 incoming connections. At least one a
        unit; a unit does not hear itself.
    rewiring : float in [0, 1], default=0.1
        0 is the lattice, 1 a random graph.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Weights uniform on [-1, 1], not rescaled; the same number of them in every row.

    Raises
    ------
    ValueError
        For a density out of range or a rewiring outside [0, 1].

    References
    ----------
    D. J. Watts, S. H. Strogatz, Collective dynamics of small-world networks, Nature 393 (1998),
    440-442; as a reservoir: Y. Kawai et al., Neural Networks 112 (2019), 15-23.

    Examples
    --------
    >>> from reservoir.topologies import small_world
    >>> W = small_world(50, density=0.08, rewiring=0.0, random_state=0)
    >>> W[[20]].indices.tolist()
    [18, 19, 21, 22]
    """
    rng = check_random_state(random_state)
    n_in = in_degree(n_units, density, self_loops=False)
    nearest = np.concatenate([np.arange(-((n_in + 1) // 2), 0), np.arange(1, n_in // 2 + 1)])
    indices = np.sort((np.arange(n_units)[:, np.newaxis] + nearest) % n_units, axis=1)
    moved = rng.random_sample(indices.shape) < rewiring
    for unit in np.flatnonzero(moved.any(axis=1)):
        unheard = np.ones(n_units, dtype=bool)
        unheard[unit] = unheard[indices[unit]] = False
        # In a net that is almost complete there is nowhere else to go: the old places are free too.
        candidates = np.flatnonzero(unheard)
        n_moved = int(moved[unit].sum())
        if candidates.size < n_moved:
            candidates = np.concatenate([candidates, indices[unit, moved[unit]]])
        indices[unit, moved[unit]] = rng.permutation(candidates)[:n_moved]
        indices[unit].sort()
    data = rng.uniform(-1.0, 1.0, indices.size)
    indptr = np.arange(n_units + 1, dtype=np.int32) * n_in
    entries = (data, indices.ravel().astype(np.int32), indptr)
    return sparse.csr_array(entries, shape=(n_units, n_units))


@checked(
    made=True,
    n_units=[positive_int()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
def scale_free(
    n_units: int, *, density: float | Literal["auto"] = "auto", random_state: Any = None
) -> sparse.csr_array:
    """Draw a net that grew by preferential attachment (Barabasi-Albert): a few units are hubs.

    The net starts with m + 1 units, all connected; every further unit is connected to m others,
    each drawn with a probability in proportion to the connections it has. A connection goes both
    ways, with two weights of its own.

    Parameters
    ----------
    n_units : int
    density : float in (0, 1) or "auto", default="auto"
        Fraction of non-zeros: the m that comes nearest to it is taken (the difference is below
        1 / n_units). "auto" is m = 5, which makes 10 incoming connections a unit on average.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Weights uniform on [-1, 1], not rescaled; no unit hears itself.

    Raises
    ------
    ValueError
        For a density out of range.

    Notes
    -----
    The share of units with k connections tends to ``2 m (m + 1) / (k (k + 1) (k + 2))``.

    References
    ----------
    A.-L. Barabasi, R. Albert, Emergence of scaling in random networks, Science 286 (1999), 509-512;
    as a reservoir: Z. Deng, Y. Zhang, IEEE TNN 18 (2007), 1364-1375.

    Examples
    --------
    >>> from reservoir.topologies import scale_free
    >>> W = scale_free(200, random_state=0)
    >>> bool((W != 0).sum(axis=1).max() > 30)
    True
    """
    rng = check_random_state(random_state)
    m = _n_attachments(n_units, density)
    core = np.arange(min(m + 1, n_units))
    pairs = [(i, j) for i in core.tolist() for j in range(i)]
    ends = [unit for pair in pairs for unit in pair]  # a unit stands here once a connection
    for unit in range(core.size, n_units):
        chosen: list[int] = []
        while len(chosen) < m:
            other = ends[rng.randint(len(ends))]
            if other not in chosen:
                chosen.append(other)
        pairs += [(unit, other) for other in chosen]
        ends += [end for other in chosen for end in (unit, other)]
    i, j = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    data = rng.uniform(-1.0, 1.0, 2 * i.size)
    entries = (data, (np.concatenate([i, j]), np.concatenate([j, i])))
    matrix = sparse.csr_array(entries, shape=(n_units, n_units))
    matrix.sort_indices()
    return matrix


def _n_attachments(n_units: int, density: float | str) -> int:
    if density == "auto":
        return min(_ATTACHMENTS, n_units - 1)
    in_degree(n_units, density, self_loops=False)  # refuses what is out of range
    m = np.arange(1, n_units)
    n_stored = m * (2 * n_units - m - 1)
    return int(m[np.argmin(np.abs(n_stored - float(density) * n_units**2))])
