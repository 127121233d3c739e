"""RLSFilter: recursive least squares."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._base import AdaptiveFilter
from ._input_power import row_power
from ._state import State
from .kernels.rls import rls
from .timeseries._sklearn_private import StrOptions, positive, unit_interval

_AUTO_DELTA = 0.01
# "auto" delta watches this many first samples (or the delay line's length) for the input's level.
_AUTO_WARM_UP = 16
# The trace of P may exceed its start by this factor before forgetting pauses: about the inverse
# square root of the machine epsilon, where rounding of the wound-up directions reaches the others.
# The rounding of single-precision signals is itself an input there: at 1e7 it drove the weights to
# 1000 times the plant's in 5 10^5 samples of a noisy tone, at 1e4 nowhere. A fall of the level by
# 80 dB is still followed.
_WIND_UP = {np.dtype(np.float64): 1e7, np.dtype(np.float32): 1e4}
_LARGEST_TRACE = float(np.finfo(np.float64).max) / 1e4
# The first sound is looked for in so many samples at once.
_LOOK = 1024
# Up to so many rows whole rows of a real P are faster than one triangle.
_HELD_IN_FULL = 32
_CACHE_LINE = 64  # bytes


class RLSFilter(AdaptiveFilter):
    """Adapt a transversal filter by exponentially weighted recursive least squares.

    .. math:: k = \\frac{P \\bar x}{\\lambda + x^T P \\bar x}, \\;
              w \\leftarrow w + e\\, k, \\;
              P \\leftarrow (P - k\\, x^T P) / \\lambda, \\quad P(0) = I / \\delta

    After n samples the weights are exactly the minimiser of
    ``sum_k lambda^(n-k) |d(k) - w.x(k)|^2 + delta lambda^n |w|^2``.

    Parameters
    ----------
    n_taps : int, default=1
        Length of the delay line of every channel.
    forgetting_factor : float, default=0.999
        Lambda in (0, 1]: samples older than about 1 / (1 - lambda) are forgotten; 1 never forgets.
    delta : float or "auto", default="auto"
        Initial regularisation, in units of input power. "auto" is 0.01 times the largest power of
        a row among the first 16 samples (or n_taps, if longer); while these come in, a row more
        than 10 times as strong as the level in use restarts P at I / delta and keeps the weights.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. The intercept is a weight of a constant input: it is estimated jointly.

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
    Cost: about n^2 multiply-adds a sample, n = n_taps n_channels; memory n^2. Only one triangle of
    P exists, so P cannot lose its symmetry; it is kept in double precision for float32 signals too.
    Wind-up: while the trace of P is more than 1e7 times that of I / delta (1e4 times for signals in
    single precision, whose rounding is noise), the input does not excite all directions and
    forgetting pauses; where rounding takes P's positivity all the same (a tone for 10^5 samples), P
    starts anew at I / delta and the weights stay.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., table 10.1.
    M. Verhaegen, Round-off error propagation in four generally-applicable recursive least-squares
    estimation schemes, Automatica 25 (1989), 437-444 (why P must stay symmetric).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import RLSFilter
    >>> x = np.random.default_rng(0).standard_normal((500, 1))
    >>> y = 2.0 * x[:, 0] - np.r_[0.0, x[:-1, 0]]
    >>> RLSFilter(n_taps=2).fit(x, y).coef_.round(3)
    array([[ 2., -1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "forgetting_factor": [unit_interval()],
        "delta": [positive(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        forgetting_factor: float = 0.999,
        delta: float | Literal["auto"] = "auto",
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.forgetting_factor = forgetting_factor
        self.delta = delta
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        state = {
            "P": np.zeros((n_inputs, n_inputs), dtype=np.result_type(dtype, np.float64)),
            "trace": np.zeros(1),
            "delta": np.zeros(1),
            "age": np.zeros((), dtype=np.int64),
        }
        if self.delta != "auto":
            _restart(state, float(self.delta))
        return state

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        """Run the kernel, from restart to restart of P while the level is being learned."""
        n, n_channels = rows.shape
        n_history = self.n_taps - 1
        start = 0
        for stop, delta in self._restarts(state, rows):
            if stop > start:
                part = slice(start, stop)
                window = z[start * n_channels : (n_history + stop) * n_channels]
                bad = self._run_kernel(
                    state, window, targets[part], mask[part], n_channels, output[part]
                )
                if bad >= 0:
                    return start + bad
            start = stop
            if delta > 0:
                _restart(state, delta)
        state["age"] = state["age"] + n
        return -1

    def _restarts(self, state: State, rows: np.ndarray) -> list[tuple[int, float]]:
        """``(sample, delta)`` before which P starts anew, closed by ``(n, 0)``."""
        n = rows.shape[0]
        if self.delta != "auto":
            return [(n, 0.0)]
        delta = float(state["delta"][0])
        watched = max(_AUTO_WARM_UP, self.n_taps) - int(state["age"])
        found: list[tuple[int, float]] = []
        start = 0
        while start < (n if delta == 0 else min(n, watched)):
            levels = _AUTO_DELTA * (row_power(rows[start : start + _LOOK]) / rows.shape[1])
            first = int(np.argmax(levels > 0)) if delta == 0 else 0
            for k, level in enumerate(levels[first:].tolist(), start + first):
                if k >= watched and delta > 0:
                    break
                if level > 10.0 * delta:
                    delta = level
                    found.append((k, delta))
            start += _LOOK
        return [*found, (n, 0.0)]

    def _run_kernel(
        self,
        state: State,
        z: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        n_channels: int,
        output: np.ndarray,
    ) -> int:
        joint = state["weights"]
        if self.fit_intercept:
            joint = np.concatenate([joint, state["intercept"][:, np.newaxis]], axis=1)
        m = joint.shape[1]
        work = np.empty((3, m), dtype=state["P"].dtype)
        if targets.shape[0] > m:
            state["P"], work = _on_cache_lines(state["P"]), _on_cache_lines(work)
        delta, cap = float(state["delta"][0]), _LARGEST_TRACE
        if delta > 0:  # zero before the first sound, where P is zero too
            cap = min(_WIND_UP[z.real.dtype] * m / delta, cap)
        y = np.empty(targets.shape, dtype=joint.dtype)
        bad = rls(
            z,
            np.ascontiguousarray(targets),
            mask,
            n_channels,
            float(self.forgetting_factor),
            cap,
            1.0 / delta if delta > 0 else 0.0,
            self.fit_intercept,
            m <= _HELD_IN_FULL and work.dtype.kind == "f",
            state["P"],
            joint,
            work[0],
            work[1],
            work[2],
            state["trace"],
            y,
        )
        output[:] = y
        if self.fit_intercept:
            state["weights"], state["intercept"] = joint[:, :-1].copy(), joint[:, -1].copy()
        return bad

    def _divergence_advice(self, rows: np.ndarray) -> str:
        return (
            f"with forgetting_factor={self.forgetting_factor} and delta={self.delta}: the matrix P "
            "is no longer positive or the error no longer finite. Raise forgetting_factor "
            "(towards 1) or delta, or scale the signals to moderate size."
        )


def _restart(state: State, delta: float) -> None:
    P = state["P"]
    P[:] = 0
    np.fill_diagonal(P, 1.0 / delta)
    state["delta"][0] = delta
    state["trace"][0] = P.shape[0] / delta


def _on_cache_lines(array: np.ndarray) -> np.ndarray:
    """A copy whose first element begins a line of the cache (at 128 taps 1.3 times as fast)."""
    room = np.empty(array.nbytes + _CACHE_LINE, dtype=np.uint8)
    start = -room.ctypes.data % _CACHE_LINE
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[:] = array
    return copy
