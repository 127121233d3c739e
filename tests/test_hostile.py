"""Whatever is fed to whatever is public: a finite answer or words of ours, and nothing changed.

One call in twelve is made, always the same ones; ``HOSTILE_EVERY=1`` makes all of them.
``HOSTILE_RUNS=20000 HOSTILE_SEED=1 pytest tests/test_hostile.py -k random`` goes on with random
pairs of a hostile parameter and a hostile input; ``HOSTILE_WIDE=1000000`` takes that many features.
"""

import contextlib
import io
import os
import warnings

import hostile_estimators as estimators
import hostile_functions as functions
import numpy as np
import pytest
from hostile_judge import verdict
from hostile_names import Call, taken
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


def faults_of(calls):
    """Label and fault of every call that did what it must not."""
    faults = []
    with contextlib.redirect_stdout(io.StringIO()):  # verbose=1 is among the values
        for call in calls:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # numpy.matrix says that it is old
                given = call.given()
            fault = verdict(lambda c=call, g=given: c.make(g), [given], call.words, call.finite)
            if fault:
                faults.append(f"{call.label}: {fault}")
    return faults


def assert_no_faults(calls):
    faults = faults_of(calls)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:20])


def test_every_public_name_is_fed():
    assert functions.unknown() == []


def test_more_than_ten_thousand_calls_are_made():
    n_calls = sum(1 for kind in KINDS.values() for name in ESTIMATORS for _ in taken(kind(name)))
    for name in functions.function_recipes():
        n_calls += sum(1 for _ in taken(functions.function_calls(name)))
    assert n_calls > 10_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_answer_or_say_why_not(name, kind):
    assert_no_faults(taken(KINDS[kind](name)))


@pytest.mark.parametrize("name", functions.function_recipes())
def test_functions_answer_or_say_why_not(name):
    assert_no_faults(taken(functions.function_calls(name)))


@pytest.mark.parametrize("name", functions.display_recipes())
def test_displays_show_or_say_why_not(name):
    assert_no_faults(taken(functions.display_calls(name)))


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


@pytest.mark.parametrize("name", ["NLMSFilter", "NoiseCanceller", "Reservoir", "TapDelay"])
def test_very_many_features(name):
    rows = np.random.default_rng(0).standard_normal((3, N_WIDE))
    model = clone(small(name))
    target = (rows[:, 0],) if hasattr(model, "predict") else ()
    model.fit(rows, *target)
    answer = (getattr(model, "predict", None) or model.transform)(rows)
    assert np.isfinite(answer).all()
