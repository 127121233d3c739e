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
