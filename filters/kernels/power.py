"""Causal estimates of input power, sample by sample, so that "auto" settings survive chunking."""

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def running_mean(power, memory, state, out):
    """Mean power with a bounded memory: p(k) = p(k-1) + (r(k) - p(k-1)) / min(k + 1, memory).

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
    for k in range(power.size):
        count += 1.0
        mean += (power[k] - mean) / min(count, memory)
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
