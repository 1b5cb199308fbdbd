"""The tags by which automl finds its own runs and versions in MLflow again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from automl.registry.candidate import Candidate
from automl.workspace.layout import ExperimentDirectory

__all__ = [
    "EXPERIMENT",
    "KIND",
    "METRIC",
    "MODEL",
    "SPLIT_PLAN",
    "TRIAL",
    "VALUE",
    "VERIFIED",
    "key_of",
    "version_tags",
]

EXPERIMENT = "automl.experiment"
"""``name/id`` of the experiment: on its runs and on its versions."""
KIND = "automl.kind"
"""``experiment`` (the parent run) or ``trial``."""
TRIAL = "automl.trial"
METRIC = "automl.metric"
VALUE = "automl.value"
SPLIT_PLAN = "automl.split_plan"
MODEL = "automl.model"
"""sha256 of the model's files: the same model is not registered twice."""
VERIFIED = "automl.verified"
"""``true`` once the version was loaded back and predicts what the model in memory predicts. Only then it counts."""

_LONGEST = 5000  # characters that MLflow's own stores take


def key_of(experiment: ExperimentDirectory) -> str:
    return f"{experiment.name}/{experiment.id}"


def version_tags(candidate: Candidate, model_hash: str) -> dict[str, str]:
    """Where a version comes from, complete enough to make it again. `VERIFIED` is not among them."""
    own: Mapping[str, object] = {
        EXPERIMENT: key_of(candidate.experiment),
        "automl.directory": candidate.directory,
        TRIAL: "" if candidate.trial is None else candidate.trial,
        "automl.task": candidate.task,
        METRIC: candidate.metric,
        VALUE: "" if candidate.value is None else repr(candidate.value),
        "automl.goal": "maximize" if candidate.maximize else "minimize",
        SPLIT_PLAN: candidate.split_plan,
        "automl.data": candidate.data_fingerprint,
        "automl.seed": "" if candidate.seed is None else candidate.seed,
        "automl.framework": candidate.framework,
        "automl.framework_version": candidate.framework_version,
        "automl.packages": json.dumps(candidate.packages),
        MODEL: model_hash,
    }
    return {key: str(value)[:_LONGEST] for key, value in {**candidate.tags, **own}.items()}
