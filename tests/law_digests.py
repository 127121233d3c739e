"""Digests of what every public estimator learns from a seed; to be run in processes of their own.

``python tests/law_digests.py`` prints them as JSON: name -> digest of the bits.
"""

import hashlib
import json
import sys
import warnings

import numpy as np
from law_data import rows_and_targets
from law_families import FAMILY_OF
from laws import answers, learned
from public_names import ESTIMATORS, small
from sklearn.base import clone

from filters import FrequencyDomainFilter, RLSFilter
from reservoir import (
    ESNClassifier,
    ESNEnsemble,
    ESNRegressor,
    ESNRegressorCV,
    ESNSearchCV,
    ESNSequenceClassifier,
    Reservoir,
)
from reservoir.baselines import RNNRegressor

# Large enough for a library to share the work among its threads.
LARGE = {
    "ESNRegressor": ESNRegressor(300, random_state=0, n_jobs=2),
    "ESNRegressor qr": ESNRegressor(150, solver="qr", random_state=0),
    "ESNClassifier": ESNClassifier(200, random_state=0),
    "ESNRegressorCV": ESNRegressorCV(150, random_state=0),
    "ESNEnsemble": ESNEnsemble(ESNRegressor(60), 3, n_jobs=2, random_state=0),
    "ESNSearchCV": ESNSearchCV(ESNRegressor(40), n_iter=2, n_seeds=2, n_jobs=2, random_state=0),
    "ESNSequenceClassifier": ESNSequenceClassifier(150, random_state=0),
    "Reservoir": Reservoir(300, topology="orthogonal", n_strands=4, random_state=0),
    "RNNRegressor": RNNRegressor("lstm", (64,), max_iter=2, random_state=0),
    "RLSFilter": RLSFilter(128),
    "FrequencyDomainFilter": FrequencyDomainFilter(512),
}


def bits(model, name, n_rows):
    X, y = rows_and_targets(name, model, n_rows, 3, None, 1.0, 0, "float64")
    model = clone(model).fit(X) if y is None else clone(model).fit(X, y)
    digest = hashlib.sha256()
    for values in [*learned(model).values(), *answers(model, X).values()]:
        values = np.asarray(values)
        digest.update(values.astype("U" if values.dtype.kind == "O" else values.dtype).tobytes())
    return digest.hexdigest()


def digests():
    """Name -> digest, for a small instance of every estimator and some large ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: bits(small(name), name, 40) for name in ESTIMATORS if name in FAMILY_OF}
        for label, model in LARGE.items():
            name = label.split()[0]
            n_rows = 60 if FAMILY_OF[name].rows == "case" else 1500
            found[f"large {label}"] = bits(model, name, n_rows)
    return found


if __name__ == "__main__":
    json.dump(digests(), sys.stdout)
