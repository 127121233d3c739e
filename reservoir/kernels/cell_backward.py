"""Recurrent cells, backward over the window that `cell_forward` left behind.

Each kernel turns dL/dh(t) from above into the gradient with respect to the pre-activations
W recurrent + U x + b, from which the caller makes those of all weights by one product for the whole
window, and leaves dL/d state before the window.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def elman_backward(recurrent_t, block, relu, columns, dh, grads):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, n_units) W'
    block : rows of it multiplied at a time, see `cell_forward`
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
        for r in range(0, n_units, block):
            np.dot(recurrent_t[r : r + block], grads[t], dh[r : r + block])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def lstm_backward(
    recurrent_t, block, peephole, lengths, beyond, gates, cells, squashed, upstream, dh, dc
):
    """Send the gradient back through the window.

    Parameters
    ----------
    recurrent_t : (n_units, 4 n_units) W'
    block : rows of it multiplied at a time
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
        for r in range(0, n_units, block):
            np.dot(recurrent_t[r : r + block], gates[t], dh[r : r + block])


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
def gru_backward(gates_t, candidate_t, block, columns, gates, upstream, scratch, dh):
    """Send the gradient back through the window.

    Parameters
    ----------
    gates_t : (n_units, 2 n_units) W' of z and r
    candidate_t : (n_units, n_units) W' of h~
    block : rows of them multiplied at a time
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
        for k in range(0, n_units, block):
            np.dot(candidate_t[k : k + block], gates[t, 2 * n_units :], scratch[k : k + block])
        for j in range(n):
            d[j] += from_dot[j] * r[j]
            r[j] = from_dot[j] * before[j] * r[j] * (one - r[j])
        for k in range(0, n_units, block):
            np.dot(gates_t[k : k + block], gates[t, : 2 * n_units], scratch[k : k + block])
        for j in range(n):
            d[j] += from_dot[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def add_weight_gradients(pre, columns, left, right, product, gradient):
    """gradient += sum_t pre(t) columns(t)', some time steps side by side in one product.

    A chunk stays in the second-level cache; against one product for the window, after copies of
    all of it, that saves 10 to 25 %.

    Parameters
    ----------
    pre : (n_timesteps, n_rows, batch)
    columns : (n_timesteps, n_columns, batch)
    left, right : (n_rows * n_chunk * batch,), (n_columns * n_chunk * batch,), n_chunk >= 1
    product, gradient : (n_rows, n_columns)
    """
    n_timesteps, n_rows, n_batch = pre.shape
    n_columns = columns.shape[1]
    n_chunk = right.size // (n_columns * n_batch)
    flat, flat_product = gradient.reshape(gradient.size), product.reshape(product.size)
    for begin in range(0, n_timesteps, n_chunk):
        n = min(n_chunk, n_timesteps - begin)
        width = n * n_batch
        a = left[: n_rows * width].reshape(n_rows, width)
        b = right[: n_columns * width].reshape(n_columns, width)
        for k in range(n):
            for i in range(n_rows):
                for j in range(n_batch):
                    a[i, k * n_batch + j] = pre[begin + k, i, j]
            for i in range(n_columns):
                for j in range(n_batch):
                    b[i, k * n_batch + j] = columns[begin + k, i, j]
        np.dot(a, b.T, product)
        for i in range(flat.size):
            flat[i] += flat_product[i]
