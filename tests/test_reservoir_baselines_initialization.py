"""First weights: spectra, block by block, from their names, topologies and callables."""

import itertools

import numpy as np
import pytest

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier
from reservoir.topologies import cycle_jumps, spectral_radius

X = np.zeros((6, 3))
N_GATES = {"elman": 1, "lstm": 4, "peephole_lstm": 4, "gru": 3}


def blocks(cell, n_units=12, **params):
    net = RNNRegressor(cell, (n_units,), max_iter=0, random_state=0, **params).fit(X, X[:, :2])
    return np.split(net.weights_[0]["recurrent"], N_GATES[cell])


@pytest.mark.parametrize("cell", N_GATES)
def test_every_gate_block_has_its_own_spectrum(cell):
    drawn = blocks(cell)
    for block in drawn:
        np.testing.assert_allclose(block @ block.T, np.eye(12), rtol=0, atol=1e-13)
    for one, other in itertools.pairwise(drawn):
        assert np.abs(one - other).max() > 0.1
    for block in blocks(cell, recurrent_init="np"):
        values = np.linalg.eigvalsh(block)
        np.testing.assert_allclose(block, block.T, rtol=0, atol=1e-15)
        assert values[0] > 0
        np.testing.assert_allclose(values[-1], 1.0, rtol=1e-12)
    for block in blocks(cell, recurrent_init="identity"):
        np.testing.assert_array_equal(block, np.eye(12))


@pytest.mark.parametrize("init", ["orthogonal", "np", "random_sparse", "ring", "small_world"])
def test_spectral_radius_is_that_of_every_block(init):
    for block in blocks("gru", recurrent_init=init, spectral_radius=0.8):
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(block)).max(), 0.8, rtol=1e-10)
        assert spectral_radius(block) > 0


def test_a_topology_or_a_callable_gives_its_matrix():
    ring = blocks("elman", recurrent_init="ring")[0]
    np.testing.assert_array_equal(np.flatnonzero(ring[0]), [11])

    def jumps(n_units, *, random_state):
        return cycle_jumps(n_units, jump_size=3, random_state=random_state)

    np.testing.assert_array_equal(
        blocks("elman", recurrent_init=jumps)[0], jumps(12, random_state=None).toarray()
    )


def test_a_nilpotent_matrix_cannot_be_scaled_and_a_callable_must_keep_to_the_shape():
    with pytest.raises(ValueError, match="nilpotent"):
        blocks("elman", recurrent_init="delay_line", spectral_radius=0.9)
    with pytest.raises(ValueError, match=r"shape \(12, 12\); got shape \(2, 2\)"):
        blocks("elman", recurrent_init=lambda n_units, random_state: np.eye(2))


def biases(cell, n_timesteps=50, model=RNNRegressor, **params):
    rows = np.zeros((n_timesteps, 1))
    net = model(cell, (500,), max_iter=0, random_state=0, recurrent_init="identity", **params)
    net.fit(rows, rows[:, 0])
    return net.weights_[0]["bias"].reshape(N_GATES[cell], 500)


@pytest.mark.parametrize("cell", ["lstm", "peephole_lstm"])
def test_the_forget_gate_starts_as_told(cell):
    i, f, g, o = biases(cell, forget_bias=-2.5)
    np.testing.assert_array_equal(f, -2.5)
    np.testing.assert_array_equal([i, g, o], 0.0)


@pytest.mark.parametrize("cell", ["lstm", "peephole_lstm"])
def test_chrono_memories_last_from_one_step_to_the_longest_series(cell):
    i, f, g, o = biases(cell, forget_bias="chrono")
    np.testing.assert_array_equal(i, -f)
    np.testing.assert_array_equal([g, o], 0.0)
    # With f = sigmoid(log u) a cell decays by 1 - 1 / (1 + u) a step: e^b is uniform on [1, 49].
    lasting = np.exp(f)
    assert 1.0 <= lasting.min() < 1.5
    assert 48.5 < lasting.max() <= 49.0
    np.testing.assert_allclose(lasting.mean(), 25.0, rtol=0, atol=4 * 48 / np.sqrt(12 * 500))


def test_chrono_of_a_gru_is_in_the_one_gate_that_keeps_and_lets_in():
    z, r, h = biases("gru", forget_bias="chrono")
    np.testing.assert_array_equal(z, -biases("lstm", forget_bias="chrono")[1])
    np.testing.assert_array_equal([r, h], 0.0)


@pytest.mark.parametrize(
    ("n_timesteps", "params", "longest"),
    [(50, {"bptt_steps": 20}, 20), (50, {"n_strands": 5}, 10), (8, {"bptt_steps": 20}, 8)],
)
def test_chrono_looks_no_further_than_the_gradient(n_timesteps, params, longest):
    lasting = np.exp(biases("lstm", n_timesteps, forget_bias="chrono", **params)[1])
    assert longest - 1.5 < lasting.max() <= longest - 1


@pytest.mark.parametrize("n_timesteps", [1, 2])
def test_chrono_with_nothing_to_keep_has_no_bias(n_timesteps):
    np.testing.assert_array_equal(biases("lstm", n_timesteps, forget_bias="chrono"), 0.0)


def test_chrono_leaves_all_other_weights_as_they_are():
    plain, chrono = (
        RNNRegressor("lstm", (4,), max_iter=0, random_state=0, forget_bias=bias).fit(X, X[:, 0])
        for bias in (1.0, "chrono")
    )
    for key in ("input", "recurrent"):
        np.testing.assert_array_equal(plain.weights_[0][key], chrono.weights_[0][key])


@pytest.mark.parametrize(
    ("cell", "bias"), [("elman", "chrono"), ("jordan", 2.0), ("gru", 2.0), ("elman", 0.0)]
)
def test_a_forget_bias_needs_a_forget_gate(cell, bias):
    net = RNNRegressor(cell, (4,), forget_bias=bias)
    with pytest.raises(ValueError, match=f"forget_bias={bias!r} is for cell='lstm'"):
        net.fit(X, X[:, 0])


@pytest.mark.parametrize("bias", ["long", np.inf, None])
def test_a_forget_bias_is_a_number_or_chrono(bias):
    with pytest.raises(ValueError, match="'forget_bias' parameter"):
        RNNRegressor("lstm", (4,), forget_bias=bias).fit(X, X[:, 0])


@pytest.mark.parametrize("n_outputs", [2, 7])
def test_jordan_takes_the_columns_of_a_square_draw(n_outputs):
    Y = np.zeros((6, n_outputs))
    net = RNNRegressor("jordan", (4,), max_iter=0, random_state=0).fit(X, Y)
    W = net.weights_[0]["recurrent"]
    assert W.shape == (4, n_outputs)
    short = W.T @ W if n_outputs < 4 else W @ W.T
    np.testing.assert_allclose(short, np.eye(len(short)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("cell", ["jordan", "gru", "peephole_lstm"])
def test_first_weights_depend_on_the_seed_alone(cell):
    first, again = (
        RNNSequenceClassifier(cell, (4,), head_sizes=(3,), max_iter=0, random_state=3)
        for _ in range(2)
    )
    cases, y = np.random.RandomState(0).randn(6, 5), [0, 1, 2, 0, 1, 2]
    first.fit(cases, y)
    again.fit(cases, y)
    np.testing.assert_array_equal(first.predict_proba(cases), again.predict_proba(cases))
    np.testing.assert_array_equal(first.weights_[0]["recurrent"], again.weights_[0]["recurrent"])
