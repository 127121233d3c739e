"""Impulse responses: from a rotor to the microphones of a cabin, and of echoes."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.signal import lfilter
from sklearn.utils import check_random_state

from ..timeseries._numbers import as_numbers
from ..timeseries._sklearn_private import StrOptions, checked
from ._checks import check_count, check_number

_SPEED_OF_SOUND = 343.0
# A level falls by 60 dB in one reverberation time: exp(-_SIXTY_DB) = 1e-3.
_SIXTY_DB = np.log(1000.0)
# Half the length of the windowed sinc that delays by a fraction of a sample.
_HALF_SINC = 16


class CabinPaths(NamedTuple):
    """What `cabin_paths` returns; impulse responses, newest input sample first.

    Row 0 holds for the first half of a recording, row 1 for the second.

    Attributes
    ----------
    to_microphone : ndarray of shape (2, n_taps)
        From the rotor to the voice microphone.
    to_reference : ndarray of shape (2, n_taps)
        From the rotor to the reference microphone.

    Examples
    --------
    >>> from filters.signals import cabin_paths
    >>> paths = cabin_paths(256, random_state=0)
    >>> paths.to_microphone.shape, paths.to_reference.shape
    ((2, 256), (2, 256))
    """

    to_microphone: np.ndarray
    to_reference: np.ndarray


class EchoPath(NamedTuple):
    """What `echo_path` returns.

    Attributes
    ----------
    response : ndarray of shape (n_taps,)
        Impulse response, newest input sample first.
    delay : int
        Samples before the echo begins; the response is exactly zero there.

    Examples
    --------
    >>> from filters.signals import echo_path
    >>> path = echo_path(512, random_state=0)
    >>> path.response.shape, bool((path.response[: path.delay] == 0).all())
    ((512,), True)
    """

    response: np.ndarray
    delay: int


@checked(made=True, random_state=["random_state"])
def cabin_paths(
    n_taps: int = 1024,
    *,
    fs: float = 8000.0,
    microphone_distance: float = 2.5,
    reference_distance: float = 0.7,
    n_echoes: int = 3,
    reverberation_time: float = 0.15,
    tail_db: float = -8.0,
    change: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> CabinPaths:
    r"""Draw the impulse responses from a rotor to a voice microphone and a reference microphone.

    .. math:: h(n) = \frac{r_0}{r} \delta_{r f_s / c}(n)
        + \sum_{i} a_i\, \delta_{d_i}(n) + b(n)\, 10^{-3 n / (f_s T)}

    a direct sound delayed by the distance (a band-limited fractional delay), early echoes 1 to
    12 ms later, each 4 to 14 dB below the direct sound and of either sign, and a diffuse tail:
    noise :math:`b(n)` whose level falls by 60 dB in the reverberation time T.

    Parameters
    ----------
    n_taps : int, default=1024
        Length of the responses, which must hold the direct sound; the tail is cut off there.
    fs : float, default=8000.0
        Sampling rate in hertz.
    microphone_distance, reference_distance : float, default=2.5, 0.7
        Metres from the rotor. The direct sound of the voice microphone has gain one, the other is
        stronger or weaker by the ratio of the distances.
    n_echoes : int, default=3
        Early echoes of every path.
    reverberation_time : float, default=0.15
        T in seconds; 0.1 to 0.3 in cabins.
    tail_db : float, default=-8.0
        Energy of the diffuse tail relative to the voice microphone's direct sound, in decibels; it
        is equally strong everywhere in the cabin.
    change : float, default=0.0
        Norm of the change of the voice microphone's path half way, relative to the path; 0 for
        none. The reference's path does not change.
    random_state : int, RandomState instance or None, default=None
        Seed of echoes, tails and change.

    Returns
    -------
    CabinPaths
        Named tuple ``(to_microphone, to_reference)`` of arrays of shape (2, n_taps).

    Raises
    ------
    ValueError
        For an argument outside its range, and if `n_taps` ends before the echoes do.

    Notes
    -----
    A reference nearer to the rotor hears everything first, so that a causal filter can turn it into
    the noise of the microphone. `through_paths` applies the responses. The fractional delay is 32
    samples long around its centre: nearer than 16 samples (0.7 m at 8 kHz) its front is cut off.

    Examples
    --------
    >>> from filters.signals import cabin_paths
    >>> paths = cabin_paths(512, change=0.5, random_state=0)
    >>> paths.to_microphone.shape, int(abs(paths.to_microphone[0]).argmax())
    ((2, 512), 58)
    """
    n = check_count("n_taps", n_taps)
    fs = check_number("fs", fs, above=0.0)
    far = check_number("microphone_distance", microphone_distance, above=0.0)
    near = check_number("reference_distance", reference_distance, above=0.0)
    n_echoes = check_count("n_echoes", n_echoes, minimum=0)
    seconds = check_number("reverberation_time", reverberation_time, above=0.0)
    tail_db = check_number("tail_db", tail_db)
    change = check_number("change", change, minimum=0.0)
    latest = max(far, near) / _SPEED_OF_SOUND + 0.012 * (n_echoes > 0)
    if n < latest * fs + _HALF_SINC:
        raise ValueError(
            f"n_taps={n} ends before the direct sound and the echoes do; at fs={fs:g} Hz and these "
            f"distances give at least {int(np.ceil(latest * fs)) + _HALF_SINC}."
        )
    rng = check_random_state(random_state)

    def path(distance: float) -> np.ndarray:
        first = distance / _SPEED_OF_SOUND * fs
        direct = far / distance
        response = direct * _delta(n, first)
        for _ in range(n_echoes):
            gain = rng.choice([-1.0, 1.0]) * 10.0 ** (rng.uniform(-14.0, -4.0) / 20.0)
            response += direct * gain * _delta(n, first + fs * rng.uniform(0.001, 0.012))
        diffuse = _decaying_noise(n, int(first), _SIXTY_DB / (seconds * fs), rng)
        return response + 10.0 ** (tail_db / 20.0) * diffuse

    to_microphone, to_reference, other = path(far), path(near), path(far)
    moved = change * np.linalg.norm(to_microphone) / np.linalg.norm(other) * other
    return CabinPaths(
        np.stack([to_microphone, to_microphone + moved]),
        np.stack([to_reference, to_reference]),
    )


@checked(made=True, kind=[StrOptions({"acoustic", "line"})], random_state=["random_state"])
def echo_path(
    n_taps: int = 512,
    *,
    fs: float = 8000.0,
    kind: Literal["acoustic", "line"] = "acoustic",
    return_loss_db: float = 6.0,
    delay: float = 0.005,
    decay_time: float = 0.2,
    random_state: int | np.random.RandomState | None = None,
) -> EchoPath:
    r"""Draw the impulse response of an acoustic echo or of the echo of a telephone line.

    .. math:: \sum_n h(n)^2 = 10^{-L / 10}, \qquad
        h(n) \propto b(n - d)\, 10^{-3 (n - d) / (f_s T)} \;\; (n \ge d)

    with `return_loss_db` L, Gaussian :math:`b`, and for a line additionally the onset
    :math:`(n - d) / f_s`, so that the response swells before it dies away.

    Parameters
    ----------
    n_taps : int, default=512
        Length of the response, beyond the delay.
    fs : float, default=8000.0
        Sampling rate in hertz.
    kind : {"acoustic", "line"}, default="acoustic"
        "acoustic": dense, decaying from the delay on by 60 dB in `decay_time`. "line": the
        dispersive echo of a hybrid, which has died out 8 ms after the delay: sparse.
    return_loss_db : float, default=6.0
        Echo return loss: how much weaker the echo of white noise is than the noise, in decibels.
    delay : float, default=0.005
        Seconds before the echo begins.
    decay_time : float, default=0.2
        T in seconds, of an acoustic echo only.
    random_state : int, RandomState instance or None, default=None
        Seed of the response.

    Returns
    -------
    EchoPath
        Named tuple ``(response, delay)``, the delay in samples.

    Raises
    ------
    ValueError
        For an argument outside its range, and if `n_taps` ends before the delay does.

    Examples
    --------
    >>> from filters.signals import echo_path
    >>> response, delay = echo_path(256, return_loss_db=10.0, random_state=0)
    >>> delay, round(float(response @ response), 6)
    (40, 0.1)
    """
    n = check_count("n_taps", n_taps)
    fs = check_number("fs", fs, above=0.0)
    loss = check_number("return_loss_db", return_loss_db)
    start = round(check_number("delay", delay, minimum=0.0) * fs)
    seconds = check_number("decay_time", decay_time, above=0.0)
    if start + 1 >= n:
        raise ValueError(f"n_taps={n} ends before the delay of {start} samples does.")
    rng = check_random_state(random_state)
    if kind == "acoustic":
        response = _decaying_noise(n, start, _SIXTY_DB / (seconds * fs), rng)
    else:
        dispersion = round(0.008 * fs)
        response = _decaying_noise(n, start, _SIXTY_DB / dispersion, rng)
        response *= np.arange(n) - start + 1
        response[start + dispersion :] = 0.0
    return EchoPath(response * (10.0 ** (-loss / 20.0) / np.linalg.norm(response)), start)


@checked(made=True)
def through_paths(signal: Any, responses: Any) -> np.ndarray:
    r"""Filter a signal by responses that take over from one another at equal intervals.

    .. math:: y(t) = \sum_n h_{k(t)}(n)\, x(t - n), \qquad k(t) = \lfloor K t / N \rfloor

    with zeros before the start and N samples, K responses.

    Parameters
    ----------
    signal : array-like of shape (n_timesteps,)
        The source, x.
    responses : array-like of shape (n_taps,) or (n_responses, n_taps)
        One response, or several in the order in which they hold.

    Returns
    -------
    ndarray of shape (n_timesteps,)

    Raises
    ------
    ValueError
        For other shapes, NaN or infinity.

    Examples
    --------
    >>> from filters.signals import through_paths
    >>> through_paths([1.0, 2.0, 3.0, 4.0], [[1.0, 0.0], [0.0, 1.0]]).round(9)
    array([1., 2., 2., 3.])
    """
    x, h = as_numbers(signal, "signal"), np.atleast_2d(as_numbers(responses, "responses"))
    if np.iscomplexobj(x) or np.iscomplexobj(h):
        raise ValueError("signal and responses are real here; got complex numbers.")
    x, h = x.astype(np.float64), h.astype(np.float64)
    if x.ndim != 1 or h.ndim != 2 or not x.size or not h.size:
        raise ValueError(
            "signal must have shape (n_timesteps,) and responses (n_taps,) or "
            f"(n_responses, n_taps), not empty; got {x.shape} and {np.shape(responses)}."
        )
    if not np.isfinite(x).all() or not np.isfinite(h).all():
        raise ValueError("signal and responses must be finite.")
    current = np.arange(x.size) * h.shape[0] // x.size
    answer = np.empty_like(x)
    for k, response in enumerate(h):
        # Not by FFT: its rounding would be heard where there should be silence, and a normalised
        # filter takes a reference of 1e-17 as seriously as one of 1.
        heard = lfilter(response, [1.0], x)
        answer[current == k] = heard[current == k]
    return answer


def _delta(n: int, delay: float) -> np.ndarray:
    """Unit impulse after `delay` samples, which need not be whole: a Hann-windowed sinc."""
    distance = np.arange(n) - delay
    window = np.where(
        np.abs(distance) < _HALF_SINC, np.cos(0.5 * np.pi * distance / _HALF_SINC) ** 2, 0.0
    )
    return window * np.sinc(distance)


def _decaying_noise(n: int, start: int, rate: float, rng: np.random.RandomState) -> np.ndarray:
    """Unit energy, zeros up to `start`, then noise that falls by exp(-rate) a sample."""
    noise = np.zeros(n)
    noise[start:] = rng.standard_normal(n - start) * np.exp(-rate * np.arange(n - start))
    return noise / np.linalg.norm(noise)
