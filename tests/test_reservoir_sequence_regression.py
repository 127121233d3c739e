"""ESNSequenceRegressor: ridge on pooled features, targets and what is refused."""

import numpy as np
import pytest
from pooled_waves import features, regressor, waves
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

# ---- targets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean", "mean_output"])
@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e150])
def test_targets_in_other_units_give_the_same_model(pooling, scale):
    X, y = waves()
    both = np.stack([y, np.random.RandomState(2).randn(40)], axis=1)
    model = regressor(pooling=pooling).fit(X, both)
    moved = regressor(pooling=pooling).fit(X, both * [scale, 1.0] + [3 * scale, -8.0])
    expected = model.predict(X) * [scale, 1.0] + [3 * scale, -8.0]
    np.testing.assert_allclose(moved.predict(X), expected, rtol=1e-7)
    assert moved.alpha_ == model.alpha_


def test_regression_is_ridge_on_standardised_features():
    X, y = waves()
    both = np.stack([y, y**2 - 1], axis=1)
    model = regressor(alpha=3.0).fit(X, both)
    Z = StandardScaler().fit_transform(model.features_.transform(X))
    expected = Ridge(alpha=3.0).fit(Z, both)
    np.testing.assert_allclose(model.predict(X), expected.predict(Z), rtol=1e-8)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=1e-9)


def test_more_features_than_cases_is_the_dual_ridge():
    X, y = waves(9)
    model = regressor(pooling="model_space", n_components=8, alpha=0.7).fit(X, y)
    pooled = model.features_.transform(X)
    assert pooled.shape == (9, 72)
    Z = StandardScaler().fit_transform(pooled)
    weights = np.linalg.solve(Z @ Z.T + 0.7 * np.eye(9), y - y.mean())
    np.testing.assert_allclose(model.predict(X), y.mean() + Z @ Z.T @ weights, rtol=1e-8)


def test_answers_have_the_shape_of_the_targets():
    X, y = waves()
    for target, shape in ((y, (40,)), (y[:, None], (40, 1)), (np.stack([y, -y], 1), (40, 2))):
        for pooling in ("mean", "mean_output"):
            model = regressor(pooling=pooling).fit(X, target)
            assert model.predict(X).shape == shape
            assert model.coef_.shape == (*shape[1:], 30)
            assert np.shape(model.intercept_) == shape[1:]


def test_regression_targets_that_cannot_be_are_refused():
    X, y = waves()
    with pytest.raises(ValueError, match=r"40 sequences.*39 entries"):
        regressor().fit(X, y[:-1])
    with pytest.raises(ValueError, match="requires y"):
        regressor().fit(X, None)
    with pytest.raises(ValueError, match="infinity"):
        regressor().fit(X, np.where(y > 0.5, np.inf, y))
    with pytest.raises(ValueError, match="nothing to learn from"):
        regressor().fit(X, np.full(40, np.nan))
    with pytest.raises(ValueError, match="nothing to learn from"):
        regressor().fit(X, y, sample_weight=np.zeros(40))
    with pytest.raises(ValueError, match="at least two labelled cases"):
        regressor().fit(X, np.where(np.arange(40) > 0, np.nan, y))
    with pytest.raises(ValueError, match="Negative"):
        regressor().fit(X, y, sample_weight=-np.ones(40))


# ---- parameters --------------------------------------------------------------------------------


def test_settings_that_cannot_be_are_refused():
    X, y = waves()
    with pytest.raises(ValueError, match=r"mean_output.*needs targets.*ESNSequenceRegressor"):
        features(pooling="mean_output").fit(X)
    with pytest.raises(ValueError, match=r"n_components=17 is more than the 16 columns"):
        features(pooling="model_space", n_components=17).fit(X)
    with pytest.raises(ValueError, match="model_alpha"):
        features(pooling="model_space", model_alpha=0).fit(X)
    with pytest.raises(ValueError, match="pooling"):
        regressor(pooling="median").fit(X, y)
    assert features(pooling="model_space").fit_transform(X).shape == (40, 16 * 17)


def test_sequences_out_of_the_number_range_are_refused():
    X, y = waves()
    single = [0.01 * part.astype(np.float32) for part in X]
    model = regressor().fit(single, y)
    with pytest.raises(ValueError, match=r"too far from the training sequences.*float32"):
        model.predict([np.full((5, 2), 3e38, dtype=np.float32)])


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    X, y = waves()
    model = regressor().fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="nothing to learn from"):
        model.fit([part[:, :1] for part in X], np.full(40, np.nan))
    np.testing.assert_array_equal(model.predict(X), before)
