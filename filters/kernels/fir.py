"""Frozen weights on a delay line."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def fir(z, stride, w, bias, y):
    """y(k) = w . x(k) + b for every output; layout of `z` and `w` as in ``filters.kernels.lms``.

    Parameters
    ----------
    z : ndarray (n_history * stride + n * stride,)
    stride : int
    w : ndarray (n_outputs, m)
    bias : ndarray (n_outputs,)
    y : ndarray (n, n_outputs), written
    """
    m = np.uint64(w.shape[1])
    for k in range(y.shape[0]):
        b = np.uint64(k * stride)
        for o in range(w.shape[0]):
            s = w.dtype.type(0)
            for i in range(m):
                s += w[o, i] * z[b + i]
            y[k, o] = s + bias[o]
