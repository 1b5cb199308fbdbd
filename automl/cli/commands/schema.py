"""``automl schema``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from automl.cli.app import app, print_json


class Of(StrEnum):
    experiment = "experiment"
    trial = "trial"


@app.command()
def schema(of: Annotated[Of, typer.Argument(help="Which file's schema.")] = Of.experiment) -> None:
    """Print the JSON Schema of experiment files (editors complete from it), or of trial.json."""
    from automl.config.json_schema import experiment_schema, trial_schema

    print_json(experiment_schema() if of is Of.experiment else trial_schema())
