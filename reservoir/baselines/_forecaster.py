"""RNNForecaster: a series predicts its own next values through a trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from .._series_forecaster import SeriesForecaster
from ._regressor import RNNRegressor

_SHARED = [
    name for name in RNNRegressor._get_param_names() if name not in ("bidirectional", "warm_start")
]


class RNNForecaster(SeriesForecaster):
    """Forecast a series (one or several columns) by running a trained recurrent network freely.

    Parameters
    ----------
    cell, hidden_sizes, head_sizes, skip_connections, activation, recurrent_init, \
spectral_radius, forget_bias, optimizer, learning_rate, learning_rate_schedule, \
learning_rate_decay, momentum, nesterov, batch_size, bptt_steps, bptt_stride, n_strands, \
teacher_forcing, clip_norm, l1, l2, max_iter, tol, early_stopping, validation_fraction, \
n_iter_no_change, initial_weights, random_state, verbose
        Of the network that learns x(t+1) from the rows up to t; see `RNNRegressor`.
    transformer, difference, horizon
        As in `ESNForecaster`.

    Attributes
    ----------
    estimator_ : RNNRegressor
        Has the weights and the learning curves.
    transformer_ : transformer or None
    n_features_in_ : int
        Columns of the series.

    Raises
    ------
    ValueError
        For series of fewer than two rows, NaN or infinity, or an index that cannot be continued.
    DivergenceError
        When training or a free run leaves the finite numbers.

    Notes
    -----
    The methods are those of `ESNForecaster`. Training sees true rows only (teacher forcing), so a
    free run is more than was trained for: watch `score` or `backtest`, not the loss.

    References
    ----------
    R. J. Williams, D. Zipser, A learning algorithm for continually running fully recurrent neural
    networks, Neural Computation 1(2), 1989 (teacher forcing).

    Examples
    --------
    >>> from reservoir.baselines import RNNForecaster
    >>> from reservoir.datasets import mso
    >>> net = RNNForecaster("gru", (16,), learning_rate=0.01, bptt_steps=50, random_state=0)
    >>> net.fit(mso(600)).forecast(5).shape
    (5, 1)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{name: RNNRegressor._parameter_constraints[name] for name in _SHARED},
        **SeriesForecaster._parameter_constraints,
    }

    def __init__(
        self,
        cell: str = "lstm",
        hidden_sizes: Sequence[int] | int = (100,),
        *,
        head_sizes: Sequence[int] | int = (),
        skip_connections: bool = False,
        activation: str = "tanh",
        recurrent_init: str | Callable[..., Any] = "orthogonal",
        spectral_radius: float | None = None,
        forget_bias: float | str = 1.0,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: str | Callable[[int], float] = "constant",
        learning_rate_decay: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        batch_size: int = 32,
        bptt_steps: int | None = None,
        bptt_stride: int | None = None,
        n_strands: int = 1,
        teacher_forcing: bool | float | Callable[[int], float] = False,
        clip_norm: float | None = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        max_iter: int = 200,
        tol: float | None = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        initial_weights: Mapping[str, Any] | None = None,
        random_state: Any = None,
        verbose: int = 0,
        transformer: Any = None,
        difference: bool = False,
        horizon: int = 1,
    ) -> None:
        self.cell = cell
        self.hidden_sizes = hidden_sizes
        self.head_sizes = head_sizes
        self.skip_connections = skip_connections
        self.activation = activation
        self.recurrent_init = recurrent_init
        self.spectral_radius = spectral_radius
        self.forget_bias = forget_bias
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.learning_rate_decay = learning_rate_decay
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size
        self.bptt_steps = bptt_steps
        self.bptt_stride = bptt_stride
        self.n_strands = n_strands
        self.teacher_forcing = teacher_forcing
        self.clip_norm = clip_norm
        self.l1 = l1
        self.l2 = l2
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.initial_weights = initial_weights
        self.random_state = random_state
        self.verbose = verbose
        self.transformer = transformer
        self.difference = difference
        self.horizon = horizon

    def _new_estimator(self) -> RNNRegressor:
        return RNNRegressor(**{name: getattr(self, name) for name in _SHARED})
