"""Reservoir steps: driven by data, or closed on the readout's own output.

Every sum here has an order fixed in the source: a unit starts from its bias, then takes the noise,
the inputs and the recurrent terms one after another. So states depend neither on how rows are cut
into blocks nor on the machine's vector width, which chaotic closed loops need, and the dense and
the sparse form of a matrix (and a batch of series, see `drive_many`) give the same bits.

A recurrent matrix W travels as a tuple of arrays and `_add_recurrent` picks its loop by the
tuple's length when it is compiled:

* dense, ``(W.T,)``;
* cyclic diagonals, ``(values, offsets)`` with W[i, (i + offsets[k]) % n_units] = values[k, i]:
  contiguous loads and no column numbers;
* sparse, ``(values, columns, starts, order, words)``: rows sorted by length and taken eight at a
  time, padded with zeros to the longest of the eight, entry k of row `order[8 g + r]` at
  ``starts[g] + 8 k + r``; a row that is there only to fill the last eight has order n_units;
  ``words`` are the columns again, as uint64 where those are uint16: four numbers in one load.

The matrix O of `leaky_update` travels the same way; an empty tuple is the identity, which costs
nothing.

Column numbers and loop counters are unsigned: signed ones allow for wrap-around, and a sparse
product takes about twice as long.
"""

import numpy as np
from numba import njit, types
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
        for i in range(wt.shape[1]):
            a = pre[i] + c0[i] * x0
            a += c1[i] * x1
            a += c2[i] * x2
            a += c3[i] * x3
            a += c4[i] * x4
            a += c5[i] * x5
            a += c6[i] * x6
            a += c7[i] * x7
            pre[i] = a
        j += 8
    while j < n:
        c0, x0 = wt[j], x[j]
        for i in range(wt.shape[1]):
            pre[i] += c0[i] * x0
        j += 1


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _add_diagonals(values, offsets, x, pre, doubled):
    """pre += W @ x; with x written twice end to end, a diagonal meets a plain slice of it."""
    n_diagonals, n = values.shape
    for i in range(n):
        doubled[i] = x[i]
        doubled[n + i] = x[i]
    k = 0
    while k + 8 <= n_diagonals:
        v0, v1, v2, v3 = values[k], values[k + 1], values[k + 2], values[k + 3]
        v4, v5, v6, v7 = values[k + 4], values[k + 5], values[k + 6], values[k + 7]
        x0, x1 = doubled[offsets[k] :], doubled[offsets[k + 1] :]
        x2, x3 = doubled[offsets[k + 2] :], doubled[offsets[k + 3] :]
        x4, x5 = doubled[offsets[k + 4] :], doubled[offsets[k + 5] :]
        x6, x7 = doubled[offsets[k + 6] :], doubled[offsets[k + 7] :]
        for i in range(n):
            a = pre[i] + v0[i] * x0[i]
            a += v1[i] * x1[i]
            a += v2[i] * x2[i]
            a += v3[i] * x3[i]
            a += v4[i] * x4[i]
            a += v5[i] * x5[i]
            a += v6[i] * x6[i]
            a += v7[i] * x7[i]
            pre[i] = a
        k += 8
    while k + 2 <= n_diagonals:
        v0, v1 = values[k], values[k + 1]
        x0, x1 = doubled[offsets[k] :], doubled[offsets[k + 1] :]
        for i in range(n):
            a = pre[i] + v0[i] * x0[i]
            a += v1[i] * x1[i]
            pre[i] = a
        k += 2
    if k < n_diagonals:
        v0, x0 = values[k], doubled[offsets[k] :]
        for i in range(n):
            pre[i] += v0[i] * x0[i]


def _eight_columns(words, k):
    return tuple(words.view(np.uint16 if words.dtype == np.uint64 else words.dtype)[k : int(k) + 8])


@overload(_eight_columns, inline="always")
def _eight_columns_jitted(words, k):
    """Column numbers k to k + 7."""
    if words.dtype != types.uint64:

        def one_by_one(words, k):
            two, three, four = np.uint64(2), np.uint64(3), np.uint64(4)
            five, six, seven = np.uint64(5), np.uint64(6), np.uint64(7)
            first = words[k], words[k + np.uint64(1)], words[k + two], words[k + three]
            return (*first, words[k + four], words[k + five], words[k + six], words[k + seven])

        return one_by_one

    def unpacked(words, k):
        low, one, two, three = np.uint64(0xFFFF), np.uint64(16), np.uint64(32), np.uint64(48)
        at = k >> np.uint64(2)
        p, q = words[at], words[at + np.uint64(1)]
        first = p & low, (p >> one) & low, (p >> two) & low, p >> three
        return (*first, q & low, (q >> one) & low, (q >> two) & low, q >> three)

    return unpacked


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _add_sparse(values, starts, order, words, x, pre):
    """pre += W @ x, eight rows at once: eight independent chains hide the latency of a sum.

    Loads are what it waits for, so four column numbers come in one: 0.28 ns a non-zero at 1000
    units, 0.35 with a load each (and 0.36 to 0.43 row by row with eight accumulators).
    """
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    five, six, seven, eight = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)
    for group in range(np.uint64(starts.size) - one):
        i = eight * group
        k, stop = starts[group], starts[group + one]
        a, b = pre[order[i]], pre[order[i + one]]
        c, d = pre[order[i + two]], pre[order[i + three]]
        e, f = pre[order[i + four]], pre[order[i + five]]
        g, h = pre[order[i + six]], pre[order[i + seven]]
        while k < stop:
            j0, j1, j2, j3, j4, j5, j6, j7 = _eight_columns(words, k)
            a += values[k] * x[j0]
            b += values[k + one] * x[j1]
            c += values[k + two] * x[j2]
            d += values[k + three] * x[j3]
            e += values[k + four] * x[j4]
            f += values[k + five] * x[j5]
            g += values[k + six] * x[j6]
            h += values[k + seven] * x[j7]
            k += eight
        pre[order[i]], pre[order[i + one]] = a, b
        pre[order[i + two]], pre[order[i + three]] = c, d
        pre[order[i + four]], pre[order[i + five]] = e, f
        pre[order[i + six]], pre[order[i + seven]] = g, h


def _add_recurrent(recurrent, x, work):
    if len(recurrent) == 1:
        _add_columns(recurrent[0], x, work)
    elif len(recurrent) == 2:
        _add_diagonals(recurrent[0], recurrent[1], x, work, work[x.size + 1 :])
    else:
        _add_sparse(recurrent[0], recurrent[2], recurrent[3], recurrent[4], x, work)


@overload(_add_recurrent)
def _add_recurrent_jitted(recurrent, x, work):
    if len(recurrent) == 1:
        return lambda recurrent, x, work: _add_columns(recurrent[0], x, work)
    if len(recurrent) == 2:
        return lambda recurrent, x, work: _add_diagonals(
            recurrent[0], recurrent[1], x, work, work[x.size + 1 :]
        )
    return lambda recurrent, x, work: _add_sparse(
        recurrent[0], recurrent[2], recurrent[3], recurrent[4], x, work
    )


def _carry(residual, x, work):
    if len(residual) == 0:
        return x
    carried = work[3 * x.size + 1 :]
    carried[: x.size + 1] = work.dtype.type(0)
    _add_recurrent(residual, x, carried)
    return carried


@overload(_carry)
def _carry_jitted(residual, x, work):
    """O x, in the second half of `work`; x itself for the identity."""
    if len(residual) == 0:
        return lambda residual, x, work: x

    def product(residual, x, work):
        carried = work[3 * x.size + 1 :]
        for i in range(x.size + 1):
            carried[i] = work.dtype.type(0)
        _add_recurrent(residual, x, carried)
        return carried

    return product


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def drive(layer, inputs, noise, state, states):
    """x(t) = s O x(t-1) + a f(W x(t-1) + W_in u(t) + b + noise(t)) for every row of `inputs`.

    Parameters
    ----------
    layer : tuple (recurrent, residual, input_columns, bias, kept, leak, code, work)
        ``recurrent``, ``residual``: W and O, see the head of this file; ``input_columns`` ndarray
        (n_features, n_units): W_in transposed; ``bias``, ``kept`` (s), ``leak`` (a): ndarrays
        (n_units,); ``code``: activation, see ``reservoir.kernels.activations``; ``work``: ndarray
        (3 n_units + 1,), twice as long where O is not the identity: what f takes, a number for rows
        that only fill up, and the state twice.
    inputs : ndarray (n_timesteps, n_features)
    noise : ndarray (n_timesteps, n_units) or (n_timesteps, 0)
        Added inside f; no columns for none.
    state : ndarray (n_units,)
        x before the first row; left alone.
    states : ndarray (n_timesteps, n_units or more), written
        Row t begins with x(t), after seeing u(t).
    """
    recurrent, residual, input_columns, bias, kept, leak, code, work = layer
    n_units = bias.size
    pre = work[:n_units]
    work[n_units] = work.dtype.type(0)
    for t in range(inputs.shape[0]):
        for i in range(n_units):
            pre[i] = bias[i]
        for i in range(noise.shape[1]):
            pre[i] += noise[t, i]
        _add_columns(input_columns, inputs[t], pre)
        _add_recurrent(recurrent, state, work)
        leaky_update(code, kept, leak, pre, _carry(residual, state, work), states[t])
        state = states[t][:n_units]  # room in `work` is found by its length


@njit(cache=True, error_model="numpy", nogil=True)
def _dot(coef, x):
    """Sum of coef[i] x[i] over x: eight sums named here, so their order is no compiler's choice."""
    zero = x.dtype.type(0)
    n, i = np.uint64(x.size), np.uint64(0)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    five, six, seven, eight = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)
    a = b = c = d = e = f = g = h = zero
    while i + eight <= n:
        a += coef[i] * x[i]
        b += coef[i + one] * x[i + one]
        c += coef[i + two] * x[i + two]
        d += coef[i + three] * x[i + three]
        e += coef[i + four] * x[i + four]
        f += coef[i + five] * x[i + five]
        g += coef[i + six] * x[i + six]
        h += coef[i + seven] * x[i + seven]
        i += eight
    while i < n:
        a += coef[i] * x[i]
        i += one
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _step(layer, u, state):
    """One row of `drive` without noise, in place."""
    recurrent, residual, input_columns, bias, kept, leak, code, work = layer
    n_units = bias.size
    pre = work[:n_units]
    work[n_units] = work.dtype.type(0)
    for i in range(n_units):
        pre[i] = bias[i]
    _add_columns(input_columns, u, pre)
    _add_recurrent(recurrent, state, work)
    leaky_update(code, kept, leak, pre, _carry(residual, state, work), state)


def _climb(layers, u, state):
    if len(layers) > 0:
        own = state[: layers[0][3].size]
        _step(layers[0], u, own)
        _climb(layers[1:], own, state[own.size :])


@overload(_climb)
def _climb_jitted(layers, u, state):
    """One step of every layer, each driven by the states of the one below it."""
    if len(layers) == 0:
        return lambda layers, u, state: None

    def climb(layers, u, state):
        own = state[: layers[0][3].size]
        _step(layers[0], u, own)
        _climb(layers[1:], own, state[own.size :])

    return climb


@njit(cache=True, error_model="numpy", nogil=True)
def closed_loop(
    layers, coef, intercept, inputs, feedback_at, n_visible, last_output, state, outputs
):
    """Run a reservoir on its own output: u(t) takes y(t-1), then y(t) = c + B [x(t), u(t)].

    Parameters
    ----------
    layers : tuple of tuples
        What `drive` takes as ``layer``, from the bottom up; the compiler unrolls them, so a step
        costs no more than its layers do.
    coef : ndarray (n_outputs, n_state [+ n_visible])
        n_state: the units of all layers.
    intercept : ndarray (n_outputs,)
    inputs : ndarray (n_timesteps, n_features)
        Columns ``feedback_at .. feedback_at + n_outputs`` are overwritten with y(t-1); the others
        are given from outside.
    feedback_at : int
    n_visible : int
        How many leading input columns the readout sees (0: states only).
    last_output : ndarray (n_outputs,)
        y before the first step; left alone.
    state : ndarray (n_state,), updated in place
        States of the layers, one after another.
    outputs : ndarray (n_timesteps, n_outputs), written

    Returns
    -------
    int
        First step whose output is not finite, or -1.
    """
    # The lowest layer is unpacked here and its step written out: taken out of the tuple, arrays are
    # counted, which a step of 10 units would feel (0.26 us for 0.16).
    recurrent, residual, input_columns, bias, kept, leak, code, work = layers[0]
    above, n_units, n_outputs = layers[1:], bias.size, coef.shape[0]
    first, others = state[:n_units], state[n_units:]
    pre = work[:n_units]
    work[n_units] = work.dtype.type(0)
    previous = last_output
    for t in range(inputs.shape[0]):
        for o in range(n_outputs):
            inputs[t, feedback_at + o] = previous[o]
        for i in range(n_units):
            pre[i] = bias[i]
        _add_columns(input_columns, inputs[t], pre)
        _add_recurrent(recurrent, first, work)
        leaky_update(code, kept, leak, pre, _carry(residual, first, work), first)
        _climb(above, first, others)
        previous = outputs[t]
        for o in range(n_outputs):
            y = intercept[o] + _dot(coef[o], state)
            for f in range(n_visible):
                y += coef[o, state.size + f] * inputs[t, f]
            previous[o] = y
            if not np.isfinite(y):
                return t
    return -1
