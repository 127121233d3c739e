"""Memory and information processing capacity: closed forms, bounds, and a fit without its bias."""

import tracemalloc

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

from filters import TapDelay
from reservoir import Reservoir
from reservoir.diagnostics import information_processing_capacity, memory_capacity
from reservoir.diagnostics._explained import ExplainedVariance


def cycle(n, r):
    """A linear simple cycle with one input neuron."""
    return Reservoir(
        n,
        topology="ring",
        spectral_radius=r,
        activation="identity",
        input_weights=np.eye(n)[:, :1],
    )


def cycle_theory(n, r, n_delays):
    k = np.arange(n_delays)
    return (1 - r ** (2 * n)) * r ** (2 * n * (k // n))


# ---- the fit under both ----------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 37, 5000])
def test_explained_variance_in_any_chunks_is_that_of_least_squares(chunk):
    rng = np.random.RandomState(0)
    X = 1e3 + rng.randn(3000, 6) @ np.diag([1e-3, 1, 1, 1e2, 1, 1e-2])
    X[:, 2] = 5.0  # constant
    X[:, 4] = X[:, 1] - 2 * X[:, 3]  # repeated
    Y = np.column_stack([X[:, 0] * 1e3 + rng.randn(3000), rng.randn(3000), X[:, 5], np.ones(3000)])
    fit = ExplainedVariance(6, 4)
    for start in range(0, 3000, chunk):
        fit.update(X[start : start + chunk], Y[start : start + chunk])
    raw, corrected, rank, n_rows = fit.explained()
    assert (rank, n_rows) == (4, 3000)
    model = LinearRegression().fit(X[:, [0, 1, 3, 5]], Y[:, :3])
    left = np.sum((Y[:, :3] - model.predict(X[:, [0, 1, 3, 5]])) ** 2, axis=0)
    wanted = 1 - left / np.sum((Y[:, :3] - Y[:, :3].mean(0)) ** 2, axis=0)
    np.testing.assert_allclose(raw[:3], wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(corrected[:3], 1 - (1 - wanted) * 2999 / 2995, rtol=0, atol=1e-9)
    assert raw[3] < 1e-12


def test_explained_variance_of_constant_columns_is_nothing():
    fit = ExplainedVariance(2, 1)
    fit.update(np.ones((50, 2)) * 0.1, np.arange(50.0)[:, None])
    assert fit.explained()[:3] == (0.0, 0.0, 0)


# ---- memory capacity ---------------------------------------------------------------------------


@pytest.mark.parametrize("n", [20, 50, 100])
def test_memory_capacity_of_a_linear_cycle_is_the_closed_form(n):
    """MC_k = (1 - r^2N) r^(2N floor(k/N)), N in total over k >= 0."""
    total, profile = memory_capacity(cycle(n, 0.95), 5 * n, random_state=0)
    assert profile.shape == (5 * n + 1,)
    wanted = cycle_theory(n, 0.95, 5 * n + 1)
    np.testing.assert_allclose(profile[: 2 * n], wanted[: 2 * n], rtol=0, atol=0.02)
    assert abs(total - n) < 0.001 * n
    assert total == profile.sum()


def test_memory_capacity_from_delay_one_leaves_the_present_out():
    capacity = memory_capacity(cycle(10, 0.9), 60, n_timesteps=50_000, random_state=1)
    # Rodan and Tino's count: N - (1 - r^2N).
    assert abs(capacity.total_from_one - (10 - (1 - 0.9**20))) < 0.05
    assert capacity.total_from_one == capacity.profile[1:].sum()


def test_memory_capacity_of_a_delay_line_is_its_length():
    total, profile = memory_capacity(TapDelay(7), 20, random_state=0)
    np.testing.assert_allclose(profile[:7], 1.0, rtol=1e-10)
    np.testing.assert_allclose(profile[7:], 0.0, rtol=0, atol=1e-10)
    np.testing.assert_allclose(total, 7.0, rtol=1e-10)
    line = Reservoir(
        7,
        topology="delay_line",
        spectral_radius=None,
        activation="identity",
        input_weights=np.eye(7)[:, :1],
    )
    np.testing.assert_allclose(
        memory_capacity(line, 20, random_state=0).profile, profile, atol=1e-9
    )


def test_memory_capacity_has_no_bias_of_the_fit():
    """Of states that ignore the input, 300 delays and 460 rows would make 300 * 40 / 460 = 26."""
    runs = []
    for seed in range(8):
        noise = np.random.RandomState(100 + seed).randn(760, 40)
        deaf = FunctionTransformer(lambda X, noise=noise: noise[: len(X)])
        inputs = np.random.RandomState(seed).uniform(-0.8, 0.8, (760, 1))
        options = {"washout": 300, "max_delay": 299}
        runs.append(
            [
                memory_capacity(deaf, n_timesteps=760, random_state=seed, **options),
                memory_capacity(deaf, inputs=inputs, **options),
            ]
        )
    for found in zip(*runs, strict=True):
        assert abs(np.mean([run.total for run in found])) < 1.0
        assert min(run.profile.min() for run in found) < 0


def test_memory_capacity_of_taps_among_noise_is_the_number_of_taps():
    """20 taps and 20 columns of noise, 100 delays, 400 rows: 24.2 before the correction."""
    totals = []
    for seed in range(12):
        noise = np.random.RandomState(100 + seed).randn(500, 20)
        deaf = FunctionTransformer(lambda X, noise=noise: noise[: len(X)])
        mixed = make_union(TapDelay(20), deaf)
        options = {"n_timesteps": 500, "washout": 100, "random_state": seed}
        totals.append(memory_capacity(mixed, 99, **options).total)
    assert abs(np.mean(totals) - 20) < 0.3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_memory_capacity_is_at_most_the_number_of_units(activation, seed):
    reservoir = Reservoir(20, activation=activation, spectral_radius=0.9, random_state=seed)
    assert memory_capacity(reservoir, 60, random_state=seed).total < 20 + 1e-9


def test_memory_capacity_of_a_generic_linear_reservoir_is_the_number_of_units():
    orthogonal = Reservoir(20, topology="orthogonal", activation="identity", random_state=0)
    assert abs(memory_capacity(orthogonal, 120, random_state=0).total - 20) < 0.2
    # Far past inputs hide in directions of the states 1e-12 of the largest.
    for n, least in ((20, 19.9), (50, 44.0)):
        random = Reservoir(n, topology="random_dense", activation="identity", random_state=0)
        assert least < memory_capacity(random, 2 * n, random_state=0).total < n


def test_memory_capacity_leaves_out_rows_that_have_no_delayed_input():
    short, exact = (
        memory_capacity(cycle(5, 0.9), 300, washout=w, n_timesteps=700, random_state=0)
        for w in (0, 300)
    )
    np.testing.assert_array_equal(short.profile, exact.profile)


def test_memory_capacity_of_several_features_is_shared_by_them():
    two = memory_capacity(TapDelay(3).fit(np.zeros((1, 2))), 5, random_state=0)
    np.testing.assert_allclose(two.profile, [2, 2, 2, 0, 0, 0], rtol=0, atol=1e-9)


def test_memory_capacity_warns_of_inputs_that_are_correlated():
    """Jaeger 2001: an autoregressive input can be guessed beyond what 20 units remember."""
    noise = np.random.RandomState(0).randn(20_000)
    inputs = lfilter([1], [1, -0.9], noise)[:, None]
    reservoir = Reservoir(20, activation="identity", random_state=0)
    with pytest.warns(UserWarning, match=r"correlated in time \(0.90 at lag 1\)"):
        capacity = memory_capacity(reservoir, 40, inputs=inputs)
    assert capacity.total > 22
    # White inputs pass, and the drawn ones are such.
    white = np.random.RandomState(1).uniform(-0.8, 0.8, (20_000, 1))
    given = memory_capacity(reservoir, 40, inputs=white)
    drawn = memory_capacity(reservoir, 40, random_state=1)
    np.testing.assert_allclose(given.profile, drawn.profile, rtol=0, atol=0.03)
    assert drawn.total < 20 < given.total + 0.3


def test_memory_capacity_does_not_hold_the_states():
    reservoir = Reservoir(200, random_state=0)
    memory_capacity(reservoir, 10, n_timesteps=3000, random_state=0)
    tracemalloc.start()
    memory_capacity(reservoir, 10, n_timesteps=30_000, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15e6 < 30_000 * 200 * 8


def test_memory_capacity_takes_any_transformer():
    pipeline = make_pipeline(TapDelay(3), PolynomialFeatures(2))
    profile = memory_capacity(pipeline, 4, n_timesteps=5000, random_state=0).profile
    np.testing.assert_allclose(profile, [1, 1, 1, 0, 0], atol=0.01)


def test_memory_capacity_of_float32_states_and_of_tiny_and_large_inputs():
    wanted = memory_capacity(cycle(20, 0.95), 40, random_state=0).profile
    narrow = cycle(20, 0.95).set_params(dtype="float32")
    np.testing.assert_allclose(
        memory_capacity(narrow, 40, random_state=0).profile, wanted, atol=1e-4
    )
    for amplitude in (1e-200, 1e8, 1e200):
        scaled = memory_capacity(cycle(20, 0.95), 40, amplitude=amplitude, random_state=0)
        np.testing.assert_allclose(scaled.profile, wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_delay": -1}, "max_delay must be an integer of at least 0, got -1"),
        ({"max_delay": 2.5}, "max_delay must be an integer"),
        ({"washout": -1}, "washout must be an integer"),
        ({"n_timesteps": 0}, "n_timesteps must be an integer of at least 1"),
        ({"n_timesteps": 120, "washout": 100}, "20 rows are left .* for 20 columns"),
        ({"n_timesteps": 50, "washout": 100}, "0 rows are left"),
        ({"amplitude": 0.0}, "amplitude must be a finite number > 0 .* got 0.0"),
        ({"inputs": np.ones((5000, 1))}, "inputs are constant"),
        ({"inputs": np.full((5000, 1), np.nan)}, "inputs contains NaN"),
        ({"inputs": np.ones((2, 3000, 1))}, "inputs holds 2 series"),
    ],
)
def test_memory_capacity_refuses_what_it_cannot_measure(arguments, message):
    arguments = {"max_delay": 10, **arguments}
    with pytest.raises(ValueError, match=message):
        memory_capacity(Reservoir(20, random_state=0), **arguments)


# ---- information processing capacity -----------------------------------------------------------


def test_processing_capacity_of_a_linear_reservoir_is_all_of_degree_one():
    capacity = information_processing_capacity(
        cycle(6, 0.8), 3, [30, 8, 4], n_timesteps=30_000, random_state=0
    )
    np.testing.assert_array_equal(capacity.by_degree[1:], 0.0)
    assert abs(capacity.total - 6) < 0.1
    wanted = cycle_theory(6, 0.8, 31)
    lags = np.array([term[0][0] for term in capacity.terms[:31]])
    np.testing.assert_allclose(capacity.capacities[:31], wanted[lags], rtol=0, atol=0.02)


def test_processing_capacity_of_polynomials_of_two_taps_is_one_a_term():
    memory = make_pipeline(TapDelay(2), PolynomialFeatures(2))
    capacity = information_processing_capacity(memory, 3, 3, n_timesteps=5000, random_state=0)
    np.testing.assert_allclose(capacity.by_degree, [2, 3, 0], rtol=1e-9, atol=1e-12)
    held = [t for t, c in zip(capacity.terms, capacity.capacities, strict=True) if c > 0.5]
    assert held == [((0, 1),), ((1, 1),), ((0, 2),), ((0, 1), (1, 1)), ((1, 2),)]
    # Delays 0 to 3: 4 terms of degree one, 10 of degree two, 20 of degree three, each once.
    assert len(set(capacity.terms)) == len(capacity.terms) == 34


def test_processing_capacity_of_a_memoryless_odd_map_is_odd():
    memory = Reservoir(8, spectral_radius=0, input_scaling=2.0, random_state=0)
    capacity = information_processing_capacity(memory, 5, 1, n_timesteps=20_000, random_state=0)
    np.testing.assert_array_equal(capacity.by_degree[[1, 3]], 0.0)
    assert (capacity.by_degree[[0, 2, 4]] > 0.99).all()
    # Nothing of the past, in any degree.
    past = [any(delay for delay, _ in term) for term in capacity.terms]
    np.testing.assert_array_equal(capacity.capacities[past], 0.0)
    # A bias makes it neither odd nor even.
    biased = memory.set_params(bias_scaling=1.0)
    even = information_processing_capacity(biased, 2, 1, n_timesteps=20_000, random_state=0)
    assert even.by_degree[1] > 0.99


def test_processing_capacity_sums_to_the_number_of_units():
    reservoir = Reservoir(6, spectral_radius=0.7, input_scaling=0.5, random_state=0)
    capacity = information_processing_capacity(
        reservoir, 3, [20, 2, 8], n_timesteps=50_000, random_state=0
    )
    assert 0.95 * 6 < capacity.total < 6.05
    assert abs(capacity.by_degree.sum() - capacity.total) < 1e-12
    assert capacity.by_degree[2] > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_degree": 0}, "max_degree must be an integer of at least 1"),
        ({"max_delay": [3, 3]}, "max_delay must be one number or one a degree, 3 here; got 2"),
        ({"max_delay": 60}, r"make 41663 terms, more than 10000"),
        ({"significance": 0.0}, "significance must be in"),
        ({"n_timesteps": 1005}, "5 rows are left"),
    ],
)
def test_processing_capacity_refuses_what_it_cannot_measure(arguments, message):
    arguments = {"max_degree": 3, "max_delay": 3, **arguments}
    with pytest.raises(ValueError, match=message):
        information_processing_capacity(Reservoir(20, random_state=0), **arguments)


def test_processing_capacity_needs_a_memory_of_one_feature():
    with pytest.raises(ValueError, match="was fitted with 2 features, the rows here have 1"):
        information_processing_capacity(Reservoir(5).fit(np.zeros((1, 2))))
