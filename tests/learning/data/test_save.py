"""The fingerprint, and tables on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.errors import DataError, WorkspaceError
from automl.learning.data.load import load_table
from automl.learning.data.options import DataOptions
from automl.learning.data.save import check_unchanged, load_saved, save_summary, save_table
from automl.learning.data.table import Table

DATA = pd.DataFrame(
    {
        "n": [1.5, None, 3.0] * 4,
        "i": np.arange(12, dtype="int32") % 5,
        "s": ["a", None, "ü"] * 4,
        "b": [True, False, None] * 4,
        "d": pd.date_range("2026-01-01", periods=12),
        "w": np.linspace(1, 2, 12),
        "g": ["u", "v"] * 6,
        "y": ["no", "yes"] * 6,
    }
)
OPTIONS = DataOptions(target="y", weight="w", group="g")


def load(data: pd.DataFrame = DATA, **options) -> Table:
    return load_table(data, OPTIONS.model_copy(update=options), task="classification")


def assert_equal(a: Table, b: Table) -> None:
    pd.testing.assert_frame_equal(a.X, b.X)
    assert (a.name, a.target, a.columns, a.guardrails, a.fingerprint) == (
        b.name,
        b.target,
        b.columns,
        b.guardrails,
        b.fingerprint,
    )
    for left, right in zip([a.y, *a.roles().values()], [b.y, *b.roles().values()], strict=True):
        assert left.dtype == right.dtype
        assert left.tolist() == right.tolist()


def test_a_saved_table_comes_back_equal(tmp_path: Path) -> None:
    table = load(time="d", test=DATA.head(6))
    save_table(table, tmp_path / "data")
    back = load_saved(tmp_path / "data")
    assert_equal(back, table)
    assert back.test is not None
    assert table.test is not None
    assert_equal(back.test, table.test)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_infinity=False) | st.none(),
            st.text(max_size=5) | st.none(),
            st.booleans() | st.none(),
            st.integers(-(2**63), 2**63 - 1),
        ),
        min_size=5,
        max_size=12,
    )
)
def test_any_values_come_back_equal(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    data = pd.DataFrame(rows, columns=["f", "s", "b", "i"]).assign(steady=range(len(rows)))
    table = load_table((data, ["p", "q"] * (len(rows) // 2) + ["p"] * (len(rows) % 2)), task="classification")
    directory = tmp_path_factory.mktemp("table")
    save_table(table, directory)
    assert_equal(load_saved(directory), table)


def test_the_fingerprint_does_not_depend_on_where_the_data_came_from(tmp_path: Path) -> None:
    DATA.to_csv(tmp_path / "t.csv", index=False)
    DATA.to_parquet(tmp_path / "t.parquet")
    reference = load(DATA.astype({"i": "int64"})).fingerprint
    assert load_table(tmp_path / "t.csv", OPTIONS, task="classification").fingerprint == reference
    parquet = load_table(tmp_path / "t.parquet", OPTIONS, task="classification", columns={"d": "date"})
    assert parquet.X.dtypes["i"] == "int32"  # its own type is part of the content
    assert parquet.fingerprint == load().fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(n=d["n"].fillna(0)),
        lambda d: d.assign(s=d["s"].replace("a", "A")),
        lambda d: d.assign(y=d["y"].replace("no", "never")),
        lambda d: d.assign(w=d["w"] * 2),
        lambda d: d.assign(g="u"),
        lambda d: d.rename(columns={"n": "m"}),
        lambda d: d[d.columns[::-1]],
        lambda d: d.iloc[::-1],
        lambda d: d.head(11),
        lambda d: d.astype({"i": "int64"}),
    ],
)
def test_any_change_changes_the_fingerprint(change) -> None:
    assert load(change(DATA)).fingerprint != load().fingerprint


def test_the_fingerprint_is_the_same_in_another_session() -> None:
    code = (
        "from automl.learning.data.load import load_table; "
        "print(load_table('iris', task='classification').fingerprint, end='')"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other == load_table("iris", task="classification").fingerprint
    assert len(other) == 64


def test_changed_data_is_noticed(tmp_path: Path) -> None:
    save_summary(load(), tmp_path)
    check_unchanged(load(), tmp_path)
    with pytest.raises(DataError, match=r"data of this experiment has changed .*\(12 rows then, 11 now\)"):
        check_unchanged(load(DATA.head(11)), tmp_path)
    save_summary(load(test=DATA.head(6)), tmp_path)
    with pytest.raises(DataError, match="The test data of this experiment has changed"):
        check_unchanged(load(test=DATA.head(7)), tmp_path)


def test_the_summary_says_what_was_understood(tmp_path: Path) -> None:
    save_summary(load(), tmp_path)
    summary = json.loads((tmp_path / "table.json").read_text())
    assert summary["format_version"] == 1
    assert summary["fingerprint"] == load().fingerprint
    assert summary["columns"][0] == {"name": "n", "kind": "numeric", "missing": 4, "unique": 2, "note": ""}
    assert summary["roles"] == ["weight", "group"]


def test_a_tampered_copy_is_refused(tmp_path: Path) -> None:
    save_table(load(), tmp_path)
    features = pd.read_parquet(tmp_path / "features.parquet")
    features.assign(n=0.0).to_parquet(tmp_path / "features.parquet")
    with pytest.raises(DataError, match="is not what was saved"):
        load_saved(tmp_path)


def test_a_damaged_copy_is_refused(tmp_path: Path) -> None:
    save_table(load(), tmp_path)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(WorkspaceError, match=r"Cannot read .*rows\.parquet"):
        load_saved(tmp_path)
    with pytest.raises(WorkspaceError, match="Cannot read"):
        load_saved(tmp_path / "nowhere")
