"""FrequencyDomainFilter in chunks, sessions, series and masked samples."""

import json
import pickle

import naive
import numpy as np
import pytest
from frequency_problem import SIZES, block_lms, constraints, problem, sizes
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import FrequencyDomainFilter

# ---- chunks --------------------------------------------------------------------------------------

modest = settings(max_examples=60, deadline=None, derandomize=True)
kinds = st.builds(
    lambda sizes, constraint, normalize, every, constant: FrequencyDomainFilter(
        sizes[0],
        block_size=sizes[1],
        constraint=constraint,
        normalize=normalize,
        step_size=0.5 if normalize else 0.002,
        store_weights=every,
        fit_intercept=constant,
    ),
    st.sampled_from(SIZES),
    st.sampled_from(["full", "alternating"]),
    st.booleans(),
    st.sampled_from([0, 0, 7]),
    st.booleans(),
)
dtypes = st.sampled_from([np.float64, np.float32, np.complex128])
cuts = st.lists(st.integers(0, 240), max_size=8).map(sorted)


def spans(cut):
    return [slice(a, b) for a, b in zip([0, *cut], [*cut, 240], strict=True) if b > a]


def signal_of(dtype, n_channels):
    kind = "complex" if dtype is np.complex128 else "real"
    return problem(240, n_channels, signal=kind, dtype=dtype)


def atol_of(dtype):
    return 1e-3 if dtype is np.float32 else 1e-9


@modest
@given(f=kinds, dtype=dtypes, n_channels=st.sampled_from([1, 2]), cut=cuts)
def test_ragged_chunks_are_one_call_up_to_rounding(f, dtype, n_channels, cut):
    x, d = signal_of(dtype, n_channels)
    whole, f = f.adapt(x, d), f.__class__(**f.get_params())
    parts = [f.adapt(x[p], d[p]) for p in spans(cut)]
    got = np.concatenate([p.output for p in parts])
    assert got.dtype == dtype
    np.testing.assert_allclose(got, whole.output, rtol=0, atol=atol_of(dtype))
    if f.store_weights:
        got = np.concatenate([p.weights for p in parts])
        np.testing.assert_allclose(got, whole.weights, rtol=0, atol=atol_of(dtype))


@modest
@given(f=kinds, dtype=dtypes, cut=st.lists(st.integers(0, 30), max_size=6).map(sorted))
def test_whole_blocks_are_one_call_bit_for_bit(f, dtype, cut):
    f.set_params(store_weights=0)
    x, d = signal_of(dtype, 2)
    whole, f = f.adapt(x, d), f.__class__(**f.get_params())
    parts = []
    for part in spans([8 * k for k in cut]):
        f = pickle.loads(pickle.dumps(f))
        parts.append(f.adapt(x[part], d[part]).output)
    np.testing.assert_array_equal(np.concatenate(parts), whole.output)


@modest
@given(f=kinds, dtype=dtypes, cut=cuts)
def test_a_session_in_any_pieces_is_adapt(f, dtype, cut):
    x, d = signal_of(dtype, 2)
    session, outputs = f.stream(), []
    for i, part in enumerate(spans(cut)):
        if i % 2:
            outputs.append([session.learn_one(a, b) for a, b in zip(x[part], d[part], strict=True)])
            session = f.stream(session.state)
        else:
            outputs.append(session.learn_many(x[part], d[part]))
    wanted = f.adapt(x, d).output
    np.testing.assert_allclose(np.concatenate(outputs), wanted, rtol=0, atol=atol_of(dtype))


@constraints
def test_state_of_real_signals_is_real_and_survives_a_text_file(constraint):
    x, d = problem()
    session = FrequencyDomainFilter(20, block_size=8, constraint=constraint).stream()
    session.learn_many(x[:101], d[:101])
    text = json.dumps({name: value.tolist() for name, value in session.state.items()})
    again = {name: np.array(value) for name, value in json.loads(text).items()}
    for name, value in session.state.items():
        again[name] = again[name].reshape(value.shape)  # a list cannot tell (1, 0, 1) from (1, 0)
    again = FrequencyDomainFilter(20, block_size=8, constraint=constraint).stream(again)
    np.testing.assert_array_equal(again.learn_many(x, d), session.learn_many(x, d))


@pytest.mark.parametrize("first", [np.float32, np.float64])
@constraints
def test_filters_widen_to_complex_in_the_middle_of_a_block(first, constraint):
    x, d = problem(signal="complex")
    f, g = (FrequencyDomainFilter(20, block_size=8, constraint=constraint) for _ in range(2))
    f.adapt(x[:101].real.astype(first), d[:101].real.astype(first))
    g.adapt(x[:101].real.astype(complex), d[:101].real.astype(complex))
    got, wanted = f.adapt(x[101:], d[101:]), g.adapt(x[101:], d[101:])
    assert f.coef_.dtype == np.complex128
    atol = 1e-12 if first is np.float64 else 2e-3
    np.testing.assert_allclose(got.output, wanted.output, rtol=0, atol=atol)


@constraints
def test_learning_from_the_measured_error_is_learning_from_the_target(constraint):
    x, d = problem(240, 2)
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint)
    heard, told = f.stream(), f.stream()
    for row, target in zip(x, d, strict=True):
        output = heard.predict_one(row)
        np.testing.assert_allclose(output, told.learn_one(row, target), rtol=0, atol=1e-11)
        heard.learn_error(target - output)
    np.testing.assert_allclose(heard.state["weights"], told.state["weights"], rtol=0, atol=1e-11)


# ---- masks, series, histories --------------------------------------------------------------------


@sizes
def test_masked_samples_teach_nothing(n_taps, block):
    x, d = problem()
    mask = np.random.default_rng(1).random(240) < 0.5
    rows = naive.delay_rows(x, n_taps)
    wanted, w = naive.block_lms(rows, d, np.zeros(n_taps), 0.002, block, mask=mask)
    f = block_lms(n_taps, block)
    d = np.where(mask, d, 1e9)
    got = f.adapt(x, d, update_mask=mask).output
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)
    np.testing.assert_allclose(f.coef_[0], w, rtol=0, atol=1e-13)


@constraints
def test_weights_are_frozen_in_masked_blocks(constraint):
    x, d = problem()
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint, store_weights=8)
    weights = f.adapt(x, d, update_mask=np.arange(240) < 80).weights
    assert np.abs(np.diff(weights[:10], axis=0)).max(axis=(1, 2)).all()
    np.testing.assert_array_equal(weights[10:], np.repeat(weights[9:10], 20, axis=0))


@pytest.mark.parametrize("length", [3, 8, 13])
def test_a_series_that_ends_inside_a_block_is_learned_from(length):
    x, d = problem(2 * length)
    f = block_lms(6, 8).fit([x[:length], x[length:]], [d[:length], d[length:]])
    w = np.zeros(6)
    for part in (slice(0, length), slice(length, 2 * length)):
        rows, target = naive.delay_rows(x[part], 6), d[part]
        for start in range(0, length, 8):
            here = slice(start, min(start + 8, length))
            _, w = naive.block_lms(rows[here], target[here], w, 0.002, rows[here].shape[0])
    np.testing.assert_allclose(f.coef_[0], w, rtol=0, atol=1e-15)


@pytest.mark.parametrize("silent", [False, True])
@constraints
def test_cleared_history_is_cleared_for_outputs_of_both_ways(silent, constraint):
    x, d = problem()
    f = FrequencyDomainFilter(64, block_size=8, constraint=constraint)
    f.adapt(x, d)
    if silent:  # the newest samples are zero with and without clearing, older ones are not
        f.adapt(np.zeros(24), np.zeros(24))
    f.clear_history()
    mask = np.zeros(160, bool)
    alone = FrequencyDomainFilter(64, block_size=8, initial_weights=f.coef_)
    got = f.adapt(x[:160], d[:160], update_mask=mask).output
    wanted = alone.adapt(x[:160], d[:160], update_mask=mask).output
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


@constraints
def test_predictions_between_lessons_move_the_delay_line(constraint):
    x, d = problem()
    f = FrequencyDomainFilter(20, block_size=8, constraint=constraint)
    session = f.stream()
    session.learn_many(x[:100], d[:100])
    session.predict_many(x[100:150])
    told = session.learn_many(x[150:158], d[150:158])  # a whole block
    session.learn_many(x[158:166], d[158:166])
    np.testing.assert_array_equal(session.state["history"], x[147:166])
    session = f.stream()
    session.learn_many(x[:100], d[:100])
    session.predict_many(x[100:150])
    singly = [session.learn_one(a, b) for a, b in zip(x[150:158], d[150:158], strict=True)]
    np.testing.assert_allclose(singly, told, rtol=0, atol=1e-12)
