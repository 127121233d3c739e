"""Seeded chaotic flows and maps; time is axis 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy.integrate import solve_ivp
from sklearn.utils import check_random_state

from filters.signals import check_count, check_number
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import StrOptions, checked, positive_int

Transient = int | Literal["auto"]
MADE_FROM: dict[str, list[Any]] = {
    "transient": [positive_int(0), StrOptions({"auto"})],
    "random_state": ["random_state"],
}
"""What every generator of a flow asks of these two."""

# Beyond these a coefficient makes the steps of an integration too small to end, and a row is too
# far from the next one.
_LARGEST, _LONGEST_STEP = 1e4, 1e3
# An integration that would take more evaluations than this, about an hour of them, is given up.
_MOST_EVALUATIONS, _PATIENCE = 5e8, 200_000


def integrate(
    name: str,
    velocity: Callable[[float, np.ndarray], Any],
    start: np.ndarray,
    dt: float,
    n_skipped: int,
    n: int,
) -> np.ndarray:
    """Rows ``n_skipped ... n_skipped + n - 1`` of a flow, `dt` apart, from `start` at time 0.

    Raises
    ------
    ValueError
        If the integrator gives up; `name` is what the message calls the flow.
    """
    times = dt * np.arange(n_skipped, n_skipped + n)
    if times[-1] == 0.0:
        return start[np.newaxis].copy()  # solve_ivp returns nothing for a span of zero
    n_evaluations = 0

    def counted(time: float, state: np.ndarray) -> Any:
        nonlocal n_evaluations
        n_evaluations += 1
        # At the pace so far; asked seldom, since a fresh start may be slow.
        if n_evaluations % _PATIENCE == 0 and n_evaluations * times[-1] > _MOST_EVALUATIONS * time:
            raise ValueError(
                f"The integration of {name} would not end: {n_evaluations} evaluations took it to "
                f"time {time:g} of {times[-1]:g}. Its steps became too small; take a smaller span "
                "or other coefficients."
            )
        return velocity(time, state)

    solution = solve_ivp(
        counted, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-10, atol=1e-10
    )
    if not solution.success:
        raise ValueError(
            f"The integration of {name} stopped at time "
            f"{solution.t[-1] if solution.t.size else 0.0:g}: {solution.message}"
        )
    return np.ascontiguousarray(solution.y.T)


def check_step(dt: Any) -> float:
    """The time between rows as a float."""
    return check_number("dt", dt, above=0.0, below=_LONGEST_STEP)


def check_size(start: np.ndarray, **coefficients: float) -> None:
    """Raise a ValueError for an integration that would not end."""
    sizes = [abs(value) for value in coefficients.values()]
    if max(*sizes, float(np.abs(start).max())) > _LARGEST:
        given = ", ".join(f"{name}={value:g}" for name, value in coefficients.items())
        raise ValueError(
            f"{given} and initial_state must stay below {_LARGEST:g}: the steps of the "
            "integration would be too small to end."
        )


def n_skipped_of(transient: Transient, time: float, dt: float, is_given: bool) -> int:
    """Rows before the first one returned: `time` units, none from a given initial state."""
    if transient != "auto":
        return transient
    return 0 if is_given else int(np.ceil(time / dt))


def check_state(initial_state: Any, n: int) -> np.ndarray:
    """A finite initial state of `n` numbers."""
    start = as_numbers(initial_state, "initial_state")
    if start.shape != (n,) or np.iscomplexobj(start) or not np.isfinite(start).all():
        raise ValueError(f"initial_state must be {n} finite numbers, got {initial_state!r}.")
    return start.astype(np.float64)


@checked(made=True, **MADE_FROM)
def rossler(
    n_timesteps: int,
    *,
    dt: float = 0.1,
    a: float = 0.2,
    b: float = 0.2,
    c: float = 5.7,
    initial_state: Any = None,
    transient: Transient = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Integrate the Rossler system of 1976.

    .. math:: \dot x = -y - z, \quad \dot y = x + a y, \quad \dot z = b + z (x - c)

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    dt : float, default=0.1
        Time between rows. The integrator chooses its own steps.
    a, b, c : float, default=0.2, 0.2, 5.7
        Coefficients of the equations.
    initial_state : array-like of shape (3,), default=None
        State at time 0. None draws one near the attractor.
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 200 time units, or none if
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
    Integrated as `lorenz`. The largest Lyapunov exponent at the default coefficients is about 0.071
    per time unit.

    References
    ----------
    O. E. Rossler, Physics Letters A 57(5), 1976, pp. 397-398.

    Examples
    --------
    >>> from reservoir.datasets import rossler
    >>> rossler(100, random_state=0).shape
    (100, 3)
    """
    n = check_count("n_timesteps", n_timesteps)
    dt = check_step(dt)
    a, b, c = check_number("a", a), check_number("b", b), check_number("c", c)
    n_skipped = n_skipped_of(transient, 200.0, dt, initial_state is not None)
    if initial_state is None:
        start = check_random_state(random_state).uniform(-1.0, 1.0, 3) * [5.0, 5.0, 0.0]
    else:
        start = check_state(initial_state, 3)
    check_size(start, a=a, b=b, c=c)

    def velocity(_, state):
        x, y, z = state.tolist()
        return -y - z, x + a * y, b + z * (x - c)

    return integrate(f"Rossler with a={a}, b={b}, c={c}", velocity, start, dt, n_skipped, n)


@checked(made=True, **MADE_FROM)
def lorenz96(
    n_timesteps: int,
    *,
    n_variables: int = 40,
    forcing: float = 8.0,
    dt: float = 0.01,
    initial_state: Any = None,
    transient: Transient = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Integrate the Lorenz-96 ring.

    .. math:: \dot x_i = (x_{i+1} - x_{i-2})\, x_{i-1} - x_i + F, \quad i \bmod n

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    n_variables : int, default=40
        Sites of the ring, at least 4.
    forcing : float, default=8.0
        F; 8 and 10 are chaotic.
    dt : float, default=0.01
        Time between rows. The integrator chooses its own steps.
    initial_state : array-like of shape (n_variables,), default=None
        State at time 0. None draws ``forcing + 0.01 * normal``.
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 20 time units, or none if
        `initial_state` is given.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial state.

    Returns
    -------
    ndarray of shape (n_timesteps, n_variables)

    Raises
    ------
    ValueError
        For a bad argument, and if the integrator gives up.

    Notes
    -----
    Integrated as `lorenz`. With 40 sites the largest Lyapunov exponent is about 1.68 per time unit
    at F = 8 and 2.27 at F = 10. The products conserve energy:
    d/dt sum x^2 / 2 = sum (F x - x^2).

    References
    ----------
    E. N. Lorenz, Predictability: a problem partly solved, ECMWF seminar, 1996.

    Examples
    --------
    >>> from reservoir.datasets import lorenz96
    >>> lorenz96(50, random_state=0).shape
    (50, 40)
    """
    n = check_count("n_timesteps", n_timesteps)
    m = check_count("n_variables", n_variables, minimum=4)
    dt, forcing = check_step(dt), check_number("forcing", forcing)
    n_skipped = n_skipped_of(transient, 20.0, dt, initial_state is not None)
    if initial_state is None:
        start = forcing + 0.01 * check_random_state(random_state).standard_normal(m)
    else:
        start = check_state(initial_state, m)
    check_size(start, forcing=forcing)
    padded = np.empty(m + 3)

    def velocity(_, x):
        padded[2:-1], padded[:2], padded[-1] = x, x[-2:], x[0]
        return (padded[3:] - padded[:-3]) * padded[1:-2] - x + forcing

    return integrate(f"Lorenz-96 with forcing={forcing}", velocity, start, dt, n_skipped, n)


@checked(made=True, **MADE_FROM)
def henon(
    n_timesteps: int,
    *,
    a: float = 1.4,
    b: float = 0.3,
    initial_state: Any = None,
    transient: Transient = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Iterate the Henon map.

    .. math:: x(t + 1) = 1 - a\,x(t)^2 + y(t), \quad y(t + 1) = b\,x(t)

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    a, b : float, default=1.4, 0.3
        Coefficients of the equations.
    initial_state : array-like of shape (2,), default=None
        State of row 0. None draws one inside the basin of the default attractor.
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 1000, or none if `initial_state` is
        given.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial state.

    Returns
    -------
    ndarray of shape (n_timesteps, 2)
        Columns x, y.

    Raises
    ------
    ValueError
        For a bad argument, and where the map runs off to infinity.

    Notes
    -----
    At the default coefficients the Lyapunov exponents are about 0.419 and -1.623 a step; their sum
    is log b exactly.

    References
    ----------
    M. Henon, Communications in Mathematical Physics 50(1), 1976, pp. 69-77.

    Examples
    --------
    >>> from reservoir.datasets import henon
    >>> henon(3, initial_state=[0.0, 0.0])[:, 0]
    array([ 0. ,  1. , -0.4])
    """
    n = check_count("n_timesteps", n_timesteps)
    a, b = check_number("a", a), check_number("b", b)
    n_skipped = n_skipped_of(transient, 1000.0, 1.0, initial_state is not None)
    if initial_state is None:
        start = check_random_state(random_state).uniform(-0.1, 0.1, 2)
    else:
        start = check_state(initial_state, 2)
    rows = np.empty((n_skipped + n, 2))
    x, y = start.tolist()
    for t in range(rows.shape[0]):
        rows[t] = x, y
        if abs(x) > 1e6:
            raise ValueError(
                f"The Henon map with a={a}, b={b} ran off at step {t} (x={x:g}). Begin nearer to "
                "the attractor, or take other coefficients."
            )
        x, y = 1.0 - a * x * x + y, b * x
    return rows[n_skipped:].copy()
