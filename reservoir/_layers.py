"""Deep reservoirs: layers in a row, each driven by the states of the layer below it.

.. math:: x_l(t) = s_l\\, O_l x_l(t-1) + a_l f(W_l x_l(t-1) + W_{in,l} x_{l-1}(t) + b_l), \\quad
          x_0(t) = u(t)

A layer is a `Reservoir` of one layer that takes the states below for its input, so nothing of the
update is written twice. The state of the whole is the states of the layers side by side.

References
----------
C. Gallicchio, A. Micheli, L. Pedrelli, Deep reservoir computing: a critical experimental analysis,
Neurocomputing 268 (2017), 87-99.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from filters.timeseries._errors import DivergenceError

if TYPE_CHECKING:
    from ._reservoir import Reservoir

_ARRAYS_TOO = (
    "leak_rate",
    "residual",
    "residual_scaling",
    "input_scaling",
    "topology",
    "input_weights",
    "bias",
)
_NUMBERS = ("spectral_radius", "spectral_norm", "bias_scaling", "density", "activation", "noise")
PER_LAYER = (*_NUMBERS, *_ARRAYS_TOO)


def is_listed(value: Any) -> bool:
    """Whether a parameter holds one entry a layer (an array is one value for all of them)."""
    return isinstance(value, list | tuple)


def check_one_layer(reservoir: Reservoir) -> None:
    """Raise ValueError where a reservoir of one layer has a parameter that only layers can list."""
    for name in _NUMBERS:
        if is_listed(getattr(reservoir, name)):
            raise ValueError(
                f"{name}={getattr(reservoir, name)!r} lists one value a layer, but "
                f"n_units={reservoir.n_units} is one layer. Give n_units as a list too, or "
                f"{name} as one value."
            )


def fit_layers(reservoir: Reservoir, n_features: int, dtype: np.dtype) -> list[Reservoir]:
    """Fitted reservoirs of one layer each, from the bottom up, for the lists of `reservoir`.

    The first layer draws what a reservoir of that one layer draws; every other has a seed of its
    own, drawn after it, so a further layer leaves those below as they are.

    Raises
    ------
    ValueError
        For lists of different lengths or a parameter out of range; it says in which layer.
    """
    parameters = _split(reservoir)
    rng = check_random_state(reservoir.random_state)
    layers: list[Reservoir] = []
    for i, own in enumerate(parameters):
        seed = rng if i == 0 else int(rng.randint(2**31 - 1))
        layer = type(reservoir)(
            **own, dtype=reservoir.dtype, n_strands=reservoir.n_strands, random_state=seed
        )
        try:
            layer.fit(np.zeros((1, n_features), dtype=dtype))
        except ValueError as error:
            raise ValueError(f"layer {i + 1} of {len(parameters)}: {error}") from error
        layers.append(layer)
        n_features = layer._n_state
    return layers


def _split(reservoir: Reservoir) -> list[dict[str, Any]]:
    sizes = list(reservoir.n_units)
    if not sizes:
        raise ValueError("n_units is an empty list; give the size of one layer at least.")
    parameters = [{"n_units": size} for size in sizes]
    for name in PER_LAYER:
        value = getattr(reservoir, name)
        if is_listed(value) and len(value) != len(sizes):
            hint = ""
            if name in _ARRAYS_TOO:
                hint = f" (an array goes inside: {name}=[array, ...])"
            raise ValueError(
                f"{name} lists {len(value)} values for the {len(sizes)} layers of "
                f"n_units={sizes}: give one a layer{hint}, or one value for all."
            )
        for i, own in enumerate(parameters):
            own[name] = value[i] if is_listed(value) else value
    for i, size in enumerate(sizes):
        if is_listed(size):
            raise ValueError(f"layer {i + 1} of {len(sizes)}: n_units={size!r} is not a number.")
    return parameters


def advance(
    reservoir: Reservoir,
    rows: np.ndarray,
    state: np.ndarray,
    rngs: list[np.random.RandomState | None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Drive all layers through one stretch of one series.

    Parameters
    ----------
    reservoir : Reservoir
        Fitted, with layers.
    rows : ndarray of shape (n_timesteps, n_features)
    state : ndarray of shape (sum of units,)
    rngs : list of RandomState or None, one a layer, default=None
        Generators of the noise, one a layer so that blocks of any size draw the same.

    Returns
    -------
    features : ndarray of shape (n_timesteps, sum of units [+ n_features])
    last : ndarray of shape (sum of units,)

    Raises
    ------
    DivergenceError
        With the number of the layer.
    """

    def drive(i: int, below: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return reservoir._layers[i]._advance(below, own, None if rngs is None else rngs[i])

    return _climb(reservoir, rows, state, drive)


def advance_all(
    reservoir: Reservoir, rows: np.ndarray, spans: list[tuple[int, int]], states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `advance` for all series ``rows[a:b]``, with a row of `states` for each."""

    def drive(i: int, below: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return reservoir._layers[i]._advance_all(below, spans, own)

    return _climb(reservoir, rows, states, drive)


def _climb(
    reservoir: Reservoir,
    rows: np.ndarray,
    states: np.ndarray,
    drive: Callable[[int, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    below = rows = rows.astype(reservoir._dtype_for(rows.dtype), copy=False)
    features, lasts, start = [], [], 0
    for i, layer in enumerate(reservoir._layers):
        stop = start + layer._n_state
        try:
            below, last = drive(i, below, states[..., start:stop])
        except DivergenceError as error:
            n_layers = len(reservoir._layers)
            raise DivergenceError(f"layer {i + 1} of {n_layers}: {error}", error.step) from error
        features.append(below)
        lasts.append(last)
        start = stop
    if reservoir.include_input:
        features.append(rows)
    return np.concatenate(features, axis=1), np.concatenate(lasts, axis=-1)


def noise_rngs(layers: list[Reservoir]) -> list[np.random.RandomState | None] | None:
    """A fresh generator for every layer with noise; None where no layer has any."""
    rngs = [layer._noise_rng() for layer in layers]
    return rngs if any(rng is not None for rng in rngs) else None
