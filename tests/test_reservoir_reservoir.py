"""Reservoir as a transformer, and what every estimator of the package does with hostile input."""

import pickle
from functools import partial

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from filters import RLSFilter
from filters.timeseries import DivergenceError, SequenceError
from reservoir import (
    ESNClassifier,
    ESNForecaster,
    ESNRegressor,
    ESNSequenceClassifier,
    MemoryClassifier,
    MemoryRegressor,
    Reservoir,
    ReservoirFeatures,
)

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


# ---- hostile --------------------------------------------------------------------------------

ROWS = {
    "ESNRegressor": ESNRegressor(6, random_state=0),
    "ESNRegressor deep": ESNRegressor([4, 3], random_state=0),
    "ESNRegressor feedback": ESNRegressor(6, feedback_scaling=0.5, random_state=0),
    "ESNRegressor online": ESNRegressor(6, readout=RLSFilter(), random_state=0),
    "ESNRegressor float32": ESNRegressor(6, dtype="float32", random_state=0),
    "ESNClassifier": ESNClassifier(6, random_state=0),
    "MemoryRegressor": MemoryRegressor(),
    "MemoryClassifier": MemoryClassifier(),
    "Reservoir": Reservoir(6, random_state=0),
    "ESNForecaster": ESNForecaster(ESNRegressor(6, random_state=0)),
    "ESNSequenceClassifier": ESNSequenceClassifier(6, random_state=0),
    "ReservoirFeatures": ReservoirFeatures(6, random_state=0),
}


def hostile_rows():
    good = np.random.RandomState(0).randn(40, 2)

    def poisoned(value):
        X = good.copy()
        X[17, 1] = value
        return X

    return {
        "nan": poisoned(np.nan),
        "infinity": poisoned(np.inf),
        "one huge value": poisoned(1e308),
        "huge": np.sign(good) * 1e308,
        "large": good * 1e200,
        "tiny": good * 1e-300,
        "zeros": np.zeros((40, 2)),
        "constant": np.full((40, 2), 0.1),
        "one row": good[:1],
        "no row": good[:0],
        "no column": good[:, :0],
        "one-dimensional": good[:, 0],
        "three-dimensional": good.reshape(4, 5, 4),
        "four-dimensional": good.reshape(2, 2, 5, 4),
        "strings": np.full((40, 2), "a"),
        "numbers as strings": np.full((40, 2), "1"),
        "complex": good * 1j,
        "objects": np.array([[object(), 1.0]] * 40),
        "booleans": good > 0,
        "nothing": None,
        "scalar": 3.0,
        "empty list": [],
        "list of empty lists": [[], []],
        "ragged": [[1.0, 2.0], [3.0]],
        "dates": pd.date_range("2020", periods=40).to_numpy()[:, None],
    }


def targets_for(estimator, X):
    n = np.shape(X)[0] if isinstance(X, np.ndarray) and X.ndim else 2
    if "Classifier" in type(estimator).__name__:
        return np.arange(n) % 2
    return np.linspace(0, 1, n) if n else np.empty(0)


def fit_on(estimator, X, y):
    return estimator.fit(X) if isinstance(estimator, ESNForecaster) else estimator.fit(X, y)


def answers_of(estimator, X):
    """Everything the estimator says after a fit on X, as one flat list of numbers."""
    if isinstance(estimator, ESNForecaster):
        fitted = estimator.fit(X)
        return np.concatenate([np.ravel(fitted.predict(X)), np.ravel(fitted.forecast(3))])
    if hasattr(estimator, "transform"):
        return np.ravel(np.concatenate([np.ravel(part) for part in estimator.fit_transform(X)]))
    fitted = estimator.fit(X, targets_for(estimator, X))
    answers = [fitted.predict(X), fitted.coef_, fitted.intercept_]
    if hasattr(fitted, "predict_proba"):
        answers.append(fitted.predict_proba(X))
    return np.concatenate([np.ravel(answer) for answer in answers])


def assert_finite_or_refused(call):
    """`call` gives finite numbers, or an error that says what and where."""
    try:
        answers = call()
    except (ValueError, TypeError) as error:
        message = str(error)
    else:
        message = None
        assert np.isfinite(np.asarray(answers, dtype=float)).all()
    assert message is None or len(message) > 15
    assert message != "array must not contain infs or NaNs"


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what such rows do to a fit
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("kind", hostile_rows())
@pytest.mark.parametrize("name", ROWS)
def test_hostile_rows_work_or_are_refused_clearly(name, kind):
    assert_finite_or_refused(lambda: answers_of(clone(ROWS[name]), hostile_rows()[kind]))


MUST_WORK = ["zeros", "constant", "tiny", "booleans"]
MUST_FAIL = ["nan", "infinity", "no row", "no column", "strings", "complex", "objects", "nothing"]
MUST_FAIL += ["one-dimensional", "four-dimensional", "scalar", "empty list", "ragged"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("name", ROWS)
def test_harmless_rows_work_and_impossible_ones_do_not(name):
    for kind in MUST_WORK:
        answers_of(clone(ROWS[name]), hostile_rows()[kind])
    for kind in MUST_FAIL:
        with pytest.raises((ValueError, TypeError)):
            answers_of(clone(ROWS[name]), hostile_rows()[kind])


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what such rows do to a fit
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [n for n in ROWS if "Regressor" in n])
@pytest.mark.parametrize("y", [np.inf, 1e308, 1e200, 1e39, "a", 1j])
def test_hostile_targets_work_or_are_refused_clearly(name, y):
    X, targets = np.random.RandomState(0).randn(40, 2), np.full(40, y)
    targets[::2] = "b" if isinstance(y, str) else -targets[::2]
    assert_finite_or_refused(lambda: clone(ROWS[name]).fit(X, targets).predict(X))


@pytest.mark.parametrize("name", ROWS)
def test_another_number_of_features_is_refused(name):
    good, estimator = np.random.RandomState(0).randn(40, 2), clone(ROWS[name])
    y = targets_for(estimator, good)
    fit_on(estimator, good, y)
    use = estimator.transform if hasattr(estimator, "transform") else estimator.predict
    with pytest.raises(ValueError, match="features"):
        use(good[:, [0, 1, 1]])


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what such rows do to a fit
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [n for n in ROWS if "Seq" not in n and "Features" not in n])
def test_answers_that_overflow_are_never_silent(name):
    """Fitted on ordinary rows, asked about rows near the end of the number range."""
    good, estimator = np.random.RandomState(0).randn(40, 2), clone(ROWS[name])
    y = 100 * targets_for(estimator, good)
    fit_on(estimator, good, y)
    use = estimator.transform if hasattr(estimator, "transform") else estimator.predict
    for far in ([1e308, 1e308], [1e308, -1e308], [1e39, 1e39]):
        assert_finite_or_refused(partial(use, np.tile(far, (5, 1))))


BAD_PARAMETERS = [
    ("n_units", 0),
    ("n_units", 2.5),
    ("n_units", -3),
    ("spectral_radius", -1),
    ("spectral_radius", np.nan),
    ("spectral_radius", np.inf),
    ("spectral_radius", "big"),
    ("leak_rate", 1.5),
    ("leak_rate", -0.1),
    ("leak_rate", "slow"),
    ("input_scaling", np.nan),
    ("bias_scaling", -1),
    ("density", 0),
    ("density", 1.5),
    ("topology", "spaghetti"),
    ("topology", 7),
    ("input_weights", "normal"),
    ("activation", "softplus"),
    ("activation", np.tanh),
    ("dtype", "float16"),
    ("random_state", "lucky"),
    ("washout", -1),
    ("washout", 1.5),
    ("alpha", -1.0),
    ("alpha", np.nan),
    ("noise", -0.1),
    ("feedback_scaling", -1),
    ("fit_intercept", "yes"),
    ("include_input", None),
    ("readout", "ridge"),
    ("pooling", "median"),
    ("bidirectional", 3),
    ("horizon", 0),
    ("transformer", "log"),
    ("difference", 1.0),
]


@pytest.mark.parametrize(("parameter", "value"), BAD_PARAMETERS, ids=str)
def test_parameters_out_of_range_are_named(parameter, value):
    X = np.random.RandomState(0).randn(40, 2)
    having = [e for e in ROWS.values() if parameter in e.get_params(deep=False)]
    assert having
    for estimator in having:
        changed = clone(estimator).set_params(**{parameter: value})
        with pytest.raises(ValueError, match=parameter):
            fit_on(changed, X, targets_for(changed, X))
