"""Statistics against SciPy and printed examples, refusals of too few seeds, an axis."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import stats

from reservoir.evaluation import compare
from reservoir.evaluation._plots import number_log_axis
from reservoir.evaluation._specs import MODELS, TASKS
from reservoir.evaluation._statistics import holm, median_interval, paired_p, rank_test
from reservoir.evaluation._summary import better, family_ranking, marked, ranks, summarise


def test_interval_of_the_median_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(0).lognormal(size=25)
    found = median_interval(values)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=20_000, random_state=1
    ).confidence_interval
    np.testing.assert_allclose(found, [theirs.low, theirs.high], rtol=0.05)
    assert median_interval(values) == found


def test_interval_of_the_median_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        low, high = median_interval(rng.standard_normal(15))
        hits += low <= 0 <= high
    assert 0.88 < hits / 100 < 0.995


@pytest.mark.parametrize("values", [[1.0] * 5, [1, 2, 3, 4, 5, np.nan]])
def test_interval_is_refused_for_few_or_missing_values(values):
    assert median_interval(values) is None


def test_paired_test_is_exact_for_six_seeds_and_silent_below():
    a = {seed: 1.0 + 0.1 * seed for seed in range(6)}
    b = {seed: 0.5 * value for seed, value in a.items()}
    assert paired_p(a, b) == pytest.approx(2 / 2**6)
    assert paired_p(a, a) == 1.0
    assert paired_p(a, {**b, 99: 3.0}) == paired_p(a, b)  # over the seeds that both have
    del b[3]
    assert paired_p(a, b) is None


def test_holm_is_the_step_down_procedure():
    found = holm({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.9})
    assert found == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.9})


def test_critical_difference_is_the_printed_one():
    # J. Demsar (2006), section 3.2.2: four classifiers, 14 data sets, 5 %: 1.25. Table 5 a there:
    # q = 2.343, 2.569, 2.728 for three, four and five classifiers.
    rng = np.random.default_rng(0)
    for n_models, q in ((3, 2.343), (4, 2.569), (5, 2.728)):
        names = "abcde"[:n_models]
        places = [dict(zip(names, 1 + rng.permutation(n_models), strict=True)) for _ in range(14)]
        test = rank_test(places)
        expected = q * np.sqrt(n_models * (n_models + 1) / (6 * 14))
        assert test.difference == pytest.approx(expected, abs=2e-3)
        if n_models == 4:
            assert test.difference == pytest.approx(1.25, abs=0.005)


def test_friedman_statistic_is_the_textbook_formula_without_ties():
    rng = np.random.default_rng(1)
    table = np.array([1 + rng.permutation(4) for _ in range(9)], dtype=float)
    test = rank_test([dict(zip("abcd", row, strict=True)) for row in table])
    mean = table.mean(axis=0)
    assert list(test.ranks.values()) == pytest.approx(mean)
    # 12 N / (k (k + 1)) (sum of squared mean ranks - k (k + 1)^2 / 4)
    statistic = 12 * 9 / (4 * 5) * (np.sum(mean**2) - 4 * 25 / 4)
    assert test.statistic == pytest.approx(statistic)
    assert test.p_value == pytest.approx(stats.chi2.sf(statistic, 3))


def test_rank_groups_join_neighbours_within_the_difference():
    places = [{"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}] * 30
    test = rank_test(places)
    assert 0.5 < test.difference < 1.0
    assert test.groups() == []
    few = rank_test(places[:6])  # 1.91 ranks: neighbours only
    assert few.groups() == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert rank_test(places[:5]).groups() == [["a", "b", "c"], ["b", "c", "d"]]  # 2.10


@pytest.mark.parametrize(
    "places",
    [
        [],
        [{"a": 1.0, "b": 2.0, "c": 3.0}] * 4,  # too few tasks
        [{"a": 1.0, "b": 2.0}] * 9,  # too few models
        [{"a": 2.0, "b": 2.0, "c": 2.0}] * 9,  # all ties
        [{"a": 1.0, "b": 2.0, "c": 3.0}] * 8 + [{"a": 1.0, "b": 2.0}],  # c is not everywhere
    ],
)
def test_rank_test_is_refused_where_there_is_too_little(places):
    assert rank_test(places) is None


def cells(values):
    """Cells of one task from {model: values over seeds}."""
    task = TASKS["narma10"]
    frame = pd.DataFrame(
        [
            {"task": task.name, "model": name, "seed": seed, "value": value, "status": "ok",
             "note": "", "fit_seconds": 1.0, "predict_seconds": 1.0, "search_seconds": 1.0,
             "n_parameters": 1.0, "params": "{}"}
            for name, row in values.items()
            for seed, value in enumerate(row)
        ]
    )  # fmt: skip
    return [summarise(frame, task, MODELS[name]) for name in values]


def test_cells_are_tested_against_the_best_of_the_task():
    rng = np.random.default_rng(0)
    good = 0.1 + 0.001 * rng.standard_normal(8)
    found = marked(cells({"linear": good * 3, "esn": good, "rls": good + 0.05}))
    by_name = {cell.model.name: cell for cell in found}
    assert by_name["esn"].best
    assert by_name["esn"].p_value is None
    assert by_name["linear"].p_value == pytest.approx(2 * 2 / 2**8)  # two models: Holm doubles
    assert by_name["linear"].spread.startswith("95 %: ")
    few = marked(cells({"linear": good[:3] * 3, "esn": good[:3]}))
    assert [cell.p_value for cell in few] == [None, None]
    assert not few[0].spread.startswith("95 %")


def test_families_are_ranked_by_the_best_of_each():
    task = cells({"nlms": [0.5], "rls": [0.3], "esn": [0.1], "linear": [0.4]})
    found = {family.name: family for family in family_ranking([task, task])}
    assert [family for family in found] == ["reservoir", "adaptive filter", "linear"]
    assert found["adaptive filter"].rank == 2.0
    assert found["adaptive filter"].models == "RLS"
    assert (found["reservoir"].n_first, found["reservoir"].n_tasks) == (2, 2)
    assert ranks(task)["nlms"] == 4.0
    assert better(TASKS["narma10"].metric, 0.1, 0.2)


def test_report_gives_intervals_and_tests_where_there_are_seeds_enough(tmp_path):
    names = ["persistence", "linear", "rls"]
    compare("narma10", names, seeds=range(6), quick=True, out=tmp_path, verbose=0, n_jobs=1)
    table = pd.read_csv(tmp_path / "summary.csv").set_index("model")
    assert table.loc["linear", "interval_low"] <= table.loc["linear", "median"]
    assert table.loc["persistence", "p_against_best"] == pytest.approx(2 * 2 / 2**6)
    text = (tmp_path / "report.md").read_text()
    assert "95 %: " in text
    assert "signed-rank test over 6 seeds" in text
    assert "No test over tasks" in text
    few = tmp_path / "few"
    compare("narma10", names, seeds=range(3), quick=True, out=few, verbose=0, n_jobs=1)
    assert pd.read_csv(few / "summary.csv")["p_against_best"].isna().all()
    assert "signed-rank test over" not in (few / "report.md").read_text()


@pytest.mark.parametrize("ends", [(1.0, 1.3), (1.1, 3.0), (0.2, 9.0), (0.9, 12.0), (1e-5, 300.0)])
def test_axis_of_seconds_has_numbers_however_little_it_spans(ends):
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(xscale="log", xlim=ends)
    number_log_axis(axes.xaxis)
    figure.canvas.draw()
    labels = [
        text.get_text()
        for text in axes.get_xticklabels()
        if ends[0] <= text.get_position()[0] <= ends[1] and text.get_text()
    ]
    assert 2 <= len(labels) <= 9, labels
