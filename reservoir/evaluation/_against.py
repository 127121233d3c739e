"""What changed since an earlier run: row by row, and what may be said of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ._specs import UsageError
from ._statistics import LEVEL, MIN_SEEDS, paired_p

_NEEDED = ("task", "model", "seed", "metric", "value", "greater_is_better", "fit_seconds", "config")
_SAME = 1e-9  # relative: the last bits differ from machine to machine
COLUMNS = (
    "task", "model", "metric", "before", "now", "change_percent", "n_seeds", "seconds_ratio",
    "verdict", "config_changed",
)  # fmt: skip


def read_rows(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Rows of an earlier run.

    Parameters
    ----------
    path : path
        Of its folder, or of its ``results.csv``.

    Returns
    -------
    DataFrame

    Raises
    ------
    UsageError
        If there is no such file, or it is another kind of file.
    """
    file = Path(path)
    file = file / "results.csv" if file.is_dir() else file
    foreign = UsageError(f"{str(file)!r} is not a results file of this command")
    try:
        with open(file, encoding="utf-8") as lines:  # pandas takes minutes over 10^5 equal names
            if not set(_NEEDED) <= set(lines.readline().rstrip("\n").split(",")):
                raise foreign
        return pd.read_csv(file)
    except OSError as error:
        raise UsageError(
            f"cannot read the earlier run {str(file)!r}: {error.strerror or error}"
        ) from None
    except ValueError:  # of pandas, too
        raise foreign from None


def changes(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """One row for each task and model of either run.

    Parameters
    ----------
    before, now : DataFrame
        With the columns of ``results.csv``.

    Returns
    -------
    DataFrame
        Medians over the seeds that both runs have, their relative change, and a verdict: "same",
        "better", "worse" (signed-rank test over six seeds or more, p < 0.05), "better on every
        seed", "worse on every seed" (three to five seeds, no test), "not told apart", "new",
        "gone", "no value".
    """
    keys = ["task", "model", "metric"]
    old, new = (dict(iter(frame.groupby(keys, sort=False))) for frame in (before, now))
    rows = [
        _change(key, old.get(key), new.get(key))
        for key in [*new, *(k for k in old if k not in new)]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _change(key: Any, old: pd.DataFrame | None, new: pd.DataFrame | None) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(("task", "model", "metric"), key, strict=True))
    if old is None or new is None:
        known = new if old is None else old
        assert known is not None
        values = known["value"].dropna()
        middle = float(values.median()) if len(values) else np.nan
        named = (
            {"now": middle, "verdict": "new"}
            if old is None
            else {"before": middle, "verdict": "gone"}
        )
        return {
            **dict.fromkeys(COLUMNS, np.nan),
            **row,
            **named,
            "n_seeds": len(values),
            "config_changed": False,
        }
    a, b = ({int(r.seed): float(r.value) for r in f.itertuples()} for f in (old, new))
    both = [seed for seed in sorted(set(a) & set(b)) if np.isfinite([a[seed], b[seed]]).all()]
    a, b = ({seed: values[seed] for seed in both} for values in (a, b))
    middle_a, middle_b = (float(np.median(list(v.values()))) if v else np.nan for v in (a, b))
    seconds = [
        f[f["seed"].isin(both)]["fit_seconds"].median() if both else np.nan for f in (old, new)
    ]
    change = 100 * (middle_b - middle_a) / abs(middle_a) if both and middle_a else np.nan
    return {
        **row,
        "before": middle_a,
        "now": middle_b,
        "change_percent": change,
        "n_seeds": len(both),
        "seconds_ratio": seconds[1] / seconds[0] if both and seconds[0] else np.nan,
        "verdict": verdict(a, b, bool(new["greater_is_better"].iloc[0])),
        "config_changed": set(old["config"]) != set(new["config"]),
    }


def verdict(before: Mapping[int, float], now: Mapping[int, float], greater: bool) -> str:
    """What the seeds that both runs have say about the change.

    Examples
    --------
    >>> verdict({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.9, 1: 1.8, 2: 2.9}, greater=False)
    'better on every seed'
    >>> verdict({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.9, 1: 2.2, 2: 2.9}, greater=False)
    'not told apart'
    """
    if not before:
        return "no value"
    a, b = (np.array([values[seed] for seed in sorted(before)]) for values in (before, now))
    gain = (b - a) if greater else (a - b)
    if (np.abs(gain) <= _SAME * np.maximum(np.abs(a), np.abs(b))).all():
        return "same"
    word = "better" if np.median(gain) > 0 else "worse"
    p = paired_p(before, now)
    if p is not None:
        return word if p < LEVEL else "not told apart"
    one_way = (gain > 0).all() or (gain < 0).all()
    return f"{word} on every seed" if one_way and 3 <= gain.size < MIN_SEEDS else "not told apart"


def say_changes(changed: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of the comparison with the earlier run, as text."""

    def number(value: float, spec: str = ".4g") -> str:
        return format(value, spec) if np.isfinite(value) else "-"

    return [
        {
            "task": row.task,
            "model": row.model,
            "metric": row.metric,
            "before": number(row.before),
            "now": number(row.now),
            "change": f"{row.change_percent:+.2g} %".replace("+0 %", "0 %")
            if np.isfinite(row.change_percent)
            else "-",
            "seconds": f"x {row.seconds_ratio:.2f}" if np.isfinite(row.seconds_ratio) else "-",
            "n_seeds": int(row.n_seeds),
            "verdict": row.verdict + ("; other settings" if row.config_changed else ""),
            "word": row.verdict.split()[0],
        }
        for row in changed.itertuples()
    ]


def count_changes(changed: pd.DataFrame) -> str:
    """How many rows there are of every verdict."""
    counts = changed["verdict"].value_counts()
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
