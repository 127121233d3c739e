"""From hidden states to outputs: dense ReLU layers and a linear one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


class Head:
    """y = V relu(... relu(A s + a) ...) + b; knows shapes, holds no weights.

    A dense layer is one matrix ``[weights | bias]``.

    Parameters
    ----------
    n_columns : int
        Entries of s.
    sizes : sequence of int
        Units of the ReLU layers.
    n_outputs : int
    """

    def __init__(self, n_columns: int, sizes: Sequence[int], n_outputs: int) -> None:
        widths = [n_columns, *sizes, n_outputs]
        self.shapes = [(n_out, n_in + 1) for n_in, n_out in pairwise(widths)]

    def forward(self, dense: Sequence[np.ndarray], columns: np.ndarray) -> list[np.ndarray]:
        """What each dense layer sees, (n_rows, .), and the outputs at the end of the list."""
        seen = [columns]
        for block in dense:
            seen.append(seen[-1] @ block[:, :-1].T + block[:, -1])
            if len(seen) <= len(self.shapes):
                np.maximum(seen[-1], 0.0, out=seen[-1])
        return seen

    def backward(
        self,
        dense: Sequence[np.ndarray],
        seen: Sequence[np.ndarray],
        error: np.ndarray,
        gradients: Sequence[np.ndarray] | None = None,
    ) -> np.ndarray:
        """dL/dcolumns from `error`, dL/doutputs.

        Parameters
        ----------
        dense : arrays of the `shapes`
        seen : as `forward` returned it
        error : ndarray of shape (n_rows, n_outputs)
        gradients : arrays of the `shapes`, or None
            dL/ddense is added here.
        """
        for k in range(len(dense) - 1, -1, -1):
            if gradients is not None:
                gradients[k][:, :-1] += error.T @ seen[k]
                gradients[k][:, -1] += error.sum(axis=0)
            error = error @ dense[k][:, :-1]
            if k > 0:
                error = error * (seen[k] > 0)
        return error
