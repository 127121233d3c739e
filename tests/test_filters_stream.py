"""Any chunking of adapt, partial_fit and streams is one call, bit for bit; sessions are private."""

import json
import pickle

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import (
    AffineProjectionFilter,
    LMSFilter,
    NLMSFilter,
    ProportionateFilter,
    RLSFilter,
    SetMembershipFilter,
)
from filters.timeseries import DivergenceError

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

KINDS = [
    (LMSFilter, {"step_size": 0.02}),
    (LMSFilter, {}),
    (LMSFilter, {"step_size": 0.02, "leak": 0.3}),
    (LMSFilter, {"step_size": 0.01, "sign": "error"}),
    (LMSFilter, {"step_size": 0.01, "sign": "data"}),
    (LMSFilter, {"sign": "both", "leak": 0.1}),
    (NLMSFilter, {}),
    (NLMSFilter, {"regularization": 0.1, "step_size": 1.0}),
    (RLSFilter, {"delta": 0.1, "forgetting_factor": 0.95}),
    (RLSFilter, {}),
    (AffineProjectionFilter, {}),
    (AffineProjectionFilter, {"order": 7, "regularization": 0.1, "step_size": 1.0}),
    (AffineProjectionFilter, {"order": 2, "regularization": 0.01}),
    (ProportionateFilter, {}),
    (ProportionateFilter, {"proportionality": 0.9, "regularization": 0.1}),
    (SetMembershipFilter, {}),
]
learners = pytest.mark.parametrize(
    "make",
    [
        AffineProjectionFilter,
        LMSFilter,
        NLMSFilter,
        ProportionateFilter,
        RLSFilter,
        SetMembershipFilter,
    ],
)
modest = settings(max_examples=60, deadline=None, derandomize=True)


def problem(n=90, n_channels=1, n_outputs=1, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    # Loudness grows at first, so that "auto" settings change their mind on the way.
    x = rng.standard_normal((n, n_channels)) * np.minimum(1, 2.0 ** np.arange(-12, n - 12))[:, None]
    d = naive.delay_rows(x, 3) @ rng.standard_normal((3 * n_channels, n_outputs))
    d = d + 0.1 * rng.standard_normal((n, n_outputs))
    if np.issubdtype(dtype, np.complexfloating):
        x, d = x + 1j * x[::-1], d - 1j * d[::-1]
    return x.astype(dtype), d.astype(dtype)[:, 0] if n_outputs == 1 else d.astype(dtype)


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@st.composite
def filters(draw):
    cls, options = draw(st.sampled_from(KINDS))
    n_taps = draw(st.sampled_from([1, 2, 5, 19]))
    return cls(
        n_taps,
        fit_intercept=draw(st.booleans()),
        store_weights=draw(st.sampled_from([0, 0, 7])),
        **options,
    )


cuts = st.lists(st.integers(0, 90), max_size=8).map(sorted)
shapes = st.tuples(
    st.sampled_from([1, 2, 3]), st.sampled_from([1, 2]), st.sampled_from(["f8", "f4", "c16"])
)


def spans(cut):
    ends = zip([0, *cut], [*cut, 90], strict=True)
    return [slice(a, b) for a, b in ends if b > a]


@modest
@given(f=filters(), shape=shapes, cut=cuts)
def test_adapt_in_chunks_is_one_call(f, shape, cut):
    x, d = problem(90, *shape[:2], dtype=np.dtype(shape[2]))
    whole, f = f.adapt(x, d), f.__class__(**f.get_params())
    parts = [f.adapt(x[part], d[part]) for part in spans(cut)]
    for name in ("output", "error"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    if f.store_weights:
        np.testing.assert_array_equal(np.concatenate([p.weights for p in parts]), whole.weights)


@modest
@given(f=filters(), shape=shapes, cut=cuts)
def test_partial_fit_in_chunks_is_fit(f, shape, cut):
    x, d = problem(90, *shape[:2], dtype=np.dtype(shape[2].replace("c16", "f8")))
    whole = f.__class__(**f.get_params()).fit(x, d)
    for part in spans(cut):
        f.partial_fit(x[part], d[part])
    assert_same_state(f.stream().state, whole.stream().state)
    np.testing.assert_array_equal(f.coef_, whole.coef_)
    np.testing.assert_array_equal(f.predict(x), whole.predict(x))


@modest
@given(
    f=filters(),
    shape=shapes,
    cut=cuts,
    ways=st.lists(
        st.sampled_from(["one", "many", "pickled filter", "pickled session", "state"]),
        min_size=9,
        max_size=9,
    ),
)
def test_a_session_in_any_pieces_is_one_call_of_adapt(f, shape, cut, ways):
    x, d = problem(90, *shape[:2], dtype=np.dtype(shape[2]))
    session = f.stream()
    outputs = []
    for part, way in zip(spans(cut), ways, strict=False):
        if way == "one":
            outputs.append([session.learn_one(a, b) for a, b in zip(x[part], d[part], strict=True)])
            continue
        if way == "pickled session":
            session = pickle.loads(pickle.dumps(session))
        elif way == "state" and outputs:
            session = f.stream(session.state)
        elif way == "pickled filter" and outputs:
            session = pickle.loads(pickle.dumps(f)).stream(initial_state=session.state)
        outputs.append(session.learn_many(x[part], d[part]))
    whole = f.adapt(x, d)
    np.testing.assert_array_equal(np.concatenate(outputs), whole.output)
    assert_same_state(session.state, f.stream().state)


@modest
@given(f=filters(), shape=shapes, cut=cuts)
def test_predictions_of_a_session_in_any_pieces_are_predict(f, shape, cut):
    x, d = problem(90, *shape[:2], dtype=np.dtype(shape[2].replace("c16", "f8")))
    session = f.fit(x[::-1], d).clear_history().stream()
    outputs = [session.predict_many(x[part]) for part in spans(cut)]
    np.testing.assert_array_equal(np.concatenate(outputs), f.predict(x))
    one_by_one = f.stream()
    np.testing.assert_array_equal([one_by_one.predict_one(row) for row in x], f.predict(x))
    assert_same_state(session.state, one_by_one.state)


@modest
@given(f=filters(), shape=shapes, k=st.integers(1, 89))
def test_a_pickled_filter_goes_on(f, shape, k):
    x, d = problem(90, *shape[:2], dtype=np.dtype(shape[2]))
    whole = f.__class__(**f.get_params()).adapt(x, d)
    f.adapt(x[:k], d[:k])
    rest = pickle.loads(pickle.dumps(f)).adapt(x[k:], d[k:])
    np.testing.assert_array_equal(rest.output, whole.output[k:])


@learners
def test_mask_in_chunks_is_one_call(make):
    x, d = problem()
    mask = np.random.default_rng(0).random(90) < 0.5
    whole = make(4).adapt(x, d, update_mask=mask)
    f = make(4)
    parts = [f.adapt(x[p], d[p], update_mask=mask[p]).output for p in spans([1, 2, 30, 77])]
    np.testing.assert_array_equal(np.concatenate(parts), whole.output)


def test_rls_level_at_the_limit_is_seen_alike_in_any_chunks():
    # Power 290 is exactly ten times 29, and (0.01 * 29) / 0.01 is less than 29.
    x, d = np.array([[7.0, 3.0], [22.0, 10.0], [1.0, 2.0]]), np.array([1.0, -1.0, 1.0])
    x[1] = [24.0, 2.0]
    assert np.mean(x[0] ** 2) * 10 == np.mean(x[1] ** 2)
    f = RLSFilter()
    parts = [f.adapt(x[k : k + 1], d[k : k + 1]).output for k in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts), RLSFilter().adapt(x, d).output)


# ---- sessions ------------------------------------------------------------------------------------


@learners
def test_a_session_leaves_the_filter_alone_and_the_filter_the_session(make):
    x, d = problem()
    f = make(3).fit(x, d)
    coef, state = f.coef_.copy(), f.stream().state
    session, other = f.stream(), f.stream()
    first = session.learn_many(x, d)
    np.testing.assert_array_equal(f.coef_, coef)
    assert_same_state(f.stream().state, state)
    f.partial_fit(x[::-1], d)
    np.testing.assert_array_equal(other.learn_many(x, d), first)


@learners
@pytest.mark.parametrize("fitted", [False, True])
def test_reset_goes_back_to_the_start_of_the_session(make, fitted):
    x, d = problem()
    f = make(3)
    session = (f.fit(x[::-1], d) if fitted else f).stream()
    first = session.learn_many(x, d)
    session.reset()
    np.testing.assert_array_equal(session.learn_many(x, d), first)


@learners
def test_an_unfitted_filter_streams_from_zero_or_its_initial_weights(make):
    assert make(2).stream().learn_one(3.0, 1.0) == 0.0
    assert make(2).stream().predict_one(3.0) == 0.0
    assert make(2, initial_weights=[2.0, 1.0]).stream().predict_one(3.0) == 6.0
    with pytest.raises(ValueError, match="heard nothing yet"):
        _ = make(2).stream().state


@learners
def test_learn_one_reports_before_it_learns(make):
    session = make().stream()
    assert session.learn_one([1.0], 2.0) == 0.0
    assert session.learn_one([1.0], 2.0) > 0.0


@learners
def test_answers_have_the_type_of_the_question(make):
    x, d = problem(n_channels=2, n_outputs=2)
    session = make(3).stream()
    assert session.learn_many(x, d).shape == (90, 2)
    assert session.learn_one(x[0], d[0]).shape == (2,)
    assert session.predict_one(x[0]).shape == (2,)
    session = make(3).stream()
    assert session.learn_many(x, d[:, 0]).shape == (90,)
    assert type(session.learn_one(x[0], d[0, 0])) is float
    assert type(session.predict_one(list(x[0]))) is float
    assert type(make().stream().learn_one(1j, 1.0)) is complex


@learners
def test_state_is_a_copy_of_plain_arrays_that_survive_a_text_file(make):
    x, d = problem()
    session = make(3).stream()
    session.learn_many(x, d)
    state = session.state
    assert all(type(value) is np.ndarray for value in state.values())
    text = json.dumps({name: value.tolist() for name, value in state.items()})
    again = make(3).stream({name: np.array(v) for name, v in json.loads(text).items()})
    for value in state.values():
        value[...] = 7
    np.testing.assert_array_equal(again.learn_many(x, d), session.learn_many(x, d))


@learners
def test_predict_one_moves_the_delay_line_and_nothing_else(make):
    x, d = problem()
    f = make(3).fit(x, d)
    session = f.stream()
    session.predict_many(x[:20])
    after, before = session.state, f.stream().state
    np.testing.assert_array_equal(after["history"], x[18:20])
    for name in before.keys() - {"history", "n_samples_seen"}:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)


# ---- measured errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "options"), KINDS)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_learning_from_the_measured_error_is_learning_from_the_target(cls, options, n_outputs):
    x, d = problem(n_channels=2, n_outputs=n_outputs)
    f = cls(3, **options)
    f.adapt(x[:1], d[:1])  # a session that was told nothing expects one output
    heard, told = f.stream(), f.stream()
    for row, target in zip(x, d, strict=True):
        output = heard.predict_one(row)
        np.testing.assert_allclose(output, told.learn_one(row, target), rtol=0, atol=1e-11)
        heard.learn_error(target - output)
    for name, value in told.state.items():
        np.testing.assert_allclose(heard.state[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


def test_learn_error_needs_a_new_output_every_time():
    session = LMSFilter().stream()
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
    session.predict_one(1.0)
    session.learn_error(1.0)
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
    session.predict_one(1.0)
    session.learn_one(1.0, 1.0)
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
    session.predict_one(1.0)
    with pytest.raises(ValueError, match="e contains NaN"):
        session.learn_error(np.nan)
    with pytest.raises(ValueError, match=r"e has 2 value\(s\), the output has 1"):
        session.learn_error([1.0, 2.0])
    session.learn_error(0.5)  # the bad ones did not use the output up


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.learn_one([np.nan], 1.0), "X contains NaN or infinity"),
        (lambda s: s.learn_one([1.0], np.inf), "y contains NaN or infinity"),
        (lambda s: s.predict_one([np.inf]), "X contains NaN or infinity"),
        (lambda s: s.learn_many([1.0, 2.0], [1.0]), "X has 2 samples, y has 1"),
        (lambda s: s.learn_one([1.0, 2.0], 1.0), r"1 channel\(s\) and 1 output\(s\); got 2 and 1"),
        (lambda s: s.predict_one([1.0, 2.0]), r"1 channel\(s\)"),
        (lambda s: s.learn_one([1.0], [1.0, 2.0]), "got 1 and 2"),
    ],
)
def test_a_session_refuses_what_does_not_fit_and_stays_as_it_was(call, message):
    x, d = problem()
    session = NLMSFilter(3).stream()
    session.learn_many(x, d)
    before = session.state
    with pytest.raises(ValueError, match=message):
        call(session)
    assert_same_state(session.state, before)


def test_a_session_that_diverges_stays_as_it_was():
    session = LMSFilter(step_size=1.0).stream()
    session.learn_many(np.ones(3), [0.0, 0.0, 1.7e308])
    before = session.state
    with pytest.raises(DivergenceError, match="time step 3 "):
        session.learn_one(1.0, -1.7e308)
    assert_same_state(session.state, before)


def spoiled(name, value):
    def change(state):
        state[name] = value
        return state

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            spoiled("history", np.zeros((1, 1))),
            r"'history': \(1, 1\).* needs .*'history': \(2, 1\)",
        ),
        (spoiled("weights", np.zeros((1, 4))), r"'weights': \(1, 4\)"),
        (spoiled("P", np.zeros((2, 2))), r"'P': \(2, 2\)"),
        (spoiled("weights", np.full((1, 3), np.nan)), r"initial_state\['weights'\] contains NaN"),
        (lambda state: {"a": np.zeros(3)}, "not a state of a RLSFilter"),
        (lambda state: LMSFilter(3).fit([[1.0]], [1.0]).stream().state, "needs .*'P'"),
        (lambda state: RLSFilter(2).fit([[1.0]], [1.0]).stream().state, r"'P': \(2, 2\)"),
    ],
)
def test_a_state_of_something_else_never_reaches_the_kernels(change, message):
    f = RLSFilter(3).fit(*problem())
    with pytest.raises(ValueError, match=message):
        f.stream(change(f.stream().state))


@learners
def test_clearing_the_history_of_the_filter_leaves_its_sessions_alone(make):
    x, d = problem()
    f = make(3).fit(x, d)
    session = f.stream()
    first = session.learn_many(x[:5], d[:5])
    f.clear_history()
    session.reset()
    np.testing.assert_array_equal(session.learn_many(x[:5], d[:5]), first)


def test_an_error_is_learned_for_the_row_that_was_heard_even_if_its_array_has_changed():
    x = np.ones((1, 1), dtype=np.float32)
    session, other = LMSFilter(step_size=0.1).stream(), LMSFilter(step_size=0.1).stream()
    session.predict_many(x)
    other.predict_many(x.copy())
    x[:] = 7.0
    session.learn_error(1.0)
    other.learn_error(1.0)
    np.testing.assert_array_equal(session.state["weights"], other.state["weights"])
