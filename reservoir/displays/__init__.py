"""Pictures of reservoirs, in the manner of scikit-learn's displays; matplotlib when drawn."""

from ._eigenvalues import EigenvalueDisplay
from ._forecast import ForecastDisplay
from ._memory_curve import MemoryCurveDisplay
from ._states import StatesDisplay

__all__ = ["EigenvalueDisplay", "ForecastDisplay", "MemoryCurveDisplay", "StatesDisplay"]
