"""Grammars and long-lag tasks against their definitions."""

import re

import numpy as np
import pytest

from reservoir import datasets

# The automaton written out as a regular language: what may stand before and after each loop.
BOTTOM = r"T*V"
AFTER_X = rf"(?:X{BOTTOM}P)*(?:S|X{BOTTOM}V)"
REBER = re.compile(rf"^B(?:TS*X{AFTER_X}|P{BOTTOM}(?:V|P{AFTER_X}))E$")
EMBEDDED = re.compile(rf"^B(?:T{REBER.pattern[1:-1]}T|P{REBER.pattern[1:-1]}P)E$")


@pytest.mark.parametrize(("name", "language"), [("reber", REBER), ("embedded_reber", EMBEDDED)])
def test_strings_are_of_the_language(name, language):
    data = getattr(datasets, name)(500, random_state=0)
    assert all(language.match(string) for string in data.strings)
    for string, rows in zip(data.strings, data.X, strict=True):
        assert "".join(datasets.REBER_SYMBOLS[k] for k in rows.argmax(axis=1)) == string
        np.testing.assert_array_equal(rows.sum(axis=1), 1.0)


@pytest.mark.parametrize(("name", "mean"), [("reber", 8.0), ("embedded_reber", 12.0)])
def test_lengths_are_those_of_the_markov_chain(name, mean):
    """8 in the mean: the expected steps of the automaton solve a linear system."""
    lengths = np.array([len(s) for s in getattr(datasets, name)(8000, random_state=1).strings])
    assert lengths.min() == mean - 3
    np.testing.assert_allclose(lengths.mean(), mean, rtol=0, atol=4 * lengths.std() / 8000**0.5)


@pytest.mark.parametrize(("name", "language"), [("reber", REBER), ("embedded_reber", EMBEDDED)])
def test_legal_symbols_are_those_seen_after_the_same_beginning(name, language):
    """Exactly: every legal symbol follows that beginning somewhere, and no other ever does."""
    data = getattr(datasets, name)(5000, random_state=2)
    followers = {}
    for string in data.strings:
        for t in range(1, len(string)):
            followers.setdefault(string[:t], set()).add(string[t])
    checked = 0
    counts = {}
    for string in data.strings:
        for t in range(1, len(string)):
            counts[string[:t]] = counts.get(string[:t], 0) + 1
    for string, legal in zip(data.strings[:1000], data.legal[:1000], strict=True):
        assert legal.shape == (len(string), 7)
        assert not legal[-1].any()
        for t in range(1, len(string)):
            may = {datasets.REBER_SYMBOLS[k] for k in np.flatnonzero(legal[t - 1])}
            assert string[t] in may
            assert followers[string[:t]] <= may
            if counts[string[:t]] > 40:  # a missing follower would have probability 2^-40
                assert followers[string[:t]] == may
                checked += 1
    assert checked > 2000


def test_only_the_second_symbol_tells_the_last_but_one():
    data = datasets.embedded_reber(4000, random_state=3)
    second, last = (np.array([s[i] for s in data.strings]) for i in (1, -2))
    np.testing.assert_array_equal(second, last)
    before = np.array([s[2:-2] for s in data.strings])
    common = before == "BTXSE"
    assert common.sum() > 200
    assert abs((last[common] == "T").mean() - 0.5) < 0.1
    np.testing.assert_array_equal(
        [legal[-3].sum() for legal in data.legal], 1
    )  # and leaves one legal symbol


def test_adding_problem_adds_the_marked_numbers():
    X, y = datasets.adding_problem(5000, 30, random_state=0)
    assert X.shape == (5000, 30, 2)
    marks = X[:, :, 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    np.testing.assert_array_equal(marks[:, :15].sum(axis=1), 1)
    np.testing.assert_array_equal(marks[:, 15:].sum(axis=1), 1)
    np.testing.assert_allclose(y, (X[:, :, 0] * marks).sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(y.var(), 1 / 6, rtol=0.05)
    np.testing.assert_allclose(np.mean(np.abs(y - 1) > 0.04), 0.922, rtol=0, atol=0.015)
    assert len(set(marks[:, :15].argmax(axis=1))) == len(set(marks[:, 15:].argmax(axis=1))) == 15


def test_temporal_order_is_told_by_two_symbols():
    X, y = datasets.temporal_order(2000, random_state=0)
    seen = set()
    for x, label in zip(X, y, strict=True):
        string = "".join("abcdXYBE"[k] for k in x.argmax(axis=1))
        assert re.fullmatch(r"B[a-d]{9,19}[XY][a-d]{29,49}[XY][a-d]+E", string)
        assert "".join(re.findall("[XY]", string)) == label
        first, second = (match.start() for match in re.finditer("[XY]", string))
        seen |= {first, second}
        assert 100 <= len(string) <= 110
    assert seen == set(range(10, 21)) | set(range(50, 61))
    np.testing.assert_allclose(np.unique(y, return_counts=True)[1] / 2000, 0.25, atol=0.04)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("reber", {"n_strings": 0}, "n_strings"),
        ("embedded_reber", {"n_strings": 1.5}, "n_strings"),
        ("adding_problem", {"n_cases": 3, "n_timesteps": 1}, "n_timesteps"),
        ("temporal_order", {"n_cases": 3, "n_timesteps": 9}, "n_timesteps"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(datasets, name)(**arguments)


def test_same_seed_same_strings():
    assert datasets.reber(9, random_state=1).strings == datasets.reber(9, random_state=1).strings
    assert datasets.reber(9, random_state=1).strings != datasets.reber(9, random_state=2).strings
