"""TapDelay: the delay line as a memory of its own."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .timeseries._memory import Memory
from .timeseries._sklearn_private import input_names, positive_int
from .timeseries._windows import delay_embed, with_history


class TapDelay(Memory):
    """Offer the present and the last rows of a series as features.

    .. math:: z(t) = [x(t), x(t - s), \\ldots, x(t - (n_{taps} - 1) s)]

    Parameters
    ----------
    n_taps : int, default=10
        Number of taps, the present row included.
    stride : int, default=1
        Time steps between two taps.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a row.

    Notes
    -----
    The history before a series is zero. The state, as `initial_state` takes it, holds the last
    ``(n_taps - 1) * stride`` rows, oldest first, flattened.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., section 1.3 (transversal filter).

    Examples
    --------
    >>> from filters import TapDelay
    >>> TapDelay(n_taps=2).fit_transform([[1.0], [2.0], [3.0]])
    array([[1., 0.],
           [2., 1.],
           [3., 2.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_taps": [positive_int()],
        "stride": [positive_int()],
    }

    def __init__(self, n_taps: int = 10, *, stride: int = 1) -> None:
        self.n_taps = n_taps
        self.stride = stride

    def _prepare(self, n_features: int, dtype: np.dtype) -> None:
        self._n_history = (self.n_taps - 1) * self.stride

    @property
    def _n_state(self) -> int:
        return self._n_history * self.n_features_in_

    @property
    def _n_features_out(self) -> int:
        return self.n_taps * self.n_features_in_

    def _advance(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: np.random.RandomState | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        history = state.reshape(self._n_history, rows.shape[1])
        features = delay_embed(rows, self.n_taps, stride=self.stride, history=history)
        return features, with_history(rows, history)[1].ravel()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names ``<feature>`` for the present row and ``<feature>_lag<k>`` for the delayed ones."""
        check_is_fitted(self)
        names = input_names(self, input_features)
        lags = [j * self.stride for j in range(self.n_taps)]
        return np.array(
            [name if k == 0 else f"{name}_lag{k}" for k in lags for name in names], dtype=object
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
