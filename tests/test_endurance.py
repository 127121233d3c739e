"""Endurance: what a long call may hold on to, and the scripts of examples/endurance in small."""

import runpy
import shutil
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from filters_under_test import FILTERS
from sklearn.base import clone

from filters import FrequencyDomainFilter, NLMSFilter, TapDelay, _base, _frequency, _recursion
from reservoir import ESNRegressor, MemoryRegressor, _esn
from reservoir.evaluation import compare


@pytest.mark.parametrize(
    "model",
    [
        ESNRegressor(3, random_state=0),
        MemoryRegressor(TapDelay(2)),
        NLMSFilter(2),
        FrequencyDomainFilter(8),
    ],
    ids=lambda model: type(model).__name__,
)
def test_fit_and_predict_hold_no_copy_of_the_rows(model):
    n = 1_000_000
    X = np.random.default_rng(0).standard_normal((n, 1))
    y = 0.5 * X[:, 0]
    model.fit(X[:5000], y[:5000])  # compiles
    tracemalloc.start()
    try:
        model.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes + y.nbytes
    model.predict(X[:10])
    tracemalloc.start()
    try:
        answer = model.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < answer.nbytes + X.nbytes


EVERY = {**FILTERS, "frequency": lambda n_taps: FrequencyDomainFilter(n_taps, block_size=5)}


@pytest.mark.parametrize("after", [0, 37])
@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_parts_of_a_long_call_change_no_bit(make, after, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(1000)
    d = 0.5 * x + 0.1 * rng.standard_normal(1000)

    def run():
        f = make(3)
        f.adapt(x[:after], d[:after]) if after else None
        output = f.adapt(x[after:], d[after:]).output
        fitted = clone(f).fit(x[:, None], d)
        return output, f.coef_, fitted.coef_, fitted.predict(x[:, None])

    whole = run()
    for module in (_recursion, _base, _frequency):
        monkeypatch.setattr(module, "AT_ONCE", 64)
    for one, other in zip(whole, run(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_of_a_long_forecast_change_no_bit(monkeypatch):
    t = np.arange(600)
    X = (np.sin(0.3 * t) + np.cos(0.7 * t))[:, np.newaxis]
    model = ESNRegressor([10, 5], alpha=1e-4, random_state=0).fit(X[:-1], X[1:])
    whole = model.forecast(400)
    monkeypatch.setattr(_esn, "_STEPS_AT_ONCE", 37)
    np.testing.assert_array_equal(model.forecast(400), whole)


# ---- the scripts ------------------------------------------------------------------------------

SCRIPTS = Path(__file__).resolve().parents[1] / "examples" / "endurance"


@pytest.mark.parametrize("name", ["long_streams", "memory", "threads"])
def test_script_holds_in_small(name, tmp_path, monkeypatch, capsys):
    out = tmp_path / "sheet.md"
    monkeypatch.setattr(sys, "argv", [name, "--quick", "--out", str(out)])
    monkeypatch.syspath_prepend(SCRIPTS)
    interval = sys.getswitchinterval()
    try:
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    finally:
        sys.setswitchinterval(interval)
    assert left.value.code == 0, capsys.readouterr().out
    assert "All hold." in out.read_text(encoding="utf-8")


def test_the_judge_of_killed_runs_sees_what_is_lost_or_torn(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    killed = runpy.run_path(str(SCRIPTS / "killed.py"))
    whole = tmp_path / "whole"
    compare("sunspots", ["persistence", "linear"], seeds=[0], out=whole, n_jobs=1, verbose=0)
    rows = killed["rows_of"](whole)

    def judged(damage):
        folder = Path(shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True))
        damage(folder)
        torn = killed["torn"](folder, rows)
        differs = "" if torn else killed["differs"](folder, whole)
        shutil.rmtree(folder)
        return torn or differs

    def cut(name):
        def damage(folder):
            path = next(folder.glob(name))
            path.write_bytes(path.read_bytes()[:-20])

        return damage

    def change(folder):
        text = (folder / "results.csv").read_text()
        (folder / "results.csv").write_text(text.replace(",ok,", ",no,", 1))

    assert judged(lambda folder: None) == ""
    assert judged(change) == "a row differs after a kill"
    assert judged(cut("report.html")) == "report.html is not whole"
    assert judged(cut("predictions/sunspots-linear-0.npz")) == "sunspots-linear-0.npz is not whole"
    assert judged(lambda folder: (folder / ".lock").touch()) == "files left or missing: ['.lock']"
    assert judged(lambda folder: (folder / "report.md").unlink()).endswith("['report.md']")
