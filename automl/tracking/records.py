"""A trial's files as what MLflow takes: names, texts and numbers within its limits. No MLflow in here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.records import read_params, read_result
from automl.engine.workspace.atomic import read_bytes
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError
from automl.tracking.store import redacted

__all__ = ["Point", "TrialRecord", "flatten", "read_trial", "run_status"]

LONGEST_TEXT = 5000
"""Characters of a parameter or a tag: what every store of MLflow takes."""
_LONGEST_NAME = 250
_MOST_POINTS = 1000
_MOST_PARAMS = 300
_DEEPEST = 3
_ODD = re.compile(r"[^\w.:/ -]")
_STATUS = {
    Status.COMPLETED: "FINISHED",
    Status.PRUNED: "KILLED",
    Status.CANCELLED: "KILLED",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric; `time` in milliseconds since 1970."""

    name: str
    value: float
    step: int
    time: int


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial. `started` and `ended` in milliseconds since 1970."""

    result: TrialResult
    params: Mapping[str, str]
    points: tuple[Point, ...]
    started: int
    ended: int


def run_status(status: Status) -> str:
    """MLflow's word for a trial's status. One that was stopped early was KILLED, as in Optuna's callback."""
    return _STATUS.get(status, "FAILED")


def read_trial(directory: TrialDirectory, metric: str | None = None) -> TrialRecord | None:
    """Read what a trial left on disk; None while it has no valid trial.json.

    Args:
        directory: the trial's.
        metric: name under which `value` is logged, if `metrics` does not hold it.
    """
    result = read_result(directory)
    if result is None:
        return None
    started = _milliseconds(result.started_at) or int(directory.result.stat().st_mtime * 1000)
    ended = started + int(result.seconds * 1000)
    series = _read_series(directory.metrics)
    finals = dict(result.metrics)
    if metric is not None and result.value is not None:
        finals.setdefault(metric, result.value)
    finals |= {"seconds": result.seconds, "fit_seconds": result.fit_seconds, "predict_seconds": result.predict_seconds}
    finals["model_size"] = float(result.model_size)
    if result.predict_latency is not None:
        finals["predict_latency"] = result.predict_latency
    if result.peak_memory is not None:
        finals["peak_memory"] = float(result.peak_memory)
    if result.gpu_memory is not None:
        finals["gpu_memory"] = float(result.gpu_memory)
    if result.gpu_utilization is not None:
        finals["gpu_utilization"] = result.gpu_utilization
    points = [point for line in series.values() for point in _thin(line)]
    for name, value in finals.items():
        clean = _name(name)
        last = series[clean][-1] if clean in series else None
        # The final value has to be the latest one: MLflow shows the one of the highest step, then of the highest time.
        step, time = (0, ended) if last is None else (last.step, max(ended, last.time + 1))
        points.append(Point(clean, float(value), step, time))
    return TrialRecord(result, flatten(read_params(directory)), tuple(points), started, ended)


def flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """A nested mapping as dotted names and texts, bounded in depth, number and length."""
    pairs: dict[str, str] = {}
    for name, text in _leaves(value, prefix, _DEEPEST):
        if len(pairs) >= _MOST_PARAMS:
            break
        pairs[_name(name)] = redacted(text)[:LONGEST_TEXT]
    return pairs


def _leaves(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and (depth > 0) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key), depth - 1)
    else:
        yield prefix, value if isinstance(value, str) else json.dumps(value, default=str)


def _name(name: str) -> str:
    return _ODD.sub("_", name)[:_LONGEST_NAME].strip("./ ") or "_"


def _milliseconds(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None


def _read_series(path: Path) -> dict[str, list[Point]]:
    """The logged values by name, in order. A line that a kill has torn is left out."""
    series: dict[str, list[Point]] = {}
    try:
        lines = read_bytes(path).splitlines()
    except WorkspaceError:
        return series
    for line in lines:
        try:
            entry = json.loads(line)
            point = Point(_name(entry["name"]), float(entry["value"]), int(entry["step"]), int(entry["time"] * 1000))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
        series.setdefault(point.name, []).append(point)
    return series


def _thin(points: list[Point]) -> list[Point]:
    """At most `_MOST_POINTS` of a series, evenly spread, the last one among them."""
    if len(points) <= _MOST_POINTS:
        return points
    stride = -(-len(points) // _MOST_POINTS)
    return points[::-stride][::-1]
