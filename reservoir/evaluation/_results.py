"""The rows of a comparison on disk: written as soon as finished, read again to go on."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from filters.timeseries._files import replace_file

from ._kinds import Arrays
from ._lock import FolderLock
from ._protocol import Choice
from ._specs import MODELS, TASKS, Model, Task, UsageError

COLUMNS = {
    "task": str,
    "model": str,
    "family": str,
    "seed": int,
    "metric": str,
    "value": float,
    "greater_is_better": bool,
    "fit_seconds": float,
    "predict_seconds": float,
    "search_seconds": float,
    "n_parameters": float,
    "params": str,
    "status": str,
    "note": str,
    "version": str,
    "quick": bool,
    "config": str,
}
PUBLISHED = "published"  # the family of rows that repeat a published figure
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
Key = tuple[str, str, int]


class OutputError(OSError):
    """The results can no longer be written; what was written stands."""


def fingerprint(content: list[Any]) -> str:
    """Short hash of what a row depends on."""
    text = json.dumps(content, default=lambda value: type(value).__name__)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def configuration(task: Task, model: Model, version: str, quick: bool) -> str:
    """Short hash of everything a row depends on besides its seed."""
    content = [version, quick, task.kind, task.protocol, task.washout, task.folds]
    content += [task.validation_rows, task.metric.formula, model.grid(task, quick)]
    return fingerprint(content)


class Catalogue:
    """What rows may be about: here the registered tasks and models.

    Parameters
    ----------
    version : str
    quick : bool
    """

    other_family = PUBLISHED  # rows that never belong here

    def __init__(self, version: str, quick: bool) -> None:
        self.version, self.quick = version, quick

    def facts(self, task: str, model: str) -> dict[str, Any] | None:
        """The columns that follow from the two names; None where one of them is unknown."""
        if task not in TASKS or model not in MODELS:
            return None
        about, who = TASKS[task], MODELS[model]
        return {
            "family": who.family,
            "metric": about.metric.name,
            "greater_is_better": about.metric.greater_is_better,
            "version": self.version,
            "quick": self.quick,
            "config": configuration(about, who, self.version, self.quick),
        }

    def names(self) -> tuple[list[str], list[str]]:
        """Tasks and models in the order of their rows."""
        return list(TASKS), list(MODELS)


class ResultStore:
    """``results.csv`` and ``predictions/`` of one folder.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    catalogue : Catalogue

    Raises
    ------
    UsageError
        If the folder cannot be made or written to, or holds rows of another configuration.
    OutputError
        If the disk is full or read-only.
    """

    def __init__(self, folder: str | os.PathLike[str], catalogue: Catalogue) -> None:
        self.folder = Path(folder)
        self._catalogue = catalogue
        self._predictions = self.folder / "predictions"
        self._prepare()
        self._rows: dict[Key, dict[str, Any]] = {}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder, and know the rows that are in it."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(FolderLock(self.folder))
            except OSError as error:
                self._refuse(error)
                raise UsageError(
                    f"cannot write to the folder {str(self.folder)!r}: {error.strerror}"
                ) from None
            for left in self.folder.rglob(".*.part"):  # of a run that was killed while writing
                left.unlink(missing_ok=True)
            self._rows = self._read()
            yield

    def finished(self, task: str, model: str, seed: int) -> bool:
        """Whether there is a row that need not be run again: anything but a failed one."""
        row = self._rows.get((task, model, seed))
        return row is not None and row["status"] != "failed"

    def choice(self, task: str, model: str) -> Choice | None:
        """Hyper-parameters an earlier row of the pair was run with, and what finding them took."""
        for (row_task, row_model, _), row in self._rows.items():
            if (row_task, row_model, row["status"]) == (task, model, "ok"):
                return Choice(json.loads(row["params"]), row["search_seconds"])
        return None

    def add(self, rows: Iterable[Mapping[str, Any]], arrays: Arrays | None = None) -> None:
        """Take finished rows (of one pair, `arrays` being those of the first) and write them."""
        for i, row in enumerate(rows):
            facts = self._catalogue.facts(row["task"], row["model"])
            assert facts is not None, row
            key = (row["task"], row["model"], int(row["seed"]))
            if arrays and i == 0:
                self._write(self._npz(key), _packed(arrays))
            self._rows[key] = {**facts, **row}
        self._write(self.folder / "results.csv", self.frame().to_csv(index=False).encode())

    def frame(self) -> pd.DataFrame:
        """All rows, tasks and models in the order of their registries."""
        order = self._catalogue.names()

        def place(key: Key) -> tuple:
            places = [n.index(k) if k in n else len(n) for n, k in zip(order, key[:2], strict=True)]
            return (*places, *key)

        frame = pd.DataFrame(
            [self._rows[key] for key in sorted(self._rows, key=place)], columns=list(COLUMNS)
        )
        return frame.astype({name: kind for name, kind in COLUMNS.items() if kind is not str})

    def arrays(self, task: str, model: str, seed: int) -> Arrays | None:
        """What was kept for the plots, if it is there."""
        path = self._npz((task, model, seed))
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the report, whole or not at all."""
        self._write(self.folder / name, text.encode("utf-8"))
        return self.folder / name

    # ---- the disk -----------------------------------------------------------------------------

    def _npz(self, key: Key) -> Path:
        return self._predictions / "{}-{}-{}.npz".format(*key)

    def _prepare(self) -> None:
        try:
            self._predictions.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".probe"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            self._refuse(error)
            raise UsageError(
                f"cannot write to the folder {str(self.folder)!r}: {error.strerror}"
            ) from None

    def _read(self) -> dict[Key, dict[str, Any]]:
        path = self.folder / "results.csv"
        if not path.exists():
            return {}
        try:
            with open(path, encoding="utf-8", newline="") as file:
                rows = [_typed(row) for row in csv.DictReader(file)]
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                f"{str(path)!r} is not a results file of this command; choose another folder"
            ) from None
        foreign = [row for row in rows if not self._ours(row)]
        if foreign:
            row = foreign[0]
            raise UsageError(
                f"{str(path)!r} holds {len(foreign)} row(s) of another configuration (for example "
                f"{row['task']}/{row['model']}: version {row['version']}, quick={row['quick']}); "
                "choose another folder, or delete that one"
            )
        return {(row["task"], row["model"], row["seed"]): row for row in rows}

    def _ours(self, row: Mapping[str, Any]) -> bool:
        ours, facts = self._catalogue, self._catalogue.facts(row["task"], row["model"])
        if facts is None:  # registered by someone else's script: kept as it is
            known = {"version": ours.version, "quick": ours.quick}
            return row["family"] != ours.other_family and known.items() <= row.items()
        return all(row[name] == facts[name] for name in ("version", "quick", "config"))

    def _write(self, path: Path, content: bytes) -> None:
        try:
            replace_file(path, lambda file: file.write(content))
        except OSError as error:
            self._refuse(error)
            raise OutputError(
                error.errno, f"cannot write {str(path)!r}: {error.strerror}"
            ) from None

    def _refuse(self, error: OSError) -> None:
        if error.errno in _FULL:
            raise OutputError(
                error.errno, f"cannot write to {str(self.folder)!r}: {error.strerror}"
            ) from None


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    """A row of the file; float() gives back the very bits that were written."""
    read: dict[type, Callable[[str], Any]] = {
        bool: {"True": True, "False": False}.__getitem__,
        float: lambda text: float(text or "nan"),
        int: int,
        str: str,
    }
    return {name: read[kind](row[name]) for name, kind in COLUMNS.items()}


def _packed(arrays: Arrays) -> bytes:
    """An npz archive in single precision: it is for plots."""
    buffer = io.BytesIO()
    small = {
        name: values.astype(np.float32) if values.dtype == np.float64 else values
        for name, values in arrays.items()
    }
    np.savez_compressed(buffer, **small)  # type: ignore[arg-type]
    return buffer.getvalue()
