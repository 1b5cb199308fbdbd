"""What nobody can install becomes part of a registered model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cloudpickle
import pytest

import automl
from automl.registry.model_files import put_models
from automl.registry.own_modules import is_own

LOAD = """
import sys
from pathlib import Path
from automl.registry.model_files import load_estimator
print(*load_estimator(Path(sys.argv[1])).predict([[5.1, 3.5, 1.4, 0.2]] * 2))
"""
Train = Callable[..., Path]


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Train]:
    """Models of a trial whose estimator is a class of a module ``own_for_test``, which begins with `head`."""
    added = ("own_for_test", "parts_for_test")

    def models(head: str, predict: str) -> Path:
        body = f"class Mine(DummyClassifier):\n    def predict_proba(self, X):\n        {predict}\n"
        (tmp_path / "own_for_test.py").write_text(f"from sklearn.dummy import DummyClassifier\n{head}\n\n\n{body}")
        monkeypatch.syspath_prepend(tmp_path)
        result = automl.fit(
            "classification",
            "iris",
            metric="accuracy",
            max_trials=1,
            validation={"folds": 2, "repeats": 1},
            search={"space": {"algorithms": {"mine": {"estimator": "own_for_test.Mine", "params": {}}}}},
            compute={"executor": "inline"},
            workspace=str(tmp_path / "runs"),
            registry=None,
            tracking=None,
            progress=False,
            trust=True,
        )
        return result.directory / "trials" / "00000" / "models"

    yield models
    for name in added:
        sys.modules.pop(name, None)


def loaded_elsewhere(folder: Path, place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)], cwd=place, capture_output=True, text=True, timeout=120
    )


def test_a_class_of_the_users_own_and_its_neighbours_become_part_of_the_model(tmp_path: Path, train: Train) -> None:
    (tmp_path / "parts_for_test.py").write_text("def as_it_is(y):\n    return y\n")
    models = train("from parts_for_test import as_it_is", "return as_it_is(super().predict_proba(X))")
    place = tmp_path / "elsewhere"
    place.mkdir()
    assert put_models(models, place / "models", ["own_for_test"]) == ()
    done = loaded_elsewhere(place / "models", place)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2


def test_what_cannot_be_written_out_is_asked_for_by_name(
    tmp_path: Path, train: Train, caplog: pytest.LogCaptureFixture
) -> None:
    head = "import threading\nLOCK = threading.Lock()"
    models = train(head, "return super().predict_proba(X) if LOCK else None")
    assert "own_for_test" in put_models(models, tmp_path / "models", ["own_for_test"])
    assert "needs own_for_test on the path" in caplog.text
    assert loaded_elsewhere(tmp_path / "models", tmp_path).returncode == 0  # Python looks in the current folder
    assert not cloudpickle.list_registry_pickle_by_value()


@pytest.mark.parametrize("name", ["sklearn", "json", "automl", "nowhere_at_all"])
def test_what_is_installed_is_nobodys_own(name: str) -> None:
    assert not is_own(name)
