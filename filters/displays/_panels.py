"""What the displays share: colours, axes, and the checks of what is drawn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..timeseries._extras import require_report_extra
from ..timeseries._numbers import as_numbers, real_columns
from ..timeseries._sklearn_private import check_values
from ..timeseries._validation import check_finite

# Beyond this the margins of an axis, and powers of ten on it, come near the largest float.
LARGEST_DRAWN = 1e100
BEFORE, AFTER, INK = "#8a949e", "#c2410c", "#1f2933"


class Display:
    """Base of the displays: attributes, of which the numbers and words are checked by `plot`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def _check_drawable(self) -> None:
        """Raise where matplotlib is missing or a number or a word is not what it must be."""
        require_report_extra(f"{type(self).__name__}.plot", "matplotlib")
        check_values(type(self).__name__, vars(self), self._parameter_constraints)


def curves_of(values: Any, name: str, *, infinite: bool = False) -> np.ndarray:
    """Real `values` as columns ``(n_points, n_curves)``, to be drawn.

    With `infinite` they may be so (decibels of silence), but not NaN.

    Raises
    ------
    TypeError, ValueError
        For what is not made of numbers, has more axes, is empty, complex or not finite.
    """
    array = as_numbers(values, name)
    if array.ndim > 2:
        raise ValueError(f"{name} must have one axis or two, got shape {array.shape}.")
    columns = real_columns(array, name)
    check_drawable(np.where(np.isinf(columns), 0, columns) if infinite else columns, name)
    return columns


def check_drawable(values: np.ndarray, name: str) -> None:
    """Raise a ValueError for numbers, real or complex, that are not finite or beyond an axis."""
    if values.size == 0:
        raise ValueError(f"{name} is empty: there is nothing to draw.")
    magnitude = np.abs(values).reshape(len(values), -1)
    check_finite(magnitude, name=name)
    largest = float(magnitude.max())
    if largest > LARGEST_DRAWN:
        raise ValueError(
            f"{name} reaches {largest:.3g}; above {LARGEST_DRAWN:g} nothing can be drawn. Scale it "
            "down."
        )


def curve_of(values: Any, name: str, *, infinite: bool = False) -> np.ndarray:
    """As `curves_of` for a single curve, ``(n_points,)``."""
    columns = curves_of(values, name, infinite=infinite)
    if columns.shape[1] != 1:
        raise ValueError(f"{name} must be one curve, got {columns.shape[1]} columns.")
    return columns[:, 0]


def panels_of(ax: Any, n_panels: int) -> np.ndarray:
    """`ax` as an array of axes, or those of a new figure."""
    if ax is None:
        import matplotlib.pyplot as plt

        size = (7.0, 1.8 + 2.2 * n_panels)
        _, axes = plt.subplots(n_panels, 1, sharex=True, figsize=size, layout="constrained")
        return np.atleast_1d(axes)
    from matplotlib.axes import Axes

    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if not all(isinstance(one, Axes) for one in axes):
        raise TypeError(f"ax must be matplotlib Axes or an array of them, got {ax!r}.")
    if axes.size not in (1, n_panels):
        raise ValueError(f"there are {n_panels} panel(s) to draw, ax holds {axes.size} axes.")
    return axes
