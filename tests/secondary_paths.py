"""What the tests of FilteredXFilter play and hear."""

import naive
import numpy as np

PATH = np.array([0.0, 0.6, -0.3, 0.2])


def problem(n=120, n_channels=2, n_outputs=1, *, signal="real", seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_channels))
    d = rng.standard_normal((n, n_outputs)) + naive.delay_rows(x, 3)[:, :1]
    if signal == "complex":
        x, d = x + 1j * rng.standard_normal(x.shape), d - 1j * d[::-1]
    if signal == "float32":
        x, d = x.astype(np.float32), d.astype(np.float32)
    return x, d[:, 0] if n_outputs == 1 else d


def path_of(signal):
    return PATH * (1 + 0.5j) + [0.1j, 0, 0, 0] if signal == "complex" else PATH
