"""RNNClassifier: a label for every time step."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import softmax

from filters.timeseries._mixins import SeriesClassifierMixin
from filters.timeseries._validation import TargetForm

from ._rows import RowNetwork
from ._targets import LabelTargets


class RNNClassifier(SeriesClassifierMixin, LabelTargets, RowNetwork):
    """Label every time step with a recurrent network trained through time.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad p(t) = \\mathrm{softmax}(V h(t) + b_y)

    minimises ``mean(-log p[class])`` over labelled rows plus ``l1 |w| + l2 / 2 |w|^2`` over all
    weights but biases.

    Parameters
    ----------
    cell, hidden_sizes, head_sizes, bidirectional, skip_connections, activation, recurrent_init, \
spectral_radius, forget_bias, optimizer, learning_rate, learning_rate_schedule, \
learning_rate_decay, momentum, nesterov, batch_size, bptt_steps, bptt_stride, n_strands, \
teacher_forcing, clip_norm, l1, l2, max_iter, tol, early_stopping, validation_fraction, \
n_iter_no_change, warm_start, initial_weights, random_state, verbose
        As in `RNNRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    output_weights_ : ndarray of shape (n_classes, n_columns)
        A row per class, even for two.
    output_bias_ : ndarray of shape (n_classes,)
    weights_, loss_curve_, validation_loss_curve_, gradient_norms_, n_iter_, n_features_in_
        As in `RNNRegressor`.

    Notes
    -----
    As for `RNNRegressor`. NaN or None in `y`: an unlabelled row, which drives the network and has
    weight zero.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import RNNClassifier
    >>> X = np.random.RandomState(0).randn(400, 1)
    >>> y = np.where(np.roll(X[:, 0], 1) > 0, "up", "down")  # the sign of the row before
    >>> net = RNNClassifier("elman", (8,), learning_rate=0.02, bptt_steps=20, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.9
    True
    """

    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
    ) -> Self:
        """Train for one epoch, as `RNNRegressor.partial_fit`.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be, for the first call; None takes those of `y`.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight, groups, classes)

    def predict_proba(self, X: Any, *, groups: Any = None, initial_state: Any = None) -> Any:
        """Class probabilities of every row; every series starts from `initial_state`.

        Parameters
        ----------
        X, groups, initial_state
            As in `predict`.

        Returns
        -------
        container of X, (n_timesteps, n_classes) a series
            Columns in the order of `classes_`, in the dtype of X.
        """
        outputs, _, data = self._answer(X, groups, initial_state)
        form = TargetForm(2, self._target_form.is_pandas, tuple(self.classes_.tolist()))
        return form.restore(data.stacked, softmax(outputs, axis=1))

    def predict(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """Most probable class of every row; every series starts from `initial_state`.

        Parameters
        ----------
        X, groups, initial_state, return_state
            As in `RNNRegressor.predict`.

        Returns
        -------
        y : container of X, (n_timesteps,) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.
        """
        outputs, states, data = self._answer(X, groups, initial_state)
        answer = self._target_form.restore(data.stacked, self._most_probable(outputs))
        return self._with_state(answer, states, data, return_state)

    def _as_answer(self, outputs: np.ndarray) -> np.ndarray:
        return self._most_probable(outputs)
