"""What is public, found by walking the two packages, and a small instance of every estimator.

Whatever is to hold for all of it is tried on what this file finds, so that nothing new escapes.
"""

import functools
import importlib
import inspect
import pkgutil
from typing import Any

from sklearn.base import BaseEstimator

import filters
import reservoir
from filters.__main__ import main as filters_main
from reservoir import ESNRegressor
from reservoir.__main__ import main as reservoir_main

COMMAND_LINES = (filters_main, reservoir_main)
_OUR_PACKAGES = ("filters", "reservoir")

LEFT_OUT = {
    "filters.kernels": "kernels check nothing: their callers do",
    "reservoir.kernels": "kernels check nothing: their callers do",
}


def public_modules():
    """Every module without an underscore in its path that states what is public."""
    found = []
    for package in (filters, reservoir):
        names = [package.__name__] + [
            info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        ]
        for name in names:
            left_out = any(name == part or name.startswith(part + ".") for part in LEFT_OUT)
            if not left_out and "._" not in name:
                found.append(importlib.import_module(name))
    return found


@functools.cache
def public_names():
    """Name -> thing for all of them; a module without ``__all__`` gives what it defines."""
    found = {}
    for module in public_modules():
        own = [
            name
            for name, thing in vars(module).items()
            if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
        ]
        for name in getattr(module, "__all__", own):
            found[name] = getattr(module, name)
    return found | {f"{line.__module__}.main": line for line in COMMAND_LINES}


def methods_of(thing):
    """What a class or an instance of ours can be asked to do, by name; nothing of scikit-learn's.

    Properties answer without arguments, requests of metadata are scikit-learn's.
    """
    found = {}
    for name in dir(thing):
        if name.startswith("_") or name.endswith("_request"):
            continue
        if isinstance(inspect.getattr_static(thing, name), property):
            continue
        method = getattr(thing, name, None)
        if callable(method) and getattr(method, "__module__", "").startswith(_OUR_PACKAGES):
            found[name] = method
    return found


def is_estimator(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseEstimator) and hasattr(thing, "fit")


ESTIMATORS = {k: v for k, v in sorted(public_names().items()) if is_estimator(v)}

# Small, so that thousands of calls take seconds.
SMALL: dict[str, dict[str, Any]] = {
    "ActiveNoiseController": {"secondary_path": [1.0, 0.3]},
    "AdalineClassifier": {"max_iter": 2},
    "AdalineRegressor": {"max_iter": 2},
    "EchoCanceller": {"n_taps": 3},
    "ESNClassifier": {"n_units": 5},
    "ESNEnsemble": {"estimator": ESNRegressor(5), "n_members": 2, "random_state": 0},
    "ESNForecaster": {"estimator": ESNRegressor(5, random_state=0)},
    "ESNRegressor": {"n_units": 5},
    "ESNRegressorCV": {"n_units": 5, "alphas": (1e-3, 1.0)},
    "ESNSearchCV": {
        **{"estimator": ESNRegressor(5), "n_iter": 2, "n_seeds": 1, "alphas": (1e-3, 1.0)},
        "random_state": 0,
    },
    "ESNSequenceClassifier": {"n_units": 5},
    "ESNSequenceRegressor": {"n_units": 5},
    "FilteredXFilter": {"n_taps": 2, "secondary_path": [1.0, 0.3]},
    "FrequencyDomainFilter": {"n_taps": 2, "block_size": 2},
    "LiquidStateMachine": {"n_units": 8, "steps_per_row": 2},
    "Reservoir": {"n_units": 5},
    "ReservoirFeatures": {"n_units": 5},
    "TapDelay": {"n_taps": 2},
    "NVAR": {"delay": 1},
}
SMALL_BY_PARAMETER = {"n_units": 5, "max_iter": 1, "hidden_sizes": (3,), "n_taps": 2}


@functools.cache
def small(name):
    cls = ESTIMATORS[name]
    known = inspect.signature(cls).parameters
    by_parameter = {k: v for k, v in SMALL_BY_PARAMETER.items() if k in known}
    given = {**by_parameter, **SMALL.get(name, {})}
    if "random_state" in known:
        given.setdefault("random_state", 0)
    return cls(**given)
