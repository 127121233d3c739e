"""Predicted errors, coherence and delays against published tables, simulation and SciPy."""

import numpy as np
import pytest
from scipy import signal
from scipy.linalg import toeplitz

from filters import LMSFilter, NLMSFilter, RLSFilter
from filters.theory import coherence_bound, estimate_delay, predicted_mse
from filters.timeseries import delay_embed

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

N_TAPS, NOISE, DELAY = 11, 0.001, 7
HAYKIN = {  # W: eigenvalue spread, J_min, small-step prediction of LMS at mu = .075
    2.9: (6.0782, 0.001376, 0.0025),
    3.1: (11.1238, 0.001752, 0.0034),
    3.3: (21.7132, 0.002474, 0.0050),
    3.5: (46.8216, 0.004156, 0.0090),
}
every_channel = pytest.mark.parametrize("W", HAYKIN)


def haykin_channel(W):
    return 0.5 * (1 + np.cos(2 * np.pi / W * (np.arange(4) - 2))) * (np.arange(4) > 0)


def haykin_moments(W):
    """R of the received signal, p = E[x a(n - 7)] and J_min of the 11-tap equaliser."""
    h = haykin_channel(W)
    r = np.zeros(N_TAPS)
    r[:4] = [h[k:] @ h[: 4 - k] for k in range(4)]
    r[0] += NOISE
    p = np.array([h[DELAY - k] if 0 <= DELAY - k < 4 else 0.0 for k in range(N_TAPS)])
    return r, p, 1 - p @ np.linalg.solve(toeplitz(r), p)


def haykin_run(W, n, rng):
    a = rng.choice([-1.0, 1.0], n)
    x = signal.lfilter(haykin_channel(W), 1, a) + np.sqrt(NOISE) * rng.standard_normal(n)
    return x, np.r_[np.zeros(DELAY), a[:-DELAY]]


def haykin_tail(filter_of, W, n, tail, n_runs):
    """Mean squared a-priori error of the last `tail` samples, over an ensemble."""
    rng = np.random.default_rng(0)
    errors = [filter_of().adapt(*haykin_run(W, n, rng)).error[-tail:] for _ in range(n_runs)]
    return np.mean(np.square(errors))


@every_channel
def test_haykins_table_is_reproduced_from_autocorrelation_alone(W):
    spread, j_min, at_075 = HAYKIN[W]
    r, _, found = haykin_moments(W)
    values = np.linalg.eigvalsh(toeplitz(r))
    np.testing.assert_allclose(values[-1] / values[0], spread, rtol=0, atol=5e-5)
    np.testing.assert_allclose(found, j_min, rtol=0, atol=5e-7)
    np.testing.assert_allclose(predicted_mse(j_min, r, step_size=0.075), at_075, rtol=0, atol=6e-5)
    matrix = predicted_mse(j_min, toeplitz(r), step_size=0.075)
    np.testing.assert_allclose(matrix, predicted_mse(j_min, r, step_size=0.075), rtol=1e-12)
    assert predicted_mse(j_min, r, step_size=2.001 / (11 * r[0])) == np.inf


@every_channel
def test_haykins_equaliser_by_rls_ends_where_predicted(W):
    r, _, j_min = haykin_moments(W)
    found = haykin_tail(lambda: RLSFilter(11, forgetting_factor=1.0, delta=0.004), W, 500, 50, 300)
    wanted = predicted_mse(j_min, r, algorithm="rls", forgetting_factor=1.0, n_samples=475)
    np.testing.assert_allclose(wanted, j_min * (1 + 11 / 475), rtol=1e-12)
    np.testing.assert_allclose(found, wanted, rtol=0.03)


@pytest.mark.parametrize(("W", "rtol"), [(2.9, 0.08), (3.5, 0.08)])
def test_haykins_equaliser_by_slow_lms_ends_where_predicted(W, rtol):
    r, _, j_min = haykin_moments(W)
    found = haykin_tail(lambda: LMSFilter(11, step_size=0.0075), W, 30_000, 15_000, 10)
    np.testing.assert_allclose(found, predicted_mse(j_min, r, step_size=0.0075), rtol=rtol)


def excess_of(filter_of, root, n, skip, n_runs, complex_data=False):
    """Excess error over unit noise; the inputs are iid Gaussian rows of covariance root root'."""
    rng = np.random.default_rng(1)
    excess = []
    for _ in range(n_runs):
        X, v = rng.standard_normal((n, len(root))), rng.standard_normal(n)
        if complex_data:
            X = (X + 1j * rng.standard_normal(X.shape)) / np.sqrt(2)
            v = (v + 1j * rng.standard_normal(n)) / np.sqrt(2)
        X = X @ root.T
        error = filter_of().adapt(X, X @ np.ones(len(root)) + v).error
        excess.append(np.mean(np.abs(error[skip:] - v[skip:]) ** 2))
    return np.mean(excess)


WHITE, COLOURED = np.eye(6), np.diag(np.sqrt(np.geomspace(0.1, 3.0, 6)))


@pytest.mark.parametrize("root", [WHITE, COLOURED], ids=["white", "coloured"])
@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("algorithm", ["lms", "nlms"])
def test_gaussian_theory_is_what_iid_rows_do(algorithm, is_complex, root):
    if algorithm == "lms":
        step, filter_of = 0.12, lambda: LMSFilter(step_size=0.12)
    else:
        step, filter_of = 0.8, lambda: NLMSFilter(step_size=0.8, regularization=0.0)
    R = (root @ root.T).astype(complex if is_complex else float)
    wanted = predicted_mse(1.0, R, algorithm=algorithm, step_size=step, theory="gaussian") - 1
    found = excess_of(filter_of, root, 40_000, 2000, 5, is_complex)
    np.testing.assert_allclose(found, wanted, rtol=0.03)
    small = predicted_mse(1.0, R, algorithm=algorithm, step_size=step) - 1
    assert abs(found - small) > 0.05 * found


@pytest.mark.parametrize("m", [3, 8, 40])
@pytest.mark.parametrize("power", [1.0, 1e-9, 1e9])
def test_gaussian_theory_of_white_rows_is_the_closed_form(m, power):
    R, mu = power * np.eye(m), 0.6
    nlms = predicted_mse(2.0, R, algorithm="nlms", step_size=mu, theory="gaussian")
    np.testing.assert_allclose(nlms, 2 * (1 + mu / (2 - mu) * m / (m - 2)), rtol=1e-9)
    circular = predicted_mse(2.0, R + 0j, algorithm="nlms", step_size=mu, theory="gaussian")
    np.testing.assert_allclose(circular, 2 * (1 + mu / (2 - mu) * m / (m - 1)), rtol=1e-9)
    mu = 1 / (m + 2)
    lms = predicted_mse(2.0, R, step_size=mu / power, theory="gaussian")
    np.testing.assert_allclose(lms, 2 * (1 + m * mu / (2 - (m + 2) * mu)), rtol=1e-12)


def test_both_theories_agree_for_small_steps():
    R = COLOURED @ COLOURED.T
    for given in ({"step_size": 1e-5}, {"algorithm": "rls", "forgetting_factor": 0.99999}):
        small, exact = (
            predicted_mse(1.0, R, theory=t, **given) for t in ("small_step", "gaussian")
        )
        np.testing.assert_allclose(small - 1, exact - 1, rtol=2e-4)
    np.testing.assert_allclose(
        predicted_mse(1.0, R, step_size=1e-5) - 1, 1e-5 * np.trace(R) / 2, rtol=1e-4
    )


@pytest.mark.parametrize("forgetting", [0.95, 0.99])
def test_rls_that_forgets_settles_where_predicted(forgetting):
    wanted = predicted_mse(
        1.0, np.eye(16), algorithm="rls", forgetting_factor=forgetting, theory="gaussian"
    )
    found = excess_of(lambda: RLSFilter(forgetting_factor=forgetting), np.eye(16), 20_000, 2000, 5)
    np.testing.assert_allclose(found, wanted - 1, rtol=0.02)


def test_rls_that_never_forgets_follows_the_inverse_wishart_law():
    rng = np.random.default_rng(0)
    excess = np.zeros(40)
    for _ in range(1500):
        X, v = rng.standard_normal((40, 4)), rng.standard_normal(40)
        excess += (RLSFilter(forgetting_factor=1.0, delta=1e-6).adapt(X, v).error - v) ** 2 / 1500
    given = {"algorithm": "rls", "forgetting_factor": 1.0, "theory": "gaussian"}
    for start, stop in ((12, 20), (20, 40)):
        wanted = [predicted_mse(1.0, np.eye(4), n_samples=n, **given) for n in range(start, stop)]
        np.testing.assert_allclose(excess[start:stop].mean(), np.mean(wanted) - 1, rtol=0.05)
    assert predicted_mse(3.0, np.eye(4), **given) == 3.0
    assert predicted_mse(3.0, np.eye(4), n_samples=5, **given) == np.inf


@pytest.mark.parametrize(
    "given",
    [
        {"step_size": 0.5},
        {"step_size": 0.4, "theory": "gaussian"},
        {"step_size": 2.0, "algorithm": "nlms"},
        {"step_size": 2.0, "algorithm": "nlms", "theory": "gaussian"},
    ],
)
def test_there_is_no_steady_state_beyond_the_bound(given):
    assert predicted_mse(1.0, np.eye(4), **given) == np.inf


def test_nlms_on_few_weights_has_no_finite_error():
    """E[1 / |x|^2] of a Gaussian is infinite for two real weights and for one complex one."""
    given = {"algorithm": "nlms", "step_size": 0.1, "theory": "gaussian"}
    assert predicted_mse(1.0, np.eye(2), **given) == np.inf
    assert predicted_mse(1.0, np.eye(1) + 0j, **given) == np.inf
    assert np.isfinite(predicted_mse(1.0, np.eye(2) + 0j, **given))
    assert predicted_mse(1.0, np.zeros((3, 3)), **given) == 1.0
    assert predicted_mse(0.0, np.eye(3), **given) == 0.0


def test_weights_without_input_cost_nothing():
    R = np.diag([0.0, 1.0, 1.0, 2.0, 0.5])
    for theory in ("small_step", "gaussian"):
        for given in ({"step_size": 0.1}, {"step_size": 0.5, "algorithm": "nlms"}):
            np.testing.assert_allclose(
                predicted_mse(1.0, R, theory=theory, **given),
                predicted_mse(1.0, R[1:, 1:], theory=theory, **given),
                rtol=1e-12,
            )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"min_mse": -1.0, "step_size": 0.1}, r"'min_mse' .* \[0.0, inf\). Got -1"),
        ({}, "needs its step_size, a positive number"),
        ({"step_size": 0.0}, r"'step_size' .* \(0.0, .* Got 0.0"),
        ({"step_size": 0.1, "algorithm": "apa"}, "'algorithm' .*'nlms'.* Got 'apa'"),
        ({"step_size": 0.1, "theory": "exact"}, "'theory' .*'gaussian'.* Got 'exact'"),
        ({"step_size": 0.1, "n_samples": 3}, "n_samples are of RLS, not of 'lms'"),
        ({"algorithm": "rls", "step_size": 0.1}, "RLS has no step_size"),
        (
            {"algorithm": "rls", "forgetting_factor": 1.1},
            r"factor' .* \(0.0, 1.0\] .* Got 1.1",
        ),
        ({"algorithm": "rls"}, r"needs its forgetting_factor, in \(0, 1\]"),
        (
            {"algorithm": "rls", "forgetting_factor": 1.0, "n_samples": 0},
            r"'n_samples' .* \[1, inf\) .* Got 0",
        ),
        ({"correlation": np.ones((2, 3)), "step_size": 0.1}, r"\(M, M\) or \(M,\), got shape"),
        ({"correlation": [[1, 2], [0, 1]], "step_size": 0.1}, "must be Hermitian"),
        ({"correlation": [1.0, 2.0], "step_size": 0.1}, "smallest -1"),
        ({"correlation": [1.0, np.nan], "step_size": 0.1}, "correlation contains NaN"),
    ],
)
def test_predictions_that_make_no_sense_are_refused(given, message):
    given = {"min_mse": 1.0, "correlation": np.eye(2), **given}
    with pytest.raises(ValueError, match=message):
        predicted_mse(given.pop("min_mse"), given.pop("correlation"), **given)


def test_the_coherence_bound_is_scipys_coherence_in_decibels():
    x, noise = np.random.default_rng(0).standard_normal((2, 30_000))
    d = signal.lfilter([1.0, 0.9], 1, x) + 0.3 * noise
    frequencies, bound = coherence_bound(x, d, 500.0)
    wanted = signal.coherence(x, d, fs=500.0)
    np.testing.assert_allclose(frequencies, wanted[0], rtol=1e-12)
    np.testing.assert_allclose(bound, -10 * np.log10(1 - wanted[1]), rtol=1e-9, atol=1e-12)
    power = np.abs(1 + 0.9 * np.exp(-2j * np.pi * frequencies / 500)) ** 2
    known = 10 * np.log10(1 + power / 0.09)
    assert np.median(np.abs(bound - known)) < 0.5
    assert np.ptp(known) > 10


def test_no_filter_beats_the_coherence_bound():
    x, noise = np.random.default_rng(0).standard_normal((2, 100_000))
    d = signal.lfilter([0.5, 1.0, 0.3], 1, x) + 0.2 * noise
    _, bound = coherence_bound(x, d)
    error = RLSFilter(3, forgetting_factor=1.0).adapt(x, d).error
    _, before = signal.welch(d, nperseg=256)
    _, after = signal.welch(error, nperseg=256)
    removed = 10 * np.log10(before / after)
    above_dc = slice(2, None)  # Welch takes each segment's mean out
    np.testing.assert_allclose(removed[above_dc], bound[above_dc], rtol=0, atol=0.4)
    too_short = RLSFilter(2, forgetting_factor=1.0).adapt(x, d).error
    removed = 10 * np.log10(before / signal.welch(too_short, nperseg=256)[1])
    assert (removed < bound + 0.4)[above_dc].all()
    assert np.median(bound - removed) > 1


def test_the_coherence_bound_at_its_extremes():
    x, other = np.random.default_rng(0).standard_normal((2, 20_000))
    assert coherence_bound(x, 2 * x)[1].min() > 120
    assert coherence_bound(x, other)[1].max() < 0.6
    np.testing.assert_array_equal(coherence_bound(x, np.zeros(20_000))[1], 0)
    frequencies, _ = coherence_bound(x + 1j * other, x, 10.0, nperseg=64)
    assert frequencies.min() == -5


@pytest.mark.parametrize(
    ("x", "d", "message"),
    [
        (np.ones(100), np.ones(100), "fewer than two half-overlapping segments of nperseg=256"),
        (np.ones(900), np.ones(901), "x has 900 samples, d has 901"),
        (np.ones((900, 2)), np.ones(900), "x must be one signal .* got 2 columns"),
        ([1.0, np.nan], np.ones(2), "x contains NaN: .* row 1"),
    ],
)
def test_bad_signals_for_the_bound_are_named(x, d, message):
    with pytest.raises(ValueError, match=message):
        coherence_bound(x, d)


@pytest.mark.parametrize("delay", [0, 1, 17, 300, -1, -17, -300])
@pytest.mark.parametrize("kind", ["real", "complex", "inverted", "offset", "huge"])
def test_a_delay_is_found_whatever_its_sign(delay, kind):
    rng = np.random.default_rng(abs(delay))
    source = rng.standard_normal(2000)
    if kind == "complex":
        source = source + 1j * rng.standard_normal(2000)
    x = source[500:1500]
    d = 0.5 * source[500 - delay : 1500 - delay] + 0.3 * rng.standard_normal(1000)
    x, d = {
        "inverted": (x, -d),
        "complex": (x, 1j * d),
        "offset": (x + 100, d - 200),
        "huge": (1e200 * x, 1e-200 * d),
    }.get(kind, (x, d))
    assert estimate_delay(x, d) == delay
    assert estimate_delay(d, x) == -delay
    assert abs(estimate_delay(x, d, max_delay=5)) <= 5


def test_a_short_signal_is_found_in_a_long_one():
    long = np.random.default_rng(0).standard_normal(1000)
    assert estimate_delay(long[400:450], long) == 400
    assert estimate_delay(long, long[400:450]) == -400


def test_a_delay_makes_an_acausal_path_causal():
    """A reference that lags by four samples removes 0 dB of white noise; undone, nearly all."""
    noise = np.random.default_rng(0).standard_normal(5000)
    primary, reference = noise, np.r_[np.zeros(4), noise[:-4]]
    k = estimate_delay(reference, primary)
    assert k == -4
    rls = RLSFilter(6, forgetting_factor=1.0)
    assert np.var(rls.adapt(reference, primary).error) > 0.98
    delayed = delay_embed(primary, 1 - k)[:, -1]
    assert np.var(rls.reset().adapt(reference, delayed).error[100:]) < 1e-5


@pytest.mark.parametrize(
    ("x", "d", "max_delay", "message"),
    [
        (np.ones(9), np.arange(9.0), None, "x is constant"),
        (np.arange(9.0), np.zeros(9), None, "d is constant"),
        (np.arange(9.0), np.arange(9.0), -1, r"'max_delay' .* \[0, inf\) .* Got -1"),
        (np.arange(9.0), [1.0, np.inf], None, "d contains infinity"),
    ],
)
def test_what_has_no_delay_is_refused(x, d, max_delay, message):
    with pytest.raises(ValueError, match=message):
        estimate_delay(x, d, max_delay=max_delay)
