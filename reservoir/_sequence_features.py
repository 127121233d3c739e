"""ReservoirFeatures: one vector a sequence, from the states of a reservoir driven through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._sklearn_private import (
    StrOptions,
    positive,
    positive_int,
    validate_parameters,
)
from filters.timeseries._validation import SeriesData, all_or_nothing, check_cases, check_weights

from ._moments import Moments
from ._reservoir import Reservoir
from ._sequence_states import NextStateModel, after_washout, drive_cases, last_state, mean_state

_RESERVOIR_PARAMETERS = (
    "n_units",
    "spectral_radius",
    "spectral_norm",
    "leak_rate",
    "residual",
    "residual_scaling",
    "input_scaling",
    "bias_scaling",
    "density",
    "topology",
    "input_weights",
    "bias",
    "activation",
    "include_input",
    "dtype",
)
CONSTRAINTS: dict[str, list[Any]] = {
    **{name: Reservoir._parameter_constraints[name] for name in _RESERVOIR_PARAMETERS},
    "pooling": [StrOptions({"mean", "last", "model_space"})],
    "n_components": [positive_int(), StrOptions({"auto"})],
    "model_alpha": [positive()],
    "bidirectional": ["boolean"],
    "washout": [positive_int(0)],
    "random_state": ["random_state"],
}
_MOST_COMPONENTS = 40


class ReservoirFeatures(TransformerMixin, BaseEstimator):
    """Turn every sequence into one fixed-length vector of pooled reservoir states.

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, include_input, dtype
        As in `Reservoir`; the defaults leak .2 and bias .5 suit short sequences. The inputs are
        standardised over all training rows and divided by sqrt(n_features).
    pooling : {"mean", "last", "model_space"}, default="mean"
        Mean of the states after the washout; the last state; or the parameters of the ridge model
        that predicts the next state, reduced by principal components, from the present one.
    n_components : int or "auto", default="auto"
        Principal components of the states in the model space; "auto" is 40, or all if fewer.
    model_alpha : float, default=1.0
        L2 penalty of the model space's ridge models, where the leading component has variance 1.
    bidirectional : bool, default=True
        Also drive the reservoir through the sequence backwards; the states of both runs stand side
        by side, each in the order of its own run.
    washout : int, default=0
        First steps of each sequence (and direction) left out of the mean and of the models;
        sequences must be longer.
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

    Notes
    -----
    In the model space a vector has n_components * (n_components + 1) entries, often more than
    there are cases: use a regularised readout on the standardised features. The step from rest into
    the first row counts, so a sequence of one row has a model too.

    References
    ----------
    F. M. Bianchi et al., Reservoir computing approaches for representation and classification of
    multivariate time series, IEEE TNNLS 32 (2021), 2169-2179.
    H. Chen, P. Tino, A. Rodan, X. Yao, Learning in the model space for cognitive fault diagnosis,
    IEEE TNNLS 25 (2013), 124-136.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import ReservoirFeatures
    >>> cases = [np.zeros((5, 2)), np.ones((9, 2))]
    >>> ReservoirFeatures(10, random_state=0).fit_transform(cases).shape
    (2, 20)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    def __init__(
        self,
        n_units: int | Sequence[int] = 100,
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
        pooling: Literal["mean", "last", "model_space"] = "mean",
        n_components: int | Literal["auto"] = "auto",
        model_alpha: float = 1.0,
        bidirectional: bool = True,
        washout: int = 0,
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
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Draw the reservoir, learn the standardisation of the inputs and the components.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_timesteps) or (n_cases, n_timesteps, n_features), or
            list of (T_i, n_features)
        y : ignored
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each case in what is learned.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For NaN or infinity in `X`, weights that are all zero, and ``pooling="mean_output"``,
            which needs targets.
        """
        if isinstance(self.pooling, str) and self.pooling == "mean_output":
            raise ValueError(
                'pooling="mean_output" averages the outputs of a readout, which needs targets: use '
                "ESNSequenceClassifier or ESNSequenceRegressor."
            )
        with all_or_nothing(self):
            validate_parameters(self)
            data = check_cases(self, X, reset=True)
            self._learn(data, check_weights(sample_weight, data.stacked.n_series))
        return self

    def _learn(self, data: SeriesData, weights: np.ndarray | None) -> None:
        if weights is not None and not (weights > 0).any():
            raise ValueError("All sample weights are zero: there is nothing to learn from.")
        row_weights = None if weights is None else np.repeat(weights, data.stacked.lengths)
        # Powers of two change no digit, and keep the squares of huge and tiny inputs in range.
        size = np.ldexp(1.0, np.frexp(np.abs(data.rows).max(axis=0))[1] - 1)
        scaler = StandardScaler().fit(data.rows / size.astype(data.rows.dtype), None, row_weights)
        constant = scaler.scale_ != np.sqrt(scaler.var_)  # up to rounding
        self.mean_ = scaler.mean_ * size
        self.scale_ = np.where(constant, 1.0, scaler.scale_ * size)
        parameters = {name: getattr(self, name) for name in _RESERVOIR_PARAMETERS}
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self.reservoir_ = Reservoir(**parameters, random_state=seed).fit(data.rows[:1])
        self._model = self._state_model(data, weights) if self.pooling == "model_space" else None

    def _state_model(self, data: SeriesData, weights: np.ndarray | None) -> NextStateModel:
        n_columns = self._n_columns * self._n_directions
        if isinstance(self.n_components, str):
            n_components = min(_MOST_COMPONENTS, n_columns)
        else:
            n_components = self.n_components
        if n_components > n_columns:
            raise ValueError(
                f"n_components={n_components} is more than the {n_columns} columns of the states. "
                'Lower it, or use "auto".'
            )
        moments = Moments(n_columns, 0)
        for i, blocks in enumerate(self._states(data)):
            for states in after_washout(blocks, self.washout):
                n_rows = states.shape[0]
                weight = None if weights is None else np.full(n_rows, weights[i])
                moments.update(states, np.empty((n_rows, 0)), weight)
        dtype = self.reservoir_._dtype_for(data.rows.dtype)
        return NextStateModel(moments, n_components, self.model_alpha, dtype)

    def transform(self, X: Any) -> np.ndarray:
        """Pool the states of every sequence.

        Parameters
        ----------
        X : as in `fit`
            Sequences of any length.

        Returns
        -------
        ndarray of shape (n_cases, n_columns)
            (1 + bidirectional) * n_units columns, and the channels' with `include_input`; in the
            model space n_components * (n_components + 1), every target component's weights and its
            constant in turn.
        """
        check_is_fitted(self, "reservoir_")
        return self._pool(check_cases(self, X, reset=False))

    @property
    def _n_directions(self) -> int:
        return 1 + bool(self.bidirectional)

    @property
    def _n_columns(self) -> int:
        return self.reservoir_._n_features_out

    def _states(
        self, data: SeriesData, kept: np.ndarray | None = None
    ) -> Iterator[Iterator[np.ndarray]]:
        """States of every case, or of the `kept` ones, in blocks of rows; see `drive_cases`."""
        cases = self._standardised(data)
        if kept is not None:
            cases = [case for case, keep in zip(cases, kept, strict=True) if keep]
        return drive_cases(self.reservoir_, cases, self._n_directions)

    def _standardised(self, data: SeriesData) -> list[np.ndarray]:
        shortest = int(data.stacked.lengths.min())
        if shortest <= self.washout:
            raise ValueError(
                f"washout={self.washout} leaves nothing of a sequence of {shortest} time steps."
            )
        dtype = self.reservoir_._dtype_for(data.rows.dtype)
        with np.errstate(over="ignore"):
            rows = (data.rows - self.mean_) / (self.scale_ * np.sqrt(self.mean_.size))
            rows = rows.astype(dtype)
        if not np.isfinite(rows).all():
            raise ValueError(
                f"X is too far from the training sequences: standardised by their mean and "
                f"deviation it leaves the range of {dtype}."
            )
        return [rows[a:b] for a, b in data.stacked.spans()]

    def _pool(self, data: SeriesData, kept: np.ndarray | None = None) -> np.ndarray:
        cases = [self._pool_case(blocks) for blocks in self._states(data, kept)]
        return np.array(cases, dtype=self.reservoir_._dtype_for(data.rows.dtype))

    def _pool_case(self, blocks: Iterator[np.ndarray]) -> np.ndarray:
        if self._model is not None:
            return self._model.parameters(blocks, self.washout)
        if self.pooling == "last":
            return last_state(blocks)
        return mean_state(after_washout(blocks, self.washout))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns.

        ``forward0, ...`` are units, ``forward_x0, ...`` channels, ``backward0, ...`` those of the
        other direction. In the model space: ``next0_by0, next0_by1, ..., next0_constant, ...``.
        """
        check_is_fitted(self, "reservoir_")
        if self._model is not None:
            components = range(self._model.directions.shape[1])
            sources = [*(f"by{j}" for j in components), "constant"]
            return np.array([f"next{i}_{j}" for i in components for j in sources], dtype=object)
        n_units = self.reservoir_._n_state
        columns = [str(i) for i in range(n_units)]
        columns += [f"_x{i}" for i in range(self._n_columns - n_units)]
        directions = ["forward", "backward"][: self._n_directions]
        return np.array(
            [f"{way}{column}" for way in directions for column in columns], dtype=object
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
