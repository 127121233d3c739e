"""How long does it take to search 100 configurations of 300 units, 5 seeds each, and to forecast?

The job: 3000 rows of Mackey-Glass, one step ahead, the last quarter held out; every configuration
with every seed and 13 penalties; the best by the median over seeds fitted again on all rows and run
freely. Ours is ``ESNSearchCV``. The rivals are given the same configurations, matrices (drawn and
scaled once a seed) and penalties, and drive each configuration once for all penalties. They find
the same scores, which is checked at penalties from 1e-6 (below, each has its own rounding: the
table has the error of the chosen model as each finds it). What they pay for learning differs:

* reservoirpy: a Reservoir node run once, then its Ridge node for every penalty;
* NumPy + scikit-learn: a loop with scipy.sparse, then Ridge(solver="cholesky") for every penalty;
* NumPy, by hand: the same loop, or all configurations in one array if that is faster, one Gram
  matrix, a Cholesky solution a penalty. Nobody's package, but what an expert would write;
* ESNRegressorCV: our own, one configuration and seed after the other.

With ``survivors=0.2`` ours goes on with the best fifth of the configurations after the first seed.
RandomizedSearchCV over ESNRegressor does a smaller job (one penalty a configuration, drawn) and has
its own test error. Rivals do a part of the 500 fits, and their time is multiplied. CPU seconds
of one thread. Run with ``python examples/benchmarks/reservoir_search.py [--out FILE.md]``; about
two minutes. ``--share 0.02`` is quicker and less exact.
"""

import argparse
import time
import warnings
from itertools import chain
from pathlib import Path

import numpy as np
import scipy.linalg
from scipy import sparse
from scipy.stats import loguniform, uniform
from sheet import tell
from sklearn.linear_model import Ridge
from sklearn.model_selection import RandomizedSearchCV
from threadpoolctl import threadpool_limits

from filters.timeseries import nrmse
from reservoir import ESNRegressor, ESNRegressorCV, ESNSearchCV, Reservoir
from reservoir._search_run import Lane, Rows, Run
from reservoir.datasets import mackey_glass

try:
    import reservoirpy
except ImportError:
    reservoirpy = None

N_UNITS, N_ROWS, N_HELD, WASHOUT, N_CONFIGURATIONS, N_SEEDS = 300, 3000, 750, 100, 100, 5
HORIZON, ORIGINS = 84, 30
NET = ESNRegressor(N_UNITS, washout=WASHOUT)
SPACE = {
    "spectral_radius": uniform(0.1, 0.9),
    "leak_rate": loguniform(0.1, 1.0),
    "input_scaling": loguniform(0.1, 2.0),
    "bias_scaling": uniform(0.0, 1.0),
}
ALPHAS = np.logspace(-10, 2, 13)


def clocked(function):
    start = time.thread_time()
    answer = function()
    return answer, time.thread_time() - start


# ---- the rivals: errors on the held-out rows for every penalty -----------------------------------


class Drawn:
    """The matrices of one seed, scaled once: radius one, scalings one."""

    def __init__(self, seed, X):
        self.seed = int(seed)
        model = NET._reservoir().set_params(random_state=int(seed))
        model.set_params(spectral_radius=1.0, bias_scaling=1.0)
        self.W, self.W_in, self.b = (
            getattr(model.fit(X[:1]), f"{name}_")
            for name in ("recurrent_weights", "input_weights", "bias")
        )


def states_one_by_one(drawn, params, X):
    W = drawn.W * params["spectral_radius"]
    leak, keep = params["leak_rate"], 1.0 - params["leak_rate"]
    fed = X @ (params["input_scaling"] * drawn.W_in.T) + params["bias_scaling"] * drawn.b
    x, states = np.zeros(N_UNITS), np.empty((len(X), N_UNITS))
    for t in range(len(X)):
        x = states[t] = keep * x + leak * np.tanh(W @ x + fed[t])
    return states


def states_all_at_once(drawn, many, X):
    """States (n_configurations, n_rows, n_units), all configurations the columns of one array."""
    r, a, s, c = (
        np.array([params[name] for params in many])
        for name in ("spectral_radius", "leak_rate", "input_scaling", "bias_scaling")
    )
    fed, bias, keep = X @ drawn.W_in.T, np.multiply.outer(drawn.b, c), 1.0 - a
    x, states = np.zeros((N_UNITS, len(many))), np.empty((len(many), len(X), N_UNITS))
    for t in range(len(X)):
        pre = drawn.W @ x
        pre *= r
        pre += np.multiply.outer(fed[t], s)
        pre += bias
        np.tanh(pre, out=pre)
        pre *= a
        x = keep * x + pre
        states[:, t] = x.T
    return states


def states_by_reservoirpy(drawn, params, X):
    node = reservoirpy.nodes.Reservoir(
        W=sparse.csr_array(drawn.W * params["spectral_radius"]),
        Win=params["input_scaling"] * drawn.W_in,
        bias=params["bias_scaling"] * drawn.b,
        lr=params["leak_rate"],
    )
    return node.run(X)


def split(states, X, y):
    columns = np.concatenate([states, X], axis=1)
    first = len(X) - N_HELD
    return columns[WASHOUT:first], y[WASHOUT:first], columns[first:], y[first:]


def by_reservoirpy(drawn, params, X, y):
    seen, known, held, true = split(states_by_reservoirpy(drawn, params, X), X, y)
    errors = []
    for alpha in ALPHAS:
        readout = reservoirpy.nodes.Ridge(ridge=alpha)
        readout.fit(seen, known)
        errors.append(np.mean((readout.run(held) - true) ** 2))
    return np.array(errors)


def by_scikit_learn(drawn, params, X, y):
    seen, known, held, true = split(states_one_by_one(drawn, params, X), X, y)
    models = (Ridge(alpha, solver="cholesky").fit(seen, known) for alpha in ALPHAS)
    return np.array(
        [np.mean((model.predict(held).reshape(true.shape) - true) ** 2) for model in models]
    )


def learned_by_hand(states, X, y):
    seen, known, held, true = split(states, X, y)
    mean_x, mean_y = seen.mean(axis=0), known.mean(axis=0)
    seen, known = seen - mean_x, known - mean_y
    gram, cross, held = seen.T @ seen, seen.T @ known, held - mean_x
    diagonal, errors = gram.diagonal().copy(), []
    for alpha in ALPHAS:
        np.fill_diagonal(gram, diagonal + alpha)
        coef = scipy.linalg.solve(gram, cross, assume_a="pos", check_finite=False)
        errors.append(np.mean((held @ coef + mean_y - true) ** 2))
    return np.array(errors)


def by_hand(drawn, params, X, y):
    return learned_by_hand(states_one_by_one(drawn, params, X), X, y)


def by_our_own(drawn, params, X, y):
    rows = np.arange(len(X))
    cv = [(rows[:-N_HELD], rows[-N_HELD:])]
    options = NET.get_params() | params | {"random_state": drawn.seed, "alphas": ALPHAS, "cv": cv}
    options = {name: options[name] for name in ESNRegressorCV().get_params()}
    return -ESNRegressorCV(**options).fit(X, y).scores_


# ---- the tables ----------------------------------------------------------------------------------


def test_error(model, series):
    """NRMSE of free runs of 84 steps from origins after the training rows; of single steps."""
    starts = N_ROWS + np.linspace(100, len(series) - N_ROWS - HORIZON - 1, ORIGINS).astype(int)
    runs = np.concatenate([model.forecast(HORIZON, context=series[:s]).ravel() for s in starts])
    true = np.concatenate([series[s : s + HORIZON].ravel() for s in starts])
    single = model.predict(series[:-1])[N_ROWS:]
    return nrmse(true, runs), nrmse(series[N_ROWS + 1 :], single)


def drive_rows():
    """Driving 100 configurations of one seed, nothing learned."""
    X = np.random.default_rng(0).uniform(-0.5, 0.5, (500, 1))
    many = ESNSearchCV(NET, SPACE, n_iter=N_CONFIGURATIONS)._draw(np.random.RandomState(0))
    yield "| 300 units | ours | reservoirpy | NumPy, one by one | NumPy, all in one array | goal |"
    yield "|---|---|---|---|---|---|"
    for density in ("auto", 0.1):
        NET.set_params(density=density)
        drawn = Drawn(0, X)
        base = Reservoir(N_UNITS, spectral_radius=1.0, bias_scaling=1.0, density=density,
                         random_state=0).fit(X)  # fmt: skip
        everything = np.arange(500) < 400
        rows = Rows(X, X, None, [(0, 500)], 0, [(everything, ~everything)])
        names = ("spectral_radius", "input_scaling", "bias_scaling", "leak_rate")
        lanes = [Lane(*(params[name] for name in names), None, ALPHAS) for params in many]

        def ours(base=base, lanes=lanes, rows=rows):
            last = []
            for at in range(0, len(lanes), 32):
                for _, states in Run(base, lanes[at : at + 32], rows, True, True)._driven():
                    end = states[:, -1].copy()
                last.append(end)
            return np.concatenate(last)

        jobs = {"ours": ours}
        if reservoirpy is not None:
            jobs["reservoirpy"] = lambda drawn=drawn: [
                states_by_reservoirpy(drawn, params, X)[-1] for params in many
            ]
        jobs["one"] = lambda drawn=drawn: [states_one_by_one(drawn, p, X)[-1] for p in many]
        jobs["all"] = lambda drawn=drawn: states_all_at_once(drawn, many, X)[:, -1]
        best, expected = dict.fromkeys(("ours", "reservoirpy", "one", "all"), np.inf), None
        for turn in range(3):
            for name, job in jobs.items():
                answer, seconds = clocked(job)
                expected = np.asarray(answer) if expected is None else expected
                np.testing.assert_allclose(np.asarray(answer), expected, atol=1e-9, rtol=0)
                best[name] = min(best[name], seconds) if turn else best[name]
        times = [best[name] / 500 / len(many) * 1e6 for name in best]
        ratios = [f"{t:.2f} ({t / times[0]:.1f}x)" for t in times[1:]]
        kind = "10 a row" if density == "auto" else "10 %"
        yield f"| {kind} | {times[0]:.2f} | {' | '.join(ratios)} | 4x |"
    NET.set_params(density="auto")


def job_rows(share):
    series = mackey_glass(N_ROWS + 2500, random_state=0)
    series = (series - series[:N_ROWS].mean()) / series[:N_ROWS].std()
    X, y = series[: N_ROWS - 1], series[1:N_ROWS]
    rows = np.arange(len(X))
    options = {"cv": [(rows[:-N_HELD], rows[-N_HELD:])], "alphas": ALPHAS, "random_state": 0}

    def search(dtype, n_iter, n_seeds):
        net = NET.__class__(**NET.get_params() | {"dtype": dtype})
        return ESNSearchCV(net, SPACE, n_iter=n_iter, n_seeds=n_seeds, **options)

    search("float64", 2, 1).fit(X, y)  # compiled
    search("float32", 2, 1).fit(X, y)
    yield (
        "| | CPU seconds | beside ESNSearchCV | beside survivors=0.2 | RMSE held out | "
        "NRMSE tested, 84 steps free | NRMSE tested, one step |"
    )
    yield "|---|---|---|---|---|---|---|"

    def whole(model):
        model.fit(X, y).forecast(HORIZON)
        return model

    found, seconds = clocked(lambda: whole(search("float64", N_CONFIGURATIONS, N_SEEDS)))
    error = test_error(found, series)
    raced, seconds_raced = clocked(
        lambda: whole(search("float64", N_CONFIGURATIONS, N_SEEDS).set_params(survivors=0.2))
    )
    ours = seconds, seconds_raced
    yield row("ESNSearchCV", seconds, ours, held_out_error(found), error)
    tested = test_error(raced, series)
    yield row("ESNSearchCV, survivors=0.2", seconds_raced, ours, held_out_error(raced), tested)
    for kept, name in ((1.0, ""), (0.2, ", survivors=0.2")):
        light, seconds = clocked(
            lambda s=kept: whole(
                search("float32", N_CONFIGURATIONS, N_SEEDS).set_params(survivors=s)
            )
        )
        name = f'ESNSearchCV, dtype="float32"{name}'
        yield row(name, seconds, ours, held_out_error(light), test_error(light, series))

    params = [{name: p[name] for name in SPACE} for p in found.cv_results_["params"]]
    pairs = [(i, j) for j in range(N_SEEDS) for i in range(N_CONFIGURATIONS)]
    pairs = pairs[:: max(round(1 / share), 1)]
    drawn, drawing = {}, 0.0
    for j, seed in enumerate(found.seeds_):
        drawn[j], seconds = clocked(lambda seed=seed: Drawn(seed, X))
        drawing += seconds
    rivals = {
        "NumPy + scikit-learn": by_scikit_learn,
        "NumPy, by hand": by_hand,
        "ESNRegressorCV one by one": by_our_own,
    }
    if reservoirpy is not None:
        rivals = {"reservoirpy": by_reservoirpy} | rivals
    spent = dict.fromkeys(rivals, 0.0)
    sound = ALPHAS >= 1e-6
    for i, j in pairs:
        for name, judge in rivals.items():
            errors, seconds = clocked(lambda i=i, j=j, f=judge: f(drawn[j], params[i], X, y))
            np.testing.assert_allclose(errors[sound], -found.scores_[i, j, sound], rtol=1e-4)
            spent[name] += seconds
    scale = len(params) * N_SEEDS / len(pairs)
    best_seed = np.flatnonzero(found.seeds_ == found.best_seed_)[0]
    best_alpha = np.flatnonzero(found.best_params_["alpha"] == ALPHAS)[0]
    best = drawn[best_seed], params[found.best_index_], X, y
    for name, seconds in spent.items():
        own = 0.0 if name.startswith("ESN") else drawing
        chosen = np.sqrt(rivals[name](*best)[best_alpha])
        yield row(name, scale * seconds + own, ours, chosen)
    batch, seconds = clocked(lambda: states_all_at_once(drawn[0], params[:25], X))
    learning = sum(clocked(lambda s=states: learned_by_hand(s, X, y))[1] for states in batch)
    seconds = (seconds + learning) * len(params) * N_SEEDS / 25 + drawing
    chosen = np.sqrt(by_hand(*best)[best_alpha])
    yield row("NumPy, by hand, 25 configurations in one array", seconds, ours, chosen)
    yield drawn_search(X, y, options["cv"], series, ours)
    packages = ("reservoirpy", "NumPy + scikit-learn")
    rival = min(scale * spent[name] + drawing for name in packages if name in spent)
    expert = min(scale * spent["NumPy, by hand"] + drawing, seconds)
    yield ""
    yield (
        f"Like for like, every configuration with every seed, ESNSearchCV takes "
        f"1/{rival / ours[0]:.1f} of the best package's time and 1/{expert / ours[0]:.1f} of what "
        f"an expert's own NumPy takes. With survivors=0.2 it is 1/{rival / ours[1]:.1f} of the "
        "package's time (the goal is 20), because it then skips most of the fits that the package "
        "does."
    )


def drawn_search(X, y, cv, series, ours):
    """scikit-learn's own search over ESNRegressor: one penalty a configuration, seeds in a loop."""
    space = SPACE | {"alpha": ALPHAS.tolist()}

    def work():
        tables = []
        for seed in range(N_SEEDS):
            model = NET.__class__(**NET.get_params() | {"random_state": seed})
            found = RandomizedSearchCV(
                model, space, n_iter=N_CONFIGURATIONS, cv=cv, refit=False, random_state=0,
                scoring="neg_mean_squared_error",
            ).fit(X, y)  # fmt: skip
            tables.append(found.cv_results_["mean_test_score"])
        scores = np.array(tables)
        best = np.argmax(np.median(scores, axis=0))
        seed = int(np.argmax(scores[:, best]))
        options = NET.get_params() | found.cv_results_["params"][best] | {"random_state": seed}
        model = ESNRegressor(**options).fit(X, y)
        model.forecast(HORIZON)
        return model, np.sqrt(-scores[seed, best])

    (model, chosen), seconds = clocked(work)
    name = "RandomizedSearchCV over ESNRegressor (one penalty each)"
    return row(name, seconds, ours, chosen, test_error(model, series))


def row(name, seconds, ours, held_out, error=None):
    ratios = " | ".join(f"{seconds / own:.1f}x" for own in ours)
    tested = " | " if error is None else " | ".join(f"{part:.2e}" for part in error)
    return f"| {name} | {seconds:.1f} | {ratios} | {held_out:.2e} | {tested} |"


def held_out_error(found):
    """RMSE on the held-out rows of the chosen configuration, penalty and seed."""
    at = np.flatnonzero(found.best_params_["alpha"] == ALPHAS)[0]
    seed = np.flatnonzero(found.seeds_ == found.best_seed_)[0]
    return np.sqrt(-found.scores_[found.best_index_, seed, at])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    parser.add_argument("--share", type=float, default=0.1, help="of the fits that rivals do")
    args = parser.parse_args()
    peer = {} if reservoirpy is None else {"reservoirpy": reservoirpy.__version__}
    lines = [
        "# Searching 100 configurations", "",
        "Driving 100 configurations: least CPU time a step and configuration, us, one thread.", "",
    ]  # fmt: skip
    between = [
        "",
        "The whole job: 100 configurations x 5 seeds x 13 penalties on 3000 rows, the best one "
        "refitted, 84 steps forecast. Goal: 20x the best package.",
        "",
    ]
    warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)  # of the rivals' least penalties
    with threadpool_limits(1):
        tell(chain(lines, drive_rows(), between, job_rows(args.share)), args.out, **peer)


if __name__ == "__main__":
    main()
