"""What the laws vary in each estimator: parameters and the values they may take, any together."""

from typing import Any

from hypothesis import strategies as st
from law_families import FAMILY_OF

from filters import (
    FilteredXFilter,
    FrequencyDomainFilter,
    LMSFilter,
    NLMSFilter,
    RLSFilter,
    TapDelay,
)
from reservoir import NVAR, ESNClassifier, ESNRegressor, Reservoir

_FILTER: dict[str, list[Any]] = {
    "n_taps": [1, 2, 5],
    "fit_intercept": [False, True],
    "store_weights": [0, 3],
}
_INNER = [None, NLMSFilter(3), RLSFilter(2, delta=0.1), LMSFilter(4, step_size=0.02)]
_DRAWN: dict[str, list[Any]] = {
    "n_units": [5, [4, 3]],
    "leak_rate": [1.0, 0.3],
    "bias_scaling": [0.0, 0.2],
    "activation": ["tanh", "identity", "sigmoid"],
    "topology": ["random", "ring"],
    "residual": ["identity", "orthogonal"],
}
_MODEL: dict[str, list[Any]] = {
    "alpha": [1e-2, 1.0],
    "fit_intercept": [True, False],
    "include_input": [True, False],
    "solver": ["cholesky", "qr"],
    "washout": [0, 2],
    "readout": [None, RLSFilter(delta=0.1), NLMSFilter()],
}
_TRAINED: dict[str, list[Any]] = {
    "cell": ["gru", "elman", "lstm", "peephole_lstm"],
    "hidden_sizes": [(3,), (3, 2)],
    "skip_connections": [False, True],
    "head_sizes": [(), (2,)],
    "optimizer": ["adam", "sgd", "rmsprop"],
    "l2": [0.0, 0.1],
    "max_iter": [1, 2],
}
BY_FAMILY: dict[str, dict[str, list[Any]]] = {
    "filter": _FILTER,
    "regressor": _MODEL,
    "classifier": _MODEL,
    "network": {**_TRAINED, "bidirectional": [False, True]},
    "labelling network": {**_TRAINED, "bidirectional": [False, True]},
    "sequence network": _TRAINED,
    "labelling sequence network": {**_TRAINED, "bidirectional": [False, True]},
    "unit": {"learning_rate": [0.01, 0.05], "fit_intercept": [True, False]},
    "labelling unit": {"learning_rate": [0.01, 0.05], "fit_intercept": [True, False]},
}
BY_NAME: dict[str, dict[str, list[Any]]] = {
    "ActiveNoiseController": {
        "filter": [None, FilteredXFilter(3), FilteredXFilter(2, leak=0.1)],
        "secondary_path": [[1.0, 0.3], [0.0, 0.5]],
    },
    "AdaptiveNotch": {
        "frequency": [0.05, 0.1],
        "n_harmonics": [1, 2],
        "bandwidth": ["auto", 0.01],
        "track": [True, False],
    },
    "AffineProjectionFilter": {"order": [1, 2, 4], "regularization": ["auto", 0.1]},
    "ChannelEqualizer": {
        "filter": [NLMSFilter(3), RLSFilter(2, delta=0.1), None],
        "delay": [1, "auto", -1],
    },
    "EchoCanceller": {"filter": [None, NLMSFilter(3)], "double_talk": ["two-path", None]},
    "ESNClassifier": _DRAWN,
    "ESNEnsemble": {
        "estimator": [
            ESNRegressor(5, alpha=1e-2),
            ESNClassifier(5, alpha=1e-2),
            ESNRegressor(4, alpha=1e-2, leak_rate=0.3, washout=1),
        ]
    },
    "ESNForecaster": {
        "estimator": [
            ESNRegressor(5, alpha=1e-2, random_state=0),
            ESNRegressor(4, alpha=1e-2, leak_rate=0.5, random_state=0),
        ],
        "difference": [False, True],
        "transformer": [None, "passthrough"],
    },
    "ESNRegressor": _DRAWN,
    "ESNRegressorCV": {**_DRAWN, "alphas": [(1e-3, 1.0), (1e-2, 0.1, 1.0)], "washout": [0, 2]},
    "ESNSequenceClassifier": {
        "pooling": ["mean", "last", "mean_output", "model_space"],
        "bidirectional": [True, False],
        "alpha": ["auto", 1e-2],
    },
    "ESNSequenceRegressor": {
        "pooling": ["mean", "last", "model_space"],
        "bidirectional": [True, False],
        "alpha": ["auto", 1e-2],
    },
    "FilteredXFilter": {
        "secondary_path": [[1.0, 0.3], None, [0.0, 0.5]],
        "leak": [0.0, 0.1],
    },
    "FrequencyDomainFilter": {"block_size": [1, 2, 4], "normalize": [True]},
    "LineEnhancer": {"filter": _INNER, "delay": [1, 3], "output": ["line", "noise"]},
    "LiquidStateMachine": {"steps_per_row": [5, 20], "input_scaling": [1e3, 1e4]},
    "LMSFilter": {
        "step_size": ["auto", 0.02],
        "leak": [0.0, 0.1],
        "sign": [None, "error", "data", "both"],
    },
    "MemoryClassifier": {"memory": [None, Reservoir(4, random_state=0), TapDelay(2)]},
    "MemoryRegressor": {"memory": [None, NVAR(1), Reservoir(4, random_state=0), TapDelay(2)]},
    "NLMSFilter": {"step_size": [0.5, 1.0], "regularization": ["auto", 0.1]},
    "NoiseCanceller": {"filter": [*_INNER, FrequencyDomainFilter(2, block_size=2)]},
    "NVAR": {"delay": [1, 2, 3], "stride": [1, 2], "order": [1, 2]},
    "ProportionateFilter": {"proportionality": [0.0, -0.5, 0.9], "regularization": ["auto", 0.1]},
    "Reservoir": {**_DRAWN, "include_input": [False, True], "spectral_radius": [0.9, 0.3]},
    "ReservoirFeatures": {
        "pooling": ["mean", "last", "model_space"],
        "bidirectional": [True, False],
    },
    "RLSFilter": {"forgetting_factor": [0.999, 0.9, 1.0], "delta": ["auto", 0.1]},
    "RNNForecaster": {**_TRAINED, "difference": [False, True]},
    "Seq2Seq": {"teacher_forcing": [1.0, False]},
    "SetMembershipFilter": {"error_bound": [0.1, 0.01]},
    "TapDelay": {"n_taps": [1, 2, 5], "stride": [1, 2]},
    "TransformDomainFilter": {"normalize": [True], "forgetting_factor": ["auto", 0.9]},
    "VariableStepFilter": {"noise_power": ["auto", 0.1]},
    "VolterraFilter": {"step_size": [0.5, 0.2]},
}


# Where the default looks at the data of the first call, is silent, or trains for one epoch.
FIRM: dict[str, dict[str, Any]] = {
    "ChannelEqualizer": {"delay": 1},
    "LiquidStateMachine": {"input_scaling": 1e4, "steps_per_row": 20},
    **{
        name: {"max_iter": 2}
        for name in ("RNNClassifier", "RNNRegressor", "RNNSequenceClassifier")
        + ("RNNSequenceRegressor", "Seq2Seq")
    },
}


def parameters(name, usual=()):
    """A strategy for parameters of the estimator `name`; those in `usual` are `FIRM` or default."""
    values = {**BY_FAMILY.get(FAMILY_OF[name].name, {}), **BY_NAME.get(name, {})}
    varied = {key: st.sampled_from(choice) for key, choice in values.items() if key not in usual}
    always = {key: st.just(value) for key, value in FIRM.get(name, {}).items() if key in usual}
    return st.fixed_dictionaries(always, optional=varied)
