"""The six tasks of the default comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from filters.signals import mains_hum
from filters.timeseries import nrmse, snr_db, valid_prediction_time

from ..datasets import (
    ECG_SAMPLING_RATE,
    LORENZ_LYAPUNOV_EXPONENT,
    load_ecg,
    load_japanese_vowels,
    load_sunspots,
    lorenz,
    mackey_glass,
    narma,
)
from ._kinds import cut_origins
from ._specs import Metric, Problem, Task, register_task

NRMSE = Metric(
    "NRMSE",
    "sqrt(mean((y - ŷ)²) / var(y)) over the scored rows; 1 = as good as the mean",
    spec="#.3g",
)

# ---- NARMA-10 ---------------------------------------------------------------------------------


def _narma10(seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    X_train, y_train = narma(2000, random_state=rng)
    X_test, y_test = narma(1000 if quick else 3000, random_state=rng)
    return Problem(X_train, y_train, X_test, y_test[200:], context=200)


def row_nrmse(problem: Problem, prediction: Any) -> float:
    """NRMSE of the scored rows."""
    return nrmse(problem.y_test, prediction)


register_task(
    Task(
        name="narma10",
        title="NARMA-10",
        kind="regression",
        question="Can the model follow a nonlinear recursion of order ten when it sees only the "
        "input that drives it?",
        data="Synthetic: y(t+1) = 0.3 y(t) + 0.05 y(t) Σ y(t-i) + 1.5 u(t-9) u(t) + 0.1 with u "
        "uniform on [0, 0.5]; every seed draws its own.",
        protocol="2000 rows to train, the first 200 of them left out of fits that know a washout; "
        "a fresh sequence of 3000 (quick: 1000) rows to test, the first 200 not scored. The past "
        "of y is not among the inputs. The known floor of linear models is about 0.4.",
        metric=NRMSE,
        make=_narma10,
        score=row_nrmse,
        washout=200,
        validation_rows=500,
        origin=200,
        labels=("time step", "y"),
        suites=("quick", "long-memory"),
    )
)

# ---- Mackey-Glass -----------------------------------------------------------------------------

_HORIZON = 84
_MG_TRAIN, _MG_CONTEXT = 3000, 1000


def _mackey_glass(seed: int, quick: bool) -> Problem:
    n_origins = 10 if quick else 30
    origins = _MG_TRAIN + _MG_CONTEXT + _HORIZON * np.arange(n_origins)
    series = mackey_glass(int(origins[-1]) + _HORIZON, tau=17, random_state=seed)
    train = series[:_MG_TRAIN]
    before, after = cut_origins(series, origins, _MG_CONTEXT, _HORIZON)
    return Problem(train, None, before, after, extra={"sigma": train.std(axis=0)})


def nrmse84(problem: Problem, prediction: Any) -> float:
    """Error of the last free step over the training part's standard deviation."""
    error = (problem.y_test[:, -1] - prediction[:, -1]) / problem.extra["sigma"]
    return float(np.sqrt(np.mean(error**2)))


register_task(
    Task(
        name="mackey_glass",
        title="Mackey-Glass, 84 steps ahead",
        kind="forecasting",
        question="How far off is a free run after 84 steps of its own output on a mildly chaotic "
        "series?",
        data="Synthetic: the Mackey-Glass delay equation with tau = 17, Euler steps of 0.1, one "
        "row a time unit; every seed draws its own history. Not squashed.",
        protocol="3000 rows to train on one step ahead; then 30 (quick: 10) origins 84 rows apart "
        "in the continuation, whose first context is fresh: 1000 rows seen, 84 steps in closed "
        "loop, only the last one scored.",
        metric=Metric(
            "NRMSE84",
            "sqrt(mean over origins of (y(84) - ŷ(84))²) / s, s the standard deviation of the "
            "training part (about 0.23)",
            spec="#.2g",
        ),
        make=_mackey_glass,
        score=nrmse84,
        washout=200,
        validation_rows=750,
        labels=("steps after the origin", "y"),
        suites=("quick", "forecasting"),
    )
)

# ---- Lorenz -----------------------------------------------------------------------------------

_DT = 0.02
_LYAPUNOV_TIME = 1.0 / LORENZ_LYAPUNOV_EXPONENT
_LORENZ_TRAIN, _LORENZ_CONTEXT = 4000, 200


def _lorenz(seed: int, quick: bool) -> Problem:
    n_origins, limit = (8, 8.0) if quick else (20, 12.0)
    n_steps = int(limit * _LYAPUNOV_TIME / _DT)
    origins = _LORENZ_TRAIN + _LORENZ_CONTEXT + 60 * np.arange(n_origins)
    series = lorenz(int(origins[-1]) + n_steps, dt=_DT, random_state=seed)
    train = series[:_LORENZ_TRAIN]
    before, after = cut_origins(series, origins, _LORENZ_CONTEXT, n_steps)
    return Problem(train, None, before, after, extra={"sigma": train.std(axis=0)})


def _vpt(problem: Problem, prediction: Any) -> float:
    times = [
        valid_prediction_time(
            true,
            pred,
            threshold=0.4,
            scale=problem.extra["sigma"],
            dt=_DT,
            lyapunov_time=_LYAPUNOV_TIME,
        )
        for true, pred in zip(problem.y_test, prediction, strict=True)
    ]
    return float(np.median(times))


register_task(
    Task(
        name="lorenz",
        title="Lorenz-63, valid prediction time",
        kind="forecasting",
        question="How long does a free run stay with a chaotic flow?",
        data="Synthetic: the Lorenz system (sigma 10, rho 28, beta 8/3), all three variables, "
        "rows 0.02 apart, integrated to 1e-10; every seed draws its own start.",
        protocol="4000 rows (72 Lyapunov times) to train on one step ahead; then 20 (quick: 8) "
        "starts 60 rows apart in the continuation, the first context being fresh: 200 rows seen, "
        "then at most 12 (quick: 8) Lyapunov times in closed loop.",
        metric=Metric(
            "VPT",
            "median over starts of the first time at which sqrt(mean over x, y, z of (e/s)²) > 0.4,"
            " s the standard deviations of the training part, in Lyapunov times of 1/0.9056",
            unit="Lyapunov times",
            greater_is_better=True,
            spec=".2f",
        ),
        make=_lorenz,
        score=_vpt,
        washout=200,
        validation_rows=1000,
        origin=0.0,
        step=_DT / _LYAPUNOV_TIME,
        labels=("Lyapunov times after the start", "x"),
        suites=("quick", "forecasting"),
    )
)

# ---- sunspots ---------------------------------------------------------------------------------


def _sunspots(seed: int, quick: bool) -> Problem:
    numbers = load_sunspots()
    X, y = numbers[:-1], numbers[1:, 0]
    return Problem(X[:249], y[:249], X, y[249:], context=249)


register_task(
    Task(
        name="sunspots",
        title="Yearly sunspots, one step ahead",
        kind="regression",
        question="How well is next year's sunspot number told from the years before?",
        data="Real: yearly mean sunspot numbers 1700 to 2008 (NOAA, as distributed by statsmodels; "
        "public domain). The same for every seed: seeds differ in the models' random weights only.",
        protocol="The first 250 years to train, the last 59 to test, one year ahead with all "
        "earlier years known. Hyper-parameters on three folds of 40 years.",
        metric=NRMSE,
        make=_sunspots,
        score=row_nrmse,
        washout=10,
        folds=3,
        validation_rows=40,
        autoregressive=True,
        origin=1950,
        labels=("year", "sunspot number"),
        suites=("quick", "forecasting"),
    )
)

# ---- ECG with mains hum -----------------------------------------------------------------------

_ECG_TRAIN = int(10 * ECG_SAMPLING_RATE)
_SNR_IN_DB = 5.6


def _ecg_hum(seed: int, quick: bool) -> Problem:
    clean = load_ecg()[:, 0]
    clean = clean[: int(40 * ECG_SAMPLING_RATE)] if quick else clean
    clean = clean - clean.mean()
    mains = mains_hum(clean.size, fs=ECG_SAMPLING_RATE, random_state=seed)
    gain = np.sqrt(np.mean(clean**2) / np.mean(mains.hum**2) / 10 ** (_SNR_IN_DB / 10))
    recorded = clean + gain * mains.hum
    X = mains.reference[:, np.newaxis]
    past, rest = slice(0, _ECG_TRAIN), slice(_ECG_TRAIN, None)
    offset = recorded[past].mean()  # no model is taught the baseline of the first 10 s
    extra = {
        "clean_train": clean[past] - offset,
        "clean": clean[rest],
        "fs": ECG_SAMPLING_RATE,
    }
    y_train = recorded[past] - offset
    return Problem(X[past], y_train, X, recorded[rest], context=_ECG_TRAIN, extra=extra)


def snr_out(problem: Problem, prediction: Any) -> float:
    """Ratio of the clean signal to what differs from it in the answer, in dB."""
    return snr_db(problem.extra["clean"], problem.y_test - prediction)


register_task(
    Task(
        name="ecg_hum",
        title="ECG with drifting mains hum",
        kind="cancellation",
        question="How much of a drifting mains hum can be taken out of a heart signal, given a "
        "noisy reference of the mains?",
        data="Real ECG (MIT-BIH record 208, 2 minutes at 360 Hz, ODC-By 1.0; mean removed; quick: "
        "40 s) with synthetic hum: 50 Hz drifting within ±3 Hz, two harmonics, amplitude breathing "
        "by 20 %, 5.6 dB below the ECG. The reference has other phases, another gain and 1 % "
        "noise. Every seed draws its own hum.",
        protocol="Input: the reference; target: the recorded signal; answer: what is left, causal. "
        "Training part: the first 10 s; scored after them. Batch models are frozen after the "
        "training part. Adaptive filters go on adapting all along, online: an output is given "
        "before its sample is learned from. Hyper-parameters are chosen by the metric on seconds 5 "
        "to 10, whose clean ECG is taken as known, as from a calibration; weights never see it.",
        metric=Metric(
            "SNR out",
            "10 log10(Σ s² / Σ (s - ŝ)²), s the clean ECG without its mean, ŝ the cleaned signal, "
            "after the first 10 s; 5.6 dB before cancelling",
            unit="dB",
            greater_is_better=True,
            spec=".1f",
        ),
        make=_ecg_hum,
        score=snr_out,
        washout=50,
        validation_rows=_ECG_TRAIN // 2,
        origin=10.0,
        step=1 / ECG_SAMPLING_RATE,
        labels=("time (s)", "voltage (mV)"),
        suites=("quick", "denoising"),
    )
)

# ---- Japanese Vowels --------------------------------------------------------------------------


def _japanese_vowels(seed: int, quick: bool) -> Problem:
    return Problem(*load_japanese_vowels())


def accuracy(problem: Problem, prediction: Any) -> float:
    """Share of cases labelled right."""
    return float(np.mean(np.asarray(prediction) == problem.y_test))


register_task(
    Task(
        name="japanese_vowels",
        title="Japanese Vowels, which of nine speakers",
        kind="classification",
        question="Whose voice is it, from one short vowel?",
        data="Real: 640 utterances of /ae/ by nine men, 12 cepstrum coefficients, 7 to 29 frames "
        "(UCI, as distributed by sktime; CC BY 4.0). The same for every seed: seeds differ in the "
        "models' random weights only.",
        protocol="The official split: 270 utterances to train, 370 to test. Hyper-parameters on "
        "three stratified folds of the training utterances. The training part is balanced: saying "
        "one speaker always is right for 31 of the 370.",
        metric=Metric(
            "accuracy",
            "share of test utterances labelled right",
            greater_is_better=True,
            spec=".3f",
        ),
        make=_japanese_vowels,
        score=accuracy,
        folds=3,
        labels=("speaker", "share found"),
        suites=("quick", "classification"),
    )
)
