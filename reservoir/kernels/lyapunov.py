"""Growth of small disturbances of a reservoir, driven or closed on its own output (Benettin)."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _orthonormalize(tangents, products, growth):
    """Modified Gram-Schmidt of the columns; add the log of every length to `growth`.

    Goes through rows, all later columns at once, so that loads are contiguous. A column of zeros
    stays zero and grows by log 0 = -inf.
    """
    n, m = tangents.shape
    for a in range(m):
        square = 0.0
        for i in range(n):
            square += tangents[i, a] * tangents[i, a]
        length = np.sqrt(square)
        growth[a] += np.log(length)
        if length == 0.0:
            continue
        for b in range(a + 1, m):
            products[b] = 0.0
        for i in range(n):
            q = tangents[i, a] / length
            tangents[i, a] = q
            for b in range(a + 1, m):
                products[b] += q * tangents[i, b]
        for i in range(n):
            q = tangents[i, a]
            for b in range(a + 1, m):
                tangents[i, b] -= q * products[b]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def tangent_growth(recurrent, carried, stops, fed_columns, gains, coef, tangents, work, growth):
    """Carry disturbances along a trajectory, orthonormalised after every step.

    A disturbance (dx, dy) of the state x and the output y fed back goes to
    dx(t) = S O dx(t-1) + a f'(pre(t)) (W dx(t-1) + W_fed dy(t-1)), dy(t) = B [dx(t), dy(t-1)].
    A layer above the first takes the dx(t) of the one below it through its input weights.

    Parameters
    ----------
    recurrent, carried : tuple (data, indices, indptr)
        W and S O in compressed sparse rows, unsigned indices; of several layers side by side, W
        has the input weights of a layer in the columns of the one below it.
    stops : ndarray (n_layers,) of int
        Where each layer's units end.
    fed_columns : ndarray (n_fed, units of the first layer)
        W_fed transposed; no rows for a driven reservoir.
    gains : ndarray (n_timesteps, n_units)
        a f'(pre(t)).
    coef : ndarray (n_fed, n_units + n_fed)
        B.
    tangents : ndarray (n_units + n_fed, n_exponents), updated in place
        One disturbance a column.
    work : ndarray (n_units + n_fed + 1, n_exponents)
        Work space.
    growth : ndarray (n_exponents,), updated in place
        Sum of log lengths over the steps.
    """
    weights, columns, ends = recurrent
    kept, kept_columns, kept_ends = carried
    n_units, n_fed, m = gains.shape[1], coef.shape[0], tangents.shape[1]
    for t in range(gains.shape[0]):
        begin = 0
        for stop in stops:
            for i in range(begin, stop):
                row, after = work[i], np.uint64(i) + np.uint64(1)
                for c in range(m):
                    row[c] = 0.0
                for p in range(ends[i], ends[after]):
                    w, source = weights[p], tangents[columns[p]]
                    for c in range(m):
                        row[c] += w * source[c]
                if begin == 0:
                    for f in range(n_fed):
                        w, source = fed_columns[f, i], tangents[n_units + f]
                        for c in range(m):
                            row[c] += w * source[c]
                for c in range(m):
                    row[c] *= gains[t, i]
                for p in range(kept_ends[i], kept_ends[after]):
                    w, source = kept[p], tangents[kept_columns[p]]
                    for c in range(m):
                        row[c] += w * source[c]
            for i in range(begin, stop):
                for c in range(m):
                    tangents[i, c] = work[i, c]
            begin = stop
        for o in range(n_fed):
            row = work[n_units + o]
            for c in range(m):
                row[c] = 0.0
            for i in range(n_units + n_fed):
                w = coef[o, i]
                for c in range(m):
                    row[c] += w * tangents[i, c]
        for i in range(n_units, n_units + n_fed):
            for c in range(m):
                tangents[i, c] = work[i, c]
        _orthonormalize(tangents, work[n_units + n_fed], growth)
