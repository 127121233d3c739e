"""The one place that knows which file is of which kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ._base import Recording
from ._csv import CsvRecording
from ._wav import WavRecording


def read_recording(path: str | Path, **options: Any) -> Recording:
    """Read a recording; the suffix says of which kind it is.

    Parameters
    ----------
    path : str or Path
        ``.wav``, or else a table of text.
    **options
        ``header``, ``time`` and ``rate`` of a table; None where the file itself should tell.

    Returns
    -------
    Recording

    Raises
    ------
    RecordingError
        For a file that is missing, unreadable, broken or empty.
    """
    path = Path(path)
    return WavRecording(path) if is_wav(path) else CsvRecording(path, **options)


def is_wav(path: Path) -> bool:
    """Whether a path names sound rather than a table."""
    return path.suffix.lower() in (".wav", ".wave")
