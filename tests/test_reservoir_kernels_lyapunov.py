"""Growth of disturbances against explicit Jacobians and NumPy's QR."""

import numpy as np
import pytest
from scipy import sparse

from reservoir.kernels.lyapunov import tangent_growth


def growth_by_qr(jacobians, start):
    """Benettin as published: multiply, factorise, add the logs."""
    tangents, total = start, np.zeros(start.shape[1])
    for J in jacobians:
        tangents, r = np.linalg.qr(J @ tangents)
        total += np.log(np.abs(np.diag(r)))
    return total


def compressed(matrix):
    rows = sparse.csr_array(matrix)
    return rows.data, rows.indices.astype(np.uint64), rows.indptr.astype(np.uint64)


@pytest.mark.parametrize("n_fed", [0, 2])
@pytest.mark.parametrize("n_exponents", [1, 3, 7])
def test_tangent_growth_is_that_of_the_explicit_jacobians(n_fed, n_exponents):
    rng = np.random.RandomState(n_fed)
    n, n_steps = 7, 40
    W = rng.randn(n, n) * (rng.rand(n, n) < 0.5)
    fed, coef, leak = rng.randn(n, n_fed), rng.randn(n_fed, n + n_fed), rng.uniform(0, 1, n)
    slopes = rng.uniform(0, 1, (n_steps, n))
    carried = np.diag(1 - leak) if n_fed else 0.9 * np.linalg.qr(rng.randn(n, n))[0]
    jacobians = []
    for slope in slopes:
        top = (leak * slope)[:, None] * np.hstack([W, fed])
        top[:, :n] += carried
        bottom = coef[:, :n] @ top
        bottom[:, n:] += coef[:, n:]
        jacobians.append(np.vstack([top, bottom]))
    start = np.linalg.qr(rng.randn(n + n_fed, n_exponents))[0]
    tangents, growth = start.copy(), np.zeros(n_exponents)
    tangent_growth(
        compressed(W),
        compressed(carried),
        np.array([n]),
        np.ascontiguousarray(fed.T),
        leak * slopes,
        coef,
        tangents,
        np.empty((n + n_fed + 1, n_exponents)),
        growth,
    )
    np.testing.assert_allclose(growth, growth_by_qr(jacobians, start), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(tangents.T @ tangents, np.eye(n_exponents), rtol=0, atol=1e-10)


def test_a_layer_takes_the_disturbance_of_the_one_below_of_the_same_step():
    """Units 0 to 3, then 4 to 6, which hear the new dx of the first four through V."""
    rng, n_steps = np.random.RandomState(3), 40
    W = np.zeros((7, 7))
    W[:4, :4], W[4:, 4:], V = rng.randn(4, 4), rng.randn(3, 3), rng.randn(3, 4)
    kept, gains = rng.uniform(0, 1, 7), rng.uniform(0, 1, (n_steps, 7))
    jacobians = []
    for gain in gains:
        J = np.diag(kept) + gain[:, None] * W
        J[4:] += (gain[4:, None] * V) @ J[:4]
        jacobians.append(J)
    start = np.linalg.qr(rng.randn(7, 7))[0]
    tangents, growth = start.copy(), np.zeros(7)
    W[4:, :4] = V
    tangent_growth(
        compressed(W),
        compressed(np.diag(kept)),
        np.array([4, 7]),
        np.empty((0, 4)),
        gains,
        np.empty((0, 7)),
        tangents,
        np.empty((8, 7)),
        growth,
    )
    np.testing.assert_allclose(growth, growth_by_qr(jacobians, start), rtol=1e-8, atol=1e-8)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # Python bodies, no jit
def test_tangent_growth_of_what_vanishes_is_minus_infinity():
    tangents, growth = np.ones((2, 1)), np.zeros(1)
    tangent_growth(
        compressed(np.zeros((2, 2))),
        compressed(np.zeros((2, 2))),
        np.array([2]),
        np.empty((0, 2)),
        np.ones((5, 2)),
        np.empty((0, 2)),
        tangents,
        np.empty((3, 1)),
        growth,
    )
    assert growth[0] == -np.inf
    np.testing.assert_array_equal(tangents, 0.0)
