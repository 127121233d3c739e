"""Endurance: what a long call may hold on to, and the scripts of examples/endurance in small."""

import tracemalloc

import numpy as np
import pytest
from filters_under_test import FILTERS
from sklearn.base import clone

from filters import FrequencyDomainFilter, NLMSFilter, TapDelay, _base, _frequency, _recursion
from reservoir import ESNRegressor, MemoryRegressor, _esn


@pytest.mark.parametrize(
    "model",
    [
        ESNRegressor(3, random_state=0),
        MemoryRegressor(TapDelay(2)),
        NLMSFilter(2),
        FrequencyDomainFilter(8),
    ],
    ids=lambda model: type(model).__name__,
)
def test_fit_and_predict_hold_no_copy_of_the_rows(model):
    n = 1_000_000
    X = np.random.default_rng(0).standard_normal((n, 1))
    y = 0.5 * X[:, 0]
    model.fit(X[:5000], y[:5000])  # compiles
    tracemalloc.start()
    try:
        model.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes + y.nbytes
    model.predict(X[:10])
    tracemalloc.start()
    try:
        answer = model.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < answer.nbytes + X.nbytes


EVERY = {**FILTERS, "frequency": lambda n_taps: FrequencyDomainFilter(n_taps, block_size=5)}


@pytest.mark.parametrize("after", [0, 37])
@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_parts_of_a_long_call_change_no_bit(make, after, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(1000)
    d = 0.5 * x + 0.1 * rng.standard_normal(1000)

    def run():
        f = make(3)
        f.adapt(x[:after], d[:after]) if after else None
        output = f.adapt(x[after:], d[after:]).output
        fitted = clone(f).fit(x[:, None], d)
        return output, f.coef_, fitted.coef_, fitted.predict(x[:, None])

    whole = run()
    for module in (_recursion, _base, _frequency):
        monkeypatch.setattr(module, "AT_ONCE", 64)
    for one, other in zip(whole, run(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_of_a_long_forecast_change_no_bit(monkeypatch):
    t = np.arange(600)
    X = (np.sin(0.3 * t) + np.cos(0.7 * t))[:, np.newaxis]
    model = ESNRegressor([10, 5], alpha=1e-4, random_state=0).fit(X[:-1], X[1:])
    whole = model.forecast(400)
    monkeypatch.setattr(_esn, "_STEPS_AT_ONCE", 37)
    np.testing.assert_array_equal(model.forecast(400), whole)
