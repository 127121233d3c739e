"""Suites, registered files, locks, peers, and the comparison with an earlier run."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from filters import NLMSFilter, RLSFilter
from filters.timeseries import nrmse
from reservoir import ESNRegressor, Reservoir
from reservoir.__main__ import main
from reservoir.evaluation import (
    MODELS,
    SUITES,
    TASKS,
    Metric,
    Model,
    Problem,
    Task,
    UsageError,
    _suites,
    compare,
    contents,
)
from reservoir.evaluation import _speed as speed
from reservoir.evaluation._against import changes, read_rows, verdict
from reservoir.evaluation._lock import FolderLock
from reservoir.evaluation._protocol import choose, run
from reservoir.evaluation._work import Jobs, Pair
from reservoir.evaluation.peers._padasip import PadasipFilter
from reservoir.evaluation.peers._reservoirpy import ReservoirpyESN

PEERS = ["padasip_nlms", "padasip_rls", "reservoirpy_esn", "torch_elman", "torch_lstm"]
CHEAP = ["compare", "--quick", "--tasks", "sunspots", "--models", "persistence,linear"]
CHEAP += ["--jobs", "1"]


# ---- suites -----------------------------------------------------------------------------------


def test_every_suite_has_tasks_and_every_task_a_suite():
    for suite in SUITES:
        assert contents(suite)[0], suite
    for task in TASKS.values():
        assert task.suites
        assert set(task.suites) <= set(SUITES), task.name


def test_default_suite_is_the_six_tasks_and_seven_models():
    tasks, models = contents()
    assert tasks == [
        "narma10", "mackey_glass", "lorenz", "sunspots", "ecg_hum", "japanese_vowels",
    ]  # fmt: skip
    assert models == ["persistence", "linear", "nlms", "rls", "esn", "elman", "lstm"]


def test_peers_are_run_on_request_only(monkeypatch):
    monkeypatch.setattr(_suites, "is_installed", lambda package: True)
    assert [name for name in contents(peers=True)[1] if name not in contents()[1]] == PEERS
    assert contents("speed")[1] == ["ours", "numpy"]
    assert contents("speed", peers=True)[1][2:] == ["padasip", "reservoirpy", "torch"]


def test_unknown_suite_is_one_line_and_code_2(capsys):
    assert main(["compare", "--suite", "foo"]) == 2
    assert "unknown suite 'foo'; there are: quick, forecasting" in capsys.readouterr().err


def test_list_follows_the_suite(capsys):
    assert main(["compare", "--list", "--suite", "forecasting"]) == 0
    tasks = [line[5:] for line in capsys.readouterr().out.splitlines() if line[:5] == "task "]
    assert tasks == ["mackey_glass", "lorenz", "sunspots", "mackey_glass_30", "mso5"]


def test_budget_without_its_suite_is_refused(tmp_path):
    with pytest.raises(UsageError, match="published suite"):
        compare("sunspots", "linear", out=tmp_path, budget=3.0)


def score(task, model):
    task, model = TASKS[task], MODELS[model]
    return run(task, model, choose(task, model, True).params, 0, True).value


@pytest.mark.parametrize(
    ("task", "model", "low", "high"),
    [
        ("recall", "linear", 0.98, 1.05),  # no linear memory can multiply
        ("recall", "persistence", 0.98, 1.05),
        ("mso5", "linear", 0.0, 1e-4),  # a recursion of order ten
        ("temporal_order", "linear", 0.68, 0.82),  # sees which symbols, not in which order
        ("mackey_glass_tau", "persistence", 1 / 3, 1 / 3),
        ("echo", "persistence", -22.0, -18.0),
        ("echo", "rls", -5.0, 20.0),
        ("voice_rotor", "persistence", -11.0, -9.0),
        ("voice_rotor", "rls", 3.0, 30.0),
    ],
)
def test_plain_models_reach_the_floors_of_the_suites(task, model, low, high):
    assert low <= score(task, model) <= high


# ---- a task and a model of one's own -------------------------------------------------------------

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
*_, MINE = re.findall(r"^```python3\n(.*?)^```$", README, flags=re.M | re.S)


@pytest.fixture
def registered():
    before = [(registry, dict(registry)) for registry in (TASKS, MODELS)]
    yield
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_file_of_ones_own_registers_a_task_and_a_model(registered, tmp_path, jobs):
    statements = MINE.split("\n\n", 1)[1]
    assert len([line for line in statements.splitlines() if line]) <= 10
    (tmp_path / "mine.py").write_text(MINE)
    words = ["compare", "--register", str(tmp_path / "mine.py"), "--tasks", "late"]
    words += ["--models", "linear,ridge", "--seeds", "0", "--jobs", jobs]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    frame = pd.read_csv(tmp_path / "out" / "results.csv").set_index("model")
    assert frame.loc["linear", "value"] < 0.01
    assert frame.loc["ridge", "value"] > 0.9
    assert "Does it remember?" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("text", ["1 / 0", None])
def test_file_that_cannot_be_registered_is_one_line_and_code_2(tmp_path, capsys, text):
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    assert main(["compare", "--register", str(tmp_path / "mine.py"), "--list"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "mine.py" in said


COMMANDS = re.findall(r"^(reservoir compare.*?)(?:  .*)?$", README, flags=re.M)


def test_report_section_of_readme_has_three_commands_that_are_understood(tmp_path, capsys):
    section = README[README.index("## The report") :]
    commands = [line for line in COMMANDS if line in section]
    assert len(commands) == 3
    for command in commands:
        assert main([*command.split()[1:], "--list"]) == 0
        assert "task " in capsys.readouterr().out


# ---- one run at a time ---------------------------------------------------------------------------


def test_second_run_on_a_folder_is_refused_and_the_lock_goes_away(tmp_path, capsys):
    with FolderLock(tmp_path):
        assert main([*CHEAP, "--out", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert f"another run (process {os.getpid()}) is writing to" in said
        assert said.count("\n") == 1
        assert not (tmp_path / "results.csv").exists()
    assert main([*CHEAP, "--out", str(tmp_path)]) == 0
    assert not (tmp_path / ".lock").exists()


def test_lock_and_half_files_of_a_killed_run_block_nobody(tmp_path):
    program = (
        "import pathlib, sys, time; from reservoir.evaluation._lock import FolderLock;"
        "lock = FolderLock(pathlib.Path(sys.argv[1])).__enter__(); print('held', flush=True);"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {holder.pid}"):
            compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)
        holder.send_signal(signal.SIGKILL)
    assert (tmp_path / ".lock").exists()
    (tmp_path / ".results.csv.part").write_text("half a ro")
    frame = compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)
    assert frame["status"].tolist() == ["ok"] * 3
    assert not list(tmp_path.rglob("*.part"))


def test_workers_do_not_outlive_a_run_that_is_killed(tmp_path):
    program = (
        "import os, time; from reservoir.evaluation._workers import start_workers;"
        "workers = start_workers(2); print(workers.submit(os.getpid).result(), flush=True);"
        "futures = [workers.submit(time.sleep, 60) for _ in range(2)]; time.sleep(60)"
    )
    command = [sys.executable, "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    deadline = time.monotonic() + 30.0
    while _is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(worker)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_read_only_disk_is_one_line_and_code_1(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    assert main([*CHEAP, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Read-only file system" in said


# ---- against an earlier run ----------------------------------------------------------------------


def rows(values, *, model="a", greater=False, config="x", seconds=1.0):
    return pd.DataFrame(
        {
            "task": "t",
            "model": model,
            "seed": range(len(values)),
            "metric": "m",
            "value": values,
            "greater_is_better": greater,
            "fit_seconds": seconds,
            "config": config,
        }
    )


def test_changes_are_paired_by_seed_and_judged():
    before = pd.concat([rows([1.0, 2.0, 3.0]), rows([1.0], model="gone")])
    now = pd.concat([rows([0.5, 1.5, 2.5, 9.0], seconds=3.0), rows([1.0], model="new")])
    found = changes(before, now).set_index("model")
    assert found["verdict"].to_dict() == {
        "a": "better on every seed", "new": "new", "gone": "gone",
    }  # fmt: skip
    assert found.loc["a", ["before", "now", "n_seeds"]].tolist() == [2.0, 1.5, 3]
    assert found.loc["a", "change_percent"] == pytest.approx(-25.0)
    assert found.loc["a", "seconds_ratio"] == 3.0


@pytest.mark.parametrize(
    ("before", "now", "greater", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], False, "same"),
        ([1.0, 2.0], [0.5, 1.0], False, "not told apart"),  # two seeds prove nothing
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], True, "better on every seed"),
        ([1.0] * 6, [2.0, 2.1, 2.2, 2.3, 2.4, 2.5], False, "worse"),
        ([1.0] * 6, [2.0, 2.1, 2.2, 2.3, 0.4, 0.5], False, "not told apart"),
    ],
)
def test_verdict_says_no_more_than_the_seeds(before, now, greater, said):
    pairs = dict(enumerate(before)), dict(enumerate(now))
    assert verdict(*pairs, greater=greater) == said


def test_report_against_an_earlier_run(tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    assert main([*CHEAP, "--out", str(old)]) == 0
    frame = pd.read_csv(old / "results.csv")
    worse = frame["model"] == "linear"
    frame.loc[worse, "value"] *= 2.0
    frame.to_csv(old / "results.csv", index=False)
    assert main([*CHEAP, "--out", str(new), "--against", str(old)]) == 0
    table = pd.read_csv(new / "against.csv").set_index("model")
    assert table.loc["linear", "verdict"] == "better on every seed"
    assert table.loc["linear", "change_percent"] == pytest.approx(-50.0)
    assert table.loc["persistence", "verdict"] == "same"
    for name in ("report.html", "report.md"):
        assert "1 better on every seed, 1 same" in (new / name).read_text() or (
            "1 same, 1 better on every seed" in (new / name).read_text()
        )


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n"])
def test_earlier_run_that_cannot_be_read_is_refused_before_any_work(tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "results.csv").write_text(content)
    out = tmp_path / "never"
    assert main([*CHEAP, "--out", str(out), "--against", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()
    with pytest.raises(UsageError, match=re.escape("results.csv")):
        read_rows(tmp_path)


# ---- order of work -------------------------------------------------------------------------------


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


# ---- speed ---------------------------------------------------------------------------------------


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


# ---- peers ---------------------------------------------------------------------------------------


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


def test_every_name_is_registered_once():
    assert max(Counter([*TASKS, *MODELS]).values()) == 1
    assert isinstance(TASKS["narma10"], Task)
    assert isinstance(MODELS["esn"], Model)
    assert isinstance(TASKS["narma10"].metric, Metric)
    assert isinstance(TASKS["narma10"].make(0, True), Problem)
