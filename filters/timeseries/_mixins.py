"""scikit-learn's mixins, taught that rows may come as lists, panels and frames of series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from ._sequences import as_series


def _stack_for_score(
    estimator: Any, X: Any, y: Any, sample_weight: Any, groups: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    stacked = as_series(X, groups=groups)
    extra = {} if groups is None else {"groups": groups}
    pred = np.asarray(stacked.align(estimator.predict(X, **extra), "y_pred"))
    true = np.asarray(stacked.align(y))
    missing = pd.isna(true).reshape(true.shape[0], -1).any(axis=1)
    weight = stacked.align(sample_weight, "sample_weight") if sample_weight is not None else None
    return true[~missing], pred[~missing], None if weight is None else np.asarray(weight)[~missing]


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
        return r2_score(true, pred, sample_weight=weight)


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
        return accuracy_score(true, pred, sample_weight=weight)
