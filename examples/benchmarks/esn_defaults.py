"""Are the defaults of ESNRegressor sensible? 54 settings on six tasks, validation parts only.

Every setting learns the first 60 % of a training part and is scored on the rest of it by
NRMSE = sqrt(mean (y - y_hat)^2 / var y); no test part is touched. Standardised inputs, 100 units,
alpha 1e-6, washout 100, three seeds, median. A setting's loss on a task is its NRMSE over the best
one's there; settings are ranked by the geometric mean of their losses. Run with
``python examples/benchmarks/esn_defaults.py [--out FILE.md]``; half a minute.
"""

import itertools

import numpy as np
from sheet import parse_out, tell

from filters.timeseries import nrmse
from reservoir import ESNRegressor
from reservoir.datasets import load_ecg, load_sunspots, lorenz, mackey_glass, mso, narma

SEEDS = range(3)
GRID = {
    "spectral_radius": (0.8, 0.9, 1.0),
    "leak_rate": (1.0, 0.6, 0.3),
    "input_scaling": (1.0, 0.5, 0.1),
    "bias_scaling": (0.0, 0.5),
}
DEFAULT = (0.9, 1.0, 1.0, 0.0)


def ahead(series, steps):
    """The series, standardised, and itself some steps later."""
    rows = np.asarray(series, dtype=float).reshape(len(series), -1)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return rows[:-steps], rows[steps:]


def tasks():
    X, y = narma(2000, random_state=0)
    return {
        "NARMA-10": ((X - X.mean()) / X.std(), y[:, np.newaxis]),
        "Mackey-Glass, 10 steps": ahead(mackey_glass(2000, random_state=0), 10),
        "Lorenz-63, 10 steps": ahead(lorenz(2000, random_state=0), 10),
        "sunspots, 1 year": ahead(load_sunspots()[:250], 1),
        "ECG, 10 ms": ahead(load_ecg()[:3600:2], 2),
        "two sines, 20 steps": ahead(mso(1500), 20),
    }


def error(setting, X, y, seed):
    n, washout = int(0.6 * len(X)), min(100, len(X) // 5)
    model = ESNRegressor(100, washout=washout, random_state=seed, **setting)
    answer = model.fit(X[:n], y[:n]).predict(X)
    return nrmse(y[n:], answer[n:])


def main():
    out = parse_out(__doc__)
    settings = list(itertools.product(*GRID.values()))
    found = np.array(
        [
            [
                np.median([error(dict(zip(GRID, s, strict=True)), X, y, seed) for seed in SEEDS])
                for X, y in tasks().values()
            ]
            for s in settings
        ]
    )
    losses = np.exp(np.mean(np.log(found / found.min(axis=0)), axis=1))
    order = np.argsort(losses)
    place = int(np.flatnonzero(order == settings.index(DEFAULT))[0])
    names = " | ".join(tasks())
    lines = ["# Defaults of ESNRegressor, on validation parts", ""]
    lines += [f"| place | {' | '.join(GRID)} | loss | {names} |"]
    lines += ["|" + "---|" * (2 + len(GRID) + len(tasks()))]
    for i in [*range(8), *([place] if place >= 8 else []), len(order) - 1]:
        k = order[i]
        mark = " (default)" if settings[k] == DEFAULT else ""
        errors = " | ".join(f"{value:.3g}" for value in found[k])
        shown = " | ".join(f"{value:g}" for value in settings[k])
        lines.append(f"| {i + 1}{mark} | {shown} | {losses[k]:.2f} | {errors} |")
    tell(lines, out)


if __name__ == "__main__":
    main()
