"""Files written in one step."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file in one step, so that nobody ever finds half of one.

    A link stays, the file it names is replaced.

    Parameters
    ----------
    path : Path
    write : callable
        Called with the open temporary file, which lies beside the file.

    Raises
    ------
    OSError
        If it cannot be written; there is then no file, or the one there was before.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.part")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
