"""MemoryRegressor and MemoryClassifier: the one place where a memory meets a readout."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d

from filters.timeseries._errors import DivergenceError
from filters.timeseries._mixins import SeriesClassifierMixin, SeriesRegressorMixin
from filters.timeseries._numbers import naming
from filters.timeseries._validation import SeriesData, TargetForm

from ._free_run import FreeRunner
from ._model import MemoryModel
from ._readout import project_to_simplex


class MemoryRegressor(SeriesRegressorMixin, MemoryModel, FreeRunner):
    """Predict a value a time step from any memory and any readout.

    .. math:: \\hat y(t) = c + B\\, [\\phi(x(0), \\ldots, x(t)), x(t)]

    Parameters
    ----------
    memory : Memory, default=None
        `TapDelay`, `Reservoir`, ...; cloned. None takes ``TapDelay()``. A fitted `RNNRegressor` or
        `RNNClassifier` keeps its weights; `clone` forgets them, unless it is wrapped in
        ``sklearn.frozen.FrozenEstimator``.
    readout : estimator, default=None
        None is ridge on accumulated moments (memory flat in the number of rows); a filter of
        ``filters`` with n_taps=1 learns online, row by row; any other scikit-learn regressor is
        fitted on the features of all rows.
    alpha : float, default=1e-6
        L2 penalty of the ridge readout: ``sum w |y - c - x B|^2 + alpha |B|^2``.
    solver : {"cholesky", "qr"}, default="cholesky"
        Of the ridge readout. "cholesky" solves from second moments, which square the condition
        number; "qr" keeps the triangular factor of all rows instead, as small and fed in the same
        way, and gives what scikit-learn's ``Ridge(solver="svd")`` gives. It pays where `y` has
        no noise and `alpha` is next to nothing: where "cholesky" warns of a singular system. A fit
        takes 1.8 times as long at 300 units, 2.4 times at 1000.
    fit_intercept : bool, default=True
        Of the ridge readout, never penalised; other readouts bring their own `alpha` and intercept.
    include_input : bool, default=False
        Offer the input row to the readout beside the memory's features.
    washout : int, default=0
        First rows of each series left out of the fit.

    Attributes
    ----------
    memory_ : Memory
    coef_ : ndarray of shape (n_columns,) or (n_outputs, n_columns)
        Columns: the memory's features, then the inputs if included. Linear readouts only.
    intercept_ : float or ndarray of shape (n_outputs,)
    condition_number_ : float
        Ridge readouts: of the rows of features (centred, columns scaled to unit length, with
        ``sqrt(alpha) I`` below them), an estimate in the 1-norm, found when asked for. "qr" loses
        as many digits as its decimal exponent, "cholesky" twice as many: beyond 1e8 it is infinity
        there.
    effective_degrees_of_freedom_ : float
        Ridge readouts: ``trace(C (C + alpha I)^-1)`` with C the second moments of the features, at
        most the number of columns; the intercept is not in it. Found when asked for.
    a_priori_mse_ : float
        Online readouts: mean square, over all labelled rows and outputs since the first, of the
        error of the output made before the row was learned. ``stream().learn_one`` returns these
        outputs one by one.
    readout_ : estimator
        The fitted readout, where it is a scikit-learn estimator.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For NaN or infinity in X, no labelled row, or a washout that leaves no row.

    Notes
    -----
    NaN in `y` marks an unlabelled row: it drives the memory and has weight zero in the fit.
    `predict` is pure: every series starts from a zero state, twice the same is twice the same.

    Examples
    --------
    >>> from filters import TapDelay
    >>> from reservoir import MemoryRegressor
    >>> from reservoir.datasets import narma
    >>> X, y = narma(1000, random_state=0)
    >>> round(MemoryRegressor(TapDelay(50)).fit(X, y).score(X, y), 1)
    0.9
    """

    _remedy = "Raise alpha, train with noise, or forecast fewer steps."

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Drive the memory through every series and learn the readout.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs), in X's container
            NaN in any output of a row: unlabelled.
        sample_weight : array-like of shape (n_timesteps,), in X's container, default=None
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

        Returns
        -------
        self
        """
        return self._learn(X, y, sample_weight, groups, reset=True, incremental=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Go on learning: plain rows continue the running series, stated series start fresh.

        Chunks of any size give the same weights as one call of `fit`.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.

        Returns
        -------
        self
        """
        first = not hasattr(self, "_readout")
        return self._learn(X, y, sample_weight, groups, reset=first, incremental=True)

    def predict(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """Predict every row; every series starts from `initial_state`.

        Parameters
        ----------
        X, groups
            As in `fit`.
        initial_state : ndarray of shape (n_state,) or (n_series, n_state), default=None
            State before the first row; zeros when None.
        return_state : bool, default=False
            Whether to return the state after the last row as well.

        Returns
        -------
        y : container of X; (n_timesteps,) or (n_timesteps, n_outputs) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.
        """
        outputs, states, data = self._answer(X, groups, initial_state)
        answer = self._target_form.restore(data.stacked, outputs)
        if not return_state:
            return answer
        return answer, states if data.stacked.bounded else states[0]

    def _end_answer(self) -> tuple[np.ndarray, np.ndarray]:
        columns, state, _ = self._end
        return self._readout.predict(columns)[0], state

    def _close_loop(self, outputs: np.ndarray, state: np.ndarray, exog: np.ndarray) -> int:
        for t in range(1, outputs.shape[0]):
            row = np.concatenate([outputs[t - 1 : t], exog[t - 1 : t]], axis=1)
            try:
                outputs[t : t + 1], state = self._respond(row, state)
            except DivergenceError as error:  # it counts the rows of this call: one
                raise self._ran_away(t, outputs.shape[0]) from error
            if not np.isfinite(outputs[t]).all():
                return t
        return -1

    def _targets_of(self, data: SeriesData, reset: bool) -> np.ndarray:
        return data.targets


class MemoryClassifier(SeriesClassifierMixin, MemoryModel):
    """Predict a label a time step from any memory and any readout.

    Parameters
    ----------
    memory, alpha, solver, fit_intercept, include_input, washout
        As in `MemoryRegressor`.
    readout : estimator, default=None
        None is ridge on one-hot targets; a filter learns those online; a scikit-learn classifier
        is fitted on the features of all rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    memory_, coef_, intercept_, condition_number_, effective_degrees_of_freedom_, \
a_priori_mse_, readout_, n_features_in_
        As in `MemoryRegressor`, one output a class.

    Raises
    ------
    ValueError
        As `MemoryRegressor`, and for targets that are not labels or of one class only.

    Notes
    -----
    NaN or None in `y` marks an unlabelled row. Ridge on one-hot targets estimates the posterior;
    `predict_proba` is its Euclidean projection onto the probability simplex.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import MemoryClassifier
    >>> x = np.random.default_rng(0).standard_normal((300, 1))
    >>> rises = x[1:, 0] > x[:-1, 0]
    >>> bool(MemoryClassifier().fit(x[1:], rises).score(x[1:], rises) > 0.9)
    True
    """

    _target_kind = "labels"

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Drive the memory through every series and learn the readout.

        Parameters
        ----------
        X, sample_weight, groups
            As in `MemoryRegressor.fit`.
        y : array-like of labels, shape (n_timesteps,), in X's container
            NaN or None: unlabelled.

        Returns
        -------
        self
        """
        self._classes: np.ndarray | None = None
        return self._learn(X, y, sample_weight, groups, reset=True, incremental=False)

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
    ) -> Self:
        """Go on learning, as `MemoryRegressor.partial_fit`.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in `fit`; without `classes` in the first call, with other ones later, and for a label
            that is not among them.
        """
        first = not hasattr(self, "_readout")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        given = None
        if classes is not None:
            with naming("classes"):
                given = np.unique(column_or_1d(classes))
        if not (first or given is None or np.array_equal(given, self.classes_)):
            raise ValueError(
                f"classes are {given.tolist()} now, but {self.classes_.tolist()} since the "
                "first call. fit starts anew."
            )
        self._classes = given
        return self._learn(X, y, sample_weight, groups, reset=first, incremental=True)

    def _targets_of(self, data: SeriesData, reset: bool) -> np.ndarray:
        labels = data.targets
        labelled = np.ones(labels.size, bool) if data.weights is None else data.weights > 0
        if reset:
            self.classes_ = np.unique(labels[labelled]) if self._classes is None else self._classes
            if self.classes_.size < 2:
                raise ValueError(
                    f"{type(self).__name__} needs at least two classes in y; got one class: "
                    f"{self.classes_.tolist()}."
                )
        known = ~pd.isna(labels)
        codes = np.zeros(labels.size, dtype=np.intp)
        with naming("y"):
            codes[known] = np.searchsorted(self.classes_, labels[known])
        codes = np.minimum(codes, self.classes_.size - 1)
        known[known] = self.classes_[codes[known]] == labels[known]
        unknown = labelled & ~known
        if unknown.any():
            raise ValueError(
                f"y has the label {labels[unknown].tolist()[0]!r}, which is not among the classes "
                f"{self.classes_.tolist()}."
            )
        if self._learns_labels:
            return codes[:, np.newaxis]
        # An unlabelled row is no class: with feedback its zeros are fed.
        return np.eye(self.classes_.size)[codes] * known[:, np.newaxis]

    @property
    def _learns_labels(self) -> bool:
        """Whether the readout is a classifier itself, taking codes and not one-hot rows."""
        return self.readout is not None and is_classifier(self.readout)

    def decision_function(self, X: Any, *, groups: Any = None, initial_state: Any = None) -> Any:
        """Score of every class (for two classes: second minus first).

        Parameters
        ----------
        X, groups, initial_state
            As in `predict`.

        Returns
        -------
        container of X; (n_timesteps,) for two classes, else (n_timesteps, n_classes) a series
        """
        scores, _, data = self._answer(X, groups, initial_state)
        names = tuple(self.classes_.tolist())
        if scores.shape[1] == 2:
            scores, names = scores[:, 1] - scores[:, 0], (None,)
        form = TargetForm(scores.ndim, self._target_form.is_pandas, names)
        return form.restore(data.stacked, scores)

    def predict_proba(self, X: Any, *, groups: Any = None, initial_state: Any = None) -> Any:
        """Probability of every class.

        Parameters
        ----------
        X, groups, initial_state
            As in `predict`.

        Returns
        -------
        container of X; (n_timesteps, n_classes) a series
            Columns in the order of `classes_`.

        Raises
        ------
        AttributeError
            Where the readout learns labels and has no `predict_proba` of its own.
        """
        if self._learns_labels and not hasattr(self.readout, "predict_proba"):
            raise AttributeError(f"{type(self.readout).__name__} has no predict_proba.")
        scores, _, data = self._answer(X, groups, initial_state)
        form = TargetForm(2, self._target_form.is_pandas, tuple(self.classes_.tolist()))
        return form.restore(data.stacked, project_to_simplex(scores))

    def predict(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """Predict the label of every row; every series starts from `initial_state`.

        Parameters
        ----------
        X, groups, initial_state, return_state
            As in `MemoryRegressor.predict`.

        Returns
        -------
        y : container of X; (n_timesteps,) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.
        """
        scores, states, data = self._answer(X, groups, initial_state)
        codes = np.argmax(scores, axis=1)
        answer = self._target_form.restore(data.stacked, self.classes_[codes])
        if not return_state:
            return answer
        return answer, states if data.stacked.bounded else states[0]

    def _read(self, columns: np.ndarray) -> np.ndarray:
        return self._readout.scores(columns)
