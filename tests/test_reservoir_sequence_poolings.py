"""Poolings of whole sequences against slow twins: model space, mean output, weights, lengths."""

import tracemalloc

import naive_reservoir as naive
import numpy as np
import pytest
from pooled_waves import LENGTHS, POOLINGS, classifier, features, ragged, regressor, waves
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from reservoir.datasets import load_japanese_vowels

LABEL_FREE = ["mean", "last", "model_space"]


def all_states(model, X, weights=None):
    """States of every case with the zero state before the first row, by the naive twin."""
    rows = np.concatenate(X)
    lengths = [len(part) for part in X]
    w = np.repeat(np.ones(len(X)) if weights is None else weights, lengths)
    mean = np.average(rows, axis=0, weights=w)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=w))
    states = []
    for part in X:
        drive = (part - mean) / scale / np.sqrt(part.shape[1])
        ways = [drive, drive[::-1]] if model.bidirectional else [drive]
        columns = []
        for way in ways:
            columns.append(naive.states(model.reservoir_, way))
            if model.include_input:
                columns.append(way)
        columns = np.hstack(columns)
        states.append(np.vstack([np.zeros(columns.shape[1]), columns]))
    return states


# ---- model space ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bidirectional", "washout", "include_input"), [(True, 0, False), (False, 1, True)]
)
def test_model_space_is_a_ridge_model_of_each_next_reduced_state(
    bidirectional, washout, include_input
):
    X = ragged((12, 5, 2 + 0 * washout, 9, 7, 2, 11, 4))
    model = features(
        pooling="model_space",
        n_components=4,
        model_alpha=0.3,
        bidirectional=bidirectional,
        washout=washout,
        include_input=include_input,
    )
    answer = model.fit_transform(X)
    states = all_states(model, X)
    pca = PCA(4, svd_solver="full").fit(np.concatenate([s[1 + washout :] for s in states]))
    n_rows = sum(len(s) - 1 - washout for s in states)
    first = np.sqrt(pca.explained_variance_[0] * (n_rows - 1) / n_rows)
    largest = np.argmax(np.abs(pca.components_), axis=1)
    signs = np.sign(pca.components_[np.arange(4), largest])
    for vector, s in zip(answer, states, strict=True):
        reduced = (s - pca.mean_) @ (pca.components_.T * signs) / first
        ridge = Ridge(alpha=0.3).fit(reduced[washout:-1], reduced[washout + 1 :])
        expected = np.hstack([ridge.coef_, ridge.intercept_[:, None]])
        np.testing.assert_allclose(vector.reshape(4, 5), expected, rtol=1e-8, atol=1e-9)
    assert len(model.get_feature_names_out()) == 20
    assert model.get_feature_names_out()[4] == "next0_constant"


def test_model_of_one_row_is_the_row():
    X = ragged()
    model = features(pooling="model_space", n_components=3, bidirectional=False).fit(X)
    states = np.concatenate([s[1:] for s in all_states(model, X)])
    pca = PCA(3, svd_solver="full").fit(states)
    reduced = pca.transform(all_states(model, X)[2][1:])[0]
    vector = model.transform(X)[2].reshape(3, 4)
    np.testing.assert_array_equal(vector[:, :3], 0)
    first = np.sqrt(states.shape[0] - 1) * pca.explained_variance_[0] ** 0.5
    scaled = np.abs(reduced) / (first / np.sqrt(states.shape[0]))
    np.testing.assert_allclose(np.abs(vector[:, 3]), scaled, rtol=1e-9)


def test_components_without_variance_are_zero():
    X = ragged(n_features=1)
    rank_one = {"input_weights": np.ones((6, 1)), "spectral_radius": 0.0, "bias_scaling": 0.0}
    model = features(
        **rank_one, n_units=6, activation="identity", pooling="model_space", n_components=4
    )
    for dtype in (np.float64, np.float32):
        parts = [part.astype(dtype) for part in X]
        vectors = model.set_params(bidirectional=False).fit_transform(parts).reshape(-1, 4, 5)
        assert np.median(np.abs(vectors[:, 0, 0])) > 0.1
        np.testing.assert_array_equal(vectors[:, 1:], 0)
        np.testing.assert_array_equal(vectors[:, 0, 1:4], 0)


# ---- mean output ----------------------------------------------------------------------------


@pytest.mark.parametrize(("bidirectional", "washout"), [(True, 0), (False, 2)])
def test_mean_output_averages_a_readout_of_every_row(bidirectional, washout):
    X, y = waves()
    weights = np.random.RandomState(3).uniform(0.2, 2, len(X))
    model = regressor(
        pooling="mean_output", alpha=2.0, bidirectional=bidirectional, washout=washout
    ).fit(X, y, weights)
    states = [s[1 + washout :] for s in all_states(model.features_, X, weights)]
    lengths = [len(s) for s in states]
    row_weights = np.repeat(weights, lengths)
    scaler = StandardScaler().fit(np.concatenate(states), sample_weight=row_weights)
    Z = scaler.transform(np.concatenate(states))
    # The penalty is in units of the targets' variance over cases; Ridge does not care.
    ridge = Ridge(alpha=2.0).fit(Z, np.repeat(y, lengths), row_weights)
    expected = [ridge.predict(scaler.transform(s)).mean() for s in states]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-8)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-7, atol=1e-9)
    assert model.intercept_ == pytest.approx(ridge.intercept_, rel=1e-9)


def test_mean_output_alpha_is_the_best_over_folds_of_cases():
    X, y = waves(43)
    X = [part + 0.5 * np.random.RandomState(4).randn(*part.shape) for part in X]
    y = y + 0.3 * np.random.RandomState(1).randn(43)
    model = regressor(pooling="mean_output").fit(X, y)
    states = [s[1:] for s in all_states(model.features_, X)]
    scaler = StandardScaler().fit(np.concatenate(states))
    states = [scaler.transform(s) for s in states]
    fold = np.empty(43, dtype=int)
    fold[np.argsort(y)] = np.arange(43) % 5
    alphas, errors = np.logspace(-6, 6, 25), np.zeros(25)
    for j, alpha in enumerate(alphas):
        for k in range(5):
            train = [i for i in range(43) if fold[i] != k]
            target = np.concatenate([np.full(len(states[i]), y[i]) for i in train])
            ridge = Ridge(alpha=alpha).fit(np.concatenate([states[i] for i in train]), target)
            for i in np.flatnonzero(fold == k):
                errors[j] += (ridge.predict(states[i]).mean() - y[i]) ** 2
    assert model.alpha_ == pytest.approx(alphas[np.argmin(errors)])
    assert 1e-6 < model.alpha_ < 1e6
    fixed = regressor(pooling="mean_output", alpha=model.alpha_).fit(X, y)
    np.testing.assert_allclose(fixed.predict(X), model.predict(X), rtol=1e-10)


def test_poolings_of_one_row_sequences_are_one_model():
    """One row: its mean, its last and its only output are the same."""
    X = np.random.RandomState(0).randn(50, 1, 3)
    y = X[:, 0, 0] ** 2 + X[:, 0, 1]
    answers = [
        regressor(pooling=pooling, alpha=0.5, bidirectional=False).fit(X, y).predict(X)
        for pooling in ("mean", "last", "mean_output")
    ]
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-10)
    np.testing.assert_allclose(answers[2], answers[0], rtol=1e-7, atol=1e-9)
    assert regressor(pooling="model_space", n_components=4).fit(X, y).score(X, y) > 0.5


@pytest.mark.parametrize("pooling", ["mean_output", "model_space"])
def test_rows_are_folded_in_not_stored(pooling):
    """40 sequences of 2000 rows: 60 columns of states would take 38 MB, 60 to come."""
    X = list(np.random.RandomState(0).randn(40, 2000, 1))
    y = np.arange(40.0)
    model = regressor(n_units=30, pooling=pooling, n_components=3)
    model.fit(X[:3], y[:3])
    tracemalloc.start()
    model.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12e6


# ---- every pooling -----------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", LABEL_FREE)
def test_long_sequences_are_driven_in_blocks_that_do_not_show(pooling):
    X = ragged((2600, 1024, 1501, 1025))
    settings = {"pooling": pooling, "washout": 1000, "n_units": 5, "n_components": 3}
    model = features(**settings).fit(X)
    states = all_states(model, X)
    answer = model.transform(X)
    if pooling == "model_space":
        pca = PCA(3, svd_solver="full").fit(np.concatenate([s[1001:] for s in states]))
        n_rows = sum(len(s) - 1001 for s in states)
        first = np.sqrt(pca.explained_variance_[0] * (n_rows - 1) / n_rows)
        for vector, s in zip(answer, states, strict=True):
            reduced = pca.transform(s) / first
            coef = Ridge(alpha=1.0).fit(reduced[1000:-1], reduced[1001:]).coef_
            diagonal = np.diag(vector.reshape(3, 4)[:, :3])  # signs of components cancel there
            np.testing.assert_allclose(diagonal, np.diag(coef), rtol=1e-7, atol=1e-8)
        return
    expected = [s[-1] if pooling == "last" else s[1001:].mean(0) for s in states]
    np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pooling", LABEL_FREE)
def test_memory_does_not_grow_with_the_states_of_a_long_sequence(pooling):
    """100 000 rows of 40 columns would be 32 MB; the rows themselves and copies are 0.8 MB each."""
    X = [np.random.RandomState(0).randn(100_000, 1)]
    model = features(n_units=20, pooling=pooling, n_components=3).fit([X[0][:50]])
    tracemalloc.start()
    model.transform(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


@pytest.mark.parametrize("pooling", LABEL_FREE)
@pytest.mark.parametrize("scale", [2.0**-900, 1e-150, 1e140, 2.0**990])
def test_units_of_the_inputs_do_not_matter_however_far(scale, pooling):
    X = ragged()
    expected = features(pooling=pooling, n_components=3).fit_transform(X)
    answer = features(pooling=pooling, n_components=3).fit_transform([part * scale for part in X])
    np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("pooling", LABEL_FREE)
def test_included_inputs_stand_beside_the_units(pooling):
    X = ragged()
    model = features(pooling=pooling, include_input=True, n_components=3).fit(X)
    names = list(model.get_feature_names_out())
    assert len(names) == len(set(names)) == model.transform(X).shape[1]
    if pooling == "model_space":
        return
    drive = (np.concatenate(X) - model.mean_) / model.scale_ / np.sqrt(2)
    starts = np.cumsum([0, *LENGTHS])
    for i in range(len(X)):
        case = drive[starts[i] : starts[i + 1]]
        row = dict(zip(names, model.transform(X)[i], strict=True))
        forward = case.mean(0) if pooling == "mean" else case[-1]
        backward = case.mean(0) if pooling == "mean" else case[0]
        assert [row["forward_x0"], row["forward_x1"]] == pytest.approx(forward, abs=1e-12)
        assert [row["backward_x0"], row["backward_x1"]] == pytest.approx(backward, abs=1e-12)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_single_precision_comes_near_double(pooling):
    X, y = waves()
    single = [part.astype(np.float32) for part in X]
    double = regressor(pooling=pooling, alpha=1.0, n_components=5).fit(X, y)
    model = regressor(pooling=pooling, alpha=1.0, n_components=5).fit(single, y)
    assert model.predict(single).dtype == np.float32
    np.testing.assert_allclose(model.predict(single), double.predict(X), rtol=0, atol=2e-3)
    labels = y > 0.7
    proba = classifier(pooling=pooling).fit(single, labels).predict_proba(single)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-6)
    assert regressor(pooling=pooling, dtype="float32").fit(X, y).predict(X).dtype == np.float32


@pytest.mark.parametrize("pooling", POOLINGS)
def test_weights_are_repetitions_and_unlabelled_cases_are_not_there(pooling):
    X, y = waves(20)
    X_test = waves(5, seed=9)[0]
    counts = np.arange(20) % 3
    repeated = [X[i] for i in range(20) for _ in range(counts[i])]
    model = regressor(pooling=pooling, alpha=0.1, n_components=4, washout=1)
    expected = model.fit(repeated, np.repeat(y, counts)).predict(X_test)
    answer = model.fit(X, y, sample_weight=counts).predict(X_test)
    np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-8)
    unlabelled = np.where(counts == 0, np.nan, y)
    answer = model.fit(X, unlabelled, sample_weight=np.maximum(counts, 1)).predict(X_test)
    np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-8)
    model = classifier(pooling=pooling, alpha=0.1, n_components=4)
    labels = np.where(y > 0.7, "fast", "slow")
    expected = model.fit(repeated, np.repeat(labels, counts)).decision_function(X_test)
    answer = model.fit(X, labels, sample_weight=counts).decision_function(X_test)
    np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-8)
    unlabelled = np.where(counts == 0, None, labels)
    answer = model.fit(X, unlabelled, sample_weight=counts + 1.0 * (counts == 0))
    np.testing.assert_allclose(answer.decision_function(X_test), expected, rtol=1e-6, atol=1e-8)
    assert list(model.classes_) == ["fast", "slow"]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_frequency_is_read_off_unseen_waves(pooling):
    X, y = waves(200, 40)
    X_test, y_test = waves(100, 40, seed=1)
    model = regressor(n_units=100, pooling=pooling, n_components=15).fit(X, y)
    summary = [np.concatenate([part.mean(0), part.std(0)]) for part in X]
    summary_test = [np.concatenate([part.mean(0), part.std(0)]) for part in X_test]
    linear = RidgeCV(np.logspace(-6, 6, 25)).fit(summary, y).score(summary_test, y_test)
    assert model.score(X_test, y_test) > max(0.8, linear + 0.1)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_scores_and_probabilities_have_scikit_learns_shapes(pooling):
    X, y = waves(100, 40)
    two, three = np.where(y > 0.7, "b", "a"), np.digitize(y, [0.5, 0.9])
    model = classifier(n_units=60, pooling=pooling).fit(X, two)
    scores, proba = model.decision_function(X), model.predict_proba(X)
    assert scores.shape == (100,)
    assert proba.shape == (100, 2)
    np.testing.assert_array_equal(model.predict(X), np.where(scores > 0, "b", "a"))
    # Two scores that sum to one, projected: (1 + s) / 2, clipped.
    np.testing.assert_allclose(proba[:, 1], np.clip((1 + scores) / 2, 0, 1), rtol=0, atol=1e-7)
    model.fit(X, three)
    assert model.decision_function(X).shape == model.predict_proba(X).shape == (100, 3)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X).argmax(1))
    assert model.score(X, three) > 0.6
    assert model.coef_.shape[0] == model.intercept_.size == 3


@pytest.mark.parametrize("pooling", POOLINGS)
def test_vowels_are_told_apart_with_every_pooling(pooling):
    X, y, X_test, y_test = load_japanese_vowels()
    model = classifier(n_units=60, pooling=pooling, n_components=30).fit(X, y)
    assert model.score(X_test, y_test) >= 0.96


@pytest.mark.parametrize("pooling", POOLINGS)
def test_constant_sequences_answer_the_mean(pooling):
    X, y = np.full((12, 9, 2), 0.1), np.arange(12.0)
    model = regressor(pooling=pooling, alpha=1.0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), 5.5, rtol=1e-9)
    # What was constant in training, up to rounding, is no reason to answer anything else later.
    np.testing.assert_allclose(model.predict(ragged((9, 30))), 5.5, rtol=1e-9)
    X, y = waves(30)
    with_constant = [np.hstack([part, np.full((len(part), 1), 7.3)]) for part in X]
    with_zero = [np.hstack([part, np.zeros((len(part), 1))]) for part in X]
    model = regressor(pooling=pooling, alpha=1.0, n_components=5)
    expected = model.fit(with_zero, y).predict(with_zero)
    answer = model.fit(with_constant, y).predict(with_constant)
    np.testing.assert_allclose(answer, expected, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_rounding_of_equal_features_is_not_learned(pooling, dtype):
    """Without memory all rows have one state; sums of 1 to 12 of them differ by rounding only."""
    X, y = [np.full((n, 2), 0.3, dtype=dtype) for n in LENGTHS], np.arange(8.0)
    model = regressor(pooling=pooling, alpha=1e-3, spectral_radius=0.0, leak_rate=1.0).fit(X, y)
    mean = np.average(y, weights=LENGTHS) if pooling == "mean_output" else 3.5  # rows or cases
    np.testing.assert_allclose(model.predict(X), mean, rtol=1e-6)
