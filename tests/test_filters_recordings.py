"""Recordings: which tables and sounds are understood, what of them is kept, what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import denoise, refusal
from scipy.io import wavfile


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("first", "rest", "options", "written"),
    [
        ("t;x;r", "{t:.2f};{x};{r}", (), "header"),  # semicolons
        ("time (ms),x,r", "{ms},{x},{r}", (), "header"),
        ("", "{t:.2f},{x},{r}", (), "bare"),  # no header: the time is found by its steps
        ("", "2024-01-01 00:00:{t:05.2f}\t{x}\t{r}", (), "bare"),
        ("when,x,r", "{t:.2f},{x},{r}", ("--time", "when"), "header"),
        ("0,1,2", "{t:.2f},{x},{r}", ("--header", "yes", "--time", "0"), "header"),
    ],
)
def test_table_forms_are_understood_and_kept(here, capsys, first, rest, options, written):
    rng = np.random.default_rng(0)
    x, r = rng.standard_normal((2, 50)).round(3)
    rows = [rest.format(t=k / 100, ms=10 * k, x=x[k], r=r[k]) for k in range(50)]
    text = "\n".join([first, *rows] if first else rows) + "\n"
    Path("in.csv").write_text(text)
    assert denoise("in.csv", "--reference", "2", *options, "--out", "out.csv") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "50 samples at 100 Hz" in said.out
    old, new = (Path(name).read_text().splitlines() for name in ("in.csv", "out.csv"))
    assert len(old) == len(new) == 50 + (written == "header")
    separator = next(s for s in ";\t," if s in text)
    different = {
        j
        for a, b in zip(old, new, strict=True)
        for j, (p, q) in enumerate(zip(a.split(separator), b.split(separator), strict=True))
        if p != q
    }
    assert different == {1}


@pytest.mark.parametrize(
    ("head", "row", "signal"),
    [
        ("index,x,r", "{k},{x},{r}", "x"),
        ("sample,r", "{x},{r}", "sample"),  # a name like a row number's, but a signal
        ("T,r", "{x},{r}", "T"),
        ("", "5,{x},{r}", "0"),  # a constant first column is no time
    ],
)
def test_default_signal_is_the_first_that_is_neither_time_nor_row_number(
    here, capsys, head, row, signal
):
    x, r = np.random.default_rng(0).standard_normal((2, 60))
    rows = [row.format(k=k, x=x[k], r=r[k]) for k in range(60)]
    Path("in.csv").write_text("\n".join(([head] if head else []) + rows))
    last = str(row.count(","))
    assert denoise("in.csv", "--reference", last, "--out", "out.csv") == 0
    said = capsys.readouterr()
    assert f"removed from {signal!r}" in said.out
    assert said.err == ""


def test_text_columns_encoding_and_line_ends_stay(here):
    lines = [",x in \N{MICRO SIGN}V,note,r"]
    lines += [f'{k},{k % 7},"a, b",{k % 5}' for k in range(40)]
    Path("in.csv").write_bytes("\r\n".join(lines).encode("latin-1"))
    words = ("--reference", "r", "--taps", "1", "--out", "out.csv")
    assert denoise("in.csv", *words) == 0
    new = Path("out.csv").read_bytes().decode("latin-1").split("\r\n")
    assert new[0] == lines[0]
    assert [row.split(",")[0] for row in new[1:41]] == [str(k) for k in range(40)]
    assert [row.split(",", 2)[2] for row in new[1:41]] == [
        row.split(",", 2)[2] for row in lines[1:]
    ]


def test_integer_columns_stay_integers(here):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"adc": rng.integers(0, 1024, 200), "r": rng.standard_normal(200)})
    frame.to_csv("in.csv", index=False)
    assert denoise("in.csv", "--reference", "r", "--out", "out.csv") == 0
    clean = pd.read_csv("out.csv")["adc"]
    assert clean.dtype == np.int64
    assert (clean != frame["adc"]).any()


def test_byte_order_mark_is_kept_and_no_part_of_a_name(here):
    Path("in.csv").write_text("\ufefftime,x,r\n0,1,2\n1,2,5\n", encoding="utf-8")
    assert denoise("in.csv", "--reference", "r", "--out", "out.csv") == 0
    assert Path("out.csv").read_text(encoding="utf-8").startswith("\ufefftime,x,r\n0,1,2\n")


def test_clipped_samples_are_a_warning(here, capsys):
    rng = np.random.default_rng(0)
    loud = np.where(rng.uniform(size=4000) < 0.5, -32768, 32767).astype(np.int16)
    wavfile.write("in.wav", 8000, np.column_stack([loud, loud]))
    words = ("--reference", "1", "--filter", "nlms", "--step", "1.9", "--out", "out.wav")
    assert denoise("in.wav", *words) == 0
    said = capsys.readouterr().err
    n_clipped = int(said.removeprefix("filters: warning: ").split()[0])
    assert said.endswith("sample(s) of '0' clipped to the range of int16\n")
    _, clean = wavfile.read("out.wav")
    assert 0 < n_clipped <= np.sum((clean[:, 0] == 32767) | (clean[:, 0] == -32768))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "in.csv is empty"),
        (b"\n\n", "in.csv is empty"),
        (b"x,r\n", "in.csv has no rows below its header"),
        (b"x,r\n1,2\n3,4,5\n", "in.csv is not a CSV file: Expected 2 fields in line 3, saw 3"),
        (b"x,r\n1,2\n,4\n", "column 'x', line 3 is empty"),
        (b"x,r\n1,2\n3\n", "column 'r', line 3 is empty"),
        (b"x,r\n1,2\nnan,4\n1,1\nnan,2\n",
         "column 'x', line 3 is 'nan', not a finite number; so are 1 more rows"),
        (b"x,r\n1,2\n3,inf\n", "column 'r', line 3 is 'inf', not a finite number"),
        (b"1,2\n3,4\nfive,6\n", "column '0', line 3 is 'five', not a finite number"),
        (b"x;r\n1,5;2\n", "column 'x', line 2 is '1,5', not a finite number"),
        (b"1,5;2\n2,5;3\n", "column '0', line 1 is '1,5', not a finite number"),
        (b"x,r\n1,2\n\n3,4\n", "column 'r', line 3 is empty"),
        (b"RIFF\x00\x01\x02", "in.csv is not a CSV file: it is no text"),
    ],
)  # fmt: skip
def test_broken_tables_are_one_line_and_code_2(here, capsys, content, message):
    Path("in.csv").write_bytes(content)
    assert message in refusal(capsys, "in.csv", "--reference", "1", "--out", "out.csv")


def wav_bytes(samples, rate=8000):
    wavfile.write("scratch.wav", rate, samples)
    return Path("scratch.wav").read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "in.wav is not a readable WAV file"),
        (lambda: b"time,ecg\n1,2\n", "in.wav is not a readable WAV file"),
        (lambda: b"RIFF\x10\0\0\0WAVEjunkjunk", "in.wav is not a readable WAV file"),
        (lambda: wav_bytes(np.zeros(99, np.int16))[:20], "in.wav is not a readable WAV file"),
        (lambda: wav_bytes(np.zeros(99, np.int16))[:100], "in.wav is cut off"),
        (lambda: wav_bytes(np.zeros(0, np.int16)), "in.wav holds no samples"),
        (lambda: wav_bytes(np.zeros(9, np.uint8)), "in.wav holds uint8 samples; convert"),
        (lambda: wav_bytes(np.array([0, 1, np.nan], np.float32)),
         "in.wav: channel 0, sample 2 is nan (1 such sample(s))"),
    ],
)  # fmt: skip
def test_broken_sound_is_one_line_and_code_2(here, capsys, make, message):
    Path("in.wav").write_bytes(make())
    assert message in refusal(capsys, "in.wav", "--delay", "1", "--out", "out.wav")
