"""Hostile rows, targets and parameters: models of reservoirs work or say why not."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from filters import RLSFilter
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
