"""``automl resume DIR``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from automl.cli.app import AsJson, Quiet, Verbose, app, print_json, set_verbosity
from automl.cli.commands.run import Workspace
from automl.cli.modules import Trust, find_modules

TotalTime = Annotated[Optional[str], typer.Option(help="A new limit in all, what was used included, such as 10m.")]  # noqa: UP045
TotalTrials = Annotated[Optional[int], typer.Option(help="A new limit in all, trials that were run included.")]  # noqa: UP045


@app.command()
def resume(
    experiment: Annotated[str, typer.Argument(help="An experiment's directory, id or name.")],
    workspace: Workspace = None,
    time_budget: TotalTime = None,
    max_trials: TotalTrials = None,
    trust: Trust = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Go on with an experiment that was cut, or extend a finished one with more time or trials."""
    from automl import api
    from automl.display.report import print_result
    from automl.experiment.clock import process_started

    set_verbosity(verbose, quiet or as_json)
    find_modules(trust)
    result = api.resume(
        experiment,
        workspace=workspace,
        time_budget=time_budget,
        max_trials=max_trials,
        trust=trust,
        progress=not (quiet or as_json),
        started=process_started(),
    )
    if as_json:
        print_json(result.summary.model_dump(mode="json"))
    else:
        print_result(result)
