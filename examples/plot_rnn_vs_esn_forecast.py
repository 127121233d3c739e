"""Who forecasts a chaotic series, and what does learning cost? A reservoir, LSTM, GRU, a line.

All learn the next row of Lorenz-63 (step .02) from the rows so far and then run freely on their own
output. Counted are Lyapunov times until the error passes .4 standard deviations, from ten origins
behind the training data, and seconds of training. The reservoir solves one ridge regression; LSTM
and GRU of 64 units take a thousand steps of Adam; the linear model sees the last ten rows. All have
settings chosen by hand for this system; more training would bring the networks on, and where that
ends is not shown here. Prints the table and draws ``plot_rnn_vs_esn_forecast.png`` beside itself,
or ``--out FILE``.

H. Jaeger, H. Haas, Harnessing nonlinearity, Science 304 (2004).
P. R. Vlachas et al., Backpropagation algorithms and reservoir computing in recurrent neural
networks for the forecasting of complex spatiotemporal dynamics, Neural Networks 126 (2020).
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from filters import TapDelay
from filters.timeseries import valid_prediction_time
from reservoir import ESNForecaster, ESNRegressor, ForecastDisplay, MemoryRegressor, TrainingDisplay
from reservoir.baselines import RNNForecaster
from reservoir.datasets import LORENZ_LYAPUNOV_EXPONENT, lorenz

DT, LYAPUNOV_TIME, THRESHOLD = 0.02, 1 / LORENZ_LYAPUNOV_EXPONENT, 0.4
N_TRAIN, N_CONTEXT, N_ORIGINS, SPACING = 5000, 400, 10, 300
N_STEPS = int(12 * LYAPUNOV_TIME / DT)
COLOURS = {"reservoir": "#c2410c", "LSTM": "#1d4f7d", "GRU": "#7aa6c2", "linear": "#1f2933"}


def network(cell):
    return RNNForecaster(
        cell,
        (64,),
        learning_rate=0.01,
        learning_rate_schedule="cosine",
        learning_rate_decay=1e-3,
        bptt_steps=25,
        n_strands=16,
        max_iter=80,
        tol=None,
        random_state=0,
    )


def models():
    reservoir = ESNRegressor(
        500, spectral_radius=0.8, input_scaling=0.1, bias_scaling=0.5, alpha=1e-8, random_state=0
    )
    return {
        "reservoir": ESNForecaster(reservoir),
        "LSTM": network("lstm"),
        "GRU": network("gru"),
        "linear": ESNForecaster(MemoryRegressor(TapDelay(10))),
    }


def measure(model, series):
    """Seconds of training, error one step ahead and valid times of the free runs."""
    start = time.perf_counter()
    model.fit(series[:N_TRAIN])
    seconds = time.perf_counter() - start
    origins = N_TRAIN + SPACING * np.arange(N_ORIGINS)
    contexts = [series[o - N_CONTEXT : o] for o in origins]
    runs = model.forecast(N_STEPS, context=contexts)
    truths = [series[o : o + N_STEPS] for o in origins]
    scale = series[:N_TRAIN].std(axis=0)
    options = {"threshold": THRESHOLD, "dt": DT, "lyapunov_time": LYAPUNOV_TIME, "scale": scale}
    times = np.array(
        [valid_prediction_time(t, r, **options) for t, r in zip(truths, runs, strict=True)]
    )
    firsts = np.array([[t[0], r[0]] for t, r in zip(truths, runs, strict=True)])
    error = np.sqrt(np.mean(((firsts[:, 0] - firsts[:, 1]) / scale) ** 2))
    return seconds, error, times, (truths[0], runs[0], scale)


def draw_runs(axes, drawn, times):
    """x of the first free run of each model."""
    for panel, (name, (truth, run, scale)) in zip(axes, drawn.items(), strict=True):
        display = ForecastDisplay(
            y_true=truth[:, :1],
            y_pred=run[:, :1],
            threshold=THRESHOLD,
            dt=DT,
            lyapunov_time=LYAPUNOV_TIME,
            scale=scale[:1],
        ).plot(panel)
        for line in display.ax_.lines:
            if line.get_label() == "forecast":
                line.set_color(COLOURS[name])
        if display.ax_.get_legend() is not None:
            display.ax_.get_legend().remove()
        panel.set_ylim(-24, 24)
        panel.set_ylabel("x")
        panel.set_xlabel("")
        panel.set_title(f"{name}: median {np.median(times[name]):.1f}", fontsize="medium")
    axes[-1].set_xlabel("Lyapunov times after the last observation")


def draw_times(axes, seconds, times):
    """Valid time of every run against the cost of training."""
    for name, colour in COLOURS.items():
        axes.plot(np.full(N_ORIGINS, seconds[name]), times[name], "o", color=colour, ms=4)
        median = np.median(times[name])
        axes.plot(seconds[name], median, "_", color=colour, ms=26, mew=2.5)
        above = name != "GRU"  # whose dots stand beside those of the LSTM
        end, shift = (times[name].max(), 8) if above else (times[name].min(), -16)
        place = {"textcoords": "offset points", "ha": "center", "color": colour}
        axes.annotate(name, (seconds[name], end), (0, shift), **place)
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.12)
    axes.set_xlabel("training (seconds)")
    axes.set_ylabel("valid time (Lyapunov times)")
    axes.set_title(f"{N_ORIGINS} free runs and their median", fontsize="medium")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    series = lorenz(N_TRAIN + SPACING * N_ORIGINS + N_STEPS, dt=DT, random_state=0)
    fitted, seconds, times, drawn = models(), {}, {}, {}
    print("            training   first step   valid time in Lyapunov times")
    print("                   s        NRMSE   median    least     most")
    for name, model in fitted.items():
        seconds[name], error, times[name], drawn[name] = measure(model, series)
        of_runs = times[name]
        print(
            f"{name:10} {seconds[name]:9.3f}     {error:.1e}  {np.median(of_runs):7.2f}  "
            f"{of_runs.min():7.2f}  {of_runs.max():7.2f}"
        )
    figure = plt.figure(figsize=(11, 7), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1))
    runs = left.subplots(len(fitted), 1, sharex=True)
    draw_runs(runs, drawn, times)
    scatter, *learning = right.subplots(3, 1, height_ratios=(2, 1, 1))
    draw_times(scatter, seconds, times)
    TrainingDisplay.from_estimator(fitted["LSTM"], ax=np.array(learning))
    learning[0].set_title("Training of the LSTM", fontsize="medium")
    for axes in (*runs, scatter, *learning):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=85)


if __name__ == "__main__":
    main()
