"""Ridge readouts of whole sequences: one row a case, or all rows of all cases from moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Literal, NamedTuple

import numpy as np
from scipy.linalg import eigh
from sklearn.linear_model import RidgeCV

from ._moments import Moments, solve_ridge
from ._sequence_states import mean_state

ALPHAS = np.logspace(-6, 6, 25)
_N_FOLDS = 5


class CaseReadout(NamedTuple):
    """A linear readout of standardised pooled features.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_columns,)
    alpha : float
    coef : ndarray of shape (n_outputs, n_columns)
    intercept : ndarray of shape (n_outputs,)
    """

    mean: np.ndarray
    scale: np.ndarray
    alpha: float
    coef: np.ndarray
    intercept: np.ndarray

    def predict(self, pooled: np.ndarray) -> np.ndarray:
        """Outputs ``(n_cases, n_outputs)`` for pooled features, in their precision."""
        standard = (pooled.astype(np.float64) - self.mean) / self.scale
        # einsum sums every case in the same order, whatever stands beside it.
        outputs = np.einsum("nc,kc->nk", standard, self.coef) + self.intercept
        return outputs.astype(pooled.dtype, copy=False)

    def in_units(self, mean_y: np.ndarray, scale_y: np.ndarray) -> CaseReadout:
        """The same readout for targets ``mean_y + scale_y * y``."""
        return self._replace(
            coef=self.coef * scale_y[:, np.newaxis], intercept=self.intercept * scale_y + mean_y
        )


def ridge_of_cases(
    pooled: np.ndarray, targets: np.ndarray, weights: np.ndarray, alpha: float | Literal["auto"]
) -> CaseReadout:
    """Fit one row a case; ``alpha="auto"`` has the least leave-one-out error of `ALPHAS`."""
    eps = np.finfo(pooled.dtype).eps
    pooled = pooled.astype(np.float64)
    mean = np.average(pooled, axis=0, weights=weights)
    deviation = np.sqrt(np.average((pooled - mean) ** 2, axis=0, weights=weights))
    scale = _usable(deviation, 8 * eps * np.abs(pooled).max(axis=0))
    alphas = ALPHAS if alpha == "auto" else np.array([max(alpha, 1e-12)])
    sample_weight = None if (weights == 1).all() else weights
    ridge = RidgeCV(alphas=alphas).fit((pooled - mean) / scale, targets, sample_weight)
    return CaseReadout(mean, scale, float(ridge.alpha_), ridge.coef_, ridge.intercept_)


def ridge_of_rows(
    cases: Iterable[Iterable[np.ndarray]],
    targets: np.ndarray,
    weights: np.ndarray,
    alpha: float | Literal["auto"],
) -> CaseReadout:
    """Fit all rows of all cases, the target of a case repeated over its rows.

    The mean of the outputs over a case is the output at its mean state, so this is a readout of
    mean states too. With ``alpha="auto"`` the error of that mean output is what is least, over five
    folds of whole cases, dealt out in the order of the first target.

    Parameters
    ----------
    cases : iterable of iterables of ndarray (n_rows, n_columns)
        Blocks of states of every case.
    targets : ndarray of shape (n_cases, n_outputs)
    weights : ndarray of shape (n_cases,)
        Weight of each row of a case.
    alpha : float or "auto"
        Penalty on standardised columns.
    """
    n_folds = min(_N_FOLDS, targets.shape[0]) if alpha == "auto" else 1
    fold_of = np.empty(targets.shape[0], dtype=np.intp)
    fold_of[np.lexsort(targets.T[::-1])] = np.arange(targets.shape[0]) % n_folds
    folds: list[Moments | None] = [None] * n_folds
    means = []
    for blocks, target, weight, k in zip(cases, targets, weights, fold_of.tolist(), strict=True):
        means.append(mean_state(_taught(blocks, target, weight, folds, k)))
    parts = [fold for fold in folds if fold is not None]
    whole = reduce(Moments.merge, parts[1:], parts[0]).settled()
    deviation = np.sqrt(np.diag(whole.cxx) / whole.weight)
    scale = _usable(deviation, 32 * np.finfo(float).eps * np.abs(whole.mean_x))
    if alpha == "auto":
        alpha = _best_alpha(parts, fold_of, np.array(means), targets, weights, scale)
    coef, _ = solve_ridge(whole.scaled(scale), alpha)
    return CaseReadout(whole.mean_x, scale, float(alpha), coef.T.copy(), whole.mean_y)


def _taught(
    blocks: Iterable[np.ndarray],
    target: np.ndarray,
    weight: float,
    folds: list[Moments | None],
    k: int,
) -> Iterator[np.ndarray]:
    """Pass the blocks of a case through, folding them into the moments of fold `k`."""
    for states in blocks:
        n_rows, n_columns = states.shape
        moments = folds[k]
        if moments is None:
            moments = folds[k] = Moments(n_columns, target.size)
        repeated = np.broadcast_to(target, (n_rows, target.size))
        moments.update(states, repeated, np.full(n_rows, weight))
        yield states


def _best_alpha(
    parts: list[Moments],
    fold_of: np.ndarray,
    means: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    scale: np.ndarray,
) -> float:
    errors = np.zeros(ALPHAS.size)
    for k in range(len(parts)):
        others = parts[:k] + parts[k + 1 :]
        train = reduce(Moments.merge, others[1:], others[0]).scaled(scale)
        values, vectors = eigh(train.cxx, lower=False)
        values, cross = np.maximum(values, 0.0), vectors.T @ train.cxy
        held = fold_of == k
        projected = (means[held] / scale - train.mean_x) @ vectors
        wanted = targets[held] - train.mean_y
        for j, alpha in enumerate(ALPHAS):
            answer = projected @ (cross / (values + alpha)[:, np.newaxis])
            errors[j] += weights[held] @ ((answer - wanted) ** 2).sum(axis=1)
    return float(ALPHAS[np.argmin(errors)])


def _usable(deviation: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """Standard deviations to divide by: 1 where a column is a constant and its rounding."""
    return np.where(deviation > rounding, deviation, 1.0)
