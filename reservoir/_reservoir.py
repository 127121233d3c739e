"""Reservoir: the fixed random recurrent network, a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._numbers import as_numbers, naming
from filters.timeseries._sklearn_private import (
    StrOptions,
    finite,
    input_names,
    non_negative,
    positive_int,
    unit_interval,
)

from . import topologies
from ._driving import drive_side_by_side, kernel_form
from ._layers import advance, advance_all, check_one_layer, fit_layers, is_listed, noise_rngs
from .kernels.activations import ACTIVATIONS
from .kernels.drive import closed_loop, drive

_MATRICES = ("recurrent", "input", "bias", "feedback", "noise")


def child_seeds(random_state: Any) -> dict[str, int]:
    """One seed per matrix, so that changing one of them leaves the others as they are."""
    seeds = check_random_state(random_state).randint(2**31 - 1, size=len(_MATRICES))
    return dict(zip(_MATRICES, seeds.tolist(), strict=True))


class Reservoir(Memory):
    """Turn series into the states of a fixed random recurrent network.

    .. math:: x(t) = (1 - a) x(t-1) + a f(W x(t-1) + W_{in} u(t) + b), \\quad x(-1) = 0

    Parameters
    ----------
    n_units : int or list of int, default=100
        A list is a deep reservoir: sizes of layers, each driven by the states (of the same step)
        of the one below. Then every parameter from `spectral_radius` to `noise` may be a list or
        tuple with one entry a layer; anything else, an array too, holds for all layers.
    spectral_radius : float or None, default=0.9
        Largest absolute eigenvalue of W as used. It rescales a given matrix too; None uses the
        matrix as it is.
    leak_rate : float or array-like of shape (n_units,), default=1.0
        a in [0, 1], one for all or one a unit.
    input_scaling : float or array-like of shape (n_features,), default=1.0
        Multiplies the input weights, one for all or one a feature.
    bias_scaling : float, default=0.0
        Multiplies the bias drawn on [-1, 1]. Without a bias, tanh makes an odd map: even functions
        of the input cannot be learned.
    density : float in (0, 1] or "auto", default="auto"
        Fraction of non-zeros of W; "auto" is about 10 connections a unit. Refused where the
        topology has none to set.
    topology : str, matrix or callable, default="random"
        Name of a function in ``reservoir.topologies``, a matrix (n_units, n_units), dense or
        scipy.sparse (it is copied), or ``f(n_units, random_state=) -> matrix``.
    input_weights : {"uniform", "bernoulli", "gaussian"} or array-like, default="uniform"
        Distribution on [-1, 1], on {-1, 1} or normal, or a matrix (n_units, n_features); all are
        multiplied by `input_scaling`.
    bias : array-like of shape (n_units,), default=None
        Used as it is; None draws it.
    activation : {"tanh", "relu", "identity", "sigmoid"}, default="tanh"
    noise : float, default=0.0
        Standard deviation of Gaussian noise inside f, in the `fit` of a model only.
    include_input : bool, default=False
        Append the input row to the states.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Precision of states; "auto" is that of X.
    random_state : int, RandomState or None, default=None
        One child seed per matrix.

    Attributes
    ----------
    recurrent_weights_ : ndarray or scipy.sparse.csr_array of shape (n_units, n_units)
        W as used. Several layers: a list of them from the bottom up, as of the next two.
    input_weights_ : ndarray of shape (n_units, n_features)
        Of a layer above the first, ``(n_units, units of the layer below)``.
    bias_ : ndarray of shape (n_units,)
    n_features_in_ : int

    Raises
    ------
    ValueError
        For a radius that cannot be set, a matrix of another shape, or a parameter out of range.

    Notes
    -----
    Row t of the answer is x(t), after seeing u(t). The state, as `initial_state` takes it, is x.
    Cost: one product with W a step. Layers stand side by side, the first one first, in states and
    answer alike; the input row is appended once. A layer sums over all units below it: an
    `input_scaling` of about 1 / sqrt(units below) keeps the layers above out of saturation.

    References
    ----------
    H. Jaeger, The echo state approach, GMD Report 148 (2001), eq. 1.6; leaky units: H. Jaeger et
    al., Neural Networks 20 (2007), 335-352; layers: C. Gallicchio, A. Micheli, L. Pedrelli, Deep
    reservoir computing: a critical experimental analysis, Neurocomputing 268 (2017), 87-99.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir
    >>> Reservoir(50, random_state=0).fit_transform(np.zeros((3, 1))).shape
    (3, 50)
    >>> Reservoir([50, 30], spectral_radius=[0.9, 0.8]).fit_transform(np.zeros((3, 1))).shape
    (3, 80)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_units": [positive_int(), list, tuple],
        "spectral_radius": [non_negative(), None, list, tuple],
        "leak_rate": [unit_interval("both"), "array-like"],
        "input_scaling": [finite(), "array-like"],
        "bias_scaling": [non_negative(), list, tuple],
        "density": [unit_interval(), StrOptions({"auto"}), list, tuple],
        "topology": [StrOptions(set(topologies.NAMED)), "array-like", "sparse matrix", callable],
        "input_weights": [StrOptions({"uniform", "bernoulli", "gaussian"}), "array-like"],
        "bias": ["array-like", None],
        "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
        "noise": [non_negative(), list, tuple],
        "include_input": ["boolean"],
        "dtype": [StrOptions({"auto", "float32", "float64"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_units: int | Sequence[int] = 100,
        *,
        spectral_radius: Any = 0.9,
        leak_rate: Any = 1.0,
        input_scaling: Any = 1.0,
        bias_scaling: Any = 0.0,
        density: Any = "auto",
        topology: Any = "random",
        input_weights: Any = "uniform",
        bias: Any = None,
        activation: Any = "tanh",
        noise: Any = 0.0,
        include_input: bool = False,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_units: Any = n_units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.topology = topology
        self.input_weights = input_weights
        self.bias = bias
        self.activation = activation
        self.noise = noise
        self.include_input = include_input
        self.dtype = dtype
        self.random_state = random_state

    # ---- drawing the matrices -----------------------------------------------------------------

    def _prepare(self, n_features: int, dtype: np.dtype) -> None:
        self._layers: list[Reservoir] = []
        if is_listed(self.n_units):
            self._prepare_layers(n_features, dtype)
            return
        check_one_layer(self)
        self._seeds = seeds = child_seeds(self.random_state)
        dtype = dtype if self.dtype == "auto" else np.dtype(self.dtype)
        matrix = self._draw_recurrent(seeds["recurrent"])
        if self.spectral_radius is not None:
            matrix = topologies.scale_spectral_radius(matrix, self.spectral_radius)
        self.recurrent_weights_ = matrix.astype(dtype)
        self.input_weights_ = self._draw_input(n_features, seeds["input"]).astype(dtype)
        self.bias_ = self._draw_bias(seeds["bias"]).astype(dtype)
        self._leak = self._per_unit(self.leak_rate).astype(dtype)
        self._code = ACTIVATIONS[self.activation]
        self._recurrent = kernel_form(self.recurrent_weights_)
        self._input_columns = np.ascontiguousarray(self.input_weights_.T)

    def _prepare_layers(self, n_features: int, dtype: np.dtype) -> None:
        self._layers = layers = fit_layers(self, n_features, dtype)
        for name in ("recurrent_weights_", "input_weights_", "bias_"):
            weights = [getattr(layer, name) for layer in layers]
            setattr(self, name, weights if len(layers) > 1 else weights[0])

    def _draw_recurrent(self, seed: int) -> np.ndarray | sparse.csr_array:
        shape = (self.n_units, self.n_units)
        if isinstance(self.topology, str):
            options = {} if self.density == "auto" else {"density": self.density}
            if options and self.topology not in topologies.WITH_DENSITY:
                raise ValueError(
                    f'density={self.density} means nothing for topology="{self.topology}", whose '
                    'connections are fixed. Leave density="auto".'
                )
            return topologies.NAMED[self.topology](self.n_units, random_state=seed, **options)
        if self.density != "auto":
            raise ValueError(
                f"density={self.density} cannot be honoured with a given topology; leave it "
                '"auto" and thin the matrix yourself.'
            )
        if callable(self.topology):
            with naming("topology"):
                matrix = self.topology(self.n_units, random_state=seed)
        else:
            matrix = self.topology
        matrix = _numbers(matrix, "topology")
        if matrix.shape != shape:
            raise ValueError(
                f"topology must be a matrix of shape {shape} for n_units={self.n_units}; got "
                f"{matrix.shape}."
            )
        return matrix

    def _draw_input(self, n_features: int, seed: int) -> np.ndarray:
        shape = (self.n_units, n_features)
        rng = np.random.RandomState(seed)
        if isinstance(self.input_weights, str):
            draw = {
                "uniform": lambda: rng.uniform(-1.0, 1.0, shape),
                "bernoulli": lambda: rng.randint(2, size=shape) * 2.0 - 1.0,
                "gaussian": lambda: rng.standard_normal(shape),
            }[self.input_weights]
            weights = draw()
        else:
            weights = _numbers(self.input_weights, "input_weights")
            if weights.shape != shape:
                raise ValueError(
                    f"input_weights must have shape {shape} (n_units, n_features); got "
                    f"{weights.shape}."
                )
        scaling = _numbers(self.input_scaling, "input_scaling")
        if scaling.shape not in {(), (n_features,)}:
            raise ValueError(
                f"input_scaling must be a number or one a feature, shape ({n_features},); got "
                f"shape {scaling.shape}."
            )
        return weights * scaling

    def _draw_bias(self, seed: int) -> np.ndarray:
        if self.bias is None:
            return self.bias_scaling * np.random.RandomState(seed).uniform(-1, 1, self.n_units)
        return self._per_unit(self.bias, "bias")

    def _per_unit(self, values: Any, name: str = "leak_rate") -> np.ndarray:
        array = _numbers(values, name)
        if array.shape not in {(), (self.n_units,)}:
            raise ValueError(
                f"{name} must be a number or one a unit, shape ({self.n_units},); got shape "
                f"{array.shape}."
            )
        if name == "leak_rate" and not ((array >= 0) & (array <= 1)).all():
            raise ValueError(
                f"leak_rate must be in [0, 1]; got values from {array.min()} to {array.max()}."
            )
        return np.array(np.broadcast_to(array, (self.n_units,)))

    # ---- running ------------------------------------------------------------------------------

    @property
    def _alone(self) -> Reservoir | None:
        """The one layer there is, or None where there are several."""
        layers = self._layers or [self]
        return layers[0] if len(layers) == 1 else None

    @property
    def _n_state(self) -> int:
        return sum(layer._n_state for layer in self._layers) or self.bias_.size

    @property
    def _n_features_out(self) -> int:
        return self._n_state + (self.n_features_in_ if self.include_input else 0)

    def _noise_rng(self) -> Any:
        if self._layers:
            return noise_rngs(self._layers)
        return np.random.RandomState(self._seeds["noise"]) if self.noise > 0 else None

    def _dtype_for(self, dtype: np.dtype) -> np.dtype:
        return (self._layers or [self])[0].bias_.dtype

    def _advance(
        self, rows: np.ndarray, state: np.ndarray, rng: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        if self._layers:
            return advance(self, rows, state, rng)
        features = np.empty((rows.shape[0], self._n_features_out), dtype=self.bias_.dtype)
        return features, self._drive(rows, state, features, rng)

    def _advance_all(
        self, rows: np.ndarray, spans: list[tuple[int, int]], states: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As every memory does, but series side by side where that is faster: the same bits."""
        if self._layers:
            return advance_all(self, rows, spans, states)
        dtype = self.bias_.dtype
        rows = np.ascontiguousarray(rows, dtype=dtype)
        features = np.empty((rows.shape[0], self._n_features_out), dtype=dtype)
        begun = drive_side_by_side(self, rows, spans, states, features)
        last = np.empty((len(spans), self.n_units), dtype=dtype)
        for i, ((a, b), n) in enumerate(zip(spans, begun, strict=True)):
            if n and not np.isfinite(features[a + n - 1]).all():
                raise self._diverged(features[a : a + n, : self.n_units])
            last[i] = features[a + n - 1, : self.n_units] if n else states[i]
            if a + n < b:
                last[i] = self._drive(rows[a + n : b], last[i], features[a + n : b])
        return features, last

    def _drive(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        features: np.ndarray,
        rng: np.random.RandomState | None = None,
    ) -> np.ndarray:
        """Fill the `features` of one stretch of one series; return the state after it."""
        dtype, n = self.bias_.dtype, self.n_units
        rows = np.ascontiguousarray(rows, dtype=dtype)  # one memory order, one compilation
        noise = np.empty((0, 0), dtype=dtype)
        if rng is not None and self.noise > 0:
            with np.errstate(over="ignore"):
                noise = (self.noise * rng.standard_normal((rows.shape[0], n))).astype(dtype)
        drive(
            self._recurrent,
            self._input_columns,
            self.bias_,
            rows,
            noise,
            self._leak,
            self._code,
            np.ascontiguousarray(state, dtype=dtype),
            np.empty(3 * n + 1, dtype=dtype),
            features,
        )
        features[:, n:] = rows[:, : features.shape[1] - n]
        last = features[-1, :n].copy()
        if not np.isfinite(last).all():  # a unit that was not finite once is not finite ever after
            raise self._diverged(features[:, :n])
        return last

    def _diverged(self, states: np.ndarray) -> DivergenceError:
        step = int(np.argmin(np.isfinite(states).all(axis=1)))
        return DivergenceError(
            f"the states of {type(self).__name__} left the finite numbers at step {step} of the "
            f"{states.shape[0]} rows driven at once, with spectral_radius={self.spectral_radius} "
            f'and activation="{self.activation}". An unbounded activation needs '
            "spectral_radius < 1; inputs near the end of the number range need scaling.",
            step,
        )

    def _run_closed(
        self,
        coef: np.ndarray,
        intercept: np.ndarray,
        inputs: np.ndarray,
        feedback_at: int,
        n_visible: int,
        last_output: np.ndarray,
        state: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Closed loop of the fitted reservoir; see ``reservoir.kernels.drive.closed_loop``."""
        dtype = self.bias_.dtype
        state = np.array(state, dtype=dtype)
        outputs = np.empty((inputs.shape[0], coef.shape[0]), dtype=dtype)
        bad = closed_loop(
            self._recurrent,
            self._input_columns,
            self.bias_,
            self._leak,
            self._code,
            np.ascontiguousarray(coef, dtype=dtype),
            np.ascontiguousarray(intercept, dtype=dtype),
            np.array(inputs, dtype=dtype),
            feedback_at,
            n_visible,
            np.ascontiguousarray(last_output, dtype=dtype),
            state,
            np.empty(3 * self.n_units + 1, dtype=dtype),
            outputs,
        )
        return outputs, state, bad

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names ``reservoir0, reservoir1, ...``, then the input's where it is included."""
        check_is_fitted(self)
        names = input_names(self, input_features)
        units = np.array([f"reservoir{i}" for i in range(self._n_state)], dtype=object)
        return np.concatenate([units, names]) if self.include_input else units

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _numbers(values: Any, name: str) -> Any:
    """A real, finite float64 copy of `values`: an ndarray, or a csr_array if sparse."""
    with naming(name):
        is_complex = np.iscomplexobj(values)
    if is_complex:
        raise ValueError(f"{name} is complex; the weights of a reservoir are real.")
    if sparse.issparse(values):
        array = sparse.csr_array(values, dtype=np.float64, copy=True)
        entries = array.data
    else:
        array = entries = np.array(as_numbers(values, name), dtype=np.float64)
    if not np.isfinite(entries).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    return array
