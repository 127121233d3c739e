"""Linear adaptive filters with scikit-learn manners."""

from ._affine_projection import AffineProjectionFilter
from ._base import AdaptResult
from ._lms import LMSFilter, NLMSFilter
from ._proportionate import ProportionateFilter
from ._rls import RLSFilter
from ._set_membership import SetMembershipFilter
from ._tap_delay import TapDelay
from .tasks import NoiseCanceller

__all__ = [
    "AdaptResult",
    "AffineProjectionFilter",
    "LMSFilter",
    "NLMSFilter",
    "NoiseCanceller",
    "ProportionateFilter",
    "RLSFilter",
    "SetMembershipFilter",
    "TapDelay",
]
