"""The command line: what it prints, writes and returns."""

import os
import re
import signal
import subprocess
import sys

import pandas as pd
import pytest

import reservoir.evaluation as evaluation
from reservoir.__main__ import main

TASKS = ["narma10", "mackey_glass", "lorenz", "sunspots", "ecg_hum", "japanese_vowels"]
MODELS = ["persistence", "linear", "nlms", "rls", "esn", "elman", "lstm"]
CHEAP = ["compare", "--quick", "--tasks", "sunspots", "--models", "persistence,linear"]


def one_line(text):
    assert text.count("\n") == 1
    assert text.startswith("reservoir: ")
    return text


def test_list_names_tasks_and_models(capsys):
    assert main(["compare", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"task {name}" for name in TASKS] + [f"model {name}" for name in MODELS]


def test_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"reservoir-filters \S+\n", capsys.readouterr().out)


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "compare" in capsys.readouterr().out


def test_compare_writes_tables_and_page(tmp_path, capsys):
    assert main([*CHEAP, "--seeds", "0", "--out", str(tmp_path), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    frame = pd.read_csv(tmp_path / "results.csv")
    assert frame["model"].tolist() == ["persistence", "linear"]
    assert "reservoir compare --quick --tasks sunspots" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tasks", "sunspot"], "unknown task 'sunspot'; there are: narma10, mackey_glass"),
        (["--models", "linear,foo,bar"], "unknown model 'foo', 'bar'; there are: persistence"),
        (["--tasks", ""], "no task given"),
        (["--seeds", "a"], "--seeds takes whole numbers"),
        (["--seeds", "-1"], "seeds must be whole numbers"),
        (["--jobs", "0"], "jobs must be at least 1"),
    ],
)
def test_wrong_words_are_one_line_and_code_2(tmp_path, capsys, words, said):
    assert main([*CHEAP, "--out", str(tmp_path / "out"), *words]) == 2
    assert said in one_line(capsys.readouterr().err)


def test_unusable_folder_is_one_line_and_code_2(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main([*CHEAP, "--out", str(out)]) == 2
        assert "cannot write to the folder" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (evaluation.OutputError(28, "cannot write 'results.csv': No space left on device"), 1),
        (ImportError('the report needs jinja2: pip install "reservoir-filters[report]"'), 1),
        (evaluation.Interrupted("interrupted: 1 of 2 rows are finished"), 130),
    ],
)
def test_what_stops_a_run_is_one_line_and_its_code(monkeypatch, capsys, error, code):
    def stop(*args, **kwargs):
        raise error

    monkeypatch.setattr(evaluation, "compare", stop)
    assert main(CHEAP) == code
    said = error.strerror if isinstance(error, OSError) else str(error)
    assert one_line(capsys.readouterr().err) == f"reservoir: {said}\n"


def test_ctrl_c_ends_the_workers_and_the_next_run_goes_on(tmp_path):
    words = [*CHEAP, "--out", str(tmp_path), "--seeds", ",".join(map(str, range(400)))]
    command = [sys.executable, "-m", "reservoir", *words, "--jobs", "2"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
        rest = process.stderr.read()
    assert process.returncode == 130
    assert first.startswith("[")
    assert "Traceback" not in rest
    last = rest.splitlines()[-1]
    n_done = int(re.search(r"interrupted: (\d+) of 800 rows are finished", last)[1])
    frame = pd.read_csv(tmp_path / "results.csv")
    assert 1 <= n_done <= len(frame) < 800
    assert frame["status"].tolist() == ["ok"] * len(frame)
    seeds = str(frame["seed"].iloc[0])
    model = frame["model"].iloc[0]
    assert (
        main(
            [
                "compare",
                "--quick",
                "--tasks",
                "sunspots",
                "--models",
                model,
                "--seeds",
                seeds,
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    assert len(pd.read_csv(tmp_path / "results.csv")) == len(frame)
