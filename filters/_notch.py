"""AdaptiveNotch: remove a drifting tone that nobody measured."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ._online import OnlineTask
from ._task_stream import Parts
from .kernels.notch import notch
from .timeseries._errors import DivergenceError
from .timeseries._sklearn_private import StrOptions, positive, positive_int

# "auto" bandwidth: this share of the frequency, 1.7 Hz for hum of 50 Hz.
_AUTO_BANDWIDTH = 1.0 / 30.0


class AdaptiveNotch(OnlineTask):
    r"""Remove a tone of drifting frequency and its harmonics, without a reference.

    .. math:: y(t) = \sum_{h=1}^{n} \mathrm{Re}\, a_h e^{j h \psi(t)}, \quad
              e = x - y, \quad a_h \leftarrow a_h + g\, e\, e^{-j h \psi}, \quad
              \psi(t + 1) = \psi(t) + 2 \pi f(t) / f_s

    LMS cancels the signal with references made from a running phase, and the frequency f follows
    the phase error that is left. Each column has a notch of its own.

    Parameters
    ----------
    fs : float, default=1.0
        Sampling rate; `frequency` and `bandwidth` have its unit.
    frequency : float, default=0.05
        Where the search begins, and where it waits while no tone is heard. All harmonics must lie
        below ``fs / 2``.
    n_harmonics : int, default=1
        Tones removed, at once, twice, ... the frequency: the fundamental counts.
    bandwidth : float or "auto", default="auto"
        Width of the notch where it lets half of the power pass. "auto" is a thirtieth of
        `frequency`. Narrow spares the signal, wide follows a faster drift.
    track : bool, default=True
        Whether the frequency adapts; amplitude and phase always do.

    Attributes
    ----------
    frequency_ : ndarray of shape (n_timesteps,) or (n_timesteps, n_features)
        Frequency after every row of the last `fit` or `partial_fit`; several series stand one
        after the other.
    bandwidth_ : float
        The bandwidth used.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For a harmonic at or above ``fs / 2``, a bandwidth that leaves no signal, NaN, infinity or
        complex data.
    DivergenceError
        If the signal is too large for its dtype.

    Notes
    -----
    `fit_transform` gives the *online* answer: causal, the first rows not yet settled. `transform`
    and ``predict_many`` of a session hold the frequency where learning left it, and amplitude and
    phase still follow. A session's ``state["frequency"]`` is the present frequency. A new series
    begins there, all else from zero. Cost: one sine and cosine, and about 60 operations a harmonic
    where it tracks, in each row.

    With a steady frequency and one harmonic this is the notch of Glover and Widrow,
    :math:`H(z) = (1 - g/2) (1 - 2cz^{-1} + z^{-2}) / (1 - (2 - g)cz^{-1} + (1 - g)z^{-2})`,
    c = cos(2 pi f / fs), which is ``scipy.signal.iirnotch(f, f / bandwidth, fs)``:
    :math:`g = 2t / (1 + t)`, :math:`t = \tan(\pi\, \mathrm{bandwidth} / f_s)`. The a-priori error
    of LMS lacks the factor 1 - g/2 (1 - n g/2 for n harmonics), which makes the gain one at zero
    and at fs / 2.

    Nothing depends on the scale of the signal. An offset of up to about a hundred standard
    deviations does no harm; a larger one is best taken out first.

    A tone is caught from about three bandwidths away ("auto": a tenth of `frequency`) if it stands
    out from the signal there; a wider notch catches from further, up to a third of the way to zero
    or fs / 2. Once caught it may drift anywhere; its frequency stays between `frequency` / 100 and
    nearly fs / 2. A drift of bandwidth^2 / 5 in a unit of time leaves a hundredth of the tone's
    power, one of bandwidth^2 / 2 a fifteenth. Harmonics that come to fs / 2 are switched off. In a
    pause of the tone the frequency goes home, with a time constant of about 3 / bandwidth. A burst
    blinds the tracker for about log(burst / signal) * 2 / bandwidth.

    References
    ----------
    J. R. Glover, Adaptive noise canceling applied to sinusoidal interferences, IEEE Trans. ASSP 25
    (1977), 484-491.
    C. A. Vaz, X. Kong, N. V. Thakor, An adaptive estimation of periodic signals using a Fourier
    linear combiner, IEEE Trans. Signal Processing 42 (1994), 1-10.
    C. N. Riviere, R. S. Rader, N. V. Thakor, Adaptive canceling of physiological tremor for
    improved precision in microsurgery, IEEE Trans. Biomedical Engineering 45 (1998), 839-846.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import AdaptiveNotch
    >>> hum = np.sin(2 * np.pi * 51 * np.arange(3600) / 360)
    >>> notch = AdaptiveNotch(fs=360, frequency=50)
    >>> left = notch.fit_transform(hum[:, np.newaxis])
    >>> bool(abs(left[-360:]).max() < 0.01), round(float(notch.frequency_[-1]), 2)
    (True, 51.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "fs": [positive()],
        "frequency": [positive()],
        "n_harmonics": [positive_int()],
        "bandwidth": [positive(), StrOptions({"auto"})],
        "track": ["boolean"],
    }

    def __init__(
        self,
        fs: float = 1.0,
        frequency: float = 0.05,
        *,
        n_harmonics: int = 1,
        bandwidth: float | Literal["auto"] = "auto",
        track: bool = True,
    ) -> None:
        self.fs = fs
        self.frequency = frequency
        self.n_harmonics = n_harmonics
        self.bandwidth = bandwidth
        self.track = track

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        self._rate()
        return {
            "frequency": np.full(n_features, float(self.frequency)),
            "loop": np.zeros((n_features, 5)),
            "amplitude": np.zeros((n_features, self.n_harmonics), dtype=complex),
            "band": np.zeros((n_features, 4, self.n_harmonics), dtype=complex),
            "level": np.zeros((n_features, self.n_harmonics)),
            "n_samples_seen": np.zeros((), dtype=np.int64),
        }

    def _begin_series(self, parts: Parts) -> None:
        for name in ("loop", "amplitude", "band", "level"):
            parts[name] = np.zeros_like(parts[name])

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        if np.iscomplexobj(rows):
            raise ValueError("AdaptiveNotch takes real signals; X is complex.")
        if parts["amplitude"].shape[1] != self.n_harmonics:
            raise ValueError(
                f"n_harmonics={self.n_harmonics}, but the notch was fitted with "
                f"{parts['amplitude'].shape[1]}. fit() starts anew."
            )
        rate = self._rate()
        cleaned = np.empty_like(rows)
        track = np.empty(rows.shape)
        for j in range(rows.shape[1]):
            out, path = np.empty(rows.shape[0], dtype=rows.dtype), np.empty(rows.shape[0])
            bad = notch(
                np.ascontiguousarray(rows[:, j]),
                rate,
                float(2.0 * np.pi / self.fs),
                float(self.frequency),
                bool(learn and self.track),
                parts["frequency"][j : j + 1],
                parts["loop"][j],
                parts["amplitude"][j],
                parts["band"][j],
                parts["level"][j],
                out,
                path,
            )
            if bad >= 0:
                step = int(parts["n_samples_seen"]) + bad
                raise DivergenceError(
                    f"AdaptiveNotch left the finite numbers at time step {step}, column {j}: the "
                    f"signal is too large for {rows.dtype} ({rows[bad, j]:.3g}). Scale it down.",
                    step,
                )
            cleaned[:, j], track[:, j] = out, path
        parts["n_samples_seen"] = parts["n_samples_seen"] + rows.shape[0]
        if hasattr(self, "_tracks"):
            self._tracks.append(track)
        return cleaned

    def _learn(self, X: Any, groups: Any, *, reset: bool) -> Any:
        self._tracks: list[np.ndarray] = []
        return super()._learn(X, groups, reset=reset)

    def _publish(self, parts: Parts) -> None:
        track = np.concatenate(self._tracks)
        del self._tracks
        self.frequency_ = track[:, 0] if track.shape[1] == 1 else track
        self.bandwidth_ = self._width()

    def _width(self) -> float:
        width = self.frequency * _AUTO_BANDWIDTH if self.bandwidth == "auto" else self.bandwidth
        return float(width)

    def _rate(self) -> float:
        """The rate g that gives the bandwidth; raises where the parameters do not go together."""
        if self.n_harmonics * self.frequency >= self.fs / 2:
            what = "frequency" if self.n_harmonics == 1 else f"harmonic {self.n_harmonics}"
            raise ValueError(
                f"{what} is at {self.n_harmonics * self.frequency:g}, which is not below fs / 2 = "
                f"{self.fs / 2:g} (frequency={self.frequency}, n_harmonics={self.n_harmonics}, "
                f"fs={self.fs}). fs, frequency and bandwidth share one unit."
            )
        # The bilinear width of a digital notch; n g < 2 keeps LMS from growing.
        t = np.tan(np.pi * min(self._width() / self.fs, 0.5))
        rate = 2.0 * t / (1.0 + t)
        widest = self.fs / np.pi * np.arctan(1.0 / max(self.n_harmonics - 1, 1e-9))
        if self._width() >= self.fs / 2 or self.n_harmonics * rate >= 2.0:
            raise ValueError(
                f"bandwidth={self._width():g} is too wide: with n_harmonics={self.n_harmonics} it "
                f"must be below {widest:g} (fs={self.fs})."
            )
        return float(rate)
