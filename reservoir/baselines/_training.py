"""The training loop: epochs over batches over windows, one optimizer step a window."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from filters.timeseries import DivergenceError
from filters.timeseries._errors import caller_level

from .._blas import thread_pools
from ._cells import State
from ._losses import Loss
from ._monitor import Monitor
from ._network import Network
from ._optimizers import Optimizer
from ._windows import Sequences

Step = tuple[float, float, list[State] | None]


class Model(Protocol):
    """What is trained: its parameters and their gradient, flat."""

    parameters: np.ndarray
    gradient: np.ndarray
    penalised: np.ndarray


class Learnable(Protocol):
    """What is learned."""

    @property
    def n_series(self) -> int: ...

    @property
    def n_inputs(self) -> int: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def longest(self) -> int: ...

    def steps(
        self,
        model: Any,
        order: np.ndarray,
        batch_size: int,
        bptt_steps: int | None,
        state: list[State] | None,
    ) -> Iterator[Step]:
        """Leave the gradient of one optimizer step after the other in ``model.gradient``.

        Yields the sum of weights, the loss without penalties, and the state carried on.
        """
        ...

    def mean_loss(self, model: Any, batch_size: int) -> float:
        """Loss without penalties."""
        ...


@dataclass(frozen=True)
class Penalty:
    """l1 |w| + l2 / 2 |w|^2 over all but biases."""

    l1: float = 0.0
    l2: float = 0.0

    def add_to(self, model: Model) -> float:
        """The value; its gradient is added to the model's."""
        value = 0.0
        if self.l1:
            kept = model.parameters * model.penalised
            value += self.l1 * float(np.sum(np.abs(kept), dtype=np.float64))
            model.gradient += self.l1 * np.sign(kept)
        if self.l2:
            kept = model.parameters * model.penalised
            value += 0.5 * self.l2 * float(np.sum(np.square(kept, dtype=np.float64)))
            model.gradient += self.l2 * kept
        return value


@dataclass(frozen=True)
class Task:
    """Series, targets of their rows or of themselves, and how they are scored.

    Attributes
    ----------
    sequences : Sequences
    targets : ndarray
        One entry a row, or one a series.
    weights : ndarray of float64, same first axis
        Zero where there is no target.
    loss : Loss
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    loss: Loss

    @property
    def n_series(self) -> int:
        return self.sequences.n_series

    @property
    def n_inputs(self) -> int:
        return self.sequences.rows.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self.sequences.rows.dtype

    @property
    def longest(self) -> int:
        """Rows of the longest strand."""
        return int(self.sequences.lengths.max())

    def loss_and_gradient(self, network: Network, bptt_steps: int | None) -> float:
        """Loss of all series as one batch; its gradient is left in ``network.gradient``."""
        network.gradient.fill(0.0)
        total = float(self.weights.sum())
        value, state = 0.0, None
        strands = np.arange(self.sequences.lengths.size)
        for window in self.sequences.windows(strands, bptt_steps, self.weights > 0):
            state = network.forward(window, state)
            places = window.places
            part, error = self.loss(
                network.read(window), self.targets[places], self.weights[places], total
            )
            network.backward(window, error)
            value += part
        return value

    def steps(
        self,
        network: Network,
        order: np.ndarray,
        batch_size: int,
        bptt_steps: int | None,
        state: list[State] | None,
    ) -> Iterator[Step]:
        """A step a window in which there is something to learn; see `Learnable`."""
        wanted = self.weights > 0
        for strands in self.sequences.batches(order, batch_size):
            carried = state
            for window in self.sequences.windows(strands, bptt_steps, wanted):
                carried = network.forward(window, carried)
                weights = self.weights[window.places]
                share = float(weights.sum())
                if share > 0.0:
                    outputs = network.read(window)
                    value, error = self.loss(outputs, self.targets[window.places], weights, share)
                    network.gradient.fill(0.0)
                    network.backward(window, error)
                else:
                    value = 0.0  # nothing to learn in this stretch; the state goes on
                yield share, value, carried

    def mean_loss(self, network: Network, batch_size: int) -> float:
        """Loss without penalties, forward only; memory bounded by a window and the outputs."""
        wanted = self.weights > 0
        outputs = network.outputs(self.sequences, wanted, batch_size)[wanted]
        weights = self.weights[wanted]
        return self.loss(outputs, self.targets[wanted], weights, float(weights.sum()))[0]


@dataclass
class Trainer:
    """Gradient descent on a task.

    Attributes
    ----------
    network : Network or another `Model`
    optimizer : Optimizer
    penalty : Penalty
    name : str
        The estimator, for messages.
    learning_rate : callable
        ``learning_rate(epoch) -> float``, epochs counted from 0.
    prepare : callable
        ``prepare(epoch)`` is called before each epoch.
    batch_size, bptt_steps, clip_norm :
        As the estimators take them.
    gradient_norms : list of float
        One a step, before clipping.
    state : list of State or None
        State after the last window of the last epoch.
    """

    network: Any
    optimizer: Optimizer
    penalty: Penalty
    name: str
    learning_rate: Callable[[int], float]
    prepare: Callable[[int], None]
    batch_size: int
    bptt_steps: int | None
    clip_norm: float | None
    gradient_norms: list[float] = field(default_factory=list)
    state: list[State] | None = None

    def run(
        self,
        task: Learnable,
        monitor: Monitor,
        rng: np.random.RandomState | None,
        *,
        validation: Learnable | None = None,
        state: list[State] | None = None,
    ) -> None:
        """Train until `monitor` has seen enough.

        Parameters
        ----------
        task : Learnable
        monitor : Monitor
        rng : RandomState or None
            Shuffles the series of every epoch; None takes them in order.
        validation : Learnable or None
            Where given, early stopping watches its loss and the best weights are put back.
        state : list of State or None
            Before the first row of the only series; None is zero.

        Raises
        ------
        DivergenceError
            When a loss or gradient is no longer finite.
        """
        best = None
        try:
            with thread_pools().limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
                for epoch in range(monitor.max_iter):
                    loss = self._epoch(task, epoch, rng, state)
                    watched = None
                    if validation is not None:
                        watched = validation.mean_loss(self.network, self.batch_size)
                    if monitor.update(loss, watched):
                        best = self.network.parameters.copy()
                    if monitor.stalled:
                        break
        except KeyboardInterrupt:
            done = len(monitor.losses)
            kept = "best weights so far are kept" if done else "first epoch was not finished"
            warnings.warn(
                f"{self.name}: training was interrupted after {done} of {monitor.max_iter} "
                f"epochs; the {kept}.",
                UserWarning,
                stacklevel=caller_level(),
            )
        else:
            best = None if validation is None else best
        if best is not None:
            self.network.parameters[:] = best

    def _epoch(
        self,
        task: Learnable,
        epoch: int,
        rng: np.random.RandomState | None,
        state: list[State] | None,
    ) -> float:
        order = np.arange(task.n_series)
        if rng is not None and order.size > self.batch_size:
            order = rng.permutation(order.size)
        learning_rate = self.learning_rate(epoch)
        self.prepare(epoch)
        total = summed = 0.0
        steps = task.steps(self.network, order, self.batch_size, self.bptt_steps, state)
        for share, value, self.state in steps:
            if share == 0.0:
                continue
            loss = value + self.penalty.add_to(self.network)
            self._step(loss, epoch, learning_rate)
            total += share
            summed += share * loss
        return summed / total

    def _step(self, loss: float, epoch: int, learning_rate: float) -> None:
        gradient = self.network.gradient
        norm = float(np.sqrt(np.sum(np.square(gradient, dtype=np.float64))))
        if not (np.isfinite(loss) and np.isfinite(norm)):
            self._raise_divergence(loss, norm, epoch, learning_rate)
        self.gradient_norms.append(norm)
        if self.clip_norm is not None and norm > self.clip_norm:
            gradient *= self.clip_norm / norm
        self.optimizer.step(self.network.parameters, gradient, learning_rate)

    def _raise_divergence(self, loss: float, norm: float, epoch: int, learning_rate: float) -> None:
        step = len(self.gradient_norms)
        what = f"the loss is {loss}"
        if np.isfinite(loss):
            what += f" but the norm of its gradient is {norm}"
        clipped = "" if self.clip_norm is not None else ", set clip_norm=1.0"
        raise DivergenceError(
            f"{self.name} diverged in epoch {epoch + 1} at optimizer step {step}: {what} with "
            f"learning_rate={learning_rate:g} and clip_norm={self.clip_norm}; both must stay "
            f"finite. Lower learning_rate{clipped}, or scale X and y to about unit size.",
            step=step,
        )
