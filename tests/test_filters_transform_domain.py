"""The cosine transform changes no LMS, slides without drift, and makes coloured input easy."""

import naive
import numpy as np
import pytest
from filters_under_test import assert_adapt_alike, problem_with_a_constant
from scipy.signal import lfilter

from filters import LMSFilter, NLMSFilter, TransformDomainFilter
from filters.timeseries import DivergenceError


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("options", [{}, {"fit_intercept": True}])
def test_without_normalization_it_is_lms(signal, n_outputs, options):
    x, d = problem_with_a_constant(signal=signal, n_outputs=n_outputs)
    options = options | {"step_size": 0.005, "initial_weights": np.ones((2, 6))}
    one, other = TransformDomainFilter(6, normalize=False, **options), LMSFilter(6, **options)
    assert_adapt_alike(one, other, x, d, output_atol=1e-13, weights_atol=1e-13)


@pytest.mark.parametrize("regularization", [0.0, 0.5, "auto"])
@pytest.mark.parametrize("signal", ["real", "complex"])
def test_one_tap_is_nlms(regularization, signal):
    x, d = problem_with_a_constant(n_channels=1, signal=signal)
    one = TransformDomainFilter(1, regularization=regularization)
    other = NLMSFilter(1, regularization=regularization)
    np.testing.assert_allclose(one.adapt(x, d).output, other.adapt(x, d).output, rtol=0, atol=1e-13)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("n_taps", [1, 2, 7])
def test_sliding_equals_transforming_every_delay_line(signal, fit_intercept, n_taps):
    x, d = problem_with_a_constant(signal=signal)
    mask = np.random.default_rng(1).random(300) < 0.8
    f = TransformDomainFilter(
        n_taps, regularization=0.3, forgetting_factor=0.9, fit_intercept=fit_intercept
    )
    got = f.adapt(x, d, update_mask=mask).output
    lines, epsilon = naive.delay_rows(x, n_taps).reshape(300, 2, n_taps), np.full(300, 0.3)
    options = {"fit_intercept": fit_intercept, "mask": mask}
    output, coef, bias = naive.transform_domain(lines, d, 0.5, epsilon, 10.0, **options)
    np.testing.assert_allclose(got, output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(f.coef_, coef, rtol=0, atol=1e-12)
    np.testing.assert_allclose(f.intercept_, bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_unregularized_step_leaves_its_share_of_the_error(fit_intercept):
    x, d = problem_with_a_constant(60)
    f = TransformDomainFilter(
        4, step_size=0.75, regularization=0.0, fit_intercept=fit_intercept, store_weights=1
    )
    rows = naive.delay_rows(x, 4)
    for k in range(60):
        error = f.adapt(x[k : k + 1], d[k : k + 1]).error[0]
        after = d[k] - rows[k] @ f.coef_.ravel() - f.intercept_
        np.testing.assert_allclose(after, 0.25 * error, rtol=0, atol=1e-12)


def test_coloured_input_is_learned_as_fast_as_white_and_far_faster_than_by_nlms():
    n_taps, n = 32, 8000
    late, tail = slice(9 * n_taps, 10 * n_taps), slice(7000, None)
    excess = {}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        white, plant = rng.standard_normal(n), rng.standard_normal(n_taps)
        for colour, pole in (("white", 0.0), ("coloured", 0.95)):
            x = lfilter([1.0], [1.0, -pole], white)
            clean = lfilter(plant, 1, x)
            scale = np.std(clean)
            d = clean / scale + 0.01 * rng.standard_normal(n)
            for make in (TransformDomainFilter, NLMSFilter):
                left = clean / scale - make(n_taps).adapt(x, d).output
                powers = [np.mean(left[part] ** 2) for part in (late, tail)]
                excess.setdefault((colour, make.__name__), []).append(powers)
    level = {key: 10 * np.log10(np.mean(values, axis=0)) for key, values in excess.items()}
    ours, nlms = level["coloured", "TransformDomainFilter"], level["coloured", "NLMSFilter"]
    assert ours[0] < nlms[0] - 15
    assert ours[0] < level["white", "TransformDomainFilter"][0] + 5
    assert abs(ours[1] - nlms[1]) < 1.5
    assert abs(level["white", "TransformDomainFilter"][1] - level["white", "NLMSFilter"][1]) < 1.5


@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-13), (np.float32, 2e-5)])
def test_the_sliding_transform_does_not_drift_and_forgets_a_burst(dtype, atol):
    n, n_taps = 1_000_000, 8
    rng = np.random.default_rng(0)
    x = lfilter([1.0], [1.0, -0.9], rng.standard_normal(n)).astype(dtype)
    x[1000:1010] *= 1e8
    plant = rng.standard_normal(n_taps)
    f = TransformDomainFilter(n_taps, initial_weights=plant)
    output = f.adapt(x, np.zeros(n, dtype), update_mask=np.zeros(n, dtype=bool)).output
    wanted = lfilter(plant, 1, x.astype(np.float64))
    quiet = np.ones(n, dtype=bool)
    quiet[1000 : 1010 + 2 * n_taps] = False
    np.testing.assert_allclose(output[quiet], wanted[quiet], rtol=0, atol=10 * atol)
    np.testing.assert_allclose(output[-100:], wanted[-100:], rtol=0, atol=10 * atol)


def test_a_burst_and_a_change_of_level_are_forgotten():
    rng = np.random.default_rng(0)
    x = lfilter([1.0], [1.0, -0.9], rng.standard_normal(60_000))
    x[1000:1010] *= 1e8
    x[40_000:] *= 100
    x[50_000:] /= 100
    d = lfilter([1.0, -0.5, 0.25], 1, x)
    result = TransformDomainFilter(8).adapt(x, d)
    for stop in (40_000, 50_000, 60_000):
        assert np.abs(result.error[stop - 1000 : stop]).max() < 1e-6


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_changes_nothing_and_what_follows_is_learned(dtype):
    x = np.random.default_rng(0).standard_normal(2000).astype(dtype)
    silent = np.zeros(200_000, dtype)
    f = TransformDomainFilter(4, initial_weights=np.ones(4))
    f.adapt(silent, silent + 1)
    np.testing.assert_allclose(f.coef_, 1.0, rtol=0, atol=1e-6)
    f.adapt(np.r_[x, silent[:8]], np.r_[x, silent[:8]])
    before = f.coef_.copy()
    f.adapt(silent, silent + 1)
    np.testing.assert_array_equal(f.coef_, before)
    f.adapt(x, -x)
    np.testing.assert_allclose(f.coef_, [[-1, 0, 0, 0]], rtol=0, atol=1e-3)


@pytest.mark.parametrize("exponent", [-60, 30])
def test_units_do_not_matter_bit_for_bit(exponent):
    x, d = problem_with_a_constant()
    a = 2.0**exponent
    one, other = TransformDomainFilter(5).fit(x, d), TransformDomainFilter(5).fit(a * x, a * d)
    np.testing.assert_array_equal(one.coef_, other.coef_)


@pytest.mark.parametrize("cuts", [(1, 2, 3), (50,), (7, 8, 150, 299)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_any_chunks_give_the_same_bits(cuts, fit_intercept):
    x, d = problem_with_a_constant()
    one, other = (TransformDomainFilter(5, fit_intercept=fit_intercept) for _ in range(2))
    spans = zip((0, *cuts), (*cuts, 300), strict=True)
    parts = np.concatenate([one.adapt(x[a:b], d[a:b]).output for a, b in spans])
    np.testing.assert_array_equal(parts, other.adapt(x, d).output)
    np.testing.assert_array_equal(one.coef_, other.coef_)


def test_the_transform_follows_a_delay_line_that_went_on_without_learning():
    x, d = problem_with_a_constant()
    f = TransformDomainFilter(5, step_size=1.0, regularization=0.0)
    f.adapt(x[:100], d[:100])
    session, weights = f.stream(), f.coef_.ravel()
    session.predict_many(x[100:120])
    wanted = naive.delay_rows(x, 5)[120] @ weights
    np.testing.assert_allclose(session.learn_one(x[120], d[120]), wanted, rtol=0, atol=1e-12)
    one, other = f.stream(), f.stream()
    for k in range(100, 130):
        one.learn_error(d[k] - one.predict_one(x[k]))
        other.learn_one(x[k], d[k])
    np.testing.assert_allclose(
        one.predict_one(x[130]), other.predict_one(x[130]), rtol=0, atol=1e-12
    )


def test_divergence_names_the_bound():
    x, d = problem_with_a_constant(2000, n_channels=1)
    with pytest.raises(DivergenceError, match=r"step_size=2.5, .* 0 < step_size < 2"):
        TransformDomainFilter(1, step_size=2.5, regularization=0.0).fit(x, d)
    x, d = problem_with_a_constant(20_000)
    with pytest.raises(DivergenceError, match=r"forgetting_factor=0.3;.*factor >= 0.9688"):
        TransformDomainFilter(16, step_size=1.8, forgetting_factor=0.3).fit(x, d)
    for step in (0.5, 1.0, 1.8):
        f = TransformDomainFilter(16, step_size=step, forgetting_factor=1 - 0.5 / 16).fit(x, d)
        assert np.abs(f.coef_).max() < 10
    with pytest.raises(DivergenceError, match=r"normalize=False; .* step_size < 0\.\d+"):
        TransformDomainFilter(4, step_size=2.5, normalize=False).fit(x, d)
    reset = TransformDomainFilter(4, step_size=2.5, normalize=False, on_divergence="reset")
    assert np.isfinite(reset.adapt(x, d).output).all()


def test_one_keeps_all_powers_for_ever():
    x, d = problem_with_a_constant(2000)
    mask = np.arange(2000) >= 1999
    x[:100] *= 1e3
    never, soon = (TransformDomainFilter(4, forgetting_factor=g) for g in (1.0, 0.9))
    lines, epsilon = naive.delay_rows(x, 4).reshape(2000, 2, 4), np.full(2000, 0.1)
    for f, memory in ((never, np.inf), (soon, 10.0)):
        f.set_params(regularization=0.1).adapt(x, d, update_mask=mask)
        wanted = naive.transform_domain(lines, d, 0.5, epsilon, memory, mask=mask)[1]
        np.testing.assert_allclose(f.coef_, wanted, rtol=0, atol=1e-12)
    assert not np.allclose(never.coef_, soon.coef_, rtol=1e-3)
