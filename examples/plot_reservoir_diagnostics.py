"""What does the spectral radius decide? Memory and stability of a reservoir, beside theory.

A linear cycle of N units remembers exactly N past inputs, delay k with the capacity
(1 - r^2N) r^(2N floor(k/N)); its Lyapunov exponent is log r. A random linear reservoir has the same
total on paper, but its far past lies below the rounding of double precision. With tanh both depend
on the drive: memory is best where the exponent is just below zero, and a strong drive keeps a
radius beyond 1 stable. Prints the table and writes ``plot_reservoir_diagnostics.png`` beside
itself, or to ``--out FILE``.

H. Jaeger, Short term memory in echo state networks, GMD Report 152 (2001).
A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from reservoir import EigenvalueDisplay, MemoryCurveDisplay, Reservoir
from reservoir.diagnostics import (
    consistency,
    effective_spectral_radius,
    lyapunov_exponent,
    memory_capacity,
)

INK, GREY = "#1f2933", "#8a949e"
N_CYCLE, RADIUS = 20, 0.95
N_UNITS = 100
RADII = (0.3, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0)
# Activation and standard deviation of the drive inside a unit; name and colour.
CASES = {
    "linear": ("identity", 0.05, GREY),
    "tanh, weak drive": ("tanh", 0.05, "#c2410c"),
    "tanh, strong drive": ("tanh", 1.0, "#1d4f7d"),
}
AMPLITUDE = np.sqrt(3.0)  # uniform inputs of variance 1
N_DRIVE, WASHOUT = 4000, 500


def linear_cycle():
    return Reservoir(
        N_CYCLE,
        topology="ring",
        spectral_radius=RADIUS,
        activation="identity",
        input_weights=np.eye(N_CYCLE)[:, :1],
    )


def random_reservoir(case, radius):
    activation, deviation, _ = CASES[case]
    return Reservoir(
        N_UNITS,
        spectral_radius=radius,
        topology="random_dense",
        input_weights="gaussian",
        input_scaling=deviation,
        activation=activation,
        random_state=0,
    )


def cycle_panel(axes):
    """Memory of the linear cycle; prints measured and exact totals."""
    delays = np.arange(3 * N_CYCLE)
    exact = (1 - RADIUS ** (2 * N_CYCLE)) * RADIUS ** (2 * N_CYCLE * (delays // N_CYCLE))
    capacity = memory_capacity(linear_cycle(), 6 * N_CYCLE, random_state=0)
    print(f"linear cycle, {N_CYCLE} units, r = {RADIUS}: memory capacity {capacity.total:.2f}")
    worst = np.abs(capacity.profile[: delays.size] - exact).max()
    print(f"largest distance from the closed form {worst:.4f}\n")
    MemoryCurveDisplay.from_capacity(capacity, label=f"cycle of {N_CYCLE}", ax=axes)
    axes.step(delays, exact, where="mid", color=INK, lw=0.8, ls=":", label="theory")
    axes.set_xlim(0, delays[-1])
    axes.legend(frameon=False)
    axes.set_title("A linear cycle remembers as many inputs as units", fontsize="medium")


def sweep():
    """Exponent, memory capacity and consistency, for every case and radius."""
    drive = np.random.default_rng(0).uniform(-AMPLITUDE, AMPLITUDE, (N_DRIVE, 1))
    rows = {}
    for case in CASES:
        for radius in RADII:
            if case == "linear" and radius >= 1:
                continue  # its states grow without bound
            reservoir = random_reservoir(case, radius)
            rows[case, radius] = (
                lyapunov_exponent(reservoir, drive, washout=WASHOUT),
                memory_capacity(
                    reservoir, 2 * N_UNITS, amplitude=AMPLITUDE, n_timesteps=8000, random_state=0
                ).total,
                consistency(reservoir, drive, n_runs=4, washout=WASHOUT, random_state=0),
            )
    return rows


def sweep_panels(exponents, capacities, rows):
    print("                      radius   exponent   memory capacity   consistency")
    for (case, radius), (exponent, capacity, repeats) in rows.items():
        print(f"{case:20s}  {radius:4.1f}     {exponent:7.4f}   {capacity:13.1f}   {repeats:13.3f}")
    for case, (_, _, colour) in CASES.items():
        radii = [radius for name, radius in rows if name == case]
        values = np.array([rows[case, radius] for radius in radii])
        size = 9 if case == "linear" else 4  # seen behind the other
        style = {"color": colour, "marker": "o", "ms": size, "lw": 1.2, "label": case}
        exponents.plot(radii, values[:, 0], **style)
        capacities.plot(radii, values[:, 1], **style)
    fine = np.linspace(RADII[0], RADII[-1], 100)
    exponents.plot(fine, np.log(fine), color=INK, lw=0.8, ls=":", label="log radius")
    exponents.axhline(0, color=GREY, lw=0.6)
    exponents.set_ylabel("Lyapunov exponent (1/step)")
    exponents.set_title("Above zero the start is never forgotten", fontsize="medium")
    capacities.set_ylabel(f"memory capacity of {N_UNITS} units")
    capacities.set_title("Memory is longest just below", fontsize="medium")
    for axes in (exponents, capacities):
        axes.set_xlabel("spectral radius")
        axes.legend(frameon=False, fontsize="small")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    figure, panels = plt.subplots(2, 2, figsize=(10, 7.6), layout="constrained")
    cycle_panel(panels[0, 0])
    leaky = Reservoir(N_UNITS, leak_rate=0.4, topology="random_dense", random_state=0)
    print(f"radius .9 with a leak rate of .4 acts as {effective_spectral_radius(leaky):.3f}\n")
    EigenvalueDisplay.from_estimator(leaky, ax=panels[0, 1])
    EigenvalueDisplay.from_estimator(leaky, leaky=True, ax=panels[0, 1]).points_.set_color(
        "#1d4f7d"
    )
    panels[0, 1].set_title("Eigenvalues: W (red), with a leak of 0.4 (blue)", fontsize="medium")
    sweep_panels(panels[1, 0], panels[1, 1], sweep())
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=80)


if __name__ == "__main__":
    main()
