"""One answer for every container of series, given back in kind; clear errors for the rest."""

import naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from filters import LMSFilter, NLMSFilter, RLSFilter, TapDelay
from filters.timeseries import SequenceError, as_series

UNEQUAL, EQUAL = (4, 7, 1, 9), (6, 6, 6)
NAMES = ["left", "right"]


class Series:
    """Three or four series with their targets, in whatever container is asked for."""

    def __init__(self, lengths, n_outputs, seed=0):
        rng = np.random.default_rng(seed)
        self.lengths, self.n_outputs = lengths, n_outputs
        self.X = [rng.standard_normal((n, 2)) for n in lengths]
        self.y = [rng.standard_normal((n, n_outputs)) for n in lengths]
        if n_outputs == 1:
            self.y = [part[:, 0] for part in self.y]
        self.rows, self.targets = np.concatenate(self.X), np.concatenate(self.y)

    def index(self):
        keys = [(f"s{9 - i}", t) for i, n in enumerate(self.lengths) for t in range(n)]
        return pd.MultiIndex.from_tuples(keys, names=["series", "time"])

    def ids(self):
        return np.repeat(np.arange(len(self.lengths))[::-1], self.lengths)

    def given(self, container):
        """Arguments X, y, groups."""
        frame = pd.DataFrame(self.rows, columns=NAMES)
        match container:
            case "list":
                return self.X, self.y, None
            case "tuple":
                return tuple(self.X), tuple(self.y), None
            case "nested lists":
                return [x.tolist() for x in self.X], [y.tolist() for y in self.y], None
            case "object array":
                X = np.empty(len(self.X), dtype=object)
                X[:] = self.X
                return X, self.y, None
            case "list of frames":
                return [pd.DataFrame(x, columns=NAMES) for x in self.X], self.y, None
            case "panel":
                return np.stack(self.X), np.stack(self.y), None
            case "frame":
                y = self.targets
                name = {"name": "target"} if self.n_outputs == 1 else {"columns": ["a", "b"]}
                kind = pd.Series if self.n_outputs == 1 else pd.DataFrame
                return frame.set_index(self.index()), kind(y, index=self.index(), **name), None
            case "frame, array targets":
                return frame.set_index(self.index()), self.targets, None
            case "int groups":
                return self.rows, self.targets, self.ids()
            case "text groups":
                return self.rows, self.targets, [f"s{i}" for i in self.ids()]
            case "pandas groups":
                return frame, self.targets, pd.Series(self.ids(), dtype="category")
        raise AssertionError(container)

    def check(self, container, answer, wanted):
        """`answer` holds the stacked numbers `wanted` in the container asked for."""
        ends = np.cumsum(self.lengths)[:-1]
        if container in ("list", "tuple", "nested lists", "object array", "list of frames"):
            assert isinstance(answer, list)
            for part, rows in zip(answer, np.split(wanted, ends), strict=True):
                np.testing.assert_array_equal(part, rows)
        elif container == "panel":
            assert isinstance(answer, np.ndarray)
            np.testing.assert_array_equal(answer, np.stack(np.split(wanted, ends)))
        elif container == "frame":
            pd.testing.assert_index_equal(answer.index, self.index())
            np.testing.assert_array_equal(answer.to_numpy(), wanted)
            if self.n_outputs == 1:
                assert answer.name == "target"
            else:
                assert list(answer.columns) == ["a", "b"]
        else:
            assert isinstance(answer, np.ndarray)
            np.testing.assert_array_equal(answer, wanted)


ANY_LENGTHS = [
    "list",
    "tuple",
    "nested lists",
    "object array",
    "list of frames",
    "frame",
    "frame, array targets",
    "int groups",
    "text groups",
    "pandas groups",
]


@pytest.mark.parametrize(
    ("container", "lengths"),
    [*((c, UNEQUAL) for c in ANY_LENGTHS), *((c, EQUAL) for c in [*ANY_LENGTHS, "panel"])],
    ids=lambda v: v if isinstance(v, str) else "unequal" if v == UNEQUAL else "equal",
)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("how", ["fit", "partial_fit"])
def test_every_container_gives_the_same_numbers_in_kind(container, lengths, n_outputs, how):
    series = Series(lengths, n_outputs)
    # One tap on explicit delay rows knows nothing of boundaries: they are in the rows.
    rows = np.concatenate([naive.delay_rows(x, 3) for x in series.X])
    plain = LMSFilter(step_size=0.05).fit(rows, series.targets)
    X, y, groups = series.given(container)
    extra = {} if groups is None else {"groups": groups}
    f = getattr(LMSFilter(3, step_size=0.05), how)(X, y, **extra)
    np.testing.assert_allclose(f.coef_.ravel(), plain.coef_.ravel(), rtol=0, atol=1e-13)
    answer = f.predict(X, **extra)
    stacked = np.concatenate([f.predict(x) for x in one_by_one(f, series)])
    np.testing.assert_allclose(stacked, plain.predict(rows), rtol=0, atol=1e-12)
    series.check(container, answer, stacked)


def one_by_one(f, series):
    """Each series on its own, with column names if the filter was fitted with them."""
    named = hasattr(f, "feature_names_in_")
    return [pd.DataFrame(x, columns=NAMES) if named else x for x in series.X]


@pytest.mark.parametrize("make", [LMSFilter, NLMSFilter, RLSFilter])
def test_weights_go_on_from_series_to_series_and_delay_lines_do_not(make):
    series = Series(UNEQUAL, 1)
    together, by_hand = make(3).fit(series.X, series.y), make(3)
    for x, y in zip(series.X, series.y, strict=True):
        by_hand.clear_history().partial_fit(x, y)
    np.testing.assert_array_equal(together.coef_, by_hand.coef_)
    assert together.n_samples_seen_ == sum(UNEQUAL)
    # After stated series the delay line is empty, whatever comes next.
    x, y = series.X[1], series.y[1]
    by_hand.clear_history()
    np.testing.assert_array_equal(together.partial_fit(x, y).coef_, by_hand.partial_fit(x, y).coef_)


@pytest.mark.parametrize("container", ["list", "panel", "frame", "int groups"])
def test_transformers_give_series_back_in_kind(container):
    series = Series(EQUAL, 2)
    X, _, groups = series.given(container)
    extra = {} if groups is None else {"groups": groups}
    delay = TapDelay(3)
    answer = delay.fit(X, **extra).transform(X, **extra)
    wanted = np.concatenate([TapDelay(3).fit_transform(x) for x in series.X])
    if container == "frame":
        assert list(answer.columns) == [n + s for s in ("", "_lag1", "_lag2") for n in NAMES]
        answer.columns = ["a", "b", *answer.columns[2:]]
        pd.testing.assert_index_equal(answer.index, series.index())
        np.testing.assert_array_equal(answer.to_numpy(), wanted)
    else:
        series.check(container, answer, wanted)


@pytest.mark.parametrize("container", ["list", "panel", "frame", "int groups"])
def test_score_takes_every_container(container):
    series = Series(EQUAL, 1)
    X, y, groups = series.given(container)
    extra = {} if groups is None else {"groups": groups}
    f = LMSFilter(3, step_size=0.05).fit(X, y, **extra)
    pred = np.concatenate([f.predict(x) for x in one_by_one(f, series)])
    wanted = 1 - np.sum((series.targets - pred) ** 2) / np.sum(
        (series.targets - series.targets.mean()) ** 2
    )
    np.testing.assert_allclose(f.score(X, y, **extra), wanted, rtol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    n_outputs=st.integers(1, 2),
    container=st.sampled_from([c for c in ANY_LENGTHS if c != "pandas groups"]),
)
def test_restore_undoes_stacking(lengths, n_outputs, container):
    series = Series(lengths, n_outputs)
    X, y, groups = series.given(container)
    stacked = as_series(X, groups=groups)
    np.testing.assert_array_equal(stacked.starts, np.cumsum([0, *lengths]))
    np.testing.assert_array_equal(stacked.lengths, lengths)
    np.testing.assert_array_equal(np.asarray(stacked.rows, dtype=float), series.rows)
    assert stacked.bounded
    assert stacked.n_series == len(lengths)
    assert list(stacked.spans()) == [
        (int(b) - n, int(b)) for n, b in zip(lengths, np.cumsum(lengths), strict=True)
    ]
    aligned = np.asarray(stacked.align(y))
    np.testing.assert_array_equal(aligned, series.targets)
    back = stacked.restore(aligned)
    if container.startswith("frame"):
        pd.testing.assert_index_equal(back.index, series.index())
        back = back.to_numpy()
    parts = np.concatenate(back) if isinstance(back, list) else back
    np.testing.assert_array_equal(parts, series.targets)


def test_one_series_stays_as_it_is():
    X = np.zeros((5, 2))
    for rows in (X, X.tolist(), pd.DataFrame(X), sparse.csr_matrix(X)):
        stacked = as_series(rows)
        assert (stacked.container, stacked.bounded) == ("rows", False)
        np.testing.assert_array_equal(stacked.starts, [0, 5])
        assert stacked.restore(X) is X


def test_a_list_of_equally_long_vectors_is_a_table_and_a_ragged_one_is_not():
    assert as_series([np.zeros(3), np.ones(3)]).container == "rows"
    with pytest.raises(SequenceError, match=r"series 0 has shape \(3,\). Use x.reshape\(-1, 1\)"):
        as_series([np.zeros(3), np.ones(4)])


def test_a_series_with_two_index_levels_is_one_feature():
    series = Series(UNEQUAL, 1)
    column = pd.Series(series.rows[:, 0], index=series.index(), name="left")
    stacked = as_series(column)
    np.testing.assert_array_equal(stacked.starts, np.cumsum([0, *UNEQUAL]))
    assert list(stacked.rows.columns) == ["left"]
    y = pd.Series(series.targets, index=series.index())
    answer = LMSFilter(3).fit(column, y).predict(column)
    pd.testing.assert_index_equal(answer.index, column.index)


def test_inputs_are_not_modified():
    series = Series(EQUAL, 2)
    for container in ("list", "panel", "frame", "int groups", "list of frames"):
        X, y, groups = series.given(container)
        kept = [repr(X), repr(y), repr(groups)]
        for part in [*(X if container == "list" else []), *(y if container == "list" else [])]:
            part.flags.writeable = False
        extra = {} if groups is None else {"groups": groups}
        LMSFilter(3).fit(X, y, **extra).predict(X, **extra)
        assert [repr(X), repr(y), repr(groups)] == kept


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
