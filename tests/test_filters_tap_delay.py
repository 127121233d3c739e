"""The delay line as a transformer."""

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from filters import RLSFilter, TapDelay
from filters.timeseries import delay_embed

X = np.random.default_rng(0).standard_normal((30, 2))


def by_definition(rows, n_taps, stride):
    """z(t) = [x(t), x(t - s), ...], zeros before the start."""
    out = np.zeros((len(rows), n_taps, rows.shape[1]))
    for t in range(len(rows)):
        for j in range(n_taps):
            if t - j * stride >= 0:
                out[t, j] = rows[t - j * stride]
    return out.reshape(len(rows), -1)


@pytest.mark.parametrize("n_taps", [1, 2, 5, 40])
@pytest.mark.parametrize("stride", [1, 3])
def test_rows_are_the_present_and_the_past_newest_first(n_taps, stride):
    wanted = by_definition(X, n_taps, stride)
    np.testing.assert_array_equal(TapDelay(n_taps, stride=stride).fit_transform(X), wanted)
    np.testing.assert_array_equal(delay_embed(X, n_taps, stride=stride), wanted)
    one = delay_embed(X[:, 0], n_taps, stride=stride)
    np.testing.assert_array_equal(one, by_definition(X[:, :1], n_taps, stride))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n_taps=st.integers(1, 6), stride=st.integers(1, 4), cut=st.integers(1, 29))
def test_the_delay_line_is_handed_over(n_taps, stride, cut):
    delay = TapDelay(n_taps, stride=stride).fit(X)
    whole = delay.transform(X)
    first, state = delay.transform(X[:cut], return_state=True)
    second, last = delay.transform(X[cut:], initial_state=state, return_state=True)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(first, whole[:cut])
    n_history = (n_taps - 1) * stride
    padded = np.concatenate([np.zeros((n_history, 2)), X])
    np.testing.assert_array_equal(last, padded[len(padded) - n_history :].ravel())


def test_series_do_not_leak_into_each_other():
    delay = TapDelay(3).fit(X)
    for part, rows in zip(delay.transform([X[:5], X[5:6]]), (X[:5], X[5:6]), strict=True):
        np.testing.assert_array_equal(part, delay.transform(rows))


def test_delay_line_and_least_squares_are_what_rls_computes():
    y = naive.delay_rows(X, 3) @ np.arange(6.0) + 0.1 * np.random.default_rng(1).standard_normal(30)
    model = make_pipeline(TapDelay(3), LinearRegression(fit_intercept=False)).fit(X, y)
    rls = RLSFilter(3, forgetting_factor=1.0, delta=1e-9).fit(X, y)
    np.testing.assert_allclose(rls.coef_.T.ravel(), model[-1].coef_, rtol=0, atol=1e-6)


def test_names_tell_feature_and_lag():
    delay = TapDelay(2, stride=3).fit(X)
    assert delay.get_feature_names_out().tolist() == ["x0", "x1", "x0_lag3", "x1_lag3"]
    assert delay.get_feature_names_out(["u", "v"]).tolist() == ["u", "v", "u_lag3", "v_lag3"]
    frame = TapDelay(2).set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["x0", "x1", "x0_lag1", "x1_lag1"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    assert TapDelay(3).fit_transform(X.astype(dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.zeros(3), r"initial_state must have shape \(4,\) or \(1, 4\), got \(3,\)"),
        (np.zeros((2, 4)), r"got \(2, 4\)"),
        ([0.0, 0.0, np.nan, 0.0], "initial_state contains NaN"),
    ],
)
def test_states_that_do_not_fit_are_refused(state, message):
    with pytest.raises(ValueError, match=message):
        TapDelay(3).fit(X).transform(X, initial_state=state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((X, 0), {}), "The 'n_taps' parameter .* Got 0"),
        (((X, 2), {"stride": 0}), "The 'stride' parameter .* Got 0"),
        (((np.zeros((2, 3, 4)), 2), {}), r"one series .* got shape \(2, 3, 4\)"),
        (((X, 3), {"history": np.zeros((1, 2))}), r"shape \(2, 2\), got \(1, 2\)"),
    ],
)
def test_delay_embed_says_what_does_not_fit(arguments, message):
    positional, named = arguments
    with pytest.raises(ValueError, match=message):
        delay_embed(*positional, **named)
