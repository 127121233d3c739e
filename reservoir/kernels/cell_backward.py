"""Recurrent cells, backward over the window that `cell_forward` left behind.

Each kernel turns dL/dh(t) from above into the gradient with respect to the pre-activations
W recurrent + U x + b, from which the caller makes those of all weights by one product for the whole
window, and leaves dL/d state before the window.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def elman_backward(recurrent_t, relu, columns, dh, grads):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, n_units) W'
    relu, columns : as `elman_forward` left them
    dh : (n_units, batch) zero; becomes dL/dh before the window
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def lstm_backward(recurrent_t, peephole, lengths, beyond, gates, cells, squashed, upstream, dh, dc):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, 4 n_units) W'
    peephole, lengths : as `lstm_forward` took them
    beyond : (n_units, batch) dL/dc of the last step of each series, from beyond the window
    gates : (n_timesteps, 4 n_units, batch) as `lstm_forward` left them; becomes the gradient with
        respect to what the gates' activations take
    cells, squashed : as `lstm_forward` left them
    upstream : (n_timesteps, n_units, batch) dL/dh(t) from above, zero where no series is
    dh, dc : (n_units, batch) zero, and a copy of `beyond`; become dL/dh, dL/dc before the window
    """
    n_timesteps, n_units, n_batch = upstream.shape
    n = n_units * n_batch
    one = gates.dtype.type(1)
    from_h, from_c = dh.reshape(n), dc.reshape(n)
    for t in range(n_timesteps - 1, -1, -1):
        # dh = dL/dh(t) + W' dz(t+1),  dc = dc(t+1) f(t+1) + dh o (1 - tanh^2 c) + p_o do
        # dz = [dc g i(1-i);  dc c(t-1) f(1-f);  dc i (1-g^2);  dh tanh(c) o(1-o)]
        z = gates[t].reshape(4 * n)
        i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
        before, s, u = cells[t].reshape(n), squashed[t].reshape(n), upstream[t].reshape(n)
        for j in range(n):
            h = from_h[j] + u[j]
            from_c[j] += h * o[j] * (one - s[j] * s[j])
            o[j] = h * s[j] * o[j] * (one - o[j])
        if peephole.size:
            _add_scaled(peephole[2], o, from_c)
        for j in range(n):
            c = from_c[j]
            from_c[j] = c * f[j]
            f[j] = c * before[j] * f[j] * (one - f[j])
            from_i = c * g[j] * i[j] * (one - i[j])
            g[j] = c * i[j] * (one - g[j] * g[j])
            i[j] = from_i
        if peephole.size:
            _add_scaled(peephole[0], i, from_c)
            _add_scaled(peephole[1], f, from_c)
        _restore_ended(t, lengths, beyond, gates[t], dc)
        np.dot(recurrent_t, gates[t], dh)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _add_scaled(per_unit, values, out):
    """out += diag(per_unit) values, both (n_units, batch) flat."""
    n_batch = out.size // per_unit.size
    for k in range(per_unit.size):
        p = per_unit[k]
        for j in range(k * n_batch, (k + 1) * n_batch):
            out[j] += p * values[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _restore_ended(t, lengths, beyond, gates, dc):
    """Where a series has ended before step t: no gradient, dL/dc waits for its last step."""
    zero = gates.dtype.type(0)
    for b in range(lengths.size):
        if t >= lengths[b]:
            for k in range(gates.shape[0]):
                gates[k, b] = zero
            for k in range(dc.shape[0]):
                dc[k, b] = beyond[k, b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def gru_backward(gates_t, candidate_t, columns, gates, upstream, scratch, dh):
    """Send the gradient back through the window.

    Parameters
    ----------
    gates_t : (n_units, 2 n_units) W' of z and r
    candidate_t : (n_units, n_units) W' of h~
    columns : as `gru_forward` left them
    gates : (n_timesteps, 3 n_units, batch) as `gru_forward` left them; becomes the gradient with
        respect to what the activations take
    upstream : (n_timesteps, n_units, batch) dL/dh(t) from above, zero where no series is
    scratch : (n_units, batch)
    dh : (n_units, batch) zero; becomes dL/dh before the window
    """
    n_timesteps, n_units, n_batch = upstream.shape
    n = n_units * n_batch
    one = gates.dtype.type(1)
    d, from_dot = dh.reshape(n), scratch.reshape(n)
    for t in range(n_timesteps - 1, -1, -1):
        # dh~ = dh z (1-h~^2),  dz = dh (h~ - h) z(1-z),  d(r h) = W_h' dh~,  dr = d(r h) h r(1-r)
        # dh(t-1) = dh (1-z) + d(r h) r + W_zr' [dz; dr]
        flat = gates[t].reshape(3 * n)
        z, r, candidate = flat[:n], flat[n : 2 * n], flat[2 * n :]
        before, u = columns[t, :n_units].reshape(n), upstream[t].reshape(n)
        for j in range(n):
            h = d[j] + u[j]
            d[j] = h * (one - z[j])
            from_candidate = h * z[j] * (one - candidate[j] * candidate[j])
            z[j] = h * (candidate[j] - before[j]) * z[j] * (one - z[j])
            candidate[j] = from_candidate
        np.dot(candidate_t, gates[t, 2 * n_units :], scratch)
        for j in range(n):
            d[j] += from_dot[j] * r[j]
            r[j] = from_dot[j] * before[j] * r[j] * (one - r[j])
        np.dot(gates_t, gates[t, : 2 * n_units], scratch)
        for j in range(n):
            d[j] += from_dot[j]
