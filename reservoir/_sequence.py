"""One row = one whole sequence: reservoir features of a sequence, and a classifier on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._sklearn_private import (
    StrOptions,
    non_negative,
    positive_int,
    validate_parameters,
)
from filters.timeseries._validation import SeriesData, check_cases

from ._driving import parts_of
from ._readout import project_to_simplex
from ._reservoir import Reservoir

_ALPHAS = np.logspace(-6, 6, 25)
_RESERVOIR_PARAMETERS = (
    "n_units",
    "spectral_radius",
    "leak_rate",
    "input_scaling",
    "bias_scaling",
    "density",
    "topology",
    "input_weights",
    "bias",
    "activation",
    "dtype",
)
_CONSTRAINTS: dict[str, list[Any]] = {
    **{name: Reservoir._parameter_constraints[name] for name in _RESERVOIR_PARAMETERS},
    "pooling": [StrOptions({"mean", "last"})],
    "bidirectional": ["boolean"],
    "washout": [positive_int(0)],
    "random_state": ["random_state"],
}


class ReservoirFeatures(TransformerMixin, BaseEstimator):
    """Turn every sequence into one fixed-length vector of pooled reservoir states.

    Parameters
    ----------
    n_units, spectral_radius, leak_rate, input_scaling, bias_scaling, density, topology, \
input_weights, bias, activation, dtype
        As in `Reservoir`; the defaults leak .2 and bias .5 suit short sequences. The inputs are
        standardised over all training rows and divided by sqrt(n_features).
    pooling : {"mean", "last"}, default="mean"
        Mean of the states after the washout, or the last state.
    bidirectional : bool, default=True
        Also drive the reservoir through the sequence backwards and append its features.
    washout : int, default=0
        First steps of each sequence (and direction) left out of the mean; sequences must be longer.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    reservoir_ : Reservoir
    mean_, scale_ : ndarray of shape (n_channels,)
        Standardisation of the inputs.
    n_features_in_ : int
        Time steps of a 2-D X, else channels.

    Raises
    ------
    SequenceError
        For empty or too short sequences, differing channel counts.
    ValueError
        For NaN or infinity, or parameters out of range.

    References
    ----------
    F. M. Bianchi et al., Reservoir computing approaches for representation and classification of
    multivariate time series, IEEE TNNLS 32 (2021), 2169-2179.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import ReservoirFeatures
    >>> cases = [np.zeros((5, 2)), np.ones((9, 2))]
    >>> ReservoirFeatures(10, random_state=0).fit_transform(cases).shape
    (2, 20)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _CONSTRAINTS

    def __init__(
        self,
        n_units: int | Sequence[int] = 100,
        *,
        spectral_radius: Any = 0.9,
        leak_rate: Any = 0.2,
        input_scaling: Any = 1.0,
        bias_scaling: Any = 0.5,
        density: Any = "auto",
        topology: Any = "random",
        input_weights: Any = "uniform",
        bias: Any = None,
        activation: Any = "tanh",
        dtype: Literal["auto", "float32", "float64"] = "auto",
        pooling: Literal["mean", "last"] = "mean",
        bidirectional: bool = True,
        washout: int = 0,
        random_state: Any = None,
    ) -> None:
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.topology = topology
        self.input_weights = input_weights
        self.bias = bias
        self.activation = activation
        self.dtype = dtype
        self.pooling = pooling
        self.bidirectional = bidirectional
        self.washout = washout
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw the reservoir and learn the standardisation of the inputs.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : ignored

        Returns
        -------
        self
        """
        validate_parameters(self)
        rows = check_cases(self, X, reset=True).rows
        with np.errstate(over="ignore", invalid="ignore"):
            scaler = StandardScaler().fit(rows)  # knows a constant from its rounding
        self.mean_, self.scale_ = scaler.mean_, scaler.scale_
        if not (np.isfinite(self.mean_).all() and np.isfinite(self.scale_).all()):
            raise ValueError("X is too large to be standardised: its squares overflow. Scale it.")
        parameters = {name: getattr(self, name) for name in _RESERVOIR_PARAMETERS}
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self.reservoir_ = Reservoir(**parameters, random_state=seed).fit(rows[:1])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Pool the states of every sequence.

        Parameters
        ----------
        X : as in `fit`
            Sequences of any length.

        Returns
        -------
        ndarray of shape (n_cases, n_units * (1 + bidirectional))
            Of several layers, n_units is the sum of their sizes.
        """
        check_is_fitted(self, "reservoir_")
        return self._pool(check_cases(self, X, reset=False))

    def _pool(self, data: SeriesData) -> np.ndarray:
        shortest = int(data.stacked.lengths.min())
        if shortest <= self.washout:
            raise ValueError(
                f"washout={self.washout} leaves nothing of a sequence of {shortest} time steps."
            )
        dtype = self.reservoir_._dtype_for(data.rows.dtype)
        drive = (data.rows - self.mean_) / (self.scale_ * np.sqrt(self.mean_.size))
        drive = drive.astype(dtype)
        spans = list(data.stacked.spans())
        n_directions = 1 + self.bidirectional
        n_states = self.reservoir_._n_state
        pooled = np.empty((len(spans), n_directions, n_states), dtype=dtype)
        for j in range(n_directions):
            if j == 1:
                drive = np.concatenate([drive[a:b][::-1] for a, b in spans])
            for part in parts_of(spans):
                begin = spans[part.start][0]
                inside = [(a - begin, b - begin) for a, b in spans[part]]
                starts = np.zeros((len(inside), n_states), dtype=dtype)
                rows = drive[begin : begin + inside[-1][1]]
                states, last = self.reservoir_._advance_all(rows, inside, starts)
                if self.pooling == "last":
                    pooled[part, j] = last
                else:
                    pooled[part, j] = [states[a + self.washout : b].mean(axis=0) for a, b in inside]
        return pooled.reshape(pooled.shape[0], -1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names ``forward0, ...`` and, for both directions, ``backward0, ...``."""
        check_is_fitted(self, "reservoir_")
        directions = ["forward", "backward"][: 1 + self.bidirectional]
        names = [
            f"{direction}{i}" for direction in directions for i in range(self.reservoir_._n_state)
        ]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class ESNSequenceClassifier(ClassifierMixin, BaseEstimator):
    """Classify whole sequences by ridge regression on pooled reservoir states.

    Parameters
    ----------
    n_units, spectral_radius, leak_rate, input_scaling, bias_scaling, density, topology, \
input_weights, bias, activation, dtype, pooling, bidirectional, washout
        As in `ReservoirFeatures`.
    alpha : float or "auto", default="auto"
        L2 penalty on the standardised features; "auto" chooses it from 25 values in [1e-6, 1e6] by
        leave-one-out error.
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
    A case is a row: cases may be shuffled and split freely. Time comes before features.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_CONSTRAINTS,
        "alpha": [non_negative(), StrOptions({"auto"})],
    }

    def __init__(
        self,
        n_units: int | Sequence[int] = 200,
        *,
        spectral_radius: Any = 0.9,
        leak_rate: Any = 0.2,
        input_scaling: Any = 1.0,
        bias_scaling: Any = 0.5,
        density: Any = "auto",
        topology: Any = "random",
        input_weights: Any = "uniform",
        bias: Any = None,
        activation: Any = "tanh",
        dtype: Literal["auto", "float32", "float64"] = "auto",
        pooling: Literal["mean", "last"] = "mean",
        bidirectional: bool = True,
        washout: int = 0,
        alpha: float | Literal["auto"] = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.topology = topology
        self.input_weights = input_weights
        self.bias = bias
        self.activation = activation
        self.dtype = dtype
        self.pooling = pooling
        self.bidirectional = bidirectional
        self.washout = washout
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Pool the states of every sequence and solve the ridge regression on one-hot labels.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : array-like of labels, shape (n_cases,)

        Returns
        -------
        self
        """
        validate_parameters(self)
        data = check_cases(self, X, reset=True)
        if y is None:
            raise ValueError(
                "This ESNSequenceClassifier estimator requires y to be passed, but the target y "
                "is None."
            )
        labels = column_or_1d(y, warn=True)
        if labels.dtype.kind == "f":
            check_array(labels, ensure_2d=False, input_name="y")
        check_classification_targets(labels)
        if labels.size != data.stacked.n_series:
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: X has "
                f"{data.stacked.n_series} sequences, y has {labels.size} labels."
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError(
                f"ESNSequenceClassifier needs at least two classes in y; got one class: "
                f"{self.classes_.tolist()}."
            )
        shared = {name: getattr(self, name) for name in _CONSTRAINTS}
        self.features_ = ReservoirFeatures(**shared).fit(X)
        pooled = self.features_._pool(data).astype(np.float64)
        self._mean = pooled.mean(axis=0)
        deviation = pooled.std(axis=0)
        self._scale = np.where(deviation > 1e-12, deviation, 1.0)
        alphas = _ALPHAS if self.alpha == "auto" else np.array([max(self.alpha, 1e-12)])
        ridge = RidgeCV(alphas=alphas).fit(
            (pooled - self._mean) / self._scale, np.eye(self.classes_.size)[codes]
        )
        self.alpha_, self.coef_, self.intercept_ = ridge.alpha_, ridge.coef_, ridge.intercept_
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Score of every class (for two classes: second minus first).

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,) for two classes, else (n_cases, n_classes)
        """
        scores = self._scores(X)
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
        return project_to_simplex(self._scores(X))

    def predict(self, X: Any) -> np.ndarray:
        """Predict the label of every sequence.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_cases,)
        """
        scores = self._scores(X)
        return self.classes_[np.argmax(scores, axis=1)]

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "coef_")
        pooled = self.features_._pool(check_cases(self, X, reset=False))
        standard = (pooled.astype(np.float64) - self._mean) / self._scale
        return np.einsum("nc,kc->nk", standard, self.coef_) + self.intercept_
