"""AdaptiveFilter: what all linear adaptive filters share, from validation to streams."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from ._recursion import AT_ONCE, Recursion
from ._state import State, check_state, copy_state, impulse_responses
from ._stream import FilterStream
from .timeseries._mixins import SeriesRegressorMixin
from .timeseries._sklearn_private import validate_parameters
from .timeseries._validation import (
    TargetForm,
    all_or_nothing,
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

    Examples
    --------
    >>> import numpy as np
    >>> from filters import NLMSFilter
    >>> x = np.ones(3)
    >>> result = NLMSFilter(1, store_weights=1, regularization=0.0).adapt(x, 2 * x)
    >>> result.error, result.weights.ravel()
    (array([2. , 1. , 0.5]), array([1.  , 1.5 , 1.75]))
    """

    output: np.ndarray
    error: np.ndarray
    weights: np.ndarray | None


class AdaptiveFilter(SeriesRegressorMixin, Recursion, BaseEstimator):
    """Base of the filters: a delay line whose weights are learned sample by sample.

    What a subclass provides is said in `Recursion`.
    """

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
            If the weights left the finite numbers, or at the end answer most of the rows beyond
            1 / eps times the largest desired value, and ``on_divergence="raise"``; after an error
            the filter is as it was before the call.
        """
        with all_or_nothing(self):
            return self._learn(X, y, groups, reset=True, whole=True)

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

    def _learn(self, X: Any, y: Any, groups: Any, *, reset: bool, whole: bool = False) -> Self:
        validate_parameters(self)
        data = check_series(self, X, y, reset=reset, target="numeric", groups=groups)
        state = None if reset else self._state
        state = self._ready_state(state, data.rows, data.targets)
        self._warn_of_step(data.rows)
        stored = []
        for a, b in data.stacked.spans():
            if data.stacked.bounded:
                self._empty_delay_line(state)
            _, kept = self._advance(state, data.rows[a:b], data.targets[a:b], answers=False)
            stored.append(kept)
        if data.stacked.bounded:
            self._empty_delay_line(state)
        if whole:
            self._judge(state, data.rows, data.targets)
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
            for start in range(a, b, AT_ONCE):
                part = slice(start, min(start + AT_ONCE, b))
                z, history = with_history(rows[part], history)
                self._frozen_output(self._state, z, output[part])
            lines[i] = history.ravel()
        self._refuse_infinite(output)
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
        if hasattr(self, "_state"):
            self._refuse_other_state(self._state)
        return self._adapt(x, d, update_mask)

    def _adapt(self, x: Any, d: Any, update_mask: Any) -> AdaptResult:
        """`adapt` with parameters that have not changed: a readout learns row after row."""
        rows, targets = check_signal(x, "x"), check_signal(d, "d")
        if rows.shape[0] != targets.shape[0]:
            raise ValueError(f"x has {rows.shape[0]} samples, d has {targets.shape[0]}.")
        mask = check_mask(update_mask, rows.shape[0])
        state = self._state_for(getattr(self, "_state", None), rows, targets)
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
            state = check_state(initial_state)
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

    def _fitted_at(self, state: State | None) -> Self:
        """A clone, fitted as a session left `state`; not fitted for None."""
        fitted = clone(self)
        if state is not None:
            fitted.n_features_in_ = state["history"].shape[1]
            fitted._target_form = TargetForm(1 if state["weights"].shape[0] == 1 else 2)
            fitted._publish(copy_state(state))
        return fitted

    def _publish(self, state: State) -> None:
        self._state = state
        self.coef_ = impulse_responses(state, self.n_taps)
        bias = state["intercept"]
        self.intercept_ = bias[0] if bias.size == 1 else bias.copy()
        self.n_samples_seen_ = int(state["n_samples_seen"])
