"""Tasks: estimators that hold a filter and put its error or output to work."""

from ._echo import EchoCanceller
from ._equalizer import ChannelEqualizer
from ._line_enhancer import LineEnhancer
from ._noise_canceller import NoiseCanceller
from ._noise_control import ActiveNoiseController
from ._notch import AdaptiveNotch

__all__ = [
    "ActiveNoiseController",
    "AdaptiveNotch",
    "ChannelEqualizer",
    "EchoCanceller",
    "LineEnhancer",
    "NoiseCanceller",
]
