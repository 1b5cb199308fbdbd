"""More time or more trials: for an experiment that has ended, or from another terminal for one that runs."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from automl.config.override import with_limits
from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.engine.search.driver import Driver
from automl.engine.stopping.registry import criteria_of
from automl.engine.workspace.control import request, take
from automl.engine.workspace.layout import ExperimentDirectory
from automl.engine.workspace.lock import is_locked
from automl.errors import AutomlError, ConfigError, WorkspaceError
from automl.experiment.problem.files import save_config
from automl.experiment.reserve import WAY_OUT, Reserve
from automl.experiment.results.summary import Summary

__all__ = ["ask_to_extend", "check_room", "check_time", "check_time_to_pick", "extend_running"]

log = logging.getLogger("automl")

_PATIENCE = 60.0
"""Seconds for a session to obey: one that prepares its data, or boots Ray, does not look."""


def check_room(config: ExperimentConfig, done: Summary, deadline: Deadline) -> None:
    """Refuse limits under which nothing can be added to an experiment that has its result.

    What starting and preparing will take is known from the session before.

    Args:
        config: with its new limits.
        done: the result so far.
        deadline: the clock under the new limits, with what earlier sessions have used.

    Raises:
        ConfigError: the time leaves none for a trial, or as many trials as may be were run.
    """
    most, ran = config.limits.max_trials, sum(done.counts.values())
    if most is not None and ran >= most:
        raise ConfigError(f"{ran} trials were run already; give a larger --max-trials", key="limits.max_trials")
    reserve = Reserve(deadline, registers=config.registry is not None)
    reserve.model_found(0)
    begins = _spent(done, "start", "prepare")
    if deadline.budget - deadline.used <= begins + reserve.seconds():
        raise ConfigError(
            f"the budget of {deadline.budget:g} s is used up ({deadline.used:.1f} s; too little is left for another "
            "trial); give a larger --time-budget",
            key="limits.time_budget",
        )


def check_time(deadline: Deadline) -> None:
    """Refuse to continue an experiment without a model where no trial could end in what is left of its time.

    Reading the data again, and a trial, take at least as long as it has taken this process to get here.

    Args:
        deadline: the clock, with what earlier sessions have used.

    Raises:
        ConfigError: the time does not reach. Says what to write.
    """
    needed = WAY_OUT + deadline.spent() - deadline.used
    if deadline.remaining() < needed:
        raise ConfigError(
            f"the budget of {deadline.budget:g} s is used up ({deadline.used:.1f} s), and no trial has completed, so "
            "there is no model to deliver; give a larger --time-budget",
            key="limits.time_budget",
        )


def check_time_to_pick(done: Summary, deadline: Deadline) -> None:
    """Refuse a budget that is too far spent for picking an experiment's winner again.

    Args:
        done: the result so far; how long its session took to start, prepare, test and close is known from it.
        deadline: the clock, with what earlier sessions have used.

    Raises:
        ConfigError: the time does not reach. Says how much would.
    """
    left = deadline.budget - deadline.used
    needed = _spent(done, "start", "prepare", "test", "close") + WAY_OUT
    if left < needed:
        raise ConfigError(
            f"picking the winner again takes about {needed:.1f} s, and of the budget of {deadline.budget:g} s "
            f"{max(0.0, left):.1f} s are left; give --time-budget {math.ceil(deadline.used + needed)}s or more",
            key="limits.time_budget",
        )


def _spent(done: Summary, *phases: str) -> float:
    return sum(phase.spent for phase in done.budget.phases if phase.name in phases)


def ask_to_extend(directory: ExperimentDirectory, **limits: Any) -> None:
    """Ask the process that runs an experiment for more, and wait until it has agreed.

    Raises:
        ConfigError: no limit is given, one is not there to be extended, or would be no larger.
        WorkspaceError: the experiment is not running, or is no longer searching.
    """
    if all(value is None for value in limits.values()):
        raise ConfigError("nothing to extend: give --time-budget or --max-trials, each as a total, not an addition")
    if not is_locked(directory):
        raise WorkspaceError(f"{directory.path} is not running: 'automl resume' extends it.")
    before, _ = read_config(directory.config)
    after = with_limits(before, **limits)
    for key in (key for key, value in limits.items() if value is not None):
        now, wanted = getattr(before.limits, key), getattr(after.limits, key)
        if now is None or wanted <= now:
            has = "no such limit, so it cannot be extended" if now is None else f"{now:g} already"
            raise ConfigError(f"{wanted:g} is not an extension: the experiment has {has}", key=f"limits.{key}")
    request(directory, "extend", **{key: value for key, value in limits.items() if value is not None})
    ends = time.monotonic() + _PATIENCE
    while is_locked(directory) and time.monotonic() < ends:
        if read_config(directory.config)[0] == after:
            return
        time.sleep(0.05)
    if read_config(directory.config)[0] != after:
        take(directory, "extend")
        raise WorkspaceError(f"{directory.path} is no longer searching: 'automl resume' extends it once it has ended.")


def extend_running(
    driver: Driver, config: ExperimentConfig, directory: ExperimentDirectory, deadline: Deadline
) -> ExperimentConfig:
    """Obey a request for more time or trials, if there is one. Returns the configuration that holds from now on."""
    asked = take(directory, "extend")
    if asked is None:
        return config
    try:
        after = with_limits(config, time_budget=asked.get("time_budget"), max_trials=asked.get("max_trials"))
    except AutomlError as error:  # not written by us
        log.warning("a request to extend is refused: %s", error)
        return config
    changed = {key for key in ("time_budget", "max_trials") if key in asked}
    criteria = [c for c in criteria_of(after.limits) if changed & type(c).Limits.model_fields.keys()]
    if not driver.extend(criteria):
        log.warning("a request to extend came too late: the search is ending")
        return config
    if after.limits.time_budget is not None:
        deadline.extend(after.limits.time_budget)
    save_config(after, directory)
    log.info("extended: %s", ", ".join(f"{key} {getattr(after.limits, key):g}" for key in sorted(changed)))
    return after
