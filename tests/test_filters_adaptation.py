"""Measures of adaptation against closed forms, exact recursions and slow loops."""

import numpy as np
import pytest

from filters import LMSFilter, NLMSFilter, RLSFilter
from filters.theory import predicted_mse
from filters.timeseries import (
    DivergenceError,
    _ensemble,
    convergence_time,
    ensemble_learning_curve,
    snr_db,
    snr_gain_db,
)
from filters.timeseries._adaptation import error_power, moving_mean

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

# ---- gain of the signal-to-noise ratio -----------------------------------------------------------


def test_snr_gain_is_the_ratio_of_the_noise_powers():
    clean, first, second = np.random.default_rng(0).standard_normal((3, 400))
    gain = snr_gain_db(clean, clean + first, clean + 0.1 * second)
    wanted = 10 * np.log10(np.sum(first**2) / np.sum((0.1 * second) ** 2))
    np.testing.assert_allclose(gain, wanted, rtol=1e-12)
    np.testing.assert_allclose(
        snr_gain_db(clean, clean + 0.1 * second, clean + first), -wanted, rtol=1e-12
    )


def test_snr_gain_at_the_edges():
    clean, noisy = np.array([1.0, -2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    assert snr_gain_db(clean, noisy, noisy) == 0.0
    assert snr_gain_db(clean, noisy, clean) == np.inf
    assert snr_gain_db(clean, clean, noisy) == -np.inf
    with pytest.raises(ValueError, match="no noise to reduce"):
        snr_gain_db(clean, clean, clean)
    with pytest.raises(ValueError, match="clean is zero throughout"):
        snr_gain_db(0 * clean, noisy, noisy)
    with pytest.raises(ValueError, match="shapes"):
        snr_gain_db(clean, noisy, noisy[:2])
    assert np.isfinite(snr_db(clean, noisy))


# ---- moving average ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("window", [1, 2, 3, 4, 7, 13, 64, 1000])
def test_moving_mean_is_that_of_a_slow_loop(n, window):
    values = np.random.default_rng(n).uniform(0, 1, n)
    wanted = [
        np.mean([values[s] for s in range(t - window // 2, t - window // 2 + window) if 0 <= s < n])
        for t in range(n)
    ]
    np.testing.assert_allclose(moving_mean(values, min(window, 2 * n - 1)), wanted, rtol=1e-13)
    if window > 2 * n:
        np.testing.assert_allclose(moving_mean(values, window), np.mean(values), rtol=1e-13)


def test_moving_mean_forgets_a_burst_without_rounding_error():
    values = np.full(300, 1e-3)
    values[100] = 1e16
    np.testing.assert_allclose(moving_mean(values, 10)[150:], 1e-3, rtol=1e-14)


@pytest.mark.parametrize("window", [0, -1, 2.5, True])
def test_moving_mean_refuses_a_window_that_is_none(window):
    with pytest.raises(ValueError, match="window must be a whole number of at least 1"):
        moving_mean(np.ones(3), window)


# ---- convergence time ----------------------------------------------------------------------------


def decay(tau, start, n=4000, floor=1.0):
    """An error whose power is floor + start exp(-t / tau)."""
    return np.sqrt(floor + start * np.exp(-np.arange(n) / tau))


@pytest.mark.parametrize("tau", [20.0, 130.0])
@pytest.mark.parametrize("start", [10.0, 1e4])
@pytest.mark.parametrize("tolerance_db", [1.0, 3.0])
@pytest.mark.parametrize("window", [1, 25])
def test_convergence_time_of_an_exponential_is_that_of_its_formula(
    tau, start, tolerance_db, window
):
    # A centred average over 2 h + 1 samples multiplies exp(-t / tau) by a constant.
    h = window // 2
    blur = np.mean(np.exp(np.arange(-h, h + 1) / tau))
    wanted = np.ceil(tau * np.log(start * blur / (10 ** (tolerance_db / 10) - 1)))
    options = {"tolerance_db": tolerance_db, "window": window}
    error = decay(tau, start)
    assert convergence_time(error, steady_state=1.0, **options) == wanted
    assert convergence_time(error, **options) == wanted
    assert convergence_time(-1j * error, **options) == wanted
    assert convergence_time(np.column_stack([error, error]), **options) == wanted


@pytest.mark.parametrize("scale", [1e-150, 1e-200, 1e8, 1e200])
def test_convergence_time_does_not_depend_on_the_unit(scale):
    error = decay(50.0, 1e3)
    assert convergence_time(scale * error, window=1) == convergence_time(error, window=1) == 346.0


def test_convergence_time_of_settled_noise_is_zero_and_of_slow_decay_never():
    noise = np.random.default_rng(0).standard_normal(20_000)
    assert convergence_time(noise) == 0.0
    assert convergence_time(decay(300.0, 1e8), window=1) == np.inf  # still falling
    assert convergence_time(noise, steady_state=10.0) == np.inf
    assert convergence_time(np.exp(np.arange(900) / 50)) == np.inf


def test_convergence_within_the_tail_does_not_count():
    error = np.r_[np.full(850, 2.0), np.ones(150)]
    assert convergence_time(error, window=1, tail=0.15) == 850.0
    assert convergence_time(error, window=1, tail=0.16) == np.inf
    assert convergence_time(error, window=1, steady_state=1.0) == 850.0


def test_convergence_time_counts_the_last_time_outside():
    error = np.ones(1000)
    error[300] = 100.0
    assert convergence_time(error, window=1) == 301.0
    assert convergence_time(error, window=11) == 306.0
    error[300] = 0.0  # too quiet is outside as well
    assert convergence_time(error, window=1) == 301.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_convergence_time_treats_what_is_not_finite_as_outside(bad):
    error = np.ones(1000)
    error[300] = bad
    assert convergence_time(error, window=1) == 301.0
    assert convergence_time(error, window=11) == 306.0
    error[-50] = bad
    assert convergence_time(error, window=1) == np.inf
    assert convergence_time(error, window=1, steady_state=1.0) == 951.0
    assert convergence_time(np.full(10, bad), window=1) == np.inf


def test_convergence_time_of_silence_and_of_one_sample():
    assert convergence_time(np.zeros(10)) == 0.0
    assert convergence_time(np.r_[np.ones(5), np.zeros(95)], window=1) == 5.0
    assert convergence_time([3.0]) == 0.0


def test_convergence_time_counts_whole_numbers_as_numbers():
    assert convergence_time(np.r_[np.full(5, 300, np.int16), np.full(95, 2, np.int16)]) < 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance_db": 0.0}, r"The 'tolerance_db' parameter .* \(0.0, .* Got 0.0"),
        ({"tolerance_db": np.nan}, "The 'tolerance_db' parameter .* Got nan"),
        ({"tail": 0.0}, r"The 'tail' parameter .* range \(0.0, 1.0\). Got 0.0"),
        ({"tail": 1.0}, r"The 'tail' parameter .* range \(0.0, 1.0\). Got 1.0"),
        ({"steady_state": -1.0}, r"The 'steady_state' parameter .* Got -1.0"),
        ({"steady_state": np.nan}, "The 'steady_state' parameter .* Got nan"),
        ({"window": 0}, r"The 'window' parameter .* \[1, .* Got 0"),
    ],
)
def test_convergence_time_refuses_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        convergence_time(np.ones(10), **options)


@pytest.mark.parametrize("error", [[], np.ones((2, 2, 2)), 1.0])
def test_convergence_time_refuses_what_is_no_error_signal(error):
    with pytest.raises(ValueError, match="error must have shape"):
        convergence_time(error)


def test_error_power_is_the_mean_over_outputs():
    power, scale = error_power([[3.0, 4.0], [1e-3, 0.0]])
    np.testing.assert_allclose(power * scale**2, [12.5, 5e-7], rtol=1e-13)


# ---- ensembles -----------------------------------------------------------------------------------

N_INPUTS, NOISE = 8, 0.01
TRUE = np.random.default_rng(5).standard_normal((N_INPUTS, 1))


def independent_rows(seed, n_timesteps=600):
    """Gaussian rows of unit variance, all independent: LMS theory is exact for them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_timesteps, N_INPUTS))
    return x, x @ TRUE[:, 0] + np.sqrt(NOISE) * rng.standard_normal(n_timesteps), TRUE


def exact_deviation(step, n_timesteps):
    """E |w* - w(t)|^2 before sample t = 0, 1, ..., n_timesteps of LMS on independent rows.

    k <- (1 - 2 mu + mu^2 (M + 2)) k + mu^2 M sv2, since E[x x' |x|^2] = (M + 2) I.
    """
    k = [float(np.sum(TRUE**2))]
    for _ in range(n_timesteps):
        k.append((1 - 2 * step + step**2 * (N_INPUTS + 2)) * k[-1] + step**2 * N_INPUTS * NOISE)
    return np.array(k)


@pytest.mark.parametrize("step", [0.02, 0.05])
def test_lms_learning_curve_is_the_exact_one(step):
    n = 600
    deviation = exact_deviation(step, n)
    curve = ensemble_learning_curve(
        LMSFilter(step_size=step), independent_rows, n_runs=400, random_state=0
    )
    wanted = NOISE + deviation[:n]
    tail = slice(400, None)
    np.testing.assert_allclose(curve.average[tail].mean(), wanted[tail].mean(), rtol=0.02)
    # e^2 is chi-squared: 400 runs in blocks of 40 samples give the time course to 15 %.
    blocks = curve.average.reshape(-1, 40).mean(axis=1)
    np.testing.assert_allclose(blocks, wanted.reshape(-1, 40).mean(axis=1), rtol=0.15)
    limit = predicted_mse(NOISE, np.eye(N_INPUTS), step_size=step, theory="gaussian")
    settled = NOISE + exact_deviation(step, 5000)[-1]
    np.testing.assert_allclose(settled, limit, rtol=1e-10)


def test_misalignment_curve_is_the_exact_one():
    n, step = 300, 0.05
    deviation = exact_deviation(step, n)[1:] / np.sum(TRUE**2)
    curve = ensemble_learning_curve(
        LMSFilter(step_size=step),
        lambda seed: independent_rows(seed, n),
        n_runs=100,
        measure="misalignment",
        random_state=1,
    )
    np.testing.assert_allclose(curve.average[200:].mean(), deviation[200:].mean(), rtol=0.05)
    np.testing.assert_allclose(curve.average[:20], deviation[:20], rtol=0.1)


def naive_curves(filter_of, make_signals, seeds, measure):
    table = []
    for seed in seeds:
        x, d, true = make_signals(int(seed))
        result = filter_of().set_params(store_weights=1).adapt(x, d)
        if measure == "error":
            table.append([abs(e) ** 2 for e in result.error])
        else:
            norm = np.sum(np.abs(true) ** 2)
            table.append([np.sum(np.abs(w - true) ** 2) / norm for w in result.weights])
    return np.array(table)


@pytest.mark.parametrize("measure", ["error", "misalignment"])
@pytest.mark.parametrize("average", ["mean", "median"])
@pytest.mark.parametrize("held", [2**22, 35])
def test_ensemble_is_that_of_a_slow_loop_whatever_is_held(monkeypatch, measure, average, held):
    monkeypatch.setattr(_ensemble, "_MAX_VALUES", held)
    monkeypatch.setattr(_ensemble, "_BLOCK", 13)

    def make_signals(seed):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(40) + 1j * rng.standard_normal(40)
        true = np.array([[1.0 - 0.5j, 0.3j, -0.2]])
        d = np.convolve(x, true[0])[:40] + 0.1 * rng.standard_normal(40)
        return x, d, true

    curve = ensemble_learning_curve(
        NLMSFilter(3), make_signals, n_runs=5, average=average, measure=measure, random_state=3
    )
    table = naive_curves(lambda: NLMSFilter(3), make_signals, curve.seeds, measure)
    wanted = table.mean(axis=0) if average == "mean" else np.median(table, axis=0)
    np.testing.assert_allclose(curve.average, wanted, rtol=1e-12)
    np.testing.assert_allclose(curve.lower_quartile, np.percentile(table, 25, axis=0), rtol=1e-12)
    np.testing.assert_allclose(curve.upper_quartile, np.percentile(table, 75, axis=0), rtol=1e-12)
    assert len(set(curve.seeds.tolist())) == 5


def test_ensemble_is_repeatable_and_leaves_the_filter_alone():
    adapted = RLSFilter(1).fit(np.eye(3), np.arange(3.0))
    before = adapted.coef_.copy()
    one, two, other = (
        ensemble_learning_curve(adapted, independent_rows, n_runs=3, random_state=seed)
        for seed in (0, np.random.RandomState(0), 1)
    )
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one.average, other.average)
    np.testing.assert_array_equal(adapted.coef_, before)
    single = ensemble_learning_curve(adapted, independent_rows, n_runs=1, random_state=0)
    np.testing.assert_array_equal(single.average, single.lower_quartile)


def test_a_run_that_diverges_is_named():
    def make_signals(seed):
        rng = np.random.default_rng(seed)
        made.append(seed)
        x = rng.standard_normal(3000) * (10.0 if len(made) == 4 else 0.1)
        return x, x

    made = []
    with pytest.raises(DivergenceError, match="LMSFilter diverged at time step") as caught:
        ensemble_learning_curve(LMSFilter(step_size=0.9), make_signals, n_runs=5, random_state=0)
    # The first call only asks for the length, so the fourth is run 2.
    assert str(caught.value).startswith(f"run 2 of 5, make_signals({made[3]}): ")
    assert 0 < caught.value.step < 3000


def test_an_error_in_a_run_says_which_one():
    def make_signals(seed):
        x = np.ones(10)
        made.append(seed)
        x[3] = np.nan if len(made) == 3 else 1.0
        return x, x

    made = []
    with pytest.raises(ValueError, match="x contains NaN") as caught:
        ensemble_learning_curve(NLMSFilter(), make_signals, n_runs=3, random_state=0)
    assert caught.value.__notes__ == [f"This was run 1 of 3, make_signals({made[2]})."]


@pytest.mark.parametrize(
    ("make_signals", "options", "message"),
    [
        (lambda s: np.ones(3), {}, r"must return \(x, d\)"),
        (lambda s: (np.ones(3),), {}, r"must return \(x, d\)"),
        (lambda s: (np.ones(3), np.ones(4)), {}, r"x of shape \(3,\) and d of shape \(4,\)"),
        (lambda s: (1.0, 1.0), {}, r"x of shape \(\)"),
        (lambda s: (np.ones(3 + s % 50), np.ones(3 + s % 50)), {}, "the first run had"),
        (lambda s: (np.ones(3), np.ones(3)), {"measure": "misalignment"}, "needs make_signals"),
        (
            lambda s: (np.ones(3), np.ones(3), np.zeros(1)),
            {"measure": "misalignment"},
            "zero throughout",
        ),
        (
            lambda s: (np.ones(3), np.ones(3), np.ones(2)),
            {"measure": "misalignment"},
            r"true_weights have shape \(2,\), the filter's coef_ has \(1, 1\)",
        ),
        (independent_rows, {"measure": "mse"}, "The 'measure' parameter .* Got 'mse'"),
        (independent_rows, {"average": "max"}, "The 'average' parameter .* Got 'max'"),
        (independent_rows, {"n_runs": 0}, r"The 'n_runs' parameter .* \[1, .* Got 0"),
        (independent_rows, {"n_runs": 1.5}, "The 'n_runs' parameter .* Got 1.5"),
    ],
)
def test_ensemble_refuses_what_it_cannot_average(make_signals, options, message):
    with pytest.raises(ValueError, match=message):
        ensemble_learning_curve(NLMSFilter(), make_signals, random_state=0, **options)


def test_ensemble_refuses_what_does_not_adapt():
    with pytest.raises(ValueError, match=r"'filter' parameter .* implementing 'adapt'"):
        ensemble_learning_curve(object(), independent_rows)
