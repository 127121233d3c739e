"""A stand-in for recorded speech: syllables of voiced and unvoiced sound, with pauses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from sklearn.utils import check_random_state

from ..timeseries._sklearn_private import checked
from ._checks import check_count, check_number

# Mean formants of men, in hertz: G. E. Peterson, H. L. Barney, J. Acoustical Society of America 24
# (1952), table II, the vowels of "heed", "head", "had", "father", "ball", "who'd", "bird".
_FORMANTS = (
    (270.0, 2290.0, 3010.0),
    (530.0, 1840.0, 2480.0),
    (660.0, 1720.0, 2410.0),
    (730.0, 1090.0, 2440.0),
    (570.0, 840.0, 2410.0),
    (300.0, 870.0, 2240.0),
    (490.0, 1350.0, 1690.0),
)
_BANDWIDTHS = (80.0, 100.0, 140.0)


class SpeechLike(NamedTuple):
    """What `speech_like` returns.

    Attributes
    ----------
    speech : ndarray of shape (n_timesteps,)
        The signal; exactly zero in the pauses.
    active : ndarray of bool, shape (n_timesteps,)
        Where something is said.
    pitch : ndarray of shape (n_timesteps,)
        Frequency of the voice in hertz; 0 where there is none.

    Examples
    --------
    >>> from filters.signals import speech_like
    >>> voice = speech_like(8000, random_state=0)
    >>> bool((voice.speech[~voice.active] == 0).all())
    True
    """

    speech: np.ndarray
    active: np.ndarray
    pitch: np.ndarray


@checked(made=True, random_state=["random_state"])
def speech_like(
    n_timesteps: int,
    *,
    fs: float = 8000.0,
    pitch: float = 115.0,
    pitch_range: float = 0.2,
    syllable_rate: float = 4.0,
    pause_share: float = 0.25,
    level: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> SpeechLike:
    r"""Generate a signal with the rhythm, pitch and formants of speech, but no words.

    .. math:: s(t) = a(t)\, \bigl(F_{vowel} * G * \textstyle\sum_k \delta(t - t_k)\bigr)(t)

    for the voiced part of a syllable: pulses at the pitch through a falling spectrum G and three
    formant resonators F under a smooth envelope a(t). Six syllables in ten begin with an unvoiced
    part, noise with its weight above 2 kHz. After three to seven syllables comes a pause.

    Parameters
    ----------
    n_timesteps : int
        Number of samples.
    fs : float, default=8000.0
        Sampling rate in hertz, at least 4000; formants above 0.45 fs are left out.
    pitch : float, default=115.0
        Mean frequency of the voice in hertz.
    pitch_range : float, default=0.2
        Relative range of the pitch, in [0, 1): it falls through every phrase from
        ``pitch * (1 + pitch_range)`` to ``pitch * (1 - pitch_range)``.
    syllable_rate : float, default=4.0
        Mean number of syllables a second while there is speech.
    pause_share : float, default=0.25
        Mean share of the time taken by pauses, in [0, 1).
    level : float, default=1.0
        Root mean square of the voiced parts; from syllable to syllable it varies by 3 dB, and
        unvoiced parts are 12 dB weaker.
    random_state : int, RandomState instance or None, default=None
        Seed of everything drawn.

    Returns
    -------
    SpeechLike
        Named tuple ``(speech, active, pitch)`` of arrays of shape (n_timesteps,).

    Raises
    ------
    ValueError
        For an argument outside its range.

    Notes
    -----
    It stands in where no recording is at hand: for the spectrum, the pauses and the changing level
    that an adaptive filter meets, not for judging intelligibility. With the same seed a longer run
    begins with the shorter one.

    References
    ----------
    D. H. Klatt, Software for a cascade/parallel formant synthesizer, J. Acoustical Society of
    America 67 (1980), 971-995 (the resonators).

    Examples
    --------
    >>> from filters.signals import speech_like
    >>> speech, active, pitch = speech_like(16000, random_state=0)
    >>> speech.shape, bool(active.any()), bool(abs(speech[~active]).max() == 0)
    ((16000,), True, True)
    """
    n = check_count("n_timesteps", n_timesteps)
    fs = check_number("fs", fs, minimum=4000.0, below=1e9)
    pitch = check_number("pitch", pitch, above=0.0, below=fs / 8.0)
    pitch_range = check_number("pitch_range", pitch_range, minimum=0.0, below=1.0)
    rate = check_number("syllable_rate", syllable_rate, above=1e-6)
    pause_share = check_number("pause_share", pause_share, minimum=0.0, below=1.0)
    level = check_number("level", level, above=0.0)
    rng = check_random_state(random_state)
    speech, active, track = np.zeros(n), np.zeros(n, dtype=bool), np.zeros(n)

    def put(at: int, sound: np.ndarray, voice: np.ndarray) -> int:
        n_heard = max(0, min(n - at, sound.size))
        here = slice(at, at + n_heard)
        speech[here], active[here], track[here] = sound[:n_heard], True, voice[:n_heard]
        return at + sound.size

    place = 0
    while place < n:
        phrase = place
        n_syllables = rng.randint(3, 8)
        for k in range(n_syllables):
            duration = rng.uniform(0.7, 1.3) / rate
            loud = level * 10.0 ** (rng.normal(0.0, 3.0) / 20.0)
            unvoiced = duration * (rng.uniform(0.2, 0.4) if rng.uniform() < 0.6 else 0.0)
            if unvoiced:
                hiss = loud * 10.0 ** (-12.0 / 20.0) * _hiss(int(unvoiced * fs) + 1, rng)
                place = put(place, hiss, np.zeros(hiss.size))
            n_voiced = int((duration - unvoiced) * fs) + 1
            fall = (k + np.arange(n_voiced) / n_voiced) / n_syllables
            voice = pitch * (1.0 + pitch_range * (1.0 - 2.0 * fall))
            place = put(place, loud * _vowel(voice, fs, rng), voice)
        spoken = place - phrase
        pause = spoken * pause_share / (1.0 - pause_share)
        place += int(pause * rng.uniform(0.6, 1.4))
    return SpeechLike(speech, active, track)


def _vowel(voice: np.ndarray, fs: float, rng: np.random.RandomState) -> np.ndarray:
    """One vowel of unit power: pulses at the pitch, a falling spectrum, three resonators."""
    periods = np.cumsum(voice) / fs + rng.uniform()
    sound = np.diff(np.floor(periods), prepend=np.floor(periods[0]))
    # Two poles at 100 Hz and the lips' derivative: 6 dB an octave down, as voices are.
    pole = np.exp(-2.0 * np.pi * 100.0 / fs)
    sound = lfilter([1.0, -1.0], [1.0, -2.0 * pole, pole**2], sound)
    formants = _FORMANTS[rng.randint(len(_FORMANTS))]
    for frequency, bandwidth in zip(formants, _BANDWIDTHS, strict=True):
        if frequency < 0.45 * fs:
            radius = np.exp(-np.pi * bandwidth / fs)
            cosine = np.cos(2.0 * np.pi * frequency / fs)
            feedback = [1.0, -2.0 * radius * cosine, radius**2]
            sound = lfilter([sum(feedback)], feedback, sound)
    return _shaped(sound)


def _hiss(n: int, rng: np.random.RandomState) -> np.ndarray:
    """An unvoiced sound of unit power."""
    return _shaped(lfilter([1.0, -0.95], [1.0, 0.4], rng.standard_normal(n)))


def _shaped(sound: np.ndarray) -> np.ndarray:
    """Fade in and out by a quarter of the length each and scale to unit power."""
    edge = np.linspace(0.0, 4.0, sound.size)
    envelope = np.sin(0.5 * np.pi * np.clip(np.minimum(edge, edge[::-1]), 0.0, 1.0))
    sound = sound * envelope
    power = float(np.mean(sound**2))
    return sound / np.sqrt(power) if power > 0.0 else sound
