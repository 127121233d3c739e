"""EigenvalueDisplay: the spectrum of a recurrent matrix in the unit circle."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from filters.displays._panels import AFTER, BEFORE, Display, check_drawable, panels_of
from filters.timeseries._extras import require_report_extra
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import StrOptions, checked, whole

from ..baselines._inside import GATES, network_of, one_step_jacobian, recurrent_matrix
from ..diagnostics._echo_states import leaky_matrix


class EigenvalueDisplay(Display):
    """Show the eigenvalues of a recurrent matrix, or of the map from one state to the next.

    Those of a reservoir, or of a gradient-trained network: beyond the circle a small disturbance
    grows and gradients may explode, within it both fade.

    Make one by `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    eigenvalues : array-like of shape (n_units,), complex
    leaky : bool, default=False
        Whether they are those of the map from state to state; for the title only.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "leaky": ["boolean"],
    }

    def __init__(self, *, eigenvalues: Any, leaky: bool = False) -> None:
        self.eigenvalues = eigenvalues
        self.leaky = leaky

    @classmethod
    @checked(
        leaky=["boolean"],
        layer=[whole()],
        gate=[StrOptions({gate for gates in GATES.values() for gate in gates}), None],
        backward=["boolean"],
    )
    def from_estimator(
        cls,
        reservoir: Any,
        *,
        leaky: bool = False,
        layer: int = 0,
        gate: str | None = None,
        backward: bool = False,
        ax: Any = None,
    ) -> Self:
        """Compute the spectrum of a reservoir or of a network and draw it.

        Parameters
        ----------
        reservoir : Reservoir, network of `reservoir.baselines` or RNNForecaster
            A reservoir may be fitted (drawn as it is) or not (a clone is fitted).
        leaky : bool, default=False
            The map of small disturbances at rest in place of W: ``diag(1 - a) + diag(a) W`` of a
            reservoir; of a network the Jacobian d state(t) / d state(t-1), all layers and cell
            states together, at the zero state and zero input.
        layer : int, default=0
            Of a network: whose W.
        gate : str, default=None
            Of a network: which block of it, "i", "f", "g" or "o" of an LSTM and "z", "r" or "h" of
            a GRU; None takes the candidate, "g" or "h". An Elman cell has "h" only.
        backward : bool, default=False
            Of a bidirectional network: whose W, that of the direction against time.
        ax
            As in `plot`.

        Returns
        -------
        EigenvalueDisplay

        Raises
        ------
        TypeError
            For anything else.
        ValueError
            For a matrix that the network has not.

        Notes
        -----
        All eigenvalues of a dense copy: twice the units cost 8 times the time.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        network = network_of(reservoir)
        if network is None:
            matrix = leaky_matrix(reservoir, leaky=leaky).toarray()
        elif leaky:
            matrix = one_step_jacobian(network)
        else:
            matrix = recurrent_matrix(network, layer, gate, backward)
        return cls(eigenvalues=np.linalg.eigvals(matrix), leaky=leaky).plot(ax)

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
        values = as_numbers(self.eigenvalues, "eigenvalues").ravel()
        check_drawable(values, "eigenvalues")
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
