"""Random recurrent matrices whose eigenvalues are known before they are drawn."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.random import sample_without_replacement

from filters.timeseries._sklearn_private import (
    StrOptions,
    checked,
    non_negative,
    positive_int,
    unit_interval,
)

from ._random import CONNECTIONS, in_degree


@checked(made=True, n_units=[positive_int()], random_state=["random_state"])
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

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.topologies import orthogonal
    >>> q = orthogonal(20, random_state=0)
    >>> np.allclose(q @ q.T, np.eye(20))
    True
    """
    rng = check_random_state(random_state)
    q, r = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    return q * np.sign(np.diag(r))


@checked(made=True, n_units=[positive_int()], random_state=["random_state"])
def permutation(n_units: int, *, random_state: Any = None) -> sparse.csr_array:
    """Draw a permutation matrix: every unit hears one other unit or itself, with weight one.

    Parameters
    ----------
    n_units : int
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    Notes
    -----
    Orthogonal, so all eigenvalues have absolute value one, and the cheapest of all to drive.

    References
    ----------
    C. Gallicchio, A. Micheli, Reservoir topology in deep echo state networks, ICANN 2019.

    Examples
    --------
    >>> from reservoir.topologies import permutation, spectral_radius
    >>> spectral_radius(permutation(100, random_state=0))
    1.0
    """
    columns = check_random_state(random_state).permutation(n_units).astype(np.int32)
    entries = (np.ones(n_units), columns, np.arange(n_units + 1, dtype=np.int32))
    return sparse.csr_array(entries, shape=(n_units, n_units))


@checked(
    made=True,
    n_units=[positive_int()],
    diffusion=[non_negative()],
    density=[unit_interval(), StrOptions({"auto"})],
    random_state=["random_state"],
)
def antisymmetric(
    n_units: int,
    *,
    diffusion: float = 0.01,
    density: float | Literal["auto"] = "auto",
    random_state: Any = None,
) -> sparse.csr_array:
    """Draw an antisymmetric matrix with a little diffusion on its diagonal.

    .. math:: W = A - A^T - \\gamma I

    Parameters
    ----------
    n_units : int
    diffusion : float, default=0.01
        The gamma, at least 0.
    density : float in (0, 1] or "auto", default="auto"
        Fraction of non-zeros outside the diagonal, to the nearest pair; "auto" gives every unit 10
        connections on average. At least one pair.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        Weights off the diagonal uniform on [-1, 1], not rescaled. Eigenvalues are
        ``-diffusion + i w``: rotations that hardly decay.

    Raises
    ------
    ValueError
        For a density outside (0, 1] or a negative diffusion.

    Notes
    -----
    The Euler state network drives this matrix by ``x(t) = x(t-1) + eps tanh(W x(t-1) + ...)``:
    ``Reservoir(topology="antisymmetric", leak_rate=eps, residual_scaling=1.0)``. Leaky units, the
    default, take the same Euler step with a decay of rate `leak_rate` more.
    ``Reservoir(spectral_radius=...)`` scales the diffusion as well; None leaves both.

    References
    ----------
    C. Gallicchio, Euler state networks: non-dissipative reservoir computing, Neurocomputing 579
    (2024), 127411.

    Examples
    --------
    >>> from reservoir.topologies import antisymmetric
    >>> W = antisymmetric(20, diffusion=0.0, random_state=0).toarray()
    >>> bool((W == -W.T).all())
    True
    """
    if not diffusion >= 0:
        raise ValueError(f"diffusion must be at least 0, got {diffusion}.")
    rng = check_random_state(random_state)
    most = n_units * (n_units - 1) // 2
    if density == "auto":
        n_pairs = min(CONNECTIONS * n_units // 2, most)
    else:
        in_degree(n_units, density)  # refuses what is out of range
        n_pairs = min(max(1, round(float(density) * most)), most)
    # Pair number p of the triangle below the diagonal is in row i, where i (i - 1) / 2 <= p.
    pairs = np.sort(sample_without_replacement(most, n_pairs, random_state=rng)).astype(np.int64)
    i = np.floor((1 + np.sqrt(1 + 8 * pairs)) / 2).astype(np.int64)
    j = pairs - i * (i - 1) // 2
    values = rng.uniform(-1.0, 1.0, n_pairs)
    unit = np.arange(n_units if diffusion else 0)
    data = np.concatenate([values, -values, np.full(unit.size, -float(diffusion))])
    entries = (data, (np.concatenate([i, j, unit]), np.concatenate([j, i, unit])))
    matrix = sparse.csr_array(entries, shape=(n_units, n_units))
    matrix.sort_indices()
    return matrix
