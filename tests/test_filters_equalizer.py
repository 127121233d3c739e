"""ChannelEqualizer: Haykin's four channels, the delay, and the contract of a series regressor."""

from itertools import pairwise

import naive
import numpy as np
import pandas as pd
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import ChannelEqualizer, LMSFilter, NLMSFilter, RLSFilter
from filters.timeseries import DivergenceError

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

N_TAPS, NOISE = 11, 0.001
FILTERS = {
    "default": None,
    "rls": RLSFilter(11, forgetting_factor=1.0, delta=0.004),
    "nlms": NLMSFilter(11, step_size=0.3),
}
every_filter = pytest.mark.parametrize("filter", FILTERS.values(), ids=FILTERS)
every_channel = pytest.mark.parametrize("W", [2.9, 3.1, 3.3, 3.5])


def haykin(W):
    return 0.5 * (1 + np.cos(2 * np.pi / W * (np.arange(4) - 2))) * (np.arange(4) > 0)


def wiener_error(h, delay, noise=NOISE, n_taps=N_TAPS):
    """Minimum mean squared error of an equaliser of `n_taps` for a(n - delay), in closed form."""
    r = np.zeros(n_taps)
    r[: h.size] = [h[k:] @ h[: h.size - k] for k in range(h.size)]
    r[0] += noise
    lags = delay - np.arange(n_taps)
    p = np.where((lags >= 0) & (lags < h.size), h[np.clip(lags, 0, h.size - 1)], 0.0)
    return 1 - p @ np.linalg.solve(toeplitz(r), p)


def transmit(h, n, seed, noise=NOISE):
    rng = np.random.default_rng(seed)
    a = rng.choice([-1.0, 1.0], n)
    return (lfilter(h, 1, a) + np.sqrt(noise) * rng.standard_normal(n))[:, np.newaxis], a


@every_channel
def test_rls_trained_on_n_symbols_of_haykins_channel_is_that_far_from_wiener(W):
    """Error on fresh symbols = J_min (1 + M / n), mean over an ensemble."""
    j_min = wiener_error(haykin(W), 7)
    fresh, symbols = transmit(haykin(W), 20_000, 10_000)
    inside = slice(50, -50)
    for n in (200, 500):
        errors = []
        for seed in range(60):
            X, a = transmit(haykin(W), n + 7, seed)
            equalizer = ChannelEqualizer(FILTERS["rls"], delay=7).fit(X, a)
            errors.append(np.mean((equalizer.predict(fresh) - symbols)[inside] ** 2))
        np.testing.assert_allclose(np.mean(errors), j_min * (1 + 11 / n), rtol=0.04)
    assert [round(wiener_error(haykin(w), 7), 6) for w in (2.9, 3.5)] == [0.001376, 0.004156]


@every_filter
@every_channel
def test_every_channel_is_opened(W, filter):
    X, a = transmit(haykin(W), 6000, 0)
    equalizer = ChannelEqualizer(filter).fit(X[:4000], a[:4000])
    assert (np.sign(equalizer.predict(X)[4000:-20]) == a[4000:-20]).all()
    assert equalizer.score(X[4000:], a[4000:]) > 0.9


@pytest.mark.parametrize("bulk", [0, 3, 40])
@pytest.mark.parametrize(
    "h", [haykin(2.9), haykin(3.5), np.array([1.0, 0.5]), np.array([0.5, 1.0]), -haykin(3.1)]
)
def test_auto_delay_has_the_least_wiener_error(h, bulk):
    """On a long record the delay found is the best of all, up to equally good ones."""
    X, a = transmit(np.r_[np.zeros(bulk), h], 15_000, 0)
    found = ChannelEqualizer().fit(X, a).delay_
    errors = [wiener_error(h, d) for d in range(N_TAPS + 3)]
    assert wiener_error(h, found - bulk) < 1.02 * min(errors)
    assert max(errors) > 1.5 * min(errors)


def test_auto_delay_is_haykins():
    X, a = transmit(haykin(3.1), 5000, 1)
    assert ChannelEqualizer().fit(X, a).delay_ == 7
    assert ChannelEqualizer().fit(1e3 * X + 1e4, a + 5).delay_ == 7


@pytest.mark.parametrize("seed", range(5))
def test_an_offset_does_not_move_the_auto_delay_of_a_short_series(seed):
    X, a = transmit(haykin(3.1), 60, seed)
    wanted = ChannelEqualizer().fit(X, a).delay_
    assert ChannelEqualizer().fit(X + 50, a + 50).delay_ == wanted


@pytest.mark.parametrize("lead", [3, 12])
def test_symbols_written_down_late_give_a_negative_delay(lead):
    X, a = transmit(np.array([1.0, 0.2]), 3000, 0)
    late = np.r_[np.zeros(lead), a[:-lead]]
    equalizer = ChannelEqualizer(RLSFilter(2), delay="auto").fit(X, late)
    assert equalizer.delay_ in (-lead, -lead + 1)
    answer = equalizer.predict(X)
    np.testing.assert_array_equal(answer[: -equalizer.delay_], 0)
    assert (np.sign(answer[50:]) == late[50:]).all()


@every_filter
@pytest.mark.parametrize("delay", [0, 1, 7, -4])
def test_fit_is_one_pass_of_the_filter_over_the_delayed_symbols(filter, delay):
    X, a = transmit(haykin(2.9), 200, 0)
    equalizer = ChannelEqualizer(filter, delay=delay).fit(X, a)
    inner = RLSFilter(11) if filter is None else clone(filter)
    if delay >= 0:
        late = np.r_[np.full(delay, 9.0), a][:200]
        inner.adapt(X, late, update_mask=np.arange(200) >= delay)
    else:
        inner.adapt(X[:delay], a[-delay:])
    np.testing.assert_array_equal(equalizer.filter_.coef_, inner.coef_)
    assert filter is None or not hasattr(filter, "coef_")


@pytest.mark.parametrize("delay", [0, 7, -4, 150])
def test_row_t_answers_symbol_t_and_outside_is_zero(delay):
    X, a = transmit(haykin(2.9), 200, 0)
    equalizer = ChannelEqualizer(NLMSFilter(11), delay=delay).fit(X, a)
    ahead, behind = max(delay, 0), max(-delay, 0)
    padded = np.concatenate([X, np.zeros((ahead, 1))])
    output = naive.delay_rows(padded, 11) @ equalizer.filter_.coef_[0]
    wanted = np.r_[np.zeros(behind), output[ahead:]][:200]
    np.testing.assert_allclose(equalizer.predict(X), wanted, rtol=0, atol=1e-12)
    assert equalizer.predict(X[:3]).shape == (3,)


def test_predict_changes_nothing():
    X, a = transmit(haykin(2.9), 300, 0)
    equalizer = ChannelEqualizer().fit(X, a)
    coef = equalizer.filter_.coef_.copy()
    np.testing.assert_array_equal(equalizer.predict(X), equalizer.predict(X))
    np.testing.assert_array_equal(equalizer.filter_.coef_, coef)


@pytest.mark.parametrize("delay", ["auto", 5])
def test_series_are_apart(delay):
    X, a = transmit(haykin(2.9), 600, 0)
    cuts = [0, 250, 253, 600]
    Xs = [X[i:j] for i, j in pairwise(cuts)]
    ys = [a[i:j] for i, j in pairwise(cuts)]
    equalizer = ChannelEqualizer(NLMSFilter(11), delay=delay).fit(Xs, ys)
    inner = NLMSFilter(11)
    d = equalizer.delay_
    for x, y in zip(Xs, ys, strict=True):
        if len(x) > d:
            late = np.r_[np.zeros(d), y][: len(x)]
            inner.clear_history().adapt(x, late, update_mask=np.arange(len(x)) >= d)
    np.testing.assert_array_equal(equalizer.filter_.coef_, inner.coef_)
    for part, x in zip(equalizer.predict(Xs), Xs, strict=True):
        np.testing.assert_array_equal(part, equalizer.predict(x))


def test_two_antennas_hear_better_than_one():
    rng = np.random.default_rng(0)
    a = rng.choice([-1.0, 1.0], 4000)
    heard = [lfilter(h, 1, a) for h in ([1, 0.9, 0.0], [0.3, -1.0, 0.5])]
    X = np.column_stack(heard) + 0.2 * rng.standard_normal((4000, 2))
    errors = [
        np.mean((ChannelEqualizer().fit(x, a).predict(x) - a)[100:-20] ** 2) for x in (X, X[:, :1])
    ]
    assert errors[0] < 0.5 * errors[1]


def test_in_phase_and_quadrature_symbols_are_two_outputs():
    (X0, a), (X1, b) = transmit(haykin(2.9), 2000, 0), transmit(haykin(2.9), 2000, 1)
    X, Y = np.column_stack([X0 - 0.4 * X1, 0.4 * X0 + X1]), np.column_stack([a, b])
    answer = ChannelEqualizer().fit(X[:1000], Y[:1000]).predict(X[1000:])
    assert answer.shape == (1000, 2)
    assert (np.sign(answer[:-20]) == Y[1000:-20]).all()


def test_frames_come_back_as_frames():
    X, a = transmit(haykin(2.9), 300, 0)
    index = pd.MultiIndex.from_product([list("abc"), range(100)])
    frame, y = pd.DataFrame(X, index, ["x"]), pd.Series(a, index, name="symbol")
    answer = ChannelEqualizer(delay=7).fit(frame, y).predict(frame)
    assert answer.name == "symbol"
    pd.testing.assert_index_equal(answer.index, index)
    wanted = ChannelEqualizer(delay=7).fit(X, a, groups=np.repeat([0, 1, 2], 100))
    np.testing.assert_array_equal(answer, wanted.predict(X, groups=np.repeat([0, 1, 2], 100)))


def test_it_works_in_a_pipeline():
    X, a = transmit(haykin(2.9), 500, 0)
    pipe = make_pipeline(StandardScaler(), ChannelEqualizer(RLSFilter(11)))
    assert pipe.fit(X, a).score(X, a) > 0.9
    pipe.set_params(channelequalizer__filter__n_taps=5, channelequalizer__delay=4).fit(X, a)
    assert pipe[-1].filter_.coef_.shape == (1, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X, a = transmit(haykin(2.9), 300, 0)
    equalizer = ChannelEqualizer().fit(X.astype(dtype), a.astype(dtype))
    assert equalizer.predict(X.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("flat", ["x", "y"])
def test_silence_is_survived(flat):
    X, a = transmit(haykin(2.9), 100, 0)
    X, a = (np.zeros_like(X), a) if flat == "x" else (X, np.zeros_like(a))
    equalizer = ChannelEqualizer().fit(X, a)
    np.testing.assert_array_equal(equalizer.predict(X), 0)


@pytest.mark.parametrize(
    ("equalizer", "message"),
    [
        (ChannelEqualizer(delay=9), r"delay=9 leaves no row .* longest series has 9 row\(s\)"),
        (ChannelEqualizer(delay=-9), "delay=-9 leaves no row"),
        (ChannelEqualizer(delay="best"), "'delay' parameter of ChannelEqualizer must be"),
        (ChannelEqualizer(delay=1.5), "'delay' parameter of ChannelEqualizer must be"),
        (ChannelEqualizer(StandardScaler()), "'filter' parameter of ChannelEqualizer must be"),
    ],
)
def test_bad_parameters_are_named(equalizer, message):
    X, a = transmit(haykin(2.9), 9, 0)
    with pytest.raises(ValueError, match=message):
        equalizer.fit(X, a)


def test_nothing_is_left_half_done_after_an_error():
    X, a = transmit(haykin(2.9), 100, 0)
    equalizer = ChannelEqualizer(LMSFilter(11, step_size=9.0), delay=7)
    with pytest.raises(DivergenceError):
        equalizer.fit(np.tile(X, (20, 1)), np.tile(a, 20))
    with pytest.raises(NotFittedError):
        equalizer.predict(X)


def line_code(n=240, seed=2, kind=float):
    rng = np.random.default_rng(seed)
    symbols = rng.choice([-1.0, 1.0], n)
    if kind is complex:
        symbols = symbols + 1j * rng.choice([-1.0, 1.0], n)
    received = np.convolve(symbols, [0.3, 1.0, 0.3 if kind is float else 0.3j])[:n]
    return received + 0.02 * rng.standard_normal(n), symbols


@pytest.mark.parametrize("inner", [None, NLMSFilter(7), LMSFilter(5, step_size=0.02)], ids=repr)
@pytest.mark.parametrize("delay", [4, 0, -3])
def test_a_session_learns_what_fit_does_in_any_pieces(delay, inner):
    x, a = line_code()
    equalizer = ChannelEqualizer(inner, delay=delay)
    whole = clone(equalizer).stream().learn_many(x, a)
    session = clone(equalizer).stream()
    pieces = [session.learn_many(x[:2], a[:2])]
    pieces += [[session.learn_one(x[k], a[k])] for k in range(2, 30)]
    session = clone(equalizer).stream(initial_state=session.state)
    pieces += [session.learn_many(x[30:131], a[30:131]), session.learn_many(x[131:], a[131:])]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    fitted = clone(equalizer).fit(x[:, np.newaxis], a)
    np.testing.assert_array_equal(session.state["filter.weights"][0, ::-1], fitted.filter_.coef_[0])
    parts = clone(equalizer)
    for rows in (slice(0, 60), slice(60, 61), slice(61, 240)):
        parts.partial_fit(x[rows, np.newaxis], a[rows])
    np.testing.assert_array_equal(parts.filter_.coef_, fitted.filter_.coef_)


@pytest.mark.parametrize("delay", [3, -2])
def test_a_frozen_session_answers_late_what_predict_answers(delay):
    x, a = line_code()
    equalizer = ChannelEqualizer(NLMSFilter(7), delay=delay).fit([x[:, np.newaxis]], [a])
    heard = equalizer.stream().predict_many(x)
    wanted = equalizer.predict(x[:, np.newaxis])
    late = max(delay, 0)
    np.testing.assert_allclose(heard[late:], wanted[: x.size - late], rtol=0, atol=1e-14)


def test_unknown_symbols_are_not_learned_from_and_decisions_are():
    x, a = line_code(600)
    session = ChannelEqualizer(NLMSFilter(7), delay=2).stream()
    session.learn_many(x[:300], a[:300])
    weights = session.state["filter.weights"]
    session.learn_many(x[300:302], np.full(2, np.nan))  # two known symbols still wait
    after = session.state["filter.weights"]
    assert not np.array_equal(after, weights)
    session.learn_many(x[302:310], np.full(8, np.nan))
    np.testing.assert_array_equal(session.state["filter.weights"], after)
    right = 0
    for k in range(310, 600):
        decision = np.sign(session.learn_one(x[k], np.nan))
        right += decision == a[k - 2]
    assert right == 290


def test_complex_symbols_are_equalised_in_a_session():
    x, a = line_code(800, kind=complex)
    session = ChannelEqualizer(RLSFilter(9), delay=4).stream()
    session.learn_many(x[:400], a[:400])
    answer = session.predict_many(x[400:])[4:]
    np.testing.assert_array_equal(np.sign(answer.real), a[400:-4].real)
    np.testing.assert_array_equal(np.sign(answer.imag), a[400:-4].imag)


def test_sessions_say_what_they_cannot_do():
    x, a = line_code(50)
    with pytest.raises(ValueError, match="found by fit"):
        ChannelEqualizer().stream()
    session = ChannelEqualizer(delay=2).stream()
    with pytest.raises(ValueError, match="heard nothing"):
        _ = session.state
    with pytest.raises(ValueError, match="infinity"):
        session.learn_one(1.0, np.inf)
    with pytest.raises(ValueError, match="NaN or infinity"):
        session.learn_one(np.nan, 1.0)
    session.learn_many(x, a)
    before = session.state
    with pytest.raises(ValueError, match=r"2 output\(s\), the session has 1"):
        session.learn_many(x, np.column_stack([a, a]))
    with pytest.raises(ValueError, match="X has 50 samples, y has 49"):
        session.learn_many(x, a[1:])
    for name, value in session.state.items():
        np.testing.assert_array_equal(value, before[name])
    session.reset()
    with pytest.raises(ValueError, match="heard nothing"):
        _ = session.state
