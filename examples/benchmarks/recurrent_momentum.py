"""A plain tanh network learns a lag of 80 by its first weights and momentum, and not without.

The row "add, T = 80" of I. Sutskever, J. Martens, G. Dahl, G. Hinton (ICML 2013): 100 tanh units,
15 recurrent connections each, spectral radius 1.1, input weights .001 N(0, 1), output weights .1
N(0, 1), inputs and target centred; numbers uniform on [0, 1], one of the first ten marked and one
more of the first half, the target their mean; batches of 100, momentum .9 for the first 1000
updates, then Nesterov's .995, or none. Printed after 50,000 updates: .00025 of the answers more
than .04 off with .995, .39 without momentum, .82 by a constant (exactly 1 - (.16 - .0064) = .8464,
with a mean square of 1/24).

Ours: learning rates .003 with .995 (.001 had not begun after 6000 updates of one seed, .01 threw it
out again) and .01 without (.1 stays worse than a constant); gradients longer than 1 are cut to it,
which theirs are not; float32. The budget is less than half of the printed updates. Learning begins
all of a sudden, with some seeds after 2000 updates and with others not within 6000; it ends when at
most 1 % of 2000 other sequences are wrong, looked at every 500 updates, or with the budget. The
reservoir has 100 leaky units and the best of three leaks on 2000 validation cases.
Run with ``python examples/benchmarks/recurrent_momentum.py [--out FILE.md]``, see ``--help``; a
quarter of an hour. P9 of ``python -m reservoir compare --suite published`` trains the same two
networks for a number of seconds.
"""

import numpy as np
from lag_contest import Contest, Run, Stopwatch, arguments
from recurrent_adding import errors
from sklearn.linear_model import Ridge

from reservoir import ESNSequenceRegressor
from reservoir.baselines import RNNSequenceRegressor
from reservoir.evaluation._protocol import count_parameters
from reservoir.evaluation.published._long_lags import (
    BATCH,
    N_EASY,
    RATES,
    centred_adding,
    sparse_start,
)

LENGTH, N_UNITS = 80, 100
N_CHUNK, N_LOOK = 100, 500  # updates at a time, and from look to look
N_TEST, N_CHECK, N_AT_ONCE, ENOUGH = 10_000, 2000, 5000, 0.01
LEAKS = (0.01, 0.1, 0.3)


def draws(seed):
    """A stream of sequences to learn from, and those of the test."""
    return np.random.RandomState(seed), centred_adding(N_TEST, LENGTH, 1000 + seed)


def network(seed, budget, momentum, learning_rate):
    """The network when it is right on other sequences, or after `budget` updates."""
    rng, (X_test, y_test) = draws(seed)
    X_check, y_check = centred_adding(N_CHECK, LENGTH, 2000 + seed)
    net = RNNSequenceRegressor(
        "elman",
        (N_UNITS,),
        optimizer="sgd",
        momentum=0.9,
        nesterov=True,
        learning_rate=learning_rate,
        batch_size=BATCH,
        initial_weights=sparse_start(rng),
    )
    done, learning = 0, Stopwatch()
    while done < budget:
        if done >= N_EASY:
            net.set_params(momentum=momentum, nesterov=momentum > 0)
        n = min(N_CHUNK, budget - done)
        X, y = centred_adding(n * BATCH, LENGTH, rng)
        with learning:
            net.partial_fit(X, y)
        done += n
        if done % N_LOOK == 0 and errors(net.predict(X_check), y_check)["wrong"] <= ENOUGH:
            break
    scores = errors(net.predict(X_test), y_test)
    return Run(scores, done * BATCH, learning.seconds, count_parameters(net))


def echo_state(seed):
    """Ridge on the last states of as many leaky units."""
    rng, (X_test, y_test) = draws(seed)
    X_check, y_check = centred_adding(N_CHECK, LENGTH, 2000 + seed)
    learning, tried = Stopwatch(), []
    X, y = centred_adding(N_AT_ONCE, LENGTH, rng)
    for leak in LEAKS:
        esn = ESNSequenceRegressor(
            N_UNITS, spectral_radius=1.0, leak_rate=leak, pooling="last", random_state=seed
        )
        with learning:
            esn.fit(X, y)
        tried.append((errors(esn.predict(X_check), y_check)["mse"], leak, esn))
    esn = min(tried, key=lambda entry: entry[:2])[2]
    scores = errors(esn.predict(X_test), y_test)
    return Run(scores, N_AT_ONCE, learning.seconds, count_parameters(esn))


def line(seed):
    """Least squares on all numbers and marks at once."""
    rng, (X_test, y_test) = draws(seed)
    X, y = centred_adding(N_AT_ONCE, LENGTH, rng)
    with Stopwatch() as learning:
        model = Ridge(alpha=1e-3).fit(X.reshape(N_AT_ONCE, -1), y)
    scores = errors(model.predict(X_test.reshape(N_TEST, -1)), y_test)
    return Run(scores, N_AT_ONCE, learning.seconds, count_parameters(model))


def constant(seed):
    """The mean of the target."""
    _, (_, y_test) = draws(seed)
    return Run(errors(np.full(N_TEST, 0.5), y_test), 0, 0.0, 1)


def main():
    args = arguments(__doc__, budget=22_000, budget_help="updates at most", n_seeds=3)
    contest = Contest(
        "A plain tanh network on the adding problem, T = 80",
        f"share of {N_TEST} test sequences answered more than .04 off",
        args.jobs,
    )
    contest.say(f"At most {args.budget:,} updates of {BATCH} sequences; {args.seeds} seeds.", "")
    models = {
        "Nesterov .995": (
            lambda seed: network(seed, args.budget, 0.995, RATES["nesterov"]),
            {"wrong": (".00025", "median < .05", lambda values: np.median(values) < 0.05)},
        ),
        "no momentum": (
            lambda seed: network(seed, args.budget, 0.0, RATES["no_momentum"]),
            {"wrong": (".39", "every seed > .2", lambda values: (values > 0.2).all())},
        ),
        "ESN of 100": (echo_state, None),
        "linear, all inputs": (line, None),
        "constant": (
            constant,
            {"wrong": (".82", ".8464 +- .02", lambda v: (np.abs(v - 0.8464) < 0.02).all())},
        ),
    }
    for name, (measure, gates) in models.items():
        contest.run(name, measure, range(args.seeds), gates)
    contest.finish("share wrong", args.out)


if __name__ == "__main__":
    main()
