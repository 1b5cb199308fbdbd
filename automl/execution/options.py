"""Where trials run, and on how many cores."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import Self

from pydantic import Field, field_validator, model_validator

from automl.execution.cores import usable_cores
from automl.options import Options

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


class ComputeOptions(Options):
    """The ``compute:`` group of an experiment."""

    executor: str = Field(default="auto", description="auto, inline, process, ray, or the name of a plugin")
    address: str | None = Field(default=None, description="of a running Ray cluster: 'host:port' or 'auto'")
    max_workers: int | None = Field(
        default=None, ge=1, description="trials at the same time; by default the cores / cpus_per_trial"
    )
    cpus_per_trial: float = Field(default=1.0, gt=0, description="cores of each trial; its libraries use no more")

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

    @model_validator(mode="after")
    def _address_needs_ray(self) -> Self:
        if self.address is not None and self.executor in ("inline", "process"):
            raise ValueError(f"address is that of a Ray cluster, and executor {self.executor!r} uses none")
        return self

    def workers_on(self, cores: float | None = None) -> int:
        """Trials at the same time on `cores` cores (default: those of this machine)."""
        if self.max_workers is not None:
            return self.max_workers
        return max(1, int((usable_cores() if cores is None else cores) / self.cpus_per_trial))
