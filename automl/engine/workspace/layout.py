"""Names and places: a workspace, an experiment in it, a trial in that."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from automl.engine.workspace.atomic import leftovers
from automl.errors import WorkspaceError

__all__ = ["ExperimentDirectory", "TrialDirectory", "Workspace"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TRIAL = re.compile(r"[0-9]{5}|[1-9][0-9]{5,8}")
"""The name that `ExperimentDirectory.trial` gives a trial's directory."""


_RECORDS = (".json", ".yaml", ".journal", ".log", ".lock", ".npz", ".parquet")
"""Endings of the files of an experiment."""


@dataclass(frozen=True)
class TrialDirectory:
    """The files that one trial leaves behind. The same for an ensemble."""

    path: Path

    @property
    def params(self) -> Path:
        return self.path / "params.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def result(self) -> Path:
        return self.path / "trial.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    @property
    def checkpoint(self) -> Path:
        """A folder with the state that this trial's next attempt, or a child, continues from.

        It is not an output: nothing lists it, mirrors it or registers it. Only a search that continues needs it.
        """
        return self.path / "checkpoint"

    @property
    def completed(self) -> Path:
        """A note of what a running trial has completed: what is left of it where it is ended."""
        return self.path / "completed.json"

    @property
    def models(self) -> Path:
        return self.path / "models"

    @property
    def has_models(self) -> bool:
        """True if what it has left to be used is where it was written; retention deletes what will not be asked for."""
        return self.models.is_dir() and any(self.models.iterdir())

    @property
    def check(self) -> Path:
        """The models' predictions for the example inputs, once they were loaded back; of the most promising trials."""
        return self.path / "check.json"

    @property
    def registered(self) -> Path:
        """A mark that a registered model comes from this trial: retention leaves its models alone."""
        return self.path / "registered.json"


@dataclass(frozen=True)
class ExperimentDirectory:
    """The directory of one experiment: ``<workspace>/<experiment>/<id>``."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.parent.name

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def key(self) -> str:
        """The name by which records of the same workspace refer to it: ``name/id``."""
        return f"{self.name}/{self.id}"

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.path.parent.parent)

    @property
    def config(self) -> Path:
        return self.path / "experiment.yaml"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def journal(self) -> Path:
        return self.path / "study.journal"

    @cached_property
    def trials(self) -> Path:
        return self.path / "trials"

    @property
    def control(self) -> Path:
        return self.path / "control"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def clock(self) -> Path:
        """Seconds used so far, rewritten about once a second: what a resumed search counts from."""
        return self.path / "clock.json"

    @property
    def warm_start(self) -> Path:
        """The trials that an earlier experiment has lent to this one, so that a resumed session no longer needs it."""
        return self.path / "warm_start.json"

    @property
    def addresses(self) -> Path:
        """The hosts beyond this machine that it may use; there is none if it uses none."""
        return self.path / "addresses.json"

    @property
    def lock(self) -> Path:
        return self.path / ".lock"

    @property
    def mirror_lock(self) -> Path:
        """A lock held by the process that brings the experiment to MLflow."""
        return self.path / ".mirror.lock"

    @property
    def mirror_scratch(self) -> Path:
        """The directory that the mirror is building. Only the holder of the mirror's lock may touch it."""
        return self.path / ".mirror"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def log(self) -> Path:
        return self.path / "automl.log"

    def check(self) -> None:
        """Refuse an experiment in which something else is where a file or a folder belongs: a pipe would be waited
        for, say. Whatever is missing, or damaged inside, shows where it is read.

        Raises:
            WorkspaceError: says what and where.
        """
        try:
            for place in (self.data, self.trials, self.control, self.cache):
                if os.path.lexists(place) and not place.is_dir():
                    raise WorkspaceError(f"{place} is not a folder. Restore it, or move it away.")
            for place in (self.path, self.data):
                _check_files(place)
        except OSError as error:
            raise WorkspaceError(f"Cannot read {error.filename or self.path}: {error.strerror or error}.") from error

    def sweep(self) -> None:
        """Delete what writers that were killed have left half written. Only for the holder of its lock."""
        folders = [self.path, self.data, self.control, self.trials]
        for trial in map(self.trial, self.trial_numbers()):
            # What a finished trial has in its outputs is what its record says, whatever it is called.
            folders += [trial.path] if trial.result.exists() else [trial.path, trial.outputs]
        for folder in folders:
            for path in leftovers(folder):
                if path.is_dir() and not path.is_symlink():  # models that were being deleted, or put back
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete it with all that it holds, and its name's folder if no other experiment is in there."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()

    def trial(self, number: int) -> TrialDirectory:
        return TrialDirectory(self.trials / f"{number:05d}")

    def known_trial(self, number: int) -> TrialDirectory:
        """The directory of a trial that is there.

        Raises:
            WorkspaceError: there is no such trial.
        """
        numbers = self.trial_numbers()
        if number not in numbers:
            there = f"its trials are {numbers[0]} to {numbers[-1]}" if numbers else "it has none yet"
            raise WorkspaceError(f"There is no trial {number} in {self.path}: {there}.")
        return self.trial(number)

    def trial_numbers(self) -> list[int]:
        """Numbers of all trials that have a directory, ascending. Anything else there is left alone.

        Raises:
            WorkspaceError: the trials cannot be listed.
        """
        try:
            with os.scandir(self.trials) as entries:
                return sorted(int(e.name) for e in entries if _TRIAL.fullmatch(e.name) and e.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise WorkspaceError(f"Cannot list the trials in {self.trials}: {error.strerror or error}.") from error


@dataclass(frozen=True)
class Workspace:
    """The folder that holds all experiments, the tracking database and the registry."""

    root: Path

    @classmethod
    def find(cls, root: str | Path | None = None) -> Workspace:
        """The workspace at `root`; by default $AUTOML_HOME, else ``./automl_runs``."""
        return cls(Path(root or os.environ.get("AUTOML_HOME") or "automl_runs").expanduser().absolute())

    @property
    def mlflow_database(self) -> Path:
        return self.root / "mlflow.db"

    @property
    def registry(self) -> Path:
        """Registered models: a folder for each name."""
        return self.root / "registry"

    @property
    def owed(self) -> Path:
        """A mark for each experiment of which MLflow lacks something. No experiment can have this name."""
        return self.root / ".mlflow"

    def create_experiment(self, name: str) -> ExperimentDirectory:
        """Make the directory of a new experiment. Two at once never get the same one.

        Raises:
            WorkspaceError: the name cannot be a folder's, or the workspace cannot be written to.
        """
        if not _NAME.fullmatch(name):
            raise WorkspaceError(
                f"{name!r} cannot name an experiment: use letters, digits, '.', '_' and '-', "
                "beginning with a letter or a digit."
            )
        while True:
            identifier = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            experiment = ExperimentDirectory(self.root / name / identifier)
            try:
                experiment.path.parent.mkdir(parents=True, exist_ok=True)
                experiment.path.mkdir()
                for folder in (experiment.data, experiment.trials, experiment.control, experiment.cache):
                    folder.mkdir()
            except FileExistsError as error:
                if experiment.path.is_dir():
                    continue  # another process drew the same id
                raise WorkspaceError(
                    f"Cannot use the workspace {self.root}: {error.filename} is in the way."
                ) from error
            except OSError as error:
                raise WorkspaceError(
                    f"Cannot write to the workspace {self.root}: {error.strerror}. "
                    "Choose another with AUTOML_HOME or the workspace option."
                ) from error
            return experiment

    def experiments(self) -> Iterator[ExperimentDirectory]:
        """All experiments, oldest first within each name."""
        for config in sorted(self.root.glob("*/*/experiment.yaml")):
            if config.is_file():
                yield ExperimentDirectory(config.parent)

    def experiment(self, reference: str | Path) -> ExperimentDirectory:
        """The experiment that `reference` means: a directory, an id, a name (its newest), or ``name/id``.

        Raises:
            WorkspaceError: there is none, or something in it is not what it should be.
        """
        found = self._found(reference)
        found.check()
        return found

    def _found(self, reference: str | Path) -> ExperimentDirectory:
        if (Path(reference) / "experiment.yaml").is_file():
            return ExperimentDirectory(Path(reference).absolute())
        text = str(reference).strip("/")
        matches = [e for e in self.experiments() if text in (e.id, e.name, f"{e.name}/{e.id}")]
        if not matches:
            raise WorkspaceError(
                f"There is no experiment {str(reference)!r} in {self.root}; 'automl runs list' shows what there is."
            )
        return max(matches, key=lambda e: e.id)


def _check_files(folder: Path) -> None:
    """Raise WorkspaceError for what is neither a file nor a folder, and for a folder with the name of a record."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.is_file() or (entry.is_dir() and not entry.name.endswith(_RECORDS))):
                raise WorkspaceError(f"{entry.path} is not a file. Restore it, or move it away.")
