"""Trials that behave well, and trials that do not: what the executor suite lets an executor run."""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from automl.client import Run, TrialPruned
from automl.engine.trial.contract import Outcome, TrialSpec

__all__ = ["METRIC", "Behaviours"]

METRIC = "score"

_ORPHAN = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
with open(sys.argv[1] + ".part", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""


class _UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


@dataclass(frozen=True)
class Behaviours:
    """A work whose trials do what their algorithm's name says."""

    metric: str = METRIC

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        behave = getattr(self, spec.algorithm)
        outcome: Outcome = behave(spec, run)
        return outcome

    def compute(self, spec: TrialSpec, run: Run) -> Outcome:
        """A number that depends on the seed and the parameters, and on the order of floating-point operations."""
        draw = random.Random(spec.seed)
        total = sum(draw.gauss(0, 1) * spec.params["scale"] for _ in range(1000))
        for step in range(3):
            run.log(METRIC, total / (step + 1), step=step)
        run.log("other", 1.0)
        return Outcome(value=total, metrics={METRIC: total, "other": 1.0}, fold_scores=(total / 3, total / 7))

    def await_file(self, spec: TrialSpec, run: Run) -> Outcome:
        """Ends when the file `path` is there; `then` it continues like another behaviour."""
        while not Path(spec.params["path"]).exists():
            time.sleep(0.002)
        outcome: Outcome = getattr(self, spec.params["then"])(spec, run)
        return outcome

    def nothing(self, spec: TrialSpec, run: Run) -> Outcome:
        return Outcome(value=0.0)

    def count_gpus(self, spec: TrialSpec, run: Run) -> Outcome:
        """GPUs that CUDA's libraries are told of; -1 if they are told nothing, and see all."""
        told = os.environ.get("CUDA_VISIBLE_DEVICES")
        return Outcome(value=-1.0 if told is None else float(len([name for name in told.split(",") if name])))

    def report(self, spec: TrialSpec, run: Run) -> Outcome:
        """Many reports, one of them not finite."""
        for step in range(200):
            run.log(METRIC, float(step), step=step)
        run.log(METRIC, float("nan"), step=200)
        return Outcome(value=1.0)

    def obey(self, spec: TrialSpec, run: Run) -> Outcome:
        """Runs until it is asked to stop."""
        run.log(METRIC, 0.25, step=0)
        while not run.should_stop:
            time.sleep(0.002)
        raise TrialPruned

    def obey_in_log(self, spec: TrialSpec, run: Run) -> Outcome:
        run = Run.get_context(raise_pruned=True)
        for step in itertools.count():
            run.log(METRIC, float(step), step=step)
            time.sleep(0.002)
        raise AssertionError

    def obey_with_outcome(self, spec: TrialSpec, run: Run) -> Outcome:
        while not run.should_stop:
            time.sleep(0.002)
        return Outcome(value=0.5)

    def deaf(self, spec: TrialSpec, run: Run) -> NoReturn:
        """Once it is asked to stop it never returns to Python again, and ignores SIGTERM."""
        print("printed before the kill")  # noqa: T201
        (run.outputs / "kept.txt").write_text("kept")
        if os.name == "posix":
            ctypes.CDLL(None).signal(signal.SIGTERM, 1)  # SIG_IGN; signal.signal works in main threads only
        run.log(METRIC, 0.75, step=0)
        while not run.should_stop:
            time.sleep(0.002)
        _hold_the_interpreter()

    def complete_a_fold(self, spec: TrialSpec, run: Run) -> NoReturn:
        """Completes a quarter of its work, notes it where it is to, and hears of nothing from then on."""
        from automl.engine.trial.contract import Partial
        from automl.engine.trial.partial import note
        from automl.engine.workspace.layout import TrialDirectory

        place = TrialDirectory(run.directory)
        place.models.mkdir()
        (place.models / "fold_00.joblib").write_bytes(b"a model")
        if spec.keep_partial:
            outcome = Outcome(value=0.5, metrics={METRIC: 0.5}, fold_scores=(0.5,))
            partial = Partial(share=0.25, extent="validated on 1 of 4 folds")
            note(place, partial, outcome, models=["fold_00.joblib"])
        run.log(METRIC, 0.5, step=0)
        _hold_the_interpreter()

    def allocate(self, spec: TrialSpec, run: Run) -> NoReturn:
        """Holds more and more memory, and then computes in C for ever."""
        held = []
        for _ in range(spec.params["megabytes"] // 32):
            held.append(bytearray(b"x") * 2**25)
            time.sleep(0.005)
        _hold_the_interpreter()

    def raise_memory_error(self, spec: TrialSpec, run: Run) -> NoReturn:
        raise MemoryError("no room")

    def exit_process(self, spec: TrialSpec, run: Run) -> NoReturn:
        print("printed before the exit")  # noqa: T201
        os._exit(3)

    def segfault(self, spec: TrialSpec, run: Run) -> Any:
        ctypes.string_at(0)

    def kill_self(self, spec: TrialSpec, run: Run) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def orphan_then_deaf(self, spec: TrialSpec, run: Run) -> NoReturn:
        """Leaves a grandchild in its own session, and is deaf from then on."""
        _start_orphan(run.outputs / "pid")
        _hold_the_interpreter()

    def orphan_then_die(self, spec: TrialSpec, run: Run) -> NoReturn:
        _start_orphan(run.outputs / "pid")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def fork_then_die(self, spec: TrialSpec, run: Run) -> NoReturn:
        """Leaves a forked child that holds all of the worker's descriptors open."""
        if os.fork() == 0:
            time.sleep(600)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def print_everywhere(self, spec: TrialSpec, run: Run) -> Outcome:
        print("by print")  # noqa: T201
        print("to stderr", file=sys.stderr)  # noqa: T201
        return Outcome(value=0.0)

    def print_below(self, spec: TrialSpec, run: Run) -> Outcome:
        """Prints past Python: to the descriptor, and in a child."""
        os.write(1, b"to the descriptor\n")
        subprocess.run([sys.executable, "-c", "print('in a child')"], check=True)
        return Outcome(value=0.0)

    def write_outputs(self, spec: TrialSpec, run: Run) -> Outcome:
        (run.outputs / "folder").mkdir()
        (run.outputs / "folder" / "model.bin").write_bytes(b"automl")
        (run.outputs / "inside").symlink_to("folder/model.bin")
        (run.outputs / "outside").symlink_to(spec.params["outside"])
        return Outcome(value=0.0)

    def go_on(self, spec: TrialSpec, run: Run) -> Outcome:
        """Copies the checkpoint that it continues from to its outputs."""
        assert spec.lineage.checkpoint is not None
        shutil.copytree(spec.lineage.checkpoint, run.outputs, dirs_exist_ok=True)
        return Outcome(value=0.0)

    def fail(self, spec: TrialSpec, run: Run) -> NoReturn:
        run.log("other", 2.0)
        raise ZeroDivisionError("the cause")

    def fail_unpicklably(self, spec: TrialSpec, run: Run) -> NoReturn:
        raise _UnpicklableError

    def call_exit(self, spec: TrialSpec, run: Run) -> NoReturn:
        sys.exit("a script's way to end")

    def return_nonsense(self, spec: TrialSpec, run: Run) -> Any:
        return lambda: 1

    def return_unpicklable(self, spec: TrialSpec, run: Run) -> Outcome:
        metrics: dict[str, Any] = {"bad": threading.Lock()}
        return Outcome(value=0.0, metrics=metrics)

    def return_nan(self, spec: TrialSpec, run: Run) -> Outcome:
        return Outcome(value=float("nan"))

    def count_threads(self, spec: TrialSpec, run: Run) -> Outcome:
        import numpy  # noqa: F401 - it brings a thread pool
        from threadpoolctl import threadpool_info

        pools = threadpool_info()
        return Outcome(value=float(max(pool["num_threads"] for pool in pools)), metrics={"pools": len(pools)})

    def meet(self, spec: TrialSpec, run: Run) -> Outcome:
        """Ends only if another trial runs at the same time."""
        place = Path(spec.params["place"])
        (place / str(spec.number)).touch()
        while len(list(place.iterdir())) < 2:
            time.sleep(0.01)
        return Outcome(value=0.0)


def _hold_the_interpreter() -> NoReturn:
    """Compute in C, without ever giving other threads of this process a turn."""
    sum(itertools.repeat(0))
    raise AssertionError


def _start_orphan(place: Path) -> None:
    subprocess.Popen([sys.executable, "-c", _ORPHAN, str(place)])
    while not place.exists():
        time.sleep(0.01)
