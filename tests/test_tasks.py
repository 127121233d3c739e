"""The scripts that set models against each other on a task: their protocols at small size."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from filters import TapDelay
from reservoir import MemoryRegressor
from reservoir.baselines import RNNRegressor

SCRIPTS = Path(__file__).resolve().parents[1] / "examples" / "benchmarks"
sys.path.append(str(SCRIPTS))

import contest  # noqa: E402
import fan_acceleration  # noqa: E402
import forecasting  # noqa: E402
import imputation  # noqa: E402
import next_character  # noqa: E402
import sentences  # noqa: E402

# ---- the contest ------------------------------------------------------------------------------


def test_contest_ranks_by_the_median_and_says_where_seeds_overlap():
    entries = {
        "a": (0.3, [0.2, 0.3, 0.4], 10, 2.0),
        "b": (0.2, [0.1, 0.2, 0.25], 5, 1.0),
        "c": (0.9, [0.8, 0.9, 1.0], 20, 0.5),
    }
    said = contest.verdict(entries)
    assert said.startswith("First: b, 0.2000. Then a 0.3000 (seeds overlap) with 2x the numbers")
    assert "c 0.9000 with 4x the numbers and 0.5x the seconds" in said
    assert contest.verdict(entries, -1).startswith("First: c, 0.9000. Then a 0.3000 with 0.5x")


def test_contest_counts_what_training_set():
    X, y = np.random.default_rng(0).standard_normal((40, 3)), np.zeros((40, 2))
    assert contest.n_trained(Ridge().fit(X, y)) == 2 * 3 + 2
    assert contest.n_trained(MemoryRegressor(TapDelay(4)).fit(X, y)) == 2 * 12 + 2
    net = RNNRegressor("lstm", (5,), head_sizes=(4,), max_iter=0).fit(X, y)
    assert contest.n_trained(net) == 4 * 5 * (3 + 5 + 1) + 4 * (5 + 1) + 2 * (4 + 1)


# ---- next character ---------------------------------------------------------------------------


def test_next_character_ngrams_are_witten_and_bells():
    text = "abracadabra, abracadabra! a bar and a cad; a crab, a brad."
    symbols, codes = next_character.encode(text)
    cut = 40

    def probability(history, c):
        if history is None:
            return 1 / symbols.size
        followers = Counter(
            text[i + len(history)]
            for i in range(cut - len(history))
            if text[i : i + len(history)] == history
        )
        lower = probability(history[1:] if history else None, c)
        if not followers:
            return lower
        total = sum(followers.values()) + len(followers)
        return (followers[c] + len(followers) * lower) / total

    expected = -np.mean(
        [np.log2(probability(text[i - 2 : i], text[i])) for i in range(cut, len(text))]
    )
    found, _ = next_character.ngram_bits(codes, cut, symbols.size, 3)
    assert found == pytest.approx(expected, rel=1e-12)


def test_next_character_log_linear_scores_every_character_of_the_test(monkeypatch):
    monkeypatch.setattr(next_character, "CHUNK", 150)  # the test part takes several
    text = "the cat sat on the mat and the rat ran at the cat. " * 30
    symbols, codes = next_character.encode(text)
    cut, scored = codes.size - 333, []
    monkeypatch.setattr(
        next_character, "bits", lambda said, then: scored.append((said.shape, then.size)) or 1.0
    )
    next_character.log_linear(TapDelay(2), codes, cut, symbols.size, 0)
    assert scored == [((333, symbols.size), 333)]


# ---- vibration --------------------------------------------------------------------------------


def test_fan_tests_only_unseen_runs_on_the_pieces_after_the_context():
    runs = [np.full((3000, 1), float(i)) + np.arange(3000)[:, np.newaxis] for i in range(20)]
    train, test = fan_acceleration.split(runs, 0)
    assert (len(train), len(test)) == (10, 10)
    first = fan_acceleration.PIECE * fan_acceleration.STEPS
    asked = fan_acceleration.asked(test)
    assert asked.shape == (10 * 5, 100)
    np.testing.assert_array_equal(asked[0], test[0][first : first + 100])


# ---- forecasting ------------------------------------------------------------------------------


def test_forecasting_choice_never_sees_the_test():
    problem = forecasting.PROBLEMS[0]
    spoiled = problem.series.copy()
    spoiled[problem.cut :] = 1e6
    changed = forecasting.Problem(**{**vars(problem), "series": spoiled})
    make, _ = forecasting.contestants(problem)["linear autoregression"]
    chosen = [p.choose(make(0)).get_params() for p in (problem, changed)]
    assert str(chosen[0]) == str(chosen[1])


# ---- imputation -------------------------------------------------------------------------------


def test_imputation_models_do_not_see_what_is_missing():
    signal = np.sin(np.arange(4000) / 7.0)
    part = imputation.Gappy(signal, (10, 30), [0, 0])
    assert part.missing.mean() == pytest.approx(imputation.MISSING, abs=0.06)
    other = np.where(part.missing, 99.0, signal)
    seen = imputation.Gappy(other, (10, 30), [0, 0])
    np.testing.assert_array_equal(seen.rows, part.rows)
    lengths = np.diff(np.flatnonzero(np.diff(part.missing.astype(int))))[::2]
    assert lengths.min() >= 10
    assert lengths.max() <= 30


# ---- sentences --------------------------------------------------------------------------------


def test_sentences_tags_follow_from_the_whole_sentence_only():
    rng = np.random.default_rng(0)
    for _ in range(200):
        words, tags = sentences.sentence(rng)
        when = next(word for word in words if word in sentences.WHEN)
        for i, (word, tag) in enumerate(zip(words, tags, strict=True)):
            if word in sentences.VERBS:
                assert tag == sentences.WHEN[when]
            if word in sentences.BOTH:
                follows = tags[i + 1] if i + 1 < len(tags) else None
                assert tag == ("adjective" if follows in ("adjective", "noun") else "noun")


def test_sentences_own_label_has_no_part_in_the_weights_of_a_training_sentence():
    train = ["good film", "bad film", "fine film", "poor film", "good plot", "bad plot"] * 10
    labels = np.array([True, False] * 30)
    vectors = dict.fromkeys(set(" ".join(train).split()), np.zeros(sentences.N_RANDOM))
    rows, test = sentences.as_rows(train, labels, ["good film", "bad film"], vectors)
    assert rows[0].shape == (2, 1 + sentences.N_RANDOM)
    assert test[0][0, 0] > 0 > test[1][0, 0]
    labels[7] = True
    changed, changed_test = sentences.as_rows(train, labels, ["good film", "bad film"], vectors)
    np.testing.assert_array_equal(changed[7], rows[7])
    assert changed_test[1][0, 0] != test[1][0, 0]
