"""Lift a weak tone out of white noise with an adaptive line enhancer, and compare with theory.

The enhancer predicts the signal from its own past: only the tone can be predicted. With L taps and
the tone at a multiple of pi / L, the best (Wiener) filter passes it with the gain
(L/2) snr / (1 + (L/2) snr) and raises the signal-to-noise ratio by L/2. Prints what LMS reaches
online and writes ``plot_line_enhancer.png`` beside itself.

J. R. Zeidler, Performance analysis of LMS adaptive prediction filters, Proc. IEEE 78 (1990).
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from filters import LineEnhancer, LMSFilter, SpectrumDisplay
from filters.timeseries import snr_gain_db

FS = 8000.0  # Hz
N_TIMESTEPS, N_SETTLED = 400_000, 200_000
# Step size times the power in the delay line, for each length: small, so that the weights' jitter
# adds little to the noise that the Wiener filter itself passes. (NLMS would settle elsewhere: it
# minimises e^2 / |x|^2, and with 16 taps that lets .05 more of the tone through.)
STEP_SIZES = {16: 0.004, 64: 0.002, 256: 0.0015}
SNRS_DB = (-20.0, -15.0, -10.0, -5.0, 0.0)
# A multiple of pi / L for every L above: 1000 Hz.
FREQUENCY = FS / 8
SHOWN = (64, -10.0)
INK, COLOURS = "#1f2933", {16: "#e69f00", 64: "#c2410c", 256: "#1d4f7d"}


def tone_and_noise(snr_db):
    tone = np.sin(2 * np.pi * FREQUENCY / FS * np.arange(N_TIMESTEPS))
    noise = np.random.default_rng(0).standard_normal(N_TIMESTEPS)
    return tone, noise * np.sqrt(0.5 / 10 ** (snr_db / 10))


def enhance(n_taps, snr_db):
    """The tone, the input and the output once the filter has settled."""
    tone, noise = tone_and_noise(snr_db)
    noisy = tone + noise
    step_size = STEP_SIZES[n_taps] / (n_taps * np.mean(noisy**2))
    enhancer = LineEnhancer(LMSFilter(n_taps, step_size=step_size))
    line = enhancer.fit_transform(noisy[:, np.newaxis])[:, 0]
    return tone[N_SETTLED:], noisy[N_SETTLED:], line[N_SETTLED:]


def wiener_gain(n_taps, snr_db):
    ratio = n_taps / 2 * 10 ** (snr_db / 10)
    return ratio / (1 + ratio)


def measure(n_taps, snr_db):
    """Gain of the tone, and what the SNR gained once that gain is undone."""
    tone, noisy, line = enhance(n_taps, snr_db)
    gain = line @ tone / (tone @ tone)
    return gain, snr_gain_db(tone, noisy, line / gain)


def main():
    print("tone gain: least-squares fit of the tone to the output; SNR gain: 10 log10 of the ratio")
    print(f"of noise powers before / after, over {N_SETTLED} settled samples, one run.\n")
    print("  taps   SNR in   tone gain          SNR gain")
    print("            dB    Wiener  measured   L/2, dB  measured, dB")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for n_taps, colour in COLOURS.items():
        fine = np.linspace(SNRS_DB[0], SNRS_DB[-1], 100)
        right.plot(fine, wiener_gain(n_taps, fine), color=colour, lw=1.2, label=f"{n_taps} taps")
        for snr_db in SNRS_DB:
            gain, snr_gain = measure(n_taps, snr_db)
            print(
                f"  {n_taps:4d}   {snr_db:5.0f}     {wiener_gain(n_taps, snr_db):.3f}     "
                f"{gain:.3f}      {10 * np.log10(n_taps / 2):5.1f}      {snr_gain:5.1f}"
            )
            right.plot(snr_db, gain, "o", color=colour, ms=5)
    _, noisy, line = enhance(*SHOWN)
    SpectrumDisplay.from_signals(noisy, line, fs=FS, nperseg=2048, ax=left)
    left.set_title(f"{FREQUENCY:.0f} Hz at {SHOWN[1]:.0f} dB, {SHOWN[0]} taps", color=INK)
    right.set_title("Gain of the tone: theory (lines), LMS (dots)", color=INK)
    right.set_xlabel("signal-to-noise ratio of the input (dB)")
    right.set_ylabel("amplitude gain")
    right.legend(frameon=False, loc="lower right")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
