"""Families of estimators that share what they can do, and with it the laws they are under."""

import functools
import inspect
from typing import NamedTuple

from public_names import small
from sklearn.base import is_classifier


class Family(NamedTuple):
    """Members, what all of them can do (see `capabilities`), and what a row of X is to them."""

    name: str
    members: tuple
    can: frozenset
    rows: str = "step"  # a time step; "case": a whole sequence or an independent sample
    least_features: int = 1

    @property
    def exact(self):
        """Whether bits are promised however rows are cut: no matrix product spans several rows."""
        return self.name in ("filter", "task", "line", "equalizer", "memory", "unit")


_ROWS = frozenset({"groups"})
_FILTERS = (
    *("AffineProjectionFilter", "FilteredXFilter", "FrequencyDomainFilter", "LMSFilter"),
    *("NLMSFilter", "ProportionateFilter", "RLSFilter", "SetMembershipFilter"),
    *("TransformDomainFilter", "VariableStepFilter", "VolterraFilter"),
)
_ONLINE = _ROWS | {"partial_fit", "stream"}
_STATE = {"initial_state"}
FAMILIES = [
    Family("filter", _FILTERS, _ONLINE | _STATE | {"predict", "adapt", "numbers"}),
    Family(
        "task",
        ("ActiveNoiseController", "EchoCanceller", "NoiseCanceller"),
        _ONLINE | {"transform", "online"},
        least_features=2,
    ),
    Family("line", ("AdaptiveNotch", "LineEnhancer"), _ONLINE | {"transform", "online"}),
    Family("equalizer", ("ChannelEqualizer",), _ONLINE | {"predict", "numbers"}),
    Family(
        "memory",
        ("LiquidStateMachine", "NVAR", "Reservoir", "TapDelay"),
        _ROWS | _STATE | {"transform"},
    ),
    Family(
        "regressor",
        ("ESNRegressor", "MemoryRegressor"),
        _ONLINE | _STATE | {"predict", "forecast", "sample_weight", "numbers"},
    ),
    Family(
        "classifier",
        ("ESNClassifier", "MemoryClassifier"),
        _ONLINE | _STATE | {"predict", "predict_proba", "decision_function", "sample_weight"},
    ),
    Family(
        "selection",
        ("ESNRegressorCV",),
        _ROWS | _STATE | {"stream", "predict", "forecast", "sample_weight", "numbers"},
    ),
    Family(
        "search",
        ("ESNSearchCV",),
        _ROWS | {"stream", "predict", "forecast", "sample_weight", "numbers"},
    ),
    Family(
        "ensemble", ("ESNEnsemble",), _ROWS | {"predict", "forecast", "sample_weight", "numbers"}
    ),
    Family("forecaster", ("ESNForecaster", "RNNForecaster"), _ROWS | {"predict", "forecast"}),
    Family(
        "network",
        ("RNNRegressor",),
        _ONLINE | _STATE | {"predict", "transform", "forecast", "sample_weight", "numbers"},
    ),
    Family(
        "labelling network",
        ("RNNClassifier",),
        _ONLINE | _STATE | {"predict", "predict_proba", "transform", "sample_weight"},
    ),
    Family(
        "sequence regressor",
        ("ESNSequenceRegressor",),
        {"predict", "sample_weight", "numbers"},
        "case",
    ),
    Family(
        "sequence classifier",
        ("ESNSequenceClassifier",),
        {"predict", "predict_proba", "decision_function", "sample_weight"},
        "case",
    ),
    Family("sequence features", ("ReservoirFeatures",), {"transform", "sample_weight"}, "case"),
    Family(
        "sequence network",
        ("RNNSequenceRegressor", "Seq2Seq"),
        {"predict", "transform", "partial_fit", "sample_weight", "numbers"},
        "case",
    ),
    Family(
        "labelling sequence network",
        ("RNNSequenceClassifier",),
        {"predict", "predict_proba", "transform", "partial_fit", "sample_weight"},
        "case",
    ),
    Family("unit", ("AdalineRegressor",), {"predict", "partial_fit", "numbers"}, "case"),
    Family(
        "labelling unit",
        ("AdalineClassifier",),
        {"predict", "decision_function", "partial_fit"},
        "case",
    ),
]
FAMILY_OF = {name: family for family in FAMILIES for name in family.members}
_METHODS = (
    *("predict", "predict_proba", "decision_function", "transform"),
    *("partial_fit", "adapt", "stream", "forecast"),
)


def target_of(name, estimator):
    """What `estimator` is told to predict: "numbers", "labels", or "nothing" beside the series."""
    if name.endswith("Forecaster") or not hasattr(estimator, "predict"):
        return "nothing"
    return "labels" if is_classifier(estimator) else "numbers"


@functools.cache
def capabilities(name):
    """What an estimator offers that a law may speak of, as far as it can be seen.

    Names of methods; "sample_weight" and "groups", if `fit` takes them; "numbers", if these are
    the target; "initial_state", if every `predict` and `transform` takes one and returns the state;
    "online", if `fit_transform` is the answer while learning.
    """
    estimator = small(name)
    found = {method for method in _METHODS if hasattr(estimator, method)}
    fit = inspect.signature(estimator.fit).parameters
    found |= {"sample_weight", "groups"} & fit.keys()
    if "fit_params" in fit:  # as its members take them
        found.add("groups")
    if target_of(name, estimator) == "numbers":
        found.add("numbers")
    main = [inspect.signature(getattr(estimator, m)) for m in found & {"predict", "transform"}]
    if all({"initial_state", "return_state"} <= signature.parameters.keys() for signature in main):
        found.add("initial_state")
    if {"transform", "partial_fit", "stream"} <= found and "predict" not in found:
        found.add("online")
    return frozenset(found)
