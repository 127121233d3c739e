"""NoiseCanceller: what it removes, what it keeps, and that nothing leaks."""

import naive
import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import LineEnhancer, LMSFilter, NLMSFilter, NoiseCanceller, RLSFilter
from filters.signals import mains_hum
from filters.timeseries import DivergenceError, snr_db

CANCELLERS = {
    "default": None,
    "lms": LMSFilter(8),
    "nlms": NLMSFilter(8, step_size=0.1),
    "rls": RLSFilter(8, forgetting_factor=0.998),
}
every_filter = pytest.mark.parametrize("filter", CANCELLERS.values(), ids=CANCELLERS)


def channels(n=300, n_references=1, seed=0):
    """Columns [primary, references ...]: the references hear the noise, delayed or not."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, n_references))
    heard = sum(lfilter(rng.standard_normal(4), 1, noise[:, k]) for k in range(n_references))
    signal = 0.3 * np.sin(0.05 * np.arange(n))
    return np.column_stack([signal + heard, noise]), signal


@every_filter
@pytest.mark.parametrize("seed", [0, 1])
def test_hum_is_taken_out_of_a_signal(filter, seed):
    n = 30_000
    signal = np.cumsum(np.random.default_rng(seed).standard_normal(n))
    signal = lfilter([1, -1], [1, -0.95], signal)
    hum, reference, _ = mains_hum(n, amplitude=3 * signal.std(), random_state=seed)
    X = np.column_stack([signal + hum, reference])
    cleaned = NoiseCanceller(filter).fit_transform(X)[:, 0]
    settled = slice(10_000, None)
    before = snr_db(signal[settled], X[settled, 0])
    assert snr_db(signal[settled], cleaned[settled]) > before + 12


@every_filter
def test_fit_transform_is_the_error_of_the_adapting_filter(filter):
    X, _ = channels(n_references=2)
    canceller = NoiseCanceller(filter)
    inner = NLMSFilter(16, step_size=0.02) if filter is None else clone(filter)
    cleaned = canceller.fit_transform(X)
    np.testing.assert_array_equal(cleaned[:, 0], inner.adapt(X[:, 1:], X[:, 0]).error)
    np.testing.assert_array_equal(canceller.filter_.coef_, inner.coef_)
    assert filter is None or not hasattr(filter, "coef_")
    again = NoiseCanceller(filter).fit(X)
    np.testing.assert_array_equal(again.filter_.coef_, inner.coef_)


@every_filter
def test_transform_cancels_with_frozen_weights(filter):
    X, _ = channels(n_references=2)
    canceller = NoiseCanceller(filter).fit(X)
    coef = canceller.filter_.coef_.copy()
    rows = naive.delay_rows(X[:, 1:], coef.shape[1])
    wanted = X[:, 0] - rows @ coef.ravel()
    for _ in range(2):
        cleaned = canceller.transform(X)
        np.testing.assert_allclose(cleaned[:, 0], wanted, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(canceller.filter_.coef_, coef)
    np.testing.assert_array_equal(canceller.transform(X[:50]), cleaned[:50])


def test_two_references_remove_two_noises_and_one_does_not():
    X, signal = channels(6000, n_references=2)
    rls = RLSFilter(4, forgetting_factor=0.9999)
    both = NoiseCanceller(rls).fit_transform(X)[1000:, 0]
    one = NoiseCanceller(rls).fit_transform(X[:, :2])[1000:, 0]
    assert snr_db(signal[1000:], both) > 20
    assert snr_db(signal[1000:], one) < 0


def test_a_reference_that_hears_nothing_of_the_noise_costs_little():
    X, _ = channels(6000)
    X[:, 1] = np.random.default_rng(5).standard_normal(6000)
    cleaned = NoiseCanceller().fit_transform(X)[:, 0]
    np.testing.assert_allclose(np.std(cleaned), np.std(X[:, 0]), rtol=0.05)


@every_filter
@pytest.mark.parametrize("how", ["fit_transform", "transform"])
def test_series_hand_on_weights_but_no_delay_line(filter, how):
    X, _ = channels(300)
    series = [X[:100], X[100:101], X[101:]]
    canceller = NoiseCanceller(filter)
    if how == "transform":
        canceller.fit(X)
        parts = canceller.transform(series)
        wanted = [canceller.transform(x) for x in series]
    else:
        parts = canceller.fit_transform(series)
        inner = NLMSFilter(16, step_size=0.02) if filter is None else clone(filter)
        wanted = [
            inner.clear_history().adapt(x[:, 1:], x[:, 0]).error[:, np.newaxis] for x in series
        ]
        np.testing.assert_array_equal(canceller.filter_.coef_, inner.coef_)
    for part, rows in zip(parts, wanted, strict=True):
        np.testing.assert_array_equal(part, rows)


def test_answers_come_in_the_container_of_the_question():
    X, _ = channels(60)
    series = [X[:20], X[20:40], X[40:]]
    canceller = NoiseCanceller(RLSFilter(2))
    listed = canceller.fit_transform(series)
    wanted = np.concatenate(listed)
    assert isinstance(listed, list)
    panel = canceller.fit_transform(np.stack(series))
    assert panel.shape == (3, 20, 1)
    np.testing.assert_array_equal(panel.reshape(-1, 1), wanted)
    ids = np.repeat([5, 1, 3], 20)
    np.testing.assert_array_equal(canceller.fit_transform(X, groups=ids), wanted)
    index = pd.MultiIndex.from_arrays([ids, np.tile(range(20), 3)])
    frame = canceller.fit_transform(pd.DataFrame(X, index=index, columns=["p", "r"]))
    pd.testing.assert_frame_equal(frame, pd.DataFrame(wanted, index=index, columns=["cleaned"]))
    frozen = canceller.transform(pd.DataFrame(X, index=index, columns=["p", "r"]))
    assert list(frozen.columns) == ["cleaned"]


def test_pandas_output_keeps_the_index():
    X, _ = channels(60)
    frame = pd.DataFrame(X, index=pd.date_range("2020", periods=60), columns=["p", "r"])
    canceller = NoiseCanceller().set_output(transform="pandas")
    for cleaned in (canceller.fit_transform(frame), canceller.transform(frame)):
        assert list(cleaned.columns) == ["cleaned"]
        pd.testing.assert_index_equal(cleaned.index, frame.index)
    np.testing.assert_array_equal(
        canceller.fit_transform(frame).to_numpy(), NoiseCanceller().fit_transform(X)
    )


def test_a_canceller_works_in_a_pipeline():
    X, _ = channels()
    pipe = make_pipeline(NoiseCanceller(RLSFilter(4)), StandardScaler())
    cleaned = NoiseCanceller(RLSFilter(4)).fit_transform(X)
    wanted = StandardScaler().fit_transform(cleaned)
    np.testing.assert_array_equal(pipe.fit_transform(X), wanted)
    assert pipe.get_feature_names_out().tolist() == ["cleaned"]
    pipe.set_params(noisecanceller__filter__n_taps=2).fit(X)
    assert pipe[0].filter_.coef_.shape == (1, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X = channels()[0].astype(dtype)
    canceller = NoiseCanceller()
    assert canceller.fit_transform(X).dtype == canceller.transform(X).dtype == dtype


def test_one_column_is_refused():
    with pytest.raises(ValueError, match=r"two columns, \[primary, reference, ...\]; got 1 feat"):
        NoiseCanceller().fit(np.ones((9, 1)))
    with pytest.raises(ValueError, match="X has 1 features, but NoiseCanceller is expecting 2"):
        NoiseCanceller().fit(np.ones((9, 2))).transform(np.ones((9, 1)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0], [np.nan, 1.0]], "X contains NaN: .* row 1, column 0"),
        ([np.ones((3, 2)), np.array([[1.0, np.inf]])], "series 1, time step 0, column 1"),
    ],
)
def test_nan_is_placed(X, message):
    with pytest.raises(ValueError, match=message):
        NoiseCanceller().fit(X)


def test_what_is_no_filter_is_refused():
    with pytest.raises(ValueError, match="'filter' parameter of NoiseCanceller must be"):
        NoiseCanceller(StandardScaler()).fit(np.ones((9, 2)))


@pytest.mark.parametrize("fitted", [False, True])
def test_nothing_is_left_half_done_after_an_error(fitted):
    canceller = NoiseCanceller(LMSFilter(step_size=1.0))
    if fitted:
        canceller.fit(np.ones((9, 2)))
        inner, coef = canceller.filter_, canceller.filter_.coef_.copy()
    x = np.ones((9, 3))
    x[3:5, 0] = 1.7e308, -1.7e308
    with pytest.raises(DivergenceError):
        canceller.fit(x)
    if fitted:
        assert canceller.filter_ is inner
        np.testing.assert_array_equal(inner.coef_, coef)
        assert canceller.transform(np.ones((3, 2))).shape == (3, 1)
    else:
        with pytest.raises(NotFittedError):
            canceller.transform(np.ones((3, 2)))


TASKS = [
    NoiseCanceller(RLSFilter(3)),
    NoiseCanceller(NLMSFilter(4)),
    LineEnhancer(NLMSFilter(8), delay=3, output="noise"),
]


def hum_rows(n, seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(n)
    noise = lfilter([0.5, -0.3, 0.2], 1.0, reference)
    return np.column_stack([noise + 0.1 * rng.standard_normal(n), reference])


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_session_gives_the_numbers_of_one_pass(task):
    X = hum_rows(120)
    whole = clone(task).fit_transform(X)
    session = clone(task).stream()
    pieces = [session.learn_many(X[:1]), session.learn_many(X[1:50])]
    pieces += [np.reshape(session.learn_one(row), (1, -1)) for row in X[50:60]]
    pieces.append(clone(task).stream(initial_state=session.state).learn_many(X[60:]))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_session_goes_on_from_the_fit_and_leaves_it_alone(task):
    X = hum_rows(120)
    fitted = clone(task).fit(X[:70])
    frozen = fitted.transform(X)
    session = fitted.stream()
    first = session.learn_many(X[70:])
    np.testing.assert_array_equal(first, clone(task).fit_transform(X)[70:])
    np.testing.assert_array_equal(fitted.transform(X), frozen)
    session.reset()
    np.testing.assert_array_equal(session.learn_many(X[70:]), first)
    again = fitted.partial_fit(X[70:]).stream().state
    for name, value in session.state.items():
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_frozen_sessions_answer_as_transform_does(task):
    X = hum_rows(90)
    fitted = clone(task).fit([X])  # a closed series: the delay lines are empty after it
    session = fitted.stream()
    answer = np.concatenate([session.predict_many(X[:31]), session.predict_many(X[31:])])
    np.testing.assert_array_equal(answer, fitted.transform(X))


def test_a_session_is_as_it_was_after_an_error():
    X = hum_rows(40)
    session = LineEnhancer(NLMSFilter(4)).stream()
    session.learn_many(X)
    before = session.state
    X[5, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        session.learn_many(X)
    with pytest.raises(ValueError, match="2 feature"):
        session.learn_one(1.0)
    for name, value in session.state.items():
        np.testing.assert_array_equal(value, before[name])


def test_a_session_refuses_the_state_of_another_task():
    state = clone(TASKS[0]).stream()
    state.learn_many(hum_rows(9))
    with pytest.raises(ValueError, match=r"needs an entry|not a state"):
        LineEnhancer().stream(initial_state=state.state).learn_many(hum_rows(9))


def test_sessions_take_complex_signals():
    rng = np.random.default_rng(3)
    reference = rng.standard_normal(2000) + 1j * rng.standard_normal(2000)
    X = np.column_stack([(0.3 + 0.8j) * reference, reference])
    left = NoiseCanceller(RLSFilter(2)).stream().learn_many(X)
    assert np.abs(left[-100:]).max() < 1e-3


@pytest.mark.parametrize("leak", [0.2, 0.4])
def test_a_leak_of_the_signal_leaves_the_snr_of_the_reference_upside_down(leak):
    # Widrow et al. 1975: the output's signal-to-noise ratio is one over that of the reference,
    # at every frequency, for the best filter; white signal and noise make it one number.
    rng = np.random.default_rng(0)
    signal, noise = rng.standard_normal((2, 150_000))
    X = np.column_stack([signal + 0.5 * noise, noise + leak * signal])
    left = NoiseCanceller(RLSFilter(2, forgetting_factor=1.0)).fit_transform(X)[1000:, 0]
    signal, noise = signal[1000:], noise[1000:]
    parts = np.linalg.lstsq(np.column_stack([signal, noise]), left, rcond=None)[0]
    np.testing.assert_allclose(parts[0] ** 2 / parts[1] ** 2, 1 / leak**2, rtol=0.1)


def test_a_reference_that_lags_the_primary_removes_no_white_noise():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(20_000)
    X = np.column_stack([noise, np.r_[0.0, noise[:-1]]])
    canceller = NoiseCanceller(RLSFilter(8, forgetting_factor=1.0))
    left = canceller.fit_transform(X)[1000:, 0]
    np.testing.assert_allclose(np.var(left), np.var(noise[1000:]), rtol=0.01)
    early = canceller.fit_transform(X[:, ::-1])[1000:, 0]  # the other way round all of it goes
    assert np.var(early) < 1e-6
