"""Is a reservoir of cyclic diagonals as good as a random sparse one? And the other topologies?

Both have 10 connections a unit; ten seeds draw the matrices (and the NARMA input). Nothing is
tuned for either. Run with ``python examples/benchmarks/topologies.py``; it writes
``results/topologies.md`` beside itself.
"""

from functools import cache
from pathlib import Path

import numpy as np

from filters.timeseries import delay_embed, nrmse, valid_prediction_time
from reservoir import ESNRegressor
from reservoir.datasets import LORENZ_LYAPUNOV_EXPONENT, lorenz, mackey_glass, narma
from reservoir.topologies import NAMED

SEEDS = range(10)
RIVALS = ("random_sparse", "cyclic_diagonals")
NILPOTENT = ("delay_line", "forward_connection")  # no radius to set: driven as they are, times .9
MAX_DELAY = 150

HEADER = """\
# Topologies

Written by `python examples/benchmarks/topologies.py`, float64, seeds 0 to {last}, ridge readout
with intercept. Median over seeds, then the lowest and the highest.

* NARMA-10: NRMSE (root of MSE over variance), 2000 rows to train and 3000 to test, the first 200
  of each left out; radius .9, input scaling .5, alpha 1e-8. Lower is better.
* Mackey-Glass, tau 17: tanh(y - 1), 3000 rows, the first 200 left out, one step ahead; NRMSE of the
  84th step of 50 free runs; 300 units, radius .9, bias .2, alpha 1e-8. Lower is better.
* Memory capacity: sum over delays 0 to {max_delay} of the squared correlation of the delayed input
  and its reconstruction, iid input in [-.8, .8], 5000 rows to train and 5000 to test; 100 units,
  tanh, radius .9, input scaling .1, alpha 1e-9. At most 100; higher is better.
* Lorenz: valid prediction time in Lyapunov times (exponent {exponent}, dt .02, threshold .4 of the
  root mean squared error over standard deviations), median of 10 free runs; 5000 rows to train, 300
  units, radius .9, bias .5, input scaling .1, alpha 1e-8. Higher is better.
"""


def network(topology, n_units, seed, **parameters):
    if topology in NILPOTENT:
        matrix = 0.9 * NAMED[topology](n_units)
        parameters |= {"topology": matrix, "spectral_radius": None}
    else:
        parameters |= {"topology": topology, "spectral_radius": 0.9}
    return ESNRegressor(n_units, random_state=seed, **parameters)


def narma_error(topology, seed, n_units):
    X, y = narma(5000, random_state=seed)
    model = network(topology, n_units, seed, input_scaling=0.5, alpha=1e-8, washout=200)
    model.fit(X[:2000], y[:2000])
    return nrmse(y[2200:], model.predict(X[2000:])[200:])


@cache
def squashed_mackey_glass():
    return np.tanh(mackey_glass(9000, random_state=0) - 1)


@cache
def scaled_lorenz():
    series = lorenz(13_000, random_state=0)
    return (series - series.mean(axis=0)) / series.std(axis=0)


def mackey_glass_error(topology, seed):
    series = squashed_mackey_glass()
    model = network(topology, 300, seed, bias_scaling=0.2, alpha=1e-8, washout=200)
    model.fit(series[:3000], series[1:3001])
    starts = 3500 + 100 * np.arange(50)
    runs = model.forecast(84, context=[series[start - 400 : start] for start in starts])
    errors = series[starts + 83, 0] - np.array([run[-1, 0] for run in runs])
    return np.sqrt(np.mean(errors**2)) / series.std()


def memory_capacity(topology, seed):
    u = np.random.default_rng(seed).uniform(-0.8, 0.8, (10_000, 1))
    delayed = delay_embed(u, MAX_DELAY + 1)
    model = network(topology, 100, seed, input_scaling=0.1, alpha=1e-9, washout=200)
    answers = model.fit(u[:5000], delayed[:5000]).predict(u[5000:])[200:]
    truth = delayed[5200:]
    centred = (truth - truth.mean(axis=0)), (answers - answers.mean(axis=0))
    together = (centred[0] * centred[1]).sum(axis=0)
    powers = [(part**2).sum(axis=0) for part in centred]
    return (together**2 / (powers[0] * powers[1])).sum()


def lorenz_time(topology, seed):
    scaled = scaled_lorenz()
    shared = {"bias_scaling": 0.5, "input_scaling": 0.1, "alpha": 1e-8, "washout": 200}
    model = network(topology, 300, seed, **shared)
    model.fit(scaled[:5000], scaled[1:5001])
    starts = 5500 + 700 * np.arange(10)
    runs = model.forecast(600, context=[scaled[start - 300 : start] for start in starts])
    times = [
        valid_prediction_time(
            scaled[start : start + 600],
            run,
            scale=scaled.std(axis=0),
            dt=0.02,
            lyapunov_time=1 / LORENZ_LYAPUNOV_EXPONENT,
        )
        for start, run in zip(starts, runs, strict=True)
    ]
    return np.median(times)


def in_short(values):
    median, lowest, highest = np.median(values), np.min(values), np.max(values)
    digits = 4 if median < 0.01 else 3 if median < 10 else 1
    return f"{median:.{digits}f} ({lowest:.{digits}f} to {highest:.{digits}f})"


def rival_tables():
    """Cyclic diagonals beside random sparse: the table, then every seed."""
    tasks = {
        f"NARMA-10, {n} units": lambda topology, seed, n=n: narma_error(topology, seed, n)
        for n in (100, 200, 400)
    }
    tasks |= {
        "Mackey-Glass, 84 steps": mackey_glass_error,
        "Memory capacity": memory_capacity,
        "Lorenz, Lyapunov times": lorenz_time,
    }
    results = {
        task: {name: [measure(name, seed) for seed in SEEDS] for name in RIVALS}
        for task, measure in tasks.items()
    }
    yield "| task | random sparse | cyclic diagonals |"
    yield "|---|---|---|"
    for task, lists in results.items():
        yield f"| {task} | {' | '.join(in_short(lists[name]) for name in RIVALS)} |"
    yield "\nSeed by seed:\n"
    for task, lists in results.items():
        for name in RIVALS:
            yield f"* {task}, {name}: {' '.join(f'{value:.4g}' for value in lists[name])}"


def all_topologies():
    yield "| topology | NARMA-10, 200 units | memory capacity |"
    yield "|---|---|---|"
    for name in sorted(NAMED):
        seeds = SEEDS[:5]
        errors = [narma_error(name, seed, 200) for seed in seeds]
        capacities = [memory_capacity(name, seed) for seed in seeds]
        yield f"| {name} | {in_short(errors)} | {in_short(capacities)} |"


def main():
    header = HEADER.format(last=SEEDS[-1], max_delay=MAX_DELAY, exponent=LORENZ_LYAPUNOV_EXPONENT)
    lines = [header]
    for line in rival_tables():
        lines.append(line)
        print(line, flush=True)
    lines.append("\n## Every topology, five seeds, default parameters\n")
    lines.append("Delay line and forward connection have radius 0: their weights are .9.\n")
    for line in all_topologies():
        lines.append(line)
        print(line, flush=True)
    target = Path(__file__).parent / "results" / "topologies.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
