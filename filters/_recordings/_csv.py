"""Tables of text."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from ._base import Recording, RecordingError, read_bytes

_DATE = re.compile(r"\d{1,4}[-/:.]\d{1,2}[-/:.][\dT :./+Z-]*")
# Lower-case t only: a T is a temperature.
_TIME_NAME = re.compile(r"((?i:time|timestamp|date|datetime|seconds?|secs?|ms)|t)([\W_].*)?")
_MILLISECONDS = re.compile(r"(.*[\W_])?(ms|milliseconds)([\W_].*)?", re.I)
_INDEX_NAME = re.compile(r"index|samples?|rows?|n|no\.?|#|", re.I)
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")


class CsvRecording(Recording):
    """A table of text; columns that are not replaced are written as they were read."""

    def __init__(
        self,
        path: Path,
        *,
        header: bool | None = None,
        time: str | None = None,
        rate: float | None = None,
    ) -> None:
        self.path = path
        table = self._parse(read_bytes(path))
        self._header: list[str] | None = None
        if _has_header(table) if header is None else header:
            self._header = [str(name) for name in table.iloc[0]]
            table = table.iloc[1:]
        self.names = _unique(self._header or [""] * table.shape[1])
        self.n_samples = len(table)
        if not self.n_samples:
            raise RecordingError(f"{path} has no rows below its header")
        self._columns = [table[k].to_numpy(dtype=object) for k in table.columns]
        moment = self._find_time(time)
        self.marks = frozenset([*self._row_numbers(), *([] if moment is None else [moment])])
        if moment is not None:
            self.rate = self._rate(moment)
        self.rate = self.rate if rate is None else rate

    def _parse(self, content: bytes) -> pd.DataFrame:
        try:
            self._encoding, text = "utf-8", content.decode("utf-8")
        except UnicodeDecodeError:
            self._encoding, text = "latin-1", content.decode("latin-1")  # takes anything
        self._bom = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix("\ufeff").rstrip("\r\n")
        if re.search(r"[\x00-\x08\x0e-\x1f]", text):
            raise RecordingError(f"{self.path} is not a CSV file: it is no text")
        if not text.strip():
            raise RecordingError(f"{self.path} is empty")
        line = text.partition("\n")[0]
        self._newline = "\r\n" if line.endswith("\r") else "\n"
        self._separator = next((s for s in ";\t," if s in line), ",")
        try:
            table = pd.read_csv(
                io.StringIO(text),
                sep=self._separator,
                header=None,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
            )
        except ValueError as error:  # pandas' ParserError is one
            reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
            raise RecordingError(f"{self.path} is not a CSV file: {reason}") from None
        return table.fillna("")

    def _find_time(self, wanted: str | None) -> str | None:
        if wanted is not None:
            found = self.find(wanted)
            if found is None:
                raise RecordingError(f"--time {wanted!r} is not a column of {self.path}")
            return found
        if self._header:
            return next((name for name in self.names if _TIME_NAME.fullmatch(name)), None)
        first = self._columns[0]
        if len(self.names) > 1 and self.n_samples > 2:
            steps = np.diff(_numbers(first))
            # A written time is rounded, so its steps are only about equal.
            even = steps.mean() > 0 and (abs(steps / steps.mean() - 1.0) <= 0.5).all()
            if even or _DATE.fullmatch(first[0]):
                return self.names[0]
        return None

    def _row_numbers(self) -> list[str]:
        """The first column, if it only counts the rows."""
        if self._header is None or not _INDEX_NAME.fullmatch(self._header[0]):
            return []
        steps = np.diff(_numbers(self._columns[0]))
        return [self.names[0]] if steps.size and (steps == 1).all() else []

    def _rate(self, moment: str) -> float | None:
        """Rows a second, from first to last: single steps are rounded to what is written."""
        text = self._columns[self.names.index(moment)]
        values = _numbers(text)
        if _MILLISECONDS.fullmatch(moment):
            values = values / 1e3
        if not np.isfinite(values).all():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on formats that differ from row to row
                try:
                    dates = pd.to_datetime(pd.Series(text), utc=True)
                except (ValueError, OverflowError):
                    self.note = f"column {moment!r} is no time throughout, so the rate is unknown"
                    return None
            values = (dates - dates.iloc[0]).dt.total_seconds().to_numpy()
        steps = np.diff(values)
        if not steps.size or not steps.mean() > 0:
            return None
        if steps.min() <= 0 or steps.max() > 1.5 * np.median(steps):
            self.note = (
                f"the steps of {moment!r} go from {steps.min():g} to {steps.max():g} s; rows are "
                "taken as evenly spaced"
            )
        return float(f"{1 / steps.mean():.6g}")

    def column(self, name: str) -> np.ndarray:
        text = self._columns[self.names.index(name)]
        values = _numbers(text)
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            found = str(text[bad[0]]).strip()
            what = repr(found) + ", not a finite number" if found else "empty"
            line = int(bad[0]) + 1 + (self._header is not None)
            more = f"; so are {bad.size - 1} more rows" if bad.size > 1 else ""
            raise RecordingError(f"{self.path}: column {name!r}, line {line} is {what}{more}")
        return values

    def dtype(self, name: str) -> str:
        text = self._columns[self.names.index(name)]
        return "int64" if all(_INTEGER.fullmatch(field) for field in text) else "float64"

    def replace(self, name: str, values: np.ndarray) -> int:
        if self.dtype(name) == "int64":
            values = np.rint(values).astype(np.int64)
        self._columns[self.names.index(name)] = np.array([repr(v) for v in values.tolist()], object)
        return 0

    def write(self, file: IO[bytes]) -> None:
        text = pd.DataFrame(dict(enumerate(self._columns))).to_csv(
            sep=self._separator,
            index=False,
            header=self._header or False,
            lineterminator=self._newline,
        )
        file.write((self._bom + text).encode(self._encoding))


def _numbers(text: np.ndarray) -> np.ndarray:
    return pd.to_numeric(pd.Series(text), errors="coerce").to_numpy(dtype=np.float64)


def _unique(header: list[str]) -> list[str]:
    """A name for every column; where the header gives none, or one twice, its number."""
    names: list[str] = []
    taken: set[str] = set()  # a table may have 100 000 columns
    for k, name in enumerate(header):
        name = name.strip()
        names.append(name if name and name not in taken else str(k))
        taken.add(names[-1])
    return names


def _is_value(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return _DATE.fullmatch(field.strip()) is not None
    return True


def _has_header(table: pd.DataFrame) -> bool:
    """Whether some column has a word in its first row and a value (or nothing) in its second."""
    first: Sequence[str] = list(table.iloc[0])
    second: Sequence[str] = list(table.iloc[1]) if len(table) > 1 else [""] * len(first)
    return any(
        a.strip() and not _is_value(a) and (not b.strip() or _is_value(b))
        for a, b in zip(first, second, strict=True)
    )
