"""The speed suite and other people's libraries."""

import numpy as np
from sklearn.linear_model import Ridge

from filters import NLMSFilter, RLSFilter
from filters.timeseries import nrmse
from reservoir import ESNRegressor, Reservoir
from reservoir.__main__ import main
from reservoir.evaluation import MODELS, TASKS, _suites, compare
from reservoir.evaluation import _speed as speed
from reservoir.evaluation._protocol import choose
from reservoir.evaluation._work import Jobs, Pair
from reservoir.evaluation.peers._padasip import PadasipFilter
from reservoir.evaluation.peers._reservoirpy import ReservoirpyESN


def test_interleaved_rows_come_seed_by_seed_after_all_choices():
    pairs = [Pair(TASKS["narma10"], MODELS[name], [0, 1]) for name in ("linear", "rls")]
    jobs = Jobs(pairs, interleaved=True)
    taken = []
    while jobs:
        pair, seed = jobs.take()
        taken.append((pair.model.name, seed))
        if seed is None:
            pair.choice = choose(TASKS["narma10"], MODELS["persistence"], True)
            jobs.know(pair)
    assert taken == [
        ("linear", None), ("rls", None), ("linear", 0), ("rls", 0), ("linear", 1), ("rls", 1),
    ]  # fmt: skip


def noise(n=300):
    problem = speed._make(n, 0, False)
    return problem.X_train, problem.y_train


def test_plain_loops_do_the_same_work_as_the_filters():
    X, y = noise()
    ours = NLMSFilter(8, step_size=0.5, regularization=1e-3).fit(X, y).coef_
    np.testing.assert_allclose(speed.nlms_loop(X, y, n_taps=8), ours.ravel(), rtol=1e-9, atol=1e-12)
    ours = RLSFilter(8, forgetting_factor=0.999, delta=1e-2).fit(X, y).coef_
    np.testing.assert_allclose(speed.rls_loop(X, y, n_taps=8), ours.ravel(), rtol=1e-7, atol=1e-10)


def test_plain_loops_do_the_same_work_as_the_reservoir():
    X, y = noise(900)
    states = speed._our_drive().fit(X, y).states_
    np.testing.assert_allclose(speed._loop_drive().fit(X, y).states_, states, rtol=1e-7, atol=1e-9)
    model = ESNRegressor(speed._UNITS, spectral_radius=speed._RADIUS, random_state=0).fit(X, y)
    columns = np.hstack([states, X])
    columns -= columns.mean(axis=0)
    loop = columns @ speed.esn_loop(X, y) + y.mean()
    assert nrmse(model.predict(X), loop) < 1e-4


def test_speed_is_rows_a_second(tmp_path):
    frame = compare("nlms_32", out=tmp_path, suite="speed", quick=True, seeds=[0], verbose=0)
    assert frame["model"].tolist() == ["ours", "numpy"]
    np.testing.assert_allclose(frame["value"], 5000 / frame["fit_seconds"], rtol=1e-9)
    assert frame["value"][0] > 3 * frame["value"][1]
    assert "rows a second" in (tmp_path / "report.html").read_text().lower()


def test_absent_peers_are_named_not_hidden(tmp_path, capsys, monkeypatch):
    there = _suites.is_installed
    monkeypatch.setattr(
        _suites, "is_installed", lambda name: name not in ("torch", "padasip") and there(name)
    )
    words = ["compare", "--quick", "--tasks", "sunspots", "--models", "linear", "--seeds", "0"]
    assert main([*words, "--peers", "--out", str(tmp_path)]) == 0
    said = "padasip, torch"
    assert f"left out: {said}" in capsys.readouterr().err
    for name in ("report.html", "report.md"):
        assert f"not in this report: {said}." in (tmp_path / name).read_text()
    assert main([*words, "--models", "torch_lstm", "--out", str(tmp_path / "never")]) == 2
    assert "reservoir-filters[peers]" in capsys.readouterr().err


def test_padasip_filters_stand_behind_the_same_interface():
    X, y = noise()
    theirs = PadasipFilter("nlms", 8, 0.5).fit(X, y)
    ours = NLMSFilter(8, step_size=0.5, regularization=1e-3).fit(X, y)
    np.testing.assert_allclose(theirs.coef_.ravel(), ours.coef_.ravel(), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(theirs.predict(X), ours.predict(X), rtol=1e-6, atol=1e-9)
    again = theirs.adapt(X, y).output
    np.testing.assert_allclose(again[8:], ours.adapt(X[:, 0], y).output[8:], rtol=1e-6, atol=1e-8)
    both = np.column_stack([y, -y])
    assert PadasipFilter("rls", 8, 0.999).fit(X, both).predict([X, X])[1].shape == both.shape


def test_reservoirpy_network_is_ours_given_its_matrices():
    X, y = noise()
    parameters = {"spectral_radius": 0.8, "leak_rate": 0.7, "bias_scaling": 0.3}
    theirs = ReservoirpyESN(30, **parameters, alpha=1e-3, washout=20).fit(X, y)
    node = theirs.reservoir_
    ours = Reservoir(
        30,
        topology=np.asarray(node.W.todense() if hasattr(node.W, "todense") else node.W),
        spectral_radius=None,
        input_weights=np.asarray(node.Win.todense() if hasattr(node.Win, "todense") else node.Win),
        bias=np.asarray(node.bias).ravel(),
        leak_rate=0.7,
    ).fit(X)
    columns = np.hstack([ours.transform(X), X])
    np.testing.assert_allclose(theirs._columns(X), columns, rtol=1e-9, atol=1e-12)
    ridge = Ridge(alpha=1e-3).fit(columns[20:], y[20:])
    assert nrmse(ridge.predict(columns), theirs.predict(X)) < 0.05
    series = ReservoirpyESN(30, alpha=1e-6).fit(X[:-1], X[1:])
    first, second = series.forecast(3, context=[X[:50], X[:60]])
    np.testing.assert_allclose(first[0], series.predict(X[:50])[-1], rtol=1e-9)
    assert second.shape == (3, 1)
