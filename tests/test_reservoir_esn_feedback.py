"""Echo state networks that hear their own output."""

import naive_reservoir as naive
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge

from filters import RLSFilter
from filters.timeseries import DivergenceError, nrmse
from reservoir import ESNClassifier, ESNRegressor
from reservoir.datasets import narma


def with_feedback(n=300, n_outputs=None, **parameters):
    X, y = narma(n, random_state=0)
    y = y if n_outputs is None else np.stack([y, 1 - y * y], axis=1)[:, :n_outputs]
    network = {"leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
    parameters = {"feedback_scaling": 0.4, "alpha": 1e-3, **network, **parameters}
    return X, y, ESNRegressor(20, **parameters)


def open_matrices(model):
    """W, W_in, W_fb, b and leak of a fitted network with feedback."""
    W, joined, b, leak, f = naive.matrices(model.reservoir_)
    return W, joined[:, : model.n_features_in_], joined[:, model.n_features_in_ :], b, leak, f


@pytest.mark.parametrize("n_outputs", [None, 2])
@pytest.mark.parametrize("include_input", [True, False])
def test_the_true_output_is_fed_back_while_teaching(include_input, n_outputs):
    X, y, model = with_feedback(n_outputs=n_outputs, include_input=include_input)
    model.fit(X, y)
    W, W_in, W_fb, b, leak, f = open_matrices(model)
    targets = y.reshape(300, -1)
    assert W_fb.shape == (20, targets.shape[1])
    assert np.abs(W_fb).max() <= 0.4
    fed = np.vstack([np.zeros((1, targets.shape[1])), targets[:-1]])
    Z = naive.drive(W, np.hstack([W_in, W_fb]), b, leak, f, np.hstack([X, fed]))
    Z = np.hstack([Z, X]) if include_input else Z
    coef, intercept = naive.ridge(Z, y, 1e-3)
    np.testing.assert_allclose(np.atleast_2d(model.coef_), coef.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.ravel(model.intercept_), intercept, rtol=1e-6)


@pytest.mark.parametrize("readout", [None, RLSFilter(delta=0.1), Ridge(1e-3)])
@pytest.mark.parametrize("n_outputs", [None, 2])
def test_its_own_output_is_fed_back_in_predict(n_outputs, readout):
    X, y, model = with_feedback(n_outputs=n_outputs, readout=readout)
    model.fit(X, y)
    W, W_in, W_fb, b, leak, f = open_matrices(model)
    linear = model if readout is None or not isinstance(readout, Ridge) else model.readout_
    coef, intercept = np.atleast_2d(linear.coef_), np.ravel(linear.intercept_)
    x, out, expected = np.zeros(20), np.zeros(len(coef)), []
    for u in X:
        x = naive.step(W, np.hstack([W_in, W_fb]), b, leak, f, x, np.concatenate([u, out]))
        out = intercept + coef @ np.concatenate([x, u])
        expected.append(out)
    np.testing.assert_allclose(model.predict(X).reshape(300, -1), expected, rtol=1e-9, atol=1e-9)
    _, state = model.predict(X, return_state=True)  # a state is [x, y(t-1)]
    np.testing.assert_allclose(state, np.concatenate([x, out]), rtol=1e-8, atol=1e-9)


def test_known_outputs_stand_in_for_its_own():
    X, y, model = with_feedback()
    model.fit(X[:200], y[:200])
    new, truth = X[200:], y[200:]
    for k in (1, 40, 99):
        answer, state = model.predict(new, y_context=truth[:k], return_state=True)
        assert answer.shape == (100,)
        # Teacher forcing by hand: hand the true last output over in the state.
        at, by_hand = np.zeros(21), []
        for t in range(100):
            step, at = model.predict(new[t : t + 1], initial_state=at, return_state=True)
            by_hand.append(step[0])
            if t < k:
                at[-1] = truth[t]
        np.testing.assert_allclose(answer, by_hand, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(state, at, rtol=1e-10, atol=1e-12)
    assert np.abs(model.predict(new, y_context=truth[:50]) - model.predict(new))[:40].max() > 1e-3


@pytest.mark.parametrize(
    "bad",
    [[], np.zeros((3, 2)), [np.nan], [np.inf], np.zeros(300), ["a"], 1.0, np.zeros((2, 1, 1))],
)
def test_known_outputs_that_do_not_fit_are_refused(bad):
    X, y, model = with_feedback()
    with pytest.raises(ValueError, match=r"y_context|could not convert string"):
        model.fit(X, y).predict(X, y_context=bad)


def test_known_outputs_go_with_feedback_and_one_series():
    X, y, model = with_feedback()
    model.fit(X, y)
    for several in ([X[:100], X[100:]], X.reshape(3, 100, 1), [X[:100], X[:7]]):
        with pytest.raises(ValueError, match="y_context needs one 2-D series"):
            model.predict(several, y_context=[0.5])
    with pytest.raises(ValueError, match="y_context goes with feedback_scaling > 0"):
        ESNRegressor(5).fit(X, y).predict(X, y_context=[0.5])


def test_feedback_of_recursive_least_squares_makes_a_pattern_of_nothing():
    """FORCE: a silent input, a periodic target; the loop goes on by itself."""
    t = np.arange(1500)
    y = np.sin(2 * np.pi * t / 40)
    X = np.zeros((1500, 1))
    model = ESNRegressor(
        100,
        feedback_scaling=1.0,
        leak_rate=0.5,
        readout=RLSFilter(forgetting_factor=1.0, delta=1e-2),
        random_state=0,
    ).fit(X, y)
    answer = model.predict(np.zeros((700, 1)), y_context=y[:200])
    assert nrmse(y[200:700], answer[200:]) < 0.2


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("readout", [None, Ridge()])
def test_feedback_that_diverges_is_an_error(readout):
    X = np.ones((3000, 1))
    model = ESNRegressor(
        3, activation="identity", feedback_scaling=1.0, readout=readout, alpha=1e-8, random_state=0
    )
    y = 1.5 ** np.arange(60)
    model.fit(X[:60], y)
    with pytest.raises(DivergenceError, match="finite"):
        model.predict(X)


def test_rows_answered_one_by_one_start_from_clean_memory(monkeypatch):
    """`np.empty` may hold infinities: nothing of it may reach the fed-back output."""
    X, y, model = with_feedback(readout=Ridge(1e-3))
    expected = model.fit(X, y).predict(X)
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.inf, dtype))
    answer = model.predict(X[:5])
    monkeypatch.undo()
    np.testing.assert_array_equal(answer, expected[:5])


def test_feedback_of_a_classifier_needs_scores():
    X, y, _ = with_feedback()
    model = ESNClassifier(5, feedback_scaling=0.1, readout=LogisticRegression())
    with pytest.raises(ValueError, match="feeds scores back"):
        model.fit(X, y > 0.4)


def test_scaling_of_inputs_is_not_that_of_feedback():
    X, y, _ = with_feedback()
    two = np.hstack([X, -X])
    model = ESNRegressor(20, input_scaling=[0.5, 0.0], feedback_scaling=2.0, random_state=0)
    joined = model.fit(two, y).reservoir_.input_weights_
    plain = ESNRegressor(20, random_state=0).fit(two, y).reservoir_.input_weights_
    np.testing.assert_array_equal(joined[:, :2], plain * [0.5, 0.0])
    other = clone(model).set_params(feedback_scaling=1.0).fit(two, y).reservoir_.input_weights_
    np.testing.assert_allclose(joined[:, 2], 2 * other[:, 2], rtol=1e-15)
    assert 1.5 < np.abs(joined[:, 2]).max() <= 2.0
