"""Adaptive filters as estimators: fit, predict and score, handed-over states, bad arguments."""

import naive
import numpy as np
import pytest
from filters_under_test import every_filter, learners, problem
from sklearn.metrics import r2_score

from filters import (
    AffineProjectionFilter,
    LMSFilter,
    NLMSFilter,
    RLSFilter,
)

# Steps that are meant to be too large, or large enough to see something.
pytestmark = pytest.mark.filterwarnings("ignore:.*is not below:RuntimeWarning")


@every_filter
def test_fit_forgets_and_is_one_pass_of_adapt(make):
    x, d, _ = problem()
    f, g = make(3), make(3)
    f.fit(x[::-1], d).fit(x, d)
    output = g.adapt(x, d).output
    np.testing.assert_array_equal(f.coef_, g.coef_)
    assert f.n_samples_seen_ == g.n_samples_seen_ == 200
    g.reset()
    assert vars(g) == vars(make(3))
    np.testing.assert_array_equal(g.adapt(x, d).output, output)


@every_filter
@pytest.mark.parametrize("cut", [1, 2, 5, 199])
def test_predict_hands_over_its_delay_line(make, cut):
    x, d, _ = problem()
    f = make(4).fit(x, d)
    first, state = f.predict(x[:cut], return_state=True)
    second, last = f.predict(x[cut:], initial_state=state, return_state=True)
    np.testing.assert_array_equal(np.concatenate([first, second]), f.predict(x))
    assert state.shape == (3 * 2,)
    np.testing.assert_array_equal(last, x[-3:].ravel())


@learners
def test_predict_hands_over_the_delay_lines_of_several_series(make):
    x, d, _ = problem()
    f = make(4).fit(x, d)
    _, states = f.predict([x[:50], x[50:120]], return_state=True)
    assert states.shape == (2, 6)
    ahead = f.predict([x[120:130], x[120:]], initial_state=states)
    for part, start, n in zip(ahead, states, (10, 80), strict=True):
        np.testing.assert_array_equal(part, f.predict(x[120 : 120 + n], initial_state=start))
    with pytest.raises(ValueError, match=r"initial_state must have shape \(6,\) or \(1, 6\)"):
        f.predict(x, initial_state=states)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (1.0, r"must have shape \(2,\) or \(1, 2\), got \(\)"),
        ([1.0], r"got \(1,\)"),
        (np.zeros((2, 1)), r"got \(2, 1\)"),
        ([0.0, np.nan], "initial_state contains NaN"),
    ],
)
def test_predict_refuses_states_that_do_not_fit(state, message):
    f = LMSFilter(3).fit(np.ones((9, 1)), np.ones(9))
    with pytest.raises(ValueError, match=message):
        f.predict(np.ones((2, 1)), initial_state=state)


@every_filter
def test_clear_history_keeps_the_weights(make):
    x, d, _ = problem()
    f, g = make(3), make(3)
    f.adapt(x[:100], d[:100])
    g.adapt(x[:100], d[:100])
    coef = f.clear_history().coef_
    np.testing.assert_array_equal(coef, g.coef_)
    cleared, carried = f.adapt(x[100:], d[100:]).output, g.adapt(x[100:], d[100:]).output
    wanted = naive.delay_rows(x[100:], 3)[0] @ coef.ravel()
    np.testing.assert_allclose(cleared[0], wanted, rtol=0, atol=1e-14)
    assert abs(carried[0] - wanted) > 1e-6


def test_one_dimensional_targets_give_one_dimensional_answers():
    x, d, _ = problem()
    assert LMSFilter(3).fit(x, d).predict(x).shape == (200,)
    column = LMSFilter(3).fit(x, d[:, np.newaxis])
    assert column.predict(x).shape == (200, 1)
    assert column.coef_.shape == (2, 3)
    assert column.intercept_ == 0
    assert LMSFilter(3).adapt(x, d[:, np.newaxis]).output.shape == (200, 1)
    f = LMSFilter(3)
    f.adapt(x[:, 0], d)
    assert f.coef_.shape == (1, 3)
    assert f.n_features_in_ == 1


@learners
def test_score_is_the_coefficient_of_determination(make):
    x, d, _ = problem(n_outputs=2)
    f = make(3).fit(x, d)
    np.testing.assert_allclose(f.score(x, d), r2_score(d, f.predict(x)), rtol=1e-13)
    weight = np.arange(200.0)
    wanted = r2_score(d, f.predict(x), sample_weight=weight)
    np.testing.assert_allclose(f.score(x, d, weight), wanted, rtol=1e-13)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_taps": 0}, "n_taps"),
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": -1.0}, "step_size"),
        ({"leak": -1.0}, "leak"),
        ({"sign": "errors"}, "sign"),
        ({"store_weights": -1}, "store_weights"),
        ({"on_divergence": "ignore"}, "on_divergence"),
        ({"initial_weights": [1.0, 2.0]}, r"shape \(1, 3\).* newest sample first.* got \(2,\)"),
        ({"initial_weights": [1.0, 2.0, np.inf]}, "initial_weights contains infinity"),
        ({"initial_weights": [1.0, 2.0, 1j]}, "initial_weights are complex"),
    ],
)
@pytest.mark.parametrize("how", ["fit", "adapt", "stream"])
def test_bad_parameters_are_named(parameters, message, how):
    f = LMSFilter(**({"n_taps": 3} | parameters))
    x = np.ones((5, 1))
    with pytest.raises(ValueError, match=message):
        {"fit": f.fit, "adapt": f.adapt, "stream": lambda x, d: f.stream().learn_many(x, d)}[how](
            x, np.ones(5)
        )


@pytest.mark.parametrize("forgetting_factor", [0.0, -1.0, 1.001])
def test_rls_refuses_a_forgetting_factor_outside_its_range(forgetting_factor):
    with pytest.raises(ValueError, match="forgetting_factor"):
        RLSFilter(forgetting_factor=forgetting_factor).fit(np.ones((5, 1)), np.ones(5))


@pytest.mark.parametrize(
    ("x", "d", "mask", "message"),
    [
        (np.ones(5), np.ones(4), None, "x has 5 samples, d has 4"),
        (np.ones((2, 5, 1)), np.ones(5), None, r"x must be a signal .* got shape \(2, 5, 1\)"),
        (np.ones(0), np.ones(0), None, "at least one sample"),
        (np.ones(5), 1.0, None, r"d must be a signal .* got shape \(\)"),
        (np.ones(5), np.ones(5), [True], r"update_mask must have shape \(5,\), got \(1,\)"),
        ([1, 2, np.nan], np.ones(3), None, "x contains NaN: 1 value.* row 2, column 0"),
        (np.ones(3), [1, np.inf, np.nan], None, "d contains infinity: 2 value.* row 1, column 0"),
        (np.ones(3), [1, 1, 1j * np.nan], None, "d contains NaN: 1 value.* row 2, column 0"),
    ],
)
def test_adapt_says_what_does_not_fit(x, d, mask, message):
    with pytest.raises(ValueError, match=message):
        LMSFilter().adapt(x, d, update_mask=mask)


def test_a_filter_refuses_another_number_of_channels_or_outputs():
    x, d, _ = problem()
    f = LMSFilter(3).fit(x, d)
    with pytest.raises(ValueError, match=r"adapted to 2 channel\(s\) and 1 output\(s\); got 1"):
        f.adapt(x[:, :1], d)
    with pytest.raises(ValueError, match=r"got 2 and 2. reset\(\) starts anew"):
        f.partial_fit(x, np.column_stack([d, d]))
    with pytest.raises(ValueError, match="X has 1 features, but LMSFilter is expecting 2"):
        f.predict(x[:, :1])


@pytest.mark.parametrize(
    ("f", "change"),
    [
        (LMSFilter(3), {"n_taps": 5}),
        (NLMSFilter(3), {"n_taps": 2}),
        (AffineProjectionFilter(3), {"order": 5}),
        (RLSFilter(3), {"fit_intercept": True}),
    ],
)
def test_parameters_that_change_the_size_of_a_fitted_filter_are_refused(f, change):
    x, d, _ = problem()
    f.fit(x, d).set_params(**change)
    for call in (f.partial_fit, f.adapt, lambda *given: f.stream().learn_many(*given)):
        with pytest.raises(ValueError, match=r"Were parameters changed.* reset\(\)"):
            call(x, d)
    f.fit(x, d)
