"""Kernels against their naive twins; also run with NUMBA_DISABLE_JIT=1 and NUMBA_BOUNDSCHECK=1."""

import naive
import numpy as np
import pytest
import scipy.fft

from filters import FrequencyDomainFilter
from filters._overlap_save import Rule, as_parts, plan_transform, tools_for
from filters.kernels.fir import fir
from filters.kernels.frequency import (
    adapt_blocks,
    add_gradient,
    filter_spectra,
    forward,
    inverse,
    set_steps,
)
from filters.kernels.lms import lms, nlms
from filters.kernels.power import held_energy, running_mean
from filters.kernels.rls import rls

ROUNDING = {
    np.dtype(np.float32): 2e-5,
    np.dtype(np.complex64): 2e-5,
    np.dtype(np.float64): 1e-12,
    np.dtype(np.complex128): 1e-12,
}
DTYPES = [np.float64, np.float32, np.complex128]
EVERYWHERE = np.empty(0, dtype=bool)


def noise(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


class Case:
    """A signal in the kernels' layout, and the same windows as rows for the twins."""

    def __init__(self, dtype, *, n=40, n_taps=4, stride=2, n_outputs=1, seed=0):
        rng = np.random.default_rng(seed)
        self.dtype, self.stride = np.dtype(dtype), stride
        self.z = noise(rng, (n_taps - 1 + n) * stride, dtype)
        self.m = n_taps * stride
        self.rows = np.array([self.z[k * stride : k * stride + self.m] for k in range(n)])
        self.d = noise(rng, (n, n_outputs), dtype)
        self.w = noise(rng, (n_outputs, self.m), dtype)
        self.mask = rng.random(n) < 0.7
        self.steps = rng.uniform(0.01, 0.05, n).astype(self.dtype.type(0).real.dtype)
        self.real = self.steps.dtype.type

    def close(self, got, wanted):
        assert got.dtype == self.dtype
        np.testing.assert_allclose(got, wanted, rtol=0, atol=5 * ROUNDING[self.dtype])


def run_lms(case, w, bias, y, *, part=slice(None), mask=EVERYWHERE, **options):
    """Call the kernel on samples `part` of the case; returns the first bad sample."""
    a, b, _ = part.indices(case.d.shape[0])
    z = case.z[a * case.stride : (b - 1) * case.stride + case.m]
    return lms(
        z,
        z / np.where(z == 0, 1, np.abs(z)) if options.get("sign_data") else z,
        case.d[part, 0].copy(),
        case.steps[part],
        mask[part],
        case.stride,
        case.real(options.get("leak", 0)),
        options.get("sign_error", False),
        options.get("fit_intercept", False),
        w,
        bias,
        y[part],
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"leak": 0.3},
        {"sign_error": True},
        {"sign_data": True},
        {"sign_error": True, "sign_data": True, "leak": 0.1, "fit_intercept": True},
        {"fit_intercept": True},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_lms_equals_twin(dtype, stride, options, masked):
    case = Case(dtype, stride=stride)
    w, bias, y = case.w[0].copy(), np.full(1, 0.5, dtype), np.empty(40, dtype)
    mask = case.mask if masked else EVERYWHERE
    assert run_lms(case, w, bias, y, mask=mask, **options) == -1
    outputs, weights, biases = naive.lms(
        case.rows,
        case.d[:, 0],
        case.w[0],
        case.steps,
        bias=case.dtype.type(0.5),
        mask=mask if masked else None,
        **options,
    )
    case.close(y, outputs)
    case.close(w, weights[-1])
    case.close(bias, biases[-1:].astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_nlms_equals_twin(dtype, stride, fit_intercept, masked):
    case = Case(dtype, stride=stride)
    epsilon = np.abs(case.steps)
    w, bias, y = case.w[0].copy(), np.full(1, 0.5, dtype), np.empty(40, dtype)
    bad = nlms(
        case.z,
        case.d[:, 0].copy(),
        epsilon,
        case.mask if masked else EVERYWHERE,
        stride,
        case.real(0.7),
        fit_intercept,
        w,
        bias,
        y,
    )
    outputs, weights, biases = naive.nlms(
        case.rows,
        case.d[:, 0],
        case.w[0],
        0.7,
        epsilon,
        bias=0.5,
        fit_intercept=fit_intercept,
        mask=case.mask if masked else None,
    )
    assert bad == -1
    case.close(y, outputs)
    case.close(w, weights[-1])
    case.close(bias, biases[-1:].astype(dtype))


def rls_start(case, *, fit_intercept=False, delta=0.5):
    m = case.m + int(fit_intercept)
    w = np.zeros((case.d.shape[1], m), dtype=case.dtype)
    w[:, : case.m] = case.w
    P = np.eye(m, dtype=np.result_type(case.dtype, np.float64)) / delta
    return w, P, np.array([m / delta])


def run_rls(case, w, P, trace, y, *, part=slice(None), mask=EVERYWHERE, **options):
    a, b, _ = part.indices(case.d.shape[0])
    return rls(
        case.z[a * case.stride : (b - 1) * case.stride + case.m],
        np.ascontiguousarray(case.d[part]),
        mask[part],
        case.stride,
        float(options.get("forgetting", 0.95)),
        float(options.get("trace_cap", np.inf)),
        2.0,
        options.get("fit_intercept", False),
        P,
        w,
        *(np.empty(w.shape[1], dtype=P.dtype) for _ in range(3)),
        trace,
        y[part],
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"forgetting": 1.0},
        {"fit_intercept": True},
        {"trace_cap": 1.0, "forgetting": 0.9},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_rls_equals_twin(dtype, n_outputs, options, masked):
    case = Case(dtype, n_outputs=n_outputs)
    intercept = options.get("fit_intercept", False)
    w, P, trace = rls_start(case, fit_intercept=intercept)
    rows = np.column_stack([case.rows, np.ones(40)]) if intercept else case.rows
    outputs, weights, covariance = naive.rls(
        rows,
        case.d,
        w,
        P,
        options.get("forgetting", 0.95),
        mask=case.mask if masked else None,
        trace_cap=options.get("trace_cap", np.inf),
    )
    y = np.empty(case.d.shape, dtype)
    mask = case.mask if masked else EVERYWHERE
    assert run_rls(case, w, P, trace, y, mask=mask, **options) == -1
    case.close(y, outputs)
    case.close(w, weights)
    case.close(np.tril(P).astype(dtype), np.tril(covariance))
    np.testing.assert_allclose(trace[0], np.trace(covariance).real, rtol=5 * ROUNDING[case.dtype])


def test_rls_trace_cap_of_the_test_above_is_reached():
    case = Case(np.float64)
    _, _, free = naive.rls(case.rows, case.d, *rls_start(case)[:2], 0.9)
    _, _, capped = naive.rls(case.rows, case.d, *rls_start(case)[:2], 0.9, trace_cap=1.0)
    assert np.trace(free) > 1.3 * np.trace(capped)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rls_never_touches_the_upper_triangle(dtype):
    case = Case(dtype)
    w, P, trace = rls_start(case)
    P[np.triu_indices(case.m, 1)] = 7.0
    assert run_rls(case, w, P, trace, np.empty((40, 1), dtype)) == -1
    assert (P[np.triu_indices(case.m, 1)] == 7.0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cuts", [(1, 2, 3), (7, 8, 30), (39,)])
def test_lms_and_rls_blocks_equal_one_call_bit_for_bit(dtype, cuts):
    case = Case(dtype)
    spans = [slice(a, b) for a, b in zip((0, *cuts), (*cuts, 40), strict=True)]
    answers = []
    for parts in ([slice(0, 40)], spans):
        w, bias, y = case.w[0].copy(), np.zeros(1, dtype), np.empty(40, dtype)
        v, P, trace = rls_start(case)
        q = np.empty((40, 1), dtype)
        for part in parts:
            run_lms(case, w, bias, y, part=part, leak=0.1, fit_intercept=True)
            run_rls(case, v, P, trace, q, part=part)
        answers.append((w, bias, y, v, P, trace, q))
    for whole, cut in zip(*answers, strict=True):
        np.testing.assert_array_equal(whole, cut)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("k", [0, 17, 39])
def test_gradient_kernels_return_the_first_bad_sample_and_the_weights_before_it(value, k):
    case = Case(np.float64, stride=1)
    case.d[k] = value
    _, weights, _ = naive.lms(case.rows[:k], case.d[:k, 0], case.w[0], case.steps)
    w, y = case.w[0].copy(), np.empty(40)
    assert run_lms(case, w, np.zeros(1), y) == k
    np.testing.assert_allclose(w, weights[-1] if k else case.w[0], rtol=0, atol=1e-12)
    epsilon = np.full(40, 0.1)
    w = case.w[0].copy()
    d = case.d[:, 0].copy()
    assert nlms(case.z, d, epsilon, EVERYWHERE, 1, 0.5, False, w, np.zeros(1), y) == k
    _, weights, _ = naive.nlms(case.rows[:k], d[:k], case.w[0], 0.5, epsilon)
    np.testing.assert_allclose(w, weights[-1] if k else case.w[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("k", [0, 17, 39])
def test_rls_returns_the_first_bad_sample(k):
    case = Case(np.float64, n_outputs=2)
    w, P, trace = rls_start(case)
    case.d[k, 1] = np.inf
    assert run_rls(case, w, P, trace, np.empty((40, 2))) == k


@pytest.mark.parametrize("dtype", DTYPES)
def test_rls_starts_anew_where_the_matrix_is_not_positive(dtype):
    case = Case(dtype)
    answers = []
    for sign in (1, -1):
        w, P, trace = rls_start(case)  # delta 0.5: what it starts anew with is 2 I, too
        y = np.empty((40, 1), dtype)
        assert run_rls(case, w, sign * P, trace, y) == -1
        answers.append((w, y))
    for positive, restarted in zip(*answers, strict=True):
        case.close(positive, restarted)


@pytest.mark.parametrize("epsilon", [0.0, 5e-324, 1e-310])
def test_nlms_silence_leaves_the_weights_alone(epsilon):
    w = np.array([1.0, 2.0])
    y = np.empty(5)
    bad = nlms(
        np.zeros(6),
        np.ones(5),
        np.full(5, epsilon),
        EVERYWHERE,
        1,
        1.0,
        False,
        w,
        np.zeros(1),
        y,
    )
    assert bad == -1
    np.testing.assert_array_equal(w, [1.0, 2.0])
    np.testing.assert_array_equal(y, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("stride", "n_outputs"), [(1, 1), (3, 2)])
def test_fir_equals_twin(dtype, stride, n_outputs):
    case = Case(dtype, stride=stride, n_outputs=n_outputs)
    bias = np.arange(1, n_outputs + 1).astype(dtype)
    y = np.empty((40, n_outputs), dtype)
    fir(case.z, stride, case.w, bias, y)
    case.close(y, naive.filtered(case.rows, case.w, bias))


def test_kernels_take_read_only_inputs_and_leave_them_alone():
    case = Case(np.float64)
    for array in (case.z, case.d, case.steps):
        array.flags.writeable = False
    w, y = case.w[0].copy(), np.empty(40)
    step = case.real(0.5)
    d = case.d[:, 0]
    lms(case.z, case.z, d, case.steps, EVERYWHERE, 2, 0.0, False, False, w, np.zeros(1), y)
    nlms(case.z, d, case.steps, EVERYWHERE, 2, step, False, w, np.zeros(1), y)
    v, P, trace = rls_start(case)
    assert run_rls(case, v, P, trace, y[:, np.newaxis]) == -1


@pytest.mark.parametrize("memory", [1, 7, 1000])
@pytest.mark.parametrize("cut", [0, 1, 13])
def test_running_mean_equals_twin_in_any_chunks(memory, cut):
    power = np.random.default_rng(0).chisquare(1, 60)
    state, out = np.zeros(2), np.empty(60)
    running_mean(power[:cut], memory, state, out[:cut])
    running_mean(power[cut:], memory, state, out[cut:])
    np.testing.assert_allclose(out, naive.running_mean(power, memory), rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(state, [out[-1], 60])


def test_running_mean_is_the_mean_until_its_memory_is_full():
    power = np.random.default_rng(1).chisquare(1, 50)
    out = np.empty(50)
    running_mean(power, 50, np.zeros(2), out)
    np.testing.assert_allclose(out, np.cumsum(power) / np.arange(1, 51), rtol=1e-13)


@pytest.mark.parametrize("n_taps", [1, 8])
@pytest.mark.parametrize("cut", [0, 1, 13])
def test_held_energy_equals_twin_in_any_chunks(n_taps, cut):
    power = np.random.default_rng(0).chisquare(1, 60)
    power[20:35] = 0.0
    state, out = np.zeros(2), np.empty(60)
    held_energy(power[:cut], n_taps, 0.9, state, out[:cut])
    held_energy(power[cut:], n_taps, 0.9, state, out[cut:])
    np.testing.assert_allclose(out, naive.held_energy(power, n_taps, 0.9), rtol=1e-13)
    assert state[1] == out[-1]


@pytest.mark.parametrize("n_taps", [1, 2, 16, 300])
def test_held_energy_is_never_below_a_third_of_the_energy_in_the_delay_line(n_taps):
    power = np.random.default_rng(2).pareto(1.0, 600)
    out = np.empty(600)
    held_energy(power, n_taps, 0.99, np.zeros(2), out)
    window = np.convolve(power, np.ones(n_taps))[:600]
    assert (out >= window / np.e * (1 - 1e-12)).all()


# ---- the Fourier transform of the frequency-domain filter, and what stands on it -----------------


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
