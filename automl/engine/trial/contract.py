"""The values that pass between the driver and the process that runs a trial. All frozen, all data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from automl.client import Run
from automl.engine.trial.cores import usable_cores
from automl.engine.trial.stage import Stage
from automl.engine.workspace.atomic import FORMAT_VERSION
from automl.redact import redact_message

__all__ = [
    "Device",
    "Failure",
    "Lineage",
    "Outcome",
    "OutputFile",
    "Partial",
    "Report",
    "Status",
    "StopReason",
    "TrialContext",
    "TrialLimits",
    "TrialResources",
    "TrialResult",
    "TrialSpec",
    "Work",
]


class Status(StrEnum):
    """The way in which a trial ended."""

    COMPLETED = "COMPLETED"
    PRUNED = "PRUNED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    CANCELLED = "CANCELLED"
    INTERRUPTED = "INTERRUPTED"

    @property
    def is_failure(self) -> bool:
        """True for what counts against ``limits.max_failures``."""
        return self in (Status.FAILED, Status.TIMED_OUT, Status.OUT_OF_MEMORY, Status.INTERRUPTED)


class StopReason(StrEnum):
    """The reason why a running trial is asked to stop; the value is the status it ends with."""

    PRUNED = "PRUNED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    CANCELLED = "CANCELLED"

    @property
    def status(self) -> Status:
        return Status(self.value)


class Device(StrEnum):
    """The device a trial computes on. Workers are of one kind or the other: what runs on a CPU sees no GPU."""

    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True, slots=True)
class TrialResources:
    """The resources that a trial may compute with.

    Attributes:
        cpus: cores; `math.inf` for all of its machine, where it is alone on it.
        gpus: GPUs, or a part of one.
        alone: nothing else runs. What it may use of the machine's cores is then less than `cpus` if there are fewer.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    alone: bool = False

    @property
    def device(self) -> Device:
        return Device.GPU if self.gpus else Device.CPU

    @property
    def threads(self) -> int:
        """Threads that the trial's libraries may use: its cores, at least one. To be asked where the trial runs."""
        return max(1, int(min(self.cpus, usable_cores()) if self.alone else self.cpus))


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """The limits of a trial.

    Attributes:
        seconds: from its start, after which it is stopped; None for no limit.
        memory: bytes of resident memory; None for no limit.
        allotted: seconds that all fits together should take which last as long as they are given
            (`AlgorithmSpace.anytime`); None: they have the length that their parameters say.
        left: seconds that its search had left when it was submitted, which is a limit as well; None for no limit.
    """

    seconds: float | None = None
    memory: int | None = None
    allotted: float | None = None
    left: float | None = None

    def after(self, waited: float) -> Self:
        """The limits of a trial that has waited for a worker: the end of the search has not."""
        if self.left is None:
            return self
        left = max(0.0, self.left - waited)
        seconds = left if self.seconds is None else min(self.seconds, left)
        allotted = None if self.allotted is None else min(self.allotted, seconds)
        return replace(self, seconds=seconds, allotted=allotted, left=left)


@dataclass(frozen=True, slots=True)
class Lineage:
    """The origin of a trial.

    Attributes:
        parent: number of the trial of this experiment that it continues from.
        checkpoint: the folder with the state which that trial has left; None if it has left none.
        notes: what its proposer says of it, as JSON values: its place in a population, the experiment whose
            configuration it has.
    """

    parent: int | None = None
    checkpoint: Path | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """One trial, complete: enough to run it anywhere, and to run it again.

    Attributes:
        number: counts from 0; never used twice for different parameters.
        attempt: 1, or 2 after a worker was lost.
        algorithm: a name in the search space.
        params: hyperparameters by their plain names, with real values.
        fidelity: share of the full work, in (0, 1]. Only trials of full fidelity can be best.
        seed: of this trial alone, derived from the experiment's seed and the number.
        directory: the trial's own directory.
        stage: the part of its search that it belongs to; None where the search has no parts.
        keep_partial: it notes what it has completed (`automl.engine.trial.partial`), which is kept where it is ended,
            since no trial of its search has reached its end yet.
    """

    number: int
    algorithm: str
    params: Mapping[str, Any]
    directory: Path
    seed: int = 0
    attempt: int = 1
    fidelity: float = 1.0
    resources: TrialResources = TrialResources()
    limits: TrialLimits = TrialLimits()
    lineage: Lineage = Lineage()
    stage: Stage | None = None
    keep_partial: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """An intermediate value of the primary metric, in its own sign."""

    number: int
    attempt: int
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value that a trial's work returns when it reaches its end.

    Attributes:
        value: the primary metric in its own sign, None if there is none.
        metrics: every metric by name.
        fold_scores: the primary metric of each part of the work, in the order of the parts; empty if it has none.
        predict_latency: seconds to predict for one input, None if it was not measured.
        cut_short: a fit ended before its last round, for want of time, or lasted as long as it was given: another run
            would reach another score.
    """

    value: float | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    fold_scores: tuple[float, ...] = ()
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    predict_latency: float | None = None
    cut_short: bool = False


class Work(Protocol):
    """The work of each trial of an experiment: a learner, a user's command, a test's function.

    It is pickled once per experiment (by cloudpickle) and called once per trial in a worker. It may raise anything:
    the trial is then FAILED. `TrialPruned` means that it obeyed a request to stop.
    """

    @property
    def metric(self) -> str:
        """Name of the primary metric: values logged under it are reported to the driver."""

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome: ...


@dataclass(frozen=True)
class TrialContext:
    """The part that all trials of an experiment share; sent to each worker once.

    Attributes:
        work: what a trial does.
        imports: modules that a worker imports before its first trial.
        devices: what trials compute on, as far as there are GPUs and `compute.gpus_per_trial` allows them.
    """

    work: Work
    imports: tuple[str, ...] = ()
    devices: frozenset[Device] = frozenset({Device.CPU})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Failure(_Record):
    """The reason why a trial did not complete: `kind` is an exception's class name or a StopReason."""

    kind: str
    message: Annotated[str, AfterValidator(redact_message)]
    traceback: Annotated[str, AfterValidator(redact_message)] = ""


class OutputFile(_Record):
    """A file below ``outputs/``: its path there, bytes, and sha256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class Partial(_Record):
    """The part of its work that an ended trial's model and score are of."""

    share: float = Field(gt=0, le=1, description="of the full work")
    extent: str = Field(description="the same in words, as a clause")
    detail: dict[str, Any] = Field(default={}, description="what else the work says of it")


class TrialResult(_Record):
    """The end of a trial: trial.json, field by field. ``automl schema trial`` prints its JSON Schema."""

    format_version: int = FORMAT_VERSION
    number: int = Field(ge=0)
    attempt: int = Field(default=1, ge=1)
    algorithm: str
    status: Status
    value: float | None = Field(default=None, description="the primary metric in its own sign")
    metrics: dict[str, float] = {}
    fold_scores: tuple[float, ...] = ()
    fidelity: float = Field(default=1.0, gt=0, le=1)
    parent: int | None = None
    seed: int = 0
    cut_short: bool = Field(
        default=False,
        description="the clock ended a fit, before its last round or where it was told to: the score does not repeat",
    )
    progress: float | None = Field(
        default=None, gt=0, lt=1, description="share of its work after which a pruned trial was stopped"
    )
    partial: Partial | None = Field(
        default=None, description="what its model and score cover, where it was ended before its end"
    )
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    predict_latency: float | None = Field(default=None, description="seconds to predict one row with all fold models")
    seconds: float = Field(default=0.0, description="wall time of the trial on its worker")
    peak_memory: int | None = Field(default=None, description="bytes of resident memory")
    gpu_memory: int | None = Field(
        default=None, description="bytes of GPU memory that torch held at the peak, all its GPUs together"
    )
    gpu_utilization: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="mean share of the time in which its GPUs computed, for all that share them",
    )
    model_size: int = Field(default=0, description="bytes of the fold models")
    outputs: tuple[OutputFile, ...] = ()
    failure: Failure | None = None
    worker: str = Field(default="", description="host:pid of the process that ran it")
    started_at: str = Field(default="", description="UTC, ISO 8601")
    elapsed: float = Field(default=0.0, description="seconds of the experiment's clock when the result arrived")

    @property
    def is_whole(self) -> bool:
        """True if it completed with a score, at full fidelity."""
        return self.status is Status.COMPLETED and self.value is not None and self.fidelity == 1

    @property
    def is_partial(self) -> bool:
        """True if it has left a model of part of the work, and its score: better than none where no trial is whole."""
        done = self.status is Status.COMPLETED or self.partial is not None
        return done and self.value is not None and not self.is_whole

    @property
    def share(self) -> float:
        """Share of the full work, in (0, 1], that its model and its score are of, where it has left any."""
        return self.fidelity * (1.0 if self.partial is None else self.partial.share)

    @property
    def extent(self) -> str:
        """The extent of the work behind the model, as a clause; empty for a whole trial."""
        if self.partial is not None:
            return self.partial.extent
        return "" if self.fidelity == 1 else f"given {self.fidelity:.2g} of the full work"

    @classmethod
    def of(cls, spec: TrialSpec, status: Status, **fields: Any) -> TrialResult:
        """The result of `spec`, with what the spec already says filled in."""
        return cls(
            number=spec.number,
            attempt=spec.attempt,
            algorithm=spec.algorithm,
            status=status,
            fidelity=spec.fidelity,
            parent=spec.lineage.parent,
            seed=spec.seed,
            **fields,
        )
