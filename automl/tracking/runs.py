"""One experiment as MLflow runs: a parent, a child for every trial. Every step may be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.errors import AutomlError
from automl.registry.record import Registration
from automl.tracking import tags
from automl.tracking.database import checkpoint, sqlite_path
from automl.tracking.ending import Ending
from automl.tracking.records import TrialRecord, flatten, read_trial, run_status
from automl.tracking.rows import RunRows
from automl.tracking.store import experiment_of, open_client, quiet
from automl.yaml_file import read_document

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["ExperimentRuns"]

SMALL = 2**20
"""Bytes up to which a file counts as small and becomes an artifact."""
_MOST_FILES = 200
_PARENT = "mlflow.parentRunId"
_PAGE = 1000
_MOST_METRICS, _MOST_PARAMS = 1000, 100  # in one call


class ExperimentRuns:
    """The runs of one experiment in one store.

    What the store has is asked once, when this is made; a trial that is there, and ended, is never written again.

    Args:
        directory: the experiment.
        uri: the MLflow store.

    Raises:
        RegistryError: the store cannot be opened.
        Exception: whatever MLflow raises while it is read.
    """

    def __init__(self, directory: ExperimentDirectory, uri: str) -> None:
        self._directory, self.uri = directory, uri
        self._config = _read_config(directory)
        self.client = open_client(uri)
        with quiet():
            self._experiment_id = experiment_of(self.client, directory, uri)
            self._open: dict[int, str] = {}
            self._ended: dict[int, str] = {}
            self._parent = self._find() or self._create_parent()
            self._describe_parent()
            self._rows = RunRows.of(self.client, self._experiment_id)

    @property
    def mirrored(self) -> int:
        """Number of trials that are complete in MLflow."""
        return len(self._ended)

    def missing(self) -> list[int]:
        """Numbers of the trials that have a directory and are not complete in MLflow, ascending."""
        return [number for number in self._directory.trial_numbers() if number not in self._ended]

    def has(self, number: int) -> bool:
        return number in self._ended

    def run_behind(self, record: Registration) -> str:
        """The run that a registered model is attached to: its trial's, even if that is one of another experiment."""
        if record.experiment == self._directory.key:
            return self.run_of(record.trial)
        name, _, identifier = record.experiment.partition("/")
        other = ExperimentDirectory(self._directory.workspace.root / name / identifier)
        marks = {tags.EXPERIMENT: record.experiment, tags.KIND: "experiment" if record.trial is None else "trial"}
        if record.trial is not None:
            marks[tags.TRIAL] = str(record.trial)
        with quiet():
            experiment_id = experiment_of(self.client, other, self.uri)
            query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in marks.items())
            if runs := self.client.search_runs([experiment_id], query, max_results=1):
                return str(runs[0].info.run_id)
            title = identifier if record.trial is None else f"trial {record.trial:05d}"
            return str(self.client.create_run(experiment_id, run_name=title, tags=marks).info.run_id)

    def run_of(self, number: int | None) -> str:
        """The run of a trial, mirrored now if it has not been; the parent's for None and for a trial without result."""
        if number is None or not self.mirror(number):
            return self._parent
        return self._ended[number]

    def mirror(self, number: int) -> bool:
        """Write a trial's run. False if the trial has no result yet.

        Where it takes three writes, they may be cut off anywhere: the run is found again by its tags, and what it has
        is not added twice, since MLflow drops a metric of equal step, time and value and a parameter of equal value.
        """
        if number in self._ended:
            return True
        record = read_trial(self._directory.trial(number), self._metric)
        if record is None:
            return False
        with quiet():
            if self._rows is not None and number not in self._open:
                status, tag_pairs = run_status(record.result.status), self._child_tags(number, record)
                self._ended[number] = self._rows.add(record, name=_name(number), status=status, tags=tag_pairs)
                return True
            run_id = self._open.get(number) or self._create_child(number, record)
            self._open[number] = run_id
            self._log(run_id, record, {} if number not in self._orphans else self._child_tags(number, record))
            self.client.set_terminated(run_id, run_status(record.result.status), record.ended)
        self._ended[number] = self._open.pop(number)
        return True

    def end(self, ending: Ending) -> None:
        """Close the parent run: the winner's metrics and small files, the experiment's own, its tags."""
        with quiet():
            self._attach(self._parent, [self._directory.path / name for name in ending.files], "")
            own = {**ending.tags}
            if ending.winner is not None:
                self._attach_winner(ending.winner)
            self._write(self._parent, tag_pairs=own)
            self.client.set_terminated(self._parent, "FINISHED")
        self.checkpoint()

    def checkpoint(self) -> None:
        """Leave a sqlite database whole in its one file."""
        if (path := sqlite_path(self.uri)) is not None:
            checkpoint(path)

    # The parent

    @property
    def _metric(self) -> str | None:
        """The primary metric's name as the configuration has it: text, {name, goal}, or a list of these."""
        metric = self._config.get("metric")
        first = metric[0] if isinstance(metric, list) and metric else metric
        name = first.get("name") if isinstance(first, dict) else first
        return name if isinstance(name, str) and name else None

    def _find(self) -> str | None:
        """Read what the store has of this experiment; the parent's id if it is there."""
        parent: str | None = None
        self._orphans: set[int] = set()  # runs that a registration made when the mirror was off: no parent yet
        for run in self._runs():
            if run.data.tags.get(tags.KIND) == "experiment":
                parent = run.info.run_id
                continue
            number = int(run.data.tags[tags.TRIAL])
            ended = run.info.status in ("FINISHED", "FAILED", "KILLED")
            (self._ended if ended else self._open)[number] = run.info.run_id
            if _PARENT not in run.data.tags:
                self._orphans.add(number)
        return parent

    def _runs(self) -> Iterator[Run]:
        query = f"tags.`{tags.EXPERIMENT}` = '{self._directory.key}'"
        token: str | None = None
        while True:
            page = self.client.search_runs([self._experiment_id], query, max_results=_PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _create_parent(self) -> str:
        marks = {tags.EXPERIMENT: self._directory.key, tags.KIND: "experiment"}
        run = self.client.create_run(self._experiment_id, run_name=self._directory.id, tags=marks)
        return str(run.info.run_id)

    def _describe_parent(self) -> None:
        run = self.client.get_run(self._parent)
        known = run.data.params  # immutable: an extended experiment keeps the limits it began with
        new = {name: text for name, text in flatten(self._config).items() if name not in known}
        self._write(self._parent, params=new, tag_pairs={"automl.directory": str(self._directory.path)})
        self._attach(self._parent, [self._directory.config], "")
        if run.info.status != "RUNNING":
            self.client.update_run(self._parent, status="RUNNING")

    def _attach_winner(self, folder: str) -> None:
        place = TrialDirectory(self._directory.path / folder)
        record = read_trial(place, self._metric)
        if record is None:
            return
        finals = {point.name: point for point in record.points}  # the last of each name is its final value
        self._write(self._parent, points=list(finals.values()))
        outputs = place.outputs
        run_id = self.run_of(record.result.number)
        files = sorted(outputs.rglob("*")) if outputs.is_dir() else []
        for file in files[:_MOST_FILES]:
            self._attach(run_id, [file], "/".join(("outputs", *file.relative_to(outputs).parent.parts)))

    # A child

    def _create_child(self, number: int, record: TrialRecord) -> str:
        run = self.client.create_run(
            self._experiment_id,
            start_time=record.started,
            run_name=_name(number),
            tags=self._child_tags(number, record),
        )
        return str(run.info.run_id)

    def _child_tags(self, number: int, record: TrialRecord) -> dict[str, str]:
        result = record.result
        marks = {
            _PARENT: self._parent,
            tags.EXPERIMENT: self._directory.key,
            tags.KIND: "trial",
            tags.TRIAL: str(number),
            "automl.algorithm": result.algorithm,
            "automl.status": str(result.status),
        }
        if result.parent is not None:
            marks["automl.parent"] = str(result.parent)
        if result.fidelity != 1.0:
            marks["automl.fidelity"] = f"{result.fidelity:g}"
        if result.partial is not None:
            marks[tags.EXTENT] = result.extent
        if result.failure is not None:
            marks["automl.failure"] = f"{result.failure.kind}: {result.failure.message}"[:500]
        return marks

    def _log(self, run_id: str, record: TrialRecord, tag_pairs: dict[str, str]) -> None:
        self._write(run_id, points=record.points, params=dict(record.params), tag_pairs=tag_pairs)

    # Writing

    def _write(
        self,
        run_id: str,
        *,
        points: Sequence[Any] = (),
        params: dict[str, str] | None = None,
        tag_pairs: dict[str, str] | None = None,
    ) -> None:
        """All of it in as few calls as MLflow's limits allow: one, for nearly every trial."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(point.name, point.value, point.time, point.step) for point in points]
        named = [Param(name, text) for name, text in (params or {}).items()]
        marks = [RunTag(name, text) for name, text in (tag_pairs or {}).items()]
        while metrics or named or marks:
            self.client.log_batch(run_id, metrics[:_MOST_METRICS], named[:_MOST_PARAMS], marks[:_MOST_PARAMS])
            metrics, named, marks = metrics[_MOST_METRICS:], named[_MOST_PARAMS:], marks[_MOST_PARAMS:]

    def _attach(self, run_id: str, files: Sequence[Path], folder: str) -> None:
        for file in files:
            if file.is_file() and not file.is_symlink() and file.stat().st_size <= SMALL:
                self.client.log_artifact(run_id, str(file), folder or None)


def _name(number: int) -> str:
    return f"trial {number:05d}"


def _read_config(directory: ExperimentDirectory) -> dict[str, Any]:
    try:
        return read_document(directory.config).values
    except AutomlError:
        return {}  # an experiment that was killed before it wrote one
