"""Before anything is imported: a private kernel cache, one BLAS thread a worker, all checks on."""

import os
import signal
import tempfile

# The disk cache does not see edits of a kernels file that another one calls; tests compile afresh.
os.environ.setdefault("NUMBA_CACHE_DIR", tempfile.mkdtemp(prefix="kernels-"))
# Workers of pytest-xdist share the cores: BLAS threads on top of them cost 10x on small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# scikit-learn skips its array-API checks without this.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# What a shell starts in the background ignores Ctrl-C, and so does all that it starts: the tests of
# Ctrl-C are then about nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from numba.core.caching import IndexDataCacheFile

# Two processes that save different signatures of one kernel at the same moment may choose the same
# name for both: one of them then finds the other's machine code under its own signature. Names with
# the process in them cannot clash.
_plain_name = IndexDataCacheFile._data_name
IndexDataCacheFile._data_name = lambda self, number: _plain_name(self, number * 10**8 + os.getpid())
