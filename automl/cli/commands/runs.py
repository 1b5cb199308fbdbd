"""``automl runs list | show | logs | cancel``."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli.app import AsJson, print_json, print_rows, runs
from automl.cli.commands.resume import TotalTime, TotalTrials
from automl.cli.commands.run import Workspace
from automl.cli.modules import Trust

Reference = Annotated[str, typer.Argument(help="An experiment's directory, id or name.")]


@runs.command("list")
def list_runs(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List all experiments of the workspace, oldest first."""
    from automl import api

    found = api.list_runs(workspace)
    print_rows(
        found,
        as_json=as_json,
        empty="no experiments yet; 'automl run experiment.yaml' makes one",
        dropped=("seconds", "trials", "model", "metric", "best", "status"),
    )


@runs.command()
def show(
    experiment: Reference,
    trial: Annotated[int | None, typer.Option(help="Show one trial instead.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard of an experiment, or the record of one trial."""
    from automl import api
    from automl.display.report import print_experiment, print_trial

    described = api.show_run(experiment, trial=trial, workspace=workspace)
    if as_json:
        print_json(described)
    elif trial is None:
        print_experiment(described)
    else:
        print_trial(described)


@runs.command()
def logs(
    experiment: Reference,
    trial: Annotated[int | None, typer.Option(help="The log of one trial; by default the experiment's own.")] = None,
    workspace: Workspace = None,
) -> None:
    """Show what an experiment, or one of its trials, has printed."""
    from automl import api

    for line in api.read_logs(experiment, trial=trial, workspace=workspace):
        print(line, end="")


@runs.command()
def cancel(
    experiment: Reference,
    now: Annotated[bool, typer.Option("--now", help="Stop running trials as well.")] = False,
    workspace: Workspace = None,
) -> None:
    """Ask a running experiment to stop: running trials finish, then the best so far is delivered."""
    from automl import api

    print(api.cancel_run(experiment, now=now, workspace=workspace))


@runs.command()
def extend(
    experiment: Reference,
    time_budget: TotalTime = None,
    max_trials: TotalTrials = None,
    workspace: Workspace = None,
) -> None:
    """Give a running experiment more time or more trials: a new total, not an addition.

    'automl resume' extends one that has ended.
    """
    from automl import api

    print(api.extend_run(experiment, time_budget=time_budget, max_trials=max_trials, workspace=workspace))


@runs.command()
def mirror(experiment: Reference, workspace: Workspace = None, trust: Trust = False) -> None:
    """Bring to MLflow everything that it lacks of an experiment."""
    from automl import api

    print(api.mirror_run(experiment, trust=trust, workspace=workspace))
