"""PairNetwork: what `Seq2Seq` does between the caller's sequences and its two networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._numbers import as_numbers, naming
from filters.timeseries._validation import SeriesData, check_cases, check_weights

from ._base import RecurrentNetwork
from ._cases import last_cases
from ._encoder_decoder import EncoderDecoder
from ._losses import LOSSES
from ._names import PARTS
from ._network import CELLS
from ._pairs import Pairs, PairTask, are_labels, label_sequences, number_sequences, one_hot, pad
from ._schedules import share
from ._targets import target_codes


class PairNetwork(RecurrentNetwork):
    """Base of `Seq2Seq`: data, training and answers; the public methods are there."""

    _parts = ("encoder_weights", *PARTS)
    _row_wise = True
    task: str
    max_length: int | None
    start: Any
    end: Any
    teacher_forcing: Any
    classes_: np.ndarray
    input_classes_: np.ndarray

    @property
    def _n_features_out(self) -> int:
        return CELLS[self.cell].n_states * sum(self._hidden_sizes) * (1 + bool(self.bidirectional))

    # ---- data ---------------------------------------------------------------------------------

    @property
    def _loss(self) -> str:  # type: ignore[override]
        return "squared_error" if self.task == "regression" else "negative_log_likelihood"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.cell == "jordan":
            raise ValueError(
                "cell='jordan' remembers nothing but the output of its network, which an encoder "
                "does not have, and which a decoder is fed anyway. Use cell='elman'."
            )
        if self.task == "regression" and self.end is not None:
            raise ValueError(
                f"end={self.end!r} is a label of task='classification'; numbers have no end. Give "
                "length= in predict, or max_length."
            )

    def _check_data(self, X: Any) -> SeriesData:
        check_is_fitted(self)
        return check_cases(self, self._as_numbers(X, reset=False), reset=False)

    def _as_numbers(self, X: Any, reset: bool) -> Any:
        """X, its labels one-hot where it is made of labels."""
        if reset and hasattr(self, "input_classes_"):
            del self.input_classes_
        if not are_labels(X) or not (reset or hasattr(self, "input_classes_")):
            return X
        labels, starts, _ = label_sequences(X, None, "X")
        if reset:
            self.input_classes_ = np.unique(labels)
        return one_hot(labels, starts, self.input_classes_)

    def _examples(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, classes: Any
    ) -> Pairs:
        data = check_cases(self, self._as_numbers(X, reset), reset=reset)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        if self.task == "regression":
            targets, starts, form = number_sequences(y)
            fed = np.nan_to_num(targets).astype(data.rows.dtype)
            known = ~np.isnan(targets).any(axis=1)
        else:
            labels, starts, form = label_sequences(y, self.end)
            targets = self._codes(labels, reset, classes)
            fed = np.eye(self.classes_.size, dtype=data.rows.dtype)[targets]
            known = np.ones(targets.size, dtype=bool)
        with naming("y"):
            check_consistent_length(np.empty(data.stacked.n_series), starts[:-1])
        weights = check_weights(sample_weight, starts.size - 1)
        weights = np.ones(starts.size - 1) if weights is None else weights
        if reset:
            self._form = form
            self._longest = 0
            self._first(fed.shape[1])
        elif fed.shape[1] != self.output_bias_.size:
            raise ValueError(
                f"y has {fed.shape[1]} outputs, but {type(self).__name__} was fitted with "
                f"{self.output_bias_.size}."
            )
        return Pairs(data, targets, fed, starts, np.repeat(weights, np.diff(starts)) * known)

    def _codes(self, labels: np.ndarray, reset: bool, classes: Any) -> np.ndarray:
        if reset:
            every = labels if classes is None else np.asarray(classes)
            extra = [] if self.end is None else [np.asarray([self.end])]
            self.classes_ = np.unique(np.concatenate([every, *extra]))
        return target_codes(labels, self.classes_)

    def _first(self, n_outputs: int) -> np.ndarray:
        """What the decoder is fed first."""
        if self.start is None:
            return np.zeros(n_outputs)
        if self.task == "classification":
            known = np.flatnonzero(self.classes_ == self.start)
            if known.size == 0:
                raise ValueError(f"start={self.start!r} is not among classes_ {self.classes_}.")
            return np.eye(n_outputs)[known[0]]
        first = as_numbers(self.start, "start").reshape(-1)
        if np.iscomplexobj(first) or first.shape != (n_outputs,) or not np.isfinite(first).all():
            raise ValueError(
                f"start={self.start!r} must hold {n_outputs} finite number(s), one an output."
            )
        return first

    # ---- training -----------------------------------------------------------------------------

    def _network(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> EncoderDecoder:
        return EncoderDecoder(
            self.cell,
            self._hidden_sizes,
            n_inputs,
            n_outputs,
            dtype,
            relu=self.activation == "relu",
            bidirectional=self.bidirectional,
            skip_connections=self.skip_connections,
            head_sizes=self._head_sizes,
            feeds_labels=self.task == "classification",
        )

    def _task(
        self,
        pairs: Pairs,
        *,
        weights: np.ndarray | None = None,
        stops: np.ndarray | None = None,
        training: bool = False,
    ) -> PairTask:
        weights = pairs.weights if weights is None else weights
        if not (weights > 0).any():
            raise ValueError(
                "All sample weights are zero where there are targets: nothing to learn."
            )
        if training:
            self._longest = max(self._longest, int(np.diff(pairs.starts).max()))
        never = np.zeros(weights.size, dtype=bool)
        return PairTask(pairs, weights, self._first(pairs.n_outputs), LOSSES[self._loss], never)

    def _split(self, pairs: Pairs) -> tuple[PairTask, PairTask]:
        n_cases = pairs.starts.size - 1
        some = np.add.reduceat(pairs.weights, pairs.starts[:-1]) > 0
        held = last_cases(np.zeros(n_cases, dtype=np.intp), some, self.validation_fraction)
        held = np.repeat(held, np.diff(pairs.starts))
        task = self._task(pairs, weights=pairs.weights * ~held, training=True)
        return task, self._task(pairs, weights=pairs.weights * held)

    def _prepare_epoch(self, task: PairTask, epoch: int, rng: np.random.RandomState) -> None:
        forced_share = share(self.teacher_forcing, epoch)
        task.forced = np.ones(task.weights.size, dtype=bool)
        if self.task == "regression":
            task.forced &= ~np.isnan(task.pairs.targets).any(axis=1)
        if forced_share < 1.0:
            task.forced &= rng.uniform(size=task.forced.size) < forced_share

    # ---- answering ----------------------------------------------------------------------------

    def _n_steps(self, length: Any, n_cases: int) -> np.ndarray:
        if length is None:
            length = self._longest if self.max_length is None else self.max_length
        with naming("length"):
            n_steps = np.asarray(length)
        whole = n_steps.dtype.kind in "iu" and n_steps.shape in {(), (n_cases,)}
        if not whole or (n_steps < 1).any():
            raise ValueError(
                f"length must be a positive int, or one for each of {n_cases} cases; "
                f"got {length!r}."
            )
        return np.broadcast_to(n_steps, (n_cases,)).astype(np.int64)

    def _decode(
        self, network: EncoderDecoder, data: SeriesData, cases: np.ndarray, n_steps: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        first = self._first(network.n_outputs).astype(network.dtype)
        end = None if self.end is None else int(np.searchsorted(self.classes_, self.end))
        with np.errstate(all="ignore"):
            states = network.encode(*pad(data, cases))
            outputs, lengths = network.decode(states, first, n_steps, end)
        self._require_finite(outputs.transpose(1, 0, 2), "case", int(cases[0]))
        return outputs, lengths

    def _as_given(self, outputs: np.ndarray) -> Any:
        """Outputs of one case in the form of the sequences of `fit`."""
        if self.task == "regression":
            return outputs[:, 0].copy() if self._form == 1 else outputs.copy()
        labels = self.classes_[outputs.argmax(axis=1)]
        if self.end is not None and labels.size and labels[-1] == self.end:
            labels = labels[:-1]
        return "".join(labels) if self._form is True else labels
