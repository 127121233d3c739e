"""Recurrent and input matrices: given or named, honest refusals, one random stream a matrix."""

import numpy as np
import pytest
from scipy import sparse
from topology_matrices import NILPOTENT, WITHOUT_A_DRAW, X, by_numpy, random

from reservoir import Reservoir, topologies
from reservoir.topologies import NAMED, WITH_DENSITY, _random

# ---- given matrices -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", [np.array, sparse.csr_array, sparse.coo_array, sparse.csr_matrix])
def test_a_given_matrix_is_copied_and_rescaled_unless_told_otherwise(form):
    W = form(random(6))
    kept = W.copy()
    scaled = Reservoir(6, topology=W, spectral_radius=0.5).fit(X)
    np.testing.assert_allclose(by_numpy(scaled.recurrent_weights_), 0.5, rtol=1e-10)
    as_given = Reservoir(6, topology=W, spectral_radius=None).fit(X)
    assert abs(as_given.recurrent_weights_ - kept).max() == 0
    as_given.recurrent_weights_[0, 0] = 9.0
    assert abs(W - kept).max() == 0
    stays_dense = isinstance(as_given.recurrent_weights_, np.ndarray)
    assert stays_dense == isinstance(W, np.ndarray)
    default = Reservoir(6, topology=W).fit(X)
    np.testing.assert_allclose(by_numpy(default.recurrent_weights_), 0.9, rtol=1e-10)


def test_a_callable_topology_gets_the_size_and_the_seed_of_the_matrix():
    seen = []

    def topology(n_units, random_state):
        seen.append((n_units, random_state))
        return random(n_units, random_state)

    model = Reservoir(7, topology=topology, random_state=3).fit(X)
    assert seen == [(7, Reservoir(7, random_state=3).fit(X)._seeds["recurrent"])]
    np.testing.assert_allclose(by_numpy(model.recurrent_weights_), 0.9, rtol=1e-10)
    by_name = Reservoir(7, topology="ring", random_state=3).fit(X).recurrent_weights_
    by_function = Reservoir(7, topology=topologies.ring, random_state=3).fit(X).recurrent_weights_
    assert abs(by_name - by_function).max() == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"topology": random(3)}, r"shape \(5, 5\) for n_units=5; got \(3, 3\)"),
        ({"topology": random(5)[0]}, r"\(5,\)"),
        ({"topology": lambda n_units, random_state: np.eye(4)}, r"got \(4, 4\)"),
        ({"topology": np.full((5, 5), np.nan)}, "topology contains NaN"),
        ({"topology": sparse.csr_array(np.full((5, 5), np.inf))}, "topology contains NaN or inf"),
        ({"topology": np.eye(5) * (1 + 1j)}, "complex"),
        ({"topology": sparse.csr_array(np.eye(5) * (1 + 1j))}, "complex"),
        ({"topology": "no_such_net"}, "topology"),
        ({"input_weights": np.ones((5, 3))}, r"input_weights must have shape \(5, 2\)"),
        ({"input_weights": np.full((5, 2), np.nan)}, "input_weights contains NaN"),
        ({"input_weights": np.full((5, 2), 1j)}, "complex"),
        ({"input_weights": "normal"}, "input_weights"),
        ({"input_scaling": [1.0, 2.0, 3.0]}, r"input_scaling.*\(2,\)"),
        ({"input_scaling": [1.0, np.nan]}, "input_scaling contains NaN"),
        ({"input_scaling": np.inf}, "input_scaling"),
        ({"bias": np.ones(4)}, r"bias.*\(5,\)"),
        ({"bias": [0, 0, 0, 0, np.inf]}, "bias contains NaN or inf"),
        ({"leak_rate": np.ones(4)}, r"leak_rate.*\(5,\)"),
        ({"leak_rate": [0, 0, 0, 0, 1.5]}, r"leak_rate must be in \[0, 1\]; got.*1\.5"),
        ({"leak_rate": [0.5, 0, 0, 0, -0.25]}, r"leak_rate must be in \[0, 1\]; got.*-0\.25"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Reservoir(5, **parameters).fit(X)


# ---- named topologies -------------------------------------------------------------------------


def test_fixed_topologies_are_the_written_out_matrices():
    ring = [[0, 0, 0, 0, 2], [2, 0, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 0, 2, 0]]
    line = [[0, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 0, 2, 0]]
    np.testing.assert_array_equal(topologies.ring(5, weight=2.0).toarray(), ring)
    np.testing.assert_array_equal(topologies.delay_line(5, weight=2.0).toarray(), line)
    np.testing.assert_array_equal(topologies.ring(1).toarray(), [[1]])
    np.testing.assert_array_equal(topologies.delay_line(1).toarray(), [[0]])


def test_orthogonal_is_orthogonal_and_uniform():
    Q = topologies.orthogonal(50, random_state=0)
    np.testing.assert_allclose(Q @ Q.T, np.eye(50), rtol=0, atol=1e-13)
    # Haar measure: the trace has mean 0 and variance 1 (a QR without the signs is off by many).
    traces = [np.trace(topologies.orthogonal(6, random_state=s)) for s in range(400)]
    assert abs(np.mean(traces)) < 5 / np.sqrt(400)
    assert 0.7 < np.var(traces) < 1.3


@pytest.mark.parametrize(
    ("n", "density", "n_in"),
    [(50, 0.1, 5), (50, "auto", 10), (7, "auto", 7), (50, 1e-9, 1), (50, 1.0, 50), (1, 0.3, 1)],
)
def test_random_matrices_have_one_in_degree(n, density, n_in):
    W = topologies.random_sparse(n, density=density, random_state=0)
    assert isinstance(W, sparse.csr_array)
    assert W.has_canonical_format
    assert (np.diff(W.indptr) == n_in).all()
    assert np.abs(W.data).max() <= 1
    dense = topologies.random_dense(n, density=density, random_state=0)
    assert isinstance(dense, np.ndarray)
    assert (np.count_nonzero(dense, axis=1) == n_in).all()


def test_random_connections_and_weights_are_uniform():
    W = topologies.random_sparse(1500, density=0.1, random_state=0)
    per_column = np.bincount(W.indices, minlength=1500)
    assert abs(per_column.mean() - 150) < 1e-9
    np.testing.assert_allclose(per_column.var(), 1500 * 0.1 * 0.9, rtol=0.15)
    assert abs(W.data.mean()) < 5 * np.sqrt(1 / 3 / W.nnz)
    np.testing.assert_allclose(W.data.var(), 1 / 3, rtol=0.02)


def test_every_set_of_connections_is_as_likely_as_any_other():
    rng = np.random.RandomState(0)
    for draw in (_random._by_keys, _random._by_floyd):
        chosen = np.sort(draw(rng, 20_000, 6, 3), axis=1)
        _, counts = np.unique(chosen, axis=0, return_counts=True)
        assert counts.size == 20
        assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 degrees, 0.1 %


@pytest.mark.parametrize("density", [0, -0.1, 1.5, np.nan])
def test_density_out_of_range_is_refused(density):
    for name in WITH_DENSITY:
        with pytest.raises(ValueError, match="density"):
            NAMED[name](9, density=density)
    with pytest.raises(ValueError, match="density"):
        Reservoir(9, density=density).fit(X)


@pytest.mark.parametrize("topology", [*sorted(NAMED), np.eye(20), topologies.ring])
def test_density_is_honoured_or_refused(topology):
    named = isinstance(topology, str)
    model = Reservoir(20, topology=topology, density=0.2, spectral_radius=None)
    if named and topology in WITH_DENSITY:
        W = model.fit(X).recurrent_weights_
        off_diagonal = (W != 0).sum() - np.count_nonzero(W.diagonal())
        if topology == "antisymmetric":  # counts what is outside the diagonal
            assert off_diagonal == round(0.2 * 20 * 19)
        elif topology == "scale_free":  # whole attachments
            assert abs(off_diagonal / 400 - 0.2) < 1 / 20
        else:
            assert (W != 0).sum() == 80
    else:
        with pytest.raises(ValueError, match=r"density=0\.2"):
            model.fit(X)


def test_random_is_dense_where_that_is_faster():
    assert sparse.issparse(topologies.NAMED["random"](100, random_state=0))
    assert isinstance(topologies.NAMED["random"](20, random_state=0), np.ndarray)
    assert isinstance(topologies.NAMED["random"](100, density=0.9), np.ndarray)


# ---- randomness -------------------------------------------------------------------------------


def weights(**parameters):
    fitted = Reservoir(20, bias_scaling=1.0, **parameters).fit(X)
    W = fitted.recurrent_weights_
    W = W.toarray() if sparse.issparse(W) else W
    return {"recurrent": W, "input": fitted.input_weights_, "bias": fitted.bias_}


@pytest.mark.parametrize("topology", sorted(set(NAMED) - NILPOTENT))
def test_same_seed_same_bits(topology):
    one, two, other = (weights(topology=topology, random_state=seed) for seed in (5, 5, 6))
    for name, matrix in one.items():
        np.testing.assert_array_equal(matrix, two[name])
    assert np.abs(one["input"] - other["input"]).max() > 0.1
    fixed = topology in WITHOUT_A_DRAW
    assert (np.abs(one["recurrent"] - other["recurrent"]).max() == 0) == fixed


@pytest.mark.parametrize(
    ("changed", "change"),
    [
        ("input", {"input_weights": "gaussian"}),
        ("input", {"input_weights": np.ones((20, 2))}),
        ("input", {"input_scaling": 3.0}),
        ("bias", {"bias": np.ones(20)}),
        ("recurrent", {"density": 0.7}),
        ("recurrent", {"topology": "orthogonal"}),
        ("recurrent", {"spectral_radius": 0.1}),
    ],
)
def test_changing_one_matrix_leaves_the_others(changed, change):
    before, after = weights(random_state=1), weights(random_state=1, **change)
    for name in before:
        same = np.array_equal(before[name], after[name])
        assert same == (name != changed), name


def test_the_matrices_of_one_seed_are_not_the_same_numbers():
    W = weights(random_state=0, topology="random_dense", spectral_radius=None)
    recurrent, given, bias = (W[name].ravel() for name in ("recurrent", "input", "bias"))
    assert len({*recurrent.tolist(), *given.tolist(), *bias.tolist()}) == 400 + 40 + 20


def test_random_state_none_and_instances():
    assert np.abs(weights()["input"] - weights()["input"]).max() > 0
    shared = np.random.RandomState(0)
    first, second = weights(random_state=shared), weights(random_state=shared)
    assert np.abs(first["input"] - second["input"]).max() > 0
    again = weights(random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(again["recurrent"], first["recurrent"])
    with pytest.raises(ValueError, match="random_state"):
        weights(random_state="seed")


def test_input_weights_follow_their_distribution():
    many = np.zeros((2, 3))

    def draw(kind, scaling=1.0):
        model = Reservoir(3000, topology="ring", input_weights=kind, input_scaling=scaling)
        return model.set_params(random_state=0).fit(many).input_weights_

    uniform, signs, normal = draw("uniform"), draw("bernoulli"), draw("gaussian")
    assert np.abs(uniform).max() <= 1
    np.testing.assert_allclose(uniform.var(), 1 / 3, rtol=0.05)
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 5 / np.sqrt(9000)
    np.testing.assert_allclose(normal.var(), 1, rtol=0.08)
    scaled = draw("uniform", [0.5, 1.0, 0.0])
    np.testing.assert_array_equal(scaled, uniform * [0.5, 1.0, 0.0])
    np.testing.assert_array_equal(draw(np.ones((3000, 3)), 2.0), np.full((3000, 3), 2.0))
