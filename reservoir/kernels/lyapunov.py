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
def tangent_growth(data, indices, indptr, fed_columns, kept, gains, coef, tangents, work, growth):
    """Carry disturbances along a trajectory, orthonormalised after every step.

    A disturbance (dx, dy) of the state x and the output y fed back goes to
    dx(t) = (1 - a) dx(t-1) + a f'(pre(t)) (W dx(t-1) + W_fed dy(t-1)), dy(t) = B [dx(t), dy(t-1)].

    Parameters
    ----------
    data, indices, indptr : ndarray
        W in compressed sparse rows, unsigned indices.
    fed_columns : ndarray (n_fed, n_units)
        W_fed transposed; (0, n_units) for a driven reservoir.
    kept : ndarray (n_units,)
        1 - a.
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
    n_units, n_fed, m = kept.size, fed_columns.shape[0], tangents.shape[1]
    for t in range(gains.shape[0]):
        for i in range(n_units):
            row = work[i]
            for c in range(m):
                row[c] = 0.0
            for p in range(indptr[i], indptr[np.uint64(i) + np.uint64(1)]):
                w, source = data[p], tangents[indices[p]]
                for c in range(m):
                    row[c] += w * source[c]
            for f in range(n_fed):
                w, source = fed_columns[f, i], tangents[n_units + f]
                for c in range(m):
                    row[c] += w * source[c]
        for i in range(n_units):
            for c in range(m):
                tangents[i, c] = kept[i] * tangents[i, c] + gains[t, i] * work[i, c]
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
