"""Examples: each runs alone from any folder, and prints the figures theory gives."""

import math
import re
import runpy
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("plot_*.py"))


def run(name, tmp_path, monkeypatch, capsys):
    """Run a copy, so that the picture it writes beside itself is not the committed one."""
    copy = Path(shutil.copy(EXAMPLES / f"{name}.py", tmp_path))
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr(sys, "argv", [str(copy)])
    monkeypatch.delenv("RESERVOIR_DATA", raising=False)
    try:
        runpy.run_path(str(copy), run_name="__main__")
    finally:
        plt.close("all")
    written = {path.name for path in tmp_path.iterdir()} - {copy.name}
    return capsys.readouterr().out, written


def numbers(line):
    return [float(word) for word in re.findall(r"(?<![\w.])-?\d*\.?\d+(?![\w.])", line)]


@pytest.mark.parametrize("name", ["plot_readme"])
def test_example_draws_its_picture(name, tmp_path, monkeypatch, capsys):
    _, written = run(name, tmp_path, monkeypatch, capsys)
    assert written == {"readme.png"}


def test_equalizer_example_reaches_the_published_figures(tmp_path, monkeypatch, capsys):
    table, written = run("plot_channel_equalizer", tmp_path, monkeypatch, capsys)
    assert written == {"plot_channel_equalizer.png"}
    rows = [line.split() for line in table.splitlines() if re.match(r"\s+[23]\.\d\s", line)]
    assert len(rows) == 16
    spreads = ["6.0782", "11.1238", "21.7132", "46.8216"]
    min_errors = ["0.001376", "0.001752", "0.002474", "0.004156"]
    assert [row[1] for row in rows[::4]] == spreads
    assert [row[2] for row in rows[::4]] == min_errors
    for row in rows:
        bursts, algorithm = row[-1] == "burst", row[3]
        excess, robust, time = (float(value) for value in row[-3 - 3 * bursts :][:3])
        assert bursts == (row[0] == "3.5" and row[4] == ".075")
        if algorithm == "RLS":
            assert 1.0 < robust < 1.1
            assert 1.0 < excess < 1.1
            assert time < 45
        else:
            assert time > 80
    # J(1500) at W = 2.9 with mu = .075
    assert 0.0028 < float(rows[0][-3]) * float(rows[0][2]) < 0.0037


def test_line_enhancer_example_comes_near_the_wiener_filter(tmp_path, monkeypatch, capsys):
    table, written = run("plot_line_enhancer", tmp_path, monkeypatch, capsys)
    assert written == {"plot_line_enhancer.png"}
    rows = [numbers(line) for line in table.splitlines() if re.match(r"\s+\d+ +-?\d+ ", line)]
    assert len(rows) == 15
    for n_taps, snr_db, wiener, gain, ideal, snr_gain in rows:
        ratio = n_taps / 2 * 10 ** (snr_db / 10)
        assert abs(wiener - ratio / (1 + ratio)) < 6e-4
        assert abs(gain - wiener) < 0.03
        assert snr_gain < ideal
        if ratio > 1:
            assert snr_gain > ideal - 1.5


def test_adaline_example_is_at_the_least_squares_solution(tmp_path, monkeypatch, capsys):
    table, written = run("plot_adaline_iris", tmp_path, monkeypatch, capsys)
    assert written == {"plot_adaline_iris.png"}
    ours, theirs = (
        numbers(line) for line in table.splitlines() if re.match(r"\s+(Adaline|least)", line)
    )
    assert theirs == pytest.approx([0.0, -0.0796, 1.0232, 3.7712], abs=1e-9)
    assert ours[:4] == pytest.approx(theirs, abs=2e-4)
    assert ours[4] == 1.0
    shares = {line.split()[0]: numbers(line) for line in table.splitlines() if "petals" in line}
    assert shares["setosa"] == [1.0, 1.0]
    assert shares["versicolor"][0] < shares["versicolor"][1] < 0.8


def test_hum_example_beats_the_band_stops_live(tmp_path, monkeypatch, capsys):
    table, written = run("plot_ecg_mains_hum", tmp_path, monkeypatch, capsys)
    assert written == {"plot_ecg_mains_hum.png"}
    rows = {line[:24].strip(): numbers(line[24:]) for line in table.splitlines()[2:]}
    assert all(len(row) == 3 for row in rows.values())
    median, lowest, _ = rows["AdaptiveNotch"]
    assert lowest > rows["three band-stops"][2] + 6
    assert median > 30
    assert rows["NLMS, 16 taps"][0] > 26
    assert rows["fixed notch at 50 Hz"][0] == pytest.approx(8.2, abs=1)


def test_voice_example_shows_what_a_leak_costs(tmp_path, monkeypatch, capsys):
    table, written = run("plot_helicopter_voice", tmp_path, monkeypatch, capsys)
    assert written == {"plot_helicopter_voice.png"}
    rows = {line[:28].strip(): numbers(line[28:])[:4] for line in table.splitlines()}
    microphone, best = rows["microphone, untreated"], rows["RLS, 256 taps"]
    assert best[0] > microphone[0] + 18
    assert best[0] - best[2] > 2  # a voice in the reference is taken for noise
    assert rows["NLMS, 256 taps"][0] < best[0]  # eigenvalue spread


def test_echo_example_keeps_the_echo_away_through_double_talk(tmp_path, monkeypatch, capsys):
    table, written = run("plot_echo_canceller", tmp_path, monkeypatch, capsys)
    assert written == {"plot_echo_canceller.png"}
    rows = {line[:28].strip(): numbers(line[28:]) for line in table.splitlines() if "." in line}
    two_paths = rows.pop("EchoCanceller, two paths")
    single, double, after, *_ = two_paths
    assert single > 25
    assert double > single - 3
    assert after > single - 3
    plain = [row for row in rows.values() if len(row) == 6]
    assert len(plain) == 4
    assert max(row[1] for row in plain) < 5


def test_diagnostics_example_meets_the_theory_of_linear_reservoirs(tmp_path, monkeypatch, capsys):
    table, written = run("plot_reservoir_diagnostics", tmp_path, monkeypatch, capsys)
    assert written == {"plot_reservoir_diagnostics.png"}
    assert abs(float(re.search(r"memory capacity (\S+)", table)[1]) - 20) < 0.02
    assert float(re.search(r"closed form (\S+)", table)[1]) < 0.02
    rows = {}
    for line in table.splitlines():
        found = re.match(r"(linear|tanh, \w+ drive) +([\d.]+ .*)", line)
        if found:
            radius, *values = numbers(found[2])
            rows[found[1], radius] = values
    assert len(rows) == 24
    for (case, radius), (exponent, capacity, repeats) in rows.items():
        assert 0 < capacity < 100
        if case == "linear":
            assert abs(exponent - math.log(radius)) < 2e-3
        if exponent < -0.01:
            assert repeats > 0.999
        elif exponent > 0.01:
            assert repeats < 0.95
    weak = {
        radius: values[1] for (case, radius), values in rows.items() if case[6:] == "weak drive"
    }
    assert max(weak, key=weak.get) == 1.0


def test_gradients_example_goes_as_theory_says(tmp_path, monkeypatch, capsys):
    table, written = run("plot_vanishing_gradients", tmp_path, monkeypatch, capsys)
    assert written == {"plot_vanishing_gradients.png"}
    rows = {}
    for line in table.splitlines():
        if line.startswith(("tanh", "ReLU", "LSTM", "GRU")):
            parts = line[16:].split("|")
            rows[line[:16].strip()] = np.array([[float(v) for v in part.split()] for part in parts])
    assert len(rows) == 10
    for name, (found, theory, *_) in rows.items():
        # Over up to 22 decades; a product of slopes that fluctuate strays by its square root.
        assert np.abs(np.log(found / theory)).max() < (2.0 if "ReLU" in name else 0.5), name
    at_100 = {name: measured[0, -1] / measured[0, 0] for name, measured in rows.items()}
    assert at_100["tanh, 0.7"] == pytest.approx(0.7**100, rel=0.5)
    assert at_100["tanh, 1.0"] == pytest.approx(1, rel=0.5)
    assert at_100["ReLU, 2.0"] > 1e10
    assert at_100["GRU, z bias 0"] < 1e-19 < at_100["LSTM, f bias 1"] < at_100["LSTM, f bias 2"]


def test_reber_example_lstm_recalls_what_elman_forgets(tmp_path, monkeypatch, capsys):
    table, written = run("plot_reber_grammar", tmp_path, monkeypatch, capsys)
    assert written == {"plot_reber_grammar.png"}
    shares = {
        cell: np.array(
            [numbers(line) for line in table.splitlines() if line.startswith(cell + " ")]
        )
        for cell in ("lstm", "elman")
    }
    assert shares["lstm"].shape == shares["elman"].shape == (3, 6)  # seed, all, four lengths
    assert shares["lstm"][:, 1].min() > 0.95
    assert np.median(shares["elman"][:, 1]) < 0.9
    # What is hard for an Elman network is the distance, not the rule.
    assert shares["elman"][:, 2].mean() > shares["elman"][:, 5].mean() + 0.15
    assert shares["lstm"][:, 5].mean() > shares["elman"][:, 5].mean() + 0.15


def test_forecast_example_reservoir_lasts_longest(tmp_path, monkeypatch, capsys):
    table, written = run("plot_rnn_vs_esn_forecast", tmp_path, monkeypatch, capsys)
    assert written == {"plot_rnn_vs_esn_forecast.png"}
    rows = {line[:10].strip(): line[10:].split() for line in table.splitlines()[2:]}
    median = {name: float(row[2]) for name, row in rows.items()}
    seconds = {name: float(row[0]) for name, row in rows.items()}
    assert set(median) == {"reservoir", "LSTM", "GRU", "linear"}
    assert median["reservoir"] > 6
    assert median["linear"] < 0.5 < min(median["LSTM"], median["GRU"])
    assert max(median["LSTM"], median["GRU"]) < median["reservoir"] - 2
    assert seconds["linear"] < min(seconds["LSTM"], seconds["GRU"])


def test_acceleration_example_forecasts_a_rotor_when_there_is_no_recording(
    tmp_path, monkeypatch, capsys
):
    table, written = run("plot_acceleration_lstm", tmp_path, monkeypatch, capsys)
    assert written == {"plot_acceleration_lstm.png"}
    assert table.startswith("synthetic acceleration of a rotor")
    errors = {line[:18].strip(): numbers(line[18:]) for line in table.splitlines()[2:7]}
    assert errors["mean"] == pytest.approx([1, 1, 1], abs=0.05)
    assert errors["last piece again"][0] > 1.2
    assert max(errors["LSTM"]) < 0.45
    assert errors["ridge, last 500"][0] < errors["LSTM"][0]


def test_saliency_example_finds_the_derivatives_that_must_be(tmp_path, monkeypatch, capsys):
    table, written = run("plot_saliency", tmp_path, monkeypatch, capsys)
    assert written == {"plot_saliency.png"}
    lines = table.splitlines()
    assert numbers(lines[0])[0] < 0.003
    marked, other = (numbers(line) for line in lines[1:3])
    assert marked[0] == pytest.approx(1, abs=0.06)
    assert other[0] == pytest.approx(0, abs=0.02)
    assert max(marked[1], other[1]) < 0.15
    assert numbers(lines[4])[0] > 0.97
    meaningful, distractors = numbers(lines[5])
    assert meaningful > 5 * distractors


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_every_example_has_a_picture_that_is_small_and_a_test(script):
    picture = {"plot_readme": "readme"}.get(script.stem, script.stem)
    assert 10_000 < (EXAMPLES / f"{picture}.png").stat().st_size < 200_000
    assert f'"{script.stem}"' in Path(__file__).read_text(encoding="utf-8")
