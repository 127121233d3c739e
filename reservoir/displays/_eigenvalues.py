"""EigenvalueDisplay: the spectrum of the recurrent matrix in the unit circle."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from filters.displays._panels import AFTER, BEFORE, panels_of
from filters.timeseries._extras import require_report_extra

from ..diagnostics._echo_states import leaky_matrix


class EigenvalueDisplay:
    """Show the eigenvalues of a reservoir's recurrent matrix, or of its leaky map.

    Make one by `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_units,), complex
    leaky : bool, default=False
        Whether they are those of ``diag(1 - a) + diag(a) W``; for the title only.

    Attributes
    ----------
    points_ : matplotlib Line2D
        The eigenvalues.
    circle_ : matplotlib Line2D
        The unit circle.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import EigenvalueDisplay, Reservoir
    >>> display = EigenvalueDisplay.from_estimator(Reservoir(50, spectral_radius=0.8))
    >>> bool(np.isclose(np.abs(display.eigenvalues).max(), 0.8))
    True
    """

    def __init__(self, *, eigenvalues: Any, leaky: bool = False) -> None:
        self.eigenvalues = eigenvalues
        self.leaky = leaky

    @classmethod
    def from_estimator(cls, reservoir: Any, *, leaky: bool = False, ax: Any = None) -> Self:
        """Compute the spectrum of a reservoir and draw it.

        Parameters
        ----------
        reservoir : Reservoir
            Fitted (drawn as it is) or not (a clone is fitted).
        leaky : bool, default=False
            The spectrum of ``diag(1 - a) + diag(a) W``, the map of small disturbances of a
            reservoir at rest, in place of that of W.
        ax
            As in `plot`.

        Returns
        -------
        EigenvalueDisplay

        Raises
        ------
        TypeError
            For anything but a Reservoir.

        Notes
        -----
        All eigenvalues of a dense copy: twice the units cost 8 times the time.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        matrix = leaky_matrix(reservoir, leaky=leaky)
        return cls(eigenvalues=np.linalg.eigvals(matrix.toarray()), leaky=leaky).plot(ax)

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
        require_report_extra(f"{type(self).__name__}.plot", "matplotlib")
        values = np.asarray(self.eigenvalues)
        (axes,) = panels_of(ax, 1)
        turn = np.linspace(0, 2 * np.pi, 400)
        (self.circle_,) = axes.plot(np.cos(turn), np.sin(turn), color=BEFORE, lw=1)
        (self.points_,) = axes.plot(values.real, values.imag, "o", color=AFTER, ms=3, mew=0)
        axes.set_aspect("equal")
        axes.set_xlabel("real part")
        axes.set_ylabel("imaginary part")
        radius = np.abs(values).max(initial=0.0)
        name = "effective spectral radius" if self.leaky else "spectral radius"
        axes.set_title(f"{name} {radius:.3g}", fontsize="medium")
        self.ax_, self.figure_ = axes, axes.figure
        return self
