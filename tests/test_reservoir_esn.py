"""Echo state networks: noise, precision, memory off, closed loops, scikit-learn's tools."""

import naive_reservoir as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_reservoir import data, panel_frames
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import RLSFilter, TapDelay
from filters.timeseries import DivergenceError, nrmse
from reservoir import ESNClassifier, ESNRegressor, MemoryRegressor, Reservoir
from reservoir.datasets import lorenz, narma

NET = {"leak_rate": 0.6, "bias_scaling": 0.4, "random_state": 0}
LOOP = {"rtol": 1e-10, "atol": 1e-10}


def waves(n=300, n_features=2):
    t = np.arange(n)[:, None]
    return np.sin(t * np.array([0.2, 0.31, 0.07])[:n_features]) + 0.3 * np.cos(0.11 * t)


# ---- the model as a formula -----------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity", "sigmoid"])
@pytest.mark.parametrize("topology", ["random_dense", "random_sparse"])
def test_predictions_are_the_written_out_formula(topology, activation):
    X, y = narma(400, random_state=0)
    model = ESNRegressor(25, topology=topology, activation=activation, alpha=1e-4, **NET)
    model.fit(X[:300], y[:300])
    Z = np.hstack([naive.states(model.reservoir_, X), X])
    coef, intercept = naive.ridge(Z[:300], y[:300], 1e-4)
    np.testing.assert_allclose(model.predict(X), (Z @ coef + intercept)[:, 0], rtol=1e-7, atol=1e-8)


def test_the_reservoir_is_that_of_the_same_parameters():
    X, y = narma(100, random_state=0)
    parameters = {"n_units": 30, "spectral_radius": 0.7, "input_scaling": 0.3, **NET}
    fitted = ESNRegressor(**parameters).fit(X, y).reservoir_
    alone = Reservoir(**parameters).fit(X)
    np.testing.assert_array_equal(fitted.transform(X), alone.transform(X))
    assert fitted.get_params() == alone.get_params()


def test_an_echo_state_network_learns_narma():
    X, y = narma(3000, random_state=0)
    train, test = slice(2000), slice(2000, 3000)
    taps = MemoryRegressor(TapDelay(50), washout=100).fit(X[train], y[train])
    net = ESNRegressor(200, input_scaling=0.3, washout=100, random_state=0).fit(X[train], y[train])
    floor = nrmse(y[test][100:], taps.predict(X[test])[100:])
    assert floor > 0.37  # published for any linear memory: about 0.4
    assert nrmse(y[test][100:], net.predict(X[test])[100:]) < 0.32  # published: 0.20 to 0.28


# ---- precision, seeds, noise ------------------------------------------------------------------


@pytest.mark.parametrize("feedback_scaling", [0.0, 0.2])
def test_float32_stays_float32_and_close(feedback_scaling):
    X, y = narma(500, random_state=0)
    model = ESNRegressor(20, feedback_scaling=feedback_scaling, alpha=1e-3, **NET)
    wide = clone(model).fit(X, y).predict(X)
    for dtype, rows in (("auto", X.astype(np.float32)), ("float32", X)):
        narrow = clone(model).set_params(dtype=dtype).fit(rows, y)
        answer, state = narrow.predict(rows, return_state=True)
        assert (answer.dtype, state.dtype) == (np.float32, np.float32)
        assert narrow.forecast(3).dtype == np.float32
        assert narrow.coef_.dtype == np.float64  # moments are never narrow
        np.testing.assert_allclose(answer, wide, rtol=0, atol=5e-4)


def test_same_seed_same_bits_and_another_seed_another_network():
    X, y = narma(200, random_state=0)
    one, two, other = (ESNRegressor(20, random_state=s).fit(X, y).predict(X) for s in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-6
    shared = [ESNRegressor(20, random_state=np.random.RandomState(3)).fit(X, y) for _ in range(2)]
    np.testing.assert_array_equal(shared[0].predict(X), shared[1].predict(X))
    free = [ESNRegressor(20).fit(X, y).predict(X) for _ in range(2)]
    assert np.abs(free[0] - free[1]).max() > 1e-6


def test_noise_is_seeded_gaussian_and_in_fit_only():
    X, y = narma(600, random_state=0)
    model = ESNRegressor(20, noise=0.2, **NET).fit(X, y)
    np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)
    quiet = ESNRegressor(20, **NET).fit(X, y)
    np.testing.assert_array_equal(model.reservoir_.transform(X), quiet.reservoir_.transform(X))
    assert np.abs(model.coef_).sum() < 0.9 * np.abs(quiet.coef_).sum()  # it regularises
    states = []
    noisy = clone(model).set_params(readout=Recorder(states)).fit(X, y)
    drawn = np.random.RandomState(noisy.reservoir_._seeds["noise"]).standard_normal((600, 20))
    expected = naive.states(noisy.reservoir_, X, noise=0.2 * drawn)
    np.testing.assert_allclose(states[0][:, :20], expected, rtol=1e-12, atol=1e-13)
    noisy.predict(X)
    np.testing.assert_array_equal(states[1][:, :20], quiet.reservoir_.transform(X))


class Recorder(Ridge):
    """A readout that keeps what it was shown."""

    def __init__(self, seen=None):
        super().__init__()
        self.seen = seen

    def __sklearn_clone__(self):
        return Recorder(self.seen)

    def fit(self, X, y):
        self.seen.append(X.copy())
        return super().fit(X, y)

    def predict(self, X):
        self.seen.append(X.copy())
        return super().predict(X)


# ---- memory off -----------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_without_memory_rows_may_be_shuffled(seed):
    X, y = narma(120, random_state=1)
    order = np.random.RandomState(seed).permutation(120)
    model = ESNRegressor(15, spectral_radius=0, bias_scaling=0.5, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X[order]), model.predict(X)[order])
    labels = np.where(y > np.median(y), "up", "down")
    classifier = ESNClassifier(15, spectral_radius=0, bias_scaling=0.5, random_state=0)
    classifier.fit(X, labels)
    np.testing.assert_array_equal(
        classifier.predict_proba(X[order]), classifier.predict_proba(X)[order]
    )
    trained_in_another_order = clone(model).fit(X[order], y[order])
    np.testing.assert_allclose(trained_in_another_order.predict(X), model.predict(X), atol=1e-6)


# ---- closed loop ----------------------------------------------------------------------------


def forecasting(name="network", n_features=2, **parameters):
    X = waves(n_features=n_features)
    model = {
        "network": ESNRegressor(30, alpha=1e-4, **NET),
        "states only": ESNRegressor(30, alpha=1e-4, include_input=False, **NET),
        "sparse": ESNRegressor(60, alpha=1e-4, topology="random_sparse", **NET),
        "float32": ESNRegressor(30, alpha=1e-2, dtype="float32", **NET),
        "online": ESNRegressor(10, readout=RLSFilter(delta=0.1), **NET),
        "kernel": ESNRegressor(10, readout=KernelRidge(alpha=1e-2, kernel="rbf"), **NET),
        "taps": MemoryRegressor(TapDelay(12), alpha=1e-4),
    }[name].set_params(**parameters)
    return X, model.fit(X[:-1], X[1:])


EVERY_LOOP = pytest.mark.parametrize(
    "name", ["network", "states only", "sparse", "float32", "online", "kernel", "taps"]
)


@EVERY_LOOP
def test_forecast_is_the_open_loop_fed_with_its_own_output(name):
    X, model = forecasting(name)
    context = X[:120]
    free = model.forecast(25, context=context)
    tolerance = {"rtol": 0, "atol": 1e-3} if name == "float32" else LOOP
    answer, state = model.predict(context, return_state=True)
    np.testing.assert_allclose(free[0], answer[-1], **tolerance)  # the step after the context
    row, by_hand = answer[-1], []
    for _ in range(25):
        by_hand.append(row)
        step, state = model.predict(row[None], initial_state=state, return_state=True)
        row = step[0]
    np.testing.assert_allclose(free, by_hand, **tolerance)
    assert free.dtype == model.predict(context).dtype
    np.testing.assert_array_equal(model.forecast(25, context=context), free)
    np.testing.assert_array_equal(model.forecast(7, context=context), free[:7])


@EVERY_LOOP
def test_a_batch_of_contexts_is_one_by_one_in_kind(name):
    X, model = forecasting(name)
    contexts = [X[:50], X[20:21], X[100:290]]
    runs = model.forecast(8, context=contexts)
    assert isinstance(runs, list)
    for run, context in zip(runs, contexts, strict=True):
        np.testing.assert_array_equal(run, model.forecast(8, context=context))
    panel = model.forecast(8, context=X[:60].reshape(3, 20, 2))
    assert panel.shape == (3, 8, 2)
    np.testing.assert_array_equal(panel[2], model.forecast(8, context=X[40:60]))


@EVERY_LOOP
def test_without_context_a_forecast_goes_on_from_the_last_training_row(name):
    X, model = forecasting(name)
    free = model.forecast(10)
    np.testing.assert_allclose(free, model.forecast(10, context=X[:-1]), rtol=1e-5, atol=1e-7)
    listed = clone(model).fit([X[:100], X[100:-1]], [X[1:101], X[101:]])
    after_last = listed.forecast(10, context=X[100:-1])
    np.testing.assert_allclose(listed.forecast(10), after_last, rtol=1e-5, atol=1e-7)
    if name == "network":
        parts = clone(model).partial_fit(X[:100], X[1:101]).partial_fit(X[100:-1], X[101:])
        np.testing.assert_array_equal(parts.forecast(10), free)


def test_one_series_of_one_feature_is_forecast_in_the_form_of_y():
    X = waves(n_features=1)
    flat = ESNRegressor(60, alpha=1e-8, **NET).fit(X[:-1], X[1:, 0])
    column = ESNRegressor(60, alpha=1e-8, **NET).fit(X[:-1], X[1:])
    assert flat.forecast(5).shape == (5,)
    np.testing.assert_array_equal(column.forecast(5), flat.forecast(5)[:, None])
    np.testing.assert_allclose(flat.forecast(20, context=X[:200]), X[200:220, 0], rtol=0, atol=0.05)


def test_a_chaotic_series_is_followed_for_several_lyapunov_times():
    X = lorenz(6000, dt=0.02, random_state=0)
    X = (X - X.mean(0)) / X.std(0)
    model = ESNRegressor(
        300, spectral_radius=0.6, input_scaling=0.3, bias_scaling=0.5, alpha=1e-7, random_state=0
    )
    model.fit(X[:4999], X[1:5000])
    starts = range(5200, 5900, 100)
    free = model.forecast(100, context=[X[s - 200 : s] for s in starts])
    errors = [np.abs(run - X[s : s + 100]).mean() for s, run in zip(starts, free, strict=True)]
    assert np.median(errors) < 0.1  # over 1.8 Lyapunov times; any two states are about 1 apart


def test_what_cannot_be_forecast_says_why():
    X, y = narma(100, random_state=0)
    model = ESNRegressor(10, **NET).fit(waves(100), y)
    with pytest.raises(ValueError, match=r"n_outputs == n_features.*y has 1 and X 2"):
        model.forecast(5)
    model.fit(X, y)
    for bad in (0, -1, 2.0, "3", True, None):
        with pytest.raises(ValueError, match="n_steps must be a positive integer"):
            model.forecast(bad)
    with pytest.raises(ValueError, match="features"):
        model.forecast(3, context=waves(20))
    with pytest.raises(ValueError, match="NaN"):
        model.forecast(3, context=[[np.nan]])


@pytest.mark.parametrize("name", ["network", "taps"])
def test_a_loop_that_leaves_the_finite_numbers_is_an_error(name):
    """y(t) = 3 x(t) fed back: every step multiplies by three."""
    X = np.random.RandomState(0).randn(50, 1)
    model = {
        "network": ESNRegressor(1, spectral_radius=0, input_scaling=0, alpha=0.0),
        "taps": MemoryRegressor(TapDelay(1), alpha=0.0),
    }[name]
    if name == "network":
        with pytest.warns(LinAlgWarning):
            model.fit(X, 3 * X[:, 0])
    else:
        model.fit(X, 3 * X[:, 0])
    with pytest.raises(DivergenceError, match=r"forecast diverged at step 64\d of 2000") as error:
        model.forecast(2000, context=[[1.0]])
    # 3^(k + 1) passes the largest double.
    assert error.value.step == int(np.log(np.finfo(float).max) / np.log(3))
    assert np.isfinite(model.forecast(600, context=[[1.0]])).all()


# ---- inside scikit-learn -------------------------------------------------------------------------


def test_grid_search_over_a_panel_frame():
    X, y = panel_frames()
    groups = X.index.get_level_values("id")
    scaler = StandardScaler().set_output(transform="pandas")
    pipeline = make_pipeline(scaler, ESNRegressor(12, **NET))
    grid = {"esnregressor__leak_rate": [0.2, 1.0], "esnregressor__alpha": [1e-6, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(4)).fit(X, y, groups=groups)
    assert search.best_score_ > 0.7
    test = groups.isin(groups[next(GroupKFold(4).split(X, y, groups))[1]])
    best = clone(search.best_estimator_).fit(X[~test], y[~test])
    expected = search.cv_results_["split0_test_score"][search.best_index_]
    assert best.score(X[test], y[test]) == pytest.approx(expected, rel=1e-12)
    answer = search.predict(X)
    pd.testing.assert_index_equal(answer.index, X.index)


def test_a_pipeline_scales_before_the_network():
    X, y = data()
    model = make_pipeline(StandardScaler(), ESNRegressor(12, **NET)).fit(5 * X + 3, y)
    scaled = StandardScaler().fit(5 * X + 3).transform(5 * X + 3)
    expected = ESNRegressor(12, **NET).fit(scaled, y).predict(scaled)
    np.testing.assert_array_equal(model.predict(5 * X + 3), expected)


def test_groups_travel_through_cross_validation():
    X, y = data()
    groups = np.repeat(np.arange(8), 30)
    model = TransformedTargetRegressor(ESNRegressor(12, **NET), transformer=StandardScaler())
    frame, target = panel_frames()
    in_panel = cross_val_predict(model, frame, target, groups=groups, cv=GroupKFold(4))
    for i in range(4):  # the same, by hand
        test = np.isin(groups, [k for k in range(8) if fold_of(groups, k) == i])
        scale = StandardScaler().fit(y[~test, None])
        by_hand = ESNRegressor(12, **NET)
        by_hand.fit(X[~test], scale.transform(y[~test, None])[:, 0], groups=groups[~test])
        expected = scale.inverse_transform(by_hand.predict(X[test], groups=groups[test])[:, None])
        np.testing.assert_allclose(in_panel[test], expected[:, 0], rtol=1e-9, atol=1e-12)


def fold_of(groups, k):
    folds = GroupKFold(4).split(np.zeros(240), None, groups)
    return next(i for i, (_, test) in enumerate(folds) if k in groups[test])


def test_transformed_targets_come_back_in_their_own_units():
    X, y = panel_frames()
    model = TransformedTargetRegressor(
        ESNRegressor(12, **NET), func=lambda t: t / 1e3, inverse_func=lambda t: t * 1e3
    )
    answer = model.fit(X, y).predict(X)
    scaled = ESNRegressor(12, **NET).fit(X, y / 1e3).predict(X)
    np.testing.assert_allclose(answer, scaled.to_numpy() * 1e3, rtol=1e-9, atol=1e-12)
    assert r2_score(y, answer) > 0.8


def test_stacking_over_a_panel_frame():
    X, y = panel_frames()
    stack = StackingRegressor(
        [("fast", ESNRegressor(12, **NET)), ("taps", MemoryRegressor(TapDelay(3)))],
        final_estimator=LinearRegression(),
        cv=4,
    ).fit(X, y)
    answer = np.asarray(stack.predict(X))
    columns = np.stack([np.asarray(m.predict(X)) for m in stack.estimators_], axis=1)
    np.testing.assert_allclose(answer, stack.final_estimator_.predict(columns), rtol=1e-12)
    np.testing.assert_array_equal(columns[:, 0], ESNRegressor(12, **NET).fit(X, y).predict(X))
    assert r2_score(y, answer) > 0.85
