"""StatesDisplay: the states of a reservoir or of a network over time."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from filters.displays._panels import Display, curves_of, panels_of
from filters.timeseries._extras import require_report_extra
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import positive

from ..baselines._base import RecurrentNetwork
from ..baselines._inside import hidden_states
from ..diagnostics._driving import check_one_series, fitted

_MAX_NAMED = 8  # more curves than these are told apart by shade instead of by a legend


class StatesDisplay(Display):
    """Show how some units of a reservoir, or of a trained network, answer a series.

    Make one by `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    states : array-like of shape (n_timesteps, n_shown)
    units : array-like of int, shape (n_shown,), default=None
        Number of each unit, for the legend; None counts from 0.
    dt : float, default=None
        Time between rows; time is then in its unit. None: in steps.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One a unit.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir, StatesDisplay
    >>> X = np.sin(0.2 * np.arange(200))[:, np.newaxis]
    >>> len(StatesDisplay.from_estimator(Reservoir(50, random_state=0), X, units=[0, 7]).lines_)
    2
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "dt": [positive(), None],
    }

    def __init__(self, *, states: Any, units: Any = None, dt: float | None = None) -> None:
        self.states = states
        self.units = units
        self.dt = dt

    @classmethod
    def from_estimator(
        cls, reservoir: Any, X: Any, *, units: Any = None, dt: float | None = None, ax: Any = None
    ) -> Self:
        """Drive a reservoir or a network through a series, from a zero state, and draw.

        Parameters
        ----------
        reservoir : Reservoir or other transformer, or network of `reservoir.baselines`
            Fitted (drawn as it is) or not (a clone is fitted; a network must be). What is drawn of
            a network are the hidden states of its last layer, h(t), also where it reads a whole
            case: there, the state if the case ended at t.
        X : array-like of shape (n_timesteps, n_features)
            One series, or one case.
        units : array-like of int, default=None
            Columns to draw; None takes 8, evenly spaced.
        dt, ax
            As in the constructor and `plot`.

        Returns
        -------
        StatesDisplay

        Raises
        ------
        ValueError
            For `units` that are not numbers of columns.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        rows = check_one_series(X)
        if isinstance(reservoir, RecurrentNetwork):
            states = hidden_states(reservoir, rows)
        else:
            states = np.asarray(fitted(reservoir, rows).transform(rows))
        n_units = states.shape[1]
        if units is None:
            units = np.unique(np.linspace(0, n_units - 1, _MAX_NAMED).astype(int))
        units = as_numbers(units, "units")
        whole = units.dtype.kind in "iu" and units.ndim == 1 and units.size > 0
        if not whole or (units < 0).any() or (units >= n_units).any():
            raise ValueError(
                f"units must be numbers from 0 to {n_units - 1}, got {units.tolist()}."
            )
        return cls(states=states[:, units], units=units, dt=dt).plot(ax)

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
        ValueError
            For arrays that do not fit each other.
        """
        self._check_drawable()
        import matplotlib as mpl

        states = curves_of(self.states, "states")
        shown = range(states.shape[1]) if self.units is None else self.units
        units = as_numbers(shown, "units")
        if np.ndim(self.states) != 2 or units.shape != states.shape[1:]:
            raise ValueError(
                f"states must have shape (n_timesteps, n_shown), one unit a column; got "
                f"{np.shape(self.states)} and units {self.units}."
            )
        (axes,) = panels_of(ax, 1)
        times = np.arange(states.shape[0]) * (1 if self.dt is None else self.dt)
        shades = mpl.colormaps["viridis"](np.linspace(0, 0.9, states.shape[1]))
        self.lines_ = [
            axes.plot(times, states[:, i], color=shades[i], lw=1, label=f"unit {unit}")[0]
            for i, unit in enumerate(units)
        ]
        axes.set_xlabel("steps" if self.dt is None else "time")
        axes.set_ylabel("state")
        if len(self.lines_) <= _MAX_NAMED:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        self.ax_, self.figure_ = axes, axes.figure
        return self
