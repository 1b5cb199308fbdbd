"""The invariants of a finished experiment, whatever has happened to it: record against journal against MLflow."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial

from automl.config.reader import read_config
from automl.config.schema import ExperimentConfig
from automl.engine.study.history import state_of
from automl.engine.trial.contract import TrialResult
from automl.engine.trial.records import read_result
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.experiment.models.registration import tracking_uri
from automl.experiment.results.summary import Summary
from automl.learning.problem.artifact import find_example
from automl.registry.candidate import CHAMPION
from automl.registry.example import read_example
from automl.registry.load import load_model
from automl.registry.places import ModelDirectory, find_model
from automl.registry.record import Registration
from automl.testing.kill_points import finished
from automl.tracking import tags
from automl.tracking.follower import wait_for_follower
from automl.tracking.records import run_status
from automl.tracking.store import open_client, quiet
from automl.tracking.versions import versions_of

__all__ = ["Findings", "Ledger", "examine"]

_PATIENCE = 180.0
"""Seconds in which MLflow has to have followed."""


@dataclass(frozen=True)
class Findings:
    """The flaws of an experiment, none if it is sound.

    Attributes:
        lost: numbers with a valid trial.json that the journal was never told of.
        repeated: numbers that ran again, or were written again, after they had finished.
        broken: registered versions that do not load or do not predict, as ``NAME/VERSION``.
        problems: everything else, one sentence each.
    """

    lost: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    broken: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not (self.lost or self.repeated or self.broken or self.problems)


class Ledger:
    """The state of finished trials when they were first seen: they must never change again."""

    def __init__(self) -> None:
        self._seen: dict[int, str] = {}

    def note(self, directory: ExperimentDirectory) -> None:
        """Record every finished trial that is not known yet."""
        for number in finished(directory) - self._seen.keys():
            self._seen[number] = _digest(directory.trial(number))

    def repeated(self, directory: ExperimentDirectory) -> tuple[int, ...]:
        """Numbers whose record is not what it was."""
        return tuple(n for n, digest in sorted(self._seen.items()) if _digest(directory.trial(n)) != digest)


def examine(directory: ExperimentDirectory, ledger: Ledger | None = None) -> Findings:
    """Check a finished experiment, once MLflow has followed. It must not be running.

    Args:
        directory: the experiment's.
        ledger: what its trials looked like before.

    Raises:
        AutomlError: it is so damaged that it cannot be read.
    """
    config, _ = read_config(directory.config)
    followed = wait_for_follower(directory.workspace, _PATIENCE)
    results = {number: read_result(directory.trial(number)) for number in directory.trial_numbers()}
    valid = {number: result for number, result in results.items() if result is not None}
    journal = {trial.number: trial for trial in _journal(directory)}
    summary = Summary.read(directory)
    problems = [
        *(f"trial {number} has no valid trial.json" for number in results.keys() - valid.keys()),
        *(f"trial {number} was proposed and has no trial.json" for number in journal.keys() - valid.keys()),
        *_gaps(sorted(valid)),
        *_unlike_journal(valid, journal),
        *_unlike_result(valid, summary),
        *(f"{path} is left over" for path in sorted(directory.path.rglob(".*.tmp"))),
        *([] if followed else ["MLflow still lacks something"]),
    ]
    broken: list[str] = []
    if config.tracking is not None and summary is not None:
        problems += _unlike_mlflow(directory, config, summary.metric, valid)
    if config.registry is not None:
        broken, odd = _versions(directory, config, summary)
        problems += odd
    untold = [n for n in sorted(valid) if n not in journal or not journal[n].state.is_finished()]
    return Findings(
        lost=tuple(untold),
        repeated=() if ledger is None else ledger.repeated(directory),
        broken=tuple(broken),
        problems=tuple(problems),
    )


def _digest(place: TrialDirectory) -> str:
    """Hash the result and the parameters: a trial that begins again writes these first."""
    digest = hashlib.sha256()
    for file in (place.result, place.params):
        digest.update(file.read_bytes() if file.exists() else b"gone")
    return digest.hexdigest()


def _journal(directory: ExperimentDirectory) -> Sequence[FrozenTrial]:
    """The trials, as anyone else's Optuna reads them."""
    path = str(directory.journal)
    storage = JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    (study,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=study.study_name, storage=storage).get_trials(deepcopy=False)


def _gaps(numbers: Sequence[int]) -> Iterator[str]:
    if list(numbers) != list(range(len(numbers))):
        yield f"the finished trials are {numbers}, not 0 to {len(numbers) - 1}"


def _unlike_journal(results: dict[int, TrialResult], journal: dict[int, FrozenTrial]) -> Iterator[str]:
    for number, result in results.items():
        told = journal.get(number)
        if told is None or not told.state.is_finished():
            continue  # lost: counted apart
        if told.state is not state_of(result.status):
            yield f"trial {number} is {result.status} in trial.json, but {told.state.name} in the journal"
        elif told.value is not None and told.value != result.value:
            yield f"trial {number} has {result.value} in trial.json, but {told.value} in the journal"


def _unlike_result(results: dict[int, TrialResult], summary: Summary | None) -> Iterator[str]:
    if summary is None:
        yield "there is no result.json"
        return
    if sum(summary.counts.values()) != len(results):
        yield f"result.json counts {sum(summary.counts.values())} trials, but there are {len(results)}"
    if summary.winner is None or not set(summary.winner.trials) <= set(results):
        yield f"result.json names {summary.winner and summary.winner.title} as the winner, and there is no such trial"


def _unlike_mlflow(
    directory: ExperimentDirectory, config: ExperimentConfig, metric: str, results: dict[int, TrialResult]
) -> Iterator[str]:
    client = open_client(tracking_uri(config, directory))
    with quiet():
        experiment = client.get_experiment_by_name(directory.name)
        if experiment is None:
            yield "MLflow has no such experiment"
            return
        query = f"tags.`{tags.EXPERIMENT}` = '{directory.key}'"
        runs: list[Any] = list(client.search_runs([experiment.experiment_id], query, max_results=10_000))
    parents = [run for run in runs if run.data.tags[tags.KIND] == "experiment"]
    children = [run for run in runs if run.data.tags[tags.KIND] == "trial"]
    if len(parents) != 1 or parents[0].info.status != "FINISHED":
        yield f"MLflow has these runs for the experiment: {[run.info.status for run in parents]}, and none is FINISHED"
    counts = Counter(int(run.data.tags[tags.TRIAL]) for run in children)
    if dict(counts) != dict.fromkeys(results, 1):
        odd = {n: counts[n] for n in sorted(counts.keys() | results.keys()) if counts[n] != (n in results)}
        yield f"MLflow has a number of runs other than one for these trials: {odd}"
    for run in children:
        result = results.get(int(run.data.tags[tags.TRIAL]))
        if result is not None:
            yield from _unlike_run(result, run, metric)


def _unlike_run(result: TrialResult, run: Any, metric: str) -> Iterator[str]:
    if run.info.status != run_status(result.status) or run.data.tags["automl.status"] != result.status:
        yield f"trial {result.number} is {result.status} in trial.json, but {run.info.status} in MLflow"
    shown = run.data.metrics.get(metric)
    if result.value is not None and shown != result.value:
        yield f"trial {result.number} has {result.value} in trial.json, but {shown} in MLflow"


def _versions(
    directory: ExperimentDirectory, config: ExperimentConfig, summary: Summary | None
) -> tuple[list[str], list[str]]:
    """Versions of the experiment's model that do not predict, and what else is odd about the registry."""
    assert config.registry is not None
    workspace = directory.workspace
    model = find_model(workspace, config.registry.name or directory.name)
    records = [version.read() for version in map(model.version, model.numbers())]
    odd = [f"{path} is left over" for path in sorted(workspace.registry.rglob(".*.tmp"))]
    own = [str(record.version) for record in records if record.experiment == directory.key]
    said = None if summary is None or summary.registered is None else summary.registered.version
    if said not in own:
        odd.append(f"result.json says that version {said} was registered, but the registry has {own}")
    if len({(record.model, record.experiment) for record in records}) != len(records):
        odd.append(f"a model was registered twice: {[record.model for record in records]}")
    references = [f"{record.name}/{record.version}" for record in records]
    broken = [reference for reference in references if not _predicts(reference, directory)]
    return broken, [*odd, *_unlike_registry(model, records, tracking_uri(config, directory))]


def _predicts(reference: str, directory: ExperimentDirectory) -> bool:
    rows = read_example(find_example(directory))
    try:
        return len(load_model(reference, directory.workspace).predict(rows)) == len(rows)
    except Exception:  # half a model raises anything
        return False


def _unlike_registry(model: ModelDirectory, records: Sequence[Registration], uri: str) -> Iterator[str]:
    """Say where MLflow differs: it is to have each version once, checked, under its number, and the same champion."""
    name = records[0].name if records else ""
    with quiet():
        client = open_client(uri)
        there = {str(version.version): version.tags for version in versions_of(client, name)} if records else {}
        aliases = client.get_registered_model(name).aliases if there else {}
    for record in records:
        origin = {tags.EXPERIMENT: record.experiment, tags.MODEL: record.model}
        found = [number for number, marks in there.items() if origin.items() <= marks.items()]
        if found != [str(record.version)]:
            yield f"{record.title} has these versions in MLflow: {found}"
    unchecked = [number for number, marks in there.items() if marks.get(tags.VERIFIED) != "true"]
    if unchecked:
        yield f"MLflow has versions of {name} that were never checked: {unchecked}"
    pointer = model.pointer()
    if pointer is not None and str(aliases.get(CHAMPION)) != str(pointer.version):
        yield f"the champion of {name} is version {pointer.version}, but in MLflow it is {aliases.get(CHAMPION)}"
