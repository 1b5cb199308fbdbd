"""A whole experiment on a cluster that loses a node meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from automl.engine.trial.contract import Status
from automl.engine.workspace.layout import Workspace
from automl.experiment.results.leaderboard import read_trials

STORE = 150 * 2**20
"""Bytes of each node's object store."""
TRIALS = 16


@pytest.mark.slow
def test_a_lost_node_costs_no_trial(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        node = cluster.add_node(num_cpus=2, object_store_memory=STORE)
        file = tmp_path / "flowers.yaml"
        file.write_text(f"""
            experiment: flowers
            task: classification
            data: iris
            limits: {{max_trials: {TRIALS}}}
            search: {{pruner: null, algorithms: {{allow: [random_forest, extra_trees]}}}}
            compute: {{executor: ray, address: "{cluster.address}"}}
            registry: null
            tracking: null
        """)
        command = [sys.executable, "-m", "automl", "run", str(file), "--workspace", str(tmp_path)]
        search = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        _wait_for_trials(tmp_path, search, 5)
        cluster.remove_node(node, allow_graceful=False)
        output, errors = search.communicate(timeout=300)
    finally:
        cluster.shutdown()
    assert search.returncode == 0, output + errors
    (directory,) = Workspace(tmp_path).experiments()
    results = read_trials(directory)
    assert [result.number for result in results] == list(range(TRIALS))
    assert {result.status for result in results} == {Status.COMPLETED}
    assert max(result.attempt for result in results) == 2, "the lost node ran nothing"
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or ())]


def _wait_for_trials(place: Path, search: subprocess.Popen[str], count: int) -> None:
    ends = time.monotonic() + 180
    while len(list(place.glob("flowers/*/trials/*/trial.json"))) < count:
        assert search.poll() is None, search.communicate()
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)
