"""What all gradient-trained networks share: training, and the way in and out of weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError, caller_level
from filters.timeseries._sklearn_private import input_names
from filters.timeseries._validation import SeriesData, all_or_nothing

from ._cells import State
from ._losses import LOSSES
from ._monitor import Monitor
from ._optimizers import OPTIMIZERS, SGD, Optimizer
from ._parameters import NetworkParameters
from ._schedules import factor
from ._training import Learnable, Penalty, Task, Trainer
from ._windows import Sequences

_LONG_SERIES = 2000  # rows of full back-propagation through time beyond which `fit` warns


@dataclass(frozen=True)
class Examples:
    """Validated series and what is to be learned from them.

    Attributes
    ----------
    data : SeriesData
    targets : ndarray
        As the loss takes them, one entry a row or one a series.
    weights : ndarray of float64, same first axis
        Zero where there is no target.
    n_outputs : int
    """

    data: SeriesData
    targets: np.ndarray
    weights: np.ndarray
    n_outputs: int


class RecurrentNetwork(TransformerMixin, NetworkParameters):
    """Base of the gradient-trained recurrent networks.

    A subclass validates its data (`_check_data`, `_examples`), cuts them into sequences
    (`_sequences`, `_split`) and says how answers leave. What is predicted, numbers or labels, is
    said by `NumberTargets` or `LabelTargets` beside it.
    """

    _row_wise: ClassVar[bool]

    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    gradient_norms_: list[float]
    _optimizer: Optimizer
    _rng: np.random.RandomState

    @property
    def _is_trained(self) -> bool:
        return hasattr(self, "output_weights_")

    def _current_network(self, n_inputs: int, dtype: np.dtype) -> Any:
        """The network with the public weights, in `dtype`."""
        check_is_fitted(self)
        network = self._network(n_inputs, self.output_weights_.shape[0], dtype)
        given = {
            part: getattr(self, f"{part}_") for part in self._parts if hasattr(self, f"{part}_")
        }
        network.load(given, "the fitted parameters")
        return network

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`."""
        sizes = self._hidden_sizes if self.skip_connections else self._hidden_sizes[-1:]
        return sum(sizes) * (2 if self.bidirectional else 1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names ``unit0, unit1, ...`` of the columns of `transform`."""
        check_is_fitted(self)
        input_names(self, input_features)
        return np.array([f"unit{i}" for i in range(self._n_features_out)], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # ---- training -----------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any = None) -> Self:
        """Train for `max_iter` epochs; a fit that fails leaves the estimator as it was."""
        self._check_parameters()
        fresh = not (self.warm_start and self._is_trained)
        with all_or_nothing(self):
            examples = self._examples(X, y, sample_weight, groups, fresh, None)
            validation = None
            if self.early_stopping:
                task, validation = self._split(examples)
            else:
                task = self._task(examples, training=True)
            state = self._train(
                task,
                examples.n_outputs,
                epochs=self.max_iter,
                fresh=fresh,
                shuffle=True,
                validation=validation,
            )
            self._end_training(examples.data, None if self.early_stopping else state)
        return self

    def _partial_fit(
        self, X: Any, y: Any, sample_weight: Any, groups: Any = None, classes: Any = None
    ) -> Self:
        """Train for one epoch, in order."""
        self._check_parameters()
        if self.early_stopping:
            raise ValueError("partial_fit has no early_stopping; set it to False, or use fit.")
        fresh = not self._is_trained
        with all_or_nothing(self):
            examples = self._examples(X, y, sample_weight, groups, fresh, classes)
            before = None if fresh else self._state_to_go_on_from(examples.data)
            state = self._train(
                self._task(examples, training=True),
                examples.n_outputs,
                epochs=1,
                fresh=fresh,
                shuffle=False,
                state=before,
            )
            self._end_training(examples.data, state, before is not None)
        return self

    def _loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any, groups: Any = None
    ) -> tuple[float, dict[str, Any]]:
        check_is_fitted(self)
        examples = self._examples(X, y, sample_weight, groups, False, None)
        rows = examples.data.rows
        network = self._current_network(rows.shape[1], rows.dtype)
        task = self._task(examples)
        self._prepare_epoch(task, self.n_iter_, np.random.RandomState(0))
        with np.errstate(over="ignore", invalid="ignore"):
            loss = task.loss_and_gradient(network, self.bptt_steps)
            loss += Penalty(self.l1, self.l2).add_to(network)
        if not (np.isfinite(loss) and np.isfinite(network.gradient).all()):
            raise ValueError(
                "the loss or its gradient leaves the finite numbers: X, y or the weights are too "
                "large. Scale them."
            )
        return loss, network.public(network.gradient)

    def _task(
        self,
        examples: Any,
        *,
        weights: np.ndarray | None = None,
        stops: np.ndarray | None = None,
        training: bool = False,
    ) -> Any:
        """What is learned: all of it, or what `weights` and the last rows `stops` leave."""
        weights = examples.weights if weights is None else weights
        if not (weights > 0).any():
            raise ValueError(
                "All sample weights are zero where there are targets: nothing to learn."
            )
        stops = examples.data.stacked.starts[1:] if stops is None else stops
        sequences = self._sequences(examples.data, stops, training=training)
        return Task(sequences, examples.targets, weights, LOSSES[self._loss])

    def _train(
        self,
        task: Learnable,
        n_outputs: int,
        *,
        epochs: int,
        fresh: bool,
        shuffle: bool,
        validation: Learnable | None = None,
        state: list[State] | None = None,
    ) -> list[State] | None:
        """Train and publish; return the state after the last row of the last epoch."""
        self._warn_if_long(task.longest)
        name = type(self).__name__
        before = 0 if fresh else self.n_iter_
        trainer = Trainer(
            *self._start(task, n_outputs, fresh),
            Penalty(self.l1, self.l2),
            name,
            lambda epoch: self._learning_rate_in(before + epoch),
            lambda epoch: self._prepare_epoch(task, before + epoch, self._rng),
            self.batch_size,
            self.bptt_steps,
            self.clip_norm,
        )
        monitor = Monitor(name, epochs, self.tol, self.n_iter_no_change, self.verbose)
        rng = self._rng if shuffle else None
        trainer.run(task, monitor, rng, validation=validation, state=state)
        self._publish(trainer, monitor, fresh)
        return trainer.state

    def _learning_rate_in(self, epoch: int) -> float:
        schedule, decay = self.learning_rate_schedule, self.learning_rate_decay
        return self.learning_rate * factor(schedule, decay, epoch, self.max_iter)

    def _start(self, task: Learnable, n_outputs: int, fresh: bool) -> tuple[Any, Optimizer]:
        """The network and optimizer to train: new ones, or those of the last call."""
        if not fresh:
            network = self._current_network(task.n_inputs, self.output_weights_.dtype)
            return network, self._new_optimizer(network, self._optimizer)
        self._rng = check_random_state(self.random_state)
        network = self._network(task.n_inputs, n_outputs, task.dtype)
        if self.initial_weights is None:
            longest = min(task.longest, self.bptt_steps or task.longest)
            init, radius = self.recurrent_init, self.spectral_radius
            network.draw(self._rng, init, radius, self.forget_bias, longest)
        else:
            network.load(self.initial_weights)
        return network, self._new_optimizer(network)

    def _new_optimizer(self, network: Any, before: Optimizer | None = None) -> Optimizer:
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
        for part in self._parts:
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
        if self.bptt_steps is not None or longest <= _LONG_SERIES:
            return
        remedy = "Cut or subsample them"
        if "bptt_steps" in self.get_params(deep=False):
            strands = ", or n_strands to cut it into pieces" if hasattr(self, "n_strands") else ""
            remedy = f"Set bptt_steps (50 to 200) to train in windows{strands}"
        warnings.warn(
            f"{type(self).__name__} back-propagates through {longest} rows at once and takes one "
            f"step for all of them: slow, and memory grows with them. {remedy}.",
            UserWarning,
            stacklevel=caller_level(),
        )

    # ---- answering ----------------------------------------------------------------------------

    def _read(self, data: SeriesData, *, columns: bool = False) -> np.ndarray:
        """Outputs (or what they see) of every row, or of every case, from the zero state."""
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        sequences = self._sequences(data, data.stacked.starts[1:])
        n_read = data.rows.shape[0] if self._row_wise else data.stacked.n_series
        everywhere = np.ones(n_read, dtype=bool)
        with np.errstate(all="ignore"):
            answer = network.outputs(sequences, everywhere, self.batch_size, columns=columns)
        return self._require_finite(answer, "row" if self._row_wise else "case")

    def _require_finite(self, outputs: np.ndarray, entry: str, begin: int = 0) -> np.ndarray:
        """`outputs`, or a DivergenceError that says which `entry` of X has none."""
        finite = np.isfinite(outputs).all(axis=tuple(range(1, outputs.ndim)))
        if not finite.all():
            first = begin + int(np.argmin(finite))
            raise DivergenceError(
                f"{type(self).__name__} answers {entry} {first} with NaN or infinity: the {entry} "
                f"is too large, or too far from those of the fit, for {outputs.dtype} numbers.",
                first,
            )
        return outputs

    def _saliency(self, data: SeriesData, output: Any, step: Any) -> np.ndarray:
        """d output at `step` of every series / d rows, stacked; see `Network.input_gradient`."""
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        check_output(output, network.n_outputs)
        shortest = int(data.stacked.lengths.min())
        if not isinstance(step, int | np.integer) or not -shortest <= step < shortest:
            raise ValueError(
                f"step={step!r} must be a time step of every series, negative ones counted from "
                f"its end; the shortest has {shortest} time steps."
            )
        gradient = np.zeros_like(data.rows)
        for a, b in data.stacked.spans():
            at = int(step) % (b - a)
            stop = b if self._row_wise else a + at + 1
            gradient[a:stop] = network.input_gradient(
                data.rows[a:stop], int(output), at, row_wise=self._row_wise
            )
        return gradient

    # ---- what a subclass says -----------------------------------------------------------------

    def _check_data(self, X: Any) -> SeriesData:
        """Series to be answered, checked against those of the fit."""
        raise NotImplementedError

    def _examples(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, classes: Any
    ) -> Any:
        raise NotImplementedError

    def _sequences(
        self, data: SeriesData, stops: np.ndarray, *, training: bool = False
    ) -> Sequences:
        """The series up to their rows `stops`, in `training` cut as parameters say."""
        raise NotImplementedError

    def _split(self, examples: Any) -> tuple[Any, Any]:
        """Training and validation."""
        raise NotImplementedError

    def _prepare_epoch(self, task: Any, epoch: int, rng: np.random.RandomState) -> None:
        """Make `task` ready for an epoch, counted from 0 through warm starts."""

    def _state_to_go_on_from(self, data: SeriesData) -> list[State] | None:
        return None

    def _end_training(
        self, data: SeriesData, state: list[State] | None, going_on: bool = False
    ) -> None:
        """Note where training ended, for what goes on from there."""


def check_output(output: Any, n_outputs: int) -> None:
    """Raise a ValueError unless `output` is the number of one of the outputs."""
    if not isinstance(output, int | np.integer) or not 0 <= output < n_outputs:
        raise ValueError(
            f"output={output!r} must number one of the network's {n_outputs} output(s), the first "
            "being 0."
        )
