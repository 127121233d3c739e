"""information_processing_capacity: which polynomials of past inputs the states hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import chdtri, eval_legendre
from sklearn.utils import check_random_state

from filters.timeseries._sklearn_private import checked, finite

from ._driving import check_amount, check_count, features_by_block, fitted
from ._explained import ExplainedVariance

_MAX_TERMS = 10_000  # 1024 rows of them are 80 MB
_ROWS = 256  # rows of basis functions at once
# Dambre et al. double the quantile: products of polynomials have heavier tails than chi-squared.
_SAFETY = 2.0

Term = tuple[tuple[int, int], ...]


class ProcessingCapacity(NamedTuple):
    """Answer of `information_processing_capacity`.

    Attributes
    ----------
    total : float
        Sum over all terms.
    by_degree : ndarray of shape (max_degree,)
        Entry d - 1 is the sum over terms of degree d.
    terms : list of tuples
        One a basis function: its factors as pairs (delay, degree), delays from 0.
    capacities : ndarray of shape (n_terms,)
        0 where not significant.

    Examples
    --------
    >>> from filters import TapDelay
    >>> from reservoir.diagnostics import information_processing_capacity
    >>> capacity = information_processing_capacity(TapDelay(2), 1, 2, random_state=0)
    >>> capacity.terms
    [((0, 1),), ((1, 1),), ((2, 1),)]
    """

    total: float
    by_degree: np.ndarray
    terms: list[Term]
    capacities: np.ndarray


@checked(significance=[finite()], random_state=["random_state"])
def information_processing_capacity(
    reservoir: Any,
    max_degree: int = 3,
    max_delay: int | Sequence[int] = 10,
    *,
    n_timesteps: int = 100_000,
    washout: int = 1000,
    amplitude: float = 0.8,
    significance: float = 1e-4,
    random_state: Any = None,
) -> ProcessingCapacity:
    """Measure which orthogonal polynomials of past inputs a linear readout can compute.

    .. math:: C[z] = \\max_{c, B} \\mathrm{corr}^2(z(t), c + B\\,x(t)), \\quad
              z(t) = \\prod_k P_{d_k}(u(t-k) / A)

    with Legendre polynomials P, which are orthogonal for inputs uniform on [-A, A].

    Parameters
    ----------
    reservoir : Reservoir or other transformer of one feature
        Fitted (measured as it is) or not (a clone is fitted).
    max_degree : int, default=3
        Largest total degree.
    max_delay : int or sequence of int, default=10
        Largest delay, one for all degrees or one a degree: their number grows as
        ``comb(max_delay + degree, degree)``.
    n_timesteps : int, default=100000
    washout : int, default=1000
        First rows left out; at least the largest delay are.
    amplitude : float, default=0.8
        A.
    significance : float in (0, 1), default=1e-4
        A capacity counts where it is above twice the quantile that a share `significance` of
        capacities of pure noise would exceed.
    random_state : int, RandomState or None, default=None
        Of the inputs.

    Returns
    -------
    ProcessingCapacity
        ``total``, ``by_degree``, ``terms`` and ``capacities``.

    Raises
    ------
    ValueError
        For parameters out of range, too few rows, or more than 10000 terms.

    Notes
    -----
    The sum over all degrees and delays is the number of independent states if the memory fades,
    and never more. Capacities above the threshold are bias-corrected as in `memory_capacity`,
    those below are set to 0, so what is spread thin over many terms is missed: more rows lower
    the threshold. Cost: a product (n_units x rows) with (rows x terms).

    References
    ----------
    J. Dambre et al., Information processing capacity of dynamical systems, Scientific Reports 2
    (2012), 514, theorems 4 and 7.

    Examples
    --------
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import information_processing_capacity
    >>> linear = Reservoir(5, topology="ring", activation="identity", random_state=0)
    >>> capacity = information_processing_capacity(linear, 2, 30, random_state=0)
    >>> capacity.by_degree.round(1)
    array([5., 0.])
    """
    terms = _terms(check_count("max_degree", max_degree), max_delay)
    if not 0 < significance < 1:
        raise ValueError(f"significance must be in (0, 1), got {significance}.")
    amplitude = check_amount("amplitude", amplitude)
    n_timesteps = check_count("n_timesteps", n_timesteps)
    reach = max(delay for term in terms for delay, _ in term)
    first = max(check_count("washout", washout, 0), reach)
    inputs = check_random_state(random_state).uniform(-1.0, 1.0, n_timesteps)
    memory = fitted(reservoir, amplitude * inputs[:, np.newaxis])
    columns, fit = _columns(terms, reach, max_degree), None
    for part, features in features_by_block(memory, amplitude * inputs[:, np.newaxis]):
        fit = fit or ExplainedVariance(features.shape[1], len(terms))
        for start in range(max(part.start, first), part.stop, _ROWS):
            stop = min(start + _ROWS, part.stop)
            basis = _basis(inputs[start - reach : stop], reach, max_degree)
            targets = np.prod(basis[:, columns], axis=1)
            fit.update(features[start - part.start : stop - part.start], targets)
    assert fit is not None, "there is at least one row"
    raw, corrected, rank, n_rows = fit.explained()
    threshold = _SAFETY * chdtri(max(rank, 1), significance) / n_rows
    capacities = np.where(raw > threshold, corrected, 0.0)
    degrees = np.array([sum(degree for _, degree in term) for term in terms])
    by_degree = np.bincount(degrees, weights=capacities, minlength=max_degree + 1)[1:]
    return ProcessingCapacity(float(capacities.sum()), by_degree, terms, capacities)


def _terms(max_degree: int, max_delay: int | Sequence[int]) -> list[Term]:
    """Every product of polynomials up to the degree, each once."""
    if isinstance(max_delay, int | np.integer):
        max_delay = [int(max_delay)] * max_degree
    if not isinstance(max_delay, list | tuple) and getattr(max_delay, "ndim", 0) != 1:
        raise TypeError(f"max_delay must be a number or one a degree, got {max_delay!r}.")
    reaches = [check_count("max_delay", reach, 0) for reach in max_delay]
    if len(reaches) != max_degree:
        raise ValueError(
            f"max_delay must be one number or one a degree, {max_degree} here; got {len(reaches)}."
        )
    n_terms = sum(comb(reach + d, d) for d, reach in enumerate(reaches, start=1))
    if n_terms > _MAX_TERMS:
        raise ValueError(
            f"max_degree={max_degree} and max_delay={reaches} make {n_terms} terms, more than "
            f"{_MAX_TERMS}. Lower the delays of the higher degrees."
        )
    # A multiset of d delays is a product of total degree d: how often a delay comes is its degree.
    return [
        tuple(sorted(Counter(delays).items()))
        for d, reach in enumerate(reaches, start=1)
        for delays in combinations_with_replacement(range(reach + 1), d)
    ]


def _columns(terms: list[Term], reach: int, max_degree: int) -> np.ndarray:
    """Columns of `_basis` whose product is each term, ``(max_degree, n_terms)``."""
    columns = np.zeros((max_degree, len(terms)), dtype=np.intp)  # degree 0, a one
    for j, term in enumerate(terms):
        for i, (delay, degree) in enumerate(term):
            columns[i, j] = degree * (reach + 1) + delay
    return columns


def _basis(inputs: np.ndarray, reach: int, max_degree: int) -> np.ndarray:
    """Normalised Legendre polynomials of delayed inputs, all delays of a degree together."""
    delayed = sliding_window_view(inputs, reach + 1)[:, ::-1]
    return np.concatenate(
        [np.sqrt(2 * d + 1) * eval_legendre(d, delayed) for d in range(max_degree + 1)], axis=1
    )
