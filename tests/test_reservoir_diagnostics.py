"""Ranks, consistency, echo state index, effective radius; what all diagnostics leave alone."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from filters import TapDelay
from reservoir import ESNRegressor, Reservoir, diagnostics
from reservoir.diagnostics import (
    consistency,
    echo_state_index,
    effective_spectral_radius,
    generalization_rank,
    kernel_rank,
    lyapunov_exponent,
    memory_capacity,
    saturation,
)
from reservoir.topologies import spectral_radius


def series(n=300, n_features=1, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def streams(n_streams=30, n_timesteps=20, n_features=1, seed=0):
    return np.random.RandomState(seed).randn(n_streams, n_timesteps, n_features)


def units(*weights, bias=0.0):
    """Units that hear themselves only."""
    n = len(weights)
    return Reservoir(
        n,
        topology=np.diag(weights),
        spectral_radius=None,
        input_weights=np.ones((n, 1)),
        bias=np.full(n, bias),
    )


# ---- ranks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_features", [1, 2])
def test_kernel_rank_of_a_delay_line_is_its_width(n_features):
    X = streams(n_features=n_features)
    assert kernel_rank(TapDelay(5), X) == 5 * n_features
    assert kernel_rank(TapDelay(40), X[:, :7]) == 7 * n_features
    assert kernel_rank(TapDelay(5), X[:3]) == 3
    assert kernel_rank(TapDelay(5), np.zeros((9, 4, 1))) == 0


def test_kernel_rank_of_a_linear_reservoir_is_what_the_streams_span():
    """States are a linear map of the T inputs of a stream."""
    linear = Reservoir(15, activation="identity", topology="orthogonal", random_state=0)
    assert kernel_rank(linear, streams(n_timesteps=6)) == 6
    assert kernel_rank(linear, streams(n_timesteps=40)) == 15
    assert kernel_rank(Reservoir(15, random_state=0), streams(n_timesteps=6)) == 15


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tol", [None, 1e-3])
def test_kernel_rank_is_numpys_of_the_last_states(dtype, tol):
    X = 0.1 * streams(60, 15)
    reservoir = Reservoir(40, spectral_radius=0.5, dtype=dtype, random_state=0).fit(X)
    last = reservoir.transform(X)[:, -1]
    assert last.dtype == dtype
    wanted = np.linalg.matrix_rank(last, tol=tol)
    assert kernel_rank(reservoir, X, tol=tol) == wanted
    assert 0 < wanted <= 40
    assert isinstance(kernel_rank(reservoir, X), int)


def test_kernel_rank_is_in_the_precision_of_the_states():
    X = 0.01 * streams(60, 15)
    wide = Reservoir(40, spectral_radius=0.3, random_state=0)
    assert kernel_rank(wide.set_params(dtype="float32"), X) < kernel_rank(
        wide.set_params(dtype="float64"), X
    )


def test_ranks_take_streams_of_any_length_and_any_transformer():
    ragged = [stream[: 5 + i] for i, stream in enumerate(streams())]
    assert kernel_rank(TapDelay(4), ragged) == 4
    pipeline = make_pipeline(StandardScaler(), TapDelay(2), PolynomialFeatures(2))
    assert kernel_rank(pipeline, streams()) == 6
    long = np.repeat(streams(5), 150, axis=1)  # more rows than are driven at once
    reservoir = Reservoir(10, random_state=0).fit(long)
    wanted = np.linalg.matrix_rank(reservoir.transform(long)[:, -1])
    assert kernel_rank(reservoir, long) == wanted == 5


def test_generalization_rank_counts_what_still_differs():
    X = streams(40, 12)
    X[:, -3:] = X[0, -3:]
    assert generalization_rank(TapDelay(3), X) == 1
    assert generalization_rank(TapDelay(5), X) == 3
    # A reservoir that forgets brings them together, down to the tolerance.
    quick = Reservoir(20, spectral_radius=0.1, topology="orthogonal", random_state=0)
    X[:, -9:] = X[0, -9:]
    assert generalization_rank(quick, X, tol=1e-6) == 1
    assert generalization_rank(quick.set_params(spectral_radius=0.99), X, tol=1e-6) > 10


def test_ranks_refuse_what_they_cannot_measure():
    for rank in (kernel_rank, generalization_rank):
        with pytest.raises(ValueError, match="one series of shape"):
            rank(TapDelay(), series())
        with pytest.raises(ValueError, match=r"The 'tol' parameter .* or None\. Got"):
            rank(TapDelay(), streams(), tol=-1.0)
        with pytest.raises(ValueError, match="series 1, time step 0, column 0"):
            rank(TapDelay(), [series(), np.full((2, 1), np.inf)])


# ---- consistency -------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_consistency_of_a_linear_reservoir_is_the_share_of_the_drive(noise):
    """Responses to drive and noise are one linear map: corr = s^2 / (s^2 + noise^2)."""
    linear = Reservoir(10, activation="identity", spectral_radius=0.7, random_state=0)
    found = consistency(linear, series(40_000), noise=noise, random_state=0)
    np.testing.assert_allclose(found, 1 / (1 + noise**2), rtol=0, atol=0.02)
    if noise == 0:
        np.testing.assert_allclose(found, 1.0, rtol=1e-12)


def test_consistency_of_a_contracting_reservoir_is_one_and_of_a_chaotic_one_is_not():
    X = 0.01 * series(3000)
    calm = Reservoir(50, spectral_radius=0.8, random_state=0)
    np.testing.assert_allclose(consistency(calm, X, n_runs=4, random_state=0), 1.0, rtol=1e-9)
    wild = calm.set_params(spectral_radius=2.0)
    assert consistency(wild, X, random_state=0) < 0.5


def test_consistency_is_the_mean_of_numpys_correlations():
    X, starts = 0.05 * series(2500), np.random.RandomState(3)
    wild = Reservoir(20, spectral_radius=1.6, random_state=0).fit(X)
    begin = starts.uniform(-0.5, 0.5, (3, 20))
    runs = [wild.transform(X, initial_state=state)[200:] for state in begin]
    wanted = np.mean(
        [
            np.corrcoef(runs[r][:, i], runs[s][:, i])[0, 1]
            for i in range(20)
            for r in range(3)
            for s in range(r)
        ]
    )
    found = consistency(wild, X, n_runs=3, spread=0.5, washout=200, random_state=3)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert wanted < 0.95


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_consistency_of_a_linear_reservoir_does_not_depend_on_the_size_of_the_drive(size):
    linear = Reservoir(10, activation="identity", spectral_radius=0.7, random_state=0)
    options = {"random_state": 0, "noise": 0.5}
    wanted = consistency(linear, series(2000), **options)
    options = {"random_state": 0, "noise": 0.5 * size, "spread": size}
    np.testing.assert_allclose(consistency(linear, size * series(2000), **options), wanted)


def test_consistency_leaves_out_units_that_do_not_move():
    still = units(0.5, 0.5, bias=0.3).set_params(input_weights=[[1.0], [0.0]])
    np.testing.assert_allclose(consistency(still, series(), random_state=0), 1.0, rtol=1e-12)
    with pytest.raises(ValueError, match="no unit moves"):
        consistency(still, np.zeros((300, 1)), random_state=0)


# ---- echo state index --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "n_responses"), [((0.9, -0.5), 1), ((2.0,), 2), ((2.0, 2.0), 4), ((2.0, 0.5), 2)]
)
def test_echo_state_index_counts_the_attractors_of_units_apart(weights, n_responses):
    """x -> tanh(2 x) has two stable fixed points, independent units multiply."""
    found = echo_state_index(units(*weights), 0.01 * series(400), random_state=0)
    assert found == n_responses


def test_echo_state_index_of_a_strong_drive_is_one():
    bistable = units(1.5)
    assert echo_state_index(bistable, 0.01 * series(1500), random_state=0) == 2
    assert echo_state_index(bistable, 3 * series(1500), random_state=0) == 1
    assert echo_state_index(TapDelay(4), series(), random_state=0) == 1
    assert echo_state_index(TapDelay(1), series(), random_state=0) == 1


def test_echo_state_index_warns_where_transients_have_not_died():
    slow = units(1.0).set_params(activation="identity", leak_rate=0.01, topology=[[0.0]])
    with pytest.warns(RuntimeWarning, match="responses were apart at the middle"):
        echo_state_index(slow, np.zeros((600, 1)), random_state=0)
    assert echo_state_index(slow, np.zeros((3000, 1)), random_state=0) == 1


def test_echo_state_index_agrees_with_the_exponent():
    X = 0.1 * series(600)
    for radius in (0.7, 0.9):
        reservoir = Reservoir(30, spectral_radius=radius, random_state=0)
        assert lyapunov_exponent(reservoir, X) < 0
        assert echo_state_index(reservoir, X, random_state=0) == 1


# ---- effective radius and saturation -----------------------------------------------------------


@pytest.mark.parametrize("leak", [1.0, 0.2, np.linspace(0, 1, 25)])
@pytest.mark.parametrize("topology", ["random_sparse", "orthogonal"])
def test_effective_radius_is_that_of_the_leaky_map(leak, topology):
    reservoir = Reservoir(25, leak_rate=leak, topology=topology, random_state=0).fit(series())
    W = reservoir.recurrent_weights_
    W = W if isinstance(W, np.ndarray) else W.toarray()
    a = np.broadcast_to(leak, 25)
    wanted = np.abs(np.linalg.eigvals(np.diag(1 - a) + np.diag(a) @ W)).max()
    np.testing.assert_allclose(effective_spectral_radius(reservoir), wanted, rtol=1e-10)
    unfitted = clone(reservoir)
    np.testing.assert_allclose(effective_spectral_radius(unfitted), wanted, rtol=1e-10)


def test_effective_radius_without_a_leak_is_the_spectral_radius():
    np.testing.assert_allclose(effective_spectral_radius(Reservoir(40)), 0.9, rtol=1e-10)
    assert effective_spectral_radius(Reservoir(8, leak_rate=0.0)) == 1.0
    assert effective_spectral_radius(Reservoir(8, spectral_radius=0)) == 0.0
    with pytest.raises(TypeError, match="reservoir must be a Reservoir, got TapDelay"):
        effective_spectral_radius(TapDelay())


def test_saturation_is_the_share_of_states_beyond_the_bound():
    X = 3 * streams(4, 700)
    reservoir = Reservoir(30, random_state=0).fit(X)
    states = np.abs(reservoir.transform(X))
    assert saturation(reservoir, X) == np.mean(states > 0.99) > 0.1
    assert saturation(reservoir, X, bound=0.5) == np.mean(states > 0.5)
    assert saturation(reservoir, X[0]) == np.mean(states[0] > 0.99)
    assert saturation(reservoir, 1e8 * X) > 0.999
    assert saturation(reservoir, 1e-150 * X) == 0.0


# ---- all of them -------------------------------------------------------------------------------

MEASURES = {
    "consistency": lambda r: consistency(r, series(), random_state=0),
    "echo_state_index": lambda r: echo_state_index(r, series(), random_state=0),
    "effective_spectral_radius": effective_spectral_radius,
    "generalization_rank": lambda r: generalization_rank(r, streams()),
    "information_processing_capacity": lambda r: (
        diagnostics.information_processing_capacity(r, 2, 2, n_timesteps=2000, random_state=0).total
    ),
    "kernel_rank": lambda r: kernel_rank(r, streams()),
    "lyapunov_exponent": lambda r: lyapunov_exponent(r, series()),
    "lyapunov_spectrum": lambda r: diagnostics.lyapunov_spectrum(r, series()).tolist(),
    "memory_capacity": lambda r: memory_capacity(r, 5, n_timesteps=2000, random_state=0).total,
    "saturation": lambda r: saturation(r, series()),
}


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_diagnostics_measure_the_fitted_reservoir_and_leave_it_alone(name):
    """With random_state=None a clone would be another reservoir."""
    measure = MEASURES[name]
    reservoir = Reservoir(12, spectral_radius=0.95, input_scaling=2.0).fit(series())
    before = pickle.dumps(reservoir)
    first = measure(reservoir)
    assert measure(reservoir) == first
    given = Reservoir(
        12,
        topology=reservoir.recurrent_weights_,
        spectral_radius=None,
        input_weights=reservoir.input_weights_,
    )
    assert measure(given) == pytest.approx(first, rel=1e-9)
    assert pickle.dumps(reservoir) == before
    with pytest.raises(NotFittedError):  # the one given unfitted still is
        given.transform(series())


def test_diagnostics_are_all_tested_as_above():
    functions = {name for name in diagnostics.__all__ if name[0].islower()}
    assert functions == set(MEASURES)


@pytest.mark.parametrize("name", sorted(set(MEASURES) - {"effective_spectral_radius"}))
def test_diagnostics_refuse_models_and_say_what_to_pass(name):
    with pytest.raises(TypeError, match=r"(needs a Reservoir|something with fit and transform)"):
        MEASURES[name](object())
    if name != "lyapunov_spectrum":  # which takes models
        with pytest.raises(TypeError, match="Pass its reservoir_"):
            MEASURES[name](ESNRegressor(5).fit(series(), series()))


def test_diagnostics_refuse_another_number_of_features():
    reservoir = Reservoir(5).fit(series(n_features=2))
    with pytest.raises(ValueError, match="fitted with 2 features, the rows here have 1"):
        saturation(reservoir, series())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: consistency(r, series(), n_runs=1), "n_runs must be an integer of at least 2"),
        (
            lambda r: consistency(r, series(), noise=-1),
            "noise must be a finite number >= 0 .* got -1",
        ),
        (
            lambda r: consistency(r, series(), spread=0),
            "spread must be a finite number > 0 .* got 0",
        ),
        (lambda r: consistency(r, series(50)), "washout=100 leaves fewer than two of 50 rows"),
        (lambda r: echo_state_index(r, series(), n_starts=1), "n_starts must be an integer"),
        (
            lambda r: echo_state_index(r, series(), tol=0),
            "tol must be a finite number > 0 .* got 0",
        ),
        (lambda r: echo_state_index(r, streams()), "X holds 30 series"),
        (lambda r: saturation(r, np.full((3, 1), np.nan)), "contains NaN"),
        (lambda r: saturation(r, np.empty((0, 1))), "at least one row"),
        (lambda r: saturation(r, np.ones(5)), "Reshape a single column"),
    ],
)
def test_diagnostics_refuse_what_they_cannot_measure(call, message):
    with pytest.raises(ValueError, match=message):
        call(Reservoir(5))


def test_a_state_needs_a_memory_of_ours():
    pipeline = make_pipeline(StandardScaler(), Reservoir(5))
    with pytest.raises(TypeError, match="starts a memory from states of its own"):
        echo_state_index(pipeline, series())


def test_spectral_radius_of_a_leaky_ring():
    ring = Reservoir(12, topology="ring", spectral_radius=0.8, leak_rate=0.25).fit(series())
    assert spectral_radius(ring.recurrent_weights_) == pytest.approx(0.8)
    assert effective_spectral_radius(ring) == pytest.approx(0.75 + 0.25 * 0.8, rel=1e-12)
