"""Mistakes others made with reservoirs, each as the case that showed it."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.preprocessing import StandardScaler

from filters import RLSFilter
from filters.timeseries import WarmTimeSeriesSplit, make_washout_scorer, mse, nrmse
from reservoir import ESNRegressor, Reservoir
from reservoir.datasets import narma


@pytest.mark.parametrize("input_weights", ["uniform", "bernoulli", "gaussian"])
@pytest.mark.parametrize("density", ["auto", 0.02])
def test_every_unit_hears_the_only_input(input_weights, density):
    model = Reservoir(200, density=density, input_weights=input_weights, random_state=0)
    first = model.fit_transform(np.ones((1, 1)))[0]
    assert np.count_nonzero(model.input_weights_) == 200
    assert np.count_nonzero(first) == 200


def test_an_even_function_needs_a_bias():
    """Without one the states are odd in the input: +u and -u get opposite columns."""
    u = np.random.RandomState(0).uniform(-1, 1, (3000, 1))
    even = u[:, 0] ** 2
    settings = {"n_units": 50, "spectral_radius": 0.5, "random_state": 0, "alpha": 1e-8}
    odd = ESNRegressor(**settings).fit(u[:2000], even[:2000])
    assert nrmse(even[2000:], odd.predict(u[2000:])) > 0.95
    biased = ESNRegressor(bias_scaling=0.5, **settings).fit(u[:2000], even[:2000])
    assert nrmse(even[2000:], biased.predict(u[2000:])) < 0.1


def test_folds_without_context_judge_the_start_and_not_the_network():
    """All but the first rows of a fold are the same rows, driven from zero and from the past."""
    X, y = narma(1500, random_state=0)
    X = StandardScaler().fit_transform(X)
    network = ESNRegressor(100, alpha=1e-6, input_scaling=0.3, bias_scaling=0.5, random_state=0)
    options = {"n_splits": 30, "test_size": 20}
    scores = {}
    for name, split, washout in [
        ("cold", TimeSeriesSplit(**options), 0),
        ("warm", WarmTimeSeriesSplit(**options, context=100), 100),
    ]:
        scorer = make_washout_scorer(mse, washout)
        scores[name] = -cross_val_score(network, X, y, cv=split, scoring=scorer).mean()
    assert scores["cold"] > 5 * scores["warm"]
    whole = network.fit(X[:900], y[:900]).predict(X)[900:]
    np.testing.assert_allclose(scores["warm"], mse(y[900:], whole), rtol=0.5)


def test_an_online_readout_learns_its_constant_with_the_weights():
    """States and inputs with a mean; a running mean beside the weights would bend them."""
    rng = np.random.RandomState(0)
    X = rng.randn(2000, 1) + 4.0
    y = 3.0 * X[:, 0] + 5.0 + 0.01 * rng.randn(2000)
    online = RLSFilter(forgetting_factor=1.0, delta=1e-8, fit_intercept=True)
    zero = {"n_units": 1, "input_weights": np.zeros((1, 1)), "spectral_radius": 0.0}
    model = ESNRegressor(**zero, bias_scaling=0.0, readout=online, random_state=0).fit(X, y)
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_[-1], peer.coef_[0], rtol=1e-5)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, rtol=1e-4)
    np.testing.assert_allclose(model.coef_[-1], 3.0, rtol=1e-3)
