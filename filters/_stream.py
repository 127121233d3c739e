"""A filter at work sample by sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._one_sample import flatten, unflatten
from ._state import State, copy_state
from .timeseries._numbers import as_numbers
from .timeseries._validation import check_mask
from .timeseries._windows import with_history

if TYPE_CHECKING:
    from ._base import AdaptiveFilter


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
        self._state = None if state is None else dict(state)
        self._start = None if state is None else dict(state)
        self._rule = filter._one_sample()
        self._learn: Any = None if self._rule is None else self._rule.learn
        self._flat: np.ndarray | None = None
        # What learn_error needs: the state before the last predicted row, the row, its output.
        self._heard: tuple[State, np.ndarray, np.ndarray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        state = None if self._state is None else self._unflattened()
        kept = {"filter": self._filter, "state": state, "start": self._start}
        return kept | {"heard": self._heard}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        type(self).__init__(self, kept["filter"], kept["state"])
        self._start, self._heard = kept["start"], kept["heard"]

    @property
    def state(self) -> dict[str, np.ndarray]:
        """A copy of the whole state: plain arrays, to be given back as `initial_state`."""
        if self._state is None:
            raise ValueError("the stream has heard nothing yet, so it has no state.")
        return copy_state(self._unflattened())

    def reset(self) -> None:
        """Go back to the state the session began with."""
        self._state = None if self._start is None else dict(self._start)
        self._flat = self._heard = None

    def clear_history(self) -> None:
        """Empty the delay line and keep the weights: the next sample begins a new series."""
        if self._state is not None:
            state = self._unflattened()
            self._filter._empty_delay_line(state)
            self._move_on(state)

    def copy(self) -> Self:
        """A session of its own that goes on from here."""
        state = None if self._state is None else self._unflattened()
        return type(self)(self._filter, state)

    def at(self, state: State) -> FilterStream:
        """A session of the same filter that goes on from `state`, a `state` of another."""
        return self._filter.stream(initial_state=state)

    def to_filter(self) -> AdaptiveFilter:
        """A new filter, fitted: with the weights and the delay line of the session.

        Returns
        -------
        AdaptiveFilter
            Unfitted if the session has heard nothing.
        """
        return self._filter._fitted_at(None if self._state is None else self._unflattened())

    def learn_one(self, x: Any, y: Any) -> Any:
        """Return the a-priori output for `x`, then learn from `y`.

        Parameters
        ----------
        x : float or array-like of shape (n_channels,)
        y : float or array-like of shape (n_outputs,)

        Returns
        -------
        float or ndarray of shape (n_outputs,)

        Notes
        -----
        One channel and one output of LMS or NLMS in double precision have a short cut.
        """
        u, d = x, y
        if self._flat is None or type(u) is not float or type(d) is not float:
            u, d = self._open_short_cut(x, y)
        output = np.nan if self._flat is None else self._learn(self._flat, u, d)
        if output == output:
            return output
        return _one(self.learn_many(as_row(x, "x"), as_row(y, "y")))

    def predict_one(self, x: Any) -> Any:
        """Return the output for `x` and advance the delay line without learning."""
        return _one(self.predict_many(as_row(x, "x")))

    def learn_many(self, X: Any, y: Any, *, update_mask: Any = None) -> np.ndarray:
        """As `learn_one` for a block; returns ``(n_timesteps,)`` or with ``n_outputs`` columns.

        Parameters
        ----------
        X : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
        update_mask : array-like of bool, shape (n_timesteps,), default=None
            Where False the weights are frozen.
        """
        rows, targets = as_block(X, "X"), as_block(y, "y")
        if rows.shape[0] != targets.shape[0]:
            raise ValueError(f"X has {rows.shape[0]} samples, y has {targets.shape[0]}.")
        if self._state is None:
            self._filter._warn_of_step(rows)
        state = self._state_for(rows, targets)
        rows = rows.astype(state["weights"].dtype, copy=False)
        mask = check_mask(update_mask, rows.shape[0])
        output, _ = self._filter._advance(state, rows, targets, mask)
        self._move_on(state)
        return output[:, 0] if output.shape[1] == 1 else output

    def predict_many(self, X: Any) -> np.ndarray:
        """As `predict_one` for a block."""
        rows = as_block(X, "X")
        n_outputs = 1 if self._state is None else self._state["weights"].shape[0]
        state = self._state_for(rows, np.zeros((1, n_outputs), rows.dtype))
        rows = rows.astype(state["weights"].dtype, copy=False)
        output = np.empty((rows.shape[0], n_outputs), dtype=rows.dtype)
        z, history = with_history(rows, state["history"])
        self._filter._frozen_output(state, z, output)
        self._filter._refuse_infinite(output)
        n_seen, n_window = state["n_samples_seen"] + rows.shape[0], history.shape[0]
        last = z[z.shape[0] - 1 - n_window :].copy()  # with one tap z may be the caller's X
        before = state | {"history": last[:-1], "n_samples_seen": n_seen - 1}
        self._move_on(state | {"history": history, "n_samples_seen": n_seen})
        self._heard = before, last[-1:], output[-1:]
        return output[:, 0] if n_outputs == 1 else output

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
        DivergenceError
            If the weights left the finite numbers.
        """
        if self._heard is None:
            raise ValueError("learn_error needs a predict_one before it: there is no output yet.")
        before, row, output = self._heard
        error = as_block(as_row(e, "e"), "e")
        if error.shape != output.shape:
            raise ValueError(f"e has {error.size} value(s), the output has {output.size}.")
        state = dict(before)
        self._filter._advance(state, row, (output + error).astype(output.dtype))
        self._move_on(state)

    def _open_short_cut(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Make the flat array, or close it where `x` and `y` need the general way."""
        u, d = _plain(x), _plain(y)
        if self._state is None or self._rule is None:
            return u, d
        if type(u) is not float or type(d) is not float:
            self._move_on(self._unflattened())
        elif self._flat is None:
            self._flat = flatten(self._state, self._rule, self._filter.fit_intercept)
            self._heard = None
        return u, d

    def _unflattened(self) -> State:
        """The state now, as a dict of its own; there must be one."""
        assert self._state is not None
        if self._flat is None or self._rule is None:
            return dict(self._state)
        return unflatten(self._flat, self._state, self._rule)

    def _state_for(self, rows: np.ndarray, targets: np.ndarray) -> State:
        """The state now in a dtype that holds `rows` and `targets`, as a dict of its own."""
        state = None if self._state is None else self._unflattened()
        return self._filter._state_for(state, rows, targets)

    def _move_on(self, state: State) -> None:
        self._state, self._flat, self._heard = state, None, None


def _one(output: np.ndarray) -> Any:
    return output[0].item() if output.ndim == 1 else output[0]


def _plain(value: Any) -> Any:
    """A single real number as a float, anything else as it is."""
    array = np.asarray(value)
    return float(array.item()) if array.size == 1 and array.dtype.kind in "fiub" else value


def as_row(values: Any, name: str) -> np.ndarray:
    return as_numbers(values, name).reshape(1, -1)


def as_block(values: Any, name: str) -> np.ndarray:
    """Finite rows of a session, ``(n_timesteps, n_columns)``, in a kernel's dtype."""
    array = as_numbers(values, name)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name} must be a block of rows (n_timesteps, n_columns) with at least one; got shape "
            f"{array.shape}."
        )
    if array.dtype not in (np.float32, np.complex64, np.complex128):
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity: {array[:3]}.")
    return np.ascontiguousarray(array.reshape(array.shape[0], -1))
