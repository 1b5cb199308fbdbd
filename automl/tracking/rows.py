"""A whole run in one transaction, where MLflow's store is a database that this process talks to.

MLflow's client takes three calls for a run that has ended, each with its own session, and looks before each row
whether it is there: 20 to 25 ms. Of a run that has not begun all rows are new. It is written whole or not at all.

Another version of MLflow may keep more of a run, or keep it elsewhere: where its tables are not the ones that are known
here, column by column, the client writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automl.tracking.records import TrialRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy import MetaData

__all__ = ["RunRows", "are_known"]

_POINT = frozenset({"run_uuid", "key", "value", "timestamp", "step", "is_nan"})
_PAIR = frozenset({"run_uuid", "key", "value"})
_COLUMNS: Mapping[str, frozenset[str]] = {
    "runs": frozenset(
        {
            "run_uuid",
            "name",
            "experiment_id",
            "artifact_uri",
            "source_type",
            "source_name",
            "entry_point_name",
            "source_version",
            "user_id",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "deleted_time",
        }
    ),
    "tags": _PAIR,
    "params": _PAIR,
    "metrics": _POINT,
    "latest_metrics": _POINT,
}
"""Every column of the tables that are written to; of a run that is there ``deleted_time`` is empty."""
_CALLED = ("ManagedSessionMaker", "sanitize_metric_value", "ARTIFACTS_FOLDER_NAME")
"""The parts of MLflow's store that are used."""


def are_known(tables: MetaData) -> bool:
    """Tell whether a run consists of the columns that are written here, and of no others."""
    return all(
        name in tables.tables and set(tables.tables[name].columns.keys()) == columns
        for name, columns in _COLUMNS.items()
    )


class RunRows:
    """Adds runs that have ended to an experiment.

    Args:
        store: of the database.
        experiment: MLflow's.
    """

    def __init__(self, store: SqlAlchemyStore, experiment: Experiment) -> None:
        self._store, self._experiment = store, experiment

    @classmethod
    def of(cls, client: MlflowClient, experiment_id: str) -> RunRows | None:
        """None where the store is not a database, or is one of another kind: a server, a plugin, another version's."""
        from mlflow.store.db.base_sql_model import Base
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = client._tracking_client.store
        is_ours = type(store) is SqlAlchemyStore and are_known(Base.metadata)
        if not is_ours or not all(hasattr(store, name) for name in _CALLED):
            return None
        return cls(store, client.get_experiment(experiment_id))

    def add(self, record: TrialRecord, *, name: str, status: str, tags: Mapping[str, str]) -> str:
        """Write the run of a trial; its id.

        Args:
            status: MLflow's word for how it ended.
        """
        from mlflow.store.tracking.dbmodels import models
        from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
        from sqlalchemy import insert

        run = uuid.uuid4().hex
        metrics = self._metrics(record, run)
        latest: dict[str, dict[str, Any]] = {}
        for row in metrics:
            if row["key"] not in latest or _age(row) > _age(latest[row["key"]]):
                latest[row["key"]] = row
        named = {**tags, MLFLOW_RUN_NAME: name}
        with self._store.ManagedSessionMaker(read_only=False) as session:
            session.execute(insert(models.SqlRun), [self._run(record, run, name, status)])
            for table, rows in (
                (models.SqlTag, [{"run_uuid": run, "key": key, "value": value} for key, value in named.items()]),
                (models.SqlParam, [{"run_uuid": run, "key": k, "value": value} for k, value in record.params.items()]),
                (models.SqlMetric, metrics),
                (models.SqlLatestMetric, list(latest.values())),
            ):
                if rows:
                    session.execute(insert(table), rows)
        return run

    def _run(self, record: TrialRecord, run: str, name: str, status: str) -> dict[str, Any]:
        from mlflow.utils.uri import append_to_uri_path

        folder = append_to_uri_path(self._experiment.artifact_location, run, self._store.ARTIFACTS_FOLDER_NAME)  # type: ignore[no-untyped-call]
        return {
            "run_uuid": run,
            "name": name,
            "experiment_id": int(self._experiment.experiment_id),
            "artifact_uri": folder,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "source_version": "",
            "user_id": "unknown",  # as MLflow's client says
            "status": status,
            "start_time": record.started,
            "end_time": record.ended,
            "lifecycle_stage": "active",
        }

    def _metrics(self, record: TrialRecord, run: str) -> list[dict[str, Any]]:
        """One row for each point; equal ones are one."""
        rows = {}
        for point in record.points:
            is_nan, value = self._store.sanitize_metric_value(point.value)
            rows[point.name, point.step, point.time, value, is_nan] = {
                "run_uuid": run,
                "key": point.name,
                "value": value,
                "timestamp": point.time,
                "step": point.step,
                "is_nan": is_nan,
            }
        return list(rows.values())


def _age(row: Mapping[str, Any]) -> tuple[int, int, float]:
    """By which MLflow tells a metric's latest value."""
    return row["step"], row["timestamp"], row["value"]
