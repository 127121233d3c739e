"""Can a network keep one symbol in mind? The embedded Reber grammar, learned by LSTM and Elman.

A string walks through the grammar, both ways out of a node being equally likely. All but one of its
symbols follow from the one or two before; the last but one repeats the second, 7 to 30 symbols
earlier. Networks of 10 units learn the next symbol from 300 strings, and the share of 500 other
strings is counted in which the repeated symbol gets more probability than its rival: a network
without memory is right in half of them. Prints the shares and draws ``plot_reber_grammar.png``
beside itself, or ``--out FILE``.

S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997), section 5.1.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from reservoir.baselines import RNNClassifier
from reservoir.datasets import embedded_reber

INK, GREY, BLUE, ORANGE = "#1f2933", "#8a949e", "#1d4f7d", "#c2410c"
COLOURS = {"lstm": BLUE, "elman": ORANGE}
TITLES = {"lstm": "LSTM", "elman": "Elman"}
N_UNITS, N_EPOCHS, SEEDS = 10, 60, (0, 1, 2)
LENGTHS = ((9, 11), (12, 14), (15, 17), (18, 40))
SHOWN_LENGTH = 18
# Nodes of the picture, and arcs (from, to, symbol); outside of 0 to 5 is the embedding.
PLACES = {
    "a": (-3.1, 0),
    "b": (-2.3, 0),
    "c": (-0.8, 0),
    0: (0, 0),
    1: (0.9, 0.75),
    2: (0.9, -0.75),
    3: (2.1, 0.75),
    4: (2.1, -0.75),
    5: (3, 0),
    "d": (3.8, 0),
    "e": (5.3, 0),
    "f": (6.1, 0),
}
ARCS = ["ab B", "c0 B", "01 T", "02 P", "13 X", "24 V", "32 X", "35 S", "43 P", "45 V", "5d E"]
ARCS += ["ef E"]


def task(data):
    """Every symbol but the last, and the one that follows it."""
    return [rows[:-1] for rows in data.X], [np.array(list(text[1:])) for text in data.strings]


def recalled(network, X, strings):
    """Probability of the right symbol, where the second is repeated, against its rival."""
    column = {symbol: i for i, symbol in enumerate(network.classes_)}
    shares = []
    for text, answer in zip(strings, network.predict_proba(X), strict=True):
        right, either = text[-2], [column["T"], column["P"]]
        shares.append(answer[-2, column[right]] / answer[-2, either].sum())
    return np.array(shares)


def train(cell, seed, X, y, X_test, strings):
    """The trained network, and the share recalled after every second epoch."""
    network = RNNClassifier(
        cell,
        (N_UNITS,),
        learning_rate=0.01,
        max_iter=2,
        warm_start=True,
        tol=None,
        random_state=seed,
    )
    curve = []
    for _ in range(N_EPOCHS // 2):
        network.fit(X, y)
        curve.append(np.mean(recalled(network, X_test, strings) > 0.5))
    return network, curve


def arrow(axes, begin, end, symbol, colour=INK, bend=0.0):
    (x0, y0), (x1, y1) = PLACES[begin], PLACES[end]
    style = {"arrowstyle": "->", "color": colour, "shrinkA": 8, "shrinkB": 8, "lw": 1.2}
    style["connectionstyle"] = f"arc3,rad={bend}"
    axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
    distance = np.hypot(x1 - x0, y1 - y0)
    across = np.array([y1 - y0, x0 - x1]) / distance * (bend / 2 * distance)
    x, y = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + across
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(x, y, symbol, ha="center", va="center", color=colour, bbox=box, fontsize=10)


def draw_grammar(axes):
    for place in PLACES.values():
        axes.plot(*place, "o", color="white", mec=GREY, ms=11)
    names = {str(name): name for name in PLACES}
    for (begin, end), symbol in (arc.split() for arc in ARCS):
        arrow(axes, names[begin], names[end], symbol)
    for begin, end in ("bc", "de"):
        arrow(axes, begin, end, "T", BLUE, -0.6)
        arrow(axes, begin, end, "P", ORANGE, 0.6)
    for node, symbol, side in ((1, "S", 1), (2, "T", -1)):
        x, y = PLACES[node]
        turn = np.linspace(-0.15 * np.pi, 1.15 * np.pi, 60)
        axes.plot(x + 0.2 * np.cos(turn), y + side * (0.26 + 0.2 * np.sin(turn)), color=INK, lw=1.2)
        axes.text(x, y + side * 0.62, symbol, ha="center", va="center", fontsize=10)
    axes.text(4.55, 0.72, "the same again", ha="center", va="center", fontsize=9)
    axes.text(-1.55, 0.72, "to be kept", ha="center", va="center", fontsize=9)
    axes.set_xlim(-3.4, 6.4)
    axes.set_ylim(-1.55, 1.55)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title("The embedded Reber grammar", fontsize="medium")


def draw_answer(axes, network, cell, text, rows, legal):
    """Probabilities of the next symbol along one string; circles are what the grammar allows."""
    answer = network.predict_proba(rows)
    image = axes.imshow(answer.T, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    columns = {symbol: i for i, symbol in enumerate(network.classes_)}
    for t, may in enumerate(legal[:-1]):
        for symbol, allowed in zip("BTPSXVE", may, strict=True):
            if allowed:
                axes.plot(t, columns[symbol], "o", mfc="none", mec=COLOURS[cell], ms=9, mew=1.4)
    axes.set_yticks(range(len(columns)), columns)
    axes.set_xticks(range(len(text) - 1), text[:-1])
    axes.axvline(len(text) - 3.5, color=GREY, lw=0.8, ls=":")
    axes.axvline(len(text) - 2.5, color=GREY, lw=0.8, ls=":")
    axes.set_xlabel("symbol read")
    axes.set_ylabel("next symbol")
    axes.set_title(f"{TITLES[cell]}: probabilities; circles: allowed", fontsize="medium")
    return image


def draw_curves(axes, curves):
    epochs = np.arange(2, N_EPOCHS + 1, 2)
    for cell, colour in COLOURS.items():
        of_seeds = [curve for (name, _), curve in curves.items() if name == cell]
        style = "-" if cell == "lstm" else "--"
        for i, curve in enumerate(of_seeds):
            label = TITLES[cell] if i == 0 else None
            axes.plot(epochs, curve, style, color=colour, lw=1.2, label=label)
    axes.axhline(0.5, color=GREY, lw=0.8, ls=":", label="no memory")
    axes.set_xlabel("epochs")
    axes.set_ylabel("share of strings recalled")
    axes.set_title(f"Learning, {len(SEEDS)} seeds each", fontsize="medium")
    axes.legend(frameon=False, fontsize="small")


def draw_lengths(axes, shares, lengths):
    """Share recalled by length of the string, mean and range over seeds."""
    middles = np.arange(len(LENGTHS))
    for cell, colour in COLOURS.items():
        rows = []
        for seed in SEEDS:
            right = shares[cell, seed] > 0.5
            rows.append([np.mean(right[(lengths >= a) & (lengths <= b)]) for a, b in LENGTHS])
        rows = np.array(rows)
        bars = np.abs(rows.mean(axis=0) - [rows.min(axis=0), rows.max(axis=0)])
        mark = "o-" if cell == "lstm" else "s--"
        axes.errorbar(
            middles, rows.mean(axis=0), bars, fmt=mark, color=colour, capsize=3, label=TITLES[cell]
        )
    axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
    axes.set_xticks(middles, [f"{a}-{b}" for a, b in LENGTHS[:-1]] + [f"{LENGTHS[-1][0]}-"])
    axes.set_xlabel("length of the string (symbols)")
    axes.set_ylabel("share of strings recalled")
    axes.set_title(f"After {N_EPOCHS} epochs; bars: all seeds", fontsize="medium")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    out = parser.parse_args().out
    known, new = embedded_reber(300, random_state=0), embedded_reber(500, random_state=1)
    X, y = task(known)
    X_test, _ = task(new)
    lengths = np.array([len(text) for text in new.strings])
    networks, curves, shares = {}, {}, {}
    print(f"share of {lengths.size} new strings whose second symbol is recalled; by length")
    print("cell   seed     all" + "".join(f"{a:6d}-{b}" for a, b in LENGTHS))
    for cell in COLOURS:
        for seed in SEEDS:
            network, curve = train(cell, seed, X, y, X_test, new.strings)
            share = recalled(network, X_test, new.strings)
            networks[cell, seed], curves[cell, seed], shares[cell, seed] = network, curve, share
            parts = [np.mean(share[(lengths >= a) & (lengths <= b)] > 0.5) for a, b in LENGTHS]
            cells = "".join(f"{part:9.3f}" for part in parts)
            print(f"{cell:6} {seed:4d}   {np.mean(share > 0.5):.3f}{cells}")
    figure = plt.figure(figsize=(11.5, 6.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1))
    grammar, learning = top.subplots(1, 2, width_ratios=(2, 1))
    draw_grammar(grammar)
    draw_curves(learning, curves)
    case = int(np.flatnonzero(lengths == SHOWN_LENGTH)[0])
    *answers, length = bottom.subplots(1, 3, width_ratios=(1.25, 1.25, 1))
    draw_lengths(length, shares, lengths)
    for axes, cell in zip(answers, COLOURS, strict=True):
        # The middle one of the seeds.
        seed = sorted(SEEDS, key=lambda s, name=cell: curves[name, s][-1])[len(SEEDS) // 2]
        arguments = new.strings[case], X_test[case], new.legal[case]
        image = draw_answer(axes, networks[cell, seed], cell, *arguments)
    bottom.colorbar(image, ax=answers[1], label="probability", pad=0.01)
    for axes in (learning, length):
        axes.set_ylim(0.4, 1.02)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=85)


if __name__ == "__main__":
    main()
