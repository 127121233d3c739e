"""Draw the picture of README: what a filter, a reservoir and their report are for.

Left: hum that drifts through an ECG, cancelled sample by sample with a measured reference. Right: a
chaotic series that an echo state network goes on by itself. Writes ``readme.png`` beside itself.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from filters import NLMSFilter, NoiseCanceller
from filters.timeseries import snr_db
from reservoir import ESNForecaster, ESNRegressor
from reservoir.datasets import ECG_SAMPLING_RATE, load_ecg, lorenz, mains_hum

INK, BEFORE, AFTER = "#1f2933", "#b8c0c8", "#c2410c"


def cancel_hum(axes):
    ecg = load_ecg()[:, 0]
    ecg = ecg - ecg.mean()
    hum = mains_hum(ecg.size, fs=ECG_SAMPLING_RATE, random_state=0)
    hum_in = 0.5 * hum.hum / hum.hum.std() * ecg.std()
    noisy = np.column_stack([ecg + hum_in, hum.reference])
    cleaned = NoiseCanceller(NLMSFilter(16, step_size=0.02)).fit_transform(noisy)[:, 0]
    settled = slice(int(10 * ECG_SAMPLING_RATE), None)
    before, after = (snr_db(ecg[settled], x[settled]) for x in (noisy[:, 0], cleaned))
    seconds = np.arange(ecg.size) / ECG_SAMPLING_RATE
    show = (seconds > 60) & (seconds < 63)
    axes.plot(seconds[show], noisy[show, 0], color=BEFORE, lw=1, label="ECG with drifting hum")
    axes.plot(seconds[show], cleaned[show], color=AFTER, lw=1.4, label="after NLMS, online")
    axes.set_title(f"An adaptive filter: {before:.1f} dB in, {after:.1f} dB out", color=INK)
    axes.set_xlabel("seconds")
    axes.set_ylabel("mV")


def forecast_lorenz(axes):
    dt, lyapunov_time = 0.02, 1 / 0.9056
    series = lorenz(7000, dt=dt, random_state=0)
    model = ESNRegressor(
        500, spectral_radius=0.8, input_scaling=0.1, bias_scaling=0.5, alpha=1e-8, random_state=0
    )
    forecaster = ESNForecaster(model).fit(series[:5000])
    steps = int(12 * lyapunov_time / dt)
    forecast = forecaster.forecast(steps, context=series[4500:5000])
    times = np.arange(steps) * dt / lyapunov_time
    axes.plot(times, series[5000 : 5000 + steps, 0], color=BEFORE, lw=2.5, label="Lorenz-63, truth")
    axes.plot(times, forecast[:, 0], color=AFTER, lw=1.2, label="echo state network, free run")
    axes.set_title("A reservoir: forecast of a chaotic series", color=INK)
    axes.set_xlabel("Lyapunov times after the last observation")
    axes.set_ylabel("x")


def main():
    figure, panels = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    for axes, draw in zip(panels, (cancel_hum, forecast_lorenz), strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="upper right", fontsize=8)
        axes.margins(y=0.2)
    figure.savefig(Path(__file__).with_name("readme.png"), dpi=130)


if __name__ == "__main__":
    main()
