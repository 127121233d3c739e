"""Linear adaptive filters with scikit-learn manners."""

from ._adaline import AdalineClassifier, AdalineRegressor
from ._affine_projection import AffineProjectionFilter
from ._base import AdaptResult
from ._filtered_x import FilteredXFilter
from ._frequency import FrequencyDomainFilter
from ._lms import LMSFilter, NLMSFilter
from ._proportionate import ProportionateFilter
from ._rls import RLSFilter
from ._set_membership import SetMembershipFilter
from ._tap_delay import TapDelay
from ._transform_domain import TransformDomainFilter
from ._variable_step import VariableStepFilter
from ._volterra import VolterraFilter
from .displays import FilterAdaptationDisplay, SpectrumDisplay
from .tasks import (
    ActiveNoiseController,
    AdaptiveNotch,
    ChannelEqualizer,
    EchoCanceller,
    LineEnhancer,
    NoiseCanceller,
)

__all__ = [
    "ActiveNoiseController",
    "AdalineClassifier",
    "AdalineRegressor",
    "AdaptResult",
    "AdaptiveNotch",
    "AffineProjectionFilter",
    "ChannelEqualizer",
    "EchoCanceller",
    "FilterAdaptationDisplay",
    "FilteredXFilter",
    "FrequencyDomainFilter",
    "LMSFilter",
    "LineEnhancer",
    "NLMSFilter",
    "NoiseCanceller",
    "ProportionateFilter",
    "RLSFilter",
    "SetMembershipFilter",
    "SpectrumDisplay",
    "TapDelay",
    "TransformDomainFilter",
    "VariableStepFilter",
    "VolterraFilter",
]
