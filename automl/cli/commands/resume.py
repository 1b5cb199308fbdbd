"""``automl resume DIR``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from automl.cli.app import AsJson, Quiet, Verbose, app, last_words, print_outcome, set_verbosity
from automl.cli.commands.run import Workspace
from automl.cli.modules import Trust, find_modules

TotalTime = Annotated[Optional[str], typer.Option(help="A new total limit, what was used included, such as 10m.")]  # noqa: UP045
TotalTrials = Annotated[Optional[int], typer.Option(help="A new total limit, trials already run included.")]  # noqa: UP045


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
    """Continue an experiment that was cut off, or extend a finished one with more time or trials."""
    from automl import api
    from automl.deadline import process_started

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
        last_words=last_words(as_json),
    )
    print_outcome(result, as_json=as_json)
