"""Recursive least squares with a matrix P that is symmetric by construction.

The sweeps are inlined by force: a call with all its arrays cost 9 ns a sample.
"""

import numpy as np
from numba import njit


@njit(
    cache=True, error_model="numpy", nogil=True, forceinline=True, fastmath={"reassoc", "contract"}
)
def _sweep_lower(P, scale, q, u, ahead):
    """P <- scale P - q q^H and ahead = P u, lower triangle only; returns the trace of P.

    Element (i, j), i >= j, stands for the conjugate of (j, i), so there is nothing that could lose
    its symmetry. From about 50 rows up this is faster than all of P. Two rows at a time: q, u and
    `ahead` are read once for both (1.15 times as fast at 128 taps).
    """
    one, two = np.uint64(1), np.uint64(2)
    m = np.uint64(u.size)
    zero = P.dtype.type(0)
    trace = 0.0
    if m % two == one:
        v = P.dtype.type((scale * P[0, 0] - q[0] * np.conj(q[0])).real)
        P[0, 0] = v
        trace = v.real
        ahead[0] = v * u[0]
    for i in range(m % two, m, two):
        row, below = P[i], P[i + one]
        qi, qk = q[i], q[i + one]
        ui, uk = u[i], u[i + one]
        si, sk = zero, zero
        for j in range(i):
            x = np.conj(q[j])
            a = scale * row[j] - qi * x
            b = scale * below[j] - qk * x
            row[j] = a
            below[j] = b
            si += a * u[j]
            sk += b * u[j]
            ahead[j] += np.conj(a) * ui + np.conj(b) * uk
        # A Hermitian diagonal is real: its imaginary rounding error would grow as well.
        a = P.dtype.type((scale * row[i] - qi * np.conj(qi)).real)
        b = scale * below[i] - qk * np.conj(qi)
        c = P.dtype.type((scale * below[i + one] - qk * np.conj(qk)).real)
        row[i] = a
        below[i] = b
        below[i + one] = c
        trace += a.real + c.real
        ahead[i] = si + a * ui + np.conj(b) * uk
        ahead[i + one] = sk + b * ui + c * uk
    return trace


@njit(cache=True, error_model="numpy", nogil=True)
def _moved(p, scale, a, b):
    """Element (a, b) of P <- scale P - q q'.

    No fastmath: a product then rounds alike wherever it stands, so (b, a) comes out the same to the
    bit. Of complex numbers it was seen not to, hence only a real P is held in full.
    """
    return scale * p - a * b


@njit(
    cache=True, error_model="numpy", nogil=True, forceinline=True, fastmath={"reassoc", "contract"}
)
def _sweep_full(P, scale, q, u, ahead):
    """As `_sweep_lower` for both triangles of a real P.

    Twice the arithmetic, but whole rows: at 8 / 16 / 32 taps 26 / 55 / 170 ns, where the triangle
    with its short rows takes 40 / 88 / 212.
    """
    m = np.uint64(u.size)
    trace = 0.0
    for i in range(m):
        row = P[i]
        qi = q[i]
        s = P.dtype.type(0)
        for j in range(m):
            v = _moved(row[j], scale, qi, q[j])
            row[j] = v
            s += v * u[j]
        ahead[i] = s
        trace += row[i].real
    return trace


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def rls(
    z, d, mask, stride, forgetting, trace_cap, fresh, fit_intercept, full,
    P, w, now, ahead, u, trace, y,
):  # fmt: skip
    """Exponentially forgetting RLS, several outputs on one input.

    With x the window of sample k and u = conj(x)::

        q = P u,  r = forgetting + Re(x.q),  y = w.x,  e = d - y
        w <- w + e q / r,   P <- (P - q q^H / r) / forgetting

    P stays symmetric by construction: its antisymmetric rounding error, which grows as
    forgetting^-k in the textbook form, cannot exist. One sweep of P a sample: the update by sample
    k-1 and the product P u of sample k share it, and so do the update of w and w.x. Pass number n
    closes the block through the same code, so any chunking gives the same bits. q is kept times
    the root of 1 / (r forgetting): q q^H needs no other factor, and no product of it overflows.

    Where the trace of P stands above `trace_cap` the division by `forgetting` is left out (and r
    uses 1 for it): the input does not excite all directions and forgetting would only wind P up.
    Where x'Pu comes out negative, rounding in such wound-up directions has taken P's positivity: P
    starts anew at `fresh` times the identity and the weights stay.

    Parameters
    ----------
    z, mask, stride : see ``filters.kernels.lms``
    d, y : ndarray (n, n_outputs)
        Desired signals; a-priori outputs, written.
    forgetting, trace_cap, fresh : float
    fit_intercept : bool
        The last entry of every regressor is then a constant one.
    full : bool
        P is real and held in full; else its upper triangle is neither read nor written.
    P : ndarray (m, m), updated in place
        In double precision whatever the signals are in: in single precision a tone, which excites
        two directions only, takes P's positivity.
    w : ndarray (n_outputs, m), updated in place
    now, ahead, u : ndarray (m,)
        Work space for the current and the next P u and the current u.
    trace : ndarray (1,), updated in place
        Trace of P.

    Returns
    -------
    int
        First sample whose error or r is not finite or not positive, or -1.
    """
    m = np.uint64(w.shape[1])  # unsigned indices: no wrap-around to allow for, so no gathers
    n, n_outputs = d.shape
    n_window = m - np.uint64(1) if fit_intercept else m
    zero = P.dtype.type(0)
    gains = np.zeros(n_outputs, dtype=P.dtype)
    scale, root = 1.0, 0.0
    now[:] = zero
    for k in range(n + 1):
        b = np.uint64(min(k, n - 1) * stride)
        for i in range(n_window):
            u[i] = np.conj(z[b + i])
        if fit_intercept:
            u[n_window] = P.dtype.type(1)
        for i in range(m):
            now[i] *= root
        if full:
            trace[0] = _sweep_full(P, scale, now, u, ahead)
        else:
            trace[0] = _sweep_lower(P, scale, now, u, ahead)
        power = zero
        for o in range(n_outputs):
            gain = gains[o]
            s = zero
            power = zero
            for i in range(m):
                v = w.dtype.type(w[o, i] + gain * now[i])
                w[o, i] = v
                s += v * np.conj(u[i])
                power += ahead[i] * np.conj(u[i])
            if k < n:
                y[k, o] = s
        if k == n:
            break
        now, ahead = ahead, now
        if power.real < 0:
            power = zero
            for i in range(m):
                for j in range(m if full else i):
                    P[i, j] = zero
                P[i, i] = P.dtype.type(fresh)
                now[i] = P[i, i] * u[i]
                power += np.conj(u[i]) * now[i]
            trace[0] = fresh * m
        lam = forgetting if trace[0] <= trace_cap else 1.0
        r = lam + power.real
        if not (r > 0 and np.isfinite(r)):
            return k
        learns = mask.size == 0 or mask[k]
        scale = 1 / lam if learns else 1.0
        root = np.sqrt(scale / r) if learns else 0.0
        share = 1 / (r * root) if learns else 0.0
        for o in range(n_outputs):
            e = d[k, o] - y[k, o]
            if not np.isfinite(e):
                return k
            gains[o] = e * share
    return -1
