"""Filtered-x LMS: the output reaches the error through a path of its own.

Layout of `z`, `w` and their windows as in ``filters.kernels.lms``, whose fused pass (the update by
sample k-1 and the dot product of sample k in one sweep over w) is the one used here.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def filtered_x_lms(z, q, d, norm, mask, stride, step, leak, bias_gain, path, w, bias, u, y):
    """u = w.x + b, y = s * u, e = d - y, w <- (1 - step leak) w + step e conj(q) / norm.

    Parameters
    ----------
    z : ndarray (n_history * stride + n * stride,)
        Reference x.
    q : ndarray, as `z`
        Reference, filtered by the model of the path.
    d : ndarray (n,)
        Disturbance at the error microphone.
    norm : ndarray (n,)
        What the step of every sample is divided by; 0: the sample teaches nothing.
    mask : ndarray of bool (n,) or (0,)
        Where False the weights are frozen; empty: adapt everywhere.
    stride : int
    step, leak : float
    bias_gain : float or complex
        Conjugate of the gain of the path for the constant; 0 without an intercept.
    path : ndarray (n_path,)
        Impulse response s, oldest sample first.
    w : ndarray (m,), updated in place
    bias : ndarray (1,), updated in place
    u : ndarray (n_path - 1 + n,)
        Drive; the first ``n_path - 1`` samples are its past, the others are written.
    y : ndarray (n,), written
        What the drive is at the microphone.

    Returns
    -------
    int
        First sample whose error is not finite, or -1. The weights are those before it.
    """
    m = np.uint64(w.size)
    n_path = np.uint64(path.size)
    n = d.size
    one = w.dtype.type(1)
    gain = w.dtype.type(0)
    keep = one
    for k in range(n + 1):
        a = np.uint64(max(k - 1, 0) * stride)
        b = np.uint64(min(k, n - 1) * stride)
        s = w.dtype.type(0)
        for i in range(m):
            v = keep * w[i] + gain * np.conj(q[a + i])
            w[i] = v
            s += v * z[b + i]
        if k == n:
            break
        first = np.uint64(k)
        u[first + n_path - np.uint64(1)] = s + bias[0]
        heard = w.dtype.type(0)
        for j in range(n_path):
            heard += path[j] * u[first + j]
        y[k] = heard
        e = d[k] - heard
        if not np.isfinite(e):
            return k
        gain = w.dtype.type(0)
        keep = one
        if (mask.size == 0 or mask[k]) and norm[k] > 0:
            gain = w.dtype.type(step * e / norm[k])
            keep = w.dtype.type(one - step * leak)
            bias[0] += gain * bias_gain
    return -1
