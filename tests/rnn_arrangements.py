"""Small networks of every cell in every arrangement, and data of unequal lengths for them."""

import numpy as np

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier
from reservoir.baselines._network import Network
from reservoir.baselines._windows import Sequences

LENGTHS = (3, 1, 4)
GROUPS = np.repeat([0, 1, 2], LENGTHS)
STACKABLE = ["elman", "lstm", "peephole_lstm", "gru"]
ARRANGEMENTS = {
    "plain": {"hidden_sizes": (3,)},
    "stack": {"hidden_sizes": (2, 1, 2)},
    "head": {"hidden_sizes": (3,), "head_sizes": (4, 3)},
    "skip": {"hidden_sizes": (2, 1, 2), "skip_connections": True},
    "bidirectional": {"hidden_sizes": (2, 3), "bidirectional": True},
    "all": {
        "hidden_sizes": (2, 1, 2),
        "head_sizes": (3,),
        "skip_connections": True,
        "bidirectional": True,
    },
}
CASES = [(cell, name) for cell in STACKABLE for name in ARRANGEMENTS]
CASES += [("jordan", "plain"), ("jordan", "head")]


def data(n_outputs=2):
    rng = np.random.RandomState(0)
    return rng.randn(sum(LENGTHS), 2), rng.randn(sum(LENGTHS), n_outputs)


def split(rows):
    return np.split(rows, np.cumsum(LENGTHS)[:-1])


def arrays(parts):
    """All arrays of a public dict of parameters, by name."""
    found = {}
    for key in set(parts) - {"weights"}:
        listed = parts[key] if isinstance(parts[key], list) else [parts[key]]
        found |= {f"{key}[{i}]": part for i, part in enumerate(listed)}
    for i, layer in enumerate(parts["weights"]):
        for d, direction in enumerate(layer if isinstance(layer, tuple) else (layer,)):
            found |= {f"weights[{i}][{d}][{key}]": part for key, part in direction.items()}
    return found


def fitted(net):
    return {key[:-1]: value for key, value in vars(net).items() if key[:-1] in PARTS}


PARTS = ("weights", "head_weights", "head_biases", "output_weights", "output_bias")


def regressor(cell, name, X, y, **params):
    net = RNNRegressor(cell, max_iter=0, random_state=0, **ARRANGEMENTS[name], **params)
    return shaken(net.fit(X, y, groups=GROUPS))


def classifier(cell, name, X, y, **params):
    net = RNNSequenceClassifier(cell, max_iter=0, random_state=0, **ARRANGEMENTS[name], **params)
    return shaken(net.fit(X, y))


def shaken(net):
    """Biases in use, so that every path of the gradient is."""
    rng = np.random.RandomState(7)
    for key, array in arrays(fitted(net)).items():
        if "bias" in key:
            array += rng.uniform(0.2, 1.0, array.shape)
    return net


def network(cell, name, n_inputs=2, n_outputs=2, dtype=np.float64, **params):
    kinds = ARRANGEMENTS[name]
    net = Network(cell, n_inputs=n_inputs, n_outputs=n_outputs, dtype=dtype, **kinds, **params)
    net.draw(np.random.RandomState(1), "orthogonal")
    net.parameters += np.random.RandomState(2).uniform(-0.3, 0.3, net.parameters.size)
    return net


def batch(forced=None):
    rows = data()[0]
    stops = np.cumsum(LENGTHS)
    sequences = Sequences(rows, stops - LENGTHS, stops, row_wise=True, forced=forced)
    (window,) = sequences.windows(np.arange(3), None, np.ones(len(rows), dtype=bool))
    return window
