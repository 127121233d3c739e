"""Steps too large for comfort."""

from __future__ import annotations

import warnings
from typing import Any

from .timeseries._errors import caller_level

NLMS_BOUND = 2.0
NLMS_ADVICE = "from where on the weights grow without bound. Take a step_size between 0 and 1."


def warn_of_step(estimator: Any, bound: float, meaning: str) -> None:
    """Warn with a `RuntimeWarning` where ``estimator.step_size`` is not below `bound`."""
    if estimator.step_size >= bound:
        warnings.warn(
            f"{type(estimator).__name__}: step_size={estimator.step_size} is not below "
            f"{bound:.3g}, {meaning}",
            RuntimeWarning,
            stacklevel=caller_level(),
        )
