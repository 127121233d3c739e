"""VolterraFilter: NLMS on a delay line and the products of its samples."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows, row_power
from ._state import State
from .kernels.lms import held_energy
from .kernels.volterra import volterra_nlms, volterra_output
from .timeseries._sklearn_private import StrOptions, non_negative, positive

# The running peak of the energy, for "auto", forgets over this many delay-line lengths.
_AUTO_HOLD = 32
# "auto" listens to so many samples (n_taps, if more) before it learns: a faint first sample would
# give all of the target's offset to the linear weights, which the weak directions never forget.
_AUTO_LISTEN = 16


class VolterraFilter(AdaptiveFilter):
    """Adapt a second-order Volterra filter by normalised least mean squares.

    .. math:: y = b + \\sum_i w_i x_i + \\sum_{i \\le j} q_{ij} x_i x_j, \\qquad
              w_i \\leftarrow w_i + \\mu\\, e\\, \\bar x_i / D, \\quad
              q_{ij} \\leftarrow q_{ij} + \\mu\\, e\\, \\rho\\, \\bar x_i \\bar x_j / D, \\qquad
              D = \\epsilon + \\sum_i |x_i|^2 + \\rho \\sum_{i \\le j} |x_i x_j|^2

    The output is linear in the weights: this is NLMS on the samples of the delay line and their
    products. Squares have another unit than samples, so their part of the step has a gain rho.

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel; products are taken across channels too.
    step_size : float, default=0.5
        Gain mu, dimensionless; stable for 0 < mu < 2 whatever rho is.
    quadratic_gain : float or "auto", default="auto"
        Rho, in units of one over input power; 1 is plain NLMS on the explicit products, 0 is
        `NLMSFilter`. "auto" takes n_inputs / H(k), H the running peak of the energy in the delay
        line, so that a product counts like a sample, in whatever unit the signals are. It listens
        to the first 16 samples (or n_taps) that are not silent before it learns.
    regularization : float or "auto", default="auto"
        Epsilon, as in `NLMSFilter`.
    fit_intercept : bool, default=False
        Adapt a constant b as well. It has the step of a sample of size 1, or, with
        ``quadratic_gain="auto"``, of size sqrt(H(k) / n_inputs).
    initial_weights : array-like of shape (n_channels, n_taps), default=None
        Linear weights to start from, newest sample first; zeros when None. The quadratic ones
        start from zero.
    store_weights, on_divergence
        As in `LMSFilter`; the linear weights are stored.

    Attributes
    ----------
    coef_ : ndarray of shape (n_channels, n_taps)
        Linear weights, newest sample first. With several outputs (n_outputs, n_channels, n_taps).
    quadratic_coef_ : ndarray of shape (n_inputs, n_inputs)
        Symmetric Q with ``y = intercept_ + coef_.ravel() @ x + x @ Q @ x``, x ordered as
        ``coef_.ravel()``: channel by channel, newest first; n_inputs = n_channels n_taps. With
        several outputs an axis before.
    intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Cost: about n_inputs^2 multiply-adds a sample; memory n_inputs^2 an output. The products of a
    signal with an offset resemble the signal: take the mean away first, or learning is slow. Input
    louder than any heard before is answered by a parabola: learn over the whole range.

    References
    ----------
    V. J. Mathews, Adaptive polynomial filters, IEEE Signal Processing Magazine 8 (1991), 10-26,
    section on LMS adaptive Volterra filters.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import VolterraFilter
    >>> x = np.random.default_rng(0).standard_normal((2000, 1))
    >>> y = 2.0 * x[:, 0] - x[:, 0] * np.r_[0.0, x[:-1, 0]]
    >>> f = VolterraFilter(n_taps=2).fit(x, y)
    >>> f.coef_.round(2) + 0.0, f.quadratic_coef_.round(2) + 0.0
    (array([[2., 0.]]), array([[ 0. , -0.5],
           [-0.5,  0. ]]))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "step_size": [positive()],
        "quadratic_gain": [non_negative(), StrOptions({"auto"})],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        step_size: float = 0.5,
        quadratic_gain: float | Literal["auto"] = "auto",
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.step_size = step_size
        self.quadratic_gain = quadratic_gain
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        m = n_inputs - int(self.fit_intercept)
        return {
            "power": np.zeros(2),
            "energy": np.zeros(2),
            "heard": np.zeros(1, dtype=np.int64),
            "quadratic": np.zeros((n_outputs, m, m), dtype=dtype),
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
        ratio, constant, mask = self._scales(rows, mask, state)
        y = np.empty(targets.shape, dtype=targets.dtype)
        bad = volterra_nlms(
            z,
            np.ascontiguousarray(targets),
            regularization_of_rows(self.regularization, rows, self.n_taps, state["power"]),
            ratio,
            constant,
            mask,
            rows.shape[1],
            rows.real.dtype.type(self.step_size),
            state["weights"],
            state["quadratic"],
            state["intercept"],
            y,
        )
        output[:] = y
        if bad < 0 and not np.isfinite(state["quadratic"]).all():
            # The base looks at the weights for a last update that overflowed.
            state["weights"][:] = np.nan
        return bad

    def _scales(
        self, rows: np.ndarray, mask: np.ndarray, state: State
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rho and the weight of the constant at every row, and where to learn."""
        n = rows.shape[0]
        if self.quadratic_gain != "auto":
            constant = np.full(n, float(self.fit_intercept))
            return np.full(n, float(self.quadratic_gain)), constant, mask
        power, held = row_power(rows), np.empty(n)
        decay = 1.0 - 1.0 / (_AUTO_HOLD * self.n_taps)
        held_energy(power, self.n_taps, decay, state["energy"], held)
        n_inputs = state["weights"].shape[1]
        # Below this the ratio would overflow: as good as silence.
        lowest = n_inputs / float(np.finfo(rows.dtype).max)
        ratio = np.divide(n_inputs, held, out=np.zeros_like(held), where=held > lowest)
        heard = state["heard"] + np.cumsum(power > 0)
        state["heard"] = heard[-1:].copy()
        ready = heard > max(_AUTO_LISTEN, self.n_taps)
        mask = ready & mask if mask.size else ready
        with np.errstate(invalid="ignore"):  # 0 * infinity: the recursion stops at that row
            return ratio, held * (float(self.fit_intercept) / n_inputs), mask

    def _frozen_output(self, state: State, z: np.ndarray, output: np.ndarray) -> None:
        weights, quadratic, bias = (
            state[name].astype(output.dtype, copy=False)
            for name in ("weights", "quadratic", "intercept")
        )
        volterra_output(z.ravel(), z.shape[1], weights, quadratic, bias, output)

    def _publish(self, state: State) -> None:
        super()._publish(state)
        n_channels = state["history"].shape[1]
        place = np.arange(self.n_taps * n_channels).reshape(self.n_taps, n_channels)
        order = place[::-1].T.ravel()
        both = (state["quadratic"] + state["quadratic"].transpose(0, 2, 1)) / 2
        coef = both[:, order][:, :, order]
        self.quadratic_coef_ = coef[0] if coef.shape[0] == 1 else coef

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with step_size={self.step_size}, quadratic_gain={self.quadratic_gain} and "
            f"regularization={self.regularization}; it is stable for 0 < step_size < 2. Lower "
            "step_size or raise regularization."
        )
