"""AffineProjectionFilter: NLMS on the last few regressors at once."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows
from ._state import State
from ._steps import NLMS_ADVICE, NLMS_BOUND, warn_of_step
from .kernels.affine_projection import affine_projection, settle, start_products
from .timeseries._sklearn_private import StrOptions, non_negative, positive, positive_int

# Samples whose Gram matrices the kernel factors side by side.
_LANES = 64


class AffineProjectionFilter(AdaptiveFilter):
    """Adapt a transversal filter by affine projection onto the last few samples.

    .. math:: w \\leftarrow w + \\mu X^H (X X^H + \\epsilon I)^{-1} (d - X w), \\quad
              X = [x(k), x(k-1), \\ldots, x(k-P+1)]^T

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    order : int, default=4
        P, the number of samples satisfied at once; 1 is `NLMSFilter`. On coloured input (speech) a
        higher order converges faster, at more noise in the weights.
    step_size : float, default=0.5
        Gain mu, dimensionless; stable for 0 < mu < 2.
    regularization : float or "auto", default="auto"
        Epsilon, as in `NLMSFilter`. With 0, regressors that newer ones explain (to 1e-10 of their
        energy) are left out of the projection.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. With an intercept, every regressor has a constant 1 more.

    Attributes
    ----------
    coef_, intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Cost: 2 n_taps n_channels + P n_channels + P^3 / 3 + P^2 multiply-adds a sample, the exact
    algorithm all the same. A sample outside `update_mask` has no part in later updates either, and
    the projection starts anew after `clear_history` and after predictions of a session.

    References
    ----------
    K. Ozeki, T. Umeda, An adaptive filtering algorithm using an orthogonal projection to an affine
    subspace and its properties, Electronics and Communications in Japan 67-A (1984), 19-27.
    S. L. Gay, S. Tavathia, The fast affine projection algorithm, ICASSP 1995, 3023-3026 (delayed
    weights).
    S. Haykin, Adaptive Filter Theory, 5th ed., section 6.6.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import AffineProjectionFilter
    >>> x = np.cumsum(np.random.default_rng(0).standard_normal((500, 1)), axis=0)
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> AffineProjectionFilter(n_taps=2, order=2).fit(x, y).coef_.round(2)
    array([[ 2., -1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "order": [positive_int()],
        "step_size": [positive()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        order: int = 4,
        step_size: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.order = order
        self.step_size = step_size
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        n_weights = n_inputs - int(self.fit_intercept)
        # Sums of products in double precision: the Gram matrix of a coloured input needs it.
        double = np.result_type(dtype, np.float64)
        return {
            "power": np.zeros(2),
            "resume_at": np.full((), -1, dtype=np.int64),
            "older": np.zeros((self.order, n_weights // self.n_taps), dtype=dtype),
            "lagging_weights": np.zeros((n_outputs, n_weights), dtype=dtype),
            "pending": np.zeros((n_outputs, self.order), dtype=double),
            "errors": np.zeros((n_outputs, self.order), dtype=double),
            "usable": np.zeros((1, self.order - 1), dtype=bool),
            "lags": np.zeros((self.n_taps + 1, self.order), dtype=double),
            "place": np.zeros(1, dtype=np.int64),
            "products": np.zeros((self.order, self.order - 1), dtype=double),
        }

    def _empty_delay_line(self, state: State) -> None:
        super()._empty_delay_line(state)
        state["resume_at"] = np.full((), -1, dtype=np.int64)

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        n, n_channels = rows.shape
        if state["resume_at"] != state["n_samples_seen"]:
            z = self._start_projection(state, z, n_channels)
        else:
            z = np.concatenate([state["older"].ravel(), z])
        y = np.empty(targets.shape, dtype=targets.dtype)
        bad = affine_projection(
            z,
            np.ascontiguousarray(targets),
            regularization_of_rows(self.regularization, rows, self.n_taps, state["power"]),
            mask,
            n_channels,
            float(self.step_size),
            self.fit_intercept,
            min(_LANES, n),
            state["lagging_weights"],
            state["intercept"],
            state["lags"],
            state["place"],
            state["products"],
            state["usable"],
            state["errors"],
            state["pending"],
            y,
        )
        output[:] = y
        if bad < 0:
            settle(z, n_channels, state["lagging_weights"], state["pending"], state["weights"])
            state["older"] = z.reshape(-1, n_channels)[n : n + self.order].copy()
            state["resume_at"] = state["n_samples_seen"] + n
        return bad

    def _start_projection(self, state: State, z: np.ndarray, n_channels: int) -> np.ndarray:
        """Forget the samples before; return `z` with silence in front."""
        state["lagging_weights"] = state["weights"].copy()
        for name in ("pending", "errors", "usable", "lags", "place", "products"):
            state[name] = np.zeros_like(state[name])
        z = np.concatenate([np.zeros(self.order * n_channels, dtype=z.dtype), z])
        start_products(z, n_channels, state["lags"], state["place"], state["products"])
        return z

    def _warn_of_step(self, rows: np.ndarray) -> None:
        warn_of_step(self, NLMS_BOUND, NLMS_ADVICE)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with step_size={self.step_size}, order={self.order} and "
            f"regularization={self.regularization}; affine projection is stable for "
            "0 < step_size < 2. Lower step_size or order, or raise regularization."
        )
