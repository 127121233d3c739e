"""Ensembles: members are standalone fits, answers their middle, the spread their deviation."""

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from naive_reservoir import data, panel_frames
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reservoir import (
    ESNClassifier,
    ESNEnsemble,
    ESNForecaster,
    ESNRegressor,
    ESNRegressorCV,
    ESNSequenceClassifier,
    MemoryRegressor,
    Reservoir,
    ReservoirFeatures,
)
from reservoir.datasets import load_japanese_vowels, load_sunspots, mackey_glass

NET = {"n_units": 10, "leak_rate": 0.6, "bias_scaling": 0.4}


def labels(n=150):
    X, y = data(n)
    return X, np.array(["low", "mid", "high"])[np.digitize(y, [-0.4, 0.4])]


def seeds(random_state, n_members, n_keys=1):
    return np.random.RandomState(random_state).randint(2**31 - 1, size=(n_members, n_keys))


def refitted(ensemble, *args, **params):
    """Every member fitted once more, alone."""
    return [clone(member).fit(*args, **params) for member in ensemble.estimators_]


# ---- members --------------------------------------------------------------------------------


def test_members_are_standalone_fits_with_child_seeds_bit_for_bit():
    X, y = data(100)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 4, random_state=7).fit(X, y)
    assert len(ensemble.estimators_) == 4
    for seed, member in zip(seeds(7, 4)[:, 0], ensemble.estimators_, strict=True):
        alone = ESNRegressor(**NET, random_state=int(seed)).fit(X, y)
        np.testing.assert_array_equal(member.coef_, alone.coef_)
        np.testing.assert_array_equal(member.predict(X), alone.predict(X))


def test_seeds_do_not_depend_on_threads_or_on_the_number_of_members():
    X, y = data(100)
    one = ESNEnsemble(ESNRegressor(**NET), 3, random_state=7).fit(X, y)
    many = ESNEnsemble(ESNRegressor(**NET), 5, n_jobs=2, random_state=7).fit(X, y)
    for a, b in zip(one.estimators_, many.estimators_[:3], strict=True):
        np.testing.assert_array_equal(a.predict(X), b.predict(X))
    assert len({member.random_state for member in many.estimators_}) == 5
    many.set_params(n_members=3).fit(X, y)
    for a, b in zip(one.predict(X, return_std=True), many.predict(X, return_std=True), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_part_that_takes_a_seed_gets_its_own():
    X, y = data(60)
    parts = make_pipeline(StandardScaler(), ESNRegressor(**NET, readout=Ridge(1e-3)))
    ensemble = ESNEnsemble(parts, 3, random_state=1).fit(X, y)
    drawn = seeds(1, 3, 2)
    for member, (net, readout) in zip(ensemble.estimators_, drawn, strict=True):
        assert member.get_params()["esnregressor__random_state"] == net
        assert member.get_params()["esnregressor__readout__random_state"] == readout
    spread = ensemble.predict(X, return_std=True)[1]
    assert (spread[1:] > 0).all()
    assert parts.get_params()["esnregressor__random_state"] is None  # the template stays


def test_a_seed_deep_inside_is_found():
    X, y = data(60)
    ensemble = ESNEnsemble(MemoryRegressor(Reservoir(8)), 2, random_state=1).fit(X, y)
    one, other = (member.predict(X) for member in ensemble.estimators_)
    assert not np.allclose(one, other)


# ---- regression -----------------------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_mean_and_standard_deviation_are_those_of_the_members(n_outputs):
    X, y = data(100, n_outputs)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 4, random_state=0).fit(X, y)
    answers = [member.predict(X) for member in refitted(ensemble, X, y)]
    mean, std = ensemble.predict(X, return_std=True)
    assert mean.shape == std.shape == y.shape
    np.testing.assert_array_equal(mean, np.mean(answers, axis=0))
    np.testing.assert_array_equal(std, np.std(answers, axis=0))
    np.testing.assert_array_equal(ensemble.predict(X), mean)
    assert ensemble.score(X, y) == r2_score(y, mean)
    np.testing.assert_array_equal(ensemble.predict(X[:40]), mean[:40])


def test_one_member_is_that_member_without_spread():
    X, y = data(60)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 1, random_state=0).fit(X, y)
    mean, std = ensemble.predict(X, return_std=True)
    np.testing.assert_array_equal(mean, ensemble.estimators_[0].predict(X))
    np.testing.assert_array_equal(std, 0.0)


def test_the_spread_is_larger_where_nothing_was_learned():
    X, y = data(300)
    model = ESNEnsemble(ESNRegressor(50, input_scaling=0.3), 10, random_state=0).fit(X, y)
    near, far = (model.predict(part, return_std=True)[1][50:].mean() for part in (X, 10 * X))
    assert far > 10 * near


def test_all_containers_of_series_come_back():
    frame, target = panel_frames(4, 25)
    X, y = frame.to_numpy().reshape(4, 25, 2), target.to_numpy().reshape(4, 25)
    model = ESNEnsemble(ESNRegressor(**NET), 3, random_state=0)
    mean, std = clone(model).fit(X, y).predict(X, return_std=True)
    assert mean.shape == std.shape == (4, 25)
    groups = np.repeat(np.arange(4), 25)
    by_groups = clone(model).fit(X.reshape(-1, 2), y.ravel(), groups=groups)
    flat = by_groups.predict(X.reshape(-1, 2), groups=groups, return_std=True)
    np.testing.assert_array_equal(np.stack(flat), np.stack([mean.ravel(), std.ravel()]))
    listed = clone(model).fit(list(X), list(y)).predict(list(X), return_std=True)
    assert isinstance(listed[0], list)
    np.testing.assert_array_equal(np.array(listed), np.stack([mean, std]))
    framed = clone(model).fit(frame, target)
    for answer, expected in zip(framed.predict(frame, return_std=True), (mean, std), strict=True):
        assert answer.name == "target"
        pd.testing.assert_index_equal(answer.index, frame.index)
        np.testing.assert_array_equal(answer.to_numpy(), expected.ravel())
    assert framed.feature_names_in_.tolist() == ["u", "v"]


def test_sample_weights_reach_every_member():
    X, y = data(80)
    weights = np.random.RandomState(0).uniform(0.1, 2, 80)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 2, random_state=0).fit(X, y, weights)
    expected = [member.predict(X) for member in refitted(ensemble, X, y, sample_weight=weights)]
    np.testing.assert_array_equal(ensemble.predict(X), np.mean(expected, axis=0))


def test_float32_stays_float32():
    X, y = (part.astype(np.float32) for part in data(60))
    mean, std = (
        ESNEnsemble(ESNRegressor(**NET), 2, random_state=0).fit(X, y).predict(X, return_std=True)
    )
    assert mean.dtype == std.dtype == np.float32


def test_members_that_choose_their_penalty_do_so_each():
    X, y = data(80)
    ensemble = ESNEnsemble(ESNRegressorCV(**NET), 2, n_jobs=2, random_state=0).fit(X, y)
    assert all(member.scores_.shape == (29,) for member in ensemble.estimators_)


def test_parameters_of_the_members_are_searched():
    X, y = data(100)
    search = GridSearchCV(
        ESNEnsemble(ESNRegressor(**NET), 2, random_state=0),
        {"estimator__spectral_radius": [0.3, 0.9], "n_members": [1, 3]},
        cv=TimeSeriesSplit(2),
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 4


# ---- classification -------------------------------------------------------------------------


def test_a_classifier_has_the_mean_probability_and_its_class():
    X, y = labels()
    ensemble = ESNEnsemble(ESNClassifier(**NET), 5, random_state=0).fit(X, y)
    all_proba = np.array([member.predict_proba(X) for member in refitted(ensemble, X, y)])
    proba, spread = ensemble.predict_proba(X, return_std=True)
    np.testing.assert_array_equal(proba, all_proba.mean(axis=0))
    np.testing.assert_array_equal(ensemble.predict_proba(X), proba)
    np.testing.assert_array_equal(spread, all_proba.std(axis=0))
    chosen, std = ensemble.predict(X, return_std=True)
    best = proba.argmax(axis=1)
    assert ensemble.classes_.tolist() == ["high", "low", "mid"]
    np.testing.assert_array_equal(chosen, ensemble.classes_[best])
    np.testing.assert_array_equal(std, spread[np.arange(len(X)), best])
    assert ensemble.score(X, y) == accuracy_score(y, chosen)


def test_a_classifier_gives_frames_and_lists_back():
    frame, _ = panel_frames(4, 25)
    y = pd.Series(np.where(frame["u"] > 0, "up", "down"), index=frame.index, name="move")
    ensemble = ESNEnsemble(ESNClassifier(**NET), 3, random_state=0).fit(frame, y)
    chosen, std = ensemble.predict(frame, return_std=True)
    assert chosen.name == std.name == "move"
    pd.testing.assert_index_equal(std.index, frame.index)
    assert ensemble.predict_proba(frame).columns.tolist() == ["down", "up"]
    X = list(frame.to_numpy().reshape(4, 25, 2))
    listed = clone(ensemble).fit(X, list(y.to_numpy().reshape(4, 25)))
    parts = listed.predict(X)
    assert isinstance(parts, list)
    np.testing.assert_array_equal(np.concatenate(parts), chosen.to_numpy())


def test_members_without_probabilities_vote():
    X, y = labels()
    model = ESNClassifier(**NET, readout=RidgeClassifier())
    ensemble = ESNEnsemble(model, 3, random_state=0).fit(X, y)
    votes = np.array([member.predict(X) for member in ensemble.estimators_])
    share = np.array([(votes == name).mean(axis=0) for name in ensemble.classes_]).T
    chosen, std = ensemble.predict(X, return_std=True)
    np.testing.assert_array_equal(chosen, ensemble.classes_[share.argmax(axis=1)])
    best = share.max(axis=1)
    np.testing.assert_allclose(std, np.sqrt(best * (1 - best)), rtol=1e-12, atol=1e-15)
    with pytest.raises(AttributeError, match="predict_proba"):
        ensemble.predict_proba(X)


def test_whole_sequences_are_classified():
    X, y, X_test, y_test = load_japanese_vowels()
    ensemble = ESNEnsemble(ESNSequenceClassifier(20), 3, random_state=0).fit(X[::5], y[::5])
    chosen, std = ensemble.predict(X_test, return_std=True)
    assert chosen.shape == std.shape == (len(X_test),)
    accuracy = accuracy_score(y_test, chosen)
    assert ensemble.score(X_test, y_test) == accuracy
    members = [member.score(X_test, y_test) for member in ensemble.estimators_]
    assert accuracy > min(members)


def test_it_is_what_its_members_are():
    assert is_regressor(ESNEnsemble())
    assert is_classifier(ESNEnsemble(ESNClassifier()))
    forecaster = ESNEnsemble(ESNForecaster())
    assert not is_regressor(forecaster)
    assert not is_classifier(forecaster)
    assert not hasattr(ESNEnsemble(), "predict_proba")
    assert not hasattr(ESNEnsemble(ESNClassifier()), "forecast")
    assert not hasattr(ESNEnsemble(), "horizon")


# ---- forecasts ------------------------------------------------------------------------------


def forecaster(n_members=5):
    inner = ESNRegressor(40, leak_rate=0.5, bias_scaling=0.3, alpha=1e-3)
    return ESNEnsemble(ESNForecaster(inner, horizon=10), n_members, random_state=0)


def test_a_forecast_is_the_median_of_the_runs_with_spread_and_band():
    series = mackey_glass(600, random_state=0).reshape(-1, 1)
    ensemble = forecaster().fit(series[:500])
    runs = np.array([m.forecast(30) for m in refitted(ensemble, series[:500])])
    assert runs.shape == (5, 30, 1)
    median, std, (lower, upper) = ensemble.forecast(30, return_std=True, bands=(0.25, 0.75))
    np.testing.assert_array_equal(median, np.median(runs, axis=0))
    np.testing.assert_array_equal(std, runs.std(axis=0))
    np.testing.assert_allclose(lower, np.quantile(runs, 0.25, axis=0), rtol=1e-14)
    np.testing.assert_allclose(upper, np.quantile(runs, 0.75, axis=0), rtol=1e-14)
    assert ((lower <= median) & (median <= upper)).all()
    np.testing.assert_array_equal(ensemble.forecast(30), median)
    runs = [member.forecast(7, context=series[400:550]) for member in ensemble.estimators_]
    np.testing.assert_array_equal(
        ensemble.forecast(7, context=series[400:550]), np.median(runs, axis=0)
    )


def test_a_forecaster_continues_the_index_and_scores_its_free_runs():
    series = load_sunspots(as_frame=True)
    ensemble = ESNEnsemble(ESNForecaster(), 3, random_state=0).fit(series)
    median, std = ensemble.forecast(3, return_std=True)
    assert median.index.year.tolist() == std.index.year.tolist() == [2009, 2010, 2011]
    assert (std.to_numpy() > 0).all()  # the seed of the default estimator is drawn anew
    assert ensemble.predict(series).index.year[-1] == 2009
    assert -2 < ensemble.score(series) < 0
    assert ensemble.horizon == 1


def test_a_regressor_on_its_own_input_forecasts_several_contexts():
    series = mackey_glass(300, random_state=0).reshape(-1, 1)
    ensemble = ESNEnsemble(ESNRegressor(30, alpha=1e-3), 3, random_state=0)
    ensemble.fit(series[:-1], series[1:])
    _, (lowest,) = ensemble.forecast(5, context=[series[:100], series[:150]], bands=[0.0])
    for i, end in enumerate((100, 150)):
        runs = [member.forecast(5, context=series[:end]) for member in ensemble.estimators_]
        np.testing.assert_array_equal(lowest[i], np.min(runs, axis=0))


# ---- what is odd ----------------------------------------------------------------------------


def test_an_error_says_which_member_raised_it():
    X, y = data(60)
    model = ESNRegressor(**NET, activation="relu", spectral_radius=9.0)
    ensemble = ESNEnsemble(model, 2, random_state=0)
    X = np.tile(np.abs(X), (10, 1))
    with pytest.raises(ValueError, match=r"too large|finite") as caught:
        ensemble.fit(X, np.tile(y, 10))
    assert "member 0 of 2" in caught.value.__notes__[0]
    assert not hasattr(ensemble, "estimators_")


def test_a_failed_fit_leaves_the_earlier_one():
    X, y = data(60)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 2, random_state=0).fit(X, y)
    before = ensemble.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        ensemble.fit(np.full_like(X, np.nan), y)
    np.testing.assert_array_equal(ensemble.predict(X), before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ESNEnsemble(MemoryRegressor()), "no random_state"),
        (lambda: ESNEnsemble(StandardScaler()), "estimator"),
        (lambda: ESNEnsemble(ReservoirFeatures()), "estimator"),
        (lambda: ESNEnsemble(n_members=0), "n_members"),
    ],
)
def test_what_makes_no_ensemble_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make().fit(*data(30))


def test_states_and_bands_that_make_no_sense_are_refused():
    X, y = naive.data(60)
    ensemble = ESNEnsemble(ESNRegressor(**NET), 2, random_state=0).fit(X, y)
    for params in ({"initial_state": np.zeros(10)}, {"return_state": True}):
        with pytest.raises(ValueError, match="estimators_"):
            ensemble.predict(X, **params)
    with pytest.raises(ValueError, match="bands"):
        ensemble.forecast(3, bands=(0.1, 1.5))
