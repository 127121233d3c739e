"""Published figures through the command: rows, gates, pages, budgets."""

import json
import re

import pandas as pd
import pytest

from reservoir.evaluation import UsageError, compare
from reservoir.evaluation.published import (
    GOALS,
)
from reservoir.evaluation.published import _run as published_run
from reservoir.evaluation.published._goal import Figure, Goal, Measurement, as_metric, at_most

RUNS: list[tuple[int, dict]] = []
FAILS: set[int] = set()


def measured(seed, params):
    RUNS.append((seed, params))
    if seed in FAILS:
        raise RuntimeError("no luck")
    values = {"error": params["scale"] * (seed + 1.0), "n_parameters": 7}
    return values if seed else {**values, "extra": 5.0}


def goal(**more):
    error = as_metric("error", "scale (seed + 1)")
    figures = (
        Figure("error", "The error", error, "2.5", "A paper", 2.5, "median <= 3", at_most(3.0)),
        Figure("extra", "Another", error),
    )
    one = Measurement("it", measured, figures, n_seeds=3, choose=lambda: {"scale": 1.5}, **more)
    return Goal("tiny", "T. Tiny", "Why?", "None.", "Short.", (one,), lambda values: ["A remark."])


@pytest.fixture
def tiny(monkeypatch):
    RUNS.clear()
    FAILS.clear()
    before = dict(GOALS)
    GOALS.clear()
    GOALS["tiny"] = goal()
    yield
    GOALS.clear()
    GOALS.update(before)


def run(out, **more):
    return compare(suite="published", out=out, n_jobs=1, verbose=0, **more)


def test_published_goal_gives_rows_gates_and_pages(tiny, tmp_path):
    frame = run(tmp_path)
    ours = frame[frame["model"] == "error"]
    assert ours["seed"].tolist() == [0, 1, 2]
    assert ours["value"].tolist() == [1.5, 3.0, 4.5]
    assert ours["n_parameters"].tolist() == [7.0] * 3
    assert [json.loads(text) for text in ours["params"]] == [{"scale": 1.5}] * 3
    gates = pd.read_csv(tmp_path / "gates.csv").set_index("figure")
    assert gates.loc["error", "verdict"] == "MET"
    assert gates.loc["error", "median"] == 3.0
    assert gates.loc["extra", "n_seeds"] == 1
    page, text = ((tmp_path / name).read_text() for name in ("report.html", "report.md"))
    for said in ("1 of 1 gates met", "A paper", "A remark.", "1.50 3.00 4.50", "numpy"):
        assert said in page
        assert said in text
    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", page)
    assert "<script" not in page


def test_published_gate_that_is_missed_is_said_with_every_seed(tiny, tmp_path):
    run(tmp_path, seeds=[2, 3])
    text = (tmp_path / "report.md").read_text()
    assert "0 of 1 gates met" in text
    assert "**NOT MET**" in text
    assert "not met: The error" in text
    assert "4.50 6.00" in text
    assert "<details open>" in (tmp_path / "report.html").read_text()


def test_published_run_that_failed_misses_its_gate_and_is_tried_again(tiny, tmp_path):
    FAILS.add(1)
    frame = run(tmp_path)
    assert frame[frame["model"] == "error"]["status"].tolist() == ["ok", "failed", "ok"]
    assert "RuntimeError: no luck" in (tmp_path / "report.html").read_text()
    assert pd.read_csv(tmp_path / "gates.csv")["verdict"][0] == "NOT MET"
    FAILS.clear()
    RUNS.clear()
    run(tmp_path)
    assert RUNS == [(1, {"scale": 1.5})]
    assert pd.read_csv(tmp_path / "gates.csv")["verdict"][0] == "MET"


def test_published_resume_runs_nothing(tiny, tmp_path):
    first = run(tmp_path)
    RUNS.clear()
    pd.testing.assert_frame_equal(first, run(tmp_path))
    assert RUNS == []


def test_published_budget_is_asked_for_and_kept(tiny, tmp_path):
    GOALS["tiny"] = goal(budgeted=True)
    assert run(tmp_path).empty
    run(tmp_path, budget=12.0)
    assert RUNS[0] == (0, {"scale": 1.5, "budget": 12.0})
    RUNS.clear()
    assert len(run(tmp_path)) == 6  # without a budget what is there stays
    assert RUNS == []
    with pytest.raises(UsageError, match="with a budget of 12 s, not 30 s"):
        run(tmp_path, budget=30.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"models": "esn"}, "protocols of its own"),
        ({"peers": True}, "protocols of its own"),
        ({"quick": True}, "protocols of its own"),
        ({"tasks": "p99"}, "unknown task 'p99'; there are: tiny"),
        ({"budget": -1.0}, "seconds above 0"),
        ({"budget": float("nan")}, "seconds above 0"),
    ],
)
def test_published_refuses_what_does_not_apply(tiny, tmp_path, more, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        run(tmp_path / "never", **more)
    assert not (tmp_path / "never").exists()


def test_published_folder_is_not_mixed_with_another_suite(tiny, tmp_path):
    run(tmp_path)
    with pytest.raises(UsageError, match="another configuration"):
        compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)


def test_published_goals_are_well_formed():
    names = [figure.name for goal in GOALS.values() for figure in goal.figures]
    assert next(iter(GOALS)) == "p1_memory"
    for one in GOALS.values():
        assert one.figures
        own = [figure.name for figure in one.figures]
        assert len(own) == len(set(own))
        for figure in one.figures:
            assert bool(figure.gate) == (figure.met is not None), figure.name
            assert not figure.published or figure.source, figure.name
    assert len(names) > 50


def test_published_measurement_gives_the_figures_it_promises():
    found = published_run.measure_named("p5_nvar", "z", 0, {})
    promised = {f.name for f in GOALS["p5_nvar"].measurement("z_test").figures}
    assert set(found.values) == promised
    assert found.seconds > 0
