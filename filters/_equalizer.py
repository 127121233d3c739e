"""ChannelEqualizer: undo a channel from training symbols."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ._base import AdaptiveFilter
from ._equalizer_stream import EqualizerStream, advance, begin_series, open_parts
from ._rls import RLSFilter
from ._stream import FilterStream
from ._task_stream import Parts, copy_parts
from .theory import estimate_delay
from .timeseries._mixins import SeriesRegressorMixin
from .timeseries._sklearn_private import HasMethods, StrOptions, validate_parameters, whole
from .timeseries._validation import SeriesData, all_or_nothing, check_series
from .timeseries._windows import delay_embed

# "auto" looks at this many rows; the delay of a channel does not need more.
_MAX_ROWS = 20_000
# Penalty of the ridge that compares delays, relative to the mean power of a tap.
_RIDGE = 1e-6


class ChannelEqualizer(SeriesRegressorMixin, BaseEstimator):
    """Recover transmitted symbols from what came out of a channel.

    .. math:: \\hat a(t) = w \\cdot [x(t + \\Delta), x(t + \\Delta - 1), \\ldots,
              x(t + \\Delta - n_{taps} + 1)]

    The filter adapts to the desired signal a(n - delay): an equaliser needs samples from after a
    symbol as well as before it, so it answers `delay` samples late.

    Parameters
    ----------
    filter : AdaptiveFilter, default=None
        Cloned, not changed; None takes ``RLSFilter(n_taps=11)``.
    delay : int or "auto", default="auto"
        Decision delay in samples, channel delay included; negative where the training symbols come
        later than the received ones. "auto" finds the peak of the cross-correlation and takes,
        among the delays within n_taps of it, the one with the least ridge-regression error.

    Attributes
    ----------
    filter_ : AdaptiveFilter
        The adapted filter.
    delay_ : int
        The delay in use.
    n_features_in_ : int
        Received channels (antennas, or samples per symbol).

    Raises
    ------
    ValueError
        For NaN, infinity or a delay that leaves no row to train on.

    Notes
    -----
    `fit` adapts once, in order; rows whose desired symbol lies outside the series are not learned
    from. `predict` runs the frozen filter and moves its output back by `delay_`, so that row t
    answers symbol t. Samples outside the series count as zero: the last `delay_` answers of each
    series (the first ones, for a negative delay) are made from fewer samples and are less sure.
    Decisions are the caller's: ``np.sign`` of the answer for binary symbols. Complex symbols go
    through `stream`, with a given delay.

    References
    ----------
    S. Haykin, Adaptive Filter Theory, 5th ed., computer experiment on adaptive equalisation (11
    taps, desired symbol a(n - 7)).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import ChannelEqualizer
    >>> a = np.random.default_rng(0).choice([-1.0, 1.0], 1000)
    >>> x = np.convolve(a, [0.3, 1.0, 0.3])[:1000, np.newaxis]
    >>> equalizer = ChannelEqualizer().fit(x[:500], a[:500])
    >>> bool((np.sign(equalizer.predict(x)) == a).mean() > 0.99)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filter": [HasMethods(["adapt", "predict", "stream"]), None],
        "delay": [whole(), StrOptions({"auto"})],
    }

    def __init__(
        self, filter: AdaptiveFilter | None = None, *, delay: int | Literal["auto"] = "auto"
    ) -> None:
        self.filter = filter
        self.delay = delay

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Adapt once through the training symbols.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_channels), list, panel or MultiIndex frame
            Received signal. Weights go on from series to series, the delay line does not.
        y : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs), in X's container
            Transmitted symbols; row t is sent at the time row t of X is received.
        groups : array-like of shape (n_timesteps,), default=None
            Series of each row.

        Returns
        -------
        self

        Raises
        ------
        ValueError, DivergenceError
            After an error the equaliser is as it was before the call.
        """
        with all_or_nothing(self):
            data, inner = self._begin(X, y, groups)
            longest = max(b - a for a, b in data.stacked.spans())
            if abs(self.delay_) >= longest:
                raise ValueError(
                    f"delay={self.delay_} leaves no row to train on: the longest series has "
                    f"{longest} row(s). Give a smaller delay or longer series."
                )
            return self._learn(data, open_parts(inner, self.delay_, data.rows, data.targets))

    def partial_fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Go on adapting where the last call stopped; the first call settles an "auto" delay.

        Plain rows may come in chunks of any size, also shorter than the delay.

        Parameters
        ----------
        X, y, groups
            As in `fit`. Stated series start and end with an empty delay line.

        Returns
        -------
        self

        Raises
        ------
        ValueError, DivergenceError
            As `fit`.
        """
        with all_or_nothing(self):
            if not hasattr(self, "_parts"):
                data, inner = self._begin(X, y, groups)
                return self._learn(data, open_parts(inner, self.delay_, data.rows, data.targets))
            data = check_series(self, X, y, reset=False, target="numeric", groups=groups)
            return self._learn(data, copy_parts(self._parts))

    def stream(self, initial_state: dict[str, np.ndarray] | None = None) -> EqualizerStream:
        """Open a session that goes on sample by sample; the equaliser stays as it is.

        Parameters
        ----------
        initial_state : dict of arrays, default=None
            A `state` of an earlier session; None goes on where the last fit stopped, or starts
            anew if there was none.

        Returns
        -------
        EqualizerStream

        Raises
        ------
        ValueError
            Before `fit` with ``delay="auto"``, or for a state of something else.
        """
        validate_parameters(self)
        delay = getattr(self, "delay_", self.delay)
        if delay == "auto":
            raise ValueError('delay="auto" is found by fit: fit first, or give a delay.')
        return EqualizerStream(
            self._inner(), int(delay), getattr(self, "_parts", None), initial_state
        )

    def _begin(self, X: Any, y: Any, groups: Any) -> tuple[SeriesData, FilterStream]:
        """Data of the first call and a new filter; settles the delay."""
        validate_parameters(self)
        data = check_series(self, X, y, reset=True, target="numeric", groups=groups)
        inner = self._inner()
        n_taps = getattr(inner._filter, "n_taps", 1)
        self.delay_ = _best_delay(data, n_taps) if self.delay == "auto" else int(self.delay)
        return data, inner

    def _inner(self) -> FilterStream:
        return (RLSFilter(n_taps=11) if self.filter is None else clone(self.filter)).stream()

    def _learn(self, data: SeriesData, parts: Parts) -> Self:
        for a, b in data.stacked.spans():
            if data.stacked.bounded:
                begin_series(parts)
                if b - a <= abs(self.delay_):  # there is nothing to learn from
                    continue
            advance(parts, data.rows[a:b], data.targets[a:b])
        if data.stacked.bounded:
            begin_series(parts)
        self._parts = parts
        self.filter_ = parts["filter"].to_filter()
        self._target_form = data.form
        return self

    def predict(self, X: Any, *, groups: Any = None) -> Any:
        """Equalise with the frozen weights; row t answers symbol t.

        Parameters
        ----------
        X, groups
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_timesteps,) or (n_timesteps, n_outputs), or container of X

        Raises
        ------
        NotFittedError
            Before a fit, and while every row seen waits for later ones (a long `delay`).
        """
        check_is_fitted(self)
        if not hasattr(self.filter_, "coef_"):
            raise NotFittedError(
                f"ChannelEqualizer has learned nothing yet: with delay={self.delay_} every row so "
                "far waits for later ones. Give more rows."
            )
        data = check_series(self, X, reset=False, groups=groups)
        n_ahead = max(self.delay_, 0)
        after = np.zeros((n_ahead, data.rows.shape[1]), dtype=data.rows.dtype)
        parts = []
        for a, b in data.stacked.spans():
            output = self.filter_.predict(np.concatenate([data.rows[a:b], after]))
            output = output.reshape(output.shape[0], -1)
            early = np.zeros((min(max(-self.delay_, 0), b - a), output.shape[1]), output.dtype)
            parts.append(np.concatenate([early, output[n_ahead:]])[: b - a])
        return self._target_form.restore(data.stacked, np.concatenate(parts))


def _best_delay(data: SeriesData, n_taps: int) -> int:
    """Delay of least ridge error near the peak of the cross-correlation."""
    rows, targets = _unit(data.rows), _unit(data.targets)
    spans, left = [], _MAX_ROWS
    for a, b in data.stacked.spans():
        if left > 0:
            spans.append((a, min(b, a + left)))
            left -= spans[-1][1] - a
    start = _bulk_delay(rows, targets, max(spans, key=lambda span: span[1] - span[0]))
    longest = max(b - a for a, b in spans)
    near = range(start - n_taps + 1, start + n_taps)
    delays = [d for d in near if abs(d) < longest]
    n_inputs, n_outputs = n_taps * data.rows.shape[1], data.targets.shape[1]
    gram, cross = np.zeros((n_inputs, n_inputs)), np.zeros((n_inputs, len(delays), n_outputs))
    for a, b in spans:
        _add_moments(rows[a:b], targets[a:b], n_taps, delays, gram, cross)
    penalty = _RIDGE * np.trace(gram) / n_inputs
    if not penalty > 0:
        return 0
    moments = cross.reshape(n_inputs, -1)
    solved = cho_solve(cho_factor(gram + penalty * np.eye(n_inputs)), moments)
    explained = np.sum((moments * solved).reshape(cross.shape), axis=(0, 2))
    return delays[int(np.argmax(explained))]


def _add_moments(
    rows: np.ndarray,
    targets: np.ndarray,
    n_taps: int,
    delays: list[int],
    gram: np.ndarray,
    cross: np.ndarray,
) -> None:
    """Add one series to Z'Z and, for every delay, Z'y, means taken out.

    All delays share one Gram matrix: the series is continued by zeros on both sides, far enough
    for the latest symbol, so that a delay only moves the desired signal along.
    """
    n, margin = rows.shape[0], max(abs(d) for d in delays)
    rows, targets = rows - rows.mean(axis=0), targets - targets.mean(axis=0)
    pad = np.zeros((margin, rows.shape[1]))
    windows = delay_embed(np.concatenate([pad, rows, pad]), n_taps)
    gram += windows.T @ windows
    for j, d in enumerate(delays):
        cross[:, j] += windows[margin + d : margin + d + n].T @ targets


def _bulk_delay(rows: np.ndarray, targets: np.ndarray, span: tuple[int, int]) -> int:
    """Delay of the received channels against the symbols where the two correlate most."""
    rows, targets = rows[slice(*span)], targets[slice(*span)]
    best, delay = 0.0, 0
    for x in rows.T:
        for d in targets.T:
            spread = x.size * d.std() * x.std()
            # Compared too, since the rounded deviation of a constant need not be zero.
            if not spread > 0 or any((values == values[0]).all() for values in (x, d)):
                continue
            k = estimate_delay(d, x)
            n = x.size - abs(k)
            a, b = d[max(-k, 0) :][:n], x[max(k, 0) :][:n]
            strength = abs(np.dot(a - d.mean(), b - x.mean())) / spread
            if strength > best:
                best, delay = strength, k
    return delay


def _unit(values: np.ndarray) -> np.ndarray:
    """In units of the largest, a power of two: no product overflows, and no bit changes."""
    largest = float(np.abs(values).max(initial=0.0))
    return np.ldexp(values.astype(np.float64), -np.frexp(largest)[1])
