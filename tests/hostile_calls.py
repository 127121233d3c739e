"""Every public name of the two packages, called with one hostile argument at a time.

What is public is found by walking the packages: a function or class that has no recipe here is
reported by `unknown`, and an argument of a method that has none raises a KeyError.
"""

import functools
import importlib
import inspect
import pickle
import pkgutil
from typing import Any, NamedTuple

import numpy as np
from hostile import ODD, ROWS
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier

import filters
import reservoir
from filters.timeseries import mse
from reservoir import ESNRegressor, Reservoir

N_ROWS = 12
LEFT_OUT = {
    "filters.kernels": "kernels check nothing: their callers do",
    "reservoir.kernels": "kernels check nothing: their callers do",
    "reservoir.evaluation": "runs for minutes; its own tests feed it wrong names",
    "filters.__main__": "a command line",
    "reservoir.__main__": "a command line",
}
# Small, so that thousands of calls take seconds.
SMALL: dict[str, dict[str, Any]] = {
    "ActiveNoiseController": {"secondary_path": [1.0, 0.3]},
    "AdalineClassifier": {"max_iter": 2},
    "AdalineRegressor": {"max_iter": 2},
    "EchoCanceller": {"n_taps": 3},
    "ESNClassifier": {"n_units": 5},
    "ESNEnsemble": {"estimator": ESNRegressor(5), "n_members": 2, "random_state": 0},
    "ESNForecaster": {"estimator": ESNRegressor(5, random_state=0)},
    "ESNRegressor": {"n_units": 5},
    "ESNRegressorCV": {"n_units": 5, "alphas": (1e-3, 1.0)},
    "ESNSequenceClassifier": {"n_units": 5},
    "ESNSequenceRegressor": {"n_units": 5},
    "FilteredXFilter": {"n_taps": 2, "secondary_path": [1.0, 0.3]},
    "FrequencyDomainFilter": {"n_taps": 2, "block_size": 2},
    "LiquidStateMachine": {"n_units": 8, "steps_per_row": 2},
    "Reservoir": {"n_units": 5},
    "ReservoirFeatures": {"n_units": 5},
    "TapDelay": {"n_taps": 2},
    "NVAR": {"delay": 1},
}
SMALL_BY_PARAMETER = {"n_units": 5, "max_iter": 1, "hidden_sizes": (3,), "n_taps": 2}
ROW_IS_A_CASE = ("Sequence", "ReservoirFeatures", "Seq2Seq")


class Call(NamedTuple):
    """One call: what it is called, how it is made, from what, and what an error may name."""

    label: str
    make: Any
    given: Any
    words: set
    finite: bool = True


# ---- what is public -----------------------------------------------------------------------------


def public_modules():
    """Every module without an underscore in its path that states what is public."""
    found = []
    for package in (filters, reservoir):
        names = [package.__name__] + [
            info.name for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        ]
        for name in names:
            left_out = any(name == part or name.startswith(part + ".") for part in LEFT_OUT)
            if not left_out and "._" not in name:
                found.append(importlib.import_module(name))
    return found


def public_names():
    """Name -> thing for all of them; a module without ``__all__`` gives what it defines."""
    found = {}
    for module in public_modules():
        own = [
            name
            for name, thing in vars(module).items()
            if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
        ]
        for name in getattr(module, "__all__", own):
            found[name] = getattr(module, name)
    return found


def is_estimator(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseEstimator) and hasattr(thing, "fit")


ESTIMATORS = {k: v for k, v in sorted(public_names().items()) if is_estimator(v)}


# ---- estimators ---------------------------------------------------------------------------------


@functools.cache
def _small(name):
    cls = ESTIMATORS[name]
    known = inspect.signature(cls).parameters
    by_parameter = {k: v for k, v in SMALL_BY_PARAMETER.items() if k in known}
    given = {**by_parameter, **SMALL.get(name, {})}
    if "random_state" in known:
        given.setdefault("random_state", 0)
    return cls(**given)


def base_rows(name=""):
    width = 8 if any(part in name for part in ROW_IS_A_CASE) else 2
    return np.random.default_rng(0).standard_normal((N_ROWS, width))


def good_target(estimator, rows):
    name = type(estimator).__name__
    if name == "ESNForecaster":
        return None
    if is_classifier(estimator):
        return np.arange(N_ROWS) % 2
    if name == "ChannelEqualizer":
        return np.sign(rows[:, 0])
    return rows @ np.arange(1.0, rows.shape[1] + 1)


def good_arguments(name):
    """An argument of any method -> something that works."""
    rows = base_rows(name)
    target = good_target(_small(name), rows)
    return {
        "X": rows,
        "y": target,
        "x": rows,
        "d": target,
        "e": 0.1,
        "sample_weight": np.ones(N_ROWS),
        "groups": np.repeat([0, 1], N_ROWS // 2),
        "initial_state": None,
        "update_mask": np.ones(N_ROWS, dtype=bool),
        "y_context": None,
        "classes": np.array([0, 1]),
        "input_features": None,
        "context": rows,
        "exog": None,
        "state": None,
        "n_steps": 3,
        "horizon": 2,
        "n_origins": 2,
        "refit": False,
        "metric": mse,
        "return_state": False,
        "return_std": False,
        "bands": None,
        "length": 2,
        "output": 0,
        "step": -1,
    }


ARRAYS = {
    *("X", "y", "x", "d", "e", "sample_weight", "groups", "initial_state", "update_mask"),
    *("y_context", "classes", "input_features", "context", "exog", "state"),
}
ODD_TOO = {"initial_state", "groups", "update_mask", "classes", "input_features", "state", "e"}
# Anything with a truth value is a flag, as everywhere in Python.
FLAGS = {"return_state", "return_std", "refit"}
ONE_AXIS = {"y", "d", "e", "sample_weight", "groups", "update_mask", "classes", "input_features"}
WORDS = {
    "X": {"input", "Input", "series", "sequence", "features"},
    "context": {"X", "series", "features"},
    "exog": {"X", "series", "features"},
    "x": {"X", "signal", "channel"},
    "d": {"y", "signal", "output"},
    "y": {"label", "class", "target", "output"},
    "e": {"error", "output"},
    "sample_weight": {"weight"},
    "n_steps": {"steps"},
    "groups": {"series"},
    "correlation": {"R "},
}


def hostile_values(argument, base):
    """Kind -> a fresh hostile value for an argument that holds an array like `base`."""

    def made(function):
        value = function(base.copy())
        if argument in ONE_AXIS and isinstance(value, np.ndarray) and value.ndim == 2:
            value = value[:, 0] if value.shape[1] else value
        return value

    kinds = {kind: functools.partial(made, function) for kind, function in ROWS.items()}
    if argument in ODD_TOO:
        kinds |= {f"odd: {kind}": functools.partial(copied, v) for kind, v in ODD.items()}
    return kinds


def copied(value):
    return value.copy() if isinstance(value, np.ndarray | list | dict) else value


def array_for(argument, name, good):
    if argument in ("y", "d"):
        column = np.asarray(good_target(_small(name), base_rows(name)), dtype=float)
        return np.column_stack([column, column])
    if argument in ONE_AXIS | {"initial_state"}:
        return np.abs(base_rows())
    return good["X"]


@functools.cache
def fitted(name, *, forecasts=False):
    """A fitted estimator, pickled."""
    good = good_arguments(name)
    model = clone(_small(name))
    if forecasts and good["y"] is not None:
        good["y"] = np.roll(good["X"], -1, axis=0)
    parameters = inspect.signature(model.fit).parameters
    model.fit(good["X"], good["y"]) if "y" in parameters else model.fit(good["X"])
    return pickle.dumps(model)


def methods_of(thing):
    """Public methods of a class of ours that take something, by name."""
    skipped = {"get_params", "set_params", "set_output", "get_metadata_routing", "plot"}
    found = {}
    for name in dir(thing):
        if name.startswith("_") or name in skipped or name.endswith("_request"):
            continue
        method = inspect.getattr_static(thing, name)
        if isinstance(method, property | classmethod | staticmethod):
            continue
        method = getattr(thing, name, None)
        if callable(method) and not method.__module__.startswith("sklearn"):
            found[name] = getattr(thing, name)
    return found


def arguments_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [
        p
        for p in parameters
        if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]


def varied(function, good, name):
    """(argument, kind, other arguments, maker) for one hostile argument at a time."""
    parameters = arguments_of(function)
    needed = {p.name for p in parameters if p.default is p.empty}
    if "y" in good and good["y"] is not None:
        needed |= {"y"} & {p.name for p in parameters}
    for argument in (p.name for p in parameters):
        if argument in FLAGS:
            continue
        if argument not in good:
            raise KeyError(f"no recipe for the argument {argument!r} of {name}.{function}")
        rest = {key: good[key] for key in needed - {argument}}
        if argument in ARRAYS:
            if argument == "y" and good["y"] is None:
                continue
            kinds = hostile_values(argument, array_for(argument, name, good))
        else:
            kinds = {kind: functools.partial(copied, v) for kind, v in ODD.items()}
        for kind, maker in kinds.items():
            yield argument, kind, rest, maker


def method_calls(name):
    """Every method of an estimator with every argument hostile in turn."""
    good = good_arguments(name)
    model = pickle.loads(fitted(name))
    for method, function in methods_of(model).items():
        forecasts = method in ("forecast", "backtest")
        saved = fitted(name, forecasts=forecasts)
        for argument, kind, rest, maker in varied(function, good, name):

            def make(value, saved=saved, method=method, argument=argument, rest=rest):
                target = pickle.loads(saved)
                answer = getattr(target, method)(**rest, **{argument: value})
                return answer, target

            label = f"{name}.{method}({argument}={kind})"
            words = {name, argument, *rest, *WORDS.get(argument, ())}
            yield Call(label, make, maker, words)


def first_row(maker):
    """The first of the rows that `maker` gives, if they can be told apart."""
    value = maker()
    if hasattr(value, "iloc"):
        return value.iloc[0] if len(value) else value
    has_rows = isinstance(value, list | tuple) or getattr(value, "ndim", 0)
    return value[0] if has_rows and not sparse.issparse(value) and len(value) else value


def session_calls(name):
    """Every method of a session of `stream()`, where the estimator has one."""
    model = pickle.loads(fitted(name))
    if not hasattr(model, "stream"):
        return
    good = good_arguments(name)
    for method, function in methods_of(model.stream()).items():
        if method == "at":
            good["state"] = model.stream().state
        for argument, kind, rest, maker in varied(function, good, name):

            def make(value, method=method, argument=argument, rest=rest):
                session = pickle.loads(fitted(name)).stream()
                one = method.endswith("_one")
                rest = {k: v[0] if one and k in "xy" else v for k, v in rest.items()}
                if method == "learn_error":
                    session.predict_one(good["X"][0])
                return getattr(session, method)(**rest, **{argument: value})

            label = f"{name}.stream().{method}({argument}={kind})"
            if method.endswith("_one") and argument in "xy":
                maker = functools.partial(first_row, maker)
            words = {name, argument, "Stream", "X", "x", "y", "series", "features", "channel"}
            yield Call(label, make, maker, words)


def parameter_calls(name):
    """Every constructor parameter with every odd value, then `fit` and the first answer."""
    good = good_arguments(name)
    for parameter in _small(name).get_params(deep=False):
        for kind, value in ODD.items():

            def make(value, parameter=parameter):
                model = clone(_small(name))
                setattr(model, parameter, value)
                takes_y = "y" in inspect.signature(model.fit).parameters
                model.fit(*(good["X"], good["y"]) if takes_y else (good["X"],))
                answers = getattr(model, "predict", None) or model.transform
                return answers(good["X"]), model

            label = f"{name}({parameter}={kind})"
            yield Call(label, make, functools.partial(copied, value), {parameter})


def unfitted_calls(name):
    """Everything that needs a fit, before it."""
    good = good_arguments(name)
    for method in ("predict", "transform", "predict_proba", "decision_function", "forecast"):
        if hasattr(_small(name), method):

            def make(_, method=method):
                argument = {"n_steps": 3} if method == "forecast" else {"X": good["X"]}
                getattr(clone(_small(name)), method)(**argument)
                return np.nan  # an answer would be wrong

            yield Call(f"unfitted {name}.{method}", make, lambda: None, {"fitted"})


# ---- functions ----------------------------------------------------------------------------------


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
        "predicted_mse": {"min_mse": 0.1, "correlation": np.eye(2), "step_size": 0.01},
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
    # They read files that must be fetched first.
    *("load_fan_acceleration", "load_sentence_polarity", "load_tiny_shakespeare"),
}


# Their `plot` is drawn from signals that their own tests check; not fed with everything yet.
NOT_YET_FED = {"FilterAdaptationDisplay", "ForecastDisplay", "SpectrumDisplay"}


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


# ---- displays -----------------------------------------------------------------------------------


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
