"""How good is each pooling of whole sequences? Japanese Vowels, 10 seeds, errors of every seed.

Official split (270 training sequences of 9 speakers, 370 test ones), default parameters but for
`pooling` and `n_units`, nothing chosen on the test set. Beside them ridge regression on the mean
and standard deviation of every channel. Published gates: a single classifier of at most 500 units
at 98.1 % (Bianchi et al.'s notebook), an ensemble with at most 2 errors (Jaeger et al. 2007: none).

With the folder of a `pip download --no-deps sktime` as argument, BasicMotions (labels) and
Covid3Month (numbers) are read from the wheel too. Half a minute:
``python examples/benchmarks/sequence_poolings.py [FOLDER]``; writes results/sequence_poolings.md.
"""

import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reservoir import ESNSequenceClassifier, ESNSequenceRegressor
from reservoir.datasets import load_japanese_vowels

SEEDS = range(10)
POOLINGS = ("mean", "last", "mean_output", "model_space")
ALPHAS = np.logspace(-6, 6, 25)
RESULTS = Path(__file__).parent / "results" / "sequence_poolings.md"


def summary(X):
    """Mean and standard deviation of every channel."""
    return np.array([np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in X])


def vowels(say):
    """Errors of every pooling and size, of the ten networks' mean probabilities, and of all's."""
    X, y, X_test, y_test = load_japanese_vowels()
    linear = make_pipeline(StandardScaler(), RidgeClassifierCV(ALPHAS)).fit(summary(X), y)
    wrong = int((linear.predict(summary(X_test)) != y_test).sum())
    say("## Japanese Vowels\n")
    say(f"Ridge on mean and standard deviation of every channel: {wrong} errors of 370,")
    say(f"accuracy {1 - wrong / 370:.4f}.\n")
    say("| pooling | units | errors, seeds 0-9 | accuracy | min | max | ensemble errors | s |")
    say("|---|---|---|---|---|---|---|---|")
    single, ensemble, everything = {}, {}, 0.0
    for pooling in POOLINGS:
        for n_units in (50, 100, 200):
            errors, total, begin = [], 0.0, time.process_time()
            for seed in SEEDS:
                model = ESNSequenceClassifier(n_units, pooling=pooling, random_state=seed)
                proba = model.fit(X, y).predict_proba(X_test)
                errors.append(int((model.classes_[proba.argmax(axis=1)] != y_test).sum()))
                total = total + proba
            seconds = (time.process_time() - begin) / len(SEEDS)
            single[pooling, n_units] = errors
            together = int((model.classes_[total.argmax(axis=1)] != y_test).sum())
            ensemble[pooling, n_units] = together
            everything = everything + total
            accuracy = 1 - np.array(errors) / 370
            say(
                f"| {pooling} | {n_units} | {' '.join(map(str, errors))} | "
                f"{np.median(accuracy):.4f} | {accuracy.min():.4f} | {accuracy.max():.4f} | "
                f"{together} | {seconds:.2f} |"
            )
    ensemble["all"] = int((model.classes_[everything.argmax(axis=1)] != y_test).sum())
    return single, ensemble


def gates(say, single, ensemble):
    say("\n## Gates (7 errors of 370 are 98.1 %)\n")
    for pooling in POOLINGS:
        errors, together = single[pooling, 200], ensemble[pooling, 200]
        passed = sum(error <= 7 for error in errors)
        met = "met" if np.median(errors) <= 7 else "NOT met"
        say(
            f"* {pooling}, 200 units: single classifier {met} (median {np.median(errors):g} "
            f"errors, {passed} of 10 seeds pass); ensemble of the ten with at most 2 errors "
            f"{'met' if together <= 2 else 'NOT met'} ({together})."
        )
    together = ensemble["all"]
    say(
        f"* All networks of the table together: ensemble "
        f"{'met' if together <= 2 else 'NOT met'} ({together} errors)."
    )
    say("* Choice by cross-validation against one hold-out: `reservoir compare --suite published`.")


def read_ts(wheel, name, part):
    """Cases (n_timesteps, n_channels) and targets of a .ts file in the wheel, as text."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"sktime/datasets/data/{name}/{name}_{part}.ts").decode()
    lines = text.split("@data", 1)[1].strip().splitlines()
    X, y = [], []
    for line in lines:
        *channels, target = line.split(":")
        X.append(np.array([np.array(c.split(","), dtype=float) for c in channels]).T)
        y.append(target.strip())
    return X, np.array(y)


def motions(say, wheel):
    (X, y), (X_test, y_test) = (read_ts(wheel, "BasicMotions", p) for p in ("TRAIN", "TEST"))
    linear = make_pipeline(StandardScaler(), RidgeClassifierCV(ALPHAS)).fit(summary(X), y)
    say("\n## BasicMotions (40 / 40 cases, 100 steps, 6 channels; accuracy, 100 units)\n")
    say(f"Ridge on mean and standard deviation: {linear.score(summary(X_test), y_test):.3f}.\n")
    for pooling in POOLINGS:
        models = [ESNSequenceClassifier(100, pooling=pooling, random_state=s) for s in SEEDS]
        scores = [model.fit(X, y).score(X_test, y_test) for model in models]
        listed = " ".join(f"{score:.3f}" for score in scores)
        say(f"* {pooling}: median {np.median(scores):.3f}; {listed}")


def covid(say, wheel):
    (X, y), (X_test, y_test) = (read_ts(wheel, "Covid3Month", p) for p in ("TRAIN", "TEST"))
    y, y_test = y.astype(float), y_test.astype(float)

    def rmse(answer):
        return np.sqrt(np.mean((answer - y_test) ** 2))

    linear = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(summary(X), y)
    say("\n## Covid3Month (140 / 61 cases, 84 steps; RMSE = sqrt(mean (y - y_hat)^2), 100 units)\n")
    say(f"Mean of the training targets: {rmse(y.mean()):.4f}.")
    say(f"Ridge on mean and standard deviation: {rmse(linear.predict(summary(X_test))):.4f}.\n")
    for pooling in POOLINGS:
        models = [ESNSequenceRegressor(100, pooling=pooling, random_state=s) for s in SEEDS]
        errors = [rmse(model.fit(X, y).predict(X_test)) for model in models]
        listed = " ".join(f"{error:.4f}" for error in errors)
        say(f"* {pooling}: median {np.median(errors):.4f}; {listed}")


def main():
    lines = []

    def say(line):
        print(line, flush=True)
        lines.append(line)

    say("# Poolings of whole sequences\n")
    say("Default parameters but for `pooling` and `n_units`; float64; alpha chosen on the training")
    say(
        "cases. Seconds: processor time of one fit and one predict. Ensemble: mean probabilities.\n"
    )
    begin = time.perf_counter()
    gates(say, *vowels(say))
    wheels = sorted(Path(sys.argv[1]).glob("sktime-*.whl")) if len(sys.argv) > 1 else []
    if wheels:
        motions(say, wheels[-1])
        covid(say, wheels[-1])
    print(f"\n{time.perf_counter() - begin:.0f} s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
