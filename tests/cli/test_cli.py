"""What a person at a terminal sees: one sentence for a mistake, tables or JSON for a question."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import automl
from automl.cli import console
from automl.experiment.result import Result

CHEAP = {"search": {"algorithms": {"allow": ["lda", "naive_bayes"]}, "portfolio": False}}


def automl_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "automl", *arguments], capture_output=True, text=True, timeout=120)


def automl_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same in this process: without the seconds that a process of its own takes to import everything."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["automl", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = console.run()
    finally:
        sys.argv = argv
    return subprocess.CompletedProcess(arguments, status or 0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return automl.fit(
        "classification",
        "iris",
        metric="accuracy",
        max_trials=2,
        name="flowers",
        workspace=str(tmp_path_factory.mktemp("ws")),
        compute={"executor": "inline"},
        tracking=None,
        registry=None,
        progress=False,
        **CHEAP,
    )


@pytest.fixture
def place(result: Result) -> str:
    return str(result.directory.parent.parent)


def test_run_prints_the_leaderboard_and_why_it_stopped(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(
        "experiment: e\ntask: classification\ndata: wine\nmetric: accuracy\nlimits: {max_trials: 2}\n"
        "search: {algorithms: {allow: [lda, naive_bayes]}, portfolio: false}\n"
        "compute: {executor: inline}\nregistry: null\ntracking: null\n"
    )
    done = automl_process("run", str(file), "--workspace", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "rank" in done.stdout
    assert "max_trials: 2 trials were run" in done.stdout


def test_a_trusted_files_own_classes_are_found_beside_it_also_by_workers(tmp_path: Path) -> None:
    (tmp_path / "own_models_for_test.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\n\nclass Mine(LogisticRegression):\n    pass\n"
    )
    file = tmp_path / "e.yaml"
    file.write_text(
        "experiment: e\ntask: classification\ndata: wine\nlimits: {max_trials: 1}\n"
        "search: {space: {algorithms: {mine: {estimator: own_models_for_test.Mine}}}}\n"
        "compute: {executor: process, max_workers: 1}\nregistry: null\ntracking: null\n"
    )
    done = automl_process("run", str(file), "--workspace", str(tmp_path), "--trust")
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout
    without = automl_command("run", str(file), "--workspace", str(tmp_path))
    assert without.returncode == 2 and "pass --trust" in without.stderr.replace("\n", " ")


def test_runs_list_and_show_speak_json(place: str, result: Result) -> None:
    listed = json.loads(automl_command("runs", "list", "--workspace", place, "--json").stdout)
    assert [(row["experiment"], row["status"], row["trials"]) for row in listed] == [("flowers", "finished", 2)]
    shown = json.loads(automl_command("runs", "show", "flowers", "--workspace", place, "--json").stdout)
    assert shown["leaderboard"][0]["score"] == result.best.value


def test_a_narrow_listing_keeps_ids_whole(place: str, result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = automl_command("runs", "list", "--workspace", place).stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["experiment", "id"], ["flowers", result.directory.name]]
    monkeypatch.setenv("COLUMNS", "60")
    assert str(result.directory) in automl_command("runs", "show", "flowers", "--workspace", place).stdout


def test_runs_show_and_logs_of_a_trial(place: str) -> None:
    shown = automl_command("runs", "show", "flowers", "--trial", "0", "--workspace", place)
    assert "COMPLETED" in shown.stdout, shown.stderr
    logs = automl_command("runs", "logs", "flowers", "--workspace", place)
    assert logs.returncode == 0


@pytest.mark.parametrize("command", [("models", "register"), ("replay",)])
def test_a_trial_that_is_not_there_is_refused_with_the_range(result: Result, command: tuple[str, ...]) -> None:
    done = automl_command(*command, str(result.directory), "--trial", "999")
    assert done.returncode == 2
    assert "There is no trial 999 in" in done.stderr.replace("\n", " ")
    assert "its trials are 0 to 1" in done.stderr.replace("\n", " ")


def test_a_pruned_trial_is_not_registered(result: Result, tmp_path: Path) -> None:
    place = Path(shutil.copytree(result.directory, tmp_path / "flowers" / "copy"))
    record = place / "trials" / "00001" / "trial.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"status": "PRUNED"}))
    done = automl_command("models", "register", str(place), "--trial", "1")
    assert done.returncode == 2
    assert "ended PRUNED, and only completed trials of full work can be registered" in done.stderr.replace("\n", " ")


def test_extending_by_nothing_is_refused_and_the_help_speaks_of_totals(result: Result) -> None:
    done = automl_command("runs", "extend", str(result.directory))
    assert done.returncode == 2
    assert "give --time-budget or --max-trials" in done.stderr.replace("\n", " ")
    said = " ".join(automl_command("runs", "extend", "--help").stdout.split())
    assert "a new total, not an addition" in said
    assert "what was used included" in said


def test_replay_prints_both_scores_and_ends_with_0_only_if_they_are_equal(result: Result, tmp_path: Path) -> None:
    place = shutil.copytree(result.directory, tmp_path / "flowers" / "copy")
    same = automl_command("replay", str(place), "--trial", "1")
    assert same.returncode == 0, same.stderr
    assert "to the last bit" in same.stdout
    assert same.stdout.count(repr(json.loads((place / "trials/00001/trial.json").read_text())["value"])) >= 2
    record = place / "trials" / f"{result.best.number:05d}" / "trial.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "value": 0.125}))
    other = automl_command("replay", str(place), "--json")
    assert other.returncode == 1
    assert "its record says 0.125" in other.stderr
    assert json.loads(other.stdout)["equal"] is False
    missing = automl_command("replay", str(place), "--trial", "77")
    assert missing.returncode == 2
    assert "There is no trial 77" in missing.stderr


def test_gc_lists_and_then_deletes(result: Result, tmp_path: Path) -> None:
    place = shutil.copytree(result.directory, tmp_path / "flowers" / "copy")
    models = place / "trials" / f"{1 - result.best.number:05d}" / "models"
    planned = automl_command("gc", "--workspace", str(tmp_path), "--keep", "1")
    assert planned.returncode == 0, planned.stderr
    assert "could go; 'automl gc --delete' deletes it" in planned.stdout
    assert models.is_dir()
    done = json.loads(automl_command("gc", "--workspace", str(tmp_path), "--keep", "1", "--delete", "--json").stdout)
    assert [item["path"] for item in done["items"]] == [str(models)]
    assert not models.exists()
    assert "nothing to delete" in automl_command("gc", "--workspace", str(tmp_path), "--keep", "1").stdout
    assert automl_command("gc", "--keep", "-1").returncode == 2


def test_schemas_are_printed() -> None:
    assert "limits" in json.loads(automl_command("schema").stdout)["properties"]
    assert "fold_scores" in json.loads(automl_command("schema", "trial").stdout)["properties"]


def test_plan_trains_nothing_and_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(f"task: classification\ndata: iris\nworkspace: {tmp_path / 'ws'}\n")
    planned = json.loads(automl_command("plan", str(file), "--json").stdout)
    assert planned["data"]["rows"] == 150
    assert {a["algorithm"] for a in planned["algorithms"]} >= {"lightgbm", "mlp"}
    assert not (tmp_path / "ws").exists()


MISTAKES = {
    "a key": ("task: classification\ndata: iris\nlimits: {time_bugdet: 3}\n", ("e.yaml:3:", "time_budget")),
    "a type": ("task: classification\ndata: iris\nseed: many\n", ("e.yaml:3:", "seed")),
    "a metric": ("task: classification\ndata: iris\nmetric: accurracy\n", ("e.yaml:3:", "accuracy")),
    "an algorithm": (
        "task: classification\ndata: iris\nsearch:\n  algorithms: {allow: [lightgmb]}\n",
        ("e.yaml:4:", "lightgbm"),
    ),
    "a sampler": ("task: classification\ndata: iris\nsearch: {sampler: tpee}\n", ("e.yaml:3:", "tpe")),
    "a file": ("task: classification\ndata: {source: nowhere.csv, target: y}\n", ("nowhere.csv",)),
    "a target": ("task: classification\ndata: {source: iris, target: specie}\n", ("specie",)),
    "an estimator": (
        "task: classification\ndata: iris\nsearch:\n  space: {algorithms: {x: {estimator: os.system}}}\n",
        ("os.system",),
    ),
    "a Ray address": (
        "task: classification\ndata: iris\ncompute: {executor: ray, address: '127.0.0.1:1'}\n",
        ("127.0.0.1:1",),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_status_2(tmp_path: Path, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    file = tmp_path / "e.yaml"
    file.write_text(text)
    done = automl_command("run", str(file), "--workspace", str(tmp_path / "ws"))
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    for part in expected:
        assert part in done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "validate"])
def test_cores_that_are_not_there_are_a_mistake_of_the_file(tmp_path: Path, command: str) -> None:
    file = tmp_path / "e.yaml"
    file.write_text("task: classification\ndata: iris\ncompute: {executor: process, cpus_per_trial: 512}\n")
    done = automl_command(command, str(file))
    assert done.returncode == 2
    assert done.stderr.startswith(f"automl: {file}:3: compute.cpus_per_trial: A trial needs 512 cores, and this")


def test_validate_reads_several_files(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("task: classification\ndata: iris\n")
    assert automl_process("validate", str(good)).returncode == 0  # with the status of a process
    bad = tmp_path / "bad.yaml"
    bad.write_text("task: clasification\n")
    worse = tmp_path / "worse.yaml"
    worse.write_text("task: classification\ndata: iris\nmetric: acuracy\n")
    done = automl_command("validate", str(bad), str(worse), str(good))
    assert done.returncode == 2
    assert "did you mean 'classification'?" in done.stderr
    assert f"{worse}:3: metric: There is no metric 'acuracy'. Did you mean 'accuracy'?" in done.stderr
    assert f"{good}: valid" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("runs", "show", "nothing"), ("resume", "nothing"), ("models", "show", "nothing")]
)
def test_what_is_not_there_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = automl_command(*arguments, "--workspace", str(tmp_path))
    assert "nothing" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
