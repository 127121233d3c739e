"""Elman and LSTM networks of torch, trained as ours are."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from .._networks import rnn_grid
from .._specs import Model, Params, Task, register_model


class TorchRegressor(BaseEstimator):
    """Recurrent network and linear output, truncated back-propagation on strands, Adam.

    Parameters
    ----------
    cell : {"elman", "lstm"}
    hidden_sizes : int
    max_iter : int
        Epochs.
    learning_rate, l2 : float
    bptt_steps, n_strands : int
        As in `reservoir.baselines.RNNRegressor`.
    random_state : int
    """

    def __init__(
        self,
        cell: str,
        hidden_sizes: int = 32,
        *,
        max_iter: int = 100,
        learning_rate: float = 1e-3,
        l2: float = 0.0,
        bptt_steps: int = 50,
        n_strands: int = 1,
        random_state: int = 0,
    ) -> None:
        self.cell, self.hidden_sizes, self.max_iter = cell, hidden_sizes, max_iter
        self.learning_rate, self.l2 = learning_rate, l2
        self.bptt_steps, self.n_strands, self.random_state = bptt_steps, n_strands, random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Train on windows of strands, the state carried on from window to window."""
        import torch

        X, y = np.asarray(X, np.float32), np.asarray(y, np.float32)
        self._shape = y.shape[1:]
        y = y.reshape(len(y), -1)
        optimizer = self._start(X.shape[1], y.shape[1])
        length = len(X) // self.n_strands
        rows = [slice(i * length, (i + 1) * length) for i in range(self.n_strands)]
        inputs, targets = (torch.from_numpy(np.stack([a[r] for r in rows])) for a in (X, y))
        for _ in range(self.max_iter):
            state = None
            for first in range(0, length, self.bptt_steps):
                window = slice(first, first + self.bptt_steps)
                columns, state = self.network_(inputs[:, window], state)
                loss = torch.mean((self.output_(columns) - targets[:, window]) ** 2)
                self._step(optimizer, loss)
                detach = isinstance(state, tuple)
                state = tuple(s.detach() for s in state) if detach else state.detach()
        return self

    def predict(self, X: Any) -> Any:
        """Answer row by row from the zero state; a list of series of one length as a batch."""
        import torch

        batch = np.stack(X) if isinstance(X, list) else np.asarray(X)[np.newaxis]
        with torch.no_grad():
            columns, _ = self.network_(torch.from_numpy(batch.astype(np.float32)))
            answer = self.output_(columns).numpy().astype(float)
        answer = answer.reshape(*batch.shape[:2], *self._shape)
        return list(answer) if isinstance(X, list) else answer[0]

    def _start(self, n_features: int, n_outputs: int) -> Any:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(self.random_state)
        make = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM}[self.cell]
        self.network_ = make(n_features, self.hidden_sizes, batch_first=True)
        self.output_ = torch.nn.Linear(self.hidden_sizes, n_outputs)
        self._parameters = [*self.network_.parameters(), *self.output_.parameters()]
        self.n_parameters_ = sum(p.numel() for p in self._parameters)
        weights = [p for p in self._parameters if p.ndim > 1]
        biases = [p for p in self._parameters if p.ndim == 1]
        groups = [{"params": weights, "weight_decay": self.l2}, {"params": biases}]
        return torch.optim.Adam(groups, lr=self.learning_rate)

    def _step(self, optimizer: Any, loss: Any) -> None:
        import torch

        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        optimizer.step()


class TorchSequenceClassifier(TorchRegressor):
    """The state after the last row of a sequence, softmax; batches of 32, padded."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train on shuffled batches."""
        import torch

        self.classes_, labels = np.unique(y, return_inverse=True)
        optimizer = self._start(X[0].shape[1], self.classes_.size)
        targets, rng = torch.from_numpy(labels), np.random.default_rng(self.random_state)
        for _ in range(self.max_iter):
            order = rng.permutation(len(X))
            for first in range(0, len(X), 32):
                batch = order[first : first + 32]
                scores = self._scores([X[i] for i in batch])
                self._step(optimizer, torch.nn.functional.cross_entropy(scores, targets[batch]))
        return self

    def predict(self, X: Any) -> Any:
        """Label every sequence."""
        import torch

        with torch.no_grad():
            return self.classes_[self._scores(X).argmax(dim=1).numpy()]

    def _scores(self, cases: Any) -> Any:
        import torch

        tensors = [torch.from_numpy(np.asarray(case, np.float32)) for case in cases]
        packed = torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False)
        _, state = self.network_(packed)
        last = state[0] if isinstance(state, tuple) else state
        return self.output_(last[-1])


def _grid(task: Task, quick: bool) -> list[Params]:
    # Early stopping is a remedy of ours that torch leaves to its user.
    return [params for params in rnn_grid(task, quick) if "early_stopping" not in params]


def _build_elman(task: Task, params: Params, seed: int) -> Any:
    return _build("elman", task, params, seed)


def _build_lstm(task: Task, params: Params, seed: int) -> Any:
    return _build("lstm", task, params, seed)


def _build(cell: str, task: Task, params: Params, seed: int) -> Any:
    network = TorchSequenceClassifier if task.kind == "classification" else TorchRegressor
    return network(cell, **params, random_state=seed)


_SAME = (
    "torch on one core, float32, its own initial weights, with the windows, strands, epochs, "
    "clipping and grid of ours (early stopping left out)."
)
register_model(
    Model(
        name="torch_elman",
        title="torch Elman",
        family="gradient-trained",
        about=f"torch.nn.RNN. {_SAME}",
        build=_build_elman,
        grid=_grid,
        cost=20.0,
        peer="torch",
    )
)
register_model(
    Model(
        name="torch_lstm",
        title="torch LSTM",
        family="gradient-trained",
        about=f"torch.nn.LSTM. {_SAME}",
        build=_build_lstm,
        grid=_grid,
        cost=30.0,
        peer="torch",
    )
)
