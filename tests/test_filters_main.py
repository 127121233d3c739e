"""The command line of the filters: what it cleans, keeps, prints and refuses."""

import errno
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import denoise, refusal
from scipy.io import wavfile

from filters import (
    AdaptiveNotch,
    FrequencyDomainFilter,
    LineEnhancer,
    NLMSFilter,
    NoiseCanceller,
    RLSFilter,
)
from filters.__main__ import main
from filters.signals import cabin_paths, mains_hum, rotor_noise, speech_like, through_paths
from filters.timeseries import snr_db

FS = 360
N = 30 * FS


@pytest.fixture(scope="module")
def ecg():
    """Columns time, ecg with hum, mains, and the truth; ten seconds to settle."""
    time = np.arange(N) / FS
    truth = np.exp(-(((time % 0.8) - 0.3) ** 2) / (2 * 0.01**2)) + 0.1 * np.sin(time)
    hum = mains_hum(N, fs=FS, harmonics_db=(), random_state=0)
    noisy = 5.0 + truth + 0.5 * hum.hum
    return pd.DataFrame({"time": time.round(4), "ecg": noisy, "mains": hum.reference}), truth + 5


@pytest.fixture
def here(tmp_path, monkeypatch, ecg):
    """A folder with ecg.csv, which is the current one."""
    monkeypatch.chdir(tmp_path)
    ecg[0].to_csv("ecg.csv", index=False)
    return tmp_path


@pytest.fixture(scope="module")
def cabin():
    """Voice, primary and reference at 8 kHz."""
    n = 5 * 8000
    voice = 0.05 * speech_like(n, random_state=0).speech
    rotor = 0.1 * rotor_noise(n, random_state=0).noise
    paths = cabin_paths(120, n_echoes=0, tail_db=-50.0, random_state=0)
    primary = voice + through_paths(rotor, paths.to_microphone)
    return voice, primary, 0.3 * through_paths(rotor, paths.to_reference)


def gain_db(truth, before, after, settled):
    truth, before, after = (x[settled:] - x[settled:].mean() for x in (truth, before, after))
    return snr_db(truth, after) - snr_db(truth, before)


# ---- what it cleans ----------------------------------------------------------------------------


def test_csv_with_a_reference_column_is_cleaned_and_the_rest_kept(here, ecg, capsys):
    assert denoise("ecg.csv", "--reference", "mains", "--out", "clean.csv") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "clean.csv: 10800 samples at 360 Hz, " in out
    assert "by NLMSFilter(n_taps=16, step_size=0.02)" in out
    frame, truth = ecg
    clean = pd.read_csv("clean.csv")
    gain = gain_db(truth, frame["ecg"].to_numpy(), clean["ecg"].to_numpy(), 10 * FS)
    assert gain > 15
    assert abs(clean["ecg"].mean() - 5.0) < 0.1  # the offset is the signal's own
    for name in ("time", "mains"):
        pd.testing.assert_series_equal(clean[name], frame[name], rtol=1e-15)
    power = float(out.split(" dB")[0].rsplit(" ", 1)[1])
    np.testing.assert_allclose(
        power, 10 * np.log10(frame["ecg"].var() / clean["ecg"].var()), atol=0.051
    )


def test_csv_answer_is_that_of_the_noise_canceller(here, ecg):
    words = ("--filter", "rls", "--taps", "4", "--forgetting", "0.99")
    assert denoise("ecg.csv", "--reference", "2", *words, "--out", "clean.csv") == 0
    both = ecg[0][["ecg", "mains"]].to_numpy()
    both = both - both.mean(axis=0)
    expected = NoiseCanceller(RLSFilter(4, forgetting_factor=0.99)).fit_transform(both)[:, 0]
    cleaned = pd.read_csv("clean.csv")["ecg"] - ecg[0]["ecg"].mean()
    np.testing.assert_allclose(cleaned, expected, atol=1e-9)


def test_csv_without_a_reference_loses_its_tones(here, ecg):
    frame, truth = ecg
    assert denoise("ecg.csv", "--signal", "ecg", "--delay", "40", "--out", "clean.csv") == 0
    cleaned = pd.read_csv("clean.csv")["ecg"].to_numpy()
    signal = frame["ecg"].to_numpy()
    assert gain_db(truth, signal, cleaned, 10 * FS) > 5
    enhancer = LineEnhancer(NLMSFilter(64, step_size=0.02), delay=40, output="noise")
    expected = enhancer.fit_transform((signal - signal.mean())[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(cleaned - signal.mean(), expected, atol=1e-9)


def test_hum_in_speech_without_a_reference_is_removed_as_the_help_shows(here):
    voice = 0.2 * speech_like(80_000, random_state=0).speech
    hum = 0.2 * mains_hum(80_000, fs=8000.0, random_state=0).hum
    wavfile.write("speech.wav", 8000, (voice + hum).astype(np.float32))
    words = ("--delay", "800", "--taps", "256", "--step", "0.002")
    assert denoise("speech.wav", *words, "--out", "clean.wav") == 0
    _, clean = wavfile.read("clean.wav")
    assert gain_db(voice, voice + hum, clean.astype(float), 16_000) > 12


def test_delay_is_a_tenth_of_a_second_where_the_rate_is_known(here, capsys):
    assert denoise("ecg.csv", "--out", "a.csv") == 0
    assert "behind a delay of 36 samples" in capsys.readouterr().out
    pd.read_csv("ecg.csv")[["ecg"]].to_csv("bare.csv", index=False)
    assert denoise("bare.csv", "--out", "b.csv") == 0
    said = capsys.readouterr().out
    assert "behind a delay of 32 samples" in said
    assert "Hz" not in said
    assert denoise("bare.csv", "--fs", "100", "--out", "c.csv") == 0
    assert "10800 samples at 100 Hz" in (said := capsys.readouterr().out)
    assert "behind a delay of 10 samples" in said


def test_several_signals_are_cleaned_each(here, ecg, capsys):
    frame, truth = ecg
    frame.assign(lead2=2 * truth - frame["mains"]).to_csv("two.csv", index=False)
    words = ("--reference", "mains", "--signal", "lead2", "ecg")
    assert denoise("two.csv", *words, "--out", "clean.csv") == 0
    assert capsys.readouterr().out.count("dB of power removed from") == 2
    clean = pd.read_csv("clean.csv")
    for name, wanted in (("ecg", truth), ("lead2", 2 * truth)):
        before = pd.read_csv("two.csv")[name].to_numpy()
        assert gain_db(wanted, before, clean[name].to_numpy(), 10 * FS) > 13
    assert denoise("two.csv", "--signal", "lead2", "ecg", "--out", "line.csv") == 0
    assert denoise("two.csv", "--signal", "ecg", "--out", "one.csv") == 0
    one, line = (pd.read_csv(name)["ecg"] for name in ("one.csv", "line.csv"))
    np.testing.assert_allclose(one, line, atol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "scale"), [(np.int16, 2**15), (np.int32, 2**31), (np.float32, 1), (np.float64, 1)]
)
def test_wav_keeps_its_dtype_rate_and_other_channels(here, cabin, capsys, dtype, scale):
    voice, primary, reference = (scale * 0.5 * x for x in cabin)
    sound = np.column_stack([primary, reference]).astype(dtype)
    wavfile.write("cabin.wav", 8000, sound)
    words = ("--filter", "rls", "--taps", "64", "--forgetting", "1")
    assert denoise("cabin.wav", "--reference", "1", *words, "--out", "voice.wav") == 0
    assert "voice.wav: 40000 samples at 8000 Hz" in capsys.readouterr().out
    rate, clean = wavfile.read("voice.wav")
    assert (rate, clean.dtype, clean.shape) == (8000, sound.dtype, (40000, 2))
    np.testing.assert_array_equal(clean[:, 1], sound[:, 1])
    before, after = sound[:, 0].astype(float), clean[:, 0].astype(float)
    assert gain_db(voice, before, after, 8000) > 15


def test_wav_with_a_reference_file_stays_mono(here, cabin):
    voice, primary, reference = cabin
    wavfile.write("cabin.wav", 8000, primary.astype(np.float32))
    wavfile.write("rotor.wav", 8000, reference.astype(np.float32))
    words = ("--reference", "rotor.wav", "--filter", "frequency", "--step", "0.2")
    assert denoise("cabin.wav", *words, "--out", "voice.wav") == 0
    _, clean = wavfile.read("voice.wav")
    assert clean.shape == (40000,)
    assert gain_db(voice, primary, clean.astype(float), 8000) > 8
    both = np.column_stack([primary, reference]).astype(np.float32).astype(float)
    inner = FrequencyDomainFilter(256, step_size=0.2)
    expected = NoiseCanceller(inner).fit_transform(both - both.mean(axis=0))[:, 0]
    np.testing.assert_allclose(clean, expected + both[:, 0].mean(), atol=1e-6)


@pytest.mark.parametrize("name", ["nlms", "lms", "rls", "apa", "frequency"])
def test_every_filter_removes_the_hum(here, ecg, name):
    words = ("--reference", "mains", "--filter", name)
    assert denoise("ecg.csv", *words, "--out", "clean.csv") == 0
    clean = pd.read_csv("clean.csv")["ecg"].to_numpy()
    assert gain_db(ecg[1], ecg[0]["ecg"].to_numpy(), clean, 10 * FS) > 6


def test_a_drifting_tone_near_a_frequency_is_removed_without_a_reference(here, ecg, capsys):
    assert denoise("ecg.csv", "--frequency", 50, "--out", "clean.csv") == 0
    said = capsys.readouterr().out
    assert "AdaptiveNotch(frequency=50.0, n_harmonics=1)" in said
    given, truth = ecg
    cleaned = pd.read_csv("clean.csv")["ecg"].to_numpy()
    assert gain_db(truth, given["ecg"].to_numpy(), cleaned, 10 * FS) > 15
    centred = given[["ecg"]].to_numpy() - given["ecg"].mean()
    wanted = AdaptiveNotch(360.0, 50.0).fit_transform(centred)[:, 0]
    np.testing.assert_allclose(cleaned, wanted + given["ecg"].mean(), rtol=0, atol=1e-9)


def test_the_notch_says_what_it_needs(here, capsys):
    pd.DataFrame({"a": np.ones(99)}).to_csv("plain.csv", index=False)
    to = ("--out", "o.csv")
    assert "--frequency" in refusal(capsys, "ecg.csv", "--method", "notch", *to)
    assert "--fs" in refusal(capsys, "plain.csv", "--frequency", 50, *to)
    assert "fs / 2" in refusal(capsys, "ecg.csv", "--frequency", 100, "--harmonics", 2, *to)
    assert "no --filter" in refusal(capsys, "ecg.csv", "--frequency", 50, "--taps", 9, *to)


def test_long_recordings_in_blocks_are_as_in_one_go(here, monkeypatch):
    assert denoise("ecg.csv", "--reference", "mains", "--out", "whole.csv") == 0
    monkeypatch.setattr("filters._denoise._BLOCK", 1000)
    assert denoise("ecg.csv", "--reference", "mains", "--out", "blocks.csv") == 0
    assert Path("whole.csv").read_bytes() == Path("blocks.csv").read_bytes()


# ---- the cases at the edge ---------------------------------------------------------------------


def test_missing_values_elsewhere_do_not_matter(here, ecg):
    ecg[0].assign(other=np.nan).to_csv("gaps.csv", index=False)
    assert denoise("gaps.csv", "--reference", "mains", "--out", "clean.csv") == 0
    assert pd.read_csv("clean.csv")["other"].isna().all()


def test_uneven_time_is_a_warning(here, ecg, capsys):
    ecg[0].drop(index=range(100, 200)).to_csv("gap.csv", index=False)
    assert denoise("gap.csv", "--reference", "mains", "--out", "clean.csv") == 0
    said = capsys.readouterr().err
    assert said.startswith("filters: warning: the steps of 'time' go from 0.0027 to 0.28")
    assert said.count("\n") == 1


def test_a_constant_signal_stays_as_it_is(here, capsys):
    pd.DataFrame({"x": np.full(100, 2.5), "r": np.arange(100) % 3}).to_csv("in.csv", index=False)
    assert denoise("in.csv", "--reference", "r", "--out", "out.csv") == 0
    assert "0.0 dB of power removed" in capsys.readouterr().out
    np.testing.assert_array_equal(pd.read_csv("out.csv")["x"], 2.5)


def test_one_sample_is_enough(here):
    Path("in.csv").write_text("x,r\n1.5,2\n")
    assert denoise("in.csv", "--reference", "r", "--out", "out.csv") == 0
    assert Path("out.csv").read_text() == "x,r\n1.5,2\n"


def test_plot_is_a_picture(here):
    words = ("--reference", "mains", "--out", "clean.csv", "--plot", "before_after.png")
    assert denoise("ecg.csv", *words) == 0
    assert Path("before_after.png").read_bytes().startswith(b"\x89PNG")


# ---- what it refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.csv"], "cannot read none.csv: No such file or directory"),
        (["none.wav", "--out", "o.wav"], "cannot read none.wav: No such file"),
        (["ecg.csv", "--reference", "hum"],
         "--reference 'hum' is no column of ecg.csv (time, ecg, mains), nor is there such a file"),
        (["ecg.csv", "--signal", "9"], "--signal '9' is no column of ecg.csv"),
        (["ecg.csv", "--reference", "mains", "--signal", "mains"], "'mains' is a reference"),
        (["ecg.csv", "--signal", "time"], "'time' is time or row number"),
        (["ecg.csv", "--time", "when"], "--time 'when' is not a column of ecg.csv"),
        (["ecg.csv", "--reference", "ecg", "mains"], "has no column left to clean"),
        (["ecg.csv", "--method", "cancel"], "--method cancel needs a --reference"),
        (["ecg.csv", "--filter", "rls", "--step", "1"],
         "--step is not a parameter of --filter rls"),
        (["ecg.csv", "--forgetting", ".9"], "--forgetting is not a parameter of --filter nlms"),
        (["ecg.csv", "--filter", "rls", "--forgetting", "2"], "forgetting_factor"),
        (["ecg.csv", "--delay", "10800"], "the delay of 10800 samples leaves nothing"),
        (["ecg.csv", "--taps", "0"], "argument --taps: '0' is not a whole number of at least 1"),
        (["ecg.csv", "--fs", "nan"], "argument --fs: 'nan' is not a positive number"),
        (["ecg.csv", "--filter", "lms", "--step", "9", "--reference", "mains"], "diverged"),
        (["ecg.csv", "--filter", "kalman"], "argument --filter: invalid choice: 'kalman'"),
        (["ecg.csv", "--out", "o.wav"], "o.wav must be of the same kind as ecg.csv"),
        (["ecg.csv", "--out", "ecg.csv"], "ecg.csv exists; --force replaces it"),
        (["ecg.csv", "--out", "no/o.csv"], "there is no folder no to write o.csv to"),
        (["ecg.csv", "--out", "."], ". is a folder; name a file"),
        (["ecg.csv", "--plot", "p.txt"], "--plot p.txt must end in one of .png, .svg, .pdf"),
        (["ecg.csv", "--plot", "no/p.png"], "there is no folder no to write p.png to"),
        ([], "the following arguments are required: INPUT"),
    ],
)  # fmt: skip
def test_wrong_words_are_one_line_and_code_2(here, capsys, words, message):
    out = [] if "--out" in words else ["--out", "clean.csv"]
    assert message in refusal(capsys, *words, *out)


def test_references_of_other_rate_or_length_are_refused(here, ecg, capsys):
    sound = np.arange(400, dtype=np.int16)
    for name, rate, samples in (("a", 8000, sound), ("b", 16000, sound), ("c", 8000, sound[:-1])):
        wavfile.write(f"{name}.wav", rate, samples)
    words = ("a.wav", "--out", "out.wav", "--reference")
    assert refusal(capsys, *words, "b.wav") == "b.wav runs at 16000 Hz, a.wav at 8000 Hz"
    assert refusal(capsys, *words, "c.wav") == "c.wav has 399 samples, a.wav 400"
    slow = ecg[0].assign(time=2 * ecg[0]["time"])
    slow.to_csv("slow.csv", index=False)
    message = refusal(capsys, "ecg.csv", "--out", "o.csv", "--reference", "slow.csv")
    assert message == "slow.csv runs at 180 Hz, ecg.csv at 360 Hz"
    assert "are for tables" in refusal(capsys, "a.wav", "--fs", "8000", "--out", "out.wav")


def test_time_of_a_reference_file_is_no_reference(here, ecg):
    ecg[0][["time", "mains"]].to_csv("mains.csv", index=False)
    ecg[0][["time", "ecg"]].to_csv("alone.csv", index=False)
    assert denoise("ecg.csv", "--reference", "mains", "--out", "one.csv") == 0
    assert denoise("alone.csv", "--reference", "mains.csv", "--out", "two.csv") == 0
    np.testing.assert_array_equal(pd.read_csv("one.csv")["ecg"], pd.read_csv("two.csv")["ecg"])


def test_force_replaces_even_the_input(here, ecg):
    words = ("--reference", "mains", "--out", "ecg.csv", "--force")
    assert denoise("ecg.csv", *words) == 0
    assert not np.allclose(pd.read_csv("ecg.csv")["ecg"], ecg[0]["ecg"], rtol=1e-3)


def test_a_device_is_never_replaced(here, capsys):
    os.mkfifo("pipe")
    message = refusal(capsys, "ecg.csv", "--out", "pipe", "--force")
    assert message == "pipe is a device or a pipe; name a file"


def test_a_link_stays_and_its_file_is_replaced(here):
    os.mkdir("folder")
    Path("folder/real.csv").write_text("old")
    os.symlink("folder/real.csv", "link.csv")
    words = ("--reference", "mains", "--out", "link.csv", "--force")
    assert denoise("ecg.csv", *words) == 0
    assert Path("link.csv").is_symlink()
    assert Path("folder/real.csv").read_text().startswith("time,ecg,mains\n")


def test_a_folder_without_permission_is_refused(here, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # chmod does not bind root
    assert refusal(capsys, "ecg.csv", "--out", "o.csv") == "the folder . cannot be written to"


def test_a_full_disk_leaves_nothing_behind(here, capsys, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    message = refusal(capsys, "ecg.csv", "--reference", "mains", "--out", "o.csv")
    assert message == "cannot write o.csv: No space left on device"


def test_plot_without_matplotlib_names_the_extra(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = refusal(capsys, "ecg.csv", "--out", "o.csv", "--plot", "p.png")
    assert message == '--plot needs matplotlib: pip install "reservoir-filters[report]"'


def test_ctrl_c_in_the_middle_of_writing_leaves_nothing_behind(here, capsys, monkeypatch):
    def interrupt(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    assert denoise("ecg.csv", "--reference", "mains", "--out", "o.csv") == 130
    assert capsys.readouterr().err == "filters: interrupted; o.csv was not written\n"
    assert os.listdir() == ["ecg.csv"]


def test_ctrl_c_is_one_line_and_code_130(here):
    os.mkfifo("slow.csv")  # reading it waits until someone writes
    command = [sys.executable, "-m", "filters", "denoise", "slow.csv", "--out", "o.csv"]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process,
        open("slow.csv", "w"),  # returns when the other end is open
    ):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said == "filters: interrupted; o.csv was not written\n"
    assert sorted(os.listdir()) == ["ecg.csv", "slow.csv"]


# ---- around it ---------------------------------------------------------------------------------


def test_help_has_an_example_and_starting_imports_no_reservoir():
    program = (
        "import sys; from filters.__main__ import main\n"
        "try: main(['denoise', '--help'])\n"
        "finally: assert not {'reservoir', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "filters denoise ecg.csv --reference mains --out clean.csv" in done.stdout


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "denoise" in capsys.readouterr().out


def test_console_script_is_declared():
    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["filters"] == "filters.__main__:main"
