"""Where trials run, on how many cores and GPUs."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import Self

from pydantic import Field, field_validator, model_validator

from automl.execution.cores import usable_cores
from automl.options import Duration, Options

__all__ = ["BUILT_IN", "ENTRY_POINTS", "ComputeOptions"]

BUILT_IN = {
    "auto": "automl.execution.auto:AutoExecutor",
    "inline": "automl.execution.inline:InlineExecutor",
    "process": "automl.execution.process:ProcessExecutor",
    "ray": "automl.execution.ray.executor:RayExecutor",
}
"""The executors that automl brings, as ``module:class``."""

ENTRY_POINTS = "automl.executors"
"""The entry-point group in which other packages offer theirs."""

_LOCAL = ("inline", "process")
_ROUNDING = 1e-9
"""Three trials of a third of a GPU fit on one."""


class ComputeOptions(Options):
    """The ``compute:`` group of an experiment."""

    executor: str = Field(default="auto", description="auto, inline, process, ray, or the name of a plugin")
    address: str | None = Field(
        default=None, description="of a running Ray cluster: 'host:port', 'ray://host:port' or 'auto'"
    )
    min_workers: int = Field(default=0, ge=0, description="workers that are kept while nothing waits for them")
    max_workers: int | None = Field(
        default=None,
        ge=1,
        description="trials at the same time; by default what the cores and GPUs feed, nodes that join later included. "
        "More than there are at present: a Ray cluster with an autoscaler adds nodes for them",
    )
    idle_timeout: Duration = Field(default=60.0, description="seconds after which a worker without a trial is ended")
    cpus_per_trial: float = Field(default=1.0, gt=0, description="cores of each trial; its libraries use no more")
    gpus_per_trial: float = Field(
        default=0.0, ge=0, description="GPUs of each trial: a part of one, which others share, or a whole number"
    )
    storage: str | None = Field(
        default=None,
        description="where Ray's workers leave the files of their trials when the machines share no disk: "
        "a path that all can reach, or a URL that fsspec knows (s3://, gs://, ...)",
    )

    @field_validator("executor")
    @classmethod
    def _known(cls, name: str) -> str:
        if name in BUILT_IN:
            return name
        names = [*BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))]
        if name in names:
            return name
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise ValueError(f"there is no executor {name!r}; {hint}")

    @field_validator("gpus_per_trial")
    @classmethod
    def _part_or_whole(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError(f"{gpus:g} GPUs cannot be given to a trial; write a part of one, or a whole number")
        return gpus

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_workers is not None and self.min_workers > self.max_workers:
            raise ValueError(
                f"min_workers is {self.min_workers}, which is more than max_workers, {self.max_workers}; "
                "lower the one or raise the other"
            )
        if self.address is not None and self.executor in _LOCAL:
            raise ValueError(f"address is that of a Ray cluster, and executor {self.executor!r} uses none")
        if self.storage is not None and self.executor in _LOCAL:
            raise ValueError(
                f"storage is for workers on other machines, and executor {self.executor!r} has none: "
                "its trials write to the workspace"
            )
        return self

    def workers_on(self, cores: float | None = None) -> int:
        """Trials at the same time on `cores` cores (default: those of this machine); at least 1."""
        if self.max_workers is not None:
            return self.max_workers
        return max(1, self.min_workers, int((usable_cores() if cores is None else cores) / self.cpus_per_trial))

    def workers_on_gpus(self, gpus: float) -> int:
        """Trials that `gpus` GPUs of one machine can take at the same time; `gpus_per_trial` must not be 0."""
        if self.gpus_per_trial > 1:
            return int(gpus // self.gpus_per_trial)
        return int(gpus) * int(1 / self.gpus_per_trial + _ROUNDING)

    def workers_on_node(self, cores: float, gpus: float) -> int:
        """Trials that a machine can take at the same time, without regard to `max_workers`."""
        workers = int(cores / self.cpus_per_trial + _ROUNDING)
        return min(workers, self.workers_on_gpus(gpus)) if self.gpus_per_trial else workers
