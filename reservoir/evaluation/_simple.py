"""The plainest answers, as estimators: what every other model has to beat."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class Persistence(BaseEstimator):
    """Say again what was last seen of the target, or its mean where the target is never seen.

    Parameters
    ----------
    repeat : bool, default=True
        Whether the input is the target's present value.
    """

    def __init__(self, repeat: bool = True) -> None:
        self.repeat = repeat

    def fit(self, X: Any, y: Any) -> Self:
        """Take the mean of `y`."""
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the input, or the mean, row by row."""
        rows = np.asarray(X)
        if not self.repeat:
            return np.full((rows.shape[0], *np.shape(self.mean_)), self.mean_)
        return rows if np.ndim(self.mean_) else rows[:, 0]

    def forecast(self, n_steps: int, *, context: Any) -> list[np.ndarray]:
        """Return the last row of every series, again and again."""
        return [np.repeat(rows[-1:], n_steps, axis=0) for rows in context]


class SummaryFeatures(TransformerMixin, BaseEstimator):
    """Four numbers a channel for a whole sequence: mean, standard deviation, least, greatest."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return one row a sequence, ``(n_cases, 4 * n_features)``."""
        return np.stack([np.concatenate([x.mean(0), x.std(0), x.min(0), x.max(0)]) for x in X])

    def __sklearn_is_fitted__(self) -> bool:
        return True
