"""Named topologies: written-out matrices, degrees, symmetries and known eigenvalues."""

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components, shortest_path
from sklearn.base import clone

from reservoir import Reservoir, topologies
from reservoir.topologies import (
    NAMED,
    antisymmetric,
    block_diagonal,
    cycle_jumps,
    cyclic_diagonals,
    delay_line_feedback,
    double_cycle,
    forward_connection,
    permutation,
    scale_free,
    scale_spectral_norm,
    self_loops,
    small_world,
    spectral_norm,
    spectral_radius,
)

RANDOM = ["antisymmetric", "block_diagonal", "cyclic_diagonals", "permutation"]
RANDOM += ["random_sparse", "scale_free", "small_world"]


# ---- written out --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "written_out"),
    [
        (
            delay_line_feedback(5, weight=2, feedback_weight=3),
            [[0, 3, 0, 0, 0], [2, 0, 3, 0, 0], [0, 2, 0, 3, 0], [0, 0, 2, 0, 3], [0, 0, 0, 2, 0]],
        ),
        (
            double_cycle(5, weight=2, second_weight=3),
            [[0, 3, 0, 0, 2], [2, 0, 3, 0, 0], [0, 2, 0, 3, 0], [0, 0, 2, 0, 3], [3, 0, 0, 2, 0]],
        ),
        (
            self_loops(5, weight=2, loop_weight=3),
            [[3, 0, 0, 0, 2], [2, 3, 0, 0, 0], [0, 2, 3, 0, 0], [0, 0, 2, 3, 0], [0, 0, 0, 2, 3]],
        ),
        (
            forward_connection(5, weight=2),
            [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 2, 0, 0]],
        ),
        (
            cycle_jumps(5, weight=2, jump_weight=3, jump_size=3),
            [[0, 0, 0, 3, 2], [2, 0, 0, 0, 0], [0, 2, 0, 0, 0], [3, 0, 2, 0, 0], [0, 0, 0, 2, 0]],
        ),
        (
            cycle_jumps(5, weight=2, jump_weight=3, jump_size=2),
            [[0, 0, 3, 0, 2], [2, 0, 0, 0, 0], [3, 2, 0, 0, 3], [0, 0, 2, 0, 0], [0, 0, 3, 2, 0]],
        ),
        (  # two jumps of 2 make a full circle of 4: there and back is the same pair
            cycle_jumps(4, weight=2, jump_weight=3, jump_size=2),
            [[0, 0, 3, 2], [2, 0, 0, 0], [3, 2, 0, 0], [0, 0, 2, 0]],
        ),
        (double_cycle(2, weight=2, second_weight=3), [[0, 5], [5, 0]]),
        (double_cycle(1, weight=2, second_weight=3), [[5]]),
        (self_loops(1, weight=2, loop_weight=3), [[5]]),
        (delay_line_feedback(1), [[0]]),
        (forward_connection(2), [[0, 0], [0, 0]]),
    ],
)
def test_matrices_without_a_draw_are_the_written_out_ones(matrix, written_out):
    assert isinstance(matrix, sparse.csr_array)
    assert matrix.has_canonical_format
    np.testing.assert_array_equal(matrix.toarray(), written_out)


@pytest.mark.parametrize(
    ("n_units", "jump_size", "pairs"),
    [  # the two cases of Rodan and Tino's figure: 18 units, jumps that do and do not close
        (18, 3, [(0, 3), (3, 6), (6, 9), (9, 12), (12, 15), (15, 0)]),
        (18, 8, [(0, 8), (8, 16)]),
    ],
)
def test_jumps_are_those_of_the_paper(n_units, jump_size, pairs):
    W = cycle_jumps(n_units, jump_weight=7.0, jump_size=jump_size).toarray()
    jumps = {(int(i), int(j)) for i, j in np.argwhere(W == 7.0)}
    assert jumps == {*pairs, *((j, i) for i, j in pairs)}
    assert np.count_nonzero(W == 1.0) == n_units


@pytest.mark.parametrize(("n_units", "jump_size"), [(5, 1), (5, 4), (4, 3), (3, 2), (9, 0)])
def test_a_jump_that_is_none_is_refused(n_units, jump_size):
    with pytest.raises(ValueError, match=rf"jump_size={jump_size} must be from 2 to n_units - 2"):
        cycle_jumps(n_units, jump_size=jump_size)


# ---- eigenvalues --------------------------------------------------------------------------------


def test_chain_and_cycles_have_the_eigenvalues_of_the_formulas():
    chain = np.linalg.eigvals(delay_line_feedback(9, weight=2, feedback_weight=0.5).toarray())
    wanted = 2 * np.cos(np.arange(1, 10) * np.pi / 10)
    np.testing.assert_allclose(np.sort(chain.real), np.sort(wanted), rtol=0, atol=1e-12)
    turns = np.exp(2j * np.pi * np.arange(9) / 9)
    for matrix, wanted in (
        (double_cycle(9, weight=1.0, second_weight=0.3), turns + 0.3 / turns),
        (self_loops(9, weight=1.0, loop_weight=0.3), turns + 0.3),
    ):
        found = np.linalg.eigvals(matrix.toarray())
        nearest = np.abs(found[:, np.newaxis] - wanted).min(axis=0)
        np.testing.assert_allclose(nearest, 0, rtol=0, atol=1e-12)
        np.testing.assert_allclose(spectral_radius(matrix), 1.3, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_permutation_has_one_a_row_and_column_and_unit_eigenvalues(seed):
    W = permutation(40, random_state=seed).toarray()
    np.testing.assert_array_equal(W.sum(axis=0), np.ones(40))
    np.testing.assert_array_equal(W.sum(axis=1), np.ones(40))
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(W)), 1, rtol=1e-12)


@pytest.mark.parametrize("density", ["auto", 0.05, 1.0])
def test_antisymmetric_rotates_and_decays_by_the_diffusion(density):
    W = antisymmetric(30, diffusion=0.2, density=density, random_state=1).toarray()
    np.testing.assert_array_equal(W + W.T, -0.4 * np.eye(30))
    np.testing.assert_allclose(np.linalg.eigvals(W).real, -0.2, rtol=0, atol=1e-12)
    pairs = np.count_nonzero(np.tril(W, -1))
    assert pairs == {"auto": 150, 0.05: 22, 1.0: 435}[density]


def test_antisymmetric_reaches_every_pair():
    """Each pair below the diagonal has its own number, first and last row included."""
    seen = sum((antisymmetric(7, density=0.1, random_state=s) != 0).toarray() for s in range(300))
    below = seen[np.tril_indices(7, -1)]  # 2 of 21 pairs a draw
    assert below.min() > 10
    np.testing.assert_allclose(below.mean(), 300 * 2 / 21, rtol=1e-12)


# ---- degrees and paths --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "options", "k"), [(50, {}, 10), (7, {}, 7), (50, {"density": 1}, 50)]
)
def test_cyclic_diagonals_have_the_same_offsets_in_every_row(n, options, k):
    W = cyclic_diagonals(n, **options, random_state=0)
    assert W.has_canonical_format
    dense = W.toarray()
    rows = [np.roll(dense[i], -i) != 0 for i in range(n)]
    assert (np.array(rows) == rows[0]).all()
    assert rows[0].sum() == k
    assert (np.count_nonzero(dense, axis=0) == k).all()


def test_cyclic_offsets_and_weights_are_uniform():
    offsets = [cyclic_diagonals(9, n_diagonals=2, random_state=s)[[0]].indices for s in range(900)]
    counts = np.bincount(np.concatenate(offsets), minlength=9)
    np.testing.assert_allclose(counts, 200, rtol=0, atol=60)
    data = cyclic_diagonals(2000, random_state=0).data
    assert len(set(data.tolist())) == 20000
    np.testing.assert_allclose([data.mean(), data.var()], [0, 1 / 3], rtol=0.02, atol=0.02)


def test_small_world_between_lattice_and_random_graph():
    lattice = small_world(9, density=0.4, rewiring=0.0, random_state=0)
    for i in range(9):
        wanted = sorted((i + k) % 9 for k in (-2, -1, 1, 2))
        assert lattice[[i]].indices.tolist() == wanted
    for rewiring in (0.3, 1.0):
        W = small_world(60, density=0.1, rewiring=rewiring, random_state=0)
        assert W.has_canonical_format
        assert (np.diff(W.indptr) == 6).all()
        assert not W.diagonal().any()
        stays = sum((W[[i], [(i + k) % 60]] != 0).sum() for i in range(60) for k in (-1, 1, 2))
        assert (stays < 120) == (rewiring == 1.0)


def test_few_moved_connections_shorten_the_paths_and_keep_the_clusters():
    """What Watts and Strogatz found: at 5 % the paths are short and the clusters still there."""

    def facts(rewiring):
        A = (small_world(400, density=10 / 400, rewiring=rewiring, random_state=0) != 0).toarray()
        A = A.astype(float)
        closed = np.trace(A @ A @ A) / (A @ A).sum()
        return shortest_path(A, unweighted=True).mean(), closed

    (long, clustered), (short, still), (shortest, loose) = map(facts, (0.0, 0.05, 1.0))
    assert short < 0.35 * long
    assert still > 0.7 * clustered
    assert loose < 0.1 * clustered
    assert shortest < short


def test_a_small_world_that_is_almost_complete_can_be_rewired():
    W = small_world(6, density=5 / 6, rewiring=1.0, random_state=0)
    np.testing.assert_array_equal(W.toarray() != 0, ~np.eye(6, dtype=bool))


def test_scale_free_degrees_follow_the_power_law():
    W = scale_free(4000, random_state=0)
    A = (W != 0).toarray()
    assert (A == A.T).all()
    assert not A.diagonal().any()
    assert connected_components(W, connection="strong")[0] == 1
    degrees = A.sum(axis=1)
    assert degrees.min() == 5
    assert W.nnz == 5 * (2 * 4000 - 6)
    for k in (6, 10, 20, 50):  # share of units with k connections or more: m (m + 1) / (k (k + 1))
        share = 30 / (k * (k + 1))
        np.testing.assert_allclose((degrees >= k).mean(), share, atol=4 * np.sqrt(share / 4000))
    both = W.toarray()
    assert np.abs(np.corrcoef(both[A], both.T[A])[0, 1]) < 0.05


@pytest.mark.parametrize("density", [0.01, 0.2, 0.6, 0.98])
def test_scale_free_takes_the_nearest_density(density):
    W = scale_free(60, density=density, random_state=0)
    lowest = 2 * 59 / 3600  # one attachment each is a tree
    assert abs(W.nnz / 3600 - max(density, lowest)) < 1 / 60


@pytest.mark.parametrize("draw", [scale_free, small_world])
def test_density_without_self_loops_has_a_limit(draw):
    assert draw(1).nnz == 0
    assert draw(3, random_state=0).nnz == 6
    with pytest.raises(ValueError, match=r"without self-loops 9 units have at most 8"):
        draw(9, density=1.0)


def test_blocks_hear_only_themselves():
    W = block_diagonal(23, block_size=5, random_state=0)
    assert W.has_canonical_format
    block = np.arange(23) // 5
    np.testing.assert_array_equal(W.toarray() != 0, block[:, np.newaxis] == block)
    assert connected_components(W, connection="strong")[0] == 5
    radii = [np.abs(np.linalg.eigvals(W.toarray()[i : i + 5, i : i + 5])).max() for i in (0, 5, 20)]
    assert spectral_radius(W) >= max(radii) * (1 - 1e-12)


@pytest.mark.parametrize("name", RANDOM)
def test_random_topologies_are_stored_in_order_and_bounded(name):
    W = NAMED[name](33, random_state=0)
    assert isinstance(W, sparse.csr_array)
    assert W.has_canonical_format
    assert np.abs(W.data).max() <= 1
    signs = W.data[W.data < 0].size / W.nnz
    assert name == "permutation" or 0.3 < signs < 0.7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cyclic_diagonals(5, n_diagonals=0), "The 'n_diagonals' parameter .* Got 0"),
        (
            lambda: small_world(9, rewiring=1.2),
            r"The 'rewiring' parameter .* \[0.0, 1.0\]. Got 1.2",
        ),
        (lambda: small_world(9, rewiring=np.nan), "rewiring"),
        (lambda: antisymmetric(9, diffusion=-1.0), "The 'diffusion' parameter .* Got -1.0"),
        (lambda: antisymmetric(9, diffusion=np.nan), "diffusion"),
        (lambda: block_diagonal(9, block_size=0), "The 'block_size' parameter .* Got 0"),
    ],
)
def test_parameters_out_of_range_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- through Reservoir --------------------------------------------------------------------------


def test_other_parameters_go_through_a_partial():
    jumps = partial(cycle_jumps, jump_size=7, jump_weight=0.2)
    model = clone(Reservoir(30, topology=jumps, spectral_radius=None)).fit(np.zeros((3, 1)))
    assert abs(model.recurrent_weights_ - jumps(30)).max() == 0
    by_name = Reservoir(30, topology="cycle_jumps", spectral_radius=None).fit(np.zeros((3, 1)))
    assert abs(by_name.recurrent_weights_ - cycle_jumps(30)).max() == 0


def test_the_table_and_the_public_names_agree():
    for name, function in NAMED.items():
        assert getattr(topologies, name) is function
        assert function.__doc__
    assert set(topologies.WITH_DENSITY) <= set(NAMED)
    assert [*topologies.__all__] == sorted(topologies.__all__)


# ---- spectral norm ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(NAMED))
@pytest.mark.parametrize("scale", [1.0, 1e-160, 1e160])
def test_spectral_norm_is_the_largest_singular_value(name, scale):
    W = NAMED[name](12, random_state=0)
    dense = W if isinstance(W, np.ndarray) else W.toarray()
    wanted = np.linalg.svd(dense)[1].max()
    np.testing.assert_allclose(spectral_norm(W * scale) / scale, wanted, rtol=1e-12)
    scaled = scale_spectral_norm(W, 0.8)
    np.testing.assert_allclose(spectral_norm(scaled), 0.8, rtol=1e-12)
    assert type(scaled) is type(W)
    assert spectral_radius(scaled) <= 0.8 * (1 + 1e-12)


def test_large_norms_are_exact(monkeypatch):
    from reservoir.topologies import _norm, _radius

    W = topologies.random_sparse(220, random_state=0)
    wanted = np.linalg.norm(W.toarray(), 2)
    ring = topologies.ring(200, weight=0.7)
    monkeypatch.setattr(_norm, "_DENSE_UP_TO", 85)
    np.testing.assert_allclose(spectral_norm(ring), 0.7, rtol=1e-12)
    monkeypatch.setattr(_norm, "_dense_norm", None)  # Lanczos must do it alone
    for scale in (1.0, 1e-160, 1e160):  # whose squares are no numbers any more
        monkeypatch.setattr(_radius, "_remembered", {})
        np.testing.assert_allclose(spectral_norm(W * scale) / scale, wanted, rtol=1e-11)


def test_zero_has_no_norm_to_set():
    zero = np.zeros((3, 3))
    assert spectral_norm(zero) == 0.0
    assert not scale_spectral_norm(topologies.ring(3), 0).toarray().any()
    with pytest.raises(ValueError, match="every weight of the matrix is 0"):
        scale_spectral_norm(zero, 0.5)
    with pytest.raises(ValueError, match="square"):
        spectral_norm(np.zeros((2, 3)))


def test_a_norm_below_one_forgets_any_start():
    """|x - x'| shrinks by the norm a step, whatever the input: the echo state property."""
    W = scale_spectral_norm(topologies.delay_line(20), 0.9)
    model = Reservoir(20, topology=W, spectral_radius=None, random_state=0)
    X = np.random.RandomState(0).randn(60, 1)
    away = model.fit(X).transform(X, initial_state=np.ones(20)) - model.transform(X)
    sizes = np.linalg.norm(away, axis=1)
    assert (sizes <= 0.9 ** np.arange(1, 61) * np.sqrt(20) * (1 + 1e-12)).all()
