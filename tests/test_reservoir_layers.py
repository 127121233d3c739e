"""Deep reservoirs: layers in a row are reservoirs one after the other."""

import pickle

import naive_reservoir as naive
import numpy as np
import pytest
from deep_reservoirs import EXACT, deep, series
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from filters.timeseries import DivergenceError
from reservoir import ESNRegressor, Reservoir


def naive_states(reservoir, U):
    """The formula of the module written out, every layer one step after the other."""
    sizes = [len(b) for b in reservoir.bias_]
    x, rows = [np.zeros(n) for n in sizes], []
    leaks = np.broadcast_to(reservoir.leak_rate, len(sizes))
    for u in U:
        below = u
        for i, (W, V, b) in enumerate(
            zip(
                reservoir.recurrent_weights_,
                reservoir.input_weights_,
                reservoir.bias_,
                strict=True,
            )
        ):
            x[i] = naive.step(W, V, b, leaks[i], "tanh", x[i], below)
            below = x[i]
        rows.append(np.concatenate(x))
    return np.array(rows)


# ---- the mathematics --------------------------------------------------------------------------


def test_states_are_those_of_the_naive_twin():
    X = series()
    model = deep((12, 7))
    np.testing.assert_allclose(model.fit_transform(X), naive_states(model, X), **EXACT)


def test_two_layers_are_two_reservoirs_one_after_the_other():
    X, rng = series(), np.random.RandomState(3)
    W, V, b = [rng.randn(9, 9), rng.randn(4, 4)], [rng.randn(9, 2), rng.randn(4, 9)], rng.randn(4)
    leak = [rng.uniform(0, 1, 9), 0.4]
    both = Reservoir(
        [9, 4],
        topology=W,
        spectral_radius=[0.9, None],
        input_weights=V,
        input_scaling=[[2.0, 0.5], 0.1],
        bias=[np.zeros(9), b],
        leak_rate=leak,
        activation=["tanh", "sigmoid"],
    )
    first = Reservoir(
        9, topology=W[0], input_weights=V[0], input_scaling=[2.0, 0.5], leak_rate=leak[0]
    )
    second = Reservoir(
        4,
        topology=W[1],
        spectral_radius=None,
        input_weights=V[1],
        input_scaling=0.1,
        bias=b,
        leak_rate=0.4,
        activation="sigmoid",
    )
    below = first.fit_transform(X)
    expected = np.concatenate([below, second.fit_transform(below)], axis=1)
    np.testing.assert_array_equal(both.fit_transform(X), expected)


def test_linear_layers_are_one_block_triangular_reservoir():
    """x2 = W2 x2 + V2 x1(t) with x1(t) put in: one linear map with V2 W1 below the diagonal."""
    X, rng = series(), np.random.RandomState(5)
    W1, W2 = 0.3 * rng.randn(5, 5), 0.3 * rng.randn(3, 3)
    V1, V2 = rng.randn(5, 2), rng.randn(3, 5)
    linear = {"spectral_radius": None, "activation": "identity"}
    layered = Reservoir([5, 3], topology=[W1, W2], input_weights=[V1, V2], **linear)
    joined = np.block([[W1, np.zeros((5, 3))], [V2 @ W1, W2]])
    flat = Reservoir(8, topology=joined, input_weights=np.concatenate([V1, V2 @ V1]), **linear)
    np.testing.assert_allclose(
        layered.fit_transform(X), flat.fit_transform(X), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_list_of_one_is_the_plain_number_bit_for_bit(seed, dtype):
    X = series().astype(dtype)
    plain = {"spectral_radius": 0.7, "leak_rate": 0.4, "noise": 0.1, "bias_scaling": 0.2}
    listed = {name: [value] for name, value in plain.items()}

    def generator():
        return seed if seed is not None else np.random.RandomState(7)

    one = Reservoir(15, **plain, random_state=generator()).fit(X)
    same = Reservoir([15], **listed, random_state=generator()).fit(X)
    np.testing.assert_array_equal(same.transform(X), one.transform(X))
    np.testing.assert_array_equal(same.recurrent_weights_, one.recurrent_weights_)
    for feedback in (0.0, 0.5):
        models = [
            ESNRegressor(n, **own, random_state=generator(), feedback_scaling=feedback)
            for n, own in ((15, plain), ([15], listed))
        ]
        one, same = (model.set_params(alpha=1e-2).fit(X[:-1], X[1:]) for model in models)
        np.testing.assert_array_equal(same.coef_, one.coef_)
        np.testing.assert_array_equal(same.predict(X), one.predict(X))
        np.testing.assert_array_equal(same.forecast(30), one.forecast(30))


def test_a_further_layer_leaves_those_below_as_they_are():
    X = series()
    three = deep((8, 8, 8), leak_rate=0.5, input_scaling=0.3).fit(X)
    states = three.transform(X)
    two = deep((8, 8), leak_rate=0.5, input_scaling=0.3).fit_transform(X)
    one = Reservoir(8, leak_rate=0.5, input_scaling=0.3, bias_scaling=0.3, random_state=0)
    np.testing.assert_array_equal(states[:, :16], two)
    np.testing.assert_array_equal(states[:, :8], one.fit_transform(X))
    for name in ("recurrent_weights_", "bias_"):  # a seed of its own for every layer
        weights = [np.asarray(w) for w in getattr(three, name)]
        assert not any(np.array_equal(weights[i], weights[j]) for i, j in ((0, 1), (1, 2), (0, 2)))


def test_every_layer_has_its_own_parameters():
    X = series()
    model = Reservoir(
        [40, 30, 20],
        spectral_radius=[0.9, 0.5, None],
        topology=["random_dense", "ring", np.diag(np.full(20, 0.2))],
        input_weights=["bernoulli", "uniform", "uniform"],
        input_scaling=[0.5, 0.1, 0.0],
        bias_scaling=[0.0, 0.3, 0.0],
        bias=[None, None, np.full(20, 0.7)],
        leak_rate=[1.0, 0.0, 1.0],
        activation=("tanh", "tanh", "identity"),
        random_state=0,
    ).fit(X)
    W, V, b = model.recurrent_weights_, model.input_weights_, model.bias_
    W = [w if isinstance(w, np.ndarray) else w.toarray() for w in W]
    radii = [np.abs(np.linalg.eigvals(w)).max() for w in W]
    np.testing.assert_allclose(radii, [0.9, 0.5, 0.2], rtol=1e-10)
    assert [v.shape for v in V] == [(40, 2), (30, 40), (20, 30)]
    assert (np.abs(V[0]) == 0.5).all()
    assert 0.09 < np.abs(V[1]).max() <= 0.1
    assert not b[0].any()
    assert 0.2 < np.abs(b[1]).max() <= 0.3
    states = model.transform(X)
    assert not states[:, 40:70].any()  # leak 0: the second layer stands still
    np.testing.assert_allclose(states[-1, 70:], 0.7 / (1 - 0.2), rtol=1e-12)
    sparse = Reservoir([40, 30], topology="random_sparse", density=[0.1, 0.3]).fit(X)
    filled = [w.nnz / np.prod(w.shape) for w in sparse.recurrent_weights_]
    np.testing.assert_allclose(filled, [0.1, 0.3], rtol=0.1)


def test_an_array_holds_for_all_layers_and_a_list_is_one_entry_a_layer():
    X, leak = series(), np.array([0.2, 0.9])
    per_unit = deep((2, 2), leak_rate=leak).fit_transform(X)
    np.testing.assert_array_equal(deep((2, 2), leak_rate=[leak, leak]).fit_transform(X), per_unit)
    assert np.abs(deep((2, 2), leak_rate=[0.2, 0.9]).fit_transform(X) - per_unit).max() > 1e-3


# ---- laws of a memory -------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 50), st.integers(1, 49))
def test_states_are_causal_and_can_be_handed_over(stop, cut):
    X = series()
    model = deep((6, 5, 4), leak_rate=[0.5, 1.0, 0.1], input_scaling=0.4).fit(X)
    whole, last = model.transform(X, return_state=True)
    assert last.shape == (15,)
    np.testing.assert_array_equal(last, whole[-1])
    np.testing.assert_array_equal(model.transform(X[:stop]), whole[:stop])
    _, state = model.transform(X[:cut], return_state=True)
    np.testing.assert_array_equal(model.transform(X[cut:], initial_state=state), whole[cut:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_input_row_is_appended_once(dtype):
    X = series().astype(dtype)
    model = deep(include_input=True).fit(X)
    answer = model.transform(X)
    assert answer.dtype == dtype
    np.testing.assert_array_equal(answer[:, :19], deep().fit_transform(X))
    np.testing.assert_array_equal(answer[:, 19:], X)
    names = model.get_feature_names_out()
    assert list(names) == [f"reservoir{i}" for i in range(19)] + ["x0", "x1"]
    narrow = deep(include_input=True, dtype="float32").fit_transform(series())
    assert narrow.dtype == np.float32


def test_several_series_and_copies_give_the_same_states():
    parts = [series(n, seed=n) for n in (1, 30, 7)]
    model = deep().fit(parts)
    states, last = model.transform(parts, return_state=True)
    assert last.shape == (3, 19)
    for part, expected in zip(parts, states, strict=True):
        for copy in (model, pickle.loads(pickle.dumps(model)), clone(model).fit(part)):
            np.testing.assert_array_equal(copy.transform(part), expected)


@pytest.mark.parametrize("topology", ["random_dense", "random_sparse", ["ring", "random_sparse"]])
@pytest.mark.parametrize("include_input", [False, True])
def test_many_series_are_driven_as_each_alone(topology, include_input):
    lengths = np.random.RandomState(0).randint(1, 30, 40)
    parts = [series(n, seed=i) for i, n in enumerate(lengths)]
    model = deep((30, 20), topology=topology, include_input=include_input).fit(parts)
    states, last = model.transform(parts, return_state=True)
    for part, expected, end in zip(parts, states, last, strict=True):
        alone, state = model.transform(part, return_state=True)
        np.testing.assert_array_equal(expected, alone)
        np.testing.assert_array_equal(end, state)


# ---- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_units": []}, "n_units is an empty list"),
        ({"n_units": [5, 0]}, r"layer 2 of 2: The 'n_units' parameter"),
        ({"n_units": [5, 2.5]}, r"layer 2 of 2: The 'n_units' parameter"),
        ({"n_units": [[5], 3]}, r"layer 1 of 2: n_units=\[5\] is not a number"),
        ({"n_units": [5, 3], "spectral_radius": [0.9]}, "spectral_radius lists 1 values for the 2"),
        ({"n_units": [5, 3], "leak_rate": [0.9, 1, 1]}, r"leak_rate lists 3 .*leak_rate=\[array"),
        ({"n_units": [5], "leak_rate": [0.5] * 5}, r"leak_rate lists 5 values for the 1 layers"),
        ({"n_units": [5, 3], "leak_rate": [0.9, 1.5]}, "layer 2 of 2: .*leak_rate"),
        ({"n_units": [5, 3], "spectral_radius": [-1, 1]}, "layer 1 of 2: .*'spectral_radius'"),
        ({"n_units": [5, 3], "activation": ["tanh", "cube"]}, "layer 2 of 2: .*'activation'"),
        ({"n_units": [5, 3], "noise": [0.1, [0.2]]}, "layer 2 of 2: noise"),
        ({"n_units": [5, 3], "input_scaling": np.ones(2)}, "layer 2 of 2: input_scaling must"),
        ({"n_units": [5, 3], "topology": np.eye(5)}, "layer 2 of 2: topology must be a matrix"),
        ({"n_units": 5, "spectral_radius": [0.9]}, r"spectral_radius=\[0.9\] lists .* n_units=5"),
        ({"n_units": 5, "noise": [0.1, 0.2]}, "noise=.* lists one value a layer"),
        ({"n_units": 5, "activation": ("tanh",)}, "activation=.* lists one value a layer"),
    ],
)
@pytest.mark.parametrize("make", [Reservoir, ESNRegressor])
def test_lists_that_do_not_fit_are_refused_by_name(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(series(), series()[:, 0])


def test_a_layer_that_leaves_the_finite_numbers_is_named():
    X = series(3000, 1)
    model = Reservoir([5, 5], activation=["tanh", "identity"], spectral_radius=[0.9, 1.5])
    model.set_params(bias_scaling=[0.0, 1.0], random_state=0).fit(X)
    with pytest.raises(DivergenceError, match=r"layer 2 of 2: .*spectral_radius=1.5") as caught:
        model.transform(X)
    assert 0 < caught.value.step < 3000
