"""Reservoirs whose largest singular value is set in place of the spectral radius."""

import numpy as np
import pytest
from scipy import sparse

from reservoir import ESNClassifier, ESNRegressor, ESNSequenceRegressor, Reservoir
from reservoir.topologies import NAMED, _norm, _radius


def series(n=60, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def norm(matrix):
    return np.linalg.svd(matrix.toarray() if sparse.issparse(matrix) else matrix)[1][0]


@pytest.mark.parametrize("topology", sorted(NAMED))
def test_the_largest_singular_value_is_what_was_asked_for(topology):
    """Delay lines, which have no radius to set, too; the radius asked for sets nothing."""
    model = Reservoir(30, topology=topology, spectral_norm=0.7, spectral_radius=3.0, random_state=0)
    np.testing.assert_allclose(norm(model.fit(series()).recurrent_weights_), 0.7, rtol=1e-12)


def test_it_scales_what_was_drawn_and_a_given_matrix():
    drawn = Reservoir(30, spectral_radius=None, random_state=0).fit(series()).recurrent_weights_
    for topology in ("random", drawn):
        model = Reservoir(30, topology=topology, spectral_norm=2.0, random_state=0).fit(series())
        scaled = model.recurrent_weights_ * norm(drawn) / 2
        np.testing.assert_allclose(scaled, drawn, rtol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_below_one_any_two_states_come_together_at_every_step(activation):
    """Jaeger's sufficient condition: |x - x'| shrinks by 1 - a (1 - sigma) a step or faster."""
    model = Reservoir(25, spectral_norm=0.9, leak_rate=0.5, activation=activation, random_state=1)
    X, rng = 10 * series(), np.random.RandomState(2)
    first, second = (model.fit(X).transform(X, initial_state=5 * rng.randn(25)) for _ in range(2))
    distances = np.linalg.norm(first - second, axis=1)
    assert (distances[1:] <= 0.95 * distances[:-1] + 1e-14).all()
    assert distances[0] > 1e-3


def test_layers_take_one_value_each_and_none_leaves_the_radius():
    model = Reservoir([12, 9], spectral_norm=[0.6, None], spectral_radius=0.8, random_state=0)
    first, second = model.fit(series()).recurrent_weights_
    np.testing.assert_allclose(norm(first), 0.6, rtol=1e-12)
    second = second.toarray() if sparse.issparse(second) else second
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(second)).max(), 0.8, rtol=1e-10)


def test_models_hand_it_to_their_reservoirs():
    X = series()
    models = ESNRegressor(20, spectral_norm=0.5), ESNClassifier(20, spectral_norm=0.5)
    for model in models:
        weights = model.fit(X, X[:, 0] > 0).reservoir_.recurrent_weights_
        np.testing.assert_allclose(norm(weights), 0.5, rtol=1e-12)
    cases = X.reshape(6, 10, 2)
    model = ESNSequenceRegressor(20, spectral_norm=0.5, alpha=1.0).fit(cases, np.arange(6.0))
    weights = model.features_.reservoir_.recurrent_weights_
    np.testing.assert_allclose(norm(weights), 0.5, rtol=1e-12)


def test_a_search_over_one_draw_decomposes_it_once(monkeypatch):
    asked = []

    def counted(rows, solve=_norm._solve):
        asked.append(rows.shape)
        return solve(rows)

    monkeypatch.setattr(_radius, "_remembered", {})
    monkeypatch.setattr(_norm, "_solve", counted)
    for value in (0.3, 0.6, 0.9):
        model = Reservoir(20, spectral_norm=value, random_state=0).fit(series())
        np.testing.assert_allclose(norm(model.recurrent_weights_), value, rtol=1e-12)
    assert asked == [(20, 20)]
    Reservoir(20, spectral_radius=0.9, random_state=0).fit(series())  # another question
    assert len(_radius._remembered) == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"spectral_norm": -0.1}, "'spectral_norm' parameter"),
        ({"spectral_norm": 0.5, "topology": np.zeros((5, 5))}, "every weight of the matrix is 0"),
        ({"spectral_norm": [0.5]}, "spectral_norm=.* lists one value a layer"),
        ({"n_units": [5, 3], "spectral_norm": [0.5]}, "spectral_norm lists 1 values"),
    ],
)
def test_what_cannot_be_honoured_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Reservoir(**{"n_units": 5, **parameters}).fit(series())
