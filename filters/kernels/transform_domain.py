"""Transform-domain LMS: the delay line through a sliding cosine transform, a step for every bin.

The transform slides. For the angle theta = pi i / n_taps of bin i, the sum over the window

    Z_i = sum_m x(k - m) exp(j theta (m + 1/2)),   DCT-II: X_i = scale_i Re Z_i

goes to the next sample by a rotation, a sample that enters and one that leaves: O(n_taps) where a
direct transform costs n_taps^2. Two of these sums run: one is in use, the other, begun empty, only
gains; once it holds n_taps samples it takes over and a new one begins. So no rounding error lives
longer than 2 n_taps samples, and a burst leaves nothing behind.

`spectra` (n_channels, 4, n_taps) holds real and imaginary part of Z in use (without the sample that
leaves next) and of the one that grows. The rows of `tables` (6, n_taps) are cosine and sine of
theta, cosine and sine of theta / 2, the sign (-1)^i and the scale.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def enter(x, tables, even, odd):
    """Z <- exp(j theta) Z + exp(j theta / 2) x, with Z = even + j odd (n_taps,), in place."""
    for i in range(np.uint64(even.size)):
        a = even[i]
        b = odd[i]
        even[i] = tables[0, i] * a - tables[1, i] * b + tables[2, i] * x
        odd[i] = tables[1, i] * a + tables[0, i] * b + tables[3, i] * x


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def slide(newest, oldest, takes_over, tables, spectra, bins):
    """Move both sums of one channel to the next sample and write its bins X = scale Re Z.

    The sample that leaves next leaves then: Z <- Z - (-1)^i exp(-j theta / 2) oldest. `spectra`
    (4, n_taps) is in place; `takes_over` says that the one that grows is complete.
    """
    enter(newest, tables, spectra[0], spectra[1])
    enter(newest, tables, spectra[2], spectra[3])
    m = np.uint64(bins.size)
    if takes_over:
        for i in range(m):
            spectra[0, i] = spectra[2, i]
            spectra[1, i] = spectra[3, i]
            spectra[2, i] = 0
            spectra[3, i] = 0
    for i in range(m):
        bins[i] = tables[5, i] * spectra[0, i]
    for i in range(m):
        spectra[0, i] -= tables[4, i] * tables[2, i] * oldest
        spectra[1, i] += tables[4, i] * tables[3, i] * oldest


@njit(cache=True, error_model="numpy", nogil=True)
def fill_spectra(z, tables, spectra, place):
    """Set `spectra` and `place` to the history at the head of `z`."""
    n_channels = spectra.shape[0]
    spectra[:] = 0
    place[0] = 0
    for j in range(tables.shape[1] - 1):
        for c in range(n_channels):
            enter(z[j * n_channels + c], tables, spectra[c, 0], spectra[c, 1])


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def weigh(bins, rate, share, power, direction):
    """P <- P + rate (|X|^2 - P) for the bins of one channel; write conj(X) / (P + share).

    A silent bin tells nothing about its level (and P would underflow in time), so P waits there.

    Returns
    -------
    float
        sum of (|X|^2 + share) / (P + share).
    """
    zero = power.dtype.type(0)
    tiny = np.finfo(power.dtype).tiny
    energy = zero
    for i in range(np.uint64(bins.size)):
        v = bins[i]
        r = (v * np.conj(v)).real
        p = power[i]
        p += rate * (r - p) if r > zero else zero
        power[i] = p
        level = p + share
        inverse = power.dtype.type(1) / level if level >= tiny else zero
        direction[i] = np.conj(v) * inverse
        energy += (r + share) * inverse
    return energy


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def transform_domain(
    z, d, epsilon, mask, step, memory, normalize, fit_intercept, tables, spectra, place, power, w,
    bias, y,
):  # fmt: skip
    """LMS on the bins X of all channels, with the step of every bin to its mean power P.

    With r = epsilon / (number of inputs)::

        w_i <- w_i + step e conj(X_i) / (P_i + r) / sum_j (|X_j|^2 + r) / (P_j + r)

    An intercept is one more bin, X = P = 1, without r. If not `normalize`: w <- w + step e conj(X).

    Parameters
    ----------
    z : ndarray (n_history * n_channels + n * n_channels,)
        As in ``filters.kernels.lms``.
    d : ndarray (n, n_outputs)
    epsilon : ndarray (n,)
    mask : ndarray of bool (n,) or (0,)
    step : float
    memory : float
        P is the mean over all samples until there are so many, and forgets over these.
    normalize, fit_intercept : bool
    tables, spectra : ndarray
        As at the head of this file; `spectra` is updated in place.
    place : ndarray of int (2,), updated in place
        Samples in the sum that grows, samples in P.
    power : ndarray (n_channels, n_taps), updated in place
    w : ndarray (n_outputs, n_channels, n_taps), updated in place
        Weights of the bins.
    bias : ndarray (n_outputs,), updated in place
    y : ndarray (n, n_outputs), written
        A-priori outputs.

    Returns
    -------
    int
        First sample with an error that is not finite, or -1.
    """
    n_channels, n_taps = power.shape
    n_outputs = w.shape[0]
    m = np.uint64(n_taps)
    real = power.dtype.type
    silence = np.finfo(power.dtype).eps ** 2  # below that share of the mean power
    inputs = real(n_channels * n_taps + (1 if fit_intercept else 0))
    bins = np.empty((n_channels, n_taps), w.dtype)
    direction = np.empty((n_channels, n_taps), w.dtype)
    for k in range(d.shape[0]):
        place[0] += 1
        place[1] += 1
        rate = real(1.0 / min(float(place[1]), memory))
        energy = real(1 if fit_intercept else 0)
        for c in range(n_channels):
            newest, oldest = z[(k + n_taps - 1) * n_channels + c], z[k * n_channels + c]
            slide(newest, oldest, place[0] == n_taps, tables, spectra[c], bins[c])
            if normalize:
                energy += weigh(bins[c], rate, epsilon[k] / inputs, power[c], direction[c])
            else:
                for i in range(m):
                    direction[c, i] = np.conj(bins[c, i])
        place[0] %= n_taps
        for o in range(n_outputs):
            s = bias[o]
            for c in range(n_channels):
                for i in range(m):
                    s += w[o, c, i] * bins[c, i]
            y[k, o] = s
            e = d[k, o] - s
            if not np.isfinite(e):
                return k
            if (mask.size > 0 and not mask[k]) or (normalize and energy < silence):
                continue
            gain = w.dtype.type(step * e / energy if normalize else step * e)
            for c in range(n_channels):
                for i in range(m):
                    w[o, c, i] += gain * direction[c, i]
            if fit_intercept:
                bias[o] += gain
    return -1
