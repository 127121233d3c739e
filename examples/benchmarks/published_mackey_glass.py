"""Jaeger's Mackey-Glass forecasts, 84 steps ahead: do echo state networks reach what he printed?

The protocol of GMD Report 148: 400 tanh units with output feedback and a constant input learn one
step ahead from 3000 or 21000 rows (tau = 17 and 30); 1000 rows of a new run set the state, then
the network runs freely for 84 steps. Jaeger and Haas (2004) did the same with 1000 units. Run with
``python examples/benchmarks/published_mackey_glass.py [--out FILE.md]``; about two minutes.
"""

import numpy as np
from scipy import sparse
from score_sheet import ScoreSheet, parse_out
from sklearn.linear_model import Ridge

from filters.timeseries import DivergenceError
from reservoir import ESNRegressor
from reservoir.datasets import mackey_glass
from reservoir.topologies import scale_spectral_radius

# Jaeger's units: x(n+1) = (1 - d C a) x(n) + d C tanh(W_in u + W x(n) + W_back y(n) + nu), d = 1.
# With z = a x this is
#     z(n+1) = (1 - C a) z(n) + C a tanh(W_in u + (W / a) z(n) + W_back y(n) + nu),
# our unit with leak_rate = C a and the recurrent matrix W / a; a linear readout takes z for x.
C, A = 0.44, 0.9
INPUT = 0.2  # constant
WARM_UP, STEPS = 1000, 84
SIGMA2 = 0.067  # the report's variance of the series, used for both tau
OWN_SIGMA2 = 0.080  # of a long run at tau = 30
SOURCE = "GMD 148"


def jaegers_matrix(n_units, random_state):
    """W / a: entries 0 and +-0.4, five connections a unit, W at spectral radius 0.79."""
    rng = np.random.RandomState(random_state)
    share = 5 / n_units
    W = rng.choice([0.0, 0.4, -0.4], size=(n_units, n_units), p=[1 - share, share / 2, share / 2])
    return scale_spectral_radius(sparse.csr_array(W), 0.79) / A


def squash(y):
    return np.tanh(y - 1.0)


def unsquash(y):
    """The inverse; a free run that left (-1, 1) counts with the edge of the range."""
    return np.arctanh(np.clip(y, np.tanh(-2.0), np.tanh(2.0))) + 1.0


def network(seed, *, n_units=400, noise=0.0, alpha=0.0, solver="qr", readout=None):
    """An echo state network of the report.

    The readout is least squares on the states themselves, as the report's: without noise they are
    so nearly dependent that the default solver, from second moments, loses a digit (it has a row of
    its own in the table).
    """
    rng = np.random.RandomState(seed + 1000)
    return ESNRegressor(
        n_units,
        topology=jaegers_matrix,
        spectral_radius=None,
        leak_rate=C * A,
        input_weights=rng.choice([0.0, 0.14, -0.14], size=(n_units, 1), p=[0.5, 0.25, 0.25]),
        feedback_scaling=0.56,
        noise=noise / np.sqrt(3.0),  # ours is Gaussian; the standard deviation of U[-noise, noise]
        alpha=alpha,
        solver=solver,
        readout=readout,
        include_input=False,
        washout=1000,
        random_state=seed,
    )


class MeanOfRegressions(Ridge):
    """The mean weights of regressions on stretches of 5000 rows, as the report's long run had."""

    def fit(self, X, y):
        stretches = np.split(np.arange(len(X)), range(5000, len(X), 5000))
        parts = [Ridge(alpha=0.0, solver="svd").fit(X[part], y[part]) for part in stretches]
        self.coef_ = np.mean([part.coef_ for part in parts], axis=0)
        self.intercept_ = np.mean([part.intercept_ for part in parts])
        return self


def train(seed, tau, n_train, **options):
    series = squash(mackey_glass(n_train, tau=tau, random_state=seed)[:, 0])
    return network(seed, **options).fit(np.full((n_train, 1), INPUT), series)


def nrmse84(model, tau, n_trials, seed):
    """NRMSE after 84 free steps from `n_trials` origins in a run that the network has not seen."""
    length = WARM_UP + STEPS
    fresh = mackey_glass(n_trials * length, tau=tau, random_state=seed)[:, 0]
    inputs = np.full((length, 1), INPUT)
    errors = []
    for part in fresh.reshape(n_trials, length):
        answer = model.predict(inputs, y_context=squash(part[:WARM_UP]))
        errors.append(unsquash(answer[-1]) - part[-1])
    return float(np.sqrt(np.mean(np.square(errors)) / SIGMA2))


def is_stable(model, tau, n_steps, seed):
    """Whether a free run stays on an attractor like the teacher's.

    Within its range widened by a tenth on either side, and at its end neither dying out nor
    oscillating wider: a standard deviation within a quarter of the teacher's.
    """
    teacher = squash(mackey_glass(WARM_UP + n_steps, tau=tau, random_state=seed)[:, 0])
    inputs = np.full((teacher.size, 1), INPUT)
    try:
        free = model.predict(inputs, y_context=teacher[:WARM_UP])[WARM_UP:]
    except DivergenceError:
        return False
    slack = 0.1 * np.ptp(teacher)
    inside = teacher.min() - slack < free.min() and free.max() < teacher.max() + slack
    return bool(inside and 0.75 < free[-1000:].std() / teacher.std() < 1.25)


def trials(seeds, tau, n_train, *, n_trials, n_runs=1, **options):
    """NRMSE84 and stability over `n_runs` times 3000 free steps, network by network."""
    scores, stable = [], []
    for seed in seeds:
        model = train(seed, tau, n_train, **options)
        scores.append(nrmse84(model, tau, n_trials, seed + 10_000))
        starts = range(seed + 20_000, seed + 20_000 + 10_000 * n_runs, 10_000)
        stable.append(all(is_stable(model, tau, 3000, start) for start in starts))
    return np.array(scores), np.array(stable)


def choose(candidates, tau, n_train, *, seeds=range(100, 105), n_runs=1, **options):
    """The options with the best median on networks and runs that are not tested.

    Those that leave a free run unstable are out.
    """
    figures = []
    for candidate in candidates:
        scores, stable = trials(
            seeds, tau, n_train, n_trials=20, n_runs=n_runs, **options, **candidate
        )
        figures.append(np.median(scores) if stable.all() else np.inf)
    return candidates[int(np.argmin(figures))]


def main():
    out = parse_out(__doc__)
    sheet = ScoreSheet(
        "Mackey-Glass, 84 free steps",
        "NRMSE84 = sqrt(mean over trials of (y - y_hat)^2 / 0.067), y as integrated, not squashed; "
        "0.067 is the report's variance for both tau (a long run has 0.051 at tau = 17, 0.080 at "
        "tau = 30)",
    )
    sheet.say(
        "50 trials a network at tau = 30, 20 at tau = 17; one network and series a seed. Readout "
        'least squares, solver="qr", unless a row says otherwise.', "",
        "tau 30, 21000 rows: noise of 1e-8 does for 20000 rows what a penalty of 1e-13 does, that "
        "is nothing, and half of the plain regressions leave the attractor; the mean of four over "
        "5000 rows each, which the report took, is worse here. The error falls with the penalty "
        "(or noise) down to 1e-9 and stability rises with it up to 3e-8; what lies between is "
        "chosen on ten other networks, each free for three times 3000 steps without fail. The "
        "standard error of a median over ten networks is about .004.", "",
    )  # fmt: skip
    seeds = range(10)
    stable = {}

    def row(name, tau, n_train, published, gate, rule, n_trials=50, **options):
        scores, kept = trials(seeds, tau, n_train, n_trials=n_trials, **options)
        sheet.add(
            name, scores, published=f"{published} ({SOURCE})", gate=gate, met=rule and rule(scores)
        )
        stable[name] = kept
        return scores

    row(
        "tau 30, 3000 rows, noise 1e-5", 30, 3000, 0.11, "median in [.08, .14]",
        lambda s: 0.08 <= np.median(s) <= 0.14, noise=1e-5,
    )  # fmt: skip
    for noise in (1e-8, 1e-5):
        row(
            f"tau 30, 21000 rows, noise {noise:.0e}", 30, 21000, 0.032, "median <= .05",
            lambda s: np.median(s) <= 0.05, noise=noise,
        )  # fmt: skip
    row(
        "tau 30, 21000 rows, noise 1e-08, mean of 4 regressions", 30, 21000, 0.032, "-", None,
        noise=1e-8, readout=MeanOfRegressions(),
    )  # fmt: skip
    others = {"seeds": range(100, 110), "n_runs": 3}
    penalties = [{"alpha": alpha} for alpha in (0.0, 1e-9, 3e-9, 1e-8, 3e-8)]
    chosen = choose(penalties, 30, 21000, noise=1e-8, **others)
    row(
        f"tau 30, 21000 rows, noise 1e-08, alpha {chosen['alpha']:.0e} by validation", 30, 21000,
        0.032, "median <= .05", lambda s: np.median(s) <= 0.05, noise=1e-8, **chosen,
    )  # fmt: skip
    chosen = choose([{"noise": level} for level in (1e-7, 1e-6, 3e-6)], 30, 21000, **others)
    name = f"tau 30, 21000 rows, noise {chosen['noise']:.0e} by validation"
    scores = row(name, 30, 21000, 0.032, "median <= .05", lambda s: np.median(s) <= 0.05, **chosen)
    scores = scores * np.sqrt(SIGMA2 / OWN_SIGMA2)
    sheet.add(
        f"{name}, over the series' own variance {OWN_SIGMA2}", scores,
        gate="median <= .05", met=np.median(scores) <= 0.05,
    )  # fmt: skip
    row(
        "tau 17, 3000 rows", 17, 3000, 2.8e-4, "best <= 3e-4, median <= 2e-3",
        lambda s: s.min() <= 3e-4 and np.median(s) <= 2e-3, n_trials=20,
    )  # fmt: skip
    row("tau 17, 21000 rows", 17, 21000, 1.2e-4, "-", None, n_trials=20)
    row('tau 17, 3000 rows, solver="cholesky", alpha 1e-10', 17, 3000, 2.8e-4, "-", None,
        n_trials=20, alpha=1e-10, solver="cholesky")  # fmt: skip
    chosen = choose([{"alpha": 10.0**power} for power in (-17, -16, -15)], 17, 3000, n_units=1000)
    scores, kept = trials(seeds, 17, 3000, n_trials=100, n_units=1000, **chosen)
    name = f"tau 17, 3000 rows, 1000 units, alpha {chosen['alpha']:.0e} by validation: log10"
    sheet.add(
        name, np.log10(scores), published="-4.2 (Jaeger & Haas 2004)", gate="goal: median <= -4.2",
        met=np.median(np.log10(scores)) <= -4.2,
    )  # fmt: skip
    stable[name] = kept
    sheet.say("", "Networks stable for 3000 free steps (gate: at least 9 in 10):", "")
    for name, kept in stable.items():
        verdict = "MET" if kept.mean() >= 0.9 else "**NOT MET**"
        sheet.say(f"- {name}: {kept.sum()} of {kept.size} {verdict}")
    sheet.say("")
    sheet.finish(out)


if __name__ == "__main__":
    main()
