"""LineEnhancer: what a signal's own past can predict is periodic."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone

from ._base import AdaptiveFilter
from ._lms import NLMSFilter
from ._online import OnlineTask
from ._task_stream import Parts
from .timeseries._sklearn_private import StrOptions, positive_int


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

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        inner = NLMSFilter(n_taps=64, step_size=0.01) if self.filter is None else self.filter
        session = clone(inner).stream()
        parts: Parts = {f"filter{j}": session.copy() for j in range(n_features)}
        return parts | {"past": np.zeros((self.delay, n_features), dtype=dtype)}

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        n = rows.shape[0]
        delayed = np.concatenate([parts["past"], rows])
        parts["past"] = delayed[n:].copy()
        # A column at a time, each in one piece of memory.
        line, references = np.empty_like(rows.T, order="C"), delayed[:n].T.copy()
        for j, signal in enumerate(rows.T.copy()):
            inner = parts[f"filter{j}"]
            if learn:
                line[j] = inner.learn_many(references[j], signal)
            else:
                line[j] = inner.predict_many(references[j])
        return line.T.copy() if self.output == "line" else rows - line.T

    def _publish(self, parts: Parts) -> None:
        self.filters_ = [parts[f"filter{j}"].to_filter() for j in range(self.n_features_in_)]
