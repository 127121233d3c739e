"""Models in files: everything comes back to the bit, nothing is executed, damage is named."""

import inspect
import io
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from hostile_estimators import good_arguments
from public_names import ESTIMATORS, small
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters import NLMSFilter, RLSFilter
from filters.timeseries import load_model, save_model
from reservoir import NVAR, ESNForecaster, ESNRegressor, MemoryRegressor, Reservoir
from reservoir.topologies import ring


def round_trip(model, folder):
    path = folder / "model.rf"
    save_model(model, path)
    assert os.listdir(folder) == ["model.rf"]
    return load_model(path)


def called(model, method, known):
    """`method` with those of its arguments that have a good value and no default."""
    bound = getattr(model, method)
    wanted = inspect.signature(bound).parameters
    given = {k: known[k] for k in ("X", "y", "x", "d", "Y") if k in wanted and k in known}
    return bound(**{k: v for k, v in given.items() if v is not None})


def parts(answer):
    """The arrays in an answer."""
    if isinstance(answer, list | tuple):
        return [part for item in answer for part in parts(item)]
    return [np.asarray(answer)]


def assert_same(ours, theirs):
    for one, other in zip(parts(ours), parts(theirs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_goes_on_from_the_file(name, tmp_path):
    model, known = small(name), good_arguments(name)
    called(model, "fit", known)
    again = round_trip(model, tmp_path)
    assert type(again) is type(model)
    assert set(vars(again)) == set(vars(model))
    answers = [m for m in ("predict", "transform", "predict_proba") if hasattr(model, m)]
    for method in answers:
        assert_same(called(again, method, known), called(model, method, known))
    if hasattr(model, "partial_fit"):
        for one in (model, again):
            called(one, "partial_fit", known)
        for method in answers:
            assert_same(called(again, method, known), called(model, method, known))
    if hasattr(model, "forecast") and name != "Seq2Seq":
        try:
            ahead = model.forecast(3)
        except ValueError:  # another number of outputs than of features
            return
        assert_same(again.forecast(3), ahead)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2020-01-31", periods=40, freq="ME", name="month"),
        pd.date_range("2020-03-01", periods=40, freq="h", tz="Europe/Madrid"),
        pd.period_range("1700", periods=40, freq="Y"),
        pd.timedelta_range("0s", periods=40, freq="10ms"),
        pd.RangeIndex(5, 45, name="row"),
        pd.Index(np.arange(40) * 0.25),
    ],
    ids=lambda index: type(index).__name__,
)
def test_the_index_of_a_forecaster_goes_on(index, tmp_path):
    series = pd.DataFrame(np.sin(np.arange(40.0))[:, None], index=index, columns=["a"])
    model = ESNForecaster(ESNRegressor(20, random_state=0)).fit(series)
    ahead = round_trip(model, tmp_path).forecast(3)
    pd.testing.assert_frame_equal(ahead, model.forecast(3))


def test_what_stands_around_and_inside_a_model(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 2)), rng.standard_normal(60)
    for model in (
        make_pipeline(StandardScaler(), ESNRegressor(20, topology=ring, random_state=0)),
        MemoryRegressor(Reservoir(20, random_state=np.random.RandomState(0)), RLSFilter()),
        MemoryRegressor(NVAR(), Ridge()),
    ):
        model.fit(X, y)
        np.testing.assert_array_equal(round_trip(model, tmp_path).predict(X), model.predict(X))
    unfitted = round_trip(ESNRegressor(7, leak_rate=[0.1] * 7), tmp_path)
    assert unfitted.get_params() == ESNRegressor(7, leak_rate=[0.1] * 7).get_params()
    complex_filter = NLMSFilter(2)
    complex_filter.adapt(X[:, 0] + 1j * X[:, 1], y * 1j)
    again = round_trip(complex_filter, tmp_path)
    np.testing.assert_array_equal(again.coef_, complex_filter.coef_)


def test_a_lambda_is_refused_before_anything_is_written(tmp_path):
    model = ESNRegressor(5, topology=lambda n_units, random_state=None: np.eye(n_units))
    with pytest.raises(TypeError, match="lambda"):
        save_model(model, tmp_path / "model.rf")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("model", [NLMSFilter, [1.0], None, NLMSFilter().stream()])
def test_what_is_no_estimator_is_refused(model, tmp_path):
    with pytest.raises(TypeError, match="estimator"):
        save_model(model, tmp_path / "model.rf")


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.rf"
    save_model(NLMSFilter(3), path)
    old = path.read_bytes()

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(NLMSFilter(4), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.rf"]


def test_every_cut_and_every_kind_of_wrong_file_is_named(tmp_path):
    path = tmp_path / "model.rf"
    save_model(NLMSFilter(3).fit(np.ones((9, 1)), np.ones(9)), path)
    content = path.read_bytes()
    wrong = [content[:n] for n in range(0, len(content) - 1, max(1, len(content) // 40))]
    wrong += [b"no archive", np.ones(3).tobytes()]
    for bad in wrong:
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"no model file|damaged|not written by save_model"):
            load_model(path)
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="not written by save_model"):
        load_model(tmp_path / "arrays.npz")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing.rf")


def test_a_flipped_bit_never_gives_another_model(tmp_path):
    path = tmp_path / "model.rf"
    model = NLMSFilter(3).fit(np.arange(9.0)[:, None], np.ones(9))
    save_model(model, path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content), size=150):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        try:
            again = load_model(path)
        except ValueError:
            continue  # a flip in a date or a name of the archive changes no model
        np.testing.assert_array_equal(again.coef_, model.coef_)


def rewritten(path, change):
    """The archive at `path` with `change` applied to the text of each JSON member."""
    with zipfile.ZipFile(path) as members:
        kept = {name: members.read(name) for name in members.namelist()}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        for name, data in kept.items():
            text = change(name, data.decode()).encode() if name.endswith(".json") else data
            members.writestr(name, text)
    path.write_bytes(archive.getvalue())


def test_a_newer_format_asks_for_an_upgrade(tmp_path):
    path = tmp_path / "model.rf"
    save_model(NLMSFilter(3), path)
    rewritten(path, lambda name, text: text.replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="upgrade reservoir-filters"):
        load_model(path)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("subprocess", "Popen"),
        ("evil_on_import", "Model"),
        ("reservoir.evaluation", "compare"),
        ("reservoir.datasets", "load_tiny_shakespeare"),
        ("filters._lms", "os"),
    ],
)
def test_a_forged_file_runs_nothing(module, name, tmp_path, monkeypatch):
    (tmp_path / "evil_on_import.py").write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "model.rf"
    save_model(NLMSFilter(3), path)

    def forged(member, text):
        if member != "schema.json":
            return text
        schema = json.loads(text)
        schema["__module__"], schema["__class__"] = module, name
        return json.dumps(schema)

    rewritten(path, forged)
    with pytest.raises(ValueError, match=f"{module}.{name}"):
        load_model(path)
    assert "evil_on_import" not in sys.modules


class Doubled(NLMSFilter):
    """A class of the user's own."""


def test_a_class_of_the_users_own_is_asked_for(tmp_path):
    path = tmp_path / "model.rf"
    model = MemoryRegressor(readout=Doubled()).fit(np.ones((9, 1)), np.ones(9))
    save_model(model, path)
    own = f"{Doubled.__module__}.Doubled"
    with pytest.raises(ValueError, match="trusted="):
        load_model(path)
    again = load_model(path, trusted=[own])
    np.testing.assert_array_equal(again.predict(np.ones((4, 1))), model.predict(np.ones((4, 1))))


def test_without_the_extra_the_message_names_it():
    code = (
        "import sys; sys.modules['skops'] = None; sys.path.insert(0, '.');"
        "from filters import NLMSFilter; from filters.timeseries import save_model;"
        "save_model(NLMSFilter(), 'never.rf')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode != 0
    assert "reservoir-filters[files]" in ran.stderr
