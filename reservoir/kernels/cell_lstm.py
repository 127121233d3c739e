"""Long short-term memory cell: forward and backward over a window of a batch, feature-major.

Columns and weights are laid out as in the Elman cell: ``columns[t] = [h(t-1); x(t); 1]``, one
matrix product a step gives all four gates, one for the window their weight gradients. The gates
of a step are four contiguous blocks of (n_units, batch), rows i, f, g, o.
"""

import numpy as np
from numba import njit

from .activations import sigmoid, tanh


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def lstm_forward(weights, lengths, columns, gates, cells, squashed):
    """Run the cell over the window.

    Parameters
    ----------
    weights : (4 n_units, n_columns) [recurrent | input | bias]
    lengths : (batch,) time steps of each series; its state is zero from there on
    columns : (n_timesteps + 1, n_columns, batch), inputs and ones given, the state before the
        window in columns[0, :n_units]; columns[t + 1, :n_units] becomes h(t)
    gates : (n_timesteps, 4 n_units, batch) becomes the activated gates
    cells : (n_timesteps + 1, n_units, batch), cells[0] given; cells[t + 1] becomes c(t)
    squashed : (n_timesteps, n_units, batch) becomes tanh c(t)
    """
    n_timesteps, n_units, n_batch = squashed.shape
    n = n_units * n_batch
    zero = columns.dtype.type(0)
    for t in range(n_timesteps):
        # i, f, o = sigmoid(.), g = tanh(.) of W h(t-1) + U x(t) + b
        # c(t) = f c(t-1) + i g,  h(t) = o tanh c(t)
        np.dot(weights, columns[t], gates[t])
        z = gates[t].reshape(4 * n)
        i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
        before, c = cells[t].reshape(n), cells[t + 1].reshape(n)
        s, h = squashed[t].reshape(n), columns[t + 1, :n_units].reshape(n)
        for j in range(n):
            i[j] = sigmoid(i[j])
            f[j] = sigmoid(f[j])
            g[j] = tanh(g[j])
            o[j] = sigmoid(o[j])
        for j in range(n):
            c[j] = f[j] * before[j] + i[j] * g[j]
        for j in range(n):
            s[j] = tanh(c[j])
            h[j] = o[j] * s[j]
        for b in range(n_batch):
            if t >= lengths[b]:
                for k in range(n_units):
                    columns[t + 1, k, b] = zero
                    cells[t + 1, k, b] = zero


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def lstm_backward(recurrent_t, gates, cells, squashed, upstream, dh, dc):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, 4 n_units) W'
    gates : (n_timesteps, 4 n_units, batch) as `lstm_forward` left them; becomes the gradient with
        respect to what the gates' activations take
    cells, squashed : as `lstm_forward` left them
    upstream : (n_timesteps, n_units, batch) dL/dh(t) from above, zero where no series is
    dh, dc : (n_units, batch) gradients of the last step from beyond the window; become those of
        the state before it
    """
    n_timesteps, n_units, n_batch = upstream.shape
    n = n_units * n_batch
    one = gates.dtype.type(1)
    from_h, from_c = dh.reshape(n), dc.reshape(n)
    for t in range(n_timesteps - 1, -1, -1):
        # dh = dL/dh(t) + W' dz(t+1),  dc = dc(t+1) f(t+1) + dh o (1 - tanh^2 c)
        # dz = [dc g i(1-i);  dc c(t-1) f(1-f);  dc i (1-g^2);  dh tanh(c) o(1-o)]
        z = gates[t].reshape(4 * n)
        i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
        before, s, u = cells[t].reshape(n), squashed[t].reshape(n), upstream[t].reshape(n)
        for j in range(n):
            h = from_h[j] + u[j]
            c = from_c[j] + h * o[j] * (one - s[j] * s[j])
            from_c[j] = c * f[j]
            o[j] = h * s[j] * o[j] * (one - o[j])
            f[j] = c * before[j] * f[j] * (one - f[j])
            from_i = c * g[j] * i[j] * (one - i[j])
            g[j] = c * i[j] * (one - g[j] * g[j])
            i[j] = from_i
        np.dot(recurrent_t, gates[t], dh)
