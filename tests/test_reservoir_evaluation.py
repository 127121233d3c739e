"""The comparison: rows, runs that resume, one protocol, an honest report."""

import importlib.util
import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from tiny_evaluation import CALLS, model, run, tiny_registry

from reservoir.evaluation import (
    MODELS,
    Problem,
    UsageError,
    _report,
    compare,
)
from reservoir.evaluation._protocol import choose


@pytest.fixture
def tiny():
    with tiny_registry() as task:
        yield task


@pytest.fixture
def unread(tiny, monkeypatch):
    """As `tiny`; nobody reads the report, so none is drawn."""
    monkeypatch.setattr(_report, "write_report", lambda store, run: store.folder)
    return tiny


def test_resume_runs_nothing_and_gives_the_same_rows(tiny, tmp_path):
    first = run(tmp_path, ["ridge"])
    assert len(CALLS) == 3
    text = (tmp_path / "results.csv").read_text()
    second = run(tmp_path, ["ridge"])
    assert len(CALLS) == 3
    pd.testing.assert_frame_equal(first, second)
    assert (tmp_path / "results.csv").read_text() == text


def test_resume_adds_seeds_with_the_parameters_already_chosen(unread, tmp_path):
    run(tmp_path, ["ridge"], seeds=[0])
    both = run(tmp_path, ["ridge"], seeds=[0, 5])
    fresh = run(tmp_path / "other", ["ridge"], seeds=[5])
    assert both["seed"].tolist() == [0, 5]
    assert both["value"][1] == fresh["value"][0]
    assert both["search_seconds"].nunique() == 1


def test_frame_holds_what_was_asked_for_and_the_file_everything(unread, tmp_path):
    run(tmp_path, ["ridge"], seeds=[0, 1])
    asked = run(tmp_path, ["ridge"], seeds=[1])
    assert asked["seed"].tolist() == [1]
    assert pd.read_csv(tmp_path / "results.csv")["seed"].tolist() == [0, 1]


def test_columns_and_types_of_the_file(unread, tmp_path):
    frame = run(tmp_path, ["ridge"], seeds=[3])
    row = pd.read_csv(tmp_path / "results.csv").iloc[0]
    assert (row["task"], row["model"], row["seed"], row["metric"]) == ("tiny", "ridge", 3, "RMSE")
    assert json.loads(row["params"]) == {"alpha": 1e-3}
    assert row["value"] == pytest.approx(frame["value"][0], rel=1e-12)
    assert row["value"] < 0.2
    assert row["n_parameters"] == 3
    assert not row["greater_is_better"]
    assert row["status"] == "ok"
    assert row["fit_seconds"] > 0
    assert row["predict_seconds"] > 0


def test_failing_model_marks_its_rows_and_the_rest_goes_on(tiny, tmp_path):
    frame = run(tmp_path, ["broken", "ridge"])
    broken, ridge = frame[frame["model"] == "broken"], frame[frame["model"] == "ridge"]
    assert (broken["status"] == "failed").all()
    assert broken["value"].isna().all()
    assert broken["note"].tolist() == ["RuntimeError: the cat is on the keyboard"] * 3
    assert (ridge["status"] == "ok").all()
    assert "the cat is on the keyboard" in (tmp_path / "report.html").read_text()


def test_warnings_of_a_model_stand_in_its_note(unread, tmp_path, monkeypatch):
    class Grumbles(Ridge):
        def predict(self, X):
            warnings.warn("the weather is bad\nand so on", UserWarning, stacklevel=2)
            return super().predict(X)

    monkeypatch.setitem(MODELS, "grumbles", model("grumbles", Grumbles))
    frame = run(tmp_path, ["grumbles"], seeds=[0])
    assert frame[["status", "note"]].values.tolist() == [["ok", "the weather is bad"]]


def test_failed_rows_are_tried_again(unread, tmp_path, monkeypatch):
    run(tmp_path, ["broken"])
    monkeypatch.setitem(MODELS, "broken", model("broken", Ridge))
    assert run(tmp_path, ["broken"])["status"].tolist() == ["ok"] * 3


def test_senseless_pair_is_a_row_with_its_reason(tiny, tmp_path):
    frame = run(tmp_path, ["senseless", "ridge"])
    row = frame[frame["model"] == "senseless"].iloc[0]
    assert np.isnan(row["value"])
    assert (row["status"], row["note"]) == ("unsuited", "it cannot count")
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "it cannot count" in text
        assert re.search(r"makes(<br>| )no sense", text)


def test_parameters_are_chosen_on_the_training_part_only(tiny):
    spoiled = replace(tiny, make=lambda seed, quick: spoil(tiny.make(seed, quick)))
    ridge = MODELS["ridge"]
    assert choose(tiny, ridge, False).params == {"alpha": 1e-3}
    assert choose(spoiled, ridge, False).params == {"alpha": 1e-3}


def spoil(problem):
    X_test = problem.X_test.copy()
    X_test[60:] = np.nan
    return Problem(problem.X_train, problem.y_train, X_test, -1e9 * problem.y_test, context=60)


def test_choosing_passes_over_a_candidate_that_fails(tiny):
    # Ridge refuses a negative penalty; the choice falls on the other one.
    shaky = model("shaky", Ridge, [{"alpha": -1.0}, {"alpha": 1.0}])
    assert choose(tiny, shaky, False).params == {"alpha": 1.0}
    with pytest.raises(ValueError, match="alpha"):
        choose(tiny, model("bad", Ridge, [{"alpha": -1.0}, {"alpha": -2.0}]), False)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"tasks": "sunpots"}, "unknown task 'sunpots'; there are: tiny"),
        ({"models": ["ridge", "lstmm"]}, "unknown model 'lstmm'; there are: ridge, broken"),
        ({"models": []}, "no model given"),
        ({"seeds": [-1]}, "seeds must be whole numbers"),
        ({"seeds": [0.5]}, "seeds must be whole numbers"),
        ({"seeds": []}, "seeds must be whole numbers"),
        ({"n_jobs": 0}, "jobs must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(unread, tmp_path, kwargs, said):
    out = tmp_path / "never"
    with pytest.raises(UsageError, match=re.escape(said)):
        compare(**{"out": out, "verbose": 0, **kwargs})
    assert not out.exists()


def test_folder_that_cannot_be_used_is_refused(unread, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write to the folder"):
        run(tmp_path / "file", ["ridge"])
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="not a results file"):
        run(tmp_path, ["ridge"])


def test_rows_of_another_configuration_are_not_mixed_in(unread, tmp_path, monkeypatch):
    run(tmp_path, ["ridge"], seeds=[0])
    with pytest.raises(UsageError, match="another configuration"):
        run(tmp_path, ["ridge"], seeds=[0], quick=True)
    monkeypatch.setitem(MODELS, "ridge", model("ridge", Ridge, [{"alpha": 7.0}]))
    with pytest.raises(UsageError, match="another configuration"):
        run(tmp_path, ["ridge"], seeds=[1])


def test_missing_extra_is_named_before_any_work(unread, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "jinja2" else find(name),
    )
    with pytest.raises(ImportError, match=re.escape('pip install "reservoir-filters[report]"')):
        run(tmp_path / "never", ["ridge"])
    assert not (tmp_path / "never").exists()


def test_page_is_self_contained_and_says_what_counts(tiny, tmp_path):
    run(tmp_path, ["ridge", "broken", "senseless"], command="reservoir compare --models ridge")
    page = (tmp_path / "report.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", page)
    assert not re.findall(r"url\((?!#)", page)
    assert "@import" not in page
    assert "<script" not in page
    assert page.count("<svg ") >= 2
    for words in ("prefers-color-scheme", "sqrt(mean(e^2))", "--models ridge", "numpy", "0, 1, 2"):
        assert words in page
    assert "| **ridge** | family of ridge | 3 |" in (tmp_path / "report.md").read_text()


def test_report_is_drawn_again_from_plain_files(tiny, tmp_path):
    run(tmp_path, ["ridge"], seeds=[0])
    page = (tmp_path / "report.html").read_text()
    (tmp_path / "report.html").unlink()
    run(tmp_path, ["ridge"], seeds=[0])
    drawn = re.compile(r"<svg .*?</svg>", re.DOTALL)
    assert drawn.findall((tmp_path / "report.html").read_text()) == drawn.findall(page)


def test_a_line_of_progress_a_row(unread, tmp_path, capsys):
    compare(None, ["ridge", "broken"], out=tmp_path, seeds=[0], n_jobs=1)
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"\[1/2\] tiny \w+ seed 0: .*; about \d+ s left", said.err)
    assert "failed: RuntimeError" in said.err


def test_number_of_jobs_changes_nothing_but_seconds(tmp_path):
    frames = [
        compare(
            ["sunspots", "japanese_vowels"],
            ["persistence", "linear"],
            seeds=[0, 1],
            out=tmp_path / str(n_jobs),
            quick=True,
            n_jobs=n_jobs,
            verbose=0,
        )
        for n_jobs in (1, 2)
    ]
    same = [name for name in frames[0] if not name.endswith("_seconds")]
    pd.testing.assert_frame_equal(frames[0][same], frames[1][same], check_exact=True)
