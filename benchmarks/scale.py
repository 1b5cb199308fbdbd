"""Ten thousand trials on four nodes, and how much of two cores the engine leaves to the trials.

The nodes are raylets of one Ray cluster on this machine, with four workers each. Their trials do nothing, and the
driver writes what it always writes; tracking is off. Then trials that burn a fixed amount of work, about one second of
one core, run on two workers, in turn with two bare Python processes that burn as much.

    python benchmarks/scale.py [--quick] [--json FILE]
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from form import Figure, arguments, machine, publish
from overhead import POOLS, SPACE, Noop, experiment

from automl.client import Run
from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.registry import make_executor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.submission import Terms
from automl.engine.stopping.max_trials import MaxTrials
from automl.engine.study.history import History
from automl.engine.trial.contract import Outcome, TrialContext, TrialSpec, Work
from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory

STORE = 150 * 2**20
"""Bytes of each node's object store."""
BURNERS = 2

_BARE = """
import sys
exec(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    rounds, times = map(int, line.split())
    for _ in range(times):
        burn(rounds)
    print("done", flush=True)
"""


def burn(rounds: int) -> int:
    """A fixed amount of work for one core."""
    x = 1
    for _ in range(rounds):
        x = (x * 1103515245 + 12345) % 2147483648
    return x


@dataclass(frozen=True)
class Burn:
    """Work of a fixed amount."""

    rounds: int
    metric: str = "loss"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        return Outcome(value=float(burn(self.rounds)))


@contextmanager
def open_driver(directory: ExperimentDirectory, executor: Executor, trials: int) -> Iterator[Driver]:
    history = History(
        directory.journal,
        objective=Objective("score", maximize=False),
        pruner=make_pruner(ComponentOptions(name="none")),
    )
    sampler = make_sampler(ComponentOptions(name="random"))
    yield Driver(
        Terms(directory, Objective("loss", maximize=False)),
        proposer=SamplerProposer(SPACE, sampler, objective=Objective("score", maximize=False), seed=0, measured=False),
        history=history,
        executor=executor,
        criteria=[MaxTrials(trials)],
        admission=Admission(SPACE.algorithms),
        memory=MemoryAdmission(SPACE.algorithms),
        deadline=Deadline.after(None),
    )
    history.close()


def search(executor: Executor, trials: int, directory: ExperimentDirectory | None = None) -> float:
    """Seconds that a search of `trials` takes."""
    with open_driver(directory or experiment(), executor, trials) as driver:
        begin = time.perf_counter()
        *_, state = driver.run()
        assert state.finished == trials, state.counts
        return time.perf_counter() - begin


@contextmanager
def warm_executor(options: ComputeOptions, work: Work, workers: int) -> Iterator[Executor]:
    """An executor of which all `workers` are up."""
    executor = POOLS[options.executor](options, Deadline.after(None))
    try:
        executor.start(TrialContext(work))
        ends = time.monotonic() + 300
        while executor.slots < workers:
            assert time.monotonic() < ends, f"{executor.slots} of {workers} workers are up"
            executor.wait(0.1)
        search(executor, 2 * workers)
        yield executor
    finally:
        executor.close()


@contextmanager
def cluster(nodes: int, workers: int) -> Iterator[str]:
    """The address of a Ray cluster of `nodes` with as many cores as `workers`."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": STORE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=workers, object_store_memory=STORE)
        yield cluster.address
    finally:
        cluster.shutdown()


def scale(trials: int, nodes: int, workers: int) -> list[Figure]:
    """No-op trials on a cluster: their rate, and what the driver needs for them."""
    directory, driver = experiment(), psutil.Process()
    with cluster(nodes, workers) as address:
        options = ComputeOptions(executor="ray", address=address)
        with warm_executor(options, Noop(), nodes * workers) as executor:
            used = time.process_time()
            seconds = search(executor, trials, directory)
            used = time.process_time() - used
            held = driver.memory_info().rss / 2**20
    resumed = resume_seconds(directory, trials)
    return [
        Figure("trials_per_s", trials / seconds),
        Figure("driver_mb", held),
        Figure("driver_cpu_share", used / seconds),
        Figure("resume_s", resumed, "< 5", resumed < 5),
    ]


def resume_seconds(directory: ExperimentDirectory, trials: int) -> float:
    """Seconds until the driver of a resumed experiment can propose, in its own process; without its imports."""
    code = f"import scale; print(scale.restore({str(directory.path)!r}, {trials}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def restore(path: str, trials: int) -> float:
    executor = make_executor(ComputeOptions(executor="inline"))
    begin = time.perf_counter()
    with open_driver(ExperimentDirectory(Path(path)), executor, trials + 1) as driver:
        state = next(driver.run())
        assert (state.finished, state.stopped_because) == (trials, None)
        return time.perf_counter() - begin


def efficiency(trials: int, rounds: int) -> list[Figure]:
    """The time of two bare processes by that of `trials` of the same work, in `rounds` turns; for each executor.

    Who goes first changes from turn to turn, since the machine's speed drifts. Few turns: at the end of each one worker
    waits for the other's last trial, which a search of that length does once.
    """
    work = calibrated()
    each = trials // rounds
    figures = []
    for name in ("ray", "process"):
        options = ComputeOptions(executor=name, max_workers=BURNERS)
        ours, bare = 0.0, 0.0
        with warm_executor(options, Burn(work), BURNERS) as executor, Bare() as processes:
            for turn in range(rounds):
                if turn % 2 == 0:
                    bare += processes.burn(work, each // BURNERS)
                ours += search(executor, each)
                if turn % 2 == 1:
                    bare += processes.burn(work, each // BURNERS)
        share = bare / ours
        figures.append(Figure(f"efficiency_{name}", share, ">= 0.95", share >= 0.95))
    return figures


def calibrated() -> int:
    """Rounds of `burn` that take about a second of one core."""
    begin = time.process_time()
    burn(2_000_000)
    return int(2_000_000 / (time.process_time() - begin))


class Bare:
    """Two Python processes that burn when they are told to."""

    def __enter__(self) -> Bare:
        command = [sys.executable, "-c", _BARE, inspect.getsource(burn)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._processes: list[subprocess.Popen[str]] = [subprocess.Popen(command, **pipes) for _ in range(BURNERS)]  # type: ignore[call-overload]
        self._hear("ready")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            with process:
                process.kill()

    def burn(self, work: int, times: int) -> float:
        """Seconds until each has burnt `work` as often as `times` says."""
        begin = time.perf_counter()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{work} {times}\n")
        self._hear("done")
        return time.perf_counter() - begin

    def _hear(self, word: str) -> None:
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{word}\n"


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    trials, nodes, workers = (1_000, 2, 2) if options.quick else (10_000, 4, 4)
    burns, rounds = (10, 1) if options.quick else (100, 2)
    figures = [*scale(trials, nodes, workers), *efficiency(burns, rounds)]
    about = {
        "what": f"{trials:,} no-op trials on {nodes} nodes x {workers} workers; {burns} burns on {BURNERS} workers in "
        f"{rounds} turns; seed 0, tracking off",
        "machine": machine(["ray", "optuna"]),
    }
    publish("Scale", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
