"""What every adaptive filter promises: a-priori outputs, containers of numbers, errors, limits."""

import copy

import naive
import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score

from filters import (
    AdaptResult,
    AffineProjectionFilter,
    LMSFilter,
    NLMSFilter,
    ProportionateFilter,
    RLSFilter,
    SetMembershipFilter,
    TransformDomainFilter,
    VariableStepFilter,
)
from filters.timeseries import DivergenceError

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

FILTERS = {
    "lms": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.02, **more),
    "lms-auto": LMSFilter,
    "lms-leaky": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.02, leak=0.1, **more),
    "lms-sign": lambda n_taps=1, **more: LMSFilter(n_taps, step_size=0.01, sign="both", **more),
    "nlms": lambda n_taps=1, **more: NLMSFilter(n_taps, regularization=0.1, **more),
    "nlms-auto": NLMSFilter,
    "rls": lambda n_taps=1, **more: RLSFilter(n_taps, delta=0.1, **more),
    "rls-auto": RLSFilter,
    "affine-projection": AffineProjectionFilter,
    "proportionate": lambda n_taps=1, **more: ProportionateFilter(
        n_taps, regularization=0.1, **more
    ),
    "set-membership": lambda n_taps=1, **more: SetMembershipFilter(
        n_taps, regularization=0.1, **more
    ),
    "transform-domain": TransformDomainFilter,
    "variable-step": lambda n_taps=1, **more: VariableStepFilter(
        n_taps, regularization=0.1, **more
    ),
}
every_filter = pytest.mark.parametrize("make", FILTERS.values(), ids=FILTERS)
learners = pytest.mark.parametrize("make", [LMSFilter, NLMSFilter, RLSFilter])


def problem(n=200, n_channels=2, n_outputs=1, *, signal="real", noise=0.1, seed=0):
    """Signals through a random plant of 3 taps, and the plant as ``coef_`` holds it."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        values = rng.standard_normal(shape)
        return values + 1j * rng.standard_normal(shape) if signal == "complex" else values

    x, plant = draw(n, n_channels), draw(n_outputs, n_channels, 3)
    d = naive.delay_rows(x, 3) @ plant.reshape(n_outputs, -1).T + noise * draw(n, n_outputs)
    return x, d[:, 0] if n_outputs == 1 else d, plant[0] if n_outputs == 1 else plant


# ---- numbers -------------------------------------------------------------------------------------


@every_filter
@pytest.mark.parametrize("signal", ["real", "complex", "float32"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_error_is_exactly_desired_minus_output(make, signal, n_outputs):
    x, d, _ = problem(n_outputs=n_outputs, signal=signal)
    if signal == "float32":
        x, d = x.astype(np.float32), d.astype(np.float32)
    result = make(3).adapt(x, d)
    assert isinstance(result, AdaptResult)
    assert result.output.shape == result.error.shape == d.shape
    assert result.weights is None
    np.testing.assert_array_equal(result.error, d - result.output)


@every_filter
@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_outputs_are_those_of_the_weights_before_the_sample(make, signal, n_outputs):
    x, d, _ = problem(n_outputs=n_outputs, signal=signal)
    w0 = np.full((n_outputs, 2, 3), 0.5)
    f = make(3, initial_weights=w0, store_weights=1)
    result = f.adapt(x, d)
    after = result.weights.reshape(200, n_outputs, 6)
    before = np.concatenate([w0.reshape(1, n_outputs, 6), after[:-1]])
    wanted = np.einsum("koi,ki->ko", before, naive.delay_rows(x, 3))
    np.testing.assert_allclose(result.output.reshape(200, -1), wanted, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(result.weights[-1], f.coef_)


@every_filter
def test_weights_are_the_impulse_response_of_predict(make):
    x, d, _ = problem(n_outputs=2)
    f = make(3).fit(x, d)
    for channel in range(2):
        impulse = np.zeros((5, 2))
        impulse[1, channel] = 1.0
        response = f.predict(impulse)
        np.testing.assert_array_equal(response[1:4], f.coef_[:, channel].T)
        np.testing.assert_array_equal(response[[0, 4]], 0.0)


@learners
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_predict_is_a_finite_impulse_response_filter(make, fit_intercept):
    x, d, _ = problem(n_outputs=2)
    f = make(3, fit_intercept=fit_intercept).fit(x, d + 3.0)
    for o in range(2):
        parts = [lfilter(f.coef_[o, c], 1, x[:, c]) for c in range(2)]
        wanted = np.sum(parts, axis=0) + f.intercept_[o]
        np.testing.assert_allclose(f.predict(x)[:, o], wanted, rtol=0, atol=1e-12)
    assert (np.abs(f.intercept_) > 0.5).all() == fit_intercept


@pytest.mark.parametrize(
    "make",
    [
        lambda **more: LMSFilter(3, **more),
        lambda **more: LMSFilter(3, step_size=0.02, **more),
        lambda **more: NLMSFilter(3, **more),
        lambda **more: RLSFilter(3, **more),
    ],
    ids=["lms-auto", "lms", "nlms", "rls"],
)
@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_a_plant_is_identified(make, signal, n_outputs, offset):
    x, d, plant = problem(6000, n_outputs=n_outputs, signal=signal, noise=0.0)
    f = make(fit_intercept=offset != 0)
    f.adapt(x, d + offset)
    np.testing.assert_allclose(f.coef_, plant, rtol=0, atol=1e-3)
    np.testing.assert_allclose(f.intercept_, offset, rtol=0, atol=1e-3)


@every_filter
@pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 1, 3)])
def test_initial_weights_are_taken_newest_sample_first(make, shape):
    w0 = np.array([3.0, 2.0, 1.0]).reshape(shape)
    f = make(3, initial_weights=w0)
    frozen = f.adapt([1.0, 0.0, 0.0], np.zeros(3), update_mask=np.zeros(3)).output
    np.testing.assert_allclose(frozen, [3.0, 2.0, 1.0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(f.coef_, [[3.0, 2.0, 1.0]], rtol=0, atol=1e-14)


@learners
def test_the_truth_as_initial_weights_stays(make):
    x, d, plant = problem(n_outputs=2, noise=0.0)
    result = make(3, initial_weights=plant).adapt(x, d)
    np.testing.assert_allclose(result.error, 0.0, rtol=0, atol=1e-13)


@every_filter
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_masked_samples_teach_nothing(make, fit_intercept):
    x, d, _ = problem(n_channels=2)
    mask = np.random.default_rng(1).random(200) < 0.6
    mask[:20] = True
    through = ("lms-auto", "nlms-auto", "affine-projection", "transform-domain")
    if make in [FILTERS[name] for name in through]:
        # Their level is heard through the mask, and samples apart are not projected on together:
        # only freezing can be compared.
        mask[:] = False
    some, all_of_it = make(fit_intercept=fit_intercept), make(fit_intercept=fit_intercept)
    result = some.adapt(x, d, update_mask=mask)
    if mask.any():
        all_of_it.adapt(x[mask], d[mask])
        np.testing.assert_allclose(some.coef_, all_of_it.coef_, rtol=0, atol=1e-12)
        np.testing.assert_allclose(some.intercept_, all_of_it.intercept_, rtol=0, atol=1e-12)
    else:
        np.testing.assert_array_equal(some.coef_, 0.0)
        np.testing.assert_array_equal(result.error, d)


@every_filter
def test_outputs_go_on_where_weights_are_frozen(make):
    x, d, _ = problem()
    mask = np.arange(200) < 100
    f = make(3, store_weights=1)
    result = f.adapt(x, d, update_mask=mask)
    np.testing.assert_array_equal(result.weights[99:], np.repeat(result.weights[99:100], 101, 0))
    wanted = naive.delay_rows(x, 3) @ result.weights[99].ravel()
    np.testing.assert_allclose(result.output[100:], wanted[100:], rtol=0, atol=1e-12)


@every_filter
@pytest.mark.parametrize("every", [1, 7, 50, 1000])
@pytest.mark.parametrize("cuts", [(), (3, 50, 51, 120)])
def test_stored_weights_are_counted_from_the_first_sample_ever(make, every, cuts):
    x, d, _ = problem()
    all_weights = make(3, store_weights=1).adapt(x, d).weights
    f = make(3, store_weights=every)
    spans = zip((0, *cuts), (*cuts, 200), strict=True)
    stored = np.concatenate([f.adapt(x[a:b], d[a:b]).weights for a, b in spans])
    np.testing.assert_array_equal(stored, all_weights[every - 1 :: every])


@learners
def test_stored_weights_have_the_shape_of_coef(make):
    x, d, _ = problem(n_outputs=2)
    assert make(3, store_weights=50).adapt(x, d).weights.shape == (4, 2, 2, 3)
    assert make(3, store_weights=50).adapt(x, d[:, 0]).weights.shape == (4, 2, 3)
    assert make(3, store_weights=500).adapt(x, d[:, 0]).weights.shape == (0, 2, 3)


@learners
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_several_outputs_are_as_many_filters(make, fit_intercept):
    x, d, _ = problem(n_outputs=3)
    together = make(3, fit_intercept=fit_intercept).fit(x, d)
    for o in range(3):
        alone = make(3, fit_intercept=fit_intercept).fit(x, d[:, o])
        np.testing.assert_allclose(together.coef_[o], alone.coef_, rtol=0, atol=1e-13)
        np.testing.assert_allclose(together.intercept_[o], alone.intercept_, rtol=0, atol=1e-13)


# ---- scale ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [LMSFilter, NLMSFilter, RLSFilter])
@pytest.mark.parametrize("exponent", [-20, -3, 20])
def test_auto_settings_do_not_depend_on_the_unit_of_the_signals(make, exponent):
    x, d, _ = problem()
    a = 2.0**exponent  # a power of two changes no rounding
    one, other = make(3), make(3)
    one.adapt(x, d)
    result = other.adapt(a * x, a * d)
    np.testing.assert_array_equal(other.coef_, one.coef_)
    np.testing.assert_array_equal(result.error / a, make(3).adapt(x, d).error)


@pytest.mark.parametrize("scale", [1e-6, 3e-3, 1e6])
def test_nlms_without_regularization_does_not_depend_on_the_unit(scale):
    x, d, _ = problem()
    one, other = NLMSFilter(3, regularization=0.0), NLMSFilter(3, regularization=0.0)
    np.testing.assert_allclose(
        other.fit(scale * x, scale * d).coef_, one.fit(x, d).coef_, rtol=0, atol=1e-12
    )


@every_filter
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_filters_are_linear_in_the_desired_signal(make, fit_intercept):
    x, d, _ = problem()
    f, g = make(3, fit_intercept=fit_intercept), make(3, fit_intercept=fit_intercept)
    f.adapt(x, d)
    if hasattr(g, "error_bound"):
        g.set_params(error_bound=2.0**10 * g.error_bound)
    g.adapt(x, -(2.0**10) * d)
    if getattr(f, "sign", None) is None:
        np.testing.assert_array_equal(g.coef_, -(2.0**10) * f.coef_)
    else:  # the sign of the error has no size: only the sign passes through
        np.testing.assert_array_equal(make(3).fit(x, -d).coef_, -make(3).fit(x, d).coef_)


# ---- dtypes and memory layouts -------------------------------------------------------------------


@every_filter
@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_single_precision_stays_single(make, dtype):
    x, d, _ = problem(signal="complex")
    x, d = (v.astype(dtype) if dtype is np.complex64 else v.real.astype(dtype) for v in (x, d))
    f = make(3, store_weights=50)
    result = f.adapt(x, d)
    assert {result.output.dtype, result.error.dtype, result.weights.dtype} == {np.dtype(dtype)}
    assert f.coef_.dtype == f.intercept_.dtype == dtype
    wide = np.complex128 if dtype is np.complex64 else np.float64
    double = make(3).adapt(x.astype(wide), d.astype(wide)).output
    assert double.dtype == wide
    np.testing.assert_allclose(result.output, double, rtol=0, atol=2e-3)


@learners
def test_single_precision_stays_single_in_fit_and_predict(make):
    x, d, _ = problem()
    x32 = x.astype(np.float32)
    f = make(3).fit(x32, d)
    assert f.coef_.dtype == f.predict(x32).dtype == np.float32
    assert f.predict(x).dtype == np.float64


@every_filter
@pytest.mark.parametrize("first", [np.float32, np.float64])
def test_filters_widen_to_complex_when_the_signals_become_complex(make, first):
    x, d, _ = problem(signal="complex")
    f, g = make(3), make(3)
    f.adapt(x[:100].real.astype(first), d[:100].real.astype(first))
    g.adapt(x[:100].real.astype(first).astype(complex), d[:100].real.astype(first).astype(complex))
    got, wanted = f.adapt(x[100:], d[100:]), g.adapt(x[100:], d[100:])
    assert f.coef_.dtype == np.complex128
    atol = 1e-12 if first is np.float64 else 2e-3
    np.testing.assert_allclose(got.output, wanted.output, rtol=0, atol=atol)


@every_filter
@pytest.mark.parametrize(
    ("wide", "narrow"), [(np.complex128, np.float64), (np.float64, np.float32)]
)
def test_filters_do_not_narrow_when_the_signals_do(make, wide, narrow):
    x, d, _ = problem()
    x, d = x.astype(narrow), d.astype(narrow)
    f, g = make(3), make(3)
    f.adapt(x[:100].astype(wide), d[:100].astype(wide))
    result = f.adapt(x[100:], d[100:])
    g.adapt(x[:100].astype(wide), d[:100].astype(wide))
    wanted = g.adapt(x[100:].astype(wide), d[100:].astype(wide))
    assert f.coef_.dtype == result.output.dtype == wide
    np.testing.assert_array_equal(result.output, wanted.output)


@every_filter
def test_whole_numbers_are_taken_as_floats(make):
    rng = np.random.default_rng(0)
    x, d = rng.integers(-99, 99, (50, 2)), rng.integers(-99, 99, 50)
    got = make(3).adapt(x.astype(np.int16), d.astype(np.int16)).output
    wanted = make(3).adapt(x.astype(float), d.astype(float)).output
    np.testing.assert_array_equal(got, wanted)


def layouts(array, path):
    """The same numbers as read-only, Fortran, strided, reversed and memory-mapped arrays."""
    frozen = array.copy()
    frozen.flags.writeable = False
    strided = np.repeat(array, 2, axis=0)[::2]
    mapped = np.memmap(path, dtype=array.dtype, mode="w+", shape=array.shape)
    mapped[:] = array
    mapped.flush()
    yield "read-only", frozen
    yield "Fortran", np.asfortranarray(array)
    yield "strided", strided
    yield "reversed", array[::-1].copy()[::-1]
    yield "memmap", np.memmap(path, dtype=array.dtype, mode="r", shape=array.shape)


@every_filter
def test_memory_layout_changes_no_bit_and_inputs_are_not_modified(make, tmp_path):
    x, d, _ = problem(n_outputs=2)
    wanted, coef = make(3).adapt(x, d), make(3).fit(x, d).coef_
    xs, ds = layouts(x, tmp_path / "x"), layouts(d, tmp_path / "d")
    for (name, other_x), (_, other_d) in zip(xs, ds, strict=True):
        got = make(3).adapt(other_x, other_d, update_mask=np.ones(400, bool)[::2])
        f = make(3).fit(other_x, other_d)
        np.testing.assert_array_equal(got.output, wanted.output, err_msg=name)
        np.testing.assert_array_equal(f.coef_, coef, err_msg=name)
        np.testing.assert_array_equal(f.predict(other_x), f.predict(x), err_msg=name)
        np.testing.assert_array_equal(other_x, x)
        np.testing.assert_array_equal(other_d, d)


# ---- silence, bursts, divergence -----------------------------------------------------------------


@every_filter
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_silent", [5, 300_000])
def test_silence_of_any_length_is_survived_and_learning_goes_on(make, dtype, n_silent):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_normal(300), np.zeros(n_silent), rng.standard_normal(3000)])
    d = lfilter([1.0, -0.5, 0.25], 1, x) + 0.1 * rng.standard_normal(x.size)
    x, d = x.astype(dtype), d.astype(dtype)
    f = make(3, store_weights=300 + n_silent)
    result = f.adapt(x, d)
    assert np.isfinite(result.output).all()
    if not getattr(f, "leak", 0.0):  # nothing is learned from silence
        short = make(3)
        heard = 302 + getattr(f, "order", 1) - 1
        short.adapt(x[:heard], d[:heard])
        np.testing.assert_allclose(result.weights[0], short.coef_, rtol=0, atol=1e-4)
    assert np.mean(result.error[-500:] ** 2) < 0.1


@learners
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_before_the_first_sound_is_survived(make, dtype):
    x = np.concatenate([np.zeros(1000), np.random.default_rng(0).standard_normal(2000)])
    x = x.astype(dtype)
    result = make(2).adapt(x, np.concatenate([np.ones(1000, dtype), 2 * x[1000:]]))
    np.testing.assert_array_equal(result.output[:1000], 0.0)
    np.testing.assert_allclose(result.error[-100:], 0.0, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    "f", [LMSFilter(3), NLMSFilter(3), RLSFilter(3, forgetting_factor=0.99)], ids=str
)
@pytest.mark.parametrize("where", ["reference", "desired", "both"])
def test_a_burst_is_forgotten(f, where):
    rng = np.random.default_rng(0)
    n = 30_000
    x = rng.standard_normal(n)
    d = lfilter([1.0, -0.5, 0.25], 1, x)
    burst = slice(1000, 1010)
    if where in ("reference", "both"):
        x[burst] = 1e8 * rng.standard_normal(10)
    if where in ("desired", "both"):
        d[burst] = 1e8 * rng.standard_normal(10)
    error = f.adapt(x, d).error
    assert np.isfinite(error).all()
    assert np.abs(error[-1000:]).max() < 1e-3
    np.testing.assert_allclose(f.coef_, [[1.0, -0.5, 0.25]], rtol=0, atol=1e-3)


LOUD = 1.7e308


def overflowing(n, k):
    """A unit input and a desired signal whose second half of a swing overflows at step k."""
    x, d = np.ones(n), np.zeros(n)
    d[k - 1], d[k] = LOUD, -LOUD
    return x, d


def in_chunks(call, x, d, cuts):
    for a, b in zip((0, *cuts), (*cuts, len(x)), strict=True):
        call(x[a:b], d[a:b])


@pytest.mark.parametrize(
    "f",
    [
        LMSFilter(step_size=1.0),
        NLMSFilter(step_size=1.0, regularization=0.0),
        RLSFilter(forgetting_factor=0.5, delta=1e-6),
    ],
    ids=lambda f: type(f).__name__,
)
@pytest.mark.parametrize("cuts", [(), (3,), (10,), (19,), (20,), (2, 5, 12)])
@pytest.mark.parametrize("how", ["adapt", "partial_fit", "stream"])
def test_divergence_names_the_step_since_the_first_sample_ever(f, cuts, how):
    x, d = overflowing(30, 20)
    f = copy.deepcopy(f)
    session = f.stream()
    call = {
        "adapt": f.adapt,
        "partial_fit": lambda x, d: f.partial_fit(x[:, np.newaxis], d),
        "stream": session.learn_many,
    }[how]
    message = rf"{type(f).__name__} diverged at time step 20 "
    with pytest.raises(DivergenceError, match=message) as caught:
        in_chunks(call, x, d, cuts)
    assert caught.value.step == 20
    seen = cuts[-1] if cuts else 0
    if how == "stream":
        assert seen == 0 or int(session.state["n_samples_seen"]) == seen
    else:
        assert getattr(f, "n_samples_seen_", 0) == seen


@pytest.mark.parametrize("make", [LMSFilter, NLMSFilter, RLSFilter])
@pytest.mark.parametrize("steps", [(9, 20), (20, 9), (9, 9)])
def test_divergence_names_the_first_step_of_any_output(make, steps):
    signals = [overflowing(30, k) for k in steps]
    d = np.column_stack([d for _, d in signals])
    if make is LMSFilter:
        make = LMSFilter(step_size=1.0)
    elif make is NLMSFilter:
        make = NLMSFilter(step_size=1.0, regularization=0.0)
    else:
        make = RLSFilter(forgetting_factor=0.5, delta=1e-6)
    with pytest.raises(DivergenceError) as caught:
        make.adapt(np.ones(30), d)
    assert caught.value.step == 9


def test_divergence_error_says_value_bound_and_remedy():
    x = np.random.default_rng(0).standard_normal((3000, 1))
    f = LMSFilter(8, step_size=3.0)
    with pytest.raises(DivergenceError) as caught:
        f.fit(x, x[:, 0])
    message = str(caught.value)
    assert f"time step {caught.value.step} with step_size=3.0;" in message
    bound = float(message.split("step_size < ")[1].split()[0])
    np.testing.assert_allclose(bound, 2 / 8, rtol=0.1)
    assert "NLMSFilter" in message
    assert isinstance(caught.value, ValueError)
    with pytest.raises(DivergenceError, match="stable for 0 < step_size < 2"):
        NLMSFilter(step_size=5.0).fit(x, x[:, 0])
    again = copy.copy(caught.value)
    assert (str(again), again.step) == (message, caught.value.step)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_divergence_bound_is_a_number_in_short_calls_too(n):
    x = np.random.default_rng(0).standard_normal((3000, 1))
    f = LMSFilter(8, step_size=100.0)
    with pytest.raises(DivergenceError) as caught:
        in_chunks(f.partial_fit, x, x[:, 0], range(n, 3000, n))
    bound = float(str(caught.value).split("step_size < ")[1].split()[0])
    assert 0.05 < bound < 2


def test_divergence_bound_of_huge_signals_raises_no_other_warning():
    with pytest.raises(DivergenceError, match="time step 1 "):
        LMSFilter(2, step_size=1.0).fit(np.full((5, 1), 1e200), np.ones(5))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (LMSFilter(step_size=1.0), 1e200),
        (NLMSFilter(regularization=0.0), 1e-160),
        (RLSFilter(delta=1e-300), 1e-160),
    ],
    ids=["lms", "nlms", "rls"],
)
def test_weights_that_overflow_at_the_last_sample_are_an_error(f, x):
    with pytest.raises(DivergenceError) as caught:
        f.fit([[x]], [1e200])
    assert caught.value.step == 1
    assert not hasattr(f, "coef_")


@pytest.mark.parametrize("mode", ["warn", "reset"])
@pytest.mark.parametrize("how", ["fit", "partial_fit", "adapt", "learn_one", "learn_many"])
def test_divergence_can_reset_the_weights_and_go_on(mode, how, recwarn):
    x, d = overflowing(30, 20)
    x[25] = 2.0
    d[25:] = 3.0
    options = {"n_taps": 2, "step_size": 0.2, "initial_weights": [0.25, 0.5]}
    f = LMSFilter(on_divergence=mode, **options)
    session = f.stream()
    call = getattr(session if how.startswith("learn") else f, how)
    for part in np.arange(30)[:, np.newaxis] if how == "learn_one" else [slice(None)]:
        call(x[part, np.newaxis], d[part])
    fresh = LMSFilter(**options)
    fresh.adapt(x[:20], d[:20], update_mask=np.zeros(20))  # the delay line is kept
    fresh.adapt(x[20:], d[20:])
    state = session.state if how.startswith("learn") else f.stream().state
    np.testing.assert_array_equal(state["weights"], fresh.stream().state["weights"])
    found = [w for w in recwarn if issubclass(w.category, RuntimeWarning)]
    assert len(found) == (mode == "warn")
    for w in found:
        assert "diverged at time step 20" in str(w.message)
        assert "The weights were reset there." in str(w.message)
        assert w.filename == __file__


def test_divergence_after_a_reset_at_the_same_sample_is_an_error():
    f = LMSFilter(step_size=1.0, initial_weights=[-LOUD], on_divergence="reset")
    with pytest.raises(DivergenceError, match="happened again at once"):
        f.adapt(np.ones(3), [LOUD, 0.0, 0.0])


def everything(f):
    return {k: copy.deepcopy(v) for k, v in vars(f).items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_same(value, other[name])
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other[name], err_msg=name)
        else:
            assert value == other[name], name


def bad_calls():
    x, d = overflowing(30, 20)
    nan = np.where(np.arange(30) == 7, np.nan, d)
    wide = np.ones((30, 2))
    X = x[:, np.newaxis]
    yield "diverges", lambda f: f.partial_fit(X, d)
    yield "diverges in fit", lambda f: f.fit(X, d)
    yield "diverges in adapt", lambda f: f.adapt(x, d)
    yield "diverges with more channels", lambda f: f.fit(wide, d)
    yield "nan in y", lambda f: f.partial_fit(X, nan)
    yield "nan in y, more channels", lambda f: f.fit(wide, nan)
    yield "nan in X", lambda f: f.fit(nan[:, np.newaxis], d)
    yield "nan in d", lambda f: f.adapt(x, nan)
    yield "short y", lambda f: f.fit(wide, d[:-1])
    yield "short d", lambda f: f.adapt(x, d[:-1])
    yield "channels-first y", lambda f: f.fit([wide, wide], [d])


@pytest.mark.parametrize("call", [c for _, c in bad_calls()], ids=[n for n, _ in bad_calls()])
@pytest.mark.parametrize("fitted", [False, True])
def test_nothing_is_left_half_done_after_an_error(call, fitted):
    f = LMSFilter(step_size=1.0, store_weights=2)
    if fitted:
        f.fit(np.ones((9, 1)), np.arange(9.0))
    before = everything(f)
    with pytest.raises(ValueError):
        call(f)
    assert_same(everything(f), before)
    if not fitted:
        with pytest.raises(NotFittedError):
            f.predict(np.ones((3, 1)))


# ---- the estimator -------------------------------------------------------------------------------


@every_filter
def test_fit_forgets_and_is_one_pass_of_adapt(make):
    x, d, _ = problem()
    f, g = make(3), make(3)
    f.fit(x[::-1], d).fit(x, d)
    output = g.adapt(x, d).output
    np.testing.assert_array_equal(f.coef_, g.coef_)
    assert f.n_samples_seen_ == g.n_samples_seen_ == 200
    g.reset()
    assert vars(g) == vars(make(3))
    np.testing.assert_array_equal(g.adapt(x, d).output, output)


@every_filter
def test_predict_is_pure_and_causal(make):
    x, d, _ = problem(n_outputs=2)
    f = make(3).fit(x, d)
    before = everything(f)
    whole = f.predict(x)
    np.testing.assert_array_equal(f.predict(x), whole)
    for k in (1, 2, 3, 100):
        np.testing.assert_array_equal(f.predict(x[:k]), whole[:k])
    assert_same(everything(f), before)


@every_filter
@pytest.mark.parametrize("cut", [1, 2, 5, 199])
def test_predict_hands_over_its_delay_line(make, cut):
    x, d, _ = problem()
    f = make(4).fit(x, d)
    first, state = f.predict(x[:cut], return_state=True)
    second, last = f.predict(x[cut:], initial_state=state, return_state=True)
    np.testing.assert_array_equal(np.concatenate([first, second]), f.predict(x))
    assert state.shape == (3 * 2,)
    np.testing.assert_array_equal(last, x[-3:].ravel())


@learners
def test_predict_hands_over_the_delay_lines_of_several_series(make):
    x, d, _ = problem()
    f = make(4).fit(x, d)
    _, states = f.predict([x[:50], x[50:120]], return_state=True)
    assert states.shape == (2, 6)
    ahead = f.predict([x[120:130], x[120:]], initial_state=states)
    for part, start, n in zip(ahead, states, (10, 80), strict=True):
        np.testing.assert_array_equal(part, f.predict(x[120 : 120 + n], initial_state=start))
    with pytest.raises(ValueError, match=r"initial_state must have shape \(6,\) or \(1, 6\)"):
        f.predict(x, initial_state=states)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (1.0, r"must have shape \(2,\) or \(1, 2\), got \(\)"),
        ([1.0], r"got \(1,\)"),
        (np.zeros((2, 1)), r"got \(2, 1\)"),
        ([0.0, np.nan], "initial_state contains NaN"),
    ],
)
def test_predict_refuses_states_that_do_not_fit(state, message):
    f = LMSFilter(3).fit(np.ones((9, 1)), np.ones(9))
    with pytest.raises(ValueError, match=message):
        f.predict(np.ones((2, 1)), initial_state=state)


@every_filter
def test_clear_history_keeps_the_weights(make):
    x, d, _ = problem()
    f, g = make(3), make(3)
    f.adapt(x[:100], d[:100])
    g.adapt(x[:100], d[:100])
    coef = f.clear_history().coef_
    np.testing.assert_array_equal(coef, g.coef_)
    cleared, carried = f.adapt(x[100:], d[100:]).output, g.adapt(x[100:], d[100:]).output
    wanted = naive.delay_rows(x[100:], 3)[0] @ coef.ravel()
    np.testing.assert_allclose(cleared[0], wanted, rtol=0, atol=1e-14)
    assert abs(carried[0] - wanted) > 1e-6


def test_one_dimensional_targets_give_one_dimensional_answers():
    x, d, _ = problem()
    assert LMSFilter(3).fit(x, d).predict(x).shape == (200,)
    column = LMSFilter(3).fit(x, d[:, np.newaxis])
    assert column.predict(x).shape == (200, 1)
    assert column.coef_.shape == (2, 3)
    assert column.intercept_ == 0
    assert LMSFilter(3).adapt(x, d[:, np.newaxis]).output.shape == (200, 1)
    f = LMSFilter(3)
    f.adapt(x[:, 0], d)
    assert f.coef_.shape == (1, 3)
    assert f.n_features_in_ == 1


@learners
def test_score_is_the_coefficient_of_determination(make):
    x, d, _ = problem(n_outputs=2)
    f = make(3).fit(x, d)
    np.testing.assert_allclose(f.score(x, d), r2_score(d, f.predict(x)), rtol=1e-13)
    weight = np.arange(200.0)
    wanted = r2_score(d, f.predict(x), sample_weight=weight)
    np.testing.assert_allclose(f.score(x, d, weight), wanted, rtol=1e-13)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_taps": 0}, "n_taps"),
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": -1.0}, "step_size"),
        ({"leak": -1.0}, "leak"),
        ({"sign": "errors"}, "sign"),
        ({"store_weights": -1}, "store_weights"),
        ({"on_divergence": "ignore"}, "on_divergence"),
        ({"initial_weights": [1.0, 2.0]}, r"shape \(1, 3\).* newest sample first.* got \(2,\)"),
        ({"initial_weights": [1.0, 2.0, np.inf]}, "initial_weights contains infinity"),
        ({"initial_weights": [1.0, 2.0, 1j]}, "initial_weights are complex"),
    ],
)
@pytest.mark.parametrize("how", ["fit", "adapt", "stream"])
def test_bad_parameters_are_named(parameters, message, how):
    f = LMSFilter(**({"n_taps": 3} | parameters))
    x = np.ones((5, 1))
    with pytest.raises(ValueError, match=message):
        {"fit": f.fit, "adapt": f.adapt, "stream": lambda x, d: f.stream().learn_many(x, d)}[how](
            x, np.ones(5)
        )


@pytest.mark.parametrize("forgetting_factor", [0.0, -1.0, 1.001])
def test_rls_refuses_a_forgetting_factor_outside_its_range(forgetting_factor):
    with pytest.raises(ValueError, match="forgetting_factor"):
        RLSFilter(forgetting_factor=forgetting_factor).fit(np.ones((5, 1)), np.ones(5))


@pytest.mark.parametrize(
    ("x", "d", "mask", "message"),
    [
        (np.ones(5), np.ones(4), None, "x has 5 samples, d has 4"),
        (np.ones((2, 5, 1)), np.ones(5), None, r"x must be a signal .* got shape \(2, 5, 1\)"),
        (np.ones(0), np.ones(0), None, "at least one sample"),
        (np.ones(5), 1.0, None, r"d must be a signal .* got shape \(\)"),
        (np.ones(5), np.ones(5), [True], r"update_mask must have shape \(5,\), got \(1,\)"),
        ([1, 2, np.nan], np.ones(3), None, "x contains NaN: 1 value.* row 2, column 0"),
        (np.ones(3), [1, np.inf, np.nan], None, "d contains infinity: 2 value.* row 1, column 0"),
        (np.ones(3), [1, 1, 1j * np.nan], None, "d contains NaN: 1 value.* row 2, column 0"),
    ],
)
def test_adapt_says_what_does_not_fit(x, d, mask, message):
    with pytest.raises(ValueError, match=message):
        LMSFilter().adapt(x, d, update_mask=mask)


def test_a_filter_refuses_another_number_of_channels_or_outputs():
    x, d, _ = problem()
    f = LMSFilter(3).fit(x, d)
    with pytest.raises(ValueError, match=r"adapted to 2 channel\(s\) and 1 output\(s\); got 1"):
        f.adapt(x[:, :1], d)
    with pytest.raises(ValueError, match=r"got 2 and 2. reset\(\) starts anew"):
        f.partial_fit(x, np.column_stack([d, d]))
    with pytest.raises(ValueError, match="X has 1 features, but LMSFilter is expecting 2"):
        f.predict(x[:, :1])


@pytest.mark.parametrize(
    ("f", "change"),
    [
        (LMSFilter(3), {"n_taps": 5}),
        (NLMSFilter(3), {"n_taps": 2}),
        (AffineProjectionFilter(3), {"order": 5}),
        (RLSFilter(3), {"fit_intercept": True}),
    ],
)
def test_parameters_that_change_the_size_of_a_fitted_filter_are_refused(f, change):
    x, d, _ = problem()
    f.fit(x, d).set_params(**change)
    for call in (f.partial_fit, f.adapt, lambda *given: f.stream().learn_many(*given)):
        with pytest.raises(ValueError, match=r"Were parameters changed.* reset\(\)"):
            call(x, d)
    f.fit(x, d)
