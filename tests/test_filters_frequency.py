"""The frequency-domain filter against block LMS, a slow twin and what convergence it promises."""

import naive
import numpy as np
import pytest
from frequency_problem import block_lms, constraints, problem, signals, sizes
from scipy.signal import lfilter

from filters import FrequencyDomainFilter, LMSFilter, NLMSFilter
from filters.timeseries import DivergenceError, misalignment_db

# ---- identities ----------------------------------------------------------------------------------


@sizes
@signals
@pytest.mark.parametrize("n_channels", [1, 3])
def test_without_normalisation_it_is_block_lms(n_taps, block, signal, n_channels):
    x, d = problem(243, n_channels, signal=signal)  # the last block stays unfinished
    wanted, w = naive.block_lms(
        naive.delay_rows(x, n_taps), d, np.zeros(n_taps * n_channels, x.dtype), 0.002, block
    )
    f = block_lms(n_taps, block)
    result = f.adapt(x, d)
    assert np.abs(f.coef_).max() > 0.1
    np.testing.assert_allclose(result.output, wanted, rtol=0, atol=4e-15 * np.abs(d).max())
    np.testing.assert_allclose(f.coef_.ravel(), w, rtol=0, atol=4e-15)
    np.testing.assert_array_equal(result.error, d - result.output)


@pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")
@signals
@pytest.mark.parametrize("n_taps", [1, 6])
def test_blocks_of_one_sample_are_lms(signal, n_taps):
    x, d = problem(2 * 100, 2, signal=signal)
    wanted = LMSFilter(n_taps, step_size=0.02).adapt(x, d).output
    got = block_lms(n_taps, 1, 0.02).adapt(x, d).output
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)


@sizes
@signals
@constraints
def test_normalised_filter_equals_twin(n_taps, block, signal, constraint):
    x, d = problem(240, 2, signal=signal)
    power = naive.running_mean(np.sum(np.abs(x) ** 2, axis=1), 1000)[block - 1 :: block]
    outputs, w = naive.frequency_lms(
        x, d, n_taps, block, 0.5, 1e-3 * n_taps * power, turns=1 if constraint[0] == "a" else None
    )
    f = FrequencyDomainFilter(n_taps, block_size=block, constraint=constraint)
    np.testing.assert_allclose(f.adapt(x, d).output, outputs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(f.coef_, w, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n_taps", "turns"), [(80, 2), (140, 4), (264, 5)])
def test_alternating_moves_several_of_many_partitions(n_taps, turns):
    x, d = problem(240)
    f = FrequencyDomainFilter(n_taps, block_size=2, constraint="alternating", regularization=3.0)
    outputs, w = naive.frequency_lms(x, d, n_taps, 2, 0.5, np.full(120, 3.0), turns=turns)
    np.testing.assert_allclose(f.adapt(x, d).output, outputs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(f.coef_, w, rtol=0, atol=1e-12)


@signals
@constraints
def test_outputs_of_a_block_come_from_the_weights_before_it(signal, constraint):
    x, d = problem(240, 2, signal=signal)
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint, store_weights=8)
    result = f.adapt(x, d)
    before = np.concatenate([np.zeros((1, 40)), result.weights.reshape(30, 40)[:-1]])
    wanted = np.einsum("bki,bi->bk", naive.delay_rows(x, 20).reshape(30, 8, 40), before)
    np.testing.assert_allclose(result.output, wanted.ravel(), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(result.weights[-1], f.coef_)


@constraints
def test_weights_are_the_impulse_response_and_the_truth_stays(constraint):
    x, _ = problem()
    plant = np.random.default_rng(1).standard_normal((1, 20))
    d = lfilter(plant[0], 1, x[:, 0])
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint, initial_weights=plant)
    np.testing.assert_allclose(f.adapt(x, d).error, 0, rtol=0, atol=1e-13)
    np.testing.assert_allclose(f.predict(x), d, rtol=0, atol=1e-12)


@constraints
def test_several_outputs_are_as_many_filters(constraint):
    x, d = problem(243, 2)
    both = np.column_stack([d, d[::-1]])
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint)
    f.adapt(x, both)
    for o in range(2):
        alone = FrequencyDomainFilter(20, block_size=8, constraint=constraint)
        alone.adapt(x, both[:, o])
        np.testing.assert_allclose(f.coef_[o], alone.coef_, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("n_taps", "block"),
    [(1, 1), (48, 48), (64, 64), (65, 64), (256, 64), (1024, 128), (2048, 256), (9000, 256)],
)
def test_auto_block_size_is_the_stated_one(n_taps, block):
    x, d = problem(1)
    state = FrequencyDomainFilter(n_taps).fit(x, d).stream().state
    assert state["counts"].shape == (block,)


# ---- the constant --------------------------------------------------------------------------------


@sizes
@signals
def test_with_an_intercept_it_is_block_lms_with_a_constant_input(n_taps, block, signal):
    x, d = problem(240, 2, signal=signal)
    d = d + 3
    rows = np.column_stack([naive.delay_rows(x, n_taps), np.ones(240)])
    wanted, w = naive.block_lms(rows, d, np.zeros(rows.shape[1], x.dtype), 0.002, block)
    f = block_lms(n_taps, block, fit_intercept=True)
    np.testing.assert_allclose(f.adapt(x, d).output, wanted, rtol=0, atol=1e-13)
    np.testing.assert_allclose(f.intercept_, w[-1], rtol=0, atol=1e-14)
    assert abs(f.intercept_) > 0.1


@constraints
@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_the_constant_is_told_from_the_mean_of_the_input(constraint, mean):
    x, path = problem(40_000)[0] + mean, echo_path(64)
    d = lfilter(path, 1, x[:, 0]) + 2.0
    f = FrequencyDomainFilter(64, block_size=16, constraint=constraint, fit_intercept=True)
    error = f.adapt(x, d).error
    assert np.abs(error[-1000:]).max() < 1e-3 * np.abs(d).max()
    assert misalignment_db(path, f.coef_[0]) < -60
    np.testing.assert_allclose(f.intercept_, 2.0, rtol=0, atol=0.01)


@constraints
@signals
def test_without_input_the_constant_goes_a_step_of_the_way_every_block(constraint, signal):
    d = np.full(40, 2.0 - 3j if signal == "complex" else 2.0)
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint, fit_intercept=True)
    wanted = d[0] * (1 - 0.5 ** np.repeat(np.arange(5), 8))
    np.testing.assert_allclose(f.adapt(np.zeros(40), d).output, wanted, rtol=1e-14)


@constraints
@pytest.mark.parametrize("mean", [1.0, 30.0])
def test_the_constant_does_not_upset_it_where_the_input_has_a_mean(constraint, mean):
    x = problem(20_000)[0] + mean
    d = lfilter(echo_path(64), 1, x[:, 0]) + 2.0
    f = FrequencyDomainFilter(
        64, block_size=16, constraint=constraint, step_size=0.9, fit_intercept=True
    )
    error = f.adapt(x, d).error
    assert np.abs(error).max() < 2 * np.abs(d).max()
    assert np.abs(error[-1000:]).max() < 0.1 * np.abs(d).max()


# ---- what it is for ------------------------------------------------------------------------------


def echo_path(n_taps=1024, seed=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n_taps) * np.exp(-np.arange(n_taps) / 200)


def coloured(n, pole, rng):
    return lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal(n))


@constraints
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("pole", [0.0, 0.9])
def test_an_echo_path_of_1024_taps_is_found(constraint, dtype, pole):
    rng, path = np.random.default_rng(0), echo_path()
    x = coloured(16_000, pole, rng)
    d = lfilter(path, 1, x) + 0.01 * rng.standard_normal(16_000)
    f = FrequencyDomainFilter(1024, constraint=constraint)
    f.adapt(x[:8000].astype(dtype), d[:8000].astype(dtype))
    assert misalignment_db(path, f.coef_[0]) < -20
    f.adapt(x[8000:].astype(dtype), d[8000:].astype(dtype))
    assert misalignment_db(path, f.coef_[0]) < -32
    assert f.coef_.dtype == dtype


@pytest.mark.parametrize("cls", [LMSFilter, NLMSFilter])
def test_coloured_input_slows_it_less_than_the_time_domain(cls):
    rng, path = np.random.default_rng(0), echo_path(256)
    x = coloured(6000, 0.9, rng)
    d = lfilter(path, 1, x)
    ours, theirs = FrequencyDomainFilter(256), cls(256)
    ours.adapt(x, d)
    theirs.adapt(x, d)
    assert misalignment_db(path, ours.coef_[0]) < misalignment_db(path, theirs.coef_[0]) - 20


@constraints
@pytest.mark.parametrize("block", [8, 64])
@pytest.mark.parametrize("w0", [0.0, 0.1, 1.7])
def test_a_tone_does_not_upset_it(constraint, block, w0):
    x = np.cos(w0 * np.arange(12_000))
    d = lfilter(echo_path(256), 1, x) + 0.001 * np.random.default_rng(0).standard_normal(12_000)
    f = FrequencyDomainFilter(256, block_size=block, constraint=constraint)
    error = f.adapt(x, d).error
    assert np.abs(error).max() < 1.5 * np.abs(d).max()
    assert np.std(error[-4000:]) < 0.01


@constraints
@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_auto_settings_do_not_depend_on_the_unit_of_the_signals(constraint, scale):
    x, d = problem()
    f, g = (FrequencyDomainFilter(20, block_size=8, constraint=constraint) for _ in range(2))
    f.adapt(x, d)
    g.adapt(scale * x, scale * d)
    np.testing.assert_array_equal(g.coef_, f.coef_)


# ---- silence, bursts, divergence -----------------------------------------------------------------


@constraints
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("regularization", ["auto", 0.0])
def test_silence_then_signal_then_silence_then_thunder(constraint, dtype, regularization):
    rng, path = np.random.default_rng(0), echo_path(64)
    level = np.repeat([0.0, 1.0, 0.0, 1.0, 1e4, 1.0], [3000, 6000, 20_000, 3000, 4000, 8000])
    x = (level * rng.standard_normal(level.size)).astype(dtype)
    d = lfilter(path, 1, x).astype(dtype)
    f = FrequencyDomainFilter(
        64, block_size=16, constraint=constraint, regularization=regularization
    )
    error = f.adapt(x, d).error
    np.testing.assert_array_equal(error[:3000], 0)
    np.testing.assert_array_equal(error[9100:28_990], 0)
    assert np.abs(error[29_000:32_000]).max() < 1e-3 * np.abs(d[3000:9000]).max()
    assert np.abs(error[32_000:36_000]).max() < 1e-2 * np.abs(d).max()
    assert misalignment_db(path, f.coef_[0]) < -60


@pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"normalize": False, "step_size": 3.0},
            r"step_size=3.0; .* blocks of 8 .* needs step_size < 0\.0\d+ .* use normalize=True",
        ),
        ({"step_size": 50.0}, r"step_size=50.0 .* 3 partition\(s\) of 8 .* step_size < 1.5\."),
    ],
)
def test_divergence_names_step_bound_and_remedy(options, message):
    x, d = problem(20_000)
    f = FrequencyDomainFilter(20, block_size=8, on_divergence="raise", **options)
    with pytest.raises(DivergenceError, match=message) as caught:
        f.fit(x, d)
    assert 0 < caught.value.step < 20_000
    assert not hasattr(f, "coef_")
    with pytest.warns(RuntimeWarning, match="weights were reset"):
        f.set_params(on_divergence="warn").fit(x, d)
    result = f.set_params(on_divergence="reset").reset().adapt(x, d)
    assert np.isfinite(f.coef_).all()
    assert np.isfinite(result.output).all()


def test_a_power_that_overflows_is_told():
    with pytest.raises(DivergenceError, match="time step 7 "):
        FrequencyDomainFilter(8).fit(np.full((20, 1), 1e200), np.ones(20))


def test_a_series_whose_last_lesson_diverges_is_told():
    f = block_lms(4, 8, step_size=1e300)
    with pytest.raises(DivergenceError, match="time step 3 "):
        f.fit([np.full((3, 1), 1e100)], [np.ones(3)])
    f.set_params(on_divergence="reset").fit([np.full((3, 1), 1e100)], [np.ones(3)])
    np.testing.assert_array_equal(f.coef_, 0)


@pytest.mark.parametrize(
    "changed", [{"block_size": 4}, {"constraint": "alternating"}, {"n_taps": 21}]
)
def test_changed_sizes_are_refused_after_fitting(changed):
    x, d = problem()
    f = FrequencyDomainFilter(20, block_size=8).fit(x, d)
    with pytest.raises(ValueError, match="Were parameters changed"):
        f.set_params(**changed).partial_fit(x, d)


@pytest.mark.parametrize(
    "wrong", [{"constraint": "none"}, {"block_size": 0}, {"step_size": 0}, {"normalize": "yes"}]
)
def test_wrong_parameters_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FrequencyDomainFilter(4, **wrong).fit([[1.0]], [1.0])
