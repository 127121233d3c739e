"""Networks whose row is one whole sequence, read at its last time step."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._numbers import naming
from filters.timeseries._sequences import holds_series
from filters.timeseries._validation import SeriesData, TargetForm, check_cases, check_weights

from ._base import Examples, RecurrentNetwork
from ._training import Task
from ._windows import Sequences


class CaseNetwork(RecurrentNetwork):
    """Base of the networks that answer a whole sequence with one output."""

    _row_wise = False
    _form: TargetForm

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : array-like of shape (n_cases,), of a regressor also (n_cases, n_outputs)
            NaN or None: unlabelled, weight zero.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of every case.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            When the loss is no longer finite.
        ValueError
            For parameters or data that cannot be used.
        """
        return self._fit(X, y, sample_weight)

    def transform(self, X: Any) -> np.ndarray:
        """What the output sees of every sequence: the last layer at its end, or all layers.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        columns : ndarray of shape (n_cases, n_columns)
            Without a head ``columns @ output_weights_.T + output_bias_`` are the outputs.
        """
        return self._read(self._check_data(X), columns=True)

    def input_saliency(self, X: Any, *, output: int = 0, step: int = -1) -> Any:
        """How much an output depends on each input: its derivative.

        Parameters
        ----------
        X : as in `fit`
        output : int, default=0
            Which output (of a classifier: which class, before softmax).
        step : int, default=-1
            Time step at which every sequence is read, as if it ended there; negative: from its
            end.

        Returns
        -------
        container of X, its shape
            d output / d X; zero behind `step`.
        """
        data = self._check_data(X)
        gradient = data.stacked.restore(self._saliency(data, output, step))
        return gradient if holds_series(X) else gradient[:, :, 0]

    def loss_and_gradients(
        self, X: Any, y: Any, *, sample_weight: Any = None
    ) -> tuple[float, dict[str, Any]]:
        """Loss at the current weights and its gradients, all cases as one batch.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        loss : float
            Penalties included.
        gradients : dict
            All fitted weights and biases, laid out and named as the attributes, in the dtype
            of X, before clipping.
        """
        return self._loss_and_gradients(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_data(self, X: Any, groups: Any = None) -> SeriesData:
        check_is_fitted(self)
        return check_cases(self, X, reset=False)

    def _examples(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, reset: bool, classes: Any
    ) -> Examples:
        data = check_cases(self, X, reset=reset)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        values, missing, form = self._case_targets(y)
        with naming("y"):
            check_consistent_length(np.empty(data.stacked.n_series), values)
        weights = check_weights(sample_weight, missing.size)
        weights = np.where(missing, 0.0, 1.0 if weights is None else weights)
        targets, n_outputs = self._encode(values, weights, reset, classes)
        if reset:
            self._form = form
        return Examples(data, targets, weights, n_outputs)

    def _split(self, examples: Examples) -> tuple[Task, Task]:
        """The last cases of every stratum that has more than one are for validation."""
        weights = examples.weights
        strata = self._strata(examples.targets)
        held = last_cases(strata, weights > 0, self.validation_fraction)
        return (
            self._task(examples, weights=weights * ~held),
            self._task(examples, weights=weights * held),
        )

    def _sequences(
        self, data: SeriesData, stops: np.ndarray, *, training: bool = False
    ) -> Sequences:
        return Sequences(data.rows, data.stacked.starts[:-1], stops, row_wise=False)


def last_cases(strata: np.ndarray, wanted: np.ndarray, fraction: float) -> np.ndarray:
    """Marks the last `fraction` of the wanted cases of every stratum that has more than one."""
    held = np.zeros(strata.size, dtype=bool)
    for stratum in np.unique(strata):
        cases = np.flatnonzero((strata == stratum) & wanted)
        if cases.size > 1:
            held[cases[-max(int(fraction * cases.size), 1) :]] = True
    return held
