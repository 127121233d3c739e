"""What all gradient-trained networks share: parameters, training, the way in and out of weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import caller_level
from filters.timeseries._numbers import naming
from filters.timeseries._sklearn_private import (
    Interval,
    StrOptions,
    non_negative,
    positive,
    positive_int,
    validate_parameters,
)

from ..topologies import NAMED
from ._cells import State
from ._initialization import RECURRENT_INITS
from ._losses import LOSSES
from ._monitor import Monitor
from ._names import PARTS
from ._network import CELLS, Network
from ._optimizers import OPTIMIZERS, SGD, Optimizer
from ._training import Task, Trainer

_LONG_SERIES = 2000  # rows of full back-propagation through time beyond which `fit` warns


class RecurrentNetwork(BaseEstimator):
    """Base of the gradient-trained recurrent networks.

    A subclass validates its data, makes a `Task` of it and says how answers leave.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [StrOptions(set(CELLS))],
        "hidden_sizes": ["array-like", positive_int()],
        "head_sizes": ["array-like", positive_int()],
        "bidirectional": ["boolean"],
        "skip_connections": ["boolean"],
        "activation": [StrOptions({"tanh", "relu"})],
        "recurrent_init": [StrOptions({*RECURRENT_INITS, *NAMED}), callable],
        "spectral_radius": [non_negative(), None],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [positive()],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
        "batch_size": [positive_int()],
        "bptt_steps": [positive_int(), None],
        "clip_norm": [positive(), None],
        "l1": [non_negative()],
        "l2": [non_negative()],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [non_negative(), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [positive_int()],
        "warm_start": ["boolean"],
        "initial_weights": [dict, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _loss: ClassVar[str]

    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    gradient_norms_: list[float]
    _optimizer: Optimizer
    _rng: np.random.RandomState

    def __init__(
        self,
        cell: str = "lstm",
        hidden_sizes: Sequence[int] | int = (100,),
        *,
        head_sizes: Sequence[int] | int = (),
        bidirectional: bool = False,
        skip_connections: bool = False,
        activation: str = "tanh",
        recurrent_init: str | Callable[..., Any] = "orthogonal",
        spectral_radius: float | None = None,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        batch_size: int = 32,
        bptt_steps: int | None = None,
        clip_norm: float | None = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        max_iter: int = 200,
        tol: float | None = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        initial_weights: Mapping[str, Any] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.hidden_sizes = hidden_sizes
        self.head_sizes = head_sizes
        self.bidirectional = bidirectional
        self.skip_connections = skip_connections
        self.activation = activation
        self.recurrent_init = recurrent_init
        self.spectral_radius = spectral_radius
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size
        self.bptt_steps = bptt_steps
        self.clip_norm = clip_norm
        self.l1 = l1
        self.l2 = l2
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.initial_weights = initial_weights
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _is_trained(self) -> bool:
        return hasattr(self, "output_weights_")

    def _check_parameters(self) -> None:
        validate_parameters(self)
        sizes = self._hidden_sizes
        if not sizes or not _are_sizes(sizes):
            raise ValueError(
                f"hidden_sizes must hold at least one positive int, one a layer; got "
                f"{self.hidden_sizes!r}."
            )
        if not _are_sizes(self._head_sizes):
            raise ValueError(
                f"head_sizes must hold positive ints, one a dense layer; got {self.head_sizes!r}."
            )
        if self.activation != "tanh" and self.cell not in ("elman", "jordan"):
            raise ValueError(
                f"activation={self.activation!r} is for cell='elman' and 'jordan'; the gates of "
                f"cell={self.cell!r} are sigmoid and tanh. Leave activation at 'tanh'."
            )
        if self.cell == "jordan" and (len(sizes) > 1 or self.bidirectional):
            raise ValueError(
                f"cell='jordan' has one layer and one direction, since the output of the network "
                f"is what recurs; got hidden_sizes={self.hidden_sizes!r} and "
                f"bidirectional={self.bidirectional}. Use cell='elman' for more."
            )
        if self.bidirectional and self.bptt_steps is not None:
            raise ValueError(
                f"bptt_steps={self.bptt_steps} cuts a series where its backward direction has not "
                "begun; with bidirectional=True leave it at None."
            )
        if self.optimizer != "sgd" and (self.momentum or self.nesterov):
            raise ValueError(
                f"momentum={self.momentum} and nesterov={self.nesterov} belong to optimizer='sgd', "
                f"not to {self.optimizer!r}."
            )
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=True needs momentum > 0, 0.9 for example.")

    @property
    def _hidden_sizes(self) -> tuple[int, ...]:
        return _as_sizes(self.hidden_sizes)

    @property
    def _head_sizes(self) -> tuple[int, ...]:
        return _as_sizes(self.head_sizes)

    def _network(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> Network:
        return Network(
            self.cell,
            self._hidden_sizes,
            n_inputs,
            n_outputs,
            dtype,
            relu=self.activation == "relu",
            head_sizes=self._head_sizes,
            bidirectional=self.bidirectional,
            skip_connections=self.skip_connections,
            softmax=self._loss == "negative_log_likelihood",
        )

    def _current_network(self, n_inputs: int, dtype: np.dtype) -> Network:
        """The network with the public weights, in `dtype`."""
        check_is_fitted(self)
        network = self._network(n_inputs, self.output_weights_.shape[0], dtype)
        given = {part: getattr(self, f"{part}_") for part in PARTS if hasattr(self, f"{part}_")}
        network.load(given, "the fitted parameters")
        return network

    def _task(self, sequences: Any, targets: np.ndarray, weights: np.ndarray | None) -> Task:
        if weights is None:
            weights = np.ones(targets.shape[0])
        if not (weights > 0).any():
            raise ValueError(
                "All sample weights are zero where there are targets: nothing to learn."
            )
        return Task(sequences, targets, weights, LOSSES[self._loss], self.l1, self.l2)

    def _train(
        self,
        task: Task,
        n_outputs: int,
        *,
        epochs: int,
        fresh: bool,
        shuffle: bool,
        validation: Task | None = None,
        state: list[State] | None = None,
    ) -> list[State] | None:
        """Train and publish; return the state after the last row of the last epoch."""
        self._warn_if_long(int(task.sequences.lengths.max()))
        name = type(self).__name__
        trainer = Trainer(
            *self._start(task.sequences.rows, n_outputs, fresh),
            name,
            self.learning_rate,
            self.batch_size,
            self.bptt_steps,
            self.clip_norm,
        )
        monitor = Monitor(name, epochs, self.tol, self.n_iter_no_change, self.verbose)
        rng = self._rng if shuffle else None
        trainer.run(task, monitor, rng, validation=validation, state=state)
        self._publish(trainer, monitor, fresh)
        return trainer.state

    def _start(self, rows: np.ndarray, n_outputs: int, fresh: bool) -> tuple[Network, Optimizer]:
        """The network and optimizer to train: new ones, or those of the last call."""
        if not fresh:
            network = self._current_network(rows.shape[1], self.output_weights_.dtype)
            return network, self._new_optimizer(network, self._optimizer)
        self._rng = check_random_state(self.random_state)
        network = self._network(rows.shape[1], n_outputs, rows.dtype)
        if self.initial_weights is None:
            network.draw(self._rng, self.recurrent_init, self.spectral_radius)
        else:
            network.load(self.initial_weights)
        return network, self._new_optimizer(network)

    def _new_optimizer(self, network: Network, before: Optimizer | None = None) -> Optimizer:
        """An optimizer as the parameters say, with the memory of `before` if it is of a kind."""
        size, dtype = network.parameters.size, network.dtype
        if self.optimizer == "sgd":
            optimizer: Optimizer = SGD(size, dtype, self.momentum, self.nesterov)
        else:
            optimizer = OPTIMIZERS[self.optimizer](size, dtype)
        if type(before) is type(optimizer):
            optimizer.memory = {k: np.copy(v) for k, v in before.memory.items()}
        return optimizer

    def _publish(self, trainer: Trainer, monitor: Monitor, fresh: bool) -> None:
        """Set the fitted attributes; curves go on where training did."""
        network = trainer.network
        for part in PARTS:
            self.__dict__.pop(f"{part}_", None)  # those of a head that is no longer there
        for key, value in network.public(network.parameters).items():
            setattr(self, f"{key}_", value)
        before = {} if fresh else vars(self)
        for key, values in (
            ("loss_curve_", monitor.losses),
            ("gradient_norms_", trainer.gradient_norms),
            ("validation_loss_curve_", monitor.validation_losses),
        ):
            setattr(self, key, [*before.get(key, []), *values])
        if not self.validation_loss_curve_:
            del self.validation_loss_curve_
        self.n_iter_ = len(self.loss_curve_)
        self._optimizer = trainer.optimizer

    def _warn_if_long(self, longest: int) -> None:
        if self.bptt_steps is None and longest > _LONG_SERIES:
            strands = ", or n_strands to cut it into pieces" if hasattr(self, "n_strands") else ""
            warnings.warn(
                f"{type(self).__name__} back-propagates through {longest} rows at once and takes "
                f"one step for all of them: slow, and memory grows with them. Set bptt_steps (50 "
                f"to 200) to train in windows{strands}.",
                UserWarning,
                stacklevel=caller_level(),
            )

    def _gradients(self, task: Task) -> tuple[float, dict[str, Any]]:
        """Loss and gradients at the current weights, all series one batch, in the dtype of X."""
        rows = task.sequences.rows
        network = self._current_network(rows.shape[1], rows.dtype)
        loss = task.loss_and_gradient(network, self.bptt_steps)
        return loss, network.public(network.gradient)


def _as_sizes(given: Any) -> tuple[Any, ...]:
    with naming("hidden_sizes", "head_sizes"):
        return (int(given),) if isinstance(given, int | np.integer) else tuple(given)


def _are_sizes(sizes: Sequence[Any]) -> bool:
    return all(isinstance(n, int | np.integer) and n >= 1 for n in sizes)
