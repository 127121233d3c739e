"""DeltaRule: linear units learned row by row, epoch by epoch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .kernels.lms import lms
from .timeseries._errors import DivergenceError
from .timeseries._numbers import naming, refuse_dates
from .timeseries._sklearn_private import non_negative, positive, positive_int
from .timeseries._validation import FLOATS

# Epochs in a row without an improvement by `tol` after which training ends, as in scikit-learn's
# SGD: one epoch alone proves nothing when rows are shuffled.
_PATIENCE = 5


class DeltaRule(BaseEstimator):
    """Linear units trained by the delta rule; a subclass says what the targets are."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learning_rate": [positive()],
        "max_iter": [positive_int()],
        "tol": [non_negative(), None],
        "shuffle": ["boolean"],
        "fit_intercept": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        learning_rate: float = 0.01,
        max_iter: int = 50,
        tol: float | None = 1e-6,
        shuffle: bool = True,
        fit_intercept: bool = True,
        random_state: Any = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    def _train(self, X: np.ndarray, targets: np.ndarray) -> None:
        """Start from zero weights and run epochs until `tol` or `max_iter` ends it."""
        self._forget(X, targets.shape[1])
        rng = check_random_state(self.random_state)
        best, waited = np.inf, 0
        for _ in range(self.max_iter):
            order = rng.permutation(X.shape[0]) if self.shuffle else slice(None)
            loss = self._epoch(X[order], targets[order])
            waited = waited + 1 if self.tol is not None and loss > best - self.tol else 0
            best = min(best, loss)
            if waited == _PATIENCE:
                break

    def _forget(self, X: np.ndarray, n_outputs: int) -> None:
        self._weights = np.zeros((n_outputs, X.shape[1]), dtype=X.dtype)
        self._bias = np.zeros(n_outputs, dtype=X.dtype)
        self.loss_curve_: list[float] = []
        self.n_iter_ = 0

    def _epoch(self, X: np.ndarray, targets: np.ndarray) -> float:
        """One pass, in the order given: LMS whose delay line is one row long."""
        n, n_features = X.shape
        X, targets = np.ascontiguousarray(X), targets.astype(X.dtype, copy=False)
        with np.errstate(over="ignore"):
            norms = np.einsum("ij,ij->i", X, X, dtype=np.float64) + float(self.fit_intercept)
        with np.errstate(divide="ignore", over="ignore"):
            steps = np.minimum(self.learning_rate, 1.0 / norms).astype(X.dtype)
        weights, bias = self._weights.copy(), self._bias.copy()
        z, everywhere, total = X.ravel(), np.empty(0, dtype=bool), 0.0
        for o in range(targets.shape[1]):
            d, y = np.ascontiguousarray(targets[:, o]), np.empty(n, dtype=X.dtype)
            no_leak = X.dtype.type(0)
            bad = lms(
                z,
                z,
                d,
                steps,
                everywhere,
                n_features,
                no_leak,
                None,
                self.fit_intercept,
                weights[o],
                bias[o : o + 1],
                y,
            )
            with np.errstate(invalid="ignore", over="ignore"):
                total += float(np.sum(np.square(d - y, dtype=np.float64)))
            if bad >= 0 or not np.isfinite([*weights[o], *bias, total]).all():
                raise DivergenceError(
                    f"{type(self).__name__} left the finite numbers in epoch {self.n_iter_} at row "
                    f"{bad if bad >= 0 else n - 1} of it with learning_rate={self.learning_rate}, "
                    "although no step overshoots its row: X or y are too large for their dtype. "
                    "Scale them (StandardScaler).",
                    self.n_iter_ * n + (bad if bad >= 0 else n - 1),
                )
        loss = 0.5 * total / targets.size
        self._weights, self._bias = weights, bias
        self.loss_curve_ = [*self.loss_curve_, loss]
        self.n_iter_ += 1
        return loss

    def _net_input(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        refuse_dates(X, "X")
        with naming("X"), np.errstate(invalid="ignore"):
            # Rows in order: a product sums rows that lie otherwise in memory in another order.
            X = validate_data(self, X, reset=False, dtype=FLOATS, order="C")
        with np.errstate(over="ignore", invalid="ignore"):
            net = X @ self._weights.T + self._bias
        finite = np.isfinite(net).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise DivergenceError(
                f"{type(self).__name__} answers row {row} of X with NaN or infinity: the row is "
                f"too large for {net.dtype} numbers. Scale X (StandardScaler).",
                row,
            )
        return net
