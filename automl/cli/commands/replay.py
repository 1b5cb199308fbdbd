"""``automl replay DIR``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from automl.cli.app import AsJson, app, print_json, print_rows
from automl.cli.commands.run import Workspace
from automl.cli.modules import Trust, find_modules


@app.command()
def replay(
    experiment: Annotated[str, typer.Argument(help="An experiment's directory, id or name.")],
    trial: Annotated[int | None, typer.Option(help="A completed trial other than the winner.")] = None,
    workspace: Workspace = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Refit a trial from its record, and check that it reaches the same score: exit status 0 if so, else 1."""
    from automl import api

    find_modules(trust)
    done = api.replay(experiment, trial=trial, workspace=workspace, trust=trust)
    if as_json:
        print_json(
            {
                "trial": done.recorded.number,
                "algorithm": done.recorded.algorithm,
                "metric": done.metric,
                "equal": done.equal,
                "identical": done.identical,
                "verdict": done.verdict,
                "recorded": {"value": done.recorded.value, "fold_scores": done.recorded.fold_scores},
                "replayed": {"value": done.replayed.value, "fold_scores": done.replayed.fold_scores},
                "changed": done.changed,
            }
        )
    else:
        # repr: floats to the last bit
        pairs = done.scores.items()
        rows = [{done.metric: name, "recorded": _text(then), "replayed": _text(now)} for name, (then, now) in pairs]
        print_rows(rows, as_json=False, empty="")
        if done.equal:
            print(done.verdict)
    if not done.equal:
        print(f"automl: {done.verdict}", file=sys.stderr)
        raise typer.Exit(1)


def _text(score: float | None) -> str:
    return "" if score is None else repr(score)
