"""Readouts: how the weights from features to outputs are learned.

All three take blocks of rows through `update`, are ready after `finish` and answer `predict`:
ridge on accumulated moments (or a triangular factor), an adaptive filter row by row, or any
scikit-learn estimator.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import has_fit_parameter

from filters._base import AdaptiveFilter
from filters.timeseries._sklearn_private import validate_parameters

from ._factor import TriangularFactor
from ._moments import Moments, refuse_overflow
from ._row_sums import RidgeDiagnosis, RowSums


class Readout(Protocol):
    """What a model asks of a readout."""

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """Learn from rows; an online readout returns the outputs ``(n, n_outputs)`` it had before.

        Each comes from the weights as the rows above it left them.
        """
        ...

    def finish(self) -> None: ...

    def in_parts(self) -> None:
        """From here on rows come in parts: what was learned is to be kept."""
        ...

    def predict(self, x: np.ndarray) -> np.ndarray: ...

    def scores(self, x: np.ndarray) -> np.ndarray:
        """One column a class, for classifiers."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """What was learned so far, as plain arrays."""
        ...

    def restore(self, state: dict[str, np.ndarray]) -> None: ...

    @property
    def linear(self) -> tuple[np.ndarray, np.ndarray] | None:
        """``(coef (n_outputs, n_columns), intercept (n_outputs,))``, or None if not linear."""
        ...


class LinearReadout:
    """Ridge from moments or a factor; memory does not grow with the number of rows."""

    def __init__(
        self,
        n_columns: int,
        n_outputs: int,
        alpha: float,
        fit_intercept: bool,
        solver: Literal["cholesky", "qr"] = "cholesky",
    ) -> None:
        kind = TriangularFactor if solver == "qr" else Moments
        self.moments: RowSums = kind(n_columns, n_outputs)
        self.alpha, self.fit_intercept = alpha, fit_intercept
        self._forget()

    def _forget(self) -> None:
        self._solution: tuple[np.ndarray, np.ndarray] | None = None
        self._diagnosis: RidgeDiagnosis | None = None

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        self.moments.update(x, y, weights)
        self._forget()

    def in_parts(self) -> None:
        """Moments always go on."""

    def finish(self) -> None:
        if self._solution is None:
            coef, intercept = self.moments.ridge(self.alpha, self.fit_intercept)
            refuse_overflow(coef, intercept)
            self._solution = np.ascontiguousarray(coef.T), intercept

    def predict(self, x: np.ndarray) -> np.ndarray:
        coef, intercept = self.linear
        # einsum sums every row in the same order, so a prefix of rows gives a prefix of answers.
        return np.einsum("tc,oc->to", x, coef.astype(x.dtype, copy=False)) + intercept.astype(
            x.dtype
        )

    def scores(self, x: np.ndarray) -> np.ndarray:
        return self.predict(x)

    def state(self) -> dict[str, np.ndarray]:
        return self.moments.arrays()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.moments.load(state)
        self._forget()

    @property
    def diagnosis(self) -> RidgeDiagnosis:
        """How well the rows determine the weights; found when first asked for."""
        if self._diagnosis is None:
            self._diagnosis = self.moments.diagnose(self.alpha, self.fit_intercept)
        return self._diagnosis

    @property
    def linear(self) -> tuple[np.ndarray, np.ndarray]:
        self.finish()
        assert self._solution is not None
        return self._solution


class FilterReadout:
    """An adaptive filter on the features: weights change row by row (with feedback: FORCE)."""

    def __init__(self, filter: AdaptiveFilter, n_outputs: int) -> None:
        if filter.n_taps != 1:
            raise ValueError(
                f"a filter used as readout sees the memory's features of the present row only: "
                f"n_taps must be 1, got {filter.n_taps}."
            )
        self.filter = clone(filter)
        validate_parameters(self.filter)
        self._n_outputs = n_outputs
        self.squares, self.n_heard = 0.0, 0  # of a-priori errors, over labelled rows and outputs

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        if weights is None:
            return self._learn(x, y)
        if not np.isin(weights, (0.0, 1.0)).all():
            raise ValueError(
                "an online readout takes sample weights of 0 and 1 only; use the ridge "
                "readout for others."
            )
        # A filter would hear masked rows, and measure the level of its input on them too: rows of
        # weight zero are kept from it.
        outputs = np.empty(y.shape, dtype=x.dtype)
        changes = np.flatnonzero(np.diff(weights)) + 1
        for a, b in pairwise([0, *changes.tolist(), x.shape[0]]):
            answer = self._learn(x[a:b], y[a:b]) if weights[a] > 0 else self._answer(x[a:b])
            outputs[a:b] = answer
        return outputs

    def _learn(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # Not `adapt`, which validates the parameters anew: half of the time where rows come singly.
        heard = self.filter._adapt(x, y.astype(x.dtype), None)
        self.squares += float(np.sum(np.square(heard.error, dtype=np.float64)))
        self.n_heard += heard.error.size
        return heard.output

    def _answer(self, x: np.ndarray) -> np.ndarray:
        if hasattr(self.filter, "coef_"):
            return self.predict(x)
        unheard = np.zeros((x.shape[0], self._n_outputs), dtype=x.dtype)
        return clone(self.filter)._adapt(x, unheard, np.zeros(x.shape[0], dtype=bool)).output

    def in_parts(self) -> None:
        """A filter always goes on."""

    def finish(self) -> None:
        """Nothing is left to solve."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.filter.predict(x)).reshape(x.shape[0], -1)

    def scores(self, x: np.ndarray) -> np.ndarray:
        return self.predict(x)

    def state(self) -> dict[str, np.ndarray]:
        return self.filter.stream().state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.filter._publish({name: np.array(value) for name, value in state.items()})

    @property
    def linear(self) -> tuple[np.ndarray, np.ndarray]:
        coef = self.filter.coef_.reshape(self._n_outputs, -1)
        return coef, np.reshape(self.filter.intercept_, -1)


class EstimatorReadout:
    """Any scikit-learn estimator; it needs the features of all rows at once.

    A classifier is given the codes 0 .. n_classes - 1, not all of which need to come; with
    `n_classes` 0 the estimator is a regressor.
    """

    def __init__(self, estimator: BaseEstimator, flatten: bool, n_classes: int) -> None:
        self.estimator = clone(estimator)
        self._flatten, self._n_classes = flatten, n_classes
        self._incremental = False
        self._blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        weights = np.ones(x.shape[0]) if weights is None else weights
        keep = weights > 0
        self._blocks.append((x[keep], y[keep], weights[keep]))

    def in_parts(self) -> None:
        if not hasattr(self.estimator, "partial_fit"):
            raise ValueError(
                f"the readout {type(self.estimator).__name__} has no partial_fit; use "
                "readout=None (ridge) or a filter to learn in parts."
            )
        self._incremental = True

    def finish(self) -> None:
        if not self._blocks:
            return
        learn = self.estimator.fit
        if self._incremental:
            classes = {"classes": np.arange(self._n_classes)} if self._n_classes else {}
            learn = partial(self.estimator.partial_fit, **classes)
        x, y, weights = (np.concatenate(parts) for parts in zip(*self._blocks, strict=True))
        y = y.ravel() if self._flatten and y.ndim == 2 else y
        if (weights == 1).all():
            learn(x, y)
        elif has_fit_parameter(self.estimator, "sample_weight"):
            learn(x, y, sample_weight=weights)
        else:
            raise ValueError(
                f"{type(self.estimator).__name__} takes no sample_weight, but rows have weights "
                "other than 0 and 1."
            )
        self._blocks = []

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.estimator.predict(x)).reshape(x.shape[0], -1)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Outputs of a regressor; probabilities of a classifier that has them, else one-hot."""
        if self._n_classes == 0:
            return self.predict(x)
        scores = np.zeros((x.shape[0], self._n_classes))
        if hasattr(self.estimator, "predict_proba"):
            scores[:, self.estimator.classes_] = self.estimator.predict_proba(x)
        else:
            scores[np.arange(x.shape[0]), self.estimator.predict(x)] = 1.0
        return scores

    def state(self) -> dict[str, np.ndarray]:
        """What a session can change: nothing, of an estimator that does not learn in parts."""
        if not hasattr(self.estimator, "partial_fit"):
            return {}
        given = self.estimator.get_params(deep=False)
        learned = {k: v for k, v in vars(self.estimator).items() if k not in given}
        plain = {k: np.array(v) for k, v in learned.items() if _is_plain(v)}
        rest = [k for k, v in learned.items() if k not in plain and v is not None]
        hidden = [name for name in rest if name[0] != "_"]
        if hidden:
            raise ValueError(
                f"{hidden[0]} of the readout {type(self.estimator).__name__} is a "
                f"{type(learned[hidden[0]]).__name__} and no plain array, so the state of this "
                "session cannot be given as arrays. copy.deepcopy(stream) or pickle keep it; a "
                "ridge readout (None) or one of filters has a state of arrays."
            )
        return plain

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, value in state.items():
            own = getattr(self.estimator, name, None)
            is_array = value.ndim > 0 or isinstance(own, np.ndarray)
            setattr(self.estimator, name, np.array(value) if is_array else value.item())

    @property
    def linear(self) -> None:
        return None


def _is_plain(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype != object
    return isinstance(value, np.generic | bool | int | float | str)


def project_to_simplex(scores: np.ndarray) -> np.ndarray:
    """Nearest point of the probability simplex to every row (keeps the order of the classes).

    References
    ----------
    J. Duchi et al., Efficient projections onto the l1-ball, ICML 2008, algorithm 1.
    """
    # The projection knows no common shift; without it the 1.0 below is lost beside 1e20.
    scores = scores - scores.max(axis=1, keepdims=True)
    ordered = -np.sort(-scores, axis=1)
    excess = np.cumsum(ordered, axis=1) - 1.0
    rank = np.arange(1, scores.shape[1] + 1, dtype=scores.dtype)  # float32 scores stay float32
    n_kept = np.count_nonzero(ordered - excess / rank > 0, axis=1)
    shift = excess[np.arange(scores.shape[0]), n_kept - 1] / rank[n_kept - 1]
    clipped = np.maximum(scores - shift[:, np.newaxis], 0.0)
    return clipped / clipped.sum(axis=1, keepdims=True)
