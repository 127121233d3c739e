"""Seeded synthetic signals and paths that behave like the recorded thing."""

from ._checks import check_count as check_count
from ._checks import check_number as check_number
from ._mains import MainsHum, mains_hum

__all__ = ["MainsHum", "mains_hum"]
