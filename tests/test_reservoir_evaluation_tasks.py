"""Kinds of task are trained and tested as they should; the default tasks give sane figures."""

import numpy as np
import pytest

from filters import NLMSFilter, TapDelay
from filters.timeseries import DivergenceError, nrmse
from reservoir import MemoryRegressor
from reservoir.baselines import RNNRegressor, RNNSequenceClassifier
from reservoir.datasets import lorenz, mackey_glass
from reservoir.evaluation import MODELS, TASKS, Problem
from reservoir.evaluation._kinds import KINDS, cut_origins, forecast_all, free_run
from reservoir.evaluation._protocol import choose, count_parameters, run


def score(task, model, seed=0):
    task, model = TASKS[task], MODELS[model]
    return run(task, model, choose(task, model, True).params, seed, True).value


@pytest.mark.parametrize(
    ("task", "model", "low", "high"),
    [
        ("narma10", "persistence", 0.95, 1.05),
        ("narma10", "linear", 0.35, 0.45),
        ("narma10", "nlms", 0.35, 0.5),
        ("narma10", "rls", 0.35, 0.45),
        ("sunspots", "persistence", 0.62, 0.66),
        ("sunspots", "linear", 0.33, 0.39),
        ("sunspots", "rls", 0.33, 0.40),
        ("ecg_hum", "persistence", 5.0, 6.5),
        ("ecg_hum", "linear", 14.0, 24.0),
        ("ecg_hum", "nlms", 20.0, 35.0),
        ("ecg_hum", "rls", 20.0, 35.0),
        ("mackey_glass", "linear", 0.3, 1.0),
        ("japanese_vowels", "persistence", 31 / 370, 31 / 370),
        ("japanese_vowels", "linear", 0.95, 1.0),
    ],
)
def test_plain_models_reach_the_known_floors(task, model, low, high):
    assert low <= score(task, model) <= high


def test_echo_state_network_beats_the_linear_floors():
    assert score("narma10", "esn") < 0.25
    assert score("mackey_glass", "esn") < 0.05
    assert score("japanese_vowels", "esn") > 0.97


def test_signal_to_noise_before_cancelling_is_as_stated():
    problem = TASKS["ecg_hum"].make(3, False)
    assert problem.y_test.size == 110 * 360
    whole = np.concatenate([problem.extra["clean_train"], problem.extra["clean"]])
    recorded = np.concatenate([problem.y_train, problem.y_test])
    ratio = 10 * np.log10(np.mean(whole**2) / np.mean((recorded - whole) ** 2))
    assert ratio == pytest.approx(5.6, abs=0.2)


def test_adaptive_filter_cancels_online_from_the_first_sample_on():
    task, kind = TASKS["ecg_hum"], KINDS["cancellation"]
    problem = task.make(0, True)
    scaled, back = kind.scaled(problem)
    canceller = NLMSFilter(16, step_size=0.02)
    kind.fit(canceller, scaled)
    found = back(kind.predict(canceller, scaled))
    reference = problem.X_test / problem.X_train.std()
    recorded = np.concatenate([problem.y_train, problem.y_test])
    spread = problem.y_train.std()
    shift = problem.X_train.mean() / problem.X_train.std()
    expected = NLMSFilter(16, step_size=0.02).adapt(reference - shift, recorded / spread).output
    np.testing.assert_allclose(found, spread * expected[3600:], rtol=1e-6, atol=1e-9)


def test_a_fold_is_later_than_its_training_rows_and_starts_warm():
    problem = TASKS["sunspots"].make(0, False)
    folds = KINDS["regression"].folds(problem, TASKS["sunspots"])
    assert [fold.context for fold in folds] == [129, 169, 209]
    for fold in folds:
        assert fold.X_train.shape[0] == fold.context
        assert fold.X_test.shape[0] == fold.context + fold.y_test.size == fold.context + 40
        np.testing.assert_array_equal(fold.X_test, problem.X_train[: fold.context + 40])
        np.testing.assert_array_equal(fold.y_test, problem.y_train[fold.context :][:40])


def test_forecasting_folds_stay_inside_the_training_part():
    task = TASKS["lorenz"]
    series = np.arange(4000.0)[:, np.newaxis]
    before, after = cut_origins(np.arange(9000.0)[:, np.newaxis], [5000], 200, 500)
    (fold,) = KINDS["forecasting"].folds(Problem(series, None, before, after), task)
    assert fold.X_train[-1] == 2999
    assert fold.y_test.min() >= 3000
    assert fold.y_test.max() <= 3999
    np.testing.assert_array_equal(fold.X_test[:, -1] + 1, fold.y_test[:, 0])


def test_free_run_of_any_model_equals_the_closed_loop():
    series = mackey_glass(700, random_state=0)
    model = MemoryRegressor(TapDelay(12), alpha=1e-3).fit(series[:499], series[1:500])
    before, _ = cut_origins(series, [550, 600], 100, 30)
    loop = np.stack(model.forecast(30, context=list(before)))
    np.testing.assert_allclose(free_run(model, before, 30), loop, rtol=1e-9)


def test_run_that_diverges_is_kept_up_to_there_and_scored_finitely():
    class Explosive:
        def forecast(self, n_steps, *, context):
            if any(rows[-1, 0] > 0 for rows in context) and n_steps > 7:
                raise DivergenceError("gone", 7)
            return [np.full((n_steps, 3), 0.5) for _ in context]

    seen = np.stack([np.full((5, 3), -1.0), np.full((5, 3), 1.0)])
    runs = forecast_all(Explosive(), seen, 20)
    assert np.isfinite(runs[0]).all()
    assert np.isfinite(runs[1, :7]).all()
    assert np.isnan(runs[1, 7:]).all()
    train = lorenz(300, random_state=0)
    problem = Problem(train, None, seen, seen, extra={"sigma": train.std(0)})
    _, back = KINDS["forecasting"].scaled(problem)
    assert np.isfinite(back(runs)).all()


def test_parameters_counted_are_those_learned():
    rng = np.random.RandomState(0)
    X, y = rng.randn(60, 2), rng.randn(60)
    assert count_parameters(MemoryRegressor(TapDelay(5)).fit(X, y)) == 2 * 5 + 1
    assert count_parameters(NLMSFilter(5).fit(X, y)) == 2 * 5
    assert count_parameters(NLMSFilter(5, fit_intercept=True).fit(X, y)) == 2 * 5 + 1
    h = 4
    elman = RNNRegressor("elman", h, max_iter=1).fit(X, y)
    assert count_parameters(elman) == h * (h + 2 + 1) + h + 1
    lstm = RNNSequenceClassifier("lstm", h, max_iter=1)
    lstm.fit([X, X[:30], X[:20]], [0, 1, 2])
    assert count_parameters(lstm) == 4 * h * (h + 2 + 1) + 3 * (h + 1)


def test_gradient_trained_networks_are_run_on_their_window():
    task, model = TASKS["sunspots"], MODELS["elman"]
    params = {**model.grid(task, True)[0], "max_iter": 30}
    outcome = run(task, model, params, 0, True)
    assert 0.3 < outcome.value < 0.8
    assert outcome.arrays["time"][[0, -1]].tolist() == [1950, 2008]
    assert nrmse(outcome.arrays["truth"], outcome.arrays["prediction"]) == pytest.approx(
        outcome.value, rel=1e-6
    )
