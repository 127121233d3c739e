"""The driven and the closed loop against their twins and against each other."""

import naive_reservoir as naive
import numpy as np
import pytest
from scipy import sparse

from reservoir import Reservoir
from reservoir.kernels.activations import ACTIVATIONS
from reservoir.kernels.drive import closed_loop, drive
from reservoir.topologies import NAMED

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def series(n=60, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def ragged_matrix(n, rng):
    """Rows with 0, 1, 2, ... non-zeros: every tail of the unrolled sparse loop."""
    W = np.zeros((n, n))
    for i in range(n):
        W[i, rng.permutation(n)[: i % (n + 1)]] = rng.uniform(-0.3, 0.3, i % (n + 1))
    return W


def given(W, form="dense", **parameters):
    W = sparse.csr_array(W) if form == "sparse" else W
    parameters = {"spectral_radius": None, "bias_scaling": 0.5, "random_state": 0, **parameters}
    return Reservoir(W.shape[0], topology=W, **parameters)


# ---- open loop ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 31])
def test_states_are_those_of_the_naive_twin(n, form):
    rng = np.random.RandomState(n)
    X = series()
    for activation in ACTIVATIONS:
        for leak in (1.0, 0.3, rng.uniform(0, 1, n)):
            model = given(ragged_matrix(n, rng), form, leak_rate=leak, activation=activation)
            states = model.fit_transform(X)
            np.testing.assert_allclose(states, naive.states(model, X), **EXACT)


@pytest.mark.parametrize("topology", sorted(NAMED))
def test_named_topologies_are_driven_like_the_twin(topology):
    radius = None if topology == "delay_line" else 0.9
    model = Reservoir(40, topology=topology, spectral_radius=radius, random_state=3)
    X = series(n_features=3)
    np.testing.assert_allclose(model.fit_transform(X), naive.states(model, X), **EXACT)


def test_dense_and_sparse_form_of_a_matrix_give_the_same_states():
    X, W = series(200), ragged_matrix(33, np.random.RandomState(0))
    dense = given(W, "dense").fit_transform(X)
    np.testing.assert_allclose(given(W, "sparse").fit_transform(X), dense, **EXACT)


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_float32_is_float64_to_its_rounding(form):
    X, W = series(100), ragged_matrix(30, np.random.RandomState(0))
    wide = given(W, form).fit_transform(X)
    for dtype, rows in (("auto", X.astype(np.float32)), ("float32", X)):
        states = given(W, form, dtype=dtype).fit_transform(rows)
        assert states.dtype == np.float32
        np.testing.assert_allclose(states, wide, rtol=0, atol=1e-5)
        assert np.abs(states - wide).max() > 0
    assert given(W, form, dtype="float64").fit_transform(X.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("cuts", [(1,), (3, 4, 29), tuple(range(1, 40))])
def test_rows_may_be_cut_anywhere_bit_for_bit(cuts, form):
    X = series(40)
    model = given(ragged_matrix(21, np.random.RandomState(1)), form, leak_rate=0.4).fit(X)
    parts, state = [], None
    for part in np.split(X, cuts):
        states, state = model.transform(part, initial_state=state, return_state=True)
        parts.append(states)
    np.testing.assert_array_equal(np.concatenate(parts), model.transform(X))
    np.testing.assert_array_equal(state, parts[-1][-1])


# ---- identities -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_identity_reservoir_hands_its_input_on(form):
    X, zero = series(50, 5), np.zeros((5, 5))
    plain = {"activation": "identity", "input_weights": np.eye(5), "bias_scaling": 0}
    states = given(zero, form, **plain).fit_transform(X)
    np.testing.assert_array_equal(states, X)
    states = given(zero, form, **plain, bias=np.ones(5)).fit_transform(X)
    np.testing.assert_array_equal(states, X + 1)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_leak_zero_keeps_the_state(activation):
    start = np.random.RandomState(0).randn(6)
    model = given(np.eye(6), leak_rate=0.0, activation=activation).fit(series())
    states = model.transform(series(), initial_state=start)
    np.testing.assert_array_equal(states, np.tile(start, (60, 1)))


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_one_leak_rate_is_that_of_every_unit(form):
    W = ragged_matrix(12, np.random.RandomState(0))
    one = given(W, form, leak_rate=0.35).fit_transform(series())
    each = given(W, form, leak_rate=np.full(12, 0.35)).fit_transform(series())
    np.testing.assert_array_equal(one, each)


def test_units_leak_on_their_own():
    W, leak = ragged_matrix(6, np.random.RandomState(0)), np.array([0.0, 0.1, 0.2, 0.5, 0.9, 1.0])
    order = np.random.RandomState(1).permutation(6)
    W_in = np.random.RandomState(2).randn(6, 2)
    shared = {"bias": np.linspace(-1, 1, 6)}
    states = given(W, leak_rate=leak, input_weights=W_in, **shared).fit_transform(series())
    shared = {"bias": shared["bias"][order]}
    moved = given(W[order][:, order], leak_rate=leak[order], input_weights=W_in[order], **shared)
    np.testing.assert_allclose(moved.fit_transform(series()), states[:, order], **EXACT)
    assert (states[:, 0] == 0).all()


def test_without_bias_tanh_is_an_odd_map():
    X = series()
    model = Reservoir(30, random_state=0).fit(X)
    np.testing.assert_array_equal(model.transform(-X), -model.transform(X))
    biased = Reservoir(30, bias_scaling=0.5, random_state=0).fit(X)
    assert np.abs(biased.transform(-X) + biased.transform(X)).max() > 0.01


# ---- kernels themselves -----------------------------------------------------------------------


def kernel_arguments(n=9, n_features=2, n_steps=25, seed=0):
    rng = np.random.RandomState(seed)
    W, W_in = rng.uniform(-0.4, 0.4, (n, n)), rng.randn(n, n_features)
    bias, leak, start = rng.randn(n), rng.uniform(0, 1, n), rng.randn(n)
    return W, W_in, bias, leak, start, rng.randn(n_steps, n_features), rng.randn(n_steps, n)


def test_noise_is_added_inside_the_activation_and_arguments_stay():
    W, W_in, bias, leak, start, U, noise = kernel_arguments()
    states = np.empty((25, 9))
    inputs = (np.ascontiguousarray(W.T),), np.ascontiguousarray(W_in.T), bias, U, noise, leak
    kept = start.copy()
    drive(*inputs, ACTIVATIONS["tanh"], start, np.empty(28), states)
    expected = naive.drive(W, W_in, bias, leak, "tanh", U, start, noise)
    np.testing.assert_allclose(states, expected, **EXACT)
    np.testing.assert_array_equal(start, kept)


@pytest.mark.parametrize("n_visible", [0, 1, 3])
@pytest.mark.parametrize("feedback_at", [0, 1])
def test_closed_loop_is_the_open_one_fed_with_its_own_output(feedback_at, n_visible):
    """Three input columns, two of them fed back, the third given from outside."""
    W, W_in, bias, leak, start, U, _ = kernel_arguments(n_features=3)
    rng = np.random.RandomState(5)
    coef, intercept, last = 0.2 * rng.randn(2, 9 + n_visible), rng.randn(2), rng.randn(2)
    state, outputs, inputs = start.copy(), np.empty((25, 2)), U.copy()
    bad = closed_loop(
        (np.ascontiguousarray(W.T),),
        np.ascontiguousarray(W_in.T),
        bias,
        leak,
        ACTIVATIONS["tanh"],
        coef,
        intercept,
        inputs,
        feedback_at,
        n_visible,
        last,
        state,
        np.empty(28),
        outputs,
    )
    x, y, expected = start, last, []
    for t in range(25):
        u = U[t].copy()
        u[feedback_at : feedback_at + 2] = y
        x = naive.step(W, W_in, bias, leak, "tanh", x, u)
        y = intercept + coef @ np.concatenate([x, u[:n_visible]])
        expected.append(y)
    assert bad == -1
    np.testing.assert_allclose(outputs, expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(state, x, rtol=1e-11, atol=1e-11)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # Python bodies, without the jit
def test_closed_loop_names_the_first_step_that_is_not_finite():
    one, outputs = np.ones(1), np.zeros((2000, 1))
    bad = closed_loop(
        (np.array([[2.0]]),),
        np.ones((1, 1)),
        np.zeros(1),
        one,
        ACTIVATIONS["identity"],
        np.ones((1, 1)),
        np.zeros(1),
        np.zeros((2000, 1)),
        0,
        0,
        one,
        one.copy(),
        np.empty(4),
        outputs,
    )
    # x(t) = 2 x + y and y = x: every step multiplies by three.
    assert bad == int(np.floor(np.log(np.finfo(float).max) / np.log(3)))
    assert np.isfinite(outputs[:bad]).all()
    assert not np.isfinite(outputs[bad, 0])
