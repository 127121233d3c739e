"""LMS and NLMS: the stochastic-gradient family on a delay line.

Signal layout, shared by every kernel here: `z` holds ``[history | block]`` flattened row by row,
so the window that ends at sample k, all channels together, is the plain slice
``z[k * stride : k * stride + w.size]`` with ``stride = n_channels`` (oldest row first). The weights
`w` are in the same order. One channel and many channels are the same loop, without copies and
without circular indexing.

Both kernels are one fused pass over w a sample: the update by sample k-1 and the dot product of
sample k read and write each weight once (3 loads and a store for 2 multiply-adds, where separate
loops need 4 loads and a store). It is the plain recursion up to the order of the sum. Pass number
n closes the block with the update by its last sample, through the same machine code as all others,
so any chunking of a signal gives the same bits.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def lms(z, direction, d, steps, mask, stride, leak, sign_error, fit_intercept, w, bias, y):
    """Least mean squares: y = w.x + b, e = d - y, w <- (1 - step leak) w + step e conj(q).

    Parameters
    ----------
    z : ndarray (n_history * stride + n * stride,)
    direction : ndarray, as `z`
        q: the signal the gradient uses; `z` itself, its sign (sign-data LMS) or `z` filtered.
    d, steps : ndarray (n,)
        Desired signal and step size of every sample.
    mask : ndarray of bool (n,) or (0,)
        Where False the weights are frozen; empty: adapt everywhere.
    stride : int
    leak : float
    sign_error : bool
        Use the sign of e instead of e.
    fit_intercept : bool
    w : ndarray (m,), updated in place
    bias : ndarray (1,), updated in place
    y : ndarray (n,), written
        A-priori output.

    Returns
    -------
    int
        First sample whose error is not finite, or -1. The weights are those before it.
    """
    # Unsigned indices: with signed ones LLVM allows for wrap-around, gathers (2x slower) and, where
    # w happens to lie near z, falls back to a scalar loop whose sums round differently.
    m = np.uint64(w.size)
    n = d.size
    one = w.dtype.type(1)
    gain = w.dtype.type(0)
    keep = one
    for k in range(n + 1):
        a = np.uint64(max(k - 1, 0) * stride)
        b = np.uint64(min(k, n - 1) * stride)
        s = w.dtype.type(0)
        for i in range(m):
            v = keep * w[i] + gain * np.conj(direction[a + i])
            w[i] = v
            s += v * z[b + i]
        if k == n:
            break
        s += bias[0]
        y[k] = s
        e = d[k] - s
        if not np.isfinite(e):
            return k
        gain = w.dtype.type(0)
        keep = one
        if mask.size == 0 or mask[k]:
            if sign_error:
                magnitude = abs(e)
                e = e / magnitude if magnitude > 0 else e
            gain = w.dtype.type(steps[k] * e)
            keep = w.dtype.type(one - steps[k] * leak)
            if fit_intercept:
                bias[0] += gain
    return -1


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def nlms(z, d, epsilon, mask, stride, step, fit_intercept, w, bias, y):
    """Normalised LMS: w <- w + step e conj(x) / (epsilon + |x|^2).

    The norm is summed afresh in the same pass as the dot product: a running add-and-subtract
    would keep the residue of a burst for ever. Silence, |x|^2 = 0, leaves the weights alone,
    however small epsilon has become. With an intercept, x has a constant 1 more.

    Parameters
    ----------
    z, d, mask, stride, fit_intercept, w, bias, y
        As `lms`.
    epsilon : ndarray (n,)
        Regularisation of every sample.
    step : float

    Returns
    -------
    int
        As `lms`.
    """
    # Unsigned indices: with signed ones LLVM allows for wrap-around, gathers (2x slower) and, where
    # w happens to lie near z, falls back to a scalar loop whose sums round differently.
    m = np.uint64(w.size)
    n = d.size
    gain = w.dtype.type(0)
    for k in range(n + 1):
        a = np.uint64(max(k - 1, 0) * stride)
        b = np.uint64(min(k, n - 1) * stride)
        s = w.dtype.type(0)
        power = w.dtype.type(0)
        for i in range(m):
            v = w[i] + gain * np.conj(z[a + i])
            w[i] = v
            x = z[b + i]
            s += v * x
            power += x * np.conj(x)
        if k == n:
            break
        s += bias[0]
        y[k] = s
        e = d[k] - s
        if not np.isfinite(e):
            return k
        gain = w.dtype.type(0)
        if mask.size == 0 or mask[k]:
            energy = power.real
            if fit_intercept:
                energy += epsilon.dtype.type(1)
            if energy > 0:
                gain = w.dtype.type(step * e / (epsilon[k] + energy))
                if fit_intercept:
                    bias[0] += gain
    return -1
