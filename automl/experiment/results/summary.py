"""result.json: the outcome of an experiment, for people and programs that were not there."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from automl.engine.trial.objective import Objective
from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import DamagedFileError
from automl.experiment.results.phases import Budget, Phase
from automl.experiment.results.pruning import Pruning
from automl.experiment.results.winner import Winner
from automl.registry.candidate import RegisteredModel
from automl.validation_errors import in_short

__all__ = ["Summary"]


class Summary(BaseModel):
    """The content of result.json."""

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    experiment: str
    id: str
    task: str
    metric: str
    maximize: bool
    winner: Winner | None
    stopped_because: str
    counts: dict[str, int] = {}
    pruning: Pruning | None = None
    seconds: float
    time_budget: float | None = None
    phases: tuple[dict[str, Any], ...] = ()
    fingerprint: str = ""
    split_plan: str = ""
    validation: str = ""
    classes: tuple[str, ...] | None = None
    guardrails: tuple[dict[str, Any], ...] = ()
    exclusions: tuple[dict[str, str], ...] = ()
    test_metrics: dict[str, float] = {}
    registered: RegisteredModel | None = None
    not_registered: str = ""

    @property
    def objective(self) -> Objective:
        """The primary metric."""
        return Objective(self.metric, self.maximize)

    @property
    def budget(self) -> Budget:
        return Budget(self.time_budget, self.seconds, tuple(Phase(**phase) for phase in self.phases))

    def write(self, directory: ExperimentDirectory) -> None:
        write_text(directory.result, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, directory: ExperimentDirectory) -> Summary | None:
        """Read result.json; None as long as the experiment has not reached its end.

        Raises:
            WorkspaceError: a newer automl has written it.
            DamagedFileError: it cannot be read; a resumed experiment writes it again.
        """
        if not directory.result.exists():
            return None
        try:
            return cls.model_validate(read_json(directory.result))
        except ValueError as error:
            raise DamagedFileError(
                f"{directory.result} is not the result of an experiment: {in_short(error)}."
            ) from error
