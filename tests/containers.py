"""Series with their targets, in every container they may come in."""

import numpy as np
import pandas as pd

UNEQUAL, EQUAL = (4, 7, 1, 9), (6, 6, 6)
NAMES = ["left", "right"]


class Series:
    """Three or four series with their targets, in whatever container is asked for."""

    def __init__(self, lengths, n_outputs, seed=0):
        rng = np.random.default_rng(seed)
        self.lengths, self.n_outputs = lengths, n_outputs
        self.X = [rng.standard_normal((n, 2)) for n in lengths]
        self.y = [rng.standard_normal((n, n_outputs)) for n in lengths]
        if n_outputs == 1:
            self.y = [part[:, 0] for part in self.y]
        self.rows, self.targets = np.concatenate(self.X), np.concatenate(self.y)

    def index(self):
        keys = [(f"s{9 - i}", t) for i, n in enumerate(self.lengths) for t in range(n)]
        return pd.MultiIndex.from_tuples(keys, names=["series", "time"])

    def ids(self):
        return np.repeat(np.arange(len(self.lengths))[::-1], self.lengths)

    def given(self, container):
        """Arguments X, y, groups."""
        frame = pd.DataFrame(self.rows, columns=NAMES)
        match container:
            case "list":
                return self.X, self.y, None
            case "tuple":
                return tuple(self.X), tuple(self.y), None
            case "nested lists":
                return [x.tolist() for x in self.X], [y.tolist() for y in self.y], None
            case "object array":
                X = np.empty(len(self.X), dtype=object)
                X[:] = self.X
                return X, self.y, None
            case "list of frames":
                return [pd.DataFrame(x, columns=NAMES) for x in self.X], self.y, None
            case "panel":
                return np.stack(self.X), np.stack(self.y), None
            case "frame":
                y = self.targets
                name = {"name": "target"} if self.n_outputs == 1 else {"columns": ["a", "b"]}
                kind = pd.Series if self.n_outputs == 1 else pd.DataFrame
                return frame.set_index(self.index()), kind(y, index=self.index(), **name), None
            case "frame, array targets":
                return frame.set_index(self.index()), self.targets, None
            case "int groups":
                return self.rows, self.targets, self.ids()
            case "text groups":
                return self.rows, self.targets, [f"s{i}" for i in self.ids()]
            case "pandas groups":
                return frame, self.targets, pd.Series(self.ids(), dtype="category")
        raise AssertionError(container)

    def check(self, container, answer, wanted):
        """`answer` holds the stacked numbers `wanted` in the container asked for."""
        ends = np.cumsum(self.lengths)[:-1]
        if container in ("list", "tuple", "nested lists", "object array", "list of frames"):
            assert isinstance(answer, list)
            for part, rows in zip(answer, np.split(wanted, ends), strict=True):
                np.testing.assert_array_equal(part, rows)
        elif container == "panel":
            assert isinstance(answer, np.ndarray)
            np.testing.assert_array_equal(answer, np.stack(np.split(wanted, ends)))
        elif container == "frame":
            pd.testing.assert_index_equal(answer.index, self.index())
            np.testing.assert_array_equal(answer.to_numpy(), wanted)
            if self.n_outputs == 1:
                assert answer.name == "target"
            else:
                assert list(answer.columns) == ["a", "b"]
        else:
            assert isinstance(answer, np.ndarray)
            np.testing.assert_array_equal(answer, wanted)


ANY_LENGTHS = [
    "list",
    "tuple",
    "nested lists",
    "object array",
    "list of frames",
    "frame",
    "frame, array targets",
    "int groups",
    "text groups",
    "pandas groups",
]
