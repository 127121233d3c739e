"""Free runs of several layers: one compiled loop beside the same loop row by row.

Run with ``python examples/benchmarks/free_run.py``; it writes ``results/free_run.md`` beside
itself. Runs of both kinds take turns; ratios are of the medians.
"""

from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
from sheet import tell

from reservoir import ESNRegressor, MemoryRegressor, Reservoir

STEPS, TURNS = 2000, 9
SIZES = ([100], [100, 100], [50, 50, 50], [300, 300])
RESIDUALS = ("identity", "ring", "permutation", "orthogonal")

HEADER = f"""\
# Free runs of layers, and what a turned state costs

Written by `python examples/benchmarks/free_run.py`, float64, one thread; microseconds a step,
medians of {TURNS} turns of {STEPS} steps (row by row: {STEPS // 4}), taken one after another.
"""


def seconds(run):
    start = perf_counter()
    run()
    return perf_counter() - start


def free_run_times(n_units):
    """Microseconds a step, compiled and row by row, and the largest difference of the answers."""
    t = np.arange(1500)[:, np.newaxis]
    X = np.sin(t * [0.3, 0.21])
    parameters = {"leak_rate": 0.5, "bias_scaling": 0.3, "input_scaling": 0.2, "alpha": 1e-4}
    model = ESNRegressor(n_units, random_state=0, **parameters).fit(X[:-1], X[1:])
    columns, state, _ = model._end
    first = model._readout.predict(columns)[0]

    def by_row(n_steps):
        outputs = np.empty((n_steps, 2))
        outputs[0] = first
        MemoryRegressor._close_loop(model, outputs, state, np.empty((n_steps - 1, 0)))
        return outputs

    difference = np.abs(model.forecast(50) - by_row(50)).max()
    turns = [
        (seconds(lambda: model.forecast(STEPS)), 4 * seconds(lambda: by_row(STEPS // 4)))
        for _ in range(TURNS)
    ]
    return *(np.median(turns, axis=0) / STEPS * 1e6), difference


def drive_times(n_units):
    """Microseconds a step of one driven series for each way to carry the state over."""
    X = np.random.default_rng(0).standard_normal((STEPS, 1))
    drawn = [Reservoir(n_units, residual=name, random_state=0).fit(X) for name in RESIDUALS]
    turns = [[seconds(lambda one=one: one.transform(X)) for one in drawn] for _ in range(TURNS + 1)]
    return np.median(turns[1:], axis=0) / STEPS * 1e6


def tables():
    yield "| layers | compiled | row by row | ratio | largest difference of 50 steps |"
    yield "|---|---|---|---|---|"
    for n_units in SIZES:
        fast, slow, difference = free_run_times(n_units)
        yield f"| {n_units} | {fast:.2f} | {slow:.1f} | {slow / fast:.1f}x | {difference:.0e} |"
    yield f"\n| units, driven | {' | '.join(RESIDUALS)} |"
    yield f"|---|{'---|' * len(RESIDUALS)}"
    for n_units in (100, 300, 1000):
        cells = " | ".join(f"{time:.2f}" for time in drive_times(n_units))
        yield f"| {n_units} | {cells} |"


def main():
    tell(chain([HEADER], tables()), Path(__file__).parent / "results" / "free_run.md")


if __name__ == "__main__":
    main()
