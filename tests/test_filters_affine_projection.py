"""Affine projection against its identities and a twin that computes everything anew."""

import naive
import numpy as np
import pytest
from filters_under_test import assert_adapt_alike, off_centre_problem
from scipy.signal import lfilter

from filters import AffineProjectionFilter, NLMSFilter


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_taps", [2, 5, 9])
@pytest.mark.parametrize("order", [1, 2, 4, 7])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_affine_projection_equals_its_twin(signal, n_taps, order, fit_intercept, masked):
    x, d = off_centre_problem(signal=signal)
    mask = np.random.default_rng(1).random(300) < 0.7 if masked else None
    f = AffineProjectionFilter(
        n_taps, order=order, regularization=0.2, fit_intercept=fit_intercept, store_weights=1
    )
    got = f.adapt(x, d, update_mask=mask)
    outputs, weights, biases = naive.affine_projection(
        naive.delay_rows(x, n_taps),
        d,
        np.zeros(2 * n_taps),
        order,
        0.5,
        np.full(300, 0.2),
        fit_intercept=fit_intercept,
        mask=mask,
    )
    np.testing.assert_allclose(got.output, outputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.weights.reshape(300, -1), weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(f.intercept_, biases[-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", [2, 4])
def test_affine_projection_without_regularization_equals_its_twin(order):
    x, d = off_centre_problem(n_channels=1)
    got = AffineProjectionFilter(8, order=order, regularization=0.0).adapt(x, d).output
    rows = naive.delay_rows(x, 8)
    outputs, _, _ = naive.affine_projection(rows, d, np.zeros(8), order, 0.5, np.zeros(300))
    start = order + 8  # the first regressors are nearly dependent: both are rough there
    np.testing.assert_allclose(got[start:], outputs[start:], rtol=0, atol=1e-10)


def test_auto_regularization_is_that_of_nlms():
    x, d = off_centre_problem(1500)
    power = naive.running_mean(np.sum(x**2, axis=1), 1000)
    rows = naive.delay_rows(x, 4)
    outputs, _, _ = naive.affine_projection(rows, d, np.zeros(8), 3, 0.5, 4e-3 * power)
    got = AffineProjectionFilter(4, order=3).adapt(x, d).output
    np.testing.assert_allclose(got, outputs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("regularization", [0.0, 0.5, "auto"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_order_one_is_nlms(signal, regularization, fit_intercept):
    x, d = off_centre_problem(signal=signal)
    options = {"regularization": regularization, "fit_intercept": fit_intercept}
    one = AffineProjectionFilter(6, order=1, **options)
    other = NLMSFilter(6, **options)
    assert_adapt_alike(one, other, x, d, output_atol=1e-12, weights_atol=1e-13)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_unit_step_leaves_no_error_on_the_last_samples(signal, order, fit_intercept):
    x, d = off_centre_problem(120, signal=signal)
    f = AffineProjectionFilter(
        10, order=order, step_size=1.0, regularization=0.0, fit_intercept=fit_intercept
    )
    rows = naive.delay_rows(x, 10)
    for k in range(120):
        f.adapt(x[k : k + 1], d[k : k + 1])
        last = slice(max(0, k - order + 1), k + 1)
        after = rows[last] @ f.coef_.ravel() + f.intercept_
        np.testing.assert_allclose(after, d[last], rtol=0, atol=1e-10)


def test_several_outputs_are_several_filters():
    x, d = off_centre_problem()
    targets = np.column_stack([d, d[::-1]])
    both = AffineProjectionFilter(5).adapt(x, targets).output
    for o in range(2):
        alone = AffineProjectionFilter(5).adapt(x, targets[:, o]).output
        np.testing.assert_array_equal(both[:, o], alone)


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**30])
def test_rescaled_signals_leave_the_weights_alone(scale):
    x, d = off_centre_problem()
    f, g = AffineProjectionFilter(5), AffineProjectionFilter(5)
    np.testing.assert_array_equal(
        f.adapt(scale * x, scale * d).output, scale * g.adapt(x, d).output
    )
    np.testing.assert_array_equal(f.coef_, g.coef_)


def test_single_precision_stays_close_to_double():
    x, d = off_centre_problem(5000)
    f = AffineProjectionFilter(16, order=8)
    single = f.adapt(x.astype(np.float32), d.astype(np.float32)).output
    assert single.dtype == f.coef_.dtype == np.float32
    double = AffineProjectionFilter(16, order=8).adapt(x, d).output
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-3)


@pytest.mark.parametrize("regularization", [0.0, "auto"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_changes_nothing_and_signal_after_it_is_learned(regularization, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3000).astype(dtype)
    silent = np.zeros(400_000, dtype=dtype)
    d = lfilter([1.0, -0.5, 0.25], 1, x).astype(dtype)
    f = AffineProjectionFilter(8, regularization=regularization)
    f.adapt(silent[:100], silent[:100] + 1)
    assert not f.coef_.any()
    f.adapt(x, d)
    f.adapt(silent[:12], silent[:12])  # the delay line and the order
    before = f.coef_.copy()
    f.adapt(silent, silent + 1)  # so long that the mean power underflows
    np.testing.assert_array_equal(f.coef_, before)
    f.adapt(x, -d)
    np.testing.assert_allclose(f.coef_[0, :3], [-1.0, 0.5, -0.25], rtol=0, atol=1e-3)


def test_a_burst_is_forgotten():
    x, d = off_centre_problem(4000, 1)
    x[1000:1003] *= 1e8
    d = d.copy()
    d[1000:1003] = 0
    f = AffineProjectionFilter(8, regularization=0.1)
    f.adapt(x[:1500], d[:1500])
    coef = f.coef_.copy()
    fresh = AffineProjectionFilter(8, regularization=0.1, initial_weights=coef).clear_history()
    rest = f.adapt(x[1500:], d[1500:]).output
    expected = fresh.adapt(x[1500:], d[1500:]).output
    np.testing.assert_allclose(rest[500:], expected[500:], rtol=0, atol=1e-9)


@pytest.mark.parametrize("loud", [1e155, 1e200])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_samples_too_loud_to_square_are_left_out(loud, fit_intercept):
    x, d = off_centre_problem(200, 1)
    x[:2, 0] = loud, -loud / 3
    mask = np.ones(200, dtype=bool)
    mask[:9] = False  # as long as one of them is in the delay line
    options = {"order": 4, "regularization": 0.1, "fit_intercept": fit_intercept}
    got = AffineProjectionFilter(8, **options).adapt(x, d).output
    wanted = AffineProjectionFilter(8, **options).adapt(x, d, update_mask=mask).output
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("order", [3, 8])
def test_a_tone_without_regularization_stays_finite(order):
    x = np.sin(0.3 * np.arange(20_000))  # excites two directions, fewer than the order
    error = AffineProjectionFilter(16, order=order, regularization=0.0).adapt(x, 3 * x).error
    assert np.abs(error[-5000:]).max() < 1e-6


def test_higher_order_learns_faster_on_coloured_input():
    misalignment = {}
    for order in (1, 2, 8):
        total = 0.0
        for seed in range(10):
            rng = np.random.default_rng(seed)
            x = lfilter([1.0], [1.0, -0.9], rng.standard_normal(1500))
            plant = rng.standard_normal(32)
            f = AffineProjectionFilter(32, order=order).fit(x[:, None], lfilter(plant, 1, x))
            total += np.sum((f.coef_[0] - plant) ** 2) / np.sum(plant**2)
        misalignment[order] = total / 10
    assert misalignment[2] < 0.5 * misalignment[1]
    assert misalignment[8] < 0.1 * misalignment[2]


@pytest.mark.parametrize("n_taps", [1, 4])
def test_series_do_not_touch_each_other(n_taps):
    x, d = off_centre_problem(33)
    groups = np.repeat([0, 1], [30, 3])
    f = AffineProjectionFilter(n_taps).fit(x, d, groups=groups)
    g = AffineProjectionFilter(n_taps).fit(x[:30], d[:30]).clear_history()
    g.partial_fit(x[30:], d[30:])
    np.testing.assert_array_equal(f.coef_, g.coef_)
    joined = AffineProjectionFilter(n_taps).fit(x, d)
    assert np.abs(joined.coef_ - f.coef_).max() > 1e-3


def test_predictions_of_a_session_start_the_projection_anew():
    x, d = off_centre_problem(60, 1)
    session = AffineProjectionFilter(4, order=3, regularization=0.2).stream()
    session.learn_many(x[:30], d[:30])
    session.predict_many(x[30:35])
    got = session.learn_many(x[35:], d[35:])
    mask = np.ones(60, dtype=bool)
    mask[30:35] = False  # as long as the order: all samples before are out of reach
    outputs, _, _ = naive.affine_projection(
        naive.delay_rows(x, 4), d, np.zeros(4), 3, 0.5, np.full(60, 0.2), mask=mask
    )
    np.testing.assert_allclose(got, outputs[35:], rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")
def test_divergence_names_step_size_and_order():
    x, d = off_centre_problem(3000)
    with pytest.raises(ValueError, match=r"step_size=4.0, order=3 .* 0 < step_size < 2"):
        AffineProjectionFilter(4, order=3, step_size=4.0).fit(x, d)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_masked_samples_leave_the_weights_alone_to_the_bit(dtype, n_channels):
    x, d = off_centre_problem(
        200, n_channels, signal="complex" if dtype is np.complex128 else "real"
    )
    mask = np.random.default_rng(1).random(200) < 0.5
    f = AffineProjectionFilter(9, store_weights=1)
    weights = f.adapt(x.astype(dtype), d.astype(dtype), update_mask=mask).weights
    frozen = np.flatnonzero(~mask[1:]) + 1
    np.testing.assert_array_equal(weights[frozen], weights[frozen - 1])
    assert (weights[mask] != np.roll(weights, 1, axis=0)[mask]).any(axis=(1, 2)).all()
