"""Adaline against scikit-learn's SGD, least squares and the iris oracle."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import AdalineClassifier, AdalineRegressor, LMSFilter
from filters.timeseries import DivergenceError


def linear_data(n=200, n_features=3, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_features))
    return X, X @ np.arange(1.0, n_features + 1) - 2.0 + noise * rng.standard_normal(n)


def two_irises():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X[:100, [0, 3]]), np.where(y[:100] == 0, -1, 1)


def test_iris_oracle():
    """Sepal length and petal width of two species converge to the normal equations' answer."""
    X, y = two_irises()
    given = {"learning_rate": 1e-4, "max_iter": 5000, "tol": None, "random_state": 0}
    model = AdalineClassifier(**given).fit(X, y)
    np.testing.assert_allclose(model.coef_, [[-0.0796, 1.0232]], rtol=0, atol=3e-4)
    np.testing.assert_allclose(model.intercept_, [0.0], rtol=0, atol=3e-4)
    loss = 0.5 * np.sum((y - model.decision_function(X)) ** 2)
    np.testing.assert_allclose(loss, 3.7712, rtol=1e-4)
    np.testing.assert_allclose(model.loss_curve_[-1] * 100, 3.7712, rtol=1e-3)
    assert model.score(X, y) == 1.0
    regressor = AdalineRegressor(**given).fit(X, y)
    np.testing.assert_array_equal(regressor.coef_, model.coef_[0])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_defaults_part_two_irises_too(seed):
    X, y = two_irises()
    model = AdalineClassifier(random_state=seed).fit(X, y)
    np.testing.assert_allclose(model.coef_, [[-0.0796, 1.0232]], rtol=0, atol=0.04)
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("max_iter", [1, 7])
def test_it_is_scikit_learns_sgd_with_a_constant_step(max_iter, fit_intercept):
    X, y = linear_data()
    given = {"fit_intercept": fit_intercept, "shuffle": False, "max_iter": max_iter, "tol": None}
    sgd = SGDRegressor(penalty=None, learning_rate="constant", eta0=0.01, **given).fit(X, y)
    model = AdalineRegressor(learning_rate=0.01, **given).fit(X, y)
    np.testing.assert_allclose(model.coef_, sgd.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, sgd.intercept_[0], rtol=1e-12, atol=1e-15)
    assert model.n_iter_ == len(model.loss_curve_) == max_iter


def test_one_epoch_is_lms_with_one_tap():
    X, y = linear_data()
    lms = LMSFilter(1, step_size=0.01, fit_intercept=True)
    error = lms.adapt(X, y).error
    model = AdalineRegressor(shuffle=False, max_iter=1).fit(X, y)
    np.testing.assert_array_equal(model.coef_, lms.coef_[:, 0])
    assert model.intercept_ == lms.intercept_
    np.testing.assert_allclose(model.loss_curve_, [0.5 * np.mean(error**2)], rtol=1e-12)


def test_it_settles_at_least_squares():
    X, y = linear_data(noise=0.5)
    wanted = np.linalg.lstsq(np.column_stack([X, np.ones(200)]), y, rcond=None)[0]
    model = AdalineRegressor(learning_rate=1e-4, max_iter=2000, tol=None, random_state=0).fit(X, y)
    np.testing.assert_allclose(np.r_[model.coef_, model.intercept_], wanted, rtol=0, atol=1e-3)


def test_rows_are_shuffled_by_the_seed():
    X, y = linear_data(noise=1.0)
    once = [AdalineRegressor(random_state=s, max_iter=3).fit(X, y).coef_ for s in (0, 0, 1)]
    np.testing.assert_array_equal(once[0], once[1])
    assert np.abs(once[0] - once[2]).max() > 1e-4
    order = np.random.RandomState(0).permutation(200)
    wanted = AdalineRegressor(shuffle=False, max_iter=1).fit(X[order], y[order])
    found = AdalineRegressor(random_state=0, max_iter=1).fit(X, y)
    np.testing.assert_array_equal(found.coef_, wanted.coef_)


def test_training_stops_after_five_epochs_without_progress():
    X, y = linear_data(noise=0.0)
    model = AdalineRegressor(tol=1e-3, max_iter=500, shuffle=False).fit(X, y)
    curve = np.array(model.loss_curve_)
    best = np.minimum.accumulate(curve)[:-1]
    slow = curve[1:] > best - 1e-3
    assert slow[-5:].all()
    assert not any(slow[i : i + 5].all() for i in range(len(slow) - 5))
    assert model.n_iter_ == curve.size < 500
    assert AdalineRegressor(tol=None, max_iter=60).fit(X, y).n_iter_ == 60


@pytest.mark.parametrize("scale", [1e2, 1e8, 1e-8])
def test_rows_too_large_for_the_step_are_learned_exactly_not_overshot(scale):
    X, y = linear_data()
    X = scale * X
    model = AdalineRegressor(shuffle=False, max_iter=1, fit_intercept=False)
    w = np.zeros(3)
    for x, d in zip(X, y, strict=True):
        w = w + min(0.01, 1 / (x @ x)) * (d - w @ x) * x
    np.testing.assert_allclose(model.fit(X, y).coef_, w, rtol=1e-9)
    curve = AdalineRegressor(fit_intercept=False, tol=None).fit(X, y + 2).loss_curve_
    assert np.isfinite(curve).all()
    assert curve[-1] <= curve[0]


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_partial_fit_is_one_epoch_in_order_whatever_the_chunks(kind):
    X, y = linear_data()
    if kind == "classifier":
        model, y, first = AdalineClassifier(shuffle=False), y > -2, {"classes": [False, True]}
    else:
        model, first = AdalineRegressor(shuffle=False), {}
    twice = clone(model).set_params(max_iter=2).fit(X, y)
    whole = clone(model).partial_fit(X, y, **first).partial_fit(X, y)
    np.testing.assert_array_equal(whole.coef_, twice.coef_)
    assert whole.loss_curve_ == twice.loss_curve_
    chunks = clone(model)
    for _ in range(2):
        for a, b in ((0, 1), (1, 60), (60, 200)):
            chunks.partial_fit(X[a:b], y[a:b], **first)
            chunks = pickle.loads(pickle.dumps(chunks))
    np.testing.assert_array_equal(chunks.coef_, whole.coef_)
    np.testing.assert_array_equal(chunks.intercept_, whole.intercept_)
    assert chunks.n_iter_ == 6
    np.testing.assert_array_equal(chunks.fit(X, y).coef_, model.fit(X, y).coef_)


@pytest.mark.parametrize(
    "labels", [[0, 1], [-1, 1], [7, 3], ["no", "yes"], [False, True], [1.0, 2.0]]
)
def test_any_two_labels_are_learned_alike(labels):
    X, y = two_irises()
    labels = np.array(labels)
    model = AdalineClassifier(random_state=0).fit(X, labels[(y > 0).astype(int)])
    plain = AdalineClassifier(random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.sort(labels))
    sign = 1 if labels[0] < labels[1] else -1
    np.testing.assert_array_equal(model.coef_, sign * plain.coef_)
    np.testing.assert_array_equal(model.predict(X), labels[(y > 0).astype(int)])
    assert model.decision_function(X).shape == (100,)


def test_many_classes_are_one_against_the_rest():
    X, y = load_iris(return_X_y=True)
    X, names = StandardScaler().fit_transform(X), np.array(["a", "b", "c"])
    model = AdalineClassifier(random_state=0, tol=None).fit(X, names[y])
    assert model.coef_.shape == (3, 4)
    assert model.decision_function(X).shape == (150, 3)
    for k in range(3):
        one = AdalineClassifier(random_state=0, tol=None).fit(X, y == k)
        np.testing.assert_array_equal(model.coef_[k], one.coef_[0])
        np.testing.assert_array_equal(model.intercept_[k], one.intercept_[0])
    A = np.column_stack([X, np.ones(150)])
    best = np.linalg.lstsq(A, 2.0 * np.eye(3)[y] - 1, rcond=None)[0]
    wanted = np.mean((A @ best).argmax(axis=1) == y)
    np.testing.assert_allclose(model.score(X, names[y]), wanted, rtol=0, atol=0.03)


def test_several_outputs_are_several_models():
    X, y = linear_data()
    Y = np.column_stack([y, -2 * y + X[:, 0]])
    model = AdalineRegressor(random_state=0, tol=None).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    for k in range(2):
        one = AdalineRegressor(random_state=0, tol=None).fit(X, Y[:, k])
        np.testing.assert_array_equal(model.coef_[k], one.coef_)
        np.testing.assert_array_equal(model.intercept_[k], one.intercept_)
    column = AdalineRegressor(random_state=0).fit(X, Y[:, :1])
    assert column.coef_.shape == (1, 3)
    assert column.predict(X).shape == (200, 1)


def test_weights_handed_out_do_not_change_behind_the_callers_back():
    X, y = linear_data()
    model = AdalineRegressor().partial_fit(X, y)
    coef, curve = model.coef_, model.loss_curve_
    kept = coef.copy()
    model.partial_fit(X, y)
    np.testing.assert_array_equal(coef, kept)
    assert len(curve) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X, y = linear_data()
    model = AdalineRegressor().fit(X.astype(dtype), y)
    assert model.coef_.dtype == model.predict(X.astype(dtype)).dtype == dtype
    model.partial_fit(X, y)
    assert model.coef_.dtype == dtype
    classifier = AdalineClassifier().fit(X.astype(dtype), y > 0)
    assert classifier.decision_function(X.astype(dtype)).dtype == dtype


def test_it_works_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    assert make_pipeline(StandardScaler(), AdalineClassifier()).fit(X, y).score(X, y) > 0.75


@pytest.mark.parametrize("cls", [AdalineRegressor, AdalineClassifier])
@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("max_iter", 0), ("tol", -1.0), ("shuffle", "yes")],
)
def test_bad_parameters_are_named(cls, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {cls.__name__} must be"):
        cls(**{name: value}).fit([[0.0], [1.0]], [0, 1])


def test_labels_that_make_no_sense_are_refused():
    X = np.arange(4.0)[:, np.newaxis]
    with pytest.raises(ValueError, match="at least two classes; y has one class, 3"):
        AdalineClassifier().fit(X, [3, 3, 3, 3])
    model = AdalineClassifier().partial_fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"y holds the label 2, .* not among the classes"):
        model.partial_fit(X, [0, 1, 2, 1])
    with pytest.raises(ValueError, match="are not those of before"):
        model.partial_fit(X, [0, 1, 0, 1], classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"y has 2 output\(s\), .* was fitted with 1"):
        AdalineRegressor().partial_fit(X, X[:, 0]).partial_fit(X, np.ones((4, 2)))


def test_nothing_is_left_half_done_after_an_error():
    X, y = linear_data()
    model = AdalineRegressor()
    rows, huge = np.tile([[1.0], [-1e3]], (100, 3)), np.full(200, 1.7e308)
    with pytest.raises(DivergenceError, match=r"left the finite numbers in epoch 0 at row \d+"):
        model.fit(rows, huge)
    with pytest.raises(NotFittedError):
        model.predict(X)
    coef = model.fit(X, y).coef_
    with pytest.raises(DivergenceError):
        model.partial_fit(rows, huge)
    assert model.coef_ is coef
    assert model.n_iter_ == len(model.loss_curve_)
