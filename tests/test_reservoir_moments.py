"""Moments are those of all rows at once, and ridge on them is scikit-learn's."""

import pickle
import tracemalloc

import naive_reservoir as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgWarning
from sklearn.linear_model import LinearRegression, Ridge

from reservoir import ESNRegressor
from reservoir._moments import Moments, solve_ridge

NAMES = ("weight", "mean_x", "mean_y", "cxx", "cxy", "syy")


def rows(n=700, n_columns=6, n_outputs=2, seed=0, offset=0.0):
    rng = np.random.RandomState(seed)
    X = rng.randn(n, n_columns) @ rng.randn(n_columns, n_columns) + offset
    y = X[:, :n_outputs] * 0.5 + rng.randn(n, n_outputs) + offset
    return X, y


def gathered(X, y, weights=None, cuts=()):
    moments = Moments(X.shape[1], y.shape[1])
    for part in np.split(np.arange(len(X)), list(cuts)):
        moments.update(X[part], y[part], None if weights is None else weights[part])
    return moments


def values(moments):
    settled = moments.settled()
    upper = {"cxx": np.triu(settled.cxx)}
    return {name: upper.get(name, getattr(settled, name)) for name in NAMES}


def assert_same_bits(one, two):
    for name, value in values(one).items():
        np.testing.assert_array_equal(value, values(two)[name], err_msg=name)


def assert_close(one, expected, tolerance=1e-12):
    for name, value in one.items():
        exact = np.asarray(expected[name], dtype=float)
        exact = np.triu(exact) if name == "cxx" else exact
        scale = max(np.abs(exact).max(), 1.0)
        np.testing.assert_allclose(value, exact, rtol=0, atol=tolerance * scale, err_msg=name)


# ---- moments --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 1500])
@pytest.mark.parametrize("weighted", [False, True])
def test_streamed_moments_are_those_of_one_pass(n, weighted):
    X, y = rows(n)
    weights = np.random.RandomState(1).uniform(0.1, 3, n) if weighted else None
    assert_close(values(gathered(X, y, weights)), naive.moments(X, y, weights))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=12), st.booleans())
def test_any_chunking_gives_the_same_bits(cuts, weighted):
    X, y = rows()
    weights = np.random.RandomState(1).randint(3, size=700) * 0.5 if weighted else None
    assert_same_bits(gathered(X, y, weights, sorted(cuts)), gathered(X, y, weights))


def test_weight_zero_is_an_absent_row_bit_for_bit():
    X, y = rows()
    kept = np.random.RandomState(3).uniform(size=700) < 0.6
    X_bad = np.where(kept[:, None], X, np.nan)
    y_bad = np.where(kept[:, None], y, np.inf)
    zeroed = gathered(X_bad, y_bad, kept.astype(float), (10, 300))
    assert_same_bits(zeroed, gathered(X[kept], y[kept]))
    nothing = gathered(X, y, np.zeros(700))
    assert_same_bits(nothing, Moments(6, 2))


def test_whole_weights_are_repeated_rows():
    X, y = rows()
    times = np.random.RandomState(3).randint(4, size=700)
    weighted = values(gathered(X, y, times.astype(float)))
    assert_close(weighted, values(gathered(X.repeat(times, 0), y.repeat(times, 0))))
    assert weighted["weight"] == times.sum()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 699), st.integers(0, 699), st.integers(0, 2**31 - 1))
def test_merging_is_associative_and_equals_one_pass(i, j, seed):
    X, y = rows(seed=seed)
    i, j = sorted((i, j))
    a, b, c = (gathered(X[part], y[part]) for part in (slice(i), slice(i, j), slice(j, None)))
    left, right = a.merge(b).merge(c), a.merge(b.merge(c))
    assert_close(values(left), values(right))
    assert_close(values(left), naive.moments(X, y))
    assert_close(values(c.merge(a).merge(b)), naive.moments(X, y))


def test_a_fixed_tree_of_merges_gives_the_same_bits_wherever_its_leaves_were_made():
    X, y = rows(4000)
    parts = np.array_split(np.arange(4000), 4)
    leaves = [gathered(X[p], y[p]) for p in parts]
    sent = [pickle.loads(pickle.dumps(gathered(X[p], y[p], cuts=(7,)))) for p in parts[::-1]][::-1]
    before = [values(leaf) for leaf in leaves]
    tree = leaves[0].merge(leaves[1]).merge(leaves[2].merge(leaves[3]))
    assert_same_bits(sent[0].merge(sent[1]).merge(sent[2].merge(sent[3])), tree)
    assert_close(values(tree), naive.moments(X, y))
    for leaf, old in zip(leaves, before, strict=True):  # merge leaves its parts alone
        for name in NAMES:
            np.testing.assert_array_equal(values(leaf)[name], old[name])


def test_merging_with_nothing_changes_nothing():
    X, y = rows(300)
    full, empty = gathered(X, y), Moments(6, 2)
    assert_same_bits(full.merge(empty), full)
    assert_same_bits(empty.merge(full), full)


@pytest.mark.parametrize("cuts", [(), (1, 2, 300)])
def test_large_offsets_do_not_cancel(cuts):
    X, y = rows(3000)
    moved = values(gathered(X + 1e6, y - 1e6, cuts=cuts))
    exact = naive.moments(X + 1e6, y - 1e6)
    assert_close(moved, exact, 1e-11)
    naive_sum = ((X + 1e6).T @ (X + 1e6)) - 3000 * np.outer(*[(X + 1e6).mean(0)] * 2)
    assert np.abs(naive_sum - exact["cxx"]).max() > 1e-6 * np.abs(exact["cxx"]).max()


@pytest.mark.parametrize("weighted", [False, True])
def test_a_mean_of_a_million_deviations_costs_no_digits(weighted):
    X, y = rows(3000)
    weights = np.random.RandomState(1).uniform(0.1, 3, 3000) if weighted else None
    near = naive.moments(X, y, weights)
    moved = values(gathered(X + 1e6 * X.std(axis=0), y, weights, cuts=(300,)))
    for name in ("cxx", "cxy"):  # adding the mean rounds the rows themselves by 1e-10 deviations
        exact = np.triu(near[name]) if name == "cxx" else near[name]
        np.testing.assert_allclose(moved[name], exact, rtol=0, atol=3e-9 * np.abs(exact).max())


def test_first_rows_that_are_far_away_and_light_cost_no_digits():
    X, y = rows(3000)
    X[:300] -= 1e6
    weights = np.where(np.arange(3000) < 300, 1e-14, 1.0)
    assert_close(values(gathered(X, y, weights)), naive.moments(X, y, weights), 1e-11)


def test_float32_rows_are_summed_in_float64():
    X, y = (part.astype(np.float32) for part in rows(3000, offset=100.0))
    assert_close(values(gathered(X, y)), naive.moments(X, y), 1e-11)


def test_arrays_carry_everything_bit_for_bit():
    X, y = rows()
    first = gathered(X[:300], y[:300])
    second = Moments(6, 2)
    second.load(first.arrays())
    first.update(X[300:], y[300:])
    second.update(X[300:], y[300:])
    assert_same_bits(first, second)
    assert all(isinstance(value, np.ndarray) for value in first.arrays().values())


# ---- ridge ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e4])
def test_ridge_is_that_of_scikit_learn(alpha, n_outputs, weighted, fit_intercept):
    X, y = rows(n_outputs=n_outputs, offset=3.0)
    X = X * np.logspace(-2, 2, 6)  # columns of different size
    weights = np.random.RandomState(1).uniform(0, 3, 700) if weighted else None
    coef, intercept = solve_ridge(gathered(X, y, weights), alpha, fit_intercept)
    model = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd").fit(X, y, weights)
    expected = model.coef_.reshape(n_outputs, -1).T
    np.testing.assert_allclose(coef, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(intercept, model.intercept_, rtol=1e-8, atol=1e-9)
    twin = naive.ridge(X, y, alpha, weights, fit_intercept)
    np.testing.assert_allclose(coef, twin[0], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(intercept, twin[1], rtol=1e-8, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3))
def test_the_intercept_is_never_penalised(shift, alpha):
    X, y = rows()
    coef, intercept = solve_ridge(gathered(X, y), alpha)
    moved_coef, moved = solve_ridge(gathered(X, y + shift), alpha)
    np.testing.assert_allclose(moved_coef, coef, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(moved, intercept + shift, rtol=1e-8, atol=1e-7)
    everything = solve_ridge(gathered(X, y + shift), 1e30)
    np.testing.assert_allclose(everything[0], 0, rtol=0, atol=1e-20)
    np.testing.assert_allclose(everything[1], (y + shift).mean(0), rtol=1e-9, atol=1e-9)


def test_ridge_keeps_the_moments():
    X, y = rows()
    moments = gathered(X, y)
    before = values(moments)
    for fit_intercept in (True, False):
        solve_ridge(moments, 1.0, fit_intercept)
    for name in NAMES:
        np.testing.assert_array_equal(values(moments)[name], before[name])


def test_large_offset_costs_ridge_no_digits():
    X, y = rows(2000)
    coef, intercept = solve_ridge(gathered(X + 1e6, y), 1e-3)
    near, near_intercept = solve_ridge(gathered(X, y), 1e-3)
    np.testing.assert_allclose(coef, near, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(intercept, near_intercept - 1e6 * near.sum(0), rtol=1e-7)


# ---- singular -------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_repeated_columns_warn_with_the_condition_and_share_the_weight(fit_intercept):
    X, y = rows()
    X = np.hstack([X, X[:, :3]])
    with pytest.warns(LinAlgWarning, match=r"3 of 9 directions.*condition.*\d\.\de\+.*raise alpha"):
        coef, intercept = solve_ridge(gathered(X, y), 0.0, fit_intercept)
    exact = LinearRegression(fit_intercept=fit_intercept).fit(X, y)  # minimum norm
    np.testing.assert_allclose(coef, exact.coef_.T, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(intercept, exact.intercept_, rtol=1e-8, atol=1e-10)


def test_fewer_rows_than_columns_are_interpolated():
    X, y = rows(20, n_columns=50)
    with pytest.warns(LinAlgWarning, match="31 of 50"):
        coef, intercept = solve_ridge(gathered(X, y), 0.0)
    np.testing.assert_allclose(X @ coef + intercept, y, rtol=0, atol=1e-8)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1 / 3, 1e6 + 0.1, -1e-200])
def test_a_constant_column_gets_no_weight(constant):
    X, y = rows()
    X[:, 2] = constant
    others = [0, 1, 3, 4, 5]
    exact = naive.ridge(X[:, others], y, 0.0)
    with pytest.warns(LinAlgWarning, match="1 of 6 directions"):
        coef, intercept = solve_ridge(gathered(X, y), 0.0)
    np.testing.assert_allclose(coef[others], exact[0], rtol=1e-9)
    np.testing.assert_allclose(intercept, exact[1], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(coef[2], 0, rtol=0, atol=1e-12)
    coef, _ = solve_ridge(gathered(X, y), 1e-6)  # alpha > 0: nothing singular, nothing to warn of
    np.testing.assert_allclose(coef[2], 0, rtol=0, atol=1e-12)


def test_all_columns_constant_give_the_mean():
    X, y = np.ones((300, 3)), np.arange(300.0)[:, None]
    with pytest.warns(LinAlgWarning, match="3 of 3"):
        coef, intercept = solve_ridge(gathered(X, y), 0.0)
    np.testing.assert_array_equal(coef, 0)
    np.testing.assert_allclose(intercept, 149.5, rtol=1e-15)


@pytest.mark.parametrize("huge", ["X", "y"])
def test_squares_that_overflow_are_refused(huge):
    X, y = rows()
    X, y = (X * 1e200, y) if huge == "X" else (X, np.sign(y) * 1e308)
    with pytest.raises(ValueError, match="too large"):
        solve_ridge(gathered(X, y), 1e-6)


def test_a_singular_fit_warns_where_the_user_called():
    X, y = np.zeros((50, 1)), np.arange(50.0)
    with pytest.warns(LinAlgWarning) as record:
        model = ESNRegressor(5, alpha=0.0, random_state=0).fit(X, y)
    assert record[0].filename == __file__
    np.testing.assert_allclose(model.predict(X), 24.5, rtol=1e-12)


# ---- memory ---------------------------------------------------------------------------------


def peak_of_fit(n_rows):
    X = np.random.RandomState(0).uniform(-1, 1, (n_rows, 1))
    model = ESNRegressor(200, random_state=0)
    model.fit(X[:50], X[:50, 0])
    tracemalloc.start()
    model.fit(X, X[:, 0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.filterwarnings("ignore:the readout has:UserWarning")  # few rows on purpose
def test_peak_memory_of_fit_does_not_grow_with_the_states():
    short, long = peak_of_fit(20_000), peak_of_fit(200_000)
    a_row = (long - short) / 180_000
    assert a_row < 50  # bytes a row for copies and masks of y; a row of states is 1600
    assert short < 12e6


def test_arrays_hold_nothing_but_what_was_fed():
    moments = Moments(3, 1)
    moments.update(np.ones((5, 3)), np.ones((5, 1)))
    moments._rows[5:], moments._weights[5:] = np.nan, np.nan  # as memory that was never written
    assert all(np.isfinite(value).all() for value in moments.arrays().values())
