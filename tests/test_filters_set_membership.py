"""Set-membership NLMS is passive-aggressive regression, and rests within its bound."""

import naive
import numpy as np
import pytest
import sklearn
from filters_under_test import assert_adapt_alike
from sklearn.linear_model import SGDRegressor

from filters import NLMSFilter, SetMembershipFilter

HAS_PASSIVE_AGGRESSIVE_SGD = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)


def problem(n=300, n_channels=2, *, signal="real", noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_channels)) + 0.2
    d = naive.delay_rows(x, 3) @ rng.standard_normal(3 * n_channels)
    d = d + noise * rng.uniform(-1, 1, n)
    if signal == "complex":
        x, d = x * (1 + 2j), d * (0.5 - 1j) + 0.1j * rng.standard_normal(n)
    return x, d


def passive_aggressive(epsilon):
    settings = {"fit_intercept": False, "shuffle": False, "max_iter": 1, "tol": None}
    if HAS_PASSIVE_AGGRESSIVE_SGD:
        return SGDRegressor(
            loss="epsilon_insensitive",
            epsilon=epsilon,
            penalty=None,
            learning_rate="pa1",
            eta0=1e12,
            **settings,
        )
    from sklearn.linear_model import PassiveAggressiveRegressor

    return PassiveAggressiveRegressor(C=1e12, epsilon=epsilon, **settings)


@pytest.mark.parametrize("bound", [0.0, 0.1, 0.5, 2.0])
def test_set_membership_is_passive_aggressive_regression(bound):
    x, d = problem()
    f = SetMembershipFilter(4, error_bound=bound, regularization=0.0).fit(x, d)
    peer = passive_aggressive(bound).fit(naive.delay_rows(x, 4), d)
    np.testing.assert_allclose(f.coef_.ravel(), peer.coef_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("regularization", [0.5, "auto"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_bound_zero_is_nlms_with_unit_step(signal, regularization, fit_intercept):
    x, d = problem(signal=signal)
    options = {"regularization": regularization, "fit_intercept": fit_intercept}
    one = SetMembershipFilter(6, error_bound=0.0, **options)
    other = NLMSFilter(6, step_size=1.0, **options)
    assert_adapt_alike(one, other, x, d, output_atol=1e-12, weights_atol=1e-12)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_weights_move_only_where_the_error_leaves_the_bound_and_bring_it_there(
    signal, fit_intercept
):
    x, d = problem(signal=signal)
    mask = np.random.default_rng(1).random(300) < 0.8
    f = SetMembershipFilter(
        4, error_bound=0.5, regularization=0.0, fit_intercept=fit_intercept, store_weights=1
    )
    rows, before, updates = naive.delay_rows(x, 4), np.zeros(8), 0
    for k in range(300):
        part = slice(k, k + 1)
        error = f.adapt(x[part], d[part], update_mask=mask[part]).error[0]
        if mask[k] and abs(error) > 0.5:
            updates += 1
            after = d[k] - rows[k] @ f.coef_.ravel() - f.intercept_
            np.testing.assert_allclose(after, 0.5 * error / abs(error), rtol=0, atol=1e-12)
        else:
            np.testing.assert_array_equal(f.coef_.ravel(), before)
        before = f.coef_.ravel().copy()
    assert 0 < updates < mask.sum()
    assert f.update_rate_ == updates / mask.sum()


def test_update_rate_falls_when_the_plant_is_known():
    x, d = problem(5000, noise=0.1)
    f = SetMembershipFilter(3, error_bound=0.2).fit(x, d)
    assert f.update_rate_ < 0.05
    d_twice = np.column_stack([d, d])
    assert SetMembershipFilter(3, error_bound=0.2).fit(x, d_twice).update_rate_ == f.update_rate_
    after = f.adapt(x, d, update_mask=np.zeros(5000, dtype=bool))
    assert np.abs(after.error[3:]).max() < 0.5
    assert not hasattr(f.reset(), "update_rate_")


def test_rate_without_a_sample_to_learn_from_is_zero():
    f = SetMembershipFilter()
    f.adapt([1.0, 2.0], [1.0, 2.0], update_mask=[False, False])
    assert f.update_rate_ == 0.0


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**30])
def test_signals_and_bound_rescaled_together_leave_the_weights_alone(scale):
    x, d = problem()
    f = SetMembershipFilter(5, error_bound=0.2 * scale).fit(scale * x, scale * d)
    g = SetMembershipFilter(5, error_bound=0.2).fit(x, d)
    np.testing.assert_array_equal(f.coef_, g.coef_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_changes_nothing(dtype):
    x = np.random.default_rng(0).standard_normal(2000).astype(dtype)
    f = SetMembershipFilter(4, error_bound=1e-3)
    f.adapt(np.r_[x, np.zeros(4, dtype)], np.r_[x, np.zeros(4, dtype)])
    before = f.coef_.copy()
    silent = np.zeros(400_000, dtype)
    f.adapt(silent, silent + 1)
    np.testing.assert_array_equal(f.coef_, before)
    f.adapt(x, -x)
    np.testing.assert_allclose(f.coef_, [[-1, 0, 0, 0]], rtol=0, atol=1e-2)
