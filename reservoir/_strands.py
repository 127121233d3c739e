"""One long series driven as many pieces side by side, each checked against the one before it.

A reservoir that forgets its start needs no true state to begin with: a strand (a contiguous piece
of the series) starts from zero some rows early, its burn-in, and all strands are driven at once by
``reservoir.kernels.drive_many``, which takes a third to half of the time a row. Nothing is assumed:
the state that each burn-in led to is compared with the state in which the strand before it ended,
and where they differ by more than rounding the strand is driven again, row after row, from that
true state until it meets the rows driven before. From equal states on the bits are equal.

The burn-in is measured at the head of the series, by a second run from zero beside the true one,
and grows where strands had to be driven again. Before the strands of a block are driven, two of the
burn-ins are run from another start too. A reservoir that does not forget within a twentieth of the
rows, or not in those two, is driven row after row from there on: what is lost is that twentieth and
the burn-ins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from filters.timeseries._errors import DivergenceError

from ._driving import drive_lanes

if TYPE_CHECKING:
    from ._reservoir import Reservoir

_ROUNDING = 64  # states are equal that differ by so many eps of the largest one
_HEAD = 32  # rows before the measurement, which bring the state away from zero
_STEP = 16  # rows between two comparisons
_LONGEST_BURN_IN = 0.05  # of the rows
_MARGIN = 1.15  # of the burn-in over the one measured
_FEWEST_BURN_INS, _MOST_BURN_INS = 6, 16  # in a strand, where there are rows enough
_MOST_LANES = 64
_BYTES_AT_ONCE = 2**27  # of states, where a model drives a series in strands


def rows_for_strands(reservoir: Reservoir) -> int:
    """Rows of one series that a model is to drive at once, for the strands to be long."""
    row = reservoir._n_features_out * reservoir._dtype_for(np.dtype(float)).itemsize
    return min(max(_BYTES_AT_ONCE // row, 1024), 65536)


def drive_in_strands(
    reservoir: Reservoir, rows: np.ndarray, state: np.ndarray, features: np.ndarray
) -> np.ndarray:
    """Fill the `features` of one stretch of one series; return the state after it.

    Parameters
    ----------
    reservoir : Reservoir
        Fitted, of one layer.
    rows : ndarray of shape (n_timesteps, n_features)
    state : ndarray of shape (n_units,)
    features : ndarray of shape (n_timesteps, n_units [+ n_features]), written
        Those of ``reservoir._drive`` but for what a difference of 64 eps in the state at the
        beginning of a strand makes.

    Returns
    -------
    ndarray of shape (n_units,)

    Raises
    ------
    DivergenceError
    """
    n_rows, n = rows.shape[0], reservoir.n_units
    rows = np.ascontiguousarray(rows, dtype=features.dtype)
    wanted = reservoir.n_strands
    fixed = not isinstance(wanted, str)
    fewest = 128 // features.itemsize if isinstance(wanted, str) else wanted  # two cache lines
    shortest = 1.0 if fixed else _shortest_strand(reservoir)
    if len(reservoir._parts[0]) == 2:  # cyclic diagonals are fastest alone
        shortest = np.inf
    done, burn_in = 0, 0
    if n_rows * _LONGEST_BURN_IN >= _STEP and n_rows >= fewest * _STEP * shortest:
        done, burn_in, state = _measure(reservoir, rows, state, features)
    while burn_in and n_rows - done >= fewest * max(burn_in * shortest, 1):
        lanes = fewest if fixed else max(fewest, _MOST_LANES)
        while lanes > fewest and n_rows - done < lanes * burn_in * _FEWEST_BURN_INS:
            lanes //= 2
        stop = done + lanes * burn_in * _MOST_BURN_INS
        if stop + (stop - done) // 2 > n_rows:  # no short last block
            stop = n_rows
        edges = np.linspace(done, stop, lanes + 1).astype(np.intp)
        again = _drive_block(reservoir, rows, edges, burn_in, state, features)
        if again is None:
            break
        state, done = features[stop - 1, :n].copy(), stop
        burn_in += again
    if done < n_rows:
        return reservoir._drive(rows[done:], state, features[done:])
    if not np.isfinite(state).all():
        raise reservoir._diverged(features[:, :n])
    return state


def _shortest_strand(reservoir: Reservoir) -> float:
    """From how many burn-ins a strand pays; infinite where series side by side are no faster.

    A row of a strand costs `share` of one alone, so a strand of s burn-ins costs share (1 + 1 / s);
    it is to be below 0.85. Shares were measured at 300 to 1000 units, 16 and 32 lanes.
    """
    matrix, n = reservoir._parts[0], reservoir.n_units
    wide = matrix[0].dtype == np.float64
    if len(matrix) == 1:  # dense: what counts is whether it stays in the second cache
        share = 0.4 if matrix[0].nbytes > 2**21 else 1.0
    else:
        a_row = matrix[0].size / n
        alone = 0.3 * a_row + 2.6 if wide else 0.26 * a_row + 1.5  # ns a unit
        share = (0.12 * a_row + 3.2 if wide else 0.08 * a_row + 1.6) / alone
    return share / (0.85 - share) if share < 0.85 else np.inf


def _measure(
    reservoir: Reservoir, rows: np.ndarray, state: np.ndarray, features: np.ndarray
) -> tuple[int, int, np.ndarray]:
    """Drive the head row after row; return its length, the burn-in (0: too long), the state."""
    done = min(_HEAD, rows.shape[0])
    state = reservoir._drive(rows[:done], state, features[:done])
    from_zero = np.zeros_like(state)
    for _ in range(int(_LONGEST_BURN_IN * rows.shape[0]) // _STEP):
        part = slice(done, done + _STEP)
        state = reservoir._drive(rows[part], state, features[part])
        from_zero = _after(reservoir, rows[part], from_zero)
        done += _STEP
        if _meet(from_zero, state):
            return done, int(_MARGIN * (done - _HEAD)), state
    return done, 0, state


def _drive_block(
    reservoir: Reservoir,
    rows: np.ndarray,
    edges: np.ndarray,
    burn_in: int,
    state: np.ndarray,
    features: np.ndarray,
) -> int | None:
    """Drive the strands between `edges`, the first one from `state`; leave no wrong row.

    Returns the most rows that had to be driven again before they met those driven first, 0 where
    the burn-in was long enough everywhere. None: nothing is driven, for the burn-in of a strand
    ends elsewhere from another start.
    """
    n = reservoir.n_units
    starts, stops = edges[:-1], edges[1:]
    begins = np.maximum(starts - burn_in, starts[0])
    states = np.zeros((starts.size, n), dtype=features.dtype)
    states[begins == starts[0]] = state
    if starts.size > 1:
        # What this writes is written over: a row's own strand comes to it later.
        lead = (starts - begins)[1:]
        drive_lanes(reservoir, rows, begins[1:], lead, states[1:], features)
        states[1:] = features[starts[1:] - 1, :n]
    for k in {starts.size // 2, starts.size - 1} - {0}:
        if not _meet(states[k], _after(reservoir, rows[begins[k] : starts[k]], state)):
            return None
    drive_lanes(reservoir, rows, starts, stops - starts, states, features)
    longest = 0
    for start, stop, begun in zip(starts[1:], stops[1:], states[1:], strict=True):
        again = _drive_again(reservoir, rows, int(start), int(stop), begun, features)
        longest = max(longest, again)
    return longest


def _drive_again(
    reservoir: Reservoir,
    rows: np.ndarray,
    start: int,
    stop: int,
    begun: np.ndarray,
    features: np.ndarray,
) -> int:
    """Drive a strand that did not begin in the state before it, until its rows are met."""
    n = reservoir.n_units
    state = features[start - 1, :n]
    if _meet(begun, state):
        return 0
    for at in range(start, stop, _STEP):
        part = slice(at, min(at + _STEP, stop))
        before = features[part][-1, :n].copy()
        state = reservoir._drive(rows[part], state, features[part])
        if _meet(before, state):
            break
    return part.stop - start


def _after(reservoir: Reservoir, rows: np.ndarray, state: np.ndarray) -> np.ndarray:
    """The state after `rows` from one that need not be the true one; NaN where that diverges."""
    unseen = np.empty((rows.shape[0], reservoir._n_features_out), dtype=state.dtype)
    try:
        return reservoir._drive(rows, state, unseen)
    except DivergenceError:
        return np.full_like(state, np.nan)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite does not meet
def _meet(state: np.ndarray, true: np.ndarray) -> bool:
    """Whether two states are equal to rounding."""
    bound = _ROUNDING * np.finfo(true.dtype).eps * np.abs(true).max()
    return bool(np.abs(state - true).max() <= bound)
