"""NLMS whose step is the share of the error that can still be learned."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def follow(levels, e, c, damping, memory, noise_power, estimate):
    """Take one error into the levels; return the step of this sample.

    With E a running mean, E <- E + rate (new - E)::

        noise power = min(E damping |c|^2, E Re e conj(c)),  step = 1 - noise power / E |e|^2

    Parameters
    ----------
    levels : ndarray (6,), updated in place
        Running means of |e|^2, of damping |c|^2 and of Re e conj(c); samples in them; the noise
        power and the step in use.
    e, c : float or complex
        Errors of the filter and of its companion.
    damping : float
        What is noise in |c|^2 once the companion has settled: 1 - (its effective step) / 2.
    memory, noise_power : float
    estimate : bool
        Whether `noise_power` is to be estimated.

    Returns
    -------
    float
        1 - noise power / mean of |e|^2, at least 0; not finite if the mean is not.
    """
    levels[3] += 1.0
    rate = 1.0 / min(levels[3], memory)
    levels[0] += rate * (e.real * e.real + e.imag * e.imag - levels[0])
    levels[4] = noise_power
    if estimate:
        levels[1] += rate * (damping * (c.real * c.real + c.imag * c.imag) - levels[1])
        levels[2] += rate * (e.real * c.real + e.imag * c.imag - levels[2])
        levels[4] = max(min(levels[1], levels[2]), 0.0)
    share = 0.0
    if levels[0] > 0.0:
        share = max(1.0 - levels[4] / levels[0], 0.0)
    return share


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def variable_step_nlms(
    z, d, epsilon, mask, stride, max_step, memory, noise_power, fit_intercept, companion,
    companion_bias, levels, w, bias, y,
):  # fmt: skip
    """NLMS with step min(max_step, 1 - noise power / mean of |e|^2).

    The noise power is estimated with the help of a companion: NLMS of step 1 on the same signals,
    whose output nobody hears. Its error c holds the noise twice over when it has settled (excess
    step / (2 - step)), and its weights tremble independently of the slow ones, so that
    E |c|^2 / 2 and E e conj(c) both come down to the noise power; the smaller one is it. While the
    companion is ahead, there is something to learn.

    Each filter is one fused pass over its weights a sample, as in ``filters.kernels.lms``.

    Parameters
    ----------
    z, epsilon, mask, stride, fit_intercept
        As `nlms` in ``filters.kernels.lms``.
    d : ndarray (n, n_outputs)
    max_step, memory : float
        Largest step; samples over which the means forget.
    noise_power : float
        Used if there is no companion.
    companion : ndarray (n_outputs, m) or (n_outputs, 0), updated in place
        Weights of the companion.
    companion_bias : ndarray (n_outputs,), updated in place
    levels : ndarray (n_outputs, 6), updated in place
        As in `follow`.
    w, bias, y
        As in `nlms`, with an axis for the outputs: (n_outputs, m), (n_outputs,), (n, n_outputs).

    Returns
    -------
    int
        First sample with an error whose square is not finite, or -1.
    """
    m = np.uint64(w.shape[1])
    m_companion = np.uint64(companion.shape[1])
    n = d.shape[0]
    one = epsilon.dtype.type(1)
    bad = -1
    for o in range(w.shape[0]):
        gain = w.dtype.type(0)
        companion_gain = w.dtype.type(0)
        for k in range(n + 1):
            a = np.uint64(max(k - 1, 0) * stride)
            b = np.uint64(min(k, n - 1) * stride)
            s = w.dtype.type(0)
            power = w.dtype.type(0)
            for i in range(m):
                v = w[o, i] + gain * np.conj(z[a + i])
                w[o, i] = v
                x = z[b + i]
                s += v * x
                power += x * np.conj(x)
            t = w.dtype.type(0)
            for i in range(m_companion):
                v = companion[o, i] + companion_gain * np.conj(z[a + i])
                companion[o, i] = v
                t += v * z[b + i]
            if k == n:
                break
            s += bias[o]
            t += companion_bias[o]
            y[k, o] = s
            e = d[k, o] - s
            c = d[k, o] - t
            if not np.isfinite(abs(e) * abs(e)):
                bad = k if bad < 0 else min(bad, k)
                break
            gain = w.dtype.type(0)
            companion_gain = w.dtype.type(0)
            energy = power.real
            if fit_intercept:
                energy += one
            if energy > 0 and (mask.size == 0 or mask[k]):
                damping = 1.0 - 0.5 * energy / (epsilon[k] + energy)
                share = follow(levels[o], e, c, damping, memory, noise_power, m_companion > 0)
                step = epsilon.dtype.type(min(share, max_step))
                levels[o, 5] = step
                gain = w.dtype.type(step * e / (epsilon[k] + energy))
                companion_gain = w.dtype.type(c / (epsilon[k] + energy))
                if fit_intercept:
                    bias[o] += gain
                    companion_bias[o] += companion_gain
    return bad
