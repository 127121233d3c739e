"""Rows and targets of any estimator: something it can learn, from a seed."""

import numpy as np
from law_families import FAMILY_OF, target_of

N_TIMESTEPS = 7  # of a whole sequence


def rows_and_targets(name, estimator, n_rows, n_features, n_outputs, scale, seed, dtype):
    """X ``(n_rows, n_features)`` and y, or None where the series is its own target."""
    rng = np.random.default_rng(seed)
    family = FAMILY_OF[name]
    sequences = family.rows == "case" and "Adaline" not in name
    width = N_TIMESTEPS if sequences else n_features
    X = rng.standard_normal((n_rows, width))
    if family.name in ("line", "task"):  # a tone that can be told from the rest
        X += np.sin(0.3 * np.arange(n_rows) + rng.uniform(0, 6))[:, np.newaxis]
    signal = X @ rng.standard_normal((width, n_outputs or 1))
    if not sequences and family.rows == "step":
        signal[1:] += 0.5 * (X @ rng.standard_normal((width, n_outputs or 1)))[:-1]
    signal += 0.1 * rng.standard_normal(signal.shape)
    X = (scale * X).astype(dtype)
    target = target_of(name, estimator)
    if target == "nothing":
        return X, None
    if target == "labels":
        return X, labels(signal[:, 0], 2 if n_outputs is None else 3)
    y = (np.sign(signal) if name == "ChannelEqualizer" else signal).astype(dtype)
    return X, y[:, 0] if n_outputs is None else y


def labels(signal, n_classes):
    """Words, each class about as often; every class is there at both ends."""
    ranks = np.argsort(np.argsort(signal, kind="stable"), kind="stable")
    codes = ranks * n_classes // signal.size
    codes[:n_classes] = np.arange(n_classes)
    codes[-n_classes:] = np.arange(n_classes)
    return np.array(["no", "or", "yes"])[codes]
