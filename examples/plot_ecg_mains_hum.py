"""Which filter takes drifting mains hum out of an ECG, live?

A real ECG, and hum at 6 dB whose frequency drifts between 47 and 53 Hz, with two harmonics and a
breathing amplitude. Every filter is scored after its first ten seconds by

    SNR = 10 log10(sum ecg^2 / sum (ecg - answer)^2)   dB

over several seeds of the hum. Band-stops and line enhancer have the best settings of a small grid
on the same hum; NLMS and RLS hear a reference with 1 % noise, of another phase and gain. Prints
the table and writes ``plot_ecg_mains_hum.png`` beside itself, or to ``--out FILE``.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, iirnotch, lfilter, sosfilt, sosfiltfilt

from filters import AdaptiveNotch, LineEnhancer, NLMSFilter, NoiseCanceller, RLSFilter
from filters.timeseries import snr_db
from reservoir.datasets import ECG_SAMPLING_RATE, load_ecg, mains_hum

FS, MAINS = ECG_SAMPLING_RATE, 50.0
SEEDS = range(8)
SETTLED = slice(int(10 * FS), None)
INK, BEFORE, AFTER, OTHER = "#1f2933", "#b8c0c8", "#c2410c", "#7b8794"


def fixed_notch(x, _):
    b, a = iirnotch(MAINS, 30, fs=FS)
    return lfilter(b, a, x)


def band_stops(x, apply, order, half_widths):
    for h, half in enumerate(half_widths, start=1):
        edges = [h * MAINS - half, h * MAINS + half]
        x = apply(butter(order, edges, "bandstop", fs=FS, output="sos"), x)
    return x


def canceller(filter):
    task = NoiseCanceller(filter)
    return lambda x, reference: task.fit_transform(np.column_stack([x, reference]))[:, 0]


def alone(task):
    return lambda x, _: task.fit_transform(x[:, np.newaxis])[:, 0]


NOTCH = AdaptiveNotch(FS, MAINS, n_harmonics=3)
ENHANCER = LineEnhancer(NLMSFilter(256, step_size=0.0005), delay=360, output="noise")
# Name, causal, needs a reference, filter of (signal, reference).
RIVALS = [
    ("nothing", True, False, lambda x, _: x),
    ("line enhancer", True, False, alone(ENHANCER)),
    ("fixed notch at 50 Hz", True, False, fixed_notch),
    ("three band-stops", True, False, lambda x, _: band_stops(x, sosfilt, 2, (5, 5, 5))),
    ("RLS, 12 taps", True, True, canceller(RLSFilter(12, forgetting_factor=0.9995))),
    ("NLMS, 16 taps", True, True, canceller(NLMSFilter(16, step_size=0.02))),
    ("zero-phase band-stops", False, False, lambda x, _: band_stops(x, sosfiltfilt, 4, (4, 8, 12))),
    ("AdaptiveNotch", True, False, alone(NOTCH)),
]


def recording(seed):
    """The ECG, the ECG with hum, a reference of the hum and its true frequency."""
    ecg = load_ecg()[:, 0]
    ecg = ecg - ecg.mean()
    hum, reference, track = mains_hum(ecg.size, fs=FS, frequency=MAINS, random_state=seed)
    return ecg, ecg + 0.5 * ecg.std() / hum.std() * hum, reference, track


def score():
    """Decibels, one row a filter, one column a seed."""
    found = np.empty((len(RIVALS), len(SEEDS)))
    for j, seed in enumerate(SEEDS):
        ecg, x, reference, _ = recording(seed)
        for i, (*_, clean) in enumerate(RIVALS):
            found[i, j] = snr_db(ecg[SETTLED], clean(x, reference)[SETTLED])
    return found


def print_table(found):
    print(f"SNR in dB after 10 s, {len(SEEDS)} seeds of the hum")
    print(f"{'filter':<24}{'median':>8}{'lowest':>8}{'highest':>8}  causal  reference")
    for (name, causal, needs, _), row in zip(RIVALS, found, strict=True):
        figures = f"{np.median(row):8.1f}{row.min():8.1f}{row.max():8.1f}"
        print(f"{name:<24}{figures}  {'yes' if causal else 'no':<6}  {'yes' if needs else 'no'}")


def draw_traces(axes, seconds, ecg, x, cleaned):
    show = (seconds >= 30) & (seconds < 33)
    axes.plot(seconds[show], x[show], color=BEFORE, lw=1, label="recorded, with hum")
    axes.plot(seconds[show], cleaned[show], color=AFTER, lw=1.4, label="after AdaptiveNotch, live")
    before, after = (snr_db(ecg[SETTLED], y[SETTLED]) for y in (x, cleaned))
    title = f"An ECG freed of drifting hum: {before:.1f} dB in, {after:.1f} dB out"
    axes.set_title(f"{title}, without a reference or a look ahead", color=INK)
    axes.set_xlabel("seconds")
    axes.set_ylabel("mV")
    axes.legend(frameon=False, loc="upper left", ncols=3, fontsize=8)
    axes.margins(x=0.01, y=0.12)


def draw_track(axes, seconds, track, found):
    axes.plot(seconds, track, color=BEFORE, lw=4, label="true")
    axes.plot(seconds, found, color=AFTER, lw=1, label="found")
    axes.set_title("Frequency of the hum", color=INK)
    axes.set_xlabel("seconds")
    axes.set_ylabel("Hz")
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    axes.margins(x=0.01)


def draw_scores(axes, found):
    for i, ((name, causal, needs, _), row) in enumerate(zip(RIVALS, found, strict=True)):
        color = AFTER if name == "AdaptiveNotch" else OTHER if causal and not needs else BEFORE
        axes.barh(i, np.median(row), color=color, height=0.7)
        axes.plot([row.min(), row.max()], [i, i], color=INK, lw=1)
        axes.text(row.max() + 0.7, i, f"{np.median(row):.1f}", va="center", color=INK, fontsize=8)
    notes = [
        name + (", with reference" if needs else "") + ("" if causal else ", offline")
        for name, causal, needs, _ in RIVALS
    ]
    axes.set_yticks(range(len(RIVALS)), notes, fontsize=8)
    axes.set_title(f"SNR out, dB (median and range of {len(SEEDS)} hums)", color=INK)
    axes.set_xlim(0, 40)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    found = score()
    print_table(found)
    ecg, x, _, track = recording(0)
    cleaned = alone(NOTCH)(x, None)
    seconds = np.arange(ecg.size) / FS
    figure = plt.figure(figsize=(11, 6.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    left, right = bottom.subplots(1, 2, width_ratios=[1, 1.1])
    traces = top.subplots()
    draw_traces(traces, seconds, ecg, x, cleaned)
    draw_track(left, seconds, track, NOTCH.frequency_)
    draw_scores(right, found)
    for axes in (traces, left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
