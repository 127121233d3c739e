"""Pictures of reservoirs and networks, as scikit-learn's displays; matplotlib when drawn."""

from ._eigenvalues import EigenvalueDisplay
from ._forecast import ForecastDisplay
from ._memory_curve import MemoryCurveDisplay
from ._saliency import SaliencyDisplay
from ._states import StatesDisplay
from ._training import TrainingDisplay

__all__ = [
    "EigenvalueDisplay",
    "ForecastDisplay",
    "MemoryCurveDisplay",
    "SaliencyDisplay",
    "StatesDisplay",
    "TrainingDisplay",
]
