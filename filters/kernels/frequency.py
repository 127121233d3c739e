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
def spectral_steps(periodograms, power, epsilon, step, lowest, out):
    """Step size of every frequency: step / (epsilon + max(n S, sum of periodograms) / 2).

    n counts the partitions whose input is not silence. A window has two blocks, of which one is
    learned from: hence the half.

    Parameters
    ----------
    periodograms : ndarray (n_partitions, n_bins)
        Power of every frequency in the window of every partition.
    power : ndarray (n_bins,)
        S, its mean over time.
    epsilon, step : float
    lowest : float
        At and below this norm a frequency is silent: its step is zero.
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
        norm = 0.5 * max(sounding * power[k], out[k]) + epsilon
        out[k] = step / norm if norm > lowest else 0.0
