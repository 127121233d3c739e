"""FrequencyDomainFilter: long filters, learned block by block through the Fourier transform."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from scipy import fft

from ._base import AdaptiveFilter
from ._input_power import AUTO_REGULARIZATION, mean_power
from ._state import State
from .kernels.fir import fir
from .kernels.frequency import spectral_gradient, spectral_output, spectral_power, spectral_steps
from .theory import max_step_size
from .timeseries._sklearn_private import StrOptions, non_negative, positive, positive_int

# The power of a frequency is a mean over this many blocks, or the filter's length, if longer.
_POWER_MEMORY = 10
# A frequency counts as at least this loud beside a neighbour (see the kernel).
_LEAKAGE = 0.5
# "alternating": no partition waits longer than this many blocks for its turn ...
_TURN = 32
# ... and of many partitions at least so many have theirs in a block.
_MANY, _MANY_TURNS = 64, 4
# The complex numbers whose parts are real numbers of so many bytes.
_PAIR: dict[int, type[np.complexfloating]] = {4: np.complex64, 8: np.complex128}


class FrequencyDomainFilter(AdaptiveFilter):
    """Adapt a long transversal filter by partitioned block LMS in the frequency domain.

    The filter is cut into P partitions of B = `block_size` taps, the signals into blocks of B
    samples. With X_p the spectrum of the 2 B input samples that partition p meets and F^-1 keeping
    the valid half of a circular convolution or correlation (overlap-save):

    .. math:: y = F^{-1} \\sum_p X_p W_p, \\quad e = d - y, \\quad
              w_p \\leftarrow w_p + F^{-1} \\frac{\\mu\\, \\bar X_p E}
              {\\epsilon + \\frac{1}{2} \\max(P \\hat S, \\sum_p |X_p|^2)}

    Every frequency has its own step, so that coloured input slows the filter down far less than it
    does LMS and NLMS, and a sample costs in the order of P + log B operations, not n_taps.

    Parameters
    ----------
    n_taps : int, default=256
        Length of the delay line of every channel.
    block_size : int or "auto", default="auto"
        Samples B between two changes of the weights. "auto": n_taps up to 64 taps; beyond, the
        power of two nearest below n_taps / 8 between 64 and 256. Powers of two are fastest.
    constraint : {"full", "alternating"}, default="full"
        "full" keeps all partitions causal after every block. "alternating" lets them learn without
        that and makes only a few a block causal, in turn: one for every 32 partitions, at least 4
        of more than 64. Outputs and `coef_` have every partition as it was at its last turn. It is
        faster (fewer transforms) and learns nearly as fast.
    normalize : bool, default=True
        Divide by the power of every frequency. False, with ``constraint="full"``: block LMS with
        the gradient summed over the block, exactly.
    step_size : float, default=0.5
        Gain mu. Normalised it is dimensionless and, on white input, that of `NLMSFilter`; stable
        for 0 < mu < 2 / (1 + 1 / P) there; keep it below 1 with ``constraint="alternating"``. With
        ``normalize=False`` in units of one over input power.
    regularization : float or "auto", default="auto"
        Epsilon, only where `normalize`. As in `NLMSFilter`: a number is absolute, "auto" is 1e-3
        of the mean energy in the delay line.
    initial_weights, store_weights, on_divergence
        As in `LMSFilter`. Blocks run fast where they are whole: let `store_weights` be a multiple
        of the block size.

    Attributes
    ----------
    coef_, intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`; the intercept is 0.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.

    Notes
    -----
    Outputs are not late: every sample is answered at once by the weights before its block, in a
    stream too. The state carries the unfinished block. Calls made of whole blocks give the same
    numbers as one call bit for bit; samples of a block that comes in pieces are answered by a sum
    over the taps, so that they cost more and agree up to rounding. Where a series ends, or the
    delay line is cleared or moved on by predictions, the unfinished block is learned from as it is.

    `update_mask`: the error of a masked sample counts as zero in its block; a block masked as a
    whole changes nothing.

    S is the mean power of a frequency over the last 10 or P blocks, whichever is more; P counts
    only partitions whose input is not silence, and the maximum with the power in the filter now
    keeps the first blocks after silence safe. Beside a loud frequency none counts as more silent
    than what leaks there from a block's edges, so that a tone does not make the filter diverge.

    The circular part of the gradient never reaches the weights that answer: it would let an output
    depend on later samples of its block. That is why there is no unconstrained form.

    Cost of "full" a block: 3 + 2 P transforms of 2 B samples and 2 P B complex multiply-adds;
    "alternating" needs 4 + 2 ceil(P / 32) transforms and 3 P B multiply-adds.

    References
    ----------
    J. J. Shynk, Frequency-domain and multirate adaptive filtering, IEEE Signal Processing Magazine
    9 (1992), 14-37.
    J.-S. Soo, K. K. Pang, Multidelay block frequency domain adaptive filter, IEEE Transactions on
    Acoustics, Speech and Signal Processing 38 (1990), 373-376.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import FrequencyDomainFilter
    >>> x = np.random.default_rng(0).standard_normal((4000, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> FrequencyDomainFilter(n_taps=16).fit(x, y).coef_[:, :3].round(3) + 0.0
    array([[ 2., -1.,  0.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{k: v for k, v in AdaptiveFilter._parameter_constraints.items() if k != "fit_intercept"},
        "block_size": [positive_int(), StrOptions({"auto"})],
        "constraint": [StrOptions({"full", "alternating"})],
        "normalize": ["boolean"],
        "step_size": [positive()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }
    # The base asks; a constant input has one frequency, for which there is no partition here.
    fit_intercept: ClassVar[bool] = False

    def __init__(
        self,
        n_taps: int = 256,
        *,
        block_size: int | Literal["auto"] = "auto",
        constraint: Literal["full", "alternating"] = "full",
        normalize: bool = True,
        step_size: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.block_size = block_size
        self.constraint = constraint
        self.normalize = normalize
        self.step_size = step_size
        self.regularization = regularization
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    # ---- state --------------------------------------------------------------------------------

    def _sizes(self) -> tuple[int, int]:
        """Samples of a block and number of partitions."""
        if self.block_size != "auto":
            block = int(self.block_size)
        elif self.n_taps <= 64:
            block = int(self.n_taps)
        else:
            block = 1 << (min(max(int(self.n_taps) // 8, 64), 256).bit_length() - 1)
        return block, -(-self.n_taps // block)

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        block, n_partitions = self._sizes()
        n_channels = n_inputs // self.n_taps
        n_bins = 2 * block if dtype.kind == "c" else block + 1
        # Complex numbers of real signals are kept as pairs: the state stays as real as the signals.
        width = n_bins if dtype.kind == "c" else 2 * n_bins
        n_loose = n_partitions if self.constraint == "alternating" else 0
        return {
            "window": np.zeros((2 * block, n_channels), dtype=dtype),  # last block, this block
            "filled": np.zeros((), dtype=np.int64),
            # Of this block: errors; for "alternating", targets. Where they count.
            "residual": np.zeros((n_outputs, block), dtype=dtype),
            "counts": np.zeros(block, dtype=bool),
            "heard": np.zeros((self.n_taps - 1, n_channels), dtype=dtype),
            "spectra": np.zeros((n_partitions, n_channels, width), dtype=dtype),
            "newest": np.zeros((), dtype=np.int64),
            "response": np.zeros((n_outputs, n_partitions, n_channels, width), dtype=dtype),
            "loose": np.zeros((n_outputs, n_loose, n_channels, width), dtype=dtype),
            "turn": np.zeros((), dtype=np.int64),
            "periodograms": np.zeros((n_partitions, n_bins)),
            "power": np.zeros(n_bins),
            "n_blocks": np.zeros((), dtype=np.int64),
            "level": np.zeros(2),
        }

    def _new_state(self, n_channels: int, n_outputs: int, dtype: np.dtype) -> State:
        state = super()._new_state(n_channels, n_outputs, dtype)
        self._transform_weights(state, 0, self._sizes()[1])
        if self.constraint == "alternating":
            state["loose"] = state["response"].copy()
        return state

    def _ready_state(self, state: State | None, rows: np.ndarray, targets: np.ndarray) -> State:
        wider = np.iscomplexobj(rows) or np.iscomplexobj(targets)
        if state is not None and wider and not np.iscomplexobj(state["weights"]):
            spectral = ("spectra", "response", "loose")
            state = state | {name: _both_sides(_spectral(state[name])) for name in spectral}
            state |= {name: _both_sides(state[name]) for name in ("periodograms", "power")}
        return super()._ready_state(state, rows, targets)

    def _publish(self, state: State) -> None:
        if not np.array_equal(state["history"], state["heard"]):  # a series has ended
            with np.errstate(all="ignore"):
                self._begin_anew(state)
            if not np.isfinite(state["weights"]).all():
                step, rows = int(state["n_samples_seen"]), state["window"]
                self._report_divergence(step, rows, state["history"], must_raise=False)
                fresh = self._new_state(rows.shape[1], len(state["weights"]), rows.dtype)
                state.update(fresh | {"n_samples_seen": state["n_samples_seen"]})
        super()._publish(state)

    # ---- a stretch of samples -----------------------------------------------------------------

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        for name in ("weights", "spectra", "response", "loose"):
            state[name] = np.ascontiguousarray(state[name])
        with np.errstate(all="ignore"):
            if not np.array_equal(state["history"], state["heard"]):
                self._begin_anew(state)
            bad = self._adapt_pieces(state, z, rows, targets, mask, output)
        past = z.reshape(-1, rows.shape[1])
        state["heard"] = past[past.shape[0] - self.n_taps + 1 :].copy()
        return bad

    def _adapt_pieces(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        """Fill block after block; answer at once, learn where one is full."""
        (block, _), (n, n_channels) = self._sizes(), rows.shape
        levels = self._follow_level(state, rows)
        k = 0
        while k < n:
            filled = int(state["filled"])
            m = min(block - filled, n - k)
            part = slice(k, k + m)
            state["window"][block + filled : block + filled + m] = rows[part]
            if m == block:
                self._hear(state)
                output[part] = self._overlap_save(state, "response").T
            else:
                window = z[k * n_channels : (k + m + self.n_taps - 1) * n_channels]
                y = np.empty((m, output.shape[1]), dtype=output.dtype)
                fir(window, n_channels, state["weights"], state["intercept"], y)
                output[part] = y
            error = targets[part] - output[part]
            finite = np.isfinite(error)
            if not finite.all():
                return k + int(np.argmin(finite.all(axis=1)))
            kept = error if self.constraint == "full" else targets[part]
            state["residual"][:, filled : filled + m] = kept.T
            state["counts"][filled : filled + m] = mask[part] if mask.size else True
            state["filled"] = np.array(filled + m)
            k += m
            if filled + m == block:
                if m < block:
                    self._hear(state)
                if not np.isfinite(state["power"].max()):
                    return k - 1
                self._learn_block(state, levels[k - 1])
        return -1

    def _follow_level(self, state: State, rows: np.ndarray) -> np.ndarray:
        """Mean power up to every row, where "auto" regularisation asks for it."""
        if self.normalize and self.regularization == "auto":
            return mean_power(rows, self.n_taps, state["level"])
        return np.zeros(rows.shape[0])

    def _begin_anew(self, state: State) -> None:
        """Learn from the unfinished block, then start one whose past is the delay line as it is."""
        block, n_partitions = self._sizes()
        filled = int(state["filled"])
        if filled:
            state["window"][block + filled :] = 0
            state["counts"][filled:] = False
            self._hear(state)
            self._learn_block(state, state["level"][0])
        history = state["history"]
        past = np.zeros((n_partitions * block, history.shape[1]), dtype=history.dtype)
        past[past.shape[0] - history.shape[0] :] = history
        for p in range(n_partitions - 1, 0, -1):  # oldest first; delays beyond n_taps do not count
            end = past.shape[0] - (p - 1) * block
            self._push(state, past[end - 2 * block : end])
        state["window"][:block] = past[-block:]
        state["heard"] = history.copy()

    # ---- a block ------------------------------------------------------------------------------

    def _push(self, state: State, window: np.ndarray) -> np.ndarray:
        """Put the spectrum of `window` into the ring and return its power, summed over channels."""
        place = (int(state["newest"]) + 1) % state["spectra"].shape[0]
        X = _transform(window.T, window.shape[0])
        _spectral(state["spectra"])[place] = X
        periodogram = state["periodograms"][place]
        spectral_power(X, periodogram)
        state["newest"] = np.array(place)
        return periodogram

    def _hear(self, state: State) -> None:
        """Take in the input of the block, which is full."""
        periodogram = self._push(state, state["window"])
        n_blocks = int(state["n_blocks"]) + 1
        memory = max(_POWER_MEMORY, state["spectra"].shape[0])
        state["power"] += (periodogram - state["power"]) / min(n_blocks, memory)
        state["n_blocks"] = np.array(n_blocks)

    def _overlap_save(self, state: State, weights: str) -> np.ndarray:
        """Outputs ``(n_outputs, block)`` of the block that was heard last."""
        X, W = _spectral(state["spectra"]), _spectral(state[weights])
        Y = np.empty((W.shape[0], X.shape[2]), dtype=X.dtype)
        spectral_output(X, int(state["newest"]), W, Y)
        block = state["window"].shape[0] // 2
        return _back(Y, 2 * block, state["weights"].dtype)[:, block:]

    def _learn_block(self, state: State, level: float) -> None:
        """Move the weights by the errors of the block, and begin the next block."""
        window, counts = state["window"], state["counts"]
        block, n_partitions = self._sizes()
        window[:block] = window[block:]
        state["filled"] = np.array(0)
        if not counts.any():
            return
        alternating = self.constraint == "alternating"
        residual = state["residual"]
        if alternating:
            residual = residual - self._overlap_save(state, "loose")
        padded = np.zeros((residual.shape[0], 2 * block), dtype=residual.dtype)
        np.multiply(residual, counts, out=padded[:, block:])
        E = _transform(padded, 2 * block)
        E *= self._steps(state, level, residual.real.dtype)
        X, newest = _spectral(state["spectra"]), int(state["newest"])
        if alternating:
            spectral_gradient(X, newest, E, _spectral(state["loose"]))
            self._constrain_some(state)
        else:
            G = np.zeros(_spectral(state["response"]).shape, dtype=X.dtype)
            spectral_gradient(X, newest, E, G)
            taps = self._taps(state, 0, n_partitions)
            taps += self._causal(G, taps)
            self._transform_weights(state, 0, n_partitions)

    def _constrain_some(self, state: State) -> None:
        """Drop the circular part of a few partitions, and answer by what they have become."""
        n_partitions = state["spectra"].shape[0]
        first = int(state["turn"]) % n_partitions
        at_once = max(-(-n_partitions // _TURN), _MANY_TURNS if n_partitions > _MANY else 1)
        last = min(first + at_once, n_partitions)
        state["turn"] = np.array(last % n_partitions)
        taps = self._taps(state, first, last)
        taps[:] = self._causal(_spectral(state["loose"])[:, first:last], taps)
        self._transform_weights(state, first, last)
        state["loose"][:, first:last] = state["response"][:, first:last]

    def _steps(self, state: State, level: float, real: np.dtype) -> np.ndarray:
        """Step size of every frequency."""
        if not self.normalize:
            return np.full(state["power"].shape, self.step_size, dtype=real)
        if self.regularization == "auto":
            epsilon = AUTO_REGULARIZATION * self.n_taps * float(level)
        else:
            epsilon = float(self.regularization)
        # Below this the step would overflow: as good as silence.
        lowest = self.step_size / float(np.finfo(real).max)
        steps = np.empty_like(state["power"])
        step = float(self.step_size)
        spectral_steps(
            state["periodograms"],
            state["power"],
            epsilon,
            step,
            lowest,
            self._sizes()[0],
            _LEAKAGE,
            np.empty_like(steps),
            steps,
        )
        return steps.astype(real)

    def _causal(self, spectra: np.ndarray, taps: np.ndarray) -> np.ndarray:
        """Valid half of ``(n_outputs, partitions, n_channels, n_bins)`` in the form of `taps`."""
        block, _ = self._sizes()
        valid = _back(spectra, 2 * block, taps.dtype)[..., :block].transpose(0, 1, 3, 2)
        return valid.reshape(taps.shape[0], -1, taps.shape[2])[:, : taps.shape[1]]

    def _taps(self, state: State, first: int, last: int) -> np.ndarray:
        """View ``(n_outputs, taps, n_channels)``, newest first, of some partitions' weights."""
        block, _ = self._sizes()
        weights = state["weights"]
        n_channels = state["history"].shape[1]
        weights = weights.reshape(weights.shape[0], self.n_taps, n_channels)[:, ::-1]
        return weights[:, first * block : last * block]

    def _transform_weights(self, state: State, first: int, last: int) -> None:
        block, _ = self._sizes()
        taps = self._taps(state, first, last)
        padded = np.zeros((taps.shape[0], (last - first) * block, taps.shape[2]), dtype=taps.dtype)
        padded[:, : taps.shape[1]] = taps
        padded = padded.reshape(taps.shape[0], last - first, block, -1).transpose(0, 1, 3, 2)
        _spectral(state["response"])[:, first:last] = _transform(padded, 2 * block)

    def _divergence_advice(self, rows: np.ndarray) -> str:
        block, n_partitions = self._sizes()
        if self.normalize:
            return (
                f"with step_size={self.step_size} and regularization={self.regularization}; "
                f"{n_partitions} partition(s) of {block} taps are stable for 0 < step_size < "
                f"{2 / (1 + 1 / n_partitions):.3g}. Lower step_size or raise regularization."
            )
        with np.errstate(over="ignore"):
            bound = max_step_size(rows, self.n_taps) / block
        return (
            f"with step_size={self.step_size}; with gradients summed over blocks of {block} "
            f"convergence in the mean needs step_size < {bound:.3g} (2 / (block_size * trace of "
            "the input correlation)). Lower step_size or use normalize=True."
        )


def _transform(signal: np.ndarray, n: int) -> np.ndarray:
    """Spectrum along the last axis, zero-padded to `n`; half of it for real signals."""
    return fft.fft(signal, n) if signal.dtype.kind == "c" else fft.rfft(signal, n)


def _back(spectrum: np.ndarray, n: int, dtype: np.dtype) -> np.ndarray:
    return fft.ifft(spectrum, n) if dtype.kind == "c" else fft.irfft(spectrum, n)


def _spectral(array: np.ndarray) -> np.ndarray:
    """The complex numbers that `array` holds, as pairs where signals are real; a view."""
    return array if array.dtype.kind == "c" else array.view(_PAIR[array.dtype.itemsize])


def _both_sides(half: np.ndarray) -> np.ndarray:
    """All bins of the spectrum of a real signal from those of frequencies 0 to 1/2."""
    return np.concatenate([half, np.conj(half[..., -2:0:-1])], axis=-1)
