"""Paths and channels: delays, echoes, decay and levels are as stated."""

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from filters.signals import (
    cabin_paths,
    echo_path,
    multipath_channel,
    raised_cosine_channel,
    through_paths,
)
from filters.timeseries import misalignment_db

FS = 8000.0


def group_delay(response, frequency):
    """Delay in samples of a response at a frequency in hertz, from its phase."""
    n = np.arange(response.size)
    carrier = np.exp(-2j * np.pi * frequency / FS * n)
    return (np.sum(n * response * carrier) / np.sum(response * carrier)).real


@pytest.mark.parametrize("distance", [1.0, 2.5, 4.321])
@pytest.mark.parametrize("frequency", [100.0, 1000.0, 3000.0])
def test_cabin_direct_sound_is_a_fractional_delay_of_gain_one(distance, frequency):
    bare = dict(n_echoes=0, tail_db=-300.0, random_state=0)
    response = cabin_paths(256, microphone_distance=distance, **bare).to_microphone[0]
    np.testing.assert_allclose(
        group_delay(response, frequency), distance / 343 * FS, rtol=0, atol=0.02
    )
    n = np.arange(256)
    gain = abs(np.sum(response * np.exp(-2j * np.pi * frequency / FS * n)))
    np.testing.assert_allclose(gain, 1.0, atol=0.01)


def test_cabin_reference_hears_louder_and_earlier():
    paths = cabin_paths(512, n_echoes=0, tail_db=-300.0, random_state=0)
    voice, reference = paths.to_microphone[0], paths.to_reference[0]
    np.testing.assert_allclose(reference.sum() / voice.sum(), 2.5 / 0.7, rtol=0.01)
    assert np.argmax(np.abs(reference)) < np.argmax(np.abs(voice)) - 30


def cabin_echoes(n_echoes, seed):
    common = dict(tail_db=-300.0, random_state=seed)
    direct = cabin_paths(512, n_echoes=0, **common).to_microphone[0]
    return cabin_paths(512, n_echoes=n_echoes, **common).to_microphone[0] - direct


def test_cabin_echoes_come_early_and_weaker_than_the_direct_sound():
    echoes = [cabin_echoes(1, seed) for seed in range(60)]
    late = [1e3 * group_delay(e, 0.0) / FS - 1e3 * 2.5 / 343 for e in echoes]
    assert 0.99 < min(late) < 2
    assert 11 < max(late) < 12.01
    gains = np.array([e.sum() for e in echoes])
    level = 20 * np.log10(np.abs(gains))
    assert -14.05 < level.min() < -13
    assert -5 < level.max() < -3.95
    assert 20 < np.sum(gains < 0) < 40


def test_cabin_has_as_many_echoes_as_stated():
    energies = [[np.sum(cabin_echoes(n, s) ** 2) for s in range(40)] for n in (1, 2, 3)]
    one, two, three = np.mean(energies, axis=1)
    np.testing.assert_allclose([two / one, three / one], [2, 3], rtol=0.25)


def test_cabin_tail_decays_by_sixty_decibels_in_the_reverberation_time():
    tail = np.mean(
        [
            cabin_paths(2400, n_echoes=0, reverberation_time=0.2, random_state=s).to_reference[0]
            ** 2
            for s in range(100)
        ],
        axis=0,
    )[100:]
    seconds = np.arange(tail.size) / FS
    blocks = 10 * np.log10(tail[:2200].reshape(-1, 50).mean(axis=1))
    slope = np.polyfit(seconds[:2200].reshape(-1, 50).mean(axis=1), blocks, 1)[0]
    np.testing.assert_allclose(slope, -60 / 0.2, rtol=0.03)


def test_cabin_tail_has_the_stated_energy():
    common = dict(n_echoes=0, random_state=0)
    bare = cabin_paths(2048, tail_db=-300.0, **common)
    paths = cabin_paths(2048, tail_db=-12.0, **common)
    for heard, direct in zip(paths, bare, strict=True):
        energy = np.sum((heard[0] - direct[0]) ** 2)
        np.testing.assert_allclose(10 * np.log10(energy), -12, atol=1e-6)


def test_cabin_change_half_way_has_the_stated_size():
    before, after = cabin_paths(1024, change=0.3, random_state=5).to_microphone
    np.testing.assert_allclose(misalignment_db(before, after), 20 * np.log10(0.3), atol=1e-9)
    for response in cabin_paths(1024, random_state=5):
        np.testing.assert_array_equal(response[0], response[1])
    first, second = cabin_paths(1024, change=0.3, random_state=5).to_reference
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", ["acoustic", "line"])
@pytest.mark.parametrize("loss", [-3.0, 6.0, 20.0])
def test_echo_return_loss_is_exact_and_nothing_comes_before_the_delay(kind, loss):
    response, delay = echo_path(600, kind=kind, return_loss_db=loss, delay=0.02, random_state=1)
    assert (delay, response.shape) == (160, (600,))
    np.testing.assert_allclose(-10 * np.log10(response @ response), loss, atol=1e-9)
    assert not response[:delay].any()
    assert response[delay] != 0


def test_echo_return_loss_is_that_of_white_noise():
    response, _ = echo_path(400, return_loss_db=10.0, random_state=2)
    x = np.random.default_rng(0).standard_normal(100_000)
    loss = 10 * np.log10(np.mean(x**2) / np.mean(lfilter(response, [1], x) ** 2))
    np.testing.assert_allclose(loss, 10, atol=0.2)


def test_line_echo_is_sparse_and_an_acoustic_one_dense():
    line, delay = echo_path(1024, kind="line", delay=0.03, random_state=0)
    assert np.flatnonzero(line).tolist() == list(range(delay, delay + 64))
    dense, _ = echo_path(1024, delay=0.03, random_state=0)
    assert np.count_nonzero(dense) == 1024 - delay


def test_line_echo_swells_before_it_dies():
    energy = np.mean(
        [echo_path(512, kind="line", random_state=s).response ** 2 for s in range(200)], axis=0
    )
    peak = int(np.argmax(np.convolve(energy, np.ones(5) / 5, mode="same")))
    # t exp(-6.9 t / 64) peaks at t = 64 / 6.9.
    assert abs(peak - 40 - 64 / np.log(1000)) < 5
    assert energy[40 + 60] < 0.01 * energy[peak]


def test_acoustic_echo_decays_by_sixty_decibels_in_its_time():
    energy = np.mean(
        [
            echo_path(1000, decay_time=0.1, delay=0.0, random_state=s).response ** 2
            for s in range(99)
        ],
        axis=0,
    )
    blocks = 10 * np.log10(energy[:800].reshape(-1, 50).mean(axis=1))
    slope = np.polyfit(np.arange(16) * 50 / FS, blocks, 1)[0]
    np.testing.assert_allclose(slope, -60 / 0.1, rtol=0.05)


def test_through_one_path_is_plain_filtering():
    rng = np.random.default_rng(0)
    x, h = rng.standard_normal(500), rng.standard_normal(30)
    np.testing.assert_allclose(through_paths(x, h), lfilter(h, [1], x), atol=1e-12)


def test_through_changing_paths_keeps_the_memory_of_the_signal():
    rng = np.random.default_rng(1)
    x, h = rng.standard_normal(301), rng.standard_normal((3, 20))
    history = np.r_[np.zeros(19), x]
    naive = [h[k * 3 // 301] @ history[k : k + 20][::-1] for k in range(301)]
    np.testing.assert_allclose(through_paths(x, h), naive, atol=1e-12)


@pytest.mark.parametrize(
    ("width", "spread"), [(2.9, 6.0782), (3.1, 11.1238), (3.3, 21.7132), (3.5, 46.8216)]
)
def test_raised_cosine_channel_has_the_published_eigenvalue_spread(width, spread):
    h = raised_cosine_channel(width)
    correlation = np.r_[[h[k:] @ h[: 3 - k] for k in range(3)], np.zeros(8)]
    correlation[0] += 0.001  # the measurement noise of the experiment
    eigenvalues = np.linalg.eigvalsh(toeplitz(correlation))
    np.testing.assert_allclose(eigenvalues[-1] / eigenvalues[0], spread, atol=5e-5)


@pytest.mark.parametrize("complex_gains", [True, False])
def test_multipath_channel_has_its_paths_and_unit_energy(complex_gains):
    response, delays, gains = multipath_channel(
        20, n_paths=5, complex_gains=complex_gains, random_state=0
    )
    assert np.iscomplexobj(response) == complex_gains
    assert delays[0] == 0
    assert (np.diff(delays) > 0).all()
    np.testing.assert_array_equal(np.flatnonzero(response), delays)
    np.testing.assert_array_equal(response[delays], gains)
    np.testing.assert_allclose(np.sum(np.abs(response) ** 2), 1.0, rtol=1e-12)


def test_multipath_gains_are_circular_with_an_exponential_profile():
    draws = [multipath_channel(9, n_paths=9, decay=2.0, random_state=s) for s in range(3000)]
    # Ratios of gains are free of the common scale: |g_p / g_0|^2 has the median exp(-p / D).
    gains = np.array([d.gains for d in draws])
    ratio = np.abs(gains[:, 1:] / gains[:, :1]) ** 2
    np.testing.assert_allclose(np.median(ratio, axis=0), np.exp(-np.arange(1, 9) / 2.0), rtol=0.15)
    phase = gains / np.abs(gains)
    np.testing.assert_allclose(phase.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose((phase**2).mean(axis=0), 0, atol=0.06)


def test_one_path_channel_has_no_delay():
    response, delays, _ = multipath_channel(1, n_paths=1, random_state=0)
    assert response.shape == (1,)
    assert delays.tolist() == [0]


@pytest.mark.parametrize("generate", [cabin_paths, echo_path, multipath_channel])
def test_path_seed_decides_everything(generate):
    first, again, other = (generate(256, random_state=s) for s in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(first[0], other[0], rtol=1e-3)


@pytest.mark.parametrize(
    ("generate", "arguments", "message"),
    [
        (cabin_paths, {"n_taps": 150}, "n_taps=150 ends before .* give at least 171"),
        (cabin_paths, {"reference_distance": 0.0}, "reference_distance must be .* > 0"),
        (cabin_paths, {"n_echoes": -1}, "n_echoes must be an integer >= 0"),
        (cabin_paths, {"reverberation_time": 0.0}, "reverberation_time must be .* > 0"),
        (cabin_paths, {"change": -0.1}, "change must be .* >= 0"),
        (echo_path, {"n_taps": 40}, "n_taps=40 ends before the delay of 40 samples does"),
        (echo_path, {"kind": "digital"}, "The 'kind' parameter .*'line'.* Got 'digital'"),
        (echo_path, {"return_loss_db": np.inf}, "return_loss_db must be a finite number"),
        (multipath_channel, {"n_paths": 13}, "n_paths=13 paths do not fit into n_taps=12"),
        (multipath_channel, {"decay": 0.0}, "decay must be .* > 0"),
        (raised_cosine_channel, {"width": 0.0}, "width must be a finite number > 0"),
        (through_paths, {"signal": [], "responses": [1.0]}, "not empty"),
        (through_paths, {"signal": [[1.0]], "responses": [1.0]}, r"got \(1, 1\) and \(1,\)"),
        (through_paths, {"signal": [np.nan], "responses": [1.0]}, "must be finite"),
    ],
)
def test_path_refuses_bad_arguments(generate, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(**arguments)
