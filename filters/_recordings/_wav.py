"""Sound."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from scipy.io import wavfile

from ._base import Recording, RecordingError, read_bytes

_WAV_DTYPES = ("int16", "int32", "float32", "float64")


class WavRecording(Recording):
    """Sound; channels are named by their numbers. Integers are taken as fractions of full scale."""

    def __init__(self, path: Path) -> None:
        self.path = path
        content = io.BytesIO(read_bytes(path))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                rate, samples = wavfile.read(content)
            except Exception as error:  # the reader fails in as many ways as a file can be broken
                raise RecordingError(f"{path} is not a readable WAV file: {error}") from None
        if any("EOF" in str(warning.message) for warning in said):
            raise RecordingError(f"{path} is cut off: it ends before its header says")
        if samples.dtype.name not in _WAV_DTYPES:
            raise RecordingError(
                f"{path} holds {samples.dtype.name} samples; convert it to int16, int32 or float32"
            )
        if not samples.size:
            raise RecordingError(f"{path} holds no samples")
        self._hertz, self.rate = rate, float(rate)
        self._samples = samples.reshape(samples.shape[0], -1).copy()
        self.n_samples = self._samples.shape[0]
        self.names = [str(k) for k in range(self._samples.shape[1])]

    def _full_scale(self) -> float:
        kind = self._samples.dtype
        return -float(np.iinfo(kind).min) if kind.kind == "i" else 1.0

    def column(self, name: str) -> np.ndarray:
        values = self._samples[:, int(name)].astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise RecordingError(
                f"{self.path}: channel {name}, sample {bad[0]} is {values[bad[0]]} "
                f"({bad.size} such sample(s))"
            )
        return values / self._full_scale()

    def dtype(self, name: str) -> str:
        return self._samples.dtype.name

    def replace(self, name: str, values: np.ndarray) -> int:
        kind = self._samples.dtype
        n_clipped = 0
        if kind.kind == "i":
            values = np.rint(values * self._full_scale())
            low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
            n_clipped = int(np.sum((values < low) | (values > high)))
            values = np.clip(values, low, high)
        self._samples[:, int(name)] = values.astype(kind)
        return n_clipped

    def write(self, file: IO[bytes]) -> None:
        wavfile.write(file, self._hertz, self._samples)
