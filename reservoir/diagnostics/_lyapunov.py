"""lyapunov_exponent and lyapunov_spectrum: whether small disturbances grow or die."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import checked

from .._model import MemoryModel
from .._reservoir import Reservoir
from ..kernels.lyapunov import tangent_growth
from ._driving import BLOCK, check_amount, check_count, check_one_series, fitted_memory

# Rows of a trajectory, the states before and after each of them.
Stretch = tuple[np.ndarray, np.ndarray, np.ndarray]


def _tanh_slope(pre: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # cosh overflows where the slope is 0
        return 1.0 / np.cosh(pre) ** 2


SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": _tanh_slope,
    "relu": lambda pre: (pre > 0).astype(float),
    "identity": np.ones_like,
    "sigmoid": lambda pre: expit(pre) * expit(-pre),
}


@checked()
def lyapunov_exponent(reservoir: Any, X: Any, *, washout: int = 100, dt: float = 1.0) -> float:
    """Measure how fast two nearby states of a driven reservoir come together or part.

    .. math:: \\lambda = \\lim_{T \\to \\infty} \\frac{1}{T\\,dt} \\log |J(T) \\cdots J(1) v|,
              \\quad J(t) = \\mathrm{diag}(s)\\, O + \\mathrm{diag}(a f'(t))\\, W

    Parameters
    ----------
    reservoir : Reservoir or other memory
        Fitted (measured as it is) or not (a clone is fitted).
    X : array-like of shape (n_timesteps, n_features)
        Drive, from a zero state; zeros measure the undriven reservoir.
    washout : int, default=100
        First rows over which nothing is counted: the disturbance turns into the fastest direction.
    dt : float, default=1.0
        Time between rows; the exponent is per unit of it.

    Returns
    -------
    float
        Negative: the drive alone decides the state, echo states. -inf: a disturbance is gone after
        finitely many rows.

    Raises
    ------
    ValueError
        For NaN or infinity in X, or a washout that leaves no row.
    DivergenceError
        If the states leave the finite numbers.

    Notes
    -----
    This is the *conditional* exponent: it belongs to the drive as well. For the identity activation
    it is the log of `effective_spectral_radius`, whatever the drive. The Jacobian of a Reservoir is
    known; any other memory is followed from two states, brought back to a small distance after
    every row.

    References
    ----------
    G. Benettin et al., Meccanica 15 (1980), 9-30; J. C. Sprott, Chaos and Time-Series Analysis
    (2003), section 5.6 (two trajectories).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import lyapunov_exponent
    >>> cycle = Reservoir(20, topology="ring", spectral_radius=0.8, activation="identity")
    >>> bool(np.isclose(lyapunov_exponent(cycle, np.ones((300, 1))), np.log(0.8)))
    True
    """
    rows = check_one_series(X)
    memory = fitted_memory(reservoir, rows)
    if isinstance(memory, Reservoir):
        return float(lyapunov_spectrum(memory, X, n_exponents=1, washout=washout, dt=dt)[0])
    washout = _check_washout(washout, rows.shape[0])
    return _twin_growth(memory, rows, washout) / check_amount("dt", dt, lowest=1e-100)


@checked()
def lyapunov_spectrum(
    model: Any,
    X: Any = None,
    *,
    n_exponents: int = 3,
    n_timesteps: int = 10_000,
    washout: int = 100,
    dt: float = 1.0,
) -> np.ndarray:
    """Measure the largest Lyapunov exponents of a driven reservoir or of a model in free run.

    Parameters
    ----------
    model : Reservoir, or fitted ESNRegressor, ESNForecaster, MemoryRegressor of a Reservoir
        A reservoir (fitted or not; a clone is fitted) is driven by `X`. A model that predicts its
        own input runs freely from the end of its training.
    X : array-like of shape (n_timesteps, n_features), default=None
        Drive of a reservoir; None with a model.
    n_exponents : int, default=3
        At most the dimension of the state: all units, and n_features more in free run.
    n_timesteps : int, default=10000
        Rows of a free run, `washout` included.
    washout : int, default=100
        First rows over which nothing is counted.
    dt : float, default=1.0
        Time between rows; exponents are per unit of it.

    Returns
    -------
    ndarray of shape (n_exponents,)
        In falling order. -inf where disturbances are gone after finitely many rows.

    Raises
    ------
    ValueError
        For a model that cannot run freely or whose readout is not linear, or parameters out of
        range.
    TypeError
        For a memory other than a Reservoir.
    DivergenceError
        If the states or the free run leave the finite numbers.

    Notes
    -----
    A model that learned a chaotic system has its exponents among the first of its own. The others
    are those of the reservoir, which hide the strongly negative ones of the system unless the
    reservoir forgets faster: Lorenz-63 contracts by exp(-14.57 dt) a step. Disturbances are
    orthonormalised after every step; cost a step n_exponents products with W and n_units
    n_exponents^2 operations. A driven reservoir of several layers has the exponents of all of them,
    each driven by the one below.

    References
    ----------
    G. Benettin et al., Meccanica 15 (1980), 9-30.
    J. Pathak et al., Chaos 27 (2017), 121102 (the exponents of a trained reservoir).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> from reservoir.diagnostics import lyapunov_spectrum
    >>> turned = Reservoir(9, topology="orthogonal", spectral_radius=0.5, activation="identity")
    >>> np.exp(lyapunov_spectrum(turned, np.ones((200, 1)))).round(6)
    array([0.5, 0.5, 0.5])
    """
    dt = check_amount("dt", dt, lowest=1e-100)
    n_exponents = check_count("n_exponents", n_exponents)
    inner = getattr(model, "estimator_", model)
    if isinstance(inner, MemoryModel):
        if X is not None:
            raise ValueError("X drives a reservoir; a model runs freely, leave X out.")
        n_timesteps = check_count("n_timesteps", n_timesteps)
        memory, coef = _closed_loop_of(inner)
        trajectory = _free_run(inner, memory, n_timesteps)
    else:
        if not isinstance(model, Reservoir):
            raise TypeError(
                "lyapunov_spectrum needs a Reservoir or a fitted model of one; got "
                f"{type(model).__name__}. (lyapunov_exponent takes any memory.)"
            )
        if X is None:
            raise ValueError("X is missing: a reservoir needs rows to be driven by, zeros if none.")
        rows = check_one_series(X)
        memory, n_timesteps = fitted_memory(model, rows), rows.shape[0]
        assert isinstance(memory, Reservoir)
        coef = np.empty((0, memory._n_state))
        trajectory = _driven(memory, rows)
    washout = _check_washout(washout, n_timesteps)
    dimension = coef.shape[0] + memory._n_state
    if n_exponents > dimension:
        raise ValueError(f"n_exponents={n_exponents}, but the state has {dimension} dimensions.")
    growth = _growth(memory, coef, trajectory, n_exponents, washout)
    return growth / ((n_timesteps - washout) * dt)


def _check_washout(washout: Any, n_timesteps: int) -> int:
    washout = check_count("washout", washout, 0)
    if washout >= n_timesteps:
        raise ValueError(f"washout={washout} leaves none of the {n_timesteps} rows.")
    return washout


def _growth(
    memory: Reservoir,
    coef: np.ndarray,
    trajectory: Iterator[Stretch],
    n_exponents: int,
    washout: int,
) -> np.ndarray:
    """Log growth of disturbances over the trajectory's rows after the first `washout`."""
    layers = memory._layers or [memory]
    stops = np.cumsum([layer._n_state for layer in layers])
    n_fed, n_units = coef.shape[0], memory._n_state
    fed_columns = np.asarray(layers[0].input_weights_, dtype=np.float64)[:, :n_fed].T
    # Fixed generic directions: any but a set of measure zero turn into the fastest ones.
    start = np.random.RandomState(0).standard_normal((n_units + n_fed, n_exponents))
    tangents = np.ascontiguousarray(np.linalg.qr(start)[0])
    carried = [
        sparse.diags_array(layer._rates(np.float64)[0]) @ sparse.csr_array(layer.residual_weights_)
        for layer in layers
    ]
    arguments = (
        _compressed(_all_weights(layers)),
        _compressed(sparse.block_diag(carried)),
        stops,
        np.ascontiguousarray(fed_columns),
    )
    work = np.empty((tangents.shape[0] + 1, n_exponents))
    growth, ignored, n_seen = np.zeros(n_exponents), np.zeros(n_exponents), 0
    for rows, before, states in trajectory:
        gains = _gains(layers, stops, rows, before, states)
        cut = min(max(washout - n_seen, 0), gains.shape[0])
        for part, total in ((gains[:cut], ignored), (gains[cut:], growth)):
            tangent_growth(*arguments, part, coef, tangents, work, total)
        n_seen += gains.shape[0]
    return growth


def _all_weights(layers: list[Reservoir]) -> Any:
    """W of all layers, the input weights of one in the columns of the one below it."""
    blocks: list[list[Any]] = [[None] * len(layers) for _ in layers]
    for i, layer in enumerate(layers):
        blocks[i][i] = sparse.csr_array(layer.recurrent_weights_)
        if i:
            blocks[i][i - 1] = sparse.csr_array(layer.input_weights_)
    return sparse.block_array(blocks)


def _compressed(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = sparse.csr_array(matrix, dtype=np.float64)
    return rows.data, rows.indices.astype(np.uint64), rows.indptr.astype(np.uint64)


def _gains(
    layers: list[Reservoir],
    stops: np.ndarray,
    rows: np.ndarray,
    before: np.ndarray,
    states: np.ndarray,
) -> np.ndarray:
    """a f'(pre(t)) of all units, a row a step."""
    gains, below = np.empty(before.shape), rows
    for layer, stop in zip(layers, stops, strict=True):
        own = slice(stop - layer._n_state, stop)
        matrix, columns, bias = (
            weights.astype(np.float64)
            for weights in (layer.recurrent_weights_, layer.input_weights_, layer.bias_)
        )
        pre = (matrix @ before[:, own].T).T + below @ columns.T + bias
        gains[:, own] = layer._rates(np.float64)[1] * SLOPES[layer.activation](pre)
        below = states[:, own]
    return gains


def _driven(memory: Reservoir, rows: np.ndarray) -> Iterator[Stretch]:
    """Yield blocks of rows with the states before and after each of them, in float64."""
    state = np.zeros(memory._n_state, dtype=memory._dtype_for(rows.dtype))
    for start in range(0, rows.shape[0], BLOCK):
        block = rows[start : start + BLOCK]
        before, states, state = _states_around(memory, block, state)
        yield block.astype(np.float64, copy=False), before, states


def _states_around(
    memory: Reservoir, rows: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    features, last = memory._advance(rows, state)
    states = features[:, : memory._n_state].astype(np.float64, copy=False)
    return np.concatenate([state[np.newaxis], states[:-1]]), states, last


def _closed_loop_of(model: MemoryModel) -> tuple[Reservoir, np.ndarray]:
    """Reservoir and weights B of a model that feeds itself, ``(n_fed, n_units + n_fed)``."""
    check_is_fitted(model, "memory_")
    memory, name = model.memory_, type(model).__name__
    if not isinstance(memory, Reservoir):
        raise TypeError(f"the memory must be a Reservoir; that of {name} is {memory!r}.")
    if getattr(model, "_n_feedback", 0):
        raise ValueError("models with feedback_scaling > 0 are not followed in free run.")
    linear = model._readout.linear
    if linear is None or not hasattr(model, "forecast"):
        raise ValueError(f"{name} has no linear readout whose output can be fed back.")
    n_fed, n_units = model.n_features_in_, memory._n_state
    if linear[0].shape[0] != n_fed:
        raise ValueError(
            f"a free run needs n_outputs == n_features; y has {linear[0].shape[0]} outputs and X "
            f"{n_fed} features."
        )
    # The columns are the states, the inputs if the memory passes them on, and again if the model
    # does; a state's own are the first.
    coef = np.zeros((n_fed, n_units + n_fed))
    coef[:, :n_units] = linear[0][:, :n_units]
    for first in range(n_units, linear[0].shape[1], n_fed):
        coef[:, n_units:] += linear[0][:, first : first + n_fed]
    return memory, coef


def _free_run(model: Any, memory: Reservoir, n_timesteps: int) -> Iterator[Stretch]:
    """As `_driven`, on the model's own output from the end of its training."""
    columns, state, _ = model._end
    first = model._readout.predict(columns)[0]
    for start in range(0, n_timesteps, BLOCK):
        n = min(BLOCK, n_timesteps - start)
        outputs = model._free_run(first, state, n + 1).reshape(n + 1, -1)
        before, states, state = _states_around(memory, outputs[:-1], state)
        first = outputs[-1]
        yield outputs[:-1].astype(np.float64, copy=False), before, states


def _twin_growth(memory: Memory, rows: np.ndarray, washout: int) -> float:
    """Mean log growth a row of a small distance between two states."""
    dtype = memory._dtype_for(rows.dtype)
    state, small = np.zeros(memory._n_state, dtype=dtype), np.sqrt(np.finfo(dtype).eps)
    if state.size == 0:
        return -np.inf
    direction = np.random.RandomState(0).standard_normal(state.size)
    direction /= np.linalg.norm(direction)
    total = 0.0
    for t in range(rows.shape[0]):
        twin = (state + small * max(1.0, np.abs(state).max()) * direction).astype(dtype)
        distance = np.linalg.norm((twin - state).astype(np.float64))
        state = memory._advance(rows[t : t + 1], state)[1]
        apart = (memory._advance(rows[t : t + 1], twin)[1] - state).astype(np.float64)
        length = np.linalg.norm(apart)
        if length == 0:
            return -np.inf
        direction = apart / length
        total += np.log(length / distance) if t >= washout else 0.0
    return float(total / (rows.shape[0] - washout))
