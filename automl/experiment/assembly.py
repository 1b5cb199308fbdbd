"""A search, put together from what was declared and what the data is."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from automl.config.schema import ExperimentConfig
from automl.config.tasks import problem_class
from automl.deadline import Deadline
from automl.engine.admission.memory import MemoryAdmission
from automl.engine.admission.time import Admission
from automl.engine.execution.base import Executor
from automl.engine.execution.cores import check_cores
from automl.engine.execution.gpus import gpus_text
from automl.engine.execution.options import ComputeOptions
from automl.engine.proposers.final_training import FinalTraining, anytime_algorithms
from automl.engine.proposers.portfolio import Portfolio
from automl.engine.proposers.sampled import make_proposer
from automl.engine.proposers.time_allocation import TimeAllocation
from automl.engine.proposers.warm_start import WarmStart
from automl.engine.pruners.registry import make_pruner
from automl.engine.samplers.registry import make_sampler
from automl.engine.search.driver import Driver
from automl.engine.search.inputs import Inputs
from automl.engine.search.problem import Problem
from automl.engine.search.submission import Terms
from automl.engine.space.devices import devices_of
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.model_limits import ModelLimits
from automl.engine.stopping.registry import criteria_of
from automl.engine.study.history import History
from automl.engine.study.proposal import Proposer, ProposerChain
from automl.engine.study.recover import recover_lost_trials
from automl.engine.trial.contract import Device, TrialLimits, TrialResources
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import ConfigError
from automl.experiment.problem.warm_start import borrowed_trials, resolve_warm_start

__all__ = ["check_choices", "check_gpus", "open_driver", "resolve"]

log = logging.getLogger("automl")

_DEFAULT_PATIENCE = 30
_READ_BY_SOME = frozenset({"data", "metric", "validation", "features"})
"""Groups of a configuration that not every kind of problem reads."""


def resolve(config: ExperimentConfig, inputs: Inputs | None = None) -> ExperimentConfig:
    """Fill in what a configuration leaves to the data's kind and to the workspace, and check what it chooses.

    Raises:
        ConfigError: a choice cannot be had.
    """
    kind = problem_class(config.task)
    _check_groups(config, kind)
    task = kind.resolve(config, inputs)
    config = config if task == config.task else config.model_copy(update={"task": task})
    check_choices(config)
    return resolve_warm_start(config)


def _check_groups(config: ExperimentConfig, kind: type[Problem]) -> None:
    """Refuse what is written in a group that this kind of problem does not read."""
    for group in sorted(_READ_BY_SOME - kind.reads):
        if getattr(config, group) != type(config).model_fields[group].get_default(call_default_factory=True):
            raise ConfigError(f"the task {config.task} has no use for it; leave it out", key=group)


def check_choices(config: ExperimentConfig) -> None:
    """Refuse a sampler or a pruner that does not exist, and trials too large for this machine, before anything is done.

    Raises:
        ConfigError: there is no such thing, it has no such option, or trials need more cores than there are.
    """
    check_cores(config.compute)
    make_sampler(config.search.sampler)
    make_pruner(config.search.pruner)


def check_gpus(config: ExperimentConfig, space: SearchSpace) -> None:
    """Refuse GPUs that no trial could use.

    Raises:
        ConfigError: `compute.gpus_per_trial` asks for some.
    """
    if config.compute.gpus_per_trial and Device.GPU not in devices_of(space.algorithms.values()):
        raise ConfigError(
            f"Trials are to get {gpus_text(config.compute.gpus_per_trial)}, but none of the algorithms ("
            f"{', '.join(space.algorithms)}) uses any. Omit it, or write 'gpu: true' in the search space of one "
            "that does.",
            key="compute.gpus_per_trial",
        )


@contextmanager
def open_driver(
    problem: Problem,
    config: ExperimentConfig,
    directory: ExperimentDirectory,
    executor: Executor,
    *,
    deadline: Deadline,
    reserve: Callable[[], float],
    interrupts: Callable[[], int],
) -> Iterator[Driver]:
    """The driver of an experiment; its journal is open for the length of a `with` block.

    Raises:
        ConfigError: there is no such sampler or pruner, or one has no such option.
    """
    proposer = _proposer(problem, config, directory, deadline, reserve, gpus=executor.gpus_per_trial)
    pruner = make_pruner(config.search.pruner)
    history = History(directory.journal, objective=problem.objective, pruner=pruner, steps=problem.steps)
    limits = config.limits
    model_limits = ModelLimits(limits.predict_time, limits.model_size)
    try:
        recover_lost_trials(history, directory, problem.space, model_limits.allow)
        yield Driver(
            Terms(
                directory,
                problem.objective,
                seed=config.seed,
                resources=TrialResources(config.compute.cpus_per_trial, executor.gpus_per_trial),
                on_gpus=frozenset(name for name, space in problem.space.algorithms.items() if space.gpu),
                limits=TrialLimits(limits.trial_timeout, limits.trial_memory),
                model_limits=model_limits,
                steps=problem.steps,
                cores=_most_cores(config.compute),
            ),
            proposer=proposer,
            history=history,
            executor=executor,
            criteria=criteria_of(_with_patience(limits)),
            admission=Admission(problem.space.algorithms, allotted=_allotted(problem.space, config, deadline)),
            memory=MemoryAdmission(problem.space.algorithms, limits.trial_memory),
            deadline=deadline,
            reserve=reserve,
            interrupts=interrupts,
        )
    finally:
        history.close()


def _proposer(
    problem: Problem,
    config: ExperimentConfig,
    directory: ExperimentDirectory,
    deadline: Deadline,
    reserve: Callable[[], float],
    *,
    gpus: float,
) -> Proposer:
    """Propose what was good in an earlier experiment, what is good in general, then what the sampler makes of both.

    With a time budget, the last part of it goes to the best configuration of an algorithm that lasts as long as it is
    given, if there is one.
    """
    space, objective = problem.space, problem.objective
    earlier = WarmStart(space, borrowed_trials(config, directory))
    sampler = make_sampler(config.search.sampler)
    sampled = make_proposer(sampler, space, objective=objective, seed=config.seed, measured=deadline.limited)
    search = ProposerChain([earlier, Portfolio(space), sampled])
    if not _allotted(space, config, deadline):
        return search
    return FinalTraining(
        search,
        space,
        deadline=deadline,
        reserve=reserve,
        objective=objective,
        may_win=ModelLimits(config.limits.predict_time, config.limits.model_size).allow,
        most=config.limits.max_trials,
        epoch=0.0 if gpus else problem.core_seconds / config.compute.cpus_per_trial,
        first=earlier.proposals,
        time_allocation=TimeAllocation() if config.search.final_training else TimeAllocation.without_final_training(),
    )


def _allotted(space: SearchSpace, config: ExperimentConfig, deadline: Deadline) -> frozenset[str]:
    """Algorithms whose fits last as long as the search gives them; none without a time budget."""
    shared = deadline.limited and make_sampler(config.search.sampler).has_final_training
    return anytime_algorithms(space) if shared else frozenset()


def _most_cores(compute: ComputeOptions) -> float:
    """Cores of a trial that runs alone: as many as all the workers that the user allows have."""
    return math.inf if compute.max_workers is None else compute.max_workers * compute.cpus_per_trial


def _with_patience(limits: Any) -> Any:
    """The declared limits; with none at all the search stops by patience."""
    given = (limits.time_budget, limits.max_trials, limits.target_score, limits.patience)
    if any(value is not None for value in given):
        return limits
    log.info("no limits were given: stopping after %d trials without improvement", _DEFAULT_PATIENCE)
    return limits.model_copy(update={"patience": _DEFAULT_PATIENCE})
