"""MLflow follows the workspace: each version once, whoever dies meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import automl
from automl.config.reader import read_config
from automl.engine.trial.records import read_result
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.experiment.models.registration import candidate_for, owe_mlflow
from automl.experiment.result import Result
from automl.registry.candidate import RegisteredModel
from automl.registry.places import VersionDirectory, find_model
from automl.registry.register import promote, register
from automl.tracking import tags
from automl.tracking.catch_up import rebuild
from automl.tracking.follower import nudge, wait_for_follower
from automl.tracking.owed import Mark, is_owed, owe, owed
from automl.tracking.store import open_client, resolve_uri
from automl.tracking.versions import versions_of

LONG = 120.0


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two trials, neither registered nor mirrored."""
    return automl.fit(
        "classification",
        "iris",
        metric="accuracy",
        max_trials=2,
        validation={"folds": 2, "repeats": 1},
        search={"algorithms": {"allow": ["lda", "naive_bayes"]}, "pruner": "none"},
        compute={"executor": "inline"},
        workspace=str(tmp_path_factory.mktemp("runs")),
        registry=None,
        tracking=None,
        progress=False,
    )


@pytest.fixture
def experiment(searched: Result, home: Workspace) -> ExperimentDirectory:
    directory = ExperimentDirectory(shutil.copytree(searched.directory, home.root / "iris" / searched.directory.name))
    config = directory.config
    config.write_text(config.read_text().replace("registry: null\n", "").replace("tracking: null\n", ""))
    return directory


@pytest.fixture
def register_trial(experiment: ExperimentDirectory, searched: Result) -> Callable[[int], RegisteredModel]:
    """Register a trial in the workspace; MLflow is owed it."""

    def registered(number: int) -> RegisteredModel:
        config, _ = read_config(experiment.config)
        result = read_result(experiment.trial(number))
        assert result is not None
        owe_mlflow(config, experiment)
        return register(candidate_for(config, experiment, searched.summary, result))

    return registered


def in_mlflow(uri: str) -> dict[str, dict[str, str]]:
    """Tags of each version of the model, by number."""
    return {str(version.version): version.tags for version in versions_of(open_client(uri), "iris")}


def version(home: Workspace, number: int) -> VersionDirectory:
    return find_model(home, "iris").version(number)


def test_versions_are_followed_once_under_their_numbers_with_their_champion(
    experiment: ExperimentDirectory, register_trial: Callable[[int], RegisteredModel], home: Workspace, uri: str
) -> None:
    first, second = register_trial(0), register_trial(1)
    assert (first.version, second.version) == ("1", "2")
    rebuild(experiment, uri)

    there = in_mlflow(uri)
    assert {number: marks[tags.TRIAL] for number, marks in there.items()} == {"1": "0", "2": "1"}
    assert {marks[tags.VERIFIED] for marks in there.values()} == {"true"}
    note = version(home, 1).followed()
    assert note is not None
    assert (note.version, note.problem) == ("1", "")
    assert open_client(uri).get_run(note.run_id or "").data.tags[tags.TRIAL] == "0"
    assert not is_owed(experiment)

    other = 1 if champion(uri) == "2" else 2
    promote("iris", other, home)
    for number in (1, 2):
        version(home, number).note.unlink()  # as if it had been killed before it wrote them
    rebuild(experiment, uri)
    assert len(in_mlflow(uri)) == 2
    assert champion(uri) == str(other)


def champion(uri: str) -> str:
    return str(open_client(uri).get_registered_model("iris").aliases["champion"])


def test_mlflow_loads_what_it_has_followed(
    experiment: ExperimentDirectory,
    register_trial: Callable[[int], RegisteredModel],
    home: Workspace,
    uri: str,
    tmp_path: Path,
) -> None:
    register_trial(0)
    rebuild(experiment, uri)
    shutil.rmtree(home.registry)  # MLflow has a copy of its own
    script = """
import mlflow, pandas, sys
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/iris@champion")
columns = model.metadata.signature.inputs.input_names()
print(model.predict(pandas.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=columns)).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, uri], cwd=tmp_path, capture_output=True, text=True, timeout=LONG
    )
    assert done.stdout == "['setosa']\n", done.stderr
    assert automl.load_model("iris@champion", uri=uri).predict([[5.1, 3.5, 1.4, 0.2]]).tolist() == ["setosa"]


def test_a_champion_of_somebody_else_is_not_pushed_aside(
    experiment: ExperimentDirectory, register_trial: Callable[[int], RegisteredModel], home: Workspace, uri: str
) -> None:
    client = open_client(uri)
    client.create_registered_model("iris")
    client.create_model_version("iris", "file:///a-users-own")
    client.set_registered_model_alias("iris", "champion", "1")
    register_trial(0)
    rebuild(experiment, uri)
    note = version(home, 1).followed()
    assert note is not None
    assert (note.version, note.problem) == ("2", "it is version 2 there")
    assert champion(uri) == "1"
    promote("iris", 1, home)  # by hand, in the workspace
    rebuild(experiment, uri)
    assert champion(uri) == "2"


def test_a_version_whose_files_are_damaged_is_refused_for_good_and_noted(
    experiment: ExperimentDirectory, register_trial: Callable[[int], RegisteredModel], home: Workspace, uri: str
) -> None:
    register_trial(0)
    file = version(home, 1).models / "fold_00.joblib"
    file.unlink()  # a hard link of the trial's
    file.write_bytes(b"half")
    rebuild(experiment, uri)
    note = version(home, 1).followed()
    assert note is not None
    assert note.version is None
    assert "cannot be loaded" in note.problem
    assert in_mlflow(uri) == {}
    assert not is_owed(experiment)


@pytest.mark.slow
def test_a_follower_that_is_killed_again_and_again_makes_no_version_twice(
    experiment: ExperimentDirectory, register_trial: Callable[[int], RegisteredModel], home: Workspace, uri: str
) -> None:
    register_trial(0)
    for moment in (lambda: home.mlflow_database.exists(), lambda: bool(_artifacts(home)), lambda: _half(uri)):
        nudge(home)
        _kill_follower(home, moment)
    assert wait_for_follower(home, LONG)
    assert list(in_mlflow(uri)) == ["1"]
    assert in_mlflow(uri)["1"][tags.VERIFIED] == "true"
    assert [path for path in home.root.rglob(".*.tmp") if path.is_dir()] == []


def _artifacts(home: Workspace) -> list[Path]:
    return list((home.root / "mlartifacts").rglob("MLmodel"))


def _half(uri: str) -> bool:
    return bool(in_mlflow(uri))


def _kill_follower(home: Workspace, moment: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONG
    while owed(home) and not moment():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.01)
    for process in psutil.Process().children(recursive=True):
        if "automl.tracking.follow" in process.cmdline():
            process.kill()
            process.wait(10)


def test_what_is_owed_is_crossed_out_only_by_who_has_seen_it(experiment: ExperimentDirectory) -> None:
    owe(experiment, "http://me:secret@host/x", trials=False)
    mark = Mark(experiment)
    assert (mark.uri, mark.trials) == ("http://***@host/x", False)
    owe(experiment, None, trials=True)  # something came meanwhile
    mark.clear()
    assert is_owed(experiment)
    Mark(experiment).clear()
    assert not is_owed(experiment)


def test_what_could_not_be_brought_rests_before_it_is_tried_again(experiment: ExperimentDirectory) -> None:
    owe(experiment, None, trials=True)
    home = experiment.workspace
    assert owed(home, rest=60.0) == [experiment]
    Mark(experiment).tried()
    assert owed(home, rest=60.0) == []
    assert owed(home) == [experiment]
    shutil.rmtree(experiment.path)
    assert owed(home) == []  # and nobody is owed anything of what is gone


def test_a_workspace_path_with_quotes_and_blanks_is_followed(searched: Result, tmp_path: Path, workspace: Path) -> None:
    home = Workspace(tmp_path / 'it\'s a "big" naïve one')
    directory = ExperimentDirectory(shutil.copytree(searched.directory, home.root / "iris" / searched.directory.name))
    directory.config.write_text(
        directory.config.read_text().replace("registry: null\n", "").replace("tracking: null\n", "")
    )
    config, _ = read_config(directory.config)
    register(candidate_for(config, directory, searched.summary, searched.best))
    uri = resolve_uri(None, home)
    rebuild(directory, uri)
    assert list(in_mlflow(uri)) == ["1"]
