"""Kernels of the frequency-domain filter; also run without the jit and with bounds checks."""

import naive
import numpy as np
import pytest
import scipy.fft

from filters import FrequencyDomainFilter
from filters._overlap_save import Rule, as_parts, plan_transform, tools_for
from filters.kernels.frequency import (
    adapt_blocks,
    add_gradient,
    filter_spectra,
    forward,
    inverse,
    set_steps,
)


def noise(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def spectrum_of(frame, dtype):
    """What SciPy makes of a frame, in float64, as real and imaginary parts."""
    wide = frame.astype(np.float64)
    complexes = np.dtype(dtype).kind == "c"
    wanted = scipy.fft.fft(wide.view(complex)) if complexes else scipy.fft.rfft(wide)
    return np.stack([wanted.real, wanted.imag])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
@pytest.mark.parametrize("n", [2**k for k in range(1, 14)] + [6, 10, 14, 24, 30, 66, 98, 122, 242])
def test_transform_is_that_of_scipy_and_its_inverse_leads_back(dtype, n):
    plan = plan_transform(n, np.dtype(dtype))
    size = 2 * plan.order.size
    frame = np.random.default_rng(n).standard_normal(size).astype(plan.work.dtype)
    n_bins = n if np.dtype(dtype).kind == "c" else n // 2 + 1
    spectrum = np.full((2, n_bins), np.nan, dtype=frame.dtype)
    forward(frame, spectrum, plan)
    wanted = spectrum_of(frame, dtype)
    limit = 1e-14 if frame.dtype == np.float64 else 1e-6
    assert np.linalg.norm(spectrum - wanted) <= limit * np.linalg.norm(wanted)
    kept, back = spectrum.copy(), np.full_like(frame, np.nan)
    inverse(spectrum, back, plan)
    assert np.linalg.norm(back - frame) <= limit * np.linalg.norm(frame)
    np.testing.assert_array_equal(spectrum, kept)


@pytest.mark.parametrize("n_partitions", [1, 2, 5])
def test_products_of_spectra_are_those_of_complex_numbers(n_partitions):
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((2, n_partitions, 3, 2, 9))
    y = np.empty((2, 9))
    filter_spectra(X, n_partitions - 1, W, y)
    x, w = X[:, :, 0] + 1j * X[:, :, 1], W[:, :, 0] + 1j * W[:, :, 1]
    wanted = np.sum(x[::-1] * w, axis=(0, 1))
    np.testing.assert_allclose(y[0] + 1j * y[1], wanted, rtol=0, atol=1e-13)
    g = np.ones((2, 9))
    add_gradient(X[0, 0], W[0, 0], g)
    wanted = 1 + 1j + np.conj(x[0, 0]) * w[0, 0]
    np.testing.assert_allclose(g[0] + 1j * g[1], wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("block", "n_bins"), [(8, 9), (8, 16), (5, 6), (5, 10), (1, 2)])
def test_a_loud_frequency_holds_the_steps_of_those_around_it(block, n_bins):
    periodograms = np.zeros((3, n_bins))
    periodograms[1, 0] = 6.0
    steps = np.empty(n_bins)
    rule = Rule(1.0, 1e-300, True, False, 10, 0.5, 1)
    set_steps(periodograms, np.zeros(n_bins), rule, 0.25, np.empty(n_bins + 2 * block), steps)
    norm = np.zeros(2 * block)
    norm[0] = 3.0
    for j in range(block.bit_length()):
        around = np.maximum(np.roll(norm, 2**j), np.roll(norm, -(2**j)))
        norm = np.maximum(norm, 0.5 * around / 4**j)
    np.testing.assert_allclose(steps, 1 / (0.25 + norm[:n_bins]), rtol=1e-14)


class Blocks:
    """Two channels and two outputs in the layout of `adapt_blocks`: 6 blocks of 4, 10 taps."""

    def __init__(self, dtype, constraint):
        rng = np.random.default_rng(0)
        self.x, self.d = noise(rng, (24, 2), dtype), noise(rng, (24, 2), dtype)
        f = FrequencyDomainFilter(10, block_size=4, constraint=constraint)
        self.state = f._new_state(2, 2, np.dtype(dtype))
        self.rule = Rule(0.5, 1e-300, True, False, 10, 0.5, 1)

    def run(self, counts):
        y = np.empty_like(self.d)
        signals = as_parts(self.x), as_parts(self.d), counts, np.full(24, 3.0)
        return adapt_blocks(*signals, self.rule, *tools_for(self.state), as_parts(y)), y


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("constraint", ["full", "alternating"])
def test_block_loop_equals_twin(dtype, constraint):
    case = Blocks(dtype, constraint)
    bad, y = case.run(np.ones(24, dtype=bool))
    assert bad == -1
    turns = 1 if constraint == "alternating" else None
    for o in range(2):
        wanted, w = naive.frequency_lms(
            case.x, case.d[:, o], 10, 4, 0.5, np.full(6, 3.0), turns=turns
        )
        np.testing.assert_allclose(y[:, o], wanted, rtol=0, atol=1e-13)
        got = case.state["weights"][o].reshape(10, 2)[::-1].T
        np.testing.assert_allclose(got, w, rtol=0, atol=1e-13)


@pytest.mark.parametrize("constraint", ["full", "alternating"])
def test_block_loop_learns_nothing_from_what_does_not_count(constraint):
    case, other = Blocks(np.float64, constraint), Blocks(np.float64, constraint)
    counts = np.arange(24) % 3 == 0
    counts[8:12] = False
    other.d[~counts] = 1e9
    np.testing.assert_array_equal(case.run(counts)[1], other.run(counts)[1])
    np.testing.assert_array_equal(case.state["weights"], other.state["weights"])
    assert np.abs(case.state["weights"]).max() > 0.01


@pytest.mark.parametrize("k", [0, 5, 23])
def test_block_loop_returns_the_first_bad_sample(k):
    case = Blocks(np.float64, "full")
    case.d[k:, 1] = np.inf
    assert case.run(np.ones(24, dtype=bool))[0] == k
