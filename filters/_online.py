"""OnlineTask: what transformers that hold an adapting filter share."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .timeseries._sklearn_private import HasMethods, validate_parameters
from .timeseries._validation import all_or_nothing, check_series


class OnlineTask(TransformerMixin, BaseEstimator):
    """Base of transformers whose `fit_transform` is the answer of a filter that adapts.

    A subclass provides ``_begin(n_features)``, which clones the filter(s); ``_clear_history()``,
    called where a new series starts; ``_answer(rows, adapt)``, the answer over one series as
    columns, by filters that adapt or stay frozen; and `get_feature_names_out`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filter": [HasMethods(["adapt", "predict", "clear_history"]), None],
    }

    def _begin(self, n_features: int) -> None:
        raise NotImplementedError

    def _clear_history(self) -> None:
        raise NotImplementedError

    def _answer(self, rows: np.ndarray, *, adapt: bool) -> np.ndarray:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of the answer."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Adapt once through X.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
            The weights go on from series to series, the delay line starts from zeros in each.
        y : ignored
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

        Returns
        -------
        self
        """
        self.fit_transform(X, y, groups=groups)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, groups: Any = None) -> Any:
        """Adapt once through X and return what was heard on the way.

        Parameters
        ----------
        X, y, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps, n_columns), or container of X
            From the weights before they saw the row: causal, no row dropped.
        """
        with all_or_nothing(self):
            validate_parameters(self)
            return self._run(X, groups, adapt=True)

    def transform(self, X: Any, *, groups: Any = None) -> Any:
        """Answer with the frozen weights, every series from an empty delay line.

        Parameters
        ----------
        X, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps, n_columns), or container of X
        """
        check_is_fitted(self)
        return self._run(X, groups, adapt=False)

    def _run(self, X: Any, groups: Any, *, adapt: bool) -> Any:
        data = check_series(self, X, reset=adapt, groups=groups)
        if adapt:
            self._begin(data.rows.shape[1])
        names = list(self.get_feature_names_out())
        answer = np.empty((data.rows.shape[0], len(names)), dtype=data.rows.dtype)
        for a, b in data.stacked.spans():
            if adapt and a > 0:  # a new series: the weights go on, the delay line does not
                self._clear_history()
            answer[a:b] = self._answer(data.rows[a:b], adapt=adapt)
        return data.stacked.restore(answer, columns=names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
