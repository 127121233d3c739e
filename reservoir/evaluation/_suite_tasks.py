"""Tasks of the suites beyond the default one: forecasting, denoising, labels, long memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import lfilter

from filters.signals import cabin_paths, echo_path, rotor_noise, speech_like, through_paths

from ..datasets import mackey_glass, mso, narma, temporal_order
from ._kinds import cut_origins
from ._specs import TASKS, Metric, Problem, Task, register_task
from ._tasks import NRMSE, accuracy, nrmse84, row_nrmse, snr_out

_HORIZON, _MG_TRAIN, _CONTEXT = 84, 3000, 1000

# ---- forecasting ------------------------------------------------------------------------------


def _mackey_glass_30(seed: int, quick: bool) -> Problem:
    origins = _MG_TRAIN + _CONTEXT + _HORIZON * np.arange(10 if quick else 30)
    series = mackey_glass(int(origins[-1]) + _HORIZON, tau=30, random_state=seed)
    before, after = cut_origins(series, origins, _CONTEXT, _HORIZON)
    train = series[:_MG_TRAIN]
    return Problem(train, None, before, after, extra={"sigma": train.std(axis=0)})


register_task(
    Task(
        name="mackey_glass_30",
        title="Mackey-Glass, tau 30, 84 steps ahead",
        kind="forecasting",
        question="How far off is a free run after 84 steps on the wilder of the two usual delays?",
        data="Synthetic: the Mackey-Glass delay equation with tau = 30, Euler steps of 0.1, one "
        "row a time unit; every seed draws its own history. Not squashed.",
        protocol=TASKS["mackey_glass"].protocol,
        metric=TASKS["mackey_glass"].metric,
        make=_mackey_glass_30,
        score=nrmse84,
        washout=200,
        validation_rows=750,
        labels=("steps after the origin", "y"),
        suites=("forecasting",),
    )
)

_MSO_STEPS, _MSO_TRAIN, _MSO_CONTEXT = 300, 700, 200


def _mso5(seed: int, quick: bool) -> Problem:
    first = int(np.random.RandomState(seed).randint(1000))
    origins = _MSO_TRAIN + _MSO_CONTEXT * np.arange(1, 4)
    series = mso(first + int(origins[-1]) + _MSO_STEPS, n_sines=5)[first:]
    before, after = cut_origins(series, origins, _MSO_CONTEXT, _MSO_STEPS)
    train = series[:_MSO_TRAIN]
    return Problem(train, None, before, after, extra={"sigma": train.std(axis=0)})


def _free_nrmse(problem: Problem, prediction: Any) -> float:
    error = (problem.y_test - prediction) / problem.extra["sigma"]
    return float(np.sqrt(np.mean(error**2)))


register_task(
    Task(
        name="mso5",
        title="Sum of five sines, 300 free steps",
        kind="forecasting",
        question="Is a superposition of incommensurate sines continued without drifting away?",
        data="Synthetic: the sum of sines of 0.2, 0.311, 0.42, 0.51 and 0.63 radians a step, "
        "nothing random but the first row. A linear recursion of order ten continues it exactly: "
        "this asks for numerical conditioning, not for a nonlinear model.",
        protocol="700 rows to train on one step ahead; then three origins in the continuation: "
        "200 rows seen, 300 steps in closed loop, all scored.",
        metric=Metric(
            "NRMSE",
            "sqrt(mean over all free steps of (y - ŷ)²) / s, s the standard deviation of the "
            "training part",
            spec="#.2g",
        ),
        make=_mso5,
        score=_free_nrmse,
        washout=100,
        validation_rows=200,
        labels=("steps after the origin", "y"),
        suites=("forecasting",),
    )
)

# ---- denoising --------------------------------------------------------------------------------

_FS = 4000.0
_VOICE_SECONDS, _VOICE_TRAIN = 9, int(3 * _FS)


def _cancellation(clean: np.ndarray, noise: np.ndarray, reference: np.ndarray) -> Problem:
    recorded, n = clean + noise, _VOICE_TRAIN
    X = reference[:, np.newaxis]
    extra = {"clean_train": clean[:n], "clean": clean[n:], "fs": _FS}
    return Problem(X[:n], recorded[:n], X, recorded[n:], context=n, extra=extra)


def _voice_rotor(seed: int, quick: bool) -> Problem:
    n = int((6 if quick else _VOICE_SECONDS) * _FS)
    voice = speech_like(n, fs=_FS, random_state=seed).speech
    rotor = rotor_noise(n, fs=_FS, random_state=seed + 1).noise
    paths = cabin_paths(256, fs=_FS, random_state=seed + 2)
    noise = through_paths(rotor, paths.to_microphone)
    reference = through_paths(rotor, paths.to_reference)
    voice = voice * (noise.std() / voice.std() * 10 ** (-10 / 20))
    return _cancellation(voice, noise, reference)


def _echo(seed: int, quick: bool) -> Problem:
    n = int((6 if quick else _VOICE_SECONDS) * _FS)
    rng = np.random.RandomState(seed)
    far = speech_like(n, fs=_FS, random_state=rng).speech
    far = far + 0.01 * far.std() * rng.standard_normal(n)  # a line is never quite silent
    room = echo_path(128, fs=_FS, decay_time=0.05, random_state=rng).response
    echo = lfilter(room, 1, far)
    return _cancellation(0.1 * echo.std() * rng.standard_normal(n), echo, far)


_CANCELLING = (
    f"Input: the reference; target: the recorded signal; answer: what is left, causal. Training "
    f"part: the first {_VOICE_TRAIN / _FS:.0f} s of {_VOICE_SECONDS} (quick: 6); scored after "
    "them. Batch models are frozen after the training part, adaptive filters go on adapting, "
    "online: an output is given before its sample is learned from."
)


def _snr_metric(before: str) -> Metric:
    return Metric(
        "SNR out",
        "10 log10(Σ s² / Σ (s - ŝ)²), s what is to stay, ŝ the cleaned signal, after the training "
        f"part; {before} before cancelling",
        unit="dB",
        greater_is_better=True,
        spec=".1f",
    )


register_task(
    Task(
        name="voice_rotor",
        title="A voice under a helicopter's rotor",
        kind="cancellation",
        question="How much of a rotor's noise can a second microphone take out of a voice?",
        data="Synthetic, 4000 rows a second: a voice-like signal, rotor noise ten decibels louder "
        "by way of a reverberant cabin; the reference hears the rotor by another way. Every seed "
        "draws voice, rotor and cabin.",
        protocol=_CANCELLING,
        metric=_snr_metric("-10 dB"),
        make=_voice_rotor,
        score=snr_out,
        washout=256,
        validation_rows=_VOICE_TRAIN // 2,
        origin=_VOICE_TRAIN / _FS,
        step=1 / _FS,
        labels=("time (s)", "pressure"),
        suites=("denoising",),
    )
)
register_task(
    Task(
        name="echo",
        title="Echo of a voice in a room",
        kind="cancellation",
        question="How well is a loudspeaker's echo kept from coming back?",
        data="Synthetic, 4000 rows a second: a voice-like signal by way of a room of 128 taps, and "
        "white noise 20 dB below the echo, which is to stay. Every seed draws voice and room.",
        protocol=_CANCELLING,
        metric=_snr_metric("about -20 dB"),
        make=_echo,
        score=snr_out,
        washout=128,
        validation_rows=_VOICE_TRAIN // 2,
        origin=_VOICE_TRAIN / _FS,
        step=1 / _FS,
        labels=("time (s)", "pressure"),
        suites=("denoising",),
    )
)

# ---- classification ---------------------------------------------------------------------------

_TAUS = (17, 20, 23)


def _mackey_glass_tau(seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    n_cases, length = (60, 120)
    parts: dict[str, tuple[list, list]] = {"train": ([], []), "test": ([], [])}
    for tau in _TAUS:
        for cases, labels in parts.values():
            series = mackey_glass(n_cases * 150, tau=tau, random_state=rng)
            for i in range(n_cases):
                case = series[150 * i :][:length]
                case = (case - case.mean()) / case.std()
                cases.append(case + 0.3 * rng.standard_normal(case.shape))
                labels.append(str(tau))
    (X, y), (X_test, y_test) = parts["train"], parts["test"]
    return Problem(X, np.array(y), X_test, np.array(y_test))


register_task(
    Task(
        name="mackey_glass_tau",
        title="Which delay made this series?",
        kind="classification",
        question="Is the delay of a noisy chaotic series heard from 120 rows of it?",
        data="Synthetic: Mackey-Glass with tau = 17, 20 or 23, each case standardised by itself, "
        "then white noise of standard deviation 0.3. Every seed draws its own.",
        protocol="180 cases to train, 180 from other runs to test, 60 of each delay. "
        "Hyper-parameters on three stratified folds of the training cases. Chance is 1/3.",
        metric=Metric(
            "accuracy",
            "share of test cases labelled right",
            greater_is_better=True,
            spec=".3f",
        ),
        make=_mackey_glass_tau,
        score=accuracy,
        folds=3,
        labels=("tau", "share found"),
        suites=("classification",),
    )
)

# ---- long memory ------------------------------------------------------------------------------


def _narma30(seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    X_train, y_train = narma(3000, order=30, random_state=rng)
    X_test, y_test = narma(1000 if quick else 3000, order=30, random_state=rng)
    return Problem(X_train, y_train, X_test, y_test[200:], context=200)


register_task(
    Task(
        name="narma30",
        title="NARMA-30",
        kind="regression",
        question="Can the model follow a nonlinear recursion of order thirty when it sees only "
        "the input that drives it?",
        data="Synthetic: the recursion of NARMA-10 with order 30, wrapped in tanh; every seed "
        "draws its own.",
        protocol="3000 rows to train, the first 200 of them left out of fits that know a washout; "
        "a fresh sequence of 3000 (quick: 1000) rows to test, the first 200 not scored.",
        metric=NRMSE,
        make=_narma30,
        score=row_nrmse,
        washout=200,
        validation_rows=750,
        origin=200,
        labels=("time step", "y"),
        suites=("long-memory",),
    )
)

_LAG = 25


def _recall(seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    n_train, n_test = 3000, 1000 if quick else 3000
    u = rng.uniform(-0.8, 0.8, n_train + n_test + 2 * _LAG)
    y = u[:-_LAG] * np.sign(u[_LAG:])  # row t: what was, with the sign of what is
    X, y = u[_LAG:, np.newaxis][: n_train + n_test], y[: n_train + n_test]
    return Problem(X[:n_train], y[:n_train], X, y[n_train:], context=n_train)


register_task(
    Task(
        name="recall",
        title=f"The input of {_LAG} steps ago, with today's sign",
        kind="regression",
        question="Is an input kept for long, and can it be combined with the present one?",
        data="Synthetic: u uniform on [-0.8, 0.8], independent; the target is "
        f"u(t - {_LAG}) sign(u(t)). No linear model can do it at any length: its best NRMSE is 1. "
        "Every seed draws its own.",
        protocol="3000 rows to train, the next 3000 (quick: 1000) to test.",
        metric=NRMSE,
        make=_recall,
        score=row_nrmse,
        washout=200,
        validation_rows=750,
        labels=("time step", "y"),
        suites=("long-memory",),
    )
)

_ORDER_LENGTH = 40


def _temporal_order(seed: int, quick: bool) -> Problem:
    rng = np.random.RandomState(seed)
    X, y = temporal_order(400, _ORDER_LENGTH, random_state=rng)
    X_test, y_test = temporal_order(200 if quick else 400, _ORDER_LENGTH, random_state=rng)
    return Problem(X, y, X_test, y_test)


register_task(
    Task(
        name="temporal_order",
        title="Temporal order",
        kind="classification",
        question="Which of two symbols came first, when dozens of others came between and after?",
        data="Synthetic, after Hochreiter and Schmidhuber (1997, task 6a), shorter: "
        f"{_ORDER_LENGTH} to {_ORDER_LENGTH * 11 // 10} symbols, of which one between a tenth and "
        "a fifth and one between five and six tenths is X or Y, the others are distractors; the "
        "class is the pair in its order. Every seed draws its own.",
        protocol="400 cases to train, 400 (quick: 200) to test. Hyper-parameters on three "
        "stratified folds of the training cases. Chance is 1/4; who sees "
        "which symbols there are, but not in which order, reaches 3/4.",
        metric=Metric(
            "accuracy",
            "share of test cases labelled right",
            greater_is_better=True,
            spec=".3f",
        ),
        make=_temporal_order,
        score=accuracy,
        folds=3,
        labels=("pair", "share found"),
        suites=("classification", "long-memory"),
    )
)
