"""Every way to make and to draw every display, one hostile argument at a time."""

import functools
import inspect
import pickle

import hostile_estimators as estimators
import matplotlib.pyplot as plt
import numpy as np
from hostile_names import WORDS, Call, arguments_of, base_rows
from hostile_values import ODD, ROWS, copied, like
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from public_names import methods_of, public_names

import filters
from reservoir import Reservoir

ARGUMENTS_OF_PLOT = {"ax", "window"}


@functools.cache
def fitted(name):
    return pickle.loads(estimators.fitted(name))


def recipes():
    """Name -> {how it is made: good arguments}; "plot" takes those of the constructor as well."""
    rows = base_rows()
    x, d = np.random.default_rng(0).standard_normal((2, 40))
    error, weights = np.random.default_rng(0).standard_normal((2, 12)), np.ones((12, 2, 2))
    curve, states = np.arange(1.0, 9.0), np.random.default_rng(0).standard_normal((12, 3))
    unfitted = Reservoir(5, random_state=0)
    result = filters.NLMSFilter(2, store_weights=4).adapt(x, d)
    panels = {"step_size": np.ones(12), "store_weights": 1, "fs": 8.0, "window": 3, "ax": 3}
    drawn = {"threshold": 0.4, "dt": 1.0, "lyapunov_time": 2.0, "scale": np.ones(2), "ax": 2}
    density = {"fs": 8.0, "unit": "mV", "ax": 1}
    return {
        "EigenvalueDisplay": {
            "plot": {"eigenvalues": states[:, 0].copy(), "leaky": False, "ax": 1},
            "from_estimator": {
                **{"reservoir": unfitted, "leaky": False, "layer": 0, "gate": None},
                **{"backward": False, "ax": 1},
            },
        },
        "FilterAdaptationDisplay": {
            "plot": {"error": error[0], "weights": weights, **panels},
            "from_estimator": {
                **{"filter": filters.NLMSFilter(2), "x": x, "d": d, "update_mask": np.ones(40)},
                **{"fs": 8.0, "window": 3, "ax": 2},
            },
            "from_result": {
                **{"result": result, "store_weights": 4, "step_size": np.ones(40), "fs": 8.0},
                **{"window": 3, "ax": 3},
            },
        },
        "ForecastDisplay": {
            "plot": {"y_true": rows, "y_pred": rows + 0.1, **drawn},
            "from_predictions": {"y_true": rows, "y_pred": rows + 0.1, **drawn},
            "from_estimator": {"model": fitted("ESNForecaster"), "X": rows, "n_steps": 4, **drawn},
        },
        "MemoryCurveDisplay": {
            "plot": {"profile": curve, "label": "ring", "ax": 1},
            "from_capacity": {
                "capacity": _capacity(),
                "label": "ring",
                "ax": 1,
            },
            "from_estimator": {
                **{"reservoir": unfitted, "max_delay": 3, "label": "ring", "ax": 1},
                **{"n_timesteps": 100, "washout": 10, "random_state": 0},
            },
        },
        "SaliencyDisplay": {
            "plot": {
                **{"saliency": states, "feature_names": ["a", "b", "c"], "step": 2, "ax": 1},
                "name": "output",
            },
            "from_estimator": {
                **{"estimator": fitted("RNNRegressor"), "X": rows, "case": 0, "output": 0},
                **{"step": -1, "feature_names": ["a", "b"], "ax": 1},
            },
        },
        "SpectrumDisplay": {
            "plot": {
                **{"frequencies": curve, "before_db": curve, "after_db": -curve},
                **{"bound_db": -2 * curve, **density},
            },
            "from_signals": {
                **{"before": x, "after": 0.1 * x, "reference": d, "nperseg": 16, **density},
            },
        },
        "StatesDisplay": {
            "plot": {"states": states, "units": [0, 1, 4], "dt": 0.5, "ax": 1},
            "from_estimator": {
                "reservoir": unfitted,
                "X": rows,
                "units": [0, 3],
                "dt": 0.5,
                "ax": 1,
            },
        },
        "TrainingDisplay": {
            "plot": {
                **{"loss": curve, "validation_loss": curve, "gradient_norms": curve},
                **{"clip_norm": 1.0, "ax": 2},
            },
            "from_estimator": {"estimator": fitted("RNNRegressor"), "ax": 2},
        },
    }


@functools.cache
def _capacity():
    options = {"n_timesteps": 100, "washout": 10, "random_state": 0}
    diagnostics = public_names()["memory_capacity"]
    return diagnostics(Reservoir(5, random_state=0), 3, **options)


@functools.cache
def _kept_axes(n):
    return np.atleast_1d(Figure().subplots(n)).tolist()


def axes(n):
    """As many axes, swept of what the last call drew: new ones would take 50 ms."""
    kept = _kept_axes(n)
    for other in set(kept[0].figure.axes) - set(kept):
        other.remove()
    for one in kept:
        for artist in [*one.lines, *one.images]:
            artist.remove()
        one.set_yscale("linear")
        one.set(xlim=(0, 1), ylim=(0, 1), autoscale_on=True)
    return kept if n > 1 else kept[0]


def draw(name, how, given):
    """Make and draw a display; what it then holds besides what matplotlib drew."""
    cls = public_names()[name]
    given = {k: axes(v) if k == "ax" and type(v) is Panels else v for k, v in given.items()}
    try:
        if how == "plot":
            late = {k: given.pop(k) for k in ARGUMENTS_OF_PLOT & given.keys()}
            display = cls(**given).plot(**late)
        else:
            display = getattr(cls, how)(**given)
        assert isinstance(display.ax_, Axes)
        names = {"feature_names", "unit", "label", "name"}  # words may say anything
        return {k: v for k, v in vars(display).items() if not (k.endswith("_") or k in names)}
    finally:
        plt.close("all")


class Panels(int):
    """That many axes are made for a call."""


def calls(name):
    """Every argument hostile in turn, of every way to make and to draw a display."""
    cls = public_names()[name]
    for how in methods_of(cls):
        good = dict(recipes()[name][how])
        good["ax"] = Panels(good["ax"])
        takes = [p.name for p in arguments_of(getattr(cls, how))]
        takes += [p.name for p in arguments_of(cls)] if how == "plot" else []
        takes += sorted(good.keys() - set(takes))  # options that are handed on
        for argument in takes:
            value = good[argument]  # a KeyError: no recipe for an argument
            is_array = isinstance(value, np.ndarray)
            for kind, entry in (ROWS if is_array else ODD).items():
                made = functools.partial(*(like, entry, value) if is_array else (copied, entry))

                def make(hostile, argument=argument, good=good, how=how):
                    return draw(name, how, {**good, argument: hostile})

                label = f"{name}.{how}({argument}={kind})"
                words = {*inspect.signature(cls).parameters, *good, *WORDS.get(argument, ())}
                yield Call(label, make, made, words, False)
