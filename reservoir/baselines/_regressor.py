"""RNNRegressor: one row is one time step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._mixins import SeriesRegressorMixin
from filters.timeseries._sklearn_private import positive_int
from filters.timeseries._validation import SeriesData, check_series

from ._base import RecurrentNetwork
from ._training import Task
from ._windows import Sequences


class RNNRegressor(SeriesRegressorMixin, RecurrentNetwork):
    """Learn a sequence-to-sequence map with a recurrent network trained through time.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad \\hat y(t) = V h(t) + b_y

    minimises ``mean((y_hat - y)^2)`` over outputs and labelled rows, plus
    ``l1 |w| + l2 / 2 |w|^2`` over all weights but biases. Elman cell:
    ``h(t) = f(W h(t-1) + U x(t) + b)``. LSTM cell: ``i, f, o = sigmoid(.)``, ``g = tanh(.)``,
    ``c(t) = f c(t-1) + i g``, ``h(t) = o tanh c(t)``.

    Parameters
    ----------
    cell : {"elman", "jordan", "lstm", "peephole_lstm", "gru"}, default="lstm"
        Recurrent unit. What recurs in "jordan" is the output of the network, zeros first; it has
        one layer and one direction.
    hidden_sizes : sequence of int, default=(100,)
        Units of each layer, lowest first.
    head_sizes : sequence of int, default=()
        Units of dense ReLU layers between the recurrent layers and the output.
    bidirectional : bool, default=False
        Whether each layer also has a direction that runs backwards, from each series' own end.
    skip_connections : bool, default=False
        Whether layers after the first see [layer below, X], and the output sees all layers.
    activation : {"tanh", "relu"}, default="tanh"
        f of the Elman and Jordan cells.
    recurrent_init : str or callable, default="orthogonal"
        First W, gate block by gate block: "orthogonal", "identity", "np" (positive definite,
        largest eigenvalue 1), a name of `reservoir.topologies` or a callable
        ``(n_units, *, random_state)``. Input weights are Glorot uniform, biases 0, the forget
        gate's 1, peepholes uniform on +-1 / sqrt(hidden).
    spectral_radius : float >= 0, default=None
        What each drawn W is scaled to; None leaves it as drawn.
    optimizer : {"adam", "rmsprop", "sgd"}, default="adam"
        Adam (.9, .999, 1e-8) and RMSprop (.9, 1e-8) add epsilon after the root.
    learning_rate : float > 0, default=1e-3
        Step of the optimizer.
    momentum : float in [0, 1), default=0.0
        Of "sgd".
    nesterov : bool, default=False
        Nesterov's form of momentum.
    batch_size : int, default=32
        Series trained side by side, each with all its strands.
    bptt_steps : int, default=None
        Length in rows of a training window: the state is carried on, the gradient is cut there,
        and each window is one optimizer step. None: the whole series.
    n_strands : int, default=1
        Contiguous pieces each series is cut into in training; they run side by side as a batch,
        and each starts from the zero state.
    clip_norm : float > 0, default=1.0
        Largest norm of the gradient over all arrays; a longer one is scaled down. None: off.
    l1, l2 : float >= 0, default=0.0
        Penalties.
    max_iter : int, default=200
        Epochs at most; 0 only initialises.
    tol : float >= 0, default=1e-4
        Training stops when the loss (the validation loss with `early_stopping`) did not get
        better by `tol` in more than `n_iter_no_change` epochs in a row. None: never.
    early_stopping : bool, default=False
        Keep the last part of every series for validation, and the weights that did best on it.
    validation_fraction : float in (0, 1), default=0.1
        Share of every series, at its end.
    n_iter_no_change : int, default=10
        See `tol`.
    warm_start : bool, default=False
        Whether `fit` goes on where it stopped, optimizer included.
    initial_weights : dict, default=None
        ``{"weights": [...], "output_weights": ..., "output_bias": ...}`` to start from, laid out
        as the attributes; with `head_sizes` also "head_weights" and "head_biases".
    random_state : int, RandomState or None, default=None
        Draws the first weights and shuffles series into batches.
    verbose : int, default=0
        1: progress about every second on standard error; 2: every epoch.

    Attributes
    ----------
    weights_ : list of dict, one a layer
        "input" (gates * hidden, n_in), "recurrent" (gates * hidden, hidden), "bias"
        (gates * hidden,); the row blocks of the LSTM are i, f, g, o, those of the GRU z, r, h.
        "peephole" (3 * hidden,), of i, f, o, where there are any; "recurrent" (hidden, n_outputs)
        in a Jordan cell. With `bidirectional` a pair (forward, backward) of dicts a layer.
    head_weights_, head_biases_ : list of ndarray
        Only with `head_sizes`.
    output_weights_ : ndarray of shape (n_outputs, n_columns)
        Columns are the last layer (all layers, first first, with skip connections), forward
        before backward; or the last dense layer of the head.
    output_bias_ : ndarray of shape (n_outputs,)
    loss_curve_ : list of float
        Mean training loss of each epoch, penalties included.
    validation_loss_curve_ : list of float
        Only with `early_stopping`; without penalties.
    gradient_norms_ : list of float
        One an optimizer step, before clipping.
    n_iter_ : int
        Epochs finished, those before a warm start included.
    n_features_in_ : int

    Notes
    -----
    Inputs and targets are taken as they are: scale them to about unit size first. float32 data
    are trained in float32 and answered in it. Memory of training grows with ``bptt_steps *
    n_strands * batch_size``, that of the other methods only with their answer. Training uses one
    BLAS thread, so that results do not depend on their number. Ctrl-C in `fit` keeps the best
    weights so far.

    References
    ----------
    J. Elman, Finding structure in time, Cognitive Science 14 (1990).
    S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).
    F. Gers, J. Schmidhuber, F. Cummins, Learning to forget, Neural Computation 12 (2000).
    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks,
    ICML (2013), algorithm 1 (clipping).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import RNNRegressor
    >>> X = np.random.RandomState(0).randn(400, 1)
    >>> net = RNNRegressor("elman", (8,), learning_rate=0.02, bptt_steps=20, random_state=0)
    >>> net.fit(X, np.roll(X[:, 0], 1)).score(X, np.roll(X[:, 0], 1)) > 0.9  # last input again
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **RecurrentNetwork._parameter_constraints,
        "n_strands": [positive_int()],
    }
    _loss = "squared_error"

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
        n_strands: int = 1,
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
            optimizer=optimizer,
            learning_rate=learning_rate,
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
        self.n_strands = n_strands

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train the network; every series starts from the zero state.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
            See `filters.timeseries.as_series`.
        y : array-like in X's container
            Targets of every row; a row with NaN is unlabelled and has weight zero.
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
        self._check_parameters()
        fresh = not (self.warm_start and self._is_trained)
        data, targets, weights = self._check_labelled(X, y, sample_weight, groups, fresh)
        cuts, validation = data.stacked.starts[1:], None
        if self.early_stopping:
            cuts = self._cuts(data)
            held = _before(data, cuts, after=True) * weights
            validation = self._rows_task(data, targets, held)
        state = self._train(
            self._rows_task(data, targets, weights, cuts, self.n_strands),
            targets.shape[1],
            epochs=self.max_iter,
            fresh=fresh,
            shuffle=True,
            validation=validation,
        )
        self._running = state if self._runs_on(data) and not self.early_stopping else None
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train for one epoch, series in order, optimizer state continued.

        Plain rows (no list, panel, MultiIndex or `groups`) go on with the running series where
        the last call ended, if ``n_strands=1``; otherwise every series starts from zero.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.

        Returns
        -------
        self
        """
        self._check_parameters()
        if self.early_stopping:
            raise ValueError("partial_fit has no early_stopping; set it to False, or use fit.")
        fresh = not self._is_trained
        data, targets, weights = self._check_labelled(X, y, sample_weight, groups, fresh)
        runs_on = self._runs_on(data)
        state = self._train(
            self._rows_task(data, targets, weights, n_strands=self.n_strands),
            targets.shape[1],
            epochs=1,
            fresh=fresh,
            shuffle=False,
            state=None if fresh or not runs_on else self._running,
        )
        self._running = state if runs_on else None
        return self

    def predict(self, X: Any, *, groups: Any = None) -> Any:
        """Outputs of every row; every series starts from the zero state.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
        groups : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        container of X, (n_timesteps,) or (n_timesteps, n_outputs) a series
        """
        check_is_fitted(self)
        data = check_series(self, X, reset=False, groups=groups)
        return self._form.restore(data.stacked, self._outputs(data))

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
        check_is_fitted(self)
        data, targets, weights = self._check_labelled(X, y, sample_weight, groups, False)
        return self._gradients(self._rows_task(data, targets, weights))

    def _check_labelled(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool
    ) -> tuple[SeriesData, np.ndarray, np.ndarray]:
        data = check_series(
            self,
            X,
            y,
            reset=reset,
            target="numeric",
            sample_weight=sample_weight,
            groups=groups,
            allow_unlabelled=True,
        )
        targets = np.asarray(data.targets)
        if reset:
            self._form = data.form
        elif targets.shape[1] != self.output_weights_.shape[0]:
            raise ValueError(
                f"y has {targets.shape[1]} outputs, but {type(self).__name__} was fitted with "
                f"{self.output_weights_.shape[0]}."
            )
        weights = np.ones(targets.shape[0]) if data.weights is None else data.weights
        return data, targets, weights

    def _rows_task(
        self,
        data: SeriesData,
        targets: np.ndarray,
        weights: np.ndarray,
        cuts: np.ndarray | None = None,
        n_strands: int = 1,
    ) -> Task:
        """What is learned from every series up to its row `cuts[i]`, all of it by default."""
        starts = data.stacked.starts
        cuts = starts[1:] if cuts is None else cuts
        sequences = Sequences(data.rows, starts[:-1], cuts, row_wise=True, n_strands=n_strands)
        return self._task(sequences, targets, weights * _before(data, cuts))

    def _cuts(self, data: SeriesData) -> np.ndarray:
        """Where the training part of every series ends; a series of one row is training."""
        lengths = data.stacked.lengths
        n_held = np.maximum((self.validation_fraction * lengths).astype(np.int64), 1)
        return data.stacked.starts[1:] - np.where(lengths > 1, n_held, 0)

    def _runs_on(self, data: SeriesData) -> bool:
        return not data.stacked.bounded and self.n_strands == 1 and not self.bidirectional

    def _outputs(self, data: SeriesData) -> np.ndarray:
        starts = data.stacked.starts
        sequences = Sequences(data.rows, starts[:-1], starts[1:], row_wise=True)
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        everywhere = np.ones(data.rows.shape[0], dtype=bool)
        return network.outputs(sequences, everywhere, self.batch_size)


def _before(data: SeriesData, cuts: np.ndarray, *, after: bool = False) -> np.ndarray:
    """1 for the rows of every series before its cut (or after it), 0 for the others."""
    marks = np.full(data.rows.shape[0], not after)
    for cut, stop in zip(cuts, data.stacked.starts[1:], strict=True):
        marks[cut:stop] = after
    return marks
