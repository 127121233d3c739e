"""Can an LSTM tell the next piece of a vibration? 100 samples ahead from 25 pieces of 100.

A window of 2500 samples goes in as 25 time steps of 100 samples; two layers of 100 LSTM units and a
dense layer answer with the 100 samples that follow. Beside it stand the mean, the last piece once
more, and ridge regressions on the last 100 and 500 samples. Counted is the root mean square error
over the standard deviation of the signal, on windows behind all those of training: 1 is the mean.

The signal is a synthetic rotor, unless the environment variable RESERVOIR_DATA names a folder with
``vibration/fan_accelerometer.csv``(``.gz``): then it is the measured acceleration of a cooling fan,
see `reservoir.datasets.load_fan_acceleration`. Sampled 50 times a second, next to nothing of the
fan's next two seconds follows from its past: no model here beats the mean. The rotor can be
foretold, and there a linear model does it better than the LSTM. Prints the table and draws
``plot_acceleration_lstm.png`` beside itself, or ``--out FILE``.
"""

import argparse
import os
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from filters.signals import rotor_noise
from reservoir import TrainingDisplay
from reservoir.baselines import RNNSequenceRegressor
from reservoir.datasets import FAN_SAMPLING_RATE, load_fan_acceleration

N_STEPS, PIECE = 25, 100
WINDOW = N_STEPS * PIECE
STRIDE = 17  # not a divisor of the period, so that windows begin in all its phases
N_EPOCHS = 8
ROTOR_FS, N_ROTOR = 1000.0, 40_000
FAN_SPEEDS = (55, 60, 65, 70)  # per cent; faster, a few blows stand out
INK, GREY, BLUE, RED = "#1f2933", "#8a949e", "#1d4f7d", "#c2410c"


def recordings():
    """Runs of the fan, sampling rate, and what they are; None where they are not in the cache."""
    folder = os.environ.get("RESERVOIR_DATA")
    names = ("fan_accelerometer.csv", "fan_accelerometer.csv.gz")
    if not folder or not any((Path(folder) / "vibration" / name).is_file() for name in names):
        return None
    fan = load_fan_acceleration()
    chosen = np.flatnonzero(np.isin(fan.speed, FAN_SPEEDS))
    what = f"measured acceleration of a fan, {chosen.size} runs"
    return [fan.X[i][:, 0] for i in chosen], FAN_SAMPLING_RATE, what


def rotor():
    noise = rotor_noise(
        N_ROTOR, fs=ROTOR_FS, blade_pass=25.0, n_harmonics=8, broadband_db=-15.0, random_state=0
    ).noise
    return [noise], ROTOR_FS, "synthetic acceleration of a rotor"


def windows(signals):
    """Windows with the piece behind them: of training, and behind all of those."""
    known, new = [], []
    for signal in signals:
        end = signal.size * 3 // 4
        if end < WINDOW + PIECE:  # a short run: all but its last two pieces
            end = signal.size - 2 * PIECE
        ready = ((signal - signal[:end].mean()) / signal[:end].std()).astype(np.float32)
        cuts = np.lib.stride_tricks.sliding_window_view(ready, WINDOW + PIECE)
        begins = np.arange(len(cuts))
        known.append(cuts[: end - WINDOW - PIECE + 1 : STRIDE])
        new.append(cuts[begins >= end - WINDOW][:: PIECE + 1])
    return np.concatenate(known), np.concatenate(new)


def split(cuts):
    return cuts[:, :WINDOW], cuts[:, WINDOW:]


def linear(known, new, n_taps):
    """Ridge from the last samples to all 100 that follow."""
    (past, next_piece), (seen, _) = split(known), split(new)
    model = Ridge(alpha=1.0).fit(past[:, -n_taps:], next_piece)
    return model.predict(seen[:, -n_taps:])


def learn(known):
    network = RNNSequenceRegressor(
        "lstm",
        (100, 100),
        learning_rate=0.003,
        learning_rate_schedule="cosine",
        learning_rate_decay=0.01,
        max_iter=N_EPOCHS,
        tol=None,
        random_state=0,
    )
    past, next_piece = split(known)
    return network.fit(past.reshape(-1, N_STEPS, PIECE), next_piece)


def error(truth, answer):
    return np.sqrt(np.mean((truth - answer) ** 2) / np.var(truth))


def unit_of(rate):
    """Name of a unit of time that suits a sampling rate, and how many make a second."""
    return ("milliseconds", 1e3) if rate > 500 else ("seconds", 1.0)


def draw(axes, rate, past, truth, answers):
    """The end of a window, what follows, and what was foretold."""
    times = np.arange(-PIECE, PIECE) / rate * unit_of(rate)[1]
    axes.axvline(0, color=GREY, lw=0.8, ls=":")
    shown = np.concatenate([past[-PIECE:], truth])
    axes.plot(times, shown, color=GREY, lw=2, label="measured" if rate < 100 else "signal")
    for (name, answer), colour, style in zip(answers.items(), (RED, BLUE), "-:", strict=True):
        axes.plot(times[PIECE:], answer, style, color=colour, lw=1.4, label=name)
    axes.set_ylabel("acceleration (std)")
    axes.set_xlabel(f"{unit_of(rate)[0]} from the end of the window")
    axes.set_ylim(-3.5, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    signals, rate, what = recordings() or rotor()
    known, new = windows(signals)
    past, truth = split(new)
    print(f"{what}, {rate:.0f} samples a second; {len(known)} windows of training, {len(new)} new")
    start = time.perf_counter()
    network = learn(known)
    seconds = time.perf_counter() - start
    answers = {
        "mean": np.zeros_like(truth),
        "last piece again": past[:, -PIECE:],
        "ridge, last 100": linear(known, new, PIECE),
        "ridge, last 500": linear(known, new, 5 * PIECE),
        "LSTM": network.predict(past.reshape(-1, N_STEPS, PIECE)),
    }
    print("error over standard deviation of the signal, all 100 samples; the first 10; the last 10")
    errors = {}
    for name, answer in answers.items():
        errors[name] = np.sqrt(np.mean((truth - answer) ** 2, axis=0) / np.var(truth))
        parts = [error(truth[:, part], answer[:, part]) for part in np.s_[:, :10, -10:]]
        print(f"{name:18}" + "".join(f"{part:8.3f}" for part in parts))
    print(f"training of the LSTM: {seconds:.1f} s")
    figure, panels = plt.subplots(2, 2, figsize=(10.5, 6), layout="constrained")
    for axes, case in zip(panels[0], (0, len(new) // 2), strict=True):
        chosen = {name: answers[name][case] for name in ("LSTM", "ridge, last 500")}
        draw(axes, rate, past[case], truth[case], chosen)
        axes.set_title(f"New window {case + 1} of {len(new)}", fontsize="medium")
    panels[0, 0].legend(frameon=False, fontsize="small", loc="upper left", ncols=3)
    unit, factor = unit_of(rate)
    ahead = np.arange(1, PIECE + 1) / rate * factor
    styles = {"LSTM": (RED, "-"), "ridge, last 500": (BLUE, ":"), "mean": (INK, "--")}
    for name, (colour, style) in styles.items():
        panels[1, 0].plot(ahead, errors[name], style, color=colour, lw=1.4, label=name)
    panels[1, 0].set_ylim(0, 1.4)
    panels[1, 0].set_xlabel(f"{unit} ahead")
    panels[1, 0].set_ylabel("RMS error (std)")
    panels[1, 0].legend(frameon=False, fontsize="small", ncols=3)
    panels[1, 0].set_title("Error by distance, all new windows", fontsize="medium")
    TrainingDisplay.from_estimator(network, ax=panels[1, 1])
    panels[1, 1].set_title("Training of the LSTM", fontsize="medium")
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"The next 100 samples: {what}", color=INK)
    figure.savefig(out, dpi=85)


if __name__ == "__main__":
    main()
