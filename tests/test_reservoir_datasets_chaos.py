"""Flows, maps, fields and the channel against identities and published exponents."""

import numpy as np
import pytest
from scipy.integrate import odeint

from reservoir import datasets


def growth(series, other, dt):
    """Slope of the logarithm of the distance of two runs."""
    distance = np.log(np.linalg.norm(series - other, axis=1))
    return np.polyfit(dt * np.arange(distance.size), distance, 1)[0]


# --- Rossler -------------------------------------------------------------------------------------


def test_rossler_follows_its_equations():
    a, b, c = 0.2, 0.2, 5.7
    rows = datasets.rossler(200, dt=0.05, initial_state=[1.0, 2.0, 0.5])
    np.testing.assert_array_equal(rows[0], [1.0, 2.0, 0.5])

    def velocity(s, _):
        return [-s[1] - s[2], s[0] + a * s[1], b + s[2] * (s[0] - c)]

    other = odeint(velocity, rows[0], 0.05 * np.arange(200), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(rows, other, rtol=0, atol=1e-7)


def test_rossler_rests_in_its_fixed_point():
    a, b, c = 0.2, 0.2, 5.7
    z = (c - np.sqrt(c**2 - 4 * a * b)) / (2 * a)
    point = [a * z, -z, z]
    rows = datasets.rossler(50, initial_state=point)
    np.testing.assert_allclose(rows, np.tile(point, (50, 1)), rtol=0, atol=1e-7)


# --- Lorenz-96 -----------------------------------------------------------------------------------


def test_lorenz96_rests_where_all_sites_equal_the_forcing():
    rows = datasets.lorenz96(20, forcing=8.0, initial_state=np.full(40, 8.0))
    np.testing.assert_allclose(rows, 8.0, rtol=1e-12)


def test_lorenz96_products_conserve_energy():
    """d/dt sum x^2 / 2 = sum (F x - x^2), the derivative from five points around."""
    dt, forcing = 0.002, 8.0
    rows = datasets.lorenz96(200, dt=dt, forcing=forcing, random_state=0)
    energy = 0.5 * (rows**2).sum(axis=1)
    slope = (8 * (energy[3:-1] - energy[1:-3]) - (energy[4:] - energy[:-4])) / (12 * dt)
    expected = (forcing * rows - rows**2).sum(axis=1)[2:-2]
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_lorenz96_is_the_same_on_a_turned_ring():
    start = 8.0 + np.random.RandomState(0).randn(12)
    rows = datasets.lorenz96(100, n_variables=12, initial_state=start)
    turned = datasets.lorenz96(100, n_variables=12, initial_state=np.roll(start, 5))
    np.testing.assert_allclose(turned, np.roll(rows, 5, axis=1), rtol=0, atol=1e-7)
    mirrored = datasets.lorenz96(100, n_variables=12, initial_state=start[::-1])
    assert np.abs(mirrored - rows[:, ::-1]).max() > 1.0  # waves travel one way


def test_lorenz96_grows_apart_as_published():
    """The largest exponent is 1.68 at F = 8 (mean growth of a small error over 14 time units)."""
    rates = []
    for seed in (0, 1):
        rows = datasets.lorenz96(1, random_state=seed, transient=1000)
        kick = 1e-9 * np.random.RandomState(seed).randn(40)
        pair = [
            datasets.lorenz96(28, dt=0.5, initial_state=start, transient=0)
            for start in (rows[0], rows[0] + kick)
        ]
        rates.append(growth(pair[0][4:20], pair[1][4:20], 0.5))
    assert 1.2 < np.mean(rates) < 2.2


# --- Henon ---------------------------------------------------------------------------------------


def test_henon_follows_its_recursion():
    rows = datasets.henon(2000, random_state=0)
    x = rows[:, 0]
    np.testing.assert_allclose(x[2:], 1 - 1.4 * x[1:-1] ** 2 + 0.3 * x[:-2], rtol=0, atol=1e-14)
    np.testing.assert_allclose(rows[1:, 1], 0.3 * x[:-1], rtol=1e-14)


def test_henon_has_the_published_exponent():
    x = datasets.henon(20_000, random_state=1)[:, 0]
    direction, total = np.array([1.0, 0.0]), 0.0
    for value in x:
        direction = np.array([-2.8 * value * direction[0] + direction[1], 0.3 * direction[0]])
        norm = np.linalg.norm(direction)
        direction, total = direction / norm, total + np.log(norm)
    np.testing.assert_allclose(total / x.size, 0.419, rtol=0, atol=0.01)


def test_henon_that_runs_off_is_refused():
    with pytest.raises(ValueError, match="ran off at step"):
        datasets.henon(100, initial_state=[3.0, 3.0])


# --- Kuramoto-Sivashinsky ------------------------------------------------------------------------


def test_kuramoto_sivashinsky_grows_small_waves_as_the_linear_equation():
    length, n, eps = 22.0, 64, 1e-7
    x = length / n * np.arange(n)
    for mode in (1, 2, 3, 5):
        k = 2 * np.pi * mode / length
        wave = eps * np.cos(k * x)
        rows = datasets.kuramoto_sivashinsky(9, initial_state=wave)
        expected = wave * np.exp((k**2 - k**4) * 2.0)
        np.testing.assert_allclose(rows[8], expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_kuramoto_sivashinsky_balances_energy_and_keeps_its_mean():
    """d/dt mean u^2 / 2 = mean (u_x^2 - u_xx^2), the derivative from five points around."""
    dt, length, n = 0.02, 22.0, 64
    rows = datasets.kuramoto_sivashinsky(60, dt=dt, random_state=0)
    np.testing.assert_allclose(rows.mean(axis=1), 0.0, atol=1e-12)
    wave = 2j * np.pi / length * np.arange(n // 2 + 1)
    modes = np.fft.rfft(rows, axis=1)
    slope, bend = (np.fft.irfft(modes * wave**p, n, axis=1) for p in (1, 2))
    expected = (slope**2 - bend**2).mean(axis=1)[2:-2]
    energy = 0.5 * (rows**2).mean(axis=1)
    change = (8 * (energy[3:-1] - energy[1:-3]) - (energy[4:] - energy[:-4])) / (12 * dt)
    np.testing.assert_allclose(change, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_kuramoto_sivashinsky_is_of_fourth_order():
    start = datasets.kuramoto_sivashinsky(1, random_state=0)[0]
    start -= start.mean()

    def end(dt):
        n = round(4.0 / dt)
        return datasets.kuramoto_sivashinsky(2, dt=dt, subsampling=n, initial_state=start)[1]

    best = end(0.0078125)
    coarse, fine = (np.abs(end(dt) - best).max() for dt in (0.0625, 0.03125))
    assert coarse / fine > 10


def test_kuramoto_sivashinsky_refuses_a_field_with_a_mean():
    with pytest.raises(ValueError, match="mean zero"):
        datasets.kuramoto_sivashinsky(5, initial_state=np.ones(64))
    with pytest.raises(ValueError, match="even"):
        datasets.kuramoto_sivashinsky(5, n_points=9)


# --- the channel ---------------------------------------------------------------------------------


def test_channel_follows_its_equations():
    """u(n) from the targets: y(n) = d(n - 2), so d(n + k) = y(n + k + 2)."""
    X, y = datasets.channel_equalization(500, snr_db=None, random_state=0)
    rows = np.arange(5, 495)

    def d(k):
        return y[rows + k + 2]

    q = 0.08 * d(2) - 0.12 * d(1) + d(0) + 0.18 * d(-1) - 0.1 * d(-2) + 0.091 * d(-3)
    q += -0.05 * d(-4) + 0.04 * d(-5) + 0.03 * d(-6) + 0.01 * d(-7)
    np.testing.assert_allclose(X[rows, 0], q + 0.036 * q**2 - 0.011 * q**3, rtol=0, atol=1e-12)


def test_channel_noise_is_as_loud_as_asked():
    clean = datasets.channel_equalization(50_000, snr_db=None, random_state=3)
    noisy = datasets.channel_equalization(50_000, snr_db=16.0, random_state=3)
    np.testing.assert_array_equal(clean[1], noisy[1])
    noise = noisy[0] - clean[0]
    snr_db = 10 * np.log10(np.mean(clean[0] ** 2) / np.mean(noise**2))
    np.testing.assert_allclose(snr_db, 16.0, rtol=0, atol=0.1)


def test_linear_equalizer_has_the_known_error_rate():
    """Eleven taps by least squares at 28 dB: 2.5e-3 wrong symbols."""
    X, y = datasets.channel_equalization(40_000, snr_db=28.0, random_state=0)
    taps = np.column_stack([np.ones(40_000), *(np.roll(X[:, 0], k) for k in range(11))])[20:]
    known = y[20:]
    weights = np.linalg.lstsq(taps[:10_000], known[:10_000], rcond=None)[0]
    answer = np.clip(2 * np.floor(taps @ weights / 2) + 1, -3, 3)
    np.testing.assert_allclose(np.mean(answer != known), 2.5e-3, rtol=0.3)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("rossler", {"n_timesteps": 0}, "n_timesteps"),
        ("rossler", {"n_timesteps": 5, "dt": 0.0}, "dt"),
        ("rossler", {"n_timesteps": 5, "initial_state": [1.0]}, "3 finite numbers"),
        ("lorenz96", {"n_timesteps": 5, "n_variables": 3}, "n_variables"),
        ("lorenz96", {"n_timesteps": 5, "transient": -1}, "transient"),
        ("henon", {"n_timesteps": 5, "initial_state": [np.nan, 0.0]}, "2 finite numbers"),
        ("kuramoto_sivashinsky", {"n_timesteps": 5, "length": -1.0}, "length"),
        ("channel_equalization", {"n_timesteps": 5, "snr_db": "loud"}, "snr_db"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(datasets, name)(**arguments)


@pytest.mark.parametrize("name", ["rossler", "lorenz96", "henon", "kuramoto_sivashinsky"])
def test_same_seed_same_rows(name):
    make = getattr(datasets, name)
    one, two = (make(5, transient=3, random_state=4) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(make(3, transient=5, random_state=4), one[2:])
    assert np.abs(make(5, transient=3, random_state=5) - one).max() > 1e-6
