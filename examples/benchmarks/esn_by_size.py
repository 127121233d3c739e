"""How good are echo state networks of several sizes, untuned? Per-seed lists and medians.

NARMA-10: NRMSE = sqrt(mean (y - y_hat)^2 / var y); 2000 rows to train, 3000 to test, the first 200
of each left out; a linear delay line of 50 taps beside it. Japanese Vowels: accuracy on the
official split. Run with ``python examples/benchmarks/esn_by_size.py``; half a minute.
"""

import numpy as np

from filters import TapDelay
from filters.timeseries import nrmse
from reservoir import ESNRegressor, ESNSequenceClassifier, MemoryRegressor
from reservoir.datasets import load_japanese_vowels, narma

SEEDS = range(5)


def narma_error(model, seed):
    X, y = narma(5000, random_state=seed)
    model.fit(X[:2000], y[:2000])
    return nrmse(y[2200:], model.predict(X[2000:])[200:])


def report(name, values):
    listed = " ".join(f"{value:.4f}" for value in values)
    print(f"{name:34s} median {np.median(values):.4f}   {listed}")


def main():
    linear = MemoryRegressor(TapDelay(50), washout=200)
    report("NARMA-10, linear, 50 taps", [narma_error(linear, seed) for seed in SEEDS])
    shared = {"density": 0.1, "input_scaling": 0.5, "alpha": 1e-8, "washout": 200}
    for n_units in (100, 200, 400):
        errors = [
            narma_error(ESNRegressor(n_units, **shared, random_state=seed), seed) for seed in SEEDS
        ]
        report(f"NARMA-10, ESN, {n_units} units", errors)
    X_train, y_train, X_test, y_test = load_japanese_vowels()
    for n_units in (50, 100, 200, 400):
        models = [ESNSequenceClassifier(n_units, random_state=seed) for seed in SEEDS]
        scores = [model.fit(X_train, y_train).score(X_test, y_test) for model in models]
        report(f"Japanese Vowels, ESN, {n_units} units", scores)


if __name__ == "__main__":
    main()
