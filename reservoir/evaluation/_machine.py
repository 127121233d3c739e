"""What the figures were measured with: versions and machine, no names of either's owner."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import joblib

from .. import __version__

DISTRIBUTION = "reservoir-filters"
_BESIDES = ("numpy", "scipy", "numba", "scikit-learn", "pandas")


def package_version() -> str:
    """Version of this package."""
    return __version__


def versions(peers: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, of this package, of what its results rest on, and of other packages."""
    found = {DISTRIBUTION: package_version(), "python": platform.python_version()}
    for name in (*_BESIDES, *peers):
        with contextlib.suppress(metadata.PackageNotFoundError):  # rows of another machine
            found[name] = metadata.version(name)
    return found


def machine() -> dict[str, str]:
    """Processor model, cores and operating system."""
    return {
        "processor": _processor(),
        "cores": f"{joblib.cpu_count()} usable of {os.cpu_count()}",
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"
