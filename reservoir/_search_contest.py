"""Contest: the held-out scores of many configurations, with every seed and at every penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from filters.timeseries._validation import SeriesData

from ._esn import ESNRegressor
from ._esn_cv import cut_folds
from ._progress import Progress
from ._reservoir import Reservoir
from ._search_results import SCORES
from ._search_run import Lane, Rows, Run, lanes_at_once
from ._search_space import SCALARS, alike, is_lane


class Contest:
    """Configurations that are judged on the same folds of the same rows.

    Parameters
    ----------
    models : sequence of ESNRegressor
        One a configuration, unfitted.
    penalties : sequence of ndarray of shape (n_alphas,)
        One a configuration.
    data : SeriesData
    cv : int, splitter, iterable of (train, test) or None
        As in `ESNSearchCV`.
    """

    def __init__(
        self,
        models: Sequence[ESNRegressor],
        penalties: Sequence[np.ndarray],
        data: SeriesData,
        cv: Any,
    ) -> None:
        self._models, self._penalties, self._data = models, penalties, data
        self._folds = last_quarter(data) if cv is None else cut_folds(cv, data, data.targets)
        self._rows: dict[int, Rows] = {}  # by washout

    def scores(
        self, seeds: np.ndarray, survivors: float, scoring: str, n_jobs: int | None, verbose: int
    ) -> np.ndarray:
        """Drive and judge; `survivors` is the share that goes on after the first of `seeds`.

        Returns
        -------
        ndarray of shape (n_configurations, n_seeds, n_alphas)
            NaN where it is not finite or was not asked for.
        """
        n, n_rows = len(self._models), self._data.rows.shape[0]
        n_kept = int(np.ceil(survivors * n))
        progress = Progress("ESNSearchCV", n_rows * (n + n_kept * (len(seeds) - 1)), verbose)
        score = SCORES[scoring]
        scores = np.full((n, len(seeds), self._penalties[0].size), np.nan)

        def judge(members: list[int], rows: Rows, seed: int) -> None:
            first = self._models[members[0]]
            reservoir = drawn(first, self._data.rows, int(seeds[seed]))
            size = first.n_units + self._data.rows.shape[1] + self._data.targets.shape[1] + 1
            n_lanes = lanes_at_once(size, rows.teaches.shape[0])
            weight, spread = rows.held_out()
            for at in range(0, len(members), n_lanes):
                part = members[at : at + n_lanes]
                lanes = [lane(self._models[i], self._penalties[i]) for i in part]
                run = Run(reservoir, lanes, rows, first.fit_intercept, first.include_input)
                scores[part, seed] = score(run.errors(), weight, spread).mean(axis=1)
                progress.update(n_rows * len(part))

        def judge_all(kept: list[int], numbers: range) -> None:
            work = []
            for members in alike(self._models, kept):
                rows = self._rows_after(self._models[members[0]].washout)
                work += [(members, rows, seed) for seed in numbers]
            Parallel(n_jobs=n_jobs, prefer="threads")(delayed(judge)(*task) for task in work)

        judge_all(list(range(n)), range(1))
        best = np.where(np.isnan(scores[:, 0]), -np.inf, scores[:, 0]).max(axis=1)
        survive = np.sort(np.argsort(-best, kind="stable")[:n_kept]).tolist()
        judge_all(survive, range(1, len(seeds)))
        return scores

    def _rows_after(self, washout: int) -> Rows:
        if washout not in self._rows:
            data, spans = self._data, list(self._data.stacked.spans())
            self._rows[washout] = Rows(
                data.rows, data.targets, data.weights, spans, washout, self._folds
            )
        return self._rows[washout]


def last_quarter(data: SeriesData) -> list[tuple[np.ndarray, np.ndarray]]:
    """One fold that holds out the last quarter of one series, or of several series."""
    n_rows, starts = data.rows.shape[0], data.stacked.starts
    n_series = data.stacked.n_series
    if n_rows < 2:
        raise ValueError("cv=None holds out the last quarter of the rows; got n_samples=1.")
    first = n_rows - max(n_rows // 4, 1)
    if n_series > 1:
        first = int(starts[n_series - max(n_series // 4, 1)])
    held_out = np.arange(n_rows) >= first
    return [(~held_out, held_out)]


def drawn(model: ESNRegressor, rows: np.ndarray, seed: int) -> Reservoir:
    """The reservoir of a group and seed, whatever is a lane's own being one."""
    model = clone(model).set_params(random_state=seed)
    own = {name: 1.0 for name in SCALARS if is_lane(getattr(model, name))}
    return model._reservoir().set_params(**own, leak_rate=1.0).fit(rows[:1])


def lane(model: ESNRegressor, penalties: np.ndarray) -> Lane:
    """What a configuration does to the reservoir of its group."""
    radius, inputs, bias = (
        value if is_lane(value) else 1.0 for value in (getattr(model, name) for name in SCALARS)
    )
    bias = bias if model.bias is None else 1.0  # one that is given is used as it is
    radius = radius if model.spectral_norm is None else 1.0  # the drawn matrix has that norm
    return Lane(radius, inputs, bias, model.leak_rate, model.residual_scaling, penalties)
