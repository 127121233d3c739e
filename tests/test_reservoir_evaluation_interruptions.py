"""Comparisons that are stopped: Ctrl-C, dead processes, full disks, two runs in one folder."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from tiny_evaluation import CALLS, CtrlC, Dies, model, run, tiny_registry

from reservoir.__main__ import main
from reservoir.evaluation import (
    MODELS,
    Interrupted,
    OutputError,
    UsageError,
    _report,
    _results,
    _work,
    _workers,
    compare,
)
from reservoir.evaluation._lock import FolderLock
from reservoir.evaluation._workers import start_workers

CHEAP = ["compare", "--quick", "--tasks", "sunspots", "--models", "persistence,linear"]
CHEAP += ["--jobs", "1"]


@pytest.fixture
def unread(monkeypatch):
    """A tiny registry; nobody reads the report, so none is drawn."""
    monkeypatch.setattr(_report, "write_report", lambda store, run: store.folder)
    with tiny_registry() as task:
        yield task


def test_ctrl_c_keeps_finished_rows_and_the_next_run_goes_on(unread, tmp_path, monkeypatch):
    with pytest.raises(Interrupted, match="3 of 6 rows are finished"):
        compare(None, ["ridge", "ctrl_c"], out=tmp_path, verbose=0, n_jobs=1)
    assert pd.read_csv(tmp_path / "results.csv")["model"].tolist() == ["ridge"] * 3
    monkeypatch.setattr(CtrlC, "fit", Ridge.fit)
    frame = run(tmp_path, ["ridge", "ctrl_c"])
    assert len(CALLS) == 3
    assert frame["status"].tolist() == ["ok"] * 6


def test_ctrl_c_that_a_model_swallows_still_ends_the_run(unread, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        run(tmp_path, ["ridge", "swallows"])
    assert "swallows" not in (tmp_path / "results.csv").read_text()
    assert signal.getsignal(signal.SIGINT) is before


def test_process_that_dies_fails_its_rows_and_the_rest_goes_on(unread, tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "dies", model("dies", Dies, cost=9.0))
    first = compare(None, ["dies", "ridge"], out=tmp_path, verbose=0, n_jobs=2)
    dead = first[first["model"] == "dies"]
    assert len(first) == 6
    assert dead["status"].tolist() == ["failed"] * 3
    assert dead["note"].str.contains("terminated").all()
    again = run(tmp_path, ["dies", "ridge"])  # in this process, where it lives
    assert again["status"].tolist() == ["ok"] * 6


def test_full_disk_leaves_the_file_as_it_was(unread, tmp_path, monkeypatch):
    run(tmp_path, ["ridge"], seeds=[0])
    text = (tmp_path / "results.csv").read_text()

    written = []

    def full(descriptor):  # room for the predictions of one more row, not for the table
        written.append(descriptor)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        run(tmp_path, ["ridge"], seeds=[0, 1])
    assert (tmp_path / "results.csv").read_text() == text
    assert not list(tmp_path.rglob("*.part"))


def test_workers_stop_quietly_while_a_job_is_on_its_way(monkeypatch):
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    for _ in range(2):
        workers = start_workers(2)
        workers.submit(time.sleep, 0).result()
        workers.submit(time.sleep, 60)
        workers.stop()
    assert not died


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
def test_workers_are_deaf_to_ctrl_c_from_their_first_instruction(monkeypatch):
    monkeypatch.setattr(_workers, "_prepare_worker", int)  # as if they had not come to it yet
    workers = start_workers(2)
    asked = workers.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ())
    try:
        assert signal.SIGINT in asked.result()
    finally:
        workers.stop()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize(
    ("home", "function", "n_jobs", "n_rows"),
    [
        (_workers.OtherProcesses, "submit", 2, 0),  # processes start
        (_work, "wait", 2, 0),
        (_workers.OtherProcesses, "_stop", 2, 3),  # all is done, the processes end
        (_results.ResultStore, "add", 1, 1),
        (os, "fsync", 1, 1),  # half of a file is written
        (os, "replace", 1, 1),
        (_report, "write_report", 1, 3),
    ],
)
def test_ctrl_c_at_any_moment_keeps_whole_rows(
    unread, tmp_path, monkeypatch, home, function, n_jobs, n_rows
):
    whole = getattr(home, function)
    handler = signal.getsignal(signal.SIGINT)
    came = []

    def interrupted(*args, **kwargs):
        if len(came) < 3:  # pressed again and again
            came.append(function)
            os.kill(os.getpid(), signal.SIGINT)
        return whole(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(home, function, interrupted)
        with pytest.raises(Interrupted, match=r"interrupted: \d of 3 rows") as caught:
            compare(None, ["ridge"], out=tmp_path, verbose=0, n_jobs=n_jobs)
    table = tmp_path / "results.csv"
    n_kept = len(pd.read_csv(table)) if table.exists() else 0
    assert f"{n_kept} of 3 rows" in str(caught.value)
    assert n_kept >= n_rows
    assert not [path for path in tmp_path.rglob(".*")]  # no half files, no lock
    assert signal.getsignal(signal.SIGINT) is handler
    assert run(tmp_path, ["ridge"])["status"].tolist() == ["ok"] * 3


def test_second_run_on_a_folder_is_refused_and_the_lock_goes_away(tmp_path, capsys):
    with FolderLock(tmp_path):
        assert main([*CHEAP, "--out", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert f"another run (process {os.getpid()}) is writing to" in said
        assert said.count("\n") == 1
        assert not (tmp_path / "results.csv").exists()
    assert main([*CHEAP, "--out", str(tmp_path)]) == 0
    assert not (tmp_path / ".lock").exists()


def test_lock_and_half_files_of_a_killed_run_block_nobody(tmp_path):
    program = (
        "import pathlib, sys, time; from reservoir.evaluation._lock import FolderLock;"
        "lock = FolderLock(pathlib.Path(sys.argv[1])).__enter__(); print('held', flush=True);"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {holder.pid}"):
            compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)
        holder.send_signal(signal.SIGKILL)
    assert (tmp_path / ".lock").exists()
    (tmp_path / ".results.csv.part").write_text("half a ro")
    frame = compare("sunspots", "persistence", out=tmp_path, verbose=0, n_jobs=1)
    assert frame["status"].tolist() == ["ok"] * 3
    assert not list(tmp_path.rglob("*.part"))


def test_workers_do_not_outlive_a_run_that_is_killed(tmp_path):
    program = (
        "import os, time; from reservoir.evaluation._workers import start_workers;"
        "workers = start_workers(2); print(workers.submit(os.getpid).result(), flush=True);"
        "futures = [workers.submit(time.sleep, 60) for _ in range(2)]; time.sleep(60)"
    )
    command = [sys.executable, "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    deadline = time.monotonic() + 30.0
    while _is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(worker)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_read_only_disk_is_one_line_and_code_1(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    assert main([*CHEAP, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Read-only file system" in said
