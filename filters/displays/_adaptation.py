"""FilterAdaptationDisplay: error, weights and step size over time."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone

from .._base import AdaptiveFilter, AdaptResult
from ..timeseries._adaptation import error_power, moving_mean
from ..timeseries._extras import require_report_extra
from ..timeseries._numbers import as_numbers
from ..timeseries._sklearn_private import checked, positive, positive_int
from ..timeseries._validation import check_mask, check_signal
from ._panels import AFTER, INK, Display, check_drawable, curve_of, panels_of

# More weights than this are told apart by shade instead of by a legend.
_MAX_NAMED = 8
# `from_estimator` keeps about this many snapshots of the weights.
_SNAPSHOTS = 500


class FilterAdaptationDisplay(Display):
    """Show how a filter adapted: its error, its weights and, if it is known, its step size.

    Make one by `from_estimator` or `from_result`; all parameters become attributes.

    Parameters
    ----------
    error : ndarray of shape (n_timesteps,) or (n_timesteps, n_outputs)
        A-priori error, real or complex.
    weights : ndarray of shape (n_stored, ...), default=None
        Weights after every `store_weights`-th sample; None: no panel.
    store_weights : int, default=1
        Samples between two rows of `weights`.
    step_size : ndarray of shape (n_timesteps,) or one value a `store_weights` samples, default=None
        Step size over time, of an algorithm that varies it; None: no panel.
    fs : float, default=None
        Sampling rate in Hz: time is then in seconds. None: in samples.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One a panel: error, weights if given, step size if given.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
    line_ : matplotlib Line2D
        The error's curve.

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import FilterAdaptationDisplay, NLMSFilter
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 2000))
    >>> display = FilterAdaptationDisplay.from_estimator(NLMSFilter(4), x, x + 0.1 * noise)
    >>> display.ax_.get_ylabel()
    'error power (dB re 1)'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "store_weights": [positive_int()],
        "fs": [positive(), None],
    }

    def __init__(
        self,
        *,
        error: Any,
        weights: Any = None,
        store_weights: int = 1,
        step_size: Any = None,
        fs: float | None = None,
    ) -> None:
        self.error = error
        self.weights = weights
        self.store_weights = store_weights
        self.step_size = step_size
        self.fs = fs

    @classmethod
    @checked(fs=[positive(), None], window=[positive_int()])
    def from_estimator(
        cls,
        filter: Any,
        x: Any,
        d: Any,
        *,
        update_mask: Any = None,
        fs: float | None = None,
        window: int = 100,
        ax: Any = None,
    ) -> Self:
        """Adapt a clone of a filter, from its initial weights, and draw what happened.

        Parameters
        ----------
        filter : estimator with `adapt`
            Left alone. Where its `store_weights` is 0, about 500 snapshots are kept, of the step
            size too if the filter has a `step_size_` that changes (`LMSFilter`,
            `VariableStepFilter`; the mean over outputs).
        x, d, update_mask
            As in its `adapt`.
        fs, window, ax
            As in `plot` and the constructor.

        Returns
        -------
        FilterAdaptationDisplay

        Raises
        ------
        ImportError
            Without the extra ``report``.
        TypeError
            If `filter` is no adaptive filter.
        ValueError
            For signals of different lengths, and as `adapt`.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        if not isinstance(filter, AdaptiveFilter):
            raise TypeError(f"filter must be an adaptive filter, got {type(filter).__name__}.")
        n = check_signal(d, "d").shape[0]
        if check_signal(x, "x").shape[0] != n:
            raise ValueError(f"x has {np.shape(x)[0]} samples, d has {n}.")
        x, d, mask = np.asarray(x), np.asarray(d), check_mask(update_mask, n)
        adapting = clone(filter)
        every = adapting.store_weights or max(1, n // _SNAPSHOTS)
        adapting.set_params(store_weights=every)
        pieces, steps = [], []
        for a in range(0, n, every):
            part = slice(a, a + every)
            heard = mask[part] if mask.size else None
            pieces.append(adapting.adapt(x[part], d[part], update_mask=heard))
            steps.append(np.mean(getattr(adapting, "step_size_", np.nan)))
        result = AdaptResult(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))
        # A step that never changed needs no picture.
        varied = steps if np.ptp(steps) > 0 else None
        return cls.from_result(
            result, store_weights=every, step_size=varied, fs=fs, window=window, ax=ax
        )

    @classmethod
    @checked(result=[AdaptResult])
    def from_result(
        cls,
        result: AdaptResult,
        *,
        store_weights: int = 1,
        step_size: Any = None,
        fs: float | None = None,
        window: int = 100,
        ax: Any = None,
    ) -> Self:
        """Draw what `adapt` returned.

        Parameters
        ----------
        result : AdaptResult
        store_weights : int, default=1
            As the filter had it; without meaning where `result.weights` is None.
        step_size, fs, window, ax
            As in `plot` and the constructor.

        Returns
        -------
        FilterAdaptationDisplay
        """
        display = cls(
            error=result.error,
            weights=result.weights,
            store_weights=store_weights,
            step_size=step_size,
            fs=fs,
        )
        return display.plot(ax, window=window)

    def plot(self, ax: Any = None, *, window: int = 100) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One takes the error alone, as many as there are panels take all; None makes a figure.
        window : int, default=100
            Samples in the centred moving average of the error's power.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For arrays or axes that do not fit each other.
        """
        self._check_drawable()
        power, scale = error_power(self.error)
        weights = None if self.weights is None else self._checked_weights()
        steps = None if self.step_size is None else curve_of(self.step_size, "step_size")
        with np.errstate(divide="ignore"):
            level = 10 * np.log10(moving_mean(power, window)) + 20 * np.log10(scale)
        n = level.size
        panels = [] if weights is None else [partial(self._plot_weights, weights)]
        panels += [] if steps is None else [partial(self._plot_steps, steps, n)]
        self._check_lengths(n, weights, steps)
        self.axes_ = panels_of(ax, 1 + len(panels))
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        label = "one sample" if window == 1 else f"mean of {window} samples"
        times = self._times(np.arange(n))
        (self.line_,) = self.ax_.plot(times, level, color=AFTER, lw=1, label=label)
        self.ax_.set_ylabel("error power (dB re 1)")
        self.ax_.legend(loc="upper right", frameon=False)
        for draw, axes in zip(panels, self.axes_[1:], strict=False):
            draw(axes)
        self.axes_[-1].set_xlabel("samples" if self.fs is None else "time (s)")
        return self

    def _checked_weights(self) -> np.ndarray:
        rows = as_numbers(self.weights, "weights")
        if rows.ndim < 2 or 0 in rows.shape[1:]:
            raise ValueError(
                f"weights must have shape (n_stored, n_channels, n_taps), got {rows.shape}."
            )
        check_drawable(rows, "weights")
        return rows

    def _check_lengths(self, n: int, weights: np.ndarray | None, steps: np.ndarray | None) -> None:
        if weights is not None and abs(n // self.store_weights - len(weights)) > 1:
            raise ValueError(
                f"{n} samples and store_weights={self.store_weights} do not give "
                f"{len(weights)} rows of weights. Give the filter's store_weights."
            )
        stored = -(-n // self.store_weights)
        if steps is not None and steps.shape not in ((n,), (stored,)):
            raise ValueError(
                f"step_size must have shape ({n},), one a sample, or ({stored},), one a "
                f"{self.store_weights} samples; got {steps.shape}."
            )

    def _times(self, samples: np.ndarray) -> np.ndarray:
        return samples if self.fs is None else samples / self.fs

    def _plot_weights(self, rows: np.ndarray, axes: Any) -> None:
        import matplotlib as mpl

        curves = rows.reshape(len(rows), -1)
        # Row k was stored after sample (k + 1) store_weights - 1 from the first.
        times = self._times((np.arange(len(rows)) + 1) * self.store_weights - 1)
        shades = mpl.colormaps["viridis"](np.linspace(0, 0.9, curves.shape[1]))
        is_complex = np.iscomplexobj(curves)
        for place, curve, shade in zip(np.ndindex(rows.shape[1:]), curves.T, shades, strict=True):
            # A single output or channel needs no index.
            index = [i for i, size in zip(place, rows.shape[1:], strict=True) if size > 1] or [0]
            label = f"$w_{{{','.join(map(str, index))}}}$"
            values = np.abs(curve) if is_complex else curve
            axes.plot(times, values, color=shade, lw=1, label=label)
        axes.set_ylabel("magnitude of weights" if is_complex else "weights")
        if curves.shape[1] <= _MAX_NAMED:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        else:
            axes.set_title(f"{curves.shape[1]} weights, newest sample darkest", fontsize="medium")

    def _plot_steps(self, steps: np.ndarray, n: int, axes: Any) -> None:
        ends = np.arange(1, steps.size + 1) * (1 if steps.size == n else self.store_weights)
        axes.plot(self._times(np.minimum(ends, n) - 1), steps, color=INK, lw=1)
        axes.set_ylabel("step size")
