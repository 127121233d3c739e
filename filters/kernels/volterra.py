"""Second-order Volterra filter: NLMS on the delay line and the products of its samples.

The quadratic weights `q` (n_outputs, m, m) are an upper triangle: q[i, j], i <= j, belongs to the
product x_i x_j of two samples of the window, in the order of ``filters.kernels.lms``.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def volterra_output(z, stride, w, q, bias, y):
    """y(k) = w . x + sum_{i <= j} q_ij x_i x_j + b of frozen weights, for every output.

    Parameters
    ----------
    z, stride, w, bias, y
        As `fir` in ``filters.kernels.fir``.
    q : ndarray (n_outputs, m, m)
    """
    m = np.uint64(w.shape[1])
    for k in range(y.shape[0]):
        b = np.uint64(k * stride)
        for o in range(w.shape[0]):
            s = w.dtype.type(0)
            for i in range(m):
                t = w[o, i]
                for j in range(i, m):
                    t += q[o, i, j] * z[b + j]
                s += t * z[b + i]
            y[k, o] = s + bias[o]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def scale_updates(gain, ratio, z, b, linear, quadratic):
    """linear_i = gain conj(x_i), quadratic_i = linear_i ratio; x the window at b.

    In this order of the factors and no other: for a faint input gain ratio overflows.
    """
    for i in range(np.uint64(linear.size)):
        linear[i] = gain * np.conj(z[b + i])
        quadratic[i] = linear[i] * ratio


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def squared_norm(z, b, m, power, ratio):
    """|x|^2 + ratio sum_{i <= j} |x_i x_j|^2 from power = |x|^2, without a double loop.

    The second sum is (|x|^4 + sum |x_i|^4) / 2; taken relative to |x|^4, nothing underflows. The
    order of the factors must stay, so this is one sum loop whose flags do not allow to reorder.
    """
    inverse = 1.0 / power
    peak = 0.0
    for i in range(m):
        share = (z[b + i] * np.conj(z[b + i])).real * inverse
        peak += share * share
    return power + ratio * power * power * 0.5 * (1.0 + peak)


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def volterra_nlms(z, d, epsilon, ratio, constant, mask, stride, step, w, q, bias, y):
    """NLMS whose inputs are the samples x_i, the products x_i x_j (i <= j) and a constant.

    ::

        gain = step e / (epsilon + |x|^2 + ratio sum_{i <= j} |x_i x_j|^2 + constant)
        w_i  <- w_i + gain conj(x_i)
        q_ij <- q_ij + gain ratio conj(x_i x_j)
        b    <- b + gain constant

    It is NLMS for the products times sqrt(ratio) and the constant sqrt(constant), so the step is
    safe below 2 for every ratio. The update by the last sample and the output of this one are one
    pass over w and q.

    Parameters
    ----------
    z, mask, stride, step
        As `nlms` in ``filters.kernels.lms``.
    d : ndarray (n, n_outputs)
    epsilon : ndarray (n,)
    ratio, constant : ndarray of float64 (n,)
        `constant` is zero without an intercept.
    w : ndarray (n_outputs, m), updated in place
    q : ndarray (n_outputs, m, m), updated in place
    bias : ndarray (n_outputs,), updated in place
    y : ndarray (n, n_outputs), written
        A-priori outputs.

    Returns
    -------
    int
        First sample with an error that is not finite, or -1.
    """
    m = np.uint64(w.shape[1])
    n = d.shape[0]
    n_outputs = w.shape[0]
    linear = np.zeros((n_outputs, w.shape[1]), w.dtype)
    quadratic = np.zeros((n_outputs, w.shape[1]), w.dtype)
    for k in range(n + 1):
        a = np.uint64(max(k - 1, 0) * stride)
        b = np.uint64(min(k, n - 1) * stride)
        power = epsilon.dtype.type(0)
        for i in range(m):
            power += (z[b + i] * np.conj(z[b + i])).real
        learn = k < n and (mask.size == 0 or mask[k])
        energy = constant[k] if learn else 0.0
        if learn and power > 0:
            energy += squared_norm(z, b, m, float(power), ratio[k])
        for o in range(n_outputs):
            s = w.dtype.type(0)
            for i in range(m):
                t = w[o, i] + linear[o, i]
                w[o, i] = t
                u = quadratic[o, i]
                for j in range(i, m):
                    v = q[o, i, j] + u * np.conj(z[a + j])
                    q[o, i, j] = v
                    t += v * z[b + j]
                s += t * z[b + i]
            if k == n:
                continue
            s += bias[o]
            y[k, o] = s
            e = d[k, o] - s
            if not np.isfinite(e):
                return k
            gain = w.dtype.type(0)
            if energy > 0:
                gain = w.dtype.type(step * e / (epsilon[k] + energy))
                bias[o] += gain * constant[k]
            scale_updates(gain, ratio[k], z, b, linear[o], quadratic[o])
    return -1
