"""From stacked series to the windows a network sees: strands, batches, masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """A stretch of time of a batch of series, longest first.

    Attributes
    ----------
    inputs : ndarray of shape (n_timesteps, n_features, batch)
    lengths : ndarray of int64, shape (batch,)
        Time steps of each series inside the window; what stands behind them is never read.
    steps, series : ndarray of int, shape (n_read,)
        Where the output is read: at time step ``steps[i]`` of series ``series[i]``.
    places : ndarray of int, shape (n_read,)
        Where the target of each reading stands: its row, or its case.
    row_wise : bool
        Whether a reading is one of a time step, or one of a series: then the backward direction
        is read at its own last step, the first in time.
    forced : ndarray of shape (n_timesteps, n_outputs, batch), or None
        What a Jordan cell is fed in place of the output of a step, NaN for the output itself.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    steps: np.ndarray
    series: np.ndarray
    places: np.ndarray
    row_wise: bool = True
    forced: np.ndarray | None = None


class Sequences:
    """Stacked series, cut into strands, as batches of windows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    starts, stops : ndarray of int64, shape (n_series,)
        Series i is ``rows[starts[i]:stops[i]]``.
    row_wise : bool
        Whether there is a target a row, or one a series, read at its last row.
    n_strands : int, default=1
        Contiguous pieces each series is cut into; a piece starts from the zero state.
    forced : ndarray of shape (n_rows, n_outputs), or None
        Teacher forcing: what a Jordan cell is fed in place of its output of a row, NaN where it
        is fed the output itself. May be set anew before every epoch.
    """

    def __init__(
        self,
        rows: np.ndarray,
        starts: np.ndarray,
        stops: np.ndarray,
        *,
        row_wise: bool,
        n_strands: int = 1,
        forced: np.ndarray | None = None,
    ) -> None:
        self.rows = rows
        self.forced = forced
        self.row_wise = row_wise
        self.n_series = starts.size
        n_pieces = np.minimum(n_strands, stops - starts)
        self._first = np.concatenate([[0], np.cumsum(n_pieces)])  # strands of each series
        owner = np.repeat(np.arange(starts.size), n_pieces)
        piece = np.arange(owner.size) - self._first[owner]
        length = (stops - starts)[owner]
        self.starts = starts[owner] + piece * length // n_pieces[owner]
        self.lengths = starts[owner] + (piece + 1) * length // n_pieces[owner] - self.starts

    def batches(self, order: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
        """Strands of `batch_size` series at a time."""
        for begin in range(0, order.size, batch_size):
            yield np.concatenate(
                [
                    np.arange(self._first[i], self._first[i + 1])
                    for i in order[begin : begin + batch_size]
                ]
            )

    def longest_first(self, strands: np.ndarray) -> np.ndarray:
        """The order in which `windows` takes them."""
        return strands[np.argsort(-self.lengths[strands], kind="stable")]

    def windows(
        self, strands: np.ndarray, n_timesteps: int | None, read: np.ndarray
    ) -> Iterator[Window]:
        """Walk through `strands` side by side.

        Parameters
        ----------
        strands : ndarray of int
        n_timesteps : int or None
            Length of a window; None takes the longest strand.
        read : ndarray of bool, one entry a row or a series
            Whose output is wanted.
        """
        strands = self.longest_first(strands)
        longest = int(self.lengths[strands[0]])
        n_timesteps = longest if n_timesteps is None else n_timesteps
        for begin in range(0, longest, n_timesteps):
            active = strands[self.lengths[strands] > begin]
            yield self._window(active, begin, min(n_timesteps, longest - begin), read)

    def _window(self, active: np.ndarray, begin: int, n_timesteps: int, read: np.ndarray) -> Window:
        lengths = np.minimum(self.lengths[active] - begin, n_timesteps)
        time = np.arange(n_timesteps)[:, np.newaxis]
        # Behind the end of a series its last row stands again: finite, and never read.
        row = self.starts[active] + begin + np.minimum(time, lengths - 1)
        if self.row_wise:
            wanted = (time < lengths) & read[row]
            steps, series = np.nonzero(wanted)
            places = row[wanted]
        else:
            ends = self.lengths[active] <= begin + n_timesteps
            series = np.flatnonzero(ends & read[active])
            steps, places = lengths[series] - 1, active[series]
        forced = None if self.forced is None else self.forced[row].transpose(0, 2, 1)
        inputs = self.rows[row].transpose(0, 2, 1)
        return Window(inputs, lengths, steps, series, places, self.row_wise, forced)


def windows_every(
    stride: int, n_timesteps: int | None, starts: np.ndarray, stops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and stops of windows that begin every `stride` rows of each series.

    The last of a series begins where it just reaches the end; a shorter series is one window.
    """
    begins, ends = [], []
    for start, stop in zip(starts, stops, strict=True):
        length = min(n_timesteps or stop - start, stop - start)
        begin = np.arange(start, stop - length + 1, stride)
        if begin[-1] + length < stop:
            begin = np.append(begin, stop - length)
        begins.append(begin)
        ends.append(begin + length)
    return np.concatenate(begins), np.concatenate(ends)
