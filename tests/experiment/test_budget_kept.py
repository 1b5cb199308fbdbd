"""Limits hold for trials that do all they can to escape them, and the clock is the shell's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import automl
from automl.engine.trial.contract import Status
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import NoModelError
from automl.experiment.result import Result
from automl.experiment.results.leaderboard import read_trials

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

HOSTILE = '''
import ctypes, itertools, os, signal, subprocess, sys, time
from pathlib import Path
from sklearn.base import BaseEstimator, ClassifierMixin

ORPHAN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
with open(sys.argv[1] + "/.%d" % os.getpid(), "w"): pass
os.rename(sys.argv[1] + "/.%d" % os.getpid(), sys.argv[1] + "/%d" % os.getpid())
time.sleep(600)
"""

class Hostile(ClassifierMixin, BaseEstimator):
    """Leaves a grandchild in a session of its own, ignores SIGTERM, and never returns from C, nor frees the GIL."""

    def __init__(self, megabytes=0, shift=0.0):
        self.megabytes = megabytes
        self.shift = shift

    def fit(self, X, y, sample_weight=None):
        place = Path(os.environ["HOSTILE_PIDS"])
        before = len(list(place.iterdir()))
        subprocess.Popen([sys.executable, "-c", ORPHAN, str(place)])
        while len(list(place.glob("[0-9]*"))) <= before:
            time.sleep(0.01)
        ctypes.CDLL(None).signal(signal.SIGTERM, 1)
        held = [bytearray(b"x") * 2**25 for _ in range(self.megabytes // 32)]
        sum(map(ctypes.PyDLL(None).sleep, itertools.repeat(600)))  # at no cost to the processor

    def predict(self, X):
        raise AssertionError("it was never fitted")
'''


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where each grandchild leaves its process id; the estimator can be imported."""
    place = tmp_path / "pids"
    place.mkdir()
    (tmp_path / "hostile_estimator.py").write_text(HOSTILE)
    monkeypatch.setenv("HOSTILE_PIDS", str(place))
    monkeypatch.syspath_prepend(tmp_path)
    yield place
    sys.modules.pop("hostile_estimator", None)


def search(place: Path, *, megabytes: int = 0, max_trials: int | None = None, **limits: object) -> Counter[Status]:
    """How the trials of a search ended in which every second algorithm is hostile."""
    space = {
        "algorithms": {
            "hostile": {
                "estimator": "hostile_estimator.Hostile",
                "fixed": {"megabytes": megabytes},
                "params": {"shift": {"type": "float", "low": 0.0, "high": 1.0}},
            },
            "naive_bayes": {
                "estimator": "sklearn.naive_bayes.GaussianNB",
                "params": {"var_smoothing": {"type": "float", "low": 1e-9, "high": 1.0, "log": True}},
            },
        },
        "portfolio": [
            {"algorithm": "naive_bayes", "params": {"var_smoothing": 0.1}},
            {"algorithm": "hostile", "params": {"shift": 0.5}},
        ],
    }
    result: Result | None = None
    try:
        result = automl.fit(
            "classification",
            "iris",
            max_trials=max_trials,
            limits=limits,
            search={"space": space},
            compute={"executor": "process", "max_workers": 1},
            tracking=None,
            registry=None,
            workspace=str(place),
            trust=True,
            progress=False,
        )
    except NoModelError:
        assert limits.get("time_budget") is not None, "only a budget may end before the first model"
    (directory,) = place.glob("iris/*") if result is None else (result.directory,)
    return Counter(trial.status for trial in read_trials(ExperimentDirectory(directory)))


def survivors(pids: Path) -> list[int]:
    return [int(file.name) for file in pids.glob("[0-9]*") if psutil.pid_exists(int(file.name))]


def gone(pids: Path) -> bool:
    """Whether every grandchild ends: those of a worker that was killed are killed by its watchdog, a moment later."""
    while survivors(pids):
        time.sleep(0.05)
    return True


def test_a_trials_timeout_takes_all_that_it_has_started(tmp_path: Path, pids: Path) -> None:
    ended = search(tmp_path / "runs", max_trials=2, trial_timeout=8.0)
    assert ended == {Status.COMPLETED: 1, Status.TIMED_OUT: 1}
    assert list(pids.iterdir())
    assert gone(pids)


def test_a_trials_memory_limit_does_so_too(tmp_path: Path, pids: Path) -> None:
    ended = search(tmp_path / "runs", max_trials=2, megabytes=2048, trial_memory=2**30)
    assert ended == {Status.COMPLETED: 1, Status.OUT_OF_MEMORY: 1}
    assert gone(pids)


def test_the_time_budget_is_kept_by_the_shells_clock(tmp_path: Path, pids: Path) -> None:
    budget = 12.0
    began = time.monotonic()
    ended = search(tmp_path / "runs", time_budget=budget)
    # The promise is max(0.5 s, 2%), which a benchmark measures; a trial that got away would hold the search for ever.
    assert time.monotonic() - began < budget + 20
    assert ended[Status.TIMED_OUT] == 0
    assert gone(pids)


COUNTED = """
import sys, time
import automl

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "automl.config.reader":
            time.sleep(1)

sys.meta_path.insert(0, Slow())
result = automl.fit("classification", "iris", max_trials=1, workspace=sys.argv[1], progress=False, tracking=None,
                    registry=None, compute={"executor": "inline"},
                    search={"algorithms": {"allow": ["lda"]}, "portfolio": False})
print({phase.name: phase.spent for phase in result.budget.phases}["start"])
"""


def test_what_fit_imports_is_counted(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", COUNTED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 1.0


def test_workers_start_before_the_caller_imports_what_takes_long() -> None:
    first = "automl.api.search, automl.config.arguments, automl.config.reader, automl.learning.problem.inputs"
    code = f"import sys, {first}, automl.experiment.prestart; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "pandas", "optuna", "sklearn", "ray", "mlflow"}.isdisjoint(done.stdout.split())
