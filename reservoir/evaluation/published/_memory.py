"""Do reservoirs remember as much as theory says they must? (P1)

Memory capacity of linear and nonlinear reservoirs from 20 000 independent inputs, uniform on
[-.8, .8], the first 1000 rows left out, float64:

    MC = sum over k >= 0 of MC_k,   MC_k = max over readouts of corr^2(u(t - k), readout of x(t))

* a linear simple cycle of N units and weight r has MC_k = (1 - r^(2N)) r^(2 N floor(k / N)), in
  total N (A. Rodan, P. Tino, IEEE Transactions on Neural Networks 22 (2011), 131-144, theorem 1);
* a linear orthogonal reservoir has a total of N (O. White, D. Lee, H. Sompolinsky, Physical Review
  Letters 92 (2004), 148102);
* no reservoir has more than N (H. Jaeger, GMD Report 152 (2001), proposition 2), unless the inputs
  are correlated, which must bring a warning;
* the information processing capacity of tanh units is at most N and comes near it (J. Dambre et
  al., Scientific Reports 2 (2012), 514).
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from scipy.signal import lfilter

from ... import Reservoir
from ...diagnostics import information_processing_capacity, memory_capacity
from ._goal import Figure, Goal, Measurement, as_metric, register_goal

_MC = as_metric("MC", "sum over k >= 0 of the squared correlation of u(t - k) and its readout")
_WEIGHT = 0.95


def linear(n_units: int, topology: str, radius: float, seed: int) -> Reservoir:
    """Linear units of which the first hears the input."""
    first = np.zeros((n_units, 1))
    first[0] = 1.0
    return Reservoir(
        n_units,
        topology=topology,
        spectral_radius=radius,
        activation="identity",
        input_weights=first,
        random_state=seed,
    )


def capacity(reservoir: Reservoir, max_delay: int, seed: int, **more: Any) -> Any:
    """Memory capacity up to a delay, with its profile."""
    return memory_capacity(reservoir, max_delay, random_state=seed, **more)


def cycle(seed: int, params: Any, n_units: int) -> dict[str, float]:
    """Total of a linear simple cycle; for 20 units also how far its profile is from theory."""
    # The closed form adds up to N - .05 by here.
    periods = np.ceil(np.log(0.05 / n_units) / (2 * n_units * np.log(_WEIGHT)) + 1)
    found = capacity(linear(n_units, "ring", _WEIGHT, 0), int(n_units * periods), seed)
    values = {f"cycle_{n_units}": found.total}
    if n_units == 20:
        delays = np.arange(2 * n_units)
        power = _WEIGHT ** (2 * n_units)
        theory = (1 - power) * power ** (delays // n_units)
        values["profile_20"] = float(np.abs(found.profile[: delays.size] - theory).max())
    return values


def orthogonal(seed: int, params: Any, n_units: int) -> dict[str, float]:
    """Total of a linear orthogonal reservoir."""
    found = capacity(linear(n_units, "orthogonal", 0.98, seed), 12 * n_units, seed)
    return {f"orthogonal_{n_units}": found.total}


def bounded(seed: int, params: Any) -> dict[str, float]:
    """Largest total less N of sixteen reservoirs."""
    excess = [
        capacity(
            Reservoir(n_units, topology=topology, activation=activation, random_state=seed),
            4 * n_units,
            seed,
        ).total
        - n_units
        for n_units in (20, 50)
        for topology in ("random", "ring", "orthogonal", "cyclic_diagonals")
        for activation in ("identity", "tanh")
    ]
    return {"excess": max(excess)}


def correlated(seed: int, params: Any) -> dict[str, float]:
    """Total under an autoregressive input, and whether a warning came."""
    drive = np.random.default_rng(seed).uniform(-0.8, 0.8, 21_000)
    inputs = lfilter([np.sqrt(1 - 0.81)], [1, -0.9], drive)[1000:, np.newaxis]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = capacity(linear(20, "ring", _WEIGHT, 0), 200, seed, inputs=inputs)
    return {"correlated": found.total, "warned": float(len(said) > 0)}


def processing(seed: int, params: Any) -> dict[str, float]:
    """Information processing capacity of 50 tanh units over 50."""
    reservoir = Reservoir(50, spectral_radius=0.8, input_scaling=0.5, random_state=seed)
    reach = [50, 35, 20, 12, 8, 6, 5]
    found = information_processing_capacity(reservoir, 7, reach, random_state=seed)
    return {"processing": found.total / 50}


def _near(n_units: int) -> Any:
    return lambda values, _: bool((np.abs(values - n_units) <= 0.01 * n_units).all())


def _total(name: str, title: str, n_units: int, source: str) -> Figure:
    return Figure(
        name, title, _MC, published=f"{n_units}", source=source, reference=float(n_units),
        gate="every seed within 1 %", met=_near(n_units),
    )  # fmt: skip


_RODAN, _WHITE = "Rodan and Tino 2011, theorem 1", "White, Lee and Sompolinsky 2004"
_PROFILE = Figure(
    "profile_20",
    "its profile, largest gap to the closed form",
    as_metric("gap", "max over k < 2 N of |MC_k - (1 - r^2N) r^(2 N floor(k / N))|"),
    published="0",
    source=_RODAN,
    gate="every seed < 0.02",
    met=lambda values, _: bool((values < 0.02).all()),
)

register_goal(
    Goal(
        name="p1_memory",
        title="P1. Memory theory",
        question="Do reservoirs remember as much as theory says they must?",
        data="Synthetic: 20 000 independent inputs, uniform on [-0.8, 0.8], the first 1000 rows "
        "left out, the two halves to fit and to score; every seed draws its own.",
        protocol="MC_k is the squared correlation of u(t - k) with its best linear readout. Linear "
        "reservoirs hear the input at one unit, weight 0.95 (cycle) or spectral radius 0.98. The "
        "excess is the largest of 16 reservoirs a seed: four topologies, identity and tanh, 20 and "
        "50 units. Correlated input: first-order autoregressive, 0.9.",
        measurements=(
            *(
                Measurement(
                    f"cycle_{n}",
                    partial(cycle, n_units=n),
                    (
                        _total(f"cycle_{n}", f"linear cycle, N = {n}", n, _RODAN),
                        *((_PROFILE,) if n == 20 else ()),
                    ),
                    cost=n / 50,
                )
                for n in (20, 50, 100)
            ),
            *(
                Measurement(
                    f"orthogonal_{n}",
                    partial(orthogonal, n_units=n),
                    (_total(f"orthogonal_{n}", f"linear orthogonal, N = {n}", n, _WHITE),),
                    cost=n / 50,
                )
                for n in (20, 50)
            ),
            Measurement(
                "bounded",
                bounded,
                (
                    Figure(
                        "excess",
                        "largest total of 16 reservoirs, less N",
                        as_metric("excess", "max of MC - N"),
                        published="at most 0",
                        source="Jaeger, GMD 152, proposition 2",
                        reference=0.0,
                        gate="every seed at most 0.5",
                        met=lambda values, _: bool((values <= 0.5).all()),
                    ),
                ),
                cost=4.0,
            ),
            Measurement(
                "correlated",
                correlated,
                (
                    Figure(
                        "correlated",
                        "linear cycle, N = 20, correlated input",
                        _MC,
                        published="25.5",
                        source="Jaeger, GMD 152 (another input)",
                        reference=25.5,
                        gate="every seed > 20: not clipped",
                        met=lambda values, _: bool((values > 20).all()),
                    ),
                    Figure(
                        "warned",
                        "a warning that the bound needs independent input",
                        as_metric("warned", "1 if a warning came", spec=".0f"),
                        gate="every seed",
                        met=lambda values, _: bool((values == 1).all()),
                    ),
                ),
                cost=0.6,
            ),
            Measurement(
                "processing",
                processing,
                (
                    Figure(
                        "processing",
                        "processing capacity of 50 tanh units / 50",
                        as_metric("IPC / N", "sum of capacities above the surrogate threshold / N"),
                        published="at most 1",
                        source="Dambre et al. 2012, theorems 4 and 7",
                        reference=1.0,
                        gate="every seed in [0.95, 1]",
                        met=lambda v, _: bool(((v >= 0.95) & (v <= 1.0)).all()),
                    ),
                ),
                n_seeds=3,
                cost=10.0,
            ),
        ),
    )
)
