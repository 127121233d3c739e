"""Recurrent cells, forward: over a window of a batch, and row by row for one series.

The equations of each cell stand once, at the top, on flat (units x batch) arrays; what differs is
how their pre-activations are made. In a window a layer lives in one array of columns,
``columns[t] = [recurrent(t); x(t); 1]`` with the batch contiguous, and its weights in another,
``[W | U | b]``, so that recurrent part, input part and bias are one matrix product a step, made a
block of rows at a time: OpenBLAS multiplies small matrices without packing them, 1.5 times as fast
(LSTM, 100 units, batch 32: 175 instead of 115 GFLOP/s in float32 on a core with AVX-512). With 1,
10 and 100 inputs that is 21, 25 and 40 us a step; a product of its own for the inputs of a window
of 100 steps makes it 28, 29 and 43. Row by row the weights are transposed and added column by
column in a fixed order without fast-math: the bits of a closed loop do not depend on the width of
the machine's vectors.
"""

import numpy as np
from numba import njit

from .activations import sigmoid, tanh

# Codes of the cells, as `run_rows` takes them.
ELMAN, JORDAN, LSTM, PEEPHOLE_LSTM, GRU = range(5)
# What a closed loop feeds back: the output, its softmax, or the one-hot of its largest entry.
FEED_OUTPUT, FEED_SOFTMAX, FEED_LABEL = range(3)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def elman_gates(relu, a, h):
    """h = f(a), f = tanh or max(., 0); `a` and `h` may be the same array."""
    zero = a.dtype.type(0)
    if relu:
        for j in range(a.size):
            h[j] = zero if a[j] < zero else a[j]  # a NaN stays one
    else:
        for j in range(a.size):
            h[j] = tanh(a[j])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def lstm_gates(peephole, z, before, c, s, h):
    """i, f, o = sigmoid(z), g = tanh(z), c = f before + i g, s = tanh c, h = o s.

    `z` holds i, f, g, o and becomes the activated gates; `peephole` is (3, n_units) or empty: then
    its rows times before, before and c are added to i, f and o.
    """
    n = c.size
    i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
    if peephole.size:
        _add_scaled(peephole[0], before, i)
        _add_scaled(peephole[1], before, f)
    for j in range(n):
        i[j] = sigmoid(i[j])
        f[j] = sigmoid(f[j])
        g[j] = tanh(g[j])
    for j in range(n):
        c[j] = f[j] * before[j] + i[j] * g[j]
    if peephole.size:
        _add_scaled(peephole[2], c, o)
    for j in range(n):
        o[j] = sigmoid(o[j])
        s[j] = tanh(c[j])
        h[j] = o[j] * s[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def gru_reset(z, h, rh):
    """z, r = sigmoid(z), rh = r h; `z` holds z, r and becomes them activated."""
    n = h.size
    for j in range(2 * n):
        z[j] = sigmoid(z[j])
    for j in range(n):
        rh[j] = z[n + j] * h[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def gru_update(z, candidate, before, h):
    """candidate = tanh(candidate), h = (1 - z) before + z candidate."""
    one = h.dtype.type(1)
    for j in range(h.size):
        candidate[j] = tanh(candidate[j])
        h[j] = (one - z[j]) * before[j] + z[j] * candidate[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _add_scaled(per_unit, values, out):
    """out += diag(per_unit) values, both (n_units, batch) flat."""
    n_batch = out.size // per_unit.size
    for k in range(per_unit.size):
        p = per_unit[k]
        for j in range(k * n_batch, (k + 1) * n_batch):
            out[j] += p * values[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _clear_ended(t, lengths, state):
    """Zero the columns of `state` whose series has ended before time step t."""
    zero = state.dtype.type(0)
    for b in range(lengths.size):
        if t >= lengths[b]:
            for k in range(state.shape[0]):
                state[k, b] = zero


@njit(cache=True, nogil=True, error_model="numpy")
def elman_forward(weights, block, relu, lengths, scratch, columns):
    """Run the cell over the window.

    Parameters
    ----------
    weights : (n_units, n_columns) [recurrent | input | bias]
    block : rows of `weights` multiplied at a time
    relu : use max(a, 0) in place of tanh
    lengths : (batch,) time steps of each series; its state is zero from there on
    scratch : (n_units, batch)
    columns : (n_timesteps + 1, n_columns, batch), inputs and ones given, the state before the
        window in columns[0, :n_units]; columns[t + 1, :n_units] becomes h(t)
    """
    n_units, n_batch = scratch.shape
    n = n_units * n_batch
    for t in range(columns.shape[0] - 1):
        # h(t) = f(W h(t-1) + U x(t) + b)
        for r in range(0, n_units, block):
            np.dot(weights[r : r + block], columns[t], scratch[r : r + block])
        elman_gates(relu, scratch.reshape(n), columns[t + 1, :n_units].reshape(n))
        _clear_ended(t, lengths, columns[t + 1, :n_units])


@njit(cache=True, nogil=True, error_model="numpy")
def lstm_forward(weights, block, peephole, lengths, columns, gates, cells, squashed):
    """Run the cell over the window: z = W h(t-1) + U x(t) + b, the rest as in `lstm_gates`.

    Parameters
    ----------
    weights : (4 n_units, n_columns) [recurrent | input | bias], row blocks i, f, g, o
    peephole : (3, n_units) of i, f, o, or (0, n_units)
    block, lengths, columns : as in `elman_forward`
    gates : (n_timesteps, 4 n_units, batch) becomes the activated gates
    cells : (n_timesteps + 1, n_units, batch), cells[0] given; cells[t + 1] becomes c(t)
    squashed : (n_timesteps, n_units, batch) becomes tanh c(t)
    """
    n_timesteps, n_units, n_batch = squashed.shape
    n = n_units * n_batch
    for t in range(n_timesteps):
        for r in range(0, 4 * n_units, block):
            np.dot(weights[r : r + block], columns[t], gates[t, r : r + block])
        lstm_gates(
            peephole,
            gates[t].reshape(4 * n),
            cells[t].reshape(n),
            cells[t + 1].reshape(n),
            squashed[t].reshape(n),
            columns[t + 1, :n_units].reshape(n),
        )
        _clear_ended(t, lengths, columns[t + 1, :n_units])
        _clear_ended(t, lengths, cells[t + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def gru_forward(weights, block, lengths, columns, reset_columns, gates):
    """Run the cell over the window.

    Parameters
    ----------
    weights : (3 n_units, n_columns) [recurrent | input | bias], row blocks z, r, h
    block, lengths, columns : as in `elman_forward`
    reset_columns : (n_timesteps, n_columns, batch), inputs and ones given;
        reset_columns[t, :n_units] becomes r(t) h(t-1)
    gates : (n_timesteps, 3 n_units, batch) becomes z, r and h~, activated
    """
    n_timesteps, n_rows, n_batch = gates.shape
    n_units = n_rows // 3
    n = n_units * n_batch
    for t in range(n_timesteps):
        # h~ = tanh(W [r h, x]),  h(t) = (1 - z) h(t-1) + z h~
        z, candidate = gates[t, : 2 * n_units], gates[t, 2 * n_units :]
        before = columns[t, :n_units].reshape(n)
        for r in range(0, 2 * n_units, block):
            end = min(r + block, 2 * n_units)
            np.dot(weights[r:end], columns[t], gates[t, r:end])
        gru_reset(z.reshape(2 * n), before, reset_columns[t, :n_units].reshape(n))
        for r in range(2 * n_units, 3 * n_units, block):
            np.dot(weights[r : r + block], reset_columns[t], gates[t, r : r + block])
        h = columns[t + 1, :n_units]
        gru_update(z.reshape(2 * n), candidate.reshape(n), before, h.reshape(n))
        _clear_ended(t, lengths, h)


@njit(cache=True, nogil=True, error_model="numpy")
def _flush(state):
    """Zero what is below 1e-30 (1e-290 in float64).

    Products with less are denormal numbers, which take many times as long: the thousand rows in
    which a GRU of 100 units dies away in float32 took 30 us each instead of 3.
    """
    zero = state.dtype.type(0)
    least = state.dtype.type(1e-30 if state.itemsize == 4 else 1e-290)
    for j in range(state.size):
        value = state[j]
        state[j] = zero if abs(value) < least else value  # a NaN stays one


@njit(cache=True, nogil=True, error_model="numpy")
def run_rows(kind, relu, skip, feeds, layers, dense, weights, inputs, state, work, outputs):
    """Run a whole network row by row for one series, on its own outputs where inputs end.

    Parameters
    ----------
    kind : code of the cell
    relu, skip : Elman activation; whether layers after the first and the output see more below
    feeds : (2,) codes: what takes the place of the input, and what a Jordan cell sees
    layers : (n_layers, 7) int64, a row a layer: offsets of its matrix and of its peepholes in
        `weights`; peepholes a unit, rows of the matrix, n_units, recurrent columns, input columns
    dense : (n_dense, 3) int64: offset, number of inputs, number of outputs; all but the last ReLU
    weights : all matrices, transposed to (n_columns, n_rows), and peepholes, flat
    inputs : (n_given, n_inputs), n_given >= 1
    state : (n_layers, 2, width), h and c before the first row; becomes those after the last
    work : (6, 4 width)
    outputs : (n_steps, n_outputs)

    Returns
    -------
    First step with an output that is not finite, or -1.
    """
    x, seen, z, new, squashed, fed = work[0], work[1], work[2], work[3], work[4], work[5]
    n_steps, n_outputs = outputs.shape
    n_inputs = inputs.shape[1]
    for t in range(n_steps):
        if t < inputs.shape[0]:
            fed[:n_inputs] = inputs[t]
        x[:n_inputs] = fed[:n_inputs]
        n_seen = 0
        for k in range(layers.shape[0]):
            n_peepholes, n_rows = layers[k, 2], layers[k, 3]
            n, n_recurrent, n_x = layers[k, 4], layers[k, 5], layers[k, 6]
            h, c = state[k, 0, :n], state[k, 1, :n]
            begin = layers[k, 0]
            end = begin + (n_recurrent + n_x + 1) * n_rows
            matrix = weights[begin:end].reshape(n_recurrent + n_x + 1, n_rows)
            pre = z[:n_rows]
            pre[:] = matrix[n_recurrent + n_x]
            _add_columns(matrix[n_recurrent : n_recurrent + n_x], 0, x, pre)
            if kind == GRU:
                _add_columns(matrix[:n], 0, h, pre[: 2 * n])
                gru_reset(pre[: 2 * n], h, new[:n])
                _add_columns(matrix[:n], 2 * n, new, pre[2 * n :])
                gru_update(pre[: 2 * n], pre[2 * n :], h, new[:n])
                h[:] = new[:n]
            elif kind in (ELMAN, JORDAN):
                _add_columns(matrix[:n_recurrent], 0, state[k, 0], pre)
                elman_gates(relu, pre, pre)
                if kind == ELMAN:
                    h[:] = pre
            else:
                first = layers[k, 1]
                peephole = weights[first : first + n_peepholes * n].reshape(n_peepholes, n)
                _add_columns(matrix[:n], 0, h, pre)
                new[:n] = c
                lstm_gates(peephole, pre, new[:n], c, squashed[:n], h)
            _flush(state[k].reshape(state[k].size))
            top = pre if kind == JORDAN else h
            if not skip:
                n_seen = 0
            seen[n_seen : n_seen + n] = top
            n_seen += n
            x[:n] = top
            x[n : n + n_inputs] = fed[:n_inputs]
        for k in range(dense.shape[0]):
            n_x, n = dense[k, 1], dense[k, 2]
            begin = dense[k, 0]
            matrix = weights[begin : begin + (n_x + 1) * n].reshape(n_x + 1, n)
            z[:n] = matrix[n_x]
            _add_columns(matrix[:n_x], 0, seen, z[:n])
            if k + 1 < dense.shape[0]:
                elman_gates(True, z[:n], z[:n])
            seen[:n] = z[:n]
        for j in range(n_outputs):
            outputs[t, j] = seen[j]
            if not np.isfinite(seen[j]):
                return t
        if kind == JORDAN:
            _feed(feeds[1], seen[:n_outputs], state[0, 0, :n_outputs])
        if t + 1 >= inputs.shape[0] and t + 1 < n_steps:
            _feed(feeds[0], seen[:n_outputs], fed[:n_outputs])
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def _add_columns(matrix, first, x, out):
    """out += x @ matrix[:, first : first + out.size], four rows of it at a time.

    Vectorised over `out`, in a fixed order.
    """
    n_rows, end = matrix.shape[0], first + out.size
    whole = n_rows - n_rows % 4
    for j in range(0, whole, 4):
        # Sliced in two steps the rows are known to be contiguous.
        a, b = matrix[j][first:end], matrix[j + 1][first:end]
        c, d = matrix[j + 2][first:end], matrix[j + 3][first:end]
        xa, xb, xc, xd = x[j], x[j + 1], x[j + 2], x[j + 3]
        for k in range(out.size):
            out[k] += (a[k] * xa + b[k] * xb) + (c[k] * xc + d[k] * xd)
    for j in range(whole, n_rows):
        a = matrix[j][first:end]
        for k in range(out.size):
            out[k] += a[k] * x[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _feed(code, output, out):
    """What becomes of an output that is fed back."""
    n = output.size
    top = 0
    for j in range(n):
        top = j if output[j] > output[top] else top
    if code == FEED_OUTPUT:
        out[:] = output
    elif code == FEED_LABEL:
        out[:] = output.dtype.type(0)
        out[top] = output.dtype.type(1)
    else:
        total = output.dtype.type(0)
        for j in range(n):
            out[j] = np.exp(output[j] - output[top])
            total += out[j]
        for j in range(n):
            out[j] /= total
