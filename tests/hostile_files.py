"""What comes from outside: fetched data, recordings and the words of the two command lines."""

import contextlib
import functools
import gzip
import io
import os
from pathlib import Path
from unittest import mock

import numpy as np
import sklearn.datasets
from hostile_judge import at_most
from hostile_names import Call
from public_names import COMMAND_LINES, public_names
from scipy.io import wavfile

from filters.__main__ import _parser as filters_parser
from reservoir.__main__ import _parser as reservoir_parser
from reservoir.datasets import _fetched

# ---- fetched data -------------------------------------------------------------------------------

LOADERS = {
    "load_fan_acceleration": _fetched._FAN_ACCELERATION,
    "load_sentence_polarity": _fetched._SENTENCE_POLARITY,
    "load_tiny_shakespeare": _fetched._TINY_SHAKESPEARE,
}
CONTENTS = {
    "nothing": b"",
    "a byte": b"\x00",
    "text": b"some text\n" * 9,
    "zeros": bytes(9999),
    "a table": b"a,b\n1,2\n",
    "not UTF-8": b"\xff\xfe\xfa" * 9,
    "a page that says no": b"<html>404</html>",
    "gzip": gzip.compress(b"some text"),
    "gzip, cut off": gzip.compress(b"some text" * 99)[:-9],
    "gzip, a byte wrong": bytes(b ^ (i == 15) for i, b in enumerate(gzip.compress(b"text" * 99))),
    "gzip with a tail": gzip.compress(b"some text") + b"tail",
    "gzip of nothing": gzip.compress(b""),
    "gzip in gzip": gzip.compress(gzip.compress(b"some text")),
    "zip": b"PK\x03\x04" + bytes(99),
}


def refuse_network(*args, **kwargs):
    raise OSError("no way out")


def loader_calls(folder):
    """Every loader with damaged and foreign files, and folders that are none; no network."""
    folder = Path(folder)
    (folder / "a file").write_bytes(b"in the way")
    for name, pinned in LOADERS.items():
        for where in (pinned.path, pinned.path.removesuffix(".gz")):
            for kind, content in CONTENTS.items():

                def make(content, name=name, where=where, kind=kind):
                    place = folder / f"{name} {kind}"
                    (place / where).parent.mkdir(parents=True, exist_ok=True)
                    (place / where).write_bytes(content)
                    try:
                        return load(name, place)
                    finally:
                        (place / where).unlink()

                given = functools.partial(bytes, content)
                yield Call(f"{name}({where}={kind})", make, given, {Path(where).name}, refused=True)
        for kind, place in {
            "no folder": folder / "none",
            "a folder that cannot be": folder / "a file" / "below",
            "a file for a folder": folder / "a file",
            "an empty name": "",
            "a long name": folder / ("x" * 300),
        }.items():

            def make(place, name=name):
                return load(name, place)

            words = {Path(pinned.path).name.removesuffix(".gz")}
            yield Call(f"{name}({kind})", make, functools.partial(str, place), words, refused=True)


def load(name, place):
    environment = {"RESERVOIR_DATA": str(place), "SCIKIT_LEARN_DATA": str(Path(place) / "none")}
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sklearn.datasets, "fetch_file", refuse_network),
    ):
        return public_names()[name]()


# ---- the command lines --------------------------------------------------------------------------

WORDS = ("", " ", "word", "-1", "0", "1", "2.5", "nan", "inf", "1e400", "9" * 30, "1,2", ",", "0,0")
WORDS += (
    "\u00fc",
    "\u0663",
    "../..",
    "/",
    "x" * 5000,
    "--",
    "-",
    "*",
    "a b",
    "%s",
    "{}",
    "\x1b[0m",
    "nul\x00",
)
# What may stand in front of the option that is tried, so that the command would do something.
COMMANDS = {
    "filters": ["denoise", "tone.csv", "--out", "out.csv"],
    "reservoir": ["compare", "--list"],
}


def write_inputs():
    """Good and bad recordings in the folder where we are."""
    rng = np.random.default_rng(0)
    table = np.column_stack([np.arange(200) / 100, rng.standard_normal((200, 2))])
    good = "time,x,mains\n" + "\n".join(",".join(map(repr, row)) for row in table.tolist()) + "\n"
    Path("tone.csv").write_text(good)
    wavfile.write("tone.wav", 8000, (3000 * rng.standard_normal((400, 2))).astype(np.int16))
    sound = Path("tone.wav").read_bytes()
    lines = good.splitlines()
    bad = {f"{kind}.csv".replace(" ", "_"): content for kind, content in CONTENTS.items()}
    bad |= {
        "header.csv": b"time,x,mains\n",
        "ragged.csv": "\n".join([*lines[:9], "1,2", *lines[9:]]).encode(),
        "wide.csv": "\n".join([*lines[:9], "1,2,3,4,5", *lines[9:]]).encode(),
        "nan.csv": "\n".join([*lines[:9], "0.08,nan,1.0"]).encode(),
        "infinite.csv": "\n".join([*lines[:9], "0.08,1e999,1.0"]).encode(),
        "huge.csv": "\n".join([*lines[:9], "0.08,1e308,-1e308"]).encode(),
        "word.csv": "\n".join([*lines[:9], "0.08,word,1.0"]).encode(),
        "gap.csv": "\n".join([*lines[:9], "0.08,,1.0"]).encode(),
        "quotes.csv": b'time,"x\n1,2\n',
        "one.csv": "\n".join(lines[:2]).encode(),
        "column.csv": b"x\n1\n2\n3\n",
        "twice.csv": b"x,x\n1,2\n2,3\n3,1\n",
        "time_stands.csv": b"time,x\n1,2\n1,3\n1,1\n",
        "time_runs_back.csv": b"time,x\n3,2\n2,3\n1,1\n",
        "long_line.csv": b"1," * 99999 + b"1\n",
        "utf16.csv": good.encode("utf-16"),
        "nulls.csv": good.replace("0", "\x00").encode(),
        "cut_off.wav": sound[:-99],
        "header_only.wav": sound[:44],
        "half_header.wav": sound[:20],
        "no_samples.wav": sound[:40] + bytes(4),
        "rate_zero.wav": sound[:24] + bytes(4) + sound[28:],
        "no_channels.wav": sound[:22] + bytes(2) + sound[24:],
        "bits.wav": sound[:34] + b"\x07\x00" + sound[36:],
        "text.wav": b"some text",
        "table.wav": good.encode(),
        "sound.csv": sound,
        "empty.wav": b"",
    }
    for name, content in bad.items():
        Path(name).write_bytes(content)
    Path("folder.csv").mkdir()
    samples = {"nan": np.nan, "inf": np.inf, "huge": 3e38}
    for name, value in samples.items():
        values = rng.standard_normal(400).astype(np.float32)
        values[7] = value
        wavfile.write(f"{name}.wav", 8000, values)
    wavfile.write("float64.wav", 8000, rng.standard_normal(400))
    wavfile.write("bytes.wav", 8000, np.arange(200, dtype=np.uint8))
    return [*bad, "folder.csv", "none.csv", "none.wav", "tone.wav", "float64.wav", "bytes.wav"] + [
        f"{name}.wav" for name in samples
    ]


def options_of(parser):
    """The option strings of the only command a parser has, and whether each takes a word."""
    (commands,) = [
        a for a in parser._actions if getattr(a, "choices", None) and not a.option_strings
    ]
    (command,) = commands.choices.values()
    return {a.option_strings[-1]: a.nargs != 0 for a in command._actions if a.option_strings}


def command_calls(files):
    """Label and words of every command: an option with a word, a file with a method, no sense."""
    parsers = {"filters": filters_parser(), "reservoir": reservoir_parser()}
    for program, parser in parsers.items():
        for option, takes_word in options_of(parser).items():
            for word in WORDS if takes_word else ("",):
                yield program, [*COMMANDS[program], option, *([word] if takes_word else [])]
        for word in WORDS:
            yield program, [word]
            yield program, [COMMANDS[program][0], word]
        yield program, []
    for file in files:
        out = "out.wav" if file.endswith(".wav") else "out.csv"
        yield "filters", ["denoise", file, "--out", out]
        yield "filters", ["denoise", file, "--out", out, "--fs", "100", "--frequency", "20"]
        yield "filters", ["denoise", file, "--out", out, "--reference", "1"]
        yield "filters", ["denoise", "tone.csv", "--out", "out.csv", "--reference", file]
        yield "filters", ["denoise", "tone.csv", "--out", file]
        yield "reservoir", ["compare", "--tasks", "sunspots", "--against", file, "--out", "report"]
        yield "reservoir", ["compare", "--list", "--register", file]
        yield "reservoir", ["compare", "--tasks", "none", "--out", file]


def command_fault(program, words):
    """What is wrong with what a command says and returns; an empty text if nothing."""
    main = next(line for line in COMMAND_LINES if line.__module__.startswith(program))
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), at_most(60):
            code = main(words)
    except SystemExit as stopped:  # argparse
        code = stopped.code
    except BaseException as error:
        return f"{type(error).__name__} {str(error)[:120]!r}"
    said = err.getvalue()
    if code not in (0, 1, 2):
        return f"returned {code!r}"
    lines = said.splitlines()
    if code and not out.getvalue():
        if not lines:
            return f"returned {code} without a word"
        if program == "filters":  # warnings have lines of their own, and come first
            strangers = [line for line in lines if not line.startswith("filters: ")]
            more = [line for line in lines[:-1] if "warning" not in line]
        else:  # argparse says how it is used before it says what was wrong
            strangers = [] if "reservoir" in lines[-1] else lines
            more = []
        if strangers or more:
            return f"returned {code} and said {said[:200]!r}"
    if "Traceback" in said:
        return f"said {said[-200:]!r}"
    if code and any(path.name.endswith(".part") for path in Path().iterdir()):
        return "left half a file"
    return ""
