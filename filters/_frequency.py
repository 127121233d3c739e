"""FrequencyDomainFilter: long filters, learned block by block through the Fourier transform."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import AUTO_REGULARIZATION, mean_power
from ._overlap_save import (
    Rule,
    as_parts,
    both_sides,
    hear_past,
    new_spectra,
    tools_for,
    transform_weights,
)
from ._state import State
from ._steps import NLMS_ADVICE, warn_of_step
from .kernels.fir import fir
from .kernels.frequency import adapt_blocks
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
        power of two nearest below n_taps / 8 between 64 and 256. Powers of two are fastest; a
        prime factor r of the block costs in the order of r operations a sample in every transform.
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
    fit_intercept : bool, default=False
        Adapt a constant together with the weights. It is an input that is always 1, and its energy
        in a block, B, counts in the norm of frequency zero.
    initial_weights, store_weights, on_divergence
        As in `LMSFilter`. Blocks run fast where they are whole: let `store_weights` be a multiple
        of the block size.

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
        **AdaptiveFilter._parameter_constraints,
        "block_size": [positive_int(), StrOptions({"auto"})],
        "constraint": [StrOptions({"full", "alternating"})],
        "normalize": ["boolean"],
        "step_size": [positive()],
        "regularization": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 256,
        *,
        block_size: int | Literal["auto"] = "auto",
        constraint: Literal["full", "alternating"] = "full",
        normalize: bool = True,
        step_size: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
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
        self.fit_intercept = fit_intercept
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
        n_channels = (n_inputs - int(self.fit_intercept)) // self.n_taps
        loose = self.constraint == "alternating"
        return {
            **new_spectra(block, n_partitions, n_channels, n_outputs, dtype, loose=loose),
            # Of the unfinished block: so many samples, and where they count.
            "filled": np.zeros((), dtype=np.int64),
            "inputs": np.zeros((block, n_channels), dtype=dtype),
            "targets": np.zeros((block, n_outputs), dtype=dtype),
            "counts": np.zeros(block, dtype=bool),
            "heard": np.zeros((self.n_taps - 1, n_channels), dtype=dtype),
            "level": np.zeros(2),
        }

    def _new_state(self, n_channels: int, n_outputs: int, dtype: np.dtype) -> State:
        state = super()._new_state(n_channels, n_outputs, dtype)
        if state["weights"].any():
            transform_weights(state)
        if self.constraint == "alternating":
            state["loose"] = state["response"].copy()
        return state

    def _ready_state(self, state: State | None, rows: np.ndarray, targets: np.ndarray) -> State:
        wider = np.iscomplexobj(rows) or np.iscomplexobj(targets)
        if state is not None and wider and not np.iscomplexobj(state["weights"]):
            state = both_sides(state)
        return super()._ready_state(state, rows, targets)

    def _publish(self, state: State) -> None:
        if not np.array_equal(state["history"], state["heard"]):  # a series has ended
            fine = self._begin_anew(state)
            if not (fine and np.isfinite(state["weights"]).all()):
                step, rows = int(state["n_samples_seen"]), state["inputs"]
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
        if not np.array_equal(state["history"], state["heard"]) and not self._begin_anew(state):
            return 0
        epsilon = self._regularization_of(rows, state)
        (block, _), (n, n_channels) = self._sizes(), rows.shape
        k, bad = 0, -1
        while k < n and bad < 0:
            filled = int(state["filled"])
            if filled or n - k < block:
                stop = min(n, k + block - filled)
                signal = z[k * n_channels : (stop + self.n_taps - 1) * n_channels]
                learn = self._adapt_piece
            else:
                stop = n - (n - k) % block
                signal = rows[k:stop]
                learn = self._adapt_whole
            part = slice(k, stop)
            bad = learn(state, signal, targets[part], mask[part], epsilon[part], output[part])
            bad, k = (k + bad if bad >= 0 else -1), stop
        past = z.reshape(-1, n_channels)
        state["heard"] = past[past.shape[0] - self.n_taps + 1 :].copy()
        return bad

    def _adapt_whole(
        self,
        state: State,
        signal: np.ndarray,
        d: np.ndarray,
        mask: np.ndarray,
        epsilon: np.ndarray,
        output: np.ndarray,
    ) -> int:
        """Run through whole blocks."""
        _, n_partitions = self._sizes()
        memory, plan, scratch = tools_for(state)
        rule = Rule(
            step=float(self.step_size),
            # Below this the step would overflow: as good as silence.
            lowest=float(self.step_size) / float(np.finfo(scratch.frame.dtype).max),
            normalize=bool(self.normalize),
            fit_intercept=bool(self.fit_intercept),
            power_memory=max(_POWER_MEMORY, n_partitions),
            leakage=_LEAKAGE,
            turns=max(-(-n_partitions // _TURN), _MANY_TURNS if n_partitions > _MANY else 1),
        )
        x, d, y = as_parts(signal), as_parts(d), as_parts(output)
        counts = as_parts(mask) if mask.size else np.ones(x.shape[0], dtype=bool)
        return adapt_blocks(x, d, counts, epsilon, rule, memory, plan, scratch, y)

    def _adapt_piece(
        self,
        state: State,
        signal: np.ndarray,
        d: np.ndarray,
        mask: np.ndarray,
        epsilon: np.ndarray,
        output: np.ndarray,
    ) -> int:
        """Answer a piece of a block at once; learn where that fills the block."""
        fir(signal, state["inputs"].shape[1], state["weights"], state["intercept"], output)
        with np.errstate(all="ignore"):
            finite = np.isfinite(d - output).all(axis=1)
        if not finite.all():
            return int(np.argmin(finite))
        m, filled = d.shape[0], int(state["filled"])
        piece = slice(filled, filled + m)
        rows = signal.reshape(-1, state["inputs"].shape[1])
        state["inputs"][piece] = rows[rows.shape[0] - m :]
        state["targets"][piece] = d
        state["counts"][piece] = mask if mask.size else True
        state["filled"] = np.array(filled + m)
        if filled + m < state["counts"].size or self._learn_unfinished(state, epsilon[-1]):
            return -1
        return m - 1

    def _learn_unfinished(self, state: State, epsilon: float) -> bool:
        """Learn from the block that came in pieces as from a whole one; False: it diverged."""
        filled, buffered = int(state["filled"]), ("inputs", "targets", "counts")
        for name in buffered:
            state[name][filled:] = 0
        state["filled"] = np.array(0)
        answered = np.empty_like(state["targets"])
        every = np.full(state["counts"].size, epsilon)
        rest = (state["inputs"], state["targets"], state["counts"], every, answered)
        bad = self._adapt_whole(state, *rest)
        for name in buffered:  # no row waits: a state does not tell how the rows came
            state[name][:] = 0
        return bad < 0

    def _begin_anew(self, state: State) -> bool:
        """Learn from the unfinished block, then start one whose past is the delay line as it is."""
        fine = True
        if state["filled"]:
            mean = self.normalize and self.regularization == "auto"
            fine = self._learn_unfinished(state, self._epsilon(state["level"][0] if mean else 0.0))
        (block, n_partitions), history = self._sizes(), state["history"]
        past = np.zeros((n_partitions * block, history.shape[1]), dtype=history.dtype)
        past[past.shape[0] - history.shape[0] :] = history
        hear_past(state, past)
        state["heard"] = history.copy()
        return fine

    def _regularization_of(self, rows: np.ndarray, state: State) -> np.ndarray:
        """Epsilon at every row; `state` follows the level where "auto" asks for it."""
        if self.normalize and self.regularization == "auto":
            with np.errstate(all="ignore"):
                return self._epsilon(mean_power(rows, self.n_taps, state["level"]))
        return np.full(rows.shape[0], self._epsilon(0.0))

    def _epsilon(self, level: Any) -> Any:
        if self.regularization == "auto":
            return AUTO_REGULARIZATION * self.n_taps * level
        return float(self.regularization)

    def _warn_of_step(self, rows: np.ndarray) -> None:
        if self.normalize:
            warn_of_step(self, self._bound(), NLMS_ADVICE)

    def _bound(self) -> float:
        """Step below which the normalised filter is stable."""
        return 2 / (1 + 1 / self._sizes()[1])

    def _divergence_advice(self, rows: np.ndarray) -> str:
        block, n_partitions = self._sizes()
        if self.normalize:
            return (
                f"with step_size={self.step_size} and regularization={self.regularization}; "
                f"{n_partitions} partition(s) of {block} taps are stable for 0 < step_size < "
                f"{self._bound():.3g}. Lower step_size or raise regularization."
            )
        with np.errstate(over="ignore"):
            bound = max_step_size(rows, self.n_taps) / block
        return (
            f"with step_size={self.step_size}; with gradients summed over blocks of {block} "
            f"convergence in the mean needs step_size < {bound:.3g} (2 / (block_size * trace of "
            "the input correlation)). Lower step_size or use normalize=True."
        )
