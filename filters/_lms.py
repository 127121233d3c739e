"""LMSFilter and NLMSFilter: stochastic gradient on a delay line."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import (
    AUTO_REGULARIZATION,
    memory_of_mean,
    regularization_of_rows,
    row_power,
)
from ._one_sample import OneSample
from ._state import State, adapt_each_output
from ._steps import NLMS_ADVICE, NLMS_BOUND, warn_of_step
from .kernels.lms import held_energy, lms, lms_one, nlms, nlms_one
from .theory import max_step_size
from .timeseries._sklearn_private import StrOptions, non_negative, positive

# "auto" step: this share of one over the held energy of the delay line. The envelope is at least
# 1/e of the true window energy, so step * |x|^2 <= 0.15 e < 0.41 at every sample, whatever the
# colour of the input; on stationary input step * tr R comes out near 0.05 to 0.1, where LMS still
# follows its small-step theory.
_AUTO_SHARE = 0.15
# A step is judged on this many first rows, if there are so many.
_LEAST_ROWS, _MOST_ROWS = 50, 8192
# The envelope of the energy forgets over this many delay-line lengths.
_AUTO_HOLD = 32


class LMSFilter(AdaptiveFilter):
    """Adapt a transversal filter by least mean squares.

    .. math:: y = w \\cdot x, \\quad e = d - y, \\quad
              w \\leftarrow (1 - \\mu \\gamma) w + \\mu\\, e\\, \\bar x

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel; 1 uses only the present row.
    step_size : float or "auto", default="auto"
        Gain mu, in units of one over input power. "auto" takes 0.15 / (H(k) + gamma), H the running
        peak of the energy in the delay line, so that it is safe on coloured input, follows its
        level, and is safe with any leak.
    leak : float, default=0.0
        Leakage gamma: pulls the weights (not the intercept) to zero.
    sign : {None, "error", "data", "both"}, default=None
        Use the sign of the error, of the data, or of both in the update.
    fit_intercept : bool, default=False
        Adapt a constant together with the weights.
    initial_weights : array-like of shape (n_channels, n_taps), default=None
        Weights to start from, newest sample first; zeros when None.
    store_weights : int, default=0
        Keep the weights after every so many samples (0: never).
    on_divergence : {"raise", "warn", "reset"}, default="raise"
        What to do at the first non-finite error: raise `DivergenceError`, or start again from the
        initial weights there, with or without a warning.

    Attributes
    ----------
    coef_ : ndarray of shape (n_channels, n_taps)
        Weights, newest sample first: the impulse response. With several outputs
        (n_outputs, n_channels, n_taps).
    intercept_ : float or ndarray of shape (n_outputs,)
    step_size_ : float
        The last step used; 0 before the first sound.
    n_samples_seen_ : int
    n_features_in_ : int
        Number of channels.
    weight_history_ : ndarray of shape (n_stored, n_channels, n_taps)
        With `store_weights`: the weights stored by the last `fit` or `partial_fit`.

    Raises
    ------
    DivergenceError
        From `fit`, `partial_fit` and `adapt`, naming the time step, the bound and the remedy.

    Notes
    -----
    Cost: 2 n_taps n_channels multiply-adds a sample. The gradient has no factor 2, so mu is half
    of what texts with ``w + 2 mu e x`` call mu.

    References
    ----------
    B. Widrow, M. E. Hoff, Adaptive switching circuits, IRE WESCON Convention Record (1960).
    S. Haykin, Adaptive Filter Theory, 5th ed., eq. 5.6 (LMS), 5.13 (leaky LMS).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import LMSFilter
    >>> x = np.random.default_rng(0).standard_normal((5000, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> LMSFilter(n_taps=2).fit(x, y).coef_.round(3)
    array([[ 2., -1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "step_size": [positive(), StrOptions({"auto"})],
        "leak": [non_negative()],
        "sign": [StrOptions({"error", "data", "both"}), None],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        step_size: float | Literal["auto"] = "auto",
        leak: float = 0.0,
        sign: Literal["error", "data", "both"] | None = None,
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.step_size = step_size
        self.leak = leak
        self.sign = sign
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        return {"energy": np.zeros(2)}

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        steps = self._steps(state, rows)
        direction = _unit(z) if self.sign in ("data", "both") else z
        sign_error = True if self.sign in ("error", "both") else None

        def adapt(d: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray) -> int:
            return lms(
                z,
                direction,
                d,
                steps,
                mask,
                rows.shape[1],
                rows.real.dtype.type(self.leak),
                sign_error,
                self.fit_intercept,
                w,
                bias,
                y,
            )

        return adapt_each_output(state, targets, output, adapt)

    def _steps(self, state: State, rows: np.ndarray) -> np.ndarray:
        dtype = rows.real.dtype
        if self.step_size != "auto":
            return np.full(1, self.step_size, dtype=dtype)
        power = row_power(rows) + float(self.fit_intercept)
        held = np.empty(rows.shape[0])
        held_energy(power, self.n_taps, self._decay(), state["energy"], held)
        return self._share(held, rows.shape[1], dtype).astype(dtype)

    def _share(self, held: np.ndarray, n_channels: int, dtype: np.dtype) -> np.ndarray:
        """The "auto" step for a held energy."""
        if self.sign in ("data", "both"):
            # |sign(x)|^2 = 1: the update scales with the amplitude, not the power, of the input.
            held = np.sqrt(held * n_channels * self.n_taps)
        # A leak acts as an input of that power, and too large a step on it alone diverges.
        sound = held > _silence(dtype)
        return np.divide(_AUTO_SHARE, held + self.leak, out=np.zeros_like(held), where=sound)

    def _publish(self, state: State) -> None:
        super()._publish(state)
        n_channels, dtype = state["history"].shape[1], state["weights"].real.dtype
        auto = self.step_size == "auto"
        step = self._share(state["energy"][1:], n_channels, dtype)[0] if auto else self.step_size
        self.step_size_ = float(step)

    def _warn_of_step(self, rows: np.ndarray) -> None:
        if self.sign is not None or self.step_size == "auto" or rows.shape[0] < _LEAST_ROWS:
            return
        rows = rows[:_MOST_ROWS]
        with np.errstate(over="ignore"):
            trace = self.n_taps * float(np.mean(row_power(rows)))
            if self.step_size * trace <= 0.1 or rows.shape[0] < 2 * self.n_taps:
                return
            safe = max_step_size(rows, self.n_taps, mode="safe")
        warn_of_step(
            self,
            safe,
            "the largest step that was measured to be safe on input of this colour "
            '(filters.theory.max_step_size, mode="safe"). LMS may burst or diverge. Lower '
            'step_size, take step_size="auto" or use NLMSFilter.',
        )

    def _decay(self) -> float:
        return 1.0 - 1.0 / (_AUTO_HOLD * self.n_taps)

    def _one_sample(self) -> OneSample | None:
        if self.sign is not None:
            return None
        step = 0.0 if self.step_size == "auto" else float(self.step_size)
        lowest = _silence(np.dtype(np.float64))
        leak = float(self.leak)
        return OneSample(lms_one, "energy", step, lowest, _AUTO_SHARE, self._decay(), leak)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        with np.errstate(over="ignore"):
            bound = max_step_size(rows, self.n_taps)
        return (
            f"with step_size={self.step_size}; convergence in the mean needs step_size < "
            f"{bound:.3g} (2 / trace of the input correlation). Lower step_size or use NLMSFilter."
        )


class NLMSFilter(AdaptiveFilter):
    """Adapt a transversal filter by normalised least mean squares.

    .. math:: w \\leftarrow w + \\frac{\\mu\\, e\\, \\bar x}{\\epsilon + \\lVert x \\rVert^2}

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    step_size : float, default=0.5
        Gain mu, dimensionless; stable for 0 < mu < 2.
    regularization : float or "auto", default="auto"
        Epsilon. A number is absolute, in units of input power. "auto" is 1e-3 of the mean energy
        in the delay line, the mean power being taken over the last 1000 samples or 10 n_taps,
        whichever is longer: the filter does not change when all signals are rescaled.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. With an intercept, the constant counts in the norm.

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
    Cost: 3 n_taps n_channels multiply-adds a sample. Silence leaves the weights alone.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., eq. 7.13 and 7.17.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import NLMSFilter
    >>> x = np.random.default_rng(0).standard_normal((500, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> NLMSFilter(n_taps=2).fit(x, y).coef_.round(3)
    array([[ 2., -1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "step_size": [positive()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        step_size: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
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
        heard = rows if self.regularization == "auto" else rows[:1]  # a number is one for all
        epsilon = regularization_of_rows(self.regularization, heard, self.n_taps, state["power"])

        def adapt(d: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray) -> int:
            return nlms(
                z,
                d,
                epsilon,
                mask,
                rows.shape[1],
                real.type(self.step_size),
                self.fit_intercept,
                w,
                bias,
                y,
            )

        return adapt_each_output(state, targets, output, adapt)

    def _warn_of_step(self, rows: np.ndarray) -> None:
        warn_of_step(self, NLMS_BOUND, NLMS_ADVICE)

    def _one_sample(self) -> OneSample:
        share, epsilon = 0.0, 0.0
        if self.regularization == "auto":
            share = AUTO_REGULARIZATION * self.n_taps
        else:
            epsilon = float(self.regularization)
        memory = float(memory_of_mean(self.n_taps))
        return OneSample(nlms_one, "power", float(self.step_size), epsilon, share, memory)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with step_size={self.step_size} and regularization={self.regularization}; NLMS is "
            "stable for 0 < step_size < 2. Lower step_size or raise regularization."
        )


def _silence(dtype: np.dtype) -> float:
    """Held energy at and below which the "auto" step would overflow: as good as silence."""
    return _AUTO_SHARE / float(np.finfo(dtype).max)


def _unit(z: np.ndarray) -> np.ndarray:
    """z / |z|, zero where z is (`np.sign` of complex numbers means this from NumPy 2 on only)."""
    if not np.iscomplexobj(z):
        return np.sign(z)
    magnitude = np.abs(z)
    return np.divide(z, magnitude, out=np.zeros_like(z), where=magnitude > 0)
