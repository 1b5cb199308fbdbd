"""JSON Schemas of what is read and written: editors complete from one, programs check with the other."""

from __future__ import annotations

from typing import Any

from automl.config.schema import ExperimentConfig
from automl.engine.trial.contract import TrialResult

__all__ = ["experiment_schema", "trial_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def experiment_schema() -> dict[str, Any]:
    """The schema of an experiment file."""
    schema = ExperimentConfig.model_json_schema(mode="validation")
    schema["properties"]["metric"]["anyOf"].append({"type": "null"})  # the task's own
    return {"$schema": _DIALECT, **schema, "title": "An automl experiment"}


def trial_schema() -> dict[str, Any]:
    """The schema of trial.json."""
    schema = TrialResult.model_json_schema(mode="serialization")
    return {"$schema": _DIALECT, **schema, "title": "How a trial of automl ended"}
