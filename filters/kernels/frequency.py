"""Partitioned overlap-save: a Fourier transform, and adaptation block after block on top of it.

No complex numbers: spectra are ``(2, n_bins)``, real parts and imaginary parts, and signals have
a last axis `parts` of 1 (real) or 2 (complex), so that all loops run over contiguous floats.
n_bins is B + 1 for real signals (the other half is its mirror image) and 2 B for complex ones.
Spectra of the input live in a ring: partition p of the filter, which covers the delays from p B
on, meets ``spectra[(newest - p) % n_partitions]``. Nothing is ever shifted.
"""

import numpy as np
from numba import njit

# ---- the transform ------------------------------------------------------------------------------


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def pass_four(xr, xi, yr, yi, w):
    """One pass of radix 4: y(4 i + j) = w_j(i) sum over u of x(i + u N / 4) (-i)^(u j).

    Every pass has this one shape (Pease), whatever has been done before: one long loop, which is
    what vectorises. Loops that get shorter from pass to pass (Stockham) are 4 times slower here,
    because each of their many starts checks anew that no two of its 16 streams overlap.
    """
    m = np.uint64(xr.size // 4)
    two, three = m + m, m + m + m
    for i in range(m):
        ar, ai = xr[i] + xr[i + two], xi[i] + xi[i + two]
        br, bi = xr[i] - xr[i + two], xi[i] - xi[i + two]
        cr, ci = xr[i + m] + xr[i + three], xi[i + m] + xi[i + three]
        dr, di = xi[i + m] - xi[i + three], xr[i + three] - xr[i + m]
        k = np.uint64(4) * i
        yr[k], yi[k] = ar + cr, ai + ci
        k += np.uint64(1)
        yr[k] = (br + dr) * w[i] - (bi + di) * w[i + m]
        yi[k] = (br + dr) * w[i + m] + (bi + di) * w[i]
        k += np.uint64(1)
        yr[k] = (ar - cr) * w[i + two] - (ai - ci) * w[i + three]
        yi[k] = (ar - cr) * w[i + three] + (ai - ci) * w[i + two]
        k += np.uint64(1)
        yr[k] = (br - dr) * w[i + two + two] - (bi - di) * w[i + two + three]
        yi[k] = (br - dr) * w[i + two + three] + (bi - di) * w[i + two + two]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def pass_odd(radix, xr, xi, yr, yi, w):
    """As `pass_four` for any odd radix, in radix operations a number; x is used up.

    Inputs u and radix - u have conjugate factors, as have outputs j and radix - j: a quarter.
    """
    m, half, zero = xr.size // radix, radix // 2, xr.dtype.type(0)
    for i in range(m):
        zr, zi = xr[i], xi[i]
        for u in range(1, half + 1):
            a, b = i + u * m, i + (radix - u) * m
            xr[a], xr[b] = xr[a] + xr[b], xr[a] - xr[b]
            xi[a], xi[b] = xi[a] + xi[b], xi[a] - xi[b]
            zr, zi = zr + xr[a], zi + xi[a]
        yr[i * radix], yi[i * radix] = zr, zi
        for j in range(1, half + 1):
            cr, ci = xr[i], xi[i]
            sr, si = zero, zero
            k = 0
            for u in range(1, half + 1):
                k += j if k + j < radix else j - radix
                a, b, t = i + u * m, i + (radix - u) * m, 2 * (radix - 1) * m + k
                cr, ci = cr + xr[a] * w[t], ci + xi[a] * w[t]
                sr, si = sr - xi[b] * w[t + radix], si + xr[b] * w[t + radix]
            t, k = 2 * (j - 1) * m + i, i * radix + j
            yr[k] = (cr + sr) * w[t] - (ci + si) * w[t + m]
            yi[k] = (cr + sr) * w[t + m] + (ci + si) * w[t]
            t, k = 2 * (radix - j - 1) * m + i, i * radix + radix - j
            yr[k] = (cr - sr) * w[t] - (ci - si) * w[t + m]
            yi[k] = (cr - sr) * w[t + m] + (ci - si) * w[t]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def pass_two(xr, xi, yr, yi, w):
    """As `pass_four`, of radix 2."""
    m = np.uint64(xr.size // 2)
    for i in range(m):
        br, bi = xr[i] - xr[i + m], xi[i] - xi[i + m]
        k = i + i
        yr[k], yi[k] = xr[i] + xr[i + m], xi[i] + xi[i + m]
        k += np.uint64(1)
        yr[k] = br * w[i] - bi * w[i + m]
        yi[k] = br * w[i + m] + bi * w[i]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def passes(plan):
    """Transform ``plan.work[:2]``; returns the first row of the answer, which is out of order."""
    source, start = 0, 0
    for radix in plan.radices:
        xr, xi = plan.work[source], plan.work[source + 1]
        yr, yi = plan.work[2 - source], plan.work[3 - source]
        w = plan.twiddles[start:]
        if radix == 4:
            pass_four(xr, xi, yr, yi, w)
        elif radix == 2:
            pass_two(xr, xi, yr, yi, w)
        else:
            pass_odd(radix, xr, xi, yr, yi, w)
        start += 2 * (radix - 1) * (xr.size // radix) + 2 * radix
        source = 2 - source
    return source


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def reorder(x, order, y):
    """y(k) = x(order(k))."""
    for k in range(np.uint64(order.size)):
        y[k] = x[order[k]]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def forward(frame, spectrum, plan):
    """Spectrum of a frame.

    Parameters
    ----------
    frame : ndarray (2 B * parts,)
        Samples, complex ones as pairs. Real ones are paired, too: Z = even + i odd, from which
        X(k) = even(k) + exp(-i pi k / B) odd(k).
    spectrum : ndarray (2, n_bins), written
    plan : Plan
    """
    n, one = np.uint64(plan.order.size), np.uint64(1)
    re, im = spectrum[0], spectrum[1]
    zr, zi = plan.work[0], plan.work[1]
    for i in range(n):
        zr[i], zi[i] = frame[i + i], frame[i + i + one]
    source = passes(plan)
    real = re.size > plan.order.size
    zr = plan.work[2 - source] if real else re
    zi = plan.work[3 - source] if real else im
    reorder(plan.work[source], plan.order, zr)
    reorder(plan.work[source + 1], plan.order, zi)
    if not real:
        return
    wr, wi = plan.half_turns[0], plan.half_turns[1]
    half = frame.dtype.type(0.5)
    re[0], re[n] = zr[0] + zi[0], zr[0] - zi[0]
    im[0], im[n] = 0, 0
    for k in range(one, n):
        er, ei = half * (zr[k] + zr[n - k]), half * (zi[k] - zi[n - k])
        qr, qi = half * (zi[k] + zi[n - k]), half * (zr[n - k] - zr[k])
        re[k] = er + (qr * wr[k] - qi * wi[k])
        im[k] = ei + (qr * wi[k] + qi * wr[k])


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def inverse(spectrum, frame, plan):
    """Frame of a spectrum, which stays; arguments as `forward`.

    The inverse of a transform is the transform with real and imaginary parts exchanged twice.
    """
    n, one = np.uint64(plan.order.size), np.uint64(1)
    re, im = spectrum[0], spectrum[1]
    zr, zi = plan.work[1], plan.work[0]
    wr, wi = plan.half_turns[0], plan.half_turns[1]
    if re.size > plan.order.size:
        scale = frame.dtype.type(0.5 / plan.order.size)
        for k in range(n):
            qr, qi = re[k] - re[n - k], im[k] + im[n - k]
            zr[k] = scale * (re[k] + re[n - k] - (qi * wr[k] - qr * wi[k]))
            zi[k] = scale * (im[k] - im[n - k] + (qr * wr[k] + qi * wi[k]))
    else:
        scale = frame.dtype.type(1.0 / plan.order.size)
        for k in range(n):
            zr[k], zi[k] = scale * re[k], scale * im[k]
    source = passes(plan)
    zr, zi = plan.work[source + 1], plan.work[source]
    for i in range(n):
        frame[i + i], frame[i + i + one] = zr[plan.order[i]], zi[plan.order[i]]


# ---- a block ------------------------------------------------------------------------------------


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def add_power(spectrum, power):
    """P(k) += |X(k)|^2, in float64."""
    re, im = spectrum[0], spectrum[1]
    for k in range(np.uint64(power.size)):
        power[k] += float(re[k]) * float(re[k]) + float(im[k]) * float(im[k])


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def filter_spectra(spectra, newest, weights, y):
    """Y(k) = sum over partitions and channels of X(p, c, k) W(p, c, k).

    `spectra` is the ring with its newest place, `weights` (of one output) are in order.
    """
    n_partitions, n_channels, _, n_bins = spectra.shape
    yr, yi = y[0], y[1]
    y[:] = 0
    for p in range(n_partitions):
        x = spectra[(newest - p) % n_partitions]
        for c in range(n_channels):
            xr, xi, wr, wi = x[c, 0], x[c, 1], weights[p, c, 0], weights[p, c, 1]
            for k in range(np.uint64(n_bins)):
                yr[k] += xr[k] * wr[k] - xi[k] * wi[k]
                yi[k] += xr[k] * wi[k] + xi[k] * wr[k]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def add_gradient(x, e, g):
    """G(k) += conj(X(k)) E(k)."""
    xr, xi, er, ei, gr, gi = x[0], x[1], e[0], e[1], g[0], g[1]
    for k in range(np.uint64(gr.size)):
        gr[k] += xr[k] * er[k] + xi[k] * ei[k]
        gi[k] += xr[k] * ei[k] - xi[k] * er[k]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def move(w, keep, newest, stride, size, parts, frame):
    """w <- keep w + frame for `size` taps, newest first; the frame becomes w, then zeros."""
    for i in range(np.uint64(size)):
        for part in range(np.uint64(parts)):
            k = i * np.uint64(parts) + part
            t = np.uint64(newest) - i * np.uint64(stride) + part
            w[t] = keep * w[t] + frame[k]
            frame[k] = w[t]
    frame[size * parts :] = 0


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def set_steps(periodograms, power, rule, epsilon, norms, steps):
    """Step size of every frequency: step / (epsilon + max(n S, sum of periodograms) / 2).

    n counts the partitions whose input is not silence. A window has two blocks, of which one is
    learned from: hence the half. The constant of an intercept is an input, too: all its energy, 1
    a sample, is at frequency zero.

    Errors leak from a loud frequency into those around it (the block is cut out of the signal) by
    the inverse square of the distance: none of them counts as more silent than that, or a tone
    would be learned from many times over and diverge. Norms spread by 1, 2, 4, ... frequencies.
    """
    if not rule.normalize:
        steps[:] = rule.step
        return
    n_bins, block = steps.size, (norms.size - steps.size) // 2
    m, one = np.uint64(block), np.uint64(1)
    norm, sounding = norms[block : block + n_bins], 0
    norm[:] = 0.0
    for periodogram in periodograms:
        for k in range(np.uint64(n_bins)):
            norm[k] += periodogram[k]
        for value in periodogram:
            if value > 0.0:
                sounding += 1
                break
    for k in range(np.uint64(n_bins)):
        norm[k] = 0.5 * max(sounding * power[k], norm[k])
    shift = 1
    while shift <= block:
        for j in range(np.uint64(1), np.uint64(shift + 1)):  # beyond the edges:
            if n_bins == block + 1:  # a mirror image
                norms[m - j] = norm[j]
                norms[m + m + j] = norm[m - j]
            else:  # a circle
                norms[m - j] = norm[m + m - j]
                norms[m + m + m - one + j] = norm[j - one]
        share = rule.leakage / (shift * shift)
        below, above = norms[block - shift :], norms[block + shift :]
        for k in range(np.uint64(n_bins)):
            steps[k] = max(norm[k], share * max(above[k], below[k]))
        for k in range(np.uint64(n_bins)):
            norm[k] = steps[k]
        shift *= 2
    if rule.fit_intercept:
        norm[0] += block
    for k in range(np.uint64(n_bins)):
        whole = norm[k] + epsilon
        steps[k] = rule.step / whole if whole > rule.lowest else 0.0


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def learn(memory, rule, o, plan, scratch):
    """w(p) <- w(p) + causal half of F^-1(step conj(X(p)) E) of output `o`, E that of the frame."""
    frame, error = scratch.frame, scratch.error
    n_partitions, n_channels, _, n_bins = memory.spectra.shape
    parts = memory.bias.shape[1]
    stride = n_channels * parts
    block, n_taps = frame.size // (2 * parts), memory.weights.shape[1] // stride
    forward(frame, error, plan)
    for k in range(n_bins):
        error[0, k] *= error.dtype.type(scratch.steps[k])
        error[1, k] *= error.dtype.type(scratch.steps[k])
    if rule.fit_intercept:
        for part in range(parts):
            memory.bias[o, part] += error[part, 0]
    alternating = memory.loose.shape[1] > 0
    first = memory.clock[2] if alternating else 0
    last = first + rule.turns if alternating else n_partitions
    keep = error.dtype.type(0 if alternating else 1)
    for p in range(n_partitions):
        x = memory.spectra[(memory.clock[0] - p) % n_partitions]
        for c in range(n_channels):
            gradient = memory.loose[o, p, c] if alternating else scratch.spectrum
            response = memory.response[o, p, c]
            if not alternating:
                gradient[:] = 0
            add_gradient(x[c], error, gradient)
            if first <= p < last:
                inverse(gradient, frame, plan)
                size = min(block, n_taps - p * block)
                newest = (n_taps - 1 - p * block) * stride + c * parts
                move(memory.weights[o], keep, newest, stride, size, parts, frame)
                forward(frame, response, plan)
                if alternating:
                    for k in range(n_bins):
                        gradient[0, k], gradient[1, k] = response[0, k], response[1, k]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def adapt_blocks(x, d, counts, epsilon, rule, memory, plan, scratch, y):
    """Answer and learn block after block.

    "full" (no `loose` weights): w(p) <- w(p) + causal half of F^-1 (step conj(X(p)) E) for all
    partitions p. "alternating": the loose weights learn by their own errors and without that
    constraint; a few partitions, in turn, lose their circular half and answer from then on.

    Parameters
    ----------
    x, d : ndarray (n_blocks * B, n_channels * parts), (n_blocks * B, n_outputs * parts)
    counts : ndarray of bool (n_blocks * B,)
        Where False an error counts as zero; a block of such errors changes nothing.
    epsilon : ndarray of float64 (n_blocks * B,)
        That at the end of a block counts for it.
    rule, memory, plan, scratch : see ``filters._overlap_save``
    y : ndarray, as `d`, written
        A-priori output.

    Returns
    -------
    int
        First sample whose error, or last of a block whose power is not finite, or -1.
    """
    frame, spectrum, power = scratch.frame, scratch.spectrum, memory.power
    n_partitions, n_channels, _, _ = memory.spectra.shape
    n_outputs, parts = memory.bias.shape
    n, m = np.uint64(frame.size // (2 * parts)), np.uint64(parts)
    alternating = memory.loose.shape[1] > 0
    for start in range(np.uint64(0), np.uint64(x.shape[0]), n):
        newest = (memory.clock[0] + 1) % n_partitions
        memory.clock[0] = newest
        memory.clock[1] += 1
        periodogram = memory.periodograms[newest]
        periodogram[:] = 0.0
        for c in range(n_channels):
            for part in range(m):
                column = np.uint64(c) * m + part
                for i in range(n):
                    frame[i * m + part] = memory.last[i, column]
                    frame[(n + i) * m + part] = x[start + i, column]
                    memory.last[i, column] = x[start + i, column]
            forward(frame, memory.spectra[newest, c], plan)
            add_power(memory.spectra[newest, c], periodogram)
        share = 1.0 / min(memory.clock[1], rule.power_memory)
        bad = n
        for k in range(power.size):
            power[k] += (periodogram[k] - power[k]) * share
            if not np.isfinite(power[k]):
                bad = n - np.uint64(1)
        for o in range(n_outputs):
            filter_spectra(memory.spectra, newest, memory.response[o], spectrum)
            inverse(spectrum, frame, plan)
            for part in range(m):
                column = np.uint64(o) * m + part
                bias = memory.bias[o, part]
                for i in range(n):
                    v = frame[(n + i) * m + part] + bias
                    y[start + i, column] = v
                    if not np.isfinite(d[start + i, column] - v):
                        bad = min(bad, i)
        if bad < n:
            return np.int64(start + bad)
        if not counts[start : start + n].any():
            continue
        level = epsilon[start + n - np.uint64(1)]
        set_steps(memory.periodograms, power, rule, level, scratch.norms, scratch.steps)
        for o in range(n_outputs):
            if alternating:
                filter_spectra(memory.spectra, newest, memory.loose[o], spectrum)
                inverse(spectrum, frame, plan)
            for part in range(m):
                column = np.uint64(o) * m + part
                bias = memory.bias[o, part]
                for i in range(n):
                    t = (n + i) * m + part
                    v = frame[t] + bias if alternating else y[start + i, column]
                    frame[t] = d[start + i, column] - v if counts[start + i] else 0
            frame[: n * m] = 0
            learn(memory, rule, o, plan, scratch)
        if alternating:
            turn = memory.clock[2] + rule.turns
            memory.clock[2] = turn if turn < n_partitions else 0
    return -1
