"""A channel equaliser at work sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._stream import FilterStream, as_block, as_row
from ._task_stream import Parts, PartsSession
from .timeseries._numbers import as_numbers


def open_parts(inner: FilterStream, delay: int, rows: np.ndarray, symbols: np.ndarray) -> Parts:
    """What an equaliser runs on: its filter, and what waits `delay` rows for the other side."""
    early, late = max(-delay, 0), max(delay, 0)
    return {
        "filter": inner,
        "rows": np.zeros((early, rows.shape[1]), dtype=rows.dtype),
        "symbols": np.zeros((late, symbols.shape[1]), dtype=symbols.dtype),
        "known": np.zeros((late, 1), dtype=bool),
        "n_missing": np.full((), early, dtype=np.int64),
    }


def begin_series(parts: Parts) -> None:
    """Forget the rows and symbols before, keep the weights."""
    parts["filter"].clear_history()
    parts["n_missing"] = np.full((), parts["rows"].shape[0], dtype=np.int64)
    for name in ("rows", "symbols", "known"):
        parts[name] = np.zeros_like(parts[name])


def advance(parts: Parts, rows: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Estimates of the symbols, as far behind the rows as the delay is; learns from `symbols`.

    Rows of `symbols` (n, n_outputs) may be NaN: not known.
    """
    for name, given, before in (("X", rows, "rows"), ("y", symbols, "symbols")):
        if given.shape[1] != parts[before].shape[1]:
            raise ValueError(
                f"{name} has {given.shape[1]} column(s), but the equaliser began with "
                f"{parts[before].shape[1]}."
            )
    known = np.isfinite(symbols).all(axis=1, keepdims=True)
    rows, parts["rows"] = _wait(rows, parts["rows"])
    symbols, parts["symbols"] = _wait(np.where(known, symbols, 0), parts["symbols"])
    known, parts["known"] = _wait(known, parts["known"])
    answer = np.zeros(symbols.shape, np.result_type(rows, symbols))
    early = min(int(parts["n_missing"]), rows.shape[0])  # nothing was received for these
    parts["n_missing"] = parts["n_missing"] - early
    if early < rows.shape[0]:
        part = slice(early, None)
        output = parts["filter"].learn_many(rows[part], symbols[part], update_mask=known[part, 0])
        answer = answer.astype(np.result_type(answer, output), copy=False)
        answer[part] = output.reshape(rows.shape[0] - early, -1)
    return answer


def _wait(values: np.ndarray, waiting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`values` behind those that wait, and as many that wait now."""
    joined = np.concatenate([waiting, values.astype(np.result_type(waiting, values), copy=False)])
    return joined[: values.shape[0]], joined[values.shape[0] :].copy()


class EqualizerStream(PartsSession):
    """Session of a channel equaliser; made by ``equalizer.stream()``. Real and complex.

    A session cannot look ahead: what it answers to a row is the symbol of `delay_` rows before
    (for a negative delay that of the row itself, zero until it can be known).

    Examples
    --------
    >>> from filters import ChannelEqualizer, NLMSFilter
    >>> session = ChannelEqualizer(NLMSFilter(step_size=1.0), delay=1).stream()
    >>> [session.learn_one(x, a) for x, a in ((0.0, 3.0), (1.5, 1.0), (0.5, 2.0), (1.0, 0.0))]
    [0.0, 0.0, 0.9..., 1.9...]
    """

    def __init__(
        self,
        inner: FilterStream,
        delay: int,
        parts: Parts | None,
        initial_state: dict[str, np.ndarray] | None,
    ) -> None:
        self._inner, self._delay = inner, delay
        super().__init__(parts, initial_state)

    def learn_one(self, x: Any, y: Any) -> Any:
        """Answer one received row, then learn from the symbol sent at its time.

        Parameters
        ----------
        x : float or array-like of shape (n_channels,)
        y : float or array-like of shape (n_outputs,)
            NaN where it is not known; a decision of the caller's will do.

        Returns
        -------
        float or ndarray of shape (n_outputs,)
        """
        return self._one(self.learn_many(as_row(x, "x"), as_row(y, "y")))

    def predict_one(self, x: Any) -> Any:
        """As `learn_one` where the symbol is not known; earlier ones may still be learned from."""
        return self._one(self.predict_many(as_row(x, "x")))

    def learn_many(self, X: Any, y: Any) -> np.ndarray:
        """As `learn_one` for a block; returns ``(n_timesteps,)`` or with ``n_outputs`` columns."""
        symbols = as_numbers(y, "y")
        if symbols.ndim == 0 or symbols.size == 0:
            raise ValueError(f"y must hold one symbol a row; got shape {symbols.shape}.")
        if np.isinf(symbols).any():
            raise ValueError("y contains infinity. NaN says that a symbol is not known.")
        return self._advance(X, symbols.reshape(symbols.shape[0], -1))

    def predict_many(self, X: Any) -> np.ndarray:
        """As `predict_one` for a block."""
        rows = as_block(X, "X")
        n_outputs = 1 if self._parts is None else self._parts["symbols"].shape[1]
        return self._advance(rows, np.full((rows.shape[0], n_outputs), np.nan, dtype=rows.dtype))

    def _advance(self, X: Any, symbols: np.ndarray) -> np.ndarray:
        rows = as_block(X, "X")
        if symbols.shape[0] != rows.shape[0]:
            raise ValueError(f"X has {rows.shape[0]} samples, y has {symbols.shape[0]}.")
        parts = self._parts_to_run(
            lambda: open_parts(self._inner.copy(), self._delay, rows, symbols)
        )
        n_outputs = parts["symbols"].shape[1]
        if symbols.shape[1] != n_outputs:
            raise ValueError(f"y has {symbols.shape[1]} output(s), the session has {n_outputs}.")
        answer = advance(parts, rows, symbols)
        self._parts = parts
        return answer[:, 0] if n_outputs == 1 else answer

    @staticmethod
    def _one(answer: np.ndarray) -> Any:
        return answer[0].item() if answer.ndim == 1 else answer[0]
