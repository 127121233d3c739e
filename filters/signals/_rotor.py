"""Helicopter rotor noise: blade-pass harmonics, tail-rotor lines and modulated broadband noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.special import i0
from sklearn.utils import check_random_state

from ..timeseries._sklearn_private import checked
from ._checks import check_count, check_number
from ._drift import slow_drift

# Every level is a sum of this many slow sines, of these periods in seconds.
_N_WAVES = 3
_PERIODS = (1.0, 6.0)
_DB_TO_NEPER = np.log(10.0) / 20.0


class RotorNoise(NamedTuple):
    """What `rotor_noise` returns.

    Attributes
    ----------
    noise : ndarray of shape (n_timesteps,)
        Everything together: `periodic` and the broadband noise.
    periodic : ndarray of shape (n_timesteps,)
        The harmonics of main and tail rotor alone.
    frequency : ndarray of shape (n_timesteps,)
        True blade-pass frequency of the main rotor, in hertz.

    Examples
    --------
    >>> from filters.signals import rotor_noise
    >>> rotor = rotor_noise(8000, random_state=0)
    >>> bool(rotor.periodic.std() < rotor.noise.std()), rotor.frequency.shape
    (True, (8000,))
    """

    noise: np.ndarray
    periodic: np.ndarray
    frequency: np.ndarray


@checked(made=True, random_state=["random_state"])
def rotor_noise(
    n_timesteps: int,
    *,
    fs: float = 8000.0,
    blade_pass: float = 12.0,
    max_drift: float = 0.3,
    max_slew: float = 0.2,
    n_harmonics: int = 13,
    harmonic_rolloff_db: float = 1.5,
    level_spread_db: float = 2.0,
    tail_rotor: float = 105.0,
    n_tail_harmonics: int = 2,
    tail_db: float = -9.0,
    broadband_db: float = -10.0,
    broadband_cutoff: float = 200.0,
    modulation: float = 0.5,
    level: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> RotorNoise:
    r"""Generate the noise of a helicopter's rotors.

    .. math:: s(t) = \sum_k e^{z_k(t)} g_k \sin\bigl(k \varphi(t) + \psi_k\bigr)
        + \sum_j h_j \sin\bigl(j \rho\,\varphi(t) + \chi_j\bigr)
        + \sigma \frac{1 + m \cos \varphi(t)}{\sqrt{1 + m^2 / 2}}\, n(t), \qquad
        \varphi(t) - \varphi(t - 1) = 2 \pi f(t) / f_s

    with :math:`f(t)` a sum of slow sines around `blade_pass`, :math:`z_k(t)` others of standard
    deviation `level_spread_db` (so that the gains are about log-normal), the tail rotor geared to
    the main one, :math:`\rho` = `tail_rotor` / `blade_pass`, and :math:`n(t)` Gaussian noise of
    unit power through a one-pole low-pass.

    Parameters
    ----------
    n_timesteps : int
        Number of samples.
    fs : float, default=8000.0
        Sampling rate in hertz.
    blade_pass : float, default=12.0
        Mean blade-pass frequency in hertz: 11 to 14 with two blades, 25 to 33 with four or five.
    max_drift, max_slew : float, default=0.3, 0.2
        Largest deviation of the blade-pass frequency in hertz and largest rate of its change in
        hertz per second; 0 gives a steady one.
    n_harmonics : int, default=13
        Lines of the main rotor, the blade pass included.
    harmonic_rolloff_db : float, default=1.5
        How much weaker every harmonic is than the one before, in decibels.
    level_spread_db : float, default=2.0
        Standard deviation of the slow changes of the main rotor's levels, in decibels.
    tail_rotor : float, default=105.0
        Mean blade-pass frequency of the tail rotor in hertz, 80 to 140 on most machines.
    n_tail_harmonics : int, default=2
        Lines of the tail rotor; 0 for none. The second is 6 dB weaker, and so on.
    tail_db : float, default=-9.0
        Power of the tail rotor relative to the main one, in decibels.
    broadband_db : float, default=-10.0
        Power of the broadband noise relative to the main rotor, in decibels; recorded: -18 to -3.
    broadband_cutoff : float, default=200.0
        Corner of the broadband noise in hertz; above it falls by 6 dB an octave.
    modulation : float, default=0.5
        Depth m to which the blades modulate the broadband noise, in [0, 1).
    level : float, default=1.0
        Root mean square of the main rotor's harmonics over a long time.
    random_state : int, RandomState instance or None, default=None
        Seed of drift, levels, phases and noise.

    Returns
    -------
    RotorNoise
        Named tuple ``(noise, periodic, frequency)`` of arrays of shape (n_timesteps,).

    Raises
    ------
    ValueError
        For an argument outside its range, and if a line could pass ``fs / 2``.

    Notes
    -----
    Nearly all the power lies below 200 Hz: at 8 kHz the eigenvalues of the correlation matrix of
    128 taps spread over three to five orders of magnitude. That is what slows LMS and NLMS down and
    leaves RLS unmoved. With the same seed a longer run begins with the shorter one.

    Examples
    --------
    >>> from filters.signals import rotor_noise
    >>> noise, periodic, frequency = rotor_noise(8000, random_state=0)
    >>> noise.shape, bool(abs(frequency - 12).max() <= 0.3)
    ((8000,), True)
    """
    n = check_count("n_timesteps", n_timesteps)
    fs = check_number("fs", fs, above=0.0)
    blade_pass = check_number("blade_pass", blade_pass, above=0.0)
    max_drift = check_number("max_drift", max_drift, minimum=0.0, below=blade_pass)
    max_slew = check_number("max_slew", max_slew, minimum=0.0)
    n_harmonics = check_count("n_harmonics", n_harmonics)
    rolloff = check_number("harmonic_rolloff_db", harmonic_rolloff_db)
    spread = _DB_TO_NEPER * check_number("level_spread_db", level_spread_db, minimum=0.0)
    tail_rotor = check_number("tail_rotor", tail_rotor, above=0.0)
    n_tail = check_count("n_tail_harmonics", n_tail_harmonics, minimum=0)
    tail_db = check_number("tail_db", tail_db)
    broadband_db = check_number("broadband_db", broadband_db)
    cutoff = check_number("broadband_cutoff", broadband_cutoff, above=0.0, below=fs / 2.0)
    modulation = check_number("modulation", modulation, minimum=0.0, below=1.0)
    level = check_number("level", level, above=0.0)
    highest = (1 + max_drift / blade_pass) * max(n_harmonics * blade_pass, n_tail * tail_rotor)
    if highest >= fs / 2.0:
        raise ValueError(
            f"the lines reach {highest:g} Hz, which is not below fs / 2 = {fs / 2.0:g} Hz. Raise "
            "fs or lower n_harmonics or n_tail_harmonics."
        )

    # Everything but the noise is drawn first, so the length does not change it.
    rng = check_random_state(random_state)
    time = np.arange(n) / fs
    track = blade_pass + slow_drift(time, max_drift, max_slew, rng)
    phase = 2.0 * np.pi * np.cumsum(track) / fs
    main = _gains(10.0 ** (-rolloff * np.arange(n_harmonics) / 20.0), level, spread)
    periodic = _lines(time, phase, main, spread, rng)
    if n_tail:
        geared = phase * (tail_rotor / blade_pass)
        tail = _gains(0.5 ** np.arange(n_tail), level * 10.0 ** (tail_db / 20.0), 0.0)
        periodic += _lines(time, geared, tail, 0.0, rng)
    sigma = level * 10.0 ** (broadband_db / 20.0) / np.sqrt(1.0 + modulation**2 / 2.0)
    broadband = sigma * (1.0 + modulation * np.cos(phase)) * _low_passed(n, cutoff / fs, rng)
    return RotorNoise(periodic + broadband, periodic, track)


def _gains(shape: np.ndarray, level: float, spread: float) -> np.ndarray:
    """Scale `shape` so that the lines have this RMS when their levels wander by `spread`."""
    # The mean square of exp(A sin) is I0(2 A), and the sines of a level are independent.
    wandering = i0(2.0 * spread * np.sqrt(2.0 / _N_WAVES)) ** _N_WAVES
    return level * shape / np.sqrt(0.5 * shape @ shape * wandering)


def _lines(
    time: np.ndarray,
    phase: np.ndarray,
    gains: np.ndarray,
    spread: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    wave = np.zeros_like(phase)
    for k, gain in enumerate(gains, start=1):
        line = gain * np.sin(k * phase + rng.uniform(0.0, 2.0 * np.pi))
        rates = 2.0 * np.pi / rng.uniform(*_PERIODS, _N_WAVES)
        starts = rng.uniform(0.0, 2.0 * np.pi, _N_WAVES)
        if spread > 0.0:
            wander = sum(np.sin(r * time + s) for r, s in zip(rates, starts, strict=True))
            line *= np.exp(spread * np.sqrt(2.0 / _N_WAVES) * wander)
        wave += line
    return wave


def _low_passed(n: int, cutoff: float, rng: np.random.RandomState) -> np.ndarray:
    """White Gaussian noise of unit power through one pole, stationary from the first sample."""
    pole = np.exp(-2.0 * np.pi * cutoff)
    before = rng.standard_normal()
    drive = np.sqrt(1.0 - pole**2) * rng.standard_normal(n)
    return lfilter([1.0], [1.0, -pole], drive, zi=[pole * before])[0]
