"""``automl leaderboard DIR``."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli.app import AsJson, app, print_json
from automl.cli.commands.run import Workspace


@app.command()
def leaderboard(
    experiment: Annotated[str, typer.Argument(help="An experiment's directory, id or name.")],
    front: Annotated[bool, typer.Option("--front", help="Only trials that no other beats on every count.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 20,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show trials from best to worst with their cost: time to predict a row, size. Works while the experiment runs."""
    from automl import api
    from automl.display.report import print_choice

    described = api.show_leaderboard(experiment, front=front, workspace=workspace)
    if as_json:
        print_json(described)
    else:
        print_choice(described, limit=limit)
