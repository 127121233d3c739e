"""LineEnhancer: Widrow's gain, what it splits, and that it behaves like the other online tasks."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import toeplitz
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import LineEnhancer, LMSFilter, NLMSFilter, RLSFilter
from filters.timeseries import DivergenceError, snr_db

FILTERS = {"default": None, "lms": LMSFilter(8), "rls": RLSFilter(8, forgetting_factor=0.998)}
every_filter = pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)


def tone_in_noise(n, w0, snr, seed=0):
    """Unit-variance white noise and a tone of power `snr`."""
    rng = np.random.default_rng(seed)
    tone = np.sqrt(2 * snr) * np.sin(w0 * np.arange(n) + rng.uniform(0, 2 * np.pi))
    return tone, tone + rng.standard_normal(n)


def two_columns(n=300, seed=0):
    tone = np.sin(0.3 * np.arange(n))
    return np.column_stack([tone, 3 * tone]) + np.random.default_rng(seed).standard_normal((n, 2))


def fresh(filter):
    return NLMSFilter(64, step_size=0.01) if filter is None else clone(filter)


def past(x, delay):
    return np.r_[np.zeros(delay), x][: x.size]


def gain_at(coef, w0):
    return np.abs(np.sum(coef * np.exp(-1j * w0 * np.arange(coef.size))))


@pytest.mark.parametrize("delay", [1, 3])
@pytest.mark.parametrize(("n_taps", "k", "snr"), [(16, 4, 0.1), (32, 5, 0.05), (64, 30, 0.2)])
def test_a_tone_passes_with_widrows_gain(n_taps, k, snr, delay):
    """L w0 = k pi: gain (L/2) snr / (1 + (L/2) snr), whatever the delay."""
    w0 = k * np.pi / n_taps
    _, x = tone_in_noise(200_000, w0, snr)
    enhancer = LineEnhancer(RLSFilter(n_taps, forgetting_factor=1.0), delay=delay)
    found = gain_at(enhancer.fit(x[:, np.newaxis]).filters_[0].coef_[0], w0)
    wanted = n_taps / 2 * snr / (1 + n_taps / 2 * snr)
    np.testing.assert_allclose(found, wanted, rtol=0.02)
    R = toeplitz(snr * np.cos(w0 * np.arange(n_taps))) + np.eye(n_taps)
    wiener = np.linalg.solve(R, snr * np.cos(w0 * (np.arange(n_taps) + delay)))
    np.testing.assert_allclose(gain_at(wiener, w0), wanted, rtol=1e-10)
    np.testing.assert_allclose(enhancer.filters_[0].coef_[0], wiener, rtol=0, atol=0.012)


def test_slow_lms_enhances_a_line_by_what_theory_says():
    n_taps, snr = 32, 0.25
    w0 = 8 * np.pi / n_taps
    tone, x = tone_in_noise(400_000, w0, snr)
    line = LineEnhancer(LMSFilter(n_taps, step_size=2e-4)).fit_transform(x[:, np.newaxis])[:, 0]
    gain = n_taps / 2 * snr / (1 + n_taps / 2 * snr)
    settled = slice(200_000, None)
    found = line[settled] @ tone[settled] / (tone[settled] @ tone[settled])
    np.testing.assert_allclose(found, gain, rtol=0.01)
    noise_out = np.var(line[settled] - gain * tone[settled])
    # White noise through taps (2 gain / L) cos(w0 (k + 1)), and the LMS weights' own noise.
    wanted = 2 * gain**2 / n_taps + 0.5 * 2e-4 * n_taps * (1 + snr) * (1 + snr * (1 - gain))
    np.testing.assert_allclose(noise_out, wanted, rtol=0.05)


@pytest.mark.parametrize("kind", ["line", "noise"])
def test_hum_and_voice_part_ways(kind):
    rng = np.random.default_rng(0)
    voice, t = rng.standard_normal(40_000), np.arange(40_000)
    hum = 3 * np.sin(0.3 * t) + 2 * np.sin(0.6 * t + 1)
    answer = LineEnhancer(output=kind).fit_transform((hum + voice)[:, np.newaxis])[:, 0]
    wanted = {"line": hum, "noise": voice}[kind]
    assert snr_db(wanted[10_000:], answer[10_000:]) > {"line": 16, "noise": 8}[kind]


def test_the_delay_keeps_coloured_noise_out_of_the_line():
    rng = np.random.default_rng(0)
    noise = np.convolve(rng.standard_normal(40_000), np.ones(5), "same")
    rls = RLSFilter(16, forgetting_factor=1.0)
    leaked = {d: LineEnhancer(rls, delay=d).fit_transform(noise[:, np.newaxis]) for d in (1, 5)}
    assert np.var(leaked[1][1000:]) > 0.5 * np.var(noise)
    assert np.var(leaked[5][1000:]) < 0.01 * np.var(noise)


@every_filter
@pytest.mark.parametrize("delay", [1, 4, 500])
def test_every_column_is_predicted_from_its_own_past(filter, delay):
    X = two_columns()
    enhancer = LineEnhancer(filter, delay=delay)
    line = enhancer.fit_transform(X)
    for j in range(2):
        inner = fresh(filter)
        output = inner.adapt(past(X[:, j], delay), X[:, j]).output
        np.testing.assert_array_equal(line[:, j], output)
        np.testing.assert_array_equal(enhancer.filters_[j].coef_, inner.coef_)
    assert filter is None or not hasattr(filter, "coef_")
    noise = LineEnhancer(filter, delay=delay, output="noise").fit_transform(X)
    np.testing.assert_array_equal(noise, X - line)


@every_filter
@pytest.mark.parametrize("k", [1, 2, 100])
def test_fit_transform_is_causal(filter, k):
    X = two_columns()
    whole = LineEnhancer(filter).fit_transform(X)
    changed = X.copy()
    changed[k:] = 99.0
    np.testing.assert_array_equal(LineEnhancer(filter).fit_transform(changed)[:k], whole[:k])
    np.testing.assert_array_equal(whole[0], 0)


@every_filter
def test_transform_is_the_frozen_filter(filter):
    X = two_columns()
    enhancer = LineEnhancer(filter, delay=2).fit(X)
    for j, inner in enumerate(enhancer.filters_):
        coef = inner.coef_[0].copy()
        wanted = np.convolve(past(X[:, j], 2), coef)[: len(X)]
        for _ in range(2):
            line = enhancer.transform(X)
            np.testing.assert_allclose(line[:, j], wanted, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(inner.coef_[0], coef)
    enhancer.set_params(output="noise")
    np.testing.assert_array_equal(enhancer.transform(X), X - line)


@pytest.mark.parametrize("how", ["fit_transform", "transform"])
def test_series_hand_on_weights_but_no_delay_line(how):
    X = two_columns()
    series = [X[:100], X[100:101], X[101:]]
    enhancer = LineEnhancer(NLMSFilter(4), delay=2)
    if how == "transform":
        enhancer.fit(X)
    parts = getattr(enhancer, how)(series)
    inner = NLMSFilter(4)
    for part, rows in zip(parts, series, strict=True):
        if how == "transform":
            wanted = enhancer.transform(rows)[:, 0]
        else:
            x = rows[:, 0]
            wanted = inner.clear_history().adapt(past(x, 2), x).output
        np.testing.assert_array_equal(part[:, 0], wanted)


def test_answers_come_in_the_container_of_the_question():
    X = two_columns(60)
    listed = LineEnhancer().fit_transform([X[:20], X[20:40], X[40:]])
    assert isinstance(listed, list)
    panel = LineEnhancer().fit_transform(X.reshape(3, 20, 2))
    np.testing.assert_array_equal(panel, np.stack(listed))
    grouped = LineEnhancer().fit_transform(X, groups=np.repeat([0, 1, 2], 20))
    np.testing.assert_array_equal(grouped, np.concatenate(listed))
    index = pd.MultiIndex.from_product([list("abc"), range(20)])
    frame = pd.DataFrame(X, index=index, columns=["left", "right"])
    answer = LineEnhancer().fit_transform(frame)
    pd.testing.assert_frame_equal(answer, pd.DataFrame(grouped, index, ["left", "right"]))


def test_it_works_in_a_pipeline_and_keeps_names():
    X = pd.DataFrame(two_columns(), columns=["left", "right"])
    pipe = make_pipeline(LineEnhancer(RLSFilter(4)), StandardScaler())
    wanted = StandardScaler().fit_transform(LineEnhancer(RLSFilter(4)).fit_transform(X))
    np.testing.assert_array_equal(pipe.fit_transform(X), wanted)
    assert pipe.get_feature_names_out().tolist() == ["left", "right"]
    pipe.set_params(lineenhancer__filter__n_taps=2).fit(X)
    assert pipe[0].filters_[1].coef_.shape == (1, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X = two_columns().astype(dtype)
    enhancer = LineEnhancer()
    assert enhancer.fit_transform(X).dtype == enhancer.transform(X).dtype == dtype


@pytest.mark.parametrize(
    ("enhancer", "message"),
    [
        (LineEnhancer(delay=0), "'delay' parameter of LineEnhancer must be"),
        (LineEnhancer(output="both"), "'output' parameter of LineEnhancer must be"),
        (LineEnhancer(StandardScaler()), "'filter' parameter of LineEnhancer must be"),
    ],
)
def test_bad_parameters_are_named(enhancer, message):
    with pytest.raises(ValueError, match=message):
        enhancer.fit(np.ones((9, 1)))


def test_nothing_is_left_half_done_after_an_error():
    enhancer = LineEnhancer(LMSFilter(step_size=1.0))
    bad = np.full((9, 1), 1e200)
    with pytest.raises(DivergenceError):
        enhancer.fit(bad)
    with pytest.raises(NotFittedError):
        enhancer.transform(np.ones((3, 1)))
    inner = enhancer.fit(np.ones((9, 1))).filters_
    with pytest.raises(DivergenceError):
        enhancer.fit(bad)
    assert enhancer.filters_ is inner
