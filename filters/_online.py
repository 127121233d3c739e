"""OnlineTask: what transformers that hold an adapting filter share."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._stream import FilterStream
from ._task_stream import Parts, TaskStream, copy_parts
from .timeseries._errors import DivergenceError
from .timeseries._sklearn_private import HasMethods, input_names, validate_parameters
from .timeseries._validation import SeriesData, all_or_nothing, check_series


class OnlineTask(TransformerMixin, BaseEstimator):
    """Base of transformers whose `fit_transform` is the answer of a filter that adapts.

    All that runs is in `parts`, a dict of sessions of filters and of arrays. A subclass provides
    ``_open(n_features, dtype)``, new parts; ``_advance(parts, rows, learn)``, the answer over one
    stretch as columns, which moves the parts on (without learning if not `learn`);
    ``_publish(parts)``, which sets the fitted attributes; and ``_column``, the name of its answer
    where that is one column. One that keeps more than delay lines in its parts extends
    ``_begin_series(parts)``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filter": [HasMethods(["adapt", "predict", "stream"]), None],
    }

    _column: ClassVar[str | None] = None
    _parts: Parts

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        raise NotImplementedError

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        raise NotImplementedError

    def _publish(self, parts: Parts) -> None:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of the answer: the one it has, or those of X."""
        check_is_fitted(self, "n_features_in_")
        if self._column is not None:
            return np.array([self._column], dtype=object)
        return input_names(self, input_features)

    def _begin_series(self, parts: Parts) -> None:
        """Empty every delay line: what is learned stays, what was heard does not."""
        for name, part in parts.items():
            if isinstance(part, FilterStream):
                part.clear_history()
            else:
                parts[name] = np.zeros_like(part)

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Adapt once through X.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
            What is learned goes on from series to series, the delay line starts from zeros in each.
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
            From what was learned before the row: causal, no row dropped.
        """
        with all_or_nothing(self):
            validate_parameters(self)
            return self._learn(X, groups, reset=True)

    def partial_fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Go on adapting where the last call stopped, delay lines included.

        Parameters
        ----------
        X, y, groups
            As in `fit`. Stated series start and end with an empty delay line.

        Returns
        -------
        self
        """
        with all_or_nothing(self):
            validate_parameters(self)
            self._learn(X, groups, reset=not hasattr(self, "_parts"))
        return self

    def transform(self, X: Any, *, groups: Any = None) -> Any:
        """Answer with what was learned, frozen, every series from an empty delay line.

        Parameters
        ----------
        X, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps, n_columns), or container of X
        """
        check_is_fitted(self)
        data = check_series(self, X, reset=False, groups=groups)
        return self._run(data, copy_parts(self._parts), learn=False)

    def stream(self, initial_state: dict[str, np.ndarray] | None = None) -> TaskStream:
        """Open a session that goes on row by row from a copy of what was learned so far.

        Parameters
        ----------
        initial_state : dict of arrays, default=None
            A `state` of an earlier session; None goes on where the last fit stopped, or starts
            anew if there was none.

        Returns
        -------
        TaskStream
            The task itself stays as it is.

        Raises
        ------
        ValueError
            For a state that is not one of this kind of task with these parameters.
        """
        validate_parameters(self)
        return TaskStream(self, getattr(self, "_parts", None), initial_state)

    def _learn(self, X: Any, groups: Any, *, reset: bool) -> Any:
        data = check_series(self, X, reset=reset, groups=groups)
        if reset:
            parts = self._open(data.rows.shape[1], data.rows.dtype)
        else:
            parts = copy_parts(self._parts)
        answer = self._run(data, parts, learn=True)
        self._parts = parts
        self._publish(parts)
        return answer

    def _run(self, data: SeriesData, parts: Parts, *, learn: bool) -> Any:
        rows = data.rows
        names = list(self.get_feature_names_out())
        answer = np.empty((rows.shape[0], len(names)), dtype=rows.dtype)
        boundaries = data.stacked.bounded or not learn
        for a, b in data.stacked.spans():
            if boundaries:
                self._begin_series(parts)
            answer[a:b] = self._answer(parts, rows[a:b], learn=learn, dtype=rows.dtype, first_row=a)
        if boundaries:
            self._begin_series(parts)
        return data.stacked.restore(answer, columns=names)

    def _answer(
        self,
        parts: Parts,
        rows: np.ndarray,
        *,
        learn: bool,
        dtype: np.dtype | None = None,
        first_row: int = 0,
    ) -> np.ndarray:
        """As `_advance`, in `dtype`; raise where the numbers cannot hold the answer."""
        with np.errstate(over="ignore", invalid="ignore"):
            answer = self._advance(parts, rows, learn=learn)
            answer = answer.astype(answer.dtype if dtype is None else dtype, copy=False)
        if not np.isfinite(answer).all():
            row = int(np.argmin(np.isfinite(answer).all(axis=1)))
            raise DivergenceError(
                f"{type(self).__name__} answers row {first_row + row} of X with NaN or infinity: "
                f"it is too large for {answer.dtype} numbers. Scale X.",
                row,
            )
        return answer

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
