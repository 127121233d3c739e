"""Does memory stay flat while the rows go by? Peak resident memory of fits and sessions, by length.

Every figure comes from a process of its own: it compiles on a short series, makes its data, notes
its resident memory, resets the system's high-water mark, works, and says how far the mark rose
above what was there. Fits and sessions may hold no more for many rows than for few; answers may
hold what they return, 8 bytes a row. Linux only (``/proc/self/clear_refs``).
Run with ``python examples/endurance/memory.py [--quick] [--out FILE.md]``; about two minutes.
"""

import gc
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from verdicts import Sheet, arguments, run

CHUNK = 2000
SLACK = 6.0  # MB by which two runs of the same length may differ
LENGTHS = (50_000, 500_000)


def series(n):
    """One input and what a short memory of it gives."""
    x = np.random.default_rng(0).standard_normal((n, 1))
    return x, 0.5 * x[:, 0] + 0.3 * np.concatenate([[0.0], x[:-1, 0]])


def esn(n_units=20, **parameters):
    from reservoir import ESNRegressor

    return ESNRegressor(n_units, random_state=0, **parameters)


def gru(**parameters):
    from reservoir.baselines import RNNRegressor

    shared = {"bptt_steps": 50, "max_iter": 1, "n_strands": 1, "random_state": 0}
    return RNNRegressor("gru", (4,), **shared | parameters)


def taught(model):
    """`model` after a short fit."""
    return model.fit(*series(CHUNK))


def fit(make):
    return lambda X, y: make().fit(X, y)


def predict(make):
    def prepare(X, y):
        return taught(make()).predict(X)

    return prepare


def chunks(n):
    """Rows that are made when they are asked for."""
    rng = np.random.default_rng(0)
    for _ in range(0, n, CHUNK):
        x = rng.standard_normal((CHUNK, 1))
        yield x, 0.5 * x[:, 0]


def partial_fits(make):
    def learn(n):
        model = make()
        for x, y in chunks(n):
            model.partial_fit(x, y)

    return learn


def session(make, method):
    """Chunks through a session: ``learn_many`` and its like, or ``*_one`` row by row."""

    def follow(n):
        stream = make().stream()
        for x, y in chunks(n):
            pairs = zip(x, y, strict=True) if method.endswith("_one") else [(x, y)]
            for row, target in pairs:
                getattr(stream, method)(*((row,) if "predict" in method else (row, target)))

    return follow


def filters(name, **parameters):
    def make():
        import filters as package

        return getattr(package, name)(8, **parameters)

    return make


def memory_model(memory, *args):
    def make():
        import filters
        import reservoir

        found = getattr(reservoir, memory, None) or getattr(filters, memory)
        return reservoir.MemoryRegressor(found(*args))

    return make


def free_run(n):
    x = series(CHUNK)[0]
    esn().fit(x[:-1], x[1:]).forecast(n)


def cross_validated(X, y):
    from reservoir import ESNRegressorCV

    ESNRegressorCV(20, random_state=0).fit(X, y)


def forecaster(X, y):
    from reservoir import ESNForecaster

    ESNForecaster(esn()).fit(X)


def online(n):
    from filters import RLSFilter

    session(lambda: taught(esn(readout=RLSFilter())), "learn_many")(n)


# Name -> what is run, what it is given ("rows": X and y; "length"), bytes a row of its answer,
# share of LENGTHS.
CASES = {
    "ESNRegressor.fit": (fit(esn), "rows", 0, 1),
    "ESNRegressor.fit, strands": (fit(lambda: esn(n_strands="auto")), "rows", 0, 1),
    "ESNRegressor.partial_fit": (partial_fits(esn), "length", 0, 1),
    "ESNRegressor.predict": (predict(esn), "rows", 8, 1),
    "ESNRegressor.forecast": (free_run, "length", 8, 1),
    "ESNRegressor, session, predict_many": (
        session(lambda: taught(esn()), "predict_many"),
        "length",
        0,
        1,
    ),
    "ESNRegressor, session, learn_one": (
        session(lambda: taught(esn()), "learn_one"),
        "length",
        0,
        0.02,
    ),
    "ESNRegressor with RLS, session, learn_many": (online, "length", 0, 0.02),
    "ESNRegressorCV.fit": (cross_validated, "rows", 0, 1),
    "ESNForecaster.fit": (forecaster, "rows", 0, 1),
    "MemoryRegressor(TapDelay(20)).fit": (fit(memory_model("TapDelay", 20)), "rows", 0, 1),
    "MemoryRegressor(NVAR(3)).fit": (fit(memory_model("NVAR", 3)), "rows", 0, 1),
    "NLMSFilter.fit": (fit(filters("NLMSFilter")), "rows", 0, 1),
    "RLSFilter.fit": (fit(filters("RLSFilter")), "rows", 0, 1),
    "NLMSFilter.predict": (predict(filters("NLMSFilter")), "rows", 8, 1),
    "NLMSFilter, session, learn_many": (
        session(filters("NLMSFilter"), "learn_many"),
        "length",
        0,
        1,
    ),
    "NLMSFilter, session, learn_one": (
        session(filters("NLMSFilter"), "learn_one"),
        "length",
        0,
        0.4,
    ),
    "RLSFilter, session, learn_many": (session(filters("RLSFilter"), "learn_many"), "length", 0, 1),
    "FrequencyDomainFilter, session, learn_many": (
        session(filters("FrequencyDomainFilter"), "learn_many"),
        "length",
        0,
        1,
    ),
    "RNNRegressor.fit, windows of 50": (fit(gru), "rows", 0, 0.2),
    "RNNRegressor.partial_fit, windows of 50": (partial_fits(gru), "length", 0, 0.2),
    "RNNRegressor.predict": (predict(gru), "rows", 8, 0.25),
    "RNNRegressor, session, predict_many": (
        session(lambda: taught(gru()), "predict_many"),
        "length",
        0,
        0.1,
    ),
    "RNNRegressor, session, learn_one": (
        session(lambda: taught(gru()), "learn_one"),
        "length",
        0,
        0.02,
    ),
}


def status(name):
    """A figure of this process in MB."""
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024


def measure(name, n):
    """Print by how many MB the peak of one case rises above what was there before."""
    work, given, _, _ = CASES[name]

    def arguments_for(length):
        return series(length) if given == "rows" else (length,)

    work(*arguments_for(2 * CHUNK))
    data = arguments_for(n)
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    answer = work(*data)
    print(status("VmHWM") - before)
    del answer


def peak(name, n):
    """The rise of the peak, from a process of its own."""
    command = [sys.executable, __file__, "--case", str(list(CASES).index(name))]
    command += ["--length", str(n)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main():
    about = {"case": (-1, "measure one case here"), "length": (0, "its length")}
    about["jobs"] = (2, "cases at a time")
    args = arguments(__doc__, **about)
    if args.case >= 0:
        measure(list(CASES)[args.case], args.length)
        return 0
    names = list(CASES) if not args.quick else ["ESNRegressor.partial_fit"]
    sheet = Sheet("Memory by length")
    sheet.say(
        "Rise of the peak of resident memory, MB, over what was there before the call; allowed is "
        f"what the answer holds and {SLACK:.0f} MB.",
        "",
    )
    sheet.head("what", "rows", "MB", "bytes a row more, from least to most", "the answer's")
    lengths_of = {name: [int(CASES[name][-1] * n) for n in LENGTHS] for name in names}
    pairs = [(name, n) for name in names for n in lengths_of[name]]
    with ThreadPoolExecutor(args.jobs) as pool:
        rises = dict(zip(pairs, pool.map(lambda pair: peak(*pair), pairs), strict=True))
    for name, lengths in lengths_of.items():
        of_answer = CASES[name][2]
        found = [rises[name, n] for n in lengths]
        more = 1e6 * (found[-1] - found[0]) / (lengths[-1] - lengths[0])
        allowed = of_answer * (lengths[-1] - lengths[0]) / 2**20 + SLACK
        sheet.row(
            name,
            " / ".join(f"{n:,}" for n in lengths),
            " / ".join(f"{mb:.1f}" for mb in found),
            f"{more:.1f}",
            of_answer,
            wrong="grows" if found[-1] - found[0] > allowed else "",
        )
    return sheet.finish(args.out)


if __name__ == "__main__":
    run(main)
