"""Reservoir as a transformer of rows and series."""

import pickle

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from filters.timeseries import DivergenceError, SequenceError
from reservoir import Reservoir

EXACT = {"rtol": 1e-12, "atol": 1e-13}


def series(n=50, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def small(**parameters):
    return Reservoir(12, **{"leak_rate": 0.5, "bias_scaling": 0.3, "random_state": 0, **parameters})


# ---- theory ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "r"), [(20, 0.95), (5, 0.8)])
def test_memory_capacity_of_a_linear_cycle_is_the_closed_form(n, r):
    """MC_k = (1 - r^2N) r^(2N floor(k/N)): how well the input of k steps ago can be read out."""
    u = np.random.RandomState(0).uniform(-0.8, 0.8, 20_000)
    one_input = np.eye(n)[:, :1]
    cycle = Reservoir(
        n, topology="ring", spectral_radius=r, activation="identity", input_weights=one_input
    )
    states, n_lags, washout = cycle.fit_transform(u[:, None]), 2 * n, 1000
    delayed = np.stack([np.roll(u, k) for k in range(n_lags)], axis=1)
    X, Y = states[washout:], delayed[washout:]
    half = len(X) // 2
    coef = np.linalg.lstsq(X[:half], Y[:half], rcond=None)[0]
    read = X[half:] @ coef
    capacity = [np.corrcoef(read[:, k], Y[half:, k])[0, 1] ** 2 for k in range(n_lags)]
    k = np.arange(n_lags)
    expected = (1 - r ** (2 * n)) * r ** (2 * n * (k // n))
    np.testing.assert_allclose(capacity, expected, rtol=0, atol=0.02)


def test_linear_states_are_the_convolution_of_the_input():
    rng = np.random.RandomState(1)
    W, W_in, U = 0.3 * rng.randn(4, 4), rng.randn(4, 2), series(12)
    model = Reservoir(
        4, topology=W, spectral_radius=None, input_weights=W_in, activation="identity"
    )
    powers = [np.linalg.matrix_power(W, k) @ W_in for k in range(12)]
    exact = [sum(powers[k] @ U[t - k] for k in range(t + 1)) for t in range(12)]
    np.testing.assert_allclose(model.fit_transform(U), exact, **EXACT)


def test_the_start_is_forgotten():
    """Echo state property: a map that contracts by q a step brings two states together as q^t."""
    model = Reservoir(30, topology="orthogonal", spectral_radius=0.8, random_state=0).fit(series())
    one = model.transform(series(), initial_state=np.ones(30))
    other = model.transform(series(), initial_state=-np.ones(30))
    distance = np.linalg.norm(one - other, axis=1)
    assert (distance <= 2 * np.sqrt(30) * 0.8 ** np.arange(1, 51)).all()


# ---- rows and containers ----------------------------------------------------------------------


@pytest.mark.parametrize("include_input", [False, True])
def test_columns_are_states_then_inputs(include_input):
    X = series()
    model = small(include_input=include_input).fit(X)
    answer = model.transform(X)
    np.testing.assert_allclose(answer[:, :12], naive.states(model, X), **EXACT)
    assert answer.shape == (50, 14 if include_input else 12)
    if include_input:
        np.testing.assert_array_equal(answer[:, 12:], X)


def test_every_container_of_series_gives_the_same_states_in_kind():
    X = series(60, 3)
    model = small().fit(X)
    expected = np.concatenate([model.transform(part) for part in np.split(X, 4)])
    groups = np.repeat(list("abcd"), 15)
    np.testing.assert_array_equal(model.transform(X, groups=groups), expected)
    listed = model.transform([X[:15], X[15:30].tolist(), X[30:45], X[45:]])
    assert isinstance(listed, list)
    np.testing.assert_array_equal(np.concatenate(listed), expected)
    panel = model.transform(X.reshape(4, 15, 3))
    np.testing.assert_array_equal(panel, expected.reshape(4, 15, 12))
    index = pd.MultiIndex.from_product([list("abcd"), range(15)], names=["id", "t"])
    frame = model.transform(pd.DataFrame(X, index=index))
    assert list(frame.columns) == [f"reservoir{i}" for i in range(12)]
    pd.testing.assert_index_equal(frame.index, index)
    np.testing.assert_array_equal(frame.to_numpy(), expected)


def test_unequal_series_do_not_touch_each_other():
    parts = [series(n, seed=n) for n in (1, 30, 7)]
    model = small().fit(parts)
    together = model.transform(parts)
    for part, states in zip(parts, together, strict=True):
        np.testing.assert_array_equal(states, model.transform(part))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 50), st.integers(0, 49))
def test_states_are_causal_and_can_be_handed_over(stop, cut):
    X = series()
    model = small().fit(X)
    whole, last = model.transform(X, return_state=True)
    np.testing.assert_array_equal(model.transform(X[:stop]), whole[:stop])
    np.testing.assert_array_equal(last, whole[-1])
    if cut:
        _, state = model.transform(X[:cut], return_state=True)
        np.testing.assert_array_equal(model.transform(X[cut:], initial_state=state), whole[cut:])


def test_calls_are_pure():
    X = series()
    model = small(noise=0.1).fit(X)
    first = model.transform(X)
    start = np.ones(12)
    model.transform(series(seed=9), initial_state=start)
    np.testing.assert_array_equal(start, 1)
    np.testing.assert_array_equal(model.transform(X), first)  # noise is for the fit of a model
    np.testing.assert_array_equal(model.fit(X).transform(X), first)
    np.testing.assert_array_equal(X, series())


def test_one_state_for_all_series_or_one_each():
    X = series(40).reshape(4, 10, 2)
    model = small().fit(X)
    starts = np.random.RandomState(0).randn(4, 12)
    answers, last = model.transform(X, initial_state=starts, return_state=True)
    assert last.shape == (4, 12)
    for i in range(4):
        np.testing.assert_array_equal(answers[i], model.transform(X[i], initial_state=starts[i]))
    same = model.transform(X, initial_state=starts[0])
    np.testing.assert_array_equal(same[0], answers[0])
    np.testing.assert_array_equal(same[3], model.transform(X[3], initial_state=starts[0]))
    with pytest.raises(ValueError, match=r"initial_state.*\(12,\) or \(4, 12\)"):
        model.transform(X, initial_state=np.zeros(5))


# ---- scikit-learn's side ------------------------------------------------------------------------


def test_copies_of_any_kind_carry_on_bit_for_bit():
    X = series()
    model = small(topology="random_sparse").fit(X)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X)):
        np.testing.assert_array_equal(copy.transform(X), model.transform(X))
    again = Reservoir().set_params(**model.get_params()).fit(X)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    with pytest.raises(NotFittedError):
        clone(model).transform(X)


def test_names_follow_the_columns():
    X = pd.DataFrame(series(), columns=["u", "v"])
    model = small(include_input=True).set_output(transform="pandas").fit(X)
    frame = model.transform(X)
    assert list(frame.columns) == [*(f"reservoir{i}" for i in range(12)), "u", "v"]
    pd.testing.assert_index_equal(frame.index, X.index)
    assert list(model.get_feature_names_out()) == list(frame.columns)
    assert list(small().fit(X).get_feature_names_out()) == list(frame.columns[:12])


def test_numbers_other_than_floats_are_taken_as_float64():
    X = np.arange(10).reshape(5, 2)
    model = small().fit(X)
    assert model.recurrent_weights_.dtype == np.float64
    np.testing.assert_array_equal(model.transform(X), model.transform(X.astype(float)))


# ---- what cannot be --------------------------------------------------------------------------


def test_states_that_leave_the_finite_numbers_are_an_error():
    X = np.ones((3000, 1))
    model = Reservoir(5, activation="identity", spectral_radius=2.0, random_state=0).fit(X)
    message = r"step 10\d\d of the 3000.*spectral_radius=2\.0.*identity"
    with pytest.raises(DivergenceError, match=message) as error:
        model.transform(X)
    # The state grows as 2^t: it passes the largest double 2^1024 around step 1024.
    assert 1000 < error.value.step < 1030
    assert np.isfinite(model.transform(X[:1000])).all()


def test_inputs_whose_sums_overflow_are_an_error():
    X = np.array([[0.5], [1e308], [0.0]])
    model = Reservoir(1, topology="ring", input_weights=[[2.0]], activation="identity").fit(X)
    with pytest.raises(DivergenceError, match=r"step 1 of the 3 rows.*scaling"):
        model.transform(X)
    bounded = model.set_params(activation="tanh").fit(X).transform(X)  # tanh takes any row
    assert np.isfinite(bounded).all()


def test_errors_say_where():
    X = series(20)
    model = small().fit(X)
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*row 7, column 1"):
        model.transform(bad)
    with pytest.raises(ValueError, match=r"series 1, time step 2, column 1"):
        model.transform([bad[:5], bad[5:]])
    with pytest.raises(ValueError, match="3 features"):
        model.transform(series(5, 3))
    with pytest.raises(SequenceError, match="swapaxes"):
        model.transform(series(40, 2).reshape(4, 2, 10))
    with pytest.raises(SequenceError, match="groups"):
        model.transform([X], groups=np.zeros(20))
