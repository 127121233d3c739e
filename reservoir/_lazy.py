"""Names of a package that are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def importer(
    package: str, homes: Mapping[str, Collection[str]], rooms: Collection[str] = ()
) -> Callable[[str], Any]:
    """Make the module-level ``__getattr__`` of `package`.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : dict
        Submodule to the names that it defines.
    rooms : collection of str
        Public submodules and subpackages, found as attributes without an import of their own.
    """
    where = {name: home for home, names in homes.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name in rooms:
            return import_module(f"{package}.{name}")
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
