"""SetMembershipFilter: NLMS that rests while the error is within its bound."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows
from ._state import State, adapt_each_output
from .kernels.set_membership import set_membership_nlms
from .timeseries._sklearn_private import StrOptions, non_negative


class SetMembershipFilter(AdaptiveFilter):
    """Adapt a transversal filter by set-membership NLMS.

    .. math:: w \\leftarrow w + \\left(1 - \\frac{\\gamma}{|e|}\\right)
              \\frac{e\\, \\bar x}{\\epsilon + \\lVert x \\rVert^2}
              \\quad \\text{where } |e| > \\gamma

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    error_bound : float, default=0.1
        Gamma, in units of the desired signal: the error that is put up with. The usual choice is
        about sqrt(5) standard deviations of the noise; 0 is `NLMSFilter` with a step size of 1.
    regularization : float or "auto", default="auto"
        Epsilon, as in `NLMSFilter`. With 0 an update brings the error exactly to the bound.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. With an intercept, the constant counts in the norm.

    Attributes
    ----------
    update_rate_ : float
        Share of the samples seen (but for masked ones; over all outputs) that changed the weights.
    coef_, intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Cost: 2 n_taps n_channels multiply-adds a sample and as many again for the few that update.
    Without regularization this is passive-aggressive regression on the delay line.

    References
    ----------
    S. Gollamudi, S. Nagaraj, S. Kapoor, Y.-F. Huang, Set-membership filtering and a set-membership
    normalized LMS algorithm with an adaptive step size, IEEE Signal Processing Letters 5 (1998),
    111-114.
    K. Crammer et al., Online passive-aggressive algorithms, JMLR 7 (2006), 551-585, section 5.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import SetMembershipFilter
    >>> x = np.random.default_rng(0).standard_normal((500, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> f = SetMembershipFilter(n_taps=2, error_bound=0.01).fit(x, y)
    >>> f.coef_.round(1), f.update_rate_ < 0.1
    (array([[ 2., -1.]]), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "error_bound": [non_negative()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        error_bound: float = 0.1,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.error_bound = error_bound
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        return {"power": np.zeros(2), "updates": np.zeros(2, dtype=np.int64)}

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        epsilon = regularization_of_rows(self.regularization, rows, self.n_taps, state["power"])

        def adapt(d: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray) -> int:
            return set_membership_nlms(
                z,
                d,
                epsilon,
                mask,
                rows.shape[1],
                rows.real.dtype.type(self.error_bound),
                self.fit_intercept,
                w,
                bias,
                state["updates"],
                y,
            )

        return adapt_each_output(state, targets, output, adapt)

    def _publish(self, state: State) -> None:
        super()._publish(state)
        made, possible = state["updates"]
        self.update_rate_ = float(made / possible) if possible else 0.0

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with error_bound={self.error_bound} and regularization={self.regularization}: the "
            "signals are too large for their dtype, or regularization too small for a faint "
            "input. Scale the signals or raise regularization."
        )
