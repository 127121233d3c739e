"""MemoryCurveDisplay: how much of each past input the states hold."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from filters.displays._panels import AFTER, BEFORE, Display, curve_of, panels_of
from filters.timeseries._extras import require_report_extra
from filters.timeseries._sklearn_private import checked

from ..diagnostics import MemoryCapacity, memory_capacity


class MemoryCurveDisplay(Display):
    """Show the memory capacity of a reservoir delay by delay.

    Make one by `from_estimator` or `from_capacity`; all parameters become attributes.

    Parameters
    ----------
    profile : array-like of shape (max_delay + 1,)
        Capacity at each delay from 0 on.
    label : str, default=None
        Name of the curve in the legend; the total is added to it.

    Attributes
    ----------
    line_ : matplotlib Line2D
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> from filters import TapDelay
    >>> from reservoir import MemoryCurveDisplay
    >>> display = MemoryCurveDisplay.from_estimator(TapDelay(5), 10, n_timesteps=3000)
    >>> display.line_.get_ydata().round(1)[:7] + 0.0
    array([1., 1., 1., 1., 1., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "label": [str, None],
    }

    def __init__(self, *, profile: Any, label: str | None = None) -> None:
        self.profile = profile
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        reservoir: Any,
        max_delay: int,
        *,
        label: str | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Measure the memory capacity of a reservoir and draw it.

        Parameters
        ----------
        reservoir, max_delay
            As in `reservoir.diagnostics.memory_capacity`.
        label, ax
            As in the constructor and `plot`.
        **options
            Further arguments of `memory_capacity`: n_timesteps, washout, random_state, ...

        Returns
        -------
        MemoryCurveDisplay
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        capacity = memory_capacity(reservoir, max_delay, **options)
        return cls.from_capacity(capacity, label=label, ax=ax)

    @classmethod
    @checked(capacity=[MemoryCapacity])
    def from_capacity(
        cls, capacity: MemoryCapacity, *, label: str | None = None, ax: Any = None
    ) -> Self:
        """Draw what `memory_capacity` returned.

        Parameters
        ----------
        capacity : MemoryCapacity
        label, ax
            As in the constructor and `plot`.

        Returns
        -------
        MemoryCurveDisplay
        """
        return cls(profile=capacity.profile, label=label).plot(ax)

    def plot(self, ax: Any = None, **line: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure; several displays on the same axes make a comparison.
        **line
            Properties of the curve, such as ``color``.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        self._check_drawable()
        profile = curve_of(self.profile, "profile")
        (axes,) = panels_of(ax, 1)
        total = f"total {profile.sum():.1f}"
        label = total if self.label is None else f"{self.label}: {total}"
        style = {"color": AFTER, "lw": 1.4, "label": label, **line}
        (self.line_,) = axes.plot(np.arange(profile.size), profile, **style)
        axes.axhline(0.0, color=BEFORE, lw=0.6)
        axes.set_xlabel("delay (steps)")
        axes.set_ylabel("memory capacity")
        axes.legend(loc="upper right", frameon=False)
        self.ax_, self.figure_ = axes, axes.figure
        return self
