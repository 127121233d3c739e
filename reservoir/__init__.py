"""Reservoir computing with scikit-learn manners, and gradient-trained networks to compare with."""

from typing import TYPE_CHECKING

from ._lazy import importer
from ._ownership import require_our_filters

require_our_filters()

if TYPE_CHECKING:
    from ._ensemble import ESNEnsemble
    from ._esn import ESNClassifier, ESNRegressor
    from ._esn_cv import ESNRegressorCV
    from ._forecaster import ESNForecaster
    from ._liquid import LiquidStateMachine
    from ._memory import MemoryClassifier, MemoryRegressor
    from ._nvar import NVAR
    from ._plasticity import intrinsic_plasticity
    from ._reservoir import Reservoir
    from ._search import ESNSearchCV
    from ._sequence import ESNSequenceClassifier, ESNSequenceRegressor
    from ._sequence_features import ReservoirFeatures
    from .displays import (
        EigenvalueDisplay,
        ForecastDisplay,
        MemoryCurveDisplay,
        SaliencyDisplay,
        StatesDisplay,
        TrainingDisplay,
    )

__version__ = "0.1.0"

# The same once more, for imports when a name is asked for: `reservoir --help` and the data sets
# need neither numba nor scikit-learn.
_HOMES = {
    "_ensemble": ["ESNEnsemble"],
    "_esn": ["ESNClassifier", "ESNRegressor"],
    "_esn_cv": ["ESNRegressorCV"],
    "_forecaster": ["ESNForecaster"],
    "_liquid": ["LiquidStateMachine"],
    "_memory": ["MemoryClassifier", "MemoryRegressor"],
    "_nvar": ["NVAR"],
    "_plasticity": ["intrinsic_plasticity"],
    "_reservoir": ["Reservoir"],
    "_search": ["ESNSearchCV"],
    "_sequence": ["ESNSequenceClassifier", "ESNSequenceRegressor"],
    "_sequence_features": ["ReservoirFeatures"],
    "displays": [
        "EigenvalueDisplay",
        "ForecastDisplay",
        "MemoryCurveDisplay",
        "SaliencyDisplay",
        "StatesDisplay",
        "TrainingDisplay",
    ],
}
_ROOMS = ["baselines", "datasets", "diagnostics", "displays", "evaluation", "topologies"]
__getattr__ = importer(__name__, _HOMES, _ROOMS)

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
    "SaliencyDisplay",
    "StatesDisplay",
    "TrainingDisplay",
    "intrinsic_plasticity",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
