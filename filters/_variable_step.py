"""VariableStepFilter: NLMS that learns fast while there is something to learn, and then rests."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows
from ._state import State
from .kernels.variable_step import variable_step_nlms
from .timeseries._sklearn_private import StrOptions, non_negative, unit_interval

# The means of the errors forget over this many samples or inputs, whichever is longer: half as much
# doubles what trembles in the step, twice as much learns coloured input a third more slowly.
_MEMORY = (100, 5)


class VariableStepFilter(AdaptiveFilter):
    """Adapt a transversal filter by NLMS with a step that follows what is left to learn.

    .. math:: w \\leftarrow w + \\frac{\\mu(n)\\, e\\, \\bar x}{\\epsilon + \\lVert x \\rVert^2},
              \\qquad \\mu(n) = \\min\\left(\\mu_{max},\\,
              1 - \\frac{\\sigma_v^2}{\\sigma_e^2(n)}\\right)

    The step is the share of the error power that is not noise: near 1 at the start and after a
    change of the plant, near 0 when only the noise is left.

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    noise_power : float or "auto", default="auto"
        Mean square of the noise in the desired signal, what no filter can take away, in units of
        ``d^2``. "auto" estimates it online from a companion, an NLMS filter of step 1 that runs
        along (see Notes). 0 is `NLMSFilter` with ``step_size=max_step_size``.
    max_step_size : float, default=1.0
        Largest step, in (0, 1].
    regularization : float or "auto", default="auto"
        Epsilon, as in `NLMSFilter`.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. With an intercept, the constant counts in the norm.

    Attributes
    ----------
    step_size_ : float or ndarray of shape (n_outputs,)
        The last step; 0 before the first.
    noise_power_ : float or ndarray of shape (n_outputs,)
        The noise power in use at the last step.
    coef_, intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Cost: 5 n_taps n_channels multiply-adds a sample, 3 with a given noise power.

    The settled companion has an excess error as large as the noise, and its error correlates with
    that of the slow filter by the noise alone; "auto" takes the smaller one of the two estimates.
    As it measures how far the companion is ahead, and not the correlation of error and input, it
    is not misled by coloured input, whose weak bands hardly show in that correlation. What the
    companion cannot follow counts as noise. Measured on white and AR(.9) input, 8 to 256 taps, 0 to
    60 dB: 1 to 1.7 times the convergence time of NLMS with step 1 (2.3 with 8 taps below 20 dB), at
    the start and after a change
    of the plant, and an excess error 8 to 12 dB below that of NLMS with step 0.5. Where the level
    of the input swings by 20 dB within the delay line, 2 to 4 dB are left of these.

    The means forget over 5 times the number of inputs, or 100 samples. Masked samples and silence
    do not enter them.

    References
    ----------
    A. Mader, H. Puder, G. U. Schmidt, Step-size control for acoustic echo cancellation filters -
    an overview, Signal Processing 80 (2000), 1697-1719 (the share of the undisturbed error as the
    optimum step).
    J. Benesty, H. Rey, L. Rey Vega, S. Tressens, A nonparametric VSS NLMS algorithm, IEEE Signal
    Processing Letters 13 (2006), 581-584 (the same with the root of the share of noise).
    J. Arenas-Garcia, A. R. Figueiras-Vidal, A. H. Sayed, Mean-square performance of a convex
    combination of two adaptive filters, IEEE Transactions on Signal Processing 54 (2006),
    1078-1090 (the correlation of the errors of a fast and a slow filter).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import VariableStepFilter
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((3000, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]] + 0.1 * rng.standard_normal(3000)
    >>> f = VariableStepFilter(n_taps=2).fit(x, y)
    >>> f.coef_.round(1), f.step_size_ < 0.2
    (array([[ 2., -1.]]), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "noise_power": [non_negative(), StrOptions({"auto"})],
        "max_step_size": [unit_interval()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        noise_power: float | Literal["auto"] = "auto",
        max_step_size: float = 1.0,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.noise_power = noise_power
        self.max_step_size = max_step_size
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _new_state(self, n_channels: int, n_outputs: int, dtype: np.dtype) -> State:
        state = super()._new_state(n_channels, n_outputs, dtype)
        if self.noise_power == "auto":
            state["companion"] = state["weights"].copy()
        return state

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        return {
            "power": np.zeros(2),
            "companion": np.zeros((n_outputs, 0), dtype=dtype),
            "companion_intercept": np.zeros(n_outputs, dtype=dtype),
            "levels": np.zeros((n_outputs, 6)),
        }

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        given = -1.0 if self.noise_power == "auto" else float(self.noise_power)
        y = np.empty(targets.shape, dtype=targets.dtype)
        bad = variable_step_nlms(
            z,
            np.ascontiguousarray(targets),
            regularization_of_rows(self.regularization, rows, self.n_taps, state["power"]),
            mask,
            rows.shape[1],
            float(self.max_step_size),
            float(max(_MEMORY[0], _MEMORY[1] * state["weights"].shape[1])),
            given,
            self.fit_intercept,
            state["companion"],
            state["companion_intercept"],
            state["levels"],
            state["weights"],
            state["intercept"],
            y,
        )
        output[:] = y
        return bad

    def _publish(self, state: State) -> None:
        super()._publish(state)
        noise_power, step_size = state["levels"][:, 4:].T
        self.noise_power_ = float(noise_power[0]) if noise_power.size == 1 else noise_power.copy()
        self.step_size_ = float(step_size[0]) if step_size.size == 1 else step_size.copy()

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with max_step_size={self.max_step_size} and regularization={self.regularization}; "
            "the step is never above 1, where NLMS is stable: the squared signals are too large "
            "for their dtype, or regularization is too small for a faint input. Scale the signals "
            "or raise regularization."
        )
