"""NARMA-10: the linear floor, the plain echo state network by size, and the best published scores.

Protocol of the many papers that share it: 2000 rows to learn from, 3000 new ones to be scored on,
the first 200 of each left out; one reservoir and one pair of series a seed.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import LinAlgWarning

from filters import TapDelay
from filters.timeseries import nrmse

from ... import ESNRegressor, MemoryRegressor
from ...datasets import narma
from ._goal import Figure, Goal, Measurement, as_metric, at_most, register_goal, within

WASHOUT, N_TRAIN, N_TEST = 200, 2000, 3000
N_CANDIDATES, N_FINALISTS = 120, 10
N_MANY = 60  # seeds of the figure that is held against a published mean
# W and W_in on [-.5, .5] (ours are drawn on [-1, 1]; the radius sets the size of W anyway), a tenth
# of the connections, no bias, states alone to the readout, no penalty.
PLAIN: dict[str, Any] = {
    "density": 0.1, "spectral_radius": 0.9, "input_scaling": 0.5, "include_input": False,
    "alpha": 0.0,
}  # fmt: skip


def esn(seed: int, n_units: int, **parameters: Any) -> ESNRegressor:
    """The network of one seed."""
    return ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **parameters)


def error_on_test(model: Any, seed: int, n_test: int = N_TEST) -> float:
    """NRMSE on a new series after learning from another."""
    X, y = narma(N_TRAIN, random_state=seed)
    X_test, y_test = narma(n_test, random_state=seed + 10_000)
    model.fit(X, y)
    return nrmse(y_test[WASHOUT:], model.predict(X_test)[WASHOUT:])


def validation_error(seed: int, n_units: int, parameters: dict[str, Any]) -> float:
    """NRMSE on the last 600 of 2000 rows; neither these rows nor this reservoir are tested."""
    X, y = narma(N_TRAIN, random_state=seed + 20_000)
    n = N_TRAIN - 600
    model = esn(seed + 20_000, n_units, **parameters).fit(X[:n], y[:n])
    return nrmse(y[n:], model.predict(X)[n:])


def candidate(rng: np.random.RandomState) -> dict[str, Any]:
    """Parameters at random."""
    return {
        "topology": str(rng.choice(["random", "orthogonal", "ring"])),
        "input_weights": str(rng.choice(["uniform", "bernoulli"])),
        "spectral_radius": round(rng.uniform(0.7, 1.0), 3),
        "input_scaling": round(10 ** rng.uniform(-1.7, 0.0), 3),
        "bias_scaling": round(10 ** rng.uniform(-0.7, 0.3), 3),
        "alpha": float(f"{10 ** rng.uniform(-13, -8):.0e}"),
    }


def choose(
    n_units: int, *, n_candidates: int = N_CANDIDATES, n_finalists: int = N_FINALISTS
) -> dict[str, Any]:
    """The candidate with the least validation error: all on two seeds, the best on six more."""
    rng = np.random.RandomState(0)
    candidates = [candidate(rng) for _ in range(n_candidates)]

    def mean(p: dict[str, Any], seeds: range) -> float:
        return float(np.mean([validation_error(seed, n_units, p) for seed in seeds]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # some of so many are degenerate
        first = [mean(p, range(2)) for p in candidates]
        finalists = [candidates[i] for i in np.argsort(first)[:n_finalists]]
        second = [mean(p, range(2, 8)) for p in finalists]
    return finalists[int(np.argmin(second))]


def linear_floor(seed: int, params: Any, n_taps: int) -> dict[str, float]:
    """Ridge on a delay line."""
    model = MemoryRegressor(TapDelay(n_taps), alpha=0.0, washout=WASHOUT)
    return {f"linear_{n_taps}": error_on_test(model, seed)}


def plain_network(seed: int, params: Any, n_units: int, name: str) -> dict[str, float]:
    """The network as the literature draws it."""
    return {name: error_on_test(esn(seed, n_units, **PLAIN), seed)}


def chosen_network(seed: int, params: Any, n_units: int) -> dict[str, float]:
    """The network chosen by validation: NRMSE, at 300 units its square."""
    error = error_on_test(esn(seed, n_units, **params), seed)
    return {f"chosen_{n_units}": error**2 if n_units == 300 else error}


_NRMSE = as_metric("NRMSE", "sqrt(mean (y - ŷ)² / var y) over the 2800 scored rows")
_NMSE = as_metric("NMSE", "mean (y - ŷ)² / var y over the 2800 scored rows")
_THESIS = "thomaav/esn-spatial-constraints, two runs of one author"


def _plain(n_units: int, low: float, high: float, published: str, reference: float) -> Measurement:
    figure = Figure(
        f"plain_{n_units}", f"plain ESN of {n_units}", _NRMSE, published, _THESIS, reference,
        f"median in [{low}, {high}]", within(low, high),
    )  # fmt: skip
    run = partial(plain_network, n_units=n_units, name=f"plain_{n_units}")
    return Measurement(f"plain_{n_units}", run, (figure,), cost=n_units / 500)


def _many() -> Measurement:
    # The thesis prints a mean and a deviation. The errors are skewed (a few poor reservoirs), so
    # the median of ten lies below; the mean of many is the same figure.
    figure = Figure(
        "plain_200_many", f"plain ESN of 200, {N_MANY} seeds", _NRMSE, "0.250 +- 0.022 (mean)",
        _THESIS, 0.250, "mean in [0.24, 0.29]",
        lambda values, _: bool(0.24 <= values.mean() <= 0.29),
    )  # fmt: skip
    run = partial(plain_network, n_units=200, name="plain_200_many")
    return Measurement("plain_200_many", run, (figure,), n_seeds=N_MANY, cost=0.4)


def _linear(n_taps: int) -> Measurement:
    figure = Figure(
        f"linear_{n_taps}", f"linear on {n_taps} taps", _NRMSE, "0.4",
        "Appeltant et al. 2011, shift register", 0.4, "median in [0.38, 0.42]", within(0.38, 0.42),
    )  # fmt: skip
    run = partial(linear_floor, n_taps=n_taps)
    return Measurement(f"linear_{n_taps}", run, (figure,), cost=0.1)


def _chosen(n_units: int, figure: Figure) -> Measurement:
    return Measurement(
        f"chosen_{n_units}",
        partial(chosen_network, n_units=n_units),
        (figure,),
        choose=partial(choose, n_units),
        cost=2.0,
    )


register_goal(
    Goal(
        name="p2_narma10",
        title="P2. NARMA-10",
        question="The linear floor, the plain echo state network by size, and the best published "
        "scores: are they reached?",
        data="Synthetic: y(t+1) = 0.3 y(t) + 0.05 y(t) Σ y(t-i) + 1.5 u(t-9) u(t) + 0.1 with u "
        "uniform on [0, 0.5]; every seed draws its own pair of series.",
        protocol="2000 rows to learn from, 3000 of a new series to be scored on, the first 200 of "
        "each left out. Plain: W and W_in uniform, a tenth of the connections, radius 0.9, no "
        "bias, no leak, no penalty. Chosen: of 120 random settings by validation on other series "
        "and networks, the ten best again on six more.",
        measurements=(
            _linear(30),
            _linear(50),
            _plain(100, 0.32, 0.40, "0.388, 0.326", 0.326),
            _plain(200, 0.24, 0.29, "0.250", 0.250),
            _many(),
            _plain(400, 0.17, 0.22, "0.176", 0.176),
            _chosen(
                300,
                Figure(
                    "chosen_300",
                    "ESN of 300, chosen by validation",
                    _NMSE,
                    "0.0463 simulated, 0.0484 measured",
                    "Vinckier et al. 2015",
                    0.0463,
                    "goal: median <= 0.0463",
                    at_most(0.0463),
                ),
            ),
            _chosen(
                400,
                Figure(
                    "chosen_400",
                    "ESN of 400, chosen by validation",
                    _NRMSE,
                    "0.15",
                    "Appeltant et al. 2011, best, 400 virtual nodes",
                    0.15,
                    "goal: median <= 0.15",
                    at_most(0.15),
                ),
            ),
        ),
        remarks=lambda values: [
            "The gate of 200 units was set about a published mean; over ten seeds the median of so "
            f"skewed errors falls below it, the mean over {N_MANY} is the same figure as printed."
        ],
    )
)
