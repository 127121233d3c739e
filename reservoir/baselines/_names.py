"""The parameters of a network under the names users know: as dicts, and back into place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PARTS = ("weights", "head_weights", "head_biases", "output_weights", "output_bias")


def names(
    layers: Sequence[tuple[dict[str, np.ndarray], ...]], dense: Sequence[np.ndarray], *, copy: bool
) -> dict[str, Any]:
    """The public dict.

    Parameters
    ----------
    layers : sequence of tuples over directions of dict
    dense : sequence of [weights | bias], the output last
    copy : bool
        Whether arrays are copied.

    Returns
    -------
    dict
        "weights": a dict a layer, a pair of them where there are two directions; "head_weights"
        and "head_biases" where there is a head; "output_weights", "output_bias".
    """

    def own(array: np.ndarray) -> np.ndarray:
        return array.copy() if copy else array

    weights: list[Any] = []
    for layer in layers:
        pair = tuple({key: own(part) for key, part in parts.items()} for parts in layer)
        weights.append(pair if len(pair) == 2 else pair[0])
    public: dict[str, Any] = {"weights": weights}
    *head, output = dense
    if head:
        public["head_weights"] = [own(block[:, :-1]) for block in head]
        public["head_biases"] = [own(block[:, -1]) for block in head]
    return public | {"output_weights": own(output[:, :-1]), "output_bias": own(output[:, -1])}


def load(own: Any, given: Any, name: str) -> None:
    """Write `given` into the views `own`, which has the form that `names` makes.

    Raises
    ------
    ValueError
        Where an entry is missing, of another shape, or not finite; `name` is what messages call it.
    """
    if isinstance(own, Mapping):
        if not isinstance(given, Mapping) or set(given) != set(own):
            found = sorted(given) if isinstance(given, Mapping) else type(given).__name__
            raise ValueError(f"{name} must be a dict with the keys {sorted(own)}; got {found}.")
        for key in own:
            load(own[key], given[key], f"{name}['{key}']")
    elif isinstance(own, np.ndarray):
        _assign(own, given, name)
    else:
        if not isinstance(given, Sequence) or len(given) != len(own):
            what = "the pair (forward, backward)"
            if isinstance(own, list):
                what = f"{len(own)} entries, one a layer"
            got = len(given) if isinstance(given, Sequence) else type(given).__name__
            raise ValueError(f"{name} must list {what}; got {got}.")
        for i, target in enumerate(own):
            load(target, given[i], f"{name}[{i}]")


def _assign(target: np.ndarray, source: Any, name: str) -> None:
    values = np.asarray(source)
    if values.shape != target.shape:
        raise ValueError(f"{name} must have shape {target.shape}; got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinity.")
    target[...] = values
