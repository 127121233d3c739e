"""Benchmark sequences: seeded generators and recorded data, shipped or fetched once."""

from filters.signals import mains_hum

from ._fetched import (
    FAN_SAMPLING_RATE,
    FanAcceleration,
    SentencePolarity,
    load_fan_acceleration,
    load_sentence_polarity,
    load_tiny_shakespeare,
)
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
    "FAN_SAMPLING_RATE",
    "FanAcceleration",
    "JapaneseVowels",
    "SentencePolarity",
    "load_ecg",
    "load_fan_acceleration",
    "load_japanese_vowels",
    "load_sentence_polarity",
    "load_sunspots",
    "load_tiny_shakespeare",
    "lorenz",
    "mackey_glass",
    "mains_hum",
    "mso",
    "narma",
]
