"""What does a trained network look at? The derivative of its answer with respect to every input.

Above: the adding problem, whose answer is the sum of two marked numbers, so that the derivative
with respect to a number must be 1 where it is marked and 0 where it is not; an LSTM learned it from
examples alone. Below: temporal order, where the class says which of X and Y came first and second
among distractors a to d. The derivative of the score of class XY is drawn, read before the end
symbol E: what an X or a Y, more or less of it, would do at every step; distractors hardly count.
Beside it are the hidden states on the same sequence. Prints how near the derivatives are to the
truth and draws ``plot_saliency.png`` beside itself, or ``--out FILE``.

S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997), sections 5.4 and
5.6 (the tasks).
K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks, arXiv:1312.6034 (2013)
(saliency as a derivative).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from reservoir import SaliencyDisplay, StatesDisplay
from reservoir.baselines import RNNSequenceClassifier, RNNSequenceRegressor
from reservoir.datasets import adding_problem, temporal_order

INK, GREY, RED = "#1f2933", "#8a949e", "#c2410c"
SYMBOLS = list("abcdXYBE")
DISTRACTORS, MEANINGFUL = slice(0, 4), slice(4, 6)
SHOWN_CLASS = "XY"
BEFORE_END = -2


def adding_panels(heat, histogram):
    X, y = adding_problem(2000, 30, random_state=0)
    X_new, y_new = adding_problem(200, 30, random_state=1)
    network = RNNSequenceRegressor(
        "lstm",
        (24,),
        learning_rate=0.01,
        learning_rate_schedule="cosine",
        learning_rate_decay=0.01,
        max_iter=25,
        tol=None,
        random_state=0,
    ).fit(X, y)
    derivatives, marked = network.input_saliency(X_new)[:, :, 0], X_new[:, :, 1] > 0
    error = np.mean((network.predict(X_new) - y_new) ** 2)
    print(f"adding problem: mean squared error {error:.5f}; without memory 0.16667")
    for name, part in (("marked", derivatives[marked]), ("other", derivatives[~marked])):
        print(f"d answer / d {name} number: mean {part.mean():.3f}, deviation {part.std():.3f}")
    display = SaliencyDisplay.from_estimator(
        network, X_new, feature_names=["number", "mark"], ax=heat
    )
    display.colorbar_.set_label("d answer / d input")
    heat.plot(np.flatnonzero(marked[0]), [0, 0], "o", mfc="none", mec=INK, ms=12, mew=1.4)
    heat.set_ylabel("")
    heat.set_title("Adding problem; circles: the marked numbers", fontsize="medium")
    bins = np.linspace(-0.3, 1.3, 81)
    style = {"bins": bins, "density": True, "histtype": "stepfilled"}
    histogram.hist(derivatives[~marked], color=GREY, label="other numbers", **style)
    histogram.hist(derivatives[marked], color=RED, label="marked numbers", **style)
    for value in (0, 1):
        histogram.axvline(value, color=INK, lw=0.8, ls=":", label="truth" if value else None)
    histogram.set_yscale("log")
    histogram.set_xlabel("d answer / d number")
    histogram.set_ylabel("density")
    histogram.set_title(f"All numbers of {len(X_new)} new sequences", fontsize="medium")
    histogram.legend(frameon=False, fontsize="small", loc="upper center")


def order_panels(heat, hidden):
    X, y = temporal_order(800, 50, random_state=0)
    X_new, y_new = temporal_order(200, 50, random_state=1)
    network = RNNSequenceClassifier(
        "lstm", (20,), learning_rate=0.01, max_iter=25, tol=None, random_state=0
    ).fit(X, y)
    output = list(network.classes_).index(SHOWN_CLASS)
    cases = np.flatnonzero(y_new == SHOWN_CLASS)
    slopes = network.input_saliency([X_new[i] for i in cases], output=output, step=BEFORE_END)
    sizes = [np.mean(np.abs(np.concatenate(slopes)[:, s])) for s in (MEANINGFUL, DISTRACTORS)]
    print(f"\ntemporal order: {network.score(X_new, y_new):.3f} of {len(y_new)} new cases right")
    print(f"mean |d score of {SHOWN_CLASS} / d input|: {sizes[0]:.4f} at X and Y, {sizes[1]:.4f} "
          "at the distractors")  # fmt: skip
    case = cases[0]
    SaliencyDisplay.from_estimator(
        network,
        X_new,
        case=case,
        output=output,
        step=BEFORE_END,
        feature_names=SYMBOLS,
        ax=heat,
    )
    steps, symbols = np.nonzero(X_new[case][:, MEANINGFUL])
    heat.plot(steps, 4 + symbols, "o", mfc="none", mec=INK, ms=10, mew=1.4)
    heat.set_ylabel("symbol")
    heat.set_title(f"Temporal order {SHOWN_CLASS}; circles: where X and Y stand", fontsize="medium")
    StatesDisplay.from_estimator(network, X_new[case], ax=hidden)
    for step in steps:
        hidden.axvline(step, color=INK, lw=0.8, ls=":")
    hidden.set_title("Hidden states on the same sequence; dotted: X, Y", fontsize="medium")
    hidden.set_xlabel("time step")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    figure, panels = plt.subplots(
        2, 2, figsize=(11, 6), width_ratios=(1.4, 1), height_ratios=(1, 1.5), layout="constrained"
    )
    adding_panels(*panels[0])
    order_panels(*panels[1])
    for axes in panels[:, 1]:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=85)


if __name__ == "__main__":
    main()
