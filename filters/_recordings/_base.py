"""What recordings of all kinds share, and how files are read and written."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from ..timeseries._files import replace_file


class RecordingError(ValueError):
    """A file, or what is asked of it, is not as it must be; the message is one line."""


class Recording(ABC):
    """Columns (channels) of numbers by name, and the way back into a file of the same kind.

    Attributes
    ----------
    path : Path
    names : list of str
        Of all columns.
    marks : set of str
        The columns that hold no signal: time and row number.
    rate : float or None
        Samples a second, where known.
    n_samples : int
    note : str
        What the user should know about the time, or nothing.
    """

    path: Path
    names: list[str]
    marks: frozenset[str] = frozenset()
    rate: float | None = None
    n_samples: int
    note: str = ""

    @abstractmethod
    def column(self, name: str) -> np.ndarray:
        """The numbers of one column, or RecordingError with the place of the first bad one."""

    @abstractmethod
    def replace(self, name: str, values: np.ndarray) -> int:
        """Put `values` into a column in its own dtype; return how many had to be clipped."""

    @abstractmethod
    def dtype(self, name: str) -> str:
        """The dtype of one column, as a word."""

    @abstractmethod
    def write(self, file: IO[bytes]) -> None:
        """Write everything to an open file."""

    def find(self, wanted: str) -> str | None:
        """The column of this name or, failing that, number (from 0); None if there is none."""
        if wanted in self.names:
            return wanted
        if wanted.isdecimal() and int(wanted) < len(self.names):
            return self.names[int(wanted)]
        return None


def refuse_place(path: Path, *, force: bool) -> None:
    """Raise RecordingError where `write_file` could not, or should not, put a file."""
    if path.is_dir():
        raise RecordingError(f"{path} is a folder; name a file")
    if path.exists() and not path.is_file():
        raise RecordingError(f"{path} is a device or a pipe; name a file")
    if path.exists() and not force:
        raise RecordingError(f"{path} exists; --force replaces it")
    if not path.parent.is_dir():
        raise RecordingError(f"there is no folder {path.parent} to write {path.name} to")
    if not os.access(path.parent, os.W_OK):
        raise RecordingError(f"the folder {path.parent} cannot be written to")


def write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file in one step, so that nobody ever finds half of one.

    Parameters
    ----------
    path : Path
    write : callable
        Called with the open temporary file.

    Raises
    ------
    RecordingError
        If it cannot be written; there is then no file, or the one there was before.
    """
    try:
        replace_file(path, write)
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error.strerror or error}") from None


def read_bytes(path: Path) -> bytes:
    """The content of a file, or RecordingError with the reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror or error}") from None
