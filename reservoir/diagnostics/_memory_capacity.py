"""memory_capacity: how much of each past input a linear readout can give back."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from filters.timeseries import delay_embed
from filters.timeseries._errors import caller_level
from filters.timeseries._sklearn_private import checked

from ._driving import (
    check_amount,
    check_count,
    check_one_series,
    features_by_block,
    fitted,
    is_fitted,
)
from ._explained import ExplainedVariance


class MemoryCapacity(NamedTuple):
    """Answer of `memory_capacity`.

    Attributes
    ----------
    total : float
        Sum of `profile`, delay 0 included.
    profile : ndarray of shape (max_delay + 1,)
        Entry k is the capacity at a delay of k steps; entry 0 is the present input.

    Examples
    --------
    >>> from filters import TapDelay
    >>> from reservoir.diagnostics import memory_capacity
    >>> capacity = memory_capacity(TapDelay(3), 4, random_state=0)
    >>> round(capacity.total, 2), round(capacity.total_from_one, 2)
    (3.0, 2.0)
    """

    total: float
    profile: np.ndarray

    @property
    def total_from_one(self) -> float:
        """Sum over delays from 1 on, as some papers count."""
        return float(self.profile[1:].sum())


@checked(random_state=["random_state"])
def memory_capacity(
    reservoir: Any,
    max_delay: int,
    *,
    n_timesteps: int = 20_000,
    washout: int = 1000,
    amplitude: float = 0.8,
    inputs: Any = None,
    random_state: Any = None,
) -> MemoryCapacity:
    """Measure how well a linear readout gives back the input of k steps ago.

    .. math:: MC = \\sum_{k=0}^{K} MC_k, \\quad
              MC_k = \\max_{c, B} \\mathrm{corr}^2(u(t-k), c + B\\,x(t))

    Parameters
    ----------
    reservoir : Reservoir or other transformer
        Fitted (measured as it is) or not (a clone is fitted).
    max_delay : int
        K, at least 0; all delays from 0 to K are measured.
    n_timesteps : int, default=20000
        Rows driven.
    washout : int, default=1000
        First rows left out; at least `max_delay` are.
    amplitude : float, default=0.8
        Inputs are drawn independently and uniformly on [-amplitude, amplitude].
    inputs : array-like of shape (n_timesteps, n_features), default=None
        Inputs to use instead of drawing them.
    random_state : int, RandomState or None, default=None
        Of the drawn inputs.

    Returns
    -------
    MemoryCapacity
        ``total`` and ``profile``, indexed by the delay, which counts from 0; ``total_from_one``
        leaves delay 0 out. With several features, a delay's capacity is the sum over them.

    Raises
    ------
    ValueError
        For parameters out of range or too few rows.

    Warns
    -----
    UserWarning
        Where `inputs` are correlated in time: the capacity is then not bounded by the number of
        units, and a delay may be known without having been remembered.

    Notes
    -----
    Independent inputs: the total is at most the number p of independent states. A fit of p weights
    to n rows explains p / n even of noise. What is drawn is therefore measured as the squared
    canonical correlations of states and delayed inputs, attributed to the delays, less what chance
    explains: about (1 - MC_k) (p - MC) / n a delay, so that one that is not remembered comes out
    near zero on either side. A delay line of p taps has exactly p ones and then zeros. For given
    `inputs`, which may be correlated, MC_k is the squared correlation itself, less its bias
    (1 - MC_k) p / n (adjusted R^2).

    States are folded block by block into a triangular factor as small as their second moments; of
    the rows, only the inputs are held. Directions of the (scaled) states below rounding, 2e-14 of
    the largest, do not count.

    References
    ----------
    H. Jaeger, Short term memory in echo state networks, GMD Report 152 (2001), proposition 2.
    R. J. Wherry, Ann. Math. Statist. 2 (1931), 440-457 (the correction).

    Examples
    --------
    >>> from filters import TapDelay
    >>> from reservoir.diagnostics import memory_capacity
    >>> memory_capacity(TapDelay(3), 4, random_state=0).profile.round(2) + 0.0
    array([1., 1., 1., 0., 0.])
    """
    max_delay = check_count("max_delay", max_delay, 0)
    washout = check_count("washout", washout, 0)
    if inputs is None:
        n_features = getattr(reservoir, "n_features_in_", 1) if is_fitted(reservoir) else 1
        shape = (check_count("n_timesteps", n_timesteps), n_features)
        amplitude = check_amount("amplitude", amplitude)
        rows = check_random_state(random_state).uniform(-amplitude, amplitude, shape)
    else:
        rows = check_one_series(inputs, "inputs")
    first = max(washout, max_delay)
    memory, fit = fitted(reservoir, rows), None
    past = np.zeros((max_delay, rows.shape[1]))
    for part, features in features_by_block(memory, rows):
        block = rows[part].astype(np.float64, copy=False)
        targets = delay_embed(block, max_delay + 1, history=past)
        past = np.concatenate([past, block])[block.shape[0] :]
        fit = fit or ExplainedVariance(features.shape[1], targets.shape[1], joint=inputs is None)
        skip = max(first - part.start, 0)
        fit.update(features[skip:], targets[skip:])
    assert fit is not None, "there is at least one row"
    if inputs is None:
        shares = fit.explained_of_white()
    else:
        shares = fit.explained().corrected
        _check_independence(rows[first:], max_delay)
    profile = shares.reshape(max_delay + 1, -1).sum(axis=1)
    return MemoryCapacity(float(profile.sum()), profile)


def _check_independence(rows: np.ndarray, max_delay: int) -> None:
    """Refuse constant inputs and warn of those that are correlated in time."""
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    n, power = rows.shape[0], np.sum(centred**2, axis=0)
    if (np.ptp(rows, axis=0) == 0).any():
        raise ValueError("inputs are constant in some column: there is nothing to remember.")
    # Correlations of independent rows have the standard deviation 1 / sqrt(n).
    for lag in range(1, min(max(max_delay, 1), n - 1) + 1):
        between = np.abs(np.sum(centred[lag:] * centred[:-lag], axis=0) / power)
        if between.max() > 6 / np.sqrt(n):
            warnings.warn(
                f"inputs are correlated in time ({between.max():.2f} at lag {lag}): the memory "
                "capacity is bounded by the number of units for independent inputs only.",
                UserWarning,
                stacklevel=caller_level(),
            )
            return
