"""Recursion: what an adaptive filter does to its state, apart from the calls that ask for it."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from ._one_sample import OneSample
from ._state import State, copy_state, impulse_responses, stack_weights
from .kernels.fir import fir
from .timeseries._errors import DivergenceError, caller_level
from .timeseries._sklearn_private import StrOptions, positive_int
from .timeseries._windows import with_history

# Samples a kernel is given at once: bounds what a call holds besides its answer.
AT_ONCE = 1 << 17


class Recursion:
    """One stretch of signals after another through an algorithm of a subclass.

    A subclass provides ``_start(n_inputs, n_outputs, dtype)``, the algorithm's own state as a
    dict of arrays, and ``_adapt_block(state, z, rows, targets, mask, output)``, which runs its
    kernel over one block, changes `state` in place and returns the first bad sample or -1.
    `state` also holds "weights" ``(n_outputs, n_taps * n_channels)``, oldest row first,
    "intercept", "history" and "n_samples_seen". Outside `_adapt_block` nothing changes the arrays
    of a state in place: dicts may share them.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_taps": [positive_int()],
        "fit_intercept": ["boolean"],
        "initial_weights": ["array-like", None],
        "store_weights": [positive_int(0)],
        "on_divergence": [StrOptions({"raise", "warn", "reset"})],
    }
    n_taps: int
    fit_intercept: bool
    initial_weights: Any
    store_weights: int
    on_divergence: str

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        raise NotImplementedError

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        raise NotImplementedError

    def _divergence_advice(self, rows: np.ndarray) -> str:
        """The parameter value, the bound and the remedy, for the error message."""
        raise NotImplementedError

    def _warn_of_step(self, rows: np.ndarray) -> None:
        """Warn where the step is beyond what is known to be safe on this input."""

    def _one_sample(self) -> OneSample | None:
        """The algorithm for one sample of one channel at a time, if it has a form of its own."""
        return None

    def _empty_delay_line(self, state: State) -> None:
        """Begin a new series. A filter that remembers more of the last rows extends this."""
        state["history"] = np.zeros_like(state["history"])

    def _refuse_infinite(self, output: np.ndarray) -> None:
        """Raise where the frozen weights answer with what is not finite."""
        if not np.isfinite(output).all():
            row = int(np.argmin(np.isfinite(output).all(axis=1)))
            raise DivergenceError(
                f"{type(self).__name__} answers row {row} of X with NaN or infinity: the row is "
                f"too large for {output.dtype} numbers. Scale X.",
                row,
            )

    def _frozen_output(self, state: State, z: np.ndarray, output: np.ndarray) -> None:
        """Write what `state` answers to `z`, the rows with their history in front, and keep it.

        A filter whose output is more than weights times delay line overrides this.
        """
        weights, bias = (
            state[name].astype(output.dtype, copy=False) for name in ("weights", "intercept")
        )
        fir(z.ravel(), z.shape[1], weights, bias, output)

    def _ready_state(self, state: State | None, rows: np.ndarray, targets: np.ndarray) -> State:
        """`state` (a new one if None) in a dtype that holds rows and targets, as a new dict.

        Its arrays may be those of `state`: nothing changes the arrays of a state in place.
        """
        dtype = np.result_type(rows, targets) if np.iscomplexobj(targets) else rows.dtype
        if state is None:
            return self._new_state(rows.shape[1], targets.shape[1], dtype)
        n_outputs, n_channels = state["weights"].shape[0], state["history"].shape[1]
        if (rows.shape[1], targets.shape[1]) != (n_channels, n_outputs):
            raise ValueError(
                f"{type(self).__name__} has adapted to {n_channels} channel(s) and {n_outputs} "
                f"output(s); got {rows.shape[1]} and {targets.shape[1]}. reset() starts anew."
            )
        fresh = self._refuse_other_state(state, np.result_type(state["weights"], dtype))
        return {name: value.astype(fresh[name].dtype, copy=False) for name, value in state.items()}

    def _state_for(self, state: State | None, rows: np.ndarray, targets: np.ndarray) -> State:
        """As `_ready_state`, at once where nothing has to change in a state of these parameters."""
        if state is not None:
            weights, n_channels = state["weights"], state["history"].shape[1]
            fits = (rows.shape[1], targets.shape[1]) == (n_channels, weights.shape[0])
            if fits and np.result_type(weights, rows, targets) == weights.dtype:
                return dict(state)
        return self._ready_state(state, rows, targets)

    def _refuse_other_state(self, state: State, dtype: np.dtype | None = None) -> State:
        """Raise unless `state` has the entries of a new one, which is returned.

        The kernels read where the parameters say, so a state of other sizes must not reach them.
        """
        try:
            n_outputs, (_, n_channels) = len(state["weights"]), state["history"].shape
        except (KeyError, TypeError, ValueError):
            kind = type(self).__name__
            raise ValueError(
                f"initial_state is not a state of a {kind}: it has the entries {list(state)}."
            ) from None
        fresh = self._new_state(n_channels, n_outputs, dtype or state["weights"].dtype)
        same = state.keys() == fresh.keys()
        if not same or any(state[name].shape != fresh[name].shape for name in fresh):
            found, wanted = ({k: v.shape for k, v in s.items()} for s in (state, fresh))
            raise ValueError(
                f"the state has entries {found}, but {self} needs {wanted}. Were parameters "
                "changed after it was fitted? reset() starts anew."
            )
        return fresh

    def _new_state(self, n_channels: int, n_outputs: int, dtype: np.dtype) -> State:
        n_inputs = self.n_taps * n_channels
        weights = np.zeros((n_outputs, n_inputs), dtype=dtype)
        if self.initial_weights is not None:
            given = stack_weights(self.initial_weights, n_outputs, n_channels, self.n_taps)
            if np.iscomplexobj(given) and not np.iscomplexobj(weights):
                raise ValueError("initial_weights are complex, but the signals are real.")
            weights[:] = given
        return {
            "weights": weights,
            "intercept": np.zeros(n_outputs, dtype=dtype),
            "history": np.zeros((self.n_taps - 1, n_channels), dtype=dtype),
            "n_samples_seen": np.zeros((), dtype=np.int64),
            **self._start(n_inputs + int(self.fit_intercept), n_outputs, dtype),
        }

    def _advance(
        self,
        state: State,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray | None = None,
        *,
        answers: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Move `state` on over one stretch; return a-priori output and stored weights.

        The entries of the dict are replaced, their arrays stay as they are. Without `answers` the
        output is not kept.
        """
        mask = np.empty(0, dtype=bool) if mask is None else mask
        targets = targets.astype(state["weights"].dtype, copy=False)
        output = np.empty(targets.shape if answers else (0, targets.shape[1]), dtype=targets.dtype)
        n, every = rows.shape[0], int(self.store_weights)  # it may be a NumPy int8
        stored, start = [], 0
        while start < n:
            seen = int(state["n_samples_seen"])
            stop = min(n, start + self._part_length(state))
            stop = min(stop, start + every - seen % every) if every else stop
            part = slice(start, stop)
            heard = output[part] if answers else np.empty_like(targets[part])
            self._advance_part(state, rows[part], targets[part], mask[part], heard)
            if every and int(state["n_samples_seen"]) % every == 0:
                stored.append(impulse_responses(state, self.n_taps))
            start = stop
        empty = np.empty((0, *impulse_responses(state, self.n_taps).shape), dtype=output.dtype)
        return output, np.stack(stored) if stored else empty

    def _part_length(self, state: State) -> int:
        """Samples to be taken at once from `state` on. Any cut gives the same bits."""
        return AT_ONCE

    def _advance_part(
        self,
        state: State,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> None:
        start, last_reset = 0, -1
        while True:
            trial = copy_state(state)
            rest = slice(start, None)
            bad = self._run(trial, rows[rest], targets[rest], mask[rest], output[rest])
            if bad < 0 and np.isfinite(trial["weights"]).all():
                state.update(trial)
                return
            # The last update may overflow: the sample after it would show that, so it is the step.
            bad = rows.shape[0] - start if bad < 0 else bad
            step = int(state["n_samples_seen"]) + bad
            at_fresh_weights = start + bad == last_reset
            self._report_divergence(step, rows, state["history"], must_raise=at_fresh_weights)
            good = slice(start, start + bad)
            if bad:
                state.update(copy_state(state))
                self._run(state, rows[good], targets[good], mask[good], output[good])
            fresh = self._new_state(rows.shape[1], targets.shape[1], state["weights"].dtype)
            state.update({k: v for k, v in fresh.items() if k not in ("history", "n_samples_seen")})
            start = last_reset = start + bad
            if start == rows.shape[0]:
                return

    def _run(
        self,
        state: State,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        rows = rows.astype(state["weights"].dtype, copy=False)
        z, history = with_history(rows, state["history"])
        bad = self._adapt_block(state, z.ravel(), rows, targets, mask, output)
        if bad < 0:
            state["history"] = history
            state["n_samples_seen"] = state["n_samples_seen"] + rows.shape[0]
        return bad

    def _judge(self, state: State, rows: np.ndarray, targets: np.ndarray) -> None:
        """Report a divergence that stayed finite, by the answers to the rows of a whole fit.

        Weights that grow by a factor a sample may end at 1e175 before they overflow. What they
        then answer is told from any other fit without a scale or a tuned bound: at more than half
        of the rows it is beyond 1 / eps times the largest desired value (and the largest answer of
        the initial weights), so that not one bit of the desired signal is left in the error
        d - y. A burst, however loud, is not half of the rows, and a step that is stable leaves
        weights of at most sqrt(sum |d|^2 / |x|^2), which answer in the order of d.
        """
        limit = 1.0 / np.finfo(state["weights"].dtype).eps
        largest = np.abs(targets).max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            if type(self)._frozen_output is Recursion._frozen_output:
                # Nearly always enough, without a pass through the rows.
                reach = np.abs(state["weights"]).sum(axis=1) * np.abs(rows).max()
                if (reach + np.abs(state["intercept"]) <= limit * largest).all():
                    return
            fresh = self._new_state(rows.shape[1], targets.shape[1], state["weights"].dtype)
            before, after = (
                np.nan_to_num(np.abs(self._answers(s, rows)), nan=np.inf, posinf=np.inf)
                for s in (fresh, state)
            )
            largest = np.maximum(largest, before.max(axis=0))
            if not (np.median(after, axis=0) > limit * largest).any():
                return
        self._report_divergence(
            int(state["n_samples_seen"]),
            rows,
            state["history"],
            must_raise=False,
            stayed_finite=True,
        )
        state.update({k: v for k, v in fresh.items() if k not in ("history", "n_samples_seen")})

    def _answers(self, state: State, rows: np.ndarray) -> np.ndarray:
        """What frozen weights answer to rows after silence."""
        rows = rows.astype(state["weights"].dtype, copy=False)
        z, _ = with_history(rows, np.zeros_like(state["history"]))
        output = np.empty((rows.shape[0], state["weights"].shape[0]), dtype=rows.dtype)
        self._frozen_output(copy_state(state), z, output)
        return output

    def _report_divergence(
        self,
        step: int,
        rows: np.ndarray,
        history: np.ndarray,
        must_raise: bool,
        stayed_finite: bool = False,
    ) -> None:
        if rows.shape[0] < self.n_taps:
            rows = np.concatenate([history, rows])
        when = "before" if stayed_finite else "at"
        message = (
            f"{type(self).__name__} diverged {when} time step {step} "
            f"{self._divergence_advice(rows)}"
        )
        if stayed_finite:
            message += (
                " (The weights are still finite, but answer more than half of the rows with more "
                "than 1 / eps times the largest desired value.)"
            )
        if must_raise:
            raise DivergenceError(
                f"{message} (It happened again at once with the weights reset: the signals "
                "themselves are too large for their dtype.)",
                step,
            )
        if self.on_divergence == "raise":
            raise DivergenceError(message, step)
        if self.on_divergence == "warn":
            message = f"{message} The weights were reset there."
            warnings.warn(message, RuntimeWarning, stacklevel=caller_level())
