"""First weights: one function a name, one child seed a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from filters.timeseries._numbers import naming

from ..topologies import NAMED, scale_spectral_radius
from ..topologies._blas import with_one_blas_thread


def glorot_uniform(rng: np.random.RandomState, n_out: int, n_in: int) -> np.ndarray:
    """Uniform on +-sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010, equation 16)."""
    limit = np.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_out, n_in))


@with_one_blas_thread
def orthogonal(rng: np.random.RandomState, n_units: int) -> np.ndarray:
    """A rotation or reflection drawn uniformly (Saxe, McClelland and Ganguli 2014)."""
    q, r = np.linalg.qr(rng.normal(size=(n_units, n_units)))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)  # without the signs QR would not be uniform


def identity(rng: np.random.RandomState, n_units: int) -> np.ndarray:
    """The identity, with ReLU known as IRNN (Le, Jaitly and Hinton 2015)."""
    return np.eye(n_units)


@with_one_blas_thread
def normalized_positive(rng: np.random.RandomState, n_units: int) -> np.ndarray:
    """Positive definite, largest eigenvalue 1: np-RNN (Talathi and Vartak 2015, section 2)."""
    draw = rng.normal(size=(n_units, n_units))
    matrix = draw.T @ draw / n_units + np.eye(n_units)
    return matrix / np.linalg.eigvalsh(matrix)[-1]


def chrono(rng: np.random.RandomState, n_units: int, longest: int) -> np.ndarray:
    """log U[1, longest - 1]: the bias of a forget gate that forgets in 1 to `longest` steps.

    Tallec and Ollivier 2018, equation 16; up to two steps it is 0.
    """
    return np.log(rng.uniform(1.0, max(longest - 1, 1), n_units))


RECURRENT_INITS: dict[str, Callable[[np.random.RandomState, int], np.ndarray]] = {
    "orthogonal": orthogonal,
    "identity": identity,
    "np": normalized_positive,
}


def child(rng: np.random.RandomState) -> np.random.RandomState:
    """A random stream of its own for one matrix."""
    return np.random.RandomState(rng.randint(np.iinfo(np.int32).max))


def recurrent_drawer(
    init: str | Callable[..., Any], spectral_radius: float | None
) -> Callable[[np.random.RandomState, int], np.ndarray]:
    """How square recurrent matrices are drawn.

    Parameters
    ----------
    init : str or callable
        One of `RECURRENT_INITS`, a name of `reservoir.topologies.NAMED`, or a callable
        ``(n_units, *, random_state)``.
    spectral_radius : float or None
        What every matrix is scaled to; None leaves it as drawn.

    Raises
    ------
    ValueError
        By the drawer, where a matrix has the wrong shape, is not finite, or is nilpotent and
        should be scaled.
    """

    def draw(rng: np.random.RandomState, n_units: int) -> np.ndarray:
        if isinstance(init, str) and init in RECURRENT_INITS:
            matrix: Any = RECURRENT_INITS[init](rng, n_units)
        else:
            topology = NAMED[init] if isinstance(init, str) else init
            with naming("recurrent_init"):
                matrix = topology(n_units, random_state=rng)
        if spectral_radius is not None:
            matrix = scale_spectral_radius(matrix, spectral_radius)
        matrix = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)
        if matrix.shape != (n_units, n_units) or not np.isfinite(matrix).all():
            raise ValueError(
                f"recurrent_init={init!r} must give a finite matrix of shape "
                f"({n_units}, {n_units}); got shape {matrix.shape}."
            )
        return matrix

    return draw
