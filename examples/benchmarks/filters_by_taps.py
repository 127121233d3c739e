"""How fast are the filters beside padasip and beside a plain C loop? Ratios in one run.

Every figure is the median of CPU time of one thread a sample, the rivals taking turns; what is
timed of ours is the public call, ``filter.adapt(x, d)`` and ``session.learn_one(x, d)``, checks
included. padasip is given its matrix of windows ready-made. The C loops (plain_filters.c, what most
people would write) are compiled with ``cc -O3 -march=native``. A rival that is not installed is
named in the table. Run with ``python examples/benchmarks/filters_by_taps.py [--out FILE.md]``;
about two minutes.
"""

import ctypes
import shutil
import subprocess
import tempfile
import time
from itertools import chain
from pathlib import Path

import numpy as np
from sheet import parse_out, tell

from filters import AffineProjectionFilter, LineEnhancer, LMSFilter, NLMSFilter, RLSFilter
from filters.timeseries import delay_embed

try:
    import padasip
except ImportError:
    padasip = None

ROUNDS = 7
GOALS = {
    ("LMS", 8): (250, 1.3), ("LMS", 32): (200, 2), ("LMS", 128): (170, 4.5),
    ("LMS", 512): (65, 6), ("LMS", 2048): (30, 6),
    ("NLMS", 32): (180, 2), ("NLMS", 128): (140, 3.5), ("NLMS", 512): (70, 6),
    ("NLMS", 2048): (30, 7),
    ("RLS", 8): (150, 1), ("RLS", 32): (60, 1.3), ("RLS", 128): (110, 3.5),
    ("RLS", 256): (250, 5.5),
    ("affine projection 4", 128): (90, 5), ("affine projection 8", 128): (40, 6),
}  # fmt: skip


def compile_plain():
    """The C loops, or None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp()) / "plain_filters.so"
    source = Path(__file__).with_name("plain_filters.c")
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source, "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


def call(function, *arguments):
    """Call a C function with arrays of float64, integers and floats."""
    given = [
        a.ctypes.data_as(ctypes.c_void_p)
        if isinstance(a, np.ndarray)
        else (ctypes.c_long(a) if isinstance(a, int) else ctypes.c_double(a))
        for a in arguments
    ]
    function(*given)


def ours(name, n_taps):
    if name == "LMS":
        return LMSFilter(n_taps, step_size=0.05 / n_taps)
    if name == "NLMS":
        return NLMSFilter(n_taps, regularization=1e-3)
    if name == "RLS":
        return RLSFilter(n_taps, delta=0.01)
    return AffineProjectionFilter(n_taps, order=int(name[-1]), regularization=1e-3)


def theirs(name, n_taps):
    kind = padasip.filters
    if name == "LMS":
        return kind.FilterLMS(n_taps, mu=0.05 / n_taps, w="zeros")
    if name == "NLMS":
        return kind.FilterNLMS(n_taps, mu=0.5, eps=1e-3, w="zeros")
    if name == "RLS":
        return kind.FilterRLS(n_taps, mu=0.999, eps=0.01, w="zeros")
    return kind.FilterAP(n_taps, order=int(name[-1]), mu=0.5, ifc=1e-3, w="zeros")


def plain(library, name, n_taps, z, d):
    n = d.size
    w, y = np.zeros(n_taps), np.empty(n)
    z = z[z.size - n - n_taps + 1 :]
    if name == "LMS":
        call(library.lms, z, d, w, y, n, n_taps, 0.05 / n_taps)
    elif name == "NLMS":
        call(library.nlms, z, d, w, y, n, n_taps, 0.5, 1e-3)
    elif name == "RLS":
        P, q = np.eye(n_taps) / 0.01, np.empty(n_taps)
        call(library.rls, z, d, w, P, q, y, n, n_taps, 0.999)
    else:
        order = int(name[-1])
        z = np.concatenate([np.zeros(order - 1), z])
        call(library.affine_projection, z, d, w, y, n, n_taps, order, 0.5, 1e-3)
    return y


def interleaved(jobs):
    """Median thread CPU time a sample, in ns, of ``{name: (function, n_samples)}`` in turns."""
    taken = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, (function, n) in jobs.items():
            function()  # caches and memory as this rival leaves them, not the one before
            start = time.thread_time()
            function()
            taken[name].append((time.thread_time() - start) / n * 1e9)
    return {name: float(np.median(values)) for name, values in taken.items()}


def signals(n, n_taps, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    path = rng.standard_normal(n_taps) / np.sqrt(n_taps)
    return x, np.convolve(x, path)[:n] + 0.1 * rng.standard_normal(n)


def one_row(name, n_taps, library):
    """Times of one algorithm at one length; our answer is compared with C's."""
    n = int(np.clip(4e7 / (n_taps**2 if name == "RLS" else n_taps), 3_000, 100_000))
    x, d = signals(n, n_taps)
    z = np.concatenate([np.zeros(n_taps - 1), x])
    jobs = {"ours": (lambda: ours(name, n_taps).adapt(x, d), n)}
    if library is not None:
        answer = plain(library, name, n_taps, z, d)
        gap = np.abs(answer - ours(name, n_taps).adapt(x, d).output).max()
        if not gap < 1e-6:
            raise SystemExit(f"{name}, {n_taps} taps: C and we differ by {gap:.1e}")
        jobs["C"] = (lambda: plain(library, name, n_taps, z, d), n)
    if padasip is not None:
        few = min(n, 1_000 if name == "RLS" else 3_000)
        rows = delay_embed(x[:few, np.newaxis], n_taps)
        jobs["padasip"] = (lambda: theirs(name, n_taps).run(d[:few], rows), few)
    return interleaved(jobs)


def streaming_row(n_taps=32, n=2_000):
    """One sample at a time through a session."""
    x, d = (values.tolist() for values in signals(n, n_taps))
    session = NLMSFilter(n_taps, regularization=1e-3).stream()

    def learn():
        for pair in zip(x, d, strict=True):
            session.learn_one(*pair)

    jobs = {"ours": (learn, n)}
    if padasip is not None:
        rows, other = delay_embed(np.array(x)[:, np.newaxis], n_taps), theirs("NLMS", n_taps)

        def adapt():
            for row, target in zip(rows, d, strict=True):
                other.predict(row)
                other.adapt(target, row)

        jobs["padasip"] = (adapt, n)
    return interleaved(jobs)


def channels_row(n_channels=64, n_taps=32, n=2_000):
    """Independent filters side by side: a line enhancer of many columns; ns a channel-sample."""
    X = np.random.default_rng(0).standard_normal((n, n_channels))
    past = np.concatenate([np.zeros((n_taps, n_channels)), X])

    def over_channels():
        w = np.zeros((n_taps, n_channels))
        for k in range(n):
            window = past[k : k + n_taps]
            error = X[k] - (w * window).sum(axis=0)
            w += 0.001 * error * window

    inner = LMSFilter(n_taps, step_size=0.001)
    jobs = {
        "ours": (lambda: LineEnhancer(inner).fit_transform(X), n * n_channels),
        "NumPy": (over_channels, n * n_channels),
    }
    if padasip is not None:
        few = delay_embed(X[:, :1], n_taps)
        jobs["padasip"] = (lambda: theirs("LMS", n_taps).run(X[:, 0], few), n)
    return interleaved(jobs)


def ratio(times, rival, goal):
    if rival not in times:
        return "not installed" if rival in ("padasip", "C") else "-"
    wanted = "" if goal is None else f" (goal {goal:g})"
    return f"{times[rival] / times['ours']:.3g}x{wanted}"


def table(library):
    yield "| filter | taps | ours, ns | padasip / ours | plain C / ours | NumPy / ours |"
    yield "|---|---|---|---|---|---|"
    rows = [(name, n_taps, one_row(name, n_taps, library)) for name, n_taps in GOALS]
    for name, n_taps, times in rows:
        over, plain_goal = GOALS[name, n_taps]
        yield (
            f"| {name} | {n_taps} | {times['ours']:.1f} | {ratio(times, 'padasip', over)} | "
            f"{ratio(times, 'C', plain_goal)} | - |"
        )
    times = streaming_row()
    beside = ratio(times, "padasip", 8)
    yield f"| NLMS, one sample at a time | 32 | {times['ours']:.0f} | {beside} | - | - |"
    times = channels_row()
    yield (
        f"| LMS, 64 independent channels | 32 | {times['ours']:.1f} | "
        f"{ratio(times, 'padasip', 200)} | - | {ratio(times, 'NumPy', 8)} |"
    )


def main():
    out = parse_out(__doc__)
    peer = {}
    if padasip is not None:
        peer["padasip"] = getattr(padasip, "__version__", "installed")
    lines = ["# Filters beside padasip and plain C", "", "Median CPU time a sample, float64.", ""]
    tell(chain(lines, table(compile_plain())), out, **peer)


if __name__ == "__main__":
    main()
