"""Slow changes of frequency and level."""

from __future__ import annotations

import numpy as np


def slow_drift(
    time: np.ndarray, max_drift: float, max_slew: float, rng: np.random.RandomState
) -> np.ndarray:
    """Sum three slow sines; bounds on the sums of a_k and a_k w_k hold for any length."""
    shares = rng.dirichlet(np.ones(3))
    starts = rng.uniform(0.0, 2.0 * np.pi, 3)
    speeds = rng.uniform(0.3, 1.0, 3)
    if max_drift == 0.0:
        return np.zeros_like(time)
    rates = speeds * (max_slew / max_drift)
    return max_drift * np.sin(np.outer(time, rates) + starts) @ shares
