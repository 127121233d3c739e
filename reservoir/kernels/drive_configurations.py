"""Reservoir steps of many configurations of one reservoir: arrays (n_units, n_lanes).

Configurations that differ in spectral radius, leak rate and scalings share their drawn matrices, so
a weight is loaded once for all of them: 300 units with 10 % connections, 32 lanes, take 1.8 us a
step and configuration (float32 1.0) where a reservoir of its own takes 4.0 (3.3). With that many
lanes the column numbers cost nothing, and a dense matrix may come as compressed rows too.

The radius multiplies the sum of the recurrent terms and not each weight: states are those of a
reservoir of its own to rounding, not bit for bit.

Arrays of lanes are indexed flat: unit i, lane b at ``i * n_lanes + b``.
"""

import numpy as np
from numba import njit

from .activations import leaky_update


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _recurrent(values, columns, starts, x, n_lanes, pre):
    """pre = W @ x in every lane, row by row, eight entries of it at a time."""
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    five, six, seven, eight = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)
    zero = x.dtype.type(0)
    for i in range(np.uint64(starts.size) - one):
        out, k, stop = i * n_lanes, starts[i], starts[i + one]
        for b in range(n_lanes):
            pre[out + b] = zero
        while k + eight <= stop:
            w0, x0 = values[k], columns[k] * n_lanes
            w1, x1 = values[k + one], columns[k + one] * n_lanes
            w2, x2 = values[k + two], columns[k + two] * n_lanes
            w3, x3 = values[k + three], columns[k + three] * n_lanes
            w4, x4 = values[k + four], columns[k + four] * n_lanes
            w5, x5 = values[k + five], columns[k + five] * n_lanes
            w6, x6 = values[k + six], columns[k + six] * n_lanes
            w7, x7 = values[k + seven], columns[k + seven] * n_lanes
            for b in range(n_lanes):
                a = pre[out + b] + w0 * x[x0 + b]
                a += w1 * x[x1 + b]
                a += w2 * x[x2 + b]
                a += w3 * x[x3 + b]
                a += w4 * x[x4 + b]
                a += w5 * x[x5 + b]
                a += w6 * x[x6 + b]
                a += w7 * x[x7 + b]
                pre[out + b] = a
            k += eight
        while k < stop:
            w0, x0 = values[k], columns[k] * n_lanes
            for b in range(n_lanes):
                pre[out + b] += w0 * x[x0 + b]
            k += one


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def drive_configurations(
    recurrent, fed, bias, radius, input_scaling, bias_scaling, kept, leak, code, pre, x, states
):
    """x(t) = k x(t-1) + a f(r W x(t-1) + s W_in u(t) + c b), with r, s, c, k, a of every lane.

    Parameters
    ----------
    recurrent : tuple of arrays ``(values, columns, starts)``
        W as compressed rows, the numbers unsigned: row i is ``starts[i] .. starts[i + 1]``.
    fed : ndarray (n_timesteps, n_units)
        W_in u(t), one row a step.
    bias : ndarray (n_units,)
        b.
    radius, input_scaling, bias_scaling : ndarray (n_lanes,)
        r, s and c.
    kept, leak : ndarray (n_units * n_lanes,)
        k and a.
    code : int
        Activation, see ``reservoir.kernels.activations``.
    pre : ndarray (n_units * n_lanes,)
        Work space.
    x : ndarray (n_units * n_lanes,), updated in place
    states : ndarray (n_lanes, n_timesteps, n_units), written
        x(t) of every lane, after seeing u(t).
    """
    n_units, n_lanes = np.uint64(bias.size), np.uint64(radius.size)
    for t in range(fed.shape[0]):
        _recurrent(recurrent[0], recurrent[1], recurrent[2], x, n_lanes, pre)
        row = fed[t]
        for i in range(n_units):
            u, c, out = row[i], bias[i], i * n_lanes
            for b in range(n_lanes):
                drawn = input_scaling[b] * u + bias_scaling[b] * c
                pre[out + b] = radius[b] * pre[out + b] + drawn
        leaky_update(code, kept, leak, pre, x, x)
        for b in range(n_lanes):
            lane = states[b, t]
            for i in range(n_units):
                lane[i] = x[i * n_lanes + b]
