"""Generators against their equations and what is published about them."""

import numpy as np
import pytest
from scipy.integrate import odeint

from filters import signals
from reservoir import datasets
from reservoir.datasets import _generators

# --- NARMA ---------------------------------------------------------------------------------------


def naive_narma(u, order):
    """The other published form: y[t] from y[t-1..t-n], u[t-1] and u[t-n]; zeros before."""
    u = np.concatenate([np.zeros(order), u])
    y = np.zeros(len(u) + 1)
    for t in range(order + 1, len(u) + 1):
        y[t] = 0.3 * y[t - 1] + 0.05 * y[t - 1] * y[t - order : t].sum()
        y[t] += 1.5 * u[t - 1] * u[t - order] + 0.1
        if order > 10:
            y[t] = np.tanh(y[t])
    return y[order + 1 :]


@pytest.mark.parametrize("order", [1, 2, 9, 10, 11, 20, 30])
def test_narma_follows_its_recursion(order):
    X, y = datasets.narma(400, order=order, random_state=3)
    assert X.shape == (400, 1)
    assert y.shape == (400,)
    np.testing.assert_allclose(y, naive_narma(X[:, 0], order), rtol=1e-12)


def test_narma_first_target_is_the_constant():
    assert datasets.narma(5, random_state=0)[1][0] == 0.1


def test_narma_input_is_uniform():
    u = datasets.narma(20_000, random_state=0)[0][:, 0]
    assert u.min() >= 0
    assert u.max() <= 0.5
    np.testing.assert_allclose(u.mean(), 0.25, atol=0.005)
    np.testing.assert_allclose(u.std(), 0.5 / np.sqrt(12), rtol=0.02)
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.03


def test_narma_target_answers_the_input_of_its_own_row():
    X, y = datasets.narma(5000, random_state=1)
    u = X[:, 0]
    # 1.5 u(t-9) u(t): its two lags, 0 and 9, correlate most with row t's target among lags 0-9.
    lags = [np.corrcoef(u[9 - k : 4998 - k], y[9:4998])[0, 1] for k in range(-2, 10)]
    assert set(np.argsort(lags)[-2:] - 2) == {0, 9}
    np.testing.assert_allclose(lags[:2], 0, atol=0.06)  # the future is unknown


@pytest.mark.parametrize("seed", [0, 1])
def test_narma_linear_floor_is_the_published_one(seed):
    # A linear shift register reaches NRMSE 0.4 (Appeltant et al. 2011), and no better than 0.38.
    X, y = datasets.narma(5000, random_state=seed)
    taps = np.column_stack([np.ones(5000)] + [np.roll(X[:, 0], k) for k in range(50)])
    train, test = slice(200, 2000), slice(2200, 5000)
    weights, *_ = np.linalg.lstsq(taps[train], y[train], rcond=None)
    error = taps[test] @ weights - y[test]
    assert 0.37 < np.sqrt(np.mean(error**2) / y[test].var()) < 0.43


def test_narma_redraws_divergent_inputs(monkeypatch):
    outcomes = []
    recursion = _generators.narma_recursion

    def watched(*args):
        outcomes.append(recursion(*args))
        return outcomes[-1]

    monkeypatch.setattr(_generators, "narma_recursion", watched)
    X, y = datasets.narma(100_000, random_state=3)
    assert outcomes[-1] == -1
    assert min(outcomes[:-1]) > 0  # this seed's first draw runs away
    assert y.max() < 2
    np.testing.assert_allclose(y[:500], naive_narma(X[:500, 0], 10), rtol=1e-12)


def test_narma_gives_up_with_advice(monkeypatch):
    monkeypatch.setattr(_generators, "NARMA_LIMIT", 0.05)
    with pytest.raises(ValueError, match=r"order 10 diverged within 50 steps.*shorter series"):
        datasets.narma(50, random_state=0)


# --- Mackey-Glass --------------------------------------------------------------------------------


def mackey_glass_force(delayed):
    return 0.2 * delayed / (1 + delayed**10)


@pytest.mark.parametrize("tau", [17, 30])
def test_mackey_glass_euler_is_jaegers_recursion(tau):
    fine = datasets.mackey_glass(3000, tau=tau, subsampling=1, transient=0, random_state=5)[:, 0]
    lag = 10 * tau
    expected = fine[lag:-1] + 0.1 * (mackey_glass_force(fine[: -lag - 1]) - 0.1 * fine[lag:-1])
    np.testing.assert_allclose(fine[lag + 1 :], expected, rtol=1e-13)


def test_mackey_glass_subsampling_and_transient_only_choose_rows():
    fine = datasets.mackey_glass(2001, subsampling=1, transient=0, random_state=5)
    coarse = datasets.mackey_glass(100, transient=100, random_state=5)
    np.testing.assert_array_equal(coarse, fine[1000:2000:10])


def test_mackey_glass_auto_transient_is_a_thousand_time_units():
    auto = datasets.mackey_glass(50, dt=0.5, tau=17, subsampling=4, random_state=2)
    np.testing.assert_array_equal(
        auto,
        datasets.mackey_glass(50, dt=0.5, tau=17, subsampling=4, transient=500, random_state=2),
    )


def test_mackey_glass_rk4_satisfies_the_delay_equation():
    y = datasets.mackey_glass(4000, subsampling=1, method="rk4", random_state=0)[:, 0]
    slope = (y[:-4] - 8 * y[1:-3] + 8 * y[3:-1] - y[4:]) / 1.2  # fourth-order difference
    residual = slope[168:] - (mackey_glass_force(y[:-172]) - 0.1 * y[170:-2])
    assert np.abs(residual).max() < 1e-7  # linear interpolation of the delay leaves 4e-6
    assert np.abs(slope).max() > 0.05


@pytest.mark.parametrize(("method", "rtol"), [("rk4", 1e-8), ("euler", 5e-3)])
def test_mackey_glass_first_interval_has_a_closed_form(method, rtol):
    # With a constant past h the equation is linear for one delay: y = A + (h - A) exp(-t / 10).
    h = 0.5
    y = datasets.mackey_glass(15, tau=17, method=method, initial_history=h)[:, 0]
    goal = 10 * mackey_glass_force(h)
    np.testing.assert_allclose(y, goal + (h - goal) * np.exp(-np.arange(15) / 10), rtol=rtol)
    assert y[0] == h


def test_mackey_glass_rk4_is_of_fourth_order_where_euler_is_of_first():
    def error(method, dt):
        arguments = {"tau": 16, "initial_history": 0.5, "subsampling": round(4 / dt)}
        y = datasets.mackey_glass(4, method=method, dt=dt, **arguments)
        goal = 10 * mackey_glass_force(0.5)
        return abs(y[3, 0] - goal - (0.5 - goal) * np.exp(-1.2))

    assert 12 < error("rk4", 2.0) / error("rk4", 1.0) < 20
    assert 1.8 < error("euler", 0.2) / error("euler", 0.1) < 2.2


@pytest.mark.parametrize(("tau", "variance"), [(17, 0.051), (30, 0.080)])
def test_mackey_glass_variance_on_the_attractor(tau, variance):
    y = datasets.mackey_glass(20_000, tau=tau, random_state=0)
    np.testing.assert_allclose(y.var(), variance, rtol=0.1)
    assert y.min() > 0.2
    assert y.max() < 1.45


def test_mackey_glass_fixed_point_is_kept():
    # y = 1 solves 0.2 y / (1 + y^10) = 0.1 y.
    np.testing.assert_allclose(datasets.mackey_glass(9, initial_history=1.0), 1.0, rtol=1e-12)


def test_mackey_glass_reports_divergence():
    with pytest.raises(ValueError, match=r"dt=30.0 left the finite numbers. Lower dt"):
        datasets.mackey_glass(2000, tau=300, dt=30, random_state=0)


# --- Lorenz --------------------------------------------------------------------------------------


def lorenz_velocity(state, sigma=10.0, rho=28.0, beta=8 / 3):
    x, y, z = state
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def test_lorenz_agrees_with_an_independent_integrator():
    start = [17.67715816276679, 12.931379185960404, 43.91404334248268]
    path = datasets.lorenz(151, initial_state=start)
    other = odeint(
        lambda s, _: lorenz_velocity(s), start, 0.02 * np.arange(151), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_array_equal(path[0], start)
    np.testing.assert_allclose(path, other, atol=1e-6)


def test_lorenz_agrees_with_small_runge_kutta_steps():
    path = datasets.lorenz(51, dt=0.01, sigma=9, rho=20, beta=2, initial_state=[1, 2, 3])
    state, h = np.array([1.0, 2.0, 3.0]), 0.0005
    for step in range(1, 1001):
        k1 = lorenz_velocity(state, 9, 20, 2)
        k2 = lorenz_velocity(state + h / 2 * k1, 9, 20, 2)
        k3 = lorenz_velocity(state + h / 2 * k2, 9, 20, 2)
        k4 = lorenz_velocity(state + h * k3, 9, 20, 2)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if step % 20 == 0:
            np.testing.assert_allclose(path[step // 20], state, rtol=1e-8, atol=1e-8)


def test_lorenz_is_symmetric_under_rotation_about_z():
    path = datasets.lorenz(200, initial_state=[1, 2, 20])
    turned = datasets.lorenz(200, initial_state=[-1, -2, 20])
    np.testing.assert_allclose(turned, path * [-1, -1, 1], atol=1e-6)


def test_lorenz_fixed_point_is_kept():
    wing = np.sqrt(8 / 3 * 27)
    path = datasets.lorenz(100, initial_state=[wing, wing, 27])
    np.testing.assert_allclose(path, np.tile([wing, wing, 27], (100, 1)), rtol=1e-7)


def test_lorenz_neighbours_part_at_the_lyapunov_exponent():
    start = datasets.lorenz(1, random_state=0)[0]
    states = datasets.lorenz(16, dt=8.0, initial_state=start)
    logs = []
    rng = np.random.RandomState(0)
    for state in states:
        near = state + 1e-7 * rng.standard_normal(3)
        here, there = (datasets.lorenz(401, initial_state=s) for s in (state, near))
        distance = np.linalg.norm(here - there, axis=1)
        logs.append(np.log(distance[400] / distance[50]) / 7.0)  # 1 time unit to align
    np.testing.assert_allclose(np.mean(logs), datasets.LORENZ_LYAPUNOV_EXPONENT, rtol=0.2)
    assert datasets.LORENZ_LYAPUNOV_EXPONENT == 0.9056


def test_lorenz_transient_only_drops_rows():
    start = [1.0, 2.0, 20.0]
    whole = datasets.lorenz(60, initial_state=start)
    np.testing.assert_allclose(
        datasets.lorenz(40, initial_state=start, transient=20), whole[20:], atol=1e-8
    )
    np.testing.assert_array_equal(datasets.lorenz(1, initial_state=start), whole[:1])


def test_lorenz_seeded_runs_are_on_the_attractor():
    path = datasets.lorenz(5000, random_state=1)
    # The mean of dz/dt vanishes: <x y> = beta <z>.
    np.testing.assert_allclose(
        np.mean(path[:, 0] * path[:, 1]), 8 / 3 * path[:, 2].mean(), rtol=0.01
    )
    np.testing.assert_allclose(path[:, 2].mean(), 23.55, atol=0.5)
    assert np.abs(path[:, 0]).max() < 21
    assert path[:, 2].min() > 0
    assert path[:, 2].max() < 50


# --- MSO -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_sines", range(1, 9))
def test_mso_is_the_sum_of_its_sines(n_sines):
    y = datasets.mso(120, n_sines=n_sines)
    frequencies = [0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97][:n_sines]
    assert y.shape == (120, 1)
    for t in (0, 1, 7, 119):
        np.testing.assert_allclose(y[t, 0], sum(np.sin(w * t) for w in frequencies), atol=1e-12)


def test_mso_solves_a_linear_recursion():
    y = datasets.mso(500, n_sines=2)[:, 0]
    annihilator = np.convolve([1, -2 * np.cos(0.2), 1], [1, -2 * np.cos(0.311), 1])
    np.testing.assert_allclose(np.convolve(y, annihilator, mode="valid"), 0, atol=1e-12)


# --- all generators ------------------------------------------------------------------------------

SEEDED = {
    "narma": lambda **k: datasets.narma(60, **k)[0],
    "mackey_glass": lambda **k: datasets.mackey_glass(60, transient=50, **k),
    "lorenz": lambda **k: datasets.lorenz(60, transient=50, **k),
    "mains_hum": lambda **k: datasets.mains_hum(60, **k).hum,
}


@pytest.mark.parametrize("name", SEEDED)
def test_generator_seed_decides_the_sequence(name):
    make = SEEDED[name]
    np.testing.assert_array_equal(make(random_state=1), make(random_state=1))
    np.testing.assert_array_equal(make(random_state=1), make(random_state=np.random.RandomState(1)))
    assert not np.allclose(make(random_state=1), make(random_state=2), rtol=1e-3)
    assert not np.allclose(make(), make(), rtol=1e-3)
    with pytest.raises(ValueError, match="seed"):
        make(random_state="seed")


@pytest.mark.parametrize("name", ["narma", "mackey_glass", "lorenz", "mso", "mains_hum"])
@pytest.mark.parametrize("bad", [0, -3, 2.5, "ten", None, True])
def test_generator_refuses_bad_length(name, bad):
    with pytest.raises(ValueError, match="n_timesteps must be an integer >= 1, got"):
        getattr(datasets, name)(bad)


@pytest.mark.parametrize("name", ["narma", "mackey_glass", "lorenz", "mso", "mains_hum"])
def test_generator_takes_keywords_only_and_numpy_integers(name):
    generate = getattr(datasets, name)
    assert len(np.asarray(generate(np.int64(4))[-1]).shape) < 2
    with pytest.raises(TypeError):
        generate(10, 3)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("narma", {"order": 0}, "order must be an integer >= 1, got 0"),
        ("mackey_glass", {"tau": -17}, "tau must be a finite number > 0, got -17"),
        ("mackey_glass", {"tau": 17.05}, "tau must be a multiple of dt"),
        ("mackey_glass", {"tau": 1, "dt": 1}, "at least 2 [*] dt"),
        ("mackey_glass", {"dt": 0}, "dt must be a finite number > 0"),
        ("mackey_glass", {"subsampling": 0}, "subsampling must be an integer >= 1"),
        ("mackey_glass", {"method": "heun"}, "The 'method' parameter .* Got 'heun'"),
        ("mackey_glass", {"gamma": np.nan}, "gamma must be a finite number"),
        ("mackey_glass", {"initial_history": -1}, "initial_history must be a finite number >= 0"),
        ("mackey_glass", {"transient": -1}, "The 'transient' parameter .*'auto'.* Got -1"),
        ("lorenz", {"dt": -0.1}, "dt must be a finite number > 0"),
        ("lorenz", {"rho": None}, "rho must be a finite number"),
        ("lorenz", {"transient": 1.5}, "The 'transient' parameter .*'auto'.* Got 1.5"),
        ("lorenz", {"initial_state": [1, 2]}, "initial_state must be 3 finite numbers"),
        ("lorenz", {"initial_state": [1, 2, np.inf]}, "initial_state must be 3 finite"),
        ("mso", {"n_sines": 0}, "n_sines must be an integer >= 1"),
        ("mso", {"n_sines": 9}, "n_sines must be at most 8, got 9"),
    ],
)
def test_generator_refuses_bad_argument(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(datasets, name)(10, **arguments)


def test_datasets_offer_what_they_name():
    assert all(hasattr(datasets, name) for name in datasets.__all__)
    assert datasets.mains_hum is signals.mains_hum
