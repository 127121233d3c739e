"""Scores of a search and the table of its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rankdata


def _mean_squared(sums: np.ndarray, weight: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return -(sums / weight[:, np.newaxis, np.newaxis]).mean(axis=-2)


def _root_mean_squared(sums: np.ndarray, weight: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return -np.sqrt(sums / weight[:, np.newaxis, np.newaxis]).mean(axis=-2)


def _r2(sums: np.ndarray, weight: np.ndarray, spread: np.ndarray) -> np.ndarray:
    spread = spread[:, :, np.newaxis]
    share = np.divide(sums, spread, out=np.ones_like(sums), where=spread > 0)
    return (1.0 - share).mean(axis=-2)


# From sums of squared errors (..., n_folds, n_outputs, n_alphas), the weight (n_folds,) and the
# spread of the targets (n_folds, n_outputs) held out: a score (..., n_folds, n_alphas).
SCORES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "neg_mean_squared_error": _mean_squared,
    "neg_root_mean_squared_error": _root_mean_squared,
    "r2": _r2,
}


def results_table(
    params: list[dict[str, Any]],
    penalties: list[np.ndarray],
    scores: np.ndarray,
    usable: np.ndarray,
) -> dict[str, Any]:
    """The `cv_results_` of a search.

    Parameters
    ----------
    params : list of n_configurations dicts
    penalties : list of n_configurations arrays of shape (n_alphas,)
    scores : ndarray of shape (n_configurations, n_seeds, n_alphas)
    usable : ndarray of shape (n_configurations, n_alphas)
        Medians over seeds, minus infinity where there is none or it must not be chosen.
    """
    finite = np.isfinite(usable).any(axis=1)
    first = np.where(np.isnan(scores[:, 0]), -np.inf, scores[:, 0])
    chosen = np.where(finite, usable.argmax(axis=1), first.argmax(axis=1))
    seeds = scores[np.arange(chosen.size), :, chosen]
    median = np.where(finite, np.median(seeds, axis=1), np.nan)
    params = [
        own | {"alpha": float(alphas[at])}
        for own, alphas, at in zip(params, penalties, chosen, strict=True)
    ]
    results: dict[str, Any] = {"params": params}
    for name in sorted({name for own in params for name in own}):
        column = np.ma.masked_all(len(params), dtype=object)
        for i, own in enumerate(params):
            if name in own:
                column[i] = own[name]
        results[f"param_{name}"] = column
    for i, column in enumerate(seeds.T):
        results[f"seed{i}_test_score"] = column
    results["mean_test_score"] = seeds.mean(axis=1)
    results["std_test_score"] = seeds.std(axis=1)
    results["median_test_score"] = median
    rank = rankdata(np.where(finite, -median, np.inf), method="min")
    rank[~finite] += rankdata(-first.max(axis=1)[~finite], method="min") - 1
    results["rank_test_score"] = rank.astype(np.int32)
    return results
