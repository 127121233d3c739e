"""Memory models of every kind, for the tests of what they share."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from filters import RLSFilter, TapDelay
from reservoir import ESNClassifier, ESNRegressor, MemoryClassifier, MemoryRegressor, Reservoir

RIDGE = {"rtol": 1e-8, "atol": 1e-10}
NET = {"leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
REGRESSORS = {
    "taps": MemoryRegressor(TapDelay(4), alpha=1e-2),
    "reservoir": MemoryRegressor(Reservoir(12, **NET), include_input=True),
    "network": ESNRegressor(12, **NET),
    "noisy": ESNRegressor(12, noise=0.05, **NET),
    "feedback": ESNRegressor(12, feedback_scaling=0.3, **NET),
    "online": ESNRegressor(6, readout=RLSFilter(fit_intercept=True, delta=0.1), **NET),
}
CLASSIFIERS = {
    "taps": MemoryClassifier(TapDelay(3)),
    "network": ESNClassifier(12, **NET),
    "feedback": ESNClassifier(12, feedback_scaling=0.3, **NET),
    "online": ESNClassifier(6, readout=RLSFilter(fit_intercept=True, delta=0.1), **NET),
    "logistic": ESNClassifier(6, readout=LogisticRegression(), **NET),
}
EVERY_REGRESSOR = pytest.mark.parametrize("name", REGRESSORS)
EVERY_CLASSIFIER = pytest.mark.parametrize("name", CLASSIFIERS)


def labels_of(y, names=("high", "low", "mid")):
    """Three string labels whose alphabetical order is not that of their thresholds."""
    return np.array([names[1], names[2], names[0]])[np.digitize(y, [-0.3, 0.3])]


def assert_same_fit(one, two):
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.intercept_, two.intercept_)


def features_of(model, X):
    """What the readout of a fitted model without feedback sees."""
    columns = model.memory_.transform(X)
    return np.hstack([columns, X]) if model.include_input else columns
