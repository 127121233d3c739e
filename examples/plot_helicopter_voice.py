"""Which adaptive filter gets a voice out of the noise of a helicopter's rotor?

Two microphones: one before the mouth hears the voice and, ten decibels louder, the rotor by way of
the cabin; one near the rotor hears the rotor by another way and a little of the voice.

    primary(t)   = voice(t) + (path 1 * rotor)(t)
    reference(t) = (path 2 * rotor)(t) + 10^(leak / 20) voice(t - 5 ms)
    SNR          = 10 log10( sum voice^2 / sum (voice - answer)^2 )  after the first 3 seconds

Every filter predicts the primary from the reference, sample by sample; what it cannot predict is
the answer. The plain rival is a high-pass at the best of nine corners (chosen knowing the voice),
live, and offline without the delays that the formula counts as noise. Prints the table and draws
``plot_helicopter_voice.png`` beside itself, or ``--out FILE``.

Voice and rotor are synthetic, unless the environment variable RESERVOIR_DATA names a folder with
recordings: ``helicopter/*.ogg`` (the four first are taken) and ``speech/*.wav``. Reading them needs
``pip install soundfile``.
"""

import argparse
import os
import time
from math import gcd
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import butter, resample_poly, sosfilt, sosfiltfilt, spectrogram

from filters import FrequencyDomainFilter, NLMSFilter, NoiseCanceller, RLSFilter
from filters.signals import cabin_paths, rotor_noise, speech_like, through_paths
from filters.timeseries import snr_db

FS = 8000
SECONDS = 20
SETTLED = slice(3 * FS, None)
CORNERS = (50, 70, 100, 150, 200, 300, 500, 700, 1000)
INK = "#1f2933"

FILTERS = {
    "NLMS, 256 taps": NLMSFilter(256, step_size=0.05),
    "frequency domain, 512 taps": FrequencyDomainFilter(512, step_size=0.1),
    "RLS, 256 taps": RLSFilter(256, forgetting_factor=0.9999),
}
SCENES = {
    "no leak": {"leak_db": -np.inf},
    "leak -30 dB": {"leak_db": -30.0},
    "leak -20 dB": {"leak_db": -20.0},
    "-20, path changes": {"leak_db": -20.0, "change": 0.5},
}


def sources():
    """The voice, the rotor and what they are."""
    folder = os.environ.get("RESERVOIR_DATA")
    if folder:
        return *recordings(Path(folder)), "recorded voice and rotor"
    n = SECONDS * FS
    voice = speech_like(n, random_state=0).speech
    return voice, rotor_noise(n, random_state=0).noise, "synthetic voice and rotor"


def recordings(folder):
    try:
        import soundfile
    except ImportError:
        raise SystemExit(
            "RESERVOIR_DATA is set, but reading .ogg files needs soundfile: pip install soundfile"
        ) from None
    clips = []
    for pattern, most in (("speech/*.wav", None), ("helicopter/*.ogg", 4)):
        paths = sorted(folder.glob(pattern))[:most]
        if not paths:
            raise SystemExit(f"RESERVOIR_DATA={folder} has no {pattern}")
        heard = []
        for path in paths:
            signal, rate = soundfile.read(path, always_2d=True)
            common = gcd(FS, rate)
            heard.append(resample_poly(signal[:, 0], FS // common, rate // common))
        clips.append(heard)
    pause = np.zeros(FS // 3)
    voice = np.concatenate([part for clip in clips[0] for part in (clip, pause)])
    rotor = np.concatenate(clips[1])[: SECONDS * FS]
    return np.resize(voice, rotor.size), rotor


def scene(voice, rotor, *, leak_db, change=0.0, snr=-10.0):
    """The voice as the primary microphone hears it, and what both microphones hear."""
    paths = cabin_paths(1024, change=change, random_state=0)
    primary = through_paths(rotor, paths.to_microphone)
    reference = through_paths(rotor, paths.to_reference)
    reference *= primary.std() / reference.std()  # the leak is measured at equal rotor noise
    voice = voice * (primary.std() / voice.std() * 10 ** (snr / 20))
    leak = np.r_[np.zeros(FS // 200), voice][: voice.size]
    return voice, primary + voice, reference + 10 ** (leak_db / 20) * leak


def high_passed(voice, primary, run):
    """The best answer of a fourth-order Butterworth high-pass, run by `run`."""
    sections = [butter(4, corner, "high", fs=FS, output="sos") for corner in CORNERS]
    answers = [run(section, primary) for section in sections]
    return max(answers, key=lambda answer: snr_db(voice[SETTLED], answer[SETTLED]))


def compare(voice, rotor):
    """SNR of every method in every scene, seconds a filter took, and what to draw."""
    table, seconds, drawn = {}, {}, {}
    for name, arguments in SCENES.items():
        clean, primary, reference = scene(voice, rotor, **arguments)
        answers = {
            "microphone, untreated": primary,
            "high-pass, live": high_passed(clean, primary, sosfilt),
            "high-pass, offline": high_passed(clean, primary, sosfiltfilt),
        }
        for label, inner in FILTERS.items():
            start = time.perf_counter()
            both = np.column_stack([primary, reference])
            answers[label] = NoiseCanceller(inner).fit_transform(both)[:, 0]
            seconds[label] = time.perf_counter() - start
        for label, answer in answers.items():
            table.setdefault(label, []).append(snr_db(clean[SETTLED], answer[SETTLED]))
        if name == "leak -30 dB":
            drawn = {"the voice alone": clean, **answers}
    return table, seconds, drawn


def print_table(table, seconds):
    print("\nSNR in dB after the first 3 seconds = 10 log10(sum voice^2 / sum (voice - answer)^2)")
    print(f"{'':28}" + "".join(f"{name:>19}" for name in SCENES) + f"{'time, s':>9}")
    for label, row in table.items():
        took = f"{seconds[label]:9.1f}" if label in seconds else ""
        print(f"{label:28}" + "".join(f"{value:19.1f}" for value in row) + took)
    for j, name in enumerate(SCENES):
        ranked = sorted(FILTERS, key=lambda label: -table[label][j])
        lead = table[ranked[0]][j] - table[ranked[1]][j]
        first, second = (label.split(",")[0] for label in ranked[:2])
        verdict = "wins by" if lead > 0.3 else "and the next are equal within"
        print(f"{name}: {first} {verdict} {lead:.1f} dB ({second} is next)")


def draw(drawn, table, what, out):
    best = max(FILTERS, key=lambda label: table[label][1])
    gains = {label: row[1] for label, row in table.items()}
    shown = ("microphone, untreated", "high-pass, offline", best, "the voice alone")
    figure, panels = plt.subplots(1, 4, figsize=(11, 3.6), sharey=True, layout="constrained")
    begin = 10
    for axes, label in zip(panels, shown, strict=True):
        part = drawn[label][begin * FS : (begin + 4) * FS]
        frequency, moment, power = spectrogram(part, FS, nperseg=512, noverlap=192)
        low = frequency <= 2000
        level = 10 * np.log10(power[low] + 1e-20)
        if label == shown[0]:
            top = level.max()
        image = axes.imshow(
            level - top,
            origin="lower",
            aspect="auto",
            extent=(begin + moment[0], begin + moment[-1], 0, 2.0),
            vmin=-60,
            vmax=-12,
            cmap="magma",
            interpolation="nearest",
        )
        title = label if label not in gains else f"{label}\nSNR {gains[label]:.1f} dB"
        axes.set_title(title, color=INK, fontsize=10)
        axes.set_xlabel("seconds")
    panels[0].set_ylabel("kHz")
    panels[0].set_yticks([0, 0.5, 1, 1.5, 2])
    figure.colorbar(image, ax=panels, label="dB, loudest = 0", pad=0.01)
    figure.suptitle(f"A voice under a helicopter's rotor: {what}", color=INK)
    figure.savefig(out, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()
    voice, rotor, what = sources()
    print(f"{what}, {rotor.size / FS:.0f} s at {FS} Hz")
    table, seconds, drawn = compare(voice, rotor)
    print_table(table, seconds)
    draw(drawn, table, what, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
