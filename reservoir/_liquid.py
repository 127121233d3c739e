"""LiquidStateMachine: a fixed random network of spiking units, a memory."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import (
    between,
    finite,
    input_names,
    positive_int,
    unit_interval,
)

from ._drawing import child_seeds
from .kernels.liquid import N_STATES, POTENTIAL, liquid

# From (excitatory, inhibitory) to (excitatory, inhibitory): Maass et al. (2002), appendix.
_PROBABILITY = np.array([[0.3, 0.2], [0.4, 0.1]])
_AMPLITUDE = np.array([[30.0, 60.0], [-19.0, -19.0]])
_COLUMN = 3  # units of a column stand on a grid 3 wide, 3 deep and as high as it takes
_BLOCK = 256  # units whose connections are drawn at once: bounds the memory


class LiquidStateMachine(Memory):
    """Turn series into the filtered spikes of a fixed random network of spiking units.

    .. math:: \\tau_m \\dot V = -V + I, \\quad I = b + W_{in} u + s, \\quad
        \\tau_s \\dot s = -s + \\tau_s W \\textstyle\\sum \\delta_{spike}, \\quad
        \\tau_r \\dot r = -r + \\tau_r \\textstyle\\sum \\delta_{spike}

    A unit fires where V reaches the threshold; V is then held at `reset` for the refractory time.
    The features are the traces r, one a unit.

    Parameters
    ----------
    n_units : int, default=135
    excitatory : float in [0, 1], default=0.8
        Share of units whose spikes excite others; the spikes of the rest inhibit.
    connection_length : float, default=2.0
        lambda: units at distance D on the grid are connected with probability
        ``C exp(-(D / lambda)^2)``, C from .1 to .4 by the kinds of the two.
    weight_scaling : float, default=0.2
        Multiplies the published mean amplitudes (30 and 60 from excitatory units, -19 from
        inhibitory ones) of the exponentially distributed weights. 0 leaves units on their own; from
        about .5 on, the network fires by itself and input hardly shows.
    input_scaling : float, default=10.0
        Multiplies input weights drawn uniformly on [-1, 1]; in the unit of the threshold.
    background : float, default=13.5
        Constant current b into every unit; without input a unit fires by itself if it is above the
        threshold.
    threshold, reset : float, default=15.0, 13.5
        Potentials in mV above rest, with a membrane resistance of one.
    membrane_time, filter_time : float, default=30.0
        tau_m and tau_r in ms.
    synapse_time : tuple of two floats, default=(3.0, 6.0)
        tau_s in ms of the currents from excitatory and from inhibitory units.
    refractory_time : tuple of two floats, default=(3.0, 2.0)
        In ms, of excitatory and of inhibitory units; rounded to steps.
    time_step : float, default=1.0
        Step h of the simulation in ms.
    steps_per_row : int, default=20
        Steps for which a row of X is held.
    random_state : int, RandomState or None, default=None
        One child seed per matrix.

    Attributes
    ----------
    recurrent_weights_ : scipy.sparse.csr_array of shape (n_units, n_units)
        W; column j has the sign of unit j.
    input_weights_ : ndarray of shape (n_units, n_features)
    excitatory_ : ndarray of bool, shape (n_units,)
    n_features_in_ : int

    Raises
    ------
    ValueError
        For a reset that is not below the threshold, or times that are not two positive numbers.
    DivergenceError
        Where an input drives a potential out of the finite numbers.

    Notes
    -----
    Between spikes the membrane is integrated exactly; a spike reaches other units one step later.
    Under a constant current I a single unit fires at the rate
    ``1 / (t_ref + tau_m log((I - reset) / (I - threshold)))``, to a step. Left out of the published
    model: short-term plasticity of synapses (`weight_scaling` stands for its mean), transmission
    delays other than a step, random initial potentials (every series starts from V = 0). The state,
    as `initial_state` takes it, is [V, s_e, s_i, refractory steps left, r], each of n_units. Spikes
    are threshold events: float32 and float64 inputs part after a while. Cost: a few ns a unit and
    step, and a look at W for the units that fire.

    References
    ----------
    W. Maass, T. Natschlaeger, H. Markram, Real-time computing without stable states, Neural
    Computation 14 (2002), 2531-2560.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import LiquidStateMachine
    >>> LiquidStateMachine(50, random_state=0).fit_transform(np.ones((20, 1))).shape
    (20, 50)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_units": [positive_int()],
        "excitatory": [unit_interval("both")],
        "connection_length": [between(1e-9, 1e9)],
        "weight_scaling": [between(0, 1e9)],
        "input_scaling": [finite()],
        "background": [finite()],
        "threshold": [finite()],
        "reset": [finite()],
        "membrane_time": [between(1e-9, 1e9)],
        "filter_time": [between(1e-9, 1e9)],
        "synapse_time": ["array-like"],
        "refractory_time": ["array-like"],
        "time_step": [between(1e-9, 1e9)],
        "steps_per_row": [positive_int()],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_units: int = 135,
        *,
        excitatory: float = 0.8,
        connection_length: float = 2.0,
        weight_scaling: float = 0.2,
        input_scaling: float = 10.0,
        background: float = 13.5,
        threshold: float = 15.0,
        reset: float = 13.5,
        membrane_time: float = 30.0,
        filter_time: float = 30.0,
        synapse_time: tuple[float, float] = (3.0, 6.0),
        refractory_time: tuple[float, float] = (3.0, 2.0),
        time_step: float = 1.0,
        steps_per_row: int = 20,
        random_state: Any = None,
    ) -> None:
        self.n_units = n_units
        self.excitatory = excitatory
        self.connection_length = connection_length
        self.weight_scaling = weight_scaling
        self.input_scaling = input_scaling
        self.background = background
        self.threshold = threshold
        self.reset = reset
        self.membrane_time = membrane_time
        self.filter_time = filter_time
        self.synapse_time = synapse_time
        self.refractory_time = refractory_time
        self.time_step = time_step
        self.steps_per_row = steps_per_row
        self.random_state = random_state

    # ---- drawing the network ------------------------------------------------------------------

    def _prepare(self, n_features: int, dtype: np.dtype) -> None:
        if not self.reset < self.threshold:
            raise ValueError(
                f"reset={self.reset} must be below threshold={self.threshold}: a unit would fire "
                "again at once, for ever."
            )
        seeds = child_seeds(self.random_state)
        rng = np.random.RandomState(seeds["recurrent"])
        inhibitory = np.arange(self.n_units) >= round(self.excitatory * self.n_units)
        rng.shuffle(inhibitory)
        self.excitatory_ = ~inhibitory
        outgoing = self._draw_synapses(inhibitory.astype(np.intp), rng).astype(dtype)
        self.recurrent_weights_ = sparse.csr_array(outgoing.T)
        uniform = np.random.RandomState(seeds["input"]).uniform(-1, 1, (self.n_units, n_features))
        self.input_weights_ = (self.input_scaling * uniform).astype(dtype)

        wait = np.round(self._pair("refractory_time") / self.time_step)
        self._refractory = wait[inhibitory.astype(np.intp)].astype(dtype)
        keep = np.exp(-self.time_step / self.membrane_time)
        gain = -np.expm1(-self.time_step / self.membrane_time)
        self._membrane = np.array([keep, gain, self.threshold, self.reset], dtype=dtype)
        times = np.append(self._pair("synapse_time"), self.filter_time)
        with np.errstate(divide="ignore"):  # a time of zero forgets at once
            self._decays = np.exp(-self.time_step / times).astype(dtype)
        indices = (part.astype(np.uint64) for part in (outgoing.indices, outgoing.indptr))
        self._synapses = (outgoing.data, *indices)
        self._input_columns = np.ascontiguousarray(self.input_weights_.T)

    def _pair(self, name: str) -> np.ndarray:
        pair = as_numbers(getattr(self, name), name)
        is_pair = pair.shape == (2,) and not np.iscomplexobj(pair)
        if not is_pair or not (np.isfinite(pair) & (pair >= 0)).all():
            raise ValueError(
                f"{name} must be two numbers of at least 0, of excitatory and of inhibitory units; "
                f"got {getattr(self, name)!r}."
            )
        return pair.astype(np.float64)

    def _draw_synapses(self, kind: np.ndarray, rng: np.random.RandomState) -> sparse.csr_array:
        """Row j holds the weights from unit j to the units it reaches."""
        unit = np.arange(self.n_units)
        place = np.stack([unit % _COLUMN, unit // _COLUMN % _COLUMN, unit // _COLUMN**2], axis=1)
        sources, targets = [], []
        for start in range(0, self.n_units, _BLOCK):
            block = unit[start : start + _BLOCK]
            apart = ((place[block, np.newaxis] - place) ** 2).sum(axis=2)
            chance = _PROBABILITY[kind[block, np.newaxis], kind]
            chance = chance * np.exp(-apart / self.connection_length**2) * (apart > 0)
            j, i = np.nonzero(rng.random_sample(chance.shape) < chance)
            sources.append(block[j])
            targets.append(i)
        j, i = np.concatenate(sources), np.concatenate(targets)
        # Gamma distributed with a standard deviation equal to the mean: the exponential one.
        weights = (
            self.weight_scaling * _AMPLITUDE[kind[j], kind[i]] * rng.standard_exponential(j.size)
        )
        return sparse.csr_array((weights, (j, i)), shape=(self.n_units, self.n_units))

    # ---- running ------------------------------------------------------------------------------

    @property
    def _n_state(self) -> int:
        return N_STATES * self.excitatory_.size

    @property
    def _n_features_out(self) -> int:
        return self.excitatory_.size

    def _dtype_for(self, dtype: np.dtype) -> np.dtype:
        return self.input_weights_.dtype

    def _advance(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: np.random.RandomState | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        dtype, n_units = self.input_weights_.dtype, self.excitatory_.size
        state = np.array(state, dtype=dtype).reshape(N_STATES, n_units)
        traces = np.empty((rows.shape[0], n_units), dtype=dtype)
        bad = liquid(
            self._synapses,
            self.excitatory_,
            self._refractory,
            self._input_columns,
            dtype.type(self.background),
            np.ascontiguousarray(rows, dtype=dtype),
            self.steps_per_row,
            self._membrane,
            self._decays,
            state,
            np.empty((2, n_units), dtype=dtype),
            traces,
        )
        if bad >= 0:
            unit = int(np.argmin(np.isfinite(state[POTENTIAL])))
            raise DivergenceError(
                f"the potential of unit {unit} left the finite numbers at step {bad} of the "
                f"{rows.shape[0]} rows driven at once, where the input is up to "
                f"{np.abs(rows[bad]).max():.3g}. Scale the input, or lower input_scaling.",
                bad,
            )
        return traces, state.ravel()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names ``liquid0, liquid1, ...``."""
        check_is_fitted(self)
        input_names(self, input_features)
        return np.array([f"liquid{i}" for i in range(self.excitatory_.size)], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
