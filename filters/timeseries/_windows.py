"""The one delay line: history in front, windows as plain slices."""

from __future__ import annotations

import numpy as np

from ._numbers import as_numbers
from ._sklearn_private import checked, positive_int
from ._validation import check_finite


def with_history(rows: np.ndarray, history: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put `history` in front of `rows` and return the joined signal with the next history.

    Parameters
    ----------
    rows : ndarray of shape (n_timesteps, n_features)
    history : ndarray of shape (n_history, n_features)
        The rows just before `rows`, oldest first.

    Returns
    -------
    joined : ndarray of shape (n_history + n_timesteps, n_features)
        C-contiguous: the window that ends at ``rows[k]`` is ``joined[k:k + n_history + 1]``.
    history : ndarray of shape (n_history, n_features)
        A copy of the last rows, for the next call.
    """
    if history.shape[0] == 0:
        return np.ascontiguousarray(rows), history.astype(rows.dtype)
    joined = np.concatenate([history.astype(rows.dtype, copy=False), rows])
    return joined, joined[joined.shape[0] - history.shape[0] :].copy()


@checked(n_taps=[positive_int()], stride=[positive_int()])
def delay_embed(
    X: np.ndarray, n_taps: int, *, stride: int = 1, history: np.ndarray | None = None
) -> np.ndarray:
    """Lay the present and the delayed rows of a series side by side.

    .. math:: z(t) = [x(t), x(t - s), \\ldots, x(t - (n_{taps} - 1) s)]

    Parameters
    ----------
    X : array-like of shape (n_timesteps, n_features) or (n_timesteps,)
        One series.
    n_taps : int
        Number of delays, the present one included.
    stride : int, default=1
        Time steps between taps.
    history : ndarray of shape ((n_taps - 1) * stride, n_features), default=None
        The rows before `X`; zeros when None.

    Returns
    -------
    ndarray of shape (n_timesteps, n_taps * n_features)
        Newest tap first, all features of a tap together. No row is dropped.

    Raises
    ------
    ValueError
        For `n_taps` or `stride` below 1, or a history of another shape.

    Examples
    --------
    >>> from filters.timeseries import delay_embed
    >>> delay_embed([1.0, 2.0, 3.0], 2)
    array([[1., 0.],
           [2., 1.],
           [3., 2.]])
    """
    rows = as_numbers(X, "X")
    rows = rows.reshape(-1, 1) if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise ValueError(f"X must be one series (n_timesteps, n_features); got shape {rows.shape}.")
    n_history = (n_taps - 1) * stride
    if history is None:
        history = np.zeros((n_history, rows.shape[1]), dtype=rows.dtype)
    else:
        history = as_numbers(history, "history")
    if history.shape != (n_history, rows.shape[1]):
        raise ValueError(
            f"history must have shape ({n_history}, {rows.shape[1]}), got {history.shape}."
        )
    for values, name in ((rows, "X"), (history, "history")):
        check_finite(np.abs(values), name=name)
    joined, _ = with_history(rows, history)
    n_timesteps = rows.shape[0]
    lags = [joined[n_history - j * stride :][:n_timesteps] for j in range(n_taps)]
    return np.concatenate(lags, axis=1)
