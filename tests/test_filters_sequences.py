"""One answer for every container of series, given back in kind."""

import naive
import numpy as np
import pandas as pd
import pytest
from containers import ANY_LENGTHS, EQUAL, NAMES, UNEQUAL, Series
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from filters import LMSFilter, NLMSFilter, RLSFilter, TapDelay
from filters.timeseries import SequenceError, as_series


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
