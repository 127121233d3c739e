"""The states of a network that is read row by row: given, carried on, handed out."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._validation import SeriesData, check_initial_states

from ._base import RecurrentNetwork
from ._cells import State
from ._running import drive, n_state
from ._windows import Sequences


class RowStates(RecurrentNetwork):
    """Base of `RowNetwork`: what its answers start from, and where its training ended.

    Training keeps the last row of the last series and the state before it, not the state after
    it: so what goes on from there can read that row's output, too.
    """

    _row_wise = True
    bptt_stride: int | None
    n_strands: int
    _n_outputs: int
    _dtype: np.dtype
    _running: list[State] | None
    _end: tuple[np.ndarray, np.ndarray]  # the last row of training and the state before it

    # ---- answering ----------------------------------------------------------------------------

    def _follow(
        self, data: SeriesData, initial_state: Any, *, columns: bool = False
    ) -> tuple[np.ndarray, np.ndarray, SeriesData]:
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        states = None
        if initial_state is not None:
            self._require_one_direction("initial_state")
            n_series, n = data.stacked.n_series, n_state(network)
            states = check_initial_states(initial_state, n_series, n, data.rows.dtype)
        sequences = self._sequences(data, data.stacked.starts[1:])
        with np.errstate(all="ignore"):
            outputs, states = drive(network, sequences, self.batch_size, states, columns=columns)
        self._require_finite(outputs, "row")
        return outputs, states, data

    def _with_state(self, answer: Any, states: np.ndarray, data: SeriesData, wanted: bool) -> Any:
        """`answer`, and the states if they are wanted, one for plain rows."""
        if not wanted:
            return answer
        self._require_one_direction("return_state")
        return answer, states if data.stacked.bounded else states[0]

    def _require_one_direction(self, what: str) -> None:
        if self.bidirectional:
            raise ValueError(
                f"{what} needs a network that runs forward only: with bidirectional=True a row's "
                "answer depends on the rows after it. Set bidirectional=False."
            )

    # ---- as a memory (see `filters.timeseries._memory.Memory`) --------------------------------

    def _as_memory(self, rows: np.ndarray) -> Self:
        """A copy whose weights stay as they are, for `MemoryRegressor` and its like."""
        try:
            check_is_fitted(self)
        except NotFittedError as error:
            raise NotFittedError(
                f"{type(self).__name__} as a memory must be fitted first: its weights stay as they "
                "are. clone and GridSearchCV forget them; wrap it in "
                "sklearn.frozen.FrozenEstimator against that."
            ) from error
        self._require_one_direction("a memory")
        memory = copy.deepcopy(self)
        memory._check_data(rows)
        return memory

    @property
    def _n_state(self) -> int:
        return self._end[1].shape[1]

    def _dtype_for(self, dtype: np.dtype) -> np.dtype:
        return dtype

    def _noise_rng(self) -> None:
        """A trained network has no noise."""

    def _advance(
        self, rows: np.ndarray, state: np.ndarray, rng: np.random.RandomState | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the output sees of one stretch of one series, and the state after it."""
        columns, states = self._advance_all(rows, [(0, rows.shape[0])], state[np.newaxis])
        return columns, states[0]

    def _advance_all(
        self, rows: np.ndarray, spans: list[tuple[int, int]], states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        starts, stops = np.array(spans, dtype=np.int64).T
        network = self._current_network(rows.shape[1], rows.dtype)
        series = Sequences(rows, starts, stops, row_wise=True)
        return drive(network, series, self.batch_size, states, columns=True)

    # ---- where training ended -----------------------------------------------------------------

    def _state_to_go_on_from(self, data: SeriesData) -> list[State] | None:
        return self._running if self._runs_on(data) else None

    def _end_training(
        self, data: SeriesData, state: list[State] | None, going_on: bool = False
    ) -> None:
        """Keep the state to go on from: as training left it, and as the final weights give it."""
        self._n_outputs, self._dtype = self.output_bias_.size, self.output_bias_.dtype
        self._running = state if self._runs_on(data) else None
        if self.bidirectional:
            return
        rows, before = data.rows[data.stacked.starts[-2] :], None
        network = self._current_network(rows.shape[1], self._dtype)
        if going_on:
            last, before = self._end
            rows = np.concatenate([last, rows])
        states = np.zeros((1, n_state(network)), dtype=network.dtype) if before is None else before
        if rows.shape[0] > 1:
            series = Sequences(rows[:-1], np.array([0]), np.array([len(rows) - 1]), row_wise=True)
            with np.errstate(all="ignore"):
                states = drive(network, series, 1, states)[1]
        self._end = rows[-1:].copy(), states

    def _end_answer(self) -> tuple[np.ndarray, np.ndarray]:
        """Output of the last row of training, and the state after it."""
        self._require_one_direction("what goes on from the end of training")
        row, before = self._end
        network = self._current_network(row.shape[1], self._dtype)
        series = Sequences(row, np.array([0]), np.array([1]), row_wise=True)
        outputs, states = drive(network, series, 1, before)
        return outputs[0], states[0]

    def _runs_on(self, data: SeriesData) -> bool:
        """Plain rows, trained in order, are the next rows of one series."""
        whole = self.n_strands == 1 and self.bptt_stride is None and not self.bidirectional
        return whole and not data.stacked.bounded
