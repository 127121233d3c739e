"""Reservoir computing with scikit-learn manners, and gradient-trained networks to compare with."""

from ._ownership import require_our_filters

require_our_filters()

from ._ensemble import ESNEnsemble  # noqa: E402
from ._esn import ESNClassifier, ESNRegressor  # noqa: E402
from ._esn_cv import ESNRegressorCV  # noqa: E402
from ._forecaster import ESNForecaster  # noqa: E402
from ._liquid import LiquidStateMachine  # noqa: E402
from ._memory import MemoryClassifier, MemoryRegressor  # noqa: E402
from ._nvar import NVAR  # noqa: E402
from ._plasticity import intrinsic_plasticity  # noqa: E402
from ._reservoir import Reservoir  # noqa: E402
from ._search import ESNSearchCV  # noqa: E402
from ._sequence import ESNSequenceClassifier, ESNSequenceRegressor  # noqa: E402
from ._sequence_features import ReservoirFeatures  # noqa: E402
from .displays import (  # noqa: E402
    EigenvalueDisplay,
    ForecastDisplay,
    MemoryCurveDisplay,
    StatesDisplay,
)

__version__ = "0.1.0"

__all__ = [
    "ESNClassifier",
    "ESNEnsemble",
    "ESNForecaster",
    "ESNRegressor",
    "ESNRegressorCV",
    "ESNSearchCV",
    "ESNSequenceClassifier",
    "ESNSequenceRegressor",
    "EigenvalueDisplay",
    "ForecastDisplay",
    "LiquidStateMachine",
    "MemoryClassifier",
    "MemoryCurveDisplay",
    "MemoryRegressor",
    "NVAR",
    "Reservoir",
    "ReservoirFeatures",
    "StatesDisplay",
    "intrinsic_plasticity",
]
