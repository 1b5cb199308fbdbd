"""From a proposal to a trial that is ready to be submitted: its record, its spec, its directory."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from automl.deadline import Deadline
from automl.engine.stopping.model_limits import ModelLimits
from automl.engine.study.history import History, Record
from automl.engine.study.proposal import Proposal
from automl.engine.trial.contract import Lineage, TrialLimits, TrialResources, TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import proposal_as_json
from automl.engine.trial.steps import Steps
from automl.engine.workspace.atomic import fill, write_bytes
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.errors import WorkspaceError
from automl.seeds import derive

__all__ = ["Submissions", "Terms"]


@dataclass(frozen=True)
class Terms:
    """The terms that a search is held to.

    Attributes:
        directory: where trials leave their records.
        objective: the primary metric.
        seed: the experiment's seed.
        resources: of each trial, but for the GPUs of one that cannot use any.
        on_gpus: algorithms that can.
        cores: the number that a trial may use when it has its machine to itself.
        limits: of each trial.
        model_limits: what is over them cannot be the best.
        steps: those of a whole trial; None if trials do not say.
    """

    directory: ExperimentDirectory
    objective: Objective
    seed: int = 0
    resources: TrialResources = field(default_factory=TrialResources)
    on_gpus: frozenset[str] = frozenset()
    cores: float = math.inf
    limits: TrialLimits = field(default_factory=TrialLimits)
    model_limits: ModelLimits = field(default_factory=ModelLimits)
    steps: Steps | None = None

    def resources_of(self, algorithm: str) -> TrialResources:
        """Return the resources of each trial of `algorithm`."""
        return self.resources if algorithm in self.on_gpus else self._without_gpus

    @cached_property
    def _without_gpus(self) -> TrialResources:
        return replace(self.resources, gpus=0.0)


class Submissions:
    """Makes trials out of proposals.

    Args:
        terms: what the search is held to.
        history: the durable study.
        deadline: the experiment's clock.
        reserve: seconds to keep for what comes after the search.
    """

    def __init__(self, terms: Terms, history: History, deadline: Deadline, reserve: Callable[[], float]) -> None:
        self._terms, self._history, self._deadline, self._reserve = terms, history, deadline, reserve

    def seconds_left(self) -> float:
        """Seconds that the search may still use, `math.inf` without a time budget."""
        return self._deadline.remaining() - self._reserve() if self._deadline.limited else math.inf

    def record(self, proposal: Proposal) -> Record:
        """Enter a proposal into the history, which gives it its number."""
        elapsed = self._deadline.spent()
        number = self._history.add(
            proposal.algorithm,
            proposal.suggested,
            proposal.distributions,
            elapsed=elapsed,
            parent=proposal.parent,
            fidelity=proposal.fidelity,
            stage=proposal.stage,
            notes=proposal.notes,
        )
        return Record(
            number=number,
            algorithm=proposal.algorithm,
            suggested=proposal.suggested,
            distributions=proposal.distributions,
            state=TrialState.RUNNING,
            value=None,
            elapsed=elapsed,
            parent=proposal.parent,
            fidelity=proposal.fidelity,
            stage=proposal.stage,
            notes=proposal.notes,
        )

    def spec(self, record: Record, params: Mapping[str, Any], attempt: int) -> TrialSpec:
        stage = record.stage
        final = stage is not None and stage.final  # trained from the start: it has a schedule of its own length
        return TrialSpec(
            number=record.number,
            attempt=attempt,
            algorithm=record.algorithm,
            params=params,
            directory=self._terms.directory.trial(record.number).path,
            fidelity=record.fidelity,
            seed=derive(self._terms.seed, "trial", record.number),
            resources=self._resources(record.algorithm, alone=stage is not None and stage.alone),
            limits=self.limits(record),
            stage=stage,
            lineage=Lineage(record.parent, None if final else self._checkpoint(record.parent), record.notes),
        )

    def _resources(self, algorithm: str, *, alone: bool) -> TrialResources:
        resources = self._terms.resources_of(algorithm)
        return replace(resources, cpus=self._terms.cores, alone=True) if alone else resources

    def _checkpoint(self, parent: int | None) -> Path | None:
        """Return the folder that the parent has left to continue from."""
        if parent is None:
            return None
        folder = self._terms.directory.trial(parent).checkpoint
        return folder if folder.is_dir() else None

    def limits(self, record: Record) -> TrialLimits:
        """A trial's limits as of now: its own timeout, or what is left of the budget, or of its stage, if less."""
        own, stage = self._terms.limits.seconds, record.stage
        left, allotted = self.seconds_left(), None
        seconds = min(left, math.inf if own is None else own)
        if stage is not None:
            seconds = min(seconds, stage.timeout, stage.left(self._deadline.spent()))
            allotted = seconds if stage.final else stage.seconds
        return TrialLimits(_finite(seconds), self._terms.limits.memory, allotted, _finite(left))

    def prepare(self, spec: TrialSpec) -> None:
        """The trial's directory and params.json. A first attempt may find what an uncommitted ask left behind.

        Raises:
            WorkspaceError: the disk is full, or the directory cannot be written to.
        """
        file, content = TrialDirectory(spec.directory).params, proposal_as_json(spec)
        try:
            if spec.attempt > 1:
                spec.directory.mkdir(parents=True, exist_ok=True)
                write_bytes(file, content)
                return
            _make_empty(spec.directory)
            # In place: until the proposal is committed it is not read, and a cut file goes with its folder.
            fill(file, content)
        except OSError as error:
            place = self._terms.directory.path
            raise WorkspaceError(
                f"Cannot write {spec.directory}: {error.strerror or error}. Everything told so far is kept: make room, "
                f"then run 'automl resume {place}'."
            ) from error


def _make_empty(folder: Path) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        shutil.rmtree(folder)
        os.mkdir(folder)
    except FileNotFoundError:
        folder.mkdir(parents=True)


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
