"""Reservoir: the fixed random recurrent network, a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import (
    StrOptions,
    finite,
    input_names,
    non_negative,
    positive_int,
    unit_interval,
)

from . import topologies
from ._drawing import (
    RESIDUALS,
    child_seeds,
    draw_bias,
    draw_input,
    draw_recurrent,
    draw_residual,
    scaled,
    shares,
)
from ._driving import drive_side_by_side, kernel_form
from ._layers import advance, advance_all, check_one_layer, fit_layers, is_listed, noise_rngs
from ._strands import drive_in_strands, rows_for_strands
from .kernels.activations import ACTIVATIONS
from .kernels.drive import closed_loop, drive


class Reservoir(Memory):
    """Turn series into the states of a fixed random recurrent network.

    .. math:: x(t) = s\\, O x(t-1) + a f(W x(t-1) + W_{in} u(t) + b), \\quad x(-1) = 0

    With the defaults ``s = 1 - a`` and O the identity: leaky units.

    Parameters
    ----------
    n_units : int or list of int, default=100
        A list is a deep reservoir: sizes of layers, each driven by the states (of the same step)
        of the one below. Then every parameter from `spectral_radius` to `noise` may be a list or
        tuple with one entry a layer; anything else, an array too, holds for all layers.
    spectral_radius : float or None, default=0.9
        Largest absolute eigenvalue of W as used. It rescales a given matrix too; None uses the
        matrix as it is.
    spectral_norm : float or None, default=None
        Largest singular value of W as used; a number takes the place of `spectral_radius`. Below 1
        the leaky reservoir of tanh, relu or identity units has the echo state property for any
        input.
    leak_rate : float or array-like of shape (n_units,), default=1.0
        a in [0, 1], one for all or one a unit.
    residual : {"identity", "ring", "orthogonal", "permutation"} or matrix, default="identity"
        O, what becomes of the state before that is carried over: it stays, or is turned by the
        topology of that name, weights 1. A matrix (n_units, n_units) is used as it is.
    residual_scaling : float or array-like of shape (n_units,), default=None
        s in [0, 1]; None is ``1 - leak_rate``.
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
    n_strands : int or "auto", default=1
        Pieces of one long series that are driven side by side, each from a burn-in of its own and
        checked against the end of the one before it (Notes); "auto" takes 16 to 64 where that is
        faster. 1 drives row after row.
    random_state : int, RandomState or None, default=None
        One child seed per matrix.

    Attributes
    ----------
    recurrent_weights_, residual_weights_ : ndarray or scipy.sparse.csr_array of shape \
(n_units, n_units)
        W and O as used. Several layers: a list of them from the bottom up, as of the next two.
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
    Cost: one product with W a step and one with O: n_units operations by name, n_units^2 for
    "orthogonal". Layers stand side by side, the first one first, in states and answer alike; the
    input row is appended once. A layer sums over all units below it: an `input_scaling` of about
    1 / sqrt(units below) keeps the layers above out of saturation.

    One formula, many names. Edge-of-stability network (ES2N): ``residual="orthogonal"`` and a small
    `leak_rate`. Residual network: any O, with `residual_scaling` beside `leak_rate`. Euler state
    network: ``topology="antisymmetric", residual_scaling=1`` and a small `leak_rate`. At
    `residual_scaling` 1 only f forgets, and an unbounded activation may run away. O that turns the
    state keeps old inputs apart from new ones, where leaky units average them: tuned alike, 100
    units remember 100 rows and not 25, NARMA-30 has an NRMSE of .35 and not .67, but the smooth
    Mackey-Glass series one of .044 and not .012 (``examples/benchmarks/results/residual.md``).

    Strands make one long series up to 1.4 times as fast (2.8 in float32; at 1000 units) where the
    reservoir forgets its start soon: the states are those of ``n_strands=1`` to 64 eps at the head
    of each strand, which is compared and not assumed; where it is not so, rows are driven again one
    after the other. It pays from about 300 units and thousands of rows. Driven row after row all
    the same: a reservoir that does not forget within 1/20 of the rows, one of cyclic diagonals, a
    model with feedback, and noisy states of a `fit`. A model then holds up to 128 MB of states.

    References
    ----------
    H. Jaeger, The echo state approach, GMD Report 148 (2001), eq. 1.6; leaky units: H. Jaeger et
    al., Neural Networks 20 (2007), 335-352; layers: C. Gallicchio, A. Micheli, L. Pedrelli, Deep
    reservoir computing: a critical experimental analysis, Neurocomputing 268 (2017), 87-99; ES2N:
    A. Ceni, C. Gallicchio, Edge of stability echo state network, IEEE TNNLS 36 (2025), 7555-7564;
    A. Ceni, C. Gallicchio, Residual echo state networks: residual recurrent neural networks with
    stable dynamics and fast learning, Neurocomputing 597 (2024), 127966; C. Gallicchio, Euler state
    networks, Neurocomputing 579 (2024), 127411.

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
        "spectral_norm": [non_negative(), None, list, tuple],
        "leak_rate": [unit_interval("both"), "array-like"],
        "residual": [StrOptions(set(RESIDUALS)), "array-like", "sparse matrix"],
        "residual_scaling": [unit_interval("both"), "array-like", None],
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
        "n_strands": [positive_int(), StrOptions({"auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_units: int | Sequence[int] = 100,
        *,
        spectral_radius: Any = 0.9,
        spectral_norm: Any = None,
        leak_rate: Any = 1.0,
        residual: Any = "identity",
        residual_scaling: Any = None,
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
        n_strands: int | Literal["auto"] = 1,
        random_state: Any = None,
    ) -> None:
        self.n_units: Any = n_units
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
        self.noise = noise
        self.include_input = include_input
        self.dtype = dtype
        self.n_strands = n_strands
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
        n = self.n_units
        inputs = self.input_weights, (n, n_features), self.input_scaling
        residual = draw_residual(self.residual, n, seeds["residual"])
        recurrent = draw_recurrent(self.topology, n, self.density, seeds["recurrent"])
        recurrent = scaled(recurrent, self.spectral_radius, self.spectral_norm)
        self.recurrent_weights_ = recurrent.astype(dtype)
        self.residual_weights_ = residual.astype(dtype)
        self.input_weights_ = draw_input(*inputs, seeds["input"]).astype(dtype)
        self.bias_ = draw_bias(self.bias, n, self.bias_scaling, seeds["bias"]).astype(dtype)
        kept, leak = self._rates(dtype)
        stays = isinstance(self.residual, str) and self.residual == "identity"
        self._parts: tuple[Any, ...] = (  # as the kernels take them
            kernel_form(self.recurrent_weights_),
            () if stays else kernel_form(self.residual_weights_),
            np.ascontiguousarray(self.input_weights_.T),
            self.bias_,
            kept,
            leak,
            ACTIVATIONS[self.activation],
        )

    def _rates(self, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """s and a of every unit of one layer."""
        leak = shares("leak_rate", self.leak_rate, self.n_units).astype(dtype)
        if self.residual_scaling is None:
            return 1 - leak, leak
        return shares("residual_scaling", self.residual_scaling, self.n_units).astype(dtype), leak

    def _prepare_layers(self, n_features: int, dtype: np.dtype) -> None:
        self._layers = layers = fit_layers(self, n_features, dtype)
        for name in ("recurrent_weights_", "residual_weights_", "input_weights_", "bias_"):
            weights = [getattr(layer, name) for layer in layers]
            setattr(self, name, weights if len(layers) > 1 else weights[0])

    # ---- running ------------------------------------------------------------------------------

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
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: Any = None,
        room: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """As every memory does; with one layer, features are written to `room` if there is any."""
        if self._layers:
            return advance(self, rows, state, rng)
        if room is None:
            room = np.empty((rows.shape[0], self._n_features_out), dtype=self.bias_.dtype)
        features = room[: rows.shape[0]]
        return features, self._drive_long(rows, state, features, rng)

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
                last[i] = self._drive_long(rows[a + n : b], last[i], features[a + n : b])
        return features, last

    @property
    def _rows_at_once(self) -> int:
        """Rows of one series that a model is to drive at once; strands need many."""
        return 1024 if self.n_strands == 1 else rows_for_strands(self)

    def _drive_long(
        self, rows: np.ndarray, state: np.ndarray, features: np.ndarray, rng: Any = None
    ) -> np.ndarray:
        """As `_drive`, but in strands where they are asked for (noise is drawn row after row)."""
        if self.n_strands == 1 or (rng is not None and self.noise > 0):
            return self._drive(rows, state, features, rng)
        return drive_in_strands(self, rows, state, features)

    def _layer(self) -> tuple[Any, ...]:
        """What the kernels drive, with work space of its own."""
        size = 3 * self.n_units + 1
        return (*self._parts, np.empty(2 * size if self._parts[1] else size, self.bias_.dtype))

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
        noise = np.empty((rows.shape[0], 0), dtype=dtype)
        if rng is not None and self.noise > 0:
            noise = rng.standard_normal((rows.shape[0], n))
            with np.errstate(over="ignore"):  # infinite noise: the states are, which is refused
                noise = (self.noise * noise).astype(dtype)
        drive(self._layer(), rows, noise, np.ascontiguousarray(state, dtype=dtype), features)
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
        dtype = self._dtype_for(coef.dtype)
        state = np.array(state, dtype=dtype)
        outputs = np.empty((inputs.shape[0], coef.shape[0]), dtype=dtype)
        bad = closed_loop(
            tuple(layer._layer() for layer in self._layers or [self]),
            np.ascontiguousarray(coef, dtype=dtype),
            np.ascontiguousarray(intercept, dtype=dtype),
            np.array(inputs, dtype=dtype),
            feedback_at,
            n_visible,
            np.ascontiguousarray(last_output, dtype=dtype),
            state,
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
