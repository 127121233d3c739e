"""Next character of Shakespeare: recurrent cells, a reservoir and n-grams, in bits.

The first 90 % of the 1.1 MB of `load_tiny_shakespeare` are for training, the rest is the test; a
model says the probability of every character given those before it. Penalties are chosen
on the training part; units and training of the networks were set by hand in short trials.

Run with ``python examples/benchmarks/next_character.py [--epochs 5] [--out FILE.md]``; about five
minutes, two with two epochs. The text is fetched once into the cache; without a network, the error
says where to put it.
"""

import argparse
from pathlib import Path

import numpy as np
from contest import Contest, fetched
from sklearn.neural_network import MLPClassifier

from filters import TapDelay
from reservoir import MemoryClassifier, Reservoir
from reservoir.baselines import RNNClassifier
from reservoir.datasets import load_tiny_shakespeare

TEST = 0.1
CELLS = {"lstm": 200, "gru": 128, "elman": 128}  # units
TRAINING = {
    "learning_rate": 0.01,
    "learning_rate_schedule": "cosine",
    "learning_rate_decay": 0.05,
    "n_strands": 32,
    "bptt_steps": 32,
}
N_UNITS, N_TAPS, CHUNK = 500, 8, 20_000
TEXT_BEFORE = "ROMEO:\n"


def encode(text):
    """Symbols in order and the number of each character of the text."""
    return np.unique(list(text), return_inverse=True)


def bits(probabilities, codes):
    """Mean of -log2 of what was said of the characters that came, at least 1e-9 each."""
    said = probabilities[np.arange(codes.size), codes]
    return float(-np.log2(np.maximum(said, 1e-9)).mean())


# ---- n-grams ----------------------------------------------------------------------------------


def look_up(keys, table):
    known, counts = table
    at = np.minimum(np.searchsorted(known, keys), known.size - 1)
    return np.where(known[at] == keys, counts[at], 0)


def ngram_bits(codes, cut, n_symbols, order):
    """Bits a character of interpolated n-grams (Witten and Bell's weights), and their counts.

    P_n(c | h) = (count(h c) + kinds(h) P_{n-1}(c | h')) / (count(h) + kinds(h)), kinds the number
    of different characters seen after h.
    """
    codes = codes.astype(np.int64)
    p, n_counts = np.full(codes.size - cut, 1.0 / n_symbols), 0
    for n in range(1, order + 1):
        keys = np.zeros(codes.size - n + 1, dtype=np.int64)
        for j in range(n):
            keys = keys * n_symbols + codes[j : codes.size - n + 1 + j]
        train, test = keys[: cut - n + 1], keys[cut - n + 1 :]
        grams = np.unique(train, return_counts=True)
        before = np.unique(train // n_symbols, return_counts=True)
        kinds = look_up(test // n_symbols, np.unique(grams[0] // n_symbols, return_counts=True))
        seen = look_up(test // n_symbols, before)
        mixed = (look_up(test, grams) + kinds * p) / np.maximum(seen + kinds, 1)
        p = np.where(seen > 0, mixed, p)
        n_counts += grams[0].size
    return float(-np.log2(p).mean()), n_counts


# ---- networks ---------------------------------------------------------------------------------


def one_hot(codes, n_symbols):
    return np.eye(n_symbols, dtype=np.float32)[codes]


def recurrent(cell, codes, cut, n_symbols, epochs):
    """Bits on the test, the state carried over from the end of the training part; the network."""
    rows = one_hot(codes[:-1], n_symbols)
    net = RNNClassifier(cell, (CELLS[cell],), **TRAINING, max_iter=epochs, tol=None, random_state=0)
    net.fit(rows[: cut - 1], codes[1:cut])
    warm = cut - 1 - 200
    said = net.predict_proba(rows[warm:])[200:]
    return bits(said, codes[cut:]), net


def log_linear(memory, codes, cut, n_symbols, seed):
    """The same of a softmax on what a memory offers, learned by Adam in parts of the text."""
    softmax = MLPClassifier((), alpha=0.0, learning_rate_init=2e-3, random_state=seed)
    model = MemoryClassifier(memory, softmax)
    for start in range(0, cut - 1, CHUNK):
        stop = min(start + CHUNK, cut - 1)
        rows, then = one_hot(codes[start:stop], n_symbols), codes[start + 1 : stop + 1]
        model.partial_fit(rows, then, classes=np.arange(n_symbols))
    warm = cut - 1 - 200
    said = [
        model.predict_proba(one_hot(codes[max(start - 200, 0) : start + CHUNK], n_symbols))[200:]
        for start in range(warm + 200, codes.size - 1, CHUNK)
    ]
    return bits(np.concatenate(said)[: codes.size - cut], codes[cut:]), model


def sample(net, symbols, n_characters, temperature, seed=0):
    """Text that the network writes after `TEXT_BEFORE`, drawn from p^(1 / temperature)."""
    rng, rows = np.random.default_rng(seed), np.eye(symbols.size, dtype=np.float32)
    written = np.searchsorted(symbols, list(TEXT_BEFORE)).tolist()
    _, state = net.predict(rows[written[:-1]], return_state=True)
    for _ in range(n_characters):
        said = net.predict_proba(rows[written[-1:]], initial_state=state)[0].astype(np.float64)
        _, state = net.predict(rows[written[-1:]], initial_state=state, return_state=True)
        said = said ** (1.0 / temperature)
        written.append(int(rng.choice(symbols.size, p=said / said.sum())))
    return "".join(symbols[written])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the sheet to this file")
    parser.add_argument("--epochs", type=int, default=5, help="of the recurrent networks")
    given = parser.parse_args()
    return given.out, given.epochs


def main():
    out, epochs = parse()
    text = fetched(load_tiny_shakespeare)
    symbols, codes = encode(text)
    cut, n_symbols = round(codes.size * (1 - TEST)), symbols.size
    sheet = Contest(
        "Next character", "-log2 p(character that came), mean over the last 10 %", "float32"
    )
    sheet.say(
        f"{cut} characters to train on, {codes.size - cut} to test, {n_symbols} kinds. Units:",
        f"{CELLS}; {epochs} epochs of Adam, {TRAINING}, one seed.",
        f"Reservoir: {N_UNITS} units; line: the last {N_TAPS} characters; each below a softmax,",
        "one pass of Adam. n-grams: Witten-Bell.",
        "",
    )
    for n in (3, 4, 5, 6):
        sheet.enter(f"{n}-gram", lambda _, n=n: ngram_bits(codes, cut, n_symbols, n))
    line = TapDelay(N_TAPS)
    sheet.enter(f"line of {N_TAPS}, softmax", lambda s: log_linear(line, codes, cut, n_symbols, s))

    def reservoir(seed):
        memory = Reservoir(
            N_UNITS, spectral_radius=0.8, bias_scaling=0.1, dtype="float32", random_state=seed
        )
        return log_linear(memory, codes, cut, n_symbols, seed)

    sheet.enter(f"reservoir of {N_UNITS}, softmax", reservoir)
    nets = {
        cell: sheet.enter(cell, lambda _, cell=cell: recurrent(cell, codes, cut, n_symbols, epochs))
        for cell in reversed(CELLS)
    }
    sheet.close("Bits a character")
    for temperature in (0.5, 0.8):
        written = sample(nets["lstm"], symbols, 300, temperature)
        sheet.say(f"The LSTM writes, at temperature {temperature}:", "", "```", written, "```", "")
    sheet.finish(out)


if __name__ == "__main__":
    main()
