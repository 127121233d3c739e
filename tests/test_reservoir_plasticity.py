"""Intrinsic plasticity: the gradient of the divergence, the twin, and the distribution reached."""

import numpy as np
import pytest
from scipy import sparse

from filters.timeseries import DivergenceError
from reservoir import MemoryRegressor, Reservoir, intrinsic_plasticity
from reservoir._plasticity import _bias_steps

X = np.random.default_rng(0).uniform(-1, 1, (600, 1))


def divergence(net, gain, bias, activation, mean, std):
    """Kullback-Leibler divergence of y = f(g n + b) from its target, but for what is constant."""
    pre = gain * net + bias
    if activation == "tanh":
        y = np.tanh(pre)
        return np.mean((y - mean) ** 2 / (2 * std**2) - np.log(gain * (1 - y**2)))
    y = 1 / (1 + np.exp(-pre))
    return np.mean(y / mean - np.log(gain * y * (1 - y)))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize(("gain", "bias"), [(1.0, 0.0), (0.4, 0.7), (2.5, -1.2)])
def test_steps_go_down_the_gradient_of_the_divergence(activation, gain, bias):
    net, shared = X[:, 0], (activation, 0.15, 0.3)
    steps = _bias_steps(gain * net + bias, *shared)
    h = 1e-6
    by_bias = divergence(net, gain, bias + h, *shared) - divergence(net, gain, bias - h, *shared)
    by_gain = divergence(net, gain + h, bias, *shared) - divergence(net, gain - h, bias, *shared)
    np.testing.assert_allclose(steps.mean(), -by_bias / (2 * h), rtol=1e-6, atol=1e-8)
    along_gain = (1 / gain + net * steps).mean()
    np.testing.assert_allclose(along_gain, -by_gain / (2 * h), rtol=1e-6, atol=1e-8)


def published_rule(fitted, X, mean, std, rate):
    """Row by row: drive, then change every gain and bias (Schrauwen et al., 2008)."""
    W, W_in, offset = fitted.recurrent_weights_.toarray(), fitted.input_weights_, fitted.bias_
    x, gain, bias = np.zeros(len(W)), np.ones(len(W)), np.zeros(len(W))
    for u in X:
        net = W @ x + W_in @ u + offset
        y = np.tanh(gain * net + bias)
        x = (1 - fitted.leak_rate) * x + fitted.leak_rate * y
        by = -mean / std**2 + y / std**2 * (2 * std**2 + 1 - y**2 + mean * y)
        bias, gain = bias - rate * by, gain + rate / gain - rate * by * net
    return gain[:, np.newaxis] * W, gain[:, np.newaxis] * W_in, gain * offset + bias


def test_one_row_a_batch_is_the_published_rule():
    reservoir = Reservoir(
        30, topology="random_sparse", bias_scaling=0.3, leak_rate=0.6, random_state=0
    )
    options = {"mean": 0.1, "std": 0.3, "learning_rate": 1e-3}
    adapted = intrinsic_plasticity(reservoir, X[:120], n_epochs=1, batch_size=1, **options)
    wanted = published_rule(reservoir.fit(X), X[:120], 0.1, 0.3, 1e-3)
    assert sparse.issparse(adapted.topology)
    for got, expected in zip(
        (adapted.topology.toarray(), adapted.input_weights, adapted.bias), wanted, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_tanh_units_reach_the_gaussian():
    reservoir = Reservoir(60, input_scaling=2.0, random_state=0)
    before = reservoir.fit_transform(X)[100:]
    assert np.median(before.std(axis=0)) > 0.4
    adapted = intrinsic_plasticity(reservoir, X, mean=0.1, std=0.2, n_epochs=4)
    after = adapted.fit_transform(X)[100:]
    np.testing.assert_allclose(np.median(after.std(axis=0)), 0.2, rtol=0.05)
    np.testing.assert_allclose(after.mean(), 0.1, rtol=0, atol=0.02)
    assert reservoir.spectral_radius == 0.9  # the given one stays as it is


def test_sigmoid_units_come_nearer_to_the_exponential():
    reservoir = Reservoir(40, activation="sigmoid", topology="random_dense", random_state=0)
    adapted = intrinsic_plasticity(reservoir, X, mean=0.2, n_epochs=6, learning_rate=2e-3)
    before, after = (model.fit_transform(X)[100:] for model in (reservoir, adapted))
    assert isinstance(adapted.topology, np.ndarray)
    assert abs(before.mean() - 0.2) > 0.2
    np.testing.assert_allclose(after.mean(), 0.2, rtol=0, atol=0.03)
    assert (np.median(after, axis=0) < after.mean(axis=0)).mean() > 0.8  # a long tail upwards


def test_every_series_starts_from_a_zero_state():
    reservoir = Reservoir(20, random_state=0)
    listed = intrinsic_plasticity(reservoir, [X[:50], X[50:90]], n_epochs=1, batch_size=50)
    grouped = intrinsic_plasticity(
        reservoir, X[:90], groups=np.repeat([0, 1], [50, 40]), n_epochs=1, batch_size=50
    )
    np.testing.assert_array_equal(listed.bias, grouped.bias)
    whole = intrinsic_plasticity(reservoir, X[:90], n_epochs=1, batch_size=50)
    assert np.abs(whole.bias - listed.bias).max() > 0


def test_the_answer_is_a_memory_like_any_other():
    reservoir = Reservoir(40, include_input=True, noise=0.1, dtype="float32", random_state=0)
    adapted = intrinsic_plasticity(reservoir, X, n_epochs=1)
    states = adapted.fit_transform(X)
    assert states.shape == (600, 41)
    assert states.dtype == np.float32
    target = np.roll(X[:, 0], 2)
    assert MemoryRegressor(adapted, washout=10).fit(X, target).score(X, target) > 0.9


@pytest.mark.parametrize(
    ("reservoir", "options", "message"),
    [
        (Reservoir(9, activation="relu"), {}, 'rule for "tanh" and "sigmoid".*"relu"'),
        (Reservoir(9), {"mean": 1.0}, r"mean must be in \(-1, 1\) for tanh units, got 1\.0"),
        (Reservoir(9, activation="sigmoid"), {"mean": 0.0}, r"mean must be in \(0, 1\)"),
        (Reservoir(9, activation="sigmoid"), {"std": 0.2}, r"std=0\.2 cannot be honoured"),
        (Reservoir(9), {"std": 0.0}, "The 'std' parameter .* Got 0.0"),
        (Reservoir(9), {"std": np.nan}, "The 'std' parameter .* Got nan"),
        (Reservoir(9), {"learning_rate": 0.0}, "The 'learning_rate' parameter .* Got 0.0"),
        (Reservoir(9), {"n_epochs": 0}, "The 'n_epochs' parameter .* Got 0"),
        (Reservoir(9), {"batch_size": 2.5}, "The 'batch_size' parameter .* an int .* Got 2.5"),
    ],
)
def test_what_cannot_be_adapted_is_refused(reservoir, options, message):
    with pytest.raises(ValueError, match=message):
        intrinsic_plasticity(reservoir, X, **options)


def test_a_step_too_long_says_so():
    with pytest.raises(DivergenceError, match=r"drove a gain to -.* learning_rate=1\.0\. Lower it"):
        intrinsic_plasticity(Reservoir(9, random_state=0), X, learning_rate=1.0)
