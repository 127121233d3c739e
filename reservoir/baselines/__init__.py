"""Gradient-trained recurrent networks: the baseline a reservoir has to beat."""

from ._classifier import RNNClassifier
from ._forecaster import RNNForecaster
from ._regressor import RNNRegressor
from ._seq2seq import Seq2Seq
from ._sequence_classifier import RNNSequenceClassifier
from ._sequence_regressor import RNNSequenceRegressor

__all__ = [
    "RNNClassifier",
    "RNNForecaster",
    "RNNRegressor",
    "RNNSequenceClassifier",
    "RNNSequenceRegressor",
    "Seq2Seq",
]
