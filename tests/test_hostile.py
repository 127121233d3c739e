"""Whatever is fed to whatever is public: a finite answer or words of ours, and nothing changed.

One call in so many is made, always the same ones; ``HOSTILE_EVERY=1`` makes all of them, and says
on the terminal where it is. ``HOSTILE_LOG=FILE`` keeps the name of every call before it is made and
its fault below: the last line names the one that took the process down.
``HOSTILE_RUNS=20000 HOSTILE_SEED=1 pytest tests/test_hostile.py -k random`` goes on with random
pairs of a hostile parameter and a hostile input; ``HOSTILE_WIDE=1000000`` takes that many features.
"""

import contextlib
import io
import os
import warnings
from pathlib import Path
from time import perf_counter

import hostile_displays as displays
import hostile_estimators as estimators
import hostile_files as files
import hostile_functions as functions
import numpy as np
import pytest
from hostile_judge import verdict, within_memory
from hostile_names import EVERY, Call, is_taken, taken
from hostile_values import ODD, ROWS, copied
from public_names import ESTIMATORS, small
from sklearn.base import clone

KINDS = {
    "method": estimators.method_calls,
    "parameter": estimators.parameter_calls,
    "session": estimators.session_calls,
    "unfitted": estimators.unfitted_calls,
}
N_RUNS = int(os.environ.get("HOSTILE_RUNS", "200"))
SEED = int(os.environ.get("HOSTILE_SEED", "0"))
N_WIDE = int(os.environ.get("HOSTILE_WIDE", "100000"))


LOG = os.environ.get("HOSTILE_LOG")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Some values are names of files."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def progress(request, capfd):
    """With all calls, a line on the terminal for each test as it ends."""
    start = perf_counter()
    yield
    if EVERY == 1:
        with capfd.disabled():
            line = f"{request.node.name}: {perf_counter() - start:.1f} s\n"
            os.write(2, line.encode())


def fault_of(call):
    """What is wrong with one call; see `verdict`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy.matrix says that it is old
        given = call.given()
    note(call.label)
    fault = verdict(lambda: call.make(given), [given], call.words, call.finite, call.refused)
    if fault:
        note(f"    {fault}")
    return fault


def note(line):
    """One more line of the log, if there is one."""
    if LOG:
        with open(LOG, "a") as file:
            file.write(f"{line}\n")


def assert_no_faults(calls):
    """Make the calls, all of them, and say which did what they must not."""
    faults = []
    with contextlib.redirect_stdout(io.StringIO()), within_memory():  # some values of verbose speak
        for call in calls:
            if fault := fault_of(call):
                faults.append(f"{call.label}: {fault}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:20])


def test_everything_public_is_fed():
    assert functions.unknown() == []


def test_more_than_ten_thousand_calls_are_made():
    made = [taken(kind(name)) for kind in KINDS.values() for name in ESTIMATORS]
    made += [taken(functions.function_calls(name)) for name in functions.function_recipes()]
    made += [taken(displays.calls(name)) for name in displays.recipes()]
    assert sum(1 for calls in made for _ in calls) > 10_000


def test_a_call_that_never_ends_or_takes_all_memory_is_a_fault(monkeypatch):
    monkeypatch.setattr("hostile_judge.MOST_SECONDS", 0.05)

    def never():
        while True:
            pass

    assert "took more than" in verdict(never, [], {"x"})
    with within_memory(1 << 28):
        assert "MemoryError" in verdict(lambda: np.ones(1 << 30), [], {"x"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_answer_or_say_why_not(name, kind):
    assert_no_faults(taken(KINDS[kind](name)))


@pytest.mark.parametrize("name", functions.function_recipes())
def test_functions_answer_or_say_why_not(name):
    assert_no_faults(taken(functions.function_calls(name)))


@pytest.mark.parametrize("name", displays.recipes())
def test_displays_show_or_say_why_not(name):
    assert_no_faults(taken(displays.calls(name)))


def test_loaders_say_what_is_wrong_with_a_file_or_a_folder(tmp_path):
    assert_no_faults(files.loader_calls(tmp_path))


def test_the_command_lines_answer_in_lines_of_their_own():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library's, on files as broken as these
        written = files.write_inputs()
    faults = []
    for program, words in files.command_calls(written):
        label = " ".join([program, *words])[:200]
        if is_taken(label) and (fault := files.command_fault(program, words)):
            faults.append(f"{label}: {fault}")
        for made in ("out.csv", "out.wav"):
            Path(made).unlink(missing_ok=True)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:20])


def random_call(rng):
    """Two hostile things at once: a parameter of the constructor and the rows."""
    name = rng.choice(list(ESTIMATORS))
    model, good = clone(small(name)), estimators.good_arguments(name)
    parameter = rng.choice(list(model.get_params(deep=False)))
    odd, kind = rng.choice(list(ODD)), rng.choice(list(ROWS))

    def make(rows):
        setattr(model, parameter, copied(ODD[odd]))
        target = () if good["y"] is None else (good["y"],)
        model.fit(rows, *target)
        return (getattr(model, "predict", None) or model.transform)(rows), model

    words = {parameter, name, "X", "y", "input", "series", "sequence"}
    return Call(
        f"{name}({parameter}={odd}).fit({kind})", make, lambda: ROWS[kind](good["X"].copy()), words
    )


def test_random_pairs_answer_or_say_why_not():
    rng = np.random.default_rng(SEED)
    assert_no_faults(random_call(rng) for _ in range(N_RUNS))


# With the flag all of them; most others need the square of the features.
WIDE = ["NLMSFilter", "NoiseCanceller", "RLSFilter", "Reservoir", "TapDelay", "VolterraFilter"]


@pytest.mark.parametrize("name", ESTIMATORS if "HOSTILE_WIDE" in os.environ else WIDE)
def test_very_many_features_work_or_are_too_many_for_the_memory(name):
    rows = np.random.default_rng(0).standard_normal((4, N_WIDE))
    target = [] if estimators.good_arguments(name)["y"] is None else [np.arange(4) % 2]

    def fit(given):
        model = clone(small(name)).fit(*given)
        return (getattr(model, "predict", None) or model.transform)(given[0])

    with within_memory():
        given = [rows, *target]
        assert verdict(lambda: fit(given), given, {name, "memory"}) == ""
