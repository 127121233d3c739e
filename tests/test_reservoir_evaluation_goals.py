"""Published figures: the protocols, at small size."""

import numpy as np
import pytest

from reservoir.evaluation.published import (
    _channel,
    _equalizer,
    _generative,
    _mackey_glass,
    _memory,
    _narma,
    _nvar,
    _vowels,
)

# ---- NARMA ------------------------------------------------------------------------------------


def test_published_narma_plain_network_is_in_its_range():
    scores = [_narma.error_on_test(_narma.esn(s, 100, **_narma.PLAIN), s) for s in range(4)]
    assert 0.30 < np.median(scores) < 0.42


def test_published_narma_search_beats_the_plain_network_and_the_linear_floor():
    chosen = _narma.choose(100, n_candidates=8, n_finalists=2)
    tuned = _narma.error_on_test(_narma.esn(0, 100, **chosen), 0)
    plain = _narma.error_on_test(_narma.esn(0, 100, **_narma.PLAIN), 0)
    assert tuned < plain < 0.42


# ---- Mackey-Glass -----------------------------------------------------------------------------


def test_published_units_are_jaegers_units():
    # The report's recursion, written out, against ours with leak C a and the matrix W / a.
    model = _mackey_glass.network(3, n_units=30)
    rng = np.random.default_rng(0)
    series = rng.uniform(-0.5, 0.5, 1200)
    inputs = np.full((1200, 1), _mackey_glass.INPUT)
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
    scores, stable = _mackey_glass.trials([0], tau, 3000, n_trials=10, noise=noise)
    assert low < scores[0] < high
    assert stable.all()


def test_published_squash_is_undone():
    y = np.linspace(0.2, 1.4, 7)
    back = _mackey_glass.unsquash(_mackey_glass.squash(y))
    np.testing.assert_allclose(back, y, rtol=1e-12)
    assert _mackey_glass.unsquash(np.array([5.0]))[0] == pytest.approx(3.0)


# ---- generative demo --------------------------------------------------------------------------


def test_published_generative_run_stays_on_the_series(monkeypatch):
    monkeypatch.delenv("RESERVOIR_DATA", raising=False)
    series, is_published = _generative.load_series()
    assert not is_published
    error = _generative.free_run_mse(series, 42, n_units=300, n_scored=200)
    assert error < 1e-3 * series.var()


def test_published_generative_file_is_taken_where_it_is_given(monkeypatch, tmp_path):
    np.savetxt(tmp_path / _generative.FILE, np.arange(12_000.0))
    monkeypatch.setenv("RESERVOIR_DATA", str(tmp_path))
    series, is_published = _generative.load_series()
    assert is_published
    np.testing.assert_array_equal(series, np.arange(10_000.0))


def test_published_generative_network_is_the_demos():
    # minimalESN.py's update and ridge, written out, with a penalty on the constant as it has.
    series, n = _generative.load_series()[0][:1201], 60
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
    ours = _generative.free_run(series, 1, n_train=1000, n_scored=20, n_units=n)
    np.testing.assert_allclose(ours, free, rtol=0, atol=1e-5)


# ---- channel equalisation ---------------------------------------------------------------------


def test_published_channel_is_the_papers():
    u, d = _channel.channel(400, 300.0, 0)
    assert set(d) == {-3.0, -1.0, 1.0, 3.0}
    t = np.arange(20, 380)
    taps = {2: 0.08, 1: -0.12, 0: 1.0, -1: 0.18, -2: -0.1, -3: 0.091, -4: -0.05, -5: 0.04,
            -6: 0.03, -7: 0.01}  # fmt: skip
    q = sum(weight * d[t + lag] for lag, weight in taps.items())
    np.testing.assert_allclose(u[t, 0], q + 0.036 * q**2 - 0.011 * q**3, rtol=1e-9, atol=1e-9)


def test_published_channel_noise_has_its_ratio():
    clean, noisy = (_channel.channel(50_000, snr_db, 1)[0] for snr_db in (300.0, 16.0))
    ratio = 10 * np.log10(clean.var() / np.var(noisy - clean))
    assert ratio == pytest.approx(16.0, abs=0.1)


def test_published_equalisers_stand_in_their_order():
    steps = {"LMS": 0.001, "NLMS": 0.02}
    counts = {
        name: _channel.count_errors(equaliser, 28, 0, n_test=20_000)
        for name, equaliser in _channel.equalisers(0, steps).items()
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
    chosen = _channel.choose_steps(grids, n_seeds=1, n_test=1000)
    assert chosen == {"LMS": 0.001, "NLMS": 0.02}


def test_published_wilson_interval_is_that_of_the_roots():
    # The ends solve (p - k / n)^2 = z^2 p (1 - p) / n.
    z, n = 1.959964, 50
    for k in (0, 3, 50):
        for p in _channel.wilson(k, n):
            assert (p - k / n) ** 2 == pytest.approx(z * z * p * (1 - p) / n, abs=1e-12)
    low, high = _channel.wilson(3, n)
    assert low < 3 / 50 < high


# ---- memory, NVAR, vowels, adaptive filters -----------------------------------------------------


def test_published_cycle_has_the_profile_of_theory():
    values = _memory.cycle(0, {}, 20)
    assert values["cycle_20"] == pytest.approx(20, abs=0.1)
    assert values["profile_20"] < 0.02


def test_published_nvar_windows_agree_with_the_authors_solution():
    values = _nvar.lorenz(0, {})
    assert values["lorenz_train"] == pytest.approx(1.055e-4, rel=0.1)
    assert values["lorenz_test"] == pytest.approx(values["lorenz_pinv"], rel=0.2)


def test_published_vowels_are_told_by_one_classifier():
    assert _vowels.classifier(0, {})["single"] > 0.975


def test_published_vowels_vote_begins_with_the_classifier(monkeypatch):
    monkeypatch.setattr(_vowels, "N_VOTES", (1, 3))
    errors = _vowels.vote(0, {})
    assert errors["vote_1"] == pytest.approx(370 * (1 - _vowels.classifier(0, {})["single"]))
    assert errors["vote_3"] <= 8


def test_published_equalizer_has_the_printed_spreads():
    values = _equalizer.exact(0, {})
    for width, spread in ((2.9, 6.0782), (3.1, 11.1238), (3.3, 21.7132), (3.5, 46.8216)):
        assert values[f"spread_{width}"] == pytest.approx(spread, abs=5e-5)
    # at mu = .075 the formula as printed
    formula = [_equalizer.small_step(width, 0.075) for width in _equalizer.WIDTHS]
    np.testing.assert_allclose(formula, [0.0025, 0.0034, 0.0050, 0.0090], rtol=0, atol=5e-5)


def test_published_identification_is_near_its_formula():
    values = _equalizer.identification(0, {})
    assert abs(values["excess_lms"]) < 0.6
    assert abs(values["excess_nlms"]) < 0.6
