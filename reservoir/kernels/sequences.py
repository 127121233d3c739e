"""Recursions that generate benchmark sequences.

Not hot: they use libm's tanh and pow. Chaotic sequences must not depend on the machine's vector
width, so no fastmath flags here.
"""

import math

from numba import njit


@njit(cache=True, error_model="numpy")
def narma(u, order, squash, limit, y):
    """Write the NARMA response to `u` into `y`; y[0] is the start, y[t + 1] answers u[t].

    Parameters
    ----------
    u : (n,) input
    order : number of past outputs and the input lag plus one
    squash : wrap each value in tanh
    limit : values of this magnitude or more count as divergence
    y : (n + 1,) output, y[0] given; inputs and outputs before the start are zero

    Returns
    -------
    First t whose y[t + 1] reached the limit, -1 if none did.
    """
    # y[t+1] = .3 y[t] + .05 y[t] sum_{i<order} y[t-i] + 1.5 u[t-order+1] u[t] + .1
    for t in range(u.shape[0]):
        total = 0.0
        for i in range(min(order, t + 1)):
            total += y[t - i]
        value = 0.3 * y[t] + 0.05 * y[t] * total + 0.1
        if t >= order - 1:
            value += 1.5 * u[t - order + 1] * u[t]
        if squash:
            value = math.tanh(value)
        if not abs(value) < limit:
            return t
        y[t + 1] = value
    return -1


@njit(cache=True, error_model="numpy")
def mackey_glass_euler(beta, gamma, exponent, dt, n_delay, y):
    """Continue `y` in place by Euler steps of the Mackey-Glass equation.

    Parameters
    ----------
    beta, gamma, exponent : coefficients of y' = beta y_tau / (1 + y_tau^exponent) - gamma y
    dt : step
    n_delay : delay in steps
    y : (n,) whose first n_delay + 2 values are the history
    """
    # y[k+1] = y[k] + dt f(y[k], y[k - n_delay])
    for k in range(n_delay + 1, y.shape[0] - 1):
        delayed = y[k - n_delay]
        y[k + 1] = y[k] + dt * (beta * delayed / (1.0 + delayed**exponent) - gamma * y[k])


@njit(cache=True, error_model="numpy")
def mackey_glass_rk4(beta, gamma, exponent, dt, n_delay, y):
    """Continue `y` in place by classical Runge-Kutta steps; arguments as `mackey_glass_euler`.

    The delayed value at half a step is the cubic through its four neighbours, which keeps the
    fourth order and needs n_delay >= 2.
    """
    for k in range(n_delay + 1, y.shape[0] - 1):
        j = k - n_delay
        begin = y[j]
        middle = (9.0 * (y[j] + y[j + 1]) - y[j - 1] - y[j + 2]) / 16.0
        end = y[j + 1]
        drive_begin = beta * begin / (1.0 + begin**exponent)
        drive_middle = beta * middle / (1.0 + middle**exponent)
        drive_end = beta * end / (1.0 + end**exponent)
        k1 = drive_begin - gamma * y[k]
        k2 = drive_middle - gamma * (y[k] + 0.5 * dt * k1)
        k3 = drive_middle - gamma * (y[k] + 0.5 * dt * k2)
        k4 = drive_end - gamma * (y[k] + dt * k3)
        y[k + 1] = y[k] + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
