"""AdaptiveFilter: what all linear adaptive filters share, from validation to streams."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from ._one_sample import OneSample
from ._state import State, copy_state, impulse_responses, stack_weights
from ._stream import FilterStream
from .kernels.fir import fir
from .timeseries._errors import DivergenceError, caller_level
from .timeseries._mixins import SeriesRegressorMixin
from .timeseries._sklearn_private import StrOptions, positive_int, validate_parameters
from .timeseries._validation import (
    TargetForm,
    all_or_nothing,
    check_finite,
    check_initial_states,
    check_mask,
    check_series,
    check_signal,
)
from .timeseries._windows import with_history


class AdaptResult(NamedTuple):
    """What one pass of `adapt` gives.

    Attributes
    ----------
    output : ndarray of shape (n_timesteps,) or (n_timesteps, n_outputs)
        A-priori output: computed from the weights before they saw the sample.
    error : ndarray, as `output`
        ``d - output``, exactly.
    weights : ndarray of shape (n_stored, n_channels, n_taps) or None
        `coef_` after every `store_weights`-th sample ever seen (with several outputs
        ``(n_stored, n_outputs, n_channels, n_taps)``); None unless `store_weights` is set.
    """

    output: np.ndarray
    error: np.ndarray
    weights: np.ndarray | None


class AdaptiveFilter(SeriesRegressorMixin, BaseEstimator):
    """Base of the filters: a delay line whose weights are learned sample by sample.

    A subclass provides ``_start(n_inputs, n_outputs, dtype)``, the algorithm's own state as a
    dict of arrays, and ``_adapt_block(state, z, rows, targets, mask, output)``, which runs its
    kernel over one block, changes `state` in place and returns the first bad sample or -1.
    `state` also holds "weights" ``(n_outputs, n_taps * n_channels)``, oldest row first,
    "intercept", "history" and "n_samples_seen".
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_taps": [positive_int()],
        "fit_intercept": ["boolean"],
        "initial_weights": ["array-like", None],
        "store_weights": [positive_int(0)],
        "on_divergence": [StrOptions({"raise", "warn", "reset"})],
    }

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

    # ---- scikit-learn's half ------------------------------------------------------------------

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Forget everything, then adapt once through the series.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_channels), list, panel or MultiIndex frame
            Reference signal(s). The weights go on from series to series, the delay line starts
            from zeros in each.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs), in X's container
            Desired signal.
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN, infinity, complex data (use `adapt`) or shapes that do not fit.
        DivergenceError
            If the weights left the finite numbers and ``on_divergence="raise"``; after an error
            the filter is as it was before the call.
        """
        with all_or_nothing(self):
            return self._learn(X, y, groups, reset=True)

    def partial_fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Go on adapting from the current weights and, for plain rows, the current delay line.

        Chunks of any size give the same numbers, bit for bit, as one call.

        Parameters
        ----------
        X, y, groups
            As in `fit`. Stated series start and end with an empty delay line.

        Returns
        -------
        self

        Raises
        ------
        ValueError, DivergenceError
            As `fit`; after an error the filter is as it was before the call.
        """
        with all_or_nothing(self):
            return self._learn(X, y, groups, reset=not hasattr(self, "_state"))

    def _learn(self, X: Any, y: Any, groups: Any, *, reset: bool) -> Self:
        validate_parameters(self)
        data = check_series(self, X, y, reset=reset, target="numeric", groups=groups)
        state = None if reset else self._state
        state = self._ready_state(state, data.rows, data.targets)
        self._warn_of_step(data.rows)
        stored = []
        for a, b in data.stacked.spans():
            if data.stacked.bounded:
                self._empty_delay_line(state)
            _, kept = self._advance(state, data.rows[a:b], data.targets[a:b])
            stored.append(kept)
        if data.stacked.bounded:
            self._empty_delay_line(state)
        self._target_form = data.form
        if self.store_weights:
            self.weight_history_ = np.concatenate(stored)
        self._publish(state)
        return self

    def predict(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """Filter with the frozen weights; changes nothing.

        Parameters
        ----------
        X, groups
            As in `fit`.
        initial_state : ndarray of shape ((n_taps - 1) * n_channels,) or (n_series, ...)
            The rows before each series, oldest first, flattened; zeros when None.
        return_state : bool, default=False
            Whether to return the delay line after the last row as well.

        Returns
        -------
        output : container of X; (n_timesteps,) or (n_timesteps, n_outputs) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.

        Raises
        ------
        ValueError
            For NaN, infinity, another number of channels or a state of another shape.
        """
        check_is_fitted(self)
        data = check_series(self, X, reset=False, groups=groups)
        weights = self._state["weights"]
        rows = data.rows.astype(np.result_type(data.rows, weights), copy=False)
        output = np.empty((rows.shape[0], weights.shape[0]), dtype=rows.dtype)
        n_history, n_channels = self._state["history"].shape
        lines = check_initial_states(
            initial_state, data.stacked.n_series, n_history * n_channels, rows.dtype
        )
        for i, (a, b) in enumerate(data.stacked.spans()):
            history = lines[i].reshape(n_history, n_channels)
            z, history = with_history(rows[a:b], history)
            self._frozen_output(self._state, z, output[a:b])
            lines[i] = history.ravel()
        answer = self._target_form.restore(data.stacked, output)
        if not return_state:
            return answer
        return answer, lines if data.stacked.bounded else lines[0]

    # ---- the signal-processing half -----------------------------------------------------------

    def adapt(self, x: Any, d: Any, *, update_mask: Any = None) -> AdaptResult:
        """Adapt once through `x` from the current state and return what was heard on the way.

        Parameters
        ----------
        x : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
            Reference, real or complex.
        d : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
            Desired signal.
        update_mask : array-like of bool, shape (n_timesteps,), default=None
            Where False the weights are frozen (double talk, a known disturbance).

        Returns
        -------
        AdaptResult
            A-priori output, error and the stored weights; ``error == d - output`` exactly.

        Raises
        ------
        ValueError
            For NaN or infinity (with the place) or shapes that do not fit.
        DivergenceError
            As `fit`; the filter is then as it was before the call.
        """
        validate_parameters(self)
        rows, targets = check_signal(x, "x"), check_signal(d, "d")
        if rows.shape[0] != targets.shape[0]:
            raise ValueError(f"x has {rows.shape[0]} samples, d has {targets.shape[0]}.")
        mask = check_mask(update_mask, rows.shape[0])
        state = self._ready_state(getattr(self, "_state", None), rows, targets)
        rows = rows.astype(state["weights"].dtype, copy=False)
        targets = targets.astype(rows.dtype, copy=False)
        self._warn_of_step(rows)
        output, stored = self._advance(state, rows, targets, mask)
        if not hasattr(self, "_state"):
            self.n_features_in_ = rows.shape[1]
            self._target_form = TargetForm(np.ndim(d))
        self._publish(state)
        error = targets - output
        if np.ndim(d) == 1:
            output, error = output[:, 0], error[:, 0]
        return AdaptResult(output, error, stored if self.store_weights else None)

    def stream(self, initial_state: State | None = None) -> FilterStream:
        """Open a session that goes on sample by sample from a copy of the current state.

        Parameters
        ----------
        initial_state : dict of arrays, default=None
            A `state` of an earlier session; None starts from the filter as it is now (zero
            weights if it was never fitted).

        Returns
        -------
        FilterStream
            The filter itself stays as it is.

        Raises
        ------
        ValueError
            For a state that is not one of this kind of filter with these parameters.
        """
        validate_parameters(self)
        state = getattr(self, "_state", None)
        if initial_state is not None:
            state = copy_state(initial_state)
            for name, value in state.items():
                check_finite(np.abs(value).reshape(-1, 1), name=f"initial_state[{name!r}]")
        if state is not None:
            self._refuse_other_state(state)
        return FilterStream(clone(self), state)

    def reset(self) -> Self:
        """Forget weights, delay line and everything else that was fitted."""
        for name in [n for n in vars(self) if n.endswith("_") and not n.startswith("__")]:
            delattr(self, name)
        for name in ("_state", "_target_form"):
            if name in vars(self):
                delattr(self, name)
        return self

    def clear_history(self) -> Self:
        """Empty the delay line and keep the weights: the next sample begins a new series."""
        if hasattr(self, "_state"):
            self._empty_delay_line(self._state)
        return self

    def _empty_delay_line(self, state: State) -> None:
        """Begin a new series. A filter that remembers more of the last rows extends this."""
        state["history"] = np.zeros_like(state["history"])

    def _fitted_at(self, state: State | None) -> Self:
        """A clone, fitted as a session left `state`; not fitted for None."""
        fitted = clone(self)
        if state is not None:
            fitted.n_features_in_ = state["history"].shape[1]
            fitted._target_form = TargetForm(1 if state["weights"].shape[0] == 1 else 2)
            fitted._publish(copy_state(state))
        return fitted

    # ---- what both stand on -------------------------------------------------------------------

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

    def _refuse_other_state(self, state: State, dtype: np.dtype | None = None) -> State:
        """Raise unless `state` has the entries of a new one, which is returned.

        The kernels read where the parameters say, so a state of other sizes must not reach them.
        """
        try:
            n_outputs, (_, n_channels) = len(state["weights"]), state["history"].shape
        except (KeyError, TypeError, ValueError) as error:
            kind = type(self).__name__
            raise ValueError(f"this is not a state of a {kind}: {error!r}.") from None
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
    ) -> tuple[np.ndarray, np.ndarray]:
        """Move `state` on over one stretch; return a-priori output and stored weights.

        The entries of the dict are replaced, their arrays stay as they are.
        """
        mask = np.empty(0, dtype=bool) if mask is None else mask
        targets = targets.astype(state["weights"].dtype, copy=False)
        output = np.empty(targets.shape, dtype=targets.dtype)
        n, every = rows.shape[0], self.store_weights
        stored, start = [], 0
        while start < n:
            seen = int(state["n_samples_seen"])
            stop = min(n, start + every - seen % every) if every else n
            part = slice(start, stop)
            self._advance_part(state, rows[part], targets[part], mask[part], output[part])
            if every and int(state["n_samples_seen"]) % every == 0:
                stored.append(impulse_responses(state, self.n_taps))
            start = stop
        empty = np.empty((0, *impulse_responses(state, self.n_taps).shape), dtype=output.dtype)
        return output, np.stack(stored) if stored else empty

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

    def _report_divergence(
        self, step: int, rows: np.ndarray, history: np.ndarray, must_raise: bool
    ) -> None:
        if rows.shape[0] < self.n_taps:
            rows = np.concatenate([history, rows])
        message = (
            f"{type(self).__name__} diverged at time step {step} {self._divergence_advice(rows)}"
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

    def _publish(self, state: State) -> None:
        self._state = state
        self.coef_ = impulse_responses(state, self.n_taps)
        bias = state["intercept"]
        self.intercept_ = bias[0] if bias.size == 1 else bias.copy()
        self.n_samples_seen_ = int(state["n_samples_seen"])
