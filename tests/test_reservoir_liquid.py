"""LiquidStateMachine: the firing rate of theory, the published wiring, and what it is good for."""

import numpy as np
import pytest
from sklearn.base import clone

from filters import TapDelay
from filters.timeseries import DivergenceError
from reservoir import LiquidStateMachine, MemoryClassifier, MemoryRegressor

X = np.random.default_rng(0).standard_normal((60, 2))


def lone_units(current, **parameters):
    """Units without connections under a constant current, one a kind; spikes a row of one step."""
    memory = LiquidStateMachine(
        10, background=current, weight_scaling=0.0, steps_per_row=1, random_state=0, **parameters
    ).fit(np.zeros((1, 1)))
    traces = memory.transform(np.zeros((4000, 1)))
    keep = np.exp(-memory.time_step / memory.filter_time)
    before = np.concatenate([np.zeros((1, 10)), traces[:-1]])
    return memory, traces - keep * before > 0.5


@pytest.mark.parametrize("current", [15.2, 18.0, 40.0, 1e6])
@pytest.mark.parametrize("time_step", [1.0, 0.25])
def test_a_lone_unit_fires_at_the_rate_of_theory(current, time_step):
    """t_ref + tau_m log((I - V_reset) / (I - theta)), each part a whole number of steps."""
    memory, spikes = lone_units(current, time_step=time_step)
    rise = 30.0 * np.log((current - 13.5) / (current - 15.0))
    for unit, refractory in enumerate(np.where(memory.excitatory_, 3.0, 2.0)):
        times = np.flatnonzero(spikes[:, unit])
        steps = max(1, np.ceil(rise / time_step)) + refractory / time_step
        assert set(np.diff(times)) == {steps}
        first = max(1, np.ceil(30.0 * np.log(current / (current - 15.0)) / time_step))
        assert times[0] == first - 1
        theory = refractory + rise
        assert theory <= steps * time_step < theory + 1.0001 * time_step


def test_below_the_threshold_nothing_fires():
    for current in (14.999, -50.0):
        assert not lone_units(current)[1].any()


def test_a_spike_reaches_other_units_one_step_later_with_its_sign():
    memory = LiquidStateMachine(
        40, weight_scaling=1.0, steps_per_row=1, input_scaling=0.0, random_state=1
    )
    memory.fit(np.zeros((1, 1)))
    W = memory.recurrent_weights_.toarray()
    for kind, current in ((True, 1), (False, 2)):
        j = int(np.flatnonzero(memory.excitatory_ == kind)[3])
        start = np.zeros((5, 40))
        start[0] = 5.0
        start[0, j] = 100.0  # above the threshold: fires in the first step
        _, one = memory.transform(np.zeros((1, 1)), initial_state=start.ravel(), return_state=True)
        one = one.reshape(5, 40)
        np.testing.assert_array_equal(one[current], W[:, j])
        assert not one[3 - current].any()
        assert one[4, j] == 1.0
        quiet = 5 * np.exp(-1 / 30) - 13.5 * np.expm1(-1 / 30)
        others = np.delete(np.arange(40), j)
        np.testing.assert_allclose(one[0, others], quiet, rtol=1e-12)
        _, two = memory.transform(np.zeros((1, 1)), initial_state=one.ravel(), return_state=True)
        moved = two.reshape(5, 40)[0, others] - quiet * np.exp(-1 / 30) + 13.5 * np.expm1(-1 / 30)
        np.testing.assert_allclose(moved, -W[others, j] * np.expm1(-1 / 30), rtol=0, atol=1e-12)


# ---- wiring -------------------------------------------------------------------------------------


def test_columns_have_one_sign_and_the_published_amplitudes():
    memory = LiquidStateMachine(900, weight_scaling=1.0, random_state=0).fit(X)
    W, excitatory = memory.recurrent_weights_, memory.excitatory_
    assert excitatory.sum() == 720
    assert not W.diagonal().any()
    targets, sources = W.nonzero()
    np.testing.assert_array_equal(W.data > 0, excitatory[sources])
    for kinds, mean in (((True, True), 30), ((True, False), 60), ((False, True), -19)):
        picked = W.data[(excitatory[sources] == kinds[0]) & (excitatory[targets] == kinds[1])]
        np.testing.assert_allclose(picked.mean(), mean, rtol=5 / np.sqrt(picked.size))
        np.testing.assert_allclose(picked.std(), abs(mean), rtol=8 / np.sqrt(picked.size))


def test_neighbours_are_connected_as_often_as_published():
    """C exp(-(D / lambda)^2): .3, .2, .4, .1 by the kinds of source and target."""
    memory = LiquidStateMachine(1800, connection_length=1.5, random_state=0).fit(X)
    linked = (memory.recurrent_weights_ != 0).toarray()
    excitatory = memory.excitatory_
    i, j = np.arange(9, 1800), np.arange(1800 - 9)  # one above the other, distance 1
    for source, target, share in (
        (True, True, 0.3),
        (True, False, 0.2),
        (False, True, 0.4),
        (False, False, 0.1),
    ):
        for a, b in ((i, j), (j, i)):
            picked = linked[b, a][(excitatory[a] == source) & (excitatory[b] == target)]
            expected = share * np.exp(-1 / 1.5**2)
            spread = np.sqrt(expected * (1 - expected) / picked.size)
            assert abs(picked.mean() - expected) < 4.5 * spread
    far = linked[np.arange(1800)[:, None] - np.arange(1800) >= 9 * 9]
    assert not far.any()


def test_same_seed_same_spikes_and_other_seed_others():
    one, two, other = (LiquidStateMachine(random_state=seed).fit_transform(X) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.5
    wired = LiquidStateMachine(random_state=3).fit(X[:, :1])
    again = LiquidStateMachine(random_state=3, input_scaling=1.0).fit(X)
    assert abs(wired.recurrent_weights_ - again.recurrent_weights_).max() == 0


# ---- as a memory --------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", [(1,), (3, 4, 29)])
def test_rows_may_be_cut_anywhere_bit_for_bit(cuts):
    memory = LiquidStateMachine(random_state=0).fit(X)
    parts, state = [], None
    for part in np.split(X, cuts):
        traces, state = memory.transform(part, initial_state=state, return_state=True)
        parts.append(traces)
    np.testing.assert_array_equal(np.concatenate(parts), memory.transform(X))
    assert state.shape == (5 * 135,)


def test_every_series_starts_from_rest():
    memory = LiquidStateMachine(random_state=0).fit(X)
    for part, rows in zip(memory.transform([X[:9], X[9:]]), (X[:9], X[9:]), strict=True):
        np.testing.assert_array_equal(part, memory.transform(rows))


def test_single_precision_in_single_precision_out():
    memory = LiquidStateMachine(random_state=0).fit(X.astype(np.float32))
    traces = memory.transform(X.astype(np.float32))
    assert traces.dtype == np.float32
    wide = LiquidStateMachine(random_state=0).fit_transform(X)
    np.testing.assert_allclose(traces[:2], wide[:2], rtol=0, atol=1e-4)  # until a spike moves


def bits(n=1400, seed=0):
    """Random bits as a series of -1 and 1, and the exclusive or of the last two before each."""
    u = np.random.default_rng(seed).integers(0, 2, n)
    return (2.0 * u - 1)[:, np.newaxis], np.roll(u, 1) ^ np.roll(u, 2)


def test_the_liquid_solves_delayed_exclusive_or_and_linear_readouts_do_not():
    """Memory and nonlinearity at once: chance is one half for a readout of the input alone, and
    for a linear one of the delay line."""
    rows, target = bits()
    learn, test = slice(0, 1000), slice(1000, None)

    def accuracy(memory):
        model = MemoryClassifier(memory, alpha=1e-2, washout=20).fit(rows[learn], target[learn])
        return model.score(rows[test], target[test])

    for seed in range(3):
        assert accuracy(LiquidStateMachine(random_state=seed)) > 0.9
    assert accuracy(TapDelay(1)) < 0.6
    assert accuracy(TapDelay(3)) < 0.6


def test_models_in_chunks_and_as_streams_are_the_whole():
    rows, target = bits(300)
    model = MemoryRegressor(LiquidStateMachine(40, random_state=0), alpha=1.0)
    whole = clone(model).fit(rows[:200], target[:200])
    parts = clone(model)
    for a, b in ((0, 1), (1, 130), (130, 200)):
        parts.partial_fit(rows[a:b], target[a:b])
    np.testing.assert_array_equal(parts.coef_, whole.coef_)
    stream = whole.stream()
    one_by_one = [stream.predict_one(row) for row in rows[200:230]]
    np.testing.assert_array_equal(one_by_one, whole.predict(rows)[200:230])


# ---- edges --------------------------------------------------------------------------------------


def test_a_burst_is_forgotten():
    """Saturated units fire at once after every refractory time, driven-down ones climb back."""
    memory = LiquidStateMachine(weight_scaling=0.0, random_state=0).fit(X)
    rows = np.tile(X, (6, 1))
    burst = rows.copy()
    burst[5] = 1e8
    disturbed, calm = memory.transform(burst), memory.transform(rows)
    assert np.isfinite(disturbed).all()
    assert np.abs(disturbed[5] - calm[5]).max() > 1
    np.testing.assert_allclose(disturbed[-50:], calm[-50:], rtol=0, atol=1e-6)


def test_one_row_zeros_and_one_unit_are_fine():
    assert LiquidStateMachine(1, random_state=0).fit_transform(X[:1]).shape == (1, 1)
    assert not LiquidStateMachine(random_state=0).fit_transform(np.zeros((200, 1))).any()
    assert LiquidStateMachine(20, excitatory=0.0, random_state=0).fit(X).excitatory_.sum() == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"reset": 15.0}, r"reset=15\.0 must be below threshold=15\.0"),
        ({"synapse_time": (3.0,)}, "synapse_time must be two numbers of at least 0"),
        ({"synapse_time": 3.0}, "synapse_time"),
        ({"refractory_time": (3.0, -1.0)}, "refractory_time must be two numbers"),
        ({"refractory_time": (3.0, np.nan)}, "refractory_time"),
        ({"excitatory": 1.1}, "excitatory"),
        ({"time_step": 0.0}, "time_step"),
        ({"membrane_time": 0.0}, "membrane_time"),
        ({"steps_per_row": 0}, "steps_per_row"),
        ({"weight_scaling": -1.0}, "weight_scaling"),
        ({"connection_length": 0.0}, "connection_length"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        LiquidStateMachine(**parameters).fit(X)


def test_an_input_beyond_the_numbers_is_named():
    rows = X.copy()
    rows[7] = 1.7e308
    with pytest.raises(DivergenceError, match=r"at step 7 of the 60 rows .* 1\.7e\+308") as raised:
        LiquidStateMachine(random_state=0).fit_transform(rows)
    assert raised.value.step == 7
