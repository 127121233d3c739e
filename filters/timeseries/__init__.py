"""The plumbing both packages share: sequences, windows, metrics, splitting, errors."""

from ._adaptation import convergence_time, snr_gain_db
from ._ensemble import EnsembleCurve, ensemble_learning_curve
from ._errors import DivergenceError, SequenceError
from ._metrics import (
    erle_db,
    misalignment_db,
    mse,
    nmse,
    nrmse,
    snr_db,
    valid_prediction_time,
)
from ._model_files import load_model, save_model
from ._sequences import as_series
from ._splitting import WarmTimeSeriesSplit, make_forecast_scorer, make_washout_scorer
from ._windows import delay_embed

__all__ = [
    "DivergenceError",
    "EnsembleCurve",
    "SequenceError",
    "WarmTimeSeriesSplit",
    "as_series",
    "convergence_time",
    "delay_embed",
    "ensemble_learning_curve",
    "erle_db",
    "load_model",
    "make_forecast_scorer",
    "make_washout_scorer",
    "misalignment_db",
    "mse",
    "nmse",
    "nrmse",
    "save_model",
    "snr_db",
    "snr_gain_db",
    "valid_prediction_time",
]
