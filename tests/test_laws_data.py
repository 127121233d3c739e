"""Laws of data: precision, memory layout, tables, units and weights.

float32 stays float32, no layout or table changes a bit, no call changes what it is given, and the
units of the signals do not matter where nothing is set in units.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from laws import answers, assert_same, law, learned
from sklearn.base import is_classifier

ABSOLUTE = "is set in units of the signals, so they matter"
NONLINEAR = "scaled by its user: the network is not linear"
STEPS = "trained by steps of a set size"


def outcome(case, X, y, **more):
    """What is learned from X and y, and what is answered to X."""
    model = case.fit(case.model, X, y, **more)
    return learned(model) | answers(model, X)


# ---- precision -----------------------------------------------------------------------------------


@law()
def test_float32_in_is_float32_out(case):
    X = case.X.astype(np.float32)
    y = case.y if case.y is None or is_classifier(case.estimator) else case.y.astype(np.float32)
    model = case.fit(case.model, X, y)
    for name, answer in answers(model, X).items():
        answer = np.asarray(answer)
        assert answer.dtype.kind != "f" or answer.dtype == np.float32, name


@law()
def test_float64_in_is_float64_out(case):
    X = case.X.astype(np.float64)
    y = case.y if case.y is None or is_classifier(case.estimator) else case.y.astype(np.float64)
    for name, answer in answers(case.fit(case.model, X, y), X).items():
        answer = np.asarray(answer)
        assert answer.dtype.kind != "f" or answer.dtype == np.float64, name


# ---- layout --------------------------------------------------------------------------------------


def layouts(array, folder):
    """Name -> the same numbers, lying in memory in another way."""
    frozen = array.copy()
    frozen.flags.writeable = False
    wide = np.zeros((array.shape[0], 2, *array.shape[1:]), array.dtype)
    wide[:, 1] = array
    found = {
        "read-only": frozen,
        "Fortran": np.asfortranarray(array),
        "strided": wide[:, 1],
        "backwards": array[::-1].copy()[::-1],
    }
    if array.dtype.kind != "f":
        return found | {"memory-mapped": frozen}
    path = Path(tempfile.mkstemp(dir=folder)[1])
    array.tofile(path)
    mapped = np.memmap(path, dtype=array.dtype, mode="r", shape=array.shape)
    found["memory-mapped"] = mapped
    if array.dtype == np.float64:  # a float32 of the other byte order is taken as float64
        found["other byte order"] = array.astype(array.dtype.newbyteorder())
    return found


@law()
def test_layout_in_memory_changes_no_bit(case):
    wanted = outcome(case, case.X, case.y)
    with tempfile.TemporaryDirectory() as folder:
        X, y = layouts(case.X, folder), {} if case.y is None else layouts(case.y, folder)
        for name, rows in X.items():
            found = outcome(case, rows, y.get(name, case.y))
            assert_same(found, wanted, 0.0, name)
            np.testing.assert_array_equal(rows, case.X, err_msg=name)
            if name in y:
                np.testing.assert_array_equal(y[name], case.y, err_msg=name)


@law("sample_weight", usual=("readout",))
def test_what_is_given_is_left_as_it_was(case):
    weights = np.linspace(0.5, 1.5, len(case.X))
    given = [case.X, weights] if case.y is None else [case.X, weights, case.y]
    before = [values.copy() for values in given]
    outcome(case, case.X, case.y, sample_weight=weights)
    assert_same(given, before)


# ---- tables --------------------------------------------------------------------------------------


def tables(X):
    """Name -> whole numbers in a table of every kind of column that pandas has here."""
    names = [f"channel {j}" for j in range(X.shape[1])]
    plain = pd.DataFrame(X, columns=names)
    kinds = ["Float64", "Int64", "int8"]
    kinds += ["double[pyarrow]", "int64[pyarrow]"] if find_spec("pyarrow") else []
    return {"float64": plain} | {kind: plain.astype(kind) for kind in kinds}


@law()
def test_tables_of_any_kind_are_their_numbers(case):
    X = np.round(16 * case.X / np.abs(case.X).max()).astype(float)
    y = case.y if case.y is None or is_classifier(case.estimator) else np.round(8 * case.y)
    y = y if y is None or is_classifier(case.estimator) else y.astype(float)
    wanted = outcome(case, X, y)
    for name, table in tables(X).items():
        before = table.copy()
        target = y
        if y is not None:
            target = pd.Series(y) if y.ndim == 1 else pd.DataFrame(y)
            if target.dtypes is np.dtype(float):
                target = target.astype("Float64")
        found = outcome(case, table, target)
        assert_same(found, wanted, 0.0, name)
        pd.testing.assert_frame_equal(table, before)


# ---- units ---------------------------------------------------------------------------------------


@law(
    "numbers",
    without={
        "SetMembershipFilter": f"error_bound {ABSOLUTE}",
        **dict.fromkeys(("RNNRegressor", "RNNSequenceRegressor", "Seq2Seq"), STEPS),
    },
    usual=("estimator", "noise_power", "sign"),
)
def test_units_of_the_target_are_those_of_the_answer(case):
    answer = case.fit(case.model, case.X, 8 * case.y).predict(case.X)
    assert_same(answer, 8 * case.fitted.predict(case.X), case.tolerance_of_answers)


# The constant input is one in any unit.
ABSOLUTE_SETTINGS = (
    *("delta", "noise_power", "regularization", "sign", "step_size", "leak", "fit_intercept"),
    "filter",
)


@law(
    without={
        **dict.fromkeys(("ESNEnsemble", "ESNSearchCV", "ESNRegressorCV"), NONLINEAR),
        **dict.fromkeys(("ESNRegressor", "ESNClassifier"), NONLINEAR),
        **dict.fromkeys(("MemoryRegressor", "MemoryClassifier"), f"alpha {ABSOLUTE}"),
        **dict.fromkeys(("RNNRegressor", "RNNClassifier"), NONLINEAR),
        **dict.fromkeys(("RNNSequenceRegressor", "RNNSequenceClassifier", "Seq2Seq"), NONLINEAR),
        **dict.fromkeys(("AdalineRegressor", "AdalineClassifier"), STEPS),
        **dict.fromkeys(("task", "line", "forecaster"), "X is the answer as well"),
        "memory": "what it holds is X",
    },
    usual=ABSOLUTE_SETTINGS,
)
def test_units_of_the_input_do_not_matter(case):
    model, scaled = case.fitted, case.fit(case.model, 8 * case.X, case.y)
    found, wanted = answers(scaled, 8 * case.X), answers(model, case.X)
    assert_same(found, wanted, case.tolerance_of_answers)


@law("adapt", without={"SetMembershipFilter": f"error_bound {ABSOLUTE}"}, usual=ABSOLUTE_SETTINGS)
def test_filters_do_not_know_the_unit_of_their_signals(case):
    found, wanted = case.model.adapt(8 * case.X, 8 * case.y), case.model.adapt(case.X, case.y)
    assert_same(found.output, 8 * wanted.output, case.tolerance)


@law("online", usual=ABSOLUTE_SETTINGS)
def test_tasks_do_not_know_the_unit_of_their_signals(case):
    found, wanted = case.model.fit_transform(8 * case.X), case.model.fit_transform(case.X)
    assert_same(found, 8 * wanted, case.tolerance)


# ---- weights -------------------------------------------------------------------------------------


def weighted(case, units, targets, kept):
    """(X, y, weights) with units of weight zero, and (X, y) without them."""
    if case.row_is_a_step:
        weights = [np.full(len(x), float(keep)) for x, keep in zip(units, kept, strict=True)]
        there = [x for x, keep in zip(units, kept, strict=True) if keep]
        known = None if targets is None else [y for y, k in zip(targets, kept, strict=True) if k]
        return weights, there, known
    kept = np.array(kept, bool)
    return kept.astype(float), units[kept], None if targets is None else targets[kept]


@law("sample_weight", without={"ESNSearchCV": "folds are cut before weights are looked at"})
def test_what_has_weight_zero_is_absent(case):
    """Whole series where a row is a time step, cases where it is a sequence."""
    units, targets = case.series if case.row_is_a_step else (case.X, case.y)
    kept = [i not in case.order[: max(1, len(units) // 4)] for i in range(len(units))]
    weights, there, known = weighted(case, units, targets, kept)
    found = case.fit(case.model, units, targets, sample_weight=weights)
    wanted = case.fit(case.model, there, known)
    assert_same(
        learned(found) | answers(found, case.X),
        learned(wanted) | answers(wanted, case.X),
        case.tolerance,
    )


@law("sample_weight", "groups", usual=("estimator",))
def test_a_row_of_weight_zero_is_an_unlabelled_row(case):
    """It drives the memory and teaches nothing."""
    silent = np.zeros(len(case.X), bool)
    silent[case.cuts] = True
    labels = is_classifier(case.estimator)
    y = case.y.astype(object if labels else case.y.dtype)
    y[silent] = None if labels else np.nan
    found = outcome(case, case.X, y)
    wanted = outcome(case, case.X, case.y, sample_weight=(~silent).astype(float))
    assert_same(found, wanted, case.tolerance_of_answers)
