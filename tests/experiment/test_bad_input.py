"""Bad input ends in one sentence that the user can act on, or is handled with a line that says so."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import automl
from automl.api import list_runs
from automl.cli.console import run
from automl.errors import (
    AutomlError,
    ConfigError,
    DataError,
    ExecutorError,
    JournalError,
    MetricError,
    SpaceError,
    TrustError,
    WorkspaceError,
)
from automl.experiment.result import Result

ROWS = 60
QUIET: dict[str, Any] = {"tracking": None, "registry": None, "progress": False, "compute": {"executor": "inline"}}
CHEAP = {"classification": "naive_bayes", "regression": "ridge"}


def search(algorithm: str) -> dict[str, Any]:
    return {"algorithms": {"allow": [algorithm]}, "portfolio": False}


def fit(data: Any, *, task: str = "classification", **arguments: Any) -> Result:
    options = {"max_trials": 1, "validation": {"strategy": "holdout"}, "search": search(CHEAP.get(task, "")), **QUIET}
    return automl.fit(task, data, **{**options, **arguments})


def table(**columns: Any) -> pd.DataFrame:
    """Two numbers, a category and a target that follows the first number; `columns` are added, or replace these."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS), "c": ["x", "y", "z"] * (ROWS // 3)})
    return frame.assign(target=np.where(frame["a"] > 0, "yes", "no")).assign(**columns)


def using(**options: Any) -> dict[str, Any]:
    return {"source": table(), "target": "target", **options}


def file(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder / name

    return write


def truncated_parquet(folder: Path) -> Path:
    table().to_parquet(folder / "whole.parquet")
    content = (folder / "whole.parquet").read_bytes()
    return file("half.parquet", content[: len(content) // 2])(folder)


# Refused. Each: what is given as data (or, by a function, made in a folder), further arguments, the error, its words.
Refusal = tuple[Any, Mapping[str, Any], type[AutomlError], str]

FILES: dict[str, Refusal] = {
    "missing": (
        file("iris.csv", "x"),
        {"data": "iriss.csv"},
        DataError,
        r"no file .*iriss\.csv\. Did you mean 'iris\.csv'",
    ),
    "empty": (file("e.csv", ""), {}, DataError, r"e\.csv is empty"),
    "only blanks": (file("e.csv", " \n\n"), {}, DataError, r"e\.csv is empty"),
    "header only": (file("h.csv", "a,b,target\n"), {}, DataError, "a header and no rows below it"),
    "a folder": (lambda folder: folder, {}, DataError, "is a folder, not a table"),
    "binary": (file("b.csv", bytes(range(256)) * 9), {}, DataError, "neither text nor Parquet"),
    "binary without zeros": (file("b.csv", bytes(range(1, 256)) * 9), {}, DataError, "neither text nor Parquet"),
    "half a Parquet": (truncated_parquet, {}, DataError, r"half\.parquet as Parquet: .*corrupted"),
    "no Parquet": (file("c.parquet", "a,b\n1,2\n"), {}, DataError, r"c\.parquet as Parquet"),
    "no gzip": (file("c.csv.gz", "a,b\n1,2\n"), {}, DataError, "Not a gzipped file"),
    "a spreadsheet": (file("c.xlsx", b"PK\3\4"), {}, DataError, "save the table as CSV or Parquet"),
    "ragged": (
        file("r.csv", "a,b,target\n1,2,x\n1,2,3,4,y\n" * 9),
        {},
        DataError,
        "Expected 3 fields in line 3, saw 5",
    ),
    "an open quote": (file("q.csv", 'a,target\n"1,x\n' + "1,y\n" * 20), {}, DataError, "EOF inside string"),
    "an unknown scheme": (
        "htp://nobody/x.csv",
        {},
        DataError,
        "htp://nobody/x.csv: data is read from paths, and from URLs that begin with",
    ),
    "no such dataset": ("irs", {}, DataError, "Did you mean 'iris'.*datasets of the catalogue are"),
    "images": ("mnist", {"task": "regression"}, DataError, "holds images: write task: image_classification"),
}

TABLES: dict[str, Refusal] = {
    "no target": (table(), {"target": None}, DataError, r"the file, or target=\.\.\.; likely ones are 'target', 'c'"),
    "misspelt target": (table(), {"target": "tarket"}, DataError, r"not a column of the table\. Did you mean 'target'"),
    "target of another case": (table(), {"target": "TARGET"}, DataError, "Did you mean 'target'"),
    "a target twice": (table().set_axis(["a", "target", "c", "target"], axis=1), {}, DataError, "Several columns are"),
    "one class": (table(target="yes"), {}, DataError, "a single class, 'yes'"),
    "no value of the target": (table(target=np.nan), {}, DataError, "'target' has no value in any row"),
    "every row a class": (table(target=[f"c{i}" for i in range(ROWS)]), {}, DataError, "a separate class"),
    "a quantity for a class": (table(), {"target": "a"}, DataError, "continuous, not a label.*Use task: regression"),
    "dates for classes": (table(target=pd.date_range("2024", periods=ROWS)), {}, DataError, "dates or durations"),
    "lists for classes": (table(target=[[1]] * ROWS), {}, DataError, "lists or objects; it must hold one label"),
    "text for a quantity": (table(), {"task": "regression"}, DataError, "'yes', which is not a number"),
    "true for a quantity": (table(target=True), {"task": "regression"}, DataError, "use task: classification"),
    "a constant": (table(target=3.0), {"task": "regression"}, DataError, "the same value 3 in every row"),
    "two rows": (table().head(2), {}, DataError, "2 rows with a target; at least 5 are needed"),
    "no rows": (table().head(0), {}, DataError, "The table has no rows"),
    "no features": (table()[["target"]], {}, DataError, "there is nothing to learn from"),
    "constant features": (
        table()[["target"]].assign(a=1),
        {},
        DataError,
        r"No column can be learned from: a \(always 1\)",
    ),
    "lists alone": (
        table()[["target"]].assign(a=[[1]] * ROWS),
        {},
        DataError,
        r"No column can be learned from: a \(cells",
    ),
    "X and y of different lengths": ((np.ones((60, 2)), [0, 1, 0]), {"target": None}, DataError, "60 rows and y has 3"),
    "X without columns": ((np.ones((60, 0)), ["a", "b"] * 30), {"target": None}, DataError, "The table has no columns"),
    "X of one dimension": (
        (np.ones(60), ["a", "b"] * 30),
        {"target": None},
        DataError,
        r"this array has shape \(60,\)",
    ),
    "X of five": ((np.ones((60, 2, 2, 2, 2)), ["a", "b"] * 30), {"target": None}, DataError, "two dimensions"),
    "y of two columns": ((np.ones((60, 2)), np.ones((60, 2))), {"target": None}, DataError, "one value per row"),
    "complex numbers": (
        (np.ones((60, 2)) * 1j, ["a", "b"] * 30),
        {"target": None},
        DataError,
        "No column can be learned",
    ),
    "no data": (None, {"target": None}, ConfigError, "no data: name a file, a URL or a built-in dataset"),
    "a number": (5, {"target": None}, DataError, "Cannot learn from int: pass a path"),
}

ROLES: dict[str, Refusal] = {
    "negative weights": (using(source=table(w=-1.0), weight="w"), {}, DataError, "'w' must not be negative"),
    "weights of another length": (using(weight=np.ones(3)), {}, DataError, "3 values, and the table has 60 rows"),
    "no weight": (using(source=table(w=np.nan), weight="w"), {}, DataError, "no value in 60 rows; every row needs one"),
    "the target for a weight": (using(source=table(w=1.0), target="w", weight="w"), {}, DataError, "'w' is the target"),
    "no such group": (using(group="C"), {}, DataError, r"group column 'C' is not in the table\. Did you mean 'c'\?"),
    "text for time": (using(time="c"), {"validation": {}}, DataError, "'x', which is not a date; write dates as"),
    "one fold": (using(source=table(f=1)), {"validation": {"fold": "f"}}, DataError, "fold column has a single value"),
    "no such fold": (using(), {"validation": {"fold": "f"}}, DataError, "fold column 'f' is not in the table"),
    "groups without a group": (using(), {"validation": {"strategy": "group"}}, ConfigError, "needs data.group"),
    "more folds than rows": (using(), {"validation": {"folds": 99}}, ConfigError, "99 folds need as many rows"),
    "no such positive label": (using(positive_label="maybe"), {}, DataError, "it holds 'no' and 'yes'"),
    "a positive label of three": (using(target="c", positive_label="x"), {}, DataError, "needs two classes"),
    "test rows without a column": (
        using(test=table().drop(columns="b")),
        {},
        DataError,
        "test data cannot.* lacks .*: b",
    ),
    "test rows of a new class": (using(test=table(target="?")), {}, DataError, "training rows do not: '\\?'"),
    "test rows of another type": (
        using(target="a", test=table(a="high")),
        {"task": "regression"},
        DataError,
        "holds text here, and numbers in training",
    ),
    "infinite test rows": (using(target="a", test=table(a=1e200)), {"task": "regression"}, DataError, "absurdly large"),
    "no test file": (using(test="nowhere.csv"), {}, DataError, r"test data .*nowhere\.csv cannot be used"),
    "validation rows and folds": (
        using(),
        {"validation": {"source": table(), "strategy": "kfold"}},
        ConfigError,
        "excludes every other setting",
    ),
    "a column to drop": (using(), {"features": {"drop": ["bb"]}}, DataError, "Did you mean 'b'"),
    "the target to drop": (using(), {"features": {"drop": ["target"]}}, DataError, "not a feature anyway"),
    "a kind of no column": (using(), {"features": {"columns": {"aa": "numeric"}}}, DataError, "Did you mean 'a'"),
}


def estimator(path: str) -> dict[str, Any]:
    return {"search": {"space": {"algorithms": {"mine": {"estimator": path}}}}}


KEY = r"^search\.space\.algorithms\.mine\.estimator: "

SETTINGS: dict[str, Refusal] = {
    "a metric of the other task": (table(), {"metric": "rmse"}, MetricError, "'rmse' is for regression.* accuracy, "),
    "a misspelt metric": (table(), {"metric": "acuracy"}, MetricError, "Did you mean 'accuracy'"),
    "a binary metric": (table(), {"target": "c", "metric": "f1"}, MetricError, "exactly two classes, and there are 3"),
    "a misspelt task": (table(), {"task": "clasification"}, ConfigError, "did you mean 'classification'"),
    "a misspelt argument": (table(), {"time_bugdet": 3}, ConfigError, "did you mean 'limits.time_budget'"),
    "a name with a slash": (table(), {"name": "a/b"}, ConfigError, "'a/b' cannot name an experiment"),
    "a workspace in a file": (
        table(),
        {"workspace": __file__},
        WorkspaceError,
        "Cannot write to the workspace .*AUTOML_HOME",
    ),
    "a workspace below a file": (
        table(),
        {"workspace": f"{__file__}/x"},
        WorkspaceError,
        "Cannot write to the workspace",
    ),
    "a workspace below /proc": (table(), {"workspace": "/proc/x"}, WorkspaceError, "Cannot write to the workspace"),
    "no trusted package": (table(), estimator("os.system"), TrustError, f"{KEY}os.system is outside.*trust=True"),
    "a function": (table(), estimator("sklearn.base.clone"), TrustError, f"{KEY}.*none of the estimators that"),
    "a transformer": (
        table(),
        estimator("sklearn.preprocessing.Binarizer"),
        TrustError,
        f"{KEY}.*none of the estimators",
    ),
    "a misspelt class": (table(), estimator("sklearn.svm.SVCs"), SpaceError, f"{KEY}.*did you mean 'SVC'"),
    "a misspelt module": (table(), estimator("sklearn.swm.SVC"), TrustError, f"{KEY}.*did you mean 'sklearn.svm.SVC'"),
    "no path": (table(), estimator("SVC"), SpaceError, f"{KEY}'SVC' is not an import path"),
    "nothing that is installed": (
        table(),
        {"trust": True, **estimator("not_installed.Model")},
        SpaceError,
        f"{KEY}.*not_installed is not installed; if it is yours, run from its folder, or add that to PYTHONPATH",
    ),
}


REFUSED = [pytest.param(r, id=name) for group in (FILES, TABLES, ROLES, SETTINGS) for name, r in group.items()]


@pytest.mark.parametrize("refusal", REFUSED)
def test_refused_in_one_sentence(
    refusal: Refusal, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, arguments, kind, says = refusal
    monkeypatch.chdir(tmp_path)
    data = given(tmp_path) if callable(given) else given
    asked = {**arguments} if isinstance(data, dict) else {"target": "target", **arguments}
    with pytest.raises(kind, match=says) as raised:
        fit(asked.pop("data", data), **asked)
    message = str(raised.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert list_runs(workspace) == []  # nothing began, so nothing is left
    assert not workspace.exists() or not any(workspace.iterdir())


# Handled. Each: the table, and the check that says what was done ("" where nothing needs to be said).
HANDLED: dict[str, tuple[Any, str]] = {
    "infinite numbers": (table(a=[np.inf, -np.inf, 0.5] * 20), "non_finite"),
    "mixed types": (table(m=[1, "two", 3.5] * 20), "mixed_types"),
    "duplicate names": (table().set_axis(["a", "a", "c", "target"], axis=1), "duplicate_names"),
    "dates": (table(d=pd.date_range("2024", periods=ROWS)), ""),
    "dates with a zone": (table(d=pd.date_range("2024", periods=ROWS, tz="Europe/Berlin")), ""),
    "dates as text": (table(d=[f"2024-02-{1 + i % 28:02d}" for i in range(ROWS)]), "text_dates"),
    "periods, durations, intervals": (
        table(
            p=pd.period_range("2020-01", periods=ROWS, freq="M"),
            t=pd.to_timedelta(np.arange(ROWS), unit="h"),
            i=pd.IntervalIndex.from_breaks(range(ROWS + 1)),
        ),
        "",
    ),
    "lists": (table(cells=[[1, 2]] * ROWS), "unsupported_columns"),
    "sets and dictionaries": (table(s=[{1}] * ROWS, d=[{"k": 1}] * ROWS), "unsupported_columns"),
    "arrays": (table(cells=[np.arange(2)] * ROWS), "unsupported_columns"),
    "complex numbers": (table(z=np.arange(ROWS) * 1j), "unsupported_columns"),
    "huge identifiers": (table(i=[10**30 + i for i in range(ROWS)], j=np.arange(ROWS) + 2**62), "identifier_columns"),
    "a column without values": (table(e=np.nan, n=None), "constant_columns"),
    "a missing truth": (table(t=[True, False, None] * 20), "missing_values"),
    "decimals and bytes": (table(d=[Decimal("1.5"), Decimal(2)] * 30, b=[b"x", b"y"] * 30), ""),
    "missing targets": (table(target=["yes", "no", None] * 20), "missing_target"),
    "a target of mixed types": (table(target=[1, "one"] * 30), "target_types"),
    "a rare class": (table(target=["a", "b"] * 29 + ["c", "a"]), "class_balance"),
    "names that are numbers": (table().set_axis([0, 1, 2, "target"], axis=1), ""),
    "names that libraries refuse": (table().set_axis(["a[<b>]", '{"x": 1}', "", "target"], axis=1), ""),
    "columns by name": ({name: list(column) for name, column in table().items()}, ""),
}


@pytest.mark.parametrize("name", HANDLED)
def test_handled_with_a_line_that_says_so(name: str) -> None:
    data, check = HANDLED[name]
    result = fit(data, target="target")
    noted = {guardrail.name for guardrail in result.guardrails if guardrail.verdict != "passed"}
    assert not check or check in noted
    features = pd.DataFrame(data).drop(columns="target")
    assert set(result.predict(features)) <= set(result.classes_)


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    rows = "".join(f"Köln,{i},a\nBonn,{-i},b\n" for i in range(20))
    result = fit(file("towns.csv", f"town,x,target\n{rows}".encode("latin-1"))(tmp_path), target="target")
    assert "is not UTF-8 and was read as cp1252" in " ".join(g.message for g in result.guardrails)


def test_numbers_in_a_file_that_no_float_can_tell_apart(tmp_path: Path) -> None:
    frame = table(account=[10**30 + i for i in range(ROWS)])
    frame.to_csv(tmp_path / "accounts.csv", index=False)
    result = fit(tmp_path / "accounts.csv", target="target")
    assert ("account",) in [g.columns for g in result.guardrails if g.name == "identifier_columns"]


@pytest.mark.parametrize("columns", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_thousands_of_columns_are_quick(columns: int) -> None:
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(ROWS, columns))).assign(target=["a", "b"] * 30)
    begin = time.process_time()
    assert fit(wide, target="target").model.n_features_in_ == columns
    assert time.process_time() - begin < columns / 80  # seconds; column by column in pandas it would be minutes


def test_a_sparse_matrix() -> None:
    matrix = sparse.random(ROWS, 5, density=0.5, random_state=0, format="csr")
    result = fit((matrix, ["a", "b"] * 30))
    assert "sparse" in {g.name for g in result.guardrails}


def test_polars_and_arrow_tables() -> None:
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for data in (polars.from_pandas(table()), arrow.table(table())):
        result = fit(data, target="target")
        assert list(result.predict(data)[:2]) == list(result.predict(table())[:2])
    with pytest.raises(DataError, match="only a query: pass the table that its collect"):
        fit(polars.from_pandas(table()).lazy(), target="target")


def test_a_categorical_target_has_the_classes_that_occur() -> None:
    target = pd.Categorical(["no", "yes"] * 30, categories=["yes", "no", "never"])
    assert list(fit(table(target=target), target="target").classes_) == ["no", "yes"]


def test_a_target_may_be_named_as_the_table_names_it() -> None:
    by_number = table().set_axis([0, 1, 2, 3], axis=1)
    assert list(fit(by_number, target=3).classes_) == ["no", "yes"]
    by_levels = table().set_axis(pd.MultiIndex.from_tuples([("p", "a"), ("p", "b"), ("q", "c"), ("q", "t")]), axis=1)
    assert list(fit(by_levels, target=("q", "t")).classes_) == ["no", "yes"]


def test_a_table_so_small_that_every_model_has_more_parameters_than_rows() -> None:
    names = ["knn", "qda", "lda", "rbf_svm", "linear_svm", "ridge", "decision_tree", "lightgbm", "mlp"]
    options = {
        "metric": "accuracy",
        "max_trials": len(names),
        "search": {"algorithms": {"allow": names}, "pruner": "none"},
    }
    result = fit(table().head(12), target="target", **options)
    assert set(result.leaderboard()["status"]) == {"COMPLETED"}


# Where, and how it goes on


@pytest.mark.parametrize("source", ["http://127.0.0.1:1/x.csv", "http://user:secret@127.0.0.1:1/x.csv?token=secret"])
def test_a_url_that_refuses_the_connection(source: str) -> None:
    begin = time.monotonic()
    with pytest.raises(DataError, match=r"Cannot read http://127\.0\.0\.1:1/x\.csv: .*cannot be reached") as raised:
        fit(source, target="target")
    assert time.monotonic() - begin < 20
    assert "secret" not in str(raised.value)


def test_a_ray_cluster_that_is_not_there(workspace: Path) -> None:
    pytest.importorskip("ray")
    begin = time.monotonic()
    with pytest.raises(ExecutorError, match=r"no Ray cluster at 127\.0\.0\.1:1.*compute\.address"):
        fit(table(), target="target", compute={"executor": "ray", "address": "127.0.0.1:1"})
    assert time.monotonic() - begin < 30  # Ray itself would try for minutes
    assert list_runs(workspace) == []


def test_other_experiments_of_the_name_survive_a_refusal(workspace: Path) -> None:
    kept = fit(table(), target="target", name="mine")
    with pytest.raises(DataError):
        fit(table(), target="nowhere", name="mine")
    assert [row["id"] for row in list_runs(workspace)] == [kept.directory.name]


def test_a_torn_line_at_the_end_of_the_journal_is_cut_off() -> None:
    first = fit(table(), target="target", max_trials=2)
    with (first.directory / "study.journal").open("ab") as journal:
        journal.write(b'{"op_code": 4, "worker_id": "abc')  # a kill in the middle of a write
    longer = automl.resume(first.directory, max_trials=3, progress=False)
    assert list(longer.trials()["trial"]) == [0, 1, 2]


def test_a_journal_that_is_damaged_in_the_middle_is_not_guessed_at() -> None:
    first = fit(table(), target="target", max_trials=2)
    journal = first.directory / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b'{"op_code": \xff\n', *lines[2:]]))
    with pytest.raises(JournalError, match=r"study\.journal:2: .*Restore it from a backup"):
        automl.resume(first.directory, max_trials=3, progress=False)
    assert len(Result.load(first.directory).leaderboard()) == 2  # nothing is lost


def test_what_came_from_memory_beside_a_file_is_kept_for_a_resumed_session(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "rows.csv", index=False)
    data = {"source": tmp_path / "rows.csv", "target": "target", "weight": np.linspace(1, 2, ROWS), "test": table()}
    first = fit(data, validation={"source": table(a=0.1)})
    longer = automl.resume(first.directory, max_trials=2, progress=False)
    assert longer.summary.validation == first.summary.validation == f"{ROWS} validation rows that were given"
    assert len(longer.leaderboard()) == 2
    assert longer.test_metrics


# The same through the command line


def command(*arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    monkeypatch.setattr("sys.argv", ["automl", *arguments])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))  # the command line puts its own there
    return run(), capsys.readouterr().err.strip()


EXPERIMENT = """\
task: classification
data: {{source: rows.csv, target: {target}}}
limits: {{max_trials: 1}}
search:
  space:
    algorithms:
      mine: {{estimator: {estimator}}}
compute: {{executor: inline}}
registry: null
tracking: null
metric: {metric}
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target": "tarket"}, "automl: The target 'tarket' is not a column of the table. Did you mean 'target'?"),
        (
            {"estimator": "sklearn.svm.SVD"},
            "e.yaml:7: search.space.algorithms.mine.estimator: sklearn.svm.SVD does not",
        ),
        ({"estimator": "os.system"}, "e.yaml:7: search.space.algorithms.mine.estimator: os.system is outside"),
        ({"metric": "rmse"}, "e.yaml:11: metric: The metric 'rmse' is for regression"),
    ],
    ids=["target", "estimator", "trust", "metric"],
)
def test_the_command_line_prints_one_line_and_ends_with_2(
    change: dict[str, str],
    says: str,
    tmp_path: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table().to_csv(tmp_path / "rows.csv", index=False)
    chosen = {"target": "target", "estimator": "sklearn.naive_bayes.GaussianNB", "metric": "accuracy", **change}
    (tmp_path / "e.yaml").write_text(EXPERIMENT.format(**chosen))
    code, printed = command("run", str(tmp_path / "e.yaml"), "--quiet", monkeypatch=monkeypatch, capsys=capsys)
    assert code == 2
    assert says in printed
    assert "\n" not in printed
    assert list_runs(workspace) == []


def test_a_damaged_experiment_does_not_end_a_listing(workspace: Path) -> None:
    kept = fit(table(), target="target", name="mine")
    result = json.loads((kept.directory / "result.json").read_text())
    (kept.directory / "result.json").write_text(json.dumps({**result, "format_version": 99}))
    assert [row["experiment"] for row in list_runs(workspace)] == ["mine"]
