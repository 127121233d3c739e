"""kernel_rank and generalization_rank: how many directions the states after streams span."""

from __future__ import annotations

from typing import Any

import numpy as np

from filters.timeseries._sklearn_private import checked, non_negative

from ._driving import check_streams, features_by_block, fitted


@checked(tol=[non_negative(), None])
def kernel_rank(reservoir: Any, X: Any, *, tol: float | None = None) -> int:
    """Count how many of the given input streams the reservoir can tell apart linearly.

    .. math:: \\mathrm{rank}\\,[x_1(T), \\ldots, x_m(T)]

    Parameters
    ----------
    reservoir : Reservoir or other transformer
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_streams, n_timesteps, n_features), or list of 2-D arrays
        Streams that differ; every one starts from a zero state.
    tol : float, default=None
        Singular values below it count as zero; None takes NumPy's
        ``largest * max(n_streams, n_columns) * eps`` in the dtype of the states.

    Returns
    -------
    int
        At most min(n_streams, n_columns of the states).

    Raises
    ------
    ValueError
        For NaN or infinity, a single 2-D series, or a negative `tol`.

    Notes
    -----
    High is good here and low in `generalization_rank`; their difference predicts how well a
    reservoir does on classification. The default tolerance counts directions down to rounding:
    state your own to compare with measurements that have noise.

    References
    ----------
    R. Legenstein, W. Maass, Edge of chaos and prediction of computational performance for neural
    circuit models, Neural Networks 20 (2007), 323-334.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import TapDelay
    >>> from reservoir.diagnostics import kernel_rank
    >>> kernel_rank(TapDelay(3), np.random.default_rng(0).standard_normal((10, 5, 1)))
    3
    """
    return _rank_of_last_states(reservoir, X, tol)


@checked(tol=[non_negative(), None])
def generalization_rank(reservoir: Any, X: Any, *, tol: float | None = None) -> int:
    """Count how many directions the states after streams that should be told alike span.

    Parameters
    ----------
    reservoir : Reservoir or other transformer
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_streams, n_timesteps, n_features), or list of 2-D arrays
        Versions of one stream: the same with noise, or with the same last rows.
    tol : float, default=None
        As in `kernel_rank`.

    Returns
    -------
    int
        Small where the reservoir generalises over what differs between the streams.

    Raises
    ------
    ValueError
        As `kernel_rank`.

    Notes
    -----
    The number is the rank of the same matrix as in `kernel_rank`; what differs is the streams and
    that a small one is good. Differences smaller than `tol` count as forgotten.

    References
    ----------
    R. Legenstein, W. Maass (2007), as in `kernel_rank`.
    L. Buesing, B. Schrauwen, R. Legenstein, Connectivity, dynamics, and memory in reservoir
    computing with binary and analog neurons, Neural Computation 22 (2010), 1272-1311.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import TapDelay
    >>> from reservoir.diagnostics import generalization_rank
    >>> streams = np.random.default_rng(0).standard_normal((10, 5, 1))
    >>> streams[:, -2:] = 1.0  # only what happened before the last two rows differs
    >>> generalization_rank(TapDelay(2), streams), generalization_rank(TapDelay(3), streams)
    (1, 2)
    """
    return _rank_of_last_states(reservoir, X, tol)


def _rank_of_last_states(reservoir: Any, X: Any, tol: float | None) -> int:
    if tol is not None and not tol >= 0:
        raise ValueError(f"tol must not be negative, got {tol}.")
    rows, stacked = check_streams(X)
    if not stacked.bounded:
        raise ValueError(
            "X must hold streams, (n_streams, n_timesteps, n_features) or a list of 2-D arrays; "
            f"got one series of shape {rows.shape}."
        )
    memory = fitted(reservoir, rows)
    last = [_last_features(memory, rows[a:b]) for a, b in stacked.spans()]
    return int(np.linalg.matrix_rank(np.stack(last), tol=tol))


def _last_features(memory: Any, rows: np.ndarray) -> np.ndarray:
    for _, features in features_by_block(memory, rows):
        last = features[-1]
    return last
