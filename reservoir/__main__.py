"""The command line: ``reservoir compare`` and ``python -m reservoir compare``."""

from __future__ import annotations

import argparse
import os
import runpy
import shlex
import signal
import sys
from collections.abc import Sequence

from . import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        0 done; 1 the results cannot be written, or an extra is missing; 2 something asked for
        cannot be done; 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    options = parser.parse_args(words)
    if options.version:
        print(f"reservoir-filters {__version__}")
        return 0
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return _compare(options, shlex.join(["reservoir", *words]))
    except BrokenPipeError:  # `| head` has read enough; what is left goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        if argv is None:  # the process is ours and about to end: once is enough
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return _fail(str(error) or "interrupted", 130)


def _compare(options: argparse.Namespace, command: str) -> int:
    from .evaluation import OutputError, UsageError, compare, contents

    try:
        for path in options.register:
            _register(path)
        if options.list:
            tasks, models = contents(options.suite, options.peers)
            lines = [f"task {name}" for name in tasks] + [f"model {name}" for name in models]
            print("\n".join(lines))
            return 0
        rows = compare(
            _names(options.tasks),
            _names(options.models),
            seeds=_seeds(options.seeds),
            out=options.out,
            suite=options.suite,
            peers=options.peers,
            against=options.against,
            budget=options.budget,
            quick=options.quick,
            n_jobs=options.jobs,
            command=command,
        )
    except UsageError as error:
        return _fail(str(error), 2)
    except (OutputError, ImportError) as error:
        return _fail(getattr(error, "strerror", None) or str(error), 1)
    failed = int((rows["status"] == "failed").sum())
    print(os.path.join(options.out, "report.html"))
    if failed:  # the job is done and the report says so, too
        _fail(f"{failed} row(s) failed; their notes in results.csv say why", 0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reservoir", description="Adaptive filters, reservoirs and recurrent networks."
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="command")
    compare = commands.add_parser(
        "compare",
        help="run models on tasks and write one report",
        description="Run models on tasks under one protocol; write results.csv, report.md and "
        "report.html. The same folder again goes on where the last run stopped.",
    )
    compare.add_argument("--tasks", metavar="A,B", help="names, separated by commas (default: all)")
    compare.add_argument(
        "--models", metavar="A,B", help="names, separated by commas (default: all)"
    )
    compare.add_argument(
        "--seeds", metavar="N,N", help="default: 0,1,2; published figures: as many as they ask for"
    )
    compare.add_argument("--out", metavar="DIR", default="report", help="default: report")
    compare.add_argument("--quick", action="store_true", help="smaller tests and budgets, < 40 s")
    compare.add_argument("--jobs", metavar="N", type=int, help="processes (default: one a core)")
    compare.add_argument("--list", action="store_true", help="list tasks and models and stop")
    compare.add_argument(
        "--suite",
        metavar="NAME",
        default="quick",
        help="quick (default), forecasting, denoising, classification, long-memory, published, "
        "speed: what is run when no tasks are named",
    )
    compare.add_argument(
        "--peers", action="store_true", help="also reservoirpy, padasip and torch, where installed"
    )
    compare.add_argument(
        "--against", metavar="OLD", help="folder or results.csv of an earlier run to compare with"
    )
    compare.add_argument(
        "--budget",
        metavar="SECONDS",
        type=float,
        help="CPU time of training for each network in the long published protocols (default: "
        "leave them out)",
    )
    compare.add_argument(
        "--register",
        metavar="FILE.py",
        action="append",
        default=[],
        help="run a file of yours that registers tasks and models; may be given several times",
    )
    return parser


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _register(path: str) -> None:
    """Run a user's file; what it registers is known afterwards."""
    from .evaluation import UsageError

    try:
        runpy.run_path(path, run_name="registered")
    except Exception as error:
        line = str(error).strip().partition("\n")[0]
        raise UsageError(f"--register {path}: {type(error).__name__}: {line}") from None


def _seeds(text: str | None) -> list[int] | None:
    from .evaluation import UsageError

    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UsageError(f"--seeds takes whole numbers separated by commas, got {text!r}") from None


def _fail(text: str, code: int) -> int:
    print(f"reservoir: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
