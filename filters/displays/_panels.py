"""Colours and axes of the displays."""

from __future__ import annotations

from typing import Any

import numpy as np

BEFORE, AFTER, INK = "#8a949e", "#c2410c", "#1f2933"


def panels_of(ax: Any, n_panels: int) -> np.ndarray:
    """`ax` as an array of axes, or those of a new figure."""
    if ax is None:
        import matplotlib.pyplot as plt

        size = (7.0, 1.8 + 2.2 * n_panels)
        _, axes = plt.subplots(n_panels, 1, sharex=True, figsize=size, layout="constrained")
        return np.atleast_1d(axes)
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if axes.size not in (1, n_panels):
        raise ValueError(f"there are {n_panels} panel(s) to draw, ax holds {axes.size} axes.")
    return axes
