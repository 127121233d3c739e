"""Kernels against their naive twins; also run with NUMBA_DISABLE_JIT=1 and NUMBA_BOUNDSCHECK=1."""

import itertools

import naive
import numpy as np
import pytest
from kernel_cases import DTYPES, EVERYWHERE, ROUNDING, Case, noise, rls_start, run_lms, run_rls

from filters.kernels import lms as layout
from filters.kernels import notch as notch_kernel
from filters.kernels.filtered_x import filtered_x_lms
from filters.kernels.fir import fir
from filters.kernels.lms import held_energy, lms, nlms, running_mean
from filters.kernels.transform_domain import fill_spectra, transform_domain
from filters.kernels.variable_step import variable_step_nlms
from filters.kernels.volterra import volterra_nlms, volterra_output


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_path", [1, 3])
@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_filtered_x_equals_twin(dtype, n_path, masked):
    case = Case(dtype, stride=2)
    path = noise(np.random.default_rng(3), n_path, dtype)
    # The twin begins in silence: so do the windows here.
    case.z[: case.m - 2] = 0
    case.rows = np.array([case.z[2 * k : 2 * k + case.m] for k in range(40)])
    z = case.z.reshape(-1, 2)
    q = sum(s * np.roll(z, j, axis=0) for j, s in enumerate(path)).astype(dtype)
    q[: case.m // 2 - 1] = 0
    w, bias, y = 0.1 * case.w[0], np.zeros(1, dtype), np.empty(40, dtype)
    u, mask = np.zeros(n_path - 1 + 40, dtype), case.mask if masked else EVERYWHERE
    heard, drives, weights, biases = naive.filtered_x(
        case.rows,
        case.d[:, 0],
        path,
        w,
        0.01,
        leak=0.2,
        fit_intercept=True,
        mask=mask if masked else None,
    )
    bad = filtered_x_lms(
        case.z,
        q.ravel(),
        case.d[:, 0].copy(),
        np.ones(40, dtype=case.real),
        mask,
        2,
        case.real(0.01),
        case.real(0.2),
        np.conj(path.sum()),
        path[::-1].copy(),
        w,
        bias,
        u,
        y,
    )
    assert bad == -1
    case.close(y, heard)
    case.close(u[n_path - 1 :], drives)
    case.close(w, weights[-1])
    case.close(bias, biases[-1:].astype(dtype))


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_transform_domain_matches_its_twin(dtype, fit_intercept):
    case = Case(dtype, n_taps=4, stride=2)
    theta, sign = np.pi * np.arange(4) / 4, (-1.0) ** np.arange(4)
    scale = np.sqrt([1 / 4, 1 / 2, 1 / 2, 1 / 2])
    angles = [f(t) for t in (theta, theta / 2) for f in (np.cos, np.sin)]
    tables = np.array([*angles, sign, scale], dtype=case.real)
    spectra, place = np.ones((2, 4, 4), dtype), np.array([7, 0])
    fill_spectra(case.z, tables, spectra, place)
    power, w, bias = np.zeros((2, 4), case.real), np.zeros((1, 2, 4), dtype), np.zeros(1, dtype)
    y, epsilon = np.empty((40, 1), dtype), np.linspace(0.1, 0.5, 40).astype(case.real)
    assert place[0] == 0
    bad = transform_domain(
        case.z, case.d, epsilon, case.mask, case.real(0.5), 10.0, True, fit_intercept,
        tables, spectra, place, power, w, bias, y,
    )  # fmt: skip
    assert bad == -1
    lines = case.rows.reshape(40, 4, 2)[:, ::-1].transpose(0, 2, 1)
    options = {"fit_intercept": fit_intercept, "mask": case.mask}
    output, _, wanted_bias = naive.transform_domain(
        lines, case.d[:, 0], 0.5, epsilon, 10.0, **options
    )
    case.close(y[:, 0], output)
    case.close(bias, np.array([wanted_bias], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("noise_power", [None, 0.5])
def test_variable_step_matches_its_twin(dtype, noise_power):
    case = Case(dtype)
    epsilon = np.linspace(0.1, 0.5, 40).astype(case.real)
    w, y = case.w.copy(), np.empty((40, 1), dtype)
    companion = w.copy() if noise_power is None else np.zeros((1, 0), dtype)
    bias, companion_bias, levels = np.zeros(1, dtype), np.zeros(1, dtype), np.zeros((1, 6))
    bad = variable_step_nlms(
        case.z, case.d, epsilon, case.mask, case.stride, 0.9, 20.0, noise_power or -1.0, True,
        companion, companion_bias, levels, w, bias, y,
    )  # fmt: skip
    assert bad == -1
    options = {"noise_power": noise_power, "fit_intercept": True, "mask": case.mask}
    output, weights, wanted_bias, steps = naive.variable_step_nlms(
        case.rows, case.d[:, 0], case.w[0], 0.9, 20.0, epsilon, **options
    )
    case.close(y[:, 0], output)
    case.close(w[0], weights)
    case.close(bias, np.array([wanted_bias], dtype))
    np.testing.assert_allclose(levels[0, 5], steps[-1], rtol=0, atol=5 * ROUNDING[case.dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_volterra_matches_its_twin(dtype):
    case = Case(dtype, n_taps=2, stride=2)
    epsilon, ratio, constant = np.linspace(0.1, 0.5, 40), np.linspace(2, 1, 40), np.full(40, 0.7)
    w, q = case.w.copy(), np.zeros((1, 4, 4), dtype)
    bias, y = np.zeros(1, dtype), np.empty((40, 1), dtype)
    bad = volterra_nlms(
        case.z, case.d, epsilon.astype(case.real), ratio, constant, case.mask, case.stride,
        case.real(0.5), w, q, bias, y,
    )  # fmt: skip
    assert bad == -1
    output, linear, quadratic, wanted_bias = naive.volterra_nlms(
        case.rows, case.d[:, 0], case.w[0], 0.5, epsilon, ratio, constant, mask=case.mask
    )
    case.close(y[:, 0], output)
    case.close(w[0], linear)
    case.close(q[0][np.triu_indices(4)], quadratic)
    case.close(bias, np.array([wanted_bias], dtype))
    np.testing.assert_array_equal(np.tril(q[0], -1), 0.0)
    frozen = np.empty((40, 1), dtype)
    volterra_output(case.z, case.stride, w, q, bias, frozen)
    wanted = case.rows @ linear + naive.products(case.rows) @ quadratic + wanted_bias
    case.close(frozen[:, 0], wanted)


@pytest.mark.parametrize("auto", [False, True])
@pytest.mark.parametrize("n_taps", [1, 4, 19])
def test_one_sample_kernels_equal_the_block_kernels(n_taps, auto):
    rng = np.random.default_rng(5)
    n = 60  # beyond the room behind the window, so that it is moved to the front
    x, d = noise(rng, n, float), noise(rng, n, float)
    z = np.concatenate([np.zeros(n_taps - 1), x])
    power, level = np.square(x), np.empty(n)
    for one in (layout.lms_one, layout.nlms_one):
        flat = np.zeros(layout.WEIGHTS + 3 * n_taps + 7)
        flat[layout.N_TAPS] = n_taps
        w, bias, y = np.zeros(n_taps), np.zeros(1), np.empty(n)
        if one is layout.lms_one:
            flat[layout.STEP], flat[layout.SHARE], flat[layout.MEMORY] = 0.02, 0.15, 0.9
            steps = np.full(n, 0.02)
            if auto:
                flat[layout.STEP] = 0.0
                held_energy(power, n_taps, 0.9, np.zeros(2), level)
                steps = 0.15 / level
            lms(z, z, d, steps, EVERYWHERE[:0], 1, 0.0, None, False, w, bias, y)
        else:
            flat[layout.STEP], flat[layout.EPSILON], flat[layout.MEMORY] = 0.5, 0.1, 20.0
            epsilon = np.full(n, 0.1)
            if auto:
                flat[layout.SHARE] = 0.3
                running_mean(power, 20.0, np.zeros(2), level)
                epsilon = 0.3 * level
            nlms(z, d, epsilon, EVERYWHERE[:0], 1, 0.5, False, w, bias, y)
        heard = [one(flat, x[k], d[k]) for k in range(n)]
        np.testing.assert_allclose(heard, y, rtol=1e-12, atol=1e-14)
        found = flat[layout.WEIGHTS : layout.WEIGHTS + n_taps]
        np.testing.assert_allclose(found, w, rtol=1e-12, atol=1e-14)
        assert np.isnan(one(flat, np.nan, 0.0))
        np.testing.assert_array_equal(flat[layout.WEIGHTS : layout.WEIGHTS + n_taps], found)


NOTCH_GAINS = {
    "frequency": notch_kernel._FREQUENCY_GAIN,
    "slew": notch_kernel._SLEW_GAIN,
    "leak": notch_kernel._SLEW_LEAK,
    "band": notch_kernel._BAND,
    "decay": notch_kernel._LEVEL_DECAY,
    "largest": notch_kernel._LARGEST_RATE,
    "doubt": notch_kernel._DOUBT,
    "homing": notch_kernel._HOMING,
    "gate": notch_kernel._GATE,
}


def run_notch(x, g, fs, home, n_harmonics, cuts=()):
    """Call the kernel on the parts of x between cuts."""
    frequency, loop = np.array([home]), np.zeros(5)
    a, z = np.zeros(n_harmonics, complex), np.zeros((4, n_harmonics), complex)
    level, out, path = np.zeros(n_harmonics), np.empty(x.size), np.empty(x.size)
    for i, j in itertools.pairwise([0, *cuts, x.size]):
        state = (frequency, loop, a, z, level)
        scale = 2 * np.pi / fs
        assert notch_kernel.notch(x[i:j], g, scale, home, True, *state, out[i:j], path[i:j]) == -1
    return out, path


@pytest.mark.parametrize(("home", "n_harmonics"), [(20.0, 1), (18.0, 3), (45.0, 2), (80.0, 1)])
@pytest.mark.parametrize("g", [0.02, 0.15])
def test_notch_equals_twin_in_any_chunks(home, n_harmonics, g):
    fs, n = 200.0, 400
    phase = 2 * np.pi * np.cumsum(np.linspace(home, 1.1 * home, n)) / fs
    x = np.cos(phase) + 0.5 * np.sin(2 * phase) + 0.1 * np.random.default_rng(0).standard_normal(n)
    x += 3.0
    out, path = run_notch(x, g, fs, home, n_harmonics)
    wanted, track = naive.tracking_notch(x, g, fs, home, n_harmonics, NOTCH_GAINS)
    assert np.ptp(track) > 0.2
    np.testing.assert_allclose(path, track, rtol=0, atol=1e-9)
    np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-9)
    cut, moved = run_notch(x, g, fs, home, n_harmonics, cuts=[0, 1, 2, 37])
    np.testing.assert_array_equal(cut, out)
    np.testing.assert_array_equal(moved, path)
