"""The package imports its names when they are asked for; the command line needs none of them."""

import subprocess
import sys

import pytest

import reservoir


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_every_public_name_has_one_home_and_is_what_is_found_there():
    homes = [name for names in reservoir._HOMES.values() for name in names]
    assert sorted(homes) == sorted(reservoir.__all__)
    for home, names in reservoir._HOMES.items():
        for name in names:
            thing = getattr(reservoir, name)
            assert thing.__name__ == name
            assert thing.__module__.startswith(f"reservoir.{home}")
    assert set(reservoir.__all__) <= set(dir(reservoir))
    with pytest.raises(AttributeError, match="module 'reservoir' has no attribute 'Reservior'"):
        reservoir.Reservior  # noqa: B018


def test_help_and_version_import_nothing_heavy():
    code = (
        "import sys, contextlib, io, reservoir.__main__ as cli\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):\n"
        "    cli.main(['--version'])\n"
        "    cli.main(['--help'])\n"
        "assert 'compare' in out.getvalue() and 'reservoir-filters' in out.getvalue()\n"
        "print(*(n for n in ('numba', 'sklearn', 'pandas', 'numpy') if n in sys.modules))"
    )
    assert run(code) == []


def test_rooms_are_attributes_and_a_star_brings_every_name():
    assert run("import reservoir; print(reservoir.topologies.ring(3).shape[0])") == ["3"]
    names = run("from reservoir import *; print(*dir())")
    assert set(reservoir.__all__) <= set(names)
