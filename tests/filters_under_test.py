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


def off_centre_problem(n=300, n_channels=2, *, signal="real", noise=0.3, seed=0):
    """One output of a random plant whose inputs have a mean, in noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_channels)) + 0.2
    d = naive.delay_rows(x, 3) @ rng.standard_normal(3 * n_channels)
    d = d + noise * rng.standard_normal(n)
    if signal == "complex":
        x, d = x + 1j * rng.standard_normal(x.shape), d - 1j * d[::-1]
    return x, d


def problem_with_a_constant(n=300, n_channels=2, n_outputs=1, *, signal="real", seed=0):
    """Outputs of a random plant and a constant, in noise; the inputs have a mean too."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_channels)) + 0.2
    d = naive.delay_rows(x, 3) @ rng.standard_normal((3 * n_channels, n_outputs)) + 0.5
    d = d + 0.3 * rng.standard_normal((n, n_outputs))
    if signal == "complex":
        x, d = x * (1 + 2j), d * (0.5 - 1j) + 0.1j * rng.standard_normal((n, n_outputs))
    return x, d[:, 0] if n_outputs == 1 else d


def assert_adapt_alike(one, other, x, d, *, output_atol, weights_atol):
    """Both adapt to x and d, three samples in ten left out, and are the same filter then."""
    mask = np.random.default_rng(1).random(len(x)) < 0.7
    outputs = [f.adapt(x, d, update_mask=mask).output for f in (one, other)]
    np.testing.assert_allclose(*outputs, rtol=0, atol=output_atol)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=0, atol=weights_atol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=0, atol=weights_atol)
