"""Optional dependencies: missing ones are named with the command that installs them."""

from __future__ import annotations

import importlib.util


def require_extra(extra: str, what: str, *modules: str) -> None:
    """Raise an ImportError unless all `modules`, which `what` needs, can be imported."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f'{what} needs {" and ".join(missing)}: pip install "reservoir-filters[{extra}]"'
        )


def require_report_extra(what: str, *modules: str) -> None:
    """`require_extra` of what draws and reports."""
    require_extra("report", what, *modules)
