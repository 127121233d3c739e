"""What is public, and what a call with something hostile consists of.

Public is what a walk of the two packages finds.
"""

import functools
import importlib
import inspect
import os
import pkgutil
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from sklearn.base import BaseEstimator

import filters
import reservoir
from filters.__main__ import main as filters_main
from reservoir.__main__ import main as reservoir_main

COMMAND_LINES = (filters_main, reservoir_main)
OUR_PACKAGES = ("filters", "reservoir")
N_ROWS = 12
LEFT_OUT = {
    "filters.kernels": "kernels check nothing: their callers do",
    "reservoir.kernels": "kernels check nothing: their callers do",
}
ROW_IS_A_CASE = ("Sequence", "ReservoirFeatures", "Seq2Seq")
# One call in so many is made; 1 makes them all.
EVERY = int(os.environ.get("HOSTILE_EVERY", "20"))
# An argument -> what else an error about it may call it.
WORDS = {
    "X": {"input", "Input", "series", "sequence", "features"},
    "context": {"X", "series", "features"},
    "exog": {"X", "series", "features"},
    "x": {"X", "signal", "channel"},
    "d": {"y", "signal", "output"},
    "y": {"label", "class", "target", "output"},
    "e": {"error", "output"},
    "sample_weight": {"weight"},
    "n_steps": {"steps"},
    "groups": {"series"},
    "correlation": {"R "},
    "topology": {"spectral_radius"},
    "cv": {"n_splits"},
    "estimator": {"network"},
    "model": {"forecast"},
    "models": {"model"},
    "tasks": {"task"},
    "n_jobs": {"jobs"},
    "filter": {"estimator"},
}


class Call(NamedTuple):
    """One call: what it is called, how it is made, from what, and what an error may name."""

    label: str
    make: Any
    given: Any
    words: set
    finite: bool = True
    refused: bool = False


def is_taken(label):
    """Whether a call of this name is made, the same ones in every run."""
    return crc32(label.encode()) % EVERY == 0


def taken(calls):
    """The share of `calls` that is made."""
    return (call for call in calls if is_taken(call.label))


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


def is_estimator(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseEstimator) and hasattr(thing, "fit")


ESTIMATORS = {k: v for k, v in sorted(public_names().items()) if is_estimator(v)}


def methods_of(thing, skipped=frozenset()):
    """What a class or an instance of ours can be asked to do, by name; nothing of scikit-learn's.

    Properties answer without arguments, requests of metadata are scikit-learn's.
    """
    found = {}
    for name in dir(thing):
        if name.startswith("_") or name in skipped or name.endswith("_request"):
            continue
        if isinstance(inspect.getattr_static(thing, name), property):
            continue
        method = getattr(thing, name, None)
        if callable(method) and getattr(method, "__module__", "").startswith(OUR_PACKAGES):
            found[name] = method
    return found


def base_rows(name=""):
    width = 8 if any(part in name for part in ROW_IS_A_CASE) else 2
    return np.random.default_rng(0).standard_normal((N_ROWS, width))


def arguments_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [
        p
        for p in parameters
        if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
