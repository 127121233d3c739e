"""The scripts that repeat published figures: their protocols at small size, and their sheet."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import LinAlgWarning

from filters.timeseries import mse

SCRIPTS = Path(__file__).resolve().parents[1] / "examples" / "benchmarks"
sys.path.append(str(SCRIPTS))

import published_channel  # noqa: E402
import published_generative  # noqa: E402
import published_mackey_glass  # noqa: E402
import published_narma  # noqa: E402
import score_sheet  # noqa: E402

# ---- NARMA ------------------------------------------------------------------------------------


def test_published_narma_plain_network_is_in_its_range():
    scores = [
        published_narma.error_on_test(published_narma.esn(s, 100, **published_narma.PLAIN), s)
        for s in range(4)
    ]
    assert 0.30 < np.median(scores) < 0.42


def test_published_narma_search_beats_the_plain_network_and_the_linear_floor():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        chosen = published_narma.choose(100, n_candidates=8, n_finalists=2)
    tuned = published_narma.error_on_test(published_narma.esn(0, 100, **chosen), 0)
    plain = published_narma.error_on_test(published_narma.esn(0, 100, **published_narma.PLAIN), 0)
    assert tuned < plain < 0.42


# ---- Mackey-Glass -----------------------------------------------------------------------------


def test_published_units_are_jaegers_units():
    # The report's recursion, written out, against ours with leak C a and the matrix W / a.
    model = published_mackey_glass.network(3, n_units=30)
    rng = np.random.default_rng(0)
    series = rng.uniform(-0.5, 0.5, 1200)
    inputs = np.full((1200, 1), published_mackey_glass.INPUT)
    model.fit(inputs, series)
    C, a = 0.44, 0.9
    W = model.reservoir_.recurrent_weights_.toarray() * a
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(0.79)
    W_in, W_back = model.reservoir_.input_weights_.T
    assert set(np.unique(W_in)) == {-0.14, 0.0, 0.14}
    assert 0.4 < np.abs(W_back).max() <= 0.56
    x, y = np.zeros(30), 0.0
    for target in series:
        x = (1 - C * a) * x + C * np.tanh(W_in * 0.2 + W @ x + W_back * y)
        y = target
    _, state = model.predict(inputs, y_context=series[:-1], return_state=True)
    np.testing.assert_allclose(state[:30], a * x, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(
    ("tau", "noise", "low", "high"), [(17, 0.0, 2e-5, 5e-3), (30, 1e-5, 0.05, 0.3)]
)
def test_published_mackey_glass_error_has_the_printed_size(tau, noise, low, high):
    scores, stable = published_mackey_glass.trials([0], tau, 3000, n_trials=10, noise=noise)
    assert low < scores[0] < high
    assert stable.all()


def test_published_squash_is_undone():
    y = np.linspace(0.2, 1.4, 7)
    back = published_mackey_glass.unsquash(published_mackey_glass.squash(y))
    np.testing.assert_allclose(back, y, rtol=1e-12)
    assert published_mackey_glass.unsquash(np.array([5.0]))[0] == pytest.approx(3.0)


# ---- generative demo --------------------------------------------------------------------------


def test_published_generative_run_stays_on_the_series(monkeypatch):
    monkeypatch.delenv("RESERVOIR_DATA", raising=False)
    series, is_published = published_generative.load_series()
    assert not is_published
    error = published_generative.free_run_mse(series, 42, n_units=300, n_scored=200)
    assert error < 1e-3 * series.var()


def test_published_generative_file_is_taken_where_it_is_given(monkeypatch, tmp_path):
    np.savetxt(tmp_path / published_generative.FILE, np.arange(12_000.0))
    monkeypatch.setenv("RESERVOIR_DATA", str(tmp_path))
    series, is_published = published_generative.load_series()
    assert is_published
    np.testing.assert_array_equal(series, np.arange(10_000.0))


def test_published_generative_network_is_the_demos():
    # minimalESN.py's update and ridge, written out, with a penalty on the constant as it has.
    series, n = published_generative.load_series()[0][:1201], 60
    rng = np.random.RandomState(1)
    W_in, W = rng.rand(n, 2) - 0.5, rng.rand(n, n) - 0.5
    W *= 1.25 / np.abs(np.linalg.eigvals(W)).max()
    x, rows = np.zeros(n), []
    for u in series[:-1]:
        x = 0.7 * x + 0.3 * np.tanh(W_in @ [1.0, u] + W @ x)
        rows.append([1.0, u, *x])
    rows = np.array(rows)[100:1000]
    gram = rows.T @ rows + 1e-8 * np.eye(n + 2)
    weights = np.linalg.solve(gram, rows.T @ series[101:1001])
    free, u = [], series[1000]
    x = np.array(rows[-1][2:])
    for _ in range(20):
        x = 0.7 * x + 0.3 * np.tanh(W_in @ [1.0, u] + W @ x)
        u = weights @ [1.0, u, *x]
        free.append(u)
    ours = published_generative.free_run(series, 1, n_train=1000, n_scored=20, n_units=n)
    np.testing.assert_allclose(ours, free, rtol=0, atol=1e-5)


# ---- channel equalisation ---------------------------------------------------------------------


def test_published_channel_is_the_papers():
    u, d = published_channel.channel(400, 300.0, 0)
    assert set(d) == {-3.0, -1.0, 1.0, 3.0}
    t = np.arange(20, 380)
    taps = {2: 0.08, 1: -0.12, 0: 1.0, -1: 0.18, -2: -0.1, -3: 0.091, -4: -0.05, -5: 0.04,
            -6: 0.03, -7: 0.01}  # fmt: skip
    q = sum(weight * d[t + lag] for lag, weight in taps.items())
    np.testing.assert_allclose(u[t, 0], q + 0.036 * q**2 - 0.011 * q**3, rtol=1e-9, atol=1e-9)


def test_published_channel_noise_has_its_ratio():
    clean, noisy = (published_channel.channel(50_000, snr_db, 1)[0] for snr_db in (300.0, 16.0))
    ratio = 10 * np.log10(clean.var() / np.var(noisy - clean))
    assert ratio == pytest.approx(16.0, abs=0.1)


def test_published_equalisers_stand_in_their_order():
    steps = {"LMS": 0.001, "NLMS": 0.02}
    counts = {
        name: published_channel.count_errors(equaliser, 28, 0, n_test=20_000)
        for name, equaliser in published_channel.equalisers(0, steps).items()
    }
    linear = counts["linear, least squares"]
    assert 30 < linear < 80  # 2.5e-3 of 20 000
    assert abs(counts["linear, RLS"] - linear) <= 2
    assert counts["linear, LMS"] < 2 * linear
    assert counts["linear, NLMS"] < 2 * linear
    assert counts["ESN, 46 units"] < linear / 5
    assert counts["Volterra, least squares"] < linear / 10
    assert counts["Volterra, RLS"] < linear / 10


def test_published_channel_steps_are_those_of_least_error():
    grids = {"LMS": (1e-6, 0.001), "NLMS": (0.02, 1.9)}
    chosen = published_channel.choose_steps(grids, n_seeds=1, n_test=1000)
    assert chosen == {"LMS": 0.001, "NLMS": 0.02}


def test_published_wilson_interval_is_that_of_the_roots():
    # The ends solve (p - k / n)^2 = z^2 p (1 - p) / n.
    z, n = 1.959964, 50
    for k in (0, 3, 50):
        for p in published_channel.wilson(k, n):
            assert (p - k / n) ** 2 == pytest.approx(z * z * p * (1 - p) / n, abs=1e-12)
    low, high = published_channel.wilson(3, n)
    assert low < 3 / 50 < high


# ---- the sheet --------------------------------------------------------------------------------


def test_published_sheet_says_what_was_met_and_every_seed(tmp_path, capsys):
    sheet = score_sheet.ScoreSheet("Title", "mse")
    sheet.add("good", [1.0, 2.0, 6.0], published=2.5, gate="< 3", met=True)
    sheet.add("bad", [4.0], gate="< 3", met=np.bool_(False))
    sheet.add("free", [mse([1.0], [2.0])])
    sheet.finish(tmp_path / "sub" / "sheet.md")
    text = (tmp_path / "sub" / "sheet.md").read_text()
    assert "| good | 2.00 | 3.00 | 1.00 | 6.00 | 2.5 | < 3 | MET |" in text
    assert "| bad | 4.00 | 4.00 | 4.00 | 4.00 | - | < 3 | **NOT MET** |" in text
    assert "| free | 1.00 | 1.00 | 1.00 | 1.00 | - | - |  |" in text
    assert "- good: 1.00 2.00 6.00" in text
    assert "numpy" in text
    assert "processor" in text
    assert text.splitlines()[-1] in capsys.readouterr().out
