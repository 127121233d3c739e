"""One line about every second on standard error, for fits that take longer."""

from __future__ import annotations

import sys
import time


class Progress:
    """Say how many of `total` rows are done and how long the rest may take.

    Parameters
    ----------
    name : str
        Whose work is reported.
    total : int
        Rows to come.
    verbose : int
        0 is silent, 1 a line about every second, 2 a line at every update.
    """

    def __init__(self, name: str, total: int, verbose: int) -> None:
        self._name, self._total, self._verbose = name, total, int(verbose)
        self._done = 0
        self._started = self._reported = time.monotonic()

    def update(self, n_rows: int) -> None:
        """Count rows that were done."""
        self._done += n_rows
        now = time.monotonic()
        if not self._verbose or (self._verbose == 1 and now - self._reported < 1.0):
            return
        self._reported = now
        elapsed = now - self._started
        left = elapsed / self._done * (self._total - self._done)
        sys.stderr.write(
            f"{self._name}: {self._done}/{self._total} rows, {elapsed:.1f} s, {left:.0f} s left\n"
        )
        sys.stderr.flush()
