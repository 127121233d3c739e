"""The short cut of sessions for one sample of one channel: the same bits as the general way."""

import warnings

import numpy as np
import pytest

from filters import LMSFilter, NLMSFilter, RLSFilter
from filters.timeseries import DivergenceError

# Bursts of 1e8 and steps meant to diverge.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

FILTERS = [
    LMSFilter(5),
    LMSFilter(5, fit_intercept=True),
    LMSFilter(33, step_size=0.003, leak=0.2),
    LMSFilter(1, step_size=0.1),
    NLMSFilter(5),
    NLMSFilter(1, fit_intercept=True),
    NLMSFilter(40, regularization=0.1, fit_intercept=True),
    NLMSFilter(8, regularization=0.0, step_size=1.0),
]
with_short_cut = pytest.mark.parametrize("f", FILTERS, ids=repr)


def signals(n=700, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n) * np.where(np.arange(n) % 300 < 200, 1.0, 0.0)
    x[n // 8] = 1e8
    return x, np.convolve(x, [0.5, -0.3, 0.1])[:n] + 0.1 * rng.standard_normal(n) + 0.4


@with_short_cut
def test_floats_one_by_one_are_one_call_of_adapt(f):
    x, d = signals()
    session = f.stream()
    heard = [session.learn_one(u, v) for u, v in zip(x.tolist(), d.tolist(), strict=True)]
    whole = f.stream()
    np.testing.assert_array_equal(heard, whole.learn_many(x, d))
    assert session.state.keys() == whole.state.keys()
    for name, value in whole.state.items():
        assert session.state[name].dtype == value.dtype
        np.testing.assert_array_equal(session.state[name], value, err_msg=name)


@with_short_cut
def test_every_way_of_asking_mixes_with_it(f):
    x, d = signals(120)
    session, heard = f.stream(), []
    for k in range(0, 120, 6):
        heard.append(session.learn_one(float(x[k]), float(d[k])))
        heard.append(session.learn_one([x[k + 1]], d[k + 1]))
        heard.append(session.copy().learn_one(x[k + 2], d[k + 2]))
        heard.append(session.learn_one(np.array([x[k + 2]]), np.array([d[k + 2]])))
        heard.extend(session.learn_many(x[k + 3 : k + 5], d[k + 3 : k + 5]))
        session = session.at(session.state)
        heard.append(session.learn_one(x[k + 5], [d[k + 5]]))
    wanted = f.stream().learn_many(x, d)
    heard = np.delete(heard, np.arange(2, len(heard), 7))  # what the copies heard
    np.testing.assert_array_equal(heard, wanted)


@with_short_cut
def test_predictions_and_a_new_series_between_its_samples(f):
    x, d = (values[:40].tolist() for values in signals())

    def run(learn):
        session = f.stream()
        out = [learn(session, u, v) for u, v in zip(x[:20], d[:20], strict=True)]
        out.append(session.predict_one(0.7))
        session.learn_error(0.2)
        out += [learn(session, u, v) for u, v in zip(x[20:30], d[20:30], strict=True)]
        session.clear_history()
        out += [learn(session, u, v) for u, v in zip(x[30:], d[30:], strict=True)]
        return out, session.to_filter().coef_

    short, coef = run(lambda s, u, v: s.learn_one(u, v))
    general, wanted = run(lambda s, u, v: float(s.learn_many([u], [v])[0]))
    assert short == general
    np.testing.assert_array_equal(coef, wanted)


@with_short_cut
def test_what_is_not_finite_is_refused_and_changes_nothing(f):
    x, d = (values[:30].tolist() for values in signals())
    session, other = f.stream(), f.stream()
    for u, v in zip(x, d, strict=True):
        session.learn_one(u, v)
        other.learn_one(u, v)
    for pair in ((np.nan, 1.0), (1.0, np.inf), (float("-inf"), 1.0)):
        with pytest.raises(ValueError, match="NaN or infinity"):
            session.learn_one(*pair)
    assert session.learn_one(0.3, 0.4) == other.learn_one(0.3, 0.4)


def test_divergence_is_told_at_its_step_and_changes_nothing():
    f = LMSFilter(2, step_size=10.0)
    with pytest.raises(DivergenceError) as block:
        f.stream().learn_many(np.full(2000, 2.0), np.ones(2000))
    session = f.stream()
    # The last update overflows, or the sample after it does: that depends on the last bit.
    for _ in range(block.value.step - 1):
        session.learn_one(2.0, 1.0)
    before = session.state
    try:
        session.learn_one(2.0, 1.0)
        before = session.state
        with pytest.raises(DivergenceError) as told:
            session.learn_one(2.0, 1.0)
        step = told.value.step
    except DivergenceError as error:
        step = error.step
    assert step == block.value.step
    for name, value in before.items():
        np.testing.assert_array_equal(session.state[name], value)


def test_a_reset_on_divergence_goes_on():
    f = LMSFilter(2, step_size=10.0, on_divergence="reset")
    session = f.stream()
    heard = [session.learn_one(2.0, 1.0) for _ in range(900)]
    np.testing.assert_array_equal(heard, f.stream().learn_many(np.full(900, 2.0), np.ones(900)))


@pytest.mark.parametrize("f", [LMSFilter(3, sign="error"), RLSFilter(3)], ids=repr)
def test_filters_without_it_go_the_general_way(f):
    x, d = signals(50)
    session = f.stream()
    heard = [session.learn_one(u, v) for u, v in zip(x.tolist(), d.tolist(), strict=True)]
    np.testing.assert_array_equal(heard, f.stream().learn_many(x, d))


def test_complex_and_wider_signals_go_the_general_way():
    session = NLMSFilter(2).stream()
    session.learn_one(1.0, 2.0)
    session.learn_one(0.5, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(session.learn_one(1.0 + 1j, 2.0), complex)
    with pytest.raises(ValueError, match="1 channel"):
        session.learn_one([1.0, 2.0], 1.0)
    wide = NLMSFilter(2).stream()
    np.testing.assert_array_equal(
        [wide.learn_one([1.0, k], [k, 2.0]) for k in range(3)],
        NLMSFilter(2).stream().learn_many([[1.0, k] for k in range(3)], [[k, 2] for k in range(3)]),
    )
