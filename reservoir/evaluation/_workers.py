"""Where jobs run: in this process, or side by side in others."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

_LOOK_FOR_PARENT = 1.0  # seconds between two looks
_ON_ITS_WAY = 30.0  # seconds a job may take to reach its process before `stop` goes on regardless


def start_workers(n_jobs: int) -> InProcess | OtherProcesses:
    """Workers for `n_jobs` jobs side by side; one needs no other process."""
    return InProcess() if n_jobs == 1 else OtherProcesses(n_jobs)


class InProcess:
    """Runs each job when it is submitted."""

    def submit(self, function: Callable[..., Any], *args: Any) -> Future:
        """Run the job and return its future, which is done."""
        future: Future = Future()
        with noticed_interrupt(at_once=True):
            future.set_result(function(*args))
        return future

    def stop(self) -> None:
        """Do nothing: no job outlives its call."""


class OtherProcesses:
    """Runs jobs in processes of their own, which leave Ctrl-C to this one.

    Parameters
    ----------
    n_jobs : int
    """

    def __init__(self, n_jobs: int) -> None:
        self._n_jobs = n_jobs
        self._executor = self._start()
        self._submitted: list[Future] = []

    def _start(self) -> ProcessPoolExecutor:
        # loky pickles by value what a script or notebook defines, and needs no __main__ guard.
        return ProcessPoolExecutor(
            self._n_jobs, initializer=_prepare_worker, initargs=(os.getpid(),)
        )

    def submit(self, function: Callable[..., Any], *args: Any) -> Future:
        """Queue the job, in new processes if one of the old ones died."""
        with noticed_interrupt(at_once=False), _deaf_children():  # here processes are started
            try:
                future = self._executor.submit(function, *args)
            except BrokenExecutor:
                self._executor = self._start()
                future = self._executor.submit(function, *args)
        self._submitted = [future, *(one for one in self._submitted if not one.done())]
        return future

    def stop(self) -> None:
        """End the processes, whatever they are doing; another Ctrl-C waits until they are gone."""
        with noticed_interrupt(at_once=False):
            self._stop()

    def _stop(self) -> None:
        # loky's manager thread dies with a traceback if a job is still on its way to a process when
        # the processes are killed; it gets there in milliseconds.
        deadline = monotonic() + _ON_ITS_WAY
        while monotonic() < deadline and not all(f.running() or f.done() for f in self._submitted):
            sleep(0.001)
        self._executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def noticed_interrupt(at_once: bool) -> Iterator[None]:
    """Raise KeyboardInterrupt on leaving if Ctrl-C came inside.

    Parameters
    ----------
    at_once : bool
        Whether it is also raised inside, when it comes. Gradient training answers it by keeping its
        best weights so far: a row made of them must not count as finished. Otherwise what is
        inside comes to its end first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = threading.Event()

    def notice(signal_number: int, frame: Any) -> None:
        came.set()
        if at_once:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came.is_set():
        raise KeyboardInterrupt


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Block Ctrl-C, for good in the processes started inside: they inherit it.

    A process still importing has not come to `_prepare_worker`, and would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker  # not for Windows

    resource_tracker.ensure_running()  # now: when it starts it lets held signals go
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and do not outlive it when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        sleep(_LOOK_FOR_PARENT)
    os._exit(1)  # nobody is left to take the answer
