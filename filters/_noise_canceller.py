"""NoiseCanceller: what the references can predict is noise."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from ._base import AdaptiveFilter
from ._lms import NLMSFilter
from ._online import OnlineTask
from ._task_stream import Parts


class NoiseCanceller(OnlineTask):
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

    _column = "cleaned"

    def __init__(self, filter: AdaptiveFilter | None = None) -> None:
        self.filter = filter

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        if n_features < 2:
            raise ValueError(
                "NoiseCanceller needs at least two columns, [primary, reference, ...]; got "
                f"{n_features} feature(s). Without a reference there is nothing to cancel with."
            )
        default = NLMSFilter(n_taps=16, step_size=0.02)
        return {"filter": (default if self.filter is None else clone(self.filter)).stream()}

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        primary, references = rows[:, 0], rows[:, 1:]
        if learn:
            noise = parts["filter"].learn_many(references, primary)
        else:
            noise = parts["filter"].predict_many(references)
        return (primary - noise)[:, np.newaxis]

    def _publish(self, parts: Parts) -> None:
        self.filter_ = parts["filter"].to_filter()
