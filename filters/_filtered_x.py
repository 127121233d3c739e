"""FilteredXFilter: a controller whose output reaches the error through a path of its own."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone

from ._base import AdaptiveFilter
from ._filtered_x_stream import FilteredXStream
from ._input_power import regularization_of_rows, row_power
from ._state import State, adapt_each_output
from .kernels.filtered_x import filtered_x_lms
from .kernels.fir import fir
from .timeseries._mixins import SeriesRegressorMixin
from .timeseries._numbers import as_numbers
from .timeseries._sequences import as_series
from .timeseries._sklearn_private import StrOptions, non_negative, positive
from .timeseries._validation import check_finite
from .timeseries._windows import with_history

# The delay of a path: the sample by which this share of its energy has come.
_SHARE_OF_ENERGY = 0.9


class FilteredXFilter(AdaptiveFilter):
    """Adapt a controller by filtered-x least mean squares.

    .. math:: u = w \\cdot x, \\quad y = s * u, \\quad e = d - y, \\quad
              w \\leftarrow (1 - \\mu \\gamma) w
              + \\frac{\\mu\\, e\\, \\bar x'}{\\epsilon + \\lVert x' \\rVert^2}, \\quad x' = s * x

    The drive u is played by a loudspeaker and heard by the error microphone only through the
    secondary path s (amplifier, loudspeaker, air). Plain LMS would be late by that path and become
    unstable; the reference is therefore filtered by a model of it before it meets the error.

    Parameters
    ----------
    n_taps : int, default=1
        Length of the controller for every reference channel.
    secondary_path : array-like of shape (n_path_taps,), default=None
        Impulse response s of the path from drive to microphone, or the model of it; complex only
        for complex signals. None is ``[1.0]``: then this is `NLMSFilter` (or `LMSFilter`).
    step_size : float or "auto", default="auto"
        Gain mu. Normalised it is dimensionless and "auto" takes 0.5 / (1 + Delta), Delta the delay
        of the path (see Notes): safe for noise and for tones outside the notches of the path. With
        ``normalize=False`` in units of one over input power, and "auto" is refused.
    normalize : bool, default=True
        Divide by the energy of x' in the delay line.
    regularization : float or "auto", default="auto"
        Epsilon, only where `normalize`. As in `NLMSFilter`, but of the filtered reference.
    leak : float, default=0.0
        Leakage gamma: pulls the weights (not the intercept) to zero, so that a loudspeaker is not
        driven further than it pays.
    fit_intercept, initial_weights, store_weights, on_divergence
        As in `LMSFilter`. The constant counts with the gain of the path at frequency zero.

    Attributes
    ----------
    coef_ : ndarray of shape (n_channels, n_taps)
        Impulse response of the controller, newest sample first. With several outputs (as many
        loudspeakers, each with the same path to its microphone) (n_outputs, n_channels, n_taps).
    intercept_, n_samples_seen_, n_features_in_
        As in `LMSFilter`.

    Raises
    ------
    DivergenceError
        As in `LMSFilter`.
    ValueError
        For a secondary path that is not one finite, non-zero impulse response.

    Notes
    -----
    What is what: `predict`, and `predict_one` of a session, give the *drive* of frozen weights,
    that which is to be played. `adapt`, `fit` and `learn_one` are a simulated loop whose plant is
    `secondary_path`: ``output`` is the anti-noise at the microphone, made of the drives that were
    really played while the weights moved, and ``error == d - output`` is what is left there.
    `score` compares d with the anti-noise of frozen weights. In a real loop the error is measured
    and the plant may differ from the model: ``play(session.predict_one(x))``, then
    ``session.learn_error(measured)``. Such a loop converges while the phase of the model is less
    than 90 degrees off at every frequency of the noise.

    With white noise and a pure delay of Delta samples the weights converge in the mean for
    mu < 2 / (P (n_taps + Delta)), P the power of x' summed over channels; normalised,
    mu < 2 n_taps / (n_taps + Delta). For one tone the bound falls to 4 sin(pi / (4 Delta + 2)),
    about pi / Delta. Delta is taken as the sample by which 90 % of the energy of s has come.

    The model is identified beforehand with any filter and white noise: play ``x``, record ``y``,
    and ``secondary_path = NLMSFilter(n_path_taps).fit(x[:, None], y).coef_[0]`` (or `RLSFilter`).

    Cost: 2 n_taps n_channels + (1 + n_channels) n_path_taps multiply-adds a sample, and
    n_taps n_channels more where `normalize`.

    References
    ----------
    S. M. Kuo, D. R. Morgan, Active Noise Control Systems: Algorithms and DSP Implementations,
    Wiley (1996), chapter 3.
    S. J. Elliott, P. A. Nelson, The application of adaptive filtering to the active control of
    sound and vibration, ISVR Technical Report 136 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> from filters import FilteredXFilter
    >>> x = np.random.default_rng(0).standard_normal((5000, 1))
    >>> d = np.convolve(x[:, 0], [0.0, 0.0, 0.5, 0.2])[:5000]
    >>> FilteredXFilter(n_taps=3, secondary_path=[0.0, 0.5]).fit(x, d).coef_.round(3) + 0.0
    array([[0. , 1. , 0.4]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **AdaptiveFilter._parameter_constraints,
        "secondary_path": ["array-like", None],
        "step_size": [positive(), StrOptions({"auto"})],
        "normalize": ["boolean"],
        "regularization": [non_negative(), StrOptions({"auto"})],
        "leak": [non_negative()],
    }

    def __init__(
        self,
        n_taps: int = 1,
        *,
        secondary_path: Any = None,
        step_size: float | Literal["auto"] = "auto",
        normalize: bool = True,
        regularization: float | Literal["auto"] = "auto",
        leak: float = 0.0,
        fit_intercept: bool = False,
        initial_weights: Any = None,
        store_weights: int = 0,
        on_divergence: Literal["raise", "warn", "reset"] = "raise",
    ) -> None:
        self.n_taps = n_taps
        self.secondary_path = secondary_path
        self.step_size = step_size
        self.normalize = normalize
        self.regularization = regularization
        self.leak = leak
        self.fit_intercept = fit_intercept
        self.initial_weights = initial_weights
        self.store_weights = store_weights
        self.on_divergence = on_divergence

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> float:
        """Coefficient of determination of the anti-noise at the microphone, weights frozen.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        sample_weight : array-like of shape (n_timesteps,), default=None

        Returns
        -------
        float
        """
        return _AtMicrophone(self).score(X, y, sample_weight, groups=groups)

    def stream(self, initial_state: State | None = None) -> FilteredXStream:
        """Open a session from a copy of the current state: simulated, or a real loop.

        Parameters
        ----------
        initial_state : dict of arrays, default=None
            A `state` of an earlier session; None starts from the filter as it is now.

        Returns
        -------
        FilteredXStream
            Its `predict_one` is the drive to play, its `learn_error` takes the measured residual.

        Raises
        ------
        ValueError
            For a state that is not one of this kind of filter with these parameters.
        """
        return FilteredXStream(clone(self), super().stream(initial_state)._state)

    # ---- state --------------------------------------------------------------------------------

    def _path(self, dtype: np.dtype) -> np.ndarray:
        """The secondary path, oldest sample first, as kernels take it."""
        path = [1.0] if self.secondary_path is None else self.secondary_path
        given = as_numbers(path, "secondary_path")
        if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "biufc":
            raise ValueError(
                "secondary_path must be one impulse response of shape (n_path_taps,), newest "
                f"sample first; got shape {given.shape} and dtype {given.dtype}."
            )
        check_finite(np.abs(given), name="secondary_path")
        if np.iscomplexobj(given) and dtype.kind != "c":
            raise ValueError("secondary_path is complex, but the signals are real.")
        path = np.ascontiguousarray(given[::-1], dtype=dtype)
        if not path.any():
            raise ValueError(
                f"secondary_path is zero in {dtype}: nothing that is played reaches the microphone."
            )
        return path

    def _start(self, n_inputs: int, n_outputs: int, dtype: np.dtype) -> State:
        if self.step_size == "auto" and not self.normalize:
            raise ValueError(
                'step_size="auto" needs normalize=True; without it give a number, in units of one '
                "over the power of the filtered reference."
            )
        n_channels = (n_inputs - int(self.fit_intercept)) // self.n_taps
        n_past = self._path(dtype).size - 1
        return {
            "power": np.zeros(2),
            # The rows, the filtered rows and the drives before the next sample.
            "reference": np.zeros((n_past, n_channels), dtype=dtype),
            "filtered": np.zeros((self.n_taps - 1, n_channels), dtype=dtype),
            "drive": np.zeros((n_past, n_outputs), dtype=dtype),
        }

    def _empty_delay_line(self, state: State) -> None:
        super()._empty_delay_line(state)
        for name in ("reference", "filtered", "drive"):
            state[name] = np.zeros_like(state[name])

    # ---- a stretch of samples -----------------------------------------------------------------

    def _adapt_block(
        self,
        state: State,
        z: np.ndarray,
        rows: np.ndarray,
        targets: np.ndarray,
        mask: np.ndarray,
        output: np.ndarray,
    ) -> int:
        real, path = rows.real.dtype, self._path(rows.dtype)
        n_past = path.size - 1
        filtered, state["reference"] = convolved(rows, state["reference"], path)
        q, state["filtered"] = with_history(filtered, state["filtered"])
        gain = path.sum() if self.fit_intercept else path.dtype.type(0)
        norm = self._norm(state, filtered, q, gain)
        drives = np.zeros((targets.shape[1], n_past + rows.shape[0]), dtype=rows.dtype)
        drives[:, :n_past] = state["drive"].T
        each_drive = iter(drives)

        def adapt(d: np.ndarray, w: np.ndarray, bias: np.ndarray, y: np.ndarray) -> int:
            return filtered_x_lms(
                z,
                q.ravel(),
                d,
                norm,
                mask,
                rows.shape[1],
                real.type(self._step(path)),
                real.type(self.leak),
                np.conj(gain),
                path,
                w,
                bias,
                next(each_drive),
                y,
            )

        bad = adapt_each_output(state, targets, output, adapt)
        state["drive"] = drives[:, drives.shape[1] - n_past :].T.copy()
        return bad

    def _step(self, path: np.ndarray) -> float:
        return 0.5 / (1 + path_delay(path[::-1])) if self.step_size == "auto" else self.step_size

    def _norm(self, state: State, filtered: np.ndarray, q: np.ndarray, gain: Any) -> np.ndarray:
        """Epsilon and energy of the filtered reference for every sample; 0 in silence."""
        real = filtered.real.dtype
        if not self.normalize:
            return np.ones(filtered.shape[0], dtype=real)
        energy = np.empty((filtered.shape[0], 1))
        # Summed afresh for every sample: the residue of a burst in a running sum would stay.
        fir(row_power(q), 1, np.ones((1, self.n_taps)), np.zeros(1), energy)
        energy = energy[:, 0] + float(abs(gain)) ** 2
        epsilon = regularization_of_rows(self.regularization, filtered, self.n_taps, state["power"])
        return np.where(energy > 0, epsilon + energy, 0).astype(real)

    def _play(self, state: State, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move `state` on by rows, weights frozen; return the drives and what they are heard as."""
        path = self._path(rows.dtype)
        drive = np.empty((rows.shape[0], state["weights"].shape[0]), dtype=rows.dtype)
        z, state["history"] = with_history(rows, state["history"])
        self._frozen_output(state, z, drive)
        heard, state["drive"] = convolved(drive, state["drive"], path)
        filtered, state["reference"] = convolved(rows, state["reference"], path)
        _, state["filtered"] = with_history(filtered, state["filtered"])
        state["n_samples_seen"] = state["n_samples_seen"] + rows.shape[0]
        return drive, heard

    def _divergence_advice(self, rows: np.ndarray) -> str:
        path = self._path(rows.dtype)
        delay, step = path_delay(path[::-1]), self._step(path)
        if self.normalize:
            bound = 2.0 * self.n_taps / (self.n_taps + delay)
        else:
            past = np.zeros((path.size - 1, rows.shape[1]), dtype=rows.dtype)
            with np.errstate(all="ignore"):
                power = row_power(convolved(rows, past, path)[0]).mean()
                bound = float(2.0 / (power * (self.n_taps + delay)))
        return (
            f"with step_size={step:.3g} ({self.step_size}); behind a path that delays by {delay} "
            f"samples, convergence in the mean needs step_size < {bound:.3g} for white noise, and "
            "less for a narrow band. Lower step_size; in a loop with measured errors, check that "
            "the phase of secondary_path is less than 90 degrees off."
        )


class _AtMicrophone(SeriesRegressorMixin):
    """A fitted filter that answers with its anti-noise instead of its drive."""

    def __init__(self, controller: FilteredXFilter) -> None:
        self.controller = controller

    def predict(self, X: Any, *, groups: Any = None) -> Any:
        stacked = as_series(X, groups=groups)
        drive = np.asarray(stacked.align(self.controller.predict(X, groups=groups), "drive"))
        columns = drive.reshape(drive.shape[0], -1)
        path = self.controller._path(columns.dtype)
        past = np.zeros((path.size - 1, columns.shape[1]), dtype=columns.dtype)
        heard = np.empty_like(columns)
        for a, b in stacked.spans():
            heard[a:b], _ = convolved(columns[a:b], past, path)
        return stacked.restore(heard.reshape(drive.shape))


def path_delay(path: np.ndarray) -> int:
    """Sample by which most of the energy of an impulse response has come."""
    energy = np.cumsum(np.abs(path.astype(np.complex128) / np.abs(path).max()) ** 2)
    return int(np.searchsorted(energy, _SHARE_OF_ENERGY * energy[-1]))


def convolved(
    rows: np.ndarray, past: np.ndarray, path: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every column of `rows` through `path` (oldest first), and the past for the next call."""
    z, past = with_history(rows, past)
    heard, bias = np.empty(rows.shape, dtype=rows.dtype), np.zeros(1, dtype=rows.dtype)
    for column, answer in zip(z.T, heard.T, strict=True):
        y = np.empty((rows.shape[0], 1), dtype=rows.dtype)
        fir(np.ascontiguousarray(column), 1, path[np.newaxis], bias, y)
        answer[:] = y[:, 0]
    return heard, past
