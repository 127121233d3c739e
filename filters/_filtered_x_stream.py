"""A filtered-x controller at work: it plays drives and learns from what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._state import State
from ._stream import FilterStream, as_block
from .timeseries._errors import DivergenceError

if TYPE_CHECKING:
    from ._filtered_x import FilteredXFilter


class FilteredXStream(FilterStream):
    """Session of a `FilteredXFilter`: predictions are drives, learned answers are anti-noise.

    ``learn_one`` and ``learn_many`` simulate the loop as `FilteredXFilter.adapt` does. In a real
    one ``predict_one(x)`` is what to play and ``learn_error(e)`` takes the residual measured at
    the microphone.

    Examples
    --------
    >>> from filters import FilteredXFilter
    >>> session = FilteredXFilter(secondary_path=[0.0, 1.0], initial_weights=[3.0]).stream()
    >>> session.predict_one(1.0), session.learn_error(0.5)
    (3.0, None)
    """

    def __init__(self, filter: FilteredXFilter, state: State | None) -> None:
        super().__init__(filter, state)
        self._controller = filter

    def predict_many(self, X: Any) -> np.ndarray:
        """The drives for a block, which moves the memory of the path on and learns nothing."""
        return self._play(X)[0]

    def anti_noise_many(self, X: Any) -> np.ndarray:
        """As `predict_many`, but what the drives are at the microphone."""
        return self._play(X)[1]

    def _play(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        rows = as_block(X, "X")
        n_outputs = 1 if self._state is None else self._state["weights"].shape[0]
        state = self._state_for(rows, np.zeros((1, n_outputs), dtype=rows.dtype))
        rows = rows.astype(state["weights"].dtype, copy=False)
        first = self._controller._play(state, rows[:-1])
        before = dict(state)  # an error may be measured after the last row
        last = self._controller._play(state, rows[-1:])
        drive, heard = (np.concatenate(pair) for pair in zip(first, last, strict=True))
        playable = np.isfinite(drive).all(axis=1)
        if not playable.all():  # no loudspeaker plays infinity
            step = int(state["n_samples_seen"]) - rows.shape[0] + int(np.argmin(playable))
            advice = self._controller._divergence_advice(rows)
            raise DivergenceError(f"FilteredXFilter diverged at time step {step} {advice}", step)
        self._move_on(state)
        self._heard = before, rows[-1:], heard[-1:]
        return (drive[:, 0], heard[:, 0]) if n_outputs == 1 else (drive, heard)
