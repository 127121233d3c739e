"""What every adaptive filter promises: a-priori outputs, numbers in any unit and dtype."""

import naive
import numpy as np
import pytest
from filters_under_test import FILTERS, every_filter, learners, problem
from scipy.signal import lfilter

from filters import (
    AdaptResult,
    LMSFilter,
    NLMSFilter,
    RLSFilter,
)

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")


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
