"""Affine projection at the cost of one dot product and one update a sample.

Slot l of every array here stands for sample k - l, l = 0 ... order - 1. Three things make the fast
form exact, not an approximation:

* the Gram matrix of the last regressors moves down its diagonal by one a sample; its new column
  holds the lag products <x(k), x(k-l)>, which are sliding sums;
* the errors of the older samples under the present weights are known: e - mu (G v), and since
  (G + eps) v = e that is (1 - mu) e + mu eps v;
* regressor x(k-l) is wanted by `order` updates in a row. Its coefficients are summed in `pending`
  and applied once, when complete; until then <x(k), x(k-l)> pending(l) stands for it in y.

The tap loop, all that grows with the filter, is that of `lms`; the rest is of the order of the
projection alone (at 128 taps and order 4 / 8 the whole takes 4.5 / 8 times as long as NLMS).
"""

import numpy as np
from numba import njit

# A regressor that those after it explain up to this share of its energy adds nothing but rounding.
_DEPENDENT = 1e-10


@njit(cache=True, error_model="numpy", nogil=True)
def _advance_gram(z, newest, stride, lags, place, gram):
    """Move the Gram matrix on to the row of `z` that begins at index `newest`.

    Sliding sums as suffix + prefix sums of blocks of n_taps samples, without any subtraction: a
    running add-and-subtract would keep the residue of a burst for ever. Rows of `lags` up to
    ``place[0]`` hold this block's products, the others the last block's suffix sums, the final
    row this block's prefix sum.
    """
    order = gram.shape[0]
    n_taps = lags.shape[0] - 1
    p = place[0]
    for i in range(order - 1, 0, -1):
        for j in range(i, 0, -1):
            gram[i, j] = gram[i - 1, j - 1]
    for lag in range(order):
        product = lags.dtype.type(0)
        for c in range(stride):
            product += lags.dtype.type(z[newest + c]) * np.conj(
                lags.dtype.type(z[newest - lag * stride + c])
            )
        lags[n_taps, lag] += product
        total = lags[n_taps, lag]
        if p + 1 < n_taps:
            total += lags[p + 1, lag]
        lags[p, lag] = product
        gram[lag, 0] = np.conj(total)
    place[0] = p + 1
    if p + 1 == n_taps:
        for t in range(n_taps - 2, -1, -1):
            for lag in range(order):
                lags[t, lag] += lags[t + 1, lag]
        lags[n_taps, :] = 0
        place[0] = 0


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _factor(gram, constant, epsilon, alive, L, inverse):
    """Cholesky factor of gram + constant + epsilon I; `inverse` is one over its diagonal.

    Zero in `inverse` leaves a slot out, its row and column of L are zero: not alive, silent,
    overflowed or explained by newer ones. Column by column, so that the sums of a column do not
    wait for each other.
    """
    order = inverse.size
    for j in range(order):
        energy = gram[j, j].real + constant
        pivot = energy + epsilon
        for q in range(j):
            pivot -= L[j, q].real * L[j, q].real + L[j, q].imag * L[j, q].imag
        used = alive[j] and energy > 0 and np.isfinite(energy)
        if not (used and pivot > _DEPENDENT * (energy + epsilon)):
            inverse[j] = 0
            for i in range(order):
                L[max(i, j), min(i, j)] = 0
            continue
        inverse[j] = 1 / np.sqrt(pivot)
        for i in range(j + 1, order):
            s = gram[i, j] + constant
            for q in range(j):
                s -= L[i, q] * np.conj(L[j, q])
            L[i, j] = s * inverse[j]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _solve(L, inverse, e, o, v):
    """v with L L^H v = e[o] on the slots in use, zero elsewhere."""
    order = inverse.size
    for i in range(order):
        s = e[o, i]
        for j in range(i):
            s -= L[i, j] * v[j]
        v[i] = s * inverse[i]
    for k in range(order):
        i = order - 1 - k
        s = v[i]
        for j in range(i + 1, order):
            s -= np.conj(L[j, i]) * v[j]
        v[i] = s * inverse[i]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def _errors_after(gram, constant, epsilon, alive, inverse, step, v, e, o):
    """Errors of the last samples under the weights after the update by step * v."""
    order = inverse.size
    for i in range(order):
        if inverse[i] > 0:
            e[o, i] = (1 - step) * e[o, i] + step * epsilon * v[i]
        elif alive[i]:
            for j in range(order):
                if inverse[j] > 0:
                    g = gram[i, j] if i >= j else np.conj(gram[j, i])
                    e[o, i] -= step * (g + constant) * v[j]


@njit(cache=True, error_model="numpy", nogil=True)
def _moved(w, gain, x):
    """One updated weight. No fastmath: the same bits in `_update_and_dot` and in `settle`."""
    return w + gain * np.conj(x)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def _update_and_dot(w, o, gain, z, old, new):
    """Apply w <- w + gain conj(z[old:]) to row o and return w.z[new:], in one pass."""
    s = w.dtype.type(0)
    for i in range(np.uint64(w.shape[1])):
        v = _moved(w[o, i], gain, z[old + i])
        w[o, i] = v
        s += v * z[new + i]
    return s


@njit(cache=True, error_model="numpy", nogil=True)
def affine_projection(
    z, d, epsilon, mask, stride, step, fit_intercept,
    w, bias, lags, place, gram, alive, e, pending, y,
):  # fmt: skip
    """Affine projection: w <- w + step X^H (X X^H + epsilon I)^-1 e, X = [x(k); x(k-1); ...].

    Parameters
    ----------
    z : ndarray ((order + n_taps - 1 + n) * stride,)
        As in `lms`, with `order` more rows in front.
    d, y : ndarray (n, n_outputs)
        Desired signals; a-priori outputs, written.
    epsilon : ndarray (n,)
    mask : ndarray of bool (n,) or (0,)
        Where False the weights are frozen, and the sample has no part in later updates either.
    stride : int
    step : float
    fit_intercept : bool
    w : ndarray (n_outputs, m), updated in place
        The weights without what is `pending`.
    bias : ndarray (n_outputs,), updated in place
    lags : ndarray (n_taps + 1, order), updated in place
    place : ndarray of int (1,), updated in place
    gram : ndarray (order, order), lower triangle updated in place
    alive : ndarray of bool (order,), updated in place
        Samples that were there to be learned from.
    e, pending : ndarray (n_outputs, order), updated in place

    Returns
    -------
    int
        First sample whose error is not finite, or -1.
    """
    n, n_outputs = d.shape
    order = gram.shape[0]
    L = np.zeros_like(gram)
    inverse = np.zeros(order)
    v = np.zeros_like(gram[0])
    constant = 1.0 if fit_intercept else 0.0
    for k in range(n):
        new = (order + k) * stride
        _advance_gram(z, new + w.shape[1] - stride, stride, lags, place, gram)
        learns = mask.size == 0 or mask[k]
        for i in range(order - 1, 0, -1):
            alive[i] = alive[i - 1]
        alive[0] = learns
        if learns:
            _factor(gram, constant, epsilon[k], alive, L, inverse)
        for o in range(n_outputs):
            gain = w.dtype.type(pending[o, order - 1])
            s = e.dtype.type(_update_and_dot(w, o, gain, z, np.uint64(k * stride), np.uint64(new)))
            for i in range(order - 1, 0, -1):
                e[o, i] = e[o, i - 1]
                pending[o, i] = pending[o, i - 1]
                if pending[o, i] != 0:
                    s += pending[o, i] * np.conj(gram[i, 0])
            pending[o, 0] = 0
            y[k, o] = w.dtype.type(s + bias[o])
            error = d[k, o] - y[k, o]
            if not np.isfinite(error):
                return k
            e[o, 0] = error
            if learns:
                _solve(L, inverse, e, o, v)
                for i in range(order):
                    pending[o, i] += step * v[i]
                if fit_intercept:
                    bias[o] += w.dtype.type(step * v.sum())
                _errors_after(gram, constant, epsilon[k], alive, inverse, step, v, e, o)
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def start_gram(z, stride, lags, place, gram):
    """Fill the sliding sums of a new window from the history in `z`, as `affine_projection`."""
    order = gram.shape[0]
    for t in range(order, order + lags.shape[0] - 2):
        _advance_gram(z, t * stride, stride, lags, place, gram)


@njit(cache=True, error_model="numpy", nogil=True)
def settle(z, stride, w, pending, settled):
    """Write w with all that is pending after the last sample of `z`.

    Oldest first, as `affine_projection` will do it: the settled weights of a stretch without
    learning stay the same to the bit.
    """
    n_outputs, m = w.shape
    for o in range(n_outputs):
        for i in range(m):
            settled[o, i] = w[o, i]
        for lag in range(pending.shape[1] - 1, -1, -1):
            gain = w.dtype.type(pending[o, lag])
            start = z.size - m - lag * stride
            for i in range(m):
                settled[o, i] = _moved(settled[o, i], gain, z[start + i])
