"""SpectrumDisplay: power spectral densities before and after a filter."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from scipy import signal

from ..theory import coherence_bound
from ..timeseries._extras import require_report_extra
from ..timeseries._sklearn_private import checked, positive, positive_int
from ..timeseries._validation import check_one_signal
from ._panels import AFTER, BEFORE, INK, Display, check_drawable, curve_of, panels_of


class SpectrumDisplay(Display):
    """Show what a filter did to the spectrum of a signal, and what was possible.

    Make one by `from_signals`; all parameters become attributes.

    Parameters
    ----------
    frequencies : ndarray of shape (n_frequencies,)
    before_db, after_db : ndarray of shape (n_frequencies,)
        Power spectral densities in dB.
    bound_db : ndarray of shape (n_frequencies,), default=None
        The least that a fixed linear filter of a reference can leave, in dB; None: no such curve.
    fs : float, default=None
        Sampling rate in Hz. None: frequencies are in cycles per sample.
    unit : str, default=None
        Unit of the signals, for the label.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        Before, after and, if there is one, the bound.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import SpectrumDisplay
    >>> noisy = np.random.default_rng(0).standard_normal(4000)
    >>> display = SpectrumDisplay.from_signals(noisy, 0.1 * noisy, fs=360.0, unit="mV")
    >>> display.ax_.get_ylabel()
    'power spectral density (dB re 1 mV$^2$/Hz)'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [positive(), None],
        "unit": [str, None],
    }

    def __init__(
        self,
        *,
        frequencies: Any,
        before_db: Any,
        after_db: Any,
        bound_db: Any = None,
        fs: float | None = None,
        unit: str | None = None,
    ) -> None:
        self.frequencies = frequencies
        self.before_db = before_db
        self.after_db = after_db
        self.bound_db = bound_db
        self.fs = fs
        self.unit = unit

    @classmethod
    @checked(fs=[positive(), None], nperseg=[positive_int(2)], unit=[str, None])
    def from_signals(
        cls,
        before: Any,
        after: Any,
        *,
        reference: Any = None,
        fs: float | None = None,
        nperseg: int = 256,
        unit: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Estimate the spectra of two signals and draw them.

        Parameters
        ----------
        before, after : array-like of shape (n_timesteps,)
            What went into the filter and what came out, real or complex (then two-sided). Cut off
            the time in which the filter had not settled.
        reference : array-like of shape (n_timesteps,), default=None
            What a canceller listened to: adds the spectrum of `before` less
            `filters.theory.coherence_bound`, below which no fixed linear filter of it gets. A
            filter that follows a drift may.
        fs : float, default=None
            Sampling rate in Hz.
        nperseg : int, default=256
            Samples per segment of Welch's average (half overlapping, Hann window, its mean taken
            out). A tone in white noise stands out 3 dB more for every doubling.
        unit : str, default=None
            Unit of the signals, such as "mV".
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        SpectrumDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For NaN, signals of different lengths or shorter than `nperseg`.
        """
        require_report_extra(f"{cls.__name__}.from_signals", "matplotlib")
        before, after = check_one_signal(before, "before"), check_one_signal(after, "after")
        if before.size != after.size or nperseg > before.size:
            raise ValueError(
                f"before has {before.size} samples, after {after.size}; they must be as many as "
                f"each other and at least nperseg={nperseg}."
            )
        check_drawable(before, "before")  # beyond that, their squares overflow
        check_drawable(after, "after")
        rate = 1.0 if fs is None else fs
        kind = np.result_type(before, after)
        bound = None
        if reference is not None:
            heard = check_one_signal(reference, "reference")
            kind = np.result_type(kind, heard)
            _, bound = coherence_bound(heard, before.astype(kind), rate, nperseg=nperseg)
        frequencies, before_db = _density_db(before.astype(kind), rate, nperseg)
        after_db = _density_db(after.astype(kind), rate, nperseg)[1]
        order = np.argsort(frequencies)
        display = cls(
            frequencies=frequencies[order],
            before_db=before_db[order],
            after_db=after_db[order],
            bound_db=None if bound is None else (before_db - bound)[order],
            fs=fs,
            unit=unit,
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self._check_drawable()
        frequencies = curve_of(self.frequencies, "frequencies")
        curves = [
            (self._level("before_db"), {"color": BEFORE, "lw": 1.6, "label": "before"}),
            (self._level("after_db"), {"color": AFTER, "lw": 1.2, "label": "after"}),
        ]
        if self.bound_db is not None:
            style = {"color": INK, "lw": 1, "ls": ":", "label": "coherence bound"}
            curves.append((self._level("bound_db"), style))
        (axes,) = panels_of(ax, 1)
        self.lines_ = [axes.plot(frequencies, y, **style)[0] for y, style in curves]
        axes.set_xlabel("frequency (cycles per sample)" if self.fs is None else "frequency (Hz)")
        per = "cycle per sample" if self.fs is None else "Hz"
        one = "1" if self.unit is None else f"1 {self.unit}$^2$"
        axes.set_ylabel(f"power spectral density (dB re {one}/{per})")
        axes.legend(loc="best", frameon=False)
        self.ax_, self.figure_ = axes, axes.figure
        return self

    def _level(self, name: str) -> np.ndarray:
        """One of the curves in decibels; that of silence is minus infinity."""
        level = curve_of(getattr(self, name), name, infinite=True)
        if level.size != np.size(self.frequencies):
            raise ValueError(
                f"{name} has {level.size} values, frequencies has {np.size(self.frequencies)}."
            )
        return level


def _density_db(values: np.ndarray, fs: float, nperseg: int) -> tuple[np.ndarray, np.ndarray]:
    one_sided = not np.iscomplexobj(values)
    frequencies, density = signal.welch(values, fs=fs, nperseg=nperseg, return_onesided=one_sided)
    with np.errstate(divide="ignore"):
        return frequencies, 10 * np.log10(density)
