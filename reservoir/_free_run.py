"""Running freely: every prediction of a model is its next input."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._validation import SeriesData, TargetForm


class FreeRunner:
    """What `forecast` of every row-wise regressor shares.

    A subclass answers series from a state (`_answer`), knows the answer to the last row of its
    training and the state after it (`_end_answer`), and closes the loop (`_close_loop`).
    """

    _remedy: ClassVar[str]  # against a free run that diverges
    n_features_in_: int
    _target_form: TargetForm
    _n_outputs: int
    _dtype: np.dtype

    def forecast(self, n_steps: int, *, context: Any = None) -> Any:
        """Run freely: every prediction is the next input.

        Parameters
        ----------
        n_steps : int
        context : array-like of shape (n_timesteps, n_features), list or panel, default=None
            Rows that bring the memory to its state; several run as a batch. None goes on from the
            last row of the last training series.

        Returns
        -------
        ndarray of shape (n_steps,) or (n_steps, n_outputs), or the container of `context`
            Element 0 is the prediction for the first step after the context.

        Raises
        ------
        ValueError
            If the model does not predict its own input (n_outputs != n_features).
        DivergenceError
            If the loop leaves the finite numbers.
        """
        check_is_fitted(self)
        n_steps = check_steps(n_steps)
        if self._n_outputs != self.n_features_in_:
            raise ValueError(
                f"forecast feeds predictions back as inputs, so it needs n_outputs == n_features; "
                f"here y has {self._n_outputs} and X {self.n_features_in_}. Fit on "
                "(X[:-1], X[1:]) for that."
            )
        if context is None:
            return self._free_run(*self._end_answer(), n_steps)
        outputs, states, data = self._answer(context, None, None)
        last = data.stacked.starts[1:] - 1
        runs = [
            self._free_run(outputs[i], state, n_steps)
            for i, state in zip(last, states, strict=True)
        ]
        if not data.stacked.bounded:
            return runs[0]
        return np.stack(runs) if data.stacked.container == "panel" else runs

    def _free_run(
        self, first: np.ndarray, state: np.ndarray, n_steps: int, exog: np.ndarray | None = None
    ) -> np.ndarray:
        """The output `first`, then the closed loop from `state`, `n_steps` outputs in all.

        `exog (n_steps - 1, n_features - n_outputs)` are the input columns beside the fed-back ones.
        """
        outputs = np.empty((n_steps, self._n_outputs), dtype=self._dtype)
        outputs[0] = first
        exog = np.empty((n_steps - 1, 0), dtype=self._dtype) if exog is None else exog
        bad = self._close_loop(outputs, state, exog) if np.isfinite(outputs[0]).all() else 0
        if bad >= 0:
            raise self._ran_away(bad, n_steps)
        return outputs[:, 0] if self._target_form.ndim == 1 else outputs

    def _ran_away(self, step: int, n_steps: int) -> DivergenceError:
        return DivergenceError(
            f"{type(self).__name__}.forecast diverged at step {step} of {n_steps}: its own output "
            f"drove it out of the finite numbers. {self._remedy}",
            step,
        )

    def _answer(
        self, X: Any, groups: Any, initial_state: Any
    ) -> tuple[np.ndarray, np.ndarray, SeriesData]:
        """Outputs of every row, the states after each series, the data."""
        raise NotImplementedError

    def _end_answer(self) -> tuple[np.ndarray, np.ndarray]:
        """Output of the last row of training, and the state after it."""
        raise NotImplementedError

    def _close_loop(self, outputs: np.ndarray, state: np.ndarray, exog: np.ndarray) -> int:
        """Fill ``outputs[1:]``, each from the one before; return the first bad step or -1."""
        raise NotImplementedError


def check_steps(n_steps: Any) -> int:
    is_int = isinstance(n_steps, int | np.integer) and not isinstance(n_steps, bool)
    if not (is_int and 0 < n_steps < 2**40):
        raise ValueError(f"n_steps must be a positive integer (below 2**40), got {n_steps!r}.")
    return int(n_steps)
