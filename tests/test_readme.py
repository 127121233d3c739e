"""README's promises: its commands are where CI finds them, its example runs as pasted."""

import re
import shlex
from pathlib import Path

import pytest

from reservoir.__main__ import main

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.M | re.S)


def test_readme_has_exactly_two_commands():
    install_and_run, install_and_test = (block.strip() for block in blocks("sh")[:2])
    assert install_and_run.endswith("reservoir compare")
    assert "pytest" in install_and_test
    assert "\n" not in install_and_run
    assert "\n" not in install_and_test


def test_readme_example_runs_as_pasted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 24
    scope = {}
    exec(compile(example, "README.md", "exec"), scope)
    assert scope["accuracy"] > 0.97
    assert scope["gain"] > 10


@pytest.mark.parametrize("words", ["reservoir compare"])
def test_readme_command_is_understood(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*shlex.split(words)[1:], "--help"])
    assert stopped.value.code == 0
    assert "--tasks" in capsys.readouterr().out


def test_readme_picture_is_there():
    (path,) = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert (Path(__file__).resolve().parents[1] / path).is_file()
