"""Recursive least squares with a matrix P that is symmetric by construction."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def rls(
    z, d, mask, stride, forgetting, trace_cap, fresh, fit_intercept, P, w, now, ahead, u, trace, y
):
    """Exponentially forgetting RLS, several outputs on one input.

    With x the window of sample k and u = conj(x)::

        q = P u,  r = forgetting + Re(x.q),  y = w.x,  e = d - y
        w <- w + e q / r,   P <- (P - q q^H / r) / forgetting

    Only the lower triangle of P is stored and updated (element (i, j), i >= j, stands for
    conj of (j, i)), so its antisymmetric rounding error, which grows as forgetting^-k in the
    textbook form, cannot exist. One sweep of the triangle a sample: the update by sample k-1 and
    the product P u of sample k share it. Pass number n closes the block through the same code, so
    any chunking gives the same bits.

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
    P : ndarray (m, m), lower triangle updated in place
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
    n = d.shape[0]
    n_window = m - np.uint64(1) if fit_intercept else m
    n_outputs = w.shape[0]
    zero = P.dtype.type(0)
    one = P.dtype.type(1)
    scale = one
    shrink = zero
    now[:] = zero
    for k in range(n + 1):
        b = np.uint64(min(k, n - 1) * stride)
        for i in range(n_window):
            u[i] = np.conj(z[b + i])
        if fit_intercept:
            u[n_window] = one
        total = zero
        for i in range(m):
            row = P[i]
            g = now[i] * shrink
            ui = u[i]
            acc = zero
            for j in range(i):
                v = scale * row[j] - g * np.conj(now[j])
                row[j] = v
                acc += v * u[j]
                ahead[j] += np.conj(v) * ui
            # A Hermitian diagonal is real: its imaginary rounding error would grow as well.
            v = P.dtype.type((scale * row[i] - g * np.conj(now[i])).real)
            row[i] = v
            total += v
            ahead[i] = acc + v * ui
        trace[0] = total.real
        if k == n:
            break
        for i in range(m):
            now[i] = ahead[i]
        power = zero
        for i in range(m):
            power += np.conj(u[i]) * now[i]
        if power.real < 0:
            power = zero
            for i in range(m):
                for j in range(i):
                    P[i, j] = zero
                P[i, i] = P.dtype.type(fresh)
                now[i] = P[i, i] * u[i]
                power += np.conj(u[i]) * now[i]
            trace[0] = fresh * m
        lam = forgetting if trace[0] <= trace_cap else one.real
        r = lam + power.real
        if not (r > 0 and np.isfinite(r)):
            return k
        for o in range(n_outputs):
            s = zero
            for i in range(m):
                s += w[o, i] * np.conj(u[i])
            y[k, o] = s
            e = d[k, o] - s
            if not np.isfinite(e):
                return k
            if mask.size == 0 or mask[k]:
                gain = P.dtype.type(e / r)
                for i in range(m):
                    w[o, i] += gain * now[i]
        if mask.size == 0 or mask[k]:
            scale = P.dtype.type(one / lam)
            shrink = P.dtype.type(one / (lam * r))
        else:
            scale = one
            shrink = zero
    return -1
