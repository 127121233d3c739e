"""Judge many configurations of one drawn reservoir on folds of the rows, in one pass over them.

All configurations are driven side by side. Rows that learn in the same folds share one matrix of
second moments, so a row is counted once however many folds there are; a fold is solved as soon as
its last row has been learned and judged from there on. Where a fold holds out rows before that, the
series are driven a second time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ._moments import Moments
from ._reservoir import Reservoir
from ._search_path import ridge_path
from .kernels.activations import ACTIVATIONS
from .kernels.drive_configurations import drive_configurations

_ROWS = 128  # driven at once: 10 MB of states for 32 lanes of 300 units
_MOST_LANES, _MOST_BYTES = 32, 2**28  # of one run, and of its moments where units are many


class Lane(NamedTuple):
    """What one configuration does to the drawn matrices, and its penalties."""

    spectral_radius: float
    input_scaling: float
    bias_scaling: float
    leak_rate: Any
    residual_scaling: Any  # None: what the leak rate leaves
    alphas: np.ndarray


class Rows:
    """The rows of all series, cut into stretches that every fold treats alike.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_outputs)
    weights : ndarray of shape (n_rows,) or None
    spans : list of (start, stop)
        The series.
    washout : int
    folds : list of (train, test) masks of shape (n_rows,)

    Attributes
    ----------
    weights : ndarray of shape (n_rows,)
        Zero in the washout too.
    pattern : ndarray of shape (n_rows,)
        Number of the set of folds that a row teaches, -1 where it teaches none.
    teaches : ndarray of shape (n_patterns, n_folds) of bool
    test : ndarray of shape (n_folds, n_rows) of bool
        Held-out rows of weight above zero.
    late : ndarray of shape (n_folds,) of bool
        Whether a fold holds out a row before the last one it learns from.
    """

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None,
        spans: list[tuple[int, int]],
        washout: int,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        self.rows, self.targets, self.spans = rows, np.nan_to_num(targets), spans
        self.weights = np.ones(rows.shape[0]) if weights is None else weights.copy()
        for a, b in spans:
            self.weights[a : min(a + washout, b)] = 0.0
        counts = self.weights > 0
        train = np.stack([fold[0] & counts for fold in folds])
        self.test = np.stack([fold[1] & counts for fold in folds])
        for i in range(len(folds)):
            if not train[i].any():
                raise ValueError(
                    f"fold {i} of cv has no row to learn from: unlabelled rows, rows of weight "
                    "zero and those of the washout do not count."
                )
            if not self.test[i].any():
                raise ValueError(
                    f"fold {i} of cv holds out no row that counts: unlabelled rows, rows of weight "
                    "zero and those of the washout do not."
                )
        kinds, numbers = np.unique(train.T, axis=0, return_inverse=True)
        used = kinds.any(axis=1)
        self.teaches = kinds[used]
        self.pattern = np.where(used, np.cumsum(used) - 1, -1)[numbers.reshape(-1)]
        first_test = self.test.argmax(axis=1)
        last_train = rows.shape[0] - 1 - train[:, ::-1].argmax(axis=1)
        self.late = first_test <= last_train
        self._cuts = np.unique(first_test[~self.late])

    def stretches(self) -> Iterator[tuple[slice, bool]]:
        """Stretches of rows to drive at once, and whether a series begins there."""
        for a, b in self.spans:
            inside = self._cuts[(self._cuts > a) & (self._cuts < b)]
            edges = [a, *inside.tolist(), b]
            for begin, end in itertools.pairwise(edges):
                for start in range(begin, end, _ROWS):
                    yield slice(start, min(start + _ROWS, end)), start == a

    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Of every fold, weight (n_folds,) and spread about the mean (n_folds, n_outputs)."""
        weights = self.test * self.weights
        total = weights.sum(axis=1)
        mean = (weights @ self.targets) / total[:, np.newaxis]
        spread = [w @ (self.targets - m) ** 2 for w, m in zip(weights, mean, strict=True)]
        return total, np.stack(spread)


def lanes_at_once(n_columns: int, n_patterns: int) -> int:
    """How many configurations to drive side by side."""
    fitting = _MOST_BYTES // (8 * n_columns**2 * n_patterns)
    return int(min(max(fitting, 4), _MOST_LANES))


class Run:
    """Configurations side by side on one drawn reservoir.

    Parameters
    ----------
    reservoir : Reservoir
        Fitted, with scalings of one: its matrices as drawn, the radius of W being one (or, where
        every configuration takes W as it is, not).
    lanes : list of Lane
        All with as many penalties.
    rows : Rows
    fit_intercept, include_input : bool
    """

    def __init__(
        self,
        reservoir: Reservoir,
        lanes: Sequence[Lane],
        rows: Rows,
        fit_intercept: bool,
        include_input: bool,
    ) -> None:
        dtype, n_lanes = reservoir.bias_.dtype, len(lanes)
        self._reservoir, self._lanes, self._rows = reservoir, lanes, rows
        self._fit_intercept, self._include_input = fit_intercept, include_input
        compressed = sparse.csr_array(reservoir.recurrent_weights_)
        self._recurrent = (
            compressed.data,
            compressed.indices.astype(np.uint64),
            compressed.indptr.astype(np.uint64),
        )
        radius, inputs, bias = (
            np.array([getattr(lane, name) for lane in lanes], dtype=dtype)
            for name in ("spectral_radius", "input_scaling", "bias_scaling")
        )
        self._scalings = radius, inputs, bias
        leak = np.empty((reservoir.n_units, n_lanes), dtype=dtype)
        kept = np.empty_like(leak)
        for b, lane in enumerate(lanes):
            leak[:, b], scaling = lane.leak_rate, lane.residual_scaling
            kept[:, b] = 1 - leak[:, b] if scaling is None else scaling
        self._kept, self._leak = kept.ravel(), leak.ravel()
        self._x, self._pre = np.zeros_like(self._leak), np.empty_like(self._leak)
        self._buffer = np.empty((n_lanes, _ROWS, reservoir.n_units), dtype=dtype)
        n_beside = rows.rows.shape[1] if include_input else 0
        self._n_columns = reservoir.n_units + n_beside
        n_outputs, n_folds = rows.targets.shape[1], rows.late.size
        self._moments = [
            [Moments(self._n_columns, n_outputs) for _ in rows.teaches] for _ in range(n_lanes)
        ]
        self._room = np.empty((_ROWS + 1, self._n_columns + n_outputs))
        self._solutions: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._errors = np.zeros((n_lanes, n_folds, n_outputs, lanes[0].alphas.size))

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite has the worst score
    def errors(self) -> np.ndarray:
        """Sums of squared errors, of shape (n_lanes, n_folds, n_outputs, n_alphas).

        NaN where a state or an error left the finite numbers.
        """
        rows = self._rows
        for part, states in self._driven():
            self._learn(part, states)
            self._judge(part, states, ~rows.late)
        if rows.late.any():
            for part, states in self._driven():
                self._judge(part, states, rows.late)
        return np.where(np.isfinite(self._errors), self._errors, np.nan)

    def _driven(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The states (n_lanes, n_rows, n_units) of every stretch; one array for all of them."""
        reservoir, rows = self._reservoir, self._rows.rows
        weights = reservoir.input_weights_.T
        for part, begins in self._rows.stretches():
            if begins:
                self._x[:] = 0
            states = self._buffer[:, : part.stop - part.start]
            drive_configurations(
                self._recurrent,
                rows[part].astype(weights.dtype, copy=False) @ weights,
                reservoir.bias_,
                *self._scalings,
                self._kept,
                self._leak,
                ACTIVATIONS[reservoir.activation],
                self._pre,
                self._x,
                states,
            )
            yield part, states

    def _beside(self, part: slice) -> np.ndarray:
        """Columns of the readout beside the states."""
        rows = self._rows.rows
        return rows[part] if self._include_input else np.empty((part.stop - part.start, 0))

    def _learn(self, part: slice, states: np.ndarray) -> None:
        """Fold the rows of a stretch into the moments of their patterns."""
        patterns, n_units = self._rows.pattern[part], states.shape[2]
        for pattern in np.unique(patterns[patterns >= 0]):
            chosen: Any = patterns == pattern
            chosen = slice(None) if chosen.all() else chosen
            rest = np.concatenate([self._beside(part), self._rows.targets[part]], axis=1)[chosen]
            weights = self._rows.weights[part][chosen]
            rows = self._room[: weights.size + 1]
            for own, moments in zip(states, self._moments, strict=True):
                rows[:-1, :n_units], rows[:-1, n_units:] = own[chosen], rest
                moments[pattern].fold(rows, weights)

    def _solution(self, b: int, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (n_columns, n_outputs * n_alphas) and intercepts, NaN where there are none.

        The moments of a fold are those of the patterns that teach it.
        """
        known = self._solutions.get((b, fold))
        if known is not None:
            return known
        teaching = np.flatnonzero(self._rows.teaches[:, fold])
        parts, n = [self._moments[b][pattern] for pattern in teaching], self._n_columns
        moments = reduce(Moments.merge, parts[1:], parts[0])
        alphas, n_outputs = self._lanes[b].alphas, self._rows.targets.shape[1]
        coef = np.full((n, n_outputs * alphas.size), np.nan)
        intercept = np.full(n_outputs * alphas.size, np.nan)
        if np.isfinite(np.diag(moments.products)).all():
            found = ridge_path(moments.settled(), alphas, self._fit_intercept)
            coef, intercept = found[0].reshape(n, -1), found[1].reshape(-1)
        self._solutions[b, fold] = coef, intercept
        return coef, intercept

    def _judge(self, part: slice, states: np.ndarray, folds: np.ndarray) -> None:
        """Add up the squared errors of the rows that some of `folds` hold out."""
        for fold in np.flatnonzero(folds & self._rows.test[:, part].any(axis=1)).tolist():
            held: Any = self._rows.test[fold, part]
            held = slice(None) if held.all() else held
            beside = self._beside(part)[held]
            targets, weights = self._rows.targets[part][held], self._rows.weights[part][held]
            n_units = states.shape[2]
            for b, own in enumerate(states):
                coef, intercept = self._solution(b, fold)
                x = own[held].astype(np.float64, copy=False)
                answer = x @ coef[:n_units] + beside @ coef[n_units:] + intercept
                wrong = answer.reshape(*targets.shape, -1) - targets[:, :, np.newaxis]
                self._errors[b, fold] += np.einsum("t,toa,toa->oa", weights, wrong, wrong)
