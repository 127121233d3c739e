"""Up to which step does LMS on a delay line do what theory says? Worst of many runs.

Excess error over that of small-step theory, mu tr R / (2 - mu tr R) times the noise, median and
worst of 12 runs of 20 000 samples of AR(1) noise, started at the true weights: at fixed shares of
one over the trace, and at ``max_step_size(x, n_taps, mode="safe")``. Run with
``python examples/benchmarks/lms_safe_step.py``; two minutes.
"""

import warnings

import numpy as np
from scipy.signal import lfilter

from filters import LMSFilter
from filters.theory import max_step_size
from filters.timeseries import DivergenceError

N_RUNS, N_SAMPLES, NOISE = 12, 20_000, 0.1
warnings.filterwarnings("ignore", message=".*is not below", category=RuntimeWarning)
np.seterr(over="ignore")  # bursts


def ar1(pole, rng):
    drive = rng.standard_normal(N_SAMPLES + 1000)
    return lfilter([np.sqrt(1 - pole**2)], [1, -pole], drive)[1000:]


def excess(pole, n_taps, share, seed):
    """Measured over predicted excess error of one run; `share` None is the safe step."""
    rng = np.random.default_rng(seed)
    x = ar1(pole, rng)
    path = rng.standard_normal(n_taps) / np.sqrt(n_taps)
    noise = NOISE * rng.standard_normal(N_SAMPLES)
    trace = n_taps * np.mean(x**2)
    step = max_step_size(x, n_taps, mode="safe") if share is None else share / trace
    inner = LMSFilter(n_taps, step_size=step, initial_weights=path)
    try:
        error = inner.adapt(x, np.convolve(x, path)[:N_SAMPLES] + noise).error
    except DivergenceError:
        return np.inf
    found = np.mean((error - noise)[N_SAMPLES // 4 :] ** 2) / NOISE**2
    return found / (step * trace / (2 - step * trace))


def main():
    shares = (0.1, 0.2, 0.4, None)
    print("median / worst, excess error over theory's")
    print("pole  taps " + "".join(f"{'safe' if s is None else s:>20}" for s in shares))
    worst = 0.0
    for pole in (0.0, 0.5, 0.8, 0.9, 0.95, 0.99):
        for n_taps in (1, 2, 4, 10, 32, 128):
            cells = []
            for share in shares:
                runs = [excess(pole, n_taps, share, seed) for seed in range(N_RUNS)]
                cells.append(f"{np.median(runs):9.3g} /{max(runs):9.3g}")
                worst = max(worst, max(runs)) if share is None else worst
            print(f"{pole:4} {n_taps:5} " + " ".join(cells), flush=True)
    print(f"worst at the safe step: {worst:.2f}")


if __name__ == "__main__":
    main()
