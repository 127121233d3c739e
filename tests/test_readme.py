"""README's promises: its commands are where CI finds them, its example runs as pasted."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from reservoir.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
    assert (ROOT / path).is_file()


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 5
    assert not [link for link in links if "://" not in link and not (ROOT / link).is_file()]


def table(text, first):
    """The rows of the table whose header begins with `first`, as dicts."""
    lines = text[text.index(f"\n| {first} |") + 1 :].split("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_table_of_results_is_that_of_the_committed_sheet():
    sheet = (ROOT / "examples/benchmarks/results/quick/report.md").read_text(encoding="utf-8")
    committed = {row["task"]: row for row in table(sheet[sheet.index("## Summary") :], "task")}
    shown = table(README, "task")
    assert len(shown) == len(committed) == 6
    for row in shown:
        for column, value in row.items():
            of_sheet = committed[row["task"]][column]
            if column != "metric":
                of_sheet = re.sub(r" \(.*\)$", "", of_sheet)
            assert value == of_sheet


@pytest.fixture(scope="module")
def own():
    """What README's filter, topology and task define, each block alone."""
    scopes = {}
    for kind, block in zip(("filter", "topology", "task"), blocks("python3"), strict=True):
        if kind != "task":  # the suites' tests register and run that one
            scopes[kind] = {}
            exec(compile(block, "README.md", "exec"), scopes[kind])
    return scopes


def test_a_filter_of_ones_own_identifies_a_plant(own):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (20_000, 2))
    y = 2 * x[:, 0] - np.r_[0.0, x[:-1, 1]] + 0.1 * rng.uniform(-1, 1, 20_000)
    cls = own["filter"]["LMFFilter"]
    fitted = cls(n_taps=2, step_size=0.05).fit(x, y)
    np.testing.assert_allclose(fitted.coef_, [[2, 0], [0, -1]], rtol=0, atol=0.01)
    session = cls(n_taps=2, step_size=0.05).stream()
    one_by_one = [session.learn_one(*pair) for pair in zip(x[:50], y[:50], strict=True)]
    np.testing.assert_array_equal(one_by_one, cls(n_taps=2, step_size=0.05).adapt(x, y)[0][:50])


def test_a_topology_of_ones_own_is_scaled(own):
    model = own["topology"]["model"]
    x = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    weights = model.fit(x, x[:, 0]).reservoir_.recurrent_weights_
    radius = np.abs(np.linalg.eigvals(weights.toarray())).max()
    np.testing.assert_allclose(radius, 0.95, rtol=1e-12)
