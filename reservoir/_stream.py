"""A memory model at work row by row."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from filters._state import check_state
from filters.timeseries._numbers import as_numbers, naming

if TYPE_CHECKING:
    from ._model import MemoryModel


class MemoryStream:
    """Session of a fitted model; made by ``model.stream()``.

    It owns a copy of the readout and of the memory's state, so sessions and the model do not
    disturb each other.

    Examples
    --------
    >>> from reservoir import ESNRegressor
    >>> from reservoir.datasets import narma
    >>> X, y = narma(500, random_state=0)
    >>> model = ESNRegressor(50, random_state=0).fit(X[:-1], y[:-1])
    >>> bool(abs(model.stream().predict_one(X[-1]) - y[-1]) < 0.5)
    True
    """

    def __init__(self, model: MemoryModel, initial_state: Any = None) -> None:
        self._model = copy.copy(model)
        self._model._readout = copy.deepcopy(model._readout)
        self._model._noise = None
        if hasattr(model, "feature_names_in_"):  # rows come as bare arrays here
            del self._model.feature_names_in_
        if isinstance(initial_state, Mapping):
            self._load(check_state(initial_state))
        elif initial_state is None:
            _, state, self._model._n_seen = model._end
            self._model._state = state.copy()
        else:
            self._model._state = model._initial_states(initial_state, 1)[0]
        own = self._model
        self._start = own._state.copy(), own._n_seen, copy.deepcopy(own._readout)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """A copy of the whole state: plain arrays, to be given back as `initial_state`.

        The readout's part is what a session can change; a scikit-learn readout without
        `partial_fit` has none.

        Raises
        ------
        ValueError
            If a scikit-learn readout with `partial_fit` keeps anything else than arrays and
            numbers.
        """
        model = self._model
        own = {"memory": model._state.copy(), "n_seen": np.array(model._n_seen)}
        return {**own, **{f"readout_{k}": v for k, v in model._readout.state().items()}}

    def reset(self) -> None:
        """Go back to the state the session began with."""
        state, self._model._n_seen, readout = self._start
        self._model._state, self._model._readout = state.copy(), copy.deepcopy(readout)

    def _load(self, state: dict[str, np.ndarray]) -> None:
        if not {"memory", "n_seen"} <= set(state) or np.size(state["n_seen"]) != 1:
            raise ValueError(
                f"initial_state is not a state of a session of {type(self._model).__name__}: it "
                f"has the entries {list(state)}, and needs memory, n_seen and those of the readout."
            )
        self._model._state = self._model._initial_states(state["memory"], 1)[0]
        self._model._n_seen = int(state["n_seen"].item())
        learned = {k.removeprefix("readout_"): v for k, v in state.items() if k[:8] == "readout_"}
        if learned:
            self._model._readout.restore(learned)

    def predict_one(self, x: Any) -> Any:
        """Return the prediction for one row and advance the memory without learning.

        Parameters
        ----------
        x : array-like of shape (n_features,)

        Returns
        -------
        float or label (1-D y), or ndarray of shape (n_outputs,)
        """
        return self.predict_many(as_numbers(x, "x").reshape(1, -1))[0]

    def predict_many(self, X: Any) -> np.ndarray:
        """As `predict_one` for a block ``(n_timesteps, n_features)``."""
        answer, self._model._state = self._model.predict(
            X, initial_state=self._model._state, return_state=True
        )
        return answer

    def learn_one(self, x: Any, y: Any) -> Any:
        """Return the a-priori prediction for one row, then learn from its target.

        Parameters
        ----------
        x : array-like of shape (n_features,)
        y : float, label, or array-like of shape (n_outputs,)

        Returns
        -------
        As `predict_one`: computed before `y` was seen.
        """
        before = self._model._state.copy()
        row = as_numbers(x, "x").reshape(1, -1)
        answer = self._model.predict(row, initial_state=before)[0]
        self._model.partial_fit(row, one_target(y, self._model._target_form.ndim))
        return answer

    def learn_many(self, X: Any, y: Any) -> np.ndarray:
        """As `learn_one` for a block; every answer is a-priori."""
        return np.array([self.learn_one(x, d) for x, d in row_by_row(X, y)])


def one_target(y: Any, ndim: int) -> np.ndarray:
    """The target of one row as ``(1,)`` of a 1-D `y`, or as ``(1, n_outputs)``."""
    with naming("y"):
        return np.asarray(y).reshape((1,) if ndim == 1 else (1, -1))


def row_by_row(X: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """The rows of a block with their targets, as many of both."""
    with naming("X"):
        rows = np.asarray(X)
    with naming("y"):
        targets = np.asarray(y)
    if rows.ndim == 0 or targets.shape[:1] != rows.shape[:1]:
        raise ValueError(
            f"X and y must hold one entry a row each; got shapes {rows.shape} and {targets.shape}."
        )
    return zip(rows, targets, strict=True)
