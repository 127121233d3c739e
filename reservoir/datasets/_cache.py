"""Recorded data too large to ship: found in a cache, or fetched once from a pinned address."""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "RESERVOIR_DATA"


@dataclass(frozen=True)
class PinnedFile:
    """A file of the web that must not change.

    Parameters
    ----------
    path : str
        Where it stands in the cache folder; a name that ends in ".gz" holds it compressed, and a
        file of the same name without ".gz" is taken as well.
    url : str
        Where it is fetched from, uncompressed.
    sha256 : str
        Of the uncompressed content.
    """

    path: str
    url: str
    sha256: str

    def read(self) -> bytes:
        """Content of the file, from the cache or else from the web.

        Raises
        ------
        FileNotFoundError
            If it is in no cache and cannot be fetched.
        ValueError
            If what was found or fetched is not the pinned content.
        """
        from sklearn.datasets import fetch_file  # 20 ms that shipped data do not need

        folder = cache_folder()
        plain = self.path.removesuffix(".gz")
        try:
            for name in dict.fromkeys((self.path, plain)):
                if (folder / name).is_file():
                    return self._checked(folder / name)
        except OSError as problem:  # may not be read, or its name is too long
            raise FileNotFoundError(
                f"{plain} cannot be read in {folder} ({problem.strerror}). Let the environment "
                f"variable {CACHE_VARIABLE} name another folder."
            ) from problem
        target = folder / plain
        try:
            fetched = fetch_file(
                self.url,
                folder=target.parent,
                local_filename=target.name,
                sha256=self.sha256,
                n_retries=1,
            )
        except OSError as problem:  # no network, no address, no room, a changed file
            raise FileNotFoundError(
                f"{plain} is not in {folder} and could not be fetched from {self.url} ({problem}). "
                f"Fetch it elsewhere and put it there, or let the environment variable "
                f"{CACHE_VARIABLE} name the folder it is in."
            ) from problem
        return self._checked(Path(fetched))

    def _checked(self, file: Path) -> bytes:
        content = file.read_bytes()
        try:
            if file.suffix == ".gz":
                content = gzip.decompress(content)
        except (OSError, EOFError):
            content = b""
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(
                f"Data file {file} is damaged or another edition: its SHA-256 is not the pinned "
                f"{self.sha256[:16]}... Delete it, and it is fetched again."
            )
        return content


def cache_folder() -> Path:
    """Folder of the fetched files: what RESERVOIR_DATA says, or one in scikit-learn's data home."""
    from sklearn.datasets import get_data_home

    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(get_data_home()) / "reservoir-filters"
