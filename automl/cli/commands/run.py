"""``automl run experiment.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from automl.cli.app import AsJson, Quiet, Verbose, app, last_words, print_outcome, set_verbosity
from automl.cli.modules import Trust, find_modules

Workspace = Annotated[Optional[Path], typer.Option(help="Where everything is kept; by default $AUTOML_HOME.")]  # noqa: UP045
TimeBudget = Annotated[Optional[str], typer.Option(help="Overrides limits.time_budget, such as 90s or 10m.")]  # noqa: UP045
MaxTrials = Annotated[Optional[int], typer.Option(help="Overrides limits.max_trials.")]  # noqa: UP045


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The experiment, a YAML file.")],
    workspace: Workspace = None,
    time_budget: TimeBudget = None,
    max_trials: MaxTrials = None,
    trust: Trust = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run the experiment that a YAML file declares, and register its best model."""
    from automl import api
    from automl.deadline import process_started

    set_verbosity(verbose, quiet or as_json)
    find_modules(trust, file)
    result = api.run(
        file,
        workspace=workspace,
        time_budget=time_budget,
        max_trials=max_trials,
        trust=trust,
        progress=not (quiet or as_json),
        started=process_started(),
        last_words=last_words(as_json),
    )
    print_outcome(result, as_json=as_json)
