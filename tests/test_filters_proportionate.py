"""Proportionate NLMS against NLMS, a twin and what it is for: sparse responses."""

import naive
import numpy as np
import pytest
from filters_under_test import assert_adapt_alike, off_centre_problem
from scipy.signal import lfilter

from filters import NLMSFilter, ProportionateFilter


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("regularization", [0.0, 0.5, "auto"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_proportionality_minus_one_is_nlms(signal, regularization, fit_intercept):
    x, d = off_centre_problem(signal=signal)
    options = {"regularization": regularization, "fit_intercept": fit_intercept}
    one = ProportionateFilter(6, proportionality=-1, **options)
    other = NLMSFilter(6, **options)
    assert_adapt_alike(one, other, x, d, output_atol=1e-12, weights_atol=1e-13)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("proportionality", [-0.5, 0.0, 0.9, 1.0])
@pytest.mark.parametrize("masked", [False, True])
def test_proportionate_filter_equals_its_twin(signal, proportionality, masked):
    n = 100  # at 1 the gains multiply, and rounding grows with them
    x, d = off_centre_problem(n, signal=signal)
    mask = np.random.default_rng(1).random(n) < 0.7 if masked else None
    f = ProportionateFilter(4, proportionality=proportionality, regularization=0.2, store_weights=1)
    got = f.adapt(x, d, update_mask=mask)
    outputs, weights = naive.ipnlms(
        naive.delay_rows(x, 4), d, np.zeros(8), 0.5, np.full(n, 0.2), proportionality, mask=mask
    )
    np.testing.assert_allclose(got.output, outputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.weights.reshape(n, 8), weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("proportionality", [-1.0, 0.0, 0.9])
def test_unit_step_without_regularization_leaves_no_error_behind(proportionality):
    x, d = off_centre_problem(50)
    f = ProportionateFilter(
        4, proportionality=proportionality, step_size=1.0, regularization=0.0, fit_intercept=True
    )
    rows = naive.delay_rows(x, 4)
    for k in range(50):
        f.adapt(x[k : k + 1], d[k : k + 1])
        after = rows[k] @ f.coef_.ravel() + f.intercept_
        np.testing.assert_allclose(after, d[k], rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**30])
def test_rescaled_signals_leave_the_weights_alone(scale):
    x, d = off_centre_problem()
    f, g = ProportionateFilter(5), ProportionateFilter(5)
    np.testing.assert_array_equal(
        f.adapt(scale * x, scale * d).output, scale * g.adapt(x, d).output
    )
    np.testing.assert_array_equal(f.coef_, g.coef_)


def misalignment(make, plant, *, n=1500, n_runs=20):
    """Mean of |w - plant|^2 / |plant|^2 after n samples of white input at 30 dB."""
    total = 0.0
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(n)
        d = lfilter(plant, 1, x) + 10**-1.5 * np.linalg.norm(plant) * rng.standard_normal(n)
        total += np.sum((make().fit(x[:, None], d).coef_[0] - plant) ** 2) / np.sum(plant**2)
    return total / n_runs


def test_a_sparse_echo_path_is_learned_faster_than_by_nlms():
    rng = np.random.default_rng(0)
    plant = np.zeros(256)
    plant[60:72] = rng.standard_normal(12) * np.exp(-np.arange(12) / 4)
    nlms = misalignment(lambda: NLMSFilter(256), plant, n=800)
    found = [
        misalignment(lambda p=p: ProportionateFilter(256, proportionality=p), plant, n=800)
        for p in (-0.5, 0.0, 0.5)
    ]
    assert nlms > found[0] > found[1] > found[2]
    assert found[2] < 0.1 * nlms


def test_a_dense_response_takes_at_most_a_quarter_more_samples_than_by_nlms():
    plant = np.random.default_rng(0).standard_normal(64)
    nlms = misalignment(lambda: NLMSFilter(64), plant, n=400)
    assert misalignment(lambda: ProportionateFilter(64), plant, n=500) < nlms


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_changes_nothing(dtype):
    x = np.random.default_rng(0).standard_normal(2000).astype(dtype)
    f = ProportionateFilter(4)
    f.adapt(np.r_[x, np.zeros(4, dtype)], np.r_[x, np.zeros(4, dtype)])
    before = f.coef_.copy()
    silent = np.zeros(400_000, dtype)
    f.adapt(silent, silent + 1)
    np.testing.assert_array_equal(f.coef_, before)
    f.adapt(x, -x)
    np.testing.assert_allclose(f.coef_, [[-1, 0, 0, 0]], rtol=0, atol=1e-3)


@pytest.mark.parametrize("proportionality", [-1.1, 1.1, None])
def test_proportionality_out_of_range_is_refused(proportionality):
    with pytest.raises(ValueError, match="proportionality"):
        ProportionateFilter(proportionality=proportionality).fit(np.ones((5, 1)), np.ones(5))
