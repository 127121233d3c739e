"""LMS and NLMS: the stochastic-gradient family on a delay line, and the input's power, causally.

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

For one sample at a time handing arrays over costs more than the arithmetic (3.5 us against 0.3), so
`lms_one` and `nlms_one` keep a whole filter in one flat array and run the same kernels on its
parts. They stand in this file because the disk cache sees no edits of other files.
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
    d : ndarray (n,)
        Desired signal.
    steps : ndarray (n,) or (1,)
        Step size of every sample, or one for all.
    mask : ndarray of bool (n,) or (0,)
        Where False the weights are frozen; empty: adapt everywhere.
    stride : int
    leak : float
    sign_error : bool or None
        Use the sign of e instead of e. None is False, but leaves the division out of the machine
        code, where it stood between a sample and the next (8.8 ns a sample at 8 taps, not 12.6).
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
            if sign_error is not None:
                magnitude = abs(e)
                e = e / magnitude if sign_error and magnitude > 0 else e
            step = steps[min(k, steps.size - 1)]
            gain = w.dtype.type(step * e)
            keep = w.dtype.type(one - step * leak)
            if fit_intercept:
                bias[0] += gain
    return -1


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def nlms(z, d, epsilon, mask, stride, step, fit_intercept, w, bias, y):
    """Normalised LMS: w <- w + step e conj(x) / (epsilon + |x|^2).

    The norm is summed afresh in the same pass as the dot product: a running add-and-subtract
    would keep the residue of a burst for ever. Silence, |x|^2 = 0, leaves the weights alone,
    however small epsilon has become. With an intercept, x has a constant 1 more.

    The division does not wait for the error: step / (epsilon + |x|^2) is at hand before it (8.7 ns
    a sample instead of 12.3 at 8 taps). Where that overflows, step e / (...) still may not.

    Parameters
    ----------
    z, d, mask, stride, fit_intercept, w, bias, y
        As `lms`.
    epsilon : ndarray (n,) or (1,)
        Regularisation of every sample, or one for all.
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
                energy += epsilon[min(k, epsilon.size - 1)]
                scale = step / energy
                gain = w.dtype.type(scale * e if np.isfinite(scale) else step * e / energy)
                if fit_intercept:
                    bias[0] += gain
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def running_mean(power, memory, state, out):
    """Mean power with a bounded memory: p(k) = p(k-1) + (r(k) - p(k-1)) / min(k + 1, memory).

    Once the memory is full, p(k) = (1 - 1 / memory) p(k-1) + r(k) / memory: one multiply-add stands
    between samples and no division (3 ns a sample less).

    Parameters
    ----------
    power : ndarray (n,)
        r(k), squared magnitude of row k summed over channels.
    memory : int
        Samples after which old power is forgotten exponentially.
    state : ndarray (2,) = [p, samples seen], updated in place
    out : ndarray (n,), written
        p(k), sample k included.
    """
    mean = state[0]
    count = state[1]
    share = 1.0 / memory
    for k in range(power.size):
        count += 1.0
        if count < memory:
            mean += (power[k] - mean) / count
        else:
            mean = (1.0 - share) * mean + share * power[k]
        out[k] = mean
    state[0] = mean
    state[1] = count


@njit(cache=True, error_model="numpy", nogil=True)
def held_energy(power, n_taps, decay, state, out):
    """Upper envelope of the energy in the delay line.

    E(k) = (1 - 1 / n_taps) E(k-1) + r(k) follows the energy of the last n_taps rows without a
    subtraction (it is at least 1/e of it, since (1 - 1/n)^(n-1) > 1/e); H(k) = max(E(k),
    decay H(k-1)) holds its peaks. Silence tells nothing about the level, so H waits there: it
    would underflow in time.

    Parameters
    ----------
    power : ndarray (n,)
        r(k), squared magnitude of row k summed over channels.
    n_taps : int
    decay : float
        Share of the peak kept a sample that is not silent.
    state : ndarray (2,) = [E, H], updated in place
    out : ndarray (n,), written
        H(k), sample k included.
    """
    energy = state[0]
    held = state[1]
    keep = 1.0 - 1.0 / n_taps
    for k in range(power.size):
        energy = keep * energy + power[k]
        if power[k] > 0:
            held = max(energy, decay * held)
        out[k] = held
    state[0] = energy
    state[1] = held


# Places in the flat state of a filter of one channel and one output; the weights stand at WEIGHTS,
# then as many places for a copy of them, then the signal, whose next window begins at PLACE.
PLACE, N_TAPS, SEEN, INTERCEPT, BIAS, STEP, LEAK, EPSILON, SHARE, MEMORY, LEVEL = range(11)
SAMPLE, WEIGHTS = 13, 17


@njit(cache=True, error_model="numpy", nogil=True)
def _hear(flat, x, d):
    """Put x into the signal and d, |x|^2 into their places; returns where the window begins."""
    m = int(flat[N_TAPS])
    signal = WEIGHTS + 2 * m
    place = int(flat[PLACE])
    if signal + place + m > flat.size:
        for i in range(m - 1):
            flat[signal + i] = flat[signal + place + i]
        place = 0
        flat[PLACE] = 0.0
    flat[signal + place + m - 1] = x
    flat[SAMPLE] = d
    flat[SAMPLE + 1] = x * x
    for i in range(m):
        flat[WEIGHTS + m + i] = flat[WEIGHTS + i]
    return signal + place


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def _settle(flat, bad, bias, level, largest):
    """Count the sample and return y, or take everything back and return NaN."""
    m = int(flat[N_TAPS])
    total = 0.0
    for i in range(m):
        total += flat[WEIGHTS + i] * 0.0
    if bad < 0 and total == 0.0:
        flat[PLACE] += 1.0
        flat[SEEN] += 1.0
        return flat[SAMPLE + 2]
    for i in range(m):
        flat[WEIGHTS + i] = flat[WEIGHTS + m + i]
    flat[BIAS] = bias
    flat[LEVEL] = level
    flat[LEVEL + 1] = largest
    return np.nan


@njit(cache=True, error_model="numpy", nogil=True)
def lms_one(flat, x, d):
    """`lms` for one sample of one channel.

    Parameters
    ----------
    flat : ndarray of float64 (WEIGHTS + 2 n_taps + at least n_taps,), updated in place
        STEP is the step size, 0 for SHARE / (H(k) + LEAK), H as in `held_energy` with MEMORY its
        decay.
    x, d : float
        Reference and desired signal.

    Returns
    -------
    float
        A-priori output. NaN, and nothing changed, for what is not finite on the way in or out.
    """
    if not (np.isfinite(x) and np.isfinite(d)):
        return np.nan
    bias, level, largest = flat[BIAS], flat[LEVEL], flat[LEVEL + 1]
    a = _hear(flat, x, d)
    m = int(flat[N_TAPS])
    z = flat[a : a + m]
    step = flat[SAMPLE + 3 : SAMPLE + 4]
    step[0] = flat[STEP]
    if flat[STEP] == 0.0:
        power = flat[SAMPLE + 1 : SAMPLE + 2]
        power[0] += flat[INTERCEPT]
        held_energy(power, m, flat[MEMORY], flat[LEVEL : LEVEL + 2], step)
        step[0] = flat[SHARE] / (step[0] + flat[LEAK]) if step[0] > flat[EPSILON] else 0.0
    bad = lms(
        z, z, flat[SAMPLE : SAMPLE + 1], step, flat[:0], 1, flat[LEAK], None,
        flat[INTERCEPT] > 0.0, flat[WEIGHTS : WEIGHTS + m], flat[BIAS : BIAS + 1],
        flat[SAMPLE + 2 : SAMPLE + 3],
    )  # fmt: skip
    return _settle(flat, bad, bias, level, largest)


@njit(cache=True, error_model="numpy", nogil=True)
def nlms_one(flat, x, d):
    """`nlms` for one sample of one channel.

    Parameters
    ----------
    flat : ndarray, as `lms_one`
        EPSILON is the regularisation, unless SHARE is positive: then it is SHARE times the
        `running_mean` of the input's power, MEMORY its memory.
    x, d : float

    Returns
    -------
    float
        As `lms_one`.
    """
    if not (np.isfinite(x) and np.isfinite(d)):
        return np.nan
    bias, level, count = flat[BIAS], flat[LEVEL], flat[LEVEL + 1]
    a = _hear(flat, x, d)
    m = int(flat[N_TAPS])
    epsilon = flat[SAMPLE + 3 : SAMPLE + 4]
    epsilon[0] = flat[EPSILON]
    if flat[SHARE] > 0.0:
        power = flat[SAMPLE + 1 : SAMPLE + 2]
        running_mean(power, flat[MEMORY], flat[LEVEL : LEVEL + 2], epsilon)
        epsilon[0] *= flat[SHARE]
    bad = nlms(
        flat[a : a + m], flat[SAMPLE : SAMPLE + 1], epsilon, flat[:0], 1, flat[STEP],
        flat[INTERCEPT] > 0.0, flat[WEIGHTS : WEIGHTS + m], flat[BIAS : BIAS + 1],
        flat[SAMPLE + 2 : SAMPLE + 3],
    )  # fmt: skip
    return _settle(flat, bad, bias, level, count)
