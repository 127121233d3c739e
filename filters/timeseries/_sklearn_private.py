"""The one file that imports private names of scikit-learn: parameter and name validation."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "between",
    "finite",
    "input_names",
    "non_negative",
    "positive",
    "positive_int",
    "unit_interval",
    "validate_parameters",
]


def validate_parameters(estimator: Any) -> None:
    """Check the constructor arguments of `estimator` against its `_parameter_constraints`.

    Raises scikit-learn's ``InvalidParameterError`` (a ValueError) that names the parameter, the
    value and what is allowed.
    """
    estimator._validate_params()


def positive_int(lowest: int = 1) -> Interval:
    return Interval(Integral, lowest, None, closed="left")


def non_negative() -> Interval:
    return Interval(Real, 0, None, closed="left")


def finite() -> Interval:
    return Interval(Real, None, None, closed="neither")


def positive() -> Interval:
    return Interval(Real, 0, None, closed="neither")


def between(lowest: float, highest: float) -> Interval:
    return Interval(Real, lowest, highest, closed="both")


def unit_interval(closed: str = "right") -> Interval:
    return Interval(Real, 0, 1, closed=closed)


def input_names(estimator: Any, input_features: Any = None) -> np.ndarray:
    """Names of the columns seen in `fit` (or ``x0, x1, ...``), checked against `input_features`."""
    return _check_feature_names_in(estimator, input_features)
