"""Which adaptive filter keeps an echo away while both ends talk and a door opens?

The far end's speech comes back from the loudspeaker through the room to the microphone. From 8 s to
12 s the near end talks as loudly as the echo; at 16 s the room's response changes.

    microphone(t) = (room * far)(t) + near(t) + noise(t),    noise 40 dB below the echo
    ERLE          = 10 log10( sum echo^2 / sum (cleaned - near - noise)^2 )

so that near-end speech, which is to stay, does not count as echo. All filters have 512 taps at 8
kHz and adapt sample by sample or block by block; `EchoCanceller` is the frequency-domain filter
behind a second one that is heard and takes over only what has proved better. Prints the table and
draws ``plot_echo_canceller.png`` beside itself, or ``--out FILE``. Voices and rooms are synthetic.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter

from filters import (
    AffineProjectionFilter,
    EchoCanceller,
    FrequencyDomainFilter,
    NLMSFilter,
    ProportionateFilter,
)
from filters.signals import echo_path, speech_like
from filters.timeseries import erle_db

FS, N_TAPS = 8000, 512
TALK, CHANGE, END = (8, 12), 16, 24
WINDOW = FS // 2
INK, QUIET = "#1f2933", "#b8c0c8"

CANCELLERS = {
    "NLMS": EchoCanceller(NLMSFilter(N_TAPS), double_talk=None),
    "affine projection, order 4": EchoCanceller(
        AffineProjectionFilter(N_TAPS, order=4), double_talk=None
    ),
    "proportionate NLMS": EchoCanceller(ProportionateFilter(N_TAPS), double_talk=None),
    "frequency domain": EchoCanceller(FrequencyDomainFilter(N_TAPS), double_talk=None),
    "EchoCanceller, two paths": EchoCanceller(FrequencyDomainFilter(N_TAPS)),
}
COLORS = ("#7b8794", "#d9a21b", "#4c9f70", "#2f6fb0", "#c2410c")
PARTS = {
    "single talk": (TALK[0] - 3, TALK[0]),
    "double talk": TALK,
    "after it": (TALK[1], TALK[1] + 2),
    "new room, 1st s": (CHANGE, CHANGE + 1),
    "3 s later": (CHANGE + 3, END),
}


def call():
    """Far end, echo, near end and noise, ``(n_timesteps,)`` each."""
    n = END * FS
    seconds = np.arange(n) / FS
    rng = np.random.default_rng(0)
    far = speech_like(n, fs=FS, random_state=0).speech
    far += 0.01 * far.std() * rng.standard_normal(n)  # a line is never quite silent
    rooms = [echo_path(N_TAPS, fs=FS, decay_time=0.08, random_state=k).response for k in (0, 1)]
    before, after = (lfilter(room, 1, far) for room in rooms)
    echo = np.where(seconds < CHANGE, before, after)
    talks = (seconds >= TALK[0]) & (seconds < TALK[1])
    near = np.zeros(n)
    near[talks] = speech_like(int(talks.sum()), fs=FS, pitch=200.0, random_state=1).speech
    near *= echo.std() / near[talks].std()
    noise = 0.01 * echo.std() * rng.standard_normal(n)
    return far, echo, near, noise


def over_time(echo, left):
    """ERLE in a window that slides by 50 ms; a gap where there is hardly any echo."""
    ends = np.arange(WINDOW, echo.size + 1, FS // 20)
    loud, rest = (
        np.diff(np.cumsum(np.r_[0, signal**2])[[ends - WINDOW, ends]], axis=0)[0]
        for signal in (echo, left)
    )
    ratio = 10 * np.log10(loud / rest)
    return ends / FS, np.where(loud > 0.01 * np.median(loud), ratio, np.nan)


def compare(far, echo, near, noise):
    """What is left of the echo by every canceller, and the seconds that it took."""
    X = np.column_stack([echo + near + noise, far])
    left, seconds = {}, {}
    for name, canceller in CANCELLERS.items():
        canceller.fit(X[:1000])  # compiles
        start = time.perf_counter()
        cleaned = canceller.fit_transform(X)[:, 0]
        seconds[name] = time.perf_counter() - start
        left[name] = cleaned - near - noise
    return left, seconds


def print_table(echo, left, seconds):
    print("\nERLE in dB = 10 log10(sum echo^2 / sum (cleaned - near - noise)^2)")
    print(f"{'':28}" + "".join(f"{name:>17}" for name in PARTS) + f"{'time, s':>9}")
    for name, rest in left.items():
        row = [erle_db(echo[a * FS : b * FS], rest[a * FS : b * FS]) for a, b in PARTS.values()]
        values = "".join(f"{value:17.1f}" for value in row)
        print(f"{name:28}{values}{seconds[name]:9.2f}")


def draw(echo, near, left, marks, out):
    figure, (top, axes) = plt.subplots(
        2, 1, figsize=(10, 5.6), sharex=True, height_ratios=(1, 3), layout="constrained"
    )
    times = np.arange(echo.size) / FS
    loudest = np.abs(echo).max()
    top.plot(times[::8], echo[::8] / loudest, color=QUIET, lw=0.4)
    top.plot(times[::8], near[::8] / loudest - 2, color=INK, lw=0.4)
    top.fill_between(times[::80], -3.3, -3.0, where=marks[::80], color=COLORS[-1], lw=0)
    top.set_yticks([0, -2, -3.15], ["echo", "near end", "held to be talking"])
    top.tick_params(axis="y", length=0)
    for (name, rest), color in zip(left.items(), COLORS, strict=True):
        ends, ratio = over_time(echo, rest)
        width = 2.2 if name.startswith("Echo") else 1.2
        axes.plot(ends, ratio, color=color, lw=width, label=name)
    for panel in (top, axes):
        panel.axvspan(*TALK, color="#f4ead8", lw=0, zorder=0)
        panel.axvline(CHANGE, color=INK, lw=1, ls=(0, (2, 2)))
        panel.spines[["top", "right"]].set_visible(False)
    top.spines[["left", "bottom"]].set_visible(False)
    top.tick_params(axis="x", length=0)
    axes.set_ylim(-20, 55)
    axes.set_xlim(0, END)
    axes.axhline(0, color=QUIET, lw=0.8, zorder=0)
    axes.text(np.mean(TALK), 51, "both talk", ha="center", color=INK)
    axes.text(CHANGE + 0.15, 51, "the room changes", color=INK)
    axes.set_ylabel("ERLE over the last 0.5 s, dB")
    axes.set_xlabel("seconds")
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, ncols=5, loc="outside lower center"
    )
    figure.suptitle("How far five cancellers of 512 taps push the echo down", color=INK)
    figure.savefig(out, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()
    far, echo, near, noise = call()
    print(f"synthetic voices and rooms, {END} s at {FS} Hz, {N_TAPS} taps")
    left, seconds = compare(far, echo, near, noise)
    print_table(echo, left, seconds)
    draw(echo, near, left, list(CANCELLERS.values())[-1].double_talk_, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
