"""Networks whose row is one time step, read at every one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._sklearn_private import between, positive_int
from filters.timeseries._validation import SeriesData, TargetForm, check_series

from ._base import Examples
from ._row_states import RowStates
from ._schedules import share
from ._stream import NetworkStream
from ._training import Task
from ._windows import Sequences, windows_every


class RowNetwork(RowStates):
    """Base of the networks that answer every time step."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RowStates._parameter_constraints,
        "bptt_stride": [positive_int(), None],
        "n_strands": [positive_int()],
        "teacher_forcing": ["boolean", between(0, 1), callable],
    }
    _target_form: TargetForm

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
            bptt_steps=bptt_steps,
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
        self.bptt_stride = bptt_stride
        self.n_strands = n_strands
        self.teacher_forcing = teacher_forcing

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train the network; every series starts from the zero state.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
            See `filters.timeseries.as_series`.
        y : array-like in X's container
            Target of every row; a row with NaN (or None, for labels) has weight zero.
        sample_weight : array-like in X's container, default=None
            Weight of every row.
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

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
        return self._fit(X, y, sample_weight, groups)

    def transform(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """What the output sees at every row: the last layer, or all with skip connections.

        Parameters
        ----------
        X, groups
            As in `fit`.
        initial_state, return_state
            As in `predict`.

        Returns
        -------
        columns : container of X, (n_timesteps, n_columns) a series
            Without a head ``columns @ output_weights_.T + output_bias_`` are the outputs.
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.
        """
        columns, states, data = self._follow(
            self._check_data(X, groups), initial_state, columns=True
        )
        named = data.stacked.container == "frame"
        names = list(self.get_feature_names_out()) if named else None
        answer = data.stacked.restore(columns, columns=names)
        return self._with_state(answer, states, data, return_state)

    def input_saliency(self, X: Any, *, groups: Any = None, output: int = 0, step: int = -1) -> Any:
        """How much an output depends on each input: its derivative, from the zero state.

        Parameters
        ----------
        X, groups
            As in `fit`.
        output : int, default=0
            Which output (of a classifier: which class, before softmax).
        step : int, default=-1
            Time step at which it is read, in every series; negative: from its end.

        Returns
        -------
        container of X, its shape
            d output(step) / d X.
        """
        data = self._check_data(X, groups)
        return data.stacked.restore(self._saliency(data, output, step))

    def loss_and_gradients(
        self, X: Any, y: Any, *, sample_weight: Any = None, groups: Any = None
    ) -> tuple[float, dict[str, Any]]:
        """Loss at the current weights and its gradients, all series as one batch.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`. Series are not cut into strands.

        Returns
        -------
        loss : float
            Penalties included.
        gradients : dict
            All fitted weights and biases, laid out and named as the attributes, in the dtype
            of X, before clipping. With `bptt_steps` they are cut where training cuts them.
        """
        return self._loss_and_gradients(X, y, sample_weight, groups)

    def stream(self, initial_state: Any = None) -> NetworkStream:
        """Open a session that goes on row by row.

        Parameters
        ----------
        initial_state : dict of arrays or ndarray of shape (n_state,), default=None
            A `state` of an earlier session, or a state as `predict` returns it; None goes on from
            the last row of the last training series.

        Returns
        -------
        NetworkStream
            The network itself stays as it is.
        """
        check_is_fitted(self)
        return NetworkStream(self, initial_state)

    # ---- answering ----------------------------------------------------------------------------

    def _answer(
        self, X: Any, groups: Any, initial_state: Any
    ) -> tuple[np.ndarray, np.ndarray, SeriesData]:
        """Outputs of every row, the states after each series, the data."""
        return self._follow(self._check_data(X, groups), initial_state)

    # ---- data ---------------------------------------------------------------------------------

    def _check_data(self, X: Any, groups: Any = None) -> SeriesData:
        check_is_fitted(self)
        return check_series(self, X, reset=False, groups=groups)

    def _examples(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, classes: Any
    ) -> Examples:
        data = check_series(
            self,
            X,
            y,
            reset=reset,
            target=self._target_kind,
            sample_weight=sample_weight,
            groups=groups,
            allow_unlabelled=True,
        )
        weights = np.ones(data.rows.shape[0]) if data.weights is None else data.weights
        targets, n_outputs = self._encode(np.asarray(data.targets), weights, reset, classes)
        if reset:
            self._target_form = data.form
        return Examples(data, targets, weights, n_outputs)

    def _sequences(
        self, data: SeriesData, stops: np.ndarray, *, training: bool = False
    ) -> Sequences:
        starts = data.stacked.starts[:-1]
        if training and self.bptt_stride is not None:
            starts, stops = windows_every(self.bptt_stride, self.bptt_steps, starts, stops)
        n_strands = self.n_strands if training else 1
        return Sequences(data.rows, starts, stops, row_wise=True, n_strands=n_strands)

    def _split(self, examples: Examples) -> tuple[Task, Task]:
        """The end of every series is for validation; a series of one row is training."""
        stacked = examples.data.stacked
        lengths, ends = stacked.lengths, stacked.starts[1:]
        n_held = np.maximum((self.validation_fraction * lengths).astype(np.int64), 1)
        stops = ends - np.where(lengths > 1, n_held, 0)
        held = np.zeros(examples.weights.size, dtype=bool)
        for stop, end in zip(stops, ends, strict=True):
            held[stop:end] = True
        task = self._task(examples, weights=examples.weights * ~held, stops=stops, training=True)
        return task, self._task(examples, weights=examples.weights * held)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.bptt_stride is not None and (self.bptt_steps is None or self.n_strands > 1):
            raise ValueError(
                f"bptt_stride={self.bptt_stride} lets windows of bptt_steps rows begin anew every "
                f"{self.bptt_stride} rows: it needs bptt_steps (got {self.bptt_steps}) and "
                f"n_strands=1 (got {self.n_strands})."
            )
        if self.cell != "jordan" and self.teacher_forcing is not False:
            raise ValueError(
                f"teacher_forcing={self.teacher_forcing!r} is for cell='jordan', whose output is "
                f"fed back; cell={self.cell!r} has no such feedback. Leave it at False."
            )

    def _prepare_epoch(self, task: Task, epoch: int, rng: np.random.RandomState) -> None:
        """Say which targets take the place of the fed-back output of a Jordan cell."""
        forced_share = share(self.teacher_forcing, epoch) if self.cell == "jordan" else 0.0
        if forced_share == 0.0:
            task.sequences.forced = None
            return
        fed = self._fed(task.targets, task.sequences.rows.dtype)
        free = np.isnan(fed).any(axis=1) | (task.weights == 0)
        if forced_share < 1.0:
            free |= rng.uniform(size=free.size) >= forced_share
        task.sequences.forced = np.where(free[:, np.newaxis], fed.dtype.type(np.nan), fed)
