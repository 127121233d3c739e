"""The command line: ``filters denoise`` and ``python -m filters denoise``."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import numpy as np

    from ._recordings import Recording

_EXAMPLE = """\
examples:
  filters denoise ecg.csv --reference mains --out clean.csv
  filters denoise cabin.wav --reference rotor.wav --filter rls --taps 256 --out voice.wav
  filters denoise ecg.csv --fs 360 --frequency 50 --harmonics 3 --out clean.csv
  filters denoise speech.wav --delay 800 --taps 256 --step 0.002 --out clean.wav
"""
_PICTURES = (".png", ".svg", ".pdf")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the whole usage."""
        self.exit(2, f"filters: {message} ({self.prog} --help explains)\n")


class _Refusal(ValueError):
    """What is asked for cannot be done; the message is one line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        0 done; 2 something is wrong with the arguments or a file; 130 interrupted.
    """
    parser = _parser()
    options = parser.parse_args(list(sys.argv[1:] if argv is None else argv))
    if options.command is None:
        parser.print_help()
        return 2
    try:
        _denoise(options)
    except BrokenPipeError:  # `| head` has read enough; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return _fail(f"interrupted; {options.out} was not written", 130)
    except MemoryError:
        return _fail(f"not enough memory for {options.input}", 2)
    except (ValueError, ImportError) as error:
        return _fail(" ".join(str(error).split()), 2)
    except OSError as error:  # a name that is too long, a folder that must not be entered
        return _fail(f"cannot use {str(error.filename)[:200]}: {error.strerror}", 2)
    return 0


def _denoise(options: argparse.Namespace) -> None:
    import numpy as np

    from ._denoise import removed_db, spectrum_picture
    from ._recordings import write_file

    out, picture = _places(options)
    recording = _read(options)
    if recording.note:
        _say(f"warning: {recording.note}")
    names, references = _channels(recording, options)
    before = np.column_stack([recording.column(name) for name in names])
    start = time.perf_counter()
    after, description = _cleaned(before, references, recording.rate, options)
    seconds = time.perf_counter() - start

    for name, values in zip(names, after.T, strict=True):
        n_clipped = recording.replace(name, values)
        if n_clipped:
            kind = recording.dtype(name)
            _say(f"warning: {n_clipped} sample(s) of {name!r} clipped to the range of {kind}")
    if picture is not None:
        form = picture.suffix[1:].lower()
        drawn = spectrum_picture(before[:, 0], after[:, 0], names[0], recording.rate, form)
        write_file(picture, lambda file: file.write(drawn))
    write_file(out, recording.write)

    rate = f" at {recording.rate:g} Hz" if recording.rate else ""
    gains = ", ".join(
        f"{round(removed_db(b, a), 1) + 0.0:.1f} dB of power removed from {name!r}"
        for name, b, a in zip(names, before.T, after.T, strict=True)
    )
    print(
        f"{out}: {recording.n_samples} samples{rate}, {gains} in {seconds:.2f} s by {description}"
    )


def _places(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """Where to write the answer and the picture; refused before any work is done."""
    from ._recordings import is_wav, refuse_place
    from .timeseries._extras import require_report_extra

    out = Path(options.out)
    refuse_place(out, force=options.force)
    if is_wav(out) != is_wav(Path(options.input)):
        raise _Refusal(f"{out} must be of the same kind as {options.input}: both .wav, or neither")
    if options.plot is None:
        return out, None
    picture = Path(options.plot)
    if picture.suffix.lower() not in _PICTURES:
        raise _Refusal(f"--plot {picture} must end in one of {', '.join(_PICTURES)}")
    refuse_place(picture, force=options.force)
    require_report_extra("--plot", "matplotlib")
    return out, picture


def _cleaned(
    signals: np.ndarray, references: np.ndarray, rate: float | None, options: argparse.Namespace
) -> tuple[np.ndarray, str]:
    """Run the method; what the filters warn of becomes lines."""
    from ._denoise import Settings, denoise

    alone = "line" if options.frequency is None else "notch"
    method = options.method or ("cancel" if references.size else alone)
    if method == "cancel" and not references.size:
        raise _Refusal("--method cancel needs a --reference")
    if method == "notch" and any((options.filter, options.taps, options.step, options.forgetting)):
        raise _Refusal("--method notch has no --filter, --taps, --step or --forgetting")
    settings = Settings(
        options.filter or "nlms",
        _parameters(options),
        options.delay,
        rate,
        options.frequency,
        options.harmonics,
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        answer = denoise(method, signals, references, settings, _progress)
    _clear_progress()
    for text in dict.fromkeys(str(warning.message) for warning in said):
        _say(f"warning: {text}")
    return answer


def _read(options: argparse.Namespace, path: str | None = None) -> Recording:
    from ._recordings import is_wav, read_recording

    header = {"auto": None, "yes": True, "no": False}[options.header]
    time_column = options.time if path is None else None
    if is_wav(Path(path or options.input)):
        if header is not None or options.time is not None or options.fs is not None:
            raise _Refusal("--header, --time and --fs are for tables; a WAV file has its own rate")
        return read_recording(path or options.input)
    return read_recording(path or options.input, header=header, time=time_column, rate=options.fs)


def _channels(recording: Recording, options: argparse.Namespace) -> tuple[list[str], np.ndarray]:
    """Names of the signals, and the references as columns."""
    import numpy as np

    used, columns = [], []
    for wanted in options.reference or []:
        name = recording.find(wanted)
        if name is not None:
            used.append(name)
            columns.append(recording.column(name))
        elif Path(wanted).exists():
            columns += _other_file(recording, _read(options, wanted))
        else:
            raise _Refusal(
                _unknown("--reference", wanted, recording) + ", nor is there such a file"
            )
    free = [name for name in recording.names if name not in {*recording.marks, *used}]
    if not free:
        raise _Refusal(f"{recording.path} has no column left to clean beside time and reference")
    names = []
    for wanted in options.signal or free[:1]:
        name = recording.find(wanted)
        if name is None:
            raise _Refusal(_unknown("--signal", wanted, recording))
        if name not in free:
            role = "time or row number" if name in recording.marks else "a reference"
            raise _Refusal(f"--signal {wanted!r} is {role}")
        names.append(name)
    references = np.column_stack(columns) if columns else np.empty((recording.n_samples, 0))
    return list(dict.fromkeys(names)), references


def _other_file(recording: Recording, other: Recording) -> list[np.ndarray]:
    """All channels of a reference file, which must run along with the recording."""
    if other.n_samples != recording.n_samples:
        raise _Refusal(
            f"{other.path} has {other.n_samples} samples, {recording.path} {recording.n_samples}"
        )
    if other.rate and recording.rate and not math.isclose(other.rate, recording.rate, rel_tol=1e-4):
        raise _Refusal(
            f"{other.path} runs at {other.rate:g} Hz, {recording.path} at {recording.rate:g} Hz"
        )
    return [other.column(name) for name in other.names if name not in other.marks]


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    """What was given on the command line, by the filter's names."""
    from ._denoise import FILTERS

    given = {"step_size": ("--step", options.step)}
    given["forgetting_factor"] = ("--forgetting", options.forgetting)
    parameters = {} if options.taps is None else {"n_taps": options.taps}
    for name, (flag, value) in given.items():
        if value is None:
            continue
        if name not in FILTERS[options.filter or "nlms"][1]:
            raise _Refusal(f"{flag} is not a parameter of --filter {options.filter or 'nlms'}")
        parameters[name] = value
    return parameters


def _unknown(flag: str, wanted: str, recording: Recording) -> str:
    return f"{flag} {wanted!r} is no column of {recording.path} ({', '.join(recording.names)})"


def _parser() -> argparse.ArgumentParser:
    from ._denoise import FILTERS, METHODS

    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="filters",
        description="Adaptive filters on recordings.",
        epilog=_EXAMPLE,
        formatter_class=form,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    denoise = commands.add_parser(
        "denoise",
        help="remove noise from a CSV or WAV recording",
        description="Remove from a recording what can be predicted from references that hear the\n"
        "noise but not the signal. With a frequency, remove a tone near it that may\n"
        "drift, and its harmonics. Without either, remove what can be predicted from\n"
        "the past of the recording itself: tones, but also what repeats itself in the\n"
        "signal, such as a heartbeat. The filter adapts as it goes, so the first\n"
        "moments are not yet clean. Other columns, and the dtype, stay as they are.",
        epilog=_EXAMPLE,
        formatter_class=form,
    )
    add = denoise.add_argument
    add("input", metavar="INPUT", help="a .wav file, or a table of text (, ; or tab)")
    add("--out", metavar="OUT", required=True, help="file to write, of the kind of INPUT")
    said = "columns of INPUT, by name or number from 0, or files of the same length"
    add("--reference", metavar="REF", nargs="+", help=said)
    said = "columns to clean (default: the first that is neither time nor reference)"
    add("--signal", metavar="COLUMN", nargs="+", help=said)
    said = "default: cancel with a reference, notch with a frequency, else line"
    add("--method", choices=METHODS, help=said)
    add("--filter", choices=FILTERS, help="default: nlms")
    said = "length of the filter (default: 16; 64 for line, 256 for frequency)"
    add("--taps", metavar="N", type=_whole, help=said)
    said = "step size (default: nlms and apa 0.02, frequency 0.1, lms from the input's power)"
    add("--step", metavar="X", type=_positive, help=said)
    said = "forgetting factor of rls (default: 0.999)"
    add("--forgetting", metavar="X", type=_positive, help=said)
    said = "line: samples after which the noise, but not the signal, still resembles itself "
    said += "(default: those of 0.1 s, or 32)"
    add("--delay", metavar="N", type=_whole, help=said)
    said = "notch: where the drifting tone is to be looked for"
    add("--frequency", metavar="HZ", type=_positive, help=said)
    said = "notch: tones at 1, 2, ... N times the frequency (default: 1)"
    add("--harmonics", metavar="N", type=_whole, default=1, help=said)
    add("--time", metavar="COLUMN", help="column with the time (default: found by its name)")
    said = "rate of a table (default: from its time)"
    add("--fs", metavar="HZ", type=_positive, help=said)
    said = "whether the first line of a table names its columns (default: found out)"
    add("--header", choices=("auto", "yes", "no"), default="auto", help=said)
    add("--plot", metavar="FILE", help="draw the spectrum before and after (.png, .svg, .pdf)")
    add("--force", action="store_true", help="replace files that exist")
    return parser


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def _progress(share: float) -> None:
    if share and sys.stderr.isatty():
        print(f"\r{share:4.0%}", end="", file=sys.stderr, flush=True)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        print("\r    \r", end="", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(f"filters: {text}", file=sys.stderr)


def _fail(text: str, code: int) -> int:
    _clear_progress()
    _say(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
