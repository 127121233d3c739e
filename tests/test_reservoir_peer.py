"""States against reservoirpy, an implementation that shares nothing with ours but the formula."""

import numpy as np
import pytest
from reservoirpy import nodes

from reservoir import Reservoir


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity", "sigmoid"])
@pytest.mark.parametrize("leak_rate", [1.0, 0.3, "each its own"])
@pytest.mark.parametrize("topology", ["random", "ring", "cyclic_diagonals"])
def test_states_are_those_of_reservoirpy_on_the_same_matrices(activation, leak_rate, topology):
    U = np.random.RandomState(0).randn(300, 3)
    leak_rate = np.linspace(0.1, 1, 60) if leak_rate == "each its own" else leak_rate
    ours = Reservoir(
        60,
        topology=topology,
        spectral_radius=0.8,
        leak_rate=leak_rate,
        activation=activation,
        bias_scaling=0.4,
        random_state=1,
    ).fit(U)
    W = ours.recurrent_weights_
    theirs = nodes.Reservoir(
        units=60,
        W=W if isinstance(W, np.ndarray) else W.toarray(),
        Win=ours.input_weights_,
        bias=ours.bias_,
        lr=leak_rate,
        activation=activation,
    )
    np.testing.assert_allclose(ours.transform(U), theirs.run(U), rtol=0, atol=1e-12)
