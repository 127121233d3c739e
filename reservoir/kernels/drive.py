"""Reservoir steps: driven by data, or closed on the readout's own output.

Every sum here has an order fixed in the source (columns of a transposed dense matrix, eight named
accumulators for a sparse row), so states do not depend on how rows are cut into blocks nor on the
machine's vector width, which chaotic closed loops need.

A recurrent matrix W travels as a tuple of arrays and `_add_recurrent` picks its loop by the
tuple's length when it is compiled: ``(W.T,)`` for dense, ``(data, indices, indptr)`` for compressed
sparse rows with unsigned indices (signed ones are about twice as slow: they allow for wrap-around).
"""

import numpy as np
from numba import njit
from numba.extending import overload

from .activations import leaky_update


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _add_columns(wt, x, pre):
    """pre += wt.T @ x, eight columns of W at a time: vector loads, and no sum to reorder."""
    n = wt.shape[0]
    j = 0
    while j + 8 <= n:
        c0, c1, c2, c3 = wt[j], wt[j + 1], wt[j + 2], wt[j + 3]
        c4, c5, c6, c7 = wt[j + 4], wt[j + 5], wt[j + 6], wt[j + 7]
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        x4, x5, x6, x7 = x[j + 4], x[j + 5], x[j + 6], x[j + 7]
        for i in range(pre.size):
            a = (c0[i] * x0 + c1[i] * x1) + (c2[i] * x2 + c3[i] * x3)
            b = (c4[i] * x4 + c5[i] * x5) + (c6[i] * x6 + c7[i] * x7)
            pre[i] += a + b
        j += 8
    while j < n:
        c0, x0 = wt[j], x[j]
        for i in range(pre.size):
            pre[i] += c0[i] * x0
        j += 1


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _add_sparse(data, indices, indptr, x, pre):
    """pre += W @ x, row by row with eight accumulators (independent chains hide the latency)."""
    zero = data.dtype.type(0)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    five, six, seven, eight = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)
    for i in range(np.uint64(pre.size)):
        k = indptr[i]
        stop = indptr[i + one]
        a = b = c = d = e = f = g = h = zero
        while k + eight <= stop:
            a += data[k] * x[indices[k]]
            b += data[k + one] * x[indices[k + one]]
            c += data[k + two] * x[indices[k + two]]
            d += data[k + three] * x[indices[k + three]]
            e += data[k + four] * x[indices[k + four]]
            f += data[k + five] * x[indices[k + five]]
            g += data[k + six] * x[indices[k + six]]
            h += data[k + seven] * x[indices[k + seven]]
            k += eight
        while k + one < stop:
            a += data[k] * x[indices[k]]
            b += data[k + one] * x[indices[k + one]]
            k += two
        if k < stop:
            c += data[k] * x[indices[k]]
        pre[i] += ((a + b) + (c + d)) + ((e + f) + (g + h))


def _add_recurrent(recurrent, x, pre):
    if len(recurrent) == 1:
        _add_columns(recurrent[0], x, pre)
    else:
        _add_sparse(recurrent[0], recurrent[1], recurrent[2], x, pre)


@overload(_add_recurrent)
def _add_recurrent_jitted(recurrent, x, pre):
    if len(recurrent) == 1:
        return lambda recurrent, x, pre: _add_columns(recurrent[0], x, pre)
    return lambda recurrent, x, pre: _add_sparse(recurrent[0], recurrent[1], recurrent[2], x, pre)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def drive(recurrent, input_columns, bias, inputs, noise, leak, code, state, pre, states):
    """x(t) = (1 - a) x(t-1) + a f(W x(t-1) + W_in u(t) + b + noise(t)) for every row of `inputs`.

    Parameters
    ----------
    recurrent : tuple of arrays
        W, see the head of this file.
    input_columns : ndarray (n_features, n_units)
        W_in transposed.
    bias, leak : ndarray (n_units,)
    inputs : ndarray (n_timesteps, n_features)
    noise : ndarray (n_timesteps, n_units) or (0, 0)
        Added inside f; empty for none.
    code : int
        Activation, see ``reservoir.kernels.activations``.
    state : ndarray (n_units,)
        x before the first row; left alone.
    pre : ndarray (n_units,)
        Work space.
    states : ndarray (n_timesteps, n_units), written
        Row t is x(t), after seeing u(t).
    """
    n_units = pre.size
    for t in range(inputs.shape[0]):
        for i in range(n_units):
            pre[i] = bias[i]
        if noise.shape[0] > 0:
            for i in range(n_units):
                pre[i] += noise[t, i]
        for f in range(input_columns.shape[0]):
            column, u = input_columns[f], inputs[t, f]
            for i in range(n_units):
                pre[i] += column[i] * u
        _add_recurrent(recurrent, state, pre)
        leaky_update(code, leak, pre, state, states[t])
        state = states[t]


@njit(cache=True, error_model="numpy", nogil=True)
def closed_loop(
    recurrent,
    input_columns,
    bias,
    leak,
    code,
    coef,
    intercept,
    inputs,
    feedback_at,
    n_visible,
    last_output,
    state,
    pre,
    outputs,
):
    """Run the reservoir on its own output: u(t) takes y(t-1), then y(t) = c + B [x(t), u(t)].

    Parameters
    ----------
    recurrent, input_columns, bias, leak, code, pre : see `drive`
    coef : ndarray (n_outputs, n_units [+ n_visible])
    intercept : ndarray (n_outputs,)
    inputs : ndarray (n_timesteps, n_features)
        Columns ``feedback_at .. feedback_at + n_outputs`` are overwritten with y(t-1); the others
        are given from outside.
    feedback_at : int
    n_visible : int
        How many leading input columns the readout sees (0: states only).
    last_output : ndarray (n_outputs,)
        y before the first step; left alone.
    state : ndarray (n_units,), updated in place
    outputs : ndarray (n_timesteps, n_outputs), written

    Returns
    -------
    int
        First step whose output is not finite, or -1.
    """
    n_units = pre.size
    n_outputs = coef.shape[0]
    previous = last_output
    for t in range(inputs.shape[0]):
        for o in range(n_outputs):
            inputs[t, feedback_at + o] = previous[o]
        for i in range(n_units):
            pre[i] = bias[i]
        for f in range(input_columns.shape[0]):
            column, u = input_columns[f], inputs[t, f]
            for i in range(n_units):
                pre[i] += column[i] * u
        _add_recurrent(recurrent, state, pre)
        leaky_update(code, leak, pre, state, state)
        previous = outputs[t]
        for o in range(n_outputs):
            y = intercept[o]
            for i in range(n_units):
                y += coef[o, i] * state[i]
            for f in range(n_visible):
                y += coef[o, n_units + f] * inputs[t, f]
            previous[o] = y
            if not np.isfinite(y):
                return t
    return -1
