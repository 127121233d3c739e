"""MemoryRunner: what a model does once it has a memory and a readout, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._validation import SeriesData, check_initial_states, check_series

from ._driving import parts_of
from ._readout import Readout


class MemoryRunner:
    """Drives `memory_` through series and reads the columns that its readout sees.

    `MemoryModel` adds the learning. A subclass with feedback says how many of the numbers of its
    state are fed back outputs (`_n_feedback`) and how it drives and answers then.
    """

    include_input: bool
    # Constructor parameters of the echo state models; other memories work row by row anyway.
    n_jobs: int | None = None
    teacher_forcing: bool = True
    _n_feedback: int = 0
    _block = 1024  # rows driven at once: bounds the memory of fit and predict
    memory_: Memory
    _readout: Readout
    _dtype: np.dtype

    # ---- driving ------------------------------------------------------------------------------

    @property
    def _n_state(self) -> int:
        return self.memory_._n_state

    @property
    def _feeds_itself(self) -> bool:
        """Whether the fit, too, feeds back the model's own output in place of the target."""
        return self._n_feedback > 0 and not self.teacher_forcing

    def _blocks(
        self, rows: np.ndarray, state: np.ndarray, teacher: np.ndarray | None = None
    ) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Drive one stretch; give its blocks of rows, their columns, and the state so far.

        A memory may ask for many rows at once; the state is then that after all of them.
        """
        if self._n_feedback:
            assert teacher is not None, "with feedback, rows are driven with their targets"
            # What the model says is written into its own state: then it goes row by row.
            step = 1 if self._feeds_itself else self._block
            for start in range(0, rows.shape[0], step):
                part = slice(start, start + step)
                columns, state = self._drive(rows[part], state, teacher=teacher[part])
                yield part, columns, state
            return
        memory: Any = self.memory_
        at_once = min(getattr(memory, "_rows_at_once", self._block), max(rows.shape[0], 1))
        # Pages of new memory would cost as much as the states on them: they are used again.
        room, options = None, {}
        if at_once > self._block and not memory._layers:
            room = np.empty((at_once, memory._n_features_out), dtype=self._dtype)
            options = {"room": room}
        for begin in range(0, rows.shape[0], at_once):
            end = min(begin + at_once, rows.shape[0])
            features, state = memory._advance(rows[begin:end], state, **options)
            for start in range(begin, end, self._block):
                part = slice(start, min(start + self._block, end))
                columns = self._columns(features[start - begin : part.stop - begin], rows[part])
                if room is not None and columns.base is room:
                    columns = columns.copy()
                yield part, columns, state

    def _drive(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: np.random.RandomState | None = None,
        teacher: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the readout for a stretch of rows, and the state after it."""
        features, state = self.memory_._advance(rows, state, rng)
        return self._columns(features, rows), state

    def _columns(self, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What the readout sees of some rows."""
        if not self.include_input:
            return features
        return np.concatenate([features, rows.astype(features.dtype, copy=False)], axis=1)

    # ---- answering ----------------------------------------------------------------------------

    def _answer(
        self, X: Any, groups: Any, initial_state: Any
    ) -> tuple[np.ndarray, np.ndarray, SeriesData]:
        """Raw outputs of the readout for every row, the states after each series, the data."""
        check_is_fitted(self, "memory_")
        data = check_series(self, X, reset=False, groups=groups)
        states = self._initial_states(initial_state, data.stacked.n_series)
        spans = list(data.stacked.spans())
        series = [data.rows[a:b] for a, b in spans]
        alone = self.n_jobs in (None, 1) or len(series) == 1
        short = data.stacked.lengths.max() <= self._block
        if alone and short and len(series) > 1 and not self._n_feedback:
            runs = self._follow_all(data.rows, spans, states)
        elif alone:
            runs = [self._follow(rows, state) for rows, state in zip(series, states, strict=True)]
        else:
            runs = Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(self._follow)(rows, state)
                for rows, state in zip(series, states, strict=True)
            )
        outputs = np.concatenate([run[0] for run in runs]) if len(runs) > 1 else runs[0][0]
        finite = np.isfinite(outputs).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise DivergenceError(
                f"{type(self).__name__} answers row {row} with NaN or infinity: the row is too "
                f"large, or too far from those of the fit, for {outputs.dtype} numbers.",
                row,
            )
        return outputs, np.stack([run[1] for run in runs]), data

    def _follow(self, rows: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs for one series from `state`, block by block, and the state after it."""
        outputs = None
        for part, output, after in self._responses(rows, state):
            state = after
            if outputs is None:
                outputs = np.empty((rows.shape[0], *output.shape[1:]), dtype=output.dtype)
            outputs[part] = output
        assert outputs is not None, "a series has rows"
        return outputs, state

    def _responses(
        self, rows: np.ndarray, state: np.ndarray
    ) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Blocks of rows of one series, the outputs for them, and the state so far."""
        if not self._n_feedback:
            for part, columns, after in self._blocks(rows, state):
                yield part, self._read(columns), after
            return
        for start in range(0, rows.shape[0], self._block):
            part = slice(start, start + self._block)
            output, state = self._respond(rows[part], state)
            yield part, output, state

    def _follow_all(
        self, rows: np.ndarray, spans: list[tuple[int, int]], states: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """As `_follow` for short series, which the memory may drive side by side."""
        runs: list[tuple[np.ndarray, np.ndarray]] = []
        for part in parts_of(spans):
            begin, end = spans[part.start][0], spans[part.stop - 1][1]
            inside = [(a - begin, b - begin) for a, b in spans[part]]
            features, last = self.memory_._advance_all(rows[begin:end], inside, states[part])
            columns = self._columns(features, rows[begin:end])
            outputs = [self._read(columns[a:b]) for a, b in inside]
            runs += zip(outputs, last, strict=True)
        return runs

    def _respond(self, rows: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features, state = self._drive(rows, state)
        return self._read(features), state

    def _read(self, columns: np.ndarray) -> np.ndarray:
        """Raw outputs for rows of the readout's columns."""
        return self._readout.predict(columns)

    def _initial_states(self, initial_state: Any, n_series: int) -> np.ndarray:
        return check_initial_states(initial_state, n_series, self._n_state, self._dtype)
