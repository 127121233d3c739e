"""Displays of reservoirs: what is drawn is what was measured."""

import importlib.util
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from filters import TapDelay
from filters.timeseries import valid_prediction_time
from reservoir import (
    EigenvalueDisplay,
    ESNForecaster,
    ESNRegressor,
    ForecastDisplay,
    MemoryCurveDisplay,
    Reservoir,
    StatesDisplay,
)
from reservoir.diagnostics import effective_spectral_radius, memory_capacity


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def series(n=120, n_features=1, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


# ---- states ------------------------------------------------------------------------------------


def test_states_display_draws_the_states_of_the_units_asked_for():
    reservoir = Reservoir(20).fit(series())
    display = StatesDisplay.from_estimator(reservoir, series(seed=1), units=[3, 0], dt=0.5)
    states = reservoir.transform(series(seed=1))
    for line, unit in zip(display.lines_, (3, 0), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), states[:, unit])
        np.testing.assert_array_equal(line.get_xdata(), 0.5 * np.arange(120))
        assert line.get_label() == f"unit {unit}"
    assert display.ax_.get_xlabel() == "time"
    assert display.ax_.get_legend() is not None


def test_states_display_takes_eight_units_unless_told():
    display = StatesDisplay.from_estimator(Reservoir(200, random_state=0), series())
    assert len(display.lines_) == 8
    assert (display.units[0], display.units[-1]) == (0, 199)
    assert len(StatesDisplay.from_estimator(TapDelay(3), series()).lines_) == 3
    many = StatesDisplay(states=np.zeros((5, 12))).plot()
    assert many.ax_.get_legend() is None
    assert many.ax_.get_xlabel() == "steps"


@pytest.mark.parametrize("units", [[20], [-1], [0.5], [], [[1]]])
def test_states_display_refuses_units_that_are_not_there(units):
    with pytest.raises(ValueError, match="units must be numbers from 0 to 19"):
        StatesDisplay.from_estimator(Reservoir(20), series(), units=units)


def test_states_display_refuses_arrays_that_do_not_fit():
    with pytest.raises(ValueError, match=r"one unit a column; got \(5, 2\) and units \[1\]"):
        StatesDisplay(states=np.zeros((5, 2)), units=[1]).plot()


# ---- eigenvalues -------------------------------------------------------------------------------


@pytest.mark.parametrize("topology", ["random_sparse", "random_dense"])
def test_eigenvalue_display_draws_the_spectrum(topology):
    reservoir = Reservoir(30, topology=topology, leak_rate=0.3, spectral_radius=0.8)
    reservoir.fit(series())
    display = EigenvalueDisplay.from_estimator(reservoir)
    W = reservoir.recurrent_weights_
    W = W if isinstance(W, np.ndarray) else W.toarray()
    drawn = display.points_.get_xdata() + 1j * display.points_.get_ydata()
    found, wanted = np.sort_complex(drawn), np.sort_complex(np.linalg.eigvals(W))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)
    assert display.ax_.get_title() == "spectral radius 0.8"
    np.testing.assert_allclose(np.hypot(*display.circle_.get_data()), 1.0, rtol=1e-12)
    leaky = EigenvalueDisplay.from_estimator(reservoir, leaky=True)
    # diag(1 - a) + a W moves every eigenvalue to 1 - a + a times itself.
    drawn = leaky.points_.get_xdata() + 1j * leaky.points_.get_ydata()
    np.testing.assert_allclose(
        np.sort_complex(drawn), np.sort_complex(0.7 + 0.3 * wanted), rtol=0, atol=1e-9
    )
    radius = effective_spectral_radius(reservoir)
    assert leaky.ax_.get_title() == f"effective spectral radius {radius:.3g}"


def test_eigenvalue_display_needs_a_reservoir():
    with pytest.raises(TypeError, match="reservoir must be a Reservoir, got TapDelay"):
        EigenvalueDisplay.from_estimator(TapDelay())


# ---- memory curve ------------------------------------------------------------------------------


def test_memory_curve_display_draws_the_profile_and_its_total():
    reservoir = Reservoir(10, random_state=0)
    options = {"n_timesteps": 3000, "random_state": 1}
    capacity = memory_capacity(reservoir, 15, **options)
    _, axes = plt.subplots()
    display = MemoryCurveDisplay.from_estimator(reservoir, 15, ax=axes, label="tanh", **options)
    np.testing.assert_array_equal(display.line_.get_ydata(), capacity.profile)
    np.testing.assert_array_equal(display.line_.get_xdata(), np.arange(16))
    assert display.line_.get_label() == f"tanh: total {capacity.total:.1f}"
    again = MemoryCurveDisplay.from_capacity(capacity, ax=axes)
    assert again.ax_ is display.ax_ is axes
    assert again.line_.get_label() == f"total {capacity.total:.1f}"
    dashed = MemoryCurveDisplay(profile=capacity.profile).plot(axes, ls="--", color="k")
    assert dashed.line_.get_linestyle() == "--"


# ---- forecast ----------------------------------------------------------------------------------


def test_forecast_display_marks_where_the_error_crosses_the_threshold():
    t = np.arange(300)
    truth = np.column_stack([np.sin(0.1 * t), np.cos(0.1 * t)])
    pred = truth + (0.002 * t)[:, None] ** 2
    arguments = {"threshold": 0.3, "dt": 0.1, "lyapunov_time": 2.0}
    display = ForecastDisplay.from_predictions(truth, pred, **arguments)
    wanted = valid_prediction_time(truth, pred, **arguments)
    assert 0 < wanted < 15
    assert display.valid_time_ == wanted
    assert len(display.axes_) == 2
    for i, axes in enumerate(display.axes_):
        drawn = {line.get_label(): line for line in axes.lines}
        np.testing.assert_array_equal(drawn["truth"].get_ydata(), truth[:, i])
        np.testing.assert_array_equal(drawn["forecast"].get_ydata(), pred[:, i])
        np.testing.assert_allclose(drawn["truth"].get_xdata(), t * 0.1 / 2, rtol=1e-12)
        assert drawn[f"error above 0.3 from {wanted:.3g}"].get_xdata()[0] == wanted
    assert display.axes_[1].get_xlabel() == "Lyapunov times"
    wide = ForecastDisplay.from_predictions(truth, pred, scale=[3.0, 3.0], **arguments)
    assert wide.valid_time_ == valid_prediction_time(truth, pred, scale=3.0, **arguments) > wanted


def test_forecast_display_of_a_perfect_forecast_marks_nothing():
    truth = np.sin(0.1 * np.arange(50))
    display = ForecastDisplay.from_predictions(truth, truth)
    assert display.valid_time_ == 50
    assert len(display.ax_.lines) == 2
    assert display.ax_.get_xlabel() == "steps"


def test_forecast_display_survives_a_forecast_that_ran_away():
    truth = np.sin(0.1 * np.arange(50))
    pred = np.where(np.arange(50) < 20, truth, np.inf)
    display = ForecastDisplay.from_predictions(truth, pred)
    assert display.valid_time_ == 20
    assert max(np.abs(display.ax_.get_ylim())) < 2
    display.figure_.canvas.draw()


@pytest.mark.parametrize("kind", ["forecaster", "regressor"])
def test_forecast_display_of_a_model_forecasts_the_last_rows(kind):
    X = np.sin(0.2 * np.arange(500))[:, None]
    if kind == "forecaster":
        model = ESNForecaster().fit(X[:300])
    else:
        model = ESNRegressor(30, random_state=0).fit(X[:299], X[1:300])
    display = ForecastDisplay.from_estimator(model, X[300:], 50, threshold=0.2)
    np.testing.assert_array_equal(display.y_pred, model.forecast(50, context=X[300:450]))
    np.testing.assert_array_equal(display.y_true, X[450:])
    np.testing.assert_allclose(display.scale, X[300:].std(axis=0), rtol=1e-12)
    with pytest.raises(ValueError, match="n_steps must be from 1 to 199, got 200"):
        ForecastDisplay.from_estimator(model, X[300:], 200)


# ---- without matplotlib ------------------------------------------------------------------------


def test_displays_name_the_extra_where_matplotlib_is_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    extra = re.escape('needs matplotlib: pip install "reservoir-filters[report]"')
    model = ESNForecaster().fit(series())
    for make in (
        lambda: StatesDisplay.from_estimator(Reservoir(5), series()),
        lambda: StatesDisplay(states=series()).plot(),
        lambda: EigenvalueDisplay.from_estimator(Reservoir(5)),
        lambda: EigenvalueDisplay(eigenvalues=[0.5]).plot(),
        lambda: MemoryCurveDisplay.from_estimator(Reservoir(5), 3),
        lambda: MemoryCurveDisplay(profile=[1.0]).plot(),
        lambda: ForecastDisplay.from_predictions(series(), series()),
        lambda: ForecastDisplay.from_estimator(model, series(), 5),
    ):
        with pytest.raises(ImportError, match=f"Display.*{extra}"):
            make()


def test_importing_the_displays_does_not_import_matplotlib():
    code = "import sys, reservoir; reservoir.StatesDisplay; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
