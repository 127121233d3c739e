"""Models over several layers: fit, forecast, feedback, sequences, search."""

import pickle

import naive_reservoir as naive
import numpy as np
import pytest
from deep_reservoirs import DEEP, EXACT, deep, series, waves

from filters import RLSFilter
from filters.timeseries import nrmse
from reservoir import ESNClassifier, ESNForecaster, ESNRegressor, ESNRegressorCV, ReservoirFeatures


def network(n_units=(25, 15), **parameters):
    return ESNRegressor(list(n_units), **{"alpha": 1e-4, "random_state": 0, **DEEP, **parameters})


def test_predictions_are_ridge_on_the_states_of_all_layers():
    X, y = naive.data(300)
    model = network().fit(X, y)
    Z = np.hstack([deep((25, 15)).fit_transform(X), X])
    coef, intercept = naive.ridge(Z, y, 1e-4)
    assert model.coef_.shape == (25 + 15 + 2,)
    np.testing.assert_allclose(model.predict(X), (Z @ coef + intercept)[:, 0], rtol=0, atol=1e-7)


@pytest.mark.parametrize("noise", [0.0, [0.0, 0.05], [0.05, 0.01]])
def test_chunks_are_one_fit(noise):
    X, y = naive.data(300)
    whole = network(noise=noise).fit(X, y)
    parts = network(noise=noise)
    for a, b in ((0, 1), (1, 120), (120, 300)):
        parts.partial_fit(X[a:b], y[a:b])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(parts.stream().state["memory"], whole.stream().state["memory"])
    if noise:
        quiet = network().fit(X, y)
        assert np.abs(quiet.coef_ - whole.coef_).max() > 1e-3
        np.testing.assert_array_equal(
            whole.stream().state["memory"], quiet.stream().state["memory"]
        )


@pytest.mark.parametrize("feedback_scaling", [0.0, 0.3])
def test_many_series_are_answered_as_each_alone(feedback_scaling):
    parts = [series(n, seed=n) for n in range(1, 31)]
    model = network(topology="random_sparse", feedback_scaling=feedback_scaling)
    model.fit(parts, [part[:, 0] for part in parts])
    answers, last = model.predict(parts, return_state=True)
    for part, answer, end in zip(parts, answers, last, strict=True):
        alone, state = model.predict(part, return_state=True)
        np.testing.assert_array_equal(answer, alone)
        np.testing.assert_array_equal(end, state)


def test_a_pickled_model_goes_on_as_itself():
    X, y = naive.data(300)
    model = network(noise=[0.0, 0.05]).partial_fit(X[:200], y[:200])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    for one in (model, copy):
        one.partial_fit(X[200:], y[200:])
    np.testing.assert_array_equal(copy.coef_, model.coef_)


def test_a_block_more_or_less_changes_nothing():
    X, y = naive.data(2500)  # more than the rows driven at once
    model = network((10, 6)).fit(X, y)
    answer, state = model.predict(X, return_state=True)
    np.testing.assert_array_equal(model.predict(X[:1500]), answer[:1500])
    np.testing.assert_array_equal(state, deep((10, 6)).fit_transform(X)[-1])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"include_input": False},
        {"readout": RLSFilter(delta=0.1)},
        {"dtype": "float32", "alpha": 1e-2},
    ],
    ids=["ridge", "states only", "online", "float32"],
)
def test_forecast_is_the_open_loop_fed_with_its_own_output(parameters):
    X = waves()
    model = network(**parameters).fit(X[:-1], X[1:])
    free = model.forecast(25, context=X[:120])
    answer, state = model.predict(X[:120], return_state=True)
    row, by_hand = answer[-1], []
    for _ in range(25):
        by_hand.append(row)
        step, state = model.predict(row[None], initial_state=state, return_state=True)
        row = step[0]
    bound = 1e-4 if "dtype" in parameters else 1e-10  # the loop's sums are its own, not BLAS's
    np.testing.assert_allclose(free, by_hand, rtol=0, atol=bound)
    np.testing.assert_allclose(
        model.forecast(5), model.forecast(5, context=X[:-1]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("readout", [None, RLSFilter(delta=0.1)])
def test_feedback_goes_into_the_first_layer(readout):
    X, y = naive.data(200)
    model = network(feedback_scaling=0.4, readout=readout).fit(X, y)
    first, second = model.reservoir_.input_weights_
    assert first.shape == (25, 3)
    assert second.shape == (15, 25)
    plain = network(feedback_scaling=0).fit(X, y).reservoir_
    np.testing.assert_array_equal(first[:, :2], plain.input_weights_[0])
    np.testing.assert_array_equal(second, plain.input_weights_[1])
    alone = ESNRegressor(25, feedback_scaling=0.4, random_state=0).fit(X, y).reservoir_
    np.testing.assert_array_equal(first[:, 2], alone.input_weights_[:, 2])
    answer, last = model.predict(X[:20], return_state=True)
    assert last.shape == (25 + 15 + 1,)
    assert last[-1] == answer[-1]
    fed, state = np.zeros(1), None
    for t in range(20):
        row = np.concatenate([X[t], fed])[None]
        states, state = model.reservoir_.transform(row, initial_state=state, return_state=True)
        fed = np.concatenate([states[0], X[t]]) @ model.coef_.ravel() + model.intercept_
        np.testing.assert_allclose(answer[t], fed, rtol=1e-9, atol=1e-9)
        fed = np.atleast_1d(fed)


def test_a_classifier_and_a_forecaster_take_layers():
    x = np.random.default_rng(0).standard_normal((500, 1))
    rises = x[1:, 0] > x[:-1, 0]
    model = ESNClassifier([60, 40], input_scaling=[1.0, 0.1], random_state=0).fit(x[1:], rises)
    assert model.score(x[1:], rises) > 0.9
    X, exog = waves(n_features=1), waves()[:, 1:]
    forecaster = ESNForecaster(network(alpha=1e-6, input_scaling=[0.3, 0.1]))
    forecaster.fit(X[:200], exog=exog[:200])
    free = forecaster.forecast(20, context=X[:250], exog=exog[:270])
    assert nrmse(X[250:270], free) < 0.1


@pytest.mark.parametrize("feedback_scaling", [0.0, 0.3])
def test_a_searched_alpha_gives_the_network_with_that_alpha(feedback_scaling):
    X, y = naive.data(300)
    shared = {"feedback_scaling": feedback_scaling, "random_state": 0, **DEEP}
    found = ESNRegressorCV([12, 7], **shared).fit(X, y)
    told = ESNRegressor([12, 7], alpha=found.alpha_, **shared).fit(X, y)
    np.testing.assert_allclose(found.predict(X), told.predict(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_sequences_are_pooled_over_all_layers(pooling):
    cases = [series(n, seed=n) for n in (9, 14, 5)]
    model = ReservoirFeatures([8, 5], pooling=pooling, spectral_radius=[0.9, 0.5], random_state=0)
    pooled = model.fit_transform(cases)
    assert pooled.shape == (3, 2 * 13)
    assert len(model.get_feature_names_out()) == 26
    for row, case in zip(pooled, cases, strict=True):
        drive = (case - model.mean_) / model.scale_ / np.sqrt(2)
        both = [model.reservoir_.transform(part) for part in (drive, drive[::-1])]
        expected = [s.mean(axis=0) if pooling == "mean" else s[-1] for s in both]
        np.testing.assert_allclose(row, np.concatenate(expected), **EXACT)
