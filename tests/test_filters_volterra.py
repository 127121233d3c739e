"""The Volterra filter is NLMS on explicit products, in units that do not matter."""

import naive
import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from filters import NLMSFilter, TapDelay, VolterraFilter
from filters.timeseries import DivergenceError


def quadratic_plant(n=300, n_channels=2, n_outputs=1, *, signal="real", noise=0.1, seed=0):
    """Signals through a random plant of two taps; it in the order of ``coef_.ravel()``."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.standard_normal(shape)
        return values + 1j * rng.standard_normal(shape) if signal == "complex" else values

    m = 2 * n_channels
    x, w, q = draw(n, n_channels), draw(n_outputs, m), draw(n_outputs, m, m)
    q = (q + q.transpose(0, 2, 1)) / 2
    d = volterra(x, 2, w, q, 0.5) + noise * draw(n, n_outputs)
    return x, d[:, 0] if n_outputs == 1 else d, w, q


def volterra(x, n_taps, w, q, bias):
    rows = naive.delay_rows(x, n_taps)
    return rows @ np.atleast_2d(w).T + np.einsum("ki,oij,kj->ko", rows, q, rows) + bias


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("regularization", [0.3, 0.0])
def test_it_is_nlms_on_delays_and_polynomial_features(fit_intercept, n_channels, regularization):
    x, d, _, _ = quadratic_plant(n_channels=n_channels)
    features = PolynomialFeatures(2, include_bias=False)
    features = features.fit_transform(TapDelay(3).fit_transform(x))
    options = {"regularization": regularization, "fit_intercept": fit_intercept}
    mask = np.random.default_rng(1).random(300) < 0.8
    one, other = VolterraFilter(3, quadratic_gain=1.0, **options), NLMSFilter(1, **options)
    one_output = one.adapt(x, d, update_mask=mask).output
    other_output = other.adapt(features, d, update_mask=mask).output
    np.testing.assert_allclose(one_output, other_output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(one.predict(x), other.predict(features), rtol=0, atol=1e-11)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("quadratic_gain", [0.0, 0.5])
def test_the_textbook_recursion(signal, quadratic_gain):
    x, d, _, _ = quadratic_plant(signal=signal, n_outputs=2)
    w0, mask = np.full((2, 3), 0.25), np.random.default_rng(1).random(300) < 0.8
    f = VolterraFilter(
        3,
        quadratic_gain=quadratic_gain,
        regularization=0.3,
        fit_intercept=True,
        initial_weights=w0,
    )
    got = f.adapt(x, d, update_mask=mask).output
    rows = naive.delay_rows(x, 3)
    scales = [np.full(300, v) for v in (0.3, quadratic_gain, 1.0)]
    for o in range(2):
        output, linear, quadratic, bias = naive.volterra_nlms(
            rows, d[:, o], w0.ravel(), 0.5, *scales, mask=mask
        )
        np.testing.assert_allclose(got[:, o], output, rtol=0, atol=1e-11)
        np.testing.assert_allclose(f.coef_[o].ravel(), linear, rtol=0, atol=1e-11)
        np.testing.assert_allclose(f.intercept_[o], bias, rtol=0, atol=1e-11)
        q = np.zeros((6, 6), dtype=quadratic.dtype)
        q[np.triu_indices(6)] = quadratic
        np.testing.assert_allclose(f.quadratic_coef_[o], (q + q.T) / 2, rtol=0, atol=1e-11)


def test_gain_zero_is_nlms():
    x, d, _, _ = quadratic_plant()
    one, other = VolterraFilter(4, quadratic_gain=0.0), NLMSFilter(4)
    np.testing.assert_allclose(one.adapt(x, d).output, other.adapt(x, d).output, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(one.quadratic_coef_, 0.0)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("level", [1.0, 1e-3, 100.0])
def test_a_quadratic_plant_is_identified_in_any_unit(signal, n_outputs, level):
    x, d, w, q = quadratic_plant(12_000, n_outputs=n_outputs, signal=signal, noise=0.0)
    f = VolterraFilter(2, fit_intercept=True)
    f.adapt(level * x, d)
    coef = f.coef_.reshape(n_outputs, -1) * level
    quadratic = f.quadratic_coef_.reshape(n_outputs, 4, 4) * level**2
    np.testing.assert_allclose(coef, w, rtol=0, atol=1e-3)
    np.testing.assert_allclose(quadratic, q, rtol=0, atol=1e-3)
    np.testing.assert_allclose(f.intercept_, 0.5, rtol=0, atol=1e-3)
    assert f.intercept_.shape == (() if n_outputs == 1 else (2,))


@pytest.mark.parametrize("level", [1.0, 1e-2, 1e2])
def test_auto_gain_learns_where_the_plain_norm_does_only_for_unit_power(level):
    x, d, _, _ = quadratic_plant(4000, n_channels=1, noise=0.0)
    ours = VolterraFilter(4, fit_intercept=True).adapt(level * x, d).error
    plain = VolterraFilter(4, fit_intercept=True, quadratic_gain=1.0).adapt(level * x, d).error
    assert np.mean(ours[-200:] ** 2) < 1e-6 * np.var(d)
    assert (np.mean(plain[-200:] ** 2) < 1e-3 * np.var(d)) == (level == 1.0)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_predict_and_streams_answer_with_the_quadratic_part(n_outputs, fit_intercept):
    x, d, _, _ = quadratic_plant(n_outputs=n_outputs)
    f = VolterraFilter(3, fit_intercept=fit_intercept).fit(x[:200], d[:200])
    coef, q = f.coef_.reshape(n_outputs, -1), f.quadratic_coef_.reshape(n_outputs, 6, 6)
    np.testing.assert_array_equal(q, q.transpose(0, 2, 1))
    wanted = volterra(x, 3, coef, q, f.intercept_)
    got = f.predict(x).reshape(300, -1)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-11)
    session = f.stream()
    np.testing.assert_array_equal(session.predict_many(x).reshape(300, -1)[2:], got[2:])
    one, other = f.stream(), f.stream()
    for k in range(200, 220):
        one.learn_error(d[k] - one.predict_one(x[k]))
        other.learn_one(x[k], d[k])
    np.testing.assert_allclose(
        one.predict_one(x[220]), other.predict_one(x[220]), rtol=0, atol=1e-10
    )
    frozen = f.adapt(x[200:], d[200:], update_mask=np.zeros(100, dtype=bool)).output
    np.testing.assert_allclose(frozen.reshape(100, -1)[2:], wanted[202:], rtol=0, atol=1e-11)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(("a", "b"), [(2.0**-500, -(2.0**-500)), (2.0**20, 2.0**30)])
def test_units_do_not_matter_bit_for_bit(fit_intercept, a, b):
    x, d, _, _ = quadratic_plant()
    one = VolterraFilter(3, fit_intercept=fit_intercept).fit(x, d)
    other = VolterraFilter(3, fit_intercept=fit_intercept).fit(a * x, b * d)
    np.testing.assert_array_equal(a * (other.coef_ / b), one.coef_)
    np.testing.assert_array_equal(a**2 * (other.quadratic_coef_ / b), one.quadratic_coef_)
    np.testing.assert_array_equal(other.intercept_ / b, one.intercept_)


def test_a_faint_start_does_not_spoil_what_follows():
    x, _, w, q = quadratic_plant(3000, n_channels=1)
    x[0] = 1e-8
    d = volterra(x, 2, w, q, 0.5)
    error = VolterraFilter(2, fit_intercept=True).adapt(x, d).error
    assert np.abs(error).max() < 100 * np.abs(d).max()
    assert np.abs(error[-100:]).max() < 1e-6


def test_a_hopelessly_faint_signal_is_learned_all_the_same():
    x, d, w, q = quadratic_plant(6000, n_channels=1, noise=0.0)
    f = VolterraFilter(2, fit_intercept=True)
    f.adapt(1e-150 * x, 1e-150 * d)
    np.testing.assert_allclose(f.coef_.ravel(), w[0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(f.quadratic_coef_ / 1e150, q[0], rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_single_precision_stays_single(dtype):
    signal = "complex" if dtype is np.complex64 else "real"
    x, d, _, _ = quadratic_plant(signal=signal)
    f, g = VolterraFilter(3), VolterraFilter(3)
    result = f.adapt(x.astype(dtype), d.astype(dtype))
    assert result.output.dtype == f.coef_.dtype == f.quadratic_coef_.dtype == dtype
    np.testing.assert_allclose(result.output, g.adapt(x, d).output, rtol=0, atol=1e-2)


@pytest.mark.parametrize("cuts", [(1, 2, 3), (15, 16, 17), (7, 8, 150, 299)])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_any_chunks_give_the_same_bits(cuts, n_outputs):
    x, d, _, _ = quadratic_plant(n_outputs=n_outputs)
    one, other = VolterraFilter(3, fit_intercept=True), VolterraFilter(3, fit_intercept=True)
    spans = zip((0, *cuts), (*cuts, 300), strict=True)
    parts = np.concatenate([one.adapt(x[a:b], d[a:b]).output for a, b in spans])
    np.testing.assert_array_equal(parts, other.adapt(x, d).output)
    np.testing.assert_array_equal(one.quadratic_coef_, other.quadratic_coef_)


def test_silence_changes_nothing_and_a_burst_is_forgotten():
    x, d, w, q = quadratic_plant(40_000, n_channels=1, noise=0.0)
    silent = np.zeros((20_000, 1))
    f = VolterraFilter(2, fit_intercept=True)
    f.adapt(silent, silent)
    x[1000:1010] *= 1e8
    d = volterra(x, 2, w, q, 0.5)
    result = f.adapt(x, d)
    assert np.abs(result.error[-1000:]).max() < 1e-6
    f.adapt(silent[:2], d[:2] * 0 + 0.5)
    before = f.quadratic_coef_.copy()
    f.adapt(silent, silent + 0.5)
    np.testing.assert_array_equal(f.quadratic_coef_, before)
    f.adapt(x[2000:6000], d[2000:6000])
    np.testing.assert_allclose(f.quadratic_coef_, q[0], rtol=0, atol=1e-6)


def test_a_step_above_two_diverges_and_the_bound_is_named():
    x, d, _, _ = quadratic_plant(4000, n_channels=1)
    for quadratic_gain in ("auto", 1.0):
        f = VolterraFilter(1, step_size=2.5, regularization=0.0, quadratic_gain=quadratic_gain)
        with pytest.raises(DivergenceError, match=r"step_size=2.5.* 0 < step_size < 2"):
            f.fit(x, d)


def test_a_last_update_that_overflows_is_reported_at_once():
    f = VolterraFilter(1, quadratic_gain=1e300, regularization=0.0)
    with pytest.raises(DivergenceError, match="time step 1 "):
        f.adapt([1e-100], [1e120])


def test_linear_weights_are_stored_on_the_way():
    x, d, _, _ = quadratic_plant(n_outputs=2)
    f = VolterraFilter(3, store_weights=50)
    first, second = f.adapt(x[:120], d[:120]).weights, f.adapt(x[120:], d[120:]).weights
    assert first.shape == (2, 2, 2, 3)
    assert second.shape == (4, 2, 2, 3)
    np.testing.assert_array_equal(second[-1], f.coef_)
    at_100 = VolterraFilter(3)
    at_100.adapt(x[:100], d[:100])
    np.testing.assert_array_equal(first[-1], at_100.coef_)
