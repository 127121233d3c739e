"""Recordings on disk: CSV tables and WAV files, read whole and written in one step."""

from ._base import Recording, RecordingError, refuse_place, write_file
from ._csv import CsvRecording
from ._open import is_wav, read_recording
from ._wav import WavRecording

__all__ = [
    "CsvRecording",
    "Recording",
    "RecordingError",
    "WavRecording",
    "is_wav",
    "read_recording",
    "refuse_place",
    "write_file",
]
