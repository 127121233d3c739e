"""The one file that imports private names of scikit-learn: parameter and name validation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names_in

from ._numbers import naming

__all__ = [
    "HasMethods",
    "StrOptions",
    "between",
    "check_values",
    "checked",
    "finite",
    "input_names",
    "negative_int",
    "non_negative",
    "positive",
    "positive_int",
    "unit_interval",
    "validate_parameters",
    "whole",
]

F = TypeVar("F", bound=Callable[..., Any])


def validate_parameters(estimator: Any) -> None:
    """Check the constructor arguments of `estimator` against its `_parameter_constraints`.

    Raises scikit-learn's ``InvalidParameterError`` (a ValueError) that names the parameter, the
    value and what is allowed.
    """
    _refuse_beyond_int64(type(estimator).__name__, estimator.get_params(deep=False))
    estimator._validate_params()


def checked(*, made: bool = False, **constraints: list[Any]) -> Callable[[F], F]:
    """Decorator: arguments of a public function are checked as parameters of estimators are.

    With `made` the function draws or computes its answer from nothing but these arguments, so an
    answer that is not finite is the fault of one of them, and is refused.
    """

    def decorate(function: F) -> F:
        names = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = names.bind(*args, **kwargs)
            given.apply_defaults()
            check_values(function.__name__, given.arguments, constraints)
            return _finitely(function, given) if made else function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def check_values(
    owner: str, values: Mapping[str, Any], constraints: Mapping[str, list[Any]]
) -> None:
    """Raise a ValueError for the first of `values` that its constraints do not allow."""
    _refuse_beyond_int64(owner, values)
    validate_parameter_constraints(constraints, values, owner)


def _finitely(function: Callable[..., Any], given: inspect.BoundArguments) -> Any:
    try:
        with np.errstate(all="ignore"):
            answer = function(*given.args, **given.kwargs)
        parts = answer if isinstance(answer, tuple) else (answer,)
        entries = [part.data if sparse.issparse(part) else part for part in parts]
        if all(np.isfinite(part).all() for part in entries):
            return answer
        reason = "the answer is not finite"
    except (OverflowError, ZeroDivisionError) as error:
        reason = str(error)
    values = ", ".join(f"{name}={value!r}" for name, value in given.arguments.items())
    raise ValueError(
        f"{function.__name__}({values}) leaves the range of floating-point numbers: {reason}. "
        "One of these arguments is too large or too small."
    )


def _refuse_beyond_int64(owner: str, values: Mapping[str, Any]) -> None:
    """Raise a ValueError for integers that no array can count to."""
    for name, value in values.items():
        if isinstance(value, int | np.integer) and abs(int(value)) >= 2**63:
            raise ValueError(
                f"The {name!r} parameter of {owner} is an integer of {int(value).bit_length()} "
                "bits; at most 63 can be counted with."
            )


class _Number(Interval):
    """scikit-learn's interval of the numbers that kernels take: no truth values, no fractions.

    Of NumPy's floats those of 32 and of 64 bits; the short ones are compared as Python's, since a
    bound beyond their range would overflow.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        if isinstance(val, np.float32):
            val = float(val)
        is_number = isinstance(val, int | float | np.integer) and not isinstance(val, bool)
        return is_number and super().is_satisfied_by(val)


def positive_int(lowest: int = 1) -> Interval:
    return _Number(Integral, lowest, None, closed="left")


def whole() -> Interval:
    return _Number(Integral, None, None, closed="neither")


def negative_int() -> Interval:
    return _Number(Integral, None, -1, closed="right")


def non_negative() -> Interval:
    return _Number(Real, 0, None, closed="left")


def finite() -> Interval:
    return _Number(Real, None, None, closed="neither")


def positive() -> Interval:
    return _Number(Real, 0, None, closed="neither")


def between(lowest: float, highest: float, closed: str = "both") -> Interval:
    return _Number(Real, lowest, highest, closed=closed)


def unit_interval(closed: str = "right") -> Interval:
    return _Number(Real, 0, 1, closed=closed)


def input_names(estimator: Any, input_features: Any = None) -> np.ndarray:
    """Names of the columns seen in `fit` (or ``x0, x1, ...``), checked against `input_features`."""
    with naming("input_features"):
        names = _check_feature_names_in(estimator, input_features)
    if any(not isinstance(name, str) for name in names):
        raise TypeError(f"input_features must be names, one a column; got {input_features!r}.")
    return names
