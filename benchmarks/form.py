"""The form that all benchmarks share: their options, a table on the screen, one flat JSON object in a file."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

__all__ = ["Figure", "arguments", "machine", "publish"]


@dataclass(frozen=True)
class Figure:
    """A measured number; `goal` says in words what it is held to, if anything."""

    name: str
    value: float
    goal: str = ""
    met: bool | None = None


def arguments(description: str, *, data: bool = False) -> argparse.ArgumentParser:
    """The options of every benchmark: --quick, --data (where it reads data), --json."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a smaller run, within two minutes on two cores")
    if data:
        parser.add_argument("--data", type=Path, help="the folder that holds one subfolder per dataset")
    parser.add_argument("--json", type=Path, help="write the figures here, as one flat JSON object")
    return parser


def machine(packages: Sequence[str]) -> str:
    """One line: date, cores, platform, versions."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )


def publish(title: str, figures: Sequence[Figure], *, about: Mapping[str, str], file: Path | None) -> None:
    """Print the figures as a table and write them to `file`."""
    console = Console()
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("goal")
    table.add_column("")
    for figure in figures:
        verdict = "" if figure.met is None else "met" if figure.met else "missed"
        table.add_row(figure.name, f"{figure.value:,.4g}", figure.goal, verdict)
    console.print(table)
    for name, text in about.items():
        console.print(f"{name}: {text}", style="dim", highlight=False)
    if file is not None:
        file.write_text(json.dumps({figure.name: figure.value for figure in figures}, indent=1) + "\n")
