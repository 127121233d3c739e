"""The adaptive filters of padasip."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator

from filters.timeseries import delay_embed

from .._models import FILTER_TAPS, NO_LABELS
from .._specs import Model, Params, Task, grid, register_model


class Adapted(NamedTuple):
    """Outputs before each sample was learned from."""

    output: np.ndarray


class PadasipFilter(BaseEstimator):
    """A delay line before a padasip filter, one filter an output.

    Parameters
    ----------
    kind : {"nlms", "rls"}
    n_taps : int
    mu : float
        Step size (NLMS) or forgetting factor (RLS).
    """

    def __init__(self, kind: str, n_taps: int, mu: float) -> None:
        self.kind, self.n_taps, self.mu = kind, n_taps, mu

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from all rows in their order, from zero weights."""
        import padasip

        make = {"nlms": padasip.filters.FilterNLMS, "rls": padasip.filters.FilterRLS}[self.kind]
        X, y = np.asarray(X), np.asarray(y)
        columns = self._columns(X)
        targets = y.reshape(len(y), -1)
        self._shape = y.shape[1:]
        self.filters_ = [make(columns.shape[1], self.mu, w="zeros") for _ in targets.T]
        for one, target in zip(self.filters_, targets.T, strict=True):
            one.run(target, columns)
            one.w_history = None  # a row of weights for every sample
        self.coef_ = np.stack([one.w for one in self.filters_])
        self.intercept_ = np.empty(0)
        self._last = X
        return self

    def predict(self, X: Any) -> Any:
        """Answer with the weights as they are."""
        if isinstance(X, list):
            return [self.predict(x) for x in X]
        answer = self._columns(np.asarray(X)) @ self.coef_.T
        return answer.reshape(len(answer), *self._shape)

    def adapt(self, X: Any, d: Any) -> Adapted:
        """Go on learning; each output comes before its sample is learned from."""
        X = np.asarray(X)
        columns = self._columns(np.concatenate([self._last[-self.n_taps :], X]))[-len(X) :]
        (one,) = self.filters_
        output = one.run(np.asarray(d).ravel(), columns)[0]
        one.w_history = None
        self._last = X
        return Adapted(output)

    def _columns(self, X: np.ndarray) -> np.ndarray:
        return delay_embed(X, self.n_taps)


def _build_nlms(task: Task, params: Params, seed: int) -> Any:
    return PadasipFilter("nlms", params["n_taps"], params["step_size"])


def _build_rls(task: Task, params: Params, seed: int) -> Any:
    return PadasipFilter("rls", params["n_taps"], params["forgetting_factor"])


register_model(
    Model(
        name="padasip_nlms",
        title="padasip NLMS",
        family="adaptive filter",
        about="FilterNLMS of padasip on the same delay line, with the same grid as our NLMS.",
        build=_build_nlms,
        grid=lambda task, quick: grid(
            n_taps=FILTER_TAPS.get(task.name, [10]), step_size=[0.005, 0.02, 0.1, 0.5]
        ),
        unsuited=NO_LABELS,
        cost=2.0,
        peer="padasip",
    )
)
register_model(
    Model(
        name="padasip_rls",
        title="padasip RLS",
        family="adaptive filter",
        about="FilterRLS of padasip on the same delay line, with the same grid as our RLS.",
        build=_build_rls,
        grid=lambda task, quick: grid(
            n_taps=FILTER_TAPS.get(task.name, [10]), forgetting_factor=[0.99, 0.995, 0.999, 1.0]
        ),
        unsuited=NO_LABELS,
        cost=4.0,
        peer="padasip",
    )
)
