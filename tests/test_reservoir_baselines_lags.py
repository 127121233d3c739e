"""Tasks no memoryless model can do: a cook, a grammar, sums and orders over long lags."""

import sys
from pathlib import Path

import numpy as np
import pytest

from filters import TapDelay
from reservoir import MemoryClassifier
from reservoir.baselines import RNNClassifier, RNNSequenceRegressor
from reservoir.evaluation.published import _long_lags

SCRIPTS = Path(__file__).resolve().parents[1] / "examples" / "benchmarks"
sys.path.append(str(SCRIPTS))

import lag_contest  # noqa: E402
import recurrent_adding  # noqa: E402
import recurrent_momentum  # noqa: E402
import recurrent_order  # noqa: E402
import recurrent_reber  # noqa: E402

# ---- the cook ----------------------------------------------------------------------------------

DISHES = np.array(["apple pie", "burger", "chicken"])


def cook(n_days, seed):
    """Weather of each day (sunny, rainy), and the dish of the day.

    Sunny: the dish of the day before again. Rainy: the next of a fixed cycle.
    """
    rainy = np.random.RandomState(seed).randint(0, 2, n_days)
    return np.eye(2)[rainy], DISHES[np.cumsum(rainy) % 3]


@pytest.mark.parametrize("cell", ["elman", "jordan", "lstm", "gru"])
def test_one_recurrent_layer_is_always_right_about_the_cook(cell):
    """Learned from 200 times 12 days, right on every day of a year."""
    weeks = [cook(12, seed) for seed in range(200)]
    net = RNNClassifier(cell, (16,), learning_rate=0.02, batch_size=20, max_iter=40, random_state=0)
    net.set_params(teacher_forcing=cell == "jordan")
    net.fit([X for X, _ in weeks], [y for _, y in weeks])
    X, y = cook(365, 1000)
    np.testing.assert_array_equal(net.predict(X), y)


def test_without_memory_nobody_does():
    # The weather of one day says nothing: dishes are equally likely after sun and after rain.
    X, y = cook(6000, 0)
    X_new, y_new = cook(6000, 1)
    assert MemoryClassifier(TapDelay(1)).fit(X, y).score(X_new, y_new) < 0.37
    # Nor does that of a week, to a line or to anybody: the dish before it is one of three.
    assert MemoryClassifier(TapDelay(7)).fit(X, y).score(X_new, y_new) < 0.37
    cut = RNNClassifier("elman", (16,), max_iter=20, batch_size=500, random_state=0)
    rows, dishes = list(X[:2000, np.newaxis]), list(y[:2000, np.newaxis])
    cut.fit(rows, dishes)  # every day a series of its own: the layer has no yesterday
    assert np.mean(np.concatenate(cut.predict(list(X_new[:, np.newaxis]))) == y_new) < 0.37


# ---- adding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [20, 51])
def test_marks_and_target_of_the_adding_problem_are_those_of_1997(length):
    X, y = _long_lags.adding(3000, length, np.random.RandomState(0))
    marks = X[:, :, 1]
    np.testing.assert_array_equal(marks.sum(axis=1), 2.0)
    np.testing.assert_array_equal(marks[:, length // 2 :], 0.0)
    assert marks[:, :10].any(axis=1).all()
    assert (marks[:, : length // 2].sum(axis=0) > 0).all()
    np.testing.assert_allclose(y, 0.5 + (X[:, :, 0] * marks).sum(axis=1) / 4, rtol=0, atol=1e-6)


def test_a_constant_has_the_error_theory_gives():
    y = _long_lags.adding(200_000, 20, np.random.RandomState(0))[1]
    found = recurrent_adding.errors(np.full(y.shape, 0.5), y)
    spread = np.sqrt(0.8464 * 0.1536 / y.size)
    assert abs(found["wrong"] - 0.8464) < 4 * spread
    np.testing.assert_allclose(found["mse"], 1 / 24, rtol=0.01)


def test_an_lstm_learns_to_add_and_a_line_does_not():
    run = recurrent_adding.network(0, 20, 12_000, recurrent_adding.NETWORKS["LSTM, chrono"])
    assert run.scores["wrong"] < 0.1
    assert run.seen <= 12_000
    assert run.n_parameters == 4 * 32 * (32 + 2 + 1) + 33
    line = recurrent_adding.line(0, 20, 4000)
    assert 0.8 < line.scores["wrong"] < 0.9
    assert line.n_parameters == 41


def test_training_ends_as_soon_as_the_network_can(monkeypatch):
    monkeypatch.setattr(recurrent_adding, "errors", lambda answers, y: {"wrong": 0.001})
    run = recurrent_adding.network(0, 10, 12_000, {"cell": "elman", "hidden_sizes": (2,)})
    assert run.seen == recurrent_adding.N_CHUNK


# ---- grammar -----------------------------------------------------------------------------------


def test_a_string_is_right_if_all_that_may_follow_is_above_all_that_may_not():
    X, _, legal = recurrent_reber.strings(40, 0)
    symbols = list(recurrent_reber.REBER_SYMBOLS)
    best = [rows / rows.sum(axis=1, keepdims=True) for rows in legal]
    assert recurrent_reber.shares_right(best, legal, symbols) == (1.0, 1.0)
    # Whoever has forgotten the second symbol gives T and P alike.
    forgotten = [rows.copy() for rows in best]
    for rows in forgotten:
        rows[-2, [1, 2]] = 0.5
    assert recurrent_reber.shares_right(forgotten, legal, symbols) == (0.0, 0.0)
    always_t = [rows.copy() for rows in best]
    for rows in always_t:
        rows[-2, [1, 2]] = 0.6, 0.4
    began = np.mean([rows[1, 1] == 1 for rows in X])
    assert 0.2 < began < 0.8
    assert recurrent_reber.shares_right(always_t, legal, symbols) == (began, began)
    turned = [rows[:, ::-1] for rows in best]
    assert recurrent_reber.shares_right(turned, legal, symbols[::-1]) == (1.0, 1.0)


def test_an_lstm_keeps_the_second_symbol_and_a_cut_elman_network_does_not():
    run = recurrent_reber.network(2, 20_480, {"cell": "lstm"})
    assert run.scores["last but one"] == 1.0
    assert run.scores["1997"] == 1.0
    assert run.scores["1997, strings"] <= run.seen < 20_480
    cut = recurrent_reber.network(2, 2560, {"cell": "elman", "bptt_steps": 2})
    assert 0.35 < cut.scores["last but one"] < 0.65
    assert cut.scores["1997"] == 0.0
    assert cut.seen == 2560


# ---- temporal order ----------------------------------------------------------------------------


def test_an_lstm_tells_the_order_and_so_does_a_line_that_sees_it_all(monkeypatch):
    monkeypatch.setattr(recurrent_order, "N_CHECK", 200)
    monkeypatch.setattr(recurrent_order, "N_TEST", 400)
    run = recurrent_order.network(0, 6000, recurrent_order.NETWORKS["LSTM, chrono"])
    assert run.scores["wrong"] < 0.02
    assert run.seen <= 6000
    assert recurrent_order.line(0, 2000).scores["wrong"] < 0.05


def test_whole_strings_keep_their_places():
    X, _ = recurrent_order.strings(5, np.random.RandomState(0))
    rows = recurrent_order.whole(X).reshape(5, 110, 8)
    for row, string in zip(rows, X, strict=True):
        np.testing.assert_array_equal(row[: len(string)], string)
        assert not row[len(string) :].any()


# ---- momentum ----------------------------------------------------------------------------------


def test_first_weights_of_the_plain_network_are_those_of_the_paper():
    weights = _long_lags.sparse_start(np.random.RandomState(0))
    layer = weights["weights"][0]
    W = layer["recurrent"]
    np.testing.assert_array_equal((W != 0).sum(axis=1), 15)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(W)).max(), 1.1, rtol=1e-9)
    np.testing.assert_allclose(layer["input"].std(), 0.001, rtol=0.2)
    np.testing.assert_allclose(weights["output_weights"].std(), 0.1, rtol=0.25)


def test_inputs_of_the_plain_network_are_centred():
    X, y = _long_lags.centred_adding(5000, 80, np.random.RandomState(0))
    np.testing.assert_allclose(X.mean(axis=(0, 1)), 0.0, rtol=0, atol=2e-3)
    np.testing.assert_allclose(X[:, :, 0].max() - X[:, :, 0].min(), 1.0, rtol=1e-3)
    marked = X[:, :, 1] > 0.5
    told = ((X[:, :, 0] + 0.5) * marked).sum(axis=1) / 2
    np.testing.assert_allclose(y, told, rtol=0, atol=1e-6)


def test_momentum_changes_after_the_easy_updates(monkeypatch):
    monkeypatch.setattr(recurrent_momentum, "N_EASY", 2)
    monkeypatch.setattr(recurrent_momentum, "N_CHUNK", 1)
    monkeypatch.setattr(recurrent_momentum, "BATCH", 4)
    seen = []
    original = RNNSequenceRegressor.partial_fit

    def noted(self, X, y):
        seen.append((self.momentum, self.nesterov, len(X)))
        return original(self, X, y)

    monkeypatch.setattr(RNNSequenceRegressor, "partial_fit", noted)
    assert recurrent_momentum.network(0, 4, 0.0, 1e-3).seen == 16
    assert seen == [(0.9, True, 4), (0.9, True, 4), (0.0, False, 4), (0.0, False, 4)]


def test_the_published_suite_changes_momentum_as_the_paper_does(monkeypatch):
    for name, value in {"N_TEST": 8, "N_CHUNK": 8, "BATCH": 4, "N_EASY": 4}.items():
        monkeypatch.setattr(_long_lags, name, value)
    seen = []
    original = RNNSequenceRegressor.fit

    def noted(self, X, y):
        seen.append((self.momentum, self.nesterov, self.learning_rate, self.warm_start))
        return original(self, X, y)

    monkeypatch.setattr(RNNSequenceRegressor, "fit", noted)
    found = _long_lags.plain_network(0, {"budget": 0.2})
    assert found["n_parameters"] == 100 * 103 + 101
    for momentum, rate in ((0.995, 3e-3), (0.0, 1e-2)):
        calls = [call for call in seen if call[2] == rate][1:]  # the first one compiles
        assert calls[:2] == [(0.9, True, rate, False), (0.9, True, rate, True)]
        assert set(calls[2:]) == {(momentum, momentum > 0, rate, True)}


# ---- the sheet ---------------------------------------------------------------------------------


def test_a_contest_writes_figures_gates_costs_and_every_seed(tmp_path, capsys):
    contest = lag_contest.Contest("Title", "formula")
    below = {"wrong": ("printed", "every seed < .5", lambda values: (values < 0.5).all())}
    contest.run("good", lambda s: lag_contest.Run({"wrong": s / 10}, 100, 1.5, 7), range(3), below)
    contest.run("bad", lambda s: lag_contest.Run({"wrong": 0.9}, 100, 1.5, 1234), range(3), below)
    contest.finish("share wrong", tmp_path / "sheet.md")
    text = (tmp_path / "sheet.md").read_text()
    assert "| good | 0.100 | 100 | 1.50 | 7 |" in text
    assert "| bad | 0.900 | 100 | 1.50 | 1,234 |" in text
    judged = "printed | every seed < .5"
    assert f"| good: wrong | 0.100 | 0.100 | 0.00 | 0.200 | {judged} | MET |" in text
    assert f"| bad: wrong | 0.900 | 0.900 | 0.900 | 0.900 | {judged} | **NOT MET** |" in text
    assert "- good: wrong: 0.00 0.100 0.200" in text
    assert "good: wrong" in capsys.readouterr().out
