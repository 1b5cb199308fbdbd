"""Versions of a registered model, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from automl.display.figures import digest, score
from automl.display.plan import render_plan
from automl.display.terminal import show, terminal

__all__ = ["print_versions"]

_SAID_OTHERWISE = ("name", "version", "aliases", "metric", "value", "packages", "data", "split_plan", "tags")


def print_versions(versions: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print a block for each version of a model.

    Args:
        versions: rows of `automl.registry.list.show_model`.
    """
    console = console or terminal()
    for position, version in enumerate(versions):
        if position:
            console.print()
        title = ", ".join([f"{version['name']}/{version['version']}", *version["aliases"]])
        console.print(title, style="bold", markup=False, soft_wrap=True)
        show(render_plan(_lines(version)), console)


def _lines(version: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in version.items() if name not in _SAID_OTHERWISE}
    said = {
        "score": None if version["value"] is None else f"{version['metric']} = {score(version['value'])}",
        **rest,
        "data": digest(version["data"] or ""),
        "split_plan": version["split_plan"],
        "packages": ", ".join(f"{name} {number}" for name, number in version["packages"].items()),
        "tags": ", ".join(f"{name}={value}" for name, value in version["tags"].items()),
    }
    return {name: value for name, value in said.items() if value is not None and value != ""}
