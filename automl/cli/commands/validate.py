"""``automl validate experiment.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.app import app
from automl.cli.commands.run import Trust


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Experiment files.")],
    trust: Trust = False,
) -> None:
    """Check experiment files without reading data or running anything."""
    from automl import api

    for file in files:
        api.validate(file, trust=trust)
        print(f"{file}: valid")
