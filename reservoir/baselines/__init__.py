"""Gradient-trained recurrent networks: the baseline a reservoir has to beat."""

from ._regressor import RNNRegressor
from ._sequence_classifier import RNNSequenceClassifier

__all__ = ["RNNRegressor", "RNNSequenceClassifier"]
