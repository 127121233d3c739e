"""Every public function and the makers of the displays, one hostile argument at a time."""

import functools
import inspect

import numpy as np
from hostile_names import N_ROWS, WORDS, Call, arguments_of, base_rows
from hostile_values import ODD, ROWS, copied
from public_names import ESTIMATORS, public_names
from sklearn.base import clone

import filters
from filters.timeseries import mse
from reservoir import ESNRegressor, Reservoir


def _esn():
    rows = base_rows()
    return ESNRegressor(5, random_state=0).fit(rows, rows)


def _forecast_scorer(horizon, context, **kwargs):
    scorer = filters.timeseries.make_forecast_scorer(horizon=horizon, context=context, **kwargs)
    rows = np.random.default_rng(0).standard_normal((40, 2))
    return scorer(ESNRegressor(5, random_state=0).fit(rows, rows), rows, rows)


def _washout_scorer(metric, washout, **kwargs):
    scorer = filters.timeseries.make_washout_scorer(metric, washout, **kwargs)
    rows = base_rows()
    return scorer(_esn(), rows, rows)


def _split(**kwargs):
    return list(filters.timeseries.WarmTimeSeriesSplit(**kwargs).split(base_rows()))


def _signals(seed):
    rows = np.random.default_rng(seed).standard_normal(N_ROWS)
    return rows, 2 * rows


def _random_matrix():
    return np.random.default_rng(0).standard_normal((6, 6))


def function_recipes():
    """Name -> (function, good arguments, whether answers must be finite)."""
    rows, y = base_rows(), base_rows()[:, 0]
    panel = np.random.default_rng(0).standard_normal((4, 6, 2))
    unfitted = Reservoir(5, random_state=0)
    error = np.random.default_rng(0).standard_normal(300)
    true_pred = {"y_true": y, "y_pred": y + 0.1}
    return {
        "as_series": {"X": rows},
        "convergence_time": {"error": error, "window": 20},
        "delay_embed": {"X": rows, "n_taps": 2},
        "ensemble_learning_curve": {
            "filter": filters.NLMSFilter(2),
            "make_signals": _signals,
            "n_runs": 2,
            "random_state": 0,
        },
        "erle_db": {"desired": y, "error": 0.1 * y},
        "make_forecast_scorer": {"horizon": 3, "context": 5, "n_origins": 2},
        "make_washout_scorer": {"metric": mse, "washout": 2},
        "misalignment_db": {"true_weights": y, "weights": 1.1 * y},
        "mse": true_pred,
        "nmse": true_pred,
        "nrmse": true_pred,
        "snr_db": {"signal": y, "estimate": 1.1 * y},
        "snr_gain_db": {"clean": y, "before": 1.2 * y, "after": 1.1 * y},
        "valid_prediction_time": true_pred,
        "WarmTimeSeriesSplit": {"n_splits": 2},
        "cabin_paths": {"n_taps": 64, "random_state": 0},
        "echo_path": {"n_taps": 64, "random_state": 0},
        "mains_hum": {"n_timesteps": 50, "random_state": 0},
        "multipath_channel": {"n_taps": 12, "random_state": 0},
        "raised_cosine_channel": {"width": 2.9},
        "rotor_noise": {"n_timesteps": 50, "random_state": 0},
        "speech_like": {"n_timesteps": 200, "random_state": 0},
        "through_paths": {"signal": y, "responses": rows[:3]},
        "max_step_size": {"X": rows, "n_taps": 2},
        "predicted_mse": {"min_mse": 0.1, "correlation": np.eye(4), "step_size": 0.01},
        "coherence_bound": {"x": error, "d": error + 1, "nperseg": 32},
        "estimate_delay": {"x": error, "d": np.roll(error, 3)},
        "intrinsic_plasticity": {"reservoir": unfitted, "X": rows, "n_epochs": 1},
        "antisymmetric": {"n_units": 8, "random_state": 0},
        "block_diagonal": {"n_units": 20, "random_state": 0},
        "cycle_jumps": {"n_units": 8},
        "cyclic_diagonals": {"n_units": 20, "random_state": 0},
        "delay_line": {"n_units": 8},
        "delay_line_feedback": {"n_units": 8},
        "double_cycle": {"n_units": 8},
        "forward_connection": {"n_units": 8},
        "orthogonal": {"n_units": 8, "random_state": 0},
        "permutation": {"n_units": 8, "random_state": 0},
        "random": {"n_units": 8, "random_state": 0},
        "random_dense": {"n_units": 8, "random_state": 0},
        "random_sparse": {"n_units": 8, "random_state": 0},
        "ring": {"n_units": 8},
        "scale_free": {"n_units": 20, "random_state": 0},
        "self_loops": {"n_units": 8},
        "small_world": {"n_units": 20, "random_state": 0},
        "scale_spectral_norm": {"matrix": _random_matrix(), "norm": 0.9},
        "scale_spectral_radius": {"matrix": _random_matrix(), "radius": 0.9},
        "spectral_norm": {"matrix": _random_matrix()},
        "spectral_radius": {"matrix": _random_matrix()},
        "consistency": {"reservoir": unfitted, "X": rows, "washout": 2, "random_state": 0},
        "echo_state_index": {"reservoir": unfitted, "X": rows, "n_starts": 3, "random_state": 0},
        "effective_spectral_radius": {"reservoir": unfitted},
        "generalization_rank": {"reservoir": unfitted, "X": panel},
        "kernel_rank": {"reservoir": unfitted, "X": panel},
        "information_processing_capacity": {
            **{"reservoir": unfitted, "max_degree": 1, "max_delay": 2, "n_timesteps": 100},
            **{"washout": 10, "random_state": 0},
        },
        "lyapunov_exponent": {"reservoir": unfitted, "X": rows, "washout": 2},
        "lyapunov_spectrum": {"model": _esn(), "n_timesteps": 30, "washout": 2, "n_exponents": 2},
        "memory_capacity": {
            **{"reservoir": unfitted, "max_delay": 3, "n_timesteps": 100, "washout": 10},
            "random_state": 0,
        },
        "saturation": {"reservoir": unfitted, "X": rows},
        "load_ecg": {},
        "load_japanese_vowels": {},
        "load_sunspots": {},
        "lorenz": {"n_timesteps": 20, "transient": 5, "random_state": 0},
        "mackey_glass": {"n_timesteps": 20, "transient": 5, "random_state": 0},
        "mso": {"n_timesteps": 20},
        "narma": {"n_timesteps": 50, "random_state": 0},
        "adding_problem": {"n_cases": 3, "n_timesteps": 5, "random_state": 0},
        "channel_equalization": {"n_timesteps": 20, "random_state": 0},
        "embedded_reber": {"n_strings": 3, "random_state": 0},
        "henon": {"n_timesteps": 20, "random_state": 0},
        "kuramoto_sivashinsky": {"n_timesteps": 5, "transient": 2, "random_state": 0},
        "lorenz96": {"n_timesteps": 5, "transient": 2, "random_state": 0},
        "reber": {"n_strings": 3, "random_state": 0},
        "rossler": {"n_timesteps": 5, "transient": 2, "random_state": 0},
        "temporal_order": {"n_cases": 3, "n_timesteps": 20, "random_state": 0},
    }


WRAPPED = {
    "make_forecast_scorer": _forecast_scorer,
    "make_washout_scorer": _washout_scorer,
    "WarmTimeSeriesSplit": _split,
}
# Answers of these may be infinite (not NaN), and their docstrings say when.
NOT_ALWAYS_FINITE = {
    *("coherence_bound", "convergence_time", "erle_db", "max_step_size", "misalignment_db"),
    *("lyapunov_exponent", "lyapunov_spectrum", "predicted_mse", "snr_db", "snr_gain_db"),
}
# Plain results, errors, tables of names: nothing to feed.
NOTHING_TO_FEED = {
    *("AdaptResult", "CabinPaths", "EchoPath", "MainsHum", "MultipathChannel", "RotorNoise"),
    *("SpeechLike", "EnsembleCurve", "DivergenceError", "SequenceError", "JapaneseVowels"),
    *("MemoryCapacity", "ProcessingCapacity", "NAMED", "WITH_DENSITY", "ECG_SAMPLING_RATE"),
    *("LORENZ_LYAPUNOV_EXPONENT", "FAN_SAMPLING_RATE", "FanAcceleration", "SentencePolarity"),
    *("SymbolStrings", "REBER_SYMBOLS"),
    # They read files that must be fetched first.
    *("load_fan_acceleration", "load_sentence_polarity", "load_tiny_shakespeare"),
    # They read and write files; test_model_files feeds them.
    *("load_model", "save_model"),
}


# They draw all they are given, 20 ms a call; their own tests feed them what is wrong.
NOT_YET_FED = {
    *("FilterAdaptationDisplay", "ForecastDisplay", "SpectrumDisplay"),
    *("SaliencyDisplay", "TrainingDisplay"),
}


def function_calls(name):
    """A function with every argument hostile in turn."""
    public, good = public_names()[name], function_recipes()[name]
    called = WRAPPED.get(name, public)
    for argument in (p.name for p in arguments_of(public)):
        value = good.get(argument)
        if isinstance(value, np.ndarray):
            kinds = {
                k: functools.partial(lambda f, v: _like(f, v), f, value) for k, f in ROWS.items()
            }
        else:
            kinds = {k: functools.partial(copied, v) for k, v in ODD.items()}
        for kind, maker in kinds.items():

            def make(value, argument=argument):
                return called(**{**good, argument: value})

            label = f"{name}({argument}={kind})"
            words = {*inspect.signature(public).parameters, *WORDS.get(argument, ())}
            yield Call(label, make, maker, words, name not in NOT_ALWAYS_FINITE)


def _like(function, good):
    """A hostile value of about the shape of `good`."""
    if good.ndim == 1:
        value = function(np.column_stack([good, good]))
        is_table = isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1]
        return value[:, 0] if is_table else value
    if good.ndim == 3:
        value = function(good.reshape(-1, good.shape[-1]).copy())
        same = isinstance(value, np.ndarray) and value.shape == (good.size // 2, 2)
        return value.reshape(good.shape) if same else value
    return function(good.copy())


def display_recipes():
    """Name -> {classmethod: good arguments}; `plot` is left to the displays' own tests."""
    rows = base_rows()
    unfitted = Reservoir(5, random_state=0)
    capacity = {"max_delay": 3, "n_timesteps": 100, "washout": 10, "random_state": 0}
    return {
        "EigenvalueDisplay": {"from_estimator": {"reservoir": clone(unfitted).fit(rows)}},
        "MemoryCurveDisplay": {"from_estimator": {"reservoir": unfitted, **capacity}},
        "StatesDisplay": {"from_estimator": {"reservoir": unfitted, "X": rows}},
    }


def display_calls(name):
    """Every way to make a display with each of its good arguments hostile in turn."""
    for maker_name, good in display_recipes()[name].items():
        public = getattr(public_names()[name], maker_name)
        for argument, value in good.items():
            table = ROWS if isinstance(value, np.ndarray) else ODD
            for kind, entry in table.items():
                made = functools.partial(_like, entry, value) if table is ROWS else None
                made = made or functools.partial(copied, entry)

                def make(value, argument=argument, public=public, good=good):
                    return vars(public(**{**good, argument: value}))

                label = f"{name}.{maker_name}({argument}={kind})"
                words = {*inspect.signature(public).parameters, *good, "X", "x", "d"}
                yield Call(label, make, made, words)


def unknown():
    """Public names that nothing here feeds."""
    fed = (
        set(ESTIMATORS)
        | set(function_recipes())
        | NOTHING_TO_FEED
        | set(display_recipes())
        | NOT_YET_FED
    )
    return sorted(set(public_names()) - fed)
