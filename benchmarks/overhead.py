"""The cost of a trial beside its own work: this engine and Ray Tune, in turn, in one run.

Six float parameters, one metric, random search, 2 workers. A trial of ours counts once it would survive a kill of the
driver: its trial.json is written and the journal knows its proposal. Tune runs at its best: a class trainable with
reuse_actors, its loggers off. Clocks start once workers (and the mirror) are up.

    python benchmarks/overhead.py [--quick] [--json FILE]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from form import Figure, arguments, machine, publish
from optuna.trial import TrialState

from automl.client import Run
from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.base import Executor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.pool import Pool
from automl.engine.execution.process import ProcessExecutor
from automl.engine.execution.ray.executor import RayExecutor
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.proposers.algorithm_study import AlgorithmStudy
from automl.engine.proposers.sampled import SamplerProposer
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.submission import Terms
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.max_trials import MaxTrials
from automl.engine.study.history import History
from automl.engine.trial.contract import Outcome, TrialContext, TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.tracking.client import Mirror

WORKERS = 2
POOLS: dict[str, type[Pool]] = {"process": ProcessExecutor, "ray": RayExecutor}
"""Measured: one kind of workers. `executor: ray` begins in processes where Ray takes its time to come up."""
NAMES = tuple(f"x{i}" for i in range(6))
SPACE = SearchSpace.model_validate(
    {"algorithms": {"noop": {"params": {name: {"type": "float", "low": 0, "high": 1} for name in NAMES}}}}
)


class Noop:
    """Work that costs nothing."""

    metric = "loss"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        loss = sum((spec.params[name] - 0.3) ** 2 for name in NAMES)
        return Outcome(value=loss, metrics={"loss": loss})


@contextmanager
def warm_executor(name: str) -> Iterator[Executor]:
    """An executor whose workers have all run a trial."""
    executor = POOLS[name](ComputeOptions(executor=name, max_workers=WORKERS), Deadline.after(None))
    try:
        executor.start(TrialContext(Noop()))
        search(executor, 10 * WORKERS)
        yield executor
    finally:
        executor.close()


def experiment() -> ExperimentDirectory:
    directory = Workspace(Path(tempfile.mkdtemp(prefix="overhead-"))).create_experiment("overhead")
    directory.config.write_text("task: classification\ndata: iris\nexperiment: overhead\n")
    return directory


def search(executor: Executor, trials: int, directory: ExperimentDirectory | None = None, mirror: Mirror | None = None,
           at: dict[int, float] | None = None) -> float:  # fmt: skip
    """Seconds that a search of `trials` takes; `at` is filled with the driver's kB after as many trials."""
    directory = directory or experiment()
    sampler = make_sampler(ComponentOptions(name="random"))
    history = History(
        directory.journal,
        objective=Objective("score", maximize=False),
        pruner=make_pruner(ComponentOptions(name="none")),
    )
    driver = Driver(
        Terms(directory, Objective("loss", maximize=False)),
        proposer=SamplerProposer(SPACE, sampler, objective=Objective("score", maximize=False), seed=0, measured=False),
        history=history,
        executor=executor,
        criteria=[MaxTrials(trials)],
        admission=Admission(SPACE.algorithms),
        memory=MemoryAdmission(SPACE.algorithms),
        deadline=Deadline.after(None),
    )
    begin = time.perf_counter()
    for state in driver.run():
        if mirror is not None:
            for finished in state.new:
                mirror.trial(finished.result.number)
        if at is not None:
            for mark in at:
                if not at[mark] and state.finished >= mark:
                    at[mark] = resident_kb()
    if mirror is not None:
        summary = mirror.finish(600)
        assert summary.complete, summary
    seconds = time.perf_counter() - begin
    history.close()
    return seconds


def resident_kb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss) / 1024


def ours(name: str, trials: int) -> float:
    with warm_executor(name) as executor:
        return trials / search(executor, trials)


def ours_with_mirror(trials: int) -> float:
    directory = experiment()
    mirror = Mirror(directory)
    mirror.start()
    ends = time.monotonic() + 120
    with warm_executor("ray") as executor:
        while not mirror.ready:
            assert time.monotonic() < ends, "the mirror does not come up"
            time.sleep(0.1)
        try:
            return trials / search(executor, trials, directory, mirror)
        finally:
            mirror.close()


def tune(trials: int) -> float:
    """Ray Tune with everything off that can be off, timed from its first result to its last."""
    os.environ |= {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_MAX_PENDING_TRIALS_PG": str(4 * WORKERS),
        "TUNE_RESULT_BUFFER_LENGTH": "0",
        "TUNE_GLOBAL_CHECKPOINT_S": "1000",
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    import ray
    from ray import tune as ray_tune
    from ray.tune import Callback, RunConfig, TuneConfig

    class Trainable(ray_tune.Trainable):
        def setup(self, config: dict[str, float]) -> None:
            self.x = config

        def step(self) -> dict[str, float | bool]:
            return {"loss": sum((self.x[name] - 0.3) ** 2 for name in NAMES), "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> dict[str, float]:
            return {}

        def load_checkpoint(self, checkpoint: dict[str, float] | None) -> None:
            pass

        def reset_config(self, new_config: dict[str, float]) -> bool:
            self.x = new_config
            return True

    times: list[float] = []

    class Clock(Callback):
        def on_trial_complete(self, *_: object, **__: object) -> None:
            times.append(time.perf_counter())

    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        ray_tune.Tuner(
            ray_tune.with_resources(Trainable, {"cpu": 1}),
            param_space={name: ray_tune.uniform(0, 1) for name in NAMES},
            tune_config=TuneConfig(num_samples=trials, reuse_actors=True, metric="loss", mode="min"),
            run_config=RunConfig(
                storage_path=tempfile.mkdtemp(prefix="tune-"), verbose=0, callbacks=[Clock()], log_to_file=False
            ),
        ).fit()
    finally:
        ray.shutdown()
    warm = 10 * WORKERS
    return (trials - warm) / (times[-1] - times[warm - 1])


def driver_kb_per_trial(first: int, last: int) -> float:
    """Growth of the driver's resident memory per trial, in its own process."""
    code = (
        "import overhead\n"
        f"at = {{{first}: 0.0, {last}: 0.0}}\n"
        "with overhead.warm_executor('process') as executor:\n"
        f"    overhead.search(executor, {last}, at=at)\n"
        f"print((at[{last}] - at[{first}]) / ({last} - {first}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def tpe_ask_ms(trials: int) -> float:
    """Median milliseconds of an ask by TPE (and of being told its result) at `trials` trials."""
    model = AlgorithmStudy(
        "noop",
        SPACE.algorithms["noop"],
        make_sampler(ComponentOptions(name="tpe")),
        objective=Objective("score", maximize=False),
    )
    random = AlgorithmStudy(
        "noop",
        SPACE.algorithms["noop"],
        make_sampler(ComponentOptions(name="random")),
        objective=Objective("loss", maximize=False),
    )
    seconds = []
    for number in range(trials + 50):
        begin = time.perf_counter()
        asker = model if number >= trials else random
        proposal, local = asker.ask(number)
        asker.bind(number, local)
        loss = sum((value - 0.3) ** 2 for value in proposal.params.values())
        model.observe(number, proposal.suggested, proposal.distributions, TrialState.COMPLETE, loss)
        if number >= trials:
            seconds.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(seconds)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    trials, last = (100, 2_000) if options.quick else (500, 10_000)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    tuned = tune(trials)
    ray, process, mirrored = ours("ray", trials), ours("process", trials), ours_with_mirror(trials)
    kb, ask = driver_kb_per_trial(1_000, last), tpe_ask_ms(5_000)
    figures = [
        Figure("ours_trials_per_s", ray),
        Figure("ours_process_trials_per_s", process),
        Figure("tune_trials_per_s", tuned),
        Figure("ratio_to_tune", ray / tuned, ">= 12", ray / tuned >= 12),
        Figure("ratio_of_processes_to_tune", process / tuned, ">= 20", process / tuned >= 20),
        Figure("ours_with_mirror_trials_per_s", mirrored),
        Figure("ratio_to_tune_with_mirror", mirrored / tuned, ">= 1.5", mirrored / tuned >= 1.5),
        Figure("driver_kb_per_trial", kb, "<= 10", kb <= 10),
        Figure("tpe_ask_ms_at_5000", ask, "<= 50", ask <= 50),
    ]
    about = {
        "what": f"{trials} no-op trials, {WORKERS} workers, seed 0; memory from 1,000 to {last:,} trials",
        "machine": machine(["ray", "optuna", "mlflow"]),
    }
    publish("Orchestration overhead", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
