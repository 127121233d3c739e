"""Activations against a wider precision, the leaky update against its formula."""

import naive_reservoir as naive
import numpy as np
import pytest

from reservoir.kernels import activations
from reservoir.kernels.activations import ACTIVATIONS, activate, leaky_update

BOUND = {np.float64: 4e-16, np.float32: 2e-7}
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def whole_range(dtype, n=15_000):
    """Both signs: an even grid over the bend, every magnitude there is, and random bits between."""
    info = np.finfo(dtype)
    powers = np.logspace(np.log10(float(info.tiny)), np.log10(float(info.max)) - 0.01, n)
    bend = np.linspace(0, 45, n)
    random = np.random.RandomState(0).uniform(0, 12, n)
    x = np.concatenate([powers, bend, random, [0.0, info.tiny, info.smallest_subnormal]])
    x = x.astype(dtype)
    return np.concatenate([x, -x])


def wide(dtype):
    return np.longdouble if dtype is np.float64 else np.float64


def applied(name, x):
    y = x.copy()
    activate(ACTIVATIONS[name], y)
    return y


@DTYPES
def test_tanh_is_exact_to_rounding(dtype):
    x = whole_range(dtype)
    y, exact = applied("tanh", x), np.tanh(x.astype(wide(dtype)))
    assert y.dtype == dtype
    assert np.abs(y - exact).max() <= BOUND[dtype]
    assert np.abs(y).max() <= 1
    normal = np.abs(x) >= np.finfo(dtype).tiny
    relative = np.abs(y - exact)[normal] / np.abs(exact[normal])
    assert relative.max() <= 4 * np.finfo(dtype).eps


@DTYPES
def test_sigmoid_is_exact_to_rounding(dtype):
    x = whole_range(dtype)
    x = x[np.abs(x) < 700] if dtype is np.float64 else x  # where exp of the oracle is finite
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-x.astype(wide(dtype))))
    y = applied("sigmoid", x)
    assert y.dtype == dtype
    assert np.abs(y - exact).max() <= BOUND[dtype]
    assert y.min() >= 0
    assert y.max() <= 1


@DTYPES
def test_tanh_is_odd_and_sigmoid_symmetric(dtype):
    x = whole_range(dtype)
    np.testing.assert_array_equal(applied("tanh", -x), -applied("tanh", x))
    total = applied("sigmoid", -x).astype(wide(dtype)) + applied("sigmoid", x)
    np.testing.assert_allclose(total.astype(float), 1.0, rtol=0, atol=np.finfo(dtype).eps / 2)


@DTYPES
@pytest.mark.parametrize(
    ("name", "at_plus", "at_minus"),
    [("tanh", 1, -1), ("sigmoid", 1, 0), ("relu", np.inf, 0), ("identity", np.inf, -np.inf)],
)
def test_nan_and_infinity_pass_through(name, at_plus, at_minus, dtype):
    odd = np.array([np.nan, np.inf, -np.inf, -np.nan, 0.0], dtype=dtype)
    y = applied(name, np.tile(odd, 13))  # long enough for vector instructions and their tail
    zero = 0.5 if name == "sigmoid" else 0.0
    np.testing.assert_array_equal(y, [np.nan, at_plus, at_minus, np.nan, zero] * 13)


@DTYPES
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_code_is_its_function(name, dtype):
    x = np.random.RandomState(1).randn(501).astype(dtype) * 3
    y = applied(name, x)
    assert y.dtype == dtype
    exact = naive.F[name](x.astype(float))
    np.testing.assert_allclose(y, exact, rtol=0, atol=2 * BOUND[dtype])
    assert applied(name, np.empty(0, dtype=dtype)).shape == (0,)


@pytest.mark.parametrize("kernel", ["_tanh_float64", "_tanh_float32"])
def test_polynomial_tanh_holds_without_the_jit_too(kernel):
    dtype = np.float64 if kernel.endswith("64") else np.float32
    x = np.linspace(-21, 21, 337).astype(dtype)
    y = np.array([getattr(activations, kernel)(value) for value in x])
    assert np.abs(y - np.tanh(x.astype(wide(dtype)))).max() <= BOUND[dtype]
    assert np.isnan(getattr(activations, kernel)(dtype(np.nan)))


def test_scalar_functions_of_python_are_numpys():
    for x in (-3.0, np.float32(0.3), np.float64(40.0)):
        assert activations.tanh(x) == np.tanh(x)
        assert activations.sigmoid(x) == pytest.approx(1 / (1 + np.exp(-float(x))), rel=1e-6)


@DTYPES
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_leaky_update_is_its_formula(name, dtype):
    rng = np.random.RandomState(2)
    pre, state = rng.randn(40).astype(dtype), rng.randn(40).astype(dtype)
    leak = rng.uniform(0, 1, 40).astype(dtype)
    leak[:3] = 0, 1, 0.5
    kept = np.append(1 - leak[:20], rng.uniform(0, 1, 20)).astype(dtype)
    exact = kept.astype(float) * state + leak * naive.F[name](pre.astype(float))
    out = np.empty_like(state)
    before = state.copy()
    leaky_update(ACTIVATIONS[name], kept, leak, pre.copy(), state, out)
    np.testing.assert_allclose(out, exact, rtol=0, atol=4 * BOUND[dtype] * np.abs(exact).max())
    np.testing.assert_array_equal(state, before)
    assert out[0] == state[0]  # leak 0 keeps the state, bit for bit
    leaky_update(ACTIVATIONS[name], kept, leak, pre.copy(), state, state)
    np.testing.assert_array_equal(state, out)  # state and out may be one array
