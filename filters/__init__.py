"""Linear adaptive filters with scikit-learn manners."""

from ._base import AdaptResult
from ._equalizer import ChannelEqualizer
from ._lms import LMSFilter, NLMSFilter
from ._rls import RLSFilter
from ._tap_delay import TapDelay
from .tasks import LineEnhancer, NoiseCanceller

__all__ = [
    "AdaptResult",
    "ChannelEqualizer",
    "LMSFilter",
    "LineEnhancer",
    "NLMSFilter",
    "NoiseCanceller",
    "RLSFilter",
    "TapDelay",
]
