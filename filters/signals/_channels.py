"""Communication channels, for equalisers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..timeseries._sklearn_private import checked
from ._checks import check_count, check_number


class MultipathChannel(NamedTuple):
    """What `multipath_channel` returns.

    Attributes
    ----------
    response : ndarray of shape (n_taps,)
        Impulse response, newest input sample first.
    delays : ndarray of shape (n_paths,)
        Delay of every path in symbols, ascending from 0.
    gains : ndarray of shape (n_paths,)
        Gain of every path.

    Examples
    --------
    >>> from filters.signals import multipath_channel
    >>> channel = multipath_channel(random_state=0)
    >>> channel.delays.shape == channel.gains.shape, int(channel.delays[0])
    (True, 0)
    """

    response: np.ndarray
    delays: np.ndarray
    gains: np.ndarray


@checked(made=True)
def raised_cosine_channel(width: float) -> np.ndarray:
    r"""Compute the three-tap raised-cosine channel of the textbook equaliser experiment.

    .. math:: h_n = \tfrac{1}{2} \bigl(1 + \cos(2 \pi (n - 2) / W)\bigr), \quad n = 1, 2, 3

    Parameters
    ----------
    width : float
        W > 0: the wider, the more the symbols run into each other and the larger the eigenvalue
        spread; 2.9, 3.1, 3.3 and 3.5 in the book.

    Returns
    -------
    ndarray of shape (3,)
        The middle tap is one.

    Raises
    ------
    ValueError
        For a width that is not positive.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., section 6.7 (computer experiment on adaptive
    equalization).

    Examples
    --------
    >>> from filters.signals import raised_cosine_channel
    >>> raised_cosine_channel(3.0)
    array([0.25, 1.  , 0.25])
    """
    width = check_number("width", width, above=0.0)
    return 0.5 * (1.0 + np.cos(2.0 * np.pi * np.array([-1.0, 0.0, 1.0]) / width))


@checked(made=True, complex_gains=["boolean"], random_state=["random_state"])
def multipath_channel(
    n_taps: int = 12,
    *,
    n_paths: int = 4,
    decay: float = 3.0,
    complex_gains: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> MultipathChannel:
    r"""Draw a channel of a few paths with Rayleigh gains and an exponential delay profile.

    .. math:: h(n) = \sum_p g_p\, \delta(n - d_p), \qquad E |g_p|^2 \propto e^{-d_p / D}, \qquad
        \sum_n |h(n)|^2 = 1

    Parameters
    ----------
    n_taps : int, default=12
        Length of the response in symbols.
    n_paths : int, default=4
        Paths, at most `n_taps`. One has no delay, the others different ones drawn from 1 to
        ``n_taps - 1``.
    decay : float, default=3.0
        Decay D of the mean power, in symbols.
    complex_gains : bool, default=True
        Complex Gaussian gains (Rayleigh magnitudes), or real Gaussian ones.
    random_state : int, RandomState instance or None, default=None
        Seed of delays and gains.

    Returns
    -------
    MultipathChannel
        Named tuple ``(response, delays, gains)``.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    >>> from filters.signals import multipath_channel
    >>> response, delays, gains = multipath_channel(8, n_paths=3, random_state=0)
    >>> response.shape, int(delays[0]), round(float(abs(response @ response.conj())), 6)
    ((8,), 0, 1.0)
    """
    n = check_count("n_taps", n_taps)
    n_paths = check_count("n_paths", n_paths)
    if n_paths > n:
        raise ValueError(f"n_paths={n_paths} paths do not fit into n_taps={n}. Raise n_taps.")
    decay = check_number("decay", decay, above=0.0)
    rng = check_random_state(random_state)
    later = 1 + rng.choice(n - 1, n_paths - 1, replace=False) if n_paths > 1 else []
    delays = np.concatenate([[0], np.sort(later)]).astype(np.int64)
    gains = rng.standard_normal(n_paths) * np.exp(-0.5 * delays / decay)
    if complex_gains:
        gains = gains + 1j * rng.standard_normal(n_paths) * np.exp(-0.5 * delays / decay)
    gains = gains / np.linalg.norm(gains)
    response = np.zeros(n, dtype=gains.dtype)
    response[delays] = gains
    return MultipathChannel(response, delays, gains)
