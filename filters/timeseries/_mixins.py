"""scikit-learn's mixins, taught that rows may come as lists, panels and frames of series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from ._numbers import as_numbers, naming, refuse_records
from ._sequences import as_series
from ._validation import check_finite, check_weights


def _stack_for_score(
    estimator: Any, X: Any, y: Any, sample_weight: Any, groups: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    stacked = as_series(X, groups=groups)
    extra = {} if groups is None else {"groups": groups}
    pred = np.asarray(stacked.align(estimator.predict(X, **extra), "y_pred"))
    with naming("y"):
        true = stacked.align(y)
        true = true.toarray() if sparse.issparse(true) else np.asarray(true)
    n_rows = pred.shape[0]
    if true.ndim == 0 or true.shape[0] != n_rows or true.size == 0:
        raise ValueError(
            f"X has {n_rows} rows, so y must have as many, not empty; got shape {true.shape}."
        )
    refuse_records(true, "y")
    missing = pd.isna(true).reshape(n_rows, -1).any(axis=1)
    if missing.all():
        raise ValueError("y has no label in any row: there is nothing to score.")
    with naming("sample_weight"):
        weight = stacked.align(sample_weight, "sample_weight")
    weight = check_weights(weight, n_rows)
    if weight is not None:
        weight = weight[~missing]
        if not weight.any():
            raise ValueError("sample_weight is zero in all labelled rows: nothing is scored.")
        weight = weight / weight.max()  # a common factor means nothing, and sums may overflow
    return true[~missing], pred[~missing], weight


def determination(true: np.ndarray, pred: np.ndarray, weight: np.ndarray | None) -> float:
    """R^2 of finite numbers, of whatever size: the answer knows no scale."""
    largest = max(float(np.abs(true).max()), float(np.abs(pred).max()))
    if largest > 1e100:  # squares would overflow
        true, pred = true / largest, pred / largest
    with naming("y"), np.errstate(over="ignore"):
        score = r2_score(true, pred, sample_weight=weight)
    return max(score, -float(np.finfo(np.float64).max))  # of answers 1e200 times the targets


class SeriesRegressorMixin(MultiOutputMixin, RegressorMixin):
    """A regressor whose row is a time step."""

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> float:
        """Coefficient of determination of ``predict(X)`` over the labelled rows of all series.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.

        Returns
        -------
        float
            1 - sum(w (y - y_hat)^2) / sum(w (y - mean y)^2), averaged over outputs.
        """
        true, pred, weight = _stack_for_score(self, X, y, sample_weight, groups)
        true = as_numbers(true, "y")
        check_finite(true, name="y")
        return determination(true, pred, weight)


class SeriesClassifierMixin(ClassifierMixin):
    """A classifier whose row is a time step."""

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> float:
        """Accuracy of ``predict(X)`` over the labelled rows of all series.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.

        Returns
        -------
        float
        """
        true, pred, weight = _stack_for_score(self, X, y, sample_weight, groups)
        with naming("y"):
            return accuracy_score(true, pred, sample_weight=weight)
