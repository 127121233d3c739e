"""MemoryModel: a memory that is driven through series, and a readout that learns from it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils.validation import check_is_fitted

from filters import TapDelay
from filters._base import AdaptiveFilter
from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import (
    HasMethods,
    StrOptions,
    non_negative,
    positive_int,
    validate_parameters,
)
from filters.timeseries._validation import (
    SeriesData,
    TargetKind,
    all_or_nothing,
    check_series,
)

from ._driving import parts_of
from ._guard_rails import SaturationWatch, warn_interpolation, warn_short_series
from ._progress import Progress
from ._readout import EstimatorReadout, FilterReadout, LinearReadout, Readout
from ._row_sums import RidgeDiagnosis
from ._running import MemoryRunner
from ._stream import MemoryStream


class MemoryModel(MemoryRunner, BaseEstimator):
    """Base of the models: a memory driven block by block (`MemoryRunner`) teaches a readout.

    A subclass says which targets it takes (`_targets_of`), how features become an answer and, if
    its memory is not the constructor's `memory`, how to make one (`_new_memory`).
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "memory": [HasMethods(["_advance", "fit"]), None],
        "readout": [HasMethods(["fit", "predict"]), None],
        "alpha": [non_negative()],
        "solver": [StrOptions({"cholesky", "qr"})],
        "fit_intercept": ["boolean"],
        "include_input": ["boolean"],
        "washout": [positive_int(0)],
    }
    _target_kind: ClassVar[TargetKind] = "numeric"
    verbose: int = 0  # a constructor parameter of the echo state models
    solver: Literal["cholesky", "qr"] = "cholesky"
    _watch: SaturationWatch | None = None

    def __init__(
        self,
        memory: Memory | None = None,
        readout: Any = None,
        *,
        alpha: float = 1e-6,
        solver: Literal["cholesky", "qr"] = "cholesky",
        fit_intercept: bool = True,
        include_input: bool = False,
        washout: int = 0,
    ) -> None:
        self.memory = memory
        self.readout = readout
        self.alpha = alpha
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.include_input = include_input
        self.washout = washout

    # ---- learning -----------------------------------------------------------------------------

    def _new_memory(self, rows: np.ndarray, n_outputs: int) -> Memory:
        """A fitted memory for these rows."""
        if self.memory is None:
            return TapDelay().fit(rows)
        if hasattr(self.memory, "_as_memory"):  # came with learned weights
            return self.memory._as_memory(rows)
        return clone(self.memory).fit(rows)

    def _new_readout(self, n_columns: int, n_outputs: int) -> Readout:
        if self.readout is None:
            return LinearReadout(n_columns, n_outputs, self.alpha, self.fit_intercept, self.solver)
        if isinstance(self.readout, AdaptiveFilter):
            return FilterReadout(self.readout, n_outputs)
        flatten = n_outputs == 1 and self._target_form.ndim == 1
        n_classes = len(getattr(self, "classes_", ())) if is_classifier(self.readout) else 0
        return EstimatorReadout(self.readout, flatten, n_classes)

    def _begin(self, data: SeriesData, targets: np.ndarray) -> None:
        self._target_form = data.form
        self._n_outputs = targets.shape[1]
        self.memory_ = self._new_memory(data.rows[: self._block], self._n_outputs)
        self._dtype = self.memory_._dtype_for(data.rows.dtype)
        self._noise = self._noise_rng()
        n_columns = self.memory_._n_features_out + (
            self.n_features_in_ if self.include_input else 0
        )
        self._readout = self._new_readout(n_columns, self._n_outputs)
        self._start_series()

    def _noise_rng(self) -> Any:
        """Where the noise of a fit comes from, as `_drive` takes it; None for no noise."""
        return self.memory_._noise_rng()

    def _start_series(self) -> None:
        # With noise the readout learns from noisy states, but what goes on after the fit (streams,
        # forecasts) starts from where the noise-free memory stands.
        self._state = np.zeros(self._n_state, dtype=self._dtype)
        self._noisy_state = self._state.copy()
        self._n_seen = 0

    def _learn(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, incremental: bool
    ) -> Self:
        with all_or_nothing(self):
            return self._learn_all(X, y, sample_weight, groups, reset, incremental)

    def _learn_all(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, incremental: bool
    ) -> Self:
        validate_parameters(self)
        data = check_series(
            self,
            X,
            y,
            reset=reset,
            target=self._target_kind,
            sample_weight=sample_weight,
            groups=groups,
            allow_unlabelled=True,
            allow_no_label=incremental,
        )
        targets = self._targets_of(data, reset)
        if reset:
            self._begin(data, targets)
        elif targets.shape[1] != self._n_outputs:
            raise ValueError(
                f"y has {targets.shape[1]} outputs, but {type(self).__name__} began with "
                f"{self._n_outputs}."
            )
        if incremental:
            self._readout.in_parts()
        else:
            self._watch = SaturationWatch(self.memory_)
        n_used = self._learn_rows(data, targets)
        if n_used == 0 and not incremental:
            raise ValueError(
                f"washout={self.washout} leaves no row to learn from: the longest series has "
                f"{int(data.stacked.lengths.max())} rows, and unlabelled rows do not count."
            )
        if data.stacked.bounded:  # a stated series ends with its call
            self._start_series()
        if not incremental or n_used:
            self._finish()
        if not incremental:
            self._guard(data, n_used)
        return self

    def _guard(self, data: SeriesData, n_used: int) -> None:
        """Warn of what the fit shows and its user should know."""
        assert self._watch is not None
        self._watch.warn()
        self._watch = None
        warn_short_series(data.stacked.lengths, self.washout)
        if not isinstance(self._readout, LinearReadout):
            return
        # Columns cannot follow more rows than these; to know of fewer costs a factorization.
        if 1 < n_used < 1.1 * self._readout.moments.n_columns + 2:
            freedom = self._readout.diagnosis.degrees_of_freedom
            warn_interpolation(freedom, n_used, self.fit_intercept)

    def _learn_rows(self, data: SeriesData, targets: np.ndarray) -> int:
        """Feed all series to the readout; return how many rows had weight."""
        n_used = 0
        progress = Progress(type(self).__name__, data.rows.shape[0], self.verbose)
        short = data.stacked.n_series > 1 and data.stacked.lengths.max() <= self._block
        if short and self._noise is None and not self._n_feedback:
            return self._learn_short_series(data, targets, progress)
        for a, b in data.stacked.spans():
            if data.stacked.bounded:
                self._start_series()
            weights = None if data.weights is None else data.weights[a:b]
            n_used += self._learn_series(data.rows[a:b], targets[a:b], weights, progress)
        return n_used

    def _learn_short_series(self, data: SeriesData, targets: np.ndarray, progress: Progress) -> int:
        """As `_learn_rows` for series that the memory may drive side by side."""
        n_used, spans = 0, list(data.stacked.spans())
        for part in parts_of(spans):
            begin, end = spans[part.start][0], spans[part.stop - 1][1]
            inside = [(a - begin, b - begin) for a, b in spans[part]]
            rows, zeros = data.rows[begin:end], np.zeros((len(inside), self._n_state), self._dtype)
            features, states = self.memory_._advance_all(rows, inside, zeros)
            features = self._columns(features, rows)
            weight = None if data.weights is None else data.weights[begin:end]
            if self.washout:
                weight = np.ones(end - begin) if weight is None else weight.copy()
                for a, b in inside:
                    weight[a : min(a + self.washout, b)] = 0.0
            if self._watch is not None:
                self._watch.look(features)
            self._readout.update(features, targets[begin:end], weight)
            a, b = inside[-1]
            self._end = features[-1:].copy(), states[-1].copy(), b - a
            progress.update(end - begin)
            n_used += end - begin if weight is None else int(np.count_nonzero(weight))
        return n_used

    def _learn_series(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None,
        progress: Progress,
    ) -> int:
        """Feed one stretch to the readout; return how many rows had weight."""
        n_used = 0
        for part, features, state in self._blocks(rows, self._state, targets):
            self._state, last = state, features[-1:].copy()
            if self._noise is not None:
                features, self._noisy_state = self._drive(
                    rows[part], self._noisy_state, rng=self._noise, teacher=targets[part]
                )
            n = features.shape[0]
            weight = None if weights is None else weights[part]
            n_washed = min(max(self.washout - self._n_seen, 0), n)
            if n_washed:
                weight = np.ones(n) if weight is None else weight.copy()
                weight[:n_washed] = 0.0
            if self._watch is not None:
                self._watch.look(features)
            heard = self._readout.update(features, targets[part], weight)
            if self._feeds_itself:
                self._state[-self._n_feedback :] = heard
                self._noisy_state[-self._n_feedback :] = heard
            self._n_seen += n
            self._end = last, self._state.copy(), self._n_seen
            progress.update(n)
            n_used += n if weight is None else int(np.count_nonzero(weight))
        return n_used

    def _finish(self) -> None:
        self._readout.finish()
        if isinstance(self._readout, EstimatorReadout):
            self.readout_ = self._readout.estimator
            return
        linear = self._readout.linear
        assert linear is not None, "the other readouts are linear"
        coef, intercept = linear
        if self._target_form.ndim == 1 and self._n_outputs == 1:
            coef, intercept = coef[0], intercept[0]
        self.coef_, self.intercept_ = coef.copy(), intercept.copy()

    def _targets_of(self, data: SeriesData, reset: bool) -> np.ndarray:
        raise NotImplementedError

    @property
    def condition_number_(self) -> float:
        """Of the penalised features, columns scaled; ridge readouts only."""
        return self._ridge_diagnosis("condition_number_").condition_number

    @property
    def effective_degrees_of_freedom_(self) -> float:
        """``trace(C (C + alpha I)^-1)``, C the features' moments; ridge readouts only."""
        return self._ridge_diagnosis("effective_degrees_of_freedom_").degrees_of_freedom

    @property
    def a_priori_mse_(self) -> float:
        """Mean squared error of every answer given before its row was learned; online readouts."""
        readout = getattr(self, "_readout", None)
        if not isinstance(readout, FilterReadout) or readout.n_heard == 0:
            raise AttributeError("a_priori_mse_ is there once an online readout has learned.")
        return readout.squares / readout.n_heard

    def _ridge_diagnosis(self, name: str) -> RidgeDiagnosis:
        readout = getattr(self, "_readout", None)
        if not isinstance(readout, LinearReadout):
            raise AttributeError(f"{name} is there after a fit with the ridge readout only.")
        return readout.diagnosis

    def stream(self, initial_state: Any = None) -> MemoryStream:
        """Open a session that goes on row by row.

        Parameters
        ----------
        initial_state : dict of arrays or ndarray of shape (n_state,), default=None
            A `state` of an earlier session, or a state as `predict` returns it; None goes on from
            the last row of the last training series.

        Returns
        -------
        MemoryStream
            The model itself stays as it is.
        """
        check_is_fitted(self, "memory_")
        return MemoryStream(self, initial_state)
