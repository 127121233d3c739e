"""Published figures of trained networks: gradients, long lags, Lorenz-96."""

from time import sleep

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from reservoir.baselines import RNNRegressor
from reservoir.datasets import embedded_reber
from reservoir.evaluation.published import _long_lags, _lorenz96
from reservoir.evaluation.published._budget import train_for


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
        if k == 0:
            sleep(0.25)  # what others take of the clock is not in the budget
        return X, np.r_[np.zeros((1, 1)), X[:-1]]

    known = train_for(model, draw, 0.2)
    drawn = draw(1)
    assert seen[:3] == [-1, 0, 1]
    assert known["calls"] == len(seen) - 2
    assert known["fit_seconds"] >= 0.2
    assert known["n_parameters"] == 4 * (1 + 4 + 1) + 5
    straight = RNNRegressor("elman", 4, max_iter=2 * int(known["calls"]), bptt_steps=20, tol=None,
                            random_state=0).fit(*drawn)  # fmt: skip
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


def test_published_lorenz96_networks_add_their_differences():
    class Halves:
        def predict(self, X):
            return [0.5 * x for x in X]

    network = _lorenz96.NextRow(Halves(), np.array([2.0, 4.0]))
    (rows,) = network.predict([np.array([[1.0, 1.0], [3.0, 0.0]])])
    np.testing.assert_array_equal(rows, [[2.0, 3.0], [6.0, 0.0]])


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
