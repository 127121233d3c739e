"""Tasks: transformers that hold a filter and put its error or output to work."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from ._base import AdaptiveFilter
from ._lms import NLMSFilter
from .timeseries._sklearn_private import HasMethods, validate_parameters
from .timeseries._validation import all_or_nothing, check_series


class NoiseCanceller(TransformerMixin, BaseEstimator):
    """Remove from a primary channel what can be predicted from reference channels.

    .. math:: \\hat s(t) = p(t) - w_t \\cdot [r(t), r(t-1), \\ldots]

    The columns of X are ``[primary, reference, ...]``: the primary holds signal plus noise, the
    references hear the noise (with any gain and delay) but not the signal.

    Parameters
    ----------
    filter : AdaptiveFilter, default=None
        Cloned, not changed; None takes ``NLMSFilter(n_taps=16, step_size=0.02)``.

    Attributes
    ----------
    filter_ : AdaptiveFilter
        The adapted filter.
    n_features_in_ : int
        Channels, the primary included.

    Raises
    ------
    ValueError
        For fewer than two columns, NaN or infinity.

    Notes
    -----
    `fit_transform` gives the *online* answer: the a-priori error of a filter that adapts as it
    goes, causal, first rows not yet clean. `transform` filters with the frozen weights, every
    series from an empty delay line. By design the two differ, unlike other transformers'. A
    reference that hears the signal removes it too; one that lags the primary removes no white
    noise; no filter removes more than -10 log10(1 - coherence) dB.

    References
    ----------
    B. Widrow et al., Adaptive noise cancelling: principles and applications, Proc. IEEE 63 (1975).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import NoiseCanceller
    >>> t = np.arange(4000) / 360.0
    >>> hum, reference = np.sin(2 * np.pi * 50 * t + 1), np.sin(2 * np.pi * 50 * t)
    >>> left = NoiseCanceller().fit_transform(np.column_stack([hum, reference]))
    >>> bool(abs(left[-1000:]).max() < 1e-3)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filter": [HasMethods(["adapt", "predict"]), None],
    }

    def __init__(self, filter: AdaptiveFilter | None = None) -> None:
        self.filter = filter

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Adapt once through X.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, 1 + n_references), list, panel or MultiIndex frame
        y : ignored
        groups : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        self
        """
        self.fit_transform(X, y, groups=groups)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, groups: Any = None) -> Any:
        """Adapt once through X and return the cleaned signal heard on the way.

        Parameters
        ----------
        X, y, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps, 1), or container of X
            A-priori error of the filter: causal, no row dropped.
        """
        with all_or_nothing(self):
            return self._cancel_online(X, groups)

    def _cancel_online(self, X: Any, groups: Any) -> Any:
        validate_parameters(self)
        data = check_series(self, X, reset=True, groups=groups)
        self._refuse_one_column(data.rows)
        default = NLMSFilter(n_taps=16, step_size=0.02)
        self.filter_ = default if self.filter is None else clone(self.filter)
        cleaned = np.empty((data.rows.shape[0], 1), dtype=data.rows.dtype)
        for a, b in data.stacked.spans():
            if a > 0:  # a new series: the weights go on, the delay line does not
                self.filter_.clear_history()
            part = data.rows[a:b]
            cleaned[a:b, 0] = self.filter_.adapt(part[:, 1:], part[:, 0]).error
        return data.stacked.restore(cleaned, columns=list(self.get_feature_names_out()))

    def transform(self, X: Any, *, groups: Any = None) -> Any:
        """Cancel with the frozen weights.

        Parameters
        ----------
        X, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps, 1), or container of X
        """
        check_is_fitted(self)
        data = check_series(self, X, reset=False, groups=groups)
        self._refuse_one_column(data.rows)
        cleaned = np.empty((data.rows.shape[0], 1), dtype=data.rows.dtype)
        for a, b in data.stacked.spans():
            part = data.rows[a:b]
            cleaned[a:b, 0] = part[:, 0] - self.filter_.predict(part[:, 1:])
        return data.stacked.restore(cleaned, columns=list(self.get_feature_names_out()))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The one column of the answer: ``["cleaned"]``."""
        check_is_fitted(self, "n_features_in_")
        return np.array(["cleaned"], dtype=object)

    def _refuse_one_column(self, rows: np.ndarray) -> None:
        if rows.shape[1] < 2:
            raise ValueError(
                "NoiseCanceller needs at least two columns, [primary, reference, ...]; got "
                f"{rows.shape[1]} feature(s). Without a reference there is nothing to cancel with."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
