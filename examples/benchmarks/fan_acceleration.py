"""The next 100 samples of a machine's vibration: LSTM, reservoir and linear models.

A step is a piece of 100 samples; after 25 steps or more of a run, the next 100 samples are asked
for. Two machines: the acceleration of a fan (51 runs of `load_fan_acceleration`, three axes, a
piece is two seconds) and, for those without these data too, 51 seeded runs of a rotor whose speed
drifts (`rotor_noise` at 1 kHz, a piece is a tenth of a second). Runs are scaled by their first 25
steps; those of the test, drawn by the seed, are never trained on. An autoregression fitted to the
25 steps of each run alone is the simple model to beat. Settings were set by hand in trials on
another split, which shares runs with these tests. Run with ``python
examples/benchmarks/fan_acceleration.py [--out FILE.md]``; about four minutes. The fan's data are
fetched once into the cache; without them it is left out, and the sheet says so.
"""

import warnings

import numpy as np
from contest import Contest
from scipy.linalg import LinAlgWarning
from sheet import parse_out

from filters import TapDelay
from filters.signals import rotor_noise
from reservoir import ESNRegressor, MemoryRegressor
from reservoir.baselines import RNNRegressor
from reservoir.datasets import load_fan_acceleration

PIECE, STEPS = 100, 25
N_TEST_RUNS, SEEDS = 10, (0, 1, 2)
OFFSETS = (0, 20, 40, 60, 80)  # of the first piece of a series, in training
SOON, ALONE_TAPS = 5, 100
RIDGE_ALPHA = 3000.0
ESN_OF_PIECES = {"input_scaling": 0.05, "bias_scaling": 0.2, "alpha": 300.0}
ESN_ALONE = {  # nearly linear: a ring of slow units
    "topology": "ring",
    "spectral_radius": 0.99,
    "leak_rate": 0.6,
    "input_scaling": 0.02,
    "alpha": 1e-4,
    "washout": 200,
}
LSTM = {
    "hidden_sizes": (100, 100),
    "head_sizes": (100,),
    "learning_rate": 2e-3,
    "learning_rate_schedule": "cosine",
    "learning_rate_decay": 0.05,
    "batch_size": 8,
    "max_iter": 80,
    "early_stopping": True,
}


def rotor(n_runs=51, n_samples=3000):
    """Runs (n_samples, 1) of rotors of different speeds, six harmonics and noise at -15 dB."""
    speeds = np.random.default_rng(0).uniform(11.0, 14.0, n_runs)
    settings = {"fs": 1000.0, "n_harmonics": 6, "n_tail_harmonics": 0, "broadband_db": -15.0}
    return [
        rotor_noise(n_samples, blade_pass=speed, random_state=run, **settings).noise[:, np.newaxis]
        for run, speed in enumerate(speeds)
    ]


def scaled(runs):
    """Every axis of every run, centred and scaled by what is known after `STEPS` pieces."""
    axes = [run[:, axis] for run in runs for axis in range(run.shape[1])]
    known = [axis[: PIECE * STEPS] for axis in axes]
    return [(a - k.mean()) / k.std() for a, k in zip(axes, known, strict=True)]


def pieces(series, offset=0):
    """Rows of `PIECE` samples, the first one beginning at `offset`."""
    n = (series.size - offset) // PIECE
    return series[offset : offset + n * PIECE].reshape(n, PIECE)


def split(X, seed):
    """Series to train on and to test on: the runs of the test are drawn."""
    drawn = np.random.default_rng(seed).permutation(len(X))
    test = set(drawn[:N_TEST_RUNS].tolist())
    return (
        scaled([run for i, run in enumerate(X) if i not in test]),
        scaled([run for i, run in enumerate(X) if i in test]),
    )


def asked(series):
    """The pieces after the first `STEPS` of each series: what every model is scored on."""
    return np.concatenate([pieces(s)[STEPS:] for s in series])


def errors(truth, found):
    """Root mean square over all samples and over the first; the mean of a series scores about 1."""
    squares = (np.asarray(truth) - found) ** 2
    return {"piece": np.sqrt(squares.mean()), "start": np.sqrt(squares[:, :SOON].mean())}


def learned(model, train, test):
    """`model` learns the next piece of all training series at all offsets."""
    rows = [pieces(s, offset).astype(np.float32) for s in train for offset in OFFSETS]
    model.fit([r[:-1] for r in rows], [r[1:] for r in rows])
    found = [model.predict(pieces(s).astype(np.float32)[:-1])[STEPS - 1 :] for s in test]
    return errors(asked(test), np.concatenate(found)), model


def alone(new_model, test):
    """A model of single samples, fitted to what is known of one series and run freely."""
    truth, found, model = [], [], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        for series in test:
            known = series[: PIECE * STEPS, np.newaxis]
            model = new_model().fit(known[:-1], known[1:])
            for start in range(PIECE * STEPS, series.size, PIECE):
                before = series[start - 1000 : start, np.newaxis]
                found.append(model.forecast(PIECE, context=before).ravel())
                truth.append(series[start : start + PIECE])
    return errors(np.array(truth), np.array(found)), model


def compete(sheet, name, X):
    """Enter all models on the runs X and close the tables."""

    def shared(model, seed):
        return learned(model, *split(X, seed))

    def own(new_model, seed):
        return alone(new_model, split(X, seed)[1])

    def constant(seed):
        return errors(asked(split(X, seed)[1]), 0.0), 0

    def persistence(seed):
        test = split(X, seed)[1]
        return errors(asked(test), np.concatenate([pieces(s)[STEPS - 1 : -1] for s in test])), 0

    def pieces_reservoir(seed):
        return ESNRegressor(500, **ESN_OF_PIECES, random_state=seed)

    def own_reservoir(seed):
        return ESNRegressor(300, **ESN_ALONE, random_state=seed)

    def line():
        return MemoryRegressor(TapDelay(ALONE_TAPS), alpha=10.0, washout=ALONE_TAPS)

    ridge = MemoryRegressor(TapDelay(5), alpha=RIDGE_ALPHA)
    sheet.enter("mean of the run", constant, SEEDS)
    sheet.enter("last piece again", persistence, SEEDS)
    sheet.enter("ridge on 5 pieces", lambda s: shared(ridge, s), SEEDS)
    sheet.enter("reservoir of pieces", lambda s: shared(pieces_reservoir(s), s), SEEDS)
    sheet.enter(
        "LSTM of pieces", lambda s: shared(RNNRegressor("lstm", **LSTM, random_state=s), s), SEEDS
    )
    sheet.enter(f"AR({ALONE_TAPS}) of each run", lambda s: own(line, s), SEEDS)
    sheet.enter("reservoir of each run", lambda s: own(lambda: own_reservoir(s), s), SEEDS)
    sheet.close(f"{name}: all {PIECE} samples", "piece")
    sheet.close(f"{name}: the first {SOON} samples", "start")


def main():
    out = parse_out(__doc__)
    sheet = Contest(
        "The next piece of a vibration",
        "root mean square error, every series scaled to unit power",
        "float32 pieces, float64 else",
    )
    sheet.say(
        f"{PIECE} samples after {STEPS} pieces of {PIECE} or more; {N_TEST_RUNS} of 51 runs are",
        f"tested, drawn by the seed. LSTM: {LSTM}, {len(OFFSETS)} offsets of every training run.",
        f"Reservoirs: 500 units {ESN_OF_PIECES}; of each run 300 units {ESN_ALONE}.",
        "Models of each run are fitted anew to its first 25 pieces and count the numbers of one.",
        "",
    )
    compete(sheet, "Rotor", rotor())
    try:
        fan = load_fan_acceleration().X
    except FileNotFoundError as error:
        sheet.say(f"Without the fan, whose data are not here: {error}", "")
    else:
        compete(sheet, "Fan", fan)
    sheet.finish(out)


if __name__ == "__main__":
    main()
