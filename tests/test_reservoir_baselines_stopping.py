"""When training ends: early stopping, tolerance, interruption, divergence, refusal."""

import numpy as np
import pytest

from filters.timeseries import DivergenceError
from reservoir.baselines import RNNRegressor, RNNSequenceClassifier
from reservoir.baselines._monitor import Monitor
from reservoir.baselines._optimizers import Adam


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


def test_early_stopping_keeps_the_weights_that_did_best():
    X, y = series(100)
    params = {"learning_rate": 0.05, "bptt_steps": 20, "random_state": 0}
    net = RNNRegressor("lstm", (8,), early_stopping=True, validation_fraction=0.3, **params)
    net.fit(X, y)
    curve = net.validation_loss_curve_
    held = np.square(net.predict(X) - y)[70:].mean()
    np.testing.assert_allclose(held, min(curve), rtol=1e-12)
    assert curve[-1] > min(curve)  # noise is learned by heart: the last is not the best
    assert net.n_iter_ < 200
    part = RNNRegressor("lstm", (8,), max_iter=net.n_iter_, tol=None, **params).fit(X[:70], y[:70])
    np.testing.assert_array_equal(part.loss_curve_, net.loss_curve_)


def test_early_stopping_holds_out_the_end_of_every_series():
    X, y = series(60)
    y[[27, 28, 29, 57, 58, 59]] = np.nan
    net = RNNRegressor("elman", (3,), early_stopping=True, max_iter=2)
    with pytest.raises(ValueError, match="nothing to learn"):
        net.fit(X, y, groups=np.repeat([0, 1], 30))
    net.fit(X, y, groups=np.repeat([0, 1, 2], 20))


def test_early_stopping_holds_out_the_last_cases_of_every_class():
    X, y = cases(40)
    net = RNNSequenceClassifier("lstm", (4,), early_stopping=True, max_iter=5, random_state=0)
    net.fit(X, y)
    held = np.concatenate(
        [np.flatnonzero(y == c)[-max(int(0.1 * (y == c).sum()), 1) :] for c in (0, 1)]
    )
    likelihood = net.predict_proba([X[i] for i in held])[np.arange(held.size), y[held]]
    np.testing.assert_allclose(
        -np.log(likelihood).mean(), min(net.validation_loss_curve_), rtol=1e-12
    )


def test_held_out_cases_are_not_trained_on():
    X, y = cases(40)
    params = {"max_iter": 5, "tol": None, "random_state": 0}
    net = RNNSequenceClassifier("lstm", (4,), early_stopping=True, **params).fit(X, y)
    kept = np.concatenate(
        [np.flatnonzero(y == c)[: -max(int(0.1 * (y == c).sum()), 1)] for c in (0, 1)]
    )
    kept.sort()
    weight = np.isin(np.arange(40), kept)
    part = RNNSequenceClassifier("lstm", (4,), **params).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(part.loss_curve_, net.loss_curve_)
    whole = RNNSequenceClassifier("lstm", (4,), **params).fit(X, y)
    assert whole.loss_curve_[0] != net.loss_curve_[0]


def test_without_early_stopping_the_last_weights_stay():
    X, y = series(40)
    params = {"learning_rate": 0.5, "bptt_steps": 20, "tol": None, "random_state": 0}
    net = RNNRegressor("lstm", (4,), max_iter=6, **params).fit(X, y)
    assert net.loss_curve_[-1] > min(net.loss_curve_)
    steps = RNNRegressor("lstm", (4,), max_iter=1, warm_start=True, **params)
    for _ in range(6):
        steps.fit(X, y)
    np.testing.assert_array_equal(flat(net), flat(steps))


def test_fit_shuffles_and_partial_fit_does_not():
    X, y = cases()
    params = {"batch_size": 6, "max_iter": 1, "random_state": 5}
    shuffled = RNNSequenceClassifier("lstm", (4,), **params).fit(X, y)
    ordered = RNNSequenceClassifier("lstm", (4,), **params).partial_fit(X, y)
    assert np.abs(flat(shuffled) - flat(ordered)).max() > 1e-6


def test_tol_stops_and_none_does_not():
    X, y = series()
    stopped = RNNRegressor("elman", (3,), tol=10.0, n_iter_no_change=4, max_iter=50).fit(X, y)
    assert stopped.n_iter_ == 6  # the first epoch, and more than four without improvement
    assert RNNRegressor("elman", (3,), tol=None, max_iter=50).fit(X, y).n_iter_ == 50


def test_monitor_counts_epochs_in_a_row():
    monitor = Monitor("x", 100, 0.1, 2, 0)
    for loss, best, stalled in (
        (5.0, True, False),
        (4.95, True, False),  # better, but not by tol
        (4.7, True, False),  # counts from zero again
        (4.69, True, False),
        (9.0, False, False),
        (4.68, True, True),
    ):
        assert monitor.update(loss) is best
        assert monitor.stalled is stalled


def test_verbose_tells_epoch_loss_and_time_left(capsys):
    X, y = series()
    RNNRegressor("elman", (3,), max_iter=3, verbose=2).fit(X, y)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("RNNRegressor: epoch 1/3, loss ")
    assert "left" in lines[0]
    RNNRegressor("elman", (3,), max_iter=3).fit(X, y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("n_steps", [0, 7, 8])
def test_an_interrupted_fit_keeps_the_best_weights(monkeypatch, n_steps):
    X, y = series(40)
    params = {"learning_rate": 0.3, "bptt_steps": 20, "tol": None, "random_state": 0}
    reference, curve = [], []
    net = RNNRegressor("lstm", (4,), max_iter=1, warm_start=True, **params)
    for _ in range(4):
        reference.append(flat(net.fit(X, y)))
    curve = net.loss_curve_
    plain = Adam.step
    done = []

    def step(self, *arguments):
        if len(done) == n_steps:
            raise KeyboardInterrupt
        done.append(1)
        plain(self, *arguments)

    monkeypatch.setattr(Adam, "step", step)
    net = RNNRegressor("lstm", (4,), max_iter=50, **params)
    with pytest.warns(UserWarning, match=f"interrupted after {n_steps // 2} of 50 epochs"):
        assert net.fit(X, y) is net
    assert net.n_iter_ == n_steps // 2
    if n_steps:
        best = reference[int(np.argmin(curve[: n_steps // 2]))]
        np.testing.assert_array_equal(flat(net), best)
    assert np.isfinite(net.predict(X)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_divergence_says_where_and_what_to_change(dtype):
    X, y = series()
    X = X.astype(dtype)
    net = RNNRegressor("elman", (4,), activation="relu", optimizer="sgd", learning_rate=1e30)
    net.set_params(clip_norm=None, bptt_steps=5, random_state=0)
    with pytest.raises(DivergenceError) as caught:
        net.fit(X, y)
    text = str(caught.value)
    assert "RNNRegressor diverged in epoch 1 at optimizer step" in text
    assert "learning_rate=1e+30" in text
    assert "Lower learning_rate" in text
    assert "clip_norm=1.0" in text
    assert caught.value.step >= 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cell": "transformer"}, "'cell' parameter"),
        ({"hidden_sizes": ()}, "at least one positive int"),
        ({"hidden_sizes": (3, 0)}, "at least one positive int"),
        ({"activation": "relu"}, "activation='relu' is for cell='elman'"),
        ({"momentum": 0.9}, "optimizer='sgd'"),
        ({"optimizer": "sgd", "nesterov": True}, "needs momentum"),
        ({"clip_norm": 0.0}, "'clip_norm' parameter"),
        ({"bptt_steps": 0}, "'bptt_steps' parameter"),
        ({"early_stopping": True}, "partial_fit has no early_stopping"),
    ],
)
def test_what_cannot_be_honoured_is_refused(params, message):
    X, y = series(10)
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**params).partial_fit(X, y)
