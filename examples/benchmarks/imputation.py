"""Filling gaps of an ECG: GRU, reservoir and linear models, all from both sides.

`load_ecg` (two minutes at 360 Hz, shipped), gaps of random length and place; truth is kept. Every
model sees the signal with its gaps bridged by straight lines and a channel that says where they
are, and learns what is missing between line and truth. Train on the first 60 %, with gaps drawn
several times; test on the rest. Settings were set by hand with gaps of another
seed in the same signal, so they are not blind. Run with
``python examples/benchmarks/imputation.py [--out FILE.md]``; about two minutes.
"""

from functools import partial

import numpy as np
from contest import Contest
from scipy.interpolate import PchipInterpolator
from sheet import parse_out
from sklearn.linear_model import Ridge

from filters.timeseries import delay_embed
from reservoir import Reservoir
from reservoir.baselines import RNNRegressor
from reservoir.datasets import load_ecg

SEEDS = (0, 1, 2)
GAPS = {"Gaps of 10 to 30 samples (28 to 83 ms)": (10, 30), "Gaps of 40 to 80": (40, 80)}
MISSING, TRAIN, N_DRAWS, CASE, REACH = 0.2, 0.6, 8, 240, 100
N_UNITS = 300
GRU = {
    "hidden_sizes": (48,),
    "bidirectional": True,
    "learning_rate": 5e-3,
    "learning_rate_schedule": "cosine",
    "learning_rate_decay": 0.05,
    "batch_size": 16,
    "max_iter": 12,
    "tol": None,
}


def with_gaps(n_samples, lengths, seed):
    """Which samples are missing: gaps of uniform length, seen stretches between them."""
    rng, missing, at = np.random.default_rng(seed), np.zeros(n_samples, bool), 0
    mean_seen = np.mean(lengths) * (1 - MISSING) / MISSING
    while True:
        at += 2 + int(rng.exponential(mean_seen))
        gap = int(rng.integers(lengths[0], lengths[1] + 1))
        if at + gap + 1 >= n_samples:
            return missing
        missing[at : at + gap] = True
        at += gap


def bridged(signal, missing, how=np.interp):
    """The signal with its gaps filled from the samples that were seen."""
    at = np.arange(signal.size)
    return np.where(missing, how(at, at[~missing], signal[~missing]), signal)


def monotone_cubic(at, seen_at, seen):
    return PchipInterpolator(seen_at, seen)(at)


class Gappy:
    """A signal with gaps: what models see, and what they have to add to the straight line."""

    def __init__(self, signal, lengths, seed):
        self.truth = signal
        self.missing = with_gaps(signal.size, lengths, seed)
        self.line = bridged(signal, self.missing)
        self.rows = np.column_stack([self.line, self.missing]).astype(np.float32)
        self.wanted = np.where(self.missing, signal - self.line, np.nan).astype(np.float32)

    def error(self, filled):
        """Root mean square error over the missing samples, over their deviation."""
        truth = self.truth[self.missing]
        return float(np.sqrt(np.mean((filled[self.missing] - truth) ** 2)) / truth.std())


def cut(signal, lengths, seed):
    """The training part `N_DRAWS` times, with gaps drawn anew, and the test part."""
    n = int(signal.size * TRAIN)
    train = [Gappy(signal[:n], lengths, [seed, draw]) for draw in range(N_DRAWS)]
    return train, Gappy(signal[n:], lengths, [seed, N_DRAWS])


def ridge(features_of, alpha, train, test):
    """Ridge of what the line misses on features of the missing samples."""
    X = np.concatenate([features_of(part)[part.missing] for part in train])
    y = np.concatenate([part.wanted[part.missing] for part in train])
    model = Ridge(alpha).fit(X, y)
    return test.error(test.line + model.predict(features_of(test))), model


def neighbours(part):
    """Rows from `REACH` samples before to as many after."""
    ends = np.zeros((REACH, 2), np.float32)
    return delay_embed(np.concatenate([part.rows, ends]), 2 * REACH + 1)[REACH:]


def states(part, seed):
    """A reservoir's states from the left and from the right."""
    settings = {"leak_rate": 0.3, "bias_scaling": 0.3, "random_state": seed}
    left = Reservoir(N_UNITS, **settings).fit_transform(part.rows)
    right = Reservoir(N_UNITS, **settings).fit_transform(part.rows[::-1])[::-1]
    return np.column_stack([left, right, part.rows])


def recurrent(train, test, seed):
    """A network on cases of `CASE` rows, scored where there is a gap."""
    cases = [
        (part.rows[a : a + CASE], part.wanted[a : a + CASE])
        for part in train
        for a in range(0, part.missing.size, CASE)
        if part.missing[a : a + CASE].any()
    ]
    net = RNNRegressor("gru", **GRU, random_state=seed)
    net.fit([rows for rows, _ in cases], [wanted for _, wanted in cases])
    return test.error(test.line + net.predict(test.rows)), net


def started(play, signal, lengths, seed):
    return play(*cut(signal, lengths, seed), seed)


def main():
    out = parse_out(__doc__)
    ecg = load_ecg().ravel()
    ecg = (ecg - np.median(ecg)) / ecg.std()
    sheet = Contest(
        "Filling the gaps of an ECG",
        "root mean square error over missing samples of the test / their standard deviation",
        "float32",
    )
    sheet.say(
        f"{ecg.size} samples, {MISSING:.0%} missing, seeds draw gaps and weights; the training",
        f"part comes with {N_DRAWS} draws of gaps. GRU: {GRU}, cases of {CASE} rows.",
        f"Reservoir: {N_UNITS} units each way, ridge. Neighbours: ridge on {REACH} rows each way.",
        "",
    )
    models = {
        "straight line": lambda _, test, seed: (test.error(test.line), 0),
        "monotone cubic": lambda _, test, seed: (
            test.error(bridged(test.truth, test.missing, monotone_cubic)),
            0,
        ),
        "ridge on neighbours": lambda train, test, _: ridge(neighbours, 30.0, train, test),
        "reservoir, both ways": lambda train, test, seed: ridge(
            lambda part: states(part, seed), 10.0, train, test
        ),
        "GRU, both ways": recurrent,
    }
    for task, lengths in GAPS.items():
        for name, play in models.items():
            sheet.enter(name, partial(started, play, ecg, lengths), SEEDS)
        sheet.close(task)
    sheet.finish(out)


if __name__ == "__main__":
    main()
