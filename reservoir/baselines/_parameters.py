"""The parameters that all gradient-trained networks share, and the network they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from filters.timeseries._numbers import naming
from filters.timeseries._sklearn_private import (
    StrOptions,
    finite,
    non_negative,
    positive,
    positive_int,
    unit_interval,
    validate_parameters,
)

from ..topologies import NAMED
from ._initialization import RECURRENT_INITS
from ._names import PARTS
from ._network import CELLS, Network
from ._optimizers import OPTIMIZERS
from ._schedules import SCHEDULES


class NetworkParameters(BaseEstimator):
    """Base of the networks: constructor, checks, and what to build.

    A subclass has a `_loss`, the name of one of `LOSSES`.
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
        "forget_bias": [finite(), StrOptions({"chrono"})],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [positive()],
        "learning_rate_schedule": [StrOptions(set(SCHEDULES)), callable],
        "learning_rate_decay": [positive()],
        "momentum": [unit_interval("left")],
        "nesterov": ["boolean"],
        "batch_size": [positive_int()],
        "bptt_steps": [positive_int(), None],
        "clip_norm": [positive(), None],
        "l1": [non_negative()],
        "l2": [non_negative()],
        "max_iter": [positive_int(0)],
        "tol": [non_negative(), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [unit_interval("neither")],
        "n_iter_no_change": [positive_int()],
        "warm_start": ["boolean"],
        "initial_weights": [dict, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _loss: str
    _parts: ClassVar[tuple[str, ...]] = PARTS

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
        forget_bias: float | str = 1.0,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: str | Callable[[int], float] = "constant",
        learning_rate_decay: float = 0.1,
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
        self.forget_bias = forget_bias
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.learning_rate_decay = learning_rate_decay
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
        chrono = isinstance(self.forget_bias, str)
        if self.forget_bias != 1.0 and not _has_gate(self.cell, chrono):
            raise ValueError(
                f"forget_bias={self.forget_bias!r} is for cell='lstm' and 'peephole_lstm', "
                f"'chrono' for 'gru', too; cell={self.cell!r} has no such gate. Leave it at 1.0."
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

    def _network(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> Any:
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


def _as_sizes(given: Any) -> tuple[Any, ...]:
    with naming("hidden_sizes", "head_sizes"):
        return (int(given),) if isinstance(given, int | np.integer) else tuple(given)


def _has_gate(cell: str, chrono: bool) -> bool:
    kind = CELLS[cell]
    return (kind.input_gate if chrono else kind.forget_gate) is not None


def _are_sizes(sizes: Sequence[Any]) -> bool:
    return all(isinstance(n, int | np.integer) and n >= 1 for n in sizes)
