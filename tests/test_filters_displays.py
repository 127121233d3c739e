"""Displays: what is drawn is what was measured, and nothing more."""

import importlib.util
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import signal

from filters import FilterAdaptationDisplay, LMSFilter, NLMSFilter, RLSFilter, SpectrumDisplay
from filters.theory import coherence_bound

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def system(n=1200, n_taps=3, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, n))
    if dtype is complex:
        x = x + 1j * rng.standard_normal(n)
    return x, signal.lfilter([1.0, -0.5, 0.25][:n_taps], 1, x) + 0.1 * noise


def panels(display):
    return [axes.get_ylabel() for axes in display.axes_]


# ---- adaptation ----------------------------------------------------------------------------------


def test_adaptation_display_draws_the_error_power_in_decibels():
    x, d = system()
    result = NLMSFilter(3).adapt(x, d)
    display = FilterAdaptationDisplay.from_result(result, window=9)
    wanted = [
        10 * np.log10(np.mean(result.error[max(t - 4, 0) : t + 5] ** 2)) for t in range(x.size)
    ]
    times, level = display.line_.get_data()
    np.testing.assert_allclose(level, wanted, rtol=1e-10)
    np.testing.assert_array_equal(times, np.arange(x.size))
    assert panels(display) == ["error power (dB re 1)"]
    assert display.ax_.get_xlabel() == "samples"
    assert display.ax_ is display.axes_[0]
    assert display.figure_ is display.ax_.figure


def test_adaptation_display_draws_every_weight_at_the_time_it_was_stored():
    x, d = system()
    filter = NLMSFilter(3, store_weights=50)
    result = filter.adapt(x, d)
    display = FilterAdaptationDisplay.from_result(result, store_weights=50, fs=100.0)
    assert panels(display) == ["error power (dB re 1)", "weights"]
    lines = display.axes_[1].lines
    assert [line.get_label() for line in lines] == ["$w_{0}$", "$w_{1}$", "$w_{2}$"]
    for k, line in enumerate(lines):
        np.testing.assert_array_equal(line.get_ydata(), result.weights[:, 0, k])
        np.testing.assert_allclose(line.get_xdata()[:2], [0.49, 0.99], rtol=1e-12)
    assert display.axes_[1].get_xlabel() == "time (s)"


def test_adaptation_display_of_an_estimator_adapts_a_clone():
    x, d = system()
    filter = LMSFilter(3, step_size=0.05).fit(x[:100, np.newaxis], d[:100])
    before = filter.coef_.copy()
    mask = np.arange(x.size) < 600
    display = FilterAdaptationDisplay.from_estimator(filter, x, d, update_mask=mask, window=1)
    np.testing.assert_array_equal(filter.coef_, before)
    fresh = LMSFilter(3, step_size=0.05, store_weights=2)
    result = fresh.adapt(x, d, update_mask=mask)
    np.testing.assert_array_equal(display.error, result.error)
    np.testing.assert_array_equal(display.weights, result.weights)
    assert filter.store_weights == 0
    kept = FilterAdaptationDisplay.from_estimator(RLSFilter(3, store_weights=400), x, d)
    assert kept.weights.shape == (3, 1, 3)


def test_adaptation_display_shows_a_step_size_that_is_given():
    x, d = system()
    steps = 1.0 / (1.0 + np.arange(x.size))
    display = FilterAdaptationDisplay.from_result(NLMSFilter(3).adapt(x, d), step_size=steps)
    assert panels(display) == ["error power (dB re 1)", "step size"]
    np.testing.assert_array_equal(display.axes_[1].lines[0].get_ydata(), steps)


def test_adaptation_display_of_several_channels_outputs_and_complex_weights():
    x, d = system(dtype=complex)
    display = FilterAdaptationDisplay.from_estimator(NLMSFilter(3), x, d)
    assert panels(display)[1] == "magnitude of weights"
    last = [line.get_ydata()[-1] for line in display.axes_[1].lines]
    np.testing.assert_allclose(last, np.abs(display.weights[-1, 0]), rtol=1e-12)
    real = np.random.default_rng(0).standard_normal((300, 2))
    display = FilterAdaptationDisplay.from_estimator(NLMSFilter(2), real, real)
    assert len(display.axes_[1].lines) == 8
    assert display.axes_[1].lines[-1].get_label() == "$w_{1,1,1}$"
    assert display.axes_[1].get_legend() is not None
    display = FilterAdaptationDisplay.from_estimator(NLMSFilter(9), real[:, :1], real[:, 0])
    assert display.axes_[1].get_legend() is None
    assert "9 weights" in display.axes_[1].get_title()


def test_adaptation_display_takes_axes():
    x, d = system()
    result = NLMSFilter(3, store_weights=1).adapt(x, d)
    _, own = plt.subplots()
    alone = FilterAdaptationDisplay.from_result(result, ax=own)
    assert alone.ax_ is own
    assert alone.axes_.shape == (1,)
    assert own.get_xlabel() == "samples"
    _, both = plt.subplots(1, 2)
    assert FilterAdaptationDisplay.from_result(result, ax=both).axes_[1] is both[1]
    _, three = plt.subplots(1, 3)
    with pytest.raises(ValueError, match=r"2 panel\(s\) to draw, ax holds 3 axes"):
        FilterAdaptationDisplay.from_result(result, ax=three)


def test_adaptation_display_of_a_silent_error_draws_nothing_there():
    error = np.r_[np.ones(10), np.zeros(10)]
    display = FilterAdaptationDisplay(error=error).plot(window=1)
    np.testing.assert_array_equal(np.isfinite(display.line_.get_ydata()), error > 0)
    display.figure_.canvas.draw()


def test_adaptation_display_refuses_what_does_not_fit():
    x, d = system()
    result = NLMSFilter(3, store_weights=10).adapt(x, d)
    with pytest.raises(ValueError, match="store_weights=1 do not give 120 rows"):
        FilterAdaptationDisplay.from_result(result)
    with pytest.raises(ValueError, match=r"step_size must have shape \(1200,\)"):
        FilterAdaptationDisplay.from_result(result, store_weights=10, step_size=[0.1])
    with pytest.raises(ValueError, match="error must have shape"):
        FilterAdaptationDisplay(error=[]).plot()


# ---- spectra -------------------------------------------------------------------------------------


def test_spectrum_display_draws_welch_densities_and_the_bound():
    reference, noise = np.random.default_rng(0).standard_normal((2, 8000))
    before, after = reference + 0.1 * noise, 0.2 * noise
    display = SpectrumDisplay.from_signals(
        before, after, reference=reference, fs=500.0, nperseg=128, unit="Pa"
    )
    frequencies, density = signal.welch(before, 500.0, nperseg=128)
    for line, wanted in zip(
        display.lines_,
        [
            10 * np.log10(density),
            10 * np.log10(signal.welch(after, 500.0, nperseg=128)[1]),
            10 * np.log10(density) - coherence_bound(reference, before, nperseg=128)[1],
        ],
        strict=True,
    ):
        np.testing.assert_array_equal(line.get_xdata(), frequencies)
        np.testing.assert_allclose(line.get_ydata(), wanted, rtol=1e-10)
    # White noise of variance s2 has the one-sided density 2 s2 / fs.
    middle = slice(5, -5)
    np.testing.assert_allclose(
        np.median(display.after_db[middle]), 10 * np.log10(2 * 0.04 / 500), atol=0.5
    )
    np.testing.assert_allclose(
        np.median(display.bound_db[middle]), 10 * np.log10(2 * 0.01 / 500), atol=0.5
    )
    assert display.ax_.get_xlabel() == "frequency (Hz)"
    assert "mV" not in display.ax_.get_ylabel()
    assert "1 Pa$^2$/Hz" in display.ax_.get_ylabel()


def test_spectrum_display_without_a_rate_is_per_sample():
    x = np.random.default_rng(0).standard_normal((1000, 1))
    display = SpectrumDisplay.from_signals(x, 0.5 * x)
    assert display.frequencies[-1] == 0.5
    assert display.ax_.get_xlabel() == "frequency (cycles per sample)"
    assert len(display.lines_) == 2
    np.testing.assert_allclose(display.before_db - display.after_db, 20 * np.log10(2), rtol=1e-9)


def test_spectrum_display_of_a_complex_signal_has_both_sides_in_order():
    n = np.arange(4096)
    tone = np.exp(-2j * np.pi * 0.25 * n)
    display = SpectrumDisplay.from_signals(tone, tone.real, reference=n % 7 - 3.0, nperseg=64)
    assert (np.diff(display.frequencies) > 0).all()
    assert display.frequencies[np.argmax(display.before_db)] == -0.25
    assert display.bound_db.shape == display.after_db.shape == (64,)


def test_spectrum_display_of_silence_and_on_given_axes():
    x = np.random.default_rng(0).standard_normal(600)
    _, own = plt.subplots()
    display = SpectrumDisplay.from_signals(x, np.zeros(600), ax=own)
    assert display.ax_ is own
    assert (display.after_db == -np.inf).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (np.ones(300), np.ones(299), "before has 300 samples, after 299"),
        (np.ones(100), np.ones(100), "at least nperseg=256"),
        (np.ones((300, 2)), np.ones(300), "before must be one signal"),
        (np.ones(300), np.r_[np.nan, np.ones(299)], "after contains NaN"),
    ],
)
def test_spectrum_display_refuses_what_it_cannot_compare(before, after, message):
    with pytest.raises(ValueError, match=message):
        SpectrumDisplay.from_signals(before, after)


# ---- without matplotlib --------------------------------------------------------------------------


def test_displays_name_the_extra_where_matplotlib_is_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    x, d = system()
    extra = re.escape('needs matplotlib: pip install "reservoir-filters[report]"')
    for make in (
        lambda: FilterAdaptationDisplay.from_estimator(NLMSFilter(3), x, d),
        lambda: FilterAdaptationDisplay.from_result(NLMSFilter(3).adapt(x, d)),
        lambda: SpectrumDisplay.from_signals(x, d),
    ):
        with pytest.raises(ImportError, match=f"Display.*{extra}"):
            make()


def test_importing_the_displays_does_not_import_matplotlib():
    code = "import sys, filters; filters.SpectrumDisplay; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
