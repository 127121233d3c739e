"""Denoising of whole recordings, in blocks: what the command line does with the filters."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import welch

from ._affine_projection import AffineProjectionFilter
from ._base import AdaptiveFilter
from ._frequency import FrequencyDomainFilter
from ._lms import LMSFilter, NLMSFilter
from ._rls import RLSFilter

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
    """

    filter: str
    parameters: dict[str, Any]
    delay: int | None
    rate: float | None


class Cleaned(NamedTuple):
    """What a method gives."""

    signals: np.ndarray
    """The cleaned columns, shape (n_samples, n_signals)."""

    description: str
    """The filter and its parameters."""


Progress = Callable[[float], None]


def cancel(
    signals: np.ndarray, references: np.ndarray, settings: Settings, progress: Progress
) -> Cleaned:
    """Remove from every signal what the references predict, as `NoiseCanceller` does.

    Parameters
    ----------
    signals : ndarray of shape (n_samples, n_signals)
    references : ndarray of shape (n_samples, n_references)
    settings : Settings
    progress : callable
        Told the share that is done.

    Returns
    -------
    Cleaned
        The a-priori errors; the means of the signals stay.

    Raises
    ------
    DivergenceError
        If the filter's weights left the finite numbers.
    """
    filt, description = _filter(settings, n_taps=16)
    means = signals.mean(axis=0)
    errors = _errors(filt, references - references.mean(axis=0), signals - means, progress)
    return Cleaned(errors + means, description)


def line(
    signals: np.ndarray, references: np.ndarray, settings: Settings, progress: Progress
) -> Cleaned:
    """Remove from every signal what its own past predicts, as `LineEnhancer` does.

    Parameters
    ----------
    signals, references, settings, progress
        As in `cancel`; the references are not looked at.

    Returns
    -------
    Cleaned
        The a-priori errors; the means of the signals stay.

    Raises
    ------
    ValueError
        If the delay is as long as the recording, and as `cancel`.
    """
    delay = settings.delay
    if delay is None:
        delay = 32 if settings.rate is None else max(1, round(0.1 * settings.rate))
    if delay >= signals.shape[0]:
        raise ValueError(
            f"the delay of {delay} samples leaves nothing of the {signals.shape[0]} that there are"
        )
    filt, description = _filter(settings, n_taps=64)
    description += f" behind a delay of {delay} samples"
    means = signals.mean(axis=0)
    centred = signals - means
    past = np.zeros_like(centred)
    past[delay:] = centred[:-delay]
    errors = np.empty_like(centred)
    n_signals = centred.shape[1]
    for j in range(n_signals):
        column = slice(j, j + 1)
        errors[:, column] = _errors(
            filt.reset(), past[:, column], centred[:, column], progress, j, n_signals
        )
    return Cleaned(errors + means, description)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray, Settings, Progress], Cleaned]] = {
    "cancel": cancel,
    "line": line,
}
"""The methods by name."""


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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    for signal, label, color in ((before, "before", "#b8c0c8"), (after, "after", "#c2410c")):
        length = min(2048, signal.size)
        frequency, power = welch(signal, rate or 1.0, nperseg=length)
        floor = max(float(power.max()), np.finfo(float).tiny) * 1e-12
        axes.plot(frequency, 10 * np.log10(np.maximum(power, floor)), color=color, label=label)
    axes.set_title(f"Spectrum of {name}")
    axes.set_xlabel("frequency in hertz" if rate else "frequency in cycles a sample")
    axes.set_ylabel("power density in dB")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
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


def _errors(
    filt: AdaptiveFilter,
    x: np.ndarray,
    d: np.ndarray,
    progress: Progress,
    turn: int = 0,
    n_turns: int = 1,
) -> np.ndarray:
    """A-priori errors of the filter, block by block: the same bits as in one go."""
    errors = np.empty_like(d)
    for a in range(0, d.shape[0], _BLOCK):
        progress((turn + a / d.shape[0]) / n_turns)
        part = slice(a, a + _BLOCK)
        errors[part] = filt.adapt(x[part], d[part]).error
    return errors
