"""Tasks: transformers that hold a filter and put its error or output to work."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ._base import AdaptiveFilter
from ._lms import NLMSFilter
from ._online import OnlineTask
from ._task_stream import Parts
from .timeseries._sklearn_private import StrOptions, input_names, positive_int


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

    def __init__(self, filter: AdaptiveFilter | None = None) -> None:
        self.filter = filter

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The one column of the answer: ``["cleaned"]``."""
        check_is_fitted(self, "n_features_in_")
        return np.array(["cleaned"], dtype=object)

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


class LineEnhancer(OnlineTask):
    """Split a signal into its periodic part and the rest, without a reference.

    .. math:: \\hat p(t) = w_t \\cdot [x(t - \\Delta), x(t - \\Delta - 1), \\ldots], \\quad
              e(t) = x(t) - \\hat p(t)

    The signal is predicted from its own past. What is still correlated after `delay` samples
    (tones, hum, rotor noise) can be predicted, broadband noise cannot.

    Parameters
    ----------
    filter : AdaptiveFilter, default=None
        Cloned for every column, not changed; None takes ``NLMSFilter(n_taps=64, step_size=0.01)``.
    delay : int, default=1
        Delta, in samples: more than the correlation length of the noise, 1 for white noise.
    output : {"line", "noise"}, default="line"
        Answer with the predicted part (enhance the lines) or with the rest (remove them).

    Attributes
    ----------
    filters_ : list of AdaptiveFilter
        The adapted filters, one a column.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For NaN or infinity.

    Notes
    -----
    Columns are enhanced one by one, each by its own filter. `fit_transform` gives the *online*
    answer of a filter that adapts as it goes, causal, the first rows not yet settled; `transform`
    filters with the frozen weights. By design the two differ, unlike other transformers'. "line"
    and "noise" add up to the signal.

    A tone of frequency w0 at signal-to-noise ratio snr in white noise passes L settled taps with
    gain (L/2) snr / (1 + (L/2) snr) where L w0 is a multiple of pi: more taps help weak lines.

    References
    ----------
    B. Widrow et al., Adaptive noise cancelling: principles and applications, Proc. IEEE 63
    (1975), section "The adaptive line enhancer".
    J. R. Zeidler, Performance analysis of LMS adaptive prediction filters, Proc. IEEE 78 (1990).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import LineEnhancer
    >>> t = np.arange(20_000)
    >>> tone = np.sin(0.1 * np.pi * t)
    >>> noisy = tone + np.random.default_rng(0).standard_normal(20_000)
    >>> line = LineEnhancer().fit_transform(noisy[:, np.newaxis])[:, 0]
    >>> bool(np.var((line - tone)[-5000:]) < 0.1 * np.var(noisy - tone))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **OnlineTask._parameter_constraints,
        "delay": [positive_int()],
        "output": [StrOptions({"line", "noise"})],
    }

    def __init__(
        self,
        filter: AdaptiveFilter | None = None,
        *,
        delay: int = 1,
        output: Literal["line", "noise"] = "line",
    ) -> None:
        self.filter = filter
        self.delay = delay
        self.output = output

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns of X."""
        check_is_fitted(self, "n_features_in_")
        return input_names(self, input_features)

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        inner = NLMSFilter(n_taps=64, step_size=0.01) if self.filter is None else self.filter
        parts: Parts = {f"filter{j}": clone(inner).stream() for j in range(n_features)}
        return parts | {"past": np.zeros((self.delay, n_features), dtype=dtype)}

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        line = np.empty_like(rows)
        delayed = np.concatenate([parts["past"], rows])
        for j in range(rows.shape[1]):
            reference, inner = delayed[: rows.shape[0], j : j + 1], parts[f"filter{j}"]
            if learn:
                line[:, j] = inner.learn_many(reference, rows[:, j])
            else:
                line[:, j] = inner.predict_many(reference)
        parts["past"] = delayed[rows.shape[0] :].copy()
        return line if self.output == "line" else rows - line

    def _publish(self, parts: Parts) -> None:
        self.filters_ = [parts[f"filter{j}"].to_filter() for j in range(self.n_features_in_)]
