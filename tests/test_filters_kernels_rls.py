"""Kernels of recursive least squares against their slow twins."""

import naive
import numpy as np
import pytest
from kernel_cases import DTYPES, EVERYWHERE, RLS_KINDS, ROUNDING, Case, rls_start, run_lms, run_rls


@pytest.mark.parametrize(("dtype", "full"), RLS_KINDS)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"forgetting": 1.0},
        {"fit_intercept": True},
        {"trace_cap": 1.0, "forgetting": 0.9},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("masked", [False, True], ids=["everywhere", "masked"])
def test_rls_equals_twin(dtype, full, n_outputs, options, masked):
    case = Case(dtype, n_outputs=n_outputs)
    intercept = options.get("fit_intercept", False)
    w, P, trace = rls_start(case, fit_intercept=intercept)
    rows = np.column_stack([case.rows, np.ones(40)]) if intercept else case.rows
    outputs, weights, covariance = naive.rls(
        rows,
        case.d,
        w,
        P,
        options.get("forgetting", 0.95),
        mask=case.mask if masked else None,
        trace_cap=options.get("trace_cap", np.inf),
    )
    y = np.empty(case.d.shape, dtype)
    mask = case.mask if masked else EVERYWHERE
    assert run_rls(case, w, P, trace, y, mask=mask, full=full, **options) == -1
    case.close(y, outputs)
    case.close(w, weights)
    case.close(np.tril(P).astype(dtype), np.tril(covariance))
    np.testing.assert_allclose(trace[0], np.trace(covariance).real, rtol=5 * ROUNDING[case.dtype])


def test_rls_trace_cap_of_the_test_above_is_reached():
    case = Case(np.float64)
    _, _, free = naive.rls(case.rows, case.d, *rls_start(case)[:2], 0.9)
    _, _, capped = naive.rls(case.rows, case.d, *rls_start(case)[:2], 0.9, trace_cap=1.0)
    assert np.trace(free) > 1.3 * np.trace(capped)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rls_never_touches_the_upper_triangle(dtype):
    case = Case(dtype)
    w, P, trace = rls_start(case)
    P[np.triu_indices(case.m, 1)] = 7.0
    assert run_rls(case, w, P, trace, np.empty((40, 1), dtype)) == -1
    assert (P[np.triu_indices(case.m, 1)] == 7.0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_taps", [1, 3, 8, 13, 16, 31, 33])
def test_rls_matrix_held_in_full_stays_symmetric_to_the_bit(dtype, n_taps):
    case = Case(dtype, n=400, n_taps=n_taps, stride=1)
    w, P, trace = rls_start(case)
    y = np.empty(case.d.shape, dtype)
    assert run_rls(case, w, P, trace, y, forgetting=0.9, full=True) == -1
    np.testing.assert_array_equal(P, P.T)
    assert np.abs(P - np.diag(np.diag(P))).max() > 0 or n_taps == 1


@pytest.mark.parametrize(("dtype", "full"), RLS_KINDS)
@pytest.mark.parametrize("cuts", [(1, 2, 3), (7, 8, 30), (39,)])
def test_lms_and_rls_blocks_equal_one_call_bit_for_bit(dtype, full, cuts):
    case = Case(dtype)
    spans = [slice(a, b) for a, b in zip((0, *cuts), (*cuts, 40), strict=True)]
    answers = []
    for parts in ([slice(0, 40)], spans):
        w, bias, y = case.w[0].copy(), np.zeros(1, dtype), np.empty(40, dtype)
        v, P, trace = rls_start(case)
        q = np.empty((40, 1), dtype)
        for part in parts:
            run_lms(case, w, bias, y, part=part, leak=0.1, fit_intercept=True)
            run_rls(case, v, P, trace, q, part=part, full=full)
        answers.append((w, bias, y, v, P, trace, q))
    for whole, cut in zip(*answers, strict=True):
        np.testing.assert_array_equal(whole, cut)


@pytest.mark.parametrize("k", [0, 17, 39])
def test_rls_returns_the_first_bad_sample(k):
    case = Case(np.float64, n_outputs=2)
    w, P, trace = rls_start(case)
    case.d[k, 1] = np.inf
    assert run_rls(case, w, P, trace, np.empty((40, 2))) == k


@pytest.mark.parametrize(("dtype", "full"), RLS_KINDS)
def test_rls_starts_anew_where_the_matrix_is_not_positive(dtype, full):
    case = Case(dtype)
    answers = []
    for sign in (1, -1):
        w, P, trace = rls_start(case)  # delta 0.5: what it starts anew with is 2 I, too
        y = np.empty((40, 1), dtype)
        assert run_rls(case, w, sign * P, trace, y, full=full) == -1
        answers.append((w, y))
    for positive, restarted in zip(*answers, strict=True):
        case.close(positive, restarted)
