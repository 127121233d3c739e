"""The step follows what is left to learn: fast at the start, quiet at the end, awake in between."""

import naive
import numpy as np
import pytest
from filters_under_test import assert_adapt_alike, problem_with_a_constant
from scipy.signal import lfilter

from filters import NLMSFilter, VariableStepFilter
from filters.timeseries import DivergenceError


def changing_plant(n, n_taps, pole, noise, seed):
    """Input, clean output of a plant that is replaced half way, and that output in noise."""
    rng = np.random.default_rng(seed)
    x = lfilter([1.0], [1.0, -pole], rng.standard_normal(n))
    parts = [lfilter(rng.standard_normal(n_taps), 1, x) for _ in range(2)]
    clean = np.where(np.arange(n) < n // 2, parts[0] / np.std(parts[0]), parts[1] / parts[1].std())
    return x, clean, clean + noise * rng.standard_normal(n)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("regularization", [0.5, "auto"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_no_noise_is_nlms_with_the_largest_step(signal, regularization, fit_intercept):
    x, d = problem_with_a_constant(signal=signal)
    options = {"regularization": regularization, "fit_intercept": fit_intercept}
    one = VariableStepFilter(6, noise_power=0.0, max_step_size=0.7, **options)
    other = NLMSFilter(6, step_size=0.7, **options)
    assert_adapt_alike(one, other, x, d, output_atol=1e-12, weights_atol=1e-12)
    assert one.step_size_ == 0.7
    assert one.noise_power_ == 0.0


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("noise_power", ["auto", 0.09])
def test_the_textbook_recursion(signal, fit_intercept, noise_power):
    x, d = problem_with_a_constant(signal=signal)
    x[40:48] = 0.0
    w0, mask = np.full((2, 4), 0.25), np.random.default_rng(1).random(300) < 0.8
    f = VariableStepFilter(
        4,
        noise_power=noise_power,
        max_step_size=0.8,
        regularization=0.3,
        fit_intercept=fit_intercept,
        initial_weights=w0,
    )
    got = f.adapt(x, d, update_mask=mask).output
    options = {"fit_intercept": fit_intercept, "mask": mask}
    if noise_power != "auto":
        options["noise_power"] = noise_power
    output, weights, bias, steps = naive.variable_step_nlms(
        naive.delay_rows(x, 4), d, w0.ravel(), 0.8, 100.0, np.full(300, 0.3), **options
    )
    np.testing.assert_allclose(got, output, rtol=0, atol=1e-11)
    np.testing.assert_allclose(f.coef_.ravel(), weights, rtol=0, atol=1e-11)
    np.testing.assert_allclose(f.intercept_, bias, rtol=0, atol=1e-11)
    np.testing.assert_allclose(f.step_size_, steps[-1], rtol=0, atol=1e-11)
    assert steps.max() - steps.min() > 0.05


def test_more_noise_than_signal_teaches_nothing():
    x, d = problem_with_a_constant()
    f = VariableStepFilter(4, noise_power=1e6).fit(x, d)
    np.testing.assert_array_equal(f.coef_, 0.0)
    assert f.step_size_ == 0.0


@pytest.mark.parametrize("pole", [0.0, 0.9])
@pytest.mark.parametrize(("noise", "noise_power"), [(0.1, "auto"), (0.01, "auto"), (0.01, 1e-4)])
def test_it_learns_like_nlms_of_step_one_and_settles_far_below_that_of_one_half(
    pole, noise, noise_power
):
    n_taps, n = 16, 12_000
    makers = {
        "ours": lambda: VariableStepFilter(n_taps, noise_power=noise_power),
        "fast": lambda: NLMSFilter(n_taps, step_size=1.0),
        "half": lambda: NLMSFilter(n_taps),
    }
    excess = dict.fromkeys(makers, 0.0)
    for seed in range(6):
        x, clean, d = changing_plant(n, n_taps, pole, noise, seed)
        for name, make in makers.items():
            excess[name] = excess[name] + (clean - make().adapt(x, d).output) ** 2 / 6
    smooth = {k: np.convolve(v, np.ones(2 * n_taps) / (2 * n_taps)) for k, v in excess.items()}
    for start in (0, n // 2):
        times = {k: np.argmax(v[start + 2 * n_taps :] < 2 * noise**2) for k, v in smooth.items()}
        assert 0 < times["ours"] < 2 * times["fast"] + 2 * n_taps
        settled = slice(start + n // 3, start + n // 2)
        level = {k: 10 * np.log10(np.mean(v[settled])) for k, v in excess.items()}
        assert level["ours"] < level["half"] - 6


@pytest.mark.parametrize("pole", [0.0, 0.9])
def test_noise_power_is_estimated(pole):
    x, _, d = changing_plant(12_000, 32, pole, 0.1, seed=0)
    f, levels, steps = VariableStepFilter(32), [], []
    for k in range(0, 6000, 100):
        f.adapt(x[k : k + 100], d[k : k + 100])
        levels.append(f.noise_power_)
        steps.append(f.step_size_)
    np.testing.assert_allclose(np.mean(levels[40:]), 0.01, rtol=0.1)
    assert np.mean(steps[40:]) < 0.1
    f.adapt(x[6000:6200], d[6000:6200])
    assert f.step_size_ > 0.4


def test_noise_power_is_estimated_where_the_level_of_the_input_swings():
    rng = np.random.default_rng(0)
    swing = np.exp(0.3 * lfilter([1.0], [1.0, -0.95], rng.standard_normal(20_000)))
    x = swing * rng.standard_normal(20_000)
    clean = lfilter([1.0, -0.5, 0.25, 0.5], 1, x)
    d = clean + 0.01 * clean.std() * rng.standard_normal(20_000)
    f, levels = VariableStepFilter(4), []
    for k in range(0, 20_000, 100):
        f.adapt(x[k : k + 100], d[k : k + 100])
        levels.append(f.noise_power_)
    np.testing.assert_allclose(np.mean(levels[50:]), 1e-4 * clean.var(), rtol=0.5)


@pytest.mark.parametrize("level", [100.0, 0.01])
def test_a_change_of_level_is_followed(level):
    x, clean, _ = changing_plant(40_000, 8, 0.5, 0.0, seed=1)
    gain = np.where(np.arange(40_000) < 10_000, 1.0, level)
    noise = 0.01 * np.random.default_rng(2).standard_normal(40_000)
    error = clean * gain - VariableStepFilter(8).adapt(x * gain, clean * gain + noise).output
    assert np.mean(error[9000:10_000] ** 2) < 0.2 * 1e-4
    assert np.mean(error[19_000:20_000] ** 2) < 0.3 * 1e-4
    assert np.mean(error[39_000:] ** 2) < 0.3 * 1e-4


@pytest.mark.parametrize("where", ["reference", "desired", "both"])
def test_a_burst_is_forgotten(where):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(30_000)
    d = lfilter([1.0, -0.5, 0.25], 1, x)
    for signal, name in ((x, "reference"), (d, "desired")):
        if where in (name, "both"):
            signal[1000:1010] = 1e8 * rng.standard_normal(10)
    f = VariableStepFilter(3)
    error = f.adapt(x, d).error
    assert np.abs(error[-1000:]).max() < 1e-3
    np.testing.assert_allclose(f.coef_, [[1.0, -0.5, 0.25]], rtol=0, atol=1e-3)


def test_the_step_sleeps_through_silence_and_masked_samples():
    x, d = problem_with_a_constant(2000, n_channels=1)
    f = VariableStepFilter(4)
    f.adapt(np.r_[x[:, 0], np.zeros(3)], np.r_[d, np.zeros(3)])
    before, step = f.coef_.copy(), f.step_size_
    f.adapt(np.zeros(5000), np.full(5000, 1e3))
    f.adapt(x, 1e6 * d, update_mask=np.zeros(2000, dtype=bool))
    np.testing.assert_array_equal(f.coef_, before)
    assert f.step_size_ == step


@pytest.mark.parametrize(("a", "b"), [(2.0**-30, 2.0**20), (2.0**10, 1.0), (1.0, -(2.0**-40))])
def test_units_of_input_and_target_do_not_matter_bit_for_bit(a, b):
    x, d = problem_with_a_constant()
    one, other = VariableStepFilter(5).fit(x, d), VariableStepFilter(5).fit(a * x, b * d)
    np.testing.assert_array_equal(other.coef_, b / a * one.coef_)
    assert other.step_size_ == one.step_size_
    assert other.noise_power_ == b**2 * one.noise_power_


@pytest.mark.parametrize("cuts", [(1, 2, 3), (50,), (7, 8, 150, 299)])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_any_chunks_give_the_same_bits(cuts, n_outputs):
    x, d = problem_with_a_constant(n_outputs=n_outputs)
    one, other = (
        VariableStepFilter(5, fit_intercept=True),
        VariableStepFilter(5, fit_intercept=True),
    )
    spans = zip((0, *cuts), (*cuts, 300), strict=True)
    parts = np.concatenate([one.adapt(x[a:b], d[a:b]).output for a, b in spans])
    np.testing.assert_array_equal(parts, other.adapt(x, d).output)
    np.testing.assert_array_equal(one.coef_, other.coef_)
    np.testing.assert_array_equal(one.step_size_, other.step_size_)
    assert (
        np.shape(one.step_size_) == np.shape(one.noise_power_) == (() if n_outputs == 1 else (2,))
    )


def test_signals_too_large_to_square_are_named():
    x, d = problem_with_a_constant()
    with pytest.raises(DivergenceError, match=r"time step 200 with max_step_size=1.0 .* Scale"):
        VariableStepFilter(4).fit(x, np.where(np.arange(300) == 200, 1e200, d))
