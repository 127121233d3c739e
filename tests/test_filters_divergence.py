"""Silence, bursts, overflow: what stays finite, and what a filter says where it does not."""

import copy

import numpy as np
import pytest
from filters_under_test import LOUD, assert_same, every_filter, everything, learners, overflowing
from scipy.signal import lfilter
from sklearn.exceptions import NotFittedError

from filters import (
    AffineProjectionFilter,
    FilteredXFilter,
    LMSFilter,
    NLMSFilter,
    ProportionateFilter,
    RLSFilter,
    VolterraFilter,
)
from filters.timeseries import DivergenceError

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")


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


UNSTABLE = [
    LMSFilter(2, step_size=9.0),
    NLMSFilter(2, step_size=9.0),
    AffineProjectionFilter(2, step_size=3.0),
    ProportionateFilter(2, step_size=3.0),
    FilteredXFilter(2, secondary_path=[1.0, 0.5], step_size=3.0),
    VolterraFilter(2, step_size=3.0),
]


@pytest.mark.parametrize("f", UNSTABLE, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_divergence_that_stays_finite_is_an_error_of_a_whole_fit(f, scale):
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 200))
    y = scale * (x + 0.1 * noise)
    f = copy.deepcopy(f)
    if isinstance(f, LMSFilter):  # too few samples to overflow
        assert np.isfinite(f.adapt(x, y).error).all()
        f.reset()
    with pytest.raises(DivergenceError, match=r"diverged before time step 200 .*still finite"):
        f.fit(x[:, np.newaxis], y)
    assert not hasattr(f, "coef_")
    f.set_params(on_divergence="reset").fit(x[:, np.newaxis], y)
    np.testing.assert_array_equal(f.coef_, 0.0)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize(
    "f",
    [
        LMSFilter(3),
        NLMSFilter(3),
        NLMSFilter(3, initial_weights=[[1e20, 0.0, 0.0]]),
        RLSFilter(3),
        RLSFilter(3, forgetting_factor=0.99),
        VolterraFilter(3),
    ],
    ids=str,
)
def test_finite_divergence_is_not_seen_in_what_is_merely_loud_quiet_or_ill_conditioned(f, scale):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(1000)
    d = scale * lfilter([1.0, -0.5, 0.25], 1, x)
    narrow = np.sin(0.1 * np.arange(1000))
    glitch, silence, only_glitches = x.copy(), x.copy(), np.zeros(1000)
    glitch[700] = 1e18  # a click the desired signal knows nothing of
    silence[500:] = 0.0
    only_glitches[::10] = 1e18
    for heard in (x, narrow, glitch, silence, only_glitches, np.zeros(1000), np.ones(1000)):
        if isinstance(f, VolterraFilter | RLSFilter) and np.abs(heard).max() > 1e10:
            continue  # its products of two samples are beyond what it can be asked to forget
        for wanted in (d, np.zeros(1000), np.r_[d[:1], np.zeros(999)]):
            copy.deepcopy(f).fit(heard[:, np.newaxis], wanted)


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
