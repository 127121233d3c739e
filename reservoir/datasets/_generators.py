"""Seeded generators of the benchmark sequences; time is axis 0, row 0 comes first."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from filters.signals import check_count, check_number
from filters.timeseries._sklearn_private import StrOptions, checked

from ..kernels.sequences import mackey_glass_euler, mackey_glass_rk4
from ..kernels.sequences import narma as narma_recursion
from ._flows import MADE_FROM, check_size, check_state, check_step, integrate, n_skipped_of

_MOST_STEPS = 300_000_000  # of Mackey-Glass, all in memory: 2.4 GB

LORENZ_LYAPUNOV_EXPONENT = 0.9056
"""Largest Lyapunov exponent of the Lorenz system at its default coefficients, per time unit."""

# Without input, order 10 grows by itself beyond 1.24; of 2000 draws of 5000 rows, those that
# survived stayed below 1.3 and 40 ran away.
NARMA_LIMIT = 2.0
NARMA_MAX_DRAWS = 100

MSO_FREQUENCIES = (0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97)


@checked(made=True, random_state=["random_state"])
def narma(
    n_timesteps: int,
    *,
    order: int = 10,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Draw a nonlinear autoregressive moving-average task (NARMA).

    .. math:: y(t + 1) = 0.3\,y(t) + 0.05\,y(t) \sum_{i=0}^{n-1} y(t - i)
        + 1.5\,u(t - n + 1)\,u(t) + 0.1

    with :math:`u \sim U[0, 0.5]` and zeros before the start. Orders above 10 are wrapped in tanh.

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    order : int, default=10
        The n of the equation.
    random_state : int, RandomState instance or None, default=None
        Seed of the input.

    Returns
    -------
    X : ndarray of shape (n_timesteps, 1)
        Input u.
    y : ndarray of shape (n_timesteps,)
        Row t is :math:`y(t + 1)`, the value determined by the inputs up to and including row t.

    Raises
    ------
    ValueError
        For a bad argument, and if every one of 100 inputs makes the recursion diverge.

    Notes
    -----
    An input that makes the recursion diverge is drawn anew as a whole (order 10: about one in fifty
    at 5000 rows, more than one in three at 100 000). With tanh, orders 20 and 30 settle near 0.76
    and 0.95 with a small variance.

    References
    ----------
    A. F. Atiya, A. G. Parlos, IEEE Trans. Neural Networks 11(3), 2000, pp. 697-709.
    H. Jaeger, "Adaptive nonlinear system identification with echo state networks", NIPS 2002.

    Examples
    --------
    >>> from reservoir.datasets import narma
    >>> X, y = narma(500, random_state=0)
    >>> X.shape, y.shape
    ((500, 1), (500,))
    """
    n = check_count("n_timesteps", n_timesteps)
    order = check_count("order", order)
    rng = check_random_state(random_state)
    y = np.zeros(n + 1)
    for _ in range(NARMA_MAX_DRAWS):
        u = rng.uniform(0.0, 0.5, n)
        if narma_recursion(u, order, order > 10, NARMA_LIMIT, y) < 0:
            return u[:, np.newaxis], y[1:]
    raise ValueError(
        f"The NARMA recursion of order {order} diverged within {n} steps for each of "
        f"{NARMA_MAX_DRAWS} inputs drawn. Draw several shorter series, or lower the order."
    )


@checked(made=True, method=[StrOptions({"euler", "rk4"})], **MADE_FROM)
def mackey_glass(
    n_timesteps: int,
    *,
    tau: float = 17.0,
    dt: float = 0.1,
    subsampling: int = 10,
    beta: float = 0.2,
    gamma: float = 0.1,
    exponent: float = 10.0,
    method: Literal["euler", "rk4"] = "euler",
    initial_history: float | None = None,
    transient: int | Literal["auto"] = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Integrate the Mackey-Glass delay equation.

    .. math:: \dot y(t) = \frac{\beta\,y(t - \tau)}{1 + y(t - \tau)^{n}} - \gamma\,y(t)

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    tau : float, default=17.0
        Delay in time units, a multiple of `dt`; 17 is mildly and 30 wildly chaotic.
    dt : float, default=0.1
        Step of the integrator in time units.
    subsampling : int, default=10
        Integrator steps a row, so that rows are ``dt * subsampling`` apart.
    beta, gamma, exponent : float, default=0.2, 0.1, 10.0
        Coefficients of the equation.
    method : {"euler", "rk4"}, default="euler"
        "euler" is the published recursion, whose step is part of the benchmark; "rk4" is of
        fourth order and approaches the equation itself.
    initial_history : float, default=None
        Constant, non-negative value up to time 0. None draws each step of the history uniformly
        from [1.1, 1.3].
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 1000 time units, or none if
        `initial_history` is given, so that row 0 is the value at time 0.
    random_state : int, RandomState instance or None, default=None
        Seed of the history.

    Returns
    -------
    ndarray of shape (n_timesteps, 1)
        The series as integrated; the squashing :math:`\tanh(y - 1)` of [1]_ is left to the user.

    Raises
    ------
    ValueError
        For a bad argument, and if the integration leaves the finite numbers.

    References
    ----------
    .. [1] H. Jaeger, "The echo state approach to analysing and training recurrent neural
       networks", GMD Report 148, 2001.
    .. [2] M. C. Mackey, L. Glass, Science 197(4300), 1977, pp. 287-289.

    Examples
    --------
    >>> from reservoir.datasets import mackey_glass
    >>> mackey_glass(300, tau=30, random_state=0).shape
    (300, 1)
    """
    n = check_count("n_timesteps", n_timesteps)
    tau = check_number("tau", tau, above=0.0)
    dt = check_number("dt", dt, above=0.0)
    subsampling = check_count("subsampling", subsampling)
    coefficients = (
        check_number("beta", beta),
        check_number("gamma", gamma),
        check_number("exponent", exponent),
    )
    n_delay = _delay_in_steps(tau, dt)
    if transient == "auto":
        n_skipped = 0 if initial_history is not None else int(np.ceil(1000.0 / (dt * subsampling)))
    else:
        n_skipped = transient
    now = n_delay + 1  # index of time 0: the cubic of "rk4" looks one step beyond the delay
    n_steps = now + 1 + (n_skipped + n - 1) * subsampling
    if n_steps > _MOST_STEPS:
        raise ValueError(
            f"n_timesteps={n}, transient={transient}, tau={tau:g} and dt={dt:g} ask for "
            f"{n_steps} steps of integration; at most {_MOST_STEPS} are kept in memory. Raise dt."
        )
    y = np.empty(n_steps)
    rng = check_random_state(random_state)
    if initial_history is None:
        y[: now + 1] = rng.uniform(1.1, 1.3, now + 1)
    else:
        y[: now + 1] = check_number("initial_history", initial_history, minimum=0.0)
    step = mackey_glass_euler if method == "euler" else mackey_glass_rk4
    with np.errstate(all="ignore"):  # uncompiled kernels would warn before the check below speaks
        step(*coefficients, dt, n_delay, y)
    rows = y[now + n_skipped * subsampling :: subsampling]
    if not np.isfinite(rows).all():
        raise ValueError(
            f"The Mackey-Glass integration with dt={dt} left the finite numbers. Lower dt."
        )
    return rows.copy()[:, np.newaxis]


@checked(made=True, **MADE_FROM)
def lorenz(
    n_timesteps: int,
    *,
    dt: float = 0.02,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8.0 / 3.0,
    initial_state: Any = None,
    transient: int | Literal["auto"] = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Integrate the Lorenz system of 1963.

    .. math:: \dot x = \sigma (y - x), \quad \dot y = x (\rho - z) - y, \quad
        \dot z = x y - \beta z

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    dt : float, default=0.02
        Time between rows. The integrator chooses its own steps.
    sigma, rho, beta : float, default=10.0, 28.0, 8 / 3
        Coefficients of the equations.
    initial_state : array-like of shape (3,), default=None
        State at time 0. None draws one near the attractor.
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 50 time units, or none if
        `initial_state` is given, so that row 0 is `initial_state`.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial state.

    Returns
    -------
    ndarray of shape (n_timesteps, 3)
        Columns x, y, z.

    Raises
    ------
    ValueError
        For a bad argument, and if the integrator gives up (coefficients that blow up).

    Notes
    -----
    Integrated by `scipy.integrate.solve_ivp` (DOP853, tolerances 1e-10; about 5 ms a time unit).
    The largest Lyapunov exponent at the default coefficients is `LORENZ_LYAPUNOV_EXPONENT`,
    0.9056: after some 25 time units even the last bit of a computation shows, so compare long
    runs of two machines by their statistics.

    References
    ----------
    E. N. Lorenz, J. Atmospheric Sciences 20(2), 1963, pp. 130-141.

    Examples
    --------
    >>> from reservoir.datasets import lorenz
    >>> lorenz(3, initial_state=[1.0, 2.0, 20.0])[0]
    array([ 1.,  2., 20.])
    """
    n = check_count("n_timesteps", n_timesteps)
    dt = check_step(dt)
    sigma, rho = check_number("sigma", sigma), check_number("rho", rho)
    beta = check_number("beta", beta)
    n_skipped = n_skipped_of(transient, 50.0, dt, initial_state is not None)
    if initial_state is None:
        rng = check_random_state(random_state)
        start = np.array([0.0, 0.0, rho - 1.0]) + rng.uniform(-10.0, 10.0, 3)
    else:
        start = check_state(initial_state, 3)
    check_size(start, sigma=sigma, rho=rho, beta=beta)

    def velocity(_, state):
        x, y, z = state.tolist()  # Python floats: twice as fast as array elements
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    name = f"Lorenz with sigma={sigma}, rho={rho}, beta={beta}"
    return integrate(name, velocity, start, dt, n_skipped, n)


@checked(made=True)
def mso(n_timesteps: int, *, n_sines: int = 2) -> np.ndarray:
    r"""Sum sines of incommensurate frequencies (multiple superimposed oscillators, MSO).

    .. math:: y(t) = \sum_{i=1}^{n} \sin(\omega_i t), \quad t = 0, 1, \dots

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    n_sines : int, default=2
        How many of the frequencies 0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97 (radians a step)
        to take, 1 to 8. The literature calls the result MSO2 to MSO8.

    Returns
    -------
    ndarray of shape (n_timesteps, 1)
        The sum; there is nothing random in it.

    Raises
    ------
    ValueError
        For a bad argument.

    Notes
    -----
    A linear recursion of order ``2 * n_sines`` continues the sequence exactly: this is a test of
    numerical conditioning, not of memory or nonlinearity.

    References
    ----------
    J. Schmidhuber et al., "Training recurrent networks by Evolino", Neural Computation 19(3), 2007.

    Examples
    --------
    >>> from reservoir.datasets import mso
    >>> mso(100, n_sines=8).shape
    (100, 1)
    """
    n = check_count("n_timesteps", n_timesteps)
    n_sines = check_count("n_sines", n_sines)
    if n_sines > len(MSO_FREQUENCIES):
        raise ValueError(f"n_sines must be at most {len(MSO_FREQUENCIES)}, got {n_sines}.")
    phases = np.outer(np.arange(n), MSO_FREQUENCIES[:n_sines])
    return np.sin(phases).sum(axis=1, keepdims=True)


def _delay_in_steps(tau: float, dt: float) -> int:
    n_delay = round(tau / dt)
    if n_delay < 2 or abs(n_delay * dt - tau) > 1e-9 * tau:
        raise ValueError(
            f"tau must be a multiple of dt and at least 2 * dt, got tau={tau}, dt={dt}."
        )
    return n_delay
