"""EchoCanceller: echo out, near-end speech in, and double talk that throws nothing."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.base import clone

from filters import EchoCanceller, FrequencyDomainFilter, NLMSFilter, NoiseCanceller, RLSFilter
from filters.signals import echo_path, speech_like
from filters.timeseries import erle_db, misalignment_db

FS = 8000


def speech(n, seed, pitch):
    sound = speech_like(n, fs=FS, pitch=pitch, random_state=seed).speech
    return sound / sound.std()


def room(n_taps, seed):
    path = echo_path(n_taps, fs=FS, delay=0.002, decay_time=n_taps / FS, random_state=seed)
    return path.response / np.linalg.norm(path.response)


class Call:
    """Single talk, then double talk at 0 dB, single talk, and single talk through a new path."""

    def __init__(self, far="speech", *, seed=0, seconds=(6, 3, 2, 5), n_taps=512, noise_db=-40):
        self.ends = np.cumsum([int(FS * s) for s in seconds])
        n, rng = self.ends[-1], np.random.default_rng(seed)
        self.far = rng.standard_normal(n)
        if far == "speech":  # a line is never quite silent
            self.far = speech(n, seed, 115.0) + 0.03 * self.far
        self.paths = room(n_taps, seed), room(n_taps, seed + 1)
        before, after = (lfilter(path, 1, self.far) for path in self.paths)
        self.echo = np.where(np.arange(n) < self.ends[2], before, after)
        self.near = np.zeros(n)
        talk = slice(self.ends[0], self.ends[1])
        self.near[talk] = self.echo.std() * speech(self.ends[1] - self.ends[0], seed + 2, 190.0)
        self.noise = self.echo.std() * 10 ** (noise_db / 20) * rng.standard_normal(n)
        self.rows = np.column_stack([self.echo + self.near + self.noise, self.far])

    def span(self, k):
        return slice(self.ends[k - 1] if k else 0, self.ends[k])

    def erle(self, cleaned, a, b):
        """How much less echo there is between seconds a and b; near-end speech does not count."""
        here = slice(int(a * FS), int(b * FS))
        return erle_db(self.echo[here], (cleaned - self.near)[here])


def heard_weights(canceller, call):
    """Misalignment of the heard filter at the end of every part of the call, in dB."""
    session, found = canceller.stream(), []
    for k in range(4):
        session.learn_many(call.rows[call.span(k)])
        heard = "heard" if canceller.double_talk else "learner"
        coef = session._parts[heard].to_filter().coef_[0]
        found.append(misalignment_db(call.paths[k // 3], coef))
    return np.array(found)


# ---- what it is for ------------------------------------------------------------------------------


@pytest.mark.parametrize(("far", "seed"), [("white", 0), ("speech", 1), ("speech", 2)])
def test_echo_goes_and_near_end_speech_stays(far, seed):
    call = Call(far, seed=seed)
    cleaned = EchoCanceller(n_taps=512).fit_transform(call.rows)[:, 0]
    assert call.erle(cleaned, 4, 6) > 30
    assert call.erle(cleaned, 6, 9) > 30  # double talk: what is left beside the speech
    assert call.erle(cleaned, 9, 11) > 30
    assert call.erle(cleaned, 14, 16) > 20  # three seconds after the path changed
    talk = call.span(1)
    assert np.corrcoef(cleaned[talk], call.near[talk])[0, 1] > 0.99


@pytest.mark.parametrize("far", ["white", "speech"])
@pytest.mark.parametrize(
    "filter",
    [FrequencyDomainFilter(256), NLMSFilter(256), RLSFilter(64, forgetting_factor=0.9995)],
    ids=["frequency-domain", "nlms", "rls"],
)
def test_double_talk_does_not_throw_the_heard_filter(far, filter):
    call = Call(far, seconds=(5, 2, 0.1, 0.1), n_taps=filter.n_taps)
    single, double, *_ = heard_weights(EchoCanceller(filter), call)
    assert single < -5  # speech teaches little about frequencies it has not
    assert double < single + 1
    plain, thrown, *_ = heard_weights(EchoCanceller(filter, double_talk=None), call)
    assert thrown > max(plain, double + 5)


@pytest.mark.parametrize(
    ("filter", "seed"),
    [(FrequencyDomainFilter(128), 22), (NLMSFilter(256), 1), (NLMSFilter(256), 6)],
    ids=repr,
)
def test_a_moment_of_predicting_near_end_vowels_proves_nothing(filter, seed):
    call = Call(seed=seed, seconds=(4, 4, 0.1, 0.1), n_taps=filter.n_taps)
    single, double, *_ = heard_weights(EchoCanceller(filter), call)
    assert double < single + 1


def test_double_talk_from_the_first_moment_is_survived():
    call = Call(seconds=(0.01, 12, 0.01, 0.01))
    cleaned = EchoCanceller(n_taps=512).fit_transform(call.rows)[:, 0]
    assert call.erle(cleaned, 8, 12) > 3
    assert call.erle(cleaned, 0, 3) > -0.5


def test_a_heard_filter_that_adds_echo_is_replaced_at_once():
    far = np.random.default_rng(0).standard_normal(12_000)
    echo = lfilter(room(64, 0), 1, far) * np.where(np.arange(12_000) < 8192, 1, -1)
    cleaned = EchoCanceller(NLMSFilter(64)).fit_transform(np.column_stack([echo, far]))[:, 0]
    assert erle_db(echo[8192:8448], cleaned[8192:8448]) < -5
    soon = slice(8192 + 5 * 256, 8192 + 8 * 256)
    assert erle_db(echo[soon], cleaned[soon]) > 20


def test_double_talk_is_marked():
    call = Call(seed=3)
    canceller = EchoCanceller(n_taps=512).fit(call.rows)
    marks = canceller.double_talk_
    assert marks.shape == (call.ends[-1],)
    assert marks.dtype == bool
    near = np.convolve(call.near**2, np.ones(512) / 512, mode="same") > 0.05
    double = call.span(1)
    assert marks[double][near[double]].mean() > 0.85
    assert marks[2 * FS : call.ends[0]].mean() < 0.1
    assert marks[call.ends[1] + FS // 4 : call.ends[2]].mean() < 0.1
    assert marks[call.ends[2] + 3 * FS :].mean() < 0.1
    assert not hasattr(EchoCanceller(double_talk=None).fit(call.rows[:2000]), "double_talk_")


def test_two_loudspeakers():
    rng = np.random.default_rng(0)
    far = rng.standard_normal((30_000, 2))
    echo = lfilter(room(64, 1), 1, far[:, 0]) + lfilter(room(64, 2), 1, far[:, 1])
    canceller = EchoCanceller(n_taps=64)
    cleaned = canceller.fit_transform(np.column_stack([echo, far]))[:, 0]
    assert erle_db(echo[-5000:], cleaned[-5000:]) > 40
    assert canceller.filter_.coef_.shape == (2, 64)


def test_a_silent_far_end_leaves_the_microphone_alone():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(3000), np.zeros(3000)])
    np.testing.assert_array_equal(EchoCanceller(n_taps=64).fit_transform(X), X[:, :1])
    np.testing.assert_array_equal(EchoCanceller(n_taps=64).fit_transform(np.zeros((3000, 2))), 0)


def test_only_ratios_count():
    call = Call(seconds=(1, 1, 0.5, 0.5), n_taps=64)
    cleaned = EchoCanceller(n_taps=64).fit_transform(call.rows)
    for scale in (2.0**-30, 2.0**30):
        scaled = EchoCanceller(n_taps=64).fit_transform(scale * call.rows)
        np.testing.assert_array_equal(scaled, scale * cleaned)


# ---- any pieces ----------------------------------------------------------------------------------

CANCELLERS = {
    "frequency-domain": EchoCanceller(n_taps=64),
    "nlms": EchoCanceller(NLMSFilter(32)),
    "one-path": EchoCanceller(NLMSFilter(32), double_talk=None),
}
every_kind = pytest.mark.parametrize("make", CANCELLERS.values(), ids=CANCELLERS)


def small_call():
    return Call("white", seconds=(0.5, 0.2, 0.1, 0.2), n_taps=32).rows


@every_kind
def test_any_pieces_are_one_call_bit_for_bit(make):
    X = small_call()
    whole = make.fit_transform(X)
    session, pieces, cuts = clone(make).stream(), [], [0, 1, 7, 300, 2111]
    for a, b in pairwise(cuts):
        pieces.append(session.learn_many(X[a:b]))
    session = clone(make).stream(initial_state=session.state)
    pieces += [np.reshape(session.learn_one(row), (1, 1)) for row in X[2111:2600]]
    pieces.append(session.learn_many(X[2600:]))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    parts = clone(make)
    for a, b in ((0, 1), (1, 1000), (1000, 1255), (1255, X.shape[0])):
        parts.partial_fit(X[a:b])
    np.testing.assert_array_equal(parts.transform(X), make.transform(X))
    assert np.std(whole[3000:4000]) < 0.1 * np.std(X[3000:4000, 0])


@pytest.mark.parametrize("make", [CANCELLERS["nlms"], CANCELLERS["frequency-domain"]])
def test_frozen_rows_move_both_delay_lines(make):
    X = small_call()
    sessions = [clone(make).stream() for _ in range(2)]
    for session in sessions:
        session.learn_many(X[:2100])
    sessions[0].predict_many(X[2100:2500])
    sessions[1].predict_many(X[2100:2101])
    sessions[1].predict_many(X[2101:2500])
    for session in sessions:
        for name in ("heard.history", "learner.history"):
            history = session.state[name]
            np.testing.assert_array_equal(history, X[2500 - len(history) : 2500, 1:])
    one, other = (session.learn_many(X[2500:]) for session in sessions)
    np.testing.assert_array_equal(one, other)


def test_without_a_second_path_it_is_a_noise_canceller():
    X = small_call()
    one = EchoCanceller(NLMSFilter(32), double_talk=None)
    other = NoiseCanceller(NLMSFilter(32))
    np.testing.assert_array_equal(one.fit_transform(X), other.fit_transform(X))
    np.testing.assert_array_equal(one.transform(X), other.transform(X))


def test_transform_is_the_frozen_heard_filter():
    X = small_call()
    canceller = EchoCanceller(n_taps=32).fit(X)
    wanted = X[:, 0] - lfilter(canceller.filter_.coef_[0], 1, X[:, 1])
    for _ in range(2):
        np.testing.assert_allclose(canceller.transform(X)[:, 0], wanted, rtol=0, atol=1e-12)
    assert np.linalg.norm(canceller.filter_.coef_) > 0.5


def test_series_hand_on_weights_but_no_delay_line():
    X = small_call()
    first, second = EchoCanceller(NLMSFilter(32)).fit_transform([X[:3000], X[3000:]])
    session = EchoCanceller(NLMSFilter(32)).stream()
    np.testing.assert_array_equal(session.learn_many(X[:3000]), first)
    heard = session._parts["heard"].to_filter().coef_[0]
    wanted = X[3000:3100, 0] - lfilter(heard, 1, X[3000:3100, 1])
    np.testing.assert_allclose(second[:100, 0], wanted, rtol=0, atol=1e-12)


def test_the_unfinished_block_of_a_series_is_not_learned_from():
    X = small_call()
    cut = EchoCanceller(NLMSFilter(32)).fit([X[: 10 * 256], X[4000:7000]])
    longer = EchoCanceller(NLMSFilter(32)).fit([X[: 10 * 256 + 100], X[4000:7000]])
    one, other = cut.stream().state, longer.stream().state
    for name in ("heard.weights", "learner.weights", "energies"):
        np.testing.assert_array_equal(one[name], other[name])
        assert one[name].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X = small_call().astype(dtype)
    canceller = EchoCanceller(n_taps=32)
    cleaned = canceller.fit_transform(X)
    assert cleaned.dtype == canceller.transform(X).dtype == dtype
    assert np.std(cleaned[3000:4000]) < 0.1 * np.std(X[3000:4000, 0])


def test_sessions_take_complex_signals():
    rng = np.random.default_rng(0)
    far = rng.standard_normal(12_000) + 1j * rng.standard_normal(12_000)
    X = np.column_stack([lfilter([0, 0.5j, 0.2], 1, far), far])
    cleaned = EchoCanceller(n_taps=32).stream().learn_many(X)
    assert np.abs(cleaned[-1000:]).max() < 1e-3


# ---- errors and extremes -------------------------------------------------------------------------


def test_a_burst_and_silence_are_forgotten():
    X = Call("white", seconds=(4, 0.01, 0.01, 0.01), n_taps=32).rows[: 4 * FS]
    X[5000] = 1e8
    X[8000:9000] = 0
    cleaned = EchoCanceller(n_taps=32).fit_transform(X)
    assert np.isfinite(cleaned).all()
    assert np.std(cleaned[-4000:]) < 0.03 * np.std(X[-4000:, 0])


@pytest.mark.parametrize("scale", [1e-150, 1e-200, 1e150])
def test_extreme_levels_are_finite(scale):
    session = EchoCanceller(NLMSFilter(32)).stream()
    assert np.isfinite(session.learn_many(scale * small_call())).all()
    assert all(np.isfinite(value).all() for value in session.state.values())


def test_one_column_is_refused():
    with pytest.raises(ValueError, match=r"two columns, \[microphone, far end, ...\]; got 1 feat"):
        EchoCanceller().fit(np.ones((9, 1)))


@pytest.mark.parametrize("options", [{"double_talk": "geigel"}, {"n_taps": 0}, {"filter": "nlms"}])
def test_wrong_parameters_are_named(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        EchoCanceller(**options).fit(np.ones((9, 2)))
