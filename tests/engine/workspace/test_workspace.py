"""Where everything lies: names, ids, whole files, one driver at a time."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_bytes, write_json
from automl.engine.workspace.control import request, take
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.engine.workspace.lock import is_locked, locked
from automl.errors import WorkspaceError


def test_an_experiment_gets_a_directory_of_its_own(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first, second = workspace.create_experiment("churn"), workspace.create_experiment("churn")
    assert first.path != second.path
    assert first.name == "churn"
    assert first.workspace == workspace


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "with space", "x" * 101])
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkspaceError, match="cannot name an experiment"):
        Workspace(tmp_path).create_experiment(name)


def test_a_workspace_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(WorkspaceError, match="Cannot write to the workspace /proc/nothing"):
        Workspace(Path("/proc/nothing")).create_experiment("churn")


def test_an_experiment_is_found_by_directory_id_and_name(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made = [workspace.create_experiment("churn") for _ in range(2)]
    for experiment in made:
        experiment.config.write_text("task: classification")
    newest = max(made, key=lambda experiment: experiment.id)
    assert workspace.experiment("churn") == newest
    assert workspace.experiment(made[0].id) == made[0]
    assert workspace.experiment(f"churn/{made[1].id}") == made[1]
    assert workspace.experiment(made[0].path) == made[0]
    with pytest.raises(WorkspaceError, match="no experiment 'nothing'"):
        workspace.experiment("nothing")


def test_the_environment_names_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    assert Workspace.find().root == tmp_path / "home"
    assert Workspace.find(tmp_path / "other").root == tmp_path / "other"


def test_trial_numbers_are_listed_in_order(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("churn")
    for number in (100_000, 3, 20):
        experiment.trial(number).path.mkdir()
    (experiment.trials / "notes").mkdir()
    assert experiment.trial_numbers() == [3, 20, 100_000]


def test_a_written_file_is_whole_and_carries_its_format_version(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    assert read_json(tmp_path / "a.json") == {"format_version": FORMAT_VERSION, "x": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    (target / "inside").write_text("x")
    with pytest.raises(WorkspaceError, match="Cannot write"):
        write_bytes(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format_version": 99}', "Install a newer automl"),
        ("{", "not valid JSON"),
        ("[1]", "no JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(WorkspaceError, match=message):
        read_json(tmp_path / "a.json")


def test_a_request_is_taken_once(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("churn")
    assert take(experiment, "cancel") is None
    request(experiment, "cancel", now=True)
    taken = take(experiment, "cancel")
    assert taken is not None
    assert taken["now"] is True
    assert take(experiment, "cancel") is None


def _hold(path: str, held: object, release: object) -> None:
    with locked(ExperimentDirectory(Path(path))):
        held.set()  # type: ignore[attr-defined]
        release.wait(60)  # type: ignore[attr-defined]


def test_a_second_process_gets_a_sentence_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    experiment = Workspace(tmp_path).create_experiment("churn")
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(str(experiment.path), held, release))
    holder.start()
    assert held.wait(60)
    assert is_locked(experiment)
    with pytest.raises(WorkspaceError, match="Another process is running"), locked(experiment):
        pass
    holder.kill()
    holder.join()
    assert not is_locked(experiment)
    with locked(experiment):
        assert os.path.exists(experiment.lock)
