"""Recorded data that ship with the package, stored exactly (as integers)."""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from filters.timeseries._sklearn_private import checked

ECG_SAMPLING_RATE = 360.0
"""Samples a second of `load_ecg`."""

DATA_FOLDER: Traversable = resources.files(__package__) / "data"
SHA256 = {
    "ecg.npz": "760efd535c36a142356bd67aa123b191962cfefecd3c82ee04cf74d68d0745fb",
    "japanese_vowels.npz": "390c5da78e42719c62f4baba54cf239a72d2758bdb3da26e622bdbb347185c7b",
    "sunspots.npz": "6c3a93e4e91d12cba1038c05f835b5143911569b4c1d494faca88c29e8c3df3d",
}


@checked(as_frame=["boolean"])
def load_sunspots(*, as_frame: bool = False) -> Any:
    """Load the yearly mean sunspot number, 1700 to 2008.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return a pandas frame with dates.

    Returns
    -------
    ndarray of shape (309, 1), or DataFrame
        Sunspot numbers (dimensionless, one decimal), oldest first. The frame has the column
        "sunspots" and a DatetimeIndex "year" of frequency "YS" (1 January of each year).

    Raises
    ------
    FileNotFoundError, ValueError
        If the data file is missing or damaged.

    Notes
    -----
    Source: National Geophysical Data Center (NOAA), as distributed by statsmodels. Licence: public
    domain. This is the series as it was before the revision of the sunspot number in 2015.

    References
    ----------
    statsmodels, ``statsmodels.datasets.sunspots``.

    Examples
    --------
    >>> from reservoir.datasets import load_sunspots
    >>> load_sunspots(as_frame=True).loc["1957", "sunspots"].item()
    190.2
    """
    data = _read("sunspots.npz")
    numbers = data["tenths"][:, np.newaxis] / 10.0
    if not as_frame:
        return numbers
    years = pd.date_range(f"{data['year'][0]}-01-01", periods=len(numbers), freq="YS", name="year")
    return pd.DataFrame(numbers, index=years, columns=["sunspots"])


@checked(as_frame=["boolean"])
def load_ecg(*, as_frame: bool = False) -> Any:
    """Load two minutes of an electrocardiogram.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return a pandas frame with the time of each sample.

    Returns
    -------
    ndarray of shape (43200, 1), or DataFrame
        Voltage in millivolt, sampled at `ECG_SAMPLING_RATE` = 360 Hz in steps of 0.005 mV. The
        frame has the column "ecg", the index "seconds" (floats: a sample's 1 / 360 s is no whole
        number of nanoseconds) and the rate in ``attrs["sampling_rate"]``.

    Raises
    ------
    FileNotFoundError, ValueError
        If the data file is missing or damaged.

    Notes
    -----
    Lead MLII of record 208 of the MIT-BIH Arrhythmia Database, from 19:35 to 21:35; normal and
    ectopic beats, baseline wander and muscle noise. The samples are the first two minutes of
    SciPy's ``electrocardiogram``. Licence: Open Data Commons Attribution License 1.0 (ODC-By).

    References
    ----------
    G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE Engineering in
    Medicine and Biology 20(3), 2001, pp. 45-50.
    A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation 101(23), 2000,
    pp. e215-e220.

    Examples
    --------
    >>> from reservoir.datasets import load_ecg
    >>> load_ecg()[:3, 0]
    array([-0.245, -0.215, -0.185])
    """
    data = _read("ecg.npz")
    millivolt = (data["adc"][:, np.newaxis].astype(np.float64) - 1024.0) / 200.0
    if not as_frame:
        return millivolt
    seconds = pd.Index(np.arange(len(millivolt)) / ECG_SAMPLING_RATE, name="seconds")
    frame = pd.DataFrame(millivolt, index=seconds, columns=["ecg"])
    frame.attrs["sampling_rate"] = ECG_SAMPLING_RATE
    return frame


class JapaneseVowels(NamedTuple):
    """What `load_japanese_vowels` returns.

    Attributes
    ----------
    X_train, X_test : list of ndarray of shape (length, 12), or a frame
        270 and 370 utterances.
    y_train, y_test : ndarray of int, one an utterance, or a series
        Their speakers, 1 to 9.

    Examples
    --------
    >>> from reservoir.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels()
    >>> len(vowels.X_train), len(vowels.X_test), int(vowels.y_test.max())
    (270, 370, 9)
    """

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any


@checked(as_frame=["boolean"])
def load_japanese_vowels(*, as_frame: bool = False) -> JapaneseVowels:
    """Load the Japanese Vowels: whose of nine voices says /ae/?

    Parameters
    ----------
    as_frame : bool, default=False
        Whether to return pandas objects with the index of the series.

    Returns
    -------
    JapaneseVowels
        Named tuple ``(X_train, y_train, X_test, y_test)``. X are lists of 270 and 370 arrays of
        shape (n_timesteps, 12), 7 to 29 rows long, unpadded; y are integer arrays of shape (270,)
        and (370,), speakers 1 to 9. As frames, X has a MultiIndex (series, time) and the columns
        "cepstrum_1" to "cepstrum_12", y is a Series "speaker" indexed by series; training series
        are numbered 0 to 269, test series 270 to 639.

    Raises
    ------
    FileNotFoundError, ValueError
        If the data file is missing or damaged.

    Notes
    -----
    Twelve linear-prediction cepstrum coefficients (dimensionless, six decimals) of frames of
    25.6 ms every 6.4 ms, recorded at 10 kHz. The usual protocol keeps the given split: 30
    utterances a speaker to train, 24 to 88 to test. Source: UCI Machine Learning Repository, as
    distributed by sktime. Licence: CC BY 4.0.

    References
    ----------
    M. Kudo, J. Toyama, M. Shimbo, "Multidimensional curve classification using passing-through
    regions", Pattern Recognition Letters 20(11-13), 1999, pp. 1103-1111. doi:10.24432/C5NS47

    Examples
    --------
    >>> from reservoir.datasets import load_japanese_vowels
    >>> X_train, y_train, X_test, y_test = load_japanese_vowels()
    >>> len(X_train), len(X_test), X_train[0].shape, int(y_train[0])
    (270, 370, (20, 12), 1)
    """
    data = _read("japanese_vowels.npz")
    parts: list[Any] = []
    first = 0
    for part in ("train", "test"):
        rows = data[f"{part}_millionths"] / 1e6  # exact: the nearest float to each decimal
        lengths = data[f"{part}_length"].astype(np.intp)
        speakers = data[f"{part}_speaker"].astype(np.int64)
        if as_frame:
            parts += _vowel_frames(rows, lengths, speakers, first)
        else:
            parts += [np.split(rows, np.cumsum(lengths)[:-1]), speakers]
        first += len(lengths)
    return JapaneseVowels(*parts)


def _vowel_frames(
    rows: np.ndarray, lengths: np.ndarray, speakers: np.ndarray, first: int
) -> tuple[pd.DataFrame, pd.Series]:
    series = pd.RangeIndex(first, first + len(lengths), name="series")
    index = pd.MultiIndex.from_arrays(
        [np.repeat(series, lengths), np.concatenate([np.arange(n) for n in lengths])],
        names=["series", "time"],
    )
    columns = [f"cepstrum_{k}" for k in range(1, rows.shape[1] + 1)]
    return (
        pd.DataFrame(rows, index=index, columns=columns),
        pd.Series(speakers, index=series, name="speaker"),
    )


def _read(name: str) -> dict[str, np.ndarray]:
    """Read the arrays of a shipped file, or say which file is missing or damaged."""
    file = DATA_FOLDER / name
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"Data file {name} is missing from {DATA_FOLDER}. Reinstall the package."
        ) from None
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(
            f"Data file {name} in {DATA_FOLDER} is damaged: its SHA-256 is not the one shipped. "
            "Reinstall the package."
        )
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)
