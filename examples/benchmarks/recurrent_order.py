"""Temporal order: of X and Y among distractors, which came first and which second?

Task 6a of S. Hochreiter and J. Schmidhuber (Neural Computation 9 (1997), section 5.6): strings of
100 to 110 symbols, the first that counts at step 10 to 20, the second at 50 to 60, four classes.
Strings are fresh all along; training stops when of 2000 others .2 % or fewer are wrong, or at the
budget, and 2560 more are the test, as there. (There a string is wrong if an output is .3 off, here
if the label is.) The two symbols stand at nearly fixed places, so that a linear classifier which
is given the whole string at once, aligned from its start, needs no memory: it is the yardstick
of what the recurrent ones pay for reading symbol by symbol.

Adam .005, batches of 20, float32, 32 units. "chrono": C. Tallec, Y. Ollivier (ICLR 2018). The
reservoir's leak is picked on the 2000 strings that say when to stop.
Run with ``python examples/benchmarks/recurrent_order.py [--budget N] [--seeds N] [--out FILE]``;
about three minutes.
"""

import numpy as np
from lag_contest import Contest, Run, Stopwatch, arguments
from sklearn.linear_model import RidgeClassifier

from reservoir import ESNSequenceClassifier
from reservoir.baselines import RNNSequenceClassifier
from reservoir.datasets import temporal_order
from reservoir.evaluation._protocol import count_parameters

CLASSES = ("XX", "XY", "YX", "YY")
N_TEST, N_CHECK, N_CHUNK, N_AT_ONCE = 2560, 2000, 2000, 2000
LONGEST = 110
LEAKS = (0.003, 0.01, 0.1)
NETWORKS = {
    "LSTM, chrono": {"cell": "lstm", "forget_bias": "chrono"},
    "LSTM, forget bias 1": {"cell": "lstm"},
    "GRU, chrono": {"cell": "gru", "forget_bias": "chrono"},
    "GRU": {"cell": "gru"},
    "Elman": {"cell": "elman"},
}


def strings(n_cases, rng):
    """Strings of the task in float32, and their labels."""
    X, y = temporal_order(n_cases, random_state=rng)
    return [rows.astype(np.float32) for rows in X], y


def share_wrong(answers, y):
    return float(np.mean(answers != y))


def draws(seed):
    """A stream of strings to learn from, those that say when to stop, and those of the test."""
    check, test = (np.random.RandomState(1000 * k + seed) for k in (1, 2))
    return np.random.RandomState(seed), strings(N_CHECK, check), strings(N_TEST, test)


def network(seed, budget, params):
    """A network that is shown fresh strings until it can, or the budget is spent."""
    rng, (X_check, y_check), (X_test, y_test) = draws(seed)
    net = RNNSequenceClassifier(
        hidden_sizes=(32,), learning_rate=5e-3, batch_size=20, random_state=seed, **params
    )
    seen, learning = 0, Stopwatch()
    while seen < budget:
        n = min(N_CHUNK, budget - seen)
        X, y = strings(n, rng)
        with learning:
            net.partial_fit(X, y, classes=CLASSES)
        seen += n
        if share_wrong(net.predict(X_check), y_check) <= 0.002:
            break
    scores = {"wrong": share_wrong(net.predict(X_test), y_test)}
    return Run(scores, seen, learning.seconds, count_parameters(net))


def echo_state(seed, budget):
    """Ridge on the last states of 500 leaky units."""
    rng, (X_check, y_check), (X_test, y_test) = draws(seed)
    n, learning, tried = min(budget, N_AT_ONCE), Stopwatch(), []
    X, y = strings(n, rng)
    for leak in LEAKS:
        esn = ESNSequenceClassifier(
            500, spectral_radius=1.0, leak_rate=leak, pooling="last", random_state=seed
        )
        with learning:
            esn.fit(X, y)
        tried.append((share_wrong(esn.predict(X_check), y_check), leak, esn))
    esn = min(tried, key=lambda entry: entry[:2])[2]
    scores = {"wrong": share_wrong(esn.predict(X_test), y_test)}
    return Run(scores, n, learning.seconds, count_parameters(esn))


def whole(X):
    """Strings as rows of equal length, zeros behind their ends."""
    rows = np.zeros((len(X), LONGEST, X[0].shape[1]), dtype=np.float32)
    for row, string in zip(rows, X, strict=True):
        row[: len(string)] = string
    return rows.reshape(len(X), -1)


def line(seed, budget):
    """Ridge on all symbols of the string at once."""
    rng, _, (X_test, y_test) = draws(seed)
    n = min(budget, N_AT_ONCE)
    X, y = strings(n, rng)
    with Stopwatch() as learning:
        model = RidgeClassifier(alpha=1.0).fit(whole(X), y)
    scores = {"wrong": share_wrong(model.predict(whole(X_test)), y_test)}
    return Run(scores, n, learning.seconds, count_parameters(model))


def main():
    args = arguments(__doc__, budget=40_000, budget_help="strings at most", n_seeds=3)
    contest = Contest("Temporal order (task 6a)", f"share of {N_TEST} test strings labelled wrong")
    contest.say(f"At most {args.budget:,} strings; {args.seeds} seeds. A guess: .75 wrong.", "")
    gate = ("1 of 2560 after 31,390", "every seed <= .01", lambda values: (values <= 0.01).all())
    for name, params in NETWORKS.items():
        contest.run(
            name,
            lambda seed, p=params: network(seed, args.budget, p),
            range(args.seeds),
            {"wrong": gate} if name == "LSTM, chrono" else None,
        )
    for name, measure in (("ESN of 500", echo_state), ("linear, whole strings", line)):
        contest.run(name, lambda seed, f=measure: f(seed, args.budget), range(args.seeds))
    contest.finish("share wrong", args.out)


if __name__ == "__main__":
    main()
