"""Every public function, one hostile argument at a time, and what is fed nowhere."""

import functools
import inspect
import tempfile
from unittest import mock

import hostile_displays as displays
import hostile_files as files
import numpy as np
from hostile_names import (
    N_ROWS,
    WORDS,
    Call,
    arguments_of,
    base_rows,
)
from hostile_values import ODD, ROWS, copied, like
from public_names import COMMAND_LINES, ESTIMATORS, methods_of, public_names
from sklearn.dummy import DummyRegressor

import filters
from filters.timeseries import mse
from reservoir import ESNRegressor, Reservoir, evaluation


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


@functools.cache
def _report_folder():
    return tempfile.TemporaryDirectory()


def _compare(**kwargs):
    """A run of one small task and one small model; the report's own tests look at the report."""
    rows = base_rows()
    task = evaluation.Task(
        *("hostile", "Hostile", "regression", "?", "Noise.", "Rows."),
        evaluation.Metric("MSE", "mean"),
        lambda seed, quick: evaluation.Problem(rows, rows[:, 0], rows, rows[:, 0]),
        lambda problem, answer: mse(problem.y_test, answer),
        suites=("hostile",),
    )
    model = evaluation.Model(
        *("hostile", "Hostile", "linear", "Mean."), lambda task, params, seed: DummyRegressor()
    )
    with (
        mock.patch.dict(evaluation.TASKS, {task.name: task}),
        mock.patch.dict(evaluation.MODELS, {model.name: model}),
        mock.patch("reservoir.evaluation._report.write_report", return_value="report"),
    ):
        return evaluation.compare(**kwargs)["status"].tolist()  # a row that failed has no value


def _register(register, registry):
    def call(**kwargs):
        with mock.patch.dict(registry):
            return repr(register(**kwargs))

    return call


def _split_rows(**kwargs):
    return list(filters.timeseries.WarmTimeSeriesSplit(2).split(**kwargs))


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
        "WarmTimeSeriesSplit.split": {"X": rows, "y": y, "groups": np.zeros(N_ROWS)},
        "compare": {
            **{"tasks": "hostile", "models": "hostile", "seeds": [0], "suite": "quick"},
            **{"out": _report_folder().name, "n_jobs": 1, "verbose": 0},
        },
        "contents": {"suite": "quick", "peers": False},
        "register_model": {"model": evaluation.MODELS["linear"]},
        "register_task": {"task": evaluation.TASKS["sunspots"]},
        "cabin_paths": {"n_taps": 64, "random_state": 0},
        "echo_path": {"n_taps": 64, "random_state": 0},
        "mains_hum": {"n_timesteps": 50, "random_state": 0},
        "multipath_channel": {"n_taps": 12, "random_state": 0},
        "raised_cosine_channel": {"width": 2.9},
        "rotor_noise": {"n_timesteps": 50, "random_state": 0},
        "speech_like": {"n_timesteps": 200, "random_state": 0},
        "through_paths": {"signal": y, "responses": rows[:4]},
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
    "WarmTimeSeriesSplit.split": _split_rows,
    "compare": _compare,
    "register_model": _register(evaluation.register_model, evaluation.MODELS),
    "register_task": _register(evaluation.register_task, evaluation.TASKS),
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
    # What a comparison is made of: records, looked into when they are registered or run.
    *("Metric", "Problem", "Task", "Model", "UsageError", "OutputError", "Interrupted"),
    *("TASKS", "MODELS", "SUITES", "GOALS", "WarmTimeSeriesSplit.get_n_splits"),
    # They read and write files; test_model_files feeds them.
    *("load_model", "save_model"),
}


def function_calls(name):
    """A function with every argument hostile in turn."""
    owner, _, method = name.partition(".")
    public, good = public_names()[owner], function_recipes()[name]
    public = getattr(public, method) if method else public
    called = WRAPPED.get(name, public)
    for argument in (p.name for p in arguments_of(public)):
        value = good.get(argument)
        if isinstance(value, np.ndarray):
            kinds = {
                k: functools.partial(lambda f, v: like(f, v), f, value) for k, f in ROWS.items()
            }
        else:
            kinds = {k: functools.partial(copied, v) for k, v in ODD.items()}
        for kind, maker in kinds.items():

            def make(value, argument=argument):
                return called(**{**good, argument: value})

            label = f"{name}({argument}={kind})"
            words = {*inspect.signature(public).parameters, *WORDS.get(argument, ())}
            yield Call(label, make, maker, words, name not in NOT_ALWAYS_FINITE)


def unknown():
    """Public names, and methods of public classes, that nothing here feeds."""
    fed = {*ESTIMATORS, *function_recipes(), *displays.recipes(), *files.LOADERS}
    fed |= {f"{line.__module__}.main" for line in COMMAND_LINES}
    names = public_names()
    methods = {f"{k}.{m}" for k in names.keys() & function_recipes() for m in _methods(names[k])}
    return sorted((set(names) | methods) - fed - NOTHING_TO_FEED)


def _methods(thing):
    return methods_of(thing) if inspect.isclass(thing) else {}
