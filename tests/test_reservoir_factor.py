"""The triangular factor is that of all rows at once, and its ridge keeps the digits of an SVD."""

import warnings

import naive_reservoir as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgWarning
from sklearn.linear_model import LinearRegression, Ridge

from filters import TapDelay
from filters.timeseries import nrmse
from reservoir import ESNClassifier, ESNRegressor, MemoryRegressor
from reservoir._factor import TriangularFactor
from reservoir._moments import Moments
from reservoir.datasets import mackey_glass

KINDS = pytest.mark.parametrize("kind", [Moments, TriangularFactor])


def rows(n=700, n_columns=6, n_outputs=2, seed=0, offset=0.0):
    rng = np.random.RandomState(seed)
    X = rng.randn(n, n_columns) @ rng.randn(n_columns, n_columns) + offset
    return X, X[:, :n_outputs] * 0.5 + rng.randn(n, n_outputs) + offset


def ill_conditioned(n=3000, n_columns=60, seed=0):
    """Nine decades of singular values, columns of all of them, and targets without noise."""
    rng = np.random.RandomState(seed)
    left, _ = np.linalg.qr(rng.randn(n, n_columns))
    right, _ = np.linalg.qr(rng.randn(n_columns, n_columns))
    X = left * np.logspace(2, -7, n_columns) @ right.T + rng.randn(n_columns)
    return X, X @ rng.randn(n_columns, 2) + 0.3, rng.uniform(0.1, 3, n)


def gathered(X, y, weights=None, cuts=(), kind=TriangularFactor):
    sums = kind(X.shape[1], y.shape[1])
    for part in np.split(np.arange(len(X)), list(cuts)):
        sums.update(X[part], y[part], None if weights is None else weights[part])
    return sums


def gram(factor):
    """Products of the rows sqrt(w) [1, x, y]."""
    settled = factor.settled()
    R = settled.factor.copy()
    R[0, 1:] += R[0, 0] * settled.origin
    return R.T @ R


# ---- the factor -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 1500])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_factor_is_that_of_all_rows(n, weighted):
    X, y = rows(n)
    weights = np.random.RandomState(1).uniform(0, 3, n) * (np.arange(n) % 5 > 0)
    weights = weights + (np.arange(n) == 0) if weighted else np.ones(n)
    factor = gathered(X, y, weights if weighted else None)
    joined = np.sqrt(weights)[:, None] * np.column_stack([np.ones(n), X, y])
    exact = joined.T @ joined
    np.testing.assert_allclose(gram(factor), exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    np.testing.assert_allclose(factor.settled().weight, weights.sum(), rtol=1e-14)
    assert not np.tril(factor.settled().factor, -1).any()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=6))
def test_chunks_give_the_same_bits(cuts):
    X, y = rows()
    whole, cut = gathered(X, y), gathered(X, y, cuts=sorted(cuts))
    np.testing.assert_array_equal(cut.settled().factor, whole.settled().factor)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 700), st.integers(0, 700))
def test_merging_is_associative_and_is_the_factor_of_all_rows(a, b):
    X, y = rows()
    a, b = sorted((a, b))
    one, two, three = (gathered(X[s], y[s]) for s in (slice(0, a), slice(a, b), slice(b, 700)))
    left, right = one.merge(two).merge(three), one.merge(two.merge(three))
    exact = gram(gathered(X, y))
    for merged in (left, right):
        np.testing.assert_allclose(gram(merged), exact, rtol=0, atol=1e-13 * np.abs(exact).max())
        np.testing.assert_allclose(merged.weight, 700, rtol=1e-15)
    again = one.merge(two).merge(three)  # the same tree: the same bits, and nothing was changed
    np.testing.assert_array_equal(again.factor, left.factor)


# ---- ridge ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-10, 1e-6, 1e-2])
def test_ridge_keeps_the_digits_of_scikit_learns_svd(alpha, fit_intercept):
    X, y, weights = ill_conditioned()
    exact = Ridge(alpha=alpha, solver="svd", fit_intercept=fit_intercept).fit(X, y, weights)
    coef, intercept = gathered(X, y, weights).ridge(alpha, fit_intercept)
    np.testing.assert_allclose(coef, exact.coef_.T, rtol=0, atol=3e-9)
    np.testing.assert_allclose(intercept, exact.intercept_, rtol=0, atol=3e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        by_moments, _ = gathered(X, y, weights, kind=Moments).ridge(alpha, fit_intercept)
    lost = np.abs(by_moments - exact.coef_.T).max() / np.abs(coef - exact.coef_.T).max()
    assert lost > 1e3  # measured: 5e3 to 1e9


def test_the_planted_weights_come_back_without_a_penalty():
    X, y, weights = ill_conditioned()
    planted = np.linalg.lstsq(X - X.mean(0), y - y.mean(0), rcond=None)[0]
    coef, intercept = gathered(X, y, weights).ridge(0.0)
    np.testing.assert_allclose(coef, planted, rtol=0, atol=1e-5)
    np.testing.assert_allclose(X @ coef + intercept, y, rtol=0, atol=1e-12 * np.abs(y).max())


def test_columns_of_very_different_size_lose_nothing():
    X, y = rows()
    sizes = np.logspace(-12, 12, 6)
    coef, _ = gathered(X * sizes, y).ridge(0.0)
    np.testing.assert_allclose(coef * sizes[:, None], gathered(X, y).ridge(0.0)[0], rtol=1e-11)


def test_a_large_offset_costs_no_digits():
    X, y = rows(2000)
    coef, intercept = gathered(X + 1e6, y).ridge(1e-3)
    near, near_intercept = gathered(X, y).ridge(1e-3)
    np.testing.assert_allclose(coef, near, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(intercept, near_intercept - 1e6 * near.sum(0), rtol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_repeated_columns_share_the_weight(fit_intercept):
    X, y = rows()
    X = np.hstack([X, X[:, :3]])
    with pytest.warns(LinAlgWarning, match=r"3 of 9 directions.*condition.*raise alpha"):
        coef, intercept = gathered(X, y).ridge(0.0, fit_intercept)
    exact = LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(coef, exact.coef_.T, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(intercept, exact.intercept_, rtol=1e-9, atol=1e-11)


def test_fewer_rows_than_columns_are_interpolated():
    X, y = rows(20, n_columns=50)
    with pytest.warns(LinAlgWarning, match="31 of 50"):
        coef, intercept = gathered(X, y).ridge(0.0)
    np.testing.assert_allclose(X @ coef + intercept, y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, 1e6 + 0.1])
def test_a_constant_column_gets_no_weight(constant):
    X, y = rows(20_000)
    X[:, 2] = constant
    others = [0, 1, 3, 4, 5]
    exact = naive.ridge(X[:, others], y, 0.0)
    with pytest.warns(LinAlgWarning, match="1 of 6 directions"):
        coef, intercept = gathered(X, y).ridge(0.0)
    np.testing.assert_allclose(coef[others], exact[0], rtol=1e-9)
    np.testing.assert_allclose(intercept, exact[1], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(coef[2], 0, rtol=0, atol=1e-12)
    assert not np.abs(gathered(X, y).ridge(1e-6)[0][2]).any()


def test_a_column_of_rounding_errors_gets_no_weight():
    X, y = rows()
    X[:, 2] = 3.0 * (1.0 + 2e-16 * np.random.RandomState(1).randint(0, 3, len(X)))
    assert np.ptp(X[:, 2]) > 0
    for alpha in (1e-30, 1e-6):
        assert not np.abs(gathered(X, y).ridge(alpha)[0][2]).any()


def test_all_columns_constant_give_the_mean():
    X, y = np.ones((300, 3)), np.arange(300.0)[:, None]
    with pytest.warns(LinAlgWarning, match="3 of 3"):
        coef, intercept = gathered(X, y).ridge(0.0)
    np.testing.assert_array_equal(coef, 0)
    np.testing.assert_allclose(intercept, 149.5, rtol=1e-14)


@pytest.mark.parametrize("huge", ["X", "y"])
def test_rows_that_overflow_are_refused(huge):
    X, y = rows()
    X, y = (X * 1e200, y) if huge == "X" else (X, np.sign(y) * 1e308)
    with pytest.raises(ValueError, match="too large"):
        gathered(X, y).ridge(1e-6)


# ---- diagnosis ------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 1e-2, 1e3])
def test_degrees_of_freedom_and_condition_are_those_of_an_svd(kind, fit_intercept, alpha):
    X, y = rows(offset=1.0)
    X = X * [1, 2, 5, 0.1, 1, 30]
    weights = np.random.RandomState(1).uniform(0.5, 2, len(X))
    condition, freedom = gathered(X, y, weights, kind=kind).diagnose(alpha, fit_intercept)
    centred = X - (np.average(X, axis=0, weights=weights) if fit_intercept else 0.0)
    centred = centred * np.sqrt(weights)[:, None]
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    np.testing.assert_allclose(freedom, np.sum(values / (values + alpha)), rtol=1e-9)
    stacked = np.vstack([centred, np.sqrt(alpha) * np.eye(6)])
    exact = np.linalg.cond(stacked / np.linalg.norm(stacked, axis=0))
    assert exact / 6 <= condition <= 6 * exact  # the 1-norm is within sqrt(6) of the 2-norm


@KINDS
def test_repeated_and_constant_columns_are_no_freedom(kind):
    X, y = rows()
    X = np.hstack([X, X[:, :3], np.ones((len(X), 1))])
    diagnosis = gathered(X, y, kind=kind).diagnose(0.0)
    np.testing.assert_allclose(diagnosis.degrees_of_freedom, 6, rtol=1e-8)
    assert diagnosis.condition_number > 1e15
    assert abs(gathered(X, y, kind=kind).diagnose(1e-3).degrees_of_freedom - 6) < 1e-3


# ---- models ---------------------------------------------------------------------------------


def test_a_network_without_noise_forecasts_better():
    series = mackey_glass(1500, random_state=0)
    scores = []
    for solver in ("cholesky", "qr"):
        model = ESNRegressor(
            200, bias_scaling=0.3, alpha=1e-15, solver=solver, washout=100, random_state=0
        )
        if solver == "cholesky":
            with pytest.warns(LinAlgWarning, match="solver='qr'"):
                model.fit(series[:1000], series[1:1001])
        else:
            model.fit(series[:1000], series[1:1001])
        scores.append(nrmse(series[1101:], model.predict(series[:-1])[1100:]))
    assert scores[1] < scores[0] / 2  # measured: 1.1e-4 and 2.8e-4


def test_a_model_is_scikit_learns_ridge_on_the_same_columns():
    series = mackey_glass(1200, random_state=0)
    X, y = series[:-1], series[1:, 0].copy()
    y[300:350] = np.nan  # unlabelled
    weights = np.random.RandomState(0).uniform(0.5, 2, len(X))
    model = ESNRegressor(80, alpha=1e-11, solver="qr", washout=50, random_state=0)
    model.fit(X, y, weights)
    columns = np.hstack([model.reservoir_.transform(X), X])
    kept = np.isfinite(y) & (np.arange(len(y)) >= 50)
    exact = Ridge(alpha=1e-11, solver="svd").fit(columns[kept], y[kept], weights[kept])
    expected = exact.predict(columns)  # the start-up rows, never learned, are large
    np.testing.assert_allclose(model.predict(X)[50:], expected[50:], rtol=0, atol=1e-10)
    assert 1e5 < model.condition_number_ < 1e10
    assert 30 < model.effective_degrees_of_freedom_ < 81


@pytest.mark.parametrize("memory", ["taps", "esn", "classes"])
def test_parts_give_the_bits_of_one_fit(memory):
    X, y = naive.data(700)
    model = {
        "taps": MemoryRegressor(TapDelay(5), solver="qr"),
        "esn": ESNRegressor(10, solver="qr", random_state=0),
        "classes": ESNClassifier(10, solver="qr", random_state=0),
    }[memory]
    told = {"classes": [False, True]} if memory == "classes" else {}
    y = y > np.median(y) if memory == "classes" else y
    whole = model.fit(X, y).coef_
    del model._readout
    for part in np.split(np.arange(700), [100, 101, 480]):
        model.partial_fit(X[part], y[part], **told)
    np.testing.assert_allclose(model.coef_, whole, rtol=1e-9, atol=1e-12)


def test_readouts_that_are_not_ridge_have_no_diagnosis():
    X, y = naive.data(60)
    model = ESNRegressor(8, readout=Ridge(), random_state=0)
    assert not hasattr(model, "condition_number_")
    assert not hasattr(model.fit(X, y), "effective_degrees_of_freedom_")
    assert hasattr(model.set_params(readout=None).fit(X, y), "condition_number_")
