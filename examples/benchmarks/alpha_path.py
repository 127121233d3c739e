"""How fast is a path of 30 penalties with leave-one-out errors beside RidgeCV? Ratios in one run.

Every figure is CPU time of one thread, the median of rounds in which the rivals take turns (the
minima stand beside it). "Readout alone" starts from the same states and ends with the weights;
"whole fit" is ``ESNRegressorCV.fit`` beside the same reservoir driven once and RidgeCV on its
states, with the matrix given, so that nobody pays for drawing it. The chosen penalty and the errors
of all are compared first. Run with ``OPENBLAS_NUM_THREADS=1 python
examples/benchmarks/alpha_path.py [--out FILE.md]``; about four minutes.
"""

import time
from itertools import chain

import numpy as np
from sheet import parse_out, tell
from sklearn.linear_model import RidgeCV

from reservoir import ESNRegressorCV, Reservoir
from reservoir._alpha_path import LeaveOneOut
from reservoir._moments import Moments, solve_ridge
from reservoir.datasets import narma

ROUNDS = 3
N_TIMESTEPS = 10_000
ALPHAS = np.logspace(-6, 3, 30)
SIZES = (100, 300, 1000)
BLOCK = 1024
GOALS = {1000: 15}


def ours(states, y):
    """The readout of `ESNRegressorCV` on states that are there: errors, penalty, weights."""
    moments = Moments(states.shape[1], 1)
    blocks = [slice(a, a + BLOCK) for a in range(0, len(states), BLOCK)]
    for part in blocks:
        moments.update(states[part], y[part])
    judge = LeaveOneOut(ALPHAS, fit_intercept=True)
    judge.prepare(moments)
    for part in blocks:
        judge.judge(states[part], y[part], None)
    errors = judge.errors()
    return errors, solve_ridge(moments, float(ALPHAS[np.argmin(errors)]))


def theirs(states, y):
    return RidgeCV(alphas=ALPHAS, store_cv_results=True).fit(states, y.ravel())


def interleaved(jobs):
    """Thread CPU times in s, ``{name: array of rounds}``, of functions in turns."""
    taken = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, function in jobs.items():
            start = time.thread_time()
            function()
            taken[name].append(time.thread_time() - start)
    return {name: np.array(values) for name, values in taken.items()}


def one_size(n_units):
    X, y = narma(N_TIMESTEPS, random_state=0)
    drawn = Reservoir(n_units, input_scaling=0.5, random_state=0).fit(X)
    given = {
        "topology": drawn.recurrent_weights_,
        "spectral_radius": None,
        "input_weights": drawn.input_weights_,
        "random_state": 0,
    }
    reservoir = Reservoir(n_units, include_input=True, **given)
    model = ESNRegressorCV(n_units, alphas=ALPHAS, **given)
    states, column = reservoir.fit_transform(X), y[:, np.newaxis]
    peer = theirs(states, column)
    errors = peer.cv_results_.reshape(len(X), -1).mean(axis=0)
    gap = np.abs(-model.fit(X, y).scores_ / errors - 1).max()
    if gap > 1e-6 or not np.isclose(model.alpha_, peer.alpha_):
        raise SystemExit(f"{n_units} units: RidgeCV and we differ by {gap:.1e}")
    jobs = {
        "ours": lambda: ours(states, column),
        "RidgeCV": lambda: theirs(states, column),
        "our fit": lambda: model.fit(X, y),
        "their fit": lambda: theirs(reservoir.fit_transform(X), column),
    }
    return interleaved(jobs), gap


def cell(times, name, rival, goal=None):
    median = np.median(times[rival]) / np.median(times[name])
    least = times[rival].min() / times[name].min()
    wanted = "" if goal is None else f", goal {goal}"
    return f"{median:.1f}x ({least:.1f}x{wanted})"


def table():
    yield "| units | ours, s | RidgeCV / ours, readout alone | the same, whole fit | difference |"
    yield "|---|---|---|---|---|"
    for n_units in SIZES:
        times, gap = one_size(n_units)
        yield (
            f"| {n_units} | {np.median(times['ours']):.3f} | "
            f"{cell(times, 'ours', 'RidgeCV', GOALS.get(n_units))} | "
            f"{cell(times, 'our fit', 'their fit')} | {gap:.0e} |"
        )


def main():
    out = parse_out(__doc__)
    lines = [
        "# A path of 30 penalties with leave-one-out errors",
        "",
        f"NARMA-10, {N_TIMESTEPS} rows; ratios of median CPU times of one thread, of minima in "
        "brackets; the last column is the largest relative difference of the errors.",
        "",
    ]
    tell(chain(lines, table()), out)


if __name__ == "__main__":
    main()
