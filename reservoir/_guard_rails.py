"""Warnings of a fit that will not do what its user hopes for, from what the fit already has."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from filters.timeseries._errors import caller_level

# Rows looked at: a share of a half needs no more. 1 % of the drive (.02 of 2.2 ms, 300 units).
_EVERY = 8
_SATURATED = 0.99  # |x| beyond which a tanh unit has kept 2 % of its slope
_INTERPOLATES = 0.95  # share of the rows the weights can follow


class SaturationWatch:
    """Counts the states at the ends of their range, over the blocks of a fit.

    Parameters
    ----------
    memory : Memory
        Fitted. Only bounded activations ("tanh", "sigmoid", of all layers alike) have ends.
    """

    def __init__(self, memory: Any) -> None:
        self._activation = getattr(memory, "activation", None)
        self._n_units = memory._n_state if self._activation in ("tanh", "sigmoid") else 0
        self._n_seen = self._n_saturated = 0

    def look(self, features: np.ndarray) -> None:
        """Count in a block ``(n, n_columns)``, states first."""
        if self._n_units == 0:
            return
        states = features[::_EVERY, : self._n_units]
        if self._activation == "sigmoid":
            states = 2.0 * states - 1.0
        self._n_seen += states.size
        self._n_saturated += int(np.count_nonzero(np.abs(states) > _SATURATED))

    def warn(self) -> None:
        """Warn where more than half of the states were saturated."""
        if self._n_saturated <= 0.5 * self._n_seen:
            return
        share = self._n_saturated / self._n_seen
        warnings.warn(
            f"{share:.0%} of the states are saturated ({self._activation} within 1 % of its "
            "ends): such a reservoir answers with little more than the signs of its inputs. Scale "
            "the inputs (StandardScaler), or lower input_scaling or bias_scaling.",
            UserWarning,
            stacklevel=caller_level(),
        )


def warn_interpolation(degrees_of_freedom: float, n_rows: int, fit_intercept: bool) -> None:
    """Warn where the ridge can follow `n_rows` targets whatever they are."""
    freedom = degrees_of_freedom + fit_intercept
    if freedom < _INTERPOLATES * n_rows:
        return
    warnings.warn(
        f"the readout has {freedom:.1f} effective degrees of freedom for {n_rows} labelled rows: "
        "it repeats the targets it was given, their noise included. Raise alpha, take fewer units "
        "or more rows, or let ESNRegressorCV choose alpha.",
        UserWarning,
        stacklevel=caller_level(),
    )


def warn_short_series(lengths: np.ndarray, washout: int) -> None:
    """Warn where the washout takes whole series."""
    n_short = int(np.count_nonzero(lengths <= washout))
    if n_short == 0:
        return
    warnings.warn(
        f"{n_short} of {lengths.size} series have no more than washout={washout} rows and teach "
        f"nothing (the shortest has {int(lengths.min())}). Lower washout or leave them out.",
        UserWarning,
        stacklevel=caller_level(),
    )
