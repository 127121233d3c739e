"""Waves as cases, and the sequence models that pool them."""

import numpy as np

from reservoir import ESNSequenceClassifier, ESNSequenceRegressor, ReservoirFeatures

POOLINGS = ["mean", "last", "mean_output", "model_space"]
LENGTHS = (12, 5, 1, 9, 7, 2, 11, 4)


def waves(n=40, n_timesteps=20, n_features=2, seed=0):
    """Noisy waves of random length; the target is their frequency."""
    rng = np.random.RandomState(seed)
    rate = rng.uniform(0.2, 1.2, n)
    t = np.arange(n_timesteps)[:, None] * np.ones(n_features)
    X = [np.sin(r * t + rng.uniform(0, 6, n_features)) for r in rate]
    cut = rng.randint(n_timesteps // 2, n_timesteps + 1, n)
    return [part[:k] + 0.05 * rng.randn(k, n_features) for part, k in zip(X, cut, strict=True)], (
        rate
    )


def ragged(lengths=LENGTHS, n_features=2, seed=0):
    rng = np.random.RandomState(seed)
    return [np.cumsum(rng.randn(n, n_features), axis=0) for n in lengths]


def features(**parameters):
    return ReservoirFeatures(**{"n_units": 8, "random_state": 0, **parameters})


def regressor(**parameters):
    return ESNSequenceRegressor(**{"n_units": 15, "random_state": 0, **parameters})


def classifier(**parameters):
    return ESNSequenceClassifier(**{"n_units": 15, "random_state": 0, **parameters})
