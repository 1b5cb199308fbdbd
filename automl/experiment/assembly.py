"""A search, put together from what was declared and what the data is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.execution.base import Executor
from automl.experiment.prepare import Problem
from automl.experiment.warm_start import borrowed_trials
from automl.search.admission import Admission
from automl.search.adopt import adopt
from automl.search.driver import Driver
from automl.search.exits.registry import criteria_of
from automl.search.history import History
from automl.search.memory import MemoryAdmission
from automl.search.model_limits import ModelLimits
from automl.search.portfolio import Portfolio
from automl.search.proposal import Proposer, ProposerChain
from automl.search.pruners.registry import make_pruner
from automl.search.sampled import make_proposer
from automl.search.samplers.registry import make_sampler
from automl.search.submission import Terms
from automl.search.warm_start import WarmStart
from automl.trial.contract import STEPS_PER_FOLD, TrialContext, TrialLimits, TrialResources
from automl.trial.learner import LearnerWork, warm_imports
from automl.workspace.layout import ExperimentDirectory

__all__ = ["check_choices", "make_context", "open_driver"]

log = logging.getLogger("automl")

_DEFAULT_PATIENCE = 30


def check_choices(config: ExperimentConfig) -> None:
    """Refuse a sampler or a pruner that there is not, before anything else is done.

    Raises:
        ConfigError: there is no such thing, or it has no such option.
    """
    make_sampler(config.search.sampler)
    make_pruner(config.search.pruner)


def make_context(problem: Problem, *, trust: bool, cache: Path, first_look: bool = False) -> TrialContext:
    """What all trials share: data, split, metrics, algorithms; whether somebody judges them while they run."""
    work = LearnerWork(
        X=problem.table.X,
        target=problem.target,
        columns=problem.table.columns,
        plan=problem.plan,
        algorithms=problem.space.algorithms,
        primary=problem.primary,
        metrics=problem.metrics,
        weight=problem.table.weight,
        trust=trust,
        cache=cache,
        first_look=first_look,
    )
    return TrialContext(work, warm_imports(problem.space))


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
    proposer = _proposer(problem, config, directory, measured=deadline.limited)
    pruner = make_pruner(config.search.pruner)
    steps = STEPS_PER_FOLD * len(problem.plan.folds)
    history = History(directory.journal, maximize=problem.primary.maximize, pruner=pruner, steps=steps)
    limits = config.limits
    try:
        adopt(history, directory, problem.space)
        yield Driver(
            Terms(
                directory,
                problem.primary.name,
                problem.primary.maximize,
                seed=config.seed,
                resources=TrialResources(config.compute.cpus_per_trial, config.compute.gpus_per_trial),
                limits=TrialLimits(limits.trial_timeout, limits.trial_memory),
                model_limits=ModelLimits(limits.predict_time, limits.model_size),
                steps=steps,
            ),
            proposer=proposer,
            history=history,
            executor=executor,
            criteria=criteria_of(_with_patience(limits)),
            admission=Admission(problem.space.algorithms),
            memory=MemoryAdmission(problem.space.algorithms, limits.trial_memory),
            deadline=deadline,
            reserve=reserve,
            interrupts=interrupts,
        )
    finally:
        history.close()


def _proposer(
    problem: Problem, config: ExperimentConfig, directory: ExperimentDirectory, *, measured: bool
) -> Proposer:
    """What was good in an earlier experiment, what is good in general, then what the sampler makes of both."""
    space = problem.space
    earlier = WarmStart(space, borrowed_trials(config, directory))
    sampler = make_sampler(config.search.sampler)
    sampled = make_proposer(sampler, space, maximize=problem.primary.maximize, seed=config.seed, measured=measured)
    return ProposerChain([earlier, Portfolio(space), sampled])


def _with_patience(limits: Any) -> Any:
    """The declared limits; with none at all the search stops by patience."""
    given = (limits.time_budget, limits.max_trials, limits.target_score, limits.patience)
    if any(value is not None for value in given):
        return limits
    log.info("no limits were given: stopping after %d trials without improvement", _DEFAULT_PATIENCE)
    return limits.model_copy(update={"patience": _DEFAULT_PATIENCE})
