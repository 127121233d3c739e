"""What every public estimator learns from a seed; to be run in processes of their own.

``python tests/law_digests.py`` prints it as JSON: name -> digest of the bits, or numbers.
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

# Large enough for BLAS to share the work among its threads.
LARGE = {
    "Reservoir": Reservoir(300, topology="orthogonal", n_strands=4, random_state=0),
    "RNNRegressor": RNNRegressor("lstm", (64,), max_iter=2, random_state=0),
    "RLSFilter": RLSFilter(128),
    "FrequencyDomainFilter": FrequencyDomainFilter(512),
}
# These sum over rows by BLAS, which adds up in another order in another number of threads.
SUMMED = {
    "ESNRegressor": ESNRegressor(300, random_state=0, n_jobs=2),
    "ESNRegressor qr": ESNRegressor(150, solver="qr", random_state=0),
    "ESNClassifier": ESNClassifier(200, random_state=0),
    "ESNRegressorCV": ESNRegressorCV(150, random_state=0),
    "ESNEnsemble": ESNEnsemble(ESNRegressor(150), 3, n_jobs=2, random_state=0),
    "ESNSearchCV": ESNSearchCV(ESNRegressor(40), n_iter=2, n_seeds=2, n_jobs=2, random_state=0),
    "ESNSequenceClassifier": ESNSequenceClassifier(150, random_state=0),
}


def found(model, name, n_rows):
    """What is learned and answered, as arrays."""
    X, y = rows_and_targets(name, model, n_rows, 3, None, 1.0, 0, "float64")
    model = clone(model).fit(X) if y is None else clone(model).fit(X, y)
    return [np.asarray(v) for v in [*learned(model).values(), *answers(model, X).values()]]


def bits(*what):
    digest = hashlib.sha256()
    for values in found(*what):
        digest.update(values.astype("U" if values.dtype.kind == "O" else values.dtype).tobytes())
    return digest.hexdigest()


def numbers(*what):
    """The last row of every array of floats."""
    return [np.atleast_1d(v)[-1].tolist() for v in found(*what) if v.dtype.kind == "f"]


def outcomes():
    """Name -> digest of a small instance of every estimator and of large ones, or numbers."""
    made = {name: bits(small(name), name, 40) for name in ESTIMATORS if name in FAMILY_OF}
    for kind, models in ((bits, LARGE), (numbers, SUMMED)):
        for label, model in models.items():
            name = label.split()[0]
            n_rows = 60 if FAMILY_OF[name].rows == "case" else 1500
            made[f"large {label}"] = kind(model, name, n_rows)
    return made


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(outcomes(), sys.stdout)
