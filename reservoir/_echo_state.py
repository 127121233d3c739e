"""EchoState: a memory model whose memory is a reservoir, with feedback of the output into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from filters._base import AdaptiveFilter
from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import negative_int, non_negative, positive_int

from ._drawing import child_seeds, draw_feedback
from ._model import MemoryModel
from ._reservoir import Reservoir

_RESERVOIR_PARAMETERS = tuple(
    name for name in Reservoir._parameter_constraints if name not in ("include_input",)
)


class EchoState(MemoryModel):
    """The reservoir's parameters, and feedback of the output into the reservoir.

    With feedback a model's state is [x, y(t-1)]: the true y(t-1) while it is taught (or, without
    teacher forcing, its own a-priori output), its own output else.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{name: Reservoir._parameter_constraints[name] for name in _RESERVOIR_PARAMETERS},
        **{k: v for k, v in MemoryModel._parameter_constraints.items() if k != "memory"},
        "feedback_scaling": [non_negative()],
        "feedback_weights": ["array-like", None],
        "feedback_noise": [non_negative()],
        "teacher_forcing": ["boolean"],
        "n_jobs": [positive_int(), negative_int(), None],
        "verbose": ["verbose"],
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
        dtype: Literal["auto", "float32", "float64"] = "auto",
        n_strands: int | Literal["auto"] = 1,
        feedback_scaling: float = 0.0,
        feedback_weights: Any = None,
        feedback_noise: float = 0.0,
        teacher_forcing: bool = True,
        alpha: float = 1e-6,
        solver: Literal["cholesky", "qr"] = "cholesky",
        fit_intercept: bool = True,
        include_input: bool = True,
        readout: Any = None,
        washout: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
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
        self.noise = noise
        self.dtype = dtype
        self.n_strands = n_strands
        self.feedback_scaling = feedback_scaling
        self.feedback_weights = feedback_weights
        self.feedback_noise = feedback_noise
        self.teacher_forcing = teacher_forcing
        self.alpha = alpha
        self.solver = solver
        self.fit_intercept = fit_intercept
        self.include_input = include_input
        self.readout = readout
        self.washout = washout
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def reservoir_(self) -> Reservoir:
        """The fitted reservoir."""
        return self.memory_

    def _reservoir(self) -> Reservoir:
        """An unfitted reservoir with these parameters and a seed of its own."""
        parameters = {name: getattr(self, name) for name in _RESERVOIR_PARAMETERS}
        if not isinstance(self.random_state, int | np.integer):
            parameters["random_state"] = check_random_state(self.random_state).randint(2**31 - 1)
        return Reservoir(**parameters)

    def _new_memory(self, rows: np.ndarray, n_outputs: int) -> Memory:
        reservoir = self._reservoir()
        self._n_feedback = n_outputs if self.feedback_scaling > 0 else 0
        if not self.teacher_forcing:
            self._check_online()
        if self._n_feedback == 0:
            self._check_no_feedback()
            return reservoir.fit(rows)
        if self.readout is not None and is_classifier(self.readout):
            raise ValueError(
                f"feedback_scaling={self.feedback_scaling} feeds scores back; a classifier as "
                "readout gives labels. Use readout=None or a filter."
            )
        plain = Reservoir(**reservoir.get_params()).fit(rows)
        seed = child_seeds(reservoir.random_state)["feedback"]
        first, *above = plain._layers or [plain]
        shape = first._n_state, n_outputs
        drawn = draw_feedback(self.feedback_weights, shape, self.feedback_scaling, seed)
        joined = np.concatenate([first.input_weights_, drawn], axis=1)
        layers = [joined, *(layer.input_weights_ for layer in above)]
        reservoir.set_params(input_weights=layers if plain._layers else joined, input_scaling=1.0)
        fed = np.zeros((rows.shape[0], n_outputs), dtype=rows.dtype)
        return reservoir.fit(np.concatenate([rows, fed], axis=1))

    def _check_no_feedback(self) -> None:
        given = "feedback_weights" if self.feedback_weights is not None else ""
        given = f"feedback_noise={self.feedback_noise}" if self.feedback_noise > 0 else given
        if given:
            raise ValueError(
                f"{given} cannot be honoured with feedback_scaling=0, which is no feedback. Set "
                "feedback_scaling; 1 takes given weights as they are."
            )

    def _noise_rng(self) -> Any:
        own = super()._noise_rng()
        if not self._n_feedback:
            return own
        fed = None
        if self.feedback_noise > 0:
            fed = np.random.RandomState(child_seeds(self.memory_.random_state)["feedback_noise"])
        return None if own is None and fed is None else (own, fed)

    def _check_online(self) -> None:
        if self._n_feedback == 0 or not isinstance(self.readout, AdaptiveFilter):
            raise ValueError(
                "teacher_forcing=False feeds the output back while it is learned: it needs "
                "feedback_scaling > 0 and an online readout such as filters.RLSFilter(), got "
                f"feedback_scaling={self.feedback_scaling} and readout={self.readout!r}."
            )

    @property
    def _n_state(self) -> int:
        return self.memory_._n_state + self._n_feedback

    def _drive(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: Any = None,
        teacher: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self._n_feedback:
            return super()._drive(rows, state, rng)
        assert teacher is not None, "with feedback, rows are driven with their targets"
        n_units, fed = self.memory_._n_state, np.nan_to_num(teacher)
        rng, fed_rng = (None, None) if rng is None else rng
        if fed_rng is not None:
            with np.errstate(over="ignore"):  # infinite noise: the states are, which is refused
                fed = fed + self.feedback_noise * fed_rng.standard_normal(fed.shape)
        fed = np.concatenate([state[n_units:][np.newaxis], fed])
        inputs = np.concatenate([rows, fed[:-1]], axis=1)
        states, last = self.memory_._advance(inputs, state[:n_units], rng)
        if self.include_input:
            states = np.concatenate([states, rows.astype(states.dtype, copy=False)], axis=1)
        return states, np.concatenate([last, fed[-1]]).astype(last.dtype)

    def _respond(self, rows: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self._n_feedback:
            return super()._respond(rows, state)
        if self._readout.linear is None:
            return self._respond_by_row(rows, state)
        n_units, n_features = self.memory_._n_state, rows.shape[1]
        coef, intercept = self._readout.linear
        inputs = np.concatenate([rows, np.zeros((rows.shape[0], self._n_feedback))], axis=1)
        n_visible = n_features if self.include_input else 0
        outputs, last, bad = self.memory_._run_closed(
            coef, intercept, inputs, n_features, n_visible, state[n_units:], state[:n_units]
        )
        if bad >= 0:
            raise self._fed_away(bad)
        return outputs, np.concatenate([last, outputs[-1]])

    def _respond_by_row(self, rows: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs = np.empty((rows.shape[0], self._n_outputs), dtype=self._dtype)
        to_come = np.zeros((1, self._n_outputs))
        for t in range(rows.shape[0]):
            try:
                columns, state = self._drive(rows[t : t + 1], state, teacher=to_come)
            except DivergenceError as error:  # it counts the rows of this call: one
                raise self._fed_away(t) from error
            outputs[t] = self._readout.predict(columns)[0]
            state[-self._n_feedback :] = outputs[t]
        return outputs, state

    def _fed_away(self, step: int) -> DivergenceError:
        return DivergenceError(
            f"the output fed back drove {type(self).__name__} out of the finite numbers {step} "
            "rows after the last known output. Raise alpha, lower feedback_scaling, or train "
            "with noise.",
            step,
        )
