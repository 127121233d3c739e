"""One run at a time in a folder: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Self

from ._specs import UsageError

NAME = ".lock"


class FolderLock:
    """Hold the folder's lock while the context lasts.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    UsageError
        On entering, if another run holds it.

    Notes
    -----
    The lock is the system's on an open file, not the file: one left behind by a killed run blocks
    nobody.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._descriptor = -1

    def __enter__(self) -> Self:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _try_lock(descriptor):
                holder = os.read(descriptor, 20).decode(errors="replace").strip()
                os.close(descriptor)
                who = f" (process {holder})" if holder else ""
                raise UsageError(
                    f"another run{who} is writing to {str(self._path.parent)!r}; wait for it, or "
                    "choose another folder with --out"
                )
            if self._is_current(descriptor):
                break
            os.close(descriptor)  # its holder took the file away while we waited for it
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):  # a read-only folder keeps it; nobody is blocked
            self._path.unlink()
        os.close(self._descriptor)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False


try:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

except ImportError:  # Windows
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            # One byte far behind the text, so that the holder's number can still be read.
            os.lseek(descriptor, 1 << 20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
