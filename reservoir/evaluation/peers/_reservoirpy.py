"""The echo state network of reservoirpy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import RidgeClassifier

from filters.timeseries import DivergenceError

from .._networks import esn_grid
from .._specs import Model, Params, Task, register_model

_CONNECTIONS = 10  # a unit, as ours by default


class ReservoirpyESN(BaseEstimator):
    """Reservoir and ridge readout, states and inputs offered to the readout as ours does.

    Parameters
    ----------
    n_units : int
    spectral_radius, leak_rate, input_scaling, bias_scaling, alpha : float
    washout : int
    random_state : int
    """

    def __init__(
        self,
        n_units: int = 100,
        *,
        spectral_radius: float = 0.9,
        leak_rate: float = 1.0,
        input_scaling: float = 1.0,
        bias_scaling: float = 0.0,
        alpha: float = 1e-6,
        washout: int = 0,
        random_state: int = 0,
    ) -> None:
        self.n_units, self.spectral_radius, self.leak_rate = n_units, spectral_radius, leak_rate
        self.input_scaling, self.bias_scaling, self.alpha = input_scaling, bias_scaling, alpha
        self.washout, self.random_state = washout, random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Drive the reservoir, solve the ridge."""
        from reservoirpy.nodes import Ridge

        X, y = np.asarray(X), np.asarray(y)
        self._shape = y.shape[1:]
        self.reservoir_ = self._make(X.shape[1])
        self.readout_ = Ridge(ridge=self.alpha)
        columns = self._columns(X)
        self.readout_.fit(columns, y.reshape(len(y), -1), warmup=self.washout)
        self.coef_, self.intercept_ = np.asarray(self.readout_.Wout), self.readout_.bias
        return self

    def predict(self, X: Any) -> Any:
        """Start from the zero state and answer row by row."""
        X = np.asarray(X)
        answer = self.readout_.run(self._columns(X))
        return answer.reshape(len(X), *self._shape)

    def forecast(self, n_steps: int, *, context: Any) -> list[np.ndarray]:
        """Feed each run its own output, one context after the other."""
        return [self._free_run(np.asarray(rows), n_steps) for rows in context]

    def _free_run(self, rows: np.ndarray, n_steps: int) -> np.ndarray:
        last = self.readout_.step(self._columns(rows)[-1])
        run = np.empty((n_steps, rows.shape[1]))
        for t in range(n_steps):
            if not np.isfinite(last).all():
                raise DivergenceError("the free run left the finite numbers", t)
            run[t] = last
            state = self.reservoir_.step(run[t])
            last = self.readout_.step(np.concatenate([state, run[t]]))
        return run

    def _columns(self, X: np.ndarray) -> np.ndarray:
        self.reservoir_.reset()
        return np.hstack([self.reservoir_.run(X), X])

    def _make(self, n_features: int) -> Any:
        from reservoirpy.mat_gen import uniform
        from reservoirpy.nodes import Reservoir

        density = min(1.0, _CONNECTIONS / self.n_units)
        rng = np.random.default_rng(self.random_state)
        node = Reservoir(
            self.n_units,
            lr=self.leak_rate,
            sr=self.spectral_radius,
            input_scaling=self.input_scaling,
            input_connectivity=1.0,
            rc_connectivity=density,
            Win=uniform(low=-1.0, high=1.0),
            bias=self.bias_scaling * rng.uniform(-1.0, 1.0, self.n_units),
            seed=self.random_state,
        )
        node.initialize(np.zeros((2, n_features)))
        return node


class ReservoirpyClassifier(ReservoirpyESN):
    """Mean of the states of a sequence, then ridge on the classes."""

    def fit(self, X: Any, y: Any) -> Self:
        """Drive the reservoir by every sequence, solve the ridge."""
        self.reservoir_ = self._make(X[0].shape[1])
        self.readout_ = RidgeClassifier(self.alpha).fit(self._pooled(X), y)
        self.coef_, self.intercept_ = self.readout_.coef_, self.readout_.intercept_
        return self

    def predict(self, X: Any) -> Any:
        """Label every sequence."""
        return self.readout_.predict(self._pooled(X))

    def _pooled(self, X: Any) -> np.ndarray:
        return np.stack([self._columns(np.asarray(x)).mean(axis=0) for x in X])


def _grid(task: Task, quick: bool) -> list[Params]:
    entries = []
    for params in esn_grid(task, quick):
        if params.get("topology", "random") != "random":
            continue  # of ours only
        known = {name: value for name, value in params.items() if name != "topology"}
        entries.append(known)
    return entries


def _build(task: Task, params: Params, seed: int) -> Any:
    if task.kind == "classification":
        scale = {"bias_scaling": 0.5, "alpha": 1.0}
        return ReservoirpyClassifier(**{**scale, **params}, random_state=seed)
    return ReservoirpyESN(**params, washout=task.washout, random_state=seed)


register_model(
    Model(
        name="reservoirpy_esn",
        title="reservoirpy ESN",
        family="reservoir",
        about="Reservoir and Ridge of reservoirpy with the grid of our ESN (topologies it does not "
        "have left out), ten connections a unit, inputs offered to the readout; for labels ridge "
        "on the mean of the states.",
        build=_build,
        grid=_grid,
        cost=6.0,
        peer="reservoirpy",
    )
)
