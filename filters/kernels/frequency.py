"""Products and powers of spectra over the partitions of a filter and the channels of its input.

Spectra of the input live in a ring: partition p of the filter, which covers the delays from
p * block on, meets the spectrum ``X[(newest - p) % n_partitions]``. Nothing is ever shifted.
"""

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def spectral_output(X, newest, W, Y):
    """Y(o, k) = sum over p, c of X(p, c, k) W(o, p, c, k).

    Parameters
    ----------
    X : complex ndarray (n_partitions, n_channels, n_bins)
        Ring of input spectra.
    newest : int
        Place of the newest spectrum in the ring.
    W : complex ndarray (n_outputs, n_partitions, n_channels, n_bins)
    Y : complex ndarray (n_outputs, n_bins), written
    """
    n_partitions, n_channels, n_bins = X.shape
    for o in range(W.shape[0]):
        for k in range(n_bins):
            Y[o, k] = 0
        for p in range(n_partitions):
            q = (newest - p) % n_partitions
            for c in range(n_channels):
                for k in range(n_bins):
                    Y[o, k] += X[q, c, k] * W[o, p, c, k]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def spectral_gradient(X, newest, E, G):
    """G(o, p, c, k) += conj(X(p, c, k)) E(o, k).

    Parameters
    ----------
    X, newest
        As `spectral_output`.
    E : complex ndarray (n_outputs, n_bins)
        Spectrum of the error, step size included.
    G : complex ndarray (n_outputs, n_partitions, n_channels, n_bins), updated in place
    """
    n_partitions, n_channels, n_bins = X.shape
    for o in range(G.shape[0]):
        for p in range(n_partitions):
            q = (newest - p) % n_partitions
            for c in range(n_channels):
                for k in range(n_bins):
                    G[o, p, c, k] += X[q, c, k].conjugate() * E[o, k]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def spectral_power(X, out):
    """P(k) = sum over c of |X(c, k)|^2, in float64.

    Parameters
    ----------
    X : complex ndarray (n_channels, n_bins)
    out : ndarray (n_bins,), written
    """
    n_channels, n_bins = X.shape
    for k in range(n_bins):
        out[k] = 0.0
        for c in range(n_channels):
            re = float(X[c, k].real)
            im = float(X[c, k].imag)
            out[k] += re * re + im * im


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
def spectral_steps(periodograms, power, epsilon, step, lowest, block, leakage, spread, out):
    """Step size of every frequency: step / (epsilon + max(n S, sum of periodograms) / 2).

    n counts the partitions whose input is not silence. A window has two blocks, of which one is
    learned from: hence the half. Errors leak from a loud frequency into those around it (the block
    is cut out of the signal), by the inverse square of the distance: none of them counts as more
    silent than that, or a tone would be learned from many times over and diverge.

    Parameters
    ----------
    periodograms : ndarray (n_partitions, n_bins)
        Power of every frequency in the window of every partition.
    power : ndarray (n_bins,)
        S, its mean over time.
    epsilon, step : float
    lowest : float
        At and below this norm a frequency is silent: its step is zero.
    block : int
        n_bins is ``block + 1`` (real signals) or ``2 block``.
    leakage : float
        Share of the power at the nearest frequency; spread in steps of powers of two.
    spread : ndarray (n_bins,), scratch
    out : ndarray (n_bins,), written
    """
    n_partitions, n_bins = periodograms.shape
    for k in range(n_bins):
        out[k] = 0.0
    sounding = 0
    for p in range(n_partitions):
        loudest = 0.0
        for k in range(n_bins):
            out[k] += periodograms[p, k]
            loudest = max(loudest, periodograms[p, k])
        if loudest > 0.0:
            sounding += 1
    for k in range(n_bins):
        out[k] = 0.5 * max(sounding * power[k], out[k])
    shift = 1
    while shift <= block:
        share = leakage / (shift * shift)
        for k in range(n_bins):
            above = k + shift
            below = k - shift
            if n_bins == block + 1:  # half of a symmetric spectrum
                above = above if above <= block else 2 * block - above
                below = abs(below)
            else:
                above = above if above < n_bins else above - n_bins
                below = below if below >= 0 else below + n_bins
            spread[k] = max(out[k], share * max(out[above], out[below]))
        for k in range(n_bins):
            out[k] = spread[k]
        shift *= 2
    for k in range(n_bins):
        norm = out[k] + epsilon
        out[k] = step / norm if norm > lowest else 0.0
