"""Benchmark sequences: seeded generators and recorded data, shipped or fetched once."""

from filters.signals import mains_hum

from ._channel import channel_equalization
from ._fetched import (
    FAN_SAMPLING_RATE,
    FanAcceleration,
    SentencePolarity,
    load_fan_acceleration,
    load_sentence_polarity,
    load_tiny_shakespeare,
)
from ._fields import kuramoto_sivashinsky
from ._flows import henon, lorenz96, rossler
from ._generators import LORENZ_LYAPUNOV_EXPONENT, lorenz, mackey_glass, mso, narma
from ._loaders import (
    ECG_SAMPLING_RATE,
    JapaneseVowels,
    load_ecg,
    load_japanese_vowels,
    load_sunspots,
)
from ._symbols import (
    REBER_SYMBOLS,
    SymbolStrings,
    adding_problem,
    embedded_reber,
    reber,
    temporal_order,
)

__all__ = [
    "ECG_SAMPLING_RATE",
    "FAN_SAMPLING_RATE",
    "LORENZ_LYAPUNOV_EXPONENT",
    "REBER_SYMBOLS",
    "FanAcceleration",
    "JapaneseVowels",
    "SentencePolarity",
    "SymbolStrings",
    "adding_problem",
    "channel_equalization",
    "embedded_reber",
    "henon",
    "kuramoto_sivashinsky",
    "load_ecg",
    "load_fan_acceleration",
    "load_japanese_vowels",
    "load_sentence_polarity",
    "load_sunspots",
    "load_tiny_shakespeare",
    "lorenz",
    "lorenz96",
    "mackey_glass",
    "mains_hum",
    "mso",
    "narma",
    "reber",
    "rossler",
    "temporal_order",
]
