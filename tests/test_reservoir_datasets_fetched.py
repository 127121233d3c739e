"""Data that are fetched: the cache, its checks, and what each loader makes of a file."""

import gzip
import hashlib
import socket
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
import sklearn.datasets

from reservoir.datasets import (
    _cache,
    _fetched,
    load_fan_acceleration,
    load_sentence_polarity,
    load_tiny_shakespeare,
)

CONTENT = b"ring, ring\n" * 7
PINNED = _cache.PinnedFile(
    "text/bells.txt.gz",
    "http://localhost:9/bells.txt",  # the discard port: nobody answers
    hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESERVOIR_DATA", str(tmp_path))
    (tmp_path / "text").mkdir()
    (tmp_path / "vibration").mkdir()
    return tmp_path


def _refuse(*args, **kwargs):
    raise OSError("no way out")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_in_the_cache_is_read_without_a_network(folder, monkeypatch, compressed):
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    if compressed:
        (folder / "text/bells.txt.gz").write_bytes(gzip.compress(CONTENT))
    else:
        (folder / "text/bells.txt").write_bytes(CONTENT)
    assert PINNED.read() == CONTENT


@pytest.mark.parametrize(
    "bad",
    [b"no gzip", gzip.compress(CONTENT)[:-9], gzip.compress(b"other")],
    ids=["no gzip", "cut off", "other"],
)
def test_a_damaged_file_is_refused_by_name(folder, bad):
    (folder / "text/bells.txt.gz").write_bytes(bad)
    with pytest.raises(ValueError, match=r"bells\.txt\.gz is damaged or another edition.*Delete"):
        PINNED.read()


@pytest.mark.filterwarnings("ignore:Retry downloading")
def test_a_file_that_cannot_be_fetched_says_where_to_put_it(folder, monkeypatch):
    monkeypatch.setattr(sklearn.datasets, "fetch_file", _refuse)
    with pytest.raises(FileNotFoundError, match=r"bells\.txt is not in .*no way out.*RESERVOIR_DA"):
        PINNED.read()


def test_a_fetched_file_stays_in_the_cache(folder, monkeypatch):
    def fetch(url, folder, local_filename, sha256, n_retries):
        (folder / local_filename).write_bytes(CONTENT)
        return folder / local_filename

    monkeypatch.setattr(sklearn.datasets, "fetch_file", fetch)
    assert PINNED.read() == CONTENT
    monkeypatch.setattr(sklearn.datasets, "fetch_file", _refuse)
    assert PINNED.read() == CONTENT


def _pin(monkeypatch, folder, name, content):
    pinned = getattr(_fetched, name)
    monkeypatch.setattr(
        _fetched,
        name,
        _cache.PinnedFile(pinned.path, pinned.url, hashlib.sha256(content).hexdigest()),
    )
    (folder / pinned.path.removesuffix(".gz")).write_bytes(content)


def test_the_text_is_one_string(folder, monkeypatch):
    _pin(monkeypatch, folder, "_TINY_SHAKESPEARE", b"First Citizen:\nSpeak.\n")
    assert load_tiny_shakespeare() == "First Citizen:\nSpeak.\n"


def test_sentences_come_with_their_polarity(folder, monkeypatch):
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("sentence_polarity/rt-polarity.neg", "dull . \nvery dull . \n")
        archive.writestr("sentence_polarity/rt-polarity.pos", "r\u00eaverie ! \n")
    _pin(monkeypatch, folder, "_SENTENCE_POLARITY", buffer.getvalue())
    sentences, positive = load_sentence_polarity()
    assert sentences == ["dull .", "very dull .", "r\u00eaverie !"]
    np.testing.assert_array_equal(positive, [False, False, True])


def test_runs_of_the_fan_are_series(folder, monkeypatch):
    rows = [f"{c},{s},{c}.5,{s},{t}" for c in (1, 3) for s in (20, 100) for t in range(3000)]
    text = "\n".join(["Sensor Configuration,Rotation Speed Percentage,x,y,z", *rows]) + "\n"
    _pin(monkeypatch, folder, "_FAN_ACCELERATION", text.encode())
    X, configuration, speed = load_fan_acceleration()
    assert [run.shape for run in X] == [(3000, 3)] * 4
    np.testing.assert_array_equal(configuration, [1, 1, 3, 3])
    np.testing.assert_array_equal(speed, [20, 100, 20, 100])
    np.testing.assert_array_equal(X[3][2999], [3.5, 100, 2999])
    frame = load_fan_acceleration(as_frame=True)
    assert frame.X.loc[(2, 7)].tolist() == [3.5, 20.0, 7.0]
    assert frame.configuration.loc[2] == 3
    assert frame.speed.loc[2] == 20
