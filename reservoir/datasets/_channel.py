"""The nonlinear channel that an equalizer has to undo."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from filters.signals import check_count, check_number
from filters.timeseries._sklearn_private import checked

# Weights of d(n + 2), d(n + 1), ..., d(n - 7).
_WEIGHTS = (0.08, -0.12, 1.0, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01)


@checked(made=True, random_state=["random_state"])
def channel_equalization(
    n_timesteps: int,
    *,
    snr_db: float | None = 24.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Send four-level symbols through a nonlinear wireless channel.

    .. math:: q(n) = 0.08 d(n+2) - 0.12 d(n+1) + d(n) + 0.18 d(n-1) - 0.1 d(n-2) + 0.091 d(n-3)
        - 0.05 d(n-4) + 0.04 d(n-5) + 0.03 d(n-6) + 0.01 d(n-7)

    .. math:: u(n) = q(n) + 0.036\,q(n)^2 - 0.011\,q(n)^3 + \nu(n)

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    snr_db : float or None, default=24.0
        Power of u without noise over that of the white Gaussian noise, in decibels; the literature
        uses 12 to 32. None: no noise.
    random_state : int, RandomState instance or None, default=None
        Seed of symbols and noise.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1)
        What is received, u(n).
    y : ndarray of shape (n_timesteps,)
        Row n is d(n - 2), -3, -1, 1 or 3: all symbols that reached the rows so far are known by
        then. Judge by the share of wrong symbols after rounding to the nearest of the four.

    Raises
    ------
    ValueError
        For a bad argument.

    References
    ----------
    H. Jaeger, H. Haas, Science 304(5667), 2004, pp. 78-80, supporting material.
    V. J. Mathews, J. Lee, Adaptive algorithms for bilinear filtering, Proc. SPIE 2296, 1994.

    Examples
    --------
    >>> from reservoir.datasets import channel_equalization
    >>> X, y = channel_equalization(1000, random_state=0)
    >>> sorted(set(y.tolist()))
    [-3.0, -1.0, 1.0, 3.0]
    """
    n = check_count("n_timesteps", n_timesteps)
    rng = check_random_state(random_state)
    # symbols[k] is d(k - 7): every row has all ten symbols of its channel.
    symbols = rng.choice([-3.0, -1.0, 1.0, 3.0], n + 9)
    q = np.convolve(symbols, _WEIGHTS, mode="valid")
    u = q + 0.036 * q**2 - 0.011 * q**3
    if snr_db is not None:
        noise = rng.standard_normal(n)
        snr_db = check_number("snr_db", snr_db)
        u = u + noise * np.sqrt(np.mean(u**2) / 10.0 ** (snr_db / 10.0))
    return u[:, np.newaxis], symbols[5 : 5 + n]
