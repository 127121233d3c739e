"""Laws of seeds: the same seed gives the same bits, whoever computes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from laws import answers, assert_same, law, learned

TESTS = Path(__file__).parent


def outcome(case, **parameters):
    model = case.fit(case.model.set_params(**parameters), case.X, case.y)
    return learned(model) | answers(model, case.X)


@law()
def test_the_same_seed_gives_the_same_bits(case):
    assert_same(outcome(case), outcome(case))


@law("random_state", usual=("input_scaling", "steps_per_row"))
def test_another_seed_gives_other_bits(case):
    """Otherwise the law of the same seed says nothing."""
    found = [outcome(case, random_state=seed) for seed in range(8)]
    first = [np.concatenate([np.ravel(v) for v in one.values()]).tolist() for one in found]
    assert any(other != first[0] for other in first[1:])


@law("random_state")
def test_a_generator_is_as_good_as_a_seed(case):
    """It moves on: every fit draws anew, as in scikit-learn; a copy of it gives the same."""
    generators = [np.random.RandomState(5) for _ in range(2)]
    assert_same(*(outcome(case, random_state=generator) for generator in generators))


@law("n_jobs")
def test_the_number_of_jobs_changes_no_bit(case):
    assert_same(outcome(case, n_jobs=2), outcome(case, n_jobs=None))


def elsewhere(n_threads):
    """What is learned in a process of its own with that many threads."""
    threads = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": path, **dict.fromkeys(threads, str(n_threads))}
    run = subprocess.run(
        [sys.executable, str(TESTS / "law_digests.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def test_processes_and_numbers_of_threads_change_no_bit():
    """But for large sums over rows, which BLAS takes in an order of its threads: to rounding."""
    first, again, two = elsewhere(1), elsewhere(1), elsewhere(2)
    assert first == again
    assert first.keys() == two.keys()
    for name, wanted in first.items():
        if isinstance(wanted, str):
            assert two[name] == wanted, name
        else:
            assert_same(two[name], wanted, 1e-9, name)
