"""What may be said about medians over seeds and about ranks over tasks, and what may not."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

MIN_SEEDS = 6  # with five, the two-sided signed-rank test cannot fall below p = 0.0625
MIN_TASKS, MIN_MODELS = 5, 3
LEVEL = 0.05
_RESAMPLES = 9999


def median_interval(values: Sequence[float] | np.ndarray) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the median, 95 %; None for fewer than six values.

    Parameters
    ----------
    values : array-like of shape (n_seeds,)

    Returns
    -------
    tuple of float or None
        The same for the same values: the resampling has a seed of its own.

    References
    ----------
    B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Examples
    --------
    >>> median_interval([1, 2, 3, 4, 5, 6, 7])
    (2.0, 6.0)
    >>> median_interval([1, 2, 3]) is None
    True
    """
    values = np.asarray(values, dtype=float)
    if values.size < MIN_SEEDS or not np.isfinite(values).all():
        return None
    rng = np.random.RandomState(0)
    drawn = values[rng.randint(values.size, size=(_RESAMPLES, values.size))]
    low, high = np.percentile(np.median(drawn, axis=1), [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)])
    return float(low), float(high)


def paired_p(a: Mapping[int, float], b: Mapping[int, float]) -> float | None:
    """Two-sided p of Wilcoxon's signed-rank test over the seeds that both have.

    Parameters
    ----------
    a, b : dict of float by seed

    Returns
    -------
    float or None
        None for fewer than six pairs; 1 where all pairs are equal.

    References
    ----------
    F. Wilcoxon, Biometrics Bulletin 1 (1945), 80-83.
    """
    both = sorted(set(a) & set(b))
    differences = np.array([a[seed] - b[seed] for seed in both])
    if differences.size < MIN_SEEDS or not np.isfinite(differences).all():
        return None
    if not differences.any():
        return 1.0
    with warnings.catch_warnings():  # ties among few pairs: the normal approximation, said so
        warnings.simplefilter("ignore")
        return float(stats.wilcoxon(differences).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values for their number (S. Holm, Scandinavian Journal of Statistics 6, 1979).

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    adjusted: dict[str, float] = {}
    least = 0.0
    for i, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        least = max(least, min(1.0, (len(p_values) - i) * p))
        adjusted[name] = least
    return adjusted


@dataclass(frozen=True)
class RankTest:
    """Friedman's test on the medians of several models on several tasks.

    Attributes
    ----------
    ranks : dict
        Mean rank of each model over the tasks, 1 for the best, ties shared.
    statistic, p_value : float
    difference : float
        Nemenyi's critical difference: mean ranks less far apart are not told apart.
    n_tasks : int
    """

    ranks: dict[str, float]
    statistic: float
    p_value: float
    difference: float
    n_tasks: int

    @property
    def told_apart(self) -> bool:
        """Whether the test says that the models differ at all."""
        return self.p_value < LEVEL

    def groups(self) -> list[list[str]]:
        """Largest sets of neighbours in rank that are not told apart from one another."""
        order = sorted(self.ranks, key=self.ranks.__getitem__)
        found: list[list[str]] = []
        for i, first in enumerate(order):
            limit = self.ranks[first] + self.difference
            group = [name for name in order[i:] if self.ranks[name] <= limit]
            if len(group) > 1 and not (found and set(group) <= set(found[-1])):
                found.append(group)
        return found


def rank_test(places: Sequence[Mapping[str, float]]) -> RankTest | None:
    """Friedman's test and Nemenyi's critical difference; None where there is too little for it.

    Parameters
    ----------
    places : list of dict
        For each task the rank of every model's median, 1 for the best.

    Returns
    -------
    RankTest or None
        Over the models that answered every task; None for fewer than five tasks or three such
        models.

    References
    ----------
    J. Demsar, Journal of Machine Learning Research 7 (2006), 1-30, section 3.2.
    """
    common = [name for name in (places[0] if places else {}) if all(name in p for p in places)]
    if len(places) < MIN_TASKS or len(common) < MIN_MODELS:
        return None
    table = np.array([[place[name] for name in common] for place in places])
    ranks = stats.rankdata(table, axis=1)
    if np.ptp(ranks) == 0:
        return None
    n_tasks, n_models = ranks.shape
    statistic, p_value = stats.friedmanchisquare(*ranks.T)
    q = stats.studentized_range.ppf(1 - LEVEL, n_models, np.inf) / np.sqrt(2)
    difference = float(q * np.sqrt(n_models * (n_models + 1) / (6 * n_tasks)))
    mean = dict(zip(common, ranks.mean(axis=0).tolist(), strict=True))
    return RankTest(mean, float(statistic), float(p_value), difference, n_tasks)
