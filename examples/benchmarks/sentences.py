"""Sentences: is it praise, and which word is what? Recurrent networks, reservoirs, linear models.

Sentiment: the first three of ten folds of `load_sentence_polarity`. The linear model counts words
(tf-idf, one and two words). Networks read the sentence word by word, each word being a fixed random
vector and the weight that a linear model of the training part gives it (for a training sentence, a
model of the other sentences). Tagging: a seeded grammar where "light" is an adjective before a noun
and a noun else, and "read" is past or present by an adverb that opens or closes the sentence: what
comes after matters. Run with ``python examples/benchmarks/sentences.py [--out FILE.md]``; about
four minutes. The sentences are fetched once; without them only the grammar is done, and the sheet
says so.
"""

import numpy as np
from contest import Contest
from sheet import parse_out
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from filters.timeseries import delay_embed
from reservoir import ESNSequenceClassifier, Reservoir
from reservoir.baselines import RNNClassifier, RNNSequenceClassifier
from reservoir.datasets import load_sentence_polarity

FOLDS, SEEDS, N_SENTENCES = (0, 1, 2), (0, 1, 2), 600
N_RANDOM = 24  # entries of the random vector of a word
READER = {"bidirectional": True, "learning_rate": 3e-3, "batch_size": 64, "tol": None}
TAGGER = {"learning_rate": 0.01, "batch_size": 16, "max_iter": 15, "tol": None}

# ---- sentiment --------------------------------------------------------------------------------


def split_words(text):
    return text.split()


def bag_of_words(ngrams=(1, 2)):
    words = TfidfVectorizer(
        tokenizer=split_words, token_pattern=None, ngram_range=ngrams, sublinear_tf=True, min_df=2
    )
    return make_pipeline(words, LogisticRegression(C=4.0, max_iter=300))


def word_weights(sentences, labels):
    """``{word: weight}`` of a linear model of single words."""
    model = bag_of_words((1, 1)).fit(sentences, labels)
    weights = model[-1].coef_[0] * model[0].idf_
    return dict(zip(model[0].get_feature_names_out(), weights / weights.std(), strict=True))


def rows_of(sentence, weights, vectors):
    """A row a word: its weight, its random vector."""
    words = sentence.split()
    known = np.array([[weights.get(word, 0.0)] for word in words])
    return np.hstack([known, [vectors[word] for word in words]]).astype(np.float32)


def as_rows(train, labels, test, vectors):
    """Sentences as rows; no training sentence had a part in the weights of its own words."""
    rows = [None] * len(train)
    for others, part in KFold(5, shuffle=True, random_state=0).split(train):
        weights = word_weights([train[i] for i in others], labels[others])
        for i in part:
            rows[i] = rows_of(train[i], weights, vectors)
    weights = word_weights(train, labels)
    return rows, [rows_of(sentence, weights, vectors) for sentence in test]


def sentiment(sheet, sentences, positive):
    rng = np.random.default_rng(0)
    vectors = {
        word: rng.normal(0.0, 0.3, N_RANDOM) for word in sorted(set(" ".join(sentences).split()))
    }
    folds = list(StratifiedKFold(10, shuffle=True, random_state=0).split(sentences, positive))
    parts = {}
    for fold in FOLDS:
        train, test = folds[fold]
        texts = [sentences[i] for i in train], [sentences[i] for i in test]
        rows = as_rows(texts[0], positive[train], texts[1], vectors)
        parts[fold] = (texts, rows, positive[train], positive[test])

    def enter(name, make, form):
        def play(fold):
            data, y_train, y_test = parts[fold][form], *parts[fold][2:]
            model = make(fold).fit(data[0], y_train)
            return float(np.mean(model.predict(data[1]) == y_test)), model

        sheet.enter(name, play, FOLDS)

    def summed(rows):
        return np.array([[r[:, 0].sum(), r[:, 0].mean()] for r in rows])

    def sum_of_weights(fold):
        _, (train, test), y_train, y_test = parts[fold]
        model = LogisticRegression().fit(summed(train), y_train)
        return model.score(summed(test), y_test), model

    enter("words and pairs, logistic", lambda _: bag_of_words(), 0)
    sheet.enter("sum of the word weights, logistic", sum_of_weights, FOLDS)
    enter(
        "reservoir",
        lambda fold: ESNSequenceClassifier(
            300, leak_rate=0.3, input_scaling=0.3, include_input=True, random_state=fold
        ),
        1,
    )
    for cell in ("gru", "lstm"):
        enter(
            cell.upper(),
            lambda fold, cell=cell: RNNSequenceClassifier(
                cell, (24,), **READER, max_iter=3, random_state=fold
            ),
            1,
        )
    sheet.close("Praise or not: share of right answers", lower_wins=False)


# ---- tagging ----------------------------------------------------------------------------------

BOTH = ("light", "cold", "green", "back", "square", "plain")  # adjective or noun
ADJECTIVES, NOUNS = ("old", "small", "red"), ("dog", "house", "road", "child")
VERBS = ("read", "put", "cut", "hit", "set", "let")  # past and present alike
WHEN = {"yesterday": "past", "once": "past", "today": "present", "now": "present"}
WORDS = ("the", "a", *BOTH, *ADJECTIVES, *NOUNS, *VERBS, *WHEN)
TAGS = ("determiner", "adjective", "noun", "past", "present", "adverb")


def noun_phrase(rng):
    """Words and tags: a determiner, none to three adjectives, a noun."""
    words, tags = [str(rng.choice(["the", "a"]))], ["determiner"]
    for _ in range(rng.integers(0, 4)):
        words.append(str(rng.choice(BOTH if rng.random() < 0.6 else ADJECTIVES)))
        tags.append("adjective")
    words.append(str(rng.choice(BOTH if rng.random() < 0.5 else NOUNS)))
    return words, [*tags, "noun"]


def sentence(rng):
    """Subject, verb, object, and an adverb of time that opens or closes the sentence."""
    when = str(rng.choice(list(WHEN)))
    (subject, before), (thing, after) = noun_phrase(rng), noun_phrase(rng)
    words = [*subject, str(rng.choice(VERBS)), *thing]
    tags = [*before, WHEN[when], *after]
    if rng.random() < 0.5:
        return [when, *words], ["adverb", *tags]
    return [*words, when], [*tags, "adverb"]


def text(n_sentences, seed):
    """One-hot rows, tags and which words have two readings, sentence by sentence."""
    rng = np.random.default_rng(seed)
    drawn = [sentence(rng) for _ in range(n_sentences)]
    number = {word: i for i, word in enumerate(WORDS)}
    rows = [np.eye(len(WORDS), dtype=np.float32)[[number[w] for w in words]] for words, _ in drawn]
    tags = [np.array(tags) for _, tags in drawn]
    unclear = np.concatenate([np.isin(words, BOTH + VERBS) for words, _ in drawn])
    return rows, tags, unclear


def around(rows, reach):
    """Rows from `reach` before to as many after, beyond the sentence zeros."""
    ends = np.zeros((reach, rows.shape[1]), np.float32)
    return delay_embed(np.concatenate([rows, ends]), 2 * reach + 1)[reach:]


def tagging(sheet):
    def enter(name, play):
        def scored(seed):
            train, test = text(N_SENTENCES, [seed, 0]), text(N_SENTENCES, [seed, 1])
            found, model = play(train, test, seed)
            return float(np.mean((found == np.concatenate(test[1]))[test[2]])), model

        sheet.enter(name, scored, SEEDS)

    def window(reach):
        def play(train, test, _):
            X, X_test = (np.concatenate([around(r, reach) for r in t[0]]) for t in (train, test))
            model = LogisticRegression(max_iter=500).fit(X, np.concatenate(train[1]))
            return model.predict(X_test), model

        return play

    def reservoir(train, test, seed):
        settings = {"leak_rate": 0.6, "bias_scaling": 0.2, "random_state": seed}
        memory = Reservoir(200, **settings).fit(train[0])

        def both_ways(rows):
            left = memory.transform(rows)
            right = [r[::-1] for r in memory.transform([r[::-1] for r in rows])]
            return np.hstack([np.concatenate(s) for s in (left, right, rows)])

        model = RidgeClassifier(0.1).fit(both_ways(train[0]), np.concatenate(train[1]))
        return model.predict(both_ways(test[0])), model

    def recurrent(bidirectional):
        def play(train, test, seed):
            net = RNNClassifier(
                "gru", (24,), bidirectional=bidirectional, **TAGGER, random_state=seed
            )
            net.fit(train[0], train[1])
            return np.concatenate(net.predict(test[0])), net

        return play

    enter("the word alone, logistic", window(0))
    enter("two words each way, logistic", window(2))
    enter("six words each way, logistic", window(6))
    enter("reservoir, both ways", reservoir)
    enter("GRU, forward only", recurrent(False))
    enter("GRU, both ways", recurrent(True))
    sheet.close("Tags of the words with two readings: share of right answers", lower_wins=False)


def main():
    out = parse_out(__doc__)
    sheet = Contest("Sentences", "share of right answers on unseen sentences", "float32 rows")
    sheet.say(
        f"Sentiment: folds {FOLDS} of ten, networks of 24 units each way, 3 epochs, {READER}.",
        f"Tagging: {N_SENTENCES} sentences to train on and as many to test, GRU {TAGGER}.",
        "",
    )
    tagging(sheet)
    try:
        data = load_sentence_polarity()
    except FileNotFoundError as error:
        sheet.say(f"Without the sentiment, whose sentences are not here: {error}", "")
    else:
        sentiment(sheet, data.sentences, data.positive)
    sheet.finish(out)


if __name__ == "__main__":
    main()
