"""ProportionateFilter: NLMS for sparse impulse responses."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows
from ._state import State, adapt_each_output
from ._steps import NLMS_ADVICE, NLMS_BOUND, warn_of_step
from .kernels.proportionate import ipnlms
from .timeseries._sklearn_private import StrOptions, between, non_negative, positive


class ProportionateFilter(AdaptiveFilter):
    """Adapt a transversal filter by improved proportionate NLMS (IPNLMS).

    .. math:: w_l \\leftarrow w_l + \\frac{\\mu\\, e\\, g_l \\bar x_l}
              {\\frac{1 - p}{2} \\epsilon + \\sum_j g_j |x_j|^2}, \\quad
              g_l = \\frac{1 - p}{2} + \\frac{1 + p}{2} \\frac{L |w_l|}{\\lVert w \\rVert_1}

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    proportionality : float, default=0.0
        p in [-1, 1]: -1 is `NLMSFilter`; towards 1 the gains follow the weights ever more, which
        learns a response of few large taps (an echo path) faster and a dense one slower.
    step_size : float, default=0.5
        Gain mu, dimensionless; stable for 0 < mu < 2.
    regularization : float or "auto", default="auto"
        Epsilon, as in `NLMSFilter`.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. The constant of an intercept has gain one and counts in the sum.

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
    Cost: 6 n_taps n_channels multiply-adds a sample. L = n_taps n_channels: the gains are L times
    those of the paper, numerator and denominator alike. While all weights are zero the step is one
    of NLMS. With several outputs each has its own gains.

    References
    ----------
    J. Benesty, S. L. Gay, An improved PNLMS algorithm, ICASSP 2002, 1881-1884.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import ProportionateFilter
    >>> x = np.random.default_rng(0).standard_normal((500, 1))
    >>> y = 2.0 * np.r_[np.zeros(3), x[:-3, 0]]
    >>> abs(ProportionateFilter(n_taps=5).fit(x, y).coef_).round(3)
    array([[0., 0., 0., 2., 0.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "proportionality": [between(-1, 1)],
        "step_size": [positive()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        proportionality: float = 0.0,
        step_size: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.proportionality = proportionality
        self.step_size = step_size
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        return {"power": np.zeros(2)}

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        real = rows.real.dtype
        epsilon = regularization_of_rows(self.regularization, rows, self.n_taps, state["power"])

        def adapt(d: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray) -> int:
            return ipnlms(
                z,
                d,
                epsilon,
                mask,
                rows.shape[1],
                real.type(self.step_size),
                real.type(self.proportionality),
                self.fit_intercept,
                w,
                bias,
                y,
            )

        return adapt_each_output(state, targets, output, adapt)

    def _warn_of_step(self, rows: np.ndarray) -> None:
        warn_of_step(self, NLMS_BOUND, NLMS_ADVICE)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with step_size={self.step_size} and regularization={self.regularization}; "
            "proportionate NLMS is stable for 0 < step_size < 2. Lower step_size or raise "
            "regularization."
        )
