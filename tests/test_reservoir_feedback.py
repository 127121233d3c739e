"""Feedback weights that are given, and noise on the outputs that are fed in the fit."""

import naive_reservoir as naive
import numpy as np
import pytest

from reservoir import ESNClassifier, ESNRegressor, ESNRegressorCV
from reservoir._drawing import child_seeds

NET = {"leak_rate": 0.6, "bias_scaling": 0.4, "alpha": 1e-3, "random_state": 0}


def fed_states(reservoir, n_features, X, Y, noise=None):
    """States of one layer taught with the outputs of the row before, noise added to those."""
    W, W_in, b, leak, f = naive.matrices(reservoir)
    known = Y if noise is None else Y + noise
    before = np.concatenate([np.zeros((1, Y.shape[1])), known[:-1]])
    pre_fed = before @ W_in[:, n_features:].T
    return naive.drive(W, W_in[:, :n_features], b, leak, f, X, noise=pre_fed)


def drawn_noise(model, shape):
    seed = child_seeds(model.reservoir_.random_state)["feedback_noise"]
    return model.feedback_noise * np.random.RandomState(seed).standard_normal(shape)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_given_weights_are_used_as_they_are_times_the_scaling(n_outputs):
    X, Y = naive.data(200, n_outputs=n_outputs)
    weights = np.random.RandomState(5).randn(15, n_outputs)
    model = ESNRegressor(15, feedback_scaling=0.3, feedback_weights=weights, **NET).fit(X, Y)
    fed = model.reservoir_.input_weights_[:, 2:]
    np.testing.assert_allclose(fed, 0.3 * weights, rtol=1e-15)
    columns = np.hstack([fed_states(model.reservoir_, 2, X, Y), X])
    coef, intercept = naive.ridge(columns, Y, 1e-3)
    np.testing.assert_allclose(np.atleast_2d(model.coef_), coef.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-6, atol=1e-8)
    drawn = ESNRegressor(15, feedback_scaling=0.3, **NET).fit(X, Y).reservoir_
    np.testing.assert_array_equal(
        drawn.input_weights_[:, :2], model.reservoir_.input_weights_[:, :2]
    )


def test_weights_of_zero_are_no_feedback():
    X, y = naive.data(200)
    none = ESNRegressor(15, **NET).fit(X, y)
    zero = ESNRegressor(15, feedback_scaling=1.0, feedback_weights=np.zeros((15, 1)), **NET)
    np.testing.assert_allclose(zero.fit(X, y).predict(X), none.predict(X), rtol=1e-10, atol=1e-12)


def test_given_weights_go_into_the_first_of_several_layers():
    X, y = naive.data(100)
    weights = np.arange(9.0)[:, np.newaxis]
    model = ESNRegressor([9, 4], feedback_scaling=0.1, feedback_weights=weights, **NET).fit(X, y)
    np.testing.assert_allclose(model.reservoir_.input_weights_[0][:, 2:], 0.1 * weights)


@pytest.mark.parametrize("model_type", [ESNRegressor, ESNRegressorCV])
def test_noise_is_added_to_what_is_fed_and_to_nothing_else(model_type):
    """The readout learns y without noise from states that heard y with noise."""
    X, Y = naive.data(1500, n_outputs=2)  # more than the rows driven at once
    net = {key: value for key, value in NET.items() if key != "alpha"}
    choice = {"alpha": 1e-3} if model_type is ESNRegressor else {"alphas": [1e-3]}
    model = model_type(12, feedback_scaling=0.3, feedback_noise=0.2, **choice, **net).fit(X, Y)
    noise = drawn_noise(model, Y.shape)
    columns = np.hstack([fed_states(model.reservoir_, 2, X, Y, noise), X])
    coef, intercept = naive.ridge(columns, Y, 1e-3)
    np.testing.assert_allclose(model.coef_, coef.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-6, atol=1e-8)
    assert abs(noise.mean()) < 4 * 0.2 / np.sqrt(noise.size)
    np.testing.assert_allclose(noise.std(), 0.2, rtol=0.06)


def test_noise_inside_the_units_and_on_the_feedback_are_drawn_apart():
    X, Y = naive.data(300, n_outputs=1)
    both = ESNRegressor(12, feedback_scaling=0.3, feedback_noise=0.2, noise=0.1, **NET).fit(X, Y)
    seed = child_seeds(0)["noise"]
    inside = 0.1 * np.random.RandomState(seed).standard_normal((300, 12))
    W, W_in, b, leak, f = naive.matrices(both.reservoir_)
    known = Y + drawn_noise(both, Y.shape)
    before = np.concatenate([np.zeros((1, 1)), known[:-1]])
    states = naive.drive(W, W_in, b, leak, f, np.hstack([X, before]), noise=inside)
    coef, _ = naive.ridge(np.hstack([states, X]), Y, 1e-3)
    np.testing.assert_allclose(both.coef_, coef.T, rtol=1e-6, atol=1e-8)


def test_what_follows_the_fit_hears_no_noise():
    X, y = naive.data(300)
    model = ESNRegressor(12, feedback_scaling=0.3, feedback_noise=0.5, **NET).fit(X, y)
    end = fed_states(model.reservoir_, 2, X, y[:, np.newaxis])[-1]
    np.testing.assert_allclose(model._end[1], np.append(end, y[-1]), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.predict(X))


def test_chunks_draw_the_noise_of_one_fit():
    X, y = naive.data(300)
    parameters = {"feedback_scaling": 0.3, "feedback_noise": 0.1, **NET}
    whole = ESNRegressor(12, **parameters).fit(X, y)
    parts = ESNRegressor(12, **parameters)
    for a, b in ((0, 7), (7, 200), (200, 300)):
        parts.partial_fit(X[a:b], y[a:b])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-7, atol=1e-9)
    other = ESNRegressor(12, **{**parameters, "random_state": 1}).fit(X, y)
    assert np.abs(other.coef_ - whole.coef_).max() > 1e-3


def test_noise_teaches_a_generator_to_bear_its_own_errors():
    """A pulse that feeds itself: some of six seeds leave it, and none does that heard noise."""
    y = 0.5 * np.sin(0.2 * np.arange(1200)) ** 7
    X, worst = np.zeros((1200, 1)), {}
    net = {"feedback_scaling": 1.0, "alpha": 1e-9, "include_input": False, "washout": 100}
    for noise in (0.0, 1e-3):
        errors = []
        for seed in range(6):
            model = ESNRegressor(60, feedback_noise=noise, random_state=seed, **net)
            free = model.fit(X[:600], y[:600]).predict(X, y_context=y[:600])[600:]
            errors.append(np.sqrt(np.mean((free - y[600:]) ** 2)))
        worst[noise] = max(errors)
    assert worst[1e-3] < 0.1  # the pulse itself has 0.24
    assert worst[0.0] > 0.4


def test_labels_are_fed_with_noise_and_given_weights_too():
    X, y = naive.data(300)
    labels = y > 0
    weights = np.random.RandomState(1).randn(12, 2)
    model = ESNClassifier(
        12, feedback_scaling=0.2, feedback_weights=weights, feedback_noise=0.1, **NET
    ).fit(X, labels)
    one_hot = np.stack([~labels, labels], axis=1).astype(float)
    states = fed_states(model.reservoir_, 2, X, one_hot, drawn_noise(model, one_hot.shape))
    coef, _ = naive.ridge(np.hstack([states, X]), one_hot, 1e-3)
    np.testing.assert_allclose(model.coef_, coef.T, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"feedback_weights": np.ones((5, 1))}, "feedback_weights cannot be .*feedback_scaling=0"),
        ({"feedback_noise": 0.1}, r"feedback_noise=0\.1 cannot be honoured"),
        ({"feedback_noise": -0.1}, "'feedback_noise' parameter"),
        (
            {"feedback_scaling": 1.0, "feedback_weights": np.ones((4, 1))},
            r"feedback_weights must have shape \(5, 1\).*\(4, 1\)",
        ),
        (
            {"feedback_scaling": 1.0, "feedback_weights": np.full((5, 1), np.inf)},
            "feedback_weights contains NaN or infinity",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused(parameters, message):
    X, y = naive.data(30)
    with pytest.raises(ValueError, match=message):
        ESNRegressor(5, **parameters).fit(X, y)
