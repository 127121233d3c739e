"""Adaptive filters under one roof, and a plant for them to find: what all of them are tried on."""

import copy

import naive
import numpy as np
import pytest

from filters import (
    AffineProjectionFilter,
    LMSFilter,
    NLMSFilter,
    ProportionateFilter,
    RLSFilter,
    SetMembershipFilter,
    TransformDomainFilter,
    VariableStepFilter,
)

FILTERS = {
    "lms": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.02, **more),
    "lms-auto": LMSFilter,
    "lms-leaky": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.02, leak=0.1, **more),
    "lms-sign": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.01, sign="both", **more),
    "nlms": lambda n_taps=1, **more: NLMSFilter(n_taps, regularization=0.1, **more),
    "nlms-auto": NLMSFilter,
    "rls": lambda n_taps=1, **more: RLSFilter(n_taps, delta=0.1, **more),
    "rls-auto": RLSFilter,
    "affine-projection": AffineProjectionFilter,
    "proportionate": lambda n_taps=1, **more: ProportionateFilter(
        n_taps, regularization=0.1, **more
    ),
    "set-membership": lambda n_taps=1, **more: SetMembershipFilter(
        n_taps, regularization=0.1, **more
    ),
    "transform-domain": TransformDomainFilter,
    "variable-step": lambda n_taps=1, **more: VariableStepFilter(
        n_taps, regularization=0.1, **more
    ),
}


every_filter = pytest.mark.parametrize("make", FILTERS.values(), ids=FILTERS)


learners = pytest.mark.parametrize("make", [LMSFilter, NLMSFilter, RLSFilter])


def problem(n=200, n_channels=2, n_outputs=1, *, signal="real", noise=0.1, seed=0):
    """Signals through a random plant of 3 taps, and the plant as ``coef_`` holds it."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.standard_normal(shape)
        return values + 1j * rng.standard_normal(shape) if signal == "complex" else values

    x, plant = draw(n, n_channels), draw(n_outputs, n_channels, 3)
    d = naive.delay_rows(x, 3) @ plant.reshape(n_outputs, -1).T + noise * draw(n, n_outputs)
    return x, d[:, 0] if n_outputs == 1 else d, plant[0] if n_outputs == 1 else plant


LOUD = 1.7e308


def overflowing(n, k):
    """A unit input and a desired signal whose second half of a swing overflows at step k."""
    x, d = np.ones(n), np.zeros(n)
    d[k - 1], d[k] = LOUD, -LOUD
    return x, d


def everything(f):
    return {k: copy.deepcopy(v) for k, v in vars(f).items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_same(value, other[name])
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other[name], err_msg=name)
        else:
            assert value == other[name], name
