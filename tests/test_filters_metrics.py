"""Metrics against their formulas and scikit-learn."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error, r2_score

import filters.timeseries
from filters.timeseries import (
    erle_db,
    misalignment_db,
    mse,
    nmse,
    nrmse,
    snr_db,
    valid_prediction_time,
)

RELATIVE = [nmse, nrmse]
MEASURES = [mse, nmse, nrmse, snr_db, erle_db, misalignment_db, valid_prediction_time]


def pair(n=50, n_outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.standard_normal((n, n_outputs)) * [1.0, 5.0, 0.1][:n_outputs] + 2.0
    return true, true + 0.3 * rng.standard_normal((n, n_outputs))


weights = pytest.mark.parametrize("weight", [None, np.random.default_rng(9).uniform(0, 2, 50)])
outputs = pytest.mark.parametrize(
    ("multioutput", "theirs"), [("mean", "uniform_average"), ("raw", "raw_values")]
)


@weights
@outputs
def test_mse_is_that_of_scikit_learn(weight, multioutput, theirs):
    true, pred = pair()
    found = mse(true, pred, sample_weight=weight, multioutput=multioutput)
    wanted = mean_squared_error(true, pred, sample_weight=weight, multioutput=theirs)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@weights
@outputs
def test_nmse_is_one_minus_the_coefficient_of_determination(weight, multioutput, theirs):
    true, pred = pair()
    found = nmse(true, pred, sample_weight=weight, multioutput=multioutput)
    wanted = 1 - r2_score(true, pred, sample_weight=weight, multioutput=theirs)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_nrmse_divides_by_the_standard_deviation(n_outputs):
    true, pred = pair(n_outputs=n_outputs)
    each = np.sqrt(np.mean((true - pred) ** 2, axis=0)) / np.std(true, axis=0)
    np.testing.assert_allclose(nrmse(true, pred, multioutput="raw"), each, rtol=1e-13)
    np.testing.assert_allclose(nrmse(true, pred), np.sqrt(np.mean(each**2)), rtol=1e-13)
    mean = np.tile(true.mean(axis=0), (50, 1))
    np.testing.assert_allclose(nrmse(true, mean), 1.0, rtol=1e-13)


@pytest.mark.parametrize("metric", [mse, nmse, nrmse])
def test_errors_are_floats_and_zero_for_the_truth(metric):
    true, pred = pair(n_outputs=1)
    assert type(metric(true, pred)) is float
    assert metric(true, true) == 0.0
    assert metric(true[:, 0], pred[:, 0]) == metric(true, pred)
    assert metric(true.tolist(), pred.tolist()) == metric(true, pred)


@pytest.mark.parametrize("metric", [mse, nmse, nrmse])
def test_a_weight_of_two_is_a_row_twice_and_of_zero_no_row(metric):
    true, pred = pair()
    weight = np.tile([0.0, 1.0, 2.0, 1.0, 1.0], 10)
    twice = np.repeat(np.arange(50), weight.astype(int))
    found = metric(true, pred, sample_weight=weight)
    np.testing.assert_allclose(found, metric(true[twice], pred[twice]), rtol=1e-13)


@pytest.mark.parametrize("metric", [mse, nmse, nrmse, snr_db, erle_db])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_series_in_a_list_or_a_panel_are_all_their_rows(metric, n_outputs):
    true, pred = pair(n_outputs=n_outputs)
    wanted = metric(true, pred)
    cut = [13, 20]
    assert metric(np.split(true, cut), np.split(pred, cut)) == wanted
    panel = (5, 10, n_outputs)
    assert metric(true.reshape(panel), pred.reshape(panel)) == wanted


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    shift=st.floats(-10, 10),
)
def test_relative_errors_do_not_depend_on_unit_and_origin(seed, scale, shift):
    true, pred = pair(seed=seed)
    for metric in RELATIVE:
        moved = metric(scale * (true + shift), scale * (pred + shift))
        np.testing.assert_allclose(moved, metric(true, pred), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e300])
@pytest.mark.parametrize("n", [1, 3, 7, 100])
def test_a_constant_truth_is_refused_where_its_spread_would_divide(value, n):
    true = np.column_stack([np.arange(float(n)) if n > 1 else np.zeros(n), np.full(n, value)])
    pred = np.zeros((n, 2))
    first = 0 if n == 1 else 1
    for metric in RELATIVE:
        with pytest.raises(ValueError, match=f"y_true is constant in output {first}.* Use mse"):
            metric(true, pred)
    with pytest.raises(ValueError, match="y_true is constant in some output"):
        valid_prediction_time(true, pred)
    assert valid_prediction_time(true, true, scale=1.0) == n


def test_a_truth_that_is_constant_where_the_weight_is_not_zero_is_refused():
    with pytest.raises(ValueError, match="constant"):
        nmse([0.1, 0.1, 0.1, 5.0], np.zeros(4), sample_weight=[1.0, 2.0, 0.7, 0.0])


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        *((metric, ("y_true", "y_pred")) for metric in (mse, nmse, nrmse)),
        (snr_db, ("signal", "estimate")),
        (erle_db, ("desired", "error")),
    ],
)
@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([1.0, 2.0], [1.0], r"{0} and {1} .* shapes \(2, 1\) and \(1, 1\)"),
        ([[1.0, 2.0]], [1.0, 2.0], r"{0} and {1} .* shapes \(1, 2\) and \(2, 1\)"),
        ([], [], "empty"),
        ([1.0, np.nan], [1.0, 2.0], "{0} contains NaN"),
        ([1.0, 2.0], [1.0, np.inf], "{1} contains infinity: .* row 1"),
    ],
)
def test_metrics_refuse_what_cannot_be_compared(metric, names, true, pred, message):
    with pytest.raises(ValueError, match=message.format(*names)):
        metric(true, pred)


@pytest.mark.parametrize("metric", [mse, nmse, nrmse])
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 1.0], r"sample_weight must have shape \(3,\), got \(2,\)"),
        ([[1.0], [1.0], [1.0]], r"got \(3, 1\)"),
        ([1.0, np.nan, 1.0], "sample_weight contains NaN"),
        ([1.0, -1.0, 1.0], "must not be negative"),
        ([0.0, 0.0, 0.0], "nor zero throughout"),
    ],
)
def test_metrics_refuse_bad_weights(metric, weight, message):
    with pytest.raises(ValueError, match=message):
        metric([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], sample_weight=weight)


def test_metrics_refuse_an_unknown_average():
    with pytest.raises(ValueError, match='must be "mean" or "raw", got \'median\''):
        mse([1.0], [1.0], multioutput="median")


# ---- decibels ------------------------------------------------------------------------------------


def test_ratios_in_decibels():
    true, pred = pair()
    power, rest = np.sum(true**2), np.sum((true - pred) ** 2)
    np.testing.assert_allclose(snr_db(true, pred), 10 * np.log10(power / rest), rtol=1e-12)
    wanted = 10 * np.log10(power / np.sum(pred**2))
    np.testing.assert_allclose(erle_db(true, pred), wanted, rtol=1e-12)
    np.testing.assert_allclose(snr_db([3.0, 4.0], [3.0, 4.5]), 20.0, rtol=1e-14)
    np.testing.assert_allclose(erle_db([3.0, 4.0], [0.3, 0.4]), 20.0, rtol=1e-14)
    np.testing.assert_allclose(misalignment_db([3.0, 4.0], [3.0, 4.5]), -20.0, rtol=1e-14)
    np.testing.assert_allclose(misalignment_db([3j, 4.0], [3j, 4 + 0.5j]), -20.0, rtol=1e-14)
    assert misalignment_db([1.0, 2.0], [0.0, 0.0]) == 0.0


def test_ratios_to_nothing_are_infinite_and_of_nothing_refused():
    assert snr_db([1.0, 2.0], [1.0, 2.0]) == np.inf
    assert erle_db([1.0, 2.0], [0.0, 0.0]) == np.inf
    assert misalignment_db([1.0, 2.0], [1.0, 2.0]) == -np.inf
    for metric, name in [(snr_db, "signal"), (erle_db, "desired"), (misalignment_db, "true_weig")]:
        with pytest.raises(ValueError, match=f"{name}.* is zero throughout"):
            metric([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1, 2\)"):
        misalignment_db([1.0, 2.0], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="weights contains NaN"):
        misalignment_db([1.0, 2.0], [1.0, np.nan])


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e200])
def test_ratios_do_not_depend_on_the_unit(scale):
    true, rest = scale * np.array([3.0, 4.0]), scale * np.array([0.3, 0.4])
    np.testing.assert_allclose(snr_db(true, true + rest), 20.0, rtol=1e-12)
    np.testing.assert_allclose(erle_db(true, rest), 20.0, rtol=1e-12)
    np.testing.assert_allclose(misalignment_db(true, true - rest), -20.0, rtol=1e-12)
    np.testing.assert_allclose(snr_db([1e200, 1.0], [1e200, 2.0]), 4000.0, rtol=1e-12)


def test_metrics_of_complex_signals_count_both_parts():
    true, pred = np.array([3.0 + 4.0j, 1.0]), np.array([3.0 + 3.5j, 1.0])
    np.testing.assert_allclose(snr_db(true, pred), 10 * np.log10(26 / 0.25), rtol=1e-12)
    np.testing.assert_allclose(erle_db(true, 0.1j * true), 20.0, rtol=1e-12)
    np.testing.assert_allclose(mse(true, pred), 0.125, rtol=1e-12)
    np.testing.assert_allclose(nmse(true, pred), 0.125 / 5.0, rtol=1e-12)
    np.testing.assert_allclose(nrmse(1j * true, 1j * pred), np.sqrt(0.025), rtol=1e-12)
    with pytest.raises(ValueError, match="y_true contains NaN"):
        mse([1j, complex(0.0, np.nan)], [1j, 1j])


# ---- valid prediction time -----------------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("scale", [None, 0.7, "each"])
def test_valid_prediction_time_is_the_first_crossing(n_outputs, threshold, scale):
    rng = np.random.default_rng(0)
    true = rng.standard_normal((300, n_outputs)) * np.arange(1, n_outputs + 1)
    pred = true + 0.002 * np.arange(300)[:, np.newaxis] * rng.standard_normal((300, n_outputs))
    scale = np.arange(1.0, n_outputs + 1) if scale == "each" else scale
    sigma = true.std(axis=0) if scale is None else scale
    steps = 0
    while np.sqrt(np.mean(((true - pred)[steps] / sigma) ** 2)) <= threshold:
        steps += 1
    found = valid_prediction_time(
        true, pred, threshold=threshold, scale=scale, dt=0.02, lyapunov_time=1.1
    )
    assert 0 < steps < 300
    np.testing.assert_allclose(found, steps * 0.02 / 1.1, rtol=1e-14)


@pytest.mark.parametrize(
    ("pred", "steps"),
    [
        ([0.0, 1.0, 0.0, 1.0], 4),  # never crossed
        ([0.9, 1.0, 0.0, 1.0], 0),  # at the first step
        ([0.0, 1.0, 0.4, 1.0], 4),  # at the threshold is not beyond it
        ([0.0, 1.0, 0.41, 1.0], 2),
        ([0.0, 1.0, 0.0, 9.0], 3),
        ([0.0, 9.0, 0.0, 1.0], 1),  # coming back does not count
        ([np.nan, 1.0, 0.0, 1.0], 0),
        ([0.0, 1.0, np.nan, 1.0], 2),
        ([0.0, 1.0, np.inf, 1.0], 2),
        ([0.0, 1.0, -np.inf, np.nan], 2),
        ([0.0, 1.0, 1e300, 1.0], 2),
    ],
)
def test_valid_prediction_time_at_the_edges(pred, steps):
    true = np.array([0.0, 1.0, 0.0, 1.0])
    assert valid_prediction_time(true, pred, scale=1.0) == steps
    assert valid_prediction_time(true, pred, scale=1.0, dt=0.5, lyapunov_time=2.0) == steps / 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0.0}, "The 'threshold' parameter .* Got 0.0"),
        ({"threshold": np.nan}, "The 'threshold' parameter .* Got nan"),
        ({"dt": -1.0}, "The 'dt' parameter .* Got -1.0"),
        ({"lyapunov_time": 0.0}, "The 'lyapunov_time' parameter .* Got 0.0"),
        ({"scale": 0.0}, "scale must be positive, got 0.0"),
        ({"scale": [1.0, np.nan]}, "scale must be positive"),
    ],
)
def test_valid_prediction_time_refuses_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        valid_prediction_time(np.eye(2), np.eye(2), **options)


def test_valid_prediction_time_refuses_what_cannot_be_compared():
    with pytest.raises(ValueError, match=r"y_true has shape \(2, 2\), y_pred \(2, 1\)"):
        valid_prediction_time(np.eye(2), np.ones(2))
    with pytest.raises(ValueError, match="y_true contains NaN"):
        valid_prediction_time([1.0, np.nan], [1.0, 2.0])


# ---- documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", MEASURES, ids=lambda f: f.__name__)
def test_every_metric_prints_its_formula(metric):
    assert ".. math::" in metric.__doc__


def test_the_list_of_metrics_above_is_complete():
    functions = {
        name
        for name in filters.timeseries.__all__
        if inspect.isfunction(getattr(filters.timeseries, name))
        and getattr(filters.timeseries, name).__module__.endswith("_metrics")
    }
    assert functions == {f.__name__ for f in MEASURES}
