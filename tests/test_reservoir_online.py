"""Online readouts: FORCE and teacher-forced RLS are their formulas, row by row, a priori first."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge, SGDRegressor

from filters import LMSFilter, NLMSFilter, RLSFilter
from reservoir import ESNClassifier, ESNRegressor

DELTA = 0.05


def pattern(n, period=40):
    return np.sin(2 * np.pi * np.arange(n) / period)


def force(teacher_forcing, **parameters):
    options = {"spectral_radius": 1.5, "leak_rate": 0.3, "feedback_scaling": 1.0} | parameters
    return ESNRegressor(
        **{"n_units": 200, "bias_scaling": 0.2, "include_input": False} | options,
        readout=RLSFilter(forgetting_factor=1.0, delta=DELTA),
        teacher_forcing=teacher_forcing,
        random_state=0,
    )


def naive_run(model, X, y):
    """A-priori outputs and last weights, from the network's matrices and the textbook's RLS."""
    reservoir, a = model.reservoir_, model.leak_rate
    W = reservoir.recurrent_weights_ @ np.eye(len(reservoir.bias_))
    W_in, b = reservoir.input_weights_, reservoir.bias_
    n_units, n_outputs = len(b), y.shape[1]
    n_columns = n_units + X.shape[1] * model.include_input
    x, fed = np.zeros(n_units), np.zeros(n_outputs)
    weights, P = np.zeros((n_outputs, n_columns)), np.eye(n_columns) / DELTA
    outputs = []
    for u, target in zip(X, y, strict=True):
        x = (1 - a) * x + a * np.tanh(W @ x + W_in @ np.r_[u, fed] + b)
        columns = np.r_[x, u] if model.include_input else x
        outputs.append(weights @ columns)
        labelled = np.isfinite(target).all()
        if labelled:
            gain = P @ columns / (1 + columns @ P @ columns)
            weights = weights + np.outer(target - outputs[-1], gain)
            P = P - np.outer(gain, columns @ P)
        true = target if labelled else np.zeros(n_outputs)
        fed = true if model.teacher_forcing else outputs[-1]
    return np.array(outputs), weights


@pytest.mark.parametrize("teacher_forcing", [True, False])
@pytest.mark.parametrize("include_input", [True, False])
@pytest.mark.parametrize("n_outputs", [None, 2])
def test_the_fit_is_the_textbooks_row_by_row(teacher_forcing, include_input, n_outputs):
    rng = np.random.RandomState(0)
    X = rng.randn(120, 1)
    y = np.column_stack([pattern(120), np.cos(np.arange(120) / 5)]) + 0.1 * rng.randn(120, 2)
    y[[0, 30, 31, 90]] = np.nan  # unlabelled rows teach nothing, but time goes on
    y = y[:, 0] if n_outputs is None else y
    model = force(teacher_forcing, n_units=15, include_input=include_input, density=0.9)
    model.fit(X, y)
    target = y.reshape(120, -1)
    outputs, weights = naive_run(model, X, target)
    np.testing.assert_allclose(np.atleast_2d(model.coef_), weights, rtol=1e-6, atol=1e-8)
    errors = (target - outputs)[np.isfinite(target).all(axis=1)]
    np.testing.assert_allclose(model.a_priori_mse_, np.mean(errors**2), rtol=1e-7)


@pytest.mark.parametrize("teacher_forcing", [True, False])
def test_learn_one_returns_what_was_said_before_the_target_was_seen(teacher_forcing):
    X, y = np.random.RandomState(0).randn(100, 1), pattern(100)
    model = force(teacher_forcing, n_units=15, density=0.9).fit(X[:1], y[:1])
    first, rest = model.a_priori_mse_, y[1:].copy()
    rest[[10, 11, 50]] = np.nan
    taught = np.r_[y[:1], rest]
    stream = model.stream()
    answers = stream.learn_many(X[1:], rest)
    outputs, weights = naive_run(model, X, taught[:, np.newaxis])
    np.testing.assert_allclose(answers, outputs[1:, 0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(stream._model.coef_, weights[0], rtol=1e-6, atol=1e-8)
    assert model.a_priori_mse_ == first  # the session owns its readout
    in_parts = force(teacher_forcing, n_units=15, density=0.9)
    for row, target in zip(np.split(X, [40, 41]), np.split(taught, [40, 41]), strict=True):
        in_parts.partial_fit(row, target)
    np.testing.assert_allclose(in_parts.coef_, weights[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("teacher_forcing", [True, False])
def test_force_learns_a_pattern_that_then_runs_by_itself(teacher_forcing):
    n, period = 1200, 40
    model = force(teacher_forcing)
    still = np.zeros((n, 1))  # the only drive is the bias and the output that comes back
    model.fit(still, pattern(n))
    assert model.a_priori_mse_ < 1e-3
    free = model.stream().predict_many(np.zeros((1000, 1)))
    # Ten periods in phase; then its own frequency, which is off by a hair, and the same height.
    np.testing.assert_allclose(free[: 10 * period], pattern(10 * period), rtol=0, atol=0.1)
    np.testing.assert_allclose(free[-200:].std() * np.sqrt(2), 1.0, rtol=0.02)
    crossings = np.flatnonzero(np.diff(np.sign(free)) > 0)
    np.testing.assert_allclose(np.diff(crossings).mean(), period, rtol=0.005)
    untaught = force(teacher_forcing).fit(still[:1], [0.0])
    assert untaught.stream().predict_many(np.zeros((200, 1))).std() < 1e-3


@pytest.mark.parametrize(
    "options",
    [{"readout": None}, {"readout": Ridge()}, {"readout": SGDRegressor()}, {"feedback_scaling": 0}],
    ids=str,
)
def test_feedback_while_learning_needs_an_online_readout(options):
    model = force(False, n_units=5).set_params(**options)
    with pytest.raises(ValueError, match=r"teacher_forcing=False.*RLSFilter.*feedback_scaling="):
        model.fit(np.zeros((20, 1)), pattern(20))


def test_scores_of_a_classifier_feed_back_too():
    X, labels = np.random.RandomState(0).randn(80, 1), (np.arange(80) // 5) % 3
    readout = RLSFilter(forgetting_factor=1.0, delta=DELTA)
    model = ESNClassifier(
        12, feedback_scaling=1.0, teacher_forcing=False, readout=readout, random_state=0
    )
    model.fit(X, labels)
    _, weights = naive_run(model, X, np.eye(3)[labels])
    np.testing.assert_allclose(model.coef_, weights, rtol=1e-6, atol=1e-8)


def test_other_readouts_have_no_a_priori_error():
    X, y = np.random.RandomState(0).randn(60, 1), pattern(60)
    assert not hasattr(ESNRegressor(5, random_state=0).fit(X, y), "a_priori_mse_")
    online = ESNRegressor(5, readout=NLMSFilter(), random_state=0)
    assert not hasattr(online, "a_priori_mse_")
    assert hasattr(online.fit(X, y), "a_priori_mse_")


@pytest.mark.parametrize("readout", [NLMSFilter(), LMSFilter(), RLSFilter()])
def test_series_of_weight_zero_are_absent(readout):
    """Their level would else decide what "auto" takes; so would the rows of a washout."""
    rng = np.random.RandomState(0)
    loud, X = 100 * rng.randn(3, 20, 1), rng.randn(4, 20, 1)
    y = X[:, :, 0]
    everything, targets = np.concatenate([loud, X]), np.concatenate([loud[:, :, 0], y])
    weights = np.repeat([0.0, 1.0], [3, 4])[:, np.newaxis] * np.ones(20)
    model = ESNRegressor(5, spectral_radius=0.0, readout=readout, washout=2, random_state=0)
    alone = clone(model).fit(X, y)
    model.fit(everything, targets, sample_weight=weights)
    np.testing.assert_array_equal(model.coef_, alone.coef_)
    assert model.a_priori_mse_ == alone.a_priori_mse_
