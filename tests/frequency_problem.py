"""What the tests of FrequencyDomainFilter filter."""

import naive
import numpy as np
import pytest

from filters import FrequencyDomainFilter

SIZES = [(8, 8), (20, 8), (32, 4), (5, 8), (1, 1), (7, 1)]  # taps, block
sizes = pytest.mark.parametrize(("n_taps", "block"), SIZES)
signals = pytest.mark.parametrize("signal", ["real", "complex"])
constraints = pytest.mark.parametrize("constraint", ["full", "alternating"])


def problem(n=240, n_channels=1, *, signal="real", dtype=None, seed=0):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.standard_normal(shape)
        return values + 1j * rng.standard_normal(shape) if signal == "complex" else values

    x = draw(n, n_channels)
    d = naive.delay_rows(x, 5) @ draw(5 * n_channels) + 0.1 * draw(n)
    return (x, d) if dtype is None else (x.astype(dtype), d.astype(dtype))


def block_lms(n_taps, block, step_size=0.002, **more):
    return FrequencyDomainFilter(
        n_taps, block_size=block, normalize=False, step_size=step_size, **more
    )
