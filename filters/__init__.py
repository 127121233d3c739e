"""Linear adaptive filters with scikit-learn manners."""

from ._base import AdaptResult
from ._frequency import FrequencyDomainFilter
from ._lms import LMSFilter, NLMSFilter
from ._rls import RLSFilter
from ._tap_delay import TapDelay
from .tasks import NoiseCanceller

__all__ = [
    "AdaptResult",
    "FrequencyDomainFilter",
    "LMSFilter",
    "NLMSFilter",
    "NoiseCanceller",
    "RLSFilter",
    "TapDelay",
]
