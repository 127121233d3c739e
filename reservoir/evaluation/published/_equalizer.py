"""Haykin's adaptive equaliser and the steady states of LMS and NLMS: is theory met? (P10)

Binary symbols pass a raised-cosine channel of growing eigenvalue spread; eleven taps learn the
symbol of seven samples ago. Spreads and least errors follow from the channel; the averages of 300
runs are judged by the small-step formulas, where these hold.

S. Haykin, Adaptive Filter Theory, computer experiments on adaptive equalisation (LMS and RLS).
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import toeplitz

from filters import LMSFilter, NLMSFilter, RLSFilter
from filters.signals import raised_cosine_channel
from filters.timeseries import ensemble_learning_curve

from ._goal import Figure, Goal, Judge, Measurement, as_metric, register_goal

WIDTHS = (2.9, 3.1, 3.3, 3.5)
N_TAPS, DELAY, NOISE_VARIANCE = 11, 7, 0.001
N_RUNS = 300
SPREADS = dict(zip(WIDTHS, (6.0782, 11.1238, 21.7132, 46.8216), strict=True))
LEAST = dict(zip(WIDTHS, (0.00138, 0.00175, 0.00247, 0.00416), strict=True))
N_LMS, N_TAIL = 14_000, 4000  # seven time constants of the slowest mode at step .0075


def signals(seed: int, width: float, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Received samples and the symbol sent seven samples ago; nothing is sent before."""
    rng = np.random.default_rng(seed)
    symbols = rng.choice([-1.0, 1.0], n_symbols)
    received = np.convolve(symbols, np.r_[0.0, raised_cosine_channel(width)])[:n_symbols]
    noise = np.sqrt(NOISE_VARIANCE) * rng.standard_normal(n_symbols)
    return received + noise, np.r_[np.zeros(DELAY), symbols[:-DELAY]]


def wiener(width: float) -> tuple[np.ndarray, float]:
    """Eigenvalues of the received signal's correlation, and the error of the best eleven taps."""
    h = np.r_[0.0, raised_cosine_channel(width)]
    lags = np.correlate(h, h, "full")[h.size - 1 :]
    lags[0] += NOISE_VARIANCE
    correlation = toeplitz(np.r_[lags, np.zeros(N_TAPS - lags.size)])
    # E[x(n - k) a(n - 7)] = h(7 - k)
    cross = np.array([h[DELAY - k] if 0 <= DELAY - k < h.size else 0.0 for k in range(N_TAPS)])
    least = 1.0 - cross @ np.linalg.solve(correlation, cross)
    return np.linalg.eigvalsh(correlation), float(least)


def small_step(width: float, step_size: float) -> float:
    """J = J_min + J_min mu tr R / (2 - mu tr R)."""
    eigenvalues, least = wiener(width)
    power = step_size * eigenvalues.sum()
    return least * (1 + power / (2 - power))


def _curve(filter: Any, width: float, n_symbols: int, seed: int) -> np.ndarray:
    with warnings.catch_warnings():  # the library warns of the published step of .075, rightly
        warnings.simplefilter("ignore", RuntimeWarning)
        make = partial(signals, width=width, n_symbols=n_symbols)
        return ensemble_learning_curve(filter, make, n_runs=N_RUNS, random_state=seed).average


def exact(seed: int, params: Any) -> dict[str, float]:
    """Spreads and least errors; nothing random."""
    values = {}
    for width in WIDTHS:
        eigenvalues, least = wiener(width)
        values[f"spread_{width}"] = float(eigenvalues[-1] / eigenvalues[0])
        values[f"least_{width}"] = least
    return values


def rls(seed: int, params: Any) -> dict[str, float]:
    """Errors of RLS at n = 40 and over n = 450 to 500, over J_min."""
    values = {}
    for width in WIDTHS:
        model = RLSFilter(N_TAPS, forgetting_factor=1.0, delta=0.004)
        curve = _curve(model, width, 501, seed) / wiener(width)[1]
        values[f"rls_40_{width}"] = float(curve[40])
        values[f"rls_500_{width}"] = float(curve[450:501].mean())
    return values


def lms(seed: int, params: Any, step_size: float) -> dict[str, float]:
    """Error of LMS after it has settled, over the small-step formula."""
    values = {}
    for width in WIDTHS:
        curve = _curve(LMSFilter(N_TAPS, step_size=step_size), width, N_LMS, seed)
        values[f"lms_{step_size}_{width}"] = float(
            curve[-N_TAIL:].mean() / small_step(width, step_size)
        )
    return values


def lms_large(seed: int, params: Any) -> dict[str, float]:
    """LMS with the book's step: J(1500) on the mildest channel; what happens on the worst."""
    mild = _curve(LMSFilter(N_TAPS, step_size=0.075), 2.9, 1551, seed)
    worst = _curve(LMSFilter(N_TAPS, step_size=0.075), 3.5, 3001, seed)
    return {
        "lms_0.075_2.9": float(mild[1450:1551].mean()),
        "lms_0.075_3.5": float(worst[-1500:].mean()),
        "burst_3.5": float(worst[-1500:].max()),
    }


def identification(seed: int, params: Any) -> dict[str, float]:
    """Excess error of LMS and NLMS in identifying 16 taps from white input, in dB over theory."""
    n_taps, n, variance = 16, 4000, 0.01
    filters = {
        "lms": (LMSFilter(n_taps, step_size=0.01), 0.01 * n_taps),
        "nlms": (NLMSFilter(n_taps, step_size=0.5), 0.5),
    }
    excess = dict.fromkeys(filters, 0.0)
    for k in range(50):
        rng = np.random.default_rng(1000 * seed + k)
        x, path = rng.standard_normal(n), rng.standard_normal(n_taps)
        clean = np.convolve(x, path)[:n]
        d = clean + np.sqrt(variance) * rng.standard_normal(n)
        for name, (model, _) in filters.items():
            output = model.reset().adapt(x, d).output
            excess[name] += np.mean((clean - output)[n // 2 :] ** 2) / 50
    return {
        f"excess_{name}": 10 * float(np.log10(excess[name] * (2 - power) / (power * variance)))
        for name, (_, power) in filters.items()
    }


_EXACT = as_metric("value", "from the channel's autocorrelation, nothing random", spec=".5f")
_RATIO = as_metric("J / J_min", f"mean squared error over {N_RUNS} runs / J_min")
_FORMULA = as_metric("J / formula", "mean over runs and the last 4000 symbols / small-step formula")
_ERROR = as_metric("J", f"mean squared error over {N_RUNS} runs")
_DECIBELS = as_metric(
    "excess", "10 log10(excess mean squared error / formula)", unit="dB", spec=".2f"
)
_BOOK = "Haykin, Adaptive Filter Theory"


def _each(low: float, high: float) -> Judge:
    return lambda values, _: bool(((values >= low) & (values <= high)).all())


def _exact_figures(width: float) -> tuple[Figure, ...]:
    spread, least = SPREADS[width], LEAST[width]
    return (
        Figure(
            f"spread_{width}", f"eigenvalue spread, W = {width}", _EXACT, f"{spread}", _BOOK,
            spread, "to 4 decimals", _each(spread - 5e-5, spread + 5e-5),
        ),
        Figure(
            f"least_{width}", f"J_min, W = {width}", _EXACT, f"{least}", "computed exactly", least,
            "to 5 decimals", _each(least - 5e-6, least + 5e-6),
        ),
    )  # fmt: skip


def _rls_figures(width: float) -> tuple[Figure, ...]:
    return (
        Figure(f"rls_40_{width}", f"RLS, W = {width}, n = 40", _RATIO,
               gate="every run of 300 <= 1.6", met=_each(0.0, 1.6)),
        Figure(f"rls_500_{width}", f"RLS, W = {width}, n = 450 to 500", _RATIO,
               gate="every run of 300 <= 1.10", met=_each(0.0, 1.10)),
    )  # fmt: skip


def _lms_figure(width: float, step_size: float, share: float) -> Figure:
    return Figure(
        f"lms_{step_size}_{width}", f"LMS, step {step_size}, W = {width}", _FORMULA, "1",
        "small-step formula", 1.0, f"within {100 * share:.0f} %", _each(1 - share, 1 + share),
    )  # fmt: skip


def _remarks(values: Any) -> list[str]:
    burst = values.get("burst_3.5")
    if burst is None or not burst.size:
        return []
    formula = small_step(3.5, 0.075)
    return [
        "At step 0.075 the small-step formula is wrong by construction, and W = 3.5 is marginally "
        f"stable: single runs burst, up to J = {burst.max():.2g} where the formula says "
        f"{formula:.2g}. The library warns of that step."
    ]


register_goal(
    Goal(
        name="p10_adaptive_filters",
        title="P10. Adaptive filters and their theory",
        question="Are eigenvalue spreads, least errors, learning curves and steady states those of "
        "the textbook?",
        data="Synthetic: binary symbols through a raised-cosine channel of width W, white noise of "
        "variance 0.001; system identification with white input of variance 1 through 16 taps, "
        "noise variance 0.01. Every seed draws 300 (identification: 50) runs of its own.",
        protocol="Eleven taps, target the symbol of seven samples ago. RLS: forgetting factor 1, "
        "delta 0.004. LMS: steps 0.0075 and 0.025 over 14 000 symbols, the last 4000 scored; 0.075 "
        "as the book has it. Excess errors: LMS mu tr R s² / (2 - mu tr R), NLMS mu s² / (2 - mu).",
        measurements=(
            Measurement(
                "exact", exact, tuple(f for w in WIDTHS for f in _exact_figures(w)), n_seeds=1
            ),
            Measurement(
                "rls", rls, tuple(f for w in WIDTHS for f in _rls_figures(w)), n_seeds=5, cost=1.0
            ),
            *(
                Measurement(
                    f"lms_{step}",
                    partial(lms, step_size=step),
                    tuple(_lms_figure(width, step, share) for width in (2.9, 3.1, 3.3, 3.5)),
                    n_seeds=5,
                    cost=3.0,
                )
                for step, share in ((0.0075, 0.08), (0.025, 0.20))
            ),
            Measurement(
                "lms_0.075",
                lms_large,
                (
                    Figure(
                        "lms_0.075_2.9", "LMS, step 0.075, W = 2.9, J(1500)", _ERROR,
                        gate="in [0.0028, 0.0037]", met=_each(0.0028, 0.0037),
                    ),
                    Figure("lms_0.075_3.5", "LMS, step 0.075, W = 3.5: marginally stable", _ERROR),
                    Figure("burst_3.5", "its largest J after 1500 symbols", _ERROR),
                ),
                n_seeds=5,
                cost=1.0,
            ),
            Measurement(
                "identification",
                identification,
                tuple(
                    Figure(f"excess_{name.lower()}", f"{name}, 16 taps: excess over formula",
                           _DECIBELS, "0", "textbook formula", 0.0, "within 0.6 dB",
                           _each(-0.6, 0.6))
                    for name in ("LMS", "NLMS")
                ),
                n_seeds=5,
                cost=1.0,
            ),
        ),
        remarks=_remarks,
    )
)  # fmt: skip
