"""The optimizers against their formulas, written out for a few steps."""

import numpy as np
import pytest

from reservoir.baselines._optimizers import SGD, Adam, RMSprop

GRADIENTS = np.array([[0.5, -2.0], [0.25, 3.0], [-1.0, 0.5]])


def run_optimizer(optimizer, learning_rate=0.1):
    weights = np.array([1.0, -1.0])
    for gradient in GRADIENTS:
        optimizer.step(weights, gradient, learning_rate)
    return weights


def test_adam_follows_algorithm_1_of_the_paper():
    w, m, s = np.array([1.0, -1.0]), np.zeros(2), np.zeros(2)
    for t, g in enumerate(GRADIENTS, start=1):
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(run_optimizer(Adam(2, np.float64)), w, rtol=1e-14)


def test_rmsprop_divides_by_the_root_of_the_running_square():
    w, s = np.array([1.0, -1.0]), np.zeros(2)
    for g in GRADIENTS:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.1 * g / (np.sqrt(s) + 1e-8)
    np.testing.assert_allclose(run_optimizer(RMSprop(2, np.float64)), w, rtol=1e-14)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_heavy_ball_or_nesterov(nesterov):
    """Nesterov: the gradient is taken at the look-ahead point u = w + mu v, which is reported."""
    u, v = np.array([1.0, -1.0]), np.zeros(2)
    for g in GRADIENTS:
        w = u - 0.9 * v if nesterov else u
        v = 0.9 * v - 0.1 * g
        w = w + v
        u = w + 0.9 * v if nesterov else w
    np.testing.assert_allclose(run_optimizer(SGD(2, np.float64, 0.9, nesterov)), u, rtol=1e-14)


def test_plain_gradient_descent_needs_no_momentum():
    expected = [1.0, -1.0] - 0.1 * GRADIENTS.sum(axis=0)
    np.testing.assert_allclose(run_optimizer(SGD(2, np.float64)), expected, rtol=1e-14)
