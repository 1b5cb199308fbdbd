"""Work in a process of its own, which ends when it should, whatever it is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from automl.deadline import Deadline
from automl.errors import DataError
from automl.learning.data.reading.apart import run_apart
from automl.learning.data.reading.context import Reading

ROOM = 1 << 30
HELPER = """
import os, time
import numpy as np

def squares(count, reading):
    return np.arange(count) ** 2

def sleep_for_ever(file, reading):
    with open(file, "w") as said:
        said.write(str(os.getpid()))
    time.sleep(600)

def fill(reading):
    held = []
    while True:
        held.append(np.ones(10_000_000))

def die(reading):
    os.abort()

def speak(reading):
    import logging
    print("a library prints this")
    logging.getLogger("automl").warning("something to know")
    return "done"
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Functions in a module that the process can import as well."""
    (tmp_path / "apart_helper.py").write_text(HELPER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "apart_helper", raising=False)
    import apart_helper

    return apart_helper


def test_the_result_comes_back_as_it_was(helper) -> None:
    found = run_apart(helper.squares, 1_000_000, what="x", reading=Reading(), memory=ROOM)
    assert np.array_equal(found, np.arange(1_000_000) ** 2)
    found[0] = 7  # arrays can be written to


def test_what_does_not_end_is_killed_when_the_time_is_over(helper, tmp_path: Path) -> None:
    reading = Reading(Deadline.after(5.0, started=time.monotonic() - 1.0))
    with pytest.raises(DataError, match=r"Reading x has taken .* budget of 5 s is over: write .*limits\.time_budget"):
        run_apart(helper.sleep_for_ever, str(tmp_path / "pid"), what="x", reading=reading, memory=ROOM)
    if (tmp_path / "pid").exists():
        assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_what_takes_too_much_memory_is_killed(helper) -> None:
    with pytest.raises(DataError, match="Reading x takes more than 300 MB of memory"):
        run_apart(helper.fill, what="x", reading=Reading(), memory=300 << 20)


def test_a_process_that_dies_is_a_sentence(helper) -> None:
    with pytest.raises(DataError, match="Cannot read x: the process that read it ended by SIGABRT"):
        run_apart(helper.die, what="x", reading=Reading(), memory=ROOM)


def test_log_lines_arrive_and_prints_do_no_harm(helper, caplog: pytest.LogCaptureFixture) -> None:
    assert run_apart(helper.speak, what="x", reading=Reading(), memory=ROOM) == "done"
    assert caplog.messages == ["something to know"]


def test_no_process_outlives_a_driver_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "apart_helper.py").write_text(HELPER)
    program = (
        "import apart_helper\n"
        "from automl.learning.data.reading.apart import run_apart\n"
        "from automl.learning.data.reading.context import Reading\n"
        f"run_apart(apart_helper.sleep_for_ever, {str(tmp_path / 'pid')!r}, what='x', reading=Reading(), memory=2**30)"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    driver = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path})
    try:
        _until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    reader = int((tmp_path / "pid").read_text())
    _until(lambda: not psutil.pid_exists(reader) or psutil.Process(reader).status() == psutil.STATUS_ZOMBIE)


def _until(condition) -> None:
    end = time.monotonic() + 120  # a hang, and no busy machine
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
