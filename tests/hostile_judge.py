"""The judge of what a call makes of a hostile value.

A call with a hostile value either works (a finite answer) or raises one of our documented errors
from a `raise` statement of our own or from scikit-learn's validation, in words that name what was
wrong. It never changes what it was given, never lets a kernel or NumPy speak for it, and takes
neither all the time nor all the memory there is.
"""

import ast
import contextlib
import functools
import linecache
import pickle
import re
import signal
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator

import filters
import reservoir

OURS = tuple(str(Path(package.__file__).parent) for package in (filters, reservoir))
# What errors of numbers too large say, whichever argument brought them.
ALWAYS = ("diverged", "the fitted parameters", "answers", "too large", "y_true is")
# Memory too, where our own words say what was too large.
ALLOWED = (ValueError, TypeError, AttributeError, NotImplementedError, OSError, MemoryError)
MOST_SECONDS = 60  # of computing for one call; compiling a kernel takes up to 20
MOST_BYTES = 4 << 30  # more than the process has when the calls begin


class TookTooLong(BaseException):
    """Not an Exception, which a library may catch."""


@contextlib.contextmanager
def at_most(seconds):
    """End the block by `TookTooLong` after so many seconds of computing, or 20 times that asleep.

    Not by the clock on the wall, for the machine may be busy. A kernel is heard out first. Nothing
    is done where there are no such clocks.
    """

    def ring(signum, frame):
        raise TookTooLong

    if not hasattr(signal, "setitimer"):
        yield
        return
    clocks = [(signal.ITIMER_PROF, signal.SIGPROF, 1), (signal.ITIMER_REAL, signal.SIGALRM, 20)]
    before = {number: signal.signal(number, ring) for _, number, _ in clocks}
    for clock, _, times in clocks:
        signal.setitimer(clock, times * seconds)
    try:
        yield
    finally:
        for clock, number, _ in clocks:
            signal.setitimer(clock, 0)
            signal.signal(number, before[number])


@contextlib.contextmanager
def within_memory(n_bytes=MOST_BYTES):
    """Let the block raise a MemoryError before it takes `n_bytes` more; only where there is /proc.

    An allocation beyond the limit fails at once, so that a call which asks for everything is a
    fault of that call and not the end of the process.
    """
    status = Path("/proc/self/statm")
    if not status.exists():
        yield
        return
    import resource

    used = int(status.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + n_bytes if hard == resource.RLIM_INFINITY else min(used + n_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def snapshot(value):
    """Something that differs as soon as `value` was changed."""
    if isinstance(value, np.ma.MaskedArray):
        return np.ma.getmaskarray(value).tobytes(), snapshot(np.asarray(value.data))
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype, value.shape, value.strides, value.tobytes()
    if isinstance(value, pd.DataFrame | pd.Series):
        types = value.dtypes if isinstance(value, pd.DataFrame) else [value.dtype]
        return list(types), repr(value.index), value.astype(object).to_numpy().tolist().__repr__()
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return value.dtype, repr(value.tolist())
    if isinstance(value, dict):
        return {key: snapshot(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [snapshot(part) for part in value]
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return type(value)  # drawing from it is what it is given for
    if isinstance(value, BaseEstimator):
        return repr(sorted(vars(value))), repr(value)
    try:
        return pickle.dumps(value)
    except Exception:
        return type(value)


def not_finite(value, infinite, depth=0):
    """Whether some number in an answer is NaN, or infinite where that is not allowed."""
    if value is None or isinstance(value, str | bytes | bool | int) or depth > 4:
        return False
    if isinstance(value, float | complex | np.number):
        return bool(np.isnan(value) if infinite else not np.isfinite(value))
    if sparse.issparse(value):
        value = value.data
    if isinstance(value, pd.DataFrame | pd.Series):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fc":
            return bool((np.isnan(value) if infinite else ~np.isfinite(value)).any())
        value = value.ravel().tolist() if value.dtype == object else ()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, BaseEstimator):
        value = [v for k, v in vars(value).items() if k.endswith("_")]
    if isinstance(value, list | tuple):
        return any(not_finite(part, infinite, depth + 1) for part in value)
    return False


@functools.cache
def raising_lines(path):
    tree = ast.parse(Path(path).read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def speaker(error):
    """Who raised: "ours", "sklearn", or the place of something that should not speak."""
    if type(error).__module__.startswith("filters."):  # a worker's error is raised by joblib
        return "ours"
    last = error.__traceback__  # not by `inspect`, which looks through all modules: 4 ms a call
    while last.tb_next is not None:
        last = last.tb_next
    file, line = last.tb_frame.f_code.co_filename, last.tb_lineno
    if "/sklearn/" in file:
        return "sklearn"
    is_ours = file.startswith(OURS) and "/kernels/" not in file
    if is_ours and line in raising_lines(file):
        return "ours"
    return f"{file}:{line} {linecache.getline(file, line).strip()}"


def verdict(call, given, words, finite=True, refused=False):
    """What is wrong with `call`, a function without arguments; an empty text if nothing.

    Parameters
    ----------
    given : list
        What the call was given, which it must leave as it is.
    words : set of str
        One of them is in the message of an error.
    finite : bool
        Whether an answer must be finite; else it may be infinite, but not NaN.
    refused : bool
        Whether there must be an error.
    """
    before = snapshot(given)
    try:
        with warnings.catch_warnings(record=True) as heard, at_most(MOST_SECONDS):
            warnings.simplefilter("always")
            answer = call()
    except TookTooLong:
        return f"took more than {MOST_SECONDS} s"
    except ALLOWED as error:
        who, text = speaker(error), str(error)
        if who not in ("ours", "sklearn"):
            return f"{type(error).__name__} {text[:120]!r} from {who}"
        named = any(re.search(rf"\b{word}", text) for word in (*words, *ALWAYS))
        if len(text) < 20 or not named:
            return f"{who}: {type(error).__name__} says only {text[:160]!r}"
    except Exception as error:
        return f"{type(error).__name__} {str(error)[:120]!r} from {speaker(error)}"
    else:
        if refused:
            return f"took what its constraints do not allow: {str(answer)[:80]}"
        if not_finite(answer, not finite):
            return f"a silent answer that is not finite: {str(answer)[:80]}"
        for warning in heard:
            if "encountered" in str(warning.message):
                return f"warns of {warning.message} at {warning.filename}:{warning.lineno}"
    if snapshot(given) != before:
        return "changed what it was given"
    return ""
