"""Losses: the value and its gradient with respect to the outputs.

Both are weighted means, ``sum_r w_r loss_r / total``: `total` is the sum of the weights of the
rows at hand, or of more rows where a loss is put together from several windows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax

Loss = Callable[[np.ndarray, np.ndarray, np.ndarray, float], tuple[float, np.ndarray]]


def squared_error(
    outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray, total: float
) -> tuple[float, np.ndarray]:
    """Mean of (y_hat - y)^2 over outputs and rows.

    Parameters
    ----------
    outputs, targets : ndarray of shape (n_rows, n_outputs)
    weights : ndarray of shape (n_rows,)
    total : float

    Returns
    -------
    float, ndarray of shape (n_rows, n_outputs)
    """
    error = (outputs - targets).astype(outputs.dtype, copy=False)
    share = (weights / (total * outputs.shape[1]))[:, np.newaxis]
    value = float(np.sum(share * np.square(error, dtype=np.float64)))
    return value, (2.0 * share).astype(outputs.dtype) * error


def negative_log_likelihood(
    outputs: np.ndarray, codes: np.ndarray, weights: np.ndarray, total: float
) -> tuple[float, np.ndarray]:
    """Mean of -log softmax(outputs)[class] over rows; its gradient is softmax - onehot.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows, n_classes)
    codes : ndarray of int, shape (n_rows,)
    weights, total, returns : as `squared_error`
    """
    log_probability = log_softmax(outputs, axis=1)
    rows = np.arange(outputs.shape[0])
    share = weights / total
    value = float(-np.sum(share * log_probability[rows, codes]))
    gradient = np.exp(log_probability)
    gradient[rows, codes] -= 1.0
    return value, share.astype(outputs.dtype)[:, np.newaxis] * gradient


LOSSES: dict[str, Loss] = {
    "squared_error": squared_error,
    "negative_log_likelihood": negative_log_likelihood,
}
