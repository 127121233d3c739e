"""A trained network at work row by row."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from filters._state import check_state
from filters.timeseries._numbers import as_numbers
from filters.timeseries._validation import check_finite, check_initial_states

from .._stream import one_target, row_by_row
from ._closed_loop import RowRunner
from ._running import flatten, unflatten

if TYPE_CHECKING:
    from ._rows import RowNetwork


class NetworkStream:
    """Session of a fitted network; made by ``net.stream()``.

    It owns a copy of the weights, of the optimizer and of the state, so sessions and the network
    do not disturb each other.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import RNNRegressor
    >>> X = np.random.RandomState(0).randn(200, 1)
    >>> net = RNNRegressor("gru", (8,), max_iter=5, random_state=0).fit(X[:-1], X[:-1, 0])
    >>> bool(abs(net.stream().predict_one(X[-1]) - net.predict(X)[-1]) < 1e-12)
    True
    """

    def __init__(self, model: RowNetwork, initial_state: Any = None) -> None:
        model._require_one_direction("a stream")
        self._model = copy.deepcopy(model).set_params(
            n_strands=1, bptt_stride=None, early_stopping=False
        )
        if hasattr(model, "feature_names_in_"):  # rows come as bare arrays here
            del self._model.feature_names_in_
        self._prepare()
        if isinstance(initial_state, Mapping):
            self._state = np.zeros(model._n_state, dtype=model._dtype)
            self._load(self._checked(initial_state))
        elif initial_state is None:
            self._state = model._end_answer()[1]
        else:
            n, dtype = model._n_state, model._dtype
            self._state = check_initial_states(initial_state, 1, n, dtype)[0]
        self._start = self.state

    @property
    def state(self) -> dict[str, np.ndarray]:
        """A copy of the whole state: plain arrays, to be given back as `initial_state`."""
        optimizer = {f"optimizer_{k}": np.copy(v) for k, v in self._optimizer.memory.items()}
        parameters = self._network.parameters.copy()
        return {"memory": self._state.copy(), "parameters": parameters, **optimizer}

    def reset(self) -> None:
        """Go back to the state the session began with."""
        self._load(self._start)

    def predict_one(self, x: Any) -> Any:
        """Return the answer to one row and go on, without learning.

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
        rows = self._rows(X)
        outputs, states, _ = self._runner.run(self._cells(), rows, rows.shape[0])
        self._model._require_finite(outputs, "row")
        self._state = flatten(states)[0]
        return self._model._as_answer(outputs)

    def learn_one(self, x: Any, y: Any) -> Any:
        """Return the a-priori answer to one row, then take one optimizer step for its target.

        Parameters
        ----------
        x : array-like of shape (n_features,)
        y : float, label, or array-like of shape (n_outputs,)
            NaN or None: unlabelled, nothing is learned.

        Returns
        -------
        As `predict_one`: computed before `y` was seen. The gradient goes back through this row
        only.
        """
        before = self._cells()
        row = as_numbers(x, "x").reshape(1, -1)
        answer = self.predict_one(row)
        if not np.any(pd.isna(y)):
            target = one_target(y, self._model._target_form.ndim)
            self._model._running = before
            self._model.partial_fit(row, target)
            self._prepare()
        return answer

    def learn_many(self, X: Any, y: Any) -> np.ndarray:
        """As `learn_one` for a block, row by row; every answer is a-priori."""
        return np.array([self.learn_one(x, target) for x, target in row_by_row(X, y)])

    def _rows(self, X: Any) -> np.ndarray:
        rows = as_numbers(X, "X")
        if np.iscomplexobj(rows):
            raise ValueError("X is complex; a network takes real numbers.")
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(rows, dtype=self._network.dtype)
        if rows.ndim != 2 or rows.shape[1] != self._network.n_inputs:
            raise ValueError(
                f"a row of X has {self._network.n_inputs} features; got shape {rows.shape} for "
                "(n_timesteps, n_features)."
            )
        check_finite(rows)
        return rows

    def _cells(self) -> list[Any]:
        return unflatten(self._network, self._state[np.newaxis])

    def _prepare(self) -> None:
        """Lay the current weights out for running."""
        model = self._model
        self._network = model._current_network(model.n_features_in_, model._dtype)
        self._optimizer = model._optimizer
        self._runner = RowRunner(self._network)

    def _checked(self, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """`given`, if it has the entries and shapes of a state of this session."""
        state = check_state(given)
        wanted = {name: np.shape(value) for name, value in self.state.items()}
        if {name: np.shape(value) for name, value in state.items()} != wanted:
            raise ValueError(
                f"initial_state is not a state of a session of {type(self._model).__name__}, which "
                f"has the entries and shapes {wanted}."
            )
        return state

    def _load(self, state: dict[str, np.ndarray]) -> None:
        self._state = np.array(state["memory"])
        self._network.parameters[:] = state["parameters"]
        for key, value in self._network.public(self._network.parameters).items():
            setattr(self._model, f"{key}_", value)
        for key in self._optimizer.memory:
            self._optimizer.memory[key] = np.copy(state[f"optimizer_{key}"])
        self._prepare()
