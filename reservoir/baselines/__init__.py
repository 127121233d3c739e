"""Gradient-trained recurrent networks: the baseline a reservoir has to beat."""

from ._classifier import RNNClassifier
from ._regressor import RNNRegressor
from ._sequence_classifier import RNNSequenceClassifier
from ._sequence_regressor import RNNSequenceRegressor

__all__ = [
    "RNNClassifier",
    "RNNRegressor",
    "RNNSequenceClassifier",
    "RNNSequenceRegressor",
]
