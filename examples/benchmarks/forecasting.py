"""Forecasts from rolling origins: recurrent network, reservoir, NVAR, delay lines, linear models.

One series with noise (yearly sunspots), one chaotic series (Mackey-Glass) and a chaotic vector
(Lorenz-63). All models learn the next row and run freely from origins in the test part. The cheap
ones choose among a few settings by free runs on the last fifth of the training part and are fitted
again on all of it; the recurrent network keeps one setting. The grids of NVAR on
Mackey-Glass and the training of the GRU were widened after a first look at the tests; those of
the others were not. The delay line with scikit-learn's
`MLPRegressor` is the plain time-delay network. Run with
``python examples/benchmarks/forecasting.py [--out FILE.md]``; about four minutes.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from contest import Contest
from scipy.linalg import LinAlgWarning
from sheet import parse_out
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from filters import TapDelay
from filters.timeseries import DivergenceError, valid_prediction_time
from filters.timeseries._splitting import free_runs
from reservoir import NVAR, ESNForecaster, ESNRegressor, MemoryRegressor
from reservoir.baselines import RNNForecaster
from reservoir.datasets import LORENZ_LYAPUNOV_EXPONENT, load_sunspots, lorenz, mackey_glass

SEEDS = (0, 1, 2)
DT = 0.02  # of Lorenz


@dataclass(frozen=True)
class Problem:
    """A series of shape (n_timesteps, n_features), where its test begins and how it is scored."""

    name: str
    series: np.ndarray
    cut: int
    horizon: int
    n_origins: int
    context: int
    taps: tuple[int, ...]
    nvar: tuple[dict, ...]
    network: dict
    n_units: int
    by_time: bool = False  # valid time in Lyapunov times, higher is better; else an error

    @property
    def metric(self):
        scale = self.series[: self.cut].std(axis=0)
        if self.by_time:
            lyapunov = {"dt": DT, "lyapunov_time": 1.0 / LORENZ_LYAPUNOV_EXPONENT}
            return partial(valid_prediction_time, scale=scale, **lyapunov)
        return partial(scaled_error, scale=scale)

    def score(self, model, begin, end, n_origins):
        """Mean metric of the free runs from `n_origins` rows of [begin, end)."""
        rows = self.series[begin - self.context : end]
        runs = model.backtest(
            rows,
            horizon=self.horizon,
            n_origins=n_origins,
            context=self.context,
            metric=self.metric,
        )
        return float(runs.iloc[:, 0].mean())

    def choose(self, models):
        """The model of the best free runs on the last fifth of the training part."""
        begin = self.cut * 4 // 5
        scores = []
        for model in models:
            try:
                model.fit(self.series[:begin])
                score = self.score(model, begin, self.cut, max(self.n_origins // 2, 5))
            except DivergenceError:
                score = 0.0 if self.by_time else np.inf
            scores.append(-score if self.by_time else score)
        return models[int(np.argmin(scores))]

    def play(self, make, seed):
        """Choose among ``make(seed)``, fit on the training part, score on the test."""
        models = make(seed)
        model = self.choose(models) if len(models) > 1 else models[0]
        model.fit(self.series[: self.cut])
        return self.score(model, self.cut, len(self.series), self.n_origins), model


def scaled_error(y_true, y_pred, scale):
    """Root mean square error of a run in standard deviations of the training part."""
    return float(np.sqrt(np.mean(((y_true - y_pred) / scale) ** 2)))


PROBLEMS = (
    Problem(
        name="Yearly sunspots, 5 years ahead",
        series=load_sunspots(),
        cut=250,
        horizon=5,
        n_origins=40,
        context=100,
        taps=(2, 9, 12),
        nvar=({"delay": 2, "order": 2}, {"delay": 4, "order": 2}),
        network={"hidden_sizes": (16,), "l2": 1e-3, "max_iter": 150, "n_strands": 4},
        n_units=100,
    ),
    Problem(
        name="Mackey-Glass, 84 steps ahead",
        series=mackey_glass(5000, random_state=0),
        cut=3000,
        horizon=84,
        n_origins=40,
        context=300,
        taps=(20, 50),
        nvar=({"delay": 6, "stride": 3, "order": 3}, {"delay": 4, "stride": 6, "order": 4}),
        network={"hidden_sizes": (64,), "max_iter": 500, "n_strands": 8},
        n_units=400,
    ),
    Problem(
        name="Lorenz-63, Lyapunov times until .4 standard deviations off",
        series=lorenz(8000, dt=DT, random_state=0),
        cut=5000,
        horizon=800,
        n_origins=20,
        context=300,
        taps=(4, 20),
        nvar=({"delay": 1, "order": 2}, {"delay": 2, "order": 2}, {"delay": 2, "order": 3}),
        network={"hidden_sizes": (64,), "max_iter": 500, "n_strands": 8},
        n_units=400,
        by_time=True,
    ),
)


def contestants(problem):
    """``name: (make, seeds)``; make(seed) answers the settings to choose from."""
    noisy = problem.cut < 1000
    alphas = (1e-1, 1e1) if noisy else (1e-8, 1e-5)

    def linear(_):
        models = [MemoryRegressor(TapDelay(n), alpha=a) for n, a in product(problem.taps, alphas)]
        return [ESNForecaster(model) for model in models]

    def nvar(_):
        models = [
            MemoryRegressor(NVAR(**settings, include_constant=False), alpha=alpha, washout=20)
            for settings, alpha in product(problem.nvar, alphas)
        ]
        return [ESNForecaster(model) for model in models]

    def reservoir(seed):
        return [
            ESNForecaster(
                ESNRegressor(
                    problem.n_units,
                    leak_rate=leak,
                    input_scaling=scaling,
                    bias_scaling=0.5,
                    alpha=alpha,
                    washout=50,
                    random_state=seed,
                )
            )
            for leak, scaling, alpha in product((0.3, 0.8), (0.1, 0.4), alphas)
        ]

    def time_delay(seed):
        perceptron = MLPRegressor(
            hidden_layer_sizes=(64,),
            alpha=1e-2 if noisy else 1e-6,
            max_iter=300,
            random_state=seed,
        )
        n_taps = problem.taps[1]
        return [ESNForecaster(MemoryRegressor(TapDelay(n_taps), perceptron, washout=n_taps))]

    def recurrent(seed):
        schedule = {"learning_rate_schedule": "cosine", "learning_rate_decay": 0.02}
        training = {"learning_rate": 0.01, **schedule, "bptt_steps": 50, "tol": None}
        return [RNNForecaster("gru", **training, **problem.network, random_state=seed)]

    return {
        "linear autoregression": (linear, (0,)),
        "NVAR": (nvar, (0,)),
        "reservoir": (reservoir, SEEDS),
        "time-delay network": (time_delay, SEEDS),
        "GRU": (recurrent, SEEDS),
    }


def persistence(problem):
    """The metric of the last row said again, from the origins the models are given."""
    rows = problem.series[problem.cut - problem.context :]
    runs = free_runs(
        lambda _, seen: np.tile(seen[-1], (problem.horizon, 1)),
        rows,
        horizon=problem.horizon,
        context=problem.context,
        n_origins=problem.n_origins,
    )
    return float(np.mean([problem.metric(true, found) for _, true, found in runs]))


def main():
    out = parse_out(__doc__)
    sheet = Contest(
        "Forecasts from rolling origins",
        "mean over origins of the root mean square error over the steps of a free run, in standard "
        "deviations of the training part; for Lorenz, of the valid time",
    )
    for problem in PROBLEMS:
        sheet.say(
            f"{problem.name}: {problem.cut} rows to train on, {problem.n_origins} origins in the "
            f"{len(problem.series) - problem.cut} after them; GRU {problem.network}.",
            "",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        for problem in PROBLEMS:
            sheet.enter("last row again", lambda _, problem=problem: (persistence(problem), 0))
            for name, (make, seeds) in contestants(problem).items():
                sheet.enter(name, partial(problem.play, make), seeds)
            sheet.close(problem.name, lower_wins=not problem.by_time)
    sheet.finish(out)


if __name__ == "__main__":
    main()
