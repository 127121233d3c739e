"""Slow, obvious twins of the filters' kernels: one sample at a time, as in the textbook.

A regressor is a row of a plain matrix here, so that nothing of the kernels' delay line, order of
taps or fused loops is repeated. Conventions: y = w.u, e = d - y, w <- w + mu e conj(u).
"""

import numpy as np


def delay_rows(x, n_taps):
    """Regressors (n, n_channels * n_taps) of a signal with zero history, ordered as ``coef_``.

    Channel by channel, newest sample first.
    """
    x = np.asarray(x)
    x = x.reshape(x.shape[0], -1)
    rows = np.zeros((x.shape[0], x.shape[1], n_taps), dtype=x.dtype)
    for k in range(x.shape[0]):
        for c in range(x.shape[1]):
            for j in range(min(n_taps, k + 1)):
                rows[k, c, j] = x[k - j, c]
    return rows.reshape(x.shape[0], -1)


def filtered(rows, weights, bias=0.0):
    """Outputs (n, n_outputs) of frozen weights (n_outputs, m)."""
    return np.array([[np.sum(w * u) for w in weights] for u in rows]) + bias


def sign(value):
    """Unit number of the direction of `value`; zero for zero."""
    return value / abs(value) if value != 0 else value


def lms(
    rows,
    d,
    w,
    steps,
    *,
    bias=0.0,
    fit_intercept=False,
    leak=0.0,
    sign_error=False,
    sign_data=False,
    mask=None,
):
    """LMS and its sign and leaky variants; returns outputs, weights after each sample, biases."""
    w = np.array(w)
    outputs, history, biases = [], [], []
    for k, u in enumerate(rows):
        y = np.sum(w * u) + bias
        e = d[k] - y
        if mask is None or mask[k]:
            e = sign(e) if sign_error else e
            q = np.array([sign(v) for v in u]) if sign_data else u
            w = (1 - steps[k] * leak) * w + steps[k] * e * np.conj(q)
            if fit_intercept:
                bias = bias + steps[k] * e
        outputs.append(y)
        history.append(w)
        biases.append(bias)
    return np.array(outputs), np.array(history), np.array(biases)


def nlms(rows, d, w, step, epsilon, *, bias=0.0, fit_intercept=False, mask=None):
    """Normalised LMS with a regularisation a sample; as `lms`."""
    w = np.array(w)
    outputs, history, biases = [], [], []
    for k, u in enumerate(rows):
        y = np.sum(w * u) + bias
        e = d[k] - y
        energy = np.sum(np.abs(u) ** 2) + (1.0 if fit_intercept else 0.0)
        if (mask is None or mask[k]) and energy > 0:
            gain = step * e / (epsilon[k] + energy)
            w = w + gain * np.conj(u)
            if fit_intercept:
                bias = bias + gain
        outputs.append(y)
        history.append(w)
        biases.append(bias)
    return np.array(outputs), np.array(history), np.array(biases)


def products(rows):
    """The products x_i x_j, i <= j, of every row: (n, m (m + 1) / 2)."""
    i, j = np.triu_indices(rows.shape[1])
    return rows[:, i] * rows[:, j]


def volterra_nlms(rows, d, w, step, epsilon, ratio, constant, *, mask=None):
    """NLMS on samples, scaled products and a scaled constant, written as plain features.

    Returns outputs, linear weights, those of `products`, and the bias.
    """
    features = np.column_stack([rows, products(rows)])
    m = rows.shape[1]
    theta = np.r_[w, np.zeros(features.shape[1] - m)].astype(np.result_type(rows, d))
    bias, outputs = 0.0, []
    for k, u in enumerate(features):
        outputs.append(np.sum(theta * u) + bias)
        if mask is None or mask[k]:
            gains = np.r_[np.ones(m), np.full(len(u) - m, ratio[k])]
            energy = np.sum(gains * np.abs(u) ** 2) + constant[k]
            gain = step * (d[k] - outputs[-1]) / (epsilon[k] + energy)
            theta = theta + gain * gains * np.conj(u)
            bias = bias + gain * constant[k]
    return np.array(outputs), theta[:m], theta[m:], bias


def variable_step_nlms(
    rows, d, w, max_step, memory, epsilon, *, noise_power=None, fit_intercept=False, mask=None
):
    """NLMS with step 1 - noise power / mean |e|^2; returns outputs, weights, bias and steps.

    Without `noise_power` it is estimated from the errors of a companion of step 1.
    """
    rows = np.column_stack([rows, np.ones(len(rows))]) if fit_intercept else rows
    w = np.r_[w, 0.0] if fit_intercept else np.array(w)
    w = w.astype(np.result_type(rows, d))
    fast, count = w.copy(), 0
    of_error = of_fast = of_both = 0.0
    outputs, steps = [], []
    for k, u in enumerate(rows):
        outputs.append(np.sum(w * u))
        energy = np.sum(np.abs(u) ** 2)
        if (mask is None or mask[k]) and energy > 0:
            e, c = d[k] - outputs[-1], d[k] - np.sum(fast * u)
            count += 1
            rate = 1 / min(count, memory)
            effective = energy / (epsilon[k] + energy)
            of_error += rate * (abs(e) ** 2 - of_error)
            of_fast += rate * ((1 - effective / 2) * abs(c) ** 2 - of_fast)
            of_both += rate * ((e * np.conj(c)).real - of_both)
            noise = max(0, min(of_fast, of_both)) if noise_power is None else noise_power
            steps.append(min(max_step, max(0, 1 - noise / of_error)))
            w = w + steps[-1] * e * np.conj(u) / (epsilon[k] + energy)
            fast = fast + c * np.conj(u) / (epsilon[k] + energy)
    n = len(w) - fit_intercept
    return np.array(outputs), w[:n], w[n] if fit_intercept else 0.0, np.array(steps)


def transform_domain(lines, d, step, epsilon, memory, *, fit_intercept=False, mask=None):
    """LMS on a cosine transform made anew for every delay line (n, n_channels, n_taps).

    Returns outputs, impulse responses (n_channels, n_taps) and the intercept at the end.
    """
    n, n_channels, n_taps = lines.shape
    times, bins = np.arange(n_taps) + 0.5, np.arange(n_taps)
    T = np.cos(np.pi * np.outer(bins, times) / n_taps) * np.sqrt(2 / n_taps)
    T[0] /= np.sqrt(2)
    w = np.zeros((n_channels, n_taps), dtype=np.result_type(lines, d))
    bias, power, outputs = 0.0, np.zeros(w.shape), []
    for k in range(n):
        X = lines[k] @ T.T
        power = power + (np.abs(X) ** 2 - power) / min(k + 1, memory)
        outputs.append(np.sum(w * X) + bias)
        if mask is None or mask[k]:
            share = epsilon[k] / (w.size + fit_intercept)
            e = d[k] - outputs[-1]
            energy = np.sum((np.abs(X) ** 2 + share) / (power + share)) + fit_intercept
            w = w + step * e * np.conj(X) / (power + share) / energy
            bias = bias + step * e / energy if fit_intercept else bias
    return np.array(outputs), w @ T, bias


def filtered_x(
    rows,
    d,
    path,
    w,
    step,
    *,
    epsilon=None,
    leak=0.0,
    bias=0.0,
    fit_intercept=False,
    mask=None,
):
    """Filtered-x LMS, one output: drives heard through `path` (newest first).

    `rows` are regressors from zero history. Normalised by epsilon[k] + |x'|^2 unless epsilon is
    None. Returns anti-noise, drives, weights after each sample, biases.
    """
    w, gain = np.array(w), np.sum(path) if fit_intercept else 0.0
    drives, heard, weights, biases = [], [], [], []
    for k in range(len(d)):
        drives.append(np.sum(w * rows[k]) + bias)
        heard.append(sum(s * drives[k - j] for j, s in enumerate(path) if j <= k))
        e = d[k] - heard[k]
        filtered = sum(s * rows[k - j] for j, s in enumerate(path) if j <= k)
        norm = 1.0 if epsilon is None else np.sum(np.abs(filtered) ** 2) + abs(gain) ** 2
        if (mask is None or mask[k]) and norm > 0:
            change = step * e / (norm if epsilon is None else norm + epsilon[k])
            w = (1 - step * leak) * w + change * np.conj(filtered)
            bias = bias + change * np.conj(gain)
        weights.append(w)
        biases.append(bias)
    return np.array(heard), np.array(drives), np.array(weights), np.array(biases)


def block_lms(rows, d, w, step, block, *, mask=None):
    """LMS whose weights move after every `block` samples by the sum of their gradients."""
    w = np.array(w)
    outputs = []
    for start in range(0, len(d), block):
        change = np.zeros_like(w)
        for k in range(start, min(start + block, len(d))):
            y = np.sum(w * rows[k])
            outputs.append(y)
            if mask is None or mask[k]:
                change = change + step * (d[k] - y) * np.conj(rows[k])
        if start + block <= len(d):
            w = w + change
    return np.array(outputs), w


def frequency_lms(x, d, n_taps, block, step, regularization, *, turns=None):
    """Normalised block LMS, one output, by whole spectra (no half) and sums over taps.

    x (n, n_channels) with n a multiple of `block`; a regularisation for every block. With `turns`
    the weights that learn are whole circles of 2 `block` taps, and only so many partitions a block
    lose their second half and are copied to the weights that answer. Returns outputs and weights
    (n_channels, n_taps), newest first.
    """
    n_partitions, n_channels = -(-n_taps // block), x.shape[1]
    real = not np.iscomplexobj(x) and not np.iscomplexobj(d)
    w = np.zeros((n_channels, n_taps), dtype=np.result_type(x, d))
    circles = np.zeros((n_partitions, 2 * block, n_channels), dtype=complex)
    past = np.concatenate([np.zeros((n_partitions * block + block, n_channels)), x])
    rows, outputs, power, turn = delay_rows(x, n_taps), [], np.zeros(2 * block), 0
    for b in range(len(d) // block):
        here = slice(b * block, (b + 1) * block)
        outputs.extend(rows[here] @ w.ravel())
        ends = [(b + 2 + n_partitions - p) * block for p in range(n_partitions)]
        X = np.array([np.fft.fft(past[end - 2 * block : end], axis=0) for end in ends])
        y = np.fft.ifft(np.sum(X * np.fft.fft(circles, axis=1), axis=(0, 2)))[block:]
        E = np.fft.fft(np.concatenate([np.zeros(block), d[here] - y]))
        powers = np.sum(np.abs(X) ** 2, axis=2)
        power = power + (powers[0] - power) / min(b + 1, max(10, n_partitions))
        sounding = sum(v.any() for v in powers)
        norm = np.maximum(sounding * power, np.sum(powers, axis=0)) / 2
        for j in range(block.bit_length()):
            around = np.maximum(np.roll(norm, 2**j), np.roll(norm, -(2**j)))
            norm = np.maximum(norm, 0.5 * around / 4**j)
        norm = norm + regularization[b]
        circles += np.fft.ifft(np.conj(X) * (step * E / norm)[:, None], axis=1)
        last = n_partitions if turns is None else min(turn + turns, n_partitions)
        for p in range(0 if turns is None else turn, last):
            circles[p, max(0, min(block, n_taps - p * block)) :] = 0
            part = w[:, p * block : (p + 1) * block]
            part[:] = (circles.real if real else circles)[p, : part.shape[1]].T
        turn = last % n_partitions
    return np.array(outputs), w


def rls(rows, d, w, P, forgetting, *, mask=None, trace_cap=np.inf):
    """Recursive least squares, d (n, n_outputs), w (n_outputs, m); returns outputs, w, P.

    Forgetting pauses for a sample before which the trace of P is above `trace_cap`.
    """
    w, P = np.array(w), np.array(P)
    outputs = []
    for k, u in enumerate(rows):
        lam = forgetting if np.trace(P).real <= trace_cap else 1.0
        y = w @ u
        gain = P @ np.conj(u) / (lam + u @ P @ np.conj(u))
        if mask is None or mask[k]:
            w = w + np.outer(d[k] - y, gain)
            P = (P - np.outer(gain, u @ P)) / lam
        outputs.append(y)
    return np.array(outputs), w, P


def kalman(rows, d, w, P):
    """Kalman filter of constant weights (Q = 0) observed through d = u.w + noise (R = 1)."""
    for u, value in zip(rows, d, strict=True):
        S = u @ P @ u + 1.0
        K = P @ u / S
        w = w + K * (value - u @ w)
        P = (np.eye(len(w)) - np.outer(K, u)) @ P
    return w, P


def weighted_ridge(rows, d, forgetting, delta, w0=0.0):
    """Minimiser of sum_k lambda^(n-k) |d(k) - w.u(k)|^2 + delta lambda^n |w - w0|^2."""
    n, m = rows.shape
    ages = forgetting ** np.arange(n - 1.0, -1.0, -1.0)
    A = delta * forgetting**n * np.eye(m) + (np.conj(rows).T * ages) @ rows
    b = (np.conj(rows).T * ages) @ d.reshape(n, -1)
    b = b + delta * forgetting**n * (w0 + np.zeros(m))[:, np.newaxis]
    return np.linalg.solve(A, b).reshape(m, *d.shape[1:])


def running_mean(power, memory):
    """Mean of what was seen so far; once `memory` samples are in, an exponential mean."""
    means, mean = [], 0.0
    for k, r in enumerate(power):
        rate = 1.0 / min(k + 1, memory)
        mean = (1 - rate) * mean + rate * r
        means.append(mean)
    return np.array(means)


def held_energy(power, n_taps, decay):
    """Largest leaky energy so far, each aged by `decay` a sample since, silence not counted."""
    energies, energy = [], 0.0
    for r in power:
        energy = (1 - 1 / n_taps) * energy + r
        energies.append(energy)
    held = []
    for k in range(len(power)):
        ages = [np.count_nonzero(np.asarray(power[j + 1 : k + 1]) > 0) for j in range(k + 1)]
        held.append(max(energies[j] * decay ** ages[j] for j in range(k + 1)))
    return np.array(held)


def affine_projection(
    rows, d, w, order, step, epsilon, *, bias=0.0, fit_intercept=False, mask=None
):
    """Affine projection with everything computed anew a sample; as `nlms`.

    A masked sample is as if it had never been there.
    """
    w = np.array(w)
    outputs, history, biases = [], [], []
    for k, u in enumerate(rows):
        outputs.append(np.sum(w * u) + bias)
        last = [j for j in range(k, max(k - order, -1), -1) if mask is None or mask[j]]
        if mask is None or mask[k]:
            X = np.array([np.r_[rows[j], 1.0 if fit_intercept else 0.0] for j in last])
            errors = d[last] - X @ np.r_[w, bias]
            G = X @ np.conj(X).T + epsilon[k] * np.eye(len(last))
            change = step * np.conj(X).T @ (np.linalg.pinv(G, rcond=1e-12, hermitian=True) @ errors)
            w, bias = w + change[:-1], bias + change[-1]
        history.append(w)
        biases.append(bias)
    return np.array(outputs), np.array(history), np.array(biases)


def ipnlms(rows, d, w, step, epsilon, proportionality, *, mask=None):
    """IPNLMS with the gains of the paper, which sum to one; returns outputs and weights."""
    w, m, p = np.array(w), rows.shape[1], proportionality
    outputs, history = [], []
    for k, u in enumerate(rows):
        y = np.sum(w * u)
        if mask is None or mask[k]:
            g, delta = np.full(m, 1.0 / m), epsilon[k] / m
            if np.any(w != 0):
                g = (1 - p) / (2 * m) + (1 + p) * np.abs(w) / (2 * np.sum(np.abs(w)))
                delta = (1 - p) / (2 * m) * epsilon[k]
            w = w + step * (d[k] - y) * g * np.conj(u) / (np.sum(g * np.abs(u) ** 2) + delta)
        outputs.append(y)
        history.append(w)
    return np.array(outputs), np.array(history)


def tracking_notch(x, g, fs, home, n_harmonics, gains):
    """Signal without the tone and frequency after every row of the tracking notch.

    Each harmonic is demodulated on its own, with exponentials of the phase itself. `gains` has the
    keys frequency, slew, leak, band, decay, largest, doubt, homing and gate.
    """
    order = np.arange(1, n_harmonics + 1)
    rate = min(g, gains["largest"] * 2 * np.pi * min(home, fs / 2 - home) / fs)
    share = min(gains["band"] * rate, 0.5)
    a, level = np.zeros(n_harmonics, complex), np.zeros(n_harmonics)
    left, amplitude = (np.zeros((2, n_harmonics), complex) for _ in range(2))
    f, slew, phases, errors = home, 0.0, [0.0], []
    cleaned, track = [], []
    for value in x:
        on = order * f < fs / 2
        a[~on], level[~on], left[:, ~on], amplitude[:, ~on] = 0, 0, 0, 0
        reference = np.exp(1j * order * phases[-1])
        errors.append(value - np.sum(np.real(a * reference)[on]))
        cleaned.append((1 - on.sum() * g / 2) * errors[-1])
        if len(errors) > 1:
            change = reference - np.exp(1j * order * phases[-2])
            seen = 2 * (errors[-1] - errors[-2]) * np.conj(change) / np.abs(change) ** 2
            for band, source in ((left, seen), (amplitude, a)):
                band[0] += share * (source - band[0]) * on
                band[1] += share * (band[0] - band[1]) * on
            level = np.where(
                on, np.maximum(np.abs(left[1]), (1 - gains["decay"] * rate) * level), 0
            )
            snr = np.divide(np.abs(amplitude[1]), level, where=level > 0, out=0 * level) ** 2
            gate = np.where(order == 1, 1, snr**2 / (snr**2 + gains["gate"]))
            cross = np.imag(left[1] * np.conj(amplitude[1]))
            turn = np.sum(order * gate * np.divide(cross, level**2, where=level > 0, out=0 * level))
            total = np.sum(order**2 * gate * snr) + gains["doubt"]
            trust = 1 - gains["doubt"] / total
            follow = gains["frequency"] * rate
            step = follow * g / 2 * turn / total * fs / (2 * np.pi)
            slew += gains["slew"] * rate * (trust * step - gains["leak"] * slew)
            slew *= 1 - follow * (1 - trust)
            f += step + slew + gains["homing"] * follow * (1 - trust) ** 2 * (home - f)
        a = a + np.where(on, g * errors[-1] * np.conj(reference), 0)
        track.append(f)
        phases.append(phases[-1] + 2 * np.pi * f / fs)
    return np.array(cleaned), np.array(track)
