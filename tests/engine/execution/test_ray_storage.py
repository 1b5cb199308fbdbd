"""A Ray node that does not see the driver's disk: it runs in a mount namespace of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.execution.storage import Storage, StorageError
from automl.engine.trial.contract import Lineage, Status, TrialContext, TrialLimits, TrialResult, TrialSpec
from automl.errors import ExecutorError
from automl.testing.behaviours import Behaviours
from automl.testing.driving import run_trials, wait_for

STORE = 100 * 2**20

_NODE = """
import sys, time
from ray._private.node import Node
from ray._private.parameter import RayParams
params = RayParams(gcs_address=sys.argv[1], num_cpus=2, object_store_memory=int(sys.argv[2]), include_log_monitor=False)
params.update_if_absent(node_manager_port=0, min_worker_port=0, max_worker_port=0)
params.dashboard_agent_listen_port = None
node = Node(params, head=False, shutdown_at_exit=True, spawn_reaper=True)
time.sleep(600)
"""


def _can_unshare() -> bool:
    try:
        return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


apart = pytest.mark.skipif(not _can_unshare(), reason="mount namespaces cannot be made here")


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that only this process sees."""
    return tmp_path_factory.mktemp("hidden")


@pytest.fixture(scope="module")
def address(hidden: Path) -> Iterator[str]:
    """A cluster of a head without cores and a node that sees another file system at `hidden`."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    script = f'mount -t tmpfs none {hidden} && exec {sys.executable} -c "$0" {cluster.address} {STORE}'
    node = subprocess.Popen(["unshare", "--mount", "sh", "-c", script, _NODE], start_new_session=True)
    yield cluster.address
    os.killpg(node.pid, signal.SIGTERM)
    node.wait()
    cluster.shutdown()


def run_on(address: str, *specs: TrialSpec, **options: Any) -> dict[int, TrialResult]:
    executor = RayExecutor(ComputeOptions(executor="ray", address=address, max_workers=1, **options))
    try:
        executor.start(TrialContext(Behaviours()))
        events = run_trials(executor, *specs)
    finally:
        executor.close()
    return {event.number: event for event in events if isinstance(event, TrialResult)}


@apart
def test_a_worker_that_does_not_see_the_experiment_ends_it_with_a_sentence(address: str, hidden: Path) -> None:
    spec = TrialSpec(0, "compute", {"scale": 1.0}, hidden / "ws" / "name" / "a" / "trials" / "00000")
    with pytest.raises(ExecutorError, match=r"share no disk: name a place .* in compute\.storage"):
        run_on(address, spec)
    assert list(spec.directory.parent.iterdir()) == []


@apart
def test_files_travel_through_the_storage(address: str, hidden: Path, tmp_path: Path) -> None:
    trials = hidden / "ws" / "name" / "b" / "trials"
    parent = trials / "00009" / "checkpoint"
    parent.mkdir(parents=True)
    (parent / "state.txt").write_text("epoch 3")
    specs = [
        TrialSpec(0, "write_outputs", {"outside": "/etc/hostname"}, trials / "00000"),
        TrialSpec(1, "print_everywhere", {}, trials / "00001"),
        TrialSpec(2, "allocate", {"megabytes": 1400}, trials / "00002", limits=TrialLimits(memory=700 * 2**20)),
        TrialSpec(3, "compute", {"scale": 1.0}, trials / "00003", limits=TrialLimits(seconds=60)),
        TrialSpec(4, "go_on", {}, trials / "00004", lineage=Lineage(9, parent)),
        TrialSpec(5, "exit_process", {}, trials / "00005"),
    ]
    results = run_on(address, *specs, storage=str(tmp_path / "storage"))
    assert [results[n].status for n in range(6)] == [
        Status.COMPLETED,
        Status.COMPLETED,
        Status.OUT_OF_MEMORY,
        Status.COMPLETED,
        Status.COMPLETED,
        Status.INTERRUPTED,
    ], results
    assert (trials / "00000" / "outputs" / "folder" / "model.bin").read_bytes() == b"automl"
    assert not (trials / "00000" / "outputs" / "outside").exists()
    assert (trials / "00001" / "logs" / "stdout.txt").read_text() == "by print\nto stderr\n"
    assert results[2].peak_memory is not None
    assert results[2].peak_memory > 700 * 2**20
    assert (trials / "00003" / "metrics.jsonl").read_text().count("\n") == 4
    assert (trials / "00004" / "outputs" / "state.txt").read_text() == "epoch 3"
    kept = tmp_path / "storage" / "name" / "b" / "trials" / "00000" / "outputs" / "folder" / "model.bin"
    assert kept.read_bytes() == b"automl"


def test_a_worker_leaves_no_scratch_folder(address: str, tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("automl-*"))
    spec = TrialSpec(0, "compute", {"scale": 1.0}, tmp_path / "ws" / "name" / "c" / "trials" / "00000")
    run_on(address, spec, storage=f"file://{tmp_path}/storage")
    wait_for(lambda: not set(Path(tempfile.gettempdir()).glob("automl-*")) - before)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("memory://x", "one process's memory"),
        ("nowhere://user:secret@host/x", "Protocol not known"),
        ("sftp://***@host/x", "were not recorded"),
        ("/proc/nothing", "/proc/nothing"),
    ],
)
def test_a_storage_that_cannot_be_used_is_refused_without_its_secrets(url: str, says: str) -> None:
    with pytest.raises(ExecutorError, match=says) as caught:
        Storage(url).check()
    assert "secret" not in str(caught.value)


def test_a_storage_that_needs_a_package_says_which() -> None:
    try:
        import s3fs  # noqa: F401
    except ImportError:
        with pytest.raises(ExecutorError, match=r"s3://bucket needs a package that is not installed: .*s3fs"):
            Storage("s3://bucket").check()
    else:
        pytest.skip("s3fs is installed")


def test_a_name_that_leads_out_of_the_trial_is_refused(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "storage"))
    with pytest.raises(StorageError, match="not a file of a trial"):
        storage.fetch(["../../other"], tmp_path / "ws" / "name" / "d" / "trials" / "00000")
