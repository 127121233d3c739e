"""One long series in strands: the states of the run row after row, whatever the reservoir does."""

import tracemalloc

import numpy as np
import pytest

import reservoir._strands
from filters.timeseries import DivergenceError
from reservoir import ESNClassifier, ESNForecaster, ESNRegressor, ESNRegressorCV, Reservoir
from reservoir import _strands as strands


def series(n=4000, n_features=1, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, (n, n_features))


def bursts(n=12000, loud=2000):
    """A beginning so loud that any reservoir forgets, then hardly anything."""
    X = series(n)
    X[:loud] *= 20
    X[loud:] *= 1e-3
    return X


def both(**parameters):
    """The same reservoir, row after row and in strands."""
    parameters = {"n_strands": 8, "random_state": 0, "bias_scaling": 0.2, **parameters}
    n_units = parameters.pop("n_units", 40)
    in_strands = Reservoir(n_units, **parameters)
    return Reservoir(n_units, **{**parameters, "n_strands": 1}), in_strands


@pytest.fixture
def driven(monkeypatch):
    """Rows driven in turn and side by side, as they come."""
    rows = {"in turn": 0, "side by side": 0}
    one_by_one, side_by_side = Reservoir._drive, strands.drive_lanes

    def drive(self, part, *args):
        rows["in turn"] += len(part)
        return one_by_one(self, part, *args)

    def drive_lanes(memory, part, starts, steps, *args):
        rows["side by side"] += int(np.sum(steps))
        return side_by_side(memory, part, starts, steps, *args)

    monkeypatch.setattr(Reservoir, "_drive", drive)
    monkeypatch.setattr(strands, "drive_lanes", drive_lanes)
    return rows


def assert_same(in_strands, in_turn):
    scale = np.abs(in_turn).max()
    atol = {"float64": 1e-12, "float32": 2e-5}[in_turn.dtype.name] * scale
    assert in_strands.dtype == in_turn.dtype
    np.testing.assert_allclose(in_strands, in_turn, rtol=0, atol=atol)


FORGETTING = {
    "default": {},
    "dense": {"density": 1.0},
    "one unit": {"n_units": 1},
    "leaking": {"leak_rate": 0.5, "spectral_radius": 0.8},
    "sigmoid": {"activation": "sigmoid"},
    "linear": {"activation": "identity", "input_scaling": 100.0},
    "inputs too": {"include_input": True},
    "small states": {"input_scaling": 1e-6, "bias_scaling": 0.0},
    "layers": {"n_units": [30, 20], "leak_rate": [1.0, 0.7], "input_scaling": [1.0, 0.2]},
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", FORGETTING)
def test_strands_give_the_states_of_the_run_row_after_row(case, dtype, driven):
    X, (in_turn, in_strands) = series(8000), both(**FORGETTING[case], dtype=dtype)
    expected = in_turn.fit_transform(X)
    driven.update({"in turn": 0, "side by side": 0})
    assert_same(in_strands.fit_transform(X), expected)
    n_layers = 2 if case == "layers" else 1
    assert driven["side by side"] > 0.85 * n_layers * len(X)
    assert driven["in turn"] < 0.25 * n_layers * len(X)


def test_strands_of_a_slow_reservoir_start_long_before_their_rows(driven):
    X, (in_turn, in_strands) = series(40000), both(n_units=20, spectral_radius=0.99, leak_rate=0.1)
    assert_same(in_strands.fit_transform(X), in_turn.fit_transform(X))
    assert driven["side by side"] > 1.1 * len(X)  # the burn-ins are long


@pytest.mark.parametrize("spectral_radius", [1.3, 0.99])
def test_a_reservoir_that_does_not_forget_is_driven_row_after_row(spectral_radius, driven):
    X = series(8000)
    parameters = {"spectral_radius": spectral_radius, "leak_rate": 0.1, "n_units": 100}
    in_turn, in_strands = both(**parameters, input_scaling=0.1)
    expected = in_turn.fit_transform(X)
    driven["in turn"] = 0
    np.testing.assert_array_equal(in_strands.fit_transform(X), expected)
    assert driven["side by side"] == 0
    assert driven["in turn"] < 1.06 * len(X)


@pytest.mark.parametrize("n_strands", [8, "auto"])
def test_states_are_right_where_the_burn_in_measured_does_not_hold(n_strands, driven, monkeypatch):
    monkeypatch.setattr(strands, "_shortest_strand", lambda reservoir: 1.0)
    X = bursts()
    in_turn, in_strands = both(n_units=60, spectral_radius=1.4, n_strands=n_strands)
    states = in_strands.fit_transform(X)
    assert driven["side by side"] > 0
    in_turns = in_turn.fit_transform(X)
    # From a difference of rounding, a chaotic reservoir would make one of order one.
    np.testing.assert_array_equal(states[-1000:], in_turns[-1000:])
    assert_same(states, in_turns)


def test_a_reservoir_that_stops_forgetting_is_found_out_early(driven):
    X = bursts(n=40000, loud=1500)
    in_turn, in_strands = both(n_units=60, spectral_radius=1.4)
    expected = in_turn.fit_transform(X)
    driven["in turn"] = 0
    np.testing.assert_array_equal(in_strands.fit_transform(X)[-100:], expected[-100:])
    assert driven["side by side"] < 0.1 * len(X)
    assert driven["in turn"] < 1.1 * len(X)


def test_a_strand_that_explodes_from_another_start_only_is_no_divergence(driven):
    # One relu unit that stays at zero from below one and explodes from above. The head ends above,
    # is brought back by the next row, and no strand begins there.
    X = np.zeros((3000, 1))
    X[47], X[48] = 1e20 + 1e6, -1e30
    parameters = {"topology": [[1e20]], "bias": [-1e20], "input_weights": [[1.0]]}
    plain = {"spectral_radius": None, "activation": "relu"}
    in_turn, in_strands = both(n_units=1, **parameters, **plain)
    np.testing.assert_array_equal(in_strands.fit_transform(X), in_turn.fit_transform(X))
    assert driven["side by side"] > 0
    with pytest.raises(DivergenceError):
        in_strands.transform(X, initial_state=np.array([2.0]))


def test_a_burn_in_too_short_grows(driven, monkeypatch):
    silent = np.zeros((200, 1))  # from zero to zero: the head says that nothing is remembered
    X = np.concatenate([silent, series(20000)])
    in_turn, in_strands = both(bias_scaling=0.0)
    burn_ins = []
    block = strands._drive_block

    def spy(memory, rows, edges, burn_in, *args):
        burn_ins.append(burn_in)
        return block(memory, rows, edges, burn_in, *args)

    monkeypatch.setattr(strands, "_drive_block", spy)
    assert_same(in_strands.fit_transform(X), in_turn.fit_transform(X))
    assert burn_ins[0] < 30 < 100 < burn_ins[-1]
    assert driven["in turn"] < 0.2 * len(X) + len(X)


@pytest.mark.parametrize("n_strands", [1, 2, 50, "auto"])
@pytest.mark.parametrize("n", [1, 31, 33, 48, 49, 700, 1601])
def test_series_of_any_length(n, n_strands):
    X = series(n)
    in_turn, in_strands = both(spectral_radius=0.1, n_strands=n_strands)
    assert_same(in_strands.fit_transform(X), in_turn.fit_transform(X))


def test_strands_of_one_row_and_of_none_extra():
    X, (in_turn, in_strands) = series(900), both(spectral_radius=1e-3, n_strands=600)
    expected = in_turn.fit_transform(X)
    assert_same(in_strands.fit_transform(X), expected)
    edges = np.arange(0, 901)
    features = np.empty_like(expected)
    assert strands._drive_block(in_strands, X, edges, 5, np.zeros(40), features) == 0
    assert_same(features, expected)


def test_a_given_state_and_the_state_after():
    X, (in_turn, in_strands) = series(), both()
    start = np.random.RandomState(1).uniform(-1, 1, 40)
    for memory in (in_turn, in_strands):
        memory.fit(X)
    expected = in_turn.transform(X, initial_state=start, return_state=True)
    states, last = in_strands.transform(X, initial_state=start, return_state=True)
    assert_same(states, expected[0])
    np.testing.assert_array_equal(last, states[-1])


def test_several_long_series_do_not_hear_each_other(driven):
    X = [series(n, seed=n) for n in (3000, 30, 2500, 4000)]
    in_turn, in_strands = both()
    in_turn.fit(X), in_strands.fit(X)
    for rows, states in zip(X, in_strands.transform(X), strict=True):
        assert_same(states, in_turn.transform(rows))
    assert driven["side by side"] > 8000


def test_a_row_depends_on_rows_before_it_only():
    X, (_, in_strands) = series(9000), both(n_strands="auto", n_units=300, density=0.1)
    states = in_strands.fit_transform(X)
    for n in (100, 2777, 8999):
        assert_same(in_strands.transform(X[:n]), states[:n])


def test_auto_takes_strands_where_they_pay(driven):
    X = series(6000)
    Reservoir(
        300, density=0.1, spectral_radius=0.5, n_strands="auto", random_state=0
    ).fit_transform(X)
    assert driven["side by side"] > 5000
    driven["side by side"] = 0
    for options in ({"topology": "ring"}, {"density": 1.0}):
        Reservoir(40, n_strands="auto", random_state=0, **options).fit_transform(X)
    assert driven["side by side"] == 0


def test_divergence_is_found_in_strands():
    X, (_, in_strands) = series(3000), both(activation="identity", spectral_radius=1.5)
    with pytest.raises(DivergenceError, match="left the finite numbers"):
        in_strands.fit_transform(X)
    X[2990:] = 1e300
    _, in_strands = both(activation="identity", spectral_radius=0.5, input_scaling=1e10)
    with pytest.raises(DivergenceError, match="left the finite numbers"):
        in_strands.fit_transform(X)


@pytest.mark.parametrize("n_strands", [0, -1, 1.5, "fast", None])
def test_n_strands_is_checked(n_strands):
    with pytest.raises(ValueError, match="n_strands"):
        Reservoir(5, n_strands=n_strands).fit(series(10))


# ---- models -------------------------------------------------------------------------------------


def target(X):
    return np.roll(X[:, 0], 2) * 0.5 + X[:, 0] ** 2


@pytest.mark.parametrize("model", [ESNRegressor, ESNRegressorCV])
@pytest.mark.parametrize("n_units", [50, [30, 20]])
def test_models_learn_and_answer_the_same(model, n_units, driven):
    X = series(9000)
    parameters = {"random_state": 0, "bias_scaling": 0.3, "washout": 100}
    one = model(n_units, **parameters).fit(X, target(X))
    many = model(n_units, n_strands=8, **parameters).fit(X, target(X))
    assert driven["side by side"] > 8000
    np.testing.assert_allclose(many.predict(X), one.predict(X), rtol=0, atol=1e-8)
    np.testing.assert_allclose(many._end[1], one._end[1], rtol=0, atol=1e-12)
    assert many._end[2] == len(X)


def test_classifier_and_forecaster_take_strands(driven):
    X = series(6000)
    labels = target(X) > 0.3
    one, many = (
        ESNClassifier(50, n_strands=n, random_state=0, alpha=1e-3).fit(X, labels) for n in (1, 8)
    )
    np.testing.assert_allclose(
        many.decision_function(X), one.decision_function(X), rtol=0, atol=1e-9
    )
    assert driven["side by side"] > 10000
    driven["side by side"] = 0
    waves = np.sin(np.arange(6000) / 5)[:, None] + 0.1 * series(6000)
    one, many = (
        ESNForecaster(ESNRegressor(50, n_strands=n, random_state=0, alpha=1e-3)).fit(waves)
        for n in (1, 8)
    )
    np.testing.assert_allclose(many.forecast(20), one.forecast(20), rtol=0, atol=1e-6)
    assert driven["side by side"] > 5000


@pytest.mark.parametrize("options", [{"feedback_scaling": 0.3}, {"noise": 1e-3}])
def test_feedback_and_noise_are_driven_row_after_row(options):
    X = series(5000)
    one, many = (
        ESNRegressor(30, n_strands=n, random_state=0, alpha=1e-3, **options).fit(X, target(X))
        for n in (1, 8)
    )
    np.testing.assert_array_equal(many.coef_, one.coef_)
    np.testing.assert_allclose(many.predict(X), one.predict(X), rtol=0, atol=1e-10)


def test_columns_of_a_block_outlive_the_next_one(monkeypatch):
    monkeypatch.setattr(reservoir._strands, "_BYTES_AT_ONCE", 2**20)
    X = series(12000)
    model = ESNRegressor(60, n_strands=8, include_input=False, random_state=0).fit(X, X[:, 0])
    start = np.zeros(60)
    assert model.reservoir_._rows_at_once == 2184
    columns = np.concatenate([block for _, block, _ in model._blocks(X, start)])
    assert_same(columns, model.reservoir_.transform(X))


def test_memory_of_fit_and_predict_does_not_grow_with_the_series(monkeypatch):
    monkeypatch.setattr(reservoir._strands, "_BYTES_AT_ONCE", 2**22)

    def peak(n):
        X = series(n)
        model = ESNRegressor(100, n_strands=8, random_state=0)
        tracemalloc.start()
        model.fit(X, X[:, 0]).predict(X)
        most = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        return most

    peak(10000)
    short, long = peak(20000), peak(60000)
    assert 4 < short < 12
    assert long < short + 3  # rows, targets and answers; their states would be 48 MB
