"""LMS and NLMS against exact identities, scikit-learn and the theory of their excess error."""

import warnings

import naive
import numpy as np
import pytest
import sklearn
from scipy.signal import lfilter
from sklearn.linear_model import SGDRegressor

from filters import AffineProjectionFilter, LMSFilter, NLMSFilter, ProportionateFilter
from filters.theory import max_step_size

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")

HAS_PASSIVE_AGGRESSIVE_SGD = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)


def problem(n=300, n_channels=2, *, noise=0.3, seed=0):
    """Reference (n, n_channels) with a mean, and a desired signal that depends on its past."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_channels)) + 0.2
    d = naive.delay_rows(x, 3) @ rng.standard_normal(3 * n_channels)
    return x, d + noise * rng.standard_normal(n)


def sgd(**options):
    settings = {
        "penalty": None,
        "learning_rate": "constant",
        "fit_intercept": False,
        "shuffle": False,
        "max_iter": 1,
        "tol": None,
    }
    return SGDRegressor(**(settings | options))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"leak": 0.5}, {"penalty": "l2", "alpha": 0.5}),
        ({"sign": "error"}, {"loss": "epsilon_insensitive", "epsilon": 0}),
        (
            {"sign": "error", "leak": 0.1},
            {"loss": "epsilon_insensitive", "epsilon": 0, "penalty": "l2", "alpha": 0.1},
        ),
    ],
    ids=["plain", "leaky", "sign-error", "leaky sign-error"],
)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lms_is_stochastic_gradient_on_the_delay_matrix(ours, theirs, fit_intercept):
    x, d = problem()
    lms = LMSFilter(4, step_size=0.02, fit_intercept=fit_intercept, **ours).fit(x, d)
    peer = sgd(eta0=0.02, fit_intercept=fit_intercept, **theirs).fit(naive.delay_rows(x, 4), d)
    np.testing.assert_allclose(lms.coef_.ravel(), peer.coef_, rtol=0, atol=1e-13)
    if fit_intercept:
        np.testing.assert_allclose(lms.intercept_, peer.intercept_[0], rtol=0, atol=1e-13)
    else:
        assert lms.intercept_ == 0


@pytest.mark.parametrize("sign", ["data", "both"])
@pytest.mark.parametrize("signal", ["real", "complex"])
def test_sign_data_lms_equals_twin(sign, signal):
    x, d = problem()
    if signal == "complex":
        x, d = x + 1j * x[::-1], d - 1j * d[::-1]
    lms = LMSFilter(4, step_size=0.01, sign=sign, leak=0.1, store_weights=1)
    got = lms.adapt(x, d)
    outputs, weights, _ = naive.lms(
        naive.delay_rows(x, 4),
        d,
        np.zeros(8),
        np.full(300, 0.01),
        leak=0.1,
        sign_data=True,
        sign_error=sign == "both",
    )
    np.testing.assert_allclose(got.output, outputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(got.weights.reshape(300, 8), weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sign", [None, "error", "data", "both"])
def test_lms_first_step_is_mu_times_error_times_input(sign):
    lms = LMSFilter(step_size=0.5, sign=sign).fit([[3.0]], [-2.0])
    change = {None: -2.0 * 3.0, "error": -3.0, "data": -2.0, "both": -1.0}[sign]
    assert lms.coef_[0, 0] == 0.5 * change


@pytest.mark.parametrize("step_size", [0.1, 1.0, 1.9, 2.1])
@pytest.mark.parametrize("cls", [LMSFilter, NLMSFilter])
def test_error_on_a_unit_input_shrinks_by_one_minus_mu(cls, step_size):
    options = {"regularization": 0.0} if cls is NLMSFilter else {}
    error = cls(step_size=step_size, **options).adapt(np.ones(60), np.ones(60)).error
    np.testing.assert_allclose(error, (1 - step_size) ** np.arange(60), rtol=1e-11, atol=1e-14)


def test_leaky_lms_settles_at_the_shrunk_plant():
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], 40_000)
    d = lfilter([2.0, -1.0], 1, x)
    lms = LMSFilter(2, step_size=0.002, leak=0.5, store_weights=10)
    mean = lms.adapt(x, d).weights[500:].mean(axis=0)
    np.testing.assert_allclose(mean, [[2.0 / 1.5, -1.0 / 1.5]], rtol=0.01)


@pytest.mark.parametrize(("amplitude", "step_size"), [(1.0, 0.01), (3.0, 0.02), (0.5, 0.3)])
@pytest.mark.parametrize("w0", [0.3, 1.1, 2.9])
def test_lms_with_quadrature_references_is_a_notch(amplitude, step_size, w0):
    n = np.arange(2000)
    x = amplitude * np.column_stack([np.cos(w0 * n), np.sin(w0 * n)])
    d = np.random.default_rng(0).standard_normal(2000)
    g, c = step_size * amplitude**2, np.cos(w0)
    notch = lfilter([1, -2 * c, 1], [1, -(2 - g) * c, 1 - g], d)
    error = LMSFilter(step_size=step_size).adapt(x, d).error
    np.testing.assert_allclose(error, notch, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("regularization", "rate", "eta0"),
    [(0.0, "pa1", 1e12), (0.25, "pa2", 2.0), (8.0, "pa2", 1 / 16)],
)
def test_nlms_is_passive_aggressive_regression(regularization, rate, eta0):
    x, d = problem()
    rows = naive.delay_rows(x, 4)
    loss = {"loss": "epsilon_insensitive", "epsilon": 0}
    if HAS_PASSIVE_AGGRESSIVE_SGD:
        peer = sgd(learning_rate=rate, eta0=eta0, **loss)
    else:
        from sklearn.linear_model import PassiveAggressiveRegressor

        loss["loss"] = {"pa1": "", "pa2": "squared_"}[rate] + loss["loss"]
        peer = PassiveAggressiveRegressor(
            C=eta0, fit_intercept=False, shuffle=False, max_iter=1, tol=None, **loss
        )
    nlms = NLMSFilter(4, step_size=1.0, regularization=regularization).fit(x, d)
    np.testing.assert_allclose(nlms.coef_.ravel(), peer.fit(rows, d).coef_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("signal", ["real", "complex"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_nlms_with_unit_step_leaves_no_error_behind(signal, fit_intercept):
    x, d = problem()
    if signal == "complex":
        x, d = x * (1 + 2j), d * (3 - 1j) + 1j * np.roll(d, 1)
    nlms = NLMSFilter(4, step_size=1.0, regularization=0.0, fit_intercept=fit_intercept)
    rows = naive.delay_rows(x, 4)
    for k in range(50):
        nlms.adapt(x[k : k + 1], d[k : k + 1])
        after = rows[k] @ nlms.coef_.ravel() + nlms.intercept_
        np.testing.assert_allclose(after, d[k], rtol=0, atol=1e-13 * np.abs(d).max())


def test_nlms_auto_regularization_is_a_thousandth_of_the_mean_energy():
    x, d = problem(3000)
    memory = 1000
    power = naive.running_mean(np.sum(x**2, axis=1), memory)
    outputs, weights, _ = naive.nlms(naive.delay_rows(x, 4), d, np.zeros(8), 0.5, 1e-3 * 4 * power)
    nlms = NLMSFilter(4)
    np.testing.assert_allclose(nlms.adapt(x, d).output, outputs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(nlms.coef_.ravel(), weights[-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("sign", [None, "data"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lms_auto_step_is_the_stated_share_of_the_held_energy(sign, fit_intercept):
    x, d = problem(600)
    power = np.sum(x**2, axis=1) + float(fit_intercept)  # the constant is an input too
    held = naive.held_energy(power, 4, 1 - 1 / (32 * 4))
    steps = 0.15 / (np.sqrt(held * 8) if sign else held)
    outputs, _, _ = naive.lms(
        naive.delay_rows(x, 4),
        d,
        np.zeros(8),
        steps,
        sign_data=sign == "data",
        fit_intercept=fit_intercept,
    )
    got = LMSFilter(4, sign=sign, fit_intercept=fit_intercept).adapt(x, d).output
    np.testing.assert_allclose(got, outputs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("cls", [LMSFilter, NLMSFilter])
def test_auto_settings_are_safe_with_an_intercept_at_any_level(cls, scale):
    rng = np.random.default_rng(0)
    x = scale * rng.standard_normal(20_000)
    f = cls(4, fit_intercept=True)
    error = f.adapt(x, 3.0 + x + 0.1 * scale * rng.standard_normal(20_000)).error
    assert np.abs(error[-5000:]).max() < 8 * scale  # weak beside the constant, x is learned slowly
    np.testing.assert_allclose(f.intercept_, 3.0, rtol=0, atol=3 * scale)


@pytest.mark.parametrize("sign", [None, "error", "data", "both"])
@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("leak", [0.1, 100.0])
def test_auto_step_is_safe_with_a_leak_at_any_level(sign, scale, leak):
    rng = np.random.default_rng(0)
    x = scale * rng.standard_normal(3000)
    f = LMSFilter(2, sign=sign, leak=leak, store_weights=10)
    weights = f.adapt(x, 3.0 * x).weights
    session = LMSFilter(2, sign=sign, leak=leak).stream()
    for row in x[:300]:
        session.learn_one(row, 3.0 * row)
    steady = 0.15 / leak if sign in ("error", "both") else 3.0  # of |w|: |mu x| or the plant's
    largest = max(3.0, steady)
    assert np.abs(f.coef_).max() < 1.5 * largest
    assert np.abs(session.to_filter().coef_).max() < 1.5 * largest
    if sign is None:  # a leak is an input of its power
        expected = 3.0 * scale**2 / (scale**2 + leak)
        np.testing.assert_allclose(weights[100:, 0, 0].mean(), expected, rtol=0.2, atol=0)


# ---- statistics ----------------------------------------------------------------------------------


def excess_error(make, n_inputs, *, n=3000, n_runs=100, tail=1500):
    """Mean excess error over the noise variance of one, for iid Gaussian rows, from the tails."""
    rng = np.random.default_rng(0)
    total = 0.0
    for _ in range(n_runs):
        x = rng.standard_normal((n, n_inputs))
        w = rng.standard_normal(n_inputs)
        v = rng.standard_normal(n)
        output = make().adapt(x, x @ w + v).output
        total += np.mean((x @ w - output)[-tail:] ** 2)
    return total / n_runs


@pytest.mark.parametrize(("n_inputs", "step_size"), [(4, 0.05), (8, 0.05), (8, 0.1)])
def test_lms_excess_error_on_iid_rows_is_the_predicted_one(n_inputs, step_size):
    found = excess_error(lambda: LMSFilter(step_size=step_size), n_inputs)
    theory = n_inputs * step_size / (2 - (n_inputs + 2) * step_size)
    np.testing.assert_allclose(found, theory, rtol=0.04)


@pytest.mark.parametrize(("n_inputs", "step_size"), [(8, 0.2), (16, 0.5), (16, 1.0)])
def test_nlms_excess_error_on_iid_rows_is_the_predicted_one(n_inputs, step_size):
    found = excess_error(lambda: NLMSFilter(step_size=step_size, regularization=0.0), n_inputs)
    theory = step_size / (2 - step_size) * n_inputs / (n_inputs - 2)
    np.testing.assert_allclose(found, theory, rtol=0.05)


def coloured(n, pole, rng):
    return lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal(n))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n_taps", [1, 10, 64])
@pytest.mark.parametrize("sign", [None, "data"])
def test_lms_auto_step_is_safe_on_coloured_input_of_any_level(scale, n_taps, sign):
    rng = np.random.default_rng(n_taps)
    x = coloured(20_000, 0.95, rng)
    plant = rng.standard_normal(n_taps) / np.sqrt(n_taps)
    clean = lfilter(plant, 1, x)
    d = clean + 0.1 * rng.standard_normal(20_000)
    output = LMSFilter(n_taps, sign=sign).adapt(scale * x, d).output
    excess = (clean - output) ** 2
    assert excess.max() < 10 * np.max(clean**2)
    assert np.mean(excess[-5000:]) < 0.1 * np.mean(clean**2)
    assert np.mean(excess[-5000:]) < 0.01  # below the noise


def test_lms_auto_step_survives_sudden_loudness_and_follows_the_level_down():
    rng = np.random.default_rng(0)
    level = np.repeat([1e-3, 1.0, 1e3, 1e-3], 5000)
    x = level * coloured(20_000, 0.95, rng)
    plant = rng.standard_normal(8)
    result = LMSFilter(8).adapt(x, lfilter(plant, 1, x))
    relative = (np.abs(result.error) / level).reshape(4, 5000)[
        :, 8:
    ]  # a delay line of the new level
    assert relative.max() < 3 * np.abs(plant).sum()
    assert (relative[:, -500:].max(axis=1) < 0.1 * np.abs(plant).sum()).all()


@pytest.mark.parametrize(
    ("pole", "step_size", "warns"),
    [(0.8, 0.04, True), (0.8, 0.009, False), (0.0, 0.03, False), (0.0, 0.1, True)],
)
def test_a_step_beyond_the_safe_one_for_this_colour_warns_with_the_bound(pole, step_size, warns):
    drive = np.random.default_rng(0).standard_normal(4000)
    x = lfilter([np.sqrt(1 - pole**2)], [1, -pole], drive)
    f, d = LMSFilter(10, step_size=step_size), np.zeros(4000)
    bound = max_step_size(x, 10, mode="safe")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        f.adapt(x, d)
        f.fit(x[:, np.newaxis], d)
    assert len(said) == (2 if warns else 0)
    for warning in said:
        assert f"{bound:.3g}" in str(warning.message)
        assert warning.filename == __file__


def test_steps_from_two_on_warn():
    for make in (NLMSFilter, AffineProjectionFilter, ProportionateFilter):
        with pytest.warns(RuntimeWarning, match="is not below 2"):
            make(2, step_size=2.0).fit(np.zeros((60, 1)), np.zeros(60))
