from __future__ import annotations

import pytest
from mlflow.store.db.base_sql_model import Base
from mlflow.store.tracking.dbmodels import models  # noqa: F401 - fills Base.metadata
from sqlalchemy import Column, MetaData, String

from automl.tracking.rows import are_known

WRITTEN = ("runs", "tags", "params", "metrics", "latest_metrics")


@pytest.fixture
def tables() -> MetaData:
    """MLflow's tables, to be changed."""
    copied = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(copied)
    return copied


def test_the_installed_mlflow_has_the_tables_that_are_written_to(tables: MetaData) -> None:
    assert are_known(tables)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_with_a_column_that_nobody_knows_is_left_to_mlflows_client(tables: MetaData, name: str) -> None:
    tables.tables[name].append_column(Column("unit", String(10)))
    assert not are_known(tables)


@pytest.mark.parametrize("name", WRITTEN)
def test_so_is_a_table_that_is_gone(tables: MetaData, name: str) -> None:
    tables.remove(tables.tables[name])
    assert not are_known(tables)


def test_another_table_is_nobodys_business(tables: MetaData) -> None:
    tables.tables["experiments"].append_column(Column("unit", String(10)))
    assert are_known(tables)
