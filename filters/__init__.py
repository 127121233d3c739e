"""Linear adaptive filters with scikit-learn manners."""

from ._adaline import AdalineClassifier, AdalineRegressor
from ._base import AdaptResult
from ._equalizer import ChannelEqualizer
from ._lms import LMSFilter, NLMSFilter
from ._rls import RLSFilter
from ._tap_delay import TapDelay
from .tasks import LineEnhancer, NoiseCanceller

__all__ = [
    "AdalineClassifier",
    "AdalineRegressor",
    "AdaptResult",
    "ChannelEqualizer",
    "LMSFilter",
    "LineEnhancer",
    "NLMSFilter",
    "NoiseCanceller",
    "RLSFilter",
    "TapDelay",
]
