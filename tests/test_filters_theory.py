"""Step-size bounds against published figures and against what the filter does."""

import naive
import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from filters import LMSFilter
from filters.theory import max_step_size
from filters.timeseries import DivergenceError

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")


def test_published_bounds_of_the_matlab_example():
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (12, 20_000))
    x = lfilter([np.sqrt(0.75)], [1, -0.5], signs)
    largest = np.linalg.eigvalsh(toeplitz(0.5 ** np.arange(32)))[-1]
    np.testing.assert_allclose(largest, 2.95241, rtol=0, atol=5e-6)
    for mode, published in [("mean", 0.0625), ("mean_square", 0.0536)]:
        found = np.mean([max_step_size(run, 32, mode=mode) for run in x])
        np.testing.assert_allclose(found, published, rtol=0.01)


@pytest.mark.parametrize("signal", ["real", "complex", "float32", "int16"])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_bounds_are_their_formulas_over_the_full_windows(signal, n_channels):
    rng = np.random.default_rng(0)
    x = 200 * rng.standard_normal((500, n_channels))
    if signal == "complex":
        x = x + 1j * rng.standard_normal((500, n_channels))
    elif signal != "real":
        x = x.astype(signal)
    exact = x.astype(complex)
    windows = naive.delay_rows(exact, 4)[3:]
    R = windows.conj().T @ windows / 497
    trace = np.trace(R).real
    kurtosis = np.mean(np.abs(exact) ** 4) / np.mean(np.abs(exact) ** 2) ** 2
    largest = np.linalg.eigvalsh(R)[-1]
    rtol = 1e-4 if signal == "float32" else 1e-12
    np.testing.assert_allclose(max_step_size(x, 4), 2 / trace, rtol=rtol)
    found = max_step_size(x, 4, mode="mean_square")
    np.testing.assert_allclose(found, 2 / (trace + kurtosis * largest), rtol=rtol)


@pytest.mark.parametrize(("factor", "stable"), [(0.99, True), (1.01, False)])
def test_the_bound_is_where_lms_on_a_constant_envelope_turns_unstable(factor, stable):
    x = 3.0 * np.random.default_rng(0).choice([-1.0, 1.0], 100_000)
    step = factor * max_step_size(x, 1)
    if stable:
        assert np.abs(LMSFilter(step_size=step).adapt(x, x).error[-1]) < 1e-9
    else:
        with pytest.raises(DivergenceError):
            LMSFilter(step_size=step).adapt(x, x)


def test_silence_allows_any_step():
    assert max_step_size(np.zeros(10), 3) == np.inf
    assert max_step_size(np.zeros((10, 2)), 3, mode="mean_square") == np.inf


@pytest.mark.parametrize(
    ("X", "n_taps", "mode", "message"),
    [
        (np.ones(3), 4, "mean", "X has 3 rows, fewer than n_taps=4"),
        (np.ones(3), 0, "mean", "The 'n_taps' parameter .* Got 0"),
        (np.ones(3), 2, "median", "The 'mode' parameter .* Got 'median'"),
        ([1.0, np.nan, 1.0], 2, "mean", "X contains NaN: .* row 1"),
    ],
)
def test_bad_arguments_are_named(X, n_taps, mode, message):
    with pytest.raises(ValueError, match=message):
        max_step_size(X, n_taps, mode)


@pytest.mark.parametrize(("pole", "n_taps"), [(0.0, 2), (0.5, 4), (0.8, 10), (0.95, 32)])
def test_lms_at_the_safe_step_follows_theory(pole, n_taps):
    ratios = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        drive = rng.standard_normal(12_500)
        x = lfilter([np.sqrt(1 - pole**2)], [1, -pole], drive)[500:]
        noise = 0.1 * rng.standard_normal(x.size)
        step = max_step_size(x, n_taps, mode="safe")
        trace = n_taps * np.mean(x**2)
        error = LMSFilter(n_taps, step_size=step).adapt(x, noise).error
        ratios.append(np.mean((error - noise) ** 2) / 0.01 / (step * trace / (2 - step * trace)))
    assert 0.8 < np.median(ratios) < 1.5
    assert max(ratios) < 2.5


def test_the_safe_step_counts_the_directions_the_input_excites():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(20_000)
    assert max_step_size(x, 64, mode="safe") == pytest.approx(2 / 3 / 64, rel=0.03)
    tone = np.sin(0.3 * np.arange(20_000))
    assert max_step_size(tone, 64, mode="safe") == pytest.approx(0.1 / 32, rel=0.01)
    for scale in (1e-150, 1e150):
        scaled = max_step_size(scale * x, 4, mode="safe")
        assert scaled == pytest.approx(max_step_size(x, 4, mode="safe") / scale**2, rel=1e-9)
    assert max_step_size(np.zeros(30), 4, mode="safe") == np.inf
    z = x[::2] + 1j * x[1::2]  # twice the power
    found = max_step_size(z, 64, mode="safe")
    assert found == pytest.approx(1 / 3 / 64, rel=0.03)
