"""Before anything is imported: a private kernel cache, and scikit-learn's array-API checks on."""

import os
import tempfile

# The disk cache does not see edits of a kernels file that another one calls; tests compile afresh.
os.environ.setdefault("NUMBA_CACHE_DIR", tempfile.mkdtemp(prefix="kernels-"))
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
