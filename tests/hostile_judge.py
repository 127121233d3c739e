"""The judge of what a call makes of a hostile value.

A call with a hostile value either works (a finite answer) or raises one of our documented errors
from a `raise` statement of our own or from scikit-learn's validation, in words that name what was
wrong. It never changes what it was given and never lets a kernel or NumPy speak for it.
"""

import ast
import functools
import inspect
import pickle
import re
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
ALLOWED = (ValueError, TypeError, AttributeError, NotImplementedError)


def snapshot(value):
    """Something that differs as soon as `value` was changed."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype, value.shape, value.strides, value.tobytes()
    if isinstance(value, pd.DataFrame | pd.Series):
        types = value.dtypes if isinstance(value, pd.DataFrame) else [value.dtype]
        return list(types), repr(value.index), value.astype(object).to_numpy().tolist().__repr__()
    if isinstance(value, dict):
        return {key: snapshot(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [snapshot(part) for part in value]
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
    frame = inspect.getinnerframes(error.__traceback__)[-1]
    if "/sklearn/" in frame.filename:
        return "sklearn"
    is_ours = frame.filename.startswith(OURS) and "/kernels/" not in frame.filename
    if is_ours and frame.lineno in raising_lines(frame.filename):
        return "ours"
    return f"{frame.filename}:{frame.lineno} {(frame.code_context or [''])[0].strip()}"


def verdict(call, given, words, finite=True):
    """What is wrong with `call`, a function without arguments; an empty text if nothing.

    Parameters
    ----------
    given : list
        What the call was given, which it must leave as it is.
    words : set of str
        One of them is in the message of an error.
    finite : bool
        Whether an answer must be finite; else it may be infinite, but not NaN.
    """
    before = snapshot(given)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            answer = call()
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
        if not_finite(answer, not finite):
            return f"a silent answer that is not finite: {str(answer)[:80]}"
        for warning in heard:
            if "encountered" in str(warning.message):
                return f"warns of {warning.message} at {warning.filename}:{warning.lineno}"
    if snapshot(given) != before:
        return "changed what it was given"
    return ""
