"""The tags by which automl finds its own runs and versions in MLflow again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from automl.engine.trial.objective import Objective
from automl.registry.candidate import Score
from automl.registry.record import Registration

__all__ = [
    "EXPERIMENT",
    "EXTENT",
    "GOAL",
    "KIND",
    "METRIC",
    "MODEL",
    "SHARE",
    "SPLIT_PLAN",
    "TRIAL",
    "VALUE",
    "VERIFIED",
    "score_of",
    "version_tags",
]

EXPERIMENT = "automl.experiment"
"""``name/id`` of the experiment: on its runs and on its versions."""
KIND = "automl.kind"
"""``experiment`` (the parent run) or ``trial``."""
TRIAL = "automl.trial"
METRIC = "automl.metric"
GOAL = "automl.goal"
VALUE = "automl.value"
SPLIT_PLAN = "automl.split_plan"
EXTENT = "automl.extent"
"""The parts, in words, of the model of a trial that did not reach its end; only versions of such models have it."""
SHARE = "automl.share"
"""Share of the full work that the value is of; 1 without this tag."""
MODEL = "automl.model"
"""sha256 of the model's files: the same model is not registered twice."""
VERIFIED = "automl.verified"
"""``true`` once the version was loaded back and predicts what the model in memory predicts. Only then it counts."""

_LONGEST = 5000  # characters that MLflow's own stores take


def version_tags(record: Registration) -> dict[str, str]:
    """Return the tags of a version's origin, complete enough to make it again. `VERIFIED` is not among them."""
    own: Mapping[str, object] = {
        EXPERIMENT: record.experiment,
        "automl.version": record.version,
        TRIAL: "" if record.trial is None else record.trial,
        "automl.task": record.task,
        METRIC: record.metric,
        VALUE: "" if record.value is None else repr(record.value),
        GOAL: record.score.objective.goal,
        SPLIT_PLAN: record.split_plan,
        "automl.data": record.data_fingerprint,
        "automl.seed": "" if record.seed is None else record.seed,
        "automl.framework": record.framework,
        "automl.framework_version": record.framework_version,
        "automl.packages": json.dumps(record.packages),
        MODEL: record.model,
        **({EXTENT: record.extent, SHARE: record.share} if record.share < 1 else {}),
    }
    return {key: str(value)[:_LONGEST] for key, value in {**record.tags, **own}.items()}


def score_of(marks: Mapping[str, str]) -> Score | None:
    """Return the score that the version with these tags is compared by; None if automl did not register or check it."""
    if marks.get(VERIFIED) != "true":
        return None
    return Score(
        Objective(marks.get(METRIC, ""), marks.get(GOAL) == "maximize"),
        _number(marks.get(VALUE)),
        marks.get(SPLIT_PLAN, ""),
        _number(marks.get(SHARE, "1")),
        marks.get(EXTENT, ""),
    )


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
