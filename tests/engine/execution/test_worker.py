"""The worker inside its process, whose messages may overtake each other on Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import os, sys
from pathlib import Path
from automl.engine.execution.payload import pack
from automl.engine.execution.worker import Worker
from automl.testing.behaviours import Behaviours
from automl.engine.trial.contract import StopReason, TrialContext, TrialSpec

out = os.fdopen(os.dup(1), "w")  # the worker gives 1 to its trials
worker = Worker("mark", None)
worker.load(pack(TrialContext(Behaviours())))
assert worker.stop(3, 1, StopReason.CANCELLED) is None
for number in (3, 4):
    result = worker.run(TrialSpec(number, "nothing", {}, Path(sys.argv[1]) / str(number)), print).result
    print(number, result.status, result.started_at != "", file=out, flush=True)
"""


def test_a_trial_whose_stop_has_come_before_it_never_begins(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["3 CANCELLED False", "4 COMPLETED True"]
    assert [entry.name for entry in tmp_path.iterdir() if not entry.name.startswith(".")] == ["4"]
