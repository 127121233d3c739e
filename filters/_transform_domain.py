"""TransformDomainFilter: LMS whose bins each have a step of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.fft import dct, idct

from ._base import AdaptiveFilter
from ._input_power import regularization_of_rows
from ._state import State
from .kernels.transform_domain import fill_spectra, transform_domain
from .theory import max_step_size
from .timeseries._sklearn_private import StrOptions, non_negative, positive, unit_interval

# "auto" memory of the powers: this many samples or delay-line lengths, whichever is longer. A bin
# is a band one n_taps-th of the spectrum wide, so a shorter mean would hold too few free values.
_AUTO_MEMORY = (100, 10)


class TransformDomainFilter(AdaptiveFilter):
    """Adapt a transversal filter by LMS in the domain of the cosine transform.

    .. math:: W_i \\leftarrow W_i + \\mu\\, e\\, \\frac{\\bar X_i / (P_i + r)}
              {\\sum_j (|X_j|^2 + r) / (P_j + r)}, \\quad X = T x, \\quad r = \\epsilon / n

    T is the orthonormal DCT-II of every channel's delay line, P the mean power of each of the n
    bins. Coloured input, on which NLMS is slow in the weak bands, is learned in all of them alike.

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    step_size : float, default=0.5
        Gain mu, dimensionless and comparable to that of `NLMSFilter`; stable for 0 < mu < 2. With
        ``normalize=False`` it is that of `LMSFilter`, in units of one over input power.
    normalize : bool, default=True
        Divide the step of every bin by its power. Without, this is `LMSFilter`.
    forgetting_factor : float or "auto", default="auto"
        In (0, 1]: the powers forget samples older than 1 / (1 - forgetting_factor); 1 never
        forgets. "auto" forgets over 10 n_taps samples, or 100 if that is longer. Over less than
        2 n_taps the powers follow the samples themselves, and it may diverge at any step.
    regularization : float or "auto", default="auto"
        Epsilon, in units of input power, as in `NLMSFilter`: shared evenly between the bins. Bands
        weaker than that are learned more slowly.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. The constant is a bin of its own, of power 1.

    Attributes
    ----------
    coef_ : ndarray of shape (n_channels, n_taps)
        Impulse response, newest sample first, back in the time domain. With several outputs
        (n_outputs, n_channels, n_taps).
    intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Cost: about 20 n_taps n_channels multiply-adds a sample; the transform slides with the signal
    and is begun anew every n_taps samples. ``n_taps=1`` is `NLMSFilter`. The time-domain weights
    are worked out at the end of every call, so `learn_one` costs a transform more.

    References
    ----------
    S. S. Narayan, A. M. Peterson, M. J. Narasimha, Transform domain LMS algorithm, IEEE
    Transactions on Acoustics, Speech, and Signal Processing 31 (1983), 609-615.
    S. Haykin, Adaptive Filter Theory, 5th ed., section 8.4 (self-orthogonalising adaptation).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import TransformDomainFilter
    >>> x = np.cumsum(np.random.default_rng(0).uniform(-1, 1, (2000, 1)), axis=0)
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> TransformDomainFilter(n_taps=2).fit(x, y).coef_.round(2)
    array([[ 2., -1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "step_size": [positive()],
        "normalize": ["boolean"],
        "forgetting_factor": [unit_interval(), StrOptions({"auto"})],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        step_size: float = 0.5,
        normalize: bool = True,
        forgetting_factor: float | Literal["auto"] = "auto",
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.step_size = step_size
        self.normalize = normalize
        self.forgetting_factor = forgetting_factor
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        n_channels = (n_inputs - int(self.fit_intercept)) // self.n_taps
        return {
            "power": np.zeros(2),
            "bin_power": np.zeros((n_channels, self.n_taps), dtype=np.zeros(0, dtype).real.dtype),
            "bin_weights": np.zeros((n_outputs, n_channels, self.n_taps), dtype=dtype),
            "spectra": np.zeros((n_channels, 4, self.n_taps), dtype=dtype),
            "place": np.zeros(2, dtype=np.int64),
            "resume_at": np.full((), -1, dtype=np.int64),
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
        real = rows.real.dtype
        tables = _tables(self.n_taps, real)
        shape = (targets.shape[1], self.n_taps, n_channels)
        if state["resume_at"] != state["n_samples_seen"]:
            # The delay line went on without learning, or is new: the sums that slide did not.
            fill_spectra(z, tables, state["spectra"], state["place"])
            newest_first = state["weights"].reshape(shape)[:, ::-1].transpose(0, 2, 1)
            state["bin_weights"] = np.ascontiguousarray(dct(newest_first, norm="ortho"))
        y = np.empty(targets.shape, dtype=targets.dtype)
        bad = transform_domain(
            z,
            np.ascontiguousarray(targets),
            regularization_of_rows(self.regularization, rows, self.n_taps, state["power"]),
            mask,
            real.type(self.step_size),
            self._memory(),
            self.normalize,
            self.fit_intercept,
            tables,
            state["spectra"],
            state["place"],
            state["bin_power"],
            state["bin_weights"],
            state["intercept"],
            y,
        )
        output[:] = y
        if bad < 0:
            newest_first = idct(state["bin_weights"], norm="ortho").transpose(0, 2, 1)
            # In one piece: the kernels sum a reversed view in another order.
            state["weights"] = np.ascontiguousarray(newest_first[:, ::-1].reshape(shape[0], -1))
            state["resume_at"] = state["n_samples_seen"] + n
        return bad

    def _memory(self) -> float:
        if self.forgetting_factor == "auto":
            return float(max(_AUTO_MEMORY[0], _AUTO_MEMORY[1] * self.n_taps))
        if self.forgetting_factor == 1:
            return np.inf
        return 1.0 / (1.0 - self.forgetting_factor)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        if self.normalize:
            return (
                f"with step_size={self.step_size}, regularization={self.regularization} and "
                f"forgetting_factor={self.forgetting_factor}; transform-domain LMS is stable for "
                "0 < step_size < 2 and powers that remember two lengths of the delay line "
                f"(forgetting_factor >= {1 - 0.5 / self.n_taps:.4g}). Lower step_size, or raise "
                "forgetting_factor or regularization."
            )
        with np.errstate(over="ignore"):
            bound = max_step_size(rows, self.n_taps)
        return (
            f"with step_size={self.step_size} and normalize=False; convergence in the mean needs "
            f"step_size < {bound:.3g} (2 / trace of the input correlation). Lower step_size or "
            "set normalize=True."
        )


@lru_cache(maxsize=16)
def _tables(n_taps: int, dtype: np.dtype) -> np.ndarray:
    """The constants of the sliding transform, as ``filters.kernels.transform_domain`` wants them.

    A stream asks for them at every sample.
    """
    bins = np.arange(n_taps)
    theta = np.pi * bins / n_taps
    scale = np.full(n_taps, np.sqrt(2.0 / n_taps))
    scale[0] = np.sqrt(1.0 / n_taps)
    rows = [np.cos(theta), np.sin(theta), np.cos(theta / 2), np.sin(theta / 2)]
    tables = np.array([*rows, (-1.0) ** bins, scale], dtype=dtype)
    tables.flags.writeable = False
    return tables
