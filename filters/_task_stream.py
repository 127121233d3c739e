"""A task at work row by row, and the parts it runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ._state import check_state
from ._stream import FilterStream, as_block
from .timeseries._numbers import as_numbers

if TYPE_CHECKING:
    from ._online import OnlineTask

Parts = dict[str, Any]
"""Sessions of filters and arrays, by name: all of a task that changes from row to row."""


def copy_parts(parts: Parts) -> Parts:
    """A copy that runs on its own."""
    return {name: part.copy() for name, part in parts.items()}


def flatten_parts(parts: Parts) -> dict[str, np.ndarray]:
    """Plain arrays, by name."""
    flat: dict[str, np.ndarray] = {}
    for name, part in parts.items():
        if isinstance(part, FilterStream):
            flat |= {f"{name}.{key}": value for key, value in part.state.items()}
        else:
            flat[name] = np.array(part)
    return flat


def restore_parts(parts: Parts, state: dict[str, np.ndarray]) -> Parts:
    """`parts` with everything taken from `state`; raises for a state of something else."""
    state = check_state(state)
    restored: Parts = {}
    for name, part in parts.items():
        if isinstance(part, FilterStream):
            own = {k[len(name) + 1 :]: v for k, v in state.items() if str(k).startswith(f"{name}.")}
            restored[name] = part.at(own)
        elif name in state and np.shape(state[name]) == part.shape:
            restored[name] = np.array(state[name])
        else:
            raise ValueError(
                f"initial_state needs an entry {name!r} of shape {part.shape}; it has entries "
                f"{ {k: np.shape(v) for k, v in state.items()} }."
            )
    return restored


class PartsSession:
    """What sessions that run on parts share: where they begin, `state` and `reset`.

    Parts of a session that has heard nothing are made for its first rows; an `initial_state` waits
    for them till then.
    """

    def __init__(self, parts: Parts | None, initial_state: dict[str, np.ndarray] | None) -> None:
        self._start = None if parts is None else copy_parts(parts)
        self._given = initial_state
        if self._start is not None and initial_state is not None:
            self._start, self._given = restore_parts(self._start, initial_state), None
        self.reset()

    @property
    def state(self) -> dict[str, np.ndarray]:
        """A copy of the whole state: plain arrays, to be given back as `initial_state`."""
        if self._parts is None:
            raise ValueError("the stream has heard nothing yet, so it has no state.")
        return flatten_parts(self._parts)

    def reset(self) -> None:
        """Go back to the state the session began with."""
        self._parts = None if self._start is None else copy_parts(self._start)

    def _parts_to_run(self, opened: Callable[[], Parts]) -> Parts:
        """A copy of the parts, or what `opened` makes if there are none."""
        if self._parts is not None:
            return copy_parts(self._parts)
        parts = opened()
        return parts if self._given is None else restore_parts(parts, self._given)


class TaskStream(PartsSession):
    """Session of a task (noise canceller, line enhancer, ...); made by ``task.stream()``.

    It owns a copy of the filters, so sessions and the task do not disturb each other. One row at a
    time or any blocks: the numbers of one `fit_transform`, bit for bit where the filter's own are.
    Real and complex.

    Examples
    --------
    >>> from filters import NoiseCanceller
    >>> session = NoiseCanceller().stream()
    >>> [round(session.learn_one([1.0, 0.5]), 2) for _ in range(3)]
    [1.0, 0.98, 0.96]
    """

    def __init__(
        self, task: OnlineTask, parts: Parts | None, initial_state: dict[str, np.ndarray] | None
    ) -> None:
        self._task = task
        self._n_features = getattr(task, "n_features_in_", None)
        super().__init__(parts, initial_state)

    def learn_one(self, x: Any) -> Any:
        """Answer one row, then learn from it.

        Parameters
        ----------
        x : float or array-like of shape (n_features,)

        Returns
        -------
        float or ndarray of shape (n_columns,)
        """
        return _one(self.learn_many(as_numbers(x, "x").reshape(1, -1)))

    def predict_one(self, x: Any) -> Any:
        """As `learn_one`, without learning."""
        return _one(self.predict_many(as_numbers(x, "x").reshape(1, -1)))

    def learn_many(self, X: Any) -> np.ndarray:
        """As `learn_one` for a block of shape (n_timesteps, n_features)."""
        return self._advance(X, learn=True)

    def predict_many(self, X: Any) -> np.ndarray:
        """As `predict_one` for a block."""
        return self._advance(X, learn=False)

    def _advance(self, X: Any, *, learn: bool) -> np.ndarray:
        rows = as_block(X, "X")
        parts = self._parts_to_run(lambda: self._task._open(rows.shape[1], rows.dtype))
        if self._parts is None:
            self._n_features = rows.shape[1]
        if rows.shape[1] != self._n_features:
            raise ValueError(
                f"the session runs on {self._n_features} feature(s), X has {rows.shape[1]}."
            )
        answer = self._task._answer(parts, rows, learn=learn)
        self._parts = parts
        return answer


def _one(answer: np.ndarray) -> Any:
    return answer[0].item() if answer.shape[1] == 1 else answer[0]
