"""Kuramoto-Sivashinsky: a chaotic field on a ring."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from filters.signals import check_count, check_number
from filters.timeseries._sklearn_private import checked

from ._flows import MADE_FROM, Transient, check_state, check_step, n_skipped_of

_CONTOUR = 32  # points of the circle on which the coefficients are averaged


@checked(made=True, **MADE_FROM)
def kuramoto_sivashinsky(
    n_timesteps: int,
    *,
    n_points: int = 64,
    length: float = 22.0,
    dt: float = 0.25,
    subsampling: int = 1,
    initial_state: Any = None,
    transient: Transient = "auto",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    r"""Integrate the Kuramoto-Sivashinsky equation on a ring.

    .. math:: u_t + u\,u_x + u_{xx} + u_{xxxx} = 0, \quad u(x + L) = u(x)

    Parameters
    ----------
    n_timesteps : int
        Number of rows.
    n_points : int, default=64
        Points of the grid, at least 8 and even. About two a unit of `length`, or more.
    length : float, default=22.0
        L, the size of the ring: 22 is weakly chaotic; chaos grows with L.
    dt : float, default=0.25
        Step of the integrator in time units.
    subsampling : int, default=1
        Integrator steps a row, so that rows are ``dt * subsampling`` apart.
    initial_state : array-like of shape (n_points,), default=None
        Field at time 0, of mean zero. None draws a smooth one of unit size.
    transient : int or "auto", default="auto"
        Rows left out before the first one returned. "auto": 200 time units, or none if
        `initial_state` is given, so that row 0 is `initial_state`.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial field.

    Returns
    -------
    ndarray of shape (n_timesteps, n_points)
        Column i is u at ``x = i * length / n_points``.

    Raises
    ------
    ValueError
        For a bad argument, an initial field whose mean is not zero, and where the integration
        leaves the finite numbers.

    Notes
    -----
    Fourier modes in space, the fourth-order exponential Runge-Kutta scheme of [1]_ in time, a third
    of the modes left out of the products (no aliasing). The largest Lyapunov exponent is about
    0.043 per time unit at L = 22.

    References
    ----------
    .. [1] A.-K. Kassam, L. N. Trefethen, SIAM J. Scientific Computing 26(4), 2005, pp. 1214-1233.

    Examples
    --------
    >>> from reservoir.datasets import kuramoto_sivashinsky
    >>> kuramoto_sivashinsky(10, random_state=0).shape
    (10, 64)
    """
    n = check_count("n_timesteps", n_timesteps)
    m = check_count("n_points", n_points, minimum=8)
    if m % 2:
        raise ValueError(f"n_points must be even, got {m}.")
    length = check_number("length", length, above=0.0)
    dt = check_step(dt)
    per_row = check_count("subsampling", subsampling)
    n_skipped = n_skipped_of(transient, 200.0, dt * per_row, initial_state is not None)
    start = _first_field(initial_state, m, random_state)
    step = _Stepper(m, length, dt)
    rows = np.empty((n, m))
    modes = np.fft.rfft(start)
    for t in range(n_skipped + n):
        if t >= n_skipped:
            rows[t - n_skipped] = np.fft.irfft(modes, m) if t else start
        if t == n_skipped + n - 1:
            break
        for _ in range(per_row):
            modes = step(modes)
        if not np.isfinite(modes[1]):
            raise ValueError(
                f"The Kuramoto-Sivashinsky integration with dt={dt}, n_points={m} left the finite "
                f"numbers at row {t}. Lower dt, or take more points."
            )
    return rows


def _first_field(initial_state: Any, n_points: int, random_state: Any) -> np.ndarray:
    if initial_state is None:
        rng = check_random_state(random_state)
        angle = 2.0 * np.pi * np.arange(n_points) / n_points
        waves = np.arange(1, 4)[:, np.newaxis] * angle
        return rng.standard_normal(3) @ np.cos(waves) + rng.standard_normal(3) @ np.sin(waves)
    start = check_state(initial_state, n_points)
    if abs(start.mean()) > 1e-8 * max(np.abs(start).max(), 1.0):
        raise ValueError(
            f"initial_state must have mean zero, got {start.mean():g}: take its mean off."
        )
    return start


class _Stepper:
    """One step of ETDRK4 on the Fourier modes, coefficients as in [1] section 3."""

    def __init__(self, n_points: int, length: float, dt: float) -> None:
        wave = 2.0 * np.pi / length * np.arange(n_points // 2 + 1)
        linear = wave**2 - wave**4
        kept = np.arange(n_points // 2 + 1) < n_points / 3
        self.n_points = n_points
        self.factor = -0.5j * wave * kept
        self.full, self.half = np.exp(dt * linear), np.exp(dt * linear / 2.0)
        # Means over a circle around dt * linear, where the formulas lose no digits.
        circle = np.exp(1j * np.pi * (np.arange(1, _CONTOUR + 1) - 0.5) / _CONTOUR)
        z = dt * linear[:, np.newaxis] + circle
        with np.errstate(over="ignore"):
            e = np.exp(z)
        self.q = dt * ((np.exp(z / 2.0) - 1.0) / z).real.mean(axis=1)
        self.f1 = dt * ((-4.0 - z + e * (4.0 - 3.0 * z + z**2)) / z**3).real.mean(axis=1)
        self.f2 = dt * ((2.0 + z + e * (-2.0 + z)) / z**3).real.mean(axis=1)
        self.f3 = dt * ((-4.0 - 3.0 * z - z**2 + e * (4.0 - z)) / z**3).real.mean(axis=1)

    def __call__(self, v: np.ndarray) -> np.ndarray:
        nv = self.nonlinear(v)
        a = self.half * v + self.q * nv
        na = self.nonlinear(a)
        b = self.half * v + self.q * na
        nb = self.nonlinear(b)
        c = self.half * a + self.q * (2.0 * nb - nv)
        nc = self.nonlinear(c)
        return self.full * v + self.f1 * nv + 2.0 * self.f2 * (na + nb) + self.f3 * nc

    def nonlinear(self, v: np.ndarray) -> np.ndarray:
        """Modes of -u u_x = -(u^2)_x / 2."""
        return self.factor * np.fft.rfft(np.fft.irfft(v, self.n_points) ** 2)
