"""Signals: the hum keeps the limits it promises and can be taken apart again."""

import numpy as np
import pytest

from filters.signals import MainsHum, mains_hum

FS = 360.0
MINUTE = int(60 * FS)


def phases(frequency, fs=FS):
    return 2 * np.pi * np.cumsum(frequency) / fs


def harmonic_amplitude(signal, frequency, k):
    """Mean amplitude of harmonic k, by demodulation with the true phase."""
    return 2 * abs(np.mean(signal * np.exp(-1j * k * phases(frequency))))


@pytest.mark.parametrize("seed", range(8))
def test_hum_frequency_stays_in_band_and_slew(seed):
    _, _, frequency = mains_hum(4 * MINUTE, random_state=seed)
    assert np.abs(frequency - 50).max() <= 3
    assert np.abs(np.diff(frequency) * FS).max() <= 0.4
    assert np.ptp(frequency) > 0.5  # it does drift


def test_hum_drifts_over_much_of_the_band():
    ranges = [np.ptp(mains_hum(4 * MINUTE, random_state=s).frequency) for s in range(20)]
    assert np.median(ranges) > 2


def test_hum_limits_scale_with_the_arguments():
    _, _, frequency = mains_hum(
        20 * MINUTE, fs=500.0, frequency=60.0, max_drift=0.5, max_slew=0.02, random_state=3
    )
    assert 0.1 < np.abs(frequency - 60).max() <= 0.5
    assert 0.002 < np.abs(np.diff(frequency) * 500).max() <= 0.02


@pytest.mark.parametrize("zero", ["max_drift", "max_slew"])
def test_hum_without_drift_is_steady(zero):
    frequency = mains_hum(MINUTE, random_state=0, **{zero: 0.0}).frequency
    np.testing.assert_allclose(frequency, frequency[0], rtol=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_hum_harmonics_have_the_stated_levels(seed):
    hum, reference, frequency = mains_hum(5 * MINUTE, random_state=seed)
    for signal in (hum, reference):
        first, second, third, fourth = (
            harmonic_amplitude(signal, frequency, k) for k in (1, 2, 3, 4)
        )
        np.testing.assert_allclose(20 * np.log10(second / first), -31, atol=0.5)
        np.testing.assert_allclose(20 * np.log10(third / first), -25, atol=0.5)
        assert fourth < 0.005 * first
    np.testing.assert_allclose(harmonic_amplitude(hum, frequency, 1), 1.0, rtol=0.02)


def test_hum_power_is_that_of_its_harmonics_and_breathing():
    hum = mains_hum(10 * MINUTE, amplitude=3.0, random_state=5).hum
    power = 9 / 2 * (1 + 10**-3.1 + 10**-2.5) * (1 + 0.2**2 / 2)
    np.testing.assert_allclose(np.mean(hum**2), power, rtol=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_hum_amplitude_breathes_by_a_fifth(seed):
    hum, _, frequency = mains_hum(MINUTE, harmonics_db=(), random_state=seed)
    phase = phases(frequency)
    # With no harmonics, hum = envelope * sin(phase + offset): the offset is the mean's argument.
    offset = np.angle(np.mean(hum * np.exp(-1j * phase))) + np.pi / 2
    carrier = np.sin(phase + offset)
    clear = np.abs(carrier) > 0.5
    envelope = hum[clear] / carrier[clear]
    assert 0.79 < envelope.min() < 0.82
    assert 1.18 < envelope.max() < 1.21


@pytest.mark.parametrize("seed", range(4))
def test_reference_is_the_mains_with_one_percent_noise(seed):
    _, reference, frequency = mains_hum(MINUTE, random_state=seed)
    phase = phases(frequency)
    basis = np.column_stack([f(k * phase) for k in (1, 2, 3) for f in (np.sin, np.cos)])
    weights, *_ = np.linalg.lstsq(basis, reference, rcond=None)
    noise = reference - basis @ weights
    np.testing.assert_allclose(noise.std() / reference.std(), 0.01, rtol=0.03)
    assert np.abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.05
    assert 0.499 < np.hypot(*weights[:2]) < 2.001


def test_reference_phase_and_gain_are_unknown():
    def transfer(seed):
        hum, reference, frequency = mains_hum(MINUTE, random_state=seed)
        carrier = np.exp(-1j * phases(frequency))
        return np.mean(reference * carrier) / np.mean(hum * carrier)

    transfers = np.array([transfer(seed) for seed in range(12)])
    assert np.ptp(np.abs(transfers)) > 0.5
    assert np.abs(np.mean(transfers / np.abs(transfers))) < 0.8  # phases all around the circle


def test_noiseless_reference_cancels_a_steady_hum():
    hum, reference, _ = mains_hum(
        MINUTE, max_drift=0.0, breathing=0.0, reference_noise=0.0, random_state=0
    )
    taps = np.column_stack([np.roll(reference, k) for k in range(6)])[6:]
    weights, *_ = np.linalg.lstsq(taps, hum[6:], rcond=None)
    np.testing.assert_allclose(taps @ weights, hum[6:], atol=1e-7)


def test_hum_seed_decides_everything():
    first, again, other = (mains_hum(500, random_state=seed) for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert a.shape == (500,)
        np.testing.assert_array_equal(a, b)
        assert not np.allclose(a, c, rtol=1e-3)
    state = mains_hum(500, random_state=np.random.RandomState(1))
    np.testing.assert_array_equal(state.hum, first.hum)
    assert isinstance(first, MainsHum)


def test_longer_hum_begins_with_the_shorter():
    short, long = mains_hum(300, random_state=4), mains_hum(1000, random_state=4)
    for a, b in zip(short, long, strict=True):
        np.testing.assert_array_equal(a, b[:300])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_timesteps": 0}, "n_timesteps must be an integer >= 1, got 0"),
        ({"n_timesteps": 2.5}, "n_timesteps must be an integer"),
        ({"n_timesteps": True}, "n_timesteps must be an integer"),
        ({"n_timesteps": "ten"}, "n_timesteps must be an integer"),
        ({"fs": 0.0}, "fs must be a finite number > 0, got 0.0"),
        ({"fs": np.nan}, "fs must be a finite number"),
        ({"frequency": np.inf}, "frequency must be a finite number"),
        ({"frequency": 2.0}, "max_drift=3.0 Hz would take the frequency of 2.0 Hz to zero"),
        ({"max_drift": -1.0}, "max_drift must be a finite number >= 0"),
        ({"max_slew": "fast"}, "max_slew must be a finite number >= 0"),
        ({"breathing": 1.0}, "breathing must be a finite number >= 0 and < 1, got 1.0"),
        ({"reference_noise": -0.1}, "reference_noise must be a finite number >= 0"),
        ({"harmonics_db": (-20.0, np.nan)}, r"harmonics_db\[1\] must be a finite number"),
        ({"amplitude": 0}, "amplitude must be a finite number > 0"),
        ({"fs": 300.0}, "Harmonic 3 reaches 159 Hz, which is not below fs / 2 = 150 Hz"),
    ],
)
def test_hum_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        mains_hum(**({"n_timesteps": 10} | arguments))
