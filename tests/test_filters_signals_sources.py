"""Rotor noise and speech-like sound: their lines, levels, rhythm and pauses are as stated."""

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter, welch

from filters.signals import RotorNoise, SpeechLike, rotor_noise, speech_like

FS = 8000.0


def line_power(signal, phase):
    """Power of the line with this phase, by demodulation."""
    return 2 * abs(np.mean(signal * np.exp(-1j * phase))) ** 2


def rotor_phase(frequency):
    return 2 * np.pi * np.cumsum(frequency) / FS


def eigenvalue_spread(signal, n_taps=128):
    n = signal.size
    correlation = [signal[k:] @ signal[: n - k] / n for k in range(n_taps)]
    eigenvalues = np.linalg.eigvalsh(toeplitz(correlation))
    return eigenvalues[-1] / eigenvalues[0]


@pytest.mark.parametrize("blade_pass", [11.0, 13.7, 25.0, 33.0])
@pytest.mark.parametrize("broadband_db", [-18.0, -3.0])
def test_rotor_eigenvalue_spread_is_that_of_recordings(blade_pass, broadband_db):
    noise = rotor_noise(
        40_000, blade_pass=blade_pass, broadband_db=broadband_db, random_state=0
    ).noise
    assert 7e2 < eigenvalue_spread(noise) < 3e8


def test_rotor_lines_lie_at_multiples_of_the_blade_pass_with_the_stated_levels():
    _, periodic, frequency = rotor_noise(
        80_000, level_spread_db=0.0, n_tail_harmonics=0, random_state=1
    )
    powers = [line_power(periodic, k * rotor_phase(frequency)) for k in range(1, 15)]
    levels = 10 * np.log10(np.array(powers[:13]) / powers[0])
    np.testing.assert_allclose(levels, -1.5 * np.arange(13), atol=0.1)
    assert powers[13] < 1e-4 * powers[12]
    np.testing.assert_allclose(np.sum(powers), np.mean(periodic**2), rtol=0.01)
    np.testing.assert_allclose(np.mean(periodic**2), 1.0, rtol=0.01)


def test_rotor_tail_is_geared_to_the_main_rotor():
    _, periodic, frequency = rotor_noise(
        160_000, tail_rotor=101.0, max_drift=1.0, level_spread_db=0.0, random_state=2
    )
    geared = rotor_phase(frequency) * 101.0 / 12.0
    first, second = (line_power(periodic, j * geared) for j in (1, 2))
    np.testing.assert_allclose(10 * np.log10(first + second), -9.0, atol=0.2)
    np.testing.assert_allclose(first / second, 4.0, rtol=0.05)
    steady = 2 * np.pi * 101.0 * np.arange(frequency.size) / FS
    assert line_power(periodic, steady) < 0.5 * first  # it does follow the drift


def test_rotor_levels_wander_by_the_stated_decibels_around_the_stated_power():
    one_line = dict(n_harmonics=1, n_tail_harmonics=0, level_spread_db=3.0, max_drift=0.0)
    logs, powers = [], []
    for seed in range(12):
        _, periodic, _ = rotor_noise(20 * 8000, random_state=seed, **one_line)
        cycles = periodic[: periodic.size // 667 * 667].reshape(-1, 667)  # of about one period
        power = np.mean(cycles**2, axis=1)
        logs.append(10 * np.log10(power))
        powers.append(power.mean())
    np.testing.assert_allclose(np.mean([x.std() for x in logs]), 3.0, rtol=0.1)
    np.testing.assert_allclose(np.mean(powers), 1.0, rtol=0.1)


@pytest.mark.parametrize("broadband_db", [-18.0, -3.0])
def test_rotor_broadband_has_the_stated_power_and_modulation(broadband_db):
    noise, periodic, frequency = rotor_noise(
        400_000, broadband_db=broadband_db, modulation=0.8, random_state=3
    )
    broadband = noise - periodic
    np.testing.assert_allclose(10 * np.log10(np.mean(broadband**2)), broadband_db, atol=0.3)
    # (1 + m cos)^2 = 1 + m^2/2 + 2 m cos + ...: the power's share at the blade pass gives m.
    share = 2 * np.mean(broadband**2 * np.cos(rotor_phase(frequency))) / np.mean(broadband**2)
    np.testing.assert_allclose(share, 2 * 0.8 / (1 + 0.8**2 / 2), rtol=0.1)


def test_rotor_broadband_is_white_behind_its_pole():
    noise, periodic, _ = rotor_noise(
        200_000, modulation=0.0, broadband_cutoff=500.0, random_state=4
    )
    pole = np.exp(-2 * np.pi * 500 / FS)
    white = lfilter([1, -pole], [1], noise - periodic)[1:]
    _, power = welch(white, FS, nperseg=256)
    np.testing.assert_allclose(power[1:-1] / power[1:-1].mean(), 1.0, atol=0.15)


def test_rotor_drift_keeps_its_limits():
    frequency = rotor_noise(
        480_000, blade_pass=30.0, max_drift=1.0, max_slew=0.5, random_state=0
    ).frequency
    assert 0.3 < np.abs(frequency - 30).max() <= 1.0
    assert np.abs(np.diff(frequency) * FS).max() <= 0.5 + 1e-6


def syllable_gaps(active):
    edges = np.flatnonzero(np.diff(active.astype(int)))
    return edges.size // 2


def test_speech_pauses_and_syllables_have_the_stated_rhythm():
    minutes = 60 * 8000
    _, active, _ = speech_like(minutes, pause_share=0.4, random_state=0)
    np.testing.assert_allclose(active.mean(), 0.6, atol=0.03)
    # Phrases of 3 to 7 syllables at 4 a second last 1.25 s on average.
    np.testing.assert_allclose(syllable_gaps(active), active.sum() / FS / 1.25, rtol=0.15)
    assert speech_like(8000, pause_share=0.0, random_state=0).active.all()


def test_speech_is_silent_in_pauses_and_loud_where_voiced():
    speech, active, pitch = speech_like(480_000, level=2.0, random_state=1)
    assert not speech[~active].any()
    assert not pitch[~active].any()
    voiced, unvoiced = pitch > 0, active & (pitch == 0)
    # Log-normal levels of 3 dB raise the mean power by exp((0.3 ln 10)^2 / 2).
    power = 4 * np.exp((0.3 * np.log(10)) ** 2 / 2)
    np.testing.assert_allclose(np.mean(speech[voiced] ** 2), power, rtol=0.15)
    ratio = np.mean(speech[unvoiced] ** 2) / np.mean(speech[voiced] ** 2)
    np.testing.assert_allclose(10 * np.log10(ratio), -12, atol=1.5)
    assert 0.08 < unvoiced.sum() / active.sum() < 0.28


def test_speech_voice_pulses_at_its_pitch():
    speech, _, pitch = speech_like(80_000, pitch=100.0, pitch_range=0.0, random_state=2)
    voiced = speech[pitch > 0]
    assert set(np.unique(pitch)) == {0.0, 100.0}
    correlation = [voiced[k:] @ voiced[:-k] for k in range(40, 120)]
    assert abs(40 + int(np.argmax(correlation)) - 80) <= 1  # one period of 100 Hz at 8 kHz


def test_speech_pitch_falls_through_the_range():
    pitch = speech_like(480_000, pitch=200.0, pitch_range=0.3, random_state=3).pitch
    voiced = pitch[pitch > 0]
    assert 140 <= voiced.min() < 150
    assert 250 < voiced.max() <= 260


def test_speech_unvoiced_parts_hiss_above_two_kilohertz():
    speech, active, pitch = speech_like(480_000, random_state=4)

    def share_above(signal):
        frequency, power = welch(signal, FS, nperseg=256)
        return power[frequency > 2000].sum() / power.sum()

    assert share_above(np.where(active & (pitch == 0), speech, 0)) > 0.8
    assert share_above(np.where(pitch > 0, speech, 0)) < 0.1


@pytest.mark.parametrize(
    ("generate", "kind"), [(rotor_noise, RotorNoise), (speech_like, SpeechLike)]
)
def test_source_seed_decides_everything_and_longer_begins_with_shorter(generate, kind):
    first, again, other, long = (generate(n, random_state=s) for n, s in
                                 ((9000, 1), (9000, 1), (9000, 2), (20_000, 1)))  # fmt: skip
    assert isinstance(first, kind)
    for a, b, c, d in zip(first, again, other, long, strict=True):
        assert a.shape == (9000,)
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
        np.testing.assert_allclose(d[:9000], a, atol=1e-12)
    state = generate(9000, random_state=np.random.RandomState(1))
    np.testing.assert_array_equal(state[0], first[0])
    assert generate(1, random_state=0)[0].shape == (1,)


@pytest.mark.parametrize(
    ("generate", "arguments", "message"),
    [
        (rotor_noise, {"n_timesteps": 0}, "n_timesteps must be an integer >= 1, got 0"),
        (rotor_noise, {"fs": -1.0}, "fs must be a finite number > 0"),
        (rotor_noise, {"blade_pass": np.nan}, "blade_pass must be a finite number"),
        (rotor_noise, {"max_drift": 12.0}, "max_drift must be a finite number >= 0 and < 12"),
        (rotor_noise, {"n_harmonics": 0}, "n_harmonics must be an integer >= 1"),
        (rotor_noise, {"n_harmonics": 400}, "the lines reach 4920 Hz, which is not below fs / 2"),
        (rotor_noise, {"fs": 400.0, "broadband_cutoff": 50.0}, "the lines reach 215.25 Hz"),
        (rotor_noise, {"broadband_cutoff": 4000.0}, "broadband_cutoff must be .* < 4000"),
        (rotor_noise, {"modulation": 1.0}, "modulation must be .* < 1"),
        (rotor_noise, {"level_spread_db": -1.0}, "level_spread_db must be .* >= 0"),
        (speech_like, {"n_timesteps": 1.5}, "n_timesteps must be an integer"),
        (speech_like, {"fs": 3000.0}, "fs must be a finite number >= 4000"),
        (speech_like, {"pitch": 1000.0}, "pitch must be .* < 1000"),
        (speech_like, {"pause_share": 1.0}, "pause_share must be .* < 1"),
        (speech_like, {"syllable_rate": 0.0}, "syllable_rate must be .* > 1e-06, got 0.0"),
    ],
)
def test_source_refuses_bad_arguments(generate, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(**({"n_timesteps": 100} | arguments))
