"""`Memory`: what turns the history of a series into features, the first half of every model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._sklearn_private import validate_parameters
from ._validation import check_initial_states, check_series


class Memory(TransformerMixin, BaseEstimator):
    """Base of every memory: a causal map from the rows of a series to features.

    A subclass provides three things. All are pure: they change neither the estimator nor their
    arguments.

    * ``_prepare(n_features, dtype)`` draws or computes what `fit` fixes (called by `fit`);
    * ``_n_state`` and ``_n_features_out``, known after `_prepare`;
    * ``_advance(rows, state, rng=None) -> (features, state)`` drives one stretch of one series
      from a flat state vector; `rng` is given in the `fit` of a model only, for state noise.

    From them follow `fit`, `transform`, streams and the models of ``reservoir``.
    """

    def _prepare(self, n_features: int, dtype: np.dtype) -> None:
        raise NotImplementedError

    def _advance(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: np.random.RandomState | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    @property
    def _n_state(self) -> int:
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Fix the memory's weights for the number of features of `X`.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
            The values are only validated; nothing is learned from them.
        y : ignored
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

        Returns
        -------
        self
        """
        validate_parameters(self)
        data = check_series(self, X, reset=True, groups=groups)
        self._prepare(data.rows.shape[1], data.rows.dtype)
        return self

    def transform(
        self,
        X: Any,
        *,
        groups: Any = None,
        initial_state: Any = None,
        return_state: bool = False,
    ) -> Any:
        """Compute the features of every row; every series starts from `initial_state`.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
        groups : array-like of shape (n_timesteps,), default=None
        initial_state : ndarray of shape (n_state,) or (n_series, n_state), default=None
            The state before the first row; zeros when None.
        return_state : bool, default=False
            Whether to return the state after the last row as well.

        Returns
        -------
        features : container of X, (n_timesteps, n_features_out) a series
            Row t depends on rows 0..t only; no row is dropped.
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.

        Raises
        ------
        ValueError
            For NaN, infinity, another number of features or a state of another shape.
        """
        check_is_fitted(self)
        data = check_series(self, X, reset=False, groups=groups)
        stacked = data.stacked
        dtype = self._dtype_for(data.rows.dtype)
        states = check_initial_states(initial_state, stacked.n_series, self._n_state, dtype)
        features, states = self._advance_all(data.rows, list(stacked.spans()), states)
        named = stacked.container == "frame"
        answer = stacked.restore(
            features, columns=list(self.get_feature_names_out()) if named else None
        )
        if not return_state:
            return answer
        return answer, states if stacked.bounded else states[0]

    def _advance_all(
        self, rows: np.ndarray, spans: list[tuple[int, int]], states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features of all series ``rows[a:b]``, from a state each, and the states after them.

        A memory that can drive several series at once does it here, with the same answer.
        """
        runs = [
            self._advance(rows[a:b], state) for (a, b), state in zip(spans, states, strict=True)
        ]
        features = runs[0][0] if len(runs) == 1 else np.concatenate([run[0] for run in runs])
        return features, np.stack([run[1] for run in runs])

    def _noise_rng(self) -> np.random.RandomState | None:
        """A fresh generator for state noise in `fit`, or None for a memory without noise."""
        return None

    def _dtype_for(self, dtype: np.dtype) -> np.dtype:
        """Precision of states and features for rows of `dtype`."""
        return dtype
