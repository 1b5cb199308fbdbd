"""The calls open to a program and to the command line. Nothing heavy is imported before it is needed."""

from __future__ import annotations

from automl.api.models import list_models, load_model, promote, register, show_model
from automl.api.resuming import resume
from automl.api.runs import (
    cancel_run,
    extend_run,
    gc,
    list_runs,
    mirror_run,
    read_logs,
    replay,
    show_leaderboard,
    show_run,
)
from automl.api.search import fit, plan, run, validate

__all__ = [
    "cancel_run",
    "extend_run",
    "fit",
    "gc",
    "list_models",
    "list_runs",
    "load_model",
    "mirror_run",
    "plan",
    "promote",
    "read_logs",
    "register",
    "replay",
    "resume",
    "run",
    "show_leaderboard",
    "show_model",
    "show_run",
    "validate",
]
