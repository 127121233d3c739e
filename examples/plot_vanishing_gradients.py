"""How far back can a recurrent network learn? Gradients by lag, before training, beside theory.

The derivative of an output with respect to the input k steps before is a product of Jacobians,

    d y(T) / d x(T-k) = V J(T) ... J(T-k+1) D(T-k) U,    J(t) = D(t) W,    D(t) = diag f'(a(t)).

With W = radius times a random rotation its norm is |V| |U| / sqrt(units) times radius^k times the
product of the k + 1 values of rms f': an Elman network forgets or explodes exponentially, and tanh
with a radius above 1 is first tamed by its own saturation. The cell state of an LSTM goes on by a
sum, which the forget gate f alone multiplies: .73 a step with a bias of 1 on it (the default), .98
with 4. A GRU keeps 1 - z, .5 with a bias of 0 on z, .98 with -4. Through W comes more: near rest
the eigenvalues of the whole step are f + radius / 4 exp(i angle), (1 - z) + z radius / 2 exp(i
angle), and the gradient goes as the root mean square of their k-th powers; it may explode, too.
Prints gradients and theory and draws ``plot_vanishing_gradients.png`` beside itself, or ``--out
FILE``.

S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).
R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks, ICML
(2013).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from reservoir import EigenvalueDisplay
from reservoir.baselines import RNNRegressor

INK, GREY = "#1f2933", "#8a949e"
BLUE, ORANGE, RED, YELLOW = "#1d4f7d", "#c2410c", "#7a1f3d", "#e69f00"
N_UNITS, N_INPUTS, N_OUTPUTS, N_CASES = 100, 4, 4, 10
LAGS = np.arange(101)
SHOWN = (0, 10, 50, 100)
# Activation, radius, size of the inputs (f' is 1 where they are small); colour.
ELMAN = {
    "tanh, 0.7": ("tanh", 0.7, 0.01, BLUE),
    "tanh, 1.0": ("tanh", 1.0, 0.01, INK),
    "tanh, 1.3": ("tanh", 1.3, 0.01, ORANGE),
    "ReLU, 1.3": ("relu", 1.3, 1.0, YELLOW),
    "ReLU, 2.0": ("relu", 2.0, 1.0, RED),
}
# Cell, bias of the gate that keeps; colour.
GATED = {
    "LSTM, f bias 1": ("lstm", 1.0, BLUE),
    "LSTM, f bias 2": ("lstm", 2.0, INK),
    "LSTM, f bias 4": ("lstm", 4.0, ORANGE),
    "GRU, z bias 0": ("gru", 0.0, RED),
    "GRU, z bias -4": ("gru", -4.0, YELLOW),
}
GATED_SIZE = 1e-6


def untrained(cell, activation="tanh", radius=0.5):
    """A network with its first weights."""
    network = RNNRegressor(
        cell,
        (N_UNITS,),
        activation=activation,
        spectral_radius=radius,
        max_iter=0,
        random_state=0,
    )
    return network.fit(np.zeros((2, N_INPUTS)), np.zeros((2, N_OUTPUTS)))


def gated(cell, bias):
    """The same with another bias on the gate that keeps: f of an LSTM, z of a GRU."""
    network = untrained(cell)
    block = slice(N_UNITS, 2 * N_UNITS) if cell == "lstm" else slice(0, N_UNITS)
    network.weights_[0]["bias"][block] = bias
    return network


def series(size):
    rng = np.random.default_rng(0)
    return size * rng.standard_normal((N_CASES, LAGS.size, N_INPUTS))


def gradients(network, X):
    """Norm of d y(T) / d x(T-k) for every lag k, the root of its mean square over the series."""
    squares = [
        np.sum(network.input_saliency(X, output=output) ** 2, axis=2) for output in range(N_OUTPUTS)
    ]
    return np.sqrt(np.sum(squares, axis=0).mean(axis=0))[::-1]


def theory(network, X, radius):
    """|V| |U| / sqrt(units) * radius^k * product of rms f' from T down to T-k."""
    states = network.transform(X)
    slopes = 1 - states**2 if network.activation == "tanh" else (states > 0).astype(float)
    sizes = np.sqrt(np.mean(slopes**2, axis=(0, 2)))[::-1]
    ends = np.linalg.norm(network.output_weights_) * np.linalg.norm(network.weights_[0]["input"])
    return ends / np.sqrt(N_UNITS) * radius**LAGS * np.cumprod(sizes)


def kept(cell, bias):
    """What the gate alone lets through a step: f, or 1 - z."""
    return expit(bias) if cell == "lstm" else expit(-bias)


def print_rows(name, *rows):
    cells = ["".join(f"{row[k]:11.1e}" for k in SHOWN) for row in rows]
    print(f"{name:16}" + "  |".join(cells))


def elman_panels(axes, spectra):
    """Measured and predicted gradients; the eigenvalues of W."""
    print("|d y(T) / d x(T-k)|   lags k = " + ", ".join(map(str, SHOWN)) + "   | theory")
    for name, (activation, radius, size, colour) in ELMAN.items():
        network, X = untrained("elman", activation, radius), series(size)
        found, wanted = gradients(network, X), theory(network, X, radius)
        print_rows(name, found, wanted)
        axes.semilogy(LAGS, found, color=colour, lw=1.8, label=name)
        axes.semilogy(LAGS, wanted, color=INK, lw=0.9, ls=":")
        if activation == "tanh":
            display = EigenvalueDisplay.from_estimator(network, ax=spectra)
            display.points_.set(color=colour, label=name)
    axes.plot([], [], color=INK, lw=0.9, ls=":", label="theory")
    axes.set_title("Elman: radius$^k$ and the slopes f' decide", fontsize="medium")
    spectra.set_title("Eigenvalues of W in the unit circle", fontsize="medium")
    spectra.legend(frameon=False, fontsize="small", loc="center")


def gated_panels(axes, spectra):
    """Gradients of the gated cells; the eigenvalues of their one-step map."""
    X = series(GATED_SIZE)
    print("\n|d y(T) / d x(T-k)|   lags as above   | theory   | gate alone: f^k, (1 - z)^k")
    for name, (cell, bias, colour) in GATED.items():
        network = gated(cell, bias)
        found = gradients(network, X)
        display = EigenvalueDisplay.from_estimator(network, leaky=True, ax=spectra)
        display.points_.set(color=colour, label=name)
        sizes = np.sort(np.abs(display.eigenvalues))[-N_UNITS:]  # h follows from c: zeros beside
        wanted = found[0] * np.sqrt(np.mean(sizes ** (2 * LAGS[:, np.newaxis]), axis=1))
        print_rows(name, found, wanted, found[0] * kept(cell, bias) ** LAGS)
        axes.semilogy(LAGS, found, color=colour, lw=1.8, label=name)
        axes.semilogy(LAGS, wanted, color=INK, lw=0.9, ls=":")
    axes.plot([], [], color=INK, lw=0.9, ls=":", label="theory")
    axes.set_title("LSTM and GRU: mostly the gate that keeps decides", fontsize="medium")
    spectra.set_title("Eigenvalues of their map from step to step", fontsize="medium")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    figure, panels = plt.subplots(
        2, 2, figsize=(10, 8), width_ratios=(1.5, 1), layout="constrained"
    )
    elman_panels(*panels[0])
    gated_panels(*panels[1])
    panels[0, 0].set_ylim(1e-16, 1e14)
    for axes in panels[:, 0]:
        axes.set_xlabel("lag k (steps)")
        axes.set_ylabel("|d y(T) / d x(T-k)|")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize="small", ncols=2)
    figure.savefig(out, dpi=80)


if __name__ == "__main__":
    main()
