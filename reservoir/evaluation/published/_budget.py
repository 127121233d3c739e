"""Training a gradient network until its time is up."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from .._protocol import count_parameters


def train_for(model: Any, X: Any, y: Any, seconds: float) -> dict[str, float]:
    """Fit again and again, each call going on where the last one stopped.

    Parameters
    ----------
    model : estimator
        With ``warm_start=True``; `max_iter` epochs are trained between two looks at the clock.
    X, y : array-like
    seconds : float
        No epoch is begun after that; compilation, by a call before, is not counted.

    Returns
    -------
    dict
        "fit_seconds", "n_parameters" and "epochs".
    """
    model.fit(X[:2] if isinstance(X, list) else X[:64], y[:2] if isinstance(y, list) else y[:64])
    model.set_params(warm_start=False)
    start, epochs = perf_counter(), 0
    while epochs == 0 or perf_counter() - start < seconds:
        model.fit(X, y)
        model.set_params(warm_start=True)
        epochs += model.max_iter
    found = {"fit_seconds": perf_counter() - start, "epochs": float(epochs)}
    return found | {"n_parameters": float(count_parameters(model))}
