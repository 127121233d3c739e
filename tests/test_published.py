"""Published figures: their protocols at small size, what the command makes of them, the report."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from reservoir.baselines import RNNRegressor
from reservoir.datasets import embedded_reber
from reservoir.evaluation import UsageError, compare
from reservoir.evaluation.published import (
    GOALS,
    _equalizer,
    _long_lags,
    _lorenz96,
    _memory,
    _nvar,
    _vowels,
)
from reservoir.evaluation.published import _channel as published_channel
from reservoir.evaluation.published import _generative as published_generative
from reservoir.evaluation.published import _mackey_glass as published_mackey_glass
from reservoir.evaluation.published import _narma as published_narma
from reservoir.evaluation.published import _run as published_run
from reservoir.evaluation.published._budget import train_for
from reservoir.evaluation.published._goal import Figure, Goal, Measurement, as_metric, at_most

# ---- NARMA ------------------------------------------------------------------------------------


def test_published_narma_plain_network_is_in_its_range():
    scores = [
        published_narma.error_on_test(published_narma.esn(s, 100, **published_narma.PLAIN), s)
        for s in range(4)
    ]
    assert 0.30 < np.median(scores) < 0.42


def test_published_narma_search_beats_the_plain_network_and_the_linear_floor():
    chosen = published_narma.choose(100, n_candidates=8, n_finalists=2)
    tuned = published_narma.error_on_test(published_narma.esn(0, 100, **chosen), 0)
    plain = published_narma.error_on_test(published_narma.esn(0, 100, **published_narma.PLAIN), 0)
    assert tuned < plain < 0.42


# ---- Mackey-Glass -----------------------------------------------------------------------------


def test_published_units_are_jaegers_units():
    # The report's recursion, written out, against ours with leak C a and the matrix W / a.
    model = published_mackey_glass.network(3, n_units=30)
    rng = np.random.default_rng(0)
    series = rng.uniform(-0.5, 0.5, 1200)
    inputs = np.full((1200, 1), published_mackey_glass.INPUT)
    model.fit(inputs, series)
    C, a = 0.44, 0.9
    W = model.reservoir_.recurrent_weights_.toarray() * a
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(0.79)
    W_in, W_back = model.reservoir_.input_weights_.T
    assert set(np.unique(W_in)) == {-0.14, 0.0, 0.14}
    assert 0.4 < np.abs(W_back).max() <= 0.56
    x, y = np.zeros(30), 0.0
    for target in series:
        x = (1 - C * a) * x + C * np.tanh(W_in * 0.2 + W @ x + W_back * y)
        y = target
    _, state = model.predict(inputs, y_context=series[:-1], return_state=True)
    np.testing.assert_allclose(state[:30], a * x, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("tau", "noise", "low", "high"), [(17, 0.0, 2e-5, 5e-3), (30, 1e-5, 0.05, 0.3)]
)
def test_published_mackey_glass_error_has_the_printed_size(tau, noise, low, high):
    scores, stable = published_mackey_glass.trials([0], tau, 3000, n_trials=10, noise=noise)
    assert low < scores[0] < high
    assert stable.all()


def test_published_squash_is_undone():
    y = np.linspace(0.2, 1.4, 7)
    back = published_mackey_glass.unsquash(published_mackey_glass.squash(y))
    np.testing.assert_allclose(back, y, rtol=1e-12)
    assert published_mackey_glass.unsquash(np.array([5.0]))[0] == pytest.approx(3.0)


# ---- generative demo --------------------------------------------------------------------------


def test_published_generative_run_stays_on_the_series(monkeypatch):
    monkeypatch.delenv("RESERVOIR_DATA", raising=False)
    series, is_published = published_generative.load_series()
    assert not is_published
    error = published_generative.free_run_mse(series, 42, n_units=300, n_scored=200)
    assert error < 1e-3 * series.var()


def test_published_generative_file_is_taken_where_it_is_given(monkeypatch, tmp_path):
    np.savetxt(tmp_path / published_generative.FILE, np.arange(12_000.0))
    monkeypatch.setenv("RESERVOIR_DATA", str(tmp_path))
    series, is_published = published_generative.load_series()
    assert is_published
    np.testing.assert_array_equal(series, np.arange(10_000.0))


def test_published_generative_network_is_the_demos():
    # minimalESN.py's update and ridge, written out, with a penalty on the constant as it has.
    series, n = published_generative.load_series()[0][:1201], 60
    rng = np.random.RandomState(1)
    W_in, W = rng.rand(n, 2) - 0.5, rng.rand(n, n) - 0.5
    W *= 1.25 / np.abs(np.linalg.eigvals(W)).max()
    x, rows = np.zeros(n), []
    for u in series[:-1]:
        x = 0.7 * x + 0.3 * np.tanh(W_in @ [1.0, u] + W @ x)
        rows.append([1.0, u, *x])
    rows = np.array(rows)[100:1000]
    gram = rows.T @ rows + 1e-8 * np.eye(n + 2)
    weights = np.linalg.solve(gram, rows.T @ series[101:1001])
    free, u = [], series[1000]
    x = np.array(rows[-1][2:])
    for _ in range(20):
        x = 0.7 * x + 0.3 * np.tanh(W_in @ [1.0, u] + W @ x)
        u = weights @ [1.0, u, *x]
        free.append(u)
    ours = published_generative.free_run(series, 1, n_train=1000, n_scored=20, n_units=n)
    np.testing.assert_allclose(ours, free, rtol=0, atol=1e-5)


# ---- channel equalisation ---------------------------------------------------------------------


def test_published_channel_is_the_papers():
    u, d = published_channel.channel(400, 300.0, 0)
    assert set(d) == {-3.0, -1.0, 1.0, 3.0}
    t = np.arange(20, 380)
    taps = {2: 0.08, 1: -0.12, 0: 1.0, -1: 0.18, -2: -0.1, -3: 0.091, -4: -0.05, -5: 0.04,
            -6: 0.03, -7: 0.01}  # fmt: skip
    q = sum(weight * d[t + lag] for lag, weight in taps.items())
    np.testing.assert_allclose(u[t, 0], q + 0.036 * q**2 - 0.011 * q**3, rtol=1e-9, atol=1e-9)


def test_published_channel_noise_has_its_ratio():
    clean, noisy = (published_channel.channel(50_000, snr_db, 1)[0] for snr_db in (300.0, 16.0))
    ratio = 10 * np.log10(clean.var() / np.var(noisy - clean))
    assert ratio == pytest.approx(16.0, abs=0.1)


def test_published_equalisers_stand_in_their_order():
    steps = {"LMS": 0.001, "NLMS": 0.02}
    counts = {
        name: published_channel.count_errors(equaliser, 28, 0, n_test=20_000)
        for name, equaliser in published_channel.equalisers(0, steps).items()
    }
    linear = counts["linear, least squares"]
    assert 30 < linear < 80  # 2.5e-3 of 20 000
    assert abs(counts["linear, RLS"] - linear) <= 2
    assert counts["linear, LMS"] < 2 * linear
    assert counts["linear, NLMS"] < 2 * linear
    assert counts["ESN, 46 units"] < linear / 5
    assert counts["Volterra, least squares"] < linear / 10
    assert counts["Volterra, RLS"] < linear / 10


def test_published_channel_steps_are_those_of_least_error():
    grids = {"LMS": (1e-6, 0.001), "NLMS": (0.02, 1.9)}
    chosen = published_channel.choose_steps(grids, n_seeds=1, n_test=1000)
    assert chosen == {"LMS": 0.001, "NLMS": 0.02}


def test_published_wilson_interval_is_that_of_the_roots():
    # The ends solve (p - k / n)^2 = z^2 p (1 - p) / n.
    z, n = 1.959964, 50
    for k in (0, 3, 50):
        for p in published_channel.wilson(k, n):
            assert (p - k / n) ** 2 == pytest.approx(z * z * p * (1 - p) / n, abs=1e-12)
    low, high = published_channel.wilson(3, n)
    assert low < 3 / 50 < high


# ---- memory, NVAR, vowels, adaptive filters -----------------------------------------------------


def test_published_cycle_has_the_profile_of_theory():
    values = _memory.cycle(0, {}, 20)
    assert values["cycle_20"] == pytest.approx(20, abs=0.1)
    assert values["profile_20"] < 0.02


def test_published_nvar_windows_agree_with_the_authors_solution():
    values = _nvar.lorenz(0, {})
    assert values["lorenz_train"] == pytest.approx(1.055e-4, rel=0.1)
    assert values["lorenz_test"] == pytest.approx(values["lorenz_pinv"], rel=0.2)


def test_published_vowels_are_told_by_one_classifier():
    assert _vowels.classifier(0, {})["single"] > 0.975


def test_published_equalizer_has_the_printed_spreads():
    values = _equalizer.exact(0, {})
    for width, spread in ((2.9, 6.0782), (3.1, 11.1238), (3.3, 21.7132), (3.5, 46.8216)):
        assert values[f"spread_{width}"] == pytest.approx(spread, abs=5e-5)
    # at mu = .075 the formula as printed
    formula = [_equalizer.small_step(width, 0.075) for width in _equalizer.WIDTHS]
    np.testing.assert_allclose(formula, [0.0025, 0.0034, 0.0050, 0.0090], rtol=0, atol=5e-5)


def test_published_identification_is_near_its_formula():
    values = _equalizer.identification(0, {})
    assert abs(values["excess_lms"]) < 0.6
    assert abs(values["excess_nlms"]) < 0.6


def test_published_gradients_are_central_differences():
    assert max(_long_lags.gradients(0, {}).values()) < 1e-6


def test_published_constant_answer_is_wrong_as_often_as_it_must_be():
    # |(u1 + u2) / 2 - 1/2| <= .04: the middle of a triangle, .16 - .0064 of it.
    assert _long_lags.constant(0, {})["bias_only"] == pytest.approx(1 - 0.1536, abs=0.005)


def test_published_lstm_learns_the_embedded_grammar_within_seconds():
    values = _long_lags.reber(0, {"budget": 4.0})
    assert values["reber_lstm_second_last"] > 0.9
    assert 0.3 < values["reber_elman_second_last"] < 0.7
    assert values["reber_lstm_seen"] >= 2560


def test_published_strings_are_right_only_if_every_legal_symbol_is_on_top():
    legal = [np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)]
    good = np.array([[0.6, 0.4, 0.1], [0.1, 0.2, 0.9], [0.0, 0.0, 0.0]])
    bad = good.copy()
    bad[0] = [0.6, 0.2, 0.3]
    assert _long_lags.all_right([good], legal) == 1.0
    assert _long_lags.all_right([bad], legal) == 0.0


def test_published_training_stops_with_its_budget_and_goes_on_where_it_was():
    X = np.random.default_rng(0).standard_normal((400, 1))
    model = RNNRegressor("elman", 4, max_iter=2, bptt_steps=20, tol=None, random_state=0)
    seen = []

    def draw(k):
        seen.append(k)
        return X, np.r_[np.zeros((1, 1)), X[:-1]]

    known = train_for(model, draw, 0.2)
    assert seen[:3] == [-1, 0, 1]
    assert known["calls"] == len(seen) - 1
    assert known["fit_seconds"] >= 0.2
    assert known["n_parameters"] == 4 * (1 + 4 + 1) + 5
    straight = RNNRegressor("elman", 4, max_iter=2 * int(known["calls"]), bptt_steps=20, tol=None,
                            random_state=0).fit(*draw(0))  # fmt: skip
    np.testing.assert_allclose(model.predict(X), straight.predict(X), rtol=1e-6, atol=1e-9)


@pytest.fixture
def looked(monkeypatch):
    """What a network that is to be trained is asked about to say whether it is done."""
    found = []

    class Looks:
        def predict(self, X):
            found.append(X)
            return np.zeros(len(X))

    def once(model, draw, seconds, is_done):
        model.fit(*draw(-1))
        is_done(Looks())
        return {"fit_seconds": 0.0, "n_parameters": 1.0, "calls": 1.0}

    monkeypatch.setattr(_long_lags, "train_for", once)
    return found


def test_published_adding_network_does_not_stop_by_its_test_sequences(looked, monkeypatch):
    monkeypatch.setattr(_long_lags, "N_TEST", 1000)
    monkeypatch.setattr(_long_lags, "N_CHECK", 1000)
    _long_lags.lstm_adding(3, {"budget": 1.0})
    test = _long_lags.adding(_long_lags.N_TEST, 100, _long_lags.TEST + 3)[0]
    assert looked[0].shape == (_long_lags.N_CHECK, 100, 2)
    assert {case.tobytes() for case in looked[0]}.isdisjoint(case.tobytes() for case in test)


def test_published_grammar_networks_do_not_stop_by_their_test_strings(looked, monkeypatch):
    monkeypatch.setattr(_long_lags, "all_right", lambda answers, legal: 1.0)
    _long_lags.reber(3, {"budget": 1.0})
    assert len(looked) == 4  # learned and drawn for that, of two networks
    test = np.concatenate(embedded_reber(256, random_state=_long_lags.TEST + 3).X)
    for strings in looked:
        assert not np.array_equal(np.concatenate(strings), test)


def velocity(x):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0


def test_published_lorenz96_is_integrated_to_fourth_order():
    start = 8.0 + np.sin(np.arange(40.0))
    exact = solve_ivp(
        lambda t, x: velocity(x), (0, 0.2), start, "DOP853", rtol=1e-12, atol=1e-12
    ).y[:, -1]
    gaps = [
        np.abs(_lorenz96.integrate(start, round(0.2 / dt), dt)[-1] - exact).max()
        for dt in (0.01, 0.005)
    ]
    assert gaps[0] < 1e-3
    assert 12 < gaps[0] / gaps[1] < 20


@pytest.fixture
def small_lorenz96(monkeypatch):
    small = {"N_TRANSIENT": 500, "N_TRAIN": 2000, "N_TEST": 1000, "N_STARTS": 4, "N_STEPS": 60}
    small |= {"N_CONTEXT": 100, "N_UNITS": 150, "UNITS": {"gru": 12, "lstm": 12}}
    small |= {"N_VALIDATION": 400, "N_CHOOSING_TRAIN": 1200, "N_CHOOSING_UNITS": 60}
    for name, value in {**small, "N_CHOOSING_STARTS": 3}.items():
        monkeypatch.setattr(_lorenz96, name, value)
    trajectory = _lorenz96.trajectory
    trajectory.cache_clear()
    yield monkeypatch
    trajectory.cache_clear()


def test_published_lorenz96_models_are_trained_and_judged_alike(small_lorenz96):
    setting = {
        "spectral_radius": 0.1, "input_scaling": 0.05, "bias_scaling": 1.0, "noise": 1e-3,
    }  # fmt: skip
    esn = _lorenz96.reservoir(0, setting | {"budget": 1.0}, None, "esn_40")
    gru = _lorenz96.network(0, {"budget": 0.1}, "gru", 35, "gru_35")
    rows = _lorenz96.observed(35)
    assert rows.shape == (3000, 35)
    np.testing.assert_allclose(rows[:2000].std(axis=0), 1.0, rtol=1e-9)
    correlation = np.corrcoef(rows[:2000].T) - np.eye(35)
    assert np.abs(correlation).max() < 1e-9  # leading modes are uncorrelated
    assert 0.0 <= gru["gru_35"] <= 60 * 0.01 * 1.68
    assert 0.0 < esn["esn_40"] <= 60 * 0.01 * 1.68
    assert esn["n_parameters"] == (150 + 40 + 1) * 40
    assert gru["gru_35_epochs"] >= 1
    assert gru["n_parameters"] == 3 * 12 * (12 + 35 + 1) + 35 * 13


def test_published_lorenz96_settings_are_chosen_without_a_test_row(small_lorenz96):
    grid = {"spectral_radius": (0.1,), "input_scaling": (0.05,)}
    grid |= {"bias_scaling": (1.0,), "noise": (3.0, 1e-3)}  # who learns from noise forecasts less
    small_lorenz96.setattr(_lorenz96, "GRID", grid)
    rows = _lorenz96.trajectory().copy()
    rows[2000:] = np.nan
    small_lorenz96.setattr(_lorenz96, "trajectory", lambda: rows)
    assert _lorenz96.choose(None) == {
        "spectral_radius": 0.1, "input_scaling": 0.05, "bias_scaling": 1.0, "noise": 1e-3,
    }  # fmt: skip
    starts = _lorenz96.starts_in(1600, 2000, 3)
    assert starts.min() == 1600 + 100
    assert starts.max() == 2000 - 60


# ---- goals through the command -------------------------------------------------------------------

RUNS: list[tuple[int, dict]] = []
FAILS: set[int] = set()


def measured(seed, params):
    RUNS.append((seed, params))
    if seed in FAILS:
        raise RuntimeError("no luck")
    values = {"error": params["scale"] * (seed + 1.0), "n_parameters": 7}
    return values if seed else {**values, "extra": 5.0}


def goal(**more):
    error = as_metric("error", "scale (seed + 1)")
    figures = (
        Figure("error", "The error", error, "2.5", "A paper", 2.5, "median <= 3", at_most(3.0)),
        Figure("extra", "Another", error),
    )
    one = Measurement("it", measured, figures, n_seeds=3, choose=lambda: {"scale": 1.5}, **more)
    return Goal("tiny", "T. Tiny", "Why?", "None.", "Short.", (one,), lambda values: ["A remark."])


@pytest.fixture
def tiny(monkeypatch):
    RUNS.clear()
    FAILS.clear()
    before = dict(GOALS)
    GOALS.clear()
    GOALS["tiny"] = goal()
    yield
    GOALS.clear()
    GOALS.update(before)


def run(out, **more):
    return compare(suite="published", out=out, n_jobs=1, verbose=0, **more)


def test_published_goal_gives_rows_gates_and_pages(tiny, tmp_path):
    frame = run(tmp_path)
    ours = frame[frame["model"] == "error"]
    assert ours["seed"].tolist() == [0, 1, 2]
    assert ours["value"].tolist() == [1.5, 3.0, 4.5]
    assert ours["n_parameters"].tolist() == [7.0] * 3
    assert [json.loads(text) for text in ours["params"]] == [{"scale": 1.5}] * 3
    gates = pd.read_csv(tmp_path / "gates.csv").set_index("figure")
    assert gates.loc["error", "verdict"] == "MET"
    assert gates.loc["error", "median"] == 3.0
    assert gates.loc["extra", "n_seeds"] == 1
    page, text = ((tmp_path / name).read_text() for name in ("report.html", "report.md"))
    for said in ("1 of 1 gates met", "A paper", "A remark.", "1.50 3.00 4.50", "numpy"):
        assert said in page
        assert said in text
    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", page)
    assert "<script" not in page


def test_published_gate_that_is_missed_is_said_with_every_seed(tiny, tmp_path):
    run(tmp_path, seeds=[2, 3])
    text = (tmp_path / "report.md").read_text()
    assert "0 of 1 gates met" in text
    assert "**NOT MET**" in text
    assert "not met: The error" in text
    assert "4.50 6.00" in text
    assert "<details open>" in (tmp_path / "report.html").read_text()


def test_published_run_that_failed_misses_its_gate_and_is_tried_again(tiny, tmp_path):
    FAILS.add(1)
    frame = run(tmp_path)
    assert frame[frame["model"] == "error"]["status"].tolist() == ["ok", "failed", "ok"]
    assert "RuntimeError: no luck" in (tmp_path / "report.html").read_text()
    assert pd.read_csv(tmp_path / "gates.csv")["verdict"][0] == "NOT MET"
    FAILS.clear()
    RUNS.clear()
    run(tmp_path)
    assert RUNS == [(1, {"scale": 1.5})]
    assert pd.read_csv(tmp_path / "gates.csv")["verdict"][0] == "MET"


def test_published_resume_runs_nothing(tiny, tmp_path):
    first = run(tmp_path)
    RUNS.clear()
    pd.testing.assert_frame_equal(first, run(tmp_path))
    assert RUNS == []


def test_published_budget_is_asked_for_and_kept(tiny, tmp_path):
    GOALS["tiny"] = goal(budgeted=True)
    assert run(tmp_path).empty
    run(tmp_path, budget=12.0)
    assert RUNS[0] == (0, {"scale": 1.5, "budget": 12.0})
    RUNS.clear()
    assert len(run(tmp_path)) == 6  # without a budget what is there stays
    assert RUNS == []
    with pytest.raises(UsageError, match="with a budget of 12 s, not 30 s"):
        run(tmp_path, budget=30.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"models": "esn"}, "protocols of its own"),
        ({"peers": True}, "protocols of its own"),
        ({"quick": True}, "protocols of its own"),
        ({"tasks": "p99"}, "unknown task 'p99'; there are: tiny"),
        ({"budget": -1.0}, "seconds above 0"),
        ({"budget": float("nan")}, "seconds above 0"),
    ],
)
def test_published_refuses_what_does_not_apply(tiny, tmp_path, more, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        run(tmp_path / "never", **more)
    assert not (tmp_path / "never").exists()


def test_published_folder_is_not_mixed_with_another_suite(tiny, tmp_path):
    run(tmp_path)
    with pytest.raises(UsageError, match="another configuration"):
        compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)


def test_published_goals_are_well_formed():
    names = [figure.name for goal in GOALS.values() for figure in goal.figures]
    assert next(iter(GOALS)) == "p1_memory"
    for one in GOALS.values():
        assert one.figures
        own = [figure.name for figure in one.figures]
        assert len(own) == len(set(own))
        for figure in one.figures:
            assert bool(figure.gate) == (figure.met is not None), figure.name
            assert not figure.published or figure.source, figure.name
    assert len(names) > 50


def test_published_measurement_gives_the_figures_it_promises():
    found = published_run.measure_named("p5_nvar", "z", 0, {})
    promised = {f.name for f in GOALS["p5_nvar"].measurement("z_test").figures}
    assert set(found.values) == promised
    assert found.seconds > 0
