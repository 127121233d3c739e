"""Filtered-x LMS: LMS behind a path, what is played, what is heard and what is measured."""

import naive
import numpy as np
import pytest
from scipy.signal import lfilter
from secondary_paths import PATH, path_of, problem

from filters import FilteredXFilter, LMSFilter, NLMSFilter
from filters.timeseries import DivergenceError

# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", ["real", "complex", "float32"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("path", [None, [1.0]])
def test_without_a_path_it_is_nlms_and_lms(signal, fit_intercept, path):
    x, d = problem(600, n_outputs=2, signal=signal)
    mask = np.random.default_rng(1).random(600) < 0.8
    both = {"fit_intercept": fit_intercept}
    pairs = [
        (FilteredXFilter(5, secondary_path=path, **both), NLMSFilter(5, **both)),
        (
            FilteredXFilter(5, secondary_path=path, regularization=0.3, step_size=0.2, **both),
            NLMSFilter(5, regularization=0.3, step_size=0.2, **both),
        ),
        (
            FilteredXFilter(5, normalize=False, step_size=0.01, leak=0.3, **both),
            LMSFilter(5, step_size=0.01, leak=0.3, **both),
        ),
    ]
    atol = 2e-5 if signal == "float32" else 1e-13
    for one, other in pairs:
        got, wanted = one.adapt(x, d, update_mask=mask), other.adapt(x, d, update_mask=mask)
        assert got.output.dtype == wanted.output.dtype
        np.testing.assert_allclose(got.output, wanted.output, rtol=0, atol=atol)
        np.testing.assert_allclose(one.coef_, other.coef_, rtol=0, atol=atol)
        np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=0, atol=atol)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_it_equals_its_twin(signal, n_outputs, normalize, fit_intercept):
    x, d = problem(n_outputs=n_outputs, signal=signal)
    path, step = path_of(signal), 0.3 if normalize else 0.02
    mask = np.random.default_rng(1).random(120) < 0.8
    f = FilteredXFilter(
        4,
        secondary_path=path,
        step_size=step,
        normalize=normalize,
        regularization=0.2,
        leak=0.1,
        fit_intercept=fit_intercept,
        store_weights=1,
    )
    got = f.adapt(x, d, update_mask=mask)
    columns, weights = d.reshape(120, -1), got.weights.reshape(120, n_outputs, 8)
    for o in range(n_outputs):
        heard, _, stored, biases = naive.filtered_x(
            naive.delay_rows(x, 4),
            columns[:, o],
            path,
            np.zeros(8),
            step,
            epsilon=np.full(120, 0.2) if normalize else None,
            leak=0.1,
            fit_intercept=fit_intercept,
            mask=mask,
        )
        np.testing.assert_allclose(got.output.reshape(120, -1)[:, o], heard, rtol=0, atol=1e-12)
        np.testing.assert_allclose(weights[:, o], stored, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.ravel(f.intercept_)[o], biases[-1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(got.error, d - got.output)


@pytest.mark.parametrize("signal", ["real", "complex"])
def test_what_is_heard_is_the_drive_that_was_played_through_the_path(signal):
    x, d = problem(signal=signal)
    f = FilteredXFilter(4, secondary_path=path_of(signal), store_weights=1)
    got = f.adapt(x, d)
    before = np.concatenate([np.zeros((1, 8)), got.weights.reshape(120, 8)[:-1]])
    drive = np.sum(before * naive.delay_rows(x, 4), axis=1)
    np.testing.assert_allclose(got.output, lfilter(path_of(signal), 1, drive), rtol=0, atol=1e-12)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_the_controller_that_silences_the_microphone_is_found(signal, normalize, offset):
    x, _ = problem(12_000, signal=signal)
    path, controller = path_of(signal), np.array([[0.5, -0.4, 0.3], [1.0, 0.2, -0.1]])
    drive = sum(lfilter(controller[c], 1, x[:, c]) for c in range(2))
    # After the rise of the path a constant drive is heard with its gain at frequency zero.
    d = lfilter(path, 1, drive + offset)
    f = FilteredXFilter(
        3,
        secondary_path=path,
        normalize=normalize,
        step_size=0.2 if normalize else 0.02,
        fit_intercept=offset != 0,
    )
    error = f.adapt(x, d).error
    np.testing.assert_allclose(f.coef_, controller, rtol=0, atol=1e-5)
    np.testing.assert_allclose(f.intercept_, offset, rtol=0, atol=1e-4)
    assert np.abs(error[-100:]).max() < 1e-4


def test_predict_is_the_drive_and_score_is_at_the_microphone():
    x, _ = problem(6000)
    d = lfilter(PATH, 1, lfilter([0.5, -0.4], 1, x[:, 0]))
    f = FilteredXFilter(2, secondary_path=PATH).fit(x, d)
    wanted = sum(lfilter(f.coef_[c], 1, x[:, c]) for c in range(2))
    np.testing.assert_allclose(f.predict(x), wanted, rtol=0, atol=1e-12)
    heard = lfilter(PATH, 1, wanted)
    assert f.score(x, d) > 0.9999
    np.testing.assert_allclose(f.score(x, d), 1 - np.var(d - heard) / np.var(d), atol=1e-6)
    half = [x[:3000], x[3000:]], [d[:3000], d[3000:]]
    ids = np.repeat([0, 1], 3000)
    np.testing.assert_allclose(f.score(*half), f.score(x, d, groups=ids), rtol=1e-12)
    assert f.score(*half) < f.score(x, d)  # the second series begins in silence


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**30])
def test_rescaled_signals_leave_the_weights_alone(scale):
    x, d = problem()
    f, g = (FilteredXFilter(5, secondary_path=PATH) for _ in range(2))
    one, other = f.adapt(scale * x, scale * d), g.adapt(x, d)
    np.testing.assert_array_equal(one.output, scale * other.output)
    np.testing.assert_array_equal(f.coef_, g.coef_)


# ---- stability -----------------------------------------------------------------------------------


def residual(f, x, d):
    """Power of the last residual relative to the noise; infinite where the loop diverged."""
    with np.errstate(over="ignore"):
        try:
            return np.mean(f.adapt(x, d).error[-300:] ** 2) / np.mean(d**2)
        except DivergenceError:
            return np.inf


@pytest.mark.parametrize(("n_taps", "delay"), [(32, 0), (32, 32), (16, 48), (64, 16)])
@pytest.mark.parametrize("normalize", [False, True])
def test_the_bound_on_the_step_is_that_of_a_pure_delay(n_taps, delay, normalize):
    rng = np.random.default_rng(0)
    gain, path = 0.7, np.r_[np.zeros(delay), 0.7]
    x = rng.choice([-1.0, 1.0], 15_000)
    d = lfilter(path, 1, lfilter(rng.standard_normal(n_taps), 1, x))
    bound = 2 / (n_taps + delay) * (n_taps if normalize else gain**-2)

    def left(share):
        step = share * bound
        f = FilteredXFilter(n_taps, secondary_path=path, step_size=step, normalize=normalize)
        return residual(f, x, d)

    assert left(0.6) < 1e-6
    assert left(1.3) > 1e6


@pytest.mark.parametrize("delay", [0, 1, 7, 40])
@pytest.mark.parametrize("frequency", [0.02, 0.7, 1.9])
def test_auto_step_is_stable_for_tones_and_their_bound_is_real(delay, frequency):
    t = np.arange(20_000)
    x, d = np.sin(frequency * t + 0.3), np.cos(frequency * t)
    path = np.r_[np.zeros(delay), -1.5]

    def left(step):
        return residual(FilteredXFilter(64, secondary_path=path, step_size=step), x, d)

    assert left("auto") < 1e-6
    if delay:
        assert left(1.4 * 4 * np.sin(np.pi / (4 * delay + 2))) > 1


def run_loop(f, plant, frequency, n=1500):
    """A real loop: the drive goes through `plant`, the residual is measured."""
    session, drives, left = f.stream(), np.zeros(len(plant)), []
    for k in range(n):
        drives = np.r_[session.predict_one(np.cos(frequency * k)), drives[:-1]]
        left.append(np.cos(frequency * k + 1.0) - plant @ drives)
        session.learn_error(left[-1])
    return np.abs(left)


@pytest.mark.parametrize(("lag", "stable"), [(0, True), (1, True), (-1, True), (3, False)])
def test_a_loop_converges_while_the_model_is_less_than_90_degrees_off(lag, stable):
    frequency = np.pi / 4  # a sample is 45 degrees
    model, plant = np.eye(8)[3], 0.5 * np.eye(8)[3 + lag]
    f = FilteredXFilter(2, secondary_path=model, step_size=0.1)
    if stable:
        left = run_loop(f, plant, frequency)
        assert left[-100:].max() < 1e-3 * left[:100].max()
    else:
        with (
            np.errstate(over="ignore", invalid="ignore"),
            pytest.raises(DivergenceError, match="90 degrees"),
        ):
            run_loop(f.set_params(step_size=2.0), plant, frequency, n=8000)


def test_a_leak_keeps_the_drive_smaller():
    x, d = problem(5000)
    loud, quiet = (
        FilteredXFilter(8, secondary_path=PATH, leak=leak).fit(x, d) for leak in (0.0, 0.2)
    )
    assert np.linalg.norm(quiet.coef_) < 0.8 * np.linalg.norm(loud.coef_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_silence_changes_nothing_and_bursts_are_forgotten(dtype):
    x = np.random.default_rng(0).standard_normal(3000).astype(dtype)
    d = lfilter(PATH, 1, x).astype(dtype)
    f = FilteredXFilter(4, secondary_path=PATH, step_size=0.3)
    f.adapt(np.r_[x, np.zeros(8, dtype)], np.r_[d, np.zeros(8, dtype)])
    before = f.coef_.copy()
    silent = np.zeros(100_000, dtype)
    f.adapt(silent, silent + 1)
    np.testing.assert_array_equal(f.coef_, before)
    burst = x.copy()
    burst[100] = 1e8
    f.adapt(burst, lfilter(PATH, 1, burst).astype(dtype))
    for _ in range(2):
        f.adapt(x, d)
    np.testing.assert_allclose(f.coef_, [[1, 0, 0, 0]], rtol=0, atol=1e-3)


def test_faint_signals_are_finite():
    x, d = problem()
    for scale in (1e-150, 1e-160, 1e-200):
        assert np.isfinite(
            FilteredXFilter(4, secondary_path=PATH).fit(scale * x, scale * d).coef_
        ).all()


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ([], r"shape \(n_path_taps,\), newest sample first; got shape \(0,\)"),
        ([[1.0, 0.5]], r"got shape \(1, 2\)"),
        (["a"], "secondary_path cannot be used"),
        ([1.0, np.nan], "secondary_path contains NaN"),
        ([0.0, 0.0], "secondary_path is zero in float64: nothing that is played"),
        ([1.0, 0.5j], "secondary_path is complex, but the signals are real"),
    ],
)
def test_what_is_no_path_is_refused(path, message):
    with pytest.raises(ValueError, match=message):
        FilteredXFilter(secondary_path=path).fit(*problem())


def test_a_path_too_faint_for_the_precision_is_refused():
    x, d = problem(signal="float32")
    with pytest.raises(ValueError, match="zero in float32"):
        FilteredXFilter(secondary_path=[1e-60]).fit(x, d)


def test_auto_step_needs_the_norm():
    with pytest.raises(ValueError, match='step_size="auto" needs normalize=True'):
        FilteredXFilter(normalize=False).fit(*problem())


@pytest.mark.parametrize("normalize", [False, True])
def test_divergence_names_the_step_the_bound_and_the_delay(normalize):
    x, d = np.ones(100_000), np.ones(100_000)
    f = FilteredXFilter(2, secondary_path=np.eye(5)[4], step_size=3.0, normalize=normalize)
    bound = "0.667" if normalize else "0.333"
    with pytest.raises(DivergenceError, match=rf"delays by 4 .* step_size < {bound}"):
        f.fit(x[:, None], d)


def test_a_session_wants_a_drive_before_an_error():
    session = FilteredXFilter(2, secondary_path=PATH).stream()
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
    session.predict_one(1.0)
    with pytest.raises(ValueError, match=r"e has 2 value\(s\), the output has 1"):
        session.learn_error([1.0, 2.0])
    with pytest.raises(ValueError, match="e contains NaN"):
        session.learn_error(np.nan)
    session.learn_error(1.0)
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
    session.predict_one(1.0)
    session.learn_one(1.0, 1.0)
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)


def test_a_path_of_another_length_needs_a_reset():
    x, d = problem()
    f = FilteredXFilter(3, secondary_path=PATH).fit(x, d)
    with pytest.raises(ValueError, match=r"Were parameters changed after it was fitted\? reset"):
        f.set_params(secondary_path=[1.0]).partial_fit(x, d)
