"""Elman cell: forward and backward over a window of a batch, feature-major.

The window of a layer lives in one array, ``columns[t] = [h(t-1); x(t); 1]`` with the batch
contiguous, and its weights in another, ``[W | U | b]``. So recurrent part, input part and bias are
one matrix product a step, and the gradient of all three is one product for the whole window, which
the caller makes from what `elman_backward` leaves.
"""

import numpy as np
from numba import njit

from .activations import tanh


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def elman_forward(weights, relu, lengths, scratch, columns):
    """Run the cell over the window.

    Parameters
    ----------
    weights : (n_units, n_columns) [recurrent | input | bias]
    relu : use max(a, 0) in place of tanh
    lengths : (batch,) time steps of each series; its state is zero from there on
    scratch : (n_units, batch)
    columns : (n_timesteps + 1, n_columns, batch), inputs and ones given, the state before the
        window in columns[0, :n_units]; columns[t + 1, :n_units] becomes h(t)
    """
    n_units, n_batch = scratch.shape
    zero = columns.dtype.type(0)
    a = scratch.reshape(n_units * n_batch)
    for t in range(columns.shape[0] - 1):
        # h(t) = f(W h(t-1) + U x(t) + b)
        np.dot(weights, columns[t], scratch)
        h = columns[t + 1, :n_units].reshape(n_units * n_batch)
        if relu:
            for j in range(a.size):
                h[j] = zero if a[j] < zero else a[j]  # a NaN stays one
        else:
            for j in range(a.size):
                h[j] = tanh(a[j])
        for b in range(n_batch):
            if t >= lengths[b]:
                for i in range(n_units):
                    columns[t + 1, i, b] = zero


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def elman_backward(recurrent_t, relu, columns, dh, grads):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, n_units) W'
    relu, columns : as `elman_forward` left them
    dh : (n_units, batch) dL/dh of the last step from beyond the window; becomes dL/dh of the
        state before it
    grads : (n_timesteps, n_units, batch) dL/dh(t) from above, zero where no series is; becomes
        dL/da(t), a being what the activation takes
    """
    n_units, n_batch = dh.shape
    zero = columns.dtype.type(0)
    one = columns.dtype.type(1)
    d = dh.reshape(n_units * n_batch)
    for t in range(grads.shape[0] - 1, -1, -1):
        # da(t) = (dL/dh(t) + W' da(t+1)) f'(a(t)),  tanh' = 1 - h^2,  relu' = 1 where h > 0
        h = columns[t + 1, :n_units].reshape(n_units * n_batch)
        g = grads[t].reshape(n_units * n_batch)
        if relu:
            for j in range(g.size):
                g[j] = g[j] + d[j] if h[j] > zero else zero
        else:
            for j in range(g.size):
                g[j] = (g[j] + d[j]) * (one - h[j] * h[j])
        np.dot(recurrent_t, grads[t], dh)
