"""ActiveNoiseController: the simulated loop, the frozen one and the real one."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.base import clone

from filters import ActiveNoiseController, FilteredXFilter, NLMSFilter
from filters.timeseries import snr_db

PATH = np.array([0.0, 0.0, 0.7, 0.3, -0.2])


def duct(n=6000, *, seed=0, n_references=1):
    """Rows [noise at the microphone, references]; the noise comes later than the references."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_references))
    far = [0.0, 0.0, 0.0, 0.9, 0.4, -0.3, 0.2]
    noise = sum(lfilter(far, 1, x[:, k]) for k in range(n_references))
    return np.column_stack([noise + 0.001 * rng.standard_normal(n), x])


def controller(**options):
    return ActiveNoiseController(FilteredXFilter(16, step_size=0.3), secondary_path=PATH, **options)


@pytest.mark.parametrize("n_references", [1, 2])
def test_noise_is_cancelled_and_stays_so_when_frozen(n_references):
    X = duct(20_000, n_references=n_references)
    task = controller()
    residual = task.fit_transform(X)[:, 0]
    assert np.std(residual[-2000:]) < 0.02 * np.std(X[:, 0])
    assert np.std(residual[:20]) > 0.1 * np.std(X[:, 0])  # online: not yet learned
    frozen = task.transform(X)[:, 0]
    assert np.std(frozen[100:]) < 0.02 * np.std(X[:, 0])


def test_the_default_cancels_a_rotor_by_its_tachometer():
    t = np.arange(30_000)
    rotor = sum(np.sin(0.11 * k * t + k) / k for k in (1, 2, 3))
    tacho = sum(np.cos(0.11 * k * t) for k in (1, 2, 3))
    task = ActiveNoiseController(secondary_path=PATH)
    residual = task.fit_transform(np.column_stack([rotor, tacho]))[:, 0]
    assert np.std(residual[-3000:]) < 1e-3 * np.std(rotor)


def test_fit_transform_is_the_error_of_the_simulated_loop():
    X = duct(2000, n_references=2)
    task = controller()
    inner = FilteredXFilter(16, step_size=0.3, secondary_path=PATH)
    np.testing.assert_array_equal(task.fit_transform(X)[:, 0], inner.adapt(X[:, 1:], X[:, 0]).error)
    np.testing.assert_array_equal(task.filter_.coef_, inner.coef_)
    drive = task.filter_.predict(X[:, 1:])
    wanted = X[:, 0] - lfilter(PATH, 1, drive)
    for _ in range(2):
        np.testing.assert_allclose(task.transform(X)[:, 0], wanted, rtol=0, atol=1e-12)


def test_the_path_of_the_filter_holds_where_none_is_given():
    X = duct(500)
    inner = FilteredXFilter(8, secondary_path=PATH)
    one, other = ActiveNoiseController(inner), ActiveNoiseController(inner, secondary_path=PATH)
    np.testing.assert_array_equal(one.fit_transform(X), other.fit_transform(X))
    replaced = ActiveNoiseController(inner, secondary_path=[1.0]).fit(X)
    assert replaced.filter_.secondary_path == [1.0]
    assert inner.secondary_path is PATH


def test_any_pieces_are_one_call_bit_for_bit():
    X = duct(900)
    whole = controller().fit_transform(X)
    session, pieces = controller().stream(), []
    for a, b in pairwise([0, 1, 2, 9, 400]):
        pieces.append(session.learn_many(X[a:b]))
    pieces += [np.reshape(session.learn_one(row), (1, 1)) for row in X[400:450]]
    again = controller().stream(initial_state=session.state)
    pieces.append(again.learn_many(X[450:]))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    task = controller()
    for a, b in pairwise([0, 3, 500, 900]):
        task.partial_fit(X[a:b])
    np.testing.assert_array_equal(task.transform(X), controller().fit(X).transform(X))
    session = controller().fit([X]).stream()
    frozen = [session.predict_many(X[:31]), session.predict_many(X[31:])]
    np.testing.assert_array_equal(np.concatenate(frozen), task.fit([X]).transform(X))


def test_a_real_loop_with_a_true_model_is_the_simulated_one():
    X = duct(600, n_references=2)
    wanted = controller().fit_transform(X)[:, 0]
    session, drives = controller().stream(), np.zeros(PATH.size)
    for k, row in enumerate(X):
        drives = np.r_[session.drive_one(row[1:]), drives[:-1]]
        residual = row[0] - PATH @ drives
        np.testing.assert_allclose(residual, wanted[k], rtol=0, atol=1e-10)
        session.learn_error(residual)
    state = session.state
    again = controller().stream(initial_state=state)
    assert again.drive_one(X[0, 1:]) == session.drive_one(X[0, 1:])


def test_a_real_loop_forgives_a_wrong_gain_and_a_sample_of_delay():
    n = 4000
    t = np.arange(n)
    noise, tacho = np.sin(0.3 * t + 1), np.sin(0.3 * t)
    plant, drives, left = 0.6 * np.r_[0.0, PATH], np.zeros(PATH.size + 1), np.empty(n)
    session = ActiveNoiseController(FilteredXFilter(4), secondary_path=PATH).stream()
    for k in range(n):
        drives = np.r_[session.drive_one(tacho[k]), drives[:-1]]
        left[k] = noise[k] - plant @ drives
        session.learn_error(left[k])
    assert snr_db(noise[-500:], noise[-500:] - left[-500:]) > 60


def test_a_session_goes_on_from_the_fit_and_leaves_it_alone():
    X = duct(900)
    task = controller().fit(X[:500])
    frozen = task.transform(X)
    session = task.stream()
    first = session.learn_many(X[500:])
    np.testing.assert_array_equal(first, controller().fit_transform(X)[500:])
    session.drive_one(1.0)
    session.learn_error(5.0)
    session.reset()
    np.testing.assert_array_equal(session.learn_many(X[500:]), first)
    np.testing.assert_array_equal(task.transform(X), frozen)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X = duct(3000).astype(dtype)
    task = controller()
    assert task.fit_transform(X).dtype == task.transform(X).dtype == dtype


def test_errors_name_what_is_wrong():
    X = duct(50)
    with pytest.raises(ValueError, match=r"two columns, \[noise, reference, ...\]; got 1 feat"):
        ActiveNoiseController().fit(X[:, :1])
    with pytest.raises(ValueError, match=r"needs a FilteredXFilter.*got NLMSFilter\(\)"):
        ActiveNoiseController(NLMSFilter()).fit(X)
    with pytest.raises(ValueError, match="secondary_path is zero"):
        ActiveNoiseController(secondary_path=[0.0]).fit(X)
    with pytest.raises(ValueError, match="'secondary_path' parameter of ActiveNoiseController"):
        ActiveNoiseController(secondary_path="room").fit(X)
    session = clone(controller()).stream()
    with pytest.raises(ValueError, match="needs a drive_one before it"):
        session.learn_error(1.0)
    session.drive_one(1.0)
    with pytest.raises(ValueError, match="x contains NaN"):
        session.drive_one(np.nan)
    with pytest.raises(ValueError, match=r"1 channel\(s\)"):
        session.drive_one([1.0, 2.0])
    session.learn_error(1.0)  # the bad ones did not use the drive up
    with pytest.raises(ValueError, match="needs a predict_one before it"):
        session.learn_error(1.0)
