"""Figures that others have published, by their own protocols: one file a goal."""

# The order of the report.
# isort: off
from . import _memory, _narma, _mackey_glass, _generative, _nvar  # noqa: F401
from . import _lorenz96, _channel, _vowels, _long_lags, _equalizer  # noqa: F401
from ._goal import GOALS

# isort: on

__all__ = ["GOALS"]
