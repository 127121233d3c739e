"""Series and deep reservoirs that the tests of layers share."""

import numpy as np

from reservoir import Reservoir

EXACT = {"rtol": 1e-12, "atol": 1e-13}
DEEP = {"leak_rate": [0.6, 1.0], "input_scaling": [1.0, 0.3], "bias_scaling": 0.3}


def series(n=50, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def waves(n=300, n_features=2):
    t = np.arange(n)[:, None]
    return np.sin(t * np.array([0.2, 0.31, 0.07])[:n_features]) + 0.3 * np.cos(0.11 * t)


def deep(n_units=(12, 7), **parameters):
    return Reservoir(list(n_units), **{"random_state": 0, **DEEP, **parameters})
