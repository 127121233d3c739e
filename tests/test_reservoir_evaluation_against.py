"""The comparison with an earlier run."""

import re

import pandas as pd
import pytest

from reservoir.__main__ import main
from reservoir.evaluation import UsageError
from reservoir.evaluation._against import changes, read_rows, verdict

CHEAP = ["compare", "--quick", "--tasks", "sunspots", "--models", "persistence,linear"]
CHEAP += ["--jobs", "1"]


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
