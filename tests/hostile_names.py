"""What a call with something hostile consists of."""

import inspect
import os
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

N_ROWS = 12
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
