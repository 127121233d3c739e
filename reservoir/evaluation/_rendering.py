"""What every report has: how it was made, its templates, the ways numbers are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from ._against import changes, count_changes, say_changes
from ._machine import machine, versions
from ._results import ResultStore


@dataclass
class Run:
    """What the report says about how it was made.

    Attributes
    ----------
    command : str
    absent : list of str
        Peers that were asked for and are not installed.
    before : DataFrame or None
        Rows of the earlier run to be compared with.
    against : str
        Where they were read.
    """

    command: str
    absent: list[str]
    before: pd.DataFrame | None = None
    against: str = ""


def circumstances(
    store: ResultStore, run: Run, frame: pd.DataFrame, peers: Sequence[str] = ()
) -> dict[str, Any]:
    """What every report says about its run; writes ``against.csv`` where there was an earlier one.

    Parameters
    ----------
    store : ResultStore
    run : Run
    frame : DataFrame
        All rows.
    peers : sequence of str, default=()
        Packages whose versions count, too.
    """
    changed = None if run.before is None else changes(run.before, frame)
    if changed is not None:
        store.write_text("against.csv", changed.to_csv(index=False))
    return {
        "changes": [] if changed is None else say_changes(changed),
        "changed": None if changed is None else count_changes(changed),
        "against": run.against,
        "command": run.command,
        "machine": machine(),
        "versions": versions(peers),
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def environment() -> jinja2.Environment:
    """Templates and the ways a number is written in them."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("reservoir.evaluation"),
        autoescape=lambda name: name is not None and name.endswith("html.jinja"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"seconds": _seconds, "count": _count, "params": _params}
    return found


def _seconds(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return "< 0.001" if value < 1e-3 else f"{value:.2g}" if value < 9.95 else f"{value:.0f}"


def _count(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "-"


def _params(text: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(text).items()) or "-"
