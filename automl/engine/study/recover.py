"""Trials that are on disk and not in the journal, whose end was lost: by a power cut, or in a copy.

What trial.json says comes first: a number that has finished is never given to another configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from optuna.trial import FixedTrial

from automl.engine.space.space import SearchSpace
from automl.engine.study.history import History
from automl.engine.trial.contract import TrialResult
from automl.engine.trial.records import read_proposed, read_result
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import AutomlError

__all__ = ["recover_lost_trials"]

log = logging.getLogger("automl")


def recover_lost_trials(
    history: History,
    directory: ExperimentDirectory,
    space: SearchSpace,
    eligible: Callable[[TrialResult], bool],
) -> int:
    """Enter the trials that the journal has lost, up to the last one that has finished.

    It ends early at a trial whose parameters cannot be read, or are not in `space`.

    Args:
        eligible: tells whether what a trial left could win.

    Returns:
        How many were entered.
    """
    first = history.count
    ended = {
        number: result
        for number in directory.trial_numbers()
        if number >= first and (result := read_result(directory.trial(number))) is not None
    }
    for number in range(first, max(ended, default=-1) + 1):
        result = ended.get(number)
        if not _enter(history, directory, space, number, 0.0 if result is None else result.elapsed):
            log.warning("the configuration of trial %d is lost: it and those after it are run again", number)
            break
        if result is not None:
            history.tell(result, eligible=eligible(result))
    if history.count > first:
        history.commit()
        log.warning("%d trials were missing in the journal, and are entered again", history.count - first)
    return history.count - first


def _enter(history: History, directory: ExperimentDirectory, space: SearchSpace, number: int, elapsed: float) -> bool:
    """Add the trial as it was proposed; False if that cannot be found out."""
    try:
        proposed = read_proposed(directory.trial(number))
        if proposed is None or proposed.algorithm not in space.algorithms:
            return False
        algorithm = space.algorithms[proposed.algorithm]
        trial = FixedTrial(algorithm.encode(proposed.params, proposed.algorithm))
        algorithm.ask(trial, proposed.algorithm)
    except (AutomlError, TypeError, ValueError):
        return False
    history.add(
        proposed.algorithm,
        trial.params,
        trial.distributions,
        elapsed=elapsed,
        parent=proposed.parent,
        fidelity=proposed.fidelity,
        stage=proposed.stage,
        notes=proposed.notes,
    )
    return True
