"""Mains hum whose frequency and amplitude drift, and a reference of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..timeseries._sklearn_private import checked
from ._checks import check_count, check_number
from ._drift import slow_drift


class MainsHum(NamedTuple):
    """What `mains_hum` returns.

    Attributes
    ----------
    hum : ndarray of shape (n_timesteps,)
        The hum as it adds to a recorded signal.
    reference : ndarray of shape (n_timesteps,)
        A measurement of the mains: other phase, other gain, a little noise.
    frequency : ndarray of shape (n_timesteps,)
        True frequency of the fundamental, in hertz.

    Examples
    --------
    >>> from filters.signals import mains_hum
    >>> mains = mains_hum(720, random_state=0)
    >>> mains.hum.shape, bool(abs(mains.frequency - 50).max() <= 3)
    ((720,), True)
    """

    hum: np.ndarray
    reference: np.ndarray
    frequency: np.ndarray


@checked(made=True, random_state=["random_state"])
def mains_hum(
    n_timesteps: int,
    *,
    fs: float = 360.0,
    frequency: float = 50.0,
    max_drift: float = 3.0,
    max_slew: float = 0.4,
    harmonics_db: Sequence[float] = (-31.0, -25.0),
    amplitude: float = 1.0,
    breathing: float = 0.2,
    reference_noise: float = 0.01,
    random_state: int | np.random.RandomState | None = None,
) -> MainsHum:
    r"""Generate mains hum whose frequency and amplitude drift, and a reference of it.

    .. math:: h(t) = A\,e(t) \sum_k g_k \sin\bigl(k\,\varphi(t) + \psi_k\bigr), \qquad
        \varphi(t) - \varphi(t - 1) = 2 \pi f(t) / f_s

    with :math:`f(t)` a sum of slow sines around `frequency`, the envelope :math:`e(t)` within
    `breathing` of one, and :math:`g_1 = 1`.

    Parameters
    ----------
    n_timesteps : int
        Number of samples.
    fs : float, default=360.0
        Sampling rate in hertz.
    frequency : float, default=50.0
        Centre of the fundamental's frequency in hertz.
    max_drift : float, default=3.0
        Largest deviation of the frequency in hertz; 0 gives a steady frequency.
    max_slew : float, default=0.4
        Largest rate of change of the frequency in hertz per second; 0 gives a steady frequency
        somewhere within `max_drift`.
    harmonics_db : sequence of float, default=(-31.0, -25.0)
        Levels of harmonics 2, 3, ... relative to the fundamental, in decibels.
    amplitude : float, default=1.0
        Mean amplitude of the fundamental.
    breathing : float, default=0.2
        Depth of the slow change of amplitude, in [0, 1).
    reference_noise : float, default=0.01
        Standard deviation of the white noise in the reference, relative to its RMS.
    random_state : int, RandomState instance or None, default=None
        Seed of the drift, the phases, the gain and the noise.

    Returns
    -------
    MainsHum
        Named tuple ``(hum, reference, frequency)`` of arrays of shape (n_timesteps,).

    Raises
    ------
    ValueError
        For an argument outside its range, and if a harmonic could pass ``fs / 2``.

    Notes
    -----
    The reference has the same harmonics at phases of its own and a gain in [0.5, 2], and does not
    breathe: a short linear filter can turn it into the hum, but has to keep adapting. With the
    same seed a longer run begins with the shorter one.

    Examples
    --------
    >>> from filters.signals import mains_hum
    >>> hum, reference, frequency = mains_hum(720, random_state=0)
    >>> hum.shape, bool(abs(frequency - 50).max() <= 3)
    ((720,), True)
    """
    n = check_count("n_timesteps", n_timesteps)
    fs = check_number("fs", fs, above=0.0)
    frequency = check_number("frequency", frequency, above=0.0)
    max_drift = check_number("max_drift", max_drift, minimum=0.0)
    max_slew = check_number("max_slew", max_slew, minimum=0.0)
    amplitude = check_number("amplitude", amplitude, above=0.0)
    breathing = check_number("breathing", breathing, minimum=0.0, below=1.0)
    reference_noise = check_number("reference_noise", reference_noise, minimum=0.0)
    if not isinstance(harmonics_db, list | tuple) and getattr(harmonics_db, "ndim", 0) != 1:
        raise TypeError(f"harmonics_db must be a list of levels in dB; got {harmonics_db!r}.")
    levels = [check_number(f"harmonics_db[{k}]", v) for k, v in enumerate(harmonics_db)]
    _check_band(fs, frequency, max_drift, n_harmonics=1 + len(levels))

    # Scalars are drawn before the noise, so the length does not change the drift.
    rng = check_random_state(random_state)
    time = np.arange(n) / fs
    track = frequency + slow_drift(time, max_drift, max_slew, rng)
    phase = 2.0 * np.pi * np.cumsum(track) / fs
    gains = np.array([1.0] + [10.0 ** (level / 20.0) for level in levels])
    envelope = 1.0 + breathing * np.sin(
        2.0 * np.pi * (time / rng.uniform(5.0, 15.0) + rng.uniform())
    )
    hum = amplitude * envelope * _harmonics(phase, gains, rng)
    reference_gain = 2.0 ** rng.uniform(-1.0, 1.0)
    reference = reference_gain * _harmonics(phase, gains, rng)
    rms = reference_gain * np.sqrt(0.5 * gains @ gains)
    reference += reference_noise * rms * rng.standard_normal(n)
    return MainsHum(hum, reference, track)


def _harmonics(phase: np.ndarray, gains: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    offsets = rng.uniform(0.0, 2.0 * np.pi, gains.size)
    wave = np.zeros_like(phase)
    for k, (gain, offset) in enumerate(zip(gains, offsets, strict=True), start=1):
        wave += gain * np.sin(k * phase + offset)
    return wave


def _check_band(fs: float, frequency: float, max_drift: float, n_harmonics: int) -> None:
    if max_drift >= frequency:
        raise ValueError(
            f"max_drift={max_drift} Hz would take the frequency of {frequency} Hz to zero. "
            "Lower max_drift."
        )
    highest = n_harmonics * (frequency + max_drift)
    if highest >= fs / 2.0:
        raise ValueError(
            f"Harmonic {n_harmonics} reaches {highest:g} Hz, which is not below fs / 2 = "
            f"{fs / 2.0:g} Hz. Raise fs or shorten harmonics_db."
        )
