"""Denoising of whole recordings, in blocks: what the command line does with the filters."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ._affine_projection import AffineProjectionFilter
from ._base import AdaptiveFilter
from ._frequency import FrequencyDomainFilter
from ._lms import LMSFilter, NLMSFilter
from ._rls import RLSFilter
from .displays import SpectrumDisplay
from .tasks import AdaptiveNotch, LineEnhancer
from .timeseries._extras import require_report_extra

# Rows adapted to at once: long enough to cost nothing, short enough for Ctrl-C to be heard.
_BLOCK = 1 << 15

FILTERS: dict[str, tuple[type[AdaptiveFilter], dict[str, Any]]] = {
    "nlms": (NLMSFilter, {"step_size": 0.02}),
    "lms": (LMSFilter, {"step_size": "auto"}),
    "rls": (RLSFilter, {"forgetting_factor": 0.999}),
    "apa": (AffineProjectionFilter, {"step_size": 0.02}),
    "frequency": (FrequencyDomainFilter, {"step_size": 0.1}),
}
"""The filters by name, with the parameters that can be chosen and their defaults."""


@dataclass(frozen=True)
class Settings:
    """What a method may want to know.

    Attributes
    ----------
    filter : str
        A key of `FILTERS`.
    parameters : dict
        `n_taps` (None: the method's default), and what differs from the filter's defaults.
    delay : int or None
        In samples, of the method "line".
    rate : float or None
        Samples a second.
    frequency : float or None
        In hertz, of the method "notch".
    harmonics : int
        Of the method "notch", the fundamental counted.
    """

    filter: str
    parameters: dict[str, Any]
    delay: int | None
    rate: float | None
    frequency: float | None = None
    harmonics: int = 1


class Method(NamedTuple):
    """A way to clean given signals."""

    clean: Callable[[slice], np.ndarray]
    """The cleaned rows of a slice, ``(n, n_signals)``; slices come in order."""

    description: str
    """The filter and its parameters."""


def cancel(signals: np.ndarray, references: np.ndarray, settings: Settings) -> Method:
    """Remove from every signal what the references predict, as `NoiseCanceller` does.

    Parameters
    ----------
    signals : ndarray of shape (n_samples, n_signals)
        With their means taken out.
    references : ndarray of shape (n_samples, n_references)
    settings : Settings

    Returns
    -------
    Method
    """
    inner, description = _filter(settings, n_taps=16)
    references = references - references.mean(axis=0)
    session = inner.stream()

    def clean(part: slice) -> np.ndarray:
        noise = session.learn_many(references[part], signals[part])
        return signals[part] - noise.reshape(-1, signals.shape[1])

    return Method(clean, description)


def line(signals: np.ndarray, references: np.ndarray, settings: Settings) -> Method:
    """Remove from every signal what its own past predicts, as `LineEnhancer` does.

    Parameters
    ----------
    signals, references, settings
        As in `cancel`; the references are not looked at.

    Returns
    -------
    Method

    Raises
    ------
    ValueError
        If the delay is as long as the recording.
    """
    delay = settings.delay
    if delay is None:
        delay = 32 if settings.rate is None else max(1, round(0.1 * settings.rate))
    if delay >= signals.shape[0]:
        raise ValueError(
            f"the delay of {delay} samples leaves nothing of the {signals.shape[0]} that there are"
        )
    inner, description = _filter(settings, n_taps=64)
    session = LineEnhancer(inner, delay=delay, output="noise").stream()
    description += f" behind a delay of {delay} samples"
    return Method(lambda part: session.learn_many(signals[part]), description)


def notch(signals: np.ndarray, references: np.ndarray, settings: Settings) -> Method:
    """Remove a drifting tone and its harmonics from every signal, by `AdaptiveNotch`.

    Parameters
    ----------
    signals, references, settings
        As in `cancel`; the references are not looked at.

    Returns
    -------
    Method

    Raises
    ------
    ValueError
        Without a frequency or a rate, or for harmonics that the rate does not allow.
    """
    if settings.frequency is None:
        raise ValueError("--method notch needs --frequency, where the tone is to be looked for")
    if settings.rate is None:
        raise ValueError("--method notch needs the rate: give --fs, or a table with its time")
    chosen = AdaptiveNotch(
        settings.rate, frequency=settings.frequency, n_harmonics=settings.harmonics
    )
    session = chosen.stream()
    described = f"AdaptiveNotch(frequency={chosen.frequency!r}, n_harmonics={chosen.n_harmonics})"
    return Method(lambda part: session.learn_many(signals[part]), described)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, Settings], Method]] = {
    "cancel": cancel,
    "line": line,
    "notch": notch,
}
"""The methods by name."""


def denoise(
    method: str,
    signals: np.ndarray,
    references: np.ndarray,
    settings: Settings,
    progress: Callable[[float], None],
) -> tuple[np.ndarray, str]:
    """Run a method over whole signals, block by block: the same bits as in one go.

    Parameters
    ----------
    method : str
        A key of `METHODS`.
    signals : ndarray of shape (n_samples, n_signals)
    references : ndarray of shape (n_samples, n_references)
    settings : Settings
    progress : callable
        Told the share that is done.

    Returns
    -------
    cleaned : ndarray, as `signals`
        The means of the signals stay.
    description : str
        The filter and its parameters.

    Raises
    ------
    ValueError
        As the method, and `DivergenceError` if weights left the finite numbers.
    """
    means = signals.mean(axis=0)
    clean, description = METHODS[method](signals - means, references, settings)
    answer = np.empty_like(signals)
    for a in range(0, signals.shape[0], _BLOCK):
        progress(a / signals.shape[0])
        part = slice(a, a + _BLOCK)
        answer[part] = clean(part) + means
    return answer, description


def removed_db(before: np.ndarray, after: np.ndarray) -> float:
    """Power that was removed, means aside, in decibels.

    .. math:: 10 \\log_{10} \\bigl( \\mathrm{var}(before) / \\mathrm{var}(after) \\bigr)

    Parameters
    ----------
    before, after : ndarray of the same shape

    Returns
    -------
    float
        0 for a constant, infinite if nothing is left.
    """
    scale = float(np.abs(before).max()) or 1.0  # its square need not be a finite number
    power, rest = float(np.var(before / scale)), float(np.var(after / scale))
    if power == 0.0:
        return 0.0
    return 10.0 * float(np.log10(power / rest)) if rest else np.inf


def spectrum_picture(
    before: np.ndarray, after: np.ndarray, name: str, rate: float | None, form: str
) -> bytes:
    """Draw the spectra of a signal before and after.

    Parameters
    ----------
    before, after : ndarray of shape (n_samples,)
    name : str
        Of the signal, for the title.
    rate : float or None
        Samples a second; None counts in cycles a sample.
    form : str
        "png", "svg" or "pdf".

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    require_report_extra("--plot", "matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    length = min(2048, before.size)
    display = SpectrumDisplay.from_signals(
        before, after, fs=rate, nperseg=length, ax=figure.add_subplot()
    )
    display.ax_.set_title(f"Spectrum of {name}")
    content = io.BytesIO()
    figure.savefig(content, format=form, dpi=120)
    return content.getvalue()


def _filter(settings: Settings, *, n_taps: int) -> tuple[AdaptiveFilter, str]:
    """The filter and, with everything chosen for it, its description."""
    kind, defaults = FILTERS[settings.filter]
    if kind is FrequencyDomainFilter:
        n_taps = 256
    parameters = {"n_taps": n_taps, **defaults, **settings.parameters}
    listed = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
    return kind(**parameters), f"{kind.__name__}({listed})"
