"""Recorded data: what is known of them, and files that are missing or damaged."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy.signal import butter, find_peaks, sosfiltfilt
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from reservoir import datasets
from reservoir.datasets import _loaders

# --- recorded data -------------------------------------------------------------------------------


def test_sunspots_are_the_known_series():
    numbers = datasets.load_sunspots()
    assert numbers.shape == (309, 1)
    np.testing.assert_allclose(numbers.mean(), 49.752104, atol=5e-7)  # statsmodels' documentation
    np.testing.assert_array_equal(numbers[:4, 0], [5, 11, 16, 23])
    np.testing.assert_array_equal(numbers[-2:, 0], [7.5, 2.9])
    assert 1700 + numbers.argmax() == 1957
    spectrum = np.abs(np.fft.rfft(numbers[:, 0] - numbers.mean()))
    assert 10 < 309 / spectrum.argmax() < 12  # the solar cycle


def test_sunspots_frame_has_dates_to_continue():
    frame = datasets.load_sunspots(as_frame=True)
    np.testing.assert_array_equal(frame.to_numpy(), datasets.load_sunspots())
    assert list(frame.columns) == ["sunspots"]
    assert frame.index.freqstr.startswith("YS")
    assert frame.index[0] == pd.Timestamp("1700-01-01")
    assert frame.index[-1] + frame.index.freq == pd.Timestamp("2009-01-01")


def test_ecg_is_the_known_recording():
    ecg = datasets.load_ecg()
    assert ecg.shape == (43200, 1)
    np.testing.assert_array_equal(ecg[:3, 0], [-0.245, -0.215, -0.185])  # SciPy's documentation
    np.testing.assert_allclose(ecg / 0.005, np.rint(ecg / 0.005), atol=1e-9)  # the converter's bit
    assert -3.5 < ecg.min() < -3
    assert 3 < ecg.max() < 4


def test_ecg_beats_as_often_as_the_annotations_say():
    # Record 208: 2955 annotated beats in 30 minutes, 98 a minute, faster in this passage.
    band = butter(3, [5, 18], "band", fs=datasets.ECG_SAMPLING_RATE, output="sos")
    energy = np.convolve(sosfiltfilt(band, datasets.load_ecg()[:, 0]) ** 2, np.ones(40), "same")
    beats, _ = find_peaks(energy, height=0.15 * np.percentile(energy, 98), distance=108)
    assert 90 < len(beats) / 2 < 115


def test_ecg_frame_counts_seconds():
    frame = datasets.load_ecg(as_frame=True)
    np.testing.assert_array_equal(frame.to_numpy(), datasets.load_ecg())
    assert frame.attrs["sampling_rate"] == datasets.ECG_SAMPLING_RATE == 360
    np.testing.assert_array_equal(frame.index[[0, 360, 43199]], [0, 1, 43199 / 360])
    assert frame.index.name == "seconds"


def test_vowels_have_the_published_counts_and_lengths():
    X_train, y_train, X_test, y_test = datasets.load_japanese_vowels()
    np.testing.assert_array_equal(np.bincount(y_train)[1:], [30] * 9)
    np.testing.assert_array_equal(np.bincount(y_test)[1:], [31, 35, 88, 44, 29, 24, 40, 50, 29])
    for X, y in ((X_train, y_train), (X_test, y_test)):
        assert len(X) == len(y)
        assert {x.shape[1] for x in X} == {12}
        assert all(np.isfinite(x).all() and x.flags.c_contiguous for x in X)
    lengths = [len(x) for x in X_train + X_test]
    assert min(lengths) == 7
    assert max(lengths) == 29
    assert sum(map(len, X_train)) == 4274
    assert sum(map(len, X_test)) == 5687


def test_vowels_are_exact_and_unpadded():
    data = datasets.load_japanese_vowels()
    np.testing.assert_array_equal(
        data.X_train[0][:2, :2].T, [[1.860936, 1.891651], [-0.207383, -0.193249]]
    )
    for x in data.X_train + data.X_test:
        assert np.abs(np.diff(x, axis=0)).sum(axis=1).min() > 0
        assert np.unique(x[-1]).size == 12


def test_vowels_tell_the_speaker():
    # Four summary numbers a channel and a ridge classifier: 0.976 by an independent trial.
    def summary(X):
        return [np.concatenate([x.mean(0), x.std(0), x[0], x[-1]]) for x in X]

    X_train, y_train, X_test, y_test = datasets.load_japanese_vowels()
    scaler = StandardScaler().fit(summary(X_train))
    model = RidgeClassifier().fit(scaler.transform(summary(X_train)), y_train)
    assert model.score(scaler.transform(summary(X_test)), y_test) > 0.96


def test_vowels_frames_hold_the_same_series():
    arrays, frames = (datasets.load_japanese_vowels(as_frame=flag) for flag in (False, True))
    assert list(frames.X_train.index.names) == ["series", "time"]
    assert list(frames.X_train.columns) == [f"cepstrum_{k}" for k in range(1, 13)]
    for X, y, X_frame, y_frame in (
        (arrays.X_train, arrays.y_train, frames.X_train, frames.y_train),
        (arrays.X_test, arrays.y_test, frames.X_test, frames.y_test),
    ):
        np.testing.assert_array_equal(y_frame.to_numpy(), y)
        assert list(X_frame.index.unique("series")) == list(y_frame.index)
        for x, (_, group) in zip(X, X_frame.groupby(level="series"), strict=True):
            np.testing.assert_array_equal(group.to_numpy(), x)
            np.testing.assert_array_equal(group.index.get_level_values("time"), np.arange(len(x)))
    assert not set(frames.y_train.index) & set(frames.y_test.index)


LOADERS = {
    "ecg.npz": datasets.load_ecg,
    "japanese_vowels.npz": datasets.load_japanese_vowels,
    "sunspots.npz": datasets.load_sunspots,
}


@pytest.mark.parametrize("name", LOADERS)
def test_loader_names_a_missing_or_damaged_file(name, tmp_path, monkeypatch):
    content = (_loaders.DATA_FOLDER / name).read_bytes()
    monkeypatch.setattr(_loaders, "DATA_FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=f"Data file {name} is missing"):
        LOADERS[name]()
    middle = len(content) // 2
    (tmp_path / name).write_bytes(content[:middle] + b"?" + content[middle + 1 :])
    with pytest.raises(ValueError, match=f"Data file {name} .* is damaged"):
        LOADERS[name]()
    (tmp_path / name).write_bytes(content)
    LOADERS[name]()


@pytest.mark.parametrize("load", LOADERS.values())
def test_loader_answers_are_independent(load):
    first = load()
    target = first.X_train[0] if isinstance(first, datasets.JapaneseVowels) else first
    target[:] = 0
    again = load()
    assert np.any(again.X_train[0] if isinstance(again, datasets.JapaneseVowels) else again)


def test_shipped_files_are_small_listed_and_licensed():
    files = {f.name: f.read_bytes() for f in _loaders.DATA_FOLDER.iterdir() if f.is_file()}
    assert set(files) == set(_loaders.SHA256) | {"LICENSE"}
    assert sum(map(len, files.values())) < 600_000
    for name, digest in _loaders.SHA256.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
        assert name in files["LICENSE"].decode("ascii")
