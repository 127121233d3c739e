"""Every public estimator: its methods, sessions and parameters, one hostile argument at a time.

An argument of a method that has no good value here raises a KeyError.
"""

import functools
import inspect
import pickle
import warnings
from numbers import Integral

import numpy as np
from hostile_names import (
    N_ROWS,
    WORDS,
    Call,
    arguments_of,
    base_rows,
)
from hostile_values import ODD, ROWS, copied
from public_names import ESTIMATORS, methods_of, small
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.utils._param_validation import Interval, StrOptions, make_constraint

from filters.timeseries import mse


def good_target(estimator, rows):
    name = type(estimator).__name__
    if name.endswith("Forecaster"):
        return None
    if is_classifier(estimator):
        return np.arange(N_ROWS) % 2
    if name == "ChannelEqualizer":
        return np.sign(rows[:, 0])
    return rows @ np.arange(1.0, rows.shape[1] + 1)


def good_arguments(name):
    """An argument of any method -> something that works."""
    rows = base_rows(name)
    target = good_target(small(name), rows)
    return {
        "X": rows,
        "y": target,
        "x": rows,
        "d": target,
        "e": 0.1,
        "sample_weight": np.ones(N_ROWS),
        "groups": np.repeat([0, 1], N_ROWS // 2),
        "initial_state": None,
        "update_mask": np.ones(N_ROWS, dtype=bool),
        "y_context": None,
        "classes": np.array([0, 1]),
        "input_features": None,
        "context": rows,
        "exog": None,
        "state": None,
        "n_steps": 3,
        "horizon": 2,
        "n_origins": 2,
        "refit": False,
        "metric": mse,
        "return_state": False,
        "return_std": False,
        "bands": None,
        "length": 2,
        "output": 0,
        "step": -1,
    }


ARRAYS = {
    *("X", "y", "x", "d", "e", "sample_weight", "groups", "initial_state", "update_mask"),
    *("y_context", "classes", "input_features", "context", "exog", "state"),
}
ODD_TOO = {"initial_state", "groups", "update_mask", "classes", "input_features", "state", "e"}
# Anything with a truth value is a flag, as everywhere in Python.
FLAGS = {"return_state", "return_std", "refit"}
ONE_AXIS = {"y", "d", "e", "sample_weight", "groups", "update_mask", "classes", "input_features"}


def hostile_values(argument, base):
    """Kind -> a fresh hostile value for an argument that holds an array like `base`."""

    def made(function):
        value = function(base.copy())
        if argument in ONE_AXIS and isinstance(value, np.ndarray) and value.ndim == 2:
            value = value[:, 0] if value.shape[1] else value
        return value

    kinds = {kind: functools.partial(made, function) for kind, function in ROWS.items()}
    if argument in ODD_TOO:
        kinds |= {f"odd: {kind}": functools.partial(copied, v) for kind, v in ODD.items()}
    return kinds


def array_for(argument, name, good):
    if argument in ("y", "d"):
        column = np.asarray(good_target(small(name), base_rows(name)), dtype=float)
        return np.column_stack([column, column])
    if argument in ONE_AXIS | {"initial_state"}:
        return np.abs(base_rows())
    return good["X"]


@functools.cache
def fitted(name, *, forecasts=False):
    """A fitted estimator, pickled."""
    good = good_arguments(name)
    model = clone(small(name))
    if forecasts and good["y"] is not None:
        good["y"] = np.roll(good["X"], -1, axis=0)
    parameters = inspect.signature(model.fit).parameters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the readout repeats so few rows
        model.fit(good["X"], good["y"]) if "y" in parameters else model.fit(good["X"])
    return pickle.dumps(model)


def varied(function, good, name):
    """(argument, kind, other arguments, maker) for one hostile argument at a time."""
    parameters = arguments_of(function)
    needed = {p.name for p in parameters if p.default is p.empty}
    if "y" in good and good["y"] is not None:
        needed |= {"y"} & {p.name for p in parameters}
    for argument in (p.name for p in parameters):
        if argument in FLAGS:
            continue
        if argument not in good:
            raise KeyError(f"no recipe for the argument {argument!r} of {name}.{function}")
        rest = {key: good[key] for key in needed - {argument}}
        if argument in ARRAYS:
            if argument == "y" and good["y"] is None:
                continue
            kinds = hostile_values(argument, array_for(argument, name, good))
        else:
            kinds = {kind: functools.partial(copied, v) for kind, v in ODD.items()}
        for kind, maker in kinds.items():
            yield argument, kind, rest, maker


def method_calls(name):
    """Every method of an estimator with every argument hostile in turn."""
    good = good_arguments(name)
    model = pickle.loads(fitted(name))
    for method, function in methods_of(model).items():
        forecasts = method in ("forecast", "backtest")
        saved = fitted(name, forecasts=forecasts)
        for argument, kind, rest, maker in varied(function, good, name):

            def make(value, saved=saved, method=method, argument=argument, rest=rest):
                target = pickle.loads(saved)
                answer = getattr(target, method)(**rest, **{argument: value})
                return answer, target

            label = f"{name}.{method}({argument}={kind})"
            words = {name, argument, *rest, *WORDS.get(argument, ())}
            yield Call(label, make, maker, words)


def first_row(maker):
    """The first of the rows that `maker` gives, if they can be told apart."""
    value = maker()
    if hasattr(value, "iloc"):
        return value.iloc[0] if len(value) else value
    has_rows = isinstance(value, list | tuple) or (
        getattr(value, "ndim", 0) and not isinstance(value, memoryview)
    )
    return value[0] if has_rows and not sparse.issparse(value) and len(value) else value


def session_calls(name):
    """Every method of a session of `stream()`, where the estimator has one."""
    model = pickle.loads(fitted(name))
    if not hasattr(model, "stream"):
        return
    good = good_arguments(name)
    for method, function in methods_of(model.stream()).items():
        if method == "at":
            good["state"] = model.stream().state
        for argument, kind, rest, maker in varied(function, good, name):

            def make(value, method=method, argument=argument, rest=rest):
                session = pickle.loads(fitted(name)).stream()
                one = method.endswith("_one")
                rest = {k: v[0] if one and k in "xy" else v for k, v in rest.items()}
                if method == "learn_error":
                    session.predict_one(good["X"][0])
                return getattr(session, method)(**rest, **{argument: value})

            label = f"{name}.stream().{method}({argument}={kind})"
            if method.endswith("_one") and argument in "xy":
                maker = functools.partial(first_row, maker)
            words = {name, argument, "Stream", "X", "x", "y", "series", "features", "channel"}
            yield Call(label, make, maker, words)


def around(constraint):
    """Values at, within and just outside what a constraint of a parameter allows."""
    if isinstance(constraint, set):
        constraint = StrOptions(constraint)
    if isinstance(constraint, Interval):
        ends = [end for end in (constraint.left, constraint.right) if end is not None]
        whole = constraint.type is Integral
        steps = (-1, 1) if whole else (-1.0, 1.0)
        for end in ends:
            yield from (end, *(end + step for step in steps))
            yield from () if whole else (np.nextafter(end, -np.inf), np.nextafter(end, np.inf))
        if len(ends) == 2 and not whole:
            yield sum(ends) / 2
    elif isinstance(constraint, StrOptions):
        for option in sorted(constraint.options):
            yield from (option, option.upper(), f" {option}")
        yield "no such thing"
    elif constraint == "boolean":
        yield from (True, False, np.bool_(False), 2, "True")
    elif constraint is None:
        yield None


def values_of(constraints):
    """Kind -> value for one parameter: odd ones, and those around its own constraints."""
    values = dict(ODD)
    if constraints != "no_validation":
        for constraint in constraints:
            values |= {f"{value!r} at its bounds": value for value in around(constraint)}
    return values


def is_allowed(value, constraints):
    """Whether a parameter's constraints allow a value."""
    return constraints == "no_validation" or any(
        make_constraint(constraint).is_satisfied_by(value) for constraint in constraints
    )


def parameter_calls(name):
    """Every constructor parameter with every odd value, then `fit` and the first answer."""
    good, allowed = good_arguments(name), ESTIMATORS[name]._parameter_constraints
    for parameter in small(name).get_params(deep=False):
        constraints = allowed.get(parameter, "no_validation")
        for kind, value in values_of(constraints).items():

            def make(value, parameter=parameter):
                model = clone(small(name))
                setattr(model, parameter, value)
                takes_y = "y" in inspect.signature(model.fit).parameters
                model.fit(*(good["X"], good["y"]) if takes_y else (good["X"],))
                answers = getattr(model, "predict", None) or model.transform
                return answers(good["X"]), model

            label = f"{name}({parameter}={kind})"
            refused = not is_allowed(value, constraints)
            given = functools.partial(copied, value)
            words = {parameter, *WORDS.get(parameter, ())}
            yield Call(label, make, given, words, refused=refused)


def unfitted_calls(name):
    """Everything that needs a fit, before it."""
    good = good_arguments(name)
    for method in ("predict", "transform", "predict_proba", "decision_function", "forecast"):
        if hasattr(small(name), method):

            def make(_, method=method):
                argument = {"n_steps": 3} if method == "forecast" else {"X": good["X"]}
                getattr(clone(small(name)), method)(**argument)
                return np.nan  # an answer would be wrong

            yield Call(f"unfitted {name}.{method}", make, lambda: None, {"fitted"})
