"""Whether the drive alone decides the state: consistency, echo state index, effective radius."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state

from filters.timeseries._errors import caller_level
from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import checked

from .. import topologies
from .._reservoir import Reservoir
from ._driving import (
    BLOCK,
    check_amount,
    check_count,
    check_one_series,
    check_streams,
    features_by_block,
    fitted,
    fitted_memory,
    is_fitted,
)


@checked(random_state=["random_state"])
def consistency(
    reservoir: Any,
    X: Any,
    *,
    n_runs: int = 2,
    noise: float = 0.0,
    spread: float = 1.0,
    washout: int = 100,
    random_state: Any = None,
) -> float:
    """Correlate the responses to a repeated drive from different starts.

    .. math:: C = \\langle \\mathrm{corr}_t(x_i^{(r)}(t), x_i^{(s)}(t)) \\rangle_{i,\\, r < s}

    Parameters
    ----------
    reservoir : Reservoir or other memory
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_timesteps, n_features)
        The drive, the same in every run.
    n_runs : int, default=2
        At least 2; all pairs are averaged.
    noise : float, default=0.0
        Standard deviation of Gaussian noise added to the drive, fresh in every run.
    spread : float, default=1.0
        Starts are drawn uniformly on [-spread, spread].
    washout : int, default=100
        First rows left out.
    random_state : int, RandomState or None, default=None
        Of the starts and the noise.

    Returns
    -------
    float
        In [-1, 1], a mean over units and pairs. 1: the response repeats. Units that do not move
        after the washout are left out.

    Raises
    ------
    ValueError
        For parameters out of range, NaN or infinity, or if no unit moves.

    Notes
    -----
    A correlation does not see where a response lies: two runs at different levels that move alike
    are consistent; `echo_state_index` counts levels.

    References
    ----------
    A. Uchida, R. McAllister, R. Roy, Consistency of nonlinear system response to complex drive
    signals, Physical Review Letters 93 (2004), 244102.
    T. Lymburner et al., Consistency in echo-state networks, Chaos 29 (2019), 023118.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import consistency
    >>> X = np.random.default_rng(0).standard_normal((1000, 1))
    >>> round(consistency(Reservoir(30, random_state=0), X, random_state=0), 6)
    1.0
    """
    rows = check_one_series(X)
    n_runs, washout = check_count("n_runs", n_runs, 2), check_count("washout", washout, 0)
    noise = check_amount("noise", noise, zero=True)
    if rows.shape[0] < washout + 2:
        raise ValueError(f"washout={washout} leaves fewer than two of {rows.shape[0]} rows.")
    rng, memory = check_random_state(random_state), fitted_memory(reservoir, rows)
    states = _starts(memory, rows, n_runs, spread, rng)
    n_seen, mean, products = 0, np.zeros(()), np.zeros(())
    for start in range(0, rows.shape[0], BLOCK):
        block = rows[start : start + BLOCK]
        responses = []
        for r in range(n_runs):
            heard = block + noise * rng.standard_normal(block.shape) if noise > 0 else block
            features, states[r] = memory._advance(heard.astype(rows.dtype), states[r])
            responses.append(features[max(washout - start, 0) :].T)
        part = np.stack(responses, axis=1).astype(np.float64)  # (n_columns, n_runs, rows)
        n = part.shape[2]
        if n == 0:
            continue
        if n_seen == 0:  # squares of very small or large states then stay in range
            largest = np.abs(part).max(axis=(1, 2), keepdims=True)
            scale = np.where(largest > 0, largest, 1.0)
        part /= scale
        # Means and centred products of two sets of rows joined: Chan, Golub and LeVeque.
        own = part.mean(axis=2)
        centred = part - own[:, :, np.newaxis]
        shift, total = own - mean, n_seen + n
        between = shift[:, :, np.newaxis] * shift[:, np.newaxis] * (n_seen * n / total)
        products = products + centred @ centred.transpose(0, 2, 1) + between
        mean, n_seen = mean + shift * (n / total), total
    return _mean_correlation(mean, products, n_seen)


def _mean_correlation(mean: np.ndarray, products: np.ndarray, n_rows: int) -> float:
    powers = np.diagonal(products, axis1=1, axis2=2)
    rounding = 32 * np.finfo(float).eps * np.sqrt(n_rows) * np.abs(mean)
    moves = (np.sqrt(powers) > rounding).all(axis=1)
    if not moves.any():
        raise ValueError("no unit moves after the washout, so there is nothing to correlate.")
    sizes = np.sqrt(powers[moves])
    correlations = products[moves] / (sizes[:, :, np.newaxis] * sizes[:, np.newaxis])
    first, second = np.triu_indices(sizes.shape[1], k=1)
    return float(np.clip(correlations[:, first, second].mean(), -1.0, 1.0))


@checked(random_state=["random_state"])
def echo_state_index(
    reservoir: Any,
    X: Any,
    *,
    n_starts: int = 50,
    spread: float = 1.0,
    tol: float = 1e-3,
    random_state: Any = None,
) -> int:
    """Count the different responses that a drive has once the starts are forgotten.

    Parameters
    ----------
    reservoir : Reservoir or other memory
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_timesteps, n_features)
        The drive, long enough for transients to die.
    n_starts : int, default=50
        Starts drawn uniformly on [-spread, spread], at least 2. Responses that few starts lead to
        may be missed.
    spread : float, default=1.0
    tol : float, default=1e-3
        Final states whose largest difference is below it are one response (in chains).
    random_state : int, RandomState or None, default=None
        Of the starts.

    Returns
    -------
    int
        1: echo state property, as far as these starts tell. `n_starts`: chaos, or `X` is short.

    Raises
    ------
    ValueError
        For parameters out of range, NaN or infinity.

    Warns
    -----
    RuntimeWarning
        If the number at the middle of `X` was another one: transients have not died, or the
        responses are chaotic.

    References
    ----------
    A. Ceni, P. Ashwin, L. Livi, C. Postlethwaite, The echo index and multistability in
    input-driven recurrent neural networks, Physica D 412 (2020), 132609.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import echo_state_index
    >>> unit = Reservoir(1, topology=[[2.0]], spectral_radius=None)  # tanh(2 x): two fixed points
    >>> echo_state_index(unit, np.zeros((200, 1)), random_state=0)
    2
    """
    rows = check_one_series(X)
    n_starts, tol = check_count("n_starts", n_starts, 2), check_amount("tol", tol)
    memory = fitted_memory(reservoir, rows)
    states = _starts(memory, rows, n_starts, spread, check_random_state(random_state))
    middle = rows.shape[0] // 2
    counts = []
    for part in (rows[:middle], rows[middle:]):
        for start in range(0, part.shape[0], BLOCK):
            for state in states:
                state[:] = memory._advance(part[start : start + BLOCK], state)[1]
        counts.append(_n_clusters(states, tol))
    if counts[0] != counts[1]:
        warnings.warn(
            f"{counts[0]} responses were apart at the middle of X and {counts[1]} at its end: "
            "transients have not died, or the responses are chaotic. Give more rows.",
            RuntimeWarning,
            stacklevel=caller_level(),
        )
    return counts[1]


def _starts(
    memory: Memory, rows: np.ndarray, n: int, spread: float, rng: np.random.RandomState
) -> np.ndarray:
    spread = check_amount("spread", spread)
    drawn = rng.uniform(-spread, spread, (n, memory._n_state))
    return drawn.astype(memory._dtype_for(rows.dtype))


def _n_clusters(states: np.ndarray, tol: float) -> int:
    if states.shape[1] == 0:
        return 1
    near = cdist(states, states, "chebyshev") < tol
    return int(connected_components(sparse.csr_array(near), directed=False)[0])


def effective_spectral_radius(reservoir: Any) -> float:
    """Spectral radius of the map of a step around a state of unit slope.

    .. math:: \\max_i |\\lambda_i(\\mathrm{diag}(s)\\,O + \\mathrm{diag}(a)\\,W)|

    Parameters
    ----------
    reservoir : Reservoir
        Fitted (measured as it is) or not (a clone is fitted).

    Returns
    -------
    float

    Raises
    ------
    TypeError
        For anything but a Reservoir.

    Notes
    -----
    Below 1 the undriven, unbiased reservoir forgets small disturbances (tanh has slope 1 at 0).
    It is neither sufficient nor necessary for echo states under a drive: `lyapunov_exponent`
    measures those. Of leaky units, ``s = 1 - a`` and O is the identity. Of several layers it is the
    largest one's.

    References
    ----------
    H. Jaeger et al., Optimization and applications of echo state networks with leaky-integrator
    neurons, Neural Networks 20 (2007), 335-352.

    Examples
    --------
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import effective_spectral_radius
    >>> cycle = Reservoir(10, topology="ring", spectral_radius=0.8, leak_rate=0.5)
    >>> round(effective_spectral_radius(cycle), 3)
    0.9
    """
    return topologies.spectral_radius(leaky_matrix(reservoir))


def leaky_matrix(reservoir: Any, leaky: bool = True) -> sparse.csr_array:
    """``diag(s) O + diag(a) W`` of a reservoir, fitted or not, or W alone.

    Several layers are blocks of the diagonal: what runs from one to the next, one way only, leaves
    the eigenvalues as they are.
    """
    if not isinstance(reservoir, Reservoir):
        raise TypeError(f"reservoir must be a Reservoir, got {type(reservoir).__name__}.")
    if not is_fitted(reservoir):
        reservoir = fitted(reservoir, np.zeros((1, 1)))
    if reservoir._layers:
        blocks = [leaky_matrix(layer, leaky) for layer in reservoir._layers]
        return sparse.csr_array(sparse.block_diag(blocks))
    matrix = sparse.csr_array(reservoir.recurrent_weights_, dtype=np.float64)
    if not leaky:
        return matrix
    kept, leak = (sparse.diags_array(rates) for rates in reservoir._rates(np.float64))
    carried = sparse.csr_array(reservoir.residual_weights_, dtype=np.float64)
    return sparse.csr_array(kept @ carried + leak @ matrix)


@checked()
def saturation(reservoir: Any, X: Any, *, bound: float = 0.99) -> float:
    """Share of the states beyond a bound: units that are stuck at the ends of tanh.

    Parameters
    ----------
    reservoir : Reservoir or other transformer
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_timesteps, n_features), list or panel
    bound : float, default=0.99

    Returns
    -------
    float
        Share of entries with ``|x| > bound`` over all rows and columns, in [0, 1].

    Raises
    ------
    ValueError
        For NaN or infinity.

    Notes
    -----
    A saturated unit is a sign of its input and little more: above some tenths, lower
    `input_scaling` or `bias_scaling`. The answer of a sigmoid is within (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import saturation
    >>> saturation(Reservoir(20, random_state=0), np.zeros((10, 1)))
    0.0
    """
    rows, stacked = check_streams(X)
    bound, memory = check_amount("bound", bound, zero=True), fitted(reservoir, rows)
    n_beyond = n_entries = 0
    for a, b in stacked.spans():
        for _, features in features_by_block(memory, rows[a:b]):
            n_beyond += int(np.count_nonzero(np.abs(features) > bound))
            n_entries += features.size
    return n_beyond / n_entries
