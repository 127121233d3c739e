"""Reservoir computing with scikit-learn manners, and gradient-trained networks to compare with."""

from ._ownership import require_our_filters

require_our_filters()

from ._esn import ESNClassifier, ESNRegressor  # noqa: E402
from ._forecaster import ESNForecaster  # noqa: E402
from ._memory import MemoryClassifier, MemoryRegressor  # noqa: E402
from ._reservoir import Reservoir  # noqa: E402
from ._sequence import ESNSequenceClassifier, ESNSequenceRegressor  # noqa: E402
from ._sequence_features import ReservoirFeatures  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "ESNClassifier",
    "ESNForecaster",
    "ESNRegressor",
    "ESNSequenceClassifier",
    "ESNSequenceRegressor",
    "MemoryClassifier",
    "MemoryRegressor",
    "Reservoir",
    "ReservoirFeatures",
]
