"""One row = one whole sequence: a classifier and a regressor on the states of a reservoir."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._numbers import naming
from filters.timeseries._sklearn_private import StrOptions, non_negative, validate_parameters
from filters.timeseries._validation import (
    FLOATS,
    SeriesData,
    _label_targets,
    all_or_nothing,
    check_cases,
    check_weights,
)

from ._readout import project_to_simplex
from ._sequence_features import CONSTRAINTS, ReservoirFeatures
from ._sequence_readout import CaseReadout, ridge_of_cases, ridge_of_rows
from ._sequence_states import after_washout

Pooling = Literal["mean", "last", "mean_output", "model_space"]


class SequenceEstimator(BaseEstimator):
    """Parameters, fit and outputs of the estimators whose row is a whole sequence.

    A subclass says what its targets are and what the outputs mean.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "pooling": [StrOptions({"mean", "last", "mean_output", "model_space"})],
        "alpha": [non_negative(), StrOptions({"auto"})],
    }
    _target_noun: ClassVar[str]  # what an entry of y is called in messages

    def __init__(
        self,
        n_units: int | Sequence[int] = 200,
        *,
        spectral_radius: Any = 0.9,
        spectral_norm: Any = None,
        leak_rate: Any = 0.2,
        residual: Any = "identity",
        residual_scaling: Any = None,
        input_scaling: Any = 1.0,
        bias_scaling: Any = 0.5,
        density: Any = "auto",
        topology: Any = "random",
        input_weights: Any = "uniform",
        bias: Any = None,
        activation: Any = "tanh",
        include_input: bool = False,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        pooling: Pooling = "mean",
        n_components: int | Literal["auto"] = "auto",
        model_alpha: float = 1.0,
        bidirectional: bool = True,
        washout: int = 0,
        alpha: float | Literal["auto"] = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.spectral_norm = spectral_norm
        self.leak_rate = leak_rate
        self.residual = residual
        self.residual_scaling = residual_scaling
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.topology = topology
        self.input_weights = input_weights
        self.bias = bias
        self.activation = activation
        self.include_input = include_input
        self.dtype = dtype
        self.pooling = pooling
        self.n_components = n_components
        self.model_alpha = model_alpha
        self.bidirectional = bidirectional
        self.washout = washout
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Drive the reservoir through every sequence and solve the ridge regression.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : array-like of shape (n_cases,), or (n_cases, n_outputs) for a regressor
            Labels or numbers. A case with NaN in `y` is unlabelled: its weight is zero.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each case; zero is as if it were not there.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinity in `X`, targets that are missing or not one a case, and weights that
            are all zero.
        """
        with all_or_nothing(self):
            validate_parameters(self)
            data = check_cases(self, X, reset=True)
            if y is None:
                raise ValueError(
                    f"This {type(self).__name__} estimator requires y to be passed, but the "
                    "target y is None."
                )
            with naming("y"), np.errstate(invalid="ignore"):
                targets, unlabelled = self._check_targets(y)
            n_cases = data.stacked.n_series
            if unlabelled.size != n_cases:
                raise ValueError(
                    f"Found input variables with inconsistent numbers of samples: X has {n_cases} "
                    f"sequences, y has {unlabelled.size} {self._target_noun}."
                )
            weights = check_weights(sample_weight, n_cases)
            weights = np.ones(n_cases) if weights is None else weights
            self._learn(X, data, targets, np.where(unlabelled, 0.0, weights))
        return self

    def _learn(self, X: Any, data: SeriesData, targets: np.ndarray, weights: np.ndarray) -> None:
        kept = weights > 0
        if not kept.any():
            raise ValueError(
                "There is nothing to learn from: every case is unlabelled (NaN in y) or has "
                "sample weight zero."
            )
        columns = self._encode(targets[kept], weights[kept])
        shared = {name: getattr(self, name) for name in CONSTRAINTS}
        if self.pooling == "mean_output":
            shared["pooling"] = "mean"  # the mean output is the output at the mean state
        self.features_ = ReservoirFeatures(**shared)
        self.features_.fit(X, sample_weight=None if (weights == 1).all() else weights)
        if self.pooling == "mean_output":
            cases = self.features_._states(data, kept)
            washed = (after_washout(blocks, self.washout) for blocks in cases)
            readout = ridge_of_rows(washed, columns, weights[kept], self.alpha)
        else:
            pooled = self.features_._pool(data, kept)
            readout = ridge_of_cases(pooled, columns, weights[kept], self.alpha)
        self._publish(readout)

    def _publish(self, readout: CaseReadout) -> None:
        self._readout, self.alpha_ = readout, readout.alpha
        self.coef_, self.intercept_ = readout.coef, readout.intercept

    def _check_targets(self, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Targets of all cases, and which of them are unlabelled."""
        raise NotImplementedError

    def _encode(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Columns (n_cases, n_outputs) for the ridge regression."""
        raise NotImplementedError

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "coef_")
        pooled = self.features_._pool(check_cases(self, X, reset=False))
        return self._readout.predict(pooled)


class ESNSequenceClassifier(ClassifierMixin, SequenceEstimator):
    """Classify whole sequences by ridge regression on pooled reservoir states.

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, include_input, dtype, \
n_components, model_alpha, bidirectional, washout
        As in `ReservoirFeatures`.
    pooling : {"mean", "last", "mean_output", "model_space"}, default="mean"
        "mean_output": a readout of every row, taught the sequence's label at each of its rows; its
        outputs are averaged over the sequence. The others as in `ReservoirFeatures`.
    alpha : float or "auto", default="auto"
        L2 penalty on the standardised features; "auto" chooses it from 25 values in [1e-6, 1e6] by
        leave-one-out error, for "mean_output" by the error over five folds of whole sequences.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    features_ : ReservoirFeatures
    alpha_ : float
        The penalty used.
    coef_ : ndarray of shape (n_classes, n_pooled)
        On standardised features.
    intercept_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Time steps of a 2-D X, else channels.

    Raises
    ------
    ValueError
        As `ReservoirFeatures`, and for targets that are not labels or of one class only.

    Notes
    -----
    A case is a row: cases may be shuffled and split freely. Time comes before features. The rows of
    "mean_output" are folded into second moments, not stored.

    References
    ----------
    H. Jaeger et al., Optimization and applications of echo state networks with leaky-integrator
    neurons, Neural Networks 20 (2007), section 5.3 (Japanese Vowels).

    Examples
    --------
    >>> from reservoir import ESNSequenceClassifier
    >>> from reservoir.datasets import load_japanese_vowels
    >>> X, y, X_test, y_test = load_japanese_vowels()
    >>> bool(ESNSequenceClassifier(random_state=0).fit(X, y).score(X_test, y_test) > 0.95)
    True
    """

    _target_noun = "labels"

    def _check_targets(self, y: Any) -> tuple[np.ndarray, np.ndarray]:
        return _label_targets(y, allow_unlabelled=True)

    def _encode(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self.classes_, codes = np.unique(targets, return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError(
                f"ESNSequenceClassifier needs at least two classes in y; got one class: "
                f"{self.classes_.tolist()}."
            )
        return np.eye(self.classes_.size)[codes]

    def decision_function(self, X: Any) -> np.ndarray:
        """Score of every class (for two classes: second minus first).

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,) for two classes, else (n_cases, n_classes)
        """
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of every class: the scores projected onto the probability simplex.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases, n_classes)
        """
        scores = self._outputs(X)
        return project_to_simplex(scores).astype(scores.dtype, copy=False)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the label of every sequence.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,)
        """
        scores = self._outputs(X)
        return self.classes_[np.argmax(scores, axis=1)]


class ESNSequenceRegressor(MultiOutputMixin, RegressorMixin, SequenceEstimator):
    """Predict numbers for whole sequences by ridge regression on pooled reservoir states.

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, include_input, dtype, pooling, \
n_components, model_alpha, bidirectional, washout, random_state
        As in `ESNSequenceClassifier`.
    alpha : float or "auto", default="auto"
        As in `ESNSequenceClassifier`, one for all outputs; the error that chooses it counts every
        output in units of its standard deviation.

    Attributes
    ----------
    features_ : ReservoirFeatures
    alpha_ : float
        The penalty used.
    coef_ : ndarray of shape (n_pooled,) or (n_outputs, n_pooled)
        On standardised features.
    intercept_ : float or ndarray of shape (n_outputs,)
    n_features_in_ : int
        Time steps of a 2-D X, else channels.

    Raises
    ------
    ValueError
        As `ReservoirFeatures`, and for targets that are not numbers or fewer than two.

    Notes
    -----
    A case is a row: cases may be shuffled and split freely. Time comes before features. Targets in
    other units give the same model in those units.

    References
    ----------
    F. M. Bianchi et al., Reservoir computing approaches for representation and classification of
    multivariate time series, IEEE TNNLS 32 (2021), 2169-2179.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import ESNSequenceRegressor
    >>> rate = np.linspace(0.1, 0.5, 60)
    >>> X = np.sin(rate[:, np.newaxis] * np.arange(40))
    >>> bool(ESNSequenceRegressor(50, random_state=0).fit(X, rate).score(X, rate) > 0.99)
    True
    """

    _target_noun = "entries"

    def _check_targets(self, y: Any) -> tuple[np.ndarray, np.ndarray]:
        targets = check_array(
            y,
            ensure_2d=False,
            dtype=FLOATS,
            ensure_all_finite="allow-nan",
            input_name="y",
            estimator=self,
        ).astype(np.float64)
        self._n_dim = targets.ndim
        targets = targets.reshape(targets.shape[0], -1)
        return targets, np.isnan(targets).any(axis=1)

    def _encode(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if targets.shape[0] < 2:
            raise ValueError(
                "ESNSequenceRegressor needs at least two labelled cases; got 1 sample."
            )
        # Divided by the largest first: squares of huge or tiny targets leave the number range.
        peak = np.abs(targets).max(axis=0)
        peak = np.where(peak > 0, peak, 1.0)
        shares = targets / peak
        mean = np.average(shares, axis=0, weights=weights)
        spread = np.sqrt(np.average((shares - mean) ** 2, axis=0, weights=weights))
        spread = np.where(spread > 8 * np.finfo(float).eps, spread, 1.0)
        self._units = mean * peak, spread * peak
        return (shares - mean) / spread

    def _publish(self, readout: CaseReadout) -> None:
        super()._publish(readout.in_units(*self._units))
        if self._n_dim == 1:
            self.coef_, self.intercept_ = self.coef_[0], self.intercept_[0]

    def predict(self, X: Any) -> np.ndarray:
        """Predict the numbers of every sequence.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,) or (n_cases, n_outputs)
            As `y` was in `fit`; float32 for float32 sequences.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self._n_dim == 1 else outputs
