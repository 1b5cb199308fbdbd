"""A completed trial once more, from its record: the same configuration, seed, rows and threads."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.config.tasks import problem_class
from automl.deadline import Deadline
from automl.engine.execution.registry import make_executor
from automl.engine.search.problem import Problem
from automl.engine.space.devices import devices_of
from automl.engine.trial.contract import Lineage, Status, TrialContext, TrialResources, TrialResult, TrialSpec
from automl.engine.trial.records import ProposedTrial, read_proposed, read_result
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError

__all__ = ["RELATIVE", "close", "problem_of", "recorded_trial", "rerun"]

RELATIVE = 1e-9
"""Scores that differ by less, relative to their size, count as equal."""

_ALONE = {"address": None, "storage": None, "min_workers": 0, "max_workers": 1}
"""Values of `compute` where a single trial runs on this machine."""


def close(then: float | None, now: float | None) -> bool:
    """Tell whether two scores are equal within rounding; None equals only None."""
    if then is None or now is None:
        return then is now
    return math.isclose(then, now, rel_tol=RELATIVE)


def recorded_trial(directory: ExperimentDirectory, number: int) -> TrialResult:
    """The record of a completed trial that another run can repeat.

    Raises:
        WorkspaceError: there is no such trial, it did not complete, or the clock ended a fit of it.
    """
    place = directory.known_trial(number)
    result = read_result(place)
    if result is None:
        raise WorkspaceError(f"Trial {number} has no score to compare with: {place.result} is missing or damaged.")
    if result.status is not Status.COMPLETED or result.value is None:
        raise WorkspaceError(
            f"Trial {number} of {directory.path} ended {result.status.value}, and only a completed one can be replayed."
        )
    if result.cut_short:
        raise WorkspaceError(
            f"Trial {number} of {directory.path} cannot be repeated: the clock ended one of its fits, and another "
            "run would get less far, or further."
        )
    return result


def problem_of(
    directory: ExperimentDirectory,
    *,
    data: Any = None,
    metrics: Mapping[str, Callable[..., float]] | None = None,
    trust: bool = False,
) -> tuple[Problem, ExperimentConfig]:
    """Return the problem that the trials of an experiment solved, data read again, and how it was declared.

    Raises:
        DataError: the data has changed, or cannot be read.
        ConfigError: the experiment needs trust or functions that were not given.
        WorkspaceError: its record is not complete.
    """
    config, _ = read_config(directory.config)
    kind = problem_class(config.task)
    inputs = kind.inputs(directory=directory, data=data, metrics=metrics, trust=trust)
    return kind.prepare(config, inputs).as_recorded(directory), config


def rerun(
    problem: Problem,
    config: ExperimentConfig,
    directory: ExperimentDirectory,
    recorded: TrialResult,
    scratch: ExperimentDirectory,
    *,
    keep_models: bool,
) -> TrialResult:
    """Run the trial of a record in `scratch`; the experiment's directory is only read.

    It runs in a worker process, or in this one if the experiment's executor was ``inline``, with as many threads as its
    record had and with no limit of time or memory.

    Raises:
        WorkspaceError: its parameters are damaged, its algorithm cannot run here, or it continued from another trial.
    """
    proposed = _proposed(directory, recorded)
    _check_algorithm(problem, recorded)
    _check_beginning(problem, directory, recorded, proposed)
    context = problem.context(scratch.cache, judged=False, keep_models=keep_models)
    context = replace(context, devices=devices_of([problem.space.algorithms[recorded.algorithm]]))
    return _run(_spec(recorded, proposed, config, scratch), context, config)


def _proposed(directory: ExperimentDirectory, recorded: TrialResult) -> ProposedTrial:
    """Return what the trial was told: its parameters, and its place in the search."""
    place = directory.trial(recorded.number)
    if not place.params.exists():
        raise WorkspaceError(f"{place.params} is missing, so the trial cannot be repeated.")
    proposed = read_proposed(place)
    if proposed is None or proposed.algorithm != recorded.algorithm:
        raise WorkspaceError(f"{place.params} is damaged: it does not hold the parameters of a {recorded.algorithm}.")
    return proposed


def _check_algorithm(problem: Problem, recorded: TrialResult) -> None:
    if recorded.algorithm in problem.space.algorithms:
        return
    reason = next((e.reason for e in problem.exclusions if e.algorithm == recorded.algorithm), None)
    raise WorkspaceError(
        f"Trial {recorded.number} fitted {recorded.algorithm}, which cannot run here: "
        f"{(reason or 'the search space no longer has it').rstrip('.')}."
    )


def _check_beginning(
    problem: Problem, directory: ExperimentDirectory, recorded: TrialResult, proposed: ProposedTrial
) -> None:
    """Refuse a training that continued from another trial's checkpoint: it is only a part of one."""
    if recorded.parent is None or not problem.space.algorithms[recorded.algorithm].anytime:
        return
    if proposed.stage is None or not proposed.stage.final:
        raise WorkspaceError(
            f"Trial {recorded.number} of {directory.path} cannot be repeated alone: its training continues from where "
            f"that of trial {recorded.parent} ended."
        )


def _spec(
    recorded: TrialResult, proposed: ProposedTrial, config: ExperimentConfig, place: ExperimentDirectory
) -> TrialSpec:
    place.trials.mkdir()
    return TrialSpec(
        number=recorded.number,
        algorithm=recorded.algorithm,
        params=proposed.params,
        directory=place.trial(recorded.number).path,
        seed=recorded.seed,
        fidelity=recorded.fidelity,
        resources=TrialResources(config.compute.cpus_per_trial),
        lineage=Lineage(parent=recorded.parent),
    )


def _run(spec: TrialSpec, context: TrialContext, config: ExperimentConfig) -> TrialResult:
    """The result of `spec`, run alone and to its end."""
    name = "inline" if config.compute.executor == "inline" else "process"
    options = config.compute.model_copy(update={"executor": name, **_ALONE})
    executor = make_executor(options, Deadline.after(None))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what an inline trial prints is not part of the answer
            executor.start(context)
            executor.submit(replace(spec, resources=replace(spec.resources, gpus=executor.gpus_per_trial)))
            while True:
                for event in executor.wait(1.0):
                    if isinstance(event, TrialResult):
                        return event
    finally:
        executor.close()
