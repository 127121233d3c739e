"""A filter at work sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .timeseries._windows import with_history

if TYPE_CHECKING:
    from ._base import AdaptiveFilter
    from ._state import State


class FilterStream:
    """Session of an adaptive filter; made by ``filter.stream()``.

    It owns a copy of the state, so sessions and the filter do not disturb each other. One sample
    at a time or any blocks: the same numbers as `adapt`, bit for bit.

    Examples
    --------
    >>> from filters import NLMSFilter
    >>> session = NLMSFilter(n_taps=2).stream()
    >>> session.learn_one([1.0], 2.0), session.learn_one([1.0], 2.0) > 0
    (0.0, True)
    """

    def __init__(self, filter: AdaptiveFilter, state: State | None) -> None:
        self._filter = filter
        self._state = state
        self._start = None if state is None else {k: v.copy() for k, v in state.items()}
        self._one_output = state is None or state["weights"].shape[0] == 1
        self._heard: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def state(self) -> dict[str, np.ndarray]:
        """A copy of the whole state: plain arrays, to be given back as `initial_state`."""
        if self._state is None:
            raise ValueError("the stream has heard nothing yet, so it has no state.")
        return {name: np.array(value) for name, value in self._state.items()}

    def reset(self) -> None:
        """Go back to the state the session began with."""
        start = self._start
        self._state = None if start is None else {k: v.copy() for k, v in start.items()}
        self._heard = None

    def learn_one(self, x: Any, y: Any) -> Any:
        """Return the a-priori output for `x`, then learn from `y`.

        Parameters
        ----------
        x : float or array-like of shape (n_channels,)
        y : float or array-like of shape (n_outputs,)

        Returns
        -------
        float or ndarray of shape (n_outputs,)
        """
        return self._one(self.learn_many(_row(x), _row(y)))

    def predict_one(self, x: Any) -> Any:
        """Return the output for `x` and advance the delay line without learning."""
        return self._one(self.predict_many(_row(x)))

    def learn_many(self, X: Any, y: Any) -> np.ndarray:
        """As `learn_one` for a block; returns ``(n_timesteps,)`` or with ``n_outputs`` columns."""
        rows, targets = _block(X), _block(y)
        if rows.shape[0] != targets.shape[0]:
            raise ValueError(f"X has {rows.shape[0]} samples, y has {targets.shape[0]}.")
        self._refuse_nan(rows, "X")
        self._refuse_nan(targets, "y")
        state = self._filter._ready_state(self._state, rows, targets)
        output, _ = self._filter._advance(state, rows.astype(state["weights"].dtype), targets)
        self._state, self._heard = state, None
        self._one_output = output.shape[1] == 1
        return output[:, 0] if self._one_output else output

    def predict_many(self, X: Any) -> np.ndarray:
        """As `predict_one` for a block."""
        rows = _block(X)
        self._refuse_nan(rows, "X")
        if self._state is None:
            self._state = self._filter._ready_state(None, rows, np.zeros((1, 1), rows.dtype))
        state = self._filter._ready_state(
            self._state, rows, np.zeros((1, self._state["weights"].shape[0]), rows.dtype)
        )
        rows = rows.astype(state["weights"].dtype, copy=False)
        output = np.empty((rows.shape[0], state["weights"].shape[0]), dtype=rows.dtype)
        z, history = with_history(rows, state["history"])
        self._filter._frozen_output(state, z, output)
        n_window = state["history"].shape[0]
        self._heard = (z[z.shape[0] - 1 - n_window :], output[-1:])
        state["history"] = history
        state["n_samples_seen"] = state["n_samples_seen"] + rows.shape[0]
        self._state = state
        self._one_output = output.shape[1] == 1
        return output[:, 0] if self._one_output else output

    def learn_error(self, e: Any) -> None:
        """Learn from a *measured* error of the last `predict_one` (active noise control).

        Parameters
        ----------
        e : float or array-like of shape (n_outputs,)
            What was left after the output was played: desired minus output.

        Raises
        ------
        ValueError
            If nothing was predicted since the last learning step, or for NaN, infinity or another
            number of outputs.
        """
        if self._heard is None or self._state is None:
            raise ValueError("learn_error needs a predict_one before it: there is no output yet.")
        window, output = self._heard
        error = _row(e)
        if error.shape != output.shape:
            raise ValueError(f"e has {error.size} value(s), the output has {output.size}.")
        self._refuse_nan(error, "e")
        state = {name: value.copy() for name, value in self._state.items()}
        history = state["history"]
        state["history"] = window[:-1].astype(history.dtype)
        state["n_samples_seen"] = state["n_samples_seen"] - 1
        self._filter._advance(state, window[-1:], (output + error).astype(output.dtype))
        self._state, self._heard = state, None

    def _one(self, output: np.ndarray) -> Any:
        return output[0].item() if self._one_output else output[0]

    @staticmethod
    def _refuse_nan(values: np.ndarray, name: str) -> None:
        if not np.isfinite(values).all():
            raise ValueError(f"{name} contains NaN or infinity: {values[:3]}.")


def _row(values: Any) -> np.ndarray:
    return np.asarray(values).reshape(1, -1)


def _block(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.complex64, np.complex128):
        array = array.astype(np.float64)
    return np.ascontiguousarray(array.reshape(array.shape[0], -1))
