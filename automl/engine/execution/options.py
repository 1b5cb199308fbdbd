"""Options of execution: the executor, its workers, the cores and GPUs of a trial."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection
from importlib.metadata import entry_points
from typing import Self

from pydantic import Field, field_validator, model_validator

from automl.engine.trial.contract import Device
from automl.engine.trial.cores import usable_cores
from automl.options import Duration, Options

__all__ = ["BUILT_IN", "ENTRY_POINTS", "ComputeOptions"]

BUILT_IN = {
    "auto": "automl.engine.execution.auto:AutoExecutor",
    "inline": "automl.engine.execution.inline:InlineExecutor",
    "process": "automl.engine.execution.process:ProcessExecutor",
    "ray": "automl.engine.execution.ray_first:RayFirst",
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
    min_workers: int = Field(
        default=0, ge=0, description="workers that are kept while nothing waits for them, on CPUs as on GPUs"
    )
    max_workers: int | None = Field(
        default=None,
        ge=1,
        description="trials at the same time; by default what cores and GPUs allow, nodes that join later included. "
        "More than there are at present: a Ray cluster with an autoscaler adds nodes for them",
    )
    idle_timeout: Duration = Field(default=60.0, description="seconds after which a worker without a trial is ended")
    cpus_per_trial: float = Field(default=1.0, gt=0, description="cores of each trial; its libraries use no more")
    gpus_per_trial: float | None = Field(
        default=None,
        ge=0,
        description="GPUs of each trial of an algorithm that can use one: a part of one, which others share, or a "
        "whole number; null: one where there are any, else none",
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
    def _part_or_whole(cls, gpus: float | None) -> float | None:
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            raise ValueError(f"{gpus:g} GPUs cannot be given to a trial; write a part of one, or a whole number")
        return gpus

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_workers is not None and self.min_workers > self.max_workers:
            raise ValueError(
                f"min_workers is {self.min_workers}, which is more than max_workers, {self.max_workers}; "
                "lower min_workers or raise max_workers"
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

    def with_gpus(self, each: float) -> Self:
        """The same options with `gpus_per_trial` decided: the GPUs of each trial."""
        return self.model_copy(update={"gpus_per_trial": each})

    def workers_on_gpus(self, gpus: float) -> int:
        """Trials that `gpus` GPUs of one machine can take at the same time; `gpus_per_trial` must not be 0."""
        each = self.gpus_per_trial or 1.0
        if each > 1:
            return int(gpus // each)
        return int(gpus) * int(1 / each + _ROUNDING)

    def workers_on_node(self, cores: float, gpus: float, devices: Collection[Device]) -> Counter[Device]:
        """Trials that a machine can take at the same time, without regard to `max_workers`."""
        return self.shared_out(int(cores / self.cpus_per_trial + _ROUNDING), gpus, devices)

    def shared_out(self, workers: int, gpus: float, devices: Collection[Device]) -> Counter[Device]:
        """`workers` workers of a machine, by what they compute on.

        Each takes its cores, one with a GPU as well. Where trials of both kinds come, a GPU gets as many workers as it
        takes, but for one: trials that use none should not wait for those that do.

        Args:
            gpus: of that machine.
            devices: what trials compute on.
        """
        if Device.GPU not in devices:
            return Counter({Device.CPU: workers})
        beside = 1 if Device.CPU in devices and workers > 1 else 0
        on_gpus = min(self.workers_on_gpus(gpus), workers - beside)
        return Counter({Device.GPU: on_gpus, Device.CPU: workers - on_gpus if Device.CPU in devices else 0})
