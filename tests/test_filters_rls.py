"""RLS against its closed form, ridge regression, the Kalman filter, and a million samples."""

import naive
import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import LinearRegression, Ridge

from filters import RLSFilter


def problem(n=120, n_channels=2, n_outputs=1, *, signal="real", noise=0.3, seed=0):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.standard_normal(shape)
        return values + 1j * rng.standard_normal(shape) if signal == "complex" else values

    x = draw(n, n_channels) + 0.5
    d = naive.delay_rows(x, 3) @ draw(3 * n_channels, n_outputs)
    return x, d + noise * draw(n, n_outputs)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("forgetting", [1.0, 0.99, 0.9])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_rls_is_the_weighted_ridge_solution_at_every_sample(signal, forgetting, n_outputs):
    x, d = problem(n_outputs=n_outputs, signal=signal)
    rows = naive.delay_rows(x, 3)
    rls = RLSFilter(3, forgetting_factor=forgetting, delta=0.2, store_weights=1)
    weights = rls.adapt(x, d).weights.reshape(len(d), n_outputs, 6)
    for n in (1, 2, 5, 6, 40, 120):
        wanted = naive.weighted_ridge(rows[:n], d[:n], forgetting, 0.2)
        np.testing.assert_allclose(weights[n - 1], wanted.T, rtol=0, atol=1e-11)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_rls_from_given_weights_is_ridge_around_them(n):
    x, d = problem()
    w0 = np.arange(6.0).reshape(2, 3)
    rls = RLSFilter(3, forgetting_factor=0.97, delta=2.0, initial_weights=w0)
    rls.adapt(x[:n], d[:n, 0])
    rows = naive.delay_rows(x, 3)
    wanted = naive.weighted_ridge(rows[:n], d[:n, 0], 0.97, 2.0, w0.ravel())
    np.testing.assert_allclose(rls.coef_.ravel(), wanted, rtol=0, atol=1e-11)


@pytest.mark.parametrize("delta", [1e-3, 1.0, 50.0])
def test_rls_without_forgetting_is_ridge_with_alpha_delta(delta):
    x, d = problem()
    rls = RLSFilter(3, forgetting_factor=1.0, delta=delta).fit(x, d[:, 0])
    ridge = Ridge(alpha=delta, fit_intercept=False).fit(naive.delay_rows(x, 3), d[:, 0])
    np.testing.assert_allclose(rls.coef_.ravel(), ridge.coef_, rtol=0, atol=1e-11)


def test_rls_without_forgetting_is_the_kalman_filter_of_constant_weights():
    x, d = problem()
    rls = RLSFilter(3, forgetting_factor=1.0, delta=0.5).fit(x, d[:, 0])
    w, P = naive.kalman(naive.delay_rows(x, 3), d[:, 0], np.zeros(6), np.eye(6) / 0.5)
    np.testing.assert_allclose(rls.coef_.ravel(), w, rtol=0, atol=1e-11)
    found = rls.stream().state["P"]
    order = [(2 - j) * 2 + c for c in range(2) for j in range(3)]  # ours: oldest row first
    full = np.tril(found) + np.tril(found, -1).T
    np.testing.assert_allclose(full[np.ix_(order, order)], P, rtol=0, atol=1e-13)


@pytest.mark.parametrize("forgetting", [1.0, 0.95])
def test_rls_intercept_is_the_weight_of_a_constant_input(forgetting):
    x, d = problem()
    rls = RLSFilter(3, forgetting_factor=forgetting, delta=0.1, fit_intercept=True)
    rls.fit(x + 4.0, d[:, 0] + 7.0)
    rows = np.column_stack([naive.delay_rows(x + 4.0, 3), np.ones(len(x))])
    wanted = naive.weighted_ridge(rows, d[:, 0] + 7.0, forgetting, 0.1)
    np.testing.assert_allclose(rls.coef_.ravel(), wanted[:-1], rtol=0, atol=1e-10)
    np.testing.assert_allclose(rls.intercept_, wanted[-1], rtol=0, atol=1e-10)


def test_rls_intercept_is_joint_on_inputs_with_a_mean():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2)) + 10.0
    y = X @ [3.0, -2.0] + 5.0 + 0.1 * rng.standard_normal(400)
    rls = RLSFilter(forgetting_factor=1.0, delta=1e-6, fit_intercept=True).fit(X, y)
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(rls.coef_[:, 0], peer.coef_, rtol=1e-6)
    np.testing.assert_allclose(rls.intercept_, peer.intercept_, rtol=1e-5)


def test_rls_a_priori_error_on_iid_rows_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    n_inputs, n, n_runs = 4, 60, 600
    squares = np.zeros(n)
    for _ in range(n_runs):
        x = rng.standard_normal((n, n_inputs))
        d = x @ rng.standard_normal(n_inputs) + rng.standard_normal(n)
        rls = RLSFilter(forgetting_factor=1.0, delta=1e-9)
        squares += rls.adapt(x, d).error ** 2 / n_runs
    seen = np.arange(n)[20:]
    theory = 1 + n_inputs / (seen - n_inputs - 1)
    np.testing.assert_allclose(np.mean(squares[20:] / theory), 1.0, rtol=0.03)
    early = slice(8, 16)
    wanted = 1 + n_inputs / (np.arange(n)[early] - n_inputs - 1)
    np.testing.assert_allclose(np.mean(squares[early] / wanted), 1.0, rtol=0.1)


def test_rls_auto_delta_is_a_hundredth_of_the_first_power():
    x, d = problem()
    x[0] *= 10 * np.abs(x).max() / np.abs(x[0]).min()
    delta = 0.01 * np.mean(x[0] ** 2)
    auto, fixed = (RLSFilter(3, delta=v).adapt(x, d).output for v in ("auto", delta))
    np.testing.assert_array_equal(auto, fixed)


def test_rls_auto_delta_starts_anew_where_the_input_grows():
    rng = np.random.default_rng(0)
    x, d = rng.uniform(1, 2, (40, 2)), rng.standard_normal(40)
    x[:5] *= 1e-3
    auto = RLSFilter(forgetting_factor=0.99).fit(x, d)
    before = RLSFilter(forgetting_factor=0.99, delta=0.01 * np.mean(x[0] ** 2)).fit(x[:5], d[:5])
    after = RLSFilter(
        forgetting_factor=0.99, delta=0.01 * np.mean(x[5] ** 2), initial_weights=before.coef_
    ).fit(x[5:], d[5:])
    np.testing.assert_allclose(auto.coef_, after.coef_, rtol=1e-12)


@pytest.mark.parametrize("n", [5, 200, 1024, 5000])
def test_rls_auto_delta_waits_for_the_first_sound(n):
    x, d = problem()
    x[1:] *= np.abs(x[0]).min() / np.abs(x[1:]).max()  # the first row is the loudest
    late, start = np.concatenate([np.zeros((n, 2)), x]), np.concatenate([np.zeros((n, 1)), d])
    delta = 0.01 * np.mean(x[0] ** 2)
    auto = RLSFilter(3).adapt(late, start).output[n:]
    np.testing.assert_array_equal(auto, RLSFilter(3, delta=delta).adapt(x, d).output)


# ---- endurance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("pole", [0.0, 0.95], ids=["white", "AR(.95)"])
@pytest.mark.parametrize("forgetting", [0.95, 0.98])
def test_rls_is_still_right_after_a_million_samples(dtype, pole, forgetting):
    rng = np.random.default_rng(0)
    n, n_taps = 1_000_000, 4
    x = lfilter([1.0], [1.0, -pole], rng.standard_normal(n, dtype=dtype)).astype(dtype)
    clean = lfilter([1.0, -0.5, 0.25, 2.0], 1, x)
    d = (clean + 0.1 * rng.standard_normal(n)).astype(dtype)
    output = RLSFilter(n_taps, forgetting_factor=forgetting).adapt(x, d).output
    excess = ((clean - output) ** 2).reshape(100, -1).mean(axis=1) / 0.01
    theory = n_taps * (1 - forgetting) / (1 + forgetting)  # small for slow forgetting
    assert excess[1:].max() < 2 * theory
    np.testing.assert_allclose(excess[-50:].mean(), theory, rtol=0.3)


PLANT = np.array([1.0, -0.5, 0.25, 2.0, 0.1, 0.7, -1.0, 0.3])


def tone_then_noise(n, w0, dtype):
    rng = np.random.default_rng(0)
    x = np.concatenate([np.sin(w0 * np.arange(n)), rng.standard_normal(4000)]).astype(dtype)
    return x, (lfilter(PLANT, 1, x) + 1e-3 * rng.standard_normal(n + 4000)).astype(dtype)


@pytest.mark.parametrize("w0", [0.01, 0.3, 2.5])
@pytest.mark.parametrize("forgetting", [0.9, 0.95, 0.999])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rls_survives_a_long_tone_and_learns_from_the_noise_after_it(dtype, forgetting, w0):
    n = 100_000
    rls = RLSFilter(8, forgetting_factor=forgetting)
    error = np.abs(rls.adapt(*tone_then_noise(n, w0, dtype)).error)
    assert error[1000:n].max() < 0.02
    assert error[-2000:].max() < 0.02
    np.testing.assert_allclose(rls.coef_[0], PLANT, rtol=0, atol=3e-3)


def test_rls_wind_up_of_p_is_capped():
    tone = np.sin(0.3 * np.arange(20_000))
    rls = RLSFilter(8, forgetting_factor=0.9, delta=1.0).fit(tone[:, np.newaxis], tone)
    assert np.trace(rls.stream().state["P"]) <= 8 * 1e7 / 0.9 * (1 + 1e-9)


def test_rls_weights_stay_through_a_noisy_tone_in_single_precision():
    rng = np.random.default_rng(0)
    n, n_after = 200_000, 2000
    x = np.concatenate([rng.standard_normal(5000), np.sin(0.3 * np.arange(n))])
    x = np.concatenate([x, rng.standard_normal(n_after)]).astype(np.float32)
    clean = lfilter(PLANT, 1, x.astype(float))
    d = (clean + 0.1 * rng.standard_normal(x.size)).astype(np.float32)
    result = RLSFilter(8, forgetting_factor=0.99, store_weights=1000).adapt(x, d)
    norms = np.linalg.norm(result.weights.reshape(-1, 8), axis=1)
    assert norms[5:].max() < 1.2 * np.linalg.norm(PLANT)  # the rounding of x does not drive them
    after = np.abs(clean - result.output)[-n_after:]
    assert after[:20].max() < 10
    assert after[100:].max() < 0.2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rls_follows_a_fall_of_the_level_by_80_db(dtype):
    rng = np.random.default_rng(0)
    level = np.repeat([1.0, 1e-4], [3000, 20_000])
    x = (level * rng.standard_normal(level.size)).astype(dtype)
    plant = np.where(level == 1, lfilter(PLANT, 1, x), -lfilter(PLANT, 1, x))
    d = (plant + 0.1 * level * rng.standard_normal(level.size)).astype(dtype)
    output = RLSFilter(8, forgetting_factor=0.99).adapt(x, d).output
    excess = np.mean((plant - output)[-5000:] ** 2) / 1e-10
    np.testing.assert_array_less(excess, 2 * 8 * 0.01 / 1.99)


def test_rls_covariance_stays_positive_and_its_stored_trace_true():
    rng = np.random.default_rng(0)
    x, d = rng.standard_normal((50_000, 1)), rng.standard_normal(50_000)
    state = RLSFilter(6, forgetting_factor=0.9).fit(x, d).stream().state
    P = np.tril(state["P"]) + np.tril(state["P"], -1).T
    assert np.linalg.eigvalsh(P).min() > 0
    np.testing.assert_allclose(state["trace"], np.trace(P), rtol=1e-12)
