"""AdalineRegressor and AdalineClassifier: the delta rule on plain rows, epoch by epoch."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import validate_data

from ._delta_rule import DeltaRule
from .timeseries._numbers import naming, real_columns, refuse_dates
from .timeseries._sklearn_private import validate_parameters
from .timeseries._validation import FLOATS, all_or_nothing


class AdalineRegressor(MultiOutputMixin, RegressorMixin, DeltaRule):
    """Fit a linear model by the delta rule (Adaline, the Widrow-Hoff rule).

    .. math:: e = y - w \\cdot x - b, \\quad w \\leftarrow w + \\eta\\, e\\, x, \\quad
              b \\leftarrow b + \\eta\\, e

    Every row is an independent case; the filters do the same on a delay line, in one pass.

    Parameters
    ----------
    learning_rate : float, default=0.01
        Eta > 0. A row so large that eta (|x|^2 + 1) > 1 is learned with the step that makes its own
        error zero instead, so that no scaling of X makes the weights grow without bound.
    max_iter : int, default=50
        Epochs at most. Ending there is no failure; `n_iter_` and `loss_curve_` show it.
    tol : float or None, default=1e-6
        Stop after 5 epochs in a row whose loss is not below the best one by more than this, in
        squared units of y; None never stops early.
    shuffle : bool, default=True
        Draw a new order of the rows every epoch.
    fit_intercept : bool, default=True
    random_state : int, RandomState or None, default=None
        Of the shuffling.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
    intercept_ : float or ndarray of shape (n_outputs,)
    loss_curve_ : list of float
        Half the mean squared error of every epoch, each row predicted *before* it was learned.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For NaN or infinity.
    DivergenceError
        For values too large for their dtype.

    Notes
    -----
    Cost: 2 n_features multiply-adds a row and epoch. Weights settle around the least-squares
    solution, at a distance proportional to `learning_rate`. Standardise the features: the slowest
    direction takes about 1 / (eta lambda_min) rows.

    References
    ----------
    B. Widrow, M. E. Hoff, Adaptive switching circuits, IRE WESCON Convention Record (1960).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import AdalineRegressor
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> model = AdalineRegressor(random_state=0).fit(X, X @ [2.0, -1.0] + 3.0)
    >>> model.coef_.round(3), round(float(model.intercept_), 3)
    (array([ 2., -1.]), 3.0)
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Forget everything, then learn epoch by epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        self
        """
        with all_or_nothing(self):
            validate_parameters(self)
            X, targets = self._validated(X, y, reset=True)
            self._train(X, targets)
            return self._publish()

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Go on for one epoch over the rows given, in their order.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in `fit`, and where `y` has another number of outputs than before.
        """
        with all_or_nothing(self):
            validate_parameters(self)
            first = not hasattr(self, "_weights")
            X, targets = self._validated(X, y, reset=first)
            if first:
                self._forget(X, targets.shape[1])
            elif targets.shape[1] != len(self._bias):
                raise ValueError(
                    f"y has {targets.shape[1]} output(s), but {type(self).__name__} was fitted "
                    f"with {len(self._bias)}."
                )
            self._epoch(X.astype(self._weights.dtype, copy=False), targets)
            return self._publish()

    def predict(self, X: Any) -> np.ndarray:
        """Predict every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        answer = self._net_input(X)
        return answer[:, 0] if self._flat else answer

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        refuse_dates(X, "X")
        refuse_dates(y, "y")
        with naming("X", "y"), np.errstate(invalid="ignore"):
            X, y = validate_data(
                self, X, y, reset=reset, dtype=FLOATS, order="C", multi_output=True, y_numeric=True
            )
        if sparse.issparse(y):
            y = y.toarray()
        y = real_columns(y, "y") if y.ndim > 1 else real_columns(y, "y")[:, 0]
        self._flat = y.ndim == 1
        return X, y.reshape(y.shape[0], -1)

    def _publish(self) -> Self:
        self.coef_ = self._weights[0] if self._flat else self._weights
        self.intercept_ = self._bias[0] if self._flat else self._bias
        return self


class AdalineClassifier(ClassifierMixin, DeltaRule):
    """Classify by linear units trained by the delta rule on targets of plus and minus one.

    .. math:: e = \\pm 1 - w \\cdot x - b, \\quad w \\leftarrow w + \\eta\\, e\\, x, \\quad
              b \\leftarrow b + \\eta\\, e

    The error is taken before the threshold: unlike the perceptron, rows on the right side go on
    teaching. More than two classes are learned one against the rest.

    Parameters
    ----------
    learning_rate, max_iter, tol, shuffle, fit_intercept, random_state
        As in `AdalineRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of any kind, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        One row for two classes, whose target is +1 for ``classes_[1]``.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    loss_curve_, n_iter_, n_features_in_
        As in `AdalineRegressor`.

    Raises
    ------
    ValueError
        For NaN, infinity or fewer than two classes.
    DivergenceError
        As `AdalineRegressor`.

    Notes
    -----
    `decision_function` is a least-squares fit to +-1, not a log-odds: there is no `predict_proba`.

    References
    ----------
    B. Widrow, M. E. Hoff, Adaptive switching circuits, IRE WESCON Convention Record (1960).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from filters import AdalineClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> setosa_or_not = AdalineClassifier(random_state=0).fit(X - X.mean(axis=0), y == 0)
    >>> setosa_or_not.score(X - X.mean(axis=0), y == 0)
    1.0
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Forget everything, then learn epoch by epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        self
        """
        with all_or_nothing(self):
            validate_parameters(self)
            X, y = self._validated(X, y, reset=True)
            self._set_classes(y)
            self._train(X, self._signs(y, X.dtype))
            return self._publish()

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Go on for one epoch over the rows given, in their order.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call if `y` lacks some.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in `fit`, for a label that is not among the classes, and for other classes than
            before.
        """
        with all_or_nothing(self):
            validate_parameters(self)
            first = not hasattr(self, "_weights")
            X, y = self._validated(X, y, reset=first)
            if first:
                self._set_classes(y if classes is None else classes)
                self._forget(X, 1 if len(self.classes_) == 2 else len(self.classes_))
            elif classes is not None:
                with naming("classes"):
                    same = np.array_equal(unique_labels(classes), self.classes_)
                if not same:
                    raise ValueError(f"classes={classes} are not those of before, {self.classes_}.")
            with naming("y"):
                unknown = np.setdiff1d(y, self.classes_)
            if unknown.size:
                raise ValueError(
                    f"y holds the label {unknown.tolist()[0]!r}, which is not among the classes "
                    f"{self.classes_}. Give all of them as classes= in the first partial_fit."
                )
            X = X.astype(self._weights.dtype, copy=False)
            self._epoch(X, self._signs(y, X.dtype))
            return self._publish()

    def decision_function(self, X: Any) -> np.ndarray:
        """Net input of the units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes positive where ``classes_[1]`` is predicted.
        """
        net = self._net_input(X)
        return net[:, 0] if len(self.classes_) == 2 else net

    def predict(self, X: Any) -> np.ndarray:
        """Predict the label of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        net = self.decision_function(X)
        return self.classes_[(net > 0).astype(int) if net.ndim == 1 else net.argmax(axis=1)]

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        refuse_dates(X, "X")
        with naming("X", "y"), np.errstate(invalid="ignore"):
            X, y = validate_data(self, X, y, reset=reset, dtype=FLOATS, order="C")
        with naming("y"):
            check_classification_targets(y)
        return X, y

    def _set_classes(self, labels: Any) -> None:
        with naming("classes"):
            classes = unique_labels(labels)
        if len(classes) < 2:
            raise ValueError(
                "AdalineClassifier needs at least two classes; y has one class, "
                f"{classes.tolist()[0]!r}."
            )
        self.classes_ = classes

    def _signs(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        columns = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        return np.where(y[:, np.newaxis] == columns, 1, -1).astype(dtype)

    def _publish(self) -> Self:
        self.coef_, self.intercept_ = self._weights, self._bias
        return self
