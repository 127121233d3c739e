"""Does NVAR reach the published figures of next-generation reservoir computing? (P5)

D. J. Gauthier, E. Bollt, A. Griffith, W. A. S. Barbosa, Nature Communications 12 (2021), 5564, with
the protocol of the authors' programs: SciPy's RK23 at default tolerances, ten windows of one
trajectory, ridge without intercept on the features, constant included, unscaled data.

* Lorenz forecast: dt .025, two rows, degrees 0 to 2, alpha 2.5e-6, 10 time units to learn the
  difference to the next row, 1.104 (one Lyapunov time) to run freely.
* Lorenz z from x and y: dt .05, four rows five apart, degrees 0 to 2, alpha .05, 20 time units to
  learn, 45 to test.
* Double scroll forecast: dt .25, two rows, degrees 1 and 3, alpha 1e-3, 100 time units to learn,
  7.8125 to run freely.

NRMSE = root of the mean squared error over all entries / sum of the columns' variances. The
trajectory is chaotic and RK23 coarse: other versions of SciPy may take other steps, and after some
35 time units the last bit of the machine's arithmetic shows, so these are not quite the windows the
authors had. Each is therefore judged beside the authors' own solution, the pseudo-inverse of the
normal equations, and the first forecast on 60 windows too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.stats import binom
from sklearn.preprocessing import PolynomialFeatures

from filters.timeseries import DivergenceError, delay_embed

from ... import NVAR, MemoryRegressor
from ._goal import Figure, Goal, Measurement, as_metric, at_most, register_goal


def lorenz_velocity(_, state):
    """dx/dt with sigma = 10, rho = 28, beta = 8 / 3."""
    x, y, z = state
    return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]


def double_scroll_velocity(_, state):
    """d(V1, V2, I)/dt of the electronic circuit."""
    v1, v2, current = state
    g = (v1 - v2) / 3.44 + 2 * 2.25e-5 * np.sinh(11.6 * (v1 - v2))
    return [v1 / 1.2 - g, g - current, v2 - 0.193 * current]


LORENZ = lorenz_velocity, [17.67715816276679, 12.931379185960404, 43.91404334248268]
DOUBLE_SCROLL = double_scroll_velocity, [0.37926545, 0.058339, -0.08167691]


def trajectory(system, duration, dt):
    """Rows every `dt` from time 0 to `duration`; system = (velocity, first row)."""
    velocity, start = system
    times = np.linspace(0, duration, round(duration / dt) + 1)
    return solve_ivp(velocity, (0, duration), start, t_eval=times, method="RK23").y.T


def by_pseudo_inverse(memory, alpha, rows, targets):
    """Weights as the authors solve for them: features by scikit-learn, explicit inverse."""
    taps = delay_embed(rows, memory.delay, stride=memory.stride)
    degrees = PolynomialFeatures(3 if memory.order == (1, 3) else 2).fit(taps)
    kept = np.isin(degrees.powers_.sum(axis=1), (1, 3) if memory.order == (1, 3) else (0, 1, 2))
    first = (memory.delay - 1) * memory.stride
    features = degrees.transform(taps)[first:, kept]
    gram = features.T @ features + alpha * np.eye(features.shape[1])
    return targets[first:].T @ features @ np.linalg.pinv(gram)


def forecast_errors(system, memory, alpha, warmup, train, test, dt):
    """Train and test error of a forecast; then the test error of the pseudo-inverse."""
    series = trajectory(system, warmup + train + test, dt)
    spread = series.var(axis=0).sum()
    first, n = round(warmup / dt) - 1, round(train / dt)
    now = first + n  # the last row known
    rows = series[first - 1 : now]  # one row for the delay line, then the n rows to learn from
    steps = np.diff(series[first - 1 : now + 1], axis=0)
    model = MemoryRegressor(memory, alpha=alpha, solver="qr", fit_intercept=False, washout=1)
    model.fit(rows, steps)
    train_error = np.sqrt(np.mean((model.predict(rows)[1:] - steps[1:]) ** 2) / spread)
    fitted, n_test = model.memory_, round(test / dt)
    test_errors = []
    for coef in (model.coef_, by_pseudo_inverse(memory, alpha, rows, steps)):
        run, state = [series[now]], series[now - 1]
        for _ in range(n_test - 1):
            features, state = fitted.transform(
                run[-1][np.newaxis], initial_state=state, return_state=True
            )
            run.append(run[-1] + coef @ features[0])
        error = np.array(run) - series[now : now + n_test]
        test_errors.append(np.sqrt(np.mean(error**2) / spread))
    return train_error, *test_errors


def inference_errors(memory, alpha, warmup, train, test, dt):
    """Train and test error of z from x and y; then the test error of the pseudo-inverse."""
    series = trajectory(LORENZ, warmup + train + test, dt)[:-1]
    spread = series[:, 2].std()
    history = (memory.delay - 1) * memory.stride
    first, n = round(warmup / dt), round(train / dt)
    rows, z = series[first - history :, :2], series[first - history :, 2]
    learned = slice(0, history + n)
    model = MemoryRegressor(memory, alpha=alpha, fit_intercept=False, washout=history)
    model.fit(rows[learned], z[learned])
    error = (model.predict(rows) - z)[history:]
    coef = by_pseudo_inverse(memory, alpha, rows[learned], z[learned, np.newaxis])
    other = model.memory_.transform(rows)[history + n :] @ coef[0] - z[history + n :]
    parts = error[:n], error[n:], other
    return tuple(np.sqrt(np.mean(part**2)) / spread for part in parts)


def _named(name: str, errors: tuple[float, ...]) -> dict[str, float]:
    return dict(zip((f"{name}_train", f"{name}_test", f"{name}_pinv"), errors, strict=True))


def lorenz(seed: int, params: Any) -> dict[str, float]:
    """Window number `seed` of the Lorenz forecast."""
    return _named(
        "lorenz", forecast_errors(LORENZ, NVAR(2), 2.5e-6, 5.0 + 10.0 * seed, 10.0, 1.104, 0.025)
    )


def lorenz_many(seed: int, params: Any) -> dict[str, float]:
    """Window number `seed` of 60, two time units apart: whether its test error is below 3e-3."""
    try:
        errors = forecast_errors(LORENZ, NVAR(2), 2.5e-6, 5.0 + 2.0 * seed, 10.0, 1.104, 0.025)
    except DivergenceError:  # the free run of one of both
        return {"lorenz_good": 0.0, "lorenz_good_pinv": 0.0}
    return {"lorenz_good": float(errors[1] < 3e-3), "lorenz_good_pinv": float(errors[2] < 3e-3)}


def lorenz_z(seed: int, params: Any) -> dict[str, float]:
    """Window number `seed` of z from x and y."""
    return _named(
        "z", inference_errors(NVAR(4, stride=5), 0.05, 5.0 + 20.0 * seed, 20.0, 45.0, 0.05)
    )


def double_scroll(seed: int, params: Any) -> dict[str, float]:
    """Window number `seed` of the double-scroll forecast."""
    memory = NVAR(2, order=(1, 3), include_constant=False)
    warmup = 1.0 + 100.0 * seed
    return _named(
        "scroll", forecast_errors(DOUBLE_SCROLL, memory, 1e-3, warmup, 100.0, 7.8125, 0.25)
    )


_NRMSE = as_metric(
    "NRMSE", "sqrt(mean squared error over all entries / sum of the columns' variances)"
)
_GOOD = as_metric("good", "1 if the test NRMSE is below 3e-3", spec=".0f")
_SOURCE = "Gauthier et al. 2021"


def _figures(name: str, title: str, train: tuple, test: tuple) -> tuple[Figure, ...]:
    return (
        Figure(f"{name}_train", f"{title}, train", _NRMSE, *train),
        Figure(f"{name}_test", f"{title}, test", _NRMSE, *test),
        Figure(f"{name}_pinv", f"{title}, test, the authors' pseudo-inverse", _NRMSE),
    )


def _mean_within(middle: float, share: float) -> Any:
    return lambda values, _: bool(abs(values.mean() / middle - 1) < share)


def _remarks(values: Any) -> list[str]:
    ours, theirs = (values[name] for name in ("lorenz_good", "lorenz_good_pinv"))
    if not ours.size:
        return []
    return [
        f"Of {ours.size} windows two time units apart, {ours.mean():.0%} have a test error below "
        f"3e-3 and {theirs.mean():.0%} with the pseudo-inverse: 8 or more of ten would come with "
        f"probability {binom.sf(7, 10, ours.mean()):.2f}, whatever solves."
    ]


register_goal(
    Goal(
        name="p5_nvar",
        title="P5. Next-generation reservoir computing",
        question="Does NVAR reach the published figures?",
        data="Synthetic: one trajectory of Lorenz and one of the double scroll by SciPy's RK23 at "
        "default tolerances; run k is window k of it. Chaotic and coarse: other versions of SciPy "
        "may take other steps, so each window is judged beside the authors' own solution.",
        protocol="The authors' programs: ridge without intercept on unscaled features, constant "
        "included. Lorenz: dt 0.025, two rows, 28 features, alpha 2.5e-6, 10 time units to learn "
        "the difference to the next row, 1.104 to run freely. z from x and y: dt 0.05, four rows "
        "five apart, 45 features, alpha 0.05, 20 and 45 time units. Double scroll: dt 0.25, two "
        "rows, 62 features, alpha 1e-3, 100 and 7.8125 time units.",
        measurements=(
            Measurement(
                "lorenz",
                lorenz,
                _figures(
                    "lorenz", "Lorenz forecast",
                    ("1.06e-4 +- 0.01e-4", _SOURCE, 1.055e-4, "mean within 3 % of 1.055e-4",
                     _mean_within(1.055e-4, 0.03)),
                    ("2.40e-3 +- 0.53e-3 (mean)", _SOURCE, 2.4e-3,
                     "median <= 1.5e-3 and 8 of 10 < 3e-3",
                     lambda v, _: bool(np.median(v) <= 1.5e-3 and (v < 3e-3).mean() >= 0.8)),
                ),
                cost=0.3,
            ),
            Measurement(
                "lorenz_many",
                lorenz_many,
                (
                    Figure("lorenz_good", "Lorenz forecast, 60 windows: test < 3e-3", _GOOD),
                    Figure("lorenz_good_pinv", "the same by the authors' pseudo-inverse", _GOOD),
                ),
                n_seeds=60,
                cost=0.3,
            ),
            Measurement(
                "z",
                lorenz_z,
                _figures(
                    "z", "Lorenz z from x and y",
                    ("9.5e-3", _SOURCE, 9.5e-3),
                    ("1.75e-2", _SOURCE, 1.75e-2, "median <= 1.8e-2", at_most(1.8e-2)),
                ),
                cost=0.3,
            ),
            Measurement(
                "scroll",
                double_scroll,
                _figures(
                    "scroll", "double scroll forecast",
                    ("1.34e-3", _SOURCE, 1.34e-3, "mean within 5 % of 1.22e-3, the authors' "
                     "program run again", _mean_within(1.22e-3, 0.05)),
                    ("4.5e-3", _SOURCE, 4.5e-3),
                ),
                cost=0.3,
            ),
        ),
        remarks=_remarks,
    )
)  # fmt: skip
