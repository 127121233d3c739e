"""Compiled kernels are kept on disk: a second process compiles nothing."""

import os
import subprocess
import sys

FIT = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from filters import NLMSFilter
from reservoir import ESNRegressor

X = np.random.default_rng(0).standard_normal((200, 1))
NLMSFilter(4).fit(X, X[:, 0]).predict(X)
ESNRegressor(10, random_state=0).fit(X[:-1], X[1:]).forecast(5)
modules = [m for name, m in sys.modules.items() if ".kernels." in name]
kernels = {f for m in modules for f in vars(m).values() if isinstance(f, Dispatcher)}
stats = [f.stats for f in kernels]
print(sum(sum(s.cache_misses.values()) for s in stats))
print(sum(sum(s.cache_hits.values()) for s in stats))
"""


def test_a_second_process_finds_every_kernel_in_the_cache(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}

    def misses_and_hits():
        done = subprocess.run(
            [sys.executable, "-c", FIT], env=environment, capture_output=True, text=True, check=True
        )
        return [int(word) for word in done.stdout.split()]

    compiled, found = misses_and_hits()
    assert compiled >= 4  # nlms, fir, drive, closed_loop at least
    assert found == 0
    compiled, found = misses_and_hits()
    assert compiled == 0
    assert found >= 4
