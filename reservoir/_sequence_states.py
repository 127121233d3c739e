"""States of whole sequences, and what is kept of each: their mean, the last, a model of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.linalg import eigh

from ._driving import parts_of
from ._moments import Moments, solve_ridge
from ._reservoir import Reservoir

_BLOCK = 1024  # rows driven at once: bounds the memory that a long sequence takes


def drive_cases(
    reservoir: Reservoir, cases: Sequence[np.ndarray], n_directions: int
) -> Iterator[Iterator[np.ndarray]]:
    """Give the states of every case, in order, each as an iterator over blocks of rows.

    Every case starts from zeros. Row k of a case holds the state after k + 1 rows read from the
    front and beside it, with two directions, the state after k + 1 rows read from the back. The
    blocks of a case are to be used up before the next case is asked for. Short cases are driven
    side by side, a long one alone and block by block.
    """
    stops = np.cumsum([rows.shape[0] for rows in cases]).tolist()
    spans = list(zip([0, *stops[:-1]], stops, strict=True))
    for part in parts_of(spans):
        together = cases[part]
        if len(together) == 1 and together[0].shape[0] > _BLOCK:
            yield _state_blocks(reservoir, together[0], n_directions)
            continue
        begin = spans[part.start][0]
        inside = [(a - begin, b - begin) for a, b in spans[part]]
        runs = []
        for order in (slice(None), slice(None, None, -1))[:n_directions]:
            rows = np.concatenate([case[order] for case in together])
            starts = np.zeros((len(together), reservoir._n_state), dtype=rows.dtype)
            runs.append(reservoir._advance_all(rows, inside, starts)[0])
        for a, b in inside:
            states = [run[a:b] for run in runs]
            yield iter([states[0] if n_directions == 1 else np.concatenate(states, axis=1)])


def _state_blocks(
    reservoir: Reservoir, rows: np.ndarray, n_directions: int
) -> Iterator[np.ndarray]:
    runs = (rows, rows[::-1])[:n_directions]
    states = [np.zeros(reservoir._n_state, dtype=rows.dtype)] * n_directions
    for start in range(0, rows.shape[0], _BLOCK):
        parts = []
        for j, run in enumerate(runs):
            part = np.ascontiguousarray(run[start : start + _BLOCK])
            columns, states[j] = reservoir._advance(part, states[j])
            parts.append(columns)
        yield parts[0] if n_directions == 1 else np.concatenate(parts, axis=1)


def after_washout(blocks: Iterable[np.ndarray], washout: int) -> Iterator[np.ndarray]:
    """Leave out the first `washout` rows of a case."""
    for states in blocks:
        if washout < states.shape[0]:
            yield states[washout:]
        washout = max(washout - states.shape[0], 0)


def mean_state(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Mean over the rows of a case, summed in float64."""
    total, n_rows = np.zeros(1), 0
    for states in blocks:
        total = total + states.sum(axis=0, dtype=np.float64)
        n_rows += states.shape[0]
    return total / n_rows


def last_state(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Last row of a case."""
    last = np.zeros(0)
    for states in blocks:
        last = states[-1]
    return last


class NextStateModel:
    """Describe a case by the ridge model that predicts its next reduced state from the present one.

    .. math:: q(t) = \\frac{1}{s_1} V'(x(t) - m), \\quad
              \\min_{B, c} \\sum_t |q(t) - c - B q(t-1)|^2 + \\alpha |B|^2

    m, V and s_1 (mean, leading directions, standard deviation along the first) are those of all
    training states, so that alpha means the same for any number of units. The state before the
    first row is the zero state, so a case of one row has a model too: B = 0, c = q(0).

    Parameters
    ----------
    moments : Moments
        Of the training states (no outputs).
    n_components : int
        Width of q. Directions without variance stay zero.
    alpha : float
    dtype : dtype
        Of the states; tells a variance from rounding.

    Attributes
    ----------
    mean : ndarray of shape (n_columns,)
    directions : ndarray of shape (n_columns, n_components)
        V / s_1, each with its largest entry positive.

    References
    ----------
    H. Chen, P. Tino, A. Rodan, X. Yao, Learning in the model space for cognitive fault diagnosis,
    IEEE TNNLS 25 (2013), section III. F. M. Bianchi et al., IEEE TNNLS 32 (2021), section III.
    """

    def __init__(self, moments: Moments, n_components: int, alpha: float, dtype: np.dtype) -> None:
        settled = moments.settled()
        n_columns = settled.mean_x.size
        largest = [n_columns - n_components, n_columns - 1]
        variances, vectors = eigh(
            settled.cxx / settled.weight, lower=False, subset_by_index=largest
        )
        variances, vectors = variances[::-1], vectors[:, ::-1]
        signs = np.sign(vectors[np.argmax(np.abs(vectors), axis=0), np.arange(n_components)])
        rounding = (8 * np.finfo(dtype).eps) ** 2 * np.sum(settled.mean_x**2)
        floor = max(n_columns * np.finfo(float).eps * variances[0], rounding)
        first = np.sqrt(variances[0]) if variances[0] > floor else 1.0
        self.mean = settled.mean_x
        self.directions = np.where(variances > floor, vectors * signs / first, 0.0)
        self._alpha = alpha

    def parameters(self, blocks: Iterable[np.ndarray], washout: int) -> np.ndarray:
        """Rows of B, each followed by its entry of c, from the steps into rows after `washout`."""
        n_components = self.directions.shape[1]
        moments = Moments(n_components, n_components)
        before = -self.mean @ self.directions
        for states in blocks:
            reduced = (states - self.mean) @ self.directions
            present = np.concatenate([before[np.newaxis], reduced[:-1]])
            moments.update(present[washout:], reduced[washout:])
            before = reduced[-1]
            washout = max(washout - states.shape[0], 0)
        coef, intercept = solve_ridge(moments, self._alpha)
        return np.concatenate([coef, intercept[np.newaxis]]).T.ravel()
