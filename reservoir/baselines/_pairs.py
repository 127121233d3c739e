"""Pairs of an input and an output sequence: from what the caller gave to batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from filters.timeseries._validation import FLOATS, SeriesData

from ._encoder_decoder import EncoderDecoder, PairBatch
from ._losses import Loss
from ._targets import codes_of
from ._training import Step


@dataclass(frozen=True)
class Pairs:
    """Validated pairs.

    Attributes
    ----------
    data : SeriesData
        The inputs.
    targets : ndarray of shape (n_rows, n_outputs), or codes of shape (n_rows,)
        The outputs, stacked.
    fed : ndarray of shape (n_rows, n_outputs)
        What a step is to the next: the target, or its one-hot row.
    starts : ndarray of int64, shape (n_cases + 1,)
        Output i is ``targets[starts[i]:starts[i + 1]]``.
    weights : ndarray of float64, shape (n_rows,)
        Zero where a step is unlabelled.
    """

    data: SeriesData
    targets: np.ndarray
    fed: np.ndarray
    starts: np.ndarray
    weights: np.ndarray

    @property
    def n_outputs(self) -> int:
        return self.fed.shape[1]


@dataclass
class PairTask:
    """What is learned from pairs; see `Learnable`.

    Attributes
    ----------
    pairs : Pairs
    weights : ndarray of float64, shape (n_rows,)
    first : ndarray of shape (n_outputs,)
        What the decoder is fed first.
    loss : Loss
    forced : ndarray of bool, shape (n_rows,)
        Which targets are fed to the step after them.
    """

    pairs: Pairs
    weights: np.ndarray
    first: np.ndarray
    loss: Loss
    forced: np.ndarray

    @property
    def n_series(self) -> int:
        return self.pairs.starts.size - 1

    @property
    def n_inputs(self) -> int:
        return self.pairs.data.rows.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self.pairs.data.rows.dtype

    @property
    def longest(self) -> int:
        """Steps of the longest pair, input and output together."""
        return int((self.pairs.data.stacked.lengths + np.diff(self.pairs.starts)).max())

    def steps(
        self,
        model: EncoderDecoder,
        order: np.ndarray,
        batch_size: int,
        bptt_steps: int | None,
        state: Any,
    ) -> Iterator[Step]:
        """A step a batch in which there is something to learn."""
        for begin in range(0, order.size, batch_size):
            cases = order[begin : begin + batch_size]
            share = sum(float(self.weights[self._rows(i)].sum()) for i in cases)
            value = 0.0
            if share > 0.0:
                model.gradient.fill(0.0)
                value = self._pass(model, cases, share, self.forced, learn=True)
            yield share, value, None

    def loss_and_gradient(self, model: EncoderDecoder, bptt_steps: int | None = None) -> float:
        """Loss of all pairs as one batch; its gradient is left in ``model.gradient``."""
        model.gradient.fill(0.0)
        cases = np.arange(self.n_series)
        return self._pass(model, cases, float(self.weights.sum()), self.forced, learn=True)

    def mean_loss(self, model: EncoderDecoder, batch_size: int) -> float:
        """Loss of the decoder on its own outputs."""
        total, never = float(self.weights.sum()), np.zeros_like(self.forced)
        return sum(
            self._pass(
                model, np.arange(begin, min(begin + batch_size, self.n_series)), total, never
            )
            for begin in range(0, self.n_series, batch_size)
        )

    def _pass(
        self,
        model: EncoderDecoder,
        cases: np.ndarray,
        total: float,
        forced: np.ndarray,
        *,
        learn: bool = False,
    ) -> float:
        """Share of the loss of some cases; with `learn` its gradient is added to the model's."""
        lengths = np.diff(self.pairs.starts)[cases]
        cases = cases[np.argsort(-lengths, kind="stable")]
        rows, inside = self._places(cases)
        wanted = inside & (self.weights[rows] > 0)
        outputs = model.forward(self._batch(cases, rows, forced))
        places = rows[wanted]
        value, error = self.loss(
            outputs[wanted], self.pairs.targets[places], self.weights[places], total
        )
        if learn:
            errors = np.zeros_like(outputs)
            errors[wanted] = error
            model.backward(errors)
        return value

    def _batch(self, cases: np.ndarray, rows: np.ndarray, forced: np.ndarray) -> PairBatch:
        teacher = np.empty((*rows.shape, self.first.size), dtype=self.dtype)
        teacher[0], teacher[1:] = self.first, self.pairs.fed[rows[:-1]]
        is_forced = np.ones(rows.shape, dtype=bool)
        is_forced[1:] = forced[rows[:-1]]
        inputs, lengths = pad(self.pairs.data, cases)
        n_steps = np.diff(self.pairs.starts)[cases]
        return PairBatch(inputs, lengths, teacher.transpose(0, 2, 1), is_forced, n_steps)

    def _places(self, cases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row of each step of each case (its last one again behind its end), and which exist."""
        starts, stops = self.pairs.starts[cases], self.pairs.starts[cases + 1]
        time = np.arange(int((stops - starts).max()))[:, np.newaxis]
        return np.minimum(starts + time, stops - 1), starts + time < stops

    def _rows(self, case: int) -> slice:
        return slice(self.pairs.starts[case], self.pairs.starts[case + 1])


def pad(data: SeriesData, cases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of some cases side by side, (n_timesteps, n_inputs, batch), and their lengths."""
    starts, lengths = data.stacked.starts[cases], data.stacked.lengths[cases]
    time = np.arange(int(lengths.max()))[:, np.newaxis]
    rows = data.rows[starts + np.minimum(time, lengths - 1)]
    return np.ascontiguousarray(rows.transpose(0, 2, 1)), lengths


def number_sequences(y: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Sequences of numbers, stacked as (n_rows, n_outputs), their starts and dimensions.

    Raises
    ------
    ValueError
        For what is not numbers, an empty sequence, infinity, or outputs that differ in number.
    """
    parts = []
    for i, sequence in enumerate(_listed(y)):
        try:
            part = np.asarray(sequence)
            part = part if part.dtype in FLOATS else part.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"y[{i}] must hold numbers, one row a step: {error}") from error
        if part.ndim > 2 or 0 in part.shape:
            raise ValueError(
                f"y[{i}] has shape {part.shape}; a sequence is (n_steps,) or (n_steps, n_outputs) "
                "and not empty."
            )
        if np.isinf(part).any():
            raise ValueError(f"Input y contains infinity, in y[{i}].")
        parts.append(part)
    shapes = {part.shape[1:] if part.ndim else () for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"the sequences of y differ in their number of outputs: {sorted(shapes)}.")
    (shape,) = shapes
    rows = [part.reshape(-1, shape[0] if shape else 1) for part in parts]
    return np.concatenate(rows), _starts(rows), 1 + len(shape)


def are_labels(X: Any) -> bool:
    """Whether X is a list of sequences of labels: strings, or lists of strings or of ints."""
    if not isinstance(X, list | tuple) or not X:
        return False
    if all(isinstance(sequence, str) for sequence in X):
        return True
    kinds = {np.asarray(s).dtype.kind for s in X if np.ndim(s) == 1 and len(s)}
    return all(np.ndim(s) == 1 for s in X) and bool(kinds) and kinds <= set("iuU")


def one_hot(labels: np.ndarray, starts: np.ndarray, classes: np.ndarray) -> list[np.ndarray]:
    """A row for each label of every sequence, 1 in the column of its class.

    Raises
    ------
    ValueError
        For a label that is not among `classes`.
    """
    among = f"input_classes_ {classes}: the encoder has no input for them."
    rows = np.eye(classes.size)[codes_of(labels, classes, "X", among)]
    return np.split(rows, starts[1:-1])


def label_sequences(y: Any, end: Any, name: str = "y") -> tuple[np.ndarray, np.ndarray, bool]:
    """Sequences of labels, stacked, their starts, and whether they came as strings.

    Where `end` is not None, a sequence that does not end with it gets it.

    Raises
    ------
    ValueError
        For an empty sequence.
    """
    given = _listed(y)
    parts = []
    for i, sequence in enumerate(given):
        part = list(sequence) if np.ndim(sequence) or isinstance(sequence, str) else [sequence]
        if end is not None and (not part or part[-1] != end):
            part.append(end)
        if not part:
            raise ValueError(f"{name}[{i}] is empty: a sequence has at least one label.")
        parts.append(part)
    labels = np.concatenate([np.asarray(part) for part in parts])
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("Input y contains NaN or infinity: every step needs a label here.")
    return labels, _starts(parts), all(isinstance(sequence, str) for sequence in given)


def _listed(y: Any) -> list[Any]:
    array = y if isinstance(y, list | tuple) else np.asarray(y)
    if isinstance(array, np.ndarray) and array.ndim == 0:
        raise ValueError(f"y must hold a sequence for each case of X; got {type(y).__name__}.")
    if not len(array):
        raise ValueError("y is empty: it holds no sequence.")
    return list(array)


def _starts(parts: list[Any]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
