"""Another distribution on the package index installs a top-level ``filters`` too."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path


def require_our_filters() -> None:
    """Raise one clear ImportError if the ``filters`` that Python finds is not ours.

    Ours lies beside this package, carries ``filters/timeseries`` and needs no other mark: an
    editable install, a wheel and a checkout all keep the two packages together.
    """
    spec = importlib.util.find_spec("filters")
    found = Path(spec.origin) if spec is not None and spec.origin else None
    if found is not None and found.name == "__init__.py":
        found = found.parent
        if (found / "timeseries" / "_sequences.py").is_file():
            return
    if found is None:
        raise ImportError(
            "reservoir needs the package `filters` of the distribution reservoir-filters, and it "
            "is missing. Reinstall: pip install --force-reinstall reservoir-filters"
        )
    owners = metadata.packages_distributions().get("filters", [])
    others = [name for name in dict.fromkeys(owners) if name != "reservoir-filters"]
    owner = f"the distribution {', '.join(others)}" if others else "no installed distribution"
    remedy = f"pip uninstall {' '.join(others)}, then " if others else f"move {found} away, then "
    raise ImportError(
        f"`import filters` finds {found}, which belongs to {owner}, not to reservoir-filters: both "
        f"install a package of that name. To mend it: {remedy}"
        "pip install --force-reinstall --no-deps reservoir-filters"
    )
