"""One BLAS thread where bits must not depend on how many there are: what is drawn from a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import RLock
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library: once is enough


# The limit is the process's, and threadpoolctl lets one thread at a time set it.
_lock = RLock()


def with_one_blas_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function whose BLAS and LAPACK calls run in one thread, one call at a time.

    With more threads LAPACK's eigenvalues and QR of some hundred rows differ in their last bits,
    and so would all weights of a reservoir. Where a whole process is limited already, by
    ``threadpoolctl`` in another thread, that stays.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with _lock, thread_pools().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return run
