"""Training: steps, windows, strands, seeds, going on, first weights, learning."""

import pickle
import tracemalloc

import numpy as np
import pytest

from reservoir.baselines import RNNRegressor, RNNSequenceClassifier


def series(n=60, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(n, 2), rng.randn(n)


def cases(n=20, seed=0):
    rng = np.random.RandomState(seed)
    X = [rng.randn(rng.randint(3, 8), 2) for _ in range(n)]
    return X, np.array([int(x[0, 0] > 0) for x in X])


def flat(net):
    parts = [layer[k] for layer in net.weights_ for k in ("input", "recurrent", "bias")]
    return np.concatenate([p.ravel() for p in (*parts, net.output_weights_, net.output_bias_)])


def flat_gradients(gradients):
    parts = [layer[k] for layer in gradients["weights"] for k in ("input", "recurrent", "bias")]
    parts += [gradients["output_weights"], gradients["output_bias"]]
    return np.concatenate([part.ravel() for part in parts])


# ---- steps, windows and strands ----------------------------------------------------------------


@pytest.mark.parametrize("clip_norm", [None, 0.01, 1e3])
@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_step_is_the_clipped_gradient(cell, clip_norm):
    X, y = series()
    net = RNNRegressor(cell, (4, 3), optimizer="sgd", learning_rate=0.1, max_iter=0, l2=0.01)
    net.set_params(random_state=0, clip_norm=clip_norm).fit(X, y)
    before = flat(net)
    loss, gradients = net.loss_and_gradients(X, y)
    gradient = flat_gradients(gradients)
    norm = np.linalg.norm(gradient)
    assert 0.01 < norm < 1e3
    net.set_params(max_iter=1).fit(X, y)
    used = gradient * 0.01 / norm if clip_norm == 0.01 else gradient
    np.testing.assert_allclose(flat(net), before - 0.1 * used, rtol=1e-12)
    np.testing.assert_allclose(net.gradient_norms_, [norm], rtol=1e-12)
    np.testing.assert_allclose(net.loss_curve_, [loss], rtol=1e-12)


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_truncated_training_steps_once_a_window(cell):
    """The state is carried from window to window, from weights that moved on in between."""
    X, y = series(50)
    net = RNNRegressor(cell, (5,), bptt_steps=20, max_iter=3, random_state=0, tol=None).fit(X, y)
    assert len(net.gradient_norms_) == 3 * 3
    assert len(net.loss_curve_) == net.n_iter_ == 3


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_partial_fit_in_chunks_of_whole_windows_is_one_call(cell):
    X, y = series(50)
    whole = RNNRegressor(cell, (5,), bptt_steps=10, random_state=0).partial_fit(X, y)
    parts = RNNRegressor(cell, (5,), bptt_steps=10, random_state=0)
    cold = RNNRegressor(cell, (5,), bptt_steps=10, random_state=0)
    for begin, end in ((0, 20), (20, 30), (30, 50)):
        parts.partial_fit(X[begin:end], y[begin:end])
        cold.partial_fit(X[begin:end], y[begin:end], groups=np.zeros(end - begin))
    np.testing.assert_array_equal(flat(whole), flat(parts))
    assert np.abs(flat(whole) - flat(cold)).max() > 1e-6  # groups= starts every call from zero


@pytest.mark.parametrize("bptt_steps", [None, 7])
def test_one_epoch_of_fit_is_one_partial_fit(bptt_steps):
    X, y = series()
    params = {"bptt_steps": bptt_steps, "random_state": 0}
    one = RNNRegressor("lstm", (5,), max_iter=1, **params).fit(X, y)
    other = RNNRegressor("lstm", (5,), **params).partial_fit(X, y)
    np.testing.assert_array_equal(flat(one), flat(other))
    np.testing.assert_array_equal(flat(one.partial_fit(X, y)), flat(other.partial_fit(X, y)))


def test_strands_are_series_side_by_side():
    X, y = series(62)
    strands = RNNRegressor("lstm", (5,), n_strands=4, bptt_steps=6, max_iter=3, random_state=0)
    pieces = RNNRegressor("lstm", (5,), bptt_steps=6, max_iter=3, random_state=0)
    groups = np.repeat([0, 1, 2, 3], np.diff(np.arange(5) * 62 // 4))
    np.testing.assert_array_equal(flat(strands.fit(X, y)), flat(pieces.fit(X, y, groups=groups)))
    assert len(strands.gradient_norms_) == 3 * 3


@pytest.mark.parametrize(
    ("n", "stride", "begins"),
    [(10, 4, [0, 4, 6]), (10, 3, [0, 3, 6]), (10, 9, [0, 6]), (3, 2, [0]), (4, 1, [0])],
)
def test_windows_of_a_stride_are_short_series(n, stride, begins):
    """All in one batch, so that shuffling plays no role: the windows as a list of series."""
    X, y = series(n)
    pieces = [slice(begin, min(begin + 4, n)) for begin in begins]
    params = {"batch_size": 50, "max_iter": 3, "random_state": 0}
    net = RNNRegressor("lstm", (4,), bptt_steps=4, bptt_stride=stride, **params).fit(X, y)
    other = RNNRegressor("lstm", (4,), **params)
    other.fit([X[piece] for piece in pieces], [y[piece] for piece in pieces])
    np.testing.assert_array_equal(flat(net), flat(other))
    assert net.loss_curve_ == other.loss_curve_


def test_windows_of_a_stride_fall_into_batches_and_are_shuffled():
    X, y = series(40)
    params = {"bptt_steps": 8, "bptt_stride": 4, "batch_size": 3, "random_state": 0}
    net = RNNRegressor("elman", (3,), max_iter=2, **params).fit(X, y)
    assert len(net.gradient_norms_) == 2 * 3  # nine windows
    ordered = RNNRegressor("elman", (3,), **params).partial_fit(X, y).partial_fit(X, y)
    assert np.abs(flat(net) - flat(ordered)).max() > 1e-6
    early = RNNRegressor("elman", (3,), early_stopping=True, max_iter=2, **params).fit(X, y)
    assert len(early.gradient_norms_) == 2 * 3  # 36 rows: eight windows
    for wrong in ({"bptt_steps": None}, {"n_strands": 2}):
        with pytest.raises(ValueError, match="bptt_stride=4 lets windows"):
            RNNRegressor("elman", (3,), **(params | wrong)).fit(X, y)


def test_more_strands_than_rows_are_rows():
    X, y = series(3)
    assert np.isfinite(
        RNNRegressor("elman", (2,), n_strands=9, max_iter=2).fit(X, y).predict(X)
    ).all()


def test_series_fall_into_batches():
    X, y = series(60)
    groups = np.repeat(np.arange(6), 10)
    net = RNNRegressor("elman", (3,), batch_size=4, max_iter=5, tol=None).fit(X, y, groups=groups)
    assert len(net.gradient_norms_) == 5 * 2


def test_windows_without_a_label_make_no_step():
    X, y = series(40)
    y[10:30] = np.nan
    net = RNNRegressor("lstm", (3,), bptt_steps=10, max_iter=1, l2=0.1, random_state=0).fit(X, y)
    assert len(net.gradient_norms_) == 2
    weight = np.r_[np.ones(10), np.zeros(20), np.ones(10)]
    other = RNNRegressor("lstm", (3,), bptt_steps=10, max_iter=1, l2=0.1, random_state=0)
    other.fit(X, np.nan_to_num(y), sample_weight=weight)
    np.testing.assert_array_equal(flat(net), flat(other))


def test_memory_of_truncated_training_is_that_of_a_window():
    def peak(n, **params):
        X, y = np.zeros((n, 1)), np.zeros(n)
        net = RNNRegressor("lstm", (20,), max_iter=1, random_state=0, **params)
        net.fit(X[:100], y[:100])  # compiled and warm
        tracemalloc.start()
        net.fit(X, y).predict(X)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top / 8 / n  # float64 numbers a row

    assert peak(1900) > 140  # gates, cells and columns of every row
    assert peak(12000, bptt_steps=20) < 30


@pytest.mark.parametrize("method", ["predict", "transform"])
def test_memory_of_answers_is_that_of_a_window_and_of_two_directions_that_of_a_series(method):
    def peak(n, n_series=1, **params):
        X, y = [np.zeros((n, 1))] * n_series, [np.zeros(n)] * n_series
        net = RNNRegressor("lstm", (20,), max_iter=0, random_state=0, batch_size=4, **params)
        answer = getattr(net.fit([x[:100] for x in X], [v[:100] for v in y]), method)
        answer([x[:100] for x in X])  # compiled and warm
        tracemalloc.start()
        answer(X)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top / 8 / n  # float64 numbers a row of one series

    ahead, both = peak(12_000), peak(2000, bidirectional=True)
    assert ahead < 100
    assert both > 250  # gates, cells and columns of every row, twice
    batch, more = (peak(500, k, bidirectional=True) for k in (4, 16))
    assert batch > 3 * both
    assert more < batch + 12 * 100  # the inputs and answers of twelve more series


def test_a_long_series_without_truncation_warns():
    X, y = np.zeros((2001, 1)), np.zeros(2001)
    with pytest.warns(UserWarning, match=r"2001 rows.*bptt_steps.*n_strands"):
        RNNRegressor("elman", (2,), max_iter=1).fit(X, y)
    RNNRegressor("elman", (2,), max_iter=1, n_strands=2).fit(X, y)
    RNNRegressor("elman", (2,), max_iter=1, bptt_steps=500).fit(X, y)


# ---- seeds, going on ---------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_same_seed_same_bits_and_warm_start_goes_on(optimizer):
    X, y = cases()
    params = {"optimizer": optimizer, "batch_size": 6, "tol": None, "random_state": 5}
    if optimizer == "sgd":
        params |= {"momentum": 0.9, "nesterov": True}
    whole = RNNSequenceClassifier("lstm", (4,), max_iter=6, **params).fit(X, y)
    again = RNNSequenceClassifier("lstm", (4,), max_iter=6, **params).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(flat(whole), flat(again))
    halves = RNNSequenceClassifier("lstm", (4,), max_iter=3, warm_start=True, **params).fit(X, y)
    halves = pickle.loads(pickle.dumps(halves)).fit(X, y)
    np.testing.assert_array_equal(flat(whole), flat(halves))
    assert halves.loss_curve_ == whole.loss_curve_
    assert halves.gradient_norms_ == whole.gradient_norms_
    assert halves.n_iter_ == 6
    other = RNNSequenceClassifier("lstm", (4,), max_iter=6, **(params | {"random_state": 6}))
    assert np.abs(flat(other.fit(X, y)) - flat(whole)).max() > 1e-3


def test_partial_fits_are_warm_epochs_in_order():
    X, y = cases()
    params = {"batch_size": 100, "random_state": 5}  # one batch: order plays no role
    fitted = RNNSequenceClassifier("lstm", (4,), max_iter=3, **params).fit(X, y)
    stepped = RNNSequenceClassifier("lstm", (4,), **params)
    for _ in range(3):
        stepped.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(flat(fitted), flat(stepped))


def test_partial_fit_knows_only_its_classes():
    X, y = cases()
    net = RNNSequenceClassifier("elman", (3,)).partial_fit(X, y, classes=[0, 1, 2])
    assert net.predict_proba(X).shape == (20, 3)
    with pytest.raises(ValueError, match=r"labels \[7\].*classes="):
        net.partial_fit(X, np.where(y == 1, 7, y))
    with pytest.raises(ValueError, match="differs from the first call"):
        net.partial_fit(X, y, classes=[0, 1])


def test_the_fitted_weights_are_the_ones_that_predict():
    X, y = series()
    net = RNNRegressor("lstm", (4,), max_iter=1, random_state=0).fit(X, y)
    before = net.predict(X)
    net.output_bias_ = net.output_bias_ + 1.0
    np.testing.assert_allclose(net.predict(X), before + 1.0, rtol=1e-12)


def test_initial_weights_are_where_training_starts():
    X, y = series()
    drawn = RNNRegressor("lstm", (4, 3), max_iter=0, random_state=0).fit(X, y)
    given = {
        "weights": drawn.weights_,
        "output_weights": drawn.output_weights_,
        "output_bias": drawn.output_bias_,
    }
    net = RNNRegressor("lstm", (4, 3), max_iter=0, initial_weights=given, random_state=1)
    np.testing.assert_array_equal(flat(net.fit(X, y)), flat(drawn))
    kept = flat(drawn)
    net.set_params(max_iter=2).fit(X, y)
    np.testing.assert_array_equal(flat(drawn), kept)  # training worked on a copy
    with pytest.raises(ValueError, match=r"initial_weights\['weights'\] must list 1"):
        net.set_params(hidden_sizes=(4,)).fit(X, y)
    with pytest.raises(ValueError, match=r"'input'\] must have shape \(16, 1\)"):
        net.set_params(hidden_sizes=(4, 3)).fit(X[:, :1], y)
    with pytest.raises(ValueError, match="keys"):
        net.set_params(initial_weights={"weights": drawn.weights_}).fit(X, y)


def test_first_weights_are_as_documented():
    X, y = series()
    net = RNNRegressor("lstm", (40,), max_iter=0, random_state=0).fit(X, y)
    (layer,) = net.weights_
    for block in np.split(layer["recurrent"], 4):
        np.testing.assert_allclose(block @ block.T, np.eye(40), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(layer["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 40))
    bound = np.sqrt(6 / (40 + 2))
    assert 0.95 * bound < np.abs(layer["input"]).max() <= bound
    assert (net.output_bias_ == 0).all()
    net = RNNRegressor("elman", (40,), recurrent_init="identity", activation="relu", max_iter=0)
    np.testing.assert_array_equal(net.fit(X, y).weights_[0]["recurrent"], np.eye(40))
    net = RNNRegressor("elman", (40,), recurrent_init="np", max_iter=0).fit(X, y)
    matrix = net.weights_[0]["recurrent"]
    eigenvalues = np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-15)
    assert eigenvalues[0] > 0
    np.testing.assert_allclose(eigenvalues[-1], 1.0, rtol=1e-12)


# ---- learning ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_delayed_copy_is_learned(cell):
    """y(t) = x(t - 4) of white noise: without memory no model explains any of it."""
    x = np.random.RandomState(0).uniform(-1, 1, (1500, 1))
    y = np.r_[np.zeros(4), x[:-4, 0]]
    net = RNNRegressor(cell, (24,), bptt_steps=20, n_strands=8, learning_rate=0.01, random_state=0)
    net.fit(x[:1000], y[:1000])
    assert net.score(x[1000:], y[1000:]) > 0.9


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_the_first_step_of_a_sequence_is_remembered(cell):
    """Two classes, told apart by the sign of the first of 10 to 15 steps only."""
    rng = np.random.RandomState(0)
    X = [rng.randn(rng.randint(10, 16), 1) for _ in range(300)]
    y = np.array(["down", "up"])[[int(x[0, 0] > 0) for x in X]]
    net = RNNSequenceClassifier(cell, (16,), learning_rate=0.01, max_iter=60, random_state=0)
    net.fit(X[:200], y[:200])
    assert net.score(X[200:], y[200:]) > 0.85


@pytest.mark.parametrize("model", [RNNRegressor, RNNSequenceClassifier])
def test_float32_stays_float32(model):
    X, y = series(40)
    X = X.astype(np.float32)
    net = model("lstm", (4,), max_iter=2).fit(X, y if model is RNNRegressor else y > 0)
    assert {array.dtype for layer in net.weights_ for array in layer.values()} == {X.dtype}
    assert net.output_weights_.dtype == net.output_bias_.dtype == np.float32
    answer = net.predict(X) if model is RNNRegressor else net.predict_proba(X)
    assert answer.dtype == np.float32
