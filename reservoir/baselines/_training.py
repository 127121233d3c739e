"""The training loop: epochs over batches over windows, one optimizer step a window."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from filters.timeseries import DivergenceError
from filters.timeseries._errors import caller_level

from ._cells import State
from ._losses import Loss
from ._monitor import Monitor
from ._network import Network
from ._optimizers import Optimizer
from ._windows import Sequences


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library: once is enough


@dataclass(frozen=True)
class Task:
    """What is learned: series, targets, and how they are scored.

    Attributes
    ----------
    sequences : Sequences
    targets : ndarray
        One entry a row, or one a series.
    weights : ndarray of float64, same first axis
        Zero where there is no target.
    loss : Loss
    l1, l2 : float
        Penalties on everything but biases.
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    loss: Loss
    l1: float = 0.0
    l2: float = 0.0

    def penalty(self, network: Network) -> float:
        """l1 |w| + l2 / 2 |w|^2 over all but biases; its gradient is added to the network's."""
        value = 0.0
        if self.l1:
            kept = network.parameters * network.penalised
            value += self.l1 * float(np.sum(np.abs(kept), dtype=np.float64))
            network.gradient += self.l1 * np.sign(kept)
        if self.l2:
            kept = network.parameters * network.penalised
            value += 0.5 * self.l2 * float(np.sum(np.square(kept, dtype=np.float64)))
            network.gradient += self.l2 * kept
        return value

    def loss_and_gradient(self, network: Network, bptt_steps: int | None) -> float:
        """Loss of all series as one batch; the gradient is left in ``network.gradient``."""
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
        return value + self.penalty(network)

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
    network : Network
    optimizer : Optimizer
    name : str
        The estimator, for messages.
    learning_rate, batch_size, bptt_steps, clip_norm :
        As the estimators take them.
    gradient_norms : list of float
        One a step, before clipping.
    state : list of State or None
        State after the last window of the last epoch.
    """

    network: Network
    optimizer: Optimizer
    name: str
    learning_rate: float
    batch_size: int
    bptt_steps: int | None
    clip_norm: float | None
    gradient_norms: list[float] = field(default_factory=list)
    state: list[State] | None = None

    def run(
        self,
        task: Task,
        monitor: Monitor,
        rng: np.random.RandomState | None,
        *,
        validation: Task | None = None,
        state: list[State] | None = None,
    ) -> None:
        """Train until `monitor` has seen enough.

        Parameters
        ----------
        task : Task
        monitor : Monitor
        rng : RandomState or None
            Shuffles the series of every epoch; None takes them in order.
        validation : Task or None
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
            with _threadpools().limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
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
        task: Task,
        epoch: int,
        rng: np.random.RandomState | None,
        state: list[State] | None,
    ) -> float:
        sequences = task.sequences
        order = np.arange(sequences.n_series)
        if rng is not None and order.size > self.batch_size:
            order = rng.permutation(order.size)
        wanted = task.weights > 0
        total = summed = 0.0
        for strands in sequences.batches(order, self.batch_size):
            self.state = state
            for window in sequences.windows(strands, self.bptt_steps, wanted):
                self.state = self.network.forward(window, self.state)
                weights = task.weights[window.places]
                share = float(weights.sum())
                if share == 0.0:
                    continue  # nothing to learn in this stretch; the state goes on
                outputs = self.network.read(window)
                value, error = task.loss(outputs, task.targets[window.places], weights, share)
                self.network.gradient.fill(0.0)
                self.network.backward(window, error)
                value += task.penalty(self.network)
                self._step(value, epoch)
                total += share
                summed += share * value
        return summed / total

    def _step(self, loss: float, epoch: int) -> None:
        gradient = self.network.gradient
        norm = float(np.sqrt(np.sum(np.square(gradient, dtype=np.float64))))
        if not (np.isfinite(loss) and np.isfinite(norm)):
            self._raise_divergence(loss, norm, epoch)
        self.gradient_norms.append(norm)
        if self.clip_norm is not None and norm > self.clip_norm:
            gradient *= self.clip_norm / norm
        self.optimizer.step(self.network.parameters, gradient, self.learning_rate)

    def _raise_divergence(self, loss: float, norm: float, epoch: int) -> None:
        step = len(self.gradient_norms)
        what = f"the loss is {loss}"
        if np.isfinite(loss):
            what += f" but the norm of its gradient is {norm}"
        clipped = "" if self.clip_norm is not None else ", set clip_norm=1.0"
        raise DivergenceError(
            f"{self.name} diverged in epoch {epoch + 1} at optimizer step {step}: {what} with "
            f"learning_rate={self.learning_rate:g} and clip_norm={self.clip_norm}; both must stay "
            f"finite. Lower learning_rate{clipped}, or scale X and y to about unit size.",
            step=step,
        )
