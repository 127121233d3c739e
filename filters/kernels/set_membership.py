"""Set-membership NLMS: weights move only where the error leaves its bound."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def set_membership_nlms(z, d, epsilon, mask, stride, bound, fit_intercept, w, bias, updates, y):
    """Where |e| > bound: w <- w + (1 - bound / |e|) e conj(x) / (epsilon + |x|^2).

    Updates are rare, so they have a pass of their own; the pass of the dot product only reads.

    Parameters
    ----------
    z, d, epsilon, mask, stride, fit_intercept, w, bias, y
        As `nlms` in ``filters.kernels.lms``.
    bound : float
    updates : ndarray of int (2,), updated in place
        Updates made and samples that might have led to one.

    Returns
    -------
    int
        As `nlms`.
    """
    m = np.uint64(w.size)
    for k in range(d.size):
        b = np.uint64(k * stride)
        s = w.dtype.type(0)
        power = epsilon.dtype.type(0)
        for i in range(m):
            x = z[b + i]
            s += w[i] * x
            power += (x * np.conj(x)).real
        s += bias[0]
        y[k] = s
        e = d[k] - s
        if not np.isfinite(e):
            return k
        if mask.size > 0 and not mask[k]:
            continue
        updates[1] += 1
        if fit_intercept:
            power += epsilon.dtype.type(1)
        magnitude = abs(e)
        if magnitude > bound and power > 0:
            updates[0] += 1
            gain = w.dtype.type((magnitude - bound) * (e / magnitude) / (epsilon[k] + power))
            for i in range(m):
                w[i] += gain * np.conj(z[b + i])
            if fit_intercept:
                bias[0] += gain
    return -1
