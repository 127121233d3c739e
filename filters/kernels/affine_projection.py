"""Affine projection at the cost of one dot product and one update a sample.

Slot l of every array here stands for sample k - l, l = 0 ... order - 1. Four things make the fast
form exact, not an approximation:

* the Gram matrix of the last regressors holds the lag products C_l(k) = <x(k), x(k-l)> and nothing
  else: element (i, j), i >= j, is conj C_(i-j)(k-j). They are sliding sums;
* the factors of the Gram matrices wait for no error, so those of `lanes` samples are computed side
  by side, each in the order of operations it would have alone (at order 4 / 8 the whole takes 0.11
  / 0.20 us a sample with 64 lanes, 0.14 / 0.27 with 8);
* the errors of the older samples under the present weights are known: e - mu (G v), and since
  (G + eps) v = e that is (1 - mu) e + mu eps v;
* regressor x(k-l) is wanted by `order` updates in a row. Its coefficients are summed in `pending`
  and applied once, when complete; until then <x(k), x(k-l)> pending(l) stands for it in y.

The tap loop, all that grows with the filter, is that of `lms`; the rest is of the order of the
projection alone (at 128 taps and order 4 / 8 the whole takes 3 / 5 times as long as NLMS). What is
called for every sample is inlined by force: handing arrays over cost a fifth of the time.
"""

import numpy as np
from numba import njit

# A regressor that those after it explain up to this share of its energy adds nothing but rounding.
_DEPENDENT = 1e-10


@njit(cache=True, error_model="numpy", nogil=True)
def _lag_products(z, newest, stride, lags, place, products, column, count):
    """Write <x(k), x(k-l)> into `count` columns; row k of the first begins at ``z[newest]``.

    Sliding sums as suffix + prefix sums of blocks of n_taps samples, without any subtraction: a
    running add-and-subtract would keep the residue of a burst for ever. Rows of `lags` up to
    ``place[0]`` hold this block's products, the others the last block's suffix sums, the final
    row this block's prefix sum. One call for many samples: half the time of a call for each.
    """
    one, stride = np.uint64(1), np.uint64(stride)
    order, n_taps = np.uint64(lags.shape[1]), np.uint64(lags.shape[0]) - one
    p = np.uint64(place[0])
    for t in range(np.uint64(count)):
        new = newest + t * stride
        for lag in range(order):
            old = new - lag * stride
            product = lags.dtype.type(0)
            for c in range(stride):
                product += lags.dtype.type(z[new + c]) * np.conj(lags.dtype.type(z[old + c]))
            lags[n_taps, lag] += product
            total = lags[n_taps, lag]
            if p + one < n_taps:
                total += lags[p + one, lag]
            lags[p, lag] = product
            products[lag, column + t] = total
        p += one
        if p == n_taps:
            p = np.uint64(0)
            for i in range(one, n_taps):
                for lag in range(order):
                    lags[n_taps - one - i, lag] += lags[n_taps - i, lag]
            for lag in range(order):
                lags[n_taps, lag] = 0
    place[0] = p


@njit(cache=True, error_model="numpy", nogil=True)
def _factor(products, usable, constant, epsilon, gram, M, inverse, left_out):
    """M (G + epsilon I) M^H = D for every lane, M unit lower triangular; `inverse` is one over D.

    Row by row: with t = M g, g the new column of G, the new pivot is that of G less sum |t|^2 / D
    and the new row of M is -(t / D)^H M. M stands below the diagonal, t / D conjugate above it.
    A zero in `inverse` leaves a slot out: not usable, or explained by newer ones (counted in
    `left_out`). No fastmath: a sample must get the same bits in whatever lane it stands.
    """
    order, lanes = np.uint64(M.shape[0]), np.uint64(M.shape[2])
    one = np.uint64(1)
    left_out[:] = 0
    for lag in range(order):
        for t in range(lag, np.uint64(usable.size)):
            both = usable[t] & usable[t - lag]
            gram[lag, t] = products[lag, t] + constant if both else M.dtype.type(0)
    for i in range(order):
        older = order - one - i
        energy = M[i, i]
        pivot = inverse[i]
        for t in range(lanes):
            energy[t] = gram[0, older + t].real + epsilon[t]
            pivot[t] = energy[t].real
        for j in range(i):
            s = M[j, i]
            for t in range(lanes):
                s[t] = gram[i - j, order - one - j + t]
            for q in range(j):
                for t in range(lanes):
                    s[t] += M[j, q, t] * gram[i - q, order - one - q + t]
        for j in range(i):
            s = M[j, i]
            for t in range(lanes):
                share = s[t] * inverse[j, t]
                pivot[t] -= (share * np.conj(s[t])).real
                s[t] = np.conj(share)
        for t in range(lanes):
            used = usable[older + t] and pivot[t] > _DEPENDENT * energy[t].real
            left_out[t] += usable[older + t] and not used
            pivot[t] = 1 / pivot[t] if used else 0.0
        for p in range(i):
            row = M[i, p]
            for t in range(lanes):
                row[t] = -M[p, i, t]
            for q in range(p + one, i):
                for t in range(lanes):
                    row[t] -= M[q, i, t] * M[q, p, t]


@njit(cache=True, error_model="numpy", nogil=True, forceinline=True, fastmath={"contract"})
def _solve(M, inverse, t, e, o, first, f, v):
    """v = M^H D^-1 M e on the slots in use, zero elsewhere."""
    order, one = np.uint64(v.size), np.uint64(1)
    for i in range(order):
        s = e[o, first + i]
        for k in range(i):  # the newest error, which is the last to be known, comes last
            j = i - one - k
            s += M[i, j, t] * e[o, first + j]
        f[i] = s * inverse[i, t]
    for i in range(order):
        s = f[i]
        for j in range(i + one, order):
            s += np.conj(M[j, i, t]) * f[j]
        v[i] = s


@njit(cache=True, error_model="numpy", nogil=True, forceinline=True, fastmath={"contract"})
def _learn(inverse, some_left_out, t, step, epsilon, v, e, gains):
    """gains <- gains + step v and e <- (1 - step) e + step epsilon v, see the head of this file.

    A slot that newer ones explain is explained by them for as long as it lasts: its error is not
    wanted any more.
    """
    order = v.size
    for i in range(order):
        gains[i] += step * v[i]
        if not (some_left_out and inverse[i, t] == 0):
            e[i] = (1 - step) * e[i] + step * epsilon * v[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _moved(w, gain, x):
    """w + gain conj(x). No fastmath: the same bits in `_update_and_dot` and in `settle`."""
    return w + gain * np.conj(x)


@njit(
    cache=True, error_model="numpy", nogil=True, forceinline=True, fastmath={"reassoc", "contract"}
)
def _update_and_dot(w, o, gain, z, old, new):
    """Apply w <- w + gain conj(z[old:]) to row o and return w.z[new:], in one pass."""
    s = w.dtype.type(0)
    for i in range(np.uint64(w.shape[1])):
        v = _moved(w[o, i], gain, z[old + i])
        w[o, i] = v
        s += v * z[new + i]
    return s


@njit(cache=True, error_model="numpy", nogil=True)
def _copy_columns(source, first, target, start, count):
    """target[:, start + i] = source[:, first + i] for i < count."""
    for row in range(source.shape[0]):
        for i in range(count):
            target[row, start + i] = source[row, first + i]


@njit(cache=True, error_model="numpy", nogil=True)
def affine_projection(
    z, d, epsilon, mask, stride, step, fit_intercept, lanes,
    w, bias, lags, place, products, usable, e, pending, y,
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
    lanes : int
        Samples whose Gram matrices are factored side by side.
    w : ndarray (n_outputs, m), updated in place
        The weights without what is `pending`.
    bias : ndarray (n_outputs,), updated in place
    lags : ndarray (n_taps + 1, order), updated in place
    place : ndarray of int (1,), updated in place
    products : ndarray (order, order - 1), updated in place
        C_l of the last samples, oldest first.
    usable : ndarray of bool (1, order - 1), updated in place
        As `products`: samples that were to be learned from, neither silent nor too loud to square.
    e, pending : ndarray (n_outputs, order), updated in place

    Returns
    -------
    int
        First sample whose error is not finite, or -1.
    """
    n, n_outputs = d.shape
    order = e.shape[1]
    past = order - 1
    M = np.zeros((order, order, lanes), dtype=e.dtype)
    inverse = np.zeros((order, lanes))
    epsilons = np.zeros(lanes)
    left_out = np.zeros(lanes, dtype=np.int64)
    f, v = np.zeros(order, dtype=e.dtype), np.zeros(order, dtype=e.dtype)
    constant = 1.0 if fit_intercept else 0.0
    # Before sample t of a block the column of a slot moves up by one: walk down instead.
    sums = np.zeros((order, past + lanes), dtype=e.dtype)
    gram = np.zeros((order, past + lanes), dtype=e.dtype)
    part = np.zeros((1, past + lanes), dtype=np.bool_)
    errors = np.zeros((n_outputs, lanes + order), dtype=e.dtype)
    gains = np.zeros((n_outputs, lanes + order), dtype=e.dtype)
    for start in range(0, n, lanes):
        count = min(lanes, n - start)
        _copy_columns(products, 0, sums, 0, past)
        _copy_columns(usable, 0, part, 0, past)
        _copy_columns(e, 0, errors, lanes, order)
        _copy_columns(pending, 0, gains, lanes, order)
        newest = np.uint64((order + start) * stride + w.shape[1] - stride)
        _lag_products(z, newest, stride, lags, place, sums, np.uint64(past), count)
        for t in range(count):
            energy = sums[0, past + t].real + constant
            epsilons[t] = epsilon[start + t]
            learns = mask.size == 0 or mask[start + t]
            part[0, past + t] = learns and energy > 0 and np.isfinite(energy)
        for t in range(count, lanes):
            part[0, past + t] = False
        _factor(sums, part[0], constant, epsilons, gram, M, inverse, left_out)
        for t in range(count):
            k = start + t
            first = lanes - 1 - t
            for o in range(n_outputs):
                known = e.dtype.type(0)
                gains[o, first] = known
                for i in range(1, order):
                    if gains[o, first + i] != 0:
                        known += gains[o, first + i] * sums[i, past + t]
                gain = w.dtype.type(gains[o, first + order])
                old, new = np.uint64(k * stride), np.uint64((order + k) * stride)
                s = e.dtype.type(_update_and_dot(w, o, gain, z, old, new))
                y[k, o] = w.dtype.type(s + (known + bias[o]))
                error = d[k, o] - y[k, o]
                if not np.isfinite(error):
                    return k
                errors[o, first] = error
                if mask.size == 0 or mask[k]:
                    _solve(M, inverse, np.uint64(t), errors, o, np.uint64(first), f, v)
                    if fit_intercept:
                        bias[o] += w.dtype.type(step * v.sum())
                    _learn(
                        inverse, left_out[t] > 0, t, step, epsilons[t], v,
                        errors[o, first : first + order], gains[o, first : first + order],
                    )  # fmt: skip
        _copy_columns(sums, count, products, 0, past)
        _copy_columns(part, count, usable, 0, past)
        _copy_columns(errors, lanes - count, e, 0, order)
        _copy_columns(gains, lanes - count, pending, 0, order)
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def start_products(z, stride, lags, place, products):
    """Fill the sliding sums of a new window from the history in `z`, as `affine_projection`."""
    order = lags.shape[1]
    column = np.zeros((order, 1), dtype=lags.dtype)
    for t in range(order, order + lags.shape[0] - 2):
        _lag_products(z, np.uint64(t * stride), stride, lags, place, column, np.uint64(0), 1)
        for lag in range(order):
            for i in range(order - 2):
                products[lag, i] = products[lag, i + 1]
            if order > 1:
                products[lag, order - 2] = column[lag, 0]


@njit(cache=True, error_model="numpy", nogil=True)
def settle(z, stride, w, pending, settled):
    """settled = w + sum_l pending(l) conj(x(k-l)), k the last sample of `z`.

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
