"""Layers that run on their own output, compiled, against the open loop fed by hand."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from filters.timeseries import DivergenceError
from reservoir import NVAR, ESNForecaster, ESNRegressor, MemoryRegressor, Reservoir

MIXED = {  # every form of W and of O somewhere
    "topology": ["random_sparse", "ring", "random_dense"],
    "residual": ["orthogonal", "identity", "permutation"],
    "residual_scaling": [0.9, None, 0.5],
    "leak_rate": [0.2, 0.7, 0.4],
    "bias_scaling": 0.3,
    "random_state": 0,
}


def waves(n=300, n_features=2):
    t = np.arange(n)[:, np.newaxis]
    return np.sin(t * [0.3, 0.21, 0.13][:n_features] + [0.0, 1.0, 2.0][:n_features])


@pytest.mark.parametrize("n_visible", [0, 3])
def test_layers_pass_through_the_states_of_the_open_loop_bit_for_bit(n_visible):
    """Two of three inputs fed back: the rows it made, driven openly, end in the same state."""
    rng = np.random.RandomState(0)
    memory = Reservoir([45, 7, 6], **MIXED).fit(waves(3, 3))
    coef, intercept = 0.1 * rng.randn(2, 58 + n_visible), rng.randn(2)
    inputs, start, last = rng.randn(40, 3), 0.3 * rng.randn(58), rng.randn(2)
    outputs, state, bad = memory._run_closed(coef, intercept, inputs, 1, n_visible, last, start)
    fed = inputs.copy()
    fed[:, 1:] = np.concatenate([last[np.newaxis], outputs[:-1]])
    states, end = memory.transform(fed, initial_state=start, return_state=True)
    assert bad == -1
    np.testing.assert_array_equal(state, end)
    columns = np.concatenate([states, fed[:, :n_visible]], axis=1)
    np.testing.assert_allclose(outputs, columns @ coef.T + intercept, rtol=1e-13, atol=1e-13)


def test_a_stack_of_one_layer_runs_as_that_layer_bit_for_bit():
    X = waves()
    plain = {"leak_rate": 0.6, "bias_scaling": 0.3, "alpha": 1e-6, "random_state": 0}
    one, listed = (ESNRegressor(n, **plain).fit(X[:-1], X[1:]) for n in (20, [20]))
    np.testing.assert_array_equal(listed.forecast(50), one.forecast(50))


def test_columns_known_in_advance_go_into_the_closed_loop_of_layers():
    X, exog = waves(), np.cos(0.1 * np.arange(320))[:, np.newaxis]
    network = ESNRegressor([15, 10], input_scaling=[0.5, 0.2], alpha=1e-6, random_state=0)
    model = ESNForecaster(network, transformer="passthrough").fit(X, exog=exog[:300])
    free = model.forecast(20, exog=exog[300:])
    inner, rows, state = model.estimator_, X[-1:], model.estimator_._end[1]
    for t in range(20):
        known = np.concatenate([rows, exog[300 + t : 301 + t]], axis=1)
        rows, state = inner.predict(known, initial_state=state, return_state=True)
        np.testing.assert_allclose(free[t], rows[0], rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # Python bodies, without the jit
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_layers_that_run_away_name_the_step():
    X = waves()
    wild = {"activation": "identity", "spectral_radius": 0.5, "random_state": 0}
    model = ESNRegressor([5, 4], alpha=1e-6, **wild).fit(X[:-1], 2 * X[1:])
    with pytest.raises(DivergenceError, match=r"forecast diverged at step \d+ of 9000") as raised:
        model.forecast(9000)
    step = raised.value.step
    assert np.isfinite(model.forecast(step)).all()
    with pytest.raises(DivergenceError):
        model.forecast(step + 1)


# ---- loops that go row by row name the step of the forecast, not of the row ---------------------


def test_a_monomial_that_runs_away_is_named_by_the_step_of_the_forecast():
    X = waves(60, 1)
    model = MemoryRegressor(NVAR(order=3), alpha=1e-9).fit(X[:-1], 3 * X[1:])
    with pytest.raises(DivergenceError, match=r"forecast diverged at step \d+ of 500") as raised:
        model.forecast(500)
    step = raised.value.step
    assert step > 1
    assert np.isfinite(model.forecast(step)).all()
    assert "monomial" in str(raised.value.__cause__)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_feedback_row_by_row_names_the_row_that_left_the_numbers():
    X, y = waves(80), waves(80)[:, 0]
    by_row = {"readout": Ridge(), "feedback_scaling": 0.5}
    net = {"activation": "identity", "spectral_radius": 0.5, "random_state": 0}
    model = ESNRegressor(6, **by_row, **net).fit(X, y)
    rows = np.tile(X, (2, 1))
    rows[97] = 1.7e308
    with pytest.raises(DivergenceError, match="97 rows after") as raised:
        model.predict(rows)
    assert raised.value.step == 97
    assert "step 0 of the 1 rows" in str(raised.value.__cause__)
