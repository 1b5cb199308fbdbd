"""``automl models list | show | register | promote``."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli.app import AsJson, models, print_json, print_rows
from automl.cli.commands.run import Workspace
from automl.cli.modules import Trust, find_modules

Uri = Annotated[str | None, typer.Option("--uri", help="Look in this MLflow store instead of the workspace.")]


@models.command("list")
def list_registered(workspace: Workspace = None, uri: Uri = None, as_json: AsJson = False) -> None:
    """List all registered models with their latest version and their champion."""
    from automl import api

    found = api.list_models(workspace, uri=uri)
    dropped = ("latest", "created", "versions", "metric", "value")
    print_rows(found, as_json=as_json, empty="no registered models yet", dropped=dropped)


@models.command()
def show(
    name: Annotated[str, typer.Argument(help="A registered model.")],
    workspace: Workspace = None,
    uri: Uri = None,
    as_json: AsJson = False,
) -> None:
    """Show all versions of a registered model."""
    from automl import api
    from automl.display.versions import print_versions

    versions = api.show_model(name, workspace, uri=uri)
    if as_json:
        print_json(versions)
    else:
        print_versions(versions)


@models.command()
def register(
    experiment: Annotated[str, typer.Argument(help="An experiment's directory, id or name.")],
    trial: Annotated[int | None, typer.Option(help="A trial other than the winner.")] = None,
    name: Annotated[str | None, typer.Option(help="The registered model's name.")] = None,
    workspace: Workspace = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Register the model of an experiment's trial, by default the winner's; one without models is fitted again."""
    from automl import api

    find_modules(trust)
    registered = api.register(experiment, trial=trial, name=name, trust=trust, workspace=workspace)
    if as_json:
        print_json(registered.model_dump())
    else:
        print(registered.message)


@models.command()
def promote(
    name: Annotated[str, typer.Argument(help="A registered model.")],
    version: Annotated[int, typer.Argument(help="The version that becomes the champion.")],
    workspace: Workspace = None,
    uri: Uri = None,
) -> None:
    """Make a version the champion."""
    from automl import api

    print(api.promote(name, version, workspace, uri=uri))
