"""The arguments of `automl.fit` as the keys of an experiment file, separate from what no file can hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from automl.errors import ConfigError
from automl.learning.data.names import as_names

__all__ = ["Arguments", "arguments_of", "functions_of"]

_ROLES = ("test", "weight", "group", "time")


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call, split into plain values and objects.

    Attributes:
        values: by the keys of an experiment file; plain data only.
        data: an object from the caller's memory to learn from; None if `values` names a source.
        roles: objects for ``data.test``, ``data.weight``, ``data.group`` and ``data.time``.
        validation: an object for ``validation.source``.
        metrics: functions by the names used in `values`.
    """

    values: dict[str, Any]
    data: Any = None
    roles: Mapping[str, Any] = field(default_factory=dict)
    validation: Any = None
    metrics: Mapping[str, Callable[..., float]] = field(default_factory=dict)


def arguments_of(
    task: str,
    data: Any,
    *,
    target: Hashable | None,
    metric: Any,
    time_budget: float | str | None,
    max_trials: int | None,
    seed: int,
    name: str | None,
    groups: Mapping[str, Any],
) -> Arguments:
    """Sort the arguments of `automl.fit`. See there.

    Raises:
        ConfigError: an option was given twice.
    """
    source, options = _data_of(data, target)
    roles = {role: options.pop(role) for role in _ROLES if role in options and not _is_text(options[role])}
    values: dict[str, Any] = {"task": task, "data": options, "seed": seed}
    if _is_text(source):
        options["source"] = os.fspath(source)
        source = None
    if name is not None:
        values["experiment"] = name
    functions = functions_of(metric)
    if metric is not None:
        values["metric"] = [_metric_name(m) for m in (metric if isinstance(metric, list | tuple) else [metric])]
    for group, given in groups.items():
        values[group] = given.model_dump(exclude_unset=True) if isinstance(given, BaseModel) else given
    validation, values["validation"] = _validation_of(values.get("validation", {}))
    limits = {"time_budget": time_budget, "max_trials": max_trials}
    values["limits"] = _limits(values.get("limits"), {key: v for key, v in limits.items() if v is not None})
    return Arguments(values, source, roles, validation, functions)


def functions_of(metric: Any) -> dict[str, Callable[..., float]]:
    """The functions among the metrics, by their names."""
    given = metric if isinstance(metric, list | tuple) else [metric]
    bare = [m["name"] if isinstance(m, Mapping) else m for m in given]
    return {_metric_name(m): m for m in bare if callable(m)}


def _data_of(data: Any, target: Hashable | None) -> tuple[Any, dict[str, Any]]:
    """The source, and the other options of the group ``data``, which a mapping with a source may bring."""
    target = as_names([target])[0] if isinstance(target, tuple) else target
    if not isinstance(data, Mapping) or "source" not in data:
        return data, {} if target is None else {"target": target}
    options = dict(data)
    source = options.pop("source")
    if target is not None:
        if options.get("target", target) != target:
            raise ConfigError(f"the target is given twice, as {target!r} and as {options['target']!r}.", key="target")
        options["target"] = target
    return source, options


def _validation_of(group: Any) -> tuple[Any, Any]:
    """Validation rows from memory, None without any, and what remains of the group ``validation``."""
    rows = group.get("source") if isinstance(group, Mapping) else None
    if rows is None or _is_text(rows):
        return None, group
    rest = {key: value for key, value in group.items() if key != "source"}
    if rest.pop("strategy", "auto") not in ("auto", "predefined") or rest:
        raise ConfigError("a table of validation rows excludes every other setting; keep one.", key="validation.source")
    return rows, {}


def _limits(group: Any, arguments: dict[str, Any]) -> Any:
    if group is None or not isinstance(group, Mapping):
        return arguments if group is None else group
    for key, value in arguments.items():
        if group.get(key, value) != value:
            raise ConfigError(f"given twice, as {value!r} and in limits as {group[key]!r}.", key=key)
    return {**group, **arguments}


def _metric_name(metric: Any) -> Any:
    """Return a file's form of a metric: a function's name, also below ``{"name": function, "goal": "minimize"}``."""
    if isinstance(metric, Mapping) and callable(metric.get("name")):
        return {**metric, "name": _metric_name(metric["name"])}
    return getattr(metric, "__name__", type(metric).__name__) if callable(metric) else metric


def _is_text(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)
