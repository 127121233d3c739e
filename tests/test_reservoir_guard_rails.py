"""Fits that will not do what their user hopes for say so; good ones are silent."""

import warnings

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from filters import RLSFilter, TapDelay
from reservoir import (
    ESNClassifier,
    ESNEnsemble,
    ESNForecaster,
    ESNRegressor,
    ESNRegressorCV,
    MemoryRegressor,
    Reservoir,
)
from reservoir.datasets import mackey_glass, narma


def series(n=600, size=1.0):
    X, y = narma(n, random_state=0)
    return size * StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_out_of_scale_saturate_and_warn(activation, dtype):
    X, y = series(size=300.0)
    X = X.astype(dtype)
    network = ESNRegressor(50, activation=activation, random_state=0)
    states = network.fit(*series()).reservoir_.transform(X)
    depth = np.abs(states if activation == "tanh" else 2 * states - 1)
    share = np.mean(depth > 0.99)
    assert share > 0.5
    with pytest.warns(
        UserWarning, match=r"\d\d% of the states are saturated.*input_scaling"
    ) as seen:
        network.fit(X, y)
    assert abs(int(str(seen[0].message).split("%")[0]) / 100 - share) < 0.03
    assert seen[0].filename == __file__


def test_saturation_is_seen_through_every_door():
    X, y = series(size=300.0)
    for model in (
        ESNClassifier([20, 20], random_state=0),
        MemoryRegressor(Reservoir(50, include_input=True, random_state=0)),
        ESNForecaster(ESNRegressor(30, random_state=0), transformer="passthrough"),
        ESNEnsemble(ESNRegressor(30), 2, random_state=0),
        ESNRegressorCV(30, random_state=0),
        ESNRegressor(30, readout=RLSFilter(), random_state=0),
    ):
        target = y > 0.4 if isinstance(model, ESNClassifier) else y
        told = (X,) if isinstance(model, ESNForecaster) else (X, target)
        with pytest.warns(UserWarning, match="saturated"):
            model.fit(*told)


def test_an_unbounded_activation_cannot_saturate():
    X, y = series(size=300.0)
    for model in (
        ESNRegressor(30, activation="identity", random_state=0),
        ESNRegressor(30, activation="relu", random_state=0),
        MemoryRegressor(TapDelay(5)),
    ):
        model.fit(X, y)  # a warning is an error here


@pytest.mark.parametrize("solver", ["cholesky", "qr"])
def test_as_many_degrees_of_freedom_as_rows_warn(solver):
    X, y = series()
    model = ESNRegressor(100, alpha=1e-9, solver=solver, random_state=0)
    with pytest.warns(UserWarning, match=r"freedom for 80 labelled rows.*Raise alpha") as seen:
        model.fit(X[:80], y[:80])
    assert seen[0].filename == __file__
    assert model.effective_degrees_of_freedom_ > 0.95 * 80 - 1
    model.set_params(alpha=10.0).fit(X[:80], y[:80])  # the penalty is the remedy it names
    assert model.effective_degrees_of_freedom_ < 40


def test_unlabelled_rows_and_the_washout_are_no_rows():
    X, y = series(300)
    y = y.copy()
    y[100:250] = np.nan
    with pytest.warns(UserWarning, match="for 90 labelled rows"):
        ESNRegressor(200, alpha=1e-9, washout=60, random_state=0).fit(X, y)


def test_parts_are_not_judged_one_by_one():
    X, y = series()
    model = ESNRegressor(60, alpha=1e-9, random_state=0)
    for start in range(0, 600, 50):
        model.partial_fit(X[start : start + 50], y[start : start + 50])


def test_series_within_the_washout_warn():
    X, y = series()
    cuts = [100, 130, 330]
    parts = np.split(X, cuts), np.split(y, cuts)
    model = ESNRegressor(30, washout=30, random_state=0)
    with pytest.warns(UserWarning, match=r"1 of 4 series .* washout=30 .*shortest has 30"):
        model.fit(*parts)
    model.set_params(washout=29).fit(*parts)


def test_good_use_is_silent():
    X, y = series()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ESNRegressor(random_state=0).fit(X, y)
        ESNRegressor(300, solver="qr", washout=100, random_state=0).fit(X, y)
        ESNRegressorCV(random_state=0).fit(X, y)
        ESNClassifier(random_state=0).fit(X, y > 0.4)
        ESNForecaster().fit(mackey_glass(500, random_state=0))
        MemoryRegressor().fit(X, y)
