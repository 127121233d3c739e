"""What is carried over of the state before: x(t) = s O x(t-1) + a f(W x(t-1) + W_in u(t) + b)."""

import pickle

import naive_reservoir as naive
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from filters.timeseries import DivergenceError
from reservoir import (
    ESNClassifier,
    ESNRegressor,
    ESNRegressorCV,
    ESNSequenceClassifier,
    Reservoir,
    ReservoirFeatures,
    _driving,
    intrinsic_plasticity,
)
from reservoir.diagnostics import (
    consistency,
    effective_spectral_radius,
    lyapunov_exponent,
    lyapunov_spectrum,
    memory_capacity,
)

EXACT = {"rtol": 1e-12, "atol": 1e-12}
TURNS = ["ring", "orthogonal", "permutation"]  # cyclic diagonals, dense, sparse in the kernels


def series(n=60, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def turned(residual="orthogonal", n_units=20, **parameters):
    parameters = {"leak_rate": 0.3, "bias_scaling": 0.4, "random_state": 0, **parameters}
    return Reservoir(n_units, residual=residual, **parameters)


def dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def as_written(reservoir, X, x=None):
    """The formula, a row at a time, with the matrices of one fitted layer."""
    W, W_in, b, leak, f = naive.matrices(reservoir)
    turn = dense(reservoir.residual_weights_)
    given = reservoir.residual_scaling
    s = 1 - leak if given is None else np.broadcast_to(given, leak.shape)
    x, states = np.zeros(len(b)) if x is None else x, []
    for u in X:
        x = s * (turn @ x) + leak * naive.F[f](W @ x + W_in @ u + b)
        states.append(x)
    return np.array(states)


# ---- the formula -------------------------------------------------------------------------------


@pytest.mark.parametrize("scaling", [None, 0.9, np.linspace(0, 1, 20)])
@pytest.mark.parametrize("residual", ["identity", *TURNS])
def test_states_are_those_of_the_formula(residual, scaling):
    model = turned(residual, residual_scaling=scaling, leak_rate=np.linspace(1, 0, 20))
    X, start = series(), np.random.RandomState(1).randn(20)
    found = model.fit(X).transform(X, initial_state=start)
    np.testing.assert_allclose(found, as_written(model, X, start), **EXACT)


@pytest.mark.parametrize("topology", ["ring", "random_dense"])
def test_states_do_not_depend_on_the_form_of_the_recurrent_matrix(topology):
    model = turned(topology=topology, residual="ring").fit(series())
    np.testing.assert_allclose(model.transform(series()), as_written(model, series()), **EXACT)


def test_float32_states_follow_the_formula():
    model = turned(dtype="float32").fit(series())
    found = model.transform(series())
    assert found.dtype == model.residual_weights_.dtype == np.float32
    np.testing.assert_allclose(found, as_written(model, series()), rtol=0, atol=1e-5)


def test_leaky_units_are_the_formula_with_the_identity_bit_for_bit():
    X, plain = series(), Reservoir(20, leak_rate=0.25, random_state=0)
    states = plain.fit_transform(X)
    for same in (
        {"residual_scaling": 0.75},
        {"residual": np.eye(20)},
        {"residual": sparse.eye_array(20).tocoo(), "residual_scaling": 0.75},
    ):
        np.testing.assert_array_equal(clone(plain).set_params(**same).fit_transform(X), states)
    np.testing.assert_array_equal(plain.residual_weights_.toarray(), np.eye(20))


def test_a_matrix_given_by_name_or_as_it_is_gives_the_same_bits():
    by_name = turned("permutation").fit(series())
    given = turned(by_name.residual_weights_).fit(series())
    np.testing.assert_array_equal(given.transform(series()), by_name.transform(series()))
    given.residual_weights_.data[:] = 9.0
    np.testing.assert_array_equal(by_name.residual_weights_.data, 1.0)  # it was copied


def test_the_matrix_leaves_the_other_draws_as_they_are_and_has_a_seed_of_its_own():
    X = series()
    plain, other = Reservoir([20, 8], random_state=0).fit(X), turned(n_units=[20, 8]).fit(X)
    for name in ("recurrent_weights_", "input_weights_"):
        for a, b in zip(getattr(plain, name), getattr(other, name), strict=True):
            assert abs(a - b).max() == 0
    drawn = [turned(random_state=seed).fit(X).residual_weights_ for seed in (0, 1)]
    np.testing.assert_array_equal(drawn[0], other.residual_weights_[0])
    assert np.abs(drawn[0] - drawn[1]).max() > 0.1
    np.testing.assert_allclose(drawn[0] @ drawn[0].T, np.eye(20), rtol=0, atol=1e-13)


# ---- exact identities --------------------------------------------------------------------------


def test_without_new_input_a_turned_state_keeps_its_length():
    """leak_rate 0: x(t) = O x(t-1), so norms stay and the ring's entries only move on."""
    start = np.random.RandomState(2).randn(20)
    for residual in TURNS:
        states = (
            turned(residual, leak_rate=0.0)
            .fit(series())
            .transform(series(400), initial_state=start)
        )
        lengths = np.linalg.norm(states, axis=1)
        np.testing.assert_allclose(lengths, np.linalg.norm(start), rtol=1e-12)
        if residual == "ring":
            moved = [np.roll(start, t) for t in range(1, 401)]
            np.testing.assert_array_equal(states, moved)


def test_a_carried_ring_is_the_linear_ring_reservoir():
    """Without W, s O x + a W_in u is a linear reservoir with recurrent matrix s O."""
    X = series()
    carried = turned("ring", activation="identity", spectral_radius=0, residual_scaling=0.9)
    states = carried.fit_transform(X)
    same = Reservoir(
        20,
        topology="ring",
        spectral_radius=0.9,
        activation="identity",
        input_weights=0.3 * carried.input_weights_,
        bias=0.3 * carried.bias_,
    )
    np.testing.assert_allclose(same.fit_transform(X), states, **EXACT)


def test_linear_units_with_a_turned_state_remember_as_many_rows_as_there_are_units():
    """Jaeger's bound, reached; leaky ones of the same rates average the past away."""
    linear = {"activation": "identity", "spectral_radius": 0.0, "bias_scaling": 0.0}
    model = turned("orthogonal", n_units=12, leak_rate=0.1, residual_scaling=0.9, **linear)
    asked = {"n_timesteps": 4000, "random_state": 0}
    total = memory_capacity(model, 40, **asked)[0]
    np.testing.assert_allclose(total, 12, rtol=0.02)
    leaky = memory_capacity(clone(model).set_params(residual="identity"), 40, **asked)[0]
    assert leaky < 3


def test_the_euler_state_network_is_one_of_the_formula():
    X, eps = series(), 0.05
    model = Reservoir(
        20,
        topology="antisymmetric",
        spectral_radius=None,
        leak_rate=eps,
        residual_scaling=1.0,
        random_state=0,
    ).fit(X)
    W, V, x, states = model.recurrent_weights_.toarray(), model.input_weights_, np.zeros(20), []
    np.testing.assert_allclose(W + W.T, -0.02 * np.eye(20), rtol=0, atol=1e-15)
    for u in X:
        x = x + eps * np.tanh(W @ x + V @ u)
        states.append(x)
    np.testing.assert_allclose(model.transform(X), states, **EXACT)


# ---- every way to run --------------------------------------------------------------------------


@pytest.mark.parametrize("residual", TURNS)
def test_series_side_by_side_are_driven_as_each_alone_bit_for_bit(residual, monkeypatch):
    lanes = []

    def watched(*arguments, kernel=_driving.drive_many):
        lanes.append(np.count_nonzero(arguments[3]))
        kernel(*arguments)

    monkeypatch.setattr(_driving, "drive_many", watched)
    model = turned(residual, n_units=19, residual_scaling=0.8).fit(series())
    X = [series(n, seed=n) for n in range(3, 33)]
    together, states = model.transform(X, return_state=True)
    assert sum(lanes) == len(X)
    for rows, answer, last in zip(X, together, states, strict=True):
        alone, end = model.transform(rows, return_state=True)
        np.testing.assert_array_equal(answer, alone)
        np.testing.assert_array_equal(last, end)


@pytest.mark.parametrize("n_units", [14, [9, 5]])
def test_fit_stream_chunks_and_free_run_go_on_as_one_drive(n_units):
    X = np.sin(np.arange(200) * [[0.3], [0.21]]).T
    net = {"residual": "orthogonal", "leak_rate": 0.2, "bias_scaling": 0.4, "random_state": 0}
    model = ESNRegressor(n_units, alpha=1e-6, **net).fit(X[:-1], X[1:])
    states = Reservoir(n_units, **net).fit_transform(X)
    columns = np.concatenate([states, X], axis=1)
    wanted = columns @ model.coef_.T + model.intercept_
    predicted = model.predict(X)
    np.testing.assert_allclose(predicted, wanted, rtol=1e-10, atol=1e-10)
    ahead, state = model.predict(X[:70], return_state=True)
    rest = model.predict(X[70:], initial_state=state)
    np.testing.assert_array_equal(np.concatenate([ahead, rest]), predicted)
    session = model.stream(initial_state=np.zeros(14))
    one_by_one = [session.predict_one(row) for row in X[:50]]
    np.testing.assert_allclose(one_by_one, predicted[:50], rtol=1e-10, atol=1e-10)
    free = model.forecast(30, context=X[:150])
    row, state = model.predict(X[:150], return_state=True)
    row = row[-1]
    for y in free:
        np.testing.assert_allclose(y, row, rtol=1e-8, atol=1e-8)
        (row,), state = model.predict(y[np.newaxis], initial_state=state, return_state=True)


def test_every_layer_has_a_residual_of_its_own():
    X, s = series(), [0.9, None]
    deep = Reservoir(
        [9, 7],
        residual=["ring", np.diag(np.full(7, -1.0))],
        residual_scaling=s,
        leak_rate=[0.2, 0.5],
        random_state=0,
    ).fit(X)
    below, states = X, []
    for layer in deep._layers:
        below = as_written(layer, below)
        states.append(below)
    np.testing.assert_allclose(deep.transform(X), np.concatenate(states, axis=1), **EXACT)
    np.testing.assert_array_equal(deep.residual_weights_[1], -np.eye(7))


# ---- models and tools that share the parameters ------------------------------------------------


def test_every_echo_state_model_hands_the_residual_to_its_reservoir():
    X = series(80)
    wanted = turned("ring", 10, bias_scaling=0.0, residual_scaling=0.6).fit(X)
    asked = {"residual": "ring", "residual_scaling": 0.6, "leak_rate": 0.3, "random_state": 0}
    for model in (ESNRegressor, ESNClassifier, ESNRegressorCV):
        found = model(10, **asked).fit(X, X[:, 0] > 0).reservoir_
        np.testing.assert_array_equal(found.transform(X), wanted.transform(X))
    cases = [X[a : a + 10] for a in range(0, 80, 10)]
    features = ReservoirFeatures(10, pooling="last", bidirectional=False, **asked).fit(cases)
    rows = (cases[0] - features.mean_) / features.scale_ / np.sqrt(2)
    last = as_written(features.reservoir_, rows)[-1]
    np.testing.assert_allclose(features.transform(cases)[0], last, rtol=1e-10)
    classifier = ESNSequenceClassifier(10, alpha=1.0, **asked).fit(cases, [0, 1] * 4)
    assert classifier.features_.reservoir_.residual == "ring"


def test_a_reservoir_with_a_residual_is_cloned_pickled_and_set():
    model = turned("orthogonal").fit(series())
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(series()), model.transform(series()))
    fresh = clone(model).set_params(residual="ring").fit(series())
    np.testing.assert_array_equal(fresh.transform(series()), turned("ring").fit_transform(series()))


def test_intrinsic_plasticity_keeps_the_residual_of_the_reservoir():
    X = series(300)
    model = turned("orthogonal", random_state=np.random.RandomState(3))
    adapted = intrinsic_plasticity(model, X, n_epochs=2)
    drawn = turned("orthogonal", random_state=np.random.RandomState(3)).fit(X)
    np.testing.assert_array_equal(adapted.residual, drawn.residual_weights_)
    assert intrinsic_plasticity(turned("identity"), X, n_epochs=1).residual == "identity"


# ---- diagnostics -------------------------------------------------------------------------------


@pytest.mark.parametrize("residual", TURNS)
def test_effective_radius_is_that_of_the_whole_map(residual):
    model = turned(residual, residual_scaling=0.8).fit(series())
    whole = 0.8 * dense(model.residual_weights_) + 0.3 * dense(model.recurrent_weights_)
    wanted = np.abs(np.linalg.eigvals(whole)).max()
    np.testing.assert_allclose(effective_spectral_radius(model), wanted, rtol=1e-12)


def test_a_small_leak_brings_es2n_to_the_edge_of_stability():
    """All exponents lie within log(1 - 2 b) and 0 where |W| <= 1: O turns, b f forgets a little."""
    beta = 0.02
    model = turned(spectral_radius=None, spectral_norm=1.0, leak_rate=beta, bias_scaling=0.0)
    exponents = lyapunov_spectrum(model, series(600), n_exponents=20)
    assert exponents[0] < 0
    assert exponents[-1] > np.log(1 - 2 * beta)


def test_exponent_of_a_linear_turned_reservoir_is_the_log_of_its_effective_radius():
    model = turned("orthogonal", activation="identity", residual_scaling=0.8)
    wanted = np.log(effective_spectral_radius(model))
    found = lyapunov_exponent(model, series(5000), washout=1000)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-3)


def test_a_turned_reservoir_that_forgets_is_consistent():
    model = turned("ring", residual_scaling=0.9)
    assert consistency(model, series(600), random_state=0) > 0.999


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"residual": np.eye(4)}, r"residual must be a matrix of shape \(5, 5\).*\(4, 4\)"),
        ({"residual": np.full((5, 5), np.nan)}, "residual contains NaN"),
        ({"residual": np.eye(5) * 1j}, "residual is complex"),
        ({"residual": "small_world"}, "'residual' parameter.*'orthogonal'"),
        ({"residual_scaling": 1.5}, "'residual_scaling' parameter"),
        ({"residual_scaling": np.full(5, -0.5)}, r"residual_scaling must be in \[0, 1\].*-0\.5"),
        ({"residual_scaling": np.ones(4)}, r"residual_scaling.*\(5,\)"),
        ({"n_units": [5, 3], "residual": ["ring"]}, r"residual lists 1 .*residual=\[array"),
        ({"n_units": [5, 3], "residual": ["ring", np.eye(4)]}, "layer 2 of 2: residual must be"),
    ],
)
def test_what_cannot_be_honoured_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Reservoir(**{"n_units": 5, **parameters}).fit(series())


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # Python bodies, without the jit
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_states_that_run_away_are_named():
    wild = turned(residual_scaling=1.0, activation="identity", spectral_radius=9.0, leak_rate=1.0)
    with pytest.raises(DivergenceError, match=r"left the finite numbers at step \d+ of the 2000"):
        wild.fit_transform(series(2000))
