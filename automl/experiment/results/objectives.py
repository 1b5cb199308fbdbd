"""The criteria by which one model is better than another: metrics, limits on models, how the winner is picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from automl.config.schema import ExperimentConfig
from automl.engine.search.options import PickRule
from automl.engine.stopping.model_limits import ModelLimits
from automl.engine.trial.objective import Goal, Objective
from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DamagedFileError
from automl.validation_errors import in_short

__all__ = ["Objectives"]

_FILE = "objectives.json"


class Objectives(BaseModel):
    """``data/objectives.json``: all that a reader of an experiment's records needs to put them in order.

    Attributes:
        goals: of the metrics that were asked for, by name; the first decides.
        pick: how the winner is picked.
        predict_time: limit on the seconds to predict one row.
        model_size: limit on the bytes of the model.
    """

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    goals: dict[str, Goal] = Field(min_length=1)
    pick: PickRule = "best"
    predict_time: float | None = None
    model_size: int | None = None

    @classmethod
    def of(cls, config: ExperimentConfig, objectives: Sequence[Objective]) -> Self:
        """Gather what an experiment declares.

        Args:
            objectives: the metrics that were asked for; the first decides.
        """
        return cls(
            goals={objective.name: objective.goal for objective in objectives},
            pick=config.search.pick,
            predict_time=config.limits.predict_time,
            model_size=config.limits.model_size,
        )

    def is_that_of(self, config: ExperimentConfig) -> bool:
        """Tell whether `config` still has the same limits and the same rule; its metrics cannot change."""
        limits = config.limits
        return (self.pick, self.predict_time, self.model_size) == (
            config.search.pick,
            limits.predict_time,
            limits.model_size,
        )

    @classmethod
    def simple(cls, objective: Objective) -> Self:
        """One metric, and no limits."""
        return cls(goals={objective.name: objective.goal})

    @property
    def all(self) -> tuple[Objective, ...]:
        """The metrics that were asked for; the first decides."""
        return tuple(Objective(name, goal == "maximize") for name, goal in self.goals.items())

    @property
    def primary(self) -> Objective:
        """The metric that decides."""
        return self.all[0]

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the further metrics that were asked for."""
        return tuple(self.goals)[1:]

    @property
    def limits(self) -> ModelLimits:
        return ModelLimits(self.predict_time, self.model_size)

    def write(self, directory: ExperimentDirectory) -> None:
        write_text(directory.data / _FILE, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, directory: ExperimentDirectory) -> Self | None:
        """Read what `write` has written; None for an experiment that has not got that far, or is older than this file.

        Raises:
            WorkspaceError: a newer automl has written it.
            DamagedFileError: it cannot be read; a resumed experiment writes it again.
        """
        file = directory.data / _FILE
        if not file.exists():
            return None
        try:
            return cls.model_validate(read_json(file))
        except ValueError as error:
            raise DamagedFileError(f"{file} is damaged: {in_short(error)}.") from error
