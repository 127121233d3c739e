"""How fast is a reservoir driven beside reservoirpy, NumPy and jax.lax.scan? Ratios in one run.

Every figure is the least CPU time a step over several short rounds, one thread each, the rivals
taking turns with the same matrices and the same input; what is timed of ours is the public call,
``Reservoir.transform`` or ``ESNRegressor.forecast``, checks included. NumPy is the loop most people
would write, with the product by scipy.sparse where the matrix is sparse; for many series it steps
all of them at once. A rival that is not installed is named in the table. The second table has one
long series driven by ``n_strands="auto"``; of the longest one, the others drive the first 20 000
steps, and lax.scan has the matrix as a dense one, up to 300 units. Run with
``python examples/benchmarks/reservoir_drive.py [--out FILE.md]``; about five minutes.
"""

import os
import time
from itertools import chain

import numpy as np
from scipy import sparse
from sheet import parse_out, tell
from threadpoolctl import threadpool_limits

from reservoir import ESNRegressor, Reservoir
from reservoir.topologies import random_dense, random_sparse

try:
    import reservoirpy
except ImportError:
    reservoirpy = None
try:
    import jax
except ImportError:
    jax = None

ROUNDS = 5
LONG = "One long series, time in parallel:"
PEERS = ("reservoirpy", "NumPy", "lax.scan")
GOALS = {
    (100, "dense"): 4, (300, "dense"): 1, (1000, "dense"): 1,
    (100, "10 a row"): 5, (300, "10 %"): 3, (300, "10 a row"): 5,
    (1000, "10 %"): 1.5, (1000, "10 a row"): 1.5, (3000, "10 %"): 1.5, (3000, "10 a row"): 1.5,
    (1000, "10 diagonals"): 5,
}  # fmt: skip


def matrix_of(n_units, kind):
    if kind == "dense":
        matrix = random_dense(n_units, random_state=0)
    elif kind == "10 diagonals":
        rng = np.random.RandomState(0)
        rows = np.repeat(np.arange(n_units), 10)
        columns = (rows + np.tile(rng.permutation(n_units)[:10], n_units)) % n_units
        entries = rng.uniform(-1, 1, rows.size), (rows, columns)
        matrix = sparse.csr_array(entries, shape=(n_units, n_units))
    else:
        density = 0.1 if kind == "10 %" else 10 / n_units
        matrix = random_sparse(n_units, density=density, random_state=0)
    norm = np.sqrt((matrix.multiply(matrix) if sparse.issparse(matrix) else matrix**2).sum())
    return matrix * (0.9 * np.sqrt(n_units) / norm)


def interleaved(jobs, rounds=ROUNDS):
    """Least CPU time a step, in us, of ``{name: (function, n_steps)}`` in turns."""
    best = dict.fromkeys(jobs, np.inf)
    for function, _ in jobs.values():
        function()
    for _ in range(rounds):
        for name, (function, n) in jobs.items():
            # jax works in threads of its own, whose time is only on the books when they sleep.
            elsewhere = name == "lax.scan"
            clock = time.process_time if elsewhere else time.thread_time
            start = clock()
            function()
            time.sleep(0.005 * elsewhere)
            best[name] = min(best[name], (clock() - start) / n * 1e6)
    return best


def loop(W, W_in, U):
    """States by NumPy: one product for all inputs, then step by step."""
    drive, x = U @ W_in.T, np.zeros(W.shape[0], dtype=U.dtype)
    states = np.empty((len(U), len(x)), dtype=U.dtype)
    for t in range(len(U)):
        x = states[t] = np.tanh(W @ x + drive[t])
    return states


def scan(W, W_in, U):
    """States by jax, compiled once."""
    W, W_in, U = (jax.numpy.asarray(a) for a in (W, W_in, U))

    def step(x, u):
        x = jax.numpy.tanh(W @ x + W_in @ u)
        return x, x

    run = jax.jit(lambda U: jax.lax.scan(step, jax.numpy.zeros(len(W), W.dtype), U)[1])
    return lambda: np.asarray(run(U))


def theirs(W, W_in, dtype):
    parts = {"W": W, "Win": W_in, "lr": 1.0, "bias": 0.0, "dtype": dtype}
    return reservoirpy.nodes.Reservoir(**parts)


def check(name, answer, expected):
    gap = np.abs(answer - expected).max()
    if not gap < (1e-10 if expected.dtype == np.float64 else 1e-3):
        raise SystemExit(f"{name} and we differ by {gap:.1e}")


def drive_row(n_units, kind, dtype):
    """Times of one long series at one size; the answers are compared."""
    n = 1000 if n_units < 3000 else 300
    U = np.random.default_rng(0).uniform(-0.5, 0.5, (n, 1)).astype(dtype)
    matrix = matrix_of(n_units, kind)
    model = Reservoir(n_units, topology=matrix, spectral_radius=None, random_state=0).fit(U)
    W, W_in = model.recurrent_weights_, model.input_weights_
    expected = model.transform(U)
    jobs = {"ours": (lambda: model.transform(U), n), "NumPy": (lambda: loop(W, W_in, U), n)}
    if reservoirpy is not None:
        node = theirs(W, W_in, dtype)
        jobs["reservoirpy"] = (lambda: node.run(U), n)
        check("reservoirpy", theirs(W, W_in, dtype).run(U), expected)
    if jax is not None and kind == "dense":
        run = scan(W, W_in, U)
        jobs["lax.scan"] = (run, n)
        check("lax.scan", run(), expected)
    check("NumPy", loop(W, W_in, U), expected)
    return interleaved(jobs)


def closed_row(n_units, kind, n=500):
    """A free run, readout included."""
    X = np.sin(np.arange(2000) / 7)[:, np.newaxis] + 0.1
    options = {"topology": matrix_of(n_units, kind), "spectral_radius": None}
    model = ESNRegressor(n_units, **options, include_input=False, random_state=0)
    model.fit(X[:-1], X[1:])
    reservoir, coef = model.reservoir_, np.atleast_2d(model.coef_)
    W, W_in = reservoir.recurrent_weights_, reservoir.input_weights_
    start = reservoir.transform(X[:-1])[-1]

    def by_numpy():
        x, outputs = start, np.empty((n, 1))
        for t in range(n):
            y = outputs[t] = coef @ x + model.intercept_
            x = np.tanh(W @ x + W_in @ y)
        return outputs

    jobs = {"ours": (lambda: model.forecast(n), n), "NumPy": (by_numpy, n)}
    check("NumPy", by_numpy()[:20], model.forecast(n)[:20].reshape(-1, 1))
    if reservoirpy is not None:
        node = theirs(W, W_in, np.float64)

        def step_by_step():
            y = X[-1]
            for _ in range(n):
                y = coef @ node(y) + model.intercept_

        jobs["reservoirpy"] = (step_by_step, n)
    return interleaved(jobs)


def series_row(n_units, kind, dtype, n_series=200, n=100):
    """Many short series in one call."""
    U = np.random.default_rng(0).uniform(-0.5, 0.5, (n_series, n, 1)).astype(dtype)
    options = {"topology": matrix_of(n_units, kind), "spectral_radius": None}
    model = Reservoir(n_units, **options, random_state=0).fit(U)
    W, W_in = model.recurrent_weights_, model.input_weights_

    def all_at_once():
        states = np.empty((n_series, n, n_units), dtype=dtype)
        x = np.zeros((n_units, n_series), dtype=dtype)
        for t in range(n):
            x = np.tanh(W @ x + W_in @ U[:, t].T)
            states[:, t] = x.T
        return states

    check("NumPy", all_at_once(), model.transform(U))
    steps = n_series * n
    jobs = {"ours": (lambda: model.transform(U), steps), "NumPy": (all_at_once, steps)}
    if reservoirpy is not None:
        node = theirs(W, W_in, dtype)
        jobs["reservoirpy"] = (lambda: node.run(list(U)), steps)
    return interleaved(jobs)


def strands_row(n_units, kind, dtype, leak_rate=1.0, n=20_000, n_others=20_000):
    """Times of one long series in strands and in turn, and the largest difference of states."""
    U = np.random.default_rng(0).uniform(-0.5, 0.5, (n, 1)).astype(dtype)
    V = U[:n_others]
    matrix = matrix_of(n_units, kind)
    options = {"topology": matrix, "spectral_radius": None, "leak_rate": leak_rate}
    in_turn, strands = (
        Reservoir(n_units, **options, n_strands=k, random_state=0).fit(U) for k in (1, "auto")
    )
    answer, state, apart = strands.transform(U), None, 0.0
    for start in range(0, n, 5000):
        part = slice(start, start + 5000)
        expected, state = in_turn.transform(U[part], initial_state=state, return_state=True)
        apart = max(apart, float(np.abs(answer[part] - expected).max()))
    del answer
    jobs = {
        "ours": (lambda: strands.transform(U), n),
        "in turn": (lambda: in_turn.transform(V), n_others),
    }
    if leak_rate == 1.0:
        W, W_in = in_turn.recurrent_weights_, in_turn.input_weights_
        jobs["NumPy"] = (lambda: loop(W, W_in, V), n_others)
        if reservoirpy is not None:
            node = theirs(W, W_in, dtype)
            jobs["reservoirpy"] = (lambda: node.run(V), n_others)
        if jax is not None and n_units <= 300:
            jobs["lax.scan"] = (scan(W.toarray(), W_in, V), n_others)
    return interleaved(jobs, rounds=3), apart


def fit_row(n_units, kind, dtype, n=20_000):
    """As `strands_row` for a whole fit; the difference is that of the predictions."""
    U = np.random.default_rng(0).uniform(-0.5, 0.5, (n, 1)).astype(dtype)
    y = np.roll(U[:, 0], 3) * U[:, 0]
    options = {"topology": matrix_of(n_units, kind), "spectral_radius": None, "alpha": 1e-3}
    in_turn, strands = (
        ESNRegressor(n_units, **options, n_strands=k, random_state=0).fit(U, y) for k in (1, "auto")
    )
    apart = np.abs(strands.predict(U) - in_turn.predict(U)).max()
    jobs = {"ours": (lambda: strands.fit(U, y), n), "in turn": (lambda: in_turn.fit(U, y), n)}
    return interleaved(jobs, rounds=3), float(apart)


def cells_of(times):
    """The rivals' times, and the best of them."""
    cells = []
    for name in PEERS:
        if name in times:
            cells.append(f"{times[name]:.2f}")
        else:
            missing = {"reservoirpy": reservoirpy, "lax.scan": jax}.get(name, True) is None
            cells.append("not installed" if missing else "-")
    best = min((times[name] for name in PEERS if name in times), default=np.nan)
    return " | ".join(cells), best


def line(what, kind, dtype, times, goal):
    cells, best = cells_of(times)
    wanted = "" if goal is None else f" (goal {goal:g})"
    return (
        f"| {what} | {kind} | {np.dtype(dtype).name} | {times['ours']:.2f} | {cells} | "
        f"{best / times['ours']:.2f}x{wanted} |"
    )


def strands_line(what, kind, dtype, times, apart, goal=None):
    cells, best = cells_of(times)
    ratio = "-" if np.isnan(best) else f"{best / times['ours']:.2f}x"
    wanted = "" if goal is None else f" (goal {goal:g})"
    return (
        f"| {what} | {kind} | {np.dtype(dtype).name} | {times['ours']:.2f} | "
        f"{times['in turn']:.2f} | {cells} | {ratio}{wanted} | "
        f"{times['in turn'] / times['ours']:.2f}x | {apart:.0e} |"
    )


def table():
    yield f"| units | matrix | dtype | ours | {' | '.join(PEERS)} | best of them / ours |"
    yield "|---|---|---|---|---|---|---|---|"
    for dtype in (np.float64, np.float32):
        for (n_units, kind), goal in GOALS.items():
            goal = goal if dtype == np.float64 else None
            yield line(n_units, kind, dtype, drive_row(n_units, kind, dtype), goal)
    for n_units, kind, goal in ((300, "10 %", 3), (300, "10 a row", 3), (1000, "10 %", 1.5)):
        what = f"{n_units}, closed loop"
        yield line(what, kind, np.float64, closed_row(n_units, kind), goal)
    for dtype in (np.float64, np.float32):
        for kind in ("10 %", "10 a row", "dense"):
            goal = 3 if dtype == np.float64 else None
            what = "500, 200 series of 100 steps"
            yield line(what, kind, dtype, series_row(500, kind, dtype), goal)


def strands_table():
    yield (
        f"| units, steps | matrix | dtype | in strands | in turn | {' | '.join(PEERS)} | "
        "best of them / strands | in turn / strands | largest difference |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for dtype in (np.float64, np.float32):
        goal = 3 if dtype == np.float64 else 5
        long = strands_row(1000, "10 %", dtype, n=100_000)
        yield strands_line("1000, 100 000", "10 %", dtype, *long, goal)
        for n_units, kind in ((1000, "10 %"), (1000, "10 a row"), (300, "10 %")):
            row = strands_row(n_units, kind, dtype)
            yield strands_line(f"{n_units}, 20 000", kind, dtype, *row)
        slow = strands_row(300, "10 %", dtype, leak_rate=0.1)
        yield strands_line("300, leak 0.1, 20 000", "10 %", dtype, *slow)
        yield strands_line("1000, fit of 20 000", "10 %", dtype, *fit_row(1000, "10 %", dtype))


def main():
    out = parse_out(__doc__)
    facts = {}
    for name, module in (("reservoirpy", reservoirpy), ("jax", jax)):
        if module is not None:
            facts[name] = module.__version__
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        if name in os.environ:
            facts[name] = f"{os.environ[name]} (unset it for a fair figure)"
    lines = ["# Driving a reservoir", "", "Least CPU time a step and series, us, one thread.", ""]
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
    with threadpool_limits(1):
        tell(chain(lines, table(), ("", LONG, ""), strands_table()), out, **facts)


if __name__ == "__main__":
    main()
