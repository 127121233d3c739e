"""Proportionate NLMS: large weights take large steps."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def ipnlms(z, d, epsilon, mask, stride, step, proportionality, fit_intercept, w, bias, y):
    """Improved proportionate NLMS: w <- w + step e g conj(x) / (share epsilon + sum g |x|^2).

    With p = proportionality and share = (1 - p) / 2::

        g = share + (1 - share) m |w| / sum |w|

    m times the gains of the paper, so that they are one on average; the constant 1 of an intercept
    has gain one. All weights zero, the start, is a step of NLMS.

    The sums over g |x|^2 come from |x|^2 and |w| |x|^2 in the pass of the dot product, which also
    holds the update by the sample before: one pass over w a sample, and a last one that closes the
    block through the same code, so that any chunking gives the same bits.

    Parameters
    ----------
    z, d, epsilon, mask, stride, step, fit_intercept, w, bias, y
        As `nlms` in ``filters.kernels.lms``.
    proportionality : float in [-1, 1]

    Returns
    -------
    int
        As `nlms`.
    """
    m = np.uint64(w.size)
    n = d.size
    one = epsilon.dtype.type(1)
    share = (one - proportionality) / epsilon.dtype.type(2)
    even = w.dtype.type(0)  # gain * the even part of g, and gain * the part that goes with |w|
    uneven = w.dtype.type(0)
    for k in range(n + 1):
        a = np.uint64(max(k - 1, 0) * stride)
        b = np.uint64(min(k, n - 1) * stride)
        s = w.dtype.type(0)
        power = epsilon.dtype.type(0)
        weighted = epsilon.dtype.type(0)
        norm = epsilon.dtype.type(0)
        for i in range(m):
            v = w[i] + (even + uneven * abs(w[i])) * np.conj(z[a + i])
            w[i] = v
            x = z[b + i]
            size = abs(v)
            r = (x * np.conj(x)).real
            s += v * x
            power += r
            weighted += size * r
            norm += size
        if k == n:
            break
        s += bias[0]
        y[k] = s
        e = d[k] - s
        if not np.isfinite(e):
            return k
        even = w.dtype.type(0)
        uneven = w.dtype.type(0)
        if mask.size == 0 or mask[k]:
            flat = one
            slope = epsilon.dtype.type(0)
            eps = epsilon[k]
            if norm > 0:
                flat = share
                slope = (one - share) * epsilon.dtype.type(m) / norm
                eps = share * epsilon[k]
            energy = flat * power + slope * weighted
            if fit_intercept:
                energy += one
            if energy > 0:
                gain = w.dtype.type(step * e / (eps + energy))
                even = w.dtype.type(flat * gain)
                uneven = w.dtype.type(slope * gain)
                if fit_intercept:
                    bias[0] += gain
    return -1
