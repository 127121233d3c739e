"""The driven and the closed loop against their twins and against each other."""

import naive_reservoir as naive
import numpy as np
import pytest
from scipy import sparse

from filters.timeseries import DivergenceError
from reservoir import Reservoir
from reservoir._driving import drive_side_by_side, kernel_form
from reservoir.kernels.activations import ACTIVATIONS
from reservoir.kernels.drive import closed_loop, drive
from reservoir.kernels.drive_many import drive_many
from reservoir.topologies import NAMED

FORMS = {1: "dense", 2: "diagonals", 5: "sparse"}  # by the number of arrays
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def series(n=60, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def ragged_matrix(n, rng):
    """Rows with 0, 1, 2, ... non-zeros: every tail of the unrolled sparse loop."""
    W = np.zeros((n, n))
    for i in range(n):
        W[i, rng.permutation(n)[: i % (n + 1)]] = rng.uniform(-0.3, 0.3, i % (n + 1))
    return W


def thin_matrix(n, rng):
    """Rows with 0, 1, 2, ... non-zeros, few enough to stay sparse, also for the tails of eight."""
    W = np.zeros((n, n))
    for i in range(n):
        W[i, rng.permutation(n)[: i % max(n // 3, 1)]] = rng.uniform(-0.5, 0.5)
    return W * rng.uniform(0.5, 1, (n, n))


def cyclic_matrix(n, offsets, rng):
    """Full diagonals W[i, (i + offset) % n]."""
    W = np.zeros((n, n))
    for offset in offsets:
        W[np.arange(n), (np.arange(n) + offset) % n] = rng.uniform(-0.4, 0.4, n)
    return W


def given(W, form="dense", **parameters):
    W = sparse.csr_array(W) if form == "sparse" else W
    parameters = {"spectral_radius": None, "bias_scaling": 0.5, "random_state": 0, **parameters}
    return Reservoir(W.shape[0], topology=W, **parameters)


def form_of(form, W):
    recurrent = (np.ascontiguousarray(W.T),) if form == "dense" else kernel_form(W)
    assert FORMS[len(recurrent)] == form
    return recurrent


def driven_as(form, model, W):
    """`model` fitted, its kernel form forced."""
    model.fit(series())
    return with_form(model, form_of(form, W.astype(model.bias_.dtype)))


def with_form(model, recurrent):
    """A fitted model driven by another matrix, or by another form of its own."""
    model._parts = (recurrent, *model._parts[1:])
    return model


# ---- open loop ------------------------------------------------------------------------------


@pytest.mark.parametrize("residual", [None, "dense", "diagonals", "sparse"])
@pytest.mark.parametrize("form", ["dense", "diagonals", "sparse"])
@pytest.mark.parametrize("n", [1, 5, 16])
def test_rows_with_room_for_more_columns_change_nothing(n, form, residual):
    """Inputs stand behind the states there; the kernel stays within what it was given."""
    rng = np.random.RandomState(n)
    matrices = {
        "dense": ragged_matrix(n, rng),
        "diagonals": cyclic_matrix(n, sorted({0, n - 1, n // 2}), rng),
        "sparse": thin_matrix(n, rng),
    }
    model = given(np.eye(n)).fit(series(40, 3))
    columns, bias = model._layer()[2:4]
    carry = () if residual is None else form_or_dense(residual, matrices[residual])
    size = (6 if carry else 3) * n + (2 if carry else 1)
    guard = np.full(size + 200, 7.0)
    numbers = np.full(n, 0.5), np.full(n, 0.5), ACTIVATIONS["tanh"]
    layer = (form_or_dense(form, matrices[form]), carry, columns, bias, *numbers)
    inputs, noise, start = series(40, 3), np.empty((40, 0)), rng.uniform(-1, 1, n)
    found = {}
    for more in (0, 3, 40):
        states = np.full((40, n + more), 9.0)
        drive((*layer, guard[100 : 100 + size]), inputs, noise, start, states)
        found[more] = states[:, :n]
        assert (states[:, n:] == 9.0).all()
        assert (guard[:100] == 7.0).all()
        assert (guard[100 + size :] == 7.0).all()
    np.testing.assert_array_equal(found[3], found[0])
    np.testing.assert_array_equal(found[40], found[0])


def form_or_dense(form, W):
    """The arrays of `form`, or those of the dense form where so small a matrix has no other."""
    return (np.ascontiguousarray(W.T),) if form == "dense" else kernel_form(W)


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
    radius = None if topology in ("delay_line", "forward_connection") else 0.9
    model = Reservoir(40, topology=topology, spectral_radius=radius, random_state=3)
    X = series(n_features=3)
    np.testing.assert_allclose(model.fit_transform(X), naive.states(model, X), **EXACT)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [9, 24, 33, 75])
def test_dense_and_sparse_kernel_give_the_same_bits(n, dtype):
    X, W = series(100), thin_matrix(n, np.random.RandomState(0))
    model = given(W, dtype=dtype, leak_rate=0.7)
    dense = driven_as("dense", model, W).transform(X)
    np.testing.assert_array_equal(driven_as("sparse", model, W).transform(X), dense)


def test_column_numbers_of_16_and_of_32_bits_give_the_same_bits():
    X, W = series(30), thin_matrix(75, np.random.RandomState(0))
    model = given(W, leak_rate=0.7).fit(X)
    (values, columns, starts, order, words), *others = model._parts
    assert (columns.dtype, words.dtype) == (np.uint16, np.uint64)
    states = model.transform(X)
    wide = columns.astype(np.uint32)  # as a matrix of more than 65536 units has them
    model._parts = ((values, wide, starts, order, wide), *others)
    np.testing.assert_array_equal(model.transform(X), states)
    np.testing.assert_array_equal(model.transform([X] * 20)[7], states)


@pytest.mark.parametrize("n_diagonals", [0, 1, 2, 3, 8, 9, 11, 18])
def test_cyclic_diagonals_are_driven_as_the_matrix_they_are(n_diagonals):
    rng = np.random.RandomState(n_diagonals)
    W = cyclic_matrix(80, rng.permutation(80)[:n_diagonals], rng)
    X, model = series(100), given(W, leak_rate=0.7)
    states = driven_as("diagonals", model, W).transform(X)
    np.testing.assert_allclose(states, naive.states(model, X), **EXACT)
    np.testing.assert_allclose(states, driven_as("dense", model, W).transform(X), **EXACT)


def test_form_follows_the_structure_of_the_matrix_and_not_its_storage():
    rng = np.random.RandomState(0)
    cases = {
        "dense": rng.randn(30, 30),
        "sparse": thin_matrix(40, rng),
        "diagonals": cyclic_matrix(40, [1, 5, 39], rng),
    }
    cases["diagonals"][3, 4] = 0  # nearly full is full enough
    for form, W in cases.items():
        for matrix in (W, sparse.csr_array(W)):
            assert FORMS[len(kernel_form(matrix))] == form
    values, offsets = kernel_form(NAMED["ring"](7))
    np.testing.assert_array_equal(offsets, [6])
    np.testing.assert_array_equal(values, np.ones((1, 7)))
    given_order = sparse.csr_array(([1.0, 2.0], [2, 0], [0, 2, 2, 2]), shape=(3, 3))
    kernel_form(given_order)
    np.testing.assert_array_equal(given_order.indices, [2, 0])


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


# ---- many series --------------------------------------------------------------------------------


LENGTHS = {
    "equal": np.full(20, 9),
    "ragged": np.random.RandomState(0).randint(1, 12, 80),
    "one long": np.append(np.full(15, 3), 60),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_series_side_by_side_are_those_one_by_one_bit_for_bit(lengths, form, dtype):
    rng = np.random.RandomState(3)
    X = [rng.randn(n, 11) for n in LENGTHS[lengths]]
    start = rng.uniform(-1, 1, (len(X), 27))
    W, leak = thin_matrix(27, rng), rng.uniform(0.2, 1, 27)
    for activation in ACTIVATIONS:
        model = given(W, leak_rate=leak, activation=activation, include_input=True, dtype=dtype)
        model.fit(X)
        with_form(model, form_of(form, W.astype(dtype)))
        answers, last = model.transform(X, initial_state=start, return_state=True)
        for i, rows in enumerate(X):
            alone = model.transform(rows, initial_state=start[i], return_state=True)
            np.testing.assert_array_equal(answers[i], alone[0])
            np.testing.assert_array_equal(last[i], alone[1])


@pytest.mark.parametrize("n_series", [3, 70, 140])
def test_many_series_reach_the_kernel_side_by_side(n_series, monkeypatch):
    seen = []

    def watched(*arguments):
        seen.append(np.count_nonzero(arguments[3]))
        drive_many(*arguments)

    monkeypatch.setattr("reservoir._driving.drive_many", watched)
    model = given(thin_matrix(30, np.random.RandomState(0)), "sparse").fit(series())
    panel = np.random.RandomState(1).randn(n_series, 4, 2)
    states = model.transform(panel)
    assert seen == {3: [], 70: [64], 140: [64, 64, 12]}[n_series]
    np.testing.assert_array_equal(states[-1], model.transform(panel[-1]))


def test_lanes_end_when_half_of_the_series_are_through(monkeypatch):
    asked = []
    monkeypatch.setattr("reservoir._driving.drive_many", lambda *given: asked.append(given[3]))
    model = given(thin_matrix(30, np.random.RandomState(0)), "sparse").fit(series())
    spans = [(0, 900), (900, 990), *((990 + i, 991 + i) for i in range(14))]
    begun = drive_side_by_side(model, np.zeros((1004, 2)), spans, np.zeros((16, 30)), np.zeros(1))
    np.testing.assert_array_equal(begun, 1)
    np.testing.assert_array_equal(asked, [[1] * 16])


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # Python bodies, without the jit
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_series_that_diverges_beside_others_is_named_as_alone():
    model = given(np.eye(2), activation="identity", bias_scaling=0).fit(series())
    with_form(model, kernel_form(np.array([[3.0, 0.0], [0.2, 0.0]])))
    X = [np.zeros((700, 2)) for _ in range(20)]
    X[4][0, 0] = 1e200
    with pytest.raises(DivergenceError) as alone:
        model.transform(X[4])
    with pytest.raises(DivergenceError) as beside:
        model.transform(X)
    assert beside.value.step == alone.value.step


# ---- kernels themselves -----------------------------------------------------------------------


def matrix_for(form):
    rng = np.random.RandomState(8)
    return cyclic_matrix(9, [0, 4], rng) if form == "diagonals" else thin_matrix(9, rng)


def kernel_arguments(n=9, n_features=2, n_steps=25, seed=0):
    rng = np.random.RandomState(seed)
    W, W_in = rng.uniform(-0.4, 0.4, (n, n)), rng.randn(n, n_features)
    bias, leak, start = rng.randn(n), rng.uniform(0, 1, n), rng.randn(n)
    return W, W_in, bias, leak, start, rng.randn(n_steps, n_features), rng.randn(n_steps, n)


def leaky_layer(recurrent, W_in, bias, leak, activation="tanh"):
    """What the kernels take, without a matrix O, for one series."""
    columns, work = np.ascontiguousarray(W_in.T), np.empty(3 * bias.size + 1)
    return recurrent, (), columns, bias, 1 - leak, leak, ACTIVATIONS[activation], work


@pytest.mark.parametrize("form", FORMS.values())
def test_noise_is_added_inside_the_activation_and_arguments_stay(form):
    _, W_in, bias, leak, start, U, noise = kernel_arguments()
    W = matrix_for(form)
    states, kept = np.empty((25, 9)), start.copy()
    drive(leaky_layer(form_of(form, W), W_in, bias, leak), U, noise, start, states)
    expected = naive.drive(W, W_in, bias, leak, "tanh", U, start, noise)
    np.testing.assert_allclose(states, expected, **EXACT)
    np.testing.assert_array_equal(start, kept)


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_lanes_are_driven_as_the_twin_and_rows_beside_them_stay(form):
    _, W_in, bias, leak, _, U, _ = kernel_arguments(n_features=10)
    W, rng = matrix_for(form), np.random.RandomState(1)
    rows, lengths, x = np.array([0, 16, 0]), np.array([13, 9, 0]), rng.randn(9, 3)
    states = np.full((25, 11), 7.0)
    *layer, _ = leaky_layer(form_of(form, W), W_in, bias, leak)
    layer[4:6] = np.repeat(1 - leak, 3), np.repeat(leak, 3)
    work = np.empty(30), np.empty(27), np.empty(0)
    drive_many(tuple(layer), U, rows, lengths, *work, x.flatten(), states)
    for lane, (row, n) in enumerate(zip(rows[:2], lengths[:2], strict=True)):
        expected = naive.drive(W, W_in, bias, leak, "tanh", U[row : row + n], x[:, lane])
        np.testing.assert_allclose(states[row : row + n, :9], expected, **EXACT)
    assert (states[13:16] == 7).all()
    assert (states[:, 9:] == 7).all()


@pytest.mark.parametrize("n_visible", [0, 1, 3])
@pytest.mark.parametrize("feedback_at", [0, 1])
@pytest.mark.parametrize("form", FORMS.values())
def test_closed_loop_is_the_open_one_fed_with_its_own_output(form, feedback_at, n_visible):
    """Three input columns, two of them fed back, the third given from outside."""
    _, W_in, bias, leak, start, U, _ = kernel_arguments(n_features=3)
    W = matrix_for(form)
    rng = np.random.RandomState(5)
    coef, intercept, last = 0.2 * rng.randn(2, 9 + n_visible), rng.randn(2), rng.randn(2)
    state, outputs, inputs = start.copy(), np.empty((25, 2)), U.copy()
    bad = closed_loop(
        (leaky_layer(form_of(form, W), W_in, bias, leak),),
        coef,
        intercept,
        inputs,
        feedback_at,
        n_visible,
        last,
        state,
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
        (leaky_layer((np.array([[2.0]]),), np.ones((1, 1)), np.zeros(1), one, "identity"),),
        np.ones((1, 1)),
        np.zeros(1),
        np.zeros((2000, 1)),
        0,
        0,
        one,
        one.copy(),
        outputs,
    )
    # x(t) = 2 x + y and y = x: every step multiplies by three.
    assert bad == int(np.floor(np.log(np.finfo(float).max) / np.log(3)))
    assert np.isfinite(outputs[:bad]).all()
    assert not np.isfinite(outputs[bad, 0])
