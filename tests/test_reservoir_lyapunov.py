"""Lyapunov exponents: logs of radii, determinants, two trajectories, and the Lorenz system."""

import naive_reservoir as naive
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from filters import RLSFilter, TapDelay
from filters.timeseries._memory import Memory
from reservoir import ESNForecaster, ESNRegressor, MemoryRegressor, Reservoir
from reservoir.datasets import lorenz
from reservoir.diagnostics import (
    effective_spectral_radius,
    lyapunov_exponent,
    lyapunov_spectrum,
)
from reservoir.diagnostics._lyapunov import SLOPES


def series(n=300, n_features=1, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def driven(**parameters):
    return Reservoir(12, **{"leak_rate": 0.7, "bias_scaling": 0.3, "random_state": 0, **parameters})


def jacobians(reservoir, X):
    """diag(1 - a) + diag(a f') W along the driven trajectory."""
    W, W_in, b, leak, f = naive.matrices(reservoir)
    x, found = np.zeros(len(b)), []
    for u in X:
        pre = W @ x + W_in @ u + b
        h = 1e-6
        slope = (naive.F[f](pre + h) - naive.F[f](pre - h)) / (2 * h)
        found.append(np.diag(1 - leak) + (leak * slope)[:, None] * W)
        x = naive.step(W, W_in, b, leak, f, x, u)
    return found


class Plain(Memory):
    """A reservoir of which nothing but its steps is known."""

    def __init__(self, reservoir=None):
        self.reservoir = reservoir

    def _prepare(self, n_features, dtype):
        self._inner = Reservoir(**self.reservoir.get_params()).fit(np.zeros((1, n_features), dtype))
        self._advance = self._inner._advance

    _parameter_constraints = {"reservoir": [Reservoir]}  # noqa: RUF012
    _n_state = property(lambda self: self._inner._n_state)
    _n_features_out = property(lambda self: self._inner._n_features_out)


# ---- one exponent ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [200, 3000])
@pytest.mark.parametrize("radius", [0.3, 0.95, 1.05])
def test_exponent_of_a_linear_cycle_is_the_log_of_its_radius(radius, n_steps):
    reservoir = Reservoir(15, topology="ring", spectral_radius=radius, activation="identity")
    exponent = lyapunov_exponent(reservoir, series(n_steps), dt=0.5)
    np.testing.assert_allclose(exponent, np.log(radius) / 0.5, rtol=1e-10)


@pytest.mark.parametrize("leak", [1.0, 0.3, np.linspace(0.1, 1.0, 30)])
def test_exponent_of_a_linear_reservoir_is_the_log_of_the_effective_radius(leak):
    """The drive plays no part; a complex pair makes the length wobble, hence the tolerance."""
    reservoir = Reservoir(30, activation="identity", leak_rate=leak, random_state=2)
    wanted = np.log(effective_spectral_radius(reservoir))
    for X in (series(6000), np.zeros((6000, 1))):
        found = lyapunov_exponent(reservoir, X, washout=1000)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-3)


def test_exponent_of_an_undriven_tanh_reservoir_is_that_at_its_fixed_point():
    rest = Reservoir(30, spectral_radius=0.8, leak_rate=0.5, random_state=0)
    found = lyapunov_exponent(rest, np.zeros((6000, 1)), washout=1000)
    assert abs(found - np.log(effective_spectral_radius(rest))) < 1e-3
    # tanh(w x + b) with one unit: slope w (1 - x*^2) at x* = tanh(w x* + b).
    w, b, fixed = 1.5, 0.4, 1.0
    for _ in range(200):
        fixed = np.tanh(w * fixed + b)
    unit = Reservoir(1, topology=[[w]], spectral_radius=None, bias=[b])
    found = lyapunov_exponent(unit, np.zeros((300, 1)))
    np.testing.assert_allclose(found, np.log(w * (1 - fixed**2)), rtol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_exponent_agrees_with_two_trajectories(activation):
    reservoir = driven(activation=activation, spectral_radius=0.9)
    X = series(1500)
    exact = lyapunov_exponent(reservoir, X)
    np.testing.assert_allclose(lyapunov_exponent(Plain(reservoir), X), exact, rtol=0, atol=1e-5)
    assert exact < 0


def test_exponent_is_positive_where_a_reservoir_is_chaotic():
    X = 0.01 * series(4000)
    wild = Reservoir(100, spectral_radius=2.0, topology="random_dense", random_state=0)
    assert lyapunov_exponent(wild, X) > 0.1
    # A strong drive tames it: the exponent is conditional.
    assert lyapunov_exponent(wild, 500 * X) < -0.1


def test_exponent_of_what_forgets_at_once_is_minus_infinity():
    assert lyapunov_exponent(Reservoir(5, spectral_radius=0), series()) == -np.inf
    line = Reservoir(5, topology="delay_line", spectral_radius=None)
    assert lyapunov_exponent(line, series()) == -np.inf
    assert lyapunov_exponent(TapDelay(4), series()) == -np.inf
    assert lyapunov_exponent(TapDelay(1), series()) == -np.inf


def test_exponent_does_not_depend_on_the_form_of_the_matrix_or_the_precision():
    reservoir = driven(topology="random_sparse").fit(series())
    wanted = lyapunov_exponent(reservoir, series(2500))
    dense = reservoir.recurrent_weights_.toarray()
    same = driven(topology=dense, spectral_radius=None, include_input=True)
    np.testing.assert_allclose(lyapunov_exponent(same, series(2500)), wanted, rtol=1e-10)
    narrow = lyapunov_exponent(driven(topology="random_sparse", dtype="float32"), series(2500))
    np.testing.assert_allclose(narrow, wanted, rtol=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity", "sigmoid"])
def test_slopes_are_the_derivatives(activation):
    x, h = np.array([-3.0, -0.5, 0.2, 4.0]), 1e-6
    wanted = (naive.F[activation](x + h) - naive.F[activation](x - h)) / (2 * h)
    np.testing.assert_allclose(SLOPES[activation](x), wanted, rtol=1e-6, atol=1e-12)
    assert np.isfinite(SLOPES[activation](np.array([-1e4, 1e4]))).all()


# ---- spectra -----------------------------------------------------------------------------------


def test_spectrum_of_a_driven_reservoir_sums_to_the_log_determinant():
    reservoir, X = driven().fit(series()), series(1300)
    found = lyapunov_spectrum(reservoir, X, n_exponents=12, washout=200)
    determinants = [np.linalg.slogdet(J)[1] for J in jacobians(reservoir, X)[200:]]
    np.testing.assert_allclose(found.sum(), np.mean(determinants), rtol=1e-6)
    assert (np.diff(found) < 0.01).all()
    assert found[0] == pytest.approx(lyapunov_exponent(reservoir, X, washout=200), abs=1e-6)


def test_spectrum_of_a_free_run_is_that_of_its_own_map():
    """The closed loop (x, y) -> (x', c + B [x', y]) written out, its Jacobian by differences."""
    X = np.sin(0.3 * np.arange(400))[:, None] * [[1.0, 0.5]] + 0.2 * series(400, 2)
    model = ESNRegressor(6, bias_scaling=0.4, leak_rate=0.8, alpha=1e-2, random_state=0)
    model.fit(X[:-1], X[1:])
    parts, B, c = naive.matrices(model.reservoir_), model.coef_, model.intercept_

    def loop(z):
        x = naive.step(*parts, z[:6], z[6:])
        return np.concatenate([x, c + B @ np.concatenate([x, z[6:]])])

    states = naive.drive(*parts, X[:-1])
    z = np.concatenate([states[-1], model.predict(X[:-1])[-1]])
    tangents = np.linalg.qr(np.random.RandomState(0).standard_normal((8, 8)))[0]
    total, h = np.zeros(8), 1e-6
    for t in range(1200):
        J = np.column_stack([(loop(z + h * e) - loop(z - h * e)) / (2 * h) for e in np.eye(8)])
        tangents, r = np.linalg.qr(J @ tangents)
        total += np.log(np.abs(np.diag(r))) if t >= 100 else 0.0
        z = loop(z)
    found = lyapunov_spectrum(model, n_exponents=8, n_timesteps=1200, washout=100)
    np.testing.assert_allclose(found, total / 1100, rtol=0, atol=1e-5)


def test_spectrum_of_a_network_that_learned_lorenz_is_that_of_lorenz():
    """(0.9056, 0, -14.572) a time unit, which a fast-forgetting reservoir does not hide."""
    model = ESNRegressor(
        200, spectral_radius=0.3, input_scaling=0.1, bias_scaling=0.5, alpha=1e-8, random_state=0
    )
    forecaster = ESNForecaster(model).fit(lorenz(5000, dt=0.02, random_state=0))
    found = lyapunov_spectrum(forecaster, n_exponents=4, n_timesteps=15_000, washout=500, dt=0.02)
    np.testing.assert_allclose(found[:2], [0.9056, 0.0], rtol=0, atol=0.06)
    np.testing.assert_allclose(found[2], -14.572, rtol=0.02)
    assert found[3] < -20
    # A map that keeps the state's volume only where f does: the trace is of Lorenz itself.
    np.testing.assert_allclose(found[:3].sum(), -(10 + 1 + 8 / 3), rtol=0.02)


# ---- refusals ----------------------------------------------------------------------------------


def test_lyapunov_refuses_what_it_cannot_measure():
    X = series()
    with pytest.raises(ValueError, match="washout=300 leaves none of the 300 rows"):
        lyapunov_exponent(driven(), X, washout=300)
    with pytest.raises(ValueError, match="dt must be a finite number >= 1e-100 "):
        lyapunov_exponent(driven(), X, dt=0.0)
    with pytest.raises(ValueError, match="13, but the state has 12 dimensions"):
        lyapunov_spectrum(driven(), X, n_exponents=13)
    with pytest.raises(ValueError, match="X is missing"):
        lyapunov_spectrum(driven())
    with pytest.raises(ValueError, match="contains NaN"):
        lyapunov_exponent(driven(), np.r_[X, [[np.nan]]])
    with pytest.raises(TypeError, match=r"needs a Reservoir or a fitted model.*TapDelay"):
        lyapunov_spectrum(TapDelay(), X)
    with pytest.raises(TypeError, match="Pass its reservoir_"):
        lyapunov_exponent(ESNRegressor(10).fit(X, X[:, 0]), X)


def test_spectrum_refuses_models_that_do_not_run_freely():
    X = series(60, 2)
    with pytest.raises(ValueError, match="leave X out"):
        lyapunov_spectrum(ESNRegressor(5).fit(X, X), X)
    with pytest.raises(ValueError, match="y has 1 outputs and X 2 features"):
        lyapunov_spectrum(ESNRegressor(5).fit(X, X[:, 0]))
    with pytest.raises(ValueError, match="feedback_scaling > 0"):
        lyapunov_spectrum(ESNRegressor(5, feedback_scaling=0.1).fit(X, X))
    with pytest.raises(ValueError, match="no linear readout"):
        lyapunov_spectrum(ESNRegressor(5, readout=Ridge()).fit(X, X))
    with pytest.raises(TypeError, match="memory must be a Reservoir"):
        lyapunov_spectrum(MemoryRegressor(TapDelay(2)).fit(X, X))
    online = ESNRegressor(5, readout=RLSFilter(), include_input=False, random_state=0)
    assert lyapunov_spectrum(online.fit(X, X), n_exponents=1, n_timesteps=200).shape == (1,)


def test_exponents_of_linear_layers_are_those_of_the_largest():
    deep = Reservoir([12, 8], spectral_radius=[0.6, 0.9], activation="identity", random_state=0)
    rows = np.random.default_rng(0).standard_normal((900, 1))
    np.testing.assert_allclose(effective_spectral_radius(deep), 0.9, rtol=1e-9)
    np.testing.assert_allclose(lyapunov_exponent(deep, rows), np.log(0.9), rtol=0, atol=0.01)
    flat = Reservoir(12, spectral_radius=0.6, leak_rate=0.5, random_state=0)
    listed = Reservoir([12], spectral_radius=0.6, leak_rate=0.5, random_state=0)
    assert lyapunov_exponent(listed, rows) == lyapunov_exponent(flat, rows)


def test_layers_that_do_not_hear_each_other_have_the_spectra_of_both():
    """The second layer's input weights are zero: its exponents are those of an undriven one."""
    plain = {"leak_rate": 0.7, "bias_scaling": 0.4, "random_state": 0}
    X = series(1500)
    deaf = [np.ones((7, 1)), np.zeros((5, 7))]
    deep = Reservoir([7, 5], spectral_radius=[0.9, 0.7], input_weights=deaf, **plain).fit(X)
    alone = [
        Reservoir(
            W.shape[0],
            topology=W,
            spectral_radius=None,
            bias=b,
            input_weights=V[:, :1],
            leak_rate=0.7,
        )
        for W, V, b in zip(deep.recurrent_weights_, deep.input_weights_, deep.bias_, strict=True)
    ]
    spectra = [lyapunov_spectrum(one, X, n_exponents=one.n_units) for one in alone]
    wanted = np.sort(np.concatenate(spectra))[::-1]
    found = lyapunov_spectrum(deep, X, n_exponents=12)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=5e-3)
    np.testing.assert_allclose(found.sum(), wanted.sum(), rtol=1e-9)


def test_exponent_of_several_layers_agrees_with_two_trajectories():
    layers = {"input_scaling": [1.0, 0.3], "spectral_radius": [0.9, 0.95], "random_state": 0}
    deep = Reservoir([9, 7], residual=["identity", "ring"], leak_rate=0.4, **layers)
    X = series(1500)
    exact = lyapunov_exponent(deep, X)
    np.testing.assert_allclose(lyapunov_exponent(Plain(deep), X), exact, rtol=0, atol=1e-5)


def test_spectrum_of_layers_in_free_run_is_that_of_the_whole_step():
    """Central differences of the closed step, [x1, x2, y] to the next one, and NumPy's QR."""
    X = lorenz(400, random_state=0) / 10
    model = ESNRegressor([5, 4], bias_scaling=0.4, leak_rate=0.8, alpha=1e-2, random_state=0)
    model.fit(X[:-1], X[1:])
    n_steps, washout = 60, 10
    columns, state, _ = model._end
    z = np.concatenate([state, model._readout.predict(columns)[0]])

    def step(z):
        features, last = model.memory_._advance(z[np.newaxis, 9:], z[:9])
        return np.concatenate(
            [last, model._readout.predict(np.concatenate([features, z[np.newaxis, 9:]], 1))[0]]
        )

    directions = np.random.RandomState(0).standard_normal((12, 12))  # those of the diagnostic
    logs, tangents = [], np.linalg.qr(directions)[0]
    for _ in range(n_steps):
        h = 1e-6 * np.eye(12)
        J = np.stack([(step(z + d) - step(z - d)) / 2e-6 for d in h], axis=1)
        tangents, r = np.linalg.qr(J @ tangents)
        logs.append(np.log(np.abs(np.diag(r))))
        z = step(z)
    found = lyapunov_spectrum(model, n_exponents=12, n_timesteps=n_steps, washout=washout)
    wanted = np.mean(logs[washout:], axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
