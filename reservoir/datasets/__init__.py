"""Benchmark sequences: seeded generators and small recorded data that ship with the package."""

from filters.signals import mains_hum

from ._generators import LORENZ_LYAPUNOV_EXPONENT, lorenz, mackey_glass, mso, narma
from ._loaders import (
    ECG_SAMPLING_RATE,
    JapaneseVowels,
    load_ecg,
    load_japanese_vowels,
    load_sunspots,
)

__all__ = [
    "ECG_SAMPLING_RATE",
    "LORENZ_LYAPUNOV_EXPONENT",
    "JapaneseVowels",
    "load_ecg",
    "load_japanese_vowels",
    "load_sunspots",
    "lorenz",
    "mackey_glass",
    "mains_hum",
    "mso",
    "narma",
]
