"""Seq2Seq: from one sequence to another of another length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.metrics import accuracy_score

from filters.timeseries._mixins import determination
from filters.timeseries._sequences import holds_series
from filters.timeseries._sklearn_private import StrOptions, between, positive_int

from ._base import check_output
from ._encoder_decoder import PairBatch
from ._pair_network import PairNetwork
from ._pairs import pad
from ._running import flatten


class Seq2Seq(PairNetwork):
    """Map sequences to sequences of another length by an encoder and a decoder.

    The encoder reads the whole input; its last state is the first of the decoder, which is fed
    `start` and then, step by step, what came before: in training the target (teacher forcing) or
    its own output, in `predict` always its own output.

    Parameters
    ----------
    cell : {"elman", "lstm", "peephole_lstm", "gru"}, default="lstm"
    hidden_sizes : sequence of int, default=(100,)
        Units of each layer, of the encoder and of the decoder.
    task : {"regression", "classification"}, default="regression"
        Whether outputs are numbers (squared error) or labels (softmax, negative log-likelihood).
    max_length : int, default=None
        Steps of an answer at most; None takes the longest output of the fit.
    start : array-like of shape (n_outputs,), or a label, default=None
        What the decoder is fed first; zeros when None.
    end : label, default=None
        Label that ends an answer; appended to outputs that do not end with it, and left out of
        answers. Only of "classification": without it answers have `max_length` labels.
    teacher_forcing : bool, float in [0, 1] or callable, default=1.0
        Share of the steps of an epoch, drawn anew in each, that are fed with the target. A function
        of the epoch (0, 1, ...) gives the share ("scheduled sampling").
    head_sizes : sequence of int, default=()
        Units of dense ReLU layers between the decoder and the output.
    bidirectional : bool, default=False
        Whether each layer of the encoder also has a direction that runs backwards, from each
        input's own end. The decoder runs ahead only: its layers have twice the units, and begin
        with the last state of the forward and, behind it, of the backward direction.
    skip_connections, activation, recurrent_init, spectral_radius, forget_bias, optimizer, \
learning_rate, learning_rate_schedule, learning_rate_decay, momentum, nesterov, clip_norm, l1, \
l2, max_iter, tol, n_iter_no_change, warm_start, initial_weights, random_state, verbose
        As in `RNNRegressor`.
    batch_size : int, default=32
        Pairs of an optimizer step.
    early_stopping : bool, default=False
        Keep the last pairs for validation, and the weights that did best on them; the decoder runs
        on its own outputs there.
    validation_fraction : float in (0, 1), default=0.1
        Share of the pairs.

    Attributes
    ----------
    encoder_weights_ : list of dict, one a layer
        As `weights_` of `RNNRegressor`: with `bidirectional` a list of pairs of them.
    weights_, output_weights_, output_bias_, head_weights_, head_biases_
        Of the decoder, whose inputs are n_outputs.
    classes_ : ndarray of shape (n_classes,)
        Of "classification"; `end` is one of them.
    input_classes_ : ndarray of shape (n_features_in_,)
        Labels of the inputs, one a column of the encoder; only where X is made of labels.
    loss_curve_, validation_loss_curve_, gradient_norms_, n_iter_
        As in `RNNRegressor`.
    n_features_in_ : int
        Time steps of a 2-D X, features of a time step otherwise.

    Raises
    ------
    ValueError
        For NaN or infinity, an empty sequence or one of another number of outputs, `end` beside
        numbers, and labels of the inputs that were not there in `fit`.
    DivergenceError
        When training leaves the finite numbers.

    Notes
    -----
    An answer is greedy: the most probable label of each step is the input of the next. Gradients
    are exact through both networks and through fed-back numbers; a fed-back label has none. One to
    many is an input of one row: X of shape (n_cases, 1, n_features). float32 inputs are trained
    in float32. Ctrl-C in `fit` keeps the best weights so far.

    References
    ----------
    I. Sutskever, O. Vinyals, Q. V. Le, Sequence to sequence learning with neural networks,
    NeurIPS (2014).
    S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer, Scheduled sampling, NeurIPS (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import Seq2Seq
    >>> X = np.random.RandomState(0).randint(2, size=(300, 4))
    >>> Y = ["".join("ab"[k] for k in row[::-1]) for row in X]  # backwards
    >>> net = Seq2Seq("gru", (24,), task="classification", learning_rate=0.02, random_state=0)
    >>> net.fit(X, Y).score(X, Y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: constraint
            for name, constraint in PairNetwork._parameter_constraints.items()
            if name != "bptt_steps"
        },
        "task": [StrOptions({"regression", "classification"})],
        "max_length": [positive_int(), None],
        "start": "no_validation",  # type: ignore[dict-item]
        "end": "no_validation",  # type: ignore[dict-item]
        "teacher_forcing": ["boolean", between(0, 1), callable],
    }

    def __init__(
        self,
        cell: str = "lstm",
        hidden_sizes: Sequence[int] | int = (100,),
        *,
        task: str = "regression",
        max_length: int | None = None,
        start: Any = None,
        end: Any = None,
        teacher_forcing: bool | float | Callable[[int], float] = 1.0,
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
        super().__init__(
            cell,
            hidden_sizes,
            head_sizes=head_sizes,
            bidirectional=bidirectional,
            skip_connections=skip_connections,
            activation=activation,
            recurrent_init=recurrent_init,
            spectral_radius=spectral_radius,
            forget_bias=forget_bias,
            optimizer=optimizer,
            learning_rate=learning_rate,
            learning_rate_schedule=learning_rate_schedule,
            learning_rate_decay=learning_rate_decay,
            momentum=momentum,
            nesterov=nesterov,
            batch_size=batch_size,
            clip_norm=clip_norm,
            l1=l1,
            l2=l2,
            max_iter=max_iter,
            tol=tol,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            initial_weights=initial_weights,
            random_state=random_state,
            verbose=verbose,
        )
        self.task = task
        self.max_length = max_length
        self.start = start
        self.end = end
        self.teacher_forcing = teacher_forcing

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train both networks.

        Parameters
        ----------
        X : list of (T_i, n_features), or array of shape (n_cases, n_timesteps) or
            (n_cases, n_timesteps, n_features), or list of strings or of lists of labels (strings
            or ints), which the encoder sees one-hot
        y : list of (S_i, n_outputs) or (S_i,), list of label sequences or strings, or array of
            shape (n_cases, n_steps[, n_outputs]); (n_cases,) is one step a case
            A row of numbers with NaN is unlabelled: weight zero, and never fed.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of every step of a case.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            When the loss is no longer finite.
        ValueError
            For parameters or data that cannot be used.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, pairs in order, optimizer state continued.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be, for the first call; None takes those of `y`.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def predict(self, X: Any, *, length: Any = None) -> list[Any]:
        """Answer every sequence, the decoder running on its own outputs.

        Parameters
        ----------
        X : as in `fit`
        length : int or array-like of int, shape (n_cases,), default=None
            Steps of each answer, at most where `end` may come first; None: see `max_length`.

        Returns
        -------
        list of ndarray of shape (S_i,) or (S_i, n_outputs)
            As the sequences of `y` were in `fit`; strings where those were strings.
        """
        data = self._check_data(X)
        n_steps = self._n_steps(length, data.stacked.n_series)
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        answers: list[Any] = []
        for begin in range(0, n_steps.size, self.batch_size):
            cases = np.arange(begin, min(begin + self.batch_size, n_steps.size))
            outputs, lengths = self._decode(network, data, cases, n_steps[cases])
            answers += [self._as_given(outputs[:n, k]) for k, n in enumerate(lengths)]
        return answers

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of sequences answered without a mistake, or R^2 over the steps of all.

        Parameters
        ----------
        X, y : as in `fit`
        sample_weight : array-like of shape (n_cases,), default=None

        Returns
        -------
        float
            R^2 of numbers is that of answers as long as those of `y`, over labelled steps.

        Raises
        ------
        ValueError
            As `fit`, and where no step of `y` has a label.
        """
        pairs = self._examples(X, y, sample_weight, None, False, None)
        lengths = np.diff(pairs.starts)
        if self.task == "regression":
            known = ~np.isnan(pairs.targets).any(axis=1)
            if not known.any():
                raise ValueError("y has no label in any row: there is nothing to score.")
            answer = np.concatenate(self.predict(X, length=lengths)).reshape(pairs.targets.shape)
            weight = pairs.weights[known]
            return determination(pairs.targets[known], answer[known], weight)
        ends = 0 if self.end is None else 1
        right = [
            len(answer) == b - a - ends
            and np.array_equal(np.asarray(list(answer)), self.classes_[pairs.targets[a : b - ends]])
            for answer, a, b in zip(
                self.predict(X), pairs.starts[:-1], pairs.starts[1:], strict=True
            )
        ]
        return accuracy_score(
            np.ones(len(right)), np.array(right, float), sample_weight=sample_weight
        )

    def transform(self, X: Any) -> np.ndarray:
        """What the decoder begins with: the encoder's last state.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases, n_state)
            Layer by layer h, and behind it c where the cell has one; of two directions either is
            the forward one's and, behind it, the backward one's.
        """
        data = self._check_data(X)
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        return np.concatenate(
            [
                flatten(network.encode(*pad(data, cases)))
                for cases in np.split(
                    np.arange(data.stacked.n_series),
                    np.arange(self.batch_size, data.stacked.n_series, self.batch_size),
                )
            ]
        )

    def input_saliency(self, X: Any, *, output: int = 0, step: int = -1) -> Any:
        """How much a step of the answer depends on each input: its derivative.

        Parameters
        ----------
        X : as in `fit`
        output : int, default=0
            Which output (of labels: which class, before softmax).
        step : int, default=-1
            Step of the answer; negative: from its end.

        Returns
        -------
        container of X, its shape
            d output(step) / d X, through fed-back numbers too; fed-back labels count as given.

        Raises
        ------
        ValueError
            For an `output` or a `step` that the answers do not have.
        """
        data = self._check_data(X)
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        check_output(output, network.n_outputs)
        n_steps = self._n_steps(None, data.stacked.n_series)
        gradient = np.zeros_like(data.rows)
        for i, (a, b) in enumerate(data.stacked.spans()):
            n = self._decode(network, data, np.array([i]), n_steps[i : i + 1])[1][0]
            if not isinstance(step, int | np.integer) or not -n <= step < n:
                raise ValueError(
                    f"step={step!r} must be a step of every answer, negative ones counted from "
                    f"its end; the answer to case {i} has {n} step(s)."
                )
            inputs, lengths = pad(data, np.array([i]))
            n_used = int(step) % n + 1
            teacher = np.zeros((n_used, network.n_outputs, 1), dtype=network.dtype)
            teacher[0, :, 0] = self._first(network.n_outputs)
            free = np.zeros((n_used, 1), dtype=bool)
            network.forward(PairBatch(inputs, lengths, teacher, free, np.array([n_used])))
            errors = np.zeros((n_used, 1, network.n_outputs), dtype=network.dtype)
            errors[-1, 0, int(output)] = 1.0
            back = network.backward(errors, to_inputs=True)
            assert back is not None
            gradient[a:b] = back[:, :, 0]
        restored = data.stacked.restore(gradient)
        return restored if holds_series(X) else restored[:, :, 0]

    def loss_and_gradients(
        self, X: Any, y: Any, *, sample_weight: Any = None
    ) -> tuple[float, dict[str, Any]]:
        """Loss at the current weights and its gradients, all pairs as one batch.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        loss : float
            Penalties included. Teacher forcing is that of the epoch to come; where it is a share,
            the steps are drawn with seed 0.
        gradients : dict
            All fitted weights and biases, laid out and named as the attributes, in the dtype of X,
            before clipping.
        """
        return self._loss_and_gradients(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
