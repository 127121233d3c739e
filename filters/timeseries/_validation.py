"""From what the caller gave to arrays a kernel can take: validated rows, targets and weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from ._errors import SequenceError
from ._numbers import as_numbers, naming, refuse_dates, refuse_records
from ._sequences import Stacked, as_cases, as_series, holds_series

FLOATS = (np.float64, np.float32)
_LARGEST_WEIGHT = 1e100
TargetKind = Literal["none", "numeric", "labels"]


class TargetForm(NamedTuple):
    """How the targets came at `fit`, so that answers go back the same way."""

    ndim: int = 1
    is_pandas: bool = False
    names: tuple[Any, ...] = ()

    def restore(self, stacked: Stacked, values: np.ndarray) -> Any:
        """Answer in X's container; a MultiIndex frame gives pandas if the targets were pandas.

        scikit-learn's stacking and `TransformedTargetRegressor` fit with array targets and expect
        array answers, so a frame alone does not decide.
        """
        if self.ndim == 1 and values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if stacked.container != "frame":
            return stacked.restore(values)
        if not self.is_pandas:
            return values
        if values.ndim == 1:
            return stacked.restore(values).rename(self.names[0])
        return stacked.restore(values, columns=list(self.names) or None)


@dataclass(frozen=True)
class SeriesData:
    """Validated series.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_features), float64 or float32, C-contiguous
    targets : ndarray of shape (n_rows, n_outputs), labels of shape (n_rows,), or None
    weights : ndarray of float64, shape (n_rows,), or None
        Sample weights; zero where a row is unlabelled. None where all are one.
    stacked : Stacked
        Offsets of the series and the way back into the caller's container.
    form : TargetForm
        How the targets came.
    """

    rows: np.ndarray
    targets: Any
    weights: np.ndarray | None
    stacked: Stacked
    form: TargetForm


def check_series(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    reset: bool,
    target: TargetKind = "none",
    sample_weight: Any = None,
    groups: Any = None,
    allow_unlabelled: bool = False,
    allow_no_label: bool = False,
) -> SeriesData:
    """Validate row-wise data for `estimator` (sets `n_features_in_` when `reset`).

    Parameters
    ----------
    estimator : estimator
        Whose feature count and names are set or compared.
    X, groups
        See `as_series`.
    y : array-like in X's container, default=None
        Targets; required unless `target` is "none".
    reset : bool
        True in `fit`, False where the number of features must match.
    target : {"none", "numeric", "labels"}, default="none"
        What `y` holds.
    sample_weight : array-like in X's container, default=None
        Non-negative weight of each row.
    allow_unlabelled : bool, default=False
        Whether NaN in `y` means "no target here": such rows get weight zero.
    allow_no_label : bool, default=False
        Whether all rows may be so, or all of weight zero (a chunk between others).

    Raises
    ------
    SequenceError
        As `as_series`, and where `y` or `sample_weight` is not in X's container.
    ValueError
        For NaN or infinity (with the place), complex data, wrong lengths or feature counts.
    """
    stacked = as_series(X, groups=groups)
    _explain_feature_count(estimator, stacked, X, reset)
    # Lets scikit-learn phrase the missing target.
    extra = {"y": None} if y is None and target != "none" else {}
    rows = _validated(estimator, stacked.rows, reset=reset, order="C", **extra)
    check_finite(rows, stacked)
    if target == "none":
        return SeriesData(rows, None, None, stacked, TargetForm())
    with naming("y"):
        targets = stacked.align(y)
        targets = targets if hasattr(targets, "ndim") else np.asarray(targets)
    form = TargetForm(1 if targets.ndim == 1 else 2, *_pandas_names(y))
    with naming("sample_weight"):
        weights = stacked.align(sample_weight, "sample_weight")
    weights = check_weights(weights, rows.shape[0])
    if target == "numeric":
        targets, unlabelled = _numeric_targets(estimator, targets, stacked, allow_unlabelled)
    else:
        targets, unlabelled = _label_targets(targets, allow_unlabelled)
    if targets.shape[0] != rows.shape[0]:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {rows.shape[0]} "
            f"rows, y has {targets.shape[0]}."
        )
    if not allow_no_label and weights is not None and not (weights > 0).any():
        raise ValueError("All sample weights are zero: there is nothing to learn from.")
    if unlabelled.any():
        if unlabelled.all() and not allow_no_label:
            raise ValueError("Input y contains NaN in every row: there is nothing to learn from.")
        weights = np.ones(rows.shape[0]) if weights is None else weights
        weights = np.where(unlabelled, 0.0, weights)
    return SeriesData(rows, targets, weights, stacked, form)


def check_cases(estimator: Any, X: Any, *, reset: bool) -> SeriesData:
    """Validate a collection of whole sequences; one series of the answer is one case.

    Sets or compares `n_features_in_`: the number of time steps for a 2-D `X` (as scikit-learn
    counts), the number of features a step otherwise.

    Raises
    ------
    SequenceError, ValueError
        As `check_series`.
    """
    if holds_series(X):
        stacked = as_series(X)
        n_features_in = stacked.rows.shape[1]
        refuse_dates(stacked.rows, "X")
        with naming("X"):
            rows = check_array(
                stacked.rows, dtype=FLOATS, ensure_all_finite=False, order="C", input_name="X"
            )
    else:
        table = _validated(estimator, X, reset=reset)
        stacked = as_cases(table)
        n_features_in = table.shape[1]
        rows = np.ascontiguousarray(stacked.rows)
    n_channels = rows.shape[1]
    check_finite(rows, stacked)
    if reset:
        estimator.n_features_in_ = n_features_in
        estimator._n_channels = n_channels
    elif n_channels != estimator._n_channels:
        hint = ""
        if stacked.container == "panel" and stacked.lengths[0] == estimator._n_channels:
            hint = " Channels seem to stand before time: np.swapaxes(X, 1, 2) turns them."
        raise SequenceError(
            f"X has {n_channels} features a time step, but {type(estimator).__name__} was fitted "
            f"with {estimator._n_channels}.{hint}"
        )
    return SeriesData(rows, None, None, stacked, TargetForm())


def check_finite(rows: np.ndarray, stacked: Stacked | None = None, name: str = "X") -> None:
    """Raise a ValueError that says where the first NaN or infinity of `rows` stands."""
    if _sums_finitely(rows):
        return
    bad = ~np.isfinite(rows)  # also clears sums that overflowed
    if not bad.any():
        return
    row, column = (int(i) for i in np.argwhere(bad.reshape(rows.shape[0], -1))[0])
    value = rows.reshape(rows.shape[0], -1)[row, column]
    kind = "NaN" if np.isnan(value) else "infinity"
    place = f"row {row}, column {column}"
    if stacked is not None and stacked.n_series > 1:
        i = int(np.searchsorted(stacked.starts, row, side="right")) - 1
        place = f"series {i}, time step {row - int(stacked.starts[i])}, column {column}"
    raise ValueError(
        f"Input {name} contains {kind}: {int(bad.sum())} value(s), the first at {place}. "
        "Fill or drop them first."
    )


def _sums_finitely(rows: np.ndarray) -> bool:
    """Whether the sum is finite: proves finite entries without a mask as large as the data."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(rows.sum(dtype=np.float64)))


def check_initial_states(
    initial_state: Any, n_series: int, n_state: int, dtype: np.dtype
) -> np.ndarray:
    """State before each series, ``(n_series, n_state)``, always a fresh array; zeros for None."""
    if initial_state is None:
        return np.zeros((n_series, n_state), dtype=dtype)
    given = as_numbers(initial_state, "initial_state")
    if np.iscomplexobj(given):
        raise ValueError("initial_state is complex; the states are real.")
    with np.errstate(over="ignore"):  # beyond the range of `dtype`: infinite, which is refused
        given = given.astype(dtype)
    if given.shape not in {(n_state,), (n_series, n_state)}:
        raise ValueError(
            f"initial_state must have shape ({n_state},) or ({n_series}, {n_state}), "
            f"got {given.shape}."
        )
    check_finite(np.abs(given), name="initial_state")
    return np.broadcast_to(given, (n_series, n_state)).copy()


def check_signal(values: Any, name: str) -> np.ndarray:
    """A finite real or complex signal as ``(n_timesteps, n_columns)`` in a kernel's dtype."""
    array = as_numbers(values, name)
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(
            f"{name} must be a signal (n_timesteps,) or (n_timesteps, n_columns) with at least one "
            f"sample; got shape {array.shape}."
        )
    if array.dtype not in (np.float32, np.complex64, np.complex128):
        array = array.astype(np.float64)
    array = np.ascontiguousarray(array.reshape(array.shape[0], -1))
    for part in (array.real, array.imag) if np.iscomplexobj(array) else (array,):
        check_finite(part, name=name)
    return array


def check_one_signal(values: Any, name: str) -> np.ndarray:
    """As `check_signal` for one column, as ``(n_timesteps,)``."""
    rows = check_signal(values, name)
    if rows.shape[1] != 1:
        raise ValueError(f"{name} must be one signal (n_timesteps,), got {rows.shape[1]} columns.")
    return rows[:, 0]


def check_mask(update_mask: Any, n_rows: int) -> np.ndarray:
    """`update_mask` as kernels take it: bool ``(n_rows,)``, or empty for None."""
    if update_mask is None:
        return np.empty(0, dtype=bool)
    mask = as_numbers(update_mask, "update_mask")
    check_finite(np.abs(mask).reshape(-1, 1), name="update_mask")
    mask = mask.astype(bool)
    if mask.shape != (n_rows,):
        raise ValueError(f"update_mask must have shape ({n_rows},), got {mask.shape}.")
    return mask


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Give `estimator` back its attributes if the block fails: no half of a fit remains.

    A MemoryError names the estimator and what needs the memory.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException as error:
        n_features = vars(estimator).get("n_features_in_")
        vars(estimator).clear()
        vars(estimator).update(before)
        if isinstance(error, MemoryError):
            heard = "" if n_features is None else f" on X with {n_features} features"
            raise MemoryError(
                f"{estimator} needs more memory than there is{heard} ({error}). Give it fewer "
                "features, or parameters that ask for less; its Notes say what grows with what."
            ) from error
        raise


def _validated(estimator: Any, rows: Any, **options: Any) -> np.ndarray:
    """scikit-learn's validation of X; finite or not is looked at afterwards."""
    refuse_dates(rows, "X")
    with naming("X", "y"):
        return validate_data(estimator, rows, dtype=FLOATS, ensure_all_finite=False, **options)


def _pandas_names(y: Any) -> tuple[bool, tuple[Any, ...]]:
    if isinstance(y, pd.Series):
        return True, (y.name,)
    return isinstance(y, pd.DataFrame), tuple(getattr(y, "columns", ()))


def _numeric_targets(
    estimator: Any, y: Any, stacked: Stacked | None, allow_unlabelled: bool
) -> tuple[np.ndarray, np.ndarray]:
    refuse_dates(y, "y")
    with naming("y"):
        targets = check_array(
            y,
            ensure_2d=False,
            dtype=FLOATS,
            ensure_all_finite=False,
            input_name="y",
            estimator=estimator,
        )
    if targets.ndim == 0:
        raise ValueError(f"y must hold one entry a time step; got the scalar {targets}.")
    targets = targets.reshape(targets.shape[0], -1)
    if _sums_finitely(targets):
        return targets, np.broadcast_to(np.False_, targets.shape[0])
    missing = np.isnan(targets)
    if allow_unlabelled:
        check_finite(np.where(missing, 0, targets), stacked, name="y")
    else:
        check_finite(targets, stacked, name="y")
    return targets, missing.any(axis=1)


def _label_targets(y: Any, allow_unlabelled: bool) -> tuple[np.ndarray, np.ndarray]:
    with naming("y"):
        labels = column_or_1d(y, warn=True)
    refuse_records(labels, "y")
    missing = pd.isna(labels)
    if missing.any() and not allow_unlabelled:
        raise ValueError("Input y contains NaN: every row needs a label here.")
    if not missing.all():
        if labels.dtype.kind == "f":
            check_finite(labels[~missing], name="y")
        with naming("y"):
            check_classification_targets(labels[~missing])
    return labels, missing


def check_weights(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """`sample_weight` in float64, one a row, finite and not negative; None stays None."""
    if sample_weight is None:
        return None
    sample_weight = as_numbers(sample_weight, "sample_weight")
    if sample_weight.ndim == 0:
        sample_weight = np.full(n_rows, sample_weight)
    with naming("sample_weight"):
        weights = check_array(
            sample_weight,
            ensure_2d=False,
            allow_nd=True,
            dtype=np.float64,
            input_name="sample_weight",
        )
    if weights.shape != (n_rows,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected ({n_rows},)!")
    if (weights < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`.")
    if weights.size and weights.max() > _LARGEST_WEIGHT:
        raise ValueError(
            f"sample_weight reaches {weights.max():.3g}, beyond {_LARGEST_WEIGHT:g}: weighted sums "
            "may overflow. Divide all weights by the largest."
        )
    return weights


def _explain_feature_count(estimator: Any, stacked: Stacked, X: Any, reset: bool) -> None:
    """Say so where a panel's axes are visibly swapped, before a bare count mismatch is raised."""
    expected = getattr(estimator, "n_features_in_", None)
    if reset or expected is None or stacked.container != "panel":
        return
    if stacked.rows.shape[1] != expected and stacked.lengths[0] == expected:
        raise SequenceError(
            f"X has shape {np.shape(X)}, but {type(estimator).__name__} was fitted with {expected} "
            "features, which is the size of axis 1: channels seem to stand before time. "
            "np.swapaxes(X, 1, 2) turns them."
        )
