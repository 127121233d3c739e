"""How fast are echo cancellers of 2048 to 8192 taps, and how good? Block of 256 samples.

Ten seconds at 16 kHz of coloured noise through a decaying room, background noise 40 dB below the
echo, rounded to 16 bits; everyone hears the same signals. Nanoseconds of thread CPU time a sample,
the median of interleaved rounds; ERLE is over the last quarter. Rivals that are not installed are
named: speexdsp (a shared library, found by the system's loader), adafilt (from PyPI). Run with
``python examples/benchmarks/echo_canceller.py [--out FILE.md]``; half a minute.
"""

import ctypes
import ctypes.util
import importlib
import time
from itertools import chain

import numpy as np
import scipy.fft
from scipy.signal import lfilter, oaconvolve
from sheet import parse_out, tell

from filters import FrequencyDomainFilter
from filters.timeseries import erle_db

BLOCK = 256
N_SAMPLES = 625 * BLOCK
ROUNDS = 5
SAMPLING_RATE = 16_000
SPEEX_SET_SAMPLING_RATE = 24


def signals(n_taps):
    """Far end and microphone, as 16-bit integers."""
    rng = np.random.default_rng(0)
    x = lfilter([1.0], [1.0, -0.7], rng.standard_normal(N_SAMPLES))
    room = rng.standard_normal(n_taps) * np.exp(-6.9 * np.arange(n_taps) / n_taps)
    echo = oaconvolve(x, room)[:N_SAMPLES]
    echo *= np.std(x) / np.std(echo)
    d = echo + 0.01 * np.std(echo) * rng.standard_normal(N_SAMPLES)
    return (np.round(3000 * np.stack([x, d]) / np.std(x))).astype(np.int16)


def ours(n_taps, constraint, dtype):
    def cancel(x, d):
        f = FrequencyDomainFilter(n_taps, block_size=BLOCK, constraint=constraint)
        return f.adapt(x, d).error

    return cancel, dtype


def overlap_save(n_taps, dtype):
    """The same as "full" by NumPy: a loop over blocks, transforms batched over partitions."""
    n_partitions = n_taps // BLOCK
    pair = np.result_type(dtype, np.complex64)

    def cancel(x, d):
        X = np.zeros((n_partitions, BLOCK + 1), pair)
        W = np.zeros_like(X)
        power = np.zeros(BLOCK + 1, dtype)
        window, padded = np.zeros(2 * BLOCK, dtype), np.zeros(2 * BLOCK, dtype)
        error = np.empty_like(d)
        for k in range(0, len(x), BLOCK):
            window[:BLOCK] = window[BLOCK:]
            window[BLOCK:] = x[k : k + BLOCK]
            X[1:] = X[:-1]
            X[0] = scipy.fft.rfft(window)
            y = scipy.fft.irfft(np.sum(X * W, axis=0))[BLOCK:]
            error[k : k + BLOCK] = padded[BLOCK:] = d[k : k + BLOCK] - y
            now = X.real**2 + X.imag**2
            power += dtype(0.1) * (now[0] - power)
            norm = dtype(0.5) * np.maximum(n_partitions * power, now.sum(axis=0))
            E = scipy.fft.rfft(padded) * (dtype(0.5) / (norm + dtype(1e-9)))
            gradient = scipy.fft.irfft(X.conj() * E, axis=1)
            gradient[:, BLOCK:] = 0
            W += scipy.fft.rfft(gradient, axis=1)
        return error

    return cancel, dtype


def speexdsp(n_taps):
    path = ctypes.util.find_library("speexdsp")
    if path is None:
        return None
    library = ctypes.CDLL(path)
    pointer = ctypes.c_void_p
    library.speex_echo_state_init.restype = pointer
    library.speex_echo_cancellation.argtypes = [pointer] * 4
    library.speex_echo_ctl.argtypes = [pointer, ctypes.c_int, pointer]
    library.speex_echo_state_destroy.argtypes = [pointer]

    def cancel(x, d):
        state = library.speex_echo_state_init(BLOCK, n_taps)
        rate = ctypes.c_int(SAMPLING_RATE)
        library.speex_echo_ctl(state, SPEEX_SET_SAMPLING_RATE, ctypes.byref(rate))
        error = np.empty_like(d)
        heard, played, left = (a.ctypes.data for a in (d, x, error))
        for k in range(0, x.nbytes, BLOCK * x.itemsize):
            library.speex_echo_cancellation(state, heard + k, played + k, left + k)
        library.speex_echo_state_destroy(state)
        return error

    return cancel, np.int16


def adafilt(n_taps):
    try:
        package = importlib.import_module("adafilt")
    except ImportError:
        return None

    def cancel(x, d):
        # It learns from every error n_taps / BLOCK times.
        f = package.FastBlockLMSFilter(n_taps, BLOCK, stepsize=BLOCK / n_taps)
        error = np.empty_like(d)
        for k in range(0, len(x), BLOCK):
            part = slice(k, k + BLOCK)
            error[part] = d[part] - f.filt(x[part])
            f.adapt(x[part], error[part])
        return error

    return cancel, np.float64


def cancellers(n_taps):
    """Name -> (function, dtype of the signals it takes), or None if it is not installed."""
    return {
        "alternating float32": ours(n_taps, "alternating", np.float32),
        "alternating float64": ours(n_taps, "alternating", np.float64),
        "full float32": ours(n_taps, "full", np.float32),
        "full float64": ours(n_taps, "full", np.float64),
        "NumPy, SciPy float32": overlap_save(n_taps, np.float32),
        "NumPy, SciPy float64": overlap_save(n_taps, np.float64),
        "speexdsp": speexdsp(n_taps),
        "adafilt": adafilt(n_taps),
    }


def measure(n_taps):
    """Medians of nanoseconds a sample, and ERLE, of every canceller that is there."""
    x, d = signals(n_taps)
    runs = {}
    for name, found in cancellers(n_taps).items():
        if found is not None:
            cancel, dtype = found
            unit = 1 if dtype is np.int16 else dtype(1 / 32768)
            runs[name] = cancel, x * unit, d * unit
            cancel(runs[name][1][: 4 * BLOCK], runs[name][2][: 4 * BLOCK])  # compiles
    times = {name: [] for name in runs}
    quality = {}
    for _ in range(ROUNDS):
        for name, (cancel, far, near) in runs.items():
            start = time.thread_time()
            error = cancel(far, near)
            times[name].append(time.thread_time() - start)
            last = slice(-N_SAMPLES // 4, None)
            quality[name] = erle_db(near[last].astype(float), error[last].astype(float))
    return {name: (1e9 * np.median(t) / N_SAMPLES, quality[name]) for name, t in times.items()}


def table():
    for n_taps in (2048, 4096, 8192):
        found = measure(n_taps)
        peer = "speexdsp" if "speexdsp" in found else "NumPy, SciPy float32"
        yield from ("", f"{n_taps} taps", "", f"| | ns a sample | times {peer} | ERLE, dB |")
        yield "|---|---|---|---|"
        for name in cancellers(n_taps):
            if name in found:
                ns, erle = found[name]
                yield f"| {name} | {ns:.1f} | {ns / found[peer][0]:.2f} | {erle:.1f} |"
            else:
                yield f"| {name} | not installed | | |"


def main():
    lines = ["# Echo cancellers, block 256", "", "Median CPU time a sample, one thread."]
    tell(chain(lines, table()), parse_out(__doc__))


if __name__ == "__main__":
    main()
