"""What the kernels of filters are run on, and how."""

import numpy as np

from filters.kernels.lms import lms
from filters.kernels.rls import rls

ROUNDING = {
    np.dtype(np.float32): 2e-5,
    np.dtype(np.complex64): 2e-5,
    np.dtype(np.float64): 1e-12,
    np.dtype(np.complex128): 1e-12,
}
DTYPES = [np.float64, np.float32, np.complex128]
EVERYWHERE = np.empty(0, dtype=bool)


def noise(rng, shape, dtype):
    values = rng.standard_normal(shape)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


class Case:
    """A signal in the kernels' layout, and the same windows as rows for the twins."""

    def __init__(self, dtype, *, n=40, n_taps=4, stride=2, n_outputs=1, seed=0):
        rng = np.random.default_rng(seed)
        self.dtype, self.stride = np.dtype(dtype), stride
        self.z = noise(rng, (n_taps - 1 + n) * stride, dtype)
        self.m = n_taps * stride
        self.rows = np.array([self.z[k * stride : k * stride + self.m] for k in range(n)])
        self.d = noise(rng, (n, n_outputs), dtype)
        self.w = noise(rng, (n_outputs, self.m), dtype)
        self.mask = rng.random(n) < 0.7
        self.steps = rng.uniform(0.01, 0.05, n).astype(self.dtype.type(0).real.dtype)
        self.real = self.steps.dtype.type

    def close(self, got, wanted):
        assert got.dtype == self.dtype
        np.testing.assert_allclose(got, wanted, rtol=0, atol=5 * ROUNDING[self.dtype])


def run_lms(case, w, bias, y, *, part=slice(None), mask=EVERYWHERE, **options):
    """Call the kernel on samples `part` of the case; returns the first bad sample."""
    a, b, _ = part.indices(case.d.shape[0])
    z = case.z[a * case.stride : (b - 1) * case.stride + case.m]
    return lms(
        z,
        z / np.where(z == 0, 1, np.abs(z)) if options.get("sign_data") else z,
        case.d[part, 0].copy(),
        case.steps[part],
        mask[part],
        case.stride,
        case.real(options.get("leak", 0)),
        options.get("sign_error", False),
        options.get("fit_intercept", False),
        w,
        bias,
        y[part],
    )


def rls_start(case, *, fit_intercept=False, delta=0.5):
    m = case.m + int(fit_intercept)
    w = np.zeros((case.d.shape[1], m), dtype=case.dtype)
    w[:, : case.m] = case.w
    P = np.eye(m, dtype=np.result_type(case.dtype, np.float64)) / delta
    return w, P, np.array([m / delta])


# P is held in full for real signals only.
RLS_KINDS = [*((dtype, False) for dtype in DTYPES), (np.float64, True), (np.float32, True)]


def run_rls(case, w, P, trace, y, *, part=slice(None), mask=EVERYWHERE, **options):
    a, b, _ = part.indices(case.d.shape[0])
    return rls(
        case.z[a * case.stride : (b - 1) * case.stride + case.m],
        np.ascontiguousarray(case.d[part]),
        mask[part],
        case.stride,
        float(options.get("forgetting", 0.95)),
        float(options.get("trace_cap", np.inf)),
        2.0,
        options.get("fit_intercept", False),
        options.get("full", False),
        P,
        w,
        *(np.empty(w.shape[1], dtype=P.dtype) for _ in range(3)),
        trace,
        y[part],
    )
