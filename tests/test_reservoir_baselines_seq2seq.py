"""Encoder and decoder: a naive twin, central differences through both, endings, learning."""

import pickle
from types import SimpleNamespace

import naive_cells
import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.base import clone

from filters.timeseries import DivergenceError
from reservoir.baselines import Seq2Seq

CELLS = ["elman", "lstm", "peephole_lstm", "gru"]
LABELS = {"task": "classification"}


def inputs(lengths=(4, 1, 6), n_features=2, seed=0):
    rng = np.random.RandomState(seed)
    return [rng.randn(n, n_features) for n in lengths], rng


def numbers(rng, lengths=(2, 5, 3), n_outputs=2):
    return [rng.randn(n, n_outputs) for n in lengths]


def view(net, weights, bidirectional=False):
    """One of the two networks as the naive cells take it."""
    own = {k: v for k, v in vars(net).items() if k.endswith("_") and k != "classes_"}
    own |= {"cell": net.cell, "activation": net.activation, "bidirectional": bidirectional}
    return SimpleNamespace(**own | {"weights_": weights, "skip_connections": net.skip_connections})


def naive_states(net, x):
    """What the decoder begins with: of two directions h forward, h backward, and so for c."""
    states = naive_cells.columns(view(net, net.encoder_weights_, net.bidirectional), x)[1]
    if not net.bidirectional:
        return states
    ahead, back = states[::2], states[1::2]
    return [
        tuple(np.concatenate([f[k], b[k]]) for k in range(len(f)))
        for f, b in zip(ahead, back, strict=True)
    ]


def naive_outputs(net, x, n_steps, forced=None):
    """Outputs of the decoder, fed with row s - 1 of `forced`, or its own output where NaN."""
    decoder = view(net, net.weights_)
    states = naive_states(net, x)
    fed = np.zeros(net.output_bias_.size) if net.start is None else np.asarray(net.start, float)
    outputs = []
    for s in range(n_steps):
        row, states = naive_cells.columns(decoder, fed[np.newaxis], states)
        y = naive_cells.head(decoder, row[0])
        outputs.append(y)
        fed = np.eye(y.size)[y.argmax()] if net.task == "classification" else y
        if forced is not None and not np.isnan(forced[s]).any():
            fed = forced[s]
    return np.array(outputs)


def started(cell, X, Y, sizes=(3,), **params):
    """Trained a little, with outputs large enough that what is fed back matters."""
    net = Seq2Seq(cell, sizes, max_iter=2, random_state=0, **params).fit(X, Y)
    net.output_weights_ *= 2.0
    return net


def cells(layers):
    """The dicts of a list over layers of dicts, or of pairs of them."""
    return [w for layer in layers for w in (layer if isinstance(layer, tuple) else (layer,))]


def flat(net):
    parts = [v for w in cells([*net.encoder_weights_, *net.weights_]) for v in w.values()]
    return np.concatenate([p.ravel() for p in (*parts, net.output_weights_, net.output_bias_)])


# ---- outputs and gradients ---------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"bidirectional": True},
        {"sizes": (3, 2), "skip_connections": True, "head_sizes": (4,), "start": [0.3, -1.0]},
        {"sizes": (3, 2), "skip_connections": True, "bidirectional": True},
    ],
)
def test_numbers_are_those_of_the_naive_twin(cell, params):
    X, rng = inputs()
    net = started(cell, X, numbers(rng), **params)
    for length, steps in ((None, [5, 5, 5]), (3, [3, 3, 3]), ([1, 6, 2], [1, 6, 2])):
        answers = net.predict(X, length=length)
        for x, n, answer in zip(X, steps, answers, strict=True):
            expected = naive_outputs(net, x, n)
            np.testing.assert_allclose(answer, expected, rtol=1e-11, atol=1e-13)
    states = [naive_states(net, x) for x in X]
    expected = [np.concatenate([part for state in s for part in state]) for s in states]
    np.testing.assert_allclose(net.transform(X), expected, rtol=1e-12, atol=1e-14)
    assert len(net.get_feature_names_out()) == len(expected[0])


@pytest.mark.parametrize("cell", CELLS)
def test_labels_are_the_greedy_ones_of_the_naive_twin(cell):
    X, _ = inputs()
    net = started(cell, X, ["ab", "cabca", "bbc"], **LABELS)
    for x, answer in zip(X, net.predict(X), strict=True):
        best = naive_outputs(net, x, 5).argmax(axis=1)
        assert answer == "".join(net.classes_[best])


def forced_rows(net, targets, share):
    """What is fed, as the docstring of loss_and_gradients draws it."""
    stacked = np.concatenate(targets)
    free = np.isnan(stacked).any(axis=1)
    if share < 1:
        free |= np.random.RandomState(0).uniform(size=len(stacked)) >= share
    stacked = np.where(free[:, np.newaxis], np.nan, stacked)
    return np.split(stacked, np.cumsum([len(t) for t in targets])[:-1])


def assert_all_gradients(net, value, gradients):
    """Every array of both networks against central differences."""
    pairs = [(getattr(net, f"{k}_"), gradients[k], k) for k in ("output_weights", "output_bias")]
    for k in ("encoder_weights", "weights"):
        layers = zip(cells(getattr(net, f"{k}_")), cells(gradients[k]), strict=True)
        for layer, gradient in layers:
            pairs += [(layer[name], gradient[name], f"{k} {name}") for name in layer]
    for k in ("head_weights", "head_biases"):
        pairs += [
            (a, g, k) for a, g in zip(getattr(net, f"{k}_", []), gradients.get(k, []), strict=True)
        ]
    for array, gradient, name in pairs:
        expected = naive_cells.central_difference(value, array)
        scale = np.abs(expected).max()
        assert scale > 0, name
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-7 * scale, err_msg=name)


BOTH_WAYS = {"bidirectional": True}


@pytest.mark.parametrize(
    ("cell", "share", "params"),
    [
        *((cell, share, {}) for cell in ("lstm", "gru") for share in (1.0, 0.5, 0.0)),
        *((cell, 0.5, BOTH_WAYS) for cell in CELLS),
        *((cell, 1.0, BOTH_WAYS) for cell in CELLS),
        ("lstm", 0.0, BOTH_WAYS),
        ("elman", 0.5, {**BOTH_WAYS, "head_sizes": (5,)}),
        ("gru", 0.5, {**BOTH_WAYS, "sizes": (2, 1), "skip_connections": True}),
        ("peephole_lstm", 0.5, {**BOTH_WAYS, "sizes": (1, 2)}),
    ],
)
def test_gradients_of_numbers_are_central_differences(cell, share, params):
    X, rng = inputs()
    Y, weight = numbers(rng), np.array([1.0, 2.0, 0.5])
    Y[1][2] = np.nan  # an unlabelled step is not learned, and never fed
    net = started(cell, X, Y, **{"sizes": (2,), "teacher_forcing": share} | params)
    loss, gradients = net.loss_and_gradients(X, Y, sample_weight=weight)
    forced = forced_rows(net, Y, share)
    errors = [
        np.square(naive_outputs(net, x, len(y), f) - y).mean(axis=1)
        for x, y, f in zip(X, Y, forced, strict=True)
    ]
    known = ~np.isnan(np.concatenate(errors))
    weights = np.repeat(weight, [len(y) for y in Y])[known]
    expected = np.average(np.concatenate(errors)[known], weights=weights)
    np.testing.assert_allclose(loss, expected, rtol=1e-11)

    def value():
        return net.loss_and_gradients(X, Y, sample_weight=weight)[0]

    assert_all_gradients(net, value, gradients)
    if share < 1:
        net.set_params(teacher_forcing=1.0)
        assert abs(value() - loss) > 1e-4


@pytest.mark.parametrize("share", [True, 0.5])
def test_gradients_of_labels_are_central_differences(share):
    """At fixed feedback: where a label flips the loss jumps, and there it has no derivative."""
    X, _ = inputs()
    Y = ["ab", "cabca", "bbc"]
    params = {"teacher_forcing": share, "end": "$", "start": "a", "head_sizes": (3,)}
    net = started("elman", X, Y, sizes=(2, 2), l1=0.01, l2=0.02, **LABELS, **params)
    loss, gradients = net.loss_and_gradients(X, Y)
    codes = [np.searchsorted(net.classes_, list(y + "$")) for y in Y]
    forced = forced_rows(net, [np.eye(4)[c] for c in codes], float(share))
    net.start = np.eye(4)[np.searchsorted(net.classes_, "a")]
    chosen = [
        log_softmax(naive_outputs(net, x, len(c), f), axis=1)[np.arange(len(c)), c]
        for x, c, f in zip(X, codes, forced, strict=True)
    ]
    net.start = "a"
    kept = [v for w in (*net.encoder_weights_, *net.weights_) for k, v in w.items() if k != "bias"]
    kept += [*net.head_weights_, net.output_weights_]
    penalty = sum(0.01 * np.abs(w).sum() + 0.01 * np.square(w).sum() for w in kept)
    np.testing.assert_allclose(loss, penalty - np.concatenate(chosen).mean(), rtol=1e-11)
    assert_all_gradients(net, lambda: net.loss_and_gradients(X, Y)[0], gradients)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_saliency_of_an_answer_is_a_central_difference(bidirectional):
    X, rng = inputs()
    net = started("lstm", X, numbers(rng), bidirectional=bidirectional)
    got = net.input_saliency(X, output=1, step=3)
    for x, gradient in zip(X, got, strict=True):
        moved = x.copy()
        expected = naive_cells.central_difference(
            lambda: net.predict([moved])[0][3, 1],  # noqa: B023
            moved,
        )
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-9)
        assert np.abs(expected).max() > 1e-5
    with pytest.raises(ValueError, match=r"step=5 .*case 0 has 5 step\(s\)"):
        net.input_saliency(X, step=5)


# ---- batches, lengths, endings -----------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True])
def test_neighbours_do_not_change_an_answer(bidirectional):
    X, rng = inputs((4, 1, 6, 3, 5))
    Y = numbers(rng, (2, 5, 3, 1, 4))
    net = started("gru", X, Y, batch_size=2, bidirectional=bidirectional)
    together = net.predict(X)
    for x, answer in zip(X, together, strict=True):
        np.testing.assert_allclose(answer, net.predict([x])[0], rtol=1e-11, atol=1e-13)
    weights = [np.arange(5) == i for i in range(5)]
    losses = [net.loss_and_gradients(X, Y, sample_weight=w)[0] for w in weights]
    alone = [net.loss_and_gradients([x], [y])[0] for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(losses, alone, rtol=1e-11)


def test_weights_count_like_repetitions_of_pairs():
    X, rng = inputs()
    Y, times = numbers(rng), [2, 0, 3]
    params = {"max_iter": 3, "random_state": 0}
    weighted = Seq2Seq("lstm", (3,), **params).fit(X, Y, sample_weight=times)
    order = np.repeat(np.arange(3), times)
    repeated = Seq2Seq("lstm", (3,), **params).fit([X[i] for i in order], [Y[i] for i in order])
    np.testing.assert_allclose(flat(weighted), flat(repeated), rtol=1e-9)


def test_an_answer_ends_with_its_end_or_its_length():
    X, _ = inputs((3, 3, 3, 3))
    Y = [[1, 2], [3], [], [2, 2, 3]]
    net = Seq2Seq("elman", (3,), **LABELS, end=0, max_iter=1, random_state=0).fit(X, Y)
    assert net.classes_.tolist() == [0, 1, 2, 3]
    other = Seq2Seq("elman", (3,), **LABELS, end=0, max_iter=1, random_state=0)
    other.fit(X, [[*y, 0] for y in Y])  # given already
    np.testing.assert_array_equal(flat(net), flat(other))
    net.output_bias_[:] = [-99, 0, 99, 0]  # never ends
    assert [a.tolist() for a in net.predict(X[:1])] == [[2] * 4]  # the longest, its end included
    assert [a.tolist() for a in net.predict(X[:2], length=[2, 7])] == [[2] * 2, [2] * 7]
    assert net.set_params(max_length=3).predict(X[:1])[0].tolist() == [2] * 3
    net.output_bias_[:] = [99, 0, 0, 0]  # ends at once
    assert net.predict(X[:1])[0].tolist() == []
    with pytest.raises(ValueError, match="length must be"):
        net.predict(X, length=[1, 2])
    with pytest.raises(ValueError, match="length must be"):
        net.predict(X, length=0)


def test_sequences_come_back_as_they_were_given():
    X, rng = inputs()
    one = [y[:, 0] for y in numbers(rng)]
    assert {a.ndim for a in Seq2Seq("gru", (2,), max_iter=1).fit(X, one).predict(X)} == {1}
    net = Seq2Seq("gru", (2,), max_iter=1).fit([x.astype(np.float32) for x in X], numbers(rng))
    assert {a.dtype for a in net.predict([x.astype(np.float32) for x in X])} == {np.dtype("f4")}
    assert net.weights_[0]["input"].dtype == net.encoder_weights_[0]["input"].dtype == np.float32
    panel = rng.randn(3, 4, 2)
    net.fit(panel, rng.randn(3, 5))  # 2-D: one output a step
    assert [a.shape for a in net.predict(panel)] == [(5,)] * 3
    assert net.input_saliency(panel).shape == (3, 4, 2)
    assert net.fit(panel[:, :, 0], rng.randn(3)).input_saliency(panel[:, :, 0]).shape == (3, 4)
    strings = Seq2Seq("gru", (2,), max_iter=1, **LABELS).fit(X, ["ab", "ba", "a"])
    assert all(isinstance(answer, str) for answer in strings.predict(X))


@pytest.mark.parametrize(
    ("params", "Y", "message"),
    [
        ({"end": 1.0}, [[1.0], [2.0], [3.0]], "numbers have no end"),
        ({"start": [1.0, 2.0]}, [[1.0], [2.0], [3.0]], "1 finite number"),
        (LABELS | {"start": "z"}, ["a", "b", "a"], "start='z' is not among"),
        (LABELS, ["a", "", "b"], "is empty"),
        ({}, [[1.0], [], [3.0]], "not empty"),
        ({}, [[1.0], [[1.0, 2.0]], [3.0]], "differ in their number of outputs"),
        ({}, [[1.0], ["x"], [3.0]], r"y\[1\] must hold numbers"),
        ({}, [[1.0], [np.inf], [3.0]], "infinity"),
        ({}, [[1.0], [3.0]], "inconsistent"),
        ({}, None, "requires y"),
        ({}, [[np.nan]] * 3, "nothing to learn"),
        ({"cell": "jordan"}, [[1.0]] * 3, "which an encoder does not have"),
        ({"teacher_forcing": 2.0}, [[1.0]] * 3, "'teacher_forcing' parameter"),
    ],
)
def test_what_cannot_be_honoured_is_refused(params, Y, message):
    X, _ = inputs()
    net = Seq2Seq(**{"cell": "gru", "hidden_sizes": (2,), "max_iter": 1} | params)
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y)
    assert not hasattr(net, "weights_")


def test_an_answer_out_of_range_is_an_error():
    """Its state grows by 1e80 a step; what stands behind the end of an answer does not count."""
    X = [np.ones((1, 1))] * 3
    net = Seq2Seq("elman", (1,), activation="relu", batch_size=1, max_iter=1)
    net.fit(X, [[1.0]] * 3)
    for layer in (net.encoder_weights_[0], net.weights_[0]):
        layer["input"][:], layer["recurrent"][:], layer["bias"][:] = 1.0, 1e80, 0.0
    net.output_weights_[:], net.output_bias_[:] = 1.0, 0.0
    assert [len(a) for a in net.predict(X, length=[2, 2, 3])] == [2, 2, 3]
    with pytest.raises(DivergenceError, match="answers case 2 with NaN or infinity"):
        net.predict(X, length=[2, 2, 9])
    answers = net.set_params(batch_size=3).predict([X[0], X[0] * 0, X[0]], length=[2, 9, 2])
    assert [len(a) for a in answers] == [2, 9, 2]


def test_a_long_pair_warns():
    with pytest.warns(UserWarning, match=r"2001 rows at once.*Cut or subsample them"):
        Seq2Seq("elman", (1,), max_iter=1).fit(np.zeros((1, 2000)), np.zeros((1, 1)))


# ---- training ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True])
def test_same_seed_same_bits_and_training_goes_on(bidirectional):
    X, rng = inputs((4, 1, 6, 3, 5))
    Y = numbers(rng, (2, 5, 3, 1, 4))
    params = {"batch_size": 2, "tol": None, "random_state": 3, "teacher_forcing": 0.5}
    params["bidirectional"] = bidirectional
    whole = Seq2Seq("lstm", (3,), max_iter=6, **params).fit(X, Y)
    np.testing.assert_array_equal(flat(clone(whole).fit(X, Y)), flat(whole))
    halves = Seq2Seq("lstm", (3,), max_iter=3, warm_start=True, **params).fit(X, Y)
    halves = pickle.loads(pickle.dumps(halves)).fit(X, Y)
    np.testing.assert_array_equal(flat(halves), flat(whole))
    assert halves.loss_curve_ == whole.loss_curve_
    given = {k: getattr(whole, f"{k}_") for k in whole._parts if hasattr(whole, f"{k}_")}
    again = clone(whole).set_params(max_iter=0, initial_weights=given).fit(X, Y)
    np.testing.assert_array_equal(flat(again), flat(whole))
    params |= {"batch_size": 32, "teacher_forcing": 1.0}
    one = Seq2Seq("lstm", (3,), **params).partial_fit(X, Y).partial_fit(X, Y)
    two = Seq2Seq("lstm", (3,), max_iter=2, **params).fit(X, Y)
    np.testing.assert_array_equal(flat(one), flat(two))


def test_a_schedule_of_forcing_is_asked_every_epoch():
    X, rng = inputs()
    seen = []

    def falling(epoch):
        seen.append(epoch)
        return 1.0 - 0.25 * epoch

    Y = numbers(rng)
    params = {"max_iter": 4, "tol": None, "random_state": 0}
    net = Seq2Seq("gru", (3,), teacher_forcing=falling, **params).fit(X, Y)
    assert seen == [0, 1, 2, 3]
    always = Seq2Seq("gru", (3,), **params).fit(X, Y)
    assert net.loss_curve_[0] == always.loss_curve_[0]
    assert net.loss_curve_[2] != always.loss_curve_[2]


def test_early_stopping_runs_the_last_pairs_on_their_own_outputs():
    X, rng = inputs(range(1, 11))
    Y = numbers(rng, range(1, 11))
    net = Seq2Seq("gru", (4,), early_stopping=True, validation_fraction=0.3, learning_rate=0.05)
    net.set_params(max_iter=30, random_state=0).fit(X, Y)
    answers = net.predict(X[7:], length=[8, 9, 10])
    error = np.square(np.concatenate(answers) - np.concatenate(Y[7:])).mean()
    np.testing.assert_allclose(error, min(net.validation_loss_curve_), rtol=1e-10)


def test_words_are_turned_round_and_end_where_they_should():
    """Lengths 2 to 5: where to stop is learned too; a third of the words were never seen."""
    rng = np.random.RandomState(0)
    words = sorted({"".join(rng.choice(list("abc"), rng.randint(2, 6))) for _ in range(900)})
    rng.shuffle(words)
    X = [np.eye(3)[["abc".index(c) for c in w]] for w in words]
    Y = [w[::-1] for w in words]
    n = 2 * len(words) // 3
    net = Seq2Seq("gru", (32,), end="$", learning_rate=0.02, max_iter=60, **LABELS, random_state=0)
    net.fit(X[:n], Y[:n])
    assert net.score(X[n:], Y[n:]) > 0.8
    answers = net.predict(X[n:])
    right = np.mean([a == y for a, y in zip(answers, Y[n:], strict=True)])
    assert net.score(X[n:], Y[n:]) == right


def test_one_to_many_draws_the_wave_it_is_told():
    """One row, amplitude and frequency, becomes a sine of ten steps."""
    rng = np.random.RandomState(0)
    X = rng.uniform([0.5, 0.2], [1.0, 0.6], (200, 1, 2))[:, :]
    Y = X[:, :, 0] * np.sin(X[:, :, 1] * np.arange(10))
    net = Seq2Seq("gru", (24,), learning_rate=0.02, max_iter=60, teacher_forcing=0.0)
    net.set_params(learning_rate_schedule="cosine", random_state=0).fit(X[:160], Y[:160])
    assert net.score(X[160:], Y[160:]) > 0.95
    assert [len(a) for a in net.predict(X[160:163], length=[3, 10, 7])] == [3, 10, 7]


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (["abca", "b", "ccab"], ["a", "b", "c"]),
        ([list("abca"), ["b"], np.array(list("ccab"))], ["a", "b", "c"]),
        ([[10, 20, 30, 10], [20], [30, 30, 10, 20]], [10, 20, 30]),
    ],
)
def test_inputs_of_labels_are_one_hot_rows(given, classes):
    rows = [np.eye(3)[np.searchsorted(classes, list(sequence))] for sequence in given]
    Y = ["ba", "a", "ab"]
    options = {"task": "classification", "max_iter": 5, "random_state": 0}
    net = Seq2Seq("gru", (5,), **options).fit(given, Y)
    np.testing.assert_array_equal(net.input_classes_, classes)
    assert net.n_features_in_ == 3
    by_hand = Seq2Seq("gru", (5,), **options).fit(rows, Y)
    assert net.loss_curve_ == by_hand.loss_curve_
    np.testing.assert_array_equal(net.transform(given), by_hand.transform(rows))
    np.testing.assert_array_equal(net.transform(rows), by_hand.transform(rows))
    with pytest.raises(ValueError, match=r"not among input_classes_"):
        net.predict([["never"]] if isinstance(classes[0], str) else [[7]])
    with pytest.raises(ValueError, match=r"X\[1\] is empty"):
        net.predict([given[0], given[0][:0]])
    net.fit(rows, Y)
    assert not hasattr(net, "input_classes_")
