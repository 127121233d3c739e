"""Fitting, free runs and drawing of a reservoir beside the packages people use; memory of a fit.

Ours is the public call, checks included. NumPy + scikit-learn is the loop most people would write,
states by scipy.sparse, then Ridge(solver="cholesky"); reservoirpy is Reservoir >> Ridge. All use
one matrix per row of the table (10 % non-zeros) but where drawing is what is timed: there each
draws and scales its own (NumPy: by the dense spectrum up to 1000 units, above by ARPACK for one
value, as reservoirpy does), and the radius of what the others drew is looked at. Least
CPU time over several rounds in turns, one thread. Memory is the peak of a fresh process above what
it held before the fit; a series of n rows is 8 n bytes of input and as many of targets.

Run with ``python examples/benchmarks/reservoir_fit.py [--out FILE.md]``; about three minutes.
``--parts fit,loop,draw,memory`` names what to run; FILE.md keeps what it says of the other parts.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from sheet import measured_on
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from reservoir import ESNRegressor, Reservoir
from reservoir.datasets import narma
from reservoir.topologies import random_sparse, spectral_radius

try:
    import reservoirpy
except ImportError:
    reservoirpy = None

PEERS = ("reservoirpy", "NumPy")
ALPHA, WASHOUT = 1e-6, 100
N_DRAWN = 3  # matrices: how long ARPACK takes is a matter of luck
MEMORY_CHILD = """
import resource, sys
import numpy as np
from reservoir import ESNRegressor
def peak():  # in MB; getrusage of Linux would begin with the peak of the parent process
    try:
        lines = open("/proc/self/status").read().split("\\n")
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10
    except OSError:
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
n = int(sys.argv[1])
ESNRegressor(300, random_state=0).fit(np.zeros((2000, 1)) + 0.1, np.arange(2000.0))
X = np.random.default_rng(0).uniform(-1, 1, (n, 1))
y = X[:, 0] ** 2
before = peak()
ESNRegressor(300, random_state=0).fit(X, y)
print(peak() - before, before)
"""


def interleaved(jobs, rounds):
    """Least CPU seconds of every job in `rounds` turns after a first; of 0, the first itself."""
    best = dict.fromkeys(jobs, np.inf)
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.thread_time()
            job()
            seconds = time.thread_time() - start
            best[name] = min(best[name], seconds) if turn or not rounds else np.inf
    return best


def matrix_of(n_units):
    matrix = random_sparse(n_units, density=0.1, random_state=0)
    return matrix * (0.9 * np.sqrt(n_units) / sparse.linalg.norm(matrix))


def loop(W, W_in, U):
    fed, x = U @ W_in.T, np.zeros(W.shape[0])
    states = np.empty((len(U), len(x)))
    for t in range(len(U)):
        x = states[t] = np.tanh(W @ x + fed[t])
    return states


def nodes(W, W_in):
    node = reservoirpy.nodes.Reservoir(W=W, Win=W_in, lr=1.0, bias=0.0)
    return node, reservoirpy.nodes.Ridge(ridge=ALPHA)


def check(name, answer, expected):
    scale = np.abs(expected).max()
    if not np.abs(np.ravel(answer) - np.ravel(expected)).max() < 1e-4 * scale:
        raise SystemExit(
            f"{name} and we differ: {np.abs(np.ravel(answer) - expected.ravel()).max()}"
        )


def fit_rows():
    X, y = narma(10_000, random_state=0)
    y = y.reshape(-1, 1)
    for n_units, goal in ((300, 2.5), (1000, 1.5)):
        options = {"topology": matrix_of(n_units), "spectral_radius": None, "washout": WASHOUT}
        model = ESNRegressor(n_units, **options, alpha=ALPHA, include_input=False, random_state=0)
        reservoir = model.fit(X, y).reservoir_
        W, W_in = sparse.csr_array(reservoir.recurrent_weights_), reservoir.input_weights_

        def by_scikit_learn(W=W, W_in=W_in):
            return Ridge(ALPHA, solver="cholesky").fit(loop(W, W_in, X)[WASHOUT:], y[WASHOUT:])

        def by_reservoirpy(W=W, W_in=W_in):
            node, readout = nodes(W, W_in)
            return (node >> readout).fit(X, y, warmup=WASHOUT)

        jobs = {"ours": lambda model=model: model.fit(X, y), "NumPy": by_scikit_learn}
        expected, states = model.predict(X[:500]), loop(W, W_in, X[:500])
        check("scikit-learn", by_scikit_learn().predict(states), expected)
        if reservoirpy is not None:
            jobs["reservoirpy"] = by_reservoirpy
            # It goes on from the last state of the fit, which is forgotten by then.
            check("reservoirpy", by_reservoirpy().run(X[:500])[200:], expected[200:])
        yield line(
            f"fit of 10 000 rows, {n_units} units, 10 %", interleaved(jobs, 3), goal, 1.0, "s"
        )


def closed_rows(n=500):
    X = np.sin(np.arange(2000) / 7)[:, np.newaxis] + 0.1
    for n_units, goal in ((300, 3), (1000, 1.5)):
        options = {"topology": matrix_of(n_units), "spectral_radius": None, "random_state": 0}
        model = ESNRegressor(n_units, **options, include_input=False).fit(X[:-1], X[1:])
        reservoir, coef = model.reservoir_, np.atleast_2d(model.coef_)
        W, W_in = sparse.csr_array(reservoir.recurrent_weights_), reservoir.input_weights_
        start = reservoir.transform(X[:-1])[-1]

        def by_numpy(W=W, W_in=W_in, coef=coef, start=start, model=model):
            x, outputs = start, np.empty((n, 1))
            for t in range(n):
                y = outputs[t] = coef @ x + model.intercept_
                x = np.tanh(W @ x + W_in @ y)
            return outputs

        jobs = {"ours": lambda model=model: model.forecast(n), "NumPy": by_numpy}
        check("NumPy", by_numpy()[:20], model.forecast(n)[:20])
        if reservoirpy is not None:
            node, readout = nodes(W, W_in)
            chain = (node >> readout).fit(X[:-1], X[1:])

            def by_reservoirpy(chain=chain):
                y = X[-1]
                for _ in range(n):
                    y = chain(y)

            jobs["reservoirpy"] = by_reservoirpy
        yield line(f"a step of a free run, {n_units} units, 10 %", interleaved(jobs, 7), goal,
                   1e6 / n, "us")  # fmt: skip


def draw_rows():
    X = np.zeros((2, 1))
    for n_units, density, goal in ((1000, 0.1, 2), (3000, 0.1, 10), (10_000, 0.001, 5)):

        def ours(seed, n_units=n_units, density=density):
            return Reservoir(n_units, density=density, random_state=seed).fit(X).recurrent_weights_

        def by_reservoirpy(seed, n_units=n_units, density=density):
            options = {"sr": 0.9, "rc_connectivity": density, "seed": seed}
            node = reservoirpy.nodes.Reservoir(n_units, **options)
            node.initialize(X)
            return node.W

        def by_numpy(seed, n_units=n_units, density=density):
            rng = np.random.default_rng(seed)
            W = sparse.random(n_units, n_units, density, rng=rng, format="csr")
            W.data = 2 * W.data - 1
            if n_units <= 1000:
                radius = np.abs(np.linalg.eigvals(W.toarray())).max()
            else:
                radius = np.abs(sparse.linalg.eigs(W, k=1, return_eigenvectors=False)).max()
            W_in = rng.uniform(-1, 1, (n_units, 1))
            return W * (0.9 / radius), W_in

        jobs = {"ours": ours, "NumPy": by_numpy}
        if reservoirpy is not None:
            jobs["reservoirpy"] = by_reservoirpy
        times, wrong = dict.fromkeys(jobs, 0.0), dict.fromkeys(jobs, 0.0)
        for seed in range(N_DRAWN):
            for name, job in jobs.items():
                start = time.thread_time()
                W = job(seed)
                times[name] += (time.thread_time() - start) / N_DRAWN
                if name != "ours":
                    W = W[0] if name == "NumPy" else W
                    wrong[name] = max(wrong[name], abs(spectral_radius(W) / 0.9 - 1))
        kind = "10 %" if density == 0.1 else "10 a row"
        cells = [f"{wrong[n]:.1e}" if n in wrong else "not installed" for n in PEERS]
        row = line(f"drawing {n_units} units, {kind}", times, goal, 1.0, "s")
        yield f"{row} {' | '.join(cells)} |"


def memory_rows():
    yield "| rows | peak of the fit above what was held before, MB | held before, MB |"
    yield "|---|---|---|"
    for n in (10_000, 100_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY_CHILD, str(n)], check=True, capture_output=True,
            text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        grown, before = map(float, done.stdout.split())
        yield f"| {n} | {grown:.1f} | {before:.0f} |"


def line(what, times, goal, scale, unit):
    cells = [f"{scale * times[n]:.3g}" if n in times else "not installed" for n in PEERS]
    best = min((times[name] for name in PEERS if name in times), default=np.nan)
    ours = f"{scale * times['ours']:.3g} {unit}"
    return (
        f"| {what} | {ours} | {' | '.join(cells)} | {best / times['ours']:.2f}x (goal {goal:g}) |"
    )


TIMES = ["| | ours | reservoirpy | NumPy, scikit-learn, SciPy | best of them / ours |"]
PARTS = {
    "fit": ("Fitting", [*TIMES, "|---|---|---|---|---|"], fit_rows),
    "loop": ("Running freely", [*TIMES, "|---|---|---|---|---|"], closed_rows),
    "draw": (
        f"Drawing: means of {N_DRAWN} matrices, and how far off the radius of the worst is",
        [
            f"{TIMES[0]} radius, reservoirpy | radius, NumPy |",
            "|---|---|---|---|---|---|---|",
        ],
        draw_rows,
    ),
    "memory": ("Memory of a fit, 300 units", [], memory_rows),
}


def sections(path):
    """What FILE.md says so far, by heading."""
    if path is None or not path.exists():
        return {}
    _, *found = path.read_text(encoding="utf-8").split("\n## ")
    return {text.split("\n")[0]: text.rstrip().split("\n")[1:] for text in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    parser.add_argument("--parts", default=",".join(PARTS))
    args = parser.parse_args()
    peer = {} if reservoirpy is None else {"reservoirpy": reservoirpy.__version__}
    facts = measured_on(**peer)
    known = sections(args.out)
    with threadpool_limits(1):
        for part in args.parts.split(","):
            heading, head, rows = PARTS[part]
            known[heading] = ["", *head]
            for text in rows():
                print(text, flush=True)
                known[heading].append(text)
            known[heading] += ["", facts]
    lines = ["# Fitting, running freely and drawing a reservoir", "", "CPU time, one thread."]
    for heading, _, _ in PARTS.values():
        if heading in known:
            lines += ["", f"## {heading}", *known[heading]]
    if args.out is not None:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
