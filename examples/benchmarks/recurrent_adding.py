"""Adding two marked numbers of a long sequence: LSTM, GRU, plain networks, reservoir, line.

The form of S. Hochreiter and J. Schmidhuber (Neural Computation 9 (1997), section 5.4): numbers
uniform on [-1, 1], one of the first ten marked and one more of the first half, target .5 + (X1 +
X2) / 4 at the end, wrong if more than .04 off. Sequences are fresh all along, and exactly T long.
Training stops when of 2000 other fresh sequences .2 % or fewer are wrong, or at the budget; 2560
sequences are the test, as there. An answer of .5 has a mean square of 1/24 and 1 - (.16 - .0064) =
.8464 wrong; a line through all inputs can do no better, as the target is not linear in them.

Adam, batches of 20, float32. "chrono": C. Tallec, Y. Ollivier (ICLR 2018). IRNN: Q. V. Le, N.
Jaitly, G. E. Hinton (arXiv:1504.00941). The reservoir's leak is picked on 2000 validation cases.
Run with ``python examples/benchmarks/recurrent_adding.py [--budget N] [--seeds N] [--out FILE]``;
about five minutes, ``--budget 200000`` gives every network what 1997 would have allowed.
"""

import numpy as np
from lag_contest import Contest, Run, Stopwatch, arguments
from sklearn.linear_model import Ridge

from reservoir import ESNSequenceRegressor
from reservoir.baselines import RNNSequenceRegressor
from reservoir.evaluation._protocol import count_parameters
from reservoir.evaluation.published._long_lags import adding, share_wrong

N_TEST, N_CHECK, N_CHUNK = 2560, 2000, 4000
LEAKS = (0.01, 0.1, 0.3)
NETWORKS = {
    "LSTM, chrono": {"cell": "lstm", "forget_bias": "chrono"},
    "LSTM, forget bias 1": {"cell": "lstm"},
    "GRU, chrono": {"cell": "gru", "forget_bias": "chrono"},
    "GRU": {"cell": "gru"},
    "Elman": {"cell": "elman"},
    "IRNN": {
        "cell": "elman",
        "hidden_sizes": (100,),
        "activation": "relu",
        "recurrent_init": "identity",
        "learning_rate": 5e-4,
    },
}


def errors(answers, y):
    """Share wrong, and mean square."""
    return {"wrong": share_wrong(answers, y), "mse": float(np.mean((answers - y) ** 2))}


def draws(seed, length):
    """A stream of sequences to learn from, those that say when to stop, and those of the test."""
    check, test = (np.random.RandomState(1000 * k + seed) for k in (1, 2))
    return (
        np.random.RandomState(seed),
        adding(N_CHECK, length, check),
        adding(N_TEST, length, test),
    )


def network(seed, length, budget, params):
    """A network that is shown fresh sequences until it can, or the budget is spent."""
    rng, (X_check, y_check), (X_test, y_test) = draws(seed, length)
    params = {"hidden_sizes": (32,), "learning_rate": 5e-3} | params
    net = RNNSequenceRegressor(batch_size=20, random_state=seed, **params)
    seen, learning = 0, Stopwatch()
    while seen < budget:
        n = min(N_CHUNK, budget - seen)
        X, y = adding(n, length, rng)
        with learning:
            net.partial_fit(X, y)
        seen += n
        if errors(net.predict(X_check), y_check)["wrong"] <= 0.002:
            break
    scores = errors(net.predict(X_test), y_test)
    return Run(scores, seen, learning.seconds, count_parameters(net))


def echo_state(seed, length, budget):
    """Ridge on the last states of 500 leaky units, 2000 sequences at most."""
    rng, (X_check, y_check), (X_test, y_test) = draws(seed, length)
    n, learning, tried = min(budget, 2_000), Stopwatch(), []
    X, y = adding(n, length, rng)
    for leak in LEAKS:
        esn = ESNSequenceRegressor(
            500, spectral_radius=1.0, leak_rate=leak, pooling="last", random_state=seed
        )
        with learning:
            esn.fit(X, y)
        tried.append((errors(esn.predict(X_check), y_check)["mse"], leak, esn))
    esn = min(tried, key=lambda entry: entry[:2])[2]
    return Run(errors(esn.predict(X_test), y_test), n, learning.seconds, count_parameters(esn))


def line(seed, length, budget):
    """Least squares on all numbers and marks at once."""
    rng, _, (X_test, y_test) = draws(seed, length)
    n = min(budget, 20_000)
    X, y = adding(n, length, rng)
    with Stopwatch() as learning:
        model = Ridge(alpha=1e-3).fit(X.reshape(n, -1), y)
    scores = errors(model.predict(X_test.reshape(N_TEST, -1)), y_test)
    return Run(scores, n, learning.seconds, count_parameters(model))


def constant(seed, length, budget):
    """The mean of the target."""
    _, _, (_, y_test) = draws(seed, length)
    return Run(errors(np.full(N_TEST, 0.5), y_test), 0, 0.0, 1)


def gates(name, length):
    if name == "LSTM, chrono":
        published = "1 of 2560 after 74,000" if length == 100 else "-"
        return {"wrong": (published, "every seed <= .01", lambda values: (values <= 0.01).all())}
    if name == "constant":
        near = lambda target, width: lambda values: (np.abs(values - target) < width).all()  # noqa: E731
        return {
            "wrong": ("-", ".8464 +- .03", near(0.8464, 0.03)),  # four standard errors
            "mse": ("-", "1/24 +- .004", near(1 / 24, 0.004)),
        }
    return None


def main():
    args = arguments(__doc__, budget=40_000, budget_help="sequences at most", n_seeds=3)
    contest = Contest(
        "The adding problem, form of 1997",
        f"share of {N_TEST} test sequences answered more than .04 off",
    )
    contest.say(f"At most {args.budget:,} sequences; {args.seeds} seeds.", "")
    for length in (50, 100):
        models = {
            name: lambda seed, p=params, t=length: network(seed, t, args.budget, p)
            for name, params in NETWORKS.items()
        }
        for name, measure in (
            ("ESN of 500", echo_state),
            ("linear, all inputs", line),
            ("constant", constant),
        ):
            models[name] = lambda seed, f=measure, t=length: f(seed, t, args.budget)
        for name, measure in models.items():
            contest.run(f"T = {length}, {name}", measure, range(args.seeds), gates(name, length))
    contest.finish("share wrong", args.out)


if __name__ == "__main__":
    main()
