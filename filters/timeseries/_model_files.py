"""Models in files of arrays and JSON, which are read without executing anything.

The format is that of skops (skops.readthedocs.io): a zip archive with one JSON document and the
arrays as ``.npy`` members. We add a member that says which versions wrote it.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import os
import platform
import zipfile
import zlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ._extras import require_extra
from ._files import replace_file

FORMAT = 1
HEADER = "reservoir-filters.json"
_WRITERS = ("reservoir-filters", "skops", "scikit-learn", "numpy", "scipy", "pandas")
# Plain data of NumPy and SciPy that skops leaves to its callers to trust.
_PLAIN = {"numpy.dtype", *(f"scipy.sparse._{k}.{k}_array" for k in ("csr", "csc", "coo", "bsr"))}
# What reading a damaged archive raises.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
# Rooms of ours that run things, read files or fetch data: nothing of them belongs into a model.
_CLOSED = {"evaluation", "datasets", "displays", "kernels", "_recordings", "_denoise", "__main__"}


def save_model(model: Any, path: str | os.PathLike[str]) -> None:
    """Save an estimator, fitted or not, in one file of arrays and JSON.

    Everything goes with it: parameters, weights, the states of training, so that `partial_fit`,
    `forecast` and `stream` go on from there, to the bit. Pipelines and searches of scikit-learn
    around our estimators are kept too.

    Parameters
    ----------
    model : estimator
        Any of `filters`, `reservoir` or scikit-learn, or a pipeline of them.
    path : str or path-like
        The file; one that is there is replaced, in one step.

    Raises
    ------
    ImportError
        Without the extra ``files``.
    TypeError
        If `model` is no estimator, or holds something that is neither data nor importable, a
        lambda for instance.
    OSError
        If the file cannot be written; there is then no file, or the one there was before.

    Examples
    --------
    >>> import os, tempfile
    >>> from filters import NLMSFilter
    >>> model = NLMSFilter(n_taps=2).fit([[1.0], [2.0]], [1.0, 2.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, os.path.join(folder, "model.rf"))
    ...     load_model(os.path.join(folder, "model.rf")).coef_ == model.coef_
    array([[ True,  True]])
    """
    require_extra("files", "save_model", "skops")
    from skops.io import dumps, get_untrusted_types

    if isinstance(model, type) or not hasattr(model, "get_params"):
        raise TypeError(f"model must be an estimator, got {model!r}; a session has its `state`.")
    try:
        content = dumps(model, compression=zipfile.ZIP_DEFLATED)
        unreadable = [name for name in get_untrusted_types(data=content) if "<" in name]
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        unreadable = [str(error)]
    if unreadable:
        raise TypeError(
            f"{type(model).__name__} holds something that a file of arrays and JSON cannot: "
            f"{unreadable[0]}. Give arrays in place of objects, and functions of a module in place "
            "of lambdas."
        )
    archive = io.BytesIO(content)
    with zipfile.ZipFile(archive, "a") as members:
        members.writestr(HEADER, json.dumps({"format": FORMAT, "versions": _versions()}, indent=1))
    replace_file(Path(path), lambda file: file.write(archive.getvalue()))


def load_model(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Load what `save_model` saved; nothing in the file is executed.

    A file can only name classes of this package, NumPy, SciPy and scikit-learn and fill them with
    data. A file from a stranger can still hold a model that answers nonsense.

    Parameters
    ----------
    path : str or path-like
    trusted : sequence of str, default=()
        Full names of classes and functions of yours that the file may name too, for instance
        ``["mine.Scaler"]``; trust only what you know.

    Returns
    -------
    estimator
        As it was, with the same answers to the bit on the same versions of NumPy and SciPy.

    Raises
    ------
    ImportError
        Without the extra ``files``.
    ValueError
        If the file is no model, is damaged, is of a newer format or names what is not trusted.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> load_model("none.rf")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'none.rf'
    """
    require_extra("files", "load_model", "skops")
    from skops.io import get_untrusted_types, loads

    content = Path(path).read_bytes()
    header = _header(content, path)
    if header["format"] > FORMAT:
        raise ValueError(
            f"{str(path)!r} has format {header['format']}, this version reads up to {FORMAT}: "
            f"upgrade reservoir-filters (it was written by {header['versions']})."
        )
    try:
        named = get_untrusted_types(data=content)
        strange = [name for name in named if name not in trusted and not _is_data(name)]
        model = None if strange else loads(content, trusted=named)
    except Exception as error:  # whatever a forged or foreign document makes of the reader
        raise ValueError(
            f"{str(path)!r} cannot be read ({type(error).__name__}: {error}). It was written by "
            f"{header['versions']}; here are {_versions()}."
        ) from error
    if strange:
        raise ValueError(
            f"{str(path)!r} names {', '.join(strange)}, which is not of this package, NumPy, SciPy "
            "or scikit-learn. If you know and trust it, load it with "
            f"load_model(path, trusted={strange})."
        )
    return model


def _header(content: bytes, path: Any) -> dict[str, Any]:
    """The member that says what wrote the file, once every member is known to be whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            damaged = members.testzip()
            header = None if damaged else json.loads(members.read(HEADER))
    except KeyError:
        raise ValueError(
            f"{str(path)!r} was not written by save_model: it has no member {HEADER!r}."
        ) from None
    except _DAMAGE as error:
        raise ValueError(f"{str(path)!r} is no model file, or is cut short: {error}.") from None
    if damaged:
        raise ValueError(f"{str(path)!r} is damaged: the checksum of {damaged!r} does not match.")
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
        raise ValueError(f"{str(path)!r} is damaged: {HEADER!r} does not say which format it is.")
    return header | {"versions": header.get("versions")}


def _is_data(name: str) -> bool:
    """True of plain data, classes of ours that models are made of, and topologies."""
    if name in _PLAIN:
        return True
    rooms = name.split(".")
    if rooms[0] not in ("filters", "reservoir") or _CLOSED & set(rooms):
        return False
    try:
        thing = getattr(importlib.import_module(".".join(rooms[:-1])), rooms[-1])
    except (ImportError, AttributeError):
        return False
    own = str(thing.__module__).split(".")[0] in ("filters", "reservoir")
    return own and (inspect.isclass(thing) or "topologies" in rooms)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _WRITERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a checkout on the path, not installed
            continue
    return found
