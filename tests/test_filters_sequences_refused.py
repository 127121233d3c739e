"""What is no set of series is refused, and the refusal says where and what."""

import numpy as np
import pandas as pd
import pytest
from containers import EQUAL, Series

from filters import LMSFilter, NLMSFilter
from filters.timeseries import SequenceError, as_series

# ---- refused -------------------------------------------------------------------------------------


A, B = np.zeros((3, 2)), np.ones((4, 2))
FRAME = pd.DataFrame(np.zeros((6, 2)), index=pd.MultiIndex.from_product([["a", "b"], range(3)]))


def indexed(ids, extra_level=False):
    levels = [list(ids), range(len(ids))] + ([["z"] * len(ids)] if extra_level else [])
    return pd.DataFrame(np.zeros((len(ids), 2)), index=pd.MultiIndex.from_arrays(levels))


@pytest.mark.parametrize(
    ("X", "groups", "message"),
    [
        (
            np.zeros((5, 1)),
            [0, 0, 1, 0, 0],
            "groups: the series that goes on at row 3 .*contiguous",
        ),
        (np.zeros((4, 1)), ["b", "a", "b", "b"], "groups: .* row 2 .*sort them by series and time"),
        (indexed("aabba"), None, "first index level: the series that goes on at row 4 "),
        (np.zeros((3, 1)), [0, 0], r"one id a row: shape \(3,\) expected, got \(2,\)"),
        (np.zeros((3, 1)), [[0], [0], [1]], r"shape \(3,\) expected, got \(3, 1\)"),
        (np.zeros((3, 1)), 7, r"shape \(3,\) expected, got \(\)"),
        (np.zeros((3, 1)), [0, np.nan, 1], r"groups is missing \(NaN or None\) at row 1"),
        (np.zeros((3, 1)), ["a", "a", None], "groups is missing .* at row 2"),
        (indexed(["a", None, "b"]), None, r"first index level .*\(series\) has missing values"),
        (indexed("aabb", extra_level=True), None, r"index of X has 3 levels .*exactly two"),
        ([A, B], [0, 0, 0, 1, 1, 1, 1], "X is a list of series, which already says"),
        (np.zeros((2, 3, 1)), [0, 0, 0], "X is a 3-D array, .*Leave groups out"),
        (FRAME, [0] * 6, "X is a MultiIndex, which already says"),
        ([A, np.zeros((0, 2))], None, "series 1 of the list is empty"),
        (np.zeros((2, 0, 3)), None, r"shape \(2, 0, 3\): no series, time steps or features"),
        (np.zeros((0, 4, 3)), None, r"shape \(0, 4, 3\): no series"),
        ([A, np.zeros((5, 3))], None, r"differ in their number of features: \[2, 3\]\.$"),
        ([A, np.zeros((3, 5))], None, r"features: \[2, 5\]\. Time must .*np.swapaxes\(X, 1, 2\)"),
        ([A, np.zeros(3)], None, r"each series .* 2-D .*series 1 has shape \(3,\)"),
        (np.zeros((1, 2, 3, 4)), None, r"X has 4 dimensions; a panel has 3"),
        (
            [pd.DataFrame(A, columns=["p", "q"]), pd.DataFrame(B, columns=["q", "p"])],
            None,
            r"series 1 .*has columns \['q', 'p'\], series 0 has \['p', 'q'\]",
        ),
    ],
)
@pytest.mark.parametrize("how", ["as_series", "fit"])
def test_what_is_not_a_set_of_series_is_refused(X, groups, message, how):
    call = {"as_series": as_series, "fit": lambda X, groups: LMSFilter().fit(X, X, groups=groups)}
    with pytest.raises(SequenceError, match=message):
        call[how](X, groups=groups)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (
            [A, B],
            np.zeros(7),
            "X is a list of 2 series, so {name} must be a list of as many .* got 7",
        ),
        ([A, B], [np.zeros(3)], "so {name} must be a list of as many .* got 1"),
        (
            [A, B],
            [np.zeros(3), np.zeros(3)],
            r"series 1 has 4 time steps but {name}\[1\] has 3 entries",
        ),
        ([A, B], [0.0, 1.0], r"series 0 has 3 time steps but {name}\[0\] has a scalar"),
        (
            [A, B],
            [np.zeros((3, 1)), np.zeros((4, 2))],
            "of {name} differ in their number of outputs",
        ),
        (np.zeros((2, 3, 4)), np.zeros(6), r"{name} must have shape \(2, 3\) or .* got \(6,\)\.$"),
        (np.zeros((2, 3, 4)), np.zeros((2, 4)), r"got \(2, 4\)\. Time must come .*np.swapaxes"),
        (np.zeros((2, 3, 4)), np.zeros((3, 2)), r"got \(3, 2\)\.$"),
        (FRAME, pd.Series(np.zeros(6)), "{name} has another index than X"),
        (FRAME, pd.Series(np.zeros(6), index=FRAME.index[::-1]), r"{name}.reindex\(X.index\)"),
        (FRAME, [np.zeros(2), np.zeros(4)], "{name} is a list of series, but X is a frame"),
        (np.zeros((7, 2)), [np.zeros(3), np.zeros(4)], "but X is an array of rows; .*X as a list"),
        (np.zeros((7, 2)), [np.zeros((3, 1)), np.zeros((4, 1))], "{name} is a list of series"),
    ],
)
def test_targets_in_another_container_or_length_are_refused(X, y, message):
    with pytest.raises(SequenceError, match=message.format(name="y")):
        LMSFilter().fit(X, y)
    fitted = LMSFilter().fit(np.ones((3, np.shape(as_series(X).rows)[1])), np.ones(3))
    with pytest.raises(SequenceError, match=message.format(name="y")):
        fitted.score(X, y)
    ones = np.ones(as_series(X).starts[-1])
    with pytest.raises(SequenceError, match=message.format(name="sample_weight")):
        fitted.score(X, as_series(X).restore(ones), y)


@pytest.mark.parametrize("groups", [None, [0, 0, 0, 1, 1, 1, 1]])
@pytest.mark.parametrize("n", [6, 8])
def test_targets_of_another_length_are_refused(n, groups):
    with pytest.raises(ValueError, match=f"X has 7 rows, y has {n}"):
        LMSFilter().fit(np.zeros((7, 2)), np.zeros(n), groups=groups)


def test_channels_before_time_are_recognised_where_they_show():
    f = LMSFilter().fit(np.ones((2, 9, 3)), np.ones((2, 9)))
    swapped = np.ones((2, 3, 9))
    with pytest.raises(SequenceError, match=r"shape \(2, 3, 9\).*size of axis 1.*np.swapaxes"):
        f.predict(swapped)
    with pytest.raises(ValueError, match="X has 9 features, but LMSFilter is expecting 3"):
        f.predict(np.ones((2, 5, 9)))
    assert f.predict(np.swapaxes(swapped, 1, 2)).shape == (2, 9)


# ---- NaN and infinity ----------------------------------------------------------------------------


def spoil(series, container, value, i=2, t=1, column=1):
    """Put `value` in series i, step t, of X and of y."""
    start = int(np.cumsum([0, *series.lengths])[i])
    bad_x, bad_y = series.rows.copy(), series.targets.copy()
    bad_x[start + t, column] = value
    bad_y[start + t, column] = value
    ends = np.cumsum(series.lengths)[:-1]
    spoilt_x, spoilt_y = (Series(series.lengths, series.n_outputs) for _ in range(2))
    spoilt_x.rows, spoilt_x.X = bad_x, np.split(bad_x, ends)
    spoilt_y.targets, spoilt_y.y = bad_y, np.split(bad_y, ends)
    return spoilt_x.given(container), spoilt_y.given(container)


@pytest.mark.parametrize(
    ("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)
@pytest.mark.parametrize("container", ["list", "panel", "frame", "int groups"])
def test_nan_and_infinity_are_placed_by_series_and_step(container, value, kind):
    series = Series(EQUAL, 2)
    place = "1 value.s., the first at series 2, time step 1, column 1"
    for name, (X, y, groups) in zip("Xy", spoil(series, container, value), strict=True):
        extra = {} if groups is None else {"groups": groups}
        with pytest.raises(ValueError, match=f"Input {name} contains {kind}: {place}"):
            LMSFilter(3).fit(X, y, **extra)
    (X, _, groups), _ = spoil(series, container, value)
    extra = {} if groups is None else {"groups": groups}
    f = LMSFilter(3).fit(series.given(container)[0], series.given(container)[1], **extra)
    with pytest.raises(ValueError, match=f"Input X contains {kind}: {place}"):
        f.predict(X, **extra)


def test_nan_in_one_series_is_placed_by_row():
    X, y = np.ones((9, 3)), np.ones((9, 2))
    bad = X.copy()
    bad[4, 2] = bad[7, 0] = np.nan
    with pytest.raises(ValueError, match=r"X contains NaN: 2 value.* first at row 4, column 2"):
        LMSFilter().fit(bad, y)
    with pytest.raises(ValueError, match=r"y contains NaN: 1 value.* first at row 4, column 1"):
        LMSFilter().fit(X, np.where(np.arange(18).reshape(9, 2) == 9, np.nan, y))


@pytest.mark.parametrize("value", [1e308, -1e308])
def test_large_numbers_whose_sum_overflows_are_no_infinity(value):
    assert NLMSFilter().fit([[1.0], [1.0], [1.0]], [value] * 3).coef_.shape == (1, 1)
