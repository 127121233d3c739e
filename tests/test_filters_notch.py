"""AdaptiveNotch: exact notches where the frequency is steady, and what it does where it drifts."""

import numpy as np
import pytest
from scipy.signal import butter, iirnotch, lfilter, resample_poly, sosfilt
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from filters import AdaptiveNotch, LMSFilter
from filters.signals import mains_hum
from filters.timeseries import DivergenceError, snr_db
from reservoir.datasets import load_ecg


def white(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n)


def clean(notch, x):
    return notch.fit_transform(np.asarray(x)[:, np.newaxis])[:, 0]


def tone(n, frequency, fs=1.0, phase=0.3):
    return np.sin(2 * np.pi * frequency / fs * np.arange(n) + phase)


def rate(bandwidth, fs):
    t = np.tan(np.pi * bandwidth / fs)
    return 2 * t / (1 + t)


# ---- a steady frequency: known filters ----------------------------------------------------------


@pytest.mark.parametrize(
    ("fs", "frequency", "bandwidth"),
    [(1, 0.05, 0.002), (360, 50, 2), (8000, 440, 30), (1, 0.3, 0.4)],
)
def test_steady_notch_is_scipys(fs, frequency, bandwidth):
    x = white(4000)
    notch = AdaptiveNotch(fs, frequency, bandwidth=bandwidth, track=False)
    b, a = iirnotch(frequency, frequency / bandwidth, fs=fs)
    np.testing.assert_allclose(clean(notch, x), lfilter(b, a, x), rtol=0, atol=2.5e-13)
    np.testing.assert_array_equal(notch.frequency_, frequency)
    assert notch.bandwidth_ == bandwidth


@pytest.mark.parametrize(("frequency", "bandwidth"), [(0.05, "auto"), (0.21, 0.03)])
def test_steady_notch_is_the_one_of_glover_and_widrow(frequency, bandwidth):
    x = white(4000)
    notch = AdaptiveNotch(frequency=frequency, bandwidth=bandwidth, track=False)
    out = clean(notch, x)
    c, g = np.cos(2 * np.pi * frequency), rate(notch.bandwidth_, 1.0)
    error = lfilter([1, -2 * c, 1], [1, -(2 - g) * c, 1 - g], x)
    np.testing.assert_allclose(out / (1 - g / 2), error, rtol=0, atol=2.5e-13)


@pytest.mark.parametrize("n_harmonics", [1, 2, 5])
def test_steady_notch_is_lms_on_sines_and_cosines(n_harmonics):
    x, frequency, bandwidth = white(3000), 0.043, 0.004
    notch = AdaptiveNotch(
        frequency=frequency, bandwidth=bandwidth, n_harmonics=n_harmonics, track=False
    )
    out = clean(notch, x)
    phases = 2 * np.pi * frequency * np.outer(np.arange(3000), np.arange(1, n_harmonics + 1))
    references = np.hstack([np.cos(phases), np.sin(phases)])
    g = rate(bandwidth, 1.0)
    error = LMSFilter(step_size=g).adapt(references, x).error
    np.testing.assert_allclose(out, (1 - n_harmonics * g / 2) * error, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("fs", "frequency", "bandwidth"), [(1, 0.05, "auto"), (360, 50, 3), (360, 50, 20)]
)
def test_bandwidth_is_the_width_at_half_power(fs, frequency, bandwidth):
    notch = AdaptiveNotch(fs, frequency, bandwidth=bandwidth, track=False)
    response = clean(notch, np.eye(1, 2**16)[0])
    width = notch.bandwidth_
    assert width == (frequency / 30 if bandwidth == "auto" else bandwidth)
    around = frequency + width * np.linspace(-0.8, 0.8, 1601)
    w = 2 * np.pi / fs * around
    power = np.abs(np.polynomial.polynomial.polyval(np.exp(-1j * w), response)) ** 2
    stopped = around[power < 0.5]
    np.testing.assert_allclose(np.ptp(stopped), width, rtol=3e-3)
    assert power.min() < 1e-12


@pytest.mark.parametrize("n_harmonics", [1, 4])
def test_the_gain_is_one_at_zero_and_at_half_the_rate(n_harmonics):
    notch = AdaptiveNotch(n_harmonics=n_harmonics, bandwidth=0.01, track=False)
    response = clean(notch, np.eye(1, 2**14)[0])
    np.testing.assert_allclose(response.sum(), 1, rtol=1e-10)
    np.testing.assert_allclose(response @ (-1.0) ** np.arange(2**14), 1, rtol=1e-10)


# ---- an ECG under drifting hum ------------------------------------------------------------------


def ecg_with_hum(seed, *, fs=360, mains=50.0, kind="smooth"):
    """An ECG at 6 dB, and the true frequency."""
    ecg = load_ecg()[:, 0]
    ecg = resample_poly(ecg - ecg.mean(), fs, 360)
    n = ecg.size
    if kind == "smooth":
        levels = (-31.0, -25.0)[: 2 if 3 * (mains + 3) < fs / 2 else 1]
        hum, _, track = mains_hum(n, fs=fs, frequency=mains, harmonics_db=levels, random_state=seed)
    elif kind == "walk":
        steps = 0.15 / np.sqrt(fs) * white(n, seed)
        track = mains + np.abs((np.cumsum(steps) - 3) % 12 - 6) - 3  # reflected at +-3 Hz
        hum = np.sin(2 * np.pi * np.cumsum(track) / fs)
    else:
        track = mains + np.where(np.arange(n) < n // 2, 0.0, 1.0)
        hum = np.sin(2 * np.pi * np.cumsum(track) / fs)
    return ecg, ecg + 0.5 * ecg.std() / hum.std() * hum, track


def three_band_stops(x, fs, mains):
    for h in (1, 2, 3):
        if h * (mains + 3) < fs / 2:
            edges = [h * mains - 3.5, h * mains + 3.5]
            x = sosfilt(butter(2, edges, "bandstop", fs=fs, output="sos"), x)
    return x


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("fs", "mains"), [(360, 50.0), (250, 50.0), (500, 60.0), (1000, 50.0)])
def test_drifting_hum_leaves_an_ecg(fs, mains, seed):
    ecg, x, track = ecg_with_hum(seed, fs=fs, mains=mains)
    settled = slice(10 * fs, None)
    rival = snr_db(ecg[settled], three_band_stops(x, fs, mains)[settled])
    notch = AdaptiveNotch(fs, mains)
    found = snr_db(ecg[settled], clean(notch, x)[settled])
    assert found > max(27, rival + 2)
    assert np.sqrt(np.mean((notch.frequency_ - track)[settled] ** 2)) < 0.05
    if 3 * (mains + 3) < fs / 2:
        assert snr_db(ecg[settled], clean(notch.set_params(n_harmonics=3), x)[settled]) > 32


@pytest.mark.parametrize(("kind", "seed"), [("walk", 0), ("walk", 1), ("step", 0)])
def test_hum_that_walks_or_jumps_is_followed(kind, seed):
    ecg, x, track = ecg_with_hum(seed, kind=kind)
    settled = slice(3600, None)
    notch = AdaptiveNotch(360, 50, n_harmonics=3)
    assert snr_db(ecg[settled], clean(notch, x)[settled]) > 27
    assert np.sqrt(np.mean((notch.frequency_ - track)[settled] ** 2)) < 0.12


@pytest.mark.parametrize("offset", [1.0, 100.0])
def test_an_offset_does_not_disturb_the_tracker(offset):
    _, x, track = ecg_with_hum(0)
    notch = AdaptiveNotch(360, 50)
    clean(notch, x + offset * x.std())
    assert np.sqrt(np.mean((notch.frequency_ - track)[3600:] ** 2)) < 0.05


# ---- finding, losing, waiting -------------------------------------------------------------------


@pytest.mark.parametrize("distance", [-3.0, -1.0, 1.0, 3.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("bandwidth", ["auto", 0.004])
def test_a_tone_within_three_bandwidths_is_caught(distance, noise, bandwidth):
    notch = AdaptiveNotch(bandwidth=bandwidth)
    width = 0.05 / 30 if bandwidth == "auto" else bandwidth
    x = tone(20_000, 0.05 + distance * width) + noise * white(20_000)
    out = clean(notch, x)
    np.testing.assert_allclose(
        notch.frequency_[10_000:], 0.05 + distance * width, rtol=0, atol=0.1 * width
    )
    assert np.sqrt(np.mean(out[10_000:] ** 2)) < 1.1 * noise + 0.01


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_tone_that_comes_late_is_caught(noise):
    n = 30_000
    x = noise * white(2 * n) + np.r_[np.zeros(n), tone(n, 0.053)]
    notch = AdaptiveNotch()
    out = clean(notch, x)
    if noise == 0:
        np.testing.assert_array_equal(out[:n], 0)
        np.testing.assert_array_equal(notch.frequency_[:n], 0.05)
    np.testing.assert_allclose(notch.frequency_[n + 8000 :], 0.053, rtol=0, atol=2e-4)


@pytest.mark.parametrize("signal", ["white", "ecg", "square", "constant"])
def test_without_a_tone_the_frequency_stays_about_home(signal):
    ecg = load_ecg()[:, 0]
    x = {
        "white": white(40_000),
        "ecg": ecg,
        "square": np.sign(np.sin(0.002 * np.arange(40_000))),
        "constant": np.full(4000, 5.0),
    }[signal]
    notch = AdaptiveNotch(360, 50)
    clean(notch, x)
    assert np.abs(notch.frequency_ - 50).max() < 3 * notch.bandwidth_
    clean(notch.set_params(n_harmonics=3), x)
    assert np.abs(notch.frequency_ - 50).max() < 3 * notch.bandwidth_


@pytest.mark.parametrize(("slew", "left_db"), [(0.05, -35), (0.2, -20), (0.5, -10)])
def test_a_drift_is_followed_as_far_as_the_bandwidth_allows(slew, left_db):
    width = 0.1 / 30
    period = 4 * 0.01 / (slew * width**2)
    triangle = 2 * np.abs(2 * ((np.arange(40_000) / period + 0.75) % 1) - 1) - 1
    x = np.sin(2 * np.pi * np.cumsum(0.1 + 0.01 * triangle))
    noise = 0.01 * white(40_000)
    out = clean(AdaptiveNotch(frequency=0.1), x + noise)
    assert 10 * np.log10(np.var((out - noise)[10_000:]) / 0.5) < left_db


def test_after_a_pause_the_frequency_has_gone_home():
    x = np.r_[tone(10_000, 0.053), 1e-3 * white(20_000)]
    notch = AdaptiveNotch()
    clean(notch, x)
    np.testing.assert_allclose(notch.frequency_[9_999], 0.053, rtol=0, atol=1e-5)
    np.testing.assert_allclose(notch.frequency_[25_000:], 0.05, rtol=0, atol=2 / 600)


def test_a_burst_is_forgotten():
    x = tone(60_000, 0.051) + 0.1 * white(60_000)
    x[20_000] += 1e8
    notch = AdaptiveNotch()
    out = clean(notch, x)
    np.testing.assert_allclose(notch.frequency_[50_000:], 0.051, rtol=0, atol=2e-4)
    assert np.std(out[50_000:]) < 0.12


@pytest.mark.parametrize("scale", [2.0**-500, 2.0**-40, 2.0**30])
def test_the_scale_of_the_signal_changes_nothing(scale):
    _, x, _ = ecg_with_hum(0)
    one, other = AdaptiveNotch(360, 50, n_harmonics=2), AdaptiveNotch(360, 50, n_harmonics=2)
    np.testing.assert_array_equal(clean(other, scale * x[:8000]), scale * clean(one, x[:8000]))
    np.testing.assert_array_equal(other.frequency_, one.frequency_)


def test_harmonics_that_reach_half_the_rate_are_switched_off():
    n = 60_000
    track = np.linspace(0.2, 0.3, n)
    phase = 2 * np.pi * np.cumsum(track)
    x = np.sin(phase) + 0.01 * white(n)
    session = AdaptiveNotch(frequency=0.2, n_harmonics=2).stream()
    out = session.learn_many(x)
    assert session.state["frequency"] > 0.29
    np.testing.assert_array_equal(session.state["amplitude"][0, 1], 0)
    assert np.std(out[5000:]) < 0.02


@pytest.mark.parametrize("end", [0.0, 0.5])
def test_the_frequency_stays_between_zero_and_half_the_rate(end):
    n = 200_000
    phase = 2 * np.pi * np.cumsum(np.linspace(0.25, end, n))
    notch = AdaptiveNotch(frequency=0.25, bandwidth=0.02)
    clean(notch, np.sin(phase) + 0.01 * white(n))
    assert notch.frequency_.min() > 0
    assert notch.frequency_.max() < 0.5
    assert abs(notch.frequency_[n // 2] - 0.25) > 0.1


# ---- the manners of a transformer ---------------------------------------------------------------


def columns(n=600, seed=0):
    x = np.column_stack([tone(n, 0.052), tone(n, 0.049) + 2])
    return x + 0.1 * np.random.default_rng(seed).standard_normal((n, 2))


def test_columns_do_not_hear_each_other():
    X = columns()
    notch = AdaptiveNotch(n_harmonics=2)
    out = notch.fit_transform(X)
    assert notch.frequency_.shape == (600, 2)
    for j in range(2):
        alone = AdaptiveNotch(n_harmonics=2)
        np.testing.assert_array_equal(alone.fit_transform(X[:, j : j + 1])[:, 0], out[:, j])
        np.testing.assert_array_equal(alone.frequency_, notch.frequency_[:, j])


@pytest.mark.parametrize("track", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_and_sessions_give_the_bits_of_one_pass(track, dtype):
    X = columns().astype(dtype)
    notch = AdaptiveNotch(n_harmonics=2, track=track)
    whole = notch.fit_transform(X)
    assert whole.dtype == dtype
    parts, session, out, tracks = clone(notch), clone(notch).stream(), [], []
    for a, b in ((0, 1), (1, 2), (2, 333), (333, 600)):
        parts.partial_fit(X[a:b])
        tracks.append(parts.frequency_)
        out.append(session.learn_many(X[a:b]))
        session = clone(notch).stream(initial_state=session.state)
    np.testing.assert_array_equal(np.concatenate(out), whole)
    np.testing.assert_array_equal(np.concatenate(tracks), notch.frequency_)
    np.testing.assert_array_equal(parts.transform(X), notch.transform(X))
    rows = clone(notch).stream()
    np.testing.assert_array_equal([rows.learn_one(x) for x in X[:50]], whole[:50])
    np.testing.assert_array_equal(rows.state["frequency"], notch.frequency_[49])


def test_the_answer_is_causal():
    X = columns()
    changed = X.copy()
    changed[200:] = 99.0
    out = AdaptiveNotch().fit_transform(changed)
    np.testing.assert_array_equal(out[:200], AdaptiveNotch().fit_transform(X)[:200])


def test_frozen_is_a_steady_notch_at_the_last_frequency():
    x = tone(8000, 0.0521)[:, np.newaxis]
    notch = AdaptiveNotch(bandwidth=0.002).fit(x)
    frozen = notch.transform(x[:3000])
    steady = AdaptiveNotch(frequency=notch.frequency_[-1], bandwidth=0.002, track=False)
    np.testing.assert_allclose(frozen, steady.fit_transform(x[:3000]), rtol=0, atol=1e-12)
    session = notch.stream()
    left = session.predict_many(x)
    np.testing.assert_array_equal(session.state["frequency"], notch.frequency_[-1])
    assert np.abs(left[-100:]).max() < 0.02
    session.learn_many(x[:2000])
    assert session.state["frequency"] != notch.frequency_[-1]


def test_a_new_series_begins_at_the_frequency_of_the_last():
    x = tone(9000, 0.053)[:, np.newaxis]
    notch = AdaptiveNotch()
    first, second = notch.fit_transform([x[:6000], x[6000:]])
    np.testing.assert_array_equal(first, AdaptiveNotch().fit_transform(x[:6000]))
    np.testing.assert_array_equal(second[0], (1 - rate(0.05 / 30, 1) / 2) * x[6000])
    assert notch.frequency_.shape == (9000,)
    np.testing.assert_allclose(notch.frequency_[6000:], 0.053, rtol=0, atol=2e-4)


@pytest.mark.parametrize(
    ("notch", "message"),
    [
        (AdaptiveNotch(fs=0), "'fs' parameter of AdaptiveNotch must be"),
        (AdaptiveNotch(frequency=-1), "'frequency' parameter of AdaptiveNotch must be"),
        (AdaptiveNotch(frequency=0.5), r"frequency is at 0.5, which is not below fs / 2 = 0.5"),
        (AdaptiveNotch(360, 60, n_harmonics=3), "harmonic 3 is at 180, which is not below fs / 2"),
        (AdaptiveNotch(bandwidth=0), "'bandwidth' parameter of AdaptiveNotch must be"),
        (AdaptiveNotch(bandwidth="wide"), "'bandwidth' parameter of AdaptiveNotch must be"),
        (AdaptiveNotch(bandwidth=0.5), "bandwidth=0.5 is too wide: .* must be below 0.5"),
        (AdaptiveNotch(n_harmonics=3, bandwidth=0.15), "too wide: .* must be below 0.1475"),
        (AdaptiveNotch(n_harmonics=0), "'n_harmonics' parameter of AdaptiveNotch must be"),
        (AdaptiveNotch(track="yes"), "'track' parameter of AdaptiveNotch must be"),
    ],
)
def test_bad_parameters_are_named(notch, message):
    with pytest.raises(ValueError, match=message):
        notch.fit(np.ones((9, 1)))
    with pytest.raises(NotFittedError):
        notch.transform(np.ones((9, 1)))


@pytest.mark.parametrize("bandwidth", [0.499, 0.147])
def test_the_widest_notch_that_is_taken_stays_bounded(bandwidth):
    n_harmonics = 1 if bandwidth > 0.147 else 3
    notch = AdaptiveNotch(bandwidth=bandwidth, n_harmonics=n_harmonics)
    x = white(20_000)
    assert np.abs(clean(notch, x)).max() < 10 * np.abs(x).max()


def test_nan_is_placed_and_nothing_is_left_half_done():
    X = columns()
    notch = AdaptiveNotch().fit(X)
    track = notch.frequency_
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="row 3, column 1"):
        notch.fit(X)
    x = np.array([[1.0], [1.7e308], [-1.7e308], [1.0]])
    with pytest.raises(
        DivergenceError, match=r"at time step 1, column 0: .* Scale it down"
    ) as caught:
        AdaptiveNotch().fit(x)
    assert caught.value.step == 1
    assert notch.frequency_ is track
    with pytest.raises(ValueError, match="takes real signals"):
        AdaptiveNotch().stream().learn_many(1j * np.ones((3, 1)))
    with pytest.raises(ValueError, match="n_harmonics=2, but the notch was fitted with 1"):
        notch.set_params(n_harmonics=2).transform(columns())
