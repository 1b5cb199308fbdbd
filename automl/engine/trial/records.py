"""The records of a trial: params.json when it is proposed, trial.json when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from automl.engine.trial.contract import TrialResult, TrialSpec
from automl.engine.trial.stage import Stage
from automl.engine.workspace.atomic import FORMAT_VERSION, as_json, parse_json, read_bytes, write_text
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import DamagedFileError, WorkspaceError

__all__ = ["ProposedTrial", "proposal_as_json", "read_params", "read_proposed", "read_result", "write_result"]


class ProposedTrial(BaseModel):
    """The content of params.json: a trial as it was proposed.

    Attributes:
        number: see `TrialSpec`; so are the others.
        params: hyperparameters by their plain names, with real values.
        notes: what its proposer says of it.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    format_version: int = FORMAT_VERSION
    number: StrictInt = Field(ge=0)
    attempt: StrictInt = Field(default=1, ge=1)
    algorithm: StrictStr
    params: dict[str, Any]
    seed: StrictInt = 0
    fidelity: float = Field(default=1.0, gt=0, le=1)
    parent: StrictInt | None = None
    stage: Stage | None = None
    notes: dict[str, Any] = {}


def proposal_as_json(spec: TrialSpec) -> bytes:
    """Return what params.json is to say of a trial. Without a model between: this is done for each one."""
    return as_json(
        {
            "number": spec.number,
            "attempt": spec.attempt,
            "algorithm": spec.algorithm,
            "params": dict(spec.params),
            "seed": spec.seed,
            "fidelity": spec.fidelity,
            "parent": spec.lineage.parent,
            "stage": spec.stage,
            "notes": dict(spec.lineage.notes),
        }
    )


def read_proposed(directory: TrialDirectory) -> ProposedTrial | None:
    """Return what params.json says; None when it is missing or not valid, as for trial.json.

    Raises:
        WorkspaceError: it was written by a newer automl.
    """
    try:
        return ProposedTrial.model_validate(_read(directory.params))
    except ValueError:  # a ValidationError is one
        return None


def read_params(directory: TrialDirectory) -> Mapping[str, Any]:
    """The hyperparameters of a trial, with their real values; empty where its record cannot be read."""
    proposed = read_proposed(directory)
    return {} if proposed is None else proposed.params


def write_result(directory: TrialDirectory, result: TrialResult) -> None:
    """Write trial.json, whole or not at all. Only the driver calls this, once per number."""
    write_text(directory.result, result.model_dump_json(indent=1))


def read_result(directory: TrialDirectory) -> TrialResult | None:
    """Return what trial.json says; None when it is missing or not valid.

    Raises:
        WorkspaceError: it was written by a newer automl.
    """
    try:
        return TrialResult.model_validate(_read(directory.result))
    except ValueError:  # a ValidationError is one
        return None


def _read(path: Path) -> dict[str, Any] | None:
    """The object in `path`; None where there is none that can be read."""
    try:
        content = read_bytes(path)
    except WorkspaceError:
        return None
    try:
        return parse_json(content, path)
    except DamagedFileError:
        return None
