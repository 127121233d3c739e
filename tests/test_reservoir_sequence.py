"""One row = one whole sequence: containers, lengths, order of cases, standardisation, accuracy."""

import pickle
from functools import partial

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV, RidgeCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters.timeseries import SequenceError
from reservoir import ESNSequenceClassifier, ReservoirFeatures
from reservoir.datasets import load_japanese_vowels

EXACT = {"rtol": 1e-11, "atol": 1e-12}


def cases(n=30, n_timesteps=12, n_features=2, seed=0):
    """Three classes of noisy waves of different frequency."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 3
    t = np.arange(n_timesteps)
    waves = np.sin((0.4 + 0.4 * y[:, None]) * t + rng.uniform(0, 6, (n, 1)))
    return waves[:, :, None] * np.arange(1, n_features + 1) + 0.1 * rng.randn(
        n, n_timesteps, n_features
    ), np.array(["slow", "mid", "fast"])[y]


def features(**parameters):
    return ReservoirFeatures(**{"n_units": 15, "random_state": 0, **parameters})


def classifier(**parameters):
    return ESNSequenceClassifier(**{"n_units": 30, "random_state": 0, **parameters})


# ---- features -------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("washout", [0, 3])
def test_features_are_pooled_states_of_the_standardised_sequence(washout, bidirectional, pooling):
    X = [part[:n] for part, n in zip(cases(4)[0], (12, 5, 4, 9), strict=True)]
    model = features(pooling=pooling, bidirectional=bidirectional, washout=washout).fit(X)
    rows = np.concatenate(X)
    expected = []
    for part in X:
        drive = (part - rows.mean(0)) / rows.std(0) / np.sqrt(2)
        directions = [drive, drive[::-1]] if bidirectional else [drive]
        states = [naive.states(model.reservoir_, rows)[washout:] for rows in directions]
        pooled = [s.mean(0) if pooling == "mean" else s[-1] for s in states]
        expected.append(np.concatenate(pooled))
    np.testing.assert_allclose(model.transform(X), expected, **EXACT)
    np.testing.assert_allclose(model.mean_, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(model.scale_, rows.std(0), rtol=1e-12)


def test_every_container_of_cases_gives_the_same_numbers():
    X, y = cases(n_features=1)
    flat = X[:, :, 0]
    index = pd.MultiIndex.from_product([range(30), range(12)])
    frame = pd.DataFrame(X.reshape(-1, 1), index=index)
    expected, proba = features().fit_transform(flat), classifier().fit(flat, y).predict_proba(flat)
    for same in (X, list(X), [part.tolist() for part in X], tuple(X), frame):
        np.testing.assert_array_equal(features().fit_transform(same), expected)
        np.testing.assert_array_equal(classifier().fit(same, y).predict_proba(same), proba)
    assert features().fit(flat).n_features_in_ == 12  # as scikit-learn counts
    assert features().fit(X).n_features_in_ == 1


@pytest.mark.parametrize("pooling", ["mean", "last", "model_space"])
@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_case_does_not_see_its_neighbours(pooling, lengths, random):
    """No padding, no batch effect, no order: alone, shuffled or beside longer ones."""
    model = FITTED[pooling]
    X = [part[:n] for part, n in zip(cases(8)[0], lengths, strict=False)]
    together = model.transform(X)
    order = list(range(len(X)))
    random.shuffle(order)
    np.testing.assert_array_equal(model.transform([X[i] for i in order]), together[order])
    for part, vector in zip(X, together, strict=True):
        np.testing.assert_array_equal(model.transform([part])[0], vector)


FITTED = {
    pooling: features(pooling=pooling, n_components=5).fit(cases()[0])
    for pooling in ("mean", "last", "model_space")
}


@pytest.mark.parametrize("pooling", FITTED)
@pytest.mark.parametrize("at_once", [1, 30, 8192])
def test_many_cases_are_pooled_as_each_alone(at_once, pooling, monkeypatch):
    monkeypatch.setattr("reservoir._driving._ROWS_AT_ONCE", at_once)
    X = [part[: 3 + i % 5] for i, part in enumerate(cases(40)[0])]
    fitted = FITTED[pooling]
    expected = np.concatenate([fitted.transform([part]) for part in X])
    np.testing.assert_array_equal(fitted.transform(X), expected)


@pytest.mark.parametrize("constant", [0.5, 0.1, 1 / 3, 1e6 + 0.1, -7.7e-9])
def test_a_constant_channel_says_nothing_whatever_its_value(constant):
    X = cases()[0]
    X[:, :, 1] = 0.0
    zero = features().fit_transform(X)
    X[:, :, 1] = constant
    model = features().fit(X)
    np.testing.assert_allclose(model.transform(X), zero, rtol=0, atol=1e-8)
    assert model.scale_[1] == 1


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_units_and_offsets_of_the_channels_do_not_matter(scale, offset):
    X = cases()[0]
    moved = X * [scale, 1.0] + [offset, 0.0]
    np.testing.assert_allclose(
        features().fit_transform(moved), features().fit_transform(X), rtol=0, atol=1e-8
    )


def test_standardisation_is_that_of_training():
    X = cases()[0]
    model = features().fit(X)
    vector = model.transform(X[:1])
    np.testing.assert_array_equal(model.transform(X[:1]), vector)
    np.testing.assert_array_equal(model.transform(list(X[:1]) + [X[1] * 100])[:1], vector)
    assert np.abs(model.transform(X[:1] + 1) - vector).max() > 0.01


def test_features_have_names_and_precision():
    X = cases()[0].astype(np.float32)
    model = features().fit(X)
    assert model.transform(X).dtype == np.float32
    np.testing.assert_allclose(model.transform(X), features().fit_transform(cases()[0]), atol=1e-5)
    names = model.get_feature_names_out()
    assert names[0] == "forward0"
    assert names[-1] == "backward14"
    assert len(names) == 30
    frame = features(bidirectional=False).set_output(transform="pandas").fit_transform(X[:, :, 0])
    assert list(frame.columns) == [f"forward{i}" for i in range(15)]


# ---- classifier -----------------------------------------------------------------------------


def test_scores_are_ridge_on_standardised_features():
    X, y = cases()
    model = classifier(alpha=3.0).fit(X, y)
    Z = StandardScaler().fit_transform(model.features_.transform(X))
    target = (y[:, None] == model.classes_).astype(float)
    expected = RidgeCV(alphas=[3.0]).fit(Z, target)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.decision_function(X), expected.predict(Z), rtol=1e-8)
    assert model.alpha_ == 3.0


def test_auto_alpha_is_the_best_leave_one_out_error():
    X, y = cases(60)
    X = X + np.random.RandomState(5).randn(*X.shape)
    model = classifier().fit(X, y)
    Z = StandardScaler().fit_transform(model.features_.transform(X))
    target = (y[:, None] == model.classes_).astype(float)
    errors = []
    for alpha in np.logspace(-6, 6, 25):
        # Leave-one-out of ridge with an intercept: e_i / (1 - h_ii), h of the centred columns.
        hat = Z @ np.linalg.solve(Z.T @ Z + alpha * np.eye(60), Z.T) + 1 / 60
        left_out = (target - hat @ target) / (1 - np.diag(hat))[:, None]
        errors.append((left_out**2).mean())
    assert model.alpha_ == pytest.approx(np.logspace(-6, 6, 25)[np.argmin(errors)])
    assert 1e-6 < model.alpha_ < 1e6
    fixed = classifier(alpha=float(model.alpha_)).fit(X, y)
    np.testing.assert_allclose(fixed.predict_proba(X), model.predict_proba(X), rtol=0, atol=1e-9)
    assert classifier(alpha=0.0).fit(X, y).score(X, y) == 1


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["str", "int", "bool"])
def test_probabilities_belong_to_the_labels(n_classes, kind):
    X, y = cases()
    if kind == "bool" or n_classes == 2:
        n_classes, y = 2, y == "slow"
    y = {"str": y.astype(str), "int": np.unique(y, return_inverse=True)[1] * 7 - 3, "bool": y}[kind]
    model = classifier().fit(X, y)
    proba, answer, scores = model.predict_proba(X), model.predict(X), model.decision_function(X)
    assert proba.shape == (30, n_classes)
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-12)
    assert proba.min() >= 0
    np.testing.assert_array_equal(model.classes_[proba.argmax(1)], answer)
    best = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(1)
    np.testing.assert_array_equal(model.classes_[best], answer)
    assert answer.dtype == y.dtype
    assert model.score(X, y) == 1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_cases_may_be_shuffled(seed):
    X, y = cases()
    order = np.random.RandomState(seed).permutation(30)
    model = classifier().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X[order]), model.predict_proba(X)[order])
    other = classifier().fit(X[order], y[order])
    np.testing.assert_allclose(other.predict_proba(X), model.predict_proba(X), rtol=0, atol=1e-6)


def test_sequences_of_any_length_are_answered():
    X, y = cases(120)
    ragged = [part[: 8 + i % 5] for i, part in enumerate(X)]
    model = classifier().fit(ragged, y)
    assert model.score(ragged, y) > 0.8
    assert model.predict([X[0], X[1][:1], np.tile(X[2], (9, 1))]).shape == (3,)


@pytest.mark.parametrize("seed", range(3))
def test_japanese_vowels_are_told_apart(seed):
    """Published: 0.941 (k-nearest neighbours) to 0.99 (tuned networks) on the official split."""
    X, y, X_test, y_test = load_japanese_vowels()
    model = ESNSequenceClassifier(random_state=seed).fit(X, y)
    assert model.score(X_test, y_test) >= 0.97
    assert model.predict_proba(X_test).shape == (370, 9)


def test_features_of_vowels_serve_any_classifier():
    X, y, X_test, y_test = load_japanese_vowels()
    model = make_pipeline(
        ReservoirFeatures(60, random_state=0), StandardScaler(), LogisticRegression(max_iter=300)
    )
    assert model.fit(X, y).score(X_test, y_test) > 0.94
    own = classifier().fit(X, y)
    margins = RidgeClassifierCV(np.logspace(-6, 6, 25))
    Z = StandardScaler().fit(own.features_.transform(X))
    margins.fit(Z.transform(own.features_.transform(X)), y)
    same = margins.predict(Z.transform(own.features_.transform(X_test)))
    assert (same == own.predict(X_test)).mean() > 0.99


# ---- scikit-learn's side ------------------------------------------------------------------------


def test_copies_of_any_kind_answer_the_same():
    X, y = cases()
    model = classifier().fit(X, y)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)):
        np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    before = pickle.dumps(vars(model))
    model.predict(X[:3])
    assert pickle.dumps(vars(model)) == before
    np.testing.assert_array_equal(X, cases()[0])
    other = classifier(random_state=1).fit(X, y)
    assert np.abs(other.predict_proba(X) - model.predict_proba(X)).max() > 1e-6


def test_cases_are_rows_for_cross_validation_and_search():
    X, y = cases(60)
    assert cross_val_score(classifier(), X[:, :, 0], y, cv=3).min() > 0.8
    search = GridSearchCV(classifier(), {"leak_rate": [0.1, 0.6], "alpha": ["auto", 1.0]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.8


# ---- what cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize("make", [features, classifier])
def test_channels_before_time_are_noticed(make):
    X, y = cases()
    model = make().fit(X, y)
    use = partial(_use, model)
    with pytest.raises(SequenceError, match=r"Channels seem to stand before time.*swapaxes"):
        use(np.swapaxes(X, 1, 2))
    with pytest.raises(SequenceError, match=r"3 features a time step.*fitted with 2"):
        use(np.concatenate([X, X[:, :, :1]], axis=2))


@pytest.mark.parametrize("make", [features, classifier])
def test_sequences_that_cannot_be_are_refused(make):
    X, y = cases()
    with pytest.raises(SequenceError, match="empty"):
        make().fit([*X[:-1], X[0][:0]], y)
    with pytest.raises(SequenceError, match="differ in their number of features"):
        make().fit([*X[:-1], X[0][:, :1]], y)
    with pytest.raises(SequenceError, match="2-D"):
        make().fit([*X[:-1, :, 0], X[0, :5, 0]], y)
    bad = X.copy()
    bad[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*series 3, time step 2, column 1"):
        make().fit(bad, y)
    fitted = make(washout=4).fit(X, y)
    with pytest.raises(ValueError, match="washout=4 leaves nothing of a sequence of 4"):
        _use(fitted, [*X, X[0][:4]])
    fitted = make().fit(X[:, :, 0], y)
    with pytest.raises(ValueError, match=r"5 features.*12"):
        _use(fitted, X[:, :5, 0])


def _use(model, X):
    return model.transform(X) if isinstance(model, ReservoirFeatures) else model.predict(X)


def test_labels_that_cannot_be_are_refused():
    X, y = cases()
    with pytest.raises(ValueError, match=r"at least two classes.*'one'"):
        classifier().fit(X, ["one"] * 30)
    with pytest.raises(ValueError, match=r"30 sequences.*29 labels"):
        classifier().fit(X, y[:-1])
    with pytest.raises(ValueError, match="Unknown label type"):
        classifier().fit(X, np.random.RandomState(0).randn(30))
    with pytest.raises(ValueError, match="requires y"):
        classifier().fit(X, None)
    with pytest.raises(ValueError, match="nothing to learn from"):
        classifier().fit(X, np.full(30, np.nan))
    with pytest.raises(ValueError, match="infinity"):
        classifier().fit(X, np.where(np.arange(30) > 3, 1.0, np.inf))
    with pytest.raises(ValueError, match=r"at least two classes.*1.0"):
        classifier().fit(X, np.where(np.arange(30) > 3, 1.0, 0.0), np.arange(30) > 3)
