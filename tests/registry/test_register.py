"""Versions are folders: whole or absent, never twice, and independent of the trial that they come from."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import DamagedFileError, RegistryError
from automl.learning.ensemble.check import Check, write_check
from automl.registry.candidate import CHAMPION, Candidate
from automl.registry.list import list_models, registered_trials, show_model
from automl.registry.load import load_model
from automl.registry.places import find_model
from automl.registry.register import promote, register

Make = Callable[..., Candidate]

CANDIDATES = 24

REGISTER = """
import json, sys
from pathlib import Path
from automl.registry.candidate import Candidate
from automl.registry.register import register
for fields in json.loads(Path(sys.argv[1], "candidates.json").read_text()):
    print(register(Candidate.model_validate(fields)).version, flush=True)
"""


def test_the_first_version_is_whole_and_becomes_the_champion(make_candidate: Make, home: Workspace, table: Any) -> None:
    model = register(make_candidate(tags={"team": "a"}, description="the first"))

    assert (model.name, model.version, model.alias, model.promoted) == ("flowers", "1", CHAMPION, True)
    row = show_model("flowers", home)[0]
    assert row["aliases"] == [CHAMPION]
    assert (row["metric"], row["value"], row["trial"], row["seed"]) == ("accuracy", 0.9, 0, 7)
    assert (row["data"], row["split_plan"]) == ("d" * 64, "s" * 64)
    assert (row["framework"], row["framework_version"]) == ("scikit-learn", "1.9.1")
    assert row["tags"] == {"team": "a"}
    assert row["description"] == "the first"
    assert list_models(home)[0]["champion"] == "1"
    assert load_model("flowers", home).predict_proba(table[0]).shape == (60, 2)


def test_a_version_says_what_goes_in_and_what_the_model_predicts(
    make_candidate: Make, home: Workspace, table: Any
) -> None:
    register(make_candidate())
    record = find_model(home, "flowers").version(1).read()
    assert record.predictions == tuple(load_model("flowers/1", home).predict(table[0].head(5)))
    columns = record.signature["inputs"]["columns"]
    assert [column["name"] for column in columns] == ["length", "count", "colour"]
    assert record.signature["output"] == {"type": "text"}
    assert str(home.root) not in find_model(home, "flowers").version(1).record.read_text()  # it can be moved


def test_a_model_stays_when_its_trial_and_its_experiment_are_gone(
    make_candidate: Make, home: Workspace, experiment: ExperimentDirectory, tmp_path: Path, table: Any
) -> None:
    register(make_candidate())
    shutil.rmtree(experiment.path)
    moved = Workspace(shutil.move(home.root, tmp_path / "elsewhere"))
    assert len(load_model("models:/flowers@champion", moved).predict(table[0])) == 60


def test_loading_and_listing_need_no_mlflow(make_candidate: Make, home: Workspace) -> None:
    register(make_candidate())
    script = """
import sys
import automl
from automl import api
print(len(automl.load_model("flowers@champion").predict([[1.5, 1, "red"], [-2.0, 2, None]])))
assert api.list_models()[0]["champion"] == api.show_model("flowers")[0]["version"] == "1"
assert "mlflow" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "AUTOML_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2\n"


def test_the_champion_changes_only_for_a_better_model_on_the_same_split(make_candidate: Make, home: Workspace) -> None:
    register(make_candidate(0, value=0.90))

    worse = register(make_candidate(1, value=0.85))
    assert not worse.promoted
    assert "not promoted: accuracy 0.85 does not beat version 1's 0.9" in worse.message
    assert worse.message.endswith("automl models promote flowers 2")
    elsewhere = register(make_candidate(2, value=0.99, split_plan="x" * 64))
    assert not elsewhere.promoted
    assert "another split" in elsewhere.message
    assert not register(make_candidate(3, value=0.99, metric="roc_auc")).promoted
    assert register(make_candidate(4, value=0.95)).promoted
    assert [row["version"] for row in show_model("flowers", home) if row["aliases"]] == ["5"]


def test_promotion_follows_the_option_and_can_be_done_by_hand(make_candidate: Make, home: Workspace) -> None:
    never = register(make_candidate(0, promote="never"))
    assert never.alias is None
    with pytest.raises(RegistryError, match="has no champion"):
        load_model("flowers", home)
    assert register(make_candidate(1, value=0.1, promote="always")).promoted
    assert promote("flowers", int(never.version), home).alias == CHAMPION
    assert show_model("flowers", home)[-1]["aliases"] == [CHAMPION]
    with pytest.raises(RegistryError, match="no version 9 of 'flowers'"):
        promote("flowers", 9, home)


def test_registering_the_same_model_again_gives_the_version_it_has(make_candidate: Make) -> None:
    first = register(make_candidate())
    again = register(make_candidate())
    assert (again.version, again.alias, again.promoted) == (first.version, CHAMPION, False)


def test_what_a_kill_before_the_champion_was_named_has_left_is_completed(make_candidate: Make, home: Workspace) -> None:
    register(make_candidate())
    find_model(home, "flowers").champion.unlink()
    again = register(make_candidate())
    assert (again.version, again.promoted) == ("1", True)


def test_what_a_kill_has_left_half_is_no_version_and_goes(make_candidate: Make, home: Workspace) -> None:
    model = find_model(home, "flowers")
    half = model.versions / ".1.4242.tmp"
    half.mkdir(parents=True)
    (half / "registration.json").write_text("{")
    assert list_models(home) == []
    assert register(make_candidate()).version == "1"
    assert model.scratch() == []


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_kills_at_any_moment_leave_whole_versions_and_none_twice(
    make_candidate: Make, home: Workspace, kills: int
) -> None:
    candidates = [make_candidate(salt) for salt in range(CANDIDATES)]
    (home.root / "candidates.json").write_text(json.dumps([one.model_dump(mode="json") for one in candidates]))
    chance = random.Random(0)
    for _ in range(kills):
        with subprocess.Popen([sys.executable, "-c", REGISTER, str(home.root)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()  # the first of them is a version
            time.sleep(chance.random() * 0.2)  # any moment of the registrations that follow
            process.kill()
        model = find_model(home, "flowers")
        records = [model.version(number).read() for number in model.numbers()]
        assert [record.version for record in records] == list(range(1, len(records) + 1))
        assert len({record.model for record in records}) == len(records)
        assert load_model("flowers", home) is not None
    for candidate in candidates:
        register(candidate)
    assert len(find_model(home, "flowers").numbers()) == CANDIDATES
    assert not find_model(home, "flowers").scratch()


def test_a_model_that_its_worker_could_not_load_back_gets_no_version(make_candidate: Make, home: Workspace) -> None:
    candidate = make_candidate()
    write_check(candidate.check, Check(problem="loaded back from its file it predicts something else"))
    with pytest.raises(RegistryError, match="not registered: loaded back from its file it predicts something else"):
        register(candidate)
    assert list_models(home) == []


def test_a_model_that_no_worker_has_checked_is_loaded_before_it_is_registered(
    make_candidate: Make, home: Workspace
) -> None:
    candidate = make_candidate()
    candidate.check.unlink()
    register(candidate)
    assert len(find_model(home, "flowers").version(1).read().predictions or ()) == 5
    broken = make_candidate(1)
    (broken.models / "fold_01.joblib").write_bytes(b"no pickle")
    with pytest.raises(RegistryError, match="cannot be loaded back"):
        register(broken)


def test_without_the_time_to_look_it_is_registered_all_the_same(make_candidate: Make, home: Workspace) -> None:
    candidate = make_candidate()
    candidate.check.unlink()
    assert register(candidate, patience=0.0).version == "1"


def test_a_missing_model_is_a_sentence(make_candidate: Make, home: Workspace) -> None:
    with pytest.raises(RegistryError, match="gone is not there"):
        register(make_candidate().model_copy(update={"models": Path("/gone")}))
    with pytest.raises(RegistryError, match="no registered model 'flowers'"):
        load_model("flowers", home)


@pytest.mark.parametrize(
    "reference", ["flowers/2", "flowers/0", "flowers/²", "flowers/x", "flowers@other", "../flowers"]
)
def test_a_reference_to_nothing_is_a_sentence(make_candidate: Make, home: Workspace, reference: str) -> None:
    register(make_candidate())
    with pytest.raises(RegistryError, match=r"There is no|has no"):
        load_model(reference, home)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": "x"}', "\x00" * 100])
def test_a_damaged_record_is_one_sentence_and_takes_nothing_else_with_it(
    make_candidate: Make, home: Workspace, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    register(make_candidate(0))
    register(make_candidate(1, value=0.95))
    damaged = find_model(home, "flowers").version(1).record
    damaged.write_text(content)
    with pytest.raises(DamagedFileError, match=r"registration.json"):
        load_model("flowers/1", home)
    assert [row["version"] for row in show_model("flowers", home)] == ["2"]
    assert "a registered version is left out" in caplog.text
    assert load_model("flowers", home) is not None
    with pytest.raises(DamagedFileError):  # nobody knows which trial's models are needed
        registered_trials(home)
    assert register(make_candidate(2)).version == "3"


@pytest.mark.parametrize("damaged", ["champion.json", "versions/1/registration.json"])
def test_a_version_beside_a_champion_that_cannot_be_read_is_registered_and_not_promoted(
    make_candidate: Make, home: Workspace, damaged: str
) -> None:
    register(make_candidate(0))
    (find_model(home, "flowers").path / damaged).write_text("{")
    registered = register(make_candidate(1, value=0.99))
    assert (registered.version, registered.promoted) == ("2", False)
    assert "Registered flowers version 2, not promoted: " in registered.message and damaged in registered.message
    assert promote("flowers", 2, home).promoted
    assert load_model("flowers", home) is not None


def test_a_record_of_a_newer_automl_is_refused(make_candidate: Make, home: Workspace) -> None:
    register(make_candidate())
    path = find_model(home, "flowers").version(1).record
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 2}))
    with pytest.raises(Exception, match="Install a newer automl"):
        load_model("flowers", home)


@pytest.mark.parametrize("place", ["registry", "registry/flowers/versions"])
def test_a_registry_that_is_no_folder_is_a_sentence_and_not_an_empty_one(
    make_candidate: Make, home: Workspace, place: str
) -> None:
    candidate = make_candidate()
    (home.root / place).parent.mkdir(parents=True, exist_ok=True)
    (home.root / place).write_text("not a folder")
    for look in (lambda: list_models(home), lambda: load_model("flowers", home), lambda: register(candidate)):
        with pytest.raises(RegistryError, match=r"Cannot (read|write to) .*: (Not a directory|File exists)\."):
            look()
