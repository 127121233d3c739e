"""What does the first use cost? CPU seconds of fresh processes, imports and first fits.

Every figure is the least of several processes, one thread each. Imports are compared with
``import sklearn.base``, which any estimator needs. The first fit is timed inside its process, once
with an empty cache of compiled kernels (as after an installation) and once with a full one. Run
with ``python examples/benchmarks/cold_start.py [--out FILE.md]``; about a minute and a half.
"""

import os
import resource
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

from sheet import parse_out, tell

ROUNDS = 4
SHELL = (
    "import sys, runpy; sys.argv = ['reservoir', '--help']\n"
    "runpy.run_module('reservoir', run_name='__main__')"
)
IMPORTS = {  # what is run, whether sklearn.base is taken off, the goal
    "import sklearn.base": ("import sklearn.base", False, None),
    "import filters": ("import filters", True, 0.5),
    "import reservoir": ("import reservoir", False, None),
    "from reservoir import ESNRegressor": ("from reservoir import ESNRegressor", True, 0.5),
    "from reservoir import *": ("from reservoir import *", True, None),
    "reservoir --help": (SHELL, False, None),
}
DATA = "import numpy as np; x = np.random.default_rng(0).standard_normal((2000, 1)); y = x[:, 0]\n"
FITS = {
    "LMSFilter(8).fit": "from filters import LMSFilter as M; m = M(8)",
    "RLSFilter(8).fit": "from filters import RLSFilter as M; m = M(8)",
    "ESNRegressor(100).fit": "from reservoir import ESNRegressor as M; m = M(100)",
    "ESNSearchCV(n_iter=4, n_seeds=1).fit": (
        "from reservoir import ESNSearchCV as M; m = M(n_iter=4, n_seeds=1, random_state=0)"
    ),
}
FIT = "import time; t = time.process_time(); m.fit(x, y); print(time.process_time() - t)"


def child(code, cache):
    """CPU seconds of a fresh interpreter and what it printed."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "OPENBLAS_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, done.stdout


def table(folder):
    yield "| | CPU seconds | above sklearn.base | goal |"
    yield "|---|---|---|---|"
    times = dict.fromkeys(IMPORTS, float("inf"))
    for _ in range(ROUNDS):
        for name, (code, _, _) in IMPORTS.items():
            times[name] = min(times[name], child(code, folder / "warm")[0])
    base = times["import sklearn.base"]
    for name, (_, above, goal) in IMPORTS.items():
        beside = f"{times[name] - base:.2f}" if above else ""
        yield f"| {name} | {times[name]:.2f} | {beside} | {'' if goal is None else goal} |"
    yield ""
    yield "| first fit, 2000 rows | kernels cached | nothing cached | goal, cached |"
    yield "|---|---|---|---|"
    for name, code in FITS.items():
        whole = DATA + code + "\n" + FIT
        cold = float(child(whole, Path(tempfile.mkdtemp(dir=folder)))[1])
        child(whole, folder / "warm")
        warm = min(float(child(whole, folder / "warm")[1]) for _ in range(ROUNDS))
        yield f"| {name} | {warm:.2f} | {cold:.1f} | 0.3 |"


def main():
    out = parse_out(__doc__)
    lines = ["# Cold start", "", "CPU seconds of fresh processes, the least of several.", ""]
    with tempfile.TemporaryDirectory() as folder:
        tell(chain(lines, table(Path(folder))), out)


if __name__ == "__main__":
    main()
