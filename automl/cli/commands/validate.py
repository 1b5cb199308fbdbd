"""``automl validate experiment.yaml``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl.cli.app import app
from automl.cli.modules import Trust, find_modules
from automl.redact import redact_message


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Experiment files.")],
    trust: Trust = False,
) -> None:
    """Check experiment files without reading data or running anything."""
    from automl import api
    from automl.errors import ConfigError

    find_modules(trust, *files)
    mistakes: list[ConfigError] = []
    for file in files:
        try:
            api.validate(file, trust=trust)
            print(f"{file}: valid")
        except ConfigError as error:
            mistakes.append(error)
    for mistake in mistakes[:-1]:
        print(f"automl: {redact_message(str(mistake))}", file=sys.stderr)
    if mistakes:
        raise mistakes[-1]
