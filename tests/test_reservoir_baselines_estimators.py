"""Labels a row, numbers a sequence, schedules, states in and out, teacher forcing."""

import naive_cells
import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from filters.timeseries import DivergenceError
from reservoir.baselines import (
    RNNClassifier,
    RNNRegressor,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
)
from reservoir.baselines._schedules import factor
from reservoir.datasets import adding_problem

LENGTHS = (5, 3, 7)
GROUPS = np.repeat([0, 1, 2], LENGTHS)


def rows(seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(sum(LENGTHS), 2), rng


def split(stacked):
    return np.split(stacked, np.cumsum(LENGTHS)[:-1])


def naive_outputs(net, X):
    return np.concatenate([naive_cells.outputs(net, part)[0] for part in split(X)])


def assert_gradients(net, value, gradients):
    for name in ("input", "recurrent", "bias"):
        array, gradient = net.weights_[0][name], gradients["weights"][0][name]
        expected = naive_cells.central_difference(value, array)
        atol = 1e-8 * np.abs(expected).max()
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=atol, err_msg=name)
    for name in ("output_weights", "output_bias"):
        expected = naive_cells.central_difference(value, getattr(net, f"{name}_"))
        atol = 1e-8 * np.abs(expected).max()
        np.testing.assert_allclose(gradients[name], expected, rtol=0, atol=atol, err_msg=name)


# ---- a label a row -----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [["no", "yes"], ["a", "b", "c"]])
def test_row_probabilities_are_the_softmax_of_the_naive_outputs(labels):
    X, rng = rows()
    y = np.array(labels)[np.r_[np.arange(len(labels)), rng.randint(len(labels), size=20)][:15]]
    net = RNNClassifier("lstm", (4,), max_iter=3, random_state=0).fit(X, y, groups=GROUPS)
    expected = np.exp(log_softmax(naive_outputs(net, X), axis=1))
    answer = net.predict_proba(X, groups=GROUPS)
    assert answer.shape == (15, len(labels))  # a column per class, even for two
    assert net.output_weights_.shape == (len(labels), 4)
    np.testing.assert_allclose(answer, expected, rtol=1e-12)
    picked = net.classes_[expected.argmax(axis=1)]
    np.testing.assert_array_equal(net.predict(X, groups=GROUPS), picked)
    assert net.score(X, y, groups=GROUPS) == np.mean(picked == y)


def test_row_classifier_gradients_are_central_differences():
    X, rng = rows()
    y = np.array(["a", "b", "c"], dtype=object)[rng.randint(3, size=15)]
    y[[2, 6]] = None  # unlabelled
    weight = rng.uniform(0.5, 2.0, 15)
    net = RNNClassifier("gru", (3,), max_iter=1, random_state=0).fit(X, y, groups=GROUPS)

    def value():
        return net.loss_and_gradients(X, y, sample_weight=weight, groups=GROUPS)[0]

    known = np.array([label is not None for label in y])
    codes = np.searchsorted(net.classes_, y[known].astype(str))
    chosen = log_softmax(naive_outputs(net, X), axis=1)[known][np.arange(known.sum()), codes]
    np.testing.assert_allclose(value(), -np.average(chosen, weights=weight[known]), rtol=1e-12)
    gradients = net.loss_and_gradients(X, y, sample_weight=weight, groups=GROUPS)[1]
    assert_gradients(net, value, gradients)


def test_unlabelled_rows_drive_the_network_and_are_not_learned():
    X, rng = rows()
    y = rng.randint(2, size=15).astype(float)
    holes = y.copy()
    holes[[1, 8, 9]] = np.nan
    weight = np.where(np.isnan(holes), 0.0, 1.0)
    params = {"max_iter": 4, "random_state": 0}
    one = RNNClassifier("elman", (4,), **params).fit(X, holes)
    two = RNNClassifier("elman", (4,), **params).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert one.classes_.tolist() == [0.0, 1.0]
    cut = RNNClassifier("elman", (4,), **params).fit(X[weight > 0], y[weight > 0])
    assert np.abs(cut.predict_proba(X) - one.predict_proba(X)).max() > 1e-6


def test_row_labels_come_back_in_their_container():
    X, rng = rows()
    index = pd.MultiIndex.from_arrays([GROUPS, np.arange(15)], names=["id", "t"])
    labels = pd.Series(np.where(rng.randn(15) > 0, "up", "down"), index=index, name="move")
    frame = pd.DataFrame(X, index=index)
    net = RNNClassifier("elman", (3,), max_iter=2, random_state=0).fit(frame, labels)
    answer, table = net.predict(frame), net.predict_proba(frame)
    assert answer.name == "move"
    assert answer.index.equals(index)
    assert table.columns.tolist() == ["down", "up"]
    listed = net.fit(split(X), split(labels.to_numpy())).predict(split(X))
    np.testing.assert_array_equal(np.concatenate(listed), answer.to_numpy())


def test_a_row_label_that_depends_on_the_past_is_learned():
    """The parity of the last two signs: neither one row nor a line can tell it."""
    x = np.random.RandomState(0).choice([-1.0, 1.0], (1200, 1))
    y = np.where(x[1:, 0] * x[:-1, 0] > 0, "same", "turn")
    net = RNNClassifier("elman", (12,), learning_rate=0.02, bptt_steps=20, n_strands=8, max_iter=40)
    net.set_params(random_state=0).fit(x[1:801], y[:800])
    assert net.score(x[801:], y[800:]) > 0.97


def test_row_classes_of_partial_fit_are_fixed_by_the_first_call():
    X, rng = rows()
    y = rng.randint(2, size=15)
    net = RNNClassifier("elman", (3,), random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    assert net.predict_proba(X).shape == (15, 3)
    with pytest.raises(ValueError, match=r"labels \[7\].*classes="):
        net.partial_fit(X, np.where(y == 1, 7, y))
    with pytest.raises(ValueError, match="differs from the first call"):
        net.partial_fit(X, y, classes=[0, 1])
    assert net.predict_proba(X).shape == (15, 3)


# ---- numbers for a whole sequence --------------------------------------------------------------


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_sequence_regressor_reads_the_last_step_of_each(n_outputs):
    X, rng = rows()
    y = rng.randn(3) if n_outputs is None else rng.randn(3, n_outputs)
    net = RNNSequenceRegressor("lstm", (4, 3), max_iter=3, random_state=0).fit(split(X), y)
    expected = np.array([naive_cells.outputs(net, part)[0][-1] for part in split(X)])
    expected = expected[:, 0] if n_outputs is None else expected
    np.testing.assert_allclose(net.predict(split(X)), expected, rtol=1e-12, atol=1e-14)
    assert net.predict(split(X)).shape == y.shape


def test_sequence_regressor_gradients_are_central_differences():
    X, rng = rows()
    y, weight = rng.randn(3, 2), [1.0, 2.0, 0.5]
    y[1, 0] = np.nan  # an unlabelled case
    net = RNNSequenceRegressor("elman", (3,), max_iter=1, random_state=0).fit(split(X), y)

    def value():
        return net.loss_and_gradients(split(X), y, sample_weight=weight)[0]

    error = np.square(net.predict(split(X)) - y).mean(axis=1)[[0, 2]]
    np.testing.assert_allclose(value(), np.average(error, weights=[1.0, 0.5]), rtol=1e-12)
    assert_gradients(net, value, net.loss_and_gradients(split(X), y, sample_weight=weight)[1])


def test_sequence_regressor_learns_the_adding_problem():
    X, y = adding_problem(600, 20, random_state=0)
    net = RNNSequenceRegressor("lstm", (16,), learning_rate=0.02, max_iter=60, random_state=0)
    net.fit(X[:500], y[:500])
    assert np.mean((net.predict(X[500:]) - y[500:]) ** 2) < 0.01  # a constant: 1/6


def test_sequence_regressor_holds_out_the_last_labelled_cases():
    X, y = adding_problem(40, 6, random_state=0)
    y[35:] = np.nan
    net = RNNSequenceRegressor(
        "elman", (4,), early_stopping=True, validation_fraction=0.2, max_iter=4, random_state=0
    ).fit(X, y)
    error = np.square(net.predict(X) - y)[28:35].mean()
    np.testing.assert_allclose(error, min(net.validation_loss_curve_), rtol=1e-12)
    with pytest.raises(ValueError, match="nothing to learn"):
        net.fit(X, np.where(np.arange(40) < 40, np.nan, y))


# ---- what the output sees ----------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"skip_connections": True}, {"bidirectional": True}])
def test_transform_is_what_the_output_sees(params):
    X, rng = rows()
    net = RNNRegressor("gru", (4, 3), max_iter=2, random_state=0, **params)
    net.fit(X, rng.randn(15, 2), groups=GROUPS)
    columns = net.transform(X, groups=GROUPS)
    expected = net.predict(X, groups=GROUPS)
    answer = columns @ net.output_weights_.T + net.output_bias_
    np.testing.assert_allclose(answer, expected, rtol=1e-12, atol=1e-14)
    cases = RNNSequenceRegressor("gru", (4, 3), max_iter=2, random_state=0, **params)
    cases.fit(split(X), rng.randn(3, 2))
    answer = cases.transform(split(X)) @ cases.output_weights_.T + cases.output_bias_
    np.testing.assert_allclose(answer, cases.predict(split(X)), rtol=1e-12, atol=1e-14)


def test_columns_have_names():
    X, rng = rows()
    net = RNNRegressor("gru", (4, 3), skip_connections=True, bidirectional=True, max_iter=1)
    names = [f"unit{i}" for i in range(14)]
    assert net.fit(X, rng.randn(15)).get_feature_names_out().tolist() == names
    assert net.set_output(transform="pandas").transform(X).columns.tolist() == names
    index = pd.MultiIndex.from_arrays([GROUPS, np.arange(15)])
    assert net.set_output().transform(pd.DataFrame(X, index=index)).columns.tolist() == names


SALIENT = [
    (RNNRegressor, {}),
    (RNNRegressor, {"bidirectional": True}),
    (RNNClassifier, {"head_sizes": (3,)}),
    (RNNSequenceRegressor, {}),
    (RNNSequenceClassifier, {"skip_connections": True}),
]


@pytest.mark.parametrize(("model", "params"), SALIENT)
def test_input_saliency_is_a_central_difference(model, params):
    """Of the output before softmax: log p_1 - log p_0 is the difference of two of them."""
    X, rng = rows()
    parts = split(X)
    by_row = model in (RNNRegressor, RNNClassifier)
    labels = model in (RNNClassifier, RNNSequenceClassifier)
    n = 15 if by_row else 3
    y = np.arange(n) % 3 if labels else rng.randn(n, 2)
    net = model("lstm", (4,), max_iter=2, random_state=0, **params)
    net.fit(X, y, groups=GROUPS) if by_row else net.fit(parts, y)

    def value(part, step):
        if labels:
            answer = net.predict_proba(part if by_row else [part])
            logs = np.log(answer[step if by_row else 0])
            return logs[1] - logs[0]
        return net.predict(part)[step, 1] if by_row else net.predict([part])[0, 1]

    for step in (-1, 2) if by_row else (-1,):
        part = parts[2].copy()
        whole = part if by_row else [part]
        got = net.input_saliency(whole, output=1, step=step)
        if labels:
            got = np.asarray(got) - np.asarray(net.input_saliency(whole, output=0, step=step))
        got = np.asarray(got).reshape(part.shape)
        expected = naive_cells.central_difference(lambda: value(part, step), part)  # noqa: B023
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)
        assert np.abs(expected).max() > 1e-4


def test_input_saliency_comes_back_in_the_container():
    X, rng = rows()
    net = RNNRegressor("elman", (3,), max_iter=1, random_state=0).fit(X, rng.randn(15))
    alone = [net.input_saliency(part, step=1) for part in split(X)]
    listed = net.input_saliency(split(X), step=1)
    for one, other in zip(alone, listed, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (alone[0][2:] == 0).all()  # the future does not matter
    with pytest.raises(ValueError, match=r"step=3.*3 time steps"):
        net.input_saliency(split(X), step=3)
    with pytest.raises(ValueError, match=r"output=1.*1 output"):
        net.input_saliency(X, output=1)


# ---- states in and out -------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["elman", "jordan", "lstm", "peephole_lstm", "gru"])
def test_a_series_in_two_parts_is_the_whole(cell):
    X, rng = rows()
    sizes = (4,) if cell == "jordan" else (4, 3)
    net = RNNRegressor(cell, sizes, max_iter=2, random_state=0).fit(X, rng.randn(15, 2))
    first, state = net.predict(X[:6], return_state=True)
    assert state.ndim == 1
    rest = net.predict(X[6:], initial_state=state)
    whole = np.concatenate([first, rest])
    np.testing.assert_allclose(whole, net.predict(X), rtol=1e-12, atol=1e-14)
    columns, state = net.transform(X[:6], return_state=True)
    columns = np.concatenate([columns, net.transform(X[6:], initial_state=state)])
    np.testing.assert_allclose(columns, net.transform(X), rtol=1e-12, atol=1e-14)


def test_states_of_unequal_series_are_their_own():
    X, rng = rows()
    net = RNNClassifier("lstm", (4, 3), max_iter=2, random_state=0).fit(X, rng.randint(2, size=15))
    _, states = net.predict(split(X), return_state=True)
    for part, state in zip(split(X), states, strict=True):
        alone = net.predict(part, return_state=True)[1]
        np.testing.assert_allclose(state, alone, rtol=1e-12, atol=1e-15)
    again = [
        net.predict_proba(part, initial_state=s) for part, s in zip(split(X), states, strict=True)
    ]
    together = net.predict_proba(split(X), initial_state=states)
    for one, other in zip(again, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    with pytest.raises(ValueError, match="initial_state must have shape"):
        net.predict(X, initial_state=np.zeros(5))


def test_both_directions_have_no_state():
    X = rows()[0]
    net = RNNRegressor("gru", (3,), bidirectional=True, max_iter=1).fit(X, X)
    for ask in (
        lambda: net.predict(X, return_state=True),
        lambda: net.predict(X, initial_state=np.zeros(6)),
        lambda: net.forecast(3),
        lambda: net.stream(),
    ):
        with pytest.raises(ValueError, match="bidirectional=True"):
            ask()


def test_an_answer_out_of_range_is_an_error():
    layer = {"input": np.ones((1, 1)), "recurrent": np.full((1, 1), 1e30), "bias": np.zeros(1)}
    initial = {"weights": [layer], "output_weights": np.ones((1, 1)), "output_bias": np.zeros(1)}
    net = RNNRegressor("elman", (1,), activation="relu", max_iter=0, initial_weights=initial)
    net.fit(np.ones((3, 1)), np.ones(3))
    with pytest.raises(DivergenceError, match=r"answers row 11 with NaN or infinity"):
        net.predict(np.ones((20, 1)))
    cases = RNNSequenceRegressor("elman", (1,), activation="relu", max_iter=0)
    cases.set_params(initial_weights=initial).fit(np.ones((2, 3)), np.ones(2))
    with pytest.raises(DivergenceError, match="answers case 1 with NaN or infinity"):
        cases.predict([np.ones((5, 1)), np.ones((20, 1))])


# ---- learning rates ----------------------------------------------------------------------------


def test_schedules_begin_at_one_and_end_at_the_decay():
    for schedule, middle, end in (
        ("constant", 1.0, 1.0),
        ("step", 0.1, 0.01),
        ("exponential", 0.1**0.5, 0.1),
        ("cosine", 0.55, 0.1),
    ):
        np.testing.assert_allclose(factor(schedule, 0.1, 0, 40), 1.0, rtol=1e-15)
        np.testing.assert_allclose(factor(schedule, 0.1, 20, 40), middle, rtol=1e-12)
        np.testing.assert_allclose(factor(schedule, 0.1, 40, 40), end, rtol=1e-12)
        np.testing.assert_allclose(factor(schedule, 0.1, 99, 40), end, rtol=1e-12)
    assert factor("step", 0.1, 29, 40) == 0.1


@pytest.mark.parametrize("schedule", ["step", "exponential", "cosine", lambda epoch: 2.0**-epoch])
def test_every_epoch_steps_at_its_own_rate(schedule):
    """One batch and plain descent: each epoch moves by rate times gradient."""
    X, rng = rows()
    X, y = X[np.newaxis], rng.randn(1, 15)
    net = RNNRegressor("elman", (3,), optimizer="sgd", learning_rate=0.1, clip_norm=None)
    net.set_params(learning_rate_schedule=schedule, learning_rate_decay=0.2, random_state=0)
    net.set_params(max_iter=4, tol=None).partial_fit(X, y)
    for epoch in range(1, 4):
        before = net.output_bias_.copy()
        gradient = net.loss_and_gradients(X, y)[1]["output_bias"]
        net.partial_fit(X, y)
        rate = 0.1 * factor(schedule, 0.2, epoch, 4)
        np.testing.assert_allclose(net.output_bias_, before - rate * gradient, rtol=1e-10)
    whole = RNNRegressor(**net.get_params()).fit(X, y)
    np.testing.assert_array_equal(whole.output_bias_, net.output_bias_)


@pytest.mark.parametrize("answer", [-1.0, np.nan, "fast", None])
def test_a_schedule_that_answers_nonsense_is_refused(answer):
    X, rng = rows()
    net = RNNRegressor("elman", (2,), learning_rate_schedule=lambda epoch: answer)
    with pytest.raises(ValueError, match=r"learning_rate_schedule\(0\) answered"):
        net.fit(X, rng.randn(15))
    assert not hasattr(net, "weights_")  # a fit that fails leaves nothing


# ---- teacher forcing ---------------------------------------------------------------------------


def forced_jordan(net, X, targets):
    """Outputs with the targets in place of the fed-back outputs."""
    weights, fed, outputs = net.weights_[0], np.zeros(targets.shape[1]), []
    for x, target in zip(X, targets, strict=True):
        a = weights["recurrent"] @ fed + weights["input"] @ x + weights["bias"]
        outputs.append(net.output_weights_ @ np.tanh(a) + net.output_bias_)
        fed = target
    return np.array(outputs)


@pytest.mark.parametrize("share", [True, 1.0, lambda epoch: 1.0])
def test_a_forced_jordan_network_sees_its_targets(share):
    X, rng = rows()
    y = rng.randn(15, 2)
    net = RNNRegressor("jordan", (4,), teacher_forcing=share, max_iter=1, random_state=0).fit(X, y)
    loss, gradients = net.loss_and_gradients(X, y)
    np.testing.assert_allclose(loss, np.square(forced_jordan(net, X, y) - y).mean(), rtol=1e-12)
    assert_gradients(net, lambda: net.loss_and_gradients(X, y)[0], gradients)
    free = net.set_params(teacher_forcing=False).loss_and_gradients(X, y)[0]
    np.testing.assert_allclose(free, np.square(net.predict(X) - y).mean(), rtol=1e-12)
    assert abs(free - loss) > 1e-4


def test_a_forced_classifier_is_fed_one_hot_rows():
    X = rows()[0]
    y = np.arange(15) % 3
    net = RNNClassifier("jordan", (4,), teacher_forcing=True, max_iter=1, random_state=0).fit(X, y)
    expected = log_softmax(forced_jordan(net, X, np.eye(3)[y]), axis=1)[np.arange(15), y]
    np.testing.assert_allclose(net.loss_and_gradients(X, y)[0], -expected.mean(), rtol=1e-12)


def test_a_share_of_the_steps_is_forced_and_follows_the_epoch():
    X, rng = rows()
    y = rng.randn(15, 2)
    seen = []

    def falling(epoch):
        seen.append(epoch)
        return max(1.0 - 0.5 * epoch, 0.0)

    params = {"max_iter": 3, "tol": None, "random_state": 0}
    net = RNNRegressor("jordan", (4,), teacher_forcing=falling, **params).fit(X, y)
    assert seen == [0, 1, 2]
    half = RNNRegressor("jordan", (4,), teacher_forcing=0.5, **params).fit(X, y)
    again = RNNRegressor("jordan", (4,), teacher_forcing=0.5, **params).fit(X, y)
    assert half.loss_curve_ == again.loss_curve_
    for share in (True, False):
        other = RNNRegressor("jordan", (4,), teacher_forcing=share, **params).fit(X, y)
        assert np.abs(np.array(other.loss_curve_) - half.loss_curve_).min() > 1e-6
        match = other.loss_curve_[0] == net.loss_curve_[0]
        assert match is share  # the first epoch is forced throughout


@pytest.mark.parametrize("share", [1.5, -0.1, lambda epoch: 2.0])
def test_a_share_beyond_one_is_refused(share):
    X, rng = rows()
    with pytest.raises(ValueError, match="teacher_forcing"):
        RNNRegressor("jordan", (2,), teacher_forcing=share).fit(X, rng.randn(15))
    with pytest.raises(ValueError, match="cell='jordan'"):
        RNNRegressor("gru", (2,), teacher_forcing=0.5).fit(X, rng.randn(15))
