"""``automl gc``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from automl.cli.app import AsJson, app, print_json, print_rows
from automl.cli.commands.run import Workspace


@app.command()
def gc(
    workspace: Workspace = None,
    keep: Annotated[
        int | None,
        typer.Option(min=0, help="Best trials of each experiment whose models stay; by default its retention.models."),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it; without this option nothing changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what could be deleted: models outside the best, caches, leftovers. Registered models and records stay."""
    from automl import api

    found = api.gc(workspace, keep=keep, delete=delete)
    if as_json:
        print_json(found)
        return
    if found["items"]:
        print_rows(_by_experiment(found["items"]), as_json=False, empty="")
    for skipped in found["left alone"]:
        print(f"left alone: {skipped['experiment']}: {skipped['reason']}")
    if not found["items"]:
        print(f"nothing to delete in {found['workspace']}")
    elif delete:
        print(f"{_size(found['bytes'])} deleted")
    else:
        print(f"{_size(found['bytes'])} could go; 'automl gc --delete' deletes it")


def _by_experiment(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per experiment and kind: its number of files or folders and their size."""
    sizes: dict[tuple[str, str], list[int]] = {}
    for item in items:
        sizes.setdefault((item["experiment"], item["kind"]), []).append(item["bytes"])
    return [
        {"experiment": experiment, "what": kind, "number": len(each), "size": _size(sum(each))}
        for (experiment, kind), each in sizes.items()
    ]


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
