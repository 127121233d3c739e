"""Displays of gradient-trained networks: what is drawn is what was measured."""

import importlib.util
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from reservoir import EigenvalueDisplay, Reservoir, SaliencyDisplay, StatesDisplay, TrainingDisplay
from reservoir.baselines import (
    RNNForecaster,
    RNNRegressor,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    Seq2Seq,
)
from reservoir.baselines._inside import one_step_jacobian

N = 5


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows(n=12, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def fitted(cell="lstm", hidden_sizes=(N,), **parameters):
    """A network whose biases are far from zero."""
    X = rows(40)
    net = RNNRegressor(cell, hidden_sizes, max_iter=2, random_state=0, **parameters)
    net.fit(X, X)
    rng = np.random.RandomState(1)
    for layer in net.weights_:
        for part in layer if isinstance(layer, tuple) else (layer,):
            part["bias"][:] = rng.randn(part["bias"].size)
    return net


def points(display):
    return np.sort_complex(display.points_.get_xdata() + 1j * display.points_.get_ydata())


def spectrum(matrix):
    return np.sort_complex(np.linalg.eigvals(matrix) + 0j)


# ---- eigenvalues -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "gates", "candidate"),
    [("elman", "h", 0), ("lstm", "ifgo", 2), ("peephole_lstm", "ifgo", 2), ("gru", "zrh", 2)],
)
def test_eigenvalue_display_draws_the_block_of_a_gate(cell, gates, candidate):
    net = fitted(cell, (3, N))
    W = net.weights_[1]["recurrent"]
    assert W.shape == (len(gates) * N, N)
    for k, gate in enumerate(gates):
        display = EigenvalueDisplay.from_estimator(net, layer=-1, gate=gate)
        wanted = spectrum(W[k * N : (k + 1) * N])
        np.testing.assert_allclose(points(display), wanted, rtol=0, atol=1e-9)
        assert display.ax_.get_title() == f"spectral radius {np.abs(wanted).max():.3g}"
        if k == candidate:
            default = EigenvalueDisplay.from_estimator(net, layer=1)
            np.testing.assert_array_equal(default.eigenvalues, display.eigenvalues)


def test_eigenvalue_display_knows_directions_and_forecasters():
    net = fitted("elman", bidirectional=True)
    for backward in (False, True):
        display = EigenvalueDisplay.from_estimator(net, backward=backward)
        wanted = spectrum(net.weights_[0][backward]["recurrent"])
        np.testing.assert_allclose(points(display), wanted, rtol=0, atol=1e-9)
    forecaster = RNNForecaster("elman", (N,), max_iter=1, random_state=0)
    with pytest.raises(NotFittedError):
        EigenvalueDisplay.from_estimator(forecaster)
    forecaster.fit(rows(40))
    display = EigenvalueDisplay.from_estimator(forecaster)
    wanted = spectrum(forecaster.estimator_.weights_[0]["recurrent"])
    np.testing.assert_allclose(points(display), wanted, rtol=0, atol=1e-9)


def test_leaky_spectrum_of_an_elman_network_is_that_of_its_linearised_map():
    net = fitted("elman")
    # h = tanh(W h + b) at h = 0: the slope of unit i is 1 - tanh(b_i)^2
    W, b = net.weights_[0]["recurrent"], net.weights_[0]["bias"]
    wanted = (1 - np.tanh(b) ** 2)[:, None] * W
    np.testing.assert_allclose(one_step_jacobian(net), wanted, rtol=0, atol=1e-12)
    display = EigenvalueDisplay.from_estimator(net, leaky=True)
    np.testing.assert_allclose(points(display), spectrum(wanted), rtol=0, atol=1e-9)
    radius = np.abs(np.linalg.eigvals(wanted)).max()
    assert display.ax_.get_title() == f"effective spectral radius {radius:.3g}"


@pytest.mark.parametrize("cell", ["elman", "jordan", "lstm", "peephole_lstm", "gru"])
def test_one_step_jacobian_is_a_central_difference(cell):
    net = fitted(cell, (N,) if cell == "jordan" else (3, N))
    found, h = one_step_jacobian(net), 1e-6
    n = found.shape[0]
    assert n == {"jordan": 2, "lstm": 16, "peephole_lstm": 16}.get(cell, 8)
    X = np.zeros((1, 2))
    for j, direction in enumerate(np.eye(n) * h):
        up = net.predict(X, initial_state=direction, return_state=True)[1]
        down = net.predict(X, initial_state=-direction, return_state=True)[1]
        np.testing.assert_allclose(found[:, j], (up - down) / (2 * h), rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "asked", "message"),
    [
        ({}, {"layer": 1}, r"layer=1 is not there: the network has 1 layer"),
        ({}, {"gate": "h"}, r"gate='h' must be one of \('i', 'f', 'g', 'o'\)"),
        ({}, {"backward": True}, "needs layers of two directions"),
        ({"cell": "jordan"}, {}, "what recurs in a Jordan cell is the output"),
        ({"bidirectional": True}, {"leaky": True}, "no map from one step to the next"),
    ],
)
def test_eigenvalue_display_says_which_matrix_is_not_there(parameters, asked, message):
    with pytest.raises(ValueError, match=message):
        EigenvalueDisplay.from_estimator(fitted(**parameters), **asked)


def test_a_pair_of_networks_shows_its_decoder_and_has_no_single_map():
    X = np.random.RandomState(0).randn(10, 4, 2)
    net = Seq2Seq("gru", (N,), max_iter=1, random_state=0).fit(X, X)
    display = EigenvalueDisplay.from_estimator(net)
    wanted = spectrum(net.weights_[0]["recurrent"][2 * N :])
    np.testing.assert_allclose(points(display), wanted, rtol=0, atol=1e-9)
    with pytest.raises(TypeError, match="Seq2Seq is a pair of two"):
        EigenvalueDisplay.from_estimator(net, leaky=True)


# ---- states ------------------------------------------------------------------------------------


def test_states_display_draws_the_hidden_states_of_a_network():
    net = fitted("lstm", (3, N))
    display = StatesDisplay.from_estimator(net, rows(), units=[4, 0])
    states = net.transform(rows())
    for line, unit in zip(display.lines_, (4, 0), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), states[:, unit])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_display_of_a_case_network_draws_the_state_it_would_end_in(bidirectional):
    X = np.random.RandomState(0).randn(20, 9, 2)
    net = RNNSequenceRegressor("gru", (N,), max_iter=2, random_state=0, bidirectional=bidirectional)
    net.fit(X, X[:, 0])
    display = StatesDisplay.from_estimator(net, X[3], units=range(N))
    ends = np.array([net.transform(X[3:4, : t + 1])[0, :N] for t in range(9)])
    np.testing.assert_allclose(display.states, ends, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="fitted with 2 features a time step, the rows here have"):
        StatesDisplay.from_estimator(net, X[3, :, :1])


def test_states_display_needs_a_fitted_network():
    with pytest.raises(NotFittedError):
        StatesDisplay.from_estimator(RNNRegressor(), rows())


# ---- saliency ----------------------------------------------------------------------------------


def test_saliency_display_draws_the_derivatives_of_one_series():
    net = fitted("lstm")
    X = [rows(9), rows(6, seed=1)]
    display = SaliencyDisplay.from_estimator(net, X, case=1, output=1, step=-2)
    wanted = net.input_saliency(X[1], output=1, step=4)
    assert np.abs(wanted[:5]).min() > 0
    np.testing.assert_array_equal(display.image_.get_array(), wanted.T)
    assert display.image_.get_clim() == (-np.abs(wanted).max(), np.abs(wanted).max())
    assert display.step == 4
    assert display.step_line_.get_xdata()[0] == 4
    assert display.colorbar_.ax.get_ylabel() == "d output 1 / d input"
    panel = SaliencyDisplay.from_estimator(net, np.array([X[0], X[0] + 1]), case=-1)
    np.testing.assert_array_equal(panel.saliency, net.input_saliency(X[0] + 1))


def test_saliency_display_names_features_and_classes():
    X = pd.DataFrame(rows(40), columns=["drive", "load"])
    display = SaliencyDisplay.from_estimator(
        RNNRegressor("elman", (3,), max_iter=1, random_state=0).fit(X, X["load"]), X
    )
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["drive", "load"]
    cases = np.random.RandomState(0).randn(30, 8)
    net = RNNSequenceClassifier("gru", (3,), max_iter=2, random_state=0)
    net.fit(cases, np.where(cases[:, 0] > 0, "up", "down"))
    display = SaliencyDisplay.from_estimator(net, cases, case=7, output=1, feature_names=["x"])
    wanted = net.input_saliency(cases, output=1)[7]
    np.testing.assert_allclose(display.saliency[:, 0], wanted, rtol=0, atol=1e-14)
    assert display.colorbar_.ax.get_ylabel() == "d score of up / d input"
    assert display.step_line_.get_xdata()[0] == 7


def test_saliency_display_of_a_pair_of_networks_marks_no_step():
    X = np.random.RandomState(0).randn(10, 4, 2)
    net = Seq2Seq("gru", (N,), max_iter=1, random_state=0).fit(X, X[:, ::-1])
    display = SaliencyDisplay.from_estimator(net, X, case=2, step=1)
    wanted = net.input_saliency(X, step=1)[2]
    np.testing.assert_allclose(display.saliency, wanted, rtol=0, atol=1e-14)
    assert display.step_line_ is None


def test_saliency_display_refuses_what_it_cannot_draw():
    net = fitted()
    with pytest.raises(ValueError, match="case=2 is not there: X holds 2 series"):
        SaliencyDisplay.from_estimator(net, [rows(), rows()], case=2)
    with pytest.raises(TypeError, match=r"a network with input_saliency is needed.*got Reservoir"):
        SaliencyDisplay.from_estimator(Reservoir(5), rows())
    with pytest.raises(ValueError, match=r"got \(3, 2\) and feature_names \['a'\]"):
        SaliencyDisplay(saliency=np.zeros((3, 2)), feature_names=["a"]).plot()
    with pytest.raises(ValueError, match="saliency contains NaN"):
        SaliencyDisplay(saliency=[[np.nan]]).plot()
    nothing = SaliencyDisplay(saliency=np.zeros((3, 2))).plot()
    assert nothing.image_.get_clim() == (-1, 1)


# ---- training ----------------------------------------------------------------------------------


def test_training_display_draws_the_curves_that_training_left():
    X = rows(60)
    net = RNNRegressor(
        "elman", (4,), bptt_steps=20, early_stopping=True, clip_norm=0.7, max_iter=6, random_state=0
    ).fit(X, X)
    display = TrainingDisplay.from_estimator(net)
    np.testing.assert_array_equal(display.loss_line_.get_ydata(), net.loss_curve_)
    np.testing.assert_array_equal(display.loss_line_.get_xdata(), np.arange(1, 7))
    held = net.validation_loss_curve_
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), held)
    best = int(np.argmin(held))
    assert display.best_.get_label() == f"best, epoch {best + 1}"
    assert (display.best_.get_xdata()[0], display.best_.get_ydata()[0]) == (best + 1, held[best])
    np.testing.assert_array_equal(display.gradient_line_.get_ydata(), net.gradient_norms_)
    assert len(net.gradient_norms_) == 18  # 54 rows in windows of 20, 6 epochs
    np.testing.assert_allclose(display.gradient_line_.get_xdata(), np.arange(1, 19) / 3, rtol=1e-12)
    assert display.clip_line_.get_ydata()[0] == 0.7
    assert len(display.axes_) == 2


def test_training_display_leaves_out_what_is_not_there():
    X = rows(60)
    forecaster = RNNForecaster("gru", (4,), max_iter=3, clip_norm=None, random_state=0).fit(X)
    _, axes = plt.subplots()
    display = TrainingDisplay.from_estimator(forecaster, ax=axes)
    assert display.ax_ is axes
    np.testing.assert_array_equal(display.loss_line_.get_ydata(), forecaster.estimator_.loss_curve_)
    assert display.validation_line_ is display.best_ is display.gradient_line_ is None
    assert TrainingDisplay.from_estimator(forecaster).clip_line_ is None
    assert TrainingDisplay(loss=[1.0, 0.0]).plot().ax_.get_yscale() == "linear"
    assert TrainingDisplay(loss=[1.0, 0.1]).plot().ax_.get_yscale() == "log"


def test_training_display_needs_a_network_that_was_trained():
    with pytest.raises(TypeError, match=r"a network of reservoir\.baselines is needed, got Reserv"):
        TrainingDisplay.from_estimator(Reservoir(5).fit(rows()))
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(RNNRegressor())
    with pytest.raises(ValueError, match=r"loss must have .*, not empty"):
        TrainingDisplay.from_estimator(RNNRegressor("elman", (2,), max_iter=0).fit(rows(), rows()))
    with pytest.raises(ValueError, match="one value an epoch, 2; got shape"):
        TrainingDisplay(loss=[1.0, 2.0], validation_loss=[1.0]).plot()


# ---- without matplotlib ------------------------------------------------------------------------


def test_displays_of_networks_name_the_extra_where_matplotlib_is_missing(monkeypatch):
    net, find = fitted(), importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    extra = re.escape('needs matplotlib: pip install "reservoir-filters[report]"')
    for make in (
        lambda: SaliencyDisplay.from_estimator(net, rows()),
        lambda: SaliencyDisplay(saliency=rows()).plot(),
        lambda: TrainingDisplay.from_estimator(net),
        lambda: TrainingDisplay(loss=[1.0]).plot(),
    ):
        with pytest.raises(ImportError, match=f"Display.*{extra}"):
            make()
