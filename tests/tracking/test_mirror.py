from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.engine.trial.contract import TrialResult
from automl.engine.trial.records import write_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.tracking.client import Mirror, MirrorSummary
from automl.tracking.owed import is_owed, owe
from automl.tracking.store import open_client

EndTrial = Callable[..., ExperimentDirectory]
Eventually = Callable[[Callable[[], bool]], None]
LONG = 90.0  # seconds: importing MLflow takes 4, on a loaded machine 20


def children(uri: str, name: str = "flowers") -> list[str]:
    client = open_client(uri)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], "tags.`automl.kind` = 'trial'") if experiment else []
    return sorted(run.data.tags["automl.trial"] for run in runs)


def test_two_experiments_of_a_new_workspace_mirror_at_once_and_one_goes_on_after_a_kill(
    experiment: ExperimentDirectory,
    end_trial: EndTrial,
    home: Workspace,
    uri: str,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owe(experiment, None, trials=True)
    other = home.create_experiment("others")
    other.trial(0).path.mkdir()
    write_result(other.trial(0), TrialResult(number=0, algorithm="knn", status="COMPLETED", value=1.0))
    mirror, beside = Mirror(experiment, imports=("sklearn.linear_model",)), Mirror(other)
    beside.start()
    mirror.start()
    mirror.start()  # once is enough
    try:
        for number in range(20):
            end_trial(number)
            mirror.trial(number)
        eventually(lambda: mirror.ready and mirror._mirrored >= 3)
        assert mirror._process is not None
        os.kill(mirror._process.pid, signal.SIGKILL)
        end_trial(20)  # never told: found on the disk
        assert mirror.finish(LONG, winner="trials/00000") == MirrorSummary(mirrored=21, complete=True)
        assert beside.finish(LONG) == MirrorSummary(1, complete=True)
    finally:
        mirror.close()
        beside.close()
    mirror.close()  # twice is allowed
    assert children(uri) == sorted(map(str, range(21)))
    assert children(uri, "others") == ["0"]
    assert not is_owed(experiment)
    assert not experiment.mirror_scratch.exists()
    assert sum("has died" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.slow
def test_it_is_started_again_as_often_as_it_gets_on(
    experiment: ExperimentDirectory, end_trial: EndTrial, uri: str, eventually: Eventually
) -> None:
    mirror = Mirror(experiment)
    mirror.start()
    try:
        for number in range(5):  # more often than one that gets nowhere is started
            end_trial(number)
            mirror.trial(number)
            eventually(lambda: mirror.mirrored == number + 1)  # noqa: B023 - called at once
            process = mirror._process
            assert process is not None
            process.kill()
            eventually(lambda: mirror._process not in (None, process))  # noqa: B023 - called at once
        assert mirror.finish(LONG) == MirrorSummary(mirrored=5, complete=True)
    finally:
        mirror.close()
    assert children(uri) == sorted(map(str, range(5)))


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://me:secret@127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["nobody listens", "nobody answers"])
def test_a_server_that_cannot_be_reached_is_said_and_not_waited_for(
    experiment: ExperimentDirectory,
    end_trial: EndTrial,
    black_hole: str,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owe(experiment, None, trials=True)
    mirror = Mirror(experiment, "http://me:secret@127.0.0.1:9" if kind == "nobody listens" else black_hole)
    mirror.start()
    try:
        end_trial(0)
        mirror.trial(0)
        began = time.monotonic()
        assert mirror.finish(10 * LONG) == MirrorSummary(mirrored=0, complete=False)
        assert time.monotonic() - began < 2 * LONG
    finally:
        mirror.close()
    assert not mirror.ready
    assert mirror.problem
    assert is_owed(experiment)
    warnings = [
        r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "lags behind" in r.getMessage()
    ]
    assert len(warnings) <= 1
    assert "secret" not in caplog.text


def test_a_mirror_that_hangs_never_holds_the_driver_up(
    experiment: ExperimentDirectory, end_trial: EndTrial, eventually: Eventually
) -> None:
    mirror = Mirror(experiment)
    mirror.start()
    eventually(lambda: mirror._process is not None)
    assert mirror._process is not None
    os.kill(mirror._process.pid, signal.SIGSTOP)
    end_trial(0)
    for number in range(200_000):  # far more than the pipe and the queue hold
        mirror.trial(number)
    assert len(mirror._trials) <= 10_000
    assert mirror.finish(0.3) == MirrorSummary(mirrored=0, complete=False)
    mirror.close()


def test_it_ends_when_its_driver_is_killed(experiment: ExperimentDirectory, eventually: Eventually) -> None:
    script = """
import os, sys
from pathlib import Path
from automl.tracking.client import Mirror
from automl.engine.workspace.layout import ExperimentDirectory
mirror = Mirror(ExperimentDirectory(Path(sys.argv[1])))
mirror.start()
print(mirror._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(experiment.path)], stdout=subprocess.PIPE, env=environment, timeout=LONG
    )
    mirror = int(done.stdout)
    eventually(lambda: not _lives(mirror))


def test_the_command_brings_what_is_missing(
    experiment: ExperimentDirectory, end_trial: EndTrial, capsys: pytest.CaptureFixture[str]
) -> None:
    from automl.tracking.mirror import main

    end_trial(0)
    assert main([str(experiment.path)]) == 0
    assert (
        capsys.readouterr().out
        == f"1 trials of {experiment.path} are in sqlite:///{experiment.workspace.mlflow_database}.\n"
    )
    assert main(["nowhere"]) == 2
    assert "no experiment 'nowhere'" in capsys.readouterr().err


def test_the_drivers_side_imports_none_of_the_heavy_libraries() -> None:
    script = """
import sys
import automl.tracking.client, automl.tracking.follower, automl.tracking.options, automl.registry.options
import automl.registry.list, automl.registry.register
heavy = {"mlflow", "sklearn", "pandas", "numpy", "sqlalchemy"} & set(sys.modules)
assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, timeout=LONG, check=True)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
