"""``automl plan experiment.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.app import AsJson, app, print_json
from automl.cli.modules import Trust, find_modules


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="The experiment, a YAML file.")],
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Make a dry run: data as understood, split plan, algorithms in and out, size of the space, budget."""
    from automl import api
    from automl.display.plan import print_plan

    find_modules(trust, file)
    described = api.plan(file, trust=trust)
    if as_json:
        print_json(described)
    else:
        print_plan(described)
