"""The command line of the filters, called from tests."""

import os

from filters.__main__ import main


def denoise(*words):
    return main(["denoise", *map(str, words)])


def refusal(capsys, *words):
    """The one line on stderr of a command that is refused, without the prefix."""
    before = sorted(os.listdir())
    try:
        code = denoise(*words)
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("filters: ")
    assert said.err.count("\n") == 1
    assert sorted(os.listdir()) == before  # nothing written, nothing half-written
    return said.err[len("filters: ") : -1]
