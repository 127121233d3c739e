"""FilteredXFilter in pieces: chunks, sessions, measured errors and series."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secondary_paths import PATH, path_of, problem

from filters import FilteredXFilter

modest = settings(max_examples=40, deadline=None, derandomize=True)


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


# ---- any pieces ----------------------------------------------------------------------------------

shapes = st.tuples(
    st.sampled_from([1, 2]), st.sampled_from([1, 2]), st.sampled_from(["real", "complex"])
)


@st.composite
def controllers(draw):
    normalize = draw(st.booleans())
    n_path = draw(st.sampled_from([1, 2, 4, 9]))
    return FilteredXFilter(
        draw(st.sampled_from([1, 3, 8])),
        secondary_path=np.random.default_rng(n_path).standard_normal(n_path),
        normalize=normalize,
        step_size="auto" if normalize else 0.002,
        fit_intercept=draw(st.booleans()),
        leak=draw(st.sampled_from([0.0, 0.1])),
    )


@modest
@given(
    f=controllers(),
    shape=shapes,
    cut=st.lists(st.integers(0, 60), max_size=6).map(sorted),
    ways=st.lists(st.sampled_from(["adapt", "one", "many", "pickle", "state"]), min_size=7),
)
def test_any_pieces_are_one_call_bit_for_bit(f, shape, cut, ways):
    x, d = problem(60, shape[0], shape[1], signal=shape[2])
    whole, final = f.adapt(x, d), f.stream().state
    f = FilteredXFilter(**f.get_params())
    pieces = []
    for a, b, way in zip([0, *cut], [*cut, 60], ways, strict=False):
        if a == b:
            continue
        if way == "adapt":
            pieces.append(f.adapt(x[a:b], d[a:b]).output)
            continue
        session = f.stream()
        if way == "one":
            pieces.append([session.learn_one(u, v) for u, v in zip(x[a:b], d[a:b], strict=True)])
        else:
            session = pickle.loads(pickle.dumps(session)) if way == "pickle" else session.copy()
            pieces.append(session.learn_many(x[a:b], d[a:b]))
        f = session.to_filter()
    np.testing.assert_array_equal(np.concatenate(pieces), whole.output)
    assert_same_state(f.stream().state, final)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("how", ["one", "many"])
def test_drives_played_without_learning_are_remembered_by_the_path(n_outputs, how):
    x, d = problem(n_outputs=n_outputs)
    start = np.random.default_rng(2).standard_normal((n_outputs, 2, 5))
    options = {"secondary_path": PATH, "regularization": 0.1, "initial_weights": start}
    f = FilteredXFilter(5, **options)
    f.adapt(x[:1], d[:1], update_mask=[False])
    mask = np.arange(120) >= 50
    whole = FilteredXFilter(5, **options).adapt(x, d, update_mask=mask)
    session = f.stream()
    if how == "one":
        drives = [session.predict_one(row) for row in x[1:50]]
    else:
        drives = np.concatenate([session.predict_many(x[1:20]), session.predict_many(x[20:50])])
    heard = session.learn_many(x[50:], d[50:])
    np.testing.assert_allclose(heard, whole.output[50:], rtol=0, atol=1e-12)
    fitted = session.at(session.state).to_filter()
    np.testing.assert_array_equal(fitted.coef_, session.to_filter().coef_)
    played = FilteredXFilter(5, **options)
    played.adapt(x[:1], d[:1], update_mask=[False])
    np.testing.assert_array_equal(drives, played.predict(x)[1:50])
    np.testing.assert_allclose(
        played.clear_history().stream().anti_noise_many(x)[:50], whole.output[:50], atol=1e-12
    )


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_learning_from_the_measured_residual_is_the_simulated_loop(signal, n_outputs):
    x, d = problem(n_outputs=n_outputs, signal=signal)
    f = FilteredXFilter(5, secondary_path=path_of(signal), fit_intercept=True)
    f.adapt(x[:1], d[:1])
    played, told = f.stream(), f.stream()
    drives = np.zeros((120, n_outputs), dtype=x.dtype)  # the first: weights were zero
    for k in range(1, 120):
        heard = told.learn_one(x[k], d[k])
        drives[k] = played.predict_one(x[k])
        at_microphone = sum(s * drives[k - j] for j, s in enumerate(path_of(signal)) if j <= k)
        np.testing.assert_allclose(np.ravel(heard), at_microphone, rtol=0, atol=1e-11)
        played.learn_error(d[k] - at_microphone)
    for name, value in told.state.items():
        np.testing.assert_allclose(played.state[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


def test_series_begin_in_silence():
    x, d = problem()
    f = FilteredXFilter(4, secondary_path=PATH).fit([x[:50], x[50:]], [d[:50], d[50:]])
    g = FilteredXFilter(4, secondary_path=PATH)
    g.adapt(x[:50], d[:50])
    second = g.clear_history().adapt(x[50:], d[50:])
    np.testing.assert_array_equal(f.coef_, g.coef_)
    np.testing.assert_array_equal(second.output[:1], 0)  # the path delays by a sample
    session = g.stream()
    session.clear_history()
    assert session.learn_one(x[0], d[0]) == 0
