"""ESNRegressor and ESNClassifier: memory models with the reservoir's parameters spelled out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._sequences import holds_series
from filters.timeseries._validation import check_series

from ._echo_state import EchoState
from ._memory import MemoryClassifier, MemoryRegressor


class ESNRegressor(EchoState, MemoryRegressor):
    """Predict a value a time step with an echo state network.

    .. math:: x(t) = s\\, O x(t-1) + a f(W x(t-1) + W_{in} u(t) + W_{fb} y(t-1) + b), \\quad
              \\hat y(t) = c + B\\, [x(t), u(t)]

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, noise, dtype, n_strands
        The memory's; see `Reservoir`.
    feedback_scaling : float, default=0.0
        Multiplies feedback weights drawn on [-1, 1]; 0 is no feedback. The true y(t-1) is fed in
        `fit`, the model's own in `predict`; of several layers, the first one takes it.
    feedback_weights : array-like of shape (n_units, n_outputs), default=None
        Multiplied by `feedback_scaling`; None draws them. (Of several layers, the first one's.)
    feedback_noise : float, default=0.0
        Standard deviation of Gaussian noise added to the y(t-1) that are fed in `fit`: the network
        learns to bear the errors of its own outputs. In the units of `y`.
    teacher_forcing : bool, default=True
        False feeds back the model's own output in `fit` too, before it learns from the row: with
        ``readout=RLSFilter()`` that is FORCE learning. Online readouts only; row by row, about
        0.1 ms each with 100 units and 0.2 with 300.
    alpha : float, default=1e-6
        L2 penalty of the ridge readout.
    solver : {"cholesky", "qr"}, default="cholesky"
        Of the ridge readout, as in `MemoryRegressor`: "qr" keeps the digits of noise-free series.
    fit_intercept : bool, default=True
    include_input : bool, default=True
        Offer the input row to the readout beside the states.
    readout : estimator, default=None
        As in `MemoryRegressor`.
    washout : int, default=0
        First rows of each series left out of the fit.
    n_jobs : int, default=None
        Threads that run independent series of one `predict`; the numbers are the same.
    random_state : int, RandomState or None, default=None
    verbose : int, default=0
        1 reports the progress of `fit` on standard error about every second.

    Attributes
    ----------
    reservoir_ : Reservoir
        The fitted memory. With feedback, the last n_outputs columns of its `input_weights_` (of
        several layers, of the first one's) are the feedback weights.
    coef_ : ndarray of shape (n_columns,) or (n_outputs, n_columns)
        Columns: n_units states (the first layer's first), then n_features inputs if included.
    intercept_ : float or ndarray of shape (n_outputs,)
    condition_number_, effective_degrees_of_freedom_, a_priori_mse_ : float
        As in `MemoryRegressor`.
    n_features_in_ : int

    Raises
    ------
    ValueError
        As `Reservoir` and `MemoryRegressor`.

    Notes
    -----
    With feedback a state is [x, y(t-1)]. NaN in `y`: unlabelled row (it feeds back a zero).

    The defaults are the textbook's network, not a good setting: of 54 settings on six standardised
    tasks (examples/benchmarks/esn_defaults.py) they came 51st. ``leak_rate=0.6,
    input_scaling=0.5, bias_scaling=0.5`` came first and is where to begin.
    Free runs and feedback are compiled loops, of several layers too; a readout that is not linear
    goes row by row.

    References
    ----------
    H. Jaeger, The echo state approach, GMD Report 148 (2001).
    M. Lukosevicius, A practical guide to applying echo state networks (2012).
    D. Sussillo, L. F. Abbott, Generating coherent patterns of activity from chaotic neural
    networks, Neuron 63 (2009), 544-557, eq. 2-5 (FORCE).

    Examples
    --------
    >>> from reservoir import ESNRegressor
    >>> from reservoir.datasets import narma
    >>> X, y = narma(2000, random_state=0)
    >>> model = ESNRegressor(200, input_scaling=0.5, random_state=0).fit(X[:1500], y[:1500])
    >>> bool(model.score(X[1500:], y[1500:]) > 0.8)
    True
    """

    def _close_loop(self, outputs: np.ndarray, state: np.ndarray, exog: np.ndarray) -> int:
        linear = self._readout.linear
        if self._n_feedback or linear is None:
            return super()._close_loop(outputs, state, exog)
        n_visible = self.n_features_in_ if self.include_input else 0
        inputs = np.concatenate([np.zeros_like(outputs[1:]), exog], axis=1)
        run, _, bad = self.memory_._run_closed(*linear, inputs, 0, n_visible, outputs[0], state)
        outputs[1:] = run
        return bad + 1 if bad >= 0 else -1

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        initial_state: Any = None,
        return_state: bool = False,
        y_context: Any = None,
    ) -> Any:
        """Predict every row; every series starts from `initial_state`.

        Parameters
        ----------
        X, groups, initial_state, return_state
            As in `MemoryRegressor.predict`.
        y_context : array-like of shape (n_known,) or (n_known, n_outputs), default=None
            With feedback and one series: known targets of the first rows, fed back there in place
            of the model's own outputs.

        Returns
        -------
        y : container of X; (n_timesteps,) or (n_timesteps, n_outputs) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.

        Raises
        ------
        ValueError
            For `y_context` without feedback, beside several series, or of another shape than the
            first rows of `y`.
        """
        if y_context is None:
            return super().predict(
                X, groups=groups, initial_state=initial_state, return_state=return_state
            )
        check_is_fitted(self, "memory_")
        if not self._n_feedback:
            raise ValueError("y_context goes with feedback_scaling > 0 only.")
        if holds_series(X) or groups is not None:
            raise ValueError("y_context needs one 2-D series without groups.")
        known = np.asarray(y_context, dtype=self._dtype)
        known = known[:, np.newaxis] if known.ndim == 1 else known
        fits = known.ndim == 2 and known.shape[1] == self._n_feedback
        if not (fits and 0 < known.shape[0] < len(X) and np.isfinite(known).all()):
            raise ValueError(
                f"y_context must hold the {self._n_feedback} output(s) of the first rows, finite, "
                f"of fewer rows than the {len(X)} of X; got shape {known.shape}."
            )
        head, tail = X[: known.shape[0]], X[known.shape[0] :]
        data = check_series(self, head, reset=False)
        start = self._initial_states(initial_state, 1)[0]
        columns, state = self._drive(data.rows, start, teacher=known)
        first = self._target_form.restore(data.stacked, self._readout.predict(columns))
        rest, state = super().predict(tail, initial_state=state, return_state=True)
        answer = np.concatenate([first, rest])
        return (answer, state) if return_state else answer


class ESNClassifier(EchoState, MemoryClassifier):
    """Predict a label a time step with an echo state network.

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, noise, dtype, n_strands
        The memory's; see `Reservoir`.
    feedback_scaling, teacher_forcing
        As in `ESNRegressor`; one-hot labels are fed in `fit`, scores in `predict`.
    feedback_weights, feedback_noise
        As in `ESNRegressor`, one output a class.
    alpha, solver, fit_intercept, include_input, readout, washout, n_jobs, random_state, verbose
        As in `ESNRegressor`; the readout as in `MemoryClassifier`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    reservoir_, coef_, intercept_, n_features_in_
        As in `ESNRegressor`, one output a class.

    Raises
    ------
    ValueError
        As `Reservoir` and `MemoryClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import ESNClassifier
    >>> x = np.random.default_rng(0).standard_normal((500, 1))
    >>> rises = x[1:, 0] > x[:-1, 0]
    >>> bool(ESNClassifier(100, random_state=0).fit(x[1:], rises).score(x[1:], rises) > 0.9)
    True
    """
