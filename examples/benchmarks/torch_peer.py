"""Do the torch networks of ``reservoir compare --peers`` learn? Run it where torch is installed.

The other two peers are light and have tests in the suite; torch weighs 200 MB and is checked here.
Run it with ``pip install ".[peers]" && python examples/benchmarks/torch_peer.py``.
"""

import numpy as np

from filters.timeseries import nrmse
from reservoir.evaluation.peers._torch import TorchRegressor, TorchSequenceClassifier


def main() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 1))
    y = np.convolve(X[:, 0], [0.5, 0.3, 0.2])[:600]
    for cell in ("elman", "lstm"):
        budget = {"max_iter": 60, "bptt_steps": 30, "n_strands": 4, "learning_rate": 1e-2}
        model = TorchRegressor(cell, 16, **budget).fit(X, y)
        answer = model.predict(X)
        assert nrmse(y, answer) < 0.5, cell
        np.testing.assert_allclose(model.predict([X, X])[1], answer, rtol=1e-5, atol=1e-5)
        print(f"{cell:6} NRMSE {nrmse(y, answer):.3f} on a moving average (must be below 0.5)")
    cases = [np.full((n, 1), sign) for n in (4, 7, 9) for sign in (-1.0, 1.0)] * 4
    labels = np.array(["minus", "plus"] * 12)
    model = TorchSequenceClassifier("elman", 8, max_iter=40, learning_rate=1e-2).fit(cases, labels)
    assert (model.predict(cases) == labels).all()
    print("signs of 24 series: all right")


if __name__ == "__main__":
    main()
