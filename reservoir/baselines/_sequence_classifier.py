"""RNNSequenceClassifier: a label for one whole sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin

from ._cases import CaseNetwork
from ._targets import LabelTargets


class RNNSequenceClassifier(ClassifierMixin, LabelTargets, CaseNetwork):
    """Classify whole sequences by the last state of a recurrent network trained through time.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad p = \\mathrm{softmax}(V h(T) + b_y)

    minimises ``mean(-log p[class])`` plus ``l1 |w| + l2 / 2 |w|^2`` over all weights but biases.

    Parameters
    ----------
    cell, hidden_sizes, head_sizes, bidirectional, skip_connections, activation, recurrent_init, \
spectral_radius, forget_bias, optimizer, learning_rate, learning_rate_schedule, \
learning_rate_decay, momentum, nesterov, clip_norm, l1, l2, max_iter, tol, n_iter_no_change, \
warm_start, initial_weights, random_state, verbose
        As in `RNNRegressor`.
    batch_size : int, default=32
        Sequences of an optimizer step.
    bptt_steps : int, default=None
        The gradient is cut at rows ``bptt_steps``, ``2 * bptt_steps``, ... of each sequence; only
        windows in which a sequence ends make a step. None: the whole sequence.
    early_stopping : bool, default=False
        Keep the last cases of every class for validation, and the weights that did best on them.
    validation_fraction : float in (0, 1), default=0.1
        Share of every class.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    output_weights_ : ndarray of shape (n_classes, n_columns)
        A row per class, even for two.
    output_bias_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Time steps of a 2-D X, features of a time step otherwise.
    weights_, loss_curve_, validation_loss_curve_, gradient_norms_, n_iter_
        As in `RNNRegressor`.

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
        return self._partial_fit(X, y, sample_weight, classes=classes)

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
        return softmax(self._read(self._check_data(X)), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of every case.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,)
        """
        return self._most_probable(self._read(self._check_data(X)))
