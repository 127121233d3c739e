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

Run with ``python examples/benchmarks/published_memory.py [--out FILE.md]``; about a minute.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from reservoir import Reservoir
from reservoir.diagnostics import information_processing_capacity, memory_capacity
from reservoir.evaluation._machine import machine, versions

SEEDS = range(10)


def linear(n_units, topology, radius, seed):
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


def capacity(reservoir, max_delay, seed, **more):
    return memory_capacity(reservoir, max_delay, random_state=seed, **more)


def row(goal, values, gate, met):
    listed = " ".join(f"{value:.4g}" for value in values)
    middle = f"{np.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"
    return f"| {goal} | {middle} | {gate} | {'MET' if met else 'NOT MET'} | {listed} |"


def cycles():
    for n_units in (20, 50, 100):
        cycle = linear(n_units, "ring", 0.95, 0)
        # The closed form adds up to N - .05 by here.
        reach = int(n_units * np.ceil(np.log(0.05 / n_units) / (2 * n_units * np.log(0.95)) + 1))
        found = [capacity(cycle, reach, seed) for seed in SEEDS]
        totals = [one.total for one in found]
        met = all(abs(total - n_units) <= 0.01 * n_units for total in totals)
        yield row(f"cycle, N = {n_units}", totals, f"{n_units} within 1 %", met)
        if n_units == 20:
            delays = np.arange(2 * n_units)
            power = 0.95 ** (2 * n_units)
            theory = (1 - power) * power ** (delays // n_units)
            gaps = [np.abs(one.profile[: delays.size] - theory).max() for one in found]
            yield row("its profile, largest gap", gaps, "< .02", max(gaps) < 0.02)


def orthogonal():
    for n_units in (20, 50):
        totals = [
            capacity(linear(n_units, "orthogonal", 0.98, seed), 12 * n_units, seed).total
            for seed in SEEDS
        ]
        met = all(abs(total - n_units) <= 0.01 * n_units for total in totals)
        yield row(f"orthogonal, N = {n_units}", totals, f"{n_units} within 1 %", met)


def bounded():
    excess = []
    for n_units in (20, 50):
        for topology in ("random", "ring", "orthogonal", "cyclic_diagonals"):
            for activation in ("identity", "tanh"):
                excess += [
                    capacity(
                        Reservoir(
                            n_units, topology=topology, activation=activation, random_state=seed
                        ),
                        4 * n_units,
                        seed,
                    ).total
                    - n_units
                    for seed in SEEDS
                ]
    worst = max(excess)
    return (
        f"| largest of {len(excess)} totals less N | {worst:.3f} | <= .5 | "
        f"{'MET' if worst <= 0.5 else 'NOT MET'} | 4 topologies, 2 activations, N = 20 and 50 |"
    )


def correlated():
    totals, warned = [], 0
    for seed in SEEDS:
        drive = np.random.default_rng(seed).uniform(-0.8, 0.8, 21_000)
        inputs = lfilter([np.sqrt(1 - 0.81)], [1, -0.9], drive)[1000:, np.newaxis]
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            totals.append(capacity(linear(20, "ring", 0.95, 0), 200, seed, inputs=inputs).total)
        warned += len(said) > 0
    met = warned == len(SEEDS) and min(totals) > 20
    return row("cycle, N = 20, AR(.9) input", totals, "warns; may exceed 20, not clipped", met)


def processing():
    shares = []
    for seed in SEEDS[:3]:
        reservoir = Reservoir(50, spectral_radius=0.8, input_scaling=0.5, random_state=seed)
        reach = [50, 35, 20, 12, 8, 6, 5]
        found = information_processing_capacity(reservoir, 7, reach, random_state=seed)
        shares.append(found.total / 50)
    met = all(0.95 <= share <= 1.0 for share in shares)
    return row("processing capacity of 50 tanh units / 50", shares, ".95 to 1", met)


def table():
    yield "| | median (range) | gate | | each |"
    yield "|---|---|---|---|---|"
    yield from cycles()
    yield from orthogonal()
    yield bounded()
    yield correlated()
    yield processing()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    out = parser.parse_args().out
    start = time.process_time()
    lines = ["# Memory theory (P1)", "", "MC = sum over k >= 0 of the squared correlations.", ""]
    print("\n".join(lines))
    for line in table():
        print(line, flush=True)
        lines.append(line)
    facts = machine() | versions()
    lines += ["", f"{time.process_time() - start:.0f} s of processor time; "]
    lines[-1] += "; ".join(f"{name} {value}" for name, value in facts.items())
    print(lines[-1])
    if out is not None:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
