"""Suites, and tasks and models of one's own."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

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
from reservoir.evaluation._protocol import choose, run

PEERS = ["padasip_nlms", "padasip_rls", "reservoirpy_esn", "torch_elman", "torch_lstm"]

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


# ---- names ---------------------------------------------------------------------------------------


def test_every_name_is_registered_once():
    assert max(Counter([*TASKS, *MODELS]).values()) == 1
    assert isinstance(TASKS["narma10"], Task)
    assert isinstance(MODELS["esn"], Model)
    assert isinstance(TASKS["narma10"].metric, Metric)
    assert isinstance(TASKS["narma10"].make(0, True), Problem)
