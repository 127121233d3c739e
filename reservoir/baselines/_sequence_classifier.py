"""RNNSequenceClassifier: one row is one whole sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._numbers import naming
from filters.timeseries._validation import SeriesData, check_cases, check_finite, check_weights

from ._base import RecurrentNetwork
from ._training import Task
from ._windows import Sequences


class RNNSequenceClassifier(ClassifierMixin, RecurrentNetwork):
    """Classify whole sequences by the last state of a recurrent network trained through time.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad p = \\mathrm{softmax}(V h(T) + b_y)

    minimises ``mean(-log p[class])`` plus ``l1 |w| + l2 / 2 |w|^2`` over all weights but biases.
    The equations of the cells are those of `RNNRegressor`.

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
        Sequences of an optimizer step.
    bptt_steps : int, default=None
        The gradient is cut at rows ``bptt_steps``, ``2 * bptt_steps``, ... of each sequence; only
        windows in which a sequence ends make a step. None: the whole sequence.
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
        Keep the last cases of every class for validation, and the weights that did best on them.
    validation_fraction : float in (0, 1), default=0.1
        Share of every class.
    n_iter_no_change : int, default=10
        See `tol`.
    warm_start : bool, default=False
        Whether `fit` goes on where it stopped, optimizer included.
    initial_weights : dict, default=None
        ``{"weights": [...], "output_weights": ..., "output_bias": ...}`` to start from, laid out
        as the attributes; with `head_sizes` also "head_weights" and "head_biases".
    random_state : int, RandomState or None, default=None
        Draws the first weights and shuffles sequences into batches.
    verbose : int, default=0
        1: progress about every second on standard error; 2: every epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : list of dict, one a layer
        "input" (gates * hidden, n_in), "recurrent" (gates * hidden, hidden), "bias"
        (gates * hidden,); the row blocks of the LSTM are i, f, g, o, those of the GRU z, r, h.
        "peephole" (3 * hidden,), of i, f, o, where there are any; "recurrent" (hidden, n_outputs)
        in a Jordan cell. With `bidirectional` a pair (forward, backward) of dicts a layer.
    head_weights_, head_biases_ : list of ndarray
        Only with `head_sizes`.
    output_weights_ : ndarray of shape (n_classes, n_columns)
        A row per class, even for two. Columns are the last layer (all layers, first first, with
        skip connections), forward before backward; or the last dense layer of the head.
    output_bias_ : ndarray of shape (n_classes,)
    loss_curve_ : list of float
        Mean training loss of each epoch, penalties included.
    validation_loss_curve_ : list of float
        Only with `early_stopping`; without penalties.
    gradient_norms_ : list of float
        One an optimizer step, before clipping.
    n_iter_ : int
        Epochs finished, those before a warm start included.
    n_features_in_ : int
        Time steps of a 2-D X, features of a time step otherwise.

    Notes
    -----
    Sequences of a batch may differ in length; each is read at its own last row. Inputs are taken
    as they are: scale them to about unit size first. float32 data are trained in float32. Ctrl-C
    in `fit` keeps the best weights so far.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import RNNSequenceClassifier
    >>> X = np.random.RandomState(0).randn(60, 5)
    >>> y = np.where(X[:, 0] > 0, "up", "down")  # the first of five steps decides
    >>> net = RNNSequenceClassifier("elman", (8,), learning_rate=0.02, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.9
    True
    """

    _loss = "negative_log_likelihood"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : array-like of shape (n_cases,)
            Class labels.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of every case.

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
        data, labels, weights = self._check_labelled(X, y, sample_weight, reset=fresh)
        if fresh:
            self.classes_ = np.unique(labels)
        codes = self._codes(labels)
        validation = None
        if self.early_stopping:
            held = self._held_out(codes, weights)
            validation = self._cases_task(data, codes, weights * held)
            weights = weights * ~held
        self._train(
            self._cases_task(data, codes, weights),
            self.classes_.size,
            epochs=self.max_iter,
            fresh=fresh,
            shuffle=True,
            validation=validation,
        )
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, cases in order, optimizer state continued.

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
        self._check_parameters()
        if self.early_stopping:
            raise ValueError("partial_fit has no early_stopping; set it to False, or use fit.")
        fresh = not self._is_trained
        data, labels, weights = self._check_labelled(X, y, sample_weight, reset=fresh)
        with naming("classes"):
            given = None if classes is None else np.unique(column_or_1d(classes))
        if fresh:
            self.classes_ = np.unique(labels) if given is None else given
        elif given is not None and not np.array_equal(given, self.classes_):
            raise ValueError(f"classes={classes!r} differs from the first call: {self.classes_}.")
        task = self._cases_task(data, self._codes(labels), weights)
        self._train(task, self.classes_.size, epochs=1, fresh=fresh, shuffle=False)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases, n_classes)
            Columns in the order of `classes_`, in the dtype of X.
        """
        check_is_fitted(self)
        data = check_cases(self, X, reset=False)
        network = self._current_network(data.rows.shape[1], data.rows.dtype)
        everyone = np.ones(data.stacked.n_series, dtype=bool)
        return softmax(network.outputs(_cases(data), everyone, self.batch_size), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of every case.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,)
        """
        probability = self.predict_proba(X)
        return self.classes_[np.argmax(probability, axis=1)]

    def loss_and_gradients(
        self, X: Any, y: Any, *, sample_weight: Any = None
    ) -> tuple[float, dict[str, Any]]:
        """Loss at the current weights and its gradients, all cases as one batch.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        loss : float
            Penalties included.
        gradients : dict
            All fitted weights and biases, laid out and named as the attributes, in the dtype
            of X, before clipping.
        """
        check_is_fitted(self)
        data, labels, weights = self._check_labelled(X, y, sample_weight, reset=False)
        return self._gradients(self._cases_task(data, self._codes(labels), weights))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_labelled(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool
    ) -> tuple[SeriesData, np.ndarray, np.ndarray]:
        data = check_cases(self, X, reset=reset)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        with naming("y"):
            labels = column_or_1d(y, warn=True)
        if labels.dtype.kind == "f":
            check_finite(labels, name="y")
        with naming("y"):
            check_consistent_length(np.empty(data.stacked.n_series), labels)
            check_classification_targets(labels)
        weights = check_weights(sample_weight, labels.size)
        return data, labels, np.ones(labels.size) if weights is None else weights

    def _codes(self, labels: np.ndarray) -> np.ndarray:
        with naming("y"):
            unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            raise ValueError(
                f"y has the labels {unknown}, which are not among classes_ {self.classes_}. Pass "
                "all of them as classes= in the first call of partial_fit, or fit anew."
            )
        return np.searchsorted(self.classes_, labels)

    def _held_out(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The last cases of every class that has more than one."""
        held = np.zeros(codes.size, dtype=bool)
        for code in np.unique(codes):
            cases = np.flatnonzero((codes == code) & (weights > 0))
            if cases.size > 1:
                held[cases[-max(int(self.validation_fraction * cases.size), 1) :]] = True
        return held

    def _cases_task(self, data: SeriesData, codes: np.ndarray, weights: np.ndarray) -> Task:
        return self._task(_cases(data), codes, weights)


def _cases(data: SeriesData) -> Sequences:
    starts = data.stacked.starts
    return Sequences(data.rows, starts[:-1], starts[1:], row_wise=False)
