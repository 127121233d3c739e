"""Loaders of recorded data that are fetched once and kept in a cache."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
import pandas as pd

from ._cache import PinnedFile

FAN_SAMPLING_RATE = 50.0
"""Samples a second of `load_fan_acceleration`."""

_GITHUB = "https://raw.githubusercontent.com"
_TINY_SHAKESPEARE = PinnedFile(
    "text/tinyshakespeare.txt.gz",
    f"{_GITHUB}/karpathy/char-rnn/6f9487a6/data/tinyshakespeare/input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)
_SENTENCE_POLARITY = PinnedFile(
    "text/sentence_polarity.zip",
    f"{_GITHUB}/nltk/nltk_data/5db857e6/packages/corpora/sentence_polarity.zip",
    "6e1ed4405b65c7eabf1d199a7f7c437091ac21da0ea7467b410a74062574566b",
)
_FAN_ACCELERATION = PinnedFile(
    "vibration/fan_accelerometer.csv.gz",
    f"{_GITHUB}/OmarNezar226/Accelerometer-Fan-Model/426a6f5f/accelerometer.csv",
    "af42dc0907c99dc8c79f8d6cc614a3255ccc31a7824b3a3934d76a53c333f585",
)
_RUN_ROWS = 3000  # one minute


def load_tiny_shakespeare() -> str:
    """Load 1.1 MB of Shakespeare's plays as one string, for next-character models.

    Returns
    -------
    str
        1 115 394 characters, 65 different ones.

    Raises
    ------
    FileNotFoundError
        If the text is in no cache and cannot be fetched; the message says where it is looked for.
    ValueError
        If the file found is another one.

    Notes
    -----
    The usual split keeps the last 10 % for testing, where 3-, 4- and 5-grams of characters reach
    2.96, 2.56 and 2.41 bits a character. Licence: public domain.

    References
    ----------
    A. Karpathy, "char-rnn", 2015, data/tinyshakespeare.
    """
    return _TINY_SHAKESPEARE.read().decode("ascii")


class SentencePolarity(NamedTuple):
    """What `load_sentence_polarity` returns.

    Attributes
    ----------
    sentences : list of str
        10 662 sentences, tokens separated by blanks.
    positive : ndarray of bool, shape (10662,)
        Whether each is praise.
    """

    sentences: list[str]
    positive: np.ndarray


def load_sentence_polarity() -> SentencePolarity:
    """Load sentences of movie reviews, half of them praise and half of them not.

    Returns
    -------
    SentencePolarity
        Named tuple ``(sentences, positive)``; the 5331 negative ones come first: shuffle before
        splitting.

    Raises
    ------
    FileNotFoundError
        If the file is in no cache and cannot be fetched; the message says where it is looked for.
    ValueError
        If the file found is another one.

    Notes
    -----
    Term frequencies and a logistic regression reach .77 in ten folds. Licence: CC BY 4.0.

    References
    ----------
    B. Pang, L. Lee, "Seeing stars: exploiting class relationships for sentiment categorization
    with respect to rating scales", ACL 2005, pp. 115-124.
    """
    sentences: list[str] = []
    counts = []
    with ZipFile(BytesIO(_SENTENCE_POLARITY.read())) as archive:
        for part in ("neg", "pos"):
            text = archive.read(f"sentence_polarity/rt-polarity.{part}").decode("utf-8")
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            sentences += lines
            counts.append(len(lines))
    return SentencePolarity(sentences, np.repeat([False, True], counts))


class FanAcceleration(NamedTuple):
    """What `load_fan_acceleration` returns.

    Attributes
    ----------
    X : list of ndarray of shape (3000, 3), or a frame
        51 runs of one minute.
    configuration : ndarray of int, shape (51,)
        Where weights were fixed to the blades, 1 to 3.
    speed : ndarray of int, shape (51,)
        Speed of the fan in per cent of its largest, 20 to 100.
    """

    X: Any
    configuration: Any
    speed: Any


def load_fan_acceleration(*, as_frame: bool = False) -> FanAcceleration:
    """Load the acceleration of a cooling fan with weights on its blades.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return pandas objects with the index (run, time).

    Returns
    -------
    FanAcceleration
        Named tuple ``(X, configuration, speed)``. X holds 51 runs (3 configurations of 17 speeds)
        of 3000 samples of the accelerations x, y, z in g, sampled at `FAN_SAMPLING_RATE` = 50 Hz.

    Raises
    ------
    FileNotFoundError
        If the file is in no cache and cannot be fetched; the message says where it is looked for.
    ValueError
        If the file found is another one.

    Notes
    -----
    Source: UCI Machine Learning Repository, data set 611 (Accelerometer), as distributed on
    GitHub. Licence: CC BY 4.0.

    References
    ----------
    G. Sampaio, A. Vallim Filho, L. Silva, L. Silva, "Prediction of motor failure time using an
    artificial neural network", Sensors 19(19), 2019, 4342. doi:10.24432/C5XC8T
    """
    table = pd.read_csv(BytesIO(_FAN_ACCELERATION.read()))
    runs = table.groupby(list(table.columns[:2]), sort=False)
    configuration, speed = (np.array(ids) for ids in zip(*runs.groups, strict=True))
    signals = table[["x", "y", "z"]]
    if not as_frame:
        X = [signals.to_numpy()[i : i + _RUN_ROWS] for i in range(0, len(table), _RUN_ROWS)]
        return FanAcceleration(X, configuration, speed)
    number = pd.RangeIndex(len(configuration), name="run")
    index = pd.MultiIndex.from_product([number, range(_RUN_ROWS)], names=["run", "time"])
    return FanAcceleration(
        signals.set_axis(index),
        pd.Series(configuration, number, name="configuration"),
        pd.Series(speed, number, name="speed"),
    )
