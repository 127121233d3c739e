"""The matrices of a reservoir: drawn, each from a seed of its own, or given and checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from filters.timeseries._numbers import as_numbers, naming

from . import topologies

_MATRICES = ("recurrent", "input", "bias", "feedback", "noise")
_LATER = ("residual", "feedback_noise")  # seeds that leave those of the first five as they are
RESIDUALS = ("identity", "ring", "orthogonal", "permutation")


def child_seeds(random_state: Any) -> dict[str, int]:
    """One seed per matrix, so that changing one of them leaves the others as they are."""
    seeds = check_random_state(random_state).randint(2**31 - 1, size=len(_MATRICES))
    named = dict(zip(_MATRICES, seeds.tolist(), strict=True))
    later = np.random.RandomState(seeds).randint(2**31 - 1, size=len(_LATER))
    return named | dict(zip(_LATER, later.tolist(), strict=True))


def draw_recurrent(
    topology: Any, n_units: int, density: Any, seed: int
) -> np.ndarray | sparse.csr_array:
    """W before any rescaling: a topology by name, what a callable draws, or a given matrix.

    Raises
    ------
    ValueError
        For a density that cannot be honoured, or a matrix of another shape or not of numbers.
    """
    if isinstance(topology, str):
        options = {} if density == "auto" else {"density": density}
        if options and topology not in topologies.WITH_DENSITY:
            raise ValueError(
                f'density={density} means nothing for topology="{topology}", whose '
                'connections are fixed. Leave density="auto".'
            )
        return topologies.NAMED[topology](n_units, random_state=seed, **options)
    if density != "auto":
        raise ValueError(
            f"density={density} cannot be honoured with a given topology; leave it "
            '"auto" and thin the matrix yourself.'
        )
    matrix = topology
    if callable(topology):
        with naming("topology"):
            matrix = topology(n_units, random_state=seed)
    return _given_square("topology", matrix, n_units)


def scaled(matrix: Any, spectral_radius: float | None, spectral_norm: float | None) -> Any:
    """W of that norm or, where it is None, of that radius; as it is where both are None."""
    if spectral_norm is not None:
        return topologies.scale_spectral_norm(matrix, spectral_norm)
    if spectral_radius is not None:
        return topologies.scale_spectral_radius(matrix, spectral_radius)
    return matrix


def draw_residual(residual: Any, n_units: int, seed: int) -> np.ndarray | sparse.csr_array:
    """O, by name or given."""
    if not isinstance(residual, str):
        return _given_square("residual", residual, n_units)
    if residual == "identity":
        return sparse.csr_array(sparse.eye_array(n_units))
    return topologies.NAMED[residual](n_units, random_state=seed)


def _given_square(name: str, matrix: Any, n_units: int) -> np.ndarray | sparse.csr_array:
    """A given matrix between units, copied and checked."""
    matrix = _numbers(matrix, name)
    if matrix.shape != (n_units, n_units):
        raise ValueError(
            f"{name} must be a matrix of shape {(n_units, n_units)} for n_units={n_units}; got "
            f"{matrix.shape}."
        )
    return matrix


def draw_input(weights: Any, shape: tuple[int, int], scaling: Any, seed: int) -> np.ndarray:
    """W_in of `shape` (n_units, n_features), drawn or given, times the scaling of each feature."""
    rng = np.random.RandomState(seed)
    if isinstance(weights, str):
        draw = {
            "uniform": lambda: rng.uniform(-1.0, 1.0, shape),
            "bernoulli": lambda: rng.randint(2, size=shape) * 2.0 - 1.0,
            "gaussian": lambda: rng.standard_normal(shape),
        }[weights]
        weights = draw()
    else:
        weights = _numbers(weights, "input_weights")
        if weights.shape != shape:
            raise ValueError(
                f"input_weights must have shape {shape} (n_units, n_features); got {weights.shape}."
            )
    scaling = _numbers(scaling, "input_scaling")
    if scaling.shape not in {(), shape[1:]}:
        raise ValueError(
            f"input_scaling must be a number or one a feature, shape ({shape[1]},); got "
            f"shape {scaling.shape}."
        )
    return weights * scaling


def draw_feedback(weights: Any, shape: tuple[int, int], scaling: float, seed: int) -> np.ndarray:
    """W_fb of `shape` (n_units, n_outputs), drawn on [-1, 1] or given, times the scaling."""
    if weights is None:
        return scaling * np.random.RandomState(seed).uniform(-1.0, 1.0, shape)
    weights = _numbers(weights, "feedback_weights")
    if weights.shape != shape:
        raise ValueError(
            f"feedback_weights must have shape {shape} (units of the first layer, n_outputs); got "
            f"{weights.shape}."
        )
    return scaling * weights


def draw_bias(bias: Any, n_units: int, scaling: float, seed: int) -> np.ndarray:
    """The bias, drawn on [-scaling, scaling] where none is given."""
    if bias is None:
        return scaling * np.random.RandomState(seed).uniform(-1, 1, n_units)
    return _per_unit("bias", bias, n_units)


def shares(name: str, values: Any, n_units: int) -> np.ndarray:
    """Numbers in [0, 1], one a unit, from those or from one number."""
    array = _per_unit(name, values, n_units)
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(
            f"{name} must be in [0, 1]; got values from {array.min()} to {array.max()}."
        )
    return array


def _per_unit(name: str, values: Any, n_units: int) -> np.ndarray:
    array = _numbers(values, name)
    if array.shape not in {(), (n_units,)}:
        raise ValueError(
            f"{name} must be a number or one a unit, shape ({n_units},); got shape {array.shape}."
        )
    return np.array(np.broadcast_to(array, (n_units,)))


def _numbers(values: Any, name: str) -> Any:
    """A real, finite float64 copy of `values`: an ndarray, or a csr_array if sparse."""
    with naming(name):
        is_complex = np.iscomplexobj(values)
    if is_complex:
        raise ValueError(f"{name} is complex; the weights of a reservoir are real.")
    if sparse.issparse(values):
        array = sparse.csr_array(values, dtype=np.float64, copy=True)
        entries = array.data
    else:
        array = entries = np.array(as_numbers(values, name), dtype=np.float64)
    if not np.isfinite(entries).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return array
