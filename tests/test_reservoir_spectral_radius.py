"""The spectral radius: found exactly, set exactly, refused where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence
from topology_matrices import NILPOTENT, WITHOUT_A_DRAW, X, by_numpy, random

from reservoir import ESNRegressor, Reservoir, topologies
from reservoir.topologies import NAMED, _radius, scale_spectral_radius, spectral_radius


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(_radius, "_remembered", {})


def shuffled(matrix, seed=0):
    order = np.random.RandomState(seed).permutation(matrix.shape[0])
    return matrix[order][:, order]


def complex_pair(n=41):
    """A rotation by an odd angle hidden in a random basis; the other eigenvalues are smaller."""
    turn = 0.97 * np.array([[np.cos(1.1), -np.sin(1.1)], [np.sin(1.1), np.cos(1.1)]])
    basis = linalg.qr(random(n))[0]
    return basis @ linalg.block_diag(turn, np.diag(np.linspace(-0.96, 0.96, n - 2))) @ basis.T


def reducible(n=40):
    """Block triangular with a huge block above the diagonal, which does not count."""
    W = linalg.block_diag(random(n // 2, 1), 3 * random(n // 2, 2))
    W[: n // 2, n // 2 :] = 1e3 * random(n // 2, 3)
    return shuffled(W)


MATRICES = {
    "one": random(1),
    "two": random(2),
    "two_complex": np.array([[0.1, -2.0], [3.0, 0.1]]),
    "random": random(60),
    "sparse": topologies.random_sparse(80, random_state=0),
    "complex_pair": complex_pair(),
    "ring": topologies.ring(50, weight=-0.7),
    "uneven_ring": shuffled(np.roll(np.diag(np.random.RandomState(0).uniform(0.1, 3, 30)), 1, 0)),
    "permutation": np.eye(45)[np.random.RandomState(4).permutation(45)],
    "orthogonal": topologies.orthogonal(30, random_state=0),
    "antisymmetric": random(30) - random(30).T,
    "block": sparse.block_diag([random(5), 2 * random(7, 1), random(1)], format="csr"),
    "reducible": reducible(),
    "positive": np.abs(random(25)),
    "small": 1e-150 * random(20),
    "large": 1e150 * random(20),
    "zero": np.zeros((4, 4)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_spectral_radius_is_that_of_all_eigenvalues(name):
    matrix = MATRICES[name]
    np.testing.assert_allclose(spectral_radius(matrix), by_numpy(matrix), rtol=1e-11, atol=0)
    for form in (sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix):
        np.testing.assert_allclose(spectral_radius(form(matrix)), by_numpy(matrix), rtol=1e-11)


@pytest.mark.parametrize("name", sorted(set(MATRICES) - {"zero"}))
@pytest.mark.parametrize("radius", [0.95, 1e-3, 7])
def test_scaling_sets_the_radius_exactly(name, radius):
    matrix = MATRICES[name]
    kept = matrix.copy()
    scaled = scale_spectral_radius(matrix, radius)
    np.testing.assert_allclose(by_numpy(scaled), radius, rtol=1e-10)
    assert type(scaled) is type(matrix)
    assert abs(matrix - kept).max() == 0


def test_spectral_radius_known_in_closed_form():
    np.testing.assert_allclose(spectral_radius(complex_pair()), 0.97, rtol=1e-13)
    weights = np.array([0.5, 4.0, 2.0, 0.25])
    np.testing.assert_allclose(
        spectral_radius(np.roll(np.diag(weights), 1, axis=0)), weights.prod() ** 0.25, rtol=1e-15
    )
    jordan = 0.5 * np.eye(60) + np.diag(np.ones(59), 1)
    assert spectral_radius(shuffled(jordan)) == 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**31 - 1), st.sampled_from([0.1, 0.3, 1.0]))
def test_spectral_radius_does_not_depend_on_names_sign_or_direction(n, seed, density):
    rng = np.random.RandomState(seed)
    W = rng.uniform(-1, 1, (n, n)) * (rng.uniform(size=(n, n)) < density)
    radius = spectral_radius(W)
    scale = {"rtol": 1e-6, "atol": 1e-300}  # multiple eigenvalues are known to half the digits
    np.testing.assert_allclose(spectral_radius(shuffled(W, seed)), radius, **scale)
    np.testing.assert_allclose(spectral_radius(-3 * W.T), 3 * radius, **scale)


# ---- more than 500 units: ARPACK ---------------------------------------------------------------


def test_large_sparse_radius_is_exact():
    """The eigenvalues of a Kronecker product are the products of eigenvalues."""
    left, right = (topologies.random_sparse(40, density=0.2, random_state=s) for s in (1, 2))
    W = sparse.csr_array(sparse.kron(left, right))
    assert connected_components(W, connection="strong")[0] == 1  # 1600 units in one part
    np.testing.assert_allclose(spectral_radius(W), by_numpy(left) * by_numpy(right), rtol=1e-10)
    scaled = scale_spectral_radius(W, 0.9)
    np.testing.assert_allclose(
        by_numpy(left) * by_numpy(right) * scaled.data[0] / W.data[0], 0.9, rtol=1e-10
    )


@pytest.fixture
def small_goes_to_arpack(monkeypatch):
    monkeypatch.setattr(_radius, "_DENSE_UP_TO", 85)


@pytest.mark.parametrize("seed", range(4))
def test_arpack_agrees_with_the_full_spectrum(seed, small_goes_to_arpack, monkeypatch):
    W = topologies.random_sparse(220, random_state=seed)
    monkeypatch.setattr(_radius, "_dense_radius", None)  # ARPACK must do it alone
    np.testing.assert_allclose(spectral_radius(W), by_numpy(W), rtol=1e-10)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_arpack_agrees_with_the_full_spectrum_of_every_topology(name, monkeypatch):
    """Complex pairs, real values, circles and gaps; a basis of 40 vectors leaves ARPACK work."""
    monkeypatch.setattr(_radius, "_DENSE_UP_TO", 20)
    monkeypatch.setattr(_radius, "_BASES", ((10, 40), (10, 40)))
    for seed in range(1 if name in WITHOUT_A_DRAW else 8):
        drawn = {} if name in WITHOUT_A_DRAW else {"random_state": seed}
        W = NAMED[name](140, **drawn)
        expected = 0.0 if name in NILPOTENT else by_numpy(W)
        np.testing.assert_allclose(spectral_radius(W), expected, rtol=1e-9, err_msg=str(seed))


@pytest.mark.parametrize("name", ["orthogonal", "two_way_ring", "antisymmetric"])
def test_arpack_copes_with_circles_of_eigenvalues(name, small_goes_to_arpack):
    ring = topologies.ring(100)
    matrix = {
        "orthogonal": topologies.orthogonal(100, random_state=1),
        "two_way_ring": sparse.csr_array(ring + ring.T),
        "antisymmetric": random(100) - random(100).T,
    }[name]
    np.testing.assert_allclose(spectral_radius(matrix), by_numpy(matrix), rtol=1e-10)


def test_arpack_gives_up_soon_and_lapack_steps_in(small_goes_to_arpack, monkeypatch):
    """A ring with a chord never converges: a limit that grows with n means hours of waiting."""
    asked = []

    def never(*args, **options):
        asked.append(options["maxiter"])
        raise ArpackNoConvergence("not yet", np.empty(0), np.empty((100, 0)))

    monkeypatch.setattr(_radius, "eigs", never)
    W = topologies.ring(100).tolil()
    W[0, 50] = 0.5
    np.testing.assert_allclose(spectral_radius(W.tocsr()), by_numpy(W), rtol=1e-11)
    assert asked[0] <= 1000


def test_a_wrong_eigenpair_is_noticed(small_goes_to_arpack, monkeypatch):
    def wrong(matrix, **options):
        return np.array([9.0]), np.ones((matrix.shape[0], 1))

    monkeypatch.setattr(_radius, "eigs", wrong)
    W = topologies.random_sparse(100, random_state=0)
    np.testing.assert_allclose(spectral_radius(W), by_numpy(W), rtol=1e-11)


def test_a_radius_is_solved_once_for_the_same_entries(monkeypatch):
    solved = []
    solve = _radius._solve

    def counted(rows):
        solved.append(rows.shape[0])
        return solve(rows)

    monkeypatch.setattr(_radius, "_solve", counted)
    monkeypatch.setattr(_radius, "_N_REMEMBERED", 2)
    first, second, third = (topologies.random_dense(6, random_state=s) for s in range(3))
    radius = spectral_radius(first)
    for radius_asked in (0.3, 0.9):
        scale_spectral_radius(first, radius_asked)
    assert spectral_radius(sparse.csr_array(first)) == radius
    assert len(solved) == 1
    changed = first.copy()
    changed[2, 3] = np.nextafter(changed[2, 3], 2.0)
    moved = sparse.csr_array(first)
    moved.indices[:2] = moved.indices[[1, 0]]  # the same numbers in other places
    np.testing.assert_allclose(spectral_radius(changed), by_numpy(changed), rtol=1e-12)
    np.testing.assert_allclose(spectral_radius(moved), by_numpy(moved), rtol=1e-12)
    assert len(solved) == 3
    for matrix in (second, third, first):  # only the last two are kept
        np.testing.assert_allclose(spectral_radius(matrix), by_numpy(matrix), rtol=1e-12)
    assert len(solved) == 6
    assert len(_radius._remembered) == 2


# ---- nilpotent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "matrix",
    [
        topologies.delay_line(100),
        shuffled(np.triu(random(60), 1)),
        sparse.csr_array(np.tril(random(30), -1)),
        topologies.delay_line(1),
        np.zeros((5, 5)),
    ],
)
def test_nilpotent_matrices_have_radius_zero_and_are_not_rescaled(matrix):
    assert spectral_radius(matrix) == 0.0
    n = matrix.shape[0]
    for topology in (matrix, lambda n_units, random_state: matrix):
        with pytest.raises(ValueError, match=r"nilpotent.*spectral_radius=None"):
            Reservoir(n, topology=topology).fit(X)
        as_given = Reservoir(n, topology=topology, spectral_radius=None).fit(X)
        assert abs(as_given.recurrent_weights_ - matrix).max() == 0
        off = Reservoir(n, topology=topology, spectral_radius=0).fit(X)
        assert abs(off.recurrent_weights_).max() == 0
    with pytest.raises(ValueError, match="nilpotent"):
        ESNRegressor(n, topology=matrix).fit(X, np.zeros(3))


def test_stored_zeros_make_no_cycle():
    matrix = sparse.csr_array((np.array([1.0, 0.0]), ([0, 1], [1, 0])), shape=(2, 2))
    assert matrix.nnz == 2
    assert spectral_radius(matrix) == 0.0


def test_entries_stored_twice_are_summed():
    """SciPy's search for strongly connected parts never ends on a matrix in this form."""
    data, columns, starts = np.array([1.0, 1.0, 3.0]), np.array([1, 1, 0]), np.array([0, 2, 3])
    matrix = sparse.csr_array((data, columns, starts), shape=(2, 2))
    assert matrix.nnz == 3
    np.testing.assert_allclose(spectral_radius(matrix), np.sqrt(6), rtol=1e-15)
    assert matrix.nnz == 3
    fitted = Reservoir(2, topology=matrix, spectral_radius=None).fit(X)
    np.testing.assert_array_equal(fitted.recurrent_weights_.toarray(), [[0, 2], [3, 0]])


@pytest.mark.parametrize(
    "bad",
    [np.ones((2, 3)), np.ones(4), np.ones((0, 0)), np.array([[np.nan]]), np.array([[np.inf]])],
)
def test_spectral_radius_refuses_what_has_none(bad):
    with pytest.raises(ValueError, match=r"square|NaN"):
        spectral_radius(bad)
