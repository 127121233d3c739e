"""RNNSequenceRegressor: numbers for one whole sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from ._cases import CaseNetwork
from ._targets import NumberTargets


class RNNSequenceRegressor(MultiOutputMixin, RegressorMixin, NumberTargets, CaseNetwork):
    """Predict numbers for whole sequences from the last state of a recurrent network.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad \\hat y = V h(T) + b_y

    minimises ``mean((y_hat - y)^2)`` over outputs and cases plus ``l1 |w| + l2 / 2 |w|^2`` over all
    weights but biases.

    Parameters
    ----------
    cell, hidden_sizes, head_sizes, bidirectional, skip_connections, activation, recurrent_init, \
spectral_radius, forget_bias, optimizer, learning_rate, learning_rate_schedule, \
learning_rate_decay, momentum, nesterov, clip_norm, l1, l2, max_iter, tol, n_iter_no_change, \
warm_start, initial_weights, random_state, verbose
        As in `RNNRegressor`.
    batch_size, bptt_steps
        As in `RNNSequenceClassifier`.
    early_stopping : bool, default=False
        Keep the last cases for validation, and the weights that did best on them.
    validation_fraction : float in (0, 1), default=0.1
        Share of the labelled cases.

    Attributes
    ----------
    output_weights_ : ndarray of shape (n_outputs, n_columns)
    output_bias_ : ndarray of shape (n_outputs,)
    n_features_in_ : int
        Time steps of a 2-D X, features of a time step otherwise.
    weights_, loss_curve_, validation_loss_curve_, gradient_norms_, n_iter_
        As in `RNNRegressor`.

    Notes
    -----
    As for `RNNSequenceClassifier`. NaN in any output of a case: unlabelled.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).

    Examples
    --------
    >>> from reservoir.baselines import RNNSequenceRegressor
    >>> from reservoir.datasets import adding_problem
    >>> X, y = adding_problem(200, 10, random_state=0)
    >>> net = RNNSequenceRegressor("lstm", (16,), learning_rate=0.02, random_state=0)
    >>> net.fit(X, y).score(X, y) > 0.9
    True
    """

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, cases in order, optimizer state continued.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Outputs of every case.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,) or (n_cases, n_outputs)
            As `y` was in `fit`; float32 for float32 sequences.
        """
        outputs = self._read(self._check_data(X))
        return outputs[:, 0] if self._form.ndim == 1 else outputs
