"""The monitor of a training run: history, tolerance, progress."""

from __future__ import annotations

import sys
import time


class Monitor:
    """Keep the losses of a run, decide when it stalls, and say how far it is.

    Parameters
    ----------
    name : str
        Whose training is reported.
    max_iter : int
        Epochs planned.
    tol : float or None
        An epoch that does not beat the best loss by `tol` is one without improvement.
    n_iter_no_change : int
        The run has stalled after more than that many of them in a row; never when `tol` is None.
    verbose : int
        1: a line about every second on standard error, 2: a line an epoch.

    Attributes
    ----------
    losses, validation_losses : list of float, one an epoch
    """

    def __init__(
        self, name: str, max_iter: int, tol: float | None, n_iter_no_change: int, verbose: int
    ) -> None:
        self.name = name
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.verbose = int(verbose)
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self._best = float("inf")
        self._n_stalled = 0
        self._started = self._reported = time.monotonic()

    @property
    def stalled(self) -> bool:
        """Whether the loss stopped going down."""
        return self.tol is not None and self._n_stalled > self.n_iter_no_change

    def update(self, loss: float, validation_loss: float | None = None) -> bool:
        """Note the end of an epoch; return whether it is the best so far."""
        self.losses.append(loss)
        watched = loss
        if validation_loss is not None:
            self.validation_losses.append(validation_loss)
            watched = validation_loss
        is_enough = watched <= self._best - (self.tol or 0.0)
        self._n_stalled = 0 if is_enough else self._n_stalled + 1
        is_best = watched < self._best
        self._best = min(watched, self._best)
        self._report()
        return is_best

    def _report(self) -> None:
        now = time.monotonic()
        done = len(self.losses)
        is_last = done == self.max_iter or self.stalled
        if not self.verbose or (self.verbose == 1 and now - self._reported < 1.0 and not is_last):
            return
        self._reported = now
        elapsed = now - self._started
        text = f"{self.name}: epoch {done}/{self.max_iter}, loss {self.losses[-1]:.6g}"
        if self.validation_losses:
            text += f", validation loss {self.validation_losses[-1]:.6g}"
        text += f", {elapsed:.1f} s"
        if not is_last:
            text += f", at most {elapsed / done * (self.max_iter - done):.0f} s left"
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
