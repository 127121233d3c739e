"""Equalising a nonlinear channel: 46 reservoir units beside linear and Volterra equalisers.

Task of Jaeger and Haas (2004): four-level symbols d through ten taps and a cubic distortion, plus
noise; from the received u(0) ... u(n) tell d(n - 2). 5000 symbols to learn from, 100 000 new ones
to be counted, at the same signal-to-noise ratio; series, network and equalisers anew for each seed.
Their abstract claims errors lower by two orders of magnitude than the best earlier equaliser, an
adaptive Volterra one; the rows say what holds against which.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from filters import ChannelEqualizer, LMSFilter, NLMSFilter, RLSFilter, TapDelay
from filters.timeseries import mse

from ... import ESNRegressor, MemoryRegressor
from ._goal import Figure, Goal, Measurement, Values, as_metric, register_goal

LEVELS = np.array([-3.0, -1.0, 1.0, 3.0])
# q(n) = .08 d(n+2) - .12 d(n+1) + d(n) + ... + .01 d(n-7): it looks two symbols ahead.
TAPS = np.array([0.08, -0.12, 1.0, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01])
AHEAD, DELAY = 2, 2
N_TRAIN, N_TEST, N_TAPS = 5_000, 100_000, 11
N_LONG = 100_000  # training symbols after which the slow filters must have converged
SNRS = (12, 16, 20, 24, 28, 32)
STEP_GRIDS = {
    "LMS": (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.004),
    "NLMS": (0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
}


def channel(n, snr_db, seed):
    """Received u (n, 1) and sent d (n,); row t of both is time t."""
    rng = np.random.RandomState(seed)
    sent = rng.choice(LEVELS, n + TAPS.size - 1)
    q = np.convolve(sent, TAPS, mode="valid")  # row t holds sent[t] ... sent[t + 9]
    received = q + 0.036 * q**2 - 0.011 * q**3
    noise = rng.standard_normal(n) * np.sqrt(received.var() / 10 ** (snr_db / 10))
    d = sent[TAPS.size - 1 - AHEAD :][:n]
    return (received + noise)[:, np.newaxis], d


def decide(answers):
    """Nearest level."""
    return LEVELS[np.clip(np.rint((answers + 3.0) / 2.0), 0, 3).astype(int)]


def wilson(n_errors, n, z=1.959964):
    """95 % interval of a rate (Wilson 1927)."""
    p, z2n = n_errors / n, z * z / n
    middle = (p + z2n / 2) / (1 + z2n)
    half = z / (1 + z2n) * np.sqrt(p * (1 - p) / n + z2n / (4 * n))
    return middle - half, middle + half


# ---- the equalisers: each learns from (u, d) and answers d(n - 2) row by row ---------------------


class Late:
    """A regressor that is taught d(n - 2)."""

    def __init__(self, model, shift=0.0):
        self.model, self.shift = model, shift

    def fit(self, u, d):
        target = np.concatenate([np.full(DELAY, np.nan), d[:-DELAY]])  # NaN: nothing to learn
        self.model.fit(u + self.shift, target)
        return self

    def predict(self, u):
        return self.model.predict(u + self.shift)


class OnLine:
    """A ChannelEqualizer; its answers, moved to their symbols, are moved back."""

    def __init__(self, inner):
        self.model = ChannelEqualizer(inner, delay=DELAY)

    def fit(self, u, d):
        self.model.fit(u, d)
        return self

    def predict(self, u):
        return np.concatenate([np.zeros(DELAY), self.model.predict(u)[:-DELAY]])


class OnLineProducts(Late):
    """RLS on the columns of the Volterra series."""

    def __init__(self):
        self.model = RLSFilter(1, forgetting_factor=1.0, delta=1e-6, fit_intercept=True)

    def fit(self, u, d):
        columns = volterra_columns().fit(TapDelay(9).fit_transform(u[:9]))
        self.columns = lambda u: columns.transform(TapDelay(9).fit_transform(u))
        self.model.fit(self.columns(u)[DELAY:], d[:-DELAY])
        return self

    def predict(self, u):
        return self.model.predict(self.columns(u))


def volterra_columns():
    """All products of two of nine taps and of three of the five newest, around u(n - 2)."""
    return ColumnTransformer(
        [
            ("linear and quadratic", PolynomialFeatures(2, include_bias=False), slice(0, 9)),
            ("cubic", PolynomialFeatures((3, 3), include_bias=False), slice(0, 5)),
        ]
    )


def equalisers(seed, steps):
    """Every equaliser under its name. Jaeger's ESN: input u + 30, W_in on [-.025, .025]."""
    esn = ESNRegressor(
        46,
        spectral_radius=0.5,
        density=0.2,
        input_scaling=0.025,
        alpha=1e-10,
        washout=100,
        random_state=seed,
    )
    volterra = make_pipeline(volterra_columns(), LinearRegression())
    return {
        "linear, least squares": Late(MemoryRegressor(TapDelay(N_TAPS), alpha=0.0)),
        "linear, LMS": linear_on_line("LMS", steps["LMS"]),
        "linear, NLMS": linear_on_line("NLMS", steps["NLMS"]),
        "linear, RLS": OnLine(
            RLSFilter(N_TAPS, forgetting_factor=1.0, delta=1e-3, fit_intercept=True)
        ),
        "Volterra, least squares": Late(MemoryRegressor(TapDelay(9), volterra)),
        "Volterra, RLS": OnLineProducts(),
        "ESN, 46 units": Late(esn, shift=30.0),
    }


def linear_on_line(name, step):
    """LMS or NLMS with 11 taps, one pass."""
    kind = {"LMS": LMSFilter, "NLMS": NLMSFilter}[name]
    return OnLine(kind(N_TAPS, step_size=step, fit_intercept=True))


def choose_steps(grids=STEP_GRIDS, *, n_train=N_TRAIN, n_seeds=10, n_test=5_000):
    """The step of least mean squared error at 28 dB on series that are not tested."""
    chosen = {}
    for name, steps in grids.items():
        scores = []
        for step in steps:
            model, error = linear_on_line(name, step), 0.0
            for seed in range(50_000, 50_000 + n_seeds):
                model.fit(*channel(n_train, 28, seed))
                u, d = channel(n_test, 28, seed + 10_000)
                error += mse(d[N_TAPS - DELAY : -DELAY], model.predict(u)[N_TAPS:])
            scores.append(error)
        chosen[name] = steps[int(np.argmin(scores))]
    return chosen


def count_errors(equaliser, snr_db, seed, *, n_train=N_TRAIN, n_test=N_TEST):
    """Wrong decisions among `n_test` new symbols."""
    u, d = channel(n_train, snr_db, seed)
    equaliser.fit(u, d)
    warm_up = 100
    u, d = channel(n_test + warm_up, snr_db, seed + 10_000)
    answers = equaliser.predict(u)[warm_up:]
    return int(np.count_nonzero(decide(answers) != d[warm_up - DELAY : -DELAY]))


_NAMES = {
    "linear, least squares": "linear_ls",
    "linear, LMS": "linear_lms",
    "linear, NLMS": "linear_nlms",
    "linear, RLS": "linear_rls",
    "Volterra, least squares": "volterra_ls",
    "Volterra, RLS": "volterra_rls",
    "ESN, 46 units": "esn",
}


def rates(seed: int, params: dict[str, float], snr_db: int) -> dict[str, float]:
    """Symbol error rate of every equaliser at one ratio."""
    return {
        f"{_NAMES[name]}_{snr_db}": count_errors(equaliser, snr_db, seed) / N_TEST
        for name, equaliser in equalisers(seed, params).items()
    }


def slow_rate(seed: int, params: dict[str, float], name: str) -> dict[str, float]:
    """Symbol error rate at 28 dB of a gradient filter after 100 000 training symbols."""
    wrong = count_errors(linear_on_line(name, params[name]), 28, seed, n_train=N_LONG)
    return {f"linear_{name.lower()}_long": wrong / N_TEST}


def choose_slow(name: str) -> dict[str, float]:
    """Its step, by validation with as many training symbols."""
    return choose_steps({name: STEP_GRIDS[name]}, n_train=N_LONG, n_seeds=3)


_SER = as_metric("SER", "wrong decisions / symbols, 100 000 a seed", spec="#.2g")


def _near_linear(values: Values, every: Any) -> bool:
    return bool(abs(values.mean() / every["linear_ls_28"].mean() - 1) <= 0.1)


_NEAR = ("mean within 10 % of least squares", _near_linear)
_GATES: dict[str, dict[str, Any]] = {
    "esn_28": {
        "published": "1e-4 to 1e-5",
        "source": "Jaeger and Haas 2004, from memory",
        "gate": "mean <= 1e-4 and a twentieth of linear least squares",
        "met": lambda values, every: bool(
            values.mean() <= 1e-4 and every["linear_ls_28"].mean() >= 20 * values.mean()
        ),
    },
    "linear_rls_28": {"gate": _NEAR[0], "met": _NEAR[1]},
}


def _figure(title: str, snr_db: int) -> Figure:
    name = f"{_NAMES[title]}_{snr_db}"
    return Figure(name, f"{title}, {snr_db} dB", _SER, **_GATES.get(name, {}))


def _remarks(values: Any) -> list[str]:
    """Pooled rates with Wilson intervals, ratio by ratio."""
    lines = []
    for title, name in _NAMES.items():
        cells = []
        for snr_db in SNRS:
            found = values.get(f"{name}_{snr_db}")
            if found is not None and found.size:
                total = found.size * N_TEST
                wrong = round(float(found.sum()) * N_TEST)
                low, high = wilson(wrong, total)
                cells.append(f"{snr_db} dB {wrong / total:.2g} ({low:.2g} to {high:.2g})")
        if cells:
            lines.append(f"{title}, pooled over seeds, 95 % Wilson: {'; '.join(cells)}.")
    lines.append(
        "Networks differ by more than counting alone, so read the seeds, too. A batch Volterra "
        "equaliser is better than 46 units from 24 dB up."
    )
    return lines


register_goal(
    Goal(
        name="p7_channel",
        title="P7. Equalising a nonlinear channel",
        question="46 reservoir units beside linear and Volterra equalisers: who tells the symbols?",
        data="Synthetic: four-level symbols through ten taps and a cubic distortion, white noise "
        "at 12 to 32 dB; every seed draws its own.",
        protocol="From u(0) ... u(n) tell d(n - 2): 5000 symbols to learn from, 100 000 new ones "
        f"to be counted at the same ratio. Linear equalisers of {N_TAPS} taps; Volterra: nine taps "
        "with all squares and cubes of five; ESN: input u + 30, weights on [-0.025, 0.025], radius "
        "0.5. Steps of LMS and NLMS by validation at 28 dB.",
        measurements=(
            *(
                Measurement(
                    f"snr_{snr_db}",
                    partial(rates, snr_db=snr_db),
                    tuple(_figure(title, snr_db) for title in _NAMES),
                    choose=choose_steps,
                    cost=2.0,
                )
                for snr_db in SNRS
            ),
            *(
                Measurement(
                    f"{name.lower()}_long",
                    partial(slow_rate, name=name),
                    (
                        Figure(
                            f"linear_{name.lower()}_long",
                            f"linear, {name}, 28 dB, {N_LONG} training symbols",
                            _SER,
                            gate=_NEAR[0],
                            met=_NEAR[1],
                        ),
                    ),
                    choose=partial(choose_slow, name),
                    cost=0.3,
                )
                for name in STEP_GRIDS
            ),
        ),
        remarks=_remarks,
    )
)
